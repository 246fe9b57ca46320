//! What documents were: each run that made another one of a page, and the document as it was then.
//!
//! A row is written in the transaction that records the document, and only if something about it is not as it was: the first
//! time, when its content or how it came about changed, when the portal took its page off or showed it again, when no page
//! gives it any more. So what a run had is, for each document, its newest row at or before that run. A document that is as it
//! once was costs a row and no copy. Documents of a collection are much alike (keys, menus that were dropped), so most are packed
//! beside another one of theirs, which halves them. `rebuild` cannot know any of this: a ledger made of the archive begins a new history.

use super::records::DocumentRow;
use super::{Ledger, LedgerError, UrlState};
use crate::document::{CaptureId, DocumentId};
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use flate2::{Compress, Compression, Decompress};
use rusqlite::{OptionalExtension as _, Transaction, params};
use std::collections::HashSet;
use std::io::{Read as _, Write as _};

/// The schema of this file; a step of [`super::open`].
pub(super) const SCHEMA: &str = "
CREATE TABLE revision (document TEXT NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL, state INTEGER NOT NULL, body INTEGER,
  PRIMARY KEY (document, run)) WITHOUT ROWID;
CREATE TABLE revision_body (id INTEGER PRIMARY KEY, imprint BLOB NOT NULL UNIQUE, content TEXT NOT NULL, collection TEXT NOT NULL,
  base INTEGER, json BLOB NOT NULL);
CREATE INDEX revision_whole ON revision_body (collection, id) WHERE base IS NULL;
";

/// Largest document that is read back, in bytes.
const MAX: u64 = 1 << 30;

/// Documents that are looked at in one go.
const CHUNK: usize = 1000;

/// What a row says of its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It is a document of the run, and its page is on the portal.
    There,
    /// It is a document of the run; the portal does not show its page any more.
    Withdrawn,
    /// The run had no such document: no page gave it.
    Removed,
}

impl Standing {
    const fn code(self) -> i64 {
        self as i64
    }
    const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Withdrawn,
            2 => Self::Removed,
            _ => Self::There,
        }
    }
    /// For people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::There => "there",
            Self::Withdrawn => "withdrawn",
            Self::Removed => "removed",
        }
    }
}

/// A document as a run recorded it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Row of the run that found it so.
    pub run: i64,
    /// Its id; empty if the run is forgotten.
    pub run_uid: String,
    /// When (milliseconds since 1970).
    pub at: i64,
    /// Hash of the content (the document's revision); empty if it was removed.
    pub content: String,
    /// What the row says of the document.
    pub standing: Standing,
}

/// A document that is recorded, with what its history needs of it.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// The row of the present.
    pub row: DocumentRow,
    /// Hash of all that a comparison looks at (`diff::imprint`): equal for two documents that do not differ.
    pub imprint: CaptureId,
    /// The document as it is written.
    pub json: String,
}

/// One document of a run's set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub id: String,
    /// Whether its page was on the portal.
    pub standing: Standing,
    /// See [`Recorded::imprint`].
    pub imprint: CaptureId,
    /// Number of its text, for [`Ledger::held_json`].
    pub body: i64,
}

