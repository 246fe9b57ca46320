//! The stages of a page's way, put together from ledger, documents and the last plan.

use super::error::CliError;
use super::sync_summary::reason_name;
use super::target::failure;
use crate::deliver::Planned;
use crate::document::Document;
use crate::ledger::{DocumentRow, Kind, Ledger, Step, UrlId};
use crate::pipeline::Layout;
use serde::Serialize;
use std::io::BufReader;

/// One stage.
#[derive(Debug, Serialize)]
pub(super) struct Stage {
    /// RFC 3339, UTC; `None` for what has no time.
    pub(super) at: Option<String>,
    /// `url`, `found`, `spelled`, `fetched`, `state`, `missed`, `document`, `gate`, `planned`, `held`, `pushed`, `verified`, `delivered`,
    /// `tombstone`.
    pub(super) what: &'static str,
    /// What happened.
    pub(super) text: String,
}

/// Fields of a change that are named.
const FIELDS: usize = 12;

/// The whole way, in the order in which a page walks it.
pub(super) fn way(
    ledger: &Ledger,
    layout: &Layout,
    row: Option<UrlId>,
    steps: Vec<Step>,
    documents: &[DocumentRow],
) -> Result<Vec<Stage>, CliError> {
    let mut stages: Vec<Stage> = steps
        .into_iter()
        .map(|s| Stage {
            at: s.at.map(time),
            what: s.what,
            text: s.text,
        })
        .collect();
    if let Some(row) = row {
        for (miss, ended) in ledger.all_misses(row).map_err(failure)? {
            let archived = miss
                .archived
                .map(|a| format!(", archived in {a}"))
                .unwrap_or_default();
            let ended = if ended { "; it was there again later" } else { "" };
            stages.push(Stage {
                at: Some(time(miss.at)),
                what: "missed",
                text: format!(
                    "missed: {} ({}){archived}, run {}{ended}",
                    miss.class, miss.status, miss.run
                ),
            });
        }
    }
    let mut plan = last_plan(layout)?;
    for document in documents {
        one(ledger, layout, document, plan.as_mut(), &mut stages)?;
    }
    Ok(stages)
}

fn one(
    ledger: &Ledger,
    layout: &Layout,
    document: &DocumentRow,
    plan: Option<&mut Planned>,
    stages: &mut Vec<Stage>,
) -> Result<(), CliError> {
    let mut add = |at: Option<i64>, what, text| {
        stages.push(Stage {
            at: at.map(time),
            what,
            text,
        });
    };
    add(
        None,
        "document",
        format!(
            "{} {} {} ({}), revision {}",
            document.id,
            document.collection,
            document.source_key,
            document.state,
            short(&document.content)
        ),
    );
    if let Some(file) = layout.read_document(&document.collection, &document.id)? {
        extracted(&file, &mut add);
    }
    let key = format!("doc:{}", document.id);
    if let Some(plan) = plan {
        planned(plan, &key, &mut add)?;
    }
    for write in ledger.writes_of(Kind::Document, &key).map_err(failure)? {
        let end = match (&write.outcome, write.done) {
            (Some(outcome), _) => outcome.clone(),
            (None, Some(_)) => "ended".to_owned(),
            (None, None) => "no answer yet: the next apply finds out".to_owned(),
        };
        let remote = write.remote.map(|r| format!(" #{r}")).unwrap_or_default();
        let text = format!(
            "{}{remote} at {}: {end}, run {}",
            write.op.as_str(),
            write.target,
            write.run
        );
        add(Some(write.at), "pushed", text);
    }
    if let Some(run) = ledger.last_run("sync", None).map_err(failure)? {
        let told: serde_json::Value = run
            .summary
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default();
        let lost = told["target"]["lost"]["first"].as_array().into_iter().flatten();
        for loss in lost.filter(|l| l["url"] == key.as_str()) {
            let text = format!("run {}: {}", run.uid, loss["note"].as_str().unwrap_or_default());
            add(Some(run.started), "verified", text);
        }
    }
    for (target, name) in ledger.targets().map_err(failure)? {
        let Some(d) = ledger.delivery(target, Kind::Document, &key).map_err(failure)? else {
            continue;
        };
        let at = d.url.or(d.remote.map(|r| format!("#{r}"))).unwrap_or_default();
        let ours = if d.ours { "" } else { ", was there before us" };
        // What was read back after the last write is what drift is measured by.
        let read = if d.seen.is_some() { ", read back" } else { "" };
        add(
            None,
            "delivered",
            format!("{} at {name} {at}{read}{ours}", d.state.as_str()),
        );
        let kept = ledger.kept(target, &key).map_err(failure)?;
        if !kept.is_empty() {
            add(
                None,
                "delivered",
                format!("fields that are the editors': {}", kept.join(", ")),
            );
        }
    }
    for stone in ledger.tombstones(&key).map_err(failure)? {
        let back = stone
            .back
            .map(|at| format!("; came back {}", time(at)))
            .unwrap_or_default();
        add(
            Some(stone.at),
            "tombstone",
            format!("taken off the CMS: {}{back}", cause(&stone.evidence)),
        );
    }
    Ok(())
}

