//! Where a site stands: the totals that `status`, metrics, the health of a daemon, the checklist of a switch-over and the report
//! for the record all tell. Read from the ledger in one place, so that no two of them ever disagree.

use super::CrawlCounts;
use crate::ledger::{Frozen, Kind, Ledger, LedgerError, RunRow};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Syncs that are looked through for the last one that came to its end.
const LOOK_BACK: usize = 5000;
/// Runs that are read at once.
const PAGE: usize = 20;
/// Exit codes of syncs that walked through all their steps, whatever they found.
const WHOLE: [u8; 2] = [0, 4];
/// Held by a guard, and everything else went on.
const HELD: u8 = 6;

/// Where a site stands.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Standing {
    /// Id of the site.
    pub site: String,
    /// URLs by kind and state.
    pub urls: CrawlCounts,
    /// Documents.
    pub documents: u64,
    /// Documents by state: `extracted`, `gated`.
    pub documents_by_state: BTreeMap<String, u64>,
    /// Documents by collection.
    pub documents_by_collection: BTreeMap<String, u64>,
    /// Documents whose page was missed and did not come back yet.
    pub missed: u64,
    /// What is delivered, by target.
    pub targets: Vec<TargetStanding>,
    /// The newest run of any command.
    pub last_run: Option<Run>,
    /// The newest crawl.
    pub last_crawl: Option<Run>,
    /// The newest sync, and what it told.
    pub last_sync: Option<Run>,
    /// What it told.
    pub sync: Option<SyncSummary>,
    /// When the last sync began that walked through all its steps (RFC 3339, UTC).
    pub last_success: Option<String>,
    /// Since when and why nothing is pushed any more.
    pub frozen: Option<Frozen>,
}

/// What is delivered to one target.
#[derive(Clone, Debug, Default, Serialize)]
pub struct TargetStanding {
    /// Its name.
    pub name: String,
    /// Objects by kind and state: `document live`, `media staged`.
    pub entries: BTreeMap<String, u64>,
    /// Writes of which nobody knows what came of them; the next `apply` finds out.
    pub open_writes: u64,
    /// Entries that were taken off and did not come back.
    pub tombstones: u64,
    #[serde(skip)]
    counts: Vec<(Kind, &'static str, u64)>,
}

impl TargetStanding {
    /// Objects by kind and state.
    #[must_use]
    pub fn counts(&self) -> &[(Kind, &'static str, u64)] {
        &self.counts
    }

    /// Objects of a kind in a state.
    #[must_use]
    pub fn count(&self, kind: Kind, state: &str) -> u64 {
        self.counts
            .iter()
            .filter(|c| c.0 == kind && c.1 == state)
            .map(|c| c.2)
            .sum()
    }
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// UUID.
    pub id: String,
    /// `sync`, `crawl`, …
    pub command: String,
    /// RFC 3339, UTC.
    pub started: String,
    /// RFC 3339, UTC; `None`: it goes on, or was killed.
    pub finished: Option<String>,
    /// How it ended.
    pub outcome: Option<String>,
}

/// What a sync told (`sync/1`), as far as others tell it on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SyncSummary {
    /// Seconds that it took.
    pub seconds: f64,
    /// What the portal changed.
    pub portal: PortalSummary,
    /// What became of it in the CMS.
    pub target: Option<TargetSummary>,
    /// Why nothing is taken off.
    pub doubt: Option<String>,
    /// Gates of whole collections that fail.
    pub drift: Vec<String>,
    /// Why it could not go on.
    pub error: Option<String>,
    /// Exit code.
    pub exit: u8,
}

/// What the portal changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PortalSummary {
    /// Requests.
    pub asked: u64,
    /// Of these, as they were.
    pub unchanged: u64,
    /// Bytes of captures.
    pub bytes: u64,
    /// URLs that were given up.
    pub failed: u64,
    /// Pages that we were locked out of.
    pub walled: u64,
    /// Documents.
    pub documents: u64,
    /// Documents that were none before.
    pub added: u64,
    /// Documents with another content.
    pub changed: u64,
    /// Documents that fail a gate.
    pub gated: u64,
}

/// What became of it in the CMS.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TargetSummary {
    /// What is left alone, by reason.
    pub holds: BTreeMap<String, u64>,
    /// Writes.
    pub writes: u64,
    /// Entries made.
    pub created: u64,
    /// Entries changed.
    pub updated: u64,
    /// Entries taken off.
    pub retired: u64,
    /// Fields that the CMS shows otherwise than they were sent.
    pub losses: u64,
}

impl Run {
    /// For people: `sync done (2026-03-01T02:00:00Z)`.
    #[must_use]
    pub fn line(&self) -> String {
        let outcome = self.outcome.as_deref().unwrap_or("did not finish");
        format!("{} {outcome} ({})", self.command, self.started)
    }
}

impl From<RunRow> for Run {
    fn from(row: RunRow) -> Self {
        Self {
            id: row.uid,
            command: row.command,
            started: time(row.started),
            finished: row.finished.map(time),
            outcome: row.outcome,
        }
    }
}

impl Standing {
    /// Reads it.
    ///
    /// # Errors
    /// When the ledger cannot be read.
    pub fn read(ledger: &Ledger, site: &str) -> Result<Self, LedgerError> {
        let counts = ledger.counts()?;
        let mut targets = Vec::new();
        for (row, name) in ledger.targets()? {
            let counts: Vec<_> = ledger
                .delivered(row)?
                .into_iter()
                .map(|(kind, state, count)| (kind, state.as_str(), count))
                .collect();
            targets.push(TargetStanding {
                name,
                entries: counts
                    .iter()
                    .map(|(kind, state, count)| (format!("{} {state}", kind.as_str()), *count))
                    .collect(),
                open_writes: ledger.open_writes(row)?,
                tombstones: ledger.standing_tombstones(row)?,
                counts,
            });
        }
        // A sync that goes on has told nothing yet: the one before it has.
        let (mut sync, mut last_success, mut before, mut seen) = (None, None, i64::MAX, 0);
        while last_success.is_none() && seen < LOOK_BACK {
            let runs = ledger.runs_of("sync", before, PAGE)?;
            let Some(last) = runs.last() else { break };
            (before, seen) = (last.id, seen + runs.len());
            for run in &runs {
                let Some(told) = summary(run) else { continue };
                if last_success.is_none() && told.is_whole() {
                    last_success = Some(time(run.started));
                }
                sync = sync.or(Some(told));
            }
        }
        Ok(Self {
            site: site.to_owned(),
            documents: counts.documents,
            urls: counts.into(),
            documents_by_state: ledger.documents_by_state()?,
            documents_by_collection: ledger.documents_by_collection()?,
            missed: ledger.missed_documents()?,
            targets,
            last_run: ledger.newest_run()?.map(Run::from),
            last_crawl: ledger.last_run("crawl", None)?.map(Run::from),
            last_sync: ledger.last_run("sync", None)?.map(Run::from),
            sync,
            last_success,
            frozen: ledger.frozen()?,
        })
    }
}

impl SyncSummary {
    /// Did it walk through all its steps, whatever it found?
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.error.is_none() && (WHOLE.contains(&self.exit) || (self.exit == HELD && self.target.is_some()))
    }
}

fn summary(run: &RunRow) -> Option<SyncSummary> {
    serde_json::from_str(run.summary.as_deref()?).ok()
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|t| t.to_string())
        .unwrap_or_default()
}
