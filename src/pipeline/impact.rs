//! What another mapping would make of the archived pages: both mappings extract every capture, offline, and their documents
//! are compared. Nothing is fetched, written or recorded. Captures and documents of one chunk are in memory, and the ids of
//! all documents; documents that the other mapping has not given yet wait in a temporary file.

use super::documents::{Known, Read, Reading, location, on_threads, read_capture};
use super::error::PipelineError;
use super::learn::learned;
use super::output::Layout;
use super::store::MediaStore;
use crate::capture::ArchiveReader;
use crate::diff::{Class, Difference, compare};
use crate::document::{Document, DocumentId, GateLevel};
use crate::extract::Extraction;
use crate::ledger::Ledger;
use crate::mapping::Mapping;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Pages whose captures and documents may be in memory at once, per thread.
const CHUNK_PER_JOB: usize = 8;

/// What became of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Its content is another.
    Changed,
    /// Its content is the same and stands elsewhere: another key, address, collection or section.
    Moved,
    /// Its content is the same; rules, dropped text, accounting or gates are others.
    Retold,
    /// Only the new side has it.
    Added,
    /// Only the old side has it.
    Removed,
}

/// One document that is not the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Told {
    /// What became of it.
    pub change: What,
    /// Its id on the new side; on the old one if it is removed.
    pub id: DocumentId,
    /// Its id on the old side, if that is another one: a CMS would get a new entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_id: Option<DocumentId>,
    /// Its natural key.
    pub source_key: String,
    /// Its title.
    pub title: Option<String>,
    /// Canonical URL of the archived page.
    pub url: String,
    /// What the other side has instead, if that is known: `ignored by print`, `no collection takes it`, `taken off`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<String>,
    /// Gates that fail on the new side, where the old side's document fails none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub newly_fails: Vec<String>,
    /// The kinds of change.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub classes: BTreeSet<Class>,
    /// How the two differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<Difference>,
}

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Impact {
    /// Captured pages that both mappings read.
    pub pages: u64,
    /// Documents by the old mapping.
    pub old_documents: u64,
    /// Documents by the new mapping.
    pub new_documents: u64,
    /// Documents that are the same in everything.
    pub same: u64,
    /// Documents with another content.
    pub changed: u64,
    /// Documents with the same content by other rules.
    pub retold: u64,
    /// Documents that only the new mapping gives.
    pub added: u64,
    /// Documents that only the old mapping gives.
    pub removed: u64,
    /// Changed documents with another id.
    pub renamed: u64,
    /// Documents that fail a gate now and did not before; new ones that fail are among them.
    pub newly_failed: u64,
    /// Documents that failed a gate and do not any more.
    pub newly_passed: u64,
    /// Changed documents by what changed: `title`, `dates.published`, `body`, `media`, `links`, …
    pub by_field: BTreeMap<String, u64>,
    /// Pages that no collection takes, by the old mapping.
    pub old_unclassified: u64,
    /// Pages that no collection takes, by the new mapping.
    pub new_unclassified: u64,
}

impl Impact {
    /// Whether the two mappings give the same documents.
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.changed + self.retold + self.added + self.removed == 0
    }
}

/// JSON Schema of the lines that `mapping diff --json` writes.
#[must_use]
pub fn impact_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Line).to_value();
    schema["$id"] = "urn:sangtrang:mapping-diff/1".into();
    schema
}

/// A line of `mapping diff --json`: documents, then the summary.
#[derive(JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only described")]
enum Line {
    /// A document that is not the same.
    Document {
        /// `mapping-diff/1`.
        schema: String,
        /// The rest of the object.
        #[serde(flatten)]
        told: Box<Told>,
    },
    /// The last line.
    Summary {
        /// `mapping-diff/1`.
        schema: String,
        /// The rest of the object.
        #[serde(flatten)]
        impact: Impact,
    },
}

