//! What the elements round a text say of it: marks, alignment, kind of block.

use super::inline::{BOLD, ITALIC, MARKER, SYMBOL};
use crate::document::Align;
use crate::page::{attr, is_block, keeps_lines};
use ego_tree::{NodeId, NodeRef};
use scraper::Node;
use scraper::node::Element;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Paragraph,
    Heading(u8),
    Quote,
    /// `figcaption` and `caption`.
    Caption,
    /// What a class calls a caption: one if there is something to belong to.
    Named,
    /// A cell of a table of pictures.
    Cell,
    /// The `figcaption` of a table.
    TableCaption,
    /// A paragraph that says that it is of a list, and at which level if not 0.
    Word(u8),
}

#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) flags: u16,
    pub(super) link: u32,
    pub(super) kind: Kind,
    pub(super) align: Option<Align>,
    pub(super) row: Option<NodeId>,
    /// Line breaks of the text are line breaks of the page.
    pub(super) lines: bool,
}

fn style(element: &Element) -> String {
    let raw = attr(element, "style").unwrap_or_default();
    raw.chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

impl Frame {
    pub(super) fn enter(mut self, element: &Element, id: NodeId) -> Self {
        let style = style(element);
        let class = attr(element, "class").unwrap_or_default();
        match element.name() {
            "b" | "strong" => self.flags |= BOLD,
            "i" | "em" => self.flags |= ITALIC,
            "u" => self.flags |= 4,
            "s" | "strike" | "del" => self.flags |= 8,
            "sup" => self.flags |= 16,
            "sub" => self.flags |= 32,
            "code" => self.flags |= 64,
            "blockquote" => self.kind = Kind::Quote,
            "figcaption" | "caption" => self.kind = Kind::Caption,
            "center" => self.align = Some(Align::Center),
            "tr" => self.row = Some(id),
            name => {
                if let [b'h', level @ b'1'..=b'6'] = name.as_bytes() {
                    self.kind = Kind::Heading(level - b'0');
                }
            }
        }
        let weights = ["bold", "600", "700", "800", "900"];
        let is_bold = |(at, found): (usize, &str)| {
            let weight = &style[at + found.len()..];
            weights.iter().any(|w| weight.starts_with(w))
        };
        if style.match_indices("font-weight:").any(is_bold) {
            self.flags |= BOLD;
        }
        if style.contains("font-style:italic") {
            self.flags |= ITALIC;
        }
        if style.contains("mso-list:ignore") {
            self.flags |= MARKER;
        }
        if let Some((_, level)) = style
            .split_once("mso-list:l")
            .and_then(|(_, l)| l.split_once("level"))
        {
            let level: String = level.chars().take_while(char::is_ascii_digit).collect();
            self.kind = Kind::Word(level.parse().unwrap_or(0).min(9));
        } else if is_of_word(class) && !matches!(self.kind, Kind::Word(_)) {
            self.kind = Kind::Word(0);
        }
        let aligned = |at: &str| {
            let is = |c: &str| {
                let named = ["text-", "has-text-align-"].iter().find_map(|before| {
                    c.get(..before.len())
                        .filter(|b| b.eq_ignore_ascii_case(before))
                        .map(|_| &c[before.len()..])
                });
                let named = named.or((element.name() == "p").then_some(c));
                named.is_some_and(|n| n.eq_ignore_ascii_case(at))
            };
            let ends = |c: &str| {
                let end = c
                    .len()
                    .checked_sub(at.len())
                    .and_then(|from| c.as_bytes().get(from..));
                end.is_some_and(|end| end.eq_ignore_ascii_case(at.as_bytes()))
            };
            class.split_whitespace().any(|c| ends(c) && is(c)) && class.contains(at)
        };
        if self.kind == Kind::Paragraph && is_block(element) && names_caption(class) {
            self.kind = Kind::Named;
        }
        let font = attr(element, "face").map(str::to_ascii_lowercase);
        let font = font
            .as_deref()
            .or(style.split_once("font-family:").map(|(_, f)| f));
        if let Some(font) = font {
            let font = font.trim_start_matches(['"', '\'']);
            let of_signs = font.starts_with("symbol") || font.starts_with("wingdings");
            self.flags = (self.flags & !SYMBOL) | if of_signs { SYMBOL } else { 0 };
        }
        self.lines |= keeps_lines(element);
        let align = attr(element, "align").unwrap_or_default().to_ascii_lowercase();
        if align == "center" || style.contains("text-align:center") || aligned("center") {
            self.align = Some(Align::Center);
        } else if align == "right" || style.contains("text-align:right") || aligned("right") {
            self.align = Some(Align::Right);
        } else if matches!(align.as_str(), "left" | "justify")
            || ["text-align:left", "text-align:justify"]
                .iter()
                .any(|a| style.contains(a))
        {
            self.align = None;
        }
        self
    }
}

/// Whether text before and behind an element is not one line with its own: it is a block, and its style does not say otherwise.
pub(super) fn parts_text(element: &Element) -> bool {
    let inline = |style: &str| {
        let mut said = style.to_ascii_lowercase();
        said.retain(|c| !c.is_whitespace());
        let mut rest = said.split("display:inline").skip(1);
        rest.next().is_some_and(|rest| !rest.starts_with('-'))
    };
    is_block(element) && element.name() != "br" && !attr(element, "style").is_some_and(inline)
}

/// Whether a class is that of a list paragraph of Word.
fn is_of_word(class: &str) -> bool {
    let mut capitals = memchr::memchr_iter(b'M', class.as_bytes());
    capitals.any(|at| class[at..].starts_with("MsoListParagraph"))
}

/// Whether a `figcaption` stands in a figure that shows a table.
pub(super) fn is_of_table(node: NodeRef<'_, Node>) -> bool {
    let named = |n: NodeRef<'_, Node>, name: &str| n.value().as_element().is_some_and(|e| e.name() == name);
    let figure = node.ancestors().find(|n| named(*n, "figure"));
    figure.is_some_and(|f| {
        f.descendants().any(|n| named(n, "table")) && !f.descendants().any(|n| named(n, "img"))
    })
}

/// Whether a class calls its element the caption of a picture: as newspapers' and portals' systems name them.
fn names_caption(class: &str) -> bool {
    let letters = |from: usize| {
        let rest = class.as_bytes()[from..].iter();
        rest.filter(|b| !matches!(b, b'-' | b'_'))
            .map(u8::to_ascii_lowercase)
    };
    // The first letters tell most classes apart from all three.
    class.bytes().enumerate().any(|(at, first)| {
        matches!(first, b'c' | b'C' | b'm' | b'M')
            && ["caption", "chuthich", "motaanh"]
                .iter()
                .any(|n| n.bytes().eq(letters(at).take(n.len())))
    })
}
