//! Long answers on a terminal go through `$PAGER`, as git's do; everywhere else they are written as they are.

use super::Ui;
use std::io::{IsTerminal as _, Write};
use std::process::{Child, Command, Stdio};

/// Where lines go.
pub(super) struct Pager {
    child: Option<Child>,
    out: Box<dyn Write>,
}

impl Pager {
    /// A pager, if stdout is a terminal and people read it; `wanted`: they did not say no. `PAGER=cat` and an empty one are none.
    pub(super) fn start(ui: &Ui, wanted: bool) -> Self {
        let plain = || Self {
            child: None,
            out: Box::new(anstream::stdout()),
        };
        if !wanted || ui.json() || !std::io::stdout().is_terminal() {
            return plain();
        }
        let pager = std::env::var("PAGER").unwrap_or_else(|_| "less".into());
        if pager.is_empty() || pager == "cat" {
            return plain();
        }
        let mut command = Command::new("sh");
        command.arg("-c").arg(&pager).stdin(Stdio::piped());
        // Quit if it fits on one screen, show colours, leave the text on the screen.
        if std::env::var_os("LESS").is_none() {
            command.env("LESS", "FRX");
        }
        let Ok(mut child) = command.spawn() else {
            return plain();
        };
        let Some(stdin) = child.stdin.take() else {
            return plain();
        };
        let colour = anstream::AutoStream::choice(&std::io::stdout());
        Self {
            child: Some(child),
            out: Box::new(anstream::AutoStream::new(
                Box::new(stdin) as Box<dyn Write>,
                colour,
            )),
        }
    }

    /// Writes a line; `false` when nobody reads any more, which is no failure.
    pub(super) fn line(&mut self, line: impl std::fmt::Display) -> bool {
        writeln!(self.out, "{line}").is_ok()
    }
}

impl Drop for Pager {
    fn drop(&mut self) {
        let _ = self.out.flush();
        // The pager ends when its input does; whoever started it waits until people have read.
        self.out = Box::new(std::io::sink());
        if let Some(child) = &mut self.child {
            let _ = child.wait();
        }
    }
}
