//! Where there are no inherited pipes, nothing is rendered.

use super::Answer;
use super::http::Http;
use super::traffic::Rendered;
use crate::crawl::origins::Origins;
use crate::mapping::Mapping;
use crate::mapping::model::RenderRule;
use std::path::Path;
use std::sync::Arc;

/// Why nothing can be rendered at all.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// Not on this system.
    #[error(
        "the mapping has `[[render]]` rules, which need Chromium on Linux or macOS: map the endpoint that the page's script calls instead (docs/rendering.md)"
    )]
    Unsupported,
}

/// No browser.
#[derive(Clone)]
pub enum Browser {}

impl Browser {
    pub(in crate::crawl) fn new(
        _: Http,
        _: Arc<Mapping>,
        _: Arc<Origins>,
        _: Option<&Path>,
    ) -> Result<Self, BrowserError> {
        Err(BrowserError::Unsupported)
    }

    /// Never called.
    pub async fn render(&self, _: &RenderRule, _: Answer) -> Rendered {
        match *self {}
    }
}

/// There is none.
pub(super) fn check(_: Option<&Path>) -> Result<(), BrowserError> {
    Err(BrowserError::Unsupported)
}
