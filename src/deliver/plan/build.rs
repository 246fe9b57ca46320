//! From documents to changes, one document at a time.

use super::{
    Change, Counts, Edits, FieldDiff, Guard, Held, Hold, Memory, Op, Over, Plan, Presence, SCHEMA,
    field_diffs,
};
use crate::deliver::entry::{Asset, Entry, Mapper, Term, Unfit, payload_hash};
use crate::deliver::marks::Marks;
use crate::deliver::render::shown;
use crate::document::{CaptureId, Document};
use crate::ledger::{Delivery, DeliveryState, Kind, LedgerError};
use crate::mapping::model::{Drift, Retire, RetireAction};
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that a planner decided.
#[derive(Clone, Debug, PartialEq)]
pub enum Decided {
    /// About a category or tag.
    Term(Change),
    /// About a file.
    Media(Change),
    /// About a document.
    Document(Change),
    /// A document is taken off, unless the guard holds it.
    Retire(Change),
    /// Something is left alone.
    Hold(Held),
}

/// Whose entry it is, as people know it.
#[derive(Clone, Copy)]
struct Of<'a> {
    collection: Option<&'a str>,
    source: &'a str,
    title: &'a str,
}

impl<'a> From<&'a Document> for Of<'a> {
    fn from(document: &'a Document) -> Self {
        Self {
            collection: Some(&document.collection),
            source: &document.source_key,
            title: document.title.as_deref().unwrap_or_default(),
        }
    }
}

/// Makes a plan, document by document.
pub struct Planner<'a> {
    mapper: &'a Mapper,
    memory: &'a dyn Memory,
    retire: &'a Retire,
    edits: &'a Edits,
    slugs: Marks,
    seen: Marks,
    /// Was there a document?
    any: bool,
    decided: Vec<Decided>,
    counts: Counts,
    /// Live documents by type, for shares.
    live: BTreeMap<String, u64>,
    /// Retirements by type.
    retired: BTreeMap<String, u64>,
}

