//! UTF-8 that was read as another encoding, undone where the syllables prove it.

use super::repair::Repair;
use super::syllable::{Score, score};
use encoding_rs::{Encoding, WINDOWS_1252, WINDOWS_1258};
use unicode_normalization::UnicodeNormalization;

/// UTF-8 that was read as another encoding, once or twice: the inverse map, where it gives valid UTF-8. Accepted if fewer
/// words are broken afterwards and no right one is lost. Decomposed damage is composed first, so the answer is too,
/// apart from what was decomposed before the damage.
#[must_use]
pub fn mojibake(text: &str) -> Option<(String, Repair)> {
    if !suspicious(text) {
        return None;
    }
    // A wrong reading gives composed letters; taken apart, their marks would pass for bytes of windows-1258.
    let text = &*crate::lang::nfc(text);
    let before = score(text);
    let once = unread(text, WINDOWS_1252);
    let twice = once.as_deref().and_then(|t| unread(t, WINDOWS_1252));
    let ansi = unread(text, WINDOWS_1258);
    let ansi_twice = ansi.as_deref().and_then(|t| unread(t, WINDOWS_1258));
    [
        (ansi_twice, Repair::Utf8As1258Twice),
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
            // Half undone, the pieces of a word can be words: `thá»±c`.
            after.valid.saturating_sub(still_damaged(t)),
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
    let foreign = |c: char| c.is_alphabetic() && !matches!(c, '\0'..='\u{24f}' | '\u{1e00}'..='\u{1eff}');
    after.chars().filter(|c| only_vietnamese(*c)).count() >= LETTERS
        && !after.contains(foreign)
        && still_damaged(after) == 0
        && beyond(after) * 2 <= beyond(before)
}

fn only_vietnamese(c: char) -> bool {
    matches!(c, '\u{1ea0}'..='\u{1ef9}')
}

/// Runs of characters beyond ASCII that would give Vietnamese letters when undone once more.
fn still_damaged(text: &str) -> usize {
    let mixed = text.contains(only_vietnamese);
    runs(text)
        .filter(|run| {
            [WINDOWS_1252, WINDOWS_1258].into_iter().any(|wrong| {
                restored(run.text, wrong)
                    .is_some_and(|right| right.chars().all(is_letter) && !run.is_in_doubt(&right, mixed))
            })
        })
        .count()
}

fn is_letter(c: char) -> bool {
    only_vietnamese(c) || SHARED_LETTERS.contains(c)
}

/// Vietnamese letters beyond ASCII that other languages have too, composed.
const SHARED_LETTERS: &str = "àáãâèéêìíòóõôùúýăđĩũơưÀÁÃÂÈÉÊÌÍÒÓÕÔÙÚÝĂĐĨŨƠƯ";

/// Those of them that are not in windows-1252.
const BEYOND_LATIN1: [char; 10] = ['ă', 'đ', 'ĩ', 'ơ', 'ư', 'Ă', 'Đ', 'Ĩ', 'Ơ', 'Ư'];

/// Whether a few words came out right, each of them, and with more letters that only Vietnamese has, or less damage.
/// Before that, their pieces may have looked like words: `Sá»‘`, `CÃ”NG`. A quotation («khá»…) has the same characters,
/// and its beginning too.
fn is_clean(before: &str, score: Score, after: &str) -> bool {
    let letters = |t: &str| t.chars().filter(|c| only_vietnamese(*c)).count();
    score.tokens > 0
        && broken(score) == 0
        && !opens_quotation(before)
        && (letters(after) > letters(before) || still_damaged(after) < still_damaged(before))
}

/// Whether a « stands where a quotation begins. In damage it stands behind the character of a lead byte: `vá»«a`.
fn opens_quotation(text: &str) -> bool {
    text.match_indices('«').any(|(at, _)| {
        let before = text[..at].chars().next_back();
        before.is_none_or(|c| c.is_ascii() || c.is_whitespace())
    })
}

fn broken(score: Score) -> usize {
    score.tokens - score.valid
}

/// Whether a lead byte's character stands before a continuation byte's one: without that there is nothing to undo.
fn suspicious(text: &str) -> bool {
    let mut rest = text;
    // Only letters beyond ASCII side by side may be; nearly all text is ASCII.
    while let Some(start) = rest.bytes().position(|b| !b.is_ascii()) {
        let run = &rest[start..];
        let (run, behind) = run.split_at(run.bytes().position(|b| b.is_ascii()).unwrap_or(run.len()));
        if is_suspicious_run(run) {
            return true;
        }
        rest = behind;
    }
    false
}

fn is_suspicious_run(run: &str) -> bool {
    let mut lead = false;
    for c in run.chars() {
        if lead && byte(c, WINDOWS_1252).is_some_and(|b| (0x80..0xc0).contains(&b)) {
            return true;
        }
        lead = matches!(c, '\u{c2}'..='\u{f4}' | 'Ă' | 'ă' | 'Đ' | 'đ' | 'Ơ' | 'ơ' | 'Ư' | 'ư' | '\u{300}'..='\u{323}');
    }
    false
}

/// Undoes one wrong reading in every run of characters beyond ASCII that maps back to UTF-8. `None`: in none.
fn unread(text: &str, wrong: &'static Encoding) -> Option<String> {
    // This wrong reading gives none of these letters: where they stand, some of the text is right.
    let mixed = text.contains(only_vietnamese) || wrong == WINDOWS_1252 && text.contains(BEYOND_LATIN1);
    let mut out = String::with_capacity(text.len());
    let mut copied = 0;
    for run in runs(text) {
        let Some(right) = restored(run.text, wrong) else {
            continue;
        };
        let kept = mixed || !right.chars().all(is_letter);
        if right != run.text && !(kept && run.is_in_doubt(&right, mixed)) {
            out.push_str(&text[copied..run.start]);
            out.push_str(&right);
            copied = run.start + run.text.len();
        }
    }
    (copied > 0).then(|| out + &text[copied..])
}

/// A run of characters beyond ASCII.
struct Run<'a> {
    text: &'a str,
    start: usize,
    before: Option<char>,
    after: Option<char>,
}

fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next + text[next..].find(|c: char| !c.is_ascii())?;
        let rest = &text[start..];
        let len = rest.find(|c: char| c.is_ascii()).unwrap_or(rest.len());
        next = start + len;
        Some(Run {
            text: &rest[..len],
            start,
            before: text[..start].chars().next_back(),
            after: rest[len..].chars().next(),
        })
    })
}

impl Run<'_> {
    /// Whether the run may be right as it is: letters, and what stands behind a word. `XÃ”` would give `XÔ`, and beside
    /// right words, `«khá»…` would give `khễ`.
    fn is_in_doubt(&self, right: &str, mixed: bool) -> bool {
        let behind = |c: char| matches!(c, '\u{a0}' | '»' | '’' | '”' | '–' | '—' | '…');
        let word = self.text.trim_end_matches(behind);
        // No syllable ends in these, and none goes from small to capital.
        let ends = word.len() < self.text.len()
            && !word.is_empty()
            && word.chars().all(is_letter)
            && !word.ends_with(['Â', 'Ă'])
            && !(self.before.is_some_and(|c| c.is_ascii_lowercase()) && word.starts_with(char::is_uppercase));
        let goes_on = self.after.is_some_and(|c| c.is_ascii_alphabetic())
            && !self.text.ends_with('\u{a0}')
            && right.chars().all(is_letter);
        ends && !goes_on && (mixed || !right.contains(only_vietnamese))
    }
}

/// A run before its wrong reading, if that is UTF-8; one character is one byte, so it is none.
fn restored(run: &str, wrong: &'static Encoding) -> Option<String> {
    run.chars().nth(1)?;
    let read = |apart| String::from_utf8(bytes(run, wrong, apart)?).ok();
    read(false).or_else(|| if wrong == WINDOWS_1258 { read(true) } else { None })
}

/// The bytes of a run. `apart`: letters with a grave accent come apart, because windows-1258 reads 0xCC as that accent,
/// 0xCC begins the marks of decomposed text, and somebody composed the accent with the letter before it. Its other marks
/// begin no letter of Vietnamese.
fn bytes(run: &str, wrong: &'static Encoding, apart: bool) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(run.len());
    for c in run.chars() {
        match byte(c, wrong) {
            Some(b) if !apart => out.push(b),
            own => match (without_grave(c), own) {
                (Some(base), _) => out.extend([byte(base, wrong)?, byte('\u{300}', wrong)?]),
                (None, own) => out.push(own?),
            },
        }
    }
    Some(out)
}

