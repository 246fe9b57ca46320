//! Bad days, on purpose: machines that die, disks that fill, servers that fail, lie and trap. Every drill is judged by what
//! the server saw, by what the site truly holds, by SQLite and by `warcio`, never by what the program says of itself.
//!
//! `SANGTRANG_SEED` repeats a run (each drill prints its seed), `SANGTRANG_TRIALS` says how many trials it has.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a panic or a printed line is how a test speaks"
)]

mod badfs;
mod bombs;
mod broken;
mod change;
mod clock;
mod disk;
mod export;
mod harness;
mod kill;
mod postback;
mod redirects;
mod signals;
mod site;
mod storm;
#[allow(dead_code, reason = "shared with the other tests, which use all of it")]
#[path = "../it/support.rs"]
mod support;
mod traps;
