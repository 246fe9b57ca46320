//! `sangtrang diff A B`: two runs, two folders, or one of them and the new CMS, document by document. Its exit codes are those
//! of diff(1): 0 the same, 1 different, 2 trouble.

use super::args::{OutputArgs, SiteArgs};
use super::changes::told_lines;
use super::error::CliError;
use super::inspect::clean;
use super::pager::Pager;
use super::secret::{Site, with_sink};
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::Spool;
use crate::diff::{Class, Ignore};
use crate::ledger::Ledger;
use crate::pipeline::differ::{
    Compared, DiffError, SCHEMA, Side, SideKind, SideName, compare_sides, compare_with_cms, find_run,
};
use crate::pipeline::{AtomicFile, Layout, Told, target_name};
use crate::report::diff_html;
use clap::Args;
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// Changes of one document that people are shown.
const CHANGES: usize = 50;

#[derive(Debug, Args)]
pub(super) struct DiffArgs {
    /// The old side: id of a run (or its beginning), `last`, `previous`; a folder with documents.jsonl or documents/;
    /// `cms` or `target:NAME`: what was delivered, as the CMS shows it
    #[arg(value_name = "A")]
    old: String,
    /// The new side, named like the old one
    #[arg(value_name = "B")]
    new: String,
    /// The site's mapping file; needed for the CMS, and for runs if several sites stand below the output folder
    #[arg(long, value_name = "MAPPING")]
    mapping: Option<PathBuf>,
    /// A file with a `[target]` table, instead of the mapping's own: a staging CMS
    #[arg(long, value_name = "FILE")]
    target: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
    /// Kinds of change that are not told: whitespace, tone-placement, media-order, … (docs/diff.md names all); can be repeated
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    ignore: Vec<Class>,
    /// Documents that are shown; all are counted
    #[arg(long, value_name = "N")]
    limit: Option<u64>,
    /// Write what was found as one HTML file; then only the summary is printed
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Do not use $PAGER on a terminal
    #[arg(long)]
    no_pager: bool,
}

pub(super) fn main(args: &DiffArgs, ui: &Ui) -> Outcome {
    diff(args, ui).map_err(|mut error| {
        if error.exit != Exit::Interrupted {
            error.exit = Exit::TROUBLE;
        }
        error
    })
}

