//! One host (or several on one address): its queue, its clocks, its breaker.

use crate::crawl::politeness::Policy;
use crate::ledger::UrlId;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// A heap entry: earliest first, then in the order of arrival.
pub(super) type Entry = Reverse<(Duration, u64, UrlId)>;

/// What a settled request says of its host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It answered as a healthy server does, after this time.
    Good(Duration),
    /// It did not answer, or said that it cannot (429, 5xx).
    Bad,
    /// Nothing is known: no request was made.
    Unknown,
}

/// Does the host get requests?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Breaker {
    /// Yes.
    #[default]
    Closed,
    /// Not before this time; then one, to probe it.
    Open {
        /// End of the rest.
        until: Duration,
        /// Length of the rest.
        rest: Duration,
    },
    /// The probe is in flight.
    HalfOpen {
        /// Length of the rest before it.
        rest: Duration,
    },
}

/// A latency below this is no reason to slow down, whatever the best was.
const CALM: Duration = Duration::from_millis(200);

#[derive(Default)]
pub(super) struct Host {
    pub(super) waiting: BinaryHeap<Entry>,
    pub(super) in_flight: usize,
    /// Clock of the delay between requests.
    next_start: Duration,
    /// Clock of the rest that the server asked for.
    blocked_until: Duration,
    /// `Crawl-delay`.
    crawl_delay: Duration,
    /// Moving mean of good answers.
    latency: Option<Duration>,
    /// The best mean so far.
    best: Option<Duration>,
    breaker: Breaker,
    failures: u32,
    /// Since when nothing good came.
    bad_since: Option<Duration>,
}

impl Host {
    /// When the next waiting task may start; `None` if none waits or no slot is free.
    pub(super) fn start(&self, policy: &Policy) -> Option<(Duration, u64)> {
        let Reverse((at, arrival, _)) = self.waiting.peek()?;
        let (slots, rest) = match self.breaker {
            Breaker::Closed => (policy.concurrency, Duration::ZERO),
            Breaker::Open { until, .. } => (1, until),
            Breaker::HalfOpen { .. } => return None,
        };
        if self.in_flight >= slots {
            return None;
        }
        let start = (*at).max(self.next_start).max(self.blocked_until).max(rest);
        Some((start, *arrival))
    }

    /// Takes the next task at `now`; [`Host::start`] said that it may.
    pub(super) fn take(&mut self, policy: &Policy, now: Duration) -> Option<UrlId> {
        let Reverse((_, _, id)) = self.waiting.pop()?;
        self.in_flight += 1;
        self.next_start = now + self.delay(policy);
        if let Breaker::Open { rest, .. } = self.breaker {
            self.breaker = Breaker::HalfOpen { rest };
        }
        Some(id)
    }

    /// Time between two starts: the mapping's or robots.txt's, longer in the measure in which answers became slower.
    pub(super) fn delay(&self, policy: &Policy) -> Duration {
        let base = policy.delay.max(self.crawl_delay);
        let longest = policy.delay_max.max(policy.delay);
        match (self.latency, self.best) {
            (Some(latency), Some(best)) if policy.adaptive && !base.is_zero() => {
                let slower = latency.as_secs_f64() / best.max(CALM).as_secs_f64();
                base.mul_f64(slower.clamp(1.0, 1000.0)).min(longest.max(base))
            }
            _ => base,
        }
    }

    pub(super) fn settle(&mut self, policy: &Policy, health: Health, floor: Option<Duration>, now: Duration) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if let Some(rest) = floor {
            self.block(now + rest);
        }
        match health {
            Health::Good(latency) => {
                let mean = self.latency.map_or(latency, |old| (old * 7 + latency * 3) / 10);
                self.latency = Some(mean);
                self.best = Some(self.best.map_or(mean, |b| b.min(mean)));
                (self.failures, self.bad_since) = (0, None);
                self.breaker = Breaker::Closed;
            }
            Health::Bad => {
                self.failures = self.failures.saturating_add(1);
                self.bad_since.get_or_insert(now);
                self.breaker = match self.breaker {
                    Breaker::Closed if policy.breaker > 0 && self.failures >= policy.breaker => {
                        Breaker::Open {
                            until: now + policy.rest,
                            rest: policy.rest,
                        }
                    }
                    Breaker::HalfOpen { rest } => {
                        let rest = (rest * 2).min(policy.backoff_max.max(policy.rest));
                        Breaker::Open {
                            until: now + rest,
                            rest,
                        }
                    }
                    other => other,
                };
            }
            // A probe that never went out is still owed.
            Health::Unknown => {
                if let Breaker::HalfOpen { rest } = self.breaker {
                    self.breaker = Breaker::Open { until: now, rest };
                }
            }
        }
    }

    pub(super) fn block(&mut self, until: Duration) {
        self.blocked_until = self.blocked_until.max(until);
    }

    pub(super) fn slow_down(&mut self, delay: Duration) {
        self.crawl_delay = self.crawl_delay.max(delay);
    }

    /// Is it hopeless in this run? Nothing good for too long, or a rest that outlasts our patience.
    pub(super) fn stonewalls(&self, policy: &Policy, now: Duration) -> bool {
        self.in_flight == 0
            && (self.blocked_until.saturating_sub(now) > policy.give_up
                || self.bad_since.is_some_and(|since| now - since > policy.give_up))
    }

    pub(super) fn breaker(&self) -> Breaker {
        self.breaker
    }

    /// Takes over another host that turned out to be the same server.
    pub(super) fn join(&mut self, mut other: Self) {
        self.waiting.append(&mut other.waiting);
        self.in_flight += other.in_flight;
        self.next_start = self.next_start.max(other.next_start);
        self.crawl_delay = self.crawl_delay.max(other.crawl_delay);
        self.block(other.blocked_until);
    }
}
