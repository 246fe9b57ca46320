//! How far a changed mapping reaches: what it makes of the archive against the documents that are there, counted before
//! anything is written.

use crate::document::{Document, NOT_CONTENT};
use crate::ledger::{Finding, Listed};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// What a mapping would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Radius {
    /// Documents that are there.
    pub documents: u64,
    /// Of these, with another content.
    pub changed: u64,
    /// Documents that were none before.
    pub added: u64,
    /// Documents that would be none any more.
    pub lost: u64,
    /// Documents that fail a gate and did not before.
    pub failing: u64,
    /// Changed documents by field.
    pub fields: BTreeMap<String, u64>,
    /// Changed, added and lost documents by collection.
    pub collections: BTreeMap<String, u64>,
    /// Some of them: natural key, and what would happen to it.
    pub examples: Listed<Finding>,
}

impl Radius {
    /// Does nothing change?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.reach() == 0 && self.failing == 0
    }

    /// Documents that are not as they were.
    #[must_use]
    pub const fn reach(&self) -> u64 {
        self.changed + self.added + self.lost
    }

    /// Is it more than may happen without being asked? One document may always change.
    #[must_use]
    pub fn exceeds(&self, count: u64, share: f64) -> bool {
        let reach = self.reach() + self.failing;
        #[expect(clippy::cast_precision_loss, reason = "a share of counts far below 2^52")]
        let part = reach as f64 / self.documents.max(1) as f64;
        reach > count || (reach > 1 && part > share)
    }

    /// Compares a document with the one that is there.
    pub(super) fn compare(&mut self, before: Option<&Document>, now: &Document) {
        let Some(before) = before else {
            self.added += 1;
            self.note(&now.collection, &now.source_key, "added", String::new());
            return;
        };
        if now.quality.failed() && !before.quality.failed() {
            self.failing += 1;
            let gates: Vec<&str> = now.quality.gates.iter().map(|g| g.id.as_str()).collect();
            self.note(&now.collection, &now.source_key, "fails", gates.join(", "));
        }
        if before.revision == now.revision {
            return;
        }
        self.changed += 1;
        let fields = differing(before, now);
        for field in &fields {
            *self.fields.entry(field.clone()).or_default() += 1;
        }
        self.note(&now.collection, &now.source_key, "changed", fields.join(", "));
    }

    /// A document that is none any more.
    pub(super) fn lose(&mut self, collection: &str, key: &str) {
        self.lost += 1;
        self.note(collection, key, "lost", String::new());
    }

    fn note(&mut self, collection: &str, key: &str, class: &str, note: String) {
        *self.collections.entry(collection.to_owned()).or_default() += 1;
        self.examples.push(Finding {
            url: key.to_owned(),
            class: class.to_owned(),
            note,
        });
    }
}

/// Groups of fields that are told one by one.
const GROUPS: [&str; 2] = ["dates", "extra"];

/// Names of the content's fields that differ.
fn differing(before: &Document, now: &Document) -> Vec<String> {
    let (Ok(Value::Object(before)), Ok(Value::Object(now))) =
        (serde_json::to_value(before), serde_json::to_value(now))
    else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let mut compare = |name: String, a: Option<&Value>, b: Option<&Value>| {
        let bare = |v: Option<&Value>| {
            let mut v = v.cloned().unwrap_or_default();
            crate::document::without_sources(&mut v);
            v
        };
        if bare(a) != bare(b) {
            found.push(name);
        }
    };
    let names: std::collections::BTreeSet<&String> = before.keys().chain(now.keys()).collect();
    for name in names {
        if NOT_CONTENT.contains(&name.as_str()) {
            continue;
        }
        let (a, b) = (before.get(name), now.get(name));
        if !GROUPS.contains(&name.as_str()) {
            compare(name.clone(), a, b);
            continue;
        }
        let keys = |v: Option<&Value>| -> Vec<String> {
            v.and_then(Value::as_object)
                .map(|o| o.keys().cloned().collect())
                .unwrap_or_default()
        };
        let all: std::collections::BTreeSet<String> = keys(a).into_iter().chain(keys(b)).collect();
        for key in all {
            compare(
                format!("{name}.{key}"),
                a.and_then(|v| v.get(&key)),
                b.and_then(|v| v.get(&key)),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ceiling_is_a_count_and_a_share() {
        let radius = |documents, changed| Radius {
            documents,
            changed,
            ..Radius::default()
        };
        assert!(!radius(10, 1).exceeds(20, 0.05), "one may always change");
        assert!(radius(10, 2).exceeds(20, 0.05));
        assert!(!radius(1000, 20).exceeds(20, 0.05));
        assert!(radius(1000, 21).exceeds(20, 0.05));
        assert!(radius(0, 0).is_empty() && !radius(0, 0).exceeds(20, 0.05));
    }
}
