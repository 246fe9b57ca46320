//! Which URL is fetched next. Sans-IO: time is an argument, nothing is awaited. The frontier holds a window of tasks; the
//! ledger holds the rest and knows which URLs were ever seen.

use super::politeness::Policy;
use crate::ledger::{Ready, UrlId};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
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

/// A heap entry: earliest first, then in the order of arrival.
type Entry = Reverse<(Duration, u64, UrlId)>;

#[derive(Default)]
struct Host {
    waiting: BinaryHeap<Entry>,
    in_flight: usize,
    /// Clock of the delay between requests.
    next_start: Duration,
    /// Clock of the backoff that the server asked for.
    blocked_until: Duration,
}

/// The window of tasks, by host.
pub struct Frontier {
    policy: Policy,
    hosts: HashMap<String, Host>,
    tasks: HashMap<UrlId, Ready>,
    leased: HashMap<UrlId, String>,
    held: HashSet<UrlId>,
    arrivals: u64,
    window: usize,
}

impl Frontier {
    /// A frontier that wants to hold about `window` tasks.
    #[must_use]
    pub fn new(policy: Policy, window: usize) -> Self {
        Self {
            policy,
            hosts: HashMap::new(),
            tasks: HashMap::new(),
            leased: HashMap::new(),
            held: HashSet::new(),
            arrivals: 0,
            window: window.max(1),
        }
    }

    /// Raises the delay between requests (Crawl-delay).
    pub fn slow_down(&mut self, delay: Duration) {
        self.policy.delay = self.policy.delay.max(delay);
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
        let host = self.hosts.entry(host_of(&task.url).to_owned()).or_default();
        host.waiting.push(Reverse((at, self.arrivals, task.id)));
        self.tasks.insert(task.id, task);
    }

    /// What to do at time `now`.
    pub fn next(&mut self, now: Duration) -> Next {
        let mut earliest: Option<Duration> = None;
        let mut best: Option<(Duration, u64, String)> = None;
        for (name, host) in &self.hosts {
            let Some(Reverse((at, arrival, _))) = host.waiting.peek() else {
                continue;
            };
            if host.in_flight >= self.policy.concurrency {
                continue;
            }
            let start = (*at).max(host.next_start).max(host.blocked_until);
            if start <= now {
                if best.as_ref().is_none_or(|b| (b.0, b.1) > (start, *arrival)) {
                    best = Some((start, *arrival, name.clone()));
                }
            } else if earliest.is_none_or(|e| start < e) {
                earliest = Some(start);
            }
        }
        if let Some((_, _, name)) = best
            && let Some(host) = self.hosts.get_mut(&name)
            && let Some(Reverse((_, _, id))) = host.waiting.pop()
            && let Some(task) = self.tasks.remove(&id)
        {
            host.in_flight += 1;
            host.next_start = now + self.policy.delay;
            self.leased.insert(id, name);
            return Next::Fetch(task);
        }
        match earliest {
            Some(at) => Next::Wait(at),
            None if self.held.is_empty() => Next::Empty,
            None => Next::Busy,
        }
    }

    /// Ends the lease of `task` (as it was leased, with what changed). `false` if it was not leased.
    pub fn settle(&mut self, task: Ready, how: Settled, now: Duration) -> bool {
        let Some(name) = self.leased.remove(&task.id) else {
            return false;
        };
        if let Some(host) = self.hosts.get_mut(&name) {
            host.in_flight = host.in_flight.saturating_sub(1);
            if let Settled::Retry {
                host_floor: Some(rest),
                ..
            } = how
            {
                host.blocked_until = host.blocked_until.max(now + rest);
            }
        }
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
}

/// Host and port of an absolute URL.
fn host_of(url: &str) -> &str {
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn policy(concurrency: usize, delay_ms: u64) -> Policy {
        Policy {
            concurrency,
            delay: Duration::from_millis(delay_ms),
            retries: 3,
            backoff: Duration::from_millis(10),
            backoff_max: Duration::from_secs(1),
        }
    }

    #[test]
    fn retry_after_is_a_floor_for_the_whole_host() {
        let mut f = Frontier::new(policy(2, 0), 10);
        f.offer(task(1, "http://a/1"), Duration::ZERO);
        f.offer(task(2, "http://a/2"), Duration::ZERO);
        let Next::Fetch(first) = f.next(Duration::ZERO) else {
            panic!()
        };
        let rest = Duration::from_secs(7);
        assert!(f.settle(
            first,
            Settled::Retry {
                after: Duration::ZERO,
                host_floor: Some(rest)
            },
            Duration::ZERO
        ));
        assert_eq!(f.next(Duration::ZERO), Next::Wait(rest));
        assert!(matches!(f.next(rest), Next::Fetch(_)));
    }

    proptest! {
        /// Any clock, any hosts, any failures: no task twice in flight or fetched after it was done, the gap and the
        /// concurrency kept, every task settled in the end.
        #[test]
        fn polite_and_complete(
            concurrency in 1usize..4,
            delay in 0u64..50,
            tasks in proptest::collection::vec((0u8..3, 0u8..3), 1..40),
            steps in proptest::collection::vec(0u64..40, 0..200),
        ) {
            let mut f = Frontier::new(policy(concurrency, delay), 1000);
            let mut left: HashMap<UrlId, u8> = HashMap::new();
            for (i, (host, failures)) in tasks.iter().enumerate() {
                let id = i64::try_from(i).unwrap();
                let url = format!("http://h{host}/{i}");
                prop_assert!(f.offer(task(id, &url), Duration::ZERO));
                prop_assert!(!f.offer(task(id, "http://h0/again"), Duration::ZERO));
                left.insert(UrlId(id), *failures);
            }
            let mut now = Duration::ZERO;
            let mut last: HashMap<String, Duration> = HashMap::new();
            let mut flying: Vec<Ready> = Vec::new();
            let mut steps = steps.into_iter();
            loop {
                match f.next(now) {
                    Next::Fetch(t) => {
                        let host = host_of(&t.url).to_owned();
                        prop_assert!(left.contains_key(&t.id));
                        prop_assert!(flying.iter().all(|o| o.id != t.id));
                        prop_assert!(flying.iter().filter(|o| host_of(&o.url) == host).count() < concurrency);
                        if let Some(before) = last.insert(host, now) {
                            prop_assert!(now - before >= Duration::from_millis(delay));
                        }
                        flying.push(t);
                    }
                    Next::Empty => break,
                    other => {
                        if let Some(mut t) = (!flying.is_empty()).then(|| flying.remove(0)) {
                            let failures = left.get_mut(&t.id).unwrap();
                            let how = if *failures > 0 {
                                *failures -= 1;
                                t.attempts += 1;
                                Settled::Retry { after: Duration::from_millis(5), host_floor: None }
                            } else {
                                left.remove(&t.id);
                                Settled::Done
                            };
                            prop_assert!(f.settle(t.clone(), how, now));
                            prop_assert!(!f.settle(t, Settled::Done, now));
                        } else if let Next::Wait(at) = other {
                            prop_assert!(at > now);
                        }
                        now += Duration::from_millis(steps.next().unwrap_or(7));
                    }
                }
            }
            prop_assert!(left.is_empty());
            prop_assert_eq!(f.in_flight(), 0);
        }
    }
}
