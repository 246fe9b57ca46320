//! Directus: the opposite of WordPress. It takes our ids, so nothing needs to be looked for; a write is one transaction, so
//! nothing is ever half there; unknown fields are dropped with a success status, so they are probed.

mod media;
mod setup;

use super::{Item, Links, Listed, Needs, Payload, Probe, Remote, Sink, Stage, Wire};
use crate::deliver::api::{Api, ApiError, Auth, Request, encode};
use crate::deliver::entry::{Entry, Mapper};
use crate::deliver::failure::{Class, Failure};
use crate::deliver::render::{self, fill};
use crate::ledger::Kind;
use crate::mapping::model::Target;
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use uuid::Uuid;

/// Items of a page of a list.
const PAGE: usize = 100;
/// Fields that Directus fills by itself.
const SYSTEM: [&str; 5] = [
    "date_created",
    "date_updated",
    "user_created",
    "user_updated",
    "sort",
];

/// A Directus project.
pub struct Directus {
    api: Api,
    /// Public addresses by collection.
    urls: BTreeMap<String, String>,
    /// Collections that hold terms.
    taxonomies: BTreeSet<String>,
    /// Fields that we write, by collection: what somebody else added is not ours to compare.
    written: BTreeMap<String, BTreeSet<String>>,
    /// Fields that refer to terms: taxonomy, collection, field.
    uses: Vec<(String, String, String)>,
}

impl Directus {
    /// The project of `target`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn new(target: &Target, token: String) -> Result<Self, ApiError> {
        let rules = &target.entry;
        Ok(Self {
            api: Api::new(target, Auth::Bearer(token), classify)?,
            urls: rules
                .iter()
                .filter_map(|r| Some((r.of.clone(), r.url.clone()?)))
                .collect(),
            taxonomies: rules.iter().flat_map(|r| r.terms.keys().cloned()).collect(),
            written: setup::written(rules),
            uses: setup::uses(rules),
        })
    }

    /// Makes collections and fields that are missing; answers what was made.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn setup(&self, mapper: &Mapper) -> Result<Vec<String>, Failure> {
        let rules: Vec<_> = mapper.rules().cloned().collect();
        setup::setup(self, &rules).await
    }

    /// The public address of an item.
    fn url(&self, of: &str, slug: &str) -> String {
        let path = match self.urls.get(of) {
            Some(template) => template.replace("{slug}", slug),
            None => format!("/{of}/{slug}"),
        };
        // A template that is no address was refused by the mapping's check.
        self.api.base().join(&path).map(Into::into).unwrap_or(path)
    }

    fn remote(&self, kind: Kind, of: &str, item: &Value) -> Remote {
        let id = item["id"].as_str().unwrap_or_default().to_owned();
        let slug = item["slug"].as_str().unwrap_or_default().to_owned();
        let fields: BTreeMap<String, Value> = match kind {
            Kind::Media => media::FIELDS
                .iter()
                .filter_map(|f| Some(((*f).to_owned(), item.get(*f)?.clone())))
                .collect(),
            _ => item
                .as_object()
                .into_iter()
                .flatten()
                .filter(|(name, _)| match self.written.get(of) {
                    Some(ours) => ours.contains(*name),
                    None => !SYSTEM.contains(&name.as_str()),
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        };
        Remote {
            url: match kind {
                Kind::Media => {
                    let name = item["filename_download"].as_str().unwrap_or_default();
                    let path = format!("assets/{id}/{}", encode_name(name));
                    self.api.base().join(&path).ok().map(Into::into)
                }
                Kind::Document => Some(self.url(of, &slug)),
                _ => None,
            },
            key: None,
            modified: item["date_updated"].as_str().map(str::to_owned),
            live: kind != Kind::Document || item["status"] == "published",
            used: None,
            rendered: None,
            fields,
            id,
            slug,
        }
    }
}

/// Names of files of ours are ASCII letters, digits, `-` and `.`; others may be there too.
fn encode_name(name: &str) -> String {
    encode(name).replace("%2D", "-").replace("%2E", ".")
}

/// The id that an object of ours has in Directus: a document's own, for others UUID v5 of their key.
fn id_of(key: &str) -> String {
    match key.strip_prefix("doc:") {
        Some(id) => id.to_owned(),
        None => Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("sangtrang:{key}").as_bytes()).to_string(),
    }
}

