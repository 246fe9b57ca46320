//! Blocks of WordPress's editor. Their text is written so that WordPress shows it as it is: no shortcodes, no smileys, no
//! "smart" quotes and dashes (`wptexturize`, `convert_smilies`, `do_shortcode`, `capital_P_dangit` of WordPress 6).

use super::html::{self, Flavor};
use super::{address, id_slot, is_token};
use crate::document::{Align, Block, Counting, Image, ListItem};
use regex::Regex;
use std::fmt::Write as _;
use std::sync::LazyLock;

const FLAVOR: Flavor = Flavor::Gutenberg;

/// The blocks as post content.
#[must_use]
pub fn gutenberg(blocks: &[Block]) -> String {
    let mut out = String::new();
    for block in blocks {
        write(block, &mut out);
    }
    out.truncate(out.trim_end().len());
    out
}

fn wrap(out: &mut String, name: &str, attributes: &str, inner: impl FnOnce(&mut String)) {
    let space = if attributes.is_empty() { "" } else { " " };
    let _ = writeln!(out, "<!-- wp:{name}{space}{attributes} -->");
    inner(out);
    let _ = writeln!(out, "<!-- /wp:{name} -->\n");
}

fn write(block: &Block, out: &mut String) {
    match block {
        Block::Paragraph {
            text, marks, align, ..
        } => {
            let attributes = match align {
                None => "",
                Some(Align::Center) => r#"{"align":"center"}"#,
                Some(Align::Right) => r#"{"align":"right"}"#,
            };
            wrap(out, "paragraph", attributes, |out| {
                html::paragraph(out, text, marks, *align, FLAVOR);
            });
        }
        Block::Heading {
            level, text, marks, ..
        } => {
            let attributes = match level.clamp(&1, &6) {
                2 => String::new(),
                level => format!(r#"{{"level":{level}}}"#),
            };
            wrap(out, "heading", &attributes, |out| {
                html::heading(out, *level, text, marks, FLAVOR);
            });
        }
        Block::List {
            ordered,
            start,
            counting,
            reversed,
            items,
            ..
        } if lists_only(items) => list(out, *ordered, (*start, *counting, *reversed), items),
        Block::Table { table, .. } => {
            html::before_table(out, table, &mut |out, units| {
                wrap(out, "paragraph", r#"{"align":"right"}"#, |out| {
                    html::paragraph(out, units, &[], Some(Align::Right), FLAVOR);
                });
            });
            wrap(out, "table", "", |out| html::table_figure(out, table, FLAVOR));
            for note in &table.footnotes {
                wrap(out, "paragraph", "", |out| {
                    html::paragraph(out, &note.text, &note.marks, None, FLAVOR);
                });
            }
        }
        Block::Image { image, .. } => picture(out, image),
        Block::Gallery { lead, items, .. } => {
            if let Some(lead) = lead {
                wrap(out, "paragraph", "", |out| {
                    html::paragraph(out, lead, &[], None, FLAVOR)
                });
            }
            // Pictures of old portals show people: nothing of them is cut off.
            wrap(out, "gallery", r#"{"imageCrop":false,"linkTo":"none"}"#, |out| {
                out.push_str("<figure class=\"wp-block-gallery has-nested-images columns-default\">");
                items.iter().for_each(|image| picture(out, image));
                out.truncate(out.trim_end().len());
                out.push_str("</figure>\n");
            });
        }
        Block::Quote { text, marks, .. } => wrap(out, "quote", "", |out| {
            out.push_str("<blockquote class=\"wp-block-quote\">");
            wrap(out, "paragraph", "", |out| {
                html::paragraph(out, text, marks, None, FLAVOR)
            });
            out.truncate(out.trim_end().len());
            out.push_str("</blockquote>\n");
        }),
        Block::Code { text, .. } => wrap(out, "preformatted", "", |out| html::code(out, text, FLAVOR)),
        Block::File { media, text, .. } => {
            let href = html::attribute(&address(media));
            let attributes = if is_token(media) {
                format!(
                    r#"{{"id":{},"href":"{href}","showDownloadButton":false}}"#,
                    id_slot(media)
                )
            } else {
                format!(
                    r#"{{"href":{},"showDownloadButton":false}}"#,
                    json(&address(media))
                )
            };
            wrap(out, "file", &attributes, |out| {
                let _ = writeln!(
                    out,
                    "<div class=\"wp-block-file\"><a href=\"{href}\">{}</a></div>",
                    html::escaped(text, FLAVOR)
                );
            });
        }
        Block::Embed { url, text, .. } => wrap(out, "paragraph", r#"{"className":"embed"}"#, |out| {
            html::embed(out, url, text, FLAVOR);
        }),
        // What no block of the editor holds: HTML that is kept as it is.
        Block::List { .. } => wrap(out, "html", "", |out| {
            out.push_str(&literal(&html::html(std::slice::from_ref(block))));
        }),
        Block::RawHtml { html, .. } => wrap(out, "html", "", |out| {
            let _ = writeln!(out, "{}", literal(&html::clean(html)));
        }),
    }
}

