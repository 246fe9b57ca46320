//! `sangtrang check MAPPING…`: no network, no output.

use super::args::CheckArgs;
use super::target::load_mapping;
use super::{Exit, Outcome, Ui};

pub(super) fn main(args: &CheckArgs, ui: &Ui) -> Outcome {
    let mut exit = Exit::Ok;
    for path in &args.mappings {
        match load_mapping(path) {
            Ok(mapping) => {
                let rules = mapping.rules();
                ui.status(
                    "Checked",
                    format_args!(
                        "{}: site {}, {} discovery rules, {} collections, {} examples",
                        path.display(),
                        rules.site.id,
                        rules.discover.len(),
                        rules.collection.len(),
                        rules.collection.iter().map(|c| c.example.len()).sum::<usize>(),
                    ),
                );
                ui.event(&serde_json::json!({
                    "schema": "check/1", "type": "mapping", "path": path, "ok": true, "site": rules.site.id,
                }));
            }
            Err(error) => {
                ui.event(&serde_json::json!({
                    "schema": "check/1", "type": "mapping", "path": path, "ok": false, "problems": error.problems,
                }));
                exit = error.exit;
                ui.error(&error);
            }
        }
    }
    Ok(exit)
}
