//! Documents as a person looks through them: by collection and key, by title, gates, verdict and delivery. One row a
//! document that is never joined while it is searched, so that a hundred thousand are looked through in a moment.

use super::query::{int, unsigned};
use super::{Kind, Ledger, LedgerError};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension as _, Row, params, params_from_iter};

/// `sort` is the order of the list, `find` what searches look at, both made by the caller. `level` and `verdict` follow
/// their own tables by triggers, whoever writes those.
pub(super) const SCHEMA: &str = "
ALTER TABLE verdict ADD COLUMN who TEXT NOT NULL DEFAULT '';
CREATE TABLE shelf (sort TEXT PRIMARY KEY, id TEXT NOT NULL UNIQUE, title TEXT NOT NULL, find TEXT NOT NULL,
  content TEXT NOT NULL, level INTEGER NOT NULL, verdict INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX shelf_level ON shelf (level, sort);
CREATE INDEX shelf_verdict ON shelf (verdict, sort);
CREATE TABLE verdict_log (id INTEGER PRIMARY KEY, key TEXT NOT NULL, revision TEXT NOT NULL, verdict INTEGER NOT NULL,
  note TEXT NOT NULL, who TEXT NOT NULL, at INTEGER NOT NULL);
CREATE INDEX verdict_log_key ON verdict_log (key, id);
INSERT INTO verdict_log (key, revision, verdict, note, who, at)
  SELECT key, revision, CASE WHEN approved THEN 1 ELSE 2 END, coalesce(note, ''), '', at FROM verdict ORDER BY at;
CREATE TRIGGER verdict_made AFTER INSERT ON verdict BEGIN
  INSERT INTO verdict_log (key, revision, verdict, note, who, at) VALUES
    (new.key, new.revision, CASE WHEN new.approved THEN 1 ELSE 2 END, coalesce(new.note, ''), new.who, new.at);
  UPDATE shelf SET verdict = CASE WHEN new.revision <> content THEN 3 WHEN new.approved THEN 1 ELSE 2 END
    WHERE id = substr(new.key, 5);
END;
CREATE TRIGGER verdict_changed AFTER UPDATE ON verdict BEGIN
  INSERT INTO verdict_log (key, revision, verdict, note, who, at) VALUES
    (new.key, new.revision, CASE WHEN new.approved THEN 1 ELSE 2 END, coalesce(new.note, ''), new.who, new.at);
  UPDATE shelf SET verdict = CASE WHEN new.revision <> content THEN 3 WHEN new.approved THEN 1 ELSE 2 END
    WHERE id = substr(new.key, 5);
END;
CREATE TRIGGER verdict_gone AFTER DELETE ON verdict BEGIN
  UPDATE shelf SET verdict = 0 WHERE id = substr(old.key, 5);
END;
CREATE TRIGGER document_changed AFTER UPDATE ON document
  WHEN old.content IS NOT new.content OR old.state IS NOT new.state OR old.gates IS NOT new.gates BEGIN
  UPDATE shelf SET content = new.content,
    level = CASE WHEN new.state = 'gated' THEN 2 WHEN coalesce(new.gates, '') <> '' THEN 1 ELSE 0 END,
    verdict = coalesce((SELECT CASE WHEN v.revision <> new.content THEN 3 WHEN v.approved THEN 1 ELSE 2 END
      FROM verdict v WHERE v.key = 'doc:' || new.id), 0) WHERE id = new.id;
END;
";

/// What gates say of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// All passed.
    Clean,
    /// Something is worth a look.
    Warn,
    /// It may not be delivered.
    Fail,
}

/// What a person decided of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Nothing yet, or it was withdrawn.
    Open,
    /// It may be delivered.
    Approved,
    /// It must not.
    Rejected,
    /// Something, of an earlier revision: it holds no more.
    Outdated,
}

impl Level {
    /// For JSON and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    const fn from_code(code: i64) -> Self {
        match code {
            0 => Self::Clean,
            1 => Self::Warn,
            _ => Self::Fail,
        }
    }
}

impl Decision {
    /// For JSON and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Outdated => "outdated",
        }
    }

    pub(super) const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Approved,
            2 => Self::Rejected,
            3 => Self::Outdated,
            _ => Self::Open,
        }
    }
}

