//! Two sets of documents against each other: runs of the ledger, folders, a CMS. Both sides are put in the order of their ids
//! (what is kept of a document is its id, a mark and where it stands), then they are walked side by side; only documents whose
//! marks differ are read. What was found waits in a nameless file, so that the sums can be told first.

mod cms;
mod error;
mod sides;

pub use cms::compare_with_cms;
pub use error::DiffError;
pub use sides::{Side, SideKind, SideName, find_run};

use super::error::PipelineError;
use super::impact::{Told, What, failed_gates, fields};
use crate::deliver::Spool;
use crate::diff::{Change, Class, Difference, Ignore, compare_but};
use crate::document::{Document, content_hash, without_sources};
use crate::ledger::Standing;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sides::Entry;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use tokio_util::sync::CancellationToken;

/// Version of the lines that `diff --json` writes.
pub const SCHEMA: &str = "diff/1";

/// Documents between two looks at Ctrl-C and the progress.
const STEP: u64 = 500;

/// The counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Compared {
    /// Documents on the old side.
    pub old_documents: u64,
    /// Documents on the new side.
    pub new_documents: u64,
    /// Documents that are the same in everything that is not ignored.
    pub same: u64,
    /// Documents with another content.
    pub changed: u64,
    /// Documents with the same content that stand elsewhere.
    pub moved: u64,
    /// Documents with the same content by other rules, accounting or gates.
    pub retold: u64,
    /// Documents that only the new side has.
    pub added: u64,
    /// Documents that only the old side has.
    pub removed: u64,
    /// Documents that fail a gate on the new side and did not on the old one; new ones that fail are among them.
    pub newly_failed: u64,
    /// Documents that failed a gate and do not any more.
    pub newly_passed: u64,
    /// Documents by what changed: `title`, `dates.published`, `body`, `media`, `links`, …
    pub by_field: BTreeMap<String, u64>,
    /// Documents by kind of change; one may have several.
    pub by_class: BTreeMap<Class, u64>,
    /// Changes that were ignored, by their kind.
    pub ignored: BTreeMap<Class, u64>,
}

impl Compared {
    /// Whether both sides have the same documents.
    #[must_use]
    pub const fn is_same(&self) -> bool {
        self.changed + self.moved + self.retold + self.added + self.removed == 0
    }
}

/// JSON Schema of the lines that `diff --json` writes.
#[must_use]
pub fn diff_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Line).to_value();
    schema["$id"] = "urn:sangtrang:diff/1".into();
    schema
}

/// A line of `diff --json`: the summary, then the documents.
#[derive(JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(dead_code, reason = "it is only described")]
enum Line {
    /// The first line.
    Summary {
        /// `diff/1`.
        schema: String,
        /// The old side.
        old: SideName,
        /// The new side.
        new: SideName,
        /// The rest of the object.
        #[serde(flatten)]
        compared: Box<Compared>,
    },
    /// A document that is not the same.
    Document {
        /// `diff/1`.
        schema: String,
        /// The rest of the object.
        #[serde(flatten)]
        told: Box<Told>,
    },
}

/// What is told while it goes on: documents so far, and how many there are on both sides.
pub type Progress<'a> = &'a dyn Fn(u64, u64);

