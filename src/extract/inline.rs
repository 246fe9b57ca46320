//! A line with marks becomes text with ranges.

use super::anchor::Anchors;
use super::line::Line;
use crate::document::{Inline, Mark, MarkKind, Span};

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

/// Characters that are set alike: the number of the first one behind them, their marks, their link.
#[derive(Clone, Copy)]
struct Set {
    end: usize,
    flags: u16,
    link: u32,
}

/// White space folded, marks as ranges. `targets` are the link targets by index, `anchors` the places that links of the
/// text lead to, by the character where they stand.
pub(super) fn inline(line: &Line, targets: &[Option<String>], anchors: &Anchors) -> Inline {
    let mut text = String::with_capacity(line.len());
    let mut out: Vec<Set> = Vec::new();
    let mut marks = Vec::new();
    let mut pending: Option<char> = None;
    let push = |out: &mut Vec<Set>, chars: usize, flags: u16, link: u32| match out.last_mut() {
        Some(last) if (last.flags, last.link) == (flags, link) => last.end += chars,
        last => {
            let end = last.map_or(0, |l| l.end) + chars;
            out.push(Set { end, flags, link });
        }
    };
    // Letters that only compose across nodes are rare (character references); marks keep the places of the parts.
    for (part, run) in line.runs() {
        let Some(mut at) = run.at else {
            pending = Some('\n');
            continue;
        };
        let mut rest = part;
        while !rest.is_empty() {
            let letters = rest.trim_start();
            if letters.len() < rest.len() {
                pending = pending.or(Some(' '));
                at += rest[..rest.len() - letters.len()].chars().count();
            }
            let word = letters.find(char::is_whitespace).unwrap_or(letters.len());
            let (word, behind) = letters.split_at(word);
            rest = behind;
            if word.is_empty() {
                break;
            }
            if let Some(space) = pending.take()
                && let Some(&Set { flags, link, .. }) = out.last()
            {
                text.push(space);
                push(
                    &mut out,
                    1,
                    flags & run.flags,
                    if link == run.link { link } else { 0 },
                );
            }
            let count = word.chars().count();
            let start = out.last().map_or(0, |l| l.end);
            for (shift, name) in anchors.within(Span(at, at + count)) {
                let place = start + shift;
                marks.push(Mark {
                    kind: MarkKind::Anchor,
                    chars: Span(place, place),
                    target: Some(name.clone()),
                });
            }
            text.push_str(word);
            push(&mut out, count, run.flags, run.link);
            at += count;
        }
    }
    let used = out.iter().fold(0, |all, set| all | set.flags);
    let kinds = KINDS.into_iter().enumerate();
    for (bit, kind) in kinds.filter(|(bit, _)| used >> bit & 1 == 1) {
        ranges(
            &out,
            |set| u32::from(set.flags >> bit & 1),
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
        |set| set.link,
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

/// Ranges whose sets have one key that is not 0.
fn ranges(out: &[Set], key: impl Fn(&Set) -> u32, mut found: impl FnMut(u32, Span)) {
    let mut start = 0;
    for group in out.chunk_by(|a, b| key(a) == key(b)) {
        let (value, end) = (key(&group[0]), group[group.len() - 1].end);
        if value != 0 {
            found(value, Span(start, end));
        }
        start = end;
    }
}
