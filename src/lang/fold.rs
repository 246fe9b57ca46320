//! Texts made comparable.

use std::borrow::Cow;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// NFC, lower case, white space (NBSP too) folded to one space, trimmed, and tones placed the old way: "Uỷ ban" = "Ủy
/// ban", "hoà" = "hòa". Both ways are right and mixed in most documents; body text is never rewritten.
#[must_use]
pub fn fold(text: &str) -> String {
    place_tones(&fold_case(text))
}

/// Lower case without any mark, white space folded: "hoa" is in "Hoà", "Hóa" and "Hoả"; `đ`, which has no mark, is a `d`. For
/// searches that people type.
#[must_use]
pub fn bare(text: &str) -> String {
    let lower = spaces(text).to_lowercase();
    lower
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .map(|c| if c == 'đ' { 'd' } else { c })
        .collect()
}

/// [`fold`] with tones where the text has them.
pub(crate) fn fold_case(text: &str) -> String {
    spaces(&text.to_lowercase())
}

/// NFC, white space folded to one space, trimmed.
pub(crate) fn spaces(text: &str) -> String {
    let text = nfc(text);
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// NFC; text that is NFC already, as nearly all is after decoding, is only looked at.
pub(crate) fn nfc(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || text.chars().all(composed) {
        return Cow::Borrowed(text);
    }
    match is_nfc_quick(text.chars()) {
        IsNormalized::Yes => Cow::Borrowed(text),
        _ => Cow::Owned(text.nfc().collect()),
    }
}

/// Is the text NFC?
pub(crate) fn is_nfc(text: &str) -> bool {
    text.is_ascii() || text.chars().all(composed) || unicode_normalization::is_nfc(text)
}

/// Letters that NFC never changes, whatever stands beside them: nearly all there are. Everything below the combining marks,
/// the Vietnamese letters (Latin Extended Additional), quotes and dashes (DerivedNormalizationProps.txt, NFC_QC).
fn composed(c: char) -> bool {
    matches!(c, '\0'..='\u{2FF}' | '\u{1E00}'..='\u{1EFF}' | '\u{2010}'..='\u{2027}')
}

/// Second vowels with a tone, and how the tone stands on the first one. Only open syllables differ: hoà/hòa, khoẻ/khỏe,
/// thuý/thúy; toàn and huyền have one way.
const PLACED: [(char, char, &str, &str); 9] = [
    ('o', 'a', "àáảãạ", "òóỏõọ"),
    ('o', 'e', "èéẻẽẹ", "òóỏõọ"),
    ('u', 'y', "ỳýỷỹỵ", "ùúủũụ"),
    ('O', 'a', "àáảãạ", "ÒÓỎÕỌ"),
    ('O', 'e', "èéẻẽẹ", "ÒÓỎÕỌ"),
    ('U', 'y', "ỳýỷỹỵ", "ÙÚỦŨỤ"),
    ('O', 'A', "ÀÁẢÃẠ", "ÒÓỎÕỌ"),
    ('O', 'E', "ÈÉẺẼẸ", "ÒÓỎÕỌ"),
    ('U', 'Y', "ỲÝỶỸỴ", "ÙÚỦŨỤ"),
];

/// Tones of open oa, oe, uy on the first vowel: "hoà" becomes "hòa". Case, white space and the number of characters stay.
#[must_use]
pub fn place_tones(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut before = None;
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        let found = next.and_then(|n| {
            let (_, second, toned, first) = PLACED.iter().find(|p| p.0 == c && p.2.contains(n))?;
            let at = toned.chars().position(|t| t == n)?;
            Some((first.chars().nth(at)?, *second))
        });
        match found {
            // In quý the u belongs to the onset.
            Some((first, second)) if !matches!(before, Some('q' | 'Q')) => {
                chars.next();
                if chars.peek().is_some_and(|c| c.is_alphabetic()) {
                    out.push(c);
                    out.extend(next);
                } else {
                    out.push(first);
                    out.push(second);
                }
                before = next;
            }
            _ => {
                out.push(c);
                before = Some(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn letters_that_are_taken_for_composed_are_unchanged_in_any_company() {
        for c in (0..=0x10_FFFF)
            .filter_map(char::from_u32)
            .filter(|c| composed(*c))
        {
            assert!(unicode_normalization::is_nfc(&c.to_string()), "{c:?}");
            assert_eq!(
                unicode_normalization::char::canonical_combining_class(c),
                0,
                "{c:?}"
            );
            // The later one of two never joins the one before it.
            for before in ['a', 'ư', 'ộ'] {
                assert!(
                    unicode_normalization::is_nfc(&format!("{before}{c}")),
                    "{before}{c}"
                );
            }
        }
    }

    #[test]
    fn decomposed_capitals_and_nbsp_compare_equal() {
        assert_eq!(fold(" TIN\u{a0}TU\u{31b}\u{301}C\n:"), "tin tức :");
    }

    #[test]
    fn both_placements_of_a_tone_are_one() {
        assert_eq!(
            fold("Uỷ ban, HOÀ BÌNH; khoẻ; Thuý"),
            "ủy ban, hòa bình; khỏe; thúy"
        );
        assert_eq!(
            fold("Ủy ban, HÒA BÌNH; khỏe; Thúy"),
            fold("Uỷ ban, HOÀ BÌNH; khoẻ; Thuý")
        );
        assert_eq!(fold("quý toàn huyện hoài ngoại"), "quý toàn huyện hoài ngoại");
        assert_eq!(
            place_tones("Uỷ ban  HOÀ BÌNH, QUÝ, Thuý"),
            "Ủy ban  HÒA BÌNH, QUÝ, Thúy"
        );
    }

    proptest! {
        #[test]
        fn folding_twice_is_folding_once(text in "\\PC{0,30}") {
            let once = place_tones(&text);
            prop_assert_eq!(place_tones(&once), once.clone());
            prop_assert_eq!(once.chars().count(), text.chars().count());
        }
    }
}
