//! One walk over a page: its elements with what they hold, its blocks (lines of visible text), what the head says.

use super::hash::Mixer;
use super::words::{self, PARTS, Part, Phrase};
use crate::document::Span;
use crate::page::{Page, is_block};
use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::Node;
use scraper::node::Element as Tag;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hash, Hasher};

type Mixed = BuildHasherDefault<Mixer>;

/// Classes, id, role and item property of an element: many are named alike.
type Names<'p> = (&'p str, &'p str, &'p str, &'p str);

/// No element names this part.
pub(super) const FAR: u8 = u8::MAX;

/// An element that a reader sees.
#[derive(Debug)]
pub(super) struct Element<'a> {
    /// Index of the parent; the root is its own.
    pub(super) parent: usize,
    pub(super) node: NodeId,
    pub(super) name: &'a str,
    pub(super) depth: u16,
    /// Parts that its own names tell.
    pub(super) parts: u32,
    /// Steps to the nearest element that tells a part, itself 0.
    pub(super) near: [u8; PARTS],
    /// Same for tags of [`TAGS`].
    pub(super) tags: [u8; TAGS.len()],
    /// Tag and names, numbers left out.
    pub(super) sign: u64,
    /// Signs from the root to here.
    pub(super) path: u64,
    /// Siblings with the same sign, itself included.
    pub(super) twins: u32,
    pub(super) chars: usize,
    pub(super) link_chars: usize,
    /// Characters in blocks that read like sentences.
    pub(super) good: usize,
    pub(super) blocks: usize,
    pub(super) images: usize,
    pub(super) links: usize,
    pub(super) commas: usize,
}

/// Tags that say what stands in them.
pub(super) const TAGS: [&str; 20] = [
    "article",
    "main",
    "nav",
    "aside",
    "footer",
    "header",
    "form",
    "ul",
    "ol",
    "table",
    "figure",
    "button",
    "section",
    "blockquote",
    "pre",
    "dl",
    "select",
    "figcaption",
    "details",
    "a",
];

/// The index of a tag.
pub(super) fn tag(name: &str) -> Option<usize> {
    // Most elements are none of these: one look at the length and a letter says so.
    TAGS.iter()
        .position(|t| t.len() == name.len() && t.as_bytes()[0] == name.as_bytes()[0] && *t == name)
}

/// Attributes of an element that say what it is.
#[derive(Default)]
struct Named<'a> {
    class: &'a str,
    id: &'a str,
    role: &'a str,
    itemprop: Option<&'a str>,
    property: Option<&'a str>,
}

impl<'a> Named<'a> {
    fn of(element: &'a Tag) -> Self {
        let mut this = Self::default();
        for (name, value) in element.attrs() {
            match name {
                "class" => this.class = value,
                "id" => this.id = value,
                "role" => this.role = value,
                "itemprop" => this.itemprop = Some(value),
                "property" => this.property = Some(value),
                _ => {}
            }
        }
        this
    }

    fn key(&self) -> Names<'a> {
        (self.class, self.id, self.role, self.itemprop.unwrap_or_default())
    }
}

/// Names of the features that tell how far these are.
pub(super) const IN_TAGS: [&str; TAGS.len()] = [
    "in_article",
    "in_main",
    "in_nav",
    "in_aside",
    "in_footer",
    "in_header",
    "in_form",
    "in_ul",
    "in_ol",
    "in_table",
    "in_figure",
    "in_button",
    "in_section",
    "in_blockquote",
    "in_pre",
    "in_dl",
    "in_select",
    "in_figcaption",
    "in_details",
    "in_a",
];

