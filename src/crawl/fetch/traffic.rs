//! What a rendered page asked for, and what it was told.

use super::Answer;
use std::sync::Arc;

/// What came of rendering a page.
#[derive(Debug)]
pub struct Rendered {
    /// The page's own documents and data, as sent, and as last one what the browser made of them.
    pub answer: Answer,
    /// Everything that the page asked for, in order.
    pub requests: Vec<Request>,
}

/// One request of a rendered page.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// What the browser wants it for: `Document`, `Script`, `XHR`, `Fetch`, … (the names of its protocol).
    pub kind: String,
    /// Status of the answer.
    pub status: Option<u16>,
    /// Content-Type of the answer.
    pub mime: Option<String>,
    /// Length of the answer's body, without its content coding.
    pub bytes: u64,
    /// Why it was not answered: `off-site`, `robots`, `rule`, `kind`, `method`, `too-many`, or a failure's class.
    pub blocked: Option<String>,
    /// Request body.
    pub sent: Vec<u8>,
    /// Body of an answer that is data of the page (document, XHR, fetch), without its content coding.
    pub body: Option<Arc<Vec<u8>>>,
}

impl Request {
    /// Is it the page's own data, worth archiving?
    #[must_use]
    pub fn is_data(&self) -> bool {
        matches!(self.kind.as_str(), "Document" | "XHR" | "Fetch")
    }
}
