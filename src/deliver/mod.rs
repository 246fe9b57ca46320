//! Documents into a CMS: planned, then applied, then read back. What is to be done is decided by pure functions (`plan`,
//! `render`, `entry`); what was done stands in the ledger, with an intent before and an end after every write. Knows
//! `document`, `mapping`, `ledger`, `net`; never a page or an archive.

mod entry;
pub mod plan;
pub mod render;

pub use entry::{Asset, Entry, Legacy, Mapper, Term, Unfit, payload_hash};