/// A line of visible text.
#[derive(Clone, Debug)]
pub(super) struct Block<'a> {
    pub(super) text: &'a str,
    pub(super) span: Span,
    /// Index of the innermost block element.
    pub(super) element: usize,
    /// Index of the innermost element of its first text.
    pub(super) inner: usize,
    pub(super) chars: usize,
    pub(super) words: usize,
    pub(super) link_chars: usize,
    pub(super) bold_chars: usize,
    pub(super) italic_chars: usize,
    pub(super) commas: usize,
    pub(super) digits: usize,
    pub(super) capitals: usize,
    pub(super) wide: usize,
    /// 0, or 1 to 6.
    pub(super) heading: u8,
    pub(super) ends: bool,
    pub(super) phrase: Option<(Phrase, bool)>,
    /// Letters, folded.
    pub(super) hash: u64,
}

impl Block<'_> {
    /// Share of its characters that are links.
    pub(super) fn linked(&self) -> f32 {
        ratio(self.link_chars, self.chars)
    }

    /// Whether it reads like sentences: long and hardly linked. Signs of East Asian scripts count double.
    pub(super) fn is_good(&self) -> bool {
        self.chars + self.wide >= LONG && self.link_chars * 3 < self.chars
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares and logarithms need no more")]
pub(super) fn ratio(part: usize, whole: usize) -> f32 {
    part as f32 / whole.max(1) as f32
}

/// What the head of a page says.
#[derive(Debug, Default)]
pub(super) struct Head<'a> {
    /// Text of `<title>`.
    pub(super) title: Option<String>,
    /// `name`, `property`, `itemprop` or `http-equiv` in small letters, and `content`.
    pub(super) metas: Vec<(String, &'a str)>,
    /// JSON-LD, as written.
    pub(super) json: Vec<&'a str>,
    /// `<html lang>`.
    pub(super) language: Option<&'a str>,
    /// `<time datetime>` and elements with `itemprop`: element, name, value if it is an attribute.
    pub(super) marked: Vec<(NodeId, &'a str, Option<&'a str>)>,
}

/// A page, taken apart.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    pub(super) elements: Vec<Element<'a>>,
    pub(super) blocks: Vec<Block<'a>>,
    pub(super) head: Head<'a>,
    /// Alternative texts and addresses of pictures, by the block before which they stand.
    pub(super) images: Vec<(usize, NodeId)>,
    /// Pictures, frames and players.
    pub(super) media: Vec<Medium>,
}

/// A picture, frame or player of a page.
#[derive(Debug)]
pub(super) struct Medium {
    pub(super) node: NodeId,
    /// Index of the element in which it stands.
    pub(super) parent: usize,
    /// Where the text before it ends.
    pub(super) after: usize,
}

fn is_wide(c: char) -> bool {
    matches!(c, '\u{2E80}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}' | '\u{F900}'..='\u{FAFF}' | '\u{FF00}'..='\u{FFEF}' | '\u{20000}'..='\u{3FFFF}')
}

/// The text line by line; lines that `<pre>` keeps apart are one piece of content.
fn pieces(page: &Page) -> Vec<&str> {
    let mut kept = page.text.kept_lines().iter().peekable();
    let text = page.text.as_str();
    let (mut out, mut begin) = (Vec::new(), 0);
    for (at, (byte, c)) in text.char_indices().enumerate() {
        if c != '\n' {
            continue;
        }
        while kept.next_if(|span| span.1 <= at).is_some() {}
        if kept.peek().is_none_or(|span| span.0 > at) {
            out.push(&text[begin..byte]);
            begin = byte + 1;
        }
    }
    out.push(&text[begin..]);
    out
}