impl<'a> Planner<'a> {
    /// An empty plan.
    ///
    /// # Errors
    /// What the ledger says.
    pub fn new(
        mapper: &'a Mapper,
        memory: &'a dyn Memory,
        retire: &'a Retire,
        edits: &'a Edits,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            mapper,
            memory,
            retire,
            edits,
            slugs: memory.slugs()?,
            seen: Marks::default(),
            any: false,
            decided: Vec::new(),
            counts: Counts::default(),
            live: BTreeMap::new(),
            retired: BTreeMap::new(),
        })
    }

    /// Plans one document with what it needs.
    ///
    /// # Errors
    /// What the ledger says.
    pub fn document(&mut self, document: &Document) -> Result<Vec<Decided>, LedgerError> {
        self.any = true;
        self.decide(document)?;
        Ok(std::mem::take(&mut self.decided))
    }

    fn decide(&mut self, document: &Document) -> Result<(), LedgerError> {
        let key = format!("doc:{}", document.id);
        if !self.seen.insert(&key) {
            return Ok(());
        }
        let was = self.memory.delivery(Kind::Document, &key)?;
        if let Some(was) = &was
            && let Some(misses) = self.memory.misses(&key)?
        {
            return self.gone(Of::from(document), was, misses);
        }
        if document.quality.failed() {
            let failed: Vec<&str> = document
                .quality
                .gates
                .iter()
                .filter(|g| g.level == crate::document::GateLevel::Fail)
                .map(|g| g.id.as_str())
                .collect();
            self.hold(&key, document, Hold::GateFailed, &failed.join(", "), Vec::new());
            return Ok(());
        }
        let slug = match was.as_ref().and_then(|d| d.slug.clone()) {
            Some(pinned) => pinned,
            None => self.mapper.slug(document, &|s| self.slugs.contains(s)),
        };
        let entry = match self.mapper.entry(document, slug) {
            Ok(entry) => entry,
            Err(Unfit::Unmapped) => {
                self.hold(&key, document, Hold::Unmapped, &document.collection, Vec::new());
                return Ok(());
            }
            Err(Unfit::Loses(words)) => {
                self.hold(&key, document, Hold::Lossy, &words.join(" "), Vec::new());
                return Ok(());
            }
        };
        self.slugs.insert(&entry.slug);
        let Some(change) = self.entry(document, &entry, was.as_ref())? else {
            return Ok(());
        };
        // What a document needs is planned whether or not it changes itself: a file may have been lost.
        for term in self.mapper.terms(document) {
            self.term(&term, document)?;
        }
        for asset in Mapper::assets(document) {
            self.asset(&asset, document)?;
        }
        if let Some(change) = change {
            self.decided.push(Decided::Document(change));
        }
        Ok(())
    }

    /// What is to be done with an entry: nothing at all (held), nothing (`Some(None)`), or a change.
    fn entry(
        &mut self,
        document: &Document,
        entry: &Entry,
        was: Option<&Delivery>,
    ) -> Result<Option<Option<Change>>, LedgerError> {
        let payload = payload_hash(entry);
        let mut change = Change {
            op: Op::Create,
            kind: Kind::Document,
            key: entry.key.clone(),
            of: entry.of.clone(),
            collection: Some(entry.collection.clone()),
            source: Some(entry.source_key.clone()),
            title: entry.title.clone(),
            slug: entry.slug.clone(),
            remote: None,
            was: None,
            payload: Some(payload.to_string()),
            revision: Some(document.revision.clone()),
            fields: Vec::new(),
            note: None,
            over: None,
        };
        let Some(was) = was.filter(|w| w.remote.is_some()) else {
            if was.is_some_and(|w| w.state == DeliveryState::Refused && w.payload == Some(payload)) {
                self.hold(
                    &entry.key,
                    document,
                    Hold::Refused,
                    "see the quarantine file",
                    Vec::new(),
                );
                return Ok(None);
            }
            if let Some((id, ours)) = self
                .memory
                .stray(Kind::Document, &entry.of, &entry.key, &entry.slug)
            {
                if !ours {
                    let note = format!("`{}` is #{id} in the CMS", entry.slug);
                    self.hold(&entry.key, document, Hold::SlugTaken, &note, Vec::new());
                    return Ok(None);
                }
                change.op = Op::Update;
                change.note = Some(format!("adopts #{id}, which has its key"));
                change.remote = Some(id);
                self.counts.update += 1;
                return Ok(Some(Some(change)));
            }
            self.counts.create += 1;
            return Ok(Some(Some(change)));
        };
        if was.state == DeliveryState::Live {
            *self.live.entry(was.of.clone()).or_default() += 1;
        }
        match self.memory.presence(was) {
            Presence::Drifted(fields, seen) => match self.meaning(document, entry) {
                Drift::Hold => {
                    let note = format!("#{}", was.remote.as_deref().unwrap_or("?"));
                    self.hold(&entry.key, document, Hold::Drift, &note, fields);
                    return Ok(None);
                }
                Drift::Theirs => {
                    self.counts.theirs += 1;
                    return Ok(None);
                }
                how @ (Drift::Ours | Drift::FieldMerge) => {
                    let edited: Vec<&str> = fields.iter().map(|f| f.field.as_str()).collect();
                    let what = if how == Drift::Ours {
                        "replaces what was changed in the CMS"
                    } else {
                        "keeps what was changed in the CMS"
                    };
                    change.op = Op::Update;
                    change.remote.clone_from(&was.remote);
                    change.was = was.payload.map(|p| p.to_string());
                    change.note = Some(format!("{what}: {}", edited.join(", ")));
                    change.fields = self.differences(Kind::Document, &entry.key, entry)?;
                    let seen = seen.to_string();
                    change.over = Some(Over { how, seen });
                    self.counts.update += 1;
                    return Ok(Some(Some(change)));
                }
            },
            Presence::Missing => {
                let note = format!("#{} is not there any more", was.remote.as_deref().unwrap_or("?"));
                self.hold(&entry.key, document, Hold::Removed, &note, Vec::new());
                return Ok(None);
            }
            Presence::Ours | Presence::Unknown => {}
        }
        change.remote.clone_from(&was.remote);
        change.was = was.payload.map(|p| p.to_string());
        if was.payload == Some(payload) && was.state == DeliveryState::Live {
            self.counts.unchanged += 1;
            return Ok(Some(None));
        }
        change.op = Op::Update;
        change.note = match was.state {
            DeliveryState::Staged => Some("not public yet".into()),
            DeliveryState::Retired => Some("comes back".into()),
            DeliveryState::Intent => Some("was being written when the last run ended".into()),
            _ => None,
        };
        change.fields = self.differences(Kind::Document, &entry.key, entry)?;
        self.counts.update += 1;
        Ok(Some(Some(change)))
    }

    /// What an editor's change of this entry means.
    fn meaning(&self, document: &Document, entry: &Entry) -> Drift {
        let path = format!("{}/{}", document.collection, document.source_key);
        let names = [document.source_key.as_str(), &path, &entry.slug, &entry.key];
        let rule = self.mapper.rules().find(|r| r.collection == document.collection);
        self.edits
            .of(&names)
            .or_else(|| rule.and_then(|r| r.drift))
            .unwrap_or(self.mapper.target().drift)
    }

    fn differences(
        &self,
        kind: Kind,
        key: &str,
        now: &impl Serialize,
    ) -> Result<Vec<FieldDiff>, LedgerError> {
        let Some(before) = self.memory.pushed(kind, key)? else {
            return Ok(Vec::new());
        };
        let mut after = serde_json::to_value(now).unwrap_or_default();
        let mut before = before;
        readable(&mut before, &mut after);
        Ok(field_diffs(&before, &after))
    }

    fn hold(&mut self, key: &str, document: &Document, reason: Hold, note: &str, fields: Vec<FieldDiff>) {
        self.hold_of(key, Of::from(document), reason, note, fields);
    }

    fn hold_of(&mut self, key: &str, of: Of<'_>, reason: Hold, note: &str, fields: Vec<FieldDiff>) {
        self.counts.hold += 1;
        self.decided.push(Decided::Hold(Held {
            key: key.to_owned(),
            source: of.source.to_owned(),
            title: of.title.to_owned(),
            reason,
            note: note.to_owned(),
            fields,
        }));
    }

    /// A page that the portal does not have any more.
    fn gone(&mut self, of: Of<'_>, was: &Delivery, misses: u32) -> Result<(), LedgerError> {
        if was.state == DeliveryState::Retired || self.retire.action == RetireAction::Keep {
            self.counts.unchanged += 1;
            return Ok(());
        }
        *self.live.entry(was.of.clone()).or_default() += 1;
        if misses < self.retire.after_misses {
            let note = format!("missed {misses} of {} times", self.retire.after_misses);
            self.hold_of(&was.key, of, Hold::NotGoneYet, &note, Vec::new());
        } else if !was.ours {
            self.hold_of(&was.key, of, Hold::NotOurs, "the page is gone", Vec::new());
        } else {
            match self.memory.presence(was) {
                Presence::Missing => self.counts.unchanged += 1,
                Presence::Drifted(fields, _) => {
                    self.hold_of(&was.key, of, Hold::Drift, "the page is gone", fields)
                }
                Presence::Ours | Presence::Unknown => {
                    *self.retired.entry(was.of.clone()).or_default() += 1;
                    self.decided.push(Decided::Retire(Change {
                        op: Op::Retire,
                        kind: Kind::Document,
                        key: was.key.clone(),
                        of: was.of.clone(),
                        collection: of.collection.map(str::to_owned),
                        source: Some(of.source.to_owned()),
                        title: of.title.to_owned(),
                        slug: was.slug.clone().unwrap_or_default(),
                        remote: was.remote.clone(),
                        was: was.payload.map(|p| p.to_string()),
                        payload: None,
                        revision: None,
                        fields: Vec::new(),
                        note: Some(format!("the page was gone in {misses} runs")),
                        over: None,
                    }));
                }
            }
        }
        Ok(())
    }

    fn term(&mut self, term: &Term, document: &Document) -> Result<(), LedgerError> {
        if self.seen.insert(&term.key)
            && let Some(change) = self.simple(
                Kind::Term,
                &term.key,
                &term.taxonomy,
                &term.name,
                &term.slug,
                payload_hash(term),
                term,
                document,
            )?
        {
            self.counts.terms += 1;
            self.decided.push(Decided::Term(change));
        }
        Ok(())
    }

    fn asset(&mut self, asset: &Asset, document: &Document) -> Result<(), LedgerError> {
        if self.seen.insert(&asset.key)
            && let Some(change) = self.simple(
                Kind::Media,
                &asset.key,
                "media",
                &asset.filename,
                &asset.slug(),
                payload_hash(asset),
                asset,
                document,
            )?
        {
            self.counts.media += 1;
            self.decided.push(Decided::Media(change));
        }
        Ok(())
    }

    /// A term or a file: made if it is not there, changed if its payload did.
    #[expect(clippy::too_many_arguments, reason = "the parts of one change")]
    fn simple(
        &self,
        kind: Kind,
        key: &str,
        of: &str,
        title: &str,
        slug: &str,
        payload: CaptureId,
        now: &impl Serialize,
        document: &Document,
    ) -> Result<Option<Change>, LedgerError> {
        let was = self.memory.delivery(kind, key)?;
        let known = was.as_ref().filter(|w| w.remote.is_some());
        let lost = known.is_some_and(|w| self.memory.presence(w) == Presence::Missing);
        if let Some(known) = known
            && !lost
            && known.payload == Some(payload)
            && known.state == DeliveryState::Live
        {
            return Ok(None);
        }
        let update = known.filter(|_| !lost);
        // A file whose upload was never heard of again is not uploaded twice.
        let stray = match (kind, update) {
            (Kind::Media, None) => self.memory.stray(kind, of, key, slug).filter(|s| s.1),
            _ => None,
        };
        Ok(Some(Change {
            op: if update.is_some() || stray.is_some() {
                Op::Update
            } else {
                Op::Create
            },
            kind,
            key: key.to_owned(),
            of: of.to_owned(),
            collection: Some(document.collection.clone()),
            source: Some(document.id.to_string()),
            title: title.to_owned(),
            slug: slug.to_owned(),
            remote: update.and_then(|w| w.remote.clone()).or(stray.map(|s| s.0)),
            was: known.and_then(|w| w.payload).map(|p| p.to_string()),
            payload: Some(payload.to_string()),
            revision: None,
            fields: if update.is_some() {
                self.differences(kind, key, now)?
            } else {
                Vec::new()
            },
            note: lost.then(|| "is not in the CMS any more".to_owned()),
            over: None,
        }))
    }

    /// What was delivered and is no document any more is held, never taken off by that alone. Answers some of it, after
    /// `after`, and where the rest begins; `None` at the end. Comes after all documents.
    ///
    /// # Errors
    /// What the ledger says.
    pub fn left_over(&mut self, after: &str) -> Result<Option<(Vec<Decided>, String)>, LedgerError> {
        let rows = self.memory.delivered(after)?;
        let Some(next) = rows.last().map(|r| r.key.clone()) else {
            return Ok(None);
        };
        let reason = if self.any {
            Hold::NoDocument
        } else {
            Hold::EmptySite
        };
        let mut held = Vec::new();
        for row in rows {
            let live = matches!(row.state, DeliveryState::Live | DeliveryState::Staged);
            if !live || self.seen.contains(&row.key) {
                continue;
            }
            // It was moved: the page of another document stands where it leads.
            if self.any
                && let Some(misses) = self.memory.misses(&row.key)?
            {
                let of = Of {
                    collection: None,
                    source: "",
                    title: row.slug.as_deref().unwrap_or_default(),
                };
                self.gone(of, &row, misses)?;
                continue;
            }
            self.counts.hold += 1;
            held.push(Decided::Hold(Held {
                key: row.key,
                source: String::new(),
                title: row.slug.unwrap_or_default(),
                reason,
                note: format!("#{} stays as it is", row.remote.as_deref().unwrap_or("?")),
                fields: Vec::new(),
            }));
        }
        held.append(&mut self.decided);
        Ok(Some((held, next)))
    }

    /// The head of the plan, and who judges its retirements; they are not counted yet.
    #[must_use]
    pub fn finish(self, head: Head) -> (Plan, Guard) {
        let guard = self.guard();
        let plan = Plan {
            schema: SCHEMA.into(),
            site: head.site,
            target: head.target,
            mapping: head.mapping,
            made_with: (String::new(), None),
            rules: head.rules,
            extraction: head.extraction,
            surveyed: head.surveyed,
            counts: self.counts,
        };
        (plan, guard)
    }

    /// All retirements of a type are held if they are more than the mapping allows.
    fn guard(&self) -> Guard {
        let too_many = self.retired.iter().filter_map(|(of, &count)| {
            let live = self.live.get(of).copied().unwrap_or_default().max(count);
            #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
            let share = count as f64 / live as f64;
            // A small site may lose one page whatever its share is.
            let too_many =
                count > u64::from(self.retire.max_count) || (count > 1 && share > self.retire.max_share);
            too_many.then(|| (of.clone(), format!("{count} of {live} {of}")))
        });
        Guard::of(too_many)
    }
}

/// Bodies as what is read of them, unless only their markup differs.
fn readable(before: &mut serde_json::Value, after: &mut serde_json::Value) {
    let words = |v: &serde_json::Value| shown(v["body"].as_str().unwrap_or_default()).words.join(" ");
    if before["body"] == after["body"] || before["body"].is_null() || after["body"].is_null() {
        return;
    }
    let (a, b) = (words(before), words(after));
    if a != b {
        before["body"] = a.into();
        after["body"] = b.into();
    }
}

/// What stands at the head of a plan.
#[derive(Clone, Debug)]
pub struct Head {
    /// Site of the mapping.
    pub site: String,
    /// Name of the target.
    pub target: String,
    /// Hash of the mapping.
    pub mapping: String,
    /// Hash of the target's rules.
    pub rules: String,
    /// Id of the extraction that made the documents.
    pub extraction: Option<String>,
    /// Was the target looked at?
    pub surveyed: bool,
}
