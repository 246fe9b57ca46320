//! The one place that writes to the terminal. stdout is data, stderr is for people.

use super::error::CliError;
use anstyle::{AnsiColor, Style};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

const SUCCESS: Style = AnsiColor::Green.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Without a terminal a line of progress appears this often.
const PLAIN_INTERVAL: Duration = Duration::from_secs(30);

/// Owns stdout, stderr and the progress bars.
#[derive(Debug)]
pub struct Ui {
    json: bool,
    quiet: bool,
    bars: MultiProgress,
    live: bool,
}

impl Ui {
    /// A desk that prints JSON lines (`json`) and keeps quiet about progress (`quiet`).
    #[must_use]
    pub fn new(json: bool, quiet: bool) -> Self {
        let live = std::io::stderr().is_terminal() && !quiet && std::env::var_os("CI").is_none();
        let target = if live {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            json,
            quiet,
            bars: MultiProgress::with_draw_target(target),
            live,
        }
    }

    /// Whether data goes out as JSON.
    #[must_use]
    pub fn json(&self) -> bool {
        self.json
    }

    /// Writes data to stdout. A reader that closed the pipe early is no failure.
    pub fn data(&self, text: impl Display) {
        self.bars.suspend(|| {
            let _ = writeln!(anstream::stdout(), "{text}");
        });
    }

    /// stdout for many lines at once: whoever writes flushes when it is time to. For data that a program reads.
    pub fn bulk(&self) -> impl Write {
        std::io::BufWriter::with_capacity(1 << 16, std::io::stdout().lock())
    }

    /// Writes one object of a stream of JSON lines to stdout.
    pub fn event(&self, event: &serde_json::Value) {
        if self.json {
            self.data(event);
        }
    }

    /// A status line with a right-aligned verb: `   Captured 812 pages in 3m 10s`.
    pub fn status(&self, verb: &str, text: impl Display) {
        if !self.quiet {
            self.line(format_args!("{SUCCESS}{verb:>12}{SUCCESS:#} {text}"));
        }
    }

    /// Plain text for people.
    pub fn note(&self, text: impl Display) {
        if !self.quiet {
            self.line(text);
        }
    }

    /// Something that wants attention.
    pub fn warning(&self, text: impl Display) {
        self.line(format_args!("{WARNING}warning:{WARNING:#} {text}"));
    }

    /// What to do next.
    pub fn hint(&self, text: impl Display) {
        if !self.quiet {
            self.line(format_args!("{HINT}hint:{HINT:#} {text}"));
        }
    }

    /// The end of a command that failed. With `--json` the last line on stderr is an object.
    pub fn error(&self, error: &CliError) {
        if self.json {
            let object = serde_json::json!({
                "schema": "error/1", "type": "error", "code": error.code, "message": error.message,
                "hint": error.hint, "problems": error.problems, "exit": error.exit as u8,
            });
            self.line(object);
            return;
        }
        match &error.report {
            Some(report) => self.line(report.trim_end()),
            None => self.line(format_args!("{ERROR}error:{ERROR:#} {}", error.message)),
        }
        if let Some(hint) = &error.hint {
            self.line(format_args!("\n{HINT}hint:{HINT:#} {hint}"));
        }
    }

    fn line(&self, text: impl Display) {
        self.bars.suspend(|| {
            let _ = writeln!(anstream::stderr(), "{text}");
        });
    }

    /// A bar (or, without a terminal, a line every 30 s) for work of `total` steps; 0 if nobody knows yet.
    #[must_use]
    pub fn progress(&self, verb: &'static str, total: u64) -> Progress<'_> {
        let style = if total > 0 {
            "{prefix:>12.green.bold} [{bar:30}] {pos}/{len} {msg} eta {eta}"
        } else {
            "{prefix:>12.green.bold} {spinner} {msg} {elapsed}"
        };
        let bar = self.bars.add(if total > 0 {
            ProgressBar::new(total)
        } else {
            ProgressBar::new_spinner()
        });
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_prefix(verb);
        if self.live {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Progress {
            ui: self,
            bar,
            verb,
            last: Mutex::new(Instant::now()),
        }
    }
}

/// Progress of one long piece of work.
#[derive(Debug)]
pub struct Progress<'a> {
    ui: &'a Ui,
    bar: ProgressBar,
    verb: &'static str,
    last: Mutex<Instant>,
}

impl Progress<'_> {
    /// So many steps are done; `text` says more.
    pub fn update(&self, done: u64, text: impl Display) {
        self.bar.set_position(done);
        if self.ui.live {
            self.bar.set_message(text.to_string());
        } else if let Ok(mut last) = self.last.try_lock()
            && last.elapsed() >= PLAIN_INTERVAL
        {
            *last = Instant::now();
            self.ui.status(self.verb, text);
        }
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
