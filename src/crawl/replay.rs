//! Saved pages as a source: a folder or WARC files give exchanges, which go the way of fetched ones.

use super::error::CrawlError;
use crate::capture::{CaptureError, Exchange, folder, warc};
use crate::mapping::Mapping;
use crate::mapping::model::PageSource;
use std::path::{Path, PathBuf};

/// Exchanges of one source, in its order.
type Saved = Box<dyn Iterator<Item = Result<Exchange, CaptureError>> + Send>;

/// The saved pages that a mapping names.
pub(super) fn open(mapping: &Mapping, source: &PageSource) -> Result<Option<Saved>, CrawlError> {
    Ok(match source {
        PageSource::Http {} => None,
        PageSource::Folder { path, root, urls } => {
            let base = &mapping.rules().site.base;
            let root = root
                .as_deref()
                .and_then(|r| base.join(r).ok())
                .unwrap_or_else(|| base.clone());
            let rules = urls
                .iter()
                .map(|rule| (rule.from.regex().clone(), rule.to.clone()));
            let rules = rules.collect();
            Some(Box::new(folder::walk(&mapping.dir().join(path), &root, rules)?))
        }
        PageSource::Warc { path } => {
            let files = files(&mapping.dir().join(path))?;
            let mut all: Vec<Saved> = Vec::with_capacity(files.len());
            for file in files {
                all.push(Box::new(warc::read(&file)?));
            }
            Some(Box::new(all.into_iter().flatten()))
        }
    })
}

/// A file, or the WARC and ARC files of a folder, by name.
fn files(path: &Path) -> Result<Vec<PathBuf>, CrawlError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let io = |source| CaptureError::Io {
        action: "list",
        path: path.to_owned(),
        source,
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(io)? {
        let file = entry.map_err(io)?.path();
        if warc::is_archive(&file.to_string_lossy()) {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}
