//! Looks at a target before a plan is made: what is there, what somebody changed, what has our key without our knowing.

use super::entry::Mapper;
use super::failure::Failure;
use super::links;
use super::marks::{Mark, Marks, mark};
use super::packed::unpack;
use super::plan::{Change, FieldDiff, Memory, Presence};
use super::sink::{Listed, Sink};
use super::spool::Spool;
use crate::document::CaptureId;
use crate::ledger::{Delivery, DeliveryState, Kind, Ledger, LedgerError};
use serde_json::Value;
use std::collections::{HashMap, HashSet};
use uuid::Uuid;

/// Rows of the ledger that are read at once.
const ROWS: usize = 500;
/// Pages of a list of the target; 100 entries each.
const PAGES: usize = 100_000;

/// What was seen. It holds a line for each object of the target, so names are kept as marks.
#[derive(Debug, Default)]
pub struct Survey {
    /// Types that were looked at.
    looked: HashSet<String>,
    /// When what has a type and id was changed.
    there: HashMap<Mark, Option<Mark>>,
    /// By type and key.
    keys: HashMap<Mark, Id>,
    /// By type and slug: id, and has it a key of its own?
    slugs: HashMap<Mark, (Id, bool)>,
    drifted: HashMap<String, (Vec<FieldDiff>, CaptureId)>,
    /// Keys that were being written when a run ended: what the target shows of them may be half ours.
    open: HashSet<String>,
}

/// An id of a target. Most are numbers or UUIDs, which need no text.
#[derive(Debug)]
enum Id {
    Number(u64),
    Uuid(Uuid),
    Text(Box<str>),
}

impl Id {
    fn new(id: String) -> Self {
        match (id.parse::<u64>(), id.parse::<Uuid>()) {
            (Ok(n), _) if n.to_string() == id => Self::Number(n),
            (_, Ok(uuid)) if uuid.to_string() == id => Self::Uuid(uuid),
            _ => Self::Text(id.into()),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Uuid(uuid) => uuid.to_string(),
            Self::Text(text) => text.to_string(),
        }
    }
}

/// Mark of a name of a type.
fn named(of: &str, name: &str) -> Mark {
    mark(&format!("{of}\n{name}"))
}

/// Why a target could not be looked at.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// The target.
    #[error(transparent)]
    Target(#[from] Failure),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// What is too much for memory cannot be kept.
    #[error(transparent)]
    Disk(#[from] std::io::Error),
}

impl Survey {
    /// Lists everything of the types that the mapper writes.
    ///
    /// # Errors
    /// [`SurveyError`]
    pub async fn look<S: Sink>(
        sink: &S,
        ledger: &Ledger,
        target: Option<i64>,
        mapper: &Mapper,
    ) -> Result<Self, SurveyError> {
        let mut survey = Self::default();
        let mut types: Vec<(Kind, String)> = mapper.rules().map(|r| (Kind::Document, r.of.clone())).collect();
        types.extend(
            mapper
                .rules()
                .flat_map(|r| r.terms.keys().map(|t| (Kind::Term, t.clone()))),
        );
        types.push((Kind::Media, "media".into()));
        types.sort();
        types.dedup();
        for (kind, of) in types {
            let mut from = None;
            survey.looked.insert(of.clone());
            for _ in 0..PAGES {
                let (page, next) = sink.list(kind, &of, from).await?;
                page.into_iter().for_each(|one| survey.note(&of, one));
                match next {
                    Some(next) => from = Some(next),
                    None => break,
                }
            }
        }
        if let Some(target) = target {
            survey.open = ledger.dangling(target)?.into_iter().map(|p| p.key).collect();
            survey.drift(sink, ledger, target).await?;
        }
        Ok(survey)
    }

    fn note(&mut self, of: &str, one: Listed) {
        let keyed = one.key.is_some();
        if let Some(key) = one.key {
            self.keys
                .entry(named(of, &key))
                .or_insert_with(|| Id::new(one.id.clone()));
        }
        self.there
            .insert(named(of, &one.id), one.modified.as_deref().map(mark));
        self.slugs
            .entry(named(of, &one.slug))
            .or_insert_with(|| (Id::new(one.id), keyed));
    }

    /// Reads what was changed since we wrote it, and says what differs.
    async fn drift<S: Sink>(&mut self, sink: &S, ledger: &Ledger, target: i64) -> Result<(), SurveyError> {
        let mut after = String::new();
        loop {
            let rows = ledger.deliveries(target, Kind::Document, &after, ROWS)?;
            let Some(last) = rows.last() else { return Ok(()) };
            after.clone_from(&last.key);
            let mut touched: HashMap<String, Vec<(String, Delivery)>> = HashMap::new();
            for row in rows {
                let Some(id) = row.remote.clone() else { continue };
                if let Some(now) = self.there.get(&named(&row.of, &id))
                    && *now != row.modified.as_deref().map(mark)
                {
                    touched.entry(row.of.clone()).or_default().push((id, row));
                }
            }
            self.compare(sink, ledger, target, touched).await?;
        }
    }

    async fn compare<S: Sink>(
        &mut self,
        sink: &S,
        ledger: &Ledger,
        target: i64,
        touched: HashMap<String, Vec<(String, Delivery)>>,
    ) -> Result<(), SurveyError> {
        for (of, rows) in touched {
            for rows in rows.chunks(100) {
                let ids: Vec<String> = rows.iter().map(|r| r.0.clone()).collect();
                let current = sink.read(Kind::Document, &of, &ids).await?;
                for (id, row) in rows {
                    let Some(remote) = current.iter().find(|c| c.id == *id) else {
                        continue;
                    };
                    if row.seen == Some(remote.seen()) {
                        continue;
                    }
                    let fields = match links::pushed(ledger, target, &row.key)? {
                        Some((was, item)) => {
                            let known = links::of(ledger, target, &item)?;
                            let mut wire = links::wire(sink, &was, &item, &known);
                            links::without(&mut wire, &ledger.kept(target, &row.key)?);
                            links::different(sink, &wire, remote)
                        }
                        None => Vec::new(),
                    };
                    self.drifted.insert(row.key.clone(), (fields, remote.seen()));
                }
            }
        }
        Ok(())
    }

    /// Reads the entries that a plan would change: times of change are no finer than a second, so that an edit right after our
    /// write does not show in them. Tells whether any of them is an editor's.
    ///
    /// # Errors
    /// [`SurveyError`]
    pub async fn look_closer<S: Sink>(
        &mut self,
        sink: &S,
        ledger: &Ledger,
        target: i64,
        changes: &mut Spool<Change>,
    ) -> Result<bool, SurveyError> {
        let before = self.drifted.len();
        let (mut touched, mut rows) = (HashMap::<String, Vec<(String, Delivery)>>::new(), 0);
        for change in changes.each()? {
            let change = change?;
            if change.kind == Kind::Document
                && let Some(row) = ledger.delivery(target, Kind::Document, &change.key)?
                && let Some(id) = row.remote.clone()
            {
                touched.entry(row.of.clone()).or_default().push((id, row));
                rows += 1;
            }
            if rows == ROWS {
                rows = 0;
                self.compare(sink, ledger, target, std::mem::take(&mut touched))
                    .await?;
            }
        }
        self.compare(sink, ledger, target, touched).await?;
        Ok(self.drifted.len() > before)
    }

    /// Second entries of ours: by key, or by slug and a number. For `verify`.
    pub(super) fn copy_of(&self, row: &Delivery) -> Option<String> {
        let slug = row.slug.as_deref()?;
        let own = row.remote.as_deref()?;
        [slug.to_owned(), format!("{slug}-2"), format!("{slug}-3")]
            .into_iter()
            .filter_map(|s| self.slugs.get(&named(&row.of, &s)))
            .map(|(id, _)| id)
            .chain(self.keys.get(&named(&row.of, &row.key)))
            .map(Id::text)
            .find(|id| id != own)
    }
}

/// Ledger and survey together.
pub struct Known<'a> {
    /// The ledger.
    pub ledger: &'a Ledger,
    /// The row of the target, if anything was ever delivered there.
    pub target: Option<i64>,
    /// What was seen.
    pub survey: &'a Survey,
    /// Does a slug of ours say for sure that an entry is ours?
    pub sure: bool,
}

