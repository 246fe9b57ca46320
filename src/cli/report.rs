//! `sangtrang report MAPPING`: the record of a move, and the report that people sign.

use super::error::CliError;
use super::move_args::{Lang, ReportArgs};
use super::run::{failed_urls, troubled};
use super::show_way::cause;
use super::sync_summary::reason_name;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::Planned;
use crate::deliver::redirect::{Decision, Redirect, Redirects};
use crate::diff::Fidelity;
use crate::ledger::{Ledger, clock};
use crate::mapping::Mapping;
use crate::mapping::model::Target;
use crate::pipeline::{
    AtomicFile, FidelityJob, Layout, asked_pages, fidelity, redirect_ledger, write_atomic,
};
use crate::report::html::{
    AskedFor, AskedInput, Input, Language, RedirectRow, Report, ReportError, Tables, page,
};
use crate::report::{Checklist, Facts, JUnit, Totals, record};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Tombstones that are told.
const STONES: usize = 1000;

pub(super) fn main(args: &ReportArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.site.mapping)?;
    let target = match &args.site.target {
        Some(path) => Some(super::secret::target_file(path)?),
        None => mapping.rules().target.clone(),
    };
    if args.cms && target.is_none() {
        return Err(CliError::new(
            Exit::Usage,
            "usage::cms",
            "`--cms` compares with the pages of a target, and there is none",
        )
        .hint("`[target]` in the mapping or `--target FILE` says where documents go"));
    }
    let layout = Layout::new(&args.site.output.output, &mapping.rules().site.id);
    let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
    let totals = Totals::read(&ledger, &mapping.rules().site.id).map_err(failure)?;
    // Without a target nothing leads anywhere yet, and what is gone is gone all the same.
    let rules = target.clone().unwrap_or_else(Target::bare);
    let redirects = redirect_ledger(&rules, &layout, &args.access_log).map_err(failure)?;
    let facts = Facts {
        at: clock::now().to_string(),
        mapping: mapping.hash().to_string(),
        redirects: decisions(&redirects),
        holds: holds(&layout)?,
        tombstones: tombstones(&ledger)?,
        runs: runs(&ledger)?,
    };
    let checklist = last_checklist(&layout)?;
    junit(args.junit.junit.as_deref(), &ledger, &totals)?;
    let text = record(&totals, &facts, checklist.as_ref());
    let mut wrong = totals.sums.iter().any(|s| !s.holds());
    let mut signed = None;
    let to_stdout = args.out.as_deref() == Some(Path::new("-"));
    if to_stdout {
        if !ui.json() {
            ui.data(text.trim_end());
        }
    } else {
        let path = args.out.clone().unwrap_or_else(|| layout.record_md());
        write_atomic(&path, text.as_bytes())?;
        ui.status("Recorded", path.display());
        let site = Site {
            mapping: &mapping,
            layout: &layout,
            target: target.as_ref(),
            ledger: &ledger,
        };
        let report = site.report(args, ui, &totals, &facts, checklist.clone(), &redirects)?;
        wrong |= !report.reconciles;
        for sum in report.sums.iter().filter(|s| !s.holds) {
            ui.warning(format_args!(
                "{}: {} as a whole, {} in parts",
                sum.of, sum.whole, sum.together
            ));
        }
        signed = Some(report);
    }
    if ui.json() {
        ui.data(serde_json::json!({
            "schema": "record/1", "type": "record", "site": totals.standing.site, "at": facts.at, "mapping": facts.mapping,
            "totals": totals, "redirects": facts.redirects.iter().cloned().collect::<BTreeMap<_, _>>(), "holds": facts.holds,
            "tombstones": facts.tombstones, "runs": facts.runs.iter().cloned().collect::<BTreeMap<_, _>>(),
            "checklist": checklist, "report": signed,
        }));
    }
    Ok(if wrong { Exit::Findings } else { Exit::Ok })
}

