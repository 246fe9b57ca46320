//! The record of a move as Markdown: totals that reconcile, what is held, what was taken off and why, the checklist.

use super::{Checklist, Totals};
use std::fmt::Write as _;

/// Lines of one sort that are written out.
const SHOWN: usize = 50;

/// What the record tells beside the totals.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// When it was written (RFC 3339, UTC).
    pub at: String,
    /// Hash of the mapping.
    pub mapping: String,
    /// Old addresses by decision.
    pub redirects: Vec<(String, u64)>,
    /// What is left alone, with reasons.
    pub holds: Vec<String>,
    /// What was taken off, when, and by what evidence.
    pub tombstones: Vec<String>,
    /// Runs by command and outcome.
    pub runs: Vec<(String, u64)>,
}

/// The record as text.
#[must_use]
pub fn record(totals: &Totals, facts: &Facts, checklist: Option<&Checklist>) -> String {
    let mut out = String::new();
    let s = &totals.standing;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# Record of the move of `{}`\n", s.site);
    let _ = writeln!(
        out,
        "Written {} by sangtrang {}. Mapping {}.",
        facts.at,
        env!("CARGO_PKG_VERSION"),
        facts.mapping
    );
    if let Some(frozen) = &s.frozen {
        let _ = writeln!(
            out,
            "Frozen since {}{}; {} open changes were accepted.",
            frozen.since,
            note(&frozen.note),
            frozen.accepted
        );
    }
    let _ = writeln!(out, "\n## Totals");
    for sum in &totals.sums {
        let verdict = if sum.holds() {
            "reconciles"
        } else {
            "DOES NOT RECONCILE"
        };
        let _ = writeln!(out, "\n{}: {} ({verdict})\n", sum.of, sum.whole);
        table(&mut out, "part", sum.parts.iter().map(|(n, c)| (n.as_str(), *c)));
    }
    section(&mut out, "Announced by lists and sitemaps");
    table(
        &mut out,
        "state",
        totals.announced.iter().map(|(n, c)| (n.as_str(), *c)),
    );
    for (url, state) in totals.not_captured.iter().take(SHOWN) {
        let _ = writeln!(out, "- never captured: {} ({state})", clean(url));
    }
    for list in &totals.lists {
        let own = list
            .total
            .map(|t| format!(" of the {t} that it says it has"))
            .unwrap_or_default();
        let _ = writeln!(
            out,
            "- list {} at {}: {} items{own}, {} pages, ended: {}",
            clean(&list.rule),
            clean(&list.list),
            list.items,
            list.pages,
            list.reason
        );
    }
    section(&mut out, "In the CMS");
    for target in &s.targets {
        let _ = writeln!(out, "{}\n", clean(&target.name));
        table(
            &mut out,
            "objects",
            target.entries.iter().map(|(n, c)| (n.as_str(), *c)),
        );
    }
    section(&mut out, "Old addresses");
    table(
        &mut out,
        "decision",
        facts.redirects.iter().map(|(n, c)| (n.as_str(), *c)),
    );
    lines(&mut out, "Left alone", &facts.holds);
    lines(&mut out, "Taken off", &facts.tombstones);
    section(&mut out, "Runs");
    table(
        &mut out,
        "command and end",
        facts.runs.iter().map(|(n, c)| (n.as_str(), *c)),
    );
    if let Some(list) = checklist {
        let verdict = if list.pass { "all pass" } else { "not yet" };
        section(
            &mut out,
            &format!("Checklist of the switch-over ({verdict}, {})", list.at),
        );
        for check in &list.checks {
            let sign = if check.pass { "pass" } else { "FAIL" };
            let _ = writeln!(out, "- {sign} {}: {}", check.id, clean(&check.reason));
        }
    }
    out
}

fn section(out: &mut String, title: &str) {
    let _ = writeln!(out, "\n## {title}\n");
}

fn table<'a>(out: &mut String, head: &str, rows: impl Iterator<Item = (&'a str, u64)>) {
    let _ = writeln!(out, "| {head} | count |\n| --- | ---: |");
    for (name, count) in rows {
        let _ = writeln!(out, "| {} | {count} |", clean(name).replace('|', "\\|"));
    }
}

fn lines(out: &mut String, title: &str, all: &[String]) {
    section(out, &format!("{title} ({})", all.len()));
    for line in all.iter().take(SHOWN) {
        let _ = writeln!(out, "- {}", clean(line));
    }
    if all.len() > SHOWN {
        let _ = writeln!(out, "- … and {} more", all.len() - SHOWN);
    }
}

fn note(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({})", clean(text))
    }
}

/// Text of the web draws no lines and no markup of its own.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            c if c.is_control() => ' ',
            '<' => '‹',
            '>' => '›',
            '`' => '\'',
            c => c,
        })
        .collect()
}
