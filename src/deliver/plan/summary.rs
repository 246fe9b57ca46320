//! A plan as people read it.

use super::{Hold, Op, Plan};
use crate::ledger::Kind;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Changes of one sort that are listed.
const SHOWN: usize = 200;
/// Characters of a title.
const TITLE: usize = 90;

/// The plan as text: numbers, then what changes, then what is held.
#[must_use]
pub fn summary(plan: &Plan) -> String {
    let mut out = String::new();
    let c = &plan.counts;
    let _ = writeln!(out, "Plan for {} ({})", plan.target, plan.site);
    let _ = writeln!(
        out,
        "documents: {} to create, {} to update, {} unchanged, {} to retire, {} on hold",
        c.create, c.update, c.unchanged, c.retire, c.hold
    );
    let _ = writeln!(out, "terms: {} to write; media: {} to write", c.terms, c.media);
    if !plan.surveyed {
        out.push_str("the target was not looked at: what editors changed shows when the plan is applied\n");
    }
    for (kind, heading) in [
        (Kind::Term, "Terms"),
        (Kind::Media, "Media"),
        (Kind::Document, "Documents"),
    ] {
        let changes: Vec<_> = plan.changes.iter().filter(|c| c.kind == kind).collect();
        if changes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{heading}");
        for change in changes.iter().take(SHOWN) {
            let sign = match change.op {
                Op::Create => '+',
                Op::Update => '~',
                Op::Retire => '-',
            };
            let _ = write!(out, "  {sign} {} {}", change.of, one_line(&change.title));
            if let Some(id) = &change.remote {
                let _ = write!(out, " (#{id})");
            }
            if let Some(note) = &change.note {
                let _ = write!(out, " [{note}]");
            }
            out.push('\n');
            for field in &change.fields {
                let _ = writeln!(
                    out,
                    "      {}: \"{}\" -> \"{}\"",
                    field.field,
                    visible(&field.from),
                    visible(&field.to)
                );
            }
        }
        if let Some(more) = changes.len().checked_sub(SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(out, "  … and {more} more: plan.json has them all");
        }
    }
    if !plan.holds.is_empty() {
        let mut by_reason: BTreeMap<Hold, Vec<_>> = BTreeMap::new();
        for held in &plan.holds {
            by_reason.entry(held.reason).or_default().push(held);
        }
        out.push_str("\nOn hold\n");
        for (reason, held) in by_reason {
            let _ = writeln!(out, "  {} ({})", reason.text(), held.len());
            for one in held.iter().take(20) {
                let _ = writeln!(
                    out,
                    "    ! {} {} [{}]",
                    one.source,
                    one_line(&one.title),
                    visible(&one.note)
                );
                for field in &one.fields {
                    let _ = writeln!(
                        out,
                        "        {}: ours \"{}\", theirs \"{}\"",
                        field.field,
                        visible(&field.from),
                        visible(&field.to)
                    );
                }
            }
            if let Some(more) = held.len().checked_sub(20).filter(|n| *n > 0) {
                let _ = writeln!(out, "    … and {more} more");
            }
        }
    }
    out
}

fn one_line(text: &str) -> String {
    let text = visible(text);
    if text.chars().count() <= TITLE {
        return text;
    }
    text.chars().take(TITLE - 1).chain(['…']).collect()
}

/// Without what moves a terminal's cursor, and with the places of tokens readable.
fn visible(text: &str) -> String {
    text.chars()
        .filter_map(|c| match c {
            '\u{E000}' => Some('{'),
            '\u{E001}' => Some('}'),
            c if c.is_control() => None,
            c => Some(c),
        })
        .collect()
}
