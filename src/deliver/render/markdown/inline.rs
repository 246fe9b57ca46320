//! Text with marks. A sign of Markdown that would depend on what stands beside it is not used: then the mark is an HTML
//! element, which a generator without HTML leaves out while the text stays.

use super::destination;
use crate::document::{Mark, MarkKind};
use std::cmp::Reverse;
use std::fmt::Write as _;

/// A mark that nests: within any other, or beside it.
struct Piece {
    kind: MarkKind,
    from: usize,
    to: usize,
    target: Option<String>,
}

/// What a paragraph is made of.
enum Token {
    Text(usize, usize),
    Open(usize),
    Close(usize),
}

/// What stands beside a delimiter (CommonMark, "left-flanking" and "right-flanking").
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside {
    Space,
    Letter,
    Punctuation,
    /// Symbols: punctuation since CommonMark 0.31, letters before.
    Either,
}

fn beside(c: char) -> Beside {
    match c {
        c if c.is_whitespace() => Beside::Space,
        c if c.is_alphanumeric() => Beside::Letter,
        c if c.is_ascii_punctuation() => Beside::Punctuation,
        '\u{2010}'..='\u{2027}' | '«' | '»' => Beside::Punctuation,
        _ => Beside::Either,
    }
}

/// Inline text; `breaks`: a line break is kept, or becomes a space.
pub(super) fn inline(text: &str, marks: &[Mark], breaks: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let all = trimmed(&chars, 0, chars.len());
    let Some((start, end)) = all else {
        return String::new();
    };
    let pieces = pieces(&chars, marks, start, end);
    let tokens = tokens(&pieces, start, end);
    let mut out = String::with_capacity(text.len() + 16);
    for token in &tokens {
        match token {
            Token::Text(from, to) => {
                let part: String = chars[*from..*to].iter().collect();
                out.push_str(&escape(&part, breaks));
            }
            Token::Open(p) | Token::Close(p) => {
                let piece = &pieces[*p];
                let open = matches!(token, Token::Open(_));
                match sign(piece, &chars, &tokens, *p) {
                    Some(sign) => out.push_str(sign),
                    None if piece.kind == MarkKind::Link && open => out.push('['),
                    None if piece.kind == MarkKind::Link => {
                        let target = piece.target.as_deref().unwrap_or_default();
                        let _ = write!(out, "](<{}>)", destination(&super::super::link(target)));
                    }
                    None => {
                        let slash = if open { "" } else { "/" };
                        let _ = write!(out, "<{slash}{}>", element(piece.kind));
                    }
                }
            }
        }
    }
    lines_start(&out)
}

/// A range without white space at its ends; nothing if there is nothing else in it.
fn trimmed(chars: &[char], from: usize, to: usize) -> Option<(usize, usize)> {
    let to = to.min(chars.len());
    let first = (from..to).find(|i| !chars[*i].is_whitespace())?;
    let last = (from..to).rev().find(|i| !chars[*i].is_whitespace())?;
    Some((first, last + 1))
}

/// The marks as pieces that nest, in the order in which they open. Links are never cut; a link inside a link is no Markdown:
/// the outer one holds.
fn pieces(chars: &[char], marks: &[Mark], start: usize, end: usize) -> Vec<Piece> {
    let range = |m: &Mark| trimmed(chars, m.chars.0.max(start), m.chars.1.min(end));
    let mut links: Vec<Piece> = Vec::new();
    let mut ordered: Vec<&Mark> = marks.iter().collect();
    ordered.sort_by_key(|m| (m.chars.0, Reverse(m.chars.1)));
    for mark in ordered.iter().filter(|m| m.kind == MarkKind::Link) {
        let Some((from, to)) = range(mark) else { continue };
        if links.last().is_none_or(|l| l.to <= from) {
            links.push(Piece {
                kind: MarkKind::Link,
                from,
                to,
                target: mark.target.clone(),
            });
        }
    }
    // One range for what is marked alike, then cut where links begin and end.
    let mut open: Vec<Piece> = Vec::new();
    let mut kinds: Vec<MarkKind> = ordered.iter().map(|m| m.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds.into_iter().filter(|k| *k != MarkKind::Link) {
        let mut joined: Vec<(usize, usize)> = Vec::new();
        for mark in ordered.iter().filter(|m| m.kind == kind) {
            let Some((from, to)) = range(mark) else { continue };
            match joined.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => joined.push((from, to)),
            }
        }
        for (from, to) in joined {
            let mut at = from;
            let cuts = links.iter().flat_map(|l| [l.from, l.to]);
            for cut in cuts.filter(|c| from < *c && *c < to).chain([to]) {
                if let Some((from, to)) = trimmed(chars, at, cut) {
                    open.push(Piece {
                        kind,
                        from,
                        to,
                        target: None,
                    });
                }
                at = cut;
            }
        }
    }
    open.extend(links);
    nested(chars, open)
}

