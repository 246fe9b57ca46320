//! The words that all rooms speak: documents, blocks, dates, ids, provenance. Values only: nothing here reads a
//! page, a file or a clock.
//!
//! A [`Document`] is what a legacy page becomes. Its JSON form (schema `document/1`, [`canonical`]) is stable: keys in
//! a fixed order, text in NFC, no run data, so that an unchanged page gives a byte-identical file.

mod accounting;
mod block;
mod canonical;
mod date;
mod id;
mod media;
mod provenance;
mod schema;

pub use accounting::{Accounting, Dropped, Gate, GateLevel, Quality, Span, Unaccounted};
pub use block::{
    Align, Block, Cell, Counting, Image, Inline, ListItem, Mark, MarkKind, Original, Source, Table,
};
pub use canonical::{NOT_CONTENT, canonical_json, content_hash, without_sources};
pub use date::{DateValue, Dates, Precision};
pub use id::{CaptureId, DocumentId, IdError};
pub use media::{Link, LinkKind, Media, MediaRole, MediaState, extension};
pub use provenance::{
    BlockDecode, Decode, Discovered, FetchProvenance, FieldProvenance, LearnedFrom, Part, Provenance,
    RunnerUp,
};
pub use schema::document_schema;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Version of the stored form. A reader refuses a document with another major version.
pub const SCHEMA: &str = "document/1";

/// One structured document, made from one legacy page (or from one entry of a list page).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// UUID v5 of site and source key: the same page has the same id for ever.
    pub id: DocumentId,
    /// Id of the site in its mapping.
    pub site: String,
    /// The natural key of the page inside its site, for example `news:4012`.
    pub source_key: String,
    /// Id of the collection in the mapping.
    pub collection: String,
    /// Type of the collection, for example `article`.
    #[serde(rename = "type")]
    pub kind: String,
    /// BCP 47 language tag.
    pub language: String,
    /// BLAKE3 of the content groups (not of provenance), hex: changes if and only if the content does.
    pub revision: String,
    /// The headline.
    pub title: Option<String>,
    /// The part of the site that the page belongs to.
    pub section: Option<Section>,
    /// Who signed the text.
    pub byline: Option<Byline>,
    /// Where the text was taken from, as the page says it ("Nguồn: …").
    pub source: Option<String>,
    /// ASCII slug made from the title.
    pub slug: Option<String>,
    /// Lead or abstract.
    pub summary: Option<String>,
    /// What a legal document says of itself, where the page is the record of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal: Option<Legal>,
    /// Further fields that the mapping declares, by name.
    pub extra: BTreeMap<String, String>,
    /// The body, in reading order.
    pub body: Vec<Block>,
    /// Dates by role.
    pub dates: Dates,
    /// Images and other embedded media, in order of appearance.
    pub media: Vec<Media>,
    /// Files that the page offers for download, in order of appearance.
    pub attachments: Vec<Media>,
    /// Links of the body, in order of appearance.
    pub links: Vec<Link>,
    /// Legal documents that the text names.
    pub citations: Vec<Citation>,
    /// Text of the page that is not in the document, with the rule that dropped it.
    pub dropped: Vec<Dropped>,
    /// Every visible character of the page, counted.
    pub accounting: Accounting,
    /// Where each field came from.
    pub provenance: Provenance,
    /// Old addresses that lead to this document.
    pub redirects: Redirects,
    /// Results of the gates.
    pub quality: Quality,
}

/// The part of the site that a page belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Section {
    /// Stable id: a slug of the label, or the id that the mapping gives.
    pub id: String,
    /// The label as printed.
    pub label: String,
    /// Labels from the root down to this section, if the page shows a path.
    pub path: Vec<String>,
}

/// A signature line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Byline {
    /// The line as printed.
    pub raw: String,
    /// A person named in it.
    pub person: Option<String>,
    /// An organisation named in it.
    pub organisation: Option<String>,
}

/// What the record of a legal document says of it. Its dates stand in `dates` (`issued`, `effective`, `expires`), what it
/// is about in `title` or `summary`, its files in `attachments`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Legal {
    /// Number and symbol as printed ("60/QĐ-UBND").
    pub number: Option<String>,
    /// The number as the rules of its country write it, where the page writes it otherwise.
    pub normalized: Option<String>,
    /// Kind ("Quyết định"): as printed, or as the symbol says it.
    pub kind: Option<String>,
    /// Who issued it ("Ủy ban nhân dân tỉnh").
    pub issuer: Option<String>,
    /// Who signed it.
    pub signer: Option<String>,
    /// As what the signer signed ("Phó Chủ tịch").
    pub position: Option<String>,
    /// What it is about ("Thống kê").
    pub area: Option<String>,
    /// Whether it is in force, as printed ("Còn hiệu lực").
    pub status: Option<String>,
}

impl Legal {
    /// The slot of a field by its name behind `legal.`.
    #[must_use]
    pub fn field_mut(&mut self, name: &str) -> Option<&mut Option<String>> {
        Some(match name {
            "number" => &mut self.number,
            "kind" => &mut self.kind,
            "issuer" => &mut self.issuer,
            "signer" => &mut self.signer,
            "position" => &mut self.position,
            "area" => &mut self.area,
            "status" => &mut self.status,
            _ => return None,
        })
    }
}

/// A legal document named in the text, for example "Chỉ thị số 01/CT-UBND ngày 12/01/2023".
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Citation {
    /// Kind as printed ("Chỉ thị").
    pub kind: String,
    /// Number and symbol ("01/CT-UBND").
    pub number: String,
    /// The number as the rules of its country write it, where the text writes it otherwise ("528/QD-UBND").
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalized: Option<String>,
    /// Issuer part of the symbol ("UBND"), if there is one.
    pub issuer: Option<String>,
    /// ISO date of issue, if the text gives it.
    pub date: Option<String>,
    /// Characters of the page's visible text.
    pub chars: Span,
}

/// Old addresses of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Redirects {
    /// Every spelling under which the old portal served the page, sorted; the canonical one included.
    pub from: Vec<String>,
}
