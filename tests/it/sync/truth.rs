//! What a CMS must hold on a day of a portal's life, made from the portal's truth alone, and what it holds.

use sangtrang::demo::{Gold, Life, SITE, Trouble};
use sangtrang::document::{Block, DocumentId};
use std::collections::{BTreeMap, BTreeSet};

/// One article, as the old portal means it or as the CMS shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub title: String,
    /// Letters and digits of the body, in order.
    pub text: String,
    pub section: String,
    /// Hashes of its pictures.
    pub pictures: BTreeSet<String>,
}

/// Letters and digits, in order.
pub fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The text of HTML, without comments and tags.
pub fn text_of(html: &str) -> String {
    letters(
        &scraper::Html::parse_fragment(html)
            .root_element()
            .text()
            .collect::<String>(),
    )
}

/// Its text in the order of HTML, which has the caption of a table behind it.
fn text_of_block(block: &Block) -> String {
    let text = block.text();
    match block {
        Block::Table { table, .. } => match &table.caption {
            Some(caption) => format!("{} {}", text.replacen(&caption.text, "", 1), caption.text),
            None => text,
        },
        _ => text,
    }
}

fn shown(gold: &Gold) -> Shown {
    let truth = &gold.document;
    let mut body: Vec<String> = truth.body.iter().map(text_of_block).collect();
    // A signature is the last line, where no field takes it.
    body.extend(truth.byline.as_ref().map(|b| b.raw.clone()));
    Shown {
        title: letters(truth.title.as_deref().unwrap()),
        text: letters(&body.join(" ")),
        section: truth.section.as_ref().unwrap().label.clone(),
        pictures: truth
            .media
            .iter()
            .filter_map(|m| m.reference.strip_prefix("media:"))
            .map(str::to_owned)
            .collect(),
    }
}

/// The id of an article's document.
pub fn id(index: usize) -> String {
    DocumentId::new(SITE, &format!("news:{}", index + 1)).to_string()
}

/// What the mapping of a life promises.
#[derive(Clone, Copy, Debug)]
pub struct Promise {
    /// Runs that must miss a page before it is taken off.
    pub misses: u32,
    /// Clear days after which it is taken off at last: lists are walked to their end, then it is missed.
    pub gone_after: u32,
    /// Clear days after which a changed picture is there at last.
    pub pictures_after: u32,
    /// The day on which the mapping knows the other template.
    pub mapped: u32,
}

/// A life's truth, day by day.
pub struct Model {
    life: Life,
    promise: Promise,
    days: Vec<BTreeMap<usize, Shown>>,
    /// What an editor made of entries.
    edited: BTreeMap<usize, String>,
}

/// What the CMS holds: by index, whether it is public.
pub type Held = BTreeMap<usize, (bool, Shown)>;

impl Model {
    pub fn new(life: &Life, days: u32, promise: Promise) -> Self {
        let day = |day| life.portal(day).gold().map(|g| (g.index, shown(&g))).collect();
        Self {
            life: life.clone(),
            promise,
            days: (0..days).map(day).collect(),
            edited: BTreeMap::new(),
        }
    }

    /// Articles of all days.
    pub fn all(&self) -> BTreeSet<usize> {
        self.days.iter().flat_map(|day| day.keys().copied()).collect()
    }

    /// An editor left this text.
    pub fn edit(&mut self, index: usize, text: String) {
        self.edited.insert(index, text);
    }

    /// Could a visitor see the whole portal, and the mapping read it?
    pub fn clear(&self, day: u32) -> bool {
        let whole = |t: &Trouble| matches!(t, Trouble::SoftMissing);
        self.life.trouble(day).iter().all(whole) && !self.unmapped(day)
    }

    /// Did every page answer something else than itself?
    pub fn shut(&self, day: u32) -> bool {
        let shut = |t: &Trouble| matches!(t, Trouble::Login | Trouble::Down);
        self.life.trouble(day).iter().any(shut)
    }

    /// Have pages a template that the mapping does not know yet?
    pub fn unmapped(&self, day: u32) -> bool {
        self.life.redesigned(day) && day < self.promise.mapped
    }

    /// The last clear day up to one.
    fn since(&self, day: u32) -> u32 {
        (0..=day).rev().find(|d| self.clear(*d)).unwrap_or(0)
    }

    /// Days back until which something counts, when it may take so many clear days.
    fn back(&self, day: u32, clear_days: u32) -> u32 {
        let mut left = clear_days;
        let mut at = self.since(day);
        while left > 0 && at > 0 {
            at -= 1;
            left -= u32::from(self.clear(at));
        }
        at
    }

