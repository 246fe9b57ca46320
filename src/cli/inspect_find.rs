//! `sangtrang inspect FILE… --find TEXT`: which rules find the text that somebody points at, on all samples.

use super::args::InspectArgs;
use super::error::CliError;
use super::inspect::{MAX_FILE, clean, mapping_or_usual};
use super::target::failure;
use super::{Exit, Outcome, Ui};
use crate::extract::template::{Hit, Proposal, Sample, find};
use crate::lang::fold;
use crate::mapping::model::Container;
use crate::mapping::{Css, Mapping, PageUrl};
use crate::page::{self, Page};
use crate::pipeline;
use serde_json::json;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use url::Url;

/// Characters of what a rule finds that are shown.
const SHOWN: usize = 70;

/// Most samples: every selector is tried on all of them.
const SAMPLES: usize = 50;

pub(super) fn main(args: &InspectArgs, base: &Url, ui: &Ui) -> Outcome {
    let mapping = mapping_or_usual(args.mapping.as_deref(), base)?;
    let files = samples(args, &mapping, base)?;
    let mut pages: Vec<(PathBuf, Page)> = Vec::new();
    for (file, url) in files {
        let capture = super::try_page::saved(&file, url.as_str(), MAX_FILE)?;
        let page = page::read(&capture, &url, &mapping).map_err(failure)?;
        pages.push((file, page));
    }
    let samples: Vec<Sample<'_>> = pages
        .iter()
        .map(|(_, page)| Sample {
            page,
            wanted: &args.find,
            container: container(&mapping, page),
        })
        .collect();
    let found = find(&samples);
    if found.proposals.is_empty() {
        return Err(nothing(args, &pages));
    }
    if ui.json() {
        for proposal in &found.proposals {
            let seen: Vec<_> = proposal
                .seen
                .iter()
                .zip(&pages)
                .map(|(s, (file, _))| {
                    json!({ "file": file, "hit": word(s.hit), "matches": s.matches, "text": s.text })
                })
                .collect();
            ui.data(json!({
                "schema": "find/1", "type": "proposal", "toml": toml(proposal), "css": proposal.css,
                "cost": proposal.cost, "samples": seen,
            }));
        }
        ui.data(json!({
            "schema": "find/1", "type": "summary", "samples": pages.len(), "shown_by": found.shown,
            "containers": found.containers,
        }));
        return Ok(Exit::Ok);
    }
    for proposal in &found.proposals {
        ui.data(format_args!("{}  # {}", toml(proposal), verdict(proposal)));
        for (seen, (file, _)) in proposal.seen.iter().zip(&pages) {
            let text: String = clean(&seen.text).chars().take(SHOWN).collect();
            let more = if seen.matches > 1 {
                format!(" (first of {})", seen.matches)
            } else {
                String::new()
            };
            ui.data(format_args!(
                "#   {} {}{more}: {text}",
                sign(seen.hit),
                file.display()
            ));
        }
    }
    if !found.containers.is_empty() {
        let all: Vec<String> = found.containers.iter().map(|c| quoted(c)).collect();
        ui.data(format_args!(
            "container = [{}]  # what the text stands in, once on every sample",
            all.join(", ")
        ));
    }
    if pages.len() < 3 {
        ui.hint("more samples tell more: give three pages or more, or a mapping with examples");
    }
    Ok(Exit::Ok)
}

