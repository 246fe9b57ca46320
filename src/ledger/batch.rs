//! Writing: everything of one or more exchanges in one transaction.

use super::{Ledger, LedgerError, Place, UrlId, UrlKind, UrlState};
use crate::document::CaptureId;
use rusqlite::{OptionalExtension as _, Transaction, TransactionBehavior, params};
use std::collections::BTreeMap;
use std::path::Path;

/// A URL to be remembered.
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    /// Identity: first 16 bytes of the BLAKE3 of the canonical URL.
    pub key: [u8; 16],
    /// Canonical URL; of a postback: the URL of its form.
    pub url: &'a str,
    /// What it is fetched for.
    pub kind: UrlKind,
    /// Links from a start page.
    pub depth: u32,
    /// Redirects that led here.
    pub hops: u32,
    /// Id of the rule that found it.
    pub via: &'a str,
    /// Where it was found.
    pub parent: Option<UrlId>,
    /// A reason not to fetch it (`robots`, `depth`).
    pub skip: Option<&'a str>,
    /// Form body of a postback.
    pub request: Option<&'a [u8]>,
    /// First page of its list.
    pub list: Option<UrlId>,
    /// Number in its list, from 1; 0: of no list.
    pub page: u32,
    /// Which walk through the list.
    pub generation: u32,
}

/// One answer (or its lack) that is written down. Append-only.
#[derive(Clone, Debug, Default)]
pub struct Fetch<'a> {
    /// Milliseconds since 1970.
    pub at: i64,
    /// Status; 0 if there was no answer.
    pub status: u16,
    /// BLAKE3 of the body without its content coding.
    pub capture: Option<CaptureId>,
    /// Where it stands in the archive.
    pub place: Option<&'a Place>,
    /// Length of the body without its content coding.
    pub bytes: u64,
    /// Error class.
    pub error: Option<&'a str>,
    /// ETag header.
    pub etag: Option<&'a str>,
    /// Last-Modified header.
    pub last_modified: Option<&'a str>,
    /// URL that answered, if it is not the canonical one.
    pub final_url: Option<&'a str>,
    /// Redirects to other spellings of the same page, in order.
    pub chain: &'a [String],
    /// Content-Type header.
    pub mime: Option<&'a str>,
    /// Content-Disposition header.
    pub disposition: Option<&'a str>,
}

