//! What nothing needs any more. A capture may go only if the ledger could be made anew from the rest of the archive and would be the
//! same, documents included. Answers of pages teach the crawl links, spellings and what "not found" looks like, so they stay for
//! ever; what goes are older versions and repetitions of pictures and files, which are the bulk of an archive's bytes.

use super::query::{int, unsigned};
use super::{Ledger, LedgerError, Place};
use rusqlite::params;
use serde_json::Value;
use std::collections::BTreeMap;

/// What one file of the archive holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holding {
    /// Its name.
    pub file: String,
    /// Captures that something needs.
    pub needed: u64,
    /// Captures that nothing needs.
    pub disposable: u64,
    /// Bytes of their responses.
    pub bytes: u64,
}

/// A capture that may be a revisit of a disposable one: it has the same body, or says that nothing changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// The disposable capture.
    pub disposable: i64,
    /// Where it stands.
    pub place: Place,
    /// A newer one that is needed.
    pub newer: Place,
}

/// Runs that are gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OldRuns {
    /// Runs.
    pub runs: u64,
    /// Lines of their journals.
    pub writes: u64,
    /// Revisions of documents that only they had.
    pub revisions: u64,
}

const DISPOSABLE: &str = "
INSERT INTO temp.disposable (id, file, offset, length)
SELECT c.id, c.file, c.offset, c.length FROM capture c JOIN url u ON u.id = c.url_id JOIN name f ON f.id = c.file
WHERE c.at < ?1 AND c.chain IS NULL
  -- the end of the archive, the newest answer of each address, what stands for it now or did before its last run
  AND c.id <> (SELECT max(id) FROM capture WHERE file IS NOT NULL)
  AND c.id <> (SELECT max(n.id) FROM capture n WHERE n.url_id = c.url_id)
  AND u.capture IS NOT c.id
  AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.url_id = c.url_id AND v.before = c.id)
  -- the newest versions
  AND (SELECT count(*) FROM capture v WHERE v.url_id = c.url_id AND v.id > c.id AND v.hash IS NOT NULL) >= ?2
  -- evidence
  AND NOT EXISTS (SELECT 1 FROM miss m WHERE m.url_id = c.url_id AND m.capture = c.id AND m.ended IS NULL)
  AND f.text || ' at ' || c.offset NOT IN (SELECT place FROM temp.evidence)
  -- what a document was made of
  AND NOT EXISTS (SELECT 1 FROM document d WHERE d.url_id = c.url_id AND d.capture = c.hash)
  -- lists and whatever announced something
  AND u.list IS NULL AND NOT EXISTS (SELECT 1 FROM pager p WHERE p.list = u.id)
  AND u.id NOT IN (SELECT parent FROM temp.announcer)
  -- what a page was answered teaches the crawl what is no content: all of it stays
  AND u.kind = 1 AND c.hash IS NOT NULL";

