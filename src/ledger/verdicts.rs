//! What people decided of documents: the verdict that stands, and everything that was decided before.

use super::query::int;
use super::{Decision, Ledger, LedgerError};
use rusqlite::{OptionalExtension as _, Row, params};

/// A verdict as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerdictRow {
    /// Id of the document.
    pub document: String,
    /// The revision that was judged.
    pub revision: String,
    /// What was decided; [`Decision::Open`] in the log: it was withdrawn.
    pub decision: Decision,
    /// Why.
    pub note: String,
    /// Who; empty if nobody said.
    pub who: String,
    /// Milliseconds since 1970.
    pub at: i64,
}

/// A verdict with the document that it is about.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: VerdictRow,
    /// Whether it is about the present revision.
    pub current: bool,
    /// Collection of the document.
    pub collection: String,
    /// Its key.
    pub source_key: String,
    /// Its title, if it is on the shelf.
    pub title: Option<String>,
    /// Address of its page on the old portal.
    pub url: Option<String>,
}

impl Ledger {
    /// The verdict on a document, of whatever revision.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn verdict(&self, document: &str) -> Result<Option<VerdictRow>, LedgerError> {
        self.conn
            .query_row(
                "SELECT substr(key, 5), revision, CASE WHEN approved THEN 1 ELSE 2 END, coalesce(note, ''), who, at
                 FROM verdict WHERE key = 'doc:' || ?",
                [document],
                verdict,
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Everything that was ever decided of a document, newest first; at most a hundred.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn verdict_log(&self, document: &str) -> Result<Vec<VerdictRow>, LedgerError> {
        self.all(
            "SELECT substr(key, 5), revision, verdict, note, who, at FROM verdict_log WHERE key = 'doc:' || ?
             ORDER BY id DESC LIMIT 100",
            [document],
            verdict,
        )
    }

    /// At most `limit` verdicts on documents that come behind `after`, by id.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn verdicts(&self, after: &str, limit: usize) -> Result<Vec<Judged>, LedgerError> {
        self.all(
            "SELECT substr(v.key, 5), v.revision, CASE WHEN v.approved THEN 1 ELSE 2 END, coalesce(v.note, ''), v.who, v.at,
               v.revision = d.content, d.collection, d.source_key, s.title, u.url
             FROM verdict v JOIN document d ON d.id = substr(v.key, 5) LEFT JOIN shelf s ON s.id = d.id
             LEFT JOIN url u ON u.id = d.url_id WHERE v.key > 'doc:' || ? ORDER BY v.key LIMIT ?",
            params![after, int(limit)],
            |r| {
                Ok(Judged {
                    verdict: verdict(r)?,
                    current: r.get(6)?,
                    collection: r.get(7)?,
                    source_key: r.get(8)?,
                    title: r.get(9)?,
                    url: r.get(10)?,
                })
            },
        )
    }

    /// Remembers what `who` decided of a document; tells whether there is such a document. With `revision` it holds only if
    /// the document is still that one: a person judges what they have seen.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn decide(
        &mut self,
        document: &str,
        revision: Option<&str>,
        approved: bool,
        note: &str,
        who: &str,
        at: i64,
    ) -> Result<bool, LedgerError> {
        self.conn
            .execute(
                "INSERT INTO verdict (key, revision, approved, note, who, at) SELECT 'doc:' || id, content, ?2, ?3, ?4, ?5
                   FROM document WHERE id = ?1 AND (?6 IS NULL OR content = ?6)
                 ON CONFLICT (key) DO UPDATE SET revision = excluded.revision, approved = ?2, note = ?3, who = ?4, at = ?5",
                params![document, approved, note, who, at, revision],
            )
            .map(|n| n > 0)
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Takes a verdict back; tells whether there was one. The log remembers both.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn withdraw(&mut self, document: &str, who: &str, at: i64) -> Result<bool, LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        tx.execute(
            "INSERT INTO verdict_log (key, revision, verdict, note, who, at)
             SELECT key, revision, 0, '', ?2, ?3 FROM verdict WHERE key = 'doc:' || ?1",
            params![document, who, at],
        )
        .map_err(sql)?;
        let found = tx
            .execute("DELETE FROM verdict WHERE key = 'doc:' || ?", [document])
            .map_err(sql)?;
        tx.commit().map_err(sql)?;
        Ok(found > 0)
    }
}

fn verdict(r: &Row<'_>) -> rusqlite::Result<VerdictRow> {
    Ok(VerdictRow {
        document: r.get(0)?,
        revision: r.get(1)?,
        decision: Decision::from_code(r.get(2)?),
        note: r.get(3)?,
        who: r.get(4)?,
        at: r.get(5)?,
    })
}