/// The gates of the last extraction as JUnit XML.
fn junit(path: Option<&Path>, ledger: &Ledger, totals: &Totals) -> Result<(), CliError> {
    let Some(path) = path else { return Ok(()) };
    let Some(tally) = &totals.extraction else {
        return Err(
            CliError::new(Exit::Failure, "report::extraction", "nothing was extracted yet")
                .hint("`sangtrang extract` runs the gates"),
        );
    };
    let run = ledger.last_run("extract", Some("done")).map_err(failure)?;
    let (started, seconds) = run.map_or((0, 0), |r| {
        (r.started, r.finished.unwrap_or(r.started) - r.started)
    });
    let started = jiff::Timestamp::from_millisecond(started)
        .unwrap_or_default()
        .to_string();
    let (failures, trouble) = failed_urls(ledger)?;
    let told = JUnit {
        site: &totals.standing.site,
        started: &started,
        seconds: std::time::Duration::from_millis(seconds.try_into().unwrap_or(0)).as_secs_f64(),
        tally,
        trouble: (trouble, &troubled(&failures)),
    };
    write_atomic(path, told.xml()?.as_bytes())?;
    Ok(())
}

/// The site that is told of.
struct Site<'a> {
    mapping: &'a Mapping,
    layout: &'a Layout,
    target: Option<&'a Target>,
    ledger: &'a Ledger,
}

impl Site<'_> {
    /// Writes the page, its JSON and its tables.
    fn report(
        &self,
        args: &ReportArgs,
        ui: &Ui,
        totals: &Totals,
        facts: &Facts,
        checklist: Option<Checklist>,
        redirects: &Redirects,
    ) -> Result<Report, CliError> {
        // A site that was only crawled has none, and that is told.
        let documents: Box<dyn std::io::BufRead> = match fs_err::File::open(self.layout.documents_jsonl()) {
            Ok(file) => Box::new(std::io::BufReader::new(file)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Box::new(std::io::empty()),
            Err(error) => return Err(error.into()),
        };
        let fidelity = args
            .fidelity
            .map(|pages| self.fidelity(args, pages, ui))
            .transpose()?;
        let asked = (!args.access_log.is_empty())
            .then(|| self.asked(&args.access_log))
            .transpose()?;
        let folder = args.folder.clone().unwrap_or_else(|| self.layout.report());
        fs_err::create_dir_all(&folder)?;
        let site = &self.mapping.rules().site;
        let mut rows = redirects.all().map(row);
        let input = Input {
            ledger: self.ledger,
            totals,
            facts,
            checklist,
            name: site.name.clone().unwrap_or_else(|| site.id.clone()),
            base: site.base.to_string(),
            asked,
            redirects: &mut rows,
            fidelity,
            seed: args.seed,
            each: args.sample,
        };
        let open = |name: &str| AtomicFile::create(&folder.join(name));
        let mut tables = Tables::new(Box::new(open)).map_err(report_failure)?;
        let report =
            Report::make(input, std::io::BufReader::new(documents), &mut tables).map_err(report_failure)?;
        let language = match args.lang {
            Some(Lang::Vi) => Language::Vietnamese,
            Some(Lang::En) => Language::English,
            None if site.language.starts_with("vi") => Language::Vietnamese,
            None => Language::English,
        };
        let root = way(&folder, self.layout.root());
        let html = page(&report, language, root.as_deref()).map_err(report_failure)?;
        for file in tables.finish().map_err(report_failure)? {
            file.commit()?;
        }
        let mut json = serde_json::to_string_pretty(&report).map_err(std::io::Error::other)?;
        json.push('\n');
        write_atomic(&folder.join("report.json"), json.as_bytes())?;
        let path = folder.join(format!("report.{}.html", language.tag()));
        write_atomic(&path, html.as_bytes())?;
        ui.status("Reported", path.display());
        if let Some(fidelity) = &report.fidelity {
            ui.status(
                "Compared",
                format_args!(
                    "{} pages: their documents show {} of {} body words",
                    fidelity.compared, fidelity.shown_words, fidelity.body_words
                ),
            );
        }
        Ok(report)
    }

    fn fidelity(&self, args: &ReportArgs, pages: usize, ui: &Ui) -> Result<Fidelity, CliError> {
        let job = FidelityJob {
            pages,
            seed: args.seed,
            browser: args.browser.clone(),
            target: self.target.filter(|_| args.cms).cloned(),
        };
        let (runtime, cancel) = reactor()?;
        let bar = ui.progress("Showing", 0);
        runtime
            .block_on(fidelity(
                self.mapping,
                self.layout,
                &job,
                &cancel,
                &|done, total| {
                    bar.update(done, format_args!("{done} of {total} pages"));
                },
            ))
            .map_err(failure)
    }

    fn asked(&self, logs: &[PathBuf]) -> Result<AskedInput, CliError> {
        let asked = asked_pages(self.layout, logs).map_err(failure)?;
        let rest = asked.rest.into_iter();
        Ok(AskedInput {
            addresses: asked.addresses,
            answered: asked.answered,
            unread: asked.unread,
            rest: rest
                .map(|(address, hits, why)| AskedFor { address, hits, why })
                .collect(),
        })
    }
}

