//! Payloads by the fields of the declaration.

use super::{Declared, FILE, typed};
use crate::deliver::entry::{Asset, Entry, Term};
use crate::deliver::render::{self, fill};
use crate::deliver::sink::{Item, Links, Payload, Stage, Wire};
use crate::mapping::model::{BodyForm, ObjectRule};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The field that says whether an entry is public.
pub(super) const STATE: &str = "state";
/// The field that says why there are no others: such a payload is never sent.
pub(super) const BROKEN: &str = "template";

/// A state as fields say it.
pub(super) fn state(live: bool) -> Value {
    if live { "public" } else { "draft" }.into()
}

pub(super) fn wire(cms: &Declared, item: &Item, links: &Links, stage: Stage) -> Wire {
    let mut waiting = BTreeSet::new();
    let context = context(cms, item, links, &mut waiting);
    let rule = cms.by_item(item);
    let mut fields = Map::new();
    for (name, field) in &rule.fields {
        match field.value.value(&context) {
            // What has no address yet is not sent as nothing.
            Ok(value) if name == "cover" && value.is_null() && is_waiting(item, &waiting) => {}
            Ok(value) => {
                fields.insert(name.clone(), value);
            }
            Err(error) => {
                let text = format!("field `{name}`: {error}");
                return Wire {
                    fields: [(BROKEN.to_owned(), text.into())].into_iter().collect(),
                    waiting,
                };
            }
        }
    }
    if let Payload::Document(entry) = &item.body {
        fields.extend(own(rule, entry, &context));
        let live = stage == Stage::Final && entry.state == "publish";
        fields.insert(STATE.into(), state(live));
    }
    Wire { fields, waiting }
}

fn is_waiting(item: &Item, waiting: &BTreeSet<String>) -> bool {
    match &item.body {
        Payload::Document(entry) => entry.cover.as_ref().is_some_and(|c| waiting.contains(c)),
        _ => false,
    }
}

/// Terms and fields that the entry's rule names.
fn own(rule: &ObjectRule, entry: &Entry, context: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    for taxonomy in entry.terms.keys() {
        let ids = context["terms"][taxonomy].clone();
        let value = if rule.terms.many {
            ids
        } else {
            ids.get(0).cloned().unwrap_or_default()
        };
        fields.insert(taxonomy.clone(), value);
    }
    for (name, value) in &entry.fields {
        fields.insert(name.clone(), value.clone());
    }
    fields
}

/// What templates may name of an item. Nothing that a document says is read as a template.
pub(super) fn context(cms: &Declared, item: &Item, links: &Links, waiting: &mut BTreeSet<String>) -> Value {
    let mut context = cms.context(&item.of);
    let mut put = |name: &str, value: Value| context.insert(name.to_owned(), value);
    put("key", item.key.clone().into());
    put("slug", item.slug.clone().into());
    put("hash", item.payload.to_string().into());
    match &item.body {
        Payload::Term(term) => put_term(cms, term, links, &mut put),
        Payload::Media(asset, _) => put_asset(asset, &mut put),
        Payload::Document(entry) => put_entry(cms, entry, links, &mut put, waiting),
    }
    context.into()
}

type Put<'p> = dyn FnMut(&str, Value) -> Option<Value> + 'p;

fn put_term(cms: &Declared, term: &Term, links: &Links, put: &mut Put<'_>) {
    let parent = term.parent.as_ref().and_then(|p| links.known.get(p));
    put("name", term.name.clone().into());
    put(
        "parent",
        parent.map_or(Value::Null, |p| typed(&cms.rules.term, &p.id)),
    );
}

fn put_asset(asset: &Asset, put: &mut Put<'_>) {
    let stem = asset
        .filename
        .rsplit_once('.')
        .map_or(&*asset.filename, |(stem, _)| stem);
    put("filename", asset.filename.clone().into());
    put("stem", stem.into());
    put("mime", asset.mime.clone().into());
    put("title", asset.title.clone().into());
    put("alt", asset.alt.clone().into());
    put("caption", asset.caption.clone().into());
    put("credit", asset.credit.clone().into());
    put(
        "legacy",
        json!({ "url": asset.legacy.url, "from": asset.legacy.from }),
    );
}

