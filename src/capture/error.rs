//! What can go wrong with archived bytes.

use std::io;
use std::path::{Path, PathBuf};

/// Why bytes could not be archived, found again or decoded.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The file system refused: disk full, no permission, no such file.
    #[error("cannot {action} `{}`: {source}", path.display())]
    Io {
        /// What was tried: `read`, `write`, `sync`, `truncate`, …
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not what it should be.
    #[error("`{}` is corrupt at byte {offset}: {reason}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where the bad record (in a gzip file: its member) begins.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// The file ends in the middle of a record; all whole records before were delivered.
    #[error("`{}` ends in the middle of the record at byte {offset}", path.display())]
    Torn {
        /// The file.
        path: PathBuf,
        /// Where the broken record (in a gzip file: its member) begins.
        offset: u64,
    },
    /// A record is readable, but its bytes are not those that its digest promises. Reading goes on after it.
    #[error("`{}` has a wrong {which} in the record of `{url}` at byte {offset}", path.display())]
    Digest {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
        /// `WARC-Block-Digest` or `WARC-Payload-Digest`.
        which: &'static str,
        /// Its target.
        url: String,
    },
    /// The ledger names bytes that the archive does not have.
    #[error("the archive lacks bytes {offset} to {end} of `{}`: restore the file, or rebuild the ledger", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// First byte.
        offset: u64,
        /// One behind the last byte.
        end: u64,
    },
    /// A file of a format that this version does not read.
    #[error("`{}` is not as a WARC file should be: {reason}", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What it seems to be.
        reason: String,
    },
    /// An earlier write failed; nothing more is written until [`rollback`](super::ArchiveWriter::rollback).
    #[error("an earlier write to `{}` failed; roll back or open the archive again", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
    },
    /// The name cannot be a file of the archive.
    #[error("`{name}` is not the name of an archive file")]
    Name {
        /// The name as given.
        name: String,
    },
    /// A body is larger than allowed, as sent or after its content coding was removed.
    #[error("the body is larger than {max} bytes; raise the size limit to read it")]
    TooLarge {
        /// The limit in bytes.
        max: u64,
    },
    /// A coded body ends before its coding says that it is complete.
    #[error("the {coding} body ends too early, {decoded} bytes could be decoded")]
    Truncated {
        /// Its content coding.
        coding: String,
        /// How many bytes came out.
        decoded: usize,
    },
    /// A coded body is damaged.
    #[error("the {coding} body is damaged: {reason}")]
    Coding {
        /// Its content coding.
        coding: String,
        /// What the decoder said.
        reason: String,
    },
    /// A content coding that nobody knows.
    #[error("unknown content coding `{0}`: known are gzip, deflate, br, zstd and identity")]
    UnknownCoding(String),
    /// More codings on top of each other than any honest server sends.
    #[error("{0} content codings on one body; at most 3 are read")]
    TooManyCodings(usize),
}

impl CaptureError {
    /// Is the archive not what was written, rather than the answer not what it should be?
    #[must_use]
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::Io { .. }
                | Self::Corrupt { .. }
                | Self::Torn { .. }
                | Self::Digest { .. }
                | Self::Missing { .. }
                | Self::Format { .. }
                | Self::Name { .. }
        )
    }

    /// An I/O error at `path`, for `map_err`.
    pub(super) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
        move |source| Self::Io {
            action,
            path: path.to_owned(),
            source,
        }
    }
}
