//! Texts made comparable.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// NFC, lower case, white space (NBSP too) folded to one space, trimmed.
#[must_use]
pub fn fold(text: &str) -> String {
    spaces(&text.to_lowercase())
}

/// NFC, white space folded to one space, trimmed.
pub(crate) fn spaces(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&nfc(word));
    }
    out
}

/// NFC; text that is NFC already, as nearly all is after decoding, is only looked at.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decomposed_capitals_and_nbsp_compare_equal() {
        assert_eq!(fold(" TIN\u{a0}TU\u{31b}\u{301}C\n:"), "tin tức :");
    }
}
