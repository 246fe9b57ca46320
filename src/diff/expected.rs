//! What somebody wrote down of a document, against what it is. Written down is a part: keys that it does not name are free.

use super::align::{Step, align};
use super::{Change, Class};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Where `found` is not what `expected` says, by field (`dates.published.value`, `body[3].text`). Empty if and only if every
/// key of `expected` is equal in `found`.
#[must_use]
pub fn expected(expected: &Value, found: &Value) -> Vec<Change> {
    let mut out = Vec::new();
    differ("", expected, found, &mut out);
    out
}

fn matches(expected: &Value, found: &Value) -> bool {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => a
            .iter()
            .all(|(key, value)| matches(value, b.get(key).unwrap_or(&Value::Null))),
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| matches(x, y))
        }
        _ => expected == found,
    }
}

fn differ(at: &str, expected: &Value, found: &Value, out: &mut Vec<Change>) {
    if matches(expected, found) {
        return;
    }
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => {
            for (key, value) in a {
                let at = if at.is_empty() {
                    key.clone()
                } else {
                    format!("{at}.{key}")
                };
                differ(&at, value, b.get(key).unwrap_or(&Value::Null), out);
            }
        }
        (Value::Array(a), Value::Array(b)) => items(at, a, b, out),
        _ => {
            let name = if at.is_empty() { "document" } else { at };
            let before = out.len();
            out.extend(Change::of(Class::Field, name, said(expected), said(found)));
            if out.len() == before {
                // They read alike and are not: a number and its text.
                out.extend(Change::of(
                    Class::Field,
                    name,
                    Some(expected.to_string()),
                    Some(found.to_string()),
                ));
            }
        }
    }
}

fn items(at: &str, a: &[Value], b: &[Value], out: &mut Vec<Change>) {
    let free = free(a, b);
    let key = |item: &Value| without(item, &free).to_string();
    let (old, new): (Vec<String>, Vec<String>) = (a.iter().map(key).collect(), b.iter().map(key).collect());
    let alike = |x: usize, y: usize| likeness(&a[x], &b[y]);
    let before = out.len();
    for step in align(&old, &new, &alike) {
        match step {
            Step::Same(..) => {}
            Step::Changed(x, y) => differ(&format!("{at}[{y}]"), &a[x], &b[y], out),
            Step::Removed(x) => out.extend(Change::of(Class::Field, format!("{at}[{x}]"), said(&a[x]), None)),
            Step::Added(y) => out.extend(Change::of(Class::Field, format!("{at}[{y}]"), None, said(&b[y]))),
            Step::Moved(x, y) => {
                let name = format!("{at}[{y}] (was [{x}])");
                out.push(Change {
                    class: Class::BlockMoved,
                    name,
                    old: said(&a[x]),
                    new: said(&b[y]),
                    words: Vec::new(),
                });
            }
        }
    }
    if out.len() == before {
        let all = |items: &[Value]| Some(Value::from(items.to_vec()).to_string());
        out.extend(Change::of(Class::Field, at, all(a), all(b)));
    }
}

/// How alike two items are: equal values of equal keys, and for texts their words.
fn likeness(a: &Value, b: &Value) -> f64 {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            if x.get("kind").is_some_and(|k| Some(k) != y.get("kind")) {
                return 0.0;
            }
            let text = |o: &Map<String, Value>| o.get("text").and_then(Value::as_str).map(str::to_owned);
            match (text(x), text(y)) {
                (Some(x), Some(y)) => shared(&x, &y).max(0.1),
                _ => 0.5,
            }
        }
        (Value::String(x), Value::String(y)) => shared(x, y),
        (Value::Array(_), Value::Array(_)) => 0.5,
        _ => 0.0,
    }
}

/// The share of words that two texts have in common.
fn shared(a: &str, b: &str) -> f64 {
    let words = |t: &str| t.split_whitespace().map(str::to_owned).collect::<BTreeSet<_>>();
    let (a, b) = (words(a), words(b));
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    2.0 * a.intersection(&b).count() as f64 / (a.len() + b.len()) as f64
}

