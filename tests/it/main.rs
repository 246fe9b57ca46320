//! The story of the product from outside: the real binary against the bundled portal, one file a command.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a panic or a printed line is how a test speaks"
)]

mod architecture;
mod archive;
mod browser;
mod cli;
mod cms;
mod conformance;
mod content;
mod deliver;
mod deliver_faults;
mod demo;
mod encodings;
mod faults;
mod net;
mod pagers;
mod politeness;
mod redirects;
mod resume;
mod sessions;
mod sources;
mod support;
mod tls;
