//! The run loop: frontier, fetches and the recorder, joined in one place.

use super::command::{Command, Reply};
use super::fetch::browser::Browser;
use super::fetch::http::{Http, single};
use super::fetch::traffic::Rendered;
use super::fetch::{Answer, End, Fetcher};
use super::frontier::{Frontier, Settled};
use super::process::process;
use super::recorder::Recorder;
use super::verdict::soft404::Learned;
use super::{CrawlError, CrawlOptions, Event, Store, Summary};
use crate::capture::{Exchange, Walk, walk};
use crate::ledger::{Ready, UrlKind, clock};
use crate::mapping::model::{PageSource, RenderRule};
use crate::mapping::{Mapping, PageUrl};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// Time between two progress events.
const PROGRESS: Duration = Duration::from_millis(100);
/// Most stopped patterns that a summary names.
const MAX_TRAPS: usize = 100;

/// Crawls the site of `mapping` into `store`, or continues to. What fails is in the ledger; an error means that the crawl
/// cannot go on. Everything that was reported as captured is durable.
///
/// # Errors
/// See [`CrawlError`].
pub async fn run(
    mapping: Arc<Mapping>,
    store: &Store,
    options: CrawlOptions,
    on_event: impl Fn(Event),
) -> Result<Summary, CrawlError> {
    let open = {
        let (mapping, store) = (mapping.clone(), store.clone());
        move || Recorder::open(mapping, &store)
    };
    drive(mapping, open, options, on_event, None).await
}

/// Makes a new ledger at `ledger` from the archive of `store` alone, by going through it as through the answers of the site.
/// Nothing is asked of the site, and the archive stays as it is but for a torn end.
///
/// # Errors
/// See [`CrawlError`].
pub async fn rebuild(
    mapping: Arc<Mapping>,
    store: &Store,
    ledger: &Path,
    options: CrawlOptions,
    on_event: impl Fn(Event),
) -> Result<Summary, CrawlError> {
    let rules = mapping.rules();
    let largest = rules.limits.media_bytes.max(rules.limits.page_bytes);
    let open = {
        let (mapping, store, ledger) = (mapping.clone(), store.clone(), ledger.to_owned());
        move || Recorder::rebuild(mapping, &store, &ledger)
    };
    let walk = walk(&store.archive(), &rules.site.id, largest)?;
    drive(mapping, open, options, on_event, Some(walk)).await
}

async fn drive(
    mapping: Arc<Mapping>,
    open: impl FnOnce() -> Result<Recorder, CrawlError> + Send + 'static,
    options: CrawlOptions,
    on_event: impl Fn(Event),
    archive: Option<Walk>,
) -> Result<Summary, CrawlError> {
    let open = move || {
        let recorder = open()?;
        let rests = recorder.rests()?;
        Ok::<_, CrawlError>((recorder, rests))
    };
    let (recorder, rests) = tokio::task::spawn_blocking(open)
        .await
        .map_err(|_| CrawlError::Recorder)??;
    let learned = recorder.learned();
    let (commands, inbox) = mpsc::channel();
    let (outbox, replies) = unbounded_channel();
    let thread = std::thread::spawn(move || recorder.work(&inbox, &outbox));
    let began = Instant::now();
    let mut desk = Desk {
        commands,
        replies,
        on_event,
        summary: Summary::default(),
        began,
        deadline: options.max_time.and_then(|t| began.checked_add(t)),
        last_progress: None,
        options,
        mapping,
        learned,
        rests,
    };
    let result = match archive {
        None => desk.crawl().await,
        Some(walk) => desk.rebuild(walk).await,
    };
    let result = match result {
        Ok(()) => desk.finish().await,
        Err(error) => Err(error),
    };
    let summary = std::mem::take(&mut desk.summary);
    // Without its sender the thread ends; the ledger is closed and unlocked when this returns.
    drop(desk);
    let _ = tokio::task::spawn_blocking(move || thread.join()).await;
    result.map(|()| summary)
}

/// Fetches one page of the site without ledger or archive: for authors of mappings. robots.txt is not asked.
///
/// # Errors
/// [`CrawlError::Unreachable`] if no answer comes.
pub async fn fetch_once(
    mapping: Arc<Mapping>,
    url: &PageUrl,
    options: &CrawlOptions,
) -> Result<Exchange, CrawlError> {
    let http = Http::new(mapping.clone(), options)?;
    let fetcher = Fetcher::new(http, mapping, Arc::default(), options.browser.as_deref())?;
    let mut answer = fetcher.fetch(&single(url, UrlKind::Page)).await;
    match (answer.exchanges.pop(), answer.end) {
        (Some(exchange), End::Response | End::Redirect(_) | End::Redirects(_)) => Ok(exchange),
        (_, End::Network(_, reason)) => Err(unreachable(url, reason)),
        (None, _) => Err(unreachable(url, "no answer".into())),
    }
}

/// Renders one page of the site without ledger or archive, by its `[[render]]` rule or else with the defaults: for
/// authors of mappings. robots.txt is not asked.
///
/// # Errors
/// [`CrawlError::Browser`] if there is no browser. That the page could not be had or rendered stands in the answer.
pub async fn render_once(
    mapping: Arc<Mapping>,
    url: &PageUrl,
    options: &CrawlOptions,
) -> Result<Rendered, CrawlError> {
    let http = Http::new(mapping.clone(), options)?;
    let program = options.browser.as_deref();
    let browser = Browser::new(http.clone(), mapping.clone(), Arc::default(), program)?;
    let usual = RenderRule::usual();
    let rule = mapping.render_rule(url).unwrap_or(&usual);
    let fetched = http.fetch(&single(url, UrlKind::Page)).await;
    Ok(browser.render(rule, fetched).await)
}

