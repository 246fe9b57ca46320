//! Which TLS a server speaks: one handshake a profile, from the best to the oldest, until one succeeds. No request is sent.

use super::connector::{Connector, Inner};
use super::error::FetchError;
use super::tls::{Profile, Tls, TlsInfo, TlsRule, TlsRules};
use super::{Guard, NetError, Options};
use std::sync::Arc;
use tower_service::Service as _;

/// How the certificate is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// As usual: name, dates, authority.
    Valid,
    /// It is exactly the one that was seen, and the server holds its key.
    Pinned,
    /// Not at all.
    Any,
}

/// One profile that was tried.
#[derive(Debug)]
pub struct Attempt {
    /// Which one.
    pub profile: Profile,
    /// How the certificate was looked at.
    pub trust: Trust,
    /// What was spoken, or why not.
    pub result: Result<TlsInfo, FetchError>,
}

/// Tries the profiles of this build on a server: with a valid certificate, with any, and with exactly the one that was
/// seen. Ends when a profile opens the server with a certificate that proves something.
///
/// # Errors
/// [`NetError`] when a library cannot be set up.
pub async fn probe(options: &Options, host: &str, port: u16) -> Result<Vec<Attempt>, NetError> {
    let mut attempts = Vec::new();
    for profile in [Profile::Modern, Profile::Compat, Profile::Legacy] {
        if !profile.is_built() {
            break;
        }
        let mut seen = None;
        for trust in [Trust::Valid, Trust::Any, Trust::Pinned] {
            let mut rule = TlsRule {
                profile,
                allow_invalid: trust == Trust::Any,
                ..TlsRule::default()
            };
            match (trust, seen) {
                (Trust::Pinned, Some(pin)) => rule.pins = vec![pin],
                (Trust::Pinned, None) => continue,
                _ => {}
            }
            let result = shake(options, rule, host, port).await?;
            let proved = result.is_ok() && trust != Trust::Any;
            let no_tls = result.as_ref().is_err_and(|e| e.class != "tls");
            seen = result.as_ref().ok().and_then(|tls| tls.certificate);
            attempts.push(Attempt {
                profile,
                trust,
                result,
            });
            if proved || no_tls {
                return Ok(attempts);
            }
        }
    }
    Ok(attempts)
}

/// The attempt that opened the server best, if any did.
#[must_use]
pub fn best(attempts: &[Attempt]) -> Option<&Attempt> {
    let opened = |proves: bool| {
        let mut opened = attempts.iter().filter(|a| a.result.is_ok());
        opened.find(|a| (a.trust != Trust::Any) == proves)
    };
    opened(true).or_else(|| opened(false))
}

async fn shake(
    options: &Options,
    rule: TlsRule,
    host: &str,
    port: u16,
) -> Result<Result<TlsInfo, FetchError>, NetError> {
    let tls = Tls::new(&TlsRules {
        default: rule,
        ..TlsRules::default()
    })?;
    let guard = options.guard.clone().unwrap_or_else(Guard::anywhere);
    let mut connector = Connector(Arc::new(Inner {
        rules: options.connect_to.clone(),
        guard,
        connect_timeout: options.connect_timeout,
        tls,
        proxies: super::client::proxies(options)?,
    }));
    let host = if host.contains(':') {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let uri = match format!("https://{host}:{port}/").parse() {
        Ok(uri) => uri,
        Err(e) => {
            return Ok(Err(FetchError::new(
                "invalid-url",
                format!("`{host}` is no host: {e}"),
            )));
        }
    };
    let connected = connector.call(uri).await;
    Ok(connected.and_then(|c| {
        c.tls()
            .ok_or_else(|| FetchError::new("tls", "no TLS was spoken".into()))
    }))
}
