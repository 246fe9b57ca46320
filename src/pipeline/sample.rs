//! Pages of a site for those who want to learn of it: as they were captured, and as they are read.

use super::error::PipelineError;
use super::output::Layout;
use crate::capture::{self, ArchiveReader, Capture};
use crate::ledger::Ledger;
use crate::mapping::Mapping;
use crate::page::Page;
use std::path::Path;

/// Pages that are asked of the ledger at a time.
const CHUNK: usize = 64;

/// Bytes of one saved file that are looked at for the address of its site.
const HEAD: u64 = 8 << 10;

/// Saved files that are looked at.
const FILES: usize = 2000;

/// A page of a sample.
#[derive(Debug)]
pub struct Sampled {
    /// As it came.
    pub capture: Capture,
    /// As it is read.
    pub page: Page,
}

/// At most `most` captured HTML pages of a site, in order of their addresses.
///
/// # Errors
/// When the ledger or the archive cannot be read.
pub fn sampled(mapping: &Mapping, layout: &Layout, most: usize) -> Result<Vec<Sampled>, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let archive = ArchiveReader::new(&layout.archive());
    let mut out = Vec::new();
    let mut after = String::new();
    loop {
        let pages = ledger.pages(&after, CHUNK)?;
        let Some(last) = pages.last() else { return Ok(out) };
        after.clone_from(&last.url);
        for known in &pages {
            out.extend(super::learn::read(mapping, &archive, known)?);
            if out.len() >= most {
                return Ok(out);
            }
        }
    }
}

/// The base URL of the site that a folder or a WARC file was saved of, as far as it says so itself.
///
/// # Errors
/// When the archive cannot be opened.
pub fn site_of(path: &Path) -> Result<Option<url::Url>, PipelineError> {
    let mut path = path.to_owned();
    if path.is_dir() {
        let mut files: Vec<_> = fs_err::read_dir(&path)?
            .filter_map(Result::ok)
            .map(|e| e.path())
            .collect();
        files.sort();
        match files.into_iter().find(|f| is_warc(f)) {
            Some(file) => path = file,
            None => return Ok(of_folder(&path)),
        }
    }
    let html = |e: &capture::Exchange| {
        e.status == 200
            && e.headers
                .iter()
                .any(|(n, v)| n.eq_ignore_ascii_case("content-type") && v.starts_with(b"text/html"))
    };
    let first = capture::warc::read(&path)?.filter_map(Result::ok).find(html);
    Ok(first.and_then(|e| origin(&url::Url::parse(&e.url).ok()?)))
}

/// Whether a file is a WARC or ARC file by its name.
#[must_use]
pub fn is_warc(file: &Path) -> bool {
    let name = file
        .file_name()
        .map(|n| n.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    capture::warc::is_archive(&name)
}

/// What HTTrack and browsers write into the pages that they save.
fn of_folder(path: &Path) -> Option<url::Url> {
    let mut open = vec![path.to_owned()];
    let mut seen = 0;
    while let Some(folder) = open.pop() {
        let mut entries: Vec<_> = fs_err::read_dir(folder)
            .ok()?
            .filter_map(Result::ok)
            .map(|e| e.path())
            .collect();
        entries.sort();
        for entry in entries {
            seen += 1;
            if seen > FILES {
                return None;
            }
            if entry.is_dir() {
                open.push(entry);
                continue;
            }
            let mut head = Vec::new();
            let read = fs_err::File::open(&entry)
                .and_then(|f| std::io::Read::read_to_end(&mut std::io::Read::take(f, HEAD), &mut head));
            let said = read.ok().and_then(|_| capture::folder::saved_from(&head));
            if let Some(url) = said.and_then(|url| origin(&url)) {
                return Some(url);
            }
        }
    }
    None
}

fn origin(url: &url::Url) -> Option<url::Url> {
    url.has_host().then(|| url.join("/").ok()).flatten()
}
