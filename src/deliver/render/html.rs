//! Plain, semantic HTML; and the inside of Gutenberg's blocks.

use super::{address, id_slot, is_token};
use crate::document::{Align, Block, Counting, Image, Inline, ListItem, Mark, MarkKind, Table};
use std::fmt::Write as _;

/// Whose habits the HTML must withstand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavor {
    /// A target that shows what it gets.
    Plain,
    /// WordPress, which turns `[gallery]`, `:)`, `"` and `--` into something else.
    Gutenberg,
}

/// The blocks as HTML.
#[must_use]
pub fn html(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        plain(block, &mut out);
    }
    out
}

fn plain(block: &Block, out: &mut String) {
    let flavor = Flavor::Plain;
    match block {
        Block::Paragraph {
            text, marks, align, ..
        } => paragraph(out, text, marks, *align, flavor),
        Block::Heading {
            level, text, marks, ..
        } => heading(out, *level, text, marks, flavor),
        Block::List {
            ordered,
            start,
            counting,
            reversed,
            items,
            ..
        } => list(out, *ordered, &counting_of(*start, *counting, *reversed), items),
        Block::Table { table, .. } => {
            before_table(out, table, &mut |out, text| {
                paragraph(out, text, &[], None, flavor)
            });
            table_figure(out, table, flavor);
            for note in &table.footnotes {
                paragraph(out, &note.text, &note.marks, None, flavor);
            }
        }
        Block::Image { image, .. } => figure(out, image, flavor),
        Block::Gallery { lead, items, .. } => {
            if let Some(lead) = lead {
                paragraph(out, lead, &[], None, flavor);
            }
            out.push_str("<div class=\"gallery\">\n");
            items.iter().for_each(|image| figure(out, image, flavor));
            out.push_str("</div>\n");
        }
        Block::Quote { text, marks, .. } => {
            out.push_str("<blockquote>\n");
            paragraph(out, text, marks, None, flavor);
            out.push_str("</blockquote>\n");
        }
        Block::Code { text, .. } => code(out, text, flavor),
        Block::File { media, text, .. } => {
            let _ = writeln!(
                out,
                "<p class=\"file\"><a href=\"{}\">{}</a></p>",
                attribute(&address(media)),
                escaped(text, flavor)
            );
        }
        Block::Embed { url, text, .. } => embed(out, url, text, flavor),
        Block::RawHtml { html, .. } => {
            out.push_str(&clean(html));
            out.push('\n');
        }
    }
}

/// HTML of a page without anything that runs, loads or styles.
pub(super) fn clean(html: &str) -> String {
    ammonia::Builder::default()
        .link_rel(None)
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .clean(html)
        .to_string()
        .replace([super::OPEN, super::CLOSE], "\u{FFFD}")
}

/// What an embedded frame becomes: a link, because a frame of another site runs whatever that site wants.
pub(super) fn embed(out: &mut String, url: &str, text: &str, flavor: Flavor) {
    let shown = if text.is_empty() { url } else { text };
    let _ = writeln!(
        out,
        "<p class=\"embed\"><a href=\"{}\">{}</a></p>",
        attribute(&safe(url)),
        escaped(shown, flavor)
    );
}

pub(super) fn paragraph(out: &mut String, text: &str, marks: &[Mark], align: Option<Align>, flavor: Flavor) {
    let class = match (align, flavor) {
        (None, _) => "",
        (Some(Align::Center), Flavor::Gutenberg) => " class=\"has-text-align-center\"",
        (Some(Align::Right), Flavor::Gutenberg) => " class=\"has-text-align-right\"",
        (Some(Align::Center), Flavor::Plain) => " class=\"center\"",
        (Some(Align::Right), Flavor::Plain) => " class=\"right\"",
    };
    let _ = writeln!(out, "<p{class}>{}</p>", inline(text, marks, flavor));
}

pub(super) fn heading(out: &mut String, level: u8, text: &str, marks: &[Mark], flavor: Flavor) {
    let level = level.clamp(1, 6);
    let _ = writeln!(out, "<h{level}>{}</h{level}>", inline(text, marks, flavor));
}

/// Preformatted text. A parser takes one line break behind `<pre>` away.
pub(super) fn code(out: &mut String, text: &str, flavor: Flavor) {
    let class = match flavor {
        Flavor::Plain => "",
        Flavor::Gutenberg => " class=\"wp-block-preformatted\"",
    };
    let text = match flavor {
        Flavor::Plain => escape(text),
        Flavor::Gutenberg => super::gutenberg::escape(text),
    };
    let _ = writeln!(out, "<pre{class}>\n{text}</pre>");
}

