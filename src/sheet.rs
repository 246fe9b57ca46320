//! Rows for people: as CSV that a spreadsheet opens without running it, or as sheets of a workbook. Values in, bytes out; it
//! knows nothing of what the rows tell.

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook};
use std::io::{self, Write};

/// Rows of a sheet beyond the first one: 1,048,576 (Excel's specification).
const ROWS: u32 = 1_048_575;
/// Characters of a cell: 32,767 UTF-16 units (Excel's specification).
const CELL: usize = 32_767;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SheetError {
    /// The file.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A workbook cannot hold it.
    #[error("the workbook cannot be written: {0}")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
}

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Shown as it is, whatever it looks like.
    Text(String),
    /// A count.
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

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<usize> for Cell {
    fn from(number: usize) -> Self {
        Self::Number(number as u64)
    }
}

/// Begins a CSV file: with the mark by which spreadsheets know UTF-8.
///
/// # Errors
/// When `stream` cannot be written.
pub fn csv<W: Write>(mut stream: W, columns: &[&str]) -> Result<csv::Writer<W>, SheetError> {
    stream.write_all("\u{FEFF}".as_bytes())?;
    let mut out = csv::Writer::from_writer(stream);
    out.write_record(columns).map_err(io::Error::from)?;
    Ok(out)
}

/// Writes a row.
///
/// # Errors
/// When it cannot be written.
pub fn row<W: Write>(out: &mut csv::Writer<W>, cells: &[Cell]) -> Result<(), SheetError> {
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

/// A workbook that is written row by row; rows of several sheets may come in turn. Rows are numbered; a sheet that is full
/// goes on in another.
pub struct Book {
    book: Workbook,
    bold: Format,
    sheets: Vec<Sheet>,
}

/// A sheet of a [`Book`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SheetId(usize);

struct Sheet {
    name: String,
    columns: Vec<String>,
    /// Which worksheet it goes on in, and how many it has filled.
    at: usize,
    part: u32,
    rows: u32,
}

impl Book {
    /// An empty one.
    ///
    /// # Errors
    /// Never in practice: its properties are fixed.
    pub fn new() -> Result<Self, SheetError> {
        let mut book = Workbook::new();
        // The same input gives the same bytes.
        let always = ExcelDateTime::from_ymd(2000, 1, 1)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&always));
        Ok(Self {
            book,
            bold: Format::new().set_bold(),
            sheets: Vec::new(),
        })
    }

    /// Begins a sheet.
    ///
    /// # Errors
    /// When a workbook cannot have one of this name, or there is no place for its temporary file.
    pub fn sheet(&mut self, name: &str, columns: &[&str]) -> Result<SheetId, SheetError> {
        let id = SheetId(self.sheets.len());
        self.sheets.push(Sheet {
            name: name.to_owned(),
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            at: 0,
            part: 0,
            rows: 0,
        });
        self.open(id)?;
        Ok(id)
    }

    fn open(&mut self, id: SheetId) -> Result<(), SheetError> {
        let at = self.book.worksheets().len();
        let own = &mut self.sheets[id.0];
        own.part += 1;
        own.at = at;
        own.rows = 0;
        let name = match own.part {
            1 => own.name.clone(),
            n => format!("{} {n}", own.name),
        };
        let sheet = self.book.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?;
        sheet.set_freeze_panes(1, 0)?;
        for (column, title) in (0_u16..).zip(&own.columns) {
            sheet.set_column_width(column, if column == 0 { 38.0 } else { 22.0 })?;
            sheet.write_string_with_format(0, column, title, &self.bold)?;
        }
        Ok(())
    }

    /// A text is written as a text, whatever it looks like.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn row(&mut self, id: SheetId, cells: &[Cell]) -> Result<(), SheetError> {
        if self.sheets[id.0].rows == ROWS {
            self.open(id)?;
        }
        let own = &mut self.sheets[id.0];
        own.rows += 1;
        let row = own.rows;
        let sheet = self.book.worksheet_from_index(own.at)?;
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

    /// Writes the whole.
    ///
    /// # Errors
    /// When `stream` cannot be written.
    pub fn save(mut self, stream: &mut (impl Write + Send)) -> Result<(), SheetError> {
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

    #[test]
    fn rows_of_two_sheets_come_in_turn() {
        use calamine::{Data, Reader as _};
        let mut book = Book::new().unwrap();
        let a = book.sheet("A", &["a"]).unwrap();
        let b = book.sheet("B", &["b"]).unwrap();
        for n in 0..2000_u64 {
            book.row(a, &[format!("=A{n}").as_str().into()]).unwrap();
            book.row(b, &[n.into()]).unwrap();
        }
        let mut file = std::io::Cursor::new(Vec::new());
        book.save(&mut file).unwrap();
        file.set_position(0);
        let mut book = calamine::open_workbook_auto_from_rs(file).unwrap();
        let (a, b) = (
            book.worksheet_range("A").unwrap(),
            book.worksheet_range("B").unwrap(),
        );
        assert_eq!((a.height(), b.height()), (2001, 2001));
        assert_eq!(a.get((2000, 0)), Some(&Data::String("=A1999".into())));
        assert_eq!(b.get((2000, 0)), Some(&Data::Float(1999.0)));
    }
}
