//! The command line.

mod author;

pub(super) use author::*;

use crate::deliver::files::Format;
use crate::demo::Skin;
use clap::{Args, Parser, Subcommand};
use ipnet::IpNet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Moves the content of a legacy web portal into a new CMS and proves that nothing was lost on the way.
///
/// stdout is data, stderr is for people. Exit codes: 0 done; 1 unexpected failure; 2 usage; 3 mapping or settings
/// invalid; 4 finished, but pages, gates or entries failed; 5 differences (with --exit-code); 6 held by a guard, or entries on
/// hold; 7 site or target unreachable, try later; 8 another run holds the ledger;
/// 9 a limit was reached, continue with the same command; 130 interrupted, state saved.
#[derive(Debug, Parser)]
#[command(name = "sangtrang", version, propagate_version = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Write JSON to stdout: one object, or JSON lines for what goes on for a while
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// No progress and no summary, only problems
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
    /// Say more: why a URL was not followed, which rung matched (-vv, -vvv: more)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start the bundled sample portal and run the whole job against it
    Demo(DemoArgs),
    /// Look at a site and draft its mapping: what its pages are, and where on them everything stands
    Init(InitArgs),
    /// Learn the templates of a site anew from its archive, and show what differs
    Learn(super::learn::LearnArgs),
    /// Crawl a site, then extract its documents: the whole job
    Run(JobArgs),
    /// Fetch and archive pages and media, without extracting
    Crawl(RunArgs),
    /// Extract documents from the archive, offline
    Extract(ExtractArgs),
    /// Extract one page and show its document and accounting
    Try(TryArgs),
    /// Check mapping files without touching the network
    Check(CheckArgs),
    /// Run the examples of a mapping
    Test(TestArgs),
    /// Compare two mappings by what they make of an archive, or draft one out of another tool's rules
    Mapping(MappingArgs),
    /// Show what a page looks like to the program: encoding, visible lines, images, links
    Inspect(InspectArgs),
    /// What a portal wrote its pages in, and the pages where that is in doubt
    Encodings(EncodingsArgs),
    /// What changed between two runs, two folders, or one of them and the new CMS. Exit code 0: nothing, 1: something, 2: trouble
    Diff(super::diff::DiffArgs),
    /// Say what would be written to the new CMS, and write nothing
    Plan(PlanArgs),
    /// Carry out a plan, exactly
    Apply(ApplyArgs),
    /// Let the new CMS follow the old portal: what changed is crawled, extracted, planned and applied
    Sync(Box<super::sync_args::SyncArgs>),
    /// What runs a sync regularly: units of systemd, a line for cron
    Schedule(super::sync_args::ScheduleArgs),
    /// Follow the old portal a last time, then let nothing be pushed any more
    Freeze(Box<super::move_args::FreezeArgs>),
    /// May the old portal be turned off? A checklist, each line with its reason
    Switchover(super::move_args::SwitchoverArgs),
    /// The record of a move: totals that reconcile, what is held, what was taken off and why
    Report(super::move_args::ReportArgs),
    /// Remove what nothing needs any more: captures, runs, logs
    Gc(super::move_args::GcArgs),
    /// A verdict on documents as they are now, for `apply --only approved`
    Approve(ApproveArgs),
    /// Look at documents beside their old pages in a browser, and sign them off
    Review(super::review::ReviewArgs),
    /// Read everything back from the new CMS and report each loss
    Verify(VerifyArgs),
    /// Take a run back: remove what it made, restore what it changed, list what somebody touched
    Rollback(RollbackArgs),
    /// One decision for each old address: written for servers, and asked of a running one
    Redirects(RedirectsArgs),
    /// Write documents into files: for static sites, importers, spreadsheets, archives
    Export(ExportArgs),
    /// Look whether the new CMS has all that is needed, or prepare it
    Target(TargetArgs),
    /// Counts of a site: pages, documents, media, failures
    Status(StatusArgs),
    /// Make the ledger of the archive alone, or check that the two belong together
    Ledger(LedgerArgs),
    /// The way of one page, by URL or document id
    Show(ShowArgs),
    /// Print a JSON Schema
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// Where outputs go.
#[derive(Clone, Debug, Args)]
pub(super) struct OutputArgs {
    /// Folder of all sites' outputs
    #[arg(long, default_value = "output", env = "SANGTRANG_OUTPUT", value_name = "DIR")]
    pub(super) output: PathBuf,
}