/// Writes what is new about a document into its history.
pub(super) fn note(
    tx: &Transaction<'_>,
    run: i64,
    recorded: &Recorded,
    at: i64,
) -> Result<(), rusqlite::Error> {
    let id = recorded.row.id.to_string();
    let gone = match recorded.row.url {
        Some(url) => tx
            .prepare_cached(
                "SELECT u.state = ?2 OR EXISTS (SELECT 1 FROM miss m WHERE m.url_id = u.id AND m.ended IS NULL) FROM url u WHERE u.id = ?1",
            )?
            .query_row(params![url.0, UrlState::Gone.code()], |r| r.get::<_, bool>(0))
            .optional()?
            .unwrap_or(false),
        None => false,
    };
    let standing = if gone {
        Standing::Withdrawn
    } else {
        Standing::There
    };
    let imprint = recorded.imprint.as_bytes().as_slice();
    let last: Option<(i64, Option<Vec<u8>>)> = tx
        .prepare_cached(
            "SELECT r.state, b.imprint FROM revision r LEFT JOIN revision_body b ON b.id = r.body WHERE r.document = ? ORDER BY r.run DESC LIMIT 1",
        )?
        .query_row([&id], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    if last.is_some_and(|(state, was)| state == standing.code() && was.as_deref() == Some(imprint)) {
        return Ok(());
    }
    let known: Option<i64> = tx
        .prepare_cached("SELECT id FROM revision_body WHERE imprint = ?")?
        .query_row([imprint], |r| r.get(0))
        .optional()?;
    let body = match known {
        Some(body) => body,
        None => add(tx, recorded)?,
    };
    tx.prepare_cached("INSERT OR REPLACE INTO revision (document, run, at, state, body) VALUES (?,?,?,?,?)")?
        .execute(params![id, run, at, standing.code(), body])?;
    Ok(())
}

/// Adds the text of a document: beside the newest whole one of its collection, if that saves much; else whole.
fn add(tx: &Transaction<'_>, recorded: &Recorded) -> Result<i64, rusqlite::Error> {
    let row = &recorded.row;
    let newest: Option<(i64, Vec<u8>)> = tx
        .prepare_cached("SELECT id, json FROM revision_body WHERE collection = ? AND base IS NULL ORDER BY id DESC LIMIT 1")?
        .query_row([&row.collection], |r| Ok((r.get(0)?, r.get(1)?)))
        .optional()?;
    let (mut base, mut packed) = (None, pack(&recorded.json, None));
    if let Some((id, whole)) = newest
        && let Ok(beside) = inflate(&whole, None)
    {
        let small = pack(&recorded.json, Some(&beside));
        if small.len() * 4 < packed.len() * 3 {
            (base, packed) = (Some(id), small);
        }
    }
    tx.prepare_cached(
        "INSERT INTO revision_body (imprint, content, collection, base, json) VALUES (?,?,?,?,?)",
    )?
    .insert(params![
        recorded.imprint.as_bytes().as_slice(),
        row.content,
        row.collection,
        base,
        packed
    ])
}

impl Ledger {
    /// A whole extraction gave `seen` and nothing else: what was a document before is none in `run`. Answers how many.
    ///
    /// # Errors
    /// What SQLite says; then nothing changed.
    pub fn remove_unseen(
        &mut self,
        run: i64,
        seen: &HashSet<DocumentId>,
        at: i64,
    ) -> Result<u64, LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        let mut removed = 0;
        let mut after = String::new();
        loop {
            let chunk: Vec<(String, i64)> = tx
                .prepare_cached(
                    "SELECT r.document, r.state FROM revision r WHERE r.document > ?1
                       AND r.run = (SELECT max(n.run) FROM revision n WHERE n.document = r.document) ORDER BY r.document LIMIT ?2",
                )
                .and_then(|mut s| {
                    s.query_map(params![after, super::query::int(CHUNK)], |r| Ok((r.get(0)?, r.get(1)?)))?
                        .collect()
                })
                .map_err(sql)?;
            let Some(last) = chunk.last() else { break };
            after.clone_from(&last.0);
            for (id, state) in chunk {
                let is_seen = id.parse().is_ok_and(|id| seen.contains(&id));
                if is_seen || Standing::from_code(state) == Standing::Removed {
                    continue;
                }
                tx.prepare_cached(
                    "INSERT OR REPLACE INTO revision (document, run, at, state) VALUES (?,?,?,?)",
                )
                .and_then(|mut s| s.execute(params![id, run, at, Standing::Removed.code()]))
                .map_err(sql)?;
                removed += 1;
            }
        }
        tx.commit().map_err(sql)?;
        Ok(removed)
    }

    /// What a document was, newest first; empty for one that no run recorded since histories are kept.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn revisions(&self, document: &str) -> Result<Vec<Revision>, LedgerError> {
        self.all(
            "SELECT r.run, coalesce(n.uid, ''), r.at, coalesce(b.content, ''), r.state FROM revision r
             LEFT JOIN run n ON n.id = r.run LEFT JOIN revision_body b ON b.id = r.body WHERE r.document = ? ORDER BY r.run DESC",
            [document],
            |r| {
                Ok(Revision {
                    run: r.get(0)?,
                    run_uid: r.get(1)?,
                    at: r.get(2)?,
                    content: r.get(3)?,
                    standing: Standing::from_code(r.get(4)?),
                })
            },
        )
    }

    /// The canonical JSON of a document with this content; the newest one, if it came about in several ways.
    ///
    /// # Errors
    /// What SQLite says, [`LedgerError::Corrupt`] among it if the text cannot be read back.
    pub fn revision(&self, document: &str, content: &str) -> Result<Option<Vec<u8>>, LedgerError> {
        let body: Option<i64> = self
            .conn
            .prepare_cached(
                "SELECT b.id FROM revision r JOIN revision_body b ON b.id = r.body WHERE r.document = ? AND b.content = ?
                 ORDER BY r.run DESC LIMIT 1",
            )
            .and_then(|mut s| s.query_row([document, content], |r| r.get(0)).optional())
            .map_err(|e| LedgerError::sql(&self.path, e))?;
        body.map(|body| self.body(body)).transpose()
    }

    /// The first run whose documents are known; `None` if no history was written yet.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn history_begins(&self) -> Result<Option<i64>, LedgerError> {
        self.conn
            .query_row("SELECT min(run) FROM revision", [], |r| r.get(0))
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// At most `limit` documents that run `run` had, by id, after `after`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn documents_at(&self, run: i64, after: &str, limit: usize) -> Result<Vec<Held>, LedgerError> {
        self.all(
            "SELECT r.document, r.state, b.imprint, b.id FROM revision r JOIN revision_body b ON b.id = r.body
             WHERE r.document > ?1 AND r.state <> ?2
               AND r.run = (SELECT max(n.run) FROM revision n WHERE n.document = r.document AND n.run <= ?3)
             ORDER BY r.document LIMIT ?4",
            params![after, Standing::Removed.code(), run, super::query::int(limit)],
            |r| {
                Ok(Held {
                    id: r.get(0)?,
                    standing: Standing::from_code(r.get(1)?),
                    imprint: CaptureId::from_bytes(r.get(2)?),
                    body: r.get(3)?,
                })
            },
        )
    }

    /// The canonical JSON of a document of a run's set.
    ///
    /// # Errors
    /// What SQLite says, [`LedgerError::Corrupt`] among it if the text is not there or cannot be read back.
    pub fn held_json(&self, held: &Held) -> Result<Vec<u8>, LedgerError> {
        self.body(held.body)
    }

    fn body(&self, body: i64) -> Result<Vec<u8>, LedgerError> {
        let (packed, beside): (Vec<u8>, Option<Vec<u8>>) = self
            .conn
            .prepare_cached("SELECT b.json, w.json FROM revision_body b LEFT JOIN revision_body w ON w.id = b.base WHERE b.id = ?")
            .and_then(|mut s| s.query_row([body], |r| Ok((r.get(0)?, r.get(1)?))))
            .map_err(|e| LedgerError::sql(&self.path, e))?;
        let beside = beside.map(|whole| inflate(&whole, None)).transpose();
        let json = beside.and_then(|beside| inflate(&packed, beside.as_deref()));
        json.map_err(|error| LedgerError::Corrupt {
            path: self.path.clone(),
            what: format!("a revision of a document cannot be read: {error}"),
        })
    }
}