fn lines(page: &Page) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut at = 0;
    for text in pieces(page) {
        let mut block = Block {
            text,
            span: Span(at, at),
            element: 0,
            inner: 0,
            chars: 0,
            words: 0,
            link_chars: 0,
            bold_chars: 0,
            italic_chars: 0,
            commas: 0,
            digits: 0,
            capitals: 0,
            wide: 0,
            heading: 0,
            ends: false,
            phrase: None,
            hash: 0,
        };
        let mut hash = Mixer::default();
        let mut length = 0;
        let mut last = ' ';
        for c in text.chars() {
            length += 1;
            if c.is_ascii_lowercase() {
                block.words += usize::from(!last.is_alphanumeric());
                hash.write_u32(c.into());
            } else if c == ' ' || c == '\n' {
                last = c;
                continue;
            } else if c.is_alphabetic() {
                block.words += usize::from(!last.is_alphanumeric());
                block.capitals += usize::from(c.is_uppercase());
                block.wide += usize::from(is_wide(c));
                c.to_lowercase().for_each(|c| hash.write_u32(c.into()));
            } else if c.is_numeric() {
                block.words += usize::from(!last.is_alphanumeric());
                block.digits += 1;
            } else if matches!(c, ',' | '،' | '、' | '，' | ';') {
                block.commas += 1;
            }
            block.chars += 1;
            last = c;
        }
        block.words += block.wide / 2;
        block.hash = hash.finish();
        block.span.1 = at + length;
        at += length + 1;
        let tail = text.trim_end_matches(['"', '\'', '”', '’', '»', '“', ')', ' ']);
        block.ends = tail.ends_with(['.', '!', '?', '…', '。', '！', '？', '।', '؟']);
        block.phrase = words::phrase(text);
        if block.chars > 0 {
            blocks.push(block);
        }
    }
    blocks
}

/// Characters of a block that reads like sentences.
const LONG: usize = 80;

/// Deepest level that still counts.
const LEVELS: u16 = u16::MAX - 1;

impl<'a> Stream<'a> {
    /// Walks over a page once.
    pub(super) fn of(page: &'a Page) -> Self {
        let mut this = Self {
            elements: Vec::new(),
            blocks: lines(page),
            head: Head::default(),
            images: Vec::new(),
            media: Vec::new(),
        };
        let mut after = 0;
        let mut texts = page.text.nodes().iter().peekable();
        let mut open: Vec<usize> = Vec::new();
        // Links, bold and italic elements that are open.
        let (mut links, mut bold, mut italic) = (0usize, 0usize, 0usize);
        let mut skip: Option<NodeId> = None;
        let mut line = 0;
        let mut begun = usize::MAX;
        let mut names: HashMap<Names<'_>, (u32, u64), Mixed> = HashMap::default();
        let mut twins: HashMap<(usize, u64), u32, Mixed> = HashMap::default();
        for edge in page.html.tree.root().traverse() {
            match edge {
                Edge::Open(node) => {
                    let element = match node.value() {
                        Node::Element(element) => element,
                        Node::Text(_) if skip.is_none() => {
                            let Some((span, _)) = texts.next_if(|(_, id)| *id == node.id()) else {
                                continue;
                            };
                            after = span.1;
                            while this.blocks.get(line).is_some_and(|b| b.span.1 < span.1) {
                                line += 1;
                            }
                            let top = open.last().copied().unwrap_or(0);
                            let chars = page
                                .text
                                .slice(*span)
                                .chars()
                                .filter(|c| !c.is_whitespace())
                                .count();
                            let Some(block) = this.blocks.get_mut(line) else {
                                continue;
                            };
                            if begun != line {
                                begun = line;
                                block.inner = top;
                                block.element = open
                                    .iter()
                                    .rev()
                                    .copied()
                                    .find(|e| this.elements[*e].sign & 1 == 1)
                                    .unwrap_or(top);
                                block.heading = heading(&this.elements, top);
                            }
                            block.link_chars += if links > 0 { chars } else { 0 };
                            block.bold_chars += if bold > 0 { chars } else { 0 };
                            block.italic_chars += if italic > 0 { chars } else { 0 };
                            if let Some(element) = this.elements.get_mut(top) {
                                element.chars += chars;
                                element.link_chars += if links > 0 { chars } else { 0 };
                            }
                            continue;
                        }
                        _ => continue,
                    };
                    let named = Named::of(element);
                    this.head.note(node, element, &named);
                    if skip.is_some() {
                        continue;
                    }
                    let name = element.name();
                    let parent = open.last().copied().unwrap_or(0);
                    if matches!(name, "img" | "embed" | "iframe" | "object" | "video" | "audio") {
                        this.media.push(Medium {
                            node: node.id(),
                            parent,
                            after,
                        });
                    }
                    if page.text.hides(node.id()) {
                        skip = Some(node.id());
                        continue;
                    }
                    let key = named.key();
                    let (parts, hash) = if key == Default::default() {
                        (0, 0)
                    } else {
                        *names.entry(key).or_insert_with(|| of_names(key))
                    };
                    let mut hasher = Mixer::default();
                    (name, hash).hash(&mut hasher);
                    // The lowest bit says whether the element is a block.
                    let sign = hasher.finish() & !1 | u64::from(is_block(element));
                    let own = this.elements.len();
                    let mut made = Element {
                        parent,
                        node: node.id(),
                        name,
                        depth: 0,
                        parts,
                        near: [FAR; PARTS],
                        tags: [FAR; TAGS.len()],
                        sign,
                        path: sign,
                        twins: 1,
                        chars: 0,
                        link_chars: 0,
                        good: 0,
                        blocks: 0,
                        images: 0,
                        links: usize::from(name == "a"),
                        commas: 0,
                    };
                    if let Some(above) = this.elements.get(parent) {
                        made.near = above.near;
                        made.tags = above.tags;
                        made.near.iter_mut().for_each(|n| *n = n.saturating_add(1));
                        made.tags.iter_mut().for_each(|n| *n = n.saturating_add(1));
                        made.depth = (above.depth + 1).min(LEVELS);
                        (above.path, sign).hash(&mut hasher);
                        made.path = hasher.finish();
                    }
                    if !matches!(name, "html" | "body") {
                        for (at, near) in made.near.iter_mut().enumerate() {
                            if parts & (1 << at) != 0 {
                                *near = 0;
                            }
                        }
                    }
                    if let Some(at) = tag(name) {
                        made.tags[at] = 0;
                    }
                    *twins.entry((parent, sign)).or_default() += 1;
                    if name == "img" {
                        this.images.push((line, node.id()));
                        made.images = 1;
                    }
                    links += usize::from(name == "a");
                    bold += usize::from(matches!(name, "b" | "strong"));
                    italic += usize::from(matches!(name, "i" | "em"));
                    this.elements.push(made);
                    open.push(own);
                }
                Edge::Close(node) => {
                    if skip == Some(node.id()) {
                        skip = None;
                    } else if skip.is_none()
                        && let Node::Element(element) = node.value()
                        && open.pop().is_some()
                    {
                        links -= usize::from(element.name() == "a");
                        bold -= usize::from(matches!(element.name(), "b" | "strong"));
                        italic -= usize::from(matches!(element.name(), "i" | "em"));
                    }
                }
            }
        }
        this.sum(&twins);
        this
    }

