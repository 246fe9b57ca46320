//! The rules of a mapping beside those that would be drafted now: where they find something else, and on how many pages.

use super::compare::rules;
use super::model::{Article, Model};
use crate::document::Span;
use crate::mapping::model::Collection;
use crate::mapping::{Css, Mapping};
use crate::page::Page;
use scraper::ElementRef;
use serde::Serialize;

/// A rule of a mapping that finds something else than what was learned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rival {
    /// Id of the collection.
    pub collection: String,
    /// `container`, `title`, …
    pub field: String,
    /// The mapping's selectors; none: it has no rule for the field.
    pub mapping: Vec<String>,
    /// What would be drafted.
    pub drafted: String,
    /// How that was known.
    pub evidence: String,
    /// Pages of the sample that are of the collection.
    pub pages: usize,
    /// Pages on which the mapping's selectors find something.
    pub mapping_finds: usize,
    /// Pages on which the drafted one does.
    pub drafted_finds: usize,
    /// Pages on which both find the same.
    pub same: usize,
}

impl std::fmt::Display for Rival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let now = if self.mapping.is_empty() {
            "no rule".to_owned()
        } else {
            format!("`{}`", self.mapping.join("`, `"))
        };
        write!(
            f,
            "? {} {}: the mapping has {now} (finds something on {} of {} pages), `{}` would be drafted (on {}); the same on {}; known by: {}",
            self.collection,
            self.field,
            self.mapping_finds,
            self.pages,
            self.drafted,
            self.drafted_finds,
            self.same,
            self.evidence
        )
    }
}

/// Rules of articles that would be drafted otherwise than the mapping has them. `pages` is the sample.
#[must_use]
pub fn against(mapping: &Mapping, model: &Model, pages: &[&Page]) -> Vec<Rival> {
    let mut out = Vec::new();
    let collections = mapping.rules().collection.iter().filter(|c| c.each.is_none());
    for collection in collections {
        let own: Vec<&Page> = pages.iter().copied().filter(|p| is_of(collection, p)).collect();
        if let Some(article) = article_of(model, &own) {
            out.extend(rivals(collection, article, &own));
        }
    }
    out
}

fn is_of(collection: &Collection, page: &Page) -> bool {
    let matches = &collection.matches;
    !matches.rest
        && matches.fits_url(page.url.path_and_query())
        && matches
            .css
            .as_ref()
            .is_none_or(|css| page.select(css).next().is_some())
}

/// The rules of the template that most of the pages are of.
fn article_of<'m>(model: &'m Model, pages: &[&Page]) -> Option<&'m Article> {
    let articles = model.templates.iter().filter_map(|t| {
        let article = t.article.as_ref()?;
        let url = regex::Regex::new(&t.url).ok()?;
        let css = Css::new(&article.container.css).ok()?;
        let fits = pages
            .iter()
            .filter(|p| url.is_match(p.url.path_and_query()) && p.select(&css).next().is_some());
        Some((fits.count(), article))
    });
    // The first of equals: the most frequent template.
    let best = articles.reduce(|a, b| if b.0 > a.0 { b } else { a });
    best.filter(|(fits, _)| *fits > 0).map(|(_, article)| article)
}

fn rivals(collection: &Collection, article: &Article, pages: &[&Page]) -> Vec<Rival> {
    let containers: Vec<&Css> = collection
        .scope
        .container
        .iter()
        .filter_map(|c| c.css())
        .collect();
    let Ok(drafted_container) = Css::new(&article.container.css) else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for (field, rule) in rules(article) {
        let Some((rule, css)) = rule.and_then(|r| Some((r, Css::new(&r.css).ok()?))) else {
            continue;
        };
        let known = collection.fields.get(field);
        let now: Vec<&Css> = if field == "container" {
            containers.clone()
        } else {
            let takes = known.into_iter().flat_map(|f| &f.take);
            takes.filter_map(|t| t.css.as_ref()).collect()
        };
        // A field by other means (a list, metadata) has no place on the page to compare; so has `@auto`.
        let elsewhere = match field {
            "container" => !collection.scope.container.is_empty(),
            _ => known.is_some(),
        };
        if now.iter().any(|c| c.as_str() == css.as_str())
            || rule.attr.is_some()
            || (now.is_empty() && elsewhere)
        {
            continue;
        }
        let (mut mapping_finds, mut drafted_finds, mut same) = (0, 0, 0);
        for page in pages {
            let (ours, theirs) = if field == "container" {
                (None, None)
            } else {
                let ours = containers.iter().find_map(|c| page.select(c).next());
                (ours, page.select(&drafted_container).next())
            };
            let a = now.iter().find_map(|c| place(page, ours, c));
            let b = place(page, theirs, &css);
            mapping_finds += usize::from(a.is_some());
            drafted_finds += usize::from(b.is_some());
            same += usize::from(b.is_some() && a == b);
        }
        if drafted_finds > same {
            out.push(Rival {
                collection: collection.id.clone(),
                field: field.to_owned(),
                mapping: now.iter().map(|c| c.as_str().to_owned()).collect(),
                drafted: rule.css.clone(),
                evidence: rule.evidence.clone(),
                pages: pages.len(),
                mapping_finds,
                drafted_finds,
                same,
            });
        }
    }
    out
}

/// Where the first match with text stands: inside of the container, else on the page.
fn place(page: &Page, root: Option<ElementRef<'_>>, css: &Css) -> Option<Span> {
    let inside = root.and_then(|r| r.select(css.selector()).next());
    let element = inside.or_else(|| page.select(css).next())?;
    page.text.span(element.id()).filter(|s| !s.is_empty())
}
