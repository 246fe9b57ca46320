//! Dates with a role, a precision, the printed form, and how sure we are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How exact a date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// A year.
    Year,
    /// A quarter of a year.
    Quarter,
    /// A month.
    Month,
    /// A day; the time is unknown.
    Day,
    /// A minute.
    Minute,
    /// A second.
    Second,
}

/// One date.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DateValue {
    /// ISO 8601 in the site's time zone: `2023-07-14`, or RFC 3339 with offset when a time is known.
    pub value: String,
    /// How exact it is.
    pub precision: Precision,
    /// The text that it was read from.
    pub raw: String,
    /// How it was found: `selector`, `listing`, `meta`, `lead-sentence`, `inferred:dates.event`, …
    pub method: String,
    /// 0 to 1; below 1 it is a guess.
    pub confidence: f64,
}

/// Dates by role.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Dates {
    /// When the portal published the page.
    pub published: Option<DateValue>,
    /// When the portal changed it.
    pub modified: Option<DateValue>,
    /// When the event that it tells of took place.
    pub event: Option<DateValue>,
    /// When a legal document was signed or passed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued: Option<DateValue>,
    /// When a legal document takes effect.
    pub effective: Option<DateValue>,
    /// Not to be shown before.
    pub embargo_until: Option<DateValue>,
    /// Not to be shown after.
    pub expires: Option<DateValue>,
}

impl Dates {
    /// The roles by their field names, in the order of the fields.
    pub const ROLES: [&str; 7] = [
        "published",
        "modified",
        "event",
        "issued",
        "effective",
        "embargo_until",
        "expires",
    ];

    /// The slot of a role by its field name (`published`, …).
    #[must_use]
    pub fn role_mut(&mut self, role: &str) -> Option<&mut Option<DateValue>> {
        Some(match role {
            "published" => &mut self.published,
            "modified" => &mut self.modified,
            "event" => &mut self.event,
            "issued" => &mut self.issued,
            "effective" => &mut self.effective,
            "embargo_until" => &mut self.embargo_until,
            "expires" => &mut self.expires,
            _ => return None,
        })
    }

    /// The date of a role by its field name.
    #[must_use]
    pub fn role(&self, role: &str) -> Option<&DateValue> {
        match role {
            "published" => self.published.as_ref(),
            "modified" => self.modified.as_ref(),
            "event" => self.event.as_ref(),
            "issued" => self.issued.as_ref(),
            "effective" => self.effective.as_ref(),
            "embargo_until" => self.embargo_until.as_ref(),
            "expires" => self.expires.as_ref(),
            _ => None,
        }
    }
}
