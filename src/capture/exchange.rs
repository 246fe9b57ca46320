//! One request with its answer, before and after it was archived.

use crate::document::CaptureId;
use std::net::IpAddr;

/// One request and its response, as they went over the wire; what the archive writes.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// Absolute URL that was asked for.
    pub url: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Request headers in order.
    pub request_headers: Vec<(String, Vec<u8>)>,
    /// Request body; empty for GET.
    pub request_body: Vec<u8>,
    /// Status code.
    pub status: u16,
    /// Reason phrase; may be empty.
    pub reason: String,
    /// Response headers in order, names as received.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Response body as sent: still in its content coding, transfer coding removed.
    pub body: Vec<u8>,
    /// When the request started.
    pub at: jiff::Timestamp,
    /// Address that answered.
    pub ip: Option<IpAddr>,
    /// The body is not whole, and why.
    pub truncated: Option<Truncated>,
    /// What else is known of how it was made, by name: `tls-profile`, `rendered-by`, …
    pub notes: Vec<(String, String)>,
}

/// Why a body is not whole (the values of `WARC-Truncated`, WARC 1.1 §5.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncated {
    /// It is larger than allowed.
    Length,
    /// It took longer than allowed.
    Time,
    /// The connection ended before the announced length.
    Disconnect,
}

/// Where a record stands in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// File name inside the archive folder.
    pub file: String,
    /// Offset of the gzip member of the response record, in bytes.
    pub offset: u64,
    /// Length of the member, in bytes.
    pub length: u64,
}

/// An archived response, ready to be read: content coding removed, nothing else touched.
#[derive(Clone, Debug)]
pub struct Capture {
    /// BLAKE3 of `body`.
    pub id: CaptureId,
    /// Absolute URL that was asked for.
    pub url: String,
    /// Status code.
    pub status: u16,
    /// Response headers in order.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body without its content coding.
    pub body: Vec<u8>,
    /// When it was fetched.
    pub at: jiff::Timestamp,
    /// The body is not whole, and why.
    pub truncated: Option<Truncated>,
    /// What else is known of how it was made, by name.
    pub notes: Vec<(String, String)>,
}

impl Capture {
    /// A page that came from no server: a saved file. It has no time of its own, and no header but the type that is given.
    #[must_use]
    pub fn saved(url: &str, content_type: Option<&str>, body: Vec<u8>) -> Self {
        let header = |kind: &str| ("content-type".to_owned(), kind.as_bytes().to_vec());
        Self {
            id: CaptureId::of(&body),
            url: url.to_owned(),
            status: 200,
            headers: content_type.map(header).into_iter().collect(),
            body,
            at: jiff::Timestamp::UNIX_EPOCH,
            truncated: None,
            notes: Vec::new(),
        }
    }

    /// The first value of a header, without regard to the case of its name. Bytes that are not UTF-8 are read as Latin-1.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(match std::str::from_utf8(value) {
            Ok(text) => text.to_owned(),
            Err(_) => value.iter().map(|&b| char::from(b)).collect(),
        })
    }
}
