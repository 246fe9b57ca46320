//! What is decided before a plan is made: what editors' changes mean, and whether the portal is to be believed today.

use super::deliver::{now, target_name};
use super::error::PipelineError;
use super::output::Layout;
use crate::deliver::plan::Edits;
use crate::ledger::Ledger;
use crate::mapping::model::{Drift, Target};

/// What was decided of editors' changes: what the ledger remembers, then what is said now.
pub(super) fn decisions(
    ledger: &Ledger,
    row: Option<i64>,
    now: &[(String, Drift)],
) -> Result<Edits, PipelineError> {
    let mut edits = Edits::default();
    let known = row
        .map(|row| ledger.edit_rules(row))
        .transpose()?
        .unwrap_or_default();
    let known = known.into_iter().filter_map(|(glob, how)| {
        let how = Drift::ALL.into_iter().find(|d| d.as_str() == how)?;
        Some((glob, how))
    });
    for (glob, how) in known.chain(now.iter().cloned()) {
        edits.add(&glob, how).map_err(|error| PipelineError::Glob {
            glob: glob.clone(),
            reason: error.to_string(),
        })?;
    }
    Ok(edits)
}

/// Remembers what was decided of editors' changes, for the plans to come. `ours` holds once and is not remembered.
///
/// # Errors
/// When the ledger cannot be written, or a glob is none.
pub fn remember_edits(
    target: &Target,
    layout: &Layout,
    edits: &[(String, Drift)],
) -> Result<(), PipelineError> {
    if edits.is_empty() {
        return Ok(());
    }
    let mut ledger = Ledger::open(&layout.ledger())?;
    let row = ledger.target(&target_name(target))?;
    decisions(&ledger, None, edits)?;
    for (glob, how) in edits {
        let kept = matches!(how, Drift::Theirs | Drift::FieldMerge).then_some(how.as_str());
        ledger.set_edit_rule(row, glob, kept, now())?;
    }
    Ok(())
}

/// Pages of ours that a run may be locked out of before the portal is in doubt.
const FEW_WALLED: u64 = 3;

/// Why what the portal does not show proves nothing today; `None` if it is itself.
///
/// # Errors
/// When the ledger cannot be read.
pub fn doubt(ledger: &Ledger) -> Result<Option<String>, PipelineError> {
    if let Some((url, stop, items, usual)) = ledger.shrunken_lists()?.into_iter().next() {
        let items = if stop == "empty" { 0 } else { items };
        return Ok(Some(format!(
            "the list {url} names {items} items, usually {usual}"
        )));
    }
    let last = ledger.runs()?.into_iter().rev().find(|r| r.command == "crawl");
    let Some(last) = last else { return Ok(None) };
    match last.outcome.as_deref() {
        Some("stonewalled") => {
            return Ok(Some("its servers answered nothing good in the last run".into()));
        }
        None => return Ok(Some("the last crawl did not come to its end".into())),
        Some(_) => {}
    }
    let numbers: serde_json::Value = last
        .summary
        .and_then(|s| serde_json::from_str(&s).ok())
        .unwrap_or_default();
    let number = |name: &str| numbers[name].as_u64().unwrap_or_default();
    let (walled, asked) = (number("walled"), number("asked"));
    Ok((walled >= FEW_WALLED && walled * 10 >= asked).then(|| {
        format!("the last run was locked out of {walled} pages that were there before, of {asked} that it asked for")
    }))
}
