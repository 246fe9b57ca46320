//! Which words of a text changed.

use super::align::ends;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Most pairs of words that are compared: texts with nothing in common cost their product. Beyond it the whole middle
/// counts as replaced.
const MAX_PAIRS: usize = 4_000_000;

/// What became of a stretch of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// In both.
    Same,
    /// Only in the old text.
    Removed,
    /// Only in the new text.
    Added,
}

/// A stretch of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Piece {
    /// What became of it.
    pub tag: Tag,
    /// The text, with its white space.
    pub text: String,
}

/// Words, runs of white space and signs, each by itself: a comma behind a word is no part of the word.
pub(super) fn tokens(text: &str) -> Vec<&str> {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Word,
        Space,
        Sign,
    }
    let kind = |c: char| {
        if c.is_whitespace() {
            Kind::Space
        } else if c.is_alphanumeric() || ('\u{300}'..='\u{36f}').contains(&c) {
            Kind::Word
        } else {
            Kind::Sign
        }
    };
    let mut out = Vec::new();
    let mut start = 0;
    let mut last: Option<Kind> = None;
    for (at, c) in text.char_indices() {
        let now = kind(c);
        if last.is_some_and(|last| last != now || now == Kind::Sign) {
            out.push(&text[start..at]);
            start = at;
        }
        last = Some(now);
    }
    if start < text.len() {
        out.push(&text[start..]);
    }
    out
}

/// The texts as one: what both have, what went, what came. The pieces without those added are `old`, without those removed
/// `new`.
#[must_use]
pub fn words(old: &str, new: &str) -> Vec<Piece> {
    let (old, new) = (tokens(old), tokens(new));
    let (head, tail) = ends(&old, &new);
    let (a, b) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut out: Vec<Piece> = Vec::new();
    push(&mut out, Tag::Same, &old[..head]);
    if a.len().saturating_mul(b.len()) > MAX_PAIRS {
        push(&mut out, Tag::Removed, a);
        push(&mut out, Tag::Added, b);
    } else {
        for op in capture_diff_slices(Algorithm::Myers, a, b) {
            if let DiffOp::Equal { .. } = op {
                push(&mut out, Tag::Same, &a[op.old_range()]);
            } else {
                push(&mut out, Tag::Removed, &a[op.old_range()]);
                push(&mut out, Tag::Added, &b[op.new_range()]);
            }
        }
    }
    push(&mut out, Tag::Same, &old[old.len() - tail..]);
    joined(out)
}

fn push(out: &mut Vec<Piece>, tag: Tag, tokens: &[&str]) {
    if tokens.is_empty() {
        return;
    }
    let text: String = tokens.concat();
    match out.last_mut() {
        Some(last) if last.tag == tag => last.text.push_str(&text),
        _ => out.push(Piece { tag, text }),
    }
}

/// White space alone between two changes belongs to them: `a b` to `c d` is one change, not two.
fn joined(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let (mut removed, mut added) = (String::new(), String::new());
    let count = pieces.len();
    for (at, piece) in pieces.into_iter().enumerate() {
        match piece.tag {
            Tag::Removed => removed.push_str(&piece.text),
            Tag::Added => added.push_str(&piece.text),
            Tag::Same => {
                let between = !(removed.is_empty() || added.is_empty())
                    && at + 1 < count
                    && piece.text.chars().all(char::is_whitespace);
                if between {
                    removed.push_str(&piece.text);
                    added.push_str(&piece.text);
                    continue;
                }
                flush(&mut out, &mut removed, &mut added);
                out.push(piece);
            }
        }
    }
    flush(&mut out, &mut removed, &mut added);
    out
}

fn flush(out: &mut Vec<Piece>, removed: &mut String, added: &mut String) {
    for (tag, text) in [
        (Tag::Removed, std::mem::take(removed)),
        (Tag::Added, std::mem::take(added)),
    ] {
        if !text.is_empty() {
            out.push(Piece { tag, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(old: &str, new: &str) -> String {
        let show = |p: Piece| match p.tag {
            Tag::Same => p.text,
            Tag::Removed => format!("[-{}-]", p.text),
            Tag::Added => format!("{{+{}+}}", p.text),
        };
        words(old, new).into_iter().map(show).collect()
    }

    #[test]
    fn a_word_is_a_word_whatever_stands_behind_it() {
        assert_eq!(
            shown("Ngày 14, hội nghị họp.", "Ngày 15, hội nghị họp!"),
            "Ngày [-14-]{+15+}, hội nghị họp[-.-]{+!+}"
        );
        assert_eq!(shown("a b", "c d"), "[-a b-]{+c d+}");
        assert_eq!(shown("hòa", "ho\u{300}a"), "[-hòa-]{+ho\u{300}a+}");
        assert_eq!(shown("a  b", "a b"), "a[-  -]{+ +}b");
        assert_eq!(shown("", "x"), "{+x+}");
    }

    #[test]
    fn texts_without_anything_in_common_cost_no_more_than_their_size() {
        let old: String = (0..40_000).map(|n| format!("a{n} ")).collect();
        let new: String = (0..40_000).map(|n| format!("b{n}-")).collect();
        assert_eq!(words(&old, &new).len(), 2);
    }

    proptest! {
        #[test]
        fn both_texts_can_be_read_from_the_pieces(old in "[ab ,\u{e0}]{0,30}", new in "[ab ,\u{e0}]{0,30}") {
            let pieces = words(&old, &new);
            let side = |not: Tag| pieces.iter().filter(|p| p.tag != not).map(|p| p.text.as_str()).collect::<String>();
            prop_assert_eq!(side(Tag::Added), old);
            prop_assert_eq!(side(Tag::Removed), new);
        }
    }
}