/// HTML inside a block passes the same filters as all content; brackets are what must not be read as a shortcode.
fn literal(html: &str) -> String {
    html.replace('[', "&#91;")
        .replace(']', "&#93;")
        .replace("<!--", "")
}

/// The editor's list items hold text and lists, nothing else.
fn lists_only(items: &[ListItem]) -> bool {
    items.iter().flat_map(|i| &i.children).all(|child| match child {
        Block::List { items, .. } => lists_only(items),
        _ => false,
    })
}

fn list(
    out: &mut String,
    ordered: bool,
    (start, by, reversed): (Option<u32>, Option<Counting>, bool),
    items: &[ListItem],
) {
    let tag = if ordered { "ol" } else { "ul" };
    let mut attributes = serde_json::Map::new();
    if ordered {
        attributes.insert("ordered".into(), true.into());
    }
    if let Some(start) = start {
        attributes.insert("start".into(), start.into());
    }
    if reversed {
        attributes.insert("reversed".into(), true.into());
    }
    if let Some(by) = by {
        let name = match by {
            Counting::LowerAlpha => "lower-alpha",
            Counting::UpperAlpha => "upper-alpha",
            Counting::LowerRoman => "lower-roman",
            Counting::UpperRoman => "upper-roman",
        };
        attributes.insert("type".into(), name.into());
    }
    let attributes = if attributes.is_empty() {
        String::new()
    } else {
        serde_json::Value::Object(attributes).to_string()
    };
    // What the editor itself writes for `type`: a style, not the attribute.
    let open = match by {
        None => format!("<{tag}{}>", html::counting_of(start, None, reversed)),
        Some(by) => {
            let style = match by {
                Counting::LowerAlpha => "lower-alpha",
                Counting::UpperAlpha => "upper-alpha",
                Counting::LowerRoman => "lower-roman",
                Counting::UpperRoman => "upper-roman",
            };
            let start = html::counting_of(start, None, reversed);
            format!("<{tag}{start} style=\"list-style-type:{style}\">")
        }
    };
    wrap(out, "list", &attributes, |out| {
        out.push_str(&open);
        for item in items {
            wrap(out, "list-item", "", |out| {
                let _ = write!(
                    out,
                    "<li>{}",
                    html::inline(&item.content.text, &item.content.marks, FLAVOR)
                );
                for child in &item.children {
                    write(child, out);
                }
                out.truncate(out.trim_end().len());
                out.push_str("</li>\n");
            });
        }
        out.truncate(out.trim_end().len());
        let _ = writeln!(out, "</{tag}>");
    });
}

fn picture(out: &mut String, image: &Image) {
    let attributes = if is_token(&image.media) {
        format!(
            r#"{{"id":{},"sizeSlug":"full","linkDestination":"none"}}"#,
            id_slot(&image.media)
        )
    } else {
        r#"{"sizeSlug":"full","linkDestination":"none"}"#.to_owned()
    };
    wrap(out, "image", &attributes, |out| html::figure(out, image, FLAVOR));
}

/// A JSON string inside a block's comment: `--` and `>` must not end the comment (`serialize_block_attributes`).
fn json(text: &str) -> String {
    serde_json::Value::from(text)
        .to_string()
        .replace("--", "\\u002d\\u002d")
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
}

/// What WordPress would turn into something else, wherever it stands.
static TOUCHED: LazyLock<Regex> = LazyLock::new(|| {
    // Smileys stand between white space; `9x9` becomes a cross; `(tm)` and `Wordpress` are replaced.
    Regex::new(
        r"(?P<smiley>(?:^|\s)(?:8-?[)oO]|[:;][^\s]{1,12}))|(?P<cross>\d[\d.,]*x\d)|(?P<tm>\((?i:tm|c|r)\))|(?P<name>Wordpress)|--|\.\.\.|''|``",
    )
    .expect("the pattern is fixed and tested")
});

/// Text for WordPress: every sign that one of its filters would take for more is a reference.
pub(super) fn escape(text: &str) -> String {
    let mut touched = std::collections::BTreeSet::new();
    for found in TOUCHED.captures_iter(text) {
        let Some(all) = found.get(0) else { continue };
        let piece = all.as_str();
        // One sign of it as a reference is enough to make it unknown to the filters.
        let first = if found.name("cross").is_some() {
            piece.find('x')
        } else {
            piece.find(|c: char| !c.is_whitespace())
        };
        touched.extend(first.map(|i| all.start() + i));
        // The rest may hold the beginning of another one (`:):)`).
        let signs = piece.char_indices().filter(|(_, c)| ".-:;'`".contains(*c));
        touched.extend(signs.map(|(i, _)| all.start() + i));
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    let mut rest = text.char_indices().peekable();
    while let Some((i, c)) = rest.next() {
        let after = rest.peek().map_or(' ', |(_, c)| *c);
        // A hyphen beside white space becomes a dash; brackets, quotes and apostrophes are never left alone.
        let dash = c == '-' && (before.is_whitespace() || after.is_whitespace());
        if touched.contains(&i) || dash || matches!(c, '[' | ']' | '\'') {
            let _ = write!(out, "&#{};", u32::from(c));
        } else {
            out.push_str(&html::escape(c.encode_utf8(&mut [0; 4])));
        }
        before = c;
    }
    out
}
