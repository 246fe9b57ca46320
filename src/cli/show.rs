//! `sangtrang show URL|ID`: the way of one page.

use super::args::ShowArgs;
use super::error::CliError;
use super::inspect::clean;
use super::target::{failure, load_mapping};
use super::{Exit, Outcome, Ui};
use crate::document::DocumentId;
use crate::ledger::{DocumentRow, Ledger, Step};
use crate::mapping::Mapping;
use crate::pipeline::{self, Layout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of one page.
struct Found {
    url: String,
    steps: Vec<Step>,
    document: Option<DocumentRow>,
}

pub(super) fn main(args: &ShowArgs, ui: &Ui) -> Outcome {
    for mapping in mappings(args)? {
        let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
        let Ok(ledger) = Ledger::read(&layout.ledger()) else {
            continue;
        };
        if let Some(found) = find(&mapping, &ledger, &args.what)? {
            tell(&found, &mapping.rules().site.id, ui);
            return Ok(Exit::Ok);
        }
    }
    Err(CliError::new(Exit::Failure, "show::unknown", format!("no ledger below `{}` knows `{}`", args.output.output.display(), args.what))
        .hint("`sangtrang status` lists the sites; `--mapping FILE` names the site's mapping if it is not below mappings/"))
}

/// The mapping that was named, else those below `mappings/` that are valid.
fn mappings(args: &ShowArgs) -> Result<Vec<Arc<Mapping>>, CliError> {
    if let Some(path) = &args.mapping {
        return Ok(vec![load_mapping(path)?]);
    }
    let folder = Path::new("mappings");
    let mut paths: Vec<PathBuf> = Vec::new();
    if folder.is_dir() {
        for entry in fs_err::read_dir(folder)? {
            paths.push(entry?.path());
        }
    }
    paths.sort();
    Ok(paths
        .iter()
        .filter(|p| p.extension().is_some_and(|e| e == "toml"))
        .filter_map(|p| load_mapping(p).ok())
        .collect())
}

fn find(mapping: &Mapping, ledger: &Ledger, what: &str) -> Result<Option<Found>, CliError> {
    if let Ok(id) = what.parse::<DocumentId>() {
        let Some(document) = ledger.document(&id).map_err(failure)? else {
            return Ok(None);
        };
        let url = match document.url {
            Some(row) => ledger.url(row).map_err(failure)?.unwrap_or_default(),
            None => String::new(),
        };
        let steps = steps(mapping, ledger, &url)?.unwrap_or_default();
        return Ok(Some(Found {
            url,
            steps,
            document: Some(document),
        }));
    }
    let Ok(url) = pipeline::site_url(mapping, what) else {
        return Ok(None);
    };
    let Some(steps) = ledger.show(&url.key()).map_err(failure)? else {
        return Ok(None);
    };
    let document = match ledger.find(&url.key()).map_err(failure)? {
        Some(row) => ledger.documents_of(row).map_err(failure)?.into_iter().next(),
        None => None,
    };
    Ok(Some(Found {
        url: url.to_string(),
        steps,
        document,
    }))
}

fn steps(mapping: &Mapping, ledger: &Ledger, url: &str) -> Result<Option<Vec<Step>>, CliError> {
    let Ok(url) = pipeline::site_url(mapping, url) else {
        return Ok(None);
    };
    ledger.show(&url.key()).map_err(failure)
}

fn tell(found: &Found, site: &str, ui: &Ui) {
    let time = |at: i64| {
        jiff::Timestamp::from_millisecond(at)
            .map(|t| t.to_string())
            .unwrap_or_default()
    };
    if ui.json() {
        let steps: Vec<_> = found
            .steps
            .iter()
            .map(|s| serde_json::json!({ "at": s.at.map(time), "text": s.text }))
            .collect();
        let document = found.document.as_ref().map(|d| {
            serde_json::json!({
                "id": d.id, "source_key": d.source_key, "collection": d.collection, "state": d.state, "revision": d.content,
            })
        });
        ui.data(serde_json::json!({
            "schema": "show/1", "type": "page", "site": site, "url": found.url, "steps": steps, "document": document,
        }));
        return;
    }
    ui.data(clean(&found.url));
    for step in &found.steps {
        ui.data(clean(&format!(
            "  {:<30} {}",
            step.at.map(time).unwrap_or_default(),
            step.text
        )));
    }
    if let Some(d) = &found.document {
        ui.data(format_args!(
            "  document {} {} {} ({})",
            d.id, d.collection, d.source_key, d.state
        ));
    }
}
