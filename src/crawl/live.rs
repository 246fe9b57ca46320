//! Reading the live site: robots.txt, start pages, and the loop from frontier to fetch to recorder and back.

use super::command::{Command, Reopen, Reply};
use super::fetch::http::Http;
use super::fetch::{End, Fetcher};
use super::frontier::{Frontier, Health, Next, Settled};
use super::origins::Origins;
use super::politeness::{Policy, quiet};
use super::process::process;
use super::recorder::now_ms;
use super::robots::Robots;
use super::run::{Desk, unreachable};
use super::series::calendar;
use super::verdict::Outcome;
use super::{CrawlError, Event};
use crate::capture::Capture;
use crate::ledger::{Ready, UrlKind, clock};
use crate::mapping::PageUrl;
use crate::mapping::model::{Discover, Robots as Obedience};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use url::Url;

/// How long a run that is stopped waits for answers that were asked for before.
const DRAIN: Duration = Duration::from_secs(10);
/// Tasks that the frontier holds at most; the rest waits in the ledger.
const WINDOW: usize = 1024;
/// Attempts to reach the site at all.
const FIRST_ATTEMPTS: u32 = 3;
/// How often the quiet hours are looked up.
const QUIET_LOOK: Duration = Duration::from_secs(5);

/// A fetched, interpreted answer; an error means that its worker ended.
type Worked = Result<super::process::Processed, tokio::task::JoinError>;

impl<F: Fn(Event)> Desk<F> {
    /// Fetches, archives and reads robots.txt of an origin.
    async fn robots(&mut self, http: &Http, url: &PageUrl) -> Result<Robots, CrawlError> {
        let task = self.seed(url.clone(), UrlKind::Robots, "robots").await?;
        let mut attempt = 0;
        loop {
            let answer = http.fetch(&task).await;
            let network = match &answer.end {
                End::Network(_, reason) => Some(reason.clone()),
                _ => None,
            };
            let last = answer.exchanges.last().cloned();
            let mut try_of = task.clone();
            try_of.attempts = attempt;
            let settled = self.record(try_of, answer).await?;
            attempt += 1;
            if let Settled::Retry { after, .. } = settled
                && attempt < FIRST_ATTEMPTS
                && after <= self.mapping.rules().politeness.give_up.0
                && !self.stopped()
            {
                let cancel = self.options.cancel.clone();
                tokio::select! {
                    () = tokio::time::sleep(after) => {}
                    () = cancel.cancelled() => {}
                }
                continue;
            }
            if let Some(reason) = network {
                return Err(unreachable(url, reason));
            }
            let agent = &self.mapping.rules().politeness.user_agent;
            return Ok(match last {
                Some(exchange) => {
                    let body = Capture::from_exchange(&exchange, 1 << 20)
                        .map(|c| c.body)
                        .unwrap_or_default();
                    Robots::from_answer(exchange.status, &body, agent)
                }
                None => Robots::deny_all(),
            });
        }
    }

    /// robots.txt of the base origin and of `site.also`; and the sitemaps that they name.
    async fn origins(&mut self, http: &Http) -> Result<(Origins, bool, Vec<String>), CrawlError> {
        let mapping = self.mapping.clone();
        let rules = mapping.rules();
        let also = rules.site.also.iter().filter_map(|o| Url::parse(o).ok());
        let (mut origins, mut sitemaps, mut silent) = (Origins::default(), Vec::new(), false);
        for (index, origin) in std::iter::once(rules.site.base.clone()).chain(also).enumerate() {
            let asked = origin.join("/robots.txt").ok();
            let Some(url) = asked.and_then(|u| mapping.canonical(&u).ok()) else {
                continue;
            };
            let robots = match self.robots(http, &url).await {
                // Without its first origin there is no site; without another one only that is missing.
                Err(CrawlError::Unreachable { .. }) if index > 0 => Robots::deny_all(),
                other => other?,
            };
            silent |= index == 0 && robots.forbids_all();
            sitemaps.extend(robots.sitemaps.iter().cloned());
            if rules.politeness.robots == Obedience::Obey {
                origins.set(&origin, robots);
            }
        }
        Ok((origins, silent, sitemaps))
    }

