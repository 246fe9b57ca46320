//! What is held of pages and media, and where it stands in the archive.

use super::query::{int, unsigned};
use super::{Ledger, LedgerError, Place, UrlId, UrlState};
use crate::document::{CaptureId, FetchProvenance};
use rusqlite::{OptionalExtension as _, Row, params};
use std::collections::BTreeMap;

/// A captured page.
#[derive(Clone, Debug)]
pub struct Page {
    /// Its row.
    pub id: UrlId,
    /// Canonical URL.
    pub url: String,
    /// How it was fetched.
    pub fetch: FetchProvenance,
    /// Where its capture stands in the archive.
    pub place: Place,
    /// When it was fetched, milliseconds since 1970.
    pub at: i64,
}

/// What is known of a picture or an attachment.
#[derive(Clone, Debug)]
pub struct Medium {
    /// Canonical URL, of the end of its redirects.
    pub url: String,
    /// Is it there?
    pub state: MediumState,
    /// Where its capture stands in the archive.
    pub place: Option<Place>,
    /// BLAKE3 of the bytes.
    pub capture: Option<CaptureId>,
    /// Content-Type header.
    pub declared_mime: Option<String>,
    /// Content-Disposition header, as sent.
    pub disposition: Option<String>,
}

/// State of a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediumState {
    /// Captured.
    Ok,
    /// 404 or 410.
    Missing,
    /// 401, 403, robots.txt, or a page in place of the medium (login, ban).
    Forbidden,
    /// Larger than the mapping allows.
    TooLarge,
    /// No whole answer came, or it was never asked for.
    Unfetchable,
}

/// One archived exchange.
#[derive(Clone, Debug)]
pub struct CaptureRow {
    /// Its number.
    pub id: i64,
    /// Canonical URL that it was asked for.
    pub url: String,
    /// Hash of its body; `None` if it is no content.
    pub hash: Option<CaptureId>,
    /// Where it is archived.
    pub place: Place,
}

const CAPTURED: &str = "SELECT u.id, u.url, c.status, c.hash, f.text, c.offset, c.length, c.etag, c.last_modified, c.final, \
                        c.chain, c.at FROM url u JOIN capture c ON c.id = u.capture JOIN name f ON f.id = c.file";

/// Does the capture of `u` still stand for its content?
const STANDS: &str =
    "(u.state <> 4 OR NOT EXISTS (SELECT 1 FROM url t WHERE t.id = u.target AND t.capture IS NOT NULL))";

impl Ledger {
    /// At most `limit` captured pages whose canonical URL comes after `after` (`""`: from the first), in the order of the
    /// URL's bytes. A page that was captured once stays among them, whatever its server says of it later, until what it
    /// redirects to was captured. Pages of postback pagers are not among them.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn pages(&self, after: &str, limit: usize) -> Result<Vec<Page>, LedgerError> {
        self.all(
            &format!("{CAPTURED} WHERE u.kind = 0 AND u.capture IS NOT NULL AND {STANDS} AND u.url > ? ORDER BY u.url LIMIT ?"),
            params![after, int(limit)],
            page,
        )
    }

    /// One captured page (or medium) by the key of its canonical URL.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn page(&self, key: &[u8; 16]) -> Result<Option<Page>, LedgerError> {
        self.conn
            .query_row(
                &format!("{CAPTURED} WHERE u.ukey = ? AND {STANDS}"),
                [key.as_slice()],
                page,
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// What is known of the medium with this key; `None` if its URL was never found. Follows redirects.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn medium(&self, key: &[u8; 16]) -> Result<Option<Medium>, LedgerError> {
        let sql = |e| LedgerError::sql(&self.path, e);
        let mut at: Option<i64> = self
            .conn
            .prepare_cached("SELECT id FROM url WHERE ukey = ?")
            .and_then(|mut s| s.query_row([key.as_slice()], |r| r.get(0)).optional())
            .map_err(sql)?;
        let mut last = None;
        for _ in 0..20 {
            let Some(id) = at else { break };
            let (medium, target) = self
                .conn
                .prepare_cached(
                    "SELECT u.url, u.state, u.reason, u.status, f.text, c.offset, c.length, c.hash, c.mime, c.disposition,
                     u.target, (SELECT text FROM name WHERE id = u.reason)
                     FROM url u LEFT JOIN capture c ON c.id = u.capture LEFT JOIN name f ON f.id = c.file WHERE u.id = ?",
                )
                .and_then(|mut s| s.query_row([id], medium))
                .map_err(sql)?;
            at = target;
            last = Some(medium);
        }
        Ok(last)
    }

    /// The archive's last place that a committed row names: what stands behind it never happened.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn last_place(&self) -> Result<Option<Place>, LedgerError> {
        self.conn
            .query_row(
                "SELECT f.text, c.offset, c.length FROM capture c JOIN name f ON f.id = c.file ORDER BY c.id DESC LIMIT 1",
                [],
                |r| {
                    Ok(Place {
                        file: r.get(0)?,
                        offset: unsigned(r.get(1)?),
                        length: unsigned(r.get(2)?),
                    })
                },
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// Up to `limit` captures behind `after` (0: from the first), in the order in which they were made.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn captures(&self, after: i64, limit: usize) -> Result<Vec<CaptureRow>, LedgerError> {
        self.all(
            "SELECT c.id, u.url, c.hash, f.text, c.offset, c.length FROM capture c JOIN name f ON f.id = c.file \
             JOIN url u ON u.id = c.url_id WHERE c.id > ? ORDER BY c.id LIMIT ?",
            params![after, i64::try_from(limit).unwrap_or(i64::MAX)],
            |r| {
                Ok(CaptureRow {
                    id: r.get(0)?,
                    url: r.get(1)?,
                    hash: r.get::<_, Option<[u8; 32]>>(2)?.map(CaptureId::from_bytes),
                    place: Place {
                        file: r.get(3)?,
                        offset: unsigned(r.get(4)?),
                        length: unsigned(r.get(5)?),
                    },
                })
            },
        )
    }

    /// Where the newest capture of a URL with these bytes is archived. `None` if there is none (any more).
    ///
    /// # Errors
    /// What SQLite says.
    pub fn capture_with(&self, id: UrlId, hash: CaptureId) -> Result<Option<Place>, LedgerError> {
        self.conn
            .query_row(
                "SELECT f.text, c.offset, c.length FROM capture c JOIN name f ON f.id = c.file \
                 WHERE c.url_id = ? AND c.hash = ? ORDER BY c.id DESC LIMIT 1",
                params![id.0, hash.as_bytes().as_slice()],
                |r| {
                    Ok(Place {
                        file: r.get(0)?,
                        offset: unsigned(r.get(1)?),
                        length: unsigned(r.get(2)?),
                    })
                },
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// The capture that stands for a URL now, and where it is archived.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn current_capture(&self, id: UrlId) -> Result<Option<(CaptureId, Place)>, LedgerError> {
        self.conn
            .prepare_cached(
                "SELECT c.hash, f.text, c.offset, c.length FROM url u JOIN capture c ON c.id = u.capture \
                 JOIN name f ON f.id = c.file WHERE u.id = ? AND c.hash IS NOT NULL",
            )
            .and_then(|mut s| {
                s.query_row([id.0], |r| {
                    let place = Place {
                        file: r.get(1)?,
                        offset: unsigned(r.get(2)?),
                        length: unsigned(r.get(3)?),
                    };
                    Ok((CaptureId::from_bytes(r.get(0)?), place))
                })
                .optional()
            })
            .map_err(|e| LedgerError::sql(&self.path, e))
    }
}

