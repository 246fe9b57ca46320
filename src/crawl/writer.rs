//! What one answer changes in the ledger: decided here, inside the recorder's transaction.

use super::budget::{Budgets, UNENDING, Verdict};
use super::error::CrawlError;
use super::fetch::End;
use super::frontier::Settled;
use super::origins::Origins;
use super::politeness::Policy;
use super::process::{Processed, Redirect, skip};
use super::recorder::MAX_UNJUDGED;
use super::recorder::now_ms;
use super::verdict::Outcome;
use super::verdict::soft404::{self, Fingerprint, Judgement, Learned};
use super::visits::{Met, visit_of};
use super::{Event, trap};
use crate::document::CaptureId;
use crate::ledger::{Batch, Fetch, Offer, Place, Ready, Settle, UrlId, UrlKind};
use crate::mapping::{Mapping, PageUrl};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

pub(super) fn offer<'a>(
    url: &'a PageUrl,
    kind: UrlKind,
    via: &'a str,
    parent: Option<UrlId>,
    depth: u32,
    skip: Option<&'a str>,
) -> Offer<'a> {
    Offer {
        key: url.key(),
        url: url.as_str(),
        kind,
        depth,
        hops: 0,
        via,
        parent,
        skip,
        request: None,
        list: None,
        page: 0,
        generation: 0,
    }
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 2)
}

fn soft404_handler(mapping: &Mapping, url: &str) -> Option<String> {
    let url = mapping.canonical(&url::Url::parse(url).ok()?).ok()?;
    soft404::handler(mapping, &url)
}

/// One transaction's worth of decisions.
pub(super) struct Writer<'w, 'b> {
    pub(super) mapping: &'w Mapping,
    pub(super) robots: &'w Origins,
    pub(super) policy: &'w Policy,
    pub(super) batch: &'w mut Batch<'b>,
    pub(super) known: u64,
    pub(super) events: Vec<Event>,
    pub(super) budgets: &'w mut Budgets,
    pub(super) unjudged: &'w mut HashMap<String, Vec<UrlId>>,
    pub(super) learned: &'w Learned,
    /// In a refresh: the handlers that were probed again.
    pub(super) again: Option<&'w mut HashSet<String>>,
    /// Only what may have changed is asked for.
    pub(super) follows: bool,
    /// The site was crawled to its end before.
    pub(super) seen: bool,
    /// Fingerprints of this transaction.
    pub(super) learnt: Vec<(String, Fingerprint)>,
    /// Tasks that go before all others.
    pub(super) urgent: Vec<Ready>,
}

