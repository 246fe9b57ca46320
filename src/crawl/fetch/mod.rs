//! Where answers come from.

#[cfg(unix)]
pub mod browser;
#[cfg(not(unix))]
#[path = "browser/nowhere.rs"]
pub mod browser;
pub mod http;
mod login;
mod session;
pub mod traffic;

use super::origins::Origins;
use crate::capture::Exchange;
use crate::ledger::{Ready, UrlKind};
use crate::mapping::Mapping;
use browser::{Browser, BrowserError};
use http::Http;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use traffic::Rendered;
use url::Url;

/// Fetches tasks: over HTTP, and in a browser what the mapping wants rendered.
#[derive(Clone)]
pub struct Fetcher {
    http: Http,
    mapping: Arc<Mapping>,
    browser: Option<Browser>,
}

impl Fetcher {
    /// A fetcher; `program` is the browser's, looked for in the usual places if absent.
    ///
    /// # Errors
    /// When the mapping wants pages rendered and there is no browser.
    pub(super) fn new(
        http: Http,
        mapping: Arc<Mapping>,
        origins: Arc<Origins>,
        program: Option<&Path>,
    ) -> Result<Self, BrowserError> {
        let browser = if mapping.rules().render.is_empty() {
            None
        } else {
            Some(Browser::new(http.clone(), mapping.clone(), origins, program)?)
        };
        Ok(Self {
            http,
            mapping,
            browser,
        })
    }

    /// Is there a browser, if the mapping needs one? Asked before anything is asked of the site.
    pub(super) fn check(mapping: &Mapping, program: Option<&Path>) -> Result<(), BrowserError> {
        if mapping.rules().render.is_empty() {
            return Ok(());
        }
        browser::check(program)
    }

    /// Fetches a task. Never fails: a failure is an answer.
    pub async fn fetch(&self, task: &Ready) -> Answer {
        self.render(task).await.answer
    }

    /// Logs in again if the mapping says how, unless that was done since `asked`; says whether we are in.
    pub(super) async fn log_in_again(&self, asked: Instant) -> bool {
        if !self.http.can_log_in() {
            return false;
        }
        match self.http.log_in(Some(asked)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("{error}");
                false
            }
        }
    }

    /// Fetches a task and, if it was rendered, tells everything that its page asked for.
    pub async fn render(&self, task: &Ready) -> Rendered {
        let rule = Some(task)
            .filter(|t| t.kind == UrlKind::Page)
            .and_then(|t| self.mapping.canonical(&Url::parse(&t.url).ok()?).ok())
            .and_then(|url| self.mapping.render_rule(&url));
        let (Some(browser), Some(rule)) = (&self.browser, rule) else {
            let answer = self.http.fetch(task).await;
            return Rendered {
                answer,
                requests: Vec::new(),
            };
        };
        // An unchanged page says nothing of what its script would load today.
        let task = Ready {
            etag: None,
            last_modified: None,
            ..task.clone()
        };
        browser.render(rule, self.http.fetch(&task).await).await
    }
}

/// What came of a task: everything that went over the wire, and how it ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// In order; the last one is the answer unless `end` is a failure.
    pub exchanges: Vec<Exchange>,
    /// Spellings of the same page that redirected to the next one, in order.
    pub chain: Vec<String>,
    /// How it ended.
    pub end: End,
}

/// How a fetch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a response.
    Response,
    /// With a redirect to another URL.
    Redirect(Url),
    /// In a loop of redirects, or behind too many; with the class.
    Redirects(&'static str),
    /// Without an answer; with the class and what the network says.
    Network(&'static str, String),
}
