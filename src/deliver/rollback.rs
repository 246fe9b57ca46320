//! Takes a run back: removes what it made and nobody touched, restores what it changed, lists the rest.

use super::apply::Loss;
use super::failure::Failure;
use super::packed::unpack;
use super::sink::{Remote, Sink};
use crate::document::CaptureId;
use crate::ledger::{Delivery, DeliveryState, Done, Entry, Intent, Kind, Ledger, LedgerError, Push, PushOp};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// Rows that are read at once.
const ROWS: usize = 500;

/// What came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct RolledBack {
    /// Objects that the run had made, removed.
    pub removed: u64,
    /// Objects that it had changed, as they were before.
    pub restored: u64,
    /// What was left as it is, and why.
    pub left: Vec<Loss>,
    /// Was it ended by Ctrl-C? The same command goes on.
    pub interrupted: bool,
}

/// Why it could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RollbackError {
    /// The target.
    #[error(transparent)]
    Target(#[from] Failure),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What a run did to one object.
struct Did {
    /// Its first write, with what was there before.
    first: Push,
    /// Did it make the object?
    made: bool,
}

/// Takes back what run `of` did at `target`; `run` is the run that does so. With `dry`, only says what would be done.
///
/// # Errors
/// [`RollbackError`]
pub async fn rollback<S: Sink>(
    sink: &S,
    ledger: &mut Ledger,
    (target, run): (i64, i64),
    of: i64,
    dry: bool,
    cancel: &CancellationToken,
) -> Result<RolledBack, RollbackError> {
    let mut did: BTreeMap<(Kind, String), Did> = BTreeMap::new();
    let mut before = i64::MAX;
    loop {
        let lines = ledger.pushes(of, before, ROWS)?;
        let Some(last) = lines.last() else { break };
        before = last.id;
        for push in lines {
            let landed = push.done.is_some() && push.remote.is_some();
            if !landed || push.outcome.as_deref() == Some("copy removed") {
                continue;
            }
            let made = push.op == PushOp::Create && push.outcome.as_deref() != Some("shared");
            let shared = push.outcome.as_deref() == Some("shared");
            if shared {
                continue;
            }
            // Lines come newest first: the last one seen is the run's first write.
            let key = (push.kind, push.key.clone());
            let made = made || did.get(&key).is_some_and(|d| d.made);
            did.insert(key, Did { first: push, made });
        }
    }
    let mut back = Back {
        sink,
        ledger,
        at: (target, run),
        of,
        dry,
        result: RolledBack::default(),
    };
    // Documents before what they refer to.
    let (mut waiting, mut later) = (did.into_iter().rev().collect::<Vec<_>>(), Vec::new());
    loop {
        let removed = back.result.removed;
        for ((kind, key), did) in waiting.drain(..) {
            if cancel.is_cancelled() {
                back.result.interrupted = true;
                return Ok(back.result);
            }
            if back.one(kind, &key, &did).await? == Step::InUse {
                later.push(((kind, key), did));
            }
        }
        // A term is free once those below it are gone.
        if later.is_empty() {
            return Ok(back.result);
        }
        if back.result.removed == removed {
            for ((kind, key), _) in later {
                if let Some(was) = back.ledger.delivery(target, kind, &key)? {
                    back.leave(&was, "is in use");
                }
            }
            return Ok(back.result);
        }
        std::mem::swap(&mut waiting, &mut later);
    }
}

/// What became of one object.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Over,
    /// Something refers to it still.
    InUse,
}

/// A rollback under way.
struct Back<'a, S: Sink> {
    sink: &'a S,
    ledger: &'a mut Ledger,
    at: (i64, i64),
    of: i64,
    dry: bool,
    result: RolledBack,
}

