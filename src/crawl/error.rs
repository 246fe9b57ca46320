//! Why a crawl cannot go on. What went wrong with one page is data in the ledger, never an error.

use crate::capture::CaptureError;
use crate::ledger::LedgerError;
use crate::net::NetError;

/// Why a crawl cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// The site does not answer.
    #[error("`{url}` cannot be reached: {reason}; try again later with the same command")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What the network says.
        reason: String,
    },
    /// robots.txt lets us fetch nothing, or cannot be had.
    #[error(
        "robots.txt of `{url}` forbids all start pages ({reason}); ask the site, or set `politeness.robots = \"ignore\"` for a site of your own"
    )]
    RobotsForbidsAll {
        /// The site.
        url: String,
        /// Which answer says so.
        reason: String,
        /// It could not be had; nobody forbade anything.
        silent: bool,
    },
    /// Nothing can be written any more.
    #[error(
        "no space left in `{path}`: free some and run the same command again, nothing that was committed is lost"
    )]
    DiskFull {
        /// Ledger or archive.
        path: String,
    },
    /// The ledger cannot be used: corrupt, locked, newer, …
    #[error(transparent)]
    Ledger(LedgerError),
    /// The archive cannot be written, or a source cannot be read.
    #[error(transparent)]
    Archive(CaptureError),
    /// An archive without its ledger.
    #[error(
        "`{path}` holds an archive but no ledger: restore `ledger.db`, or move the archive away to begin anew"
    )]
    LostLedger {
        /// Folder of the archive.
        path: String,
    },
    /// A secret that the mapping names is not in the environment.
    #[error(
        "the mapping's `[session]` needs the environment variable `{variable}`, which is not set or cannot be sent"
    )]
    Secret {
        /// Its name.
        variable: String,
    },
    /// The login failed.
    #[error("the login at `{url}` failed: {reason}")]
    Login {
        /// The page with the form.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// No HTTP client with these options.
    #[error(transparent)]
    Net(#[from] NetError),
    /// The mapping wants pages rendered, and there is no browser.
    #[error(transparent)]
    Browser(#[from] super::fetch::browser::BrowserError),
    /// A thread of the crawl ended before its time.
    #[error(
        "the recorder ended unexpectedly; run the same command again: nothing that was committed is lost"
    )]
    Recorder,
}

impl From<LedgerError> for CrawlError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::DiskFull { path } => Self::DiskFull {
                path: path.display().to_string(),
            },
            other => Self::Ledger(other),
        }
    }
}

impl From<CaptureError> for CrawlError {
    fn from(error: CaptureError) -> Self {
        match error {
            CaptureError::Io { path, source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                Self::DiskFull {
                    path: path.display().to_string(),
                }
            }
            other => Self::Archive(other),
        }
    }
}
