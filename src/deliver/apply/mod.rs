//! Carries out a plan: terms, media, documents, links, publication, retirement. Everything is written between an intent and
//! its end in the journal, so that the same command after any crash goes on where the last one stopped.

mod edited;
mod items;
mod look;
mod put;
mod settle;

use super::entry::Mapper;
use super::failure::{Class, Failure};
use super::journal::{Journal, JournalError};
use super::plan::{Change, FieldDiff, Hold};
use super::planned::Planned;
use super::selection::Selection;
use super::sink::{Item, Sink};
use super::source::Source;
use crate::ledger::{DeliveryState, Ledger, LedgerError};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Which changes are carried out, and for how long.
#[derive(Clone, Default)]
pub struct Options {
    /// Documents that are delivered.
    pub documents: Selection,
    /// Most changes.
    pub limit: Option<u64>,
    /// Until when.
    pub deadline: Option<Instant>,
    /// Ctrl-C.
    pub cancel: CancellationToken,
}

/// What goes on.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A phase begins.
    Phase {
        /// Its name.
        phase: &'static str,
        /// Objects in it.
        total: u64,
    },
    /// An object is done, whatever came of it.
    Done {
        /// Its name.
        phase: &'static str,
        /// So far.
        done: u64,
    },
}

/// Why a plan cannot be carried out at all, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The plan is not of this state of things.
    #[error("the plan is stale: {0}")]
    Stale(String),
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The documents.
    #[error(transparent)]
    Source(#[from] std::io::Error),
    /// The target does not let us in, or lacks something.
    #[error("{0}")]
    Target(#[from] Failure),
}

/// What a target said no to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// Key.
    pub key: String,
    /// Title, file name or name.
    pub title: String,
    /// Why.
    pub error: String,
}

/// A field that the target shows otherwise than it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Loss {
    /// Key.
    pub key: String,
    /// Title, file name or name.
    pub title: String,
    /// Id in the target.
    pub remote: String,
    /// Which field, and how.
    pub field: String,
    /// As it was sent.
    pub ours: String,
    /// As it is shown.
    pub theirs: String,
}

/// An entry that was left alone while applying.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftAlone {
    /// Key.
    pub key: String,
    /// Title.
    pub title: String,
    /// Why.
    pub reason: Hold,
    /// What somebody else changed.
    pub fields: Vec<FieldDiff>,
}

/// What came of a plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Objects made.
    pub created: u64,
    /// Objects changed.
    pub updated: u64,
    /// Objects that were there already although no answer said so.
    pub adopted: u64,
    /// Documents made public.
    pub published: u64,
    /// Documents sent again because something that they refer to got an address.
    pub relinked: u64,
    /// Documents taken off.
    pub retired: u64,
    /// Changes that an earlier run of the same plan had carried out.
    pub already: u64,
    /// Second copies that lost answers had left, removed.
    pub duplicates: u64,
    /// Old addresses that lead to new ones, as the files of redirects say after the run.
    pub redirects: u64,
    /// What the target refused.
    pub refused: Vec<Refused>,
    /// What it shows otherwise.
    pub losses: Vec<Loss>,
    /// What was left alone.
    pub held: Vec<LeftAlone>,
    /// Changes that were not tried, by `--only`, `--limit` or because the run ended.
    pub left: u64,
    /// Did `--limit` leave some out?
    pub limited: bool,
    /// Why it ended before its end.
    pub stopped: Option<Stop>,
}

impl Applied {
    /// Writes that changed something.
    #[must_use]
    pub const fn wrote(&self) -> u64 {
        self.created + self.updated + self.adopted + self.published + self.relinked + self.retired
    }
}

/// Why a run ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// Ctrl-C.
    Interrupted,
    /// The time is over, or the number is reached.
    Limit,
    /// The secret does not open the door any more.
    Auth(String),
    /// The target fails and fails.
    Unreachable(String),
    /// The journal or the disk.
    Broken(String),
}

