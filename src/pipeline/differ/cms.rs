//! A run or a folder beside the new CMS: each document beside what the CMS shows of it, as far as a CMS can hold it. Words, links
//! and pictures of the body and the fields that are delivered are compared; what is no part of a delivery (accounting, origins,
//! gates) is not.

use super::super::deliver::target_name;
use super::super::error::PipelineError;
use super::super::impact::{Told, What};
use super::super::output::Layout;
use super::sides::{Entry, Side, SideKind, SideName};
use super::{Compared, DiffError, Findings, Progress};
use crate::deliver::beside::{Other, Part, Shows, beside, delivered};
use crate::deliver::sink::Sink;
use crate::deliver::{Mapper, Spool};
use crate::diff::{BlockChange, Change, Class, Difference, Ignore};
use crate::document::{Document, DocumentId};
use crate::ledger::{Delivery, Kind, Ledger};
use std::collections::{BTreeSet, HashMap};
use tokio_util::sync::CancellationToken;

/// Entries that are read at once.
const ROWS: usize = 100;

/// Compares what is told of one document.
struct Beside<'a> {
    found: Findings<'a>,
    /// The CMS is the new side.
    is_new: bool,
}

/// Compares a side with what was delivered to a target; `is_new`: the CMS is the new side. Entries of the CMS that are not
/// ours are not looked at.
///
/// # Errors
/// As [`super::compare_sides`]; when the CMS cannot be read.
#[expect(clippy::too_many_arguments, reason = "both sides, and how")]
pub async fn compare_with_cms<S: Sink>(
    sink: &S,
    side: &mut Side,
    is_new: bool,
    mapper: &Mapper,
    layout: &Layout,
    ignore: &Ignore,
    cancel: &CancellationToken,
    progress: Progress<'_>,
) -> Result<(SideName, Compared, Spool<Told>), DiffError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let target = target_name(mapper.target());
    let Some(row) = ledger.known_target(&target)? else {
        return Err(DiffError::NotDelivered { target });
    };
    let mut state = Beside {
        found: Findings::new(ignore),
        is_new,
    };
    let (mut lone, mut strays) = (
        Vec::<(Entry, String)>::new(),
        Vec::<(Delivery, Option<String>)>::new(),
    );
    let (mut after, mut at, mut shown) = (String::new(), 0, 0_u64);
    loop {
        if cancel.is_cancelled() {
            return Err(PipelineError::Interrupted.into());
        }
        let rows = ledger.deliveries(row, Kind::Document, &after, ROWS)?;
        let Some(last) = rows.last() else { break };
        after.clone_from(&last.key);
        let mut documents: HashMap<String, (Entry, Document)> = HashMap::new();
        for delivery in &rows {
            let Some(id) = id_of(delivery) else { continue };
            while let Some(entry) = side.entries.get(at).copied().filter(|e| e.id < id) {
                at += 1;
                lone.push((entry, "it was not delivered".into()));
            }
            if let Some(entry) = side.entries.get(at).copied().filter(|e| e.id == id) {
                at += 1;
                documents.insert(delivery.key.clone(), (entry, side.document(&entry)?));
            }
        }
        let plain = documents
            .iter()
            .map(|(k, (_, d))| (k.clone(), d.clone()))
            .collect();
        let shows = beside(sink, &ledger, row, mapper, &rows, &plain)
            .await
            .map_err(PipelineError::from)?;
        for (delivery, shows) in rows.into_iter().zip(shows) {
            match (documents.remove(&delivery.key), shows) {
                (Some((_, document)), Shows::Entry { url, other }) => {
                    shown += 1;
                    state.pair(&document, url, other)?;
                }
                (Some((entry, _)), Shows::Nothing(why)) => lone.push((entry, why)),
                (None, Shows::Entry { url, .. }) => {
                    shown += 1;
                    strays.push((delivery, url));
                }
                (None, Shows::Nothing(_)) => {}
            }
        }
        progress(at as u64, side.documents());
    }
    let rest = side.entries[at..].iter();
    lone.extend(rest.map(|e| (*e, "it was not delivered".to_owned())));
    let (gone, came) = if is_new {
        (What::Removed, What::Added)
    } else {
        (What::Added, What::Removed)
    };
    // Those that went first, then those that came.
    for change in [What::Removed, What::Added] {
        if change == gone {
            for (entry, why) in &lone {
                let document = side.document(entry)?;
                state.found.alone(change, &document, Some(why.clone()))?;
            }
        }
        if change == came {
            for (delivery, url) in &strays {
                state.stray(&ledger, row, change, delivery, url.clone())?;
            }
        }
    }
    let sums = &mut state.found.sums;
    (sums.old_documents, sums.new_documents) = if is_new {
        (side.documents(), shown)
    } else {
        (shown, side.documents())
    };
    let name = SideName {
        kind: SideKind::Cms,
        name: target,
        at: None,
    };
    Ok((name, state.found.sums, state.found.told))
}

