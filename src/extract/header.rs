//! Which rows of a table are its header.

use super::amount::plain;
use crate::document::{Cell, Inline, MarkKind, Table};
use crate::lang::number::Printed;

/// Most rows of a header that only bold letters tell.
const HEADER: usize = 3;
/// Years that head columns.
const YEARS: std::ops::RangeInclusive<u16> = 1900..=2100;

pub(super) fn header_rows(table: &Table, heads: &[bool], thorough: &[bool]) -> usize {
    let rows = &table.rows;
    let marked = rows
        .iter()
        .zip(heads.iter().zip(thorough))
        .take_while(|(row, (head, thorough))| **head || (**thorough && !row.is_empty()))
        .count();
    let mut count = marked;
    if marked == 0 {
        let is_bold = |row: &Vec<Cell>| {
            let mut cells = row.iter().filter(|c| !c.content.text.is_empty());
            cells.clone().next().is_some() && cells.all(|c| bold(&c.content))
        };
        let bold_rows = rows.iter().take_while(|r| is_bold(r)).count();
        // A table in bold throughout has its header in the first row.
        count = if bold_rows > HEADER.min(rows.len().saturating_sub(1)) {
            bold_rows.min(1)
        } else {
            bold_rows
        };
    }
    // A cell of the header that reaches below it takes its row along.
    let mut y = 0;
    while y < count {
        let deepest = rows[y]
            .iter()
            .filter(|c| c.origin.is_none())
            .map(|c| c.rowspan)
            .max();
        // A label at the side may span groups of rows; it is no header of columns.
        if marked == 0 || rows[y].iter().any(|c| c.colspan > 1) {
            count = count.max(y + deepest.unwrap_or(1)).min(rows.len());
        }
        y += 1;
    }
    if count == 0 && (heads_numbers(rows) || heads_years(rows)) {
        count = 1;
    }
    // Statistics number their columns below the header: A, B, 1, 2, 3=2/1. That tells a header of words and years as well.
    let numbered = |at: usize| rows.len() > at + 1 && rows.get(at).is_some_and(|row| counts_columns(row));
    if count > 0 && numbered(count) {
        count += 1;
    } else if count == 0 && numbered(1) && rows[0].iter().all(|c| !c.content.text.is_empty()) {
        count = 2;
    }
    count
}

/// Whether the first row is words and years above numbers: TT, name, 2020, 2021.
fn heads_years(rows: &[Vec<Cell>]) -> bool {
    let [first, rest @ ..] = rows else { return false };
    let year = |c: &Cell| {
        let text = c.content.text.trim();
        (text.len() == 4)
            .then(|| text.parse::<u16>().ok())
            .flatten()
            .filter(|y| YEARS.contains(y))
    };
    let is_number = |c: &Cell| Printed::read(&plain(&c.content)).is_some();
    let found: Vec<(usize, u16)> = (0..)
        .zip(first)
        .filter_map(|(x, c)| Some((x, year(c)?)))
        .collect();
    let words = first
        .iter()
        .all(|c| !c.content.text.is_empty() && (year(c).is_some() || !is_number(c)));
    let in_order = found.is_sorted_by(|a, b| a.1 < b.1) || found.is_sorted_by(|a, b| a.1 > b.1);
    let below = |x: usize| rest.iter().filter_map(move |row| row.get(x));
    words
        && found.len() > 1
        && found.len() < first.len()
        && in_order
        && found
            .iter()
            .all(|(x, _)| below(*x).all(|c| year(c).is_none()) && below(*x).any(is_number))
}

/// Whether the first row is words above numbers.
fn heads_numbers(rows: &[Vec<Cell>]) -> bool {
    let [first, rest @ ..] = rows else { return false };
    let is_number = |c: &Cell| Printed::read(&plain(&c.content)).is_some();
    let words = first.iter().all(|c| !c.content.text.is_empty() && !is_number(c));
    words
        && rest.len() > 1
        && (0..first.len()).any(|x| {
            let below = rest
                .iter()
                .filter_map(|row| row.get(x))
                .filter(|c| !c.content.text.is_empty());
            let numbers = below.clone().filter(|c| is_number(c)).count();
            numbers > 1 && numbers * 2 >= below.count()
        })
}

fn counts_columns(row: &[Cell]) -> bool {
    let texts = row.iter().map(|c| c.content.text.trim_matches(['(', ')']));
    let mut next = 1;
    let mut letters = false;
    for text in texts.filter(|t| !t.is_empty()) {
        let first = text.split(['=', ' ']).next().unwrap_or_default();
        if first == next.to_string() {
            next += 1;
        } else if next > 1 || first.len() != 1 || !first.starts_with(|c: char| c.is_ascii_uppercase()) {
            return false;
        } else {
            letters = true;
        }
    }
    next > if letters { 2 } else { 3 }
}

fn bold(content: &Inline) -> bool {
    let length = content.text.chars().count();
    content
        .marks
        .iter()
        .filter(|m| m.kind == MarkKind::Bold)
        .map(|m| m.chars.len())
        .sum::<usize>()
        + content.text.matches('\n').count()
        >= length
}
