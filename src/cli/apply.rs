//! `sangtrang apply PLAN`: carries out a plan.

use super::args::{ApplyArgs, SiteArgs};
use super::error::CliError;
use super::secret::{Site, with_sink};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::Planned;
use crate::deliver::apply::{Applied, Event, LeftAlone, Loss, Options, Refused, Stop};
use crate::deliver::redirect::Decision;
use crate::pipeline::{apply_plan, verify_run};
use std::sync::Mutex;
use std::time::Instant;

/// Lines of one sort that are printed.
const SHOWN: usize = 20;

pub(super) fn main(args: &ApplyArgs, ui: &Ui) -> Outcome {
    let file = fs_err::File::open(&args.plan)?;
    let mut planned = Planned::read(file, &args.output.output).map_err(|e| {
        CliError::new(
            Exit::Usage,
            "plan::unreadable",
            format!("`{}` is no plan: {e}", args.plan.display()),
        )
        .hint("`sangtrang plan MAPPING` writes one")
    })?;
    let plan = &planned.plan;
    let site = Site::load(&SiteArgs {
        mapping: args
            .mapping
            .clone()
            .unwrap_or_else(|| plan.made_with.0.clone().into()),
        target: args
            .target
            .clone()
            .or_else(|| plan.made_with.1.clone().map(Into::into)),
        output: args.output.clone(),
    })?;
    if args.dry_run {
        ui.data(planned.summary()?.trim_end());
        return Ok(Exit::Ok);
    }
    let (runtime, cancel) = reactor()?;
    let options = Options {
        cancel: cancel.clone(),
        limit: args.limit,
        deadline: args.max_time.map(|t| Instant::now() + t),
        ..chosen(args, &site)?
    };
    let carried = carry_out(&site, &mut planned, options, args.no_verify, &runtime, ui)?;
    carried.tell(ui);
    exit(&carried.applied)
}

/// What came of a plan.
pub(super) struct Carried {
    /// Id of the run.
    pub(super) uid: String,
    pub(super) applied: Applied,
    seconds: f64,
}

impl Carried {
    /// Says it to people, and to programs that listen.
    pub(super) fn tell(&self, ui: &Ui) {
        if ui.json() {
            ui.data(serde_json::json!({
                "schema": "applied/1", "type": "applied", "run": self.uid, "result": self.applied,
            }));
        }
        self.summary(ui);
    }

    /// Says it to people.
    pub(super) fn summary(&self, ui: &Ui) {
        tell(&self.uid, &self.applied, self.seconds, ui);
    }
}

/// Carries out a plan, writes the files of redirects, reads back what was written.
pub(super) fn carry_out(
    site: &Site,
    planned: &mut Planned,
    options: Options,
    no_verify: bool,
    runtime: &tokio::runtime::Runtime,
    ui: &Ui,
) -> Result<Carried, CliError> {
    let cancel = options.cancel.clone();
    let started = Instant::now();
    let bar: Mutex<Option<(super::ui::Progress<'_>, u64)>> = Mutex::new(None);
    let on_event = |event: Event| {
        if ui.json() {
            let mut object = serde_json::json!(event);
            object["schema"] = "event/1".into();
            ui.event(&object);
        }
        let mut bar = bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            Event::Phase { phase, total } => *bar = Some((ui.progress(verb(phase), total), total)),
            Event::Done { done, .. } => {
                if let Some((bar, total)) = &*bar {
                    bar.update(done, format_args!("{done} of {total}"));
                }
            }
        }
    };
    let verify = |uid: String, mut applied: Applied| {
        let found = with_sink!(site, |sink| runtime.block_on(verify_run(
            &*sink,
            &site.mapper,
            &site.layout,
            &uid,
            &cancel,
            &|done| on_event(Event::Done {
                phase: "verify",
                done
            }),
        )))
        .map_err(failure)?;
        // What the answers to writes showed was told already.
        let told = |l: &Loss| {
            applied
                .losses
                .iter()
                .any(|a| a.key == l.key && a.field == l.field)
        };
        let new: Vec<Loss> = found.losses.into_iter().filter(|l| !told(l)).collect();
        applied.losses.extend(new);
        if found.interrupted {
            applied.stopped = Some(Stop::Interrupted);
        }
        Ok::<_, CliError>((uid, applied))
    };
    let (uid, mut applied) = with_sink!(site, |sink| runtime.block_on(apply_plan(
        sink,
        &site.mapping,
        site.mapper.clone(),
        &site.layout,
        planned,
        options,
        &on_event,
    )))
    .map_err(failure)?;
    let seconds = started.elapsed().as_secs_f64();
    let (uid, applied) = if applied.stopped.is_none() && applied.wrote() > 0 {
        on_event(Event::Phase {
            phase: "redirects",
            total: 1,
        });
        let (redirects, _) = super::redirects::write_files(site, &[])?;
        applied.redirects = redirects
            .counts()
            .get(&Decision::Redirect)
            .copied()
            .unwrap_or_default();
        if no_verify {
            (uid, applied)
        } else {
            on_event(Event::Phase {
                phase: "verify",
                total: applied.wrote(),
            });
            verify(uid, applied)?
        }
    } else {
        (uid, applied)
    };
    *bar.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    Ok(Carried {
        uid,
        applied,
        seconds,
    })
}

