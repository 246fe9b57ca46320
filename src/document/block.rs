//! Typed blocks of a body.

use super::Span;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where a block came from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Id of the rule that kept it.
    pub rule: String,
    /// Characters of the page's visible text; empty for a block without text.
    pub chars: Span,
}

/// Text with marks laid over it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inline {
    /// NFC text, white space folded; a line break of the page is `\n`.
    pub text: String,
    /// Marks, ordered by start, then by end (longest first), then by kind.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub marks: Vec<Mark>,
}

/// One mark over a range of an [`Inline`]'s text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mark {
    /// What the range is.
    pub kind: MarkKind,
    /// Characters of the text.
    pub chars: Span,
    /// Target of a link: `doc:ID`, `media:HASH`, an absolute URL, or `#NAME` for a place in the same text. Name of an
    /// anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// Kinds of marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MarkKind {
    /// A link.
    Link,
    /// Strong or bold.
    Bold,
    /// Emphasis or italic.
    Italic,
    /// Underlined.
    Underline,
    /// Struck out.
    Strike,
    /// Superscript.
    Sup,
    /// Subscript.
    Sub,
    /// Code.
    Code,
    /// A place that links of the same text lead to: an empty range before the character where it stands.
    Anchor,
}

/// How a numbered list counts, where it is not 1, 2, 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Counting {
    /// a, b, c; after z: aa.
    LowerAlpha,
    /// A, B, C.
    UpperAlpha,
    /// i, ii, iii.
    LowerRoman,
    /// I, II, III.
    UpperRoman,
}

/// Horizontal alignment, where the page states one that differs from its surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Align {
    /// Centred.
    Center,
    /// To the right.
    Right,
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListItem {
    /// Text of the item itself.
    pub content: Inline,
    /// Blocks below the item: nested lists, images.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<Block>,
}

/// A picture in the body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// `media:HASH`, or `url:SOURCE_URL` while the bytes are not there. Refers to an entry of the document's `media`.
    pub media: String,
    /// Alternative text, as the page gives it.
    pub alt: Option<String>,
    /// Caption.
    pub caption: Option<Inline>,
    /// How the caption was found: `figcaption`, `paragraph-after`, `table-row`, `table-cell`; absent without a caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption_method: Option<String>,
    /// Credit ("Ảnh: …") split from the caption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credit: Option<String>,
    /// The picture that a link round this one leads to. Once its bytes have been seen to be a picture no smaller than
    /// this one, it takes the place of `media`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original: Option<Original>,
}

/// The larger picture behind a thumbnail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Original {
    /// `media:HASH` or `url:SOURCE_URL` of the one that is not shown: of the original, or, once `verified`, of the
    /// thumbnail whose place it took.
    pub other: String,
    /// Whether the original was fetched and is a picture at least as large.
    pub verified: bool,
}

/// A data table as a rectangular grid.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Caption or title of the table, if it is part of it.
    pub caption: Option<Inline>,
    /// How the caption was found where nothing in the markup says that it is one: `paragraph-before`, a guess.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caption_method: Option<String>,
    /// Unit line ("Đơn vị tính: …"), if there is one.
    pub units: Option<String>,
    /// Unit of each column that its header names ("Giá trị (triệu đồng)"); empty if none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub column_units: Vec<Option<String>>,
    /// How many of the first rows are header rows.
    pub header_rows: usize,
    /// Rows of equal length; a cell that a span covers repeats the text of its origin and names it.
    pub rows: Vec<Vec<Cell>>,
    /// Footnotes below the table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub footnotes: Vec<Inline>,
}

/// One cell of a [`Table`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The cell's text as printed.
    pub content: Inline,
    /// `th`, or a cell of a header row.
    pub header: bool,
    /// The number that the text is, in the page's locale, as a JSON-safe decimal string ("1234.5").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Whether the text could be another number as well ("1.234"): neither the table nor anything but the language of
    /// the page says how it is meant.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ambiguous: bool,
    /// Unit that stands beside the number: "%".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Rows that the cell spans; 1 for most.
    pub rowspan: usize,
    /// Columns that the cell spans; 1 for most.
    pub colspan: usize,
    /// Row and column of the cell whose span covers this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<(usize, usize)>,
}

