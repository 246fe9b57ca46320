//! Whether learning helps: what some pages teach, tried on the others, beside what each page shows by itself.

use super::content::{Weights, container};
use super::site::Site;
use super::sketch::{Line, Sketch};
use crate::document::Span;
use crate::lang::fold;
use crate::mapping::Css;
use std::collections::BTreeSet;

/// Shortest line that counts as text when a page is looked at alone, in characters.
const TEXT: usize = 25;

/// Longest line of small print, in characters.
const SMALL: usize = 120;

/// Shortest text without a date that is no label, in characters.
const LABEL: usize = 60;

/// F1 over the characters of pages that did not teach: learned from the others, and page by page. There is no truth: what
/// counts as text is what neither repeats in the template nor leads away.
pub(super) fn out(
    site: &Site<'_>,
    pages: &[&Sketch<'_>],
    weights: &[Weights],
    fixed: &BTreeSet<u64>,
    titles: &[Option<String>],
    fields: &[Css],
    title: Option<&Css>,
) -> (f64, f64) {
    let folds = if pages.len() >= 6 { 2 } else { pages.len() };
    let (mut learned, mut alone, mut count) = (0.0, 0.0, 0.0);
    for fold in 0..folds {
        let taught: Vec<usize> = (0..pages.len()).filter(|i| i % folds != fold).collect();
        let teachers: Vec<&Sketch<'_>> = taught.iter().map(|i| pages[*i]).collect();
        let theirs: Vec<&Weights> = taught.iter().map(|i| &weights[*i]).collect();
        let css = container(&teachers, &theirs).and_then(|r| Css::new(&r.css).ok());
        for at in (0..pages.len()).filter(|i| i % folds == fold) {
            let sketch = pages[at];
            let neutral = neutral(sketch, fields, title);
            let plain =
                |set: BTreeSet<usize>| -> BTreeSet<usize> { set.difference(&neutral).copied().collect() };
            let wanted = plain(text(site, sketch, fixed, titles[at].as_deref()));
            let hit = css
                .as_ref()
                .and_then(|c| sketch.page.html.select(c.selector()).next());
            let span = hit
                .and_then(|e| sketch.page.text.span(e.id()))
                .unwrap_or_default();
            let found = plain(held(site, sketch, fixed, titles[at].as_deref(), span));
            learned += f1(sketch, &wanted, &found);
            alone += f1(sketch, &wanted, &plain(within(sketch, single(sketch))));
            count += 1.0;
        }
    }
    if count == 0.0 {
        (0.0, 0.0)
    } else {
        (learned / count, alone / count)
    }
}

/// Starts of the lines that are text.
fn text(site: &Site<'_>, sketch: &Sketch<'_>, fixed: &BTreeSet<u64>, title: Option<&str>) -> BTreeSet<usize> {
    let dates = super::dates::Dates::of(site);
    let is = |l: &&Line| {
        let said = sketch.page.text.slice(l.span);
        !fixed.contains(&l.key)
            && !site.lines.contains(&l.key)
            && l.linked * 2 <= l.chars
            && title.is_none_or(|t| fold(said) != t)
            && (l.chars >= LABEL || dates.find(said).is_none())
    };
    sketch.lines.iter().filter(is).map(|l| l.span.0).collect()
}

/// Lines that are fields, or that say the title once more: they are no text, whoever finds them.
fn neutral(sketch: &Sketch<'_>, fields: &[Css], title: Option<&Css>) -> BTreeSet<usize> {
    let mut out = BTreeSet::new();
    for css in fields.iter().chain(title) {
        let span = super::selector::first(sketch, None, css).and_then(|e| sketch.page.text.span(e.id()));
        let span = span.unwrap_or_default();
        out.extend(within(sketch, span));
        // A line of small print: who, when, how often.
        let small = sketch
            .lines
            .iter()
            .filter(|l| l.chars < SMALL && l.span.0 < span.1 && span.0 < l.span.1);
        out.extend(small.map(|l| l.span.0));
    }
    let said = title
        .and_then(|css| super::selector::first(sketch, None, css))
        .map(|e| sketch.folded(e));
    if let Some(said) = said.filter(|s| !s.is_empty()) {
        let again = sketch
            .lines
            .iter()
            .filter(|l| fold(sketch.page.text.slice(l.span)).contains(&said));
        out.extend(again.map(|l| l.span.0));
    }
    out
}

/// Lines inside of a span.
fn within(sketch: &Sketch<'_>, span: Span) -> BTreeSet<usize> {
    let lines = sketch
        .lines
        .iter()
        .filter(|l| l.span.0 >= span.0 && l.span.1 <= span.1);
    lines.map(|l| l.span.0).collect()
}

/// What the rules of a template leave of its container: what repeats is dropped, title and date are fields, and the links
/// at its end are other news.
fn held(
    site: &Site<'_>,
    sketch: &Sketch<'_>,
    fixed: &BTreeSet<u64>,
    title: Option<&str>,
    span: Span,
) -> BTreeSet<usize> {
    let all = text(site, sketch, fixed, title);
    let lines: Vec<&Line> = sketch
        .lines
        .iter()
        .filter(|l| l.span.0 >= span.0 && l.span.1 <= span.1)
        .collect();
    let leads = |l: &&&Line| l.linked * 2 > l.chars || fixed.contains(&l.key) || site.lines.contains(&l.key);
    let cut = lines.len() - lines.iter().rev().take_while(leads).count();
    let kept = lines
        .into_iter()
        .take(cut)
        .filter(|l| all.contains(&l.span.0) || l.linked * 2 > l.chars);
    kept.map(|l| l.span.0).collect()
}

fn f1(sketch: &Sketch<'_>, wanted: &BTreeSet<usize>, found: &BTreeSet<usize>) -> f64 {
    let chars = |set: &BTreeSet<usize>, and: Option<&BTreeSet<usize>>| -> usize {
        let lines = sketch.lines.iter().filter(|l| set.contains(&l.span.0));
        lines
            .filter(|l| and.is_none_or(|a| a.contains(&l.span.0)))
            .map(|l| l.chars)
            .sum()
    };
    let (hit, got, all) = (
        chars(wanted, Some(found)),
        chars(found, None),
        chars(wanted, None),
    );
    if got + all == 0 {
        1.0
    } else {
        2.0 * hit as f64 / (got + all) as f64
    }
}

/// What one page shows by itself: the element with the most text and the least of links and labels.
fn single(sketch: &Sketch<'_>) -> Span {
    let mut sums = vec![0i64];
    for line in &sketch.lines {
        let chars = i64::try_from(line.chars).unwrap_or(0);
        let worth = if line.linked * 2 > line.chars || line.chars < TEXT {
            -chars
        } else {
            chars
        };
        sums.push(sums.last().copied().unwrap_or(0) + worth);
    }
    let worth = |span: Span| -> i64 {
        let from = sketch.lines.partition_point(|l| l.span.0 < span.0);
        let to = sketch.lines.partition_point(|l| l.span.1 <= span.1).max(from);
        sums[to] - sums[from]
    };
    let spans: BTreeSet<Span> = sketch.elements().map(|(_, s)| s).collect();
    spans
        .into_iter()
        .max_by_key(|s| (worth(*s), std::cmp::Reverse(s.1 - s.0)))
        .unwrap_or_default()
}
