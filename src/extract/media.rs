//! Pictures and files: what they are by their bytes, and those that stand in the page itself.

use crate::document::{Media, MediaRole, MediaState};
use base64::Engine;

/// Largest picture that may stand in a page, in bytes.
const INLINE_LIMIT: usize = 8 << 20;

/// What the bytes of a medium say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaFacts {
    /// Type by content, else as declared.
    pub mime: Option<String>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
}

/// A picture of a `data:` URI.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InlineMedia {
    /// `data:` and the hash of the bytes: the `source_url` of its entry in `media`.
    pub source_url: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Type that the URI declares.
    pub declared_mime: Option<String>,
}

/// Looks at the bytes of a medium.
#[must_use]
pub fn inspect(bytes: &[u8], declared: Option<&str>) -> MediaFacts {
    let mime = infer::get(bytes)
        .map(|t| t.mime_type().to_owned())
        .or_else(|| declared.map(str::to_owned));
    let size = imagesize::blob_size(bytes).ok();
    MediaFacts {
        mime,
        width: size.and_then(|s| s.width.try_into().ok()),
        height: size.and_then(|s| s.height.try_into().ok()),
    }
}

/// Decodes a `data:` URI; `None` if it is none, broken, or too large.
pub(super) fn data_uri(raw: &str) -> Option<InlineMedia> {
    let (head, body) = raw
        .get(..5)
        .filter(|p| p.eq_ignore_ascii_case("data:"))
        .and(raw.get(5..))?
        .split_once(',')?;
    if body.len() > INLINE_LIMIT * 4 / 3 {
        return None;
    }
    let decoded: Vec<u8> = percent_encoding::percent_decode_str(body).collect();
    let bytes = if head.to_ascii_lowercase().ends_with(";base64") {
        let clean: Vec<u8> = decoded.into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
        base64::engine::general_purpose::STANDARD.decode(clean).ok()?
    } else {
        decoded
    };
    let mime = head
        .split(';')
        .next()
        .filter(|m| m.contains('/'))
        .map(str::to_owned);
    Some(InlineMedia {
        source_url: format!("data:{}", blake3::hash(&bytes).to_hex()),
        bytes,
        declared_mime: mime,
    })
}

/// An entry that waits for its bytes.
pub(super) fn entry(source_url: &str, role: MediaRole, alt: Option<String>) -> Media {
    let filename = url::Url::parse(source_url)
        .ok()
        .filter(|u| u.scheme() != "data")
        .and_then(|u| u.path_segments()?.next_back().map(str::to_owned))
        .filter(|n| !n.is_empty())
        .map(|n| {
            percent_encoding::percent_decode_str(&n)
                .decode_utf8_lossy()
                .into_owned()
        });
    Media {
        reference: format!("url:{source_url}"),
        source_url: source_url.to_owned(),
        role,
        alt,
        caption: None,
        credit: None,
        mime: None,
        declared_mime: None,
        bytes: None,
        width: None,
        height: None,
        filename,
        state: MediaState::Unfetchable,
    }
}
