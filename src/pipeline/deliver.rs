//! Documents -> target: the output of the extraction, planned, applied, read back.

use super::decisions::{decisions, doubt};
use super::error::PipelineError;
use super::output::{Layout, write_atomic};
use crate::deliver::apply::{self, Applied, Event, Options};
use crate::deliver::plan::{Edits, Head, Planner};
use crate::deliver::redirect::{Decision, Hits, Redirects};
use crate::deliver::rollback::{self, RolledBack};
use crate::deliver::sink::{Needs, Probe, Sink};
use crate::deliver::verify::{self, Verified};
use crate::deliver::{Drafts, Known, Mapper, Planned, Source, Survey};
use crate::document::{CaptureId, Document, DocumentId};
use crate::ledger::{DeliveryState, Kind, Ledger, UrlId, UrlKind, UrlState};
use crate::mapping::Mapping;
use crate::mapping::model::{Drift, Mode, SlugForm, Target, TargetKind};
use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Name under which the ledger knows a target.
#[must_use]
pub fn target_name(target: &Target) -> String {
    target
        .name
        .clone()
        .unwrap_or_else(|| format!("{} {}", target.kind.as_str(), target.url.trim_end_matches('/')))
}

/// Hash of a target's rules: what they say of payloads, not how fast they are sent.
fn rules_hash(target: &Target) -> String {
    let said = format!(
        "{:?} {:?} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?}",
        target.kind,
        target.mode,
        target.state,
        target.slug,
        target.slug_max,
        target.body,
        target.byline,
        target.authors,
        target.entry,
        target.http
    );
    CaptureId::of(said.as_bytes()).to_string()
}

/// What makes entries for a target.
#[must_use]
pub fn mapper(mapping: &Mapping, target: &Target) -> Arc<Mapper> {
    Arc::new(Mapper::new(target.clone(), mapping.timezone()))
}

/// The output of a site, as delivery sees it.
struct Extracted {
    layout: Layout,
}

impl Source for Extracted {
    fn each(&self, each: &mut dyn FnMut(Document) -> io::Result<()>) -> io::Result<()> {
        let file = fs_err::File::open(self.layout.documents_jsonl())?;
        for line in io::BufReader::new(file).lines() {
            each(serde_json::from_str(&line?)?)?;
        }
        Ok(())
    }

    fn document(&self, collection: &str, id: &str) -> io::Result<Option<Document>> {
        // Both may come from a plan file, which anybody may have written.
        let name = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let Ok(id) = id.parse::<DocumentId>() else {
            return Ok(None);
        };
        if collection.is_empty() || !collection.chars().all(name) {
            return Ok(None);
        }
        self.layout.read_document(collection, &id)
    }

    fn media(&self, id: CaptureId, mime: &str) -> PathBuf {
        self.layout.media(id, Some(mime))
    }

    fn quarantine(&self, key: &str, json: &str) -> io::Result<()> {
        write_atomic(&self.layout.quarantine(key), json.as_bytes()).map(|_| ())
    }
}

/// What a target must have for this mapping.
fn needs(mapper: &Mapper) -> Needs {
    Needs {
        types: mapper.rules().cloned().collect(),
        authors: mapper.target().authors.values().cloned().collect::<BTreeSet<_>>(),
        media: true,
    }
}

/// Looks whether a target has everything that is needed; writes nothing.
///
/// # Errors
/// When it does not answer.
pub async fn probe_target<S: Sink>(sink: &S, mapper: &Mapper) -> Result<Probe, PipelineError> {
    Ok(sink.probe(&needs(mapper)).await?)
}

async fn probed<S: Sink>(sink: &S, mapper: &Mapper) -> Result<(), PipelineError> {
    let probe = probe_target(sink, mapper).await?;
    if probe.problems.is_empty() {
        return Ok(());
    }
    Err(PipelineError::Target {
        problems: probe.problems,
    })
}

/// Plans what is to be done in a target. Reads documents, ledger and target; writes nothing.
///
/// # Errors
/// When one of them cannot be read, or the target lacks something.
pub async fn plan_delivery<S: Sink>(
    sink: &S,
    mapping: &Mapping,
    mapper: &Mapper,
    layout: &Layout,
    edits: &[(String, Drift)],
) -> Result<Planned, PipelineError> {
    let target = mapper.target();
    probed(sink, mapper).await?;
    let ledger = Ledger::read(&layout.ledger())?;
    let row = ledger.known_target(&target_name(target))?;
    let edits = decisions(&ledger, row, edits)?;
    let mut survey = Survey::look(sink, &ledger, row, mapper).await?;
    let mut plan = planned(mapping, mapper, layout, &ledger, row, &survey, &edits)?;
    if let Some(row) = row
        && survey.look_closer(sink, &ledger, row, &mut plan.changes).await?
    {
        return planned(mapping, mapper, layout, &ledger, Some(row), &survey, &edits);
    }
    Ok(plan)
}

