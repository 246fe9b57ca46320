//! `[[collection]]`: page kinds, their fields, drop rules, gates and examples.

use super::discover::default_links_css;
use super::{GateRule, Span};
use crate::mapping::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[[collection]]`: a page kind.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Collection {
    /// Id: folder of its documents.
    pub id: String,
    /// Type of its documents (`article`, `page`, `list-entry`, …).
    #[serde(rename = "type", default = "default_type")]
    pub kind: String,
    /// Which pages belong to it: all conditions must hold.
    #[serde(rename = "match")]
    pub matches: Match,
    /// Natural key: `{name}` is a query parameter of the canonical URL, `{1}` a group of `match.url`, `{path}` the path.
    #[serde(default = "default_key")]
    pub key: String,
    /// One document an element instead of one a page (entries of a list page); its key comes from `each.link`.
    pub each: Option<Each>,
    /// For documents that the portal shows on several pages.
    pub parts: Option<Parts>,
    /// Its pages are asked for again at least so often by a sync; `sync.most_age` if absent.
    pub max_age: Option<Span>,
    /// Where the content is.
    #[serde(default)]
    pub scope: Scope,
    /// Fields by name: `title`, `section`, `byline`, `source`, `summary`, `dates.published`, …, or a name of one's own.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// Text that is not content.
    #[serde(default)]
    pub drop: Vec<DropRule>,
    /// Conditions on the finished document.
    #[serde(default)]
    pub gate: Vec<GateRule>,
    /// Captured pages with what they must give: tests that travel with the mapping.
    #[serde(default)]
    pub example: Vec<Example>,
}

fn default_type() -> String {
    "article".into()
}

fn default_key() -> String {
    "{url}".into()
}

/// `match` of a collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Match {
    /// On path and query of the canonical URL.
    pub url: Pattern,
    /// Not on it.
    pub not_url: Option<Pattern>,
    /// Something on the page.
    pub css: Option<Css>,
    /// Only pages that nothing else of the mapping knows: no other collection and no list.
    #[serde(default)]
    pub rest: bool,
}

impl Match {
    /// Whether `url` and `not_url` agree to a path with its query; for pages that are no rest, what a page is by its address.
    #[must_use]
    pub fn fits_url(&self, location: &str) -> bool {
        let not = self.not_url.as_ref();
        self.url.regex().is_match(location) && not.is_none_or(|p| !p.regex().is_match(location))
    }
}

/// `each` of a collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Each {
    /// One element a document.
    pub css: Css,
    /// The entry's own link, inside it; its canonical URL is the entry's natural key.
    #[serde(default = "default_links_css")]
    pub link: Css,
}

/// `parts` of a collection: a document on several pages is one document.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parts {
    /// On path and query of a canonical URL: the pages behind the first. If its last group is a number, it orders them.
    pub url: Pattern,
    /// Path and query of the first page (`$1` is the first group of `url`).
    #[serde(default = "default_first")]
    pub first: String,
    /// Links on each page to the others.
    pub css: Css,
}

fn default_first() -> String {
    "$1".into()
}

/// `scope` of a collection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// The first that matches gives the container: selectors, `@learned` for what the ledger's models say of pages made
    /// like this one, and `@auto` for what the page itself gives away. The whole page if empty.
    pub container: Vec<Container>,
    /// A page on which the container is missing or odd (by what was learned of pages like it) is read by `@auto`, says that
    /// this is a guess, and gets the warning `odd-page`. A page of the collection's address that `match.css` does not fit
    /// and no other collection takes is such a page.
    pub alarm: bool,
    /// The body ends before the first block that begins with one of these texts (compared folded).
    pub stop_before: Vec<String>,
}

/// Where a container is looked for.
#[derive(Clone, Debug)]
pub enum Container {
    /// The first element that a selector matches.
    Css(Css),
    /// `@auto`: found page by page, without a rule; each block that is dropped names why (`auto:related`, …).
    Auto,
    /// `@learned`: what the models of the ledger name for the page's template (`sangtrang learn`); a page that is odd for
    /// them is read as `@auto` reads it.
    Learned,
}

/// How a mapping writes [`Container::Auto`].
const AUTO: &str = "@auto";

/// How a mapping writes [`Container::Learned`].
const LEARNED: &str = "@learned";

/// The containers that are no selectors.
pub(in crate::mapping) const WORDS: [&str; 2] = [AUTO, LEARNED];

impl Container {
    /// Its selector, if it is one.
    #[must_use]
    pub fn css(&self) -> Option<&Css> {
        match self {
            Self::Css(css) => Some(css),
            Self::Auto | Self::Learned => None,
        }
    }
}

impl<'de> Deserialize<'de> for Container {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        match &*text {
            AUTO => return Ok(Self::Auto),
            LEARNED => return Ok(Self::Learned),
            _ => {}
        }
        if text.starts_with('@') {
            let told =
                format!("`{text}` is no container; only `{AUTO}` and `{LEARNED}` are none and no selectors");
            return Err(serde::de::Error::custom(told));
        }
        Css::new(&text).map(Self::Css).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Container {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Container".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "container", "description": "A CSS selector, `@learned` or `@auto`." })
    }
}

/// `fields.NAME` of a collection.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Rungs, tried in order.
    pub take: Vec<Take>,
    /// A document without it fails its gate.
    #[serde(default)]
    pub required: bool,
    /// Printed value to value (section labels to ids).
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// What a value that `map` does not name means; `keep` if absent.
    #[serde(default)]
    pub on_unmapped: OnUnmapped,
}

/// What a value that a `map` does not name means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnUnmapped {
    /// Taken as it is.
    #[default]
    Keep,
    /// The document fails: a new category is a decision.
    Fail,
}

/// One rung of a field. Exactly one verb (`css`, `meta`, `listing`, `after`, `label`, `lead`, `signature`, `url`,
/// `value`, `infer`), and modifiers.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Take {
    /// Verb: text of the first match inside the container, else on the page. It is consumed: no other rule gets it.
    pub css: Option<Css>,
    /// Verb: `<meta name|property=…>`.
    pub meta: Option<String>,
    /// Verb: what a list said of this page: `RULE.FIELD`.
    pub listing: Option<String>,
    /// Verb: the first block of text behind the named field's. Consumed.
    pub after: Option<String>,
    /// Verb: what follows this text in its block ("Nguồn:"). The block is consumed.
    pub label: Option<String>,
    /// Verb: the first paragraph of the body. Not consumed.
    pub lead: Option<bool>,
    /// Verb: the signature: a short block after the end mark `./.` or at the end of the text. Consumed.
    pub signature: Option<bool>,
    /// Verb: group 1 of this pattern on the canonical URL.
    pub url: Option<Pattern>,
    /// Verb: this text.
    pub value: Option<String>,
    /// Verb: another field's value, as a guess (`dates.event`).
    pub infer: Option<String>,
    /// Modifier of `css`: an attribute instead of the text.
    pub attr: Option<String>,
    /// Modifier: group 1 (or the whole match) of what the verb found; no match, no value.
    pub regex: Option<Pattern>,
    /// Modifier: how sure this rung is, 0 to 1.
    pub confidence: Option<f64>,
}

/// `[[drop]]` and `[[collection.drop]]`: text that is not content. Exactly one of `css`, `text`, `from`, `catalogue`,
/// `outside`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DropRule {
    /// Id: what the accounting names.
    pub id: String,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
    /// Elements.
    pub css: Option<Css>,
    /// Blocks whose whole text (folded) matches.
    pub text: Option<Pattern>,
    /// From the block inside the container that begins with this text (folded) …
    pub from: Option<String>,
    /// … up to, not including, the block that begins with this one; to the end of the container if absent.
    pub to: Option<String>,
    /// Lines that the phrase catalogue of the site's language knows.
    pub catalogue: Option<Catalogue>,
    /// Everything outside the container.
    pub outside: Option<bool>,
}

/// A group of the phrase catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Catalogue {
    /// From the first heading of a list of other news to the end of the container.
    Related,
    /// What the portal offers to do with the page: print, send, font size.
    Tools,
    /// Numbers that change at each visit.
    Counters,
    /// Furniture of the portal.
    Chrome,
    /// Pagers.
    Pager,
}

/// `[[collection.example]]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Saved page, relative to the mapping file.
    pub capture: String,
    /// URL it stands for, relative to `site.base`.
    pub url: String,
    /// JSON file: every key in it must be equal in the document.
    pub expect: String,
    /// What lists say of the page, by `RULE.FIELD`.
    #[serde(default)]
    pub listing: BTreeMap<String, String>,
}
