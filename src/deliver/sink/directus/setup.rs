//! Collections and fields: what a mapping needs, what is there, and what makes it so.

use super::Directus;
use crate::deliver::api::Request;
use crate::deliver::failure::{Class, Failure};
use crate::deliver::sink::{Needs, Probe};
use crate::mapping::model::EntryRule;
use http::Method;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Fields of every collection of documents: name, type, meta, schema.
fn columns() -> Vec<(&'static str, &'static str, Value, Value)> {
    let html = json!({ "interface": "input-rich-text-html", "width": "full" });
    let states = json!({ "interface": "select-dropdown", "options": { "choices": [
        { "text": "Published", "value": "published" }, { "text": "Draft", "value": "draft" }, { "text": "Archived", "value": "archived" } ] } });
    vec![
        ("status", "string", states, json!({ "default_value": "draft" })),
        ("title", "text", json!({ "interface": "input" }), json!({})),
        (
            "slug",
            "string",
            json!({ "interface": "input" }),
            json!({ "is_unique": true }),
        ),
        ("language", "string", json!({}), json!({})),
        (
            "published_at",
            "timestamp",
            json!({ "interface": "datetime" }),
            json!({}),
        ),
        (
            "modified_at",
            "timestamp",
            json!({ "interface": "datetime" }),
            json!({}),
        ),
        (
            "summary",
            "text",
            json!({ "interface": "input-multiline" }),
            json!({}),
        ),
        ("body", "text", html, json!({})),
        ("author", "string", json!({}), json!({})),
        ("legacy_url", "text", json!({ "readonly": true }), json!({})),
        (
            "legacy_from",
            "json",
            json!({ "special": ["cast-json"], "readonly": true }),
            json!({}),
        ),
        (
            "content_hash",
            "string",
            json!({ "readonly": true, "hidden": true }),
            json!({}),
        ),
        (
            "date_updated",
            "timestamp",
            json!({ "special": ["date-updated"], "readonly": true, "hidden": true }),
            json!({}),
        ),
        (
            "cover",
            "uuid",
            json!({ "special": ["file"], "interface": "file-image" }),
            json!({}),
        ),
    ]
}

/// Fields that we write, by collection.
pub(super) fn written(rules: &[EntryRule]) -> BTreeMap<String, BTreeSet<String>> {
    let mut written: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for rule in rules {
        let fields = columns().into_iter().map(|c| c.0.to_owned());
        written.entry(rule.of.clone()).or_default().extend(
            fields
                .filter(|f| f != "date_updated")
                .chain(["id".to_owned()])
                .chain(rule.fields.keys().cloned())
                .chain(rule.terms.keys().cloned()),
        );
        for taxonomy in rule.terms.keys() {
            let fields = ["id", "name", "slug", "parent"].map(str::to_owned);
            written.entry(taxonomy.clone()).or_default().extend(fields);
        }
    }
    written
}

/// Fields that refer to terms: taxonomy, collection, field.
pub(super) fn uses(rules: &[EntryRule]) -> Vec<(String, String, String)> {
    rules
        .iter()
        .flat_map(|r| r.terms.keys().map(|t| (t.clone(), r.of.clone(), t.clone())))
        .collect()
}

/// Type, meta and schema of the field that holds what is at `path` of a document.
fn column(path: &str) -> (&'static str, Value) {
    let list = [
        "legacy.from",
        "section.path",
        "citations",
        "links",
        "media",
        "attachments",
        "redirects",
        "dropped",
        "quality.gates",
    ];
    let parts: Vec<&str> = path.split('.').collect();
    match parts[..] {
        ["dates", _] => ("timestamp", json!({ "interface": "datetime" })),
        _ if list.contains(&path) => ("json", json!({ "special": ["cast-json"] })),
        _ => ("text", json!({ "interface": "input" })),
    }
}

/// The key of a collection: an id that we choose.
fn id_field() -> Value {
    json!({ "field": "id", "type": "uuid", "meta": { "special": ["uuid"], "readonly": true, "hidden": true },
        "schema": { "is_primary_key": true, "length": 36, "has_auto_increment": false } })
}

pub(super) async fn setup(project: &Directus, rules: &[EntryRule]) -> Result<Vec<String>, Failure> {
    let mut made = Vec::new();
    for taxonomy in &project.taxonomies {
        let there = collection(project, taxonomy, json!({}), &mut made).await?;
        for (name, kind, meta, schema) in [
            ("name", "string", json!({ "interface": "input" }), json!({})),
            (
                "slug",
                "string",
                json!({ "interface": "input" }),
                json!({ "is_unique": true }),
            ),
            (
                "parent",
                "uuid",
                json!({ "interface": "select-dropdown-m2o", "special": ["m2o"] }),
                json!({}),
            ),
        ] {
            field(project, taxonomy, &there, name, kind, meta, schema, &mut made).await?;
        }
        relation(project, taxonomy, "parent", taxonomy, &mut made).await?;
    }
    for rule in rules {
        let meta =
            json!({ "archive_field": "status", "archive_value": "archived", "unarchive_value": "draft" });
        let there = collection(project, &rule.of, meta, &mut made).await?;
        for (name, kind, meta, schema) in columns() {
            field(project, &rule.of, &there, name, kind, meta, schema, &mut made).await?;
        }
        for (name, path) in &rule.fields {
            let (kind, meta) = column(path);
            field(project, &rule.of, &there, name, kind, meta, json!({}), &mut made).await?;
        }
        for taxonomy in rule.terms.keys() {
            let meta = json!({ "interface": "select-dropdown-m2o", "special": ["m2o"] });
            field(
                project,
                &rule.of,
                &there,
                taxonomy,
                "uuid",
                meta,
                json!({}),
                &mut made,
            )
            .await?;
            relation(project, &rule.of, taxonomy, taxonomy, &mut made).await?;
        }
        relation(project, &rule.of, "cover", "directus_files", &mut made).await?;
    }
    Ok(made)
}

