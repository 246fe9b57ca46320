//! A portal that lives: a script says what happens on which day, and what the portal is on a day follows from the script alone.
//! No time passes by itself: whoever drives it says which day it is.

mod redesign;
mod script;
mod served;
mod today;

pub use served::{CLOCK, Living, serve_life};

pub(super) use redesign::redress;
pub(super) use served::answer;
pub(super) use today::{Place, Today};

use super::Portal;
use jiff::ToSpan as _;
use jiff::civil::{Date, date};

/// What happens on a day. Articles are named by their index, as in [`super::Gold::index`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Event {
    /// A new article appears, in the section that its index has.
    New,
    /// A paragraph of an article is another one.
    Edit(usize),
    /// An article gets another headline.
    Retitle(usize),
    /// An article is taken down.
    Withdraw(usize),
    /// A withdrawn article is back.
    Restore(usize),
    /// An article gets another address; the old one leads there.
    Move(usize),
    /// An article moves to a section (1 to 4).
    Recategorise(usize, usize),
    /// Other bytes stand under the addresses of an article's pictures.
    Pictures(usize),
    /// All pages get another template.
    Redesign,
    /// Pages that were UTF-8 are windows-1258 from now on, and only `meta` says so.
    Recode,
    /// So many days of trouble, this day included.
    Befalls(Trouble, u32),
}

/// What keeps visitors from the portal as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trouble {
    /// Every page asks for a login, with status 200.
    Login,
    /// A section's list is there, with status 200, and names nothing.
    EmptyList(usize),
    /// The pages behind the first one of a section's list fail.
    HalfDeadPager(usize),
    /// What is not there is a page with status 200 that nobody has seen before.
    SoftMissing,
    /// Of forty requests the first five are refused with 503 and Retry-After.
    Storm,
    /// All are.
    Down,
}

/// A portal's life: how it begins, and what happens on which day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    articles: usize,
    seed: u64,
    /// Day and event, in order.
    script: Vec<(u32, Event)>,
}

/// Day 0 of all lives: the day after the newest article of a portal that rests.
const BIRTH: Date = date(2023, 7, 18);

impl Life {
    /// A life that begins with `articles` articles (at least one) on day 0. Events of one day happen in the order given.
    #[must_use]
    pub fn new(articles: usize, seed: u64, mut script: Vec<(u32, Event)>) -> Self {
        script.sort_by_key(|(day, _)| *day);
        Self {
            articles: articles.max(1),
            seed,
            script,
        }
    }

    /// Day and event, in order.
    #[must_use]
    pub fn script(&self) -> &[(u32, Event)] {
        &self.script
    }

    /// The date of a day.
    #[must_use]
    pub fn date(day: u32) -> Date {
        BIRTH.saturating_add(i64::from(day).days())
    }

    /// What troubles visitors on a day.
    #[must_use]
    pub fn trouble(&self, day: u32) -> Vec<Trouble> {
        let now = |(from, event): &(u32, Event)| match event {
            Event::Befalls(trouble, days) => (*from <= day && day - from < *days).then_some(*trouble),
            _ => None,
        };
        self.script.iter().filter_map(now).collect()
    }

    /// Have its pages the other template on a day?
    #[must_use]
    pub fn redesigned(&self, day: u32) -> bool {
        self.script
            .iter()
            .any(|(at, event)| *at <= day && *event == Event::Redesign)
    }

    /// The portal as it is on a day, as it means itself: [`Portal::gold`] is its truth, whatever visitors are shown.
    #[must_use]
    pub fn portal(&self, day: u32) -> Portal {
        let today = Today::of(self, day);
        Portal {
            articles: today.articles(),
            today: Some(today),
            ..Portal::new(self.articles, self.seed)
        }
    }
}

#[cfg(test)]
mod tests;
