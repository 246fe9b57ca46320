//! Objects as WordPress shows them to editors (`context=edit`).

use crate::deliver::sink::{Listed, Remote};
use crate::ledger::Kind;
use serde_json::Value;
use std::collections::BTreeMap;

/// Fields of a post that we may have written, and where their raw form is.
const RAW: [(&str, &str); 5] = [
    ("title", "/title/raw"),
    ("content", "/content/raw"),
    ("excerpt", "/excerpt/raw"),
    ("caption", "/caption/raw"),
    ("description", "/description/raw"),
];
const PLAIN: [&str; 14] = [
    "slug",
    "status",
    "author",
    "featured_media",
    "alt_text",
    "name",
    "parent",
    "sticky",
    "format",
    "template",
    "comment_status",
    "ping_status",
    "menu_order",
    "password",
];
/// Lists of ids that are no taxonomies.
const NO_TERMS: [&str; 2] = ["class_list", "meta"];

pub(super) fn remote(kind: Kind, object: &Value) -> Remote {
    let mut fields = BTreeMap::new();
    for (name, pointer) in RAW {
        if let Some(value) = object.pointer(pointer) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    for name in PLAIN {
        if let Some(value) = object.get(name).filter(|v| !v.is_object()) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    if let Some(date) = object["date_gmt"].as_str() {
        fields.insert("date".into(), format!("{date}Z").into());
    }
    for (name, value) in object.as_object().into_iter().flatten() {
        if let Some(ids) = value.as_array().filter(|_| !NO_TERMS.contains(&name.as_str()))
            && ids.iter().all(Value::is_u64)
        {
            let mut ids: Vec<u64> = ids.iter().filter_map(Value::as_u64).collect();
            ids.sort_unstable();
            fields.insert(name.clone(), ids.into());
        }
    }
    for (name, value) in object["meta"].as_object().into_iter().flatten() {
        fields.insert(format!("meta.{name}"), value.clone());
    }
    let slug = object["slug"].as_str().unwrap_or_default().to_owned();
    let status = object["status"].as_str().unwrap_or_default();
    let url = match kind {
        Kind::Media => object["source_url"].as_str().map(str::to_owned),
        Kind::Term => object["link"].as_str().map(str::to_owned),
        _ => address(object, &slug, status),
    };
    // What is not there at all belongs to a picture whose upload did not come to its end.
    if kind == Kind::Media
        && let Some(original) = original(object)
    {
        fields.insert("original".into(), original.into());
    }
    Remote {
        id: object["id"].as_u64().map(|id| id.to_string()).unwrap_or_default(),
        url,
        slug,
        key: key(object),
        modified: object["modified_gmt"].as_str().map(str::to_owned),
        live: matches!(status, "publish" | "future" | "inherit" | "private") || kind == Kind::Term,
        used: object["count"].as_u64(),
        fields,
        rendered: object
            .pointer("/content/rendered")
            .and_then(Value::as_str)
            .map(str::to_owned),
    }
}

/// The public address; that of a draft is made of its template.
fn address(object: &Value, slug: &str, status: &str) -> Option<String> {
    if !matches!(status, "publish" | "private")
        && let Some(template) = object["permalink_template"].as_str()
    {
        return Some(template.replace("%postname%", slug).replace("%pagename%", slug));
    }
    object["link"].as_str().map(str::to_owned)
}

/// Address of the file as it was uploaded: WordPress shows a smaller copy of a large picture.
fn original(object: &Value) -> Option<String> {
    let name = object.pointer("/media_details/original_image")?.as_str()?;
    let (folder, _) = object["source_url"].as_str()?.rsplit_once('/')?;
    Some(format!("{folder}/{name}"))
}

pub(super) fn listed(object: &Value) -> Listed {
    Listed {
        id: object["id"].as_u64().map(|id| id.to_string()).unwrap_or_default(),
        slug: object["slug"].as_str().unwrap_or_default().to_owned(),
        key: key(object),
        modified: object["modified_gmt"].as_str().map(str::to_owned),
    }
}

fn key(object: &Value) -> Option<String> {
    object
        .pointer("/meta/sangtrang_key")
        .and_then(Value::as_str)
        .filter(|k| !k.is_empty())
        .map(str::to_owned)
}

/// Do both mean the same? Texts are compared without their references, dates as instants, lists without order.
pub(super) fn same(field: &str, ours: &Value, theirs: &Value) -> bool {
    match (field, ours, theirs) {
        // What is dated in the future waits for its day.
        ("status", Value::String(a), Value::String(b)) => a == b || (a == "publish" && b == "future"),
        ("date", Value::String(a), Value::String(b)) => {
            let instant = |t: &str| t.parse::<jiff::Timestamp>().ok();
            instant(a).is_some() && instant(a) == instant(b)
        }
        ("content", Value::String(a), Value::String(b)) => a.trim() == b.trim(),
        (_, Value::String(a), Value::String(b)) => {
            a == b || crate::deliver::render::shown(a).words == crate::deliver::render::shown(b).words
        }
        (_, Value::Array(a), Value::Array(b)) => {
            let sorted = |list: &[Value]| {
                let mut texts: Vec<String> = list.iter().map(Value::to_string).collect();
                texts.sort();
                texts
            };
            sorted(a) == sorted(b)
        }
        _ => ours == theirs,
    }
}
