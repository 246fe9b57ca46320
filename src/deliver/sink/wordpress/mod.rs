//! WordPress by its REST interface (5.6 and later, for application passwords). What is peculiar to it was measured: a post is
//! inserted, then gets its terms, then its fields, so that a crash between them leaves a post without them; slugs are the only
//! thing written with the insert, so they are the key; unknown fields and terms are dropped with a success status, so what the
//! target needs is probed before and every answer is compared.

mod media;
mod probe;
mod read;
mod wire;

use super::{Item, Links, Listed, Needs, Probe, Remote, Sink, Stage, Wire};
use crate::deliver::api::{Api, ApiError, Auth, Request};
use crate::deliver::failure::{Class, Failure};
use crate::ledger::Kind;
use crate::mapping::model::{Mode, Target};
use http::Method;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The companion plugin, for `wp-content/mu-plugins/`.
pub const COMPANION: &str = include_str!("sangtrang.php");

/// A WordPress site.
pub struct WordPress {
    api: Api,
    companion: bool,
    /// Ids of users by the name that the mapping gives them; filled by the probe.
    authors: Mutex<BTreeMap<String, u64>>,
}

/// Entries of a page of a list; WordPress gives no more.
const PAGE: usize = 100;

impl WordPress {
    /// The site of `target`.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn new(target: &Target, user: String, password: String) -> Result<Self, ApiError> {
        Ok(Self {
            api: Api::new(target, Auth::Basic(user, password), classify)?,
            companion: target.mode == Mode::Companion,
            authors: Mutex::default(),
        })
    }

    fn author(&self, name: &str) -> Option<u64> {
        let known = self.authors.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(name).copied()
    }

    /// All objects that a query gives, oldest first.
    async fn query(&self, kind: Kind, of: &str, query: &str) -> Result<Vec<Remote>, Failure> {
        let path = format!(
            "{}?context=edit&orderby=id&order=asc&per_page={PAGE}{query}",
            route(of)
        );
        let answer = self.api.call(Request::get(path)).await?;
        let list = answer.json();
        Ok(list
            .as_array()
            .into_iter()
            .flatten()
            .map(|object| read::remote(kind, object))
            .collect())
    }
}

fn route(of: &str) -> String {
    format!("wp-json/wp/v2/{of}")
}

/// What an error means. Statuses lie: a file type that is refused is a 500.
fn classify(status: u16, code: &str, _: &Value, _: &Method) -> Option<Class> {
    Some(match code {
        "rest_upload_hash_mismatch" => Class::Transient,
        code if code.starts_with("rest_upload_") => Class::Permanent,
        "rest_post_invalid_id" | "rest_term_invalid" | "rest_post_invalid_page_number" => Class::Missing,
        "term_exists" => Class::Conflict,
        "rest_invalid_param" | "rest_missing_callback_param" | "rest_no_route" => Class::Permanent,
        "invalid_username"
        | "incorrect_password"
        | "rest_not_logged_in"
        | "application_passwords_disabled" => Class::Auth,
        code if code.starts_with("rest_cannot_") || code.starts_with("rest_forbidden") => Class::Auth,
        _ if status == 401 => Class::Auth,
        _ => return None,
    })
}

impl Sink for WordPress {
    fn api(&self) -> &Api {
        &self.api
    }

    async fn probe(&self, needs: &Needs) -> Result<Probe, Failure> {
        probe::probe(self, needs).await
    }

    fn wire(&self, item: &Item, links: &Links, stage: Stage) -> Wire {
        wire::wire(self, item, links, stage)
    }

    async fn list(
        &self,
        kind: Kind,
        of: &str,
        from: Option<String>,
    ) -> Result<(Vec<Listed>, Option<String>), Failure> {
        let page: usize = from.and_then(|f| f.parse().ok()).unwrap_or(1);
        let what = match kind {
            Kind::Term => "&hide_empty=false&_fields=id,slug",
            Kind::Media => "&_fields=id,slug,modified_gmt,meta.sangtrang_key",
            _ => "&status=any&_fields=id,slug,modified_gmt,meta.sangtrang_key",
        };
        let path = format!(
            "{}?context=edit&orderby=id&order=asc&per_page={PAGE}&page={page}{what}",
            route(of)
        );
        let answer = match self.api.call(Request::get(path)).await {
            Ok(answer) => answer,
            // One past the last page.
            Err(failure) if failure.class == Class::Missing && page > 1 => return Ok((Vec::new(), None)),
            Err(failure) => return Err(failure),
        };
        let list = answer.json();
        let all: Vec<Listed> = list.as_array().into_iter().flatten().map(read::listed).collect();
        let next = (all.len() == PAGE).then(|| (page + 1).to_string());
        Ok((all, next))
    }

