//! A container becomes typed blocks, in one walk over its nodes.

use super::account::Claims;
use super::inline::{BOLD, Ch, ITALIC, MARKER, inline};
use super::{Context, InlineMedia, link, media};
use crate::document::{Align, Block, Inline, Link, LinkKind, Media, MediaRole, Source, Span};
use crate::lang::spaces;
use crate::page::{Page, is_block, is_hidden};
use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{ElementRef, Node};
use std::collections::HashSet;

/// Lists in lists and tables in lists deeper than this are read as flat text.
const NESTING: usize = 24;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Paragraph,
    Heading(u8),
    Quote,
    Caption,
    /// Word's list paragraph.
    Word(bool),
}

#[derive(Clone, Debug)]
pub(super) enum Item {
    Text {
        chars: Vec<Ch>,
        kind: Kind,
        align: Option<Align>,
        row: Option<NodeId>,
    },
    Image {
        image: crate::document::Image,
        row: Option<NodeId>,
        row_is_bare: bool,
    },
    Block(Block),
}

#[derive(Clone, Copy)]
struct Frame {
    flags: u16,
    link: u32,
    kind: Kind,
    align: Option<Align>,
    row: Option<NodeId>,
}

pub(super) struct Builder<'a> {
    pub(super) page: &'a Page,
    pub(super) context: &'a Context<'a>,
    pub(super) claims: &'a mut Claims,
    pub(super) skip: &'a HashSet<NodeId>,
    /// Elements that are captions by other evidence than their tag.
    pub(super) captions: &'a HashSet<NodeId>,
    pub(super) stop: usize,
    pub(super) body: u16,
    pub(super) marker: u16,
    pub(super) links: Vec<Link>,
    pub(super) targets: Vec<Option<String>>,
    pub(super) media: Vec<Media>,
    pub(super) attachments: Vec<Media>,
    pub(super) inline_media: Vec<InlineMedia>,
}

fn style(element: &Element) -> String {
    let raw = element.attr("style").unwrap_or_default();
    raw.chars()
        .filter(|c| !c.is_whitespace())
        .collect::<String>()
        .to_ascii_lowercase()
}

/// Longest HTML that a block keeps as it is, in bytes.
const RAW_HTML: usize = 64 << 10;

/// Rows of a table that are looked at to tell pictures with captions from a page's layout.
const FIGURE_ROWS: usize = 64;

impl Builder<'_> {
    /// Whether the table around `row` shows pictures with their captions: no more rows of text than rows with pictures.
    /// A layout table has many rows of text, and the one under a picture is the next paragraph.
    fn figure_table(&self, row: NodeId) -> bool {
        let Some(table) = self.page.html.tree.get(row).and_then(|r| {
            r.ancestors()
                .find_map(|a| ElementRef::wrap(a).filter(|e| e.value().name() == "table"))
        }) else {
            return false;
        };
        let (mut pictures, mut texts) = (0, 0);
        for row in table
            .descendants()
            .filter_map(ElementRef::wrap)
            .filter(|e| e.value().name() == "tr")
            .take(FIGURE_ROWS)
        {
            let image = row
                .descendants()
                .any(|n| n.value().as_element().is_some_and(|e| e.name() == "img"));
            let text = self.page.text.span(row.id()).is_some_and(|s| !s.is_empty());
            pictures += usize::from(image);
            texts += usize::from(text && !image);
        }
        texts <= pictures
    }
}

