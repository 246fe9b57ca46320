//! The CMSs that documents are delivered to. Each says how a payload is written in its words, how an object of ours is found
//! again, and what its errors mean; when and how often something is written is decided elsewhere.

pub mod directus;
pub mod http_json;
pub mod wordpress;

use super::api::Api;
use super::entry::{Asset, Entry, Term};
use super::failure::{Class, Failure};
use super::render::Known;
use crate::document::CaptureId;
use crate::ledger::Kind;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::path::PathBuf;

/// An object to be delivered.
#[derive(Clone, Debug)]
pub struct Item {
    /// Key of ours.
    pub key: String,
    /// Type in the target.
    pub of: String,
    /// Slug, pinned.
    pub slug: String,
    /// Hash of the payload.
    pub payload: CaptureId,
    /// What it is.
    pub body: Payload,
}

/// What is delivered.
#[derive(Clone, Debug)]
pub enum Payload {
    /// A category or tag.
    Term(Term),
    /// A file, and where its bytes are.
    Media(Asset, PathBuf),
    /// A document.
    Document(Box<Entry>),
}

impl Item {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self.body {
            Payload::Term(_) => Kind::Term,
            Payload::Media(..) => Kind::Media,
            Payload::Document(_) => Kind::Document,
        }
    }

    /// Its payload as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        match &self.body {
            Payload::Term(term) => serde_json::to_value(term),
            Payload::Media(asset, _) => serde_json::to_value(asset),
            Payload::Document(entry) => serde_json::to_value(entry),
        }
        .unwrap_or_default()
    }
}

/// An object as the target shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Remote {
    /// Id in the target.
    pub id: String,
    /// Public address, also if it is not public yet.
    pub url: Option<String>,
    /// Slug.
    pub slug: String,
    /// Our key, where the target holds it.
    pub key: Option<String>,
    /// When it was changed, as the target says it.
    pub modified: Option<String>,
    /// Is it public?
    pub live: bool,
    /// How many entries refer to it, if the target says so.
    pub used: Option<u64>,
    /// What we write and read, by the target's names.
    pub fields: BTreeMap<String, Value>,
    /// What its readers see of the body, as HTML.
    pub rendered: Option<String>,
}

impl Remote {
    /// Hash of what we write and read.
    #[must_use]
    pub fn seen(&self) -> CaptureId {
        // A map of JSON values is JSON.
        CaptureId::of(&serde_json::to_vec(&self.fields).unwrap_or_default())
    }
}

/// A line of a target's inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Id in the target.
    pub id: String,
    /// Slug.
    pub slug: String,
    /// Our key, where the target holds it.
    pub key: Option<String>,
    /// When it was changed.
    pub modified: Option<String>,
}

/// Addresses of what an object refers to.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// By token or key.
    pub known: BTreeMap<String, Known>,
    /// Old addresses of what is not known.
    pub old: BTreeMap<String, String>,
}

/// A payload in the target's words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wire {
    /// Fields.
    pub fields: Map<String, Value>,
    /// Tokens that have no address yet.
    pub waiting: BTreeSet<String>,
}

/// What a target needs to have for a mapping.
#[derive(Clone, Debug, Default)]
pub struct Needs {
    /// Types with their fields and taxonomies.
    pub types: Vec<crate::mapping::model::EntryRule>,
    /// Users.
    pub authors: BTreeSet<String>,
    /// Are files delivered?
    pub media: bool,
}

/// What a probe found.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Probe {
    /// Name and version, as far as it tells.
    pub product: String,
    /// As whom we write.
    pub user: String,
    /// Its time zone.
    pub timezone: Option<String>,
    /// Largest upload, in bytes, if it tells.
    pub max_upload: Option<u64>,
    /// Why nothing can be delivered like this; each with what to do.
    pub problems: Vec<String>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// Which state a document is to get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// For editors only.
    Draft,
    /// As its entry says.
    Final,
}

/// A CMS.
pub trait Sink: Send + Sync + 'static {
    /// Its interface.
    fn api(&self) -> &Api;

    /// Looks whether everything that is needed is there, without writing anything.
    fn probe(&self, needs: &Needs) -> impl Future<Output = Result<Probe, Failure>> + Send;

    /// A payload in its words.
    fn wire(&self, item: &Item, links: &Links, stage: Stage) -> Wire;

    /// A page of what it has of a type, and where the next one begins.
    fn list(
        &self,
        kind: Kind,
        of: &str,
        from: Option<String>,
    ) -> impl Future<Output = Result<(Vec<Listed>, Option<String>), Failure>> + Send;

    /// What has the key of an item, the oldest first; more than one only if something went wrong.
    fn find(&self, item: &Item) -> impl Future<Output = Result<Vec<Remote>, Failure>> + Send;

    /// Makes an object. Not repeatable.
    fn create(&self, item: &Item, wire: &Wire) -> impl Future<Output = Result<Remote, Failure>> + Send;

    /// Makes several documents of a type in one request: all or none.
    fn create_many(
        &self,
        of: &str,
        items: &[(&Item, &Wire)],
    ) -> impl Future<Output = Result<Vec<Remote>, Failure>> + Send {
        let _ = items;
        std::future::ready(Err(Failure::of(
            Class::Permanent,
            of,
            "one request, one document",
        )))
    }

    /// Most documents that [`Sink::create_many`] takes; 1: none.
    fn batch(&self) -> usize {
        1
    }

    /// Is a document there as a whole or not at all? Then it need not be hidden until it is whole.
    fn is_atomic(&self) -> bool {
        false
    }

    /// Writes all of an object again.
    fn update(
        &self,
        id: &str,
        item: &Item,
        wire: &Wire,
    ) -> impl Future<Output = Result<Remote, Failure>> + Send;

    /// Writes some fields of an object.
    fn patch(
        &self,
        kind: Kind,
        of: &str,
        id: &str,
        fields: &Map<String, Value>,
    ) -> impl Future<Output = Result<Remote, Failure>> + Send;

    /// The fields that make a document public, or take it off.
    fn state_fields(&self, live: bool) -> Map<String, Value>;

    /// Objects by id; those that are not there are left out.
    fn read(
        &self,
        kind: Kind,
        of: &str,
        ids: &[String],
    ) -> impl Future<Output = Result<Vec<Remote>, Failure>> + Send;

    /// Removes an object for good.
    fn delete(&self, kind: Kind, of: &str, id: &str) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Do two values of a field mean the same?
    fn same(&self, field: &str, ours: &Value, theirs: &Value) -> bool;

    /// Name of the field that holds the body.
    fn body_field(&self) -> &'static str;

    /// What a field is called in reports.
    fn label<'f>(&self, field: &'f str) -> &'f str {
        field
    }

    /// Where the bytes of a file are as they were uploaded.
    fn media_url(&self, remote: &Remote) -> Option<String> {
        remote.url.clone()
    }

    /// Does the address of a file end in the name under which it was uploaded?
    fn keeps_names(&self) -> bool {
        true
    }

    /// Does nothing refer to a term?
    fn is_unused(&self, remote: &Remote) -> bool {
        remote.used == Some(0)
    }
}