/// What a side is asked to be.
enum Asked<'a> {
    Run(&'a str),
    Folder(PathBuf),
    Cms(Option<&'a str>),
}

impl<'a> Asked<'a> {
    /// Words first; then what is there; then what looks like a path.
    fn parse(text: &'a str) -> Self {
        match text {
            "cms" => return Self::Cms(None),
            "last" | "previous" => return Self::Run(text),
            _ => {}
        }
        if let Some(name) = text.strip_prefix("target:") {
            return Self::Cms(Some(name));
        }
        let is_run = !text.is_empty() && text.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
        if is_run && !Path::new(text).exists() {
            Self::Run(text)
        } else {
            Self::Folder(text.into())
        }
    }
}

fn diff(args: &DiffArgs, ui: &Ui) -> Outcome {
    let (old, new) = (Asked::parse(&args.old), Asked::parse(&args.new));
    let ignore = Ignore::new(args.ignore.iter().copied());
    let (runtime, cancel) = reactor()?;
    let bar = ui.progress("Comparing", 0);
    let progress = |done: u64, all: u64| bar.update(done, format_args!("{done} of {all} documents"));
    let (old_name, new_name, sums, told) = match (&old, &new) {
        (Asked::Cms(_), Asked::Cms(_)) => {
            return Err(CliError::new(
                Exit::TROUBLE,
                "usage::sides",
                "both sides are the CMS: nothing says what it should hold",
            )
            .hint("compare it with a run: `sangtrang diff last cms --mapping MAPPING`"));
        }
        (side, Asked::Cms(name)) | (Asked::Cms(name), side) => {
            let is_new = matches!(new, Asked::Cms(_));
            let site = cms_site(args, *name)?;
            let id = &site.mapping.rules().site.id;
            let mut side = open(side, Some(id), args)?;
            of_site(&side, id)?;
            let (cms, sums, told) = with_sink!(site, |sink| runtime.block_on(compare_with_cms(
                &*sink,
                &mut side,
                is_new,
                &site.mapper,
                &site.layout,
                &ignore,
                &cancel,
                &progress,
            )))
            .map_err(trouble)?;
            let (a, b) = if is_new {
                (side.name, cms)
            } else {
                (cms, side.name)
            };
            (a, b, sums, told)
        }
        _ => {
            let (mut a, mut b) = both(&old, &new, args)?;
            let (sums, told) = compare_sides(&mut a, &mut b, &ignore, &cancel, &progress).map_err(trouble)?;
            (a.name, b.name, sums, told)
        }
    };
    drop(bar);
    let sides = (&old_name, &new_name);
    tell(args, ui, sides, &sums, told, &cancel)?;
    Ok(if sums.is_same() { Exit::Ok } else { Exit::DIFFERS })
}

/// Both sides; two folders are read at once.
fn both(old: &Asked<'_>, new: &Asked<'_>, args: &DiffArgs) -> Result<(Side, Side), CliError> {
    let given = args
        .mapping
        .as_deref()
        .map(load_mapping)
        .transpose()?
        .map(|m| m.rules().site.id.clone());
    let (a, b) = match (old, new) {
        (Asked::Folder(_), Asked::Folder(_)) => std::thread::scope(|scope| {
            let a = scope.spawn(|| open(old, None, args));
            let b = open(new, None, args);
            let a = a.join().unwrap_or_else(|_| {
                Err(CliError::new(
                    Exit::TROUBLE,
                    "diff::panic",
                    "reading the old side ended unexpectedly",
                ))
            });
            Ok::<_, CliError>((a?, b?))
        })?,
        // A folder says which site a run beside it is of.
        (Asked::Folder(_), _) => {
            let a = open(old, None, args)?;
            let b = open(new, given.as_deref().or(a.site.as_deref()), args)?;
            (a, b)
        }
        (_, Asked::Folder(_)) => {
            let b = open(new, None, args)?;
            (open(old, given.as_deref().or(b.site.as_deref()), args)?, b)
        }
        _ => (
            open(old, given.as_deref(), args)?,
            open(new, given.as_deref(), args)?,
        ),
    };
    if let Some(id) = &given {
        of_site(&a, id)?;
        of_site(&b, id)?;
    }
    Ok((a, b))
}

fn open(asked: &Asked<'_>, site: Option<&str>, args: &DiffArgs) -> Result<Side, CliError> {
    match asked {
        Asked::Folder(path) => Side::folder(path).map_err(trouble),
        Asked::Run(asked) => {
            let site = match site {
                Some(site) => site.to_owned(),
                None => the_site(&args.output.output, asked)?,
            };
            let layout = Layout::new(&args.output.output, &site);
            Side::run(&site, &layout, asked).map_err(trouble)
        }
        Asked::Cms(_) => Err(CliError::new(
            Exit::TROUBLE,
            "usage::sides",
            "the CMS is no set of documents",
        )),
    }
}

/// The documents are of the site that the mapping names.
fn of_site(side: &Side, id: &str) -> Result<(), CliError> {
    match &side.site {
        Some(site) if site != id => Err(trouble(DiffError::Sites {
            old: (side.name.name.clone(), site.clone()),
            new: ("--mapping".into(), id.to_owned()),
        })),
        _ => Ok(()),
    }
}

fn cms_site(args: &DiffArgs, name: Option<&str>) -> Result<Site, CliError> {
    let Some(mapping) = args.mapping.clone() else {
        return Err(CliError::new(
            Exit::TROUBLE,
            "usage::mapping",
            "the CMS is named by the mapping: none was given",
        )
        .hint("`--mapping MAPPING`, and `--target FILE` for another CMS than the mapping's own"));
    };
    let site = Site::load(&SiteArgs {
        mapping,
        target: args.target.clone(),
        output: args.output.clone(),
    })?;
    let found = target_name(&site.target);
    match name {
        Some(name) if name != found => Err(CliError::new(
            Exit::TROUBLE,
            "usage::target",
            format!("the target is called `{found}`, not `{name}`"),
        )
        .hint("`--target FILE` names the file with the `[target]` table of another CMS")),
        _ => Ok(site),
    }
}

/// The one site below the output folder that has a ledger; of several the one that knows the run.
fn the_site(output: &Path, run: &str) -> Result<String, CliError> {
    let mut sites = Vec::new();
    if output.is_dir() {
        for entry in fs_err::read_dir(output)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if Layout::new(output, &name).ledger().is_file() {
                sites.push(name);
            }
        }
    }
    sites.sort();
    if sites.len() > 1 && !matches!(run, "last" | "previous") {
        let knows = |site: &String| {
            let ledger = Ledger::read(&Layout::new(output, site).ledger());
            ledger.is_ok_and(|ledger| {
                !matches!(
                    find_run(&ledger, site, run),
                    Err(DiffError::NoRun { found: 0, .. })
                )
            })
        };
        let (known, others): (Vec<_>, Vec<_>) = sites.into_iter().partition(knows);
        sites = if known.is_empty() { others } else { known };
    }
    match &sites[..] {
        [one] => Ok(one.clone()),
        [] => Err(CliError::new(
            Exit::TROUBLE,
            "ledger::missing",
            format!(
                "no site below `{}` has a ledger, so there is no run `{run}`",
                output.display()
            ),
        )
        .hint("`--output` names the folder of all sites' outputs; a folder is named by its path: `./NAME`")),
        _ => Err(CliError::new(
            Exit::TROUBLE,
            "usage::site",
            format!(
                "run `{run}` may be of {} sites: {}",
                sites.len(),
                sites.join(", ")
            ),
        )
        .hint("`--mapping MAPPING` says which one is meant")),
    }
}

