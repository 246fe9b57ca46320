//! One pass over the documents: everything that the report counts of them. Memory grows with rules, fields and gates, and with
//! one number a document (for gaps), never with texts.

use super::gaps::Numbers;
use super::sample::{Chosen, Sampler, StratumCount};
use crate::document::{Document, FieldProvenance, GateLevel, MediaState};
use crate::report::Sum;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead};

/// Longest line of `documents.jsonl` that is read, in bytes.
const LONGEST: u64 = 1 << 30;

/// What is counted of the documents.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// All.
    pub documents: u64,
    /// By collection.
    pub by_collection: BTreeMap<String, u64>,
    /// By collection and template (learned, where the site's pages were learned).
    pub templates: BTreeMap<(String, String), u64>,
    /// Old addresses beside the canonical one.
    pub aliases: u64,
    /// Visible characters: of the pages, kept, dropped, unaccounted.
    pub characters: [u64; 4],
    /// What named rules left out.
    pub dropped: BTreeMap<String, Dropped>,
    /// Documents by declared and used encoding.
    pub encodings: BTreeMap<(String, String), u64>,
    /// Documents by how their encoding was decided.
    pub methods: BTreeMap<String, u64>,
    /// Documents by repair.
    pub repairs: BTreeMap<String, u64>,
    /// Characters that could not be decoded.
    pub replacements: u64,
    /// Documents with a block that nothing decides how to read.
    pub undecided: u64,
    /// Gates that did not pass.
    pub gates: BTreeMap<String, GateCount>,
    /// Documents that fail a gate.
    pub failed: u64,
    /// Documents with warnings only.
    pub warned: u64,
    /// Fields by collection.
    pub fields: BTreeMap<String, BTreeMap<String, FieldCount>>,
    /// References to media by state.
    pub media: BTreeMap<String, u64>,
    /// Numbers of keys.
    pub numbers: Numbers,
    /// What a person should read.
    pub sample: Vec<Chosen>,
    /// Of how many.
    pub strata: Vec<StratumCount>,
}

/// What one rule left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Dropped {
    /// Its reason.
    pub reason: String,
    /// Documents.
    pub documents: u64,
    /// Visible characters, white space not counted.
    pub characters: u64,
}

/// How often a gate did not pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct GateCount {
    /// Documents that may not be delivered for it.
    pub fail: u64,
    /// Documents to look at.
    pub warn: u64,
    /// Both, by collection.
    pub by_collection: BTreeMap<String, u64>,
    /// What was found in the first of them.
    pub first: String,
}

/// How often a field is filled, and by what.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub struct FieldCount {
    /// Documents that have it.
    pub filled: u64,
    /// Of these, guesses.
    pub guesses: u64,
    /// The lowest confidence of a guess.
    pub lowest: Option<f64>,
    /// Documents by rule, rung of its chain and method: `fields.title #0 css`.
    pub ways: BTreeMap<String, u64>,
}

impl Survey {
    /// Reads `documents` (JSON lines), handing each to `each` as well.
    ///
    /// # Errors
    /// When they cannot be read, or one is no document: with the number of its line.
    pub fn read(
        mut documents: impl BufRead,
        mut sampler: Sampler,
        each: &mut dyn FnMut(&Document) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut survey = Self::default();
        let (mut line, mut number) = (Vec::new(), 0_u64);
        loop {
            line.clear();
            number += 1;
            if io::Read::take(&mut documents, LONGEST).read_until(b'\n', &mut line)? == 0 {
                break;
            }
            let document: Document = serde_json::from_slice(&line).map_err(|error| {
                io::Error::new(
                    io::ErrorKind::InvalidData,
                    format!("line {number} of the documents is no document: {error}"),
                )
            })?;
            survey.count(&document);
            sampler.offer(&document);
            each(&document)?;
        }
        (survey.sample, survey.strata) = sampler.finish();
        survey.numbers.sort();
        Ok(survey)
    }

    fn count(&mut self, document: &Document) {
        let collection = &document.collection;
        self.documents += 1;
        add(&mut self.by_collection, collection);
        *self
            .templates
            .entry((collection.clone(), template(document).to_owned()))
            .or_default() += 1;
        self.aliases += (document.redirects.from.len() as u64).saturating_sub(1);
        let sum = &document.accounting;
        let counted = [sum.visible, sum.kept, sum.dropped, sum.unaccounted];
        for (all, one) in self.characters.iter_mut().zip(counted) {
            *all += one as u64;
        }
        let mut rules: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
        for dropped in &document.dropped {
            let letters = dropped.text.chars().filter(|c| !c.is_whitespace()).count();
            rules.entry(&dropped.rule).or_insert((&dropped.reason, 0)).1 += letters as u64;
        }
        for (rule, (reason, characters)) in rules {
            let all = self.dropped.entry(rule.to_owned()).or_default();
            if all.reason.is_empty() {
                reason.clone_into(&mut all.reason);
            }
            all.documents += 1;
            all.characters += characters;
        }
        self.decoding(document);
        self.quality(document);
        let fields = self.fields.entry(collection.clone()).or_default();
        for (name, origin) in filled(document) {
            fields.entry(name).or_default().count(origin);
        }
        for medium in document.media.iter().chain(&document.attachments) {
            let state = match medium.state {
                MediaState::Ok => "ok".to_owned(),
                state => serde_json::to_value(state)
                    .ok()
                    .and_then(|v| v.as_str().map(str::to_owned))
                    .unwrap_or_default(),
            };
            *self.media.entry(state).or_default() += 1;
        }
        self.numbers.take(collection, &document.source_key);
    }

