//! `sangtrang mapping …`: what one mapping is beside another, and a draft out of another tool's rules.

use super::args::{MappingArgs, MappingCommand, MappingDiffArgs, MappingImportArgs};
use super::changes::{named, told_lines};
use super::error::CliError;
use super::inspect::clean;
use super::target::{failure, load_mapping, mapping_error, reactor};
use super::{Exit, Outcome, Ui};
use crate::mapping::Mapping;
use crate::mapping::import::{Origin, site_config};
use crate::pipeline::{self, Impact, Layout, PipelineError, Told, What, write_atomic};
use serde_json::json;
use std::path::Path;

pub(super) fn main(args: &MappingArgs, ui: &Ui) -> Outcome {
    match &args.what {
        MappingCommand::Diff(args) => diff(args, ui),
        MappingCommand::Import(args) => import(args, ui),
    }
}

/// Documents that people are shown if they do not say how many.
const SHOWN: u64 = 20;

/// Largest configuration that is imported, in bytes.
const MAX_IMPORT: u64 = 1 << 20;

/// Changes of one document that people are shown.
const CHANGES: usize = 12;

fn diff(args: &MappingDiffArgs, ui: &Ui) -> Outcome {
    let (old, new) = (load_mapping(&args.old)?, load_mapping(&args.new)?);
    let (site, other) = (&old.rules().site.id, &new.rules().site.id);
    if site != other {
        let text = format!(
            "`{}` is of site `{site}`, `{}` of `{other}`",
            args.old.display(),
            args.new.display()
        );
        return Err(CliError::new(Exit::Usage, "usage::site", text)
            .hint("compare two mappings of one site; `site.id` names it, and the folder of its archive"));
    }
    let layout = Layout::new(&args.output.output, site);
    if format!("{:?}", old.rules().discover) != format!("{:?}", new.rules().discover) {
        ui.warning("`[[discover]]` differs: what lists say of pages is taken as the last crawl read it, by both mappings");
    }
    let (_runtime, cancel) = reactor()?;
    let jobs = args
        .jobs
        .unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
        .clamp(1, 256);
    let most = args.limit.unwrap_or(if ui.json() { u64::MAX } else { SHOWN });
    let (mut seen, mut shown, mut retold) = (0_u64, 0_u64, 0_u64);
    let bar = ui.progress("Comparing", 0);
    let result = pipeline::impact(
        &old,
        &new,
        &layout,
        jobs,
        &cancel,
        &mut |told| {
            seen += 1;
            // Those with the same content must not take the place of those with another.
            let same = told.change == What::Retold && !ui.json();
            if shown < most && !(same && retold >= most / 5) {
                shown += 1;
                retold += u64::from(same);
                tell(told, ui)?;
            }
            Ok(())
        },
        &|sums| {
            bar.update(
                sums.pages,
                format_args!("{} pages, {} documents differ", sums.pages, sums.changed),
            )
        },
    );
    drop(bar);
    let sums = match result {
        Err(PipelineError::Interrupted) => {
            return Err(CliError::new(
                Exit::Interrupted,
                "interrupted",
                "interrupted: nothing was written",
            ));
        }
        other => other.map_err(failure)?,
    };
    if ui.json() {
        let mut object = serde_json::to_value(&sums).map_err(std::io::Error::other)?;
        object["schema"] = "mapping-diff/1".into();
        object["type"] = "summary".into();
        ui.data(object);
    } else {
        if seen > shown {
            ui.data(format_args!(
                "… and {} more; `--limit N` shows more",
                seen - shown
            ));
        }
        ui.data(summary(&sums));
    }
    ui.status(
        "Compared",
        format_args!(
            "{} pages: {} documents by the old mapping, {} by the new one, {} the same",
            sums.pages, sums.old_documents, sums.new_documents, sums.same
        ),
    );
    if sums.new_unclassified > sums.old_unclassified {
        ui.warning(format_args!(
            "{} pages belong to no collection any more",
            sums.new_unclassified - sums.old_unclassified
        ));
    }
    Ok(if args.exit_code && !sums.is_same() {
        Exit::Different
    } else {
        Exit::Ok
    })
}

