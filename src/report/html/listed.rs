//! Lists that can be as long as the portal is: all rows go into a table, the first are shown.

use super::gaps::Numbers;
use super::sample::{Archived, Chosen, Stratum};
use super::tables::Tables;
use super::{Asked, AskedInput, CollectionFields, FailureClass, Listing, ReportError, SHOWN};
use crate::diff::Fidelity;
use crate::document::DocumentId;
use crate::ledger::{Ledger, UrlId, UrlState};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::Write;

/// Rows that are asked of the ledger at a time.
const CHUNK: usize = 1000;

/// An announced page without a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WithoutDocument {
    /// Its address.
    pub url: String,
    /// How far it is.
    pub state: String,
    /// Class of its end, if there is one.
    pub class: String,
    /// Was it captured?
    pub captured: bool,
    /// Does a sitemap announce it?
    pub sitemap: bool,
    /// Does a list announce it?
    pub list: bool,
}

/// An address that people ask for and that has no document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AskedFor {
    /// As it was asked for.
    pub address: String,
    /// How often.
    pub hits: u64,
    /// What is known of it.
    pub why: String,
}

/// A URL without content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FailedRow {
    /// Its address.
    pub url: String,
    /// What it was fetched for.
    pub kind: String,
    /// How it ended.
    pub state: String,
    /// Class: `http-500`, `timeout`, …
    pub class: String,
    /// Last status; 0 if there was no answer.
    pub status: u16,
    /// Fetches that failed.
    pub attempts: u32,
    /// The page that named it.
    pub parent: String,
}

/// An old address with its decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectRow {
    /// The address.
    pub from: String,
    /// `redirect`, `gone`, `archive`, `unresolved`.
    pub decision: &'static str,
    /// The new address.
    pub to: Option<String>,
    /// Requests in the access log.
    pub hits: u64,
    /// By which rule, or what of.
    pub why: String,
}

/// Writes lists.
pub(super) struct Lister<'a, 't, W: Write + Send> {
    pub(super) ledger: &'a Ledger,
    pub(super) tables: &'a mut Tables<'t, W>,
}

/// Where the newest capture of a document's page stands.
pub(super) fn archived(ledger: &Ledger, id: &DocumentId) -> Result<Option<Archived>, ReportError> {
    let Some(url) = ledger.document(id)?.and_then(|row| row.url) else {
        return Ok(None);
    };
    Ok(ledger.current_capture(url)?.map(|(_, place)| Archived {
        file: place.file,
        offset: place.offset,
        length: place.length,
    }))
}

