//! What the archive writes about one exchange: a request, a metadata and a response record; a revisit record instead of
//! a response that is archived already.

use super::http::{header, push_header, push_line_safe};
use super::record::{
    JSON_METADATA, REFERS_TO_FILE, REFERS_TO_LENGTH, REFERS_TO_OFFSET, safe_uri, sha1, write_record,
};
use super::{Exchange, Location, Truncated};
use uuid::Uuid;

/// A record's name follows from what it names: a repeated run does not invent new ones.
pub(super) fn record_id(parts: &[&str]) -> String {
    let id = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("sangtrang:warc:{}", parts.join("\n")).as_bytes(),
    );
    format!("<urn:uuid:{id}>")
}

/// Longest note that is written, in bytes.
const MAX_NOTE: usize = 1000;
/// Most notes of an exchange.
const MAX_NOTES: usize = 32;
/// Profile of a revisit record with the same payload (WARC 1.1, 6.7.2).
const SAME_PAYLOAD: &str = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest";

/// Profile of a revisit record for "not modified" (WARC 1.1, 6.7.3).
const NOT_MODIFIED: &str = "http://netpreserve.org/warc/1.1/revisit/server-not-modified";

/// The response that a revisit record names: one with the same payload, or the one that a 304 says still holds.
pub(super) struct Original<'o> {
    pub(super) place: &'o Location,
    pub(super) id: &'o str,
    pub(super) url: &'o str,
    pub(super) date: &'o str,
    /// Digest of its payload, as its record has it.
    pub(super) digest: Option<&'o str>,
}

/// The records of one exchange, uncompressed.
pub(super) struct Records {
    /// Request and metadata.
    pub(super) before: Vec<Vec<u8>>,
    /// The response; last, so that its end is the end of the exchange.
    pub(super) response: Vec<u8>,
}

/// Notes as they are written: in bounds, one line each.
fn notes(exchange: &Exchange) -> impl Iterator<Item = (&str, String)> {
    exchange.notes.iter().take(MAX_NOTES).map(|(name, value)| {
        let mut line = Vec::new();
        push_line_safe(&mut line, value.as_bytes());
        line.truncate(MAX_NOTE);
        (name.as_str(), String::from_utf8_lossy(&line).into_owned())
    })
}

