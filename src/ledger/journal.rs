//! The journal of every write into a target.
//!
//! An intent is committed (synced) before a write is sent, its end after the answer; what lies between is looked up in the
//! target before anything is sent again.

use super::delivery::{Delivery, DeliveryState, Kind, PushOp, hash};
use super::{Ledger, LedgerError};
use crate::document::CaptureId;
use rusqlite::{Row, params};

/// The beginning of a write.
#[derive(Clone, Debug)]
pub struct Intent {
    /// What.
    pub kind: Kind,
    /// Our key.
    pub key: String,
    /// Type in the target.
    pub of: String,
    /// What is done.
    pub op: PushOp,
    /// Hash of the payload.
    pub payload: Option<CaptureId>,
    /// The slug under which it will be found.
    pub slug: Option<String>,
    /// What the target held before, compressed; for a rollback.
    pub prior: Option<Vec<u8>>,
    /// Fields that belong to the editors from now on, however this ends; `None` changes nothing.
    pub kept: Option<Vec<String>>,
}

/// The end of a write that succeeded.
#[derive(Clone, Debug)]
pub struct Done {
    /// The object as it is now.
    pub delivery: Delivery,
    /// What was pushed, compressed; `None` keeps what is there.
    pub body: Option<Vec<u8>>,
    /// What it refers to, with the addresses that were sent; `None` keeps what is there.
    pub refers: Option<Vec<(String, Option<String>)>>,
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Row.
    pub id: i64,
    /// Run.
    pub run: i64,
    /// What.
    pub kind: Kind,
    /// Our key.
    pub key: String,
    /// What was done.
    pub op: PushOp,
    /// Hash of the payload.
    pub payload: Option<CaptureId>,
    /// Slug.
    pub slug: Option<String>,
    /// Ended (milliseconds since 1970)?
    pub done: Option<i64>,
    /// Id in the target.
    pub remote: Option<String>,
    /// `ok`, `adopted`, or why it failed.
    pub outcome: Option<String>,
    /// What the target held before, compressed.
    pub prior: Option<Vec<u8>>,
    /// The payload's hash before.
    pub was: Option<CaptureId>,
    /// The payload before, compressed; only where `prior` is.
    pub was_body: Option<Vec<u8>>,
}

/// Something to be written to the journal.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Before a write.
    Intent(Intent),
    /// After it: line of the intent, how it came out.
    Done(i64, Box<Done>, String),
    /// The write did not take place, or was refused for good.
    Failed(i64, String, bool),
}

const PUSH: &str = "id, run, kind, key, op, payload, slug, done, remote, outcome, prior, was, was_body";

impl Ledger {
    /// Writes that were begun and not ended, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn dangling(&self, target: i64) -> Result<Vec<Push>, LedgerError> {
        self.all(
            &format!("SELECT {PUSH} FROM push WHERE target = ? AND done IS NULL ORDER BY id"),
            [target],
            push,
        )
    }

    /// Ended writes of a run at a target, newest first, before line `before`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pushes(&self, run: i64, before: i64, limit: usize) -> Result<Vec<Push>, LedgerError> {
        self.all(
            &format!("SELECT {PUSH} FROM push WHERE run = ? AND id < ? ORDER BY id DESC LIMIT ?"),
            params![run, before, i64::try_from(limit).unwrap_or(i64::MAX)],
            push,
        )
    }

    /// The last run before `run` that wrote an object.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn writer_before(
        &self,
        target: i64,
        kind: Kind,
        key: &str,
        run: i64,
    ) -> Result<Option<i64>, LedgerError> {
        let runs: Vec<Option<i64>> = self.all(
            "SELECT max(run) FROM push WHERE target = ? AND kind = ? AND key = ? AND run < ?
               AND done IS NOT NULL AND remote IS NOT NULL AND op <> 4",
            params![target, kind.code(), key, run],
            |r| r.get(0),
        )?;
        Ok(runs.into_iter().flatten().next())
    }

    /// Targets that a run wrote to.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn targets_of(&self, run: i64) -> Result<Vec<String>, LedgerError> {
        self.all(
            "SELECT DISTINCT t.name FROM push p JOIN target t ON t.id = p.target WHERE p.run = ? ORDER BY t.name",
            [run],
            |r| r.get(0),
        )
    }

    /// Writes lines of the journal in one transaction; answers the line of each.
    ///
    /// # Errors
    /// What SQLite says; then none of them stands.
    pub fn journal(
        &mut self,
        target: i64,
        run: i64,
        at: i64,
        entries: &[Entry],
    ) -> Result<Vec<i64>, LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            lines.push(
                match entry {
                    Entry::Intent(intent) => begin(&tx, target, run, at, intent),
                    Entry::Done(line, done, outcome) => {
                        end(&tx, target, at, *line, done, outcome).map(|()| *line)
                    }
                    Entry::Failed(line, why, refused) => fail(&tx, at, *line, why, *refused).map(|()| *line),
                }
                .map_err(sql)?,
            );
        }
        tx.commit().map_err(sql)?;
        Ok(lines)
    }
}

