//! The report that people sign: everything that is counted of a site in one offline HTML page ([`page()`]), as `report/1` in JSON,
//! and row by row in tables ([`Tables`]). Reads the ledger and the documents once; what it is told beside them (redirects, access
//! logs, what a browser showed) comes in as values. The same ledger, documents and seed give the same bytes: the time that it
//! names is that of the newest run.

mod gaps;
mod listed;
mod page;
mod sample;
mod survey;
mod tables;

pub use gaps::{Gap, Series};
pub use listed::{AskedFor, FailedRow, RedirectRow, WithoutDocument};
pub use page::{Language, page};
pub use sample::{Chosen, Sampler, Stratum, StratumCount};
pub use survey::{Dropped, FieldCount, GateCount};
pub use tables::{TableRows, Tables};

use super::{Checklist, Facts, PagerStop, Sum, Totals};
use crate::diff::Fidelity;
use crate::ledger::{Ledger, LedgerError, UrlState};
use crate::sheet::SheetError;
use listed::Lister;
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};
use survey::Survey;

const SCHEMA: &str = "report/1";
/// Entries of a list that the page and the JSON show; the tables have all.
pub(crate) const SHOWN: usize = 100;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Documents or files.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A table.
    #[error(transparent)]
    Sheet(#[from] SheetError),
    /// The page.
    #[error("the page of the report cannot be made: {0}")]
    Page(#[from] minijinja::Error),
}

/// A list that is shown in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Listing<T> {
    /// How many there are.
    pub count: u64,
    /// The first of them.
    pub first: Vec<T>,
    /// The table that has all.
    pub table: String,
}

/// A whole, its parts, and whether they are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CheckedSum {
    /// What is counted.
    pub of: String,
    /// The whole.
    pub whole: u64,
    /// Its parts.
    pub parts: BTreeMap<String, u64>,
    /// The parts together.
    pub together: u64,
    /// Are they the whole?
    pub holds: bool,
}

/// What speaks for and against everything being here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Certificate {
    /// Lists with the count that they print themselves.
    pub lists: Vec<PagerStop>,
    /// Of these, those that ended early or name fewer than they say.
    pub short_lists: u64,
    /// Pages that lists and sitemaps announce, by what came of them.
    pub announced: CheckedSum,
    /// The same of sitemaps alone; nothing if none announces a page.
    pub sitemap: Option<CheckedSum>,
    /// Announced pages without a document.
    pub without_document: Listing<WithoutDocument>,
    /// Numbered series of keys.
    pub series: Vec<Series>,
    /// Numbers without a document, as `collection prefix from–to`.
    pub gaps: Listing<String>,
    /// What people ask for and has no document, most asked first; nothing if no access log was given.
    pub asked: Option<Asked>,
}

/// What an access log says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AskedInput {
    /// Addresses that were asked for with success.
    pub addresses: u64,
    /// Of these, addresses with a document or a stored file.
    pub answered: u64,
    /// Lines that could not be read.
    pub unread: u64,
    /// Those without, most asked first.
    pub rest: Vec<AskedFor>,
}

/// The same, shown in part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Asked {
    /// Addresses that were asked for with success.
    pub addresses: u64,
    /// Of these, addresses with a document or a stored file.
    pub answered: u64,
    /// Lines that could not be read.
    pub unread: u64,
    /// Those without.
    pub without_document: Listing<AskedFor>,
}

/// An encoding, as declared and as used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct EncodingCount {
    /// As declared; empty if nothing was.
    pub declared: String,
    /// As used.
    pub used: String,
    /// Documents.
    pub documents: u64,
}

/// How bytes became text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Encodings {
    /// Declared against used.
    pub used: Vec<EncodingCount>,
    /// Documents by how it was decided.
    pub methods: BTreeMap<String, u64>,
    /// Documents by repair.
    pub repairs: BTreeMap<String, u64>,
    /// Characters that could not be decoded.
    pub replacements: u64,
    /// Documents with a block that nothing decides how to read.
    pub undecided: u64,
}

/// Fields of a collection.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CollectionFields {
    /// The collection.
    pub collection: String,
    /// Its documents.
    pub documents: u64,
    /// Its fields by name.
    pub fields: BTreeMap<String, FieldCount>,
}

/// URLs without content, by class.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailureClass {
    /// How they ended.
    pub state: String,
    /// Class: `gone`, `http-500`, `timeout`, `reject:ID`, …
    pub class: String,
    /// How many.
    pub urls: u64,
}

