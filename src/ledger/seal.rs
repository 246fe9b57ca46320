//! SQLite has no checksums: a bit that flips inside a text is not seen. So a ledger that was closed in order is sealed: the
//! hash of its file stands beside it, and is compared and taken away before the next run writes.

use super::open::LedgerError;
use rusqlite::Connection;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

fn hash(path: &Path) -> io::Result<String> {
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(File::open(path)?)?;
    Ok(hasher.finalize().to_hex().to_string())
}

/// Is the file the one that was sealed? A file without a seal was not closed in order: then SQLite's own log says what
/// stands.
///
/// # Errors
/// [`LedgerError::Corrupt`] if it is another one.
pub(super) fn check(path: &Path) -> Result<(), LedgerError> {
    let Ok(sealed) = std::fs::read_to_string(beside(path, ".seal")) else {
        return Ok(());
    };
    // A seal that was not written to its end, or news in SQLite's log that came after it.
    let has_news = std::fs::metadata(beside(path, "-wal")).is_ok_and(|m| m.len() > 0);
    if sealed.len() != 64 || has_news || !path.exists() {
        return Ok(());
    }
    let found = hash(path).map_err(|source| LedgerError::Io {
        path: path.to_owned(),
        source,
    })?;
    if found == sealed {
        return Ok(());
    }
    Err(LedgerError::Corrupt {
        path: path.to_owned(),
        what: "its bytes are not those that the last run left (a failing disk, or another program wrote it)"
            .into(),
    })
}

/// Takes the seal away, durably: what is written from now on is not sealed.
///
/// # Errors
/// [`LedgerError::Io`].
pub(super) fn open(path: &Path) -> Result<(), LedgerError> {
    let seal = beside(path, ".seal");
    let io = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    match std::fs::remove_file(&seal) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io(error)),
        Ok(()) => {
            let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
            File::open(folder.unwrap_or(Path::new(".")))
                .and_then(|f| f.sync_all())
                .map_err(io)
        }
    }
}

/// Seals the file, if all of SQLite's log is in it. That it cannot be done costs nothing but the seal.
pub(super) fn close(conn: &Connection, path: &Path) {
    let busy: rusqlite::Result<i64> = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |r| r.get(0));
    if busy != Ok(0) {
        return;
    }
    let sealed = hash(path).and_then(|hash| {
        let mut file = File::create(beside(path, ".seal"))?;
        file.write_all(hash.as_bytes())?;
        file.sync_all()
    });
    if let Err(error) = sealed {
        tracing::debug!(%error, "the ledger is not sealed");
    }
}
