//! Media of the archive -> files named by their content. Read when a document asks for them, remembered for a while.

use super::documents::location;
use super::error::PipelineError;
use super::filename::file_name;
use super::output::{Layout, write_atomic};
use crate::capture::ArchiveReader;
use crate::document::{CaptureId, MediaState};
use crate::extract::{self, InlineMedia, StoredMedia};
use crate::ledger::{Ledger, Medium, MediumState};
use crate::mapping::Mapping;
use crate::page;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Facts of media kept in memory; icons and shared pictures are asked for again and again.
const REMEMBERED: usize = 4_000;

/// Stores media and remembers what it stored.
#[derive(Debug)]
pub(super) struct MediaStore<'a> {
    mapping: &'a Mapping,
    layout: &'a Layout,
    archive: ArchiveReader,
    /// Whether files are written; else they are only looked at.
    keeps: bool,
    known: HashMap<String, StoredMedia>,
    /// Whether what an address answered is a file.
    kinds: HashMap<String, bool>,
    /// Distinct files seen in this extraction, and their bytes.
    pub(super) files: u64,
    pub(super) bytes: u64,
    seen: HashSet<CaptureId>,
}

impl<'a> MediaStore<'a> {
    pub(super) fn new(mapping: &'a Mapping, layout: &'a Layout) -> Self {
        Self {
            mapping,
            layout,
            archive: ArchiveReader::new(&layout.archive()),
            keeps: true,
            known: HashMap::new(),
            kinds: HashMap::new(),
            files: 0,
            bytes: 0,
            seen: HashSet::new(),
        }
    }

    /// One that only looks: nothing is written.
    pub(super) fn looking(mapping: &'a Mapping, layout: &'a Layout) -> Self {
        Self {
            keeps: false,
            ..Self::new(mapping, layout)
        }
    }

    /// What is known of the medium at a canonical URL; stores its bytes on first sight.
    pub(super) fn get(&mut self, ledger: &Ledger, url: &str) -> Result<Option<StoredMedia>, PipelineError> {
        if let Some(found) = self.known.get(url) {
            return Ok(Some(found.clone()));
        }
        let Some(key) = url::Url::parse(url)
            .ok()
            .and_then(|u| self.mapping.canonical(&u).ok())
            .map(|u| u.key())
        else {
            return Ok(None);
        };
        let Some(row) = ledger.medium(&key)? else {
            return Ok(None);
        };
        let found = self.store(&row)?;
        if self.known.len() >= REMEMBERED {
            self.known.clear();
        }
        self.known.insert(url.to_owned(), found.clone());
        Ok(Some(found))
    }

    /// Whether the answer of a canonical URL is in the archive and is a file, no page. Only bytes that do not call themselves a
    /// page are read.
    pub(super) fn is_file(&mut self, ledger: &Ledger, url: &str) -> Result<bool, PipelineError> {
        if let Some(is) = self.kinds.get(url) {
            return Ok(*is);
        }
        let key = url::Url::parse(url)
            .ok()
            .and_then(|u| self.mapping.canonical(&u).ok());
        let row = match key {
            Some(url) => ledger.medium(&url.key())?,
            None => None,
        };
        let place = row.filter(|row| {
            let declared = row.declared_mime.as_deref().unwrap_or_default();
            row.state == MediumState::Ok && !declared.to_ascii_lowercase().contains("html")
        });
        let is = match place.and_then(|row| row.place) {
            Some(place) => page::file(&self.archive.read(&location(&place), self.limit())?).is_some(),
            None => false,
        };
        if self.kinds.len() >= REMEMBERED {
            self.kinds.clear();
        }
        self.kinds.insert(url.to_owned(), is);
        Ok(is)
    }

    /// Most bytes of a file: it may have been asked for as a page.
    fn limit(&self) -> u64 {
        let limits = &self.mapping.rules().limits;
        limits.media_bytes.max(limits.page_bytes)
    }

    fn store(&mut self, row: &Medium) -> Result<StoredMedia, PipelineError> {
        let mut found = StoredMedia {
            state: match row.state {
                MediumState::Ok => MediaState::Ok,
                MediumState::Missing => MediaState::Missing,
                MediumState::Forbidden => MediaState::Forbidden,
                MediumState::TooLarge => MediaState::TooLarge,
                MediumState::Unfetchable => MediaState::Unfetchable,
            },
            hash: None,
            mime: None,
            declared_mime: row.declared_mime.clone(),
            bytes: None,
            width: None,
            height: None,
            filename: row.disposition.as_deref().and_then(file_name),
        };
        let (MediaState::Ok, Some(place)) = (found.state, &row.place) else {
            return Ok(found);
        };
        let capture = self.archive.read(&location(place), self.limit())?;
        let facts = extract::inspect(&capture.body, row.declared_mime.as_deref());
        // A picture that answers with a page ("not found", status 200) is no picture.
        if facts.mime.as_deref() == Some("text/html") && found.filename.is_none() {
            found.state = MediaState::Missing;
            found.declared_mime = None;
            return Ok(found);
        }
        self.write(capture.id, facts.mime.as_deref(), &capture.body)?;
        found.hash = Some(capture.id);
        found.bytes = Some(capture.body.len() as u64);
        found.mime = facts.mime;
        found.width = facts.width;
        found.height = facts.height;
        Ok(found)
    }

    /// Stores pictures that stood in a page itself; their facts by the token that the extractor gave them.
    pub(super) fn inline(
        &mut self,
        media: &[InlineMedia],
    ) -> Result<BTreeMap<String, StoredMedia>, PipelineError> {
        let mut found = BTreeMap::new();
        for medium in media {
            let facts = extract::inspect(&medium.bytes, medium.declared_mime.as_deref());
            let id = CaptureId::of(&medium.bytes);
            self.write(id, facts.mime.as_deref(), &medium.bytes)?;
            found.insert(
                medium.source_url.clone(),
                StoredMedia {
                    state: MediaState::Ok,
                    hash: Some(id),
                    mime: facts.mime,
                    declared_mime: medium.declared_mime.clone(),
                    bytes: Some(medium.bytes.len() as u64),
                    width: facts.width,
                    height: facts.height,
                    filename: None,
                },
            );
        }
        Ok(found)
    }

    fn write(&mut self, id: CaptureId, mime: Option<&str>, bytes: &[u8]) -> Result<(), PipelineError> {
        if !self.seen.insert(id) {
            return Ok(());
        }
        self.files += 1;
        self.bytes += bytes.len() as u64;
        let path = self.layout.media(id, mime);
        // Named by content and renamed into place: if it is there, it is right.
        if self.keeps && !path.exists() {
            write_atomic(&path, bytes)?;
        }
        Ok(())
    }
}
