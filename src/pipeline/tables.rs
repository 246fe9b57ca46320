//! Data tables as CSV files beside their documents: `<id>.table-1.csv`, in the order of the text. Spans are written out,
//! numbers as decimals with a point, everything else as printed.

use super::output::{Layout, write_atomic};
use crate::document::{Block, Document, Table};
use crate::sheet::guarded;
use std::io;

/// Writes the tables of a document and removes files of tables that it no longer has.
///
/// # Errors
/// When a file cannot be written or removed.
pub(super) fn write(layout: &Layout, document: &Document) -> io::Result<()> {
    let mut tables = Vec::new();
    collect(&document.body, &mut tables);
    let path = |n: usize| layout.document(document).with_extension(format!("table-{n}.csv"));
    for (n, table) in tables.iter().enumerate() {
        write_atomic(&path(n + 1), &csv(table)?)?;
    }
    let stale = (tables.len() + 1..).map(path);
    for path in stale.take_while(|path| path.is_file()) {
        fs_err::remove_file(path)?;
    }
    Ok(())
}

fn collect<'a>(blocks: &'a [Block], out: &mut Vec<&'a Table>) {
    for block in blocks {
        match block {
            Block::Table { table, .. } => out.push(table),
            // Lists nest no deeper than they are read.
            Block::List { items, .. } => items.iter().for_each(|i| collect(&i.children, out)),
            _ => {}
        }
    }
}

/// A table as RFC 4180 has it: UTF-8 with the mark that spreadsheets need to see that it is.
fn csv(table: &Table) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .flexible(true)
        .terminator(csv::Terminator::CRLF)
        .from_writer("\u{FEFF}".as_bytes().to_vec());
    for row in &table.rows {
        let cells = row.iter().map(|cell| match &cell.number {
            // A unit of the cell's own is part of what it says; shares stand for themselves.
            Some(number) if !cell.ambiguous && cell.unit.as_deref().is_none_or(is_share) => number.clone(),
            _ => harmless(&cell.content.text),
        });
        writer.write_record(cells).map_err(io::Error::other)?;
    }
    writer.into_inner().map_err(|e| io::Error::other(e.to_string()))
}

fn is_share(unit: &str) -> bool {
    matches!(unit, "%" | "‰")
}

/// Text as a cell of a spreadsheet; a sign alone is a table's "none".
fn harmless(text: &str) -> String {
    if text.chars().count() > 1 {
        guarded(text)
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Cell, Inline};

    #[test]
    fn numbers_spans_and_formulas() {
        let cell = |text: &str, number: Option<&str>| Cell {
            content: Inline {
                text: text.into(),
                marks: Vec::new(),
            },
            number: number.map(str::to_owned),
            ..Cell::default()
        };
        let table = Table {
            rows: vec![
                vec![cell("Tên, \"xã\"", None), cell("=HYPERLINK(1)", None)],
                vec![cell("-", None), cell("-1.234,5", Some("-1234.5"))],
                vec![cell("hai\ndòng", None), cell("@x", None)],
                vec![
                    Cell {
                        unit: Some("đồng/kg".into()),
                        ..cell("7.500 đồng/kg", Some("7500"))
                    },
                    Cell {
                        unit: Some("%".into()),
                        ..cell("5,2%", Some("5.2"))
                    },
                ],
                vec![
                    cell("", None),
                    Cell {
                        ambiguous: true,
                        ..cell("1.234", Some("1234"))
                    },
                ],
            ],
            ..Table::default()
        };
        let text = String::from_utf8(csv(&table).unwrap()).unwrap();
        assert_eq!(
            text,
            "\u{FEFF}\"Tên, \"\"xã\"\"\",'=HYPERLINK(1)\r\n-,-1234.5\r\n\"hai\ndòng\",'@x\r\n7.500 đồng/kg,5.2\r\n,1.234\r\n"
        );
    }
}
