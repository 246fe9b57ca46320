//! The text that a reader sees, and where each node's part of it stands.

use super::above::Above;
use super::hidden::{Rules, speaks};
use super::nodes::{NodeSet, NodeTable, attr};
use crate::document::Span;
use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node, node::Element};
use std::collections::HashSet;

/// Every so many characters the byte offset is remembered.
const STEP: usize = 16;
/// Elements that show nothing, or nothing of what stands in them: fallbacks of what a browser plays or loads.
fn is_skipped(name: &str) -> bool {
    matches!(
        name,
        "script"
            | "style"
            | "noscript"
            | "template"
            | "head"
            | "input"
            | "iframe"
            | "noframes"
            | "title"
            | "object"
            | "textarea"
            | "audio"
            | "video"
            | "canvas"
            | "datalist"
            | "noembed"
            | "rp"
    )
}
/// Elements that stand in blocks of their own (HTML Standard, 15.3 "Non-replaced elements"); all others are part of a
/// line, also those that nobody knows. `marquee` is a block inside its line.
fn is_block_name(name: &str) -> bool {
    matches!(
        name,
        "address"
            | "article"
            | "aside"
            | "blockquote"
            | "body"
            | "br"
            | "caption"
            | "center"
            | "dd"
            | "details"
            | "dialog"
            | "dir"
            | "div"
            | "dl"
            | "dt"
            | "fieldset"
            | "figcaption"
            | "figure"
            | "footer"
            | "form"
            | "frameset"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "header"
            | "hgroup"
            | "hr"
            | "html"
            | "legend"
            | "li"
            | "listing"
            | "main"
            | "marquee"
            | "menu"
            | "nav"
            | "ol"
            | "optgroup"
            | "option"
            | "p"
            | "plaintext"
            | "pre"
            | "search"
            | "section"
            | "summary"
            | "table"
            | "tbody"
            | "td"
            | "tfoot"
            | "th"
            | "thead"
            | "tr"
            | "ul"
            | "xmp"
    )
}

/// Visible text: white space collapsed, `\n` at block boundaries and `<br>`. Offsets are characters.
#[derive(Debug, Default)]
pub struct VisibleText {
    text: String,
    len: usize,
    steps: Vec<usize>,
    spans: NodeTable<Span>,
    nodes: Vec<(Span, NodeId)>,
    skipped: NodeSet,
    hidden: Vec<(usize, NodeId)>,
    by_sheets: Vec<(NodeId, usize)>,
    kept: Vec<Span>,
}

/// Whether an element is a block of its own; unknown elements are not.
pub(crate) fn is_block(element: &Element) -> bool {
    is_block_name(element.name())
}

/// Whether a character has no place on the screen: soft hyphens, zero width spaces, joiners of words and byte order marks.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}')
}

/// Whether line breaks in the text of an element are line breaks of the page.
pub(crate) fn keeps_lines(element: &Element) -> bool {
    matches!(element.name(), "pre" | "listing" | "xmp" | "plaintext")
        || attr(element, "style")
            .is_some_and(|s| mentions_lines(s) && squeezed(s).contains("white-space:pre"))
}

/// Whether a style may say something of white space: most say nothing, and need no copy to be searched.
fn mentions_lines(style: &str) -> bool {
    memchr::memchr_iter(b'-', style.as_bytes()).any(|at| {
        style.as_bytes()[at + 1..]
            .get(..5)
            .is_some_and(|w| w.eq_ignore_ascii_case(b"space"))
    })
}

/// A style attribute without white space, in small letters.
fn squeezed(style: &str) -> String {
    let style: String = style.chars().filter(|c| !c.is_whitespace()).collect();
    style.to_ascii_lowercase()
}

/// Whether an element is of a kind that shows no text.
fn shows_nothing(element: &Element) -> bool {
    is_skipped(element.name())
}

/// React streams a page in hidden `<div id="S:…">`, each of which a script at once puts where it belongs.
fn is_streamed(element: &Element) -> bool {
    element.name() == "div" && attr(element, "id").is_some_and(|id| id.starts_with("S:"))
}

/// Whether an element says itself that it is hidden.
fn is_hidden(element: &Element) -> bool {
    (attr(element, "hidden").is_some() && !is_streamed(element))
        || (element.name() == "dialog" && attr(element, "open").is_none())
        || attr(element, "style")
            .filter(|s| speaks(s))
            .is_some_and(|s| squeezed(s).contains("display:none"))
}