fn row(redirect: Redirect) -> RedirectRow {
    RedirectRow {
        from: redirect.from,
        decision: redirect.decision.as_str(),
        to: redirect.to,
        hits: redirect.hits,
        why: redirect.why,
    }
}

/// The way from the report's folder to the site's: only below it can a page link there wherever both are carried.
fn way(folder: &Path, site: &Path) -> Option<String> {
    let (folder, site) = (
        fs_err::canonicalize(folder).ok()?,
        fs_err::canonicalize(site).ok()?,
    );
    let below = folder.strip_prefix(site).ok()?;
    Some("../".repeat(below.components().count()))
}

fn report_failure(error: ReportError) -> CliError {
    match error {
        ReportError::Ledger(error) => failure(error),
        ReportError::Io(error) => error.into(),
        error @ (ReportError::Sheet(_) | ReportError::Page(_)) => {
            CliError::new(Exit::Failure, "report::failed", error)
        }
    }
}

fn decisions(all: &Redirects) -> Vec<(String, u64)> {
    let counts = all.counts();
    [
        Decision::Redirect,
        Decision::Gone,
        Decision::Archive,
        Decision::Unresolved,
    ]
    .map(|decision| {
        let count = counts.get(&decision).copied().unwrap_or_default();
        (decision.as_str().to_owned(), count)
    })
    .to_vec()
}

/// What the last plan left alone.
fn holds(layout: &Layout) -> Result<Vec<String>, CliError> {
    let file = match fs_err::File::open(layout.plan_json()) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let Ok(mut planned) = Planned::read(file, layout.root()) else {
        return Ok(Vec::new());
    };
    let mut holds = Vec::new();
    for held in planned.holds.each()? {
        let held = held?;
        holds.push(format!(
            "{} {} “{}”: {} ({}) {}",
            held.key,
            held.source,
            held.title,
            held.reason.text(),
            reason_name(held.reason),
            held.note
        ));
    }
    Ok(holds)
}

fn tombstones(ledger: &Ledger) -> Result<Vec<String>, CliError> {
    let mut all = Vec::new();
    for (target, name) in ledger.targets().map_err(failure)? {
        for stone in ledger.tombstones_of(target, STONES).map_err(failure)? {
            let at = jiff::Timestamp::from_millisecond(stone.at)
                .map(|t| t.to_string())
                .unwrap_or_default();
            all.push(format!(
                "{at} {} {} from {name}: {}",
                stone.key,
                stone.url,
                cause(&stone.evidence)
            ));
        }
    }
    Ok(all)
}

fn runs(ledger: &Ledger) -> Result<Vec<(String, u64)>, CliError> {
    let runs = ledger.runs_by_end().map_err(failure)?.into_iter();
    Ok(runs
        .map(|(command, end, count)| {
            let end = end.as_deref().unwrap_or("did not finish");
            (format!("{command} {end}"), count)
        })
        .collect())
}

/// What `switchover` found last.
fn last_checklist(layout: &Layout) -> Result<Option<Checklist>, CliError> {
    match fs_err::read_to_string(layout.switchover_json()) {
        Ok(text) => Ok(Checklist::read(&text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}