fn route(kind: Kind, of: &str) -> String {
    match kind {
        Kind::Media => "files".to_owned(),
        _ => format!("items/{of}"),
    }
}

/// What an error means. Too large a body is a 400, and what is not there is forbidden.
fn classify(status: u16, code: &str, json: &Value, _: &Method) -> Option<Class> {
    let said = json["errors"][0]["message"].as_str().unwrap_or_default();
    Some(match code {
        "RECORD_NOT_UNIQUE" => Class::Conflict,
        "REQUESTS_EXCEEDED" => Class::RateLimited,
        // Refused before it was looked at: the server is busy.
        "SERVICE_UNAVAILABLE" if said.contains("Under pressure") => Class::RateLimited,
        "CONTENT_TOO_LARGE" => Class::TooLarge,
        "INVALID_PAYLOAD" if said.contains("too large") => Class::TooLarge,
        "INVALID_CREDENTIALS" | "TOKEN_EXPIRED" | "INVALID_TOKEN" | "USER_SUSPENDED" | "FORBIDDEN" => {
            Class::Auth
        }
        "INVALID_PAYLOAD"
        | "FAILED_VALIDATION"
        | "INVALID_FOREIGN_KEY"
        | "VALUE_TOO_LONG"
        | "NOT_NULL_VIOLATION"
        | "UNSUPPORTED_MEDIA_TYPE" => Class::Permanent,
        // A date that it cannot read, in an update; in a POST it is dropped with a success.
        "INTERNAL_SERVER_ERROR" if said.starts_with("Invalid ") => Class::Permanent,
        "ROUTE_NOT_FOUND" => Class::Missing,
        _ if status == 401 => Class::Auth,
        _ => return None,
    })
}

impl Sink for Directus {
    fn api(&self) -> &Api {
        &self.api
    }

    async fn probe(&self, needs: &Needs) -> Result<Probe, Failure> {
        setup::probe(self, needs).await
    }

    fn wire(&self, item: &Item, links: &Links, stage: Stage) -> Wire {
        let mut waiting = BTreeSet::new();
        let fields = match &item.body {
            Payload::Term(term) => {
                let mut f = Map::new();
                f.insert("id".into(), id_of(&term.key).into());
                f.insert("name".into(), term.name.clone().into());
                f.insert("slug".into(), item.slug.clone().into());
                // A term above that was there before us has an id of its own.
                let parent = term
                    .parent
                    .as_deref()
                    .map(|p| links.known.get(p).map_or_else(|| id_of(p), |k| k.id.clone()));
                f.insert("parent".into(), parent.into());
                f
            }
            Payload::Media(asset, _) => media::wire(asset),
            Payload::Document(entry) => self.document(item, entry, links, stage, &mut waiting),
        };
        Wire { fields, waiting }
    }

    async fn list(
        &self,
        kind: Kind,
        of: &str,
        from: Option<String>,
    ) -> Result<(Vec<Listed>, Option<String>), Failure> {
        let page: usize = from.and_then(|f| f.parse().ok()).unwrap_or(1);
        let fields = match kind {
            Kind::Media => "id",
            Kind::Term => "id,slug",
            _ => "id,slug,date_updated",
        };
        let path = format!(
            "{}?fields={fields}&sort=id&limit={PAGE}&page={page}",
            route(kind, of)
        );
        let answer = self.api.call(Request::get(path)).await?.json();
        let all: Vec<Listed> = answer["data"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|item| {
                let id = item["id"].as_str().unwrap_or_default().to_owned();
                Listed {
                    key: (kind == Kind::Document).then(|| format!("doc:{id}")),
                    slug: item["slug"].as_str().unwrap_or_default().to_owned(),
                    modified: item["date_updated"].as_str().map(str::to_owned),
                    id,
                }
            })
            .collect();
        let next = (all.len() == PAGE).then(|| (page + 1).to_string());
        Ok((all, next))
    }