impl Frame {
    fn enter(mut self, element: &Element, id: NodeId) -> Self {
        let style = style(element);
        let class = element.attr("class").unwrap_or_default();
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
        if class.contains("MsoListParagraph") {
            self.kind = Kind::Word(false);
        }
        let align = element.attr("align").unwrap_or_default().to_ascii_lowercase();
        if align == "center" || style.contains("text-align:center") {
            self.align = Some(Align::Center);
        } else if align == "right" || style.contains("text-align:right") {
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

impl Builder<'_> {
    /// Blocks of everything below `root`.
    pub(super) fn blocks(&mut self, root: NodeRef<'_, Node>, depth: usize) -> Vec<Block> {
        let items = self.items(root, depth);
        super::arrange::arrange(self, items)
    }

    fn items(&mut self, root: NodeRef<'_, Node>, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        let mut current: Vec<Ch> = Vec::new();
        let base = Frame {
            flags: 0,
            link: 0,
            kind: Kind::Paragraph,
            align: None,
            row: None,
        };
        let mut frames = vec![base];
        let mut shape = base;
        let mut skip: Option<NodeId> = None;
        for edge in root.traverse() {
            match edge {
                Edge::Open(node) if skip.is_none() => {
                    let top = frames.last().copied().unwrap_or(base);
                    let element = match node.value() {
                        Node::Text(_) => {
                            self.push_text(node.id(), top, &mut current, &mut shape);
                            continue;
                        }
                        Node::Element(element) => element,
                        _ => continue,
                    };
                    let inner = node.id() != root.id();
                    let at = self.page.text.span(node.id()).map(|s| s.0);
                    let beyond = at.is_some_and(|at| at >= self.stop);
                    if inner && (is_hidden(element) || self.skip.contains(&node.id())) {
                        if element.name() == "iframe" && !self.skip.contains(&node.id()) {
                            self.flush(&mut current, shape, &mut items);
                            items.extend(self.embed(element));
                        }
                        skip = Some(node.id());
                        continue;
                    }
                    let mut frame = top.enter(element, node.id());
                    if self.captions.contains(&node.id()) {
                        frame.kind = Kind::Caption;
                    }
                    match element.name() {
                        // More than two line breaks end a paragraph no more than two do.
                        "br" if current
                            .iter()
                            .rev()
                            .take(2)
                            .filter(|c| c.at == usize::MAX)
                            .count()
                            == 2 => {}
                        "br" => current.push(Ch {
                            c: '\n',
                            flags: 0,
                            link: 0,
                            at: usize::MAX,
                        }),
                        "img" if !beyond => {
                            if let Some(image) = self.image(element) {
                                self.flush(&mut current, shape, &mut items);
                                let row_is_bare = top
                                    .row
                                    .and_then(|r| self.page.text.span(r))
                                    .is_some_and(Span::is_empty)
                                    && top.row.is_some_and(|r| self.figure_table(r));
                                items.push(Item::Image {
                                    image,
                                    row: top.row,
                                    row_is_bare,
                                });
                            }
                        }
                        "object" | "embed" | "video" | "audio" | "source" if !beyond => {
                            if let Some(embed) = self.embed(element) {
                                self.flush(&mut current, shape, &mut items);
                                items.push(embed);
                            }
                        }
                        "svg" | "math" if inner && !beyond => {
                            if let Some(raw) = self.raw_html(node) {
                                self.flush(&mut current, shape, &mut items);
                                items.push(raw);
                                skip = Some(node.id());
                                continue;
                            }
                        }
                        "a" => frame.link = self.link(element, node, beyond),
                        "ul" | "ol" if inner && depth < NESTING => {
                            self.flush(&mut current, shape, &mut items);
                            if let Some(list) = self.list(node, element.name() == "ol", depth) {
                                items.push(Item::Block(list));
                            }
                            skip = Some(node.id());
                            continue;
                        }
                        "table" if inner && depth < NESTING => {
                            if let Some(grid) = ElementRef::wrap(node).and_then(super::table::grid) {
                                self.flush(&mut current, shape, &mut items);
                                items.extend(
                                    super::table::build(self, node, grid, depth)
                                        .into_iter()
                                        .map(Item::Block),
                                );
                                skip = Some(node.id());
                                continue;
                            }
                        }
                        _ => {}
                    }
                    if is_block(element) && element.name() != "br" {
                        self.flush(&mut current, shape, &mut items);
                    }
                    frames.push(frame);
                }
                Edge::Close(node) if skip == Some(node.id()) => skip = None,
                Edge::Close(node) if skip.is_none() => {
                    if let Node::Element(element) = node.value() {
                        if is_block(element) && element.name() != "br" {
                            self.flush(&mut current, shape, &mut items);
                        }
                        frames.pop();
                    }
                }
                _ => {}
            }
        }
        self.flush(&mut current, shape, &mut items);
        items
    }

    fn push_text(&mut self, id: NodeId, top: Frame, current: &mut Vec<Ch>, shape: &mut Frame) {
        let Some(span) = self.page.text.span(id) else {
            return;
        };
        for (c, at) in self.page.text.slice(span).chars().zip(span.0..) {
            if at >= self.stop || !self.claims.is_free(at) {
                continue;
            }
            if current.iter().all(|ch| ch.at == usize::MAX) || current.is_empty() {
                *shape = top;
            }
            current.push(Ch {
                c: if c == '\n' { ' ' } else { c },
                flags: top.flags,
                link: top.link,
                at,
            });
        }
    }

    fn flush(&mut self, current: &mut Vec<Ch>, shape: Frame, items: &mut Vec<Item>) {
        let chars = std::mem::take(current);
        let mut part: Vec<Ch> = Vec::new();
        let mut breaks = 0;
        for ch in chars.into_iter().chain(
            [Ch {
                c: '\n',
                flags: 0,
                link: 0,
                at: usize::MAX,
            }; 2],
        ) {
            if ch.at == usize::MAX {
                breaks += 1;
            } else if !ch.c.is_whitespace() {
                breaks = 0;
            }
            part.push(ch);
            if breaks == 2 {
                let chars = std::mem::take(&mut part);
                if chars.iter().any(|c| !c.c.is_whitespace()) {
                    items.push(self.text(chars, shape));
                }
            }
        }
    }

    fn text(&mut self, mut chars: Vec<Ch>, shape: Frame) -> Item {
        let mut kind = shape.kind;
        if matches!(kind, Kind::Word(_)) {
            if !chars.iter().any(|c| c.flags & MARKER != 0) {
                let first = chars.iter().position(|c| !c.c.is_whitespace()).unwrap_or(0);
                let end = chars[first..]
                    .iter()
                    .position(|c| c.c.is_whitespace())
                    .map_or(first, |e| first + e);
                let word: String = chars[first..end].iter().map(|c| c.c).collect();
                let counted = word.ends_with(['.', ')']) && word.chars().count() <= 4;
                if ["·", "-", "+", "o", "§", "•"].contains(&word.as_str()) || counted {
                    chars[first..end].iter_mut().for_each(|c| c.flags |= MARKER);
                }
            }
            let marker: String = chars
                .iter()
                .filter(|c| c.flags & MARKER != 0)
                .map(|c| c.c)
                .collect();
            let marker = marker.trim();
            kind = if marker.is_empty() {
                Kind::Paragraph
            } else {
                Kind::Word(marker.ends_with(['.', ')']))
            };
        }
        for ch in chars
            .iter()
            .filter(|c| c.at != usize::MAX && !c.c.is_whitespace())
        {
            let rule = if ch.flags & MARKER != 0 {
                self.marker
            } else {
                self.body
            };
            self.claims.claim(Span(ch.at, ch.at + 1), rule);
        }
        chars.retain(|c| c.flags & MARKER == 0 || c.at == usize::MAX);
        Item::Text {
            chars,
            kind,
            align: shape.align,
            row: shape.row,
        }
    }

    pub(super) fn inline(&self, chars: &[Ch]) -> (Inline, Span) {
        let at = chars
            .iter()
            .filter(|c| c.at != usize::MAX && !c.c.is_whitespace())
            .map(|c| c.at);
        let span = Span(at.clone().min().unwrap_or(0), at.max().map_or(0, |m| m + 1));
        (inline(chars, &self.targets), span)
    }

    pub(super) fn source(&self, chars: Span) -> Source {
        Source {
            rule: "body".into(),
            chars,
        }
    }

    /// Last resort: drawings and formulas, which no other kind of block holds.
    fn raw_html(&mut self, node: NodeRef<'_, Node>) -> Option<Item> {
        let html = ElementRef::wrap(node)?.html();
        if html.len() > RAW_HTML {
            return None;
        }
        let (text, chars) = match self.page.text.span(node.id()) {
            Some(span) => {
                let text = self.claims.free_text(&self.page.text, span);
                self.claims.claim(span, self.body);
                (text, span)
            }
            None => (String::new(), Span(0, 0)),
        };
        Some(Item::Block(Block::RawHtml {
            html,
            text,
            src: self.source(chars),
        }))
    }

    fn embed(&self, element: &Element) -> Option<Item> {
        let address = element.attr("src").or_else(|| element.attr("data"))?;
        let url = self.page.base.join(address.trim()).ok()?;
        let text = spaces(element.attr("title").unwrap_or_default());
        Some(Item::Block(Block::Embed {
            url: url.into(),
            text,
            src: self.source(Span(0, 0)),
        }))
    }

    fn image(&mut self, element: &Element) -> Option<crate::document::Image> {
        let rules = &self.context.mapping.rules().media;
        let raw = rules
            .lazy_attrs
            .iter()
            .find_map(|a| element.attr(a).filter(|v| !v.trim().is_empty()))
            .or_else(|| element.attr("src"))?
            .trim();
        let source = if let Some(found) = media::data_uri(raw) {
            let url = found.source_url.clone();
            if !self.inline_media.iter().any(|m| m.source_url == url) {
                self.inline_media.push(found);
            }
            url
        } else {
            let judged = link::judge(self.page, self.context, raw);
            judged
                .resolved
                .unwrap_or_else(|| raw.chars().take(2048).collect())
        };
        if source.is_empty() || rules.ignore.iter().any(|p| p.regex().is_match(&source)) {
            return None;
        }
        let alt = element.attr("alt").map(spaces).filter(|a| !a.is_empty());
        let entry = media::entry(&source, MediaRole::Body, alt.clone());
        let media = entry.reference.clone();
        if !self.media.iter().any(|m| m.source_url == source) {
            self.media.push(entry);
        }
        Some(crate::document::Image {
            media,
            alt,
            caption: None,
            caption_method: None,
            credit: None,
        })
    }

    fn link(&mut self, element: &Element, node: NodeRef<'_, Node>, beyond: bool) -> u32 {
        let Some(raw) = element.attr("href").filter(|_| !beyond) else {
            return 0;
        };
        let span = self.page.text.span(node.id()).unwrap_or_default();
        let judged = link::judge(self.page, self.context, raw);
        let text = self.claims.free_text(&self.page.text, span);
        if text.is_empty() && !span.is_empty() {
            return 0;
        }
        if judged.kind == LinkKind::Attachment
            && let Some(url) = &judged.resolved
            && !self.attachments.iter().any(|m| &m.source_url == url)
        {
            self.attachments
                .push(media::entry(url, MediaRole::Attachment, None));
        }
        let target = judged.mark.clone().filter(|m| m.starts_with("doc:"));
        self.links.push(Link {
            raw: raw.to_owned(),
            resolved: judged.resolved,
            kind: judged.kind,
            target,
            text,
        });
        self.targets.push(judged.mark);
        u32::try_from(self.targets.len()).unwrap_or(0)
    }

    fn list(&mut self, node: NodeRef<'_, Node>, ordered: bool, depth: usize) -> Option<Block> {
        let mut items = Vec::new();
        for child in node.children() {
            let mut blocks = self.blocks(child, depth + 1);
            if let Node::Text(_) = child.value() {
                // Text that stands in a list outside its items is an item of its own.
                if blocks.is_empty() {
                    continue;
                }
            }
            let mut item = crate::document::ListItem {
                content: Inline::default(),
                children: Vec::new(),
            };
            if let Some(Block::Paragraph { text, marks, .. }) = blocks.first_mut() {
                item.content = Inline {
                    text: std::mem::take(text),
                    marks: std::mem::take(marks),
                };
                blocks.remove(0);
            }
            item.children = blocks;
            if !item.content.text.is_empty() || !item.children.is_empty() {
                items.push(item);
            }
        }
        let span = self.page.text.span(node.id()).unwrap_or_default();
        (!items.is_empty()).then(|| Block::List {
            ordered,
            items,
            src: self.source(span),
        })
    }
}
