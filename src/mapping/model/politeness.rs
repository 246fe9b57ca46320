//! `[politeness]`: how a crawl treats the servers of the site.

use super::Span;
use schemars::JsonSchema;
use serde::Deserialize;
use std::borrow::Cow;

/// `[politeness]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Politeness {
    /// Requests in flight at one host.
    pub concurrency: usize,
    /// Time between the starts of two requests at one host: `500ms`, `2s`.
    pub delay: Span,
    /// Raise the delay while the host answers slower than it did at its best.
    pub adaptive: bool,
    /// Longest delay that `adaptive` and Crawl-delay may ask for.
    pub delay_max: Span,
    /// Who asks.
    pub user_agent: String,
    /// How to reach whoever asks: an address or a page; it is added to `user_agent` as `(+CONTACT)`.
    pub contact: Option<String>,
    /// `obey` robots.txt (RFC 9309) or `ignore` it (own sites only).
    pub robots: Robots,
    /// Total time of one request.
    pub timeout: Span,
    /// How often a request is repeated after a transient failure.
    pub retries: u32,
    /// First retry delay; doubles up to `backoff_max`, with jitter.
    pub backoff: Span,
    /// Longest retry delay of our own; a Retry-After of the server holds in full.
    pub backoff_max: Span,
    /// Failures of a host in a row after which it is left alone, then probed by single requests. 0: never.
    pub breaker: u32,
    /// How long a host is left alone first; doubles with each failed probe up to `backoff_max`.
    pub breaker_rest: Span,
    /// A host that answers nothing good for so long, or asks us to wait longer, ends the run; the rest stays queued.
    pub give_up: Span,
    /// Hours without requests, in the site's time zone: `07:30-17:00`, `Mon-Fri 07:30-17:00`, `22:00-05:00`.
    pub quiet: Vec<QuietHours>,
}

impl Default for Politeness {
    fn default() -> Self {
        Self {
            concurrency: 2,
            delay: Span::millis(500),
            adaptive: true,
            delay_max: Span::secs(60),
            user_agent: concat!("sangtrang/", env!("CARGO_PKG_VERSION"), " (content migration)").into(),
            contact: None,
            robots: Robots::Obey,
            timeout: Span::secs(60),
            retries: 5,
            backoff: Span::secs(1),
            backoff_max: Span::secs(300),
            breaker: 5,
            breaker_rest: Span::secs(15),
            give_up: Span::secs(900),
            quiet: Vec::new(),
        }
    }
}

impl Politeness {
    /// The `User-Agent` of every request: who asks, and how to reach them (RFC 9110 §10.1.5).
    #[must_use]
    pub fn agent(&self) -> String {
        match &self.contact {
            Some(contact) => format!("{} (+{contact})", self.user_agent),
            None => self.user_agent.clone(),
        }
    }
}

/// What robots.txt means to a crawl.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Robots {
    /// RFC 9309.
    Obey,
    /// Fetched and archived, but not followed.
    Ignore,
}

/// Hours without requests. An end before the start belongs to the next day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietHours {
    /// Days on which it begins, Monday first.
    pub days: [bool; 7],
    /// Begin.
    pub from: jiff::civil::Time,
    /// End.
    pub to: jiff::civil::Time,
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl QuietHours {
    /// Reads `07:30-17:00` and `Mon-Fri 07:30-17:00`.
    ///
    /// # Errors
    /// A text for people that says what hours look like.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` are no hours: write `07:30-17:00` or `Mon-Fri 07:30-17:00`");
        let (days, hours) = match text.trim().rsplit_once(' ') {
            Some((days, hours)) => (Some(days.trim()), hours),
            None => (None, text.trim()),
        };
        let day = |name: &str| DAYS.iter().position(|d| d.eq_ignore_ascii_case(name.trim()));
        let mut set = [days.is_none(); 7];
        for part in days.into_iter().flat_map(|d| d.split(',')) {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first).ok_or_else(wrong)?, day(last).ok_or_else(wrong)?);
            let mut at = first;
            loop {
                set[at] = true;
                if at == last {
                    break;
                }
                at = (at + 1) % 7;
            }
        }
        let (from, to) = hours.split_once('-').ok_or_else(wrong)?;
        let time = |t: &str| jiff::civil::Time::strptime("%H:%M", t.trim()).map_err(|_| wrong());
        let (from, to) = (time(from)?, time(to)?);
        if from == to {
            return Err(wrong());
        }
        Ok(Self { days: set, from, to })
    }
}

impl<'de> Deserialize<'de> for QuietHours {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = String::deserialize(d)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for QuietHours {
    fn schema_name() -> Cow<'static, str> {
        "QuietHours".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "quiet-hours", "description": "Hours without requests: 07:30-17:00, Mon-Fri 07:30-17:00." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quiet_hours_are_read_or_refused() {
        let hours = QuietHours::parse("Fri-Mon, Wed 22:00-05:30").unwrap();
        assert_eq!(hours.days, [true, false, true, false, true, true, true]);
        assert_eq!((hours.from.hour(), hours.to.minute()), (22, 30));
        assert_eq!(QuietHours::parse("07:30-17:00").unwrap().days, [true; 7]);
        for wrong in [
            "",
            "7",
            "Moo 07:30-17:00",
            "07:30-07:30",
            "25:00-26:00",
            "Mon 07:30",
        ] {
            assert!(QuietHours::parse(wrong).is_err(), "{wrong}");
        }
    }
}
