//! Which reading of a text is Vietnamese: the share of its tokens that are syllables decides, and says when it cannot.
//!
//! Thresholds were measured on 14,612 lines of official text, encoded with every table, and on 3,954 fragments of French,
//! German, Spanish and Portuguese, of which none was accepted; `just bench decode` repeats the measurement.

use crate::lang::vietnamese::{Charset, Score, score};

/// A reading is accepted from this share of valid syllables.
pub(super) const ACCEPT: f64 = 0.75;
/// And with this lead over the best reading that says something else.
pub(super) const LEAD: f64 = 0.10;
/// And on so many tokens with letters beyond ASCII: one may be anything.
pub(super) const TOKENS: usize = 2;
/// A verdict that was found elsewhere in the document holds for a text unless fewer tokens than this agree.
pub(super) const AGREE: f64 = 0.5;
/// Sets that only a few portals wrote are believed on more evidence.
const RARE_ACCEPT: f64 = 0.85;
/// See [`RARE_ACCEPT`].
const RARE_TOKENS: usize = 6;
/// Several of them differ from each other, and from TCVN3, in a few letters only.
const RARE_LEAD: f64 = 0.05;
/// So much of a text is judged, in bytes.
const SAMPLE: usize = 4096;

/// Sets of most portals, in order of use.
const COMMON: [Charset; 5] = [
    Charset::Tcvn3,
    Charset::Vni,
    Charset::Windows1258,
    Charset::Viscii,
    Charset::Vps,
];
/// The others.
const RARE: [Charset; 7] = [
    Charset::Bkhcm2,
    Charset::Bkhcm1,
    Charset::VietwareX,
    Charset::VietwareF,
    Charset::Tcvn5712,
    Charset::Isc,
    Charset::VniMac,
];

/// How a text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Reading {
    /// As it stands.
    AsIs,
    /// As bytes of a legacy set.
    Set(Charset),
}

/// A reading with the syllables that it gives.
#[derive(Clone, Debug)]
pub(super) struct Try {
    pub(super) reading: Reading,
    pub(super) score: Score,
    strays: usize,
    text: String,
}

impl Try {
    /// Reads the beginning of a text. Characters without a meaning in the set count as tokens that are none.
    pub(super) fn new(reading: Reading, text: &str) -> Self {
        let text = sample(text);
        let (text, strays) = match reading {
            Reading::AsIs => (text.to_owned(), 0),
            Reading::Set(charset) => {
                let mut out = String::with_capacity(text.len() * 2);
                let met = charset.decode_into(text, &mut out);
                (out, met.strays)
            }
        };
        let mut score = score(&text);
        score.tokens += strays;
        let strays = strays + misplaced(&text);
        Self {
            reading,
            score,
            strays,
            text,
        }
    }

    fn is_perfect(&self) -> bool {
        self.strays == 0 && self.score.valid == self.score.tokens
    }

    pub(super) fn share(&self) -> f64 {
        self.score.share()
    }
}

/// What the syllables say of a text without any other evidence.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// The best reading, accepted or not.
    pub(super) best: Reading,
    /// Its score.
    pub(super) score: Score,
    /// The best reading that says something else.
    pub(super) runner_up: Option<(Reading, f64)>,
    /// Whether the best one is accepted on its own.
    pub(super) accepted: bool,
    /// Whether any legacy reading is good enough to be asked about, and the text as it stands is not.
    pub(super) likely: bool,
}

