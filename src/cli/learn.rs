//! `sangtrang learn MAPPING`: the site's templates learned anew from its archive, beside what is stored and beside the
//! mapping. Offline; nothing is stored without `--accept`, and the mapping is never written.

use super::args::OutputArgs;
use super::error::CliError;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::extract::template::{self, Change, Origin, Rival};
use crate::ledger::Ledger;
use crate::mapping::Mapping;
use crate::page::Page;
use crate::pipeline::{self, Health, Layout, Relearned, write_atomic};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Pages of a template that are odd before it is said to drift, and their share in hundredths.
const DRIFT: usize = 3;
const DRIFT_SHARE: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct LearnArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    /// Store what was learned as the newest version of the models
    #[arg(long)]
    pub(super) accept: bool,
    /// Write the mapping that would be drafted now into FILE; `-` writes it to stdout
    #[arg(short = 'o', long, value_name = "FILE")]
    pub(super) draft: Option<PathBuf>,
    /// Write over a FILE that is there already
    #[arg(long, requires = "draft")]
    pub(super) force: bool,
    /// Do not look at stored models: learn as if nothing had been learned before
    #[arg(long)]
    pub(super) forget: bool,
    /// Pages that teach, at most; all pages of the archive are looked at
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u16).range(4..=1000))]
    pub(super) pages: u16,
    /// End with 5 if something differs from the stored models
    #[arg(long)]
    pub(super) exit_code: bool,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

pub(super) fn main(args: &LearnArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    if let Some(file) = args.draft.as_deref().filter(|f| *f != Path::new("-")) {
        may_write(file, args)?;
    }
    let (_runtime, cancel) = reactor()?;
    let bar = ui.progress("Learning", 0);
    let learned = pipeline::relearn(
        &mapping,
        &layout,
        usize::from(args.pages),
        !args.forget,
        &cancel,
        &|pages| bar.update(pages as u64, format_args!("{pages} pages looked at")),
    );
    drop(bar);
    let learned = learned.map_err(failure)?;
    let pages: Vec<&Page> = learned.sample.iter().map(|s| &s.page).collect();
    let rivals = template::against(&mapping, &learned.model, &pages);
    let draft = args.draft.as_ref().map(|_| drafted(&mapping, &learned));
    if let (Some(file), Some(text)) = (&args.draft, &draft)
        && file != Path::new("-")
    {
        write_atomic(file, text.as_bytes())?;
    }
    let hash = pipeline::model_hash(&learned.model).map_err(failure)?;
    let known = learned.stored.as_ref().is_some_and(|s| s.hash == hash);
    let accepted = if args.accept {
        let mut ledger = Ledger::open(&layout.ledger()).map_err(failure)?;
        let now = jiff::Timestamp::now();
        Some(pipeline::store_model(&mut ledger, &learned.model, now).map_err(failure)?)
    } else {
        None
    };
    if ui.json() {
        ui.data(json!({
            "schema": "learn/1", "type": "learn", "pages": learned.pages, "taught": learned.model.pages,
            "stored": learned.stored.as_ref().map(|s| s.version), "accepted": accepted, "hash": hash,
            "templates": templates(&learned), "changes": learned.changes, "health": learned.health,
            "mapping": rivals, "rejected": learned.rejected, "draft": draft,
        }));
    } else if let Some(text) = draft.filter(|_| args.draft.as_deref() == Some(Path::new("-"))) {
        ui.data(text);
        tell(&mapping, &learned, &rivals, &|line| ui.note(line));
    } else {
        tell(&mapping, &learned, &rivals, &|line| ui.data(line));
    }
    warn(&mapping, &learned, ui);
    ui.status(
        "Learned",
        format_args!(
            "{} templates from {} of {} pages; {} differences to the stored models, {} to the mapping",
            learned.model.templates.len(),
            learned.model.pages,
            learned.pages,
            learned.changes.len(),
            rivals.len()
        ),
    );
    match accepted {
        Some(version) if known => ui.status("Kept", format_args!("version {version} says the same")),
        Some(version) => ui.status("Stored", format_args!("as version {version}")),
        None if known => {}
        None => ui.hint(format_args!(
            "nothing was stored: `sangtrang learn --accept {0}` does it, `sangtrang learn -o - {0}` prints the mapping that would be drafted now",
            args.mapping.display()
        )),
    }
    let different = !learned.changes.is_empty();
    Ok(if args.exit_code && different {
        Exit::Different
    } else {
        Exit::Ok
    })
}

