//! What a page leads to: links, list items with their fields, media, next pages. Pure; everything is bounded.

mod list;
mod media;
mod seen;

pub use seen::canonical;

use super::pager::{NextRequest, json};
use crate::ledger::UrlKind;
use crate::mapping::model::{Discover, LinksRule, ListRule, Pager};
use crate::mapping::{Mapping, PageUrl};
use crate::page::Page;
use list::{empty, list};
use media::media;
use scraper::Selector;
use seen::Seen;
use std::collections::BTreeMap;

/// Most links of one page that are followed.
const MAX_LINKS: usize = 20_000;
/// Longest anchor or list field that is kept, in characters.
const MAX_TEXT: usize = 2_000;

/// A URL that a page names.
#[derive(Clone, Debug)]
pub struct Link {
    /// Canonical.
    pub url: PageUrl,
    /// The absolute spelling, if it differs.
    pub spelling: Option<String>,
    /// Page, medium or sitemap.
    pub kind: UrlKind,
    /// Id of the rule.
    pub via: String,
}

/// An item of a list.
#[derive(Clone, Debug)]
pub struct Item {
    /// Canonical URL of its page.
    pub url: PageUrl,
    /// Text of its link.
    pub anchor: Option<String>,
    /// What the list says of it.
    pub fields: BTreeMap<String, String>,
}

/// One list on a page.
#[derive(Clone, Debug)]
pub struct List {
    /// Id of the rule.
    pub rule: String,
    /// First page of the list.
    pub root: PageUrl,
    /// Its items here.
    pub items: Vec<Item>,
    /// The next page.
    pub next: NextPage,
    /// Most pages.
    pub max_pages: u32,
    /// Pages in a row without a new item that end the walk.
    pub stop_after: Option<u32>,
    /// How many items the list says it has.
    pub total: Option<u64>,
}

/// How a list goes on.
#[derive(Clone, Debug)]
pub enum NextPage {
    /// It does not.
    None,
    /// At URLs.
    Urls(Vec<PageUrl>),
    /// By a request of its own.
    Request(NextRequest),
}

/// All that a page leads to. Plain data.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Links and media, each URL and spelling once.
    pub links: Vec<Link>,
    /// Lists.
    pub lists: Vec<List>,
    /// Patterns of links that a trap makes and that are not followed, each once.
    pub traps: Vec<String>,
}

/// Which answer a page is.
#[derive(Clone, Copy, Debug)]
pub enum Asked<'a> {
    /// That of its own URL.
    Url,
    /// That of a pager's request: page number, and the list rule (empty: any rule with postbacks).
    Request(u32, &'a str),
}

/// What stands on a page.
#[must_use]
pub fn discover(mapping: &Mapping, url: &PageUrl, view: &Page, asked: Asked<'_>) -> Found {
    let mut seen = Seen::new(mapping, &view.base);
    let mut found = Found::default();
    let rules = mapping.rules();
    for rule in &rules.discover {
        match rule {
            Discover::Links(rule) => {
                let here = rule.on.as_ref().is_none_or(|p| p.regex().is_match(url.as_str()));
                if here {
                    links(mapping, view, rule, &mut seen, &mut found.links);
                }
            }
            Discover::List(rule) if rule.on.regex().is_match(url.as_str()) => {
                let list = list(mapping, url, view, rule, asked, &mut seen, &mut found.links);
                // Only the list whose pager led here is walked on.
                let walked = match asked {
                    Asked::Url => true,
                    Asked::Request(_, "") => matches!(rule.pager, Some(Pager::AspnetPostback { .. })),
                    Asked::Request(_, id) => id == rule.id,
                };
                if walked {
                    found.lists.push(list);
                }
            }
            Discover::List(_) | Discover::Sitemap(_) | Discover::Calendar(_) | Discover::Ids(_) => {}
        }
    }
    if matches!(asked, Asked::Url) {
        parts(mapping, url, view, &mut seen, &mut found.links);
    }
    if rules.media.fetch && matches!(asked, Asked::Url) {
        media(mapping, url, view, &mut seen, &mut found.links);
    }
    found.traps = seen.traps;
    found
}

/// What an endpoint answered for page `page` of the list at `url`; a fragment of HTML is read by the caller.
#[must_use]
pub fn from_json(
    mapping: &Mapping,
    url: &PageUrl,
    rule: &ListRule,
    answer: &json::Answer,
    page: u32,
) -> Found {
    let mut seen = Seen::new(mapping, url.as_url());
    let mut found = Found::default();
    let Some(Pager::Json(pager)) = &rule.pager else {
        return found;
    };
    let mut list = empty(rule, url);
    (list.max_pages, list.stop_after) = (pager.max_pages, Some(pager.stop_after));
    list.total = answer.total;
    for (link, fields) in &answer.items {
        let Some(to) = seen.resolve(link) else { continue };
        let short = |text: &String| text.chars().take(MAX_TEXT).collect::<String>();
        list.items.push(Item {
            url: to.0.clone(),
            anchor: fields.get("title").map(short),
            fields: fields.iter().map(|(n, v)| (n.clone(), short(v))).collect(),
        });
        let kind = kind_of(mapping, &to.0);
        seen.push(&mut found.links, to, kind, &rule.id);
    }
    if !list.items.is_empty()
        && let Some(next) = json::request(mapping, rule, pager, url, page.saturating_add(1))
    {
        list.next = NextPage::Request(next);
    }
    found.lists.push(list);
    found
}