    pub(super) async fn live(&mut self) -> Result<(), CrawlError> {
        let mapping = self.mapping.clone();
        let rules = mapping.rules();
        Fetcher::check(&mapping, self.options.browser.as_deref())?;
        let http = Http::new(mapping.clone(), &self.options)?;
        self.send(Command::Reopen(
            match (self.options.refresh, self.options.follow) {
                (everything, true) => Reopen::Due { everything },
                (true, false) => Reopen::All,
                (false, false) => Reopen::Failed,
            },
        ))?;
        self.reply().await?;
        let mut policy = Policy::from(&rules.politeness);
        policy.delay = self.options.delay.unwrap_or(policy.delay);
        policy.concurrency = self.options.concurrency.unwrap_or(policy.concurrency).max(1);
        let mut frontier = Frontier::new(policy, WINDOW);
        let base = rules.site.base.to_string();
        let base = super::frontier::host_of(&base);
        for (host, rest) in std::mem::take(&mut self.rests) {
            if host == base && rest > rules.politeness.give_up.0 {
                return self.stonewalled(host, 0);
            }
            if host == base {
                // Also robots.txt is a request.
                self.rest(rest).await;
            }
            frontier.block(&host, rest);
        }
        self.wait_for_quiet_hours().await;
        if self.stopped() {
            return Ok(());
        }
        let (origins, silent, sitemaps) = self.origins(&http).await?;
        for (host, delay) in origins.delays() {
            frontier.slow_down(&host, delay);
        }
        if http.can_log_in() {
            http.log_in(None).await?;
        }
        let starts = mapping.start_urls();
        if !starts.is_empty() && !starts.iter().any(|u| origins.allows(u.as_url())) {
            let reason = if silent {
                "it cannot be had"
            } else {
                "by its rules"
            };
            return Err(CrawlError::RobotsForbidsAll {
                url: rules.site.base.to_string(),
                reason: reason.into(),
                silent,
            });
        }
        let origins = Arc::new(origins);
        let program = self.options.browser.as_deref();
        let fetcher = Fetcher::new(http, mapping.clone(), origins.clone(), program)?;
        self.send(Command::Robots(origins))?;
        if self.options.follow {
            self.probes(&fetcher).await?;
        }
        self.seed_starts().await?;
        let mut listed = Vec::new();
        for rule in &rules.discover {
            if let Discover::Sitemap(rule) = rule {
                listed.push(rule.url.clone());
                listed.extend(sitemaps.iter().cloned());
            }
        }
        for text in listed {
            if let Ok(url) = mapping.resolve(&rules.site.base, &text) {
                self.seed(url, UrlKind::Sitemap, "sitemap").await?;
            }
        }
        for rule in &rules.discover {
            if let Discover::Calendar(rule) = rule {
                let now = clock::now().to_zoned(mapping.timezone());
                let urls = calendar(&mapping, rule, now.date());
                self.send(Command::Seeds(urls, rule.id.clone()))?;
                self.reply().await?;
            }
        }
        self.pump(&fetcher, frontier).await
    }

    /// Asks for pages that cannot be there, before any that can: what was "not found" yesterday may look otherwise today. A
    /// probe without an answer leaves what was learned before.
    async fn probes(&mut self, fetcher: &Fetcher) -> Result<(), CrawlError> {
        self.send(Command::Probes)?;
        let Reply::Ready(probes) = self.reply().await? else {
            return Err(CrawlError::Recorder);
        };
        let rest = self
            .options
            .delay
            .unwrap_or(self.mapping.rules().politeness.delay.0);
        for probe in probes {
            if self.stopped() {
                break;
            }
            let answer = fetcher.fetch(&probe).await;
            self.record(probe, answer).await?;
            self.rest(rest).await;
        }
        Ok(())
    }

    /// Remembers the start pages.
    pub(super) async fn seed_starts(&mut self) -> Result<(), CrawlError> {
        for url in self.mapping.start_urls() {
            self.seed(url, UrlKind::Page, "start").await?;
        }
        Ok(())
    }

