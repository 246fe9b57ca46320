//! The portal's truth against a finished document, field by field.

use super::Truth;
use crate::document::Document;
use serde_json::Value;

/// One field that is not as the truth says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// JSON pointer into the document (`/body/3/text`).
    pub field: String,
    /// What the truth says.
    pub expected: String,
    /// What the document says.
    pub found: String,
}

/// Keys that say where and how a value was found, not what it is: the truth does not know them.
const PROVENANCE: [&str; 6] = ["src", "chars", "method", "confidence", "caption_method", "reason"];

/// Every difference between `truth` and `document`; empty if the document is right.
///
/// # Errors
/// When one of them cannot be written as JSON.
pub fn compare(truth: &Truth, document: &Document) -> Result<Vec<Difference>, serde_json::Error> {
    let expected = serde_json::to_value(truth)?;
    let mut found = serde_json::to_value(document)?;
    // The truth says flat, or by rule, what a document keeps in detail.
    found["decode_used"] = found["provenance"]["decode"]["used"].take();
    found["dropped"] = by_rule(document);
    let mut differences = Vec::new();
    if let Value::Object(fields) = expected {
        for (name, value) in fields {
            walk(&format!("/{name}"), &value, found.get(&name).unwrap_or(&Value::Null), &mut differences);
        }
    }
    Ok(differences)
}

/// Rule and text of what was dropped, in order of first appearance: all texts of a rule joined by a space.
fn by_rule(document: &Document) -> Value {
    let mut rules: Vec<(String, String)> = Vec::new();
    for dropped in &document.dropped {
        match rules.iter_mut().find(|(rule, _)| *rule == dropped.rule) {
            Some((_, text)) => {
                text.push(' ');
                text.push_str(&dropped.text);
            }
            None => rules.push((dropped.rule.clone(), dropped.text.clone())),
        }
    }
    serde_json::json!(rules)
}

fn walk(at: &str, expected: &Value, found: &Value, differences: &mut Vec<Difference>) {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k)));
            for key in keys.filter(|k| !is_provenance(at, k)) {
                let (x, y) = (a.get(key).unwrap_or(&Value::Null), b.get(key).unwrap_or(&Value::Null));
                walk(&format!("{at}/{key}"), x, y, differences);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (x, y)) in a.iter().zip(b).enumerate() {
                walk(&format!("{at}/{i}"), x, y, differences);
            }
        }
        _ if expected == found => {}
        _ => differences.push(Difference {
            field: at.to_owned(),
            expected: expected.to_string(),
            found: found.to_string(),
        }),
    }
}

/// `chars` of a mark is content, `chars` of anything else is a place in the page.
fn is_provenance(at: &str, key: &str) -> bool {
    PROVENANCE.contains(&key) && !(key == "chars" && at.contains("/marks/"))
}
