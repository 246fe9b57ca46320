//! Too many retirements at once are a mistake until a person says otherwise.

use super::{Change, Held, Hold};
use std::collections::BTreeMap;

/// Types of which more would be taken off than the mapping allows.
pub struct Guard(BTreeMap<String, String>);

impl Guard {
    /// Holds the retirements of these types; with how many of how many they are.
    #[must_use]
    pub fn of(types: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(types.into_iter().collect())
    }

    /// A retirement, if it may be.
    ///
    /// # Errors
    /// What is held instead of it.
    pub fn judge(&self, change: Change) -> Result<Change, Held> {
        match self.0.get(&change.of) {
            None => Ok(change),
            Some(note) => Err(Held {
                key: change.key,
                source: change.source.unwrap_or_default(),
                title: change.title,
                reason: Hold::TooManyRetirements,
                note: note.clone(),
                fields: Vec::new(),
            }),
        }
    }
}
