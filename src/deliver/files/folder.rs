//! The folder of an export: what was written before, what is written now, and when it is whole.
//!
//! Every path is in the journal before its file is there, and every file appears by a rename. The manifest goes away before
//! anything changes and comes last, so a folder with a manifest is whole. What an earlier export wrote and this one does not
//! is removed at the end; what no export wrote is never touched.

use super::ExportError;
use super::manifest::{self, Head, Row};
use crate::document::CaptureId;
use std::collections::HashSet;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

/// Holds the journal, the lock and unfinished files; gone when the export is whole.
const WORK: &str = ".sangtrang-export";
/// Comes last.
pub(super) const MANIFEST: &str = "manifest.json";

/// A path, short: 100,000 documents have some 400,000 of them.
type Key = [u8; 16];

fn key(path: &str) -> Key {
    let mut short = [0; 16];
    short.copy_from_slice(&blake3::hash(path.as_bytes()).as_bytes()[..16]);
    short
}

/// The folder, while it is written.
pub(super) struct Folder {
    root: PathBuf,
    head: Head,
    journal: io::BufWriter<fs_err::File>,
    old: HashSet<Key>,
    new: HashSet<Key>,
    /// Files that differ from what was there.
    pub changed: u64,
    /// Files.
    pub files: u64,
    _lock: std::fs::File,
}

/// A file that is written piece by piece.
pub(super) struct Stream {
    file: io::BufWriter<tempfile::NamedTempFile>,
    hash: blake3::Hasher,
    bytes: u64,
    path: String,
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let written = self
            .file
            .write(buf)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot write `{}`: {e}", self.path)))?;
        self.hash.update(&buf[..written]);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Folder {
    /// Opens a new folder, an empty one, or one of an earlier export of the same site in the same format.
    pub(super) fn open(root: &Path, head: Head) -> Result<Self, ExportError> {
        fs_err::create_dir_all(root)?;
        let work = root.join(WORK);
        let mut old = earlier(root, &head)?;
        fs_err::create_dir_all(&work)?;
        let lock = std::fs::File::create(work.join("lock"))
            .map_err(|e| io::Error::new(e.kind(), format!("cannot write in `{}`: {e}", work.display())))?;
        if lock.try_lock().is_err() {
            return Err(ExportError::Locked {
                path: root.to_owned(),
            });
        }
        for entry in fs_err::read_dir(&work)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(".tmp") {
                fs_err::remove_file(entry.path())?;
            }
        }
        // The journal knows what the manifest knew before the manifest goes.
        let mut fresh = tempfile::NamedTempFile::new_in(&work)?;
        let mut writer = io::BufWriter::new(&mut fresh);
        serde_json::to_writer(&mut writer, &head).map_err(io::Error::from)?;
        writer.write_all(b"\n")?;
        let mut known = HashSet::new();
        for path in old.drain(..) {
            if known.insert(key(&path)) {
                writeln!(writer, "- {path}")?;
            }
        }
        writer.flush()?;
        drop(writer);
        fresh.as_file().sync_all()?;
        let journal = work.join("journal");
        fresh.persist(&journal).map_err(|e| e.error)?;
        match fs_err::remove_file(root.join(MANIFEST)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        let journal = fs_err::OpenOptions::new().append(true).open(journal)?;
        Ok(Self {
            root: root.to_owned(),
            head,
            journal: io::BufWriter::new(journal),
            old: known,
            new: HashSet::new(),
            changed: 0,
            files: 0,
            _lock: lock,
        })
    }

    /// A path that this export is about to write.
    fn claim(&mut self, path: &str) -> Result<(), ExportError> {
        let key = key(path);
        let plain = Path::new(path)
            .components()
            .all(|c| matches!(c, std::path::Component::Normal(_)));
        if !plain || path.contains(['\n', '\r']) || !self.new.insert(key) {
            return Err(io::Error::other(format!("two files of the export would be `{path}`")).into());
        }
        if !self.old.contains(&key) {
            if self.root.join(path).symlink_metadata().is_ok() {
                return Err(ExportError::Foreign {
                    path: self.root.clone(),
                    file: path.to_owned(),
                });
            }
            writeln!(self.journal, "- {path}")?;
            self.journal.flush()?;
        }
        Ok(())
    }

    /// Writes a file.
    pub(super) fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let mut stream = self.stream(path)?;
        stream.write_all(bytes)?;
        self.close(stream)
    }

