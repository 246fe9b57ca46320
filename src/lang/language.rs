//! What a data file says of a language. A new language is a file beside `vi.toml` and a line in `FILES`.

use super::{citation, date};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const FILES: [&str; 2] = [include_str!("data/vi.toml"), include_str!("data/en.toml")];

/// A language.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Language {
    /// ISO 639-1.
    pub code: String,
    /// Phrases of portals.
    pub phrases: Phrases,
    /// Marks inside of texts.
    pub marks: Marks,
    /// Who signs.
    pub signature: Signature,
    /// How tables print numbers.
    pub numbers: Numbers,
    /// Words of dates.
    pub dates: DateWords,
    /// Types of documents that a text may cite.
    pub documents: Vec<DocumentKind>,
    #[serde(skip)]
    pub(super) date: LazyCell<date::Patterns>,
    #[serde(skip)]
    pub(super) citation: LazyCell<citation::Patterns>,
}

/// Compiled at first use.
pub(super) type LazyCell<T> = std::sync::OnceLock<T>;

/// Phrases that stand alone on a line, folded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phrases {
    /// Headings of lists of other news.
    pub related: Vec<String>,
    /// What the portal offers to do with the page.
    pub tools: Vec<String>,
    /// Numbers that change at each visit.
    pub counters: Vec<String>,
    /// Furniture.
    pub chrome: Vec<String>,
    /// Beside the numbers of a pager.
    pub pager: Vec<String>,
    /// Before the name of who wrote an article.
    pub author: Vec<String>,
    /// Before the name of where an article is from.
    pub source: Vec<String>,
}

/// Marks inside of texts, folded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marks {
    /// End of a body: `./.`
    pub end: Vec<String>,
    /// Beginning of a caption.
    pub caption: Vec<String>,
    /// Beginning of the name of a photographer or source.
    pub credit: Vec<String>,
    /// In a line that announces pictures.
    pub gallery: Vec<String>,
    /// Beginning of the line above a table that names its unit.
    pub unit: Vec<String>,
    /// Beginning of a note below a table, or of where its numbers are from.
    pub note: Vec<String>,
    /// Before the number of a table.
    pub table: Vec<String>,
    /// Beginning of the label of a row or column of sums.
    pub total: Vec<String>,
}

/// How tables print numbers.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The sign before a fraction.
    pub fraction: super::number::Fraction,
    /// Words of units of measure, folded.
    pub units: Vec<String>,
    /// Words in the header of a column that cannot be added up: shares, rates, prices, averages. Folded.
    pub ratio: Vec<String>,
}

/// Who signs an article.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// First words of an organisation's name.
    pub organisation: Vec<String>,
}

/// Words of dates, folded.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateWords {
    /// Before a day.
    pub day: Vec<String>,
    /// Before a month.
    pub month: Vec<String>,
    /// Before a year.
    pub year: Vec<String>,
    /// Before a quarter.
    pub quarter: Vec<String>,
    /// Behind an hour.
    pub hour: Vec<String>,
    /// Behind a minute.
    pub minute: Vec<String>,
    /// Behind a time before noon.
    pub morning: Vec<String>,
    /// Behind a time after noon.
    pub afternoon: Vec<String>,
    /// Before a day without a year.
    pub parts_of_day: Vec<String>,
    /// Names by day, Monday first.
    pub weekdays: Vec<Vec<String>>,
    /// Names, January first; empty where months have numbers.
    pub months: Vec<String>,
}

/// A type of documents.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentKind {
    /// Its name.
    pub name: String,
    /// Its abbreviation in numbers: `QĐ` in 60/QĐ-UBND.
    pub abbreviation: Option<String>,
    /// Other forms of the abbreviation.
    #[serde(default)]
    pub also: Vec<String>,
}

#[expect(clippy::unwrap_used, reason = "files of this program; a test reads each")]
static LANGUAGES: LazyLock<BTreeMap<String, Language>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|file| toml::from_str::<Language>(file).unwrap())
        .map(|language| (language.code.clone(), language))
        .collect()
});