fn planned(
    mapping: &Mapping,
    mapper: &Mapper,
    layout: &Layout,
    ledger: &Ledger,
    row: Option<i64>,
    survey: &Survey,
    edits: &Edits,
) -> Result<Planned, PipelineError> {
    let target = mapper.target();
    let titled = match target.slug {
        Some(form) => form == SlugForm::Title,
        None => target.kind != TargetKind::Wordpress || target.mode == Mode::Companion,
    };
    let known = Known {
        ledger,
        target: row,
        survey,
        sure: !titled,
    };
    let mut planner = Planner::new(mapper, &known, &target.retire, edits)?;
    let mut drafts = Drafts::new(layout.root());
    let mut failed = None;
    let source = Extracted {
        layout: layout.clone(),
    };
    source
        .each(&mut |document| match planner.document(&document) {
            Ok(decided) => drafts.take(decided),
            Err(error) => {
                failed = Some(error);
                Err(io::Error::other("the ledger cannot be read"))
            }
        })
        .map_err(|error| match failed.take() {
            Some(error) => PipelineError::from(error),
            None => error.into(),
        })?;
    let mut after = String::new();
    while let Some((held, next)) = planner.left_over(&after)? {
        drafts.take(held)?;
        after = next;
    }
    let (plan, guard) = planner.finish(Head {
        site: mapping.rules().site.id.clone(),
        target: target_name(target),
        mapping: mapping.hash().to_string(),
        rules: rules_hash(target),
        extraction: ledger.last_run("extract", Some("done"))?.map(|run| run.uid),
        surveyed: true,
    });
    Ok(drafts.finish(plan, &guard.with_doubt(doubt(ledger)?))?)
}

/// Carries out a plan.
///
/// # Errors
/// When the plan is stale, or nothing can be written.
pub async fn apply_plan<S: Sink>(
    sink: Arc<S>,
    mapping: &Mapping,
    mapper: Arc<Mapper>,
    layout: &Layout,
    planned: &mut Planned,
    options: Options,
    on_event: &(dyn Fn(Event) + Send + Sync),
) -> Result<(String, Applied), PipelineError> {
    let target = mapper.target().clone();
    let plan = &planned.plan;
    let stale = |what: &str| PipelineError::Apply(apply::ApplyError::Stale(what.to_owned()));
    if plan.site != mapping.rules().site.id || plan.target != target_name(&target) {
        return Err(stale("it was made for another site or target"));
    }
    if plan.mapping != mapping.hash().to_string() || plan.rules != rules_hash(&target) {
        return Err(stale(
            "the mapping or the target's rules changed since; make a new plan",
        ));
    }
    probed(&*sink, &mapper).await?;
    let mut ledger = Ledger::open(&layout.ledger())?;
    not_frozen(&ledger)?;
    let row = ledger.target(&plan.target)?;
    let made = plan.extraction.clone();
    let uid = uuid::Uuid::now_v7().to_string();
    let run = ledger.begin_run(&uid, "apply", mapping.hash(), now())?;
    let source: Arc<dyn Source> = Arc::new(Extracted {
        layout: layout.clone(),
    });
    let job = apply::Job {
        sink,
        source,
        mapper,
        target: row,
        run,
        options,
    };
    let (mut ledger, result) = apply::apply(job, ledger, planned, on_event).await;
    ledger.bury(row, run, now())?;
    let (outcome, summary) = match &result {
        Ok(applied) => (
            if applied.stopped.is_some() {
                "stopped"
            } else {
                "done"
            },
            serde_json::to_string(applied).map_err(io::Error::other)?,
        ),
        Err(error) => (
            "failed",
            serde_json::json!({ "error": error.to_string() }).to_string(),
        ),
    };
    ledger.finish_run(run, outcome, &summary, now())?;
    // A part of a plan proves nothing of the whole, and an old one nothing of what was extracted since.
    let last = ledger.last_run("extract", Some("done"))?.map(|run| run.uid);
    if made.is_some() && made == last && result.as_ref().is_ok_and(|a| a.stopped.is_none() && a.left == 0) {
        super::gates::accept(&mut ledger, Some(run), now())?;
    }
    Ok((uid, result?))
}

/// Whoever holds the ledger may push, unless the move is being finished.
fn not_frozen(ledger: &Ledger) -> Result<(), PipelineError> {
    match ledger.frozen()? {
        None => Ok(()),
        Some(frozen) => Err(PipelineError::Frozen { since: frozen.since }),
    }
}

/// Reads everything back.
///
/// # Errors
/// When ledger or target cannot be read.
pub async fn verify_target<S: Sink>(
    sink: &S,
    mapper: &Mapper,
    layout: &Layout,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64),
) -> Result<Verified, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    probed(sink, mapper).await?;
    match ledger.known_target(&target_name(mapper.target()))? {
        Some(row) => Ok(verify::verify(sink, &ledger, row, mapper, None, cancel, progress).await?),
        None => Ok(Verified::default()),
    }
}

