//! A site's rules: read from TOML, checked with places (all problems at once), compiled; and the identity of URLs.
//! What a site is like, never how the program works. Imports `document` only.

pub mod model;
mod pattern;

pub use pattern::{Css, Pattern, parse_span};
