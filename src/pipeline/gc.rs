//! Keeping house: files of the archive without what nothing needs, old runs, old logs. New files are whole and on the disk before
//! the ledger names them, and old ones are removed after that; a crash anywhere leaves an archive that ledger and `rebuild` read.

use super::{Layout, PipelineError, SiteLock};
use crate::capture::{Compacted, Location, compact, generations, original_of};
use crate::deliver::Planned;
use crate::ledger::{Ledger, OldRuns, Place};
use crate::mapping::Mapping;
use fs_err as fs;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::path::Path;
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// Suspects that are looked at in one go.
const CHUNK: usize = 500;

/// What was removed, or would be.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Collected {
    /// Captures that nothing needs, in the whole archive.
    pub disposable: u64,
    /// Captures that are gone; disposable ones of files that are hardly touched stay.
    pub captures: u64,
    /// Files that were written anew or removed.
    pub files: u64,
    /// Bytes of the archive before, in these files.
    pub before: u64,
    /// Bytes after; with `-n` an estimate.
    pub after: u64,
    /// Files that an interrupted run had left.
    pub leftovers: u64,
    /// Runs.
    pub runs: u64,
    /// Lines of their journals.
    pub writes: u64,
    /// Revisions of documents.
    pub revisions: u64,
    /// Old ledgers and quarantined payloads.
    pub logs: u64,
}

/// Removes what nothing needs any more, by the mapping's `[retention]`. `dry`: only says what.
///
/// # Errors
/// [`PipelineError::Busy`] or a locked ledger if something runs; when archive or ledger cannot be read or written;
/// [`PipelineError::Interrupted`], after which everything is as before.
pub fn collect_garbage(
    mapping: &Mapping,
    layout: &Layout,
    now: jiff::Timestamp,
    dry: bool,
    cancel: &CancellationToken,
    on_file: &dyn Fn(&str),
) -> Result<Collected, PipelineError> {
    // Without a ledger there is nothing that says what is needed.
    drop(Ledger::read(&layout.ledger())?);
    let _site = SiteLock::take(layout, "gc")?;
    let mut ledger = Ledger::open(&layout.ledger())?;
    let rules = &mapping.rules().retention;
    let before = |age: Duration| {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        now.as_millisecond().saturating_sub(age)
    };
    let mut collected = Collected::default();
    if layout.archive().is_dir() {
        if !dry {
            collected.leftovers = leftovers(&ledger, mapping, layout)?;
        }
        ledger.find_disposable(before(rules.captures.0), rules.versions)?;
        spare_originals(&mut ledger, layout)?;
        archive(
            &mut ledger,
            layout,
            rules.share,
            dry,
            cancel,
            on_file,
            &mut collected,
        )?;
    }
    let old: OldRuns = ledger.forget_runs(before(rules.runs.0), &planned(layout)?, dry)?;
    (collected.runs, collected.writes, collected.revisions) = (old.runs, old.writes, old.revisions);
    collected.logs = old_logs(layout, now, rules.logs.0, dry)?;
    Ok(collected)
}

/// Documents of the plan that is there, with the content that it was made for. A plan that cannot be read can be applied no
/// more.
fn planned(layout: &Layout) -> Result<Vec<(String, String)>, PipelineError> {
    let file = match fs::File::open(layout.plan_json()) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let Ok(mut plan) = Planned::read(BufReader::new(file), layout.root()) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for change in plan.changes.each()? {
        let change = change?;
        if let (Some(id), Some(revision)) = (change.key.strip_prefix("doc:"), change.revision) {
            found.push((id.to_owned(), revision));
        }
    }
    Ok(found)
}

