//! `sangtrang sync MAPPING`: the new CMS follows the old portal. A changed mapping first, then what may have changed on the
//! portal, then the CMS. Each step can be interrupted; the same command continues.

use super::apply::{self, Carried};
use super::crawl::crawl_with_progress;
use super::error::CliError;
use super::extract::{extract_with_progress, threads};
use super::run::{read_report, write_report};
use super::secret::{Site, given, with_sink};
use super::sync_args::SyncArgs;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::crawl::{CrawlOptions, Summary};
use crate::deliver::Planned;
use crate::deliver::plan::{Counts, Hold};
use crate::ledger::{Ledger, Tally, clock};
use crate::mapping::Mapping;
use crate::pipeline::{
    self, AtomicFile, Layout, PipelineError, Radius, SiteLock, plan_delivery, write_atomic,
};
use serde::Serialize;
use std::collections::BTreeMap;
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
        return super::daemon::main(args, &runtime, &cancel, ui);
    }
    once(args, &runtime, &cancel, ui).map(|told| told.exit())
}

/// What one sync did, for people and programs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Told {
    schema: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    site: String,
    started: String,
    seconds: f64,
    /// What the mapping changed, if it is another one.
    mapping: Option<Radius>,
    portal: Portal,
    target: Option<TargetTold>,
    /// Why nothing is taken off today.
    doubt: Option<String>,
    /// What each step that did not end well answered.
    codes: Vec<u8>,
    /// Exit code.
    exit: u8,
    #[serde(skip)]
    ends: Vec<Exit>,
}

/// What the portal changed.
#[derive(Debug, Default, Serialize)]
struct Portal {
    /// Requests for pages, files, lists and sitemaps.
    asked: u64,
    /// Of these, as they were.
    unchanged: u64,
    bytes: u64,
    failed: u64,
    /// Pages of ours that we were locked out of.
    walled: u64,
    /// Documents.
    documents: u64,
    added: u64,
    changed: u64,
    /// Documents that fail a gate.
    gated: u64,
}

/// What became of it in the CMS, and what the CMS had changed.
#[derive(Debug, Default, Serialize)]
struct TargetTold {
    plan: Counts,
    /// What is left alone, by reason.
    holds: BTreeMap<Hold, u64>,
    /// Id of the run that wrote.
    run: Option<String>,
    writes: u64,
    created: u64,
    updated: u64,
    retired: u64,
}

impl Told {
    /// The worst of what its steps answered.
    pub(super) fn exit(&self) -> Exit {
        const WORST: [Exit; 9] = [
            Exit::Interrupted,
            Exit::Config,
            Exit::Failure,
            Exit::Locked,
            Exit::Held,
            Exit::Unreachable,
            Exit::Findings,
            Exit::Limit,
            Exit::Ok,
        ];
        WORST
            .into_iter()
            .find(|exit| self.ends.contains(exit))
            .unwrap_or(Exit::Ok)
    }

    fn end(&mut self, exit: Exit) {
        if exit != Exit::Ok {
            self.ends.push(exit);
            self.codes.push(exit as u8);
        }
    }
}

/// One sync.
pub(super) fn once(
    args: &SyncArgs,
    runtime: &tokio::runtime::Runtime,
    cancel: &CancellationToken,
    ui: &Ui,
) -> Result<Told, CliError> {
    let mapping = load_mapping(&args.site.mapping)?;
    // A sync without a target keeps documents and exports current.
    let target = if args.site.target.is_some() || mapping.rules().target.is_some() {
        Some(Site::load(&args.site)?)
    } else {
        None
    };
    let layout = Layout::new(&args.site.output.output, &mapping.rules().site.id);
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
    let result = sync.steps(target.as_ref());
    let mut told = std::mem::take(&mut sync.told);
    told.seconds = begun.1.elapsed().as_secs_f64();
    if let Err(error) = &result {
        told.end(error.exit);
    }
    told.exit = told.exit() as u8;
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
            self.summary(told);
        }
        Ok(())
    }

    fn steps(&mut self, target: Option<&Site>) -> Result<(), CliError> {
        if !self.mapping_changed()? {
            return Ok(());
        }
        if !self.crawl()? {
            return Ok(());
        }
        self.extract()?;
        match target {
            Some(site) => self.deliver(site),
            None => Ok(()),
        }
    }

    /// What a changed mapping would do to the documents that are there, before anything is asked of the portal. Then what the
    /// next extraction changes is the portal's doing. `false` if it is too much.
    fn mapping_changed(&mut self) -> Result<bool, CliError> {
        let now = format!("{} {}", self.mapping.hash(), env!("CARGO_PKG_VERSION"));
        let ledger = Ledger::read(&self.layout.ledger()).map_err(failure)?;
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
        // A page that is gone is the portal's business; what could not be had or read is ours.
        let documents = &report.documents;
        if documents.failed + documents.unreadable.count + self.told.portal.failed > 0 {
            self.told.end(Exit::Findings);
        }
        Ok(())
    }

    fn deliver(&mut self, site: &Site) -> Result<(), CliError> {
        let Some(mut planned) = self.plan(site)? else {
            self.told.end(Exit::Interrupted);
            return Ok(());
        };
        let mut told = TargetTold {
            plan: planned.plan.counts.clone(),
            ..TargetTold::default()
        };
        for held in planned.holds.each()? {
            *told.holds.entry(held?.reason).or_default() += 1;
        }
        for reason in told.holds.keys() {
            self.told.end(code(*reason));
        }
        let ledger = Ledger::read(&self.layout.ledger()).map_err(failure)?;
        self.told.doubt = pipeline::doubt(&ledger).map_err(failure)?;
        drop(ledger);
        // That the portal could not be reached was said already.
        if self.told.doubt.is_some() && !self.told.ends.contains(&Exit::Unreachable) {
            self.told.end(Exit::Held);
        }
        if !self.args.dry_run {
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
            (told.created, told.updated) = (applied.created, applied.updated);
            told.retired = applied.retired;
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

    /// What changed where; the worst comes last.
    fn summary(&self, told: &Told) {
        let ui = self.ui;
        let p = &told.portal;
        if told.mapping.as_ref().is_some_and(|m| !m.is_empty()) {
            let radius = told.mapping.as_ref().map_or(0, Radius::reach);
            ui.status("Mapping", format_args!("{radius} documents changed by it"));
        }
        ui.status(
            "Portal",
            format_args!(
                "{} documents new, {} changed, of {}; {} asked for, {} of them as they were",
                p.added, p.changed, p.documents, p.asked, p.unchanged
            ),
        );
        let Some(target) = &told.target else { return };
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
        for (reason, count) in &target.holds {
            ui.warning(format_args!("{count} on hold: {}", reason.text()));
        }
        if let Some(doubt) = &told.doubt {
            ui.warning(format_args!("nothing is taken off: {doubt}"));
        }
    }
}

/// What a hold means for the exit code: a person is to look, or something failed, or it only takes its time.
const fn code(reason: Hold) -> Exit {
    match reason {
        // The doubt itself is told on its own.
        Hold::NotGoneYet | Hold::PortalInDoubt => Exit::Ok,
        Hold::GateFailed | Hold::Unmapped | Hold::Lossy | Hold::Refused => Exit::Findings,
        _ => Exit::Held,
    }
}
