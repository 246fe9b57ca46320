//! Whether rows of sums are the sums of other rows. A hint for a reader, never a change: tables of administrations add up in
//! many ways, so a row is only named when most of it adds up and the rest does not.

use crate::document::{Cell, Table};
use crate::lang::{Language, fold};

/// Rows of a table that are added up; longer ones are lists.
const ROWS: usize = 2000;
/// Rows of sums of one table.
const TOTALS: usize = 50;

/// What does not add up, row by row.
pub(super) fn check(table: &Table, language: Option<&Language>) -> Vec<String> {
    let Some(language) = language else {
        return Vec::new();
    };
    let data = table.rows.get(table.header_rows..).unwrap_or_default();
    if data.len() > ROWS {
        return Vec::new();
    }
    let label = |row: &[Cell]| {
        let texts = row.iter().filter(|c| c.number.is_none() && c.origin.is_none());
        texts
            .map(|c| fold(&c.content.text))
            .find(|t| t.chars().any(char::is_alphabetic))
    };
    let totals: Vec<usize> = (0..data.len())
        .filter(|&y| label(&data[y]).is_some_and(|l| language.is_total(&l)))
        .take(TOTALS)
        .collect();
    let columns: Vec<usize> = (0..data.first().map_or(0, Vec::len))
        .filter(|&x| adds_up(table, x, language))
        .collect();
    let mut wrong = Vec::new();
    for &total in &totals {
        let before = totals.iter().rev().find(|t| **t < total).map_or(0, |t| t + 1);
        let after = totals.iter().find(|t| **t > total).copied().unwrap_or(data.len());
        let others = (0..data.len()).filter(|y| !totals.contains(y)).collect();
        let groups = (0..data.len())
            .filter(|y| !totals.contains(y) && is_group(&data[*y]))
            .collect();
        let readings: [Vec<usize>; 4] = [
            (total + 1..after).collect(),
            (before..total).collect(),
            others,
            groups,
        ];
        // The reading under which most columns hold; it must hold for more than it fails.
        let best = readings
            .iter()
            .map(|rows| {
                let sums: Vec<(usize, Sum)> = columns
                    .iter()
                    .filter_map(|&x| Some((x, sum(data, total, rows, x)?)))
                    .collect();
                let right = sums.iter().filter(|(_, s)| s.holds()).count();
                (right, sums)
            })
            .max_by_key(|(right, _)| *right);
        let Some((right, sums)) = best else { continue };
        if right * 2 <= sums.len() {
            continue;
        }
        for (x, sum) in sums.iter().filter(|(_, s)| !s.holds()) {
            let cell = &data[total][*x];
            wrong.push(format!(
                "row {} (`{}`), column {}: {} is printed, the rows add up to {}",
                table.header_rows + total + 1,
                label(&data[total]).unwrap_or_default(),
                x + 1,
                cell.content.text,
                sum.found()
            ));
        }
    }
    wrong
}

/// Whether a column holds amounts: no shares, rates, numbers of rows.
fn adds_up(table: &Table, x: usize, language: &Language) -> bool {
    let headers = table.rows[..table.header_rows]
        .iter()
        .filter_map(|row| row.get(x));
    let ratio = headers.clone().any(|c| language.is_ratio(&fold(&c.content.text)));
    let unit = table.column_units.get(x).and_then(Option::as_deref);
    let percent = table.rows[table.header_rows..]
        .iter()
        .filter_map(|row| row.get(x))
        .any(|c| c.unit.is_some());
    !ratio && !percent && !matches!(unit, Some("%" | "‰"))
}

/// Whether a row stands for those below it: it is set in bold or counted by letters.
fn is_group(row: &[Cell]) -> bool {
    let Some(first) = row.iter().find(|c| !c.content.text.is_empty()) else {
        return false;
    };
    let text = first.content.text.trim_end_matches(['.', ')']);
    let bold: usize = first.content.marks.iter().map(|m| m.chars.len()).sum();
    bold >= first.content.text.chars().count()
        || (!text.is_empty() && text.len() <= 4 && text.chars().all(|c| c.is_ascii_uppercase()))
}

