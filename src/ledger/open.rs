//! Opening a ledger: lock, integrity, migrations.

use super::seal;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Another run writes it.
    #[error("another run holds the ledger `{path}` (process {owner}): wait until it ends")]
    Locked {
        /// The ledger.
        path: PathBuf,
        /// Process id of the holder, as it wrote it; `unknown` if it did not.
        owner: String,
    },
    /// The file is damaged.
    #[error(
        "ledger `{path}` is corrupt: {what}; `sangtrang ledger rebuild --force MAPPING` makes it anew from the archive beside it, which keeps all captures"
    )]
    Corrupt {
        /// The ledger.
        path: PathBuf,
        /// What SQLite says.
        what: String,
    },
    /// No space is left.
    #[error("no space left for the ledger `{path}`: free some and run the same command again")]
    DiskFull {
        /// The ledger.
        path: PathBuf,
    },
    /// The disk is full or fails, which SQLite does not tell apart here.
    #[error(
        "cannot write the ledger `{path}`: {source}: the disk has no space left or fails; free some space, or look at the disk, and run the same command again"
    )]
    Disk {
        /// The ledger.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// A newer program wrote it.
    #[error("ledger `{path}` has version {found}, this program knows {known}: use the newer program")]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Version of the file.
        found: i64,
        /// Newest version that this program writes.
        known: i64,
    },
    /// Its dates are of another kind of clock.
    #[error("ledger `{path}` was written by a {found} clock: made-up dates never stand beside real ones")]
    Clock {
        /// The ledger.
        path: PathBuf,
        /// `real` or `set`.
        found: String,
    },
    /// There is no ledger at this place.
    #[error("there is no ledger at `{path}`: crawl the site first")]
    Missing {
        /// The place.
        path: PathBuf,
    },
    /// The folder or the lock file cannot be used.
    #[error("cannot open the ledger `{path}`: {source}")]
    Io {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Anything else that SQLite says.
    #[error("ledger `{path}`: {source}")]
    Sql {
        /// The ledger.
        path: PathBuf,
        /// What SQLite says.
        source: rusqlite::Error,
    },
}

impl LedgerError {
    /// Sorts what SQLite says.
    pub(super) fn sql(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt {
                path,
                what: source.to_string(),
            },
            Some(ErrorCode::DiskFull) => Self::DiskFull { path },
            Some(ErrorCode::SystemIoFailure) => Self::Disk { path, source },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked {
                path,
                owner: "unknown".into(),
            },
            _ => Self::Sql { path, source },
        }
    }
}

/// The schema, one step a version: step N leads from `user_version` N to N+1. Steps are never changed, only added.
const MIGRATIONS: &[&str] = &[
    FIRST,
    super::learned::SCHEMA,
    HELD,
    super::delivery::SCHEMA,
    super::delivery::BY_KEY,
    super::models::SCHEMA,
    super::visits::SCHEMA,
    super::misses::SCHEMA,
    super::history::SCHEMA,
    super::shelf::SCHEMA,
    super::gates::SCHEMA,
];

/// A ledger as a program wrote it that did not know the step `schema` yet.
#[cfg(test)]
pub(super) fn before(path: &Path, schema: &str) {
    let known = MIGRATIONS.iter().position(|step| *step == schema).unwrap();
    let conn = Connection::open(path).unwrap();
    conn.execute_batch(&MIGRATIONS[..known].concat()).unwrap();
    conn.pragma_update(None, "user_version", i64::try_from(known).unwrap())
        .unwrap();
}

/// Pages are listed by what is held of them, whatever became of their URL since.
const HELD: &str = "
DROP INDEX url_done;
CREATE INDEX url_held ON url (url) WHERE kind = 0 AND capture IS NOT NULL;
";