fn put_entry(
    cms: &Declared,
    entry: &Entry,
    links: &Links,
    put: &mut Put<'_>,
    waiting: &mut BTreeSet<String>,
) {
    let known = |token: &str| {
        let mut known = links.known.get(token).cloned()?;
        if let Some(id) = known.id.strip_prefix(FILE) {
            known.id = id.to_owned();
        }
        Some(known)
    };
    let old = |token: &str| links.old.get(token).cloned().unwrap_or_default();
    let escape = match cms.body {
        BodyForm::Html | BodyForm::Gutenberg => render::escape,
        BodyForm::Markdown => markdown_address,
        BodyForm::PortableText => json_text,
    };
    let (body, open) = fill(&entry.body, &known, &old, escape);
    waiting.extend(open);
    let body = match cms.body {
        BodyForm::PortableText => serde_json::from_str(&body).unwrap_or(Value::String(body)),
        _ => body.into(),
    };
    let cover = entry
        .cover
        .as_ref()
        .and_then(|cover| match links.known.get(cover) {
            Some(known) => {
                let (rule, id) = cms.by_id(crate::ledger::Kind::Media, &known.id);
                Some(typed(rule, id))
            }
            None => {
                waiting.insert(cover.clone());
                None
            }
        });
    let mut terms = Map::new();
    for (taxonomy, keys) in &entry.terms {
        let ids: Vec<Value> = keys
            .iter()
            .filter_map(|key| Some(typed(&cms.rules.term, &links.known.get(key)?.id)))
            .collect();
        terms.insert(taxonomy.clone(), ids.into());
    }
    put("title", entry.title.clone().into());
    put("language", entry.language.clone().into());
    put("date", entry.date.clone().into());
    put("modified", entry.modified.clone().into());
    put("summary", entry.excerpt.clone().into());
    put("body", body);
    put("author", entry.author.clone().into());
    put("cover", cover.unwrap_or_default());
    put("terms", terms.into());
    put("fields", json!(entry.fields));
    put("collection", entry.collection.clone().into());
    put("source_key", entry.source_key.clone().into());
    put(
        "legacy",
        json!({ "url": entry.legacy.url, "from": entry.legacy.from }),
    );
}

/// An address inside `(<…>)`.
fn markdown_address(url: &str) -> String {
    url.replace('<', "%3C")
        .replace('>', "%3E")
        .replace(['\n', '\r'], "")
}

/// An address inside a JSON text.
fn json_text(url: &str) -> String {
    let quoted = Value::from(url).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// Puts `value` at a dotted place.
pub(super) fn put_at(into: &mut Value, place: &str, value: Value) {
    let mut here = into;
    for part in place.split('.').filter(|p| !p.is_empty()) {
        if !here.is_object() {
            *here = json!({});
        }
        here = &mut here[part];
    }
    match (here, value) {
        (Value::Object(there), Value::Object(more)) => there.extend(more),
        (here, value) => *here = value,
    }
}

/// Where a field of ours is written.
pub(super) fn place(rule: &ObjectRule, is_term: bool, name: &str) -> String {
    if let Some(field) = rule.fields.get(name) {
        return field.write.clone().unwrap_or_else(|| name.to_owned());
    }
    let pattern = if is_term {
        &rule.terms.write
    } else {
        &rule.extra.write
    };
    pattern
        .as_ref()
        .map_or_else(|| name.to_owned(), |p| p.replace("{name}", name))
}

/// Pointer where it is read.
pub(super) fn pointer(rule: &ObjectRule, is_term: bool, name: &str) -> String {
    let said = match rule.fields.get(name) {
        Some(field) => field.read.clone(),
        None => {
            let pattern = if is_term {
                &rule.terms.read
            } else {
                &rule.extra.read
            };
            pattern.as_ref().map(|p| p.replace("{name}", name))
        }
    };
    said.unwrap_or_else(|| format!("/{}", place(rule, is_term, name).replace('.', "/")))
}
