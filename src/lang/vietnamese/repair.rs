//! Damage that an earlier migration did to Vietnamese text, undone where the syllables prove it.

use super::syllable::{Score, score};
use encoding_rs::{Encoding, WINDOWS_1252, WINDOWS_1258};
use std::borrow::Cow;
use unicode_normalization::UnicodeNormalization;

/// A repair by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Repair {
    /// UTF-8 that was read as windows-1252 or ISO 8859-1.
    Utf8As1252,
    /// The same, twice.
    Utf8As1252Twice,
    /// UTF-8 that was read as windows-1258, the ANSI code page of Vietnamese Windows.
    Utf8As1258,
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
            Self::LostAmpersand => "lost-ampersand",
            Self::Capitals => "capitals",
        }
    }
}

/// UTF-8 that was read as another encoding, once or twice: the inverse map, where it gives valid UTF-8. Accepted if fewer
/// words are broken afterwards and no right one is lost.
#[must_use]
pub fn mojibake(text: &str) -> Option<(String, Repair)> {
    if !suspicious(text) {
        return None;
    }
    let before = score(text);
    let once = unread(text, WINDOWS_1252);
    let twice = once.as_deref().and_then(|t| unread(t, WINDOWS_1252));
    let ansi = unread(text, WINDOWS_1258);
    [
        (ansi, Repair::Utf8As1258),
        (twice, Repair::Utf8As1252Twice),
        (once, Repair::Utf8As1252),
    ]
    .into_iter()
    .filter_map(|(t, r)| t.map(|t| (score(&t), t, r)))
    .filter(|(after, t, _)| {
        let fewer = broken(*after) < broken(before) || is_clean(text, *after, t);
        is_certain(text, t) || after.valid >= before.valid && fewer
    })
    .max_by_key(|(after, t, _)| {
        (
            is_certain(text, t),
            after.valid,
            std::cmp::Reverse(broken(*after)),
        )
    })
    .map(|(_, t, r)| (t, r))
}

/// Whether a text that holds no words proves itself: every character beyond ASCII came back in a sequence of UTF-8, some
/// of them as letters that only Vietnamese has. By chance that happens to no text of a few letters.
fn is_certain(before: &str, after: &str) -> bool {
    const LETTERS: usize = 4;
    let beyond = |t: &str| t.chars().filter(|c| !c.is_ascii()).count();
    let only = |c: &char| matches!(c, '\u{1ea0}'..='\u{1ef9}');
    let foreign = |c: char| c.is_alphabetic() && !matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    after.chars().filter(only).count() >= LETTERS
        && !after.contains(foreign)
        && !suspicious(after)
        && beyond(after) * 2 <= beyond(before)
}

/// Whether a few words came out right, each of them, with letters that only Vietnamese has. Before that, their pieces
/// may have looked like words: `Sá»‘`. A quotation («khá»…) has the same characters, and its beginning too.
fn is_clean(before: &str, score: Score, after: &str) -> bool {
    let only = |c: char| matches!(c, '\u{1ea0}'..='\u{1ef9}');
    score.tokens > 0 && broken(score) == 0 && after.contains(only) && !before.contains('«')
}

fn broken(score: Score) -> usize {
    score.tokens - score.valid
}

/// Whether a lead byte's character stands before a continuation byte's one: without that there is nothing to undo.
fn suspicious(text: &str) -> bool {
    let mut lead = false;
    for c in text.chars() {
        if lead && !c.is_ascii() && byte(c, WINDOWS_1252).is_some_and(|b| (0x80..0xc0).contains(&b)) {
            return true;
        }
        lead = matches!(c, '\u{c2}'..='\u{f4}' | 'Ă' | 'ă' | 'Đ' | 'đ' | 'Ơ' | 'ơ' | 'Ư' | 'ư' | '\u{300}'..='\u{323}');
    }
    false
}

