//! How long to wait: between requests, after failures, and when a server says so. Pure.

use crate::mapping::model::Politeness;
use std::time::{Duration, SystemTime};

/// How a crawl treats one host.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Requests in flight.
    pub concurrency: usize,
    /// Time between the starts of two requests.
    pub delay: Duration,
    /// Repetitions after a transient failure.
    pub retries: u32,
    /// First retry delay.
    pub backoff: Duration,
    /// Longest retry delay.
    pub backoff_max: Duration,
}

impl From<&Politeness> for Policy {
    fn from(p: &Politeness) -> Self {
        Self {
            concurrency: p.concurrency.max(1),
            delay: p.delay.0,
            retries: p.retries,
            backoff: p.backoff.0,
            backoff_max: p.backoff_max.0,
        }
    }
}

impl Policy {
    /// Delay before attempt `attempts + 1`: doubles, is capped, and is spread by `jitter` (0 to 1) over its upper half,
    /// so that many failures at one moment do not come back at one moment.
    #[must_use]
    pub fn backoff(&self, attempts: u32, jitter: f64) -> Duration {
        let factor = 1u32.checked_shl(attempts.min(31)).unwrap_or(u32::MAX);
        let full = self.backoff.saturating_mul(factor).min(self.backoff_max);
        full.mul_f64(0.5 + 0.5 * jitter.clamp(0.0, 1.0))
    }
}

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date.
#[must_use]
pub fn retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    Some(date.duration_since(now).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_is_capped_and_keeps_its_jitter_inside() {
        let policy = Policy::from(&Politeness::default());
        assert_eq!(policy.backoff(0, 1.0), Duration::from_secs(1));
        assert_eq!(policy.backoff(3, 1.0), Duration::from_secs(8));
        assert_eq!(policy.backoff(3, 0.0), Duration::from_secs(4));
        assert_eq!(policy.backoff(500, 1.0), Duration::from_secs(300));
    }

    #[test]
    fn retry_after_in_both_forms() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 60);
        assert_eq!(retry_after(" 120 ", now), Some(Duration::from_secs(120)));
        assert_eq!(
            retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now),
            Some(Duration::from_secs(60))
        );
        assert_eq!(retry_after("soon", now), None);
    }
}
