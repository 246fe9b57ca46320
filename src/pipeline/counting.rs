//! What one document adds to the numbers of an extraction.

use crate::document::{Document, GateLevel, MediaState};
use crate::extract::filled;
use crate::ledger::{Finding, Tally};

/// Findings of one gate that the report names.
pub(super) const FINDINGS: u64 = 200;

/// Counts a document by itself; what other documents come into is counted when all are there.
pub(super) fn count(tally: &mut Tally, document: &Document, url: &str) {
    tally.documents += 1;
    *tally
        .by_collection
        .entry(document.collection.clone())
        .or_default() += 1;
    let sum = &document.accounting;
    tally.visible += sum.visible as u64;
    tally.kept += sum.kept as u64;
    tally.dropped += sum.dropped as u64;
    tally.unaccounted += sum.unaccounted as u64;
    for dropped in &document.dropped {
        let letters = dropped.text.chars().filter(|c| !c.is_whitespace()).count();
        *tally.dropped_by_rule.entry(dropped.rule.clone()).or_default() += letters as u64;
    }
    *tally
        .encodings
        .entry(document.provenance.decode.used.clone())
        .or_default() += 1;
    for unusual in document.provenance.fetch.unusual() {
        *tally.unusual.entry(unusual).or_default() += 1;
    }
    for (field, origin) in &document.provenance.fields {
        *tally.rungs.entry(format!("{field}#{}", origin.rung)).or_default() += 1;
    }
    for medium in document.media.iter().chain(&document.attachments) {
        let state = state_name(medium.state);
        *tally.media.entry(state.into()).or_default() += 1;
        if medium.state != MediaState::Ok {
            tally.media_missing.push(Finding {
                url: medium.source_url.clone(),
                class: state.into(),
                note: format!("shown by {url}"),
            });
        }
    }
    let profile = tally.profile.entry(document.collection.clone()).or_default();
    profile.documents += 1;
    for field in filled(document) {
        *profile.filled.entry(field).or_default() += 1;
    }
    // So far: what other documents come into is judged at the end.
    if document.quality.failed() {
        tally.failed += 1;
    } else if !document.quality.gates.is_empty() {
        tally.warned += 1;
    }
    gates(tally, document, url);
}

fn gates(tally: &mut Tally, document: &Document, url: &str) {
    let gates = &document.quality.gates;
    for gate in gates {
        let count = tally.gates.entry(gate.id.clone()).or_default();
        *count += 1;
        if *count > FINDINGS {
            // What half of all pages have must not hide what one has.
            tally.findings.count += 1;
            continue;
        }
        let level = if gate.level == GateLevel::Fail {
            "fail"
        } else {
            "warn"
        };
        tally.findings.push(Finding {
            url: url.to_owned(),
            class: format!("{level}:{}", gate.id),
            note: gate.note.clone(),
        });
    }
    for check in tally.checks.get_mut(&document.collection).into_iter().flatten() {
        let of = || gates.iter().filter(|g| g.id == check.gate);
        let Some(worst) = of().map(|g| g.level).max() else {
            continue;
        };
        let notes: Vec<&str> = of().map(|g| g.note.as_str()).collect();
        let finding = Finding {
            url: url.to_owned(),
            class: check.gate.clone(),
            note: notes.join("; "),
        };
        check.add(worst == GateLevel::Fail, finding);
    }
}

/// The state as JSON writes it.
fn state_name(state: MediaState) -> &'static str {
    match state {
        MediaState::Ok => "ok",
        MediaState::Missing => "missing",
        MediaState::Forbidden => "forbidden",
        MediaState::TooLarge => "too_large",
        MediaState::Unfetchable => "unfetchable",
    }
}
