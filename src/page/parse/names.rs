//! Names of tags and attributes, each looked up once a page.

use super::depth::Kind;
use html5ever::LocalName;

/// Slots for names; a page of our time has some dozens of names for tags and some hundreds for attributes.
const SLOTS: usize = 512;

/// The names that were met, by how they are written.
pub(super) struct Names<'a>(Vec<Option<(&'a str, LocalName, Kind)>>);

impl<'a> Names<'a> {
    pub(super) fn new() -> Self {
        Self(vec![None; SLOTS])
    }

    /// The name of a tag or an attribute as the tree tells it, and what a tag of that name is.
    pub(super) fn get(&mut self, written: &'a str) -> (LocalName, Kind) {
        let bytes = written.as_bytes();
        let (first, last) = (bytes.first().copied(), bytes.last().copied());
        let middle = bytes.get(bytes.len() / 2).copied();
        let part = |byte: Option<u8>| usize::from(byte.unwrap_or_default());
        let mixed = part(first) * 31 + part(middle) * 17 + part(last) * 7 + bytes.len() * 61;
        let slot = &mut self.0[mixed % SLOTS];
        match slot {
            Some((known, name, kind)) if *known == written => (name.clone(), *kind),
            _ => {
                let small = written.to_ascii_lowercase().replace('\0', "\u{fffd}");
                let (name, kind) = (LocalName::from(&*small), Kind::of(small.as_bytes()));
                *slot = Some((written, name.clone(), kind));
                (name, kind)
            }
        }
    }
}
