//! How many URLs of one pattern are taken, and when pages that all say the same end it. Pure; the recorder keeps it.

use crate::ledger::PatternRow;
use std::collections::{BTreeSet, HashMap};

/// Most patterns that are told apart; further ones share one budget.
const MAX_PATTERNS: usize = 20_000;
const OTHERS: &str = "(other patterns)";

/// Named for a pattern of which the rules of URLs refuse some: segments that come back (`url.max_repeated_segments`),
/// length. The others of the pattern are real pages.
pub(super) const UNENDING: &str = "repeated-segments";

/// Is no URL of the pattern taken any more?
fn has_ended(row: &PatternRow) -> bool {
    row.stopped.as_deref().is_some_and(|rule| rule != UNENDING)
}

/// The budgets of a site.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    patterns: HashMap<String, PatternRow>,
    dirty: BTreeSet<String>,
    urls: u64,
    same: u32,
}

/// What a pattern says to one more URL or page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Take,
    /// Not this one; the pattern was stopped before.
    Stopped,
    /// Not this one, and the pattern stops here, by this rule.
    Stops(&'static str),
}

impl Budgets {
    /// Budgets with limits: URLs a pattern that the mapping does not ask for, and pages in a row that say the same. 0 is no
    /// limit. `known` comes from the ledger.
    pub(super) fn new(urls: u64, same: u32, known: Vec<PatternRow>) -> Self {
        let patterns = known.into_iter().map(|row| (row.pattern.clone(), row)).collect();
        Self {
            patterns,
            urls,
            same,
            ..Self::default()
        }
    }

    fn row(&mut self, pattern: &str) -> &mut PatternRow {
        let full = self.patterns.len() >= MAX_PATTERNS && !self.patterns.contains_key(pattern);
        let pattern = if full { OTHERS } else { pattern };
        self.dirty.insert(pattern.to_owned());
        self.patterns
            .entry(pattern.to_owned())
            .or_insert_with(|| PatternRow {
                pattern: pattern.to_owned(),
                ..PatternRow::default()
            })
    }

    /// A new URL of a pattern wants in.
    pub(super) fn offer(&mut self, pattern: &str, wanted: bool) -> Verdict {
        let most = self.urls;
        if wanted {
            // Counting every article would write as many rows as pages: only a stopped pattern is looked at.
            return match self.patterns.get_mut(pattern) {
                Some(row) if has_ended(row) => {
                    row.refused += 1;
                    self.dirty.insert(pattern.to_owned());
                    Verdict::Stopped
                }
                _ => Verdict::Take,
            };
        }
        let row = self.row(pattern);
        if has_ended(row) {
            row.refused += 1;
            return Verdict::Stopped;
        }
        if most > 0 && row.urls >= most {
            row.refused += 1;
            row.stopped = Some("too-many-urls".into());
            return Verdict::Stops("too-many-urls");
        }
        row.urls += 1;
        Verdict::Take
    }

    /// A page of a pattern was captured; `signature` is what it says. Answers the rule if the pattern stops here.
    pub(super) fn captured(&mut self, pattern: &str, signature: u64) -> Option<&'static str> {
        let most = self.same;
        if most == 0 {
            return None;
        }
        let last = self.patterns.get(pattern).map(|row| row.last);
        if last.is_some_and(|l| l != signature)
            && self
                .patterns
                .get(pattern)
                .is_some_and(|r| r.same == 0 && r.stopped.is_none())
        {
            // The usual case, pages that differ, costs no row.
            if let Some(row) = self.patterns.get_mut(pattern) {
                row.last = signature;
            }
            return None;
        }
        let row = self.row(pattern);
        if row.last == signature {
            row.same += 1;
        } else {
            (row.last, row.same) = (signature, 0);
        }
        if row.same >= most && !has_ended(row) {
            row.stopped = Some("same-content".into());
            return Some("same-content");
        }
        None
    }

    /// A link of a pattern that the rules of URLs refuse. Is that news?
    pub(super) fn refused(&mut self, pattern: &str) -> bool {
        let row = self.row(pattern);
        row.refused += 1;
        let news = row.stopped.is_none();
        row.stopped.get_or_insert_with(|| UNENDING.to_owned());
        news
    }

    /// What changed since the last call.
    pub(super) fn changed(&mut self) -> Vec<PatternRow> {
        let dirty = std::mem::take(&mut self.dirty);
        dirty
            .iter()
            .filter_map(|p| self.patterns.get(p).cloned())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_rules_of_urls_refuse_is_named_and_its_siblings_are_taken() {
        let mut budgets = Budgets::new(3, 2, Vec::new());
        assert!(budgets.refused("/a/b/"));
        assert!(!budgets.refused("/a/b/"));
        assert_eq!(budgets.offer("/a/b/", true), Verdict::Take);
        let got: Vec<Verdict> = (0..4).map(|_| budgets.offer("/a/b/", false)).collect();
        assert_eq!(got[2..], [Verdict::Take, Verdict::Stops("too-many-urls")]);
        assert_eq!(budgets.changed()[0].refused, 3);
    }

    #[test]
    fn a_calendar_ends_and_articles_do_not() {
        let mut budgets = Budgets::new(3, 2, Vec::new());
        let got: Vec<Verdict> = (0..5).map(|_| budgets.offer("/lich?thang", false)).collect();
        assert_eq!(got[..3], [Verdict::Take; 3]);
        assert_eq!(got[3..], [Verdict::Stops("too-many-urls"), Verdict::Stopped]);
        assert!((0..1000).all(|_| budgets.offer("/View?ItemID", true) == Verdict::Take));
        let rows = budgets.changed();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].urls, rows[0].refused), (3, 2));
        // A resumed run knows where it stopped.
        let mut later = Budgets::new(3, 2, rows);
        assert_eq!(later.offer("/lich?thang", false), Verdict::Stopped);
    }

    #[test]
    fn pages_that_all_say_the_same_end_their_pattern() {
        let mut budgets = Budgets::new(0, 2, Vec::new());
        assert_eq!([1, 2, 3, 3, 4].map(|s| budgets.captured("/p", s)), [None; 5]);
        assert_eq!(
            [7, 7, 7].map(|s| budgets.captured("/p", s)),
            [None, None, Some("same-content")]
        );
        assert_eq!(budgets.captured("/p", 7), None);
        assert_eq!(budgets.offer("/p", true), Verdict::Stopped);
    }
}
