//! The redirect ledger: every old address has exactly one decision. Pure but for `verify`.

mod formats;
mod log;
pub mod verify;

pub use formats::{Format, write};
pub use log::Hits;

use super::legacy::legacy_address;
use crate::mapping::model::RedirectRule;
use serde::Serialize;
use std::collections::BTreeMap;
use url::Url;

/// What is to be done with an old address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It leads to a new address: 301.
    Redirect,
    /// It stays where it is, in an archive.
    Archive,
    /// It has no successor: 410.
    Gone,
    /// Nobody has decided.
    Unresolved,
}

impl Decision {
    /// For JSON and tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Redirect => "redirect",
            Self::Archive => "archive",
            Self::Gone => "gone",
            Self::Unresolved => "unresolved",
        }
    }
}

/// One old address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Redirect {
    /// Path and query as the old portal writes them.
    pub from: String,
    /// What is to be done.
    pub decision: Decision,
    /// The new address.
    pub to: Option<String>,
    /// By which rule, or what of.
    pub why: String,
    /// Requests in the access log.
    pub hits: u64,
}

/// Something that is wrong with the whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
pub enum Problem {
    /// Two spellings that servers may not tell apart lead to different places.
    Collision {
        /// One.
        from: String,
        /// The other.
        other: String,
        /// Where they lead.
        to: Vec<String>,
    },
    /// A new address is an old one, which leads on.
    Chain {
        /// The old address.
        from: String,
        /// Where it leads.
        to: String,
        /// Where that leads.
        on: String,
    },
    /// A new address is an old one, which leads back.
    Loop {
        /// The old address.
        from: String,
    },
}

/// The whole ledger.
#[derive(Clone, Debug, Default)]
pub struct Redirects {
    /// By the form in which spellings are equal.
    rows: BTreeMap<String, Row>,
    /// Spellings that were given, equal to one of `rows` or not.
    pub spellings: u64,
    problems: Vec<Problem>,
}

#[derive(Clone, Debug)]
struct Row {
    /// All spellings, the first one seen first.
    from: Vec<String>,
    decision: Decision,
    to: Option<String>,
    why: String,
    hits: u64,
}

impl Redirects {
    /// Decides one address. What leads somewhere wins over what does not; two different places are a collision, and the first
    /// one stays.
    pub fn add(&mut self, url: &str, decision: Decision, to: Option<&str>, why: &str) {
        let (Some(key), Some(from)) = (key(url), location(url)) else {
            return;
        };
        self.spellings += 1;
        let row = Row {
            from: vec![from.clone()],
            decision,
            to: to.map(str::to_owned),
            why: why.to_owned(),
            hits: 0,
        };
        match self.rows.entry(key) {
            std::collections::btree_map::Entry::Vacant(free) => {
                free.insert(row);
            }
            std::collections::btree_map::Entry::Occupied(mut there) => {
                let old = there.get_mut();
                if !old.from.contains(&from) {
                    old.from.push(from.clone());
                }
                if decision < old.decision {
                    let from = std::mem::take(&mut old.from);
                    *old = Row { from, ..row };
                } else if decision == Decision::Redirect && old.to != row.to {
                    self.problems.push(Problem::Collision {
                        from: old.from[0].clone(),
                        other: from,
                        to: old.to.iter().chain(&row.to).cloned().collect(),
                    });
                }
            }
        }
    }

    /// Applies the mapping's rules to what is unresolved, or gone only because nobody said more.
    pub fn apply(&mut self, rules: &[RedirectRule]) {
        for row in self.rows.values_mut().filter(|r| r.decision >= Decision::Gone) {
            let from = &row.from[0];
            let Some((number, rule)) = rules
                .iter()
                .enumerate()
                .find(|(_, r)| r.from.regex().is_match(from))
            else {
                continue;
            };
            row.why = format!("target.redirect #{}", number + 1);
            row.decision = match &rule.to {
                Some(to) => {
                    let mut new = String::new();
                    if let Some(groups) = rule.from.regex().captures(from) {
                        groups.expand(to, &mut new);
                    }
                    row.to = Some(new);
                    Decision::Redirect
                }
                None if rule.gone => Decision::Gone,
                None => Decision::Archive,
            };
        }
    }

    /// Counts requests; addresses that only the log knows are unresolved.
    pub fn count(&mut self, hits: &Hits) {
        for (key, (from, count)) in hits.all() {
            match self.rows.get_mut(key) {
                Some(row) => row.hits += count,
                None => {
                    self.rows.insert(
                        key.clone(),
                        Row {
                            from: vec![from.clone()],
                            decision: Decision::Unresolved,
                            to: None,
                            why: "only in the access log".into(),
                            hits: *count,
                        },
                    );
                }
            }
        }
    }

