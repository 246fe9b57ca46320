//! What was delivered where: one row an object in a target. The writes that made it so stand in [`super::journal`].

use super::{Ledger, LedgerError};
use crate::document::CaptureId;
use rusqlite::{OptionalExtension as _, Row, params};
use std::collections::HashSet;

pub(super) const SCHEMA: &str = "
CREATE TABLE target (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE delivery (target INTEGER NOT NULL, kind INTEGER NOT NULL, key TEXT NOT NULL, type TEXT NOT NULL,
  state INTEGER NOT NULL, remote TEXT, url TEXT, slug TEXT, payload BLOB, seen BLOB, modified TEXT, ours INTEGER NOT NULL,
  run INTEGER NOT NULL, body BLOB, PRIMARY KEY (target, kind, key)) WITHOUT ROWID;
CREATE INDEX delivery_remote ON delivery (target, type, remote) WHERE remote IS NOT NULL;
CREATE TABLE push (id INTEGER PRIMARY KEY, run INTEGER NOT NULL, target INTEGER NOT NULL, kind INTEGER NOT NULL,
  key TEXT NOT NULL, op INTEGER NOT NULL, payload BLOB, slug TEXT, at INTEGER NOT NULL, done INTEGER, remote TEXT,
  outcome TEXT, prior BLOB, was BLOB, was_state INTEGER, was_body BLOB);
CREATE INDEX push_open ON push (target) WHERE done IS NULL;
CREATE INDEX push_run ON push (run);
CREATE TABLE refers (target INTEGER NOT NULL, token TEXT NOT NULL, key TEXT NOT NULL, url TEXT, PRIMARY KEY (target, token, key)) WITHOUT ROWID;
CREATE INDEX refers_key ON refers (target, key);
CREATE TABLE verdict (key TEXT PRIMARY KEY, revision TEXT NOT NULL, approved INTEGER NOT NULL, note TEXT, at INTEGER NOT NULL) WITHOUT ROWID;
";

/// Who wrote an object before, for taking runs back one after the other.
pub(super) const BY_KEY: &str = "CREATE INDEX push_key ON push (target, key);";

/// What an object of a target is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A category or tag.
    Term,
    /// A picture or file.
    Media,
    /// A document.
    Document,
    /// A rule that leads from an old address to a new one.
    Redirect,
}

impl Kind {
    pub(super) const fn code(self) -> i64 {
        self as i64
    }
    pub(super) const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Term,
            1 => Self::Media,
            3 => Self::Redirect,
            _ => Self::Document,
        }
    }
    /// For people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Term => "term",
            Self::Media => "media",
            Self::Document => "document",
            Self::Redirect => "redirect",
        }
    }
}

/// How far an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Something is about to be written, or was when the program ended.
    Intent,
    /// It is in the target, whole, and not public yet.
    Staged,
    /// It is in the target as it should be.
    Live,
    /// It was taken off.
    Retired,
    /// The target refuses it for good.
    Refused,
}

impl DeliveryState {
    pub(super) const fn code(self) -> i64 {
        self as i64
    }
    pub(super) const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Staged,
            2 => Self::Live,
            3 => Self::Retired,
            4 => Self::Refused,
            _ => Self::Intent,
        }
    }
    /// For people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Staged => "staged",
            Self::Live => "live",
            Self::Retired => "retired",
            Self::Refused => "refused",
        }
    }
}

/// What a write does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PushOp {
    /// Makes an object.
    Create,
    /// Changes one.
    Update,
    /// Makes one public.
    Publish,
    /// Takes one off.
    Retire,
    /// Removes one.
    Delete,
}

impl PushOp {
    pub(super) const fn code(self) -> i64 {
        self as i64
    }
    pub(super) const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Create,
            2 => Self::Publish,
            3 => Self::Retire,
            4 => Self::Delete,
            _ => Self::Update,
        }
    }
    /// For people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Publish => "publish",
            Self::Retire => "retire",
            Self::Delete => "delete",
        }
    }
}

/// An object of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// What it is.
    pub kind: Kind,
    /// Our key: `doc:ID`, `media:HASH`, `term:TAXONOMY/ID`.
    pub key: String,
    /// Type in the target (`posts`, `articles`).
    pub of: String,
    /// How far it is.
    pub state: DeliveryState,
    /// Id in the target.
    pub remote: Option<String>,
    /// Public address.
    pub url: Option<String>,
    /// Pinned slug.
    pub slug: Option<String>,
    /// Hash of the payload that was pushed last.
    pub payload: Option<CaptureId>,
    /// Hash of what the target showed after our last write.
    pub seen: Option<CaptureId>,
    /// When the target says it was changed, after our last write.
    pub modified: Option<String>,
    /// Made by us; what was there before is never removed by us.
    pub ours: bool,
    /// Run that wrote it last.
    pub run: i64,
}

