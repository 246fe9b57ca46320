//! What a crawl learned of its servers: hosts that asked for rest, patterns of URLs, what "not found" looks like.

use super::{Batch, Ledger, LedgerError, UrlId};
use rusqlite::{OptionalExtension as _, params};

/// The schema of this file; a step of [`super::open`].
pub(super) const SCHEMA: &str = "
CREATE TABLE host (name TEXT PRIMARY KEY, blocked_until INTEGER NOT NULL, said_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pattern (text TEXT PRIMARY KEY, urls INTEGER NOT NULL, refused INTEGER NOT NULL, same INTEGER NOT NULL,
  last INTEGER NOT NULL, stopped TEXT) WITHOUT ROWID;
CREATE TABLE probe (handler TEXT PRIMARY KEY, url_id INTEGER NOT NULL, answered INTEGER NOT NULL DEFAULT 0,
  fingerprint BLOB, target INTEGER) WITHOUT ROWID;
ALTER TABLE pager ADD COLUMN items INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pager ADD COLUMN total INTEGER;
CREATE INDEX url_request ON url(id) WHERE state = 0 AND kind = 4;
";

/// A shape of URLs and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PatternRow {
    /// The shape.
    pub pattern: String,
    /// URLs that were taken, of a pattern that the mapping does not ask for.
    pub urls: u64,
    /// URLs that were not taken.
    pub refused: u64,
    /// Pages in a row that said the same.
    pub same: u32,
    /// What the last page said.
    pub last: u64,
    /// The rule that stopped it.
    pub stopped: Option<String>,
}

/// What a handler answers to an address that cannot exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRow {
    /// The handler.
    pub handler: String,
    /// Is the answer there?
    pub answered: bool,
    /// How it looks; `None`: the server says 404 as it should.
    pub fingerprint: Option<Vec<u8>>,
    /// A page of the handler showed something of its own beyond the fingerprint.
    pub proved: bool,
    /// Where it redirects to.
    pub target: Option<UrlId>,
}

const PROBE: &str = "SELECT handler, answered, fingerprint, target FROM probe";

fn probe(r: &rusqlite::Row<'_>) -> rusqlite::Result<ProbeRow> {
    Ok(ProbeRow {
        handler: r.get(0)?,
        answered: r.get::<_, i64>(1)? > 0,
        proved: r.get::<_, i64>(1)? > 1,
        fingerprint: r.get(2)?,
        target: r.get::<_, Option<i64>>(3)?.map(UrlId),
    })
}

impl Batch<'_> {
    /// A host asked for rest until `until`; it said so at `said_at` (milliseconds since 1970).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn block_host(&mut self, name: &str, until: i64, said_at: i64) -> Result<(), LedgerError> {
        self.sql(
            "INSERT OR REPLACE INTO host (name, blocked_until, said_at) VALUES (?,?,?)",
            params![name, until, said_at],
        )
    }

    /// Keeps a pattern as it is now.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_pattern(&mut self, row: &PatternRow) -> Result<(), LedgerError> {
        self.sql(
            "INSERT OR REPLACE INTO pattern (text, urls, refused, same, last, stopped) VALUES (?,?,?,?,?,?)",
            params![
                row.pattern,
                row.urls.cast_signed(),
                row.refused.cast_signed(),
                row.same,
                row.last.cast_signed(),
                row.stopped
            ],
        )
    }

    /// What is known of a handler.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn probe(&self, handler: &str) -> Result<Option<ProbeRow>, LedgerError> {
        self.tx
            .prepare_cached(&format!("{PROBE} WHERE handler = ?"))
            .and_then(|mut s| s.query_row([handler], probe).optional())
            .map_err(|e| LedgerError::sql(self.path, e))
    }

    /// A probe of a handler is on its way.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin_probe(&mut self, handler: &str, id: UrlId) -> Result<(), LedgerError> {
        self.sql(
            "INSERT OR REPLACE INTO probe (handler, url_id) VALUES (?,?)",
            params![handler, id.0],
        )
    }

    /// The answer to a probe.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn end_probe(
        &mut self,
        handler: &str,
        fingerprint: Option<&[u8]>,
        target: Option<UrlId>,
    ) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE probe SET answered = 1, fingerprint = ?, target = ? WHERE handler = ?",
            params![fingerprint, target.map(|t| t.0), handler],
        )
    }
}

impl Batch<'_> {
    /// A page of a handler showed something of its own.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn prove(&mut self, handler: &str) -> Result<(), LedgerError> {
        self.sql("UPDATE probe SET answered = 2 WHERE handler = ?", [handler])
    }
}

impl Ledger {
    /// Hosts that asked for rest: name, until when, and when they said so (milliseconds since 1970).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn blocked_hosts(&self) -> Result<Vec<(String, i64, i64)>, LedgerError> {
        self.all(
            "SELECT name, blocked_until, said_at FROM host ORDER BY name",
            [],
            |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)),
        )
    }

    /// All patterns that were counted; those that were stopped first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn patterns(&self) -> Result<Vec<PatternRow>, LedgerError> {
        self.all(
            "SELECT text, urls, refused, same, last, stopped FROM pattern ORDER BY stopped IS NULL, text",
            [],
            |r| {
                Ok(PatternRow {
                    pattern: r.get(0)?,
                    urls: r.get::<_, i64>(1)?.cast_unsigned(),
                    refused: r.get::<_, i64>(2)?.cast_unsigned(),
                    same: r.get(3)?,
                    last: r.get::<_, i64>(4)?.cast_unsigned(),
                    stopped: r.get(5)?,
                })
            },
        )
    }

    /// What handlers answer to addresses that cannot exist.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn probes(&self) -> Result<Vec<ProbeRow>, LedgerError> {
        self.all(&format!("{PROBE} ORDER BY handler"), [], probe)
    }
}