fn trouble(error: DiffError) -> CliError {
    let with =
        |code: &str, error: DiffError, hint: &str| CliError::new(Exit::TROUBLE, code, error).hint(hint);
    match error {
        DiffError::Pipeline(error) => failure(error),
        error @ DiffError::NoDocuments { .. } => with(
            "diff::no_documents",
            error,
            "name a site's output folder (`output/SITE`), its `documents.jsonl` or its folder `documents`",
        ),
        error @ DiffError::Document { .. } => with(
            "diff::document",
            error,
            "`sangtrang extract MAPPING` writes the documents of a site's output folder anew",
        ),
        error @ DiffError::Sites { .. } => with(
            "diff::sites",
            error,
            "documents of two sites have nothing in common; compare two sides of one site",
        ),
        error @ DiffError::NoRun { .. } => with(
            "usage::run",
            error,
            "`sangtrang report MAPPING` names the runs; `last` and `previous` are the last extractions; a folder is named by its path: `./NAME`",
        ),
        error @ DiffError::NoHistory { .. } => with(
            "diff::no_history",
            error,
            "name a later run, or the folder in which a copy of its documents stands",
        ),
        error @ DiffError::NotDelivered { .. } => with(
            "diff::not_delivered",
            error,
            "`sangtrang plan` and `apply` deliver; `--target FILE` names another CMS",
        ),
    }
}

