//! A POST of the notice as JSON, signed, repeated with bounds.

use super::digest::Notice;
use super::outbox::NotifyError;
use crate::net::{self, BodyLimits, read_body};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue, Method, header};
use sha2::Sha256;
use std::time::{Duration, Instant};
use url::Url;

/// Shortest wait before a repetition; it doubles.
const BACKOFF: Duration = Duration::from_millis(500);
/// Bytes of an answer that are read, to let the connection be used again.
const MAX_ANSWER: u64 = 64 << 10;

/// A webhook with its secret.
#[derive(Clone)]
pub struct WebhookTo {
    url: Url,
    secret: Option<String>,
    timeout: Duration,
    retries: u32,
}

impl std::fmt::Debug for WebhookTo {
    /// Neither the secret nor the address, which may be one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebhookTo").finish_non_exhaustive()
    }
}

impl WebhookTo {
    /// A webhook at `url`, signed with `secret` if there is one.
    ///
    /// # Errors
    /// [`NotifyError::Address`] if it is neither http nor https.
    pub fn new(
        url: &str,
        secret: Option<String>,
        timeout: Duration,
        retries: u32,
    ) -> Result<Self, NotifyError> {
        let parsed = Url::parse(url)
            .ok()
            .filter(|u| matches!(u.scheme(), "http" | "https") && u.has_host());
        let Some(url) = parsed else {
            // The address may be a secret: it is not repeated.
            return Err(NotifyError::Address(
                "the address of the webhook is neither http nor https".into(),
            ));
        };
        Ok(Self {
            url,
            secret,
            timeout,
            retries,
        })
    }
}

/// `sha256=` and the HMAC-SHA256 of `body` in hex: the form that receivers of GitHub's webhooks read.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    // HMAC takes keys of any length (RFC 2104, 2).
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(body);
    format!(
        "sha256={}",
        data_encoding::HEXLOWER.encode(mac.finalize().into_bytes().as_slice())
    )
}

/// Sends it. The error says why not, without the address.
pub(super) async fn send(to: &WebhookTo, notice: &Notice) -> Result<(), String> {
    let body = serde_json::to_vec(notice).map_err(|e| e.to_string())?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let mut put = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    put("x-sangtrang-id", &notice.id);
    if let Some(secret) = &to.secret {
        put("x-sangtrang-signature-256", &signature(secret, &body));
    }
    if !to.url.username().is_empty() {
        let user = format!("{}:{}", to.url.username(), to.url.password().unwrap_or_default());
        let basic = data_encoding::BASE64.encode(user.as_bytes());
        put("authorization", &format!("Basic {basic}"));
    }
    let client = net::client(&net::Options {
        timeout: to.timeout,
        connect_timeout: to.timeout,
        ..net::Options::default()
    })
    .map_err(|e| e.to_string())?;
    let body = Bytes::from(body);
    let mut wait = BACKOFF;
    for attempt in 0..=to.retries {
        let why = match client
            .request(Method::POST, &to.url, headers.clone(), body.clone())
            .await
        {
            Ok(response) => {
                let status = response.status;
                let limits = BodyLimits {
                    bytes: MAX_ANSWER,
                    deadline: Instant::now() + to.timeout,
                    rate: (0, Duration::ZERO),
                };
                let _ = read_body(response, limits).await;
                if status.is_success() {
                    return Ok(());
                }
                let again = status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429);
                if !again {
                    // A redirect is not followed: a signed notice goes where the mapping says, or nowhere.
                    return Err(format!("it answered {status}"));
                }
                format!("it answered {status}")
            }
            Err(error) => error.to_string(),
        };
        if attempt == to.retries {
            return Err(format!("{why}, {} times", attempt + 1));
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
    }
    Err("never tried".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_hmac_of_rfc_4231() {
        // Test case 2.
        assert_eq!(
            signature("Jefe", b"what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn only_http_is_spoken() {
        let new = |url| WebhookTo::new(url, None, Duration::from_secs(1), 0);
        for bad in [
            "file:///etc/passwd",
            "ftp://h/",
            "hooks.example.org",
            "unix:/run/x",
        ] {
            assert!(new(bad).is_err(), "{bad}");
        }
        assert!(new("https://hooks.example.org/x").is_ok());
    }
}
