//! `sangtrang gc MAPPING`: removes what nothing needs any more.

use super::move_args::GcArgs;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::ledger::clock;
use crate::pipeline::{Layout, collect_garbage};

pub(super) fn main(args: &GcArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    let (_runtime, cancel) = reactor()?;
    let bar = ui.progress("Compacting", 0);
    let collected = collect_garbage(&mapping, &layout, clock::now(), args.dry_run, &cancel, &|file| {
        bar.update(0, file);
    });
    drop(bar);
    let c = collected.map_err(failure)?;
    if ui.json() {
        let mut object = serde_json::to_value(&c).map_err(std::io::Error::other)?;
        object["schema"] = "gc/1".into();
        object["type"] = "gc".into();
        object["dry_run"] = args.dry_run.into();
        ui.data(object);
    }
    ui.status(
        if args.dry_run { "Would remove" } else { "Removed" },
        format_args!(
            "{} captures in {} files ({:.1} MB to {:.1} MB), {} runs, {} lines of journals, {} revisions of documents, {} logs",
            c.captures,
            c.files,
            c.before as f64 / 1e6,
            c.after as f64 / 1e6,
            c.runs,
            c.writes,
            c.revisions,
            c.logs
        ),
    );
    if c.leftovers > 0 {
        ui.status(
            "Cleared",
            format_args!("{} files that an interrupted run had left", c.leftovers),
        );
    }
    Ok(Exit::Ok)
}
