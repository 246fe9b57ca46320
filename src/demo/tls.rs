//! The portal behind TLS 1.0 with a self-signed RSA-1024 certificate, as it was set up in 2008.

use super::server::router;
use super::{Portal, SITE};
use axum::serve::Listener;
use openssl::asn1::Asn1Time;
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::ssl::{Ssl, SslAcceptor, SslMethod, SslVersion};
use openssl::x509::extension::SubjectAlternativeName;
use openssl::x509::{X509, X509NameBuilder};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_openssl::SslStream;
use tokio_util::sync::CancellationToken;

/// Longest handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Answers requests over TLS 1.0, and nothing newer, until `stop` is cancelled.
///
/// # Errors
/// When OpenSSL cannot be set up or the listener fails.
pub async fn serve_tls1(
    portal: Arc<Portal>,
    listener: TcpListener,
    stop: CancellationToken,
) -> io::Result<()> {
    let acceptor = acceptor().map_err(io::Error::other)?;
    axum::serve(Old { listener, acceptor }, router(portal))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

fn acceptor() -> Result<SslAcceptor, ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(1024)?)?;
    let certificate = certificate(&key)?;
    let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls_server())?;
    // Security level 0 lets a server still speak it (SSL_CTX_set_security_level(3)).
    builder.set_cipher_list("ALL:!aNULL:!eNULL:@SECLEVEL=0")?;
    builder.clear_options(openssl::ssl::SslOptions::NO_TLSV1);
    builder.set_min_proto_version(Some(SslVersion::TLS1))?;
    builder.set_max_proto_version(Some(SslVersion::TLS1))?;
    builder.set_private_key(&key)?;
    builder.set_certificate(&certificate)?;
    Ok(builder.build())
}

fn certificate(key: &PKey<Private>) -> Result<X509, ErrorStack> {
    let host = format!("{SITE}.example");
    let mut name = X509NameBuilder::new()?;
    name.append_entry_by_text("CN", &host)?;
    let name = name.build();
    let mut builder = X509::builder()?;
    builder.set_version(2)?;
    builder.set_subject_name(&name)?;
    builder.set_issuer_name(&name)?;
    builder.set_pubkey(key)?;
    let (from, to) = (Asn1Time::days_from_now(0)?, Asn1Time::days_from_now(365)?);
    builder.set_not_before(&from)?;
    builder.set_not_after(&to)?;
    let names = SubjectAlternativeName::new()
        .dns(&host)
        .build(&builder.x509v3_context(None, None))?;
    builder.append_extension(names)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

struct Old {
    listener: TcpListener,
    acceptor: SslAcceptor,
}

impl Old {
    async fn handshake(&self, tcp: TcpStream) -> Option<SslStream<TcpStream>> {
        let ssl = Ssl::new(self.acceptor.context()).ok()?;
        let mut stream = SslStream::new(ssl, tcp).ok()?;
        let done = tokio::time::timeout(HANDSHAKE, Pin::new(&mut stream).accept()).await;
        matches!(done, Ok(Ok(()))).then_some(stream)
    }
}

impl Listener for Old {
    type Io = SslStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            let (tcp, address) = Listener::accept(&mut self.listener).await;
            // Whoever speaks something newer is turned away.
            if let Some(stream) = self.handshake(tcp).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
