//! `[sync]`: how the new CMS follows the old portal while both live.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[sync]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SyncRules {
    /// A page is not asked for again sooner, unless a list or sitemap says that it changed.
    pub least_age: Span,
    /// A page is asked for again at least so often, changed or not; `max_age` of a collection goes before it.
    pub most_age: Span,
    /// The same for pictures and files.
    pub media_age: Span,
    /// Lists are walked to their end at least so often; in between a walk ends at the first page that names nothing new.
    pub full_every: Span,
    /// A list that names fewer than this share of the items that it usually has is not believed.
    pub list_share: f64,
    /// Most documents that a changed mapping may change without being asked.
    pub mapping_count: u64,
    /// Largest share of all documents that it may.
    pub mapping_share: f64,
}

impl Default for SyncRules {
    fn default() -> Self {
        Self {
            least_age: Span::hours(6),
            most_age: Span::hours(14 * 24),
            media_age: Span::hours(30 * 24),
            full_every: Span::hours(7 * 24),
            list_share: 0.5,
            mapping_count: 20,
            mapping_share: 0.05,
        }
    }
}
