//! `sangtrang run MAPPING`: crawl, extract, report.

use super::args::JobArgs;
use super::crawl::{crawl_with_progress, options};
use super::error::CliError;
use super::extract::{extract_with_progress, tell};
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::ledger::{Finding, Ledger, Listed, Tally, UrlKind, UrlState};
use crate::mapping::Mapping;
use crate::pipeline::{Layout, write_atomic};
use crate::report::{FailedUrl, JUnit, Resources, RunReport, Trap, report_text};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) fn main(job: &JobArgs, ui: &Ui) -> Outcome {
    let args = &job.run;
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    let (runtime, cancel) = reactor()?;
    let job = Job {
        mapping: &mapping,
        layout: &layout,
        jobs: args.jobs,
        cancel: &cancel,
        junit: job.junit.junit.as_deref(),
    };
    let (exit, _) = job.run(&runtime, options(args, cancel.clone())?, ui)?;
    Ok(exit)
}

/// The whole job on one site.
pub(super) struct Job<'a> {
    pub(super) mapping: &'a Arc<Mapping>,
    pub(super) layout: &'a Layout,
    pub(super) jobs: Option<usize>,
    pub(super) cancel: &'a CancellationToken,
    /// Where gates are told as JUnit XML.
    pub(super) junit: Option<&'a Path>,
}

impl Job<'_> {
    /// Crawls, extracts what is there, writes the reports. A crawl that stops early still leaves documents of what it
    /// has, and says so by its exit code.
    pub(super) fn run(
        &self,
        runtime: &tokio::runtime::Runtime,
        options: crate::crawl::CrawlOptions,
        ui: &Ui,
    ) -> Result<(Exit, Tally), CliError> {
        let started = (jiff::Timestamp::now(), Instant::now());
        let (crawl_exit, _) = crawl_with_progress(runtime, self.mapping, self.layout, options, ui)?;
        if crawl_exit == Exit::Interrupted {
            ui.hint("the state is saved; run the same command again to continue");
            return Ok((crawl_exit, Tally::default()));
        }
        let tally = extract_with_progress(self.mapping, self.layout, self.jobs, self.cancel, ui)?;
        let report = self.report(started, tally)?;
        tell(&report, self.layout, ui);
        let exit = match crawl_exit {
            Exit::Ok => findings(&report),
            other => other,
        };
        Ok((exit, report.documents))
    }

    fn report(&self, started: (jiff::Timestamp, Instant), tally: Tally) -> Result<RunReport, CliError> {
        let report = read_report(self.mapping, self.layout, started, tally)?;
        write_report(&report, self.layout)?;
        write_junit(self.junit, &report)?;
        Ok(report)
    }
}

/// Writes the report of what was extracted.
pub(super) fn write_report(report: &RunReport, layout: &Layout) -> Result<(), CliError> {
    let json = serde_json::to_string_pretty(report).map_err(std::io::Error::other)? + "\n";
    write_atomic(&layout.run_json(), json.as_bytes())?;
    write_atomic(&layout.report_txt(), report_text(report).as_bytes())?;
    Ok(())
}

/// Writes what gates found as JUnit XML, if somebody asked for it.
pub(super) fn write_junit(path: Option<&Path>, report: &RunReport) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let trouble: Vec<Finding> = troubled(&report.failures);
    let told = JUnit {
        site: &report.site,
        started: &report.started,
        seconds: report.seconds,
        tally: &report.documents,
        trouble: (report.trouble, &trouble),
    };
    write_atomic(path, told.xml()?.as_bytes())?;
    Ok(())
}

/// Addresses that somebody should look at, of those that are named.
pub(super) fn troubled(failures: &Listed<FailedUrl>) -> Vec<Finding> {
    let of = failures.first.iter().filter(|f| f.trouble);
    of.map(|f| Finding {
        url: f.url.clone(),
        class: f.class.clone(),
        note: format!("{}: {}", f.class, f.note),
    })
    .collect()
}

/// Rows of the ledger that are read at once.
const ROWS: usize = 1000;

/// URLs without content, and how many of them are failures.
pub(super) fn failed_urls(ledger: &Ledger) -> Result<(Listed<FailedUrl>, u64), CliError> {
    let (mut listed, mut trouble, mut after) = (Listed::default(), 0, String::new());
    loop {
        let rows = ledger.failures(&after, ROWS).map_err(failure)?;
        let Some(last) = rows.last() else {
            return Ok((listed, trouble));
        };
        after.clone_from(&last.url);
        // A site without robots.txt or sitemap is no failure, nor is a walk that began again.
        for row in rows.iter().filter(|f| {
            !matches!(
                (f.kind, f.state),
                (UrlKind::Robots | UrlKind::Sitemap, UrlState::Gone) | (UrlKind::Postback, UrlState::Skipped)
            )
        }) {
            let url = FailedUrl::from(row);
            trouble += u64::from(url.trouble);
            listed.push(url);
        }
    }
}

/// Collects what the ledger knows into a report.
pub(super) fn read_report(
    mapping: &Mapping,
    layout: &Layout,
    started: (jiff::Timestamp, Instant),
    tally: Tally,
) -> Result<RunReport, CliError> {
    let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
    let (failures, trouble) = failed_urls(&ledger)?;
    Ok(RunReport {
        schema: "run/1",
        site: mapping.rules().site.id.clone(),
        program: env!("CARGO_PKG_VERSION").into(),
        mapping: mapping.hash().to_string(),
        started: started.0.to_string(),
        seconds: started.1.elapsed().as_secs_f64(),
        crawl: ledger.counts().map_err(failure)?.into(),
        pagers: ledger
            .lists()
            .map_err(failure)?
            .into_iter()
            .map(Into::into)
            .collect(),
        traps: ledger
            .patterns()
            .map_err(failure)?
            .into_iter()
            .filter_map(Trap::of)
            .collect(),
        soft_404: ledger
            .probes()
            .map_err(failure)?
            .into_iter()
            .filter(|p| p.fingerprint.is_some() || p.target.is_some())
            .map(|p| p.handler)
            .collect(),
        failures,
        trouble,
        documents: tally,
        resources: Resources::now(),
    })
}

/// 4 if something needs a look: failed gates, pages that could not be read or fetched, pages that no rule knows.
pub(super) fn findings(report: &RunReport) -> Exit {
    let d = &report.documents;
    let trouble = d.failed + d.failed_checks + d.unreadable.count + report.trouble > 0;
    if trouble { Exit::Findings } else { Exit::Ok }
}