const FIRST: &str = "
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE name (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE run (id INTEGER PRIMARY KEY, uid TEXT NOT NULL UNIQUE, command TEXT NOT NULL, started INTEGER NOT NULL,
  finished INTEGER, mapping BLOB, outcome TEXT, summary TEXT);
CREATE TABLE url (id INTEGER PRIMARY KEY, ukey BLOB NOT NULL UNIQUE, url TEXT NOT NULL, kind INTEGER NOT NULL,
  state INTEGER NOT NULL, depth INTEGER NOT NULL, hops INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
  not_before INTEGER NOT NULL DEFAULT 0, status INTEGER, reason INTEGER, via INTEGER, parent INTEGER, target INTEGER,
  capture INTEGER, list INTEGER, page INTEGER NOT NULL DEFAULT 0, generation INTEGER NOT NULL DEFAULT 0, request BLOB);
CREATE INDEX url_ready ON url (not_before, id) WHERE state = 0;
CREATE INDEX url_done ON url (url) WHERE kind = 0 AND state = 1;
CREATE INDEX url_target ON url (target) WHERE target IS NOT NULL;
CREATE TABLE capture (id INTEGER PRIMARY KEY, url_id INTEGER NOT NULL, run INTEGER NOT NULL, at INTEGER NOT NULL,
  status INTEGER NOT NULL, hash BLOB, file INTEGER, offset INTEGER, length INTEGER, bytes INTEGER, error INTEGER,
  etag TEXT, last_modified TEXT, final TEXT, chain TEXT, mime TEXT, disposition TEXT);
CREATE INDEX capture_url ON capture (url_id);
CREATE TABLE alias (url_id INTEGER NOT NULL, spelling TEXT NOT NULL, PRIMARY KEY (url_id, spelling)) WITHOUT ROWID;
CREATE TABLE found (url_id INTEGER NOT NULL, rule INTEGER NOT NULL, parent INTEGER NOT NULL, list INTEGER NOT NULL,
  generation INTEGER NOT NULL, anchor TEXT, fields TEXT, PRIMARY KEY (url_id, rule, parent)) WITHOUT ROWID;
CREATE TABLE pager (list INTEGER NOT NULL, rule INTEGER NOT NULL, generation INTEGER NOT NULL, pages INTEGER NOT NULL,
  no_new INTEGER NOT NULL, restarts INTEGER NOT NULL, stop TEXT, PRIMARY KEY (list, rule)) WITHOUT ROWID;
CREATE TABLE document (id TEXT PRIMARY KEY, collection TEXT NOT NULL, source_key TEXT NOT NULL, url_id INTEGER,
  state TEXT NOT NULL, capture BLOB, content TEXT, mapping BLOB, payload TEXT, gates TEXT, first_seen INTEGER NOT NULL,
  last_seen INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX document_url ON document (url_id);
";

/// The ledger of one site.
pub struct Ledger {
    pub(super) conn: Connection,
    pub(super) path: PathBuf,
    /// Held for as long as the ledger is open for writing; the system lets go of it if the process dies.
    lock: Option<std::fs::File>,
    /// Whether the file is sealed at the end: its hash costs a reading of it, too much for a single row.
    seals: bool,
}

impl Ledger {
    /// Opens the ledger for writing and makes it if there is none.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] if another run writes it, [`LedgerError::Corrupt`] if it is damaged.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let io = |source| LedgerError::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            fs_err::create_dir_all(folder).map_err(io)?;
        }
        let lock = lock(path)?;
        seal::check(path)?;
        seal::open(path)?;
        let conn = Connection::open(path).map_err(|e| LedgerError::sql(path, e))?;
        let mut ledger = Self {
            conn,
            path: path.to_owned(),
            lock: Some(lock),
            seals: true,
        };
        ledger.prepare()?;
        Ok(ledger)
    }

    /// Opens an existing ledger for a few rows: nothing is checked but a seal, and none is left. A file without a seal is one
    /// whose words stand in SQLite's log, and the next [`Ledger::open`] seals it again.
    ///
    /// # Errors
    /// As [`Ledger::open`]; [`LedgerError::Missing`] if there is none.
    pub fn amend(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::Missing {
                path: path.to_owned(),
            });
        }
        let lock = lock(path)?;
        seal::check(path)?;
        seal::open(path)?;
        let sql = |e| LedgerError::sql(path, e);
        let conn = Connection::open(path).map_err(sql)?;
        conn.busy_timeout(std::time::Duration::from_secs(5))
            .map_err(sql)?;
        conn.pragma_update(None, "synchronous", "full").map_err(sql)?;
        stable_plans(&conn).map_err(sql)?;
        let ledger = Self {
            conn,
            path: path.to_owned(),
            lock: Some(lock),
            seals: false,
        };
        if usize::try_from(ledger.version()?).is_ok_and(|v| v < MIGRATIONS.len()) {
            drop(ledger);
            return Self::open(path);
        }
        ledger.same_clock()?;
        Ok(ledger)
    }

    /// Whether the ledger has all that this program knows of; an older one is brought up by the next [`Ledger::open`].
    ///
    /// # Errors
    /// What SQLite says.
    pub fn is_current(&self) -> Result<bool, LedgerError> {
        Ok(usize::try_from(self.version()?).is_ok_and(|v| v == MIGRATIONS.len()))
    }

    /// Holds the lock of a ledger that is about to be replaced, until the value is dropped.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] if a run writes it.
    pub fn hold(path: &Path) -> Result<impl Sized + use<>, LedgerError> {
        lock(path)
    }

    /// What SQLite finds wrong with the file; nothing if it is whole.
    ///
    /// # Errors
    /// What SQLite says if it cannot even look.
    pub fn integrity(&self) -> Result<Vec<String>, LedgerError> {
        let lines: Vec<String> = self.all("PRAGMA integrity_check(100)", [], |r| r.get(0))?;
        Ok(lines.into_iter().filter(|line| line != "ok").collect())
    }

    /// Opens an existing ledger for reading; a run may write it meanwhile.
    ///
    /// # Errors
    /// [`LedgerError::Missing`], [`LedgerError::Corrupt`], [`LedgerError::Newer`].
    pub fn read(path: &Path) -> Result<Self, LedgerError> {
        if !path.exists() {
            return Err(LedgerError::Missing {
                path: path.to_owned(),
            });
        }
        // Read-write for SQLite, because a reader of a WAL file needs its shared memory; `query_only` keeps it honest.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let sql = |e| LedgerError::sql(path, e);
        let conn = Connection::open_with_flags(path, flags).map_err(sql)?;
        conn.busy_timeout(std::time::Duration::from_secs(5))
            .map_err(sql)?;
        conn.pragma_update(None, "query_only", true).map_err(sql)?;
        conn.set_prepared_statement_cache_capacity(64);
        stable_plans(&conn).map_err(sql)?;
        let ledger = Self {
            conn,
            path: path.to_owned(),
            lock: None,
            seals: false,
        };
        ledger.version()?;
        Ok(ledger)
    }

    fn version(&self) -> Result<i64, LedgerError> {
        let found: i64 = self
            .conn
            .pragma_query_value(None, "user_version", |r| r.get(0))
            .map_err(|e| LedgerError::sql(&self.path, e))?;
        let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
        if found > known {
            return Err(LedgerError::Newer {
                path: self.path.clone(),
                found,
                known,
            });
        }
        Ok(found)
    }

    fn prepare(&mut self) -> Result<(), LedgerError> {
        let path = self.path.clone();
        let sql = |e| LedgerError::sql(&path, e);
        self.conn
            .busy_timeout(std::time::Duration::from_secs(5))
            .map_err(sql)?;
        self.conn.set_prepared_statement_cache_capacity(64);
        stable_plans(&self.conn).map_err(sql)?;
        self.conn
            .pragma_update(None, "journal_mode", "wal")
            .map_err(sql)?;
        self.conn
            .pragma_update(None, "synchronous", "full")
            .map_err(sql)?;
        let mut version = self.version()?;
        if version > 0 {
            let answer: String = self
                .conn
                .query_row("PRAGMA quick_check(1)", [], |r| r.get(0))
                .map_err(sql)?;
            if answer != "ok" {
                return Err(LedgerError::Corrupt { path, what: answer });
            }
        }
        while let Some(step) = usize::try_from(version).ok().and_then(|v| MIGRATIONS.get(v)) {
            let tx = self
                .conn
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(sql)?;
            tx.execute_batch(step).map_err(sql)?;
            version += 1;
            tx.pragma_update(None, "user_version", version).map_err(sql)?;
            tx.commit().map_err(sql)?;
        }
        self.same_clock()
    }

    /// One ledger, one kind of clock.
    fn same_clock(&self) -> Result<(), LedgerError> {
        let sql = |e| LedgerError::sql(&self.path, e);
        let now = super::clock::kind();
        let found = match self.meta("clock")? {
            Some(found) => found,
            None => {
                // What was written before anybody could set a clock was written by the real one.
                let runs: i64 = self
                    .conn
                    .query_row("SELECT count(*) FROM run", [], |r| r.get(0))
                    .map_err(sql)?;
                let kind = if runs > 0 { "real" } else { now };
                self.conn
                    .execute("INSERT INTO meta (key, value) VALUES ('clock', ?)", [kind])
                    .map_err(sql)?;
                kind.to_owned()
            }
        };
        if found == now {
            return Ok(());
        }
        Err(LedgerError::Clock {
            path: self.path.clone(),
            found,
        })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        // Only who may write may seal.
        if self.lock.is_some() && self.seals {
            seal::close(&self.conn, &self.path);
        }
    }
}

