//! The semantic model of an article: what its author meant, before a portal made a mess of it.

use super::legacy::{Hand, Legacy};
use super::render::escape;
use super::urls::Spelling;
use crate::document::{Align, Citation, MarkKind, Span};
use jiff::civil::{Date, DateTime};

/// One article.
#[derive(Clone, Debug)]
pub(super) struct Article {
    pub index: usize,
    pub title: String,
    pub published: DateTime,
    pub stamp: Stamp,
    /// Printed between title and body.
    pub summary: Option<String>,
    /// Nobody sees it: `<meta name="description">`.
    pub description: Option<String>,
    /// Printed in the list.
    pub teaser: Option<String>,
    /// Date of the event, and how the lead prints it.
    pub event: Option<(Date, String)>,
    pub body: Vec<Node>,
    pub citations: Vec<Citation>,
    pub skin: Skin,
    pub charset: Charset,
    /// Articles of the list "TIN TỨC CÙNG LOẠI KHÁC:".
    pub related: Vec<usize>,
}

/// What the page prints of the publication date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    /// `(14/07/2023 15:30)`
    Minute,
    /// `(14/07/2023)`
    Day,
    /// Nothing: only the list knows it.
    ListOnly,
}

/// The tool with which the editor wrote the HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skin {
    /// Pasted from Word: `MsoNormal`, `o:p`, nested fonts.
    Word,
    /// Clean paragraphs.
    Clean,
    /// Text with two `<br>` between paragraphs.
    Breaks,
    /// A table with one row a paragraph; tags in upper case, unquoted, unclosed.
    Layout,
}

/// How the page's text becomes bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Charset {
    /// UTF-8, composed; HTTP says so.
    Utf8,
    /// UTF-8, decomposed; HTTP says so.
    Utf8Nfd,
    /// windows-1258; only `meta` says so.
    Windows1258,
    /// Not Unicode, or damaged; only `meta` says anything.
    Legacy(Legacy),
}

impl Charset {
    pub(super) fn legacy(self) -> Option<Legacy> {
        match self {
            Self::Legacy(legacy) => Some(legacy),
            Self::Utf8 | Self::Utf8Nfd | Self::Windows1258 => None,
        }
    }

    /// How the block with a number is written.
    pub(super) fn hand(self, block: usize) -> Hand {
        self.legacy().map_or(Hand::Unicode, |legacy| legacy.hand(block))
    }

    /// Text of the page's frame as HTML.
    pub(super) fn framed(self, text: &str) -> String {
        self.legacy()
            .map_or_else(|| escape(text), |legacy| legacy.framed(text))
    }

    /// Text of an attribute or of the page's title as HTML.
    pub(super) fn bare(self, text: &str) -> String {
        self.legacy()
            .map_or_else(|| escape(text), |legacy| legacy.bare(text))
    }

    /// What the author of such a page wrote instead of a text.
    pub(super) fn writable(self, text: &str) -> String {
        self.legacy()
            .map_or_else(|| text.to_owned(), |legacy| legacy.writable(text))
    }
}

/// A stretch of text with the same marks.
#[derive(Clone, Debug, Default)]
pub(super) struct Run {
    /// NFC; `\n` is a line break.
    pub text: String,
    pub mark: Option<MarkKind>,
    pub link: Option<Href>,
}

/// Where a link leads.
#[derive(Clone, Debug)]
pub(super) enum Href {
    Article(usize, Spelling),
    File(Attachment),
    External(String),
    Mailto(String),
    Script(String),
    FileUri(String),
}

/// A file for download.
#[derive(Clone, Debug)]
pub(super) struct Attachment {
    pub id: usize,
}

/// One thing in the body.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Paragraph {
        runs: Vec<Run>,
        align: Option<Align>,
    },
    Heading(u8, String),
    List {
        ordered: bool,
        /// Word's imitation: paragraphs with a marker.
        pseudo: bool,
        items: Vec<String>,
    },
    Quote(String),
    /// One picture is an image, more are a gallery.
    Pictures {
        lead: Option<String>,
        items: Vec<Picture>,
        /// Picture and caption are two rows of a table.
        table: bool,
    },
    Table(TableModel),
    /// A paragraph that is nothing but a link to a file.
    File(Attachment, String),
    Signature(String),
    Source(String),
}

