//! The one writer: a thread that owns archive and ledger. It takes all results that wait (group commit), appends them to
//! the archive, syncs it, commits the ledger, and only then answers: a slot of the crawl is free when its page is safe.

mod sweep;

use super::Store;
use super::budget::Budgets;
use super::command::{Arrival, Command, Reopen, Reply, Standing};
use super::error::CrawlError;
use super::frontier::Settled;
use super::notes;
use super::origins::Origins;
use super::pager::Request;
use super::politeness::Policy;
use super::process::{Processed, skip};
use super::series::Sweep;
use super::verdict::Outcome;
use super::verdict::soft404::{Fingerprint, Learned};
use super::writer::{Writer, millis, offer};
use crate::capture::{ArchiveLimits, ArchiveWriter, Exchange, Location};
use crate::ledger::{Fetch, Ledger, Place, Ready, UrlId, UrlKind};
use crate::mapping::{Mapping, PageUrl};
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;
use url::Url;

/// Most results in one transaction.
const GROUP: usize = 256;

impl From<Location> for Place {
    fn from(l: Location) -> Self {
        Self {
            file: l.file,
            offset: l.offset,
            length: l.length,
        }
    }
}

impl From<Place> for Location {
    fn from(p: Place) -> Self {
        Self {
            file: p.file,
            offset: p.offset,
            length: p.length,
        }
    }
}

pub(super) struct Recorder {
    mapping: Arc<Mapping>,
    robots: Arc<Origins>,
    policy: Policy,
    ledger: Ledger,
    archive: ArchiveWriter,
    run: i64,
    known: u64,
    budgets: Budgets,
    learned: Learned,
    /// In a refresh: the handlers that were probed again.
    again: Option<HashSet<String>>,
    /// Only what may have changed is asked for.
    follows: bool,
    /// The site was crawled to its end before: what is new to us is young.
    seen: bool,
    /// Pages of handlers whose probe has not answered yet, at most [`MAX_UNJUDGED`] each.
    unjudged: HashMap<String, Vec<UrlId>>,
    /// By the place of their rules.
    sweeps: HashMap<usize, Sweep>,
}

/// Most pages of one handler that are judged again when its probe has answered.
pub(super) const MAX_UNJUDGED: usize = 1000;

pub(super) use crate::ledger::clock::now_ms;

impl Recorder {
    pub(super) fn open(mapping: Arc<Mapping>, store: &Store) -> Result<Self, CrawlError> {
        let ledger = Ledger::open(&store.ledger())?;
        let fresh = ledger.meta("site")?.is_none();
        let folder = store.archive();
        let holds_files = fs_err::read_dir(&folder).is_ok_and(|mut d| d.next().is_some());
        if fresh && holds_files {
            return Err(CrawlError::LostLedger {
                path: folder.display().to_string(),
            });
        }
        let mut archive = Self::open_archive(&mapping, store)?;
        let last = ledger.last_place()?.map(Location::from);
        archive.truncate_after(last.as_ref())?;
        Self::begin(mapping, ledger, archive, "crawl")
    }

    /// A recorder that fills a new ledger at `ledger` from what is archived.
    pub(super) fn rebuild(mapping: Arc<Mapping>, store: &Store, ledger: &Path) -> Result<Self, CrawlError> {
        let ledger = Ledger::open(ledger)?;
        let archive = Self::open_archive(&mapping, store)?;
        Self::begin(mapping, ledger, archive, "rebuild")
    }

    fn open_archive(mapping: &Mapping, store: &Store) -> Result<ArchiveWriter, CrawlError> {
        let mut limits = ArchiveLimits::new(&mapping.rules().site.id);
        if mapping.rules().politeness.robots == crate::mapping::model::Robots::Ignore {
            limits.robots = "ignore".to_owned();
        }
        Ok(ArchiveWriter::open(&store.archive(), limits)?)
    }

