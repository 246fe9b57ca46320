//! What holds for gates, of the site and of a collection.

use super::Check;
use super::table::{Table, number};
use crate::mapping::model::GateKind;
use std::collections::BTreeMap;

impl Check<'_> {
    /// The gates of a collection, beside those of the site.
    pub(super) fn own_gates(&mut self, site: &Table<'_, '_>, of: &Table<'_, '_>) {
        self.gates(of);
        let named = |gate: &Table<'_, '_>| {
            let id = gate.text("id").or(gate.text("rule"))?.0.to_owned();
            Some((id, gate.text("rule")?.0.to_owned()))
        };
        let all: BTreeMap<String, String> = site.tables("gate").filter_map(|g| named(&g)).collect();
        for gate in of.tables("gate") {
            if let (Some((id, place)), Some((rule, _))) = (gate.text("id"), gate.text("rule"))
                && let Some(other) = all.get(id).filter(|other| *other != rule)
            {
                let message = format!("`{id}` is the id of a rule `{other}` of the site");
                let help = "give this one another id";
                self.add(
                    "mapping::gate",
                    place,
                    message,
                    "reports could not tell them apart",
                    help,
                );
            }
        }
    }

    /// The gates of the site or of a collection.
    pub(super) fn gates(&mut self, of: &Table<'_, '_>) {
        self.unique(of.tables("gate"), "gate");
        let mut unnamed: Vec<&str> = Vec::new();
        for gate in of.tables("gate") {
            let Some((rule, span)) = gate.text("rule") else {
                continue;
            };
            // A name that is none is told by the shape.
            let Some(kind) = GateKind::ALL.into_iter().find(|k| k.name() == rule) else {
                continue;
            };
            let at = gate.get("at").map(|n| (number(n), n.span()));
            match (kind.at(), at) {
                (Some(_), None) if kind == GateKind::MinBody && !off(&gate) => self.add(
                    "mapping::gate",
                    span.clone(),
                    "`min-body` needs `at`",
                    "how many characters?",
                    "add `at = 200`",
                ),
                (None, Some(_)) => {
                    let help = match kind {
                        GateKind::Replacements => "`decode.max_replacement_chars` says how many",
                        GateKind::Undecided => "`decode.max_undecided_blocks` says how many",
                        _ => "take it away",
                    };
                    let message = format!("`at` has no meaning for `{rule}`");
                    self.add(
                        "mapping::gate",
                        gate.key_span("at"),
                        message,
                        "compares with no number",
                        help,
                    );
                }
                (Some(_), Some((Some(number), place))) => {
                    let (least, most) = kind.bounds();
                    #[expect(clippy::cast_precision_loss, reason = "bounds of years and shares")]
                    if number < least as f64 || number > most as f64 {
                        let message = format!("`{rule}` compares with {least} to {most}");
                        self.add("mapping::gate", place, message, "out of these", "");
                    }
                }
                _ => {}
            }
            if kind == GateKind::Accounted && off(&gate) {
                let help = "`level = \"warn\"` lets such documents through; `at` allows some characters";
                let message = "`accounted` cannot be off";
                self.add(
                    "mapping::gate",
                    span.clone(),
                    message,
                    "lost text would go unseen",
                    help,
                );
            }
            match gate.text("id") {
                Some((id, place)) => {
                    if id != rule && GateKind::ALL.iter().any(|k| k.name() == id) {
                        let message = format!("`{id}` is the name of another rule");
                        let help = "give it another id, or none";
                        self.add("mapping::gate", place, message, "reports would mistake it", help);
                    }
                }
                None if unnamed.contains(&rule) => {
                    let message = format!("two rules `{rule}` without an id");
                    self.add(
                        "mapping::gate",
                        span,
                        message,
                        "reports could not tell them apart",
                        "add `id = \"…\"`",
                    );
                }
                None => unnamed.push(rule),
            }
        }
    }
}

fn off(gate: &Table<'_, '_>) -> bool {
    gate.text("level").is_some_and(|(level, _)| level == "off")
}
