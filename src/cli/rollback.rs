//! `sangtrang rollback MAPPING --run RUN`: takes a run back.

use super::apply::list;
use super::args::RollbackArgs;
use super::secret::{Site, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::pipeline::rollback_run;

pub(super) fn main(args: &RollbackArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let (runtime, cancel) = reactor()?;
    let (uid, done) = with_sink!(site, |sink| runtime.block_on(rollback_run(
        &*sink,
        &site.mapping,
        &site.mapper,
        &site.layout,
        &args.run,
        args.dry_run,
        &cancel,
    )))
    .map_err(failure)?;
    if ui.json() {
        ui.data(
            serde_json::json!({ "schema": "rolledback/1", "type": "rolledback", "run": uid, "result": done }),
        );
    }
    let verb = if args.dry_run { "Would undo" } else { "Undone" };
    ui.status(
        verb,
        format_args!(
            "run {uid}: {} removed, {} restored, {} left as they are",
            done.removed,
            done.restored,
            done.left.len()
        ),
    );
    list(ui, "left", &done.left, |l| {
        format!("{} #{} {}: {}", l.key, l.remote, l.title, l.theirs)
    });
    Ok(if done.interrupted {
        Exit::Interrupted
    } else if done.left.is_empty() {
        Exit::Ok
    } else {
        Exit::Held
    })
}
