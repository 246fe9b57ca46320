//! Bytes to a tree of right text: charset, NFC, the text that a reader sees with its offsets. Pure: no clock, no file.

mod above;
mod decode;
mod hidden;
mod kind;
mod legacy;
mod marked;
mod nodes;
mod noscript;
mod parse;
pub mod picture;
mod prescan;
mod style;
mod visible;
mod withheld;

pub use kind::{VAGUE, file};
pub use legacy::Shown;
pub use marked::{Highlight, Picture, marked};
pub(crate) use nodes::attr;
pub use prescan::{declared_encoding, http_charset};
pub use visible::VisibleText;
pub(crate) use visible::{is_block, is_invisible, keeps_lines};

use crate::capture::Capture;
use crate::document::{Decode, Span};
use crate::lang::{fold, spaces};
use crate::mapping::{Css, Mapping, PageUrl};
use ego_tree::NodeId;
use parse::Reading;
use scraper::{ElementRef, Html};
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashSet};
use style::Looks;
use url::Url;

/// Why a capture is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// It is a file.
    #[error("{url} is no page but a file ({kind}); its bytes are not read as text")]
    File {
        /// Its address.
        url: String,
        /// Its type, as declared or by its first bytes.
        kind: String,
    },
    /// The body is larger than the mapping allows.
    #[error(
        "page {url} has {bytes} bytes, more than `limits.page_bytes` = {limit}; raise the limit to read it"
    )]
    TooLarge {
        /// The page.
        url: String,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// It has more elements than the mapping allows.
    #[error("page {url} has more than `limits.html_elements` = {limit} elements; raise the limit to read it")]
    TooManyElements {
        /// The page.
        url: String,
        /// The limit.
        limit: usize,
    },
}

/// A parsed page.
#[derive(Debug)]
pub struct Page {
    /// Canonical URL.
    pub url: PageUrl,
    /// What relative URLs are resolved against (`<base>` honoured).
    pub base: Url,
    /// The tree.
    pub html: Html,
    /// What a reader sees.
    pub text: VisibleText,
    /// How bytes became text.
    pub decode: Decode,
    /// What `decode.blocks` looked like before and after, one by one.
    pub shown: Vec<Shown>,
    /// How many runs of text were read in which encoding; `undecided` for those that nothing decides.
    pub runs: BTreeMap<String, u64>,
    /// `text` by [`fold`], once somebody has asked for it.
    folded: OnceCell<String>,
}

/// Blocks that a page's record names; a page of many thousand runs is no page for people.
const MAX_BLOCKS: usize = 1000;

/// Reads a text file, a line a block.
#[must_use]
pub fn read_text(bytes: &[u8], content_type: Option<&str>) -> (String, Decode) {
    let source = decode::decode(bytes, content_type, None, true);
    let (text, restored) = legacy::plain(&source.text, source.prior, source.as_is);
    let mut decode = source.decode;
    let _ = conclude(&mut decode, restored, &|_| None);
    (text, decode)
}

/// Whether a page was decoded as it, its server or the mapping declares.
fn is_declared(decode: &Decode) -> bool {
    matches!(decode.method.as_str(), "http" | "meta" | "default")
}

/// Says of the whole page what its blocks showed; gives the texts of those that it names.
fn conclude(
    decode: &mut Decode,
    restored: legacy::Restored,
    span: &dyn Fn(&[NodeId]) -> Option<Span>,
) -> Vec<Shown> {
    let mut shown = Vec::new();
    if let Some(document) = restored.document {
        let by_declaration =
            document.used == decode.used && !matches!(decode.method.as_str(), "detected" | "undeclared");
        if !by_declaration {
            decode.method = document.method;
        }
        decode.used = document.used;
        decode.detected = document.detected;
        decode.share = document.share;
        decode.runner_up = document.runner_up;
    }
    decode.replacements += restored.strays;
    if restored.normalised {
        decode.repairs.push("nfc".into());
    }
    let declared = is_declared(decode);
    let mut named = Vec::new();
    for block in restored.blocks {
        let entry = &block.entry;
        for repair in &entry.repairs {
            if !decode.repairs.contains(repair) {
                decode.repairs.push(repair.clone());
            }
        }
        // A page that is what it declares says so once.
        let plain = entry.used == decode.used && entry.repairs.is_empty() && entry.replacements == 0;
        decode.undecided += usize::from(entry.is_undecided());
        if !(declared && plain) || entry.is_undecided() {
            named.push(block);
        }
    }
    // What nothing decides is named before what is only told.
    let mut room = MAX_BLOCKS.saturating_sub(decode.undecided);
    let mut open = MAX_BLOCKS;
    named.retain(|b| {
        let left = if b.entry.is_undecided() {
            &mut open
        } else {
            &mut room
        };
        let fits = *left > 0;
        *left = left.saturating_sub(1);
        fits
    });
    for mut block in named {
        block.entry.chars = span(&block.nodes);
        decode.blocks.push(block.entry);
        shown.push(block.shown);
    }
    if decode.method == "undeclared" {
        decode.method = if decode.undecided > 0 {
            "undecided"
        } else {
            "as-is"
        }
        .into();
    }
    shown
}

