//! ARC files (the format before WARC): the header line of a record becomes the header of a WARC record.
//!
//! Source: M. Burner, B. Kahle, "Arc File Format", Internet Archive 1996; version 1 has five fields, version 2 ten.

use super::http::{header, parse_head};
use super::record::{HeadError, RecordHead};
use std::io::{BufRead, Read as _};

/// Longest header line, in bytes.
const MAX_LINE: u64 = 64 << 10;

/// Fields of a header line, by the version that the file's first record names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Version {
    /// URL, address, date, type, length.
    #[default]
    One,
    /// … with result code, checksum, location, offset and file name before the length.
    Two,
}

impl Version {
    /// By the block of the `filedesc:` record: `2 0 …`.
    pub(super) fn of(block: &[u8]) -> Self {
        if block.starts_with(b"2 ") {
            Self::Two
        } else {
            Self::One
        }
    }
}

/// Reads the next header line; `None` at the end of the data.
pub(super) fn read_head(input: &mut impl BufRead, version: Version) -> Result<Option<RecordHead>, HeadError> {
    let mut line = Vec::new();
    input.by_ref().take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() != Some(&b'\n') {
        return Err(if line.len() as u64 == MAX_LINE {
            HeadError::Bad(format!("the header line is longer than {MAX_LINE} bytes"))
        } else {
            HeadError::Io(std::io::ErrorKind::UnexpectedEof.into())
        });
    }
    let line = String::from_utf8_lossy(&line);
    // From the right: URLs of old archives may hold spaces.
    let behind = if version == Version::Two { 9 } else { 4 };
    let mut fields: Vec<&str> = line.trim_end().rsplitn(behind + 1, ' ').collect();
    fields.reverse();
    let [url, address, date, kind, .., length] = fields.as_slice() else {
        let shown: String = line.trim_end().chars().take(40).collect();
        return Err(HeadError::Bad(format!(
            "expected the header line of an ARC record, found `{}`",
            shown.escape_debug()
        )));
    };
    // Old writers say -1 where they did not know it: then there is nothing.
    let length = length.parse().unwrap_or(0);
    let mut headers = vec![
        ("WARC-Target-URI".to_owned(), url.as_bytes().to_vec()),
        ("WARC-IP-Address".to_owned(), address.as_bytes().to_vec()),
        ("Content-Type".to_owned(), kind.as_bytes().to_vec()),
    ];
    headers.extend(iso(date).map(|date| ("WARC-Date".to_owned(), date.into_bytes())));
    Ok(Some(RecordHead { headers, length }))
}

/// The block of a `filedesc:` record that does not say how long it is: up to an empty line.
pub(super) fn description(input: &mut impl BufRead) -> Result<Vec<u8>, HeadError> {
    let mut block = Vec::new();
    while (block.len() as u64) < MAX_LINE {
        let before = block.len();
        input.by_ref().take(MAX_LINE).read_until(b'\n', &mut block)?;
        if block[before..].trim_ascii().is_empty() {
            break;
        }
    }
    Ok(block)
}

/// The file ends before the record does. That is no loss if the answer inside is whole by its own length: somebody has
/// changed line ends.
pub(super) fn mark_short(head: &mut RecordHead, block: &mut Vec<u8>) {
    let end = parse_head(block).and_then(|http| {
        let length: usize = header(&http.headers, "content-length")?.trim().parse().ok()?;
        http.body.checked_add(length).filter(|end| *end <= block.len())
    });
    match end {
        // What follows parts it from the next record.
        Some(end) => block.truncate(end),
        None => head
            .headers
            .push(("WARC-Truncated".to_owned(), b"disconnect".to_vec())),
    }
}

/// Says what the record is, now that its block is known: an HTTP answer, or a file by itself; nothing if it is empty.
pub(super) fn name_kind(head: &mut RecordHead, block: &[u8]) {
    let http = block.starts_with(b"HTTP/");
    if http {
        head.headers.retain(|(name, _)| name != "Content-Type");
    }
    let kind = match (http, block.is_empty()) {
        (true, _) => "response",
        (false, true) => "metadata",
        (false, false) => "resource",
    };
    head.headers.push(("WARC-Type".to_owned(), kind.into()));
}

/// `20140216050221` as ISO 8601.
fn iso(date: &str) -> Option<String> {
    if date.len() < 14 || !date.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(format!(
        "{}-{}-{}T{}:{}:{}Z",
        &date[..4],
        &date[4..6],
        &date[6..8],
        &date[8..10],
        &date[10..12],
        &date[12..14]
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_lines_of_both_versions() {
        let line = b"http://a.example/x y 10.0.0.1 20140216050221 text/html 12\n";
        let head = read_head(&mut &line[..], Version::One).unwrap().unwrap();
        assert_eq!(head.url().unwrap(), "http://a.example/x%20y");
        assert_eq!(head.get("WARC-Date"), Some("2014-02-16T05:02:21Z"));
        assert_eq!(head.length, 12);
        let line = b"http://a.example/ 10.0.0.1 20140216050221 text/html 200 - - 0 f.arc 7\n";
        let head = read_head(&mut &line[..], Version::Two).unwrap().unwrap();
        assert_eq!((head.get("Content-Type"), head.length), (Some("text/html"), 7));
        assert_eq!(
            read_head(&mut &b""[..], Version::One).unwrap().map(|h| h.length),
            None
        );
        assert!(matches!(
            read_head(&mut &b"abc\n"[..], Version::One),
            Err(HeadError::Bad(_))
        ));
        assert!(matches!(
            read_head(&mut &b"http://a 1"[..], Version::One),
            Err(HeadError::Io(_))
        ));
    }
}
