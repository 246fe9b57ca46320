//! The exact bytes, kept for ever. Raw bytes are archived before anything interprets them: a gzip WARC 1.1 file holds
//! one member a record, and every other source (a foreign WARC, a folder of saved pages) is read into the same
//! [`Capture`]. This room never looks into a body further than its content coding.

mod exchange;

pub use exchange::{Capture, Exchange, Location, Truncated};