/// A picture of the body.
#[derive(Clone, Debug)]
pub(super) struct Picture {
    pub source: PictureSource,
    pub alt: Option<String>,
    pub caption: Option<Caption>,
}

/// Where the picture is.
#[derive(Clone, Debug)]
pub(super) enum PictureSource {
    /// At this path.
    Path(String),
    /// In the page itself.
    Data,
    /// At this path, which answers 404.
    Missing(String),
    /// At this path, which answers 200 with an HTML page.
    Html(String),
}

/// The line below a picture.
#[derive(Clone, Debug)]
pub(super) struct Caption {
    pub text: String,
    pub italic: bool,
    pub credit: Option<String>,
}

/// A statistics table.
#[derive(Clone, Debug)]
pub(super) struct TableModel {
    pub caption: Option<String>,
    pub units: Option<String>,
    pub heads: Heads,
    pub header_rows: usize,
    /// Cells as the HTML writes them: spans cover the cells that are left out.
    pub rows: Vec<Vec<CellModel>>,
}

/// How the table shows its header rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heads {
    /// `th`
    Th,
    /// `td` with bold text, inside nothing.
    Bold,
}

/// One written cell.
#[derive(Clone, Debug)]
pub(super) struct CellModel {
    pub text: String,
    pub rowspan: usize,
    pub colspan: usize,
}

impl CellModel {
    pub(super) fn new(text: impl Into<String>) -> Self {
        Self::spanning(text, 1, 1)
    }

    pub(super) fn spanning(text: impl Into<String>, rowspan: usize, colspan: usize) -> Self {
        Self {
            text: text.into(),
            rowspan,
            colspan,
        }
    }
}

impl Run {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::default()
        }
    }

    pub(super) fn marked(text: impl Into<String>, mark: MarkKind) -> Self {
        Self {
            text: text.into(),
            mark: Some(mark),
            link: None,
        }
    }

    pub(super) fn link(text: impl Into<String>, href: Href) -> Self {
        Self {
            text: text.into(),
            mark: None,
            link: Some(href),
        }
    }
}

impl Picture {
    fn texts(&mut self) -> impl Iterator<Item = &mut String> {
        let caption = self.caption.as_mut();
        let caption = caption
            .into_iter()
            .flat_map(|c| [Some(&mut c.text), c.credit.as_mut()]);
        self.alt.iter_mut().chain(caption.flatten())
    }
}

impl Node {
    /// All texts in it.
    pub(super) fn texts(&mut self) -> Vec<&mut String> {
        match self {
            Self::Paragraph { runs, .. } => runs.iter_mut().map(|r| &mut r.text).collect(),
            Self::Heading(_, text)
            | Self::Quote(text)
            | Self::File(_, text)
            | Self::Signature(text)
            | Self::Source(text) => vec![text],
            Self::List { items, .. } => items.iter_mut().collect(),
            Self::Pictures { lead, items, .. } => lead
                .iter_mut()
                .chain(items.iter_mut().flat_map(Picture::texts))
                .collect(),
            Self::Table(table) => {
                let cells = table.rows.iter_mut().flatten().map(|c| &mut c.text);
                let heads = table.caption.iter_mut().chain(&mut table.units);
                heads.chain(cells).collect()
            }
        }
    }

    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Paragraph {
            runs: vec![Run::plain(text)],
            align: None,
        }
    }
}

/// A citation as the text prints it; `date` is ISO.
pub(super) fn cite(kind: &str, number: &str, issuer: &str, date: Option<&str>) -> Citation {
    Citation {
        kind: kind.into(),
        number: number.into(),
        normalized: None,
        issuer: Some(issuer.into()),
        date: date.map(Into::into),
        chars: Span(0, 0),
    }
}
