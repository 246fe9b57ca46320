//! What several commands need before they start: the mapping, the network's flags, a Ctrl-C.

use super::args::NetArgs;
use super::error::{CliError, Problem};
use super::exit::Exit;
use crate::capture::CaptureError;
use crate::crawl::CrawlError;
use crate::deliver::apply::ApplyError;
use crate::deliver::files::ExportError;
use crate::deliver::{Class, Failure};
use crate::ledger::LedgerError;
use crate::mapping::{Mapping, MappingError};
use crate::net::ConnectTo;
use crate::pipeline::PipelineError;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reads a mapping; every problem of it is in the error.
pub(super) fn load_mapping(path: &Path) -> Result<Arc<Mapping>, CliError> {
    Mapping::load(path)
        .map(Arc::new)
        .map_err(|error| mapping_error(path, error))
}

pub(super) fn mapping_error(path: &Path, error: MappingError) -> CliError {
    let problems: Vec<Problem> = error
        .problems()
        .iter()
        .map(|p| Problem {
            code: p.code.to_string(),
            message: p.message.clone(),
            line: p.line,
            column: p.column,
            help: p.help.clone(),
        })
        .collect();
    let mut failure = CliError::new(Exit::Config, "mapping::invalid", &error);
    if problems.is_empty() {
        failure.code = "mapping::unreadable".into();
        failure.hint = Some(format!(
            "give the path of a mapping file; `{}` is none",
            path.display()
        ));
    } else {
        failure.report = Some(format!("{:?}", miette::Report::new(error)));
        failure.problems = problems;
    }
    failure
}

impl NetArgs {
    /// The parsed `--connect-to` flags.
    pub(super) fn connect_to(&self) -> Result<Vec<ConnectTo>, CliError> {
        self.connect_to
            .iter()
            .map(|text| {
                text.parse().map_err(|error| {
                    CliError::new(Exit::Usage, "usage::connect_to", error)
                        .hint("write HOST:PORT:HOST2:PORT2, for example `--connect-to ::127.0.0.1:8080`")
                })
            })
            .collect()
    }
}

/// A reactor, and a token that the first Ctrl-C (or SIGTERM) cancels; the second one ends the process at once.
pub(super) fn reactor() -> Result<(tokio::runtime::Runtime, CancellationToken), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    runtime.spawn(async move {
        interrupted().await;
        token.cancel();
        interrupted().await;
        #[expect(
            clippy::exit,
            reason = "the user asked twice; committed work is safe at any instant"
        )]
        std::process::exit(Exit::Interrupted as i32);
    });
    Ok((runtime, cancel))
}

async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}

/// Any failure of the rooms behind the desk, with its code, hint and exit code.
pub(super) fn failure(error: impl Into<PipelineError>) -> CliError {
    match error.into() {
        PipelineError::Crawl(error) => crawl_failure(error),
        PipelineError::Ledger(error) => ledger_failure(error),
        PipelineError::Capture(error) => capture_failure(error),
        PipelineError::Output(error) => error.into(),
        error @ PipelineError::Busy { .. } => CliError::new(Exit::Locked, "sync::busy", error).hint(
            "wait until it ends, or end it: `kill` with its process; the lock goes with the process, there is nothing to delete",
        ),
        error @ PipelineError::Browser(_) => CliError::new(Exit::Usage, "browser", error)
            .hint("only what is to be shown in a browser needs one; the rest works without"),
        error @ PipelineError::Glob { .. } => {
            CliError::new(Exit::Usage, "usage::glob", error).hint("`news:4*`, `news/*`, `*-2023-*`")
        }
        error @ PipelineError::Frozen { .. } => CliError::new(Exit::Held, "freeze::frozen", error)
            .hint("`sangtrang freeze --lift MAPPING` lets it follow the old portal again"),
        error @ PipelineError::LedgerThere { .. } => CliError::new(Exit::Held, "ledger::exists", error)
            .hint("`--force` replaces it and keeps it beside the new one"),
        error @ PipelineError::NoArchive { .. } => CliError::new(Exit::Failure, "archive::missing", error)
            .hint("`--output` names the folder of all sites' outputs"),
        PipelineError::Page(error) => CliError::new(Exit::Failure, "page::unreadable", error),
        PipelineError::Extract(error) => CliError::new(Exit::Failure, "extract", error),
        error @ PipelineError::NoCollection { .. } => {
            CliError::new(Exit::Failure, "extract::no_collection", error)
                .hint("the `match` of a collection decides which pages it takes; `-v` says more")
        }
        error @ PipelineError::Rejected { .. } => CliError::new(Exit::Failure, "extract::rejected", error)
            .hint("a crawl archives such an answer and makes no document of it; see `[[reject]]` in the mapping"),
        error @ PipelineError::NotOfSite { .. } => CliError::new(Exit::Usage, "usage::url", error)
            .hint("give a URL of the site, absolute or relative to its base"),
        error @ PipelineError::Model { .. } => CliError::new(Exit::Failure, "learned::model", error)
            .hint("`sangtrang learn --forget MAPPING` learns them anew from the archive and shows them; with `--accept` it stores them"),
        error @ PipelineError::Target { .. } => CliError::new(Exit::Config, "target::unfit", error)
            .hint("`sangtrang target check MAPPING` looks again; `target setup` makes what it can"),
        PipelineError::Api(error) => api_failure(error),
        PipelineError::Apply(error) => apply_failure(error),
        error @ PipelineError::NoRun { .. } => CliError::new(Exit::Usage, "usage::run", error)
            .hint("`sangtrang status` names the runs; `last` is the last one"),
        PipelineError::Export(error) => export_failure(error),
        error @ PipelineError::NoDocuments { .. } => CliError::new(Exit::Failure, "documents::missing", error)
            .hint("`sangtrang run MAPPING` crawls and extracts; `--output` names the folder of all sites' outputs"),
        error @ PipelineError::Interrupted => CliError::new(Exit::Interrupted, "interrupted", error),
    }
}

