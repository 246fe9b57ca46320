//! Reading: stable orders, bounded pages.

use super::{Counts, Failure, Ledger, LedgerError, Ready, UrlId, UrlKind, UrlState};
use crate::document::{CaptureId, Discovered};
use rusqlite::{OptionalExtension as _, Row, params};
use std::collections::{BTreeMap, HashSet};

/// A list and how its pager ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRow {
    /// Its first page.
    pub url: String,
    /// Id of the rule.
    pub rule: String,
    /// Pages read.
    pub pages: u32,
    /// Items that it named.
    pub items: u64,
    /// How many it says it has.
    pub total: Option<u64>,
    /// `last-page`, `count-reached`, `max-pages`, `no-new-items`, `expired`; `None`: it goes on.
    pub stop: Option<String>,
}

/// One step of a URL's way, for `show`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Milliseconds since 1970; `None` for what has no time.
    pub at: Option<i64>,
    /// `url`, `found`, `spelled`, `fetched`, `state`.
    pub what: &'static str,
    /// What happened: `found by list-news on …`, `fetched 200`, `state done`, …
    pub text: String,
}

/// A page or a file, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its row.
    pub id: UrlId,
    /// Canonical URL.
    pub url: String,
    /// Page or file.
    pub kind: UrlKind,
    /// How far it is.
    pub state: UrlState,
    /// Why it is there no more, or was not fetched.
    pub class: String,
    /// Hash of its last body, or of that of the page that it leads to.
    pub body: Option<CaptureId>,
    /// The document of the page, or of the one that it leads to; the first one if there are several.
    pub document: Option<String>,
}

const WAITING: &str = "SELECT u.id, u.url, u.kind, u.depth, u.hops, u.attempts, u.not_before, u.list, u.page, u.generation, \
                       c.etag, c.last_modified, u.kind = 1 OR NOT EXISTS (SELECT 1 FROM pager p WHERE p.list = coalesce(u.list, u.id) AND p.brief = 0) \
                       FROM url u LEFT JOIN capture c ON c.id = u.capture WHERE u.state = 0";

/// A row of [`WAITING`], without the form of a postback.
fn waiting(r: &Row<'_>) -> rusqlite::Result<Ready> {
    // Pages of a list are asked for in full if its walk is to be whole: it needs their forms and links.
    let conditional: bool = r.get(12)?;
    let validator = |value: Option<String>| value.filter(|_| conditional);
    Ok(Ready {
        id: UrlId(r.get(0)?),
        url: r.get(1)?,
        kind: UrlKind::from_code(r.get(2)?),
        depth: r.get(3)?,
        hops: r.get(4)?,
        attempts: r.get(5)?,
        not_before: r.get(6)?,
        request: None,
        list: r.get::<_, Option<i64>>(7)?.map(UrlId),
        page: r.get(8)?,
        generation: r.get(9)?,
        etag: validator(r.get(10)?),
        last_modified: validator(r.get(11)?),
    })
}

/// Most spellings of one page that are handed out.
const MAX_ALIASES: i64 = 100;
/// Most announcements of one page that are handed out.
const MAX_DISCOVERED: i64 = 20;