/// Reads a capture.
///
/// # Errors
/// When the capture is a file ([`file()`]), or the body is larger than `limits.page_bytes`, or has more elements than
/// `limits.html_elements`.
pub fn read(capture: &Capture, url: &PageUrl, mapping: &Mapping) -> Result<Page, PageError> {
    let limits = &mapping.rules().limits;
    let bytes = capture.body.len() as u64;
    if bytes > limits.page_bytes {
        return Err(PageError::TooLarge {
            url: url.to_string(),
            bytes,
            limit: limits.page_bytes,
        });
    }
    if let Some(kind) = file(capture) {
        return Err(PageError::File {
            url: url.to_string(),
            kind,
        });
    }
    let source = decode::decode(
        &capture.body,
        capture.header("content-type").as_deref(),
        mapping.rules().decode.fallback.as_deref(),
        mapping.rules().site.language.starts_with("vi"),
    );
    let mut decode = source.decode;
    let mut reading = Reading {
        depth: limits.html_depth,
        elements: limits.html_elements,
        scripts: false,
        noscript: false,
    };
    let mut parsed = parse::parse(&source.text, reading);
    if parsed.elements <= limits.html_elements && noscript::is_all(&parsed.html) {
        reading.noscript = true;
        parsed = parse::parse(&source.text, reading);
        decode.repairs.push("noscript".into());
    }
    if parsed.elements > limits.html_elements {
        return Err(PageError::TooManyElements {
            url: url.to_string(),
            limit: limits.html_elements,
        });
    }
    if parsed.deep {
        decode.repairs.push("depth-capped".into());
    }
    let mut html = parsed.html;
    let looks = Looks::of(&html);
    let declared = is_declared(&decode).then(|| decode.used.clone());
    let restored = legacy::restore(&mut html, &looks, source.prior, source.as_is, declared.as_deref());
    let own = url.as_url().clone();
    let elements = html.tree.root().descendants().filter_map(ElementRef::wrap);
    let base = elements
        .filter(|e| e.value().name() == "base")
        .find_map(|e| attr(e.value(), "href"))
        .and_then(|href| own.join(href.trim()).ok())
        .unwrap_or(own);
    let reveal = &mapping.rules().page.reveal;
    let revealed = reveal
        .iter()
        .flat_map(|css| html.select(css.selector()))
        .map(|e| e.id());
    let mut revealed: HashSet<NodeId> = revealed.collect();
    let rules = hidden::Rules::of(&looks);
    let mut text = VisibleText::of(&html, &rules, &revealed);
    let withheld = withheld::found(&html, &text);
    if !withheld.is_empty() {
        revealed.extend(withheld);
        text = VisibleText::of(&html, &rules, &revealed);
        decode.repairs.push("withheld-text".into());
    }
    let runs = restored.counts.clone();
    let shown = conclude(&mut decode, restored, &|nodes| {
        let spans = nodes
            .iter()
            .filter_map(|n| text.span(*n))
            .filter(|s| !s.is_empty());
        spans.reduce(|a, b| Span(a.0.min(b.0), a.1.max(b.1)))
    });
    Ok(Page {
        url: url.clone(),
        base,
        html,
        text,
        decode,
        shown,
        runs,
        folded: OnceCell::new(),
    })
}

impl Page {
    /// Elements that a selector matches, in document order.
    pub fn select<'a>(&'a self, css: &'a Css) -> impl Iterator<Item = ElementRef<'a>> {
        css.select(&self.html)
    }

    /// Visible text of an element, white space folded to single spaces.
    #[must_use]
    pub fn text_of(&self, element: ElementRef<'_>) -> String {
        let span = self.text.span(element.id()).unwrap_or(Span(0, 0));
        spaces(self.text.slice(span))
    }

    /// Whether the page shows a text; `folded` is the result of [`fold`].
    #[must_use]
    pub fn has_text(&self, folded: &str) -> bool {
        self.folded
            .get_or_init(|| fold(self.text.as_str()))
            .contains(folded)
    }
}