    fn begin(
        mapping: Arc<Mapping>,
        mut ledger: Ledger,
        archive: ArchiveWriter,
        command: &str,
    ) -> Result<Self, CrawlError> {
        let site = &mapping.rules().site.id;
        let uid = uuid::Uuid::now_v7().to_string();
        let ended =
            |r: &crate::ledger::RunRow| r.command == "crawl" && r.outcome.as_deref() == Some("finished");
        let seen = ledger.runs()?.iter().any(ended);
        let run = ledger.begin_run(&uid, command, mapping.hash(), now_ms())?;
        let mut batch = ledger.batch(run)?;
        batch.set_meta("site", site)?;
        batch.commit()?;
        let known = ledger.counts()?.known;
        let policy = Policy::from(&mapping.rules().politeness);
        let limits = &mapping.rules().limits;
        let budgets = Budgets::new(limits.pattern_urls, limits.same_pages, ledger.patterns()?);
        let learned = Learned::default();
        for probe in ledger.probes()? {
            if let Some(bytes) = probe.fingerprint {
                learned.learn(probe.handler, Fingerprint::from_bytes(&bytes), probe.proved);
            }
        }
        Ok(Self {
            budgets,
            learned,
            again: None,
            follows: false,
            seen,
            unjudged: HashMap::new(),
            sweeps: HashMap::new(),
            mapping,
            robots: Arc::new(Origins::default()),
            policy,
            ledger,
            archive,
            run,
            known,
        })
    }

    /// What was learned of the site's handlers, shared with the workers.
    pub(super) fn learned(&self) -> Learned {
        self.learned.clone()
    }

    /// Hosts that asked for rest and how long it still lasts.
    pub(super) fn rests(&self) -> Result<Vec<(String, Duration)>, CrawlError> {
        let now = now_ms();
        let rests = self.ledger.blocked_hosts()?.into_iter();
        Ok(rests
            .filter_map(|(host, until, said_at)| {
                // A clock that was set back must not make a rest longer than it was meant.
                let rest = until - now.max(said_at);
                u64::try_from(rest)
                    .ok()
                    .map(|ms| (host, Duration::from_millis(ms)))
            })
            .collect())
    }

    /// Works until the crawl lets go of its end.
    pub(super) fn work(
        mut self,
        commands: &mpsc::Receiver<Command>,
        replies: &tokio::sync::mpsc::UnboundedSender<Reply>,
    ) {
        let mut group = Vec::new();
        while let Ok(first) = commands.recv() {
            let mut next = Some(first);
            while let Some(command) = next.take() {
                let answer = match command {
                    Command::Record(result) => {
                        group.push(*result);
                        next = if group.len() < GROUP {
                            commands.try_recv().ok()
                        } else {
                            None
                        };
                        if matches!(next, Some(Command::Record(_))) {
                            continue;
                        }
                        self.record(std::mem::take(&mut group))
                    }
                    other => self.answer(other).map(|r| r.into_iter().collect()),
                };
                // A crawl that was dropped does not listen any more.
                match answer {
                    Ok(answers) => {
                        for reply in answers {
                            if replies.send(reply).is_err() {
                                return;
                            }
                        }
                    }
                    Err(error) => {
                        let _ = replies.send(Reply::Failed(error));
                        return;
                    }
                }
            }
        }
    }

