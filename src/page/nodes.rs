//! Nodes of a tree, fast: maps and sets by node, whose ids are small numbers in order and need no hash that withstands chosen
//! keys; attributes of an element, looked for without a table of all names.

use ego_tree::NodeId;
use scraper::node::Element;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// The value of an attribute. `Element::attr` gives the same, and looks each name up in a table of the process first.
pub(crate) fn attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let mut all = element.attrs.iter();
    all.find(|(n, _)| &*n.local == name && n.ns.is_empty())
        .map(|(_, value)| &**value)
}

/// A map by node.
pub(crate) type NodeMap<V> = HashMap<NodeId, V, BuildHasherDefault<ByNumber>>;
/// A set of nodes.
pub(crate) type NodeSet = HashSet<NodeId, BuildHasherDefault<ByNumber>>;

/// Spreads a number over all bits: the map looks at the highest and at the lowest ones.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ByNumber(u64);

impl Hasher for ByNumber {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(self.0 ^ u64::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio (Knuth, The Art of Computer Programming 3, 6.4).
        let spread = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = spread ^ (spread >> 32);
    }
}
