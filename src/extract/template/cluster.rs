//! Pages of one template: those that are made of the same steps, apart from what every page of the site has.

use super::sketch::{Sketch, Steps};
use std::collections::{BTreeMap, BTreeSet};

/// Share of the kinds of page that have a step of the frame.
const FRAME: f64 = 0.6;
/// How much of the smaller page two pages of one template share, if their addresses look alike, and if not.
const ALIKE: f64 = 0.35;
const UNLIKE: f64 = 0.6;

/// Whether so many of so many is at least a share.
pub(super) fn share(part: usize, whole: usize, at_least: f64) -> bool {
    whole > 0 && part as f64 >= at_least * whole as f64
}

/// Things that most kinds of page have: kinds are told apart by the shape of their address.
pub(super) fn common<T: Ord + Copy>(pages: &[(&str, &BTreeSet<T>)]) -> BTreeSet<T> {
    let mut groups: BTreeMap<&str, (usize, BTreeMap<T, usize>)> = BTreeMap::new();
    for (shape, things) in pages {
        let (count, seen) = groups.entry(shape).or_default();
        *count += 1;
        for thing in *things {
            *seen.entry(*thing).or_default() += 1;
        }
    }
    let mut kinds: BTreeMap<T, usize> = BTreeMap::new();
    let mut all: BTreeMap<T, usize> = BTreeMap::new();
    for (count, seen) in groups.values() {
        for (thing, pages) in seen {
            *kinds.entry(*thing).or_default() += usize::from(share(*pages, *count, 0.5));
            *all.entry(*thing).or_default() += pages;
        }
    }
    let (shapes, total) = (groups.len(), pages.len());
    // With two kinds of page "most" would be both: then every page must have it.
    let few = shapes < 3;
    all.into_iter()
        .filter(|(thing, pages)| {
            let by_kind = !few && share(kinds.get(thing).copied().unwrap_or(0), shapes, FRAME);
            share(*pages, total, 0.8) || by_kind
        })
        .map(|(thing, _)| thing)
        .collect()
}

