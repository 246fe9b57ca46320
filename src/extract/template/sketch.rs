//! A page as the learner sees it: which steps its tree is made of, which lines it shows, where it leads to. One pass.

use crate::document::Span;
use crate::lang::fold;
use crate::mapping::{Mapping, PageUrl};
use crate::page::Page;
use ego_tree::NodeId;
use scraper::ElementRef;
use scraper::node::Element;
use std::collections::{BTreeSet, HashMap};

/// A link to a page of the site.
#[derive(Debug)]
pub(super) struct Link {
    pub node: NodeId,
    pub to: PageUrl,
    /// Folded text.
    pub text: String,
    /// Where its text stands.
    pub span: Span,
}

/// A visible line.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub span: Span,
    /// Of its letters alone: counters, clocks and dates are equal on all pages.
    pub key: u64,
    pub chars: usize,
    /// Characters inside of links to pages; files are content.
    pub linked: usize,
}

/// What one page looks like.
#[derive(Debug)]
pub(super) struct Sketch<'a> {
    pub page: &'a Page,
    pub mapping: &'a Mapping,
    /// Parent and child, digits taken out: the alphabet of templates.
    pub steps: Steps,
    pub lines: Vec<Line>,
    pub links: Vec<Link>,
    /// Links whose `href` or `onclick` posts the form back.
    pub posts: Vec<NodeId>,
    /// It asks for a password.
    pub login: bool,
    pub shape: String,
}

/// Elements of one page that are looked at; more are no page for people.
const ELEMENTS: usize = 50_000;

/// Steps of one page that are kept.
const STEPS: usize = 1024;

/// The steps of a tree, as hashes: the smallest of them, so that two sets that are not whole can still be compared below
/// the lesser of their bounds (a bottom-k sketch). Pages of people have 100 to 400; theirs are whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Steps(BTreeSet<u64>);

impl Steps {
    pub(super) fn insert(&mut self, step: u64) {
        self.0.insert(step);
        if self.0.len() > STEPS {
            self.0.pop_last();
        }
    }

    pub(super) fn set(&self) -> &BTreeSet<u64> {
        &self.0
    }
}

/// Up to where a sketch of at most `most` hashes is whole.
pub(super) fn bound(last: Option<&u64>, len: usize, most: usize) -> u64 {
    last.filter(|_| len >= most).copied().unwrap_or(u64::MAX)
}

/// Share of the smaller of a page and the steps of a template (sorted, at most [`super::model::CORE`]) that both have.
pub(super) fn likeness(steps: &Steps, core: &[u64]) -> f64 {
    let own = steps.set();
    let least = bound(own.last(), own.len(), STEPS).min(bound(core.last(), core.len(), super::model::CORE));
    let core: Vec<&u64> = core.iter().take_while(|s| **s <= least).collect();
    let small = own.range(..=least).count().min(core.len());
    let both = core.iter().filter(|s| own.contains(s)).count();
    if small == 0 {
        0.0
    } else {
        both as f64 / small as f64
    }
}

/// The steps of a page's tree.
pub(super) fn steps(page: &Page) -> Steps {
    let mut out = Steps::default();
    for node in page.html.tree.nodes().take(ELEMENTS) {
        if let Some(element) = node.value().as_element() {
            let parent = node.parent().and_then(|p| p.value().as_element().map(signature));
            out.insert(hash(&format!(
                "{}>{}",
                parent.unwrap_or_default(),
                signature(element)
            )));
        }
    }
    out
}

/// Stable hash of a text.
pub(super) fn hash(text: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// Letters only, lower case.
pub(super) fn letters(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphabetic()).collect()
}

/// Every run of digits becomes one zero.
pub(super) fn undigited(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        let digit = c.is_ascii_digit();
        if digit && !inside {
            out.push('0');
        } else if !digit {
            out.push(c);
        }
        inside = digit;
    }
    out
}

/// A name without what only one instance of it has: numbers, and words of letters and digits that a machine made
/// (`INSTANCE_Ab3dK9xQ2mLz`, a GUID).
fn common(name: &str) -> String {
    let parts = name.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    parts
        .map(|part| {
            let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            let mixed = word.contains(|c: char| c.is_ascii_digit())
                && word.contains(|c: char| c.is_ascii_alphabetic());
            if mixed && word.len() >= MADE {
                format!("0{}", &part[word.len()..])
            } else {
                undigited(part)
            }
        })
        .collect()
}

/// Shortest word of letters and digits that a machine made, in characters.
const MADE: usize = 8;

/// Attributes that tell elements apart where nothing has a class.
pub(super) const MARKS: [&str; 6] = ["bgcolor", "size", "color", "width", "align", "itemprop"];

