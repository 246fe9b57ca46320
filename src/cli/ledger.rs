//! `sangtrang ledger rebuild|check MAPPING`: the ledger of the archive alone; do the two belong together?

use super::args::{Ledger, LedgerArgs};
use super::error::CliError;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::crawl::Event;
use crate::pipeline::{self, Layout};
use serde_json::json;

pub(super) fn main(args: &LedgerArgs, ui: &Ui) -> Outcome {
    match &args.what {
        Ledger::Rebuild(args) => {
            let mapping = load_mapping(&args.mapping)?;
            let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
            let (runtime, cancel) = reactor()?;
            let bar = ui.progress("Rebuilding", 0);
            let (tell, told) = std::sync::mpsc::channel::<Event>();
            let work = {
                let (mapping, layout, force) = (mapping, layout.clone(), args.force);
                runtime.spawn(async move {
                    let on_event = move |event| {
                        // The receiver lives until the work ends; a lost event is only a lost line.
                        let _ = tell.send(event);
                    };
                    pipeline::rebuild_ledger(&mapping, &layout, force, cancel, on_event).await
                })
            };
            for event in told {
                if let Event::Progress { captured, known, .. } = event {
                    bar.update(captured, format_args!("{captured} captures, {known} URLs known"));
                }
            }
            drop(bar);
            let done = runtime.block_on(work).map_err(|error| {
                let text = format!("the work ended unexpectedly: {error}");
                CliError::new(Exit::Failure, "ledger::panic", text)
            })?;
            let (summary, old) = done.map_err(failure)?;
            if ui.json() {
                ui.data(json!({
                    "schema": "ledger/1", "type": "rebuild", "captured": summary.captured, "known": summary.known,
                    "old": old.as_ref().map(|p| p.display().to_string()), "problems": summary.source_problems,
                }));
            } else {
                ui.status(
                    "Rebuilt",
                    format_args!("{} captures, {} URLs known", summary.captured, summary.known),
                );
                if let Some(old) = &old {
                    ui.hint(format_args!("the ledger that was there is `{}`", old.display()));
                    ui.note("The archive does not say what documents were: their history begins anew with the next extraction.");
                }
            }
            for problem in &summary.source_problems {
                ui.warning(problem);
            }
            Ok(if summary.source_problems.is_empty() {
                Exit::Ok
            } else {
                Exit::Findings
            })
        }
        Ledger::Check(args) => {
            let mapping = load_mapping(&args.mapping)?;
            let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
            let (_runtime, cancel) = reactor()?;
            let bar = ui.progress("Checking", 0);
            let check = pipeline::check_ledger(&mapping, &layout, &cancel, &|check| {
                bar.update(
                    check.captures,
                    format_args!("{} captures, {} findings", check.captures, check.count),
                );
            });
            drop(bar);
            let check = check.map_err(failure)?;
            if ui.json() {
                ui.data(json!({
                    "schema": "ledger/1", "type": "check", "captures": check.captures, "bytes": check.bytes,
                    "count": check.count,
                    "findings": check.findings.iter().map(|(what, why)| json!({ "what": what, "why": why })).collect::<Vec<_>>(),
                }));
            } else {
                for (what, why) in &check.findings {
                    ui.data(format_args!("{what}: {why}"));
                }
                ui.status(
                    "Checked",
                    format_args!(
                        "{} captures, {:.1} MB, {} findings",
                        check.captures,
                        check.bytes as f64 / 1e6,
                        check.count
                    ),
                );
            }
            Ok(if check.count == 0 {
                Exit::Ok
            } else {
                Exit::Findings
            })
        }
    }
}
