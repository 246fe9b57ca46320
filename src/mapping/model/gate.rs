//! `[[gate]]` and `[[collection.gate]]`: what must hold of documents, and what it means if it does not.

use super::{Collection, MappingFile};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[gate]]`, `[[collection.gate]]`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Id, which documents and reports name; the name of the rule if absent.
    pub id: Option<String>,
    /// What must hold.
    pub rule: GateKind,
    /// What it means if it does not.
    #[serde(default)]
    pub level: Level,
    /// Number that the rule compares with; the default of the rule if absent.
    pub at: Option<u64>,
}

/// Level of a gate in a mapping.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nobody asks.
    Off,
    /// Worth a look.
    Warn,
    /// The document may not be delivered.
    #[default]
    Fail,
}

/// What a gate checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum GateKind {
    /// At most `at` characters are unaccounted (default 0). It cannot be off.
    Accounted,
    /// Required fields are there.
    Required,
    /// Values that `map` does not name, where `on_unmapped` says `fail`.
    Unmapped,
    /// What stands in the place of a date can be read as one.
    DatesReadable,
    /// No more undecodable characters than `decode.max_replacement_chars`.
    Replacements,
    /// No more blocks that nothing decides how to read than `decode.max_undecided_blocks`.
    Undecided,
    /// All pages of a document on several pages are captured.
    Parts,
    /// The page looks like the others of its template.
    OddPage,
    /// Styles hide little text of the container.
    HiddenText,
    /// All rows of each table have the same number of columns.
    TableShape,
    /// What tables print as sums is the sum within rounding.
    TableSums,
    /// The body has at least `at` characters.
    MinBody,
    /// No caption stands without its picture.
    CaptionsHaveImages,
    /// At most `at` pictures of the body have no alternative text (default 0).
    AltText,
    /// Every picture and file is stored.
    MediaComplete,
    /// At most `at` raw_html blocks (default 0).
    MaxRawHtml,
    /// Nothing is published before the year `at` (default 1990) or after its page was captured; no date is before 1900.
    DateSane,
    /// Dates stand in an order that can be: not in force before issued, not changed before published, not expired before
    /// in force.
    DatesOrder,
    /// At most `at` links lead to pages of the site that are not there (default 0).
    BrokenLinks,
    /// No two documents of the collection have the same title.
    DuplicateTitle,
    /// No two documents of the collection have the same body of at least `at` letters and digits (default 200).
    DuplicateBody,
    /// No two bodies of the collection share `at` per cent of what they say (default 85).
    NearDuplicate,
    /// No field of the collection is filled `at` per cent points less often than in what was accepted last (default 5).
    FillRate,
    /// The middle length of the collection's bodies is within `at` per cent of what was accepted last (default 20).
    LengthDrift,
}

/// Of what a gate is a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Of one document, whatever the others are.
    Document,
    /// Of one document beside all others of the site.
    Portal,
    /// Of a collection as a whole.
    Collection,
}

impl GateKind {
    /// All, in the order in which documents and reports name them.
    pub const ALL: [Self; 24] = [
        Self::Accounted,
        Self::Required,
        Self::Unmapped,
        Self::DatesReadable,
        Self::Replacements,
        Self::Undecided,
        Self::Parts,
        Self::OddPage,
        Self::HiddenText,
        Self::TableShape,
        Self::TableSums,
        Self::MinBody,
        Self::CaptionsHaveImages,
        Self::AltText,
        Self::MediaComplete,
        Self::MaxRawHtml,
        Self::DateSane,
        Self::DatesOrder,
        Self::BrokenLinks,
        Self::DuplicateTitle,
        Self::DuplicateBody,
        Self::NearDuplicate,
        Self::FillRate,
        Self::LengthDrift,
    ];

    /// The name by which mappings know it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accounted => "accounted",
            Self::Required => "required",
            Self::Unmapped => "unmapped",
            Self::DatesReadable => "dates-readable",
            Self::Replacements => "replacements",
            Self::Undecided => "undecided",
            Self::Parts => "parts",
            Self::OddPage => "odd-page",
            Self::HiddenText => "hidden-text",
            Self::TableShape => "table-shape",
            Self::TableSums => "table-sums",
            Self::MinBody => "min-body",
            Self::CaptionsHaveImages => "captions-have-images",
            Self::AltText => "alt-text",
            Self::MediaComplete => "media-complete",
            Self::MaxRawHtml => "max-raw-html",
            Self::DateSane => "date-sane",
            Self::DatesOrder => "dates-order",
            Self::BrokenLinks => "broken-links",
            Self::DuplicateTitle => "duplicate-title",
            Self::DuplicateBody => "duplicate-body",
            Self::NearDuplicate => "near-duplicate",
            Self::FillRate => "fill-rate",
            Self::LengthDrift => "length-drift",
        }
    }

    /// What it means where no mapping speaks of it.
    #[must_use]
    pub const fn level(self) -> Level {
        match self {
            Self::Accounted
            | Self::Required
            | Self::Unmapped
            | Self::DatesReadable
            | Self::Replacements
            | Self::Undecided
            | Self::Parts => Level::Fail,
            // How long a body is, what may be missing and what may stay raw, only the mapping knows.
            Self::MinBody | Self::MediaComplete | Self::MaxRawHtml => Level::Off,
            _ => Level::Warn,
        }
    }

    /// Of what it is a statement.
    #[must_use]
    pub const fn reach(self) -> Reach {
        match self {
            Self::BrokenLinks | Self::DuplicateTitle | Self::DuplicateBody | Self::NearDuplicate => {
                Reach::Portal
            }
            Self::FillRate | Self::LengthDrift => Reach::Collection,
            _ => Reach::Document,
        }
    }

    /// The number that it compares with where no mapping gives one; `None`: it compares with none.
    ///
    /// Where the numbers come from, says `docs/gates.md`.
    #[must_use]
    pub const fn at(self) -> Option<u64> {
        match self {
            Self::Accounted | Self::AltText | Self::MaxRawHtml | Self::BrokenLinks => Some(0),
            Self::MinBody => Some(1),
            Self::DateSane => Some(1990),
            Self::DuplicateBody => Some(200),
            Self::NearDuplicate => Some(85),
            Self::FillRate => Some(5),
            Self::LengthDrift => Some(20),
            _ => None,
        }
    }

    /// The numbers that it may compare with.
    #[must_use]
    pub const fn bounds(self) -> (u64, u64) {
        match self {
            Self::DateSane => (1900, 9999),
            // Below, the sketches that are compared overlook too many pairs.
            Self::NearDuplicate => (75, 100),
            Self::FillRate | Self::LengthDrift => (1, 100),
            _ => (0, u64::MAX),
        }
    }
}

impl GateRule {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(self.rule.name())
    }
}

/// A gate as it holds for one collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateCheck<'a> {
    /// What it checks.
    pub kind: GateKind,
    /// Its id.
    pub id: &'a str,
    /// What it means; `None`: nothing else said, as it was found.
    pub said: Option<Level>,
    /// The number that it compares with; 0 if with none.
    pub at: u64,
}

impl GateCheck<'_> {
    /// What it means if it does not hold.
    #[must_use]
    pub fn level(&self) -> Level {
        self.said.unwrap_or(self.kind.level())
    }
}

impl MappingFile {
    /// The gates of a collection, in the order of [`GateKind::ALL`]: for each kind the collection's own rules; else the site's;
    /// else what is built in. Those that are off are among them.
    #[must_use]
    pub fn gates<'a>(&'a self, collection: &'a Collection) -> Vec<GateCheck<'a>> {
        let check = |rule: &'a GateRule| GateCheck {
            kind: rule.rule,
            id: rule.id(),
            said: Some(rule.level),
            at: rule.at.or(rule.rule.at()).unwrap_or(0),
        };
        let mut all = Vec::new();
        for kind in GateKind::ALL {
            let of = |rules: &'a [GateRule]| rules.iter().filter(move |r| r.rule == kind).map(check);
            let before = all.len();
            all.extend(of(&collection.gate));
            if all.len() == before {
                all.extend(of(&self.gate));
            }
            if all.len() == before {
                all.push(GateCheck {
                    kind,
                    id: kind.name(),
                    said: None,
                    at: kind.at().unwrap_or(0),
                });
            }
        }
        all
    }
}
