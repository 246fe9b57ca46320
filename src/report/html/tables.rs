//! The report's tables: each as a CSV file and as a sheet of one workbook, written row by row.

use super::ReportError;
use super::survey::template;
use crate::document::{Document, GateLevel, MediaState};
use crate::sheet::{self, Book, Cell, SheetId};
use std::collections::BTreeMap;
use std::io::{self, Write};

const DOCUMENTS: [&str; 21] = [
    "document",
    "key",
    "collection",
    "template",
    "title",
    "published",
    "date method",
    "guesses",
    "visible",
    "kept",
    "dropped",
    "unaccounted",
    "declared encoding",
    "used encoding",
    "not decoded",
    "media not there",
    "gates failed",
    "gates warning",
    "legacy URL",
    "aliases",
    "file",
];
const GATES: [&str; 6] = ["document", "collection", "gate", "level", "note", "legacy URL"];

/// Opens a file of the report by its name.
pub type Open<'a, W> = Box<dyn FnMut(&str) -> io::Result<W> + 'a>;

/// All tables.
pub struct Tables<'a, W: Write + Send> {
    open: Open<'a, W>,
    book: Book,
    all: Vec<Table<W>>,
}

struct Table<W: Write> {
    name: &'static str,
    sheet: SheetId,
    csv: csv::Writer<W>,
    rows: u64,
}

/// A table that was begun.
#[derive(Clone, Copy, Debug)]
pub struct TableRows(usize);

impl<'a, W: Write + Send> Tables<'a, W> {
    /// No table yet; `open` makes their files.
    ///
    /// # Errors
    /// As [`Book::new`].
    pub fn new(open: Open<'a, W>) -> Result<Self, ReportError> {
        Ok(Self {
            open,
            book: Book::new()?,
            all: Vec::new(),
        })
    }

    pub(super) fn begin(&mut self, name: &'static str, columns: &[&str]) -> Result<TableRows, ReportError> {
        let file = (self.open)(&format!("{name}.csv"))?;
        self.all.push(Table {
            name,
            sheet: self.book.sheet(name, columns)?,
            csv: sheet::csv(file, columns)?,
            rows: 0,
        });
        Ok(TableRows(self.all.len() - 1))
    }

    pub(super) fn row(&mut self, table: TableRows, cells: &[Cell]) -> Result<(), ReportError> {
        let table = &mut self.all[table.0];
        table.rows += 1;
        sheet::row(&mut table.csv, cells)?;
        Ok(self.book.row(table.sheet, cells)?)
    }

    /// The tables of documents and of their gates.
    pub(super) fn documents(&mut self) -> Result<(TableRows, TableRows), ReportError> {
        Ok((self.begin("documents", &DOCUMENTS)?, self.begin("gates", &GATES)?))
    }

    pub(super) fn document(
        &mut self,
        (documents, gates): (TableRows, TableRows),
        document: &Document,
    ) -> Result<(), ReportError> {
        let id = document.id.to_string();
        let decode = &document.provenance.decode;
        let published = document.dates.published.as_ref();
        let sum = &document.accounting;
        let guesses: Vec<&str> = document
            .provenance
            .fields
            .iter()
            .filter(|(_, origin)| origin.confidence < 1.0)
            .map(|(name, _)| name.as_str())
            .collect();
        let media = document.media.iter().chain(&document.attachments);
        let url = document.provenance.fetch.requested.as_str();
        let of = |level: GateLevel| {
            let all = document.quality.gates.iter().filter(|g| g.level == level);
            all.map(|g| g.id.as_str()).collect::<Vec<_>>().join(", ")
        };
        self.row(
            documents,
            &[
                id.as_str().into(),
                document.source_key.as_str().into(),
                document.collection.as_str().into(),
                template(document).into(),
                document.title.as_ref().into(),
                published.map(|d| &d.value).into(),
                published.map(|d| &d.method).into(),
                guesses.join(", ").as_str().into(),
                sum.visible.into(),
                sum.kept.into(),
                sum.dropped.into(),
                sum.unaccounted.into(),
                decode.declared.as_ref().into(),
                decode.used.as_str().into(),
                decode.replacements.into(),
                media.filter(|m| m.state != MediaState::Ok).count().into(),
                of(GateLevel::Fail).as_str().into(),
                of(GateLevel::Warn).as_str().into(),
                url.into(),
                document.redirects.from.len().saturating_sub(1).into(),
                format!("documents/{}/{id}.json", document.collection)
                    .as_str()
                    .into(),
            ],
        )?;
        for gate in &document.quality.gates {
            let level = match gate.level {
                GateLevel::Warn => "warn",
                GateLevel::Fail => "fail",
            };
            self.row(
                gates,
                &[
                    id.as_str().into(),
                    document.collection.as_str().into(),
                    gate.id.as_str().into(),
                    level.into(),
                    gate.note.as_str().into(),
                    url.into(),
                ],
            )?;
        }
        Ok(())
    }

    /// Rows by file.
    pub(super) fn rows(&self) -> BTreeMap<String, u64> {
        self.all
            .iter()
            .map(|t| (format!("{}.csv", t.name), t.rows))
            .collect()
    }

    /// Ends all tables: their files and the workbook `inventory.xlsx`, to be put in their places.
    ///
    /// # Errors
    /// When one cannot be written.
    pub fn finish(mut self) -> Result<Vec<W>, ReportError> {
        let mut files = Vec::new();
        let mut book = (self.open)("inventory.xlsx")?;
        self.book.save(&mut book)?;
        for table in self.all {
            files.push(table.csv.into_inner().map_err(|e| e.into_error())?);
        }
        files.push(book);
        Ok(files)
    }
}
