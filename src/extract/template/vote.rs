//! Which lines are text: what `@auto` says of each on its own page, and what it says of the same place on the other pages. A
//! place is the way from the root to the block that shows the line, by names.

use super::selector_named;
use super::sketch::{Line, Sketch, hash, signature};
use crate::document::Span;
use crate::extract::auto::{Auto, Verdict};
use ego_tree::NodeId;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Fewest pages that show a place before it says something of a line there.
const SEEN: usize = 3;

/// Kept share of a place below which nothing there is text, and above which all of it is.
const NEVER: f64 = 0.25;
const ALWAYS: f64 = 0.75;

/// Elements that part no lines.
const INLINE: [&str; 16] = [
    "a", "abbr", "b", "big", "cite", "em", "font", "i", "mark", "q", "small", "span", "strong", "sub", "sup",
    "u",
];

/// A line of one page.
struct Seen {
    place: u64,
    /// The block that shows it.
    block: Option<NodeId>,
    /// Whether `@auto` keeps it.
    kept: bool,
}

/// What is said of the lines of the pages of one template.
pub(super) struct Votes {
    /// Page by page: starts of the lines that are text.
    text: Vec<BTreeSet<usize>>,
    /// Page by page, line by line.
    seen: Vec<Vec<Seen>>,
}

/// Places: pages that show each, and the sum of the share of its characters that each of them keeps.
type Places = BTreeMap<u64, (usize, f64)>;

fn places<'s>(pages: impl Iterator<Item = (&'s [Line], &'s [Seen])>) -> Places {
    let mut out = Places::new();
    for (lines, seen) in pages {
        let mut own: BTreeMap<u64, (usize, usize)> = BTreeMap::new();
        for (line, seen) in lines.iter().zip(seen) {
            let entry = own.entry(seen.place).or_default();
            entry.0 += if seen.kept { line.chars } else { 0 };
            entry.1 += line.chars;
        }
        for (place, (kept, chars)) in own {
            let entry = out.entry(place).or_default();
            entry.0 += 1;
            entry.1 += kept as f64 / chars.max(1) as f64;
        }
    }
    out
}