fn id_of(delivery: &Delivery) -> Option<DocumentId> {
    delivery.key.strip_prefix("doc:")?.parse().ok()
}

impl Beside<'_> {
    fn pair(&mut self, document: &Document, url: Option<String>, other: Vec<Other>) -> Result<(), DiffError> {
        let mut difference = Difference::default();
        for one in other {
            let (ours, theirs) = (Some(one.ours), Some(one.theirs));
            let (old, new) = if self.is_new {
                (ours, theirs)
            } else {
                (theirs, ours)
            };
            let (class, name) = match one.part {
                Part::Field => (class(&one.name), one.name.as_str()),
                Part::Words => (Class::Text, "text"),
                Part::Links => (Class::Link, "links"),
                Part::Pictures => (Class::Media, "pictures"),
                Part::Markup => (Class::Structure, "markup"),
            };
            let Some(change) = Change::of(class, name, old, new) else {
                continue;
            };
            match one.part {
                Part::Field => difference.fields.push(change),
                Part::Words | Part::Markup => difference.body.push(BlockChange::Changed {
                    old: 0,
                    new: 0,
                    kind: "body".into(),
                    parts: vec![change],
                }),
                Part::Links => difference.links.push(change),
                Part::Pictures => difference.media.push(change),
            }
        }
        let found = &mut self.found;
        let difference = difference.without(found.ignore, &mut found.sums.ignored);
        if difference.is_empty() {
            found.sums.same += 1;
            return Ok(());
        }
        found.tell(Told {
            change: super::what(&difference),
            id: document.id,
            old_id: None,
            source_key: document.source_key.clone(),
            title: document.title.clone(),
            url: url.unwrap_or_else(|| document.provenance.fetch.requested.clone()),
            instead: None,
            newly_fails: Vec::new(),
            classes: difference.classes(),
            difference: Some(difference),
        })
    }

    /// What the CMS shows of ours and the other side does not have.
    fn stray(
        &mut self,
        ledger: &Ledger,
        target: i64,
        change: What,
        delivery: &Delivery,
        url: Option<String>,
    ) -> Result<(), DiffError> {
        let Some(id) = id_of(delivery) else { return Ok(()) };
        let entry = delivered(ledger, target, &delivery.key).map_err(PipelineError::from)?;
        self.found.tell(Told {
            change,
            id,
            old_id: None,
            source_key: entry.as_ref().map(|e| e.source_key.clone()).unwrap_or_default(),
            title: entry.map(|e| e.title),
            url: url.unwrap_or_default(),
            instead: None,
            newly_fails: Vec::new(),
            classes: BTreeSet::new(),
            difference: None,
        })
    }
}

/// The kind of a change of a field, by what targets call it.
fn class(name: &str) -> Class {
    let name = name.to_ascii_lowercase();
    let is = |words: &[&str]| words.iter().any(|w| name.contains(w));
    if is(&["date", "published", "modified"]) {
        Class::Date
    } else if is(&["slug", "categor", "tag", "section", "parent"]) {
        Class::Place
    } else if is(&["media", "cover", "image", "thumbnail"]) {
        Class::Media
    } else if is(&["status", "state"]) {
        Class::Portal
    } else {
        Class::Field
    }
}
