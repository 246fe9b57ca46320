//! `base` and `meta refresh`, as w3lib reads them.

use super::{Suite, w3lib};
use sangtrang::capture::{Capture, Exchange};
use sangtrang::crawl::discover::{Asked, discover};
use sangtrang::mapping::Mapping;
use sangtrang::page::{self, Page};
use serde_json::Value;
use std::collections::BTreeSet;
use url::Url;

/// Where a page stands whose caller does not say.
const NOWHERE: &str = "http://nowhere.example/";

fn bytes(value: &Value) -> Vec<u8> {
    match value["bytes_latin1"].as_str() {
        Some(text) => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).unwrap())
            .collect(),
        None => value.as_str().unwrap_or_default().as_bytes().to_vec(),
    }
}

/// The page of a call, as one of a site to which every origin in it belongs.
fn read(case: &Value) -> Option<(Mapping, Page)> {
    let args = case["args"].as_array()?;
    let body = bytes(&args[0]);
    let at = args
        .get(1)
        .map(|u| String::from_utf8(bytes(u)).unwrap())
        .filter(|u| !u.is_empty());
    let at = Url::parse(at.as_deref().unwrap_or(NOWHERE)).ok()?;
    let encoding = args
        .get(2)
        .or(case["kw"].get("encoding"))
        .and_then(Value::as_str)
        .unwrap_or("utf-8");
    let text = String::from_utf8_lossy(&body);
    let origin = |url: &Url| url.origin().ascii_serialization();
    let mut also: BTreeSet<String> = text
        .match_indices("http")
        .filter_map(|(i, _)| Url::parse(text[i..].split(['\'', '"', '>', ' ']).next()?).ok())
        .filter(|u| u.has_host())
        .map(|u| origin(&u))
        .collect();
    also.remove(&origin(&at));
    let mapping = format!(
        "schema = 1\n[site]\nid = \"w\"\nbase = \"{}/\"\nalso = {}\n[[discover]]\nid = \"l\"\nkind = \"links\"\n",
        origin(&at),
        serde_json::to_string(&also).unwrap()
    );
    let mapping = Mapping::parse("w.toml", &mapping).ok()?;
    let url = mapping.canonical(&at).ok()?;
    let exchange = Exchange {
        url: at.into(),
        method: "GET".into(),
        request_headers: Vec::new(),
        request_body: Vec::new(),
        status: 200,
        reason: String::new(),
        headers: vec![(
            "Content-Type".into(),
            format!("text/html; charset={encoding}").into_bytes(),
        )],
        body,
        at: jiff::Timestamp::UNIX_EPOCH,
        ip: None,
        truncated: None,
        notes: Vec::new(),
    };
    let capture = Capture::from_exchange(&exchange, 1 << 20).ok()?;
    let page = page::read(&capture, &url, &mapping).ok()?;
    Some((mapping, page))
}

fn id(case: &Value) -> String {
    let text = case["args"][0]["bytes_latin1"]
        .as_str()
        .or(case["args"][0].as_str())
        .unwrap_or_default();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{} {}", text.chars().take(140).collect::<String>(), case["kw"])
        .trim_end_matches(" {}")
        .to_owned()
}

#[test]
fn w3lib_get_base_url() {
    let Some(cases) = w3lib("get_base_url") else {
        return;
    };
    let mut suite = Suite::new("w3lib get_base_url");
    for case in &cases {
        let expected = case["out"].as_str().filter(|u| !u.is_empty()).unwrap_or(NOWHERE);
        let expected = Url::parse(expected).map(String::from).ok();
        let found = read(case).map(|(_, page)| page.base.to_string());
        suite.case(id(case), &found, &expected);
    }
    suite.finish(20, &[]);
}

#[test]
fn w3lib_get_meta_refresh() {
    let Some(cases) = w3lib("get_meta_refresh") else {
        return;
    };
    let mut suite = Suite::new("w3lib get_meta_refresh");
    for case in &cases {
        let expected = case["out"][1]
            .as_str()
            .and_then(|u| Url::parse(u).ok())
            .map(String::from);
        let found = read(case).and_then(|(mapping, page)| {
            let found = discover(&mapping, &page.url, &page, Asked::Url);
            found.links.first().map(|l| l.url.to_string())
        });
        suite.case(id(case), &found, &expected);
    }
    suite.finish(
        26,
        &[
            (
                "what stands in a script or in `noscript` is not for who runs scripts, and not for us",
                &[
                    "<html> <head><noscript><meta http-equiv=\"refresh\" content=\"0;url=http://example.org/javascript_required\" /></noscript></head> </html> {\"ignore_tags\":[]}",
                    "<html> <head><script>if(!foobar()){ $('<meta http-equiv=\"refresh\" content=\"0;url=http://example.org/foobar_required\" />').appendTo('body');  {\"ignore_tags\":[]}",
                ],
            ),
            (
                "addresses are written in UTF-8, whatever the page is written in",
                &["<meta http-equiv=\"refresh\" content=\"3; url=http://example.com/to£?unit=µ\">"],
            ),
            (
                "a tag that never ends is none, as in browsers",
                &["<meta http-equiv=\"refresh\" content=\"5;url=newpage\""],
            ),
        ],
    );
}