    async fn find(&self, item: &Item) -> Result<Vec<Remote>, Failure> {
        let kind = item.kind();
        // A duplicate that a lost answer left behind has its slug with a number.
        let slugs = [
            item.slug.clone(),
            format!("{}-2", item.slug),
            format!("{}-3", item.slug),
        ]
        .join(",");
        let status = if kind == Kind::Document { "&status=any" } else { "" };
        if kind == Kind::Term {
            return self
                .query(kind, &item.of, &format!("&slug={}&hide_empty=false", item.slug))
                .await;
        }
        let mut found = if self.companion {
            let key = crate::deliver::api::encode(&item.key);
            self.query(kind, &item.of, &format!("{status}&sangtrang_key={key}"))
                .await?
        } else {
            Vec::new()
        };
        let by_slug = self
            .query(kind, &item.of, &format!("{status}&slug={slugs}"))
            .await?;
        for remote in by_slug {
            // Without a key it is what an insert left that never came to its fields; with another key it is another's.
            let foreign = remote.key.as_deref().is_some_and(|k| k != item.key);
            if !foreign && found.iter().all(|f| f.id != remote.id) {
                found.push(remote);
            }
        }
        found.sort_by_key(|r| r.id.parse::<u64>().unwrap_or(u64::MAX));
        Ok(found)
    }

    async fn create(&self, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
        if let super::Payload::Media(asset, path) = &item.body {
            return media::upload(self, asset, path, wire).await;
        }
        let body = Value::Object(wire::nested(&wire.fields));
        let path = format!("{}?context=edit", route(&item.of));
        let answer = self
            .api
            .call(Request::json(Method::POST, path, &body, false))
            .await?;
        self.written(item.kind(), &item.of, &answer.json())
    }

    async fn update(&self, id: &str, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
        let remote = self.patch(item.kind(), &item.of, id, &wire.fields).await?;
        if item.kind() == Kind::Media {
            return media::complete(self, remote).await;
        }
        Ok(remote)
    }

    async fn patch(
        &self,
        kind: Kind,
        of: &str,
        id: &str,
        fields: &Map<String, Value>,
    ) -> Result<Remote, Failure> {
        let body = Value::Object(wire::nested(fields));
        let path = format!("{}/{id}?context=edit", route(of));
        let answer = self
            .api
            .call(Request::json(Method::POST, path, &body, true))
            .await?;
        self.written(kind, of, &answer.json())
    }

    fn state_fields(&self, live: bool) -> Map<String, Value> {
        let status = if live { "publish" } else { "draft" };
        [("status".to_owned(), json!(status))].into_iter().collect()
    }

    async fn read(&self, kind: Kind, of: &str, ids: &[String]) -> Result<Vec<Remote>, Failure> {
        let mut all = Vec::with_capacity(ids.len());
        for part in ids.chunks(PAGE) {
            let status = match kind {
                Kind::Term => "&hide_empty=false",
                Kind::Media => "",
                _ => "&status=any",
            };
            let query = format!("{status}&include={}", part.join(","));
            all.extend(self.query(kind, of, &query).await?);
        }
        Ok(all)
    }

    async fn delete(&self, _: Kind, of: &str, id: &str) -> Result<(), Failure> {
        match self
            .api
            .call(Request::delete(format!("{}/{id}?force=true", route(of))))
            .await
        {
            Err(failure) if failure.class != Class::Missing => Err(failure),
            _ => Ok(()),
        }
    }

    fn same(&self, field: &str, ours: &Value, theirs: &Value) -> bool {
        read::same(field, ours, theirs)
    }

    fn body_field(&self) -> &'static str {
        "content"
    }

    fn media_url(&self, remote: &Remote) -> Option<String> {
        let original = remote.fields.get("original").and_then(Value::as_str);
        original.map(str::to_owned).or_else(|| remote.url.clone())
    }

    fn label<'f>(&self, field: &'f str) -> &'f str {
        match field {
            "content" => "body",
            "status" => "state",
            "alt_text" => "alt",
            other => other,
        }
    }
}

impl WordPress {
    /// What the answer to a write shows; an answer without an id is none.
    fn written(&self, kind: Kind, of: &str, object: &Value) -> Result<Remote, Failure> {
        if object["id"].as_u64().is_none() {
            return Err(Failure::of(
                Class::Ambiguous,
                &route(of),
                "the answer names no object",
            ));
        }
        Ok(read::remote(kind, object))
    }
}
