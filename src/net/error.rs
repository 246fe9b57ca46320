//! What can go wrong: before a request is sent at all, and with one request.

/// Why there is no client.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// A `--connect-to` value that cannot be read.
    #[error("`{value}` is not HOST:PORT:ADDRESS:PORT: {reason}")]
    ConnectTo {
        /// The value as given.
        value: String,
        /// What is wrong.
        reason: String,
    },
    /// A profile that this build does not speak.
    #[error(
        "the mapping wants the TLS profile `{profile}` for {host}, which this build does not speak: \
         build it with `cargo build --release --features legacy-tls` (needs OpenSSL's headers; \
         `legacy-tls-vendored` builds OpenSSL itself)"
    )]
    Profile {
        /// Where it is wanted.
        host: String,
        /// The profile.
        profile: &'static str,
    },
    /// A proxy that is no URL of one.
    #[error("`{value}` is no proxy: write `http://HOST:PORT` or `socks5://HOST:PORT`")]
    Proxy {
        /// The value as given, without credentials.
        value: String,
    },
    /// TLS could not be set up.
    #[error("cannot set up TLS: {0}")]
    Tls(#[source] rustls::Error),
    /// OpenSSL could not be set up.
    #[error("cannot set up OpenSSL: {0}")]
    Openssl(String),
    /// The user agent is no header value.
    #[error("the user agent `{0}` cannot be sent: letters, digits and signs of ASCII only")]
    UserAgent(String),
}

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchError {
    /// `dns`, `connect`, `timeout`, `tls`, `proxy`, `blocked-address`, `bad-response`, `network`, `invalid-url`.
    pub class: &'static str,
    /// For people: what, where, and what next where there is something.
    pub text: String,
}

impl FetchError {
    /// An error.
    #[must_use]
    pub fn new(class: &'static str, text: String) -> Self {
        Self { class, text }
    }
}

impl std::fmt::Display for FetchError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for FetchError {}

/// An error with its causes: the outermost text says only that something failed.
pub(super) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}
