//! What templates call the parts of a page (`class`, `id`, `role`, `itemprop`), and lines that name a part.

use crate::lang::{Language, fold};
use aho_corasick::{AhoCorasick, MatchKind};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// Parts of a page, in the order of their bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Part {
    Content,
    Article,
    Title,
    Lead,
    Byline,
    Date,
    Meta,
    Nav,
    Breadcrumb,
    Related,
    Share,
    Comments,
    Ads,
    Footer,
    Header,
    Sidebar,
    Cookie,
    Popup,
    Newsletter,
    Tags,
    Caption,
    Media,
    Pager,
    Hidden,
    List,
    Form,
    Toc,
    Reply,
    Product,
}

/// Number of parts.
pub(super) const PARTS: usize = 29;

impl Part {
    /// All of them, in order.
    pub(super) const ALL: [(Self, &'static str); PARTS] = [
        (Self::Content, "content"),
        (Self::Article, "article"),
        (Self::Title, "title"),
        (Self::Lead, "lead"),
        (Self::Byline, "byline"),
        (Self::Date, "date"),
        (Self::Meta, "meta"),
        (Self::Nav, "nav"),
        (Self::Breadcrumb, "breadcrumb"),
        (Self::Related, "related"),
        (Self::Share, "share"),
        (Self::Comments, "comments"),
        (Self::Ads, "ads"),
        (Self::Footer, "footer"),
        (Self::Header, "header"),
        (Self::Sidebar, "sidebar"),
        (Self::Cookie, "cookie"),
        (Self::Popup, "popup"),
        (Self::Newsletter, "newsletter"),
        (Self::Tags, "tags"),
        (Self::Caption, "caption"),
        (Self::Media, "media"),
        (Self::Pager, "pager"),
        (Self::Hidden, "hidden"),
        (Self::List, "list"),
        (Self::Form, "form"),
        (Self::Toc, "toc"),
        (Self::Reply, "reply"),
        (Self::Product, "product"),
    ];

    /// Its bit.
    pub(super) const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// What a line says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phrase {
    Related,
    Share,
    Comments,
    Newsletter,
    Cookie,
    Chrome,
    Byline,
    Caption,
    Pager,
    Counter,
}

#[derive(Deserialize)]
struct PartWords {
    words: Vec<String>,
}

#[derive(Deserialize)]
struct PhraseWords {
    whole: Vec<String>,
    begins: Vec<String>,
}

struct Names {
    automaton: AhoCorasick,
    /// By pattern: the part's bit, and whether it must stand alone.
    patterns: Vec<(u32, bool)>,
}

#[expect(clippy::unwrap_used, reason = "files of this program; a test reads each")]
static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let file: BTreeMap<String, PartWords> = toml::from_str(include_str!("data/words.toml")).unwrap();
    let (mut sources, mut patterns) = (Vec::new(), Vec::new());
    for (part, name) in Part::ALL {
        for word in file.get(name).map(|p| p.words.as_slice()).unwrap_or_default() {
            let bare = word.trim_start_matches('=');
            sources.push(bare.to_owned());
            patterns.push((part.bit(), bare.len() < word.len() || bare.len() < 5));
        }
    }
    let automaton = AhoCorasick::builder()
        .match_kind(MatchKind::Standard)
        .build(sources)
        .unwrap();
    Names { automaton, patterns }
});

/// Names longer than this are made by programs; the rest is not looked at, in bytes.
const LONGEST_NAME: usize = 400;

/// The parts that names of an element tell, as bits. Capitals inside of a word begin a new one.
pub(super) fn parts(names: &str) -> u32 {
    let mut text = String::with_capacity(names.len() + 8);
    let mut before = ' ';
    for c in names.chars().take(LONGEST_NAME) {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            text.push('\u{1}');
        }
        text.push(c.to_ascii_lowercase());
        before = c;
    }
    let split = text.contains('\u{1}');
    let mut found = search(&text);
    if split {
        found |= search(&text.replace('\u{1}', ""));
    }
    found
}

fn search(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let mut found = 0;
    for hit in NAMES.automaton.find_overlapping_iter(text) {
        let (bit, alone) = NAMES.patterns[hit.pattern().as_usize()];
        let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphabetic);
        let free = !letter(hit.end()) && (hit.start() == 0 || !letter(hit.start() - 1));
        if !alone || free {
            found |= bit;
        }
    }
    found
}

