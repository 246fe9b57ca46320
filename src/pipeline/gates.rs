//! Gates that need more than one document: links between pages, titles and bodies that stand twice, and what an extraction is like
//! beside the one that was accepted last. They look at fingerprints in the ledger, never at the documents again; only documents
//! of which something else is found than the last time are written anew.
//!
//! A killed extraction leaves the findings that stand in the documents as they are; the next one begins anew.

mod near;

use super::counting::FINDINGS;
use super::documents::Reading;
use super::error::PipelineError;
use super::output::AtomicFile;
use crate::diff::imprint;
use crate::document::{Document, DocumentId, Gate, GateLevel, canonical_json};
use crate::extract::fingerprint;
use crate::ledger::{Asked, Checked, Common, Finding, JudgedRow, Ledger, PrintRow, Profile, Recorded, Tally};
use crate::mapping::Mapping;
use crate::mapping::model::{GateCheck, GateKind, Level, Reach};
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, Write as _};

/// Form of what is found: documents are extracted again where an older program judged them.
pub(super) const FORM: &str = "gates/1";
/// Documents whose rows are written at once.
const ROWS: usize = 500;
/// Documents below which a share of them says little: one of twenty is 5 per cent points.
const FEW: u64 = 20;

/// A tally in which no document is counted yet: every gate of every collection.
pub(super) fn tally(mapping: &Mapping) -> Tally {
    let mut tally = Tally::default();
    for collection in &mapping.rules().collection {
        let checks = mapping.rules().gates(collection).iter().map(checked).collect();
        tally.checks.insert(collection.id.clone(), checks);
        tally.profile.insert(collection.id.clone(), Profile::default());
    }
    tally
}

fn checked(check: &GateCheck<'_>) -> Checked {
    Checked {
        gate: check.id.to_owned(),
        rule: check.kind.name().to_owned(),
        level: match check.level() {
            Level::Off => "off",
            Level::Warn => "warn",
            Level::Fail => "fail",
        }
        .to_owned(),
        ..Checked::default()
    }
}

/// The fingerprint of a document that was judged by itself.
pub(super) fn print(mapping: &Mapping, document: &Document) -> PrintRow {
    let of = fingerprint(document);
    let keys = of.links.iter().filter_map(|link| {
        let url = url::Url::parse(link).ok()?;
        Some(mapping.canonical(&url).ok()?.key())
    });
    PrintRow {
        document: document.id,
        collection: document.collection.clone(),
        own: document.quality.gates.iter().map(|g| g.level).max(),
        title: of.title,
        body: of.body,
        letters: of.letters,
        sketch: of.sketch,
        links: keys.collect(),
    }
}

/// What was found of a document beside others, in words.
pub(super) fn told(row: &JudgedRow) -> Gate {
    let JudgedRow { other, number, .. } = row;
    let more = |what: &str| match number {
        0 => String::new(),
        n => format!(" and {n} more{what}"),
    };
    let note = match row.rule.as_str() {
        "broken-links" => format!("links lead to pages that are not there: {other}{}", more("")),
        "duplicate-title" => format!("{other}{} has the same title", more(" documents")),
        "duplicate-body" => format!("{other}{} has the same body", more(" documents")),
        _ => format!("about {number} % of the body is that of {other}"),
    };
    Gate {
        id: row.gate.clone(),
        level: row.level,
        note,
    }
}

fn level(check: &GateCheck<'_>) -> Option<GateLevel> {
    match check.level() {
        Level::Off => None,
        Level::Warn => Some(GateLevel::Warn),
        Level::Fail => Some(GateLevel::Fail),
    }
}

/// Judges all documents of extraction `run` beside each other, and the collections as a whole. `lines` are the documents as
/// they were written, each judged by itself, with what was found of it the last time; what comes back is what holds now.
pub(super) fn judge(
    reading: Reading<'_>,
    ledger: &mut Ledger,
    (run, at): (i64, i64),
    lines: AtomicFile,
    tally: &mut Tally,
) -> Result<AtomicFile, PipelineError> {
    let rules = reading.mapping.rules();
    ledger.begin_judging()?;
    for collection in &rules.collection {
        for check in rules.gates(collection) {
            let Some(level) = level(&check).filter(|_| check.kind.reach() == Reach::Portal) else {
                continue;
            };
            let asked = Asked {
                run,
                collection: &collection.id,
                gate: check.id,
                rule: check.kind.name(),
                level,
            };
            match check.kind {
                GateKind::BrokenLinks => ledger.judge_links(asked, check.at)?,
                GateKind::DuplicateTitle => ledger.judge_twins(asked, Common::Title)?,
                GateKind::DuplicateBody => ledger.judge_twins(asked, Common::Body(check.at))?,
                _ => near::judge(ledger, asked, check.at)?,
            }
            count(ledger, asked, tally)?;
        }
        if let Some(profile) = tally.profile.get_mut(&collection.id) {
            profile.letters = ledger.median_letters(run, &collection.id)?;
        }
    }
    let lines = rewrite(reading, ledger, (run, at), lines)?;
    (tally.failed, tally.warned) = ledger.settle_judging(run)?;
    drift(reading.mapping, ledger, tally)?;
    Ok(lines)
}

