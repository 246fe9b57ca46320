//! The paragraph between title and text, where an article has one.

use super::dates::Dates;
use super::fields::Taught;
use super::model::Rule;
use super::selector::{best, first, pool};
use super::sketch::Sketch;
use crate::mapping::Css;

/// Shortest summary, in characters: who wrote an article and when stands on shorter lines.
const LONG: usize = 60;

impl<'a> Taught<'_, 'a> {
    /// A paragraph between title and text that only some pages have: in its place, and nowhere else.
    pub(super) fn summary(&self, title: Option<&Rule>) -> Option<Rule> {
        let title = Css::new(&title?.css).ok()?;
        let dates = Dates::of(self.site);
        let mut some = Vec::new();
        let mut spots: Vec<Option<usize>> = Vec::new();
        for sketch in &self.pages {
            let end = first(sketch, Some(&self.container), &title)
                .and_then(|e| sketch.page.text.span(e.id()))
                .map(|s| s.1);
            let root = sketch.page.html.select(self.container.selector()).next();
            let start = root.and_then(|r| sketch.page.text.span(r.id()));
            let (Some(end), Some(start)) = (end, start) else {
                spots.push(None);
                continue;
            };
            // Up to the first line of the container, behind the title.
            let from = end.min(start.1);
            let lead = sketch
                .lines
                .iter()
                .filter(|l| l.span.0 >= start.0.max(end) && l.span.1 <= start.1)
                // Who wrote it and when may stand above its first sentence.
                .find(|l| l.chars >= LONG && (l.chars > 100 || !dates.on(sketch, l)))
                .map(|l| l.span.0);
            let line = sketch.lines.iter().find(|l| {
                l.span.0 >= from
                    && lead.is_none_or(|a| l.span.0 <= a)
                    && l.chars >= LONG
                    && l.linked * 2 < l.chars
                    && !self.site.lines.contains(&l.key)
                    && (l.chars > 100 || !dates.on(sketch, l))
            });
            spots.push(line.map(|l| l.span.0));
            let Some(line) = line else { continue };
            let inside = sketch
                .elements()
                .filter(|(_, s)| s.0 == line.span.0 && s.1 == line.span.1);
            some.extend(inside.map(|(e, _)| e));
        }
        // In more places than one it would be any paragraph; on every page, the first of the text.
        let shows = |s: &&&Sketch<'a>, css: &Css| {
            let hits = s.page.html.select(css.selector());
            hits.filter(|e| s.page.text.span(e.id()).is_some_and(|s| !s.is_empty()))
                .count()
        };
        let rare: Vec<(Css, u32)> = pool(some.into_iter().take(60))
            .into_iter()
            .filter(|(css, _)| {
                let counts: Vec<usize> = self.pages.iter().map(|s| shows(&s, css)).collect();
                let all = counts.iter().all(|c| *c == 1);
                // Where it stands among its like is chance.
                let last = css.as_str().rsplit([' ', '+']).next().unwrap_or_default();
                let named = !css.as_str().contains("of-type")
                    && (last.contains(['.', '#', '[']) || !self.inside(css));
                named
                    && counts.iter().all(|c| *c <= 1)
                    && !(all && self.inside(css))
                    && !self.strays(css, &spots)
            })
            .collect();
        let found = best(
            rare,
            &self.pages,
            Some(&self.container),
            &|page, e| {
                let sketch = self.pages[page];
                let span = sketch.page.text.span(e.id()).filter(|s| !s.is_empty())?;
                Some(spots[page] == Some(span.0) && sketch.line_at(span.0).is_some_and(|l| l.span == span))
            },
            &|_| false,
        )?;
        let of = found.1.right as usize;
        (found.1.right >= 2 && found.1.wrong == 0)
            .then(|| self.rule(found, of, "a paragraph between title and text, in no other place"))
    }

    /// Whether a selector finds text anywhere but in the place of a summary.
    fn strays(&self, css: &Css, spots: &[Option<usize>]) -> bool {
        self.pages.iter().zip(spots).any(|(s, spot)| {
            let hit = first(s, Some(&self.container), css).and_then(|e| s.page.text.span(e.id()));
            hit.is_some_and(|span| !span.is_empty() && *spot != Some(span.0))
        })
    }

    fn inside(&self, css: &Css) -> bool {
        self.pages.iter().any(|s| {
            let root = s.page.html.select(self.container.selector()).next();
            root.is_some_and(|r| r.select(css.selector()).next().is_some())
        })
    }
}