/// How the network is reached.
#[derive(Clone, Debug, Args)]
pub(super) struct NetArgs {
    /// Send traffic for HOST:PORT to HOST2:PORT2 (as curl does); empty HOST or PORT means any
    #[arg(long, value_name = "HOST:PORT:HOST2:PORT2")]
    pub(super) connect_to: Vec<String>,
    /// Ask hosts of this network too, although it is not a public one: 10.0.0.0/8, 127.0.0.1/32; can be repeated
    #[arg(long, value_name = "CIDR")]
    pub(super) allow_net: Vec<IpNet>,
    /// Chromium or Chrome for the mapping's `[[render]]` rules; $SANGTRANG_CHROMIUM or looked for in PATH if absent
    #[arg(long, value_name = "PATH")]
    pub(super) browser: Option<PathBuf>,
}

/// Gates, for CI.
#[derive(Clone, Debug, Default, Args)]
pub(super) struct JUnitArgs {
    /// Write what gates found as JUnit XML: a test suite for each collection, a test case for each gate
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct JobArgs {
    #[command(flatten)]
    pub(super) run: RunArgs,
    #[command(flatten)]
    pub(super) junit: JUnitArgs,
}

#[derive(Debug, Args)]
#[command(args_override_self = true)]
pub(super) struct RunArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    #[command(flatten)]
    pub(super) net: NetArgs,
    /// Stop after so many fetches; the same command continues
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Stop after this time (30s, 15m, 2h); the same command continues
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) max_time: Option<Duration>,
    /// Delay between two requests at one host, instead of the mapping's
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) delay: Option<Duration>,
    /// Requests in flight at one host, instead of the mapping's
    #[arg(long, value_name = "N")]
    pub(super) concurrency: Option<usize>,
    /// Ask again for pages that were fetched before (conditional GET)
    #[arg(long)]
    pub(super) refresh: bool,
    /// Read the live site, whatever other sources the mapping names
    #[arg(long)]
    pub(super) live: bool,
    /// Threads that extract; all cores if absent
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<usize>,
}

#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Only serve the portal at this address, until Ctrl-C
    #[arg(long, value_name = "ADDR")]
    pub(super) serve: Option<SocketAddr>,
    /// Behind TLS 1.0 and a certificate of its own making, as old servers are; in builds with `legacy-tls`
    #[cfg(feature = "legacy-tls")]
    #[arg(long, requires = "serve")]
    pub(super) tls1: bool,
    /// Serve it dressed as another portal: table2004, frontpage, dotnetnuke, sharepoint, liferay, nukeviet, fitc,
    /// wordpaste, joomla, phpnuke, wordpress, modern
    #[arg(long, requires = "serve", value_name = "NAME")]
    pub(super) skin: Option<Skin>,
    /// Serve two months of its life instead, a day at a time: `curl -X POST ADDR/dong-ho?day=N` lets it be another day, from this
    /// machine only
    #[arg(long, requires = "serve", conflicts_with = "skin")]
    pub(super) life: bool,
    /// Day of its life that it begins with
    #[arg(long, requires = "life", default_value_t = 0, value_name = "N")]
    pub(super) day: u32,
    /// How many articles the portal has
    #[arg(long, default_value_t = 120, value_name = "N")]
    pub(super) articles: usize,
    /// Seed of everything that the portal makes up
    #[arg(long, default_value_t = 1, value_name = "S")]
    pub(super) seed: u64,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ExtractArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Threads; all cores if absent
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<usize>,
    #[command(flatten)]
    pub(super) junit: JUnitArgs,
    /// What this extraction gives is right: later ones are measured against it (gates `fill-rate`, `length-drift`). A whole
    /// `apply` accepts what it delivers by itself
    #[arg(long)]
    pub(super) accept: bool,
}

#[derive(Debug, Args)]
pub(super) struct EncodingsArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    /// Pages in doubt that are shown
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(super) limit: usize,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct LedgerArgs {
    #[command(subcommand)]
    pub(super) what: Ledger,
}

#[derive(Debug, Subcommand)]
pub(super) enum Ledger {
    /// Make a new ledger from the archive alone: nothing is asked of the site
    Rebuild(LedgerRebuildArgs),
    /// Read every capture again and compare it with the ledger
    Check(LedgerCheckArgs),
}

#[derive(Debug, Args)]
pub(super) struct LedgerRebuildArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Replace the ledger that is there; it is kept beside the new one
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct LedgerCheckArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

/// Where documents are delivered to.
#[derive(Clone, Debug, Args)]
pub(super) struct SiteArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    /// A file with a `[target]` table, instead of the mapping's own: a staging CMS
    #[arg(long, value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// Where the plan is written; plan.json in the site's output folder if absent
    #[arg(long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Answer 5 if there is anything to do
    #[arg(long)]
    pub(super) exit_code: bool,
    #[command(flatten)]
    pub(super) edits: super::sync_args::EditArgs,
}

