//! Where documents and files come from: the output of the extraction, seen from here.

use crate::document::{CaptureId, Document};
use std::io;
use std::path::PathBuf;

/// What has been extracted.
pub trait Source: Send + Sync + 'static {
    /// Every document, always in the same order.
    ///
    /// # Errors
    /// When they cannot be read, or what `each` answers.
    fn each(&self, each: &mut dyn FnMut(Document) -> io::Result<()>) -> io::Result<()>;

    /// One document; nothing if there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    fn document(&self, collection: &str, id: &str) -> io::Result<Option<Document>>;

    /// The file of a medium.
    fn media(&self, id: CaptureId, mime: &str) -> PathBuf;

    /// Keeps the payload of something that a target refused, for people.
    ///
    /// # Errors
    /// When it cannot be written.
    fn quarantine(&self, key: &str, json: &str) -> io::Result<()>;
}