fn count(ledger: &Ledger, asked: Asked<'_>, tally: &mut Tally) -> Result<(), PipelineError> {
    let (count, first) = ledger.named_by(asked, FINDINGS as usize)?;
    if count == 0 {
        return Ok(());
    }
    let failed = asked.level == GateLevel::Fail;
    *tally.gates.entry(asked.gate.to_owned()).or_default() += count;
    let name = if failed { "fail" } else { "warn" };
    let rest = count - first.len() as u64;
    let checks = tally.checks.get_mut(asked.collection);
    let mut check = checks.and_then(|all| all.iter_mut().find(|c| c.gate == asked.gate));
    for (url, row) in first {
        let finding = Finding {
            url,
            class: format!("{name}:{}", asked.gate),
            note: told(&row).note,
        };
        if let Some(check) = &mut check {
            let class = asked.gate.to_owned();
            check.add(
                failed,
                Finding {
                    class,
                    ..finding.clone()
                },
            );
        }
        tally.findings.push(finding);
    }
    tally.findings.count += rest;
    if let Some(check) = check {
        check.documents += rest;
        check.failed += if failed { rest } else { 0 };
    }
    Ok(())
}

/// Writes the documents anew of which something else is found than stands in them.
fn rewrite(
    reading: Reading<'_>,
    ledger: &mut Ledger,
    (run, at): (i64, i64),
    mut lines: AtomicFile,
) -> Result<AtomicFile, PipelineError> {
    #[derive(serde::Deserialize)]
    struct There {
        id: DocumentId,
    }
    let other: HashSet<DocumentId> = ledger.rejudged(run)?.into_iter().collect();
    if other.is_empty() {
        return Ok(lines);
    }
    let before = std::io::BufReader::new(lines.reread()?);
    let mut after = AtomicFile::create(&reading.layout.documents_jsonl())?;
    let mut rows = Vec::new();
    for line in before.lines() {
        let line = line?;
        let there: There = serde_json::from_str(&line).map_err(std::io::Error::other)?;
        if !other.contains(&there.id) {
            after.write_all(line.as_bytes())?;
            after.write_all(b"\n")?;
            continue;
        }
        let mut document: Document = serde_json::from_str(&line).map_err(std::io::Error::other)?;
        // What was found beside others stands behind what was found of the document itself.
        let gates = &mut document.quality.gates;
        let carried = ledger.judged(&document.id, false)?.len();
        gates.truncate(gates.len().saturating_sub(carried));
        gates.extend(ledger.judged(&document.id, true)?.iter().map(told));
        let json = canonical_json(&document).map_err(std::io::Error::other)?;
        reading.layout.write_document(&document, &json)?;
        serde_json::to_writer(&mut after, &document).map_err(std::io::Error::other)?;
        after.write_all(b"\n")?;
        let Some(mut row) = ledger.document(&document.id)? else {
            continue;
        };
        row.state = super::documents::state(&document).into();
        row.gates = as_json(&document)?;
        let imprint = imprint(&document);
        rows.push(Recorded { row, imprint, json });
        if rows.len() >= ROWS {
            ledger.record_documents(run, &std::mem::take(&mut rows), at)?;
        }
    }
    ledger.record_documents(run, &rows, at)?;
    Ok(after)
}

/// The gates of a document as the ledger keeps them.
pub(super) fn as_json(document: &Document) -> Result<String, PipelineError> {
    if document.quality.gates.is_empty() {
        return Ok(String::new());
    }
    Ok(serde_json::to_string(&document.quality.gates).map_err(std::io::Error::other)?)
}