fn begin(
    tx: &rusqlite::Transaction<'_>,
    target: i64,
    run: i64,
    at: i64,
    i: &Intent,
) -> rusqlite::Result<i64> {
    let payload = i.payload.as_ref().map(|p| p.as_bytes().as_slice());
    tx.prepare_cached(
        "INSERT INTO push (run, target, kind, key, op, payload, slug, at, prior, was, was_state, was_body)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,
           (SELECT payload FROM delivery WHERE target = ?2 AND kind = ?3 AND key = ?4),
           (SELECT state FROM delivery WHERE target = ?2 AND kind = ?3 AND key = ?4),
           CASE WHEN ?9 IS NULL THEN NULL ELSE (SELECT body FROM delivery WHERE target = ?2 AND kind = ?3 AND key = ?4) END)",
    )?
    .execute(params![
        run,
        target,
        i.kind.code(),
        i.key,
        i.op.code(),
        payload,
        i.slug,
        at,
        i.prior
    ])?;
    let line = tx.last_insert_rowid();
    // A new object is pinned to its slug from the first intent on.
    tx.prepare_cached(
        "INSERT INTO delivery (target, kind, key, type, state, slug, ours, run) VALUES (?,?,?,?,0,?,1,?)
         ON CONFLICT (target, kind, key) DO UPDATE SET slug = coalesce(slug, excluded.slug)",
    )?
    .execute(params![target, i.kind.code(), i.key, i.of, i.slug, run])?;
    if let Some(kept) = &i.kept {
        tx.prepare_cached("DELETE FROM kept WHERE target = ? AND key = ?")?
            .execute(params![target, i.key])?;
        let mut put = tx.prepare_cached("INSERT OR IGNORE INTO kept (target, key, field) VALUES (?,?,?)")?;
        for field in kept {
            put.execute(params![target, i.key, field])?;
        }
    }
    Ok(line)
}

fn end(
    tx: &rusqlite::Transaction<'_>,
    target: i64,
    at: i64,
    line: i64,
    done: &Done,
    outcome: &str,
) -> rusqlite::Result<()> {
    let d = &done.delivery;
    tx.prepare_cached("UPDATE push SET done = ?, remote = ?, outcome = ? WHERE id = ?")?
        .execute(params![at, d.remote, outcome, line])?;
    tx.prepare_cached(
        "INSERT INTO delivery (target, kind, key, type, state, remote, url, slug, payload, seen, modified, ours, run, body)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)
         ON CONFLICT (target, kind, key) DO UPDATE SET type = ?4, state = ?5, remote = ?6, url = ?7, slug = ?8, payload = ?9,
         seen = ?10, modified = ?11, ours = ?12, run = ?13, body = coalesce(?14, body)",
    )?
    .execute(params![
        target,
        d.kind.code(),
        d.key,
        d.of,
        d.state.code(),
        d.remote,
        d.url,
        d.slug,
        d.payload.as_ref().map(|p| p.as_bytes().as_slice()),
        d.seen.as_ref().map(|p| p.as_bytes().as_slice()),
        d.modified,
        d.ours,
        d.run,
        done.body
    ])?;
    if let Some(refers) = &done.refers {
        tx.prepare_cached("DELETE FROM refers WHERE target = ? AND key = ?")?
            .execute(params![target, d.key])?;
        let mut put =
            tx.prepare_cached("INSERT OR IGNORE INTO refers (target, token, key, url) VALUES (?,?,?,?)")?;
        for (token, url) in refers {
            put.execute(params![target, token, d.key, url])?;
        }
    }
    Ok(())
}