/// A document in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShelfRow {
    /// Its place in the list: unique.
    pub sort: String,
    /// Id of the document.
    pub id: String,
    /// Its title, or its key.
    pub title: String,
    /// What gates say.
    pub level: Level,
    /// What a person decided.
    pub verdict: Decision,
}

/// What is put on the shelf of a document that the ledger has.
#[derive(Clone, Debug)]
pub struct Shelved {
    /// Id of the document.
    pub id: String,
    /// Its place in the list: unique, and beginning with its collection and a `/`.
    pub sort: String,
    /// Its title, or its key.
    pub title: String,
    /// What searches look at, folded.
    pub find: String,
}

/// Which documents are listed. Empty: all.
#[derive(Clone, Debug, Default)]
pub struct ShelfFilter {
    /// Of this collection.
    pub collection: Option<String>,
    /// With this worst result of a gate.
    pub level: Option<Level>,
    /// With this verdict.
    pub verdict: Option<Decision>,
    /// In this state in any CMS: `live`, `staged`, `retired`, `refused`; `none`: nowhere.
    pub delivered: Option<String>,
    /// Which hold all these words, folded as [`Shelved::find`] is.
    pub words: Vec<String>,
}

impl ShelfFilter {
    /// The condition, and what is bound in it.
    fn sql(&self) -> (String, Vec<Value>) {
        let (mut text, mut values) = (String::from("1"), Vec::new());
        if let Some(collection) = &self.collection {
            // `0` is the character behind `/`.
            text.push_str(" AND sort >= ? AND sort < ?");
            values.push(Value::Text(format!("{collection}/")));
            values.push(Value::Text(format!("{collection}0")));
        }
        if let Some(level) = self.level {
            text.push_str(" AND level = ?");
            values.push(Value::Integer(level as i64));
        }
        if let Some(verdict) = self.verdict {
            text.push_str(" AND verdict = ?");
            values.push(Value::Integer(verdict as i64));
        }
        if let Some(delivered) = &self.delivered {
            let states = match delivered.as_str() {
                "staged" => "1",
                "live" => "2",
                "retired" => "3",
                "refused" => "4",
                _ => "1, 2, 3, 4",
            };
            let not = if delivered == "none" { "NOT " } else { "" };
            text.push_str(&format!(
                " AND {not}EXISTS (SELECT 1 FROM target t JOIN delivery d ON d.target = t.id AND d.kind = {}
                   AND d.key = 'doc:' || shelf.id WHERE d.state IN ({states}))",
                Kind::Document.code()
            ));
        }
        for word in &self.words {
            text.push_str(" AND instr(find, ?) > 0");
            values.push(Value::Text(word.clone()));
        }
        (text, values)
    }
}

const SHELF: &str = "SELECT sort, id, title, level, verdict FROM shelf";

fn shelf(r: &Row<'_>) -> rusqlite::Result<ShelfRow> {
    Ok(ShelfRow {
        sort: r.get(0)?,
        id: r.get(1)?,
        title: r.get(2)?,
        level: Level::from_code(r.get(3)?),
        verdict: Decision::from_code(r.get(4)?),
    })
}