fn tell(
    args: &DiffArgs,
    ui: &Ui,
    (old, new): (&SideName, &SideName),
    sums: &Compared,
    mut told: Spool<Told>,
    cancel: &CancellationToken,
) -> Result<(), CliError> {
    let mut summary = serde_json::to_value(sums).map_err(std::io::Error::other)?;
    summary["schema"] = SCHEMA.into();
    summary["type"] = "summary".into();
    summary["old"] = serde_json::to_value(old).map_err(std::io::Error::other)?;
    summary["new"] = serde_json::to_value(new).map_err(std::io::Error::other)?;
    let object = |told: std::io::Result<Told>| -> std::io::Result<Value> {
        let mut object = serde_json::to_value(told?)?;
        object["schema"] = SCHEMA.into();
        object["type"] = "document".into();
        Ok(object)
    };
    if let Some(path) = &args.html {
        let mut file = AtomicFile::create(path)?;
        diff_html(&mut file, &summary, told.each()?.map(object))?;
        file.commit()?;
    }
    let most = usize::try_from(args.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
    if ui.json() {
        let mut out = ui.bulk();
        // A reader that closed the pipe early is no failure.
        let mut read = writeln!(out, "{summary}").is_ok();
        for one in told.each()?.take(most) {
            let one = object(one)?;
            read = read && writeln!(out, "{one}").is_ok();
            if !read || cancel.is_cancelled() {
                break;
            }
        }
        let _ = out.flush();
        return Ok(());
    }
    let mut out = Pager::start(ui, !args.no_pager && args.html.is_none());
    for line in summary_lines(old, new, sums) {
        out.line(line);
    }
    let shown = if args.html.is_some() { 0 } else { most };
    let count = told.len();
    let side = |name: &SideName| match name.kind {
        SideKind::Cms => "in the CMS",
        SideKind::Run | SideKind::Folder => "there",
    };
    for one in told.each()?.take(shown) {
        let lines = told_lines(&one?, side(old), side(new), CHANGES);
        if cancel.is_cancelled() || !lines.into_iter().all(|line| out.line(line)) {
            break;
        }
    }
    if args.html.is_none() && count > shown as u64 {
        out.line(format_args!(
            "… and {} more; `--limit N` shows more",
            count - shown as u64
        ));
    }
    drop(out);
    if let Some(path) = &args.html {
        ui.status(
            "Wrote",
            format_args!("{count} documents that differ to `{}`", path.display()),
        );
    }
    Ok(())
}

/// What the two sides are, the counts, what changed how often, what was ignored.
fn summary_lines(old: &SideName, new: &SideName, sums: &Compared) -> Vec<String> {
    let side = |sign: &str, name: &SideName, n: u64| {
        let at = name
            .at
            .and_then(|at| jiff::Timestamp::from_millisecond(at).ok())
            .map(|at| at.strftime(" of %Y-%m-%d %H:%M UTC").to_string());
        let kind = match name.kind {
            SideKind::Run => "run",
            SideKind::Folder => "folder",
            SideKind::Cms => "CMS",
        };
        clean(&format!(
            "{sign} {kind} {}{}: {n} documents",
            name.name,
            at.unwrap_or_default()
        ))
    };
    let mut out = vec![
        side("---", old, sums.old_documents),
        side("+++", new, sums.new_documents),
        format!(
            "{} unchanged, {} changed, {} moved, {} with the same content by other rules, {} added, {} removed",
            sums.same, sums.changed, sums.moved, sums.retold, sums.added, sums.removed
        ),
    ];
    let counted = |all: &mut dyn Iterator<Item = (&str, &u64)>| {
        let all: Vec<String> = all.map(|(name, n)| format!("{name} {n}")).collect();
        all.join(", ")
    };
    if !sums.by_class.is_empty() {
        let all = counted(&mut sums.by_class.iter().map(|(c, n)| (c.as_str(), n)));
        out.push(format!("documents by kind of change: {all}"));
    }
    if !sums.by_field.is_empty() {
        let all = counted(&mut sums.by_field.iter().map(|(f, n)| (f.as_str(), n)));
        out.push(clean(&format!("documents by what changed: {all}")));
    }
    if sums.newly_failed + sums.newly_passed > 0 {
        out.push(format!(
            "gates: {} documents newly fail, {} newly pass",
            sums.newly_failed, sums.newly_passed
        ));
    }
    if !sums.ignored.is_empty() {
        let all = counted(&mut sums.ignored.iter().map(|(c, n)| (c.as_str(), n)));
        out.push(format!("ignored changes: {all}"));
    }
    out.push(String::new());
    out
}
