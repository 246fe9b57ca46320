//! What a link of the body leads to.

use super::Context;
use crate::document::LinkKind;
use crate::mapping::UrlError;
use crate::page::Page;

/// A link, judged.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) kind: LinkKind,
    pub(super) resolved: Option<String>,
    /// Target of the mark; no mark if absent.
    pub(super) mark: Option<String>,
}

pub(super) fn judge(page: &Page, context: &Context<'_>, raw: &str) -> Judged {
    let raw = raw.trim();
    let lower = raw.to_ascii_lowercase();
    let plain = |kind| Judged {
        kind,
        resolved: None,
        mark: None,
    };
    if raw.starts_with('#') {
        return plain(LinkKind::Anchor);
    }
    if lower.starts_with("javascript:") {
        return plain(LinkKind::Postback);
    }
    if lower.starts_with("mailto:") || lower.starts_with("tel:") {
        return Judged {
            kind: LinkKind::Mailto,
            resolved: Some(raw.into()),
            mark: Some(raw.into()),
        };
    }
    if lower.starts_with("file:") || lower.as_bytes().get(1) == Some(&b':') || raw.starts_with(r"\\") {
        return plain(LinkKind::FileUri);
    }
    let mapping = context.mapping;
    match mapping.resolve(&page.base, raw) {
        Ok(url) => {
            let text = url.as_str().to_owned();
            let unwrap = mapping
                .rules()
                .links
                .unwrap
                .iter()
                .any(|p| p.regex().is_match(&text));
            let (kind, mark) = if mapping.is_attachment(&url) {
                (LinkKind::Attachment, format!("url:{text}"))
            } else if let Some(id) = mapping.document_id(&url) {
                (LinkKind::Internal, format!("doc:{id}"))
            } else {
                (LinkKind::Internal, text.clone())
            };
            Judged {
                kind,
                resolved: Some(text),
                mark: (!unwrap).then_some(mark),
            }
        }
        Err(UrlError::OffSite { url }) => Judged {
            kind: LinkKind::External,
            resolved: Some(url.to_string()),
            mark: Some(url.to_string()),
        },
        Err(_) => plain(LinkKind::Broken),
    }
}
