//! Pages that only a browser can show: Chromium renders, we fetch.
//!
//! The browser has no network of its own. Every request that a page makes is paused, judged (same site or an origin that
//! the rule allows, robots.txt, kind, method, number) and answered by the same HTTP client that fetches everything else:
//! so scope, address guard, `--connect-to`, TLS profile, cookies and limits hold, and the archive gets the bytes as they
//! were sent. One page is rendered at a time, in a browser context of its own; any trouble ends the whole browser, and
//! the next page starts another one.

mod load;
mod requests;

use super::http::Http;
use super::traffic::{Rendered, Request};
use super::{Answer, End};
use crate::browser::{self, Process};
use crate::capture::{Capture, Exchange, Truncated};
use crate::crawl::origins::Origins;
use crate::mapping::Mapping;
use crate::mapping::model::{Container, Discover, RenderRule, RenderWhen};
use crate::page;
use load::{Load, Outcome};
use requests::Kept;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;
use url::Url;

/// Why nothing can be rendered at all.
#[derive(Debug, thiserror::Error)]
pub enum BrowserError {
    /// There is no browser.
    #[error(
        "the mapping has `[[render]]` rules, which need Chromium, and there is none (looked for {looked}): install it (`apt install chromium`), or say where it is with `--browser PATH` or SANGTRANG_CHROMIUM, or map the endpoint that the page's script calls (`sangtrang inspect render`)"
    )]
    Missing {
        /// Where it was looked for.
        looked: String,
    },
}

impl From<browser::NotFound> for BrowserError {
    fn from(error: browser::NotFound) -> Self {
        Self::Missing { looked: error.looked }
    }
}

/// Is there a browser?
pub(super) fn check(path: Option<&Path>) -> Result<(), BrowserError> {
    browser::find(path)?;
    Ok(())
}

/// A browser that is started when it is needed first.
#[derive(Clone)]
pub struct Browser {
    http: Http,
    mapping: Arc<Mapping>,
    origins: Arc<Origins>,
    program: PathBuf,
    running: Arc<Mutex<Option<Process>>>,
    kept: Arc<std::sync::Mutex<Kept>>,
}

impl Browser {
    /// A browser for the pages of `mapping`: the program at `path`, else in `SANGTRANG_CHROMIUM`, else a usual name in
    /// PATH.
    ///
    /// # Errors
    /// When there is none.
    pub(in crate::crawl) fn new(
        http: Http,
        mapping: Arc<Mapping>,
        origins: Arc<Origins>,
        path: Option<&Path>,
    ) -> Result<Self, BrowserError> {
        Ok(Self {
            http,
            mapping,
            origins,
            program: browser::find(path)?,
            running: Arc::default(),
            kept: Arc::default(),
        })
    }

    /// Renders the page that `fetched` holds as it was sent. An answer that is no page stays as it is.
    pub async fn render(&self, rule: &RenderRule, fetched: Answer) -> Rendered {
        let mut rendered = Rendered {
            answer: fetched,
            requests: Vec::new(),
        };
        let Some(document) = rendered.answer.exchanges.last().cloned() else {
            return rendered;
        };
        if rendered.answer.end != End::Response || document.status != 200 || document.truncated.is_some() {
            return rendered;
        }
        let Ok(url) = Url::parse(&document.url) else {
            return rendered;
        };
        if !wanted(&self.mapping, rule, &document, &url).await {
            return rendered;
        }
        let mut running = self.running.lock().await;
        // Taken out: whatever goes wrong from here on (also that nobody waits any more) ends this browser.
        let process = match running.take() {
            Some(process) => Ok(process),
            None => Process::start(&self.program, &self.mapping.rules().politeness.agent()).await,
        };
        let mut process = match process {
            Ok(process) => process,
            Err(failure) => {
                rendered.answer.end = End::Network(failure.class, failure.text);
                return rendered;
            }
        };
        let mut load = Load::new(self, rule, document, url);
        let result = load.run(&mut process).await;
        let (requests, exchanges) = load.into_parts();
        rendered.requests = requests;
        rendered.answer.exchanges.extend(exchanges);
        match result {
            Ok(Outcome::Page(dom)) => {
                rendered
                    .answer
                    .exchanges
                    .push(dom.exchange(&process.version, rule, &rendered.requests));
                *running = Some(process);
            }
            Ok(Outcome::Left(to)) => {
                rendered.answer.end = End::Redirect(to);
                *running = Some(process);
            }
            Err(failure) => {
                tracing::debug!(
                    class = failure.class,
                    text = failure.text,
                    "the page was not rendered"
                );
                rendered.answer.end = End::Network(failure.class, failure.text);
            }
        }
        rendered
    }

