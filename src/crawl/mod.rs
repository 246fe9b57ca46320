//! url -> capture: run loop, frontier, politeness, robots, sitemap, discovery, pagers, fetch, verdict.
//!
//! [`run`] is the loop; it closes the only edge that leads back, from a page to the frontier. Frontier, robots, sitemap,
//! discovery, pagers and verdicts are pure. Everything that was fetched is archived before it is believed, and a URL is
//! done only when archive and ledger are durable. This room never makes a document.

mod access;
mod budget;
mod command;
pub mod discover;
mod error;
pub mod fetch;
pub mod frontier;
mod lists;
mod live;
#[cfg(test)]
mod loopback;
mod notes;
mod origins;
pub mod pager;
pub mod politeness;
mod process;
pub mod propose;
mod recorder;
mod replay;
pub mod revisit;
pub mod robots;
mod run;
mod saved;
mod series;
pub mod sitemap;
pub mod trap;
pub mod verdict;
mod visits;
mod writer;

pub use error::CrawlError;
pub use run::{fetch_once, rebuild, render_once, run};

use crate::net::ConnectTo;
use ipnet::IpNet;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The folder of a site's output.
#[derive(Clone, Debug)]
pub struct Store {
    dir: PathBuf,
}

impl Store {
    /// The store in `dir` (`output/<site>`).
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self { dir: dir.into() }
    }
    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
    /// The ledger's file.
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.dir.join("ledger.db")
    }
    /// The archive's folder.
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.dir.join("archive")
    }
}

/// How to crawl.
#[derive(Clone, Debug, Default)]
pub struct CrawlOptions {
    /// Captures of this run at most.
    pub limit: Option<u64>,
    /// Time of this run at most.
    pub max_time: Option<Duration>,
    /// Where connections really go.
    pub connect_to: Vec<ConnectTo>,
    /// Networks that are no public ones and may be asked, besides the mapping's.
    pub allow_net: Vec<IpNet>,
    /// Delay between two requests at one host, instead of the mapping's.
    pub delay: Option<Duration>,
    /// Requests in flight at one host, instead of the mapping's.
    pub concurrency: Option<usize>,
    /// Read the live site, whatever other sources the mapping names.
    pub live: bool,
    /// Ask again for what was captured (with its validators).
    pub refresh: bool,
    /// Ask only for what may have changed: what is new, what lists and sitemaps say of, what is due. With `refresh`: for
    /// everything, and lists are walked to their end.
    pub follow: bool,
    /// The browser for `[[render]]` rules; looked for in the usual places if absent.
    pub browser: Option<PathBuf>,
    /// Ends the run cleanly.
    pub cancel: CancellationToken,
}

/// What happens during a crawl.
#[derive(Clone, Debug)]
pub enum Event {
    /// Numbers, at most 10 times a second.
    Progress {
        /// Captures of this run.
        captured: u64,
        /// URLs that the ledger knows.
        known: u64,
        /// Tasks that wait in the window.
        queued: u64,
        /// Requests in flight.
        in_flight: u64,
        /// URLs of this run without content.
        failed: u64,
        /// Bytes of this run's captures.
        bytes: u64,
    },
    /// A URL was captured, durably.
    Captured {
        /// The URL.
        url: String,
        /// Status.
        status: u16,
        /// Length of the body without its content coding.
        bytes: u64,
    },
    /// A URL will be asked for again.
    Retry {
        /// The URL.
        url: String,
        /// Class of the failure.
        class: String,
        /// Which repetition this will be, from 1.
        attempt: u32,
        /// When.
        delay: Duration,
    },
    /// A URL was given up in this run.
    Failed {
        /// The URL.
        url: String,
        /// Class of the failure.
        class: String,
    },
    /// An answer was no content.
    Rejected {
        /// The URL.
        url: String,
        /// Class: `gone`, `reject:ID`, `http-403`, …
        class: String,
        /// It locked us out of a page that we hold.
        walled: bool,
    },
    /// A URL is as it was: by its validators, or byte for byte.
    Unchanged {
        /// The URL.
        url: String,
        /// Status: 304 or 200.
        status: u16,
    },
    /// A shape of URLs is not followed any more: it looks like a space without an end.
    PatternStopped {
        /// The shape: numbers are `#`.
        pattern: String,
        /// `too-many-urls`, `same-content`.
        rule: String,
        /// The URL at which it stopped.
        url: String,
    },
    /// A host answers nothing good, or asks for a rest beyond our patience: the rest stays queued.
    Stonewalled {
        /// The host.
        host: String,
        /// URLs that wait.
        waiting: u64,
    },
    /// Nothing is asked for until the quiet hours end.
    Quiet {
        /// How long they still last.
        rest: Duration,
    },
    /// The pager of a list stopped.
    PagerStopped {
        /// First page of the list.
        list: String,
        /// Id of the rule.
        rule: String,
        /// Pages read.
        pages: u32,
        /// `last-page`, `max-pages`, `no-new-items`, `expired`.
        reason: String,
    },
}

/// How a crawl ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// What is wrong with saved pages that were read (a torn archive): what is whole was taken.
    pub source_problems: Vec<String>,
    /// Captures of this run: what is new, or other than it was.
    pub captured: u64,
    /// URLs of this run that were given up.
    pub failed: u64,
    /// Answers of this run that were no content.
    pub rejected: u64,
    /// Tasks of this run that were asked for and recorded, whatever came of them.
    pub asked: u64,
    /// URLs of this run that are as they were.
    pub unchanged: u64,
    /// Pages that we hold and were locked out of: a login, a firewall, a challenge.
    pub walled: u64,
    /// Repetitions.
    pub retries: u64,
    /// Bytes of this run's captures.
    pub bytes: u64,
    /// URLs that the ledger knows.
    pub known: u64,
    /// It was cancelled; what was in flight is safe.
    pub interrupted: bool,
    /// `limit` or `max_time` was reached; the same command continues.
    pub limit_reached: bool,
    /// A host that answers nothing good ended the run; the same command continues.
    pub stonewalled: Option<String>,
    /// Shapes of URLs that look like a space without an end, and the rule that stopped them.
    pub traps: Vec<(String, String)>,
}

impl Summary {
    /// Answers of this run that are content, new or as it was: what `limit` counts.
    #[must_use]
    pub const fn fetched(&self) -> u64 {
        self.captured + self.unchanged
    }
}

#[cfg(test)]
mod tests {
    use crate::capture::{Capture, Exchange};
    use crate::mapping::Mapping;
    use crate::page::{self, Page};

    /// A mapping of `http://h/` with further rules.
    pub(super) fn mapping(extra: &str) -> Mapping {
        let text = format!("schema = 1\n[site]\nid = \"h\"\nbase = \"http://h/\"\n{extra}");
        Mapping::parse("h.toml", &text).unwrap()
    }

    /// A page of that site.
    pub(super) fn page(url: &str, html: &str, extra: &str) -> Page {
        let mapping = mapping(extra);
        let url = mapping.canonical(&url.parse().unwrap()).unwrap();
        let exchange = Exchange {
            notes: Vec::new(),
            url: url.to_string(),
            method: "GET".into(),
            request_headers: Vec::new(),
            request_body: Vec::new(),
            status: 200,
            reason: String::new(),
            headers: vec![("content-type".into(), b"text/html; charset=utf-8".to_vec())],
            body: html.as_bytes().to_vec(),
            at: jiff::Timestamp::UNIX_EPOCH,
            ip: None,
            truncated: None,
        };
        page::read(
            &Capture::from_exchange(&exchange, 1 << 20).unwrap(),
            &url,
            &mapping,
        )
        .unwrap()
    }
}
