//! What a certificate of completeness asks: what was announced, and what came of it.

use super::query::{int, unsigned};
use super::{Ledger, LedgerError, UrlId, UrlState};
use rusqlite::params;

/// What came of announced pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnnouncedCount {
    /// How far they are.
    pub state: UrlState,
    /// Were they captured?
    pub captured: bool,
    /// Are there documents of them (or of the page that they lead to)?
    pub document: bool,
    /// How many.
    pub pages: u64,
}

/// An announced page without a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// Its row.
    pub id: UrlId,
    /// Canonical URL.
    pub url: String,
    /// How far it is.
    pub state: UrlState,
    /// Class of its end: `gone`, `http-500`, `reject:ID`, …; empty if there is none.
    pub class: String,
    /// Was it captured?
    pub captured: bool,
    /// Does a sitemap announce it?
    pub sitemap: bool,
    /// Does a list announce it?
    pub list: bool,
}

const DOCUMENT: &str = "EXISTS (SELECT 1 FROM document d WHERE d.url_id = coalesce(u.target, u.id))";
const ANNOUNCED: &str = "u.kind = 0 AND u.id IN (SELECT url_id FROM found)";
/// Found on a sitemap (kind 2).
const SITEMAP: &str =
    "EXISTS (SELECT 1 FROM found f JOIN url p ON p.id = f.parent WHERE f.url_id = u.id AND p.kind = 2)";

impl Ledger {
    /// Pages that lists and sitemaps announce; with `sitemaps`, only those that sitemaps do.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn announced_pages(&self, sitemaps: bool) -> Result<u64, LedgerError> {
        let only = if sitemaps { " AND p.kind = 2" } else { "" };
        let text = format!(
            "SELECT count(DISTINCT f.url_id) FROM found f JOIN url u ON u.id = f.url_id LEFT JOIN url p ON p.id = f.parent
             WHERE u.kind = 0{only}"
        );
        let rows = self.all(&text, [], |r| r.get(0).map(unsigned))?;
        Ok(rows.into_iter().sum())
    }

    /// Announced pages by what came of them; with `sitemaps`, only those that sitemaps announce.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn announced_counts(&self, sitemaps: bool) -> Result<Vec<AnnouncedCount>, LedgerError> {
        let only = if sitemaps {
            format!(" AND {SITEMAP}")
        } else {
            String::new()
        };
        self.all(
            &format!(
                "SELECT u.state, u.capture IS NOT NULL, {DOCUMENT}, count(*) FROM url u WHERE {ANNOUNCED}{only}
                 GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            ),
            [],
            |r| {
                Ok(AnnouncedCount {
                    state: UrlState::from_code(r.get(0)?),
                    captured: r.get(1)?,
                    document: r.get(2)?,
                    pages: unsigned(r.get(3)?),
                })
            },
        )
    }

    /// At most `limit` announced pages of which there is no document, by row, after `after`.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn announced_without_document(
        &self,
        after: UrlId,
        limit: usize,
    ) -> Result<Vec<Announced>, LedgerError> {
        self.all(
            &format!(
                "SELECT u.id, u.url, u.state, coalesce(n.text, ''), u.capture IS NOT NULL, {SITEMAP},
                   EXISTS (SELECT 1 FROM found f JOIN url p ON p.id = f.parent WHERE f.url_id = u.id AND p.kind <> 2)
                 FROM url u LEFT JOIN name n ON n.id = u.reason
                 WHERE {ANNOUNCED} AND NOT {DOCUMENT} AND u.id > ? ORDER BY u.id LIMIT ?"
            ),
            params![after.0, int(limit)],
            |r| {
                Ok(Announced {
                    id: UrlId(r.get(0)?),
                    url: r.get(1)?,
                    state: UrlState::from_code(r.get(2)?),
                    class: r.get(3)?,
                    captured: r.get(4)?,
                    sitemap: r.get(5)?,
                    list: r.get(6)?,
                })
            },
        )
    }

    /// Documents of the newest extraction, and those that only earlier ones saw: their page or its rule is not there any more.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn documents_by_age(&self) -> Result<(u64, u64), LedgerError> {
        let rows = self.all(
            "SELECT last_seen = (SELECT max(last_seen) FROM document), count(*) FROM document GROUP BY 1",
            [],
            |r| Ok((r.get::<_, bool>(0)?, unsigned(r.get(1)?))),
        )?;
        let of = |newest: bool| rows.iter().filter(|r| r.0 == newest).map(|r| r.1).sum();
        Ok((of(true), of(false)))
    }
}
