//! Fetching over HTTP. Redirects are followed here as far as they stay with the same page; each hop is kept.

use super::login::Logins;
use super::session::{Session, without_secrets};
use super::{Answer, End};
use crate::capture::{Exchange, Truncated};
use crate::crawl::pager::Request;
use crate::crawl::{CrawlError, CrawlOptions, access};
use crate::ledger::{Ready, UrlKind};
use crate::mapping::{Mapping, PageUrl};
use crate::net;
use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Note of an answer that was given up because it dripped.
pub(in crate::crawl) const TOO_SLOW: &str = "too-slow";
/// Largest robots.txt or sitemap that is kept, in bytes as sent.
const MAX_CONTROL_BYTES: u64 = 50 << 20;

/// The live site.
#[derive(Clone)]
pub struct Http {
    client: net::Client,
    pub(super) mapping: Arc<Mapping>,
    timeout: Duration,
    /// Fewest bytes in any such time.
    min_rate: (u64, Duration),
    user_agent: String,
    pub(super) session: Arc<Session>,
    pub(super) logins: Arc<tokio::sync::Mutex<Logins>>,
}

impl Http {
    /// Sets up the client.
    ///
    /// # Errors
    /// When no client can be made with these options, or a secret of the session is not in the environment.
    pub fn new(mapping: Arc<Mapping>, options: &CrawlOptions) -> Result<Self, CrawlError> {
        let session = Session::new(&mapping, &|name| std::env::var(name).ok())?;
        let options = access::options(&mapping, options);
        let client = net::client(&options)?;
        let network = &mapping.rules().network;
        let window = network.min_rate_time.0;
        let min_rate = (network.min_rate.saturating_mul(window.as_secs().max(1)), window);
        Ok(Self {
            client,
            mapping,
            timeout: options.timeout,
            min_rate,
            user_agent: options.user_agent,
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
        let limits = net::BodyLimits {
            bytes: max_body,
            deadline: Instant::now() + self.timeout,
            rate: self.min_rate,
        };
        let at = crate::ledger::clock::now();
        let mut headers = headers;
        self.session.dress(url, &mut headers);
        let mut sent = without_secrets(&headers);
        sent.insert(0, ("user-agent".into(), self.user_agent.clone().into_bytes()));
        let asked = self
            .client
            .request(method.clone(), url, headers, body.clone().into());
        let response = asked.await.map_err(|e| (e.class, e.text))?;
        let status = response.status;
        let reason = response.reason.clone();
        let received = pairs(&response.headers);
        self.session.keep(url, &received);
        let ip = response.connection.peer.map(|a| a.ip());
        let mut notes = notes(&response.connection);
        let (bytes, truncated) = net::read_body(response, limits).await;
        if truncated == Some(net::Truncation::Rate) {
            notes.push((TOO_SLOW.into(), "given up, see `network.min_rate`".into()));
        }
        Ok(Exchange {
            notes,
            url: url.to_string(),
            method: method.to_string(),
            request_headers: sent,
            request_body: body,
            status: status.as_u16(),
            reason,
            headers: received,
            body: bytes,
            at,
            ip,
            truncated: truncated.map(|t| match t {
                net::Truncation::Length => Truncated::Length,
                net::Truncation::Time | net::Truncation::Rate => Truncated::Time,
                net::Truncation::Disconnect => Truncated::Disconnect,
            }),
        })
    }
}

/// Where a redirect leads.
pub(in crate::crawl) fn target(exchange: &Exchange, url: &Url) -> Option<Url> {
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

/// What the archive says of a connection: the TLS that was spoken, and why it is not the usual.
fn notes(connection: &net::ConnInfo) -> Vec<(String, String)> {
    let Some(tls) = &connection.tls else {
        return Vec::new();
    };
    let mut notes = vec![
        ("tls-protocol".to_owned(), tls.protocol.clone()),
        ("tls-cipher".to_owned(), tls.cipher.clone()),
    ];
    if tls.profile != net::Profile::Modern || tls.unchecked || tls.pinned {
        notes.push(("tls-profile".into(), tls.profile.as_str().into()));
        if tls.unchecked {
            notes.push(("tls-invalid".into(), "accepted unchecked".into()));
        }
        if let Some(pin) = tls.certificate.filter(|_| tls.pinned) {
            notes.push(("tls-pin".into(), pin.to_string()));
        }
        if let Some(reason) = &tls.reason {
            notes.push(("tls-reason".into(), reason.clone()));
        }
    }
    notes
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
