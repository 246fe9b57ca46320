//! A document on several pages of the portal is one document: its text goes on from page to page, what stands on each of
//! them is said once.

use super::field::Found;
use super::scope::{Content, Scopes};
use super::{Context, ExtractError, Extraction, document, fail, undecided};
use crate::document::{Accounting, Block, CaptureId, Dropped, Part, Span};
use crate::mapping::model::Collection;
use crate::page::Page;

/// A page behind the first of a document.
#[derive(Debug)]
pub struct PartPage {
    /// The page.
    pub page: Page,
    /// Hash of its bytes.
    pub capture: CaptureId,
}

/// Makes one document of a page and those behind it, in order. `absent` are URLs of further ones that are not there.
///
/// # Errors
/// As [`super::extract`].
pub fn extract_parts(
    first: &Page,
    others: &[PartPage],
    absent: &[String],
    collection: &Collection,
    context: &Context<'_>,
) -> Result<Extraction, ExtractError> {
    let mut out = if others.is_empty() {
        super::extract(first, collection, context)?
    } else {
        join(first, others, collection, context)?
    };
    if !absent.is_empty() {
        for document in &mut out.documents {
            let note = format!("pages of the document are not captured: {}", absent.join(", "));
            fail(document, "parts", note);
        }
    }
    Ok(out)
}

fn join(
    first: &Page,
    others: &[PartPage],
    collection: &Collection,
    context: &Context<'_>,
) -> Result<Extraction, ExtractError> {
    let Some(source_key) = context.mapping.source_key(collection, &first.url) else {
        return Err(ExtractError::NoKey {
            url: first.url.to_string(),
            collection: collection.id.clone(),
        });
    };
    let pages = || std::iter::once(first).chain(others.iter().map(|o| &o.page));
    let captures = std::iter::once(context.fetch.capture).chain(others.iter().map(|o| Some(o.capture)));
    let mut out = Extraction::default();
    let mut whole: Option<Content> = None;
    let (mut parts, mut roots, mut offset) = (Vec::new(), Vec::new(), 0);
    let mut scopes: Vec<Scopes<'_>> = Vec::new();
    for (page, capture) in pages().zip(captures) {
        let mut scope = Scopes::new(page, collection, context);
        let root = scope.container();
        let earlier = whole.as_ref().map(|w| &w.fields);
        let more = parts.len() < others.len();
        let mut content = scope.content(root, earlier, more, &mut out.explain);
        roots.push((page.text.span(root.id()).unwrap_or_default(), content.missing));
        shift(&mut content, offset);
        out.inline_media.append(&mut content.inline_media.clone());
        whole = Some(match whole {
            None => content,
            Some(whole) => append(whole, content),
        });
        parts.push(Part {
            url: page.url.to_string(),
            capture,
            chars: Span(offset, offset + page.text.len()),
        });
        offset += page.text.len() + 1;
        scopes.push(scope);
    }
    let Some(mut content) = whole else {
        return Ok(out);
    };
    let furniture = std::mem::take(&mut content.furniture);
    let mut document = document(first, collection, context, source_key, content);
    let allowed = context.mapping.rules().decode.max_undecided_blocks;
    for (page, (span, _)) in pages().zip(&roots) {
        undecided(page, *span, allowed, &mut document);
    }
    document
        .redirects
        .from
        .extend(parts.iter().map(|p| p.url.clone()));
    document.redirects.from.sort();
    document.redirects.from.dedup();
    for ((mut scope, part), (_, missing)) in scopes.into_iter().zip(&parts).zip(roots) {
        scope.outside();
        let (sum, dropped) = scope.account(scope.whole(), missing);
        add(&mut document.accounting, sum, part.chars.0);
        document.dropped.extend(dropped.into_iter().map(|d| Dropped {
            chars: moved(d.chars, part.chars.0),
            ..d
        }));
    }
    if document.accounting.unaccounted > 0 {
        let note = format!("{} characters are unaccounted", document.accounting.unaccounted);
        fail(&mut document, "accounted", note);
    }
    (out.accounting, out.dropped) = (document.accounting.clone(), document.dropped.clone());
    document.dropped.extend(furniture);
    document.provenance.parts = parts;
    out.documents.push(document);
    Ok(out)
}

/// The text of `more` behind that of `content`.
fn append(mut content: Content, more: Content) -> Content {
    let known: std::collections::HashSet<String> = content
        .media
        .iter()
        .chain(&content.attachments)
        .map(|m| m.source_url.clone())
        .collect();
    let new = |m: &crate::document::Media| !known.contains(&m.source_url);
    content.body.extend(more.body);
    content.media.extend(more.media.into_iter().filter(new));
    content
        .attachments
        .extend(more.attachments.into_iter().filter(new));
    content.links.extend(more.links);
    content.citations.extend(more.citations);
    content.furniture.extend(more.furniture);
    content.notes.extend(more.notes);
    content.missing += more.missing;
    for (name, found) in more.fields {
        content.fields.entry(name).or_insert(found);
    }
    content
}

fn moved(span: Span, by: usize) -> Span {
    Span(span.0 + by, span.1 + by)
}

/// Moves every range of a page to where the page stands in the document.
fn shift(content: &mut Content, by: usize) {
    shift_blocks(&mut content.body, by);
    for Found { provenance, .. } in content.fields.values_mut() {
        provenance.chars = provenance.chars.map(|c| moved(c, by));
    }
    for citation in &mut content.citations {
        citation.chars = moved(citation.chars, by);
    }
    for dropped in &mut content.furniture {
        dropped.chars = moved(dropped.chars, by);
    }
}

fn shift_blocks(blocks: &mut [Block], by: usize) {
    for block in blocks {
        let source = block.source_mut();
        if !source.chars.is_empty() {
            source.chars = moved(source.chars, by);
        }
        // Lists nest no deeper than `block` reads them.
        if let Block::List { items, .. } = block {
            items.iter_mut().for_each(|i| shift_blocks(&mut i.children, by));
        }
    }
}

fn add(sum: &mut Accounting, part: Accounting, by: usize) {
    sum.visible += part.visible;
    sum.kept += part.kept;
    sum.dropped += part.dropped;
    sum.unaccounted += part.unaccounted;
    sum.unaccounted_text
        .extend(part.unaccounted_text.into_iter().map(|mut u| {
            u.chars = moved(u.chars, by);
            u
        }));
}
