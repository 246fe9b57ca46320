//! Which endpoint fills a list: from what a rendered page asked for to a rule for the mapping. Every part that is a guess
//! says so. Pure.

use super::fetch::traffic::Request;
use crate::mapping::{Mapping, PageUrl};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use url::{Position, Url};

/// Arrays of one answer that are looked at, and how deep.
const MAX_ARRAYS: usize = 200;
const MAX_DEPTH: usize = 6;
/// Items of an array that are looked at.
const MAX_ITEMS: usize = 500;
/// Names of parameters that say a page, an offset, a size (lower case).
const PAGE: [&str; 14] = [
    "page",
    "p",
    "trang",
    "pageindex",
    "pageno",
    "pagenumber",
    "page_no",
    "currentpage",
    "curpage",
    "pg",
    "pi",
    "paged",
    "trangso",
    "index",
];
const OFFSET: [&str; 5] = ["offset", "start", "skip", "from", "first"];
const SIZE: [&str; 11] = [
    "size",
    "pagesize",
    "page_size",
    "limit",
    "rows",
    "take",
    "per_page",
    "perpage",
    "soluong",
    "top",
    "count",
];

/// A rule that could read the list without a browser.
#[derive(Clone, Debug, PartialEq)]
pub struct Proposal {
    /// Which of the page's requests answers it, from 0.
    pub request: usize,
    /// Items of the answer, and those whose link the page shows.
    pub items: usize,
    /// … those whose link the rendered page shows and the page as sent does not.
    pub linked: usize,
    /// Share of the items whose link was found on the page: how sure the rule is.
    pub confidence: f64,
    /// Lines for the mapping.
    pub rule: String,
}

/// Links of the site by canonical URL.
pub type Links = BTreeSet<String>;

/// Proposals, the best first. `new`: links that only the rendered page has.
#[must_use]
pub fn propose(mapping: &Mapping, page: &PageUrl, new: &Links, requests: &[Request]) -> Vec<Proposal> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, request) in requests.iter().enumerate() {
        let Some(body) = request.body.as_ref().filter(|_| request.status == Some(200)) else {
            continue;
        };
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            continue;
        };
        // As the `json` pager reads it.
        let inner = value
            .get("d")
            .and_then(Value::as_str)
            .and_then(|d| serde_json::from_str(d).ok());
        let value = inner.unwrap_or(value);
        let Some(list) = best_list(mapping, page, new, &value) else {
            continue;
        };
        let ask = asking(page, request, requests, list.items);
        // The same endpoint once, however many pages of it were asked for.
        if seen.insert((ask.url.clone(), ask.body.clone(), list.items_at.clone())) {
            found.push(proposal(page, at, &value, &list, &ask));
        }
    }
    found.sort_by(|a, b| b.linked.cmp(&a.linked).then(a.request.cmp(&b.request)));
    found
}

/// An array of items with links.
struct List<'v> {
    items_at: String,
    link: String,
    items: usize,
    linked: usize,
    first: &'v Value,
}

fn best_list<'v>(mapping: &Mapping, page: &PageUrl, new: &Links, value: &'v Value) -> Option<List<'v>> {
    let mut arrays = Vec::new();
    walk(value, &mut String::new(), 0, &mut arrays);
    let mut best: Option<List<'v>> = None;
    for (items_at, items) in arrays {
        for link in link_candidates(new, items) {
            let linked = items.iter().take(MAX_ITEMS).filter(|item| {
                let written = super::pager::json::link(&link, item);
                let url = written.and_then(|w| page.as_url().join(&w).ok());
                url.and_then(|u| mapping.canonical(&u).ok())
                    .is_some_and(|u| new.contains(u.as_str()))
            });
            let linked = linked.count();
            let better = best.as_ref().is_none_or(|b| linked > b.linked);
            // What fits one item in many is chance.
            if better && linked > 0 && linked * 2 >= items.len().min(MAX_ITEMS) {
                best = Some(List {
                    items_at: items_at.clone(),
                    link,
                    items: items.len(),
                    linked,
                    first: &items[0],
                });
            }
        }
    }
    best
}

/// Arrays of objects with their JSON Pointers.
fn walk<'v>(value: &'v Value, at: &mut String, depth: usize, arrays: &mut Vec<(String, &'v Vec<Value>)>) {
    if depth > MAX_DEPTH || arrays.len() >= MAX_ARRAYS {
        return;
    }
    let length = at.len();
    match value {
        Value::Array(items) if items.first().is_some_and(Value::is_object) => {
            arrays.push((at.clone(), items));
        }
        Value::Object(map) => {
            for (name, value) in map {
                let _ = write!(at, "/{}", escape(name));
                walk(value, at, depth + 1, arrays);
                at.truncate(length);
            }
        }
        _ => {}
    }
}