/// The records of an exchange that begins at `offset` of `file`; `same`: the response with the same payload.
pub(super) fn records(exchange: &Exchange, same: Option<&Original<'_>>, file: &str, offset: u64) -> Records {
    let place = offset.to_string();
    let at = exchange.at.to_string();
    let id = |kind| record_id(&[kind, file, &place, &at, &exchange.url]);
    let (request_id, response_id) = (id("request"), id("response"));
    let date = format!("{:.6}", exchange.at);
    let url = safe_uri(&exchange.url);
    let ip = exchange.ip.map(|ip| ip.to_string());

    let head = request_head(exchange);
    let mut headers = vec![
        ("WARC-Type", "request".to_owned()),
        ("WARC-Record-ID", request_id.clone()),
        ("WARC-Concurrent-To", response_id.clone()),
        ("WARC-Target-URI", url.clone()),
        ("WARC-Date", date.clone()),
    ];
    headers.extend(ip.clone().map(|ip| ("WARC-IP-Address", ip)));
    headers.extend([
        ("WARC-Block-Digest", sha1(&[&head, &exchange.request_body])),
        ("WARC-Payload-Digest", sha1(&[&exchange.request_body])),
        ("Content-Type", "application/http; msgtype=request".to_owned()),
    ]);
    let mut before = vec![write_record(&headers, &[&head, &exchange.request_body])];
    if !exchange.notes.is_empty() {
        let mut fields = Vec::new();
        for (name, value) in notes(exchange) {
            push_header(&mut fields, name, value.as_bytes());
        }
        let headers = [
            ("WARC-Type", "metadata".to_owned()),
            ("WARC-Record-ID", id("metadata")),
            ("WARC-Refers-To", response_id.clone()),
            ("WARC-Target-URI", url.clone()),
            ("WARC-Date", date.clone()),
            ("WARC-Block-Digest", sha1(&[&fields])),
            ("Content-Type", "application/warc-fields".to_owned()),
        ];
        before.push(write_record(&headers, &[&fields]));
    }

    let head = response_head(exchange);
    let kind = if same.is_some() { "revisit" } else { "response" };
    let body: &[u8] = if same.is_some() { &[] } else { &exchange.body };
    let mut headers = vec![
        ("WARC-Type", kind.to_owned()),
        ("WARC-Record-ID", response_id),
        ("WARC-Concurrent-To", request_id),
        ("WARC-Target-URI", url),
        ("WARC-Date", date),
    ];
    headers.extend(ip.map(|ip| ("WARC-IP-Address", ip)));
    let not_modified = exchange.status == 304;
    let digest = match same {
        Some(same) if not_modified => same.digest.map(str::to_owned),
        _ => Some(sha1(&[&exchange.body])),
    };
    headers.push(("WARC-Block-Digest", sha1(&[&head, body])));
    headers.extend(digest.map(|digest| ("WARC-Payload-Digest", digest)));
    headers.push(("Content-Type", "application/http; msgtype=response".to_owned()));
    if let Some(same) = same {
        headers.extend([
            (
                "WARC-Profile",
                if not_modified { NOT_MODIFIED } else { SAME_PAYLOAD }.to_owned(),
            ),
            ("WARC-Refers-To", same.id.to_owned()),
            ("WARC-Refers-To-Target-URI", same.url.to_owned()),
            ("WARC-Refers-To-Date", same.date.to_owned()),
            (REFERS_TO_FILE, same.place.file.clone()),
            (REFERS_TO_OFFSET, same.place.offset.to_string()),
            (REFERS_TO_LENGTH, same.place.length.to_string()),
        ]);
    }
    if !exchange.notes.is_empty() {
        // One record alone tells its notes, too: documents are made of single records.
        let object: serde_json::Map<String, serde_json::Value> = notes(exchange)
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect();
        headers.push((JSON_METADATA, serde_json::Value::from(object).to_string()));
    }
    headers.extend(exchange.truncated.map(|why| {
        let why = match why {
            Truncated::Length => "length",
            Truncated::Time => "time",
            Truncated::Disconnect => "disconnect",
        };
        ("WARC-Truncated", why.to_owned())
    }));
    Records {
        before,
        response: write_record(&headers, &[&head, body]),
    }
}

fn request_head(exchange: &Exchange) -> Vec<u8> {
    let parsed = url::Url::parse(&exchange.url).ok();
    let target = parsed.as_ref().map_or(exchange.url.clone(), |url| {
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        format!("{}{query}", url.path())
    });
    let mut out = Vec::new();
    push_line_safe(&mut out, exchange.method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(safe_uri(&target).as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if header(&exchange.request_headers, "host").is_none()
        && let Some(url) = &parsed
        && let Some(host) = url.host_str()
    {
        let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
        push_header(&mut out, "Host", format!("{host}{port}").as_bytes());
    }
    for (name, value) in &exchange.request_headers {
        push_header(&mut out, name, value);
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Status line and headers as received, but for the transfer coding, which the HTTP client has removed: its header is
/// kept under another name and the length is told instead.
fn response_head(exchange: &Exchange) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {:03} ", exchange.status).into_bytes();
    push_line_safe(&mut out, exchange.reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    let mut renamed = false;
    for (name, value) in &exchange.headers {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            renamed = true;
            push_header(&mut out, "X-Archive-Transfer-Encoding", value);
        } else {
            push_header(&mut out, name, value);
        }
    }
    if renamed && header(&exchange.headers, "content-length").is_none() {
        push_header(
            &mut out,
            "Content-Length",
            exchange.body.len().to_string().as_bytes(),
        );
    }
    out.extend_from_slice(b"\r\n");
    out
}
