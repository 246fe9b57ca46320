//! Fields of articles: for each, what a page should give is known from elsewhere (a list, the menu, metadata, a label), and
//! the selector is chosen that gives it.

use super::dates::Dates;
use super::list::{Said, excerpt};
use super::model::{Kind, Rule};
use super::selector::{best, first, pool};
use super::site::Site;
use super::sketch::Sketch;
use crate::lang::{fold, spaces};
use crate::mapping::Css;
use regex::Regex;
use scraper::ElementRef;

/// Longest line that a date or a name stands in, in characters.
pub(super) const SHORT: usize = 120;
/// Pages that lend elements to a pool.
const TEACHERS: usize = 8;
/// What the fields of one template are learned from.
pub(super) struct Taught<'s, 'a> {
    pub site: &'s Site<'a>,
    pub said: &'s Said,
    pub pages: Vec<&'s Sketch<'a>>,
    pub container: Css,
    /// Folded titles.
    pub titles: Vec<Option<String>>,
}

impl<'a> Taught<'_, 'a> {
    pub(super) fn rule(
        &self,
        found: (Css, super::selector::Tally, Vec<String>),
        of: usize,
        evidence: &str,
    ) -> Rule {
        let (css, tally, others) = found;
        let shown = self
            .pages
            .iter()
            .filter_map(|s| first(s, Some(&self.container), &css).map(|e| s.page.text_of(e)))
            .find(|text| !text.trim().is_empty());
        Rule {
            css: css.as_str().to_owned(),
            right: tally.right,
            wrong: tally.wrong,
            of: u32::try_from(of).unwrap_or(u32::MAX),
            example: excerpt(&shown.unwrap_or_default()),
            evidence: evidence.into(),
            others,
            ..Rule::default()
        }
    }

    /// Elements that show exactly a text, apart from links to other pages; the inmost first.
    fn showing(&self, page: usize, wanted: &str, links: bool) -> Vec<ElementRef<'a>> {
        let sketch = self.pages[page];
        let length = wanted.chars().count();
        let near = |n: usize| n <= length + 8 && n + 8 >= length;
        let mut out: Vec<ElementRef<'a>> = sketch
            .elements()
            .filter(|(_, span)| near(span.1 - span.0))
            .map(|(e, _)| e)
            .filter(|e| sketch.folded(*e) == wanted && (links || !in_link(*e)))
            .collect();
        out.reverse();
        out.truncate(6);
        out
    }

    /// The headline: what lists call the page, or what the page itself does; `evidence` says which.
    pub(super) fn title(&self, evidence: &str) -> Option<Rule> {
        let teachers = (0..self.pages.len())
            .filter(|p| self.titles[*p].is_some())
            .take(TEACHERS);
        let some =
            teachers.flat_map(|p| self.showing(p, self.titles[p].as_deref().unwrap_or_default(), false));
        let known = self.titles.iter().flatten().count();
        let found = best(
            pool(some),
            &self.pages,
            Some(&self.container),
            &|page, e| {
                self.titles[page]
                    .as_ref()
                    .map(|t| self.pages[page].folded(e) == *t)
            },
            &|page| self.titles[page].is_some(),
        )?;
        Some(self.rule(found, known, evidence))
    }

    /// The section: what the menu calls the list that names the page.
    pub(super) fn section(&self) -> Option<Rule> {
        let labels = &self.said.labels;
        let right = |page: usize, text: &str| -> bool {
            match self.said.section.get(&self.pages[page].page.url) {
                Some(of) => of.contains(text),
                None => labels.contains_key(text),
            }
        };
        let known: Vec<usize> = (0..self.pages.len())
            .filter(|p| self.said.section.contains_key(&self.pages[*p].page.url))
            .collect();
        let some = known.iter().take(TEACHERS).flat_map(|p| {
            let of = self.said.section.get(&self.pages[*p].page.url);
            of.into_iter()
                .flatten()
                .flat_map(|l| self.showing(*p, l, true))
                .collect::<Vec<_>>()
        });
        let plain = best(
            self.own(pool(some)),
            &self.pages,
            Some(&self.container),
            &|page, e| Some(right(page, &self.pages[page].folded(e))),
            &|_| true,
        );
        let exact = plain.map(|f| {
            self.rule(
                f,
                self.pages.len(),
                "what the menu calls the list that names the page",
            )
        });
        // Inside of the container the rest of the line would stay in the text: then the whole line is taken.
        let inside = exact.as_ref().is_some_and(|r| self.breaks_a_line(r));
        if exact.is_some() && !inside {
            return exact;
        }
        let lines = known.iter().take(TEACHERS).flat_map(|p| self.ending(*p));
        let regex = r"[>»›/|:]\s*([^>»›/|:]+)$";
        let pattern = Regex::new(regex).ok()?;
        let taken = |e: ElementRef<'_>, page: usize| {
            let text = self.pages[page].page.text_of(e);
            pattern
                .captures(&text)
                .and_then(|c| c.get(1))
                .map(|m| fold(m.as_str()))
        };
        let found = best(
            self.own(pool(lines)),
            &self.pages,
            Some(&self.container),
            &|page, e| Some(taken(e, page).is_some_and(|t| right(page, &t))),
            &|_| true,
        );
        let whole = found.map(|f| Rule {
            regex: Some(regex.into()),
            ..self.rule(
                f,
                self.pages.len(),
                "ends with what the menu calls the list that names the page",
            )
        });
        whole.or(exact)
    }

    /// Without selectors that find the name of a section on pages that are of none: those find it in the menu.
    fn own(&self, pool: Vec<(Css, u32)>) -> Vec<(Css, u32)> {
        let site = self.site;
        let elsewhere: Vec<usize> = [Kind::Home, Kind::Login, Kind::Gone]
            .into_iter()
            .flat_map(|k| site.pages_of(k))
            .collect();
        let of_menu = |css: &Css| {
            elsewhere.iter().any(|i| {
                let sketch = &site.sketches[*i];
                let hit = sketch.page.html.select(css.selector()).next();
                hit.is_some_and(|e| {
                    let text = sketch.folded(e);
                    self.said.labels.keys().any(|l| text.ends_with(l.as_str()))
                })
            })
        };
        pool.into_iter().filter(|(css, _)| !of_menu(css)).collect()
    }

    /// Short elements that end with the label of the page's section.
    fn ending(&self, page: usize) -> Vec<ElementRef<'a>> {
        let sketch = self.pages[page];
        let Some(labels) = self.said.section.get(&sketch.page.url) else {
            return Vec::new();
        };
        let fits = |e: &ElementRef<'a>| {
            let text = sketch.folded(*e);
            labels.iter().any(|l| text.ends_with(l.as_str()) && text != *l)
        };
        sketch
            .elements()
            .filter(|(_, s)| s.1 - s.0 <= SHORT)
            .map(|(e, _)| e)
            .filter(fits)
            .take(4)
            .collect()
    }

    /// Whether a rule takes a part of a line of the container.
    fn breaks_a_line(&self, rule: &Rule) -> bool {
        let Ok(css) = Css::new(&rule.css) else {
            return false;
        };
        let broken = self.pages.iter().filter(|s| {
            let Some(root) = s.page.html.select(self.container.selector()).next() else {
                return false;
            };
            let Some(hit) = root.select(css.selector()).next() else {
                return false;
            };
            let span = s.page.text.span(hit.id()).unwrap_or_default();
            s.line_at(span.0)
                .is_some_and(|l| l.span.1 - l.span.0 > span.1 - span.0 + 3)
        });
        broken.count() * 2 > self.pages.len()
    }

    /// Who wrote it, or where it is from: an element whose text begins with a label, or whose name says so.
    pub(super) fn labelled(&self, labels: &[String], names: &[&str], evidence: &str) -> Option<Rule> {
        let says = |text: &str| -> Option<(String, String)> {
            let text = spaces(text);
            let folded = fold(&text);
            let label = labels
                .iter()
                .filter(|l| begins(&folded, l))
                .max_by_key(|l| l.len())?;
            let cut = text.char_indices().nth(label.chars().count()).map(|c| c.0)?;
            let rest = text[cut..].trim_start_matches([':', ' ', '.', '-']).trim();
            (!rest.is_empty() && rest.chars().count() <= 80).then(|| (label.clone(), rest.to_owned()))
        };
        let named = |e: ElementRef<'_>| {
            let value = e.value();
            let mut words: Vec<String> = value.classes().map(str::to_ascii_lowercase).collect();
            words.extend(value.attr("id").map(str::to_ascii_lowercase));
            words.extend(value.attr("rel").filter(|r| *r == "author").map(str::to_owned));
            words.extend(value.attr("itemprop").map(str::to_ascii_lowercase));
            words.iter().any(|w| {
                names
                    .iter()
                    .any(|n| w.ends_with(n) || w.contains(&format!("{n}_")) || w.contains(&format!("{n}-")))
            })
        };
        let mut by_label = Vec::new();
        let mut by_name = Vec::new();
        for sketch in &self.pages {
            let root = sketch.page.html.select(self.container.selector()).next();
            let root = root.and_then(|r| sketch.page.text.span(r.id()));
            let wide = self.wide(sketch);
            for (element, span) in sketch.elements() {
                let text = sketch.page.text.slice(span);
                if span.1 - span.0 > 100
                    || self
                        .site
                        .lines
                        .contains(&super::sketch::hash(&super::sketch::letters(text)))
                {
                    continue;
                }
                // The container holds sentences: there a label is a word.
                let within = root.is_some_and(|s| s.holds(span) && span != s) && !wide;
                if within
                    && !(says(text).is_some_and(|(l, _)| l.contains(' '))
                        && sketch.line_at(span.0).is_some_and(|l| l.span == span))
                {
                    continue;
                }
                if says(text).is_some() && by_label.len() < 30 {
                    by_label.push(element);
                } else if named(element) && by_name.len() < 30 {
                    by_name.push(element);
                }
            }
        }
        let dates = Dates::of(self.site);
        for (some, label) in [(by_label, true), (by_name, false)] {
            let found = best(
                pool(some),
                &self.pages,
                Some(&self.container),
                &|page, e| {
                    let text = self.pages[page].page.text_of(e);
                    let good = text.chars().count() <= 100
                        && (label && says(&text).is_some() || !label && named(e))
                        && dates.find(&text).is_none();
                    Some(good)
                },
                &|_| false,
            );
            let Some(found) = found.filter(|f| f.1.right >= 2 && f.1.wrong == 0) else {
                continue;
            };
            let of = found.1.right as usize;
            let css = found.0.clone();
            let mut rule = self.rule(found, of, evidence);
            let first_label = self.pages.iter().find_map(|s| {
                let text = s.page.text_of(first(s, Some(&self.container), &css)?);
                Some((says(&text)?.0, spaces(&text)))
            });
            if let Some((label, text)) = first_label {
                let raw: String = text.chars().take(label.chars().count()).collect();
                rule.regex = Some(format!(r"^{}\s*:?\s*(.+)$", regex::escape(&raw)));
            }
            return Some(rule);
        }
        None
    }

    /// Whether the container holds the title too, and so the whole frame of the article.
    fn wide(&self, sketch: &Sketch<'_>) -> bool {
        let Some(at) = self.pages.iter().position(|s| std::ptr::eq(*s, sketch)) else {
            return false;
        };
        let Some(title) = &self.titles[at] else {
            return false;
        };
        let Some(root) = sketch.page.html.select(self.container.selector()).next() else {
            return false;
        };
        let span = sketch.page.text.span(root.id()).unwrap_or_default();
        sketch
            .page
            .text
            .lines(span)
            .into_iter()
            .any(|l| fold(sketch.page.text.slice(l)) == *title)
    }
}

fn begins(folded: &str, label: &str) -> bool {
    folded
        .strip_prefix(label)
        .is_some_and(|rest| rest.starts_with([':', ' ']))
}

fn in_link(element: ElementRef<'_>) -> bool {
    element.value().name() == "a"
        || element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|e| e.value().name() == "a")
}

/// The content of a `<meta>`.
pub(super) fn meta(sketch: &Sketch<'_>, name: &str) -> Option<String> {
    let elements = sketch.page.html.tree.nodes().filter_map(ElementRef::wrap);
    let mut hits = elements.filter(|e| {
        let value = e.value();
        let called = |a: &str| value.attr(a).is_some_and(|v| v.eq_ignore_ascii_case(name));
        value.name() == "meta" && (called("name") || called("property") || called("itemprop"))
    });
    hits.next().and_then(|e| e.value().attr("content")).map(spaces)
}
