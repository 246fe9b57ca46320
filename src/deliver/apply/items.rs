//! Which changes of a plan are carried out, and their payloads.

use super::{ApplyError, Run};
use crate::deliver::entry::{Mapper, payload_hash};
use crate::deliver::marks::Marks;
use crate::deliver::plan::{Change, Op, SCHEMA};
use crate::deliver::planned::Planned;
use crate::deliver::sink::{Item, Payload, Sink};
use crate::deliver::spool::{Each, Spool};
use crate::document::{CaptureId, Document};
use crate::ledger::{DeliveryState, Kind};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::Arc;
use tokio::task::JoinSet;

/// Rows of the ledger that are looked at in one go.
const ROWS: usize = 500;
/// Payloads that are made again at once, by each thread.
const CHECKED: usize = 16;

/// The changes that are carried out, by what is done with them.
pub(super) struct Chosen {
    pub(super) terms: Spool<Change>,
    pub(super) media: Spool<Change>,
    /// Documents that are made.
    pub(super) new: Spool<Change>,
    /// Documents that are changed.
    pub(super) old: Spool<Change>,
    pub(super) retired: Spool<Change>,
    /// How many documents of each type are made.
    types: BTreeMap<String, u64>,
}

impl Chosen {
    /// How many requests make all new documents, `size` in one.
    pub(super) fn batches(&self, size: usize) -> u64 {
        self.types.values().map(|n| n.div_ceil(size as u64)).sum()
    }
}

/// The changes that the options leave, with what the chosen documents need.
pub(super) fn choose<S: Sink>(run: &Run<S>, planned: &mut Planned) -> Result<Chosen, ApplyError> {
    if planned.plan.schema != SCHEMA {
        return Err(ApplyError::Stale(format!(
            "it has the form `{}`, this program writes `{SCHEMA}`",
            planned.plan.schema,
        )));
    }
    let options = &run.options;
    let all = options.documents.is_all();
    let mut needed = Marks::default();
    if !all {
        for change in planned.changes.each()? {
            let change = change?;
            if change.kind == Kind::Document
                && change.op != Op::Retire
                && wanted(run, &change)
                && let Some(document) = document(run, &change)?
            {
                let terms = run.mapper.terms(&document);
                terms.iter().for_each(|t| _ = needed.insert(&t.key));
                let assets = Mapper::assets(&document);
                assets.iter().for_each(|a| _ = needed.insert(&a.key));
            }
        }
    }
    let folder = planned.changes.folder().to_owned();
    let mut chosen = Chosen {
        terms: Spool::new(&folder),
        media: Spool::new(&folder),
        new: Spool::new(&folder),
        old: Spool::new(&folder),
        retired: Spool::new(&folder),
        types: BTreeMap::new(),
    };
    let (mut left, limit) = (0, options.limit.unwrap_or(u64::MAX));
    let mut taken = 0;
    for change in planned.changes.each()? {
        let change = change?;
        let wanted = all
            || match change.kind {
                Kind::Document => wanted(run, &change),
                _ => needed.contains(&change.key),
            };
        if !wanted || taken == limit {
            run.applied().limited |= wanted;
            left += 1;
            continue;
        }
        taken += 1;
        match (change.kind, change.op) {
            (Kind::Term, _) => &mut chosen.terms,
            (Kind::Media, _) => &mut chosen.media,
            (_, Op::Retire) => &mut chosen.retired,
            (_, Op::Create) => {
                *chosen.types.entry(change.of.clone()).or_default() += 1;
                &mut chosen.new
            }
            (_, Op::Update) => &mut chosen.old,
        }
        .push(&change)?;
    }
    run.applied().left = left;
    Ok(chosen)
}

fn wanted<S: Sink>(run: &Run<S>, change: &Change) -> bool {
    let collection = change.collection.as_deref().unwrap_or_default();
    let source = change.source.as_deref().unwrap_or_default();
    let documents = &run.options.documents;
    documents.has(&change.key, collection, source, Some(&change.slug))
}

