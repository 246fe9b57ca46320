//! Bytes to text: byte order mark, HTTP, meta, then the content itself.

use crate::document::Decode;
use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use unicode_normalization::{UnicodeNormalization, is_nfc};

/// A declared UTF-8 stays if at most one of so many characters beyond ASCII is damaged.
const DAMAGE: usize = 20;
/// Bytes of a page that are searched for a declaration (WHATWG HTML, prescan).
const PRESCAN: usize = 1024;

/// Decodes a page and normalises it to NFC, once.
pub(super) fn decode(body: &[u8], content_type: Option<&str>, fallback: Option<&str>) -> (String, Decode) {
    let mut repairs = Vec::new();
    let http = content_type.and_then(charset);
    let meta = prescan(body);
    let declared = http.clone().or_else(|| meta.clone());
    let (encoding, method) = choose(body, http.as_deref(), meta.as_deref(), fallback, &mut repairs);
    let (text, used, _) = encoding.decode(body);
    let replacements = text.chars().filter(|&c| c == '\u{fffd}').count();
    let text = if is_nfc(&text) {
        text.into_owned()
    } else {
        repairs.push("nfc".into());
        text.nfc().collect()
    };
    let used = used.name().to_owned();
    (
        text,
        Decode {
            declared,
            used,
            method: method.into(),
            replacements,
            repairs,
        },
    )
}

fn choose(
    body: &[u8],
    http: Option<&str>,
    meta: Option<&str>,
    fallback: Option<&str>,
    repairs: &mut Vec<String>,
) -> (&'static Encoding, &'static str) {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return (encoding, "bom");
    }
    for (label, method) in [(http, "http"), (meta, "meta")] {
        let Some(label) = label else { continue };
        let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
            repairs.push(format!("unknown-charset:{label}"));
            continue;
        };
        // WHATWG: a `meta` in ASCII cannot tell the truth about UTF-16.
        let encoding = if method == "meta" {
            encoding.output_encoding()
        } else {
            encoding
        };
        if encoding != UTF_8 || std::str::from_utf8(body).is_ok() {
            return (encoding, method);
        }
        if mostly_utf8(body) {
            repairs.push(format!("damaged-utf-8:{method}"));
            return (encoding, method);
        }
        repairs.push(format!("declared-utf-8-invalid:{method}"));
    }
    if std::str::from_utf8(body).is_ok() {
        return (UTF_8, "valid-utf8");
    }
    if let Some(encoding) = fallback.and_then(|label| Encoding::for_label(label.as_bytes())) {
        return (encoding, "default");
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(body, true);
    let guess = detector.guess(Some(b"vn"), chardetng::Utf8Detection::Allow);
    (
        if guess.is_single_byte() || guess != UTF_8 {
            guess
        } else {
            WINDOWS_1252
        },
        "detected",
    )
}

/// A few damaged characters in a page of right UTF-8: another encoding would damage all of them.
fn mostly_utf8(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let damaged = text.chars().filter(|&c| c == '\u{fffd}').count();
    text.chars().filter(|c| !c.is_ascii()).count() - damaged > damaged * DAMAGE
}

fn charset(content_type: &str) -> Option<String> {
    let lower = content_type.to_ascii_lowercase();
    let at = lower.find("charset")? + "charset".len();
    let rest = lower[at..].trim_start().strip_prefix('=')?.trim_start();
    let rest = rest.trim_start_matches(['"', '\'']);
    let end = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ';' | '>' | '/' | ','))
        .unwrap_or(rest.len());
    (end > 0).then(|| rest[..end].to_owned())
}

fn prescan(body: &[u8]) -> Option<String> {
    let head: String = body
        .iter()
        .take(PRESCAN)
        .map(|&b| char::from(b.to_ascii_lowercase()))
        .collect();
    let mut rest = head.as_str();
    loop {
        let at = rest.find('<')?;
        rest = &rest[at..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = &comment[comment.find("-->")?..];
        } else if rest.starts_with("<meta") {
            let end = rest.find('>').unwrap_or(rest.len());
            if let Some(found) = charset(&rest[..end]) {
                return Some(found);
            }
            rest = &rest[end..];
        } else {
            rest = &rest[1..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(body: &[u8], http: Option<&str>, fallback: Option<&str>) -> (String, String, String) {
        let (text, d) = decode(body, http, fallback);
        (text, d.used, d.method)
    }

    #[test]
    fn order_of_evidence() {
        assert_eq!(
            used(
                "\u{feff}à".as_bytes(),
                Some("text/html; charset=windows-1258"),
                None
            )
            .2,
            "bom"
        );
        assert_eq!(
            used(b"\xe0", Some("text/html; charset=windows-1252"), None).0,
            "à"
        );
        let meta = b"<!-- <meta charset=utf-8> --><meta http-equiv=Content-Type content=\"text/html; charset=windows-1258\">a\xec";
        assert!(used(meta, None, None).0.ends_with('á'));
        assert_eq!(used("à".as_bytes(), None, Some("windows-1258")).2, "valid-utf8");
        assert_eq!(
            used(b"a\xec", None, Some("windows-1258")),
            ("á".into(), "windows-1258".into(), "default".into())
        );
    }

    #[test]
    fn invalid_utf8_falls_to_the_next_candidate() {
        let (text, d) = decode(b"a\xec", Some("text/html; charset=utf-8"), Some("windows-1258"));
        assert_eq!(
            (text.as_str(), d.repairs[0].as_str()),
            ("á", "declared-utf-8-invalid:http")
        );
    }
}
