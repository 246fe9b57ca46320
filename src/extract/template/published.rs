//! Dates of publication, and the days that are none: that of the visit stands on every page of a portal.

use super::cluster::share;
use super::dates::Dates;
use super::fields::{SHORT, Taught, meta};
use super::model::{Kind, Rule};
use super::selector::{best, first, pool};
use super::sketch::{Sketch, signature};
use crate::lang::spaces;
use crate::mapping::Css;
use ego_tree::NodeId;
use regex::Regex;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Elements above a date that may be the entry it belongs to, and the longest text of one, in characters.
const ENTRY_DEPTH: usize = 4;
const ENTRY: usize = 800;
/// Pages from which on one date on all of them is no accident.
const SOME_DAYS: usize = 8;
/// Names of metadata with the date of publication, the most telling first.
const PUBLISHED: [&str; 8] = [
    "article:published_time",
    "DC.date.issued",
    "DC.date",
    "DC.Date",
    "datePublished",
    "publishdate",
    "pubdate",
    "date",
];

impl<'a> Taught<'_, 'a> {
    /// Dates of publication: what lists print of the page; else a date that is not the same everywhere.
    pub(super) fn published(&self) -> (Vec<Rule>, Option<String>) {
        let dates = Dates::of(self.site);
        let expected: Vec<Option<jiff::civil::Date>> = self
            .pages
            .iter()
            .map(|s| self.said.day.get(&s.page.url).copied())
            .collect();
        let known = expected.iter().flatten().count();
        let day =
            |text: &str| -> Option<jiff::civil::Date> { dates.find(text)?.value.get(..10)?.parse().ok() };
        let judged = |page: usize, text: &str| -> Option<bool> {
            let found = day(text)?;
            match expected[page] {
                Some(day) => Some(found == day),
                None if known > 0 => None,
                None => Some(true),
            }
        };
        let mut rules = Vec::new();
        let visit = self.visit(&dates, known > 0);
        let visible = self.dated(
            &|page, e| (self.pages[page].page.text_of(e), None),
            &judged,
            &dates,
            &visit,
        );
        rules.extend(visible);
        if rules
            .first()
            .is_none_or(|r: &Rule| (r.right as usize) * 2 < self.pages.len())
        {
            for attr in ["datetime", "content", "title"] {
                let hidden = self.dated(
                    &|_, e| (spaces(e.value().attr(attr).unwrap_or_default()), Some(attr)),
                    &judged,
                    &dates,
                    &visit,
                );
                if let Some(rule) = hidden.filter(|h| rules.iter().all(|r| h.right > r.right)) {
                    rules.insert(0, rule);
                    break;
                }
            }
        }
        let meta = PUBLISHED.into_iter().find(|name| {
            let said = self
                .pages
                .iter()
                .enumerate()
                .filter(|(page, s)| meta(s, name).is_some_and(|text| judged(*page, &text) == Some(true)));
            said.count() * 2 > self.pages.len()
        });
        (rules, meta.map(str::to_owned))
    }

    fn dated(
        &self,
        read: &dyn Fn(usize, ElementRef<'a>) -> (String, Option<&'static str>),
        judged: &dyn Fn(usize, &str) -> Option<bool>,
        dates: &Dates,
        visit: &dyn Fn(ElementRef<'_>) -> bool,
    ) -> Option<Rule> {
        let mut some = Vec::new();
        let mut forms: BTreeMap<String, usize> = BTreeMap::new();
        let mut attr = None;
        let mut shown = 0;
        for page in 0..self.pages.len() {
            let news = self.news(page);
            let hits: Vec<ElementRef<'a>> = self.pages[page]
                .elements()
                .filter(|(_, s)| s.1 - s.0 <= SHORT)
                .map(|(e, _)| e)
                .filter(|e| !e.descendants().any(|d| news.contains(&d.id())))
                .filter(|e| !visit(*e))
                .filter(|e| {
                    let (text, _) = read(page, *e);
                    text.chars().count() <= SHORT && judged(page, &text) == Some(true)
                })
                .collect();
            shown += usize::from(!hits.is_empty());
            for hit in hits.iter().rev().take(6) {
                let (text, from) = read(page, *hit);
                attr = from;
                if let Some(pattern) = dates.pattern(&text) {
                    *forms.entry(pattern).or_default() += 1;
                }
                if some.len() < 40 {
                    some.push(*hit);
                }
            }
        }
        let regex = super::dates::widest(&forms)?;
        let pattern = Regex::new(&regex).ok()?;
        let timed: &dyn Fn(&str) -> bool = &|text| dates.find(text).is_some_and(|f| f.value.len() > 10);
        // What is long on one page holds more than a date, and a rule takes the whole of an element out of the text.
        let large = |css: &Css| {
            self.pages.iter().enumerate().any(|(page, s)| {
                first(s, Some(&self.container), css)
                    .is_some_and(|e| read(page, e).0.chars().count() > 2 * SHORT)
            })
        };
        let mut candidates = pool(some);
        candidates.retain(|(css, _)| attr.is_some() || !large(css));
        let choose = |strict: bool| {
            best(
                candidates.clone(),
                &self.pages,
                Some(&self.container),
                &|page, e| {
                    if visit(e) {
                        return Some(false);
                    }
                    let (text, _) = read(page, e);
                    let taken = pattern.find(&text)?;
                    let right = judged(page, taken.as_str())?;
                    Some(right && (!strict || timed(taken.as_str())))
                },
                &|_| false,
            )
        };
        // A time beside the day says more, where as many pages have it.
        let (day, time) = (choose(false)?, choose(true));
        let found = match time {
            Some(time) if time.1.right >= day.1.right => time,
            _ => day,
        };
        let mut rule = self.rule(found, shown, "the day that lists print for the page");
        if self.said.day.is_empty() {
            rule.evidence = "a date that differs from page to page".into();
        }
        rule.attr = attr.map(str::to_owned);
        rule.regex = Some(regex);
        Some(rule)
    }

    /// Tells elements that show the day of the visit: most pages that are no articles show a date in the same place, apart
    /// from what they say of articles. Where `known` is false, for no list prints a date, so do elements that show the same
    /// date on all articles.
    fn visit(&self, dates: &Dates, known: bool) -> impl Fn(ElementRef<'_>) -> bool {
        let mut elsewhere: BTreeMap<String, BTreeSet<usize>> = BTreeMap::new();
        let kinds = [Kind::Home, Kind::List, Kind::Login];
        let others: Vec<usize> = kinds.into_iter().flat_map(|k| self.site.pages_of(k)).collect();
        for at in &others {
            let sketch = &self.site.sketches[*at];
            for (element, span) in sketch.elements().filter(|(_, s)| s.1 - s.0 <= SHORT) {
                if dates.find(sketch.page.text.slice(span)).is_some() && !self.of_entry(sketch, element) {
                    elsewhere.entry(spot(element)).or_default().insert(*at);
                }
            }
        }
        let mut here: BTreeMap<String, (usize, BTreeMap<String, usize>)> = BTreeMap::new();
        let pages = self.pages.len();
        // Few pages may well be of one day.
        for sketch in self.pages.iter().filter(|_| !known && pages >= SOME_DAYS) {
            for (element, span) in sketch.elements().filter(|(_, s)| s.1 - s.0 <= SHORT) {
                if let Some(found) = dates.find(sketch.page.text.slice(span)) {
                    let entry = here.entry(spot(element)).or_default();
                    entry.0 += 1;
                    *entry.1.entry(found.value).or_default() += 1;
                }
            }
        }
        let same = |(count, days): &(usize, BTreeMap<String, usize>)| {
            *count >= pages && days.values().any(|n| share(*n, *count, 0.9))
        };
        let constant = here.into_iter().filter(|(_, seen)| same(seen)).map(|h| h.0);
        let frame = elsewhere
            .into_iter()
            .filter(|(_, seen)| share(seen.len(), others.len(), 0.6));
        let of_visit: BTreeSet<String> = constant.chain(frame.map(|f| f.0)).collect();
        move |element| of_visit.contains(&spot(element))
    }

    /// Whether an element belongs to what a page says of an article: a link to one stands beside it.
    fn of_entry(&self, sketch: &Sketch<'_>, element: ElementRef<'_>) -> bool {
        let around = element.ancestors().filter_map(ElementRef::wrap).take(ENTRY_DEPTH);
        let spans = std::iter::once(element)
            .chain(around)
            .filter_map(|e| sketch.page.text.span(e.id()))
            .take_while(|s| s.1 - s.0 <= ENTRY);
        let Some(span) = spans.last() else {
            return false;
        };
        sketch
            .links
            .iter()
            .any(|l| !l.span.is_empty() && span.holds(l.span) && self.site.is_article(&l.to))
    }

    /// Links to other articles.
    fn news(&self, page: usize) -> BTreeSet<NodeId> {
        let sketch = self.pages[page];
        let links = sketch
            .links
            .iter()
            .filter(|l| l.to != sketch.page.url && self.site.is_article(&l.to));
        links.map(|l| l.node).collect()
    }
}

/// Where an element stands, in words.
fn spot(element: ElementRef<'_>) -> String {
    let above = element.ancestors().filter_map(ElementRef::wrap).take(3);
    let mut parts = vec![signature(element.value())];
    parts.extend(above.map(|e| signature(e.value())));
    parts.join("<")
}
