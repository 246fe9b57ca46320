//! Character references (HTML Standard, 13.2.5.72 to 13.2.5.80).

use html5ever::data::{C1_REPLACEMENTS, NAMED_ENTITIES};

/// Text with its references resolved. `attribute`: whether it is the value of one, where names that lack their `;` are
/// no references before `=`, letters and digits.
pub(super) fn resolve(text: &str, attribute: bool, out: &mut String) {
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let behind = &rest[at + 1..];
        let length = match behind.as_bytes().first() {
            Some(b'#') => number(behind, out),
            Some(b) if b.is_ascii_alphanumeric() => named(behind, attribute, out),
            _ => 0,
        };
        if length == 0 {
            out.push('&');
        }
        rest = &behind[length..];
    }
    out.push_str(rest);
}

/// Resolves a reference by name that begins behind its `&`; its length, 0 if it is none.
fn named(text: &str, attribute: bool, out: &mut String) -> usize {
    // Nearly all there are.
    for (name, c) in [
        ("nbsp;", '\u{a0}'),
        ("amp;", '&'),
        ("quot;", '"'),
        ("lt;", '<'),
        ("gt;", '>'),
    ] {
        if text.starts_with(name) {
            out.push(c);
            return name.len();
        }
    }
    // The longest name that is known; the table holds the beginnings of all names too.
    let mut found = None;
    for (at, _) in text.char_indices() {
        let Some(name) = text.get(..=at) else { break };
        match NAMED_ENTITIES.get(name) {
            Some((0, _)) => {}
            Some(chars) => found = Some((name.len(), *chars)),
            None => break,
        }
    }
    let Some((length, (first, second))) = found else {
        return 0;
    };
    let next = text.as_bytes().get(length);
    if attribute
        && !text[..length].ends_with(';')
        && next.is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric())
    {
        return 0;
    }
    let second = Some(second).filter(|c| *c != 0);
    out.extend(
        [Some(first), second]
            .into_iter()
            .flatten()
            .filter_map(char::from_u32),
    );
    length
}

/// Resolves a reference by number that begins with its `#`; its length, 0 if it is none.
fn number(text: &str, out: &mut String) -> usize {
    let (base, from) = match text.as_bytes().get(1) {
        Some(b'x' | b'X') => (16, 2),
        _ => (10, 1),
    };
    let digits = text[from..].bytes().take_while(|b| char::from(*b).is_digit(base));
    let mut length = from;
    let mut value = 0_u32;
    for digit in digits {
        length += 1;
        let digit = char::from(digit).to_digit(base).unwrap_or_default();
        value = value.saturating_mul(base).saturating_add(digit);
    }
    if length == from {
        return 0;
    }
    let old = value
        .checked_sub(0x80)
        .and_then(|at| C1_REPLACEMENTS.get(at as usize));
    let c = match (value, old.copied().flatten()) {
        (0, _) => None,
        (_, Some(c)) => Some(c),
        _ => char::from_u32(value),
    };
    out.push(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    length + usize::from(text.as_bytes().get(length) == Some(&b';'))
}
