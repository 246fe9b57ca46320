//! `sync --every` and `sync --schedule`: one sync after the other, never two at once, until somebody says stop. SIGTERM and
//! Ctrl-C end it after what is under way is safe; SIGHUP reads the mapping again and syncs at once.

use super::error::CliError;
use super::sync::once;
use super::sync_args::SyncArgs;
use super::target::load_mapping;
use super::{Exit, Outcome, Ui};
use crate::ledger::clock;
use crate::pipeline::{Rhythm, Times};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Longest jitter that nobody asked for.
const JITTER: Duration = Duration::from_secs(300);
/// Longest piece of a wait: the machine's clock may be set meanwhile, or the machine may sleep.
const LOOK: Duration = Duration::from_secs(30);

/// Why a wait ended.
enum Woken {
    Time,
    Reload,
    Stop,
}

pub(super) fn main(
    args: &SyncArgs,
    runtime: &tokio::runtime::Runtime,
    cancel: &CancellationToken,
    ui: &Ui,
) -> Outcome {
    let mut times = times(args)?;
    let mut reload =
        runtime.block_on(async { tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) })?;
    let mut next = times.first(clock::now());
    loop {
        ui.status("Next", format_args!("sync at {next}"));
        let woken = runtime.block_on(async {
            loop {
                let left = next.duration_since(clock::now());
                let Ok(left) = Duration::try_from(left) else {
                    return Woken::Time;
                };
                if left.is_zero() {
                    return Woken::Time;
                }
                tokio::select! {
                    () = tokio::time::sleep(left.min(LOOK)) => {}
                    _ = reload.recv() => return Woken::Reload,
                    () = cancel.cancelled() => return Woken::Stop,
                }
            }
        });
        match woken {
            Woken::Stop => {
                ui.status("Stopped", "as it was asked to");
                return Ok(Exit::Ok);
            }
            // A mapping that is wrong is told, and the old times go on: the next sync says it again.
            Woken::Reload => match self::times(args) {
                Ok(new) => {
                    times = new;
                    ui.status("Reloaded", args.site.mapping.display());
                }
                Err(error) => ui.error(&error),
            },
            Woken::Time => {}
        }
        let planned = next.min(clock::now());
        match once(args, runtime, cancel, ui) {
            Ok(told) if told.exit() == Exit::Interrupted => return Ok(Exit::Interrupted),
            Ok(_) => {}
            Err(error) if error.exit == Exit::Interrupted => return Err(error),
            // A night without portal or CMS is no reason to end: the next sync continues.
            Err(error) => ui.error(&error),
        }
        if cancel.is_cancelled() {
            return Ok(Exit::Interrupted);
        }
        next = times.after(planned, clock::now());
    }
}

/// When syncs begin, by the flags and the time zone of the mapping.
fn times(args: &SyncArgs) -> Result<Times, CliError> {
    let mapping = load_mapping(&args.site.mapping)?;
    let rhythm = match (&args.every, &args.schedule) {
        (_, Some(cron)) => Rhythm::cron(cron, mapping.timezone()).map_err(|error| {
            CliError::new(
                Exit::Usage,
                "usage::schedule",
                format!("`{cron}` is no schedule: {error}"),
            )
            .hint("five fields: minute, hour, day of the month, month, day of the week: `15 2 * * *`")
        })?,
        (Some(every), None) if !every.is_zero() => Rhythm::every(*every),
        _ => return Err(CliError::new(Exit::Usage, "usage::every", "`--every` is 0")),
    };
    let usual = rhythm
        .length(clock::now())
        .map_or(JITTER, |l| (l / 10).min(JITTER));
    Ok(Times::new(
        rhythm,
        args.jitter.unwrap_or(usual),
        !args.no_catch_up,
        fastrand::f64,
    ))
}