/// The saved pages, and those of the mapping's examples.
fn samples(args: &InspectArgs, mapping: &Mapping, base: &Url) -> Result<Vec<(PathBuf, PageUrl)>, CliError> {
    let usage = |text: &str| CliError::new(Exit::Usage, "usage::file", text);
    let here = mapping
        .canonical(base)
        .or_else(|_| mapping.canonical(&mapping.rules().site.base))
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", e))?;
    let mut seen: BTreeSet<PathBuf> = BTreeSet::new();
    let mut out = Vec::new();
    let mut put = |file: PathBuf, url: PageUrl| {
        if seen.insert(file.clone()) {
            out.push((file, url));
        }
    };
    for example in mapping.rules().collection.iter().flat_map(|c| &c.example) {
        let url = pipeline::site_url(mapping, &example.url).map_err(failure)?;
        let file = mapping.dir().join(&example.capture);
        // A page that is given by name takes part once, with the URL that the example knows.
        let given = args.files.iter().any(|f| same(f, &file));
        if given || args.files.is_empty() {
            put(file, url);
        }
    }
    for file in &args.files {
        let known = mapping.rules().collection.iter().flat_map(|c| &c.example);
        if !known
            .into_iter()
            .any(|e| same(file, &mapping.dir().join(&e.capture)))
        {
            put(file.clone(), here.clone());
        }
    }
    match out.len() {
        0 => Err(usage("no page to look at").hint("give saved pages, or `--mapping M` with examples")),
        n if n > SAMPLES => Err(usage(&format!("{n} samples are too many; {SAMPLES} at most"))),
        _ => Ok(out),
    }
}

fn same(a: &Path, b: &Path) -> bool {
    match (fs_err::canonicalize(a), fs_err::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The container that rules look in first on this page.
fn container<'m>(mapping: &'m Mapping, page: &Page) -> Option<&'m Css> {
    let collection = mapping.collection_for_url(&page.url)?;
    let mut all = collection.scope.container.iter().filter_map(Container::css);
    all.find(|css| page.select(css).next().is_some())
}

fn toml(proposal: &Proposal) -> String {
    format!("take = [{}]", proposal.rung)
}

fn quoted(text: &str) -> String {
    if text.contains('\'') {
        format!("{text:?}")
    } else {
        format!("'{text}'")
    }
}

fn word(hit: Hit) -> &'static str {
    match hit {
        Hit::Right => "right",
        Hit::More => "more",
        Hit::Other => "other",
        Hit::Nothing => "nothing",
        Hit::Wrong => "wrong",
    }
}

fn sign(hit: Hit) -> char {
    match hit {
        Hit::Right => '=',
        Hit::More => '>',
        Hit::Other => '~',
        Hit::Nothing => '-',
        Hit::Wrong => '!',
    }
}

/// How a rule did, in words.
fn verdict(proposal: &Proposal) -> String {
    let count = |hit: Hit| proposal.seen.iter().filter(|s| s.hit == hit).count();
    let of = count(Hit::Right) + count(Hit::More) + count(Hit::Wrong);
    let mut parts = vec![format!(
        "finds it on {} of {of}",
        count(Hit::Right) + count(Hit::More)
    )];
    let mut add = |n: usize, what: &str| {
        if n > 0 {
            parts.push(format!("{what} {n}"));
        }
    };
    add(count(Hit::More), "with more text around it on");
    add(count(Hit::Other), "something else on the other");
    add(count(Hit::Nothing), "nothing on the other");
    parts.join(", ")
}

/// No rule: the text is not there; lines that are like it.
fn nothing(args: &InspectArgs, pages: &[(PathBuf, Page)]) -> CliError {
    let words = |t: &str| -> BTreeSet<String> { fold(t).split(' ').map(str::to_owned).collect() };
    let wanted: BTreeSet<String> = args.find.iter().flat_map(|f| words(f)).collect();
    let mut near: Vec<(usize, String)> = pages
        .iter()
        .flat_map(|(_, page)| page.text.as_str().lines())
        .map(|line| (words(line).intersection(&wanted).count(), clean(line.trim())))
        .filter(|(n, line)| *n > 0 && line.chars().count() < 300)
        .collect();
    near.sort_by(|a, b| {
        b.0.cmp(&a.0)
            .then(a.1.len().cmp(&b.1.len()))
            .then_with(|| a.1.cmp(&b.1))
    });
    near.dedup();
    let text = format!(
        "none of {} pages shows `{}`",
        pages.len(),
        clean(&args.find.join("` or `"))
    );
    let error = CliError::new(Exit::Findings, "inspect::find", text);
    match near.first() {
        Some((_, line)) => error.hint(format!(
            "the nearest line is `{line}`; `sangtrang inspect FILE` shows all"
        )),
        None => error.hint("`sangtrang inspect FILE` shows all lines, as the program reads them"),
    }
}
