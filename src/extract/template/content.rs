//! What holds the text of an article: the element that has much of what varies, and little of what repeats or leads away.

use super::cluster::share;
use super::list::excerpt;
use super::model::Rule;
use super::selector::pool;
use super::site::Site;
use super::sketch::{Line, Sketch};
use crate::document::Span;
use crate::lang::fold;
use crate::mapping::Css;
use std::collections::{BTreeMap, BTreeSet};

/// What one line counts at most: one long page must not outvote the others.
const CAP: i64 = 400;

/// Shortest text that is no label, in characters.
const LABEL: usize = 60;

/// Less text than this does not tell where the text is, in characters.
const LITTLE: i64 = 120;

/// Share of the pages whose text a container holds, at least: where it does not, the page is odd, or short in much frame.
const HELD: f64 = 0.7;

/// How near to the best a tighter element must come, in hundredths.
const NEAR: i64 = 90;

/// Lines of one page with what they speak for, as running sums.
pub(super) struct Weights {
    ends: Vec<(usize, usize)>,
    sums: Vec<i64>,
    chars: Vec<usize>,
}

impl Weights {
    /// Sum of the lines inside of a span, and their characters.
    pub(super) fn of(&self, span: Span) -> (i64, usize) {
        let from = self.ends.partition_point(|(start, _)| *start < span.0);
        let to = self.ends.partition_point(|(_, end)| *end <= span.1).max(from);
        (self.sums[to] - self.sums[from], self.chars[to] - self.chars[from])
    }
}

/// Keys of lines that at least half of the pages show.
pub(super) fn repeated(pages: &[&Sketch<'_>]) -> BTreeSet<u64> {
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for sketch in pages {
        let keys: BTreeSet<u64> = sketch.lines.iter().map(|l| l.key).collect();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    counts
        .into_iter()
        .filter(|(_, n)| *n >= 2 && share(*n, pages.len(), 0.5))
        .map(|c| c.0)
        .collect()
}

/// What every line of a page speaks for.
pub(super) fn weights(
    site: &Site<'_>,
    sketch: &Sketch<'_>,
    fixed: &BTreeSet<u64>,
    title: Option<&str>,
    is_text: &dyn Fn(&Line) -> bool,
) -> Weights {
    let dates = super::dates::Dates::of(site);
    let weight = |line: &Line| -> i64 {
        let chars = i64::try_from(line.chars).unwrap_or(CAP).min(CAP);
        let text = sketch.page.text.slice(line.span);
        if fixed.contains(&line.key) || site.lines.contains(&line.key) && line.chars < 200 {
            return -chars;
        }
        if line.linked * 2 > line.chars {
            // Lists of other news can be cut off; the shortest notice must outweigh them.
            return -chars / 4;
        }
        if title.is_some_and(|t| fold(text) == t) {
            return 0;
        }
        if line.chars < LABEL && dates.find(text).is_some() {
            return 0;
        }
        // Nobody keeps it here nor there: a box of its own, which can be cut off as well. Labels are fields as often.
        if is_text(line) || line.chars < LABEL {
            chars
        } else {
            -chars / 4
        }
    };
    let (mut sums, mut chars) = (vec![0], vec![0]);
    for line in &sketch.lines {
        sums.push(sums.last().copied().unwrap_or(0) + weight(line));
        chars.push(chars.last().copied().unwrap_or(0) + line.chars);
    }
    Weights {
        ends: sketch.lines.iter().map(|l| (l.span.0, l.span.1)).collect(),
        sums,
        chars,
    }
}

/// The container, with the pages that it holds the text of.
pub(super) fn container(pages: &[&Sketch<'_>], weights: &[&Weights]) -> Option<Rule> {
    let mut tops: Vec<i64> = Vec::new();
    let mut some = Vec::new();
    for (sketch, weights) in pages.iter().zip(weights) {
        let mut scored: Vec<_> = sketch.elements().map(|(e, span)| (weights.of(span), e)).collect();
        scored.sort_by(|a, b| b.0.0.cmp(&a.0.0).then(a.0.1.cmp(&b.0.1)));
        let top = scored.first().map_or(0, |s| s.0.0);
        tops.push(top);
        if some.len() < 60 {
            some.extend(
                scored
                    .iter()
                    .filter(|s| s.0.0 * 100 >= top * 70 && top > 0)
                    .take(12)
                    .map(|s| s.1),
            );
        }
    }
    let mut ranked: Vec<(i64, usize, u32, Css, u32)> = Vec::new();
    // Where an element stands among its like changes with every page that has one row more.
    let named = pool(some)
        .into_iter()
        .filter(|(css, _)| !css.as_str().contains("of-type"));
    for (css, cost) in named {
        let (mut sum, mut held, mut right) = (0, 0, 0u32);
        for ((sketch, weights), top) in pages.iter().zip(weights).zip(&tops) {
            let Some(hit) = sketch.page.html.select(css.selector()).next() else {
                sum -= 50;
                continue;
            };
            let (worth, chars) = weights.of(sketch.page.text.span(hit.id()).unwrap_or_default());
            sum += worth;
            held += chars;
            // A page that holds nothing but a file says little either way.
            right += u32::from(worth * 3 >= *top || *top < LITTLE);
        }
        if share(right as usize, pages.len(), HELD) {
            ranked.push((sum, held, cost, css, right));
        }
    }
    let most = ranked.iter().map(|r| r.4).max()?;
    ranked.retain(|r| r.4 + most / 20 >= most);
    let best = ranked.iter().map(|r| r.0).max().filter(|b| *b > 0)?;
    let near: Vec<_> = ranked.into_iter().filter(|r| r.0 * 100 >= best * NEAR).collect();
    // The tightest that still holds it all; elements with the same text differ by their names alone.
    let tight = near.iter().map(|r| r.1).min()?;
    let mut equal: Vec<_> = near.into_iter().filter(|r| r.1 <= tight + tight / 100).collect();
    equal.sort_by(|a, b| a.2.cmp(&b.2).then(b.0.cmp(&a.0)));
    let of = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    let others = equal
        .iter()
        .skip(1)
        .take(3)
        .map(|r| r.3.as_str().to_owned())
        .collect();
    let (_, _, _, css, right) = equal.into_iter().next()?;
    let example = pages.iter().find_map(|s| {
        s.page
            .html
            .select(css.selector())
            .next()
            .map(|e| excerpt(&s.page.text_of(e)))
    });
    Some(Rule {
        css: css.as_str().to_owned(),
        right,
        wrong: of - right,
        of,
        example: example.unwrap_or_default(),
        evidence: "holds what differs from page to page, and little of what repeats or leads away".into(),
        others,
        ..Rule::default()
    })
}
