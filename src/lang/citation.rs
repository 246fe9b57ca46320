//! Legal documents that a text names: type, number, issuer, date. The form of numbers is that of Nghị định 30/2020/NĐ-CP,
//! Phụ lục I (number, year, abbreviation, issuer); what texts make of it is wider.

use super::{DocumentKind, Language};
use crate::document::{Citation, Span};
use regex::{Captures, Regex};

/// The pattern of one language.
#[derive(Debug)]
pub(super) struct Patterns {
    cited: Option<Regex>,
}

impl Patterns {
    fn of(language: &Language) -> Self {
        let any = |mut words: Vec<String>| {
            words.sort_by_key(|w| std::cmp::Reverse(w.len()));
            words.join("|")
        };
        let escape = |w: &String| regex::escape(w).replace(' ', r"\s+");
        let names: Vec<String> = language.documents.iter().map(|d| escape(&d.name)).collect();
        let short: Vec<String> = language
            .documents
            .iter()
            .flat_map(abbreviations)
            .map(escape)
            .collect();
        if names.is_empty() {
            return Self { cited: None };
        }
        let kinds = if short.is_empty() {
            format!(r"(?i:{})", any(names))
        } else {
            format!(r"(?i:{})|(?:{})", any(names), any(short))
        };
        let words = |w: &[String], or: &str| {
            let w: Vec<String> = w.iter().map(escape).collect();
            if w.is_empty() { or.to_owned() } else { any(w) }
        };
        let dates = &language.dates;
        let (day, month, year) = (
            words(&dates.day, "of"),
            words(&dates.month, "/"),
            words(&dates.year, "/"),
        );
        let source = format!(
            r"(?x)(?:({kinds})(?:\s+(?:số|so|no\.?|number):?)?\s+)?
            (?-u:\b)(\d{{1,5}}(?:\s?/\s?\d{{4}})?(?:[/.\-]\p{{Lu}}[\p{{L}}\d]*|\s?[/\-]\s?\p{{Lu}}{{2,}}\d*)+|\d{{1,5}}[/\-]\d{{4}}(?-u:\b))
            (?:\s*,?\s*(?i:{day})\s+(\d{{1,2}})\s*(?:[/\-.]|\s(?:{month}))\s*(\d{{1,2}})\s*(?:[/\-.]|,?\s(?:{year}))\s*(\d{{4}}))?",
        );
        Self {
            cited: Some(super::pattern(&source)),
        }
    }
}

fn abbreviations(kind: &DocumentKind) -> impl Iterator<Item = &String> {
    kind.abbreviation.iter().chain(&kind.also)
}

/// Finds citations; `offset` is where `text` stands in the page's visible text.
#[must_use]
pub fn find(text: &str, offset: usize, language: &Language) -> Vec<Citation> {
    let Some(pattern) = &language.citation.get_or_init(|| Patterns::of(language)).cited else {
        return Vec::new();
    };
    let mut byte = 0;
    let mut chars = offset;
    let mut found: Vec<Citation> = Vec::new();
    for c in pattern.captures_iter(text) {
        let Some(whole) = c.get(0) else { continue };
        // Boundaries of words are looked at here: a pattern that asks for them in Unicode is ten times as slow.
        if text[..whole.start()].ends_with(char::is_alphanumeric) {
            continue;
        }
        let Some(mut citation) = read(&c, language) else {
            continue;
        };
        chars += text[byte..whole.start()].chars().count();
        byte = whole.start();
        citation.chars = Span(chars, chars + whole.as_str().chars().count());
        found.push(citation);
    }
    found
}

