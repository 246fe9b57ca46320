//! Pages of the web to content without a mapping: no panic, every visible letter is in one block, and what is kept and what
//! is dropped is all there is.
//!
//! The first byte chooses the declared encoding, the rest is the page.
#![no_main]

mod read;

use libfuzzer_sys::fuzz_target;
use sangtrang::document::FetchProvenance;
use sangtrang::extract::{Context, auto, extract};
use sangtrang::mapping::Mapping;
use std::collections::BTreeMap;
use std::sync::LazyLock;

static MAPPING: LazyLock<Mapping> = LazyLock::new(|| {
    let mapping = "schema = 1\n[site]\nid = \"fuzz\"\nbase = \"http://h/\"\n[[collection]]\nid = \"page\"\nmatch = { url = \".*\" }\nscope = { container = [\"@auto\"] }\n";
    Mapping::parse("fuzz", mapping).unwrap()
});

fuzz_target!(|data: &[u8]| {
    let Some((&choice, body)) = data.split_first() else { return };
    let kind = [None, Some("text/html; charset=utf-8"), Some("text/html; charset=windows-1258")][usize::from(choice) % 3];
    let page = read::page(kind, body, &MAPPING);
    let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
    let found = auto::read(&page);
    let judged: usize = found.blocks.iter().map(|b| letters(page.text.slice(b.chars))).sum();
    assert_eq!(judged, letters(page.text.as_str()));
    let fetch = FetchProvenance::default();
    let context = Context {
        mapping: &MAPPING,
        learned: None,
        listing: &BTreeMap::new(),
        discovered: &[],
        aliases: &[],
        fetch: &fetch,
    };
    let extraction = extract(&page, &MAPPING.rules().collection[0], &context).unwrap();
    let sum = &extraction.accounting;
    assert_eq!((sum.unaccounted, sum.kept + sum.dropped), (0, sum.visible), "{sum:?}");
});
