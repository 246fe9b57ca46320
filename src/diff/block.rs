//! Blocks of a body against those of another.

use super::align::{Step, align};
use super::{Change, Class, Ignore, words};
use crate::document::{Block, Image, Inline, ListItem, Mark, MarkKind, Table, without_sources};
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
fn key(block: &Block, ignore: &Ignore) -> String {
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
fn kind(block: &Block) -> &'static str {
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
fn text(block: &Block) -> String {
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

fn listed<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join("\n")
}

/// Collects the parts that differ.
struct Parts(Vec<Change>);

impl Parts {
    fn value(&mut self, class: Class, name: &str, old: impl ToString, new: impl ToString) {
        self.maybe(class, name, Some(old), Some(new));
    }

    fn maybe(&mut self, class: Class, name: &str, old: Option<impl ToString>, new: Option<impl ToString>) {
        let (old, new) = (old.map(|v| v.to_string()), new.map(|v| v.to_string()));
        self.0.extend(Change::of(class, name, old, new));
    }

    /// Text and marks. Where the text changed, marks count by kind and target alone: the words under them are told already.
    fn inline(&mut self, class: Class, name: &str, old: (&str, &[Mark]), new: (&str, &[Mark])) {
        self.value(class, name, old.0, new.0);
        let same = old.0 == new.0;
        let named = |part: &str| match name {
            "text" => part.to_owned(),
            _ => format!("{name} {part}"),
        };
        let links = |(text, marks): (&str, &[Mark])| marked(text, marks, same, true);
        let other = |(text, marks): (&str, &[Mark])| marked(text, marks, same, false);
        self.value(Class::Link, &named("links"), links(old), links(new));
        self.value(Class::Formatting, &named("formatting"), other(old), other(new));
    }

    fn maybe_inline(&mut self, class: Class, name: &str, old: Option<&Inline>, new: Option<&Inline>) {
        match (old, new) {
            (Some(old), Some(new)) => {
                self.inline(class, name, (&old.text, &old.marks), (&new.text, &new.marks))
            }
            _ => self.maybe(class, name, old.map(|i| &i.text), new.map(|i| &i.text)),
        }
    }

    fn image(&mut self, name: &str, old: &Image, new: &Image) {
        let named = |part: &str| match name {
            "" => part.to_owned(),
            _ => format!("{name} {part}"),
        };
        let original = |i: &Image| {
            i.original
                .as_ref()
                .map(|o| format!("{}{}", o.other, if o.verified { " (verified)" } else { "" }))
        };
        self.value(Class::Media, &named("media"), &old.media, &new.media);
        self.maybe(Class::Caption, &named("alt"), old.alt.as_ref(), new.alt.as_ref());
        self.maybe_inline(
            Class::Caption,
            &named("caption"),
            old.caption.as_ref(),
            new.caption.as_ref(),
        );
        self.maybe(
            Class::Caption,
            &named("credit"),
            old.credit.as_ref(),
            new.credit.as_ref(),
        );
        self.maybe(Class::Media, &named("original"), original(old), original(new));
        self.maybe(
            Class::Origin,
            &named("caption-method"),
            old.caption_method.as_ref(),
            new.caption_method.as_ref(),
        );
    }

    fn images(&mut self, old: &[Image], new: &[Image]) {
        if old.len() == new.len() {
            for (n, (old, new)) in old.iter().zip(new).enumerate() {
                self.image(&format!("image {}", n + 1), old, new);
            }
            return;
        }
        let all = |images: &[Image]| {
            let one = |i: &Image| {
                let caption = i.caption.as_ref().map_or("", |c| c.text.as_str());
                format!("{} {caption}", i.media).trim_end().to_owned()
            };
            images.iter().map(one).collect::<Vec<_>>().join("\n")
        };
        self.value(Class::Media, "images", all(old), all(new));
    }

    fn table(&mut self, old: &Table, new: &Table) {
        self.maybe_inline(Class::Text, "caption", old.caption.as_ref(), new.caption.as_ref());
        self.maybe(Class::Text, "units", old.units.as_ref(), new.units.as_ref());
        self.value(Class::TableShape, "header-rows", old.header_rows, new.header_rows);
        let shape = |t: &Table| format!("{} x {}", t.rows.len(), t.rows.first().map_or(0, Vec::len));
        self.value(Class::TableShape, "shape", shape(old), shape(new));
        let widths = |t: &Table| t.rows.iter().map(Vec::len).collect::<Vec<_>>();
        if widths(old) == widths(new) {
            for (r, (was, is)) in old.rows.iter().zip(&new.rows).enumerate() {
                for (c, (was, is)) in was.iter().zip(is).enumerate() {
                    let name = format!("cell {},{}", r + 1, c + 1);
                    let before = self.0.len();
                    let inline = |i: &'_ Inline| (i.text.clone(), i.marks.clone());
                    let (was_in, is_in) = (inline(&was.content), inline(&is.content));
                    self.inline(
                        Class::TableCell,
                        &name,
                        (&was_in.0, &was_in.1),
                        (&is_in.0, &is_in.1),
                    );
                    if self.0.len() == before && was != is {
                        self.value(Class::TableCell, &format!("{name} meaning"), json(was), json(is));
                    }
                }
            }
        } else {
            let rows = |t: &Table| {
                let row = |r: &Vec<crate::document::Cell>| {
                    r.iter()
                        .map(|c| c.content.text.as_str())
                        .collect::<Vec<_>>()
                        .join(" | ")
                };
                t.rows.iter().map(row).collect::<Vec<_>>().join("\n")
            };
            self.value(Class::TableCell, "cells", rows(old), rows(new));
        }
        let notes = |t: &Table| listed(t.footnotes.iter().map(|f| f.text.as_str()));
        self.value(Class::Text, "footnotes", notes(old), notes(new));
    }

    fn list(&mut self, old: &[ListItem], new: &[ListItem]) {
        let alone = |items: &[ListItem]| items.iter().all(|i| i.children.is_empty());
        if old.len() == new.len() && alone(old) && alone(new) {
            for (n, (old, new)) in old.iter().zip(new).enumerate() {
                let (old, new) = (&old.content, &new.content);
                let name = format!("item {}", n + 1);
                self.inline(
                    Class::Text,
                    &name,
                    (&old.text, &old.marks),
                    (&new.text, &new.marks),
                );
            }
            return;
        }
        let all = |items: &[ListItem]| {
            let one = |i: &ListItem| {
                let below = i.children.iter().map(|c| text(c).replace('\n', "\n  "));
                std::iter::once(i.content.text.clone())
                    .chain(below.map(|t| format!("  {t}")))
                    .collect::<Vec<_>>()
                    .join("\n")
            };
            items.iter().map(one).collect::<Vec<_>>().join("\n")
        };
        self.value(Class::Text, "items", all(old), all(new));
    }
}

/// The marks of a text, one a line; `named`: with the words that they lie on.
fn marked(text: &str, marks: &[Mark], named: bool, links: bool) -> String {
    let of = |mark: &Mark| {
        let words: String = text.chars().skip(mark.chars.0).take(mark.chars.len()).collect();
        let what = match &mark.target {
            Some(target) => format!("{} {target}", json(&mark.kind).trim_matches('"')),
            None => json(&mark.kind).trim_matches('"').to_owned(),
        };
        match named {
            true if !words.is_empty() => format!("{what} on {words}"),
            true => format!("{what} at {}", mark.chars.0),
            false => what,
        }
    };
    let mine = marks.iter().filter(|m| (m.kind == MarkKind::Link) == links);
    mine.map(of).collect::<Vec<_>>().join("\n")
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// What differs between two blocks that are not equal; never empty.
fn parts(old: &Block, new: &Block) -> Vec<Change> {
    let mut out = Parts(Vec::new());
    match (old, new) {
        (
            Block::Paragraph {
                text: a,
                marks: x,
                align: p,
                ..
            },
            Block::Paragraph {
                text: b,
                marks: y,
                align: q,
                ..
            },
        ) => {
            out.inline(Class::Text, "text", (a, x), (b, y));
            out.maybe(
                Class::Structure,
                "align",
                p.as_ref().map(json),
                q.as_ref().map(json),
            );
        }
        (
            Block::Heading {
                text: a,
                marks: x,
                level: p,
                ..
            },
            Block::Heading {
                text: b,
                marks: y,
                level: q,
                ..
            },
        ) => {
            out.inline(Class::Text, "text", (a, x), (b, y));
            out.value(Class::Structure, "level", p, q);
        }
        (
            Block::Quote {
                text: a, marks: x, ..
            },
            Block::Quote {
                text: b, marks: y, ..
            },
        ) => {
            out.inline(Class::Text, "text", (a, x), (b, y));
        }
        (Block::List { items: a, .. }, Block::List { items: b, .. }) => {
            let numbers = |block: &Block| match block {
                Block::List {
                    ordered,
                    start,
                    counting,
                    ..
                } => json(&(ordered, start, counting)),
                _ => String::new(),
            };
            out.value(Class::Structure, "numbering", numbers(old), numbers(new));
            out.list(a, b);
        }
        (Block::Table { table: a, .. }, Block::Table { table: b, .. }) => out.table(a, b),
        (Block::Image { image: a, .. }, Block::Image { image: b, .. }) => out.image("", a, b),
        (
            Block::Gallery {
                lead: p, items: a, ..
            },
            Block::Gallery {
                lead: q, items: b, ..
            },
        ) => {
            out.maybe(Class::Text, "lead", p.as_ref(), q.as_ref());
            out.images(a, b);
        }
        (
            Block::File {
                media: p, text: a, ..
            },
            Block::File {
                media: q, text: b, ..
            },
        )
        | (Block::Embed { url: p, text: a, .. }, Block::Embed { url: q, text: b, .. }) => {
            out.value(Class::Media, "media", p, q);
            out.value(Class::Text, "text", a, b);
        }
        _ => {
            out.value(Class::Structure, "kind", kind(old), kind(new));
            out.value(Class::Text, "text", text(old), text(new));
        }
    }
    if out.0.is_empty() {
        // Nothing that has a name here, and yet not the same.
        let all = Ignore::default();
        let (old, new) = (key(old, &all), key(new, &all));
        out.value(Class::Structure, "content", old, new);
    }
    out.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Cell, Source, Span};

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
