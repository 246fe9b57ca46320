//! The element that a body is read from, and what of it is passed over.

use super::select::{Judged, Verdict};
use super::stream::{Stream, is_block_of, is_of};
use super::words::Part;
use crate::document::Span;
use crate::page::{Page, attr, picture};
use ego_tree::NodeId;
use scraper::ElementRef;
use std::collections::HashSet;

/// Where the body is.
#[derive(Default)]
pub(super) struct Held {
    /// The smallest element that holds everything kept.
    pub(super) container: Option<NodeId>,
    /// The biggest elements inside of it that hold nothing kept.
    pub(super) skip: HashSet<NodeId>,
    /// Pictures and players inside of it that are passed over.
    pub(super) left: Vec<NodeId>,
}

/// Pictures and players of a page that are told of where they are passed over.
const LEFT: usize = 200;
/// Characters of dropped text beside the text (a byline, a date) over which the search for its pictures goes on.
const BESIDE: usize = 200;
/// Names of parts whose pictures are not the text's.
const OTHERS: [Part; 12] = [
    Part::Nav,
    Part::Breadcrumb,
    Part::Related,
    Part::Share,
    Part::Comments,
    Part::Ads,
    Part::Footer,
    Part::Sidebar,
    Part::Cookie,
    Part::Popup,
    Part::Newsletter,
    Part::Pager,
];

/// Finds it. `title` is the block of the visible title.
pub(super) fn of(page: &Page, stream: &Stream<'_>, judged: &[Judged], title: Option<usize>) -> Held {
    let blocks = || stream.blocks.iter().zip(judged);
    let kept: Vec<Span> = blocks()
        .filter(|(_, j)| j.verdict != Verdict::Dropped)
        .map(|(b, _)| b.span)
        .collect();
    let (Some(first), Some(last)) = (kept.first(), kept.last()) else {
        return Held::default();
    };
    let whole = Span(first.0, last.1);
    let span = |at: usize| page.text.span(stream.elements[at].node).unwrap_or_default();
    let holds = |at: usize, what: Span| span(at).holds(what);
    // Elements that hold the same text hold each other: the last one in the order of the page is the innermost. A line may
    // begin in one element and end in another, so that what holds its beginning need not hold all of it.
    let blocky = |at: &usize| is_block_of(&stream.elements[*at]) && holds(*at, whole);
    let Some(inner) = (0..stream.elements.len()).rev().find(blocky) else {
        return Held::default();
    };
    let wanted = Wanted {
        page,
        stream,
        judged,
        title: title.map(|t| stream.blocks[t].span),
        whole,
    };
    let (container, mut skip) = wanted.container(inner);
    let container = of_table(stream, container);
    let mut inside = vec![false; stream.elements.len()];
    // Elements in which nothing is kept, whether that is told or follows from the element round them.
    let mut passed = vec![false; stream.elements.len()];
    let mut left = Vec::new();
    for (at, element) in stream.elements.iter().enumerate() {
        let within = element.parent != at && inside[element.parent];
        inside[at] = at == container || within;
        if !within {
            continue;
        }
        passed[at] = passed[element.parent] || skip.contains(&element.node);
        if !passed[at] && element.chars > 0 && is_block_of(element) {
            let own = span(at);
            let next = kept.partition_point(|k| k.1 <= own.0);
            if kept.get(next).is_none_or(|k| k.0 >= own.1) {
                passed[at] = true;
                skip.insert(element.node);
            }
        }
    }
    for media in &stream.media {
        let over = passed.get(media.parent) == Some(&true);
        let alone = inside.get(media.parent) == Some(&true) && skip.contains(&media.node);
        if (over || alone) && left.len() < LEFT {
            left.push(media.node);
        }
    }
    Held {
        container: Some(stream.elements[container].node),
        skip,
        left,
    }
}

/// The table of a part of a table: rows without it are no rows.
fn of_table(stream: &Stream<'_>, at: usize) -> usize {
    if !matches!(stream.elements[at].name, "tr" | "tbody" | "thead" | "tfoot") {
        return at;
    }
    let mut around = stream.up(at);
    around.find(|e| stream.elements[*e].name == "table").unwrap_or(at)
}