struct Lines {
    whole: HashMap<String, Phrase>,
    begins: Vec<(String, Phrase)>,
}

#[expect(clippy::unwrap_used, reason = "files of this program; a test reads each")]
static LINES: LazyLock<Lines> = LazyLock::new(|| {
    let file: BTreeMap<String, PhraseWords> = toml::from_str(include_str!("data/phrases.toml")).unwrap();
    let mut lines = Lines {
        whole: HashMap::new(),
        begins: Vec::new(),
    };
    for code in Language::codes() {
        let Some(language) = Language::get(code) else {
            continue;
        };
        let p = &language.phrases;
        for (phrases, phrase) in [
            (&p.related, Phrase::Related),
            (&p.tools, Phrase::Share),
            (&p.counters, Phrase::Counter),
            (&p.chrome, Phrase::Chrome),
            (&p.pager, Phrase::Pager),
        ] {
            for text in phrases {
                lines.whole.insert(bare(text).to_owned(), phrase);
            }
        }
    }
    for (name, phrase) in [
        ("related", Phrase::Related),
        ("share", Phrase::Share),
        ("comments", Phrase::Comments),
        ("newsletter", Phrase::Newsletter),
        ("cookie", Phrase::Cookie),
        ("chrome", Phrase::Chrome),
        ("byline", Phrase::Byline),
        ("caption", Phrase::Caption),
    ] {
        let words = &file[name];
        for text in &words.whole {
            lines.whole.entry(bare(text).to_owned()).or_insert(phrase);
        }
        for text in &words.begins {
            lines.begins.push((text.clone(), phrase));
        }
    }
    lines.begins.sort();
    lines
});

fn bare(text: &str) -> &str {
    text.trim_matches(|c: char| !c.is_alphabetic())
}

/// Names of the first page, folded.
const HOME: [&str; 9] = [
    "home",
    "homepage",
    "trang chủ",
    "trang nhất",
    "startseite",
    "accueil",
    "inicio",
    "início",
    "strona główna",
];

/// Longest line that is looked at, in bytes: a sentence names no part.
const LONGEST_LINE: usize = 160;

/// What a line says it is, and whether it says nothing else.
pub(super) fn phrase(line: &str) -> Option<(Phrase, bool)> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    let folded = fold(line);
    if let Some(phrase) = LINES.whole.get(bare(&folded)) {
        return Some((*phrase, true));
    }
    // The way through the portal begins at its home.
    let mut way = folded.split(['>', '»', '›', '→']);
    let first = way.next().map(bare);
    if way.next().is_some() && first.is_some_and(|f| HOME.contains(&f)) {
        return Some((Phrase::Chrome, true));
    }
    // The last phrase that is not behind the line in order, and those before it, may begin it.
    let end = LINES
        .begins
        .partition_point(|(text, _)| text.as_str() <= folded.as_str());
    LINES.begins[..end]
        .iter()
        .rev()
        .take_while(|(text, _)| text.as_bytes().first() == folded.as_bytes().first())
        .find(|(text, _)| folded.starts_with(text.as_str()))
        .map(|(_, phrase)| (*phrase, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_parts() {
        for (names, part) in [
            ("post-content", Part::Content),
            ("divNoiDung", Part::Content),
            ("list-tinlienquan2", Part::Related),
            ("topNav", Part::Nav),
            ("ctl00_phantrang", Part::Pager),
            ("site-footer", Part::Footer),
        ] {
            assert_ne!(parts(names) & part.bit(), 0, "{names}");
        }
        assert_eq!(parts("header-shadow") & Part::Ads.bit(), 0);
        assert_eq!(parts("unavailable") & Part::Nav.bit(), 0);
    }

    #[test]
    fn lines_tell_parts() {
        assert_eq!(phrase("» Related articles:"), Some((Phrase::Related, true)));
        assert_eq!(phrase("TIN TỨC CÙNG LOẠI KHÁC:"), Some((Phrase::Related, true)));
        assert_eq!(phrase("More from our partners"), Some((Phrase::Related, false)));
        assert_eq!(phrase("Trang chủ >> TIN KINH TẾ"), Some((Phrase::Chrome, true)));
        assert_eq!(phrase("By Jane Doe"), Some((Phrase::Byline, false)));
        assert_eq!(phrase("The share of wheat grew"), None);
    }
}
