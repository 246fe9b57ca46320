//! Who may ask for what: the host, the token, the form's own token; and the headers that every answer has.

use super::{Shared, State};
use axum::extract::{Request, State as Of};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use std::net::IpAddr;

/// What a page of ours may do: its own style and script, its own pictures and frames, forms to itself.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; frame-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

impl State {
    /// Signs a text; nobody else can.
    pub(super) fn sign(&self, purpose: &str, text: &str) -> blake3::Hash {
        blake3::keyed_hash(&self.secret, format!("{purpose}\n{text}").as_bytes())
    }

    /// Whether a signature is ours. Comparing hashes takes the same time wherever they differ.
    pub(super) fn is_signed(&self, purpose: &str, text: &str, signature: &str) -> bool {
        blake3::Hash::from_hex(signature).is_ok_and(|given| given == self.sign(purpose, text))
    }

    /// Name of a cookie; two servers on one machine do not share theirs.
    pub(super) fn cookie_name(&self, what: &str) -> String {
        format!("sangtrang_{what}_{}", self.address.port())
    }

    /// Value of a cookie of ours.
    pub(super) fn cookie<'h>(&self, headers: &'h HeaderMap, what: &str) -> Option<&'h str> {
        let name = self.cookie_name(what);
        let all = headers.get_all(header::COOKIE).into_iter();
        all.filter_map(|h| h.to_str().ok())
            .flat_map(|h| h.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value)
    }

    /// A cookie that only this site gets back.
    pub(super) fn set_cookie(&self, what: &str, value: &str, seconds: Option<u32>) -> Option<HeaderValue> {
        let age = seconds.map(|s| format!("; Max-Age={s}")).unwrap_or_default();
        let name = self.cookie_name(what);
        HeaderValue::from_str(&format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict{age}")).ok()
    }

    /// Whether the address that the browser asked for is one of ours: another site that lets its name point at this machine
    /// (DNS rebinding) asks under its own.
    fn is_our_host(&self, host: &str) -> bool {
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.contains(']') => (name, port.parse().ok()),
            _ => (host, Some(80)),
        };
        let bare = name.trim_start_matches('[').trim_end_matches(']');
        let loopback = self.address.ip().is_loopback();
        let known = match bare.parse::<IpAddr>() {
            Ok(address) => address.is_loopback() || !loopback,
            Err(_) => {
                bare.eq_ignore_ascii_case("localhost")
                    || self.options.hosts.iter().any(|h| h.eq_ignore_ascii_case(bare))
            }
        };
        // Behind a server that speaks TLS for us the port is another one; its name was then given.
        let named = self.options.hosts.iter().any(|h| h.eq_ignore_ascii_case(bare));
        known && (named || port == Some(self.address.port()))
    }

    fn has_token(&self, given: &str) -> bool {
        let hash = |text: &str| self.sign("token", text);
        self.options
            .token
            .as_deref()
            .is_none_or(|t| hash(t) == hash(given))
    }
}

/// The host of a request.
pub(super) fn host(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::HOST)?.to_str().ok()
}

/// Random enough that nobody guesses it: 32 hexadecimal digits.
fn session() -> Option<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).ok()?;
    Some(data_encoding::HEXLOWER.encode(&bytes))
}

/// A session, as the guard hands it on.
#[derive(Clone, Debug)]
pub(super) struct Session(pub(super) String);

pub(super) async fn guard(Of(state): Of<Shared>, mut request: Request, next: Next) -> Response {
    let plain = |status, text: &'static str| sealed((status, text).into_response());
    if !host(request.headers()).is_some_and(|h| state.is_our_host(h)) {
        return plain(
            StatusCode::MISDIRECTED_REQUEST,
            "This server does not answer under that name. Use the address that it printed; --host NAME allows another one.\n",
        );
    }
    // Pictures inside the sandboxed frame come without cookies: their addresses are signed instead.
    let path = request.uri().path();
    let signed = path.starts_with("/media/") || path.starts_with("/archive/");
    if !signed && state.options.token.is_some() {
        let query = request.uri().query().unwrap_or_default();
        let given = query.split('&').find_map(|pair| pair.strip_prefix("token="));
        if let Some(given) = given {
            if !state.has_token(given) {
                return plain(StatusCode::FORBIDDEN, "That token is wrong.\n");
            }
            // Out of the address bar, into a cookie.
            let mut answer = (StatusCode::SEE_OTHER, [(header::LOCATION, path.to_owned())]).into_response();
            if let Some(cookie) = state.set_cookie("token", given, None) {
                answer.headers_mut().append(header::SET_COOKIE, cookie);
            }
            return sealed(answer);
        }
        if !state
            .cookie(request.headers(), "token")
            .is_some_and(|given| state.has_token(given))
        {
            return plain(
                StatusCode::FORBIDDEN,
                "Open the address that the server printed, with its token.\n",
            );
        }
    }
    if request.method() == Method::POST && !is_from_here(request.headers()) {
        return plain(StatusCode::FORBIDDEN, "This form was sent from another site.\n");
    }
    let known = state.cookie(request.headers(), "session").map(str::to_owned);
    let fresh = known.is_none();
    let Some(id) = known.or_else(session) else {
        return plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "This machine gives no random numbers.\n",
        );
    };
    request.extensions_mut().insert(Session(id.clone()));
    let mut answer = next.run(request).await;
    if fresh
        && !signed
        && let Some(cookie) = state.set_cookie("session", &id, None)
    {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    sealed(answer)
}

/// Whether a browser says that a form was sent from a page of ours. One that says nothing has the form's own token to show.
fn is_from_here(headers: &HeaderMap) -> bool {
    let word = |name: HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let site = word(HeaderName::from_static("sec-fetch-site")).is_none_or(|s| s == "same-origin");
    let origin = word(header::ORIGIN).is_none_or(|origin| {
        let name = origin.split_once("://").map(|(_, name)| name);
        name.is_some() && name == host(headers)
    });
    site && origin
}

/// The headers that every answer has.
fn sealed(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    // Not `no-referrer`: then browsers send `Origin: null` with our own forms (Fetch, "append a request Origin header").
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::CACHE_CONTROL, "no-store");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
            .collect()
    }

    #[test]
    fn forms_of_other_sites_are_known_by_what_the_browser_says() {
        let ours = ("host", "127.0.0.1:8080");
        for (more, from_here) in [
            (vec![], true),
            (
                vec![
                    ("origin", "http://127.0.0.1:8080"),
                    ("sec-fetch-site", "same-origin"),
                ],
                true,
            ),
            (vec![("origin", "http://evil.example")], false),
            (vec![("origin", "null")], false),
            (
                vec![
                    ("origin", "http://127.0.0.1:8081"),
                    ("sec-fetch-site", "same-site"),
                ],
                false,
            ),
            (vec![("sec-fetch-site", "cross-site")], false),
        ] {
            let all: Vec<_> = std::iter::once(ours).chain(more).collect();
            assert_eq!(is_from_here(&headers(&all)), from_here, "{all:?}");
        }
    }
}
