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
    /// What was special about it: old TLS or a certificate that was not checked as usual (`tls-profile`, `tls-protocol`,
    /// `tls-cipher`, `tls-reason`, …), a browser (`rendered-by`, `render-rule`, `wait`), a saved file (`url-from`: how its URL is known).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub notes: BTreeMap<String, String>,
}

impl FetchProvenance {
    /// Adds what the archive noted of the fetch and a reader of the document should know. Usual TLS is not worth a word, and
    /// what differs from one fetch to the next has no place here.
    #[must_use]
    pub fn with_notes(mut self, notes: &[(String, String)]) -> Self {
        let unusual = notes.iter().any(|(name, _)| name == "tls-profile");
        let told = |name: &str| match name {
            "rendered-by" | "render-rule" | "wait" | "url-from" => true,
            name => unusual && name.starts_with("tls-"),
        };
        self.notes
            .extend(notes.iter().filter(|(name, _)| told(name)).cloned());
        self
    }

    /// What was unusual, in one line for a report each.
    pub fn unusual(&self) -> impl Iterator<Item = String> + '_ {
        let note = |name: &str| self.notes.get(name).map(String::as_str);
        let tls = note("tls-profile").map(|profile| {
            let unchecked = note("tls-invalid").map_or("", |_| ", certificate not checked");
            let protocol = note("tls-protocol").unwrap_or_default();
            let reason = note("tls-reason").unwrap_or("pinned certificate");
            format!("TLS {profile} ({protocol}{unchecked}): {reason}")
        });
        let rendered = note("rendered-by").map(|by| {
            let rule = note("render-rule").unwrap_or_default();
            format!("rendered by {by}, rule {rule}")
        });
        [tls, rendered].into_iter().flatten()
    }
}

/// How bytes became text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decode {
    /// What HTTP header or `meta` said.
    pub declared: Option<String>,
    /// What the text itself says, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<String>,
    /// What was used for most of the page.
    pub used: String,
    /// Why: `bom`, `http`, `meta`, `valid-utf8`, `syllables`, `font`, `detected`, `default`,
    /// `as-is`, `undecided`.
    pub method: String,
    /// Share of the words with marks that are valid syllables as read; 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The best reading that says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
    /// Characters that could not be decoded (U+FFFD in the text).
    pub replacements: usize,
    /// Repairs by name, for example `nfc`.
    pub repairs: Vec<String>,
    /// Blocks that nothing decides how to read.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub undecided: usize,
    /// Blocks that were read in another way than the page, or by a guess; at most a thousand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<BlockDecode>,
}

/// A reading that lost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunnerUp {
    /// Its encoding.
    pub encoding: String,
    /// Share of the words with marks that are valid syllables in it; 0 to 1.
    pub share: f64,
}

/// How one block of a page was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BlockDecode {
    /// Characters of the page's visible text; absent if no reader sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chars: Option<Span>,
    /// Where it stands if it is no visible text: `title`, `@alt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// What declares it: the legacy font that it is set in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub font: Option<String>,
    /// What its text says alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected: Option<String>,
    /// What was used; if undecided, what it was left in.
    pub used: String,
    /// Why: `syllables`, `font` (confirmed by syllables), `neighbours`, `document`, `declared`, `as-is` (right as it
    /// stands), `undecided`.
    pub method: String,
    /// Share of the words with marks that are valid syllables as read; 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// The best reading that says something else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_up: Option<RunnerUp>,
    /// Characters that could not be decoded.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replacements: usize,
    /// Repairs by name: `capitals`, `utf8-as-windows-1252`, `lost-ampersand`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub repairs: Vec<String>,
}

impl BlockDecode {
    /// Whether nothing decides how the block is to be read.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        self.method == "undecided"
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it")]
fn is_zero(n: &usize) -> bool {
    *n == 0
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

/// One page of a document that the portal shows on several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Canonical URL.
    pub url: String,
    /// Hash of its body: the way into the archive.
    pub capture: Option<CaptureId>,
    /// The characters of the document's visible text that are this page's: all `chars` of a document with parts count
    /// through them, with one line break between two.
    pub chars: Span,
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
    /// The pages of a document that the portal shows on several, in order; empty for one on a single page.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
    /// The learned model that was asked what holds the content; absent if none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<LearnedFrom>,
    /// List pages and sitemaps that announced it, sorted.
    pub discovered: Vec<Discovered>,
}

/// A model of the site's pages, as the ledger keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LearnedFrom {
    /// Number under which the ledger keeps it.
    pub version: u32,
    /// Name of the template that the page is of.
    pub template: String,
    /// BLAKE3 of the model: the same wherever it is kept.
    pub hash: String,
}
