//! Pages that were there and are not any more: each run that found a page gone, and the tombstones of what was taken off for
//! it. An answer that is no absence (a failure, a login, a firewall) is no miss and ends none.

use super::{Batch, Ledger, LedgerError, UrlId, UrlState};
use rusqlite::{OptionalExtension as _, params};
use serde::Serialize;

/// The schema of this file; a step of [`super::open`].
pub(super) const SCHEMA: &str = "
CREATE TABLE miss (url_id INTEGER NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL, status INTEGER NOT NULL,
  class INTEGER NOT NULL, capture INTEGER, ended INTEGER, PRIMARY KEY (url_id, run)) WITHOUT ROWID;
CREATE TABLE tombstone (target INTEGER NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, run INTEGER NOT NULL,
  url TEXT NOT NULL, evidence TEXT NOT NULL, back INTEGER, PRIMARY KEY (target, key, at)) WITHOUT ROWID;
CREATE TABLE kept (target INTEGER NOT NULL, key TEXT NOT NULL, field TEXT NOT NULL, PRIMARY KEY (target, key, field)) WITHOUT ROWID;
CREATE TABLE edit_rule (id INTEGER PRIMARY KEY, target INTEGER NOT NULL, glob TEXT NOT NULL, how TEXT NOT NULL, at INTEGER NOT NULL,
  UNIQUE (target, glob));
";

/// One run that found a page gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Miss {
    /// When (milliseconds since 1970).
    pub at: i64,
    /// Id of the run.
    pub run: String,
    /// Status of the answer.
    pub status: u16,
    /// `gone`, `soft-404`, `reject:ID`, `moved`.
    pub class: String,
    /// Where the answer is archived: file and offset.
    pub archived: Option<String>,
}

/// Why something was taken off a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tombstone {
    /// Key of what was taken off.
    pub key: String,
    /// When (milliseconds since 1970).
    pub at: i64,
    /// The page.
    pub url: String,
    /// The runs that missed it, as JSON.
    pub evidence: String,
    /// When it came back.
    pub back: Option<i64>,
}

/// What [`tombstone`] reads.
pub(super) const TOMBSTONE: &str = "SELECT key, at, url, evidence, back FROM tombstone";

pub(super) fn tombstone(r: &rusqlite::Row<'_>) -> rusqlite::Result<Tombstone> {
    Ok(Tombstone {
        key: r.get(0)?,
        at: r.get(1)?,
        url: r.get(2)?,
        evidence: r.get(3)?,
        back: r.get(4)?,
    })
}

impl Batch<'_> {
    /// This run found a page gone, by the answer in row `capture`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn missed(
        &mut self,
        id: UrlId,
        at: i64,
        status: u16,
        class: &str,
        capture: Option<i64>,
    ) -> Result<(), LedgerError> {
        let class = self.name(class)?;
        self.sql(
            "INSERT OR REPLACE INTO miss (url_id, run, at, status, class, capture) VALUES (?,?,?,?,?,?)",
            params![id.0, self.run, at, status, class, capture],
        )
    }

    /// Is there a document of this page?
    ///
    /// # Errors
    /// What SQLite says.
    pub fn holds_document(&self, id: UrlId) -> Result<bool, LedgerError> {
        self.one::<i64>("SELECT 1 FROM document WHERE url_id = ?", [id.0])
            .map(|found| found.is_some())
    }

    /// A page is there: what missed it does not count any more.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn met(&mut self, id: UrlId) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE miss SET ended = ?2 WHERE url_id = ?1 AND ended IS NULL",
            params![id.0, self.run],
        )
    }

    /// That this run met a page was a mistake.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn not_met(&mut self, id: UrlId) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE miss SET ended = NULL WHERE url_id = ?1 AND ended = ?2",
            params![id.0, self.run],
        )
    }
}

