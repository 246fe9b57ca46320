//! The one client that everybody uses.

use super::connector::{ConnInfo, Connector, Inner};
use super::error::{FetchError, causes};
use super::tls::{Tls, TlsRules};
use super::{ConnectTo, Guard, NetError};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// What callers send as `Accept-Encoding`; the client adds and decodes nothing by itself, because the archive wants
/// the bytes as they were sent.
pub const ACCEPT_ENCODING: &str = "gzip, deflate, br, zstd";

/// Most headers of an answer.
const MAX_HEADERS: usize = 256;
/// Most bytes of an answer's head.
const MAX_HEAD: usize = 256 << 10;
/// How long a connection without a request is kept.
const IDLE: Duration = Duration::from_secs(30);

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// Longest time from the start of a request to the end of its answer's head.
    pub timeout: Duration,
    /// Longest time for a name, a connection and a TLS handshake, each.
    pub connect_timeout: Duration,
    /// Where hosts are really found; the first rule that fits counts. With rules no proxy is used.
    pub connect_to: Vec<ConnectTo>,
    /// Connections kept open for each host between requests.
    pub idle_per_host: usize,
    /// Which addresses may be connected to; `None`: any.
    pub guard: Option<Guard>,
    /// Which TLS is spoken.
    pub tls: TlsRules,
    /// A proxy; those of the environment (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`) if absent.
    pub proxy: Option<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("sangtrang/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(15),
            connect_to: Vec::new(),
            idle_per_host: 8,
            guard: None,
            tls: TlsRules::default(),
            proxy: None,
        }
    }
}

/// A client that follows no redirects, keeps no cookies, decodes nothing and connects only where it may.
#[derive(Clone)]
pub struct Client {
    inner: legacy::Client<Connector, Full<Bytes>>,
    user_agent: HeaderValue,
    timeout: Duration,
}

/// The head of an answer, with its body to be read by [`super::read_body`].
pub struct Response {
    /// Status.
    pub status: StatusCode,
    /// Reason phrase as it was sent.
    pub reason: String,
    /// Headers, in order.
    pub headers: HeaderMap,
    /// The connection.
    pub connection: ConnInfo,
    pub(super) body: Incoming,
}

/// Makes the client.
///
/// # Errors
/// [`NetError`]: a profile that this build does not speak, a proxy or a user agent that is none.
pub fn client(options: &Options) -> Result<Client, NetError> {
    let user_agent = HeaderValue::from_str(&options.user_agent)
        .map_err(|_| NetError::UserAgent(options.user_agent.clone()))?;
    let connector = Connector(Arc::new(Inner {
        rules: options.connect_to.clone(),
        guard: options.guard.clone().unwrap_or_else(Guard::anywhere),
        connect_timeout: options.connect_timeout,
        tls: Tls::new(&options.tls)?,
        proxies: proxies(options)?,
    }));
    let inner = legacy::Client::builder(TokioExecutor::new())
        .timer(TokioTimer::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .pool_max_idle_per_host(options.idle_per_host)
        .http1_max_headers(MAX_HEADERS)
        .http1_max_buf_size(MAX_HEAD)
        // Old servers: folded headers, spaces before colons, lines that are none.
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_ignore_invalid_headers_in_responses(true)
        .build(connector);
    Ok(Client {
        inner,
        user_agent,
        timeout: options.timeout,
    })
}

/// The proxies that are asked, if any.
pub(super) fn proxies(options: &Options) -> Result<Option<Matcher>, NetError> {
    Ok(match &options.proxy {
        _ if !options.connect_to.is_empty() => None,
        Some(proxy) => Some(one_proxy(proxy)?),
        None => Some(Matcher::from_env()),
    })
}

fn one_proxy(text: &str) -> Result<Matcher, NetError> {
    let known = Url::parse(text)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "socks5" | "socks5h") && u.host_str().is_some());
    let Some(url) = known else {
        return Err(NetError::Proxy {
            value: text.split('@').next_back().unwrap_or_default().to_owned(),
        });
    };
    Ok(Matcher::builder().all(url.as_str()).build())
}

impl Client {
    /// Sends a request and waits for the head of its answer.
    ///
    /// # Errors
    /// [`FetchError`] with the class of what went wrong.
    pub async fn request(
        &self,
        method: Method,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Response, FetchError> {
        let deadline = Instant::now() + self.timeout;
        let uri: Uri = url[..url::Position::AfterQuery]
            .parse()
            .map_err(|e| FetchError::new("invalid-url", format!("`{url}` cannot be asked for: {e}")))?;
        let mut request = http::Request::new(Full::new(body));
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        request
            .headers_mut()
            .entry(header::USER_AGENT)
            .or_insert_with(|| self.user_agent.clone());
        let answer = tokio::time::timeout_at(deadline.into(), self.inner.request(request)).await;
        let response = match answer {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return Err(classify(&error)),
            Err(_) => {
                let text = format!("no answer within {} s", self.timeout.as_secs_f32());
                return Err(FetchError::new("timeout", text));
            }
        };
        let (head, body) = response.into_parts();
        let reason = match head.extensions.get::<hyper::ext::ReasonPhrase>() {
            Some(reason) => String::from_utf8_lossy(reason.as_bytes()).into_owned(),
            None => head.status.canonical_reason().unwrap_or_default().to_owned(),
        };
        Ok(Response {
            status: head.status,
            reason,
            connection: head.extensions.get().cloned().unwrap_or_default(),
            headers: head.headers,
            body,
        })
    }
}

/// The connector's own error if there is one, else what hyper says.
fn classify(error: &legacy::Error) -> FetchError {
    let mut cause: Option<&dyn std::error::Error> = Some(error);
    let mut class = "network";
    while let Some(error) = cause {
        if let Some(own) = error.downcast_ref::<FetchError>() {
            return own.clone();
        }
        if let Some(http) = error.downcast_ref::<hyper::Error>()
            && (http.is_parse() || http.is_parse_too_large() || http.is_parse_status())
        {
            class = "bad-response";
        }
        cause = error.source();
    }
    FetchError::new(class, causes(error))
}
