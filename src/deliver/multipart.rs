//! Forms with a file (RFC 7578).

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderValue};

/// A form that is being written. Names and file names are ours: ASCII without quotes.
pub(super) struct Form {
    boundary: String,
    body: Vec<u8>,
}

impl Form {
    /// An empty form. `key` is the hash of the file that it will hold: what a file cannot contain is its own hash.
    pub(super) fn new(key: &str) -> Self {
        let digits: String = key.chars().filter(char::is_ascii_alphanumeric).take(48).collect();
        Self {
            boundary: format!("sangtrang-{digits}"),
            body: Vec::new(),
        }
    }

    /// A field.
    pub(super) fn field(&mut self, name: &str, value: &str) {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n",
            self.boundary
        );
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(value.as_bytes());
        self.body.extend_from_slice(b"\r\n");
    }

    /// The file.
    pub(super) fn file(&mut self, name: &str, filename: &str, mime: &str, bytes: &[u8]) {
        let head = format!(
            "--{}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{filename}\"\r\nContent-Type: {mime}\r\n\r\n",
            self.boundary
        );
        self.body.extend_from_slice(head.as_bytes());
        self.body.extend_from_slice(bytes);
        self.body.extend_from_slice(b"\r\n");
    }

    /// Body and headers of the request.
    pub(super) fn finish(mut self) -> (Bytes, HeaderMap) {
        self.body
            .extend_from_slice(format!("--{}--\r\n", self.boundary).as_bytes());
        let mut headers = HeaderMap::new();
        // The boundary is ASCII.
        if let Ok(kind) = HeaderValue::from_str(&format!("multipart/form-data; boundary={}", self.boundary)) {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        (self.body.into(), headers)
    }
}
