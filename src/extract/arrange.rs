//! What belongs together: captions to pictures, pictures to galleries, list paragraphs to lists, units and notes to tables,
//! bold lines to what they head.

use super::block::{Builder, Item};
use super::frame::Kind;
use super::inline::ITALIC;
use super::line::Line;
use super::picture::Figure;
use super::titles;
use super::word::{Lists, Marker};
use crate::document::{Align, Block, Image, Inline, LinkKind, Mark, MarkKind, Source, Span};
use crate::lang::{Language, fold};

/// Longest caption, in characters.
pub(super) const CAPTION: usize = 300;

/// Longest caption of several lines, in characters.
const WHOLE: usize = 2 * CAPTION;

/// Longest line that heads what follows, in characters.
const HEADING: usize = 120;

pub(super) fn arrange(builder: &Builder<'_>, items: Vec<Item>) -> Vec<Block> {
    let mut state = State {
        builder,
        language: builder.context.language(),
        blocks: Vec::new(),
        run: Vec::new(),
        waiting: None,
        led: false,
        row: None,
        lists: Lists::default(),
        named: false,
    };
    for item in items {
        state.item(item);
    }
    state.settle();
    for block in &mut state.blocks {
        if let Block::Table { table, .. } = block
            && table.caption.is_none()
        {
            table.caption_method = None;
        }
    }
    state.blocks
}

struct State<'a, 'b> {
    builder: &'a Builder<'b>,
    language: Option<&'static Language>,
    blocks: Vec<Block>,
    /// Pictures in sequence so far.
    run: Vec<(Image, Span)>,
    /// A caption that stands before its picture.
    waiting: Option<(Inline, Span)>,
    /// Whether the last picture's caption stood before it.
    led: bool,
    /// Row of the last picture, and what its table is to it.
    row: Option<(ego_tree::NodeId, Figure)>,
    lists: Lists,
    /// Whether the last block is a paragraph that a class calls a caption.
    named: bool,
}

impl State<'_, '_> {
    /// Ends what is open: pictures, lists, a caption that found no picture.
    fn settle(&mut self) {
        pictures(self.builder, &mut self.run, &mut self.blocks);
        self.blocks.extend(self.lists.finish());
        if let Some((text, span)) = self.waiting.take() {
            self.blocks.push(paragraph(self.builder, text, None, span));
        }
    }

    fn item(&mut self, item: Item) {
        match item {
            Item::Image {
                mut image,
                row,
                table,
            } => {
                self.blocks.extend(self.lists.finish());
                let mut span = Span(0, 0);
                self.led = self.waiting.is_some();
                if let Some((caption, at)) = self.waiting.take() {
                    set(&mut image, caption, "figcaption", self.language);
                    span = at;
                }
                self.row = row.map(|r| (r, table));
                self.run.push((image, span));
            }
            Item::Text {
                line,
                kind,
                marker,
                align,
                row,
            } => {
                let (text, span) = self.builder.inline(&line);
                if text.text.is_empty() {
                    return;
                }
                let italic = line.letters().all(|(_, run)| run.flags & ITALIC != 0);
                if let Some(method) = self.caption(&text, kind, align, row, italic) {
                    if let Some((image, at)) = self.run.last_mut() {
                        set(image, text, method, self.language);
                        *at = join(*at, span);
                    }
                    self.row = None;
                    return;
                }
                if kind == Kind::Caption && (self.run.is_empty() || self.led) {
                    pictures(self.builder, &mut self.run, &mut self.blocks);
                    self.blocks.extend(self.lists.finish());
                    if let Some((text, span)) = self.waiting.replace((text, span)) {
                        self.blocks.push(paragraph(self.builder, text, None, span));
                    }
                    return;
                }
                pictures(self.builder, &mut self.run, &mut self.blocks);
                // No picture came: it stays where it stands.
                if let Some((text, span)) = self.waiting.take() {
                    self.blocks.extend(self.lists.finish());
                    self.blocks.push(paragraph(self.builder, text, None, span));
                }
                if let (Kind::Word(level), Some(marker)) = (kind, &marker) {
                    self.push_marked(level, marker, text, span);
                    return;
                }
                self.blocks.extend(self.lists.finish());
                if self.belongs_to_table(&text, kind, span) {
                    return;
                }
                self.named = kind == Kind::Named;
                push_text(self.builder, &mut self.blocks, text, kind, align, span, &line);
            }
            Item::Block(block) => self.block(block),
        }
    }

