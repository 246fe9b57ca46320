//! Why the corridor cannot go on.

use crate::capture::CaptureError;
use crate::crawl::CrawlError;
use crate::deliver::apply::ApplyError;
use crate::deliver::files::ExportError;
use crate::deliver::rollback::RollbackError;
use crate::deliver::{Failure, SurveyError};
use crate::extract::ExtractError;
use crate::ledger::LedgerError;
use crate::page::PageError;
use std::path::PathBuf;

/// A failure of a whole run; what fails on one page is data, not an error.
#[derive(Debug, thiserror::Error)]
pub enum PipelineError {
    /// The crawl cannot continue.
    #[error(transparent)]
    Crawl(#[from] CrawlError),
    /// The ledger cannot be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The archive cannot be used.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// An output cannot be written; the message names it.
    #[error(transparent)]
    Output(#[from] std::io::Error),
    /// Another sync of the site runs.
    #[error("another sync of `{site}` runs{}", told(owner.as_ref()))]
    Busy {
        /// Folder of the site.
        site: String,
        /// Who, if it says so.
        owner: Option<super::lock::Owner>,
    },
    /// There is no browser, or it does not start.
    #[error(transparent)]
    Browser(#[from] crate::browser::Failure),
    /// A glob is none.
    #[error("`{glob}` is no glob: {reason}")]
    Glob {
        /// The glob.
        glob: String,
        /// Why.
        reason: String,
    },
    /// The move is being finished: nothing is pushed any more.
    #[error("the site is frozen since {since}: nothing is pushed any more")]
    Frozen {
        /// Since when.
        since: String,
    },
    /// There is a ledger already.
    #[error("there is a ledger at `{path}` already: nothing was done")]
    LedgerThere {
        /// The ledger.
        path: PathBuf,
    },
    /// There is nothing to make a ledger of.
    #[error("there is no archive at `{path}`")]
    NoArchive {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// One page that was asked for by name cannot be read.
    #[error(transparent)]
    Page(#[from] PageError),
    /// One page that was asked for by name cannot be extracted.
    #[error(transparent)]
    Extract(#[from] ExtractError),
    /// One page that was asked for by name belongs to no collection.
    #[error("{url} belongs to no collection of the mapping")]
    NoCollection {
        /// The page.
        url: String,
    },
    /// The models of the ledger cannot be used.
    #[error("the learned models in `{path}` cannot be used: {why}")]
    Model {
        /// The ledger.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// One page that was asked for by name is no content by a reject rule.
    #[error("{url} is no content: {class}")]
    Rejected {
        /// The page.
        url: String,
        /// The rule: `reject:soft-404`.
        class: String,
    },
    /// A URL that was asked for by name is not of this site.
    #[error("{url} is no page of this site: {reason}")]
    NotOfSite {
        /// As given.
        url: String,
        /// Why.
        reason: String,
    },
    /// The target lacks something, or does not let us in; all of it.
    #[error("nothing can be delivered like this:\n- {}", problems.join("\n- "))]
    Target {
        /// Each with what to do.
        problems: Vec<String>,
    },
    /// The target does not answer as it should.
    #[error(transparent)]
    Api(#[from] Failure),
    /// A plan cannot be carried out.
    #[error(transparent)]
    Apply(#[from] ApplyError),
    /// No run of that name delivered to the target, or several did.
    #[error("{found} runs of `apply` at this target are called `{asked}`")]
    NoRun {
        /// As asked.
        asked: String,
        /// How many there are.
        found: usize,
    },
    /// An export cannot go on.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Nothing was extracted yet.
    #[error("there are no documents yet: `{path}` does not exist")]
    NoDocuments {
        /// Where they would be.
        path: PathBuf,
    },
    /// Cancelled by the caller; everything committed stays.
    #[error("interrupted; what is committed stays, the same command continues")]
    Interrupted,
}

impl From<SurveyError> for PipelineError {
    fn from(error: SurveyError) -> Self {
        match error {
            SurveyError::Target(failure) => failure.into(),
            SurveyError::Ledger(error) => error.into(),
            SurveyError::Disk(error) => error.into(),
        }
    }
}

impl From<RollbackError> for PipelineError {
    fn from(error: RollbackError) -> Self {
        match error {
            RollbackError::Target(failure) => failure.into(),
            RollbackError::Ledger(error) => error.into(),
        }
    }
}

/// Who holds a lock, and for how long.
fn told(owner: Option<&super::lock::Owner>) -> String {
    owner.map_or_else(String::new, |o| {
        let age = crate::ledger::clock::now().duration_since(o.since).as_secs() / 60;
        format!(
            ": `{}`, process {} on {}, since {} ({age} min)",
            o.command, o.pid, o.host, o.since
        )
    })
}
