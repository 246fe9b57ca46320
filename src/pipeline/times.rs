//! When syncs begin: every so often, or by a cron expression; with jitter, never two at once, and what was missed is made up
//! for once or not at all. Pure; time is an argument.

use croner::Cron;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::time::Duration;

/// How often.
#[derive(Clone, Debug)]
pub enum Rhythm {
    /// So much after the last one began.
    Every(Duration),
    /// As a cron expression says, in a time zone.
    Cron(Box<Cron>, TimeZone),
}

impl Rhythm {
    /// Every so often.
    #[must_use]
    pub const fn every(time: Duration) -> Self {
        Self::Every(time)
    }

    /// By a cron expression of five fields.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn cron(text: &str, zone: TimeZone) -> Result<Self, String> {
        if text.split_whitespace().count() != 5 && !text.trim_start().starts_with('@') {
            return Err("it has not five fields".into());
        }
        let cron: Cron = text
            .parse()
            .map_err(|e: croner::errors::CronError| e.to_string())?;
        let this = Self::Cron(Box::new(cron), zone);
        // `0 0 30 2 *` is well formed and never comes.
        match this.next(Timestamp::UNIX_EPOCH) {
            Some(_) => Ok(this),
            None => Err("that time never comes".into()),
        }
    }

    /// The next time after `from`, which was one.
    #[must_use]
    pub fn next(&self, from: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Every(time) => from.checked_add(SignedDuration::try_from(*time).ok()?).ok(),
            Self::Cron(cron, zone) => {
                let from = from.to_zoned(zone.clone());
                cron.find_next_occurrence(&from, false)
                    .ok()
                    .map(|t| t.timestamp())
            }
        }
    }

    /// Time between the next two, after `from`.
    #[must_use]
    pub fn length(&self, from: Timestamp) -> Option<Duration> {
        let first = self.next(from)?;
        self.next(first)?.duration_since(first).try_into().ok()
    }
}

/// When syncs begin.
pub struct Times {
    rhythm: Rhythm,
    jitter: Duration,
    catch_up: bool,
    chance: fn() -> f64,
}

impl Times {
    /// By a rhythm, up to `jitter` later; `chance` gives numbers from 0 to 1.
    #[must_use]
    pub fn new(rhythm: Rhythm, jitter: Duration, catch_up: bool, chance: fn() -> f64) -> Self {
        Self {
            rhythm,
            jitter,
            catch_up,
            chance,
        }
    }

    /// The first one, for a process that begins at `now`: at once if it is every so often, else when the schedule says.
    #[must_use]
    pub fn first(&self, now: Timestamp) -> Timestamp {
        match &self.rhythm {
            Rhythm::Every(_) => now,
            Rhythm::Cron(..) => self.jittered(self.rhythm.next(now).unwrap_or(now)),
        }
    }

    /// The one after that of `began`, which is over at `now`. What was missed meanwhile is made up for by one at once, or left
    /// out.
    #[must_use]
    pub fn after(&self, began: Timestamp, now: Timestamp) -> Timestamp {
        let next = self.rhythm.next(began).unwrap_or(now);
        if next > now {
            return self.jittered(next);
        }
        if self.catch_up {
            return now;
        }
        let mut next = next;
        match &self.rhythm {
            Rhythm::Every(time) => {
                let time = time.as_nanos().max(1);
                let late = u128::try_from(now.duration_since(next).as_nanos()).unwrap_or(0);
                let steps = late / time + 1;
                let ahead = i64::try_from((steps * time) / 1_000_000).unwrap_or(i64::MAX);
                next = next
                    .checked_add(SignedDuration::from_millis(ahead))
                    .unwrap_or(now);
            }
            Rhythm::Cron(..) => next = self.rhythm.next(now).unwrap_or(now),
        }
        self.jittered(next)
    }

    fn jittered(&self, at: Timestamp) -> Timestamp {
        let late = self.jitter.mul_f64((self.chance)().clamp(0.0, 1.0));
        let late = SignedDuration::try_from(late).unwrap_or_default();
        at.checked_add(late).unwrap_or(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn times(rhythm: Rhythm, catch_up: bool) -> Times {
        Times::new(rhythm, Duration::ZERO, catch_up, || 0.5)
    }

    #[test]
    fn a_schedule_is_read_in_the_time_zone_of_the_site() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        let night = Rhythm::cron("15 2 * * *", zone.clone()).unwrap();
        assert_eq!(
            night.next(at("2026-03-01T00:00:00Z")),
            Some(at("2026-03-01T19:15:00Z"))
        );
        assert_eq!(
            night.length(at("2026-03-01T00:00:00Z")),
            Some(Duration::from_secs(86_400))
        );
        for wrong in ["", "x", "61 * * * *", "* * *", "0 0 30 2 *", "* * * * * *"] {
            assert!(Rhythm::cron(wrong, zone.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_night_that_does_not_exist_is_not_waited_for_for_ever() {
        // 02:30 does not exist in Berlin on 29 March 2026.
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let night = Rhythm::cron("30 2 * * *", zone).unwrap();
        let next = night.next(at("2026-03-28T12:00:00Z")).unwrap();
        assert!(next <= at("2026-03-30T00:30:00Z"), "{next}");
    }

    #[test]
    fn what_was_missed_is_made_up_for_once_or_left_out() {
        let began = at("2026-03-01T00:00:00Z");
        let hour = Rhythm::every(Duration::from_secs(3600));
        let late = at("2026-03-01T03:10:00Z");
        assert_eq!(times(hour.clone(), true).after(began, late), late);
        assert_eq!(
            times(hour.clone(), false).after(began, late),
            at("2026-03-01T04:00:00Z")
        );
        // In time: no hurry.
        let soon = at("2026-03-01T00:10:00Z");
        for catch_up in [true, false] {
            assert_eq!(
                times(hour.clone(), catch_up).after(began, soon),
                at("2026-03-01T01:00:00Z")
            );
        }
        let jitter = Times::new(hour, Duration::from_secs(60), true, || 0.5);
        assert_eq!(jitter.after(began, soon), at("2026-03-01T01:00:30Z"));
    }

    proptest! {
        #[test]
        fn the_next_one_never_lies_in_the_past(every in 1..100_000u64, took in 0..10_000_000i64, catch_up: bool, jitter in 0..1000u64) {
            let began = at("2026-03-01T00:00:00Z");
            let now = began + SignedDuration::from_secs(took);
            let times = Times::new(Rhythm::every(Duration::from_secs(every)), Duration::from_secs(jitter), catch_up, || 0.9);
            let next = times.after(began, now);
            prop_assert!(next >= now);
            prop_assert!(next <= now + SignedDuration::from_secs(i64::try_from(every + jitter).unwrap()));
        }
    }
}
