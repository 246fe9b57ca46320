//! Other people's expectations: vectors that nobody here wrote, beside the project in `shared/data/conformance`.
//!
//! Every suite counts what agrees and lists what does not, each difference with its reason. A difference that is not in
//! the list fails the test, and so does one in the list that is none any more.

mod coding;
mod cookies;
mod encoding;

mod pages;
mod robots;
mod sitemaps;
mod url_differences;
mod urls;
mod warc;

use crate::support::ROOT;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

/// Ids of cases that differ on purpose, by the reason.
type Reasons = &'static [(&'static str, &'static [&'static str])];

/// A file or folder of the conformance data; says loudly when it is not there.
fn data(what: &str) -> Option<PathBuf> {
    let given = std::env::var_os("SANGTRANG_SHARED").map(PathBuf::from);
    let beside = Path::new(ROOT).join("../shared");
    let roots = given.map_or_else(|| vec![beside.clone()], |given| vec![given]);
    let places = roots
        .iter()
        .flat_map(|root| [root.join("conformance"), root.join("data/conformance")])
        .map(|folder| folder.join(what));
    for place in places {
        if place.exists() {
            return Some(place);
        }
    }
    eprintln!(
        "SKIPPED: no conformance data `{what}` below `{}`; set SANGTRANG_SHARED to judge against it",
        roots[0].display()
    );
    None
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()
}

/// The recorded calls of a function of w3lib: `args`, `kw`, `out`.
fn w3lib(function: &str) -> Option<Vec<Value>> {
    let path = data("w3lib/w3lib-vectors.jsonl")?;
    let cases = read(&path)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|case| case["fn"] == function)
        .collect();
    Some(cases)
}

/// One suite: what was asked and what differs.
struct Suite {
    name: &'static str,
    total: usize,
    failed: usize,
    differences: BTreeMap<String, String>,
}

impl Suite {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            total: 0,
            failed: 0,
            differences: BTreeMap::new(),
        }
    }

    /// One case; `id` is what the list of differences calls it. Cases may share an id if they ask the same.
    fn case<T: PartialEq + Debug>(&mut self, id: impl Into<String>, ours: &T, theirs: &T) {
        self.total += 1;
        if ours != theirs {
            self.failed += 1;
            let text = format!("ours {ours:?}, theirs {theirs:?}");
            self.differences.insert(id.into(), text);
        }
    }

    /// Says how many agree, and fails unless exactly `total` were asked and exactly the `expected` differ: ids by reason.
    #[track_caller]
    fn finish(self, total: usize, expected: Reasons) {
        let passed = self.total - self.failed;
        eprintln!("conformance: {} {passed}/{}", self.name, self.total);
        let mut new = self.differences;
        let mut wrong = Vec::new();
        for (reason, ids) in expected {
            eprintln!("  {} differ: {reason}", ids.len());
            for id in *ids {
                if new.remove(*id).is_none() {
                    wrong.push(format!("agrees now, take it off the list: {id:?}"));
                }
            }
        }
        for (id, what) in new {
            wrong.push(format!("new difference {id:?}: {what}"));
        }
        assert!(wrong.is_empty(), "{}:\n{}", self.name, wrong.join("\n"));
        assert_eq!(self.total, total, "{}: cases", self.name);
    }
}
