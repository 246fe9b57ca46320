//! When a page is asked for again, and what lists and sitemaps said of it since: the memory of a sync's crawl. How long an
//! interval is decides `crawl::revisit`.

use super::{Batch, Ledger, LedgerError, UrlId};
use rusqlite::{OptionalExtension as _, params};

/// The schema of this file; a step of [`super::open`]. What was captured before it is asked for again at once.
pub(super) const SCHEMA: &str = "
CREATE TABLE visit (url_id INTEGER PRIMARY KEY, at INTEGER NOT NULL, every INTEGER NOT NULL, due INTEGER NOT NULL,
  open INTEGER NOT NULL DEFAULT 0, lastmod TEXT, before INTEGER, before_run INTEGER);
CREATE INDEX visit_due ON visit (due);
ALTER TABLE pager ADD COLUMN brief INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pager ADD COLUMN full_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pager ADD COLUMN full_generation INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pager ADD COLUMN usual INTEGER NOT NULL DEFAULT 0;
CREATE INDEX url_list ON url (list) WHERE list IS NOT NULL;
";

/// The last visit of a page or file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// When it answered (milliseconds since 1970).
    pub at: i64,
    /// Time to the next visit, in seconds.
    pub every: u64,
    /// When that is (milliseconds since 1970).
    pub due: i64,
    /// Its bytes changed; whether its content did is not known yet.
    pub open: bool,
}

/// What a list said of an item when it named it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// In which walk.
    pub generation: u32,
    /// The fields, as JSON.
    pub fields: Option<String>,
}

