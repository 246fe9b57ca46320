//! A CMS's HTTP interface: requests with a secret that appears nowhere else, answers with a class, repeats where they cannot
//! do harm.

use super::failure::{Class, Failure};
use super::pace::Pace;
use crate::mapping::model::Target;
use crate::net::{self, BodyLimits, Client, read_body};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use url::Url;

/// Most bytes of an answer.
const MAX_ANSWER: u64 = 64 << 20;
/// Characters of an answer's text that an error repeats.
const SAID: usize = 300;

tokio::task_local! {
    /// When the object was looked at that is to be written, and how old that look may be.
    static LOOKED: (Instant, Duration);
}

/// Has `write` send its changes only as long as the look at the object that it changes is not older than `within`: a CMS
/// that asks for a pause gives its editors time. What comes too late is [`Class::Stale`].
pub(super) async fn soon<T>(
    looked: Instant,
    within: Duration,
    write: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    LOOKED.scope((looked, within), write).await
}

/// An answer that says yes.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON; `null` if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Path below the base, with query.
    pub path: String,
    /// Headers beside those of every request.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// May it be repeated without asking whether it was carried out?
    pub repeatable: bool,
}

impl Request {
    /// A GET.
    #[must_use]
    pub fn get(path: impl Into<String>) -> Self {
        Self {
            method: Method::GET,
            path: path.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            repeatable: true,
        }
    }

    /// A request with a JSON body; a POST that makes something is not repeatable.
    #[must_use]
    pub fn json(method: Method, path: impl Into<String>, body: &Value, repeatable: bool) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self {
            method,
            path: path.into(),
            headers,
            body: body.to_string().into(),
            repeatable,
        }
    }

    /// A DELETE.
    #[must_use]
    pub fn delete(path: impl Into<String>) -> Self {
        Self {
            method: Method::DELETE,
            ..Self::get(path)
        }
    }

    /// The same with a header; a value that is none is left out.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

/// How a kind of CMS says what went wrong: from status and its own code to a class.
type Classify = dyn Fn(u16, &str, &Value, &Method) -> Option<Class> + Send + Sync;

/// Where answers say what went wrong: JSON pointers, the first that is there counts.
#[derive(Clone, Debug)]
pub struct Words {
    /// Of the CMS's own code.
    pub code: Vec<String>,
    /// Of the text for people.
    pub text: Vec<String>,
}

impl Default for Words {
    fn default() -> Self {
        let all = |list: &[&str]| list.iter().map(|p| (*p).to_owned()).collect();
        Self {
            code: all(&["/code", "/errors/0/extensions/code", "/error/name"]),
            text: all(&["/message", "/errors/0/message", "/error/message", "/detail"]),
        }
    }
}

impl Words {
    fn first<'j>(pointers: &[String], json: &'j Value) -> Option<&'j str> {
        pointers.iter().find_map(|p| json.pointer(p)?.as_str())
    }
}

/// Why there is no interface to a CMS.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The secret is not there.
    #[error("{0}")]
    Secret(String),
    /// The address is none.
    #[error("`{0}` is not the address of a CMS")]
    Url(String),
    /// The declaration of the target cannot be used.
    #[error("the target's rules: {0}")]
    Rules(String),
    /// No client.
    #[error(transparent)]
    Net(#[from] net::NetError),
}

/// How a CMS is let know who asks.
pub enum Auth {
    /// HTTP Basic.
    Basic(String, String),
    /// A token.
    Bearer(String),
    /// A header of the CMS's own.
    Header {
        /// Its name.
        name: String,
        /// What stands before the secret.
        prefix: String,
        /// The secret.
        secret: String,
    },
}

/// The interface.
pub struct Api {
    client: Client,
    base: Url,
    auth: (HeaderName, HeaderValue),
    secret: String,
    classify: Box<Classify>,
    words: Words,
    timeout: Duration,
    retries: u32,
    /// When requests may be sent, and how many at once.
    pub pace: Arc<Pace>,
}

