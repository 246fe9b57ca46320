//! Why two sides cannot be compared.

use super::super::error::PipelineError;
use std::path::PathBuf;

/// A failure of a comparison.
#[derive(Debug, thiserror::Error)]
pub enum DiffError {
    /// No documents stand at a place.
    #[error("`{path}` holds no documents: {why}")]
    NoDocuments {
        /// The place.
        path: PathBuf,
        /// What was looked for.
        why: String,
    },
    /// A document is none.
    #[error("`{path}`{place}: {why}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Where in it: `, line 12`; empty for a file of its own.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// The sides are of two sites.
    #[error("`{}` is of site `{}`, `{}` of `{}`", old.0, old.1, new.0, new.1)]
    Sites {
        /// The old side and its site.
        old: (String, String),
        /// The new side and its site.
        new: (String, String),
    },
    /// No run, or several, of that name.
    #[error("{found} runs of site `{site}` are called `{asked}`")]
    NoRun {
        /// As asked.
        asked: String,
        /// The site.
        site: String,
        /// How many there are.
        found: usize,
    },
    /// What the run had is not known.
    #[error("run `{uid}`: {why}")]
    NoHistory {
        /// The run.
        uid: String,
        /// Why.
        why: String,
    },
    /// Nothing was delivered.
    #[error("nothing was delivered to `{target}` yet")]
    NotDelivered {
        /// Name of the target.
        target: String,
    },
    /// What all commands meet.
    #[error(transparent)]
    Pipeline(#[from] PipelineError),
}

impl From<std::io::Error> for DiffError {
    fn from(error: std::io::Error) -> Self {
        Self::Pipeline(error.into())
    }
}

impl From<crate::ledger::LedgerError> for DiffError {
    fn from(error: crate::ledger::LedgerError) -> Self {
        Self::Pipeline(error.into())
    }
}