fn verb(phase: &str) -> &'static str {
    match phase {
        "terms" => "Terms",
        "media" => "Uploading",
        "documents" => "Writing",
        "links" => "Linking",
        "publish" => "Publishing",
        "retire" => "Retiring",
        "redirects" => "Redirects",
        "verify" => "Reading back",
        _ => "Checking",
    }
}

/// `--only`: globs, and documents with a verdict.
fn chosen(args: &ApplyArgs, site: &Site) -> Result<Options, CliError> {
    Ok(Options {
        documents: super::approve::selection(&args.only, &site.layout)?,
        ..Options::default()
    })
}

fn tell(uid: &str, a: &Applied, seconds: f64, ui: &Ui) {
    ui.status(
        "Applied",
        format_args!(
            "{} made, {} changed, {} published, {} linked again, {} taken off, {} as they were, in {seconds:.1} s (run {uid})",
            a.created, a.updated, a.published, a.relinked, a.retired, a.already
        ),
    );
    if a.redirects > 0 {
        ui.status(
            "Redirects",
            format_args!(
                "{} old addresses lead to new ones; `redirects write` tells of the rest",
                a.redirects
            ),
        );
    }
    if a.adopted + a.duplicates > 0 {
        ui.status(
            "Repaired",
            format_args!(
                "{} found again, {} second copies removed",
                a.adopted, a.duplicates
            ),
        );
    }
    list(ui, "refused", &a.refused, |r: &Refused| {
        format!("{} {}: {}", r.key, r.title, r.error)
    });
    list(ui, "lost", &a.losses, loss_line);
    list(ui, "left alone", &a.held, |h: &LeftAlone| {
        let fields: Vec<&str> = h.fields.iter().map(|f| f.field.as_str()).collect();
        format!("{} {}: {} {}", h.key, h.title, h.reason.text(), fields.join(", "))
    });
    match &a.stopped {
        Some(Stop::Auth(why) | Stop::Unreachable(why) | Stop::Broken(why)) => ui.warning(why),
        Some(Stop::Interrupted) => ui.hint("the state is saved; the same command continues"),
        Some(Stop::Limit) | None => {}
    }
}

/// One line of what was lost.
pub(super) fn loss_line(loss: &Loss) -> String {
    format!(
        "{} #{} {}: {}: sent \"{}\", shown \"{}\"",
        loss.key,
        loss.remote,
        loss.title,
        loss.field,
        loss.ours.replace(char::is_control, " "),
        loss.theirs.replace(char::is_control, " ")
    )
}

/// Warnings, the first ones in full.
pub(super) fn list<T>(ui: &Ui, what: &str, all: &[T], line: impl Fn(&T) -> String) {
    for one in all.iter().take(SHOWN) {
        ui.warning(format_args!("{what}: {}", line(one)));
    }
    if let Some(more) = all.len().checked_sub(SHOWN).filter(|n| *n > 0) {
        ui.warning(format_args!("{what}: … and {more} more; --json has them all"));
    }
}

/// The exit code of what came of a plan.
pub(super) fn exit(a: &Applied) -> Outcome {
    Ok(match &a.stopped {
        Some(Stop::Interrupted) => Exit::Interrupted,
        Some(Stop::Limit) => Exit::Limit,
        Some(Stop::Auth(_)) => Exit::Config,
        Some(Stop::Unreachable(_)) => Exit::Unreachable,
        Some(Stop::Broken(_)) => Exit::Failure,
        None if !a.refused.is_empty() || !a.losses.is_empty() => Exit::Findings,
        None if !a.held.is_empty() => Exit::Held,
        None if a.limited => Exit::Limit,
        None => Exit::Ok,
    })
}