/// A name in a JSON Pointer (RFC 6901, 3).
fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// Ways to get an item's link: a value that is one, or one of the page's links with a value in it.
fn link_candidates(new: &Links, items: &[Value]) -> Vec<String> {
    let mut candidates = BTreeMap::new();
    // The first items suffice: what holds for the list holds for one of them.
    for item in items.iter().take(3) {
        for (name, value) in item.as_object().into_iter().flatten().take(100) {
            let text = match value {
                Value::String(text) if !text.is_empty() && text.len() < 2000 => text.clone(),
                Value::Number(number) => number.to_string(),
                _ => continue,
            };
            if value.is_string() {
                candidates.insert(format!("/{}", escape(name)), 0);
            }
            if name.contains(['{', '}']) {
                continue;
            }
            for url in new.iter().filter_map(|l| Url::parse(l).ok()) {
                let rest = &url[Position::BeforePath..];
                for (place, _) in rest.match_indices(&text) {
                    let (before, after) = (&rest[..place], &rest[place + text.len()..]);
                    let bounded = before.ends_with(['=', '/', '-', '.', '_'])
                        && (after.is_empty() || after.starts_with(['&', '/', '.', '-', '_', '?']));
                    if bounded && !rest.contains(['{', '}']) && candidates.len() < 200 {
                        candidates.insert(format!("{before}{{{name}}}{after}"), 1);
                    }
                }
            }
        }
    }
    let mut candidates: Vec<_> = candidates.into_iter().collect();
    candidates.sort_by_key(|(_, order)| *order);
    candidates.into_iter().map(|(link, _)| link).collect()
}

/// How the endpoint is asked.
struct Ask {
    url: String,
    body: Option<String>,
    /// Number of the first page.
    first: Option<u64>,
    size: Option<u64>,
    /// What was guessed and why.
    guesses: Vec<String>,
    /// Values of the page's own address that the endpoint's has too.
    groups: Vec<String>,
}

fn asking(page: &PageUrl, request: &Request, all: &[Request], items: usize) -> Ask {
    let mut ask = Ask {
        url: String::new(),
        body: None,
        first: None,
        size: None,
        guesses: Vec::new(),
        groups: Vec::new(),
    };
    let Ok(url) = Url::parse(&request.url) else {
        return ask;
    };
    let same: Vec<Url> = all
        .iter()
        .filter(|r| r.method == request.method)
        .filter_map(|r| Url::parse(&r.url).ok())
        .filter(|u| u.path() == url.path())
        .collect();
    let own: Vec<String> = page.as_url().query_pairs().map(|(_, v)| v.into_owned()).collect();
    let mut pairs = Vec::new();
    for pair in url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty())
    {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let others: BTreeSet<u64> = same
            .iter()
            .filter_map(|u| u.query_pairs().find(|(n, _)| n == name)?.1.parse().ok())
            .collect();
        let value = ask.template(name, value, &others, items, &own);
        pairs.push(if pair.contains('=') {
            format!("{name}={value}")
        } else {
            pair.to_owned()
        });
    }
    ask.url = url.path().to_owned();
    if !pairs.is_empty() {
        let _ = write!(ask.url, "?{}", pairs.join("&"));
    }
    if url.origin() != page.as_url().origin() {
        ask.url = format!("{}{}", url.origin().ascii_serialization(), ask.url);
    }
    if request.method == "POST" {
        ask.body = Some(ask.body_template(&request.sent, items, &own));
    }
    ask
}