impl Ledger {
    /// What lists say of a page, by `RULE.FIELD`. If several lists name it, the first parent URL (in byte order) wins.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn listing(&self, id: UrlId) -> Result<BTreeMap<String, String>, LedgerError> {
        let rows = self.all(
            "SELECT n.text, f.fields FROM found f JOIN name n ON n.id = f.rule JOIN url p ON p.id = f.parent
             WHERE f.url_id = ? AND f.fields IS NOT NULL ORDER BY n.text, p.url LIMIT 1000",
            [id.0],
            |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)),
        )?;
        let mut listing = BTreeMap::new();
        for (rule, fields) in rows {
            let fields: BTreeMap<String, String> = serde_json::from_str(&fields).unwrap_or_default();
            for (field, value) in fields {
                listing.entry(format!("{rule}.{field}")).or_insert(value);
            }
        }
        Ok(listing)
    }

    /// Lists and sitemaps that announced a page, sorted, at most 20.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn discovered(&self, id: UrlId) -> Result<Vec<Discovered>, LedgerError> {
        let mut found = self.all(
            "SELECT n.text, p.url, f.anchor FROM found f JOIN name n ON n.id = f.rule JOIN url p ON p.id = f.parent
             WHERE f.url_id = ? ORDER BY n.text, p.url LIMIT ?",
            params![id.0, MAX_DISCOVERED],
            |r| {
                Ok(Discovered {
                    rule: r.get(0)?,
                    parent: r.get(1)?,
                    anchor: r.get(2)?,
                })
            },
        )?;
        found.sort();
        Ok(found)
    }

    /// Every spelling of a page that was found, with those of URLs that redirect to it and the canonical one; sorted, each
    /// once, at most 100 (the canonical one always among them).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn aliases(&self, id: UrlId) -> Result<Vec<String>, LedgerError> {
        let mut spellings = self.all(
            "WITH RECURSIVE ways(id, far) AS (
               SELECT ?1, 0 UNION SELECT u.id, far + 1 FROM ways w JOIN url u ON u.target = w.id WHERE far < 10)
             SELECT spelling FROM (
               SELECT a.spelling AS spelling FROM alias a WHERE a.url_id IN (SELECT id FROM ways)
               UNION SELECT u.url FROM url u WHERE u.id IN (SELECT id FROM ways))
             ORDER BY spelling LIMIT ?2",
            params![id.0, MAX_ALIASES],
            |r| r.get::<_, String>(0),
        )?;
        let own: Option<String> = self
            .conn
            .query_row("SELECT url FROM url WHERE id = ?", [id.0], |r| r.get(0))
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))?;
        if let Some(own) = own
            && !spellings.contains(&own)
        {
            spellings.pop();
            spellings.push(own);
            spellings.sort();
        }
        Ok(spellings)
    }

    /// At most `limit` pages and files, by row, after `after`: what has an address that somebody may know.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn addresses(&self, after: UrlId, limit: usize) -> Result<Vec<Address>, LedgerError> {
        self.all(
            "SELECT u.id, u.url, u.kind, u.state, coalesce(n.text, ''), c.hash,
               (SELECT min(d.id) FROM document d WHERE d.url_id = coalesce(u.target, u.id))
             FROM url u LEFT JOIN name n ON n.id = u.reason LEFT JOIN url t ON t.id = u.target
               LEFT JOIN capture c ON c.id = coalesce(t.capture, u.capture)
             WHERE u.kind IN (0, 1) AND u.id > ? ORDER BY u.id LIMIT ?",
            params![after.0, int(limit)],
            |r| {
                Ok(Address {
                    id: UrlId(r.get(0)?),
                    url: r.get(1)?,
                    kind: UrlKind::from_code(r.get(2)?),
                    state: UrlState::from_code(r.get(3)?),
                    class: r.get(4)?,
                    body: r.get::<_, Option<[u8; 32]>>(5)?.map(CaptureId::from_bytes),
                    document: r.get(6)?,
                })
            },
        )
    }

    /// Numbers for `status` and reports.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn counts(&self) -> Result<Counts, LedgerError> {
        let by_kind = self.all(
            "SELECT kind, state, count(*) FROM url GROUP BY kind, state ORDER BY kind, state",
            [],
            |r| {
                Ok((
                    UrlKind::from_code(r.get(0)?),
                    UrlState::from_code(r.get(1)?),
                    unsigned(r.get(2)?),
                ))
            },
        )?;
        let number = |text: &str| {
            self.conn
                .query_row(text, [], |r| r.get(0))
                .map(unsigned)
                .map_err(|e| LedgerError::sql(&self.path, e))
        };
        Ok(Counts {
            // Counted apart from its parts: reports hold the one against the others.
            known: number("SELECT count(*) FROM url")?,
            by_kind,
            fetches: number("SELECT count(*) FROM capture")?,
            documents: number("SELECT count(*) FROM document")?,
        })
    }

    /// At most `limit` URLs without content (failed, gone, rejected, skipped), by URL, after `after`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn failures(&self, after: &str, limit: usize) -> Result<Vec<Failure>, LedgerError> {
        self.all(
            "SELECT u.url, u.kind, u.state, coalesce(n.text, ''), coalesce(u.status, 0), u.attempts, p.url, u.capture IS NOT NULL
             FROM url u LEFT JOIN name n ON n.id = u.reason LEFT JOIN url p ON p.id = u.parent
             WHERE u.state IN (2, 3, 5, 6) AND u.kind <> 5 AND u.url > ? ORDER BY u.url, u.id LIMIT ?",
            params![after, int(limit)],
            |r| {
                Ok(Failure {
                    url: r.get(0)?,
                    kind: UrlKind::from_code(r.get(1)?),
                    state: UrlState::from_code(r.get(2)?),
                    class: r.get(3)?,
                    status: r.get(4)?,
                    attempts: r.get(5)?,
                    parent: r.get(6)?,
                    held: r.get(7)?,
                })
            },
        )
    }

    /// All lists with their pagers, by URL and rule.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn lists(&self) -> Result<Vec<ListRow>, LedgerError> {
        self.all(
            "SELECT u.url, n.text, p.pages, p.stop, p.items, p.total FROM pager p JOIN url u ON u.id = p.list JOIN name n ON n.id = p.rule
             ORDER BY u.url, n.text",
            [],
            |r| {
                Ok(ListRow {
                    url: r.get(0)?,
                    rule: r.get(1)?,
                    pages: r.get(2)?,
                    stop: r.get(3)?,
                    items: unsigned(r.get(4)?),
                    total: r.get::<_, Option<i64>>(5)?.map(unsigned),
                })
            },
        )
    }

    /// The way of one URL, from its discovery to its documents. `None` if the ledger does not know it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn show(&self, key: &[u8; 16]) -> Result<Option<Vec<Step>>, LedgerError> {
        let sql = |e| LedgerError::sql(&self.path, e);
        let head = self
            .conn
            .query_row(
                "SELECT u.id, u.url, u.kind, u.state, (SELECT text FROM name WHERE id = u.via), p.url,
                 (SELECT text FROM name WHERE id = u.reason), t.url
                 FROM url u LEFT JOIN url p ON p.id = u.parent LEFT JOIN url t ON t.id = u.target WHERE u.ukey = ?",
                [key.as_slice()],
                |r| {
                    Ok((
                        UrlId(r.get(0)?),
                        r.get::<_, String>(1)?,
                        UrlKind::from_code(r.get(2)?),
                        UrlState::from_code(r.get(3)?),
                        r.get::<_, Option<String>>(4)?,
                        r.get::<_, Option<String>>(5)?,
                        r.get::<_, Option<String>>(6)?,
                        r.get::<_, Option<String>>(7)?,
                    ))
                },
            )
            .optional()
            .map_err(sql)?;
        let Some((id, url, kind, state, via, parent, reason, target)) = head else {
            return Ok(None);
        };
        let step = |what, text: String| Step { at: None, what, text };
        let mut steps = vec![step("url", format!("{} {url}", kind.as_str()))];
        let found = match (via, parent) {
            (Some(via), Some(parent)) => format!("found by {via} on {parent}"),
            (Some(via), None) => format!("found by {via}"),
            _ => "found".to_owned(),
        };
        steps.push(step("found", found));
        for found in self.discovered(id)? {
            let text = format!("announced by {} on {}", found.rule, found.parent);
            steps.push(step("found", text));
        }
        for alias in self.aliases(id)? {
            if alias != url {
                steps.push(step("spelled", format!("also spelled {alias}")));
            }
        }
        steps.extend(self.all(
            "SELECT c.at, c.status, lower(hex(c.hash)), (SELECT text FROM name WHERE id = c.error), f.text, c.offset
             FROM capture c LEFT JOIN name f ON f.id = c.file WHERE c.url_id = ? ORDER BY c.id LIMIT 1000",
            [id.0],
            |r| {
                let status: u16 = r.get(1)?;
                let mut text = format!("fetched {status}");
                if let Some(error) = r.get::<_, Option<String>>(3)? {
                    text = format!("{text} ({error})");
                }
                if let (Some(hash), Some(file)) = (r.get::<_, Option<String>>(2)?, r.get::<_, Option<String>>(4)?) {
                    text = format!("{text} -> capture {hash} in {file} at {}", r.get::<_, i64>(5)?);
                }
                Ok(Step {
                    at: Some(r.get(0)?),
                    what: "fetched",
                    text,
                })
            },
        )?);
        let mut end = format!("state {}", state.as_str());
        if let Some(reason) = reason {
            end = format!("{end}: {reason}");
        }
        if let Some(target) = target {
            end = format!("{end} to {target}");
        }
        steps.push(step("state", end));
        Ok(Some(steps))
    }

    /// At most `want` URLs that wait for their fetch and are not in `held`, in the order in which they may be fetched.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn ready(&self, held: &HashSet<UrlId>, want: usize) -> Result<Vec<Ready>, LedgerError> {
        let mut ready = self.all(
            &format!("{WAITING} ORDER BY u.not_before, u.id LIMIT ?"),
            [int(held.len().saturating_add(want))],
            waiting,
        )?;
        ready.retain(|task| !held.contains(&task.id));
        ready.truncate(want);
        self.with_requests(&mut ready)?;
        Ok(ready)
    }

    /// Waiting requests of pagers whose stored form (see `crawl::pager`) holds `mark`, which stands near its beginning.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn waiting_requests(&self, mark: &[u8]) -> Result<Vec<Ready>, LedgerError> {
        let mut found = self.all(
            &format!("{WAITING} AND u.kind = 4 AND instr(substr(u.request, 1, 8192), ?) > 0 LIMIT 1000"),
            [mark],
            waiting,
        )?;
        self.with_requests(&mut found)?;
        Ok(found)
    }

    fn with_requests(&self, tasks: &mut [Ready]) -> Result<(), LedgerError> {
        for task in tasks.iter_mut().filter(|t| t.kind == UrlKind::Postback) {
            task.request = self
                .conn
                .query_row("SELECT request FROM url WHERE id = ?", [task.id.0], |r| r.get(0))
                .map_err(|e| LedgerError::sql(&self.path, e))?;
        }
        Ok(())
    }

    /// Calls `each` with every page URL that begins with `prefix`, and whether its page was captured.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pages_with_prefix(
        &self,
        prefix: &str,
        mut each: impl FnMut(&str, bool),
    ) -> Result<(), LedgerError> {
        let sql = |e| LedgerError::sql(&self.path, e);
        let mut statement = self
            .conn
            .prepare("SELECT url, state = 1 FROM url WHERE kind = 0 AND substr(url, 1, ?) = ?")
            .map_err(sql)?;
        let mut rows = statement
            .query(params![int(prefix.chars().count()), prefix])
            .map_err(sql)?;
        while let Some(row) = rows.next().map_err(sql)? {
            let url = row.get_ref(0).map_err(sql)?;
            if let Ok(url) = url.as_str() {
                each(url, row.get(1).map_err(sql)?);
            }
        }
        Ok(())
    }

    /// State of the URL with this key, and the hash of its capture. `None` if the ledger does not know it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn settled(&self, key: &[u8; 16]) -> Result<Option<(UrlState, Option<CaptureId>)>, LedgerError> {
        self.conn
            .query_row(
                "SELECT u.state, c.hash FROM url u LEFT JOIN capture c ON c.id = u.capture WHERE u.ukey = ?",
                [key.as_slice()],
                |r| {
                    let hash: Option<[u8; 32]> = r.get(1)?;
                    Ok((UrlState::from_code(r.get(0)?), hash.map(CaptureId::from_bytes)))
                },
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// The canonical URL of a row. `None` if there is no such row.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn url(&self, id: UrlId) -> Result<Option<String>, LedgerError> {
        self.conn
            .query_row("SELECT url FROM url WHERE id = ?", [id.0], |r| r.get(0))
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// The row of a key.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn find(&self, key: &[u8; 16]) -> Result<Option<UrlId>, LedgerError> {
        self.conn
            .query_row("SELECT id FROM url WHERE ukey = ?", [key.as_slice()], |r| {
                r.get(0)
            })
            .optional()
            .map(|id| id.map(UrlId))
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// A fact about the whole ledger.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn meta(&self, key: &str) -> Result<Option<String>, LedgerError> {
        self.conn
            .query_row("SELECT value FROM meta WHERE key = ?", [key], |r| r.get(0))
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    pub(super) fn all<T>(
        &self,
        text: &str,
        params: impl rusqlite::Params,
        row: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, LedgerError> {
        self.conn
            .prepare_cached(text)
            .and_then(|mut s| s.query_map(params, row)?.collect())
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// The one number that `text` asks for.
    pub(super) fn count(&self, text: &str, params: impl rusqlite::Params) -> Result<u64, LedgerError> {
        self.conn
            .prepare_cached(text)
            .and_then(|mut s| s.query_row(params, |r| r.get(0)))
            .map(unsigned)
            .map_err(|e| LedgerError::sql(&self.path, e))
    }
}

pub(super) fn int(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
