//! A mapping that holds: its rules, and the questions that other rooms ask about a site's URLs.

use super::error::MappingError;
use super::identity::{Identity, IdentityStep, PageUrl, UrlError};
use super::key::KeyTemplate;
use super::model::{Collection, Discover, MappingFile, RenderRule, Target};
use super::read;
use super::resolve::resolve_href;
use crate::document::{CaptureId, DocumentId};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use url::Url;

/// Everything that is known of one site, checked and compiled.
#[derive(Debug)]
pub struct Mapping {
    pub(super) file: MappingFile,
    pub(super) dir: PathBuf,
    pub(super) hash: CaptureId,
    pub(super) identity: Identity,
    pub(super) zone: TimeZone,
    pub(super) start: Vec<PageUrl>,
    /// By collection id.
    pub(super) keys: BTreeMap<String, KeyTemplate>,
}

impl Mapping {
    /// Reads and checks a mapping file.
    ///
    /// # Errors
    /// When it cannot be read; or all its problems at once, with their places.
    pub fn load(path: &Path) -> Result<Self, MappingError> {
        read::load(path)
    }

    /// Checks the text of a mapping; `name` stands in messages, its folder is that of relative paths.
    ///
    /// # Errors
    /// All problems of the text at once, with their places.
    pub fn parse(name: &str, text: &str) -> Result<Self, MappingError> {
        read::parse(name, text)
    }

    /// Reads and checks a file that holds `[target]` alone, for use instead of a mapping's own.
    ///
    /// # Errors
    /// As [`Mapping::load`].
    pub fn load_target(path: &Path) -> Result<Target, MappingError> {
        read::target(path)
    }

    /// The rules as written, with defaults filled in.
    #[must_use]
    pub fn rules(&self) -> &MappingFile {
        &self.file
    }

    /// The folder of the file: relative paths of the mapping start here.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// BLAKE3 of the text: tells "our mapping changed" from "the portal changed".
    #[must_use]
    pub fn hash(&self) -> CaptureId {
        self.hash
    }

    /// Where a crawl starts: `site.start`, canonical, each page once.
    #[must_use]
    pub fn start_urls(&self) -> Vec<PageUrl> {
        self.start.clone()
    }

    /// The one URL of the page that `url` means.
    ///
    /// # Errors
    /// When it is no page of this site.
    pub fn canonical(&self, url: &Url) -> Result<PageUrl, UrlError> {
        self.identity.canonical(url)
    }

    /// The page that `href` means on a page with base URL `base`.
    ///
    /// # Errors
    /// When it is no URL or no page of this site.
    pub fn resolve(&self, base: &Url, href: &str) -> Result<PageUrl, UrlError> {
        let url = resolve_href(base, href).map_err(|e| UrlError::Invalid {
            text: href.chars().take(200).collect(),
            reason: e.to_string(),
        })?;
        self.canonical(&url)
    }

    /// The rules that changed `url`, one step a rule; the last step gives the reason if they refused it.
    #[must_use]
    pub fn explain_url(&self, url: &Url) -> Vec<IdentityStep> {
        self.identity.explain(url)
    }

    /// The first collection whose `match.url` and `match.not_url` agree. `match.css` and `match.rest` need the page: neither is
    /// asked here, and no page is the rest by its address alone.
    #[must_use]
    pub fn collection_for_url(&self, url: &PageUrl) -> Option<&Collection> {
        let text = url.path_and_query();
        let mut all = self.file.collection.iter().filter(|c| !c.matches.rest);
        all.find(|c| c.matches.fits_url(text))
    }

    /// The collection that takes a page which no list, no `[[ignore]]` and no other collection knows by its URL.
    fn rest_for_url(&self, url: &PageUrl) -> Option<&Collection> {
        let ignored = |rule: &super::model::Ignore| {
            let pattern = rule.url.as_ref();
            pattern.is_some_and(|p| p.regex().is_match(url.as_str())) && rule.css.is_none()
        };
        if self.is_list(url) || self.file.ignore.iter().any(ignored) {
            return None;
        }
        let mut all = self.file.collection.iter().filter(|c| c.matches.rest);
        all.find(|c| c.matches.fits_url(url.path_and_query()))
    }

    /// Whether a list of `discover` is on this page.
    #[must_use]
    pub fn is_list(&self, url: &PageUrl) -> bool {
        self.file.discover.iter().any(|d| match d {
            Discover::List(list) => list.on.regex().is_match(url.as_str()),
            _ => false,
        })
    }

    /// The first `[[render]]` rule for this page.
    #[must_use]
    pub fn render_rule(&self, url: &PageUrl) -> Option<&RenderRule> {
        let text = url.path_and_query();
        self.file.render.iter().find(|r| r.on.regex().is_match(text))
    }

    /// The natural key of a page in collection `c`: `news:4012`. For a collection with `each`, `url` is the entry's.
    /// `None` if the URL lacks what the key needs.
    #[must_use]
    pub fn source_key(&self, c: &Collection, url: &PageUrl) -> Option<String> {
        let filled = match self.keys.get(&c.id) {
            Some(template) if c.each.is_none() => {
                template.fill(url, &c.matches.url, self.file.url.case_insensitive_path)?
            }
            _ => url.to_string(),
        };
        Some(format!("{}:{filled}", c.id))
    }

    /// The page that a document on several pages begins with, and which one this is, if `url` is one of those behind it.
    #[must_use]
    pub fn part(&self, url: &PageUrl) -> Option<(PageUrl, Option<u64>)> {
        let text = url.path_and_query();
        self.file.collection.iter().find_map(|c| {
            let parts = c.parts.as_ref()?;
            let found = parts.url.regex().captures(text)?;
            let mut first = String::new();
            found.expand(&parts.first, &mut first);
            let number = found
                .iter()
                .flatten()
                .last()
                .and_then(|m| m.as_str().parse().ok());
            let first = self.resolve(&self.file.site.base, &first).ok()?;
            (first != *url).then_some((first, number))
        })
    }

    /// The id of the document that the page at `url` becomes; `None` if its URL makes none (no collection, a key that
    /// is not there, or a page of many entries).
    #[must_use]
    pub fn document_id(&self, url: &PageUrl) -> Option<DocumentId> {
        let first = self.part(url).map(|(first, _)| first);
        let url = first.as_ref().unwrap_or(url);
        let collection = self.collection_for_url(url).or_else(|| self.rest_for_url(url))?;
        if collection.each.is_some() {
            return None;
        }
        let key = self.source_key(collection, url)?;
        Some(DocumentId::new(&self.file.site.id, &key))
    }

    /// Does `media.attachments` name this URL?
    #[must_use]
    pub fn is_attachment(&self, url: &PageUrl) -> bool {
        self.file
            .media
            .attachments
            .iter()
            .any(|p| p.regex().is_match(url.as_str()))
    }

    /// Time zone of dates that name none.
    #[must_use]
    pub fn timezone(&self) -> TimeZone {
        self.zone.clone()
    }
}
