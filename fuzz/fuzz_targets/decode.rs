//! Bytes of the web to text: no panic, no unbounded growth, and what comes out is NFC.
//!
//! The first byte chooses the declaration, the rest is the body; it is read as a text file and as a page.
#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;
use sangtrang::mapping::Mapping;
use std::sync::LazyLock;
use unicode_normalization::is_nfc;

/// A byte becomes at most one letter of three bytes, a named entity of a few bytes two characters of three.
const GROWTH: usize = 4;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    Mapping::parse("fuzz", "schema = 1\n[site]\nid = \"fuzz\"\nbase = \"http://h/\"\n").unwrap()
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, body)) = data.split_first() else { return };
    let kind = [
        None,
        Some("text/html; charset=utf-8"),
        Some("text/html; charset=windows-1252"),
        Some("text/html; charset=windows-1258"),
        Some("text/html; charset=viscii"),
        Some("text/html; charset=x-viet-vps"),
    ][usize::from(choice) % 6];
    let (text, decode) = sangtrang::page::read_text(body, kind);
    assert!(is_nfc(&text), "{decode:?}");
    assert!(text.len() <= GROWTH * body.len() + 16, "{} of {}", text.len(), body.len());
    let page = read::page(kind, body, &MAPPING);
    assert!(is_nfc(page.text.as_str()), "{:?}", page.decode);
    assert!(page.text.as_str().len() <= GROWTH * body.len() + 16);
    assert!(page.decode.blocks.len() <= 1000 && page.shown.len() == page.decode.blocks.len());
});