    fn sum(&mut self, twins: &HashMap<(usize, u64), u32, Mixed>) {
        for block in &self.blocks {
            let good = if block.is_good() { block.chars } else { 0 };
            if let Some(element) = self.elements.get_mut(block.element) {
                element.good += good;
                element.blocks += 1;
                element.commas += block.commas;
            }
        }
        for at in (0..self.elements.len()).rev() {
            let (head, tail) = self.elements.split_at_mut(at);
            let element = &mut tail[0];
            element.twins = twins.get(&(element.parent, element.sign)).copied().unwrap_or(1);
            if let Some(parent) = head.get_mut(element.parent) {
                parent.chars += element.chars;
                parent.link_chars += element.link_chars;
                parent.good += element.good;
                parent.blocks += element.blocks;
                parent.images += element.images;
                parent.links += element.links;
                parent.commas += element.commas;
            }
        }
    }

    /// Elements from one up to the root.
    pub(super) fn up(&self, from: usize) -> impl Iterator<Item = usize> + '_ {
        let mut next = (from < self.elements.len()).then_some(from);
        std::iter::from_fn(move || {
            let at = next?;
            let parent = self.elements[at].parent;
            next = (parent != at).then_some(parent);
            Some(at)
        })
    }
}

/// Parts of names, and a hash of them without numbers.
fn of_names((class, id, role, itemprop): (&str, &str, &str, &str)) -> (u32, u64) {
    let mut hash = Mixer::default();
    for c in class.bytes().filter(|b| !b.is_ascii_digit()) {
        hash.write_u8(c);
    }
    (
        words::parts(&format!("{class} {id} {role} {itemprop}")),
        hash.finish(),
    )
}