/// The end of a text beside which others are packed: deflate looks back no further.
fn end(beside: &[u8]) -> &[u8] {
    &beside[beside.len().saturating_sub(1 << 15)..]
}

/// zlib; beside another text: deflate with the end of that one as its dictionary.
fn pack(json: &str, beside: Option<&[u8]>) -> Vec<u8> {
    let mut compress = Compress::new(Compression::default(), beside.is_none());
    if let Some(beside) = beside {
        // Only a stream with a checksum of its own could refuse one, and this has none.
        let _ = compress.set_dictionary(end(beside));
    }
    let mut out = ZlibEncoder::new_with_compress(Vec::new(), compress);
    // A vector takes whatever it is given.
    let _ = out.write_all(json.as_bytes());
    out.finish().unwrap_or_default()
}

fn inflate(packed: &[u8], beside: Option<&[u8]>) -> std::io::Result<Vec<u8>> {
    let mut decompress = Decompress::new(beside.is_none());
    if let Some(beside) = beside {
        decompress
            .set_dictionary(end(beside))
            .map_err(std::io::Error::other)?;
    }
    let mut json = Vec::new();
    ZlibDecoder::new_with_decompress(packed, decompress)
        .take(MAX)
        .read_to_end(&mut json)?;
    Ok(json)
}

