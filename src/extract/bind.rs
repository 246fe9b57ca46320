//! The media that a document waits for.

use super::gate::{Judging, judge};
use super::media;
use crate::document::{Block, Document, Image, Inline, LinkKind, MarkKind, Media, MediaRole, MediaState};

/// What is known of a medium after its fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredMedia {
    /// Hash of the bytes; absent if they are not there.
    pub hash: Option<crate::document::CaptureId>,
    /// What became of it.
    pub state: MediaState,
    /// Type by content.
    pub mime: Option<String>,
    /// Type that the server declared.
    pub declared_mime: Option<String>,
    /// Size.
    pub bytes: Option<u64>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// Name by Content-Disposition.
    pub filename: Option<String>,
}

/// Puts media in the place of their tokens, judges the result by the gates, and sets the revision.
pub fn bind(document: &mut Document, judging: &Judging<'_>, media: &dyn Fn(&str) -> Option<StoredMedia>) {
    let mut bound: std::collections::HashMap<String, String> = std::collections::HashMap::new();
    for entry in document.media.iter_mut().chain(&mut document.attachments) {
        if let Some(stored) = media(&entry.source_url) {
            let old = entry.reference.clone();
            apply(entry, stored);
            bound.insert(old, entry.reference.clone());
        }
    }
    for block in &mut document.body {
        rebind(block, &bound);
    }
    promote(document);
    for link in &mut document.links {
        if let Some(token) = link
            .resolved
            .as_ref()
            .and_then(|u| bound.get(&format!("url:{u}")))
        {
            link.target = Some(token.clone());
        }
    }
    judge(document, judging);
    // The hash fails on numbers that are not finite only; a document holds none but confidences of the mapping.
    document.revision = crate::document::content_hash(document).unwrap_or_default();
}

/// Makes attachments of the links whose answers are files, whatever their addresses look like (`Download.ashx?id=7`). To be
/// done before [`bind`].
pub fn attach(document: &mut Document, is_file: &mut dyn FnMut(&str) -> bool) {
    let mut bound = Bound::new();
    let shown = &document.media;
    for link in document.links.iter_mut().filter(|l| l.kind == LinkKind::Internal) {
        let Some(url) = &link.resolved else { continue };
        // The picture behind a thumbnail is at its place already.
        if shown.iter().any(|m| m.source_url == *url) || !is_file(url) {
            continue;
        }
        let entry = media::entry(url, MediaRole::Attachment, None);
        let old = link.target.take().unwrap_or_else(|| url.clone());
        bound.insert(old, entry.reference.clone());
        link.kind = LinkKind::Attachment;
        if !document.attachments.iter().any(|m| m.source_url == *url) {
            document.attachments.push(entry);
        }
    }
    if bound.is_empty() {
        return;
    }
    for block in &mut document.body {
        rebind(block, &bound);
        let Block::Paragraph { text, marks, src, .. } = block else {
            continue;
        };
        let whole =
            |m: &&crate::document::Mark| m.kind == MarkKind::Link && m.chars.len() == text.chars().count();
        let file = marks.iter().find(whole).and_then(|m| m.target.clone());
        if let Some(media) = file.filter(|target| bound.values().any(|token| token == target)) {
            *block = Block::File {
                media,
                text: std::mem::take(text),
                src: src.clone(),
            };
        }
    }
}

/// Puts the picture behind a thumbnail in its place, if it is there and no smaller.
fn promote(document: &mut Document) {
    let media = &mut document.media;
    let mut each = |image: &mut Image| {
        let Some(original) = image.original.as_mut().filter(|o| !o.verified) else {
            return;
        };
        let find = |media: &[Media], token: &str| media.iter().position(|m| m.reference == *token);
        let (Some(small), Some(large)) = (find(media, &image.media), find(media, &original.other)) else {
            return;
        };
        let fits = |a: Option<u32>, b: Option<u32>| a.zip(b).is_none_or(|(large, small)| large >= small);
        let (one, other) = (&media[large], &media[small]);
        let picture = one.mime.as_ref().is_some_and(|m| m.starts_with("image/"));
        if one.state == MediaState::Ok
            && picture
            && fits(one.width, other.width)
            && fits(one.height, other.height)
        {
            std::mem::swap(&mut image.media, &mut original.other);
            original.verified = true;
            let (alt, caption, credit) = (other.alt.clone(), other.caption.clone(), other.credit.clone());
            let entry = &mut media[large];
            (entry.alt, entry.caption, entry.credit) = (alt, caption, credit);
            entry.role = MediaRole::Body;
            media[small].role = MediaRole::Thumbnail;
        }
    };
    let mut shown = std::collections::BTreeSet::new();
    for_images(&mut document.body, &mut each);
    for_images(&mut document.body, &mut |image| {
        shown.insert(image.media.clone());
    });
    // A thumbnail that stands elsewhere for itself is still shown.
    for entry in &mut document.media {
        if entry.role == MediaRole::Thumbnail && shown.contains(&entry.reference) {
            entry.role = MediaRole::Body;
        }
    }
}

fn for_images(blocks: &mut [Block], each: &mut dyn FnMut(&mut Image)) {
    for block in blocks {
        match block {
            Block::Image { image, .. } => each(image),
            Block::Gallery { items, .. } => items.iter_mut().for_each(&mut *each),
            // Lists nest no deeper than `block` reads them.
            Block::List { items, .. } => items.iter_mut().for_each(|i| for_images(&mut i.children, each)),
            _ => {}
        }
    }
}

fn apply(entry: &mut Media, stored: StoredMedia) {
    if let Some(hash) = stored.hash {
        entry.reference = format!("media:{hash}");
    }
    entry.state = stored.state;
    entry.mime = stored.mime;
    entry.declared_mime = stored.declared_mime;
    entry.bytes = stored.bytes;
    entry.width = stored.width;
    entry.height = stored.height;
    entry.filename = stored.filename.or_else(|| entry.filename.take());
}

type Bound = std::collections::HashMap<String, String>;

fn rebind(block: &mut Block, bound: &Bound) {
    let swap = |token: &mut String| {
        if let Some(new) = bound.get(token) {
            token.clone_from(new);
        }
    };
    let inline = |content: &mut Inline| {
        content
            .marks
            .iter_mut()
            .filter_map(|m| m.target.as_mut())
            .for_each(swap);
    };
    let image = |image: &mut Image| {
        swap(&mut image.media);
        image.original.iter_mut().for_each(|o| swap(&mut o.other));
        image.caption.iter_mut().for_each(inline);
    };
    match block {
        Block::Paragraph { marks, .. } | Block::Heading { marks, .. } | Block::Quote { marks, .. } => {
            marks.iter_mut().filter_map(|m| m.target.as_mut()).for_each(swap);
        }
        Block::List { items, .. } => {
            for item in items {
                inline(&mut item.content);
                // Lists nest no deeper than `block` reads them.
                item.children.iter_mut().for_each(|child| rebind(child, bound));
            }
        }
        Block::Table { table, .. } => {
            table
                .rows
                .iter_mut()
                .flatten()
                .for_each(|cell| inline(&mut cell.content));
            table
                .caption
                .iter_mut()
                .chain(&mut table.footnotes)
                .for_each(inline);
        }
        Block::Image { image: one, .. } => image(one),
        Block::Gallery { items, .. } => items.iter_mut().for_each(image),
        Block::File { media, .. } => swap(media),
        Block::Code { .. } | Block::Embed { .. } | Block::RawHtml { .. } => {}
    }
}
