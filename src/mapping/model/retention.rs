//! `[retention]`: what `gc` may remove when nothing needs it any more.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[retention]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Captures of pictures and files that a newer one of the same address replaced are kept so long. What a document, a
    /// tombstone or the next visit needs is kept whatever its age, and so are the answers of pages.
    pub captures: Span,
    /// Newest captures of an address that are kept whatever their age, at least 1.
    pub versions: u32,
    /// Runs are kept so long, with the journal of their writes; the last of each command, those that wrote what is in the
    /// CMS and those whose writes have no answer are kept whatever their age. What documents were goes with the runs that had it.
    pub runs: Span,
    /// Old ledgers (`ledger.db.old-…`) and quarantined payloads of entries that are delivered by now are kept so long.
    pub logs: Span,
    /// A file of the archive is written anew when at least this share of its bytes is not needed.
    pub share: f64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            captures: Span::hours(90 * 24),
            versions: 2,
            runs: Span::hours(365 * 24),
            logs: Span::hours(90 * 24),
            share: 0.25,
        }
    }
}
