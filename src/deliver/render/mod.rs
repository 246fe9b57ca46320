//! Bodies in the forms that targets read: HTML, Gutenberg blocks, Markdown, Portable Text. Pure.
//!
//! Links and media stay tokens: `doc:ID` and `media:HASH` between two private-use characters that no text of a page can
//! bring in (they are escaped there). [`fill`] puts addresses in their place when a target has given some.

mod gutenberg;
mod html;
mod markdown;
mod portable;
mod preview;
mod text;

pub use html::{escape, html};
pub use markdown::{destination, html_blocks, markdown};
pub use portable::portable_text;
pub use preview::preview;
pub(in crate::deliver) use text::lost;
pub use text::{Shown, shown, words};

pub use gutenberg::gutenberg;

use crate::document::{Block, Document, Inline};
use crate::mapping::model::BodyForm;
use std::collections::BTreeSet;

/// A body in the form that a target reads.
#[must_use]
pub fn render(blocks: &[Block], form: BodyForm) -> String {
    match form {
        BodyForm::Html => html(blocks),
        BodyForm::Gutenberg => gutenberg(blocks),
        BodyForm::Markdown => markdown(blocks),
        BodyForm::PortableText => portable_text(blocks).to_string(),
    }
}

/// Begins a token.
pub(super) const OPEN: char = '\u{E000}';
/// Ends a token.
pub(super) const CLOSE: char = '\u{E001}';

/// The place of the address of `token`.
#[must_use]
pub(super) fn slot(token: &str) -> String {
    format!("{OPEN}{token}{CLOSE}")
}

/// The place of the target's id of `token`.
#[must_use]
pub(super) fn id_slot(token: &str) -> String {
    format!("{OPEN}#{token}{CLOSE}")
}

/// Is it something that gets its address from a target?
#[must_use]
pub(super) fn is_token(text: &str) -> bool {
    text.starts_with("doc:") || text.starts_with("media:")
}

/// The address as a body holds it: a token's place, or the URL itself. `url:` marks media whose bytes are not there.
pub(super) fn address(target: &str) -> String {
    if is_token(target) {
        slot(target)
    } else {
        target.strip_prefix("url:").unwrap_or(target).to_owned()
    }
}

/// The address of a link: as [`address`], and nothing that runs.
pub(super) fn link(target: &str) -> String {
    if is_token(target) {
        slot(target)
    } else {
        html::safe(&address(target))
    }
}

/// What a target knows of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Id in the target.
    pub id: String,
    /// Public address.
    pub url: String,
}

/// A body with addresses, and the tokens that have none yet; those get the address that `old` gives.
pub fn fill(
    text: &str,
    known: &dyn Fn(&str) -> Option<Known>,
    old: &dyn Fn(&str) -> String,
    escape_as: fn(&str) -> String,
) -> (String, BTreeSet<String>) {
    let (mut out, mut waiting) = (String::with_capacity(text.len()), BTreeSet::new());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        out.push_str(before);
        let Some((token, tail)) = after.split_once(CLOSE) else {
            rest = after;
            break;
        };
        let (id, token) = match token.strip_prefix('#') {
            Some(token) => (true, token),
            None => (false, token),
        };
        match known(token) {
            Some(found) if id => out.push_str(&found.id),
            Some(found) => out.push_str(&escape_as(&found.url)),
            None => {
                waiting.insert(token.to_owned());
                if id {
                    out.push('0');
                } else {
                    out.push_str(&escape_as(&old(token)));
                }
            }
        }
        rest = tail;
    }
    out.push_str(rest);
    (out, waiting)
}

/// All tokens of a text.
#[must_use]
pub fn tokens(text: &str) -> BTreeSet<String> {
    let all = std::cell::RefCell::new(BTreeSet::new());
    let note = |token: &str| {
        all.borrow_mut().insert(token.to_owned());
        None
    };
    fill(text, &note, &|_| String::new(), str::to_owned);
    all.into_inner()
}

/// Blocks that a document shows behind its body because nothing in the body does: files without a block, a signature.
#[must_use]
pub fn trailing(document: &Document, byline: bool) -> Vec<Block> {
    let mut shown = BTreeSet::new();
    targets(&document.body, &mut shown);
    let source = |rule: &str| crate::document::Source {
        rule: rule.into(),
        chars: Default::default(),
    };
    let mut blocks: Vec<Block> = document
        .attachments
        .iter()
        .filter(|a| !shown.contains(a.reference.as_str()))
        .map(|a| Block::File {
            media: a.reference.clone(),
            text: a
                .caption
                .clone()
                .or_else(|| a.filename.clone())
                .unwrap_or_else(|| a.source_url.clone()),
            src: source("attachments"),
        })
        .collect();
    if let Some(signed) = document.byline.as_ref().filter(|_| byline) {
        blocks.push(Block::Paragraph {
            text: signed.raw.clone(),
            marks: Vec::new(),
            align: Some(crate::document::Align::Right),
            src: source("byline"),
        });
    }
    blocks
}

/// Every target that the blocks name.
fn targets(blocks: &[Block], out: &mut BTreeSet<String>) {
    fn inline(content: &Inline, out: &mut BTreeSet<String>) {
        out.extend(content.marks.iter().filter_map(|m| m.target.clone()));
    }
    for block in blocks {
        match block {
            Block::Paragraph { marks, .. } | Block::Heading { marks, .. } | Block::Quote { marks, .. } => {
                out.extend(marks.iter().filter_map(|m| m.target.clone()));
            }
            Block::List { items, .. } => {
                for item in items {
                    inline(&item.content, out);
                    targets(&item.children, out);
                }
            }
            Block::Table { table, .. } => {
                table.rows.iter().flatten().for_each(|c| inline(&c.content, out));
                table.footnotes.iter().for_each(|f| inline(f, out));
                table.caption.iter().for_each(|c| inline(c, out));
            }
            Block::Image { image, .. } => {
                out.insert(image.media.clone());
                image.caption.iter().for_each(|c| inline(c, out));
            }
            Block::Gallery { items, .. } => {
                for image in items {
                    out.insert(image.media.clone());
                    image.caption.iter().for_each(|c| inline(c, out));
                }
            }
            Block::File { media, .. } => {
                out.insert(media.clone());
            }
            Block::Code { .. } | Block::Embed { .. } | Block::RawHtml { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests;
