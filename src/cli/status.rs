//! `sangtrang status [SITE…]`: where every site stands.

use super::args::StatusArgs;
use super::error::CliError;
use super::target::{failure, load_mapping};
use super::{Exit, Outcome, Ui};
use crate::ledger::Ledger;
use crate::pipeline::Layout;
use crate::report::CrawlCounts;
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
        let counts = ledger.counts().map_err(failure)?;
        let last = ledger.runs().map_err(failure)?.pop();
        let documents = counts.documents;
        let counts = CrawlCounts::from(counts);
        if ui.json() {
            ui.data(serde_json::json!({
                "schema": "status/1", "type": "site", "site": site, "urls": counts, "documents": documents,
                "last_run": last.map(|r| serde_json::json!({ "id": r.uid, "command": r.command, "outcome": r.outcome })),
            }));
            continue;
        }
        ui.data(format_args!(
            "{site}\n  documents {documents:>24}\n  urls known {:>23}",
            counts.known
        ));
        for (state, count) in &counts.by_state {
            ui.data(format_args!("    {state:<22} {count:>9}"));
        }
        if let Some(run) = last {
            ui.data(format_args!(
                "  last run: {} {}",
                run.command,
                run.outcome.as_deref().unwrap_or("did not finish")
            ));
        }
    }
    Ok(Exit::Ok)
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