impl Language {
    /// The language of a code; a region behind it does not matter: `vi-VN`.
    #[must_use]
    pub fn get(code: &str) -> Option<&'static Self> {
        let code = code.split(['-', '_']).next().unwrap_or_default();
        LANGUAGES.get(&code.to_ascii_lowercase())
    }

    /// Codes of the languages that are known.
    #[must_use]
    pub fn codes() -> Vec<&'static str> {
        LANGUAGES.keys().map(String::as_str).collect()
    }

    /// Whether a text ends with the mark that closes a body.
    #[must_use]
    pub fn ends(&self, text: &str) -> bool {
        let text = text.trim_end();
        self.marks.end.iter().any(|mark| text.ends_with(mark.as_str()))
    }

    /// Whether a folded line begins a caption: `ảnh: ttxvn`, `(ảnh: văn phòng cục)`.
    #[must_use]
    pub fn is_caption(&self, folded: &str) -> bool {
        begins(&self.marks.caption, folded)
    }

    /// The name of who made a picture, behind the last mark of its caption: `(Ảnh: Văn phòng Cục)`. Marks are found in
    /// any case: legacy text may have lost it.
    #[must_use]
    pub fn credit<'a>(&self, caption: &'a str) -> Option<&'a str> {
        let end = |mark: &String| {
            let length = mark.chars().count();
            let starts = caption.char_indices().map(|(at, _)| at);
            starts
                .filter_map(|at| {
                    let mut rest = caption[at..].char_indices();
                    let end = rest.nth(length).map_or(caption.len(), |(e, _)| at + e);
                    let word = !caption[..at].ends_with(char::is_alphanumeric);
                    (word && caption[at..end].to_lowercase() == *mark).then_some(end)
                })
                .next_back()
        };
        let end = self.marks.credit.iter().filter_map(end).max()?;
        Some(caption[end..].trim_matches([' ', ')'])).filter(|c| !c.is_empty())
    }

    /// Whether a folded line names the unit of the table below.
    #[must_use]
    pub fn is_unit(&self, folded: &str) -> bool {
        begins(&self.marks.unit, folded)
    }

    /// Whether a folded line is a note below a table.
    #[must_use]
    pub fn is_note(&self, folded: &str) -> bool {
        begins(&self.marks.note, folded)
    }

    /// Whether a line names a table by its number: `Bảng 1. Dân số`, `Biểu số 02:`, `Table 8`. A sentence goes on in small
    /// letters (`Bảng 1 cho thấy …`).
    #[must_use]
    pub fn is_table_title(&self, line: &str) -> bool {
        let words: Vec<&str> = line.split_whitespace().take(8).collect();
        self.marks.table.iter().any(|mark| {
            let Some((name, [number, more @ ..])) = words.split_at_checked(mark.split(' ').count()) else {
                return false;
            };
            let name = super::fold(&name.join(" "));
            let bare = number.trim_end_matches(['.', ':', ')', '-', '–', '—', '/']);
            let roman = !bare.is_empty() && bare.chars().all(|c| "IVXLC".contains(c));
            name.trim_start_matches(OPENING).trim_end_matches(':') == mark
                && (roman || bare.starts_with(|c: char| c.is_ascii_digit()))
                && (bare.len() < number.len()
                    || more.first().is_none_or(|w| !w.starts_with(char::is_lowercase)))
        })
    }

    /// Whether a folded label is that of a row of sums.
    #[must_use]
    pub fn is_total(&self, folded: &str) -> bool {
        self.marks.total.iter().any(|mark| {
            folded
                .strip_prefix(mark.as_str())
                .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    }

    /// Whether a folded text is a unit of measure.
    #[must_use]
    pub fn is_measure(&self, folded: &str) -> bool {
        let mut words = folded.split([' ', '/', '.']).filter(|w| !w.is_empty());
        words.clone().count() <= 4 && words.any(|w| self.numbers.units.iter().any(|u| u == w))
    }

    /// Whether a folded text is a unit of measure and nothing else: what stands beside the number of a cell.
    #[must_use]
    pub fn is_only_measure(&self, folded: &str) -> bool {
        let mut words = folded.split([' ', '/', '.']).filter(|w| !w.is_empty());
        let known = |w: &str| self.numbers.units.iter().any(|u| u == w);
        (1..=4).contains(&words.clone().count()) && words.all(known)
    }

    /// Whether a folded header says that its column cannot be added up.
    #[must_use]
    pub fn is_ratio(&self, folded: &str) -> bool {
        self.numbers
            .ratio
            .iter()
            .any(|word| folded.contains(word.as_str()))
    }

    /// Whether a folded line announces pictures.
    #[must_use]
    pub fn announces_pictures(&self, folded: &str) -> bool {
        self.marks
            .gallery
            .iter()
            .any(|mark| folded.contains(mark.as_str()))
    }

    /// Whether a line begins as the name of an organisation does.
    #[must_use]
    pub fn is_organisation(&self, line: &str) -> bool {
        let folded = super::fold(line);
        self.signature.organisation.iter().any(|word| {
            folded
                .strip_prefix(super::fold(word).as_str())
                .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    }
}

/// What may stand before the first word of a line.
const OPENING: [char; 4] = ['(', '[', '*', ' '];

fn begins(marks: &[String], folded: &str) -> bool {
    let line = folded.trim_start_matches(OPENING);
    marks.iter().any(|mark| line.starts_with(mark.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lang::fold;

    #[test]
    fn every_file_is_folded_and_says_nothing_twice() {
        assert_eq!(Language::codes(), ["en", "vi"]);
        for language in LANGUAGES.values() {
            let p = &language.phrases;
            let m = &language.marks;
            for list in [
                &p.related,
                &p.tools,
                &p.counters,
                &p.chrome,
                &p.pager,
                &m.caption,
                &m.credit,
                &m.gallery,
                &m.unit,
                &m.note,
                &m.table,
                &m.total,
                &language.numbers.units,
                &language.numbers.ratio,
            ] {
                let mut seen = std::collections::BTreeSet::new();
                for phrase in list {
                    assert!(
                        !phrase.is_empty() && fold(phrase) == *phrase,
                        "{}: {phrase}",
                        language.code
                    );
                    assert!(seen.insert(phrase), "{}: {phrase} twice", language.code);
                }
            }
            assert_eq!(language.dates.weekdays.len(), 7);
            assert!(matches!(language.dates.months.len(), 0 | 12));
        }
    }

    #[test]
    fn marks_and_names() {
        let vi = Language::get("vi-VN").unwrap();
        assert!(vi.ends("giao lưu trong Khối./. "));
        assert!(vi.is_caption("(ảnh: văn phòng cục)") && vi.is_unit("(đơn vị tính: tỷ đồng)"));
        assert!(vi.is_organisation("Uỷ ban nhân dân tỉnh") && vi.is_organisation("CTK Bình Thuận"));
        assert!(!vi.is_organisation("Sởi và rubella") && !vi.is_organisation("Nguyễn Văn A"));
        assert!(Language::get("xx").is_none());
        for title in [
            "Bảng 1. Dân số",
            "BẢNG 2: TIỀN LƯƠNG",
            "Biểu số 2:",
            "Biểu số: 03",
            "Table 8.",
            "Bảng 4.12 Lao động",
            "Bảng II – Thu ngân sách",
            "(Bảng 5)",
        ] {
            assert!(vi.is_table_title(title), "{title}");
        }
        for text in [
            "Bảng 1 cho thấy dân số tăng",
            "Bảng giá đất năm 2012",
            "Biểu diễn 3 tiết mục",
            "Bảng",
            "Dân số",
        ] {
            assert!(!vi.is_table_title(text), "{text}");
        }
        assert!(vi.is_only_measure("đồng/kg") && !vi.is_only_measure("người bị thương"));
    }
}
