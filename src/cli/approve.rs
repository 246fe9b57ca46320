//! `sangtrang approve MAPPING GLOB…`: a person's verdict on documents. It holds for their present revision only.

use super::args::ApproveArgs;
use super::error::CliError;
use super::target::{failure, load_mapping};
use super::{Exit, Outcome, Ui};
use crate::deliver::Selection;
use crate::ledger::Ledger;
use crate::pipeline::Layout;

/// Rows of the ledger that are read at once.
const ROWS: usize = 1000;

pub(super) fn main(args: &ApproveArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let globs = globs(&args.globs)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    // `read` first: a ledger that is not there is not made.
    drop(Ledger::read(&layout.ledger()).map_err(failure)?);
    let mut ledger = Ledger::open(&layout.ledger()).map_err(failure)?;
    let at = jiff::Timestamp::now().as_millisecond();
    let (mut after, mut decided) = (String::new(), 0);
    loop {
        let rows = ledger.documents(&after, ROWS).map_err(failure)?;
        let Some(last) = rows.last() else { break };
        after = last.id.to_string();
        for row in rows {
            let path = format!("{}/{}", row.collection, row.source_key);
            if globs.is_match(&row.source_key) || globs.is_match(&path) {
                let id = row.id.to_string();
                decided += u64::from(
                    ledger
                        .decide(&id, None, !args.reject, &args.note, &args.who, at)
                        .map_err(failure)?,
                );
            }
        }
    }
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "verdicts/1", "type": "verdicts", "approved": !args.reject, "documents": decided }));
    }
    let verb = if args.reject { "Rejected" } else { "Approved" };
    ui.status(verb, format_args!("{decided} documents"));
    if decided == 0 {
        return Err(CliError::new(Exit::Usage, "usage::glob", "no document matches")
            .hint("`news:4*`, `news/*`: the key of a document stands in its file as `source_key`"));
    }
    Ok(Exit::Ok)
}

/// `--only`: globs, and documents with a verdict.
pub(super) fn selection(only: &[String], layout: &Layout) -> Result<Selection, CliError> {
    let (verdicts, texts): (Vec<String>, Vec<String>) =
        only.iter().cloned().partition(|only| only == "approved");
    let mut documents = Selection::default();
    if !verdicts.is_empty() {
        let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
        documents.approved = Some(ledger.approved().map_err(failure)?);
    }
    if !texts.is_empty() {
        documents.only = Some(globs(&texts)?);
    }
    Ok(documents)
}

/// Globs as one set.
pub(super) fn globs(texts: &[String]) -> Result<globset::GlobSet, CliError> {
    let wrong = |e| CliError::new(Exit::Usage, "usage::glob", e).hint("`news:4*`, `news/*`, `*-2023-*`");
    let mut set = globset::GlobSetBuilder::new();
    for text in texts {
        set.add(globset::Glob::new(text).map_err(wrong)?);
    }
    set.build().map_err(wrong)
}