impl Ask {
    /// A value as it stands in the template.
    fn template(
        &mut self,
        name: &str,
        value: &str,
        seen: &BTreeSet<u64>,
        items: usize,
        own: &[String],
    ) -> String {
        let plain = name.to_ascii_lowercase();
        let Ok(number) = value.parse::<u64>() else {
            return value.to_owned();
        };
        let smallest = seen.first().copied().unwrap_or(number);
        let steps: BTreeSet<u64> = seen.iter().zip(seen.iter().skip(1)).map(|(a, b)| b - a).collect();
        let paged = self.first.is_some();
        let step = steps.first().copied().filter(|_| steps.len() == 1 && !paged);
        if step == Some(1) {
            self.first = Some(smallest);
            self.guesses.push(format!(
                "`{name}` counts pages: the page asked for {} of them in a row (0.95)",
                seen.len()
            ));
            return "{page}".into();
        }
        if let Some(step) = step.filter(|s| *s as usize == items || OFFSET.contains(&plain.as_str())) {
            self.first = Some(1);
            self.size = Some(step);
            self.guesses.push(format!(
                "`{name}` counts items in steps of {step}: seen in {} requests (0.95)",
                seen.len()
            ));
            return "{offset}".into();
        }
        if !paged && PAGE.contains(&plain.as_str()) && number <= 1 {
            self.first = Some(number);
            self.guesses
                .push(format!("`{name}` is the number of the page: by its name (0.7)"));
            return "{page}".into();
        }
        if !paged && OFFSET.contains(&plain.as_str()) && number == 0 {
            self.first = Some(1);
            self.size = Some(items as u64);
            self.guesses.push(format!(
                "`{name}` is the number of the first item: by its name (0.6)"
            ));
            return "{offset}".into();
        }
        if SIZE.contains(&plain.as_str()) || number as usize == items {
            return value.to_owned();
        }
        if own.iter().any(|v| v == value) {
            let at = self.groups.iter().position(|v| v == value).unwrap_or_else(|| {
                self.groups.push(value.to_owned());
                self.groups.len() - 1
            });
            return format!("{{{}}}", at + 1);
        }
        value.to_owned()
    }

    /// A request body, JSON or form, with its numbers in place.
    fn body_template(&mut self, sent: &[u8], items: usize, own: &[String]) -> String {
        let text = String::from_utf8_lossy(sent).into_owned();
        let one = |value: &str| value.parse().ok().into_iter().collect();
        if let Ok(Value::Object(map)) = serde_json::from_str(&text) {
            let fields: Vec<String> = map
                .iter()
                .map(|(name, value)| {
                    let number = value.as_u64().map(|n| n.to_string());
                    let shown = match number {
                        Some(n) => self.template(name, &n, &one(&n), items, own),
                        None => value.to_string(),
                    };
                    format!("{}:{shown}", Value::from(name.as_str()))
                })
                .collect();
            return format!("{{{}}}", fields.join(","));
        }
        let pairs: Vec<String> = text
            .split('&')
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => {
                    format!("{name}={}", self.template(name, value, &one(value), items, own))
                }
                None => pair.to_owned(),
            })
            .collect();
        pairs.join("&")
    }
}

fn proposal(page: &PageUrl, request: usize, value: &Value, list: &List<'_>, ask: &Ask) -> Proposal {
    let confidence = list.linked as f64 / list.items.min(MAX_ITEMS) as f64;
    let quoted = |text: &str| Value::from(text).to_string();
    let mut on = regex::escape(&page.as_url()[Position::BeforePath..]);
    for group in &ask.groups {
        let escaped = regex::escape(group);
        on = on.replacen(&format!("={escaped}"), &format!("=({escaped})"), 1);
    }
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "# proposed from a rendered page: {} of {} items have a link that the page shows ({confidence:.2})",
        list.linked, list.items
    );
    for guess in &ask.guesses {
        let _ = writeln!(out, "# a guess: {guess}");
    }
    if ask.first.is_none() {
        let _ = writeln!(
            out,
            "# no number of a page was seen: put {{page}} or {{offset}} where it belongs, if there are more"
        );
    }
    let _ = writeln!(
        out,
        "[[discover]]\nkind = \"list\"\nid = \"script-list\"\non = '{}$'",
        on.replace('\'', ".")
    );
    let _ = writeln!(out, "item = \"a[href]\"  # what one item is on the page itself");
    let _ = writeln!(
        out,
        "\n[discover.pager]\nkind = \"json\"\nurl = {}",
        quoted(&ask.url)
    );
    if let Some(body) = &ask.body {
        let _ = writeln!(out, "body = {}", quoted(body));
    }
    if let Some(first) = ask.first.filter(|f| *f != 1) {
        let _ = writeln!(out, "first = {first}");
    }
    if let Some(size) = ask.size {
        let _ = writeln!(out, "size = {size}");
    }
    let _ = writeln!(
        out,
        "items = {}\nlink = {}",
        quoted(&list.items_at),
        quoted(&list.link)
    );
    let fields: Vec<String> = list
        .first
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, value)| {
            value.as_str().is_some_and(|v| !v.trim().is_empty()) && list.link != format!("/{name}")
        })
        .take(20)
        .map(|(name, _)| format!("{} = {}", quoted(name), quoted(&format!("/{}", escape(name)))))
        .collect();
    if !fields.is_empty() {
        let _ = writeln!(
            out,
            "fields = {{ {} }}  # rename what field rules shall read",
            fields.join(", ")
        );
    }
    if let Some(total) = total(value, list) {
        let _ = writeln!(
            out,
            "total = {}  # a guess: a number beside the items, not smaller than theirs (0.6)",
            quoted(&total)
        );
    }
    Proposal {
        request,
        items: list.items,
        linked: list.linked,
        confidence,
        rule: out,
    }
}