/// Compares two sides. Documents that are not the same are in the answer: those that both sides have by their ids, then those
/// that went, then those that came.
///
/// # Errors
/// [`DiffError`] when the sides are of two sites or a document cannot be read; when cancelled.
pub fn compare_sides(
    old: &mut Side,
    new: &mut Side,
    ignore: &Ignore,
    cancel: &CancellationToken,
    progress: Progress<'_>,
) -> Result<(Compared, Spool<Told>), DiffError> {
    if let (Some(a), Some(b)) = (&old.site, &new.site)
        && a != b
    {
        return Err(DiffError::Sites {
            old: (old.name.name.clone(), a.clone()),
            new: (new.name.name.clone(), b.clone()),
        });
    }
    let mut found = Findings::new(ignore);
    found.sums.old_documents = old.entries.len() as u64;
    found.sums.new_documents = new.entries.len() as u64;
    let (mut gone, mut came) = (Vec::new(), Vec::new());
    let (mut x, mut y, mut steps) = (0, 0, 0_u64);
    loop {
        if steps.is_multiple_of(STEP) {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted.into());
            }
            progress(
                (x + y) as u64,
                found.sums.old_documents + found.sums.new_documents,
            );
        }
        steps += 1;
        let (a, b) = (old.entries.get(x).copied(), new.entries.get(y).copied());
        let order = match (&a, &b) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.id.cmp(&b.id),
        };
        match (order, a, b) {
            (Ordering::Equal, Some(a), Some(b)) => {
                (x, y) = (x + 1, y + 1);
                found.entries(old, new, a, b)?;
            }
            (Ordering::Less, Some(a), _) => {
                x += 1;
                gone.push(Lone::of(&old.document(&a)?, a));
            }
            (_, _, Some(b)) => {
                y += 1;
                came.push(Lone::of(&new.document(&b)?, b));
            }
            _ => break,
        }
    }
    let partners = partners(&gone, &came);
    for (n, lone) in gone.iter().enumerate() {
        match partners.get(&n) {
            Some(m) => {
                let (a, b) = (old.document(&lone.entry)?, new.document(&came[*m].entry)?);
                found.pair(&a, &b, (lone.entry.standing, came[*m].entry.standing))?;
            }
            None => found.alone(What::Removed, &old.document(&lone.entry)?, None)?,
        }
    }
    let paired: BTreeSet<usize> = partners.into_values().collect();
    for (_, lone) in came.iter().enumerate().filter(|(m, _)| !paired.contains(m)) {
        found.alone(What::Added, &new.document(&lone.entry)?, None)?;
    }
    Ok((found.sums, found.told))
}

/// A document that one side has.
struct Lone {
    /// Mark of title and body; nothing if both are empty.
    says: Option<[u8; 16]>,
    entry: Entry,
}

impl Lone {
    fn of(document: &Document, entry: Entry) -> Self {
        let mut body = serde_json::to_value(&document.body).unwrap_or_default();
        without_sources(&mut body);
        let says = (!document.body.is_empty()).then(|| {
            let said = format!("{:?}\n{body}", document.title);
            sides::mark(blake3::hash(said.as_bytes()).as_bytes())
        });
        Self { says, entry }
    }
}

/// Those that went and came with the same title and body, one of each: the same document under another key.
fn partners(gone: &[Lone], came: &[Lone]) -> HashMap<usize, usize> {
    let index = |all: &[Lone]| -> HashMap<[u8; 16], Option<usize>> {
        let mut out = HashMap::new();
        for (n, lone) in all.iter().enumerate() {
            if let Some(says) = lone.says {
                out.entry(says).and_modify(|v| *v = None).or_insert(Some(n));
            }
        }
        out
    };
    let came = index(came);
    index(gone)
        .into_iter()
        .filter_map(|(says, n)| Some((n?, (*came.get(&says)?)?)))
        .collect()
}

/// What was found so far.
struct Findings<'a> {
    ignore: &'a Ignore,
    sums: Compared,
    told: Spool<Told>,
}

impl<'a> Findings<'a> {
    fn new(ignore: &'a Ignore) -> Self {
        Self {
            ignore,
            sums: Compared::default(),
            told: Spool::new(&std::env::temp_dir()),
        }
    }

