//! The shape of a mapping file. These types are the format: reader, checks and the published JSON Schema follow them.
//!
//! No `flatten`, no `untagged`: they lose the place of a mistake.

use super::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A mapping file: what one legacy site is like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// Version of the format; this program reads version 1.
    pub schema: u32,
    /// The site.
    pub site: Site,
    /// How to treat its servers.
    #[serde(default)]
    pub politeness: Politeness,
    /// Bounds of a crawl.
    #[serde(default)]
    pub limits: Limits,
    /// Which URLs are the same page.
    #[serde(default)]
    pub url: UrlRules,
    /// How bytes become text.
    #[serde(default)]
    pub decode: DecodeRules,
    /// Answers that are no content although they may look so.
    #[serde(default)]
    pub reject: Vec<Reject>,
    /// Pages that are no documents, on purpose.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// Where URLs come from.
    #[serde(default)]
    pub discover: Vec<Discover>,
    /// Text that no document of the site keeps (header, menu, counters).
    #[serde(default)]
    pub drop: Vec<DropRule>,
    /// Page kinds, in the order in which they are tried.
    #[serde(default)]
    pub collection: Vec<Collection>,
    /// Pictures and files.
    #[serde(default)]
    pub media: MediaRules,
    /// Links in bodies.
    #[serde(default)]
    pub links: LinkRules,
    /// The new CMS.
    pub target: Option<Target>,
}

/// `[site]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Site {
    /// Short name: folder under `output/`, part of every document id. Letters, digits, `-`.
    pub id: String,
    /// The site's name for people.
    pub name: Option<String>,
    /// Base URL; relative URLs of the mapping are resolved against it.
    #[schemars(with = "String", extend("format" = "uri"))]
    pub base: url::Url,
    /// Other origins (`http://www.example.org`) under which the same site answers.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// IANA time zone of dates without one.
    #[serde(default = "default_timezone")]
    pub timezone: String,
    /// BCP 47 tag of the content.
    #[serde(default = "default_language")]
    pub language: String,
    /// Where a crawl starts, relative to `base`.
    #[serde(default = "default_start")]
    pub start: Vec<String>,
    /// Where pages are read from; the site itself if empty.
    #[serde(default)]
    pub source: Vec<PageSource>,
}

/// `[[site.source]]`: where pages are read from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum PageSource {
    /// The live site.
    Http {},
    /// WARC files (plain or gzip).
    Warc {
        /// File or folder, relative to the mapping file.
        path: String,
    },
    /// A folder of saved pages (HTTrack, wget).
    Folder {
        /// The folder, relative to the mapping file.
        path: String,
        /// URL that the folder's root stands for; `site.base` if absent.
        root: Option<String>,
    },
}

fn default_timezone() -> String {
    "Asia/Ho_Chi_Minh".into()
}
fn default_language() -> String {
    "vi".into()
}
fn default_start() -> Vec<String> {
    vec!["/".into()]
}

/// `[politeness]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Politeness {
    /// Requests in flight at one host.
    pub concurrency: usize,
    /// Time between the starts of two requests at one host: `500ms`, `2s`.
    pub delay: Span,
    /// Who asks, with a way to reach them.
    pub user_agent: String,
    /// `obey` robots.txt (RFC 9309) or `ignore` it (own sites only).
    pub robots: Robots,
    /// Total time of one request.
    pub timeout: Span,
    /// How often a request is repeated after a transient failure.
    pub retries: u32,
    /// First retry delay; doubles up to `backoff_max`, with jitter.
    pub backoff: Span,
    /// Longest retry delay, also for Retry-After.
    pub backoff_max: Span,
}

impl Default for Politeness {
    fn default() -> Self {
        Self {
            concurrency: 2,
            delay: Span::millis(500),
            user_agent: concat!("sangtrang/", env!("CARGO_PKG_VERSION"), " (content migration)").into(),
            robots: Robots::Obey,
            timeout: Span::secs(60),
            retries: 5,
            backoff: Span::secs(1),
            backoff_max: Span::secs(300),
        }
    }
}

/// What robots.txt means to a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Robots {
    /// RFC 9309.
    Obey,
    /// Fetched and archived, but not followed.
    Ignore,
}

/// A length of time, written `500ms`, `30s`, `15m`, `2h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub std::time::Duration);

impl Span {
    /// From milliseconds.
    #[must_use]
    pub const fn millis(ms: u64) -> Self {
        Self(std::time::Duration::from_millis(ms))
    }
    /// From seconds.
    #[must_use]
    pub const fn secs(s: u64) -> Self {
        Self(std::time::Duration::from_secs(s))
    }
}

/// `[limits]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Largest page, in bytes after decompression.
    pub page_bytes: u64,
    /// Largest medium, in bytes.
    pub media_bytes: u64,
    /// Redirects in a row.
    pub redirects: usize,
    /// Links from a start page.
    pub depth: u32,
    /// Most URLs of one crawl.
    pub urls: u64,
    /// Deepest nesting of elements that is still parsed.
    pub html_depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_bytes: 16 << 20,
            media_bytes: 256 << 20,
            redirects: 10,
            depth: 64,
            urls: 5_000_000,
            html_depth: 512,
        }
    }
}

