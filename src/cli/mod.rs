//! The front desk: the only room that prints, prompts, colours and exits. One file a command; parsing a command line
//! never does anything.

mod apply;
mod approve;
mod args;
mod changes;
mod check;
mod completions;
mod crawl;
mod daemon;
mod demo;
mod diff;
mod encodings;
mod error;
mod events;
mod example;
mod exit;
mod export;
mod extract;
mod freeze;
mod gc;
mod init;
mod inspect;
mod inspect_content;
mod inspect_encoding;
mod inspect_find;
mod inspect_lines;
mod inspect_render;
mod inspect_robots;
mod inspect_tls;
mod inspect_url;
mod learn;
mod ledger;
mod mapping;
mod move_args;
mod pager;
mod plan;
mod redirects;
mod report;
mod review;
mod rollback;
mod run;
mod schedule;
mod schema;
mod secret;
mod setup;
mod show;
mod show_way;
mod status;
mod switchover;
mod sync;
mod sync_args;
mod sync_summary;
mod sync_told;
mod target;
mod tell_args;
mod telling;
mod test;
mod traces;
mod try_page;
mod ui;
mod verify;
mod watch;

pub use args::Cli;
pub use exit::Exit;

use args::Command;
use clap::Parser;
use error::CliError;
use std::process::ExitCode;
use tracing_subscriber::filter::{EnvFilter, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;
use ui::Ui;

/// What every command answers.
type Outcome = Result<Exit, CliError>;

/// The whole program: reads the command line, runs the command, gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage } else { Exit::Ok }.into();
        }
    };
    let ui = Ui::new(cli.json, cli.quiet);
    let _traces = match start_log(cli.verbose, cli.command.otlp()) {
        Ok(traces) => traces,
        Err(error) => {
            ui.error(&error);
            return error.exit.into();
        }
    };
    if let Err(error) = set_clock() {
        ui.error(&error);
        return error.exit.into();
    }
    match dispatch(&cli, &ui) {
        Ok(exit) => exit.into(),
        Err(error) => {
            ui.error(&error);
            error.exit.into()
        }
    }
}

fn dispatch(cli: &Cli, ui: &Ui) -> Outcome {
    match &cli.command {
        Command::Demo(args) => demo::main(args, ui),
        Command::Init(args) => init::main(args, ui),
        Command::Learn(args) => learn::main(args, ui),
        Command::Run(args) => run::main(args, ui),
        Command::Crawl(args) => crawl::main(args, ui),
        Command::Extract(args) => extract::main(args, ui),
        Command::Try(args) => try_page::main(args, ui),
        Command::Check(args) => check::main(args, ui),
        Command::Test(args) => test::main(args, ui),
        Command::Mapping(args) => mapping::main(args, ui),
        Command::Inspect(args) => inspect::main(args, ui),
        Command::Encodings(args) => encodings::main(args, ui),
        Command::Ledger(args) => ledger::main(args, ui),
        Command::Diff(args) => diff::main(args, ui),
        Command::Plan(args) => plan::main(args, ui),
        Command::Apply(args) => apply::main(args, ui),
        Command::Sync(args) => sync::main(args, ui),
        Command::Schedule(args) => schedule::main(args, ui),
        Command::Freeze(args) => freeze::main(args, ui),
        Command::Switchover(args) => switchover::main(args, ui),
        Command::Report(args) => report::main(args, ui),
        Command::Gc(args) => gc::main(args, ui),
        Command::Approve(args) => approve::main(args, ui),
        Command::Review(args) => review::main(args, ui),
        Command::Verify(args) => verify::main(args, ui),
        Command::Rollback(args) => rollback::main(args, ui),
        Command::Redirects(args) => redirects::main(args, ui),
        Command::Export(args) => export::main(args, ui),
        Command::Target(args) => setup::main(args, ui),
        Command::Status(args) => status::main(args, ui),
        Command::Show(args) => show::main(args, ui),
        Command::Schema(args) => schema::main(args, ui),
        Command::Completions(args) => completions::main(args, ui),
    }
}

/// `SANGTRANG_NOW`: the time at which this process begins, for drills that live weeks in a minute. A ledger remembers which kind
/// of clock wrote it and takes no other.
fn set_clock() -> Result<(), CliError> {
    let Some(said) = std::env::var_os("SANGTRANG_NOW") else {
        return Ok(());
    };
    let now = said.to_str().and_then(|text| text.parse().ok()).ok_or_else(|| {
        CliError::new(
            Exit::Usage,
            "usage::now",
            "`SANGTRANG_NOW` is no time: write `2026-03-01T02:00:00Z`",
        )
    })?;
    crate::ledger::clock::set(now);
    Ok(())
}

/// Logs go to stderr: warnings always, more with `-v`; `SANGTRANG_LOG` overrides (tracing's filter syntax). Traces go to a
/// collector, if one is named.
fn start_log(verbose: u8, otlp: Option<&str>) -> Result<Option<traces::Traces>, CliError> {
    let level = ["warn", "info", "debug", "trace"][usize::from(verbose.min(3))];
    let filter = EnvFilter::try_from_env("SANGTRANG_LOG")
        .unwrap_or_else(|_| EnvFilter::new(format!("sangtrang={level},off")));
    let log = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never)
        .without_time()
        .with_filter(filter);
    let (traces, spans) = match otlp.map(traces::start).transpose()? {
        Some((traces, tracer)) => {
            let ours = filter_fn(|meta| meta.is_span() && meta.target() == traces::TARGET);
            let layer = tracing_opentelemetry::layer()
                .with_tracer(tracer)
                .with_filter(ours);
            (Some(traces), Some(layer))
        }
        None => (None, None),
    };
    tracing_subscriber::registry().with(log).with(spans).init();
    Ok(traces)
}
