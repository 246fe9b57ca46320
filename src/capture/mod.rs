//! The exact bytes, kept for ever. Raw bytes are archived before anything interprets them: a gzip WARC 1.1 file holds
//! one member a record, and every other source (a foreign WARC, a folder of saved pages) is read into the same
//! [`Capture`]. This room never looks into a body further than its content coding.

mod arc;
#[cfg(test)]
mod archive_tests;
mod coding;
mod compact;
mod compose;
mod error;
mod exchange;
pub mod folder;
mod http;
mod members;
mod reader;
mod record;
mod walk;
pub mod warc;
mod writer;

pub use coding::decode_body;
pub use compact::{Compacted, compact, original_of};
pub use error::CaptureError;
pub use exchange::{Capture, Exchange, Location, Truncated};
pub use reader::ArchiveReader;
pub use walk::{Walk, walk};
pub use writer::{ArchiveLimits, ArchiveWriter, generations};
