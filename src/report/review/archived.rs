//! The archived page in its frame: what a reader saw, each character marked by what became of it. A document of its own,
//! which runs nothing, loads nothing but archived pictures, and leads nowhere.

use super::answer::{Asked, Trouble, beside};
use super::document::{Found, find};
use super::guard::{Session, host};
use super::list::View;
use super::{Shared, State};
use crate::document::{Block, Document, Span};
use crate::page::{Highlight, Page, Picture, marked, picture};
use axum::Extension;
use axum::extract::{Path, Query, State as Of};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};
use std::collections::BTreeSet;

const STYLE: &str = include_str!("pages/archived.css");

/// What neither is in the document nor was dropped: text of other documents of the same page.
const REST: (&str, &str) = ("span", "st-other");
const KEPT: (&str, &str) = ("mark", "st-kept");
const DROPPED: (&str, &str) = ("del", "st-dropped");
const OPEN: (&str, &str) = ("mark", "st-open");

pub(super) async fn archived(
    Of(state): Of<Shared>,
    Path(id): Path<String>,
    Query(view): Query<View>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&state, headers, session, view.lang.as_deref());
    beside(state, asked, move |state, asked| {
        shown(state, asked, &id, view.part)
    })
    .await
}

fn shown(state: &State, asked: &Asked, id: &str, part: usize) -> Result<Response, Trouble> {
    let ledger = state.material.ledger()?;
    let Found { document, .. } = find(state, &ledger, id)?;
    let word = |key: &str| asked.language.word(key);
    let fetch = &document.provenance.fetch;
    let (url, capture, offset) = match document.provenance.parts.get(part) {
        Some(part) => (part.url.as_str(), part.capture, part.chars.0),
        None => (fetch.requested.as_str(), fetch.capture, 0),
    };
    let (note, body) = match state.material.page(url, capture) {
        Ok(Some((page, same))) => {
            let looks = if same {
                looks(&document, &page, offset, asked)
            } else {
                Vec::new()
            };
            let rest = if same && is_alone(&document, &page) {
                KEPT
            } else {
                REST
            };
            let rest = if same { rest } else { REST };
            let address = |at: &str| match state.material.picture(&ledger, &page, at) {
                Some(key) => Picture::At(state.archive_address(&key)),
                None if is_plain_data(at) => Picture::At(at.to_owned()),
                None => Picture::Said(word("picture_missing").to_owned()),
            };
            let html = marked(
                &page,
                &looks,
                rest,
                &anchors(&document, offset),
                &|image| match picture::source(image, state.material.lazy()) {
                    Some(at) => address(at),
                    None => Picture::Said(String::new()),
                },
                &|at| word("frame_hole").replacen("{}", at, 1),
            );
            (if same { "" } else { word("page_newer") }, html)
        }
        Ok(None) => (word("page_missing"), String::new()),
        Err(_) => (word("page_unreadable"), String::new()),
    };
    let note = if note.is_empty() {
        String::new()
    } else {
        format!("<p class=\"st-note\">{}</p>", escaped(note))
    };
    let html = format!(
        "<!DOCTYPE html><html lang=\"{}\"><head><meta charset=\"utf-8\"><title>{}</title><style>{STYLE}</style></head><body>{note}{body}</body></html>",
        escaped(&document.language),
        escaped(word("pane_page")),
    );
    let mut answer = Html(html).into_response();
    // The frame's origin is none, so `'self'` would not be ours everywhere: the address is named instead.
    let ours = host(&asked.headers).unwrap_or_default();
    let policy = format!(
        "default-src 'none'; img-src http://{ours}/archive/ https://{ours}/archive/ data:; style-src 'unsafe-inline'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox"
    );
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    Ok(answer)
}

fn escaped(text: &str) -> String {
    minijinja::HtmlEscape(text).to_string()
}

/// Pictures that stand in the page itself, of types that a browser only draws.
fn is_plain_data(address: &str) -> bool {
    let small = address.get(..40).unwrap_or(address).to_ascii_lowercase();
    ["png", "jpeg", "jpg", "gif", "webp"]
        .iter()
        .any(|kind| small.starts_with(&format!("data:image/{kind};base64,")))
}

/// Whether the document accounts for all of the page: then what was not dropped is in it.
fn is_alone(document: &Document, page: &Page) -> bool {
    let visible = page.text.as_str().chars().filter(|c| !c.is_whitespace()).count();
    document.provenance.parts.is_empty() && document.accounting.visible == visible
        || document.provenance.parts.len() > 1
}

