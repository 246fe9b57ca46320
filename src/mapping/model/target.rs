//! `[target]`: the new CMS, and what of a document goes where in it. Secrets are never in the file.

use super::{HttpJson, Preset, Span};
use crate::mapping::pattern::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// `[target]`: the new CMS. Read by delivery; a crawl does not look at it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `wordpress`, `directus`, `http-json`.
    pub kind: TargetKind,
    /// Base URL of the CMS: `https://cms.example.org/`.
    pub url: String,
    /// Name under which the ledger remembers what was delivered; kind and URL if absent. A CMS that moves to another address
    /// keeps its name.
    pub name: Option<String>,
    /// Environment variable with the name of the user (WordPress).
    pub user_env: Option<String>,
    /// Environment variable with the secret: application password, token.
    pub secret_env: Option<String>,
    /// File that holds the secret, relative to the mapping.
    pub secret_file: Option<String>,
    /// Command whose first line of output is the secret: `["pass", "show", "cms"]`.
    #[serde(default)]
    pub secret_command: Vec<String>,
    /// Exactly this certificate is accepted: `sha256:…`.
    pub pin: Option<String>,
    /// WordPress: is the companion plugin there?
    #[serde(default)]
    pub mode: Mode,
    /// In which state documents are left.
    #[serde(default)]
    pub state: PubState,
    /// How addresses are made.
    pub slug: Option<SlugForm>,
    /// Longest slug, in characters.
    #[serde(default = "slug_max")]
    pub slug_max: usize,
    /// Most requests in flight; the number is adapted below it.
    #[serde(default = "concurrency")]
    pub concurrency: usize,
    /// How often a request is repeated after a transient failure.
    #[serde(default = "retries")]
    pub retries: u32,
    /// Shortest wait after "too many requests", whatever the CMS says.
    #[serde(default = "floor")]
    pub floor: Span,
    /// Longest time for one answer.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// What bodies are written in; what the CMS reads if absent.
    pub body: Option<BodyForm>,
    /// Where a signature goes that no field takes.
    #[serde(default)]
    pub byline: BylineUse,
    /// Bylines (person, organisation or the whole line) and the users of the CMS who stand for them.
    #[serde(default)]
    pub authors: BTreeMap<String, String>,
    /// What an editor's change in the CMS means: `hold`, `theirs`, `ours`, `field-merge`.
    #[serde(default)]
    pub drift: Drift,
    /// When a page that is gone is taken off the CMS.
    #[serde(default)]
    pub retire: Retire,
    /// Where old addresses lead that no document took over: lists, start pages, sections. The first rule that fits counts.
    #[serde(default)]
    pub redirect: Vec<RedirectRule>,
    /// `http-json`: the declaration that `[target.http]` begins with.
    pub preset: Option<Preset>,
    /// `http-json`: how the CMS is spoken to. What is not said here is as the preset says.
    #[serde(default)]
    pub http: HttpJson,
    /// What of a collection goes where. Without any, a CMS with fixed types takes all documents as articles.
    #[serde(default)]
    pub entry: Vec<EntryRule>,
}

impl Target {
    /// Rules that say nothing: those of WordPress, without an address.
    #[must_use]
    pub fn bare() -> Self {
        let said = serde_json::json!({ "kind": "wordpress", "url": "" });
        // Every other key has a default; a test reads this.
        #[expect(clippy::expect_used, reason = "the value is fixed and tested")]
        serde_json::from_value(said).expect("a target needs its kind and address only")
    }
}

fn slug_max() -> usize {
    150
}
fn concurrency() -> usize {
    4
}
fn retries() -> u32 {
    6
}
fn floor() -> Span {
    Span::secs(1)
}
fn timeout() -> Span {
    Span::secs(60)
}

/// Kinds of CMSs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TargetKind {
    /// WordPress by its REST interface.
    Wordpress,
    /// Directus.
    Directus,
    /// A CMS with a JSON interface that `[target.http]` declares.
    HttpJson,
}

