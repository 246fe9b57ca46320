//! What a person should read: some of every template, of every class of warning and of guess, all failures up to a bound, and
//! some at random. Which, is decided by the seed and the documents' ids alone, so the order in which they come does not matter.

use super::survey::template;
use crate::document::{Document, DocumentId, GateLevel, MediaState};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Failures at most.
pub(super) const MAX_FAILURES: usize = 200;
/// Classes at most; what comes after is in the inventory.
const MAX_STRATA: usize = 500;
/// Documents at random.
const RANDOM: usize = 10;

/// Why a document is in the sample. In the order in which people read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Stratum {
    /// It fails a gate.
    Failure,
    /// A gate warns.
    Warning {
        /// The gate.
        gate: String,
    },
    /// A medium is not there.
    Media,
    /// A field is a guess.
    Guess {
        /// The field.
        field: String,
    },
    /// It was fetched in an unusual way (old TLS, a browser).
    Unusual,
    /// One of its template.
    Template {
        /// The collection.
        collection: String,
        /// The learned template; empty if the site's pages were not learned.
        template: String,
    },
    /// By chance.
    Random,
}

/// A document to read.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Chosen {
    /// Why.
    pub why: Vec<Stratum>,
    /// Its id.
    pub id: DocumentId,
    /// Its natural key.
    pub key: String,
    /// Its collection.
    pub collection: String,
    /// Its headline.
    pub title: Option<String>,
    /// Its old address.
    pub url: String,
    /// Hash of its capture.
    pub capture: Option<String>,
    /// Where that stands: file of the archive, offset and length in bytes.
    pub archived: Option<Archived>,
    /// Path of its file in the site's output folder.
    pub file: String,
    /// What its gates found.
    pub gates: Vec<String>,
}

/// A place in the archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Archived {
    /// Name of the file.
    pub file: String,
    /// Offset of the record, in bytes.
    pub offset: u64,
    /// Length of the record, in bytes.
    pub length: u64,
}

/// How many documents a stratum has, and how many are in the sample.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StratumCount {
    /// Which.
    #[serde(flatten)]
    pub of: Stratum,
    /// Documents.
    pub documents: u64,
    /// In the sample.
    pub chosen: u64,
}

/// Chooses while documents pass by.
#[derive(Debug)]
pub struct Sampler {
    seed: u64,
    each: usize,
    strata: BTreeMap<Stratum, Best>,
}

/// The documents of a stratum with the lowest ranks.
#[derive(Debug, Default)]
struct Best {
    documents: u64,
    ranked: BTreeMap<u64, Chosen>,
}

impl Sampler {
    /// `each` documents of a class, by `seed`.
    #[must_use]
    pub fn new(seed: u64, each: usize) -> Self {
        Self {
            seed,
            each,
            strata: BTreeMap::new(),
        }
    }

    pub(super) fn offer(&mut self, document: &Document) {
        for stratum in strata(document) {
            if !self.strata.contains_key(&stratum) && self.strata.len() >= MAX_STRATA {
                continue;
            }
            let rank = rank(self.seed, &stratum, &document.id);
            let most = match &stratum {
                Stratum::Failure => MAX_FAILURES,
                Stratum::Random => RANDOM.max(self.each),
                _ => self.each,
            };
            let best = self.strata.entry(stratum).or_default();
            best.documents += 1;
            let last = best.ranked.last_key_value().map(|(r, _)| *r);
            if best.ranked.len() < most || last.is_some_and(|l| rank < l) {
                best.ranked.insert(rank, chosen(document));
                if best.ranked.len() > most {
                    best.ranked.pop_last();
                }
            }
        }
    }

    /// How many documents each class has.
    fn counts(&self) -> Vec<StratumCount> {
        self.strata
            .iter()
            .map(|(of, best)| StratumCount {
                of: of.clone(),
                documents: best.documents,
                chosen: best.ranked.len() as u64,
            })
            .collect()
    }

    /// The sample: each document once, with all its reasons, in the order of the first.
    pub(super) fn finish(self) -> (Vec<Chosen>, Vec<StratumCount>) {
        let counts = self.counts();
        let mut at: BTreeMap<DocumentId, usize> = BTreeMap::new();
        let mut all: Vec<Chosen> = Vec::new();
        for (stratum, best) in self.strata {
            for mut chosen in best.ranked.into_values() {
                let place = *at.entry(chosen.id).or_insert(all.len());
                if let Some(there) = all.get_mut(place) {
                    there.why.push(stratum.clone());
                } else {
                    chosen.why.push(stratum.clone());
                    all.push(chosen);
                }
            }
        }
        (all, counts)
    }
}

fn strata(document: &Document) -> Vec<Stratum> {
    let mut strata = Vec::new();
    if document.quality.failed() {
        strata.push(Stratum::Failure);
    }
    for gate in document
        .quality
        .gates
        .iter()
        .filter(|g| g.level == GateLevel::Warn)
    {
        strata.push(Stratum::Warning {
            gate: gate.id.clone(),
        });
    }
    let mut media = document.media.iter().chain(&document.attachments);
    if media.any(|m| m.state != MediaState::Ok) {
        strata.push(Stratum::Media);
    }
    for (field, origin) in &document.provenance.fields {
        if origin.confidence < 1.0 {
            strata.push(Stratum::Guess { field: field.clone() });
        }
    }
    if document.provenance.fetch.unusual().next().is_some() {
        strata.push(Stratum::Unusual);
    }
    strata.push(Stratum::Template {
        collection: document.collection.clone(),
        template: template(document).to_owned(),
    });
    strata.push(Stratum::Random);
    strata.sort();
    strata.dedup();
    strata
}

fn rank(seed: u64, stratum: &Stratum, id: &DocumentId) -> u64 {
    let text = format!("{seed} {stratum:?} {id}");
    let hash = blake3::hash(text.as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_be_bytes(first)
}

fn chosen(document: &Document) -> Chosen {
    let fetch = &document.provenance.fetch;
    Chosen {
        why: Vec::new(),
        id: document.id,
        key: document.source_key.clone(),
        collection: document.collection.clone(),
        title: document.title.clone(),
        url: fetch.requested.clone(),
        capture: fetch.capture.as_ref().map(ToString::to_string),
        archived: None,
        file: format!("documents/{}/{}.json", document.collection, document.id),
        gates: document
            .quality
            .gates
            .iter()
            .map(|g| format!("{}: {}", g.id, g.note))
            .collect(),
    }
}

impl Stratum {
    /// For people and tables: `warning: accounting`.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Failure => "failure".into(),
            Self::Warning { gate } => format!("warning: {gate}"),
            Self::Media => "media not there".into(),
            Self::Guess { field } => format!("guess: {field}"),
            Self::Unusual => "unusual fetch".into(),
            Self::Template { collection, template } if template.is_empty() => {
                format!("template: {collection}")
            }
            Self::Template { collection, template } => format!("template: {collection} {template}"),
            Self::Random => "random".into(),
        }
    }
}