impl<S: Sink> Back<'_, S> {
    fn leave(&mut self, was: &Delivery, why: &str) {
        self.result.left.push(Loss {
            key: was.key.clone(),
            title: was.slug.clone().unwrap_or_default(),
            remote: was.remote.clone().unwrap_or_default(),
            field: "left".into(),
            ours: String::new(),
            theirs: why.into(),
        });
    }

    async fn one(&mut self, kind: Kind, key: &str, did: &Did) -> Result<Step, RollbackError> {
        let Some(was) = self.ledger.delivery(self.at.0, kind, key)? else {
            return Ok(Step::Over);
        };
        let (Some(id), true) = (was.remote.clone(), was.run >= self.of) else {
            return Ok(Step::Over);
        };
        if was.run != self.of {
            self.leave(&was, "a later run wrote it: take that one back first");
            return Ok(Step::Over);
        }
        let current = self.sink.read(kind, &was.of, std::slice::from_ref(&id)).await?;
        let Some(current) = current.into_iter().next() else {
            self.leave(&was, "is not there any more");
            if !self.dry {
                forget(self.ledger, self.at, &was, PushOp::Delete, None)?;
            }
            return Ok(Step::Over);
        };
        let touched = was.seen != Some(current.seen())
            || (kind == Kind::Document && was.modified.is_some() && was.modified != current.modified);
        if kind != Kind::Term && touched {
            self.leave(&was, "somebody changed it since");
            return Ok(Step::Over);
        }
        if did.made && kind == Kind::Term && !self.sink.is_unused(&current) && !self.dry {
            return Ok(Step::InUse);
        }
        if did.made {
            if !self.dry {
                let line = begin(self.ledger, self.at, &was, PushOp::Delete, &current)?;
                self.sink.delete(kind, &was.of, &id).await?;
                end(self.ledger, self.at, line, &gone(&was), None, Some(Vec::new()))?;
            }
            self.result.removed += 1;
            return Ok(Step::Over);
        }
        // What was only made public is hidden again.
        let prior = match did.first.prior.as_deref().and_then(unpack) {
            Some(fields) => writable(&fields, &current),
            None if did.first.op == PushOp::Publish => self.sink.state_fields(false),
            None => return Ok(Step::Over),
        };
        if !self.dry {
            self.restore(&was, &id, did, &prior, &current).await?;
        }
        self.result.restored += 1;
        Ok(Step::Over)
    }

    async fn restore(
        &mut self,
        was: &Delivery,
        id: &str,
        did: &Did,
        prior: &Map<String, Value>,
        current: &Remote,
    ) -> Result<(), RollbackError> {
        let line = begin(self.ledger, self.at, was, PushOp::Update, current)?;
        let remote = self.sink.patch(was.kind, &was.of, id, prior).await?;
        let before = self
            .ledger
            .writer_before(self.at.0, was.kind, &was.key, self.of)?;
        let row = Delivery {
            payload: did.first.was,
            seen: Some(remote.seen()),
            modified: remote.modified.clone(),
            url: remote.url.clone().or_else(|| was.url.clone()),
            state: if remote.live {
                DeliveryState::Live
            } else {
                DeliveryState::Staged
            },
            // Now the run before can be taken back, too.
            run: before.unwrap_or(was.run),
            ..was.clone()
        };
        end(self.ledger, self.at, line, &row, did.first.was_body.clone(), None)?;
        Ok(())
    }
}

/// The fields that differ: only they are written.
fn writable(prior: &Value, current: &Remote) -> Map<String, Value> {
    prior
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| current.fields.get(*name) != Some(value) && *name != "original")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn begin(
    ledger: &mut Ledger,
    (target, run): (i64, i64),
    was: &Delivery,
    op: PushOp,
    current: &Remote,
) -> Result<i64, LedgerError> {
    let intent = Intent {
        kept: None,
        kind: was.kind,
        key: was.key.clone(),
        of: was.of.clone(),
        op,
        payload: was.payload,
        slug: was.slug.clone(),
        prior: Some(super::packed::pack(
            &serde_json::to_value(&current.fields).unwrap_or_default(),
        )),
    };
    let lines = ledger.journal(target, run, now(), &[Entry::Intent(intent)])?;
    // One line was asked for.
    Ok(lines.first().copied().unwrap_or_default())
}

fn end(
    ledger: &mut Ledger,
    (target, run): (i64, i64),
    line: i64,
    row: &Delivery,
    body: Option<Vec<u8>>,
    refers: Option<Vec<(String, Option<String>)>>,
) -> Result<(), LedgerError> {
    let done = Done {
        delivery: row.clone(),
        body,
        refers,
    };
    ledger
        .journal(
            target,
            run,
            now(),
            &[Entry::Done(line, Box::new(done), "rolled back".into())],
        )
        .map(|_| ())
}

fn forget(
    ledger: &mut Ledger,
    at: (i64, i64),
    was: &Delivery,
    op: PushOp,
    payload: Option<CaptureId>,
) -> Result<(), LedgerError> {
    let intent = Intent {
        kept: None,
        kind: was.kind,
        key: was.key.clone(),
        of: was.of.clone(),
        op,
        payload,
        slug: was.slug.clone(),
        prior: None,
    };
    let lines = ledger.journal(at.0, at.1, now(), &[Entry::Intent(intent)])?;
    end(
        ledger,
        at,
        lines.first().copied().unwrap_or_default(),
        &gone(was),
        None,
        Some(Vec::new()),
    )
}

/// The row of something that is not there; its slug stays pinned.
fn gone(was: &Delivery) -> Delivery {
    Delivery {
        state: DeliveryState::Intent,
        remote: None,
        url: None,
        payload: None,
        seen: None,
        modified: None,
        ours: true,
        ..was.clone()
    }
}

fn now() -> i64 {
    crate::ledger::clock::now().as_millisecond()
}
