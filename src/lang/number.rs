//! Numbers as tables print them: which sign separates thousands and which the fraction is a matter of the table, then of
//! the language.

use super::spaces;

/// The sign before a fraction; the other one (and spaces) separate thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fraction {
    /// `1.234,5`: Vietnam and most of Europe.
    Comma,
    /// `1,234.5`
    Point,
}

/// A printed number: what it may mean.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// If a comma is before the fraction.
    pub comma: Option<String>,
    /// If a point is.
    pub point: Option<String>,
    /// Behind it: `%` or `‰`.
    pub unit: Option<char>,
}

impl Printed {
    /// Reads a cell; `None` if it is no number. Decimals are written with a point, without separators: `-1234.5`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = spaces(text);
        let text = text.trim_end_matches('*').trim_end();
        let (text, unit) = match text.chars().next_back() {
            Some(unit @ ('%' | '‰')) => (text[..text.len() - unit.len_utf8()].trim_end(), Some(unit)),
            _ => (text, None),
        };
        // Accounts print what is below zero in brackets.
        let (text, below) = match text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
            Some(inner) if inner.contains(['.', ',']) => (inner, true),
            _ => (text, false),
        };
        let (text, minus) = match text.chars().next()? {
            sign @ ('-' | '−' | '–') => (&text[sign.len_utf8()..], true),
            '+' => (&text[1..], false),
            _ => (text, false),
        };
        let sign = if below != minus { "-" } else { "" };
        let valid = text.starts_with(|c: char| c.is_ascii_digit())
            && text.ends_with(|c: char| c.is_ascii_digit())
            && text
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | ' '));
        if !valid {
            return None;
        }
        let read = |group: char, fraction: char| {
            let (whole, fraction) = match text.split_once(fraction) {
                Some((whole, rest)) => (whole, Some(rest)),
                None => (text, None),
            };
            let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            // Spaces separate thousands as well, but not both in one number.
            let group = if whole.contains(' ') { ' ' } else { group };
            let parts: Vec<&str> = whole.split(group).collect();
            let grouped =
                parts.len() == 1 || (parts[0].len() <= 3 && parts[1..].iter().all(|p| p.len() == 3));
            let right = grouped && parts.iter().all(|p| digits(p)) && fraction.is_none_or(digits);
            // `0123` is a code, `01.02` a date.
            let whole = parts.concat();
            let is_code = whole.len() > 1 && whole.starts_with('0');
            (right && !is_code).then(|| match fraction {
                None => format!("{sign}{whole}"),
                Some(fraction) => format!("{sign}{whole}.{fraction}"),
            })
        };
        let printed = Self {
            comma: read('.', ','),
            point: read(',', '.'),
            unit,
        };
        (printed.comma.is_some() || printed.point.is_some()).then_some(printed)
    }

    /// Whether the two readings differ.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.comma.is_some() && self.point.is_some() && self.comma != self.point
    }

    /// The only sign that may stand before its fraction, if there is only one.
    #[must_use]
    pub fn says(&self) -> Option<Fraction> {
        match (&self.comma, &self.point) {
            (Some(_), None) => Some(Fraction::Comma),
            (None, Some(_)) => Some(Fraction::Point),
            _ => None,
        }
    }

    /// Its value if that sign is before the fraction.
    #[must_use]
    pub fn value(&self, fraction: Fraction) -> Option<&str> {
        match fraction {
            Fraction::Comma => self.comma.as_deref(),
            Fraction::Point => self.point.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readings() {
        for (text, comma, point) in [
            ("1.234,5", Some("1234.5"), None),
            ("1,234.5", None, Some("1234.5")),
            ("12,5", Some("12.5"), None),
            ("1.234", Some("1234"), Some("1.234")),
            ("1,234", Some("1.234"), Some("1234")),
            ("1.23", None, Some("1.23")),
            ("1.234.567", Some("1234567"), None),
            ("2023", Some("2023"), Some("2023")),
            ("1 234 567,8", Some("1234567.8"), None),
            ("-3,1", Some("-3.1"), None),
            ("−3,1", Some("-3.1"), None),
            ("(1.234,5)", Some("-1234.5"), None),
            ("0,5", Some("0.5"), None),
            ("97,5*", Some("97.5"), None),
        ] {
            let read = Printed::read(text).unwrap();
            assert_eq!(
                (read.comma.as_deref(), read.point.as_deref()),
                (comma, point),
                "{text}"
            );
        }
        assert_eq!(Printed::read("105,3 %").unwrap().unit, Some('%'));
        for text in [
            "-", "...", "", "a", "1,2,3", "01.02", "0252", "1.2.3", "12a", "1 23", "(1)", "–",
        ] {
            assert_eq!(Printed::read(text), None, "{text}");
        }
    }
}
