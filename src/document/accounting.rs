//! What was kept, what was dropped, by which rule, and what nobody claimed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A half-open range `[start, end)` of characters (Unicode scalar values) in the page's visible text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Span(pub usize, pub usize);

impl Span {
    /// Number of characters.
    #[must_use]
    pub fn len(self) -> usize {
        self.1.saturating_sub(self.0)
    }

    /// Whether another range stands in this one.
    #[must_use]
    pub fn holds(self, other: Self) -> bool {
        self.0 <= other.0 && other.1 <= self.1
    }

    /// Whether the range holds no character.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// A stretch of the page's visible text that is not in the document, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dropped {
    /// Id of the rule that dropped it.
    pub rule: String,
    /// The rule's reason, for people.
    pub reason: String,
    /// Where it stood.
    pub chars: Span,
    /// The text, white space folded.
    pub text: String,
    /// Address of a picture that was dropped; its text is empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<String>,
}

/// The sum that must be right: `visible = kept + dropped + unaccounted`.
///
/// Counted are visible characters that are not white space: white space is folded on the way, so it proves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Accounting {
    /// Characters that a reader of the page sees.
    pub visible: usize,
    /// Characters that are in the document.
    pub kept: usize,
    /// Characters that a named rule dropped.
    pub dropped: usize,
    /// Characters that nobody claimed; a gate fails if there is one.
    pub unaccounted: usize,
    /// The unclaimed text itself.
    pub unaccounted_text: Vec<Unaccounted>,
}

/// Unclaimed text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unaccounted {
    /// Where it stood.
    pub chars: Span,
    /// The text, white space folded.
    pub text: String,
}

/// Severity of a gate's result. There is no score: a score hides the one failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GateLevel {
    /// Worth a look.
    Warn,
    /// The document may not be delivered.
    Fail,
}

/// A gate that did not pass.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gate {
    /// Id of the gate.
    pub id: String,
    /// How bad it is.
    pub level: GateLevel,
    /// What was found.
    pub note: String,
}

/// Results of the gates: only those that did not pass are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Gates that did not pass, in the order in which they are declared.
    pub gates: Vec<Gate>,
}

impl Quality {
    /// Whether a gate of level [`GateLevel::Fail`] did not pass.
    #[must_use]
    pub fn failed(&self) -> bool {
        self.gates.iter().any(|g| g.level == GateLevel::Fail)
    }
}
