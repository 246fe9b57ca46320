//! Addresses that no page needs to name: by date and by number. Pure; everything is bounded.

use crate::mapping::model::{CalendarRule, IdsRule};
use crate::mapping::{Mapping, PageUrl};
use jiff::civil::Date;
use regex::Regex;
use std::collections::BTreeMap;

/// Most addresses of one calendar: a century of days.
pub(super) const MAX_DATES: usize = 36_600;
/// Numbers that are asked for between two looks at what came of them.
const SWEEP: usize = 64;
/// Most known numbers that a sweep keeps in memory.
const MAX_KNOWN: usize = 2_000_000;
/// A number that no real address has: finds its place in canonical URLs.
const MARK: &str = "9182736455463728191";

/// The addresses of a calendar up to `today`, each once: by day, month or year, whatever its template tells apart.
pub(super) fn calendar(mapping: &Mapping, rule: &CalendarRule, today: Date) -> Vec<PageUrl> {
    let last = rule.to.unwrap_or(today);
    let names = |marks: &[&str]| marks.iter().any(|m| rule.url.contains(m));
    let step = if names(&["{dd}", "{d}"]) {
        jiff::Span::new().days(1)
    } else if names(&["{mm}", "{m}"]) {
        jiff::Span::new().months(1)
    } else {
        jiff::Span::new().years(1)
    };
    // From the first of its month or year, so that no step skips one.
    let first = if names(&["{dd}", "{d}"]) {
        rule.from
    } else if names(&["{mm}", "{m}"]) {
        rule.from.first_of_month()
    } else {
        rule.from.first_of_year()
    };
    let dates = first.series(step).take_while(|date| *date <= last);
    let mut urls: Vec<PageUrl> = Vec::new();
    for date in dates.take(MAX_DATES) {
        let text = rule
            .url
            .replace("{yyyy}", &format!("{:04}", date.year()))
            .replace("{mm}", &format!("{:02}", date.month()))
            .replace("{dd}", &format!("{:02}", date.day()))
            .replace("{m}", &date.month().to_string())
            .replace("{d}", &date.day().to_string());
        if let Ok(url) = mapping.resolve(&mapping.rules().site.base, &text)
            && urls.last() != Some(&url)
        {
            urls.push(url);
        }
    }
    urls
}

/// What a sweep wants next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// These numbers.
    Ask(Vec<u64>),
    /// Nothing more, and why: `no-gaps`, `max-missing`, `max`.
    Stop(&'static str),
}

/// A walk through the numbers that no page named.
#[derive(Debug)]
pub(super) struct Sweep {
    /// Id of the rule.
    pub(super) rule: String,
    before: String,
    after: String,
    number: Regex,
    from: Option<u64>,
    to: Option<u64>,
    max_missing: u64,
    max: u64,
    /// Known numbers: does one lead to a page?
    known: BTreeMap<u64, bool>,
    /// Numbers that this sweep asked for.
    pub(super) asked: u64,
    /// Was a gap left because nothing came of its first numbers?
    left: bool,
    /// Numbers of the last batch.
    pub(super) pending: Vec<u64>,
    /// Numbers of this sweep that lead to a page.
    pub(super) hits: u64,
    /// Was its end told?
    pub(super) told: bool,
}

impl Sweep {
    /// A sweep by a rule; `None` if its addresses are none of the site's.
    pub(super) fn new(mapping: &Mapping, rule: &IdsRule) -> Option<Self> {
        let text = rule.url.replace("{id}", MARK);
        let url = mapping.resolve(&mapping.rules().site.base, &text).ok()?;
        let (before, after) = url.as_str().split_once(MARK)?;
        let pattern = format!(
            "^{}([0-9]{{1,19}}){}$",
            regex::escape(before),
            regex::escape(after)
        );
        Some(Self {
            rule: rule.id.clone(),
            before: before.to_owned(),
            after: after.to_owned(),
            number: Regex::new(&pattern).ok()?,
            from: rule.from,
            to: rule.to,
            max_missing: rule.max_missing.max(1),
            max: rule.max,
            known: BTreeMap::new(),
            asked: 0,
            left: false,
            pending: Vec::new(),
            hits: 0,
            told: false,
        })
    }

    /// How its canonical addresses begin.
    pub(super) fn prefix(&self) -> &str {
        &self.before
    }

    /// The canonical address of a number.
    pub(super) fn url(&self, number: u64) -> String {
        format!("{}{number}{}", self.before, self.after)
    }

    /// Learns of a canonical URL and whether it leads to a page.
    pub(super) fn learn(&mut self, url: &str, leads: bool) {
        let number = self.number.captures(url).and_then(|c| c[1].parse().ok());
        if let Some(number) = number
            && (self.known.len() < MAX_KNOWN || self.known.contains_key(&number))
        {
            self.known.insert(number, leads);
        }
    }

