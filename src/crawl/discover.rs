//! What a page leads to: links, list items with their fields, media, next pages. Pure; everything is bounded.

use super::pager::{self, Postback};
use crate::ledger::UrlKind;
use crate::mapping::model::{Discover, ListRule, Pager};
use crate::mapping::{Mapping, PageUrl, UrlError};
use crate::page::Page;
use scraper::Selector;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;
use url::Url;

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
}

/// How a list goes on.
#[derive(Clone, Debug)]
pub enum NextPage {
    /// It does not.
    None,
    /// At URLs.
    Urls(Vec<PageUrl>),
    /// By sending a form.
    Postback(Postback),
}

/// All that a page leads to. Plain data.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Links and media, each URL and spelling once.
    pub links: Vec<Link>,
    /// Lists.
    pub lists: Vec<List>,
}

/// What stands on a page. `page` is the number of the page in its list (1 unless a postback led here).
#[must_use]
pub fn discover(mapping: &Mapping, url: &PageUrl, view: &Page, page: u32, postback: bool) -> Found {
    let mut seen = Seen::new(mapping, &view.base);
    let mut found = Found::default();
    let rules = mapping.rules();
    for rule in &rules.discover {
        match rule {
            Discover::Links(rule) => {
                if rule
                    .on
                    .as_ref()
                    .is_some_and(|p| !p.regex().is_match(url.as_str()))
                {
                    continue;
                }
                for element in view.html.select(rule.css.selector()) {
                    let Some(to) = element.attr(&rule.attr).and_then(|href| seen.resolve(href)) else {
                        continue;
                    };
                    let matched = |patterns: &[crate::mapping::Pattern]| {
                        patterns.iter().any(|p| p.regex().is_match(to.0.as_str()))
                    };
                    let attachment = mapping.is_attachment(&to.0);
                    if (rule.allow.is_empty() || matched(&rule.allow)) && !matched(&rule.deny) && !attachment
                    {
                        seen.push(&mut found.links, to, UrlKind::Page, &rule.id);
                    }
                }
            }
            Discover::List(rule) if rule.on.regex().is_match(url.as_str()) => {
                let list = list(mapping, url, view, rule, page, &mut seen, &mut found.links);
                // Only the list whose pager led here is walked on.
                if !postback || matches!(rule.pager, Some(Pager::AspnetPostback { .. })) {
                    found.lists.push(list);
                }
            }
            Discover::List(_) | Discover::Sitemap(_) => {}
        }
    }
    if rules.media.fetch && !postback {
        media(mapping, url, view, &mut seen, &mut found.links);
    }
    found
}