/// Attributes of a list that does not count 1, 2, 3.
pub(super) fn counting_of(start: Option<u32>, counting: Option<Counting>, reversed: bool) -> String {
    let mut out = String::from(if reversed { " reversed" } else { "" });
    if let Some(start) = start {
        let _ = write!(out, " start=\"{start}\"");
    }
    if let Some(counting) = counting {
        let letter = match counting {
            Counting::LowerAlpha => 'a',
            Counting::UpperAlpha => 'A',
            Counting::LowerRoman => 'i',
            Counting::UpperRoman => 'I',
        };
        let _ = write!(out, " type=\"{letter}\"");
    }
    out
}

fn list(out: &mut String, ordered: bool, counting: &str, items: &[ListItem]) {
    let tag = if ordered { "ol" } else { "ul" };
    let _ = writeln!(out, "<{tag}{counting}>");
    for item in items {
        let _ = write!(
            out,
            "<li>{}",
            inline(&item.content.text, &item.content.marks, Flavor::Plain)
        );
        if !item.children.is_empty() {
            out.push('\n');
            item.children.iter().for_each(|child| plain(child, out));
        }
        out.push_str("</li>\n");
    }
    let _ = writeln!(out, "</{tag}>");
}

/// The unit line stands above a table.
pub(super) fn before_table(out: &mut String, table: &Table, paragraph: &mut dyn FnMut(&mut String, &str)) {
    if let Some(units) = &table.units {
        paragraph(out, units);
    }
}

pub(super) fn table_figure(out: &mut String, table: &Table, flavor: Flavor) {
    out.push_str(match flavor {
        Flavor::Plain => "<figure class=\"table\"><table>\n",
        Flavor::Gutenberg => "<figure class=\"wp-block-table\"><table>",
    });
    let header = table.header_rows.min(table.rows.len());
    let newline = if flavor == Flavor::Plain { "\n" } else { "" };
    for (part, rows) in [("thead", &table.rows[..header]), ("tbody", &table.rows[header..])] {
        if rows.is_empty() {
            continue;
        }
        let _ = write!(out, "<{part}>{newline}");
        for row in rows {
            out.push_str("<tr>");
            for cell in row.iter().filter(|c| c.origin.is_none()) {
                let tag = if cell.header { "th" } else { "td" };
                let _ = write!(out, "<{tag}");
                if cell.colspan > 1 {
                    let _ = write!(out, " colspan=\"{}\"", cell.colspan);
                }
                if cell.rowspan > 1 {
                    let _ = write!(out, " rowspan=\"{}\"", cell.rowspan);
                }
                let _ = write!(
                    out,
                    ">{}</{tag}>",
                    inline(&cell.content.text, &cell.content.marks, flavor)
                );
            }
            let _ = write!(out, "</tr>{newline}");
        }
        let _ = write!(out, "</{part}>{newline}");
    }
    out.push_str("</table>");
    caption(out, table.caption.as_ref(), flavor);
    out.push_str("</figure>\n");
}

fn caption(out: &mut String, caption: Option<&Inline>, flavor: Flavor) {
    if let Some(caption) = caption.filter(|c| !c.text.is_empty()) {
        let class = match flavor {
            Flavor::Plain => "",
            Flavor::Gutenberg => " class=\"wp-element-caption\"",
        };
        let _ = write!(
            out,
            "<figcaption{class}>{}</figcaption>",
            inline(&caption.text, &caption.marks, flavor)
        );
    }
}

pub(super) fn figure(out: &mut String, image: &Image, flavor: Flavor) {
    let src = attribute(&address(&image.media));
    let alt = attribute(image.alt.as_deref().unwrap_or_default());
    match flavor {
        Flavor::Plain => {
            let _ = write!(out, "<figure><img src=\"{src}\" alt=\"{alt}\">");
        }
        Flavor::Gutenberg => {
            out.push_str("<figure class=\"wp-block-image size-full\">");
            let _ = write!(out, "<img src=\"{src}\" alt=\"{alt}\"");
            if is_token(&image.media) {
                let _ = write!(out, " class=\"wp-image-{}\"", id_slot(&image.media));
            }
            out.push_str("/>");
        }
    }
    caption(out, image.caption.as_ref(), flavor);
    out.push_str("</figure>\n");
}

