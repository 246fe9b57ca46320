//! A whole archive in little memory: which kinds of page it holds, how many and since when, and a sample that shows all of
//! them. Pages are looked at one by one and let go. What is kept does not grow with their number.

use super::cluster::{count, share};
use super::model::CORE;
use super::sketch::{Steps, hash, likeness, shape, steps};
use crate::page::Page;
use std::collections::{BTreeMap, BTreeSet};

/// Kinds of page that are told apart; further ones are counted with the nearest.
const KINDS: usize = 128;

/// Steps of a kind that are counted.
const COUNTED: usize = 2048;

/// Addresses of a kind that are kept for the sample.
const SOME: usize = 64;

/// Share of its steps that a page has in common with the pages of its kind, at least. The sample is clustered once more,
/// with the frame of the site known: here, one kind too many does no harm.
const ALIKE: f64 = 0.6;

/// Pages of a kind that are taken before kinds of one or two pages.
const FIRST: usize = super::FEWEST;

/// Pages made alike, with addresses of one shape.
#[derive(Debug)]
struct Group {
    shape: String,
    counts: BTreeMap<u64, usize>,
    core: Vec<u64>,
    pages: usize,
    first: i64,
    last: i64,
    /// By the hash of the address: a sample that does not depend on the order of the pages.
    some: BTreeSet<(u64, String, i64)>,
}

impl Group {
    fn new(shape: &str, at: i64) -> Self {
        Self {
            shape: shape.to_owned(),
            counts: BTreeMap::new(),
            core: Vec::new(),
            pages: 0,
            first: at,
            last: at,
            some: BTreeSet::new(),
        }
    }

    fn add(&mut self, page: &Page, steps: &Steps, at: i64) {
        self.pages += 1;
        self.first = self.first.min(at);
        self.last = self.last.max(at);
        count(&mut self.counts, steps.set().iter().copied(), COUNTED);
        let most = self.counts.iter().filter(|(_, n)| share(**n, self.pages, 0.5));
        self.core = most.map(|(s, _)| *s).take(CORE).collect();
        self.some
            .insert((hash(page.url.as_str()), page.url.as_str().to_owned(), at));
        if self.some.len() > SOME {
            self.some.pop_last();
        }
    }
}

/// What was seen of an archive.
#[derive(Debug, Default)]
pub struct Survey {
    groups: Vec<Group>,
    pages: usize,
}

/// Pages of one template in a whole archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// How many.
    pub pages: usize,
    /// When the first of them was captured, milliseconds since 1970.
    pub first: i64,
    /// When the last was.
    pub last: i64,
}

impl Extent {
    fn add(&mut self, pages: usize, first: i64, last: i64) {
        self.first = if self.pages == 0 {
            first
        } else {
            self.first.min(first)
        };
        self.last = self.last.max(last);
        self.pages += pages;
    }
}

impl Survey {
    /// Most that [`Self::kept`] can be.
    pub const MOST: usize = KINDS * (COUNTED + CORE + SOME);

    /// Looks at a page that was captured `at` (milliseconds since 1970).
    pub fn add(&mut self, page: &Page, at: i64) {
        self.pages += 1;
        let steps = steps(page);
        let shape = shape(&page.url);
        let near = |same: bool| {
            let groups = self.groups.iter().enumerate();
            groups
                .filter(|(_, g)| !same || g.shape == shape)
                .map(|(at, g)| (likeness(&steps, &g.core), at))
                .reduce(|a, b| if b.0 > a.0 { b } else { a })
        };
        let place = match near(true).filter(|(alike, _)| *alike >= ALIKE) {
            Some((_, place)) => place,
            None if self.groups.len() < KINDS => {
                self.groups.push(Group::new(&shape, at));
                self.groups.len() - 1
            }
            None => near(false).map_or(0, |n| n.1),
        };
        self.groups[place].add(page, &steps, at);
    }

    /// Pages that were looked at.
    #[must_use]
    pub fn pages(&self) -> usize {
        self.pages
    }

    /// Addresses of at most `most` pages that show all kinds, the frequent ones first.
    #[must_use]
    pub fn chosen(&self, most: usize) -> Vec<String> {
        let mut all: Vec<(usize, std::cmp::Reverse<usize>, &str)> = Vec::new();
        for group in &self.groups {
            let late = if group.pages < FIRST { FIRST } else { 0 };
            let some = group.some.iter().enumerate();
            all.extend(some.map(|(n, (_, url, _))| (n + late, std::cmp::Reverse(group.pages), url.as_str())));
        }
        all.sort_unstable();
        all.truncate(most);
        all.into_iter().map(|a| a.2.to_owned()).collect()
    }

    /// How far templates reach: `of` says which template a page of the sample is of. What pages of a kind are in the sample
    /// speaks for the others of that kind; a kind of which none is there is nobody's.
    #[must_use]
    pub fn extents(&self, templates: usize, of: &BTreeMap<String, usize>) -> Vec<Extent> {
        let mut out = vec![Extent::default(); templates];
        for group in &self.groups {
            let mut votes: BTreeMap<usize, Extent> = BTreeMap::new();
            for (_, url, at) in &group.some {
                if let Some(template) = of.get(url) {
                    votes.entry(*template).or_default().add(1, *at, *at);
                }
            }
            let all: usize = votes.values().map(|v| v.pages).sum();
            let most = votes.values().map(|v| v.pages).max();
            for (template, vote) in votes {
                let Some(extent) = out.get_mut(template) else {
                    continue;
                };
                let pages = (group.pages * vote.pages + all / 2) / all;
                // Who has most of a kind has those as well that nobody remembers.
                let (first, last) = if Some(vote.pages) == most && group.pages > group.some.len() {
                    (group.first, group.last)
                } else {
                    (vote.first, vote.last)
                };
                extent.add(pages, first, last);
            }
        }
        out
    }

    /// Hashes and addresses that are kept: what memory is made of. At most [`Self::MOST`], however many pages were looked at.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.groups
            .iter()
            .map(|g| g.counts.len() + g.core.len() + g.some.len())
            .sum()
    }
}
