//! URLs: reading and resolving (WHATWG), canonical forms (crawler-commons, w3lib).

use super::url_differences::{CANONICALIZE, NORMALISER, WPT};
use super::{Suite, data, read, w3lib};
use sangtrang::mapping::{identity_without_site, resolve_href};
use serde_json::Value;
use std::path::Path;
use url::Url;

/// Rows of a crawler-commons table; `#` begins a comment.
fn rows(path: &Path) -> Vec<Vec<String>> {
    csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .trim(csv::Trim::All)
        .from_path(path)
        .unwrap()
        .into_records()
        .map(|row| row.unwrap().iter().map(unquoted).collect())
        .collect()
}

/// Fields behind `, ` keep their quotes.
fn unquoted(field: &str) -> String {
    let inner = field.strip_prefix('"').and_then(|f| f.strip_suffix('"'));
    inner.unwrap_or(field).to_owned()
}

/// The canonical form of a URL of no site in particular.
fn canonical(text: &str) -> Result<String, String> {
    let url = Url::parse(text).map_err(|e| e.to_string())?;
    let (_, end) = identity_without_site(&url);
    end.map(|page| page.to_string()).map_err(|e| e.to_string())
}

/// What our resolver makes of a reference.
fn resolved(text: &str, base: Option<&Url>) -> Option<String> {
    let url = match base {
        Some(base) => resolve_href(base, text),
        None => Url::parse(text),
    };
    url.ok().map(String::from)
}

/// The URL that Python's six parts make.
fn composed(parts: &Value) -> String {
    let part = |i: usize, before: &str| match parts[i].as_str() {
        Some("") | None => String::new(),
        Some(text) => format!("{before}{text}"),
    };
    let tail = [part(3, ";"), part(4, "?"), part(5, "#")].concat();
    format!("{}://{}{}{tail}", part(0, ""), part(1, ""), part(2, ""))
}

#[test]
fn crawler_commons_normaliser() {
    let Some(folder) = data("crawler-commons/normalizer") else {
        return;
    };
    let mut suite = Suite::new("crawler-commons normaliser");
    for row in rows(&folder.join("weirdToNormalizedUrls.csv")) {
        suite.case(row[0].clone(), &canonical(&row[0]), &Ok(row[1].clone()));
    }
    suite.finish(112, NORMALISER);
    for row in rows(&folder.join("invalidUrls.csv")) {
        assert!(canonical(&row[0]).is_err(), "{} is no URL", row[0]);
    }
}

#[test]
fn crawler_commons_resolving() {
    let Some(path) = data("crawler-commons/url-utils/url-resolve.csv") else {
        return;
    };
    let mut suite = Suite::new("crawler-commons url-resolve");
    for row in rows(&path) {
        let base = Url::parse(&row[1]).ok();
        let ours = resolved(&row[0], base.as_ref());
        suite.case(row[0].clone(), &ours, &Some(row[2].clone()));
    }
    suite.finish(22, &[]);
}

#[test]
fn wpt_urls() {
    let Some(path) = data("crawler-commons/url-utils/wpt-urltestdata.json") else {
        return;
    };
    let cases: Value = serde_json::from_str(&read(&path)).unwrap();
    let mut suite = Suite::new("WPT urltestdata");
    for case in cases.as_array().unwrap().iter().filter(|c| c.is_object()) {
        let input = case["input"].as_str().unwrap();
        let base = case["base"].as_str();
        let ours = match base.map(Url::parse).transpose() {
            Ok(base) => resolved(input, base.as_ref()),
            Err(_) => None,
        };
        let theirs = case["href"].as_str().map(str::to_owned);
        suite.case(format!("{input} | {}", base.unwrap_or_default()), &ours, &theirs);
    }
    suite.finish(888, WPT);
}

#[test]
fn w3lib_canonicalize_url() {
    let Some(cases) = w3lib("canonicalize_url") else {
        return;
    };
    let mut suite = Suite::new("w3lib canonicalize_url");
    for case in cases {
        let argument = &case["args"][0];
        let text = match (argument.as_str(), argument["bytes_latin1"].as_str()) {
            (Some(text), _) => text.to_owned(),
            (_, Some(latin1)) => {
                let bytes: Vec<u8> = latin1.chars().map(|c| u8::try_from(c).unwrap()).collect();
                String::from_utf8(bytes).unwrap()
            }
            _ => composed(argument),
        };
        let theirs = case["out"].as_str().unwrap().to_owned();
        suite.case(
            match case["kw"].as_object() {
                Some(options) if !options.is_empty() => format!("{text} {}", case["kw"]),
                _ => text.clone(),
            },
            &canonical(&text),
            &Ok(theirs),
        );
    }
    suite.finish(90, CANONICALIZE);
}