fn fail(
    tx: &rusqlite::Transaction<'_>,
    at: i64,
    line: i64,
    why: &str,
    refused: bool,
) -> rusqlite::Result<()> {
    tx.prepare_cached("UPDATE push SET done = ?, outcome = ? WHERE id = ?")?
        .execute(params![at, why, line])?;
    // What never came to be is as if it was never meant, but for its slug.
    tx.prepare_cached(
        "UPDATE delivery SET state = ?2, payload = CASE WHEN ?2 = 4 THEN (SELECT payload FROM push WHERE id = ?1) END WHERE state = 0 AND remote IS NULL AND (target, kind, key) =
           (SELECT target, kind, key FROM push WHERE id = ?1)",
    )?
    .execute(params![
        line,
        if refused {
            DeliveryState::Refused
        } else {
            DeliveryState::Intent
        }
        .code()
    ])?;
    Ok(())
}

fn push(r: &Row<'_>) -> rusqlite::Result<Push> {
    Ok(Push {
        id: r.get(0)?,
        run: r.get(1)?,
        kind: Kind::from_code(r.get(2)?),
        key: r.get(3)?,
        op: PushOp::from_code(r.get(4)?),
        payload: hash(r, 5)?,
        slug: r.get(6)?,
        done: r.get(7)?,
        remote: r.get(8)?,
        outcome: r.get(9)?,
        prior: r.get(10)?,
        was: hash(r, 11)?,
        was_body: r.get(12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn intent(key: &str) -> Intent {
        Intent {
            kind: Kind::Document,
            key: key.into(),
            of: "posts".into(),
            op: PushOp::Create,
            payload: Some(CaptureId::of(b"p")),
            slug: Some("a-slug".into()),
            prior: None,
            kept: None,
        }
    }

    #[test]
    fn intent_dangles_until_done_and_waiting_referrers_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
        let run = ledger.begin_run("r", "apply", CaptureId::of(b"m"), 1).unwrap();
        let target = ledger.target("wordpress http://x/").unwrap();
        let lines = ledger
            .journal(
                target,
                run,
                2,
                &[Entry::Intent(intent("a")), Entry::Intent(intent("b"))],
            )
            .unwrap();
        assert_eq!(ledger.dangling(target).unwrap().len(), 2);
        let row = ledger.delivery(target, Kind::Document, "a").unwrap().unwrap();
        assert_eq!(
            (row.state, row.slug.as_deref()),
            (DeliveryState::Intent, Some("a-slug"))
        );
        let done = |key: &str, waiting: &[&str]| Done {
            delivery: Delivery {
                state: DeliveryState::Live,
                remote: Some(key.to_uppercase()),
                url: Some(format!("http://x/{key}")),
                payload: Some(CaptureId::of(b"p")),
                key: key.into(),
                ..row.clone()
            },
            body: Some(b"body".to_vec()),
            refers: Some(waiting.iter().map(|t| (t.to_string(), None)).collect()),
        };
        ledger
            .journal(
                target,
                run,
                3,
                &[Entry::Done(
                    lines[0],
                    Box::new(done("a", &["b", "zz"])),
                    "ok".into(),
                )],
            )
            .unwrap();
        assert_eq!(ledger.dangling(target).unwrap().len(), 1);
        assert!(ledger.referrers(target, "", 9).unwrap().is_empty());
        ledger
            .journal(
                target,
                run,
                4,
                &[Entry::Done(lines[1], Box::new(done("b", &[])), "ok".into())],
            )
            .unwrap();
        assert_eq!(ledger.referrers(target, "", 9).unwrap(), ["a"]);
        assert_eq!(
            ledger.pushed(target, Kind::Document, "a").unwrap().unwrap(),
            b"body"
        );
        assert_eq!(ledger.pushes(run, i64::MAX, 9).unwrap().len(), 2);
        assert_eq!(ledger.targets_of(run).unwrap(), ["wordpress http://x/"]);
    }
}