/// A text with its marks as nested elements: marks may overlap in the document, elements may not.
pub(super) fn inline(text: &str, marks: &[Mark], flavor: Flavor) -> String {
    let mut order: Vec<&Mark> = marks.iter().filter(|m| m.chars.0 < m.chars.1).collect();
    order.sort_by_key(|m| (m.chars.0, std::cmp::Reverse(m.chars.1), m.kind));
    let mut anchors: Vec<&Mark> = marks.iter().filter(|m| m.kind == MarkKind::Anchor).collect();
    anchors.sort_by_key(|m| m.chars.0);
    if order.is_empty() && anchors.is_empty() {
        return escaped(text, flavor);
    }
    let ends = order.iter().chain(&anchors).flat_map(|m| [m.chars.0, m.chars.1]);
    let mut bounds: Vec<usize> = ends.collect();
    bounds.sort_unstable();
    bounds.dedup();
    let offsets: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
    let byte = |chars: usize| offsets.get(chars).copied().unwrap_or(text.len());
    let (mut out, mut open, mut at): (String, Vec<&Mark>, usize) = (String::new(), Vec::new(), 0);
    for bound in bounds {
        out.push_str(&escaped(&text[byte(at)..byte(bound)], flavor));
        at = bound;
        // Close down to the deepest mark that ends here; what lies above it and goes on is opened again.
        let first = open.iter().position(|m| m.chars.1 <= bound).unwrap_or(open.len());
        let again: Vec<&Mark> = open[first..]
            .iter()
            .copied()
            .filter(|m| m.chars.1 > bound)
            .collect();
        while open.len() > first {
            if let Some(mark) = open.pop() {
                out.push_str(closing(mark.kind));
            }
        }
        for anchor in anchors.iter().filter(|a| a.chars.0 == bound) {
            let name = anchor.target.as_deref().unwrap_or_default();
            let _ = write!(out, "<span id=\"{}\"></span>", attribute(name));
        }
        let starting = order.iter().copied().filter(|m| m.chars.0 == bound);
        for mark in again.into_iter().chain(starting) {
            // A link inside a link is no HTML: the outer one holds.
            if mark.kind == MarkKind::Link && open.iter().any(|m| m.kind == MarkKind::Link) {
                continue;
            }
            opening(&mut out, mark);
            open.push(mark);
        }
    }
    while let Some(mark) = open.pop() {
        out.push_str(closing(mark.kind));
    }
    out.push_str(&escaped(&text[byte(at)..], flavor));
    out
}

fn opening(out: &mut String, mark: &Mark) {
    match mark.kind {
        MarkKind::Link => {
            let target = mark.target.as_deref().unwrap_or_default();
            let _ = write!(out, "<a href=\"{}\">", attribute(&super::link(target)));
        }
        MarkKind::Bold => out.push_str("<strong>"),
        MarkKind::Italic => out.push_str("<em>"),
        MarkKind::Underline => out.push_str("<u>"),
        MarkKind::Strike => out.push_str("<s>"),
        MarkKind::Sup => out.push_str("<sup>"),
        MarkKind::Sub => out.push_str("<sub>"),
        MarkKind::Code => out.push_str("<code>"),
        // Empty ranges are written where they stand.
        MarkKind::Anchor => {}
    }
}

const fn closing(kind: MarkKind) -> &'static str {
    match kind {
        MarkKind::Link => "</a>",
        MarkKind::Bold => "</strong>",
        MarkKind::Italic => "</em>",
        MarkKind::Underline => "</u>",
        MarkKind::Strike => "</s>",
        MarkKind::Sup => "</sup>",
        MarkKind::Sub => "</sub>",
        MarkKind::Code => "</code>",
        MarkKind::Anchor => "",
    }
}

/// An address that a browser may be given: nothing that runs.
pub(super) fn safe(url: &str) -> String {
    let scheme = url.split_once(':').map(|(s, _)| s.trim().to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https" | "mailto" | "tel") => url.to_owned(),
        // A fragment or a path of its own page.
        _ if url.starts_with('#') || url.starts_with('/') => url.to_owned(),
        _ => String::from("#"),
    }
}

/// Text with line breaks.
pub(super) fn escaped(text: &str, flavor: Flavor) -> String {
    let text = match flavor {
        Flavor::Plain => escape(text),
        Flavor::Gutenberg => super::gutenberg::escape(text),
    };
    text.replace('\n', "<br>")
}

/// Text for HTML. The two characters that enclose tokens become references, so that no page can write a token.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            super::OPEN | super::CLOSE => {
                let _ = write!(out, "&#x{:X};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// A value between double quotes; the tokens that we wrote ourselves stay what they are.
pub(super) fn attribute(value: &str) -> String {
    match value.strip_prefix(super::OPEN) {
        Some(token) if token.ends_with(super::CLOSE) && token.matches(super::CLOSE).count() == 1 => {
            value.to_owned()
        }
        _ => escape(value),
    }
}
