//! How long to wait: between requests, after failures, in quiet hours, and when a server says so. Pure.

use crate::mapping::model::{Politeness, QuietHours};
use jiff::tz::TimeZone;
use std::time::{Duration, SystemTime};

/// How a crawl treats one host.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Requests in flight.
    pub concurrency: usize,
    /// Time between the starts of two requests.
    pub delay: Duration,
    /// Raise the delay while answers are slow.
    pub adaptive: bool,
    /// Longest delay between two requests.
    pub delay_max: Duration,
    /// Repetitions after a transient failure.
    pub retries: u32,
    /// First retry delay.
    pub backoff: Duration,
    /// Longest retry delay.
    pub backoff_max: Duration,
    /// Failures in a row that open the breaker; 0: it never opens.
    pub breaker: u32,
    /// First rest of an open breaker.
    pub rest: Duration,
    /// A host without a good answer for so long is given up in this run.
    pub give_up: Duration,
}

impl From<&Politeness> for Policy {
    fn from(p: &Politeness) -> Self {
        Self {
            concurrency: p.concurrency.max(1),
            delay: p.delay.0,
            adaptive: p.adaptive,
            delay_max: p.delay_max.0.max(p.delay.0),
            retries: p.retries,
            backoff: p.backoff.0,
            backoff_max: p.backoff_max.0,
            breaker: p.breaker,
            rest: p.breaker_rest.0,
            give_up: p.give_up.0,
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

/// Longest Retry-After that is believed: more is a mistake or an attack (a day).
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Reads `Retry-After` (RFC 9110 §10.2.3): seconds or an HTTP date. A date is compared with the server's own `date`
/// where it gave one: its clock and ours need not agree.
#[must_use]
pub fn retry_after(value: &str, date: Option<&str>, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    let rest = if let Ok(seconds) = value.parse::<u64>() {
        Duration::from_secs(seconds)
    } else {
        let until = httpdate::parse_http_date(value).ok()?;
        let now = date
            .and_then(|d| httpdate::parse_http_date(d.trim()).ok())
            .unwrap_or(now);
        until.duration_since(now).unwrap_or(Duration::ZERO)
    };
    Some(rest.min(MAX_RETRY_AFTER))
}

/// How long the quiet hours still last at `now`; `None` outside of them.
#[must_use]
pub fn quiet(hours: &[QuietHours], zone: &TimeZone, now: jiff::Timestamp) -> Option<Duration> {
    let here = now.to_zoned(zone.clone()).datetime();
    let mut longest: Option<Duration> = None;
    for rule in hours {
        // Hours that end after midnight may have begun yesterday.
        for back in 0..=1i8 {
            let Ok(date) = here.date().checked_sub(jiff::Span::new().days(back)) else {
                continue;
            };
            if !rule.days[usize::from(date.weekday().to_monday_zero_offset().unsigned_abs())] {
                continue;
            }
            let begin = date.to_datetime(rule.from);
            let last = if rule.to > rule.from {
                Ok(date)
            } else {
                date.tomorrow()
            };
            let Ok(end) = last.map(|d| d.to_datetime(rule.to)) else {
                continue;
            };
            if begin <= here
                && here < end
                && let Ok(rest) = Duration::try_from(end.duration_since(here))
            {
                longest = longest.max(Some(rest));
            }
        }
    }
    longest
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
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        assert_eq!(retry_after(" 120 ", None, now), Some(Duration::from_secs(120)));
        assert_eq!(retry_after(date, None, now), Some(Duration::from_secs(60)));
        // The server's clock is a year ahead of ours, or behind: only its own difference counts.
        let its = Some("Sun, 06 Nov 1994 08:49:30 GMT");
        let ours = SystemTime::UNIX_EPOCH;
        assert_eq!(retry_after(date, its, ours), Some(Duration::from_secs(7)));
        let past = Some("Sun, 06 Nov 1994 09:49:30 GMT");
        assert_eq!(retry_after(date, past, now), Some(Duration::ZERO));
        assert_eq!(retry_after("soon", None, now), None);
        assert_eq!(retry_after("99999999999", None, now), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn quiet_hours_end_on_their_own_clock() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let hours = [
            QuietHours::parse("Mon-Fri 07:30-17:00").unwrap(),
            QuietHours::parse("Sun 22:00-05:00").unwrap(),
        ];
        let at = |text: &str| {
            let now = format!("{text}+07:00").parse().unwrap();
            quiet(&hours, &zone, now).map(|d| d.as_secs() / 60)
        };
        // 23 November 2026 is a Monday.
        assert_eq!(at("2026-11-23T07:30:00"), Some(570));
        assert_eq!(at("2026-11-23T16:59:00"), Some(1));
        assert_eq!(at("2026-11-23T17:00:00"), None);
        assert_eq!(at("2026-11-23T04:00:00"), Some(60));
        assert_eq!(at("2026-11-22T23:00:00"), Some(360));
        assert_eq!(at("2026-11-22T12:00:00"), None);
        assert_eq!(at("2026-11-24T04:00:00"), None);
    }
}