/// Forgets revisions that no run which is still known had. The newest one of each document stays, and what a verdict or one
/// of `planned` (document and content) names. Answers how many went.
pub(super) fn forget(tx: &Transaction<'_>, planned: &[(String, String)]) -> Result<usize, rusqlite::Error> {
    tx.execute_batch(
        "DROP TABLE IF EXISTS temp.planned;
         CREATE TEMP TABLE planned (document TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (document, content)) WITHOUT ROWID;",
    )?;
    for (document, content) in planned {
        tx.prepare_cached("INSERT OR IGNORE INTO temp.planned VALUES (?,?)")?
            .execute([document, content])?;
    }
    let gone = tx.execute(
        "DELETE FROM revision WHERE (document, run) IN (
           SELECT r.document, r.run FROM revision r LEFT JOIN revision_body b ON b.id = r.body
             JOIN revision n ON n.document = r.document
               AND n.run = (SELECT min(x.run) FROM revision x WHERE x.document = r.document AND x.run > r.run)
           WHERE NOT EXISTS (SELECT 1 FROM run k WHERE k.id >= r.run AND k.id < n.run)
             AND NOT EXISTS (SELECT 1 FROM verdict v WHERE v.key = 'doc:' || r.document AND v.revision = b.content)
             AND NOT EXISTS (SELECT 1 FROM temp.planned p WHERE p.document = r.document AND p.content = b.content))",
        [],
    )?;
    if gone > 0 {
        tx.execute(
            "DELETE FROM revision_body WHERE id NOT IN (SELECT body FROM revision WHERE body IS NOT NULL)
               AND id NOT IN (SELECT b.base FROM revision r JOIN revision_body b ON b.id = r.body WHERE b.base IS NOT NULL)",
            [],
        )?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    fn recorded(key: &str, said: &str) -> Recorded {
        let content = CaptureId::of(said.as_bytes());
        Recorded {
            row: DocumentRow {
                id: DocumentId::new("song", key),
                collection: "news".into(),
                source_key: key.into(),
                url: None,
                state: "extracted".into(),
                capture: None,
                content: content.to_string(),
                mapping: CaptureId::of(b"m"),
                gates: String::new(),
            },
            imprint: CaptureId::of(format!("{key} {said}").as_bytes()),
            json: format!("{{\"said\":\"{said}\"}}\n"),
        }
    }

    fn run(ledger: &mut Ledger, at: i64, said: &[(&str, &str)]) -> i64 {
        let run = ledger
            .begin_run(&format!("run-{at}"), "extract", CaptureId::of(b"m"), at)
            .unwrap();
        let all: Vec<Recorded> = said.iter().map(|(key, said)| recorded(key, said)).collect();
        ledger.record_documents(run, &all, at).unwrap();
        let seen = all.iter().map(|r| r.row.id).collect();
        ledger.remove_unseen(run, &seen, at).unwrap();
        ledger.finish_run(run, "done", "{}", at).unwrap();
        run
    }

    fn set(ledger: &Ledger, run: i64) -> Vec<String> {
        let mut all = Vec::new();
        let mut after = String::new();
        // One by one: the end of a page must lose nothing.
        while let Some(held) = ledger.documents_at(run, &after, 1).unwrap().pop() {
            all.push(String::from_utf8(ledger.held_json(&held).unwrap()).unwrap());
            after = held.id;
        }
        all.sort();
        all
    }

    fn said(all: &[&str]) -> Vec<String> {
        all.iter().map(|s| format!("{{\"said\":\"{s}\"}}\n")).collect()
    }

    #[test]
    fn a_run_has_what_it_had_and_what_is_as_it_was_costs_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
        let one = run(&mut ledger, 1, &[("a", "a1"), ("b", "b1")]);
        let two = run(&mut ledger, 2, &[("a", "a2"), ("c", "c1")]);
        let three = run(&mut ledger, 3, &[("a", "a1"), ("b", "b1"), ("c", "c1")]);
        assert_eq!(set(&ledger, one), said(&["a1", "b1"]));
        assert_eq!(set(&ledger, two), said(&["a2", "c1"]));
        assert_eq!(set(&ledger, three), said(&["a1", "b1", "c1"]));
        assert_eq!(ledger.history_begins().unwrap(), Some(one));
        let id = DocumentId::new("song", "b").to_string();
        let history = ledger.revisions(&id).unwrap();
        let told: Vec<_> = history
            .iter()
            .map(|r| (r.run_uid.as_str(), r.standing.as_str(), r.content.is_empty()))
            .collect();
        assert_eq!(
            told,
            [
                ("run-3", "there", false),
                ("run-2", "removed", true),
                ("run-1", "there", false)
            ]
        );
        let json = ledger.revision(&id, &history[0].content).unwrap().unwrap();
        assert_eq!(json, b"{\"said\":\"b1\"}\n");
        assert_eq!(ledger.revision(&id, "x").unwrap(), None);
        let bodies: i64 = ledger
            .conn
            .query_row("SELECT count(*) FROM revision_body", [], |r| r.get(0))
            .unwrap();
        assert_eq!(bodies, 4, "a1 and b1 came back and were not written again");
        let rows = |l: &Ledger| -> i64 {
            l.conn
                .query_row("SELECT count(*) FROM revision", [], |r| r.get(0))
                .unwrap()
        };
        let before = rows(&ledger);
        run(&mut ledger, 4, &[("a", "a1"), ("b", "b1"), ("c", "c1")]);
        assert_eq!(rows(&ledger), before);
    }

    #[test]
    fn gc_keeps_what_a_known_run_a_verdict_a_plan_or_the_present_needs() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
        for n in 1..=6 {
            let said = format!("a{n}");
            run(&mut ledger, n, &[("a", &said), ("b", "b1")]);
        }
        let id = DocumentId::new("song", "a").to_string();
        let content = |n: i64| CaptureId::of(format!("a{n}").as_bytes()).to_string();
        ledger
            .conn
            .execute(
                "INSERT INTO verdict (key, revision, approved, at) VALUES (?, ?, 1, 0)",
                params![format!("doc:{id}"), content(2)],
            )
            .unwrap();
        let planned = [(id.clone(), content(3))];
        let would = ledger.forget_runs(5, &planned, true).unwrap();
        assert_eq!(
            ledger.revisions(&id).unwrap().len(),
            6,
            "a dry run changes nothing"
        );
        let went = ledger.forget_runs(5, &planned, false).unwrap();
        assert_eq!(went, would);
        assert_eq!((went.runs, went.revisions), (4, 2));
        let left = ledger.revisions(&id).unwrap();
        let contents: Vec<String> = left.iter().map(|r| r.content.clone()).collect();
        assert_eq!(contents, [content(6), content(5), content(3), content(2)]);
        assert_eq!(left[3].run_uid, "", "its run is forgotten");
        // What was never changed since the first run is still what the runs that are known had.
        assert_eq!(set(&ledger, 5), said(&["a5", "b1"]));
        assert_eq!(set(&ledger, 6), said(&["a6", "b1"]));
        assert_eq!(ledger.revision(&id, &content(4)).unwrap(), None);
        assert_eq!(ledger.forget_runs(5, &planned, false).unwrap().revisions, 0);
    }

    #[test]
    fn texts_that_are_alike_are_small_and_outlive_the_one_that_they_are_packed_beside() {
        let menu = "Trang chủ, Giới thiệu, Tin tức, Số liệu thống kê, Văn bản, Liên hệ; ".repeat(3);
        let text = |n: i64| format!("{n} {menu} {}", blake3::hash(&n.to_le_bytes()).to_hex());
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&dir.path().join("ledger.db")).unwrap();
        for n in 1..=6 {
            run(&mut ledger, n, &[("a", &text(n)), ("b", &text(-n))]);
        }
        let sizes: Vec<(Option<i64>, i64)> = ledger
            .all(
                "SELECT base, length(json) FROM revision_body ORDER BY id",
                [],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .unwrap();
        assert_eq!(sizes[0].0, None);
        assert!(sizes[1..].iter().all(|(base, _)| *base == Some(1)), "{sizes:?}");
        assert!(sizes[1].1 * 4 < sizes[0].1 * 3, "{sizes:?}");
        ledger.forget_runs(6, &[], false).unwrap();
        let wanted = |n: i64| format!("{{\"said\":\"{}\"}}\n", text(n));
        let mut both = vec![wanted(6), wanted(-6)];
        both.sort();
        assert_eq!(set(&ledger, 6), both);
        assert_eq!(
            ledger
                .all("SELECT id FROM revision_body", [], |r| r.get::<_, i64>(0))
                .unwrap()
                .len(),
            3
        );
    }

    #[test]
    fn an_older_ledger_begins_its_history_when_it_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        open::before(&path, SCHEMA);
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.history_begins().unwrap(), None);
        let one = run(&mut ledger, 1, &[("a", "a1")]);
        assert_eq!(set(&ledger, one), said(&["a1"]));
    }
}
