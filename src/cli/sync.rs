//! `sangtrang sync MAPPING`: the new CMS follows the old portal. A changed mapping first, then what may have changed on the
//! portal, then the CMS. Each step can be interrupted; the same command continues.

use super::apply::{self, Carried};
use super::crawl::crawl_with_progress;
use super::error::CliError;
use super::extract::{extract_with_progress, threads};
use super::run::{read_report, write_junit, write_report};
use super::secret::{Site, given, with_sink};
use super::sync_args::SyncArgs;
use super::sync_summary::{self, code, reason_name};
pub(super) use super::sync_told::{TargetTold, Told};
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use super::{telling, traces};
use crate::crawl::{CrawlOptions, Summary};
use crate::deliver::Planned;
use crate::ledger::{Finding, Ledger, Listed, Tally, clock};
use crate::mapping::Mapping;
use crate::pipeline::{
    self, AtomicFile, Layout, PipelineError, Radius, SiteLock, plan_delivery, write_atomic,
};
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

/// Which mapping, by which program, the documents were made with and may be delivered.
const ACCEPTED: &str = "sync.mapping";
/// Fields of a blast radius that are shown.
const SHOWN: usize = 12;

pub(super) fn main(args: &SyncArgs, ui: &Ui) -> Outcome {
    let (runtime, cancel) = reactor()?;
    if args.every.is_some() || args.schedule.is_some() {
        let mapping = load_mapping(&args.site.mapping)?;
        let layout = Layout::new(&args.site.output.output, &mapping.rules().site.id);
        telling::listen(args, &mapping, &layout, &runtime, &cancel, ui)?;
        return super::daemon::main(args, &runtime, &cancel, ui);
    }
    if args.tell.listen.is_some() {
        return Err(CliError::new(
            Exit::Usage,
            "usage::listen",
            "`--listen` needs a sync that stays: `--every` or `--schedule`",
        )
        .hint("`--metrics-file` writes the metrics of a single sync"));
    }
    once(args, &runtime, &cancel, ui).map(|told| told.exit())
}

/// One sync.
pub(super) fn once(
    args: &SyncArgs,
    runtime: &tokio::runtime::Runtime,
    cancel: &CancellationToken,
    ui: &Ui,
) -> Result<Told, CliError> {
    let mapping = load_mapping(&args.site.mapping)?;
    let layout = Layout::new(&args.site.output.output, &mapping.rules().site.id);
    let result = held(args, mapping.clone(), layout.clone(), runtime, cancel, ui);
    telling::after(args, &mapping, &layout, &result, runtime, ui);
    result
}

/// One sync, for as long as it holds the site.
fn held(
    args: &SyncArgs,
    mapping: Arc<Mapping>,
    layout: Layout,
    runtime: &tokio::runtime::Runtime,
    cancel: &CancellationToken,
    ui: &Ui,
) -> Result<Told, CliError> {
    // A sync without a target keeps documents and exports current.
    let target = if args.site.target.is_some() || mapping.rules().target.is_some() {
        Some(Site::load(&args.site)?)
    } else {
        None
    };
    let _lock = SiteLock::take(&layout, &format!("sync {}", args.site.mapping.display())).map_err(failure)?;
    let begun = (clock::now(), Instant::now());
    let mut sync = Sync {
        args,
        runtime,
        cancel,
        ui,
        mapping,
        layout,
        begun,
        told: Told {
            schema: "sync/1",
            kind: "sync",
            started: begun.0.to_string(),
            ..Told::default()
        },
    };
    sync.told.site.clone_from(&sync.mapping.rules().site.id);
    let uid = uuid::Uuid::now_v7().to_string();
    let run = sync.begin(&uid)?;
    let span = traces::step("sync", &sync.told.site);
    let result = span.in_scope(|| sync.steps(target.as_ref()));
    let mut told = std::mem::take(&mut sync.told);
    told.seconds = begun.1.elapsed().as_secs_f64();
    if let Err(error) = &result {
        told.end(error.exit);
        told.error = Some(error.message.clone());
    }
    told.exit = told.exit() as u8;
    span.record("exit", told.exit);
    drop(span);
    sync.end(run, &told, &result)?;
    result.map(|()| told)
}