impl<W: Write + Send> Lister<'_, '_, W> {
    /// URLs without content: all in the table, those that somebody should look at in the list.
    pub(super) fn failures(&mut self) -> Result<(Listing<FailedRow>, Vec<FailureClass>), ReportError> {
        let columns = [
            "URL",
            "kind",
            "state",
            "class",
            "status",
            "attempts",
            "named by",
            "content from before",
        ];
        let table = self.tables.begin("without-content", &columns)?;
        let mut classes: BTreeMap<(&'static str, String), u64> = BTreeMap::new();
        let mut listing = listing("without-content");
        let mut after = String::new();
        loop {
            let chunk = self.ledger.failures(&after, CHUNK)?;
            let Some(last) = chunk.last() else { break };
            after.clone_from(&last.url);
            for failure in chunk {
                let state = failure.state.as_str();
                let held = if failure.held { "yes" } else { "" };
                let parent = failure.parent.unwrap_or_default();
                self.tables.row(
                    table,
                    &[
                        failure.url.as_str().into(),
                        failure.kind.as_str().into(),
                        state.into(),
                        failure.class.as_str().into(),
                        u64::from(failure.status).into(),
                        u64::from(failure.attempts).into(),
                        parent.as_str().into(),
                        held.into(),
                    ],
                )?;
                *classes.entry((state, failure.class.clone())).or_default() += 1;
                if matches!(failure.state, UrlState::Failed | UrlState::Rejected) {
                    listing.push(FailedRow {
                        url: failure.url,
                        kind: failure.kind.as_str().into(),
                        state: state.into(),
                        class: failure.class,
                        status: failure.status,
                        attempts: failure.attempts,
                        parent,
                    });
                }
            }
        }
        let classes = classes
            .into_iter()
            .map(|((state, class), urls)| FailureClass {
                state: state.into(),
                class,
                urls,
            })
            .collect();
        Ok((listing, classes))
    }

    pub(super) fn without_document(&mut self) -> Result<Listing<WithoutDocument>, ReportError> {
        let columns = ["URL", "state", "class", "captured", "in a sitemap", "in a list"];
        let table = self.tables.begin("announced-without-document", &columns)?;
        let mut listing = listing("announced-without-document");
        let mut after = UrlId(0);
        loop {
            let chunk = self.ledger.announced_without_document(after, CHUNK)?;
            let Some(last) = chunk.last() else {
                return Ok(listing);
            };
            after = last.id;
            for page in chunk {
                let yes = |b: bool| if b { "yes" } else { "" }.into();
                self.tables.row(
                    table,
                    &[
                        page.url.as_str().into(),
                        page.state.as_str().into(),
                        page.class.as_str().into(),
                        yes(page.captured),
                        yes(page.sitemap),
                        yes(page.list),
                    ],
                )?;
                listing.push(WithoutDocument {
                    url: page.url,
                    state: page.state.as_str().into(),
                    class: page.class,
                    captured: page.captured,
                    sitemap: page.sitemap,
                    list: page.list,
                });
            }
        }
    }

    pub(super) fn gaps(&mut self, numbers: &Numbers) -> Result<Listing<String>, ReportError> {
        let columns = ["collection", "prefix", "from", "to", "numbers"];
        let table = self.tables.begin("gaps", &columns)?;
        let mut listing = listing("gaps");
        for (collection, prefix, gap) in numbers.gaps() {
            self.tables.row(
                table,
                &[
                    collection.into(),
                    prefix.into(),
                    gap.from.into(),
                    gap.to.into(),
                    (gap.to - gap.from + 1).into(),
                ],
            )?;
            listing.push(if gap.from == gap.to {
                format!("{prefix}{}", gap.from)
            } else {
                format!("{prefix}{}–{}", gap.from, gap.to)
            });
        }
        Ok(listing)
    }

    pub(super) fn asked(&mut self, asked: AskedInput) -> Result<Asked, ReportError> {
        let table = self.tables.begin(
            "asked-without-document",
            &["address", "requests", "what is known"],
        )?;
        let mut without = listing("asked-without-document");
        for one in asked.rest {
            let row = [
                one.address.as_str().into(),
                one.hits.into(),
                one.why.as_str().into(),
            ];
            self.tables.row(table, &row)?;
            without.push(one);
        }
        Ok(Asked {
            addresses: asked.addresses,
            answered: asked.answered,
            unread: asked.unread,
            without_document: without,
        })
    }

    pub(super) fn redirects(
        &mut self,
        all: &mut dyn Iterator<Item = RedirectRow>,
    ) -> Result<(), ReportError> {
        let table = self
            .tables
            .begin("redirects", &["from", "decision", "to", "requests", "why"])?;
        for one in all {
            let row = [
                one.from.as_str().into(),
                one.decision.into(),
                one.to.as_ref().into(),
                one.hits.into(),
                one.why.as_str().into(),
            ];
            self.tables.row(table, &row)?;
        }
        Ok(())
    }

    pub(super) fn fields(&mut self, all: &[CollectionFields]) -> Result<(), ReportError> {
        let columns = [
            "collection",
            "field",
            "documents",
            "filled",
            "guesses",
            "rule, rung and method",
            "by this way",
        ];
        let table = self.tables.begin("fields", &columns)?;
        for collection in all {
            for (name, field) in &collection.fields {
                let mut row = |way: &str, count: u64| {
                    let row = [
                        collection.collection.as_str().into(),
                        name.as_str().into(),
                        collection.documents.into(),
                        field.filled.into(),
                        field.guesses.into(),
                        way.into(),
                        count.into(),
                    ];
                    self.tables.row(table, &row)
                };
                for (way, count) in &field.ways {
                    row(way, *count)?;
                }
                let told: u64 = field.ways.values().sum();
                if told < field.filled {
                    row("", field.filled - told)?;
                }
            }
        }
        Ok(())
    }

    /// With empty columns for whoever reads.
    pub(super) fn sample(&mut self, all: &[Chosen]) -> Result<(), ReportError> {
        let columns = [
            "document",
            "key",
            "collection",
            "title",
            "why",
            "gates",
            "legacy URL",
            "capture",
            "archive",
            "offset",
            "file",
            "verdict",
            "note",
        ];
        let table = self.tables.begin("sample", &columns)?;
        for one in all {
            let why: Vec<String> = one.why.iter().map(Stratum::words).collect();
            let place = one.archived.as_ref();
            let row = [
                one.id.to_string().as_str().into(),
                one.key.as_str().into(),
                one.collection.as_str().into(),
                one.title.as_ref().into(),
                why.join("; ").as_str().into(),
                one.gates.join("; ").as_str().into(),
                one.url.as_str().into(),
                one.capture.as_ref().into(),
                place.map(|p| &p.file).into(),
                place.map_or_else(|| "".into(), |p| p.offset.into()),
                one.file.as_str().into(),
                "".into(),
                "".into(),
            ];
            self.tables.row(table, &row)?;
        }
        Ok(())
    }

    pub(super) fn fidelity(&mut self, fidelity: &Fidelity) -> Result<(), ReportError> {
        let columns = [
            "legacy URL",
            "collection",
            "compared with",
            "words of the page",
            "body words",
            "shown words",
            "missing passage",
            "its words",
            "not compared",
        ];
        let table = self.tables.begin("fidelity", &columns)?;
        for page in &fidelity.pages {
            let mut row = |passage: &str, words: u64| {
                let share = &page.share;
                let row = [
                    page.url.as_str().into(),
                    page.collection.as_str().into(),
                    page.with.as_str().into(),
                    share.page_words.into(),
                    share.body_words.into(),
                    share.shown_words.into(),
                    passage.into(),
                    words.into(),
                    page.not_compared.as_ref().into(),
                ];
                self.tables.row(table, &row)
            };
            if page.share.missing.is_empty() {
                row("", 0)?;
            }
            for passage in &page.share.missing {
                row(&passage.text, passage.words)?;
            }
        }
        Ok(())
    }
}

fn listing<T>(table: &str) -> Listing<T> {
    Listing {
        count: 0,
        first: Vec::new(),
        table: format!("{table}.csv"),
    }
}

impl<T> Listing<T> {
    fn push(&mut self, item: T) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(item);
        }
    }
}
