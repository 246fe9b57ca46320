//! `sangtrang export MAPPING --format FORMAT`: documents into files, for what reads files.

use super::args::ExportArgs;
use super::error::CliError;
use super::secret::{known_collections, target_file};
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::files::{self, Exported, Format, Options};
use crate::mapping::model::TargetKind;
use crate::pipeline::{ExportJob, Layout, export_site};
use clap::ValueEnum;
use clap::builder::PossibleValue;
use std::path::Path;
use url::Url;

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let help = match self {
            Self::Jsonl => "Canonical JSON, a document a line, media by hash",
            Self::Wxr => "WordPress eXtended RSS 1.2 (create-only)",
            Self::Hugo => "Content of a Hugo site",
            Self::Zola => "Content of a Zola site",
            Self::Drupal => "A module for Drupal Migrate",
            Self::PortableText => "Portable Text, as Sanity imports it",
            Self::Csv => "Tables of documents, media and old addresses",
            Self::Xlsx => "The same as a workbook",
        };
        Some(PossibleValue::new(self.as_str()).help(help))
    }
}

pub(super) fn main(args: &ExportArgs, ui: &Ui) -> Outcome {
    if let Some(folder) = &args.check {
        return check(folder, ui);
    }
    // The parser asks for both unless `--check` is there.
    let (Some(path), Some(format)) = (&args.mapping, args.format) else {
        return Err(CliError::new(Exit::Usage, "usage", "name a mapping and a format"));
    };
    let mapping = load_mapping(path)?;
    let mut target = match &args.target {
        Some(file) => Some(target_file(file)?),
        None => mapping.rules().target.clone(),
    };
    if let Some(target) = &target {
        known_collections(&mapping, target)?;
    }
    if format == Format::Wxr && target.as_ref().is_some_and(|t| t.kind != TargetKind::Wordpress) {
        target = None;
        ui.warning(
            "the target is no WordPress: its rules for entries are not used; every document becomes a post",
        );
    }
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    let site = &mapping.rules().site;
    let job = ExportJob {
        options: Options {
            format,
            site: site.id.clone(),
            title: site.name.clone().unwrap_or_else(|| site.id.clone()),
            language: site.language.clone(),
            old: site.base.clone(),
            base: address(args.base_url.as_deref(), "--base-url https://www.example.org/")?,
            media: address(
                args.media_url.as_deref(),
                "--media-url https://files.example.org/media/",
            )?,
        },
        folder: args.out.clone(),
        target,
        documents: super::approve::selection(&args.only, &layout)?,
    };
    if format == Format::Wxr && job.options.media.is_none() {
        return Err(CliError::new(
            Exit::Usage,
            "usage::media_url",
            "the importer of WordPress fetches files, so it must be known where they will be served",
        )
        .hint("`--media-url URL`: where the folder `media` of the export will be, for example behind `python3 -m http.server`"));
    }
    let (_runtime, cancel) = reactor()?;
    let bar = ui.progress("Exporting", 0);
    let exported = export_site(&mapping, &layout, &job, &cancel, &|done, total| {
        bar.update(done, format_args!("of {total} readings"));
    });
    drop(bar);
    let exported = exported.map_err(failure)?;
    tell(&exported, format, ui);
    Ok(if exported.tally.held.is_empty() {
        Exit::Ok
    } else {
        Exit::Findings
    })
}

fn address(text: Option<&str>, example: &str) -> Result<Option<Url>, CliError> {
    let Some(text) = text else { return Ok(None) };
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.query().is_none() => Ok(Some(url)),
        _ => Err(CliError::new(
            Exit::Usage,
            "usage::url",
            format!("`{text}` is no address of a site"),
        )
        .hint(format!("`{example}`"))),
    }
}

fn tell(exported: &Exported, format: Format, ui: &Ui) {
    let tally = &exported.tally;
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "exported/1", "type": "exported", "format": format.as_str(), "result": exported }));
    }
    for (why, n) in &tally.held {
        ui.warning(format_args!("{n} documents are not in the export: {why}"));
    }
    if tally.twins > 0 {
        ui.warning(format_args!(
            "{} entries have the title and date of another one, which the importer would pass over: they got another second or title",
            tally.twins
        ));
    }
    if tally.illegal > 0 {
        ui.warning(format_args!(
            "{} characters that XML cannot hold became U+FFFD",
            tally.illegal
        ));
    }
    if tally.undated > 0 {
        ui.note(format_args!(
            "{:>12} {} documents have no date",
            "", tally.undated
        ));
    }
    if tally.kept_links + tally.kept_media > 0 {
        ui.note(format_args!(
            "{:>12} {} links and {} pictures or files have no place in the export and keep their old address",
            "", tally.kept_links, tally.kept_media
        ));
    }
    ui.status(
        "Exported",
        format_args!(
            "{} documents and {} media files as {}: {} ({} files, {} changed, {} removed)",
            tally.documents,
            tally.media,
            format.as_str(),
            exported.folder.display(),
            exported.files,
            exported.changed,
            exported.removed
        ),
    );
    match format {
        Format::Wxr => ui.hint(
            "create-only: the importer of WordPress never changes what is there; for a second delivery use `plan` and `apply`",
        ),
        Format::Hugo if tally.html > 0 => ui.hint(format_args!(
            "{} documents have tables with spans or HTML: set `markup.goldmark.renderer.unsafe = true`, or Hugo leaves them out",
            tally.html
        )),
        _ => {}
    }
}

fn check(folder: &Path, ui: &Ui) -> Outcome {
    let checked = files::check(folder).map_err(failure)?;
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "export-checked/1", "type": "export", "result": checked }));
    }
    for name in &checked.names {
        ui.warning(format_args!("`{name}` is not what the export wrote"));
    }
    ui.status(
        "Checked",
        format_args!(
            "{} files, {} bytes ({} of `{}`): {} missing, {} changed",
            checked.files,
            checked.bytes,
            checked.head.format,
            checked.head.site,
            checked.missing,
            checked.changed
        ),
    );
    Ok(if checked.missing + checked.changed == 0 {
        Exit::Ok
    } else {
        Exit::Findings
    })
}
