//! A plan as people read it.

use super::{Change, Held, Hold, Op, Plan};
use crate::ledger::Kind;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Changes of one sort that are listed.
const SHOWN: usize = 200;
/// Characters of a title.
const TITLE: usize = 90;

/// Holds of one reason that are listed.
const HELD: usize = 20;

/// Makes a text of a plan, one change after the other.
#[derive(Default)]
pub struct Summary {
    changes: BTreeMap<Kind, Part>,
    holds: BTreeMap<Hold, Part>,
}

/// Lines that are shown, and of how many.
#[derive(Default)]
struct Part {
    text: String,
    count: usize,
}

impl Summary {
    /// Takes a change.
    pub fn change(&mut self, change: &Change) {
        let part = self.changes.entry(change.kind).or_default();
        part.count += 1;
        if part.count > SHOWN {
            return;
        }
        let out = &mut part.text;
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

    /// Takes something that is left alone.
    pub fn hold(&mut self, held: &Held) {
        let part = self.holds.entry(held.reason).or_default();
        part.count += 1;
        if part.count > HELD {
            return;
        }
        let _ = writeln!(
            part.text,
            "    ! {} {} [{}]",
            held.source,
            one_line(&held.title),
            visible(&held.note)
        );
        for field in &held.fields {
            let _ = writeln!(
                part.text,
                "        {}: ours \"{}\", theirs \"{}\"",
                field.field,
                visible(&field.from),
                visible(&field.to)
            );
        }
    }

    /// Numbers, then what changes, then what is held.
    #[must_use]
    pub fn text(&self, plan: &Plan) -> String {
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
            out.push_str(
                "the target was not looked at: what editors changed shows when the plan is applied\n",
            );
        }
        for (kind, heading) in [
            (Kind::Term, "Terms"),
            (Kind::Media, "Media"),
            (Kind::Document, "Documents"),
        ] {
            let Some(part) = self.changes.get(&kind) else {
                continue;
            };
            let _ = write!(out, "\n{heading}\n{}", part.text);
            if let Some(more) = part.count.checked_sub(SHOWN).filter(|n| *n > 0) {
                let _ = writeln!(out, "  … and {more} more: plan.json has them all");
            }
        }
        if !self.holds.is_empty() {
            out.push_str("\nOn hold\n");
        }
        for (reason, part) in &self.holds {
            let _ = write!(out, "  {} ({})\n{}", reason.text(), part.count, part.text);
            if let Some(more) = part.count.checked_sub(HELD).filter(|n| *n > 0) {
                let _ = writeln!(out, "    … and {more} more");
            }
        }
        out
    }
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