/// Extracts all captured pages by both mappings and tells each document that differs, those without a partner last.
///
/// # Errors
/// When the ledger or the archive cannot be read, when `told` fails, or when cancelled.
pub fn impact(
    old: &Mapping,
    new: &Mapping,
    layout: &Layout,
    jobs: usize,
    cancel: &CancellationToken,
    told: &mut dyn FnMut(&Told) -> Result<(), PipelineError>,
    progress: &dyn Fn(&Impact),
) -> Result<Impact, PipelineError> {
    let mut ledger = Ledger::read(&layout.ledger())?;
    let models = (learned(old, &ledger)?, learned(new, &ledger)?);
    let reading = |mapping, learned| Reading {
        mapping,
        learned,
        layout,
        jobs,
    };
    let both = (reading(old, models.0.as_ref()), reading(new, models.1.as_ref()));
    let mut state = Comparing {
        old: Side::new(old, layout)?,
        new: Side::new(new, layout)?,
        sums: Impact::default(),
        alike: alike(old, new),
        told,
    };
    let mut after = String::new();
    loop {
        let pages = ledger.pages(&after, jobs * CHUNK_PER_JOB)?;
        let Some(last) = pages.last() else { break };
        after.clone_from(&last.url);
        let known = pages
            .into_iter()
            .map(|p| Known::load(&ledger, p))
            .collect::<Result<Vec<_>, _>>()?;
        for (page, reads) in known.iter().zip(read(both, &mut ledger, &known)) {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            state.page(&ledger, page, reads)?;
        }
        progress(&state.sums);
    }
    state.rest()?;
    Ok(state.sums)
}

/// Whether equal documents before their media are bound are equal behind it: the two mappings know media alike.
fn alike(old: &Mapping, new: &Mapping) -> bool {
    let of = |mapping: &Mapping| {
        let rules = mapping.rules();
        let gates: Vec<String> = rules
            .collection
            .iter()
            .map(|c| format!("{} {:?}", c.id, rules.gates(c)))
            .collect();
        format!(
            "{:?} {:?} {:?} {:?} {gates:?}",
            rules.site, rules.url, rules.limits, rules.media
        )
    };
    of(old) == of(new)
}

type Reads = (Read, Read);

fn read((old, new): (Reading<'_>, Reading<'_>), ledger: &mut Ledger, pages: &[Known]) -> Vec<Reads> {
    let ledger = &Mutex::new(ledger);
    let limit = |reading: Reading<'_>| reading.mapping.rules().limits.page_bytes;
    let limit = limit(old).max(limit(new));
    let one = |archive: &mut ArchiveReader, page: &Known| -> Reads {
        match archive.read(&location(&page.page.place), limit) {
            Ok(capture) => (
                read_capture(old, ledger, archive, page, &capture),
                read_capture(new, ledger, archive, page, &capture),
            ),
            Err(error) => (
                Read::Unreadable(error.to_string()),
                Read::Unreadable(error.to_string()),
            ),
        }
    };
    on_threads(old, pages, one, |why| {
        (Read::Unreadable(why.clone()), Read::Unreadable(why))
    })
}

/// One of the two mappings.
struct Side<'a> {
    mapping: &'a Mapping,
    media: MediaStore<'a>,
    /// Documents so far: an entry that stands on several lists is one document.
    seen: HashSet<DocumentId>,
    waiting: Waiting,
}

impl<'a> Side<'a> {
    fn new(mapping: &'a Mapping, layout: &'a Layout) -> Result<Self, PipelineError> {
        Ok(Self {
            mapping,
            media: MediaStore::looking(mapping, layout),
            seen: HashSet::new(),
            waiting: Waiting::new()?,
        })
    }

    /// The documents of a page that were not seen yet, not bound.
    fn fresh(&mut self, extraction: &mut Extraction) -> Vec<Document> {
        let all = std::mem::take(&mut extraction.documents);
        all.into_iter().filter(|d| self.seen.insert(d.id)).collect()
    }

    fn bind(
        &mut self,
        ledger: &Ledger,
        (extraction, at): (&Extraction, i64),
        document: &mut Document,
    ) -> Result<(), PipelineError> {
        let inline = self.media.inline(&extraction.inline_media)?;
        super::bind(self.mapping, ledger, &mut self.media, &inline, at, document)
    }

