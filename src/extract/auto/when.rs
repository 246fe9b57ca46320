//! The day of publication: what is told to machines, then what stands near the title, then the address.

use super::facts::{Candidate, Facts, candidate};
use super::stream::{Block, Stream, tells};
use super::words::{Part, Phrase};
use crate::lang::{Language, date, pattern};
use crate::page::Page;
use regex::Regex;
use std::sync::LazyLock;

/// Blocks round the title that may hold its date.
const NEAR: usize = 25;
/// Longest line that is a date with its label, in characters.
const LONGEST: usize = 160;

/// Blocks from the title within which a line with the author may hold the date too.
const BESIDE: usize = 6;

/// Blocks above the title in which its date may stand.
const ABOVE: usize = 4;

/// A line that says when the page was published, wherever it stands.
static PUBLISHED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\W*(?:first published|published|posted|publié|veröffentlicht|publicado|pubblicato|gepubliceerd|discussion in\b.*\bstarted by|ngày đăng|đăng ngày|ngày xuất bản|cập nhật ngày|ngày cập nhật)\b",
    )
});

/// So many dates in the same place are those of a list.
const LISTED: usize = 3;

static ISO: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?-u:\b)((?:19|20)\d{2})[-/.]?(0[1-9]|1[0-2])[-/.]?(0[1-9]|[12]\d|3[01])(?:[T ]+(\d{2}):(\d{2})(?::(\d{2}))?(?:[.,]\d+)?\s*(Z|[+-]\d{2}:?\d{2})?)?",
    )
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(\d{1,2})(?:st|nd|rd|th|\.|º|er)?\s*(?:de\s+|d')?([\p{L}]{3,10})\.?,?\s*(?:de\s+|del\s+)?|([\p{L}]{3,10})\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+)((?:19|20)\d{2})(?:\b|\p{Lu})",
    )
});
static AMERICAN: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?-u:\b)(\d{1,2})/(\d{1,2})/((?:19|20)\d{2})(?-u:\b)"));
static IN_URL: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"[/\-_=]((?:19|20)\d{2})[/\-_]?(0[1-9]|1[0-2])[/\-_]?(0[1-9]|[12]\d|3[01])(?:[/\-_.?]|$)")
});

/// First letters of the names of months, January first: English, German, French, Spanish, Portuguese, Italian, Dutch, the
/// Scandinavian languages, Polish.
const MONTHS: [&[&str]; 12] = [
    &["jan", "jän", "ene", "gen", "sty"],
    &["feb", "fev", "fév", "lut"],
    &["mar", "mär", "maa", "mrz", "mrt"],
    &["apr", "avr", "abr", "kwi"],
    &["may", "mai", "mag", "mei", "maj"],
    &["jun", "giu", "juin", "cze"],
    &["jul", "lug", "juil", "lip"],
    &["aug", "aou", "aoû", "ago", "sie"],
    &["sep", "set", "wrz"],
    &["oct", "okt", "out", "ott", "paź"],
    &["nov", "lis"],
    &["dec", "dez", "déc", "dic", "des", "gru"],
];

fn month(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    if name.starts_with("juil") {
        return Some(7);
    }
    MONTHS
        .iter()
        .position(|starts| starts.iter().any(|s| name.starts_with(s)))
        .map(|m| m + 1)
}

/// A day or a moment as printed, in ISO 8601; the offset stays as it was told.
pub(super) fn read(text: &str, language: Option<&str>) -> Option<String> {
    let text = text.trim();
    if text.len() >= 10
        && text.len() <= 13
        && text.bytes().all(|b| b.is_ascii_digit())
        && !text.starts_with("20")
    {
        let seconds: i64 = text.parse().ok()?;
        let seconds = if text.len() > 11 { seconds / 1000 } else { seconds };
        return jiff::Timestamp::from_second(seconds).ok().map(|t| t.to_string());
    }
    if let Some(c) = ISO.captures(text) {
        let part = |n: usize| c.get(n).map(|m| m.as_str());
        let day = format!("{}-{}-{}", part(1)?, part(2)?, part(3)?);
        day.parse::<jiff::civil::Date>().ok()?;
        let Some((hour, minute)) = part(4).zip(part(5)) else {
            return Some(day);
        };
        let second = part(6).unwrap_or("00");
        let mut offset = part(7).unwrap_or_default().to_owned();
        if offset.len() == 5 {
            offset.insert(3, ':');
        }
        return Some(format!("{day}T{hour}:{minute}:{second}{offset}"));
    }
    for c in NAMED.captures_iter(text) {
        let name = c.get(2).or_else(|| c.get(3))?.as_str();
        let day: usize = c.get(1).or_else(|| c.get(4))?.as_str().parse().ok()?;
        if let Some(month) = month(name) {
            let day = format!("{}-{month:02}-{day:02}", c.get(5)?.as_str());
            if day.parse::<jiff::civil::Date>().is_ok() {
                return Some(day);
            }
        }
    }
    if language
        .is_some_and(|l| l.eq_ignore_ascii_case("en-us") || l.eq_ignore_ascii_case("en_us") || l == "en")
        && let Some(c) = AMERICAN.captures(text)
    {
        let part = |n: usize| c.get(n).and_then(|m| m.as_str().parse::<u8>().ok());
        let day = format!("{}-{:02}-{:02}", c.get(3)?.as_str(), part(1)?, part(2)?);
        if day.parse::<jiff::civil::Date>().is_ok() {
            return Some(day);
        }
    }
    let reading = date::Reading {
        language: language.and_then(Language::get).or_else(|| Language::get("vi")),
        zone: &jiff::tz::TimeZone::UTC,
        reference: None,
    };
    let found = date::find(text, &reading)?;
    (found.value.len() >= 10 && matches!(found.form, "iso" | "numeric" | "words"))
        .then(|| found.value.get(..10).map(str::to_owned))
        .flatten()
}

