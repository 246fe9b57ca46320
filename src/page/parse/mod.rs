//! Text to a tree. html5ever builds the tree, but three quarters of its time go into cutting text into tags, so this is
//! done here: a page is a whole string, and what stands in the tree are parts of it, not copies. On the way goes what the
//! tree builder need not see. It needs time quadratic in depth, so tags that go deeper are left out: the tags, never the
//! text. The same holds for the attributes of one tag. Scripts are a third of the bytes of pages of our time, and nobody
//! reads their text: of long ones only the tags stay.

mod depth;
mod names;
mod reference;
mod tokens;

use html5ever::tree_builder::{TreeBuilder, TreeBuilderOpts};
use scraper::{Html, HtmlTreeSink};

/// What a page may have, and how it is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading {
    /// Elements that may be open at once; the tags of more are left out.
    pub(super) depth: usize,
    /// Elements of the page; reading ends behind one more.
    pub(super) elements: usize,
    /// Whether long scripts that nobody reads keep their text.
    pub(super) scripts: bool,
    /// Whether `<noscript>` is read as a `<div>`.
    pub(super) noscript: bool,
}

/// A page as it was read.
#[derive(Debug)]
pub(super) struct Parsed {
    /// The tree.
    pub(super) html: Html,
    /// Whether tags or attributes were left out.
    pub(super) deep: bool,
    /// Tags that open an element.
    pub(super) elements: usize,
}

/// Reads a page.
pub(super) fn parse(markup: &str, reading: Reading) -> Parsed {
    let markup = markup.strip_prefix('\u{feff}').unwrap_or(markup);
    // HTML Standard, 13.2.3.5: line breaks are one character.
    let unified = memchr::memchr(b'\r', markup.as_bytes()).map(|_| unify(markup));
    let markup = unified.as_deref().unwrap_or(markup);
    let sink = HtmlTreeSink::new(Html::new_document());
    let builder = TreeBuilder::new(sink, TreeBuilderOpts::default());
    let mut reader = tokens::Reader::new(markup, reading, builder);
    reader.run();
    reader.end()
}

/// With `\n` for `\r\n` and `\r`.
fn unify(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len());
    let mut copied = 0;
    for at in memchr::memchr_iter(b'\r', markup.as_bytes()) {
        out.push_str(&markup[copied..at]);
        if markup.as_bytes().get(at + 1) != Some(&b'\n') {
            out.push('\n');
        }
        copied = at + 1;
    }
    out.push_str(&markup[copied..]);
    out
}

#[cfg(test)]
mod tests;