/// A cached statement keeps its plan whatever is bound to it; otherwise SQLite compiles it again for each row that is asked
/// for (it could use STAT4 samples of the bound values, which nothing here needs).
fn stable_plans(conn: &Connection) -> rusqlite::Result<()> {
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)
        .map(|_| ())
}

fn lock(path: &Path) -> Result<std::fs::File, LedgerError> {
    let io = |source| LedgerError::Io {
        path: path.to_owned(),
        source,
    };
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut owner = String::new();
            // The text is only for people: a lock file that cannot be read is no reason to say less.
            let _ = file.read_to_string(&mut owner);
            let owner = owner.trim();
            return Err(LedgerError::Locked {
                path: path.to_owned(),
                owner: if owner.is_empty() { "unknown" } else { owner }.to_owned(),
            });
        }
        Err(std::fs::TryLockError::Error(e)) => return Err(io(e)),
    }
    file.set_len(0).map_err(io)?;
    file.rewind().map_err(io)?;
    // A full disk shows itself in the ledger; the name of the holder is not worth stopping for.
    let _ = write!(file, "{}", std::process::id());
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_writer_is_told_who_holds_it_and_a_reader_may_look() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        assert!(matches!(Ledger::read(&path), Err(LedgerError::Missing { .. })));
        let first = Ledger::open(&path).unwrap();
        match Ledger::open(&path) {
            Err(LedgerError::Locked { owner, .. }) => assert_eq!(owner, std::process::id().to_string()),
            other => panic!("expected Locked, got {:?}", other.err()),
        }
        assert!(Ledger::read(&path).is_ok());
        drop(first);
        assert!(Ledger::open(&path).is_ok());
    }

    #[test]
    fn garbage_is_corrupt_and_the_future_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        let error = Ledger::open(&path).err().unwrap();
        assert!(matches!(error, LedgerError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("is corrupt"));
        std::fs::remove_file(&path).unwrap();
        let ledger = Ledger::open(&path).unwrap();
        ledger.conn.pragma_update(None, "user_version", 99).unwrap();
        drop(ledger);
        assert!(matches!(
            Ledger::open(&path),
            Err(LedgerError::Newer { found: 99, .. })
        ));
    }
}
