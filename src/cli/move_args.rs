//! The command line of the end of a move, and of keeping house.

use super::args::{OutputArgs, SiteArgs};
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(super) struct FreezeArgs {
    #[command(flatten)]
    pub(super) sync: super::sync_args::SyncArgs,
    /// Freeze although changes or holds are left: they stay as they are
    #[arg(long)]
    pub(super) accept: bool,
    /// Follow the old portal again
    #[arg(long, conflicts_with = "accept")]
    pub(super) lift: bool,
    /// Why; it stands in the record
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(super) note: String,
}

#[derive(Debug, Args)]
pub(super) struct SwitchoverArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// Where old addresses are asked for: the new server, before the name leads there; the CMS if absent
    #[arg(long, value_name = "URL")]
    pub(super) at: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ReportArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// Where it is written; record.md in the site's output folder if absent, `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) junit: super::args::JUnitArgs,
}

#[derive(Debug, Args)]
pub(super) struct GcArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Only say what would be removed
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
}
