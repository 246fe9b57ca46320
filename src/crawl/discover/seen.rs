//! Spellings of links to canonical URLs, each resolved once a page.

use super::{Link, MAX_LINKS};
use crate::crawl::trap;
use crate::ledger::UrlKind;
use crate::mapping::{Mapping, PageUrl, UrlError, resolve_href};
use std::collections::{HashMap, HashSet};
use url::Url;

/// Most patterns of traps that one page names.
const MAX_TRAPS: usize = 20;

/// Resolves each spelling once.
pub(super) struct Seen<'a> {
    mapping: &'a Mapping,
    base: &'a Url,
    known: HashMap<String, Option<(PageUrl, Option<String>)>>,
    pushed: HashSet<(PageUrl, Option<String>)>,
    /// Patterns of links that a trap makes, each once.
    pub(super) traps: Vec<String>,
}

impl<'a> Seen<'a> {
    pub(super) fn new(mapping: &'a Mapping, base: &'a Url) -> Self {
        Self {
            mapping,
            base,
            known: HashMap::new(),
            pushed: HashSet::new(),
            traps: Vec::new(),
        }
    }

    pub(super) fn resolve(&mut self, href: &str) -> Option<(PageUrl, Option<String>)> {
        let href = href.trim();
        if href.is_empty() || href.starts_with('#') || href.len() > 8192 {
            return None;
        }
        // Pictures inside the page and scripts are no URLs of the site.
        if href.get(..5).is_some_and(|s| s.eq_ignore_ascii_case("data:"))
            || href
                .get(..11)
                .is_some_and(|s| s.eq_ignore_ascii_case("javascript:"))
        {
            return None;
        }
        if let Some(known) = self.known.get(href) {
            return known.clone();
        }
        let answer = match page_of(self.mapping, self.base, href) {
            Ok(page) => Some(page),
            Err(Some(UrlError::Trap { url, .. })) => {
                let pattern = Url::parse(&url).map(|u| trap::pattern_of(&u)).unwrap_or(url);
                if self.traps.len() < MAX_TRAPS && !self.traps.contains(&pattern) {
                    self.traps.push(pattern);
                }
                None
            }
            Err(_) => None,
        };
        self.known.insert(href.to_owned(), answer.clone());
        answer
    }

    pub(super) fn push(
        &mut self,
        links: &mut Vec<Link>,
        to: (PageUrl, Option<String>),
        kind: UrlKind,
        via: &str,
    ) {
        if links.len() < MAX_LINKS && self.pushed.insert(to.clone()) {
            links.push(Link {
                url: to.0,
                spelling: to.1,
                kind,
                via: via.to_owned(),
            });
        }
    }
}

/// The page that `href` means, with its absolute spelling (without fragment) if that differs.
pub fn canonical(mapping: &Mapping, base: &Url, href: &str) -> Option<(PageUrl, Option<String>)> {
    page_of(mapping, base, href).ok()
}

fn page_of(mapping: &Mapping, base: &Url, href: &str) -> Result<(PageUrl, Option<String>), Option<UrlError>> {
    let mut absolute = resolve_href(base, href).map_err(|_| None)?;
    absolute.set_fragment(None);
    let url = mapping.canonical(&absolute)?;
    let spelling = (url.as_str() != absolute.as_str()).then(|| absolute.to_string());
    Ok((url, spelling))
}
