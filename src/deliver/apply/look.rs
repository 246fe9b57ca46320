//! An entry is written only as it was looked at a moment ago: whatever a CMS has us wait for, an editor's change in between is
//! seen.

use super::Run;
use crate::deliver::api;
use crate::deliver::failure::Failure;
use crate::deliver::sink::Sink;
use std::time::{Duration, Instant};

/// How old a look may be in the beginning. A CMS that takes longer than this for its answers is given twice the time at each
/// further look.
const FRESH: Duration = Duration::from_secs(2);

/// The looks at one object.
pub(super) struct Looks {
    within: Duration,
    left: u32,
}

/// One look.
pub(super) struct Look {
    at: Instant,
    within: Duration,
}

impl Looks {
    pub(super) fn new<S: Sink>(run: &Run<S>) -> Self {
        Self {
            within: FRESH,
            left: run.sink.api().retries() + 1,
        }
    }

    /// The next one, from now on.
    pub(super) fn next(&mut self) -> Look {
        let within = self.within;
        self.within *= 2;
        self.left = self.left.saturating_sub(1);
        Look {
            at: Instant::now(),
            within,
        }
    }

    /// May it be looked at once more?
    pub(super) const fn are_left(&self) -> bool {
        self.left > 0
    }
}

impl Look {
    /// Carries out a write as long as the look is fresh.
    ///
    /// # Errors
    /// What the write says; [`Class::Stale`](crate::deliver::Class::Stale) if it came too late.
    pub(super) async fn write<T>(
        &self,
        write: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        api::soon(self.at, self.within, write).await
    }
}
