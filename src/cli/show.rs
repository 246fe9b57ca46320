//! `sangtrang show URL|ID`: the whole way of one page, from its discovery to the new CMS.

use super::args::ShowArgs;
use super::error::CliError;
use super::inspect::clean;
use super::show_way::{Stage, way};
use super::target::{failure, load_mapping};
use super::{Exit, Outcome, Ui};
use crate::document::DocumentId;
use crate::ledger::{DocumentRow, Ledger, UrlId};
use crate::mapping::Mapping;
use crate::pipeline::{self, Layout};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is known of one page.
struct Found {
    url: String,
    stages: Vec<Stage>,
    document: Option<DocumentRow>,
}

pub(super) fn main(args: &ShowArgs, ui: &Ui) -> Outcome {
    for mapping in mappings(args)? {
        let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
        let Ok(ledger) = Ledger::read(&layout.ledger()) else {
            continue;
        };
        if let Some(found) = find(&mapping, &ledger, &layout, &args.what)? {
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

fn find(mapping: &Mapping, ledger: &Ledger, layout: &Layout, what: &str) -> Result<Option<Found>, CliError> {
    let bare = what.strip_prefix("doc:").unwrap_or(what);
    let (row, documents): (Option<UrlId>, Vec<DocumentRow>) = if let Ok(id) = bare.parse::<DocumentId>() {
        match ledger.document(&id).map_err(failure)? {
            Some(document) => (document.url, vec![document]),
            None => return Ok(None),
        }
    } else {
        let Ok(url) = pipeline::site_url(mapping, what) else {
            return Ok(None);
        };
        match ledger.find(&url.key()).map_err(failure)? {
            Some(row) => (Some(row), ledger.documents_of(row).map_err(failure)?),
            None => return Ok(None),
        }
    };
    let url = match row {
        Some(row) => ledger.url(row).map_err(failure)?.unwrap_or_default(),
        None => String::new(),
    };
    let steps = match pipeline::site_url(mapping, &url) {
        Ok(url) => ledger.show(&url.key()).map_err(failure)?.unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    let stages = way(ledger, layout, row, steps, &documents)?;
    Ok(Some(Found {
        url,
        stages,
        document: documents.into_iter().next(),
    }))
}

fn tell(found: &Found, site: &str, ui: &Ui) {
    if ui.json() {
        let document = found.document.as_ref().map(|d| {
            serde_json::json!({
                "id": d.id, "source_key": d.source_key, "collection": d.collection, "state": d.state, "revision": d.content,
            })
        });
        ui.data(serde_json::json!({
            "schema": "show/1", "type": "page", "site": site, "url": found.url, "steps": found.stages, "document": document,
        }));
        return;
    }
    ui.data(clean(&found.url));
    for stage in &found.stages {
        ui.data(clean(&format!(
            "  {:<30} {:<9} {}",
            stage.at.as_deref().unwrap_or_default(),
            stage.what,
            stage.text
        )));
    }
}