/// Groups of pages, each with the indexes of its pages; the largest first.
pub(super) fn clusters(sketches: &[Sketch<'_>]) -> Vec<Vec<usize>> {
    let pages: Vec<(&str, &BTreeSet<u64>)> = sketches
        .iter()
        .map(|s| (s.shape.as_str(), s.steps.set()))
        .collect();
    let frame = common(&pages);
    let own: Vec<BTreeSet<u64>> = sketches
        .iter()
        .map(|s| s.steps.set().difference(&frame).copied().collect())
        .collect();
    let mut order: Vec<usize> = (0..sketches.len()).collect();
    order.sort_by(|a, b| {
        sketches[*a]
            .shape
            .cmp(&sketches[*b].shape)
            .then(own[*b].len().cmp(&own[*a].len()))
    });
    let mut groups: Vec<Group> = Vec::new();
    for index in order {
        place(&mut groups, index, sketches, &own);
    }
    // Once more, now that the groups are known.
    let all: Vec<usize> = groups.iter().flat_map(|g| g.pages.clone()).collect();
    let mut again: Vec<Group> = groups
        .iter()
        .map(|g| Group {
            pages: Vec::new(),
            counts: g.counts.clone(),
            size: g.size,
            shapes: g.shapes.clone(),
        })
        .collect();
    for index in all {
        let best = nearest(&groups, index, sketches, &own);
        match best {
            Some(at) => again[at].pages.push(index),
            None => again.push(Group::new(index, &own[index], &sketches[index].shape)),
        }
    }
    let mut out: Vec<Vec<usize>> = again
        .into_iter()
        .flat_map(|g| apart(g.pages, sketches, &own))
        .filter(|p| !p.is_empty())
        .collect();
    for group in &mut out {
        group.sort_unstable();
    }
    out.sort_by_key(|g| (std::cmp::Reverse(g.len()), g[0]));
    out
}

/// Pages of a shape that say what it is made of, at least.
const SURE: usize = 3;

/// Fewer steps of its own than this say nothing of a shape.
const TELLING: usize = 3;

/// Parts a group that only a frame made one: where many pages of a site lack its frame (a calendar, a folder of files), no
/// step of it is everybody's, and lists and articles in the same frame look alike. Shapes of addresses are told apart once
/// more by what most shapes of the group do not have; pages of one shape stay together.
fn apart(group: Vec<usize>, sketches: &[Sketch<'_>], own: &[BTreeSet<u64>]) -> Vec<Vec<usize>> {
    let mut shapes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for index in &group {
        shapes.entry(&sketches[*index].shape).or_default().push(*index);
    }
    let (mut sure, few): (Vec<_>, Vec<_>) = shapes.into_values().partition(|pages| pages.len() >= SURE);
    if sure.len() < 2 {
        return vec![group];
    }
    sure.sort_by_key(|pages| (std::cmp::Reverse(pages.len()), pages[0]));
    let core = |pages: &Vec<usize>| -> BTreeSet<u64> {
        let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
        for step in pages.iter().flat_map(|p| &own[*p]) {
            *counts.entry(*step).or_default() += 1;
        }
        let most = counts.into_iter().filter(|(_, n)| share(*n, pages.len(), 0.5));
        most.map(|(s, _)| s).collect()
    };
    let cores: Vec<BTreeSet<u64>> = sure.iter().map(core).collect();
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for step in cores.iter().flatten() {
        *counts.entry(*step).or_default() += 1;
    }
    let frame: BTreeSet<u64> = counts
        .into_iter()
        .filter(|(_, n)| share(*n, cores.len(), 0.8))
        .map(|(s, _)| s)
        .collect();
    let likeness = |a: &BTreeSet<u64>, b: &BTreeSet<u64>| {
        let (small, large) = (a.len().min(b.len()), a.len().max(b.len()));
        if small < TELLING {
            f64::from(u8::from(large < TELLING))
        } else {
            a.intersection(b).count() as f64 / small as f64
        }
    };
    let mut kinds: Vec<(BTreeSet<u64>, Vec<usize>)> = Vec::new();
    for (pages, core) in sure.into_iter().zip(cores) {
        let core: BTreeSet<u64> = core.difference(&frame).copied().collect();
        match kinds.iter_mut().find(|k| likeness(&k.0, &core) >= UNLIKE) {
            Some(kind) => kind.1.extend(pages),
            None => kinds.push((core, pages)),
        }
    }
    if kinds.len() < 2 {
        return vec![group];
    }
    let mut out: Vec<Vec<usize>> = kinds.iter().map(|k| k.1.clone()).collect();
    for pages in few {
        let mine: BTreeSet<u64> = core(&pages).difference(&frame).copied().collect();
        let best = kinds
            .iter()
            .enumerate()
            .map(|(at, k)| (likeness(&k.0, &mine), at))
            .reduce(|a, b| if b.0 > a.0 { b } else { a });
        match best.filter(|b| b.0 >= UNLIKE) {
            Some((_, at)) => out[at].extend(pages),
            None => out.push(pages),
        }
    }
    out
}

/// Share of the smaller page that two pages of one template have in common, where nothing is known of the frame: if their
/// addresses look alike, and if not. A notice has fewer steps than a report, and hardly one of its own.
const SAME: f64 = 0.65;
const SIMILAR: f64 = 0.75;

/// Groups of some of the pages by all of their steps; the largest first.
pub(super) fn whole(sketches: &[Sketch<'_>], pages: &[usize]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Group> = Vec::new();
    for index in pages {
        let (shape, own) = (&sketches[*index].shape, sketches[*index].steps.set());
        let scored = groups.iter().enumerate().filter_map(|(at, group)| {
            let known = group.shapes.contains(shape);
            let core = group.counts.iter().filter(|(_, n)| share(**n, group.size, 0.5));
            let (mut both, mut size) = (0, 0);
            for (step, _) in core {
                size += 1;
                both += usize::from(own.contains(step));
            }
            let alike = both as f64 / own.len().min(size).max(1) as f64;
            (alike >= if known { SAME } else { SIMILAR }).then_some((alike, at))
        });
        match scored.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))) {
            None => groups.push(Group::new(*index, own, shape)),
            Some((_, at)) => {
                let group = &mut groups[at];
                group.pages.push(*index);
                group.size += 1;
                group.shapes.insert(shape.clone());
                count(&mut group.counts, own.iter().copied(), COUNTED);
            }
        }
    }
    let mut out: Vec<Vec<usize>> = groups.into_iter().map(|g| g.pages).collect();
    out.sort_by_key(|g| (std::cmp::Reverse(g.len()), g[0]));
    out
}

