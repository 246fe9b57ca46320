//! `sangtrang freeze MAPPING`: a last sync; if nothing is left, or what is left is accepted, nothing is pushed any more.

use super::error::CliError;
use super::move_args::FreezeArgs;
use super::secret::{Site, with_sink};
use super::sync::once;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::ledger::{Frozen, Ledger, clock};
use crate::pipeline::{AtomicFile, Layout, SiteLock, plan_delivery};

pub(super) fn main(args: &FreezeArgs, ui: &Ui) -> Outcome {
    if args.sync.every.is_some() || args.sync.schedule.is_some() || args.sync.dry_run {
        return Err(CliError::new(
            Exit::Usage,
            "usage::freeze",
            "`freeze` syncs once and writes: without `--every`, `--schedule`, `--dry-run`",
        ));
    }
    if args.lift {
        return lift(args, ui);
    }
    let (runtime, cancel) = reactor()?;
    let told = once(&args.sync, &runtime, &cancel, ui)?;
    // Findings do not keep a move from ending; what the last sync did not do does.
    if !matches!(told.exit(), Exit::Ok | Exit::Findings | Exit::Held) {
        ui.hint("nothing is frozen: the last sync did not come to its end");
        return Ok(told.exit());
    }
    if told.target.is_none() {
        return Err(CliError::new(
            Exit::Held,
            "freeze::nothing",
            "nothing is frozen: the last sync delivered nothing",
        )
        .hint("a mapping that waits for `--accept-mapping`, or no [target]"));
    }
    let site = Site::load(&args.sync.site)?;
    let _lock = SiteLock::take(&site.layout, "freeze").map_err(failure)?;
    let planned = with_sink!(site, |sink| runtime.block_on(async {
        tokio::select! {
            planned = plan_delivery(&*sink, &site.mapping, &site.mapper, &site.layout, &[]) => Some(planned),
            () = cancel.cancelled() => None,
        }
    }));
    let Some(planned) = planned else {
        return Ok(Exit::Interrupted);
    };
    let mut planned = planned.map_err(failure)?;
    let mut file = AtomicFile::create(&site.layout.plan_json())?;
    planned.write(&mut file)?;
    file.commit()?;
    let counts = &planned.plan.counts;
    let left = counts.changes() + counts.hold;
    if left > 0 && !args.accept {
        ui.data(planned.summary()?.trim_end());
        ui.warning(format_args!(
            "nothing is frozen: {} changes and {} holds are left",
            planned.plan.counts.changes(),
            planned.plan.counts.hold
        ));
        ui.hint("decide of them, or `--accept` leaves them as they are");
        return Ok(Exit::Held);
    }
    let frozen = Frozen {
        since: clock::now().to_string(),
        note: args.note.clone(),
        accepted: left,
    };
    Ledger::open(&site.layout.ledger())
        .and_then(|mut ledger| ledger.set_frozen(Some(&frozen)))
        .map_err(failure)?;
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "freeze/1", "type": "freeze", "frozen": frozen }));
    }
    ui.status(
        "Frozen",
        format_args!("since {}: nothing is pushed any more", frozen.since),
    );
    ui.hint("`sangtrang switchover` tells whether the old portal may be turned off");
    Ok(Exit::Ok)
}

fn lift(args: &FreezeArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.sync.site.mapping)?;
    let layout = Layout::new(&args.sync.site.output.output, &mapping.rules().site.id);
    let mut ledger = Ledger::open(&layout.ledger()).map_err(failure)?;
    let was = ledger.frozen().map_err(failure)?;
    ledger.set_frozen(None).map_err(failure)?;
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "freeze/1", "type": "freeze", "frozen": null, "was": was }));
    }
    match was {
        Some(frozen) => ui.status("Lifted", format_args!("it was frozen since {}", frozen.since)),
        None => ui.status("Lifted", "it was not frozen"),
    }
    Ok(Exit::Ok)
}
