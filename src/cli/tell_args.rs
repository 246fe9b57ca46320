//! The command line of what tells people: metrics, health, traces.

use super::args::parse_time;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug, Default, Args)]
pub(super) struct TellArgs {
    /// Write metrics here after each sync, for the textfile collector of node_exporter: /var/lib/node_exporter/sangtrang.prom
    #[arg(long, value_name = "FILE", help_heading = "Telling people")]
    pub(super) metrics_file: Option<PathBuf>,
    /// While it stays: serve /metrics and /healthz here; a bare port is one of loopback
    #[arg(long, value_name = "ADDR", value_parser = parse_listen, help_heading = "Telling people")]
    pub(super) listen: Option<SocketAddr>,
    /// /healthz is unhealthy when the last whole sync is older; three times the time between two if absent, at least 15m
    #[arg(long, value_name = "TIME", value_parser = parse_time, help_heading = "Telling people")]
    pub(super) max_age: Option<Duration>,
    /// Send traces to this OpenTelemetry collector, by HTTP: http://127.0.0.1:4318
    #[arg(
        long,
        value_name = "URL",
        env = "SANGTRANG_OTLP",
        help_heading = "Telling people"
    )]
    pub(super) otlp: Option<String>,
}

impl super::args::Command {
    /// The collector of traces, for commands that have some.
    pub(super) fn otlp(&self) -> Option<&str> {
        match self {
            Self::Sync(args) => args.tell.otlp.as_deref().filter(|url| !url.is_empty()),
            _ => None,
        }
    }
}

/// `127.0.0.1:9464`, `[::1]:9464`, `9464`.
fn parse_listen(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse::<u16>() {
        return Ok(SocketAddr::from(([127, 0, 0, 1], port)));
    }
    text.parse()
        .map_err(|_| format!("`{text}` is no address: write `127.0.0.1:9464`, `[::1]:9464` or a port"))
}
