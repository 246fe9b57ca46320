//! What there is: a row a document, a row a file, a row an old address. For people, who plan and sign off by it.

use super::folder::Stream;
use super::index::{Medium, Place};
use super::{ExportError, Form, It, Out, Ways};
use crate::deliver::redirect::Redirect;
use crate::document::{Block, Document, GateLevel, MediaRole};
use crate::sheet::{self, Book, Cell, SheetId};

const DOCUMENTS: [&str; 17] = [
    "id",
    "key",
    "collection",
    "title",
    "section",
    "section path",
    "published",
    "date method",
    "date confidence",
    "byline",
    "words",
    "images",
    "attachments",
    "media not there",
    "gates",
    "legacy URL",
    "aliases",
];
const MEDIA: [&str; 10] = [
    "ref",
    "document",
    "role",
    "state",
    "filename",
    "type",
    "bytes",
    "alternative text",
    "caption",
    "legacy URL",
];
const REDIRECTS: [&str; 5] = ["from", "decision", "to", "hits", "why"];

/// Three tables, or three sheets.
#[expect(clippy::large_enum_variant, reason = "there is one")]
pub(super) enum Inventory {
    Csv {
        documents: Option<csv::Writer<Stream>>,
        media: Option<csv::Writer<Stream>>,
    },
    Xlsx(Option<(Book, SheetId, SheetId)>),
}

impl Inventory {
    pub(super) const fn csv() -> Self {
        Self::Csv {
            documents: None,
            media: None,
        }
    }

    pub(super) const fn xlsx() -> Self {
        Self::Xlsx(None)
    }
}

impl Form for Inventory {
    fn ways(&self) -> Ways {
        Ways {
            document: |_, _: &Place, _| String::new(),
            medium: |_, _, _: &Medium| String::new(),
            file: None,
            public: None,
            public_medium: None,
            escape: str::to_owned,
        }
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        match self {
            Self::Csv { documents, media } => {
                *documents = Some(sheet::csv(out.folder.stream("documents.csv")?, &DOCUMENTS)?);
                *media = Some(sheet::csv(out.folder.stream("media.csv")?, &MEDIA)?);
            }
            Self::Xlsx(book) => {
                let mut new = Book::new()?;
                let documents = new.sheet("Documents", &DOCUMENTS)?;
                let media = new.sheet("Media", &MEDIA)?;
                *book = Some((new, documents, media));
            }
        }
        Ok(())
    }

    fn document(&mut self, _: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        let row = document(it.document);
        match self {
            Self::Csv {
                documents: Some(documents),
                media: Some(out),
            } => {
                sheet::row(documents, &row)?;
                for row in media(it.document) {
                    sheet::row(out, &row)?;
                }
            }
            Self::Xlsx(Some((book, documents, pictures))) => {
                book.row(*documents, &row)?;
                for row in media(it.document) {
                    book.row(*pictures, &row)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>, redirects: &[Redirect]) -> Result<(), ExportError> {
        match self {
            Self::Csv { documents, media } => {
                for table in [documents.take(), media.take()].into_iter().flatten() {
                    let stream = table.into_inner().map_err(|e| e.into_error())?;
                    out.folder.close(stream)?;
                }
                let mut table = sheet::csv(out.folder.stream("redirects.csv")?, &REDIRECTS)?;
                for redirect in redirects {
                    sheet::row(&mut table, &decision(redirect))?;
                }
                let stream = table.into_inner().map_err(|e| e.into_error())?;
                out.folder.close(stream)
            }
            Self::Xlsx(book) => {
                let Some((mut book, _, _)) = book.take() else {
                    return Ok(());
                };
                let sheet = book.sheet("Redirects", &REDIRECTS)?;
                for redirect in redirects {
                    book.row(sheet, &decision(redirect))?;
                }
                let mut stream = out.folder.stream("inventory.xlsx")?;
                book.save(&mut stream)?;
                out.folder.close(stream)
            }
        }
    }
}

fn document(document: &Document) -> Vec<Cell> {
    let words: usize = document
        .body
        .iter()
        .map(|b| b.text().split_whitespace().count())
        .sum();
    let published = document.dates.published.as_ref();
    let gates: Vec<String> = document
        .quality
        .gates
        .iter()
        .map(|gate| {
            let level = match gate.level {
                GateLevel::Warn => "warn",
                GateLevel::Fail => "fail",
            };
            format!("{level}: {} ({})", gate.id, gate.note)
        })
        .collect();
    let section = document.section.as_ref();
    let lost = document.media.iter().chain(&document.attachments);
    vec![
        document.id.to_string().as_str().into(),
        document.source_key.as_str().into(),
        document.collection.as_str().into(),
        document.title.as_ref().into(),
        section.map(|s| &s.label).into(),
        section
            .map(|s| s.path.join(" > "))
            .unwrap_or_default()
            .as_str()
            .into(),
        published.map(|d| &d.value).into(),
        published.map(|d| &d.method).into(),
        published
            .map(|d| d.confidence.to_string())
            .unwrap_or_default()
            .as_str()
            .into(),
        document.byline.as_ref().map(|b| &b.raw).into(),
        words.into(),
        pictures(&document.body).into(),
        document.attachments.len().into(),
        lost.filter(|m| m.state != crate::document::MediaState::Ok)
            .count()
            .into(),
        gates.join("; ").as_str().into(),
        document.provenance.fetch.requested.as_str().into(),
        document.redirects.from.join("\n").as_str().into(),
    ]
}

/// Pictures that the body shows.
fn pictures(blocks: &[Block]) -> usize {
    blocks
        .iter()
        .map(|block| match block {
            Block::Image { .. } => 1,
            Block::Gallery { items, .. } => items.len(),
            Block::List { items, .. } => items.iter().map(|i| pictures(&i.children)).sum(),
            _ => 0,
        })
        .sum()
}

fn media(document: &Document) -> impl Iterator<Item = Vec<Cell>> + '_ {
    document.media.iter().chain(&document.attachments).map(|m| {
        let role = match m.role {
            MediaRole::Body => "body",
            MediaRole::Lead => "lead",
            MediaRole::Original => "original",
            MediaRole::Thumbnail => "thumbnail",
            MediaRole::Attachment => "attachment",
        };
        let state = serde_json::to_value(m.state).unwrap_or_default();
        vec![
            m.reference.as_str().into(),
            document.id.to_string().as_str().into(),
            role.into(),
            state.as_str().unwrap_or_default().into(),
            m.filename.as_ref().into(),
            m.mime.as_ref().into(),
            m.bytes.map_or_else(|| "".into(), Cell::Number),
            m.alt.as_ref().into(),
            m.caption.as_ref().into(),
            m.source_url.as_str().into(),
        ]
    })
}

fn decision(redirect: &Redirect) -> Vec<Cell> {
    vec![
        redirect.from.as_str().into(),
        redirect.decision.as_str().into(),
        redirect.to.as_ref().into(),
        Cell::Number(redirect.hits),
        redirect.why.as_str().into(),
    ]
}
