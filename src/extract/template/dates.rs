//! Dates as the learner needs them: found in a text, and as a pattern that finds their like.

use super::site::Site;
use super::sketch::{Line, Sketch};
use crate::lang::{Language, date};
use jiff::tz::TimeZone;
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// Time of day beside a date.
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    crate::lang::pattern(r"(?i)(?-u:\b)\d{1,2}(?::|h)\d{2}(?::\d{2})?(?:\s*[AP]M(?-u:\b))?")
});
/// Most characters between a date and its time.
const GAP: usize = 14;

pub(super) struct Dates {
    language: Option<&'static Language>,
    zone: TimeZone,
}

impl Dates {
    pub(super) fn of(site: &Site<'_>) -> Self {
        Self {
            language: site.language,
            zone: site.mapping.timezone(),
        }
    }

    /// The first whole date in a text: a year or a month alone is none.
    pub(super) fn find(&self, text: &str) -> Option<date::Found> {
        let reading = date::Reading {
            language: self.language,
            zone: &self.zone,
            reference: None,
        };
        let found = date::find(text, &reading)?;
        (found.value.len() >= 10).then_some(found)
    }

    /// Whether a line shows a date, also where nothing but its elements keeps it apart from its neighbours.
    pub(super) fn on(&self, sketch: &Sketch<'_>, line: &Line) -> bool {
        let text = &sketch.page.text;
        if self.find(text.slice(line.span)).is_some() {
            return true;
        }
        let nodes = text.nodes();
        let from = nodes.partition_point(|(s, _)| s.1 <= line.span.0);
        let mut parts = nodes[from..].iter().take_while(|(s, _)| s.0 < line.span.1);
        parts.any(|(s, _)| self.find(text.slice(*s)).is_some())
    }

    /// A pattern that finds dates of this form, with the time that stands beside it.
    pub(super) fn pattern(&self, text: &str) -> Option<String> {
        let text = crate::lang::spaces(text);
        let found = self.find(&text)?;
        let day = text.get(found.bytes.clone())?;
        let time = TIME
            .find_iter(&text)
            .find(|m| m.start() >= found.bytes.end || m.end() <= found.bytes.start);
        let mut out = widened(day);
        if let Some(time) = time {
            let clock = r"\d{1,2}[:h]\d{2}(?::\d{2})?(?:\s*[APap][Mm])?";
            if time.start() >= found.bytes.end {
                let gap = text[found.bytes.end..time.start()].chars().count();
                if gap <= GAP {
                    out = format!(r"{out}(?:\D{{1,{GAP}}}?{clock})?");
                }
            } else if text[time.end()..found.bytes.start].chars().count() <= GAP {
                out = format!(r"(?:{clock}\D{{1,{GAP}}}?)?{out}");
            }
        }
        // The pattern may not cut what it was made of.
        let regex = Regex::new(&out).ok()?;
        let taken = regex.find(&text)?;
        (self.find(taken.as_str())?.value == found.value).then_some(out)
    }
}

/// The pattern of most texts, each with how many it was made of: what is the same but for a time that may be missing is one
/// pattern, and takes the time where it is there.
pub(super) fn widest(forms: &BTreeMap<String, usize>) -> Option<String> {
    let timed = |form: &str, day: &str| {
        form != day
            && (form
                .strip_prefix(day)
                .is_some_and(|t| t.starts_with("(?:") && t.ends_with(")?"))
                || form
                    .strip_suffix(day)
                    .is_some_and(|t| t.starts_with("(?:") && t.ends_with(")?")))
    };
    let all = |form: &str| -> usize {
        let days = forms.iter().filter(|(day, _)| *day == form || timed(form, day));
        days.map(|(_, n)| n).sum()
    };
    forms.keys().max_by_key(|form| (all(form), form.len())).cloned()
}

/// A date as a pattern: digits of one or two places may be one or two.
fn widened(day: &str) -> String {
    let mut out = String::new();
    let mut rest = day;
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&words(&rest[..at]));
        let length = rest[at..]
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len() - at);
        out.push_str(match length {
            1 | 2 => r"\d{1,2}",
            4 => r"\d{4}",
            _ => r"\d+",
        });
        rest = &rest[at + length..];
    }
    out + &words(rest)
}

fn words(text: &str) -> String {
    regex::escape(text).replace(' ', r"\s+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_some_dates_have_is_taken_where_it_is() {
        let dates = Dates {
            language: Language::get("vi"),
            zone: TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
        };
        let mut forms = BTreeMap::new();
        for text in ["(13/07/2023)", "(12/07/2023)", "(13/07/2023 16:45)"] {
            *forms.entry(dates.pattern(text).unwrap()).or_default() += 1;
        }
        let regex = Regex::new(&widest(&forms).unwrap()).unwrap();
        assert_eq!(regex.find("(1/7/2023 6:05)").unwrap().as_str(), "1/7/2023 6:05");
        assert_eq!(regex.find("(1/7/2023)").unwrap().as_str(), "1/7/2023");
    }

    #[test]
    fn patterns_take_day_and_time_and_nothing_else() {
        let dates = Dates {
            language: Language::get("vi"),
            zone: TimeZone::get("Asia/Ho_Chi_Minh").unwrap(),
        };
        for (text, other, taken) in [
            (
                "(Ngày cập nhật: 17/07/2023)",
                "(Ngày cập nhật: 7/1/2024)",
                "7/1/2024",
            ),
            (
                "Cập nhật lúc: 08:30 - 17/07/2023",
                "Cập nhật lúc: 9:05 - 1/12/2022",
                "9:05 - 1/12/2022",
            ),
            (
                "Thứ hai, 17/07/2023 | 08:30 GMT+7",
                "Thứ ba, 18/07/2023 | 16:45 GMT+7",
                "18/07/2023 | 16:45",
            ),
            (
                "17/07/2023 | 08:30 AM",
                "17/07/2023 | 04:45 PM",
                "17/07/2023 | 04:45 PM",
            ),
            (
                "Thứ hai, ngày 17 tháng 7 năm 2023 08:30",
                "ngày 1 tháng 12 năm 2023 16:45",
                "ngày 1 tháng 12 năm 2023 16:45",
            ),
            (
                "2023-07-17T08:30:00+07:00",
                "2023-07-01T08:30:00+07:00",
                "2023-07-01T08:30:00+07:00",
            ),
        ] {
            let pattern = dates
                .pattern(text)
                .unwrap_or_else(|| panic!("{text}: {:?}", dates.find(text)));
            let regex = Regex::new(&pattern).unwrap();
            let found = regex.find(other).unwrap().as_str();
            assert!(
                found == taken || taken.contains('T') && taken.starts_with(found),
                "{pattern}: {found}"
            );
        }
        assert!(dates.pattern("Tác giả: CTK").is_none());
    }
}
