//! What a page is made of, for whoever writes rules for it: its lines with selectors and dates, what repeats in it, its pagers.

use super::find::quote;
use super::list::{number, turns};
use super::selector::candidates;
use crate::document::Span;
use crate::lang::{Language, date, fold, spaces};
use crate::mapping::{Css, Mapping};
use crate::page::Page;
use ego_tree::NodeId;
use scraper::ElementRef;
use std::collections::{BTreeMap, HashMap};

/// Selectors that are asked of the page in all: a page of many lines shares most of them.
const ASKED: usize = 4000;

/// Selectors that are tried for one element.
const TRIED: usize = 24;

/// Fewest elements alike that are a repeated block.
const FEWEST: usize = 3;

/// Repeated blocks that are told.
const REPEATS: usize = 16;

/// Texts of a repeated block that are told.
const SAMPLES: usize = 3;

/// A line that a reader sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where it stands.
    pub span: Span,
    /// Its text.
    pub text: String,
    /// A selector whose first match on the page is the element of the line.
    pub css: Option<String>,
    /// The first date in it, ISO 8601.
    pub date: Option<String>,
}

/// Elements that are made alike and stand beside each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// What selects them.
    pub css: String,
    /// How many there are.
    pub count: usize,
    /// What the first of them say.
    pub texts: Vec<String>,
}

/// Links that turn pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turner {
    /// `link`, `aspnet-postback`, or `script`: what no rule of a mapping follows by itself.
    pub kind: String,
    /// What selects them.
    pub css: String,
    /// What they say.
    pub texts: Vec<String>,
    /// The pager as a list rule writes it; none for a script.
    pub toml: Option<String>,
}

/// What a page is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Visible lines, in order.
    pub lines: Vec<Line>,
    /// Repeated blocks, in order.
    pub repeats: Vec<Repeat>,
    /// Pagers.
    pub pagers: Vec<Turner>,
}

/// Looks at a page. The mapping says its language and time zone.
#[must_use]
pub fn outline(page: &Page, mapping: &Mapping) -> Outline {
    let language = Language::get(mapping.rules().site.language.get(..2).unwrap_or_default());
    let mut finder = Finder {
        page,
        known: HashMap::new(),
    };
    Outline {
        lines: lines(page, mapping, language, &mut finder),
        repeats: repeats(page),
        pagers: pagers(page, language),
    }
}

/// Finds selectors, and remembers what it asked.
struct Finder<'a> {
    page: &'a Page,
    known: HashMap<String, Option<NodeId>>,
}

impl Finder<'_> {
    /// The sturdiest selector whose first match is this element.
    fn of(&mut self, element: ElementRef<'_>) -> Option<String> {
        // The third `div` of whatever comes first is no name.
        let bare = |css: &str| css.contains("-of-type") && !css.contains(' ');
        let named = candidates(element).into_iter().filter(|(css, _)| !bare(css));
        for (css, _) in named.take(TRIED) {
            if self.known.len() >= ASKED && !self.known.contains_key(&css) {
                return None;
            }
            let page = self.page;
            let first = self.known.entry(css.clone()).or_insert_with(|| {
                let css = Css::new(&css).ok()?;
                let mut all = page.html.select(css.selector());
                all.find(|e| page.text.span(e.id()).is_some_and(|s| !s.is_empty()))
                    .map(|e| e.id())
            });
            if *first == Some(element.id()) {
                return Some(css);
            }
        }
        None
    }
}

fn lines(
    page: &Page,
    mapping: &Mapping,
    language: Option<&'static Language>,
    finder: &mut Finder<'_>,
) -> Vec<Line> {
    let zone = mapping.timezone();
    let reading = date::Reading {
        language,
        zone: &zone,
        reference: None,
    };
    let nodes = page.text.nodes();
    let told = |span: Span| {
        let text = spaces(page.text.slice(span));
        let at = nodes.partition_point(|(s, _)| s.1 <= span.0);
        let element = nodes.get(at).and_then(|(_, id)| whole(page, *id, span));
        // A year or a month alone is no date to point at.
        let date = date::find(&text, &reading).filter(|d| d.value.len() >= 10);
        Line {
            span,
            css: element.and_then(|e| finder.of(e)),
            date: date.map(|d| d.value),
            text,
        }
    };
    let all = page.text.lines(Span(0, page.text.len()));
    all.into_iter().map(told).filter(|l| !l.text.is_empty()).collect()
}

/// The largest element round a text node that shows no more than a line; else the element of the text node itself.
fn whole(page: &Page, node: NodeId, line: Span) -> Option<ElementRef<'_>> {
    let above = page.html.tree.get(node)?.ancestors().filter_map(ElementRef::wrap);
    let mut out = None;
    for element in above {
        let inside = page.text.span(element.id()).is_some_and(|s| line.holds(s));
        if out.is_some() && !inside {
            break;
        }
        out = Some(element);
        if !inside {
            break;
        }
    }
    out
}

/// Tag and classes: what elements made alike have in common.
fn make(element: ElementRef<'_>) -> String {
    let value = element.value();
    let mut out = value.name().to_owned();
    for class in value.classes() {
        out.push('.');
        out.push_str(class);
    }
    out
}