/// Measures what an extraction counted against what was accepted last; in place of what stood there of it.
pub(super) fn drift(mapping: &Mapping, ledger: &Ledger, tally: &mut Tally) -> Result<(), PipelineError> {
    let accepted = ledger.accepted()?;
    let rules = mapping.rules();
    let before: Option<BTreeMap<String, Profile>> = accepted
        .as_ref()
        .and_then(|a| serde_json::from_str(&a.profile).ok());
    let on = accepted.and_then(|a| jiff::Timestamp::from_millisecond(a.at).ok());
    let on = on.map_or_else(String::new, |at| {
        at.to_zoned(mapping.timezone()).date().to_string()
    });
    tally.failed_checks = 0;
    for collection in &rules.collection {
        let now = tally.profile.get(&collection.id).cloned().unwrap_or_default();
        let then = before
            .as_ref()
            .map(|b| b.get(&collection.id).cloned().unwrap_or_default());
        let checks = tally.checks.entry(collection.id.clone()).or_default();
        for check in rules.gates(collection) {
            if check.kind.reach() != Reach::Collection {
                continue;
            }
            let mut result = checked(&check);
            match (level(&check), &then) {
                (None, _) => {}
                (_, None) => result.unjudged = Some("nothing was accepted yet".into()),
                (_, Some(then)) if then.documents < FEW => {
                    let few = format!("{} documents were accepted, too few to compare", then.documents);
                    result.unjudged = Some(few);
                }
                (Some(level), Some(then)) => {
                    for note in moved(&check, then, &now, &on) {
                        let finding = Finding {
                            url: collection.id.clone(),
                            class: check.id.to_owned(),
                            note,
                        };
                        result.add(level == GateLevel::Fail, finding);
                    }
                }
            }
            tally.failed_checks += u64::from(result.failed > 0);
            match checks.iter_mut().find(|c| c.gate == check.id) {
                Some(old) => *old = result,
                None => checks.push(result),
            }
        }
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn moved(check: &GateCheck<'_>, then: &Profile, now: &Profile, on: &str) -> Vec<String> {
    if now.documents == 0 {
        return vec![format!(
            "no document is left of {} that were accepted on {on}",
            then.documents
        )];
    }
    if check.kind == GateKind::LengthDrift {
        let off = now.letters.abs_diff(then.letters) * 100;
        let note = format!(
            "the middle body has {} letters, {} when it was accepted on {on}",
            now.letters, then.letters
        );
        return if off >= check.at * then.letters.max(1) && off > 0 {
            vec![note]
        } else {
            Vec::new()
        };
    }
    let mut notes = Vec::new();
    for (field, filled) in &then.filled {
        let filled_now = now.filled.get(field).copied().unwrap_or_default();
        let share = |filled: u64, of: &Profile| filled as f64 * 100.0 / of.documents.max(1) as f64;
        let (was, is) = (share(*filled, then), share(filled_now, now));
        if was - is >= check.at as f64 {
            notes.push(format!(
                "`{field}` is there in {is:.1} % of {} documents, in {was:.1} % of {} when it was accepted on {on}",
                now.documents, then.documents
            ));
        }
    }
    notes
}

/// The last whole extraction is right: later ones are measured against it. By a run that delivered it, or by a person.
/// `false`: there is none.
///
/// # Errors
/// When the ledger cannot be read or written.
pub fn accept(ledger: &mut Ledger, run: Option<i64>, at: i64) -> Result<bool, PipelineError> {
    let last = ledger.last_run("extract", Some("done"))?;
    let tally: Option<Tally> = last.and_then(|r| serde_json::from_str(&r.summary?).ok());
    let Some(tally) = tally.filter(|t| !t.profile.is_empty()) else {
        return Ok(false);
    };
    let profile = serde_json::to_string(&tally.profile).map_err(std::io::Error::other)?;
    ledger.accept(run, &profile, at)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_moves_a_gate() {
        let profile = |documents, summary, letters| Profile {
            documents,
            filled: [("summary".to_owned(), summary)].into(),
            letters,
        };
        let check = |kind: GateKind| GateCheck {
            kind,
            id: kind.name(),
            said: None,
            at: kind.at().unwrap(),
        };
        let then = profile(200, 180, 1000);
        let said = |kind, now: &Profile| moved(&check(kind), &then, now, "2026-01-01").len();
        for (now, fill, length) in [
            (profile(200, 180, 1000), 0, 0),
            // 90 to 85.5 and 85 per cent; more than there was is no loss.
            (profile(200, 171, 1199), 0, 0),
            (profile(200, 170, 1200), 1, 1),
            (profile(400, 400, 800), 0, 1),
            (profile(20, 0, 801), 1, 0),
            (profile(0, 0, 0), 1, 1),
        ] {
            assert_eq!(said(GateKind::FillRate, &now), fill, "{now:?}");
            assert_eq!(said(GateKind::LengthDrift, &now), length, "{now:?}");
        }
    }
}