fn list(
    mapping: &Mapping,
    url: &PageUrl,
    view: &Page,
    rule: &ListRule,
    page: u32,
    seen: &mut Seen<'_>,
    links: &mut Vec<Link>,
) -> List {
    let mut items = Vec::new();
    for element in view.html.select(rule.item.selector()).take(MAX_LINKS) {
        let Some((link, to)) = element
            .select(rule.link.selector())
            .find_map(|a| Some((a, seen.resolve(a.attr("href")?)?)))
        else {
            continue;
        };
        let mut fields = BTreeMap::new();
        for (name, field) in &rule.fields {
            let value = element
                .select(field.css.selector())
                .find_map(|e| match &field.attr {
                    Some(attr) => e.attr(attr).map(|v| v.trim().to_owned()),
                    None => Some(view.text_of(e)),
                })
                .and_then(|v| match &field.regex {
                    Some(regex) => regex.take(&v).map(str::to_owned),
                    None => Some(v),
                })
                .filter(|v| !v.is_empty());
            if let Some(value) = value {
                fields.insert(name.clone(), value.chars().take(MAX_TEXT).collect());
            }
        }
        let anchor: String = view.text_of(link).chars().take(MAX_TEXT).collect();
        items.push(Item {
            url: to.0.clone(),
            anchor: (!anchor.is_empty()).then_some(anchor),
            fields,
        });
        let kind = if mapping.is_attachment(&to.0) {
            UrlKind::Media
        } else {
            UrlKind::Page
        };
        seen.push(links, to, kind, &rule.id);
    }
    let mut list = List {
        rule: rule.id.clone(),
        root: url.clone(),
        items,
        next: NextPage::None,
        max_pages: u32::MAX,
        stop_after: None,
    };
    match &rule.pager {
        Some(Pager::Link { css, max_pages }) => {
            list.max_pages = *max_pages;
            let mut urls: Vec<PageUrl> = view
                .html
                .select(css.selector())
                .filter_map(|a| seen.resolve(a.attr("href")?))
                .map(|to| to.0)
                .filter(|to| to != url)
                .take(1000)
                .collect();
            urls.dedup();
            if !urls.is_empty() {
                list.next = NextPage::Urls(urls);
            }
        }
        Some(Pager::AspnetPostback {
            css,
            page: number,
            max_pages,
            stop_after,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            if let Some(next) = pager::next_postback(view, css.selector(), number, page.max(1)) {
                list.next = NextPage::Postback(next);
            }
        }
        Some(Pager::Query {
            param,
            second,
            max_pages,
            stop_after,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            let number = url
                .as_url()
                .query_pairs()
                .find(|(k, _)| k.eq_ignore_ascii_case(param))
                .and_then(|(_, v)| v.parse::<u32>().ok());
            if let Ok(root) = mapping.canonical(&pager::with_page(url.as_url(), param, None)) {
                list.root = root;
            }
            let next = number.map_or(*second, |n| n.saturating_add(1).max(*second));
            if !list.items.is_empty()
                && let Ok(next) = mapping.canonical(&pager::with_page(url.as_url(), param, Some(next)))
                && next != *url
            {
                list.next = NextPage::Urls(vec![next]);
            }
        }
        Some(Pager::None {}) | None => {}
    }
    list
}

/// Pictures and attachments inside the container of the page's collection.
fn media(mapping: &Mapping, url: &PageUrl, view: &Page, seen: &mut Seen<'_>, links: &mut Vec<Link>) {
    static IMAGES: LazyLock<Option<Selector>> = LazyLock::new(|| Selector::parse("img").ok());
    static ANCHORS: LazyLock<Option<Selector>> = LazyLock::new(|| Selector::parse("a[href]").ok());
    let (Some(images), Some(anchors)) = (IMAGES.as_ref(), ANCHORS.as_ref()) else {
        return;
    };
    let Some(collection) = mapping.collection_for_url(url) else {
        return;
    };
    let container = collection
        .scope
        .container
        .iter()
        .find_map(|css| view.html.select(css.selector()).next())
        .unwrap_or_else(|| view.html.root_element());
    let rules = &mapping.rules().media;
    for image in container.select(images) {
        let source = rules
            .lazy_attrs
            .iter()
            .map(String::as_str)
            .chain(["src"])
            .find_map(|a| image.attr(a).map(str::trim).filter(|v| !v.is_empty()));
        let Some(to) = source.and_then(|s| seen.resolve(s)) else {
            continue;
        };
        if !rules.ignore.iter().any(|p| p.regex().is_match(to.0.as_str())) {
            seen.push(links, to, UrlKind::Media, "media");
        }
    }
    for anchor in container.select(anchors) {
        if let Some(to) = anchor.attr("href").and_then(|h| seen.resolve(h))
            && mapping.is_attachment(&to.0)
        {
            seen.push(links, to, UrlKind::Media, "media");
        }
    }
}

/// Resolves each spelling once.
struct Seen<'a> {
    mapping: &'a Mapping,
    base: &'a Url,
    known: HashMap<String, Option<(PageUrl, Option<String>)>>,
    pushed: std::collections::HashSet<(PageUrl, Option<String>)>,
}

impl<'a> Seen<'a> {
    fn new(mapping: &'a Mapping, base: &'a Url) -> Self {
        Self {
            mapping,
            base,
            known: HashMap::new(),
            pushed: std::collections::HashSet::new(),
        }
    }

    fn resolve(&mut self, href: &str) -> Option<(PageUrl, Option<String>)> {
        let href = href.trim();
        if href.is_empty() || href.starts_with('#') || href.len() > 8192 {
            return None;
        }
        // Pictures inside the page and scripts are no URLs of the site.
        if href.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("data:"))
            || href
                .get(..11)
                .is_some_and(|s| s.eq_ignore_ascii_case("javascript:"))
        {
            return None;
        }
        if let Some(known) = self.known.get(href) {
            return known.clone();
        }
        let answer = canonical(self.mapping, self.base, href);
        self.known.insert(href.to_owned(), answer.clone());
        answer
    }

    fn push(&mut self, links: &mut Vec<Link>, to: (PageUrl, Option<String>), kind: UrlKind, via: &str) {
        if links.len() < MAX_LINKS && self.pushed.insert(to.clone()) {
            links.push(Link {
                url: to.0,
                spelling: to.1,
                kind,
                via: via.to_owned(),
            });
        }
    }
}

/// The page that `href` means, with its absolute spelling (without fragment) if that differs.
pub fn canonical(mapping: &Mapping, base: &Url, href: &str) -> Option<(PageUrl, Option<String>)> {
    let mut absolute = base.join(href.trim()).ok()?;
    absolute.set_fragment(None);
    match mapping.canonical(&absolute) {
        Ok(url) => {
            let spelling = (url.as_str() != absolute.as_str()).then(|| absolute.to_string());
            Some((url, spelling))
        }
        Err(UrlError::Trap { url, reason }) => {
            tracing::debug!(%url, %reason, "a trap is not followed");
            None
        }
        Err(_) => None,
    }
}
