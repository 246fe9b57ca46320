//! `sangtrang schedule print MAPPING`: what runs a sync regularly, for systemd and for cron.

use super::error::CliError;
use super::sync_args::{ScheduleArgs, ScheduleUnitsArgs, ScheduleWhat};
use super::target::load_mapping;
use super::{Exit, Outcome, Ui};
use crate::pipeline::write_atomic;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A day, in seconds.
const DAY: u64 = 86_400;

pub(super) fn main(args: &ScheduleArgs, ui: &Ui) -> Outcome {
    let ScheduleWhat::Print(args) = &args.what;
    let mapping = load_mapping(&args.site.mapping)?;
    let units = Units::new(args, &mapping.rules().site.id)?;
    let files = [
        (format!("{}.service", units.name), units.service()),
        (format!("{}.timer", units.name), units.timer()),
    ];
    if let Some(folder) = &args.write {
        for (name, text) in &files {
            write_atomic(&folder.join(name), text.as_bytes())?;
            ui.status("Written", folder.join(name).display());
        }
        ui.hint(format_args!(
            "copy them to /etc/systemd/system, then: `systemctl daemon-reload && systemctl enable --now {}.timer`",
            units.name
        ));
        return Ok(Exit::Ok);
    }
    if ui.json() {
        ui.data(serde_json::json!({
            "schema": "schedule/1", "type": "schedule", "site": mapping.rules().site.id,
            "files": files.iter().map(|(name, text)| serde_json::json!({ "name": name, "text": text })).collect::<Vec<_>>(),
            "cron": units.cron(),
        }));
        return Ok(Exit::Ok);
    }
    for (name, text) in &files {
        ui.data(format_args!("# /etc/systemd/system/{name}\n{text}"));
    }
    match units.cron() {
        Some(line) => ui.data(format_args!("# crontab -e, instead of the above\n{line}")),
        None => ui.data("# cron has no line for this time: take the timer"),
    }
    Ok(Exit::Ok)
}

/// What the units say.
struct Units {
    name: String,
    site: String,
    program: PathBuf,
    arguments: Vec<String>,
    folder: PathBuf,
    output: PathBuf,
    secrets: PathBuf,
    user: Option<String>,
    every: Duration,
}

impl Units {
    fn new(args: &ScheduleUnitsArgs, site: &str) -> Result<Self, CliError> {
        if args.every < Duration::from_secs(60) {
            return Err(CliError::new(
                Exit::Usage,
                "usage::every",
                "`--every` is less than a minute",
            ));
        }
        let folder = std::env::current_dir()?;
        let whole = |path: &Path| -> Result<PathBuf, CliError> { Ok(std::path::absolute(path)?) };
        let output = whole(&args.site.output.output)?;
        let mut arguments = vec![
            "--quiet".to_owned(),
            "sync".to_owned(),
            text(&whole(&args.site.mapping)?)?,
            "--output".to_owned(),
            text(&output)?,
        ];
        if let Some(target) = &args.site.target {
            arguments.extend(["--target".to_owned(), text(&whole(target)?)?]);
        }
        Ok(Self {
            name: format!("sangtrang-{site}"),
            site: site.to_owned(),
            program: std::env::current_exe()?,
            arguments,
            folder,
            output,
            secrets: args.secrets.clone(),
            user: args.user.clone(),
            every: args.every,
        })
    }

    fn service(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "[Unit]\nDescription=sangtrang: {} follows its old portal",
            self.site
        );
        out.push_str("Wants=network-online.target\nAfter=network-online.target\n\n[Service]\nType=oneshot\n");
        if let Some(user) = &self.user {
            let _ = writeln!(out, "User={}", escaped(user));
        }
        let _ = writeln!(
            out,
            "WorkingDirectory={}",
            escaped(&self.folder.display().to_string())
        );
        let _ = writeln!(
            out,
            "EnvironmentFile=-{}",
            escaped(&self.secrets.display().to_string())
        );
        let mut line = vec![quoted(&self.program.display().to_string())];
        line.extend(self.arguments.iter().map(|a| quoted(a)));
        let _ = writeln!(out, "ExecStart={}", line.join(" "));
        // 4: pages or gates failed; 9: a limit was reached. Both are told in the report, and the next sync continues. What a
        // person must look at (6), and a portal or CMS that cannot be reached (7), make the unit fail.
        out.push_str(
            "SuccessExitStatus=4 9\nKillMode=mixed\nTimeoutStartSec=infinity\nTimeoutStopSec=90\nNice=10\n",
        );
        out.push_str("NoNewPrivileges=yes\nPrivateTmp=yes\nProtectSystem=strict\n");
        let _ = writeln!(
            out,
            "ReadWritePaths={}",
            quoted(&self.output.display().to_string())
        );
        out
    }

    fn timer(&self) -> String {
        let seconds = self.every.as_secs();
        let jitter = (seconds / 10).clamp(1, 300);
        format!(
            "[Unit]\nDescription=sangtrang: {} is synced regularly\n\n[Timer]\nOnBootSec=2min\nOnUnitActiveSec={seconds}s\n\
             RandomizedDelaySec={jitter}s\nAccuracySec=1s\nUnit={}.service\n\n[Install]\nWantedBy=timers.target\n",
            self.site, self.name
        )
    }

    /// A line for cron; `None` if the time does not divide hours or a day. Two at once are no harm: the second one ends with 8.
    fn cron(&self) -> Option<String> {
        let seconds = self.every.as_secs();
        let when = match seconds {
            s if !s.is_multiple_of(60) => return None,
            s if s < 3600 && 3600_u64.is_multiple_of(s) => format!("*/{} * * * *", s / 60),
            3600 => "0 * * * *".to_owned(),
            s if s < DAY && s.is_multiple_of(3600) && DAY.is_multiple_of(s) => {
                format!("0 */{} * * *", s / 3600)
            }
            DAY => "0 2 * * *".to_owned(),
            _ => return None,
        };
        let mut words = vec![shell(&self.program.display().to_string())];
        words.extend(self.arguments.iter().map(|a| shell(a)));
        let folder = shell(&self.folder.display().to_string());
        let secrets = shell(&self.secrets.display().to_string());
        // `%` is the end of a line to cron.
        Some(
            format!(
                "{when} cd {folder} && set -a && . {secrets} && {}",
                words.join(" ")
            )
            .replace('%', "\\%"),
        )
    }
}

fn text(path: &Path) -> Result<String, CliError> {
    path.to_str().map(str::to_owned).ok_or_else(|| {
        CliError::new(
            Exit::Usage,
            "usage::path",
            format!("`{}` is no text: units cannot name it", path.display()),
        )
    })
}

/// For systemd: specifiers and variables are not meant.
fn escaped(text: &str) -> String {
    text.replace('%', "%%").replace(['\n', '\r'], "")
}

/// One word of a systemd command line.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:+,@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let text = escaped(text)
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('$', "$$");
    format!("\"{text}\"")
}

/// One word of a shell.
fn shell(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-=:+,@".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