/// Refuses a plan that is not of this state of things: before anything is written, every payload is made again. On all
/// processors, because nothing is sent meanwhile.
pub(super) async fn check<S: Sink>(run: &Arc<Run<S>>, chosen: &mut Chosen) -> Result<(), ApplyError> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let lists = [
        &mut chosen.terms,
        &mut chosen.media,
        &mut chosen.new,
        &mut chosen.old,
        &mut chosen.retired,
    ];
    for list in lists {
        let (mut set, mut part) = (JoinSet::new(), Vec::with_capacity(CHECKED));
        let mut changes = list.each()?;
        loop {
            let next = changes.next().transpose()?;
            let last = next.is_none();
            part.extend(next);
            if part.len() == CHECKED || (last && !part.is_empty()) {
                let (run, part) = (run.clone(), std::mem::take(&mut part));
                set.spawn(async move { check_part(&run, part).await });
            }
            while set.len() > if last { 0 } else { threads } {
                match set.join_next().await {
                    Some(Ok(checked)) => checked?,
                    Some(Err(error)) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                    _ => break,
                }
            }
            if last {
                break;
            }
        }
    }
    Ok(())
}

async fn check_part<S: Sink>(run: &Run<S>, part: Vec<Change>) -> Result<(), ApplyError> {
    let stale = |what: String| Err(ApplyError::Stale(what));
    let target = run.target;
    let keys: Vec<(Kind, String)> = part.iter().map(|c| (c.kind, c.key.clone())).collect();
    let rows = run
        .journal
        .read(move |l| {
            keys.iter()
                .map(|(kind, key)| l.delivery(target, *kind, key))
                .collect::<Result<Vec<_>, _>>()
        })
        .await?;
    for (change, was) in part.iter().zip(rows) {
        // What was refused, or never came to its end, is not delivered.
        let there = was.as_ref().filter(|w| w.remote.is_some());
        let now = there.and_then(|w| w.payload).map(|p| p.to_string());
        let retired = was.as_ref().is_some_and(|w| w.state == DeliveryState::Retired);
        // What an earlier run of this very plan has done is as it should be.
        let already = now.is_some() && now == change.payload;
        if now != change.was && !already && !(change.op == Op::Retire && retired) {
            return stale(format!(
                "`{}` ({}) was delivered since with another payload; make a new plan",
                change.key, change.title
            ));
        }
        if change.op == Op::Retire {
            continue;
        }
        match item(run, change)? {
            Some(item) if Some(item.payload.to_string()) == change.payload => {}
            Some(_) => {
                return stale(format!(
                    "`{}` ({}) has another content now than when the plan was made; make a new plan",
                    change.key, change.title
                ));
            }
            None => {
                return stale(format!(
                    "`{}` ({}) is no document any more; make a new plan",
                    change.key, change.title
                ));
            }
        }
    }
    Ok(())
}

fn document<S: Sink>(run: &Run<S>, change: &Change) -> io::Result<Option<Document>> {
    let collection = change.collection.as_deref().unwrap_or_default();
    let id = match change.kind {
        Kind::Document => change.key.strip_prefix("doc:").unwrap_or_default(),
        _ => change.source.as_deref().unwrap_or_default(),
    };
    run.source.document(collection, id)
}

/// What a change writes.
pub(super) fn item<S: Sink>(run: &Run<S>, change: &Change) -> io::Result<Option<Item>> {
    let Some(document) = document(run, change)? else {
        return Ok(None);
    };
    let body = match change.kind {
        Kind::Document => match run.mapper.again(&document, change.slug.clone()) {
            // A payload as it was planned has lost nothing: the plan looked.
            Some(entry) => Payload::Document(Box::new(entry)),
            None => return Ok(None),
        },
        Kind::Term => match run
            .mapper
            .terms(&document)
            .into_iter()
            .find(|t| t.key == change.key)
        {
            Some(term) => Payload::Term(term),
            None => return Ok(None),
        },
        _ => match Mapper::assets(&document)
            .into_iter()
            .find(|a| a.key == change.key)
        {
            Some(asset) => {
                let hash = asset
                    .key
                    .strip_prefix("media:")
                    .and_then(|h| h.parse::<CaptureId>().ok());
                let path = hash.map(|h| run.source.media(h, &asset.mime)).unwrap_or_default();
                Payload::Media(asset, path)
            }
            None => return Ok(None),
        },
    };
    let payload = match &body {
        Payload::Document(entry) => payload_hash(entry),
        Payload::Term(term) => payload_hash(term),
        Payload::Media(asset, _) => payload_hash(asset),
    };
    Ok(Some(Item {
        key: change.key.clone(),
        of: change.of.clone(),
        slug: change.slug.clone(),
        payload,
        body,
    }))
}

/// Changes of one type together, at most `size` at once.
pub(super) struct Batches<I> {
    changes: I,
    size: usize,
    open: BTreeMap<String, Vec<Change>>,
}

