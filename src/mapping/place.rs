//! Places inside TOML values: where in the file a character of a string stands.

use std::ops::Range;

/// The part of `span` on its first line: a caret under twenty lines helps nobody.
pub(super) fn first_line(text: &str, span: Range<usize>) -> Range<usize> {
    let part = text.get(span.clone()).unwrap_or_default();
    let line = part.lines().next().unwrap_or_default().trim_end();
    span.start..span.start + line.len()
}

/// Where `range` of the string `value` stands in the file; `span` is the place of the string with its quotes. `None`
/// if the string cannot be followed through its escapes.
pub(super) fn inside(
    text: &str,
    span: &Range<usize>,
    value: &str,
    range: Range<usize>,
) -> Option<Range<usize>> {
    let raw = text.get(span.clone())?;
    let quotes = ["'''", "\"\"\"", "'", "\""]
        .into_iter()
        .find(|q| raw.starts_with(q))?;
    let mut at = quotes.len();
    let end = raw.len().checked_sub(quotes.len())?;
    if quotes.len() == 3 {
        at += ["\r\n", "\n"]
            .into_iter()
            .find(|n| raw[at..].starts_with(n))
            .map_or(0, str::len);
    }
    // places[i] is the place in `raw` of byte i of the value.
    let mut places = Vec::with_capacity(value.len() + 1);
    while at < end {
        let (from, here) = (at, raw.get(at..end)?);
        let decoded;
        if quotes.starts_with('"') && here.starts_with('\\') {
            (decoded, at) = escape(here, at)?;
        } else {
            let c = here.chars().next()?;
            (decoded, at) = (Some(c), at + c.len_utf8());
        }
        if let Some(c) = decoded {
            places.extend(std::iter::repeat_n(from, c.len_utf8()));
        }
    }
    if places.len() != value.len() {
        return None;
    }
    places.push(end);
    let (start, stop) = (*places.get(range.start)?, *places.get(range.end)?);
    Some(span.start + start..span.start + stop.max(start))
}

/// The character of the escape at the start of `here`, and the place behind it; no character for a line's end.
fn escape(here: &str, at: usize) -> Option<(Option<char>, usize)> {
    let kind = here[1..].chars().next()?;
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => 0,
    };
    if digits > 0 {
        let code = u32::from_str_radix(here.get(2..2 + digits)?, 16).ok()?;
        return Some((Some(char::from_u32(code)?), at + 2 + digits));
    }
    if kind.is_whitespace() {
        let rest = here[1..].trim_start();
        return Some((None, at + here.len() - rest.len()));
    }
    // Every other escape is one ASCII character.
    Some((Some('.'), at + 1 + kind.len_utf8()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(raw: &str, value: &str, byte: usize) -> Option<usize> {
        let text = format!("à = {raw}");
        inside(&text, &(5..text.len()), value, byte..byte).map(|r| r.start - 5)
    }

    #[test]
    fn places_in_all_four_kinds_of_strings() {
        assert_eq!(at(r"'a\d('", r"a\d(", 3), Some(4));
        assert_eq!(at(r#""a\\d(""#, r"a\d(", 3), Some(5));
        assert_eq!(at(r#""\u1EA1(""#, "ạ(", 3), Some(7));
        assert_eq!(at("'''\nạ('''", "ạ(", 3), Some(7));
        assert_eq!(at("\"\"\"\\\n   (\"\"\"", "(", 0), Some(8));
        assert_eq!(at("'('", "((", 1), None);
    }
}
