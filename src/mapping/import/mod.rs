//! Mappings out of the rules of other tools. What cannot be said in a mapping is kept as a comment with the reason.

mod site_config;
mod xpath;

pub use site_config::{Imported, Origin, Untranslated, site_config};
