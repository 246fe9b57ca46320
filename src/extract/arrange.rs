//! What belongs together: captions to pictures, pictures to galleries, list paragraphs to lists, units to tables.

use super::block::{Builder, Item, Kind};
use super::inline::ITALIC;
use crate::document::{Align, Block, Image, Inline, LinkKind, ListItem, Span};
use crate::lang::{Language, fold};

/// Longest caption, in characters.
const CAPTION: usize = 300;

pub(super) fn arrange(builder: &Builder<'_>, items: Vec<Item>) -> Vec<Block> {
    let language = builder.context.language();
    let mut blocks: Vec<Block> = Vec::new();
    let mut run: Vec<(Image, Span)> = Vec::new();
    let mut waiting: Option<(Inline, Span)> = None;
    let mut last_row = None;
    // Whether the last block is a list of Word paragraphs, which the next one continues.
    let mut word_list = false;
    for item in items {
        match item {
            Item::Image {
                mut image,
                row,
                row_is_bare,
            } => {
                let mut span = Span(0, 0);
                if let Some((caption, at)) = waiting.take() {
                    set(&mut image, caption, "figcaption", language);
                    span = at;
                }
                last_row = row.filter(|_| row_is_bare);
                run.push((image, span));
            }
            Item::Text {
                chars,
                kind,
                align,
                row,
            } => {
                let (text, span) = builder.inline(&chars);
                if text.text.is_empty() {
                    continue;
                }
                if let Some((image, at)) = run.last_mut()
                    && image.caption.is_none()
                    && text.text.chars().count() <= CAPTION
                {
                    let folded = fold(&text.text);
                    let italic = chars
                        .iter()
                        .filter(|c| !c.c.is_whitespace())
                        .all(|c| c.flags & ITALIC != 0);
                    let method = if kind == Kind::Caption {
                        Some("figcaption")
                    } else if last_row.is_some() && row.is_some() && last_row != row {
                        Some("table-row")
                    } else if kind == Kind::Paragraph
                        && (align == Some(Align::Center)
                            || italic
                            || language.is_some_and(|l| l.is_caption(&folded)))
                        && !text.text.ends_with(':')
                    {
                        Some("paragraph-after")
                    } else {
                        None
                    };
                    if let Some(method) = method {
                        set(image, text, method, language);
                        *at = span;
                        last_row = None;
                        continue;
                    }
                }
                if kind == Kind::Caption && run.is_empty() {
                    if let Some((text, span)) = waiting.replace((text, span)) {
                        blocks.push(paragraph(builder, text, None, span));
                    }
                    continue;
                }
                pictures(builder, &mut run, &mut blocks);
                let joins = std::mem::replace(&mut word_list, matches!(kind, Kind::Word(_)));
                let joins = joins && matches!(blocks.last(), Some(Block::List { .. }));
                push_text(builder, &mut blocks, text, (kind, joins), align, span, &chars);
            }
            Item::Block(block) => {
                word_list = false;
                pictures(builder, &mut run, &mut blocks);
                if let Some((text, span)) = waiting.take() {
                    blocks.push(paragraph(builder, text, None, span));
                }
                let block = units(&mut blocks, block, language);
                blocks.push(block);
            }
        }
    }
    pictures(builder, &mut run, &mut blocks);
    if let Some((text, span)) = waiting.take() {
        blocks.push(paragraph(builder, text, None, span));
    }
    blocks
}

fn set(image: &mut Image, caption: Inline, method: &str, language: Option<&Language>) {
    image.credit = language.and_then(|l| l.credit(&caption.text)).map(str::to_owned);
    image.caption = Some(caption);
    image.caption_method = Some(method.into());
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
    (kind, joins): (Kind, bool),
    align: Option<Align>,
    span: Span,
    chars: &[super::inline::Ch],
) {
    let src = builder.source(span);
    match kind {
        Kind::Word(numbered) => {
            let item = ListItem {
                content: text,
                children: Vec::new(),
            };
            if let Some(Block::List { ordered, items, src }) = blocks.last_mut()
                && joins
                && *ordered == numbered
            {
                items.push(item);
                src.chars.1 = span.1;
            } else {
                blocks.push(Block::List {
                    ordered: numbered,
                    items: vec![item],
                    src,
                });
            }
        }
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
        Kind::Paragraph | Kind::Caption => {
            let mut links = chars.iter().filter(|c| !c.c.is_whitespace()).map(|c| c.link);
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

fn join(a: Span, b: Span) -> Span {
    match (a.is_empty(), b.is_empty()) {
        (true, _) => b,
        (_, true) => a,
        _ => Span(a.0.min(b.0), a.1.max(b.1)),
    }
}

/// The unit line directly before a table belongs to it.
fn units(blocks: &mut Vec<Block>, mut block: Block, language: Option<&Language>) -> Block {
    if let Block::Table { table, src } = &mut block
        && let Some(Block::Paragraph { text, src: from, .. }) =
            blocks.pop_if(|b| matches!(b, Block::Paragraph { text, .. } if language.is_some_and(|l| l.is_unit(&fold(text)))))
    {
        table.units = Some(text);
        src.chars = join(from.chars, src.chars);
    }
    block
}
