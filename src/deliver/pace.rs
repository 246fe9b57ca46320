//! How fast a CMS is written to: pauses that it asks for, and as many requests at once as make it faster.

use super::failure::{Class, Failure};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests at once in the beginning. Measured: WordPress and Directus on two cores are fastest with four, and all but as
/// fast with two or eight.
const START: usize = 4;
/// Objects in work for which no lane is meant: while their lines of the journal are synced, the lanes are not empty.
const AHEAD: usize = 2;
/// Answered requests after which the number is thought over.
const WINDOW: u32 = 24;
/// A step up that gains less than this share is taken back.
const GAIN: f64 = 1.03;
/// Longest wait of our own.
const LONGEST: Duration = Duration::from_secs(30);
/// Longest wait that a CMS may ask for in one go.
const PATIENCE: Duration = Duration::from_secs(300);
/// Failures in a row after which the CMS counts as down.
const DOWN: u32 = 40;

/// The pace of one target.
pub struct Pace {
    lanes: Arc<Semaphore>,
    state: Mutex<State>,
    floor: Duration,
}

struct State {
    open: usize,
    /// Lanes to be closed as soon as nobody is in them.
    closing: usize,
    most: usize,
    not_before: Instant,
    finished: u32,
    since: Instant,
    /// Finished a second before the last step, and was that one up?
    before: Option<(f64, bool)>,
    failures: u32,
    /// Windows to stay as it is after a step that was taken back.
    rest: u32,
}

impl Pace {
    /// At most `most` requests at once; after "too many requests" at least `floor` of rest.
    #[must_use]
    pub fn new(most: usize, floor: Duration) -> Self {
        let most = most.max(1);
        let open = START.min(most);
        let now = Instant::now();
        Self {
            lanes: Arc::new(Semaphore::new(open)),
            state: Mutex::new(State {
                open,
                closing: 0,
                most,
                not_before: now,
                finished: 0,
                since: now,
                before: None,
                failures: 0,
                rest: 0,
            }),
            floor,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The right to one request, as soon as requests may be sent and not too many are under way.
    pub async fn lane(&self) -> Lane<'_> {
        loop {
            self.wait().await;
            // The semaphore is never closed.
            let permit = self.lanes.clone().acquire_owned().await.ok();
            let lane = Lane { pace: self, permit };
            // While we stood in line the CMS may have asked for a pause.
            if self.state().not_before <= Instant::now() {
                return lane;
            }
        }
    }

    /// How many objects may be in work at once: those whose requests are under way, and some whose journal is written.
    #[must_use]
    pub fn seats(&self) -> usize {
        self.state().most + AHEAD
    }

    /// Waits until requests may be sent.
    async fn wait(&self) {
        loop {
            let until = self.state().not_before;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// Requests of another sort follow: how fast they are says nothing of those before.
    pub fn other_work(&self) {
        let mut s = self.state();
        (s.finished, s.since, s.before, s.rest) = (0, Instant::now(), None, 0);
    }

    /// Has the CMS failed for so long that the run should end?
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.state().failures >= DOWN
    }

    /// A request was answered: the number of lanes follows what they gain.
    pub fn went_well(&self) {
        let mut s = self.state();
        s.failures = 0;
        s.finished += 1;
        if s.finished < WINDOW {
            return;
        }
        let rate = f64::from(s.finished) / s.since.elapsed().as_secs_f64().max(1e-6);
        (s.finished, s.since) = (0, Instant::now());
        if s.rest > 0 {
            s.rest -= 1;
            s.before = None;
            return;
        }
        match s.before {
            Some((before, true)) if rate < before * GAIN && s.open > 1 => {
                self.close(&mut s);
                (s.before, s.rest) = (None, 8);
            }
            _ if s.open < s.most => {
                s.open += 1;
                if s.closing > 0 {
                    s.closing -= 1;
                } else {
                    self.lanes.add_permits(1);
                }
                s.before = Some((rate, true));
            }
            _ => s.before = Some((rate, false)),
        }
    }

    fn close(&self, s: &mut State) {
        if s.open > 1 {
            s.open -= 1;
            if self.lanes.forget_permits(1) == 0 {
                s.closing += 1;
            }
        }
    }

    /// A request failed: everybody waits, fewer go at once.
    pub fn went_wrong(&self, failure: &Failure, attempt: u32) {
        let mut s = self.state();
        let busy = matches!(failure.class, Class::RateLimited) || failure.status == 503;
        if busy || matches!(failure.class, Class::Transient | Class::Ambiguous) {
            s.failures += 1;
        }
        let own = if busy {
            // A CMS that says 0 means "less than a second".
            self.floor.max(backoff(self.floor, attempt))
        } else if matches!(failure.class, Class::Transient | Class::Ambiguous) {
            backoff(self.floor, attempt)
        } else {
            return;
        };
        let wait = failure
            .retry_after
            .map_or(own, |asked| asked.min(PATIENCE).max(own));
        s.not_before = s.not_before.max(Instant::now() + wait);
        if busy {
            self.close(&mut s);
            (s.before, s.rest) = (None, 4);
        }
    }
}

/// The right to one request; it ends with the value.
pub struct Lane<'p> {
    pace: &'p Pace,
    permit: Option<OwnedSemaphorePermit>,
}

impl Drop for Lane<'_> {
    fn drop(&mut self) {
        let mut s = self.pace.state();
        if s.closing > 0
            && let Some(permit) = self.permit.take()
        {
            s.closing -= 1;
            permit.forget();
        }
    }
}

/// Exponential with full jitter; begins with a fifth of the floor.
fn backoff(floor: Duration, attempt: u32) -> Duration {
    let most = (floor / 5).saturating_mul(1 << attempt.min(10)).min(LONGEST);
    most.mul_f64(fastrand::f64().mul_add(0.9, 0.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> Failure {
        Failure {
            status: 429,
            ..Failure::of(Class::RateLimited, "x", "slow down")
        }
    }

    /// Lanes that can be had at this moment.
    async fn free(pace: &Pace) -> usize {
        let mut held = Vec::new();
        while let Ok(lane) = tokio::time::timeout(Duration::from_millis(20), pace.lane()).await {
            held.push(lane);
        }
        held.len()
    }

    #[tokio::test]
    async fn a_lane_that_is_in_use_closes_when_its_request_ends() {
        let pace = Pace::new(2, Duration::ZERO);
        assert_eq!(free(&pace).await, 2);
        let (first, second) = (pace.lane().await, pace.lane().await);
        pace.went_wrong(&busy(), 0);
        drop(first);
        assert_eq!(free(&pace).await, 0, "one lane is left, and it is in use");
        drop(second);
        assert_eq!(free(&pace).await, 1);
        // The last one never closes.
        pace.went_wrong(&busy(), 0);
        assert_eq!(free(&pace).await, 1);
    }

    #[tokio::test]
    async fn more_lanes_open_while_they_gain() {
        let pace = Pace::new(START + 1, Duration::ZERO);
        assert_eq!(free(&pace).await, START);
        for _ in 0..WINDOW {
            pace.went_well();
        }
        assert_eq!(free(&pace).await, START + 1);
        // Nothing is faster than before: the step is taken back.
        for _ in 0..WINDOW {
            pace.went_well();
        }
        assert_eq!(free(&pace).await, START);
    }
}
