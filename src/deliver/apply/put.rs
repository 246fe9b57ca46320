//! One object into the target: made once, whatever happens on the way.

use super::edited::{drift, is_half_ours, kept, left_alone, over, packed};
use super::look::Looks;
use super::{Loss, Refused, Run, Stop, items, landed};
use crate::deliver::failure::{Class, Failure};
use crate::deliver::journal::JournalError;
use crate::deliver::links;
use crate::deliver::packed::pack;
use crate::deliver::plan::{Change, Hold, Op};
use crate::deliver::sink::{Item, Links, Payload, Remote, Sink, Stage, Wire};
use crate::ledger::{Delivery, DeliveryState, Done, Intent, Kind, PushOp};

/// How far an attempt got that cannot go on.
pub(super) enum Halt {
    /// The target said no.
    Target(Failure),
    /// The journal.
    Journal(JournalError),
    /// The documents.
    Source(std::io::Error),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Target(failure)
    }
}
impl From<JournalError> for Halt {
    fn from(error: JournalError) -> Self {
        Self::Journal(error)
    }
}
impl From<std::io::Error> for Halt {
    fn from(error: std::io::Error) -> Self {
        Self::Source(error)
    }
}

/// Carries out one change; what becomes of it stands in the run's account.
pub(super) async fn change<S: Sink>(run: &Run<S>, change: &Change) {
    if let Err(halt) = try_change(run, change).await {
        halted(run, &change.key, &change.title, halt);
    }
}

/// Notes why something did not come to its end.
pub(super) fn halted<S: Sink>(run: &Run<S>, key: &str, title: &str, halt: Halt) {
    match halt {
        Halt::Target(failure) => {
            run.note(&failure);
            run.applied().refused.push(Refused {
                key: key.to_owned(),
                title: title.to_owned(),
                error: failure.to_string(),
            });
        }
        Halt::Journal(error) => run.stop(Stop::Broken(error.to_string())),
        Halt::Source(error) => run.stop(Stop::Broken(error.to_string())),
    }
}

/// Makes several documents by one request, all or none; where that fails, by halves, down to one by one.
pub(super) async fn batch<S: Sink>(run: &Run<S>, changes: &[Change]) {
    let mut parts = vec![changes];
    while let Some(part) = parts.pop() {
        if run.is_over() {
            return;
        }
        if let [one] = part {
            change(run, one).await;
            continue;
        }
        match try_batch(run, part).await {
            Ok(true) => {}
            Ok(false) => {
                let (first, second) = part.split_at(part.len() / 2);
                parts.extend([second, first].into_iter().filter(|p| !p.is_empty()));
            }
            Err(halt) => {
                let key = part.first().map(|c| c.key.clone()).unwrap_or_default();
                halted(run, &key, "several documents", halt);
            }
        }
    }
}

async fn try_batch<S: Sink>(run: &Run<S>, changes: &[Change]) -> Result<bool, Halt> {
    let mut ready = Vec::with_capacity(changes.len());
    for change in changes {
        let Some(item) = items::item(run, change)? else {
            return Ok(false);
        };
        let (target, kind, key) = (run.target, item.kind(), item.key.clone());
        let was = run.journal.read(move |l| l.delivery(target, kind, &key)).await?;
        if was.is_some() {
            return Ok(false);
        }
        let links = links(run, &item).await?;
        let wire = run.sink.wire(&item, &links, first_stage(run));
        ready.push((item, links, wire));
    }
    let Some(of) = ready.first().map(|r| r.0.of.clone()) else {
        return Ok(true);
    };
    let intents = ready.iter().map(|r| intent(&r.0, PushOp::Create, None)).collect();
    let lines = run.journal.intents(intents).await?;
    let pairs: Vec<(&Item, &Wire)> = ready.iter().map(|(item, _, wire)| (item, wire)).collect();
    match run.sink.create_many(&of, &pairs).await {
        Ok(remotes) => {
            let mut ends = Vec::with_capacity(remotes.len());
            for ((line, (item, links, wire)), remote) in lines.into_iter().zip(&ready).zip(&remotes) {
                losses(run, item, wire, remote);
                ends.push((line, done(run, item, remote, links, (run.sink.is_atomic(), true))));
            }
            run.applied().created += ends.len() as u64;
            run.journal.ends(ends).await?;
            Ok(true)
        }
        Err(failure) => {
            run.note(&failure);
            let unsure = !matches!(failure.class, Class::Permanent | Class::TooLarge);
            for (line, (item, ..)) in lines.into_iter().zip(&ready) {
                if unsure {
                    run.suspects().entry(item.key.clone()).or_default();
                }
                run.journal.failed(line, &failure.to_string(), false).await?;
            }
            Ok(false)
        }
    }
}

