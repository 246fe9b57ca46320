//! What comes after all objects are there: addresses that became known, publication, copies, retirement.

use super::edited;
use super::look::Looks;
use super::put::{self, Halt};
use super::{Run, items};
use crate::deliver::failure::Class;
use crate::deliver::links;
use crate::deliver::plan::{Change, Hold};
use crate::deliver::sink::{Item, Remote, Sink, Stage};
use crate::ledger::{Delivery, DeliveryState, Done, Intent, Kind, PushOp};
use serde_json::{Map, Value};

/// A document as it was pushed last.
async fn pushed<S: Sink>(run: &Run<S>, key: &str) -> Result<Option<(Delivery, Item)>, Halt> {
    let (target, key) = (run.target, key.to_owned());
    Ok(run.journal.read(move |l| links::pushed(l, target, &key)).await?)
}

fn intent(was: &Delivery, op: PushOp, prior: Option<&Remote>) -> Intent {
    Intent {
        kind: was.kind,
        key: was.key.clone(),
        of: was.of.clone(),
        op,
        payload: was.payload,
        slug: was.slug.clone(),
        prior: prior.map(edited::packed),
        kept: None,
    }
}

/// Sends the body of a document again: something that it refers to has another address now.
pub(super) async fn relink<S: Sink>(run: &Run<S>, key: &str) {
    if let Err(halt) = try_relink(run, key).await {
        put::halted(run, key, key, halt);
    }
}