struct Sync<'a> {
    args: &'a SyncArgs,
    runtime: &'a tokio::runtime::Runtime,
    cancel: &'a CancellationToken,
    ui: &'a Ui,
    mapping: Arc<Mapping>,
    layout: Layout,
    begun: (jiff::Timestamp, Instant),
    told: Told,
}

impl Sync<'_> {
    fn begin(&self, uid: &str) -> Result<i64, CliError> {
        let mut ledger = Ledger::open(&self.layout.ledger()).map_err(failure)?;
        if self.args.accept_lists {
            ledger.accept_lists().map_err(failure)?;
        }
        ledger
            .begin_run(uid, "sync", self.mapping.hash(), clock::now_ms())
            .map_err(failure)
    }

    /// Writes down what came of it, and tells it.
    fn end(&self, run: i64, told: &Told, result: &Result<(), CliError>) -> Result<(), CliError> {
        let json = serde_json::to_string(told).map_err(std::io::Error::other)?;
        let outcome = match result {
            Err(_) => "failed",
            Ok(()) if told.ends.is_empty() => "done",
            Ok(()) => "trouble",
        };
        Ledger::open(&self.layout.ledger())
            .and_then(|mut ledger| ledger.finish_run(run, outcome, &json, clock::now_ms()))
            .map_err(failure)?;
        write_atomic(&self.layout.sync_json(), (json + "\n").as_bytes())?;
        if self.ui.json() {
            self.ui
                .data(serde_json::to_value(told).map_err(std::io::Error::other)?);
        }
        if result.is_ok() {
            sync_summary::tell(told, self.ui);
        }
        Ok(())
    }

    fn steps(&mut self, target: Option<&Site>) -> Result<(), CliError> {
        if !self.step("mapping").in_scope(|| self.mapping_changed())? {
            return Ok(());
        }
        let span = self.step("crawl");
        let go_on = span.in_scope(|| self.crawl())?;
        let p = &self.told.portal;
        span.record("asked", p.asked).record("unchanged", p.unchanged);
        span.record("bytes", p.bytes).record("failed", p.failed);
        drop(span);
        if !go_on {
            return Ok(());
        }
        let span = self.step("extract");
        span.in_scope(|| self.extract())?;
        let p = &self.told.portal;
        span.record("documents", p.documents);
        span.record("added", p.added).record("changed", p.changed);
        drop(span);
        match target {
            Some(site) => self.deliver(site),
            None => Ok(()),
        }
    }

    /// Says to programs that listen which step begins; answers its span.
    fn step(&self, step: &'static str) -> tracing::Span {
        let at = clock::now().to_string();
        self.ui
            .event(&serde_json::json!({ "schema": "event/1", "type": "step", "step": step, "at": at }));
        traces::step(step, &self.told.site)
    }

    /// What a changed mapping would do to the documents that are there, before anything is asked of the portal. Then what the
    /// next extraction changes is the portal's doing. `false` if it is too much.
    fn mapping_changed(&mut self) -> Result<bool, CliError> {
        let ledger = Ledger::read(&self.layout.ledger()).map_err(failure)?;
        let now = pipeline::made_by(&self.mapping, &ledger).map_err(failure)?;
        let known = ledger.meta(ACCEPTED).map_err(failure)?;
        drop(ledger);
        if known.as_ref() == Some(&now) {
            return Ok(true);
        }
        if self.layout.documents_jsonl().exists() {
            let radius = self.compare()?;
            let rules = &self.mapping.rules().sync;
            let too_much = radius.exceeds(rules.mapping_count, rules.mapping_share);
            let empty = radius.is_empty();
            self.tell_radius(&radius);
            self.told.mapping = Some(radius);
            if too_much && !self.args.accept_mapping {
                self.told.end(Exit::Held);
                self.ui.warning(
                    "the changed mapping would change more documents than `sync.mapping_count` and `sync.mapping_share` allow: nothing was done",
                );
                self.ui
                    .hint("`--accept-mapping` lets it, once you have looked at it");
                return Ok(false);
            }
            if !empty {
                self.extracted()?;
            }
        }
        Ledger::open(&self.layout.ledger())
            .and_then(|mut ledger| ledger.set_fact(ACCEPTED, &now))
            .map_err(failure)?;
        Ok(true)
    }

    fn compare(&self) -> Result<Radius, CliError> {
        let bar = self.ui.progress("Comparing", 0);
        let jobs = threads(self.args.jobs);
        pipeline::compare_site(&self.mapping, &self.layout, jobs, self.cancel, &|event| {
            if let pipeline::Event::Extract(tally) = event {
                bar.update(tally.pages, format_args!("{} pages", tally.pages));
            }
        })
        .map_err(|error| match error {
            PipelineError::Interrupted => CliError::new(Exit::Interrupted, "interrupted", "interrupted"),
            other => failure(other),
        })
    }

    fn tell_radius(&self, radius: &Radius) {
        if radius.is_empty() {
            return;
        }
        self.ui.status(
            "Mapping",
            format_args!(
                "of {} documents it changes {}, adds {}, loses {}; {} more fail a gate",
                radius.documents, radius.changed, radius.added, radius.lost, radius.failing
            ),
        );
        let mut fields: Vec<_> = radius.fields.iter().collect();
        fields.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
        for (field, count) in fields.into_iter().take(SHOWN) {
            self.ui.note(format_args!("{:>12} {field}: {count}", ""));
        }
    }

    /// What may have changed. `false` if the sync was interrupted.
    fn crawl(&mut self) -> Result<bool, CliError> {
        let args = self.args;
        let options = CrawlOptions {
            max_time: args.max_time,
            delay: args.delay,
            concurrency: args.concurrency,
            refresh: args.full,
            follow: true,
            connect_to: args.net.connect_to()?,
            allow_net: args.net.allow_net.clone(),
            browser: args.net.browser.clone(),
            cancel: self.cancel.clone(),
            ..CrawlOptions::default()
        };
        let (exit, summary) =
            match crawl_with_progress(self.runtime, &self.mapping, &self.layout, options, self.ui) {
                // What an earlier sync left undone in the CMS does not wait for the portal. A robots.txt that cannot be had is
                // a server that is down, not one that forbids.
                Err(error) if error.exit == Exit::Unreachable || error.code == "robots::silent" => {
                    self.ui.warning(&error.message);
                    (Exit::Unreachable, Summary::default())
                }
                other => other?,
            };
        self.told.end(exit);
        let portal = &mut self.told.portal;
        (portal.asked, portal.unchanged, portal.bytes) = (summary.asked, summary.unchanged, summary.bytes);
        (portal.failed, portal.walled) = (summary.failed, summary.walled);
        Ok(exit != Exit::Interrupted)
    }

    fn extracted(&self) -> Result<Tally, CliError> {
        extract_with_progress(&self.mapping, &self.layout, self.args.jobs, self.cancel, self.ui)
    }

    fn extract(&mut self) -> Result<(), CliError> {
        let tally = match pipeline::still_extracted(&self.mapping, &self.layout).map_err(failure)? {
            Some(tally) => tally,
            None => self.extracted()?,
        };
        let portal = &mut self.told.portal;
        (portal.documents, portal.added, portal.changed) = (tally.documents, tally.added, tally.altered);
        portal.gated = tally.failed;
        let report = read_report(&self.mapping, &self.layout, self.begun, tally)?;
        write_report(&report, &self.layout)?;
        write_junit(self.args.junit.junit.as_deref(), &report)?;
        self.told.take_drift(&report.documents);
        // A page that is gone is the portal's business; what could not be had or read is ours.
        let documents = &report.documents;
        if documents.failed + documents.failed_checks + documents.unreadable.count + self.told.portal.failed
            > 0
        {
            self.told.end(Exit::Findings);
        }
        Ok(())
    }

    fn deliver(&mut self, site: &Site) -> Result<(), CliError> {
        let span = self.step("plan");
        let Some(mut planned) = span.in_scope(|| self.plan(site))? else {
            self.told.end(Exit::Interrupted);
            return Ok(());
        };
        span.record("holds", planned.plan.counts.hold);
        drop(span);
        let mut told = TargetTold {
            plan: planned.plan.counts.clone(),
            ..TargetTold::default()
        };
        for held in planned.holds.each()? {
            let held = held?;
            *told.holds.entry(held.reason).or_default() += 1;
            let finding = Finding {
                url: held.key,
                class: reason_name(held.reason),
                note: format!("{} {}", held.source, held.note),
            };
            some(&mut told.held, finding);
        }
        for reason in told.holds.keys() {
            self.told.end(code(*reason));
        }
        let ledger = Ledger::read(&self.layout.ledger()).map_err(failure)?;
        self.told.doubt = pipeline::doubt(&ledger).map_err(failure)?;
        let frozen = ledger.frozen().map_err(failure)?;
        drop(ledger);
        // That the portal could not be reached was said already.
        if self.told.doubt.is_some() && !self.told.ends.contains(&Exit::Unreachable) {
            self.told.end(Exit::Held);
        }
        if let Some(frozen) = &frozen
            && planned.plan.counts.changes() > 0
        {
            self.told.end(Exit::Held);
            self.ui.warning(format_args!(
                "frozen since {}: {} changes are not pushed",
                frozen.since,
                planned.plan.counts.changes()
            ));
        }
        let drifted = !self.told.drift.is_empty() && planned.plan.counts.changes() > 0;
        if drifted {
            self.told.end(Exit::Held);
            self.ui.warning(format_args!(
                "a gate of a whole collection fails: {} changes are not pushed",
                planned.plan.counts.changes()
            ));
            self.ui.hint(format_args!(
                "if they are right, `sangtrang apply {}` delivers them, and later syncs are measured against them",
                self.layout.plan_json().display()
            ));
        }
        if !self.args.dry_run && frozen.is_none() && !drifted {
            let span = self.step("apply");
            let _entered = span.enter();
            let options = crate::deliver::apply::Options {
                cancel: self.cancel.clone(),
                ..Default::default()
            };
            let carried = apply::carry_out(
                site,
                &mut planned,
                options,
                self.args.no_verify,
                self.runtime,
                self.ui,
            )?;
            let Carried { uid, applied, .. } = &carried;
            told.run = Some(uid.clone());
            told.writes = applied.wrote();
            span.record("writes", told.writes);
            (told.created, told.updated) = (applied.created, applied.updated);
            told.retired = applied.retired;
            told.losses = applied.losses.len() as u64;
            for loss in &applied.losses {
                let finding = Finding {
                    url: loss.key.clone(),
                    class: loss.field.clone(),
                    note: apply::loss_line(loss),
                };
                some(&mut told.lost, finding);
            }
            self.told.end(apply::exit(applied)?);
            carried.summary(self.ui);
        }
        self.told.target = Some(told);
        Ok(())
    }

    fn plan(&self, site: &Site) -> Result<Option<Planned>, CliError> {
        let edits = self.args.edits.decisions();
        if !self.args.dry_run {
            pipeline::remember_edits(&site.target, &self.layout, &edits).map_err(failure)?;
        }
        let planned = with_sink!(site, |sink| {
            self.runtime.block_on(async {
            tokio::select! {
                planned = plan_delivery(&*sink, &site.mapping, &site.mapper, &site.layout, &edits) => Some(planned),
                () = self.cancel.cancelled() => None,
            }
        })
        });
        let Some(planned) = planned else { return Ok(None) };
        let mut planned = planned.map_err(failure)?;
        let args = &self.args.site;
        planned.plan.made_with = (given(&args.mapping), args.target.as_deref().map(given));
        let mut file = AtomicFile::create(&site.layout.plan_json())?;
        planned.write(&mut file)?;
        file.commit()?;
        Ok(Some(planned))
    }
}

/// Findings that a sync remembers of one sort: the plan and the reports name all.
const REMEMBERED: usize = 50;

fn some(list: &mut Listed<Finding>, finding: Finding) {
    if list.first.len() < REMEMBERED {
        list.push(finding);
    } else {
        list.count += 1;
    }
}