impl Batch<'_> {
    /// The last visit.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn visit(&self, id: UrlId) -> Result<Option<Visit>, LedgerError> {
        self.tx
            .prepare_cached("SELECT at, every, due, open FROM visit WHERE url_id = ?")
            .and_then(|mut s| s.query_row([id.0], visit).optional())
            .map_err(|e| LedgerError::sql(self.path, e))
    }

    /// Remembers a visit.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_visit(&mut self, id: UrlId, visit: &Visit) -> Result<(), LedgerError> {
        self.sql(
            "INSERT INTO visit (url_id, at, every, due, open) VALUES (?1,?2,?3,?4,?5)
             ON CONFLICT (url_id) DO UPDATE SET at = ?2, every = ?3, due = ?4, open = ?5",
            params![id.0, visit.at, visit.every.cast_signed(), visit.due, visit.open],
        )
    }

    /// Remembers which capture counted before this run, for the case that the new one turns out to be no content.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keep_before(&mut self, id: UrlId) -> Result<(), LedgerError> {
        self.sql(
            "INSERT INTO visit (url_id, at, every, due, before, before_run)
               SELECT id, 0, 0, 0, capture, ?2 FROM url WHERE id = ?1
             ON CONFLICT (url_id) DO UPDATE SET before = excluded.before, before_run = ?2 WHERE before_run IS NOT ?2",
            params![id.0, self.run],
        )
    }

    /// Everything that is due at `now` waits again, and so does what no visit is known of: pages and files, not the pages
    /// behind the first one of a list. Start pages, first pages of lists and sitemaps wait always.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reopen_due(&mut self, now: i64) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE kind IN (0, 1) AND state IN (1, 4, 5, 6) AND list IS NULL
             AND NOT EXISTS (SELECT 1 FROM visit v WHERE v.url_id = url.id AND v.due > ?)",
            [now],
        )?;
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE state IN (1, 2, 4, 5, 6) AND
             (kind = 2 OR kind = 0 AND (id IN (SELECT list FROM pager) OR via = (SELECT id FROM name WHERE text = 'start')))",
            [],
        )
    }

    /// Lists begin new walks: brief ones, which end at what is known, where a whole one ended well after `since`
    /// (milliseconds since 1970) and the last walk came to its end.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn begin_walks(&mut self, since: i64) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE pager SET brief = coalesce(stop, '') IN ('last-page', 'count-reached', 'no-new-items', 'max-pages', 'known-items', 'unchanged')
               AND full_at > ?, generation = generation + 1, pages = 0, no_new = 0, restarts = 0, stop = NULL",
            [since],
        )?;
        self.sql("UPDATE pager SET items = 0, total = NULL WHERE brief = 0", [])
    }

    /// A page of a list is as it was: its brief walks are over.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn end_brief_walks(&mut self, list: UrlId) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE pager SET stop = 'unchanged' WHERE list = ? AND brief = 1 AND stop IS NULL",
            [list.0],
        )
    }

    /// What a list said of an item in the last walk that named it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn named(&mut self, id: UrlId, rule: &str, list: UrlId) -> Result<Option<Named>, LedgerError> {
        let rule = self.name(rule)?;
        self.tx
            .prepare_cached(
                "SELECT generation, fields FROM found WHERE url_id = ? AND rule = ? AND list = ? ORDER BY generation DESC LIMIT 1",
            )
            .and_then(|mut s| {
                s.query_row(params![id.0, rule, list.0], |r| {
                    Ok(Named {
                        generation: r.get(0)?,
                        fields: r.get(1)?,
                    })
                })
                .optional()
            })
            .map_err(|e| LedgerError::sql(self.path, e))
    }

    /// A page waits again although it is not due, unless this run has asked for it. Tells whether it does.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ask_again(&mut self, id: UrlId) -> Result<bool, LedgerError> {
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE id = ?1 AND kind IN (0, 1) AND state IN (1, 4, 5, 6)
             AND NOT EXISTS (SELECT 1 FROM capture c WHERE c.url_id = ?1 AND c.run = ?2)",
            params![id.0, self.run],
        )?;
        Ok(self.tx.changes() > 0)
    }

    /// Is a page of this class gone, by what was said of it last?
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_gone(&self, id: UrlId) -> Result<bool, LedgerError> {
        self.one::<i64>("SELECT 1 FROM url WHERE id = ? AND state = 5", [id.0])
            .map(|found| found.is_some())
    }

    /// Takes a page into a walk through a list; `false` if this walk has it already.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn walk_to(&mut self, id: UrlId, list: UrlId, generation: u32) -> Result<bool, LedgerError> {
        self.sql(
            "UPDATE url SET list = ?2, generation = ?3, attempts = 0, not_before = 0, state = 0
             WHERE id = ?1 AND id <> ?2 AND state <> 3 AND (list IS NOT ?2 OR generation < ?3)",
            params![id.0, list.0, generation],
        )?;
        Ok(self.tx.changes() > 0)
    }

    /// Items that the last whole walk through a list named and this one, which is over, does not: at most `limit`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn dropped_from(
        &mut self,
        list: UrlId,
        rule: &str,
        since: u32,
        generation: u32,
        limit: usize,
    ) -> Result<Vec<UrlId>, LedgerError> {
        let rule = self.name(rule)?;
        self.tx
            .prepare_cached(
                "SELECT url_id FROM found WHERE list = ?1 AND rule = ?2 GROUP BY url_id
                 HAVING max(generation) >= ?3 AND max(generation) < ?4 LIMIT ?5",
            )
            .and_then(|mut s| {
                s.query_map(
                    params![
                        list.0,
                        rule,
                        since,
                        generation,
                        i64::try_from(limit).unwrap_or(i64::MAX)
                    ],
                    |r| r.get(0).map(UrlId),
                )?
                .collect()
            })
            .map_err(|e| LedgerError::sql(self.path, e))
    }

    /// What a sitemap says of the day on which a page changed. Answers what it said before: `None` if nothing.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn lastmod(&mut self, id: UrlId, said: &str) -> Result<Option<String>, LedgerError> {
        let before = self.one::<Option<String>>("SELECT lastmod FROM visit WHERE url_id = ?", [id.0])?;
        if before.as_ref().and_then(Option::as_deref) != Some(said) {
            self.sql(
                "INSERT INTO visit (url_id, at, every, due, lastmod) VALUES (?1, 0, 0, 0, ?2)
                 ON CONFLICT (url_id) DO UPDATE SET lastmod = ?2",
                params![id.0, said],
            )?;
        }
        Ok(before.flatten())
    }

    /// Probes of all handlers wait again: what "not found" looks like today is asked before pages are.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reopen_probes(&mut self) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE kind = 5 AND id IN (SELECT url_id FROM probe)",
            [],
        )
    }
}

