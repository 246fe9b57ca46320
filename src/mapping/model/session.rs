//! `[session]`: how the site knows us. Secrets are never in the file, only the names of environment variables.

use crate::mapping::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `[session]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Session {
    /// Headers of every request at the site (`Accept-Language`).
    pub headers: BTreeMap<String, String>,
    /// Cookies to begin with: `lang=vi`.
    pub cookies: Vec<String>,
    /// HTTP Basic (RFC 7617), at the origin of `site.base` only.
    pub basic: Option<Basic>,
    /// Environment variable with a Bearer token (RFC 6750), at the origin of `site.base` only.
    pub bearer_env: Option<String>,
    /// A form that lets us in.
    pub login: Option<Login>,
}

/// `session.basic`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Basic {
    /// Environment variable with the name.
    pub user_env: String,
    /// Environment variable with the password.
    pub password_env: String,
}

/// `session.login`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Page with the form, relative to `site.base`.
    pub url: String,
    /// The form; the first one with a password if absent.
    pub form: Option<Css>,
    /// What is filled in, by field; all other fields are sent as they are.
    pub fields: BTreeMap<String, LoginField>,
    /// How the page behind it shows that we are in; if absent: it has no such form any more.
    pub success: Option<LoginSuccess>,
}

/// `session.login.fields.NAME`: one of both.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginField {
    /// As it is.
    pub value: Option<String>,
    /// Environment variable that holds it.
    pub env: Option<String>,
}

/// `session.login.success`: all that are given must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoginSuccess {
    /// Something on the page.
    pub css: Option<Css>,
    /// Text on the page (folded).
    pub text: Option<String>,
    /// Its address.
    pub url: Option<Pattern>,
}
