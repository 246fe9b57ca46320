//! What several pages of a site say of each other: which of them are made alike, what on them repeats, and where the rest
//! stands. Learns templates and short, sturdy selectors with their evidence; pure, and linear in the text.
//!
//! The way: pages become sketches (`sketch`); sketches made of the same steps become clusters (`cluster`); links between
//! them say what each is for (`site`). Lists are read first (`list`): what they print of an article is what its page must
//! give. Then the container (`content`), the fields (`fields`) and the boilerplate (`chrome`) are induced, each by trying
//! selectors on all pages of the cluster (`selector`). Pages of an address that holds no article and pages that ask for a
//! password are set aside first: they never teach.

mod against;
mod aliases;
mod called;
mod chrome;
mod cluster;
mod compare;
mod content;
mod continued;
mod dates;
mod draft;
mod fields;
mod find;
mod held;
mod judge;
mod list;
mod model;
mod outline;
mod promo;
mod published;
mod selector;
mod site;
mod sketch;
mod sources;
mod summary;
mod survey;
mod urls;
mod usual;
mod vote;

pub use against::{Rival, against};
pub use aliases::{aliases, written};
pub use called::{Called, called};
pub use compare::{Change, carry, changes, names};
pub use draft::{Draft, Origin, draft};
pub use find::{Found, Hit, Proposal, Sample, Seen, find};
pub use judge::{Alarm, Learned, Ready, asks};
pub use model::{Article, Drop, Kind, List, Model, Pager, Parts, Rule, Template, VERSION};
pub use outline::{Line, Outline, Repeat, Turner, outline};
pub use survey::{Extent, Survey};

use crate::extract::auto::Auto;
use crate::mapping::{Css, Mapping};
use crate::page::Page;
use fields::Taught;
use list::Said;
use scraper::ElementRef;
use site::Site;
use sketch::Sketch;
use std::collections::BTreeMap;
use vote::Votes;

/// Fewest pages that teach a template.
pub const FEWEST: usize = 3;

/// Lines of the frame that a model keeps.
const CHROME: usize = 4096;

/// Addresses of a template that a model keeps.
const SAMPLES: usize = 8;

/// Names of authors' elements.
const AUTHOR: [&str; 6] = ["author", "tacgia", "nguoiviet", "byline", "poster", "nguoidang"];

/// Names of sources' elements.
const SOURCE: [&str; 4] = ["nguontin", "newssource", "article-source", "nguonbai"];

/// Whether an element has a name of its own.
fn selector_named(element: ElementRef<'_>) -> bool {
    let value = element.value();
    value.attr("id").is_some_and(|i| !i.is_empty())
        || value.classes().next().is_some()
        || ["header", "footer", "nav", "aside"].contains(&value.name())
}

/// Learns a site from a sample of its pages. `mapping` says which addresses are its own; its collections are not looked at.
#[must_use]
pub fn learn(pages: &[&Page], mapping: &Mapping) -> Model {
    lesson(pages, mapping).0
}

/// As [`learn`]; also says which template each page is of.
#[must_use]
pub fn lesson(pages: &[&Page], mapping: &Mapping) -> (Model, Vec<Option<usize>>) {
    let sketches: Vec<Sketch<'_>> = pages.iter().map(|p| Sketch::of(p, mapping)).collect();
    let mut site = Site::of(sketches, mapping);
    let mut said = Said::default();
    let mut templates = Vec::new();
    let mut order: Vec<usize> = (0..site.clusters.len()).collect();
    order.sort_by_key(|c| site.clusters[*c].kind != Kind::List);
    for at in order {
        let cluster = &site.clusters[at];
        if cluster.pages.is_empty() {
            continue;
        }
        let list = (cluster.kind == Kind::List)
            .then(|| list::learn(&site, cluster, &mut said))
            .flatten();
        templates.push(template(&site, at, articles(&site, at, &said), list));
    }
    if !templates.iter().any(|t| t.kind == Kind::Article) {
        entries(&mut site, &mut said, &mut templates);
    }
    if !templates.iter().any(|t| t.list.is_some() || t.kind == Kind::List) {
        site.open = false;
        site.unlisted();
        said = Said::default();
        templates = (0..site.clusters.len())
            .map(|at| template(&site, at, articles(&site, at, &said), None))
            .collect();
    }
    templates.sort_by_key(|t| (t.kind, std::cmp::Reverse(t.pages)));
    let mut of = vec![None; site.sketches.len()];
    for (at, template) in templates.iter_mut().enumerate() {
        for page in std::mem::take(&mut template.members) {
            of[page] = Some(at);
        }
    }
    let mut counts: BTreeMap<u64, u32> = BTreeMap::new();
    for sketch in &site.sketches {
        let keys: std::collections::BTreeSet<u64> = sketch.lines.iter().map(|l| l.key).collect();
        for key in keys.intersection(&site.lines) {
            *counts.entry(*key).or_default() += 1;
        }
    }
    let mut chrome: Vec<(u64, u32)> = counts.into_iter().collect();
    chrome.sort_by_key(|c| (std::cmp::Reverse(c.1), c.0));
    chrome.truncate(CHROME);
    let mut model = Model {
        version: VERSION,
        pages: site.sketches.len(),
        templates,
        chrome,
    };
    names(&mut model, None);
    (model, of)
}