/// The sentence that says it all: `12 titles, 3 published dates change; 0 documents newly fail`.
fn summary(sums: &Impact) -> String {
    let count = |n: u64, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
    let fields: Vec<String> = sums.by_field.iter().map(|(field, n)| named(field, *n)).collect();
    let mut parts = vec![match fields.len() {
        0 => "no field changes".to_owned(),
        _ => {
            let one = fields.len() == 1 && sums.by_field.values().all(|n| *n == 1);
            format!("{} change{}", fields.join(", "), if one { "s" } else { "" })
        }
    }];
    if sums.retold > 0 {
        parts.push(format!(
            "{} with the same content by other rules",
            count(sums.retold, "document")
        ));
    }
    if sums.renamed > 0 {
        parts.push(format!("{} with another id", count(sums.renamed, "document")));
    }
    if sums.added > 0 {
        parts.push(format!(
            "{} appear{}",
            count(sums.added, "document"),
            if sums.added == 1 { "s" } else { "" }
        ));
    }
    if sums.removed > 0 {
        parts.push(format!(
            "{} disappear{}",
            count(sums.removed, "document"),
            if sums.removed == 1 { "s" } else { "" }
        ));
    }
    let failed = count(sums.newly_failed, "document");
    parts.push(format!(
        "{failed} newly fail{}",
        if sums.newly_failed == 1 { "s" } else { "" }
    ));
    if sums.newly_passed > 0 {
        parts.push(format!("{} newly pass", count(sums.newly_passed, "document")));
    }
    parts.join("; ")
}

fn tell(told: &Told, ui: &Ui) -> Result<(), PipelineError> {
    if ui.json() {
        let mut object = serde_json::to_value(told).map_err(std::io::Error::other)?;
        object["schema"] = "mapping-diff/1".into();
        object["type"] = "document".into();
        ui.data(object);
        return Ok(());
    }
    for line in told_lines(told, "by the old mapping", "by the new mapping", CHANGES) {
        ui.data(line);
    }
    Ok(())
}

/// A draft out of a site configuration; never over a file that is there without `--force`.
fn import(args: &MappingImportArgs, ui: &Ui) -> Outcome {
    if let Some(out) = args.out.as_deref().filter(|out| out.exists() && !args.force) {
        let text = format!("`{}` is there already: nothing was done", out.display());
        return Err(CliError::new(Exit::Usage, "import::exists", text).hint("`--force` writes over it"));
    }
    let size = fs_err::metadata(&args.file)
        .map_err(|e| CliError::unread(&args.file, e))?
        .len();
    if size > MAX_IMPORT {
        let text = format!(
            "`{}` has {size} bytes; at most {MAX_IMPORT} are read",
            args.file.display()
        );
        return Err(CliError::new(Exit::Failure, "import::too_large", text));
    }
    let bytes = fs_err::read(&args.file)?;
    let base = args
        .url
        .as_deref()
        .map(url::Url::parse)
        .transpose()
        .map_err(|e| {
            let text = format!("`{}` is no URL: {e}", args.url.as_deref().unwrap_or_default());
            CliError::new(Exit::Usage, "usage::url", text)
        })?;
    let origin = Origin {
        name: args
            .file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        id: args.id.clone(),
        base,
        language: args.language.clone(),
    };
    let imported = site_config(&String::from_utf8_lossy(&bytes), &origin).map_err(|e| {
        CliError::new(
            Exit::Usage,
            "import::site",
            format!("`{}`: {e}", args.file.display()),
        )
        .hint("`--url http://HOST/` says it")
    })?;
    let name = args.out.as_deref().unwrap_or(Path::new("import.toml"));
    Mapping::parse(&name.display().to_string(), &imported.toml).map_err(|e| {
        let mut error = mapping_error(name, e);
        error.hint.get_or_insert("if `--id` and `--language` are right, the draft itself is wrong: please report it with the configuration".into());
        error
    })?;
    if let Some(out) = &args.out {
        write_atomic(out, imported.toml.as_bytes())?;
    }
    if ui.json() {
        let untranslated = imported.untranslated.iter();
        let untranslated: Vec<_> = untranslated
            .map(|u| json!({ "line": u.line, "rule": u.rule, "reason": u.reason }))
            .collect();
        ui.data(json!({
            "schema": "import/1", "type": "import", "file": args.file, "mapping": args.out, "toml": imported.toml,
            "untranslated": untranslated, "tests": imported.tests,
        }));
    } else {
        match &args.out {
            Some(out) => ui.data(out.display()),
            None => ui.data(imported.toml.trim_end()),
        }
    }
    for u in &imported.untranslated {
        ui.warning(clean(&format!(
            "line {} `{}` is a comment in the draft: {}",
            u.line, u.rule, u.reason
        )));
    }
    let next = args
        .out
        .as_ref()
        .map_or_else(|| "MAPPING".into(), |out| out.display().to_string());
    match imported.tests.first() {
        Some(test) => ui.hint(clean(&format!("next: `sangtrang try {next} {test}`"))),
        None => ui.hint(format_args!("next: `sangtrang try {next} URL`")),
    }
    Ok(Exit::Ok)
}
