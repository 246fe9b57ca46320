//! Whether a capture is a page at all, by the type that its server declares and by its first bytes.

use crate::capture::Capture;

/// Declared types that say nothing of the bytes.
pub const VAGUE: [&str; 4] = [
    "",
    "application/octet-stream",
    "application/x-unknown",
    "unknown/unknown",
];
/// Bytes that are looked at.
const HEAD: usize = 4096;
/// What pages of all times begin with, or soon have.
const MARKUP: [&str; 22] = [
    "<!doctype",
    "<html",
    "<head",
    "<body",
    "<title",
    "<meta",
    "<link",
    "<base",
    "<style",
    "<script",
    "<table",
    "<div",
    "<form",
    "<frameset",
    "<center",
    "<font",
    "<h1",
    "<h2",
    "<p>",
    "<p ",
    "<br",
    "<a href",
];

/// The type of a capture that is a file and no page: a PDF, a picture, a program, text without markup. `None` for what a
/// browser shows as a page, which is also what declares no type and does not look like a file.
#[must_use]
pub fn file(capture: &Capture) -> Option<String> {
    let declared = capture.header("content-type").unwrap_or_default();
    let declared = declared
        .split([';', ','])
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let head = &capture.body[..capture.body.len().min(HEAD)];
    let seen = infer::get(head).filter(|kind| !kind.mime_type().starts_with("text/"));
    if let Some(kind) = seen.filter(|kind| is_sure(head, kind.mime_type())) {
        return Some(kind.mime_type().to_owned());
    }
    // Texts in two bytes a letter have a zero in each; a mark at their beginning, or markup, tells them from other bytes.
    let letters: String = head
        .iter()
        .filter(|b| **b != 0)
        .map(|b| char::from(b.to_ascii_lowercase()))
        .collect();
    let markup = MARKUP.iter().any(|mark| letters.contains(mark));
    let binary = head.contains(&0) && !markup && encoding_rs::Encoding::for_bom(head).is_none();
    let by_type = match declared.as_str() {
        kind if VAGUE.contains(&kind) => binary,
        "application/json" | "text/css" | "text/javascript" | "text/csv" | "text/calendar" | "text/rtf" => {
            true
        }
        kind if kind.contains("html") => binary,
        kind if kind.ends_with("xml") => !letters.contains("<html"),
        kind if kind.starts_with("text/") || kind.starts_with("application/x-httpd-") => !markup,
        kind => kind.contains('/'),
    };
    by_type.then(|| match declared.as_str() {
        kind if kind.contains('/') && !kind.contains("html") => kind.to_owned(),
        _ => "application/octet-stream".to_owned(),
    })
}

/// Whether the sign of a type is more than letters that a text may begin with ("BM", "MZ").
fn is_sure(head: &[u8], mime: &str) -> bool {
    let letters = head
        .iter()
        .take(4)
        .all(|b| (0x20..0x7F).contains(b) || b.is_ascii_whitespace());
    !letters
        || head.contains(&0)
        || matches!(
            mime,
            "application/pdf" | "application/rtf" | "application/postscript"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, body: &[u8]) -> Option<String> {
        let kind = Some(kind).filter(|k| !k.is_empty());
        file(&Capture::saved("http://a.example/x", kind, body.to_vec()))
    }

    #[test]
    fn files_are_no_pages() {
        let wide: Vec<u8> = "<html><p>chữ".encode_utf16().flat_map(u16::to_le_bytes).collect();
        for (kind, body) in [
            ("text/html; charset=utf-8", b"<p>a".as_slice()),
            ("text/html", b"ch\x16 kh\xF4ng c\xF3 th\xE0 n\xE0o"),
            ("text/html", b"BM la hai chu dau"),
            ("text/html", b"a\0<br>b"),
            ("", b"xin chao"),
            ("", wide.as_slice()),
            ("application/octet-stream", b"<html>"),
            ("text/plain", b" <!DOCTYPE html><p>a"),
            (
                "application/xhtml+xml",
                b"<html xmlns='http://www.w3.org/1999/xhtml'>",
            ),
            (
                "text/xml",
                b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'>",
            ),
            ("", b""),
        ] {
            assert_eq!(told(kind, body), None, "{kind} {body:?}");
        }
        let program = [b"\x7FELF\x02\x01\x01".as_slice(), &[0; 99]].concat();
        for (kind, body, is) in [
            ("application/pdf", b"%PDF-1.4 chu".as_slice(), "application/pdf"),
            ("text/html", b"%PDF-1.4\n%\xE2\xE3", "application/pdf"),
            ("application/pdf", b"<html>not found", "application/pdf"),
            ("", program.as_slice(), "application/x-executable"),
            ("text/html", b"\x01\x02\0\0\x03", "application/octet-stream"),
            ("text/plain", b"mot dong", "text/plain"),
            ("application/rss+xml", b"<rss><title>", "application/rss+xml"),
            ("image/png", b"\x89PNG\r\n\x1A\n\0\0\0", "image/png"),
            ("application/vnd.ms-excel", b"", "application/vnd.ms-excel"),
        ] {
            assert_eq!(told(kind, body).as_deref(), Some(is), "{kind} {body:?}");
        }
    }
}