/// Judges a text by all readings. A set that only a few portals wrote has to read better than all common ones; where it
/// does, but not clearly, neither is accepted.
pub(super) fn judge(text: &str) -> Judged {
    let text = sample(text);
    let mut tries = vec![Try::new(Reading::AsIs, text)];
    tries.extend(COMMON.map(|c| Try::new(Reading::Set(c), text)));
    let common = best(&tries);
    let other = runner_up(&tries, common);
    let lead = tries[common].share() - other.map_or(0.0, |t| tries[t].share());
    let clear = tries[common].score.tokens >= TOKENS && tries[common].share() >= ACCEPT && lead >= LEAD;
    if clear && tries[common].is_perfect() {
        return judged(&tries, common, true);
    }
    let from = tries.len();
    tries.extend(RARE.map(|c| Try::new(Reading::Set(c), text)));
    let c = &tries[common];
    let better = |t: &Try| t.share() > c.share() || t.share() >= c.share() && t.score.valid > c.score.valid;
    let rare = (from..tries.len())
        .filter(|&t| !same(&tries[t], c) && better(&tries[t]))
        .max_by(|&a, &b| {
            let (a, b) = (&tries[a], &tries[b]);
            a.share()
                .total_cmp(&b.share())
                .then(a.score.valid.cmp(&b.score.valid))
        });
    let Some(rare) = rare else {
        return judged(&tries, common, clear);
    };
    let r = &tries[rare];
    let proven = |t: &Try| r.strays == 0 && t.strays > 0 && r.share() >= t.share();
    let over = |t: &Try| same(t, r) || r.share() - t.share() >= RARE_LEAD || proven(t);
    let accepted = r.score.tokens >= RARE_TOKENS && r.share() >= RARE_ACCEPT && tries.iter().all(over);
    judged(&tries, rare, accepted)
}

/// The best of the tries; the earlier one of equals.
fn best(tries: &[Try]) -> usize {
    let mut best = 0;
    for at in 1..tries.len() {
        if tries[at].share() > tries[best].share() {
            best = at;
        }
    }
    best
}

/// The best of all tries that says something else.
fn runner_up(tries: &[Try], than: usize) -> Option<usize> {
    (0..tries.len())
        .filter(|&t| t != than && !same(&tries[t], &tries[than]))
        .max_by(|&a, &b| tries[a].share().total_cmp(&tries[b].share()))
}

fn judged(tries: &[Try], best: usize, accepted: bool) -> Judged {
    let other = runner_up(tries, best)
        .map(|t| &tries[t])
        .filter(|t| t.score.valid > 0);
    let likely = |t: &Try| t.reading != Reading::AsIs && t.share() >= ACCEPT && !same(t, &tries[0]);
    Judged {
        best: tries[best].reading,
        score: tries[best].score,
        runner_up: other.map(|t| (t.reading, t.share())),
        accepted,
        likely: tries.iter().any(likely),
    }
}

/// Signs where a word would have a letter: a no-break space beside consonants that are no word, a raised figure with
/// nothing to raise, a bar or a bullet between letters. Right text may hold one; another set may have a letter there.
fn misplaced(text: &str) -> usize {
    let is_letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
    let stump = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| "bcdghklmnpqrstvx".contains(c.to_ascii_lowercase()))
    };
    let edge = |c: char| !c.is_alphabetic();
    fn left(before: &str) -> &str {
        before
            .rsplit(|c: char| !c.is_alphabetic())
            .next()
            .unwrap_or_default()
    }
    text.char_indices()
        .filter(|&(at, c)| {
            let (before, after) = (&text[..at], &text[at + c.len_utf8()..]);
            let last = before.chars().next_back();
            let next = after.chars().next();
            match c {
                // "thông\u{a0}tin" is right; that another set's letter makes worse of it is found by trying.
                '\u{a0}' => {
                    is_letter(last) && is_letter(next)
                        || stump(left(before))
                        || stump(after.split(edge).next().unwrap_or_default())
                }
                '²' | '³' => !last.is_some_and(|l| l.is_alphanumeric() || l == ')'),
                '–' | '—' | '…' | '’' => stump(left(before)),
                '\\' | '^' | '`' | '|' | '~' | '#' | '„' | '†' | '‡' | 'ˆ' | '‰' | '‹' | '‘' | '“' | '”'
                | '•' | '˜' | '™' | '›' => stump(left(before)) || is_letter(last) && is_letter(next),
                _ => false,
            }
        })
        .count()
}

/// Two readings that give the same text do not compete.
fn same(a: &Try, b: &Try) -> bool {
    use unicode_normalization::UnicodeNormalization;
    a.score == b.score && a.text.nfc().eq(b.text.nfc())
}

/// The beginning of a text, cut between characters.
fn sample(text: &str) -> &str {
    if text.len() <= SAMPLE {
        return text;
    }
    let mut end = SAMPLE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// What a look at the characters of a text says, before any reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// Nothing but ASCII: every reading is the same.
    Ascii,
    /// Holds letters that only Unicode Vietnamese has: U+1EA0 to U+1EF9, or combining marks on ASCII letters.
    Unicode,
    /// May be anything.
    Open,
}

