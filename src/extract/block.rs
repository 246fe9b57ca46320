//! A container becomes typed blocks, in one walk over its nodes.

use super::account::Claims;
use super::anchor::Anchors;
use super::frame::{Frame, Kind, is_of_table, parts_text};
use super::inline::{MARKER, inline};
use super::line::Line;
use super::picture::Figure;
use super::word::{self, Marker};
use super::{Context, InlineMedia, link, media, picture};
use crate::document::{Align, Block, Dropped, Gate, Inline, Link, LinkKind, Media, MediaRole, Source, Span};
use crate::page::{Page, attr, is_block, is_invisible};
use ego_tree::iter::Edge;
use ego_tree::{NodeId, NodeRef};
use scraper::node::Element;
use scraper::{ElementRef, Node};
use std::collections::HashSet;

/// Lists in lists and tables in lists deeper than this are read as flat text.
pub(super) const NESTING: usize = 24;

#[derive(Clone, Debug)]
pub(super) enum Item {
    Text {
        line: Line,
        kind: Kind,
        marker: Option<Marker>,
        align: Option<Align>,
        row: Option<NodeId>,
    },
    Image {
        image: crate::document::Image,
        row: Option<NodeId>,
        table: Figure,
    },
    Block(Block),
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
    pub(super) anchors: Anchors,
    /// Pictures that are no content.
    pub(super) furniture: Vec<Dropped>,
    /// The alternative text of a picture that a script would put another one in the place of.
    pub(super) placeholder: Option<Option<String>>,
    /// What a table showed that a reader should look at.
    pub(super) notes: Vec<Gate>,
}

/// Longest HTML that a block keeps as it is, in bytes.
const RAW_HTML: usize = 64 << 10;