    /// Whether a collection makes one document a page.
    fn single(&self, document: &Document) -> bool {
        let mut all = self.mapping.rules().collection.iter();
        all.any(|c| c.id == document.collection && c.each.is_none())
    }
}

/// Documents that wait for a partner.
struct Waiting {
    file: std::fs::File,
    end: u64,
    places: HashMap<DocumentId, Place>,
}

struct Place {
    at: u64,
    length: usize,
    url: String,
    instead: Option<String>,
}

impl Waiting {
    fn new() -> Result<Self, PipelineError> {
        Ok(Self {
            file: tempfile::tempfile()?,
            end: 0,
            places: HashMap::new(),
        })
    }

    fn put(&mut self, document: &Document, url: &str, instead: Option<String>) -> Result<(), PipelineError> {
        let json = serde_json::to_vec(document).map_err(std::io::Error::other)?;
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&json)?;
        let place = Place {
            at: self.end,
            length: json.len(),
            url: url.to_owned(),
            instead,
        };
        self.end += json.len() as u64;
        self.places.insert(document.id, place);
        Ok(())
    }

    fn take(&mut self, id: &DocumentId) -> Result<Option<(Document, Place)>, PipelineError> {
        let Some(place) = self.places.remove(id) else {
            return Ok(None);
        };
        let mut json = vec![0; place.length];
        self.file.seek(SeekFrom::Start(place.at))?;
        self.file.read_exact(&mut json)?;
        let document = serde_json::from_slice(&json).map_err(std::io::Error::other)?;
        Ok(Some((document, place)))
    }

    /// Ids in the order in which they came.
    fn ids(&self) -> Vec<DocumentId> {
        let mut all: Vec<(u64, DocumentId)> = self.places.iter().map(|(id, p)| (p.at, *id)).collect();
        all.sort_unstable();
        all.into_iter().map(|(_, id)| id).collect()
    }
}

struct Comparing<'a> {
    old: Side<'a>,
    new: Side<'a>,
    sums: Impact,
    alike: bool,
    told: &'a mut dyn FnMut(&Told) -> Result<(), PipelineError>,
}

/// What a page is if it gives no document.
fn instead(read: &Read) -> Option<String> {
    Some(match read {
        Read::Documents(_) => return None,
        Read::Ignored(rule) => format!("ignored: {rule}"),
        Read::Navigation => "a list".into(),
        Read::Unclassified => "no collection takes it".into(),
        Read::File(kind) => format!("a file: {kind}"),
        Read::Unreadable(why) => format!("unreadable: {why}"),
    })
}

pub(super) fn failed_gates(document: &Document) -> Vec<String> {
    let gates = document
        .quality
        .gates
        .iter()
        .filter(|g| g.level == GateLevel::Fail);
    gates.map(|g| format!("{}: {}", g.id, g.note)).collect()
}

