//! What is wrong with a mapping: all problems at once, each with a code, its place and what to do.

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

/// Why there is no mapping.
#[derive(Debug, thiserror::Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("cannot read mapping `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file is no mapping because of its size.
    #[error("mapping `{}` has {bytes} bytes; a mapping has at most {limit}", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        limit: u64,
    },
    /// The text has problems.
    #[error("mapping `{name}` has {}", count(problems.len()))]
    Invalid {
        /// The file, as the user called it.
        name: String,
        /// In the order of the text; at least one.
        problems: Vec<Problem>,
    },
}

fn count(n: usize) -> String {
    if n == 1 {
        "1 problem".into()
    } else {
        format!("{n} problems")
    }
}

impl MappingError {
    /// The problems of the text, in its order; empty if the file could not be read.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid { problems, .. } => problems,
            _ => &[],
        }
    }
}

impl Diagnostic for MappingError {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(match self {
            Self::Io { .. } => "mapping::io",
            Self::TooLarge { .. } => "mapping::too_large",
            Self::Invalid { .. } => "mapping::invalid",
        }))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        match self {
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::NotFound => Some(Box::new(
                "give the path of a mapping file; the ones that come with the program are in `mappings/`",
            )),
            Self::Io { source, .. } if source.kind() == std::io::ErrorKind::InvalidData => {
                Some(Box::new("save the file as UTF-8"))
            }
            Self::Io { .. } => Some(Box::new("check that it is a file which you may read")),
            Self::TooLarge { .. } => Some(Box::new("is this the right file?")),
            Self::Invalid { .. } => None,
        }
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            Self::Invalid { problems, .. } => Some(Box::new(problems.iter().map(|p| p as &dyn Diagnostic))),
            _ => None,
        }
    }
}

/// One mistake in the text of a mapping.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Stable name of its class, for example `mapping::unknown_key`.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Line in the file, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// What to do, if there is something to propose.
    pub help: Option<String>,
    /// Place in the text, in bytes.
    pub span: Range<usize>,
    /// What stands at the caret.
    pub label: String,
    /// The text, shared by all problems of a file.
    pub(super) source_text: Arc<NamedSource<Arc<str>>>,
}

impl Diagnostic for Problem {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|h| Box::new(h) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&*self.source_text)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = LabeledSpan::new_with_span(Some(self.label.clone()), self.span.clone());
        Some(Box::new(std::iter::once(span)))
    }
}

/// Most problems that are told of one file; nobody reads more.
const MAX_PROBLEMS: usize = 500;

/// Code of mistakes of syntax.
const SYNTAX: &str = "mapping::syntax";

/// Most problems behind the first mistake of syntax that are told beside it.
const ECHO: usize = 8;

/// Collects the problems of one text.
pub(super) struct Problems {
    text: Arc<str>,
    source_text: Arc<NamedSource<Arc<str>>>,
    name: String,
    found: Vec<Problem>,
}

impl Problems {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let text: Arc<str> = text.into();
        let source_text = Arc::new(NamedSource::new(name, Arc::clone(&text)).with_language("TOML"));
        Self {
            text,
            source_text,
            name: name.to_owned(),
            found: Vec::new(),
        }
    }

    /// Adds a problem; `label` stands at the caret.
    pub(super) fn add(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        if self.found.len() >= MAX_PROBLEMS {
            return;
        }
        let span = self.inside(span);
        let before = &self.text[..span.start];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        self.found.push(Problem {
            code,
            message: message.into(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            help,
            span,
            label: label.into(),
            source_text: Arc::clone(&self.source_text),
        });
    }

    /// Adds what is not TOML.
    pub(super) fn add_syntax(&mut self, errors: &[toml::de::Error]) {
        for error in errors {
            let message = format!("not TOML: {}", error.message());
            self.add(SYNTAX, error.span().unwrap_or(0..0), message, "here", None);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Behind a bracket or quote that is not closed, all that follows is read wrong: of many problems from the first
    /// mistake of syntax on, that one alone is told.
    pub(super) fn without_echo(&mut self) {
        self.found.sort_by_key(|p| (p.span.start, p.span.end));
        let Some(first) = self.found.iter().position(|p| p.code == SYNTAX) else {
            return;
        };
        let echo = self.found.len() - first - 1;
        if echo > ECHO {
            self.found.truncate(first + 1);
            if let Some(last) = self.found.last_mut() {
                last.help = Some(format!(
                    "close what is open here or above, a bracket or a quote: the {echo} problems behind this place may be its echo"
                ));
            }
        }
    }

    /// The error of all problems; for a caller that has found one.
    pub(super) fn into_error(mut self) -> MappingError {
        self.found.sort_by_key(|p| (p.span.start, p.span.end));
        self.found
            .dedup_by(|a, b| a.span == b.span && a.code == b.code && a.message == b.message);
        MappingError::Invalid {
            name: self.name,
            problems: self.found,
        }
    }

    /// A span that a slice of the text may have.
    fn inside(&self, span: Range<usize>) -> Range<usize> {
        let floor = |mut i: usize| {
            i = i.min(self.text.len());
            while !self.text.is_char_boundary(i) {
                i -= 1;
            }
            i
        };
        let start = floor(span.start);
        start..floor(span.end).max(start)
    }
}