/// Level of the heading around an element.
fn heading(elements: &[Element<'_>], from: usize) -> u8 {
    let mut at = from;
    for _ in 0..6 {
        let Some(element) = elements.get(at) else {
            return 0;
        };
        if let [b'h', level @ b'1'..=b'6'] = element.name.as_bytes() {
            return level - b'0';
        }
        if element.parent == at {
            return 0;
        }
        at = element.parent;
    }
    0
}

/// JSON-LD of one page that is read, in bytes.
const MAX_JSON: usize = 1 << 20;
/// Metas and marked elements of one page that are read.
const MAX_MARKED: usize = 512;

impl<'a> Head<'a> {
    fn note(&mut self, node: ego_tree::NodeRef<'a, Node>, element: &'a Tag, named: &Named<'a>) {
        match element.name() {
            "html" => self.language = element.attr("lang").or_else(|| element.attr("xml:lang")),
            "title" if self.title.is_none() => {
                let text: String = node
                    .children()
                    .filter_map(|c| c.value().as_text().map(|t| &**t))
                    .collect();
                self.title = Some(crate::lang::spaces(&text)).filter(|t| !t.is_empty());
            }
            "meta" if self.metas.len() < MAX_MARKED => {
                let name = ["property", "name", "itemprop", "http-equiv"]
                    .iter()
                    .find_map(|a| element.attr(a));
                if let (Some(name), Some(content)) = (name, element.attr("content")) {
                    self.metas.push((name.trim().to_ascii_lowercase(), content));
                }
            }
            "script"
                if element
                    .attr("type")
                    .is_some_and(|t| t.trim().eq_ignore_ascii_case("application/ld+json")) =>
            {
                let text = node.children().find_map(|c| c.value().as_text().map(|t| &**t));
                let read: usize = self.json.iter().map(|j| j.len()).sum();
                self.json.extend(text.filter(|t| read + t.len() <= MAX_JSON));
            }
            "time" if self.marked.len() < MAX_MARKED => {
                let name = element.attr("itemprop").unwrap_or("time");
                self.marked.push((node.id(), name, element.attr("datetime")));
            }
            _ if self.marked.len() < MAX_MARKED => {
                if let Some(name) = named.itemprop.or(named.property) {
                    self.marked.push((
                        node.id(),
                        name,
                        element.attr("content").or_else(|| element.attr("datetime")),
                    ));
                }
            }
            _ => {}
        }
    }

    /// Content of the first meta of these names, in their order.
    pub(super) fn meta(&self, names: &[&str]) -> Option<(String, &'a str)> {
        names.iter().find_map(|name| {
            let found = self
                .metas
                .iter()
                .find(|(n, c)| n == name && !c.trim().is_empty())?;
            Some((found.0.clone(), found.1))
        })
    }
}

/// Whether one of these parts or tags stands fewer than so many steps around an element, itself included.
pub(super) fn is_of(element: &Element<'_>, steps: usize, parts: &[Part], tags: &[&str]) -> bool {
    let near = |n: u8| n != FAR && usize::from(n) < steps;
    let mut tagged = TAGS.iter().zip(element.tags).filter(|(t, _)| tags.contains(t));
    parts.iter().any(|p| near(element.near[*p as usize])) || tagged.any(|(_, n)| near(n))
}

/// Whether an element tells a part itself.
pub(super) fn tells(element: &Element<'_>, part: Part) -> bool {
    element.parts & part.bit() != 0
}

/// Whether an element begins a line.
pub(super) fn is_block_of(element: &Element<'_>) -> bool {
    element.sign & 1 == 1
}
