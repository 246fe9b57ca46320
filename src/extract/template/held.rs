//! Whether learning helps: what some pages teach, tried on the others, beside what `@auto` finds on each page by itself.

use super::content::{container, repeated, weights};
use super::site::Site;
use super::sketch::{Line, Sketch, hash};
use super::vote::{self, Votes};
use crate::document::Span;
use crate::lang::fold;
use crate::mapping::Css;
use std::collections::BTreeSet;

/// Longest line of small print, in characters.
const SMALL: usize = 120;

/// Shortest text without a date that is no label, in characters.
const LABEL: usize = 60;

/// What `@auto` gains because it is itself a witness of what is text.
const BIAS: f64 = 0.01;

/// How much of the text of pages that did not teach was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Held {
    /// With what the others taught: mean F1.
    pub learned: f64,
    /// Page by page: mean F1.
    pub alone: f64,
    /// Standard error of their difference, page by page.
    pub doubt: f64,
}

impl Held {
    fn of(pairs: &[(f64, f64)]) -> Self {
        let count = pairs.len() as f64;
        if pairs.is_empty() {
            return Self::default();
        }
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / count;
        let (learned, alone) = (mean(&|p| p.0), mean(&|p| p.1));
        let variance = mean(&|p| (p.0 - p.1 - learned + alone).powi(2));
        Self {
            learned,
            alone,
            doubt: (variance / (count - 1.0).max(1.0)).sqrt(),
        }
    }

    /// Whether reading page by page is better by more than chance would make of it.
    pub(super) fn is_worse(&self) -> bool {
        self.learned + self.doubt + BIAS < self.alone
    }
}

/// F1 over the characters of pages that did not teach: learned from the others, and page by page. There is no truth: what
/// counts as text is what neither repeats in the template nor leads away, and what stands where pages of the template have
/// text. What repeats is counted anew for each group of teachers, so a page does not help to read itself.
pub(super) fn out(
    site: &Site<'_>,
    indexes: &[usize],
    votes: &Votes,
    fixed: &BTreeSet<u64>,
    titles: &[Option<String>],
    fields: &[Css],
    title: Option<&Css>,
) -> Held {
    let pages: Vec<&Sketch<'_>> = indexes.iter().map(|i| &site.sketches[*i]).collect();
    let folds = if pages.len() >= 6 { 2 } else { pages.len() };
    let mut pairs = Vec::new();
    for fold in 0..folds {
        let taught: Vec<usize> = (0..pages.len()).filter(|i| i % folds != fold).collect();
        let teachers: Vec<&Sketch<'_>> = taught.iter().map(|i| pages[*i]).collect();
        let theirs = repeated(&teachers);
        let weighed: Vec<_> = taught
            .iter()
            .map(|i| {
                let is_text = |l: &Line| votes.is_text(*i, l);
                weights(site, pages[*i], &theirs, titles[*i].as_deref(), &is_text)
            })
            .collect();
        let css =
            container(&teachers, &weighed.iter().collect::<Vec<_>>()).and_then(|r| Css::new(&r.css).ok());
        // Fewer teachers than there are may find nothing: that says nothing of what all of them find.
        let Some(css) = css else { continue };
        for at in (0..pages.len()).filter(|i| i % folds == fold) {
            let sketch = pages[at];
            let neutral = neutral(sketch, fields, title);
            let plain =
                |set: BTreeSet<usize>| -> BTreeSet<usize> { set.difference(&neutral).copied().collect() };
            let mut wanted = text(site, sketch, fixed, titles[at].as_deref());
            let lines = sketch.lines.iter();
            let other: BTreeSet<usize> = lines
                .filter(|l| !votes.is_text(at, l))
                .map(|l| l.span.0)
                .collect();
            wanted.retain(|l| !other.contains(l));
            let wanted = plain(wanted);
            // A page that holds nothing but a file says little either way.
            if chars(sketch, &wanted) < LABEL {
                continue;
            }
            let alone = f1(
                sketch,
                &wanted,
                &plain(vote::kept(sketch, site.auto(indexes[at]))),
            );
            let Some(hit) = sketch.page.html.select(css.selector()).next() else {
                // Such a page is odd, and read by itself.
                pairs.push((alone, alone));
                continue;
            };
            let span = sketch.page.text.span(hit.id()).unwrap_or_default();
            let mut found = held(site, sketch, &theirs, titles[at].as_deref(), span);
            // What stands in boxes is dropped by the rules for them.
            let boxes = votes.refused(&pages, &taught, at, hit);
            found.retain(|l| !boxes.contains(l));
            let found = plain(found);
            let learned = f1(sketch, &wanted, &found);
            pairs.push((learned, alone));
        }
    }
    Held::of(&pairs)
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
            && (l.chars >= LABEL || !dates.on(sketch, l))
    };
    sketch.lines.iter().filter(is).map(|l| l.span.0).collect()
}

/// Lines that are fields, or that say the title once more: they are no text, whoever finds them.
fn neutral(sketch: &Sketch<'_>, fields: &[Css], title: Option<&Css>) -> BTreeSet<usize> {
    // A line without a letter, as a cell of a table has it, repeats or does not by chance.
    let bare = sketch.lines.iter().filter(|l| l.key == hash(""));
    let mut out: BTreeSet<usize> = bare.map(|l| l.span.0).collect();
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
    let lines = sketch.lines.iter().filter(|l| span.holds(l.span));
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
    let lines: Vec<&Line> = sketch.lines.iter().filter(|l| span.holds(l.span)).collect();
    let leads = |l: &&&Line| l.linked * 2 > l.chars || fixed.contains(&l.key) || site.lines.contains(&l.key);
    let cut = lines.len() - lines.iter().rev().take_while(leads).count();
    let kept = lines
        .into_iter()
        .take(cut)
        .filter(|l| all.contains(&l.span.0) || l.linked * 2 > l.chars);
    kept.map(|l| l.span.0).collect()
}

/// Characters of the lines of a set.
fn chars(sketch: &Sketch<'_>, set: &BTreeSet<usize>) -> usize {
    let lines = sketch.lines.iter().filter(|l| set.contains(&l.span.0));
    lines.map(|l| l.chars).sum()
}

fn f1(sketch: &Sketch<'_>, wanted: &BTreeSet<usize>, found: &BTreeSet<usize>) -> f64 {
    let both = wanted.intersection(found).copied().collect();
    let (hit, got, all) = (chars(sketch, &both), chars(sketch, found), chars(sketch, wanted));
    if got + all == 0 {
        1.0
    } else {
        2.0 * hit as f64 / (got + all) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn a_difference_that_chance_makes_is_none() {
        let held = Held::of(&[(1.0, 0.9), (0.8, 1.0), (1.0, 1.0), (1.0, 1.0)]);
        assert!(held.learned < held.alone && !held.is_worse(), "{held:?}");
        let held = Held::of(&[(0.9, 1.0), (0.8, 1.0), (0.9, 1.0), (0.85, 1.0)]);
        assert!(held.is_worse(), "{held:?}");
        assert!(!Held::of(&[(1.0, 1.0); 5]).is_worse());
        assert!(!Held::of(&[(0.997, 0.998); 5]).is_worse());
    }
}
