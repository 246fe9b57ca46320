//! What is known of a language, of no page in particular: texts made comparable, dates, citations. Pure.

pub mod citation;
pub mod date;
mod fold;

pub use fold::fold;
pub(crate) use fold::{nfc, spaces};

/// Compiles a pattern of this room.
#[expect(
    clippy::unwrap_used,
    reason = "constant patterns; the tests of each file run them"
)]
pub(crate) fn pattern(source: &str) -> regex::Regex {
    regex::Regex::new(source).unwrap()
}