/// The whole report.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Report {
    /// Always `report/1`.
    pub schema: String,
    /// Always `report`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Id of the site.
    pub site: String,
    /// Its name.
    pub name: String,
    /// Its address.
    pub base: String,
    /// When the newest run ended or began (RFC 3339, UTC): the state that is told.
    pub as_of: String,
    /// Version of the program.
    pub program: String,
    /// BLAKE3 of the mapping.
    pub mapping: String,
    /// Since when nothing is pushed any more.
    pub frozen: Option<String>,
    /// Do all sums hold?
    pub reconciles: bool,
    /// All sums.
    pub sums: Vec<CheckedSum>,
    /// Documents.
    pub documents: u64,
    /// Documents that fail a gate.
    pub failed: u64,
    /// Documents with warnings only.
    pub warned: u64,
    /// Documents that a page before had given already.
    pub duplicates: u64,
    /// Old addresses beside the canonical ones.
    pub aliases: u64,
    /// Visible characters of which nobody knows.
    pub unaccounted: u64,
    /// Announced pages that were never captured and are not gone.
    pub never_captured: u64,
    /// Is everything here?
    pub certificate: Certificate,
    /// What named rules left out.
    pub dropped: BTreeMap<String, Dropped>,
    /// URLs without content by class.
    pub failure_classes: Vec<FailureClass>,
    /// URLs that failed or were refused and should be looked at.
    pub failures: Listing<FailedRow>,
    /// How bytes became text.
    pub encodings: Encodings,
    /// Gates that did not pass.
    pub gates: BTreeMap<String, GateCount>,
    /// Fields by collection.
    pub fields: Vec<CollectionFields>,
    /// References to media by state.
    pub media: BTreeMap<String, u64>,
    /// Old addresses by decision.
    pub redirects: BTreeMap<String, u64>,
    /// Objects in CMSs by target, kind and state.
    pub targets: BTreeMap<String, BTreeMap<String, u64>>,
    /// What is left alone, with reasons.
    pub holds: Listing<String>,
    /// What was taken off, and by what evidence.
    pub tombstones: Listing<String>,
    /// Runs by command and end.
    pub runs: BTreeMap<String, u64>,
    /// The last checklist of the switch-over.
    pub checklist: Option<Checklist>,
    /// What decides the sample.
    pub seed: u64,
    /// Classes of documents, and how many of each are in the sample.
    pub strata: Vec<StratumCount>,
    /// What a person should read.
    pub sample: Vec<Chosen>,
    /// What a browser shows of pages and of their documents; nothing if it was not asked.
    pub fidelity: Option<Fidelity>,
    /// Rows by table.
    pub tables: BTreeMap<String, u64>,
}

/// What a report is made of beside the documents.
pub struct Input<'a> {
    /// The site's ledger.
    pub ledger: &'a Ledger,
    /// Its totals.
    pub totals: &'a Totals,
    /// What stands in the record beside them.
    pub facts: &'a Facts,
    /// The last checklist of the switch-over.
    pub checklist: Option<Checklist>,
    /// Name of the site.
    pub name: String,
    /// Its address.
    pub base: String,
    /// What access logs say.
    pub asked: Option<AskedInput>,
    /// Old addresses with their decisions.
    pub redirects: &'a mut dyn Iterator<Item = RedirectRow>,
    /// What a browser showed.
    pub fidelity: Option<Fidelity>,
    /// What decides the sample.
    pub seed: u64,
    /// Documents of each class in the sample.
    pub each: usize,
}