    fn at(&self, day: u32, index: usize) -> Option<&Shown> {
        self.days[day as usize].get(&index)
    }

    /// Runs in a row, up to this day's, in which it was not there.
    fn absent(&self, day: u32, index: usize) -> u32 {
        let runs = (0..=day).rev().take_while(|d| self.at(*d, index).is_none());
        u32::try_from(runs.count()).unwrap()
    }

    /// What is wrong with the CMS after a day's sync.
    pub fn judge(&self, day: u32, held: &Held) -> Vec<String> {
        let mut wrong = Vec::new();
        for index in self.all() {
            if let Some(problem) = self.judge_one(day, index, held.get(&index)) {
                wrong.push(format!("day {day}, article {index}: {problem}"));
            }
        }
        for index in held.keys().filter(|i| !self.all().contains(i)) {
            wrong.push(format!("day {day}: the CMS holds {index}, which never was"));
        }
        wrong
    }

    fn judge_one(&self, day: u32, index: usize, held: Option<&(bool, Shown)>) -> Option<String> {
        if let Some(text) = self.edited.get(&index) {
            let kept = held.is_some_and(|(_, shown)| shown.text == *text);
            return (!kept).then(|| "an editor's change was overwritten".to_owned());
        }
        let since = self.since(day);
        let there = |d: u32| self.at(d, index).is_some();
        let public = held.filter(|(public, _)| *public).map(|(_, shown)| shown);
        let Some(public) = public else {
            if (since..=day).all(there) {
                return Some("lost: it is on the portal and not in the CMS".into());
            }
            let was = (0..=day).any(there);
            let missed = self.absent(day, index);
            return (was && (1..self.promise.misses).contains(&missed) && self.was_delivered(day, index))
                .then(|| format!("retired after {missed} misses"));
        };
        let long = self.back(day, self.promise.gone_after);
        if !(long..=day).any(there) {
            return Some("it is gone from the portal for long and still public".into());
        }
        // The last version, if it is gone; else those that a visitor could see since the last clear day.
        let last = (0..=day).rev().find(|d| there(*d))?;
        let from = if there(day) {
            since
        } else {
            self.since(last).min(last)
        };
        let versions: Vec<&Shown> = (from..=last).filter_map(|d| self.at(d, index)).collect();
        let same =
            |a: &Shown| a.title == public.title && a.text == public.text && a.section == public.section;
        if !versions.iter().any(|v| same(v)) {
            let right = versions.last()?;
            return Some(format!(
                "it is not as on the portal: {}",
                difference(right, public)
            ));
        }
        let from = self.back(day, self.promise.pictures_after);
        let seen = |v: &Shown| v.pictures == public.pictures;
        let right = (from.min(last)..=last)
            .filter_map(|d| self.at(d, index))
            .any(seen);
        (!right).then(|| "its pictures are not those of the portal".to_owned())
    }

    /// Was it there on a clear day before it went?
    fn was_delivered(&self, day: u32, index: usize) -> bool {
        let went = day + 1 - self.absent(day, index);
        let before = (0..went).rev().take_while(|d| self.at(*d, index).is_some());
        before.into_iter().any(|d| self.clear(d))
    }

    /// Why something of this article may be held on a day; `None`: nobody knows.
    pub fn explains(&self, day: u32, index: usize, reason: &str) -> Option<&'static str> {
        let gone = (self.since(day)..=day).any(|d| self.at(d, index).is_none());
        match reason {
            "drift" if self.edited.contains_key(&index) => Some("an editor changed it"),
            "not_gone_yet" | "too_many_retirements" | "portal_in_doubt" if gone => {
                Some("it is gone from the portal")
            }
            "gate_failed" | "no_document" | "lossy" if !self.clear(day) => {
                Some("nobody could read the portal")
            }
            "not_gone_yet" | "too_many_retirements" | "portal_in_doubt" if !self.clear(day) => {
                Some("nobody could see the portal")
            }
            _ => None,
        }
    }
}

fn difference(right: &Shown, found: &Shown) -> String {
    let first = |a: &str, b: &str| {
        let at = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).count();
        let part = |s: &str| s.chars().skip(at.saturating_sub(10)).take(60).collect::<String>();
        format!("expected …{}…, found …{}…", part(a), part(b))
    };
    if right.title != found.title {
        format!("title: {}", first(&right.title, &found.title))
    } else if right.text != found.text {
        format!("text: {}", first(&right.text, &found.text))
    } else {
        format!("section: {:?}, found {:?}", right.section, found.section)
    }
}
