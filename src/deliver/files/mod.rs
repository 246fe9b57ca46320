//! Documents into files: what people, static site generators and the importers of CMSs read. One file a format, all of one
//! shape ([`Form`]); the corridor feeds the documents twice, first to learn where each will be, then to write it.
//!
//! Never asks a CMS, never changes what no export wrote.

mod drupal;
mod folder;
mod hugo;
mod index;
mod inventory;
mod jsonl;
mod manifest;
mod out;
mod portable;
mod site;
mod wxr;
mod zola;

pub use manifest::{Checked, Head, Row, check};

use super::entry::{Entry, Mapper, Unfit};
use super::redirect::Redirect;
use crate::document::{CaptureId, Document};
use crate::mapping::model::BodyForm;
use folder::Folder;
use index::{Index, Medium, Place};
use out::Out;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use url::Url;

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Canonical JSON, a document a line, with media.
    Jsonl,
    /// WordPress eXtended RSS 1.2.
    Wxr,
    /// Content of a Hugo site.
    Hugo,
    /// Content of a Zola site.
    Zola,
    /// A module of Drupal Migrate.
    Drupal,
    /// Portable Text, as Sanity imports it.
    PortableText,
    /// Tables of documents, media and old addresses.
    Csv,
    /// The same as one workbook.
    Xlsx,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Jsonl,
        Self::Wxr,
        Self::Hugo,
        Self::Zola,
        Self::Drupal,
        Self::PortableText,
        Self::Csv,
        Self::Xlsx,
    ];

    /// As the command line writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Jsonl => "jsonl",
            Self::Wxr => "wxr",
            Self::Hugo => "hugo",
            Self::Zola => "zola",
            Self::Drupal => "drupal",
            Self::PortableText => "portable-text",
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }

    /// What bodies are written in; nothing where documents are written as they are, or only counted.
    #[must_use]
    pub const fn body(self) -> Option<BodyForm> {
        match self {
            Self::Jsonl | Self::Csv | Self::Xlsx => None,
            Self::Wxr => Some(BodyForm::Gutenberg),
            Self::Hugo | Self::Zola => Some(BodyForm::Markdown),
            Self::Drupal => Some(BodyForm::Html),
            Self::PortableText => Some(BodyForm::PortableText),
        }
    }

    /// Does it tell of old addresses in a sheet of its own, decided by the redirect ledger?
    #[must_use]
    pub const fn is_inventory(self) -> bool {
        matches!(self, Self::Csv | Self::Xlsx)
    }
}

/// Where the export will be, as far as that matters inside it.
#[derive(Clone, Debug)]
pub struct Options {
    /// What is written.
    pub format: Format,
    /// Id of the site.
    pub site: String,
    /// Its title.
    pub title: String,
    /// Language of the site.
    pub language: String,
    /// Address of the old portal.
    pub old: Url,
    /// Address of the new site, if known.
    pub base: Option<Url>,
    /// Where the files of `media/` will be served for an importer that fetches them.
    pub media: Option<Url>,
}

/// Why an export cannot go on.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file cannot be read or written; the message names it.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The folder is somebody's.
    #[error("`{path}` holds `{file}`, which no export wrote: nothing of it was changed")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// One of its files.
        file: String,
    },
    /// The folder holds another export.
    #[error("`{path}` holds an export of `{site}` as `{format}`")]
    Other {
        /// The folder.
        path: PathBuf,
        /// Its format.
        format: String,
        /// Its site.
        site: String,
    },
    /// Another export writes it.
    #[error("another export writes `{path}`")]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// It was not finished.
    #[error("the export in `{path}` was not finished")]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// There is none.
    #[error("`{path}` holds no export")]
    Missing {
        /// The folder.
        path: PathBuf,
    },
    /// A stored medium is not what its name says.
    #[error("`{path}` is not what its name says: it was changed or damaged since it was stored")]
    Medium {
        /// The file.
        path: PathBuf,
    },
    /// The selection is empty.
    #[error("there is nothing to export: {why}")]
    Nothing {
        /// What became of the documents.
        why: String,
    },
    /// A table cannot be written.
    #[error(transparent)]
    Table(#[from] crate::sheet::SheetError),
}

