//! The time that stands in a ledger. It is the machine's, unless whoever starts the program says another: then sixty days can
//! be lived in a minute. One process has one clock, and one ledger has one kind of it: dates that were made up must never
//! stand beside real ones.

use jiff::{SignedDuration, Timestamp};
use std::sync::OnceLock;

/// How far our time is from the machine's.
static AHEAD: OnceLock<SignedDuration> = OnceLock::new();

/// Lets time begin at `now`, once, before anything asks for it. It passes as the machine's does.
pub fn set(now: Timestamp) {
    // Whoever sets it twice has the first one: a clock does not jump.
    let _ = AHEAD.set(now.duration_since(Timestamp::now()));
}

/// The time.
#[must_use]
pub fn now() -> Timestamp {
    let real = Timestamp::now();
    match AHEAD.get() {
        // A time that no calendar holds is as good as the real one.
        Some(ahead) => real.checked_add(*ahead).unwrap_or(real),
        None => real,
    }
}

/// The same in milliseconds since 1970.
#[must_use]
pub fn now_ms() -> i64 {
    now().as_millisecond()
}

/// `real` or `set`: what a ledger remembers of its clock.
pub(super) fn kind() -> &'static str {
    if AHEAD.get().is_some() { "set" } else { "real" }
}