const COLUMNS: &str = "kind, key, type, state, remote, url, slug, payload, seen, modified, ours, run";

impl Ledger {
    /// The row of a target, made if there is none.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn target(&mut self, name: &str) -> Result<i64, LedgerError> {
        let sql = |e| LedgerError::sql(&self.path, e);
        self.conn
            .execute("INSERT OR IGNORE INTO target (name) VALUES (?)", [name])
            .map_err(sql)?;
        self.conn
            .query_row("SELECT id FROM target WHERE name = ?", [name], |r| r.get(0))
            .map_err(sql)
    }

    /// The row of a target, if anything was ever delivered there.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn known_target(&self, name: &str) -> Result<Option<i64>, LedgerError> {
        self.conn
            .query_row("SELECT id FROM target WHERE name = ?", [name], |r| r.get(0))
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Names of all targets, by row.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn targets(&self) -> Result<Vec<(i64, String)>, LedgerError> {
        self.all("SELECT id, name FROM target ORDER BY id", [], |r| {
            Ok((r.get(0)?, r.get(1)?))
        })
    }

    /// One object.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn delivery(&self, target: i64, kind: Kind, key: &str) -> Result<Option<Delivery>, LedgerError> {
        self.conn
            .prepare_cached(&format!(
                "SELECT {COLUMNS} FROM delivery WHERE target = ? AND kind = ? AND key = ?"
            ))
            .and_then(|mut s| {
                s.query_row(params![target, kind.code(), key], delivery)
                    .optional()
            })
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// At most `limit` objects of a kind, by key, after `after`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn deliveries(
        &self,
        target: i64,
        kind: Kind,
        after: &str,
        limit: usize,
    ) -> Result<Vec<Delivery>, LedgerError> {
        self.all(
            &format!(
                "SELECT {COLUMNS} FROM delivery WHERE target = ? AND kind = ? AND key > ? ORDER BY key LIMIT ?"
            ),
            params![
                target,
                kind.code(),
                after,
                i64::try_from(limit).unwrap_or(i64::MAX)
            ],
            delivery,
        )
    }

    /// What was pushed last for an object, compressed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pushed(&self, target: i64, kind: Kind, key: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        self.conn
            .query_row(
                "SELECT body FROM delivery WHERE target = ? AND kind = ? AND key = ?",
                params![target, kind.code(), key],
                |r| r.get(0),
            )
            .optional()
            .map(Option::flatten)
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Keys of documents whose present revision was approved.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn approved(&self) -> Result<HashSet<String>, LedgerError> {
        let keys = self.all(
            "SELECT 'doc:' || d.id FROM document d JOIN verdict v ON v.key = 'doc:' || d.id AND v.revision = d.content WHERE v.approved",
            [],
            |r| r.get::<_, String>(0),
        )?;
        Ok(keys.into_iter().collect())
    }

    /// Documents that were sent with another address of something than it has now: keys, in order, after `after`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn referrers(&self, target: i64, after: &str, limit: usize) -> Result<Vec<String>, LedgerError> {
        self.all(
            "SELECT DISTINCT r.key FROM refers r JOIN delivery d ON d.target = r.target AND d.key = r.token
               AND d.kind IN (1, 2) AND d.url IS NOT NULL AND d.state IN (1, 2) AND d.url IS NOT r.url
             WHERE r.target = ? AND r.key > ? ORDER BY r.key LIMIT ?",
            params![target, after, i64::try_from(limit).unwrap_or(i64::MAX)],
            |r| r.get(0),
        )
    }
}

pub(super) fn hash(r: &Row<'_>, at: usize) -> rusqlite::Result<Option<CaptureId>> {
    Ok(r.get::<_, Option<[u8; 32]>>(at)?.map(CaptureId::from_bytes))
}

fn delivery(r: &Row<'_>) -> rusqlite::Result<Delivery> {
    Ok(Delivery {
        kind: Kind::from_code(r.get(0)?),
        key: r.get(1)?,
        of: r.get(2)?,
        state: DeliveryState::from_code(r.get(3)?),
        remote: r.get(4)?,
        url: r.get(5)?,
        slug: r.get(6)?,
        payload: hash(r, 7)?,
        seen: hash(r, 8)?,
        modified: r.get(9)?,
        ours: r.get(10)?,
        run: r.get(11)?,
    })
}
