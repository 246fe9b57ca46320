//! The command line of those who write mappings: draft, look, try, check, test, compare.

use super::{NetArgs, OutputArgs, parse_time};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use std::time::Duration;

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// Address of the site, a folder with saved pages, or a WARC file
    #[arg(value_name = "URL|FOLDER|WARC")]
    pub(in crate::cli) target: String,
    /// Id of the site; from its host if absent
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) id: Option<String>,
    /// Base URL of saved pages that do not say it themselves
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// Language of the content
    #[arg(long, default_value = "vi", value_name = "TAG")]
    pub(in crate::cli) language: String,
    /// Pages to look at, at most
    #[arg(long, default_value_t = 60, value_name = "N", value_parser = clap::value_parser!(u16).range(4..=500))]
    pub(in crate::cli) pages: u16,
    /// Folder in which the mapping, its examples and their captures are written
    #[arg(long, default_value = "mappings", value_name = "DIR")]
    pub(in crate::cli) mappings: PathBuf,
    /// Write over a mapping that is there already
    #[arg(long)]
    pub(in crate::cli) force: bool,
    /// Delay between two requests
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(in crate::cli) delay: Option<Duration>,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) net: NetArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TryArgs {
    /// The site's mapping file
    pub(in crate::cli) mapping: PathBuf,
    /// A URL of the site, or a saved page
    pub(in crate::cli) target: String,
    /// URL that a saved page stands for
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// Show the rungs tried for this field
    #[arg(long, value_name = "FIELD")]
    pub(in crate::cli) explain: Option<String>,
    /// Try again whenever the mapping (or the saved page) is saved, and show what changed; Ctrl-C ends
    #[arg(long)]
    pub(in crate::cli) watch: bool,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
    #[command(flatten)]
    pub(in crate::cli) net: NetArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct CheckArgs {
    /// Mapping files
    #[arg(required = true)]
    pub(in crate::cli) mappings: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct TestArgs {
    /// Mapping files
    #[arg(required = true)]
    pub(in crate::cli) mappings: Vec<PathBuf>,
    /// Write down what the mapping gives now as what the examples expect
    #[arg(long)]
    pub(in crate::cli) accept: bool,
    /// With --accept: only show what would be written
    #[arg(short = 'n', long, requires = "accept")]
    pub(in crate::cli) dry_run: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MappingArgs {
    #[command(subcommand)]
    pub(in crate::cli) what: MappingCommand,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum MappingCommand {
    /// Extract the archived pages by both mappings, offline, and say which documents change, and how
    Diff(MappingDiffArgs),
    /// Draft a mapping out of a site configuration of Full-Text RSS (FiveFilters, wallabag, Graby)
    Import(MappingImportArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MappingImportArgs {
    /// The configuration: example.org.txt
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// Where the draft is written; it is printed if absent
    #[arg(short, long, value_name = "FILE")]
    pub(in crate::cli) out: Option<PathBuf>,
    /// Write over a file that is there already
    #[arg(long, requires = "out")]
    pub(in crate::cli) force: bool,
    /// Id of the site; from its host if absent
    #[arg(long, value_name = "ID")]
    pub(in crate::cli) id: Option<String>,
    /// Base URL of the site; that of the first `test_url` if absent, else the host that names the file
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) url: Option<String>,
    /// Language of the content
    #[arg(long, default_value = "vi", value_name = "TAG")]
    pub(in crate::cli) language: String,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct MappingDiffArgs {
    /// The mapping as it is
    #[arg(value_name = "OLD")]
    pub(in crate::cli) old: PathBuf,
    /// The mapping as it would be
    #[arg(value_name = "NEW")]
    pub(in crate::cli) new: PathBuf,
    /// Documents that are shown; all are counted
    #[arg(long, value_name = "N")]
    pub(in crate::cli) limit: Option<u64>,
    /// Answer 5 if there is a difference
    #[arg(long)]
    pub(in crate::cli) exit_code: bool,
    /// Threads; all cores if absent
    #[arg(long, value_name = "N")]
    pub(in crate::cli) jobs: Option<usize>,
    #[command(flatten)]
    pub(in crate::cli) output: OutputArgs,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(in crate::cli) struct InspectArgs {
    #[command(subcommand)]
    pub(in crate::cli) what: Option<Inspect>,
    /// Saved pages
    #[arg(required_unless_present_any = ["render", "find"], value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// Propose rules that find this text on all of the pages (without pages: on those of the mapping's examples); can be
    /// repeated, where pages say different things
    #[arg(long, value_name = "TEXT")]
    pub(in crate::cli) find: Vec<String>,
    /// A page of the live site in a browser instead: the same as `inspect render URL`
    #[arg(long, value_name = "URL", conflicts_with_all = ["files", "find"])]
    pub(in crate::cli) render: Option<String>,
    /// Mapping whose rules for encodings and URLs apply
    #[arg(long, value_name = "MAPPING")]
    pub(in crate::cli) mapping: Option<PathBuf>,
    /// URL that the page stands for
    #[arg(long, default_value = "http://localhost/", value_name = "URL")]
    pub(in crate::cli) url: String,
    #[command(flatten)]
    pub(in crate::cli) net: NetArgs,
}

/// One aspect instead of the whole page.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Inspect {
    /// The content of saved pages without a mapping: title, date, author, text, and why each block was kept or dropped
    Content(InspectContentArgs),
    /// How any file is read: HTML block by block, other text line by line; and the text
    Encoding(InspectEncodingArgs),
    /// What a page asks for when a browser shows it, and which endpoint could be mapped instead
    Render(InspectRenderArgs),
    /// What a robots.txt says of URLs, and which of its lines says so (RFC 9309)
    Robots(InspectRobotsArgs),
    /// Which TLS a server speaks, its certificate, and what to write into the mapping
    Tls(InspectTlsArgs),
    /// What a mapping makes of URLs, step by step: canonical form and natural key
    Url(InspectUrlArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectContentArgs {
    /// Saved pages; `-` reads their names from standard input, a line each, with the URL behind a tab if it is known
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
    /// URL that a page stands for, where no line says another
    #[arg(long, default_value = "http://localhost/", value_name = "URL")]
    pub(in crate::cli) url: String,
    /// Say of every block why it was kept or dropped
    #[arg(long)]
    pub(in crate::cli) explain: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectRobotsArgs {
    /// A saved robots.txt; `-` is standard input. Without it and with --json, lines {"robots", "agent", "url"} are read from standard input
    #[arg(long, value_name = "FILE", requires = "urls")]
    pub(in crate::cli) file: Option<PathBuf>,
    /// Who asks: a product token or a whole User-Agent
    #[arg(long, default_value = "sangtrang", value_name = "AGENT")]
    pub(in crate::cli) agent: String,
    /// URLs that are asked for
    #[arg(value_name = "URL", requires = "file")]
    pub(in crate::cli) urls: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectRenderArgs {
    /// The page
    #[arg(value_name = "URL")]
    pub(in crate::cli) url: String,
    /// Mapping whose rules apply (`[[render]]`, sessions, limits)
    #[arg(long, value_name = "MAPPING")]
    pub(in crate::cli) mapping: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) net: NetArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectTlsArgs {
    /// HOST, HOST:PORT or a URL
    #[arg(value_name = "SERVER")]
    pub(in crate::cli) server: String,
    #[command(flatten)]
    pub(in crate::cli) net: NetArgs,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectUrlArgs {
    /// Mapping whose rules apply; without one only those that hold for every site
    #[arg(long, value_name = "MAPPING")]
    pub(in crate::cli) mapping: Option<PathBuf>,
    /// What relative URLs are resolved against; the mapping's base if absent
    #[arg(long, value_name = "URL")]
    pub(in crate::cli) base: Option<String>,
    /// URLs; with --json and none of them, lines {"url", "base"?} are read from standard input
    #[arg(value_name = "URL")]
    pub(in crate::cli) urls: Vec<String>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct InspectEncodingArgs {
    /// Files; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    pub(in crate::cli) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SchemaArgs {
    /// Which one
    pub(in crate::cli) which: SchemaName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum SchemaName {
    /// Documents, as they are written
    Document,
    /// Mapping files, for editors
    Mapping,
    /// Lines of `mapping diff --json`
    MappingDiff,
    /// The lines of `diff --json`
    Diff,
    /// What `report` writes as report.json
    Report,
}