/// Why something was taken off, from the evidence that its tombstone keeps.
pub(super) fn cause(evidence: &str) -> String {
    let misses: Vec<serde_json::Value> = serde_json::from_str(evidence).unwrap_or_default();
    let Some(last) = misses.last() else {
        return "no run that missed it is recorded".into();
    };
    let said = |name: &str| last[name].as_str().unwrap_or_default().to_owned();
    let archived = match said("archived") {
        archived if archived.is_empty() => String::new(),
        archived => format!(", archived in {archived}"),
    };
    format!(
        "gone in {} runs, in the last one ({}) by {} ({}){archived}",
        misses.len(),
        said("run"),
        said("class"),
        last["status"],
    )
}

/// What the extraction says of a document: accounting, encoding, gates.
fn extracted(document: &Document, add: &mut impl FnMut(Option<i64>, &'static str, String)) {
    let a = &document.accounting;
    add(
        None,
        "extracted",
        format!(
            "{} blocks; of {} visible characters {} kept, {} dropped by rules, {} unaccounted",
            document.body.len(),
            a.visible,
            a.kept,
            a.dropped,
            a.unaccounted
        ),
    );
    for gate in &document.quality.gates {
        let level = serde_json::to_value(gate.level).ok();
        let level = level.as_ref().and_then(|l| l.as_str()).unwrap_or_default();
        add(None, "gate", format!("{} ({level}): {}", gate.id, gate.note));
    }
}

/// What the last plan says of a document.
fn planned(
    plan: &mut Planned,
    key: &str,
    add: &mut impl FnMut(Option<i64>, &'static str, String),
) -> Result<(), CliError> {
    for change in plan.changes.each()? {
        let change = change?;
        if change.key == key {
            let fields: Vec<&str> = change
                .fields
                .iter()
                .take(FIELDS)
                .map(|f| f.field.as_str())
                .collect();
            let op = serde_json::to_value(change.op).ok();
            let op = op.as_ref().and_then(|o| o.as_str()).unwrap_or_default();
            let note = change.note.map(|n| format!(" ({n})")).unwrap_or_default();
            add(
                None,
                "planned",
                format!("{op} {}{note}", fields.join(", ")).trim_end().to_owned(),
            );
        }
    }
    for held in plan.holds.each()? {
        let held = held?;
        if held.key == key {
            let fields: Vec<&str> = held
                .fields
                .iter()
                .take(FIELDS)
                .map(|f| f.field.as_str())
                .collect();
            let text = format!(
                "{}: {} {} {}",
                reason_name(held.reason),
                held.reason.text(),
                held.note,
                fields.join(", ")
            );
            add(None, "held", text.trim_end().to_owned());
        }
    }
    Ok(())
}

/// The plan of the last sync or `plan`, if there is one that this program reads.
fn last_plan(layout: &Layout) -> Result<Option<Planned>, CliError> {
    match fs_err::File::open(layout.plan_json()) {
        Ok(file) => Ok(Planned::read(BufReader::new(file), layout.root()).ok()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|t| t.to_string())
        .unwrap_or_default()
}