impl Api {
    /// To the CMS of `target`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn new(
        target: &Target,
        auth: Auth,
        classify: impl Fn(u16, &str, &Value, &Method) -> Option<Class> + Send + Sync + 'static,
    ) -> Result<Self, ApiError> {
        use base64::Engine as _;
        let mut base = Url::parse(&target.url).map_err(|_| ApiError::Url(target.url.clone()))?;
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        let (name, text, secret) = match auth {
            Auth::Basic(user, password) => {
                let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
                (header::AUTHORIZATION, format!("Basic {pair}"), password)
            }
            Auth::Bearer(token) => (header::AUTHORIZATION, format!("Bearer {token}"), token),
            Auth::Header { name, prefix, secret } => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| ApiError::Rules(format!("`{name}` is no name of a header")))?;
                (name, format!("{prefix}{secret}"), secret)
            }
        };
        let mut auth = HeaderValue::from_str(&text)
            .map_err(|_| ApiError::Secret("the secret holds signs that no header can carry".into()))?;
        auth.set_sensitive(true);
        let mut options = net::Options {
            timeout: target.timeout.0,
            idle_per_host: target.concurrency,
            ..net::Options::default()
        };
        if let Some(pin) = target.pin.as_deref().and_then(|p| p.parse().ok()) {
            options.tls.default.pins = vec![pin];
            options.tls.default.reason = Some("pinned by the mapping's target".into());
        }
        Ok(Self {
            client: net::client(&options)?,
            base,
            auth: (name, auth),
            secret,
            classify: Box::new(classify),
            words: Words::default(),
            timeout: target.timeout.0,
            retries: target.retries,
            pace: Arc::new(Pace::new(target.concurrency, target.floor.0)),
        })
    }

    /// The same, with errors that are told elsewhere in an answer.
    #[must_use]
    pub fn with_words(self, words: Words) -> Self {
        Self { words, ..self }
    }

    /// Address of the CMS.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// How often something is tried again.
    #[must_use]
    pub fn retries(&self) -> u32 {
        self.retries
    }

    /// Sends a request; repeats it after failures that are over some time, if it is repeatable.
    ///
    /// # Errors
    /// [`Failure`] with its class; for what is not repeatable, whatever is not certain is [`Class::Ambiguous`].
    pub async fn call(&self, request: Request) -> Result<Answer, Failure> {
        let mut attempt = 0;
        loop {
            let failure = match self.once(&request).await {
                Ok(answer) => {
                    self.pace.went_well();
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            let again = match failure.class {
                Class::RateLimited => true,
                Class::Transient | Class::Ambiguous => request.repeatable,
                _ => false,
            };
            self.pace.went_wrong(&failure, attempt);
            if !again || attempt >= self.retries {
                return Err(failure);
            }
            attempt += 1;
            tracing::info!(%failure, attempt, "trying again");
        }
    }

    /// Sends a request once and says what its answer means.
    async fn once(&self, request: &Request) -> Result<Answer, Failure> {
        let url = self
            .base
            .join(request.path.trim_start_matches('/'))
            .map_err(|e| Failure::of(Class::Permanent, &request.path, e.to_string()))?;
        // Whatever a path says, the secret goes to the CMS alone.
        if url.origin() != self.base.origin() || !url.path().starts_with(self.base.path()) {
            return Err(Failure::of(
                Class::Permanent,
                url.as_str(),
                "this is no address of the CMS: nothing was sent",
            ));
        }
        let _lane = self.pace.lane().await;
        let late = LOOKED.try_with(|(looked, within)| looked.elapsed() > *within);
        if late == Ok(true) && request.method != Method::GET {
            return Err(Failure::of(
                Class::Stale,
                url.as_str(),
                "too late after the last look: nothing was sent",
            ));
        }
        let mut headers = request.headers.clone();
        headers.insert(self.auth.0.clone(), self.auth.1.clone());
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        let fail = |class, status, code: &str, text: String| Failure {
            class,
            status,
            code: code.to_owned(),
            url: url[..url::Position::AfterPath].to_owned(),
            method: request.method.to_string(),
            text: text.replace(&self.secret, "(secret)"),
            retry_after: None,
            body: None,
        };
        let unsure = if request.repeatable {
            Class::Transient
        } else {
            Class::Ambiguous
        };
        let response = self
            .client
            .request(request.method.clone(), &url, headers, request.body.clone())
            .await
            .map_err(|e| {
                // Nothing was sent where there was no connection.
                let class = match e.class {
                    "dns" | "connect" | "proxy" => Class::Transient,
                    "tls" | "blocked-address" | "invalid-url" => Class::Permanent,
                    _ => unsure,
                };
                fail(class, 0, e.class, e.text)
            })?;
        let (status, headers) = (response.status, response.headers.clone());
        let limits = BodyLimits {
            bytes: MAX_ANSWER,
            deadline: Instant::now() + self.timeout,
            rate: (0, Duration::from_secs(1)),
        };
        let (body, cut) = read_body(response, limits).await;
        if let Some(cut) = cut {
            return Err(fail(
                unsure,
                status.as_u16(),
                "truncated",
                format!("the answer broke off ({cut:?})"),
            ));
        }
        let answer = Answer {
            status: status.as_u16(),
            headers,
            body,
        };
        if status.is_success() {
            // A page for people in the place of JSON comes from something before the CMS.
            let html = answer.body.first() == Some(&b'<');
            if html && request.headers.get("x-raw").is_none() {
                return Err(fail(
                    unsure,
                    status.as_u16(),
                    "html",
                    "an HTML page instead of JSON".into(),
                ));
            }
            return Ok(answer);
        }
        Err(self.refused(&answer, request, status, &fail))
    }

    /// Headers of a request at an address.
    fn at(&self, url: &Url) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if url.origin() == self.base.origin() {
            headers.insert(self.auth.0.clone(), self.auth.1.clone());
        }
        headers
    }

    fn refused(
        &self,
        answer: &Answer,
        request: &Request,
        status: StatusCode,
        fail: &dyn Fn(Class, u16, &str, String) -> Failure,
    ) -> Failure {
        let json = answer.json();
        let code = Words::first(&self.words.code, &json).unwrap_or_default();
        let said = Words::first(&self.words.text, &json);
        let own = (!json.is_null())
            .then(|| (self.classify)(status.as_u16(), code, &json, &request.method))
            .flatten();
        let class = own.unwrap_or(match status.as_u16() {
            408 | 425 => Class::Transient,
            429 => Class::RateLimited,
            // Only who repeats without looking may call these transient.
            500..=599 if request.repeatable => Class::Transient,
            500..=599 => Class::Ambiguous,
            401 => Class::Auth,
            404 | 410 => Class::Missing,
            409 | 412 => Class::Conflict,
            413 => Class::TooLarge,
            _ => Class::Permanent,
        });
        let text = match said {
            Some(said) => said.chars().take(SAID).collect(),
            None if json.is_null() => {
                format!("{status}, and no JSON: something before the CMS answers")
            }
            None => format!(
                "{status} {}",
                json.to_string().chars().take(SAID).collect::<String>()
            ),
        };
        Failure {
            retry_after: retry_after(&answer.headers),
            body: (!json.is_null()).then(|| Box::new(json.clone())),
            ..fail(class, status.as_u16(), code, text)
        }
    }

    /// Bytes of a file of the CMS. The secret goes along to the CMS's own origin only.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn file(&self, url: &Url, limit: u64) -> Result<Vec<u8>, Failure> {
        let (status, _, body) = self.public(url, limit).await?;
        if status != 200 {
            let class = if status == 404 {
                Class::Missing
            } else {
                Class::Permanent
            };
            return Err(Failure {
                status,
                ..Failure::of(class, url.as_str(), format!("status {status}"))
            });
        }
        Ok(body)
    }

    /// Reads a public file of the CMS, for comparison. The secret goes along to the CMS's own origin only.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn public(&self, url: &Url, limit: u64) -> Result<(u16, HeaderMap, Vec<u8>), Failure> {
        let mut last = None;
        for attempt in 0..=self.retries {
            let _lane = self.pace.lane().await;
            let failure = match self
                .client
                .request(Method::GET, url, self.at(url), Bytes::new())
                .await
            {
                Ok(response) => {
                    let (status, headers) = (response.status.as_u16(), response.headers.clone());
                    let limits = BodyLimits {
                        bytes: limit,
                        deadline: Instant::now() + self.timeout,
                        rate: (0, Duration::from_secs(1)),
                    };
                    let (body, cut) = read_body(response, limits).await;
                    if cut.is_none() && status != 429 && status < 500 {
                        return Ok((status, headers, body));
                    }
                    Failure {
                        status,
                        retry_after: retry_after(&headers),
                        ..Failure::of(Class::Transient, url.as_str(), format!("status {status}"))
                    }
                }
                Err(error) => Failure::of(Class::Transient, url.as_str(), error.text),
            };
            self.pace.went_wrong(&failure, attempt);
            last = Some(failure);
        }
        Err(last.unwrap_or_else(|| Failure::of(Class::Transient, url.as_str(), "no answer")))
    }
}

/// Retry-After in seconds or as a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = httpdate::parse_http_date(text).ok()?;
    Some(
        at.duration_since(std::time::SystemTime::now())
            .unwrap_or_default(),
    )
}

/// A part of a path or a value of a query.
#[must_use]
pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}