    fn push_marked(&mut self, level: u8, marker: &Marker, text: Inline, span: Span) {
        self.named = false;
        self.lists.push(level, marker, text, span);
    }

    fn block(&mut self, mut block: Block) {
        pictures(self.builder, &mut self.run, &mut self.blocks);
        self.blocks.extend(self.lists.finish());
        let waiting = self.waiting.take();
        if let Block::Table { table, src } = &mut block
            && table.caption.is_none()
        {
            if let Some((text, span)) = waiting {
                table.caption = Some(text);
                src.chars = join(span, src.chars);
            } else if self.named
                && let Some(Block::Paragraph {
                    text,
                    marks,
                    src: from,
                    ..
                }) = self.blocks.pop_if(|b| matches!(b, Block::Paragraph { .. }))
            {
                table.caption = Some(Inline { text, marks });
                src.chars = join(from.chars, src.chars);
            }
        } else if let Some((text, span)) = waiting {
            self.blocks.push(paragraph(self.builder, text, None, span));
        }
        self.named = false;
        let block = titles::above(&mut self.blocks, block, self.language);
        self.blocks.push(block);
    }

    /// How a text is found to be the caption of the last picture; `None` if it is not.
    fn caption(
        &self,
        text: &Inline,
        kind: Kind,
        align: Option<Align>,
        row: Option<ego_tree::NodeId>,
        italic: bool,
    ) -> Option<&'static str> {
        let (image, _) = self.run.last()?;
        let told = image.caption.as_ref().map_or(0, |c| c.text.chars().count());
        if told + text.text.chars().count() > if told > 0 { WHOLE } else { CAPTION } {
            return None;
        }
        if told > 0 {
            // Who made the picture, the button that enlarges it: lines of one caption that stand on their own.
            // What only a class calls one may be the next table's.
            return (kind == Kind::Caption && !self.led).then_some("figcaption");
        }
        match kind {
            Kind::Caption => return Some("figcaption"),
            Kind::Named => return Some("class"),
            Kind::Cell => return Some("table-cell"),
            _ => {}
        }
        match (self.row, row) {
            (Some((own, Figure::Rows)), Some(row)) if own != row => return Some("table-row"),
            (Some((_, Figure::Whole)), Some(_)) => return Some("table-cell"),
            _ => {}
        }
        let stands_out = align == Some(Align::Center)
            || italic
            || self.language.is_some_and(|l| l.is_caption(&fold(&text.text)));
        (kind == Kind::Paragraph && stands_out && !text.text.ends_with(':')).then_some("paragraph-after")
    }

    /// Gives a text to the table before it, if it is its caption or one of its notes.
    fn belongs_to_table(&mut self, text: &Inline, kind: Kind, span: Span) -> bool {
        let Some(Block::Table { table, src }) = self.blocks.last_mut() else {
            return false;
        };
        if kind == Kind::TableCaption && table.caption.is_none() {
            table.caption = Some(text.clone());
            table.caption_method = None;
        } else if matches!(kind, Kind::Paragraph | Kind::Named)
            && super::table::is_note(&text.text, self.language)
        {
            table.footnotes.push(text.clone());
        } else {
            return false;
        }
        src.chars = join(src.chars, span);
        true
    }
}