/// Fields of a collection with their types; nothing if there is no such collection.
async fn fields(project: &Directus, of: &str) -> Result<Option<BTreeMap<String, String>>, Failure> {
    match project.api.call(Request::get(format!("fields/{of}"))).await {
        Ok(answer) => {
            let names: BTreeMap<String, String> = answer.json()["data"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|f| Some((f["field"].as_str()?.to_owned(), f["type"].as_str()?.to_owned())))
                .collect();
            Ok((!names.is_empty()).then_some(names))
        }
        // What is not there is forbidden, to an administrator too.
        Err(failure) if matches!(failure.class, Class::Missing) || failure.code == "FORBIDDEN" => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn collection(
    project: &Directus,
    name: &str,
    meta: Value,
    made: &mut Vec<String>,
) -> Result<BTreeMap<String, String>, Failure> {
    if let Some(there) = fields(project, name).await? {
        return Ok(there);
    }
    let body = json!({ "collection": name, "schema": {}, "meta": meta, "fields": [id_field()] });
    project
        .api
        .call(Request::json(Method::POST, "collections", &body, true))
        .await?;
    made.push(format!("collection {name}"));
    Ok([("id".to_owned(), "uuid".to_owned())].into())
}

#[expect(clippy::too_many_arguments, reason = "the parts of one field")]
async fn field(
    project: &Directus,
    of: &str,
    there: &BTreeMap<String, String>,
    name: &str,
    kind: &str,
    meta: Value,
    schema: Value,
    made: &mut Vec<String>,
) -> Result<(), Failure> {
    if there.contains_key(name) {
        return Ok(());
    }
    let body = json!({ "field": name, "type": kind, "meta": meta, "schema": schema });
    project
        .api
        .call(Request::json(Method::POST, format!("fields/{of}"), &body, true))
        .await?;
    made.push(format!("field {of}.{name}"));
    Ok(())
}

async fn relation(
    project: &Directus,
    of: &str,
    field: &str,
    to: &str,
    made: &mut Vec<String>,
) -> Result<(), Failure> {
    let there = project.api.call(Request::get("relations")).await?.json();
    let known = there["data"]
        .as_array()
        .is_some_and(|all| all.iter().any(|r| r["collection"] == of && r["field"] == field));
    if known {
        return Ok(());
    }
    let body = json!({ "collection": of, "field": field, "related_collection": to });
    project
        .api
        .call(Request::json(Method::POST, "relations", &body, true))
        .await?;
    made.push(format!("relation {of}.{field} to {to}"));
    Ok(())
}

pub(super) async fn probe(project: &Directus, needs: &Needs) -> Result<Probe, Failure> {
    let mut found = Probe::default();
    let me = project
        .api
        .call(Request::get("users/me?fields=email,role.name"))
        .await?
        .json();
    found.user = me["data"]["email"].as_str().unwrap_or("a token").to_owned();
    let info = project.api.call(Request::get("server/info")).await?.json();
    found.product = match info["data"]["version"].as_str() {
        Some(version) => format!("Directus {version}"),
        None => "Directus".into(),
    };
    if info["data"]["version"].is_null() {
        found
            .notes
            .push("the token is no administrator's: items that it may not see count as missing".into());
    }
    for need in &needs.types {
        let Some(there) = fields(project, &need.of).await? else {
            found.problems.push(format!(
                "there is no collection `{}`: `sangtrang target setup` makes it",
                need.of
            ));
            continue;
        };
        let wanted = columns()
            .into_iter()
            .map(|c| c.0.to_owned())
            .chain(need.fields.keys().cloned())
            .chain(need.terms.keys().cloned());
        let missing: Vec<String> = wanted.filter(|f| !there.contains_key(f)).collect();
        if !missing.is_empty() {
            found.problems.push(format!(
                "the collection `{}` has no field `{}`: Directus would drop it without a word; `sangtrang target setup` makes it",
                need.of,
                missing.join("`, `")
            ));
        }
        types(&need.of, &there, &mut found);
        for taxonomy in need.terms.keys() {
            match fields(project, taxonomy).await? {
                None => found.problems.push(format!(
                    "there is no collection `{taxonomy}` for terms: `sangtrang target setup` makes it"
                )),
                Some(there) => key_type(taxonomy, &there, &mut found),
            }
        }
    }
    Ok(found)
}

/// An id that we choose must fit into the key; a date without a zone loses its offset.
fn types(of: &str, there: &BTreeMap<String, String>, found: &mut Probe) {
    key_type(of, there, found);
    for name in ["published_at", "modified_at"] {
        if let Some(kind) = there.get(name).filter(|kind| *kind != "timestamp") {
            found.problems.push(format!(
                "`{of}.{name}` is a `{kind}`, which drops the offset of a date: make it a `timestamp`"
            ));
        }
    }
}

fn key_type(of: &str, there: &BTreeMap<String, String>, found: &mut Probe) {
    if let Some(kind) = there
        .get("id")
        .filter(|kind| *kind != "uuid" && *kind != "string")
    {
        found.problems.push(format!(
            "the key of the collection `{of}` is a `{kind}`: documents keep their ids, which need a `uuid`"
        ));
    }
}