/// What an element is called: its tag with id and classes, else with the attributes of its time.
pub(super) fn signature(element: &Element) -> String {
    let mut out = element.name().to_owned();
    let id = element.attr("id").map(common).unwrap_or_default();
    let classes: Vec<String> = element.classes().take(3).map(common).collect();
    if id.is_empty() && classes.is_empty() {
        for name in MARKS {
            if let Some(value) = element.attr(name) {
                out.push_str(&format!("[{name}={value}]"));
            }
        }
    } else {
        out.push('#');
        out.push_str(&id);
        for class in classes {
            out.push('.');
            out.push_str(&class);
        }
    }
    out
}

/// The shape of an address: numbers are `0`, titles are `*`.
pub(super) fn shape(url: &PageUrl) -> String {
    let text = url.path_and_query();
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let part = |text: &str| {
        let text = common(text);
        if text.matches('-').count() < 3 {
            return text;
        }
        let end = text.rsplit_once('.').map_or("", |(_, e)| e);
        format!("*.{end}")
    };
    let mut out: String = path.split('/').map(part).collect::<Vec<_>>().join("/");
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        out.push_str(&format!("&{}={}", common(name), part(value)));
    }
    out
}

impl<'a> Sketch<'a> {
    pub(super) fn of(page: &'a Page, mapping: &'a Mapping) -> Self {
        let mut links = Vec::new();
        let mut posts = Vec::new();
        let mut login = false;
        let mut anchors: HashMap<NodeId, bool> = HashMap::new();
        for node in page.html.tree.nodes().take(ELEMENTS) {
            let Some(element) = ElementRef::wrap(node) else {
                continue;
            };
            let value = element.value();
            login |= value.name() == "input"
                && value
                    .attr("type")
                    .is_some_and(|t| t.eq_ignore_ascii_case("password"));
            if value.name() != "a" {
                continue;
            }
            let href = value.attr("href").unwrap_or_default().trim();
            let code = [href, value.attr("onclick").unwrap_or_default()];
            if code.iter().any(|c| c.contains("__doPostBack")) {
                posts.push(node.id());
            }
            if href.is_empty() || href.starts_with('#') {
                continue;
            }
            let Ok(to) = mapping.resolve(&page.base, href) else {
                continue;
            };
            let file = mapping.is_attachment(&to);
            anchors.insert(node.id(), !file);
            if !file {
                let span = page.text.span(node.id()).unwrap_or_default();
                let mut text = fold(page.text.slice(span));
                if text.is_empty() {
                    // An arrow says in its `alt` what it is for.
                    let image = element
                        .descendants()
                        .find_map(|n| n.value().as_element()?.attr("alt"));
                    text = fold(image.or(value.attr("title")).unwrap_or_default());
                }
                links.push(Link {
                    node: node.id(),
                    to,
                    text,
                    span,
                });
            }
        }
        let linked: Vec<(Span, bool)> = page
            .text
            .nodes()
            .iter()
            .map(|(span, id)| {
                let node = page.html.tree.get(*id);
                let inside = node.is_some_and(|n| n.ancestors().any(|a| anchors.get(&a.id()) == Some(&true)));
                (*span, inside)
            })
            .collect();
        let mut at = 0;
        let whole = Span(0, page.text.len());
        let lines = page.text.lines(whole).into_iter().map(|span| {
            let text = page.text.slice(span);
            while linked.get(at).is_some_and(|(s, _)| s.1 <= span.0) {
                at += 1;
            }
            let within = linked[at..]
                .iter()
                .take_while(|(s, _)| s.0 < span.1)
                .filter(|(_, l)| *l);
            Line {
                span,
                key: hash(&letters(text)),
                chars: span.1 - span.0,
                linked: within.map(|(s, _)| s.1.min(span.1) - s.0.max(span.0)).sum(),
            }
        });
        let lines = lines.collect();
        Self {
            page,
            mapping,
            steps: steps(page),
            lines,
            links,
            posts,
            login,
            shape: shape(&page.url),
        }
    }

    /// Elements of the body, in order, with the text that they show.
    pub(super) fn elements(&self) -> impl Iterator<Item = (ElementRef<'a>, Span)> {
        let page = self.page;
        page.html
            .tree
            .nodes()
            .take(ELEMENTS)
            .filter_map(ElementRef::wrap)
            .filter_map(move |e| Some((e, page.text.span(e.id()).filter(|s| !s.is_empty())?)))
    }

    /// The text of an element, folded.
    pub(super) fn folded(&self, element: ElementRef<'_>) -> String {
        fold(
            self.page
                .text
                .slice(self.page.text.span(element.id()).unwrap_or_default()),
        )
    }

    /// The line that a place stands in.
    pub(super) fn line_at(&self, at: usize) -> Option<Line> {
        let next = self.lines.partition_point(|l| l.span.1 <= at);
        self.lines.get(next).copied()
    }
}
