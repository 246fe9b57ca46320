//! Fetching over HTTP. Redirects are followed here as far as they stay with the same page; each hop is kept.

use super::login::Logins;
use super::session::{Session, without_secrets};
use super::{Answer, End};
use crate::capture::{Exchange, Truncated};
use crate::crawl::CrawlError;
use crate::crawl::pager::Request;
use crate::ledger::{Ready, UrlKind};
use crate::mapping::{Mapping, PageUrl};
use crate::net;
use reqwest::Method;
use reqwest::header::{self, HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Largest robots.txt or sitemap that is kept, in bytes as sent.
const MAX_CONTROL_BYTES: u64 = 50 << 20;

/// The live site.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    pub(super) mapping: Arc<Mapping>,
    timeout: Duration,
    user_agent: String,
    pub(super) session: Arc<Session>,
    pub(super) logins: Arc<tokio::sync::Mutex<Logins>>,
}

impl Http {
    /// Sets up the client.
    ///
    /// # Errors
    /// When no client can be made with these options, or a secret of the session is not in the environment.
    pub fn new(mapping: Arc<Mapping>, connect_to: &[net::ConnectTo]) -> Result<Self, CrawlError> {
        let session = Session::new(&mapping, &|name| std::env::var(name).ok())?;
        let politeness = &mapping.rules().politeness;
        let (timeout, user_agent) = (politeness.timeout.0, politeness.agent());
        let client = net::client(&net::Options {
            user_agent: user_agent.clone(),
            timeout,
            connect_to: connect_to.to_vec(),
            ..net::Options::default()
        })?;
        Ok(Self {
            client,
            mapping,
            timeout,
            user_agent,
            session: Arc::new(session),
            logins: Arc::default(),
        })
    }

    /// Fetches a task. Never fails: a failure is an answer.
    pub async fn fetch(&self, task: &Ready) -> Answer {
        let mut answer = Answer {
            exchanges: Vec::new(),
            chain: Vec::new(),
            end: End::Response,
        };
        let mut request = task.request.as_deref().and_then(Request::from_bytes);
        let address = request.as_ref().map_or(task.url.as_str(), |r| r.url.as_str());
        let Ok(mut url) = Url::parse(address) else {
            answer.end = End::Network("invalid-url", address.to_owned());
            return answer;
        };
        let own = self.mapping.canonical(&url).ok();
        let limits = &self.mapping.rules().limits;
        let max_body = match task.kind {
            UrlKind::Media => limits.media_bytes,
            UrlKind::Page | UrlKind::Postback | UrlKind::Probe => limits.page_bytes,
            UrlKind::Robots | UrlKind::Sitemap => MAX_CONTROL_BYTES,
        };
        loop {
            let exchange = match self.exchange(task, &url, request.take().as_ref(), max_body).await {
                Ok(exchange) => exchange,
                Err((class, text)) => {
                    answer.end = End::Network(class, text);
                    return answer;
                }
            };
            let target = target(&exchange, &url);
            answer.exchanges.push(exchange);
            let Some(target) = target else {
                return answer;
            };
            let same = self.mapping.canonical(&target).ok();
            let stays = match (&own, &same) {
                (Some(own), Some(same)) => own == same,
                _ => task.kind == UrlKind::Robots,
            };
            if !stays {
                answer.end = End::Redirect(target);
                return answer;
            }
            answer.chain.push(url.into());
            if answer.chain.len() > limits.redirects {
                // Cookies may change an answer to itself once or twice; more is a loop.
                answer.end = End::Redirects("redirect-loop");
                return answer;
            }
            url = target;
        }
    }

    async fn exchange(
        &self,
        task: &Ready,
        url: &Url,
        form: Option<&Request>,
        max_body: u64,
    ) -> Result<Exchange, (&'static str, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(
            header::ACCEPT_ENCODING,
            HeaderValue::from_static(net::ACCEPT_ENCODING),
        );
        headers.insert(header::ACCEPT, HeaderValue::from_static("*/*"));
        for (name, value) in form.iter().flat_map(|f| &f.headers) {
            if let (Ok(name), Ok(value)) = (
                header::HeaderName::try_from(name.as_str()),
                HeaderValue::from_str(value),
            ) {
                headers.insert(name, value);
            }
        }
        for (name, value) in [
            (header::IF_NONE_MATCH, &task.etag),
            (header::IF_MODIFIED_SINCE, &task.last_modified),
        ] {
            if let Some(value) = value.as_deref().and_then(|v| HeaderValue::from_str(v).ok()) {
                headers.insert(name, value);
            }
        }
        let post = form.is_some_and(|f| f.method == "POST");
        let method = if post { Method::POST } else { Method::GET };
        let body = form.map(|f| f.body.as_bytes().to_vec()).unwrap_or_default();
        self.send(method, url, headers, body, max_body).await
    }

    /// One request as it is, and its answer; no redirect is followed.
    pub(super) async fn send(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Vec<u8>,
        max_body: u64,
    ) -> Result<Exchange, (&'static str, String)> {
        let deadline = Instant::now() + self.timeout;
        let at = jiff::Timestamp::now();
        let mut request = self.client.request(method.clone(), url.clone());
        if method == Method::POST || !body.is_empty() {
            request = request.body(body.clone());
        }
        let mut headers = headers;
        self.session.dress(url, &mut headers);
        let mut sent = without_secrets(&headers);
        sent.insert(0, ("user-agent".into(), self.user_agent.clone().into_bytes()));
        request = request.headers(headers);
        let response = request.send().await.map_err(|e| (class(&e), describe(&e)))?;
        let status = response.status();
        let received = pairs(response.headers());
        self.session.keep(url, &received);
        let ip = response.remote_addr().map(|a| a.ip());
        let (bytes, truncated) = net::read_body(response, max_body, deadline).await;
        Ok(Exchange {
            notes: Vec::new(),
            url: url.to_string(),
            method: method.to_string(),
            request_headers: sent,
            request_body: body,
            status: status.as_u16(),
            reason: status.canonical_reason().unwrap_or_default().to_owned(),
            headers: received,
            body: bytes,
            at,
            ip,
            truncated: truncated.map(|t| match t {
                net::Truncation::Length => Truncated::Length,
                net::Truncation::Time => Truncated::Time,
                net::Truncation::Disconnect => Truncated::Disconnect,
            }),
        })
    }
}

/// Where a redirect leads.
pub(super) fn target(exchange: &Exchange, url: &Url) -> Option<Url> {
    if !matches!(exchange.status, 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let (_, value) = exchange
        .headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case("location"))?;
    let mut target = url.join(String::from_utf8_lossy(value).trim()).ok()?;
    target.set_fragment(None);
    Some(target)
}

fn pairs(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    headers
        .iter()
        .map(|(n, v)| (n.as_str().to_owned(), v.as_bytes().to_vec()))
        .collect()
}

fn class(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect"
    } else {
        "network"
    }
}

/// An error with its causes: reqwest's own text says only that something failed.
fn describe(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A task that the ledger does not know, for single fetches.
pub(in crate::crawl) fn single(url: &PageUrl, kind: UrlKind) -> Ready {
    Ready {
        id: crate::ledger::UrlId(0),
        url: url.to_string(),
        kind,
        depth: 0,
        hops: 0,
        attempts: 0,
        not_before: 0,
        request: None,
        list: None,
        page: 0,
        generation: 0,
        etag: None,
        last_modified: None,
    }
}