/// A value as a person reads it; `None` for nothing.
fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Object(object) => Some(match (object.get("kind"), object.get("text")) {
            (Some(Value::String(kind)), Some(Value::String(text))) => format!("{kind}: {text}"),
            _ => value.to_string(),
        }),
        _ => Some(value.to_string()),
    }
}

/// Keys that every found item has and no expected one names: left free by whoever wrote the items down.
fn free(expected: &[Value], found: &[Value]) -> BTreeSet<String> {
    let objects = |items: &[Value]| -> Vec<Map<String, Value>> {
        items.iter().filter_map(|i| i.as_object().cloned()).collect()
    };
    let (expected, found) = (objects(expected), objects(found));
    if expected.is_empty() {
        return BTreeSet::new();
    }
    let Some(first) = found.first() else {
        return BTreeSet::new();
    };
    first
        .keys()
        .filter(|k| found.iter().all(|f| f.contains_key(*k)) && !expected.iter().any(|e| e.contains_key(*k)))
        .cloned()
        .collect()
}

fn without(item: &Value, keys: &BTreeSet<String>) -> Value {
    match item {
        Value::Object(object) => object
            .iter()
            .filter(|(k, _)| !keys.contains(*k))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect(),
        other => other.clone(),
    }
}

/// `found` in the shape of `expected`: what would have to be written down so that nothing differs, with the keys that were
/// free left free.
#[must_use]
pub fn reshaped(expected: &Value, found: &Value) -> Value {
    match (expected, found) {
        (Value::Object(a), Value::Object(b)) => a
            .iter()
            .map(|(key, value)| {
                let found = b.get(key).unwrap_or(&Value::Null);
                (key.clone(), reshaped(value, found))
            })
            .collect(),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() && same_kinds(a, b) => {
            a.iter().zip(b).map(|(x, y)| reshaped(x, y)).collect()
        }
        (Value::Array(a), Value::Array(b)) => {
            let free = free(a, b);
            b.iter().map(|item| without(item, &free)).collect()
        }
        // One was expected and several are there.
        (Value::Object(_), Value::Array(b)) => b.iter().map(|item| reshaped(expected, item)).collect(),
        _ => found.clone(),
    }
}

/// Whether two arrays hold the same kinds of things in the same order: then item by item has the same shape.
fn same_kinds(a: &[Value], b: &[Value]) -> bool {
    let kind = |v: &Value| v.get("kind").cloned();
    a.iter()
        .zip(b)
        .all(|(x, y)| kind(x).is_none() || kind(x) == kind(y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_told_where_it_is() {
        let wanted = json!({
            "title": "Một hai", "dates": { "published": { "value": "2023-07-14" } },
            "body": [{ "kind": "paragraph", "text": "a b c d" }, { "kind": "paragraph", "text": "x y z" }]
        });
        let found = json!({
            "title": "Một ba", "slug": "mot", "dates": { "published": { "value": "2023-07-15", "raw": "15/7" } },
            "body": [
                { "kind": "heading", "text": "Mới", "src": 1 },
                { "kind": "paragraph", "text": "a b c e", "src": 2 },
                { "kind": "paragraph", "text": "x y z", "src": 3 }
            ]
        });
        let names: Vec<String> = expected(&wanted, &found).into_iter().map(|c| c.name).collect();
        assert_eq!(
            names,
            ["title", "dates.published.value", "body[0]", "body[1].text"]
        );
        let new = reshaped(&wanted, &found);
        assert_eq!(
            new,
            json!({
                "title": "Một ba", "dates": { "published": { "value": "2023-07-15" } },
                "body": [
                    { "kind": "heading", "text": "Mới" }, { "kind": "paragraph", "text": "a b c e" },
                    { "kind": "paragraph", "text": "x y z" }
                ]
            })
        );
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0..3).prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[kt]", inner, 0..3)
                    .prop_map(|m| Value::Object(m.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn nothing_is_told_if_and_only_if_it_matches(a in value(), b in value()) {
            prop_assert_eq!(expected(&a, &b).is_empty(), matches(&a, &b));
            let accepted = reshaped(&a, &b);
            prop_assert!(matches(&accepted, &b), "{} of {} and {}", accepted, a, b);
        }
    }
}
