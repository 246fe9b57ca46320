//! The one client that everybody uses.

use super::{ConnectTo, NetError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// What callers send as `Accept-Encoding`; the client adds and decodes nothing by itself, because the archive wants
/// the bytes as they were sent.
pub const ACCEPT_ENCODING: &str = "gzip, deflate, br, zstd";

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// Longest time of one request, from connecting to the last byte of the body.
    pub timeout: Duration,
    /// Longest time until the connection stands.
    pub connect_timeout: Duration,
    /// Where hosts are really found; the first rule that fits counts. With rules the system's proxy is not used.
    ///
    /// The port changes only for URLs that name no port (the resolver's port gives way to the URL's). A rule for a
    /// port other than 80 and 443 with a different PORT2 is refused; a rule for 80 or 443 holds for both. Hosts that
    /// are IP addresses are never resolved, so no rule reaches them.
    pub connect_to: Vec<ConnectTo>,
    /// Connections kept open for each host between requests.
    pub idle_per_host: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            user_agent: concat!("sangtrang/", env!("CARGO_PKG_VERSION")).to_owned(),
            timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(15),
            connect_to: Vec::new(),
            idle_per_host: 8,
        }
    }
}

/// A client that follows no redirects, keeps no cookies, decodes nothing and speaks TLS with rustls and `ring`.
///
/// # Errors
/// [`NetError`]: a connect rule that cannot be obeyed, or a user agent that is no header value.
pub fn client(options: &Options) -> Result<reqwest::Client, NetError> {
    // An error means that a provider is installed already, which is all that we want.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut builder = reqwest::Client::builder()
        .user_agent(&options.user_agent)
        .timeout(options.timeout)
        .connect_timeout(options.connect_timeout)
        .pool_max_idle_per_host(options.idle_per_host)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false);
    if !options.connect_to.is_empty() {
        for rule in &options.connect_to {
            if let (Some(port), Some(to)) = (rule.port, rule.to_port)
                && port != to
                && port != 80
                && port != 443
            {
                return Err(NetError::ExplicitPort {
                    value: rule.to_string(),
                    port,
                });
            }
        }
        builder = builder.no_proxy().dns_resolver(Resolver {
            rules: options.connect_to.clone().into(),
        });
    }
    builder.build().map_err(NetError::Client)
}

#[derive(Debug)]
struct Resolver {
    rules: Arc<[ConnectTo]>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_ascii_lowercase();
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.host.as_ref().is_none_or(|h| *h == host));
        let target = rule.and_then(|r| r.to_host.clone()).unwrap_or(host);
        // 0 is the URL's own port.
        let port = rule.and_then(|r| r.to_port).unwrap_or(0);
        Box::pin(async move {
            if let Ok(ip) = target.parse::<IpAddr>() {
                return Ok(Box::new(std::iter::once(SocketAddr::new(ip, port))) as Addrs);
            }
            let found: Vec<SocketAddr> = tokio::net::lookup_host((target.as_str(), port)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