impl Report {
    /// Counts everything and writes the tables on the way.
    ///
    /// # Errors
    /// When ledger, documents or tables cannot be read or written.
    pub fn make<W: Write + Send>(
        input: Input<'_>,
        documents: impl BufRead,
        tables: &mut Tables<'_, W>,
    ) -> Result<Self, ReportError> {
        let Input {
            ledger,
            totals,
            facts,
            ..
        } = input;
        let writing = tables.documents()?;
        let mut survey = Survey::read(documents, Sampler::new(input.seed, input.each), &mut |document| {
            tables
                .document(writing, document)
                .map_err(|e| io::Error::other(e.to_string()))
        })?;
        for chosen in &mut survey.sample {
            chosen.archived = listed::archived(ledger, &chosen.id)?;
        }
        let mut lister = Lister { ledger, tables };
        let (failures, failure_classes) = lister.failures()?;
        let certificate = certificate(&mut lister, totals, &survey, input.asked)?;
        lister.redirects(input.redirects)?;
        lister.sample(&survey.sample)?;
        if let Some(fidelity) = &input.fidelity {
            lister.fidelity(fidelity)?;
        }
        let (newest, older) = ledger.documents_by_age()?;
        let mut sums: Vec<CheckedSum> = totals.sums.iter().map(CheckedSum::of).collect();
        sums.push(certificate.announced.clone());
        sums.extend(certificate.sitemap.clone());
        sums.extend(
            survey
                .sums(
                    newest,
                    older,
                    totals.standing.documents,
                    totals.extraction.as_ref().map(|t| t.documents),
                )
                .iter()
                .map(CheckedSum::of),
        );
        let fields = survey
            .fields
            .iter()
            .map(|(collection, fields)| CollectionFields {
                collection: collection.clone(),
                documents: survey.by_collection.get(collection).copied().unwrap_or_default(),
                fields: fields.clone(),
            })
            .collect::<Vec<_>>();
        lister.fields(&fields)?;
        let lines = |all: &[String]| Listing {
            count: all.len() as u64,
            first: all.iter().take(SHOWN).cloned().collect(),
            table: String::new(),
        };
        Ok(Self {
            schema: SCHEMA.into(),
            kind: "report".into(),
            site: totals.standing.site.clone(),
            name: input.name,
            base: input.base,
            as_of: as_of(totals),
            program: env!("CARGO_PKG_VERSION").into(),
            mapping: facts.mapping.clone(),
            frozen: totals.standing.frozen.as_ref().map(|f| f.since.clone()),
            reconciles: sums.iter().all(|s| s.holds),
            sums,
            documents: survey.documents,
            failed: survey.failed,
            warned: survey.warned,
            duplicates: totals.extraction.as_ref().map_or(0, |t| t.duplicates),
            aliases: survey.aliases,
            unaccounted: survey.characters[3],
            never_captured: totals.not_captured_count,
            certificate,
            dropped: survey.dropped,
            failure_classes,
            failures,
            encodings: Encodings {
                used: survey
                    .encodings
                    .into_iter()
                    .map(|((declared, used), documents)| EncodingCount {
                        declared,
                        used,
                        documents,
                    })
                    .collect(),
                methods: survey.methods,
                repairs: survey.repairs,
                replacements: survey.replacements,
                undecided: survey.undecided,
            },
            gates: survey.gates,
            fields,
            media: survey.media,
            redirects: facts.redirects.iter().cloned().collect(),
            targets: totals
                .standing
                .targets
                .iter()
                .map(|t| (t.name.clone(), t.entries.clone()))
                .collect(),
            holds: lines(&facts.holds),
            tombstones: lines(&facts.tombstones),
            runs: facts.runs.iter().cloned().collect(),
            checklist: input.checklist,
            seed: input.seed,
            strata: survey.strata,
            sample: survey.sample,
            fidelity: input.fidelity,
            tables: tables.rows(),
        })
    }
}

/// JSON Schema of `report/1`.
#[must_use]
pub fn report_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Report).to_value();
    schema["$id"] = "urn:sangtrang:report/1".into();
    schema
}

impl CheckedSum {
    fn of(sum: &Sum) -> Self {
        Self {
            of: sum.of.to_owned(),
            whole: sum.whole,
            parts: sum.parts.clone(),
            together: sum.parts.values().sum(),
            holds: sum.holds(),
        }
    }
}

/// The state that is told: when the newest run ended, or began.
fn as_of(totals: &Totals) -> String {
    let run = totals.standing.last_run.as_ref();
    run.map(|r| r.finished.clone().unwrap_or_else(|| r.started.clone()))
        .unwrap_or_default()
}

fn certificate<W: Write + Send>(
    lister: &mut Lister<'_, '_, W>,
    totals: &Totals,
    survey: &Survey,
    asked: Option<AskedInput>,
) -> Result<Certificate, ReportError> {
    let announced = announced(lister.ledger, false)?;
    let sitemap = announced_by_sitemap(lister.ledger)?;
    Ok(Certificate {
        short_lists: totals.lists.iter().filter(|l| l.may_be_short()).count() as u64,
        lists: totals.lists.clone(),
        announced,
        sitemap,
        without_document: lister.without_document()?,
        series: survey.numbers.series(),
        gaps: lister.gaps(&survey.numbers)?,
        asked: asked.map(|asked| lister.asked(asked)).transpose()?,
    })
}

fn announced_by_sitemap(ledger: &Ledger) -> Result<Option<CheckedSum>, ReportError> {
    let sum = announced(ledger, true)?;
    Ok((sum.whole > 0).then_some(sum))
}

fn announced(ledger: &Ledger, sitemaps: bool) -> Result<CheckedSum, ReportError> {
    let mut parts: BTreeMap<String, u64> = BTreeMap::new();
    for count in ledger.announced_counts(sitemaps)? {
        let name = match (count.document, count.captured, count.state) {
            (true, ..) => "with a document",
            (_, true, UrlState::Done) => "captured, no document of it",
            (.., UrlState::Gone) => "gone",
            (.., UrlState::Redirected) => "leads to a page without a document",
            (.., UrlState::Failed) => "failed",
            (.., UrlState::Rejected) => "refused",
            (.., UrlState::Skipped) => "not to be fetched",
            (.., UrlState::Ready | UrlState::Done) => "not fetched yet",
        };
        *parts.entry(name.into()).or_default() += count.pages;
    }
    Ok(CheckedSum::of(&Sum {
        of: if sitemaps {
            "pages that sitemaps announce"
        } else {
            "pages that lists and sitemaps announce"
        },
        whole: ledger.announced_pages(sitemaps)?,
        parts,
    }))
}
