//! The rules of `[url]`, one function each, on path and query. [`super::identity`] runs them until nothing changes.

use super::model::{Rewrite, UrlRules};
use super::session;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;
use std::fmt::Write as _;

/// Path and query on their way; the origin is settled first and never changes again.
pub(super) struct Parts {
    pub(super) path: String,
    pub(super) query: Option<String>,
}

impl Parts {
    fn text(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }
}

pub(super) type Rule = (&'static str, fn(&UrlRules, &mut Parts));

/// The rules in the order in which they run.
pub(super) const RULES: &[Rule] = &[
    ("percent-encoding", percent_encoding_rule),
    ("url.session_ids", session_ids),
    ("url.drop_path_patterns", drop_path_patterns),
    ("url.case_insensitive_path", case_of_path),
    ("url.index_files", index_files),
    ("url.drop_params", drop_params),
    ("url.significant_params", significant_params),
    ("parameter-order", order_params),
    ("url.rewrite", rewrite),
    ("empty-query", empty_query),
];

/// Text without percent-encoding, for comparing.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

/// RFC 3986, 6.2.2: unreserved characters decoded, the others with upper-case digits, everything raw that a URL may
/// not hold encoded. `%` without two digits stays: servers take it literally.
fn normal_percent(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < bytes.len() {
        let byte = bytes[i];
        let pair = (byte == b'%')
            .then(|| Some((hex(*bytes.get(i + 1)?)?, hex(*bytes.get(i + 2)?)?)))
            .flatten();
        if let Some((high, low)) = pair {
            push_byte(&mut out, high * 16 + low, unreserved);
            i += 3;
        } else {
            push_byte(&mut out, byte, |b| {
                unreserved(b) || b"!$&'()*+,;=:@/?%".contains(&b)
            });
            i += 1;
        }
    }
    out
}

fn push_byte(out: &mut String, byte: u8, plain: fn(u8) -> bool) {
    if plain(byte) {
        out.push(char::from(byte));
    } else {
        // Writing to a string cannot fail.
        let _ = write!(out, "%{byte:02X}");
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|d| u8::try_from(d).ok())
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn percent_encoding_rule(_: &UrlRules, parts: &mut Parts) {
    parts.path = normal_percent(&parts.path);
    parts.query = parts.query.as_deref().map(normal_percent);
}

fn session_ids(rules: &UrlRules, parts: &mut Parts) {
    if !rules.session_ids {
        return;
    }
    if let Some(path) = session::without_in_path(&parts.path) {
        parts.path = path;
    }
    if let Some(query) = &mut parts.query
        && let Some(cut) = session::without_matrix(query)
    {
        *query = cut;
    }
    map_params(parts, |name, rest| {
        let value = decoded(rest.strip_prefix('=').unwrap_or(rest));
        let dropped = session::is_parameter(&decoded(name), &value);
        (!dropped).then(|| format!("{name}{rest}"))
    });
}

fn drop_path_patterns(rules: &UrlRules, parts: &mut Parts) {
    for pattern in &rules.drop_path_patterns {
        if let Cow::Owned(cut) = pattern.regex().replace_all(&parts.path, "") {
            parts.path = cut;
        }
    }
}

fn case_of_path(rules: &UrlRules, parts: &mut Parts) {
    if !rules.case_insensitive_path {
        return;
    }
    parts.path = lower(&parts.path);
    map_params(parts, |name, rest| {
        let known = rules.significant_params.iter().find(|p| same_name(true, p, name));
        let spelt = known.map_or_else(|| lower(name), |p| normal_percent(p));
        Some(format!("{spelt}{rest}"))
    });
}

/// Lower case of a percent-encoded text: also of encoded letters (`%C3%80`, À), never of hexadecimal digits.
fn lower(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('%') {
        out.push_str(&rest[..start].to_ascii_lowercase());
        let bytes = rest.as_bytes();
        let mut end = start;
        while bytes.get(end) == Some(&b'%') && bytes[end..].len() >= 3 && rest.is_char_boundary(end + 3) {
            end += 3;
        }
        let run = &rest[start..end.max(start + 1)];
        match percent_decode_str(run).decode_utf8() {
            Ok(plain) if !plain.is_ascii() && !plain.contains('%') => {
                let plain: String = plain.chars().flat_map(char::to_lowercase).collect();
                for byte in plain.bytes() {
                    push_byte(&mut out, byte, unreserved);
                }
            }
            _ => out.push_str(run),
        }
        rest = &rest[start + run.len()..];
    }
    out.push_str(&rest.to_ascii_lowercase());
    out
}

fn index_files(rules: &UrlRules, parts: &mut Parts) {
    let start = parts.path.rfind('/').map_or(0, |i| i + 1);
    let last = decoded(&parts.path[start..]);
    if rules
        .index_files
        .iter()
        .any(|f| same_name(rules.case_insensitive_path, f, &last))
    {
        parts.path.truncate(start);
    }
}

fn drop_params(rules: &UrlRules, parts: &mut Parts) {
    let fold = rules.case_insensitive_path;
    if !rules.drop_params.is_empty() {
        map_params(parts, |name, rest| {
            let dropped = rules.drop_params.iter().any(|p| same_name(fold, p, name));
            (!dropped).then(|| format!("{name}{rest}"))
        });
    }
}

fn significant_params(rules: &UrlRules, parts: &mut Parts) {
    let fold = rules.case_insensitive_path;
    if !rules.significant_params.is_empty() {
        map_params(parts, |name, rest| {
            let kept = rules.significant_params.iter().any(|p| same_name(fold, p, name));
            kept.then(|| format!("{name}{rest}"))
        });
    }
}

/// In the order of `significant_params`, then by name; equal names keep their order, which may mean something.
fn order_params(rules: &UrlRules, parts: &mut Parts) {
    let fold = rules.case_insensitive_path;
    let Some(query) = &parts.query else { return };
    let mut params: Vec<&str> = query.split('&').filter(|p| !p.is_empty()).collect();
    params.sort_by_cached_key(|param| {
        let name = split_param(param).0;
        let place = rules
            .significant_params
            .iter()
            .position(|p| same_name(fold, p, name));
        (place.unwrap_or(usize::MAX), name.to_owned())
    });
    parts.query = Some(params.join("&"));
}

fn rewrite(rules: &UrlRules, parts: &mut Parts) {
    for Rewrite { from, to } in &rules.rewrite {
        let text = parts.text();
        if let Cow::Owned(new) = from.regex().replace_all(&text, to.as_str()) {
            let new = new.split_once('#').map_or(new.as_str(), |(head, _)| head);
            let (path, query) = match new.split_once('?') {
                Some((path, query)) => (path, Some(query.to_owned())),
                None => (new, None),
            };
            *parts = Parts {
                path: path.to_owned(),
                query,
            };
        }
    }
}

fn empty_query(_: &UrlRules, parts: &mut Parts) {
    if parts.query.as_deref().is_some_and(str::is_empty) {
        parts.query = None;
    }
}

/// Name and the rest, which begins with `=` or is empty.
fn split_param(param: &str) -> (&str, &str) {
    param.find('=').map_or((param, ""), |i| param.split_at(i))
}

/// Every parameter through `map`, which gets its name and the rest.
fn map_params(parts: &mut Parts, map: impl Fn(&str, &str) -> Option<String>) {
    let Some(query) = &parts.query else { return };
    let mapped: Vec<String> = query
        .split('&')
        .filter(|p| !p.is_empty())
        .filter_map(|p| {
            let (name, rest) = split_param(p);
            map(name, rest)
        })
        .collect();
    parts.query = Some(mapped.join("&"));
}

/// Is the encoded `name` the one that the mapping calls `rule`?
pub(super) fn same_name(ignore_case: bool, rule: &str, name: &str) -> bool {
    let name = decoded(name);
    if ignore_case {
        rule.to_lowercase() == name.to_lowercase()
    } else {
        rule == name
    }
}
