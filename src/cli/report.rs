//! `sangtrang report MAPPING`: the record of a move.

use super::error::CliError;
use super::move_args::ReportArgs;
use super::run::{failed_urls, troubled};
use super::show_way::cause;
use super::sync_summary::reason_name;
use super::target::{failure, load_mapping};
use super::{Exit, Outcome, Ui};
use crate::deliver::Planned;
use crate::deliver::redirect::Decision;
use crate::ledger::{Ledger, clock};
use crate::mapping::model::Target;
use crate::pipeline::{Layout, redirect_ledger, write_atomic};
use crate::report::{Checklist, Facts, JUnit, Totals, record};
use std::collections::BTreeMap;
use std::path::Path;

/// Tombstones that are told.
const STONES: usize = 1000;

pub(super) fn main(args: &ReportArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.site.mapping)?;
    let target = match &args.site.target {
        Some(path) => Some(super::secret::target_file(path)?),
        None => mapping.rules().target.clone(),
    };
    let layout = Layout::new(&args.site.output.output, &mapping.rules().site.id);
    let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
    let totals = Totals::read(&ledger, &mapping.rules().site.id).map_err(failure)?;
    let facts = Facts {
        at: clock::now().to_string(),
        mapping: mapping.hash().to_string(),
        redirects: decisions(target.as_ref(), &layout)?,
        holds: holds(&layout)?,
        tombstones: tombstones(&ledger)?,
        runs: runs(&ledger)?,
    };
    let checklist = last_checklist(&layout)?;
    junit(args.junit.junit.as_deref(), &ledger, &totals)?;
    if ui.json() {
        ui.data(serde_json::json!({
            "schema": "record/1", "type": "record", "site": totals.standing.site, "at": facts.at, "mapping": facts.mapping,
            "totals": totals, "redirects": facts.redirects.iter().cloned().collect::<BTreeMap<_, _>>(), "holds": facts.holds,
            "tombstones": facts.tombstones, "runs": facts.runs.iter().cloned().collect::<BTreeMap<_, _>>(),
            "checklist": checklist,
        }));
    }
    let text = record(&totals, &facts, checklist.as_ref());
    match args.out.as_deref() {
        Some(path) if path == Path::new("-") => {
            if !ui.json() {
                ui.data(text.trim_end());
            }
        }
        path => {
            let path = path.map_or_else(|| layout.record_md(), Path::to_owned);
            write_atomic(&path, text.as_bytes())?;
            ui.status("Recorded", path.display());
        }
    }
    let wrong = totals.sums.iter().any(|s| !s.holds());
    Ok(if wrong { Exit::Findings } else { Exit::Ok })
}

/// The gates of the last extraction as JUnit XML.
fn junit(path: Option<&Path>, ledger: &Ledger, totals: &Totals) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let Some(tally) = &totals.extraction else {
        return Err(
            CliError::new(Exit::Failure, "report::extraction", "nothing was extracted yet")
                .hint("`sangtrang extract` runs the gates"),
        );
    };
    let run = ledger.last_run("extract", Some("done")).map_err(failure)?;
    let (started, seconds) = run.map_or((0, 0), |r| {
        (r.started, r.finished.unwrap_or(r.started) - r.started)
    });
    let started = jiff::Timestamp::from_millisecond(started)
        .unwrap_or_default()
        .to_string();
    let (failures, trouble) = failed_urls(ledger)?;
    let told = JUnit {
        site: &totals.standing.site,
        started: &started,
        seconds: std::time::Duration::from_millis(seconds.try_into().unwrap_or(0)).as_secs_f64(),
        tally,
        trouble: (trouble, &troubled(&failures)),
    };
    write_atomic(path, told.xml()?.as_bytes())?;
    Ok(())
}

fn decisions(target: Option<&Target>, layout: &Layout) -> Result<Vec<(String, u64)>, CliError> {
    let Some(target) = target else {
        return Ok(Vec::new());
    };
    let all = redirect_ledger(target, layout, &[]).map_err(failure)?;
    let counts = all.counts();
    let of = |name: &str, decision: Decision| {
        (
            name.to_owned(),
            counts.get(&decision).copied().unwrap_or_default(),
        )
    };
    Ok(vec![
        of("redirect", Decision::Redirect),
        of("gone", Decision::Gone),
        of("archive", Decision::Archive),
        of("unresolved", Decision::Unresolved),
    ])
}

/// What the last plan left alone.
fn holds(layout: &Layout) -> Result<Vec<String>, CliError> {
    let file = match fs_err::File::open(layout.plan_json()) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let Ok(mut planned) = Planned::read(file, layout.root()) else {
        return Ok(Vec::new());
    };
    let mut holds = Vec::new();
    for held in planned.holds.each()? {
        let held = held?;
        holds.push(format!(
            "{} {} “{}”: {} ({}) {}",
            held.key,
            held.source,
            held.title,
            held.reason.text(),
            reason_name(held.reason),
            held.note
        ));
    }
    Ok(holds)
}

fn tombstones(ledger: &Ledger) -> Result<Vec<String>, CliError> {
    let mut all = Vec::new();
    for (target, name) in ledger.targets().map_err(failure)? {
        for stone in ledger.tombstones_of(target, STONES).map_err(failure)? {
            let at = jiff::Timestamp::from_millisecond(stone.at)
                .map(|t| t.to_string())
                .unwrap_or_default();
            all.push(format!(
                "{at} {} {} from {name}: {}",
                stone.key,
                stone.url,
                cause(&stone.evidence)
            ));
        }
    }
    Ok(all)
}

fn runs(ledger: &Ledger) -> Result<Vec<(String, u64)>, CliError> {
    let runs = ledger.runs_by_end().map_err(failure)?.into_iter();
    Ok(runs
        .map(|(command, end, count)| {
            let end = end.as_deref().unwrap_or("did not finish");
            (format!("{command} {end}"), count)
        })
        .collect())
}

/// What `switchover` found last.
fn last_checklist(layout: &Layout) -> Result<Option<Checklist>, CliError> {
    match fs_err::read_to_string(layout.switchover_json()) {
        Ok(text) => Ok(Checklist::read(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
