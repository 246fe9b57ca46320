//! What is usual on the pages of a template: how much text, how many links, what stands around it.

use super::model::Article;
use super::site::Site;
use super::sketch::{Line, Sketch};
use crate::document::Span;
use crate::mapping::Css;
use crate::page::Page;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Shortest line that says something, in characters: labels, dates and names of boxes are shorter.
const SAID: usize = 40;

/// Lines of a template's frame that a model keeps.
const FRAME: usize = 2048;

/// Characters of lines that are known nowhere and lead nowhere, inside and outside of a container.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub inside: usize,
    pub outside: usize,
}

/// Counts them; inside of the container all text counts. What stands in `fields` has its place elsewhere.
pub(super) fn seen(lines: &[Line], container: Span, fields: &[Span], known: impl Fn(&Line) -> bool) -> Seen {
    let mut out = Seen::default();
    for line in lines.iter().filter(|l| l.linked * 2 <= l.chars) {
        let field = || fields.iter().any(|f| f.0 < line.span.1 && line.span.0 < f.1);
        if container.holds(line.span) {
            out.inside += line.chars;
        } else if line.chars >= SAID && !known(line) && !field() {
            out.outside += line.chars;
        }
    }
    out
}

/// Share of the characters of a container that are links.
pub(super) fn linked(lines: &[Line], container: Span) -> f64 {
    let inside = lines.iter().filter(|l| container.holds(l.span));
    let (linked, chars) = inside.fold((0, 0), |sum, l| (sum.0 + l.linked, sum.1 + l.chars));
    if chars == 0 {
        0.0
    } else {
        linked as f64 / chars as f64
    }
}

/// Elements that a selector finds, a hundred at most.
pub(super) fn hits(page: &Page, css: &Css) -> usize {
    page.select(css).take(100).count()
}

/// Whether an element shows something that is no text.
pub(super) fn shows(element: ElementRef<'_>) -> bool {
    element.descendants().any(|d| {
        let name = d.value().as_element().map(|e| e.name());
        matches!(name, Some("img" | "iframe" | "object" | "embed" | "video" | "a"))
    })
}

/// Selectors of the fields of a template that stand beside its container.
pub(super) fn fields(article: &Article) -> Vec<Css> {
    let one = [
        &article.title,
        &article.summary,
        &article.byline,
        &article.source,
        &article.section,
    ];
    let all = one.into_iter().flatten().chain(&article.published);
    all.filter_map(|r| Css::new(&r.css).ok()).collect()
}

/// Where they stand on a page.
pub(super) fn places(page: &Page, fields: &[Css]) -> Vec<Span> {
    let found = fields.iter().filter_map(|css| page.select(css).next());
    found.filter_map(|e| page.text.span(e.id())).collect()
}

/// Measures the pages that taught.
pub(super) fn measure(site: &Site<'_>, pages: &[&Sketch<'_>], container: &Css, article: &mut Article) {
    let found: Vec<(&Sketch<'_>, Span)> = pages
        .iter()
        .filter_map(|s| {
            let element = s.page.html.select(container.selector()).next()?;
            Some((*s, s.page.text.span(element.id()).unwrap_or_default()))
        })
        .collect();
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for (sketch, span) in &found {
        let outside = sketch.lines.iter().filter(|l| !span.holds(l.span));
        for key in outside.map(|l| l.key).collect::<BTreeSet<u64>>() {
            *counts.entry(key).or_default() += 1;
        }
    }
    let mut frame: Vec<(usize, u64)> = counts
        .iter()
        .filter(|c| *c.1 > 1)
        .map(|(k, n)| (*n, *k))
        .collect();
    frame.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    article.frame = frame.into_iter().take(FRAME).map(|f| f.1).collect();
    article.frame.sort_unstable();
    let known = |l: &Line| article.frame.binary_search(&l.key).is_ok() || site.lines.contains(&l.key);
    let lengths = || found.iter().map(|(_, s)| s.1 - s.0);
    article.band = (lengths().min().unwrap_or(0), lengths().max().unwrap_or(0));
    let fields = fields(article);
    article.outside = found
        .iter()
        .map(|(s, span)| seen(&s.lines, *span, &places(s.page, &fields), known).outside)
        .max()
        .unwrap_or(0);
    article.linked = found
        .iter()
        .map(|(s, span)| linked(&s.lines, *span))
        .fold(0.0, f64::max);
    article.hits = found
        .iter()
        .map(|(s, _)| hits(s.page, container))
        .max()
        .unwrap_or(0);
}