    /// Begins a file; [`Folder::close`] makes it appear.
    pub(super) fn stream(&mut self, path: &str) -> Result<Stream, ExportError> {
        self.claim(path)?;
        let work = self.root.join(WORK);
        let file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(&work)
            .map_err(|e| io::Error::new(e.kind(), format!("cannot write in `{}`: {e}", work.display())))?;
        Ok(Stream {
            file: io::BufWriter::new(file),
            hash: blake3::Hasher::new(),
            bytes: 0,
            path: path.to_owned(),
        })
    }

    /// Ends a file. One that is there already with these bytes is left alone.
    pub(super) fn close(&mut self, stream: Stream) -> Result<(), ExportError> {
        let Stream {
            file,
            hash,
            bytes,
            path,
        } = stream;
        let to = self.root.join(&path);
        let named = |e: io::Error| io::Error::new(e.kind(), format!("cannot write `{}`: {e}", to.display()));
        let file = file.into_inner().map_err(|e| named(e.into_error()))?;
        let hash = hash.finalize();
        let same = fs_err::symlink_metadata(&to).is_ok_and(|m| m.is_file() && m.len() == bytes)
            && manifest::hash_of(&to)? == hash;
        if !same {
            fs_err::create_dir_all(to.parent().unwrap_or(&self.root))?;
            file.persist(&to).map_err(|e| named(e.error))?;
            self.changed += 1;
        }
        self.done(&path, bytes, hash)
    }

    /// Copies a medium, which must still be what its name says.
    pub(super) fn copy(&mut self, path: &str, from: &Path, id: CaptureId) -> Result<u64, ExportError> {
        let mut stream = self.stream(path)?;
        let mut file = fs_err::File::open(from)?;
        io::copy(&mut file, &mut stream)?;
        if stream.hash.finalize().as_bytes() != id.as_bytes() {
            return Err(ExportError::Medium {
                path: from.to_owned(),
            });
        }
        let bytes = stream.bytes;
        self.close(stream)?;
        Ok(bytes)
    }

    fn done(&mut self, path: &str, bytes: u64, hash: blake3::Hash) -> Result<(), ExportError> {
        writeln!(self.journal, "+ {} {bytes} {path}", hash.to_hex())?;
        self.files += 1;
        Ok(())
    }

    /// Removes what is not part of the export any more, and writes the manifest; answers how many files went.
    pub(super) fn finish(mut self, summary: serde_json::Value) -> Result<u64, ExportError> {
        self.journal.flush()?;
        let journal = self.root.join(WORK).join("journal");
        let mut gone = 0;
        for line in lines(&journal)? {
            let line = line?;
            if let Some(path) = line.strip_prefix("- ")
                && !self.new.contains(&key(path))
            {
                gone += u64::from(self.remove(path)?);
            }
        }
        // Bytes before their manifest, whatever the power does.
        for line in lines(&journal)? {
            if let Some(row) = row(&line?) {
                fs_err::File::open(self.root.join(row.path))?.sync_data()?;
            }
        }
        self.head.summary = summary;
        let mut file = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(self.root.join(WORK))?;
        let mut writer = io::BufWriter::new(&mut file);
        let rows = lines(&journal)?.filter_map(|line| match line {
            Ok(line) => row(&line).map(Ok),
            Err(error) => Some(Err(error)),
        });
        manifest::write(&mut writer, &self.head, rows)?;
        writer.flush()?;
        drop(writer);
        file.as_file().sync_all()?;
        file.persist(self.root.join(MANIFEST)).map_err(|e| e.error)?;
        fs_err::remove_dir_all(self.root.join(WORK))?;
        Ok(gone)
    }

    /// Removes a file of an earlier export, and folders that are empty then.
    fn remove(&self, path: &str) -> Result<bool, ExportError> {
        let file = self.root.join(path);
        match fs_err::remove_file(&file) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
            Ok(()) => {}
        }
        let mut folder = file.parent();
        while let Some(empty) = folder.filter(|f| *f != self.root) {
            if std::fs::remove_dir(empty).is_err() {
                break;
            }
            folder = empty.parent();
        }
        Ok(true)
    }
}

