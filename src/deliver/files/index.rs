//! What of an export must be known before its first document is written: where each document will be, which files it
//! brings, categories, authors. A few dozen bytes a document.

use crate::deliver::entry::{Asset, Entry, Mapper, Term};
use crate::deliver::render;
use crate::document::{CaptureId, Document, DocumentId, extension};
use crate::lang::slug;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

/// Numbers of documents and files in formats that need some: high, so that they are free in a CMS that has content already.
pub(super) const FIRST: u32 = 1_000_001;

/// Where a document is in the export.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The document.
    pub id: DocumentId,
    /// Collection of the mapping.
    pub collection: Rc<str>,
    /// Last part of its address.
    pub slug: Box<str>,
    /// Its number, from [`FIRST`].
    pub number: u32,
}

/// A picture or a file.
#[derive(Clone, Debug)]
pub(super) struct Medium {
    /// Hash of its bytes.
    pub id: CaptureId,
    /// Its number, from [`FIRST`].
    pub number: u32,
    /// Name for people, with the beginning of its hash.
    pub filename: Box<str>,
    /// File name extension by its bytes, as the output folder has it.
    pub plain: &'static str,
    /// Does more than one document refer to it?
    pub shared: bool,
    /// Was it copied?
    pub copied: bool,
}

impl Medium {
    /// `ab/NAME`: no folder holds all files.
    pub(super) fn below(&self) -> String {
        format!("{}/{}", &self.id.to_string()[..2], self.filename)
    }
}

/// All of it.
#[derive(Default)]
pub(super) struct Index {
    pub documents: HashMap<DocumentId, Place>,
    pub media: HashMap<CaptureId, Medium>,
    /// By key; a term stands behind the one above it where `order` is followed.
    pub terms: HashMap<String, Term>,
    pub order: Vec<String>,
    /// Display names by login.
    pub authors: BTreeMap<String, String>,
    pub collections: BTreeMap<Rc<str>, u64>,
    slugs: HashSet<(Rc<str>, Box<str>)>,
    next: u32,
}

impl Index {
    fn number(&mut self) -> u32 {
        self.next += 1;
        FIRST + self.next - 1
    }

    fn collection(&mut self, name: &str) -> Rc<str> {
        let found = self.collections.keys().find(|c| &***c == name).cloned();
        let name = found.unwrap_or_else(|| Rc::from(name));
        *self.collections.entry(name.clone()).or_default() += 1;
        name
    }

    /// The address of the next document.
    pub(super) fn slug(&self, mapper: &Mapper, document: &Document) -> String {
        mapper.slug(document, &|slug| {
            self.slugs
                .contains(&(Rc::from(document.collection.as_str()), slug.into()))
        })
    }

    /// Adds a document.
    pub(super) fn add(&mut self, mapper: &Mapper, document: &Document, slug: String, entry: Option<&Entry>) {
        let collection = self.collection(&document.collection);
        let slug: Box<str> = slug.into();
        self.slugs.insert((collection.clone(), slug.clone()));
        for asset in Mapper::assets(document) {
            self.asset(&asset);
        }
        let mut tokens = entry.map(|e| render::tokens(&e.body)).unwrap_or_default();
        tokens.extend(entry.and_then(|e| e.cover.clone()));
        let own = Mapper::assets(document).into_iter().map(|a| a.key);
        for token in own.collect::<HashSet<_>>().union(&tokens.into_iter().collect()) {
            self.refer(token);
        }
        let number = self.number();
        self.documents.insert(
            document.id,
            Place {
                id: document.id,
                collection,
                slug,
                number,
            },
        );
        for term in mapper.terms(document) {
            if !self.terms.contains_key(&term.key) {
                self.order.push(term.key.clone());
                self.terms.insert(term.key.clone(), term);
            }
        }
        if let Some((login, name)) = entry.and_then(|e| author(document, e)) {
            self.authors.entry(login).or_insert(name);
        }
    }

    fn asset(&mut self, asset: &Asset) {
        let Some(id) = media_id(&asset.key) else { return };
        let number = match self.media.get(&id) {
            Some(known) if !known.filename.is_empty() => return,
            Some(known) => known.number,
            None => self.number(),
        };
        let medium = self.media.entry(id).or_insert_with(|| blank(id, number));
        medium.filename = asset.filename.clone().into();
        medium.plain = extension(&asset.mime).unwrap_or("bin");
    }

    /// Notes that a document refers to a file; the second one makes it shared.
    fn refer(&mut self, token: &str) {
        let Some(id) = media_id(token) else { return };
        if let Some(known) = self.media.get_mut(&id) {
            // `copied` says "referred to" until everything is known.
            known.shared |= known.copied;
            known.copied = true;
            return;
        }
        let number = self.number();
        let medium = Medium {
            copied: true,
            ..blank(id, number)
        };
        self.media.insert(id, medium);
    }

    /// Everything is known now.
    pub(super) fn close(&mut self) {
        // What nobody brings has no file.
        self.media.retain(|_, m| !m.filename.is_empty());
        self.media.values_mut().for_each(|m| m.copied = false);
        self.slugs = HashSet::new();
    }

    /// The place of a token's document.
    pub(super) fn document(&self, token: &str) -> Option<&Place> {
        self.documents.get(&token.strip_prefix("doc:")?.parse().ok()?)
    }

    /// The file of a token.
    pub(super) fn medium(&self, token: &str) -> Option<&Medium> {
        self.media.get(&media_id(token)?)
    }

    /// Terms of an entry in a taxonomy.
    pub(super) fn terms_of<'a>(&'a self, keys: &'a [String]) -> impl Iterator<Item = &'a Term> {
        keys.iter().filter_map(|key| self.terms.get(key))
    }

    /// Terms, each behind the one above it.
    pub(super) fn ordered(&self) -> impl Iterator<Item = &Term> {
        self.order.iter().filter_map(|key| self.terms.get(key))
    }
}

fn blank(id: CaptureId, number: u32) -> Medium {
    Medium {
        id,
        number,
        filename: "".into(),
        plain: "bin",
        shared: false,
        copied: false,
    }
}

pub(super) fn media_id(token: &str) -> Option<CaptureId> {
    token.strip_prefix("media:")?.parse().ok()
}

/// Who signed a document: login and name. The mapping's user if it names one.
pub(super) fn author(document: &Document, entry: &Entry) -> Option<(String, String)> {
    let byline = document.byline.as_ref()?;
    let name = byline
        .person
        .as_ref()
        .or(byline.organisation.as_ref())
        .unwrap_or(&byline.raw)
        .trim();
    let login = entry.author.clone().unwrap_or_else(|| slug(name, 60));
    (!login.is_empty()).then(|| (login, name.to_owned()))
}
