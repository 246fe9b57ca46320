//! `sangtrang demo`: the bundled portal, served for learning or migrated from end to end.

use super::args::DemoArgs;
use super::error::CliError;
use super::run::{Job, failed_urls};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::crawl::CrawlOptions;
use crate::demo::{CLOCK, Life, Living, Portal, compare, serve, serve_life};
use crate::document::Document;
use crate::ledger::{Ledger, Tally};
use crate::mapping::Mapping;
use crate::pipeline::Layout;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// The mapping of the bundled portal, as the repository ships it: the demo runs from any folder.
const MAPPING: &str = include_str!("../../mappings/ctk-binhthuan.toml");

pub(super) fn main(args: &DemoArgs, ui: &Ui) -> Outcome {
    let (runtime, cancel) = reactor()?;
    let portal = Portal::new(args.articles, args.seed);
    let portal = Arc::new(match args.skin {
        Some(skin) => portal.skinned(skin),
        None => portal.faulty(),
    });
    let address = args.serve.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
    let listener = runtime.block_on(TcpListener::bind(address)).map_err(|e| {
        CliError::new(
            Exit::Failure,
            "demo::bind",
            format!("cannot listen at {address}: {e}"),
        )
        .hint("choose another port, or 0 for any free one")
    })?;
    let address = listener.local_addr()?;
    if args.life {
        let life = Arc::new(Living::new(Life::story()));
        life.set_day(args.day);
        ui.status(
            "Serving",
            format_args!(
                "a life, on day {}; `curl -X POST 'http://{address}{CLOCK}?day=N'` lets it be another; Ctrl-C ends it",
                args.day
            ),
        );
        ui.data(format_args!("http://{address}/"));
        runtime.block_on(serve_life(life, listener, cancel))?;
        return Ok(Exit::Ok);
    }
    if args.serve.is_some() {
        ui.status(
            "Serving",
            format_args!(
                "{} articles with seed {}; Ctrl-C ends it",
                portal.articles(),
                args.seed
            ),
        );
        #[cfg(feature = "legacy-tls")]
        if args.tls1 {
            ui.data(format_args!("https://{address}/"));
            runtime.block_on(crate::demo::serve_tls1(portal, listener, cancel))?;
            return Ok(Exit::Ok);
        }
        ui.data(format_args!("http://{address}/"));
        runtime.block_on(serve(portal, listener, cancel))?;
        return Ok(Exit::Ok);
    }
    let stop = cancel.child_token();
    let server = runtime.spawn(serve(portal.clone(), listener, stop.clone()));
    let result = migrate(args, &portal, &runtime, &cancel, &format!("::{address}"), ui);
    stop.cancel();
    let _ = runtime.block_on(server);
    result
}

fn migrate(
    args: &DemoArgs,
    portal: &Portal,
    runtime: &tokio::runtime::Runtime,
    cancel: &tokio_util::sync::CancellationToken,
    connect_to: &str,
    ui: &Ui,
) -> Outcome {
    let mapping = Arc::new(
        Mapping::parse("mappings/ctk-binhthuan.toml", MAPPING).map_err(|e| {
            CliError::new(
                Exit::Failure,
                "demo::mapping",
                format!("the bundled mapping is broken: {:?}", miette::Report::new(e)),
            )
        })?,
    );
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    ui.status(
        "Serving",
        format_args!(
            "a sample portal of {} articles on loopback ({connect_to})",
            portal.articles()
        ),
    );
    let options = CrawlOptions {
        delay: Some(Duration::ZERO),
        concurrency: Some(8),
        connect_to: vec![
            connect_to
                .parse()
                .map_err(|e| CliError::new(Exit::Failure, "demo::address", e))?,
        ],
        cancel: cancel.clone(),
        ..CrawlOptions::default()
    };
    let job = Job {
        mapping: &mapping,
        layout: &layout,
        jobs: None,
        cancel,
        junit: None,
    };
    let (exit, tally) = job.run(runtime, options, ui)?;
    if exit == Exit::Interrupted {
        return Ok(exit);
    }
    let exit = match exit {
        Exit::Findings if as_meant(portal, &layout, &tally)? => Exit::Ok,
        other => other,
    };
    let differences = judge(portal, &layout)?;
    tell(portal, &layout, &tally, &differences, ui);
    Ok(if exit == Exit::Ok && !differences.is_empty() {
        Exit::Findings
    } else {
        exit
    })
}

/// Is nothing wrong but that pages are no content which are none?
fn as_meant(portal: &Portal, layout: &Layout, tally: &Tally) -> Result<bool, CliError> {
    let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
    let (failures, trouble) = failed_urls(&ledger)?;
    let meant = portal.no_content();
    let troubled: Vec<&str> = failures
        .first
        .iter()
        .filter(|f| f.trouble)
        .map(|f| f.url.as_str())
        .collect();
    let all = troubled.iter().all(|url| meant.iter().any(|m| m == url));
    Ok(tally.failed + tally.failed_checks == 0
        && tally.unreadable.count == 0
        && all
        && troubled.len() as u64 == trouble)
}

/// Every difference between the documents and the portal's truth, as `KEY/FIELD: expected …, found …`, by key.
fn judge(portal: &Portal, layout: &Layout) -> Result<BTreeMap<String, Vec<String>>, CliError> {
    let mut truths: BTreeMap<String, _> = portal
        .gold()
        .map(|g| (g.document.source_key.clone(), g.document))
        .collect();
    let mut wrong: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let lines = std::io::BufReader::new(fs_err::File::open(layout.documents_jsonl())?);
    for line in lines.lines() {
        let document: Document = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        let key = document.source_key.clone();
        let found = match truths.remove(&key) {
            Some(truth) => compare(&truth, &document)
                .map_err(std::io::Error::other)?
                .into_iter()
                .map(|d| format!("{key}{}: expected {}, found {}", d.field, d.expected, d.found))
                .collect(),
            None => vec![format!("{key}: the portal has no such article")],
        };
        if !found.is_empty() {
            wrong.insert(key, found);
        }
    }
    for key in truths.into_keys() {
        wrong.insert(key.clone(), vec![format!("{key}: no document")]);
    }
    Ok(wrong)
}

/// Characters of a difference that are printed.
const LINE: usize = 240;
/// Most differences that are printed.
const SHOWN: usize = 20;

fn tell(portal: &Portal, layout: &Layout, tally: &Tally, wrong: &BTreeMap<String, Vec<String>>, ui: &Ui) {
    let equal = portal.articles() - wrong.len().min(portal.articles());
    ui.status(
        "Compared",
        format_args!(
            "{} documents with the portal's truth, field by field: {equal} of {} equal",
            tally.documents,
            portal.articles()
        ),
    );
    let lines: Vec<&String> = wrong.values().flatten().collect();
    for line in lines.iter().take(SHOWN) {
        ui.warning(line.chars().take(LINE).collect::<String>());
    }
    if let Some(more) = lines.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        ui.warning(format_args!("… and {more} more differences"));
    }
    let root = layout.root().display();
    ui.note(format_args!(
        "\nLook at {root}/documents/news/ for the documents, {root}/media/ for the pictures,"
    ));
    ui.note(format_args!(
        "{root}/archive/ for the bytes as they came, {root}/report.txt for the numbers."
    ));
    ui.note("Serve the portal alone with `sangtrang demo --serve 127.0.0.1:8080` and open it in a browser.");
    ui.event(&serde_json::json!({
        "schema": "demo/1", "type": "demo", "articles": portal.articles(), "equal": equal,
        "unaccounted": tally.unaccounted, "differences": lines.iter().take(1000).collect::<Vec<_>>(),
    }));
}