    fn answer(&mut self, command: Command) -> Result<Option<Reply>, CrawlError> {
        Ok(match command {
            Command::Seed(url, kind, via) => {
                let mut batch = self.ledger.batch(self.run)?;
                let reason = if kind == UrlKind::Robots {
                    None
                } else {
                    skip(&self.mapping, &self.robots, &url, 0)
                };
                let (id, new) = batch.offer(&offer(&url, kind, &via, None, 0, reason))?;
                batch.commit()?;
                self.known += u64::from(new);
                let mut task = super::fetch::http::single(&url, kind);
                task.id = id;
                Some(Reply::Seeded(task))
            }
            Command::Seeds(urls, via) => {
                self.offer_all(&urls, &via)?;
                Some(Reply::Done)
            }
            Command::Sweep(rule) => Some(self.sweep(rule)?),
            Command::Request(method, url, body) => {
                let mark = format!("\t{method}\t{url}\n");
                let waiting = self.ledger.waiting_requests(mark.as_bytes())?.into_iter();
                let mut asked_by = waiting.filter(|task| {
                    let request = task.request.as_deref().and_then(Request::from_bytes);
                    request.is_some_and(|r| r.is_asked_by(&method, &url, &body))
                });
                Some(Reply::Ready(asked_by.next().into_iter().collect()))
            }
            Command::Arrived(arrivals) => Some(Reply::Arrived(self.arrived(&arrivals)?)),
            Command::Kept(url, exchanges, places) => {
                self.kept(&url, &exchanges, &places)?;
                Some(Reply::Done)
            }
            Command::Robots(robots) => {
                self.robots = robots;
                None
            }
            Command::Ready(held, want) => Some(Reply::Ready(self.ledger.ready(&held, want)?)),
            Command::Reopen(which) => {
                let mut batch = self.ledger.batch(self.run)?;
                match which {
                    Reopen::All => {
                        // A page that changed is compared with what the site says today of pages that are not there.
                        self.learned.forget();
                        self.again = Some(HashSet::new());
                        batch.reopen_all()?;
                    }
                    Reopen::Failed => {
                        batch.reopen_failed()?;
                    }
                    Reopen::Due { everything } => {
                        let full = millis(self.mapping.rules().sync.full_every.0);
                        let (due, since) = match everything {
                            true => (i64::MAX, i64::MAX),
                            false => (now_ms(), now_ms() - full),
                        };
                        self.follows = true;
                        batch.reopen_failed()?;
                        batch.reopen_due(due)?;
                        batch.begin_walks(since)?;
                        batch.reopen_probes()?;
                    }
                }
                batch.commit()?;
                Some(Reply::Done)
            }
            Command::Probes => {
                let waiting = self.ledger.waiting_probes()?.into_iter();
                let probes = waiting.filter_map(|(id, url)| {
                    let url = self.mapping.canonical(&Url::parse(&url).ok()?).ok()?;
                    let mut probe = super::fetch::http::single(&url, UrlKind::Probe);
                    probe.id = id;
                    Some(probe)
                });
                Some(Reply::Ready(probes.collect()))
            }
            Command::Finish { outcome, summary } => {
                self.ledger.finish_run(self.run, &outcome, &summary, now_ms())?;
                Some(Reply::Done)
            }
            Command::Record(result) => self.record(vec![*result])?.into_iter().next(),
        })
    }