/// A printed sum beside what the rows give, in units of the smallest decimal place.
struct Sum {
    printed: i128,
    added: i128,
    terms: i128,
    places: u32,
}

impl Sum {
    /// Each number may be rounded. The error of a sum of `n` rounded numbers and its own rounding has the standard
    /// deviation √((n + 1) / 12) of the last place; twice that is allowed, and one of the last place at least.
    fn holds(&self) -> bool {
        let off = (self.printed - self.added).abs();
        off <= 1 || off * off * 12 <= 4 * (self.terms + 1)
    }

    fn found(&self) -> String {
        let scale = 10_i128.pow(self.places);
        let sign = if self.added < 0 { "-" } else { "" };
        let (whole, rest) = (self.added.abs() / scale, self.added.abs() % scale);
        if self.places == 0 {
            format!("{sign}{whole}")
        } else {
            format!("{sign}{whole}.{rest:0width$}", width = self.places as usize)
        }
    }
}

/// The sum of a column over rows; `None` if there is nothing to compare.
fn sum(data: &[Vec<Cell>], total: usize, rows: &[usize], x: usize) -> Option<Sum> {
    let number = |y: usize| data[y].get(x).filter(|c| c.origin.is_none())?.number.as_deref();
    let printed = number(total)?;
    let parts: Vec<&str> = rows.iter().filter_map(|&y| number(y)).collect();
    if parts.len() < 2 {
        return None;
    }
    let places = |n: &str| n.split_once('.').map_or(0, |(_, f)| f.len());
    let most = parts.iter().map(|n| places(n)).chain([places(printed)]).max()?;
    let most = u32::try_from(most).ok().filter(|p| *p <= 9)?;
    let added = parts.iter().map(|n| scaled(n, most)).sum::<Option<i128>>()?;
    let printed = scaled(printed, most).filter(|p| *p != 0)?;
    Some(Sum {
        printed,
        added,
        terms: i128::try_from(parts.len()).ok()?,
        places: most,
    })
}

/// A decimal as a whole number of its `places`-th part.
fn scaled(number: &str, places: u32) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction:0<width$}", width = places as usize);
    digits.parse().ok().filter(|n: &i128| n.abs() < 1_i128 << 96)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Inline;

    fn table(rows: &[&[&str]]) -> Table {
        let cell = |text: &&str| Cell {
            content: Inline {
                text: (*text).to_owned(),
                marks: Vec::new(),
            },
            number: text.parse::<f64>().ok().map(|_| (*text).to_owned()),
            rowspan: 1,
            colspan: 1,
            ..Cell::default()
        };
        Table {
            header_rows: 1,
            rows: rows.iter().map(|r| r.iter().map(cell).collect()).collect(),
            ..Table::default()
        }
    }

    #[test]
    fn only_what_nearly_adds_up_is_named() {
        let vi = crate::lang::Language::get("vi");
        let wrong = |rows: &[&[&str]]| check(&table(rows), vi);
        let head: &[&str] = &["Huyện", "2021", "2022", "2023"];
        let a: &[&str] = &["A", "10", "20.5", "1"];
        let b: &[&str] = &["B", "15", "4.6", "2"];
        assert_eq!(wrong(&[head, a, b, &["Tổng số", "25", "25.1", "3"]]), [""; 0]);
        assert_eq!(wrong(&[head, &["Tổng cộng", "25", "25.1", "3"], a, b]), [""; 0]);
        let found = wrong(&[head, a, b, &["Tổng số", "25", "25.1", "5"]]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(
            found[0].contains("column 4") && found[0].contains("add up to 3"),
            "{found:?}"
        );
        // Nothing adds up: no row of sums.
        assert_eq!(wrong(&[head, a, b, &["Tổng quan", "1", "2", "99"]]), [""; 0]);
        assert_eq!(wrong(&[head, a, b, &["Tổng số", "1", "2", "99"]]), [""; 0]);
        // Rounding of two parts and the sum.
        assert_eq!(wrong(&[head, a, b, &["Cộng", "26", "25.1", "3"]]), [""; 0]);
    }
}
