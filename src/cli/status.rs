//! `sangtrang status [SITE…]`: where every site stands.

use super::args::StatusArgs;
use super::error::CliError;
use super::target::{failure, load_mapping};
use super::{Exit, Outcome, Ui};
use crate::ledger::Ledger;
use crate::pipeline::{self, Layout};
use crate::report::Standing;
use std::path::Path;

pub(super) fn main(args: &StatusArgs, ui: &Ui) -> Outcome {
    let output = &args.output.output;
    let sites = if args.sites.is_empty() {
        all_sites(output)?
    } else {
        named(&args.sites)?
    };
    if sites.is_empty() {
        ui.hint(format_args!(
            "nothing below `{}` yet; try `sangtrang demo`",
            output.display()
        ));
    }
    for site in sites {
        let layout = Layout::new(output, &site);
        let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
        let standing = Standing::read(&ledger, &site).map_err(failure)?;
        let doubt = pipeline::doubt(&ledger).map_err(failure)?;
        if ui.json() {
            let mut object = serde_json::to_value(&standing).map_err(std::io::Error::other)?;
            object["schema"] = "status/1".into();
            object["type"] = "site".into();
            object["doubt"] = doubt.into();
            ui.data(object);
            continue;
        }
        ui.data(text(&standing, doubt.as_deref()).trim_end());
    }
    Ok(Exit::Ok)
}

/// A site for people: counts first, what wants attention last.
fn text(s: &Standing, doubt: Option<&str>) -> String {
    use std::fmt::Write as _;
    let mut out = format!("{}\n", s.site);
    let mut count = |indent: usize, name: &str, count: u64| {
        let width = 28 - indent;
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{:indent$}{name:<width$} {count:>9}", "");
    };
    count(2, "documents", s.documents);
    for (state, n) in &s.documents_by_state {
        count(4, state, *n);
    }
    if s.missed > 0 {
        count(4, "of pages that are missed", s.missed);
    }
    count(2, "urls known", s.urls.known);
    for (state, n) in &s.urls.by_state {
        count(4, state, *n);
    }
    for target in &s.targets {
        let _ = writeln!(out, "  {}", target.name);
        for (state, n) in &target.entries {
            let _ = writeln!(out, "    {state:<24} {n:>9}");
        }
        if target.tombstones > 0 {
            let _ = writeln!(out, "    {:<24} {:>9}", "tombstones", target.tombstones);
        }
        if target.open_writes > 0 {
            let _ = writeln!(
                out,
                "    {:<24} {:>9}",
                "writes without an answer", target.open_writes
            );
        }
    }
    if let Some(run) = &s.last_run {
        let _ = writeln!(out, "  last run: {}", run.line());
    }
    if let Some(run) = &s.last_sync {
        let _ = writeln!(out, "  last sync: {}", run.line());
    }
    if let Some(success) = &s.last_success {
        let _ = writeln!(out, "  last whole sync: {success}");
    }
    if let Some(sync) = &s.sync {
        for (reason, n) in sync.target.iter().flat_map(|t| &t.holds) {
            let _ = writeln!(out, "  on hold: {n} {}", reason.replace('_', " "));
        }
        if let Some(error) = &sync.error {
            let _ = writeln!(out, "  the last sync failed: {error}");
        }
    }
    if let Some(doubt) = doubt {
        let _ = writeln!(out, "  nothing is taken off: {doubt}");
    }
    if let Some(frozen) = &s.frozen {
        let _ = writeln!(
            out,
            "  frozen since {}: nothing is pushed {}",
            frozen.since, frozen.note
        );
    }
    out
}

fn all_sites(output: &Path) -> Result<Vec<String>, CliError> {
    let mut sites = Vec::new();
    if output.is_dir() {
        for entry in fs_err::read_dir(output)? {
            let entry = entry?;
            if entry.path().join("ledger.db").is_file() {
                sites.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
    }
    sites.sort();
    Ok(sites)
}

fn named(sites: &[String]) -> Result<Vec<String>, CliError> {
    sites
        .iter()
        .map(|s| {
            let path = Path::new(s);
            if path.is_file() {
                load_mapping(path).map(|m| m.rules().site.id.clone())
            } else {
                Ok(s.clone())
            }
        })
        .collect()
}
