//! What a page may ask for, and what it was told.

use crate::capture::{Capture, Exchange};
use crate::crawl::fetch::traffic::Request;
use crate::crawl::origins::Origins;
use crate::mapping::model::{RenderBlock, RenderRule};
use crate::mapping::{Mapping, UrlError};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use url::Url;

/// Requests of one page at most; a page that asks for more is answered no more.
pub(super) const MAX_REQUESTS: usize = 300;
/// What is kept of scripts and style sheets for the next pages of the run, in bytes.
const MAX_KEPT: usize = 32 << 20;
/// Longest request body, in bytes.
const MAX_BODY: usize = 1 << 20;

/// What the browser's event says.
pub(super) fn request(event: &Value) -> Request {
    let request = &event["request"];
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut sent = Vec::new();
    for part in request["postDataEntries"].as_array().into_iter().flatten() {
        let bytes = part["bytes"].as_str().and_then(|b| BASE64.decode(b).ok());
        sent.extend(bytes.unwrap_or_default());
    }
    if sent.is_empty() {
        sent = text(&request["postData"]).into_bytes();
    }
    Request {
        method: text(&request["method"]),
        url: text(&request["url"]),
        kind: text(&event["resourceType"]),
        status: None,
        mime: None,
        bytes: 0,
        blocked: None,
        sent,
        body: None,
    }
}

/// Why a page may not ask for this; `nth` counts its requests.
pub(super) fn refused(
    mapping: &Mapping,
    origins: &Origins,
    rule: &RenderRule,
    request: &Request,
    nth: usize,
) -> Option<&'static str> {
    let Ok(url) = Url::parse(&request.url) else {
        return Some("scheme");
    };
    if !matches!(url.scheme(), "http" | "https") {
        return Some("scheme");
    }
    let blocks = |kind| rule.block.contains(&kind);
    match request.kind.as_str() {
        "Image" if blocks(RenderBlock::Image) => return Some("rule"),
        "Font" if blocks(RenderBlock::Font) => return Some("rule"),
        "Media" if blocks(RenderBlock::Media) => return Some("rule"),
        "Stylesheet" if blocks(RenderBlock::Stylesheet) => return Some("rule"),
        "Document" | "Script" | "XHR" | "Fetch" | "Stylesheet" | "Image" | "Font" | "Media" | "Preflight"
        | "TextTrack" => {}
        // Beacons, prefetches, icons, sockets and streams that never end.
        _ => return Some("kind"),
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD" | "POST" | "OPTIONS") {
        return Some("method");
    }
    let ours = !matches!(
        mapping.canonical(&url),
        Err(UrlError::OffSite { .. } | UrlError::Invalid { .. } | UrlError::Scheme { .. })
    );
    let allowed = rule
        .origins
        .iter()
        .any(|o| Url::parse(o).is_ok_and(|o| o.origin() == url.origin()));
    if !ours && !allowed {
        return Some("off-site");
    }
    if !origins.allows(&url) {
        return Some("robots");
    }
    if nth > MAX_REQUESTS || request.sent.len() > MAX_BODY {
        return Some("too-many");
    }
    None
}

/// The request that we make in the browser's place: its method, and its headers but for those that are ours to say.
pub(super) fn ours(event: &Value) -> (Method, HeaderMap) {
    let request = &event["request"];
    let method = request["method"]
        .as_str()
        .and_then(|m| Method::from_bytes(m.as_bytes()).ok());
    let mut headers = HeaderMap::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let name = name.to_ascii_lowercase();
        if matches!(
            name.as_str(),
            "host" | "connection" | "content-length" | "accept-encoding" | "user-agent"
        ) || name.starts_with("sec-")
        {
            continue;
        }
        if let (Ok(name), Some(Ok(value))) = (
            HeaderName::from_bytes(name.as_bytes()),
            value.as_str().map(HeaderValue::from_str),
        ) {
            headers.insert(name, value);
        }
    }
    headers
        .entry(http::header::ACCEPT)
        .or_insert(HeaderValue::from_static("*/*"));
    headers.insert(
        http::header::ACCEPT_ENCODING,
        HeaderValue::from_static(crate::net::ACCEPT_ENCODING),
    );
    (method.unwrap_or(Method::GET), headers)
}

/// The browser's answer to a paused request, from ours.
pub(super) fn fulfilment(id: &str, exchange: &Exchange, capture: &Capture) -> Value {
    let headers: Vec<Value> = exchange
        .headers
        .iter()
        .filter(|(name, _)| {
            ![
                "content-encoding",
                "content-length",
                "transfer-encoding",
                "connection",
                "keep-alive",
            ]
            .iter()
            .any(|n| name.eq_ignore_ascii_case(n))
        })
        .map(|(name, value)| {
            let value: String = match std::str::from_utf8(value) {
                Ok(text) => text.to_owned(),
                Err(_) => value.iter().map(|&b| char::from(b)).collect(),
            };
            json!({ "name": name, "value": value })
        })
        .collect();
    let mut answer = json!({
        "requestId": id, "responseCode": exchange.status, "responseHeaders": headers, "body": BASE64.encode(&capture.body),
    });
    if !exchange.reason.is_empty() {
        answer["responsePhrase"] = exchange.reason.as_str().into();
    }
    answer
}

/// Scripts and style sheets that all pages share: a server is asked once a run.
#[derive(Debug, Default)]
pub(super) struct Kept {
    by_url: HashMap<String, Arc<Exchange>>,
    bytes: usize,
}

impl Kept {
    pub(super) fn get(&self, request: &Request) -> Option<Arc<Exchange>> {
        self.by_url
            .get(&request.url)
            .filter(|_| request.method == "GET")
            .cloned()
    }

    pub(super) fn keep(&mut self, request: &Request, exchange: &Arc<Exchange>) {
        let fits = self.bytes + exchange.body.len() <= MAX_KEPT;
        if fits
            && request.method == "GET"
            && exchange.status == 200
            && exchange.truncated.is_none()
            && matches!(request.kind.as_str(), "Script" | "Stylesheet" | "Image" | "Font")
            && self
                .by_url
                .insert(request.url.clone(), exchange.clone())
                .is_none()
        {
            self.bytes += exchange.body.len();
        }
    }
}
