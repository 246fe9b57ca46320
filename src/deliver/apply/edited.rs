//! What editors changed in the target since our last write, and what follows from it.

use super::put::Halt;
use super::{LeftAlone, Run};
use crate::deliver::journal::JournalError;
use crate::deliver::links;
use crate::deliver::packed::{pack, unpack};
use crate::deliver::plan::{Change, FieldDiff, Hold};
use crate::deliver::sink::{Item, Remote, Sink, Wire};
use crate::ledger::Kind;
use crate::mapping::model::Drift;
use serde_json::{Map, Value};

/// Fields of an entry that belong to the editors.
pub(super) async fn kept<S: Sink>(run: &Run<S>, key: &str) -> Result<Vec<String>, JournalError> {
    let (target, key) = (run.target, key.to_owned());
    run.journal.read(move |l| l.kept(target, &key)).await
}

/// May an entry be written although an editor changed it? Then which fields are the editors' from now on.
pub(super) async fn over<S: Sink>(
    run: &Run<S>,
    change: &Change,
    item: &Item,
    wire: &Wire,
    current: &Remote,
    kept: &[String],
) -> Result<Option<Vec<String>>, Halt> {
    let Some(over) = &change.over else {
        return Ok(None);
    };
    // What was changed after the plan was looked at by nobody.
    if over.seen != current.seen().to_string() {
        return Ok(None);
    }
    if over.how == Drift::Ours {
        return Ok(Some(Vec::new()));
    }
    let (target, key, sink) = (run.target, item.key.clone(), run.sink.clone());
    let before = run
        .journal
        .read(move |ledger| {
            let Some((was, before)) = links::pushed(ledger, target, &key)? else {
                return Ok(None);
            };
            let links = links::of(ledger, target, &before)?;
            Ok(Some(links::wire(&*sink, &was, &before, &links)))
        })
        .await?;
    let Some(before) = before else {
        return Ok(None);
    };
    let mut theirs = links::edited(&*run.sink, &before, current);
    // A field that the portal changed too has two new values: a person must choose.
    let both = theirs
        .iter()
        .any(|name| !kept.contains(name) && wire.fields.get(name) != before.fields.get(name));
    if both {
        return Ok(None);
    }
    theirs.extend(kept.iter().cloned());
    theirs.sort();
    theirs.dedup();
    Ok(Some(theirs))
}

/// What the target shows, as the journal keeps it.
pub(super) fn packed(current: &Remote) -> Vec<u8> {
    pack(&serde_json::to_value(&current.fields).unwrap_or_default())
}

/// Is what the target shows the work of a write that was interrupted? Then each field is as it was before, or as it was to
/// be.
pub(super) fn is_half_ours<S: Sink>(
    run: &Run<S>,
    key: &str,
    ours: &Map<String, Value>,
    current: &Remote,
) -> bool {
    let Some(prior) = run.suspects().get(key).cloned() else {
        return false;
    };
    let Some(prior) = prior.and_then(|p| unpack(&p)) else {
        return true;
    };
    current.fields.iter().all(|(name, value)| {
        prior.get(name) == Some(value) || ours.get(name).is_none_or(|ours| run.sink.same(name, ours, value))
    })
}

/// What an editor changed.
pub(super) async fn drift<S: Sink>(
    run: &Run<S>,
    item: &Item,
    current: &Remote,
) -> Result<Vec<FieldDiff>, Halt> {
    if item.kind() != Kind::Document {
        return Ok(Vec::new());
    }
    let (target, key, sink, current) = (run.target, item.key.clone(), run.sink.clone(), current.clone());
    let fields = run
        .journal
        .read(move |ledger| {
            let pushed = links::pushed(ledger, target, &key)?;
            let Some((was, before)) = pushed else {
                return Ok(Vec::new());
            };
            let links = links::of(ledger, target, &before)?;
            Ok(links::different(
                &*sink,
                &links::wire(&*sink, &was, &before, &links),
                &current,
            ))
        })
        .await?;
    Ok(fields)
}

/// Notes a change that was not carried out, because an editor's work would be lost.
pub(super) fn left_alone<S: Sink>(run: &Run<S>, change: &Change, reason: Hold, fields: Vec<FieldDiff>) {
    run.applied().held.push(LeftAlone {
        key: change.key.clone(),
        title: change.title.clone(),
        reason,
        fields,
    });
}
