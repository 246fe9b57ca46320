//! `[network]` and `[tls]`: where connections may go, and how old their TLS may be.

use super::Span;
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[network]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// Networks that are no public ones and may be asked all the same: `10.0.0.0/8`, `127.0.0.1/32`.
    #[schemars(with = "Vec<String>")]
    pub allow: Vec<IpNet>,
    /// `http://HOST:PORT` or `socks5://HOST:PORT` (`socks5h`: names are resolved by the proxy); without it the proxies of the
    /// environment are used (`HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`). A name and a password stand there, not here.
    pub proxy: Option<String>,
    /// Longest time for a name, a connection and a TLS handshake, each.
    pub connect_timeout: Span,
    /// Fewest bytes a second of a body, over `min_rate_time`; 0: no limit.
    pub min_rate: u64,
    /// Over which time `min_rate` is counted.
    pub min_rate_time: Span,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            proxy: None,
            connect_timeout: Span::secs(15),
            min_rate: 100,
            min_rate_time: Span::secs(20),
        }
    }
}

/// `[tls]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// For all hosts that are not named below.
    pub profile: TlsProfile,
    /// Why it is not `modern`, or why certificates are not checked as usual.
    pub reason: Option<String>,
    /// Exactly these certificates are accepted, valid or not: `sha256:…` of the certificate.
    pub pins: Vec<String>,
    /// Accept any certificate.
    pub allow_invalid: bool,
    /// What holds for single hosts instead.
    pub host: Vec<TlsHost>,
}

/// `[[tls.host]]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsHost {
    /// Its name.
    pub host: String,
    /// How old its TLS may be.
    #[serde(default)]
    pub profile: TlsProfile,
    /// Why it is not `modern`, or why its certificate is not checked as usual.
    pub reason: Option<String>,
    /// Exactly these certificates are accepted, valid or not.
    #[serde(default)]
    pub pins: Vec<String>,
    /// Accept any certificate.
    #[serde(default)]
    pub allow_invalid: bool,
}

/// How old TLS may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TlsProfile {
    /// TLS 1.2 and 1.3 with forward secrecy.
    #[default]
    Modern,
    /// TLS 1.2 with static RSA, CBC, SHA-1 (OpenSSL's security level 1); needs a build with `legacy-tls`.
    Compat,
    /// TLS 1.0 and whatever the server has (security level 0); needs a build with `legacy-tls`.
    Legacy,
}
