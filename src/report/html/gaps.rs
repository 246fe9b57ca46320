//! Gaps in numbered keys: portals number their pages, so a number without a document is a question.

use schemars::JsonSchema;
use serde::Serialize;
use std::collections::BTreeMap;

/// Fewest documents of a series: two numbers are none.
const FEWEST: usize = 5;

/// Numbers of the documents' keys, by what stands before them.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    series: BTreeMap<(String, String), Vec<u64>>,
}

/// One numbered series.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Series {
    /// Collection of its documents.
    pub collection: String,
    /// What stands before the number: `news:`.
    pub prefix: String,
    /// Documents.
    pub documents: u64,
    /// Lowest number.
    pub from: u64,
    /// Highest number.
    pub to: u64,
    /// Numbers between them without a document.
    pub missing: u64,
    /// Runs of such numbers.
    pub gaps: u64,
}

/// A run of numbers without a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Gap {
    /// Its first number.
    pub from: u64,
    /// Its last number.
    pub to: u64,
}

impl Numbers {
    /// Takes the number at the end of a key.
    pub(super) fn take(&mut self, collection: &str, key: &str) {
        let digits = key.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (prefix, number) = key.split_at(key.len() - digits);
        // Numbers of more than 18 digits are none that a portal counts by.
        let Some(number) = (digits <= 18).then(|| number.parse().ok()).flatten() else {
            return;
        };
        self.series
            .entry((collection.to_owned(), prefix.to_owned()))
            .or_default()
            .push(number);
    }

    /// Puts them in order, each once.
    pub(super) fn sort(&mut self) {
        for numbers in self.series.values_mut() {
            numbers.sort_unstable();
            numbers.dedup();
        }
        self.series.retain(|_, numbers| numbers.len() >= FEWEST);
    }

    /// All series.
    #[must_use]
    pub fn series(&self) -> Vec<Series> {
        self.series
            .iter()
            .filter_map(|((collection, prefix), numbers)| {
                let (from, to) = (*numbers.first()?, *numbers.last()?);
                Some(Series {
                    collection: collection.clone(),
                    prefix: prefix.clone(),
                    documents: numbers.len() as u64,
                    from,
                    to,
                    missing: to - from + 1 - numbers.len() as u64,
                    gaps: gaps(numbers).count() as u64,
                })
            })
            .collect()
    }

    /// All gaps, by collection and prefix.
    pub fn gaps(&self) -> impl Iterator<Item = (&str, &str, Gap)> {
        self.series.iter().flat_map(|((collection, prefix), numbers)| {
            gaps(numbers).map(move |gap| (collection.as_str(), prefix.as_str(), gap))
        })
    }
}

fn gaps(numbers: &[u64]) -> impl Iterator<Item = Gap> + '_ {
    numbers
        .windows(2)
        .filter(|pair| pair[1] - pair[0] > 1)
        .map(|pair| Gap {
            from: pair[0] + 1,
            to: pair[1] - 1,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_between_the_first_and_the_last_are_asked_for() {
        let mut numbers = Numbers::default();
        for n in [9, 3, 4, 7, 8, 3, 12] {
            numbers.take("news", &format!("news:{n}"));
        }
        numbers.take("news", "news:about");
        numbers.take("page", "page:99999999999999999999");
        numbers.sort();
        let series = numbers.series();
        assert_eq!(
            series,
            [Series {
                collection: "news".into(),
                prefix: "news:".into(),
                documents: 6,
                from: 3,
                to: 12,
                missing: 4,
                gaps: 2
            }]
        );
        let gaps: Vec<_> = numbers.gaps().map(|g| g.2).collect();
        assert_eq!(gaps, [Gap { from: 5, to: 6 }, Gap { from: 10, to: 11 }]);
    }
}