/// Cuts what crosses the end of another.
fn nested(chars: &[char], mut open: Vec<Piece>) -> Vec<Piece> {
    let order = |p: &Piece| (p.from, Reverse(p.to), p.kind);
    open.sort_by_key(|p| Reverse(order(p)));
    let (mut out, mut ends): (Vec<Piece>, Vec<usize>) = (Vec::new(), Vec::new());
    while let Some(mut piece) = open.pop() {
        while ends.last().is_some_and(|e| *e <= piece.from) {
            ends.pop();
        }
        if let Some(end) = ends.last().copied().filter(|e| *e < piece.to) {
            if let Some((from, to)) = trimmed(chars, end, piece.to) {
                let rest = Piece {
                    kind: piece.kind,
                    from,
                    to,
                    target: None,
                };
                let at = open.partition_point(|p| order(p) > order(&rest));
                open.insert(at, rest);
            }
            let Some((from, to)) = trimmed(chars, piece.from, end) else {
                continue;
            };
            (piece.from, piece.to) = (from, to);
        }
        ends.push(piece.to);
        out.push(piece);
    }
    out
}

fn tokens(pieces: &[Piece], start: usize, end: usize) -> Vec<Token> {
    let (mut out, mut open, mut at) = (Vec::new(), Vec::<usize>::new(), start);
    let mut next = 0;
    loop {
        // The next place where something closes or opens; what closes goes first.
        let closing = open.last().map(|p| pieces[*p].to);
        let opening = pieces.get(next).map(|p| p.from);
        let (place, closes) = match (closing, opening) {
            (Some(c), Some(o)) if c <= o => (c, true),
            (Some(c), None) => (c, true),
            (_, Some(o)) => (o, false),
            (None, None) => break,
        };
        if place > at {
            out.push(Token::Text(at, place));
            at = place;
        }
        if closes {
            out.extend(open.pop().map(Token::Close));
        } else {
            out.push(Token::Open(next));
            open.push(next);
            next += 1;
        }
    }
    if at < end {
        out.push(Token::Text(at, end));
    }
    out
}

/// Markdown's own sign for a piece, where it is one whatever stands beside it.
fn sign(piece: &Piece, chars: &[char], tokens: &[Token], p: usize) -> Option<&'static str> {
    let sign = match piece.kind {
        MarkKind::Bold => "**",
        MarkKind::Italic => "_",
        MarkKind::Strike => "~~",
        _ => return None,
    };
    let left = |i: usize| match i.checked_sub(1).map(|i| &tokens[i]) {
        Some(Token::Text(_, to)) => beside(chars[to - 1]),
        // Signs and elements are punctuation.
        Some(_) => Beside::Punctuation,
        None => Beside::Space,
    };
    let right = |i: usize| match tokens.get(i + 1) {
        Some(Token::Text(from, _)) => beside(chars[*from]),
        Some(_) => Beside::Punctuation,
        None => Beside::Space,
    };
    let at = |open: bool| {
        tokens.iter().position(|t| match t {
            Token::Open(q) => open && *q == p,
            Token::Close(q) => !open && *q == p,
            Token::Text(..) => false,
        })
    };
    let (open, close) = (at(true)?, at(false)?);
    let apart = |b: Beside| matches!(b, Beside::Space | Beside::Punctuation);
    let (before, after) = (apart(left(open)), apart(right(close)));
    // `_` is a letter inside a word; the others may stand between letters, but not between a letter and a sign.
    let fits = match sign {
        "_" => before && after,
        _ => (before || right(open) == Beside::Letter) && (after || left(close) == Beside::Letter),
    };
    fits.then_some(sign)
}

const fn element(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Link => "a",
        MarkKind::Bold => "strong",
        MarkKind::Italic => "em",
        MarkKind::Underline => "u",
        MarkKind::Strike => "s",
        MarkKind::Sup => "sup",
        MarkKind::Sub => "sub",
        MarkKind::Code => "code",
        // Empty ranges are no pieces.
        MarkKind::Anchor => "span",
    }
}

/// Every sign that means something inside a line, to CommonMark, to GitHub's additions or to the shortcodes of generators.
pub(super) fn escape(text: &str, breaks: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    for (i, c) in text.char_indices() {
        let after = &text[i + c.len_utf8()..];
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '~' | '!' | '$' | '{' | '}' => {
                out.push('\\');
                out.push(c);
            }
            '%' if before == '{' => out.push_str("\\%"),
            // A cell of a table ends at a bar, escaped or not, in some readers.
            '|' => out.push_str("&#124;"),
            // Addresses that nobody linked stay text.
            ':' if after.starts_with("//") => out.push_str("\\:"),
            '@' if before.is_alphanumeric() => out.push_str("\\@"),
            '.' if ends_with_www(&text[..i]) => out.push_str("\\."),
            '\n' if breaks => out.push_str("\\\n"),
            '\n' | '\r' | '\t' => out.push(' '),
            super::super::OPEN | super::super::CLOSE => {
                let _ = write!(out, "&#x{:X};", u32::from(c));
            }
            c => out.push(c),
        }
        before = c;
    }
    out
}

fn ends_with_www(text: &str) -> bool {
    text.len() >= 3
        && text
            .get(text.len() - 3..)
            .is_some_and(|w| w.eq_ignore_ascii_case("www"))
}

/// Every sign that means something at the beginning of a line.
fn lines_start(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let line = line.trim_start();
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            if line.starts_with(['#', '+', '-', '=', ':']) {
                format!("\\{line}")
            } else if digits > 0 && line[digits..].starts_with(['.', ')']) {
                format!("{}\\{}", &line[..digits], &line[digits..])
            } else {
                line.to_owned()
            }
        })
        .collect();
    lines.join("\n")
}