struct Wanted<'s, 'a> {
    page: &'s Page,
    stream: &'s Stream<'a>,
    judged: &'s [Judged],
    title: Option<Span>,
    whole: Span,
}

impl Wanted<'_, '_> {
    /// The smallest element that holds the text and the pictures that stand beside it with no other text than its title, its
    /// byline and its date; and the pictures in it that are not the text's.
    fn container(&self, inner: usize) -> (usize, HashSet<NodeId>) {
        let elements = &self.stream.elements;
        if self.stream.media.is_empty() {
            return (inner, HashSet::new());
        }
        let outer = self.outer(inner);
        if outer == inner {
            return (inner, HashSet::new());
        }
        // From the text up to the outermost element that may be taken.
        let mut up: Vec<usize> = self.stream.up(inner).take_while(|e| *e != outer).collect();
        up.push(outer);
        let mut levels = vec![None; elements.len()];
        up.iter().enumerate().for_each(|(n, e)| levels[*e] = Some(n));
        let mut level = 0;
        let mut others = Vec::new();
        for media in &self.stream.media {
            let at = self.stream.up(media.parent).find_map(|e| levels[e]);
            // What stands with the text itself is its own.
            let Some(at) = at.filter(|n| *n > 0) else { continue };
            if self.is_of_text(media, up[at]) {
                level = level.max(at);
            } else {
                others.push((at, media.node));
            }
        }
        let skip = others.into_iter().filter(|(at, _)| *at <= level).map(|(_, n)| n);
        (up[level], skip.collect())
    }

    /// The outermost element that shows hardly more than the text.
    fn outer(&self, inner: usize) -> usize {
        let mut best = inner;
        for at in self.stream.up(inner) {
            let span = self.page.text.span(self.stream.elements[at].node);
            let span = span.unwrap_or_default();
            let blocks = &self.stream.blocks;
            let from = blocks.partition_point(|b| b.span.1 <= span.0);
            let to = blocks.partition_point(|b| b.span.0 < span.1);
            let mut beside = 0;
            for (block, judged) in blocks[from..to.max(from)].iter().zip(&self.judged[from..]) {
                let inside = self.whole.holds(block.span);
                if inside || Some(block.span) == self.title {
                    continue;
                }
                // A heading above the text that is not taken for the title: no other text begins there.
                let heads = block.heading > 0 && block.span.1 <= self.whole.0;
                let of_text = matches!(
                    judged.rule,
                    "auto:byline" | "auto:date" | "auto:label" | "auto:counter"
                );
                beside += if of_text || heads { block.chars } else { BESIDE + 1 };
                if beside > BESIDE {
                    return best;
                }
            }
            best = at;
        }
        best
    }

    /// Whether a picture or player stands between title and end of the text, or directly behind it, and no name says that
    /// it is of something else.
    fn is_of_text(&self, media: &super::stream::Medium, top: usize) -> bool {
        let from = match self.title.filter(|t| t.0 < self.whole.0) {
            Some(title) => title.1,
            // Without one, the picture above the first line is its own.
            None => {
                let before = self.stream.blocks.partition_point(|b| b.span.1 <= self.whole.0);
                before.checked_sub(1).map_or(0, |b| self.stream.blocks[b].span.1)
            }
        };
        if !(from..=self.whole.1).contains(&media.after) {
            return false;
        }
        let steps = self.stream.up(media.parent).position(|e| e == top).unwrap_or(0);
        let element = &self.stream.elements[media.parent];
        if is_of(
            element,
            steps,
            &OTHERS,
            &["nav", "aside", "footer", "form", "button"],
        ) {
            return false;
        }
        // A picture that leads to another page is a teaser or a button; one that leads to a larger one is content.
        let around = self.stream.up(media.parent).take(steps + 1);
        let mut links = around.filter(|e| self.stream.elements[*e].name == "a");
        links.all(|e| {
            let node = self.page.html.tree.get(self.stream.elements[e].node);
            let href = node
                .and_then(ElementRef::wrap)
                .and_then(|a| attr(a.value(), "href"));
            href.is_none_or(picture::is_named_so)
        })
    }
}
