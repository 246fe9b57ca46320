//! Reading what is saved already: the mapping's folders and WARC files, and our own archive when a ledger is made of it
//! again. Answers are recorded in groups, in the order in which they were given.

use super::command::{Arrival, Command, Reply, Standing};
use super::error::CrawlError;
use super::fetch::{Answer, End};
use super::origins::Origins;
use super::process::{Processed, process};
use super::robots::Robots;
use super::run::Desk;
use super::{Event, notes, replay};
use crate::capture::{Capture, CaptureError, Exchange, Location};
use crate::ledger::{Place, Ready, UrlKind, UrlState};
use crate::mapping::PageUrl;
use crate::mapping::model::{PageSource, Robots as Obedience};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use url::Url;

/// Answers of one group at most, and bytes of their bodies.
const GROUP: usize = 64;
const GROUP_BYTES: usize = 16 << 20;
/// Exchanges of one answer at most.
const MAX_EXCHANGES: usize = 400;
/// Most problems of saved pages that are told one by one.
const MAX_SOURCE_PROBLEMS: usize = 100;

/// One exchange, and where it stands if that is our own archive.
type Saved = Result<(Exchange, Option<Location>), CaptureError>;

/// All exchanges of one answer.
struct Group {
    url: PageUrl,
    kind: UrlKind,
    answer: Answer,
    places: Option<Vec<Place>>,
    depth: u32,
    hops: u32,
    at: SystemTime,
}

impl Group {
    fn bytes(&self) -> usize {
        self.answer.exchanges.iter().map(|e| e.body.len()).sum()
    }

    /// Must everything before it be recorded first? Forms and endpoints answer what a list left in the ledger.
    fn is_alone(&self) -> bool {
        let Some(first) = self.answer.exchanges.first() else {
            return true;
        };
        let said = notes::kind(&first.notes);
        let usual = match said {
            Some(kind) => matches!(kind, UrlKind::Page | UrlKind::Media),
            None => is_of(first, b"html") || is_of(first, b"image/"),
        };
        first.method != "GET" || !usual
    }
}

fn is_of(exchange: &Exchange, kind: &[u8]) -> bool {
    exchange.headers.iter().any(|(n, v)| {
        n.eq_ignore_ascii_case("content-type")
            && v.to_ascii_lowercase().windows(kind.len()).any(|w| w == kind)
    })
}

impl<F: Fn(Event)> Desk<F> {
    /// Reads a source of the mapping.
    pub(super) async fn replay(&mut self, source: &PageSource) -> Result<(), CrawlError> {
        let Some(saved) = replay::open(&self.mapping, source)? else {
            return Ok(());
        };
        self.read_saved(saved.map(|e| e.map(|e| (e, None))), false).await
    }

    /// Reads our own archive into an empty ledger.
    pub(super) async fn rebuild(&mut self, walk: crate::capture::Walk) -> Result<(), CrawlError> {
        self.read_saved(walk.map(|e| e.map(|(place, e)| (e, Some(place)))), true)
            .await
    }

    async fn read_saved(&mut self, saved: impl Iterator<Item = Saved>, ours: bool) -> Result<(), CrawlError> {
        let mut saved = saved;
        let mut chunk: Vec<Group> = Vec::new();
        let (mut keys, mut bytes) = (HashSet::new(), 0);
        let mut origins = Origins::default();
        let mut started = !ours;
        while !self.stopped() {
            let Some(group) = self.group(&mut saved) else {
                break;
            };
            let group = match group {
                Ok(Some(group)) => group,
                Ok(None) => continue,
                Err(problem) => {
                    self.problem(problem);
                    continue;
                }
            };
            if ours && group.kind == UrlKind::Robots {
                self.know_robots(&group, &mut origins)?;
            } else if !started {
                // In the place where a crawl has them: behind robots.txt.
                started = true;
                self.seed_starts().await?;
            }
            let alone = group.is_alone();
            if alone || chunk.len() >= GROUP || bytes >= GROUP_BYTES || !keys.insert(group.url.key()) {
                self.flush(std::mem::take(&mut chunk), ours).await?;
                keys.clear();
                keys.insert(group.url.key());
                bytes = 0;
            }
            if alone {
                self.alone(group, ours).await?;
                keys.clear();
            } else {
                bytes += group.bytes();
                chunk.push(group);
            }
        }
        self.flush(chunk, ours).await
    }

    fn problem(&mut self, problem: String) {
        if self.summary.source_problems.len() < MAX_SOURCE_PROBLEMS {
            self.summary.source_problems.push(problem);
        }
    }

