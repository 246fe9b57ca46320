//! What is to be done in a target, decided before anything is written. Pure: the same documents, memory and target give
//! the same plan, byte for byte.

mod build;
mod diff;
mod edits;
mod guard;
mod memory;
mod summary;

pub use build::{Decided, Head, Planner};
pub use diff::{FieldDiff, field_diffs};
pub use edits::Edits;
pub use guard::Guard;
pub use memory::{Memory, Presence};
pub use summary::Summary;

use crate::ledger::Kind;
use crate::mapping::model::Drift;
use serde::{Deserialize, Serialize};

/// Version of the stored form.
pub const SCHEMA: &str = "plan/1";

/// The head of a plan. In its stored form `changes` and `holds` follow, which may be longer than memory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Site of the mapping.
    pub site: String,
    /// Name of the target in the ledger.
    pub target: String,
    /// Hash of the mapping.
    pub mapping: String,
    /// Files of mapping and target, as they were given: `apply` reads them again.
    pub made_with: (String, Option<String>),
    /// Hash of the target's rules.
    pub rules: String,
    /// Id of the extraction that made the documents; absent in plans of older programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extraction: Option<String>,
    /// Was the target looked at?
    pub surveyed: bool,
    /// Numbers.
    pub counts: Counts,
}

/// Numbers of a plan; documents only, with media and terms beside them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// To be made.
    pub create: u64,
    /// To be changed.
    pub update: u64,
    /// As they should be.
    pub unchanged: u64,
    /// To be taken off.
    pub retire: u64,
    /// Left alone.
    pub hold: u64,
    /// Left to the editors who changed them, as was decided.
    #[serde(default)]
    pub theirs: u64,
    /// Categories and tags to be made or changed.
    pub terms: u64,
    /// Files to be uploaded or changed.
    pub media: u64,
}

impl Counts {
    /// Everything that would be written.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.create + self.update + self.retire + self.terms + self.media
    }
}

/// What is done with one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Make it.
    Create,
    /// Change it.
    Update,
    /// Take it off.
    Retire,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// What is done.
    pub op: Op,
    /// With what.
    #[serde(with = "kind")]
    pub kind: Kind,
    /// `doc:ID`, `media:HASH`, `term:TAXONOMY/ID`.
    pub key: String,
    /// Type in the target.
    #[serde(rename = "type")]
    pub of: String,
    /// Collection of the document, or of the first one that shows the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
    /// Natural key of the document; of a file or term: id of the first document that needs it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Title, file name or name.
    pub title: String,
    /// Slug, pinned from the first delivery on.
    pub slug: String,
    /// Id in the target, if it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<String>,
    /// Hash of the payload that was pushed last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// Hash of the payload that is to be pushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// Revision of the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// What differs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDiff>,
    /// Why, where it is not obvious.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// It is written although an editor changed the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<Over>,
}

/// How an editor's change is dealt with, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Over {
    /// `ours` or `field-merge`.
    pub how: Drift,
    /// Hash of what the target showed: an edit after that is held.
    pub seen: String,
}

/// Something that is left alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Held {
    /// What.
    pub key: String,
    /// Natural key of the document.
    pub source: String,
    /// Its title.
    pub title: String,
    /// Why.
    pub reason: Hold,
    /// More about it.
    pub note: String,
    /// What an editor changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldDiff>,
}

/// Why something is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Hold {
    /// Somebody changed the entry in the CMS.
    Drift,
    /// Somebody removed the entry from the CMS.
    Removed,
    /// An entry that is not ours has the slug.
    SlugTaken,
    /// A gate of the document failed.
    GateFailed,
    /// No entry rule takes the collection.
    Unmapped,
    /// The rendered body would lose words.
    Lossy,
    /// The target refused this payload for good.
    Refused,
    /// More entries would be taken off than the mapping allows.
    TooManyRetirements,
    /// There is no document at all.
    EmptySite,
    /// The page has not been missed often enough.
    NotGoneYet,
    /// The extraction gives no document any more, but the page is not known to be gone.
    NoDocument,
    /// The entry was there before us.
    NotOurs,
    /// The portal is not itself today: what it does not show proves nothing.
    PortalInDoubt,
}

impl Hold {
    /// For people.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Drift => "changed in the CMS",
            Self::Removed => "removed from the CMS",
            Self::SlugTaken => "slug taken by another entry",
            Self::GateFailed => "a gate failed",
            Self::Unmapped => "no entry rule for its collection",
            Self::Lossy => "the rendered body would lose words",
            Self::Refused => "refused by the target",
            Self::TooManyRetirements => "too many entries would be taken off",
            Self::EmptySite => "there are no documents at all",
            Self::NotGoneYet => "not missed often enough",
            Self::NoDocument => "no document any more, but the page is not gone",
            Self::NotOurs => "was in the CMS before us",
            Self::PortalInDoubt => "the portal is not itself today: nothing is taken off",
        }
    }
}

mod kind {
    use crate::ledger::Kind;
    use serde::{Deserialize, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(kind: &Kind, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(kind.as_str())
    }
    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Kind, D::Error> {
        match String::deserialize(d)?.as_str() {
            "term" => Ok(Kind::Term),
            "media" => Ok(Kind::Media),
            "document" => Ok(Kind::Document),
            other => Err(serde::de::Error::custom(format!(
                "`{other}` is no kind of a plan"
            ))),
        }
    }
}
