//! `sangtrang target check|setup MAPPING`: is the new CMS ready, and what makes it so.

use super::args::{SetupArgs, TargetArgs, TargetCommand, VerifyArgs};
use super::error::CliError;
use super::secret::{Site, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::sink::wordpress::COMPANION;
use crate::mapping::model::TargetKind;
use crate::pipeline::{probe_target, write_atomic};

pub(super) fn main(args: &TargetArgs, ui: &Ui) -> Outcome {
    match &args.what {
        TargetCommand::Check(args) => check(args, ui),
        TargetCommand::Setup(args) => setup(args, ui),
    }
}

fn check(args: &VerifyArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    let (runtime, _) = reactor()?;
    let probe =
        with_sink!(site, |sink| runtime.block_on(probe_target(&*sink, &site.mapper))).map_err(failure)?;
    if ui.json() {
        ui.data(serde_json::json!({ "schema": "probe/1", "type": "probe", "result": probe }));
    } else {
        ui.data(format_args!("{} as {}", probe.product, probe.user));
        if let Some(zone) = &probe.timezone {
            ui.data(format_args!("time zone {zone}"));
        }
        if let Some(most) = probe.max_upload {
            ui.data(format_args!("uploads up to {:.1} MB", most as f64 / 1e6));
        }
    }
    for note in &probe.notes {
        ui.hint(note);
    }
    for problem in &probe.problems {
        ui.warning(problem);
    }
    Ok(if probe.problems.is_empty() {
        Exit::Ok
    } else {
        Exit::Config
    })
}

fn setup(args: &SetupArgs, ui: &Ui) -> Outcome {
    let site = Site::load(&args.site)?;
    match (site.target.kind, &args.mu_plugins) {
        (TargetKind::Wordpress, Some(folder)) => {
            if !folder.is_dir() {
                return Err(CliError::new(
                    Exit::Usage,
                    "usage::folder",
                    format!("`{}` is no folder", folder.display()),
                )
                .hint("make it: `mkdir wp-content/mu-plugins`"));
            }
            let path = folder.join("sangtrang.php");
            let verb = if write_atomic(&path, COMPANION.as_bytes())? {
                "Wrote"
            } else {
                "Unchanged"
            };
            ui.status(verb, path.display());
            Ok(Exit::Ok)
        }
        (TargetKind::Wordpress, None) => {
            ui.data(COMPANION.trim_end());
            ui.hint("this is wp-content/mu-plugins/sangtrang.php; `--mu-plugins DIR` writes it");
            Ok(Exit::Ok)
        }
        (TargetKind::Directus, _) => {
            let sink = site.directus()?;
            let (runtime, _) = reactor()?;
            let made = runtime.block_on(sink.setup(&site.mapper)).map_err(failure)?;
            for name in &made {
                ui.status("Made", name);
            }
            if made.is_empty() {
                ui.status("Unchanged", "everything is there");
            }
            Ok(Exit::Ok)
        }
        (TargetKind::HttpJson, _) => Err(CliError::new(
            Exit::Usage,
            "usage::setup",
            "types of a declared CMS are made in the CMS",
        )
        .hint(
            "`sangtrang target check` says what is missing; docs/http-json.md shows what each preset needs",
        )),
    }
}