fn read(c: &Captures<'_>, language: &Language) -> Option<Citation> {
    let number = c.get(2)?.as_str();
    let tight: String = number.chars().filter(|c| !c.is_whitespace()).collect();
    let digits = tight.find(|c: char| !c.is_ascii_digit()).unwrap_or(tight.len());
    // 60/2023/QĐ-UBND: a year stands between number and symbol.
    let mut symbol = tight[digits..].trim_start_matches(['/', '.', '-']);
    let year = symbol.find(|c: char| !c.is_ascii_digit()).unwrap_or(symbol.len());
    symbol = symbol[year..].trim_start_matches(['/', '.', '-']);
    let first = symbol.split(['/', '.', '-']).next().unwrap_or_default();
    let by_symbol = language
        .documents
        .iter()
        .find(|d| abbreviations(d).any(|a| a == first));
    let kind = match (c.get(1), by_symbol) {
        (Some(printed), _) => printed.as_str().to_owned(),
        // A number alone is a citation if its symbol says of what.
        (None, Some(kind)) if symbol.len() > first.len() => kind.name.clone(),
        _ => return None,
    };
    let rest = symbol.get(first.len() + 1..).unwrap_or_default();
    let issuer = match by_symbol {
        Some(_) => rest,
        // A letter (công văn) has no type in its number: the issuer comes first.
        None if rest.is_empty() => symbol,
        None => first,
    };
    let official = by_symbol
        .and_then(|d| d.abbreviation.as_deref())
        .filter(|a| *a != first);
    let normalized = match official {
        Some(official) => tight.replacen(first, official, 1),
        None => tight.clone(),
    };
    let part = |i| {
        c.get(i)
            .and_then(|m: regex::Match<'_>| m.as_str().parse::<i16>().ok())
    };
    let date = (|| {
        let (year, month, day) = (part(5)?, part(4)?, part(3)?);
        let date = jiff::civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()?;
        Some(date.to_string())
    })();
    Some(Citation {
        kind,
        number: number.to_owned(),
        normalized: Some(normalized).filter(|n| n != number),
        issuer: Some(issuer.to_owned()).filter(|i| !i.is_empty()),
        date,
        chars: Span(0, 0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(text: &str) -> Vec<(String, String, Option<String>, Option<String>)> {
        find(text, 0, Language::get("vi").unwrap())
            .into_iter()
            .map(|c| (c.kind, c.normalized.unwrap_or(c.number), c.issuer, c.date))
            .collect()
    }

    #[test]
    fn numbers_dates_and_issuers() {
        let text = "Kết luận số 01-KL/TW, ngày 15/5/2021 và Chỉ thị số 05-CT/TW; Quyết định số 60/QĐ-UBND ngày 09/01/2023";
        let found = find(text, 10, Language::get("vi").unwrap());
        let short: Vec<_> = found
            .iter()
            .map(|c| (c.number.as_str(), c.issuer.as_deref(), c.date.as_deref()))
            .collect();
        assert_eq!(
            short,
            [
                ("01-KL/TW", Some("TW"), Some("2021-05-15")),
                ("05-CT/TW", Some("TW"), None),
                ("60/QĐ-UBND", Some("UBND"), Some("2023-01-09"))
            ]
        );
        assert_eq!(found[0].chars.0, 10);
    }

    #[test]
    fn what_texts_make_of_the_form() {
        for (text, kind, number, issuer, date) in [
            ("Luật số 94/2025/QH15", "Luật", "94/2025/QH15", Some("QH15"), None),
            (
                "Quyết định 1803/1998/QĐ/BTC",
                "Quyết định",
                "1803/1998/QĐ/BTC",
                Some("BTC"),
                None,
            ),
            (
                "quyết định số 41/QĐ.BQL-TC",
                "quyết định",
                "41/QĐ.BQL-TC",
                Some("BQL-TC"),
                None,
            ),
            ("QĐ 528/QD-UBND", "QĐ", "528/QĐ-UBND", Some("UBND"), None),
            ("NĐ 139/2017/ND-CP", "NĐ", "139/2017/NĐ-CP", Some("CP"), None),
            (
                "Công văn số: 793/STTTT-BCVT ngày 12 tháng 01 năm 2023",
                "Công văn",
                "793/STTTT-BCVT",
                Some("STTTT"),
                Some("2023-01-12"),
            ),
            (
                "Kế hoạch số 179 / KH-UBND",
                "Kế hoạch",
                "179/KH-UBND",
                Some("UBND"),
                None,
            ),
            (
                "theo 01/CT-UBND ngày 12/01/2023",
                "Chỉ thị",
                "01/CT-UBND",
                Some("UBND"),
                Some("2023-01-12"),
            ),
            ("Nghị định 108-2007", "Nghị định", "108-2007", None, None),
        ] {
            let expected = (
                kind.to_owned(),
                number.to_owned(),
                issuer.map(str::to_owned),
                date.map(str::to_owned),
            );
            assert_eq!(short(text), [expected], "{text}");
        }
        assert_eq!(short("Quyết định số 60/QĐ-UBND, 61/QĐ-UBND").len(), 2);
        for text in [
            "ngày 14/7/2023",
            "tăng 6/12 chỉ tiêu",
            "Quyết định của Cục",
            "12/2023",
            "km 15/QL1A",
        ] {
            assert_eq!(short(text), [], "{text}");
        }
    }
}
