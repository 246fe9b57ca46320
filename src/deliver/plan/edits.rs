//! What was decided of editors' changes, by glob. Pure.

use crate::mapping::model::Drift;
use globset::{Glob, GlobMatcher};

/// Decisions, the last one that fits counts.
#[derive(Clone, Debug, Default)]
pub struct Edits(Vec<(GlobMatcher, Drift)>);

impl Edits {
    /// Adds a decision.
    ///
    /// # Errors
    /// When the glob is none.
    pub fn add(&mut self, glob: &str, how: Drift) -> Result<(), globset::Error> {
        self.0.push((Glob::new(glob)?.compile_matcher(), how));
        Ok(())
    }

    /// What was decided of an entry, by its natural key, collection/key, slug or key.
    #[must_use]
    pub fn of(&self, names: &[&str]) -> Option<Drift> {
        let fits = |(glob, _): &&(GlobMatcher, Drift)| names.iter().any(|name| glob.is_match(name));
        self.0.iter().rev().find(fits).map(|(_, how)| *how)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_decision_that_fits_counts() {
        let mut edits = Edits::default();
        edits.add("news/*", Drift::Theirs).unwrap();
        edits.add("news:4?", Drift::FieldMerge).unwrap();
        assert_eq!(edits.of(&["news:7", "news/news:7"]), Some(Drift::Theirs));
        assert_eq!(edits.of(&["news:41", "news/news:41"]), Some(Drift::FieldMerge));
        assert_eq!(edits.of(&["page:1", "pages/page:1"]), None);
        assert!(edits.add("[", Drift::Hold).is_err());
    }
}
