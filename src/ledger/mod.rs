//! The memory of a site: urls, captures, lists, documents, deliveries, runs. The only SQL of the program.
//!
//! One SQLite file in WAL mode with `synchronous=FULL`. [`Ledger`] holds the file and a lock beside it, so that two runs
//! never write one ledger; everything that belongs to one exchange is written by one [`Batch`], which is one transaction.
//! The archive is the truth: a row names a place in it only after the archive was synced. Imports `document` only and
//! decides nothing: what an answer means is said by `crawl`.

mod batch;
mod captures;
mod certificate;
pub mod clock;
mod delivery;
mod freeze;
mod gates;
mod gc;
mod history;
mod journal;
mod learned;
mod misses;
mod models;
mod open;
mod query;
mod records;
mod seal;
mod shelf;
mod standing;
mod tally;
mod types;
mod verdicts;
mod visits;

pub use batch::{Batch, Fetch, Offer, Pager, Settle};
pub use captures::{CaptureRow, Medium, MediumState, Page};
pub use certificate::{Announced, AnnouncedCount};
pub use delivery::{Delivery, DeliveryState, Kind, PushOp};
pub use freeze::Frozen;
pub use gates::{AcceptedRow, Asked, Common, JudgedRow, PrintRow, SketchRow};
pub use gc::{Holding, OldRuns, Suspect};
pub use history::{Held, Recorded, Revision, Standing};
pub use journal::{Done, Entry, Intent, Push};
pub use learned::{PatternRow, ProbeRow};
pub use misses::{Miss, Tombstone};
pub use models::{ModelRow, TemplateRow};
pub use open::{Ledger, LedgerError};
pub use query::{Address, ListRow, Step};
pub use records::{DocumentRow, RunRow};
pub use shelf::{Decision, Level, ShelfFilter, ShelfRow, Shelved};
pub use standing::Write;
pub use tally::{Checked, Finding, Listed, Profile, Tally};
pub use types::{Counts, Failure, Place, Ready, UrlId, UrlKind, UrlState};
pub use verdicts::{Judged, VerdictRow};
pub use visits::{Named, Visit};