    /// Every spelling with its decision, sorted.
    pub fn all(&self) -> impl Iterator<Item = Redirect> + '_ {
        self.rows.values().flat_map(|row| {
            row.from.iter().enumerate().map(|(i, from)| Redirect {
                from: from.clone(),
                decision: row.decision,
                to: row.to.clone(),
                why: row.why.clone(),
                // The log does not tell spellings apart.
                hits: if i == 0 { row.hits } else { 0 },
            })
        })
    }

    /// Addresses by decision.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Decision, u64> {
        let mut counts = BTreeMap::new();
        for row in self.rows.values() {
            *counts.entry(row.decision).or_default() += 1;
        }
        counts
    }

    /// What is wrong with the whole; `hosts` are those where old addresses are answered.
    #[must_use]
    pub fn problems(&self, hosts: &[String]) -> Vec<Problem> {
        let mut problems = self.problems.clone();
        for (own, row) in &self.rows {
            let Some(to) = &row.to else { continue };
            let here = Url::parse(to).map_or(to.starts_with('/'), |u| {
                u.host_str().is_some_and(|h| hosts.iter().any(|o| o == h))
            });
            let Some(next) = key(to).filter(|_| here) else {
                continue;
            };
            if next == *own {
                problems.push(Problem::Loop {
                    from: row.from[0].clone(),
                });
            } else if let Some(on) = self.rows.get(&next).and_then(|r| r.to.clone()) {
                problems.push(if key(&on).as_deref() == Some(own.as_str()) {
                    Problem::Loop {
                        from: row.from[0].clone(),
                    }
                } else {
                    Problem::Chain {
                        from: row.from[0].clone(),
                        to: to.clone(),
                        on,
                    }
                });
            }
        }
        problems
    }
}

/// The form in which spellings of one address are equal; of a path as well.
fn key(url: &str) -> Option<String> {
    if url.starts_with('/') {
        legacy_address(&format!("http://x.invalid{url}"))
    } else {
        legacy_address(url)
    }
}

/// Path and query as written.
fn location(url: &str) -> Option<String> {
    if url.starts_with('/') {
        return Some(url.to_owned());
    }
    let url = Url::parse(url).ok()?;
    Some(url[url::Position::BeforePath..url::Position::AfterQuery].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_decision_an_address_and_chains_loops_collisions_are_found() {
        let mut r = Redirects::default();
        let old = "http://old.example";
        r.add(
            &format!("{old}/View.aspx?ItemID=1&CatID=2"),
            Decision::Unresolved,
            None,
            "list",
        );
        r.add(
            &format!("{old}/view.aspx?CatID=2&ItemID=1"),
            Decision::Redirect,
            Some("https://new.example/a"),
            "doc:1",
        );
        assert_eq!(r.counts(), BTreeMap::from([(Decision::Redirect, 1)]));
        assert_eq!(r.all().count(), 2, "both spellings are answered");
        r.add(
            &format!("{old}/VIEW.aspx?ItemID=1&CatID=2"),
            Decision::Redirect,
            Some("https://new.example/b"),
            "doc:2",
        );
        r.add(
            &format!("{old}/x"),
            Decision::Redirect,
            Some("http://old.example/y"),
            "doc:3",
        );
        r.add(
            &format!("{old}/y"),
            Decision::Redirect,
            Some("https://new.example/y"),
            "doc:4",
        );
        r.add(&format!("{old}/z"), Decision::Redirect, Some("/Z"), "doc:5");
        let problems = r.problems(&["old.example".into()]);
        assert_eq!(problems.len(), 3, "{problems:?}");
        assert!(problems.iter().any(|p| matches!(p, Problem::Collision { .. })));
        assert!(
            problems
                .iter()
                .any(|p| matches!(p, Problem::Chain { from, .. } if from == "/x"))
        );
        assert!(
            problems
                .iter()
                .any(|p| matches!(p, Problem::Loop { from } if from == "/z"))
        );
    }

    #[test]
    fn rules_and_logs_decide_the_rest() {
        let mut r = Redirects::default();
        r.add(
            "http://old.example/List.aspx?CatID=7",
            Decision::Unresolved,
            None,
            "no document",
        );
        r.add("http://old.example/gone", Decision::Gone, None, "http-404");
        let mut hits = Hits::default();
        for line in [
            "1.2.3.4 - - [23/Nov/2026:10:00:00 +0700] \"GET /list.aspx?CatID=7 HTTP/1.1\" 200 512 \"-\" \"x\"",
            "1.2.3.4 - - [23/Nov/2026:10:00:00 +0700] \"GET /rss.xml HTTP/1.1\" 200 512",
            "garbage",
        ] {
            hits.line(line);
        }
        r.count(&hits);
        r.apply(&[RedirectRule {
            from: crate::mapping::Pattern::builtin(r"^/List\.aspx\?CatID=(\d+)$"),
            to: Some("/category/$1/".into()),
            gone: false,
            archive: false,
        }]);
        let all: Vec<Redirect> = r.all().collect();
        let list = all.iter().find(|r| r.from.starts_with("/List")).unwrap();
        assert_eq!((list.to.as_deref(), list.hits), (Some("/category/7/"), 1));
        let counts = r.counts();
        assert_eq!((counts[&Decision::Gone], counts[&Decision::Unresolved]), (1, 1));
    }
}