/// The mapping that `init` would draft of these templates.
fn drafted(mapping: &Mapping, learned: &Relearned) -> String {
    let site = &mapping.rules().site;
    let origin = Origin {
        id: site.id.clone(),
        name: site.name.clone(),
        named_by: None,
        base: site.base.to_string(),
        language: site.language.clone(),
        source: None,
        fallback: mapping.rules().decode.fallback.clone(),
        url: template::written(&mapping.rules().url),
    };
    template::draft(&learned.model, &origin, &BTreeMap::new())
}

/// A draft never takes the place of the mapping, and of another file only by request.
fn may_write(file: &Path, args: &LearnArgs) -> Result<(), CliError> {
    if !file.exists() {
        return Ok(());
    }
    if fs_err::canonicalize(file)? == fs_err::canonicalize(&args.mapping)? {
        return Err(CliError::new(
            Exit::Usage,
            "learn::mapping",
            format!(
                "`{}` is the mapping itself: it is never written over",
                file.display()
            ),
        )
        .hint("give another name, and take over what you want of it"));
    }
    if !args.force {
        let text = format!("`{}` is there already: nothing was done", file.display());
        return Err(CliError::new(Exit::Usage, "learn::exists", text)
            .hint("`--force` writes over it, `-o -` writes the draft to stdout"));
    }
    Ok(())
}

fn day(mapping: &Mapping, at: i64) -> String {
    jiff::Timestamp::from_millisecond(at).map_or_else(
        |_| "an unknown day".into(),
        |t| t.to_zoned(mapping.timezone()).date().to_string(),
    )
}

fn templates(learned: &Relearned) -> Vec<serde_json::Value> {
    let all = learned.model.templates.iter().zip(&learned.extents);
    all.map(|(t, e)| {
        json!({
            "id": t.id, "kind": t.kind, "url": t.url, "taught": t.pages, "pages": e.pages, "first": e.first, "last": e.last,
            "learned": t.article.is_some() || t.list.is_some(), "why": t.why,
            "held_out": t.article.as_ref().map(|a| a.held_out),
        })
    })
    .collect()
}

/// All lines, for people and for `diff`.
fn tell(mapping: &Mapping, learned: &Relearned, rivals: &[Rival], line: &dyn Fn(String)) {
    for (template, extent) in learned.model.templates.iter().zip(&learned.extents) {
        let held = template.article.as_ref().map_or_else(String::new, |a| {
            format!(
                "; text of pages that did not teach: {:.3} learned, {:.3} page by page",
                a.held_out.0, a.held_out.1
            )
        });
        if extent.pages == 0 {
            line(format!(
                "= {}: as it was stored, no page of it now, {}",
                template.id, template.url
            ));
            continue;
        }
        line(format!(
            "= {}: {} pages since {}, {}{held}",
            template.id,
            extent.pages,
            day(mapping, extent.first),
            template.url
        ));
        if let Some(why) = &template.why {
            line(format!("    nothing was learned: {why}"));
        }
    }
    for (template, health) in &learned.health {
        line(format!(
            "= {template}, as stored: {} pages, {} odd{}",
            health.pages,
            health.odd,
            alarms(health)
        ));
    }
    for (class, pages) in &learned.rejected {
        line(format!("= {class}: {pages} pages taught nothing"));
    }
    learned.changes.iter().for_each(|c| line(c.to_string()));
    rivals.iter().for_each(|r| line(r.to_string()));
}

fn alarms(health: &Health) -> String {
    let said: Vec<String> = health.alarms.iter().map(|(a, n)| format!("{a} {n}")).collect();
    if said.is_empty() {
        String::new()
    } else {
        format!(" ({})", said.join(", "))
    }
}

/// What somebody should look at.
fn warn(mapping: &Mapping, learned: &Relearned, ui: &Ui) {
    for change in &learned.changes {
        let Change::New {
            template,
            kind,
            instead_of,
            ..
        } = change
        else {
            continue;
        };
        let at = learned.model.templates.iter().position(|t| t.id == *template);
        let Some(extent) = at.and_then(|at| learned.extents.get(at)) else {
            continue;
        };
        if learned.stored.is_none() {
            continue;
        }
        let redesign = instead_of
            .as_ref()
            .map_or_else(String::new, |old| format!(", under the addresses of {old}"));
        ui.warning(format_args!(
            "a new template ({}) since {} on {} pages: {template}{redesign}",
            kind.name(),
            day(mapping, extent.first),
            extent.pages
        ));
    }
    for (template, health) in &learned.health {
        if health.odd >= DRIFT && health.odd * 100 >= health.pages * DRIFT_SHARE {
            let since = health.since.map_or_else(String::new, |at| day(mapping, at));
            let example = health.example.as_deref().unwrap_or_default();
            ui.warning(format_args!(
                "{template} drifts: {} of {} pages are odd since {since}{}, for example {example}",
                health.odd,
                health.pages,
                alarms(health)
            ));
        }
    }
}