    /// What it wants, by what is known now.
    pub(super) fn next(&mut self) -> Wanted {
        let first = self.from.or_else(|| self.known.keys().next().copied());
        let last = self.to.or_else(|| self.known.keys().next_back().copied());
        let (Some(first), Some(last)) = (first, last) else {
            return Wanted::Stop("no-gaps");
        };
        let (mut batch, mut missing) = (Vec::new(), 0);
        let mut known = self.known.range(first..=last.max(first)).peekable();
        let mut number = first;
        while number <= last && batch.len() < SWEEP {
            if missing + batch.len() as u64 >= self.max_missing
                && known.peek().is_none_or(|(k, _)| **k > number)
            {
                if !batch.is_empty() {
                    break;
                }
                // Nothing came of so many: on behind this gap.
                self.left = true;
                match known.peek() {
                    Some((next, _)) => number = **next,
                    None => break,
                }
            }
            if let Some((_, leads)) = known.next_if(|(k, _)| **k == number) {
                missing = if *leads { 0 } else { missing + 1 };
            } else if self.asked + batch.len() as u64 >= self.max {
                return if batch.is_empty() {
                    Wanted::Stop("max")
                } else {
                    self.ask(batch)
                };
            } else {
                batch.push(number);
            }
            let Some(next) = number.checked_add(1) else { break };
            number = next;
        }
        if !batch.is_empty() {
            return self.ask(batch);
        }
        Wanted::Stop(if self.left { "max-missing" } else { "no-gaps" })
    }

    fn ask(&mut self, batch: Vec<u64>) -> Wanted {
        self.asked += batch.len() as u64;
        for number in &batch {
            // Until something comes of it.
            self.known.insert(*number, false);
        }
        Wanted::Ask(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::tests::mapping;

    fn calendar_of(text: &str) -> Vec<String> {
        let m = mapping("");
        let rule: CalendarRule = toml::from_str(text).unwrap();
        let today = jiff::civil::date(2026, 2, 3);
        calendar(&m, &rule, today)
            .iter()
            .map(|u| u.path_and_query().to_owned())
            .collect()
    }

    #[test]
    fn calendars_go_by_what_their_template_tells_apart() {
        let days = calendar_of("id='a'\nurl='/tin/{yyyy}/{mm}/{dd}'\nfrom='2024-02-27'\nto='2024-03-01'");
        assert_eq!(
            days,
            [
                "/tin/2024/02/27",
                "/tin/2024/02/28",
                "/tin/2024/02/29",
                "/tin/2024/03/01"
            ]
        );
        let months = calendar_of("id='a'\nurl='/lich?m={m}&y={yyyy}'\nfrom='2025-11-30'");
        assert_eq!(months.len(), 4, "{months:?}");
        assert!(months[3].contains("m=2") && months[3].contains("y=2026"));
        assert_eq!(
            calendar_of("id='a'\nurl='/nam-{yyyy}'\nfrom='2020-06-01'").len(),
            7
        );
        assert!(calendar_of("id='a'\nurl='/nam-{yyyy}'\nfrom='2030-06-01'").is_empty());
        let all = calendar_of("id='a'\nurl='/{yyyy}{mm}{dd}'\nfrom='0001-01-01'\nto='9999-12-31'");
        assert_eq!(all.len(), MAX_DATES);
    }

    fn sweep(rule: &str) -> Sweep {
        Sweep::new(&mapping(""), &toml::from_str(rule).unwrap()).unwrap()
    }

    fn see(sweep: &mut Sweep, number: u64, leads: bool) {
        let url = sweep.url(number);
        sweep.learn(&url, leads);
    }

    /// Walks to the end of a site that has the pages in `there`.
    fn walk(sweep: &mut Sweep, there: &[u64]) -> (Vec<u64>, &'static str) {
        let mut asked = Vec::new();
        loop {
            match sweep.next() {
                Wanted::Stop(reason) => return (asked, reason),
                Wanted::Ask(numbers) => {
                    for number in numbers {
                        see(sweep, number, there.contains(&number));
                        asked.push(number);
                    }
                }
            }
        }
    }

    #[test]
    fn a_sweep_asks_each_gap_once_and_gives_up_on_empty_ones() {
        let mut one = sweep("id='a'\nurl='/View.aspx?ItemID={id}'");
        assert_eq!(one.next(), Wanted::Stop("no-gaps"));
        for number in [10, 11, 14, 16] {
            see(&mut one, number, true);
        }
        assert_eq!(walk(&mut one, &[12]), (vec![12, 13, 15], "no-gaps"));
        let mut wide = sweep("id='a'\nurl='/v?id={id}'\nmax_missing=3");
        see(&mut wide, 1, true);
        see(&mut wide, 1_000_000_000_000, true);
        see(&mut wide, 1_000_000_000_002, true);
        assert_eq!(
            walk(&mut wide, &[3]),
            (vec![2, 3, 4, 5, 6, 1_000_000_000_001], "max-missing")
        );
        let mut capped = sweep("id='a'\nurl='/v?id={id}'\nfrom=1\nto=100\nmax=5");
        assert_eq!(walk(&mut capped, &[]), (vec![1, 2, 3, 4, 5], "max"));
        let mut upward = sweep("id='a'\nurl='/v?id={id}'\nfrom=1\nto=500\nmax_missing=70");
        let (asked, reason) = walk(&mut upward, &(1..=100).collect::<Vec<_>>());
        assert_eq!((asked.len(), reason), (170, "max-missing"));
        assert_eq!(asked, (1..=170).collect::<Vec<_>>());
    }
}
