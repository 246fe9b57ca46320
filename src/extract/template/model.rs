//! What was learned of a site, with its evidence. Serialisable; a reader refuses a version that it does not know.

use serde::{Deserialize, Serialize};

/// Version of the stored form. Version 1 had neither ids nor steps of templates.
pub const VERSION: u32 = 2;

/// Steps of a template that a model keeps.
pub(super) const CORE: usize = 512;

/// What is known of a site.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// [`VERSION`].
    pub version: u32,
    /// Pages that were looked at.
    pub pages: usize,
    /// Its templates, the most frequent first.
    pub templates: Vec<Template>,
    /// Lines that most kinds of page show: hash of their letters and number of pages. At most 4096, the most frequent first.
    pub chrome: Vec<(u64, u32)>,
}

/// What the pages of a template are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One article a page.
    Article,
    /// Links to articles, page by page.
    List,
    /// Where a visit begins.
    Home,
    /// It asks for a password.
    Login,
    /// Articles once more: a print view.
    Copy,
    /// The address of an article, and none there.
    Gone,
    /// None of these.
    Other,
}

/// One template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Template {
    /// Its name among all templates of the site that were ever stored: `article-1`. Pages made alike keep it.
    pub id: String,
    /// What it is for.
    pub kind: Kind,
    /// Pages of the sample.
    pub pages: usize,
    /// Pattern of their path and query.
    pub url: String,
    /// Key of documents, as a mapping writes it.
    pub key: Option<String>,
    /// Some of their URLs.
    pub samples: Vec<String>,
    /// Steps of the trees of most of its pages (hashes of parent and child): the 512 smallest, sorted.
    pub steps: Vec<u64>,
    /// What a page says that holds no article, and an element that no article has.
    pub message: Option<(String, Option<String>)>,
    /// Why a template of articles has no rules.
    pub why: Option<String>,
    /// Rules, if the template shows articles and at least three pages taught them.
    pub article: Option<Article>,
    /// Lines that are no text, of a template of articles without rules.
    #[serde(default)]
    pub drops: Vec<Drop>,
    /// Rules, if it shows lists.
    pub list: Option<List>,
    /// How its articles go on on further pages, if they do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parts: Option<Parts>,
    /// Its pages in the sample, while it is being learned.
    #[serde(skip)]
    pub(super) members: Vec<usize>,
}

/// A selector and how well it did.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Rule {
    /// The selector.
    pub css: String,
    /// An attribute instead of the text.
    pub attr: Option<String>,
    /// What is taken of the text.
    pub regex: Option<String>,
    /// Pages on which it finds what it should.
    pub right: u32,
    /// Pages on which it finds something else.
    pub wrong: u32,
    /// Pages that show such a thing.
    pub of: u32,
    /// What it finds on one page.
    pub example: String,
    /// How it was known what it should find.
    pub evidence: String,
    /// Selectors that do as well.
    pub others: Vec<String>,
}

impl Rule {
    /// How sure the rule is, 0 to 1: right pages of all, with one doubtful page added.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        f64::from(self.right) / f64::from(self.right + self.wrong + 1)
    }
}

/// Rules of articles.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Article {
    /// What holds the text.
    pub container: Rule,
    /// The headline.
    pub title: Option<Rule>,
    /// The section.
    pub section: Option<Rule>,
    /// Dates of publication, the best first.
    pub published: Vec<Rule>,
    /// `<meta>` that says it.
    pub published_meta: Option<String>,
    /// Who wrote it.
    pub byline: Option<Rule>,
    /// The text ends with who wrote it.
    pub signature: bool,
    /// Where it is from.
    pub source: Option<Rule>,
    /// It stands in the text behind this label.
    pub source_label: Option<String>,
    /// Between title and text.
    pub summary: Option<Rule>,
    /// Boilerplate with a name.
    pub drops: Vec<Drop>,
    /// Shortest and longest text of the sample, in characters.
    pub band: (usize, usize),
    /// Largest share of that text that was links.
    pub linked: f64,
    /// Elements that the container's selector found on one page, at most.
    pub hits: usize,
    /// Lines outside of the container that more than one page shows: hashes of their letters, at most 2048, sorted.
    pub frame: Vec<u64>,
    /// Most characters of lines of one page outside of the container that no other page shows, links apart.
    pub outside: usize,
    /// How much of the text of pages that did not teach was found (F1 of its characters): with what the others taught, and
    /// by looking at each page alone.
    pub held_out: (f64, f64),
}

/// Boilerplate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Drop {
    /// Name of the rule.
    pub id: String,
    /// What it is.
    pub reason: String,
    /// Where it is; or:
    pub css: Option<String>,
    /// the line from which on to the end of the container it reaches; or:
    pub from: Option<String>,
    /// a pattern of whole lines.
    pub text: Option<String>,
    /// Pages that show it.
    pub pages: u32,
}

/// Rules of lists.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct List {
    /// One entry.
    pub item: Rule,
    /// The link of an entry to its article, inside of the entry.
    pub link: String,
    /// The date of an entry.
    pub date: Option<Rule>,
    /// How the list goes on.
    pub pager: Option<Pager>,
    /// How others of these lists go on, if they do so otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<Pager>,
    /// Labels of the lists that were seen.
    pub sections: Vec<String>,
}

/// How an article goes on on further pages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parts {
    /// Pattern of the addresses of further pages.
    pub url: String,
    /// Address of the first page, by the groups of `url`.
    pub first: String,
    /// Links to the other pages.
    pub css: String,
    /// Articles of several pages in the sample.
    pub articles: usize,
    /// Further pages of them that show their headline.
    pub pages: usize,
    /// Addresses of a first page and of one behind it.
    pub example: String,
}

/// How a list goes on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pager {
    /// `link` or `aspnet-postback`.
    pub kind: String,
    /// Its links.
    pub rule: Rule,
}