    /// The next answer; `Ok(None)` if it is none of this site's.
    fn group(&self, saved: &mut impl Iterator<Item = Saved>) -> Option<Result<Option<Group>, String>> {
        let (mut exchanges, mut places) = (Vec::new(), Vec::new());
        loop {
            let (exchange, place) = match saved.next()? {
                Ok(next) => next,
                Err(error) => return Some(Err(error.to_string())),
            };
            places.extend(place.map(Place::from));
            let more = notes::get(&exchange.notes, notes::MORE).is_some();
            exchanges.push(exchange);
            if !more || exchanges.len() >= MAX_EXCHANGES {
                break;
            }
        }
        let (first, last) = (exchanges.first()?, exchanges.last()?);
        let Some(asked) = Url::parse(&first.url).ok() else {
            return Some(Ok(None));
        };
        let url = match self.mapping.canonical(&asked) {
            Ok(url) => url,
            // Ours once: the mapping has changed since.
            Err(error) if !places.is_empty() => return Some(Err(format!("{asked}: {error}"))),
            Err(_) => return Some(Ok(None)),
        };
        let kind = notes::kind(&first.notes).unwrap_or(if is_of(last, b"html") {
            UrlKind::Page
        } else {
            UrlKind::Media
        });
        let number = |name| {
            notes::get(&first.notes, name)
                .and_then(|n| n.parse().ok())
                .unwrap_or(0)
        };
        let end = match super::fetch::http::target(last, &Url::parse(&last.url).unwrap_or(asked)) {
            Some(to) if self.mapping.canonical(&to).is_ok_and(|to| to == url) => {
                End::Redirects("redirect-loop")
            }
            Some(to) => End::Redirect(to),
            None => End::Response,
        };
        let passed = &exchanges[..exchanges.len() - 1];
        let chain = passed
            .iter()
            .filter(|e| matches!(e.status, 300..=399))
            .map(|e| e.url.clone());
        let at = u64::try_from(last.at.as_millisecond()).unwrap_or(0);
        Some(Ok(Some(Group {
            url,
            kind,
            depth: number(notes::DEPTH),
            hops: number(notes::HOPS),
            at: SystemTime::UNIX_EPOCH + Duration::from_millis(at),
            places: (!places.is_empty()).then_some(places),
            answer: Answer {
                chain: chain.collect(),
                end,
                exchanges,
            },
        })))
    }

    fn know_robots(&mut self, group: &Group, origins: &mut Origins) -> Result<(), CrawlError> {
        let politeness = &self.mapping.rules().politeness;
        let Some(last) = group.answer.exchanges.last() else {
            return Ok(());
        };
        if politeness.robots == Obedience::Obey {
            let body = Capture::from_exchange(last, 1 << 20)
                .map(|c| c.body)
                .unwrap_or_default();
            let robots = Robots::from_answer(last.status, &body, &politeness.user_agent);
            origins.set(group.url.as_url(), robots);
            self.send(Command::Robots(Arc::new(origins.clone())))?;
        }
        Ok(())
    }

    /// An answer for which the ledger must know everything before.
    async fn alone(&mut self, group: Group, ours: bool) -> Result<(), CrawlError> {
        let Some(first) = group.answer.exchanges.first() else {
            return Ok(());
        };
        // The list page that asked for it was read before; it left the task in the ledger.
        self.send(Command::Request(
            first.method.clone(),
            first.url.clone(),
            first.request_body.clone(),
        ))?;
        let task = match self.reply().await? {
            Reply::Ready(tasks) => tasks.into_iter().next(),
            _ => return Err(CrawlError::Recorder),
        };
        if let Some(task) = task {
            return self.record_all(vec![(task, group)], ours).await;
        }
        if first.method == "GET" && group.kind != UrlKind::Postback {
            return self.flush(vec![group], ours).await;
        }
        if let Some(places) = group.places {
            // Nothing waits for it any more, but it is in the archive.
            self.send(Command::Kept(group.url, group.answer.exchanges, places))?;
            self.reply().await?;
        }
        Ok(())
    }

    /// Records the answers that the ledger does not have.
    async fn flush(&mut self, chunk: Vec<Group>, ours: bool) -> Result<(), CrawlError> {
        if chunk.is_empty() {
            return Ok(());
        }
        let starts: Vec<PageUrl> = self.mapping.start_urls();
        let arrivals = chunk.iter().map(|group| Arrival {
            url: group.url.clone(),
            kind: group.kind,
            via: if ours && starts.contains(&group.url) {
                "start"
            } else {
                "source"
            },
        });
        self.send(Command::Arrived(arrivals.collect()))?;
        let Reply::Arrived(known) = self.reply().await? else {
            return Err(CrawlError::Recorder);
        };
        let limit = self.mapping.rules().limits.media_bytes;
        let mut wanted = Vec::with_capacity(chunk.len());
        for (group, (mut task, state)) in chunk.into_iter().zip(known) {
            task.depth = group.depth;
            task.hops = group.hops;
            if ours || is_news(&group, state, limit) {
                wanted.push((task, group));
            }
        }
        self.record_all(wanted, ours).await
    }

    async fn record_all(&mut self, all: Vec<(Ready, Group)>, ours: bool) -> Result<(), CrawlError> {
        let mut working = Vec::with_capacity(all.len());
        for (task, group) in all {
            let (mapping, learned) = (self.mapping.clone(), self.learned.clone());
            working.push(tokio::task::spawn_blocking(move || {
                let now = if ours { group.at } else { SystemTime::now() };
                let done = process(&mapping, &learned, task, group.answer, now);
                Processed {
                    // As if it came just now: then a ledger of the archive alone learns what the crawl learned.
                    latency: ours.then_some(Duration::ZERO),
                    places: group.places,
                    ..done
                }
            }));
        }
        let count = working.len();
        // What one of them teaches (how the site says that a page is missing) must not reach another that happens to be
        // read later: two readings of one archive would differ.
        let mut all = Vec::with_capacity(count);
        for work in working {
            all.push(work.await.map_err(|_| CrawlError::Recorder)?);
        }
        for done in all {
            self.send(Command::Record(Box::new(done)))?;
        }
        for _ in 0..count {
            let Reply::Recorded { events, known, .. } = self.reply().await? else {
                return Err(CrawlError::Recorder);
            };
            self.tell(events, known);
        }
        self.progress(None, false);
        Ok(())
    }
}

/// Has the ledger nothing of this answer?
fn is_news(group: &Group, state: Standing, limit: u64) -> bool {
    match state {
        None | Some((UrlState::Ready | UrlState::Failed, _)) => true,
        Some((UrlState::Done, hash)) => {
            let last = group.answer.exchanges.last();
            hash != last
                .and_then(|e| Capture::from_exchange(e, limit).ok())
                .map(|c| c.id)
        }
        Some(_) => false,
    }
}
