//! An answer of the portal before it is written: validators, compression.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use jiff::civil::Date;
use std::borrow::Cow;
use std::io::Write as _;

/// Pages smaller than this are not compressed, in bytes.
const MIN_GZIP: usize = 512;

/// When everything that has a Last-Modified was modified, in a portal that rests.
const LAST_MODIFIED: &str = "Mon, 17 Jul 2023 01:30:00 GMT";

/// An answer before it is written.
pub(super) struct Answer {
    pub status: StatusCode,
    headers: Vec<(header::HeaderName, HeaderValue)>,
    body: Vec<u8>,
    /// Whether it has a validator and answers conditional requests.
    tagged: bool,
    /// When it was modified, for those that are tagged.
    modified: Cow<'static, str>,
    text: bool,
}

impl Answer {
    pub(super) fn new(status: StatusCode, kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![(header::CONTENT_TYPE, HeaderValue::from_static(kind))],
            body: body.into(),
            tagged: false,
            modified: Cow::Borrowed(LAST_MODIFIED),
            text: kind.starts_with("text/"),
        }
    }

    pub(super) fn html(body: impl Into<Vec<u8>>) -> Self {
        Self::new(StatusCode::OK, "text/html; charset=utf-8", body)
    }

    pub(super) fn plain(status: StatusCode, text: &'static str) -> Self {
        Self::new(status, "text/plain; charset=utf-8", text)
    }

    pub(super) fn error(status: StatusCode, text: &str) -> Self {
        let page = format!("<html><head><title>{text}</title></head><body><h1>{text}</h1></body></html>");
        Self::new(status, "text/html; charset=utf-8", page)
    }

    pub(super) fn redirect(to: &str) -> Self {
        let mut answer = Self::error(StatusCode::MOVED_PERMANENTLY, "Object moved");
        answer.header(header::LOCATION, to.as_bytes());
        answer
    }

    pub(super) fn tagged(mut self, tagged: bool) -> Self {
        self.tagged = tagged;
        self
    }

    /// Modified on another day than the rest of the portal.
    pub(super) fn modified(mut self, day: Option<Date>) -> Self {
        if let Some(day) = day {
            self.modified = Cow::Owned(
                day.at(1, 30, 0, 0)
                    .strftime("%a, %d %b %Y %H:%M:%S GMT")
                    .to_string(),
            );
        }
        self
    }

    pub(super) fn header(&mut self, name: header::HeaderName, value: &[u8]) {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            self.headers.push((name, value));
        }
    }

    /// ETag and Last-Modified, and 304 to those who have the same.
    pub(super) fn revalidate(&mut self, asked: &HeaderMap) {
        if !self.tagged || self.status != StatusCode::OK {
            return;
        }
        let etag = format!("\"{}\"", &blake3::hash(&self.body).to_hex()[..16]);
        let has = |name, value: &str| {
            asked
                .get(name)
                .and_then(|v| v.to_str().ok())
                .is_some_and(|v| v.contains(value))
        };
        let fresh = if asked.contains_key(header::IF_NONE_MATCH) {
            has(header::IF_NONE_MATCH, &etag)
        } else {
            has(header::IF_MODIFIED_SINCE, &self.modified)
        };
        self.header(header::ETAG, etag.as_bytes());
        let modified = self.modified.clone();
        self.header(header::LAST_MODIFIED, modified.as_bytes());
        if fresh {
            self.status = StatusCode::NOT_MODIFIED;
            self.body.clear();
        }
    }

    /// gzip for those who take it.
    pub(super) fn compress(&mut self, asked: &HeaderMap) {
        let takes = asked
            .get(header::ACCEPT_ENCODING)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.split(',').any(|c| c.trim().split(';').next() == Some("gzip")));
        if !takes || !self.text || self.body.len() < MIN_GZIP {
            return;
        }
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        if let Ok(packed) = encoder.write_all(&self.body).and_then(|()| encoder.finish()) {
            self.body = packed;
            self.header(header::CONTENT_ENCODING, b"gzip");
            self.header(header::VARY, b"Accept-Encoding");
        }
    }

    pub(super) fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        response
            .headers_mut()
            .insert(header::SERVER, HeaderValue::from_static("Microsoft-IIS/7.5"));
        for (name, value) in self.headers {
            response.headers_mut().append(name, value);
        }
        response
    }
}
