//! The totals of a site, and whether they reconcile: from what lists and sitemaps announce to what is in the CMS. Every report tells
//! them from here.

use super::{PagerStop, Standing};
use crate::ledger::{Kind, Ledger, LedgerError, Tally};
use serde::Serialize;
use std::collections::BTreeMap;

/// Announced pages that are named one by one when they are missing.
const NAMED: usize = 100;

/// Everything that is counted of a site.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Totals {
    /// Where it stands.
    pub standing: Standing,
    /// Pages that lists and sitemaps announce, by how far they are.
    pub announced: BTreeMap<String, u64>,
    /// Announced pages that were never captured and are not gone: the first of them, with their state.
    pub not_captured: Vec<(String, String)>,
    /// How many there are.
    pub not_captured_count: u64,
    /// Lists, with their own counts.
    pub lists: Vec<PagerStop>,
    /// What the last whole extraction counted; `None`: there was none.
    pub extraction: Option<Tally>,
    /// Documents that are public in the CMS, by target.
    pub live: BTreeMap<String, u64>,
    /// Sums that must be equal.
    pub sums: Vec<Sum>,
}

/// A whole and its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// What is counted.
    pub of: &'static str,
    /// The whole.
    pub whole: u64,
    /// The parts, by name.
    pub parts: BTreeMap<String, u64>,
}

impl Sum {
    /// Are the parts the whole?
    #[must_use]
    pub fn holds(&self) -> bool {
        self.parts.values().sum::<u64>() == self.whole
    }
}

impl Totals {
    /// Counts everything.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(ledger: &Ledger, site: &str) -> Result<Self, LedgerError> {
        let standing = Standing::read(ledger, site)?;
        let extraction = ledger
            .last_run("extract", Some("done"))?
            .and_then(|run| run.summary)
            .and_then(|text| serde_json::from_str(&text).ok());
        let (not_captured, not_captured_count) = ledger.announced_not_captured(NAMED)?;
        let mut totals = Self {
            announced: ledger.announced()?,
            not_captured,
            not_captured_count,
            lists: ledger.lists()?.into_iter().map(Into::into).collect(),
            live: standing
                .targets
                .iter()
                .map(|t| (t.name.clone(), t.count(Kind::Document, "live")))
                .collect(),
            extraction,
            standing,
            sums: Vec::new(),
        };
        totals.sums = totals.sums();
        Ok(totals)
    }

    fn sums(&self) -> Vec<Sum> {
        let mut sums = vec![
            Sum {
                of: "addresses known",
                whole: self.standing.urls.known,
                parts: self.standing.urls.by_state.clone(),
            },
            Sum {
                of: "documents by collection",
                whole: self.standing.documents,
                parts: self.standing.documents_by_collection.clone(),
            },
        ];
        if let Some(t) = &self.extraction {
            let mut pages: BTreeMap<String, u64> = t
                .ignored
                .iter()
                .map(|(rule, n)| (format!("ignored by {rule}"), *n))
                .collect();
            pages.insert("with documents".into(), t.document_pages);
            pages.insert("lists only".into(), t.navigation);
            if t.files.count > 0 {
                pages.insert("files, no pages".into(), t.files.count);
            }
            pages.insert("unclassified".into(), t.unclassified.count);
            pages.insert("unreadable".into(), t.unreadable.count);
            sums.push(Sum {
                of: "pages in the archive",
                whole: t.pages,
                parts: pages,
            });
            sums.push(Sum {
                of: "visible characters",
                whole: t.visible,
                parts: [
                    ("kept".into(), t.kept),
                    ("dropped by named rules".into(), t.dropped),
                    ("unaccounted".into(), t.unaccounted),
                ]
                .into(),
            });
            sums.push(Sum {
                of: "characters dropped by named rules",
                whole: t.dropped,
                parts: t.dropped_by_rule.clone(),
            });
        }
        sums
    }
}
