//! Conditions on the finished document. What reading the page noted (an id that is the name of a rule) gets the level that the
//! mapping gives it; the rest is looked at here. Each gate says what it found, never how good a document is as a whole.

use crate::document::{Block, DateValue, Document, Gate, GateLevel, Image, LinkKind, MediaState, Precision};
use crate::lang::{Language, fold};
use crate::mapping::model::{GateCheck, GateKind, Level};
use jiff::civil::Date;
use jiff::{Span, Timestamp};

/// No date of a page is earlier, whatever it is the date of: earlier ones are epochs of clocks and empty fields (0001, 1753,
/// 1899 in .NET, SQL Server and OLE).
const EARLIEST: i16 = 1900;
/// Nothing is in force or takes place later.
const LATEST: i16 = 2100;
/// Days that a server's calendar may be ahead of the site's: time zones differ by 26 hours at most.
const AHEAD: i64 = 1;
/// Things that a note names one by one.
const NAMED: usize = 5;

/// By what documents are judged.
#[derive(Clone, Debug)]
pub struct Judging<'a> {
    /// The gates of the collection.
    pub gates: Vec<GateCheck<'a>>,
    /// The day on which the page was captured, in the site's time zone; `None`: not known, so nothing is in its future.
    pub captured: Option<Date>,
}

impl<'a> Judging<'a> {
    /// For pages of a collection of the mapping, captured at `at`.
    #[must_use]
    pub fn new(
        mapping: &'a crate::mapping::Mapping,
        collection: &'a crate::mapping::model::Collection,
        at: Option<Timestamp>,
    ) -> Self {
        Self {
            gates: mapping.rules().gates(collection),
            captured: at.map(|at| at.to_zoned(mapping.timezone()).date()),
        }
    }
}

/// Judges a document by itself. What stands in its gates is what reading its page noted.
pub(super) fn judge(document: &mut Document, judging: &Judging<'_>) {
    let told = std::mem::take(&mut document.quality.gates);
    let mut gates = Vec::new();
    for check in &judging.gates {
        if check.level() == Level::Off {
            continue;
        }
        let noted = told.iter().filter(|g| g.id == check.kind.name());
        let noted = noted.map(|g| (g.level, g.note.clone()));
        let found: Vec<(GateLevel, String)> = match looked(document, check, judging.captured) {
            Looked::Noted => noted.collect(),
            Looked::Found(note) => note.into_iter().map(|n| (built_in(check.kind), n)).collect(),
        };
        gates.extend(found.into_iter().map(|(level, note)| Gate {
            id: check.id.to_owned(),
            level: match check.said {
                Some(Level::Warn) => GateLevel::Warn,
                Some(_) => GateLevel::Fail,
                None => level,
            },
            note,
        }));
    }
    document.quality.gates = gates;
}

fn built_in(kind: GateKind) -> GateLevel {
    match kind.level() {
        Level::Fail => GateLevel::Fail,
        Level::Warn | Level::Off => GateLevel::Warn,
    }
}

/// Where a gate's finding comes from.
enum Looked {
    /// From reading the page.
    Noted,
    /// From here: what it found, if anything.
    Found(Option<String>),
}