/// `[url]`: which URLs are the same page.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UrlRules {
    /// Paths and parameter names differ in case only: same page (IIS).
    pub case_insensitive_path: bool,
    /// Only these parameters tell pages apart (compared without case if `case_insensitive_path`). All, if empty.
    pub significant_params: Vec<String>,
    /// These parameters never tell pages apart.
    pub drop_params: Vec<String>,
    /// What these patterns match is cut out of the path (session ids).
    pub drop_path_patterns: Vec<Pattern>,
    /// File names that stand for their folder (`Default.aspx`).
    pub index_files: Vec<String>,
    /// A path segment may occur this often; more is a trap. 0: no limit.
    pub max_repeated_segments: usize,
    /// Rewrites, in order, of path and query after the rules above (print views to pages).
    pub rewrite: Vec<Rewrite>,
}

/// `[[url.rewrite]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rewrite {
    /// What to find in path and query.
    pub from: Pattern,
    /// What to put there; `$1` is the first group.
    pub to: String,
}

/// `[decode]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DecodeRules {
    /// Encoding of pages that declare none or a wrong one (`windows-1258`), tried before guessing.
    pub fallback: Option<String>,
    /// Undecodable characters that a page may hold before its gate fails.
    pub max_replacement_chars: usize,
}

/// `[[reject]]`: an answer that is no content. Never a deletion by itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// Id, for reports.
    pub id: String,
    /// One of these texts stands on the page (compared folded).
    #[serde(default)]
    pub text_any: Vec<String>,
    /// This selector matches.
    pub css: Option<Css>,
    /// The URL matches.
    pub url: Option<Pattern>,
    /// What the answer means.
    pub class: RejectClass,
}

/// `[[ignore]]`: a page that is no document, on purpose (search form, sitemap page). Counted and named in the report;
/// a page that neither a collection, a list nor such a rule knows is reported as unclassified.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// Id, for reports.
    pub id: String,
    /// Why, for people.
    #[serde(default)]
    pub reason: String,
    /// On the canonical URL.
    pub url: Option<Pattern>,
    /// Something on the page.
    pub css: Option<Css>,
}

/// What a rejected answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RejectClass {
    /// The page is gone, said with status 200.
    Gone,
    /// A firewall or a ban.
    Blocked,
    /// A login page.
    Login,
    /// A script challenge.
    Challenge,
    /// Down for maintenance.
    Maintenance,
}

/// `[[discover]]`: where URLs come from.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Discover {
    /// Links on pages.
    Links(LinksRule),
    /// Lists of items with a pager.
    List(Box<ListRule>),
    /// A sitemap.
    Sitemap(SitemapRule),
}

impl Discover {
    /// Id of the rule.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Links(r) => &r.id,
            Self::List(r) => &r.id,
            Self::Sitemap(r) => &r.id,
        }
    }
}

/// `kind = "links"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinksRule {
    /// Id.
    pub id: String,
    /// Pages on which it looks, by canonical URL; all if absent.
    pub on: Option<Pattern>,
    /// Elements that hold links.
    #[serde(default = "default_links_css")]
    pub css: Css,
    /// Their attribute.
    #[serde(default = "default_href")]
    pub attr: String,
    /// A link is followed if its canonical URL matches one of these; all of the site if empty.
    #[serde(default)]
    pub allow: Vec<Pattern>,
    /// … and none of these.
    #[serde(default)]
    pub deny: Vec<Pattern>,
}

/// `kind = "list"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListRule {
    /// Id; `listing = "ID.FIELD"` in a field rule reads what it found.
    pub id: String,
    /// Pages that are such lists, by canonical URL.
    pub on: Pattern,
    /// One element an item.
    pub item: Css,
    /// The link to the item's page, inside the item.
    #[serde(default = "default_links_css")]
    pub link: Css,
    /// What the list says of an item, by field name.
    #[serde(default)]
    pub fields: BTreeMap<String, ListField>,
    /// How to reach the next page of the list.
    pub pager: Option<Pager>,
}

/// `fields.NAME` of a list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListField {
    /// Inside the item.
    pub css: Css,
    /// Attribute instead of the text.
    pub attr: Option<String>,
    /// Group 1 (or the whole match) is taken.
    pub regex: Option<Pattern>,
}

