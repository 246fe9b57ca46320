//! `sangtrang extract MAPPING`: offline, from the archive.

use super::args::ExtractArgs;
use super::error::CliError;
use super::run::{findings, read_report, write_junit};
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::ledger::{Ledger, Tally, clock};
use crate::mapping::Mapping;
use crate::pipeline::{self, Event, Layout, PipelineError, write_atomic};
use crate::report::{RunReport, report_text};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) fn main(args: &ExtractArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    let (_runtime, cancel) = reactor()?;
    let started = (jiff::Timestamp::now(), Instant::now());
    if !layout.ledger().exists() {
        return Err(CliError::new(
            Exit::Failure,
            "ledger::missing",
            format!(
                "there is nothing to extract: `{}` does not exist",
                layout.ledger().display()
            ),
        )
        .hint(format!(
            "crawl the site first: `sangtrang run {}`",
            args.mapping.display()
        )));
    }
    let tally = extract_with_progress(&mapping, &layout, args.jobs, &cancel, ui)?;
    let report = read_report(&mapping, &layout, started, tally)?;
    write_atomic(&layout.report_txt(), report_text(&report).as_bytes())?;
    write_junit(args.junit.junit.as_deref(), &report)?;
    tell(&report, &layout, ui);
    if args.accept {
        let mut ledger = Ledger::open(&layout.ledger()).map_err(failure)?;
        pipeline::accept(&mut ledger, None, clock::now_ms()).map_err(failure)?;
        ui.status("Accepted", "later extractions are measured against this one");
    }
    Ok(findings(&report))
}

/// Threads that extract: all cores unless somebody says otherwise.
pub(super) fn threads(jobs: Option<usize>) -> usize {
    jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
        .clamp(1, 256)
}

/// Extracts and shows how far it is.
pub(super) fn extract_with_progress(
    mapping: &Mapping,
    layout: &Layout,
    jobs: Option<usize>,
    cancel: &CancellationToken,
    ui: &Ui,
) -> Result<Tally, CliError> {
    let jobs = threads(jobs);
    let bar = ui.progress("Extracting", 0);
    let result = pipeline::extract_site(mapping, layout, jobs, clock::now(), cancel, &|event| {
        if let Event::Extract(tally) = event {
            bar.update(
                tally.pages,
                format_args!(
                    "{} pages, {} documents, {} failed",
                    tally.pages, tally.documents, tally.failed
                ),
            );
            ui.event(&serde_json::json!({
                "schema": "event/1", "type": "extracted", "pages": tally.pages, "documents": tally.documents,
                "failed": tally.failed, "unaccounted": tally.unaccounted,
            }));
        }
    });
    match result {
        Err(PipelineError::Interrupted) => {
            Err(CliError::new(Exit::Interrupted, "interrupted", "interrupted")
                .hint("the archive is complete so far; run the same command again"))
        }
        other => other.map_err(failure),
    }
}

/// The summary for people, worst last, and where to look.
pub(super) fn tell(report: &RunReport, layout: &Layout, ui: &Ui) {
    let d = &report.documents;
    ui.status(
        "Extracted",
        format_args!(
            "{} documents ({} new or changed) from {} pages; {} lists, {} ignored",
            d.documents,
            d.changed,
            d.document_pages,
            d.navigation,
            d.ignored.values().sum::<u64>(),
        ),
    );
    if d.files.count > 0 {
        ui.status(
            "Files",
            format_args!(
                "{} answers are files, no pages: attachments where a document refers to them, else in the archive only",
                d.files.count
            ),
        );
    }
    ui.status(
        "Accounted",
        format_args!(
            "{} visible characters = {} kept + {} dropped by named rules + {} unaccounted",
            d.visible, d.kept, d.dropped, d.unaccounted
        ),
    );
    ui.status(
        "Stored",
        format_args!("{} media files, {} bytes", d.media_files, d.media_bytes),
    );
    for list in report.pagers.iter().filter(|list| list.may_be_short()) {
        let total = list.total.map(|t| format!(" of {t}")).unwrap_or_default();
        ui.warning(format_args!(
            "list {} at {} ended as {} with {}{total} items: some may be missing",
            list.rule, list.list, list.reason, list.items
        ));
    }
    for (state, count) in d.media.iter().filter(|(state, _)| *state != "ok") {
        ui.warning(format_args!("{count} references to media that are {state}"));
    }
    if d.unclassified.count > 0 {
        ui.warning(format_args!(
            "{} pages belong to no collection, list or ignore rule",
            d.unclassified.count
        ));
    }
    if report.failures.count > 0 {
        ui.warning(format_args!(
            "{} URLs did not become captures",
            report.failures.count
        ));
    }
    if d.unreadable.count > 0 {
        ui.warning(format_args!("{} pages could not be read", d.unreadable.count));
    }
    for (of, check) in d
        .checks
        .iter()
        .flat_map(|(of, all)| all.iter().map(move |c| (of, c)))
    {
        for drift in check.first.iter().filter(|f| f.url == *of) {
            ui.warning(format_args!("{of}: {} ({})", drift.note, check.gate));
        }
    }
    if d.failed > 0 {
        ui.warning(format_args!("{} documents failed a gate", d.failed));
    }
    ui.note(format_args!(
        "{:>12} {}",
        "Look at",
        layout.report_txt().display()
    ));
    if let Ok(mut object) = serde_json::to_value(report) {
        object["type"] = "run".into();
        object["ok"] = (findings(report) == Exit::Ok).into();
        ui.event(&object);
    }
}
