//! What a page leads to: links, list items with their fields, media, next pages. Pure; everything is bounded.

use super::pager::{self, NextRequest, Postbacks, json};
use super::trap;
use crate::ledger::UrlKind;
use crate::mapping::model::{Container, Discover, LinksRule, ListField, ListRule, Pager};
use crate::mapping::{Mapping, PageUrl, UrlError, resolve_href};
use crate::page::{Page, picture};
use scraper::{ElementRef, Selector};
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

/// Most patterns of traps that one page names.
const MAX_TRAPS: usize = 20;

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

/// Addresses of `url(…)` in a declaration of CSS.
fn css_urls(style: &str) -> impl Iterator<Item = &str> {
    style.split("url(").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?.trim();
        Some(inside.trim_matches(|c| c == '"' || c == '\'').trim())
    })
}

fn kind_of(mapping: &Mapping, url: &PageUrl) -> UrlKind {
    if mapping.is_attachment(url) {
        UrlKind::Media
    } else {
        UrlKind::Page
    }
}

fn empty(rule: &ListRule, root: &PageUrl) -> List {
    List {
        rule: rule.id.clone(),
        root: root.clone(),
        items: Vec::new(),
        next: NextPage::None,
        max_pages: u32::MAX,
        stop_after: None,
        total: None,
    }
}

fn list(
    mapping: &Mapping,
    url: &PageUrl,
    view: &Page,
    rule: &ListRule,
    asked: Asked<'_>,
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
            let value = value_of(view, element, field);
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
        let kind = kind_of(mapping, &to.0);
        seen.push(links, to, kind, &rule.id);
    }
    let mut list = empty(rule, url);
    list.items = items;
    list.total = rule.count.as_ref().and_then(|field| {
        let digits: String = value_of(view, view.html.root_element(), field)?
            .chars()
            .filter(char::is_ascii_digit)
            .take(12)
            .collect();
        digits.parse().ok()
    });
    let page = match asked {
        Asked::Url => 1,
        Asked::Request(page, _) => page.max(1),
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
            delta,
            script_manager,
            panel,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            let how = Postbacks {
                rule: &rule.id,
                css: css.selector(),
                number,
                delta: delta.then_some((script_manager.as_deref(), panel.as_deref())),
            };
            if let Some(next) = pager::next_postback(view, &how, page) {
                list.next = NextPage::Request(next);
            }
        }
        Some(Pager::Form {
            css,
            param,
            second,
            max_pages,
            stop_after,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            let number = match asked {
                Asked::Url => *second,
                Asked::Request(page, _) => page.saturating_add(1),
            };
            if !list.items.is_empty()
                && let Some(next) = pager::form_page(view, &rule.id, css.selector(), param, number)
            {
                list.next = NextPage::Request(next);
            }
        }
        Some(Pager::Json(pager)) => {
            (list.max_pages, list.stop_after) = (pager.max_pages, Some(pager.stop_after));
            let number = match asked {
                Asked::Url => Some(pager.first),
                // A fragment without items is the end.
                Asked::Request(..) if list.items.is_empty() => None,
                Asked::Request(page, _) => Some(page.saturating_add(1)),
            };
            if let Some(number) = number
                && let Some(next) = json::request(mapping, rule, pager, url, number)
            {
                list.next = NextPage::Request(next);
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

/// What a list field finds inside an element.
fn value_of(view: &Page, element: ElementRef<'_>, field: &ListField) -> Option<String> {
    element
        .select(field.css.selector())
        .find_map(|e| match &field.attr {
            Some(attr) => e.attr(attr).map(|v| v.trim().to_owned()),
            None => Some(view.text_of(e)),
        })
        .and_then(|v| match &field.regex {
            Some(regex) => regex.take(&v).map(str::to_owned),
            None => Some(v),
        })
        .filter(|v| !v.is_empty())
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
        .filter_map(Container::css)
        .find_map(|css| view.html.select(css.selector()).next())
        .unwrap_or_else(|| view.html.root_element());
    let rules = &mapping.rules().media;
    let mut picture = |address: &str| {
        if let Some(to) = seen.resolve(address)
            && !rules.ignore.iter().any(|p| p.regex().is_match(to.0.as_str()))
        {
            seen.push(links, to, UrlKind::Media, "media");
        }
    };
    for image in container.select(images) {
        picture::source(image, &rules.lazy_attrs)
            .into_iter()
            .for_each(&mut picture);
    }
    static HIDDEN: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse(r"noscript, v\:imagedata").ok());
    for element in HIDDEN.as_ref().into_iter().flat_map(|css| container.select(css)) {
        element.attr("src").into_iter().for_each(&mut picture);
        if let Some(html) = picture::fallback(element) {
            for image in html.select(images) {
                picture::source(image, &rules.lazy_attrs)
                    .into_iter()
                    .for_each(&mut picture);
            }
        }
    }
    static STYLED: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse("[style*='url('], [background], img[srcset], source[srcset]").ok());
    for element in STYLED
        .as_ref()
        .into_iter()
        .flat_map(|css| container.select(css))
        .take(MAX_LINKS)
    {
        let sources = picture::srcset(element.attr("srcset").unwrap_or_default())
            .map(|(address, _)| address)
            .chain(css_urls(element.attr("style").unwrap_or_default()))
            .chain(element.attr("background"));
        for source in sources.take(32) {
            if let Some(to) = seen.resolve(source)
                && !rules.ignore.iter().any(|p| p.regex().is_match(to.0.as_str()))
            {
                seen.push(links, to, UrlKind::Media, "media");
            }
        }
    }
    for anchor in container.select(anchors) {
        if let Some(to) = anchor.attr("href").and_then(|h| seen.resolve(h))
            && (mapping.is_attachment(&to.0)
                || (picture::is_named_so(to.0.as_str()) && anchor.select(images).next().is_some()))
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
    traps: Vec<String>,
}

impl<'a> Seen<'a> {
    fn new(mapping: &'a Mapping, base: &'a Url) -> Self {
        Self {
            mapping,
            base,
            known: HashMap::new(),
            pushed: std::collections::HashSet::new(),
            traps: Vec::new(),
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
        let answer = match page_of(self.mapping, self.base, href) {
            Ok(page) => Some(page),
            Err(Some(UrlError::Trap { url, .. })) => {
                let pattern = Url::parse(&url).map(|u| trap::pattern_of(&u)).unwrap_or(url);
                if self.traps.len() < MAX_TRAPS && !self.traps.contains(&pattern) {
                    self.traps.push(pattern);
                }
                None
            }
            Err(_) => None,
        };
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
    page_of(mapping, base, href).ok()
}

fn page_of(mapping: &Mapping, base: &Url, href: &str) -> Result<(PageUrl, Option<String>), Option<UrlError>> {
    let mut absolute = resolve_href(base, href).map_err(|_| None)?;
    absolute.set_fragment(None);
    let url = mapping.canonical(&absolute)?;
    let spelling = (url.as_str() != absolute.as_str()).then(|| absolute.to_string());
    Ok((url, spelling))
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
    fn addresses_in_refreshes_srcsets_and_styles() {
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
        let urls: Vec<_> = css_urls("background:url( 'a b.png' ) x; b: url(c)").collect();
        assert_eq!(urls, ["a b.png", "c"]);
    }
}
