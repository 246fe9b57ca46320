//! What a person who judges documents is shown of a site's output: the archived page a document was made of, its media, and
//! what it is found by.

use super::documents::location;
use super::error::PipelineError;
use super::output::Layout;
use crate::capture::ArchiveReader;
use crate::document::{CaptureId, Document};
use crate::lang::bare;
use crate::ledger::{Ledger, Shelved};
use crate::mapping::Mapping;
use crate::page::{self, Page};
use std::io;

/// Documents that are put on the shelf at once.
const ROWS: usize = 500;
/// Digits of a number in a place of the list: numbers stand in their order, not in that of their letters.
const DIGITS: usize = 12;
/// Characters of an address that searches look at.
const ADDRESS: usize = 300;

/// A page as the archive has it.
#[derive(Debug)]
pub struct Archived {
    /// The page.
    pub page: Page,
    /// Whether these are the very bytes that the document was made of; else its ranges mean nothing here.
    pub same: bool,
}

/// The archived page at a canonical URL: the capture with these bytes, else the present one. `None` if there is none.
///
/// # Errors
/// When ledger or archive cannot be read, or the page is too large for the mapping.
pub fn archived_page(
    mapping: &Mapping,
    layout: &Layout,
    ledger: &Ledger,
    url: &str,
    capture: Option<CaptureId>,
) -> Result<Option<Archived>, PipelineError> {
    let url = super::site_url(mapping, url)?;
    let Some(id) = ledger.find(&url.key())? else {
        return Ok(None);
    };
    let wanted = match capture {
        Some(capture) => ledger.capture_with(id, capture)?,
        None => None,
    };
    let (place, same) = match wanted {
        Some(place) => (place, true),
        None => match ledger.current_capture(id)? {
            Some((_, place)) => (place, false),
            None => return Ok(None),
        },
    };
    let limit = mapping.rules().limits.page_bytes;
    let capture = ArchiveReader::new(&layout.archive()).read(&location(&place), limit)?;
    let page = page::read(&capture, &url, mapping)?;
    Ok(Some(Archived { page, same }))
}

/// The bytes of a medium that the archive has, by the key of its URL.
///
/// # Errors
/// When ledger or archive cannot be read.
pub fn archived_medium(
    mapping: &Mapping,
    layout: &Layout,
    ledger: &Ledger,
    key: &[u8; 16],
) -> Result<Option<Vec<u8>>, PipelineError> {
    let Some(place) = ledger.medium(key)?.and_then(|medium| medium.place) else {
        return Ok(None);
    };
    let limit = mapping.rules().limits.media_bytes;
    let capture = ArchiveReader::new(&layout.archive()).read(&location(&place), limit)?;
    Ok(Some(capture.body))
}

/// The bytes of a stored medium, whatever its file's ending.
///
/// # Errors
/// When its folder or file cannot be read.
pub fn stored_medium(layout: &Layout, id: CaptureId) -> io::Result<Option<Vec<u8>>> {
    let usual = layout.media(id, None);
    let (Some(folder), Some(stem)) = (usual.parent(), usual.file_stem()) else {
        return Ok(None);
    };
    let entries = match fs_err::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        if path.file_stem() == Some(stem) {
            return fs_err::read(path).map(Some);
        }
    }
    Ok(None)
}

/// What a document is found by, and where it stands in the list.
pub(super) fn shelved(document: &Document) -> Shelved {
    let title = document
        .title
        .clone()
        .unwrap_or_else(|| document.source_key.clone());
    // Without its host, whose words would be found everywhere.
    let address = &document.provenance.fetch.requested;
    let path = url::Url::parse(address).map_or_else(
        |_| address.clone(),
        |u| u[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
    );
    let path: String = path.chars().take(ADDRESS).collect();
    Shelved {
        id: document.id.to_string(),
        sort: format!("{}/{}", document.collection, in_order(&document.source_key)),
        find: format!(
            "{}\n{}\n{}\n{}",
            bare(&title),
            bare(&document.source_key),
            bare(&path),
            document.id
        ),
        title,
    }
}

/// A key whose numbers are as long as each other, and the key itself, so that no two are equal.
fn in_order(key: &str) -> String {
    let mut out = String::with_capacity(key.len() * 2);
    let mut number = String::new();
    for c in key.chars().chain(std::iter::once('\n')) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        if !number.is_empty() {
            out.push_str(&format!("{number:0>DIGITS$}"));
            number.clear();
        }
        out.push(c);
    }
    out + key
}

/// Puts on the shelf what an older program extracted. `progress` is told how many were.
///
/// # Errors
/// When ledger or documents cannot be read.
pub fn reshelve(layout: &Layout, ledger: &mut Ledger, progress: &dyn Fn(u64)) -> Result<u64, PipelineError> {
    let (mut after, mut done) = (String::new(), 0);
    loop {
        let missing = ledger.unshelved(&after, ROWS)?;
        let Some((last, _)) = missing.last() else {
            return Ok(done);
        };
        after.clone_from(last);
        let mut rows = Vec::with_capacity(missing.len());
        for (id, collection) in missing {
            // An id that is none was never written by this program; a document without a file has nothing to be judged by.
            let Ok(id) = id.parse() else { continue };
            if let Some(document) = layout.read_document(&collection, &id)? {
                rows.push(shelved(&document));
            }
        }
        done += rows.len() as u64;
        ledger.shelve(&rows)?;
        progress(done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_in_their_order() {
        let mut keys = ["news:10", "news:9", "news:9-2", "news:09"];
        keys.sort_by_key(|k| in_order(k));
        assert_eq!(keys, ["news:09", "news:9", "news:9-2", "news:10"]);
        assert_ne!(in_order("news:09"), in_order("news:9"));
    }
}