/// A number beside the items that could be their count.
fn total(value: &Value, list: &List<'_>) -> Option<String> {
    let folder = &list.items_at[..list.items_at.rfind('/').unwrap_or(0)];
    let beside = value.pointer(folder)?.as_object()?;
    let counts = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["total", "count", "tong", "records"]
            .iter()
            .any(|w| name.contains(w))
    };
    beside
        .iter()
        .find(|(name, v)| counts(name) && v.as_u64().is_some_and(|n| n as usize >= list.items))
        .map(|(name, _)| format!("{folder}/{}", escape(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn asked(method: &str, url: &str, sent: &str, body: &str) -> Request {
        Request {
            method: method.into(),
            url: url.into(),
            kind: "XHR".into(),
            status: Some(200),
            mime: None,
            bytes: 0,
            blocked: None,
            sent: sent.into(),
            body: Some(Arc::new(body.into())),
        }
    }

    fn proposals(page: &str, new: &[&str], requests: &[Request]) -> Vec<Proposal> {
        let mapping = crate::crawl::tests::mapping("");
        let page = mapping.canonical(&Url::parse(page).unwrap()).unwrap();
        let new = new.iter().map(|l| (*l).to_owned()).collect();
        let found = propose(&mapping, &page, &new, requests);
        for proposal in &found {
            // What is proposed can be pasted.
            let text = format!(
                "schema = 1\n[site]\nid = \"h\"\nbase = \"http://h/\"\n{}",
                proposal.rule
            );
            crate::mapping::Mapping::parse("x.toml", &text).unwrap();
        }
        found
    }

    #[test]
    fn an_endpoint_with_pages_in_a_row() {
        let body = r#"{"d":{"tong":7,"tin":[{"u":"/v?id=1","t":"M"},{"u":"/v?id=2","t":"H"}]}}"#;
        let more = r#"{"d":{"tong":7,"tin":[{"u":"/v?id=3","t":"B"}]}}"#;
        let found = proposals(
            "http://h/l?CatID=4",
            &["http://h/v?id=1", "http://h/v?id=2", "http://h/v?id=3"],
            &[
                asked("GET", "http://h/t?CatID=4&x=1&n=10", "", body),
                asked("GET", "http://h/t?CatID=4&x=2&n=10", "", more),
                asked("GET", "http://h/menu", "", r#"[{"u":"/gioi-thieu"}]"#),
            ],
        );
        assert_eq!(found.len(), 1, "{found:?}");
        let rule = &found[0].rule;
        for line in [
            "on = '/l\\?CatID=(4)$'",
            "url = \"/t?CatID={1}&x={page}&n=10\"",
            "items = \"/d/tin\"",
            "link = \"/u\"",
            "total = \"/d/tong\"",
        ] {
            assert!(rule.contains(line), "{line}\n{rule}");
        }
        assert!(rule.contains("a guess: `x` counts pages") && found[0].confidence > 0.99);
    }

    #[test]
    fn a_template_over_ids_and_a_posted_body() {
        let body = r#"{"rows":[{"ID":17,"T":"a"},{"ID":18,"T":"b"},{"ID":19,"T":"c"}]}"#;
        let found = proposals(
            "http://h/l",
            &[
                "http://h/View.aspx?ItemID=17",
                "http://h/View.aspx?ItemID=18",
                "http://h/View.aspx?ItemID=19",
            ],
            &[asked(
                "POST",
                "http://h/ws/List",
                r#"{"start":0,"limit":3,"cat":"tin"}"#,
                body,
            )],
        );
        let rule = &found[0].rule;
        for line in [
            "link = \"/View.aspx?ItemID={ID}\"",
            r#"body = "{\"start\":{offset},\"limit\":3,\"cat\":\"tin\"}""#,
            "size = 3",
        ] {
            assert!(rule.contains(line), "{line}\n{rule}");
        }
    }

    #[test]
    fn what_the_page_does_not_show_is_not_proposed() {
        let body = r#"[{"u":"/a"},{"u":"/b"}]"#;
        assert_eq!(
            proposals(
                "http://h/l",
                &["http://h/c"],
                &[asked("GET", "http://h/t", "", body)]
            ),
            []
        );
        assert_eq!(
            proposals(
                "http://h/l",
                &["http://h/a"],
                &[asked("GET", "http://h/t", "", "no json")]
            ),
            []
        );
    }
}
