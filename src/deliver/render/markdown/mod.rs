//! CommonMark with the tables of GitHub. HTML stands only for what Markdown cannot say: cells that span others, underlined,
//! raised and lowered text, and what no block holds. Lines inside a cell become one.

mod inline;

use super::{address, html};
use crate::document::{Block, Image, ListItem, Table};
use inline::{escape, inline};

/// The blocks as Markdown.
#[must_use]
pub fn markdown(blocks: &[Block]) -> String {
    let mut out = write_all(blocks);
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

/// How many blocks stand as HTML: a generator that leaves HTML out would lose their text.
#[must_use]
pub fn html_blocks(blocks: &[Block]) -> usize {
    blocks
        .iter()
        .map(|block| match block {
            Block::RawHtml { .. }
            | Block::List {
                counting: Some(_), ..
            }
            | Block::List { reversed: true, .. } => 1,
            Block::Code { text, .. } => usize::from(!fenced(text)),
            Block::Table { table, .. } => usize::from(!table.rows.is_empty() && !plain(table)),
            Block::List { items, .. } => items.iter().map(|i| html_blocks(&i.children)).sum(),
            _ => 0,
        })
        .sum()
}

/// An address between `<` and `>`, or in an attribute: what both understand.
#[must_use]
pub fn destination(address: &str) -> String {
    if address.starts_with(super::OPEN) {
        return address.to_owned();
    }
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            '<' => out.push_str("%3C"),
            '>' => out.push_str("%3E"),
            '"' => out.push_str("%22"),
            '\\' => out.push_str("%5C"),
            '`' => out.push_str("%60"),
            '{' => out.push_str("%7B"),
            '|' => out.push_str("%7C"),
            '}' => out.push_str("%7D"),
            '&' => out.push_str("&amp;"),
            ' ' | '\t' => out.push_str("%20"),
            '\n' | '\r' | super::OPEN | super::CLOSE => {}
            c => out.push(c),
        }
    }
    out
}

/// Blocks with an empty line between two.
fn write_all(blocks: &[Block]) -> String {
    let mut out = String::new();
    // Two lists of one kind in a row would be one: the second has the other sign.
    let mut before: Option<(bool, bool)> = None;
    for block in blocks {
        let (text, list) = match block {
            Block::List {
                ordered,
                start,
                counting: None,
                reversed: false,
                items,
                ..
            } => {
                let other = before.is_some_and(|(o, other)| o == *ordered && !other);
                let first = start.unwrap_or(1) as usize;
                (list(*ordered, other, first, items), Some((*ordered, other)))
            }
            block => (write(block), None),
        };
        if text.is_empty() {
            continue;
        }
        if !out.is_empty() {
            out.push_str("\n\n");
        }
        out.push_str(&text);
        before = list;
    }
    out
}

fn write(block: &Block) -> String {
    match block {
        Block::Paragraph { text, marks, .. } => inline(text, marks, true),
        Block::Heading {
            level, text, marks, ..
        } => heading(*level, &inline(text, marks, false)),
        Block::Image { image, .. } => picture(image),
        Block::Gallery { lead, items, .. } => {
            let lead = lead.as_deref().map(|lead| inline(lead, &[], true));
            join(lead.into_iter().chain(items.iter().map(picture)))
        }
        Block::Quote { text, marks, .. } => quoted(&inline(text, marks, true)),
        Block::File { media, text, .. } => link(text, &address(media)),
        Block::Embed { url, text, .. } => {
            let text = if text.is_empty() { url } else { text };
            link(text, &super::link(url))
        }
        Block::Code { text, .. } if fenced(text) => code(text),
        // Markdown counts 1, 2, 3 only.
        Block::Code { .. } | Block::List { .. } => one_line(&html::html(std::slice::from_ref(block))),
        Block::Table { table, .. } => table_of(table),
        Block::RawHtml { html, .. } => {
            let one = one_line(&html::clean(html));
            if one.is_empty() {
                one
            } else {
                format!("<div>{one}</div>")
            }
        }
    }
}

/// HTML without a line break: an HTML block ends at an empty line.
fn one_line(html: &str) -> String {
    literal(html.trim()).replace('\r', "").replace('\n', "&#10;")
}

/// Can it stand in a fence? Generators look for their shortcodes there too.
fn fenced(text: &str) -> bool {
    !text.contains("{{") && !text.contains("{%")
}

