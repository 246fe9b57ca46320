//! `sangtrang plan MAPPING`: what would be written to the new CMS.

use super::args::PlanArgs;
use super::secret::{Site, given, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::pipeline::{AtomicFile, plan_delivery};

pub(super) fn main(args: &PlanArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let edits = args.edits.decisions();
    let (runtime, cancel) = reactor()?;
    let planned = with_sink!(site, |sink| {
        runtime.block_on(async {
        tokio::select! {
            planned = plan_delivery(&*sink, &site.mapping, &site.mapper, &site.layout, &edits) => Some(planned),
            () = cancel.cancelled() => None,
        }
    })
    });
    let Some(planned) = planned else {
        return Ok(Exit::Interrupted);
    };
    let mut planned = planned.map_err(failure)?;
    planned.plan.made_with = (given(&args.site.mapping), args.site.target.as_deref().map(given));
    let path = args.out.clone().unwrap_or_else(|| site.layout.plan_json());
    let mut file = AtomicFile::create(&path)?;
    planned.write(&mut file)?;
    file.commit()?;
    if ui.json() {
        // Whoever reads it may stop at any line.
        let _ = planned.write(&mut ui.bulk());
    } else {
        ui.data(planned.summary()?.trim_end());
    }
    let has_changes = !planned.changes.is_empty();
    ui.status("Planned", format_args!("{}", path.display()));
    if has_changes {
        ui.hint(format_args!(
            "`sangtrang apply {}` does exactly this",
            path.display()
        ));
    }
    Ok(if args.exit_code && has_changes {
        Exit::Different
    } else {
        Exit::Ok
    })
}
