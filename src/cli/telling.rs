//! What is told of a sync beyond the terminal: metrics in a file and at an address, and notices to people. None of it may change
//! how the sync ended: what fails here is a warning.

use super::error::CliError;
use super::sync::Told;
use super::sync_args::SyncArgs;
use super::sync_summary::{code, reason_name};
use super::target::failure;
use super::{Exit, Ui};
use crate::deliver::plan::Hold;
use crate::ledger::{Ledger, clock};
use crate::mapping::Mapping;
use crate::mapping::model::{Mail, MailTls, NotifyOn, Webhook};
use crate::notify::{self, Channels, Class, MailTo, Problem, Protection, WebhookTo};
use crate::pipeline::{Layout, Rhythm, write_atomic};
use crate::report::{Health, Observed, Standing, Watched, metrics_text, serve};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// A sync of each day may be late by two hours.
const A_DAY: Duration = Duration::from_secs(26 * 3600);
/// A daemon that syncs often is given time for one that takes longer.
const LEAST_AGE: Duration = Duration::from_secs(15 * 60);
/// Entries that a notice names of one problem.
const EXAMPLES: usize = 5;

/// After a sync, when its lock is let go of: metrics, then notices.
pub(super) fn after(
    args: &SyncArgs,
    mapping: &Mapping,
    layout: &Layout,
    result: &Result<Told, CliError>,
    runtime: &Runtime,
    ui: &Ui,
) {
    if let Some(path) = &args.tell.metrics_file
        && let Err(error) = write_metrics(path, &watch(args, mapping, layout))
    {
        ui.warning(format_args!("no metrics are written: {error}"));
    }
    // Who was not let in, or was told to stop, has found nothing.
    let quiet = |exit: Exit| matches!(exit, Exit::Locked | Exit::Interrupted);
    let problems = match result {
        Ok(told) if quiet(told.exit()) => return,
        Err(error) if quiet(error.exit) => return,
        Ok(told) => problems(told),
        Err(error) => vec![failed(error)],
    };
    tell_people(mapping, layout, problems, runtime, ui);
}

fn tell_people(mapping: &Mapping, layout: &Layout, problems: Vec<Problem>, runtime: &Runtime, ui: &Ui) {
    let rules = &mapping.rules().notify;
    let wanted = |class: Class| {
        rules.on.contains(&match class {
            Class::Failure => NotifyOn::Failure,
            Class::Hold => NotifyOn::Hold,
            Class::Drift => NotifyOn::Drift,
        })
    };
    let problems = problems.into_iter().filter(|p| wanted(p.class)).collect();
    let channels = Channels {
        webhook: rules.webhook.as_ref().map(webhook),
        mail: rules.mail.as_ref().map(mail),
    };
    // Said also when there is nothing to tell: on the day when there is, it would be too late.
    if let Some(Err(why)) = &channels.webhook {
        ui.warning(format_args!("the webhook cannot be asked: {why}"));
    }
    if let Some(Err(why)) = &channels.mail {
        ui.warning(format_args!("no e-mail can be sent: {why}"));
    }
    let sent = runtime.block_on(notify::tell(
        &layout.notify_json(),
        &mapping.rules().site.id,
        problems,
        clock::now(),
        rules.digest.0,
        &channels,
    ));
    match sent {
        Ok(sent) => {
            for why in sent.failed {
                ui.warning(format_args!(
                    "a notice was not delivered, the next sync tries again: {why}"
                ));
            }
        }
        Err(error) => ui.warning(format_args!("nobody was told: {error}")),
    }
}

fn variable(name: &str) -> Result<String, String> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        _ => Err(format!("the environment has no `{name}`")),
    }
}

fn webhook(rules: &Webhook) -> Result<WebhookTo, String> {
    let url = match (&rules.url, &rules.url_env) {
        (Some(url), _) => url.clone(),
        (None, Some(name)) => variable(name)?,
        (None, None) => return Err("it has no address".into()),
    };
    let secret = rules.secret_env.as_deref().map(variable).transpose()?;
    WebhookTo::new(&url, secret, rules.timeout.0, rules.retries).map_err(|e| e.to_string())
}

fn mail(rules: &Mail) -> Result<MailTo, String> {
    let mut to = MailTo::new(&rules.server, &rules.from, &rules.to).map_err(|e| e.to_string())?;
    to.port = rules.port;
    to.timeout = rules.timeout.0;
    to.protection = match rules.tls {
        MailTls::Starttls => Protection::Starttls,
        MailTls::Tls => Protection::Tls,
        MailTls::None => Protection::None,
    };
    if let (Some(user), Some(password)) = (&rules.user_env, &rules.password_env) {
        to.login = Some((variable(user)?, variable(password)?));
    }
    Ok(to)
}

fn failed(error: &CliError) -> Problem {
    Problem {
        key: format!("failure:{}", error.code),
        class: Class::Failure,
        count: 1,
        text: format!("the sync could not go on: {}", error.message),
        examples: error.hint.clone().into_iter().collect(),
    }
}

