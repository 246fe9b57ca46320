//! `[notify]`: who is told when a sync needs a person. Secrets are never in the file.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[notify]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NotifyRules {
    /// What is told.
    pub on: Vec<NotifyOn>,
    /// The first time of a problem is told at once; until it is resolved, one digest of everything that is open so often.
    pub digest: Span,
    /// A POST of JSON to an address.
    pub webhook: Option<Webhook>,
    /// An e-mail.
    pub mail: Option<Mail>,
}

impl Default for NotifyRules {
    fn default() -> Self {
        Self {
            on: vec![NotifyOn::Failure, NotifyOn::Hold, NotifyOn::Drift],
            digest: Span::hours(24),
            webhook: None,
            mail: None,
        }
    }
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NotifyOn {
    /// A sync could not go on, portal or CMS were not reachable, something was lost on the way.
    Failure,
    /// A guard holds something until a person has looked.
    Hold,
    /// Somebody changed or removed entries in the CMS.
    Drift,
}

/// `[notify.webhook]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Where to: `https://hooks.example.org/portal`.
    pub url: Option<String>,
    /// Environment variable with the address, if the address itself is a secret.
    pub url_env: Option<String>,
    /// Environment variable with the secret that signs (HMAC-SHA256).
    pub secret_env: Option<String>,
    /// Longest time for one answer.
    #[serde(default = "answer_time")]
    pub timeout: Span,
    /// How often a failure is repeated, at most 10 times; then the next sync tries again.
    #[serde(default = "retries")]
    pub retries: u32,
}

/// `[notify.mail]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mail {
    /// Host name of the mail server.
    pub server: String,
    /// Its port: 587 with `starttls`, 465 with `tls`, 25 with `none`, if absent.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// Sender.
    pub from: String,
    /// Receivers.
    pub to: Vec<String>,
    /// Environment variable with the name of the user.
    pub user_env: Option<String>,
    /// Environment variable with the password.
    pub password_env: Option<String>,
    /// Longest time for one answer of the server.
    #[serde(default = "answer_time")]
    pub timeout: Span,
}

/// How the connection to a mail server is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MailTls {
    /// TLS after STARTTLS, or nothing is sent.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: for a relay on the same machine.
    None,
}

fn answer_time() -> Span {
    Span::secs(10)
}
fn retries() -> u32 {
    3
}