    /// All that pages named is fetched: what do the sweeps still want? How many numbers they asked for.
    async fn sweep(&mut self) -> Result<usize, CrawlError> {
        let mapping = self.mapping.clone();
        let mut asked = 0;
        for (index, rule) in mapping.rules().discover.iter().enumerate() {
            if !matches!(rule, Discover::Ids(_)) {
                continue;
            }
            self.send(Command::Sweep(index))?;
            if let Reply::Swept(numbers, events) = self.reply().await? {
                asked += numbers;
                let known = self.summary.known;
                self.tell(events, known);
            }
        }
        Ok(asked)
    }

    /// Waits, unless the run is to end before.
    async fn rest(&mut self, rest: Duration) {
        let cancel = self.options.cancel.clone();
        let until = Instant::now() + rest;
        let until = self.deadline.map_or(until, |d| d.min(until));
        tokio::select! {
            () = tokio::time::sleep_until(until.into()) => {}
            () = cancel.cancelled() => {}
        }
    }

    fn stonewalled(&mut self, host: String, waiting: u64) -> Result<(), CrawlError> {
        self.summary.stonewalled = Some(host.clone());
        (self.on_event)(Event::Stonewalled { host, waiting });
        Ok(())
    }

    /// Also robots.txt is not asked for in quiet hours.
    async fn wait_for_quiet_hours(&mut self) {
        let mapping = self.mapping.clone();
        let (hours, zone) = (&mapping.rules().politeness.quiet, mapping.timezone());
        let mut told = false;
        while let Some(rest) = quiet(hours, &zone, clock::now())
            && !self.stopped()
        {
            if !std::mem::replace(&mut told, true) {
                (self.on_event)(Event::Quiet { rest });
            }
            self.rest(rest.min(2 * QUIET_LOOK)).await;
        }
    }

    /// Nothing starts in quiet hours.
    fn quiet_hours(&mut self, frontier: &mut Frontier, looked: &mut Option<Instant>) {
        let hours = &self.mapping.rules().politeness.quiet;
        if hours.is_empty() || looked.is_some_and(|l| l.elapsed() < QUIET_LOOK) {
            return;
        }
        let first = looked.is_none();
        *looked = Some(Instant::now());
        if let Some(rest) = quiet(hours, &self.mapping.timezone(), clock::now()) {
            // Looked up again before it ends: the wall clock may be set meanwhile.
            frontier.pause(self.began.elapsed() + rest.min(2 * QUIET_LOOK));
            if first {
                (self.on_event)(Event::Quiet { rest });
            }
        }
    }

    fn start(&self, fetcher: &Fetcher, task: Ready, fetches: &mut JoinSet<Worked>) {
        let (fetcher, mapping, learned) = (fetcher.clone(), self.mapping.clone(), self.learned.clone());
        let work = move |task: Ready, answer, latency| {
            let (mapping, learned) = (mapping.clone(), learned.clone());
            tokio::task::spawn_blocking(move || {
                let mut processed = process(&mapping, &learned, task, answer, clock::now().into());
                processed.latency = Some(latency);
                processed
            })
        };
        fetches.spawn(async move {
            let asked = Instant::now();
            let answer = fetcher.fetch(&task).await;
            let processed = work(task, answer, asked.elapsed()).await?;
            if !processed.wants_login() || !fetcher.log_in_again(asked).await {
                return Ok(processed);
            }
            let (task, mut exchanges) = (processed.task, processed.answer.exchanges);
            let asked = Instant::now();
            let mut answer = fetcher.fetch(&task).await;
            exchanges.append(&mut answer.exchanges);
            answer.exchanges = exchanges;
            work(task, answer, asked.elapsed()).await
        });
    }

