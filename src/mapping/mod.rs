//! A site's rules: read from TOML, checked with places (all problems at once), compiled; and the identity of URLs.
//! What a site is like, never how the program works. Imports `document` only.
//!
//! [`Mapping`] is the checked form, [`model`] the format, [`PageUrl`] the one URL of a page.

mod check;
mod error;
mod http_json;
mod identity;
pub mod import;
mod key;
pub mod model;
mod pattern;
mod place;
mod read;
mod resolve;
mod rules;
mod schema;
mod session;
mod template;
mod url_rules;
mod walk;

#[cfg(test)]
mod tests;

pub use error::{MappingError, Problem};
pub use identity::{IdentityStep, PageUrl, UrlError, identity_without_site};
pub use pattern::{Css, Pattern, parse_span};
pub use resolve::resolve_href;
pub use rules::Mapping;
pub use schema::mapping_schema;
pub use template::{Expr, Template, TemplateError, Text};
