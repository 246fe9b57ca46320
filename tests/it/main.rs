//! The story of the product from outside: the real binary against the bundled portal, one file a command.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a panic or a printed line is how a test speaks"
)]

mod architecture;
mod archive;
mod authoring;
mod browser;
mod cdp;
mod cli;
mod cms;
mod conformance;
mod content;
mod deliver;
mod deliver_faults;
mod demo;
mod diff;
mod directus;
mod directus_losses;
mod encodings;
mod export;
mod extract;
mod fault_proxy;
mod faults;
mod gates;
mod http_json;
mod init;
mod learn;
mod net;
mod pagers;
mod politeness;
mod reached;
mod redirects;
mod report;
mod resume;
mod retire;
mod review;
mod sessions;
mod shown;
mod site;
mod skins;
mod sources;
mod support;
mod sync;
mod tls;
mod wordpress;
