//! `sangtrang switchover MAPPING`: may the old portal be turned off?

use super::error::CliError;
use super::move_args::SwitchoverArgs;
use super::secret::{Site, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::redirect::{Decision, Redirect, verify};
use crate::ledger::{Ledger, clock};
use crate::net;
use crate::pipeline::{old_hosts, plan_delivery, redirect_ledger, target_name, verify_target, write_atomic};
use crate::report::{Checklist, Totals};
use tokio_util::sync::CancellationToken;
use url::Url;

pub(super) fn main(args: &SwitchoverArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let at = site.host(args.at.as_deref())?;
    let (runtime, cancel) = reactor()?;
    let ledger = Ledger::read(&site.layout.ledger()).map_err(failure)?;
    let totals = Totals::read(&ledger, &site.mapping.rules().site.id).map_err(failure)?;
    let mut list = Checklist::of(&totals, &target_name(&site.target), clock::now().to_string());
    drop(ledger);
    planned(&site, &runtime, &cancel, &mut list)?;
    read_back(&site, &runtime, &cancel, &mut list, ui)?;
    redirects(&site, &at, &runtime, &cancel, &mut list, ui)?;
    if cancel.is_cancelled() {
        return Ok(Exit::Interrupted);
    }
    let json = serde_json::to_string(&list).map_err(std::io::Error::other)?;
    write_atomic(&site.layout.switchover_json(), (json.clone() + "\n").as_bytes())?;
    if ui.json() {
        ui.data(json);
    } else {
        for check in &list.checks {
            let sign = if check.pass { "pass" } else { "FAIL" };
            let line = super::inspect::clean(&format!("{sign}  {:<12} {}", check.id, check.reason));
            ui.data(line);
        }
    }
    let failed = list.checks.iter().filter(|c| !c.pass).count();
    if failed == 0 {
        ui.status("Ready", "every line passes: the old portal may be turned off");
        ui.hint("`sangtrang report` writes the record");
        Ok(Exit::Ok)
    } else {
        ui.warning(format_args!(
            "not yet: {failed} of {} lines do not pass",
            list.checks.len()
        ));
        Ok(Exit::Held)
    }
}

type Runtime = tokio::runtime::Runtime;

/// Nothing is left to be pushed, nothing is held.
fn planned(
    site: &Site,
    runtime: &Runtime,
    cancel: &CancellationToken,
    list: &mut Checklist,
) -> Result<(), CliError> {
    let planned = with_sink!(site, |sink| runtime.block_on(async {
        tokio::select! {
            planned = plan_delivery(&*sink, &site.mapping, &site.mapper, &site.layout, &[]) => Some(planned),
            () = cancel.cancelled() => None,
        }
    }));
    match planned {
        Some(Ok(planned)) => {
            let counts = &planned.plan.counts;
            let reason = format!(
                "{} documents are as they should be, {} changes are left",
                counts.unchanged,
                counts.changes()
            );
            list.add("delivered", counts.changes() == 0, reason);
            let accepted = format!("{} entries are on hold", counts.hold);
            list.add("holds", counts.hold == 0, accepted);
        }
        Some(Err(error)) => list.add("delivered", false, failure(error).message),
        None => list.add("delivered", false, "interrupted"),
    }
    Ok(())
}

fn read_back(
    site: &Site,
    runtime: &Runtime,
    cancel: &CancellationToken,
    list: &mut Checklist,
    ui: &Ui,
) -> Result<(), CliError> {
    let bar = ui.progress("Reading", 0);
    let verified = with_sink!(site, |sink| runtime.block_on(verify_target(
        &*sink,
        &site.mapper,
        &site.layout,
        cancel,
        &|done| bar.update(done, format_args!("{done} objects")),
    )));
    drop(bar);
    match verified {
        Ok(v) => {
            let reason = format!(
                "{} documents, {} files, {} terms were read back: {} losses",
                v.documents,
                v.media,
                v.terms,
                v.losses.len()
            );
            list.add(
                "verify",
                v.losses.is_empty() && !v.interrupted && v.documents > 0,
                reason,
            );
        }
        Err(error) => list.add("verify", false, failure(error).message),
    }
    Ok(())
}

/// Every old address is decided, and the new server does what was decided.
fn redirects(
    site: &Site,
    at: &Url,
    runtime: &Runtime,
    cancel: &CancellationToken,
    list: &mut Checklist,
    ui: &Ui,
) -> Result<(), CliError> {
    let ledger = redirect_ledger(&site.target, &site.layout, &[]).map_err(failure)?;
    let counts = ledger.counts();
    let count = |d: Decision| counts.get(&d).copied().unwrap_or_default();
    let problems = ledger.problems(&old_hosts(&site.mapping)).len();
    let unresolved = count(Decision::Unresolved);
    let first = ledger.all().find(|r| r.decision == Decision::Unresolved);
    let first = first.map(|r| format!(", first {}", r.from)).unwrap_or_default();
    list.add(
        "redirects",
        unresolved == 0 && problems == 0,
        format!(
            "{} redirects, {} gone, {} archived, {unresolved} undecided{first}; {problems} problems",
            count(Decision::Redirect),
            count(Decision::Gone),
            count(Decision::Archive)
        ),
    );
    let all: Vec<Redirect> = ledger.all().collect();
    let client =
        net::client(&net::Options::default()).map_err(|e| CliError::new(Exit::Usage, "net::client", e))?;
    let bar = ui.progress("Asking", all.len() as u64);
    let (asked, wrong) = runtime.block_on(verify::verify(&client, at, all, cancel, &|done| {
        bar.update(done, "addresses");
    }));
    drop(bar);
    let first = wrong
        .first()
        .map(|w| format!(", first {}: expected {}, found {}", w.from, w.expected, w.found));
    list.add(
        "new-host",
        wrong.is_empty() && asked > 0,
        format!(
            "{at} was asked for {asked} old addresses: {} wrong{}",
            wrong.len(),
            first.unwrap_or_default()
        ),
    );
    Ok(())
}
