//! Lists that an endpoint answers with JSON. Pure and bounded.

use super::request::{NextRequest, Request, form_type};
use crate::mapping::model::{JsonPager, ListRule};
use crate::mapping::{Mapping, PageUrl};
use serde_json::Value;
use std::collections::BTreeMap;
use url::Url;

/// Most items of one answer.
const MAX_ITEMS: usize = 5_000;

/// What an answer holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    /// Links as written, with what is said of each.
    pub items: Vec<(String, BTreeMap<String, String>)>,
    /// A fragment of HTML, to be read with the list's selectors.
    pub html: Option<String>,
    /// How many items there are, by the endpoint.
    pub total: Option<u64>,
}

/// Reads an answer; `None` if it is no JSON.
#[must_use]
pub fn read(rule: &JsonPager, body: &[u8]) -> Option<Answer> {
    let value: Value = serde_json::from_slice(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)).ok()?;
    // ASP.NET page methods wrap their answer in `d`, often as a text that is JSON again.
    let inner = value
        .get("d")
        .and_then(Value::as_str)
        .and_then(|text| serde_json::from_str::<Value>(text).ok());
    let value = inner.as_ref().unwrap_or(&value);
    let at = |pointer: &str| value.pointer(pointer);
    let mut answer = Answer {
        html: rule
            .html
            .as_deref()
            .and_then(at)
            .and_then(Value::as_str)
            .map(str::to_owned),
        total: rule.total.as_deref().and_then(at).and_then(|t| match t {
            Value::Number(n) => n.as_u64(),
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        }),
        items: Vec::new(),
    };
    let items = rule.items.as_deref().and_then(at).and_then(Value::as_array);
    for item in items.into_iter().flatten().take(MAX_ITEMS) {
        let Some(link) = rule.link.as_deref().and_then(|l| link(l, item)) else {
            continue;
        };
        let fields = rule.fields.iter().filter_map(|(name, pointer)| {
            let text = text(item.pointer(pointer)?)?;
            (!text.trim().is_empty()).then(|| (name.clone(), text.trim().to_owned()))
        });
        answer.items.push((link, fields.collect()));
    }
    Some(answer)
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

pub(in crate::crawl) fn link(template: &str, item: &Value) -> Option<String> {
    if template.starts_with('/') && !template.contains('{') {
        // A pointer, unless nothing is there: then it would be the same address for every item.
        return text(item.pointer(template)?);
    }
    fill(template, &|name| {
        let value = if name.starts_with('/') {
            item.pointer(name)?
        } else {
            item.get(name)?
        };
        text(value)
    })
}

/// A template with `{name}` filled in; `None` if one is not known.
fn fill(template: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&value(name)?);
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

/// The request for page `page` of the list at `list`.
#[must_use]
pub fn request(
    mapping: &Mapping,
    rule: &ListRule,
    pager: &JsonPager,
    list: &PageUrl,
    page: u32,
) -> Option<NextRequest> {
    let groups = rule.on.regex().captures(list.as_str());
    let value = |name: &str| match name {
        "page" => Some(page.to_string()),
        "offset" => {
            let offset = u64::from(page.saturating_sub(pager.first)) * u64::from(pager.size);
            Some(offset.to_string())
        }
        name => {
            let number: usize = name.parse().ok()?;
            let found = groups.as_ref()?.get(number);
            Some(found.map_or_else(String::new, |m| m.as_str().to_owned()))
        }
    };
    let url: Url = list.as_url().join(&fill(&pager.url, &value)?).ok()?;
    // Only the site itself is asked.
    mapping.canonical(&url).ok()?;
    let body = match &pager.body {
        Some(body) => Some(fill_body(body, &value)?),
        None => None,
    };
    let mut headers: Vec<(String, String)> = pager
        .headers
        .iter()
        .map(|(n, v)| (n.clone(), v.clone()))
        .collect();
    if let Some(body) = &body
        && !headers
            .iter()
            .any(|(n, _)| n.eq_ignore_ascii_case("content-type"))
    {
        headers.push(if body.trim_start().starts_with(['{', '[']) {
            ("content-type".into(), "application/json; charset=utf-8".into())
        } else {
            form_type()
        });
    }
    Some(NextRequest {
        request: Request {
            rule: rule.id.clone(),
            method: if body.is_some() { "POST" } else { "GET" }.into(),
            url: url.into(),
            headers,
            body: body.unwrap_or_default(),
        },
        page,
        identity: format!("json {}", rule.id),
    })
}

/// In a body braces may be JSON's own: only known names are filled in.
fn fill_body(template: &str, value: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let mut out = template.to_owned();
    for name in ["page", "offset", "1", "2", "3", "4"] {
        let mark = format!("{{{name}}}");
        if out.contains(&mark) {
            out = out.replace(&mark, &value(name)?);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pager(text: &str) -> JsonPager {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn items_by_pointer_by_template_and_as_html() {
        let rule = pager(
            "url = '/ajax?p={page}'\nitems = '/data/rows'\nlink = '/View.aspx?ItemID={id}&k={/a/b}'\ntotal = '/n'\nfields = { title = '/t' }",
        );
        let body = br#"{"n":"12","data":{"rows":[{"id":7,"t":" M\u1ed9t ","a":{"b":"x"}},{"t":"no id"}]}}"#;
        let answer = read(&rule, body).unwrap();
        assert_eq!(answer.total, Some(12));
        assert_eq!(answer.items.len(), 1);
        assert_eq!(answer.items[0].0, "/View.aspx?ItemID=7&k=x");
        assert_eq!(answer.items[0].1["title"], "Một");
        let rule = pager("url = '/x'\nitems = '/rows'\nlink = '/url'\nhtml = '/html'");
        let wrapped = r#"{"d":"{\"rows\":[{\"url\":\"/a\"}],\"html\":\"<li>\"}"}"#;
        let answer = read(&rule, wrapped.as_bytes()).unwrap();
        assert_eq!(
            (answer.items[0].0.as_str(), answer.html.as_deref()),
            ("/a", Some("<li>"))
        );
        assert_eq!(read(&rule, b"<html>"), None);
        assert_eq!(read(&rule, b"[]"), Some(Answer::default()));
    }
}
