//! Where everything came from.

use super::{CaptureId, Span};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where one field came from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldProvenance {
    /// Id of the rule: `fields.title`.
    pub rule: String,
    /// Which rung of the fallback chain matched, from 0.
    pub rung: usize,
    /// How: `css`, `meta`, `listing`, `text-anchor`, `lead-sentence`, `signature`, `inferred`, …
    pub method: String,
    /// 0 to 1; below 1 it is a guess.
    pub confidence: f64,
    /// Characters of the page's visible text that it used; absent if it came from elsewhere (meta, listing).
    pub chars: Option<Span>,
}

/// How the page was fetched. Nothing here differs between two fetches of an unchanged page.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FetchProvenance {
    /// Canonical URL that was asked for.
    pub requested: String,
    /// URL that answered.
    #[serde(rename = "final")]
    pub final_url: String,
    /// Redirects on the way, in order.
    pub chain: Vec<String>,
    /// HTTP status.
    pub status: u16,
    /// ETag header.
    pub etag: Option<String>,
    /// Last-Modified header.
    pub last_modified: Option<String>,
    /// Hash of the body: the way into the archive.
    pub capture: Option<CaptureId>,
}

/// How bytes became text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    /// What HTTP header or `meta` said.
    pub declared: Option<String>,
    /// What was used.
    pub used: String,
    /// Why: `bom`, `http`, `meta`, `valid-utf8`, `detected`, `default`.
    pub method: String,
    /// Characters that could not be decoded (U+FFFD in the text).
    pub replacements: usize,
    /// Repairs by name, for example `nfc`.
    pub repairs: Vec<String>,
}

/// A list page or sitemap that announced the page.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Discovered {
    /// Id of the discovery rule.
    pub rule: String,
    /// The page that it stood on.
    pub parent: String,
    /// Text of the link.
    pub anchor: Option<String>,
}

/// Where a document came from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// By field name (`title`, `dates.published`).
    pub fields: BTreeMap<String, FieldProvenance>,
    /// The fetch.
    pub fetch: FetchProvenance,
    /// The decoding.
    pub decode: Decode,
    /// List pages and sitemaps that announced it, sorted.
    pub discovered: Vec<Discovered>,
}