impl Memory for Known<'_> {
    fn delivery(&self, kind: Kind, key: &str) -> Result<Option<Delivery>, LedgerError> {
        match self.target {
            Some(target) => self.ledger.delivery(target, kind, key),
            None => Ok(None),
        }
    }

    fn pushed(&self, kind: Kind, key: &str) -> Result<Option<Value>, LedgerError> {
        let Some(target) = self.target else {
            return Ok(None);
        };
        Ok(self.ledger.pushed(target, kind, key)?.and_then(|b| unpack(&b)))
    }

    fn presence(&self, delivery: &Delivery) -> Presence {
        if !self.survey.looked.contains(&delivery.of) {
            return Presence::Unknown;
        }
        let Some(id) = &delivery.remote else {
            return Presence::Missing;
        };
        // What was being written when a run ended is nobody's change.
        match self.survey.drifted.get(&delivery.key) {
            _ if !self.survey.there.contains_key(&named(&delivery.of, id)) => Presence::Missing,
            Some((fields, seen))
                if delivery.state != DeliveryState::Intent && !self.survey.open.contains(&delivery.key) =>
            {
                Presence::Drifted(fields.clone(), *seen)
            }
            _ => Presence::Ours,
        }
    }

    fn stray(&self, kind: Kind, of: &str, key: &str, slug: &str) -> Option<(String, bool)> {
        if let Some(id) = self.survey.keys.get(&named(of, key)) {
            return Some((id.text(), true));
        }
        let (id, keyed) = self.survey.slugs.get(&named(of, slug))?;
        let meant = matches!(self.delivery(kind, key), Ok(Some(_)));
        Some((id.text(), !keyed && (self.sure || meant || kind == Kind::Media)))
    }

    fn slugs(&self) -> Result<Marks, LedgerError> {
        let mut slugs = Marks::default();
        let Some(target) = self.target else {
            return Ok(slugs);
        };
        let mut after = String::new();
        loop {
            let rows = self.ledger.deliveries(target, Kind::Document, &after, ROWS)?;
            let Some(last) = rows.last() else { return Ok(slugs) };
            after.clone_from(&last.key);
            for slug in rows.into_iter().filter_map(|r| r.slug) {
                slugs.insert(&slug);
            }
        }
    }

    fn misses(&self, key: &str) -> Result<Option<u32>, LedgerError> {
        self.ledger.misses(key.strip_prefix("doc:").unwrap_or(key))
    }

    fn delivered(&self, after: &str) -> Result<Vec<Delivery>, LedgerError> {
        match self.target {
            Some(target) => self.ledger.deliveries(target, Kind::Document, after, ROWS),
            None => Ok(Vec::new()),
        }
    }
}
