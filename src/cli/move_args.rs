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
    /// Where the record is written; record.md in the site's output folder if absent. `-` is standard output, and then nothing
    /// else is written
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) junit: super::args::JUnitArgs,
    /// Where the report and its tables are written; report/ in the site's output folder if absent
    #[arg(long, value_name = "DIR")]
    pub(super) folder: Option<PathBuf>,
    /// Language of the report; that of the site if absent
    #[arg(long, value_enum)]
    pub(super) lang: Option<Lang>,
    /// An access log of the old portal (Apache, nginx or IIS): what people ask for and has no document; may be given again
    #[arg(long, value_name = "FILE")]
    pub(super) access_log: Vec<PathBuf>,
    /// Chooses the documents to read, and the pages to show
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(super) seed: u64,
    /// Documents to read of each template, warning and kind of guess
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    pub(super) sample: usize,
    /// Show so many pages and their documents in Chromium, and tell which words of the pages the documents do not show
    #[arg(long, value_name = "PAGES", num_args = 0..=1, default_missing_value = "30")]
    pub(super) fidelity: Option<usize>,
    /// Compare with the pages of the CMS, where they answer
    #[arg(long, requires = "fidelity")]
    pub(super) cms: bool,
    /// Chromium; looked for in the usual places if absent
    #[arg(long, value_name = "PATH", requires = "fidelity")]
    pub(super) browser: Option<PathBuf>,
}

/// A language of reports.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
pub(super) enum Lang {
    /// Vietnamese
    Vi,
    /// English
    En,
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