/// How the pages of a list hang together.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Pager {
    /// Links to numbered pages or to the next page.
    Link {
        /// The links.
        css: Css,
        /// Most pages of one list.
        #[serde(default = "default_max_pages")]
        max_pages: u32,
    },
    /// `__doPostBack('target','argument')` of ASP.NET WebForms: the page's form is sent with its hidden fields.
    AspnetPostback {
        /// Elements whose `href` or `onclick` holds the call.
        css: Css,
        /// The argument of numbered pages: group 1 is the number.
        #[serde(default = "default_postback_page")]
        page: Pattern,
        /// Most pages of one list.
        #[serde(default = "default_max_pages")]
        max_pages: u32,
        /// Stop after so many pages in a row without a new item.
        #[serde(default = "default_stop_after")]
        stop_after: u32,
    },
    /// A number in the query.
    Query {
        /// The parameter.
        param: String,
        /// Its value on the second page.
        #[serde(default = "default_second_page")]
        second: u32,
        /// Most pages of one list.
        #[serde(default = "default_max_pages")]
        max_pages: u32,
        /// Stop after so many pages in a row without a new item.
        #[serde(default = "default_stop_after")]
        stop_after: u32,
    },
    /// The list has one page, whatever it shows.
    None {},
}

/// `kind = "sitemap"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SitemapRule {
    /// Id.
    pub id: String,
    /// Where it is, relative to `site.base`; also those that robots.txt names are read.
    #[serde(default = "default_sitemap")]
    pub url: String,
}

fn default_links_css() -> Css {
    Css::builtin("a[href]")
}
fn default_href() -> String {
    "href".into()
}
fn default_max_pages() -> u32 {
    1000
}
fn default_stop_after() -> u32 {
    2
}
fn default_second_page() -> u32 {
    2
}
fn default_postback_page() -> Pattern {
    Pattern::builtin(r"^Page\$(\d+)$")
}
fn default_sitemap() -> String {
    "/sitemap.xml".into()
}

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

/// `scope` of a collection.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scope {
    /// The first selector that matches gives the container; the whole page if empty.
    pub container: Vec<Css>,
    /// The body ends before the first block that begins with one of these texts (compared folded).
    pub stop_before: Vec<String>,
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

/// `[[drop]]` and `[[collection.drop]]`: text that is not content. Exactly one of `css`, `text`, `from`, `outside`.
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
    /// Everything outside the container.
    pub outside: Option<bool>,
}

/// `[[collection.gate]]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Id.
    pub id: String,
    /// What must hold.
    pub rule: GateKind,
    /// What it means if it does not.
    #[serde(default)]
    pub level: Level,
    /// Number that the rule compares with.
    pub at: Option<u64>,
}

/// What a gate checks. `accounted`, `required` and `replacements` are always on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// At most `at` characters are unaccounted (default 0).
    Accounted,
    /// The body has at least `at` characters.
    MinBody,
    /// No more captions than pictures.
    CaptionsHaveImages,
    /// Every picture is stored.
    MediaComplete,
    /// At most `at` raw_html blocks.
    MaxRawHtml,
    /// The published date is not after the fetch and not before 1990.
    DateSane,
}

/// Level of a gate in a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Worth a look.
    Warn,
    /// The document may not be delivered.
    #[default]
    Fail,
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

/// `[media]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MediaRules {
    /// Fetch pictures and attachments.
    pub fetch: bool,
    /// A link whose canonical URL matches one of these is an attachment.
    pub attachments: Vec<Pattern>,
    /// Attributes that hold the real picture, tried before `src`.
    pub lazy_attrs: Vec<String>,
    /// Pictures of the design, never content (spacer, print icon).
    pub ignore: Vec<Pattern>,
}

impl Default for MediaRules {
    fn default() -> Self {
        Self {
            fetch: true,
            attachments: vec![Pattern::builtin(
                r"(?i)\.(docx?|xlsx?|pptx?|pdf|zip|rar|7z|odt|ods|rtf|csv)(\?|$)",
            )],
            lazy_attrs: ["data-original", "data-src", "data-lazy-src"]
                .map(Into::into)
                .to_vec(),
            ignore: Vec::new(),
        }
    }
}

/// `[links]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkRules {
    /// Links whose URL matches lose their link, the text stays (print and e-mail links).
    pub unwrap: Vec<Pattern>,
}

/// `[target]`: the new CMS. Read by delivery; a crawl does not look at it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `wordpress`, `directus`, `files`, …
    pub kind: String,
    /// Base URL of the CMS.
    pub url: Option<String>,
    /// Name of the environment variable that holds the secret.
    pub secret_env: Option<String>,
    /// What an editor's change in the CMS means: `hold`.
    #[serde(default)]
    pub drift: Drift,
    /// When a page that is gone is taken off the CMS.
    #[serde(default)]
    pub retire: Retire,
}

/// What an editor's change means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// The entry is left alone and shown in the plan.
    #[default]
    Hold,
}

/// `[target.retire]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retire {
    /// Runs in a row that must miss the page.
    pub after_misses: u32,
    /// Ask for the page itself before believing it.
    pub probe: bool,
    /// Largest share of a collection that one run may retire.
    pub max_share: f64,
    /// Largest number that one run may retire.
    pub max_count: u32,
}

impl Default for Retire {
    fn default() -> Self {
        Self {
            after_misses: 3,
            probe: true,
            max_share: 0.02,
            max_count: 10,
        }
    }
}
