//! Examples of a mapping: a saved page, and what its document must be.

use super::Exit;
use super::error::CliError;
use super::target::failure;
use super::try_page::saved;
use crate::diff::{Change, expected, reshaped};
use crate::document::Document;
use crate::mapping::Mapping;
use crate::mapping::model::Example;
use crate::pipeline::{self, Layout};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Fields of a document that an example holds fast, if nobody said which.
const EXPECTED: [&str; 8] = [
    "title",
    "section",
    "byline",
    "source",
    "summary",
    "dates",
    "body",
    "accounting",
];

/// What a document must be if nobody has written anything down yet: its content, and that nothing is unaccounted.
pub(super) fn written_down(document: &Document) -> Result<Value, serde_json::Error> {
    let whole = serde_json::to_value(document)?;
    let mut out: Map<String, Value> = EXPECTED
        .iter()
        .map(|k| ((*k).to_owned(), whole[*k].clone()))
        .collect();
    out.insert(
        "accounting".into(),
        json!({ "unaccounted": whole["accounting"]["unaccounted"] }),
    );
    Ok(Value::Object(out))
}

/// The text of a file with expected documents.
pub(super) fn text(expected: &Value) -> String {
    format!("{expected:#}\n")
}

/// How an example came out.
pub(super) struct Ran {
    /// The file with what is expected.
    pub(super) file: PathBuf,
    /// Whether that file is there.
    pub(super) written: bool,
    /// Where the document is not what is expected; empty if the example passes.
    pub(super) changes: Vec<Change>,
    /// What would have to be expected for it to pass.
    pub(super) accepted: Value,
    /// Gates that the documents failed.
    pub(super) failed_gates: Vec<String>,
}

/// Runs an example. `Err(reason)`: it did not run, and there is nothing to compare or to accept.
pub(super) fn run(mapping: &Mapping, example: &Example) -> Result<Ran, String> {
    let said = |error: CliError| error.message;
    let url = pipeline::site_url(mapping, &example.url).map_err(|e| said(failure(e)))?;
    let limit = mapping.rules().limits.page_bytes;
    let capture = saved(&mapping.dir().join(&example.capture), url.as_str(), limit).map_err(said)?;
    let file = mapping.dir().join(&example.expect);
    let wanted = wanted(&file).map_err(said)?;
    // No output folder: an example must not depend on what was crawled.
    let nowhere = Layout::new(Path::new(""), "");
    let tried = pipeline::try_capture(mapping, &capture, &url, &example.listing, &nowhere)
        .map_err(|e| said(failure(e)))?;
    let documents = &tried.extraction.documents;
    let json = |e: serde_json::Error| e.to_string();
    let single = wanted.as_ref().is_none_or(|w| !w.is_array());
    let found = match &documents[..] {
        [one] if single => serde_json::to_value(one),
        all => serde_json::to_value(all),
    }
    .map_err(json)?;
    let gates = documents.iter().flat_map(|d| &d.quality.gates);
    let failed_gates = gates
        .filter(|g| g.level == crate::document::GateLevel::Fail)
        .map(|g| format!("{}: {}", g.id, g.note))
        .collect();
    let (changes, accepted) = match &wanted {
        Some(wanted) => (expected(wanted, &found), reshaped(wanted, &found)),
        None => {
            let all: Result<Vec<Value>, _> = documents.iter().map(written_down).collect();
            let mut all = all.map_err(json)?;
            let accepted = if all.len() == 1 {
                all.remove(0)
            } else {
                Value::Array(all)
            };
            (expected(&Value::Null, &accepted), accepted)
        }
    };
    Ok(Ran {
        file,
        written: wanted.is_some(),
        changes,
        accepted,
        failed_gates,
    })
}

/// What a file says; `None` if it is not there yet.
fn wanted(file: &Path) -> Result<Option<Value>, CliError> {
    let bytes = match fs_err::read(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    serde_json::from_slice(&bytes).map(Some).map_err(|e| {
        let text = format!("`{}` is not JSON: {e}", file.display());
        CliError::new(Exit::Config, "mapping::example", text)
    })
}