impl TargetKind {
    /// As mappings write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wordpress => "wordpress",
            Self::Directus => "directus",
            Self::HttpJson => "http-json",
        }
    }

    /// What it reads bodies in.
    #[must_use]
    pub const fn body(self) -> BodyForm {
        match self {
            Self::Wordpress => BodyForm::Gutenberg,
            Self::Directus | Self::HttpJson => BodyForm::Html,
        }
    }
}

/// `target.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// No plugin: an entry is known by its slug.
    #[default]
    Plain,
    /// With the plugin that `target setup` writes: an entry is known by its legacy key, and old addresses lead to it.
    Companion,
}

/// `target.state`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PubState {
    /// Public.
    #[default]
    Publish,
    /// For editors only.
    Draft,
}

/// `target.slug`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum SlugForm {
    /// From the title; with a short key where two titles are alike.
    Title,
    /// From the title, always with a short key: whatever has this slug is ours.
    TitleKey,
}

/// `target.body`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BodyForm {
    /// Clean HTML.
    Html,
    /// HTML with the comments of WordPress's block editor.
    Gutenberg,
    /// CommonMark with tables.
    Markdown,
    /// Portable Text, as JSON.
    PortableText,
}

/// `target.byline`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BylineUse {
    /// As the last paragraph of the body.
    #[default]
    Append,
    /// Not delivered.
    Omit,
}

/// What an editor's change means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Drift {
    /// The entry is left alone and shown in the plan, with both versions.
    #[default]
    Hold,
    /// The entry belongs to the editors from then on: it is left alone.
    Theirs,
    /// The old portal's version is written over it.
    Ours,
    /// Fields that editors changed are theirs from then on, the others follow the old portal. A field that both changed is
    /// held.
    FieldMerge,
}

impl Drift {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Hold, Self::Theirs, Self::Ours, Self::FieldMerge];

    /// As mappings write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "hold",
            Self::Theirs => "theirs",
            Self::Ours => "ours",
            Self::FieldMerge => "field-merge",
        }
    }
}

/// `[target.retire]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retire {
    /// Runs in a row in which the page itself must answer that it is gone. That a list does not name it any more is no
    /// such answer: it only makes the page be asked.
    pub after_misses: u32,
    /// Largest share of a collection that one run may retire.
    pub max_share: f64,
    /// Largest number that one run may retire.
    pub max_count: u32,
    /// What is done.
    pub action: RetireAction,
}

impl Default for Retire {
    fn default() -> Self {
        Self {
            after_misses: 3,
            max_share: 0.02,
            max_count: 10,
            action: RetireAction::Unpublish,
        }
    }
}

/// `target.retire.action`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RetireAction {
    /// Taken off the public site, kept for editors.
    #[default]
    Unpublish,
    /// Left as it is.
    Keep,
}

/// `[[target.entry]]`: a collection and its type in the CMS.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryRule {
    /// Id of the collection.
    pub collection: String,
    /// What an editor's change of such an entry means; as `target.drift` if absent.
    pub drift: Option<Drift>,
    /// Type in the CMS: the REST base of WordPress (`posts`, `pages`, `gov-documents`), a collection of Directus.
    #[serde(rename = "type")]
    pub of: String,
    /// Taxonomies of the CMS and where their terms come from: `{ categories = "section", tags = "extra.tags" }`.
    #[serde(default)]
    pub terms: BTreeMap<String, String>,
    /// Fields of the CMS and where their values come from, as a path into the document: `byline.raw`, `extra.signer`,
    /// `dates.event.value`.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Public address, if the CMS does not say it: `/articles/{slug}`.
    pub url: Option<String>,
}

/// `[[target.redirect]]`: one of `to`, `gone`, `archive`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RedirectRule {
    /// Path and query of the old address.
    pub from: Pattern,
    /// The new address; `$1` are groups of `from`.
    pub to: Option<String>,
    /// It has no successor: 410.
    #[serde(default)]
    pub gone: bool,
    /// It stays where it is, in an archive that somebody keeps: no redirect.
    #[serde(default)]
    pub archive: bool,
}