async fn try_change<S: Sink>(run: &Run<S>, change: &Change) -> Result<(), Halt> {
    let Some(item) = items::item(run, change)? else {
        return Ok(());
    };
    let (target, kind, key) = (run.target, item.kind(), item.key.clone());
    let was = run.journal.read(move |l| l.delivery(target, kind, &key)).await?;
    let there = was.as_ref().filter(|w| w.remote.is_some());
    if let Some(there) = there
        && change.over.is_none()
        && there.payload == Some(item.payload)
        && matches!(there.state, DeliveryState::Staged | DeliveryState::Live)
        && !is_lost(run, change, there).await?
    {
        run.applied().already += 1;
        return Ok(());
    }
    let id = there
        .and_then(|w| w.remote.clone())
        .or_else(|| change.remote.clone());
    match id {
        Some(id) if !is_made_again(change) => update(run, &item, &id, there, change).await,
        _ => create(run, &item).await,
    }
}

/// Was it delivered, and then removed from the target?
fn is_made_again(change: &Change) -> bool {
    change.op == Op::Create && change.was.is_some()
}

/// Something that is to be made again has the payload that it had: only the target knows whether it is there.
async fn is_lost<S: Sink>(run: &Run<S>, change: &Change, there: &Delivery) -> Result<bool, Halt> {
    if !is_made_again(change) {
        return Ok(false);
    }
    let id = there.remote.clone().into_iter().collect::<Vec<_>>();
    Ok(run.sink.read(change.kind, &change.of, &id).await?.is_empty())
}

/// Addresses of everything that an item refers to.
pub(super) async fn links<S: Sink>(run: &Run<S>, item: &Item) -> Result<Links, Halt> {
    let keys = links::keys(item);
    let (target, old) = (run.target, links::old(item));
    if keys.is_empty() {
        return Ok(Links::default());
    }
    let known = run
        .journal
        .read(move |ledger| links::known(ledger, target, &keys))
        .await?;
    Ok(Links { known, old })
}

fn intent(item: &Item, op: PushOp, prior: Option<Vec<u8>>) -> Intent {
    Intent {
        kind: item.kind(),
        key: item.key.clone(),
        of: item.of.clone(),
        op,
        payload: Some(item.payload),
        slug: Some(item.slug.clone()),
        prior,
        kept: None,
    }
}

/// The end of a write, from what the target shows now.
pub(super) fn done<S: Sink>(
    run: &Run<S>,
    item: &Item,
    remote: &Remote,
    links: &Links,
    (live, ours): (bool, bool),
) -> Done {
    Done {
        delivery: Delivery {
            kind: item.kind(),
            key: item.key.clone(),
            of: item.of.clone(),
            state: landed(item, live),
            remote: Some(remote.id.clone()),
            url: remote.url.clone(),
            slug: Some(item.slug.clone()),
            payload: Some(item.payload),
            seen: Some(remote.seen()),
            modified: remote.modified.clone(),
            ours,
            run: run.run,
        },
        body: Some(pack(&item.json())),
        refers: links::refers(item, links),
    }
}

