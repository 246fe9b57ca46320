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

pub(super) fn default_links_css() -> Css {
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