/// One block of the body.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph {
        /// Plain text.
        text: String,
        /// Marks over the text.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        marks: Vec<Mark>,
        /// Alignment, if stated.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        align: Option<Align>,
        /// Where it came from.
        src: Source,
    },
    /// A heading inside the body.
    Heading {
        /// 1 to 6.
        level: u8,
        /// Plain text.
        text: String,
        /// Marks over the text.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        marks: Vec<Mark>,
        /// Where it came from.
        src: Source,
    },
    /// A list.
    List {
        /// Numbered.
        ordered: bool,
        /// Number of the first item, if it is not 1.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start: Option<u32>,
        /// How it counts, if not 1, 2, 3.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        counting: Option<Counting>,
        /// Whether it counts down: to 1, or from `start`.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        reversed: bool,
        /// Items.
        items: Vec<ListItem>,
        /// Where it came from.
        src: Source,
    },
    /// A data table.
    Table {
        /// The grid.
        table: Table,
        /// Where it came from.
        src: Source,
    },
    /// One picture.
    Image {
        /// The picture.
        image: Image,
        /// Where its caption came from.
        src: Source,
    },
    /// Two or more pictures in sequence.
    Gallery {
        /// The line that announces the pictures ("Một số hình ảnh tại hội nghị:").
        lead: Option<String>,
        /// Pictures in order.
        items: Vec<Image>,
        /// Where lead and captions came from.
        src: Source,
    },
    /// A quotation.
    Quote {
        /// Plain text.
        text: String,
        /// Marks over the text.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        marks: Vec<Mark>,
        /// Where it came from.
        src: Source,
    },
    /// Preformatted text: white space and line breaks as they stand.
    Code {
        /// The text.
        text: String,
        /// Where it came from.
        src: Source,
    },
    /// A file offered for download, alone in its block.
    File {
        /// `media:HASH` or `url:SOURCE_URL`. Refers to an entry of the document's `attachments`.
        media: String,
        /// The link's text.
        text: String,
        /// Where it came from.
        src: Source,
    },
    /// A video, map or other frame.
    Embed {
        /// Absolute URL of what is embedded.
        url: String,
        /// Title or fallback text.
        text: String,
        /// Where it came from.
        src: Source,
    },
    /// Last resort: HTML that no other kind holds. Counted in the report.
    RawHtml {
        /// The HTML as found. Not safe: a renderer must sanitise it.
        html: String,
        /// Its visible text.
        text: String,
        /// Where it came from.
        src: Source,
    },
}

impl Block {
    /// Where the block came from.
    #[must_use]
    pub fn source(&self) -> &Source {
        match self {
            Self::Paragraph { src, .. }
            | Self::Heading { src, .. }
            | Self::List { src, .. }
            | Self::Table { src, .. }
            | Self::Image { src, .. }
            | Self::Gallery { src, .. }
            | Self::Quote { src, .. }
            | Self::Code { src, .. }
            | Self::File { src, .. }
            | Self::Embed { src, .. }
            | Self::RawHtml { src, .. } => src,
        }
    }

    /// The same, to be changed.
    pub fn source_mut(&mut self) -> &mut Source {
        match self {
            Self::Paragraph { src, .. }
            | Self::Heading { src, .. }
            | Self::List { src, .. }
            | Self::Table { src, .. }
            | Self::Image { src, .. }
            | Self::Gallery { src, .. }
            | Self::Quote { src, .. }
            | Self::Code { src, .. }
            | Self::File { src, .. }
            | Self::Embed { src, .. }
            | Self::RawHtml { src, .. } => src,
        }
    }

    /// All text that a reader of the block sees, in order, one part a line.
    #[must_use]
    pub fn text(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        self.push_text(&mut parts);
        parts.retain(|p| !p.is_empty());
        parts.join("\n")
    }

    fn push_text(&self, parts: &mut Vec<String>) {
        fn captions<'a>(items: impl IntoIterator<Item = &'a Image>, parts: &mut Vec<String>) {
            for image in items {
                parts.extend(image.caption.iter().map(|c| c.text.clone()));
            }
        }
        match self {
            Self::Paragraph { text, .. }
            | Self::Heading { text, .. }
            | Self::Quote { text, .. }
            | Self::Code { text, .. }
            | Self::File { text, .. }
            | Self::Embed { text, .. }
            | Self::RawHtml { text, .. } => parts.push(text.clone()),
            Self::List { items, .. } => {
                for item in items {
                    parts.push(item.content.text.clone());
                    for child in &item.children {
                        child.push_text(parts);
                    }
                }
            }
            Self::Table { table, .. } => {
                parts.extend(table.caption.iter().map(|c| c.text.clone()));
                parts.extend(table.units.clone());
                for cell in table.rows.iter().flatten().filter(|c| c.origin.is_none()) {
                    parts.push(cell.content.text.clone());
                }
                parts.extend(table.footnotes.iter().map(|f| f.text.clone()));
            }
            Self::Image { image, .. } => captions([image], parts),
            Self::Gallery { lead, items, .. } => {
                parts.extend(lead.clone());
                captions(items, parts);
            }
        }
    }
}