fn page(r: &Row<'_>) -> rusqlite::Result<Page> {
    let url: String = r.get(1)?;
    let chain: Option<String> = r.get(10)?;
    Ok(Page {
        id: UrlId(r.get(0)?),
        fetch: FetchProvenance {
            requested: url.clone(),
            final_url: r.get::<_, Option<String>>(9)?.unwrap_or_else(|| url.clone()),
            chain: chain
                .and_then(|c| serde_json::from_str(&c).ok())
                .unwrap_or_default(),
            status: r.get(2)?,
            etag: r.get(7)?,
            last_modified: r.get(8)?,
            capture: r.get::<_, Option<[u8; 32]>>(3)?.map(CaptureId::from_bytes),
            notes: BTreeMap::new(),
        },
        url,
        place: Place {
            file: r.get(4)?,
            offset: unsigned(r.get(5)?),
            length: unsigned(r.get(6)?),
        },
        at: r.get(11)?,
    })
}

fn medium(r: &Row<'_>) -> rusqlite::Result<(Medium, Option<i64>)> {
    let state = UrlState::from_code(r.get(1)?);
    let status: Option<u16> = r.get(3)?;
    let reason: Option<String> = r.get(11)?;
    let file: Option<String> = r.get(4)?;
    let reason = reason.as_deref();
    let state = match state {
        // What was captured once stays, whatever its server says of it later.
        UrlState::Done => MediumState::Ok,
        UrlState::Ready | UrlState::Gone | UrlState::Rejected | UrlState::Failed | UrlState::Skipped
            if file.is_some() =>
        {
            MediumState::Ok
        }
        UrlState::Gone => MediumState::Missing,
        _ if reason == Some("too-large") => MediumState::TooLarge,
        UrlState::Rejected => MediumState::Forbidden,
        UrlState::Skipped if reason == Some("robots") => MediumState::Forbidden,
        _ if matches!(status, Some(401 | 403)) => MediumState::Forbidden,
        _ => MediumState::Unfetchable,
    };
    let place = match file {
        Some(file) => Some(Place {
            file,
            offset: unsigned(r.get(5)?),
            length: unsigned(r.get(6)?),
        }),
        None => None,
    };
    Ok((
        Medium {
            url: r.get(0)?,
            state,
            place,
            capture: r.get::<_, Option<[u8; 32]>>(7)?.map(CaptureId::from_bytes),
            declared_mime: r.get(8)?,
            disposition: r.get(9)?,
        },
        r.get(10)?,
    ))
}
