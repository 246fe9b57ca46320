//! What can go wrong before a request is sent.

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
    /// A rule that would change the port of URLs that name their port.
    #[error(
        "`{value}` cannot be obeyed: a URL that names port {port} is always connected to that port; \
         let the server listen on {port}, or leave the port out of the site's URLs"
    )]
    ExplicitPort {
        /// The rule.
        value: String,
        /// The port it wants to replace.
        port: u16,
    },
    /// The client could not be built: TLS, proxy or user agent.
    #[error("cannot set up the HTTP client: {0}")]
    Client(#[source] reqwest::Error),
}
