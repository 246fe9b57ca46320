//! Bytes to text: byte order mark, HTTP, meta, then the content itself. What is no UTF-8 becomes its windows-1252
//! surface, from which `legacy` reads it block by block; nothing is normalised or trimmed here.

use super::legacy::{self, Prior};
use super::prescan;
use crate::document::Decode;
use crate::lang::vietnamese::{Charset, surface};
use encoding_rs::{Encoding, REPLACEMENT, UTF_8, WINDOWS_1252, WINDOWS_1258, X_USER_DEFINED};
use std::borrow::Cow;

/// A declared UTF-8 stays if at most one of so many characters beyond ASCII is damaged.
const DAMAGE: usize = 20;

/// A page as text, before its blocks are read.
#[derive(Debug)]
pub(super) struct Source<'a> {
    /// Unicode, or the windows-1252 surface of bytes that are none.
    pub(super) text: Cow<'a, str>,
    /// What the blocks may rely on.
    pub(super) prior: Prior,
    /// The encoding whose characters the text holds.
    pub(super) as_is: &'static str,
    /// What was decided so far.
    pub(super) decode: Decode,
}

/// What a page is read with.
enum Choice {
    /// An encoding that says all.
    Whole(&'static Encoding),
    /// The surface, with the set that is declared.
    Surface(Option<Charset>),
}

/// Decodes the bytes of a page. `vietnamese`: whether its text may be in a legacy Vietnamese set.
pub(super) fn decode<'a>(
    body: &'a [u8],
    content_type: Option<&str>,
    fallback: Option<&str>,
    vietnamese: bool,
) -> Source<'a> {
    let mut repairs = Vec::new();
    let http = content_type.and_then(prescan::http_charset);
    let meta = prescan::label(body);
    let (choice, method) = choose(
        body,
        [http.as_deref(), meta.as_deref(), fallback],
        vietnamese,
        &mut repairs,
    );
    let (text, used, prior) = match choice {
        Choice::Whole(encoding) => {
            let (text, used, _) = encoding.decode(body);
            (text, used.name(), Prior::default())
        }
        Choice::Surface(declared) => (
            surface(body),
            declared.map_or(WINDOWS_1252.name(), Charset::name),
            Prior {
                surface: true,
                declared,
                ..Prior::default()
            },
        ),
    };
    let replacements = memchr::memmem::find_iter(text.as_bytes(), "\u{fffd}").count();
    Source {
        text,
        as_is: if prior.surface { WINDOWS_1252.name() } else { used },
        prior: Prior { vietnamese, ..prior },
        decode: Decode {
            declared: http.or(meta),
            used: used.to_owned(),
            method: method.into(),
            replacements,
            repairs,
            ..Decode::default()
        },
    }
}

fn choose(
    body: &[u8],
    [http, meta, fallback]: [Option<&str>; 3],
    vietnamese: bool,
    repairs: &mut Vec<String>,
) -> (Choice, &'static str) {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return (Choice::Whole(encoding), "bom");
    }
    let ascii = body.is_ascii();
    let utf8 = ascii || std::str::from_utf8(body).is_ok_and(|t| !by_chance(t));
    // Bytes beyond ASCII that are valid UTF-8 are UTF-8, whatever is declared; bytes of ASCII may be ISO-2022-JP.
    let proven = utf8 && !ascii;
    for (label, method) in [(http, "http"), (meta, "meta")] {
        let Some(label) = label else { continue };
        let encoding = Encoding::for_label(label.as_bytes());
        let Some(encoding) = encoding else {
            match Charset::from_label(label) {
                Some(charset) if !proven => return (Choice::Surface(Some(charset)), method),
                Some(_) => {}
                None => repairs.push(format!("unknown-charset:{label}")),
            }
            continue;
        };
        // WHATWG: a `meta` in ASCII cannot tell the truth about UTF-16.
        let encoding = if method == "meta" {
            encoding.output_encoding()
        } else {
            encoding
        };
        if encoding == UTF_8 {
            if utf8 {
                return (Choice::Whole(encoding), method);
            }
            if mostly_utf8(body) {
                repairs.push(format!("damaged-utf-8:{method}"));
                return (Choice::Whole(encoding), method);
            }
            repairs.push(format!("declared-utf-8-invalid:{method}"));
        } else if !proven {
            return (declared(body, encoding, vietnamese), method);
        }
    }
    if utf8 {
        return (Choice::Whole(UTF_8), "valid-utf8");
    }
    if let Some(label) = fallback {
        if let Some(encoding) = Encoding::for_label(label.as_bytes()) {
            return (declared(body, encoding, vietnamese), "default");
        }
        if let Some(charset) = Charset::from_label(label) {
            return (Choice::Surface(Some(charset)), "default");
        }
    }
    // A detector that does not know the legacy sets would name something, and be wrong without a sign of it.
    if vietnamese {
        return (Choice::Surface(None), "undeclared");
    }
    let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
    detector.feed(body, true);
    let guess = detector.guess(None, chardetng::Utf8Detection::Allow);
    let western = guess == WINDOWS_1252 || guess == WINDOWS_1258 || guess == UTF_8;
    if western {
        (Choice::Surface(None), "detected")
    } else {
        (Choice::Whole(guess), "detected")
    }
}