/// Paths that earlier exports wrote here, finished or not.
fn earlier(root: &Path, now: &Head) -> Result<Vec<String>, ExportError> {
    let mut paths = Vec::new();
    let mut head = None;
    let file = root.join(MANIFEST);
    if file.symlink_metadata().is_ok() {
        let found = manifest::read(&file, &mut |row| {
            paths.push(row.path);
            Ok(())
        });
        head = Some(found.map_err(|_| ExportError::Foreign {
            path: root.to_owned(),
            file: MANIFEST.into(),
        })?);
    }
    let journal = root.join(WORK).join("journal");
    if journal.exists() {
        let mut all = lines(&journal)?;
        if let Some(first) = all.next().transpose()? {
            head = head.or(serde_json::from_str(&first).ok());
        }
        for line in all {
            paths.extend(line?.strip_prefix("- ").map(str::to_owned));
        }
    }
    match head {
        Some(was) if was.format == now.format && was.site == now.site => Ok(paths),
        Some(was) => Err(ExportError::Other {
            path: root.to_owned(),
            format: was.format,
            site: was.site,
        }),
        None => {
            for entry in fs_err::read_dir(root)? {
                let name = entry?.file_name();
                if name != WORK {
                    return Err(ExportError::Foreign {
                        path: root.to_owned(),
                        file: name.to_string_lossy().into_owned(),
                    });
                }
            }
            Ok(Vec::new())
        }
    }
}

fn lines(path: &Path) -> io::Result<io::Lines<io::BufReader<fs_err::File>>> {
    Ok(io::BufReader::new(fs_err::File::open(path)?).lines())
}

/// A file that is done; a line that a crash cut is none.
fn row(line: &str) -> Option<Row> {
    let mut parts = line.strip_prefix("+ ")?.splitn(3, ' ');
    Some(Row {
        blake3: parts.next()?.to_owned(),
        bytes: parts.next()?.parse().ok()?,
        path: parts.next()?.to_owned(),
    })
}

/// Is an export being written here, or was one left unfinished?
pub(super) fn unfinished(root: &Path) -> bool {
    root.join(WORK).exists() && !root.join(MANIFEST).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(format: &str) -> Head {
        Head {
            schema: manifest::SCHEMA.into(),
            format: format.into(),
            site: "s".into(),
            summary: serde_json::json!({}),
        }
    }

    fn names(root: &Path) -> Vec<String> {
        let mut all: Vec<String> = std::fs::read_dir(root)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        all.sort();
        all
    }

    #[test]
    fn an_export_that_ended_early_is_no_export_and_the_next_one_cleans_up() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("out");
        let mut first = Folder::open(&root, head("hugo")).unwrap();
        first.put("a/one.md", b"1").unwrap();
        first.put("b/two.md", b"2").unwrap();
        assert!(matches!(
            Folder::open(&root, head("hugo")),
            Err(ExportError::Locked { .. })
        ));
        // Killed here: neither manifest nor lock.
        drop(first);
        assert!(unfinished(&root));
        std::fs::write(root.join("own.txt"), "x").unwrap();
        let mut second = Folder::open(&root, head("hugo")).unwrap();
        second.put("a/one.md", b"1").unwrap();
        assert_eq!(second.changed, 0, "the same bytes are left alone");
        assert_eq!(second.finish(serde_json::json!({ "documents": 1 })).unwrap(), 1);
        assert_eq!(names(&root), ["a", "manifest.json", "own.txt"]);
        assert!(matches!(
            Folder::open(&root, head("zola")),
            Err(ExportError::Other { .. })
        ));
        // A file that is not ours is never written over.
        let mut third = Folder::open(&root, head("hugo")).unwrap();
        assert!(matches!(
            third.put("own.txt", b"y"),
            Err(ExportError::Foreign { .. })
        ));
        assert!(third.put("../x", b"y").is_err());
        drop(third);
        assert_eq!(std::fs::read(root.join("own.txt")).unwrap(), b"x");
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("manifest.json"), "{}").unwrap();
        assert!(matches!(
            Folder::open(folder.path(), head("hugo")),
            Err(ExportError::Foreign { .. })
        ));
        assert_eq!(names(folder.path()), ["manifest.json"]);
    }
}