/// Numbers of an export.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Documents in it.
    pub documents: u64,
    /// By collection.
    pub collections: BTreeMap<String, u64>,
    /// Documents that were not written, by reason.
    pub held: BTreeMap<String, u64>,
    /// Media files.
    pub media: u64,
    /// Their bytes.
    pub media_bytes: u64,
    /// Links to pages and files of the old portal that have no place in the export and keep their old address.
    pub kept_links: u64,
    /// Media that the portal did not give: shown from their old address.
    pub kept_media: u64,
    /// Documents with parts that stand as HTML in Markdown.
    pub html: u64,
    /// Documents without a date.
    pub undated: u64,
    /// Characters that XML cannot hold, shown as U+FFFD.
    pub illegal: u64,
    /// Entries that got another second or title, because the importer takes the same title and date for the same entry.
    pub twins: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct Exported {
    /// Its folder.
    pub folder: PathBuf,
    /// Numbers.
    pub tally: Tally,
    /// Files, without the manifest.
    pub files: u64,
    /// Files that differ from what was there.
    pub changed: u64,
    /// Files of an earlier export that are gone.
    pub removed: u64,
}

/// How a format names things: in a document's text, and on the disk.
struct Ways {
    /// Address of a document, seen from another.
    document: fn(&Options, &Place, &Place) -> String,
    /// Address of a file, seen from a document.
    medium: fn(&Options, &Place, &Medium) -> String,
    /// Where a file is in the export; nothing if the format has no files.
    file: Option<fn(&Place, &Medium) -> String>,
    /// Public address of a document below the new site, for redirects; nothing if they are not written.
    public: Option<fn(&Place) -> String>,
    /// Public address of a file.
    public_medium: Option<fn(&Place, &Medium) -> String>,
    /// How an address is written in a body.
    escape: fn(&str) -> String,
}

/// A document on its way.
struct It<'a> {
    document: &'a Document,
    /// Its payload, in formats with bodies.
    entry: Option<&'a Entry>,
    place: &'a Place,
}

/// A format.
trait Form {
    /// How it names things.
    fn ways(&self) -> Ways;
    /// What stands before the first document.
    fn begin(&mut self, _out: &mut Out<'_>) -> Result<(), ExportError> {
        Ok(())
    }
    /// Writes one document; its files are there or will be.
    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError>;
    /// What stands behind the last one.
    fn finish(&mut self, _out: &mut Out<'_>, _redirects: &[Redirect]) -> Result<(), ExportError> {
        Ok(())
    }
}

fn form(format: Format) -> Box<dyn Form> {
    match format {
        Format::Jsonl => Box::new(jsonl::Jsonl::default()),
        Format::Wxr => Box::new(wxr::Wxr::default()),
        Format::Hugo => Box::new(hugo::Hugo),
        Format::Zola => Box::new(zola::Zola),
        Format::Drupal => Box::new(drupal::Drupal::default()),
        Format::PortableText => Box::new(portable::Portable::default()),
        Format::Csv => Box::new(inventory::Inventory::csv()),
        Format::Xlsx => Box::new(inventory::Inventory::xlsx()),
    }
}

/// Writes an export.
pub struct Exporter<'a> {
    mapper: &'a Mapper,
    options: &'a Options,
    media: &'a dyn Fn(CaptureId, &str) -> PathBuf,
    index: Index,
    tally: Tally,
    held: Vec<(Document, String)>,
}

impl<'a> Exporter<'a> {
    /// `media` tells where the file of a medium is stored.
    #[must_use]
    pub fn new(
        mapper: &'a Mapper,
        options: &'a Options,
        media: &'a dyn Fn(CaptureId, &str) -> PathBuf,
    ) -> Self {
        Self {
            mapper,
            options,
            media,
            index: Index::default(),
            tally: Tally::default(),
            held: Vec::new(),
        }
    }

    /// Learns of a document; all of them come by here before the first one is written, in the order in which they will be.
    pub fn learn(&mut self, document: &Document) {
        let format = self.options.format;
        let slug = self.index.slug(self.mapper, document);
        let mut entry = None;
        if format.body().is_some() {
            if document.quality.failed() {
                return self.hold(document, "gate failed");
            }
            match self.mapper.entry(document, slug.clone()) {
                Ok(made) => entry = Some(made),
                Err(Unfit::Unmapped) => return self.hold(document, "no entry rule takes its collection"),
                Err(Unfit::Loses(_)) => return self.hold(document, "the rendered body would lose words"),
            }
        }
        self.index.add(self.mapper, document, slug, entry.as_ref());
    }

    fn hold(&mut self, document: &Document, why: &str) {
        *self.tally.held.entry(why.to_owned()).or_default() += 1;
        // Only what a note names of it is kept.
        let mut named = document.clone();
        named.body.clear();
        named.dropped.clear();
        named.provenance = crate::document::Provenance::default();
        named.media.clear();
        named.attachments.clear();
        named.links.clear();
        self.held.push((named, why.to_owned()));
    }

