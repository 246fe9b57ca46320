//! The lines above a table that are its own: its title, its unit.

use super::arrange::{CAPTION, is_bold, join};
use crate::document::{Align, Block, Inline};
use crate::lang::{Language, fold};

/// Most words of a line that is nothing but the number of a table: "Biểu số 2:".
const NUMBER: usize = 3;

/// Takes the lines that stand directly before a table and are its own.
pub(super) fn above(blocks: &mut Vec<Block>, block: Block, language: Option<&Language>) -> Block {
    let mut block = units(blocks, block, language);
    title(blocks, &mut block, language);
    // The unit may stand above the title.
    units(blocks, block, language)
}

/// The unit line directly before a table belongs to it.
fn units(blocks: &mut Vec<Block>, mut block: Block, language: Option<&Language>) -> Block {
    if let Block::Table { table, src } = &mut block
        && table.units.is_none()
        && let Some(Block::Paragraph { text, src: from, .. }) =
            blocks.pop_if(|b| matches!(b, Block::Paragraph { text, .. } if language.is_some_and(|l| l.is_unit(&fold(text)))))
    {
        table.units = Some(text);
        src.chars = join(from.chars, src.chars);
    }
    block
}

/// The line above a table that is its title by its words ("Bảng 1. …", with the line below that it heads), or by standing out
/// above the line of units.
fn title(blocks: &mut Vec<Block>, block: &mut Block, language: Option<&Language>) {
    let (Block::Table { table, src }, Some(language)) = (block, language) else {
        return;
    };
    // Its `figcaption` may be still to come.
    if table.caption.is_some() || table.caption_method.is_some() {
        return;
    }
    let text = |b: &Block| match b {
        Block::Paragraph { text, .. } | Block::Heading { text, .. } => Some(text.clone()),
        _ => None,
    };
    let short = |b: &Block| text(b).filter(|t| t.chars().count() <= CAPTION);
    let named = |b: &Block| short(b).is_some_and(|t| language.is_table_title(&t));
    let stands_out = |b: &Block| {
        // What is numbered heads a part of the text.
        let numbered = |t: &str| {
            t.split_whitespace()
                .next()
                .is_some_and(|w| w.len() <= 6 && w.ends_with(['.', ')']))
        };
        let told = short(b).is_some_and(|t| !t.ends_with([':', '.', ';']) && !numbered(&t));
        let set = is_bold(b)
            || matches!(b, Block::Heading { .. })
            || matches!(
                b,
                Block::Paragraph {
                    align: Some(Align::Center),
                    ..
                }
            );
        told && set
    };
    // Nothing but its number: what it shows is the next line.
    let number = |b: &Block| named(b) && text(b).is_some_and(|t| t.split_whitespace().count() <= NUMBER);
    let lines = match blocks.as_slice() {
        [.., last] if named(last) => 1,
        [.., first, last] if number(first) && stands_out(last) => 2,
        [.., last] if table.units.is_some() && stands_out(last) && !matches!(last, Block::Heading { .. }) => {
            1
        }
        _ => return,
    };
    for line in blocks.split_off(blocks.len() - lines) {
        src.chars = join(src.chars, line.source().chars);
        if let Block::Paragraph { text, marks, .. } | Block::Heading { text, marks, .. } = line {
            table.caption = super::table::joined(table.caption.take(), Some(Inline { text, marks }));
        }
    }
    table.caption_method = Some("paragraph-before".into());
}
