//! Answers: a page, a failure, a file of ours.

use super::guard::Session;
use super::words::Language;
use super::{Shared, State};
use crate::ledger::LedgerError;
use axum::body::Body;
use axum::extract::State as Of;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value, json};

/// What a handler knows of who asks.
pub(super) struct Asked {
    pub(super) headers: HeaderMap,
    pub(super) session: String,
    pub(super) language: Language,
    /// Whether the language was asked for just now, and is to be remembered.
    pub(super) remember: bool,
}

impl Asked {
    pub(super) fn new(state: &State, headers: HeaderMap, session: Session, lang: Option<&str>) -> Self {
        let chosen = lang.and_then(Language::named);
        let known = state.cookie(&headers, "lang").and_then(Language::named);
        let said = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|v| v.to_str().ok())
            .and_then(Language::accepted);
        Self {
            language: chosen
                .or(known)
                .or(said)
                .unwrap_or_else(|| Language::of(&state.options.language)),
            remember: chosen.is_some(),
            session: session.0,
            headers,
        }
    }

    /// Name of the person, as far as it is known.
    pub(super) fn who(&self, state: &State) -> String {
        let cookie = state.cookie(&self.headers, "name").unwrap_or_default();
        let name = percent_encoding::percent_decode_str(cookie).decode_utf8_lossy();
        if name.is_empty() {
            state.options.who.clone()
        } else {
            name.into_owned()
        }
    }

    /// What forms bring back to show that they are of this session.
    pub(super) fn form_token(&self, state: &State) -> String {
        state.sign("form", &self.session).to_hex().to_string()
    }
}

/// What goes wrong while an answer is made.
pub(super) enum Trouble {
    /// There is no such thing.
    Nothing,
    /// The request makes no sense.
    Wrong,
    /// Told to people as it is.
    Said(StatusCode, String),
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        let status = match error {
            LedgerError::Locked { .. } => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self::Said(status, error.to_string())
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::Said(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
    }
}

impl From<minijinja::Error> for Trouble {
    fn from(error: minijinja::Error) -> Self {
        Self::Said(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}"))
    }
}

/// Does the work of an answer beside the reactor: ledger, archive and files block.
pub(super) async fn beside(
    state: Shared,
    asked: Asked,
    work: impl FnOnce(&State, &Asked) -> Result<Response, Trouble> + Send + 'static,
) -> Response {
    let done = tokio::task::spawn_blocking(move || {
        let mut answer = work(&state, &asked).unwrap_or_else(|trouble| told(&state, &asked, trouble));
        if asked.remember
            && let Some(cookie) = state.set_cookie("lang", asked.language.as_str(), Some(YEAR))
        {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
    })
    .await;
    done.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// How long names and languages are remembered, in seconds.
pub(super) const YEAR: u32 = 31_536_000;

/// A page of ours.
pub(super) fn page(
    state: &State,
    asked: &Asked,
    status: StatusCode,
    name: &str,
    mut content: Value,
) -> Result<Response, Trouble> {
    content["site"] = json!(state.options.site);
    content["who"] = json!(asked.who(state));
    content["form_token"] = json!(asked.form_token(state));
    let html = state.pages.render(asked.language, name, content)?;
    Ok((status, Html(html)).into_response())
}

fn told(state: &State, asked: &Asked, trouble: Trouble) -> Response {
    let (status, key, more) = match trouble {
        Trouble::Nothing => (StatusCode::NOT_FOUND, "trouble_nothing", String::new()),
        Trouble::Wrong => (StatusCode::BAD_REQUEST, "trouble_wrong", String::new()),
        Trouble::Said(status, text) => (status, "trouble_said", text),
    };
    let said = asked.language.word(key);
    page(
        state,
        asked,
        status,
        "trouble",
        json!({ "said": said, "more": more, "title": said }),
    )
    .unwrap_or_else(|_| status.into_response())
}

pub(super) async fn nowhere(
    Of(state): Of<Shared>,
    axum::Extension(session): axum::Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&state, headers, session, None);
    beside(state, asked, |_, _| Err(Trouble::Nothing)).await
}

fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], Body::from(text)).into_response()
}

pub(super) async fn style() -> Response {
    file("text/css; charset=utf-8", include_str!("pages/style.css"))
}

pub(super) async fn script() -> Response {
    file("text/javascript; charset=utf-8", include_str!("pages/review.js"))
}