/// Removes generations of files that the ledger does not name: what an interrupted run has left. Files of which it names none
/// stay, whatever they are.
fn leftovers(ledger: &Ledger, mapping: &Mapping, layout: &Layout) -> Result<u64, PipelineError> {
    let named: BTreeSet<String> = ledger.named_files()?.into_iter().collect();
    let all = generations(&layout.archive(), &mapping.rules().site.id)?;
    let mut by_number: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for (number, _, name) in all {
        by_number.entry(number).or_default().push(name);
    }
    let mut removed = 0;
    for names in by_number.into_values() {
        if !names.iter().any(|n| named.contains(n)) {
            continue;
        }
        for name in names.iter().filter(|n| !named.contains(*n)) {
            fs::remove_file(layout.archive().join(name))?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// A body that a needed revisit record refers to is needed.
fn spare_originals(ledger: &mut Ledger, layout: &Layout) -> Result<(), PipelineError> {
    let mut after = (0, 0);
    loop {
        let (suspects, last) = ledger.suspects(after, CHUNK)?;
        if suspects.is_empty() {
            return Ok(());
        }
        after = last;
        let mut needed = Vec::new();
        for suspect in suspects {
            let original = original_of(&layout.archive(), &Location::from(suspect.newer))?;
            if original.is_some_and(|o| Place::from(o) == suspect.place) {
                needed.push(suspect.disposable);
            }
        }
        ledger.spare(&needed)?;
    }
}

fn archive(
    ledger: &mut Ledger,
    layout: &Layout,
    share: f64,
    dry: bool,
    cancel: &CancellationToken,
    on_file: &dyn Fn(&str),
    collected: &mut Collected,
) -> Result<(), PipelineError> {
    let folder = layout.archive();
    let holdings = ledger.holdings()?;
    collected.disposable = holdings.iter().map(|h| h.disposable).sum();
    let mut chosen = BTreeSet::new();
    for holding in holdings.iter().filter(|h| h.disposable > 0) {
        let size = fs::metadata(folder.join(&holding.file))?.len();
        #[expect(clippy::cast_precision_loss, reason = "a share of sizes far below 2^52")]
        let part = holding.bytes as f64 / size.max(1) as f64;
        if part >= share || holding.needed == 0 {
            chosen.insert(holding.file.clone());
        }
    }
    if chosen.is_empty() {
        return Ok(());
    }
    // Whoever may refer to what moves is written anew, too.
    let mut open: Vec<String> = chosen.iter().cloned().collect();
    while let Some(file) = open.pop() {
        for other in ledger.may_refer_to(&file)? {
            if chosen.insert(other.clone()) {
                open.push(other);
            }
        }
    }
    if dry {
        for holding in holdings.iter().filter(|h| chosen.contains(&h.file)) {
            let size = fs::metadata(folder.join(&holding.file))?.len();
            collected.files += 1;
            collected.captures += holding.disposable;
            collected.before += size;
            collected.after += size.saturating_sub(holding.bytes);
        }
        return Ok(());
    }
    let result = rewrite(ledger, &folder, &chosen, cancel, on_file);
    let (done, moved) = match result {
        Ok(done) => done,
        Err((error, new)) => {
            // Nobody names them yet.
            for file in new {
                let _ = fs::remove_file(folder.join(file));
            }
            return Err(error);
        }
    };
    let files: Vec<String> = done.iter().map(|(file, _)| file.clone()).collect();
    collected.captures = ledger.moved(&files, &moved)?;
    for (file, new) in &done {
        fs::remove_file(folder.join(file))?;
        collected.files += 1;
        collected.before += new.before;
        collected.after += new.after;
    }
    fs::File::open(&folder)?.sync_all()?;
    Ok(())
}

type Rewritten = (Vec<(String, Compacted)>, Vec<(Place, Place)>);

/// Writes the chosen files anew, oldest first: a revisit refers to what stands before it. An error names the new files that
/// are there already.
fn rewrite(
    ledger: &Ledger,
    folder: &Path,
    chosen: &BTreeSet<String>,
    cancel: &CancellationToken,
    on_file: &dyn Fn(&str),
) -> Result<Rewritten, (PipelineError, Vec<String>)> {
    let mut done: Vec<(String, Compacted)> = Vec::new();
    let mut moved: Vec<(Place, Place)> = Vec::new();
    let mut went: BTreeMap<(String, u64), Location> = BTreeMap::new();
    let failed = |error: PipelineError, done: &[(String, Compacted)]| {
        (error, done.iter().filter_map(|(_, c)| c.file.clone()).collect())
    };
    for file in chosen {
        if cancel.is_cancelled() {
            return Err(failed(PipelineError::Interrupted, &done));
        }
        on_file(file);
        let held = ledger.held_in(file).map_err(|e| failed(e.into(), &done))?;
        // An answer goes if all that the ledger knows of it is disposable; what it does not know stays.
        let mut keep = |offsets: &[u64]| {
            let mut known = offsets
                .iter()
                .filter_map(|o| held.binary_search_by_key(o, |h| h.0).ok().map(|at| held[at].1))
                .peekable();
            known.peek().is_none() || known.any(|disposable| !disposable)
        };
        let compacted = compact(folder, file, &mut keep, &|to| {
            went.get(&(to.file.clone(), to.offset)).cloned()
        })
        .map_err(|e| failed(e.into(), &done))?;
        for (old, new) in &compacted.moved {
            went.insert((old.file.clone(), old.offset), new.clone());
            moved.push((Place::from(old.clone()), Place::from(new.clone())));
        }
        done.push((file.clone(), compacted));
    }
    Ok((done, moved))
}

/// Old ledgers beside the present one, and payloads that were quarantined long ago.
fn old_logs(layout: &Layout, now: jiff::Timestamp, age: Duration, dry: bool) -> Result<u64, PipelineError> {
    let now = SystemTime::from(now);
    let old = |path: &Path| {
        let modified = fs::metadata(path).and_then(|m| m.modified());
        modified.is_ok_and(|at| now.duration_since(at).is_ok_and(|passed| passed > age))
    };
    let mut found = Vec::new();
    for entry in fs::read_dir(layout.root())? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("ledger.db.old-") {
            found.push(entry.path());
        }
    }
    if layout.quarantine_folder().is_dir() {
        for entry in fs::read_dir(layout.quarantine_folder())? {
            found.push(entry?.path());
        }
    }
    let mut removed = 0;
    for path in found.into_iter().filter(|p| p.is_file() && old(p)) {
        if !dry {
            fs::remove_file(path)?;
        }
        removed += 1;
    }
    Ok(removed)
}
