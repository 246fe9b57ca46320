//! Selectors and patterns that are compiled where they are read: a mapping that loads holds no broken one.

use html5ever::{LocalName, local_name};
use regex::Regex;
use schemars::JsonSchema;
use scraper::{ElementRef, Html, Selector};
use serde::Deserialize;
use std::borrow::Cow;

/// A CSS selector (Selectors level 4 as `scraper` knows it).
#[derive(Clone, Debug)]
pub struct Css {
    source: String,
    selector: Selector,
    keys: Vec<Key>,
}

/// What an element must have for a part of a selector to match it.
#[derive(Clone, Debug)]
enum Key {
    Name(LocalName),
    Class(String),
    Attribute(LocalName),
}

/// A key for each part of a selector; none at all where one part has none that is easily seen.
fn keys(source: &str) -> Vec<Key> {
    // Names of office programs hold a colon.
    const COLON: &str = "\u{1}";
    let source = source.replace("\\:", COLON);
    if source.contains(['(', '\\', '"', '\'', '|']) {
        return Vec::new();
    }
    let key = |part: &str| {
        let own = part.trim().rsplit([' ', '\t', '\n', '>', '+', '~']).next()?;
        // What is left of brackets with a space or a sign in them.
        if own.contains(']') && !own.contains('[') {
            return None;
        }
        let end = |text: &str| text.find(['.', '#', '[', ':', ']', '=', '~', '^', '$', '*']);
        let word = |from: usize| {
            let rest = own.get(from..)?;
            let word = &rest[..end(rest).unwrap_or(rest.len())];
            (!word.is_empty()).then(|| word.replace(COLON, ":"))
        };
        // Names are as they are written in drawings, and in small letters elsewhere.
        let name = |word: String| {
            let small = !word.bytes().any(|b| b.is_ascii_uppercase());
            small.then(|| LocalName::from(word))
        };
        match own.find(['.', '#', '[', ':']) {
            Some(0) => match own.as_bytes()[0] {
                b'.' => word(1).map(Key::Class),
                b'#' => Some(Key::Attribute(local_name!("id"))),
                b'[' => word(1).and_then(name).map(Key::Attribute),
                _ => None,
            },
            _ => word(0).and_then(name).map(Key::Name),
        }
    };
    source
        .split(',')
        .map(key)
        .collect::<Option<_>>()
        .unwrap_or_default()
}

impl Css {
    /// Compiles `source`.
    ///
    /// # Errors
    /// A text for people that says what is wrong with it.
    pub fn new(source: &str) -> Result<Self, String> {
        match Selector::parse(source) {
            Ok(selector) => Ok(Self {
                source: source.to_owned(),
                selector,
                keys: keys(source),
            }),
            Err(error) => Err(error.to_string()),
        }
    }

    /// A selector of the program's own.
    pub(crate) fn builtin(source: &'static str) -> Self {
        // Constants of this crate only; a test compiles each of them.
        #[expect(
            clippy::unwrap_used,
            reason = "constant selectors, compiled by the tests of every default"
        )]
        Self::new(source).unwrap()
    }

    /// The elements of a tree that match.
    pub fn select<'a>(&'a self, html: &'a Html) -> impl Iterator<Item = ElementRef<'a>> {
        let elements = html.tree.nodes().filter_map(ElementRef::wrap);
        elements.filter(|e| e.parent().is_some() && self.may_match(*e) && self.selector.matches(e))
    }

    /// The elements below another one that match.
    pub fn select_below<'a>(&'a self, root: ElementRef<'a>) -> impl Iterator<Item = ElementRef<'a>> {
        let elements = root.descendants().skip(1).filter_map(ElementRef::wrap);
        elements.filter(move |e| self.may_match(*e) && self.selector.matches_with_scope(e, Some(root)))
    }

    /// Whether an element has what the selector asks for; most elements do not, and need not be matched.
    fn may_match(&self, element: ElementRef<'_>) -> bool {
        let value = element.value();
        let attribute = |name: &LocalName| value.attrs.iter().find(|(n, _)| n.local == *name);
        let may = |key: &Key| match key {
            Key::Name(name) => value.name.local == *name,
            Key::Class(class) => attribute(&local_name!("class"))
                .is_some_and(|(_, all)| all.split_ascii_whitespace().any(|c| c == class)),
            Key::Attribute(name) => attribute(name).is_some(),
        };
        self.keys.is_empty() || self.keys.iter().any(may)
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Compiled.
    #[must_use]
    pub fn selector(&self) -> &Selector {
        &self.selector
    }
}

impl<'de> Deserialize<'de> for Css {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Css {
    fn schema_name() -> Cow<'static, str> {
        "Css".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "css-selector", "description": "A CSS selector." })
    }
}

/// A regular expression (the syntax of the `regex` crate: linear time, no look-around).
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Largest compiled size of a mapping's pattern, in bytes.
    const SIZE_LIMIT: usize = 1 << 20;

    /// Compiles `source`.
    ///
    /// # Errors
    /// When it is no pattern or compiles to more than 1 MiB.
    pub fn new(source: &str) -> Result<Self, regex::Error> {
        regex::RegexBuilder::new(source)
            .size_limit(Self::SIZE_LIMIT)
            .build()
            .map(Self)
    }

    /// The same pattern, matching without regard to case.
    ///
    /// # Errors
    /// When that compiles to more than 1 MiB.
    pub(super) fn ignoring_case(&self) -> Result<Self, regex::Error> {
        regex::RegexBuilder::new(self.as_str())
            .case_insensitive(true)
            .size_limit(Self::SIZE_LIMIT)
            .build()
            .map(Self)
    }

    /// A pattern of the program's own.
    pub(crate) fn builtin(source: &'static str) -> Self {
        #[expect(
            clippy::unwrap_used,
            reason = "constant patterns, compiled by the tests of every default"
        )]
        Self::new(source).unwrap()
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Compiled.
    #[must_use]
    pub fn regex(&self) -> &Regex {
        &self.0
    }

    /// Group 1 of the first match, or the whole match if there is no group.
    #[must_use]
    pub fn take<'t>(&self, text: &'t str) -> Option<&'t str> {
        let groups = self.0.captures(text)?;
        groups.get(1).or_else(|| groups.get(0)).map(|m| m.as_str())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "regex", "description": "A regular expression." })
    }
}

impl<'de> Deserialize<'de> for super::model::Span {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        parse_span(&text).map(Self).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for super::model::Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "time-span", "description": "A length of time: 500ms, 30s, 15m, 2h." })
    }
}

/// Reads `500ms`, `30s`, `15m`, `2h`.
///
/// # Errors
/// A text for people that says what a length of time looks like.
pub fn parse_span(text: &str) -> Result<std::time::Duration, String> {
    let wrong = || format!("`{text}` is not a length of time: write `500ms`, `30s`, `15m` or `2h`");
    let span: jiff::Span = text.parse().map_err(|_| wrong())?;
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .map_err(|_| wrong())?;
    duration.try_into().map_err(|_| wrong())
}