/// Links by a rule: elements, then what only scripts know.
fn links(mapping: &Mapping, view: &Page, rule: &LinksRule, seen: &mut Seen<'_>, out: &mut Vec<Link>) {
    let mut take = |seen: &mut Seen<'_>, href: &str| {
        let Some(to) = seen.resolve(href) else { return };
        let matched =
            |patterns: &[crate::mapping::Pattern]| patterns.iter().any(|p| p.regex().is_match(to.0.as_str()));
        let attachment = mapping.is_attachment(&to.0);
        if (rule.allow.is_empty() || matched(&rule.allow)) && !matched(&rule.deny) && !attachment {
            seen.push(out, to, UrlKind::Page, &rule.id);
        }
    };
    for element in view.html.select(rule.css.selector()).take(MAX_LINKS) {
        let value = match (&rule.attr, element.value().name()) {
            (Some(attr), _) => element.attr(attr),
            (None, "frame" | "iframe") => element.attr("src"),
            (None, "meta") => element.attr("content").and_then(refresh),
            (None, _) => element.attr("href"),
        };
        if let Some(href) = value {
            take(seen, href);
        }
    }
    for pattern in &rule.patterns {
        let Ok(css) = Selector::parse(&format!("[{}]", pattern.attr)) else {
            continue;
        };
        for element in view.html.select(&css).take(MAX_LINKS) {
            let text = element.attr(&pattern.attr).unwrap_or_default();
            for groups in pattern.regex.regex().captures_iter(text).take(16) {
                let mut to = String::new();
                groups.expand(&pattern.to, &mut to);
                take(seen, &to);
            }
        }
    }
}

/// The address in the `content` of a `meta` refresh: `5; url='/x'` (HTML, "shared declarative refresh steps").
#[must_use]
pub fn refresh(content: &str) -> Option<&str> {
    let rest = content.trim_start();
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    if rest.len() == content.trim_start().len() {
        return None;
    }
    let rest = rest.trim_start().trim_start_matches([';', ',']).trim_start();
    let rest = match rest.get(..3) {
        Some(word) if word.eq_ignore_ascii_case("url") => {
            let after = rest[3..].trim_start();
            after.strip_prefix('=').map_or(rest, str::trim_start)
        }
        _ => rest,
    };
    let address = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest[1..].split(quote).next().unwrap_or_default(),
        _ => rest,
    };
    (!address.trim().is_empty()).then(|| address.trim())
}

fn kind_of(mapping: &Mapping, url: &PageUrl) -> UrlKind {
    if mapping.is_attachment(url) {
        UrlKind::Media
    } else {
        UrlKind::Page
    }
}

/// The other pages of a document that the portal shows on several.
fn parts(mapping: &Mapping, url: &PageUrl, view: &Page, seen: &mut Seen<'_>, links: &mut Vec<Link>) {
    let first = mapping.part(url).map(|(first, _)| first);
    let first = first.as_ref().unwrap_or(url);
    let collection = mapping.collection_for_url(first);
    let Some(parts) = collection.and_then(|c| c.parts.as_ref()) else {
        return;
    };
    for element in view.html.select(parts.css.selector()).take(MAX_LINKS) {
        let to = element.attr("href").and_then(|h| seen.resolve(h));
        if let Some(to) = to.filter(|t| mapping.part(&t.0).is_some_and(|(f, _)| f == *first)) {
            seen.push(links, to, UrlKind::Page, "parts");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::tests::{mapping, page};

    fn links_of(html: &str, extra: &str) -> Vec<String> {
        let extra = format!("[[discover]]\nkind = \"links\"\nid = \"l\"\n{extra}");
        let mapping = mapping(&extra);
        let view = page("http://h/d/", html, &extra);
        let url = view.url.clone();
        let found = discover(&mapping, &url, &view, Asked::Url);
        found
            .links
            .iter()
            .map(|l| l.url.as_url().path().to_owned())
            .collect()
    }

    #[test]
    fn links_stand_in_many_elements() {
        let html = "<meta http-equiv=Refresh content=\"0; URL='a'\"><link rel=next href=b><frameset><frame src=c></frameset>";
        assert_eq!(links_of(html, ""), ["/d/a", "/d/b", "/d/c"]);
        let html = "<a href=1>x</a><map><area href=2></map><iframe src=3></iframe><a onclick=\"openNews('77', 1); openNews('78')\">x</a>";
        assert_eq!(links_of(html, ""), ["/d/1", "/d/2", "/d/3"]);
        let pattern =
            "patterns = [{ attr = \"onclick\", regex = \"openNews\\\\('(\\\\d+)'\", to = \"/View/$1\" }]";
        assert_eq!(
            links_of(html, pattern),
            ["/d/1", "/d/2", "/d/3", "/View/77", "/View/78"]
        );
    }

    #[test]
    fn addresses_in_refreshes() {
        for (content, to) in [
            ("5; url=/x", Some("/x")),
            ("0;URL='/x y'", Some("/x y")),
            (" 3 , /z", Some("/z")),
            ("5", None),
            ("url=/x", None),
            ("1;url = \"/q\" b", Some("/q")),
        ] {
            assert_eq!(refresh(content), to, "{content}");
        }
    }
}
