//! From a URL to a connection: resolve, check the address, connect, go through a proxy, speak TLS.

use super::error::FetchError;
use super::tls::{Secured, Tls, TlsInfo};
use super::{ConnectTo, Guard};
use http::Uri;
use hyper_util::client::legacy::connect::proxy::{SocksV5, Tunnel};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tower_service::Service;

/// Addresses of one name that are tried.
const MAX_ADDRESSES: usize = 4;

/// What is known of the connection behind an answer.
#[derive(Clone, Debug, Default)]
pub struct ConnInfo {
    /// Who answered; the proxy, if there is one.
    pub peer: Option<SocketAddr>,
    /// What is spoken; `None` without TLS.
    pub tls: Option<Arc<TlsInfo>>,
}

pub(super) struct Inner {
    pub(super) rules: Vec<ConnectTo>,
    pub(super) guard: Guard,
    pub(super) connect_timeout: Duration,
    pub(super) tls: Tls,
    pub(super) proxies: Option<Matcher>,
}

/// Makes connections for the pool.
#[derive(Clone)]
pub(super) struct Connector(pub(super) Arc<Inner>);

type Connecting<T> = Pin<Box<dyn Future<Output = Result<T, FetchError>> + Send>>;

impl Service<Uri> for Connector {
    type Response = Conn;
    type Error = FetchError;
    type Future = Connecting<Conn>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move { inner.connect(uri).await })
    }
}

/// Plain connections to a proxy: its address is the user's own word.
#[derive(Clone)]
struct ToProxy(Arc<Inner>);

impl Service<Uri> for ToProxy {
    type Response = TokioIo<TcpStream>;
    type Error = FetchError;
    type Future = Connecting<TokioIo<TcpStream>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), FetchError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let inner = self.0.clone();
        Box::pin(async move {
            let (host, port) = place(&uri)?;
            inner.tcp(&host, port, true).await.map(TokioIo::new)
        })
    }
}

