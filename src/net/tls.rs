//! TLS profiles: what is spoken with which host, and what was spoken. Old TLS is only spoken where the user says so, with a
//! reason.

use super::NetError;
use super::error::FetchError;
#[cfg(feature = "legacy-tls")]
use super::openssl;
use super::verify;
use std::collections::HashMap;
use std::str::FromStr;
use tokio::net::TcpStream;

/// How old TLS may be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// TLS 1.2 and 1.3 with forward secrecy, by rustls.
    #[default]
    Modern,
    /// TLS 1.2 with any cipher of security level 1 (static RSA, CBC, SHA-1), by OpenSSL.
    Compat,
    /// TLS 1.0 with whatever the server has (security level 0), by OpenSSL.
    Legacy,
}

impl Profile {
    /// For people and files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Modern => "modern",
            Self::Compat => "compat",
            Self::Legacy => "legacy",
        }
    }

    /// Can this build speak it?
    #[must_use]
    pub const fn is_built(self) -> bool {
        matches!(self, Self::Modern) || cfg!(feature = "legacy-tls")
    }
}

/// SHA-256 of a certificate (DER), as `openssl x509 -fingerprint -sha256` prints it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pin(pub [u8; 32]);

impl Pin {
    /// That of a certificate in DER.
    #[must_use]
    pub fn of(certificate: &[u8]) -> Self {
        use sha2::Digest as _;
        Self(sha2::Sha256::digest(certificate).into())
    }
}

impl std::fmt::Display for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl std::fmt::Debug for Pin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Pin {
    type Err = ();

    /// `sha256:` and 64 hexadecimal digits; colons between them are allowed.
    fn from_str(text: &str) -> Result<Self, ()> {
        let hex: String = text
            .trim()
            .strip_prefix("sha256:")
            .ok_or(())?
            .chars()
            .filter(|c| *c != ':')
            .collect();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(hex.as_bytes())
            .map_err(|_| ())?;
        Ok(Self(bytes.try_into().map_err(|_| ())?))
    }
}

/// What holds for one host.
#[derive(Clone, Debug, Default)]
pub struct TlsRule {
    /// How old it may be.
    pub profile: Profile,
    /// Exactly these certificates are accepted, valid or not; any valid one if empty.
    pub pins: Vec<Pin>,
    /// Accept any certificate.
    pub allow_invalid: bool,
    /// Why it is not the usual rule.
    pub reason: Option<String>,
}

/// What holds for a site.
#[derive(Clone, Debug, Default)]
pub struct TlsRules {
    /// For all hosts.
    pub default: TlsRule,
    /// By host, in lower case.
    pub hosts: HashMap<String, TlsRule>,
}

/// What a connection speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsInfo {
    /// The profile by which it was made.
    pub profile: Profile,
    /// `TLSv1.3`, …
    pub protocol: String,
    /// Name of the cipher suite, as its library calls it.
    pub cipher: String,
    /// The server's certificate.
    pub certificate: Option<Pin>,
    /// Was the certificate accepted without being checked?
    pub unchecked: bool,
    /// Was it accepted because it is pinned?
    pub pinned: bool,
    /// Why it is not the usual rule.
    pub reason: Option<String>,
}

/// A connection.
pub(super) enum Secured {
    Rustls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
    #[cfg(feature = "legacy-tls")]
    Openssl(Box<tokio_openssl::SslStream<TcpStream>>),
}

enum Library {
    Rustls(tokio_rustls::TlsConnector),
    #[cfg(feature = "legacy-tls")]
    Openssl(Box<::openssl::ssl::SslConnector>),
}

struct Speaker {
    library: Library,
    rule: TlsRule,
}

impl Speaker {
    fn new(rule: TlsRule, host: &str) -> Result<Self, NetError> {
        let library = match rule.profile {
            Profile::Modern => Library::Rustls(verify::connector(&rule)?),
            #[cfg(feature = "legacy-tls")]
            old => Library::Openssl(Box::new(openssl::connector(old, &rule)?)),
            #[cfg(not(feature = "legacy-tls"))]
            old => {
                return Err(NetError::Profile {
                    host: host.to_owned(),
                    profile: old.as_str(),
                });
            }
        };
        let _ = host;
        Ok(Self { library, rule })
    }
}

/// Speaks TLS by the rules of a site.
pub(super) struct Tls {
    default: Speaker,
    hosts: HashMap<String, Speaker>,
}