async fn try_relink<S: Sink>(run: &Run<S>, key: &str) -> Result<(), Halt> {
    let Some((was, item)) = pushed(run, key).await? else {
        return Ok(());
    };
    let (Some(id), true) = (
        was.remote.clone(),
        matches!(was.state, DeliveryState::Staged | DeliveryState::Live),
    ) else {
        return Ok(());
    };
    let known = put::links(run, &item).await?;
    let live = was.state == DeliveryState::Live;
    let mut wire = run
        .sink
        .wire(&item, &known, if live { Stage::Final } else { Stage::Draft });
    links::without(&mut wire, &edited::kept(run, key).await?);
    let fields: Map<_, _> = wire
        .fields
        .iter()
        .filter(|(name, _)| [run.sink.body_field(), "featured_media", "cover"].contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // A public entry may have been touched since; one of this run's drafts is nobody's yet.
    let written = if live {
        write(run, &was, &id, PushOp::Update, &fields).await?
    } else {
        let line = run.journal.intent(intent(&was, PushOp::Update, None)).await?;
        match run.sink.patch(Kind::Document, &was.of, &id, &fields).await {
            Ok(remote) => Written::Done(line, remote),
            Err(failure) => {
                run.journal.failed(line, &failure.to_string(), false).await?;
                return Err(failure.into());
            }
        }
    };
    // An editor's text keeps its old addresses; the plan shows the drift.
    let Written::Done(line, remote) = written else {
        return Ok(());
    };
    put::losses(run, &item, &wire, &remote);
    let done = Done {
        delivery: Delivery {
            seen: Some(remote.seen()),
            modified: remote.modified.clone(),
            run: run.run,
            ..was
        },
        body: None,
        refers: links::refers(&item, &known),
    };
    run.journal.done(line, done, "ok").await?;
    run.applied().relinked += 1;
    Ok(())
}

/// Makes a document public.
pub(super) async fn publish<S: Sink>(run: &Run<S>, key: &str) {
    if let Err(halt) = try_publish(run, key).await {
        put::halted(run, key, key, halt);
    }
}

async fn try_publish<S: Sink>(run: &Run<S>, key: &str) -> Result<(), Halt> {
    let Some((was, item)) = pushed(run, key).await? else {
        return Ok(());
    };
    let Some(id) = was.remote.clone() else {
        return Ok(());
    };
    let line = run.journal.intent(intent(&was, PushOp::Publish, None)).await?;
    let fields = run.sink.state_fields(true);
    let remote = match run.sink.patch(Kind::Document, &was.of, &id, &fields).await {
        Ok(remote) => remote,
        Err(failure) => {
            run.journal.failed(line, &failure.to_string(), false).await?;
            return Err(failure.into());
        }
    };
    let known = put::links(run, &item).await?;
    let mut wire = run.sink.wire(&item, &known, Stage::Final);
    links::without(&mut wire, &edited::kept(run, key).await?);
    // What was lost when it was made was told then.
    let mut losses = put::lost(run, &item, &wire, &remote);
    {
        let mut applied = run.applied();
        losses.retain(|loss| {
            !applied
                .losses
                .iter()
                .any(|told| told.key == loss.key && told.field == loss.field)
        });
        applied.losses.append(&mut losses);
    }
    let done = Done {
        delivery: Delivery {
            state: DeliveryState::Live,
            url: remote.url.clone(),
            seen: Some(remote.seen()),
            modified: remote.modified.clone(),
            run: run.run,
            ..was
        },
        body: None,
        refers: None,
    };
    run.journal.done(line, done, "ok").await?;
    run.applied().published += 1;
    Ok(())
}

/// Removes second copies of an object whose creation was uncertain: a request that counted as lost may have come late.
pub(super) async fn copies<S: Sink>(run: &Run<S>, change: &Change) {
    if let Err(halt) = try_copies(run, change).await {
        put::halted(run, &change.key, &change.title, halt);
    }
}

async fn try_copies<S: Sink>(run: &Run<S>, change: &Change) -> Result<(), Halt> {
    let (target, kind, key) = (run.target, change.kind, change.key.clone());
    let was = run.journal.read(move |l| l.delivery(target, kind, &key)).await?;
    let (Some(was), Some(item)) = (was, items::item(run, change)?) else {
        return Ok(());
    };
    let Some(own) = was.remote.clone() else {
        return Ok(());
    };
    let found = run.sink.find(&item).await?;
    let known = put::links(run, &item).await?;
    let wire = run.sink.wire(&item, &known, Stage::Draft);
    for copy in found.into_iter().filter(|r| r.id != own) {
        // Only what is word for word ours is a copy of ours.
        let same = ["title", run.sink.body_field(), "alt_text"].iter().all(|f| {
            wire.fields.get(*f).is_none_or(|ours| {
                run.sink
                    .same(f, ours, copy.fields.get(*f).unwrap_or(&serde_json::Value::Null))
            })
        });
        let keyed = copy.key.as_deref() == Some(item.key.as_str());
        if !same && !keyed {
            continue;
        }
        let line = run
            .journal
            .intent(Intent {
                op: PushOp::Delete,
                ..intent(&was, PushOp::Delete, Some(&copy))
            })
            .await?;
        match run.sink.delete(kind, &was.of, &copy.id).await {
            Ok(()) => {
                let done = Done {
                    delivery: was.clone(),
                    body: None,
                    refers: None,
                };
                run.journal.done(line, done, "copy removed").await?;
                run.applied().duplicates += 1;
            }
            Err(failure) => {
                run.journal.failed(line, &failure.to_string(), false).await?;
                return Err(failure.into());
            }
        }
    }
    Ok(())
}

/// Takes a document off.
pub(super) async fn retire<S: Sink>(run: &Run<S>, change: &Change) {
    if let Err(halt) = try_retire(run, change).await {
        put::halted(run, &change.key, &change.title, halt);
    }
}

async fn try_retire<S: Sink>(run: &Run<S>, change: &Change) -> Result<(), Halt> {
    let Some((was, _)) = pushed(run, &change.key).await? else {
        return Ok(());
    };
    let Some(id) = was.remote.clone() else {
        return Ok(());
    };
    if was.state == DeliveryState::Retired {
        run.applied().already += 1;
        return Ok(());
    }
    let (line, remote) = match write(run, &was, &id, PushOp::Retire, &run.sink.state_fields(false)).await? {
        Written::Done(line, remote) => (line, remote),
        Written::Missing => return Ok(()),
        Written::Touched => {
            edited::left_alone(run, change, Hold::Drift, Vec::new());
            return Ok(());
        }
    };
    let done = Done {
        delivery: Delivery {
            state: DeliveryState::Retired,
            seen: Some(remote.seen()),
            modified: remote.modified.clone(),
            run: run.run,
            ..was
        },
        body: None,
        refers: None,
    };
    run.journal.done(line, done, "ok").await?;
    run.applied().retired += 1;
    Ok(())
}

/// What came of a write to a public entry.
enum Written {
    /// It is written; the line of the journal is open.
    Done(i64, Remote),
    /// It is not there.
    Missing,
    /// Somebody changed it: nothing was written.
    Touched,
}

/// Writes some fields of an entry if it is as we left it.
async fn write<S: Sink>(
    run: &Run<S>,
    was: &Delivery,
    id: &String,
    op: PushOp,
    fields: &Map<String, Value>,
) -> Result<Written, Halt> {
    let (mut line, mut looks) = (None, Looks::new(run));
    loop {
        let look = looks.next();
        let there = run
            .sink
            .read(Kind::Document, &was.of, std::slice::from_ref(id))
            .await?;
        let Some(current) = there.into_iter().next() else {
            put::give_up(run, line, "removed from the CMS").await?;
            return Ok(Written::Missing);
        };
        if was.seen != Some(current.seen()) && !edited::is_half_ours(run, &was.key, fields, &current) {
            put::give_up(run, line, "changed in the CMS").await?;
            return Ok(Written::Touched);
        }
        let at = match line {
            Some(line) => line,
            None => run.journal.intent(intent(was, op, Some(&current))).await?,
        };
        line = Some(at);
        match look
            .write(run.sink.patch(Kind::Document, &was.of, id, fields))
            .await
        {
            Ok(remote) => return Ok(Written::Done(at, remote)),
            Err(failure) if failure.class == Class::Stale && looks.are_left() => {
                run.suspects()
                    .entry(was.key.clone())
                    .or_insert_with(|| Some(edited::packed(&current)));
            }
            Err(failure) => {
                run.journal.failed(at, &failure.to_string(), false).await?;
                return Err(failure.into());
            }
        }
    }
}