async fn create<S: Sink>(run: &Run<S>, item: &Item) -> Result<(), Halt> {
    let links = links(run, item).await?;
    let live = run.sink.is_atomic();
    let wire = run.sink.wire(item, &links, first_stage(run));
    let line = run.journal.intent(intent(item, PushOp::Create, None)).await?;
    // Terms are shared with whoever was there before; what an interrupted run may have left is looked for.
    let mut look = item.kind() == Kind::Term || run.suspects().contains_key(&item.key);
    let mut attempt = 0;
    loop {
        if look && let Some(found) = find(run, item).await? {
            return adopt(run, item, &links, &wire, line, found).await;
        }
        match run.sink.create(item, &wire).await {
            Ok(remote) => {
                losses(run, item, &wire, &remote);
                let done = done(run, item, &remote, &links, (live, true));
                run.journal.done(line, done, "ok").await?;
                run.applied().created += 1;
                return Ok(());
            }
            Err(failure) => {
                run.note(&failure);
                let again = match failure.class {
                    Class::Ambiguous => {
                        run.suspects().entry(item.key.clone()).or_default();
                        true
                    }
                    // Its key is there: a lost answer, or somebody else's.
                    Class::Conflict => true,
                    Class::Transient | Class::RateLimited => true,
                    _ => false,
                };
                attempt += 1;
                if !again || attempt > run.sink.api().retries() || run.applied().stopped.is_some() {
                    return refuse(run, item, line, &wire, failure).await;
                }
                look = !matches!(failure.class, Class::Transient | Class::RateLimited) || look;
            }
        }
    }
}

/// A document that could be there in part is hidden until it is whole.
fn first_stage<S: Sink>(run: &Run<S>) -> Stage {
    if run.sink.is_atomic() {
        Stage::Final
    } else {
        Stage::Draft
    }
}

async fn find<S: Sink>(run: &Run<S>, item: &Item) -> Result<Option<Remote>, Failure> {
    Ok(run.sink.find(item).await?.into_iter().next())
}

/// An object that is there although nobody said so: completed, if it is ours.
async fn adopt<S: Sink>(
    run: &Run<S>,
    item: &Item,
    links: &Links,
    wire: &Wire,
    line: i64,
    found: Remote,
) -> Result<(), Halt> {
    let suspect = run.suspects().contains_key(&item.key);
    if item.kind() == Kind::Term && !suspect {
        // A category that was there before us is used as it is.
        let done = done(run, item, &found, links, (true, false));
        run.journal.done(line, done, "shared").await?;
        return Ok(());
    }
    // It may be there in part: everything is written again.
    match run.sink.update(&found.id, item, wire).await {
        Ok(remote) => {
            losses(run, item, wire, &remote);
            let done = done(run, item, &remote, links, (run.sink.is_atomic(), true));
            run.journal.done(line, done, "adopted").await?;
            run.applied().adopted += 1;
            Ok(())
        }
        Err(failure) => refuse(run, item, line, wire, failure).await,
    }
}

/// Ends a write that came to nothing. What is refused for good goes into quarantine with all that is needed to see why.
async fn refuse<S: Sink>(
    run: &Run<S>,
    item: &Item,
    line: i64,
    wire: &Wire,
    failure: Failure,
) -> Result<(), Halt> {
    let for_good = matches!(failure.class, Class::Permanent | Class::TooLarge);
    if for_good {
        let report = serde_json::json!({
            "key": item.key, "target": run.sink.api().base().as_str(), "error": failure.to_string(), "class": failure.class,
            "status": failure.status, "code": failure.code, "answer": failure.body, "sent": wire.fields, "payload": item.json(),
        });
        run.source.quarantine(
            &item.key,
            &serde_json::to_string_pretty(&report).map_err(std::io::Error::other)?,
        )?;
    }
    // What may have been carried out stays open in the journal: the next run looks it up.
    if for_good || !run.suspects().contains_key(&item.key) {
        run.journal.failed(line, &failure.to_string(), for_good).await?;
    }
    Err(failure.into())
}

