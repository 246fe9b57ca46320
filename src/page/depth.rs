//! A bound on nesting. html5ever needs time quadratic in depth, so tags that go deeper are left out before it reads
//! them: the tags, never the text. The same holds for the attributes of one tag.

use std::borrow::Cow;
use std::collections::HashMap;

const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];
/// Elements that an equal element closes: unclosed ones do not nest.
const SIBLINGS: [&str; 9] = ["p", "li", "td", "th", "tr", "dd", "dt", "option", "tbody"];
const FORMATTING: [&str; 14] = [
    "a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
];
const RAW: [&str; 6] = ["script", "style", "textarea", "title", "iframe", "xmp"];

/// Attributes of one tag that are read; html5ever compares each with all before it.
const MAX_ATTRIBUTES: usize = 256;

/// Leaves out tags below `limit` levels and attributes beyond [`MAX_ATTRIBUTES`]; borrowed if there are none.
pub(super) fn cap(markup: &str, limit: usize) -> Cow<'_, str> {
    let bytes = markup.as_bytes();
    let mut out: Option<String> = None;
    let (mut copied, mut at, mut depth) = (0, 0, 0usize);
    // Open block elements with whether their tag was left out; open inline elements as (open, left out).
    let mut stack: Vec<(String, bool)> = Vec::new();
    let mut counts: HashMap<String, usize> = HashMap::new();
    let mut inline: HashMap<String, (usize, usize)> = HashMap::new();
    while let Some(found) = memchr(bytes, at, b'<') {
        at = found;
        if markup[at..].starts_with("<!--") {
            at = markup[at + 4..]
                .find("-->")
                .map_or(bytes.len(), |e| at + 4 + e + 3);
            continue;
        }
        let closing = bytes.get(at + 1) == Some(&b'/');
        let name_at = at + 1 + usize::from(closing);
        let name_end = bytes[name_at..]
            .iter()
            .position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
            .map_or(bytes.len(), |e| name_at + e);
        if !bytes.get(name_at).is_some_and(u8::is_ascii_alphabetic) {
            at += 1;
            continue;
        }
        let name = markup[name_at..name_end].to_ascii_lowercase();
        let end = tag_end(bytes, name_end);
        let kept = few_attributes(bytes, name_end, end);
        let mut leave_out = false;
        if VOID.contains(&name.as_str()) || SIBLINGS.contains(&name.as_str()) {
        } else if RAW.contains(&name.as_str()) {
            if !closing {
                if let Some(kept) = kept {
                    shorten(&mut out, &markup[copied..kept]);
                    copied = end;
                }
                at = raw_end(bytes, end, &name);
                continue;
            }
        } else if FORMATTING.contains(&name.as_str()) {
            let (open, left) = inline.entry(name).or_default();
            if closing {
                if *left > 0 {
                    *left -= 1;
                    leave_out = true;
                } else if *open > 0 {
                    *open -= 1;
                    depth -= 1;
                }
            } else if depth >= limit {
                *left += 1;
                leave_out = true;
            } else {
                *open += 1;
                depth += 1;
            }
        } else if closing {
            if counts.get(&name).is_some_and(|&n| n > 0) {
                while let Some((top, left)) = stack.pop() {
                    if let Some(n) = counts.get_mut(&top) {
                        *n -= 1;
                    }
                    depth -= usize::from(!left);
                    if top == name {
                        leave_out = left;
                        break;
                    }
                }
            }
        } else {
            leave_out = depth >= limit;
            depth += usize::from(!leave_out);
            *counts.entry(name.clone()).or_default() += 1;
            stack.push((name, leave_out));
        }
        if leave_out {
            let out = out.get_or_insert_with(String::new);
            out.push_str(&markup[copied..at]);
            copied = end;
        } else if let Some(kept) = kept {
            shorten(&mut out, &markup[copied..kept]);
            copied = end;
        }
        at = end;
    }
    match out {
        None => Cow::Borrowed(markup),
        Some(mut out) => {
            out.push_str(&markup[copied..]);
            Cow::Owned(out)
        }
    }
}

/// Ends a tag behind the attributes that are kept.
fn shorten(out: &mut Option<String>, kept: &str) {
    let out = out.get_or_insert_with(String::new);
    out.push_str(kept);
    out.push('>');
}

/// Where the first attribute beyond the limit begins, in the tag whose name ends at `from` and that ends at `end`.
fn few_attributes(bytes: &[u8], from: usize, end: usize) -> Option<usize> {
    if end - from <= 2 * MAX_ATTRIBUTES {
        return None;
    }
    let (mut count, mut quote, mut between) = (0, None, true);
    for (i, &b) in bytes[..end].iter().enumerate().skip(from) {
        match quote {
            Some(q) if b == q => (quote, between) = (None, true),
            Some(_) => {}
            None if b.is_ascii_whitespace() || b == b'/' => between = true,
            None if matches!(b, b'"' | b'\'') && bytes[i - 1] == b'=' => quote = Some(b),
            None if between => {
                count += 1;
                if count > MAX_ATTRIBUTES {
                    return Some(i);
                }
                between = false;
            }
            None => {}
        }
    }
    None
}

fn memchr(bytes: &[u8], from: usize, needle: u8) -> Option<usize> {
    bytes
        .get(from..)?
        .iter()
        .position(|&b| b == needle)
        .map(|p| from + p)
}

/// Behind the `>` of a tag, quotes respected.
fn tag_end(bytes: &[u8], from: usize) -> usize {
    let mut quote = None;
    for (i, &b) in bytes.iter().enumerate().skip(from) {
        match quote {
            Some(q) if b == q => quote = None,
            Some(_) => {}
            None if b == b'>' => return i + 1,
            None if matches!(b, b'"' | b'\'') && bytes[..i].last() == Some(&b'=') => quote = Some(b),
            None => {}
        }
    }
    bytes.len()
}

fn raw_end(bytes: &[u8], from: usize, name: &str) -> usize {
    let mut at = from;
    while let Some(found) = memchr(bytes, at, b'<') {
        let tail = &bytes[found + 1..];
        if tail.first() == Some(&b'/')
            && tail
                .get(1..=name.len())
                .is_some_and(|n| n.eq_ignore_ascii_case(name.as_bytes()))
        {
            return found;
        }
        at = found + 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deep_tags_go_and_text_stays() {
        let deep = format!("{}sâu{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let capped = cap(&deep, 512);
        assert_eq!(capped.matches("<div>").count(), 512);
        assert_eq!(capped.matches("</div>").count(), 512);
        assert!(capped.contains("sâu"));
    }

    #[test]
    fn attributes_beyond_the_limit_go() {
        let many: String = (0..1000).map(|n| format!(" a{n}='x y>' b{n}")).collect();
        let capped = cap(&format!("<p>vào<div{many}>chữ</div>"), 512).into_owned();
        assert_eq!(capped.matches("='x y>'").count(), 128);
        assert!(capped.ends_with("b127 >chữ</div>"), "{capped}");
        let long = format!("<a href=\"{}\">x</a>", "y ".repeat(5000));
        assert!(matches!(cap(&long, 512), Cow::Borrowed(_)));
    }

    #[test]
    fn unclosed_paragraphs_are_no_depth() {
        let flat = "<p>x<td>y".repeat(2000);
        assert!(matches!(cap(&flat, 512), Cow::Borrowed(_)));
        let nested = "<b><div></b>".repeat(2000);
        assert!(cap(&nested, 512).matches("<div>").count() <= 512);
    }
}
