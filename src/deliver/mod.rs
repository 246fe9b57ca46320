//! Documents into a CMS: planned, then applied, then read back. What is to be done is decided by pure functions (`plan`,
//! `render`, `entry`); what was done stands in the ledger, with an intent before and an end after every write. Knows
//! `document`, `mapping`, `ledger`, `net`; never a page or an archive.

mod api;
pub mod apply;
pub mod beside;
mod entry;
mod failure;
pub mod files;
mod journal;
mod legacy;
mod links;
mod marks;
mod multipart;
mod pace;
mod packed;
pub mod plan;
mod planned;
pub mod redirect;
pub mod render;
pub mod rollback;
pub mod sink;
mod source;
mod spool;
mod survey;
pub mod verify;

pub use api::{Api, ApiError, Auth};
pub use entry::{Asset, Entry, Legacy, Mapper, Term, Unfit, payload_hash};
pub use failure::{Class, Failure};
pub use journal::JournalError;
pub use legacy::legacy_address;
pub use marks::Marks;
pub use packed::{pack, unpack};
pub use planned::{Drafts, Planned};
pub use source::Source;
pub use spool::{Each, Spool};
pub use survey::{Known, Survey, SurveyError};
