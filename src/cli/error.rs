//! Errors at the desk: code, message, what to do next, exit code.

use super::exit::Exit;
use serde::Serialize;

/// A failure as the user sees it.
#[derive(Debug)]
pub struct CliError {
    /// Stable code: `mapping::unknown_key`, `net::unreachable`, …
    pub code: String,
    /// What happened, and where.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// A longer rendering with source lines and carets.
    pub report: Option<String>,
    /// Every single problem, for `--json`.
    pub problems: Vec<Problem>,
    /// Exit code.
    pub exit: Exit,
}

/// One problem of a file.
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    /// Stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What to write instead.
    pub help: Option<String>,
}

impl CliError {
    /// A failure with a code, a message and an exit code.
    pub fn new(exit: Exit, code: &str, message: impl ToString) -> Self {
        Self {
            code: code.to_owned(),
            message: message.to_string(),
            hint: None,
            report: None,
            problems: Vec::new(),
            exit,
        }
    }

    /// A file that the command line names and that cannot be read.
    pub fn unread(file: &std::path::Path, error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            let text = format!("there is no file `{}`", file.display());
            return Self::new(Exit::Usage, "usage::file", text);
        }
        error.into()
    }

    /// Adds what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl ToString) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// A failure of the file system that names its path (`fs-err` puts it into the message).
impl From<std::io::Error> for CliError {
    fn from(error: std::io::Error) -> Self {
        let full = error.kind() == std::io::ErrorKind::StorageFull;
        let failure = Self::new(Exit::Failure, if full { "io::full" } else { "io" }, error);
        if full {
            failure.hint("free some space and run the same command again: nothing committed is lost")
        } else {
            failure
        }
    }
}