/// Chooses the day of publication. `title` is the block of the title, `first` the first kept one.
pub(super) fn choose(
    page: &Page,
    stream: &Stream<'_>,
    facts: &Facts,
    title: Option<usize>,
    first: usize,
) -> Option<Candidate> {
    let language = facts.language.as_ref().map(|l| l.value.as_str());
    let told = facts.published.iter().find_map(|told| {
        let value = read(&told.value, language)?;
        Some(Candidate {
            value,
            ..told.clone()
        })
    });
    let anchor = title.unwrap_or(first);
    if let Some(told) = told {
        // Where a system tells the day on which it wrote the page anew, an earlier one that the page shows is right.
        if facts.rewritten
            && told.method == "json-ld"
            && let Some(seen) = visible(stream, anchor, language).filter(|c| c.confidence >= 0.7)
            && seen.value.get(..10) < told.value.get(..10)
        {
            return Some(seen);
        }
        return Some(told);
    }
    // `<time>` near the title, then lines that a template calls a date, then short lines with one.
    let times = stream.head.marked.iter().filter(|(_, name, _)| *name == "time");
    let mut best: Option<(usize, Candidate)> = None;
    for (node, _, value) in times {
        let Some(span) = page.text.span(*node) else {
            continue;
        };
        let at = stream.blocks.partition_point(|b| b.span.1 <= span.0);
        let away = at.abs_diff(anchor);
        let text = value.map_or_else(|| page.text.slice(span).to_owned(), str::to_owned);
        if away <= NEAR
            && best.as_ref().is_none_or(|(a, _)| away < *a)
            && let Some(value) = read(&text, language)
        {
            let chars = Some(span).filter(|s| !s.is_empty());
            best = Some((
                away,
                Candidate {
                    value,
                    method: "time".into(),
                    confidence: 0.8,
                    chars,
                },
            ));
        }
    }
    if let Some((_, found)) = best {
        return Some(found);
    }
    if let Some(found) = visible(stream, anchor, language) {
        return Some(found);
    }
    let c = IN_URL.captures(page.url.as_str())?;
    let part = |n: usize| c.get(n).map(|m| m.as_str());
    candidate(&format!("{}-{}-{}", part(1)?, part(2)?, part(3)?), "url", 0.6)
}

/// The date in a line near the title, or in one that says that it is the day of publication.
fn visible(stream: &Stream<'_>, anchor: usize, language: Option<&str>) -> Option<Candidate> {
    let mut best: Option<(usize, Candidate)> = None;
    let from = anchor.saturating_sub(NEAR);
    for (at, block) in stream.blocks.iter().enumerate().skip(from).take(2 * NEAR) {
        if block.digits < 3 || block.text.chars().count() > LONGEST {
            continue;
        }
        let byline = at.abs_diff(anchor) <= BESIDE && matches!(block.phrase, Some((Phrase::Byline, _)));
        let said = byline || PUBLISHED.is_match(block.text);
        // Far above the title stands the day of the visit.
        if at + ABOVE < anchor && !said {
            continue;
        }
        let named = said
            || stream
                .up(block.inner)
                .take(3)
                .any(|e| tells(&stream.elements[e], Part::Date));
        // Many dates in the same place are those of a list.
        let path = |b: &Block<'_>| stream.elements.get(b.inner).map(|e| e.path);
        let alike = stream
            .blocks
            .iter()
            .filter(|b| b.digits >= 3 && path(b) == path(block));
        if alike.take(LISTED).count() == LISTED {
            continue;
        }
        // A day in a sentence is that of the event.
        let short = block.chars <= 60 && block.digits * 4 >= block.chars;
        let Some(value) = (named || short).then(|| read(block.text, language)).flatten() else {
            continue;
        };
        // A date above the title is often today's.
        let away = at.abs_diff(anchor) * 2 + usize::from(at < anchor) * 8 + usize::from(!named) * 10;
        if best.as_ref().is_none_or(|(a, _)| away < *a) {
            let confidence = if named { 0.7 } else { 0.5 };
            best = Some((
                away,
                Candidate {
                    value,
                    method: "visible".into(),
                    confidence,
                    chars: Some(block.span),
                },
            ));
        }
    }
    if let Some((_, found)) = best {
        return Some(found);
    }
    let short = |b: &&Block<'_>| b.digits >= 3 && b.text.chars().count() <= LONGEST / 2;
    let mut said = stream
        .blocks
        .iter()
        .filter(short)
        .filter(|b| PUBLISHED.is_match(b.text));
    let block = said.next().filter(|_| said.next().is_none())?;
    Some(Candidate {
        value: read(block.text, language)?,
        method: "visible".into(),
        confidence: 0.7,
        chars: Some(block.span),
    })
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn days_as_they_are_printed() {
        for (text, day) in [
            ("2025-06-05T14:46:12.123+0200", "2025-06-05T14:46:12+02:00"),
            ("Published: Oct. 3, 2024 at 5pm", "2024-10-03"),
            ("3. März 2021", "2021-03-03"),
            ("5 de mayo de 2019", "2019-05-05"),
            ("Ngày 14/7/2023", "2023-07-14"),
            ("1700000000", "2023-11-14T22:13:20Z"),
            ("Dec 17, 2025Julian", "2025-12-17"),
        ] {
            assert_eq!(read(text, None).as_deref(), Some(day), "{text}");
        }
        assert_eq!(read("7/14/2023", Some("en-US")).as_deref(), Some("2023-07-14"));
        assert_eq!(read("12 angry 2023", None), None);
    }
}
