//! Places in a text that its own links lead to: footnotes, tables of contents.

use super::account::Claims;
use crate::document::Span;
use crate::page::{Page, attr};
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Places that one text may have.
const MAX: usize = 2000;

/// The places of one text: their names by the character where they stand.
#[derive(Debug, Default)]
pub(super) struct Anchors {
    places: BTreeMap<usize, Vec<String>>,
    names: BTreeSet<String>,
}

impl Anchors {
    /// The places below `root` that a link below `root` leads to. A place stands before the first character behind it
    /// that no rule has taken.
    pub(super) fn of(page: &Page, root: ElementRef<'_>, claims: &Claims) -> Self {
        let elements = || root.descendants().filter_map(ElementRef::wrap);
        let wanted: BTreeSet<String> = elements()
            .filter(|e| e.value().name() == "a")
            .filter_map(|e| name_of(page, attr(e.value(), "href")?))
            .take(MAX)
            .collect();
        let mut this = Self::default();
        if wanted.is_empty() {
            return this;
        }
        let end = page.text.span(root.id()).unwrap_or_default().1;
        for element in elements() {
            let value = element.value();
            let by_name = attr(value, "name").filter(|_| value.name() == "a");
            let Some(name) = attr(value, "id").or(by_name).map(str::trim) else {
                continue;
            };
            let (true, false) = (wanted.contains(name), this.names.contains(name)) else {
                continue;
            };
            let Some(Span(start, _)) = page.text.span(element.id()) else {
                continue;
            };
            let text = page.text.slice(Span(start, end)).chars().zip(start..);
            let place = text.filter(|(c, _)| !c.is_whitespace()).map(|(_, at)| at);
            if let Some(at) = place.take(MAX).find(|at| claims.is_free(*at)) {
                this.places.entry(at).or_default().push(name.to_owned());
                this.names.insert(name.to_owned());
            }
        }
        this
    }

    /// Names of the places before characters of a range, each with how far from its start it stands.
    pub(super) fn within(&self, chars: Span) -> impl Iterator<Item = (usize, &String)> {
        let places = self.places.range(chars.0..chars.1);
        places.flat_map(move |(at, names)| names.iter().map(move |name| (at - chars.0, name)))
    }

    /// The place of this text that an address leads to, as the target of a mark.
    pub(super) fn target(&self, page: &Page, raw: &str) -> Option<String> {
        let name = name_of(page, raw)?;
        self.names.contains(&name).then(|| format!("#{name}"))
    }
}

/// The name in an address that leads to a place on the same page.
fn name_of(page: &Page, raw: &str) -> Option<String> {
    let (address, name) = raw.trim().split_once('#')?;
    let here = address.is_empty()
        || page
            .base
            .join(address)
            .is_ok_and(|url| url.as_str() == page.url.as_str());
    let name = percent_encoding::percent_decode_str(name).decode_utf8().ok()?;
    (here && !name.is_empty()).then(|| name.into_owned())
}
