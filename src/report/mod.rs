//! The ledger told to people: `report.txt` and `run.json`, the record, the report that is signed ([`html`]). Reads, never
//! decides; the desk prints what this room says.

mod checklist;
mod diff;
mod health;
pub mod html;
mod junit;
mod metrics;
mod record;
mod resources;
mod review;
mod serve;
mod standing;
mod text;
mod totals;

pub use checklist::{Check, Checklist};
pub use diff::diff_html;
pub use health::Health;
pub use junit::JUnit;
pub use metrics::{Observed, metrics_text};
pub use record::{Facts, record};
pub use resources::Resources;
pub use review::{Material, ReviewOptions, export_csv, export_json, review};
pub use serve::{Watched, serve};
pub use standing::{PortalSummary, Run, Standing, SyncSummary, TargetStanding, TargetSummary};
pub use text::report_text;
pub use totals::{Sum, Totals};

use crate::ledger::{Counts, Failure, ListRow, Listed, PatternRow, Tally, UrlState};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Everything that a report tells of one run.
#[derive(Clone, Debug, Serialize)]
pub struct RunReport {
    /// Always `run/1`.
    pub schema: &'static str,
    /// Id of the site.
    pub site: String,
    /// Version of the program.
    pub program: String,
    /// BLAKE3 of the mapping.
    pub mapping: String,
    /// When it started (RFC 3339, UTC).
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What the ledger counts, by kind and state of its URLs.
    pub crawl: CrawlCounts,
    /// Why each list was left, by list rule.
    pub pagers: Vec<PagerStop>,
    /// Shapes of URLs that looked like a space without an end.
    pub traps: Vec<Trap>,
    /// Handlers that answer 200 for what is not there.
    pub soft_404: Vec<String>,
    /// URLs that did not become captures, with class.
    pub failures: Listed<FailedUrl>,
    /// How many of these are failures that somebody should look at.
    pub trouble: u64,
    /// What the extraction found.
    pub documents: Tally,
    /// What this process used.
    pub resources: Resources,
}

/// URLs of the ledger by kind and state.
#[derive(Clone, Debug, Default, Serialize)]
pub struct CrawlCounts {
    /// All URLs.
    pub known: u64,
    /// Fetches that were recorded, errors included.
    pub fetches: u64,
    /// `page done`, `media gone`, … and how many.
    pub by_state: BTreeMap<String, u64>,
}

impl From<Counts> for CrawlCounts {
    fn from(counts: Counts) -> Self {
        Self {
            known: counts.known,
            fetches: counts.fetches,
            by_state: counts
                .by_kind
                .iter()
                .map(|(kind, state, count)| (format!("{} {}", kind.as_str(), state.as_str()), *count))
                .collect(),
        }
    }
}

/// Why the pager of a list stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PagerStop {
    /// First page of the list.
    pub list: String,
    /// Its rule.
    pub rule: String,
    /// How many pages were read.
    pub pages: u32,
    /// Items that it named.
    pub items: u64,
    /// How many it says it has.
    pub total: Option<u64>,
    /// Why no further one was asked for.
    pub reason: String,
}

impl PagerStop {
    /// Did it end before its end, or with fewer items than it says it has?
    #[must_use]
    pub fn may_be_short(&self) -> bool {
        matches!(self.reason.as_str(), "max-pages" | "expired" | "max")
            || self.total.is_some_and(|t| self.items < t)
    }
}

impl From<ListRow> for PagerStop {
    fn from(row: ListRow) -> Self {
        Self {
            list: row.url,
            rule: row.rule,
            pages: row.pages,
            items: row.items,
            total: row.total,
            reason: row.stop.unwrap_or_else(|| "not yet".into()),
        }
    }
}

/// A shape of URLs that is not followed any more.
#[derive(Clone, Debug, Serialize)]
pub struct Trap {
    /// The shape: numbers are `#`.
    pub pattern: String,
    /// The rule that stopped it.
    pub rule: String,
    /// URLs that were taken.
    pub taken: u64,
    /// URLs that were not.
    pub refused: u64,
}

impl Trap {
    /// Of a pattern that was stopped.
    #[must_use]
    pub fn of(row: PatternRow) -> Option<Self> {
        Some(Self {
            rule: row.stopped?,
            pattern: row.pattern,
            taken: row.urls,
            refused: row.refused,
        })
    }
}

/// A URL that did not become a capture.
#[derive(Clone, Debug, Serialize)]
pub struct FailedUrl {
    /// The URL.
    pub url: String,
    /// Class: `gone`, `http-500`, `timeout`, `reject:ID`, `robots`, …
    pub class: String,
    /// State, status, attempts, and the page that named it.
    pub note: String,
    /// Whether somebody should look: a page that is gone, or that robots.txt forbids, is an answer; a failure is not, nor is
    /// content that was there before.
    pub trouble: bool,
}

impl From<&Failure> for FailedUrl {
    fn from(f: &Failure) -> Self {
        let parent = f
            .parent
            .as_deref()
            .map(|p| format!(", named by {p}"))
            .unwrap_or_default();
        Self {
            url: f.url.clone(),
            class: f.class.clone(),
            note: format!(
                "{} {}, status {}, {} attempts{parent}{}",
                f.kind.as_str(),
                f.state.as_str(),
                f.status,
                f.attempts,
                if f.held {
                    "; what was captured before is kept"
                } else {
                    ""
                }
            ),
            trouble: matches!(f.state, UrlState::Failed | UrlState::Rejected) || f.held,
        }
    }
}