impl Builder<'_> {
    /// Blocks of everything below `root`.
    pub(super) fn blocks(&mut self, root: NodeRef<'_, Node>, depth: usize) -> Vec<Block> {
        let items = self.items(root, depth);
        let mut blocks = super::arrange::arrange(self, items);
        if depth == 0 {
            super::arrange::headings(&mut blocks, self.context.language());
        }
        blocks
    }

    pub(super) fn items(&mut self, root: NodeRef<'_, Node>, depth: usize) -> Vec<Item> {
        let mut items = Vec::new();
        let mut current = Line::default();
        let base = Frame {
            flags: 0,
            link: 0,
            kind: Kind::Paragraph,
            align: None,
            row: None,
            lines: false,
        };
        let mut frames = vec![base];
        let mut shape = base;
        let mut skip: Option<NodeId> = None;
        let mut place = self.page.text.span(root.id()).unwrap_or_default().0;
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
                    let Some(this) = ElementRef::wrap(node) else {
                        continue;
                    };
                    let inner = node.id() != root.id();
                    let at = self.page.text.span(node.id()).map(|s| s.0);
                    place = at.unwrap_or(place);
                    let beyond = place >= self.stop;
                    if inner && (self.page.text.hides(node.id()) || self.skip.contains(&node.id())) {
                        let shown = !beyond && !self.skip.contains(&node.id());
                        match element.name() {
                            "iframe" | "object" | "video" | "audio" if shown => {
                                self.flush(&mut current, shape, &mut items);
                                items.extend(self.embed(this));
                            }
                            "noscript" if shown => {
                                for image in self.fallback(this, place) {
                                    self.flush(&mut current, shape, &mut items);
                                    items.push(Item::Image {
                                        image,
                                        row: top.row,
                                        table: self.figure(top.row),
                                    });
                                }
                            }
                            _ => {}
                        }
                        skip = Some(node.id());
                        continue;
                    }
                    let mut frame = top.enter(element, node.id());
                    if self.captions.contains(&node.id()) {
                        frame.kind = Kind::Caption;
                    } else if element.name() == "figcaption" && is_of_table(node) {
                        frame.kind = Kind::TableCaption;
                    }
                    match element.name() {
                        // More than two line breaks end a paragraph no more than two do.
                        "br" if current.breaks() >= 2 => {}
                        "br" => current.push_break(),
                        "img" | "v:imagedata" if !beyond => {
                            let image = if element.name() == "img" {
                                self.image(this, top.link, place)
                            } else {
                                self.drawing(this, place)
                            };
                            if let Some(image) = image {
                                self.flush(&mut current, shape, &mut items);
                                items.push(Item::Image {
                                    image,
                                    row: top.row,
                                    table: self.figure(top.row),
                                });
                            }
                        }
                        "embed" if !beyond => {
                            if let Some(embed) = self.embed(this) {
                                self.flush(&mut current, shape, &mut items);
                                items.push(embed);
                            }
                        }
                        "pre" if !beyond => {
                            if let Some(code) = self.code(node) {
                                self.flush(&mut current, shape, &mut items);
                                items.push(code);
                                skip = Some(node.id());
                                continue;
                            }
                        }
                        "svg" if inner && !beyond && self.icon(node, place) => {
                            skip = Some(node.id());
                            continue;
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
                        "ul" | "ol" | "menu" | "dir" if depth < NESTING => {
                            self.flush(&mut current, shape, &mut items);
                            items.extend(self.list(node, element, depth).into_iter().map(Item::Block));
                            skip = Some(node.id());
                            continue;
                        }
                        "table" if depth < NESTING => {
                            if let Some(pairs) = self.picture_grid(this) {
                                self.flush(&mut current, shape, &mut items);
                                for (cell, caption) in pairs {
                                    self.picture_cell(cell, caption, depth, &mut items);
                                }
                                skip = Some(node.id());
                                continue;
                            }
                            if let Some(grid) = super::table::grid(self, this) {
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
                    if parts_text(element) {
                        self.flush(&mut current, shape, &mut items);
                    }
                    frames.push(frame);
                }
                Edge::Close(node) if skip == Some(node.id()) => skip = None,
                Edge::Close(node) if skip.is_none() => {
                    if let Node::Element(element) = node.value() {
                        if parts_text(element) {
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

    fn push_text(&mut self, id: NodeId, top: Frame, current: &mut Line, shape: &mut Frame) {
        let Some(mut span) = self.page.text.span(id) else {
            return;
        };
        span.1 = span.1.min(self.stop);
        let mut rest = self.page.text.slice(span);
        let mut at = span.0;
        for (free, chars) in self.claims.runs(span) {
            let bytes = rest
                .char_indices()
                .nth(chars)
                .map_or(rest.len(), |(byte, _)| byte);
            let (text, behind) = rest.split_at(bytes);
            if free {
                if current.is_blank() && !text.is_empty() {
                    *shape = top;
                }
                push_lines(text, at, top, current);
            }
            rest = behind;
            at += chars;
        }
    }

    fn flush(&mut self, current: &mut Line, shape: Frame, items: &mut Vec<Item>) {
        let mut line = std::mem::take(current);
        if !line.has_letters() {
            return;
        }
        line.push_break();
        line.push_break();
        for part in line.paragraphs() {
            if part.has_letters() {
                items.push(self.text(part, shape));
            }
        }
    }

    fn text(&mut self, mut line: Line, shape: Frame) -> Item {
        let marker = word::marker(&mut line, shape.kind);
        let kind = match (shape.kind, &marker) {
            (Kind::Word(_), None) => Kind::Paragraph,
            (Kind::Paragraph, Some(_)) => Kind::Word(0),
            (kind, _) => kind,
        };
        for (text, run) in line.runs() {
            let Some(at) = run.at else { continue };
            let rule = if run.flags & MARKER != 0 {
                self.marker
            } else {
                self.body
            };
            self.claims.claim_letters(text, at, rule);
        }
        Item::Text {
            line: line.without(MARKER),
            kind,
            marker,
            align: shape.align,
            row: shape.row,
        }
    }

    pub(super) fn inline(&self, line: &Line) -> (Inline, Span) {
        (inline(line, &self.targets, &self.anchors), line.span())
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

    /// Preformatted text without pictures, links or blocks other than lines of its own in it, white space as it stands.
    fn code(&mut self, node: NodeRef<'_, Node>) -> Option<Item> {
        let plain = |n: NodeRef<'_, Node>| {
            n.value().as_element().is_none_or(|e| match e.name() {
                // Editors of code set each line in one.
                "br" | "div" => true,
                "img" => false,
                "a" => attr(e, "href").is_none(),
                _ => !is_block(e),
            })
        };
        let span = self.page.text.span(node.id())?;
        let free = (span.0..span.1).all(|at| self.claims.is_free(at));
        if !free || span.is_empty() || span.1 > self.stop || !node.descendants().skip(1).all(plain) {
            return None;
        }
        let mut text = String::new();
        let end_line = |text: &mut String| {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
        };
        for edge in node.traverse() {
            match edge {
                Edge::Open(n) => match n.value() {
                    Node::Text(t) if self.page.text.span(n.id()).is_some() => text.push_str(t),
                    Node::Element(e) if e.name() == "br" => text.push('\n'),
                    Node::Element(e) if e.name() == "div" => end_line(&mut text),
                    _ => {}
                },
                Edge::Close(n) if n.value().as_element().is_some_and(|e| e.name() == "div") => {
                    end_line(&mut text);
                }
                Edge::Close(_) => {}
            }
        }
        text.retain(|c| !is_invisible(c));
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
        let text = lines.join("\n").trim_matches('\n').to_owned();
        self.claims.claim(span, self.body);
        Some(Item::Block(Block::Code {
            text: crate::lang::nfc(&text).into_owned(),
            src: self.source(span),
        }))
    }

    /// A picture of a table of pictures, with its caption.
    fn picture_cell(&mut self, cell: NodeId, caption: Option<NodeId>, depth: usize, items: &mut Vec<Item>) {
        for id in [Some(cell), caption].into_iter().flatten() {
            let Some(node) = self.page.html.tree.get(id) else {
                continue;
            };
            let mut found = self.items(node, depth + 1);
            for item in &mut found {
                if let Item::Text { kind, .. } = item {
                    *kind = Kind::Cell;
                }
            }
            items.extend(found);
        }
    }

    fn link(&mut self, element: &Element, node: NodeRef<'_, Node>, beyond: bool) -> u32 {
        let Some(raw) = attr(element, "href").filter(|_| !beyond) else {
            return 0;
        };
        let span = self.page.text.span(node.id()).unwrap_or_default();
        let script = raw.trim().to_ascii_lowercase().starts_with("javascript:");
        let opened = (script || matches!(raw.trim(), "" | "#"))
            .then(|| {
                let click = attr(element, "onclick").and_then(picture::opened);
                click.or_else(|| picture::opened(raw))
            })
            .flatten();
        let mut judged = link::judge(self.page, self.context, opened.unwrap_or(raw));
        if let Some(place) = self.anchors.target(self.page, raw) {
            judged = link::Judged {
                kind: LinkKind::Anchor,
                resolved: None,
                mark: Some(place),
            };
        }
        let text = self.claims.free_text(&self.page.text, span);
        let nothing = raw.trim().is_empty() && opened.is_none();
        if (text.is_empty() && !span.is_empty()) || nothing {
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
}

/// Adds text of an element to a line. A line break of a text that keeps its own is one of the page, unless it stands at the
/// edge of a block.
fn push_lines(text: &str, at: usize, top: Frame, current: &mut Line) {
    if memchr::memchr(b'\n', text.as_bytes()).is_none() {
        return current.push(text, at, top.flags, top.link);
    }
    let mut at = at;
    for piece in text.split_inclusive('\n') {
        let line = piece.strip_suffix('\n');
        let words = line.unwrap_or(piece);
        if !words.is_empty() {
            current.push(words, at, top.flags, top.link);
        }
        at += words.chars().count();
        if line.is_some() {
            if top.lines && current.breaks() == 0 && !current.is_blank() {
                current.push_break();
            } else {
                current.push(" ", at, top.flags, top.link);
            }
            at += 1;
        }
    }
}
