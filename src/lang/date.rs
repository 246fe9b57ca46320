//! Dates as texts print them: the words by language, the numbers day first (month names where the language has them).

use super::Language;
use crate::document::Precision;
use jiff::civil::{Date, Time, Weekday};
use regex::{Captures, Match, Regex};

/// What was read.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// ISO 8601: `2023-07-14`, `2023-07`, `2023-Q2`, `2023`, or RFC 3339 with offset where a time is known.
    pub value: String,
    /// How exact it is.
    pub precision: Precision,
    /// Which form it was printed in: `iso`, `numeric`, `words`, `month`, `quarter`, `year`, `without-year`.
    pub form: &'static str,
    /// 0 to 1; below 1 something was guessed: the century, the year, or which of date and weekday is right.
    pub confidence: f64,
    /// Bytes of the text, white space folded, that hold it.
    pub bytes: std::ops::Range<usize>,
}

/// How the text is to be understood.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// Its language; none: numbers and ISO only.
    pub language: Option<&'a Language>,
    /// Time zone of what is printed.
    pub zone: &'a jiff::tz::TimeZone,
    /// A day near to what is told: the year of a date without one.
    pub reference: Option<Date>,
}

/// Patterns of one language.
#[derive(Debug)]
pub(super) struct Patterns {
    words: Option<Regex>,
    months: Option<Regex>,
    month: Option<Regex>,
    quarter: Option<Regex>,
    year: Option<Regex>,
    yearless: Option<Regex>,
    time: Option<Regex>,
}

/// One of several words, the longest first.
fn any<'a>(words: impl IntoIterator<Item = &'a String>) -> Option<String> {
    let mut words: Vec<String> = words.into_iter().map(|w| regex::escape(w)).collect();
    words.sort_by_key(|w| std::cmp::Reverse(w.len()));
    (!words.is_empty()).then(|| words.join("|"))
}

impl Patterns {
    fn of(language: &Language) -> Self {
        let w = &language.dates;
        let compile = |source: Option<String>| source.map(|s| super::pattern(&s));
        let (day, month, year) = (any(&w.day), any(&w.month), any(&w.year));
        let both = || Some((month.clone()?, year.clone()?));
        let hours = any(&w.hour).map_or_else(String::new, |h| format!("|{h}"));
        let minutes = any(&w.minute).unwrap_or_else(|| "min".to_owned());
        let halves = any(w.morning.iter().chain(&w.afternoon));
        Self {
            words: compile(both().and_then(|(m, y)| {
                let day = day.clone()?;
                Some(format!(
                    r"(?i)(?:{day})\s+(\d{{1,2}})\s+(?:{m})\s+(\d{{1,2}})\s*,?\s*(?:{y})\s+(\d{{4}})\b"
                ))
            })),
            months: compile(any(&w.months).map(|names| {
                format!(
                    r"(?i)\b(?:(\d{{1,2}})(?:st|nd|rd|th)?\s+({names})|({names})\s+(\d{{1,2}})(?:st|nd|rd|th)?),?\s+(\d{{4}})\b"
                )
            })),
            month: compile(
                both().map(|(m, y)| format!(r"(?i)\b(?:{m})\s+(\d{{1,2}})\s*(?:/|-|,?\s*(?:{y})\s)\s*(\d{{4}})\b")),
            ),
            quarter: compile(any(&w.quarter).map(|q| {
                let y = year.clone().unwrap_or_default();
                format!(r"(?i)\b(?:{q})\s+(IV|III|II|I|[1-4])\s*(?:/|-|{y})?\s*(\d{{4}})\b")
            })),
            year: compile(year.clone().map(|y| format!(r"(?i)(?:(?:{y})\s+|^\s*)(\d{{4}})\s*$"))),
            yearless: compile(any(w.day.iter().chain(&w.parts_of_day).chain(w.weekdays.iter().flatten())).map(|before| {
                format!(r"(?i)\b(?:{before})\s*,?\s+(\d{{1,2}})\s*[/\-]\s*(\d{{1,2}})\b")
            })),
            time: compile(Some(format!(
                r"(?i)\b(\d{{1,2}})\s*(?::{hours})\s*(\d{{2}})(?::(\d{{2}}))?(?:\s*(?:{minutes}))?(?:\s*({})\b)?",
                halves.unwrap_or_else(|| "am|pm".to_owned())
            ))),
        }
    }
}