/// Undoes one wrong reading in every run of characters beyond ASCII that maps back to UTF-8. `None`: in none.
fn unread(text: &str, wrong: &'static Encoding) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest.find(|c: char| !c.is_ascii()).unwrap_or(rest.len());
        out.push_str(&rest[..ascii]);
        rest = &rest[ascii..];
        let end = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
        let run = &rest[..end];
        rest = &rest[end..];
        match bytes(run, wrong).and_then(|b| String::from_utf8(b).ok()) {
            Some(right) if right != run => {
                changed = true;
                out.push_str(&right);
            }
            // A capital of windows-1258 may have been composed with the ASCII letter before it: left as it is.
            _ => out.push_str(run),
        }
    }
    changed.then_some(out)
}

fn bytes(run: &str, wrong: &'static Encoding) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(run.len());
    for c in run.chars() {
        if let Some(b) = byte(c, wrong) {
            out.push(b);
            continue;
        }
        // What somebody composed meanwhile comes apart again.
        let mut parts = [c].into_iter().nfd();
        if parts.clone().count() == 1 {
            return None;
        }
        parts.try_for_each(|p| {
            out.push(byte(p, wrong)?);
            Some(())
        })?;
    }
    Some(out)
}

/// The byte of a character; a C1 control is its own, as ISO 8859-1 reads it.
fn byte(c: char, encoding: &'static Encoding) -> Option<u8> {
    if matches!(c, '\u{80}'..='\u{9f}') {
        return u8::try_from(u32::from(c)).ok();
    }
    let mut text = [0; 4];
    let (bytes, _, failed) = encoding.encode(c.encode_utf8(&mut text));
    match (&*bytes, failed) {
        ([b], false) => Some(*b),
        _ => None,
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

    const LINE: &str = "Hội nghị sơ kết công tác thống kê “Đào tạo” của Uỷ ban, ngày 14/7/2023 – à là";

    fn misread(text: &str, encoding: &'static Encoding) -> String {
        encoding
            .decode_without_bom_handling(text.as_bytes())
            .0
            .into_owned()
    }

    #[test]
    fn wrong_readings_are_undone() {
        let once = misread(LINE, WINDOWS_1252);
        assert_eq!(mojibake(&once), Some((LINE.into(), Repair::Utf8As1252)));
        let twice = misread(&once, WINDOWS_1252);
        assert_eq!(mojibake(&twice), Some((LINE.into(), Repair::Utf8As1252Twice)));
        let latin1: String = LINE.bytes().map(char::from).collect();
        assert_eq!(mojibake(&latin1), Some((LINE.into(), Repair::Utf8As1252)));
        let ansi = misread(LINE, WINDOWS_1258);
        assert_eq!(mojibake(&ansi), Some((LINE.into(), Repair::Utf8As1258)));
        for word in ["Khu vực", "Tốt", "Số"] {
            let once = misread(word, WINDOWS_1252);
            assert_eq!(mojibake(&once), Some((word.into(), Repair::Utf8As1252)), "{once}");
        }
        let composed: String = ansi.nfc().collect();
        assert_eq!(mojibake(&composed), Some((LINE.into(), Repair::Utf8As1258)));
    }

    #[test]
    fn right_text_is_left() {
        for text in [
            LINE,
            "anh nói «khá»… rồi đi",
            "Les élèves français étaient déjà là… à «Noël»",
            "größere Mädchen – Österreich’s Straße",
            "¿Qué año? ¡Mañana!",
            "Não há razão para a inflação",
        ] {
            assert_eq!(mojibake(text), None, "{text}");
            assert_eq!(mojibake(&text.nfd().collect::<String>()), None, "{text}");
            assert_eq!(lost_ampersands(text), None);
        }
    }

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
            if let Some((right, _)) = mojibake(&text) {
                prop_assert!(right.len() <= text.len());
            }
            if let Some(raised) = capitals(&text) {
                prop_assert_eq!(capitals(&raised), None);
            }
            let _ = (lost_ampersands(&text), vowelless(&text));
        }
    }
}