    /// Opens the folder: everything is known now.
    ///
    /// # Errors
    /// When there is nothing to write, or the folder is not ours or cannot be written.
    pub fn begin(mut self, root: &Path) -> Result<Writing<'a>, ExportError> {
        self.index.close();
        if self.index.documents.is_empty() {
            let why = match self.tally.held.iter().next() {
                Some((why, n)) => format!("{n} documents are held ({why})"),
                None => "no document was asked for".into(),
            };
            return Err(ExportError::Nothing { why });
        }
        let head = Head {
            schema: manifest::SCHEMA.into(),
            format: self.options.format.as_str().into(),
            site: self.options.site.clone(),
            summary: serde_json::Value::Null,
        };
        let mut form = form(self.options.format);
        let ways = form.ways();
        let mut folder = Folder::open(root, head)?;
        let notes = match self.options.format.is_inventory() {
            true => None,
            false => Some(folder.stream("export-notes.jsonl")?),
        };
        let redirects = match ways.public {
            Some(_) => Some(csv::Writer::from_writer(folder.stream("redirects.csv")?)),
            None => None,
        };
        let mut out = Out {
            folder,
            index: self.index,
            options: self.options,
            mapper: self.mapper,
            ways,
            tally: self.tally,
            notes,
            redirects,
        };
        for (document, why) in &self.held {
            out.note("held", document, json!({ "why": why }))?;
        }
        if let Some(redirects) = &mut out.redirects {
            let columns = ["from", "to", "status", "why"];
            redirects.write_record(columns).map_err(io::Error::from)?;
        }
        form.begin(&mut out)?;
        Ok(Writing {
            out,
            form,
            media: self.media,
            root: root.to_owned(),
        })
    }
}

/// An export whose documents are being written.
pub struct Writing<'a> {
    out: Out<'a>,
    form: Box<dyn Form>,
    media: &'a dyn Fn(CaptureId, &str) -> PathBuf,
    root: PathBuf,
}

impl Writing<'_> {
    /// Writes a document and the files that it brings; one that was not learned of, or is held, is passed over.
    ///
    /// # Errors
    /// When something cannot be read or written.
    pub fn document(&mut self, document: &Document) -> Result<(), ExportError> {
        let Some(place) = self.out.index.documents.get(&document.id).cloned() else {
            return Ok(());
        };
        let entry = match self.out.options.format.body() {
            None => None,
            // The same document gave an entry before.
            Some(_) => self.out.mapper.again(document, place.slug.to_string()),
        };
        let it = It {
            document,
            entry: entry.as_ref(),
            place: &place,
        };
        self.form.document(&mut self.out, &it)?;
        self.out.unplaced(document)?;
        self.files(document, &place)?;
        self.redirects(document, &place)?;
        self.out.tally.documents += 1;
        *self
            .out
            .tally
            .collections
            .entry(document.collection.clone())
            .or_default() += 1;
        Ok(())
    }

    fn files(&mut self, document: &Document, place: &Place) -> Result<(), ExportError> {
        let Some(file) = self.out.ways.file else {
            return Ok(());
        };
        for asset in Mapper::assets(document) {
            let Some(id) = index::media_id(&asset.key) else {
                continue;
            };
            let Some(medium) = self.out.index.media.get_mut(&id).filter(|m| !m.copied) else {
                continue;
            };
            medium.copied = true;
            let path = file(place, medium);
            let public = self.out.ways.public_medium.map(|public| public(place, medium));
            let bytes = self.out.folder.copy(&path, &(self.media)(id, &asset.mime), id)?;
            self.out.tally.media += 1;
            self.out.tally.media_bytes += bytes;
            if let Some(public) = public {
                for old in &asset.legacy.from {
                    self.out.redirect(old, &public, &asset.key)?;
                }
            }
        }
        Ok(())
    }

    fn redirects(&mut self, document: &Document, place: &Place) -> Result<(), ExportError> {
        let Some(public) = self.out.ways.public else {
            return Ok(());
        };
        let (path, why) = (public(place), format!("doc:{}", document.id));
        for old in &document.redirects.from {
            self.out.redirect(old, &path, &why)?;
        }
        Ok(())
    }

    /// Ends the export: the manifest comes last.
    ///
    /// # Errors
    /// When something cannot be written.
    pub fn finish(mut self, redirects: &[Redirect]) -> Result<Exported, ExportError> {
        self.form.finish(&mut self.out, redirects)?;
        if let Some(redirects) = self.out.redirects.take() {
            let stream = redirects.into_inner().map_err(|e| e.into_error())?;
            self.out.folder.close(stream)?;
        }
        if let Some(notes) = self.out.notes.take() {
            self.out.folder.close(notes)?;
        }
        let (files, changed) = (self.out.folder.files, self.out.folder.changed);
        let summary = serde_json::to_value(&self.out.tally).map_err(io::Error::from)?;
        let removed = self.out.folder.finish(summary)?;
        Ok(Exported {
            folder: self.root,
            tally: self.out.tally,
            files,
            changed,
            removed,
        })
    }
}
