//! Bytes to a tree of right text: charset, NFC, the text that a reader sees with its offsets. Pure: no clock, no file.

mod decode;
mod depth;
mod visible;

pub use visible::VisibleText;
pub(crate) use visible::{is_block, is_hidden};

use crate::capture::Capture;
use crate::document::{Decode, Span};
use crate::lang::{fold, spaces};
use crate::mapping::{Css, Mapping, PageUrl};
use scraper::{ElementRef, Html};
use url::Url;

/// Why a capture is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
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
}

/// Reads a capture.
///
/// # Errors
/// When the body is larger than `limits.page_bytes`.
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
    let (markup, mut decode) = decode::decode(
        &capture.body,
        capture.header("content-type").as_deref(),
        mapping.rules().decode.fallback.as_deref(),
    );
    let capped = depth::cap(&markup, limits.html_depth);
    if let std::borrow::Cow::Owned(_) = &capped {
        decode.repairs.push("depth-capped".into());
    }
    let html = Html::parse_document(&capped);
    let own = url.as_url().clone();
    let base = html
        .select(Css::builtin("base[href]").selector())
        .next()
        .and_then(|e| own.join(e.value().attr("href")?.trim()).ok())
        .unwrap_or(own);
    let text = VisibleText::of(&html);
    Ok(Page {
        url: url.clone(),
        base,
        html,
        text,
        decode,
    })
}

impl Page {
    /// Elements that a selector matches, in document order.
    pub fn select<'a>(&'a self, css: &'a Css) -> impl Iterator<Item = ElementRef<'a>> {
        self.html.select(css.selector())
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
        fold(self.text.as_str()).contains(folded)
    }
}
