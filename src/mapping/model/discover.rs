//! `[[discover]]`: where URLs come from.

use crate::mapping::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

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
    /// Pages of an archive by date: every address between two dates.
    Calendar(CalendarRule),
    /// Addresses by number: what lies between the numbers that are known.
    Ids(IdsRule),
}

impl Discover {
    /// Id of the rule.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Links(r) => &r.id,
            Self::List(r) => &r.id,
            Self::Sitemap(r) => &r.id,
            Self::Calendar(r) => &r.id,
            Self::Ids(r) => &r.id,
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
    /// Elements that hold links; if absent: `a`, `area`, `frame`, `iframe`, `meta` refresh and `link` next and prev.
    #[serde(default = "default_all_links")]
    pub css: Css,
    /// Their attribute; if absent the one in which such an element holds its link.
    pub attr: Option<String>,
    /// Links that only a script knows.
    #[serde(default)]
    pub patterns: Vec<LinkPattern>,
    /// A link is followed if its canonical URL matches one of these; all of the site if empty.
    #[serde(default)]
    pub allow: Vec<Pattern>,
    /// … and none of these.
    #[serde(default)]
    pub deny: Vec<Pattern>,
}

/// One entry of `patterns`: an address inside the text of an attribute (`onclick`, `href="javascript:…"`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkPattern {
    /// The attribute.
    pub attr: String,
    /// What stands in it.
    pub regex: Pattern,
    /// The address; `$1` is the first group.
    pub to: String,
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
    /// Where the list says how many items it has.
    pub count: Option<ListField>,
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
        /// Ask as the scripts of an UpdatePanel do and read the delta that comes back.
        #[serde(default)]
        delta: bool,
        /// Name of the ScriptManager's field; found on the page if absent.
        script_manager: Option<String>,
        /// Name of the UpdatePanel that holds the list; the first one of the page if absent.
        panel: Option<String>,
    },
    /// A form with a field for the page's number.
    Form {
        /// The form.
        css: Css,
        /// The field.
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
    /// An endpoint that the page's scripts ask.
    Json(Box<JsonPager>),
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

/// `pager = { kind = "json", … }`: an endpoint that the page's scripts ask. Pointers are JSON Pointers (RFC 6901).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JsonPager {
    /// Address, relative to the list: `{page}`, `{offset}` (from 0, in steps of `size`), `{1}` (group 1 of the list's `on`).
    pub url: String,
    /// A form body makes it a POST; same placeholders.
    pub body: Option<String>,
    /// Further headers (`X-Requested-With`).
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Number of the first page.
    #[serde(default = "default_first_page")]
    pub first: u32,
    /// Items of a page, for `{offset}`.
    #[serde(default = "default_size")]
    pub size: u32,
    /// Where the items are: an array.
    pub items: Option<String>,
    /// The link of an item: a pointer (`/url`) or a template over its values (`/View.aspx?ItemID={id}`).
    pub link: Option<String>,
    /// What the endpoint says of an item, by field name: pointers into the item.
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
    /// Where a fragment of HTML is: it is read with the list's own selectors.
    pub html: Option<String>,
    /// Where the endpoint says how many items there are.
    pub total: Option<String>,
    /// Most pages of one list.
    #[serde(default = "default_max_pages")]
    pub max_pages: u32,
    /// Stop after so many pages in a row without a new item.
    #[serde(default = "default_stop_after")]
    pub stop_after: u32,
}

/// `kind = "calendar"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarRule {
    /// Id.
    pub id: String,
    /// Address, relative to `site.base`: `{yyyy}`, `{mm}`, `{dd}`, and `{m}`, `{d}` without leading zero.
    pub url: String,
    /// First date: `2019-03-01`.
    #[schemars(with = "String")]
    pub from: jiff::civil::Date,
    /// Last date; today if absent.
    #[schemars(with = "Option<String>")]
    pub to: Option<jiff::civil::Date>,
}

/// `kind = "ids"`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IdsRule {
    /// Id.
    pub id: String,
    /// Address, relative to `site.base`: `/View.aspx?ItemID={id}`.
    pub url: String,
    /// First number; the smallest known one if absent.
    pub from: Option<u64>,
    /// Last number; the largest known one if absent.
    pub to: Option<u64>,
    /// Stop after so many numbers in a row that lead nowhere.
    #[serde(default = "default_max_missing")]
    pub max_missing: u64,
    /// Most addresses of one run.
    #[serde(default = "default_max_ids")]
    pub max: u64,
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

pub(super) fn default_links_css() -> Css {
    Css::builtin("a[href]")
}

fn default_all_links() -> Css {
    Css::builtin(
        "a[href], area[href], frame[src], iframe[src], meta[http-equiv=refresh i][content], link[rel=next i][href], \
         link[rel=prev i][href]",
    )
}

fn default_first_page() -> u32 {
    1
}

fn default_size() -> u32 {
    10
}

fn default_max_missing() -> u64 {
    200
}

fn default_max_ids() -> u64 {
    10_000
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
