//! `[site]`, `[politeness]`, `[limits]`, `[url]`, `[decode]`, `[[reject]]`, `[[ignore]]`: the site as a whole.

use crate::mapping::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;

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
    /// Further origins (`http://static.example.org`) whose pages and files belong to the site.
    #[serde(default)]
    pub also: Vec<String>,
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
    /// WARC or ARC files (plain or gzip).
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
        /// Which URL a file stands for, where neither its path nor a comment in it says so.
        #[serde(default)]
        urls: Vec<FileUrl>,
    },
}

/// One entry of `urls` of a folder.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileUrl {
    /// Path below the folder, with `/`.
    pub from: Pattern,
    /// The URL, absolute or relative to `root`; `$1` is the first group.
    pub to: String,
}

fn default_timezone() -> String {
    "Asia/Ho_Chi_Minh".into()
}

pub(crate) fn default_language() -> String {
    "vi".into()
}

fn default_start() -> Vec<String> {
    vec!["/".into()]
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
    /// From hours.
    #[must_use]
    pub const fn hours(h: u64) -> Self {
        Self::secs(h * 3600)
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
    /// Most URLs of one pattern (numbers taken out) that neither a collection nor a list of the mapping asks for. 0: no limit.
    pub pattern_urls: u64,
    /// So many pages of one pattern in a row that all say the same end it. 0: no limit.
    pub same_pages: u32,
    /// Deepest nesting of elements that is still parsed.
    pub html_depth: usize,
    /// Most elements of a page. Each costs about 18 microseconds and 1.5 KiB while its page is read; tables of ten thousand
    /// cells have some twenty thousand.
    pub html_elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            page_bytes: 16 << 20,
            media_bytes: 256 << 20,
            redirects: 10,
            depth: 64,
            urls: 5_000_000,
            pattern_urls: 500,
            same_pages: 50,
            html_depth: 512,
            html_elements: 120_000,
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
    /// The well-known session ids go: `;jsessionid=`, `/(S(…))/`, `PHPSESSID` and the like.
    pub session_ids: bool,
    /// What these patterns match is cut out of the path (session ids of other kinds).
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
    /// Blocks of a document that nothing decides how to read, above which its gate fails.
    pub max_undecided_blocks: usize,
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