/// One run of a plan.
struct Run<S: Sink> {
    sink: Arc<S>,
    journal: Journal,
    source: Arc<dyn Source>,
    mapper: Arc<Mapper>,
    target: i64,
    run: i64,
    options: Options,
    /// Keys whose objects may be in the target, or half written there, although we do not know of it; with what an
    /// interrupted update had found.
    suspects: Mutex<BTreeMap<String, Option<Vec<u8>>>>,
    applied: Mutex<Applied>,
}

impl<S: Sink> Run<S> {
    fn applied(&self) -> MutexGuard<'_, Applied> {
        self.applied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn suspects(&self) -> MutexGuard<'_, BTreeMap<String, Option<Vec<u8>>>> {
        self.suspects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self, why: Stop) {
        let mut applied = self.applied();
        if applied.stopped.is_none() {
            applied.stopped = Some(why);
        }
    }

    /// Is there a reason to begin nothing more?
    fn is_over(&self) -> bool {
        if self.options.cancel.is_cancelled() {
            self.stop(Stop::Interrupted);
        } else if self.options.deadline.is_some_and(|d| d <= Instant::now()) {
            self.stop(Stop::Limit);
        }
        self.applied().stopped.is_some()
    }

    /// What a failure means for the run as a whole.
    fn note(&self, failure: &Failure) {
        if failure.class == Class::Auth {
            self.stop(Stop::Auth(failure.to_string()));
        } else if self.sink.api().pace.is_down() {
            self.stop(Stop::Unreachable(failure.to_string()));
        }
    }
}

/// What a plan is carried out with.
pub struct Job<S: Sink> {
    /// The target.
    pub sink: Arc<S>,
    /// The documents.
    pub source: Arc<dyn Source>,
    /// What makes entries of them.
    pub mapper: Arc<Mapper>,
    /// Row of the target in the ledger.
    pub target: i64,
    /// Row of the run.
    pub run: i64,
    /// Which changes, and for how long.
    pub options: Options,
}

