//! WARC records: the header of one, read and written.

use super::Location;
use super::http::{Headers, header, push_header, push_line_safe};
use data_encoding::BASE32;
use sha1::{Digest, Sha1};
use std::io::{self, BufRead, Read};

/// Longest record header that is read, in bytes.
const MAX_HEADER: usize = 256 * 1024;

/// Notes beside a response, as JSON: the name that warcio and pywb use.
pub(super) const JSON_METADATA: &str = "WARC-Json-Metadata";
/// Where the response stands to which a revisit record refers: in which file of the same folder, and where in it.
pub(super) const REFERS_TO_FILE: &str = "WARC-Refers-To-Filename";
pub(super) const REFERS_TO_OFFSET: &str = "WARC-Refers-To-File-Offset";
pub(super) const REFERS_TO_LENGTH: &str = "WARC-Refers-To-File-Length";

/// `sha1:` and the base32 digest of `bytes`, as WARC writers have written it since Heritrix.
pub(super) fn sha1(parts: &[&[u8]]) -> String {
    let mut hash = Sha1::new();
    for part in parts {
        hash.update(part);
    }
    format!("sha1:{}", BASE32.encode(hash.finalize().as_slice()))
}

/// Whether `bytes` have the digest `value`; `None` if it is of a kind that is not checked.
pub(super) fn digest_matches(value: &str, bytes: &[u8]) -> Option<bool> {
    let (kind, digest) = value.split_once(':')?;
    if !kind.eq_ignore_ascii_case("sha1") && !kind.eq_ignore_ascii_case("sha-1") {
        return None;
    }
    let actual = Sha1::digest(bytes);
    match digest.len() {
        32 => Some(BASE32.encode(actual.as_slice()).eq_ignore_ascii_case(digest)),
        40 => Some(
            data_encoding::HEXLOWER
                .encode(actual.as_slice())
                .eq_ignore_ascii_case(digest),
        ),
        _ => None,
    }
}

/// Header of a record.
#[derive(Debug)]
pub(super) struct RecordHead {
    pub headers: Headers,
    /// Length of the block in bytes.
    pub length: u64,
}

impl RecordHead {
    pub fn get(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// The response to which a revisit record refers, if it is one of our own.
    pub fn refers_to(&self) -> Option<Location> {
        Some(Location {
            file: self.get(REFERS_TO_FILE)?.to_owned(),
            offset: self.get(REFERS_TO_OFFSET)?.parse().ok()?,
            length: self.get(REFERS_TO_LENGTH)?.parse().ok()?,
        })
    }

    /// What was noted of the fetch.
    pub fn notes(&self) -> Vec<(String, String)> {
        let text = self.get(JSON_METADATA).unwrap_or_default();
        let Ok(serde_json::Value::Object(map)) = serde_json::from_str(text) else {
            return Vec::new();
        };
        map.into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect()
    }

    /// The target without the angle brackets that Wget puts around it, spaces percent-encoded.
    pub fn url(&self) -> Option<String> {
        let uri = self.get("WARC-Target-URI")?;
        let uri = uri
            .strip_prefix('<')
            .and_then(|u| u.strip_suffix('>'))
            .unwrap_or(uri);
        Some(uri.replace(' ', "%20"))
    }
}

/// Why a record header could not be read.
#[derive(Debug)]
pub(super) enum HeadError {
    Io(io::Error),
    Bad(String),
}

impl From<io::Error> for HeadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Reads the next record header; `None` at the end of the data. Blank lines before it are skipped.
pub(super) fn read_head(input: &mut impl BufRead) -> Result<Option<RecordHead>, HeadError> {
    let mut left = MAX_HEADER;
    let version = loop {
        match read_line(input, &mut left)? {
            None => return Ok(None),
            Some(line) if line.is_empty() => {}
            Some(line) => break line,
        }
    };
    if !version.starts_with(b"WARC/") {
        let shown = String::from_utf8_lossy(&version[..version.len().min(40)]).into_owned();
        return Err(HeadError::Bad(format!(
            "expected `WARC/1.1`, found `{}`",
            shown.escape_debug()
        )));
    }
    let mut headers: Headers = Vec::new();
    loop {
        let Some(line) = read_line(input, &mut left)? else {
            return Err(HeadError::Io(io::ErrorKind::UnexpectedEof.into()));
        };
        if line.is_empty() {
            break;
        }
        if matches!(line[0], b' ' | b'\t') {
            if let Some((_, value)) = headers.last_mut() {
                value.push(b' ');
                value.extend_from_slice(line.trim_ascii());
            }
        } else if let Some(colon) = line.iter().position(|&b| b == b':') {
            let name = String::from_utf8_lossy(line[..colon].trim_ascii()).into_owned();
            headers.push((name, line[colon + 1..].trim_ascii().to_vec()));
        } else {
            return Err(HeadError::Bad("a header line has no colon".to_owned()));
        }
    }
    let length = header(&headers, "Content-Length")
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| HeadError::Bad("the record has no usable Content-Length".to_owned()))?;
    Ok(Some(RecordHead { headers, length }))
}

/// A line without its end, at most `left` bytes. `None` at the end of the data.
fn read_line(input: &mut impl BufRead, left: &mut usize) -> Result<Option<Vec<u8>>, HeadError> {
    let mut line = Vec::new();
    let read = input.by_ref().take(*left as u64).read_until(b'\n', &mut line)?;
    if read == 0 && *left > 0 {
        return Ok(None);
    }
    *left -= read;
    if line.pop() != Some(b'\n') {
        return Err(if *left == 0 {
            HeadError::Bad(format!("the record header is longer than {MAX_HEADER} bytes"))
        } else {
            HeadError::Io(io::ErrorKind::UnexpectedEof.into())
        });
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

/// A whole record, uncompressed: header, block, two empty lines.
pub(super) fn write_record(headers: &[(&str, String)], block: &[&[u8]]) -> Vec<u8> {
    let length: usize = block.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 1024);
    out.extend_from_slice(b"WARC/1.1\r\n");
    for (name, value) in headers {
        push_header(&mut out, name, value.as_bytes());
    }
    push_header(&mut out, "Content-Length", length.to_string().as_bytes());
    out.extend_from_slice(b"\r\n");
    for part in block {
        out.extend_from_slice(part);
    }
    out.extend_from_slice(b"\r\n\r\n");
    out
}

/// A URL as it may stand in a header: nothing in it can end the line or part the field.
pub(super) fn safe_uri(url: &str) -> String {
    let mut bytes = Vec::with_capacity(url.len());
    push_line_safe(&mut bytes, url.as_bytes());
    String::from_utf8_lossy(&bytes).replace(' ', "%20")
}