/// Host without brackets, and port.
fn place(uri: &Uri) -> Result<(String, u16), FetchError> {
    let host = uri
        .host()
        .ok_or_else(|| FetchError::new("invalid-url", format!("`{uri}` names no host")))?;
    let usual = match uri.scheme_str() {
        Some("https") => 443,
        Some("socks5" | "socks5h") => 1080,
        _ => 80,
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

impl Inner {
    async fn connect(self: Arc<Self>, uri: Uri) -> Result<Conn, FetchError> {
        let (host, port) = place(&uri)?;
        let https = uri.scheme_str() == Some("https");
        let proxy = self.proxies.as_ref().and_then(|p| p.intercept(&uri));
        let mut proxied = false;
        let tcp = match proxy {
            None => self.tcp(&host, port, false).await?,
            Some(proxy) => {
                // A name is resolved by the proxy; an address can be looked at here.
                if let Ok(address) = host.parse() {
                    self.check(&host, address)?;
                }
                let failed = |e: &dyn std::error::Error| FetchError::new("proxy", super::error::causes(e));
                let to = proxy.uri().clone();
                let via = ToProxy(self.clone());
                match to.scheme_str() {
                    Some(scheme @ ("socks5" | "socks5h" | "socks4" | "socks4a")) => {
                        if scheme.starts_with("socks4") {
                            return Err(FetchError::new(
                                "proxy",
                                "SOCKS 4 is not spoken; use socks5".into(),
                            ));
                        }
                        let mut socks = SocksV5::new(to.clone(), via).local_dns(scheme == "socks5");
                        if let Some((user, password)) = proxy.raw_auth() {
                            socks = socks.with_auth(user.to_owned(), password.to_owned());
                        }
                        let stream = timeout(self.connect_timeout, socks.call(uri.clone())).await;
                        stream
                            .map_err(|_| slow("the proxy"))?
                            .map_err(|e| failed(&e))?
                            .into_inner()
                    }
                    _ if https => {
                        let mut tunnel = Tunnel::new(to, via);
                        if let Some(auth) = proxy.basic_auth() {
                            tunnel = tunnel.with_auth(auth.clone());
                        }
                        let stream = timeout(self.connect_timeout, tunnel.call(uri.clone())).await;
                        stream
                            .map_err(|_| slow("the proxy"))?
                            .map_err(|e| failed(&e))?
                            .into_inner()
                    }
                    _ => {
                        proxied = true;
                        let (host, port) = place(&to)?;
                        self.tcp(&host, port, true).await?
                    }
                }
            }
        };
        let peer = tcp.peer_addr().ok();
        if !https {
            let info = ConnInfo { peer, tls: None };
            return Ok(Conn::new(Stream::Plain(tcp), info, proxied, false));
        }
        let secured = timeout(self.connect_timeout, self.tls.secure(&host, tcp)).await;
        let (stream, tls, h2) = secured.map_err(|_| slow("the TLS handshake"))??;
        let info = ConnInfo {
            peer,
            tls: Some(Arc::new(tls)),
        };
        Ok(Conn::new(Stream::Tls(stream), info, false, h2))
    }

    /// A connection to a host, by the rules and past the guard; `word`: it is the user's own word that it may be anywhere.
    async fn tcp(&self, host: &str, port: u16, word: bool) -> Result<TcpStream, FetchError> {
        let rule = self
            .rules
            .iter()
            .find(|rule| rule.host.as_ref().is_none_or(|h| h == host) && rule.port.is_none_or(|p| p == port));
        let to = rule.and_then(|r| r.to_host.as_deref()).unwrap_or(host);
        let port = rule.and_then(|r| r.to_port).unwrap_or(port);
        let word = word || rule.is_some_and(|r| r.to_host.is_some());
        let addresses: Vec<SocketAddr> = match to.parse::<IpAddr>() {
            Ok(ip) => vec![SocketAddr::new(ip, port)],
            Err(_) => timeout(self.connect_timeout, tokio::net::lookup_host((to, port)))
                .await
                .map_err(|_| slow("the name server"))?
                .map_err(|e| FetchError::new("dns", format!("`{to}` has no address: {e}")))?
                .collect(),
        };
        let mut refused = None;
        let mut last = FetchError::new("dns", format!("`{to}` has no address"));
        for address in addresses.into_iter().take(MAX_ADDRESSES) {
            if !word && let Err(error) = self.check(host, address.ip()) {
                refused = Some(error);
                continue;
            }
            match timeout(self.connect_timeout, TcpStream::connect(address)).await {
                Ok(Ok(stream)) => {
                    // Requests are small and whole.
                    let _ = stream.set_nodelay(true);
                    return Ok(stream);
                }
                Ok(Err(e)) => last = FetchError::new("connect", format!("cannot connect to {address}: {e}")),
                Err(_) => last = slow(&format!("the connection to {address}")),
            }
            refused = None;
        }
        Err(refused.unwrap_or(last))
    }

    fn check(&self, host: &str, address: IpAddr) -> Result<(), FetchError> {
        match self.guard.refuses(host, address) {
            None => Ok(()),
            Some(kind) => {
                let width = if address.is_ipv4() { 32 } else { 128 };
                Err(FetchError::new(
                    "blocked-address",
                    format!(
                        "`{host}` is at {address}, which is a {kind} address: nothing is asked there, unless `--allow-net {address}/{width}` or `network.allow` in the mapping says so"
                    ),
                ))
            }
        }
    }
}

fn slow(what: &str) -> FetchError {
    FetchError::new("timeout", format!("{what} took too long"))
}

enum Stream {
    Plain(TcpStream),
    Tls(Secured),
}

/// A connection with what is known of it.
pub(super) struct Conn {
    io: TokioIo<Stream>,
    info: ConnInfo,
    proxied: bool,
    h2: bool,
}

impl Conn {
    fn new(stream: Stream, info: ConnInfo, proxied: bool, h2: bool) -> Self {
        Self {
            io: TokioIo::new(stream),
            info,
            proxied,
            h2,
        }
    }
}

impl Conn {
    /// What is spoken.
    pub(super) fn tls(&self) -> Option<TlsInfo> {
        self.info.tls.as_deref().cloned()
    }
}

impl Connection for Conn {
    fn connected(&self) -> Connected {
        let connected = Connected::new().proxy(self.proxied).extra(self.info.clone());
        if self.h2 {
            connected.negotiated_h2()
        } else {
            connected
        }
    }
}

impl hyper::rt::Read for Conn {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buf)
    }
}

impl hyper::rt::Write for Conn {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

/// One call for all kinds of streams.
macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Plain($stream) => $call,
            Stream::Tls(Secured::Rustls($stream)) => $call,
            #[cfg(feature = "legacy-tls")]
            Stream::Tls(Secured::Openssl($stream)) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