/// Whether an element says itself that it is hidden unless what stands in it says otherwise.
fn is_veiled(element: &Element) -> bool {
    attr(element, "style")
        .filter(|s| speaks(s))
        .is_some_and(|s| squeezed(s).contains("visibility:hidden"))
}

/// Whether an element shows no text by its kind or by what it says itself; style sheets are not asked.
pub(super) fn is_unseen(element: &Element) -> bool {
    shows_nothing(element) || is_hidden(element) || is_veiled(element)
}

/// Elements in one that `visibility` hides that say they are shown, and those that hold them: empty if all of it is hidden.
fn unveiled(veiled: ElementRef<'_>, rules: &Rules, above: &mut Above) -> HashSet<NodeId> {
    let mut seen = HashSet::new();
    for edge in veiled.traverse() {
        match edge {
            Edge::Open(node) => {
                let Some(element) = ElementRef::wrap(node) else {
                    continue;
                };
                let own = node.id() == veiled.id() || shows_nothing(element.value());
                if !own && rules.say(element, above).unveiled {
                    let held = element.ancestors().take_while(|a| a.id() != veiled.id());
                    seen.extend(held.map(|a| a.id()));
                    seen.insert(element.id());
                }
                above.open(element.value());
            }
            Edge::Close(node) => {
                if let Some(element) = node.value().as_element() {
                    above.close(element);
                }
            }
        }
    }
    seen
}

/// Bytes of text below a node.
fn text_bytes(node: ego_tree::NodeRef<'_, Node>) -> usize {
    let texts = node.descendants().filter_map(|n| n.value().as_text());
    texts.map(|t| t.len()).sum()
}

