//! What differs between two payloads, short enough to be read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDiff {
    /// Its name; `fields.NAME` for what the mapping declares.
    pub field: String,
    /// Before: the part around the first difference.
    pub from: String,
    /// After.
    pub to: String,
}

/// Characters before the first difference that are shown.
const BEFORE: usize = 24;
/// Characters of a side that are shown.
const LENGTH: usize = 120;

/// Fields of two payloads that differ, in the order of `to`.
#[must_use]
pub fn field_diffs(from: &Value, to: &Value) -> Vec<FieldDiff> {
    let mut out = Vec::new();
    compare("", from, to, &mut out);
    out
}

fn compare(name: &str, from: &Value, to: &Value, out: &mut Vec<FieldDiff>) {
    if from == to {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (from, to) {
        let keys = b.keys().chain(a.keys().filter(|k| !b.contains_key(*k)));
        for key in keys {
            let name = if name.is_empty() {
                key.clone()
            } else {
                format!("{name}.{key}")
            };
            compare(
                &name,
                a.get(key).unwrap_or(&Value::Null),
                b.get(key).unwrap_or(&Value::Null),
                out,
            );
        }
        return;
    }
    let (from, to) = (plain(from), plain(to));
    let same = from.chars().zip(to.chars()).take_while(|(a, b)| a == b).count();
    out.push(FieldDiff {
        field: name.to_owned(),
        from: part(&from, same),
        to: part(&to, same),
    });
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The text around its `at`th character, on one line.
fn part(text: &str, at: usize) -> String {
    let skip = at.saturating_sub(BEFORE);
    let mut out = String::new();
    if skip > 0 {
        out.push('…');
    }
    let mut rest = text.chars().skip(skip);
    out.extend(
        rest.by_ref()
            .take(LENGTH)
            .map(|c| if c.is_control() { ' ' } else { c }),
    );
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_shown_around_their_first_difference() {
        let long = "a".repeat(500);
        let from =
            serde_json::json!({ "title": "x", "body": format!("{long} old {long}"), "fields": { "a": 1 } });
        let to = serde_json::json!({ "title": "x", "body": format!("{long} new {long}"), "fields": { "a": null } });
        let found = field_diffs(&from, &to);
        assert_eq!(found.len(), 2);
        assert!(
            found[0].from.contains(" old ")
                && found[0].to.contains(" new ")
                && found[0].to.chars().count() < 150
        );
        assert_eq!(
            (
                found[1].field.as_str(),
                found[1].from.as_str(),
                found[1].to.as_str()
            ),
            ("fields.a", "1", "")
        );
    }
}