impl Ledger {
    /// At most `limit` documents behind `after` (`""`: from the first), in order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelf(
        &self,
        filter: &ShelfFilter,
        after: &str,
        limit: usize,
    ) -> Result<Vec<ShelfRow>, LedgerError> {
        let (condition, mut values) = filter.sql();
        values.push(Value::Text(after.to_owned()));
        values.push(Value::Integer(int(limit)));
        self.all(
            &format!("{SHELF} WHERE {condition} AND sort > ? ORDER BY sort LIMIT ?"),
            params_from_iter(values),
            shelf,
        )
    }

    /// At most `limit` documents before `before`, nearest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelf_before(
        &self,
        filter: &ShelfFilter,
        before: &str,
        limit: usize,
    ) -> Result<Vec<ShelfRow>, LedgerError> {
        let (condition, mut values) = filter.sql();
        values.push(Value::Text(before.to_owned()));
        values.push(Value::Integer(int(limit)));
        self.all(
            &format!("{SHELF} WHERE {condition} AND sort < ? ORDER BY sort DESC LIMIT ?"),
            params_from_iter(values),
            shelf,
        )
    }

    /// How many documents there are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelf_count(&self, filter: &ShelfFilter) -> Result<u64, LedgerError> {
        let (condition, values) = filter.sql();
        self.conn
            .prepare_cached(&format!("SELECT count(*) FROM shelf WHERE {condition}"))
            .and_then(|mut s| s.query_row(params_from_iter(values), |r| r.get(0)))
            .map(unsigned)
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// How many documents stand before this place or at it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelf_place(&self, filter: &ShelfFilter, sort: &str) -> Result<u64, LedgerError> {
        let (condition, mut values) = filter.sql();
        values.push(Value::Text(sort.to_owned()));
        self.conn
            .prepare_cached(&format!(
                "SELECT count(*) FROM shelf WHERE {condition} AND sort <= ?"
            ))
            .and_then(|mut s| s.query_row(params_from_iter(values), |r| r.get(0)))
            .map(unsigned)
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// How many documents have which verdict.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelf_verdicts(&self) -> Result<Vec<(Decision, u64)>, LedgerError> {
        self.all("SELECT verdict, count(*) FROM shelf GROUP BY verdict", [], |r| {
            Ok((Decision::from_code(r.get(0)?), unsigned(r.get(1)?)))
        })
    }

    /// Collections of the list, in order. Looks at one row of each.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelf_collections(&self) -> Result<Vec<String>, LedgerError> {
        let (mut found, mut after) = (Vec::new(), String::new());
        loop {
            let next: Vec<String> = self.all(
                "SELECT substr(sort, 1, instr(sort, '/') - 1) FROM shelf WHERE sort >= ? ORDER BY sort LIMIT 1",
                [&after],
                |r| r.get(0),
            )?;
            let Some(collection) = next.into_iter().next() else {
                return Ok(found);
            };
            // `0` is the character behind `/`.
            after = format!("{collection}0");
            found.push(collection);
        }
    }

    /// One document of the list.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelved(&self, document: &str) -> Result<Option<ShelfRow>, LedgerError> {
        self.conn
            .query_row(&format!("{SHELF} WHERE id = ?"), [document], shelf)
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Ids and collections of at most `limit` documents behind `after` that are not on the shelf.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn unshelved(&self, after: &str, limit: usize) -> Result<Vec<(String, String)>, LedgerError> {
        self.all(
            "SELECT d.id, d.collection FROM document d WHERE d.id > ? AND NOT EXISTS (SELECT 1 FROM shelf s WHERE s.id = d.id)
             ORDER BY d.id LIMIT ?",
            params![after, int(limit)],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )
    }

    /// Puts documents on the shelf, or what is new about them, in one transaction. Those that the ledger does not have are
    /// left out.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shelve(&mut self, rows: &[Shelved]) -> Result<(), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        {
            // A document that changed its collection has another place, and its old one is free.
            let mut take = tx
                .prepare_cached("DELETE FROM shelf WHERE id = ? AND sort <> ?")
                .map_err(sql)?;
            let mut put = tx
                .prepare_cached(
                    "INSERT INTO shelf (sort, id, title, find, content, level, verdict)
                     SELECT ?2, d.id, ?3, ?4, d.content,
                       CASE WHEN d.state = 'gated' THEN 2 WHEN coalesce(d.gates, '') <> '' THEN 1 ELSE 0 END,
                       coalesce((SELECT CASE WHEN v.revision <> d.content THEN 3 WHEN v.approved THEN 1 ELSE 2 END
                         FROM verdict v WHERE v.key = 'doc:' || d.id), 0)
                     FROM document d WHERE d.id = ?1
                     ON CONFLICT (sort) DO UPDATE SET title = excluded.title, find = excluded.find, content = excluded.content,
                       level = excluded.level, verdict = excluded.verdict
                     WHERE title <> excluded.title OR find <> excluded.find",
                )
                .map_err(sql)?;
            for row in rows {
                take.execute(params![row.id, row.sort]).map_err(sql)?;
                put.execute(params![row.id, row.sort, row.title, row.find])
                    .map_err(sql)?;
            }
        }
        tx.commit().map_err(sql)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{CaptureId, DocumentId};
    use crate::ledger::{DocumentRow, Recorded};

    fn row(n: usize, content: &str, state: &str) -> DocumentRow {
        DocumentRow {
            id: DocumentId::new("s", &n.to_string()),
            collection: "news".into(),
            source_key: format!("news:{n}"),
            url: None,
            state: state.into(),
            capture: None,
            content: content.into(),
            mapping: CaptureId::of(b"m"),
            gates: String::new(),
        }
    }

    fn record(ledger: &mut Ledger, run: i64, rows: &[DocumentRow]) {
        let recorded: Vec<_> = rows
            .iter()
            .map(|row| Recorded {
                row: row.clone(),
                imprint: CaptureId::of(format!("{}{}", row.id, row.content).as_bytes()),
                json: "{}".into(),
            })
            .collect();
        ledger.record_documents(run, &recorded, 1).unwrap();
    }

    #[test]
    fn a_verdict_is_seen_in_the_list_and_grows_old_with_the_document() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        super::super::open::before(&path, SCHEMA);
        let conn = rusqlite::Connection::open(&path).unwrap();
        // A verdict of a program that knew no names.
        conn.execute(
            "INSERT INTO verdict (key, revision, approved, note, at) VALUES ('doc:' || ?, 'r1', 1, 'gut', 5)",
            [DocumentId::new("s", "2").to_string()],
        )
        .unwrap();
        drop(conn);
        let mut ledger = Ledger::open(&path).unwrap();
        let rows: Vec<_> = (0..4)
            .map(|n| row(n, "r1", if n == 3 { "gated" } else { "extracted" }))
            .collect();
        let run = ledger.begin_run("r", "extract", CaptureId::of(b"m"), 1).unwrap();
        record(&mut ledger, run, &rows);
        assert_eq!(ledger.unshelved("", 9).unwrap().len(), 4);
        let shelved: Vec<_> = rows
            .iter()
            .enumerate()
            .map(|(n, r)| Shelved {
                id: r.id.to_string(),
                sort: format!("news/{n}"),
                title: format!("Tin {n}"),
                find: format!("tin {n}"),
            })
            .collect();
        ledger.shelve(&shelved).unwrap();
        assert!(ledger.unshelved("", 9).unwrap().is_empty());
        let verdicts = |ledger: &Ledger| -> Vec<Decision> {
            let all = ledger.shelf(&ShelfFilter::default(), "", 9).unwrap();
            all.iter().map(|r| r.verdict).collect()
        };
        use Decision::{Approved, Open, Outdated, Rejected};
        assert_eq!(verdicts(&ledger), [Open, Open, Approved, Open]);
        let id = |n: usize| rows[n].id.to_string();
        assert!(
            ledger
                .decide(&id(0), Some("r1"), false, "thiếu ảnh", "An", 9)
                .unwrap()
        );
        assert!(!ledger.decide(&id(1), Some("r0"), true, "", "An", 9).unwrap());
        assert_eq!(verdicts(&ledger), [Rejected, Open, Approved, Open]);
        record(
            &mut ledger,
            run,
            &[row(2, "r2", "extracted"), row(0, "r1", "gated")],
        );
        assert_eq!(verdicts(&ledger), [Rejected, Open, Outdated, Open]);
        assert!(!ledger.approved().unwrap().contains(&format!("doc:{}", id(2))));
        let failed = ShelfFilter {
            level: Some(Level::Fail),
            ..ShelfFilter::default()
        };
        assert_eq!(ledger.shelf_count(&failed).unwrap(), 2);
        let found = ShelfFilter {
            collection: Some("news".into()),
            words: vec!["tin".into(), "2".into()],
            delivered: Some("none".into()),
            ..ShelfFilter::default()
        };
        assert_eq!(ledger.shelf(&found, "", 9).unwrap()[0].id, id(2));
        assert_eq!(ledger.shelf_collections().unwrap(), ["news"]);
        let sort = &ledger.shelved(&id(2)).unwrap().unwrap().sort;
        assert_eq!(ledger.shelf_place(&ShelfFilter::default(), sort).unwrap(), 3);
        assert!(ledger.withdraw(&id(0), "Bình", 11).unwrap());
        assert_eq!(ledger.shelved(&id(0)).unwrap().unwrap().verdict, Open);
        let log: Vec<_> = ledger
            .verdict_log(&id(0))
            .unwrap()
            .into_iter()
            .map(|v| (v.decision, v.who))
            .collect();
        assert_eq!(log, [(Open, "Bình".into()), (Rejected, "An".into())]);
        let all = ledger.verdicts("", 9).unwrap();
        assert_eq!((all.len(), all[0].current), (1, false));
    }
}