impl Votes {
    /// Asks `@auto` of each page, then the other pages.
    pub(super) fn of(pages: &[&Sketch<'_>], found: &[&Auto]) -> Self {
        let seen: Vec<Vec<Seen>> = pages.iter().zip(found).map(|(s, a)| lines(s, a)).collect();
        let places = places(pages.iter().zip(&seen).map(|(p, s)| (&p.lines[..], &s[..])));
        let text = pages.iter().zip(&seen).map(|(sketch, seen)| {
            let first = seen.iter().position(|s| s.kept).unwrap_or(0);
            let last = seen.iter().rposition(|s| s.kept).unwrap_or(0);
            let is = |(at, (line, seen)): &(usize, (&Line, &Seen))| {
                let (pages, sum) = places.get(&seen.place).copied().unwrap_or_default();
                let share = sum / pages.max(1) as f64;
                if pages < SEEN || (NEVER..=ALWAYS).contains(&share) {
                    seen.kept
                } else if share < NEVER {
                    false
                } else {
                    // What stands before or behind all text is no text for its place alone.
                    seen.kept || (first..=last).contains(at) && line.linked * 2 <= line.chars
                }
            };
            let lines = sketch.lines.iter().zip(seen).enumerate().filter(is);
            lines.map(|(_, (line, _))| line.span.0).collect()
        });
        Self {
            text: text.collect(),
            seen,
        }
    }

    /// Whether a line of a page is text.
    pub(super) fn is_text(&self, page: usize, line: &Line) -> bool {
        self.text.get(page).is_some_and(|t| t.contains(&line.span.0))
    }

    /// Starts of the lines of a page that stand where some of the pages, which teach, have no text, in boxes of `container`
    /// that have a name: by it a rule can drop them. What stands in the container itself, no rule can tell from its text.
    pub(super) fn refused(
        &self,
        pages: &[&Sketch<'_>],
        taught: &[usize],
        page: usize,
        container: ElementRef<'_>,
    ) -> BTreeSet<usize> {
        let all = taught
            .iter()
            .filter_map(|i| Some((&pages.get(*i)?.lines[..], &self.seen.get(*i)?[..])));
        let places = places(all);
        let never = |s: &Seen| {
            places
                .get(&s.place)
                .is_some_and(|(n, sum)| *n >= 2 && *sum < NEVER * *n as f64)
        };
        let tree = container.tree();
        let boxed = |s: &Seen| {
            let block = s.block.and_then(|id| ElementRef::wrap(tree.get(id)?));
            let Some(block) = block else { return false };
            let mut above = std::iter::once(block).chain(block.ancestors().filter_map(ElementRef::wrap));
            let mut named = false;
            // The text of a container that parts no lines stands in a block around it.
            let inside = above.any(|e| {
                let here = e.id() == container.id();
                named |= !here && selector_named(e);
                here
            });
            inside && named
        };
        let lines = pages.get(page).into_iter().flat_map(|s| &s.lines);
        let seen = self.seen.get(page).into_iter().flatten();
        lines
            .zip(seen)
            .filter(|(_, s)| never(s) && boxed(s))
            .map(|(l, _)| l.span.0)
            .collect()
    }
}

/// The lines of a page: where each stands, and whether most of it is kept.
fn lines(sketch: &Sketch<'_>, found: &Auto) -> Vec<Seen> {
    let kept = kept(sketch, found);
    let nodes = sketch.page.text.nodes();
    let mut known: BTreeMap<NodeId, u64> = BTreeMap::new();
    let mut at = 0;
    let mut out = Vec::with_capacity(sketch.lines.len());
    for line in &sketch.lines {
        while nodes.get(at).is_some_and(|(s, _)| s.1 <= line.span.0) {
            at += 1;
        }
        let node = nodes.get(at).filter(|(s, _)| s.0 < line.span.1).map(|n| n.1);
        let block = node.and_then(|id| block(sketch, id));
        let place = block.map_or(0, |e| *known.entry(e.id()).or_insert_with(|| place(e)));
        out.push(Seen {
            place,
            block: block.map(|e| e.id()),
            kept: kept.contains(&line.span.0),
        });
    }
    out
}

/// The block that shows a text.
pub(super) fn block<'a>(sketch: &Sketch<'a>, text: NodeId) -> Option<ElementRef<'a>> {
    let node = sketch.page.html.tree.get(text)?;
    let mut above = node.ancestors().filter_map(ElementRef::wrap);
    above.find(|e| !INLINE.contains(&e.value().name()))
}

/// The way to an element.
fn place(element: ElementRef<'_>) -> u64 {
    let above = element.ancestors().filter_map(ElementRef::wrap);
    let mut way = signature(element.value());
    for e in above {
        way.push('<');
        way.push_str(&signature(e.value()));
    }
    hash(&way)
}

/// Starts of the lines of which `@auto` keeps at least half.
pub(super) fn kept(sketch: &Sketch<'_>, found: &Auto) -> BTreeSet<usize> {
    let kept: Vec<Span> = found
        .blocks
        .iter()
        .filter(|b| b.verdict != Verdict::Dropped)
        .map(|b| b.chars)
        .collect();
    let mut at = 0;
    let lines = sketch.lines.iter().filter(|l| {
        while kept.get(at).is_some_and(|k| k.1 <= l.span.0) {
            at += 1;
        }
        let parts = kept[at..].iter().take_while(|k| k.0 < l.span.1);
        let chars: usize = parts
            .map(|k| k.1.min(l.span.1).saturating_sub(k.0.max(l.span.0)))
            .sum();
        chars * 2 >= l.span.1 - l.span.0
    });
    lines.map(|l| l.span.0).collect()
}
