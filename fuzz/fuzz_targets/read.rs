//! A page of the bytes that a fuzzer made up.

use sangtrang::capture::Capture;
use sangtrang::mapping::Mapping;
use sangtrang::page::Page;

/// Reads `body` as the site's first page, declared as `kind`.
pub fn page(kind: Option<&str>, body: &[u8], mapping: &Mapping) -> Page {
    let capture = Capture::saved("http://h/", kind, body.to_vec());
    let url = mapping.canonical(&mapping.rules().site.base).unwrap();
    sangtrang::page::read(&capture, &url, mapping).unwrap()
}
