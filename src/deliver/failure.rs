//! What went wrong at a CMS, and what that means for us.

use serde_json::Value;
use std::time::Duration;

/// What a failed request means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It was not carried out and may be repeated.
    Transient,
    /// Too many requests: not carried out, to be repeated later.
    RateLimited,
    /// It may have been carried out.
    Ambiguous,
    /// The body is larger than the CMS takes.
    TooLarge,
    /// It will be refused every time.
    Permanent,
    /// The secret does not open the door.
    Auth,
    /// Somebody else changed the object.
    Conflict,
    /// The object is not there.
    Missing,
    /// Nothing was sent: too much time passed since the object was looked at.
    Stale,
}

/// A request that failed.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{method} {url}: {text}")]
pub struct Failure {
    /// What it means.
    pub class: Class,
    /// Status; 0 if there was no answer.
    pub status: u16,
    /// The CMS's own code (`rest_post_invalid_id`).
    pub code: String,
    /// What was asked, without query.
    pub url: String,
    /// Method.
    pub method: String,
    /// For people; holds no secret.
    pub text: String,
    /// How long the CMS wants us to wait.
    pub retry_after: Option<Duration>,
    /// The answer, if it was JSON.
    pub body: Option<Box<Value>>,
}

impl Failure {
    /// A failure that no request caused.
    #[must_use]
    pub fn of(class: Class, url: &str, text: impl Into<String>) -> Self {
        Self {
            class,
            status: 0,
            code: String::new(),
            url: url.to_owned(),
            method: "look at".into(),
            text: text.into(),
            retry_after: None,
            body: None,
        }
    }
}
