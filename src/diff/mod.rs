//! Document against document: fields, blocks, words. Pure: values in, values out; it never reads a file, a ledger or a
//! clock, and it knows no mapping.
//!
//! [`compare`] says how two documents differ, [`expected`] in what a document is not what somebody wrote down of it,
//! [`words`] which words of a text changed, [`Class`] what kind of change one is. All of them tell content from origin: offsets in the page (`src`, `chars`) are
//! never a change.

mod align;
mod block;
mod class;
mod compare;
mod expected;
mod once;
mod parts;
mod shown;
mod words;

pub use align::{Step, align};
pub use block::{BlockChange, blocks};
pub use class::{Class, Ignore};
pub use compare::{Difference, DropChange, OriginChange, compare, compare_but, imprint};
pub use expected::{expected, reshaped};
pub use shown::{Fidelity, Frame, PageFidelity, Passage, ShownLine, ShownShare, shown};
pub use words::{Piece, Tag, words};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One value that is another now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Its kind.
    pub class: Class,
    /// What it is: a field as mappings name it (`title`, `dates.published`), or a part of a block (`text`, `cell 2,3`).
    pub name: String,
    /// What it was; `None`: there was none.
    pub old: Option<String>,
    /// What it is now; `None`: there is none.
    pub new: Option<String>,
    /// The two word by word, where both are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<Piece>,
}

impl Change {
    /// The change from `old` to `new`, of `class` if it is no noise; `None` if they are equal.
    #[must_use]
    pub fn of(
        class: Class,
        name: impl Into<String>,
        old: Option<String>,
        new: Option<String>,
    ) -> Option<Self> {
        if old == new {
            return None;
        }
        let words = match (&old, &new) {
            (Some(old), Some(new)) => words::words(old, new),
            _ => Vec::new(),
        };
        let class = match (&old, &new) {
            (Some(old), Some(new)) => class.of(old, new),
            _ => class,
        };
        Some(Self {
            class,
            name: name.into(),
            old,
            new,
            words,
        })
    }
}