/// Carries out `plan`. The ledger comes back with the answer.
///
/// # Errors
/// [`ApplyError`] when nothing can be done; what fails on one object is in the answer.
pub async fn apply<S: Sink>(
    job: Job<S>,
    ledger: Ledger,
    planned: &mut Planned,
    on_event: &(dyn Fn(Event) + Send + Sync),
) -> (Ledger, Result<Applied, ApplyError>) {
    let (journal, thread) = Journal::start(ledger, job.target, job.run);
    let this = Arc::new(Run {
        sink: job.sink,
        journal,
        source: job.source,
        mapper: job.mapper,
        target: job.target,
        run: job.run,
        options: job.options,
        suspects: Mutex::default(),
        applied: Mutex::default(),
    });
    let result = phases(&this, planned, on_event).await;
    let applied = this.applied().clone();
    drop(this);
    let ledger = tokio::task::spawn_blocking(move || thread.join()).await;
    match ledger {
        Ok(Ok(ledger)) => (ledger, result.map(|()| applied)),
        // The thread runs nothing but SQL; if it panicked, so do we, with what it said.
        Ok(Err(panic)) => std::panic::resume_unwind(panic),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

async fn phases<S: Sink>(
    this: &Arc<Run<S>>,
    planned: &mut Planned,
    on_event: &(dyn Fn(Event) + Send + Sync),
) -> Result<(), ApplyError> {
    let target = this.target;
    let dangling = this.journal.read(move |l| l.dangling(target)).await?;
    this.suspects()
        .extend(dangling.iter().map(|p| (p.key.clone(), p.prior.clone())));
    let mut chosen = items::choose(this, planned)?;
    items::check(this, &mut chosen).await?;
    // What an interrupted run began is looked up by whatever comes next for its key; its line ends here.
    for push in &dangling {
        this.journal.failed(push.id, "interrupted", false).await?;
    }
    // Those above come first: one after the other.
    on_event(Event::Phase {
        phase: "terms",
        total: chosen.terms.len(),
    });
    for change in chosen.terms.each()? {
        if this.is_over() {
            break;
        }
        put::change(this, &change?).await;
    }
    let one = |this: Arc<Run<S>>, change: Change| async move { put::change(&this, &change).await };
    let total = chosen.media.len();
    let mut media = chosen.media.each()?;
    // The first upload of a month makes its folder, and two of them at once stumble over each other (WordPress).
    if !this.is_over()
        && let Some(first) = media.next()
    {
        put::change(this, &first?).await;
    }
    let rest = async || Ok(media.next().transpose()?);
    pool(this, ("media", total.saturating_sub(1)), rest, on_event, one).await?;

    let size = this.sink.batch();
    if size > 1 {
        let total = chosen.batches(size);
        let mut batches = items::Batches::new(chosen.new.each()?, size);
        let next = async || Ok(batches.next().transpose()?);
        let many = |this: Arc<Run<S>>, batch: Vec<Change>| async move { put::batch(&this, &batch).await };
        pool(this, ("documents", total), next, on_event, many).await?;
    }
    let singles = if size > 1 { 0 } else { chosen.new.len() };
    let total = singles + chosen.old.len();
    let old = chosen.old.each()?;
    let mut documents = chosen
        .new
        .each()?
        .take(usize::try_from(singles).unwrap_or(usize::MAX))
        .chain(old);
    let next = async || Ok(documents.next().transpose()?);
    pool(this, ("documents", total), next, on_event, one).await?;

    let total = items::Keys::referrers(this).count().await?;
    let mut referrers = items::Keys::referrers(this);
    let next = async || referrers.next().await;
    pool(this, ("links", total), next, on_event, |this, key| async move {
        settle::relink(&this, &key).await;
    })
    .await?;
    let total = items::Keys::staged(this, &mut chosen)?.count().await?;
    {
        let mut staged = items::Keys::staged(this, &mut chosen)?;
        let next = async || staged.next().await;
        pool(this, ("publish", total), next, on_event, |this, key| async move {
            settle::publish(&this, &key).await;
        })
        .await?;
    }
    let mut suspects = items::suspects(this, &mut chosen)?.into_iter();
    let total = suspects.len() as u64;
    let next = async || Ok(suspects.next());
    pool(
        this,
        ("copies", total),
        next,
        on_event,
        |this, change| async move {
            settle::copies(&this, &change).await;
        },
    )
    .await?;
    let total = chosen.retired.len();
    let mut retired = chosen.retired.each()?;
    let next = async || Ok(retired.next().transpose()?);
    pool(
        this,
        ("retire", total),
        next,
        on_event,
        |this, change| async move {
            settle::retire(&this, &change).await;
        },
    )
    .await
}

/// Does `work` for each thing that `next` gives, some at once; how many requests are under way the pace says. A thing's key is
/// never in flight twice: the things of one phase have different keys, and one phase ends before the next begins.
async fn pool<S: Sink, T: Send + 'static, F>(
    this: &Arc<Run<S>>,
    (phase, total): (&'static str, u64),
    mut next: impl AsyncFnMut() -> Result<Option<T>, ApplyError>,
    on_event: &(dyn Fn(Event) + Send + Sync),
    work: impl Fn(Arc<Run<S>>, T) -> F,
) -> Result<(), ApplyError>
where
    F: Future<Output = ()> + Send + 'static,
{
    if total == 0 {
        return Ok(());
    }
    on_event(Event::Phase { phase, total });
    let (mut set, mut done) = (JoinSet::new(), 0);
    let mut ended = |ended: Result<(), tokio::task::JoinError>| {
        if ended.is_err_and(|e| e.is_panic()) {
            this.stop(Stop::Broken("a task panicked".into()));
        }
        done += 1;
        on_event(Event::Done { phase, done });
    };
    let pace = &this.sink.api().pace;
    pace.other_work();
    let seats = pace.seats();
    let result = loop {
        while set.len() >= seats
            && let Some(one) = set.join_next().await
        {
            ended(one);
        }
        if this.is_over() {
            break Ok(());
        }
        match next().await {
            Ok(Some(thing)) => {
                set.spawn(work(this.clone(), thing));
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    while let Some(one) = set.join_next().await {
        ended(one);
    }
    result
}

/// The state of an object whose payload is in the target.
fn landed(item: &Item, live: bool) -> DeliveryState {
    match &item.body {
        super::sink::Payload::Document(entry) if entry.state == "publish" && !live => DeliveryState::Staged,
        _ => DeliveryState::Live,
    }
}
