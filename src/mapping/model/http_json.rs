//! `[target.http]`: a CMS with a JSON interface, declared. Every key may come from a preset; what the mapping says goes over it.

use crate::mapping::pattern::Pattern;
use crate::mapping::template::{Expr, Template, Text};
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// `target.preset`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Preset {
    /// Wagtail 8 by its v3 API.
    Wagtail,
    /// Strapi 5 by its REST API.
    Strapi,
}

/// `[target.http]`: how the CMS is spoken to.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpJson {
    /// What it is called in messages.
    pub product: Option<String>,
    /// Path of the interface below `url`: `api/v3/`.
    pub base: Option<String>,
    /// How the secret is shown.
    pub auth: AuthRule,
    /// Further headers of every request. Values are constant; none may carry a secret.
    pub headers: BTreeMap<String, String>,
    /// Names for templates (`vars.parent_id`): what differs from site to site.
    pub vars: BTreeMap<String, Template>,
    /// A request that only answers with a valid secret.
    pub probe: ProbeRule,
    /// What errors mean.
    pub error: ErrorWords,
    /// Documents.
    pub document: ObjectRule,
    /// Categories and tags.
    pub term: ObjectRule,
    /// Pictures; all files, if there is no `file`.
    pub media: ObjectRule,
    /// Files that are no pictures.
    pub file: Option<ObjectRule>,
}

/// `[target.http.auth]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AuthRule {
    /// `bearer`, `basic` (with `user_env`), `header`.
    pub kind: AuthKind,
    /// Header of `header`: `X-Api-Key`.
    pub header: Option<String>,
    /// What stands before the secret in it: `users API-Key `.
    pub prefix: Option<String>,
}

/// `target.http.auth.kind`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AuthKind {
    /// `Authorization: Bearer SECRET`
    #[default]
    Bearer,
    /// `Authorization: Basic …`
    Basic,
    /// A header of its own.
    Header,
}

/// `[target.http.probe]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProbeRule {
    /// Path that is read.
    pub path: Option<Text>,
    /// Pointer to the name of the user in the answer.
    pub user: Option<String>,
    /// Further paths that must be there.
    pub exist: Vec<Text>,
}

/// `[target.http.error]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorWords {
    /// Pointers to the CMS's own code; the first that is there counts.
    pub code: Vec<String>,
    /// Pointers to what it says.
    pub text: Vec<String>,
    /// What a status and a code mean; the first rule that fits counts. What no rule fits is told by its status alone.
    /// Rules of the mapping come before those of the preset.
    pub rule: Vec<ErrorRule>,
}

/// `[[target.http.error.rule]]`: every condition that is given must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ErrorRule {
    /// HTTP status.
    pub status: Option<u16>,
    /// The CMS's own code.
    pub code: Option<String>,
    /// The answer as JSON on one line.
    pub body: Option<Pattern>,
    /// What it means.
    pub class: ErrorClass,
}

/// `class` of an error rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorClass {
    /// Not carried out; may be repeated.
    Transient,
    /// Too many requests.
    RateLimited,
    /// It may have been carried out: looked up first.
    Ambiguous,
    /// The body is too large.
    TooLarge,
    /// It will be refused every time.
    Permanent,
    /// The secret does not open the door: the run ends.
    Auth,
    /// Its key is there already.
    Conflict,
    /// It is not there.
    Missing,
}