/// How a URL's task ended.
#[derive(Clone, Debug)]
pub enum Settle<'a> {
    /// Its new capture is content.
    Done,
    /// The server says that the last capture is still right.
    Unchanged,
    /// It leads to another URL.
    Redirected(UrlId),
    /// Not there; with the class.
    Gone(&'a str),
    /// An answer that is no content; with the class.
    Rejected(&'a str),
    /// Given up; with the class.
    Failed(&'a str),
    /// Not wanted any more: something else came in its place; with the class.
    Superseded(&'a str),
    /// To be tried again, not before (milliseconds since 1970); with the class.
    Retry(i64, &'a str),
}

/// State of a list's pager.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pager {
    /// Which walk through the list this is; a restart or refresh begins a new one.
    pub generation: u32,
    /// Pages that were read in this walk.
    pub pages: u32,
    /// Pages in a row without a new item.
    pub no_new: u32,
    /// Restarts after an expired state in this run.
    pub restarts: u32,
    /// Items that were named in this walk.
    pub items: u64,
    /// How many items the list says it has.
    pub total: Option<u64>,
    /// Why the walk ended; `None` while it goes on.
    pub stop: Option<String>,
    /// It ends at the first page that names nothing new.
    pub brief: bool,
    /// When a whole walk ended well (milliseconds since 1970); 0: never.
    pub full_at: i64,
    /// Which walk that was.
    pub full_generation: u32,
    /// How many items it named.
    pub usual: u64,
}

impl Pager {
    /// Is the walk over, and did it see the list to its end?
    #[must_use]
    pub fn ended_well(&self) -> bool {
        matches!(
            self.stop.as_deref(),
            Some("last-page" | "count-reached" | "no-new-items")
        )
    }
}

/// One transaction. Nothing of it stands until [`Batch::commit`].
pub struct Batch<'a> {
    pub(super) tx: Transaction<'a>,
    pub(super) path: &'a Path,
    pub(super) run: i64,
}

impl Ledger {
    /// Begins a transaction for run `run`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn batch(&mut self, run: i64) -> Result<Batch<'_>, LedgerError> {
        let path = &self.path;
        let tx = self
            .conn
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(|e| LedgerError::sql(path, e))?;
        Ok(Batch { tx, path, run })
    }
}

impl Batch<'_> {
    /// Remembers a URL. Answers its row and whether it is new. A known URL keeps what is known of it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn offer(&mut self, offer: &Offer<'_>) -> Result<(UrlId, bool), LedgerError> {
        if let Some(id) = self.find(&offer.key)? {
            return Ok((id, false));
        }
        let via = self.name(offer.via)?;
        let reason = offer.skip.map(|r| self.name(r)).transpose()?;
        let state = if offer.skip.is_some() {
            UrlState::Skipped
        } else {
            UrlState::Ready
        };
        self.sql(
            "INSERT INTO url (ukey, url, kind, state, depth, hops, reason, via, parent, request, list, page, generation)
             VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            params![
                offer.key,
                offer.url,
                offer.kind.code(),
                state.code(),
                offer.depth,
                offer.hops,
                reason,
                via,
                offer.parent.map(|p| p.0),
                offer.request,
                offer.list.map(|l| l.0),
                offer.page,
                offer.generation
            ],
        )?;
        Ok((UrlId(self.tx.last_insert_rowid()), true))
    }

    /// The row of a key.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn find(&self, key: &[u8; 16]) -> Result<Option<UrlId>, LedgerError> {
        self.one("SELECT id FROM url WHERE ukey = ?", [key.as_slice()])
            .map(|id| id.map(UrlId))
    }

    /// Another spelling under which a URL was found.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn alias(&mut self, id: UrlId, spelling: &str) -> Result<(), LedgerError> {
        self.sql(
            "INSERT OR IGNORE INTO alias (url_id, spelling) VALUES (?,?)",
            params![id.0, spelling],
        )
    }

    /// What a list (or sitemap) says of a URL. Answers whether the list had not named it in this walk.
    ///
    /// # Errors
    /// What SQLite says.
    #[expect(clippy::too_many_arguments, reason = "one row, one call")]
    pub fn found(
        &mut self,
        id: UrlId,
        rule: &str,
        parent: UrlId,
        list: UrlId,
        generation: u32,
        anchor: Option<&str>,
        fields: &BTreeMap<String, String>,
    ) -> Result<bool, LedgerError> {
        let rule = self.name(rule)?;
        let seen = self
            .one::<i64>(
                "SELECT 1 FROM found WHERE url_id = ? AND rule = ? AND list = ? AND generation = ? LIMIT 1",
                params![id.0, rule, list.0, generation],
            )?
            .is_some();
        let fields = (!fields.is_empty())
            .then(|| serde_json::to_string(fields).ok())
            .flatten();
        self.sql(
            "INSERT OR REPLACE INTO found (url_id, rule, parent, list, generation, anchor, fields) VALUES (?,?,?,?,?,?,?)",
            params![id.0, rule, parent.0, list.0, generation, anchor, fields],
        )?;
        Ok(!seen)
    }

    /// Writes an answer down. Answers its row.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn fetch(&mut self, id: UrlId, fetch: &Fetch<'_>) -> Result<i64, LedgerError> {
        let file = fetch.place.map(|p| self.name(&p.file)).transpose()?;
        let error = fetch.error.map(|e| self.name(e)).transpose()?;
        let chain = (!fetch.chain.is_empty())
            .then(|| serde_json::to_string(fetch.chain).ok())
            .flatten();
        self.sql(
            "INSERT INTO capture (url_id, run, at, status, hash, file, offset, length, bytes, error, etag, last_modified,
             final, chain, mime, disposition) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            params![
                id.0,
                self.run,
                fetch.at,
                fetch.status,
                fetch.capture.as_ref().map(|c| c.as_bytes().as_slice()),
                file,
                fetch.place.map(|p| int(p.offset)),
                fetch.place.map(|p| int(p.length)),
                int(fetch.bytes),
                error,
                fetch.etag,
                fetch.last_modified,
                fetch.final_url,
                chain,
                fetch.mime,
                fetch.disposition
            ],
        )?;
        Ok(self.tx.last_insert_rowid())
    }

    /// Ends a task. `capture` is the row that [`Batch::fetch`] answered; only [`Settle::Done`] makes it the URL's content.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn settle(
        &mut self,
        id: UrlId,
        how: &Settle<'_>,
        status: u16,
        capture: Option<i64>,
    ) -> Result<(), LedgerError> {
        let (state, reason, target) = match how {
            Settle::Done => (UrlState::Done, None, None),
            Settle::Unchanged => {
                return self.sql(
                    "UPDATE url SET state = 1, reason = NULL, attempts = 0, not_before = 0, request = NULL WHERE id = ?",
                    [id.0],
                );
            }
            Settle::Redirected(to) => (UrlState::Redirected, None, Some(to.0)),
            Settle::Gone(class) => (UrlState::Gone, Some(*class), None),
            Settle::Rejected(class) => (UrlState::Rejected, Some(*class), None),
            Settle::Failed(class) => (UrlState::Failed, Some(*class), None),
            Settle::Superseded(class) => (UrlState::Skipped, Some(*class), None),
            Settle::Retry(not_before, class) => {
                let reason = self.name(class)?;
                return self.sql(
                    "UPDATE url SET attempts = attempts + 1, not_before = ?, reason = ?, status = ? WHERE id = ?",
                    params![not_before, reason, status, id.0],
                );
            }
        };
        let reason = reason.map(|r| self.name(r)).transpose()?;
        let capture = if matches!(how, Settle::Done) {
            capture
        } else {
            None
        };
        // What did not answer today leads where it led: a bad night takes no redirect away.
        self.sql(
            "UPDATE url SET state = ?1, reason = ?2, target = CASE WHEN ?6 THEN target ELSE ?3 END, status = ?4,
             capture = coalesce(?5, capture), request = NULL, not_before = 0, attempts = attempts + ?6 WHERE id = ?7",
            params![
                state.code(),
                reason,
                target,
                status,
                capture,
                i64::from(matches!(how, Settle::Failed(_))),
                id.0
            ],
        )
    }

    /// Does the way of redirects from `from` lead to `to`? Looks at most `limit` steps ahead.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn leads_to(&self, from: UrlId, to: UrlId, limit: usize) -> Result<bool, LedgerError> {
        let mut at = from;
        for _ in 0..=limit {
            if at == to {
                return Ok(true);
            }
            match self.one::<i64>(
                "SELECT target FROM url WHERE id = ? AND state = 4 AND target IS NOT NULL",
                [at.0],
            )? {
                Some(next) => at = UrlId(next),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// State of a list's pager; a fresh one if it was never read.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pager(&mut self, list: UrlId, rule: &str) -> Result<Pager, LedgerError> {
        let rule = self.name(rule)?;
        self.tx
            .prepare_cached(
                "SELECT generation, pages, no_new, restarts, stop, items, total, brief, full_at, full_generation, usual
                 FROM pager WHERE list = ? AND rule = ?",
            )
            .and_then(|mut s| {
                s.query_row(params![list.0, rule], |r| {
                    Ok(Pager {
                        generation: r.get(0)?,
                        pages: r.get(1)?,
                        no_new: r.get(2)?,
                        restarts: r.get(3)?,
                        stop: r.get(4)?,
                        items: r.get::<_, i64>(5)?.cast_unsigned(),
                        total: r.get::<_, Option<i64>>(6)?.map(i64::cast_unsigned),
                        brief: r.get(7)?,
                        full_at: r.get(8)?,
                        full_generation: r.get(9)?,
                        usual: r.get::<_, i64>(10)?.cast_unsigned(),
                    })
                })
                .optional()
            })
            .map(Option::unwrap_or_default)
            .map_err(|e| LedgerError::sql(self.path, e))
    }

    /// Keeps the state of a list's pager.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_pager(&mut self, list: UrlId, rule: &str, pager: &Pager) -> Result<(), LedgerError> {
        let rule = self.name(rule)?;
        self.sql(
            "INSERT OR REPLACE INTO pager (list, rule, generation, pages, no_new, restarts, stop, items, total, brief, full_at,
             full_generation, usual) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
            params![
                list.0,
                rule,
                pager.generation,
                pager.pages,
                pager.no_new,
                pager.restarts,
                pager.stop,
                int(pager.items),
                pager.total.map(int),
                pager.brief,
                pager.full_at,
                pager.full_generation,
                int(pager.usual)
            ],
        )
    }

    /// Makes a URL wait for its fetch again.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reopen(&mut self, id: UrlId) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE id = ?",
            [id.0],
        )
    }

    /// The URL waits again, and what this run captured of it does not count: what was captured before stands again.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reopen_in_doubt(&mut self, id: UrlId) -> Result<(), LedgerError> {
        self.reopen(id)?;
        self.not_met(id)?;
        // A "not found" with status 200 of an earlier run is a capture too: only what counted then stands again.
        self.sql(
            "UPDATE url SET capture = (SELECT v.before FROM visit v WHERE v.url_id = url.id AND v.before_run = ?1) WHERE id = ?2",
            params![self.run, id.0],
        )
    }

    /// The body that counts for a URL so far.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn current_hash(&self, id: UrlId) -> Result<Option<CaptureId>, LedgerError> {
        let hash: Option<[u8; 32]> = self.one(
            "SELECT c.hash FROM url u JOIN capture c ON c.id = u.capture WHERE u.id = ? AND c.hash IS NOT NULL",
            [id.0],
        )?;
        Ok(hash.map(CaptureId::from_bytes))
    }

    /// What failed in earlier runs waits again. Answers how many.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reopen_failed(&mut self) -> Result<u64, LedgerError> {
        // A failed postback lost its form: its list begins again instead.
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0
             WHERE id IN (SELECT list FROM url WHERE state = 2 AND kind = 4 AND list IS NOT NULL)",
            [],
        )?;
        self.sql(
            "UPDATE pager SET generation = generation + 1, pages = 0, no_new = 0, restarts = 0, items = 0, total = NULL, stop = NULL
             WHERE list IN (SELECT list FROM url WHERE state = 2 AND kind = 4 AND list IS NOT NULL)",
            [],
        )?;
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE state = 2 AND kind <> 4",
            [],
        )?;
        Ok(self.tx.changes())
    }

    /// Everything that was captured waits again (a refresh); lists begin new walks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn reopen_all(&mut self) -> Result<(), LedgerError> {
        self.sql(
            "UPDATE url SET state = 0, attempts = 0, not_before = 0 WHERE state IN (1, 2, 4, 5, 6) AND kind IN (0, 1, 2)",
            [],
        )?;
        self.sql(
            "UPDATE pager SET generation = generation + 1, pages = 0, no_new = 0, restarts = 0, items = 0, total = NULL, stop = NULL,
             brief = 0",
            [],
        )
    }

    /// A fact about the whole ledger.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_meta(&mut self, key: &str, value: &str) -> Result<(), LedgerError> {
        self.sql(
            "INSERT OR REPLACE INTO meta (key, value) VALUES (?,?)",
            [key, value],
        )
    }

    /// Makes everything stand, durably.
    ///
    /// # Errors
    /// What SQLite says, [`LedgerError::DiskFull`] among it.
    pub fn commit(self) -> Result<(), LedgerError> {
        self.tx.commit().map_err(|e| LedgerError::sql(self.path, e))
    }

    /// Number of a short text that many rows share.
    pub(super) fn name(&mut self, text: &str) -> Result<i64, LedgerError> {
        if let Some(id) = self.one("SELECT id FROM name WHERE text = ?", [text])? {
            return Ok(id);
        }
        self.sql("INSERT INTO name (text) VALUES (?)", [text])?;
        Ok(self.tx.last_insert_rowid())
    }

    pub(super) fn sql(&self, text: &str, params: impl rusqlite::Params) -> Result<(), LedgerError> {
        self.tx
            .prepare_cached(text)
            .and_then(|mut s| s.execute(params))
            .map(|_| ())
            .map_err(|e| LedgerError::sql(self.path, e))
    }

    pub(super) fn one<T: rusqlite::types::FromSql>(
        &self,
        text: &str,
        params: impl rusqlite::Params,
    ) -> Result<Option<T>, LedgerError> {
        self.tx
            .prepare_cached(text)
            .and_then(|mut s| s.query_row(params, |r| r.get(0)).optional())
            .map_err(|e| LedgerError::sql(self.path, e))
    }
}