/// What a person should know of a sync that came to its end.
fn problems(told: &Told) -> Vec<Problem> {
    let mut all = Vec::new();
    let mut add = |key: String, class, count, text: String, examples: Vec<String>| {
        all.push(Problem {
            key,
            class,
            count,
            text,
            examples,
        });
    };
    if told.codes.contains(&(Exit::Unreachable as u8)) {
        let text = "the portal or the CMS was not reachable".to_owned();
        add("unreachable".into(), Class::Failure, 1, text, Vec::new());
    }
    if let Some(target) = &told.target {
        for (reason, count) in &target.holds {
            if code(*reason) == Exit::Ok {
                continue;
            }
            let name = reason_name(*reason);
            let class = match reason {
                Hold::Drift | Hold::Removed => Class::Drift,
                _ => Class::Hold,
            };
            let examples = target.held.first.iter().filter(|f| f.class == name);
            let examples = examples.take(EXAMPLES).map(|f| format!("{} {}", f.url, f.note));
            let text = format!("{count} on hold: {}", reason.text());
            add(format!("hold:{name}"), class, *count, text, examples.collect());
        }
        if target.lost.count > 0 {
            let examples = target.lost.first.iter().take(EXAMPLES).map(|f| f.note.clone());
            let text = format!(
                "{} fields are shown otherwise than they were sent",
                target.lost.count
            );
            add(
                "losses".into(),
                Class::Failure,
                target.lost.count,
                text,
                examples.collect(),
            );
        }
    } else if told.exit() == Exit::Held {
        let text = "a changed mapping waits for `--accept-mapping`".to_owned();
        add("mapping".into(), Class::Hold, 1, text, Vec::new());
    }
    if !told.drift.is_empty() {
        let count = told.drift.len() as u64;
        let text = "gates of whole collections fail: nothing is pushed".to_owned();
        let examples = told.drift.iter().take(EXAMPLES).cloned().collect();
        add("gates".into(), Class::Hold, count, text, examples);
    }
    if let Some(doubt) = &told.doubt {
        add(
            "doubt".into(),
            Class::Hold,
            1,
            format!("nothing is taken off: {doubt}"),
            Vec::new(),
        );
    }
    all
}

/// A site that is watched.
struct Watch {
    layout: Layout,
    site: String,
    began: jiff::Timestamp,
    max_age: Duration,
}

fn watch(args: &SyncArgs, mapping: &Mapping, layout: &Layout) -> Watch {
    let cron = args.schedule.as_deref();
    let between = args.every.or_else(|| {
        let rhythm = Rhythm::cron(cron?, mapping.timezone()).ok()?;
        rhythm.length(clock::now())
    });
    let usual = between.map_or(A_DAY, |time| (time * 3).max(LEAST_AGE));
    Watch {
        layout: layout.clone(),
        site: mapping.rules().site.id.clone(),
        began: clock::now(),
        max_age: args.tell.max_age.unwrap_or(usual),
    }
}

impl Watch {
    fn standing(&self) -> Result<(Standing, Health), CliError> {
        let path = self.layout.ledger();
        let standing = if path.exists() {
            let ledger = Ledger::read(&path).map_err(failure)?;
            Standing::read(&ledger, &self.site).map_err(failure)?
        } else {
            Standing {
                site: self.site.clone(),
                ..Standing::default()
            }
        };
        let health = Health::of(&standing, clock::now(), self.began, self.max_age.as_secs());
        Ok((standing, health))
    }

    fn observe(&self) -> Result<Observed, CliError> {
        let (standing, health) = self.standing()?;
        let (archive_files, archive_bytes) = archive_size(&self.layout)?;
        Ok(Observed {
            standing,
            health,
            archive_files,
            archive_bytes,
        })
    }
}

impl Watched for Watch {
    fn metrics(&self) -> Result<String, String> {
        let observed = self.observe().map_err(|e| e.message)?;
        Ok(metrics_text(&[observed]))
    }
    fn health(&self) -> Result<Health, String> {
        self.standing().map(|s| s.1).map_err(|e| e.message)
    }
}

fn write_metrics(path: &Path, watch: &Watch) -> Result<(), String> {
    let text = watch.metrics()?;
    write_atomic(path, text.as_bytes())
        .map(|_| ())
        .map_err(|e| e.to_string())
}

/// Files of the archive and their bytes.
pub(super) fn archive_size(layout: &Layout) -> Result<(u64, u64), CliError> {
    let (mut files, mut bytes) = (0, 0);
    if layout.archive().is_dir() {
        for entry in fs_err::read_dir(layout.archive())? {
            let meta = entry?.metadata()?;
            if meta.is_file() {
                files += 1;
                bytes += meta.len();
            }
        }
    }
    Ok((files, bytes))
}

/// `--listen`: serves metrics and health until the daemon ends.
pub(super) fn listen(
    args: &SyncArgs,
    mapping: &Mapping,
    layout: &Layout,
    runtime: &Runtime,
    cancel: &CancellationToken,
    ui: &Ui,
) -> Result<(), CliError> {
    let Some(address) = args.tell.listen else {
        return Ok(());
    };
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind(address))
        .map_err(|e| {
            CliError::new(
                Exit::Usage,
                "listen::address",
                format!("cannot listen on {address}: {e}"),
            )
            .hint("another process has the port, or the address is not of this machine")
        })?;
    let address = listener.local_addr()?;
    ui.status("Listening", format_args!("http://{address}/metrics and /healthz"));
    let said =
        serde_json::json!({ "schema": "event/1", "type": "listening", "address": address.to_string() });
    ui.event(&said);
    let watched = Arc::new(watch(args, mapping, layout));
    let cancel = cancel.clone();
    runtime.spawn(async move {
        if let Err(error) = serve(listener, watched, cancel).await {
            tracing::warn!("metrics are served no more: {error}");
        }
    });
    Ok(())
}
