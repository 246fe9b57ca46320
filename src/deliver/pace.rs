//! How fast a CMS is written to: pauses that it asks for, and as many requests at once as make it faster.

use super::api::{Class, Failure};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests at once in the beginning. Measured: WordPress on two cores is fastest with two.
const START: usize = 2;
/// Finished requests after which the number is thought over.
const WINDOW: u32 = 40;
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

    /// A lane for one object; held until it is done with.
    pub async fn lane(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        self.lanes.clone().acquire_owned().await.ok()
    }

    /// Lanes that are open now.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.state().open
    }

    /// Waits until requests may be sent.
    pub async fn wait(&self) {
        loop {
            let until = self.state().not_before;
            if until <= Instant::now() {
                return;
            }
            tokio::time::sleep_until(until.into()).await;
        }
    }

    /// Has the CMS failed for so long that the run should end?
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.state().failures >= DOWN
    }

    /// A request was answered.
    pub fn went_well(&self) {
        self.state().failures = 0;
    }

    /// An object is done: the number of lanes follows what they gain.
    pub fn finished(&self) {
        let mut s = self.state();
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
                self.lanes.add_permits(1);
                s.before = Some((rate, true));
            }
            _ => s.before = Some((rate, false)),
        }
    }

    fn close(&self, s: &mut State) {
        if s.open > 1 {
            // A lane in use is not taken away under a request: then the next window tries again.
            if self.lanes.forget_permits(1) == 1 {
                s.open -= 1;
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

/// Exponential with full jitter; begins with a fifth of the floor.
fn backoff(floor: Duration, attempt: u32) -> Duration {
    let most = (floor / 5).saturating_mul(1 << attempt.min(10)).min(LONGEST);
    most.mul_f64(fastrand::f64().mul_add(0.9, 0.1))
}
