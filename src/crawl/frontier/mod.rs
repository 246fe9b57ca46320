//! Which URL is fetched next. Sans-IO: time is an argument, nothing is awaited. The frontier holds a window of tasks; the
//! ledger holds the rest and knows which URLs were ever seen.

mod host;
#[cfg(test)]
mod tests;

pub use host::{Breaker, Health};

use super::politeness::Policy;
use crate::ledger::{Ready, UrlId};
use host::Host;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Fetch this; settle it when its result is durable.
    Fetch(Ready),
    /// Nothing before this time; ask again then or after a settlement.
    Wait(Duration),
    /// Everything here is in flight or a host is full: ask again after a settlement.
    Busy,
    /// Nothing is here.
    Empty,
    /// All that waits belongs to hosts that answer nothing good (this is one of them): it stays for another run.
    Stonewalled(String),
}

/// How a leased task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It needs no other fetch.
    Done,
    /// It comes back after `after`; `host_floor`: its host rests that long (Retry-After).
    Retry {
        /// Delay of the task.
        after: Duration,
        /// Rest of the whole host.
        host_floor: Option<Duration>,
    },
}

/// The window of tasks, by host.
pub struct Frontier {
    policy: Policy,
    hosts: HashMap<String, Host>,
    /// Host to the key of its group, where that is another one.
    groups: HashMap<String, String>,
    addresses: HashMap<IpAddr, String>,
    tasks: HashMap<UrlId, Ready>,
    leased: HashMap<UrlId, String>,
    held: HashSet<UrlId>,
    arrivals: u64,
    window: usize,
    paused_until: Duration,
}

impl Frontier {
    /// A frontier that wants to hold about `window` tasks.
    #[must_use]
    pub fn new(policy: Policy, window: usize) -> Self {
        Self {
            policy,
            hosts: HashMap::new(),
            groups: HashMap::new(),
            addresses: HashMap::new(),
            tasks: HashMap::new(),
            leased: HashMap::new(),
            held: HashSet::new(),
            arrivals: 0,
            window: window.max(1),
            paused_until: Duration::ZERO,
        }
    }

    /// Raises the delay between requests at a host (Crawl-delay), up to the policy's longest.
    pub fn slow_down(&mut self, host: &str, delay: Duration) {
        let delay = delay.min(self.policy.delay_max);
        self.host(host).slow_down(delay);
    }

    /// No request at a host before `until`.
    pub fn block(&mut self, host: &str, until: Duration) {
        self.host(host).block(until);
    }

    /// No request at all before `until` (quiet hours).
    pub fn pause(&mut self, until: Duration) {
        self.paused_until = self.paused_until.max(until);
    }

    /// Hosts on one address are one server: they share queue and clocks from now on.
    pub fn same_address(&mut self, host: &str, address: IpAddr) {
        let key = self.key(host);
        let group = self
            .addresses
            .entry(address)
            .or_insert_with(|| key.clone())
            .clone();
        let group = self.key(&group);
        if group == key {
            return;
        }
        if let Some(moved) = self.hosts.remove(&key) {
            self.hosts.entry(group.clone()).or_default().join(moved);
        }
        for lease in self.leased.values_mut().filter(|l| **l == key) {
            group.clone_into(lease);
        }
        self.groups.insert(key, group);
    }

    /// The group of a host. Groups join at most once each, so the way ends.
    fn key(&self, host: &str) -> String {
        let mut key = host;
        while let Some(next) = self.groups.get(key) {
            key = next;
        }
        key.to_owned()
    }

    fn host(&mut self, host: &str) -> &mut Host {
        let key = self.key(host);
        self.hosts.entry(key).or_default()
    }

    /// Takes a task in; it is not fetched before `at`. `false` if it is here already.
    pub fn offer(&mut self, task: Ready, at: Duration) -> bool {
        if !self.held.insert(task.id) {
            return false;
        }
        self.push(task, at);
        true
    }

    fn push(&mut self, task: Ready, at: Duration) {
        self.arrivals += 1;
        let entry = Reverse((at, self.arrivals, task.id));
        self.host(host_of(&task.url)).waiting.push(entry);
        self.tasks.insert(task.id, task);
    }

    /// What to do at time `now`.
    pub fn next(&mut self, now: Duration) -> Next {
        let mut earliest: Option<Duration> = None;
        let mut best: Option<(Duration, u64, String)> = None;
        let (mut stonewalled, mut waiting) = (None, false);
        for (name, host) in &self.hosts {
            if host.stonewalls(&self.policy, now) {
                if !host.waiting.is_empty() {
                    stonewalled = Some(name.clone());
                }
                continue;
            }
            waiting |= !host.waiting.is_empty();
            let Some((start, arrival)) = host.start(&self.policy) else {
                continue;
            };
            let start = start.max(self.paused_until);
            if start <= now {
                if best.as_ref().is_none_or(|b| (b.0, b.1) > (start, arrival)) {
                    best = Some((start, arrival, name.clone()));
                }
            } else if earliest.is_none_or(|e| start < e) {
                earliest = Some(start);
            }
        }
        if let Some((_, _, name)) = best
            && let Some(host) = self.hosts.get_mut(&name)
            && let Some(id) = host.take(&self.policy, now)
            && let Some(task) = self.tasks.remove(&id)
        {
            self.leased.insert(id, name);
            return Next::Fetch(task);
        }
        match (earliest, stonewalled) {
            (Some(at), _) => Next::Wait(at),
            (None, Some(host)) if !waiting && self.leased.is_empty() => Next::Stonewalled(host),
            (None, _) if self.held.is_empty() => Next::Empty,
            (None, _) => Next::Busy,
        }
    }

    /// Ends the lease of `task` (as it was leased, with what changed). `false` if it was not leased.
    pub fn settle(&mut self, task: Ready, how: Settled, health: Health, now: Duration) -> bool {
        let Some(name) = self.leased.remove(&task.id) else {
            return false;
        };
        let floor = match how {
            Settled::Retry { host_floor, .. } => host_floor,
            Settled::Done => None,
        };
        self.hosts
            .entry(name)
            .or_default()
            .settle(&self.policy, health, floor, now);
        match how {
            Settled::Done => {
                self.held.remove(&task.id);
            }
            Settled::Retry { after, .. } => self.push(task, now + after),
        }
        true
    }

    /// How many tasks to bring from the ledger now; 0 while the window is more than half full.
    #[must_use]
    pub fn wants(&self) -> usize {
        if self.tasks.len() * 2 > self.window {
            0
        } else {
            self.window - self.tasks.len()
        }
    }

    /// Ids of everything here, leased or waiting.
    #[must_use]
    pub fn held(&self) -> &HashSet<UrlId> {
        &self.held
    }

    /// Tasks in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.leased.len()
    }

    /// The breaker of a host.
    #[must_use]
    pub fn breaker(&self, host: &str) -> Breaker {
        self.hosts
            .get(&self.key(host))
            .map_or(Breaker::Closed, Host::breaker)
    }
}

/// Host and port of an absolute URL.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, r)| r);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    &rest[..end]
}

#[cfg(test)]
pub(super) fn task(id: i64, url: &str) -> Ready {
    Ready {
        id: UrlId(id),
        url: url.into(),
        kind: crate::ledger::UrlKind::Page,
        depth: 0,
        hops: 0,
        attempts: 0,
        not_before: 0,
        request: None,
        list: None,
        page: 0,
        generation: 0,
        etag: None,
        last_modified: None,
    }
}
