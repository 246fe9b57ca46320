//! Nodes of a tree, fast: tables and sets by node, whose ids are small numbers in order and need no hash that withstands
//! chosen keys; attributes of an element, looked for without a table of all names.

use ego_tree::NodeId;
use scraper::node::Element;
use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// The value of an attribute. `Element::attr` gives the same, and looks each name up in a table of the process first.
pub(crate) fn attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let mut all = element.attrs.iter();
    all.find(|(n, _)| &*n.local == name && n.ns.is_empty())
        .map(|(_, value)| &**value)
}

/// The number of a node: the hash of an id is asked for it, as ids tell it to nobody else.
fn number(node: NodeId) -> usize {
    #[derive(Default)]
    struct Told(usize);
    impl Hasher for Told {
        fn finish(&self) -> u64 {
            self.0 as u64
        }
        fn write(&mut self, bytes: &[u8]) {
            for byte in bytes {
                self.0 = (self.0 << 8) | usize::from(*byte);
            }
        }
        fn write_usize(&mut self, number: usize) {
            self.0 = number;
        }
    }
    let mut told = Told::default();
    node.hash(&mut told);
    told.0
}

/// A value of each node that has one: a row of slots, as nearly every node of a page does.
#[derive(Clone, Debug)]
pub(crate) struct NodeTable<V>(Vec<Option<V>>);

impl<V> Default for NodeTable<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V: Copy> NodeTable<V> {
    /// With room for the nodes of a tree that has so many.
    pub(crate) fn with_capacity(nodes: usize) -> Self {
        Self(Vec::with_capacity(nodes + 1))
    }

    /// Sets the value of a node.
    pub(crate) fn insert(&mut self, node: NodeId, value: V) {
        let at = number(node);
        if at >= self.0.len() {
            self.0.resize(at + 1, None);
        }
        self.0[at] = Some(value);
    }

    /// The value of a node.
    pub(crate) fn get(&self, node: NodeId) -> Option<V> {
        self.0.get(number(node)).copied().flatten()
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_nodes_are_small_and_their_own() {
        let html = scraper::Html::parse_document("<p>a<b>c</b><p>d");
        let ids: Vec<NodeId> = html.tree.root().descendants().map(|n| n.id()).collect();
        let mut table = NodeTable::default();
        for (at, id) in ids.iter().enumerate() {
            assert_eq!(table.get(*id), None);
            table.insert(*id, at);
        }
        assert!(table.0.len() <= html.tree.nodes().count() + 1);
        assert!(ids.iter().enumerate().all(|(at, id)| table.get(*id) == Some(at)));
    }
}
