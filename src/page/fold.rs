//! Texts made comparable.

use unicode_normalization::UnicodeNormalization;

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
        out.extend(word.nfc());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decomposed_capitals_and_nbsp_compare_equal() {
        assert_eq!(fold(" TIN\u{a0}TU\u{31b}\u{301}C\n:"), "tin tức :");
    }
}