pub(super) fn unreachable(url: &PageUrl, reason: String) -> CrawlError {
    CrawlError::Unreachable {
        url: url.to_string(),
        reason,
    }
}

/// What the run loop has on its table.
pub(super) struct Desk<F> {
    commands: mpsc::Sender<Command>,
    pub(super) replies: UnboundedReceiver<Reply>,
    pub(super) on_event: F,
    pub(super) summary: Summary,
    pub(super) began: Instant,
    pub(super) deadline: Option<Instant>,
    last_progress: Option<Instant>,
    pub(super) options: CrawlOptions,
    pub(super) mapping: Arc<Mapping>,
    pub(super) learned: Learned,
    /// Hosts that asked for rest in an earlier run, and how long it lasts.
    pub(super) rests: Vec<(String, Duration)>,
}

impl<F: Fn(Event)> Desk<F> {
    pub(super) fn send(&mut self, command: Command) -> Result<(), CrawlError> {
        if self.commands.send(command).is_ok() {
            return Ok(());
        }
        // The recorder has ended; its last words say why.
        while let Ok(reply) = self.replies.try_recv() {
            if let Reply::Failed(error) = reply {
                return Err(error);
            }
        }
        Err(CrawlError::Recorder)
    }

    pub(super) async fn reply(&mut self) -> Result<Reply, CrawlError> {
        match self.replies.recv().await {
            Some(Reply::Failed(error)) => Err(error),
            Some(reply) => Ok(reply),
            None => Err(CrawlError::Recorder),
        }
    }

    pub(super) async fn seed(&mut self, url: PageUrl, kind: UrlKind, via: &str) -> Result<Ready, CrawlError> {
        self.send(Command::Seed(url, kind, via.to_owned()))?;
        match self.reply().await? {
            Reply::Seeded(task) => Ok(task),
            _ => Err(CrawlError::Recorder),
        }
    }

    async fn crawl(&mut self) -> Result<(), CrawlError> {
        let mapping = self.mapping.clone();
        let sources: &[PageSource] = if self.options.live {
            &[]
        } else {
            &mapping.rules().site.source
        };
        for source in sources {
            self.replay(source).await?;
        }
        if sources.is_empty() || sources.iter().any(|s| matches!(s, PageSource::Http {})) {
            self.live().await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), CrawlError> {
        let s = &self.summary;
        let outcome = if s.interrupted {
            "interrupted"
        } else if s.stonewalled.is_some() {
            "stonewalled"
        } else if s.limit_reached {
            "limit"
        } else {
            "finished"
        };
        let numbers = serde_json::json!({
            "captured": s.captured, "failed": s.failed, "rejected": s.rejected, "retries": s.retries,
            "bytes": s.bytes, "known": s.known, "asked": s.asked, "unchanged": s.unchanged, "walled": s.walled,
        });
        self.send(Command::Finish {
            outcome: outcome.into(),
            summary: numbers.to_string(),
        })?;
        self.reply().await?;
        self.progress(None, true);
        Ok(())
    }

    /// Has the run come to an end that is not the site's?
    pub(super) fn stopped(&mut self) -> bool {
        self.summary.interrupted |= self.options.cancel.is_cancelled();
        self.summary.limit_reached |= self.deadline.is_some_and(|d| Instant::now() >= d)
            || self.options.limit.is_some_and(|l| self.summary.fetched() >= l);
        self.summary.interrupted || self.summary.limit_reached
    }

    /// Processes and records one answer outside the frontier.
    pub(super) async fn record(&mut self, task: Ready, answer: Answer) -> Result<Settled, CrawlError> {
        let (mapping, learned) = (self.mapping.clone(), self.learned.clone());
        let work = move || process(&mapping, &learned, task, answer, clock::now().into());
        let result = tokio::task::spawn_blocking(work)
            .await
            .map_err(|_| CrawlError::Recorder)?;
        self.send(Command::Record(Box::new(result)))?;
        match self.reply().await? {
            Reply::Recorded {
                settled,
                events,
                known,
                ..
            } => {
                self.tell(events, known);
                Ok(settled)
            }
            _ => Err(CrawlError::Recorder),
        }
    }

    pub(super) fn tell(&mut self, events: Vec<Event>, known: u64) {
        self.summary.known = known;
        self.summary.asked += 1;
        for event in events {
            match &event {
                Event::Captured { bytes, .. } => {
                    self.summary.captured += 1;
                    self.summary.bytes += bytes;
                }
                Event::Retry { .. } => self.summary.retries += 1,
                Event::Failed { .. } => self.summary.failed += 1,
                Event::Unchanged { .. } => self.summary.unchanged += 1,
                Event::Rejected { walled, .. } => {
                    self.summary.rejected += 1;
                    self.summary.walled += u64::from(*walled);
                }
                Event::PatternStopped { pattern, rule, .. } if self.summary.traps.len() < MAX_TRAPS => {
                    self.summary.traps.push((pattern.clone(), rule.clone()));
                }
                _ => {}
            }
            (self.on_event)(event);
        }
    }

    pub(super) fn progress(&mut self, frontier: Option<&Frontier>, always: bool) {
        let now = Instant::now();
        if !always && self.last_progress.is_some_and(|l| now - l < PROGRESS) {
            return;
        }
        self.last_progress = Some(now);
        let in_flight = frontier.map_or(0, Frontier::in_flight);
        let queued = frontier.map_or(0, |f| f.held().len().saturating_sub(in_flight));
        (self.on_event)(Event::Progress {
            captured: self.summary.captured,
            known: self.summary.known,
            queued: queued as u64,
            in_flight: in_flight as u64,
            failed: self.summary.failed + self.summary.rejected,
            bytes: self.summary.bytes,
        });
    }
}