    /// Tasks for saved answers, in one transaction.
    fn arrived(&mut self, arrivals: &[Arrival]) -> Result<Vec<(Ready, Standing)>, CrawlError> {
        let mut states = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            states.push(self.ledger.settled(&arrival.url.key())?);
        }
        let mut batch = self.ledger.batch(self.run)?;
        let mut all = Vec::with_capacity(arrivals.len());
        for (arrival, state) in arrivals.iter().zip(states) {
            let (url, kind) = (&arrival.url, arrival.kind);
            let reason = match kind {
                UrlKind::Page | UrlKind::Media => skip(&self.mapping, &self.robots, url, 0),
                _ => None,
            };
            let (id, new) = batch.offer(&offer(url, kind, arrival.via, None, 0, reason))?;
            self.known += u64::from(new);
            let mut task = super::fetch::http::single(url, kind);
            task.id = id;
            all.push((task, state));
        }
        batch.commit()?;
        Ok(all)
    }

    /// Remembers where exchanges stand that change nothing.
    fn kept(&mut self, url: &PageUrl, exchanges: &[Exchange], places: &[Place]) -> Result<(), CrawlError> {
        let mut batch = self.ledger.batch(self.run)?;
        let id = match batch.find(&url.key())? {
            Some(id) => id,
            None => {
                let unasked = Some("unasked");
                self.known += 1;
                batch
                    .offer(&offer(url, UrlKind::Page, "source", None, 0, unasked))?
                    .0
            }
        };
        for (exchange, place) in exchanges.iter().zip(places) {
            batch.fetch(
                id,
                &Fetch {
                    at: exchange.at.as_millisecond(),
                    status: exchange.status,
                    place: Some(place),
                    ..Fetch::default()
                },
            )?;
        }
        batch.commit()?;
        Ok(())
    }

    /// Remembers pages, in one transaction.
    fn offer_all(&mut self, urls: &[PageUrl], via: &str) -> Result<(), CrawlError> {
        let mut batch = self.ledger.batch(self.run)?;
        for url in urls {
            if self.known >= self.mapping.rules().limits.urls {
                break;
            }
            let reason = skip(&self.mapping, &self.robots, url, 0);
            let (_, new) = batch.offer(&offer(url, UrlKind::Page, via, None, 0, reason))?;
            self.known += u64::from(new);
        }
        batch.commit()?;
        Ok(())
    }

    /// Appends the exchanges of an answer, with what a ledger that is made of the archive alone must know of them.
    fn archive(&mut self, result: &mut Processed) -> Result<Vec<Place>, CrawlError> {
        if let Some(places) = result.places.take() {
            return Ok(places);
        }
        let not_modified = result.outcome == Outcome::NotModified;
        let known = match result.capture {
            None if !not_modified => None,
            _ => self.ledger.current_capture(result.task.id)?,
        };
        let before = known
            .filter(|(hash, _)| not_modified || Some(*hash) == result.capture)
            .map(|(_, place)| Location::from(place));
        let (task, answer) = (&result.task, &mut result.answer);
        let last = answer.exchanges.len().saturating_sub(1);
        let mut places = Vec::with_capacity(answer.exchanges.len());
        for (index, exchange) in answer.exchanges.iter_mut().enumerate() {
            notes::note(&mut exchange.notes, task, index < last);
            let place = match &before {
                Some(before) if index == last => self.archive.append_or_revisit(exchange, before)?,
                _ => self.archive.append(exchange)?,
            };
            places.push(Place::from(place));
        }
        Ok(places)
    }

    fn record(&mut self, mut group: Vec<Processed>) -> Result<Vec<Reply>, CrawlError> {
        let mut places = Vec::with_capacity(group.len());
        for result in &mut group {
            places.push(self.archive(result)?);
        }
        self.archive.sync()?;
        let mut batch = self.ledger.batch(self.run)?;
        let mut writer = Writer {
            mapping: &self.mapping,
            robots: &self.robots,
            policy: &self.policy,
            batch: &mut batch,
            known: self.known,
            events: Vec::new(),
            budgets: &mut self.budgets,
            unjudged: &mut self.unjudged,
            learned: &self.learned,
            again: self.again.as_mut(),
            follows: self.follows,
            seen: self.seen,
            learnt: Vec::new(),
            urgent: Vec::new(),
        };
        let mut replies = Vec::with_capacity(group.len());
        for (result, places) in group.into_iter().zip(&places) {
            let settled = writer.write(&result, places)?;
            let health = result.health();
            let mut task = result.task;
            if matches!(settled, Settled::Retry { .. }) {
                task.attempts += 1;
            }
            let (events, urgent) = (
                std::mem::take(&mut writer.events),
                std::mem::take(&mut writer.urgent),
            );
            replies.push((Box::new(task), settled, health, urgent, events));
        }
        for row in writer.budgets.changed() {
            writer.batch.set_pattern(&row)?;
        }
        let (known, learnt) = (writer.known, writer.learnt);
        batch.commit()?;
        self.known = known;
        // In a refresh there are pages of before: whoever shows nothing of its own now is not one of them.
        let proved = self.again.is_some() || self.follows;
        for (handler, fingerprint) in learnt {
            self.learned.learn(handler, fingerprint, proved);
        }
        Ok(replies
            .into_iter()
            .map(|(task, settled, health, urgent, events)| Reply::Recorded {
                task,
                settled,
                health,
                urgent,
                events,
                known,
            })
            .collect())
    }
}