fn export_failure(error: ExportError) -> CliError {
    match error {
        ExportError::Io(error) => error.into(),
        error @ ExportError::Foreign { .. } => CliError::new(Exit::Held, "export::foreign", error)
            .hint("name a folder that does not exist yet, or an empty one: `--out DIR`"),
        error @ ExportError::Other { .. } => CliError::new(Exit::Held, "export::other", error)
            .hint("each export has a folder of its own: `--out DIR`"),
        error @ ExportError::Locked { .. } => CliError::new(Exit::Locked, "export::locked", error)
            .hint("wait for it, or stop it; the next export puts right what it left"),
        error @ ExportError::Unfinished { .. } => {
            CliError::new(Exit::Findings, "export::unfinished", error).hint("run the same export again")
        }
        error @ ExportError::Missing { .. } => CliError::new(Exit::Usage, "export::missing", error)
            .hint("give the folder that an export wrote: the one with `manifest.json`"),
        error @ ExportError::Medium { .. } => CliError::new(Exit::Failure, "export::media", error)
            .hint("remove the file, then `sangtrang extract MAPPING` stores it again from the archive"),
        error @ ExportError::Nothing { .. } => CliError::new(Exit::Findings, "export::nothing", error)
            .hint("`--only` takes keys (`news:4012`), collections (`news/*`) and ids (`doc:…`)"),
        error @ ExportError::Table(_) => CliError::new(Exit::Failure, "export::workbook", error),
    }
}

fn api_failure(error: Failure) -> CliError {
    match error.class {
        Class::Auth => CliError::new(Exit::Config, "target::auth", error)
            .hint("the user or the secret is wrong, or may not do this; `target` in the mapping names their variables"),
        Class::Transient | Class::Ambiguous | Class::RateLimited => {
            CliError::new(Exit::Unreachable, "target::unreachable", error)
                .hint("nothing that was committed is lost; run the same command again later")
        }
        _ if error.code == "tls" => CliError::new(Exit::Config, "target::certificate", error)
            .hint("`pin = \"sha256:…\"` in [target] accepts exactly one certificate"),
        _ => CliError::new(Exit::Failure, "target::answer", error),
    }
}

fn apply_failure(error: ApplyError) -> CliError {
    match error {
        ApplyError::Ledger(error) => ledger_failure(error),
        ApplyError::Source(error) => error.into(),
        ApplyError::Target(error) => api_failure(error),
        error @ ApplyError::Stale(_) => CliError::new(Exit::Held, "plan::stale", error)
            .hint("`sangtrang plan MAPPING` makes a new one; nothing was written"),
        error @ ApplyError::Journal(_) => CliError::new(Exit::Failure, "ledger", error),
    }
}

fn crawl_failure(error: CrawlError) -> CliError {
    match error {
        CrawlError::Ledger(error) => ledger_failure(error),
        CrawlError::Archive(error) => capture_failure(error),
        error => {
            let (exit, code) = match &error {
                CrawlError::Unreachable { .. } => (Exit::Unreachable, "net::unreachable"),
                CrawlError::RobotsForbidsAll { silent: true, .. } => (Exit::Held, "robots::silent"),
                CrawlError::RobotsForbidsAll { .. } => (Exit::Held, "robots::forbidden"),
                CrawlError::DiskFull { .. } => (Exit::Failure, "io::full"),
                CrawlError::LostLedger { .. } => (Exit::Failure, "ledger::lost"),
                CrawlError::Browser(_) => (Exit::Usage, "browser::missing"),
                CrawlError::Secret { .. } => (Exit::Usage, "session::secret"),
                CrawlError::Login { .. } => (Exit::Held, "session::login"),
                CrawlError::Net(_) => (Exit::Usage, "net::client"),
                _ => (Exit::Failure, "crawl"),
            };
            CliError::new(exit, code, error)
        }
    }
}

fn ledger_failure(error: LedgerError) -> CliError {
    let hint = match &error {
        LedgerError::Locked { .. } => Some("wait for the other run, or stop it; its work is not lost"),
        LedgerError::Corrupt { .. } => Some(
            "nothing of the archive is lost: `sangtrang ledger rebuild --force MAPPING` makes the ledger anew",
        ),
        LedgerError::DiskFull { .. } => {
            Some("free some space and run the same command again: nothing committed is lost")
        }
        _ => None,
    };
    let (exit, code) = match &error {
        LedgerError::Locked { .. } => (Exit::Locked, "ledger::locked"),
        LedgerError::Corrupt { .. } => (Exit::Failure, "ledger::corrupt"),
        LedgerError::DiskFull { .. } => (Exit::Failure, "io::full"),
        LedgerError::Missing { .. } => (Exit::Failure, "ledger::missing"),
        _ => (Exit::Failure, "ledger"),
    };
    let failure = CliError::new(exit, code, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

fn capture_failure(error: CaptureError) -> CliError {
    match error {
        CaptureError::Io { ref source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
            CliError::new(Exit::Failure, "io::full", &error)
                .hint("free some space and run the same command again: nothing committed is lost")
        }
        error => CliError::new(Exit::Failure, "archive", error),
    }
}