impl Writer<'_, '_> {
    pub(super) fn write(&mut self, result: &Processed, places: &[Place]) -> Result<Settled, CrawlError> {
        let task = &result.task;
        let (status, capture) = self.fetches(result, places)?;
        if let (UrlKind::Probe, Outcome::Blocked { class, .. }) = (task.kind, &result.outcome) {
            // Who is locked out learns nothing of pages that are not there: what was learned before stands.
            self.batch.settle(task.id, &Settle::Failed(class), status, None)?;
            return Ok(Settled::Done);
        }
        if task.kind == UrlKind::Probe && !matches!(result.outcome, Outcome::Retry { .. }) {
            self.probed(result, status, capture)?;
            return Ok(Settled::Done);
        }
        if let Some(redirect) = &result.redirect {
            return self.redirected(result, redirect, status, capture);
        }
        let url = || task.url.clone();
        let before = self.batch.current_hash(task.id)?;
        let mut settled = Settled::Done;
        let refused = status >= 400 && !matches!(status, 429 | 503) && result.outcome != Outcome::Captured;
        let expired = task.kind == UrlKind::Postback && (refused || result.expired);
        match &result.outcome {
            _ if expired => self.expired(task, status)?,
            Outcome::Captured => {
                self.batch.keep_before(task.id)?;
                self.batch.met(task.id)?;
                self.batch.settle(task.id, &Settle::Done, status, capture)?;
                self.events.push(if before.is_some() && before == result.capture {
                    Event::Unchanged { url: url(), status }
                } else {
                    Event::Captured {
                        url: url(),
                        status,
                        bytes: result.bytes,
                    }
                });
                self.visited(task, visit_of(before, result.capture, self.seen))?;
                self.found(result)?;
                self.judged(result, before)?;
            }
            Outcome::NotModified => {
                self.batch.settle(task.id, &Settle::Unchanged, status, None)?;
                self.batch.end_brief_walks(task.list.unwrap_or(task.id))?;
                self.batch.met(task.id)?;
                self.visited(task, Met::Same)?;
                self.events.push(Event::Unchanged { url: url(), status });
            }
            Outcome::Gone(class) => {
                self.batch.settle(task.id, &Settle::Gone(class), status, None)?;
                // What never was there need not be looked for.
                let held = before.is_some();
                if held {
                    self.batch.missed(task.id, now_ms(), status, class, capture)?;
                }
                self.visited(task, if held { Met::Gone } else { Met::Same })?;
                self.events.push(Event::Rejected {
                    url: url(),
                    class: class.clone(),
                    walled: false,
                });
            }
            Outcome::Rejected(class) | Outcome::Blocked { class, .. } => {
                // Who is locked out today may be let in tomorrow: the next run asks again.
                let how = match &result.outcome {
                    Outcome::Blocked { .. } => Settle::Failed(class),
                    _ => {
                        self.visited(task, Met::Same)?;
                        Settle::Rejected(class)
                    }
                };
                self.batch.settle(task.id, &how, status, None)?;
                self.events.push(Event::Rejected {
                    url: url(),
                    class: class.clone(),
                    walled: before.is_some() && matches!(how, Settle::Failed(_)),
                });
            }
            Outcome::Retry { class, after } => {
                let host = super::frontier::host_of(&task.url);
                if let Some(rest) = after {
                    let now = now_ms();
                    self.batch.block_host(host, now + millis(*rest), now)?;
                }
                if task.attempts < self.policy.retries {
                    let delay = self
                        .policy
                        .backoff(task.attempts, fastrand::f64())
                        .max(after.unwrap_or(Duration::ZERO));
                    let not_before = now_ms() + millis(delay);
                    self.batch
                        .settle(task.id, &Settle::Retry(not_before, class), status, None)?;
                    self.events.push(Event::Retry {
                        url: url(),
                        class: class.clone(),
                        attempt: task.attempts + 1,
                        delay,
                    });
                    settled = Settled::Retry {
                        after: delay,
                        host_floor: *after,
                    };
                } else {
                    self.batch.settle(task.id, &Settle::Failed(class), status, None)?;
                    self.events.push(Event::Failed {
                        url: url(),
                        class: class.clone(),
                    });
                }
            }
        }
        Ok(settled)
    }

    /// Writes every exchange down; answers status and row of the last one.
    fn fetches(&mut self, result: &Processed, places: &[Place]) -> Result<(u16, Option<i64>), CrawlError> {
        let exchanges = &result.answer.exchanges;
        let mut last = (0, None);
        for (index, (exchange, place)) in exchanges.iter().zip(places).enumerate() {
            let ends = index + 1 == exchanges.len() && result.answer.end == End::Response;
            let header = |name: &str| {
                let (_, value) = exchange
                    .headers
                    .iter()
                    .find(|(n, _)| n.eq_ignore_ascii_case(name))?;
                Some(String::from_utf8_lossy(value).into_owned())
            };
            let (etag, modified) = (header("etag"), header("last-modified"));
            let (mime, disposition) = (header("content-type"), header("content-disposition"));
            let row = self.batch.fetch(
                result.task.id,
                &Fetch {
                    at: exchange.at.as_millisecond(),
                    status: exchange.status,
                    capture: result.capture.filter(|_| ends),
                    place: Some(place),
                    bytes: if ends { result.bytes } else { 0 },
                    error: None,
                    etag: etag.as_deref(),
                    last_modified: modified.as_deref(),
                    final_url: Some(exchange.url.as_str()).filter(|u| *u != result.task.url),
                    chain: if ends { &result.answer.chain } else { &[] },
                    mime: mime.as_deref(),
                    disposition: disposition.as_deref(),
                },
            )?;
            last = (exchange.status, Some(row));
        }
        if let End::Network(class, _) = &result.answer.end {
            self.batch.fetch(
                result.task.id,
                &Fetch {
                    at: now_ms(),
                    error: Some(class),
                    ..Fetch::default()
                },
            )?;
        }
        Ok(last)
    }

