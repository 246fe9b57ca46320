//! sangtrang moves the content of a legacy web portal into a new CMS and proves that nothing was lost on the way.
//!
//! The rooms, in the order in which a URL walks through them. `ARCHITECTURE.md` shows the house in one picture.

pub mod browser;
pub mod capture;
pub mod cli;
pub mod crawl;
pub mod deliver;
pub mod demo;
pub mod diff;
pub mod document;
pub mod extract;
pub mod lang;
pub mod ledger;
pub mod mapping;
pub mod net;
pub mod notify;
pub mod page;
pub mod pipeline;
pub mod report;
pub mod sheet;
