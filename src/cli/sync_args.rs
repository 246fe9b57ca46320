//! The command line of `sync` and `schedule`.

use super::args::{NetArgs, SiteArgs, parse_time};
use crate::mapping::model::Drift;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct SyncArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    #[command(flatten)]
    pub(super) net: NetArgs,
    /// Delay between two requests at one host, instead of the mapping's
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) delay: Option<Duration>,
    /// Requests in flight at one host, instead of the mapping's
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<usize>,
    /// Crawl for so long at most; the next sync continues
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) max_time: Option<Duration>,
    /// Threads that extract; all cores if absent
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<usize>,
    /// Ask for every page and walk every list to its end, whatever is due
    #[arg(long)]
    pub(super) full: bool,
    /// Deliver what a changed mapping changes, however much it is
    #[arg(long)]
    pub(super) accept_mapping: bool,
    /// Lists that name far fewer items than they did are right: that is their size from now on
    #[arg(long)]
    pub(super) accept_lists: bool,
    #[command(flatten)]
    pub(super) edits: EditArgs,
    /// Do not read back what was written
    #[arg(long)]
    pub(super) no_verify: bool,
    /// Write nothing to the CMS: end with the plan
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
    /// Stay, and sync so often: 15m, 6h
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "schedule")]
    pub(super) every: Option<Duration>,
    /// Stay, and sync when this says, in the site's time zone: "15 2 * * *", "*/20 7-18 * * mon-fri"
    #[arg(long, value_name = "CRON")]
    pub(super) schedule: Option<String>,
    /// Begin up to so much later, so that many sites do not begin together; a tenth of the time between two if absent, at most
    /// 5m
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) jitter: Option<Duration>,
    /// Skip what was missed while the last sync still ran or the machine slept, instead of making up for it once
    #[arg(long)]
    pub(super) no_catch_up: bool,
    #[command(flatten)]
    pub(super) junit: super::args::JUnitArgs,
    #[command(flatten)]
    pub(super) tell: super::tell_args::TellArgs,
}

/// What editors' changes in the CMS mean. A glob is a document's key (`news:4*`), collection/key or slug.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct EditArgs {
    /// What editors changed stays, and the old portal's changes are not sent any more; remembered
    #[arg(long, value_name = "GLOB")]
    pub(super) theirs: Vec<String>,
    /// What editors changed is overwritten by the old portal's version, this once
    #[arg(long, value_name = "GLOB")]
    pub(super) ours: Vec<String>,
    /// Fields that editors changed are theirs, the others follow the old portal; remembered
    #[arg(long, value_name = "GLOB")]
    pub(super) field_merge: Vec<String>,
    /// Forget what was remembered: an editor's change is held and shown again
    #[arg(long, value_name = "GLOB")]
    pub(super) hold: Vec<String>,
}

impl EditArgs {
    /// Globs and what they mean, the strongest last.
    pub(super) fn decisions(&self) -> Vec<(String, Drift)> {
        let all = [
            (&self.hold, Drift::Hold),
            (&self.theirs, Drift::Theirs),
            (&self.field_merge, Drift::FieldMerge),
            (&self.ours, Drift::Ours),
        ];
        all.into_iter()
            .flat_map(|(globs, how)| globs.iter().map(move |glob| (glob.clone(), how)))
            .collect()
    }
}

#[derive(Debug, Args)]
pub(super) struct ScheduleArgs {
    #[command(subcommand)]
    pub(super) what: ScheduleWhat,
}

#[derive(Debug, Subcommand)]
pub(super) enum ScheduleWhat {
    /// Print a systemd service, its timer, and a line for cron
    Print(ScheduleUnitsArgs),
}

#[derive(Debug, Args)]
pub(super) struct ScheduleUnitsArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// How often
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = parse_time)]
    pub(super) every: Duration,
    /// Write the units into this folder, instead of printing them
    #[arg(long, value_name = "DIR")]
    pub(super) write: Option<PathBuf>,
    /// User that the service runs as
    #[arg(long, value_name = "USER")]
    pub(super) user: Option<String>,
    /// File with the secrets of the CMS: `NAME=value`, a line each, readable by root only
    #[arg(long, value_name = "FILE", default_value = "/etc/sangtrang/secrets")]
    pub(super) secrets: PathBuf,
}
