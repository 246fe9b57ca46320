//! The folder of a site's output. Every file appears by atomic rename: never half-written, never rewritten when it
//! would not change.

use crate::document::{CaptureId, Document, DocumentId, extension};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Where things are inside `output/<site>/`.
#[derive(Clone, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The folder of `site` below `output`.
    #[must_use]
    pub fn new(output: &Path, site: &str) -> Self {
        Self {
            root: output.join(site),
        }
    }

    /// `output/<site>`
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// `ledger.db`
    #[must_use]
    pub fn ledger(&self) -> PathBuf {
        self.root.join("ledger.db")
    }

    /// `archive/`
    #[must_use]
    pub fn archive(&self) -> PathBuf {
        self.root.join("archive")
    }

    /// `documents/<collection>/<id>.json`
    #[must_use]
    pub fn document(&self, document: &Document) -> PathBuf {
        self.document_file(&document.collection, &document.id)
    }

    /// The same by collection and id.
    #[must_use]
    pub fn document_file(&self, collection: &str, id: &DocumentId) -> PathBuf {
        self.root
            .join("documents")
            .join(collection)
            .join(format!("{id}.json"))
    }

    /// `sync.lock`
    #[must_use]
    pub fn sync_lock(&self) -> PathBuf {
        self.root.join("sync.lock")
    }

    /// `sync.json`
    #[must_use]
    pub fn sync_json(&self) -> PathBuf {
        self.root.join("sync.json")
    }

    /// `notify.json`
    #[must_use]
    pub fn notify_json(&self) -> PathBuf {
        self.root.join("notify.json")
    }

    /// `switchover.json`
    #[must_use]
    pub fn switchover_json(&self) -> PathBuf {
        self.root.join("switchover.json")
    }

    /// `record.md`
    #[must_use]
    pub fn record_md(&self) -> PathBuf {
        self.root.join("record.md")
    }

    /// `report/`
    #[must_use]
    pub fn report(&self) -> PathBuf {
        self.root.join("report")
    }

    /// `quarantine/`
    #[must_use]
    pub fn quarantine_folder(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// `plan.json`
    #[must_use]
    pub fn plan_json(&self) -> PathBuf {
        self.root.join("plan.json")
    }

    /// `export/<format>`
    #[must_use]
    pub fn export(&self, format: &str) -> PathBuf {
        self.root.join("export").join(format)
    }

    /// `redirects/<name>`
    #[must_use]
    pub fn redirects(&self, name: &str) -> PathBuf {
        self.root.join("redirects").join(name)
    }

    /// `quarantine/<key>.json`
    #[must_use]
    pub fn quarantine(&self, key: &str) -> PathBuf {
        let name: String = key
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '-' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        self.root.join("quarantine").join(format!("{name}.json"))
    }

    /// `documents.jsonl`
    #[must_use]
    pub fn documents_jsonl(&self) -> PathBuf {
        self.root.join("documents.jsonl")
    }

    /// `media/ab/cdef….png`
    #[must_use]
    pub fn media(&self, id: CaptureId, mime: Option<&str>) -> PathBuf {
        let hex = id.to_string();
        let (folder, name) = hex.split_at(2);
        let extension = mime.and_then(extension).unwrap_or("bin");
        self.root
            .join("media")
            .join(folder)
            .join(format!("{name}.{extension}"))
    }

    /// `run.json`
    #[must_use]
    pub fn run_json(&self) -> PathBuf {
        self.root.join("run.json")
    }

    /// `report.txt`
    #[must_use]
    pub fn report_txt(&self) -> PathBuf {
        self.root.join("report.txt")
    }

    /// A document that is there.
    ///
    /// # Errors
    /// When its file cannot be read.
    pub fn read_document(&self, collection: &str, id: &DocumentId) -> io::Result<Option<Document>> {
        match fs_err::read(self.document_file(collection, id)) {
            Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes)?)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a document's file, its canonical JSON; tells whether it changed.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_document(&self, document: &Document, json: &str) -> io::Result<bool> {
        write_atomic(&self.document(document), json.as_bytes())
    }
}

/// Writes `bytes` to `path` by a temporary file beside it and a rename. A file that holds these bytes already is left
/// alone; the answer tells whether it changed.
///
/// # Errors
/// When the folder or file cannot be written; `path` is then as it was.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<bool> {
    if fs_err::metadata(path).is_ok_and(|m| m.len() == bytes.len() as u64) && fs_err::read(path)? == bytes {
        return Ok(false);
    }
    let mut file = AtomicFile::create(path)?;
    file.write_all(bytes)?;
    file.commit()?;
    Ok(true)
}

/// How names of unfinished files begin.
const PART: &str = ".part-";

/// Removes the unfinished files that a killed run has left below `root`. The caller holds the site's lock: nobody writes
/// them any more.
///
/// # Errors
/// When a folder cannot be listed or a file cannot be removed.
pub fn remove_unfinished(root: &Path) -> io::Result<()> {
    let mut open = vec![root.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs_err::read_dir(&folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() && entry.file_name().to_string_lossy().starts_with(PART) {
                fs_err::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// A file that appears under its name only when it is whole.
#[derive(Debug)]
pub struct AtomicFile {
    file: io::BufWriter<tempfile::NamedTempFile>,
    path: PathBuf,
}

impl AtomicFile {
    /// Starts the file that will be `path`.
    ///
    /// # Errors
    /// When its folder cannot be made or written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs_err::create_dir_all(folder)?;
        let file = tempfile::Builder::new()
            .prefix(PART)
            .permissions(permissions())
            .tempfile_in(folder)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot write in `{}`: {e}", folder.display())))?;
        Ok(Self {
            file: io::BufWriter::new(file),
            path: path.to_owned(),
        })
    }

    /// What was written so far, from its beginning.
    ///
    /// # Errors
    /// When the rest cannot be written.
    pub fn reread(&mut self) -> io::Result<std::fs::File> {
        let named =
            |e: io::Error| io::Error::new(e.kind(), format!("cannot write `{}`: {e}", self.path.display()));
        self.file.flush().map_err(named)?;
        self.file.get_ref().reopen().map_err(named)
    }

    /// Gives the finished file its name.
    ///
    /// # Errors
    /// When the rest cannot be written or the rename fails; the old file is then still there.
    pub fn commit(self) -> io::Result<()> {
        let named =
            |e: io::Error| io::Error::new(e.kind(), format!("cannot write `{}`: {e}", self.path.display()));
        let file = self.file.into_inner().map_err(|e| named(e.into_error()))?;
        file.persist(&self.path).map_err(|e| named(e.error))?;
        Ok(())
    }
}

impl Write for AtomicFile {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let path = &self.path;
        self.file
            .write(buf)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot write `{}`: {e}", path.display())))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Temporary files are private by default; these become outputs that others may read.
fn permissions() -> std::fs::Permissions {
    std::os::unix::fs::PermissionsExt::from_mode(0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unchanged_file_is_left_alone_and_an_aborted_one_leaves_no_trace() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.json");
        assert!(write_atomic(&path, b"one").unwrap());
        assert!(!write_atomic(&path, b"one").unwrap());
        assert!(write_atomic(&path, b"two").unwrap());
        let mut unfinished = AtomicFile::create(&path).unwrap();
        unfinished.write_all(b"three").unwrap();
        drop(unfinished);
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }
}