impl<I: Iterator<Item = io::Result<Change>>> Batches<I> {
    pub(super) const fn new(changes: I, size: usize) -> Self {
        Self {
            changes,
            size,
            open: BTreeMap::new(),
        }
    }
}

impl<I: Iterator<Item = io::Result<Change>>> Iterator for Batches<I> {
    type Item = io::Result<Vec<Change>>;

    fn next(&mut self) -> Option<Self::Item> {
        for change in self.changes.by_ref() {
            let change = match change {
                Ok(change) => change,
                Err(error) => return Some(Err(error)),
            };
            let batch = self.open.entry(change.of.clone()).or_default();
            batch.push(change);
            if batch.len() == self.size {
                return Some(Ok(std::mem::take(batch)));
            }
        }
        std::iter::from_fn(|| self.open.pop_first())
            .map(|(_, batch)| Ok(batch))
            .find(|b| b.as_ref().is_ok_and(|b| !b.is_empty()))
    }
}

/// Keys of documents that the ledger chooses, some rows at a time.
pub(super) struct Keys<'r, S: Sink> {
    run: &'r Run<S>,
    of: Of<'r>,
    here: VecDeque<String>,
}

/// Which documents.
enum Of<'c> {
    /// Those that were sent with another address of something than it has now; the last one so far.
    Referrers(String),
    /// Those of these that are in the target, whole, and should be public.
    Staged(std::iter::Chain<Each<'c, Change>, Each<'c, Change>>),
}

impl<'r, S: Sink> Keys<'r, S> {
    /// Documents that were sent with another address of something than it has now.
    pub(super) fn referrers(run: &'r Run<S>) -> Self {
        Self {
            run,
            of: Of::Referrers(String::new()),
            here: VecDeque::new(),
        }
    }

    /// Documents that are in the target, whole, and should be public.
    pub(super) fn staged(run: &'r Run<S>, chosen: &'r mut Chosen) -> io::Result<Self> {
        Ok(Self {
            run,
            of: Of::Staged(chosen.new.each()?.chain(chosen.old.each()?)),
            here: VecDeque::new(),
        })
    }

    pub(super) async fn next(&mut self) -> Result<Option<String>, ApplyError> {
        loop {
            if let Some(key) = self.here.pop_front() {
                return Ok(Some(key));
            }
            match self.more().await? {
                Some(keys) => self.here.extend(keys),
                None => return Ok(None),
            }
        }
    }

    /// How many there are.
    pub(super) async fn count(mut self) -> Result<u64, ApplyError> {
        let mut count = 0;
        while let Some(keys) = self.more().await? {
            count += keys.len() as u64;
        }
        Ok(count)
    }

    /// Some more, maybe none; nothing at the end.
    async fn more(&mut self) -> Result<Option<Vec<String>>, ApplyError> {
        let target = self.run.target;
        match &mut self.of {
            Of::Referrers(last) => {
                let after = last.clone();
                let keys = self
                    .run
                    .journal
                    .read(move |l| l.referrers(target, &after, ROWS))
                    .await?;
                if let Some(key) = keys.last() {
                    last.clone_from(key);
                }
                Ok((!keys.is_empty()).then_some(keys))
            }
            Of::Staged(changes) => {
                let keys = changes
                    .by_ref()
                    .take(ROWS)
                    .map(|c| c.map(|c| c.key))
                    .collect::<io::Result<Vec<_>>>()?;
                if keys.is_empty() {
                    return Ok(None);
                }
                let staged = self.run.journal.read(move |l| {
                    let mut staged = Vec::new();
                    for key in keys {
                        let was = l.delivery(target, Kind::Document, &key)?;
                        if was.is_some_and(|w| w.state == DeliveryState::Staged) {
                            staged.push(key);
                        }
                    }
                    Ok(staged)
                });
                Ok(Some(staged.await?))
            }
        }
    }
}

/// Files and documents of which second copies may be there.
pub(super) fn suspects<S: Sink>(run: &Run<S>, chosen: &mut Chosen) -> io::Result<Vec<Change>> {
    let suspects = run.suspects();
    let mut found = Vec::new();
    if suspects.is_empty() {
        return Ok(found);
    }
    for list in [
        &mut chosen.media,
        &mut chosen.new,
        &mut chosen.old,
        &mut chosen.retired,
    ] {
        for change in list.each()? {
            let change = change?;
            if suspects.contains_key(&change.key) {
                found.push(change);
            }
        }
    }
    Ok(found)
}