impl Ledger {
    /// Runs that found the page of a document gone since it was there last, or moved for good to the page of another one;
    /// `None` if it is there.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn misses(&self, document: &str) -> Result<Option<u32>, LedgerError> {
        let found: Option<(u32, bool)> = self
            .conn
            .prepare_cached(
                "SELECT (SELECT count(*) FROM miss m WHERE m.url_id = u.id AND m.ended IS NULL), u.state = ?2
                 FROM document d JOIN url u ON u.id = d.url_id
                 WHERE d.id = ?1 AND (u.state <> ?3 OR EXISTS (SELECT 1 FROM document t WHERE t.url_id = u.target))",
            )
            .and_then(|mut s| {
                s.query_row(params![document, UrlState::Gone.code(), UrlState::Redirected.code()], |r| {
                    Ok((r.get(0)?, r.get(1)?))
                })
                .optional()
            })
            .map_err(|e| LedgerError::sql(&self.path, e))?;
        // A failure after a miss says neither that the page is there nor that it is not.
        Ok(found.filter(|(count, gone)| *gone || *count > 0).map(|f| f.0))
    }

    /// Runs that found a page gone since it was there last, in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn missed(&self, id: UrlId) -> Result<Vec<Miss>, LedgerError> {
        self.all(
            "SELECT m.at, coalesce(r.uid, ''), m.status, n.text, f.text, c.offset FROM miss m JOIN name n ON n.id = m.class
             LEFT JOIN run r ON r.id = m.run LEFT JOIN capture c ON c.id = m.capture LEFT JOIN name f ON f.id = c.file
             WHERE m.url_id = ? AND m.ended IS NULL ORDER BY m.run",
            [id.0],
            miss,
        )
    }

    /// Gives everything that is retired in a target its tombstone, and notes of what is not retired any more that it came
    /// back. The same again changes nothing.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn bury(&mut self, target: i64, run: i64, at: i64) -> Result<(), LedgerError> {
        let retired: Vec<(String, Option<i64>, Option<String>)> = self.all(
            "SELECT d.key, u.id, u.url FROM delivery d LEFT JOIN document o ON 'doc:' || o.id = d.key LEFT JOIN url u ON u.id = o.url_id
             WHERE d.target = ? AND d.kind = 2 AND d.state = 3
               AND NOT EXISTS (SELECT 1 FROM tombstone t WHERE t.target = d.target AND t.key = d.key AND t.back IS NULL)",
            [target],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )?;
        let mut rows = Vec::with_capacity(retired.len());
        for (key, url_id, url) in retired {
            let misses = match url_id {
                Some(id) => self.missed(UrlId(id))?,
                None => Vec::new(),
            };
            let evidence = serde_json::to_string(&misses).unwrap_or_default();
            rows.push((key, url.unwrap_or_default(), evidence));
        }
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        for (key, url, evidence) in rows {
            tx.execute(
                "INSERT OR IGNORE INTO tombstone (target, key, at, run, url, evidence) VALUES (?,?,?,?,?,?)",
                params![target, key, at, run, url, evidence],
            )
            .map_err(sql)?;
        }
        tx.execute(
            "UPDATE tombstone SET back = ?2 WHERE target = ?1 AND back IS NULL AND key IN
               (SELECT key FROM delivery WHERE target = ?1 AND kind = 2 AND state IN (1, 2))",
            params![target, at],
        )
        .map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Tombstones of one key in any target, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn tombstones(&self, key: &str) -> Result<Vec<Tombstone>, LedgerError> {
        self.all(
            &format!("{TOMBSTONE} WHERE key = ? ORDER BY at"),
            [key],
            tombstone,
        )
    }

    /// Fields of an entry that belong to the editors of a target.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn kept(&self, target: i64, key: &str) -> Result<Vec<String>, LedgerError> {
        self.all(
            "SELECT field FROM kept WHERE target = ? AND key = ? ORDER BY field",
            params![target, key],
            |r| r.get(0),
        )
    }

    /// What was decided of editors' changes in a target, newest last: glob and decision.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn edit_rules(&self, target: i64) -> Result<Vec<(String, String)>, LedgerError> {
        self.all(
            "SELECT glob, how FROM edit_rule WHERE target = ? ORDER BY id",
            [target],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
    }

    /// Remembers a decision of editors' changes; `None` forgets it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_edit_rule(
        &mut self,
        target: i64,
        glob: &str,
        how: Option<&str>,
        at: i64,
    ) -> Result<(), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        tx.execute(
            "DELETE FROM edit_rule WHERE target = ? AND glob = ?",
            params![target, glob],
        )
        .map_err(sql)?;
        if let Some(how) = how {
            tx.execute(
                "INSERT INTO edit_rule (target, glob, how, at) VALUES (?,?,?,?)",
                params![target, glob, how, at],
            )
            .map_err(sql)?;
        }
        tx.commit().map_err(sql)
    }

    /// Remembers a fact about the whole ledger.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_fact(&mut self, key: &str, value: &str) -> Result<(), LedgerError> {
        let mut batch = self.batch(0)?;
        batch.set_meta(key, value)?;
        batch.commit()
    }
}

pub(super) fn miss(r: &rusqlite::Row<'_>) -> rusqlite::Result<Miss> {
    let file: Option<String> = r.get(4)?;
    let offset: Option<i64> = r.get(5)?;
    Ok(Miss {
        at: r.get(0)?,
        run: r.get(1)?,
        status: r.get(2)?,
        class: r.get(3)?,
        archived: file
            .zip(offset)
            .map(|(file, offset)| format!("{file} at {offset}")),
    })
}