    async fn find(&self, item: &Item) -> Result<Vec<Remote>, Failure> {
        let found = self.read(item.kind(), &item.of, &[id_of(&item.key)]).await?;
        if item.kind() != Kind::Term || !found.is_empty() {
            return Ok(found);
        }
        // A category that was there before us is known by its slug.
        let query = format!("filter[slug][_eq]={}", encode(&item.slug));
        self.query(Kind::Term, &item.of, &query).await
    }

    async fn create(&self, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
        if let Payload::Media(asset, path) = &item.body {
            return media::upload(self, asset, path, wire).await;
        }
        let mut fields = wire.fields.clone();
        fields.insert("id".into(), id_of(&item.key).into());
        let path = route(item.kind(), &item.of);
        let answer = self
            .api
            .call(Request::json(Method::POST, path, &fields.into(), false))
            .await?;
        self.written(item.kind(), &item.of, &answer.json()["data"])
    }

    async fn create_many(&self, of: &str, items: &[(&Item, &Wire)]) -> Result<Vec<Remote>, Failure> {
        let body: Vec<Value> = items
            .iter()
            .map(|(item, wire)| {
                let mut fields = wire.fields.clone();
                fields.insert("id".into(), id_of(&item.key).into());
                fields.into()
            })
            .collect();
        let path = format!("{}?limit=-1", route(Kind::Document, of));
        let answer = self
            .api
            .call(Request::json(Method::POST, path, &body.into(), false))
            .await?
            .json();
        let made: BTreeMap<&str, &Value> = answer["data"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|item| Some((item["id"].as_str()?, item)))
            .collect();
        items
            .iter()
            .map(|(item, _)| {
                let made = made.get(id_of(&item.key).as_str()).copied();
                self.written(Kind::Document, of, made.unwrap_or(&Value::Null))
            })
            .collect()
    }

    fn batch(&self) -> usize {
        50
    }

    fn is_atomic(&self) -> bool {
        true
    }

    async fn update(&self, id: &str, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
        if let Payload::Media(asset, path) = &item.body {
            return media::complete(self, id, asset, path, wire).await;
        }
        self.patch(item.kind(), &item.of, id, &wire.fields).await
    }

    async fn patch(
        &self,
        kind: Kind,
        of: &str,
        id: &str,
        fields: &Map<String, Value>,
    ) -> Result<Remote, Failure> {
        let path = format!("{}/{id}", route(kind, of));
        let mut fields = fields.clone();
        fields.remove("id");
        let answer = self
            .api
            .call(Request::json(Method::PATCH, path, &fields.into(), true))
            .await?;
        self.written(kind, of, &answer.json()["data"])
    }

    fn state_fields(&self, live: bool) -> Map<String, Value> {
        let status = if live { "published" } else { "archived" };
        [("status".to_owned(), json!(status))].into_iter().collect()
    }

    async fn read(&self, kind: Kind, of: &str, ids: &[String]) -> Result<Vec<Remote>, Failure> {
        let mut all = Vec::with_capacity(ids.len());
        for part in ids.chunks(PAGE) {
            // A single item that is not there is "forbidden"; a filter finds nothing.
            let part = part.iter().map(|id| encode(id)).collect::<Vec<_>>().join(",");
            let query = format!("filter[id][_in]={part}");
            all.extend(self.query(kind, of, &query).await?);
        }
        if kind == Kind::Term && !all.is_empty() {
            self.count_uses(of, &mut all).await?;
        }
        Ok(all)
    }

    async fn delete(&self, kind: Kind, of: &str, id: &str) -> Result<(), Failure> {
        if self.read(kind, of, &[id.to_owned()]).await?.is_empty() {
            return Ok(());
        }
        self.api
            .call(Request::delete(format!("{}/{id}", route(kind, of))))
            .await
            .map(|_| ())
    }

    fn same(&self, field: &str, ours: &Value, theirs: &Value) -> bool {
        if ours == theirs {
            return true;
        }
        match (ours, theirs) {
            (Value::String(a), Value::String(b)) => {
                let instant = |t: &str| t.parse::<jiff::Timestamp>().ok();
                let date = a.len() >= 20 && instant(a).is_some() && instant(a) == instant(b);
                // SQLite and MySQL keep line ends as they like.
                date || (field == "body" && a.trim() == b.trim())
            }
            (Value::Null, Value::String(text)) => text.is_empty(),
            // A number in a field of text.
            (Value::Number(number), Value::String(text)) => number.to_string() == *text,
            _ => false,
        }
    }

