//! HTTP messages as the archive keeps them: head and body in one block.

/// Longest message head that is read, in bytes.
pub(super) const MAX_HEAD: usize = 256 * 1024;

pub(super) type Headers = Vec<(String, Vec<u8>)>;

/// A parsed message head.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The first line.
    pub start: String,
    pub headers: Headers,
    /// Where the body begins in the block.
    pub body: usize,
}

/// Removes what would end a header line or forge another one.
pub(super) fn push_line_safe(out: &mut Vec<u8>, value: &[u8]) {
    out.extend(
        value
            .iter()
            .map(|&b| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { b }),
    );
}

pub(super) fn push_header(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    push_line_safe(out, name.as_bytes());
    out.extend_from_slice(b": ");
    push_line_safe(out, value);
    out.extend_from_slice(b"\r\n");
}

/// First value of a header, trimmed, as text.
pub(super) fn header<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a str> {
    let (_, value) = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
    std::str::from_utf8(value).ok().map(str::trim)
}

/// Splits `block` at its first empty line. `None` if there is no such line within [`MAX_HEAD`] and `whole` asks for one.
pub(super) fn parse_head(block: &[u8]) -> Option<Head> {
    let mut at = 0;
    let mut start = None;
    let mut headers: Headers = Vec::new();
    loop {
        let rest = &block[at..];
        let (line, next) = match rest.iter().position(|&b| b == b'\n') {
            Some(n) => (&rest[..n], at + n + 1),
            None => (rest, block.len()),
        };
        if next > MAX_HEAD {
            return None;
        }
        at = next;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if start.is_none() {
            start = Some(latin(line));
        } else if line.is_empty() {
            break;
        } else if matches!(line[0], b' ' | b'\t') {
            if let Some((_, value)) = headers.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
        } else if let Some(colon) = line.iter().position(|&b| b == b':') {
            headers.push((
                latin(line[..colon].trim_ascii()),
                line[colon + 1..].trim_ascii().to_vec(),
            ));
        }
        // A line without a colon is debris of a broken server: it belongs to no header.
        if at >= block.len() {
            break;
        }
    }
    Some(Head {
        start: start?,
        headers,
        body: at,
    })
}

fn latin(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|&b| char::from(b)).collect(),
    }
}

/// Status and reason of `HTTP/1.1 200 OK`.
pub(super) fn parse_status(line: &str) -> Option<(u16, String)> {
    let mut parts = line.splitn(3, ' ');
    let version = parts.next()?;
    if !version.get(..5).is_some_and(|v| v.eq_ignore_ascii_case("HTTP/")) {
        return None;
    }
    let status = parts.next()?.parse().ok()?;
    Some((status, parts.next().unwrap_or_default().trim().to_owned()))
}

/// A body after removal of the chunked transfer coding.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Dechunked {
    /// It is whole.
    Whole(Vec<u8>),
    /// It ends too early or breaks off.
    Partial(Vec<u8>),
    /// It never was chunked: its writer removed the coding and left the header.
    NotChunked,
}

/// Removes the chunked transfer coding (RFC 9112 §7.1). Trailers are dropped.
pub(super) fn dechunk(body: &[u8]) -> Dechunked {
    let mut out = Vec::with_capacity(body.len());
    let mut at = 0;
    let mut first = true;
    loop {
        let rest = &body[at..];
        let line_end = rest.iter().take(1024).position(|&b| b == b'\n');
        let size = line_end.and_then(|n| {
            let line = rest[..n]
                .split(|&b| b == b';')
                .next()
                .unwrap_or_default()
                .trim_ascii();
            if line.is_empty() || line.len() > 16 {
                return None;
            }
            usize::from_str_radix(std::str::from_utf8(line).ok()?, 16)
                .ok()
                .map(|size| (n, size))
        });
        let Some((n, size)) = size else {
            return if first {
                Dechunked::NotChunked
            } else {
                Dechunked::Partial(out)
            };
        };
        first = false;
        at += n + 1;
        if size == 0 {
            return Dechunked::Whole(out);
        }
        let available = body.len() - at;
        out.extend_from_slice(&body[at..at + size.min(available)]);
        if available < size {
            return Dechunked::Partial(out);
        }
        at += size;
        for expected in [b'\r', b'\n'] {
            if body.get(at) == Some(&expected) {
                at += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_with_bare_line_feeds_folds_and_debris() {
        let head = parse_head(b"HTTP/1.1 200 OK\nA: 1\r\n 2\nnonsense\nB:x\n\nbody").unwrap();
        assert_eq!(
            head.headers,
            [("A".into(), b"1 2".to_vec()), ("B".into(), b"x".to_vec())]
        );
        assert_eq!(head.body, 39);
        assert_eq!(parse_status(&head.start), Some((200, "OK".into())));
        assert_eq!(parse_status("ICY 200"), None);
        assert!(parse_head(&vec![b'a'; MAX_HEAD + 1]).is_none());
    }

    #[test]
    fn chunks_are_joined_and_breaks_are_seen() {
        assert_eq!(
            dechunk(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"),
            Dechunked::Whole(b"abcde".to_vec())
        );
        assert_eq!(
            dechunk(b"3\r\nabc\r\n9\r\nde"),
            Dechunked::Partial(b"abcde".to_vec())
        );
        assert_eq!(dechunk(b"<html>\n"), Dechunked::NotChunked);
        assert_eq!(
            dechunk(b"ffffffffffffffff\r\nx"),
            Dechunked::Partial(b"x".to_vec())
        );
        assert_eq!(dechunk(b""), Dechunked::NotChunked);
    }
}
