//! Runs and documents.

use super::history::{self, Recorded};
use super::{Ledger, LedgerError, UrlId};
use crate::document::{CaptureId, DocumentId};
use rusqlite::{OptionalExtension as _, params};

/// A document as the ledger knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocumentRow {
    /// Its id.
    pub id: DocumentId,
    /// Collection of the mapping.
    pub collection: String,
    /// Natural key.
    pub source_key: String,
    /// The page that it was made from.
    pub url: Option<UrlId>,
    /// `extracted`, `gated`, …
    pub state: String,
    /// Hash of the raw bytes.
    pub capture: Option<CaptureId>,
    /// Hash of the content (the document's revision).
    pub content: String,
    /// Hash of the mapping.
    pub mapping: CaptureId,
    /// Failed gates as JSON; empty if none.
    pub gates: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunRow {
    /// Row.
    pub id: i64,
    /// UUID v7.
    pub uid: String,
    /// `run`, `crawl`, …
    pub command: String,
    /// Milliseconds since 1970.
    pub started: i64,
    /// Milliseconds since 1970; `None`: it runs or was killed.
    pub finished: Option<i64>,
    /// How it ended.
    pub outcome: Option<String>,
    /// Numbers, as JSON.
    pub summary: Option<String>,
}

impl Ledger {
    /// Begins a run at `at` (milliseconds since 1970). Answers its row, for [`Ledger::batch`].
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin_run(
        &mut self,
        uid: &str,
        command: &str,
        mapping: CaptureId,
        at: i64,
    ) -> Result<i64, LedgerError> {
        self.conn
            .execute(
                "INSERT INTO run (uid, command, started, mapping) VALUES (?,?,?,?)",
                params![uid, command, at, mapping.as_bytes().as_slice()],
            )
            .map_err(|e| LedgerError::sql(&self.path, e))?;
        Ok(self.conn.last_insert_rowid())
    }

    /// Ends a run.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn finish_run(&mut self, run: i64, outcome: &str, summary: &str, at: i64) -> Result<(), LedgerError> {
        self.conn
            .execute(
                "UPDATE run SET finished = ?, outcome = ?, summary = ? WHERE id = ?",
                params![at, outcome, summary, run],
            )
            .map(|_| ())
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// All runs, oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        self.all(
            "SELECT id, uid, command, started, finished, outcome, summary FROM run ORDER BY id",
            [],
            run,
        )
    }

    /// Remembers documents, or what is new about them, and what they were before, in one transaction.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn record_documents(&mut self, run: i64, recorded: &[Recorded], at: i64) -> Result<(), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        {
            let mut put = tx
                .prepare_cached(
                    "INSERT INTO document (id, collection, source_key, url_id, state, capture, content, mapping, gates,
                     first_seen, last_seen) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?10)
                     ON CONFLICT (id) DO UPDATE SET collection = ?2, source_key = ?3, url_id = ?4, state = ?5, capture = ?6,
                     content = ?7, mapping = ?8, gates = ?9, last_seen = ?10",
                )
                .map_err(sql)?;
            for one in recorded {
                let row = &one.row;
                put.execute(params![
                    row.id.to_string(),
                    row.collection,
                    row.source_key,
                    row.url.map(|u| u.0),
                    row.state,
                    row.capture.as_ref().map(|c| c.as_bytes().as_slice()),
                    row.content,
                    row.mapping.as_bytes().as_slice(),
                    row.gates,
                    at
                ])
                .map_err(sql)?;
                history::note(&tx, run, one, at).map_err(sql)?;
            }
        }
        tx.commit().map_err(sql)
    }

    /// One document.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn document(&self, id: &DocumentId) -> Result<Option<DocumentRow>, LedgerError> {
        self.conn
            .query_row(&format!("{DOCUMENT} WHERE id = ?"), [id.to_string()], document)
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Documents of one page.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn documents_of(&self, url: UrlId) -> Result<Vec<DocumentRow>, LedgerError> {
        self.all(
            &format!("{DOCUMENT} WHERE url_id = ? ORDER BY id"),
            [url.0],
            document,
        )
    }

    /// At most `limit` documents whose id comes after `after`, by id.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn documents(&self, after: &str, limit: usize) -> Result<Vec<DocumentRow>, LedgerError> {
        self.all(
            &format!("{DOCUMENT} WHERE id > ? ORDER BY id LIMIT ?"),
            params![after, i64::try_from(limit).unwrap_or(i64::MAX)],
            document,
        )
    }
}

const DOCUMENT: &str =
    "SELECT id, collection, source_key, url_id, state, capture, content, mapping, gates FROM document";

pub(super) fn run(r: &rusqlite::Row<'_>) -> rusqlite::Result<RunRow> {
    Ok(RunRow {
        id: r.get(0)?,
        uid: r.get(1)?,
        command: r.get(2)?,
        started: r.get(3)?,
        finished: r.get(4)?,
        outcome: r.get(5)?,
        summary: r.get(6)?,
    })
}

fn document(r: &rusqlite::Row<'_>) -> rusqlite::Result<DocumentRow> {
    let id: String = r.get(0)?;
    let id = id.parse().map_err(|_| {
        rusqlite::Error::InvalidColumnType(0, "document.id".into(), rusqlite::types::Type::Text)
    })?;
    Ok(DocumentRow {
        id,
        collection: r.get(1)?,
        source_key: r.get(2)?,
        url: r.get::<_, Option<i64>>(3)?.map(UrlId),
        state: r.get(4)?,
        capture: r.get::<_, Option<[u8; 32]>>(5)?.map(CaptureId::from_bytes),
        content: r.get(6)?,
        mapping: CaptureId::from_bytes(r.get(7)?),
        gates: r.get(8)?,
    })
}