async fn update<S: Sink>(
    run: &Run<S>,
    item: &Item,
    id: &str,
    was: Option<&Delivery>,
    change: &Change,
) -> Result<(), Halt> {
    let kind = item.kind();
    let links = links(run, item).await?;
    let mut kept = kept(run, &item.key).await?;
    let mut settled = None;
    let (mut line, mut looks) = (None, Looks::new(run));
    loop {
        let looked = looks.next();
        let there = run.sink.read(kind, &item.of, &[id.to_owned()]).await?;
        let Some(current) = there.into_iter().next() else {
            give_up(run, line, "removed from the CMS").await?;
            if kind == Kind::Document {
                left_alone(run, change, Hold::Removed, Vec::new());
                return Ok(());
            }
            return create(run, item).await;
        };
        let live =
            run.sink.is_atomic() || (current.live && was.is_none_or(|w| w.state != DeliveryState::Retired));
        let stage = if live { Stage::Final } else { Stage::Draft };
        let mut wire = run.sink.wire(item, &links, stage);
        // An entry that changed since our last write is an editor's.
        if let Some(seen) = was.and_then(|w| w.seen)
            && seen != current.seen()
        {
            match over(run, change, item, &wire, &current, &kept).await? {
                Some(fields) => {
                    kept.clone_from(&fields);
                    settled = Some(fields);
                }
                None => {
                    links::without(&mut wire, &kept);
                    if !is_half_ours(run, &item.key, &wire.fields, &current) {
                        give_up(run, line, "changed in the CMS").await?;
                        let fields = drift(run, item, &current).await?;
                        left_alone(run, change, Hold::Drift, fields);
                        return Ok(());
                    }
                }
            }
        }
        links::without(&mut wire, &kept);
        let at = match line {
            Some(line) => line,
            None => {
                let prior = Some(packed(&current));
                let intent = Intent {
                    kept: settled.clone(),
                    ..intent(item, PushOp::Update, prior)
                };
                run.journal.intent(intent).await?
            }
        };
        line = Some(at);
        match looked.write(run.sink.update(id, item, &wire)).await {
            Ok(remote) => {
                losses(run, item, &wire, &remote);
                let ours = was.is_none_or(|w| w.ours);
                let done = done(run, item, &remote, &links, (live, ours));
                run.journal.done(at, done, "ok").await?;
                run.applied().updated += 1;
                return Ok(());
            }
            Err(failure) if failure.class == Class::Stale && looks.are_left() => {
                run.suspects()
                    .entry(item.key.clone())
                    .or_insert_with(|| Some(packed(&current)));
            }
            // The same write again is the same: it need not be looked up, only repeated.
            Err(failure) => return refuse(run, item, at, &wire, failure).await,
        }
    }
}

/// Ends the line of a write that is not carried out.
pub(super) async fn give_up<S: Sink>(run: &Run<S>, line: Option<i64>, why: &str) -> Result<(), JournalError> {
    match line {
        Some(line) => run.journal.failed(line, why, false).await,
        None => Ok(()),
    }
}

/// Notes what the answer to a write shows otherwise than it was sent.
pub(super) fn losses<S: Sink>(run: &Run<S>, item: &Item, wire: &Wire, remote: &Remote) {
    let mut lost = lost(run, item, wire, remote);
    run.applied().losses.append(&mut lost);
}

/// What the answer to a write shows otherwise than it was sent.
pub(super) fn lost<S: Sink>(run: &Run<S>, item: &Item, wire: &Wire, remote: &Remote) -> Vec<Loss> {
    let title = match &item.body {
        Payload::Term(term) => &term.name,
        Payload::Media(asset, _) => &asset.filename,
        Payload::Document(entry) => &entry.title,
    };
    links::different(&*run.sink, wire, remote)
        .into_iter()
        .map(|diff| Loss {
            key: item.key.clone(),
            title: title.clone(),
            remote: remote.id.clone(),
            field: diff.field,
            ours: diff.from,
            theirs: diff.to,
        })
        .collect()
}