/// A fence longer than any run of its sign in the text.
fn code(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(runs.max(2) + 1);
    // What would begin a token is no text.
    let text = text.replace([super::OPEN, super::CLOSE], "\u{FFFD}");
    format!("{fence}\n{text}\n{fence}")
}

fn join(parts: impl Iterator<Item = String>) -> String {
    let parts: Vec<String> = parts.filter(|p| !p.is_empty()).collect();
    parts.join("\n\n")
}

fn heading(level: u8, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let hashes = "#".repeat(usize::from(level).clamp(1, 6));
    // A closing run of `#` would be taken for one of the syntax.
    match text.strip_suffix('#') {
        Some(rest) if !rest.ends_with('\\') => format!("{hashes} {rest}\\#"),
        _ => format!("{hashes} {text}"),
    }
}

fn quoted(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("> {line}")).collect();
    lines.join("\n")
}

fn link(text: &str, target: &str) -> String {
    format!("[{}](<{}>)", escape(text.trim(), true), destination(target))
}

fn picture(image: &Image) -> String {
    let alt = escape(image.alt.as_deref().unwrap_or_default().trim(), false);
    let shown = format!("![{alt}](<{}>)", destination(&address(&image.media)));
    let caption = image.caption.as_ref().map(|c| inline(&c.text, &c.marks, true));
    join([shown].into_iter().chain(caption))
}

fn list(ordered: bool, other: bool, first: usize, items: &[ListItem]) -> String {
    let mut out = String::new();
    for (n, item) in items.iter().enumerate() {
        let lead = match (ordered, other) {
            (true, false) => format!("{}. ", n + first),
            (true, true) => format!("{}) ", n + first),
            (false, false) => "- ".to_owned(),
            (false, true) => "* ".to_owned(),
        };
        let mut body = inline(&item.content.text, &item.content.marks, true);
        let below = write_all(&item.children);
        if !body.is_empty() && !below.is_empty() {
            // A list that does not begin with 1 cannot end a paragraph (CommonMark, 5.2).
            let lists = matches!(
                item.children.first(),
                Some(Block::List {
                    start: None | Some(1),
                    counting: None,
                    reversed: false,
                    ..
                })
            );
            body.push_str(if lists { "\n" } else { "\n\n" });
        }
        body.push_str(&below);
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(if body.is_empty() { lead.trim_end() } else { &lead });
        let indent = " ".repeat(lead.len());
        for (i, line) in body.split('\n').enumerate() {
            if i > 0 {
                out.push('\n');
                if !line.is_empty() {
                    out.push_str(&indent);
                }
            }
            out.push_str(line);
        }
    }
    out
}

/// Can Markdown say it: one header row at most, and no cell that covers others?
fn plain(table: &Table) -> bool {
    let width = table.rows.first().map_or(0, Vec::len);
    width > 0
        && table.header_rows <= 1
        && table.rows.iter().all(|row| {
            row.len() == width
                && row
                    .iter()
                    .all(|c| c.rowspan <= 1 && c.colspan <= 1 && c.origin.is_none())
        })
}

fn table_of(table: &Table) -> String {
    let units = table.units.as_deref().map(|units| inline(units, &[], true));
    let notes = table.footnotes.iter().map(|f| inline(&f.text, &f.marks, true));
    if !plain(table) {
        let mut out = String::new();
        html::table_figure(&mut out, table, html::Flavor::Plain);
        return join(units.into_iter().chain([literal(out.trim_end())]).chain(notes));
    }
    let caption = table.caption.as_ref().map(|c| inline(&c.text, &c.marks, true));
    let width = table.rows.first().map_or(0, Vec::len);
    let row = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let (head, body) = table.rows.split_at(table.header_rows.min(table.rows.len()));
    let texts = |row: &Vec<crate::document::Cell>| -> Vec<String> {
        row.iter()
            .map(|c| inline(&c.content.text, &c.content.marks, false))
            .collect()
    };
    let mut lines = vec![
        row(&head.first().map_or_else(|| vec![String::new(); width], texts)),
        row(&vec!["---".to_owned(); width]),
    ];
    lines.extend(body.iter().map(|r| row(&texts(r))));
    join(
        caption
            .into_iter()
            .chain(units)
            .chain([lines.join("\n")])
            .chain(notes),
    )
}

/// HTML in which no generator finds a shortcode of its own (`{{< … >}}`, `{% … %}`).
fn literal(html: &str) -> String {
    html.replace('{', "&#123;").replace('}', "&#125;")
}