    fn decoding(&mut self, document: &Document) {
        let decode = &document.provenance.decode;
        let declared = decode.declared.clone().unwrap_or_default().to_ascii_lowercase();
        *self.encodings.entry((declared, decode.used.clone())).or_default() += 1;
        add(&mut self.methods, &decode.method);
        for repair in &decode.repairs {
            add(&mut self.repairs, repair);
        }
        self.replacements += decode.replacements as u64;
        self.undecided += u64::from(decode.undecided > 0);
    }

    fn quality(&mut self, document: &Document) {
        let gates = &document.quality.gates;
        if document.quality.failed() {
            self.failed += 1;
        } else if !gates.is_empty() {
            self.warned += 1;
        }
        for gate in gates {
            let count = self.gates.entry(gate.id.clone()).or_default();
            match gate.level {
                GateLevel::Fail => count.fail += 1,
                GateLevel::Warn => count.warn += 1,
            }
            add(&mut count.by_collection, &document.collection);
            if count.first.is_empty() {
                count.first.clone_from(&gate.note);
            }
        }
    }

    /// What the documents themselves say against what the ledger says of them: `newest` and `older` are its documents of the last
    /// extraction and of earlier ones, `counted` those that the extraction counted.
    #[must_use]
    pub fn sums(&self, newest: u64, older: u64, known: u64, counted: Option<u64>) -> Vec<Sum> {
        let [visible, kept, dropped, unaccounted] = self.characters;
        let by_rule = self
            .dropped
            .iter()
            .map(|(rule, d)| (rule.clone(), d.characters))
            .collect();
        let checks = counted.map(|whole| Sum {
            of: "documents that the extraction counted, by their checks",
            whole,
            parts: [
                ("fail a check".into(), self.failed),
                ("warnings only".into(), self.warned),
                (
                    "pass every check".into(),
                    self.documents - self.failed - self.warned,
                ),
            ]
            .into(),
        });
        let mut sums = vec![
            Sum {
                of: "documents in the ledger",
                whole: known,
                parts: [
                    ("written by the last extraction".into(), self.documents),
                    ("only of earlier extractions".into(), older),
                ]
                .into(),
            },
            Sum {
                of: "documents of the last extraction",
                whole: newest,
                parts: self.by_collection.clone(),
            },
            Sum {
                of: "visible characters, counted anew from the documents",
                whole: visible,
                parts: [
                    ("kept".into(), kept),
                    ("dropped by named rules".into(), dropped),
                    ("unaccounted".into(), unaccounted),
                ]
                .into(),
            },
            Sum {
                of: "characters dropped, counted anew from the documents",
                whole: dropped,
                parts: by_rule,
            },
        ];
        sums.extend(checks);
        sums
    }
}

impl FieldCount {
    fn count(&mut self, origin: Option<&FieldProvenance>) {
        self.filled += 1;
        let Some(origin) = origin else { return };
        let way = format!("{} #{} {}", origin.rule, origin.rung, origin.method);
        *self.ways.entry(way).or_default() += 1;
        if origin.confidence < 1.0 {
            self.guesses += 1;
            let lowest = self
                .lowest
                .map_or(origin.confidence, |l| l.min(origin.confidence));
            self.lowest = Some(lowest);
        }
    }
}

/// The template that a document's page is of: as learned, else its collection's.
pub(super) fn template(document: &Document) -> &str {
    document
        .provenance
        .learned
        .as_ref()
        .map_or("", |learned| learned.template.as_str())
}

/// The fields that a document has, with where they came from as far as one says it.
fn filled(document: &Document) -> BTreeMap<String, Option<&FieldProvenance>> {
    let mut fields: BTreeMap<String, Option<&FieldProvenance>> = document
        .provenance
        .fields
        .iter()
        .map(|(name, origin)| (name.clone(), Some(origin)))
        .collect();
    let dates = &document.dates;
    let own = [
        ("title", document.title.is_some()),
        ("section", document.section.is_some()),
        ("byline", document.byline.is_some()),
        ("source", document.source.is_some()),
        ("summary", document.summary.is_some()),
        ("body", !document.body.is_empty()),
        ("media", !document.media.is_empty()),
        ("attachments", !document.attachments.is_empty()),
        ("citations", !document.citations.is_empty()),
        ("dates.published", dates.published.is_some()),
    ];
    for (name, there) in own {
        if there {
            fields.entry(name.to_owned()).or_default();
        }
    }
    for name in document.extra.keys() {
        fields.entry(format!("extra.{name}")).or_default();
    }
    fields
}

fn add(counts: &mut BTreeMap<String, u64>, name: &str) {
    match counts.get_mut(name) {
        Some(count) => *count += 1,
        None => {
            counts.insert(name.to_owned(), 1);
        }
    }
}
