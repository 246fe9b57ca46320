//! The end of a sync, for people: what changed where, then what wants attention, the worst last, because the eye goes to the
//! end.

use super::sync::Told;
use super::{Exit, Ui};
use crate::deliver::plan::Hold;

/// A line that wants attention, and how much.
struct Line {
    exit: Exit,
    text: String,
}

/// From what only takes its time to what ends a migration.
const BY_WEIGHT: [Exit; 6] = [
    Exit::Ok,
    Exit::Limit,
    Exit::Findings,
    Exit::Held,
    Exit::Unreachable,
    Exit::Failure,
];

/// What a hold means for the exit code: a person is to look, or something failed, or it only takes its time.
pub(super) const fn code(reason: Hold) -> Exit {
    match reason {
        // The doubt itself is told on its own.
        Hold::NotGoneYet | Hold::PortalInDoubt => Exit::Ok,
        Hold::GateFailed | Hold::Unmapped | Hold::Lossy | Hold::Refused => Exit::Findings,
        _ => Exit::Held,
    }
}

pub(super) fn tell(told: &Told, ui: &Ui) {
    let p = &told.portal;
    if let Some(radius) = told.mapping.as_ref().filter(|m| !m.is_empty()) {
        ui.status(
            "Mapping",
            format_args!("{} documents changed by it", radius.reach()),
        );
    }
    ui.status(
        "Portal",
        format_args!(
            "{} documents new, {} changed, of {}; {} asked for, {} of them as they were",
            p.added, p.changed, p.documents, p.asked, p.unchanged
        ),
    );
    if let Some(target) = &told.target {
        let held = |reason: Hold| target.holds.get(&reason).copied().unwrap_or_default();
        ui.status(
            "Target",
            format_args!(
                "{} entries edited there and held, {} left to the editors, {} removed there; {} writes",
                held(Hold::Drift),
                target.plan.theirs,
                held(Hold::Removed),
                target.writes
            ),
        );
    }
    let lines = lines(told);
    for line in &lines {
        if line.exit == Exit::Ok {
            ui.note(format_args!("{:>12} {}", "", line.text));
        } else {
            ui.warning(&line.text);
        }
    }
    if let Some(next) = lines.last().and_then(|worst| next(told, worst.exit)) {
        ui.hint(next);
    }
}

/// What wants attention, the worst last.
fn lines(told: &Told) -> Vec<Line> {
    let p = &told.portal;
    let mut lines = Vec::new();
    let mut add = |exit, text: String| lines.push(Line { exit, text });
    let counts = [
        (p.gated, "documents fail a gate"),
        (
            p.failed,
            "addresses could not be fetched and wait for the next sync",
        ),
        (
            p.walled,
            "pages of ours are behind a login, a firewall or a challenge today",
        ),
    ];
    for (count, what) in counts {
        if count > 0 {
            add(Exit::Findings, format!("{count} {what}"));
        }
    }
    if let Some(target) = &told.target {
        for (reason, count) in &target.holds {
            let first = target.held.first.iter().find(|f| f.class == reason_name(*reason));
            let example = first.map(|f| format!(", first {}", f.url)).unwrap_or_default();
            add(
                code(*reason),
                format!("{count} on hold: {}{example}", reason.text()),
            );
        }
        if target.lost.count > 0 {
            add(
                Exit::Findings,
                format!(
                    "{} fields are shown otherwise than they were sent",
                    target.lost.count
                ),
            );
        }
    }
    for drift in &told.drift {
        add(Exit::Findings, drift.clone());
    }
    if let Some(doubt) = &told.doubt {
        add(Exit::Held, format!("nothing is taken off: {doubt}"));
    }
    if told.codes.contains(&(Exit::Limit as u8)) {
        add(Exit::Limit, "a limit was reached: the next sync continues".into());
    }
    if told.codes.contains(&(Exit::Unreachable as u8)) {
        add(
            Exit::Unreachable,
            "the portal or the CMS was not reachable: the next sync continues".into(),
        );
    }
    lines.sort_by_key(|l| BY_WEIGHT.iter().position(|e| *e == l.exit));
    lines
}

/// A hold as it stands in JSON.
pub(super) fn reason_name(reason: Hold) -> String {
    serde_json::to_value(reason)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// One thing to do about the worst.
fn next(told: &Told, worst: Exit) -> Option<String> {
    let held = told.target.as_ref().and_then(|t| {
        t.held.first.iter().rev().find(|f| {
            t.holds
                .keys()
                .any(|h| code(*h) == worst && reason_name(*h) == f.class)
        })
    });
    match (worst, held) {
        (Exit::Held | Exit::Findings, Some(finding)) => Some(format!(
            "`sangtrang show {}` tells why, with its whole way",
            id(&finding.url)
        )),
        (Exit::Findings, None) => Some("report.txt in the site's output folder names each of them".into()),
        _ => None,
    }
}

/// The document's id, as `show` takes it.
fn id(key: &str) -> &str {
    key.strip_prefix("doc:").unwrap_or(key)
}
