//! A ledger of the archive alone, and whether ledger and archive belong together.

use super::{Layout, PipelineError};
use crate::capture::{ArchiveReader, Location, walk};
use crate::crawl::{self, CrawlOptions, Store};
use crate::ledger::{Ledger, LedgerError};
use crate::mapping::Mapping;
use fs_err as fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Captures that are looked at in one go.
const CHUNK: usize = 500;
/// Findings that are told one by one.
const MAX_FINDINGS: usize = 1000;
/// The database, what SQLite keeps beside it, and its seal.
const BESIDE: [&str; 4] = ["", "-wal", "-shm", ".seal"];

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Makes the ledger anew from the archive. It is built beside the old one and takes its place when it is whole; the old one
/// stays as `ledger.db.old-TIME`. The second value says where, if there was one.
///
/// # Errors
/// [`PipelineError::LedgerThere`] without `force` if there is a ledger; when another run holds it; when the archive cannot
/// be read or the disk is full; [`PipelineError::Interrupted`], after which everything is as before.
pub async fn rebuild_ledger(
    mapping: &Arc<Mapping>,
    layout: &Layout,
    force: bool,
    cancel: CancellationToken,
    on_event: impl Fn(crawl::Event) + Send + Sync + 'static,
) -> Result<(crawl::Summary, Option<PathBuf>), PipelineError> {
    let ledger = layout.ledger();
    if !layout.archive().is_dir() {
        return Err(PipelineError::NoArchive {
            path: layout.archive(),
        });
    }
    let _held = Ledger::hold(&ledger)?;
    if ledger.exists() && !force {
        return Err(PipelineError::LedgerThere { path: ledger });
    }
    let beside = layout.root().join("ledger.db.new");
    let clear = || {
        BESIDE
            .iter()
            .map(|end| with(&beside, end))
            .filter(|path| path.exists())
            .try_for_each(fs::remove_file)
    };
    clear()?;
    let options = CrawlOptions {
        cancel,
        ..CrawlOptions::default()
    };
    let store = Store::new(layout.root());
    let summary = match crawl::rebuild(mapping.clone(), &store, &beside, options, on_event).await {
        Ok(summary) if !summary.interrupted => summary,
        other => {
            clear()?;
            let _ = fs::remove_file(with(&beside, ".lock"));
            other?;
            return Err(PipelineError::Interrupted);
        }
    };
    let mut old = None;
    if ledger.exists() {
        super::learn::keep_models(&ledger, &beside)?;
        let name = format!("ledger.db.old-{}", jiff::Timestamp::now().as_second());
        let to = layout.root().join(name);
        for end in BESIDE {
            if with(&ledger, end).exists() {
                fs::rename(with(&ledger, end), with(&to, end))?;
            }
        }
        old = Some(to);
    }
    for end in BESIDE {
        if with(&beside, end).exists() {
            fs::rename(with(&beside, end), with(&ledger, end))?;
        }
    }
    let _ = fs::remove_file(with(&beside, ".lock"));
    fs::File::open(layout.root())?.sync_all()?;
    Ok((summary, old))
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct LedgerCheck {
    /// Captures that were read again.
    pub captures: u64,
    /// Bytes of their bodies, without content coding.
    pub bytes: u64,
    /// How many findings there are.
    pub count: u64,
    /// The first of them: URL and what is wrong.
    pub findings: Vec<(String, String)>,
}

impl LedgerCheck {
    fn add(&mut self, what: String, why: String) {
        self.count += 1;
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push((what, why));
        }
    }
}

/// Reads every capture that the ledger names and compares its hash; asks SQLite about the ledger itself.
///
/// # Errors
/// When there is no ledger or it cannot be read at all; [`PipelineError::Interrupted`].
pub fn check_ledger(
    mapping: &Mapping,
    layout: &Layout,
    cancel: &CancellationToken,
    on_progress: &dyn Fn(&LedgerCheck),
) -> Result<LedgerCheck, PipelineError> {
    let path = layout.ledger();
    let ledger = Ledger::read(&path)?;
    let mut check = LedgerCheck::default();
    match ledger.integrity() {
        Ok(problems) => {
            for problem in problems {
                check.add(path.display().to_string(), problem);
            }
        }
        Err(LedgerError::Corrupt { what, .. }) => {
            check.add(path.display().to_string(), what);
            return Ok(check);
        }
        Err(other) => return Err(other.into()),
    }
    let limits = &mapping.rules().limits;
    let largest = limits.media_bytes.max(limits.page_bytes);
    // Every record, also those that no row names: requests, metadata, answers that were no content.
    for record in walk(&layout.archive(), &mapping.rules().site.id, largest)? {
        if cancel.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        if let Err(error) = record {
            check.add(layout.archive().display().to_string(), error.to_string());
        }
    }
    let archive = ArchiveReader::new(&layout.archive());
    let mut after = 0;
    loop {
        let chunk = ledger.captures(after, CHUNK)?;
        let Some(last) = chunk.last() else {
            return Ok(check);
        };
        after = last.id;
        for capture in chunk {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            check.captures += 1;
            match archive.read(&Location::from(capture.place), largest) {
                Ok(read) => {
                    check.bytes += read.body.len() as u64;
                    if capture.hash.is_some_and(|hash| hash != read.id) {
                        let why = "its body is not the one that was captured".to_owned();
                        check.add(capture.url, why);
                    }
                }
                // An answer that no decoder reads was archived as it came and is no content.
                Err(error) if capture.hash.is_none() && !error.is_damage() => {}
                Err(error) => check.add(capture.url, error.to_string()),
            }
        }
        on_progress(&check);
    }
}
