//! What the archive writes about one exchange: a request and a response record.

use super::http::{header, push_header, push_line_safe};
use super::record::{safe_uri, sha1, write_record};
use super::{Exchange, Truncated};
use uuid::Uuid;

/// A record's name follows from what it names: a repeated run does not invent new ones.
pub(super) fn record_id(parts: &[&str]) -> String {
    let id = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("sangtrang:warc:{}", parts.join("\n")).as_bytes(),
    );
    format!("<urn:uuid:{id}>")
}

/// The request and the response record, uncompressed. The request comes first, so that the end of the response is the
/// end of the exchange.
pub(super) fn records(exchange: &Exchange, file: &str, offset: u64) -> [Vec<u8>; 2] {
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
    let request = write_record(&headers, &[&head, &exchange.request_body]);

    let head = response_head(exchange);
    let mut headers = vec![
        ("WARC-Type", "response".to_owned()),
        ("WARC-Record-ID", response_id),
        ("WARC-Concurrent-To", request_id),
        ("WARC-Target-URI", url),
        ("WARC-Date", date),
    ];
    headers.extend(ip.map(|ip| ("WARC-IP-Address", ip)));
    headers.extend([
        ("WARC-Block-Digest", sha1(&[&head, &exchange.body])),
        ("WARC-Payload-Digest", sha1(&[&exchange.body])),
        ("Content-Type", "application/http; msgtype=response".to_owned()),
    ]);
    headers.extend(exchange.truncated.map(|why| {
        let why = match why {
            Truncated::Length => "length",
            Truncated::Time => "time",
            Truncated::Disconnect => "disconnect",
        };
        ("WARC-Truncated", why.to_owned())
    }));
    [request, write_record(&headers, &[&head, &exchange.body])]
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
