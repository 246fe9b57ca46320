//! What is known of a language, of no page in particular: phrases, dates, citations, texts made comparable, legacy
//! character sets. What differs between languages stands in `data/*.toml`, one file a language. Pure.

pub mod catalogue;
pub mod citation;
pub mod date;
mod fold;
mod language;
pub mod number;
mod slug;
pub mod vietnamese;

pub use fold::{bare, fold, place_tones};
pub(crate) use fold::{fold_case, is_nfc, nfc, spaces};
pub use language::{DateWords, DocumentKind, Language, Marks, Numbers, Phrases, Signature};
pub use slug::slug;

/// Whether a label names a character encoding that can be read: one of the WHATWG registry, or a legacy Vietnamese set.
#[must_use]
pub fn is_encoding(label: &str) -> bool {
    encoding_rs::Encoding::for_label(label.as_bytes()).is_some()
        || vietnamese::Charset::from_label(label).is_some()
}

/// Compiles a pattern of this room.
#[expect(
    clippy::unwrap_used,
    reason = "constant patterns; the tests of each file run them"
)]
pub(crate) fn pattern(source: &str) -> regex::Regex {
    regex::Regex::new(source).unwrap()
}
