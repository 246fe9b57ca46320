//! Damage that an earlier migration did to Vietnamese text, undone where the syllables prove it.

pub use super::mojibake::mojibake;
use std::borrow::Cow;

/// A repair by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// UTF-8 that was read as windows-1252 or ISO 8859-1.
    Utf8As1252,
    /// The same, twice.
    Utf8As1252Twice,
    /// UTF-8 that was read as windows-1258, the ANSI code page of Vietnamese Windows.
    Utf8As1258,
    /// The same, twice.
    Utf8As1258Twice,
    /// Names of entities without their ampersand: `CNTTamp;TT`.
    LostAmpersand,
    /// Capitals with marks that their writer could only set in small letters: `HOạT`.
    Capitals,
}

impl Repair {
    /// As records name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8As1252 => "utf8-as-windows-1252",
            Self::Utf8As1252Twice => "utf8-as-windows-1252-twice",
            Self::Utf8As1258 => "utf8-as-windows-1258",
            Self::Utf8As1258Twice => "utf8-as-windows-1258-twice",
            Self::LostAmpersand => "lost-ampersand",
            Self::Capitals => "capitals",
        }
    }
}

/// Names that were seen without their ampersand, and what they mean.
const NAMES: [(&str, &str); 11] = [
    ("amp", "&"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("hellip", "…"),
    ("ndash", "–"),
    ("mdash", "—"),
    ("nbsp", "\u{a0}"),
    ("quot", "\""),
    ("bull", "•"),
];

/// Entity names that lost their ampersand: `CNTTamp;TT`, `khóa ldquo;Đào tạo`. `amp`, `quot` and `bull` end words of
/// other languages (stamp, aliquot, pitbull): behind a small letter they stay.
#[must_use]
pub fn lost_ampersands(text: &str) -> Option<String> {
    let mut out: Option<String> = None;
    let mut copied = 0;
    for (semicolon, _) in text.match_indices(';') {
        let head = &text[copied..semicolon];
        let found = NAMES.iter().find(|(name, _)| head.ends_with(name));
        let Some((name, means)) = found else { continue };
        let before = &head[..head.len() - name.len()];
        let word = matches!(*name, "amp" | "quot" | "bull") && before.ends_with(char::is_lowercase);
        if before.ends_with('&') || word {
            continue;
        }
        let out = out.get_or_insert_with(String::new);
        out.push_str(before);
        out.push_str(means);
        copied = semicolon + 1;
    }
    out.map(|mut out| {
        out.push_str(&text[copied..]);
        out
    })
}

/// Capitals whose marks were typed small: a word of at least two ASCII capitals, none of them small, with small letters
/// beyond ASCII; and words of one capital beside such a word.
#[must_use]
pub fn capitals(text: &str) -> Option<String> {
    if !may_be_mixed(text) {
        return None;
    }
    let words: Vec<(usize, &str)> = words(text);
    let mut raise: Vec<bool> = words.iter().map(|(_, w)| is_mixed(w, 2)).collect();
    if !raise.contains(&true) {
        return None;
    }
    // A word of one capital says nothing of itself; one without any has to stand between two that do.
    let sure = raise.clone();
    for at in 0..words.len() {
        let before = at > 0 && sure[at - 1];
        let after = sure.get(at + 1).copied().unwrap_or(false);
        raise[at] |=
            (before || after) && is_mixed(words[at].1, 1) || before && after && is_mixed(words[at].1, 0);
    }
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for ((start, word), _) in words.iter().zip(&raise).filter(|(_, r)| **r) {
        out.push_str(&text[copied..*start]);
        out.push_str(&word.to_uppercase());
        copied = start + word.len();
    }
    out.push_str(&text[copied..]);
    Some(out)
}

/// Whether a word holds two ASCII capitals and a small letter beyond ASCII: nearly no text is looked at word by word.
fn may_be_mixed(text: &str) -> bool {
    let mut capitals = 0;
    let mut small = false;
    for c in text.chars() {
        if c.is_ascii_uppercase() {
            capitals += 1;
        } else if c.is_ascii() {
            (capitals, small) = (0, false);
        } else {
            small |= c.is_lowercase();
        }
        if small && capitals >= 2 {
            return true;
        }
    }
    false
}

fn words(text: &str) -> Vec<(usize, &str)> {
    let part = |c: char| c.is_alphabetic() || matches!(c, '\u{300}'..='\u{36f}');
    let mut out = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (part(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                out.push((from, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    if let Some(from) = start {
        out.push((from, &text[from..]));
    }
    out
}

/// Whether a word has ASCII letters in capitals only, at least so many, and small letters beyond ASCII.
fn is_mixed(word: &str, capitals: usize) -> bool {
    word.chars().filter(char::is_ascii_uppercase).count() >= capitals
        && !word.contains(|c: char| c.is_ascii_lowercase())
        && word.contains(|c: char| !c.is_ascii() && c.to_uppercase().next() != Some(c))
}

/// Words that lost their vowels in an earlier migration ("nghèo nht", "t lệ"): small letters, at least two, none of
/// them a vowel. Not repairable; a flag for people.
#[must_use]
pub fn vowelless(text: &str) -> usize {
    let text: Cow<'_, str> = crate::lang::nfc(text);
    words(&text)
        .into_iter()
        .filter(|(_, w)| {
            w.chars().nth(1).is_some()
                && w.chars()
                    .all(|c| c.is_lowercase() && "bcdđghklmnpqrstvx".contains(c))
                && !UNITS.contains(w)
        })
        .count()
}

/// Units and abbreviations of right text that have no vowel.
const UNITS: [&str; 18] = [
    "kg", "km", "cm", "mm", "ml", "kv", "kwh", "hl", "tr", "tp", "vv", "đ", "đv", "vnđ", "html", "http",
    "xml", "css",
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lost_ampersands_come_back() {
        let found =
            lost_ampersands("CNTTamp;TT, khóa ldquo;Đào tạordquo; TP.HCMhellip; a &amp; b; a stamp; x");
        assert_eq!(
            found.as_deref(),
            Some("CNTT&TT, khóa “Đào tạo” TP.HCM… a &amp; b; a stamp; x")
        );
    }

    #[test]
    fn capitals_with_small_marks() {
        assert_eq!(
            capitals("TIN HOạT ĐộNG NGàNH").as_deref(),
            Some("TIN HOẠT ĐỘNG NGÀNH")
        );
        assert_eq!(
            capitals("THốNG Kê ở Hà Nội").as_deref(),
            Some("THỐNG KÊ ở Hà Nội")
        );
        assert_eq!(capitals("Hà Nội, UBND Xã Lý"), None);
    }

    #[test]
    fn lost_letters_are_counted() {
        assert_eq!(vowelless("hộ nghèo nht, 5 kg và dch"), 2);
        assert_eq!(vowelless("Tỷ lệ hộ nghèo UBND TP"), 0);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_a_second_time_changes_nothing(text in "\\PC{0,40}") {
            if let Some(raised) = capitals(&text) {
                prop_assert_eq!(capitals(&raised), None);
            }
            prop_assert!(vowelless(&text) <= text.len());
            if let Some(right) = lost_ampersands(&text) {
                prop_assert!(right.len() < text.len());
            }
        }
    }
}
