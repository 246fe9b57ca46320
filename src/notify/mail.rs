//! The notice as an e-mail.

use super::digest::Notice;
use super::outbox::NotifyError;
use lettre::message::{Mailbox, header::ContentType};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use std::time::Duration;

/// How a server is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// TLS after STARTTLS, or nothing is sent.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None.
    None,
}

/// A mail server and who gets what.
#[derive(Clone)]
pub struct MailTo {
    /// Host name.
    pub server: String,
    /// Port; the usual one of `protection` if absent.
    pub port: Option<u16>,
    /// TLS.
    pub protection: Protection,
    /// Name and password.
    pub login: Option<(String, String)>,
    /// Longest time for one answer.
    pub timeout: Duration,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl std::fmt::Debug for MailTo {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailTo")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl MailTo {
    /// From whom, to whom, by which server.
    ///
    /// # Errors
    /// [`NotifyError::Address`] with the address that is none.
    pub fn new(server: &str, from: &str, to: &[String]) -> Result<Self, NotifyError> {
        let read = |text: &str| {
            text.parse::<Mailbox>()
                .map_err(|e| NotifyError::Address(format!("`{text}` is no e-mail address: {e}")))
        };
        Ok(Self {
            server: server.to_owned(),
            port: None,
            protection: Protection::Starttls,
            login: None,
            timeout: Duration::from_secs(10),
            from: read(from)?,
            to: to.iter().map(|t| read(t)).collect::<Result<_, _>>()?,
        })
    }
}

/// Sends it.
pub(super) async fn send(to: &MailTo, notice: &Notice) -> Result<(), String> {
    let mut message = Message::builder()
        .from(to.from.clone())
        .subject(notice.subject())
        .message_id(Some(format!("<{}@sangtrang.invalid>", notice.id)))
        .header(ContentType::TEXT_PLAIN);
    for receiver in &to.to {
        message = message.to(receiver.clone());
    }
    let message = message.body(notice.text()).map_err(|e| e.to_string())?;
    let parameters = || TlsParameters::new(to.server.clone()).map_err(|e| e.to_string());
    let (tls, port) = match to.protection {
        Protection::Starttls => (Tls::Required(parameters()?), 587),
        Protection::Tls => (Tls::Wrapper(parameters()?), 465),
        Protection::None => (Tls::None, 25),
    };
    let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&to.server)
        .port(to.port.unwrap_or(port))
        .tls(tls)
        .timeout(Some(to.timeout));
    if let Some((user, password)) = &to.login {
        transport = transport.credentials(Credentials::new(user.clone(), password.clone()));
    }
    transport
        .build()
        .send(message)
        .await
        .map(|_| ())
        .map_err(|e| e.to_string())
}
