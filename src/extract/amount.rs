//! Numbers of a table and their units.

use crate::document::{Cell, Inline, MarkKind, Table};
use crate::lang::number::{Fraction, Printed};
use crate::lang::{Language, fold, spaces};

/// The units that headers name, in brackets or alone.
pub(super) fn column_units(table: &mut Table, language: Option<&Language>) {
    let Some(language) = language else { return };
    let width = table.rows.first().map_or(0, Vec::len);
    let unit = |text: &str| {
        let bracket = text
            .rsplit_once('(')
            .and_then(|(_, t)| t.split_once(')'))
            .map(|(t, _)| t);
        let found = bracket.map(str::trim).filter(|t| language.is_measure(&fold(t)));
        let alone = matches!(text.trim(), "%" | "‰").then_some(text.trim());
        found.or(alone).map(str::to_owned)
    };
    let units: Vec<Option<String>> = (0..width)
        .map(|x| {
            let above = table.rows[..table.header_rows].iter().rev();
            above
                .filter_map(|row| row.get(x))
                .find_map(|c| unit(&c.content.text))
        })
        .collect();
    if units.iter().any(Option::is_some) {
        table.column_units = units;
    }
}

/// Reads the numbers: as the table itself prints them, else as its language does.
pub(super) fn numbers(table: &mut Table, language: Option<&Language>) {
    let usual = language.map_or(Fraction::Point, |l| l.numbers.fraction);
    let read = |cell: &Cell| {
        (!cell.header)
            .then(|| Amount::read(&plain(&cell.content), language))
            .flatten()
    };
    let (mut comma, mut point) = (0, 0);
    for cell in table.rows.iter().flatten().filter(|c| c.origin.is_none()) {
        match read(cell).and_then(|a| a.printed.says()) {
            Some(Fraction::Comma) => comma += 1,
            Some(Fraction::Point) => point += 1,
            None => {}
        }
    }
    let form = match comma.cmp(&point) {
        std::cmp::Ordering::Greater => Fraction::Comma,
        std::cmp::Ordering::Less => Fraction::Point,
        std::cmp::Ordering::Equal => usual,
    };
    let decided = (comma == 0) != (point == 0);
    for cell in table.rows.iter_mut().flatten() {
        let Some(Amount { printed, unit }) = read(cell) else {
            continue;
        };
        let other = match form {
            Fraction::Comma => Fraction::Point,
            Fraction::Point => Fraction::Comma,
        };
        let value = printed.value(form).or_else(|| printed.value(other));
        cell.number = value.map(str::to_owned);
        cell.ambiguous = !decided && (printed.is_open() || printed.says() == Some(other));
        cell.unit = unit;
    }
}

/// A number and the unit beside it: `12.500 đồng/kg`, `$12.50`.
struct Amount {
    printed: Printed,
    unit: Option<String>,
}

/// Signs of currencies.
const CURRENCIES: [char; 5] = ['$', '€', '£', '¥', '₫'];

impl Amount {
    /// Reads a cell; `None` if it says more than a number and a unit that its language knows.
    fn read(text: &str, language: Option<&Language>) -> Option<Self> {
        if let Some(printed) = Printed::read(text) {
            let unit = printed.unit.map(String::from);
            return Some(Self { printed, unit });
        }
        let text = spaces(text);
        let text = text.trim_end_matches('*').trim_end();
        let is_unit = |text: &str| {
            let mut chars = text.chars();
            let sign = chars.next().is_some_and(|c| CURRENCIES.contains(&c)) && chars.next().is_none();
            sign || language.is_some_and(|l| l.is_only_measure(&fold(text)))
        };
        let digit = text.find(|c: char| c.is_ascii_digit())?;
        // A minus belongs to the number, wherever the currency stands.
        let before = text[..digit].trim_end_matches(['-', '−', '–', '+']);
        let (before, number) = (before.trim(), &text[before.len()..]);
        let end = number
            .char_indices()
            .find(|(_, c)| !c.is_ascii_digit() && !matches!(c, '.' | ',' | ' ' | '-' | '−' | '–' | '+'))
            .map_or(number.len(), |(at, _)| at);
        let (number, behind) = (number[..end].trim_end(), number[end..].trim());
        let unit = match (before, behind) {
            ("", unit) | (unit, "") if is_unit(unit) => unit,
            _ => return None,
        };
        let printed = Printed::read(number)?;
        Some(Self {
            printed,
            unit: Some(unit.to_owned()),
        })
    }
}

/// The text without what is set above the line: marks of notes.
pub(super) fn plain(content: &Inline) -> String {
    let above = |at: usize| {
        let mut marks = content.marks.iter().filter(|m| m.kind == MarkKind::Sup);
        marks.any(|m| (m.chars.0..m.chars.1).contains(&at))
    };
    let chars = content.text.chars().enumerate();
    chars.filter(|(at, _)| !above(*at)).map(|(_, c)| c).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beside_their_units() {
        let vi = Language::get("vi");
        for (text, comma, unit) in [
            ("12.500 đồng", "12500", "đồng"),
            ("7.500 đồng/kg", "7500", "đồng/kg"),
            ("3.000 ha", "3000", "ha"),
            ("1,5 triệu đồng", "1.5", "triệu đồng"),
            ("3 kg", "3", "kg"),
            ("-2,5 tỷ đồng", "-2.5", "tỷ đồng"),
            ("USD 7,5", "7.5", "USD"),
            ("12.500đ", "12500", "đ"),
            ("€ 9,50", "9.50", "€"),
            ("45 m2", "45", "m2"),
            ("5,2%", "5.2", "%"),
        ] {
            let read = Amount::read(text, vi).unwrap();
            assert_eq!(
                (read.printed.comma.as_deref(), read.unit.as_deref()),
                (Some(comma), Some(unit)),
                "{text}"
            );
        }
        let read = Amount::read("$12.50", None).unwrap();
        assert_eq!(
            (read.printed.point.as_deref(), read.unit.as_deref()),
            (Some("12.50"), Some("$"))
        );
        for text in [
            "12 người bị thương",
            "ngày 3",
            "Điều 5",
            "60/QĐ-UBND",
            "3 kg 5",
            "kg",
            "$",
            "Từ 3 ha",
            "01.02 ha",
        ] {
            assert!(Amount::read(text, vi).is_none(), "{text}");
        }
    }
}
