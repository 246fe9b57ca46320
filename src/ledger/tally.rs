//! What one extraction found, in numbers that reconcile: recorded with the run, told by `report`.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Most single findings that a tally lists by name; the counts go on.
const MAX_LISTED: usize = 1000;

/// Totals of one extraction. `pages = with documents + ignored + navigation + unclassified + unreadable`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Pages in the archive that are content by their verdict, and files that were asked for as pages.
    pub pages: u64,
    /// Pages that gave documents.
    pub document_pages: u64,
    /// Documents written or left as they were.
    pub documents: u64,
    /// Of these, files that are new or changed.
    pub changed: u64,
    /// Documents that were none before.
    #[serde(default)]
    pub added: u64,
    /// Documents with another content than before: of the portal or by the mapping, never only of the page's bytes.
    #[serde(default)]
    pub altered: u64,
    /// Documents by collection.
    pub by_collection: BTreeMap<String, u64>,
    /// Documents that a page before had given already (entries that stand on several lists).
    pub duplicates: u64,
    /// Pages that are no documents on purpose, by `[[ignore]]` rule.
    pub ignored: BTreeMap<String, u64>,
    /// Pages that are lists and nothing else.
    pub navigation: u64,
    /// What was asked for as a page and is a file, with its type: an attachment where a document refers to it.
    #[serde(default)]
    pub files: Listed<Finding>,
    /// Pages that no rule knows.
    pub unclassified: Listed<String>,
    /// Pages that could not be read or extracted.
    pub unreadable: Listed<Finding>,
    /// Documents with a failed gate.
    pub failed: u64,
    /// Documents with warnings only.
    pub warned: u64,
    /// Gates that did not pass, by id.
    pub gates: BTreeMap<String, u64>,
    /// The documents concerned.
    pub findings: Listed<Finding>,
    /// Every gate of each collection, those that passed and those that are off included.
    #[serde(default)]
    pub checks: BTreeMap<String, Vec<Checked>>,
    /// Gates of whole collections that did not pass and fail.
    #[serde(default)]
    pub failed_checks: u64,
    /// What the documents of each collection are like: later extractions are measured against it once it is accepted.
    #[serde(default)]
    pub profile: BTreeMap<String, Profile>,
    /// Visible characters of all documents' pages.
    pub visible: u64,
    /// … that are in the documents.
    pub kept: u64,
    /// … that a named rule dropped.
    pub dropped: u64,
    /// … that nobody claimed.
    pub unaccounted: u64,
    /// Dropped characters by rule.
    pub dropped_by_rule: BTreeMap<String, u64>,
    /// Documents by encoding used.
    pub encodings: BTreeMap<String, u64>,
    /// Documents that came by old TLS, an unchecked certificate or a browser, by what it was.
    #[serde(default)]
    pub unusual: BTreeMap<String, u64>,
    /// How often each rung of a field's chain matched, by `field#rung`: a shift is the first sign of a new template.
    pub rungs: BTreeMap<String, u64>,
    /// References to media by state.
    pub media: BTreeMap<String, u64>,
    /// Media that are not stored, with their state and the document that shows them.
    pub media_missing: Listed<Finding>,
    /// Distinct stored media files.
    pub media_files: u64,
    /// Their size in bytes.
    pub media_bytes: u64,
}

/// What came of one gate in one collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Its id.
    pub gate: String,
    /// Name of its rule.
    pub rule: String,
    /// What it means if it does not hold: `fail`, `warn`, or `off`.
    pub level: String,
    /// Documents that did not pass; findings, for a gate of the collection as a whole.
    pub documents: u64,
    /// Of these, those that fail.
    pub failed: u64,
    /// The first of them.
    pub first: Vec<Finding>,
    /// Why nobody could tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unjudged: Option<String>,
}

impl Checked {
    /// Findings that are named.
    pub const NAMED: usize = 10;

    /// Adds a document that did not pass.
    pub fn add(&mut self, failed: bool, finding: Finding) {
        self.documents += 1;
        self.failed += u64::from(failed);
        if self.first.len() < Self::NAMED {
            self.first.push(finding);
        }
    }
}

/// What the documents of a collection are like.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// How many there are.
    pub documents: u64,
    /// How many have something in a field, by its name; `body`, `media` and `attachments` are among them.
    pub filled: BTreeMap<String, u64>,
    /// Middle length of the bodies, in letters and digits.
    pub letters: u64,
}

/// Something at a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// URL of the page or medium.
    pub url: String,
    /// Class or gate id.
    pub class: String,
    /// What was found.
    pub note: String,
}

/// A list that counts all and names the first thousand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed<T> {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<T>,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            count: 0,
            first: Vec::new(),
        }
    }
}

impl<T> Listed<T> {
    /// Adds one.
    pub fn push(&mut self, item: T) {
        self.count += 1;
        if self.first.len() < MAX_LISTED {
            self.first.push(item);
        }
    }
}
