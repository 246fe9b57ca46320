//! How the pages of a portal were read: every archived page once, counted, the worst kept.

use super::documents::location;
use super::error::PipelineError;
use super::output::Layout;
use crate::capture::ArchiveReader;
use crate::document::Decode;
use crate::ledger::Ledger;
use crate::mapping::Mapping;
use crate::page::{self, Shown};
use serde::Serialize;
use std::collections::{BTreeMap, BinaryHeap};
use tokio_util::sync::CancellationToken;

/// Pages that are asked of the ledger at a time.
const CHUNK: usize = 64;

/// One encoding of the portal.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Used {
    /// Pages that are in it for the most part.
    pub pages: u64,
    /// Runs of text that were read in it, on any page; plain ASCII is in every encoding and counts in none.
    pub blocks: u64,
    /// How the pages were decided: `http`, `meta`, `valid-utf8`, `syllables`, `font`, …
    pub methods: BTreeMap<String, u64>,
    /// Lowest share of valid syllables among its pages.
    pub lowest_share: Option<f64>,
}

/// A page with something to look at.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Suspect {
    /// Canonical URL.
    pub url: String,
    /// How it was read.
    pub decode: Decode,
    /// Its worst block before and after.
    #[serde(skip)]
    pub shown: Option<Shown>,
}

/// The portal's encodings.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Encodings {
    /// Pages read.
    pub pages: u64,
    /// Pages that could not be read at all.
    pub unreadable: u64,
    /// By encoding; `undecided` counts runs that nothing decides.
    pub used: BTreeMap<String, Used>,
    /// Repairs by name, with the pages that needed them.
    pub repairs: BTreeMap<String, u64>,
    /// Characters that could not be decoded.
    pub replacements: u64,
    /// Words that lost their vowels before the portal stored them ("nghèo nht"); nobody can repair them.
    pub lost_letters: u64,
    /// Pages that a person should look at.
    pub in_doubt: u64,
    /// The worst of them, worst first.
    pub worst: Vec<Suspect>,
}

/// Badness, then order of the walk: undecided blocks, then replacements, then a low share.
type Rank = (usize, usize, u64, std::cmp::Reverse<u64>);

/// A suspect by its rank, the least bad on top of the heap.
struct Ranked(std::cmp::Reverse<Rank>, Suspect);

impl PartialEq for Ranked {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Ranked {}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

/// Reads every archived page of a site once. Keeps counts and at most `worst` pages in memory.
///
/// # Errors
/// When the ledger or the archive cannot be read, or when cancelled.
pub fn encodings(
    mapping: &Mapping,
    layout: &Layout,
    worst: usize,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64),
) -> Result<Encodings, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let archive = ArchiveReader::new(&layout.archive());
    let limit = mapping.rules().limits.page_bytes;
    let mut out = Encodings::default();
    let mut heap: BinaryHeap<Ranked> = BinaryHeap::new();
    let mut after = String::new();
    loop {
        let pages = ledger.pages(&after, CHUNK)?;
        let Some(last) = pages.last() else { break };
        after.clone_from(&last.url);
        for known in &pages {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            let capture = archive.read(&location(&known.place), limit)?;
            let url = super::site_url(mapping, &known.url)?;
            let Ok(page) = page::read(&capture, &url, mapping) else {
                out.unreadable += 1;
                continue;
            };
            out.pages += 1;
            if let Some(found) = out.count(page) {
                out.in_doubt += 1;
                heap.push(found);
                if heap.len() > worst {
                    heap.pop();
                }
            }
        }
        progress(out.pages);
    }
    out.worst = heap.into_sorted_vec().into_iter().map(|r| r.1).collect();
    Ok(out)
}

impl Encodings {
    /// Counts a page; gives it back if a person should look at it.
    fn count(&mut self, page: page::Page) -> Option<Ranked> {
        let lost = crate::lang::vietnamese::repair::vowelless(page.text.as_str());
        self.lost_letters += u64::try_from(lost).unwrap_or(u64::MAX);
        let decode = page.decode;
        let used = self.used.entry(decode.used.clone()).or_default();
        used.pages += 1;
        *used.methods.entry(decode.method.clone()).or_default() += 1;
        if let Some(share) = decode.share {
            used.lowest_share = Some(used.lowest_share.map_or(share, |s| s.min(share)));
        }
        for (name, runs) in page.runs {
            self.used.entry(name).or_default().blocks += runs;
        }
        for repair in &decode.repairs {
            *self.repairs.entry(repair.clone()).or_default() += 1;
        }
        self.replacements += u64::try_from(decode.replacements).unwrap_or(u64::MAX);
        let guessed = decode.share.filter(|s| *s < 1.0);
        if decode.undecided == 0 && decode.replacements == 0 && guessed.is_none() {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share between 0 and 1"
        )]
        let doubt = guessed.map_or(0, |s| ((1.0 - s) * 1000.0) as u64);
        let rank = (
            decode.undecided,
            decode.replacements,
            doubt,
            std::cmp::Reverse(self.pages),
        );
        let worst = decode
            .blocks
            .iter()
            .zip(page.shown)
            .max_by_key(|(b, _)| (b.is_undecided(), b.replacements))
            .map(|(_, shown)| shown);
        let suspect = Suspect {
            url: page.url.to_string(),
            decode,
            shown: worst,
        };
        Some(Ranked(std::cmp::Reverse(rank), suspect))
    }
}
