//! The end of following: from then on nothing is pushed, until somebody lifts it.

use super::{Ledger, LedgerError};
use serde::{Deserialize, Serialize};

/// Under which name the ledger remembers it.
const KEY: &str = "freeze";

/// Nothing is pushed any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frozen {
    /// Since when (RFC 3339, UTC).
    pub since: String,
    /// What the person who did it wrote.
    #[serde(default)]
    pub note: String,
    /// Changes and holds that were known then and accepted as they are.
    #[serde(default)]
    pub accepted: u64,
}

impl Ledger {
    /// Since when and why nothing is pushed any more.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn frozen(&self) -> Result<Option<Frozen>, LedgerError> {
        Ok(self.meta(KEY)?.filter(|text| !text.is_empty()).map(|text| {
            // What cannot be read was written by somebody who froze it: the safe reading.
            serde_json::from_str(&text).unwrap_or(Frozen {
                since: text,
                note: String::new(),
                accepted: 0,
            })
        }))
    }

    /// Lets nothing be pushed any more; `None` lifts it.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn set_frozen(&mut self, frozen: Option<&Frozen>) -> Result<(), LedgerError> {
        let text = frozen
            .and_then(|f| serde_json::to_string(f).ok())
            .unwrap_or_default();
        self.set_fact(KEY, &text)
    }
}
