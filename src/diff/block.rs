//! Blocks of a body against those of another.

use super::align::{Step, align};
use super::parts::parts;
use super::{Change, Class, Ignore, words};
use crate::document::{Block, without_sources};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeSet, HashMap};

/// What became of a block. Places count from 0 in the old and in the new body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum BlockChange {
    /// A new block.
    Added {
        /// Place in the new body.
        new: usize,
        /// Its kind: `paragraph`, `image`, …
        kind: String,
        /// Its text.
        text: String,
    },
    /// A block that is gone.
    Removed {
        /// Place in the old body.
        old: usize,
        /// Its kind.
        kind: String,
        /// Its text.
        text: String,
    },
    /// The same block elsewhere.
    Moved {
        /// Place in the old body.
        old: usize,
        /// Place in the new body.
        new: usize,
        /// Its kind.
        kind: String,
        /// Its text.
        text: String,
    },
    /// A block that says something else.
    Changed {
        /// Place in the old body.
        old: usize,
        /// Place in the new body.
        new: usize,
        /// Its kind, the new one.
        kind: String,
        /// What changed in it: `text`, `links`, `formatting`, `media`, `caption`, `cell 2,3`, …
        parts: Vec<Change>,
    },
}

impl BlockChange {
    /// The kinds of change that it is.
    #[must_use]
    pub fn classes(&self) -> BTreeSet<Class> {
        match self {
            Self::Added { .. } => [Class::BlockAdded].into(),
            Self::Removed { .. } => [Class::BlockRemoved].into(),
            Self::Moved { .. } => [Class::BlockMoved].into(),
            Self::Changed { parts, .. } => parts.iter().map(|p| p.class).collect(),
        }
    }
}

/// Likeness of two blocks of one kind whose texts share no word.
const SAME_KIND: f64 = 0.1;

/// Likeness of two pictures that no text tells apart: one in the place of the other is a swap.
const SAME_PLACE: f64 = 0.5;

/// How two bodies differ, in the order of the new one. A block that differs by noise alone which is ignored is the same one
/// changed, wherever other blocks stand.
#[must_use]
pub fn blocks(old: &[Block], new: &[Block], ignore: &Ignore) -> Vec<BlockChange> {
    let keys = |blocks: &[Block]| -> Vec<String> { blocks.iter().map(|b| key(b, ignore)).collect() };
    let (old_keys, new_keys) = (keys(old), keys(new));
    let same = |x: usize, y: usize| !ignore.is_noisy() || old[x] == new[y];
    if old_keys == new_keys && (0..old.len()).all(|n| same(n, n)) {
        return Vec::new();
    }
    let bags = |blocks: &[Block]| -> Vec<Bag> { blocks.iter().map(Bag::of).collect() };
    let (was, is) = (bags(old), bags(new));
    let alike = |x: usize, y: usize| -> f64 {
        let same = kind(&old[x]) == kind(&new[y]);
        match was[x].likeness(&is[y]) {
            Some(like) if same => like.max(SAME_KIND),
            Some(like) => like,
            None if same => SAME_PLACE,
            None => 0.0,
        }
    };
    let tell = |step| {
        Some(match step {
            Step::Same(x, y) if same(x, y) => return None,
            Step::Added(n) => BlockChange::Added {
                new: n,
                kind: kind(&new[n]).into(),
                text: text(&new[n]),
            },
            Step::Removed(n) => BlockChange::Removed {
                old: n,
                kind: kind(&old[n]).into(),
                text: text(&old[n]),
            },
            Step::Moved(x, y) => BlockChange::Moved {
                old: x,
                new: y,
                kind: kind(&new[y]).into(),
                text: text(&new[y]),
            },
            Step::Same(x, y) if key(&old[x], &Ignore::default()) == key(&new[y], &Ignore::default()) => {
                return None;
            }
            Step::Same(x, y) | Step::Changed(x, y) => BlockChange::Changed {
                old: x,
                new: y,
                kind: kind(&new[y]).into(),
                parts: parts(&old[x], &new[y]),
            },
        })
    };
    align(&old_keys, &new_keys, &alike)
        .into_iter()
        .filter_map(tell)
        .collect()
}

/// The words of a block, counted.
struct Bag {
    words: HashMap<String, usize>,
    count: usize,
}

impl Bag {
    fn of(block: &Block) -> Self {
        let text = block.text();
        let mut words = HashMap::new();
        let mut count = 0;
        for word in words::tokens(&text) {
            if word.starts_with(char::is_alphanumeric) {
                *words.entry(word.to_owned()).or_insert(0) += 1;
                count += 1;
            }
        }
        Self { words, count }
    }

    /// The share of words that both have; `None` if neither has any.
    fn likeness(&self, other: &Self) -> Option<f64> {
        let shared: usize = self
            .words
            .iter()
            .map(|(word, n)| other.words.get(word).copied().unwrap_or(0).min(*n))
            .sum();
        let all = self.count + other.count;
        (all > 0).then(|| 2.0 * shared as f64 / all as f64)
    }
}

/// The content of a block: equal for two blocks if and only if they say the same in the same form.
pub(super) fn key(block: &Block, ignore: &Ignore) -> String {
    let mut value = serde_json::to_value(block).unwrap_or_default();
    // A longer menu above the text is no change of the text.
    without_sources(&mut value);
    if ignore.is_noisy() {
        bare(&mut value, ignore);
    }
    value.to_string()
}

