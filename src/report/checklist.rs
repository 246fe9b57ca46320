//! The checklist of a switch-over: may the old portal be turned off? Judges what the ledger knows; what only the network knows is
//! judged by whoever asked it and added.

use super::{Run, Totals};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

const SCHEMA: &str = "switchover/1";

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Stable id.
    pub id: Cow<'static, str>,
    /// Does it hold?
    pub pass: bool,
    /// What was found.
    pub reason: String,
}

/// The whole list.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Checklist {
    /// Always `switchover/1`.
    pub schema: Cow<'static, str>,
    /// Always `checklist`.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// Id of the site.
    pub site: String,
    /// When it was judged (RFC 3339, UTC).
    pub at: String,
    /// Do all lines hold?
    pub pass: bool,
    /// The lines.
    pub checks: Vec<Check>,
}

impl Checklist {
    /// What the totals say.
    #[must_use]
    pub fn of(totals: &Totals, target: &str, at: String) -> Self {
        let mut list = Self {
            schema: SCHEMA.into(),
            kind: "checklist".into(),
            site: totals.standing.site.clone(),
            at,
            pass: true,
            checks: Vec::new(),
        };
        list.freeze(totals);
        list.complete(totals);
        list.delivered(totals, target);
        list
    }

    /// The list that was written as JSON; `None` if it is of another version.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        serde_json::from_str(json)
            .ok()
            .filter(|list: &Self| list.schema == SCHEMA)
    }

    /// Adds a line.
    pub fn add(&mut self, id: &'static str, pass: bool, reason: impl Into<String>) {
        self.pass &= pass;
        self.checks.push(Check {
            id: id.into(),
            pass,
            reason: reason.into(),
        });
    }

    fn freeze(&mut self, totals: &Totals) {
        let s = &totals.standing;
        match &s.frozen {
            Some(frozen) => self.add(
                "frozen",
                true,
                format!("nothing is pushed since {}", frozen.since),
            ),
            None => self.add(
                "frozen",
                false,
                "the old portal is still followed: `sangtrang freeze MAPPING`",
            ),
        }
        let whole = s.sync.as_ref().is_some_and(|y| y.is_whole());
        let last = s.last_sync.as_ref().map(Run::line).unwrap_or_default();
        match (&s.sync, whole) {
            (None, _) => self.add("last-sync", false, "there was no sync"),
            (Some(y), false) => self.add("last-sync", false, format!("{last}, exit code {}", y.exit)),
            (Some(_), true) => self.add("last-sync", true, last),
        }
    }

    /// The certificate of completeness: everything that the portal announces is here, and everything that is here was judged.
    fn complete(&mut self, totals: &Totals) {
        let short: Vec<String> = totals
            .lists
            .iter()
            .filter(|l| l.may_be_short())
            .map(|l| match l.total {
                Some(total) => format!("{} names {} of the {total} that it says it has", l.list, l.items),
                None => format!("{} was left early: {}", l.list, l.reason),
            })
            .collect();
        let counted = totals.lists.iter().filter(|l| l.total.is_some()).count();
        if short.is_empty() {
            let text = format!(
                "{} lists were walked to their end; {counted} say how many they have, and have them",
                totals.lists.len()
            );
            self.add(
                "lists",
                !totals.lists.is_empty() || totals.announced.is_empty(),
                text,
            );
        } else {
            self.add("lists", false, short.join("; "));
        }
        let announced: u64 = totals.announced.values().sum();
        if totals.not_captured_count == 0 {
            let text = format!(
                "all of the {announced} pages that lists and sitemaps announce were captured or are gone"
            );
            self.add("announced", true, text);
        } else {
            let first = totals
                .not_captured
                .first()
                .map(|(url, state)| format!("{url} ({state})"))
                .unwrap_or_default();
            let text = format!(
                "{} of {announced} announced pages were never captured, first {first}",
                totals.not_captured_count
            );
            self.add("announced", false, text);
        }
        match &totals.extraction {
            None => self.add("pages", false, "nothing was extracted"),
            Some(t) => {
                let (unclassified, unreadable) = (t.unclassified.count, t.unreadable.count);
                self.add(
                    "pages",
                    unclassified + unreadable == 0,
                    format!(
                        "of {} pages {unclassified} belong to no rule, {unreadable} could not be read",
                        t.pages
                    ),
                );
                self.add(
                    "accounting",
                    t.unaccounted == 0,
                    format!(
                        "{} of {} visible characters are unaccounted",
                        t.unaccounted, t.visible
                    ),
                );
                self.add(
                    "gates",
                    t.failed + t.failed_checks == 0,
                    match t.failed_checks {
                        0 => format!("{} documents fail a gate", t.failed),
                        n => format!(
                            "{} documents fail a gate, and {n} gates of whole collections",
                            t.failed
                        ),
                    },
                );
            }
        }
        let wrong: Vec<&str> = totals.sums.iter().filter(|s| !s.holds()).map(|s| s.of).collect();
        if wrong.is_empty() {
            self.add("totals", true, format!("{} sums reconcile", totals.sums.len()));
        } else {
            self.add(
                "totals",
                false,
                format!("these sums do not reconcile: {}", wrong.join(", ")),
            );
        }
    }

    fn delivered(&mut self, totals: &Totals, target: &str) {
        let found = totals.standing.targets.iter().find(|t| t.name == target);
        let Some(found) = found else {
            self.add("writes", false, format!("nothing was delivered to {target}"));
            return;
        };
        self.add(
            "writes",
            found.open_writes == 0,
            format!("{} writes have no answer yet", found.open_writes),
        );
    }
}
