//! CommonMark with the tables of GitHub; what Markdown cannot say stands as HTML.

use super::{address, html};
use crate::document::{Block, Image, Inline, Mark, MarkKind};
use std::fmt::Write as _;

/// The blocks as Markdown.
#[must_use]
pub fn markdown(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        write(block, &mut out);
    }
    out.truncate(out.trim_end().len());
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn write(block: &Block, out: &mut String) {
    match block {
        Block::Paragraph {
            text,
            marks,
            align: None,
            ..
        } => {
            let _ = writeln!(out, "{}\n", inline(text, marks, true));
        }
        Block::Heading {
            level, text, marks, ..
        } => {
            let hashes = "#".repeat(usize::from(*level).clamp(1, 6));
            let text = inline(&text.replace('\n', " "), marks, false);
            // A closing run of `#` would be taken for one of the syntax.
            let text = match text.strip_suffix('#') {
                Some(rest) if !rest.ends_with('\\') => format!("{rest}\\#"),
                _ => text,
            };
            let _ = writeln!(out, "{hashes} {text}\n");
        }
        Block::Image { image, .. } => picture(out, image),
        Block::Gallery { lead, items, .. } => {
            if let Some(lead) = lead {
                let _ = writeln!(out, "{}\n", inline(lead, &[], true));
            }
            items.iter().for_each(|image| picture(out, image));
        }
        Block::Quote { text, marks, .. } => {
            for line in inline(text, marks, true).lines() {
                let _ = writeln!(out, "> {line}");
            }
            out.push('\n');
        }
        Block::File { media, text, .. } => {
            let _ = writeln!(
                out,
                "[{}](<{}>)\n",
                escape(text, true),
                destination(&address(media))
            );
        }
        Block::Embed { url, text, .. } => {
            let text = if text.is_empty() { url } else { text };
            let _ = writeln!(
                out,
                "[{}](<{}>)\n",
                escape(text, true),
                destination(&super::link(url))
            );
        }
        Block::Code { text, .. } => {
            // A fence longer than any run of its sign in the text.
            let runs = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
            let fence = "`".repeat(runs.max(2) + 1);
            let text: String = text
                .chars()
                .map(|c| {
                    if matches!(c, super::OPEN | super::CLOSE) {
                        '\u{FFFD}'
                    } else {
                        c
                    }
                })
                .collect();
            let _ = writeln!(out, "{fence}\n{text}\n{fence}\n");
        }
        Block::List {
            ordered,
            start,
            counting: None,
            items,
            ..
        } if items.iter().all(|i| i.children.is_empty()) => {
            let first = start.unwrap_or(1) as usize;
            for (n, item) in items.iter().enumerate() {
                let lead = if *ordered {
                    format!("{}. ", n + first)
                } else {
                    "- ".to_owned()
                };
                let text = inline(&item.content.text, &item.content.marks, true);
                let indent = " ".repeat(lead.len());
                let _ = writeln!(out, "{lead}{}", text.replace('\n', &format!("\n{indent}")));
            }
            // Two lists in a row would be one.
            out.push_str("\n<!-- -->\n\n");
        }
        // HTML blocks end at an empty line: ours have none.
        block => {
            let _ = writeln!(out, "{}\n", html::html(std::slice::from_ref(block)).trim_end());
        }
    }
}

fn picture(out: &mut String, image: &Image) {
    let alt = escape(&image.alt.clone().unwrap_or_default().replace('\n', " "), false);
    let _ = writeln!(out, "![{alt}](<{}>)\n", destination(&address(&image.media)));
    if let Some(Inline { text, marks }) = image.caption.as_ref().filter(|c| !c.text.is_empty()) {
        let _ = writeln!(out, "{}\n", inline(text, marks, true));
    }
}

/// An address between `<` and `>`.
fn destination(address: &str) -> String {
    address
        .replace('<', "%3C")
        .replace('>', "%3E")
        .replace(['\n', '\r'], "")
        .replace('\\', "%5C")
}

/// Inline text. Marks are HTML elements where Markdown's signs would depend on what stands beside them: all but links.
fn inline(text: &str, marks: &[Mark], breaks: bool) -> String {
    let links: Vec<&Mark> = marks.iter().filter(|m| m.kind == MarkKind::Link).collect();
    if links.len() != marks.len() {
        // Elements inside a paragraph are passed through; their text is HTML then, not Markdown.
        let html = html::inline(text, marks, html::Flavor::Plain);
        return lines(&guard(&html), breaks);
    }
    let chars: Vec<char> = text.chars().collect();
    let cut = |from: usize, to: usize| {
        chars[from.min(chars.len())..to.min(chars.len())]
            .iter()
            .collect::<String>()
    };
    let (mut out, mut at) = (String::new(), 0);
    for link in links {
        if link.chars.0 < at || link.chars.is_empty() {
            continue;
        }
        out.push_str(&escape(&cut(at, link.chars.0), breaks));
        let target = link.target.as_deref().unwrap_or_default();
        let _ = write!(
            out,
            "[{}](<{}>)",
            escape(&cut(link.chars.0, link.chars.1), breaks),
            destination(&super::link(target))
        );
        at = link.chars.1;
    }
    out.push_str(&escape(&cut(at, chars.len()), breaks));
    lines_start(&out)
}

/// HTML inside a paragraph: Markdown's own signs become references.
fn guard(html: &str) -> String {
    let (mut out, mut tag) = (String::with_capacity(html.len()), false);
    for c in html.chars() {
        match c {
            '<' => tag = true,
            '>' if tag => tag = false,
            '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' | '!' | '|' if !tag => {
                let _ = write!(out, "&#{};", u32::from(c));
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

fn lines(html: &str, breaks: bool) -> String {
    lines_start(&html.replace("<br>", if breaks { "\\\n" } else { " " }))
}

/// Every sign that means something inside a line.
fn escape(text: &str, breaks: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '&' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            '\n' if breaks => out.push_str("\\\n"),
            '\n' => out.push(' '),
            super::OPEN | super::CLOSE => {
                let _ = write!(out, "&#x{:X};", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// Every sign that means something at the beginning of a line.
fn lines_start(text: &str) -> String {
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let line = line.trim_start();
            let digits = line.bytes().take_while(u8::is_ascii_digit).count();
            if line.starts_with(['#', '+', '-', '=', ':']) {
                format!("\\{line}")
            } else if digits > 0 && line[digits..].starts_with(['.', ')']) {
                format!("{}\\{}", &line[..digits], &line[digits..])
            } else {
                line.to_owned()
            }
        })
        .collect();
    lines.join("\n")
}
