//! What kind of change a change is: the names by which people count changes and ignore them.

use super::Change;
use crate::lang::place_tones;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::str::FromStr;

/// The kind of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Words of the body.
    Text,
    /// Only white space of a text.
    Whitespace,
    /// Only where a tone mark stands: `hoà`, `hòa`.
    TonePlacement,
    /// A new block.
    BlockAdded,
    /// A block that is gone.
    BlockRemoved,
    /// A block that stands elsewhere in the body.
    BlockMoved,
    /// What a block is, not what it says: its kind, level, numbering, alignment.
    Structure,
    /// Bold, italics and other marks of a text.
    Formatting,
    /// Where a link leads, a link that came or went.
    Link,
    /// Only the order of the links.
    LinkOrder,
    /// Another picture or file by the hash of its bytes, one that came or went.
    Media,
    /// Only the order of pictures and files.
    MediaOrder,
    /// The same bytes under another old address.
    MediaAddress,
    /// Caption, alternative text, credit or file name of a picture or file.
    Caption,
    /// What a cell of a table says.
    TableCell,
    /// How many rows, columns or header rows a table has.
    TableShape,
    /// A date.
    Date,
    /// Where a document stands: key, address, collection, section.
    Place,
    /// Any other field: title, byline, summary, …
    Field,
    /// Whether the portal shows the page.
    Portal,
    /// Where a field came from: rule, rung, method, confidence.
    Origin,
    /// How much text a rule dropped.
    Dropped,
    /// The sums of characters.
    Accounting,
    /// Gates that did not pass.
    Gate,
}

impl Class {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 24] = [
        Self::Text,
        Self::Whitespace,
        Self::TonePlacement,
        Self::BlockAdded,
        Self::BlockRemoved,
        Self::BlockMoved,
        Self::Structure,
        Self::Formatting,
        Self::Link,
        Self::LinkOrder,
        Self::Media,
        Self::MediaOrder,
        Self::MediaAddress,
        Self::Caption,
        Self::TableCell,
        Self::TableShape,
        Self::Date,
        Self::Place,
        Self::Field,
        Self::Portal,
        Self::Origin,
        Self::Dropped,
        Self::Accounting,
        Self::Gate,
    ];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Whitespace => "whitespace",
            Self::TonePlacement => "tone-placement",
            Self::BlockAdded => "block-added",
            Self::BlockRemoved => "block-removed",
            Self::BlockMoved => "block-moved",
            Self::Structure => "structure",
            Self::Formatting => "formatting",
            Self::Link => "link",
            Self::LinkOrder => "link-order",
            Self::Media => "media",
            Self::MediaOrder => "media-order",
            Self::MediaAddress => "media-address",
            Self::Caption => "caption",
            Self::TableCell => "table-cell",
            Self::TableShape => "table-shape",
            Self::Date => "date",
            Self::Place => "place",
            Self::Field => "field",
            Self::Portal => "portal",
            Self::Origin => "origin",
            Self::Dropped => "dropped",
            Self::Accounting => "accounting",
            Self::Gate => "gate",
        }
    }

    /// The class of a change of this class from one text to another: noise, where nothing else differs.
    #[must_use]
    pub fn of(self, old: &str, new: &str) -> Self {
        if !matches!(self, Self::Text | Self::Field | Self::Caption | Self::TableCell) {
            return self;
        }
        if spaces(old) == spaces(new) {
            Self::Whitespace
        } else if place_tones(&spaces(old)) == place_tones(&spaces(new)) {
            Self::TonePlacement
        } else {
            self
        }
    }
}

impl FromStr for Class {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|c| c.as_str() == text);
        found.ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|c| c.as_str()).collect();
            format!("no kind of change has this name; they are {}", all.join(", "))
        })
    }
}

fn spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What somebody does not want to hear of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore(BTreeSet<Class>);

impl Ignore {
    /// Of these classes.
    #[must_use]
    pub fn new(classes: impl IntoIterator<Item = Class>) -> Self {
        Self(classes.into_iter().collect())
    }

    /// Is this class one of them?
    #[must_use]
    pub fn has(&self, class: Class) -> bool {
        self.0.contains(&class)
    }

    /// The classes.
    pub fn classes(&self) -> impl Iterator<Item = Class> + '_ {
        self.0.iter().copied()
    }

    /// Whether texts are compared without some of what they say.
    pub(super) fn is_noisy(&self) -> bool {
        self.has(Class::Whitespace) || self.has(Class::TonePlacement)
    }

    /// A text without the noise that is ignored.
    pub(super) fn bare<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut text = Cow::Borrowed(text);
        if self.has(Class::Whitespace) {
            text = Cow::Owned(spaces(&text));
        }
        if self.has(Class::TonePlacement) {
            text = Cow::Owned(place_tones(&text));
        }
        text
    }

    /// Is there nothing left of a change? One of white space and of tones is left if only one of them is ignored.
    pub(super) fn covers(&self, change: &Change) -> bool {
        match (change.class, &change.old, &change.new) {
            (Class::Whitespace | Class::TonePlacement, Some(old), Some(new)) => {
                self.is_noisy() && self.bare(old) == self.bare(new)
            }
            (class, ..) => self.has(class),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_told_from_words_and_both_kinds_of_it_from_each_other() {
        let of = |old: &str, new: &str| Class::Text.of(old, new);
        assert_eq!(of("hòa  bình", "hòa bình"), Class::Whitespace);
        assert_eq!(of("hoà bình", "hòa bình"), Class::TonePlacement);
        assert_eq!(of("hoà bình", "hoả bình"), Class::Text);
        assert_eq!(of("ab", "a b"), Class::Text);
        assert_eq!(Class::Date.of("a  b", "a b"), Class::Date);
        let both = Change::of(
            Class::Text,
            "text",
            Some("hoà  bình".into()),
            Some("hòa bình".into()),
        );
        let both = both.unwrap();
        let ignores = |classes: &[Class]| Ignore::new(classes.iter().copied()).covers(&both);
        assert!(
            !ignores(&[Class::TonePlacement]) && !ignores(&[Class::Whitespace]) && !ignores(&[Class::Text])
        );
        assert!(ignores(&[Class::TonePlacement, Class::Whitespace]));
    }

    #[test]
    fn every_class_has_one_name() {
        for class in Class::ALL {
            assert_eq!(class.as_str().parse(), Ok(class));
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
        }
        assert!("spaces".parse::<Class>().unwrap_err().contains("tone-placement"));
    }
}
