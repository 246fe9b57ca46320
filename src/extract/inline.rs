//! Characters with marks become text with ranges.

use super::anchor::Anchors;
use crate::document::{Inline, Mark, MarkKind, Span};

/// One character of a block on its way into the document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ch {
    pub(super) c: char,
    /// One bit a mark, in the order of [`KINDS`]; [`MARKER`] for a list marker.
    pub(super) flags: u16,
    /// Index + 1 into the body's links; 0 for none.
    pub(super) link: u32,
    /// Where it stands in the visible text; `usize::MAX` for a line break.
    pub(super) at: usize,
}

pub(super) const KINDS: [MarkKind; 7] = [
    MarkKind::Bold,
    MarkKind::Italic,
    MarkKind::Underline,
    MarkKind::Strike,
    MarkKind::Sup,
    MarkKind::Sub,
    MarkKind::Code,
];
pub(super) const BOLD: u16 = 1;
pub(super) const ITALIC: u16 = 2;
pub(super) const MARKER: u16 = 1 << 8;
/// Set in a font of signs (Symbol, Wingdings): the letter is not what a reader sees.
pub(super) const SYMBOL: u16 = 1 << 9;

/// White space folded, marks as ranges. `targets` are the link targets by index, `anchors` the places that links of the
/// text lead to, by the character where they stand.
pub(super) fn inline(chars: &[Ch], targets: &[Option<String>], anchors: &Anchors) -> Inline {
    let mut text = String::new();
    let mut out: Vec<(u16, u32)> = Vec::new();
    let mut marks = Vec::new();
    let mut pending: Option<char> = None;
    // Letters that only compose across nodes are rare (character references); marks keep the places of the parts.
    for ch in chars {
        if ch.c == '\n' && ch.at == usize::MAX {
            pending = Some('\n');
        } else if ch.c.is_whitespace() {
            pending = pending.or(Some(' '));
        } else {
            if let Some(space) = pending.take()
                && let Some(&(flags, link)) = out.last()
            {
                text.push(space);
                out.push((flags & ch.flags, if link == ch.link { link } else { 0 }));
            }
            for name in anchors.at(ch.at) {
                marks.push(Mark {
                    kind: MarkKind::Anchor,
                    chars: Span(out.len(), out.len()),
                    target: Some(name.clone()),
                });
            }
            text.push(ch.c);
            out.push((ch.flags, ch.link));
        }
    }
    let used = out.iter().fold(0, |all, (flags, _)| all | flags);
    let kinds = KINDS.into_iter().enumerate();
    for (bit, kind) in kinds.filter(|(bit, _)| used >> bit & 1 == 1) {
        ranges(
            &out,
            |(flags, _)| u32::from(flags >> bit & 1),
            |_, chars| {
                marks.push(Mark {
                    kind,
                    chars,
                    target: None,
                });
            },
        );
    }
    ranges(
        &out,
        |(_, link)| link,
        |link, chars| {
            if let Some(Some(target)) = targets.get(link as usize - 1) {
                marks.push(Mark {
                    kind: MarkKind::Link,
                    chars,
                    target: Some(target.clone()),
                });
            }
        },
    );
    marks.sort_by_key(|m| (m.chars.0, usize::MAX - m.chars.1, m.kind));
    if crate::lang::is_nfc(&text) {
        Inline { text, marks }
    } else {
        Inline {
            text: crate::lang::spaces(&text),
            marks: Vec::new(),
        }
    }
}

fn ranges(out: &[(u16, u32)], key: impl Fn((u16, u32)) -> u32, mut found: impl FnMut(u32, Span)) {
    let mut start = 0;
    for end in 1..=out.len() {
        let value = key(out[start]);
        if end == out.len() || key(out[end]) != value {
            if value != 0 {
                found(value, Span(start, end));
            }
            start = end;
        }
    }
}
