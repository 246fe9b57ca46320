//! Texts that are only asked for, not read: as small as they can be.

use std::collections::HashSet;

/// A set of texts by 128 bits of their hash (BLAKE3): 17 bytes each however long they are. That two of a billion texts
/// are taken for one has a chance of 10^-21.
#[derive(Debug, Default)]
pub struct Marks(HashSet<Mark>);

/// What stands for a text in [`Marks`].
pub type Mark = [u8; 16];

/// The mark of a text.
#[must_use]
pub fn mark(text: &str) -> Mark {
    let mut mark = [0; 16];
    mark.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
    mark
}

impl Marks {
    /// Adds a text; was it new?
    pub fn insert(&mut self, text: &str) -> bool {
        self.0.insert(mark(text))
    }

    /// Is the text there?
    #[must_use]
    pub fn contains(&self, text: &str) -> bool {
        self.0.contains(&mark(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_new_once() {
        let mut marks = Marks::default();
        assert!(marks.insert("doc:a") && !marks.insert("doc:a") && marks.insert("doc:b"));
        assert!(marks.contains("doc:b") && !marks.contains("doc:c"));
        assert_ne!(mark("a"), mark("b"));
    }
}
