//! The text that a reader sees, and where each node's part of it stands.

use crate::document::Span;
use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::{Html, Node, node::Element};
use std::collections::HashMap;

/// Every so many characters the byte offset is remembered.
const STEP: usize = 64;
const SKIPPED: [&str; 10] = [
    "script", "style", "noscript", "template", "head", "input", "iframe", "noframes", "title", "object",
];
const INLINE: [&str; 42] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em", "font",
    "i", "img", "ins", "kbd", "label", "mark", "nobr", "o:p", "q", "ruby", "rt", "s", "samp", "small",
    "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "button", "picture", "map",
    "svg",
];

/// Visible text: white space collapsed, `\n` at block boundaries and `<br>`. Offsets are characters.
#[derive(Debug, Default)]
pub struct VisibleText {
    text: String,
    len: usize,
    steps: Vec<usize>,
    spans: HashMap<NodeId, Span>,
    nodes: Vec<(Span, NodeId)>,
}

/// Whether an element is a block of its own; unknown elements are not.
pub(crate) fn is_block(element: &Element) -> bool {
    let name = element.name();
    !INLINE.contains(&name) && !name.contains(':')
}

/// React streams a page in hidden `<div id="S:…">`, each of which a script at once puts where it belongs.
fn is_streamed(element: &Element) -> bool {
    element.name() == "div" && element.attr("id").is_some_and(|id| id.starts_with("S:"))
}

/// Whether a reader sees nothing of an element.
pub(crate) fn is_hidden(element: &Element) -> bool {
    SKIPPED.contains(&element.name())
        || (element.attr("hidden").is_some() && !is_streamed(element))
        || element.attr("style").is_some_and(|s| {
            let s: String = s.chars().filter(|c| !c.is_whitespace()).collect();
            s.to_ascii_lowercase().contains("display:none")
        })
}

impl VisibleText {
    /// Reads a tree in one pass.
    pub(super) fn of(html: &Html) -> Self {
        let mut this = Self::default();
        let mut pending: Option<char> = None;
        let mut skip: Option<NodeId> = None;
        let mut starts: Vec<usize> = Vec::new();
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(node) if skip.is_none() => match node.value() {
                    Node::Element(element) if is_hidden(element) => skip = Some(node.id()),
                    Node::Element(element) => {
                        if is_block(element) {
                            pending = Some('\n');
                        }
                        starts.push(this.len);
                    }
                    Node::Text(text) => {
                        let start = this.len;
                        for c in text.chars() {
                            if c.is_whitespace() {
                                pending = pending.or(Some(' '));
                            } else {
                                if let Some(space) = pending.take()
                                    && this.len > 0
                                {
                                    this.push(space);
                                }
                                this.push(c);
                            }
                        }
                        let span = Span(start, this.len);
                        this.spans.insert(node.id(), span);
                        if !span.is_empty() {
                            this.nodes.push((span, node.id()));
                        }
                    }
                    _ => {}
                },
                Edge::Close(node) if skip == Some(node.id()) => skip = None,
                Edge::Close(node) if skip.is_none() => {
                    if let Node::Element(element) = node.value() {
                        if is_block(element) {
                            pending = Some('\n');
                        }
                        let mut start = starts.pop().unwrap_or_default();
                        if start < this.len && this.slice(Span(start, start + 1)).starts_with([' ', '\n']) {
                            start += 1;
                        }
                        this.spans.insert(node.id(), Span(start, this.len));
                    }
                }
                _ => {}
            }
        }
        this
    }

    fn push(&mut self, c: char) {
        if self.len.is_multiple_of(STEP) {
            self.steps.push(self.text.len());
        }
        self.text.push(c);
        self.len += 1;
    }

    /// All of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Number of characters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether a reader sees no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The characters of a text node or an element; `None` if it is not visible.
    #[must_use]
    pub fn span(&self, node: NodeId) -> Option<Span> {
        self.spans.get(&node).copied()
    }

    /// Text nodes that a reader sees, in order.
    #[must_use]
    pub fn nodes(&self) -> &[(Span, NodeId)] {
        &self.nodes
    }

    /// A range of the text; what lies beyond the end is cut off.
    #[must_use]
    pub fn slice(&self, span: Span) -> &str {
        let (start, end) = (self.byte(span.0), self.byte(span.1));
        self.text.get(start..end).unwrap_or_default()
    }

    fn byte(&self, at: usize) -> usize {
        if at >= self.len {
            return self.text.len();
        }
        let base = self.steps[at / STEP];
        self.text[base..]
            .char_indices()
            .nth(at % STEP)
            .map_or(self.text.len(), |(i, _)| base + i)
    }

    /// The lines (blocks of text) inside a range.
    #[must_use]
    pub fn lines(&self, within: Span) -> Vec<Span> {
        let mut lines = Vec::new();
        let mut start = within.0;
        let mut at = within.0;
        for c in self.slice(within).chars() {
            if c == '\n' {
                if at > start {
                    lines.push(Span(start, at));
                }
                start = at + 1;
            }
            at += 1;
        }
        if at > start {
            lines.push(Span(start, at));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_spans() {
        let html = Html::parse_document(
            "<head><title>t</title></head><p>a&nbsp; <b>b</b><br>c</p><script>x</script><p style='display: none'>h<td>đ ê",
        );
        let text = VisibleText::of(&html);
        assert_eq!(text.as_str(), "a b\nc");
        let bold = html
            .select(crate::mapping::Css::builtin("b").selector())
            .next()
            .map(|e| e.id());
        assert_eq!(bold.and_then(|id| text.span(id)), Some(Span(2, 3)));
        assert_eq!(text.lines(Span(0, 5)), [Span(0, 3), Span(4, 5)]);
    }
}