    /// Two documents of one id.
    fn entries(&mut self, old: &mut Side, new: &mut Side, a: Entry, b: Entry) -> Result<(), DiffError> {
        let standing = (a.standing, b.standing);
        if standing.0 == standing.1 && old.marks == new.marks && a.mark == b.mark {
            self.sums.same += 1;
            return Ok(());
        }
        if let Some(document) = sides::of_folder(old, &a, new, &b)? {
            let mark = sides::imprint_mark(document);
            let run = if old.marks == sides::Marks::Imprint {
                &a
            } else {
                &b
            };
            if mark == run.mark && standing.0 == standing.1 {
                self.sums.same += 1;
                return Ok(());
            }
        }
        let (a, b) = (old.document(&a)?, new.document(&b)?);
        self.pair(&a, &b, standing)
    }

    fn pair(
        &mut self,
        old: &Document,
        new: &Document,
        (was, is): (Option<Standing>, Option<Standing>),
    ) -> Result<(), DiffError> {
        let mut difference = compare_but(old, new, self.ignore).once(old, new);
        let said = |s: Option<Standing>| s.map(|s| s.as_str().to_owned());
        if let (Some(_), Some(_)) = (was, is) {
            let portal = Change::of(Class::Portal, "portal", said(was), said(is));
            difference.fields.extend(portal);
        }
        let difference = difference.without(self.ignore, &mut self.sums.ignored);
        let (failed, fails) = (old.quality.failed(), new.quality.failed());
        self.sums.newly_failed += u64::from(fails && !failed);
        self.sums.newly_passed += u64::from(failed && !fails);
        let fails = if failed { Vec::new() } else { failed_gates(new) };
        let renamed = old.id != new.id && !self.ignore.has(Class::Place);
        if difference.is_empty() && !renamed {
            self.sums.same += 1;
            return Ok(());
        }
        self.tell(Told {
            change: what(&difference),
            id: new.id,
            old_id: (old.id != new.id).then_some(old.id),
            source_key: new.source_key.clone(),
            title: new.title.clone().or_else(|| old.title.clone()),
            url: new.provenance.fetch.requested.clone(),
            instead: None,
            newly_fails: fails,
            classes: difference.classes(),
            difference: Some(difference),
        })
    }

    /// A document that only one side has.
    fn alone(&mut self, change: What, document: &Document, instead: Option<String>) -> Result<(), DiffError> {
        let fails = match change {
            What::Added => failed_gates(document),
            _ => Vec::new(),
        };
        self.sums.newly_failed += u64::from(!fails.is_empty());
        self.tell(Told {
            change,
            id: document.id,
            old_id: None,
            source_key: document.source_key.clone(),
            title: document.title.clone(),
            url: document.provenance.fetch.requested.clone(),
            instead,
            newly_fails: fails,
            classes: BTreeSet::new(),
            difference: None,
        })
    }

    fn tell(&mut self, told: Told) -> Result<(), DiffError> {
        let count = match told.change {
            What::Changed => &mut self.sums.changed,
            What::Moved => &mut self.sums.moved,
            What::Retold => &mut self.sums.retold,
            What::Added => &mut self.sums.added,
            What::Removed => &mut self.sums.removed,
        };
        *count += 1;
        for class in &told.classes {
            *self.sums.by_class.entry(*class).or_default() += 1;
        }
        for field in told.difference.iter().flat_map(fields) {
            *self.sums.by_field.entry(field).or_default() += 1;
        }
        self.told.push(&told).map_err(PipelineError::from)?;
        Ok(())
    }
}

/// What became of a document that both sides have and that is not the same.
fn what(difference: &Difference) -> What {
    let told = |class: &Class| {
        matches!(
            class,
            Class::Origin | Class::Dropped | Class::Accounting | Class::Gate
        )
    };
    let content: Vec<Class> = difference.classes().into_iter().filter(|c| !told(c)).collect();
    match content[..] {
        [] if difference.is_empty() => What::Moved,
        [] => What::Retold,
        [Class::Place] => What::Moved,
        _ => What::Changed,
    }
}

/// The document with the hash of what it holds now, whatever somebody wrote there.
fn rehashed(mut document: Document) -> Document {
    document.revision = content_hash(&document).unwrap_or_default();
    document
}
