//! What several commands need before they start: the mapping, the network's flags, a Ctrl-C.

use super::args::NetArgs;
use super::error::{CliError, Problem};
use super::exit::Exit;
use crate::mapping::{Mapping, MappingError};
use crate::net::ConnectTo;
use std::path::Path;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Reads a mapping; every problem of it is in the error.
pub(super) fn load_mapping(path: &Path) -> Result<Arc<Mapping>, CliError> {
    Mapping::load(path).map(Arc::new).map_err(|error| mapping_error(path, error))
}

fn mapping_error(path: &Path, error: MappingError) -> CliError {
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
        failure.hint = Some(format!("give the path of a mapping file; `{}` is none", path.display()));
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
        #[expect(clippy::exit, reason = "the user asked twice; committed work is safe at any instant")]
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
