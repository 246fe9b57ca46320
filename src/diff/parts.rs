//! What differs between two blocks: text, links, marks, pictures, cells.

use super::block::{key, kind, listed, text};
use super::{Change, Class, Ignore};
use crate::document::{Block, Image, Inline, ListItem, Mark, MarkKind, Table};
use serde::Serialize;

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
pub(super) fn parts(old: &Block, new: &Block) -> Vec<Change> {
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
                    reversed,
                    ..
                } => json(&(ordered, start, counting, reversed)),
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
