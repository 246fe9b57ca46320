//! What the crawl says to its one writer, and what that answers.

use super::Event;
use super::error::CrawlError;
use super::frontier::{Health, Settled};
use super::origins::Origins;
use super::process::Processed;
use crate::capture::Exchange;
use crate::document::CaptureId;
use crate::ledger::{Place, Ready, UrlId, UrlKind, UrlState};
use crate::mapping::PageUrl;
use std::collections::HashSet;
use std::sync::Arc;

pub(super) enum Command {
    /// Remember a URL; answered with its task, whether it waits or not.
    Seed(PageUrl, UrlKind, String),
    /// Remember these pages.
    Seeds(Vec<PageUrl>, String),
    /// Remember the next numbers of a sweep; answered with how many there are.
    Sweep(usize),
    /// The waiting request of a pager that this method, URL and body answers; answered with its task, if there is one.
    Request(String, String, Vec<u8>),
    /// Saved answers are there; answered with a task for each, and how its URL stood before.
    Arrived(Vec<Arrival>),
    /// Exchanges that answer nothing that waits; only their place is remembered.
    Kept(PageUrl, Vec<Exchange>, Vec<Place>),
    /// robots.txt as it is from now on.
    Robots(Arc<Origins>),
    Record(Box<Processed>),
    /// Which tasks wait, beyond these.
    Ready(HashSet<UrlId>, usize),
    Reopen(Reopen),
    /// What "not found" looks like today is asked first: which probes wait.
    Probes,
    Finish {
        outcome: String,
        summary: String,
    },
}

/// Which URLs wait again at the beginning of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reopen {
    /// What failed.
    Failed,
    /// Everything.
    All,
    /// What failed, and what may have changed; or everything, but each list page by page.
    Due { everything: bool },
}

/// How the ledger stands to a URL, with the capture that counts; `None` if it does not know it.
pub(super) type Standing = Option<(UrlState, Option<CaptureId>)>;

/// A saved answer.
pub(super) struct Arrival {
    pub(super) url: PageUrl,
    pub(super) kind: UrlKind,
    pub(super) via: &'static str,
}

pub(super) enum Reply {
    Seeded(Ready),
    Recorded {
        task: Box<Ready>,
        settled: Settled,
        health: Health,
        /// Tasks that go before all others.
        urgent: Vec<Ready>,
        events: Vec<Event>,
        known: u64,
    },
    Ready(Vec<Ready>),
    Swept(usize, Vec<Event>),
    Arrived(Vec<(Ready, Standing)>),
    Done,
    Failed(CrawlError),
}
