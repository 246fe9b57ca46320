//! URL spaces without an end: what their URLs have in common, and when to stop. Pure.
//!
//! A pattern is what is left of a URL when its numbers are taken out. Pages that the mapping asks for (collections, lists)
//! have no budget of their own: only a run of pages that all say the same ends them. What nothing in the mapping asks for
//! has a budget a pattern, so that a calendar without end costs hundreds of requests, not a site.

use crate::mapping::model::Discover;
use crate::mapping::{Mapping, PageUrl};
use url::Url;

/// Longest pattern that is kept.
const MAX_PATTERN: usize = 300;

/// The shape of a URL: digits become `#`, names made by machines `*`, a run of segments that comes back is written once;
/// parameters keep their names only.
#[must_use]
pub fn pattern(url: &PageUrl) -> String {
    pattern_of(url.as_url())
}

/// As [`pattern`], of a URL that is none of the site's pages.
#[must_use]
pub fn pattern_of(url: &Url) -> String {
    let mut segments: Vec<String> = Vec::new();
    for segment in url.path().split('/') {
        let shape = shape(segment);
        // `/a/b/a/b`: what stands twice in a row is one.
        for period in 1..=4 {
            let length = segments.len();
            if length + 1 >= 2 * period && !shape.is_empty() {
                let tail: Vec<&str> = segments[length + 1 - period..]
                    .iter()
                    .map(String::as_str)
                    .chain([shape.as_str()])
                    .collect();
                let before = &segments[length + 1 - 2 * period..length + 1 - period];
                if before.iter().map(String::as_str).eq(tail) {
                    segments.truncate(length + 1 - period);
                    break;
                }
            }
        }
        let closes = segments.last().is_some_and(|last| *last == shape);
        if !closes || segments.len() < 2 {
            segments.push(shape);
        }
    }
    let mut text = segments.join("/");
    let mut names: Vec<String> = url.query_pairs().map(|(name, _)| shape(&name)).collect();
    names.sort_unstable();
    names.dedup();
    if !names.is_empty() {
        text.push('?');
        text.push_str(&names.join("&"));
    }
    if text.len() > MAX_PATTERN {
        let mut end = MAX_PATTERN;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

fn shape(segment: &str) -> String {
    let long_hex = segment.len() >= 16
        && segment.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
        && segment.bytes().any(|b| b.is_ascii_digit());
    if long_hex {
        return "*".to_owned();
    }
    let (stem, extension) = segment.split_at(segment.find('.').unwrap_or(segment.len()));
    if is_token(stem) {
        return format!("*{extension}");
    }
    let mut out = String::with_capacity(segment.len());
    for c in segment.chars() {
        match c {
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => out.push('#'),
            c => out.push(c),
        }
    }
    out
}

/// Letters and digits that take turns are a machine's name for something (`3f9a01c7`, a session), not a word.
fn is_token(text: &str) -> bool {
    let turns = text
        .as_bytes()
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count();
    text.len() >= 6 && turns >= 2 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Does the mapping ask for this page? Then its pattern has no budget.
#[must_use]
pub fn wanted(mapping: &Mapping, url: &PageUrl) -> bool {
    mapping.collection_for_url(url).is_some()
        || mapping.rules().discover.iter().any(|rule| match rule {
            Discover::List(list) => list.on.regex().is_match(url.as_str()),
            _ => false,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::tests::mapping;

    #[test]
    fn urls_of_one_trap_have_one_pattern() {
        let m = mapping("");
        let of = |text: &str| pattern(&m.canonical(&text.parse().unwrap()).unwrap());
        assert_eq!(of("http://h/lich?thang=11&nam=2026"), "/lich?nam&thang");
        assert_eq!(of("http://h/lich/2026/11"), "/lich/#/#".replace("#/#", "#"));
        assert_eq!(of("http://h/View12.aspx?ItemID=4"), "/View#.aspx?ItemID");
        assert_eq!(of("http://h/a/b/a/b/a/b"), of("http://h/a/b/a/b"));
        assert_eq!(of("http://h/a/b"), of("http://h/a/b/a/b"));
        assert_eq!(of("http://h/s/0f3b9c81aa27d6e4/x"), "/s/*/x");
        assert_eq!(of("http://h/s/3f9a01c7/x.htm"), "/s/*/x.htm");
        assert_eq!(of("http://h/trang12/tin2"), "/trang#/tin#");
        assert_ne!(of("http://h/a/c"), of("http://h/a/b"));
        assert_eq!(of("http://h/"), "/");
        assert_eq!(of("http://h/tin/"), "/tin/");
    }
}