/// The rules of a cluster, if it is one of articles.
fn articles(site: &Site<'_>, at: usize, said: &Said) -> Result<Article, String> {
    let cluster = &site.clusters[at];
    match cluster.kind {
        Kind::Article if cluster.pages.len() < FEWEST => {
            Err(format!("{FEWEST} pages are needed to learn from"))
        }
        Kind::Article => article(site, &cluster.pages, said),
        _ => Err(String::new()),
    }
}

/// A sample without articles, as mirrors are: pages that repeat an entry with a link and a date are lists all the same.
fn entries(site: &mut Site<'_>, said: &mut Said, templates: &mut Vec<Template>) {
    site.open = true;
    for at in 0..site.clusters.len() {
        if site.clusters[at].kind != Kind::Other || site.clusters[at].pages.len() < FEWEST {
            continue;
        }
        site.clusters[at].kind = Kind::List;
        let list = list::learn(site, &site.clusters[at], said)
            .filter(|l| l.date.is_some() && l.item.right > l.item.wrong)
            // Articles have entries as well: those of other news.
            .filter(|l| {
                !Css::new(&l.item.css).is_ok_and(|css| site.tell(&site.clusters[at].pages, Some(&css)))
            });
        match list {
            Some(list) => {
                let made = template(site, at, Err(String::new()), Some(list));
                templates.retain(|t| t.kind != Kind::Other || t.samples != made.samples);
                templates.push(made);
            }
            None => site.clusters[at].kind = Kind::Other,
        }
    }
}

fn template(site: &Site<'_>, at: usize, article: Result<Article, String>, list: Option<List>) -> Template {
    let cluster = &site.clusters[at];
    let mut urls: Vec<&str> = cluster
        .pages
        .iter()
        .map(|i| site.sketches[*i].page.url.path_and_query())
        .collect();
    // Addresses that were seen as links teach as much: those of the same template.
    let mut more: Vec<&str> = site
        .sketches
        .iter()
        .flat_map(|s| &s.links)
        .filter(|l| !site.index.contains_key(&l.to) && site.cluster_of(&l.to) == Some(at))
        .map(|l| l.to.path_and_query())
        .collect();
    more.sort_unstable();
    more.dedup();
    let parts = (cluster.kind == Kind::Article)
        .then(|| continued::learn(site, &cluster.pages))
        .flatten();
    if let Some(behind) = parts.as_ref().and_then(|p| regex::Regex::new(&p.url).ok()) {
        urls.retain(|u| !behind.is_match(u));
        more.retain(|u| !behind.is_match(u));
    }
    let samples = urls.iter().take(SAMPLES).map(|u| (*u).to_owned()).collect();
    let key = urls::key(&urls);
    urls.extend(more);
    urls.sort_unstable();
    urls.dedup();
    Template {
        id: String::new(),
        members: cluster.pages.clone(),
        steps: cluster::core(cluster.pages.iter().map(|i| &site.sketches[*i].steps)),
        kind: cluster.kind,
        pages: cluster.pages.len(),
        url: logins(site, cluster).unwrap_or_else(|| urls::pattern(&urls)),
        key: key.filter(|_| cluster.kind == Kind::Article),
        samples,
        message: (cluster.kind == Kind::Gone)
            .then(|| site.message(cluster.pages[0]))
            .flatten(),
        drops: if cluster.kind == Kind::Article && article.is_err() {
            chrome::lines(site, &cluster.pages)
        } else {
            Vec::new()
        },
        why: article.as_ref().err().filter(|w| !w.is_empty()).cloned(),
        article: article.ok(),
        list,
        parts,
    }
}

/// A login says in its parameters where one came from: its path is what it is known by, if nothing else has that path.
fn logins(site: &Site<'_>, cluster: &site::Cluster) -> Option<String> {
    let path = |i: &usize| {
        let text = site.sketches[*i].page.url.path_and_query();
        text.split('?').next().unwrap_or(text)
    };
    let first = path(cluster.pages.first().filter(|_| cluster.kind == Kind::Login)?);
    let kinds = [Kind::Article, Kind::List, Kind::Home, Kind::Copy];
    let mut others = kinds.into_iter().flat_map(|k| site.pages_of(k));
    let own = cluster.pages.iter().all(|i| path(i) == first) && !others.any(|i| path(&i) == first);
    own.then(|| format!(r"^{}(?:\?.*)?$", urls::literal(first)))
}