impl Ledger {
    /// Probes that wait: rows and addresses.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn waiting_probes(&self) -> Result<Vec<(UrlId, String)>, LedgerError> {
        self.all(
            "SELECT id, url FROM url WHERE kind = 5 AND state = 0 ORDER BY id LIMIT 1000",
            [],
            |r| Ok((UrlId(r.get(0)?), r.get(1)?)),
        )
    }

    /// Number of the last answer on which a document could depend: not that something is as it was, by its server's word or by
    /// the same bytes under the same head, not robots.txt, a probe, or the lack of a sitemap.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_answer(&self) -> Result<i64, LedgerError> {
        self.conn
            .query_row(
                "SELECT coalesce((SELECT c.id FROM capture c JOIN url u ON u.id = c.url_id
                   WHERE c.status <> 304 AND (u.kind IN (0, 1, 4) OR u.kind = 2 AND c.status = 200)
                     AND NOT EXISTS (SELECT 1 FROM capture p WHERE c.hash IS NOT NULL
                       AND p.id = (SELECT max(b.id) FROM capture b WHERE b.url_id = c.url_id AND b.id < c.id AND b.status <> 304)
                       AND p.hash IS c.hash AND p.status IS c.status AND p.etag IS c.etag AND p.last_modified IS c.last_modified
                       AND p.final IS c.final AND p.chain IS c.chain AND p.mime IS c.mime AND p.disposition IS c.disposition)
                   ORDER BY c.id DESC LIMIT 1), 0)",
                [],
                |r| r.get(0),
            )
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// The last visit.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn visit(&self, id: UrlId) -> Result<Option<Visit>, LedgerError> {
        self.conn
            .prepare_cached("SELECT at, every, due, open FROM visit WHERE url_id = ?")
            .and_then(|mut s| s.query_row([id.0], visit).optional())
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Remembers visits, in one transaction.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_visits(&mut self, visits: &[(UrlId, Visit)]) -> Result<(), LedgerError> {
        if visits.is_empty() {
            return Ok(());
        }
        let mut batch = self.batch(0)?;
        for (id, visit) in visits {
            batch.set_visit(*id, visit)?;
        }
        batch.commit()
    }

    /// Lists that are not what they were: their first page names nothing any more, or the whole walk far less.
    /// URL, how the walk ended, items now, items as usual.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn shrunken_lists(&self) -> Result<Vec<(String, String, u64, u64)>, LedgerError> {
        self.all(
            "SELECT u.url, p.stop, p.items, p.usual FROM pager p JOIN url u ON u.id = p.list
             WHERE p.stop IN ('empty', 'shrunk') ORDER BY u.url",
            [],
            |r| {
                Ok((
                    r.get(0)?,
                    r.get(1)?,
                    super::query::unsigned(r.get(2)?),
                    super::query::unsigned(r.get(3)?),
                ))
            },
        )
    }

    /// What lists hold today is usual from now on.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn accept_lists(&mut self) -> Result<(), LedgerError> {
        self.conn
            .execute(
                "UPDATE pager SET usual = items, stop = 'last-page' WHERE stop IN ('empty', 'shrunk')",
                [],
            )
            .map(|_| ())
            .map_err(|e| LedgerError::sql(&self.path, e))
    }
}

fn visit(r: &rusqlite::Row<'_>) -> rusqlite::Result<Visit> {
    Ok(Visit {
        at: r.get(0)?,
        every: super::query::unsigned(r.get(1)?),
        due: r.get(2)?,
        open: r.get(3)?,
    })
}
