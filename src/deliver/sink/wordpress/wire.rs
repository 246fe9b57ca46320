//! Payloads as WordPress takes them. Fields of posts stand flat here (`meta.NAME`) and nested on the wire.

use super::WordPress;
use crate::deliver::entry::{Asset, Entry, Legacy};
use crate::deliver::legacy::legacy_address;
use crate::deliver::render::{self, fill};
use crate::deliver::sink::{Item, Links, Payload, Stage, Wire};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Fields of a post that are not meta.
const CORE: [&str; 8] = [
    "excerpt",
    "sticky",
    "format",
    "template",
    "comment_status",
    "ping_status",
    "menu_order",
    "password",
];

pub(super) fn wire(site: &WordPress, item: &Item, links: &Links, stage: Stage) -> Wire {
    match &item.body {
        Payload::Term(term) => {
            let mut fields = Map::new();
            fields.insert("name".into(), text(&term.name).into());
            fields.insert("slug".into(), item.slug.clone().into());
            if let Some(parent) = term.parent.as_ref().and_then(|p| id(links, p)) {
                fields.insert("parent".into(), parent.into());
            }
            Wire {
                fields,
                waiting: BTreeSet::new(),
            }
        }
        Payload::Media(asset, _) => Wire {
            fields: media(site, item, asset),
            waiting: BTreeSet::new(),
        },
        Payload::Document(entry) => document(site, item, entry, links, stage),
    }
}

fn document(site: &WordPress, item: &Item, entry: &Entry, links: &Links, stage: Stage) -> Wire {
    let known = |token: &str| links.known.get(token).cloned();
    let old = |token: &str| links.old.get(token).cloned().unwrap_or_default();
    let (content, mut waiting) = fill(&entry.body, &known, &old, render::escape);
    let mut f = Map::new();
    f.insert("title".into(), text(&entry.title).into());
    f.insert("slug".into(), item.slug.clone().into());
    let live = stage == Stage::Final && entry.state == "publish";
    f.insert("status".into(), if live { "publish" } else { "draft" }.into());
    if let Some(date) = &entry.date {
        f.insert("date".into(), date.clone().into());
    }
    f.insert("content".into(), content.into());
    f.insert(
        "excerpt".into(),
        text(entry.excerpt.as_deref().unwrap_or_default()).into(),
    );
    for (taxonomy, keys) in &entry.terms {
        let mut ids: Vec<u64> = keys.iter().filter_map(|key| id(links, key)).collect();
        ids.sort_unstable();
        f.insert(taxonomy.clone(), ids.into());
    }
    if let Some(cover) = &entry.cover {
        match id(links, cover) {
            Some(id) => {
                f.insert("featured_media".into(), id.into());
            }
            None => {
                waiting.insert(cover.clone());
            }
        }
    }
    if let Some(author) = entry.author.as_ref().and_then(|a| site.author(a)) {
        f.insert("author".into(), author.into());
    }
    for (name, value) in &entry.fields {
        if CORE.contains(&name.as_str()) {
            f.insert(name.clone(), value.clone());
        } else {
            f.insert(format!("meta.{name}"), meta(value));
        }
    }
    if site.companion {
        legacy(&mut f, &item.key, &item.payload.to_string(), &entry.legacy);
    }
    Wire { fields: f, waiting }
}

fn media(site: &WordPress, item: &Item, asset: &Asset) -> Map<String, Value> {
    let mut f = Map::new();
    f.insert("title".into(), text(&asset.title).into());
    f.insert("slug".into(), item.slug.clone().into());
    f.insert("alt_text".into(), asset.alt.clone().unwrap_or_default().into());
    f.insert(
        "caption".into(),
        text(asset.caption.as_deref().unwrap_or_default()).into(),
    );
    f.insert(
        "description".into(),
        text(asset.credit.as_deref().unwrap_or_default()).into(),
    );
    if site.companion {
        legacy(&mut f, &item.key, &item.payload.to_string(), &asset.legacy);
    }
    f
}

/// What the companion plugin knows an object by.
fn legacy(f: &mut Map<String, Value>, key: &str, hash: &str, legacy: &Legacy) {
    f.insert("meta.sangtrang_key".into(), key.into());
    f.insert("meta.sangtrang_hash".into(), hash.into());
    f.insert("meta.sangtrang_url".into(), legacy.url.clone().into());
    let from: BTreeSet<String> = legacy.from.iter().filter_map(|url| legacy_address(url)).collect();
    f.insert("meta.sangtrang_from".into(), json!(from));
}

/// Meta of the usual kind holds texts.
fn meta(value: &Value) -> Value {
    match value {
        Value::Null => "".into(),
        Value::String(_) | Value::Array(_) => value.clone(),
        other => other.to_string().into(),
    }
}

fn id(links: &Links, key: &str) -> Option<u64> {
    links.known.get(key).and_then(|k| k.id.parse().ok())
}

/// Text for a field that holds HTML.
fn text(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// `meta.NAME` as `meta: { NAME }`.
pub(super) fn nested(flat: &Map<String, Value>) -> Map<String, Value> {
    let (mut out, mut meta) = (Map::new(), Map::new());
    for (name, value) in flat {
        match name.strip_prefix("meta.") {
            Some(name) => meta.insert(name.to_owned(), value.clone()),
            None => out.insert(name.clone(), value.clone()),
        };
    }
    if !meta.is_empty() {
        out.insert("meta".into(), meta.into());
    }
    out
}
