//! The ledger told to people: `report.txt` and `run.json`. Reads, never decides; the desk prints what this room says.

mod resources;
mod text;

pub use resources::Resources;
pub use text::report_text;

use crate::ledger::{Counts, Failure, PagerStop, Tally};
use serde::Serialize;

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
    pub crawl: Counts,
    /// Why each list was left, by list rule.
    pub pagers: Vec<PagerStop>,
    /// URLs that did not become captures, with class.
    pub failures: Vec<Failure>,
    /// What the extraction found.
    pub documents: Tally,
    /// What this process used.
    pub resources: Resources,
}