/// Where the fields' texts and the body begin, so that a link can lead to each.
fn anchors(document: &Document, offset: usize) -> BTreeSet<usize> {
    let fields = document.provenance.fields.values().filter_map(|f| f.chars);
    let body = document.body.iter().map(|b| b.source().chars);
    fields
        .chain(body.filter(|c| !c.is_empty() && c.0 >= offset).take(1))
        .filter_map(|c| c.0.checked_sub(offset))
        .collect()
}

/// The frame's address, at the place where the document begins: above it stand menus.
pub(super) fn frame(document: &Document, id: &str, part: usize) -> (String, String) {
    let parts = &document.provenance.parts;
    let (from, to) = parts
        .get(part)
        .map_or((0, usize::MAX), |p| (p.chars.0, p.chars.1));
    let title = document.provenance.fields.get("title").and_then(|f| f.chars);
    let body = document.body.iter().map(|b| b.source().chars);
    let first = title
        .into_iter()
        .chain(body)
        .find(|c| !c.is_empty() && (from..to).contains(&c.0));
    let address = format!("/d/{id}/page?part={part}");
    let at = first.map(|c| format!("#c{}", c.0 - from)).unwrap_or_default();
    (address, at)
}

/// What became of the page's characters, in order and without overlap.
fn looks(document: &Document, page: &Page, offset: usize, asked: &Asked) -> Vec<Highlight> {
    let word = |key: &str| asked.language.word(key);
    let length = page.text.len();
    // Later ones win: what was dropped inside a block that was kept is dropped.
    let mut all: Vec<Highlight> = Vec::new();
    let mut add = |chars: Span, look, title: String| {
        let chars = Span(
            chars.0.saturating_sub(offset),
            chars.1.saturating_sub(offset).min(length),
        );
        if !chars.is_empty() {
            all.push(Highlight { chars, look, title });
        }
    };
    let mut blocks: Vec<&Block> = document.body.iter().collect();
    while let Some(block) = blocks.pop() {
        let source = block.source();
        add(
            source.chars,
            KEPT,
            word("mark_body").replacen("{}", &source.rule, 1),
        );
        if let Block::List { items, .. } = block {
            blocks.extend(items.iter().flat_map(|i| &i.children));
        }
    }
    for (name, field) in &document.provenance.fields {
        if let Some(chars) = field.chars {
            add(chars, KEPT, word("mark_field").replacen("{}", name, 1));
        }
    }
    for dropped in document.dropped.iter().filter(|d| d.media.is_none()) {
        let title = format!("{} {}", dropped.rule, dropped.reason);
        add(
            dropped.chars,
            DROPPED,
            word("mark_dropped").replacen("{}", title.trim(), 1),
        );
    }
    for open in &document.accounting.unaccounted_text {
        // A difference in letters names the whole page: no single place of it is open.
        if crate::document::Span(open.chars.0, open.chars.1).len() < length || open.chars.0 > offset {
            add(open.chars, OPEN, word("mark_open").to_owned());
        }
    }
    flat(all, length)
}

/// One highlight a character, the last of those that cover it.
fn flat(all: Vec<Highlight>, length: usize) -> Vec<Highlight> {
    let none = usize::MAX;
    let mut owner = vec![none; length];
    for (at, highlight) in all.iter().enumerate() {
        owner[highlight.chars.0..highlight.chars.1].fill(at);
    }
    let mut out: Vec<Highlight> = Vec::new();
    let mut start = 0;
    for at in 0..length {
        if at + 1 < length && owner[at + 1] == owner[at] {
            continue;
        }
        if let Some(found) = all.get(owner[at]) {
            out.push(Highlight {
                chars: Span(start, at + 1),
                ..found.clone()
            });
        }
        start = at + 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_two_that_overlap_is_seen() {
        let one = |from, to, class| Highlight {
            chars: Span(from, to),
            look: ("mark", class),
            title: String::new(),
        };
        let got = flat(vec![one(1, 8, "k"), one(3, 5, "d")], 10);
        assert_eq!(got, [one(1, 3, "k"), one(3, 5, "d"), one(5, 8, "k")]);
        assert!(flat(Vec::new(), 0).is_empty());
    }

    #[test]
    fn only_drawn_pictures_stand_in_the_page() {
        assert!(is_plain_data("DATA:image/PNG;base64,AAAA"));
        assert!(!is_plain_data("data:image/svg+xml;base64,AAAA"));
        assert!(!is_plain_data("data:text/html,<script>"));
    }
}
