//! A page of the bytes that a fuzzer made up.

use sangtrang::capture::Capture;
use sangtrang::document::CaptureId;
use sangtrang::mapping::Mapping;
use sangtrang::page::Page;

/// Reads `body` as the site's first page, declared as `kind`.
pub fn page(kind: Option<&str>, body: &[u8], mapping: &Mapping) -> Page {
    let capture = Capture {
        notes: Vec::new(),
        id: CaptureId::of(body),
        url: "http://h/".into(),
        status: 200,
        headers: kind.map(|k| ("Content-Type".to_owned(), k.as_bytes().to_vec())).into_iter().collect(),
        body: body.to_vec(),
        at: jiff::Timestamp::UNIX_EPOCH,
        truncated: None,
    };
    let url = mapping.canonical(&mapping.rules().site.base).unwrap();
    sangtrang::page::read(&capture, &url, mapping).unwrap()
}
