//! `sangtrang plan MAPPING`: what would be written to the new CMS.

use super::args::PlanArgs;
use super::secret::{Site, given, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::plan::{Plan, summary};
use crate::pipeline::{plan_delivery, write_atomic};

pub(super) fn main(args: &PlanArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let (runtime, cancel) = reactor()?;
    let planned = with_sink!(site, |sink| runtime.block_on(async {
        tokio::select! {
            planned = plan_delivery(&*sink, &site.mapping, &site.mapper, &site.layout) => Some(planned),
            () = cancel.cancelled() => None,
        }
    }));
    let Some(planned) = planned else {
        return Ok(Exit::Interrupted);
    };
    let mut plan = planned.map_err(failure)?;
    plan.made_with = (given(&args.site.mapping), args.site.target.as_deref().map(given));
    let path = args.out.clone().unwrap_or_else(|| site.layout.plan_json());
    let json = serde_json::to_string_pretty(&plan).map_err(std::io::Error::other)? + "\n";
    write_atomic(&path, json.as_bytes())?;
    if ui.json() {
        ui.data(json.trim_end());
    } else {
        ui.data(summary(&plan).trim_end());
    }
    ui.status("Planned", format_args!("{}", path.display()));
    if has_changes(&plan) {
        ui.hint(format_args!(
            "`sangtrang apply {}` does exactly this",
            path.display()
        ));
    }
    Ok(if args.exit_code && has_changes(&plan) {
        Exit::Different
    } else {
        Exit::Ok
    })
}

fn has_changes(plan: &Plan) -> bool {
    !plan.changes.is_empty()
}
