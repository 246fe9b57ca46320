//! Rows for people: as CSV that a spreadsheet opens without running it, or as sheets of a workbook.

use super::ExportError;
use super::folder::Stream;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use std::io::{self, Write};

/// Rows of a sheet beyond the first one: 1,048,576 (Excel's specification).
const ROWS: u32 = 1_048_575;
/// Characters of a cell: 32,767 UTF-16 units (Excel's specification).
const CELL: usize = 32_767;

/// A cell.
pub(super) enum Cell {
    Text(String),
    Number(u64),
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<Option<&String>> for Cell {
    fn from(text: Option<&String>) -> Self {
        Self::Text(text.cloned().unwrap_or_default())
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

/// Begins a CSV file: with the mark by which spreadsheets know UTF-8.
pub(super) fn csv(mut stream: Stream, columns: &[&str]) -> Result<csv::Writer<Stream>, ExportError> {
    stream.write_all("\u{FEFF}".as_bytes())?;
    let mut out = csv::Writer::from_writer(stream);
    out.write_record(columns).map_err(io::Error::from)?;
    Ok(out)
}

/// Writes a row.
pub(super) fn row(out: &mut csv::Writer<Stream>, cells: &[Cell]) -> Result<(), ExportError> {
    let texts = cells.iter().map(|cell| match cell {
        Cell::Text(text) => guarded(text),
        Cell::Number(number) => number.to_string(),
    });
    out.write_record(texts).map_err(io::Error::from)?;
    Ok(())
}

/// A text that a spreadsheet would calculate gets an apostrophe in front (OWASP, "CSV Injection").
#[must_use]
pub fn guarded(text: &str) -> String {
    let text = text.replace('\0', "");
    if text
        .trim_start()
        .starts_with(['=', '+', '-', '@', '\u{FF1D}', '\u{FF0B}', '\u{FF0D}', '\u{FF20}'])
        || text.starts_with(['\t', '\r', '\n'])
    {
        format!("'{text}")
    } else {
        text
    }
}

/// A workbook that is written row by row. Rows are numbered; a sheet that is full goes on in another.
pub(super) struct Book {
    book: Workbook,
    bold: Format,
    sheet: usize,
    rows: u32,
    name: String,
    columns: Vec<String>,
    part: u32,
}

impl Book {
    pub(super) fn new() -> Result<Self, ExportError> {
        let mut book = Workbook::new();
        // The same input gives the same bytes.
        let always = ExcelDateTime::from_ymd(2000, 1, 1)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&always));
        Ok(Self {
            book,
            bold: Format::new().set_bold(),
            sheet: 0,
            rows: 0,
            name: String::new(),
            columns: Vec::new(),
            part: 0,
        })
    }

    pub(super) fn sheet(&mut self, name: &str, columns: &[&str]) -> Result<(), ExportError> {
        self.name = name.to_owned();
        self.columns = columns.iter().map(|c| (*c).to_owned()).collect();
        self.part = 0;
        self.open()
    }

    fn open(&mut self) -> Result<(), ExportError> {
        self.part += 1;
        let name = match self.part {
            1 => self.name.clone(),
            n => format!("{} {n}", self.name),
        };
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, title) in (0_u16..).zip(&self.columns) {
            sheet.set_column_width(column, if column == 0 { 38.0 } else { 22.0 })?;
            sheet.write_string_with_format(0, column, title, &self.bold)?;
        }
        self.sheet = self.book.worksheets().len() - 1;
        self.rows = 0;
        Ok(())
    }

    /// A text is written as a text, whatever it looks like.
    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), ExportError> {
        if self.rows == ROWS {
            self.open()?;
        }
        self.rows += 1;
        let row = self.rows;
        let sheet = self.book.worksheet_from_index(self.sheet)?;
        for (column, cell) in (0_u16..).zip(cells) {
            match cell {
                Cell::Text(text) if text.is_empty() => {}
                Cell::Text(text) => {
                    sheet.write_string(row, column, short(text))?;
                }
                Cell::Number(number) => {
                    #[expect(
                        clippy::cast_precision_loss,
                        reason = "counts of words and bytes are far below 2^53"
                    )]
                    sheet.write_number(row, column, *number as f64)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn save(mut self, stream: &mut Stream) -> Result<(), ExportError> {
        Ok(self.book.save_to_writer(stream)?)
    }
}

/// What fits into a cell; characters that XML cannot hold are shown as U+FFFD.
fn short(text: &str) -> String {
    let mut units = 0;
    text.chars()
        .take_while(|c| {
            units += c.len_utf16();
            units < CELL
        })
        .map(|c| match c {
            '\u{FFFE}' | '\u{FFFF}' => '\u{FFFD}',
            c if c.is_control() && !matches!(c, '\t' | '\n' | '\r') => '\u{FFFD}',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_spreadsheet_calculates_a_title() {
        for text in ["=1+1", "+84 123", "-x", "@SUM(A1)", " =1", "\t=1", "＝1"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        assert_eq!(guarded("Giá = 3"), "Giá = 3");
        assert_eq!(short(&"ă".repeat(40_000)).chars().count(), CELL - 1);
    }
}
