//! Pieces rewritten by the verdict of their run: marks rejoined, bytes read, damage repaired, NFC once at the end.

use super::engine::{Method, Outcome, Piece, Run, Verdict};
use super::judge::Reading;
use crate::lang::nfc;
use crate::lang::vietnamese::{Charset, Repair, is_syllable, repair};
use std::borrow::Cow;

/// Marks that one letter can carry; more are text of somebody else.
const MAX_MARKS: usize = 3;

/// Moves marks at the start of a piece to the end of the piece before, where their letter stands. Tags may cut a
/// letter from its mark: `HOA<b>ÏT</b>` in VNI, a combining tone in windows-1258 or decomposed Unicode.
pub(super) fn join_marks(pieces: &mut [Piece<'_>], used: Option<Reading>) {
    for at in 1..pieces.len() {
        if pieces[at].text.is_empty() {
            continue;
        }
        let Some(before) = (0..at).rev().find(|&b| !pieces[b].text.is_empty()) else {
            continue;
        };
        if !pieces[before].text.ends_with(char::is_alphabetic) {
            continue;
        }
        let vni = used == Some(Reading::Set(Charset::Vni));
        let len: usize = pieces[at]
            .text
            .chars()
            .take_while(|&c| matches!(c, '\u{300}'..='\u{36f}') || vni && is_vni_mark(c))
            .take(MAX_MARKS)
            .map(char::len_utf8)
            .sum();
        if len > 0 {
            let marks: String = pieces[at].text.to_mut().drain(..len).collect();
            pieces[before].text.to_mut().push_str(&marks);
            pieces[before].moved = true;
            pieces[at].moved = true;
        }
    }
}

/// Marks of VNI-Windows in windows-1252; none of them is a letter of its own there.
fn is_vni_mark(c: char) -> bool {
    "ùøûõïâáàåãäêéèúüëÙØÛÕÏÂÁÀÅÃÄÊÉÈÚÜË".contains(c)
}

/// Writes the pieces of a run as its verdict says. `capitals`: the document holds text in TCVN3, so that plain ASCII in
/// a font of capitals is meant as capitals too.
pub(super) fn write(pieces: &[Piece<'_>], run: &mut Run, capitals: bool, out: &mut Outcome) {
    let used = run.verdict.as_ref().map(|v| v.used);
    let mut repairs: Vec<Repair> = Vec::new();
    let mut strays = 0;
    for at in run.pieces.clone() {
        let piece = &pieces[at];
        let text = &*piece.text;
        let drawn = piece.hint.filter(|h| h.capitals);
        let mut now: Cow<'_, str> = match used {
            Some(Reading::Set(charset)) => Cow::Owned(decode(charset, text, &mut strays)),
            _ => Cow::Borrowed(text),
        };
        match used {
            Some(Reading::Set(Charset::Tcvn3)) | None if drawn.is_some() && (used.is_some() || capitals) => {
                let upper = now.to_uppercase();
                if upper != now {
                    now = Cow::Owned(upper);
                }
            }
            Some(Reading::Set(_)) => {
                if let Some(better) = repair::capitals(&now) {
                    note(&mut repairs, Repair::Capitals);
                    now = Cow::Owned(better);
                }
            }
            Some(Reading::AsIs) => {
                if let Some((better, how)) = repair::mojibake(&now) {
                    note(&mut repairs, how);
                    now = Cow::Owned(better);
                }
            }
            None => {}
        }
        if now.contains(';')
            && let Some(better) = repair::lost_ampersands(&now)
        {
            note(&mut repairs, Repair::LostAmpersand);
            now = Cow::Owned(better);
        }
        if let Cow::Owned(composed) = nfc(&now) {
            out.normalised |= !matches!(used, Some(Reading::Set(_)));
            now = Cow::Owned(composed);
        }
        out.texts[at] = match now {
            Cow::Borrowed(_) if !piece.moved => None,
            text => Some(text.into_owned()),
        };
    }
    if let Some(verdict) = &mut run.verdict {
        verdict.strays = strays;
    }
    if !repairs.is_empty() {
        let verdict = run
            .verdict
            .get_or_insert_with(|| Verdict::plain(Reading::AsIs, Method::Unicode));
        verdict.repairs = repairs;
        // What a repair explains is no question any more.
        if verdict.method == Method::Undecided && verdict.repairs.iter().any(|r| *r != Repair::LostAmpersand)
        {
            verdict.method = Method::Unicode;
        }
    }
}

fn note(repairs: &mut Vec<Repair>, repair: Repair) {
    if !repairs.contains(&repair) {
        repairs.push(repair);
    }
}

/// Reads a surface in a set. VISCII has a letter where others have the no-break space; where that letter makes no
/// syllable of what stands around it, it is a space.
fn decode(charset: Charset, text: &str, strays: &mut usize) -> String {
    let mut out = String::with_capacity(text.len() * 3 / 2);
    if charset != Charset::Viscii || !text.contains('\u{a0}') {
        *strays += charset.decode_into(text, &mut out).strays;
        return out;
    }
    let chars: Vec<char> = text.chars().collect();
    let mut part = String::new();
    for (at, &c) in chars.iter().enumerate() {
        if c == '\u{a0}' && !is_letter(&chars, at) {
            *strays += charset.decode_into(&part, &mut out).strays;
            out.push(c);
            part.clear();
        } else {
            part.push(c);
        }
    }
    *strays += charset.decode_into(&part, &mut out).strays;
    out
}

/// Whether the U+00A0 at a place is the letter Õ of a VISCII word.
fn is_letter(chars: &[char], at: usize) -> bool {
    // No syllable has more than seven letters: `NGHIÊNG`.
    let edge = |c: &char| c.is_whitespace() || c.is_ascii_punctuation();
    let before: Vec<char> = chars[..at]
        .iter()
        .rev()
        .take(6)
        .take_while(|c| !edge(c))
        .copied()
        .collect();
    let after = chars[at + 1..].iter().take(6).take_while(|c| !edge(c));
    let word: String = before.iter().rev().chain(&['\u{a0}']).chain(after).collect();
    word.chars().count() > 1 && is_syllable(&Charset::Viscii.decode(&word))
}