/// Looks at a text.
pub(super) fn look(text: &str) -> Look {
    let bytes = text.as_bytes();
    let control = |b: &u8| *b < 0x20 && !matches!(b, b'\t' | b'\n' | b'\r' | 0x0c);
    if text.is_ascii() {
        return if bytes.iter().any(control) {
            Look::Open
        } else {
            Look::Ascii
        };
    }
    // U+1E80 to U+1EFF are E1 BA or E1 BB; U+0300 to U+036F are CC or CD.
    let mut at = 0;
    while at + 1 < bytes.len() {
        match bytes[at] {
            0xe1 if matches!(bytes[at + 1], 0xba | 0xbb) => return Look::Unicode,
            0xcc if bytes[at + 1] < 0xb0 && at > 0 && bytes[at - 1].is_ascii_alphabetic() => {
                return Look::Unicode;
            }
            _ => at += 1,
        }
    }
    Look::Open
}

/// Whether symbols stand inside words as they never do in Western text: the mark of a legacy surface.
pub(super) fn looks_legacy(text: &str) -> bool {
    let (mut before, mut held) = (None::<char>, None::<char>);
    for c in text.chars() {
        let symbol = match c {
            // The soft hyphen, the middle dot and the ordinal marks stand in words of right text.
            '\u{ad}' | '·' | 'ª' | 'º' | '«' | '»' | '¿' | '¡' => false,
            '\u{a1}'..='\u{bf}' | '×' | '÷' => true,
            '\u{80}'..='\u{9f}' => true,
            _ => c.is_ascii_control() && !c.is_ascii_whitespace(),
        };
        if symbol && before.is_some_and(char::is_alphabetic) {
            held = Some(c);
        } else if held.take().is_some() && c.is_lowercase() && c.is_ascii() {
            return true;
        }
        before = Some(c);
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn legacy(charset: Charset, text: &str) -> String {
        crate::lang::vietnamese::surface(&charset.encode(text).unwrap()).to_string()
    }

    const TEXT: &str =
        "Chiều ngày 14/7/2023, Cục Thống kê tỉnh tổ chức Hội nghị sơ kết công tác 6 tháng đầu năm";

    #[test]
    fn each_common_set_is_told() {
        for charset in COMMON {
            let judged = judge(&legacy(charset, TEXT));
            assert!(judged.accepted, "{charset:?} {judged:?}");
            assert_eq!(judged.best, Reading::Set(charset));
        }
        let judged = judge(&legacy(Charset::Bkhcm2, TEXT));
        assert_eq!(
            (judged.best, judged.accepted),
            (Reading::Set(Charset::Bkhcm2), true)
        );
    }

    #[test]
    fn right_text_is_left() {
        assert_eq!((judge(TEXT).best, judge(TEXT).accepted), (Reading::AsIs, true));
        for other in [
            "Les élèves français étaient déjà là, près de l’église où l’été s’achève; à bientôt, chère Zoé",
            "Über die Straße gehen größere Mädchen, für Österreich fährt der König zurück",
            "El niño pequeño comió muchísimo jamón ayer por la mañana, ¿qué más querías tú, señor?",
            "Não há razão para a inflação; as eleições são já amanhã, porém ninguém sabe a hora",
        ] {
            let judged = judge(other);
            assert!(
                !judged.accepted || judged.best == Reading::AsIs,
                "{other}: {judged:?}"
            );
        }
    }

    #[test]
    fn looks() {
        assert_eq!(look("abc\n"), Look::Ascii);
        assert_eq!(look("HO\u{2}T"), Look::Open);
        assert_eq!(look("tổ"), Look::Unicode);
        assert_eq!(look("to\u{302}\u{309}"), Look::Unicode);
        assert_eq!(look("Ngµy"), Look::Open);
        assert!(looks_legacy("Héi nghÞ c¸n bé"));
        assert!(!looks_legacy("12 m² đất, 1ª, ©2023, co\u{ad}op"));
    }
}
