//! What a format writes to: the folder, what is known of the export, and what people should know of it.

use super::folder::{Folder, Stream};
use super::index::{Index, Place};
use super::{ExportError, It, Options, Tally, Ways};
use crate::deliver::entry::Mapper;
use crate::deliver::render::{self, Known};
use crate::document::{Document, LinkKind, MediaState};
use serde_json::json;
use std::io::{self, Write};

/// What a format writes to.
pub(super) struct Out<'a> {
    pub(super) folder: Folder,
    pub(super) index: Index,
    pub(super) options: &'a Options,
    pub(super) mapper: &'a Mapper,
    pub(super) ways: Ways,
    pub(super) tally: Tally,
    pub(super) notes: Option<Stream>,
    pub(super) redirects: Option<csv::Writer<Stream>>,
}

impl Out<'_> {
    /// What an address is in a body.
    pub(super) fn known(&self, from: &Place, token: &str) -> Option<Known> {
        if token.starts_with("doc:") {
            let to = self.index.document(token)?;
            return Some(Known {
                id: to.number.to_string(),
                url: (self.ways.document)(self.options, from, to),
            });
        }
        let medium = self.index.medium(token)?;
        Some(Known {
            id: medium.number.to_string(),
            url: (self.ways.medium)(self.options, from, medium),
        })
    }

    /// The body of a document with addresses; what has no place in the export keeps its old one and is noted.
    pub(super) fn body(&mut self, it: &It<'_>) -> Result<String, ExportError> {
        let Some(entry) = it.entry else {
            return Ok(String::new());
        };
        let old = |token: &str| entry.links.get(token).cloned().unwrap_or_else(|| "#".into());
        let known = |token: &str| self.known(it.place, token);
        let (text, waiting) = render::fill(&entry.body, &known, &old, self.ways.escape);
        for token in waiting {
            self.tally.kept_links += 1;
            self.note(
                "link",
                it.document,
                json!({ "target": token, "kept": old(&token) }),
            )?;
        }
        Ok(text)
    }

    /// A line for people.
    pub(super) fn note(
        &mut self,
        what: &str,
        document: &Document,
        more: serde_json::Value,
    ) -> Result<(), ExportError> {
        let Some(notes) = &mut self.notes else {
            return Ok(());
        };
        let mut line =
            json!({ "type": what, "document": format!("doc:{}", document.id), "key": document.source_key });
        if let (Some(line), serde_json::Value::Object(more)) = (line.as_object_mut(), more) {
            line.extend(more);
        }
        writeln!(notes, "{line}")?;
        Ok(())
    }

    /// Notes what a document refers to on the old portal that no delivery can place.
    pub(super) fn unplaced(&mut self, document: &Document) -> Result<(), ExportError> {
        for link in &document.links {
            let of_site = matches!(link.kind, LinkKind::Internal | LinkKind::Attachment);
            if of_site && link.target.is_none() {
                self.tally.kept_links += 1;
                self.note("link", document, json!({ "kept": link.resolved }))?;
            }
        }
        for medium in document.media.iter().chain(&document.attachments) {
            if medium.state != MediaState::Ok {
                self.tally.kept_media += 1;
                self.note(
                    "media",
                    document,
                    json!({ "kept": medium.source_url, "state": medium.state }),
                )?;
            }
        }
        Ok(())
    }

    /// An address of the new site: absolute if it is known where that will be.
    pub(super) fn absolute(&self, path: &str) -> String {
        match &self.options.base {
            Some(base) => format!("{}{path}", base.as_str().trim_end_matches('/')),
            None => path.to_owned(),
        }
    }

    pub(super) fn redirect(&mut self, old: &str, path: &str, why: &str) -> Result<(), ExportError> {
        let to = self.absolute(path);
        if let Some(redirects) = &mut self.redirects {
            redirects
                .write_record([old, &to, "301", why])
                .map_err(io::Error::from)?;
        }
        Ok(())
    }
}
