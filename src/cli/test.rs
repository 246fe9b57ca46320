//! `sangtrang test MAPPING…`: the examples that travel with a mapping; with `--accept` what they give becomes what they must.

use super::args::TestArgs;
use super::changes::lines;
use super::example::{self, Ran};
use super::target::load_mapping;
use super::{Exit, Outcome, Ui};
use crate::mapping::model::Example;
use crate::pipeline::write_atomic;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Differences of one example that are shown.
const SHOWN: usize = 40;

#[derive(Default)]
struct Counts {
    passed: u64,
    failed: u64,
    accepted: u64,
}

pub(super) fn main(args: &TestArgs, ui: &Ui) -> Outcome {
    let mut counts = Counts::default();
    let mut written = BTreeSet::new();
    for path in &args.mappings {
        let mapping = load_mapping(path)?;
        for collection in &mapping.rules().collection {
            for example in &collection.example {
                let ran = example::run(&mapping, example);
                one(
                    args,
                    (path, &collection.id, example),
                    ran,
                    &mut counts,
                    &mut written,
                    ui,
                )?;
            }
        }
    }
    ui.event(&json!({
        "schema": "test/1", "type": "summary", "passed": counts.passed, "failed": counts.failed, "accepted": counts.accepted,
    }));
    let accepted = match counts.accepted {
        0 => String::new(),
        n if args.dry_run => format!(", {n} would be accepted"),
        n => format!(", {n} accepted"),
    };
    ui.status(
        "Tested",
        format_args!(
            "{} examples passed, {} failed{accepted}",
            counts.passed, counts.failed
        ),
    );
    if counts.passed + counts.failed + counts.accepted == 0 {
        ui.hint("a mapping without examples is not tested: add `[[collection.example]]`");
    } else if counts.failed > 0 && !args.accept {
        ui.hint("`test --accept` writes down what the mapping gives now; `-n` shows it first");
    }
    Ok(if counts.failed > 0 {
        Exit::Findings
    } else {
        Exit::Ok
    })
}

fn one(
    args: &TestArgs,
    (path, collection, example): (&Path, &str, &Example),
    ran: Result<Ran, String>,
    counts: &mut Counts,
    written: &mut BTreeSet<PathBuf>,
    ui: &Ui,
) -> Result<(), super::error::CliError> {
    let (ran, error) = match ran {
        Ok(ran) => (Some(ran), None),
        Err(error) => (None, Some(error)),
    };
    let changes = ran.as_ref().map_or(&[][..], |r| &r.changes);
    let ok = error.is_none() && changes.is_empty();
    // Two examples with one file of expectations and two results: the second must not undo the first.
    let torn = ran.as_ref().is_some_and(|r| !ok && written.contains(&r.file));
    let accept = args.accept && error.is_none() && !ok && !torn;
    let verb = match (ok, accept, args.dry_run) {
        (true, ..) => "ok",
        (_, true, false) => "Accepted",
        (_, true, true) => "Would accept",
        _ => "FAILED",
    };
    match verb {
        "ok" => counts.passed += 1,
        "FAILED" => counts.failed += 1,
        _ => counts.accepted += 1,
    }
    ui.status(verb, format_args!("{collection} {}", example.capture));
    if let Some(error) = &error {
        ui.note(format_args!("{:>12} it did not run: {error}", ""));
    }
    if let Some(ran) = &ran {
        if !ran.written {
            ui.note(format_args!(
                "{:>12} nothing is expected yet: `{}` is not there",
                "",
                ran.file.display()
            ));
        } else {
            for line in changes.iter().take(SHOWN).flat_map(lines) {
                ui.note(format_args!("{:>12} {line}", ""));
            }
            if changes.len() > SHOWN {
                ui.note(format_args!("{:>12} … and {} more", "", changes.len() - SHOWN));
            }
        }
        if torn {
            ui.warning(format_args!(
                "`{}` was accepted for another example already: give each its own file",
                ran.file.display()
            ));
        }
        if accept && !args.dry_run {
            write_atomic(&ran.file, example::text(&ran.accepted).as_bytes())?;
            written.insert(ran.file.clone());
        }
        if accept {
            for gate in &ran.failed_gates {
                ui.warning(format_args!("what is accepted fails a gate: {gate}"));
            }
        }
    }
    let strings: Vec<String> = match &error {
        Some(error) => vec![error.clone()],
        None => changes.iter().map(sentence).collect(),
    };
    ui.event(&json!({
        "schema": "test/1", "type": "example", "mapping": path, "collection": collection, "capture": example.capture,
        "ok": ok, "ran": error.is_none(), "accepted": accept && !args.dry_run, "differences": strings, "changes": changes,
    }));
    Ok(())
}

/// A difference in one line.
fn sentence(change: &crate::diff::Change) -> String {
    let side = |v: &Option<String>| {
        v.as_ref()
            .map_or_else(|| "nothing".to_owned(), |v| format!("`{v}`"))
    };
    format!(
        "{}: expected {}, found {}",
        change.name,
        side(&change.old),
        side(&change.new)
    )
}
