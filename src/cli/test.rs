//! `sangtrang test MAPPING…`: the examples that travel with a mapping.

use super::args::TestArgs;
use super::error::CliError;
use super::target::{failure, load_mapping};
use super::try_page::saved;
use super::{Exit, Outcome, Ui};
use crate::mapping::Mapping;
use crate::mapping::model::Example;
use crate::pipeline::{self, Layout};
use serde_json::Value;
use std::path::Path;

pub(super) fn main(args: &TestArgs, ui: &Ui) -> Outcome {
    let (mut passed, mut failed) = (0u64, 0u64);
    for path in &args.mappings {
        let mapping = load_mapping(path)?;
        for collection in &mapping.rules().collection {
            for example in &collection.example {
                let wrong = run_example(&mapping, example)?;
                let ok = wrong.is_empty();
                if ok {
                    passed += 1
                } else {
                    failed += 1
                }
                ui.status(
                    if ok { "ok" } else { "FAILED" },
                    format_args!("{} {}", collection.id, example.capture),
                );
                for line in &wrong {
                    ui.note(format_args!("{:>12} {line}", ""));
                }
                ui.event(&serde_json::json!({
                    "schema": "test/1", "type": "example", "mapping": path, "collection": collection.id,
                    "capture": example.capture, "ok": ok, "differences": wrong,
                }));
            }
        }
    }
    ui.event(
        &serde_json::json!({ "schema": "test/1", "type": "summary", "passed": passed, "failed": failed }),
    );
    ui.status(
        "Tested",
        format_args!("{passed} examples passed, {failed} failed"),
    );
    if passed + failed == 0 {
        ui.hint("a mapping without examples is not tested: add `[[collection.example]]`");
    }
    Ok(if failed > 0 { Exit::Findings } else { Exit::Ok })
}

/// The differences between what an example expects and what the mapping gives; empty if it passes.
fn run_example(mapping: &Mapping, example: &Example) -> Result<Vec<String>, CliError> {
    let url = pipeline::site_url(mapping, &example.url).map_err(failure)?;
    let capture = saved(
        &mapping.dir().join(&example.capture),
        url.as_str(),
        mapping.rules().limits.page_bytes,
    )?;
    let expect = mapping.dir().join(&example.expect);
    let expected: Value = serde_json::from_slice(&fs_err::read(&expect)?).map_err(|e| {
        CliError::new(
            Exit::Config,
            "mapping::example",
            format!("`{}` is not JSON: {e}", expect.display()),
        )
    })?;
    // No output folder: an example must not depend on what was crawled.
    let tried = match pipeline::try_capture(
        mapping,
        &capture,
        &url,
        &example.listing,
        &Layout::new(Path::new(""), ""),
    ) {
        Ok(tried) => tried,
        Err(error) => return Ok(vec![error.to_string()]),
    };
    let found = match &tried.extraction.documents[..] {
        [one] if !expected.is_array() => serde_json::to_value(one),
        all => serde_json::to_value(all),
    }
    .map_err(std::io::Error::other)?;
    let mut wrong = Vec::new();
    compare("", &expected, &found, &mut wrong);
    Ok(wrong)
}

/// Every key of `expected` must be equal in `found`; what it does not name is free.
fn compare(at: &str, expected: &Value, found: &Value, wrong: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                compare(
                    &format!("{at}/{key}"),
                    value,
                    b.get(key).unwrap_or(&Value::Null),
                    wrong,
                );
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (n, (x, y)) in a.iter().zip(b).enumerate() {
                compare(&format!("{at}/{n}"), x, y, wrong);
            }
        }
        _ if expected == found => {}
        _ => wrong.push(format!("{at}: expected {expected}, found {found}")),
    }
}
