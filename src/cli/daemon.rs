//! `sync --every` and `sync --schedule`: one sync after the other, for as long as nobody says stop.

use super::Exit;
use super::error::CliError;
use super::sync_args::SyncArgs;
use super::{Outcome, Ui};
use tokio_util::sync::CancellationToken;

pub(super) fn main(
    _args: &SyncArgs,
    _runtime: &tokio::runtime::Runtime,
    _cancel: &CancellationToken,
    _ui: &Ui,
) -> Outcome {
    Err(CliError::new(Exit::Usage, "x", "x"))
}
