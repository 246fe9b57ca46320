//! Bad disks: `badfs.c`, loaded into the program with LD_PRELOAD.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The library, compiled once; none (said loudly) where there is no C compiler.
fn library() -> Option<&'static Path> {
    static LIBRARY: OnceLock<Option<(tempfile::TempDir, PathBuf)>> = OnceLock::new();
    let built = LIBRARY.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("badfs.so");
        let source = Path::new(crate::support::ROOT).join("tests/drills/badfs.c");
        let output = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&path)
            .arg(source)
            .args(["-ldl", "-lpthread"])
            .output();
        match output {
            Ok(output) if output.status.success() => Some((folder, path)),
            Ok(output) => panic!("{}", String::from_utf8_lossy(&output.stderr)),
            Err(_) => {
                eprintln!("SKIPPED: there is no C compiler to build the bad disk with");
                None
            }
        }
    });
    built.as_ref().map(|(_, path)| path.as_path())
}

/// Makes `command` meet a bad disk below `folder`; `false` where that cannot be.
pub fn spoil(command: &mut Command, folder: &Path, what: &str, at: usize, operations: Option<usize>) -> bool {
    let Some(library) = library() else { return false };
    command
        .env("LD_PRELOAD", library)
        .env("BADFS_FOLDER", folder)
        .env("BADFS_DO", what)
        .env("BADFS_AT", at.to_string());
    if let Some(operations) = operations {
        command.env("BADFS_FOR", operations.to_string());
    }
    true
}

/// An operation on a file: what was done, and the kind of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Site {
    pub operation: String,
    pub file: &'static str,
}

/// What `command` does to files below `folder`, in order; none where that cannot be told.
pub fn operations(command: &mut Command, folder: &Path) -> Option<Vec<Site>> {
    if !spoil(command, folder, "count", 0, None) {
        return None;
    }
    let log = tempfile::NamedTempFile::new().unwrap();
    command.env("BADFS_LOG", log.path());
    crate::harness::run(command).with(0);
    let text = std::fs::read_to_string(log.path()).unwrap();
    let site = |line: &str| {
        let (operation, path) = line.split_once(' ').unwrap();
        Site {
            operation: operation.to_owned(),
            file: kind(path),
        }
    };
    Some(text.lines().map(site).collect())
}

fn kind(path: &str) -> &'static str {
    let marks = [
        ("ledger.db-wal", "ledger's log"),
        ("ledger.db-journal", "ledger's journal"),
        ("ledger.db-shm", "ledger's index"),
        ("ledger.db.lock", "lock"),
        ("ledger.db", "ledger"),
        (".warc", "archive"),
        ("/media/", "medium"),
        ("/documents/", "document"),
    ];
    marks
        .iter()
        .find(|(mark, _)| path.contains(mark))
        .map_or("other", |(_, kind)| *kind)
}