    /// The loop: frontier to fetch to recorder and, through the ledger, back to the frontier.
    async fn pump(&mut self, fetcher: &Fetcher, mut frontier: Frontier) -> Result<(), CrawlError> {
        let mut fetches: JoinSet<Worked> = JoinSet::new();
        let mut recording = 0usize;
        // Is the ledger being asked for tasks? Did it have all it could give?
        let (mut asking, mut dry) = (false, false);
        let mut looked = None;
        // Until when answers are waited for that were asked for before the run was stopped.
        let mut drained: Option<Instant> = None;
        let cancel = self.options.cancel.clone();
        loop {
            let stopped = self.stopped();
            let (mut wake, mut hopeless) = (None, None);
            if stopped && *drained.get_or_insert_with(|| Instant::now() + DRAIN) <= Instant::now() {
                fetches.abort_all();
            }
            if !stopped {
                let want = frontier.wants();
                if want > 0 && !asking && !dry {
                    self.send(Command::Ready(frontier.held().clone(), want))?;
                    asking = true;
                }
                self.quiet_hours(&mut frontier, &mut looked);
                loop {
                    // A limit counts what is in flight: it is never passed.
                    let flying = (fetches.len() + recording) as u64;
                    if self
                        .options
                        .limit
                        .is_some_and(|l| self.summary.fetched() + flying >= l)
                    {
                        break;
                    }
                    match frontier.next(self.began.elapsed()) {
                        Next::Fetch(task) => self.start(fetcher, task, &mut fetches),
                        Next::Wait(at) => {
                            wake = Some(self.began + at);
                            break;
                        }
                        Next::Stonewalled(host) => {
                            hopeless = Some(host);
                            break;
                        }
                        Next::Busy | Next::Empty => break,
                    }
                }
            }
            let idle = fetches.is_empty() && recording == 0 && !asking;
            if idle && (stopped || (dry && frontier.held().is_empty())) {
                if !stopped && self.sweep().await? > 0 {
                    dry = false;
                    continue;
                }
                return Ok(());
            }
            if idle
                && (dry || frontier.wants() == 0)
                && let Some(host) = hopeless
            {
                return self.stonewalled(host, frontier.held().len() as u64);
            }
            let drain = drained.filter(|_| !fetches.is_empty());
            let wake = [wake, self.deadline.filter(|_| !stopped), drain]
                .into_iter()
                .flatten()
                .min();
            let sleep = async {
                match wake {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                Some(result) = fetches.join_next() => {
                    if result.as_ref().is_err_and(tokio::task::JoinError::is_cancelled) {
                        continue;
                    }
                    let result = result.map_err(|_| CrawlError::Recorder)?.map_err(|_| CrawlError::Recorder)?;
                    if let Some(exchange) = result.answer.exchanges.last()
                        && let Some(address) = exchange.ip
                    {
                        frontier.same_address(super::frontier::host_of(&exchange.url), address);
                    }
                    // At once: until it is recorded, other slots would go on asking.
                    if let Outcome::Retry { after: Some(rest), .. } = &result.outcome {
                        let host = super::frontier::host_of(&result.task.url);
                        frontier.block(host, self.began.elapsed() + *rest);
                    }
                    self.send(Command::Record(Box::new(result)))?;
                    recording += 1;
                }
                reply = self.reply() => match reply? {
                    Reply::Recorded { task, settled, health, urgent, events, known } => {
                        recording -= 1;
                        dry = false;
                        self.settle(&mut frontier, *task, settled, health);
                        for task in urgent {
                            frontier.offer(task, Duration::ZERO);
                        }
                        self.tell(events, known);
                        self.progress(Some(&frontier), false);
                    }
                    Reply::Ready(tasks) => {
                        asking = false;
                        dry = tasks.is_empty();
                        let (now, elapsed) = (now_ms(), self.began.elapsed());
                        // A clock that was set back must not make a pause longer than the longest one.
                        let longest = self.mapping.rules().politeness.backoff_max.0;
                        for task in tasks {
                            let rest = u64::try_from(task.not_before - now).unwrap_or(0);
                            frontier.offer(task, elapsed + Duration::from_millis(rest).min(longest));
                        }
                    }
                    _ => {}
                },
                () = sleep => {}
                () = cancel.cancelled(), if !stopped => {}
            }
        }
    }

    fn settle(&mut self, frontier: &mut Frontier, task: Ready, settled: Settled, health: Health) {
        frontier.settle(task, settled, health, self.began.elapsed());
    }
}
