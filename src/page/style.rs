//! The style sheets that stand in a page, and declarations of these and of `style` attributes, one after the other.

use super::nodes::attr;
use cssparser::{Parser, Token};
use scraper::{ElementRef, Html};

/// Bytes of the style sheets of one page that are read.
const MAX_CSS: usize = 2 << 20;

/// What stands in the head of a page for its looks.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// The text of each `<style>`, and its `media`.
    pub(super) sheets: Vec<(String, String)>,
    /// The last `face` of a `<basefont>`.
    pub(super) base: Option<String>,
}

impl Looks {
    /// Reads the page's own sheets, up to a bound.
    pub(super) fn of(html: &Html) -> Self {
        let mut this = Self::default();
        let mut left = MAX_CSS;
        for node in html.tree.root().descendants() {
            let Some(element) = node.value().as_element() else {
                continue;
            };
            match element.name() {
                "style" if left > 0 => {
                    let css: String = ElementRef::wrap(node)
                        .map(|e| e.text().collect())
                        .unwrap_or_default();
                    left = left.saturating_sub(css.len());
                    if left > 0 {
                        let media = attr(element, "media").unwrap_or_default();
                        this.sheets.push((css, media.to_owned()));
                    }
                }
                "basefont" => {
                    let face = attr(element, "face").filter(|f| !f.trim().is_empty());
                    this.base = face.map(str::to_owned).or(this.base);
                }
                _ => {}
            }
        }
        this
    }
}

/// The next declaration: its property in small letters, and its value as it is written.
pub(super) fn declaration<'i>(parser: &mut Parser<'i>) -> Option<(String, &'i str)> {
    while let Ok(token) = parser.next() {
        let Token::Ident(name) = token else { continue };
        let name = name.to_ascii_lowercase();
        if parser.expect_colon().is_err() {
            continue;
        }
        let start = parser.position();
        let mut end = start;
        while let Ok(token) = parser.next() {
            if matches!(token, Token::Semicolon) {
                break;
            }
            end = parser.position();
        }
        return Some((name, parser.slice(start..end)));
    }
    None
}

/// Where the next byte stands that may mean something to the structure of a sheet.
pub(super) fn next(bytes: &[u8], at: usize) -> usize {
    static MEANS: [bool; 256] = {
        let signs = b"{};/\"'\\";
        let (mut means, mut n) = ([false; 256], 0);
        while n < signs.len() {
            means[signs[n] as usize] = true;
            n += 1;
        }
        means
    };
    let found = bytes[at..].iter().position(|b| MEANS[usize::from(*b)]);
    found.map_or(bytes.len(), |f| at + f)
}

/// Behind the next piece of a sheet: a comment, a string, or one byte.
pub(super) fn skip(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        b'/' if bytes.get(at + 1) == Some(&b'*') => {
            let end = memchr::memmem::find(&bytes[at + 2..], b"*/");
            end.map_or(bytes.len(), |e| at + 2 + e + 2)
        }
        quote @ (b'"' | b'\'') => {
            let mut end = at + 1;
            while end < bytes.len() && bytes[end] != quote && bytes[end] != b'\n' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            (end + 1).min(bytes.len())
        }
        b'\\' => (at + 2).min(bytes.len()),
        _ => at + 1,
    }
}

/// Where the block that begins at `at` ends: its closing brace, or the end of the sheet.
pub(super) fn block_end(bytes: &[u8], mut at: usize) -> usize {
    let mut depth = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => depth += 1,
            b'}' if depth == 0 => return at,
            b'}' => depth -= 1,
            _ => {
                at = next(bytes, skip(bytes, at));
                continue;
            }
        }
        at = next(bytes, at + 1);
    }
    bytes.len()
}
