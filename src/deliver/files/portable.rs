//! Portable Text as `sanity dataset import` reads it: a document a line, pictures and files named by `_sanityAsset`, links between
//! documents as references.

use super::folder::Stream;
use super::index::{Medium, Place};
use super::{ExportError, Form, It, Out, Ways};
use crate::deliver::redirect::Redirect;
use serde_json::{Map, Value, json};
use std::io::Write;

#[derive(Default)]
pub(super) struct Portable {
    lines: Option<Stream>,
}

/// Marks a reference to a document, until the text is JSON again.
const REFERENCE: &str = "\u{E000}doc:";
/// Marks a file of the export.
const FILE: &str = "\u{E000}file:";

fn file(_: &Place, medium: &Medium) -> String {
    format!("media/{}", medium.below())
}

impl Form for Portable {
    fn ways(&self) -> Ways {
        Ways {
            document: |_, _, to| format!("{REFERENCE}{}", to.id),
            medium: |_, from, medium| format!("{FILE}{}", file(from, medium)),
            file: Some(file),
            public: None,
            public_medium: None,
            // Our own names need no escapes inside a JSON string.
            escape: |address| {
                let quoted = Value::from(address).to_string();
                quoted[1..quoted.len() - 1].to_owned()
            },
        }
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        self.lines = Some(out.folder.stream("documents.ndjson")?);
        Ok(())
    }

    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        let Some(entry) = it.entry else { return Ok(()) };
        if entry.date.is_none() {
            out.tally.undated += 1;
            out.note("undated", it.document, json!({}))?;
        }
        let text = out.body(it)?;
        let mut body: Value = serde_json::from_str(&text).map_err(std::io::Error::from)?;
        assets(&mut body, entry.state == "draft");
        let terms: Map<String, Value> = entry
            .terms
            .iter()
            .map(|(taxonomy, keys)| {
                let names = out.index.terms_of(keys).map(|t| json!(t.name));
                (taxonomy.clone(), names.collect())
            })
            .collect();
        let cover = entry.cover.as_deref().and_then(|c| out.index.medium(c));
        let cover =
            cover.map(|m| json!({ "_type": "image", "_sanityAsset": asset("image", &file(it.place, m)) }));
        let line = json!({
            "_id": id(&entry.key, &entry.state), "_type": it.document.kind, "title": entry.title,
            "slug": { "_type": "slug", "current": entry.slug }, "language": entry.language, "publishedAt": entry.date,
            "updatedAt": entry.modified, "excerpt": entry.excerpt, "byline": it.document.byline.as_ref().map(|b| &b.raw),
            "cover": cover, "terms": terms, "fields": entry.fields, "body": body,
            "legacy": { "key": entry.source_key, "url": entry.legacy.url, "from": entry.legacy.from },
        });
        if let Some(lines) = &mut self.lines {
            serde_json::to_writer(&mut *lines, &without_null(line)).map_err(std::io::Error::from)?;
            lines.write_all(b"\n")?;
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &[Redirect]) -> Result<(), ExportError> {
        match self.lines.take() {
            Some(lines) => out.folder.close(lines),
            None => Ok(()),
        }
    }
}

/// Ids that begin with `drafts.` are not public (Sanity).
fn id(key: &str, state: &str) -> String {
    let id = key.strip_prefix("doc:").unwrap_or(key);
    if state == "draft" {
        format!("drafts.{id}")
    } else {
        id.to_owned()
    }
}

fn asset(kind: &str, path: &str) -> String {
    format!("{kind}@file://./{path}")
}

/// Files and references in the words of Sanity. The tree is one of ours, a few levels deep.
fn assets(value: &mut Value, weak: bool) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|i| assets(i, weak)),
        Value::Object(map) => {
            if let Some(target) = map.get("href").and_then(Value::as_str) {
                let at = target.to_owned();
                if let Some(id) = at.strip_prefix(REFERENCE) {
                    map.remove("href");
                    map.insert("_type".into(), "internalLink".into());
                    map.insert("reference".into(), json!({ "_type": "reference", "_ref": id }));
                    if weak {
                        // What is referred to may not be public yet.
                        map["reference"]["_weak"] = true.into();
                    }
                } else if let Some(path) = at.strip_prefix(FILE) {
                    map.remove("href");
                    map.insert("_type".into(), "fileLink".into());
                    map.insert(
                        "file".into(),
                        json!({ "_type": "file", "_sanityAsset": asset("file", path) }),
                    );
                }
            }
            if let Some(target) = map.get("url").and_then(Value::as_str) {
                let at = target.to_owned();
                let kind = map.get("_type").and_then(Value::as_str).unwrap_or("file");
                let kind = if kind == "image" { "image" } else { "file" };
                if let Some(path) = at.strip_prefix(FILE) {
                    let asset = asset(kind, path);
                    map.remove("url");
                    map.insert("_sanityAsset".into(), asset.into());
                }
            }
            map.values_mut().for_each(|v| assets(v, weak));
        }
        _ => {}
    }
}

/// An absent field is absent there.
fn without_null(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, v)| !v.is_null())
            .map(|(k, v)| (k, without_null(v)))
            .collect(),
        Value::Array(items) => items.into_iter().map(without_null).collect(),
        value => value,
    }
}
