//! What a planner asks of ledger and target.

use super::FieldDiff;
use crate::deliver::marks::Marks;
use crate::document::CaptureId;
use crate::ledger::{Delivery, Kind, LedgerError};

/// What is known of a target while planning.
pub trait Memory {
    /// What was delivered under a key.
    ///
    /// # Errors
    /// What the ledger says.
    fn delivery(&self, kind: Kind, key: &str) -> Result<Option<Delivery>, LedgerError>;
    /// The payload that was pushed last.
    ///
    /// # Errors
    /// What the ledger says.
    fn pushed(&self, kind: Kind, key: &str) -> Result<Option<serde_json::Value>, LedgerError>;
    /// What the target shows of it.
    fn presence(&self, delivery: &Delivery) -> Presence;
    /// Something in the target that has this key or slug although nothing was delivered: its id, and is it surely ours?
    fn stray(&self, kind: Kind, of: &str, key: &str, slug: &str) -> Option<(String, bool)>;
    /// Slugs that are pinned to documents.
    ///
    /// # Errors
    /// What the ledger says.
    fn slugs(&self) -> Result<Marks, LedgerError>;
    /// Runs in a row that found the page of a document gone; `None` if it is not gone.
    ///
    /// # Errors
    /// What the ledger says.
    fn misses(&self, key: &str) -> Result<Option<u32>, LedgerError>;
    /// Keys of all documents that were delivered, after one of them.
    ///
    /// # Errors
    /// What the ledger says.
    fn delivered(&self, after: &str) -> Result<Vec<Delivery>, LedgerError>;
}

/// What a target shows of something that we delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It was not looked at.
    Unknown,
    /// As we left it.
    Ours,
    /// Changed since: how, and the hash of what was seen.
    Drifted(Vec<FieldDiff>, CaptureId),
    /// Not there any more.
    Missing,
}
