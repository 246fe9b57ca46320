//! What a life has come to on a day: which articles are there, where, and as which version.

use super::{Event, Life, Trouble};
use crate::demo::article::{Article, Charset, Node};
use crate::demo::{generate, seed, text, urls};
use jiff::civil::{Date, DateTime};
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where an article is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::demo) enum Place {
    Here,
    /// At the address of another index.
    Moved(usize),
    Gone,
}

/// One address of an article.
#[derive(Clone, Debug)]
struct State {
    place: Place,
    /// Whose content it has: its own, unless it was moved here.
    original: usize,
    section: usize,
    edits: u32,
    titles: u32,
    pictures: u32,
    /// When it was published, if that was in this life.
    born: Option<Date>,
    changed: Option<Date>,
    /// When its pictures changed last.
    repainted: Option<Date>,
}

/// The portal's state on a day.
#[derive(Debug)]
pub(in crate::demo) struct Today {
    seed: u64,
    /// Articles of the first day: bodies and related lists are made for a portal of so many.
    first: usize,
    states: Vec<State>,
    /// By section: what is there, newest first.
    sections: [Vec<usize>; 4],
    trouble: Vec<Trouble>,
    redesigned: bool,
    recoded: bool,
    /// When something happened last, and when all pages did.
    modified: Option<Date>,
    reframed: Option<Date>,
    /// Requests of a storm.
    asked: AtomicUsize,
}

impl State {
    fn new(index: usize, born: Option<Date>) -> Self {
        Self {
            place: Place::Here,
            original: index,
            section: urls::category(index),
            edits: 0,
            titles: 0,
            pictures: 0,
            born,
            changed: born,
            repainted: None,
        }
    }
}

impl Today {
    pub(super) fn of(life: &Life, day: u32) -> Self {
        let mut today = Self {
            seed: life.seed,
            first: life.articles,
            states: (0..life.articles).map(|index| State::new(index, None)).collect(),
            sections: Default::default(),
            trouble: life.trouble(day),
            redesigned: false,
            recoded: false,
            modified: None,
            reframed: None,
            asked: AtomicUsize::new(0),
        };
        for (at, event) in life.script.iter().take_while(|(at, _)| *at <= day) {
            today.happen(Life::date(*at), *event);
        }
        let mut all: Vec<(DateTime, usize)> = (0..today.states.len())
            .filter(|index| today.place(*index) == Place::Here)
            .map(|index| (today.head(index).1, index))
            .collect();
        all.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        for (_, index) in all {
            let section = today.section(index);
            today.sections[section - 1].push(index);
        }
        today
    }

    fn happen(&mut self, date: Date, event: Event) {
        if let Event::New = event {
            let index = self.states.len();
            self.states.push(State::new(index, Some(date)));
        }
        let next = self.states.len();
        let index = match event {
            Event::Edit(index)
            | Event::Retitle(index)
            | Event::Withdraw(index)
            | Event::Restore(index)
            | Event::Move(index)
            | Event::Recategorise(index, _)
            | Event::Pictures(index) => index,
            Event::New => next - 1,
            Event::Redesign | Event::Recode => {
                self.redesigned |= event == Event::Redesign;
                self.recoded |= event == Event::Recode;
                self.reframed = Some(date);
                self.modified = Some(date);
                return;
            }
            Event::Befalls(..) => return,
        };
        let Some(state) = self.states.get_mut(index) else {
            return;
        };
        let before = state.clone();
        // What is gone can only come back, and what was moved stays so.
        if state.place
            != if matches!(event, Event::Restore(_)) {
                Place::Gone
            } else {
                Place::Here
            }
        {
            return;
        }
        match event {
            Event::Edit(_) => state.edits += 1,
            Event::Retitle(_) => state.titles += 1,
            Event::Withdraw(_) => state.place = Place::Gone,
            Event::Restore(_) => state.place = Place::Here,
            Event::Move(_) => state.place = Place::Moved(next),
            Event::Recategorise(_, section) => state.section = section.clamp(1, 4),
            Event::Pictures(_) => state.pictures += 1,
            Event::New | Event::Redesign | Event::Recode | Event::Befalls(..) => {}
        }
        self.modified = Some(date);
        if let Event::Pictures(_) = event {
            // The page is as it was.
            state.repainted = Some(date);
            return;
        }
        state.changed = Some(date);
        if let Event::Move(_) = event {
            self.states.push(State {
                changed: Some(date),
                ..before
            });
        }
    }

