//! `sangtrang crawl MAPPING`: fetch and archive only.

use super::args::RunArgs;
use super::error::CliError;
use super::events;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::crawl::{CrawlOptions, Event, Summary};
use crate::mapping::Mapping;
use crate::pipeline::{self, Layout};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

pub(super) fn main(args: &RunArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    let (runtime, cancel) = reactor()?;
    let (exit, _) = crawl_with_progress(&runtime, &mapping, &layout, options(args, cancel)?, ui)?;
    if exit == Exit::Ok {
        ui.hint(format_args!(
            "next: `sangtrang extract {}`",
            args.mapping.display()
        ));
    }
    Ok(exit)
}

/// The flags of a crawl.
pub(super) fn options(args: &RunArgs, cancel: CancellationToken) -> Result<CrawlOptions, CliError> {
    Ok(CrawlOptions {
        limit: args.limit,
        max_time: args.max_time,
        delay: args.delay,
        concurrency: args.concurrency,
        live: args.live,
        refresh: args.refresh,
        follow: false,
        connect_to: args.net.connect_to()?,
        allow_net: args.net.allow_net.clone(),
        browser: args.net.browser.clone(),
        cancel,
    })
}

/// Crawls and shows how far it is. The exit code says why it ended; failed pages are judged later.
pub(super) fn crawl_with_progress(
    runtime: &tokio::runtime::Runtime,
    mapping: &Arc<Mapping>,
    layout: &Layout,
    options: CrawlOptions,
    ui: &Ui,
) -> Result<(Exit, Summary), CliError> {
    let (exit, summary) = sample_with_progress(runtime, mapping, layout, options, ui)?;
    if exit == Exit::Limit {
        ui.hint("a limit was reached; the same command continues");
    }
    Ok((exit, summary))
}

/// As [`crawl_with_progress`], for a sample: that its limit is reached is what was wanted.
pub(super) fn sample_with_progress(
    runtime: &tokio::runtime::Runtime,
    mapping: &Arc<Mapping>,
    layout: &Layout,
    options: CrawlOptions,
    ui: &Ui,
) -> Result<(Exit, Summary), CliError> {
    let started = std::time::Instant::now();
    let bar = ui.progress("Crawling", 0);
    let (tell, told) = std::sync::mpsc::channel::<Event>();
    let work = {
        let (mapping, layout) = (mapping.clone(), layout.clone());
        runtime.spawn(async move {
            pipeline::crawl_site(&mapping, &layout, options, move |event| {
                // The receiver lives until the crawl ends; a lost event is only a lost line.
                let _ = tell.send(event);
            })
            .await
        })
    };
    for event in told {
        if let Event::Progress {
            captured,
            known,
            queued,
            in_flight,
            failed,
            bytes,
        } = &event
        {
            let rate = *captured as f64 / started.elapsed().as_secs_f64().max(0.001);
            let eta = if rate > 0.0 {
                format!(", {:.0} s to go for these", *queued as f64 / rate)
            } else {
                String::new()
            };
            bar.update(
                *captured,
                format_args!(
                    "{captured} of {known} known, {queued} queued, {in_flight} in flight, {failed} failed, {:.1} MB, {rate:.0}/s{eta}",
                    *bytes as f64 / 1e6
                ),
            );
        }
        if let Some(line) = events::for_people(&event) {
            tracing::info!("{line}");
        }
        if ui.json() {
            ui.event(&events::json(&event));
        }
    }
    drop(bar);
    let summary = match runtime.block_on(work) {
        Ok(result) => result.map_err(failure)?,
        Err(error) => {
            return Err(CliError::new(
                Exit::Failure,
                "crawl::panic",
                format!("the crawl ended unexpectedly: {error}"),
            ));
        }
    };
    Ok((tell_summary(&summary, started.elapsed(), ui), summary))
}

fn tell_summary(summary: &Summary, took: std::time::Duration, ui: &Ui) -> Exit {
    let unchanged = match summary.unchanged {
        0 => String::new(),
        n => format!(" {n} as they were,"),
    };
    ui.status(
        "Captured",
        format_args!(
            "{} answers,{unchanged} {:.1} MB, in {:.1} s",
            summary.captured,
            summary.bytes as f64 / 1e6,
            took.as_secs_f64()
        ),
    );
    for problem in &summary.source_problems {
        ui.warning(problem);
    }
    for (pattern, rule) in &summary.traps {
        ui.warning(format_args!(
            "URLs like `{pattern}` are not followed any more: {rule}; a collection or a list rule asks for them, `limits` counts them"
        ));
    }
    if summary.interrupted {
        Exit::Interrupted
    } else if let Some(host) = &summary.stonewalled {
        ui.warning(format_args!(
            "{host} answers nothing good or asks for a long rest; what waits stays queued: run the same command later"
        ));
        Exit::Unreachable
    } else if summary.limit_reached {
        Exit::Limit
    } else if summary.source_problems.is_empty() {
        Exit::Ok
    } else {
        Exit::Findings
    }
}
