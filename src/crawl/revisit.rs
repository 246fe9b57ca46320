//! When a page is asked for again: sooner if its content changed when it was asked for last, later if it did not. Pure; time is
//! an argument.
//!
//! The scheme is that of Nutch's AdaptiveFetchSchedule: the interval shrinks by a factor on a change and grows by another one
//! without, within bounds. It halves at once and grows by half, so that a page that changes again is met soon.

use crate::ledger::Visit;
use crate::mapping::Mapping;
use crate::mapping::model::SyncRules;

/// Shortest and longest interval, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Shortest.
    pub least: u64,
    /// Longest; never below `least`.
    pub most: u64,
}

/// What a visit found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// A page of a site that is crawled for the first time: nobody knows how old it is.
    First,
    /// A page that was not there at the last visit of the site: what is young changes.
    Young,
    /// The same content.
    Same,
    /// Other content.
    Changed,
    /// Nothing any more, of a page that we hold: it is asked for again soon.
    Gone,
}

/// The next interval, in seconds; `was` is the last one.
#[must_use]
pub fn interval(was: Option<u64>, found: Found, bounds: Bounds) -> u64 {
    let least = bounds.least.min(bounds.most);
    let was = was.unwrap_or(bounds.most).clamp(least, bounds.most);
    let next = match found {
        Found::First => bounds.most,
        Found::Young | Found::Gone => least,
        Found::Same => was.saturating_add(was / 2).saturating_add(1),
        Found::Changed => was / 2,
    };
    next.clamp(least, bounds.most)
}

/// When the next visit is due (milliseconds since 1970): at most `every` seconds after `at`, and up to a half earlier by
/// `spread`, so that pages that were met together do not come back together.
#[must_use]
pub fn due(at: i64, every: u64, spread: u64) -> i64 {
    let every = i64::try_from(every).unwrap_or(i64::MAX / 4).saturating_mul(1000);
    let part = i64::try_from(spread % 1024).unwrap_or(0);
    let half = every / 2;
    at.saturating_add(half).saturating_add(
        (i128::from(every - half) * i128::from(part) / 1023)
            .try_into()
            .unwrap_or(half),
    )
}

/// The visit after an answer.
#[must_use]
pub fn next(was: Option<Visit>, found: Found, bounds: Bounds, at: i64, spread: u64) -> Visit {
    let every = interval(was.map(|v| v.every).filter(|e| *e > 0), found, bounds);
    Visit {
        at,
        every,
        due: due(at, every, spread),
        open: false,
    }
}

/// The bounds of a page or file. `url` is canonical.
#[must_use]
pub fn bounds(mapping: &Mapping, url: &str, is_medium: bool) -> Bounds {
    let rules: &SyncRules = &mapping.rules().sync;
    let most = if is_medium {
        rules.media_age.0
    } else {
        let own = url::Url::parse(url)
            .ok()
            .and_then(|u| mapping.canonical(&u).ok())
            .and_then(|u| mapping.collection_for_url(&u)?.max_age);
        own.map_or(rules.most_age.0, |age| age.0)
    };
    Bounds {
        least: rules.least_age.0.min(most).as_secs(),
        most: most.as_secs(),
    }
}

/// A number of a URL that stays the same, for [`due`].
#[must_use]
pub fn spread(url: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(url.as_bytes()).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: u64 = 3600;
    const BOUNDS: Bounds = Bounds {
        least: 6 * HOUR,
        most: 14 * 24 * HOUR,
    };

    #[test]
    fn a_page_that_rests_is_left_alone_and_one_that_moves_is_met_soon() {
        let mut every = interval(None, Found::Young, BOUNDS);
        assert_eq!(every, BOUNDS.least);
        let mut visits = 0;
        let mut age = 0;
        while age < 60 * 24 * HOUR {
            age += every;
            visits += 1;
            every = interval(Some(every), Found::Same, BOUNDS);
        }
        assert_eq!(every, BOUNDS.most);
        assert!(visits < 20, "{visits} visits in 60 days");
        for _ in 0..6 {
            every = interval(Some(every), Found::Changed, BOUNDS);
        }
        assert_eq!(every, BOUNDS.least);
    }

    fn found() -> impl Strategy<Value = Found> {
        prop::sample::select(vec![
            Found::First,
            Found::Young,
            Found::Same,
            Found::Changed,
            Found::Gone,
        ])
    }

    proptest! {
        #[test]
        fn an_interval_keeps_its_bounds_and_moves_the_right_way(
            was in prop::option::of(0..u64::MAX), found in found(), least in 0..1_000_000u64, more in 0..10_000_000u64,
        ) {
            let bounds = Bounds { least, most: least + more };
            let next = interval(was, found, bounds);
            prop_assert!((bounds.least..=bounds.most).contains(&next));
            let was = was.unwrap_or(bounds.most).clamp(bounds.least, bounds.most);
            match found {
                Found::Same => prop_assert!(next >= was),
                Found::Changed => prop_assert!(next <= was),
                Found::First => prop_assert_eq!(next, bounds.most),
                Found::Young | Found::Gone => prop_assert_eq!(next, bounds.least),
            }
        }

        #[test]
        fn a_visit_is_due_in_the_second_half_of_its_interval(
            at in 0..4_000_000_000_000i64, every in 0..10_000_000u64, spread: u64,
        ) {
            let (due, most) = (due(at, every, spread), at + i64::try_from(every).unwrap() * 1000);
            prop_assert!(due >= at + (most - at) / 2 && due <= most, "{} {} {}", at, due, most);
        }

        #[test]
        fn bounds_that_are_upside_down_do_no_harm(was: u64, found in found(), least: u64, most: u64) {
            let next = interval(Some(was), found, Bounds { least, most });
            prop_assert!(next <= most);
        }
    }
}