impl Ledger {
    /// Finds the captures from before `before` (milliseconds since 1970) that nothing needs; the newest `versions` of each
    /// address stay. What this finds is remembered until the ledger is closed.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn find_disposable(&mut self, before: i64, versions: u32) -> Result<(), LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        tx.execute_batch(
            "DROP TABLE IF EXISTS temp.disposable; DROP TABLE IF EXISTS temp.evidence; DROP TABLE IF EXISTS temp.announcer;
             CREATE TEMP TABLE disposable (id INTEGER PRIMARY KEY, file INTEGER NOT NULL, offset INTEGER NOT NULL, length INTEGER NOT NULL);
             CREATE TEMP TABLE evidence (place TEXT PRIMARY KEY) WITHOUT ROWID;
             CREATE TEMP TABLE announcer (parent INTEGER PRIMARY KEY);
             INSERT OR IGNORE INTO temp.announcer SELECT parent FROM found;
             INSERT OR IGNORE INTO temp.evidence SELECT e.value ->> 'archived' FROM tombstone t, json_each(t.evidence) e
               WHERE json_valid(t.evidence) AND e.value ->> 'archived' IS NOT NULL;",
        )
        .map_err(sql)?;
        tx.execute(DISPOSABLE, params![before, versions.max(1)])
            .map_err(sql)?;
        tx.commit().map_err(sql)
    }

    /// Disposable captures that a newer one of the same body may refer to, with that one: at most `limit` behind
    /// `after` (disposable and newer capture).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn suspects(
        &self,
        after: (i64, i64),
        limit: usize,
    ) -> Result<(Vec<Suspect>, (i64, i64)), LedgerError> {
        let mut last = after;
        let rows = self.all(
            "SELECT d.id, df.text, d.offset, d.length, nf.text, n.offset, n.length, n.id FROM temp.disposable d
             JOIN capture c ON c.id = d.id JOIN name df ON df.id = d.file
             JOIN capture n ON n.url_id = c.url_id AND n.id > c.id AND (n.hash = c.hash OR n.status = 304) JOIN name nf ON nf.id = n.file
             WHERE (d.id, n.id) > (?, ?) AND n.id NOT IN (SELECT id FROM temp.disposable) ORDER BY d.id, n.id LIMIT ?",
            params![after.0, after.1, int(limit)],
            |r| {
                Ok((
                    Suspect {
                        disposable: r.get(0)?,
                        place: place(r, 1)?,
                        newer: place(r, 4)?,
                    },
                    r.get::<_, i64>(7)?,
                ))
            },
        )?;
        if let Some((suspect, newer)) = rows.last() {
            last = (suspect.disposable, *newer);
        }
        Ok((rows.into_iter().map(|r| r.0).collect(), last))
    }

    /// A capture is needed after all.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn spare(&mut self, captures: &[i64]) -> Result<(), LedgerError> {
        for id in captures {
            self.conn
                .execute("DELETE FROM temp.disposable WHERE id = ?", [id])
                .map_err(|e| LedgerError::sql(&self.path, e))?;
        }
        Ok(())
    }

    /// What each file of the archive holds, by name.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn holdings(&self) -> Result<Vec<Holding>, LedgerError> {
        self.all(
            "SELECT f.text, count(*) - count(d.id), count(d.id), coalesce(sum(d.length), 0) FROM capture c
             JOIN name f ON f.id = c.file LEFT JOIN temp.disposable d ON d.id = c.id GROUP BY f.text ORDER BY f.text",
            [],
            |r| {
                Ok(Holding {
                    file: r.get(0)?,
                    needed: unsigned(r.get(1)?),
                    disposable: unsigned(r.get(2)?),
                    bytes: unsigned(r.get(3)?),
                })
            },
        )
    }

    /// Files that hold a newer capture of a body which one of `files` holds, too: they may refer to it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn may_refer_to(&self, file: &str) -> Result<Vec<String>, LedgerError> {
        self.all(
            "SELECT DISTINCT nf.text FROM capture c JOIN name f ON f.id = c.file
             JOIN capture n ON n.url_id = c.url_id AND n.id > c.id AND (n.hash = c.hash OR n.status = 304) AND n.file <> c.file
             JOIN name nf ON nf.id = n.file WHERE f.text = ?1 AND c.hash IS NOT NULL",
            [file],
            |r| r.get(0),
        )
    }

    /// Offsets of a file with what stands there: is it disposable? In order.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn held_in(&self, file: &str) -> Result<Vec<(u64, bool)>, LedgerError> {
        self.all(
            "SELECT c.offset, d.id IS NOT NULL FROM capture c JOIN name f ON f.id = c.file
             LEFT JOIN temp.disposable d ON d.id = c.id WHERE f.text = ? ORDER BY c.offset",
            [file],
            |r| Ok((unsigned(r.get(0)?), r.get(1)?)),
        )
    }

    /// Takes the new places of captures, and forgets the disposable ones of the files that were written anew: all in one
    /// transaction. Evidence that names a place names the new one.
    ///
    /// # Errors
    /// What SQLite says; then nothing changed.
    pub fn moved(&mut self, files: &[String], moved: &[(Place, Place)]) -> Result<u64, LedgerError> {
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        let mut forgotten = 0;
        tx.execute_batch(
            "DROP TABLE IF EXISTS temp.moved; CREATE TEMP TABLE moved (old TEXT PRIMARY KEY, new TEXT NOT NULL) WITHOUT ROWID;",
        )
        .map_err(sql)?;
        for file in files {
            tx.execute(
                "UPDATE miss SET capture = NULL WHERE capture IN (SELECT d.id FROM temp.disposable d JOIN name f ON f.id = d.file WHERE f.text = ?)",
                [file],
            )
            .map_err(sql)?;
            forgotten += tx
                .execute(
                    "DELETE FROM capture WHERE id IN (SELECT d.id FROM temp.disposable d JOIN name f ON f.id = d.file WHERE f.text = ?)",
                    [file],
                )
                .map_err(sql)?;
        }
        // All rows of a file go to one new file: a second pass would find what the first one has moved.
        for (old, new) in moved {
            tx.prepare_cached("INSERT OR IGNORE INTO name (text) VALUES (?)")
                .and_then(|mut s| s.execute([&new.file]))
                .map_err(sql)?;
            tx.prepare_cached(
                "UPDATE capture SET file = (SELECT id FROM name WHERE text = ?1), offset = ?2, length = ?3
                 WHERE file = (SELECT id FROM name WHERE text = ?4) AND offset = ?5",
            )
            .and_then(|mut s| {
                s.execute(params![
                    new.file,
                    new.offset.cast_signed(),
                    new.length.cast_signed(),
                    old.file,
                    old.offset.cast_signed()
                ])
            })
            .map_err(sql)?;
            let at = |p: &Place| format!("{} at {}", p.file, p.offset);
            tx.prepare_cached("INSERT OR IGNORE INTO temp.moved SELECT ?1, ?2 WHERE ?1 IN (SELECT place FROM temp.evidence)")
                .and_then(|mut s| s.execute([at(old), at(new)]))
                .map_err(sql)?;
        }
        evidence_moved(&tx).map_err(sql)?;
        tx.commit().map_err(sql)?;
        Ok(forgotten as u64)
    }

    /// Files of the archive that the ledger names.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn named_files(&self) -> Result<Vec<String>, LedgerError> {
        self.all(
            "SELECT DISTINCT f.text FROM capture c JOIN name f ON f.id = c.file ORDER BY f.text",
            [],
            |r| r.get(0),
        )
    }

    /// Forgets runs from before `before` (milliseconds since 1970) with the journal of their writes: not the last one of each
    /// command and end, not those that wrote what is in a target now, that found a page gone which is still gone, or whose
    /// writes have no answer. What documents were goes with them, but for what a run that stays had, what stands now, and what
    /// a verdict or an open plan (`planned`: document and content) names. `dry`: only counts them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn forget_runs(
        &mut self,
        before: i64,
        planned: &[(String, String)],
        dry: bool,
    ) -> Result<OldRuns, LedgerError> {
        const OLD: &str = "started < ?1 AND id NOT IN (SELECT max(id) FROM run GROUP BY command)
            AND id NOT IN (SELECT max(id) FROM run WHERE outcome IS NOT NULL GROUP BY command, outcome)
            AND id NOT IN (SELECT run FROM delivery) AND id NOT IN (SELECT run FROM push WHERE done IS NULL)
            AND id NOT IN (SELECT run FROM miss WHERE ended IS NULL) AND id NOT IN (SELECT run FROM tombstone)
            AND id NOT IN (SELECT before_run FROM visit WHERE before_run IS NOT NULL)";
        let path = &self.path;
        let sql = |e| LedgerError::sql(path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        let writes = tx
            .execute(
                &format!("DELETE FROM push WHERE run IN (SELECT id FROM run WHERE {OLD})"),
                [before],
            )
            .map_err(sql)?;
        let runs = tx
            .execute(&format!("DELETE FROM run WHERE {OLD}"), [before])
            .map_err(sql)?;
        let revisions = super::history::forget(&tx, planned).map_err(sql)?;
        if dry {
            tx.rollback().map_err(sql)?;
        } else {
            tx.commit().map_err(sql)?;
        }
        Ok(OldRuns {
            runs: runs as u64,
            writes: writes as u64,
            revisions: revisions as u64,
        })
    }
}

/// Tombstones name the new places of their evidence.
fn evidence_moved(tx: &rusqlite::Transaction<'_>) -> rusqlite::Result<()> {
    let went: BTreeMap<String, String> = tx
        .prepare("SELECT old, new FROM temp.moved")?
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    if went.is_empty() {
        return Ok(());
    }
    let stones: Vec<(i64, String, i64, String)> = tx
        .prepare("SELECT target, key, at, evidence FROM tombstone")?
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (target, key, at, evidence) in stones {
        let Ok(mut misses) = serde_json::from_str::<Vec<Value>>(&evidence) else {
            continue;
        };
        let mut changed = false;
        for miss in &mut misses {
            if let Some(new) = miss["archived"].as_str().and_then(|old| went.get(old)) {
                miss["archived"] = new.clone().into();
                changed = true;
            }
        }
        if changed {
            tx.execute(
                "UPDATE tombstone SET evidence = ? WHERE target = ? AND key = ? AND at = ?",
                params![Value::from(misses).to_string(), target, key, at],
            )?;
        }
    }
    Ok(())
}

fn place(r: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Place> {
    Ok(Place {
        file: r.get(at)?,
        offset: unsigned(r.get(at + 1)?),
        length: unsigned(r.get(at + 2)?),
    })
}
