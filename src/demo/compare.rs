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
            walk(
                &format!("/{name}"),
                &value,
                found.get(&name).unwrap_or(&Value::Null),
                &mut differences,
            );
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
                let (x, y) = (
                    a.get(key).unwrap_or(&Value::Null),
                    b.get(key).unwrap_or(&Value::Null),
                );
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

#[cfg(test)]
mod tests {
    use super::super::Portal;
    use super::*;
    use serde_json::json;

    /// A document that says what the truth says, with places and methods of its own.
    fn document(truth: &Truth) -> Value {
        let mut value = serde_json::to_value(truth).unwrap();
        let used = value.as_object_mut().unwrap().remove("decode_used").unwrap();
        let dropped: Vec<Value> = truth
            .dropped
            .iter()
            .enumerate()
            .map(
                |(i, (rule, text))| json!({ "rule": rule, "reason": "r", "chars": [i, i + 1], "text": text }),
            )
            .collect();
        value["dropped"] = json!(dropped);
        let rest = json!({
            "schema": "document/1", "id": crate::document::DocumentId::new("a", "b"), "site": "a", "revision": "",
            "extra": {}, "accounting": crate::document::Accounting::default(),
            "provenance": crate::document::Provenance::default(), "redirects": { "from": [] }, "quality": { "gates": [] },
        });
        for (key, part) in rest.as_object().unwrap() {
            value[key] = part.clone();
        }
        value["provenance"]["decode"]["used"] = used;
        value
    }

    #[test]
    fn a_right_document_has_no_difference_and_a_wrong_one_is_found_in_each_field() {
        let portal = Portal::new(30, 1);
        for gold in portal.gold() {
            let truth = gold.document;
            let right = document(&truth);
            let read = |value: &Value| serde_json::from_value::<Document>(value.clone()).unwrap();
            assert_eq!(compare(&truth, &read(&right)).unwrap(), []);
            let mut wrong = right.clone();
            wrong["title"] = json!("x");
            wrong["body"].as_array_mut().unwrap().pop();
            wrong["dates"]["published"]["value"] = json!("1999-01-01");
            wrong["dropped"][0]["text"] = json!("x");
            wrong["provenance"]["decode"]["used"] = json!("x");
            let fields: Vec<String> = compare(&truth, &read(&wrong))
                .unwrap()
                .into_iter()
                .map(|d| d.field)
                .collect();
            assert_eq!(
                fields,
                [
                    "/title",
                    "/body",
                    "/dates/published/value",
                    "/dropped/0/1",
                    "/decode_used"
                ]
            );
        }
    }
}