/// The letter below a grave accent.
fn without_grave(c: char) -> Option<char> {
    let mut parts = [c].into_iter().nfd();
    let (letter, mark) = (parts.next()?, parts.next()?);
    (mark == '\u{300}' && parts.next().is_none()).then_some(letter)
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
        let ansi_twice = misread(&ansi, WINDOWS_1258);
        assert_eq!(
            mojibake(&ansi_twice),
            Some((LINE.into(), Repair::Utf8As1258Twice))
        );
        for word in ["Khu vực", "Tốt", "Số", "vừa", "TỔ", "CÔNG DÂN"] {
            let once = misread(word, WINDOWS_1252);
            assert_eq!(mojibake(&once), Some((word.into(), Repair::Utf8As1252)), "{once}");
            let twice = misread(&once, WINDOWS_1252);
            assert_eq!(
                mojibake(&twice),
                Some((word.into(), Repair::Utf8As1252Twice)),
                "{twice}"
            );
        }
        let composed: String = ansi.nfc().collect();
        assert_eq!(mojibake(&composed), Some((LINE.into(), Repair::Utf8As1258)));
    }

    #[test]
    fn damage_may_be_decomposed_and_what_was_damaged_too() {
        for encoding in [WINDOWS_1252, WINDOWS_1258] {
            let apart: String = misread(LINE, encoding).nfd().collect();
            assert_eq!(mojibake(&apart).map(|r| r.0).as_deref(), Some(LINE));
            let line: String = LINE.nfd().collect();
            let composed: String = misread(&line, encoding).nfc().collect();
            let right = mojibake(&composed).map(|r| r.0.nfc().collect::<String>());
            assert_eq!(right.as_deref(), Some(LINE), "{composed}");
        }
    }

    #[test]
    fn right_words_beside_damage_stay() {
        let text = format!(
            "Đã họp tại XÃ\u{a0}HỘI, “UBND XÃ” và KHÌ…: {}",
            misread(LINE, WINDOWS_1252)
        );
        let right = format!("Đã họp tại XÃ\u{a0}HỘI, “UBND XÃ” và KHÌ…: {LINE}");
        // At the end of a piece, this à and a capital Ã before a space are the same.
        let right = right.replace(" – à là", " – Ã\u{a0} là");
        assert_eq!(mojibake(&text), Some((right, Repair::Utf8As1252)));
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
            "“ỦY BAN NHÂN DÂN XÃ”",
            "HỌP XÃ\u{a0}HỘI «khá»… CHÍ” KHÌ…",
            "ỦY BAN XÃ–HUYỆN, anh nói khá»… rồi đi",
        ] {
            assert_eq!(mojibake(text), None, "{text}");
            assert_eq!(mojibake(&text.nfd().collect::<String>()), None, "{text}");
        }
    }

    /// Words of right text in any case, with what stands between words.
    fn right() -> impl Strategy<Value = String> {
        let word = prop::sample::select(
            LINE.split(' ')
                .chain(["xã", "chí", "khá", "TỔ", "ở"])
                .collect::<Vec<_>>(),
        );
        let between = prop::sample::select(vec![" ", ", ", " – ", "–", "” ", "… ", "\u{a0}", "’ ", " “"]);
        let word = (word, any::<bool>(), between).prop_map(|(word, upper, between)| {
            let word = if upper {
                word.to_uppercase()
            } else {
                word.to_owned()
            };
            word + between
        });
        prop::collection::vec(word, 1..12).prop_map(|words| words.concat())
    }

    proptest! {
        #[test]
        fn right_text_is_never_changed(text in right()) {
            prop_assert_eq!(mojibake(&text), None);
            prop_assert_eq!(mojibake(&text.nfd().collect::<String>()), None);
        }

        #[test]
        fn what_is_undone_needs_no_more(text in right(), ansi in any::<bool>(), twice in any::<bool>()) {
            let encoding = if ansi { WINDOWS_1258 } else { WINDOWS_1252 };
            let mut damaged = misread(&text, encoding);
            if twice {
                damaged = misread(&damaged, encoding);
            }
            // Six letters that only Vietnamese has leave no doubt.
            let line = misread("Hội nghị thống kê Uỷ ban: ", encoding);
            let line = if twice { misread(&line, encoding) } else { line };
            let (undone, _) = mojibake(&(line + &damaged)).unwrap();
            prop_assert_eq!(&undone, &format!("Hội nghị thống kê Uỷ ban: {text}"));
            prop_assert_eq!(mojibake(&undone), None);
        }

        #[test]
        fn no_text_panics_or_loses_a_word(text in "[ -~]{0,4}[\\PC]{0,40}", damage in "[a-zA-Z\u{a0}-\u{1b0}\u{2010}-\u{2122} ]{0,40}") {
            for text in [text, damage] {
                if let Some((undone, _)) = mojibake(&text) {
                    let (was, now) = (score(&text.nfc().collect::<String>()), score(&undone));
                    prop_assert!(now.valid >= was.valid || is_certain(&text, &undone));
                }
            }
        }
    }
}
