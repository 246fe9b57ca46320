//! How Chromium is driven: found, started without a network of its own, spoken to over two pipes, ended with all of its
//! processes; and what text it shows of a page ([`View`]). It knows neither sites nor documents.

mod launch;
mod memory;
mod page;
mod pipe;
mod view;

pub use launch::{Process, find};
pub use memory::{MAX_RESIDENT, resident};
pub use page::{Opened, open};
pub use pipe::Pipe;
pub use view::{Line, Served, View};

/// There is no browser.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "there is no Chromium (looked for {looked}): install it (`apt install chromium`), or say where it is with `--browser PATH` or SANGTRANG_CHROMIUM"
)]
pub struct NotFound {
    /// Where it was looked for.
    pub looked: String,
}

/// Why the browser did not do what it was asked for.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub struct Failure {
    /// For programs: `browser-start`, `browser-gone`, `render-timeout`, …
    pub class: &'static str,
    /// For people.
    pub text: String,
}

impl Failure {
    /// A failure.
    pub fn new(class: &'static str, text: impl Into<String>) -> Self {
        Self {
            class,
            text: text.into(),
        }
    }

    /// The browser has ended, or does not speak its protocol any more.
    #[must_use]
    pub fn gone(text: &str) -> Self {
        Self::new("browser-gone", format!("the browser has gone: {text}"))
    }
}
