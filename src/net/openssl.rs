//! Old TLS, by OpenSSL: only in builds with the feature `legacy-tls`, only where the user says so.

use super::NetError;
use super::error::FetchError;
use super::tls::{Pin, Profile, TlsRule};
use openssl::error::ErrorStack;
use openssl::ssl::{SslConnector, SslMethod, SslOptions, SslRef, SslVerifyMode, SslVersion};
use openssl::x509::X509VerifyResult;
use std::pin::Pin as Pinned;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

/// A connector for an old profile.
pub(super) fn connector(profile: Profile, rule: &TlsRule) -> Result<SslConnector, NetError> {
    build(profile, rule).map_err(|e| NetError::Openssl(e.to_string()))
}

fn build(profile: Profile, rule: &TlsRule) -> Result<SslConnector, ErrorStack> {
    let mut builder = SslConnector::builder(SslMethod::tls_client())?;
    if profile == Profile::Legacy {
        // Security level 0 allows TLS 1.0, 1024-bit keys and SHA-1 signatures (SSL_CTX_set_security_level(3)).
        builder.set_cipher_list("ALL:!aNULL:!eNULL:@SECLEVEL=0")?;
        builder.set_min_proto_version(Some(SslVersion::TLS1))?;
        // Servers without RFC 5746.
        builder.set_options(SslOptions::from_bits_retain(0x4));
    } else {
        builder.set_cipher_list("DEFAULT:@SECLEVEL=1")?;
        builder.set_min_proto_version(Some(SslVersion::TLS1_2))?;
    }
    if !rule.pins.is_empty() || rule.allow_invalid {
        // The pin is looked at when the handshake is done; it has proved that the server holds the key.
        builder.set_verify(SslVerifyMode::NONE);
    }
    Ok(builder.build())
}

/// The handshake.
pub(super) async fn connect(
    connector: &SslConnector,
    rule: &TlsRule,
    host: &str,
    tcp: TcpStream,
) -> Result<SslStream<TcpStream>, FetchError> {
    let failed = |why: String| {
        let text = format!(
            "no TLS with `{host}` ({why}); `sangtrang inspect tls {host}` says what the server speaks"
        );
        FetchError::new("tls", text)
    };
    let chosen = !rule.pins.is_empty() || rule.allow_invalid;
    let ssl = connector
        .configure()
        .and_then(|c| c.verify_hostname(!chosen).into_ssl(host))
        .map_err(|e| failed(e.to_string()))?;
    let mut stream = SslStream::new(ssl, tcp).map_err(|e| failed(e.to_string()))?;
    if let Err(error) = Pinned::new(&mut stream).connect().await {
        return Err(failed(reason(&error, stream.ssl())));
    }
    if !rule.pins.is_empty() {
        let certificate = stream.ssl().peer_certificate().and_then(|c| c.to_der().ok());
        let pin = certificate.map(|der| Pin::of(&der));
        if !pin.is_some_and(|pin| rule.pins.contains(&pin)) {
            let what = pin.map_or_else(|| "missing".to_owned(), |pin| pin.to_string());
            return Err(failed(format!("its certificate is {what}, which is not pinned")));
        }
    }
    Ok(stream)
}

/// What the library says, without its source files and numbers.
fn reason(error: &openssl::ssl::Error, ssl: &SslRef) -> String {
    let verified = ssl.verify_result();
    if verified != X509VerifyResult::OK {
        return format!("invalid certificate: {}", verified.error_string());
    }
    let stack = error.ssl_error().map(ErrorStack::errors).unwrap_or_default();
    let first = stack.iter().find_map(openssl::error::Error::reason);
    first.map_or_else(|| error.to_string(), str::to_owned)
}