impl Tls {
    /// # Errors
    /// When this build cannot speak a profile, or a library cannot be set up.
    pub(super) fn new(rules: &TlsRules) -> Result<Self, NetError> {
        let mut hosts = HashMap::new();
        for (host, rule) in &rules.hosts {
            hosts.insert(host.clone(), Speaker::new(rule.clone(), host)?);
        }
        Ok(Self {
            default: Speaker::new(rules.default.clone(), "the site")?,
            hosts,
        })
    }

    /// The handshake. Also says whether HTTP/2 was agreed on.
    pub(super) async fn secure(
        &self,
        host: &str,
        tcp: TcpStream,
    ) -> Result<(Secured, TlsInfo, bool), FetchError> {
        let speaker = self
            .hosts
            .get(&host.to_ascii_lowercase())
            .unwrap_or(&self.default);
        let rule = &speaker.rule;
        let info = |protocol: String, cipher: String, certificate: Option<&[u8]>| TlsInfo {
            profile: rule.profile,
            protocol,
            cipher,
            certificate: certificate.map(Pin::of),
            unchecked: rule.allow_invalid && rule.pins.is_empty(),
            pinned: !rule.pins.is_empty(),
            reason: rule.reason.clone(),
        };
        match &speaker.library {
            Library::Rustls(connector) => {
                let name = rustls::pki_types::ServerName::try_from(host.to_owned()).map_err(|e| {
                    FetchError::new("tls", format!("`{host}` is no name of a certificate: {e}"))
                })?;
                let stream = connector.connect(name, tcp).await.map_err(|e| failed(host, &e))?;
                let session = stream.get_ref().1;
                let protocol = match session.protocol_version() {
                    Some(rustls::ProtocolVersion::TLSv1_3) => "TLSv1.3".to_owned(),
                    Some(rustls::ProtocolVersion::TLSv1_2) => "TLSv1.2".to_owned(),
                    other => format!("{other:?}"),
                };
                let cipher = session
                    .negotiated_cipher_suite()
                    .map(|c| format!("{:?}", c.suite()))
                    .unwrap_or_default();
                let certificate = session.peer_certificates().and_then(<[_]>::first);
                let info = info(protocol, cipher, certificate.map(AsRef::as_ref));
                let h2 = session.alpn_protocol() == Some(b"h2");
                Ok((Secured::Rustls(Box::new(stream)), info, h2))
            }
            #[cfg(feature = "legacy-tls")]
            Library::Openssl(connector) => {
                let stream = openssl::connect(connector, rule, host, tcp).await?;
                let ssl = stream.ssl();
                let cipher = ssl
                    .current_cipher()
                    .map(|c| c.name().to_owned())
                    .unwrap_or_default();
                let certificate = ssl.peer_certificate().and_then(|c| c.to_der().ok());
                let info = info(ssl.version_str().to_owned(), cipher, certificate.as_deref());
                Ok((Secured::Openssl(Box::new(stream)), info, false))
            }
        }
    }
}

/// What rustls says of a handshake that failed, with what to do next.
fn failed(host: &str, error: &std::io::Error) -> FetchError {
    let certificate = error
        .get_ref()
        .and_then(|e| e.downcast_ref::<rustls::Error>())
        .is_some_and(|e| {
            matches!(
                e,
                rustls::Error::InvalidCertificate(_) | rustls::Error::General(_)
            )
        });
    let next = if certificate {
        "what its certificate is"
    } else {
        "which TLS the server speaks, if it is too old for the profile `modern`"
    };
    let text = format!("no TLS with `{host}` ({error}); `sangtrang inspect tls {host}` says {next}");
    FetchError::new("tls", text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_openssl_prints_them() {
        let pin = Pin::of(b"certificate");
        let text = pin.to_string();
        assert_eq!(text.parse(), Ok(pin));
        let hex = text.strip_prefix("sha256:").unwrap().to_uppercase();
        let pairs: Vec<&str> = hex
            .as_bytes()
            .chunks(2)
            .map(|c| std::str::from_utf8(c).unwrap())
            .collect();
        assert_eq!(format!("sha256:{}", pairs.join(":")).parse(), Ok(pin));
        for bad in ["", "sha256:", "sha256:00", "sha1:00", &text[..70]] {
            assert_eq!(bad.parse::<Pin>(), Err(()), "{bad}");
        }
    }
}