/// Texts without the noise that is ignored; as deep as a block is, which the extractor bounds.
pub(super) fn bare(value: &mut Value, ignore: &Ignore) {
    match value {
        Value::String(text) => *text = ignore.bare(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(|v| bare(v, ignore)),
        Value::Object(object) => object.values_mut().for_each(|v| bare(v, ignore)),
        _ => {}
    }
}

/// The kind of a block as JSON writes it.
pub(super) fn kind(block: &Block) -> &'static str {
    match block {
        Block::Paragraph { .. } => "paragraph",
        Block::Heading { .. } => "heading",
        Block::List { .. } => "list",
        Block::Table { .. } => "table",
        Block::Image { .. } => "image",
        Block::Gallery { .. } => "gallery",
        Block::Quote { .. } => "quote",
        Block::Code { .. } => "code",
        Block::File { .. } => "file",
        Block::Embed { .. } => "embed",
        Block::RawHtml { .. } => "raw_html",
    }
}

/// What a block shows; a picture without a caption shows its token.
pub(super) fn text(block: &Block) -> String {
    let text = block.text();
    match block {
        _ if !text.is_empty() => text,
        Block::Image { image, .. } => image.media.clone(),
        Block::Gallery { items, .. } => listed(items.iter().map(|i| i.media.as_str())),
        Block::File { media, .. } => media.clone(),
        Block::Embed { url, .. } => url.clone(),
        _ => text,
    }
}

pub(super) fn listed<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Cell, Image, Inline, Mark, MarkKind, Source, Span, Table};

    fn src(at: usize) -> Source {
        Source {
            rule: "container".into(),
            chars: Span(at, at + 5),
        }
    }

    fn paragraph(text: &str) -> Block {
        Block::Paragraph {
            text: text.into(),
            marks: Vec::new(),
            align: None,
            src: src(text.len()),
        }
    }

    fn linked(text: &str, target: &str) -> Block {
        Block::Paragraph {
            text: text.into(),
            marks: vec![Mark {
                kind: MarkKind::Link,
                chars: Span(0, 3),
                target: Some(target.into()),
            }],
            align: None,
            src: src(0),
        }
    }

    fn image(media: &str) -> Block {
        Block::Image {
            image: Image {
                media: media.into(),
                ..Image::default()
            },
            src: src(0),
        }
    }

    fn table(cells: &[&[&str]]) -> Block {
        let cell = |text: &&str| Cell {
            content: Inline {
                text: (*text).to_owned(),
                marks: Vec::new(),
            },
            ..Cell::default()
        };
        Block::Table {
            table: Table {
                rows: cells.iter().map(|r| r.iter().map(cell).collect()).collect(),
                ..Table::default()
            },
            src: src(0),
        }
    }

    /// The one change, as class and parts.
    fn class(old: &[Block], new: &[Block]) -> (String, Vec<String>) {
        let all = blocks(old, new, &Ignore::default());
        assert_eq!(all.len(), 1, "{all:#?}");
        match &all[0] {
            BlockChange::Added { .. } => ("added".into(), vec![]),
            BlockChange::Removed { .. } => ("removed".into(), vec![]),
            BlockChange::Moved { .. } => ("moved".into(), vec![]),
            BlockChange::Changed { parts, .. } => {
                ("changed".into(), parts.iter().map(|p| p.name.clone()).collect())
            }
        }
    }

    #[test]
    fn each_mutation_is_told_as_what_it_is() {
        let page = || {
            vec![
                paragraph("Hội nghị sơ kết công tác thi đua"),
                linked("Xem kế hoạch năm", "doc:1"),
                image("media:aa"),
                table(&[&["Tên", "Số"], &["Lúa", "12"]]),
                paragraph("Kết thúc hội nghị"),
            ]
        };
        let with = |at: usize, block: Block| {
            let mut page = page();
            page[at] = block;
            page
        };
        let changed = |part: &str| ("changed".to_owned(), vec![part.to_owned()]);
        assert!(blocks(&page(), &page(), &Ignore::default()).is_empty());
        assert_eq!(
            class(&page(), &with(0, paragraph("Hội nghị tổng kết công tác thi đua"))),
            changed("text")
        );
        assert_eq!(
            class(&page(), &with(0, paragraph("Hội nghị  sơ kết công tác thi đua"))),
            changed("text")
        );
        assert_eq!(
            class(&page(), &with(1, linked("Xem kế hoạch năm", "doc:2"))),
            changed("links")
        );
        assert_eq!(class(&page(), &with(2, image("media:bb"))), changed("media"));
        assert_eq!(
            class(&page(), &with(3, table(&[&["Tên", "Số"], &["12", "Lúa"]]))),
            (
                "changed".to_owned(),
                vec!["cell 2,1".to_owned(), "cell 2,2".to_owned()]
            )
        );
        let mut dropped = page();
        dropped.remove(1);
        assert_eq!(class(&page(), &dropped).0, "removed");
        let mut moved = page();
        let last = moved.remove(4);
        moved.insert(0, last);
        assert_eq!(class(&page(), &moved).0, "moved");
        // A word under a link that changed is a change of the text alone.
        assert_eq!(
            class(&page(), &with(1, linked("Đọc kế hoạch năm", "doc:1"))),
            changed("text")
        );
        // Where a block stood in the page is no change.
        let mut far = page();
        *far[0].source_mut() = src(900);
        assert!(blocks(&page(), &far, &Ignore::default()).is_empty());
    }
}