    pub(in crate::demo) fn articles(&self) -> usize {
        self.states.len()
    }

    pub(in crate::demo) fn place(&self, index: usize) -> Place {
        self.states.get(index).map_or(Place::Gone, |s| s.place)
    }

    /// Section of an article, 1 to 4.
    pub(in crate::demo) fn section(&self, index: usize) -> usize {
        self.states[index].section
    }

    /// What a section's list names, newest first.
    pub(in crate::demo) fn listed(&self, cat: usize) -> &[usize] {
        let section = cat.checked_sub(1).and_then(|at| self.sections.get(at));
        section
            .filter(|_| !self.suffers(Trouble::EmptyList(cat)))
            .map_or(&[], Vec::as_slice)
    }

    pub(in crate::demo) fn suffers(&self, trouble: Trouble) -> bool {
        self.trouble.contains(&trouble)
    }

    pub(in crate::demo) fn redesigned(&self) -> bool {
        self.redesigned
    }

    /// Which version of its pictures an article shows.
    pub(in crate::demo) fn pictures(&self, index: usize) -> u32 {
        let original = self.states[index].original;
        // They lie where they lay, wherever the article is now.
        let of = |state: &&State| state.original == original;
        self.states
            .iter()
            .filter(of)
            .map(|s| s.pictures)
            .max()
            .unwrap_or(0)
    }

    /// The version of the picture at `path` and when it came, for pictures that are not as they were.
    pub(in crate::demo) fn picture(&self, path: &str) -> Option<(u32, Date)> {
        let name = path.rsplit('/').next()?;
        let index = name.split('-').next()?.parse::<usize>().ok()?.checked_sub(1)?;
        let of = |state: &&State| state.original == index;
        let changed = self.states.iter().filter(of).filter_map(|s| s.repainted).max()?;
        Some((self.pictures(index), changed))
    }

    /// The day on which an article changed last, as a sitemap says it.
    pub(in crate::demo) fn changed(&self, index: usize) -> Option<Date> {
        self.states[index].changed
    }

    /// The day on which its page did: it names others.
    pub(in crate::demo) fn modified(&self, index: usize) -> Option<Date> {
        let named = generate::related(index, self.states.len())
            .into_iter()
            .chain([index]);
        named.map(|i| self.changed(i)).max().flatten().max(self.reframed)
    }

    /// The day on which anything changed last.
    pub(in crate::demo) fn last(&self) -> Option<Date> {
        self.modified
    }

    /// Is this one of the requests that a storm refuses?
    pub(super) fn refuses(&self) -> bool {
        self.suffers(Trouble::Down)
            || self.suffers(Trouble::Storm) && self.asked.fetch_add(1, Ordering::Relaxed) % 40 < 5
    }

    /// Title, date and teaser, for lists.
    pub(in crate::demo) fn head(&self, index: usize) -> (String, DateTime, Option<String>) {
        let state = &self.states[index];
        let (mut title, mut published, teaser) = if state.original == 0 {
            let seed = seed::article();
            (seed.title, seed.published, seed.teaser)
        } else {
            generate::head(self.seed, state.original)
        };
        if state.titles > 0 {
            title = format!("{title} (sửa lần {})", state.titles);
        }
        if let Some(born) = state.born {
            published = born.at(7, i8::try_from(index % 60).unwrap_or(0), 0, 0);
        }
        (title, published, teaser)
    }

    pub(in crate::demo) fn article(&self, index: usize) -> Article {
        let state = &self.states[index];
        let mut article = if state.original == 0 {
            seed::article()
        } else {
            generate::article(self.seed, state.original, self.first.max(state.original + 1))
        };
        let (title, published, _) = self.head(index);
        (article.title, article.published, article.index) = (title, published, index);
        article.related = generate::related(index, self.states.len())
            .into_iter()
            .filter(|i| self.place(*i) == Place::Here)
            .collect();
        if state.edits > 0 {
            let mut rng = generate::rng(self.seed ^ 0xed17, index + 1000 * state.edits as usize);
            let news = format!("Cập nhật lần {}: {}", state.edits, text::sentences(&mut rng, 1));
            let news = article.charset.writable(&news);
            article.body.insert(1, Node::text(news));
        }
        if self.recoded && article.charset == Charset::Utf8 {
            article.charset = Charset::Windows1258;
        }
        article
    }
}
