//! How we speak HTTP at all: client, connections, TLS, proxies, which addresses may be asked, limits. Imports nothing of
//! ours.

mod body;
mod client;
mod connect_to;
mod connector;
mod error;
mod guard;
#[cfg(feature = "legacy-tls")]
mod openssl;
mod probe;
mod tls;
mod verify;

pub use body::{BodyLimits, Truncation, read_body};
pub use client::{ACCEPT_ENCODING, Client, Options, Response, client};
pub use connect_to::ConnectTo;
pub use connector::ConnInfo;
pub use error::{FetchError, NetError};
pub use guard::Guard;
pub use probe::{Attempt, Trust, best, probe};
pub use tls::{Pin, Profile, TlsInfo, TlsRule, TlsRules};
