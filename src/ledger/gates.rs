//! What gates that look at all documents need: a fingerprint of each document, what was found of it, and what was accepted last.
//! Facts only; what they mean says the pipeline.

use super::query::{int, unsigned};
use super::{Ledger, LedgerError, UrlState};
use crate::document::{DocumentId, GateLevel};
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, params};

/// The schema of this file; a step of [`super::open`]. `judged.fresh` is 0 for what stands in the documents, 1 for what an
/// extraction that goes on has found.
pub(super) const SCHEMA: &str = "
CREATE TABLE fingerprint (document TEXT PRIMARY KEY, run INTEGER NOT NULL, whole BLOB NOT NULL, collection TEXT NOT NULL,
  own INTEGER NOT NULL, title INTEGER, body INTEGER, letters INTEGER NOT NULL, sketch BLOB) WITHOUT ROWID;
CREATE TABLE document_link (document TEXT NOT NULL, ukey BLOB NOT NULL, PRIMARY KEY (document, ukey)) WITHOUT ROWID;
CREATE TABLE judged (fresh INTEGER NOT NULL, document TEXT NOT NULL, gate TEXT NOT NULL, rule TEXT NOT NULL, level INTEGER NOT NULL,
  other TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (fresh, document, gate)) WITHOUT ROWID;
CREATE TABLE accepted (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, run INTEGER, profile TEXT NOT NULL);
";

/// A document in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintRow {
    /// Its id.
    pub document: DocumentId,
    /// Its collection.
    pub collection: String,
    /// The worst of the gates that look at it alone.
    pub own: Option<GateLevel>,
    /// Hash of its title.
    pub title: Option<u64>,
    /// Hash of its body.
    pub body: Option<u64>,
    /// Letters and digits of its body.
    pub letters: u64,
    /// Sketch of its body; empty if it is short.
    pub sketch: Vec<u8>,
    /// Keys of the pages of the site that its links lead to, sorted.
    pub links: Vec<[u8; 16]>,
}

impl PrintRow {
    /// Hash of everything: equal if nothing has to be written.
    fn whole(&self) -> [u8; 16] {
        let mut hash = blake3::Hasher::new();
        hash.update(self.collection.as_bytes());
        hash.update(&[0, code(self.own)]);
        for part in [self.title, self.body, Some(self.letters)] {
            hash.update(&[u8::from(part.is_some())]);
            hash.update(&part.unwrap_or_default().to_le_bytes());
        }
        hash.update(&self.sketch);
        self.links.iter().for_each(|link| {
            hash.update(link);
        });
        let mut short = [0; 16];
        short.copy_from_slice(&hash.finalize().as_bytes()[..16]);
        short
    }
}

/// A gate of a document, as far as other documents or pages come into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedRow {
    /// The document.
    pub document: DocumentId,
    /// Id of the gate.
    pub gate: String,
    /// Name of its rule.
    pub rule: String,
    /// How bad it is.
    pub level: GateLevel,
    /// Source key of the other document, or the page that is not there.
    pub other: String,
    /// How many more, or how alike in per cent.
    pub number: u64,
}

/// What a gate that looks at all documents of a collection is asked with.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The extraction.
    pub run: i64,
    /// The collection.
    pub collection: &'a str,
    /// Id of the gate.
    pub gate: &'a str,
    /// Name of its rule.
    pub rule: &'a str,
    /// What it means.
    pub level: GateLevel,
}

/// What two documents may have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Common {
    /// The title.
    Title,
    /// The body, of so many letters and digits at least.
    Body(u64),
}

/// A body as it is compared with others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SketchRow {
    /// The document.
    pub document: DocumentId,
    /// Hash of its body.
    pub body: Option<u64>,
    /// Its sketch.
    pub sketch: Vec<u8>,
}

/// What was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedRow {
    /// When (milliseconds since 1970).
    pub at: i64,
    /// Id of the run that delivered it; `None`: a person said so.
    pub run: Option<String>,
    /// What it was like, as JSON.
    pub profile: String,
}

fn code(level: Option<GateLevel>) -> u8 {
    match level {
        None => 0,
        Some(GateLevel::Warn) => 1,
        Some(GateLevel::Fail) => 2,
    }
}

