//! Bodies that say nearly the same. Memory is bounded: keys of bands are looked at in parts of [`KEYS`], read from the ledger once
//! a part; what is kept of a document is its nearest neighbour.

use super::super::error::PipelineError;
use crate::document::DocumentId;
use crate::extract::{alike, bands};
use crate::ledger::{Asked, JudgedRow, Ledger, SketchRow};
use std::collections::BTreeMap;

/// Keys that are in memory at once, 24 bytes each.
const KEYS: u64 = 1 << 20;
/// Sketches that are read at once.
const ROWS: usize = 1000;
/// Bodies with one key in common that each further one is compared with: a thousand forms that differ in a name are
/// all found, without a million comparisons.
const HEADS: usize = 16;

type Nearest = BTreeMap<DocumentId, (u64, DocumentId)>;

/// Finds documents of a collection of whose body at least `least` per cent is that of another.
pub(super) fn judge(ledger: &mut Ledger, asked: Asked<'_>, least: u64) -> Result<(), PipelineError> {
    let nearest = nearest(ledger, asked, least, KEYS)?;
    let mut rows = Vec::new();
    for (document, (number, other)) in nearest {
        let other = ledger
            .document(&other)?
            .map_or_else(|| other.to_string(), |d| d.source_key);
        rows.push(JudgedRow {
            document,
            gate: asked.gate.to_owned(),
            rule: asked.rule.to_owned(),
            level: asked.level,
            other,
            number,
        });
        if rows.len() >= ROWS {
            ledger.judge(&std::mem::take(&mut rows))?;
        }
    }
    Ok(ledger.judge(&rows)?)
}

fn nearest(ledger: &Ledger, asked: Asked<'_>, least: u64, most: u64) -> Result<Nearest, PipelineError> {
    let mut nearest = Nearest::new();
    let count = ledger.sketch_count(asked.run, asked.collection)?;
    // How many keys a sketch has, says the first.
    let first = ledger.sketches(asked.run, asked.collection, "", 1)?;
    let each = first.first().map_or(0, |row| bands(&row.sketch).count() as u64);
    let parts = (count * each).div_ceil(most).max(1);
    for part in 0..parts {
        let mut keys: Vec<(u64, DocumentId)> = Vec::new();
        let mut after = String::new();
        loop {
            let rows = ledger.sketches(asked.run, asked.collection, &after, ROWS)?;
            let Some(last) = rows.last() else { break };
            after = last.document.to_string();
            for row in &rows {
                let mine = bands(&row.sketch).filter(|key| key % parts == part);
                keys.extend(mine.map(|key| (key, row.document)));
            }
        }
        keys.sort_unstable();
        for group in keys.chunk_by(|a, b| a.0 == b.0).filter(|g| g.len() > 1) {
            compare(ledger, group, least, &mut nearest)?;
        }
    }
    Ok(nearest)
}

fn compare(
    ledger: &Ledger,
    group: &[(u64, DocumentId)],
    least: u64,
    nearest: &mut Nearest,
) -> Result<(), PipelineError> {
    let mut heads: Vec<SketchRow> = Vec::new();
    for (_, document) in group {
        let Some(row) = ledger.sketch(document)? else {
            continue;
        };
        for head in &heads {
            // Equal bodies are told as such.
            let same = head.body == row.body;
            let Some(share) = alike(&head.sketch, &row.sketch).filter(|s| *s >= least && !same) else {
                continue;
            };
            note(nearest, row.document, share, head.document);
            note(nearest, head.document, share, row.document);
        }
        if heads.len() < HEADS {
            heads.push(row);
        }
    }
    Ok(())
}

/// The most alike counts; of several the first by id, so that no order of comparisons shows.
fn note(nearest: &mut Nearest, document: DocumentId, share: u64, other: DocumentId) {
    let best = nearest.entry(document).or_insert((share, other));
    if share > best.0 || share == best.0 && other < best.1 {
        *best = (share, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{CaptureId, GateLevel};
    use crate::extract::fingerprint;
    use crate::ledger::PrintRow;

    /// Forty families of three bodies and a hundred that are like none.
    fn prints() -> Vec<PrintRow> {
        let mut prints = Vec::new();
        for n in 0..220_u32 {
            let family = if n < 120 { n / 3 } else { n };
            let mut words: Vec<String> = (0..200).map(|k| format!("w{family}x{k}")).collect();
            if n < 120 {
                words[(n % 3) as usize * 60 + 7] = format!("other{n}");
            }
            let json = serde_json::json!({ "kind": "paragraph", "text": words.join(" "), "src": { "rule": "body", "chars": [0, 0] } });
            let body = serde_json::from_value(json).unwrap();
            let mut document = crate::document::Document {
                body: vec![body],
                ..blank(n)
            };
            document.title = None;
            let print = fingerprint(&document);
            prints.push(PrintRow {
                document: document.id,
                collection: "news".into(),
                own: None,
                title: None,
                body: print.body,
                letters: print.letters,
                sketch: print.sketch,
                links: Vec::new(),
            });
        }
        prints
    }

    fn blank(n: u32) -> crate::document::Document {
        let json = serde_json::json!({
            "schema": crate::document::SCHEMA, "id": DocumentId::new("s", &format!("news:{n}")), "site": "s",
            "source_key": format!("news:{n}"), "collection": "news", "type": "article", "language": "vi", "revision": "",
            "extra": {}, "body": [], "dates": crate::document::Dates::default(), "media": [], "attachments": [], "links": [],
            "citations": [], "dropped": [], "accounting": crate::document::Accounting::default(),
            "provenance": crate::document::Provenance::default(), "redirects": { "from": [] }, "quality": { "gates": [] },
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_found_does_not_depend_on_memory_or_order() {
        let folder = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(&folder.path().join("ledger.db")).unwrap();
        let run = ledger.begin_run("a", "extract", CaptureId::of(b""), 1).unwrap();
        let mut prints = prints();
        ledger.record_prints(run, &prints).unwrap();
        let asked = Asked {
            run,
            collection: "news",
            gate: "near-duplicate",
            rule: "near-duplicate",
            level: GateLevel::Warn,
        };
        let whole = nearest(&ledger, asked, 85, KEYS).unwrap();
        assert_eq!(whole.len(), 120);
        let family = |id: &DocumentId| prints.iter().position(|p| p.document == *id).unwrap() / 3;
        assert!(
            whole
                .iter()
                .all(|(id, (share, other))| *share >= 85 && id != other && family(id) == family(other))
        );
        assert_eq!(nearest(&ledger, asked, 85, 50).unwrap(), whole);
        prints.reverse();
        let next = ledger.begin_run("b", "extract", CaptureId::of(b""), 2).unwrap();
        ledger.record_prints(next, &prints).unwrap();
        // Those of an extraction before, which this one does not give, are nobody's twins.
        assert_eq!(nearest(&ledger, asked, 85, KEYS).unwrap().len(), 0);
        assert_eq!(
            nearest(&ledger, Asked { run: next, ..asked }, 85, KEYS).unwrap(),
            whole
        );
    }
}