impl Comparing<'_> {
    fn page(&mut self, ledger: &Ledger, known: &Known, (was, is): Reads) -> Result<(), PipelineError> {
        self.sums.pages += 1;
        self.sums.old_unclassified += u64::from(matches!(was, Read::Unclassified));
        self.sums.new_unclassified += u64::from(matches!(is, Read::Unclassified));
        let url = known.page.url.as_str();
        let (no_old, no_new) = (instead(&was), instead(&is));
        let empty = || Box::new(Extraction::default());
        let extraction = |read| match read {
            Read::Documents(e) => e,
            _ => empty(),
        };
        let (mut was, mut is) = (extraction(was), extraction(is));
        let (mut old, mut new) = (self.old.fresh(&mut was), self.new.fresh(&mut is));
        self.sums.old_documents += old.len() as u64;
        self.sums.new_documents += new.len() as u64;
        if self.alike {
            let same: HashSet<DocumentId> = {
                let by_id: HashMap<DocumentId, &Document> = old.iter().map(|d| (d.id, d)).collect();
                new.iter()
                    .filter(|d| by_id.get(&d.id) == Some(d))
                    .map(|d| d.id)
                    .collect()
            };
            self.sums.same += same.len() as u64;
            old.retain(|d| !same.contains(&d.id));
            new.retain(|d| !same.contains(&d.id));
        }
        for document in &mut old {
            self.old.bind(ledger, (&was, known.page.at), document)?;
        }
        for document in &mut new {
            self.new.bind(ledger, (&is, known.page.at), document)?;
        }
        let mut lone = Vec::new();
        for document in new {
            match old.iter().position(|d| d.id == document.id) {
                Some(at) => {
                    let partner = old.remove(at);
                    self.pair(&partner, &document, url)?;
                }
                None => lone.push(document),
            }
        }
        // One document a page on both sides, with another key: it is the same one by another name.
        if let ([a], [b]) = (&old[..], &lone[..])
            && self.old.single(a)
            && self.new.single(b)
        {
            return self.pair(a, b, url);
        }
        for document in old {
            match self.new.waiting.take(&document.id)? {
                Some((partner, _)) => self.pair(&document, &partner, url)?,
                None => self.old.waiting.put(&document, url, no_new.clone())?,
            }
        }
        for document in lone {
            match self.old.waiting.take(&document.id)? {
                Some((partner, _)) => self.pair(&partner, &document, url)?,
                None => self.new.waiting.put(&document, url, no_old.clone())?,
            }
        }
        Ok(())
    }

    fn pair(&mut self, old: &Document, new: &Document, url: &str) -> Result<(), PipelineError> {
        let difference = compare(old, new);
        let (failed, fails) = (old.quality.failed(), new.quality.failed());
        self.sums.newly_failed += u64::from(fails && !failed);
        self.sums.newly_passed += u64::from(failed && !fails);
        if difference.is_empty() {
            self.sums.same += 1;
            return Ok(());
        }
        let change = if difference.same_content() {
            self.sums.retold += 1;
            What::Retold
        } else {
            self.sums.changed += 1;
            What::Changed
        };
        self.sums.renamed += u64::from(old.id != new.id);
        for field in fields(&difference) {
            *self.sums.by_field.entry(field).or_default() += 1;
        }
        (self.told)(&Told {
            change,
            id: new.id,
            old_id: (old.id != new.id).then_some(old.id),
            source_key: new.source_key.clone(),
            title: new.title.clone().or_else(|| old.title.clone()),
            url: url.to_owned(),
            instead: None,
            newly_fails: if failed { Vec::new() } else { failed_gates(new) },
            classes: difference.classes(),
            difference: Some(difference),
        })
    }

    /// Documents without a partner.
    fn rest(&mut self) -> Result<(), PipelineError> {
        for id in self.old.waiting.ids() {
            if let Some((document, place)) = self.old.waiting.take(&id)? {
                self.sums.removed += 1;
                self.alone(What::Removed, &document, place)?;
            }
        }
        for id in self.new.waiting.ids() {
            if let Some((document, place)) = self.new.waiting.take(&id)? {
                self.sums.added += 1;
                self.sums.newly_failed += u64::from(document.quality.failed());
                self.alone(What::Added, &document, place)?;
            }
        }
        Ok(())
    }

    fn alone(&mut self, change: What, document: &Document, place: Place) -> Result<(), PipelineError> {
        (self.told)(&Told {
            change,
            id: document.id,
            old_id: None,
            source_key: document.source_key.clone(),
            title: document.title.clone(),
            url: place.url,
            instead: place.instead,
            newly_fails: if change == What::Added {
                failed_gates(document)
            } else {
                Vec::new()
            },
            classes: BTreeSet::new(),
            difference: None,
        })
    }
}

/// What changed, each once: parts of a field (`section.id`, `byline.person`) count as the field.
pub(super) fn fields(difference: &Difference) -> BTreeSet<String> {
    let whole = |name: &str| match name.split_once('.') {
        Some((field @ ("section" | "byline"), _)) => field.to_owned(),
        _ => name.to_owned(),
    };
    let mut out: BTreeSet<String> = difference.fields.iter().map(|c| whole(&c.name)).collect();
    let parts = [
        ("body", difference.body.is_empty()),
        ("media", difference.media.is_empty()),
        ("links", difference.links.is_empty()),
    ];
    out.extend(
        parts
            .iter()
            .filter(|(_, none)| !none)
            .map(|(n, _)| (*n).to_owned()),
    );
    out
}
