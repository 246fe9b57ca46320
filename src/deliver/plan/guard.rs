//! Too many retirements at once are a mistake until a person says otherwise.

use super::{Change, Held, Hold};
use std::collections::BTreeMap;

/// Which retirements are held: those of types of which more would be taken off than the mapping allows, or all of them.
pub struct Guard {
    types: BTreeMap<String, String>,
    all: Option<String>,
}

impl Guard {
    /// Holds the retirements of these types; with how many of how many they are.
    #[must_use]
    pub fn of(types: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            types: types.into_iter().collect(),
            all: None,
        }
    }

    /// Holds all retirements, if there is a reason.
    #[must_use]
    pub fn with_doubt(mut self, why: Option<String>) -> Self {
        self.all = why;
        self
    }

    /// A retirement, if it may be.
    ///
    /// # Errors
    /// What is held instead of it.
    pub fn judge(&self, change: Change) -> Result<Change, Held> {
        let (reason, note) = match (&self.all, self.types.get(&change.of)) {
            (Some(note), _) => (Hold::PortalInDoubt, note),
            (None, Some(note)) => (Hold::TooManyRetirements, note),
            (None, None) => return Ok(change),
        };
        Err(Held {
            key: change.key,
            source: change.source.unwrap_or_default(),
            title: change.title,
            reason,
            note: note.clone(),
            fields: Vec::new(),
        })
    }
}
