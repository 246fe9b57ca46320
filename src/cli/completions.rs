//! `sangtrang completions SHELL`

use super::args::{Cli, CompletionsArgs};
use super::{Exit, Outcome, Ui};
use clap::CommandFactory;

pub(super) fn main(args: &CompletionsArgs, ui: &Ui) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "sangtrang", &mut script);
    ui.data(String::from_utf8_lossy(&script).trim_end());
    Ok(Exit::Ok)
}
