//! Which documents a person means.

use std::collections::HashSet;

/// Documents by a pattern, by a verdict, or by both; by neither: all.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Those of which a name matches.
    pub only: Option<globset::GlobSet>,
    /// Those with one of these keys (`doc:ID`).
    pub approved: Option<HashSet<String>>,
}

impl Selection {
    /// Whether it leaves nothing out.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.only.is_none() && self.approved.is_none()
    }

    /// Whether it names the document with this key. What a pattern may match: its source key, `collection/source key`, its
    /// key, its slug if it has one.
    #[must_use]
    pub fn has(&self, key: &str, collection: &str, source_key: &str, slug: Option<&str>) -> bool {
        if self.approved.as_ref().is_some_and(|all| !all.contains(key)) {
            return false;
        }
        let Some(only) = &self.only else { return true };
        let path = format!("{collection}/{source_key}");
        let names = [Some(source_key), Some(&path), Some(key), slug];
        names.into_iter().flatten().any(|name| only.is_match(name))
    }
}
