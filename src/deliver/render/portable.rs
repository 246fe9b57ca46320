//! Portable Text (github.com/portabletext/portabletext): blocks of spans with marks, as Sanity and others store it.

use super::address;
use crate::document::{Block, Image, Inline, Mark, MarkKind};
use serde_json::{Value, json};

/// The blocks as an array of Portable Text.
#[must_use]
pub fn portable_text(blocks: &[Block]) -> Value {
    let mut keys = Keys(0);
    let mut out = Vec::new();
    for block in blocks {
        write(block, &mut out, &mut keys, 1);
    }
    Value::Array(out)
}

/// Text of a page: what would be read as the end of a token is no character of any script.
fn own(text: &str) -> String {
    text.replace([super::OPEN, super::CLOSE], "\u{FFFD}")
}

/// `_key`s are unique in their array; ours count, so that the same document gives the same text.
struct Keys(usize);

impl Keys {
    fn next(&mut self) -> String {
        self.0 += 1;
        format!("k{:04}", self.0)
    }
}

fn write(block: &Block, out: &mut Vec<Value>, keys: &mut Keys, level: usize) {
    match block {
        Block::Paragraph { text, marks, .. } => out.push(text_block("normal", text, marks, keys)),
        Block::Heading {
            level, text, marks, ..
        } => {
            out.push(text_block(
                &format!("h{}", level.clamp(&1, &6)),
                text,
                marks,
                keys,
            ));
        }
        Block::Quote { text, marks, .. } => out.push(text_block("blockquote", text, marks, keys)),
        Block::List {
            ordered,
            start,
            counting,
            reversed,
            items,
            ..
        } => {
            for item in items {
                let mut line = text_block("normal", &item.content.text, &item.content.marks, keys);
                line["listItem"] = if *ordered { "number" } else { "bullet" }.into();
                line["level"] = level.into();
                if let Some(start) = start {
                    line["start"] = (*start).into();
                }
                if let Some(counting) = counting {
                    line["counting"] = json!(counting);
                }
                if *reversed {
                    line["reversed"] = true.into();
                }
                out.push(line);
                for child in &item.children {
                    write(child, out, keys, level + 1);
                }
            }
        }
        Block::Table { table, .. } => {
            let rows: Vec<Value> = table
                .rows
                .iter()
                .map(|row| {
                    let cells: Vec<Value> = row
                        .iter()
                        .filter(|c| c.origin.is_none())
                        .map(|c| {
                            json!({ "_type": "cell", "_key": keys.next(), "header": c.header, "rowspan": c.rowspan,
                                "colspan": c.colspan, "content": [text_block("normal", &c.content.text, &c.content.marks, keys)] })
                        })
                        .collect();
                    json!({ "_type": "row", "_key": keys.next(), "cells": cells })
                })
                .collect();
            out.push(json!({ "_type": "table", "_key": keys.next(), "units": table.units.as_deref().map(own), "headerRows": table.header_rows,
                "caption": table.caption.as_ref().map(|c| vec![text_block("normal", &c.text, &c.marks, keys)]), "rows": rows,
                "footnotes": table.footnotes.iter().map(|f| text_block("normal", &f.text, &f.marks, keys)).collect::<Vec<_>>() }));
        }
        Block::Image { image, .. } => out.push(picture(image, keys)),
        Block::Gallery { lead, items, .. } => {
            let images: Vec<Value> = items.iter().map(|i| picture(i, keys)).collect();
            out.push(json!({ "_type": "gallery", "_key": keys.next(), "lead": lead.as_deref().map(own), "images": images }));
        }
        Block::Code { text, .. } => {
            out.push(json!({ "_type": "code", "_key": keys.next(), "code": own(text) }));
        }
        Block::File { media, text, .. } => {
            out.push(
                json!({ "_type": "file", "_key": keys.next(), "url": address(media), "text": own(text) }),
            );
        }
        Block::Embed { url, text, .. } => {
            out.push(
                json!({ "_type": "embed", "_key": keys.next(), "url": own(&super::html::safe(url)), "text": own(text) }),
            );
        }
        Block::RawHtml { html, text, .. } => {
            out.push(json!({ "_type": "html", "_key": keys.next(), "html": super::html::clean(html), "text": own(text) }));
        }
    }
}

fn picture(image: &Image, keys: &mut Keys) -> Value {
    let caption = image
        .caption
        .as_ref()
        .map(|Inline { text, marks }| text_block("normal", text, marks, keys));
    json!({ "_type": "image", "_key": keys.next(), "url": address(&image.media), "alt": image.alt.as_deref().map(own),
        "credit": image.credit.as_deref().map(own),
        "caption": caption.map(|c| vec![c]) })
}

/// One block of text: its spans end where a mark begins or ends.
fn text_block(style: &str, text: &str, marks: &[Mark], keys: &mut Keys) -> Value {
    let chars: Vec<char> = own(text).chars().collect();
    let mut bounds: Vec<usize> = marks
        .iter()
        .flat_map(|m| [m.chars.0, m.chars.1])
        .chain([0, chars.len()])
        .filter(|b| *b <= chars.len())
        .collect();
    bounds.sort_unstable();
    bounds.dedup();
    let mut definitions = Vec::new();
    let names: Vec<String> = marks
        .iter()
        .map(|mark| match (mark.kind, &mark.target) {
            (MarkKind::Link, Some(target)) => {
                let key = keys.next();
                definitions.push(json!({ "_type": "link", "_key": key, "href": super::link(target) }));
                key
            }
            (kind, _) => decorator(kind).to_owned(),
        })
        .collect();
    let mut spans: Vec<Value> = bounds
        .windows(2)
        .map(|pair| {
            let over: Vec<&String> = marks
                .iter()
                .zip(&names)
                .filter(|(m, _)| m.chars.0 <= pair[0] && m.chars.1 >= pair[1])
                .map(|(_, name)| name)
                .collect();
            let text: String = chars[pair[0]..pair[1]].iter().collect();
            json!({ "_type": "span", "_key": keys.next(), "text": text, "marks": over })
        })
        .collect();
    if spans.is_empty() {
        spans.push(json!({ "_type": "span", "_key": keys.next(), "text": "", "marks": [] }));
    }
    json!({ "_type": "block", "_key": keys.next(), "style": style, "markDefs": definitions, "children": spans })
}

const fn decorator(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Link => "underline",
        MarkKind::Bold => "strong",
        MarkKind::Italic => "em",
        MarkKind::Underline => "underline",
        MarkKind::Strike => "strike-through",
        MarkKind::Sup => "sup",
        MarkKind::Sub => "sub",
        MarkKind::Code => "code",
        // A range without characters is on no span.
        MarkKind::Anchor => "anchor",
    }
}