/// The rules of a template, or why there are none.
fn article(site: &Site<'_>, indexes: &[usize], said: &Said) -> Result<Article, String> {
    let pages: Vec<&Sketch<'_>> = indexes.iter().map(|i| &site.sketches[*i]).collect();
    let mut titles: Vec<Option<String>> = indexes.iter().map(|i| site.title_of(*i)).collect();
    let mut called = "what links to the page call it";
    if !cluster::share(titles.iter().flatten().count(), titles.len(), 0.5) {
        titles = indexes.iter().map(|i| site.told_title(*i)).collect();
        called = "what the page tells machines, and shows";
    }
    let fixed = content::repeated(&pages);
    let found: Vec<&Auto> = indexes.iter().map(|i| site.auto(*i)).collect();
    let votes = Votes::of(&pages, &found);
    let weights: Vec<content::Weights> = pages
        .iter()
        .zip(&titles)
        .enumerate()
        .map(|(at, (s, t))| content::weights(site, s, &fixed, t.as_deref(), &|l| votes.is_text(at, l)))
        .collect();
    let container = content::container(&pages, &weights.iter().collect::<Vec<_>>())
        .ok_or("no selector finds what holds the text on enough of the pages")?;
    let css = Css::new(&container.css)?;
    let taught = Taught {
        site,
        said,
        pages: pages.clone(),
        container: css.clone(),
        titles,
    };
    let title = taught.title(called);
    let (published, published_meta) = taught.published();
    let words = |all: fn(&crate::lang::Phrases) -> &Vec<String>| {
        site.language.map(|l| all(&l.phrases).clone()).unwrap_or_default()
    };
    let (authors, sources) = (words(|p| &p.author), words(|p| &p.source));
    let byline = taught.labelled(&authors, &AUTHOR, "its label, or its name in the page");
    let source = taught.labelled(&sources, &SOURCE, "its label, or its name in the page");
    let mut article = Article {
        section: taught.section(),
        summary: taught.summary(title.as_ref()),
        signature: byline.is_none(),
        source_label: source
            .is_none()
            .then(|| label_in(&pages, &css, &sources).or_else(|| usual(&sources)))
            .flatten(),
        container,
        title,
        published,
        published_meta,
        byline,
        source,
        ..Article::default()
    };
    usual::measure(site, &pages, &css, &mut article);
    let fields: Vec<Css> = [
        &article.summary,
        &article.byline,
        &article.source,
        &article.section,
    ]
    .into_iter()
    .flatten()
    .filter_map(|r| Css::new(&r.css).ok())
    .collect();
    let headline = article.title.as_ref().and_then(|r| Css::new(&r.css).ok());
    let held = held::out(
        site,
        indexes,
        &votes,
        &fixed,
        &taught.titles,
        &fields,
        headline.as_ref(),
    );
    article.held_out = (held.learned, held.alone);
    // Where each page by itself shows more than what the others say of it, nothing is learned.
    if held.is_worse() {
        return Err(format!(
            "`{}` gives less of the text ({:.3}) than `@auto` finds page by page ({:.3})",
            article.container.css, held.learned, held.alone
        ));
    }
    chrome::learn(site, &pages, &fixed, &votes, &mut article);
    Ok(article)
}

/// The label that the language usually has, for pages of a kind that the sample did not show.
fn usual(labels: &[String]) -> Option<String> {
    let first = labels.first()?;
    let mut chars = first.chars();
    let head: String = chars.next()?.to_uppercase().collect();
    Some(format!("{head}{}:", chars.as_str()))
}

/// The label of a source as lines of the container begin with it.
fn label_in(pages: &[&Sketch<'_>], container: &Css, labels: &[String]) -> Option<String> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for sketch in pages {
        let Some(root) = sketch.page.html.select(container.selector()).next() else {
            continue;
        };
        let span = sketch.page.text.span(root.id()).unwrap_or_default();
        for line in sketch
            .lines
            .iter()
            .filter(|l| span.holds(l.span) && l.chars <= 60)
        {
            let text = crate::lang::spaces(sketch.page.text.slice(line.span));
            let folded = crate::lang::fold(&text);
            let hit = labels.iter().find(|l| {
                folded
                    .strip_prefix(l.as_str())
                    .is_some_and(|r| r.starts_with(':'))
            });
            if let Some(label) = hit {
                let raw: String = text.chars().take(label.chars().count() + 1).collect();
                *counts.entry(raw).or_default() += 1;
            }
        }
    }
    counts.into_iter().max_by_key(|(_, n)| *n).map(|(l, _)| l)
}

#[cfg(test)]
mod alone_tests;
#[cfg(test)]
mod odd_tests;
#[cfg(test)]
mod sample_tests;
#[cfg(test)]
mod tests;