/// What a declared encoding other than UTF-8 is worth.
fn declared(body: &[u8], encoding: &'static Encoding, vietnamese: bool) -> Choice {
    if body.is_ascii() {
        return Choice::Whole(encoding);
    }
    if encoding == WINDOWS_1258 {
        return Choice::Surface(Some(Charset::Windows1258));
    }
    // Vietnamese in a legacy set is declared as anything; its syllables say better.
    let says_nothing = [WINDOWS_1252, X_USER_DEFINED, REPLACEMENT].contains(&encoding);
    let wrong = says_nothing || vietnamese && legacy::probe(&surface(body));
    if wrong {
        Choice::Surface(None)
    } else {
        Choice::Whole(encoding)
    }
}

/// Two letters of a legacy set may be one character of UTF-8: "Thường" is `Th\u{7f6}ng` in VISCII. A text with so few
/// characters beyond ASCII is believed if they are of Latin script or punctuation.
fn by_chance(text: &str) -> bool {
    const FEW: usize = 3;
    let foreign = beyond(text)
        .take(FEW)
        .any(|c| matches!(c, '\u{370}'..='\u{1dff}'));
    foreign && beyond(text).take(FEW).count() < FEW
}

/// The characters beyond ASCII.
fn beyond(text: &str) -> impl Iterator<Item = char> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let at = rest.bytes().position(|b| !b.is_ascii())?;
        let c = rest[at..].chars().next()?;
        rest = &rest[at + c.len_utf8()..];
        Some(c)
    })
}

/// A few damaged characters in a page of right UTF-8: another encoding would damage all of them.
fn mostly_utf8(body: &[u8]) -> bool {
    let text = String::from_utf8_lossy(body);
    let damaged = text.matches('\u{fffd}').count();
    text.chars().filter(|c| !c.is_ascii()).count() - damaged > damaged * DAMAGE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(body: &[u8], http: Option<&str>, fallback: Option<&str>) -> (String, String, String) {
        let source = decode(body, http, fallback, true);
        (source.text.into_owned(), source.decode.used, source.decode.method)
    }

    #[test]
    fn order_of_evidence() {
        let bom = used(
            "\u{feff}à".as_bytes(),
            Some("text/html; charset=windows-1258"),
            None,
        );
        assert_eq!((bom.0.as_str(), bom.2.as_str()), ("à", "bom"));
        assert_eq!(
            used(b"\xe0", Some("text/html; charset=windows-1252"), None).0,
            "à"
        );
        let meta = b"<!-- <meta charset=utf-8> --><meta http-equiv=Content-Type content=\"text/html; charset=windows-1258\">a\xec";
        assert_eq!(used(meta, None, None).1, "windows-1258");
        assert_eq!(used("à".as_bytes(), None, Some("windows-1258")).2, "valid-utf8");
        let proven = used("ồ".as_bytes(), Some("text/html; charset=windows-1252"), None);
        assert_eq!((proven.0.as_str(), proven.2.as_str()), ("ồ", "valid-utf8"));
        assert_eq!(used(b"a\xec", None, Some("windows-1258")).2, "default");
        assert_eq!(used(b"\x80", Some("text/html; charset=viscii"), None).1, "VISCII");
        assert_eq!(
            used(b"\xc0\xc1", Some("text/html; charset=windows-1251"), None).0,
            "АБ"
        );
    }

    #[test]
    fn invalid_utf8_falls_to_the_next_candidate() {
        let source = decode(
            b"a\xec",
            Some("text/html; charset=utf-8"),
            Some("windows-1258"),
            true,
        );
        assert_eq!(
            (source.decode.used.as_str(), source.decode.repairs[0].as_str()),
            ("windows-1258", "declared-utf-8-invalid:http")
        );
    }
}
