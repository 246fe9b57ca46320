//! How we speak HTTP at all: client, TLS provider, address overrides, limits. Imports nothing of ours.

mod body;
mod client;
mod connect_to;
mod error;

pub use body::{Truncation, read_body};
pub use client::{ACCEPT_ENCODING, Options, client};
pub use connect_to::ConnectTo;
pub use error::NetError;