    /// The process id of the running browser.
    pub async fn process_id(&self) -> Option<u32> {
        self.running.lock().await.as_ref().map(Process::id)
    }
}

/// The page as the browser shows it.
struct Dom {
    url: String,
    text: String,
    cut: bool,
    at: jiff::Timestamp,
}

impl Dom {
    fn exchange(self, version: &str, rule: &RenderRule, requests: &[Request]) -> Exchange {
        let blocked = requests.iter().filter(|r| r.blocked.is_some()).count();
        let notes = [
            ("rendered-by", version.to_owned()),
            ("render-rule", rule.id.clone()),
            ("wait", rule.wait.describe()),
            (
                "render-requests",
                format!("{}, {blocked} not answered", requests.len()),
            ),
        ];
        Exchange {
            url: self.url,
            method: "GET".into(),
            request_headers: Vec::new(),
            request_body: Vec::new(),
            status: 200,
            reason: "OK".into(),
            headers: vec![("content-type".into(), b"text/html; charset=utf-8".to_vec())],
            body: self.text.into_bytes(),
            at: self.at,
            ip: None,
            truncated: self.cut.then_some(Truncated::Length),
            notes: notes.into_iter().map(|(n, v)| (n.to_owned(), v)).collect(),
        }
    }
}

/// Is it a page, and one that the rule wants rendered?
async fn wanted(mapping: &Arc<Mapping>, rule: &RenderRule, document: &Exchange, url: &Url) -> bool {
    let limit = mapping.rules().limits.page_bytes;
    let Ok(capture) = Capture::from_exchange(document, limit) else {
        return false;
    };
    if !capture
        .header("content-type")
        .is_some_and(|t| t.to_ascii_lowercase().contains("html"))
    {
        return false;
    }
    if rule.when == RenderWhen::Always {
        return true;
    }
    let css = rule.wait.css.clone();
    let (mapping, url) = (mapping.clone(), url.clone());
    // Parsing does not belong into the reactor; a page that breaks the parser has nothing to show.
    let judged = tokio::task::spawn_blocking(move || empty(&mapping, &capture, &url, css.as_ref()));
    judged.await.unwrap_or(true)
}

/// Lacks the page what its rules look for: items of its list, text of its collection, else what `wait.css` names, else
/// any text?
fn empty(mapping: &Mapping, capture: &Capture, url: &Url, css: Option<&crate::mapping::Css>) -> bool {
    let Ok(url) = mapping.canonical(url) else {
        return false;
    };
    let Ok(page) = page::read(capture, &url, mapping) else {
        return false;
    };
    let mut lists = mapping.rules().discover.iter().filter_map(|d| match d {
        Discover::List(rule) if rule.on.regex().is_match(url.as_str()) => Some(rule),
        _ => None,
    });
    if let Some(list) = lists.next() {
        return std::iter::once(list)
            .chain(lists)
            .all(|l| page.select(&l.item).next().is_none());
    }
    if let Some(scope) = mapping.collection_for_url(&url).map(|c| &c.scope)
        && scope.container.iter().any(|c| c.css().is_some())
    {
        return !scope
            .container
            .iter()
            .filter_map(Container::css)
            .any(|css| page.select(css).any(|e| e.text().any(|t| !t.trim().is_empty())));
    }
    match css {
        Some(css) => page.select(css).next().is_none(),
        None => page.text.as_str().trim().is_empty(),
    }
}
