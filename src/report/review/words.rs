//! The words of the interface: a table for each language.

use serde_json::{Map, Value};
use std::sync::LazyLock;

/// A language of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    /// Vietnamese.
    Vi,
    /// English.
    En,
}

static VI: LazyLock<Map<String, Value>> = LazyLock::new(|| table(include_str!("words/vi.toml")));
static EN: LazyLock<Map<String, Value>> = LazyLock::new(|| table(include_str!("words/en.toml")));

/// The tables are part of the program; the tests of this file read them.
fn table(text: &str) -> Map<String, Value> {
    toml::from_str(text).unwrap_or_default()
}

impl Language {
    pub(super) const ALL: [Self; 2] = [Self::Vi, Self::En];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Vi => "vi",
            Self::En => "en",
        }
    }

    /// By its code.
    pub(super) fn named(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|l| l.as_str() == code)
    }

    /// The one for a portal in this language (BCP 47).
    pub(super) fn of(tag: &str) -> Self {
        if tag.starts_with("vi") { Self::Vi } else { Self::En }
    }

    /// The first that a browser accepts, by its `Accept-Language` (RFC 9110, 12.5.4).
    pub(super) fn accepted(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for part in header.split(',').take(20) {
            let mut pieces = part.split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight = pieces
                .find_map(|p| p.trim().strip_prefix("q=")?.parse().ok())
                .unwrap_or(1.0);
            let code = tag.split('-').next().unwrap_or_default();
            if let Some(found) = Self::named(code)
                && weight > 0.0
                && best.is_none_or(|(w, _)| weight > w)
            {
                best = Some((weight, found));
            }
        }
        best.map(|(_, found)| found)
    }

    /// All words.
    pub(super) fn words(self) -> &'static Map<String, Value> {
        match self {
            Self::Vi => &VI,
            Self::En => &EN,
        }
    }

    /// One of them; empty if there is none, which the tests of this file exclude for those of the tables.
    pub(super) fn word(self, key: &str) -> &'static str {
        self.words().get(key).and_then(Value::as_str).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn both_tables_have_the_same_keys_and_the_same_places() {
        let keys = |l: Language| -> BTreeSet<String> { l.words().keys().cloned().collect() };
        assert!(!keys(Language::Vi).is_empty());
        assert_eq!(keys(Language::Vi), keys(Language::En));
        for key in keys(Language::En) {
            let [vi, en] = Language::ALL.map(|l| l.word(&key));
            assert!(!vi.is_empty() && !en.is_empty(), "{key}");
            assert_eq!(vi.matches("{}").count(), en.matches("{}").count(), "{key}");
        }
    }

    #[test]
    fn the_browser_says_which() {
        for (header, language) in [
            ("vi-VN,vi;q=0.9,en;q=0.8", Some(Language::Vi)),
            ("en-GB,en;q=0.9,vi;q=0.1", Some(Language::En)),
            ("fr, en;q=0.3, vi;q=0.5", Some(Language::Vi)),
            ("fr", None),
            ("vi;q=0", None),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
    }
}
