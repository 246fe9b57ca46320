//! `sangtrang verify MAPPING`: reads everything back.

use super::apply::{list, loss_line};
use super::args::VerifyArgs;
use super::secret::{Site, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::pipeline::verify_target;

pub(super) fn main(args: &VerifyArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let (runtime, cancel) = reactor()?;
    let bar = ui.progress("Reading", 0);
    let verified = with_sink!(site, |sink| runtime.block_on(verify_target(
        &*sink,
        &site.mapper,
        &site.layout,
        &cancel,
        &|done| bar.update(done, format_args!("{done} objects")),
    )))
    .map_err(failure)?;
    drop(bar);
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "verified/1", "type": "verified", "result": verified }));
    }
    list(ui, "lost", &verified.losses, loss_line);
    ui.status(
        "Verified",
        format_args!(
            "{} documents, {} files, {} terms: {} losses",
            verified.documents,
            verified.media,
            verified.terms,
            verified.losses.len()
        ),
    );
    Ok(if verified.interrupted {
        Exit::Interrupted
    } else if verified.losses.is_empty() {
        Exit::Ok
    } else {
        Exit::Findings
    })
}
