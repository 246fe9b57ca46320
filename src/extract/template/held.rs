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
            let wanted = text(site, sketch, fixed, titles[at].as_deref());
            let hit = css
                .as_ref()
                .and_then(|c| sketch.page.html.select(c.selector()).next());
            let span = hit
                .and_then(|e| sketch.page.text.span(e.id()))
                .unwrap_or_default();
            learned += f1(sketch, &wanted, span);
            alone += f1(sketch, &wanted, single(sketch));
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

fn f1(sketch: &Sketch<'_>, wanted: &BTreeSet<usize>, span: Span) -> f64 {
    let (mut hit, mut got, mut all) = (0usize, 0usize, 0usize);
    for line in &sketch.lines {
        let taken = line.span.0 >= span.0 && line.span.1 <= span.1;
        let right = wanted.contains(&line.span.0);
        got += usize::from(taken) * line.chars;
        all += usize::from(right) * line.chars;
        hit += usize::from(taken && right) * line.chars;
    }
    if got + all == 0 {
        1.0
    } else {
        2.0 * hit as f64 / (got + all) as f64
    }
}

/// What one page shows by itself: the element with the most text and the least of links and labels.
fn single(sketch: &Sketch<'_>) -> Span {
    let worth = |span: Span| -> i64 {
        sketch
            .lines
            .iter()
            .filter(|l| l.span.0 >= span.0 && l.span.1 <= span.1)
            .map(|l| {
                let chars = i64::try_from(l.chars).unwrap_or(0);
                if l.linked * 2 > l.chars || l.chars < TEXT {
                    -chars
                } else {
                    chars
                }
            })
            .sum()
    };
    let spans: BTreeSet<Span> = sketch.elements().map(|(_, s)| s).collect();
    spans
        .into_iter()
        .max_by_key(|s| (worth(*s), std::cmp::Reverse(s.1 - s.0)))
        .unwrap_or_default()
}