/// Lines in bold that head what follows become headings: a guess, which the rule of the block says.
pub(super) fn headings(blocks: &mut [Block], language: Option<&Language>) {
    let texts = blocks.iter().filter(|b| {
        matches!(
            b,
            Block::Paragraph { .. } | Block::List { .. } | Block::Quote { .. }
        )
    });
    let plain = texts.clone().filter(|b| !is_bold(b)).count();
    let letters = |b: &Block| b.text().chars().count();
    let plain_letters: usize = texts.filter(|b| !is_bold(b)).map(letters).sum();
    let found: Vec<(usize, u8)> = blocks
        .iter()
        .enumerate()
        .filter_map(|(at, block)| Some((at, heading_level(block, language)?)))
        .collect();
    let heads: usize = found.iter().map(|(at, _)| letters(&blocks[*at])).sum();
    // A text that is mostly bold says nothing by it.
    if plain < 2 || heads > plain_letters {
        return;
    }
    // From the end, so that a heading may be followed by a heading.
    let mut heads = vec![false; blocks.len()];
    for (at, _) in found.iter().rev() {
        heads[*at] = match blocks.get(at + 1) {
            None
            | Some(Block::Image { .. } | Block::Gallery { .. } | Block::Embed { .. } | Block::File { .. }) => {
                false
            }
            Some(next) => !is_bold(next) || heads[at + 1],
        };
    }
    for (at, level) in found.into_iter().filter(|(at, _)| heads[*at]) {
        if let Block::Paragraph { text, marks, src, .. } = &mut blocks[at] {
            blocks[at] = Block::Heading {
                level,
                text: std::mem::take(text),
                marks: std::mem::take(marks),
                src: Source {
                    rule: "bold-line".into(),
                    chars: src.chars,
                },
            };
        }
    }
}

/// Whether all of a paragraph is bold.
pub(super) fn is_bold(block: &Block) -> bool {
    let Block::Paragraph { text, marks, .. } = block else {
        return false;
    };
    covered(marks, MarkKind::Bold) >= text.chars().count()
}

fn covered(marks: &[Mark], kind: MarkKind) -> usize {
    marks
        .iter()
        .filter(|m| m.kind == kind)
        .map(|m| m.chars.len())
        .sum()
}

/// The level that a bold line would have as a heading. Levels follow the numbering of administrative texts (Nghị định
/// 30/2020/NĐ-CP, Phụ lục I: phần, chương, mục, tiểu mục, điều, khoản, điểm).
fn heading_level(block: &Block, language: Option<&Language>) -> Option<u8> {
    let Block::Paragraph {
        text, marks, align, ..
    } = block
    else {
        return None;
    };
    let length = text.chars().count();
    let fits = (3..=HEADING).contains(&length)
        && is_bold(block)
        && *align != Some(Align::Right)
        && covered(marks, MarkKind::Italic) == 0
        && covered(marks, MarkKind::Link) == 0
        && !text.contains('\n')
        && !text.ends_with(['.', ',', ';', ':'])
        && text.chars().any(char::is_alphabetic)
        && !language.is_some_and(|l| l.is_caption(&fold(text)) || l.is_unit(&fold(text)));
    if !fits {
        return None;
    }
    let first = text.split_whitespace().next().unwrap_or_default();
    let number = first.strip_suffix(['.', ')']);
    let is = |all: fn(char) -> bool| number.is_some_and(|n| !n.is_empty() && n.chars().all(all));
    Some(if is(|c| "IVXLC".contains(c)) {
        2
    } else if is(|c| c.is_ascii_digit()) {
        3
    } else if is(|c| c.is_ascii_digit() || c == '.') || is(|c| c.is_ascii_lowercase()) {
        4
    } else if *align == Some(Align::Center) || !text.chars().any(char::is_lowercase) {
        2
    } else {
        3
    })
}

fn set(image: &mut Image, caption: Inline, method: &str, language: Option<&Language>) {
    let credit = language.and_then(|l| l.credit(&caption.text)).map(str::to_owned);
    image.credit = credit.or(image.credit.take());
    match &mut image.caption {
        None => {
            image.caption = Some(caption);
            image.caption_method = Some(method.into());
        }
        Some(told) => {
            let shift = told.text.chars().count() + 1;
            told.text.push('\n');
            told.text.push_str(&caption.text);
            told.marks.extend(caption.marks.into_iter().map(|mut mark| {
                mark.chars = Span(mark.chars.0 + shift, mark.chars.1 + shift);
                mark
            }));
        }
    }
}