fn level(code: u8) -> GateLevel {
    if code >= 2 {
        GateLevel::Fail
    } else {
        GateLevel::Warn
    }
}

fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<DocumentId> {
    let text: String = row.get(column)?;
    text.parse()
        .map_err(|_| rusqlite::Error::InvalidColumnType(column, "document".into(), Type::Text))
}

fn judged(r: &Row<'_>) -> rusqlite::Result<JudgedRow> {
    Ok(JudgedRow {
        document: id(r, 0)?,
        gate: r.get(1)?,
        rule: r.get(2)?,
        level: level(r.get(3)?),
        other: r.get(4)?,
        number: unsigned(r.get(5)?),
    })
}

const JUDGED: &str = "SELECT document, gate, rule, level, other, number FROM judged";

impl Ledger {
    /// Keeps fingerprints of documents that extraction `run` has made; those that are as they were are only touched.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn record_prints(&mut self, run: i64, rows: &[PrintRow]) -> Result<(), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        for row in rows {
            let (document, whole) = (row.document.to_string(), row.whole());
            let touched = tx
                .prepare_cached("UPDATE fingerprint SET run = ? WHERE document = ? AND whole = ?")
                .and_then(|mut s| s.execute(params![run, document, whole.as_slice()]))
                .map_err(sql)?;
            if touched > 0 {
                continue;
            }
            tx.prepare_cached(
                "INSERT OR REPLACE INTO fingerprint (document, run, whole, collection, own, title, body, letters, sketch)
                 VALUES (?,?,?,?,?,?,?,?,?)",
            )
            .and_then(|mut s| {
                s.execute(params![
                    document,
                    run,
                    whole.as_slice(),
                    row.collection,
                    code(row.own),
                    row.title.map(u64::cast_signed),
                    row.body.map(u64::cast_signed),
                    row.letters.cast_signed(),
                    (!row.sketch.is_empty()).then_some(&row.sketch),
                ])
            })
            .map_err(sql)?;
            tx.prepare_cached("DELETE FROM document_link WHERE document = ?")
                .and_then(|mut s| s.execute([&document]))
                .map_err(sql)?;
            let mut put = tx
                .prepare_cached("INSERT OR IGNORE INTO document_link (document, ukey) VALUES (?,?)")
                .map_err(sql)?;
            for link in &row.links {
                put.execute(params![document, link.as_slice()]).map_err(sql)?;
            }
        }
        tx.commit().map_err(sql)
    }

    /// Begins to look at all documents: what an extraction that was killed had found is forgotten.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin_judging(&mut self) -> Result<(), LedgerError> {
        self.change("DELETE FROM judged WHERE fresh = 1", [])
    }

    /// Finds documents of a collection that have something in common. What they share with names the first of the others and
    /// how many there are beside that one.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn judge_twins(&mut self, asked: Asked<'_>, common: Common) -> Result<(), LedgerError> {
        let (column, letters) = match common {
            Common::Title => ("title", 0),
            Common::Body(letters) => ("body", letters),
        };
        self.change(
            &format!(
                "INSERT OR REPLACE INTO judged (fresh, document, gate, rule, level, other, number)
                 SELECT 1, f.document, ?3, ?4, ?5, d.source_key, g.n - 2 FROM
                   (SELECT {column} common, count(*) n, min(document) a, max(document) b FROM fingerprint
                    WHERE run = ?1 AND collection = ?2 AND {column} IS NOT NULL AND letters >= ?6 GROUP BY {column} HAVING count(*) > 1) g
                 JOIN fingerprint f ON f.run = ?1 AND f.collection = ?2 AND f.{column} = g.common AND f.letters >= ?6
                 JOIN document d ON d.id = CASE WHEN f.document = g.a THEN g.b ELSE g.a END"
            ),
            params![
                asked.run,
                asked.collection,
                asked.gate,
                asked.rule,
                code(Some(asked.level)),
                letters.cast_signed()
            ],
        )
    }

    /// Finds documents of a collection with more than `allowed` links to pages of the site that are gone, or of which no
    /// content could be had.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn judge_links(&mut self, asked: Asked<'_>, allowed: u64) -> Result<(), LedgerError> {
        let [gone, failed, rejected, moved] = [
            UrlState::Gone,
            UrlState::Failed,
            UrlState::Rejected,
            UrlState::Redirected,
        ]
        .map(UrlState::code);
        let dead = |url: &str| {
            format!(
                "({url}.state = {gone} OR {url}.state IN ({failed}, {rejected}) AND {url}.capture IS NULL)"
            )
        };
        let (here, there) = (dead("u"), dead("t"));
        self.change(
            &format!(
                "INSERT OR REPLACE INTO judged (fresh, document, gate, rule, level, other, number)
                 SELECT 1, f.document, ?3, ?4, ?5, min(u.url), count(*) - 1 FROM fingerprint f
                 JOIN document_link l ON l.document = f.document JOIN url u ON u.ukey = l.ukey LEFT JOIN url t ON t.id = u.target
                 WHERE f.run = ?1 AND f.collection = ?2 AND ({here} OR u.state = {moved} AND t.id IS NOT NULL AND {there})
                 GROUP BY f.document HAVING count(*) > ?6"
            ),
            params![
                asked.run,
                asked.collection,
                asked.gate,
                asked.rule,
                code(Some(asked.level)),
                allowed.cast_signed()
            ],
        )
    }

    /// Keeps what was found otherwise.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn judge(&mut self, rows: &[JudgedRow]) -> Result<(), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        {
            let mut put = tx
                .prepare_cached(
                    "INSERT OR REPLACE INTO judged (fresh, document, gate, rule, level, other, number) VALUES (1,?,?,?,?,?,?)",
                )
                .map_err(sql)?;
            for row in rows {
                put.execute(params![
                    row.document.to_string(),
                    row.gate,
                    row.rule,
                    code(Some(row.level)),
                    row.other,
                    row.number.cast_signed()
                ])
                .map_err(sql)?;
            }
        }
        tx.commit().map_err(sql)
    }

    /// Sketches of a collection, at most `limit` behind `after`, by id.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sketches(
        &self,
        run: i64,
        collection: &str,
        after: &str,
        limit: usize,
    ) -> Result<Vec<SketchRow>, LedgerError> {
        self.all(
            "SELECT document, body, sketch FROM fingerprint
             WHERE document > ?1 AND run = ?2 AND collection = ?3 AND sketch IS NOT NULL ORDER BY document LIMIT ?4",
            params![after, run, collection, int(limit)],
            sketch,
        )
    }

    /// How many of a collection there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sketch_count(&self, run: i64, collection: &str) -> Result<u64, LedgerError> {
        self.count(
            "SELECT count(*) FROM fingerprint WHERE run = ? AND collection = ? AND sketch IS NOT NULL",
            params![run, collection],
        )
    }

    /// The sketch of one document.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn sketch(&self, document: &DocumentId) -> Result<Option<SketchRow>, LedgerError> {
        self.conn
            .prepare_cached(
                "SELECT document, body, sketch FROM fingerprint WHERE document = ? AND sketch IS NOT NULL",
            )
            .and_then(|mut s| s.query_row([document.to_string()], sketch).optional())
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// What was found of a document: what stands in it, or what the extraction that goes on has found (`fresh`).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn judged(&self, document: &DocumentId, fresh: bool) -> Result<Vec<JudgedRow>, LedgerError> {
        self.all(
            &format!("{JUDGED} WHERE fresh = ? AND document = ? ORDER BY gate"),
            params![fresh, document.to_string()],
            judged,
        )
    }

    /// Documents of extraction `run` of which something else was found than stands in them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn rejudged(&self, run: i64) -> Result<Vec<DocumentId>, LedgerError> {
        const ROW: &str = "document, gate, rule, level, other, number FROM judged WHERE fresh";
        self.all(
            &format!(
                "SELECT DISTINCT document FROM (SELECT * FROM (SELECT {ROW} = 1 EXCEPT SELECT {ROW} = 0)
                 UNION ALL SELECT * FROM (SELECT {ROW} = 0 EXCEPT SELECT {ROW} = 1))
                 WHERE document IN (SELECT document FROM fingerprint WHERE run = ?)"
            ),
            [run],
            |r| id(r, 0),
        )
    }

    /// What was found stands in the documents now. Counts documents of extraction `run` by their worst gate: those that fail,
    /// those with warnings only.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn settle_judging(&mut self, run: i64) -> Result<(u64, u64), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        tx.execute("DELETE FROM judged WHERE fresh = 0", [])
            .map_err(sql)?;
        tx.execute("UPDATE judged SET fresh = 0", []).map_err(sql)?;
        let worst = "max(f.own, coalesce((SELECT max(j.level) FROM judged j WHERE j.fresh = 0 AND j.document = f.document), 0))";
        let counts = tx
            .query_row(
                &format!(
                    "SELECT coalesce(sum({worst} = 2), 0), coalesce(sum({worst} = 1), 0) FROM fingerprint f WHERE f.run = ?"
                ),
                [run],
                |r| Ok((unsigned(r.get(0)?), unsigned(r.get(1)?))),
            )
            .map_err(sql)?;
        tx.commit().map_err(sql)?;
        Ok(counts)
    }

    /// How many documents of a collection one gate names, and the first of them with their pages.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn named_by(
        &self,
        asked: Asked<'_>,
        limit: usize,
    ) -> Result<(u64, Vec<(String, JudgedRow)>), LedgerError> {
        const OF: &str =
            "judged j JOIN fingerprint f ON f.document = j.document AND f.run = ?1 AND f.collection = ?2
             WHERE j.fresh = 1 AND j.gate = ?3";
        let count = self.count(
            &format!("SELECT count(*) FROM {OF}"),
            params![asked.run, asked.collection, asked.gate],
        )?;
        let first = self.all(
            &format!(
                "SELECT j.document, j.gate, j.rule, j.level, j.other, j.number,
                   coalesce((SELECT u.url FROM document d JOIN url u ON u.id = d.url_id WHERE d.id = j.document), j.document)
                 FROM {OF} ORDER BY j.document LIMIT ?4"
            ),
            params![asked.run, asked.collection, asked.gate, int(limit)],
            |r| Ok((r.get(6)?, judged(r)?)),
        )?;
        Ok((count, first))
    }

    /// The middle length of a collection's bodies, in letters and digits; 0 without documents.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn median_letters(&self, run: i64, collection: &str) -> Result<u64, LedgerError> {
        self.count(
            "SELECT coalesce((SELECT letters FROM fingerprint WHERE run = ?1 AND collection = ?2 ORDER BY letters
               LIMIT 1 OFFSET (SELECT count(*) / 2 FROM fingerprint WHERE run = ?1 AND collection = ?2)), 0)",
            params![run, collection],
        )
    }

    /// What was accepted last.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn accepted(&self) -> Result<Option<AcceptedRow>, LedgerError> {
        self.conn
            .query_row(
                "SELECT a.at, r.uid, a.profile FROM accepted a LEFT JOIN run r ON r.id = a.run ORDER BY a.id DESC LIMIT 1",
                [],
                |r| {
                    Ok(AcceptedRow {
                        at: r.get(0)?,
                        run: r.get(1)?,
                        profile: r.get(2)?,
                    })
                },
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// What later extractions are measured against; by a run that delivered it, or by a person. What is accepted already
    /// is not written again.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn accept(&mut self, run: Option<i64>, profile: &str, at: i64) -> Result<(), LedgerError> {
        if self.accepted()?.is_some_and(|last| last.profile == profile) {
            return Ok(());
        }
        self.change(
            "INSERT INTO accepted (at, run, profile) VALUES (?,?,?)",
            params![at, run, profile],
        )
    }

    fn change(&mut self, text: &str, params: impl rusqlite::Params) -> Result<(), LedgerError> {
        self.conn
            .prepare_cached(text)
            .and_then(|mut s| s.execute(params))
            .map(|_| ())
            .map_err(|e| LedgerError::sql(&self.path, e))
    }
}

fn sketch(r: &Row<'_>) -> rusqlite::Result<SketchRow> {
    Ok(SketchRow {
        document: id(r, 0)?,
        body: r.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
        sketch: r.get(2)?,
    })
}