/// Steps of a group that are counted; the rarest give way.
const COUNTED: usize = 4096;

struct Group {
    pages: Vec<usize>,
    counts: BTreeMap<u64, usize>,
    /// Pages that were counted.
    size: usize,
    shapes: BTreeSet<String>,
}

impl Group {
    fn new(index: usize, own: &BTreeSet<u64>, shape: &str) -> Self {
        Self {
            pages: vec![index],
            counts: own.iter().map(|s| (*s, 1)).collect(),
            size: 1,
            shapes: BTreeSet::from([shape.to_owned()]),
        }
    }

    /// Share of the smaller of a page and what most pages of the group have.
    fn likeness(&self, own: &BTreeSet<u64>) -> f64 {
        let core: Vec<u64> = self
            .counts
            .iter()
            .filter(|(_, n)| share(**n, self.size, 0.5))
            .map(|(s, _)| *s)
            .collect();
        let common = core.iter().filter(|s| own.contains(s)).count();
        let least = core.len().min(own.len());
        if least == 0 {
            f64::from(u8::from(core.len() == own.len()))
        } else {
            common as f64 / least as f64
        }
    }
}

/// Adds to counts of which at most `most` are kept: when they are full, the rarest half gives way. What most pages have is
/// never rare for long, so the core of a group is not touched by steps that one page has.
pub(super) fn count(counts: &mut BTreeMap<u64, usize>, steps: impl Iterator<Item = u64>, most: usize) {
    for step in steps {
        *counts.entry(step).or_default() += 1;
    }
    if counts.len() > most {
        let mut order: Vec<(usize, u64)> = counts.iter().map(|(s, n)| (*n, *s)).collect();
        order.sort_unstable_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        order.truncate(most / 2);
        *counts = order.into_iter().map(|(n, s)| (s, n)).collect();
    }
}

/// Steps that at least half of the pages of a template have, as a model keeps them.
pub(super) fn core<'a>(pages: impl Iterator<Item = &'a Steps>) -> Vec<u64> {
    let mut counts = BTreeMap::new();
    let mut size = 0;
    for steps in pages {
        size += 1;
        count(&mut counts, steps.set().iter().copied(), COUNTED);
    }
    let most = counts.into_iter().filter(|(_, n)| share(*n, size, 0.5));
    most.map(|(s, _)| s).take(super::model::CORE).collect()
}

fn nearest(groups: &[Group], index: usize, sketches: &[Sketch<'_>], own: &[BTreeSet<u64>]) -> Option<usize> {
    let shape = &sketches[index].shape;
    groups
        .iter()
        .enumerate()
        .filter_map(|(at, group)| {
            let known = group.shapes.contains(shape);
            let likeness = group.likeness(&own[index]);
            (likeness >= if known { ALIKE } else { UNLIKE })
                .then_some((likeness + f64::from(u8::from(known)), at))
        })
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)))
        .map(|(_, at)| at)
}

fn place(groups: &mut Vec<Group>, index: usize, sketches: &[Sketch<'_>], own: &[BTreeSet<u64>]) {
    let shape = &sketches[index].shape;
    match nearest(groups, index, sketches, own) {
        None => groups.push(Group::new(index, &own[index], shape)),
        Some(at) => {
            let group = &mut groups[at];
            group.pages.push(index);
            group.size += 1;
            group.shapes.insert(shape.clone());
            count(&mut group.counts, own[index].iter().copied(), COUNTED);
        }
    }
}