    fn body_field(&self) -> &'static str {
        "body"
    }

    fn label<'f>(&self, field: &'f str) -> &'f str {
        match field {
            "status" => "state",
            "published_at" => "date",
            other => other,
        }
    }
}

impl Directus {
    fn document(
        &self,
        item: &Item,
        entry: &Entry,
        links: &Links,
        stage: Stage,
        waiting: &mut BTreeSet<String>,
    ) -> Map<String, Value> {
        let known = |token: &str| links.known.get(token).cloned();
        let old = |token: &str| links.old.get(token).cloned().unwrap_or_default();
        let (body, open) = fill(&entry.body, &known, &old, render::escape);
        waiting.extend(open);
        let live = stage == Stage::Final && entry.state == "publish";
        let mut f = Map::new();
        f.insert("status".into(), if live { "published" } else { "draft" }.into());
        f.insert("title".into(), entry.title.clone().into());
        f.insert("slug".into(), item.slug.clone().into());
        f.insert("language".into(), entry.language.clone().into());
        f.insert("published_at".into(), entry.date.clone().into());
        f.insert("modified_at".into(), entry.modified.clone().into());
        f.insert("summary".into(), entry.excerpt.clone().into());
        f.insert("body".into(), body.into());
        f.insert("author".into(), entry.author.clone().into());
        f.insert("legacy_url".into(), entry.legacy.url.clone().into());
        f.insert("legacy_from".into(), entry.legacy.from.clone().into());
        f.insert("content_hash".into(), item.payload.to_string().into());
        if let Some(cover) = &entry.cover {
            match links.known.get(cover) {
                Some(known) => {
                    f.insert("cover".into(), known.id.clone().into());
                }
                None => {
                    waiting.insert(cover.clone());
                }
            }
        }
        for (taxonomy, keys) in &entry.terms {
            let id = keys
                .first()
                .and_then(|key| links.known.get(key))
                .map(|k| k.id.clone());
            f.insert(taxonomy.clone(), id.into());
        }
        for (name, value) in &entry.fields {
            f.insert(name.clone(), value.clone());
        }
        f
    }

    /// Items that a filter gives.
    async fn query(&self, kind: Kind, of: &str, query: &str) -> Result<Vec<Remote>, Failure> {
        let path = format!("{}?limit={PAGE}&{query}", route(kind, of));
        let answer = self.api.call(Request::get(path)).await?.json();
        let items = answer["data"].as_array().into_iter().flatten();
        Ok(items.map(|item| self.remote(kind, of, item)).collect())
    }

    /// How often terms are referred to: removing one that is in use would fail, or clear fields without a word.
    async fn count_uses(&self, of: &str, terms: &mut [Remote]) -> Result<(), Failure> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        let above = (of.to_owned(), of.to_owned(), "parent".to_owned());
        for (_, collection, field) in self.uses.iter().chain([&above]).filter(|u| u.0 == of) {
            for part in terms.chunks(PAGE) {
                let ids = part.iter().map(|t| encode(&t.id)).collect::<Vec<_>>().join(",");
                let path = format!(
                    "items/{collection}?limit=-1&aggregate[count]=*&groupBy[]={field}&filter[{field}][_in]={ids}"
                );
                let answer = self.api.call(Request::get(path)).await?.json();
                for group in answer["data"].as_array().into_iter().flatten() {
                    let count = &group["count"];
                    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok());
                    if let (Some(id), Some(count)) = (group[field].as_str(), count) {
                        *counts.entry(id.to_owned()).or_default() += count;
                    }
                }
            }
        }
        for term in terms {
            term.used = Some(counts.get(&term.id).copied().unwrap_or_default());
        }
        Ok(())
    }

    /// What the answer to a write shows; an answer without an id is none (an update of what is not there is a success).
    fn written(&self, kind: Kind, of: &str, item: &Value) -> Result<Remote, Failure> {
        if item["id"].as_str().is_none() {
            let class = Class::Ambiguous;
            return Err(Failure::of(class, &route(kind, of), "the answer names no item"));
        }
        Ok(self.remote(kind, of, item))
    }
}