impl VisibleText {
    /// Reads a tree in one pass. `revealed` are elements that are shown whatever hides them.
    pub(super) fn of(html: &Html, rules: &Rules, revealed: &HashSet<NodeId>) -> Self {
        /// An open element.
        struct Open {
            start: usize,
            block: bool,
            flex: bool,
            lines: bool,
            veiled: bool,
        }
        let mut this = Self {
            spans: NodeTable::with_capacity(html.tree.nodes().len()),
            ..Self::default()
        };
        let mut pending: Option<char> = None;
        let mut skip: Option<NodeId> = None;
        // Bytes of text in what a sheet hides.
        let mut withheld: Option<usize> = None;
        let mut open: Vec<Open> = Vec::new();
        // Inside of what `visibility` hides: the elements that hold something shown all the same.
        let mut seen: HashSet<NodeId> = HashSet::new();
        let mut above = Above::default();
        // How many of the open elements keep their line breaks.
        let mut lines = 0usize;
        for edge in html.tree.root().traverse() {
            match edge {
                Edge::Open(node) if skip.is_none() => match node.value() {
                    Node::Element(element) => {
                        let nothing = shows_nothing(element);
                        let said = if nothing {
                            None
                        } else {
                            ElementRef::wrap(node).map(|e| rules.say(e, &above))
                        };
                        let said = said.unwrap_or_default();
                        let own = !nothing && (is_hidden(element) || (said.veiled && is_veiled(element)));
                        let shown = revealed.contains(&node.id());
                        let within = open.last().is_some_and(|o| o.veiled);
                        let veiled = !shown && (said.veiled || (within && !said.unveiled));
                        if veiled && !within {
                            let inside = ElementRef::wrap(node).map(|e| unveiled(e, rules, &mut above));
                            let inside = inside.unwrap_or_default();
                            if !inside.is_empty() {
                                seen.insert(node.id());
                                if !own {
                                    this.by_sheets.push((node.id(), text_bytes(node)));
                                }
                            }
                            seen.extend(inside);
                        }
                        let unseen = if veiled {
                            !seen.contains(&node.id())
                        } else {
                            (said.hidden || own) && !shown
                        };
                        if nothing || unseen {
                            if !nothing {
                                this.hidden.push((this.len, node.id()));
                                withheld = (said.hidden && !own).then_some(0);
                            }
                            this.skipped.insert(node.id());
                            skip = Some(node.id());
                            continue;
                        }
                        let flexed = open.last().is_some_and(|o| o.flex);
                        let block = flexed || said.block || (is_block(element) && !said.inline);
                        if block {
                            pending = Some('\n');
                        }
                        let keeps = keeps_lines(element);
                        lines += usize::from(keeps);
                        if !rules.is_empty() {
                            above.open(element);
                        }
                        open.push(Open {
                            start: this.len,
                            block,
                            flex: said.flex,
                            lines: keeps,
                            veiled,
                        });
                    }
                    Node::Text(_) if open.last().is_some_and(|o| o.veiled) => pending = pending.or(Some(' ')),
                    Node::Text(text) => {
                        let start = this.len;
                        for c in text.chars() {
                            if c == '\n' && lines > 0 {
                                pending = Some('\n');
                            } else if is_invisible(c) {
                            } else if c.is_whitespace() {
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
                Edge::Open(node) => {
                    if let (Some(bytes), Node::Text(text)) = (&mut withheld, node.value()) {
                        *bytes += text.len();
                    }
                }
                Edge::Close(node) if skip == Some(node.id()) => {
                    skip = None;
                    this.by_sheets
                        .extend(withheld.take().map(|bytes| (node.id(), bytes)));
                }
                Edge::Close(node) if skip.is_none() => {
                    if let Some(element) = node.value().as_element()
                        && let Some(mut own) = open.pop()
                    {
                        if !rules.is_empty() {
                            above.close(element);
                        }
                        if own.block {
                            pending = Some('\n');
                        }
                        lines -= usize::from(own.lines);
                        if own.start < this.len && this.begins_with_space(own.start) {
                            own.start += 1;
                        }
                        let span = Span(own.start, this.len);
                        if own.lines {
                            this.kept.push(span);
                        }
                        this.spans.insert(node.id(), span);
                    }
                }
                Edge::Close(_) => {}
            }
        }
        this.kept.sort_by_key(|s| (s.0, std::cmp::Reverse(s.1)));
        this
    }

    /// Where line breaks of the source are line breaks of the page, in order.
    pub(crate) fn kept_lines(&self) -> &[Span] {
        &self.kept
    }

    fn begins_with_space(&self, at: usize) -> bool {
        matches!(self.text.as_bytes().get(self.byte(at)), Some(b' ' | b'\n'))
    }

    /// Elements that nothing but a style sheet hides, with the bytes of text in each.
    pub(super) fn by_sheets(&self) -> &[(NodeId, usize)] {
        &self.by_sheets
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
        self.spans.get(node)
    }

    /// Text nodes that a reader sees, in order.
    #[must_use]
    pub fn nodes(&self) -> &[(Span, NodeId)] {
        &self.nodes
    }

    /// Whether a reader sees nothing of an element, while its parent is seen.
    #[must_use]
    pub fn hides(&self, node: NodeId) -> bool {
        self.skipped.contains(&node)
    }

    /// Elements that styles or attributes hide, with the place in the text where they would stand, in order.
    #[must_use]
    pub fn hidden(&self) -> &[(usize, NodeId)] {
        &self.hidden
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
        let text = VisibleText::of(&html, &Rules::default(), &HashSet::new());
        assert_eq!(text.as_str(), "a b\nc");
        let bold = html
            .select(crate::mapping::Css::builtin("b").selector())
            .next()
            .map(|e| e.id());
        assert_eq!(bold.and_then(|id| text.span(id)), Some(Span(2, 3)));
        assert_eq!(text.lines(Span(0, 5)), [Span(0, 3), Span(4, 5)]);
    }

    #[test]
    fn as_a_browser_shows_it() {
        for (html, shown) in [
            ("th\u{AD}ông\u{200B} tin", "thông tin"),
            ("<pre>một\n  hai\n\nba</pre>x\ny", "một\nhai\nba\nx y"),
            ("<p style='white-space: pre-line'>a\nb</p>", "a\nb"),
            ("a<la>b</la>c<o:p></o:p>d", "abcd"),
            (
                "<details><summary>tóm</summary><p>ẩn</p></details><details open><summary>tóm</summary><p>hiện</p></details>",
                "tóm\nẩn\ntóm\nhiện",
            ),
            (
                "<video>không xem được</video><textarea>nhập</textarea><dialog>x</dialog>y",
                "y",
            ),
            ("<span style='visibility:hidden'>x</span>y", "y"),
            (
                "<p style='visibility:hidden'>ẩn <span style='visibility:visible'>hiện <i style='visibility:hidden'>ẩn</i></span></p>",
                "hiện",
            ),
            (
                "<div style='visibility:hidden'>x<p style='visibility:visible'>hiện</p><p>ẩn<b style='visibility:inherit'>ẩn</b></p></div>z",
                "hiện\nz",
            ),
            (
                "<p style='display:none'>x<span style='visibility:visible;display:inline'>ẩn</span></p>y",
                "y",
            ),
        ] {
            assert_eq!(
                VisibleText::of(&Html::parse_document(html), &Rules::default(), &HashSet::new()).as_str(),
                shown,
                "{html}"
            );
        }
    }
}