/// SQLite's integers are signed; nothing here comes near 2^63.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u32) -> [u8; 16] {
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(&n.to_le_bytes()).as_bytes()[..16]);
        key
    }

    #[test]
    fn a_url_costs_at_most_400_bytes_and_is_known_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        let run = ledger.begin_run("r", "crawl", CaptureId::of(b""), 0).unwrap();
        let place = Place {
            file: "h-00000.warc.gz".into(),
            offset: 1,
            length: 2,
        };
        let count = 20_000;
        let mut batch = ledger.batch(run).unwrap();
        for n in 0..count {
            let url = format!("http://ctk-binhthuan.example/View.aspx?ItemID={n}&CatID=12");
            let offer = Offer {
                key: key(n),
                url: &url,
                kind: UrlKind::Page,
                depth: 1,
                hops: 0,
                via: "list",
                parent: Some(UrlId(1)),
                skip: None,
                request: None,
                list: None,
                page: 0,
                generation: 0,
            };
            let (id, new) = batch.offer(&offer).unwrap();
            assert!(new && !batch.offer(&offer).unwrap().1);
            let fetch = Fetch {
                at: 1_700_000_000_000,
                status: 200,
                capture: Some(CaptureId::of(url.as_bytes())),
                place: Some(&place),
                bytes: 40_000,
                mime: Some("text/html; charset=utf-8"),
                ..Fetch::default()
            };
            let row = batch.fetch(id, &fetch).unwrap();
            batch.settle(id, &Settle::Done, 200, Some(row)).unwrap();
        }
        batch.commit().unwrap();
        assert_eq!(ledger.pages("", 7).unwrap().len(), 7);
        drop(ledger);
        let bytes = std::fs::metadata(&path).unwrap().len() / u64::from(count);
        assert!(bytes <= 400, "{bytes} bytes a URL");
    }
}