#[derive(Debug, Args)]
pub(super) struct ApplyArgs {
    /// The plan, as `plan` wrote it
    pub(super) plan: PathBuf,
    /// The site's mapping file; the one that the plan names if absent
    #[arg(long, value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,
    /// A file with a `[target]` table; the one that the plan names if absent
    #[arg(long, value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
    /// Only documents whose key, collection/key or slug matches, or `approved`: those with a verdict; can be repeated
    #[arg(long, value_name = "GLOB|approved")]
    pub(super) only: Vec<String>,
    /// Carry out so many changes at most
    #[arg(long, value_name = "N")]
    pub(super) limit: Option<u64>,
    /// Stop after this time; the same command continues
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(super) max_time: Option<Duration>,
    /// Do not read back what was written
    #[arg(long)]
    pub(super) no_verify: bool,
    /// Only say what would be done
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct ApproveArgs {
    /// The site's mapping file
    pub(super) mapping: PathBuf,
    /// Documents whose key or collection/key matches
    #[arg(required = true, value_name = "GLOB")]
    pub(super) globs: Vec<String>,
    /// They must not be delivered
    #[arg(long)]
    pub(super) reject: bool,
    /// Why
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(super) note: String,
    /// Whose verdict it is
    #[arg(long = "as", default_value = "", value_name = "NAME")]
    pub(super) who: String,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct VerifyArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
}

#[derive(Debug, Args)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// Id of the run, its beginning, or `last`
    #[arg(long, value_name = "RUN", default_value = "last")]
    pub(super) run: String,
    /// Only say what would be done
    #[arg(short = 'n', long)]
    pub(super) dry_run: bool,
}

#[derive(Debug, Args)]
pub(super) struct RedirectsArgs {
    #[command(subcommand)]
    pub(super) what: RedirectsCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum RedirectsCommand {
    /// Write the redirect ledger and what servers read: nginx, Apache, IIS, Caddy, Netlify, CSV
    Write(RedirectsWriteArgs),
    /// Ask a running server for each old address
    Verify(RedirectsVerifyArgs),
}

#[derive(Debug, Args)]
pub(super) struct RedirectsWriteArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// An access log of the old portal: which addresses are asked for; can be repeated
    #[arg(long, value_name = "FILE")]
    pub(super) log: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct RedirectsVerifyArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// Where old addresses are answered now; the target's address if absent
    #[arg(long, value_name = "URL")]
    pub(super) at: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// The site's mapping file
    #[arg(required_unless_present = "check")]
    pub(super) mapping: Option<PathBuf>,
    /// What is written
    #[arg(long, value_enum, value_name = "FORMAT", required_unless_present = "check")]
    pub(super) format: Option<Format>,
    /// Where; export/FORMAT in the site's output folder if absent
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// A file with a `[target]` table, whose rules for entries count instead of the mapping's
    #[arg(long, value_name = "FILE")]
    pub(super) target: Option<PathBuf>,
    /// Only documents whose key, collection/key or id matches, or `approved`: those with a verdict; can be repeated
    #[arg(long, value_name = "GLOB|approved")]
    pub(super) only: Vec<String>,
    /// Address of the new site, for redirects and links
    #[arg(long, value_name = "URL")]
    pub(super) base_url: Option<String>,
    /// wxr: where the export's folder `media` will be served, for the importer to fetch files from
    #[arg(long, value_name = "URL")]
    pub(super) media_url: Option<String>,
    /// Read every file of an export again instead: is it whole, and as it was written?
    #[arg(long, value_name = "DIR", conflicts_with_all = ["mapping", "format", "out", "target", "only", "base_url", "media_url"])]
    pub(super) check: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct TargetArgs {
    #[command(subcommand)]
    pub(super) what: TargetCommand,
}

#[derive(Debug, Subcommand)]
pub(super) enum TargetCommand {
    /// Look whether everything is there: access, types, fields, users, limits; writes nothing
    Check(VerifyArgs),
    /// Make what is missing: collections and fields (Directus); the companion plugin (WordPress)
    Setup(SetupArgs),
}

#[derive(Debug, Args)]
pub(super) struct SetupArgs {
    #[command(flatten)]
    pub(super) site: SiteArgs,
    /// WordPress: folder wp-content/mu-plugins; without it the plugin is printed
    #[arg(long, value_name = "DIR")]
    pub(super) mu_plugins: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    /// Site ids or mapping files; every site below the output folder if absent
    pub(super) sites: Vec<String>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct ShowArgs {
    /// A URL as any page spells it, or a document id
    pub(super) what: String,
    /// The site's mapping file; tried one after the other below mappings/ if absent
    #[arg(long, value_name = "MAPPING")]
    pub(super) mapping: Option<PathBuf>,
    #[command(flatten)]
    pub(super) output: OutputArgs,
}

#[derive(Debug, Args)]
pub(super) struct CompletionsArgs {
    /// Which shell
    pub(super) shell: clap_complete::Shell,
}

pub(super) fn parse_time(text: &str) -> Result<Duration, String> {
    crate::mapping::parse_span(text)
}