    fn redirected(
        &mut self,
        result: &Processed,
        to: &Redirect,
        status: u16,
        capture: Option<i64>,
    ) -> Result<Settled, CrawlError> {
        let task = &result.task;
        let limit = self.mapping.rules().limits.redirects;
        let class = match to {
            Redirect::OffSite => "redirect-off-site",
            _ if task.kind == UrlKind::Postback => {
                self.expired(task, status)?;
                return Ok(Settled::Done);
            }
            Redirect::To(..) if task.hops as usize >= limit => "too-many-redirects",
            Redirect::To(url, spelling) => {
                let kind = task.kind;
                let mut new = offer(url, kind, "redirect", Some(task.id), task.depth, None);
                new.skip = skip(self.mapping, self.robots, url, task.depth);
                new.hops = task.hops + 1;
                let (id, is_new) = self.batch.offer(&new)?;
                self.known += u64::from(is_new);
                if let Some(spelling) = spelling {
                    self.batch.alias(id, spelling)?;
                }
                let probe = match soft404_handler(self.mapping, &task.url) {
                    Some(handler) => self.batch.probe(&handler)?,
                    None => None,
                };
                if probe.is_some_and(|p| p.target == Some(id)) {
                    // Where the server sends those who ask for what is not there.
                    self.batch
                        .settle(task.id, &Settle::Gone("soft-404"), status, None)?;
                    self.visited(task, Met::Gone)?;
                    if self.batch.current_hash(task.id)?.is_some() {
                        let at = now_ms();
                        self.batch.missed(task.id, at, status, "soft-404", capture)?;
                    }
                    self.events.push(Event::Rejected {
                        url: task.url.clone(),
                        class: "soft-404".into(),
                        walled: false,
                    });
                    return Ok(Settled::Done);
                }
                if self.batch.leads_to(id, task.id, limit)? {
                    "redirect-loop"
                } else {
                    self.batch
                        .settle(task.id, &Settle::Redirected(id), status, None)?;
                    // What we hold of this address is elsewhere for good: it is not there any more.
                    if matches!(status, 301 | 308) && self.batch.holds_document(task.id)? {
                        self.batch.missed(task.id, now_ms(), status, "moved", capture)?;
                        self.visited(task, Met::Gone)?;
                    } else {
                        self.batch.met(task.id)?;
                        self.visited(task, Met::Same)?;
                    }
                    return Ok(Settled::Done);
                }
            }
        };
        self.batch
            .settle(task.id, &Settle::Rejected(class), status, None)?;
        self.visited(task, Met::Same)?;
        self.events.push(Event::Rejected {
            url: task.url.clone(),
            class: class.to_owned(),
            walled: false,
        });
        Ok(Settled::Done)
    }

    fn found(&mut self, result: &Processed) -> Result<(), CrawlError> {
        let task = &result.task;
        let depth = task.depth + 1;
        let listed = result.listed.iter().map(|(link, _)| link);
        for link in result.found.links.iter().chain(listed) {
            // Pages of a list are as deep as the list.
            let id = self.take(&link.url, link.kind, &link.via, task.id, depth)?;
            if let (Some(id), Some(spelling)) = (id, &link.spelling) {
                self.batch.alias(id, spelling)?;
            }
            if let Some(id) = id
                && task.kind == UrlKind::Sitemap
                && link.kind == UrlKind::Page
            {
                let none = BTreeMap::new();
                self.batch
                    .found(id, &link.via, task.id, task.id, 0, None, &none)?;
            }
        }
        // What this sitemap names for the first time has a row by now: else its first change would go by.
        for id in self.dated(&result.listed)? {
            self.batch.ask_again(id)?;
        }
        for list in &result.found.lists {
            self.list(task, list)?;
        }
        for pattern in &result.found.traps {
            if self.budgets.refused(pattern) {
                self.events.push(Event::PatternStopped {
                    pattern: pattern.clone(),
                    rule: UNENDING.to_owned(),
                    url: task.url.clone(),
                });
            }
        }
        Ok(())
    }

