//! `sangtrang redirects write|verify MAPPING`: where old addresses lead.

use super::apply::list;
use super::args::{RedirectsArgs, RedirectsCommand, RedirectsVerifyArgs, RedirectsWriteArgs};
use super::error::CliError;
use super::secret::Site;
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::redirect::{Decision, Format, Redirect, Redirects, verify, write};
use crate::net;
use crate::pipeline::{old_hosts, redirect_ledger, write_atomic};
use std::path::PathBuf;

pub(super) fn main(args: &RedirectsArgs, ui: &Ui) -> Outcome {
    match &args.what {
        RedirectsCommand::Write(args) => write_all(args, ui),
        RedirectsCommand::Verify(args) => verify_all(args, ui),
    }
}

/// Decides every old address and writes the files of all servers.
pub(super) fn write_files(site: &Site, logs: &[PathBuf]) -> Result<(Redirects, Vec<Redirect>), CliError> {
    let ledger = redirect_ledger(&site.target, &site.layout, logs).map_err(failure)?;
    let all: Vec<Redirect> = ledger.all().collect();
    for format in Format::ALL {
        for (name, text) in write(format, &all) {
            write_atomic(&site.layout.redirects(name), text.as_bytes())?;
        }
    }
    let mut lines = String::new();
    for redirect in &all {
        lines.push_str(&serde_json::to_string(redirect).map_err(std::io::Error::other)?);
        lines.push('\n');
    }
    write_atomic(&site.layout.redirects("ledger.jsonl"), lines.as_bytes())?;
    Ok((ledger, all))
}

fn write_all(args: &RedirectsWriteArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let (ledger, all) = write_files(&site, &args.log)?;
    let counts = ledger.counts();
    let count = |d: Decision| counts.get(&d).copied().unwrap_or_default();
    let problems = ledger.problems(&old_hosts(&site.mapping));
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "redirects/1", "type": "redirects", "spellings": ledger.spellings,
            "redirect": count(Decision::Redirect), "gone": count(Decision::Gone), "archive": count(Decision::Archive),
            "unresolved": count(Decision::Unresolved), "problems": problems }));
    }
    let mut open: Vec<&Redirect> = all
        .iter()
        .filter(|r| r.decision == Decision::Unresolved)
        .collect();
    open.sort_by_key(|r| std::cmp::Reverse(r.hits));
    list(ui, "unresolved", &open, |r| {
        format!("{} ({} hits): {}", r.from, r.hits, r.why)
    });
    list(ui, "problem", &problems, |p| {
        serde_json::to_string(p).unwrap_or_default()
    });
    ui.status(
        "Decided",
        format_args!(
            "{} old addresses: {} redirects, {} gone, {} archived, {} unresolved, {} problems; {}",
            counts.values().sum::<u64>(),
            count(Decision::Redirect),
            count(Decision::Gone),
            count(Decision::Archive),
            count(Decision::Unresolved),
            problems.len(),
            site.layout.redirects("").display()
        ),
    );
    if !open.is_empty() {
        ui.hint("`[[target.redirect]]` in the mapping decides what no document took over");
    }
    let fine = open.is_empty() && problems.is_empty();
    Ok(if fine { Exit::Ok } else { Exit::Findings })
}

fn verify_all(args: &RedirectsVerifyArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let at = site.host(args.at.as_deref())?;
    let ledger = redirect_ledger(&site.target, &site.layout, &[]).map_err(failure)?;
    let all: Vec<Redirect> = ledger.all().collect();
    let (runtime, cancel) = reactor()?;
    let client =
        net::client(&net::Options::default()).map_err(|e| CliError::new(Exit::Usage, "net::client", e))?;
    let bar = ui.progress("Asking", all.len() as u64);
    let (asked, wrong) = runtime.block_on(verify::verify(&client, &at, all, &cancel, &|done| {
        bar.update(done, "addresses");
    }));
    drop(bar);
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "redirects-verified/1", "type": "redirects", "asked": asked, "wrong": wrong }));
    }
    list(ui, "wrong", &wrong, |w| {
        format!("{}: expected {}, found {}", w.from, w.expected, w.found)
    });
    ui.status(
        "Asked",
        format_args!("{at} for {asked} old addresses: {} wrong", wrong.len()),
    );
    Ok(if cancel.is_cancelled() {
        Exit::Interrupted
    } else if wrong.is_empty() {
        Exit::Ok
    } else {
        Exit::Findings
    })
}