fn paragraph(builder: &Builder<'_>, text: Inline, align: Option<Align>, span: Span) -> Block {
    Block::Paragraph {
        text: text.text,
        marks: text.marks,
        align,
        src: builder.source(span),
    }
}

fn push_text(
    builder: &Builder<'_>,
    blocks: &mut Vec<Block>,
    text: Inline,
    kind: Kind,
    align: Option<Align>,
    span: Span,
    line: &Line,
) {
    let src = builder.source(span);
    match kind {
        Kind::Heading(level) => blocks.push(Block::Heading {
            level,
            text: text.text,
            marks: text.marks,
            src,
        }),
        Kind::Quote => blocks.push(Block::Quote {
            text: text.text,
            marks: text.marks,
            src,
        }),
        _ => {
            if let Some(files) = files(builder, line) {
                blocks.extend(files);
                return;
            }
            let mut links = line.letters().map(|(_, run)| run.link);
            let link = links.next().unwrap_or(0);
            let file = (link > 0 && links.all(|l| l == link)).then(|| &builder.links[link as usize - 1]);
            if let Some(url) = file
                .filter(|l| l.kind == LinkKind::Attachment)
                .and_then(|l| l.resolved.as_ref())
            {
                blocks.push(Block::File {
                    media: format!("url:{url}"),
                    text: text.text,
                    src,
                });
            } else {
                blocks.push(paragraph(builder, text, align, span));
            }
        }
    }
}

/// Lines of which each is the link to a file, as blocks of their own.
fn files(builder: &Builder<'_>, line: &Line) -> Option<Vec<Block>> {
    // Without links at its begin there is nothing to look at.
    line.letters().next().filter(|(_, run)| run.link > 0)?;
    let mut lines = line.lines();
    lines.retain(Line::has_letters);
    if lines.len() < 2 {
        return None;
    }
    let file = |line: &Line| {
        let mut links = line.letters().map(|(_, run)| run.link);
        let first = links.next().filter(|l| *l > 0)?;
        let link = builder.links.get(first as usize - 1)?;
        let url = link
            .resolved
            .as_ref()
            .filter(|_| link.kind == LinkKind::Attachment)?;
        let (text, span) = builder.inline(line);
        links.all(|l| l == first).then(|| Block::File {
            media: format!("url:{url}"),
            text: text.text,
            src: builder.source(span),
        })
    };
    lines.iter().map(file).collect()
}

/// Ends a run of pictures: one is an image block, more are a gallery.
fn pictures(builder: &Builder<'_>, run: &mut Vec<(Image, Span)>, blocks: &mut Vec<Block>) {
    let language = builder.context.language();
    let mut span = Span(0, 0);
    let mut items = Vec::new();
    for (image, at) in run.drain(..) {
        span = join(span, at);
        items.push(image);
    }
    if items.len() < 2 {
        blocks.extend(items.into_iter().map(|image| Block::Image {
            image,
            src: builder.source(span),
        }));
        return;
    }
    let lead = blocks.pop_if(|b| {
        matches!(b, Block::Paragraph { text, .. } if text.ends_with(':') && language.is_some_and(|l| l.announces_pictures(&fold(text))))
    });
    let lead = lead.and_then(|b| match b {
        Block::Paragraph { text, src, .. } => {
            span = join(src.chars, span);
            Some(text)
        }
        _ => None,
    });
    blocks.push(Block::Gallery {
        lead,
        items,
        src: builder.source(span),
    });
}

pub(super) fn join(a: Span, b: Span) -> Span {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b,
        (_, true) => a,
        _ => Span(a.0.min(b.0), a.1.max(b.1)),
    }
}