/// Reads back what one run wrote.
///
/// # Errors
/// When ledger or target cannot be read.
pub async fn verify_run<S: Sink>(
    sink: &S,
    mapper: &Mapper,
    layout: &Layout,
    uid: &str,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64),
) -> Result<Verified, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let run = ledger.runs()?.into_iter().find(|r| r.uid == uid).map(|r| r.id);
    match (ledger.known_target(&target_name(mapper.target()))?, run) {
        (Some(row), Some(_)) => Ok(verify::verify(sink, &ledger, row, mapper, run, cancel, progress).await?),
        _ => Ok(Verified::default()),
    }
}

/// Takes a run back.
///
/// # Errors
/// When there is no such run, or ledger or target cannot be used.
pub async fn rollback_run<S: Sink>(
    sink: &S,
    mapping: &Mapping,
    mapper: &Mapper,
    layout: &Layout,
    asked: &str,
    dry: bool,
    cancel: &CancellationToken,
) -> Result<(String, RolledBack), PipelineError> {
    let mut ledger = Ledger::open(&layout.ledger())?;
    not_frozen(&ledger)?;
    let name = target_name(mapper.target());
    let runs = ledger.runs()?;
    let mut matching = Vec::new();
    for run in runs.iter().rev().filter(|r| r.command == "apply") {
        let here = ledger.targets_of(run.id)?.contains(&name);
        if here && (asked == "last" || run.uid.starts_with(asked)) {
            matching.push((run.id, run.uid.clone()));
            if asked == "last" {
                break;
            }
        }
    }
    let [(of, uid)] = &matching[..] else {
        return Err(PipelineError::NoRun {
            asked: asked.to_owned(),
            found: matching.len(),
        });
    };
    let row = ledger.target(&name)?;
    let run = ledger.begin_run(
        &uuid::Uuid::now_v7().to_string(),
        "rollback",
        mapping.hash(),
        now(),
    )?;
    let result = rollback::rollback(sink, &mut ledger, (row, run), *of, dry, cancel).await;
    let (outcome, summary) = match &result {
        Ok(done) => ("done", serde_json::to_string(done).map_err(io::Error::other)?),
        Err(error) => (
            "failed",
            serde_json::json!({ "error": error.to_string() }).to_string(),
        ),
    };
    ledger.finish_run(run, outcome, &summary, now())?;
    Ok((uid.clone(), result?))
}

/// Every old address with its decision: what the ledger knows of the old portal against what was delivered.
///
/// # Errors
/// When the ledger or a log cannot be read.
pub fn redirect_ledger(
    target: &Target,
    layout: &Layout,
    logs: &[PathBuf],
) -> Result<Redirects, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let row = ledger.known_target(&target_name(target))?;
    let mut all = Redirects::default();
    let mut after = UrlId(0);
    loop {
        let addresses = ledger.addresses(after, 1000)?;
        let Some(last) = addresses.last() else { break };
        after = last.id;
        for address in addresses {
            let (kind, key) = match (&address.document, address.kind) {
                (Some(id), _) => (Kind::Document, format!("doc:{id}")),
                (None, UrlKind::Media) => match address.body {
                    Some(hash) => (Kind::Media, format!("media:{hash}")),
                    None => (Kind::Media, String::new()),
                },
                (None, _) => (Kind::Document, String::new()),
            };
            let delivered = match row {
                Some(row) if !key.is_empty() => ledger.delivery(row, kind, &key)?,
                _ => None,
            };
            let to = delivered
                .filter(|d| d.state == DeliveryState::Live)
                .and_then(|d| d.url);
            let (decision, why) = match (&to, address.state) {
                (Some(_), _) => (Decision::Redirect, key),
                (None, UrlState::Gone) => (Decision::Gone, address.class.clone()),
                (None, state) if address.class.is_empty() => (
                    Decision::Unresolved,
                    format!("{}: no document of it is delivered", state.as_str()),
                ),
                (None, state) => (
                    Decision::Unresolved,
                    format!("{}: {}", state.as_str(), address.class),
                ),
            };
            all.add(&address.url, decision, to.as_deref(), &why);
            for spelling in ledger.aliases(address.id)? {
                all.add(&spelling, decision, to.as_deref(), &why);
            }
        }
    }
    all.count(&hits(logs)?);
    all.apply(&target.redirect);
    Ok(all)
}

/// What access logs count, each read once.
pub(super) fn hits(logs: &[PathBuf]) -> Result<Hits, PipelineError> {
    let mut hits = Hits::default();
    for path in logs {
        hits.begin();
        let mut reader = io::BufReader::new(fs_err::File::open(path)?);
        let mut line = Vec::new();
        // Lines are bounded: a log is a file that others write.
        while reader.by_ref().take(64 << 10).read_until(b'\n', &mut line)? > 0 {
            hits.line(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
    Ok(hits)
}

/// Hosts of the old portal.
#[must_use]
pub fn old_hosts(mapping: &Mapping) -> Vec<String> {
    let site = &mapping.rules().site;
    let aliases = site.aliases.iter().filter_map(|a| url::Url::parse(a).ok());
    [site.base.clone()]
        .into_iter()
        .chain(aliases)
        .filter_map(|u| u.host_str().map(str::to_owned))
        .collect()
}

pub(super) fn now() -> i64 {
    crate::ledger::clock::now().as_millisecond()
}
