//! Each change told once, and those that nobody wants to hear of not at all.

use super::{BlockChange, Change, Class, Difference, Ignore};
use crate::document::{Block, Document};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

impl Difference {
    /// The kinds of change that it holds.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<Class> {
        let of = |all: &[Change]| all.iter().map(|c| c.class).collect::<Vec<_>>();
        let mut out: BTreeSet<Class> = [
            &self.fields,
            &self.media,
            &self.links,
            &self.accounting,
            &self.gates,
        ]
        .into_iter()
        .flat_map(|all| of(all))
        .collect();
        out.extend(self.body.iter().flat_map(BlockChange::classes));
        if !self.origins.is_empty() {
            out.insert(Class::Origin);
        }
        if !self.drops.is_empty() {
            out.insert(Class::Dropped);
        }
        out
    }

    /// Without links and media that only follow from a change of the body which is told already: a paragraph that is gone takes
    /// its links with it.
    #[must_use]
    pub fn once(mut self, old: &Document, new: &Document) -> Self {
        if self.body.is_empty() {
            return self;
        }
        let mut told = Mentioned::default();
        let mut rearranged = false;
        for change in &self.body {
            let (was, is) = match change {
                BlockChange::Added { new, .. } => (None, Some(*new)),
                BlockChange::Removed { old, .. } => (Some(*old), None),
                BlockChange::Moved { old, new, .. } | BlockChange::Changed { old, new, .. } => {
                    (Some(*old), Some(*new))
                }
            };
            rearranged |= match change {
                BlockChange::Changed { parts, .. } => parts.iter().any(|p| p.class == Class::Media),
                _ => true,
            };
            let blocks = [
                was.and_then(|n| old.body.get(n)),
                is.and_then(|n| new.body.get(n)),
            ];
            blocks.into_iter().flatten().for_each(|b| told.block(b));
        }
        let follows = |c: &Change| match c.class {
            Class::LinkOrder | Class::MediaOrder => rearranged,
            Class::Link => told.texts.contains(&spaces(&c.name)) || told.names(c),
            // Blocks name what has no bytes by its address.
            _ => told.targets.contains(&format!("url:{}", c.name)) || told.names(c),
        };
        self.links.retain(|c| !follows(c));
        self.media.retain(|c| !follows(c));
        self
    }

    /// Without what is ignored; how many changes of each class that were is added to `count`.
    #[must_use]
    pub fn without(mut self, ignore: &Ignore, count: &mut BTreeMap<Class, u64>) -> Self {
        let mut left = |change: &Change| {
            let covered = ignore.covers(change);
            if covered {
                *count.entry(change.class).or_default() += 1;
            }
            !covered
        };
        for all in [
            &mut self.fields,
            &mut self.media,
            &mut self.links,
            &mut self.accounting,
            &mut self.gates,
        ] {
            all.retain(&mut left);
        }
        for change in &mut self.body {
            if let BlockChange::Changed { parts, .. } = change {
                parts.retain(&mut left);
            }
        }
        self.body.retain(|change| {
            let whole = match change {
                BlockChange::Changed { parts, .. } => return !parts.is_empty(),
                BlockChange::Added { .. } => Class::BlockAdded,
                BlockChange::Removed { .. } => Class::BlockRemoved,
                BlockChange::Moved { .. } => Class::BlockMoved,
            };
            if ignore.has(whole) {
                *count.entry(whole).or_default() += 1;
            }
            !ignore.has(whole)
        });
        if ignore.has(Class::Origin) && !self.origins.is_empty() {
            *count.entry(Class::Origin).or_default() += self.origins.len() as u64;
            self.origins.clear();
        }
        if ignore.has(Class::Dropped) && !self.drops.is_empty() {
            *count.entry(Class::Dropped).or_default() += self.drops.len() as u64;
            self.drops.clear();
        }
        self
    }
}

fn spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Links and media of blocks that are not as they were.
#[derive(Default)]
struct Mentioned {
    /// Texts of links.
    texts: BTreeSet<String>,
    /// Where links lead, and tokens of media.
    targets: BTreeSet<String>,
}

impl Mentioned {
    fn block(&mut self, block: &Block) {
        // As deep as a block is, which the extractor bounds.
        let mut open = vec![serde_json::to_value(block).unwrap_or_default()];
        while let Some(value) = open.pop() {
            match value {
                Value::Array(items) => open.extend(items),
                Value::Object(object) => {
                    let text = object.get("text").and_then(Value::as_str).unwrap_or_default();
                    for mark in object
                        .get("marks")
                        .and_then(Value::as_array)
                        .into_iter()
                        .flatten()
                    {
                        let at = |n: usize| usize::try_from(mark["chars"][n].as_u64()?).ok();
                        let (Some(target), Some(from), Some(to)) = (mark["target"].as_str(), at(0), at(1))
                        else {
                            continue;
                        };
                        let words: String = text.chars().skip(from).take(to.saturating_sub(from)).collect();
                        self.texts.insert(spaces(&words));
                        self.targets.insert(target.to_owned());
                    }
                    for token in ["media", "other", "url"] {
                        if let Some(token) = object.get(token).and_then(Value::as_str) {
                            self.targets.insert(token.to_owned());
                            if !text.is_empty() {
                                self.texts.insert(spaces(text));
                            }
                        }
                    }
                    open.extend(object.into_iter().map(|(_, v)| v));
                }
                _ => {}
            }
        }
    }

    /// Does a side of the change begin with something that these blocks name?
    fn names(&self, change: &Change) -> bool {
        let sides = [&change.old, &change.new];
        let mut firsts = sides
            .into_iter()
            .flatten()
            .flat_map(|side| side.lines())
            .map(|line| line.split([' ', ',']).next().unwrap_or_default());
        firsts.any(|first| self.targets.contains(first))
    }
}