static ISO: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| {
    super::pattern(
        r"(?-u:\b)(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(?:\.\d+)?(Z|[+-]\d{2}:?\d{2})?)?",
    )
});
/// What NukeViet prints where the T should stand is the zone: `2023-07-17+0708:30:00`.
static NUKEVIET: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| {
    super::pattern(r"(?-u:\b)(\d{4})-(\d{2})-(\d{2})([+-]\d{2})(\d{2}):(\d{2}):(\d{2})\b")
});
static NUMBERS: std::sync::LazyLock<Regex> = std::sync::LazyLock::new(|| {
    super::pattern(r"(?-u:\b)(\d{1,2})\s*([/.\-])\s*(\d{1,2})\s*([/.\-])\s*(\d{4}|\d{2})(?-u:\b)")
});
static CLOCK: std::sync::LazyLock<Regex> =
    std::sync::LazyLock::new(|| super::pattern(r"(?i)\b(\d{1,2}):(\d{2})(?::(\d{2}))?(?:\s*(am|pm)\b)?"));

fn number(found: Option<Match<'_>>) -> Option<i16> {
    found?.as_str().parse().ok()
}

fn civil(year: i16, month: i16, day: i16) -> Option<Date> {
    Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Reads the first date in a text. `None`: there is none, or it is no day of the calendar.
#[must_use]
pub fn find(text: &str, reading: &Reading<'_>) -> Option<Found> {
    let text = super::spaces(text);
    let patterns = reading.language.map(|l| l.date.get_or_init(|| Patterns::of(l)));
    if let Some(found) = iso(&text, reading.zone) {
        return Some(found);
    }
    let day = patterns
        .and_then(|p| written(&text, p, reading))
        .or_else(|| numeric(&text))
        .or_else(|| without_year(&text, patterns?, reading.reference?));
    if let Some((date, form, confidence, bytes)) = day {
        let rest = format!("{} {}", &text[..bytes.start], &text[bytes.end..]);
        let confidence = confidence * weekday(&rest, date, reading.language);
        let time = patterns
            .and_then(|p| p.time.as_ref())
            .unwrap_or(&CLOCK)
            .captures(&rest)
            .and_then(|c| clock(&c, reading.language));
        let (value, precision) = stamp(date, time, reading.zone);
        return Some(Found {
            value,
            precision,
            form,
            confidence,
            bytes,
        });
    }
    patterns.and_then(|p| coarse(&text, p))
}

fn iso(text: &str, zone: &jiff::tz::TimeZone) -> Option<Found> {
    let made = |value: String, precision, bytes| Found {
        value,
        precision,
        form: "iso",
        confidence: 1.0,
        bytes,
    };
    if let Some(c) = NUKEVIET.captures(text) {
        let date = civil(number(c.get(1))?, number(c.get(2))?, number(c.get(3))?)?;
        let time = Time::new(part(&c, 5)?, part(&c, 6)?, part(&c, 7)?, 0).ok();
        let (value, precision) = stamp(date, time, zone);
        return Some(made(value, precision, c.get(0)?.range()));
    }
    let c = ISO.captures(text)?;
    let date = civil(number(c.get(1))?, number(c.get(2))?, number(c.get(3))?)?;
    let bytes = c.get(0)?.range();
    let (Some(h), Some(m)) = (part(&c, 4), part(&c, 5)) else {
        return Some(made(date.to_string(), Precision::Day, bytes));
    };
    let second = part(&c, 6).unwrap_or(0);
    let Some(offset) = c.get(7) else {
        let (value, precision) = stamp(date, Time::new(h, m, 0, 0).ok(), zone);
        return Some(made(value, precision, bytes));
    };
    let offset = if offset.as_str() == "Z" {
        "+00:00"
    } else {
        offset.as_str()
    };
    let at: jiff::Timestamp = format!("{date}T{h:02}:{m:02}:{second:02}{offset}").parse().ok()?;
    let local = at.to_zoned(zone.clone()).datetime();
    let time = Time::new(local.hour(), local.minute(), 0, 0).ok();
    let (value, precision) = stamp(local.date(), time, zone);
    Some(made(value, precision, bytes))
}

fn part(c: &Captures<'_>, at: usize) -> Option<i8> {
    c.get(at)?.as_str().parse().ok()
}

type Day = (Date, &'static str, f64, std::ops::Range<usize>);

/// `ngày 14 tháng 7 năm 2023`, `July 14, 2023`.
fn written(text: &str, p: &Patterns, reading: &Reading<'_>) -> Option<Day> {
    if let Some(c) = p.words.as_ref().and_then(|r| r.captures(text)) {
        let date = civil(number(c.get(3))?, number(c.get(2))?, number(c.get(1))?)?;
        return Some((date, "words", 1.0, c.get(0)?.range()));
    }
    let c = p.months.as_ref()?.captures(text)?;
    let name = c.get(2).or_else(|| c.get(3))?.as_str().to_lowercase();
    let names = &reading.language?.dates.months;
    let month = i16::try_from(names.iter().position(|n| *n == name)? + 1).ok()?;
    let day = number(c.get(1).or_else(|| c.get(4)))?;
    Some((
        civil(number(c.get(5))?, month, day)?,
        "words",
        1.0,
        c.get(0)?.range(),
    ))
}

/// `14/7/2023`, `14-07-2023`, `14.07.23`, `18 /01/2023`: the first that is a day and no part of a longer number.
fn numeric(text: &str) -> Option<Day> {
    /// Two digits before this are of this century.
    const PIVOT: i16 = 70;
    let read = |c: &Captures<'_>| {
        let whole = c.get(0)?;
        let glued = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-');
        let before = text[..whole.start()].chars().next_back();
        let mut after = text[whole.end()..].chars();
        // A number goes on behind a sign (an address of a computer, a document); a sentence ends with one.
        let goes_on = match after.next() {
            Some('/' | '-' | '.') => after.next().is_some_and(char::is_alphanumeric),
            Some(c) => c.is_alphanumeric(),
            None => false,
        };
        if before.is_some_and(glued) && before != Some('-')
            || goes_on
            || c.get(2)?.as_str() != c.get(4)?.as_str()
        {
            return None;
        }
        let year = number(c.get(5))?;
        let short = c.get(5)?.len() == 2;
        let year = match year {
            y if !short => y,
            y if y < PIVOT => 2000 + y,
            y => 1900 + y,
        };
        let date = civil(year, number(c.get(3))?, number(c.get(1))?)?;
        Some((date, "numeric", if short { 0.8 } else { 1.0 }, whole.range()))
    };
    // `08:30 - 17/07/2023`: what looks like a date may begin with the minutes before it.
    let mut at = 0;
    while let Some(c) = NUMBERS.captures_at(text, at) {
        let found = read(&c);
        if found.is_some() {
            return found;
        }
        at = c.get(1)?.end();
    }
    None
}

/// `Sáng 06/9`, `Ngày 21/7`: the year that brings it next to the reference.
fn without_year(text: &str, p: &Patterns, reference: Date) -> Option<Day> {
    let c = p.yearless.as_ref()?.captures(text)?;
    let whole = c.get(0)?;
    if text[whole.end()..].trim_start().starts_with(['/', '-', '.', '%'])
        && !text[whole.end()..].starts_with(". ")
    {
        return None;
    }
    let (day, month) = (number(c.get(1))?, number(c.get(2))?);
    let date = [-1, 0, 1]
        .into_iter()
        .filter_map(|years| civil(reference.year() + years, month, day))
        .min_by_key(|d| (reference - *d).get_days().abs())?;
    Some((date, "without-year", 0.6, whole.range()))
}

/// 1, or less if the text names another day of the week.
fn weekday(rest: &str, date: Date, language: Option<&Language>) -> f64 {
    let Some(language) = language else { return 1.0 };
    let folded = super::fold(rest);
    let names = language.dates.weekdays.iter();
    let named = names.enumerate().find_map(|(at, names)| {
        let said = names.iter().any(|name| {
            folded.match_indices(name.as_str()).any(|(start, _)| {
                let letter = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
                !letter(folded[..start].chars().next_back())
                    && !letter(folded[start + name.len()..].chars().next())
            })
        });
        said.then_some(at)
    });
    let right = named.is_none_or(|at| {
        i8::try_from(at)
            .is_ok_and(|at| Weekday::from_monday_zero_offset(at).is_ok_and(|d| d == date.weekday()))
    });
    if right { 1.0 } else { 0.5 }
}

/// The time of a match; `None` for one that no clock shows.
fn clock(c: &Captures<'_>, language: Option<&Language>) -> Option<Time> {
    let (mut hour, minute) = (part(c, 1)?, part(c, 2)?);
    let half = c.get(4).map(|m| m.as_str().to_lowercase());
    let is = |words: &[String], plain: &str| {
        half.as_deref()
            .is_some_and(|h| h == plain || words.iter().any(|w| w == h))
    };
    let none: &[String] = &[];
    let (am, pm) = language.map_or((none, none), |l| (&l.dates.morning, &l.dates.afternoon));
    if is(pm, "pm") && hour < 12 {
        hour += 12;
    } else if is(am, "am") && hour == 12 {
        hour = 0;
    }
    Time::new(hour, minute, 0, 0).ok()
}

/// Midnight means that the portal knew no time.
fn stamp(date: Date, time: Option<Time>, zone: &jiff::tz::TimeZone) -> (String, Precision) {
    let time = time.filter(|t| *t != Time::midnight());
    let zoned = time.and_then(|t| date.to_datetime(t).to_zoned(zone.clone()).ok());
    match zoned {
        None => (date.to_string(), Precision::Day),
        Some(zoned) => (
            zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
            Precision::Minute,
        ),
    }
}

/// `tháng 6/2023`, `quý II/2023`, `năm 2023`.
fn coarse(text: &str, p: &Patterns) -> Option<Found> {
    let made = |value: String, precision, form, whole: Match<'_>| Found {
        value,
        precision,
        form,
        confidence: 1.0,
        bytes: whole.range(),
    };
    if let Some(c) = p.month.as_ref().and_then(|r| r.captures(text)) {
        let (month, year) = (number(c.get(1))?, number(c.get(2))?);
        let value = format!("{year:04}-{month:02}");
        return (1..=12)
            .contains(&month)
            .then_some(made(value, Precision::Month, "month", c.get(0)?));
    }
    if let Some(c) = p.quarter.as_ref().and_then(|r| r.captures(text)) {
        let quarter = match c[1].to_uppercase().as_str() {
            "I" | "1" => 1,
            "II" | "2" => 2,
            "III" | "3" => 3,
            _ => 4,
        };
        return Some(made(
            format!("{}-Q{quarter}", &c[2]),
            Precision::Quarter,
            "quarter",
            c.get(0)?,
        ));
    }
    let c = p.year.as_ref()?.captures(text)?;
    Some(made(c[1].to_owned(), Precision::Year, "year", c.get(0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, language: &str) -> Option<Found> {
        let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        find(
            text,
            &Reading {
                language: Language::get(language),
                zone: &zone,
                reference: Some(jiff::civil::date(2023, 1, 10)),
            },
        )
    }

    #[test]
    fn forms_of_vietnamese_portals() {
        for (text, value) in [
            ("Chiều ngày 14/7/2023", "2023-07-14"),
            ("Thứ sáu, 14/07/2023 | 15:30 GMT+7", "2023-07-14T15:30:00+07:00"),
            ("Thứ hai - 17/07/2023 08:30", "2023-07-17T08:30:00+07:00"),
            ("Thứ 3, Ngày 16/07/2024 -", "2024-07-16"),
            ("21/07/2022 | 12:00 AM", "2022-07-21"),
            ("21/07/2022 00:00", "2022-07-21"),
            ("21/07/2022 | 10:00 AM", "2022-07-21T10:00:00+07:00"),
            ("(04/08/2016 08:32)", "2016-08-04T08:32:00+07:00"),
            ("05/05/2020 - 02:52 PM", "2020-05-05T14:52:00+07:00"),
            ("05/05/2020 2:52 CH", "2020-05-05T14:52:00+07:00"),
            ("05/05/2020 9:05:10 SA", "2020-05-05T09:05:00+07:00"),
            ("08/07/2024  11:38", "2024-07-08T11:38:00+07:00"),
            ("15h30 ngày 14/7/2023", "2023-07-14T15:30:00+07:00"),
            (
                "15 giờ 30 phút, ngày 14 tháng 7 năm 2023",
                "2023-07-14T15:30:00+07:00",
            ),
            ("ngày 14 tháng 07, năm 2023", "2023-07-14"),
            ("18 /01/2023", "2023-01-18"),
            ("18-01-2023", "2023-01-18"),
            ("18.01.23", "2023-01-18"),
            ("tháng 6/2023", "2023-06"),
            ("tháng 6 năm 2023", "2023-06"),
            ("quý II/2023", "2023-Q2"),
            ("Quý 3 năm 2023", "2023-Q3"),
            ("năm 2023", "2023"),
            ("2023-07-14T01:00:00Z", "2023-07-14T08:00:00+07:00"),
            ("2023-07-14", "2023-07-14"),
            ("2023-07-17+0708:30:00", "2023-07-17T08:30:00+07:00"),
            ("đến hết ngày 14/7/2023.", "2023-07-14"),
            ("Sáng 06/9, Trung tâm", "2022-09-06"),
            ("Ngày 21/1, Cục", "2023-01-21"),
        ] {
            assert_eq!(
                read(text, "vi").map(|p| p.value).as_deref(),
                Some(value),
                "{text}"
            );
        }
        for text in [
            "ngày … tháng … năm",
            "31/02/2023",
            "Quyết định số 60/2023/QĐ-UBND",
            "máy chủ 10.0.11.12",
            "đạt 6/12 chỉ tiêu",
            "điện thoại 0252.3.822.123",
            "",
        ] {
            assert_eq!(read(text, "vi"), None, "{text}");
        }
    }

    #[test]
    fn guesses_say_so() {
        let sure = |text| read(text, "vi").unwrap().confidence;
        assert!(sure("14/7/2023") >= 1.0 && sure("Thứ sáu, 14/7/2023") >= 1.0);
        assert!(sure("14/7/23") < 1.0 && sure("Sáng 06/9") < 1.0 && sure("Thứ hai, 14/7/2023") < 1.0);
        let found = read("Chiều ngày 14/7/2023, tại", "vi").unwrap();
        assert_eq!(&"Chiều ngày 14/7/2023, tại"[found.bytes], "14/7/2023");
    }

    #[test]
    fn another_language_is_a_data_file() {
        assert_eq!(
            read("Friday, July 14, 2023 3:30 pm", "en").unwrap().value,
            "2023-07-14T15:30:00+07:00"
        );
        assert_eq!(read("on 14th July 2023", "en").unwrap().value, "2023-07-14");
        assert_eq!(read("14/7/2023", "xx").unwrap().value, "2023-07-14");
    }
}