fn repeats(page: &Page) -> Vec<Repeat> {
    let mut out: Vec<Repeat> = Vec::new();
    let mut inside: Vec<Span> = Vec::new();
    for parent in page.html.tree.nodes().filter_map(ElementRef::wrap) {
        if out.len() >= REPEATS {
            break;
        }
        let span = page.text.span(parent.id()).unwrap_or_default();
        if span.is_empty() || inside.iter().any(|s| s.holds(span)) {
            continue;
        }
        let mut groups: BTreeMap<String, Vec<ElementRef<'_>>> = BTreeMap::new();
        for child in parent.children().filter_map(ElementRef::wrap) {
            let seen = page.text.span(child.id()).is_some_and(|s| !s.is_empty());
            // Paragraphs in a row are a text, cells in a row a table.
            let flow =
                ["p", "br", "td", "th", "option", "a", "span", "b", "font"].contains(&child.value().name());
            if seen && !flow {
                groups.entry(make(child)).or_default().push(child);
            }
        }
        for group in groups.into_values().filter(|g| g.len() >= FEWEST) {
            inside.extend(group.iter().filter_map(|e| page.text.span(e.id())));
            out.push(Repeat {
                css: common(page, &group),
                count: group.len(),
                texts: group
                    .iter()
                    .take(SAMPLES)
                    .map(|e| short(&page.text_of(*e)))
                    .collect(),
            });
        }
    }
    out
}

fn short(text: &str) -> String {
    let cut: String = text.chars().take(80).collect();
    if cut.len() < text.len() {
        format!("{}…", cut.trim_end())
    } else {
        cut
    }
}

/// The sturdiest selector that takes these elements and no others; else tags and classes.
fn common(page: &Page, group: &[ElementRef<'_>]) -> String {
    let ids: Vec<NodeId> = group.iter().map(|e| e.id()).collect();
    let tries = group.iter().take(1).flat_map(|e| candidates(*e)).take(60);
    for (css, _) in tries {
        let Ok(css) = Css::new(&css) else { continue };
        let all: Vec<NodeId> = page
            .html
            .select(css.selector())
            .filter(|e| page.text.span(e.id()).is_some_and(|s| !s.is_empty()))
            .map(|e| e.id())
            .take(ids.len() + 1)
            .collect();
        if all == ids {
            return css.as_str().to_owned();
        }
    }
    group.first().map(|e| make(*e)).unwrap_or_default()
}

fn pagers(page: &Page, language: Option<&'static Language>) -> Vec<Turner> {
    let mut groups: Vec<(NodeId, Vec<ElementRef<'_>>)> = Vec::new();
    for link in page
        .html
        .tree
        .nodes()
        .filter_map(ElementRef::wrap)
        .filter(|e| e.value().name() == "a")
    {
        let Some(span) = page.text.span(link.id()) else {
            continue;
        };
        if !turns(language, &fold(page.text.slice(span))) {
            continue;
        }
        // Links of one pager stand in one element, or each in an item of one.
        let parent = link.parent();
        let alone = parent.is_some_and(|p| {
            ["li", "td", "span"].contains(&ElementRef::wrap(p).map_or("", |e| e.value().name()))
        });
        let home = if alone {
            parent.and_then(|p| p.parent())
        } else {
            parent
        };
        let Some(home) = home else { continue };
        match groups.iter_mut().find(|(id, _)| *id == home.id()) {
            Some((_, links)) => links.push(link),
            None => groups.push((home.id(), vec![link])),
        }
    }
    let text = |e: &ElementRef<'_>| page.text_of(*e);
    let real = |links: &[ElementRef<'_>]| {
        let numbers = links.iter().filter(|l| number(&text(l))).count();
        links.len() >= 2 && numbers >= 1
    };
    groups
        .into_iter()
        .filter(|(_, links)| real(links))
        .map(|(home, links)| {
            let said = |l: &ElementRef<'_>, part: &str| {
                let code = [l.attr("href"), l.attr("onclick")];
                code.iter().flatten().any(|c| c.contains(part))
            };
            let goes = |l: &ElementRef<'_>| {
                l.attr("href")
                    .is_some_and(|h| !h.starts_with(['#']) && !h.starts_with("javascript:"))
            };
            let kind = if links.iter().any(|l| said(l, "__doPostBack")) {
                "aspnet-postback"
            } else if links.iter().any(goes) {
                "link"
            } else {
                "script"
            };
            let css = turner(page, home, &links);
            let toml = (kind != "script")
                .then(|| format!("pager = {{ kind = {}, css = {} }}", quote(kind), quote(&css)));
            Turner {
                kind: kind.into(),
                texts: links.iter().take(12).map(text).collect(),
                toml,
                css,
            }
        })
        .collect()
}

/// The sturdiest selector of what holds a pager, and the links in it; it must take them all and, on this page, nothing else
/// if that can be had.
fn turner(page: &Page, home: NodeId, links: &[ElementRef<'_>]) -> String {
    let Some(home) = page.html.tree.get(home).and_then(ElementRef::wrap) else {
        return "a".into();
    };
    let mut best: Option<(usize, String)> = None;
    for (css, _) in candidates(home).into_iter().take(40) {
        let css = format!("{css} a");
        let Ok(compiled) = Css::new(&css) else { continue };
        let all: Vec<NodeId> = page.html.select(compiled.selector()).map(|e| e.id()).collect();
        let holds = links.iter().all(|l| all.contains(&l.id()));
        if holds && best.as_ref().is_none_or(|(count, _)| all.len() < *count) {
            best = Some((all.len(), css));
        }
    }
    best.map_or_else(|| "a".into(), |(_, css)| css)
}