fn looked(document: &Document, check: &GateCheck<'_>, captured: Option<Date>) -> Looked {
    let at = check.at;
    Looked::Found(match check.kind {
        GateKind::Accounted => {
            let n = count(document.accounting.unaccounted);
            let allowed = if at > 0 {
                format!(", at most {at} may be")
            } else {
                String::new()
            };
            (n > at).then(|| format!("{n} characters are unaccounted{allowed}"))
        }
        GateKind::MinBody => {
            let n = count(document.body.iter().map(|b| b.text().chars().count()).sum());
            (n < at).then(|| format!("the body has {n} characters, at least {at} are expected"))
        }
        GateKind::CaptionsHaveImages => lone_captions(document),
        GateKind::AltText => {
            let (all, none) = without_alt(document);
            (none > at).then(|| format!("pictures without alternative text: {none} of {all}"))
        }
        GateKind::MediaComplete => {
            let all = document.media.iter().chain(&document.attachments);
            let missing: Vec<&str> = all
                .filter(|m| m.state != MediaState::Ok)
                .map(|m| m.source_url.as_str())
                .collect();
            some(&missing).map(|named| format!("not stored: {named}"))
        }
        GateKind::MaxRawHtml => {
            let raw = document
                .body
                .iter()
                .filter(|b| matches!(b, Block::RawHtml { .. }));
            let n = count(raw.count());
            (n > at).then(|| format!("{n} blocks are raw HTML, at most {at} may be"))
        }
        GateKind::DateSane => implausible(document, at, captured),
        GateKind::DatesOrder => disordered(document),
        GateKind::BrokenLinks => {
            let links = document.links.iter();
            let nowhere: Vec<&str> = links
                .filter(|l| matches!(l.kind, LinkKind::Broken | LinkKind::FileUri))
                .map(|l| l.raw.as_str())
                .collect();
            let named = some(&nowhere).filter(|_| count(nowhere.len()) > at);
            named.map(|named| format!("links that lead nowhere: {named}"))
        }
        _ => return Looked::Noted,
    })
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// The first of them, and how many more; `None` if there are none. Each is cut: pages write what they like.
fn some(all: &[&str]) -> Option<String> {
    let cut = |text: &&str| text.chars().take(200).collect::<String>();
    let named: Vec<String> = all.iter().take(NAMED).map(cut).collect();
    let more = match all.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    (!all.is_empty()).then(|| format!("{}{more}", named.join(", ")))
}

/// Captions are kept in their pictures; one without is a paragraph that says so itself.
fn lone_captions(document: &Document) -> Option<String> {
    let language = Language::get(&document.language)?;
    let lone = |b: &&Block| matches!(b, Block::Paragraph { text, .. } if language.is_caption(&fold(text)));
    let n = document.body.iter().filter(lone).count();
    (n > 0).then(|| format!("{n} captions have no picture"))
}

/// Pictures of the body, and those of them that nobody describes.
fn without_alt(document: &Document) -> (u64, u64) {
    let (mut all, mut none) = (0, 0);
    let mut see = |image: &Image| {
        all += 1;
        none += u64::from(image.alt.as_ref().is_none_or(|alt| alt.trim().is_empty()));
    };
    let mut open: Vec<&Block> = document.body.iter().collect();
    while let Some(block) = open.pop() {
        match block {
            Block::Image { image, .. } => see(image),
            Block::Gallery { items, .. } => items.iter().for_each(&mut see),
            Block::List { items, .. } => open.extend(items.iter().flat_map(|i| &i.children)),
            _ => {}
        }
    }
    (all, none)
}

/// The part of a date that its precision vouches for, at most the day: `2023`, `2023-07`, `2023-07-14`.
fn day(date: &DateValue) -> &str {
    let length = match date.precision {
        Precision::Year | Precision::Quarter => 4,
        Precision::Month => 7,
        _ => 10,
    };
    date.value.get(..length).unwrap_or(&date.value)
}

fn implausible(document: &Document, since: u64, captured: Option<Date>) -> Option<String> {
    let last = captured.and_then(|day| day.checked_add(Span::new().days(AHEAD)).ok());
    let last = last.map(|day| day.to_string());
    let mut wrong = Vec::new();
    for role in crate::document::Dates::ROLES {
        let Some(date) = document.dates.role(role) else {
            continue;
        };
        let Some(year) = date.value.get(..4).and_then(|y| y.parse::<i16>().ok()) else {
            continue;
        };
        let by_portal = matches!(role, "published" | "modified");
        let past = by_portal || role == "issued";
        let day = day(date);
        let later = last
            .as_deref()
            .and_then(|l| l.get(..day.len()))
            .is_some_and(|l| day > l);
        if by_portal && u64::try_from(year).is_ok_and(|y| y < since) {
            wrong.push(format!("{role} {day} is before {since}"));
        } else if year < EARLIEST {
            wrong.push(format!("{role} {day} is before {EARLIEST}"));
        } else if past && later {
            let on = captured.map(|d| d.to_string()).unwrap_or_default();
            wrong.push(format!("{role} {day} is after its page was captured ({on})"));
        } else if year > LATEST && role != "expires" {
            // Some systems write 9999 for "never expires".
            wrong.push(format!("{role} {day} is after {LATEST}"));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

fn disordered(document: &Document) -> Option<String> {
    let dates = &document.dates;
    let before = |one: &Option<DateValue>, other: &Option<DateValue>| {
        let (one, other) = (day(one.as_ref()?).to_owned(), day(other.as_ref()?).to_owned());
        let both = one.len().min(other.len());
        (one.get(..both)? < other.get(..both)?).then_some((one, other))
    };
    let mut wrong = Vec::new();
    if let Some((effective, issued)) = before(&dates.effective, &dates.issued) {
        wrong.push(format!(
            "effective on {effective}, before it was issued on {issued}"
        ));
    }
    if let Some((modified, published)) = before(&dates.modified, &dates.published) {
        wrong.push(format!(
            "changed on {modified}, before it was published on {published}"
        ));
    }
    for (since, what) in [(&dates.issued, "was issued"), (&dates.effective, "took effect")] {
        if let Some((expires, since)) = before(&dates.expires, since) {
            wrong.push(format!("expired on {expires}, before it {what} on {since}"));
        }
    }
    (!wrong.is_empty()).then(|| wrong.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Dates;

    fn date(value: &str, precision: Precision) -> Option<DateValue> {
        Some(DateValue {
            value: value.into(),
            precision,
            raw: value.into(),
            method: "css".into(),
            confidence: 1.0,
        })
    }

    fn document(dates: Dates) -> Document {
        let json = serde_json::json!({
            "schema": crate::document::SCHEMA, "id": crate::document::DocumentId::new("s", "news:1"), "site": "s",
            "source_key": "news:1", "collection": "news", "type": "article", "language": "vi", "revision": "", "extra": {},
            "body": [], "dates": Dates::default(), "media": [], "attachments": [], "links": [], "citations": [], "dropped": [],
            "accounting": crate::document::Accounting::default(), "provenance": crate::document::Provenance::default(),
            "redirects": { "from": [] }, "quality": { "gates": [] },
        });
        let mut document: Document = serde_json::from_value(json).unwrap();
        document.dates = dates;
        document
    }

    #[test]
    fn dates_are_as_sure_as_they_are_exact() {
        let said = |dates: Dates, captured: Option<&str>| {
            implausible(&document(dates), 1990, captured.map(|d| d.parse().unwrap())).unwrap_or_default()
        };
        let published = |value: &str, precision| Dates {
            published: date(value, precision),
            ..Dates::default()
        };
        let on = Some("2023-12-31");
        // A day ahead is a clock in another time zone; two are not.
        assert_eq!(said(published("2024-01-01", Precision::Day), on), "");
        let later = said(published("2024-01-02T08:00:00+07:00", Precision::Minute), on);
        assert_eq!(
            later,
            "published 2024-01-02 is after its page was captured (2023-12-31)"
        );
        assert_eq!(said(published("2024-01-02", Precision::Day), None), "");
        assert_eq!(said(published("2024", Precision::Year), on), "");
        assert_eq!(
            said(published("2023-Q4", Precision::Quarter), Some("2023-02-01")),
            ""
        );
        assert!(said(published("2025-01", Precision::Month), on).contains("2025-01 is after"));
        assert_eq!(said(published("1990-01-01", Precision::Day), on), "");
        assert!(said(published("1989-12-31", Precision::Day), on).contains("before 1990"));
        // What a law says of itself may be older than the Web, and what is to come may be in the future.
        let law = |issued: &str, effective: &str, expires: &str| Dates {
            issued: date(issued, Precision::Day),
            effective: date(effective, Precision::Day),
            expires: date(expires, Precision::Day),
            ..Dates::default()
        };
        assert_eq!(said(law("1946-11-09", "2030-01-01", "9999-12-31"), on), "");
        assert!(
            said(law("1899-12-30", "1900-01-01", "2000-01-01"), on)
                .contains("issued 1899-12-30 is before 1900")
        );
        assert!(
            said(law("2024-06-01", "2030-01-01", "2040-01-01"), on).contains("issued 2024-06-01 is after")
        );
        assert!(
            said(law("2020-01-01", "2203-01-01", "2300-01-01"), on)
                .contains("effective 2203-01-01 is after 2100")
        );
    }

    #[test]
    fn dates_are_compared_as_far_as_both_say() {
        let said = |dates: Dates| disordered(&document(dates)).unwrap_or_default();
        let day = |value| date(value, Precision::Day);
        let (published, modified) = (day("2023-05-02"), day("2023-05-01"));
        let both = Dates {
            published,
            modified,
            ..Dates::default()
        };
        assert_eq!(
            said(both.clone()),
            "changed on 2023-05-01, before it was published on 2023-05-02"
        );
        let modified = date("2023-05", Precision::Month);
        assert_eq!(
            said(Dates {
                modified,
                ..both.clone()
            }),
            ""
        );
        // Of one day nobody knows the order.
        let published = date("2023-05-01T17:00:00+07:00", Precision::Minute);
        assert_eq!(said(Dates { published, ..both }), "");
        let (issued, effective) = (day("2023-01-12"), day("2023-01-11"));
        let law = Dates {
            issued,
            effective,
            expires: day("2023-01-10"),
            ..Dates::default()
        };
        let wrong = said(law);
        assert!(
            wrong.starts_with("effective on 2023-01-11, before it was issued on 2023-01-12; expired"),
            "{wrong}"
        );
        assert!(
            wrong.contains("before it was issued") && wrong.ends_with("before it took effect on 2023-01-11"),
            "{wrong}"
        );
    }
}