    /// What a captured page says of its pattern and handler.
    fn judged(&mut self, result: &Processed, before: Option<CaptureId>) -> Result<(), CrawlError> {
        let task = &result.task;
        let (UrlKind::Page, Some(signature)) = (task.kind, result.signature) else {
            return Ok(());
        };
        let Some(url) = url::Url::parse(&task.url)
            .ok()
            .and_then(|u| self.mapping.canonical(&u).ok())
        else {
            return Ok(());
        };
        // One page that says the same each day is no space without an end.
        if before.is_none() {
            let pattern = trap::pattern(&url);
            if let Some(rule) = self.budgets.captured(&pattern, signature) {
                self.stopped(pattern, rule, &url);
            }
        }
        let live = result.latency.is_some();
        let Some(handler) = live.then(|| soft404::handler(self.mapping, &url)).flatten() else {
            return Ok(());
        };
        match result.judgement {
            Judgement::Content => {
                if self.learned.prove(&handler) {
                    self.batch.prove(&handler)?;
                    // Pages that came before are judged again, now that the two can be told apart.
                    self.doubt(&handler)?;
                }
                return Ok(());
            }
            Judgement::Missing => return Ok(()),
            Judgement::Unknown | Judgement::Doubtful => {}
        }
        if before.is_some() && before == result.capture {
            return Ok(());
        }
        // What a site said of missing pages in an earlier run need not be what it says of them now.
        let anew = self
            .again
            .as_mut()
            .is_some_and(|probed| probed.insert(handler.clone()));
        let known = match anew {
            true => None,
            false => self.batch.probe(&handler)?,
        };
        if known.is_none()
            && let Some(asked) = soft404::nonce(self.mapping, &url)
            && skip(self.mapping, self.robots, &asked, task.depth).is_none()
        {
            let new = offer(&asked, UrlKind::Probe, "probe", Some(task.id), task.depth, None);
            let (id, is_new) = self.batch.offer(&new)?;
            if is_new || anew {
                self.batch.begin_probe(&handler, id)?;
                self.batch.reopen(id)?;
                let mut probe = super::fetch::http::single(&asked, UrlKind::Probe);
                probe.id = id;
                self.urgent.push(probe);
            }
        }
        let honest = known
            .as_ref()
            .is_some_and(|k| k.answered && k.fingerprint.is_none());
        let answered = known.is_some_and(|k| k.answered);
        if self.again.is_some() && answered && !honest {
            // The probe's answer came between this page and its record.
            self.batch.reopen_in_doubt(task.id)?;
        } else if !honest {
            let pages = self.unjudged.entry(handler).or_default();
            if pages.len() < MAX_UNJUDGED {
                pages.push(task.id);
            }
        }
        Ok(())
    }

    /// Pages of a handler that were captured before its probe had answered wait again.
    fn doubt(&mut self, handler: &str) -> Result<(), CrawlError> {
        for page in self.unjudged.remove(handler).unwrap_or_default() {
            self.batch.reopen_in_doubt(page)?;
        }
        Ok(())
    }

    /// The answer to a probe: what the server says of pages that are not there.
    fn probed(&mut self, result: &Processed, status: u16, capture: Option<i64>) -> Result<(), CrawlError> {
        let task = &result.task;
        self.batch.settle(task.id, &Settle::Done, status, capture)?;
        let Some(handler) = url::Url::parse(&task.url)
            .ok()
            .and_then(|u| self.mapping.canonical(&u).ok())
            .and_then(|u| soft404::handler(self.mapping, &u))
        else {
            return Ok(());
        };
        let target = match &result.redirect {
            Some(Redirect::To(url, _)) => {
                let kind = UrlKind::Page;
                let mut new = offer(url, kind, "redirect", Some(task.id), task.depth, None);
                new.skip = skip(self.mapping, self.robots, url, task.depth);
                let (id, is_new) = self.batch.offer(&new)?;
                self.known += u64::from(is_new);
                Some(id)
            }
            _ => None,
        };
        let bytes = result.fingerprint.as_ref().map(Fingerprint::to_bytes);
        self.batch.end_probe(&handler, bytes.as_deref(), target)?;
        match &result.fingerprint {
            Some(fingerprint) => {
                if self.again.is_some() {
                    self.doubt(&handler)?;
                }
                self.learnt.push((handler, fingerprint.clone()));
            }
            None => {
                self.unjudged.remove(&handler);
            }
        }
        Ok(())
    }

    fn stopped(&mut self, pattern: String, rule: &str, url: &PageUrl) {
        self.events.push(Event::PatternStopped {
            pattern,
            rule: rule.to_owned(),
            url: url.to_string(),
        });
    }

    fn take(
        &mut self,
        url: &PageUrl,
        kind: UrlKind,
        via: &str,
        parent: UrlId,
        depth: u32,
    ) -> Result<Option<UrlId>, CrawlError> {
        if self.known >= self.mapping.rules().limits.urls {
            return Ok(self.batch.find(&url.key())?);
        }
        if let Some(id) = self.batch.find(&url.key())? {
            return Ok(Some(id));
        }
        let mut reason = skip(self.mapping, self.robots, url, depth);
        if kind == UrlKind::Page && reason.is_none() {
            let pattern = trap::pattern(url);
            match self.budgets.offer(&pattern, trap::wanted(self.mapping, url)) {
                Verdict::Take => {}
                // Known by its pattern: a row a URL would let the trap fill the ledger.
                Verdict::Stopped => return Ok(None),
                Verdict::Stops(rule) => {
                    self.stopped(pattern, rule, url);
                    reason = Some("trap");
                }
            }
        }
        let (id, new) = self
            .batch
            .offer(&offer(url, kind, via, Some(parent), depth, reason))?;
        self.known += u64::from(new);
        Ok(Some(id))
    }
}
