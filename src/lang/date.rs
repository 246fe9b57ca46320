//! Vietnamese dates, day first.

use super::pattern;
use crate::document::Precision;
use regex::Regex;
use std::sync::LazyLock;

static ISO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{2}):(\d{2})(?::(\d{2}))?(Z|[+-]\d{2}:?\d{2})?)?")
});
static DAY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"\b(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{4}|\d{2})\b"));
static WORDS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)ngày\s+(\d{1,2})\s+tháng\s+(\d{1,2})\s*(?:,\s*)?năm\s+(\d{4})"));
static MONTH: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)tháng\s+(\d{1,2})\s*(?:/|năm|-)\s*(\d{4})"));
static QUARTER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)quý\s+(IV|III|II|I|[1-4])\s*(?:/|năm|-)?\s*(\d{4})"));
static YEAR: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(?:năm\s+|^\s*)(\d{4})\s*$"));
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(\d{1,2})\s*(?::|h|giờ)\s*(\d{2})(?::(\d{2}))?(?:\s*phút)?(?:\s*(AM|PM|SA|CH)\b)?")
});

/// Reads the first date in a text. `None`: there is none, or it is no day of the calendar.
pub fn parse(text: &str, zone: &jiff::tz::TimeZone) -> Option<(String, Precision)> {
    let text = super::spaces(text);
    let number = |s: Option<regex::Match<'_>>| s.and_then(|m| m.as_str().parse::<i16>().ok());
    if let Some(c) = ISO.captures(&text) {
        let date = civil(number(c.get(1))?, number(c.get(2))?, number(c.get(3))?)?;
        let (Some(h), Some(m)) = (number(c.get(4)), number(c.get(5))) else {
            return Some((date.to_string(), Precision::Day));
        };
        if let Some(offset) = c.get(7) {
            let s = number(c.get(6)).unwrap_or(0);
            let zone_text = if offset.as_str() == "Z" {
                "+00:00"
            } else {
                offset.as_str()
            };
            let at: jiff::Timestamp = format!("{date}T{h:02}:{m:02}:{s:02}{zone_text}").parse().ok()?;
            let local = at.to_zoned(zone.clone()).datetime();
            return stamp(local.date(), local.hour().into(), local.minute().into(), zone);
        }
        return stamp(date, h, m, zone);
    }
    let (date, rest) = if let Some(c) = WORDS.captures(&text).or_else(|| DAY.captures(&text)) {
        let year = number(c.get(3))?;
        let year = match year {
            0..70 => 2000 + year,
            70..100 => 1900 + year,
            _ => year,
        };
        let whole = c.get(0)?;
        let rest = format!("{} {}", &text[..whole.start()], &text[whole.end()..]);
        (civil(year, number(c.get(2))?, number(c.get(1))?)?, rest)
    } else if let Some(c) = MONTH.captures(&text) {
        let (month, year) = (number(c.get(1))?, number(c.get(2))?);
        return (1..=12)
            .contains(&month)
            .then(|| (format!("{year:04}-{month:02}"), Precision::Month));
    } else if let Some(c) = QUARTER.captures(&text) {
        let quarter = match c[1].to_uppercase().as_str() {
            "I" | "1" => 1,
            "II" | "2" => 2,
            "III" | "3" => 3,
            _ => 4,
        };
        return Some((format!("{}-Q{quarter}", &c[2]), Precision::Quarter));
    } else {
        return YEAR.captures(&text).map(|c| (c[1].to_owned(), Precision::Year));
    };
    let Some(c) = TIME.captures(&rest) else {
        return Some((date.to_string(), Precision::Day));
    };
    let (mut hour, minute) = (number(c.get(1))?, number(c.get(2))?);
    match c.get(4).map(|m| m.as_str().to_uppercase()).as_deref() {
        Some("PM" | "CH") if hour < 12 => hour += 12,
        Some("AM" | "SA") if hour == 12 => hour = 0,
        _ => {}
    }
    stamp(date, hour, minute, zone)
}

fn civil(year: i16, month: i16, day: i16) -> Option<jiff::civil::Date> {
    jiff::civil::Date::new(year, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Midnight means that the portal knew no time.
fn stamp(date: jiff::civil::Date, h: i16, m: i16, zone: &jiff::tz::TimeZone) -> Option<(String, Precision)> {
    if (h, m) == (0, 0) {
        return Some((date.to_string(), Precision::Day));
    }
    let time = jiff::civil::Time::new(h.try_into().ok()?, m.try_into().ok()?, 0, 0);
    let Ok(time) = time else {
        return Some((date.to_string(), Precision::Day));
    };
    let zoned = date.to_datetime(time).to_zoned(zone.clone()).ok()?;
    Some((
        zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
        Precision::Minute,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_vietnamese_portals() {
        let zone = jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        for (text, value) in [
            ("Chiều ngày 14/7/2023", "2023-07-14"),
            ("Thứ sáu, 14/07/2023 | 15:30 GMT+7", "2023-07-14T15:30:00+07:00"),
            ("Thứ hai - 17/07/2023 08:30", "2023-07-17T08:30:00+07:00"),
            ("21/07/2022 | 12:00 AM", "2022-07-21"),
            ("05/05/2020 - 02:52 PM", "2020-05-05T14:52:00+07:00"),
            (
                "15 giờ 30 phút, ngày 14 tháng 7 năm 2023",
                "2023-07-14T15:30:00+07:00",
            ),
            ("18 /01/2023", "2023-01-18"),
            ("18-01-2023", "2023-01-18"),
            ("18.01.23", "2023-01-18"),
            ("tháng 6/2023", "2023-06"),
            ("quý II/2023", "2023-Q2"),
            ("2023-07-14T01:00:00Z", "2023-07-14T08:00:00+07:00"),
        ] {
            assert_eq!(parse(text, &zone).map(|p| p.0).as_deref(), Some(value), "{text}");
        }
        assert_eq!(parse("ngày … tháng … năm", &zone), None);
        assert_eq!(parse("31/02/2023", &zone), None);
    }
}