/// `[target.http.document]`, `.term`, `.media`, `.file`: one kind of object. Paths stand below `base`; pointers (RFC 6901)
/// start at the object.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ObjectRule {
    /// Path of all objects: `pages/`, `snippets/{{ of }}/`.
    pub path: Option<Text>,
    /// Path of one: `pages/{{ id }}/`.
    pub item: Option<Text>,
    /// Pointer to the id.
    pub id: Option<String>,
    /// Are ids numbers where an object refers to another?
    pub number: bool,
    /// Pointer to our key, if the CMS holds it.
    pub key: Option<String>,
    /// Pointer to the slug.
    pub slug: Option<String>,
    /// Pointer to the public address; `url` of the entry, if the CMS does not say it.
    pub url: Option<String>,
    /// Pointer to the time of the last change.
    pub modified: Option<String>,
    /// Pointer to the body as readers see it.
    pub rendered: Option<String>,
    /// Is it public? An expression on `object`.
    pub live: Option<Expr>,
    /// Does its file's address end in the name under which it was uploaded?
    pub keeps_names: bool,
    /// Is it there as a whole or not at all? If not, a document is made as a draft and published when it is whole.
    pub atomic: bool,
    /// What is written and read, by the names that plans and reports use. `body` and `cover` are the fields that are sent
    /// again when a link or a picture gets its address.
    pub fields: BTreeMap<String, FieldRule>,
    /// Fields of the preset that this CMS does not have.
    pub omit: Vec<String>,
    /// How `terms` of an entry are written.
    pub terms: PlaceRule,
    /// How `fields` of an entry are written.
    pub extra: PlaceRule,
    /// All objects, page by page.
    pub list: InventoryRule,
    /// Objects by key.
    pub find: FindRule,
    /// Objects by id.
    pub read: ReadRule,
    /// Makes one.
    pub create: WriteRule,
    /// Writes one again, or a part of it.
    pub update: WriteRule,
    /// Makes one public; if there is none, `update` does.
    pub publish: Option<ActionRule>,
    /// Takes one off; if there is none, `update` does where `states` says so.
    pub unpublish: Option<ActionRule>,
    /// Does the body of `update` (by `live`) make an entry public and take it off?
    pub states: bool,
    /// Removes one.
    pub delete: ActionRule,
    /// Sends a file.
    pub upload: UploadRule,
    /// Which fields a type has, to be looked at before anything is written.
    pub schema: SchemaRule,
}

/// A field: its value, and where it stands.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldRule {
    /// The value: `"{{ title }}"`.
    pub value: Template,
    /// Where it is written, with dots; the name if absent.
    pub write: Option<String>,
    /// Pointer where it is read; `write` if absent.
    pub read: Option<String>,
}

/// Where entries' own fields or terms stand; `{name}` is their name.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PlaceRule {
    /// Where they are written, with dots: `{name}_id`.
    pub write: Option<String>,
    /// Pointer where they are read: `/{name}/id`. In a list the rest of it follows `/-`: `/{name}/-/id`.
    pub read: Option<String>,
    /// Terms: a list of ids; otherwise the first one.
    pub many: bool,
}

/// `list`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InventoryRule {
    /// Query of a page: `limit=100&offset={{ offset }}`; also `{{ page }}` (from 1) and `{{ cursor }}`.
    pub query: Option<Text>,
    /// Objects a page.
    pub size: usize,
    /// Pointer to the objects; the answer itself if absent.
    pub items: Option<String>,
    /// Pointer to the cursor of the next page, where pages are not counted.
    pub cursor: Option<String>,
    /// Do lists show objects whole? If not, what is found is read one by one.
    pub whole: bool,
}

/// `find`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FindRule {
    /// Query that finds an object by its key (or slug): `legacy_key={{ key }}`.
    pub query: Option<Text>,
    /// Is `object` the one that is looked for? Without it, its key must be ours, or its slug if there is no key.
    pub mine: Option<Expr>,
}

/// `read`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ReadRule {
    /// Query by which objects are shown as editors have them.
    pub query: Option<Text>,
    /// Query of a list by many ids: `filters[id][$in]={{ ids }}`; without it they are read one by one.
    pub many: Option<Text>,
    /// Query by which they are shown only if they are public, where an object does not say so itself (`live`).
    pub public: Option<Text>,
    /// Pointer to the object.
    pub object: Option<String>,
}

/// `create`, `update`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct WriteRule {
    /// HTTP method.
    pub method: Option<String>,
    /// Path with query; that of all objects (`create`) or of one (`update`) if absent.
    pub path: Option<Text>,
    /// What is sent beside the fields.
    pub body: Option<Template>,
    /// Where in it the fields stand, with dots: `data`.
    pub at: Option<String>,
    /// Pointer to the object in the answer.
    pub object: Option<String>,
    /// Is the object read again, because the answer does not show it as it is?
    pub reread: bool,
    /// Is it sent as a form instead of JSON?
    pub form: bool,
}

/// `publish`, `unpublish`, `delete`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ActionRule {
    /// HTTP method.
    pub method: Option<String>,
    /// Path with query; that of the object if absent.
    pub path: Option<Text>,
    /// What is sent.
    pub body: Option<Template>,
}

/// `upload`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UploadRule {
    /// Name of the file's part in the form.
    pub part: Option<String>,
    /// Are the bytes the body, without a form? Fields follow by `update`.
    pub raw: bool,
    /// Headers of a raw upload: `Content-Disposition = 'attachment; filename="{{ filename }}"'`.
    pub headers: BTreeMap<String, Text>,
}

/// `schema`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SchemaRule {
    /// Path of the description of a type.
    pub path: Option<Text>,
    /// Pointer to the table (or list of texts) of its fields.
    pub fields: Option<String>,
}
