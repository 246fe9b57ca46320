//! Where a site stands: what is counted for `status`, metrics and reports, and the way of one object through a target.

use super::delivery::{DeliveryState, Kind, PushOp};
use super::misses::{TOMBSTONE, tombstone};
use super::query::unsigned;
use super::{Ledger, LedgerError, Miss, RunRow, Tombstone, UrlId, UrlState};
use rusqlite::{OptionalExtension as _, params};
use std::collections::BTreeMap;

/// One write of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// When it was begun (milliseconds since 1970).
    pub at: i64,
    /// Name of the target.
    pub target: String,
    /// Id of the run.
    pub run: String,
    /// What was done.
    pub op: PushOp,
    /// When it ended; `None`: nobody knows what came of it yet.
    pub done: Option<i64>,
    /// Id in the target.
    pub remote: Option<String>,
    /// `ok`, `adopted`, or why it failed.
    pub outcome: Option<String>,
}

/// Most writes of one object that are handed out.
const MAX_WRITES: i64 = 200;

impl Ledger {
    /// Documents by state: `extracted`, `gated`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn documents_by_state(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        let rows = self.all("SELECT state, count(*) FROM document GROUP BY state", [], |r| {
            Ok((r.get::<_, String>(0)?, unsigned(r.get(1)?)))
        })?;
        Ok(rows.into_iter().collect())
    }

    /// Documents by collection.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn documents_by_collection(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        let rows = self.all(
            "SELECT collection, count(*) FROM document GROUP BY collection",
            [],
            |r| Ok((r.get::<_, String>(0)?, unsigned(r.get(1)?))),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Documents whose page was missed and did not come back.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn missed_documents(&self) -> Result<u64, LedgerError> {
        self.count(
            "SELECT count(*) FROM document d WHERE EXISTS (SELECT 1 FROM miss m WHERE m.url_id = d.url_id AND m.ended IS NULL)",
            [],
        )
    }

    /// Objects of a target by kind and state; only those that are not 0.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn delivered(&self, target: i64) -> Result<Vec<(Kind, DeliveryState, u64)>, LedgerError> {
        self.all(
            "SELECT kind, state, count(*) FROM delivery WHERE target = ? GROUP BY kind, state ORDER BY kind, state",
            [target],
            |r| {
                Ok((
                    Kind::from_code(r.get(0)?),
                    DeliveryState::from_code(r.get(1)?),
                    unsigned(r.get(2)?),
                ))
            },
        )
    }

    /// Writes to a target of which nobody knows what came of them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_writes(&self, target: i64) -> Result<u64, LedgerError> {
        self.count(
            "SELECT count(*) FROM push WHERE target = ? AND done IS NULL",
            [target],
        )
    }

    /// Entries that are taken off a target and did not come back.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn standing_tombstones(&self, target: i64) -> Result<u64, LedgerError> {
        self.count(
            "SELECT count(*) FROM tombstone WHERE target = ? AND back IS NULL",
            [target],
        )
    }

    /// The newest run of a command that ended as `outcome` (of any, if `None`).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_run(&self, command: &str, outcome: Option<&str>) -> Result<Option<RunRow>, LedgerError> {
        self.conn
            .query_row(
                "SELECT id, uid, command, started, finished, outcome, summary FROM run
                 WHERE command = ?1 AND (?2 IS NULL OR outcome = ?2) ORDER BY id DESC LIMIT 1",
                params![command, outcome],
                super::records::run,
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// The newest run of any command.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn newest_run(&self) -> Result<Option<RunRow>, LedgerError> {
        let text =
            "SELECT id, uid, command, started, finished, outcome, summary FROM run ORDER BY id DESC LIMIT 1";
        Ok(self.all(text, [], super::records::run)?.pop())
    }

    /// At most `limit` runs of a command from before row `before`, newest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn runs_of(&self, command: &str, before: i64, limit: usize) -> Result<Vec<RunRow>, LedgerError> {
        self.all(
            "SELECT id, uid, command, started, finished, outcome, summary FROM run WHERE command = ? AND id < ? ORDER BY id DESC LIMIT ?",
            params![command, before, i64::try_from(limit).unwrap_or(i64::MAX)],
            super::records::run,
        )
    }

    /// Runs by command and outcome.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn runs_by_end(&self) -> Result<Vec<(String, Option<String>, u64)>, LedgerError> {
        self.all(
            "SELECT command, outcome, count(*) FROM run GROUP BY command, outcome ORDER BY command, outcome",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, unsigned(r.get(2)?))),
        )
    }

    /// The newest writes of one object in all targets, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn writes_of(&self, kind: Kind, key: &str) -> Result<Vec<Write>, LedgerError> {
        let mut writes = self.all(
            "SELECT p.at, t.name, coalesce(r.uid, ''), p.op, p.done, p.remote, p.outcome FROM push p
             JOIN target t ON t.id = p.target LEFT JOIN run r ON r.id = p.run
             WHERE p.target IN (SELECT id FROM target) AND p.kind = ? AND p.key = ? ORDER BY p.id DESC LIMIT ?",
            params![kind.code(), key, MAX_WRITES],
            |r| {
                Ok(Write {
                    at: r.get(0)?,
                    target: r.get(1)?,
                    run: r.get(2)?,
                    op: PushOp::from_code(r.get(3)?),
                    done: r.get(4)?,
                    remote: r.get(5)?,
                    outcome: r.get(6)?,
                })
            },
        )?;
        writes.reverse();
        Ok(writes)
    }

    /// Every run that found a page gone, in order, with whether it came back since.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn all_misses(&self, id: UrlId) -> Result<Vec<(Miss, bool)>, LedgerError> {
        self.all(
            "SELECT m.at, coalesce(r.uid, ''), m.status, n.text, f.text, c.offset, m.ended IS NOT NULL
             FROM miss m JOIN name n ON n.id = m.class LEFT JOIN run r ON r.id = m.run
             LEFT JOIN capture c ON c.id = m.capture LEFT JOIN name f ON f.id = c.file
             WHERE m.url_id = ? ORDER BY m.run LIMIT 1000",
            [id.0],
            |r| Ok((super::misses::miss(r)?, r.get(6)?)),
        )
    }

    /// Pages that lists and sitemaps announce, by state.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn announced(&self) -> Result<BTreeMap<String, u64>, LedgerError> {
        let rows = self.all(
            "SELECT u.state, count(*) FROM url u WHERE u.kind = 0 AND u.id IN (SELECT url_id FROM found) GROUP BY u.state",
            [],
            |r| Ok((UrlState::from_code(r.get(0)?).as_str().to_owned(), unsigned(r.get(1)?))),
        )?;
        Ok(rows.into_iter().collect())
    }

    /// Announced pages that were never captured and lead nowhere else, although nobody said that they are gone: at most
    /// `limit` of them with their state, and how many there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn announced_not_captured(&self, limit: usize) -> Result<(Vec<(String, String)>, u64), LedgerError> {
        const OPEN: &str = "FROM url u WHERE u.kind = 0 AND u.id IN (SELECT url_id FROM found) AND u.capture IS NULL AND u.state IN (0, 2, 6)";
        let count = self.count(&format!("SELECT count(*) {OPEN}"), [])?;
        let rows = self.all(
            &format!("SELECT u.url, u.state {OPEN} ORDER BY u.url LIMIT ?"),
            [i64::try_from(limit).unwrap_or(i64::MAX)],
            |r| {
                let state = UrlState::from_code(r.get(1)?);
                Ok((r.get(0)?, state.as_str().to_owned()))
            },
        )?;
        Ok((rows, count))
    }

    /// Tombstones of a target that stand, oldest first, at most `limit`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn tombstones_of(&self, target: i64, limit: usize) -> Result<Vec<Tombstone>, LedgerError> {
        self.all(
            &format!("{TOMBSTONE} WHERE target = ? AND back IS NULL ORDER BY at, key LIMIT ?"),
            params![target, i64::try_from(limit).unwrap_or(i64::MAX)],
            tombstone,
        )
    }
}
