//! What a reader sees of delivered HTML: words, links, pictures. The other way round than the renderers, so that what they
//! lose, or a target changes, is found.

use crate::document::{Block, Document};
use scraper::{Html, Node};
use unicode_normalization::UnicodeNormalization as _;

/// Content of an HTML fragment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// Its words, in order.
    pub words: Vec<String>,
    /// Where its links lead, in order.
    pub links: Vec<String>,
    /// Addresses of its pictures, in order.
    pub images: Vec<String>,
}

/// Deepest element that is read; HTML of ours is far below.
const DEPTH: usize = 500;

/// Reads a fragment.
#[must_use]
pub fn shown(html: &str) -> Shown {
    let page = Html::parse_fragment(html);
    let (mut text, mut shown) = (String::new(), Shown::default());
    let mut depth = 0_usize;
    for edge in page.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) => {
                depth += 1;
                if depth > DEPTH {
                    continue;
                }
                match node.value() {
                    Node::Text(t) if !hidden(&node) => text.push_str(t),
                    Node::Element(e) => {
                        if !INLINE.contains(&e.name()) {
                            text.push('\n');
                        }
                        match e.name() {
                            "a" => shown.links.extend(e.attr("href").map(str::to_owned)),
                            "img" => shown.images.extend(e.attr("src").map(str::to_owned)),
                            _ => {}
                        }
                    }
                    _ => {}
                }
            }
            ego_tree::iter::Edge::Close(node) => {
                depth -= 1;
                if node
                    .value()
                    .as_element()
                    .is_some_and(|e| !INLINE.contains(&e.name()))
                {
                    text.push('\n');
                }
            }
        }
    }
    shown.words = words(&text);
    shown
}

/// Elements that do not end a word.
const INLINE: [&str; 20] = [
    "a", "abbr", "b", "bdi", "cite", "code", "del", "em", "font", "i", "ins", "mark", "s", "small", "span",
    "strike", "strong", "sub", "sup", "u",
];

fn hidden(node: &ego_tree::NodeRef<'_, Node>) -> bool {
    node.parent()
        .and_then(|p| p.value().as_element())
        .is_some_and(|e| matches!(e.name(), "script" | "style" | "template" | "noscript"))
}

/// The words of a text: NFC, whatever the white space between them.
#[must_use]
pub fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(|w| w.nfc().collect()).collect()
}

/// The words that a document's blocks show.
pub(in crate::deliver) fn words_of(blocks: &[Block]) -> Vec<String> {
    blocks.iter().flat_map(|b| words(&b.text())).collect()
}

/// The first words of `document`'s body that `html` does not show; nothing if all are there, in whatever order.
pub(in crate::deliver) fn lost(document: &Document, html: &str) -> Vec<String> {
    let mut have = std::collections::HashMap::<String, i64>::new();
    for word in shown(html).words {
        *have.entry(word).or_default() += 1;
    }
    words_of(&document.body)
        .into_iter()
        .filter(|word| {
            let left = have.entry(word.clone()).or_default();
            *left -= 1;
            *left < 0
        })
        .take(5)
        .collect()
}
