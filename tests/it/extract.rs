//! Pages that are hard to read right (`tests/extract/hard/`): what each gives is compared with what a person found right,
//! and read again from what we write of it.

use crate::support::ROOT;
use sangtrang::capture::Capture;
use sangtrang::document::{CaptureId, Document, FetchProvenance};
use sangtrang::extract::{Context, PartPage, bind, extract_parts};
use sangtrang::mapping::{Mapping, PageUrl};
use sangtrang::page::{Page, read};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(ROOT).join("tests/extract")
}

fn hard() -> Mapping {
    Mapping::load(&folder().join("hard.toml")).unwrap_or_else(|e| panic!("{e}"))
}

fn page(mapping: &Mapping, html: &[u8], address: &str) -> Page {
    let url = mapping.resolve(&mapping.rules().site.base, address).unwrap();
    let capture = Capture {
        notes: Vec::new(),
        id: CaptureId::of(html),
        url: url.to_string(),
        status: 200,
        headers: Vec::new(),
        body: html.to_vec(),
        at: jiff::Timestamp::UNIX_EPOCH,
        truncated: None,
    };
    read(&capture, &url, mapping).unwrap()
}

/// The document of a page and those behind it.
fn document(mapping: &Mapping, pages: &[(Vec<u8>, String)]) -> Document {
    let first = page(mapping, &pages[0].0, &pages[0].1);
    let others: Vec<PartPage> = pages[1..]
        .iter()
        .map(|(html, address)| PartPage {
            page: page(mapping, html, address),
            capture: CaptureId::of(html),
        })
        .collect();
    let at: &PageUrl = &first.url;
    let collection = mapping.collection_for_url(at).unwrap();
    let (fetch, listing) = (FetchProvenance::default(), BTreeMap::new());
    let context = Context {
        mapping,
        listing: &listing,
        discovered: &[],
        aliases: &[],
        fetch: &fetch,
    };
    let mut out = extract_parts(&first, &others, &[], collection, &context).unwrap();
    let mut document = out.documents.remove(0);
    bind(&mut document, collection, &|_| None);
    document
}

/// The pages of a file of `hard/`, with their addresses.
fn pages(name: &str) -> Vec<(Vec<u8>, String)> {
    let read = |name: &str| std::fs::read(folder().join("hard").join(format!("{name}.html"))).unwrap();
    match &name[..2] {
        "01" => vec![(read(name), format!("/tin/{name}"))],
        "37" | "38" => vec![(read(name), format!("/vanban/{name}"))],
        "40" => vec![
            (read(name), "/view.aspx?ItemID=7".into()),
            (read(&format!("{name}.2")), "/view.aspx?ItemID=7&page=2".into()),
            (read(&format!("{name}.3")), "/view.aspx?ItemID=7&page=3".into()),
        ],
        _ => vec![(read(name), format!("/hard/{name}"))],
    }
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder().join("hard")).unwrap();
    let mut names: Vec<String> = files
        .filter_map(|f| {
            f.unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".html")
                .map(str::to_owned)
        })
        .filter(|n| !n.contains('.'))
        .collect();
    names.sort();
    names
}

/// What a person can check: the document without identity, places and what is empty.
fn view(document: &Document) -> Value {
    let mut value = serde_json::to_value(document).unwrap();
    let mut out = Map::new();
    for key in [
        "title", "section", "byline", "source", "summary", "legal", "extra", "dates", "body",
    ] {
        out.insert(key.into(), value[key].take());
    }
    let media = |m: &sangtrang::document::Media| json!({ "source_url": m.source_url, "role": m.role, "alt": m.alt, "caption": m.caption, "credit": m.credit });
    out.insert("media".into(), document.media.iter().map(media).collect());
    out.insert(
        "attachments".into(),
        document
            .attachments
            .iter()
            .map(|a| a.source_url.clone())
            .collect(),
    );
    let links = document.links.iter();
    let links =
        links.map(|l| json!({ "raw": l.raw, "resolved": l.resolved, "kind": l.kind, "text": l.text }));
    out.insert("links".into(), links.collect());
    out.insert(
        "citations".into(),
        document
            .citations
            .iter()
            .map(|c| format!("{} {}", c.kind, c.number))
            .collect(),
    );
    let dropped = document.dropped.iter();
    let dropped = dropped.map(|d| json!([d.rule, d.media.as_ref().unwrap_or(&d.text)]));
    out.insert("dropped".into(), dropped.collect());
    let sum = &document.accounting;
    out.insert(
        "accounting".into(),
        json!([sum.visible, sum.kept, sum.dropped, sum.unaccounted]),
    );
    let gates = document
        .quality
        .gates
        .iter()
        .map(|g| format!("{:?} {}: {}", g.level, g.id, g.note));
    out.insert("gates".into(), gates.collect());
    let parts = document.provenance.parts.iter().map(|p| p.url.clone());
    out.insert("parts".into(), parts.collect());
    let mut out = Value::Object(out);
    tidy(&mut out);
    out
}

/// Leaves out what says nothing, and says plain cells and captions by their text.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(src) = object.remove("src")
                && src["rule"] != "body"
            {
                object.insert("rule".into(), src["rule"].clone());
            }
            if object.contains_key("confidence") {
                object.remove("raw");
            }
            if object.contains_key("rowspan") {
                object.retain(|k, v| !(matches!(k.as_str(), "rowspan" | "colspan") && *v == json!(1)));
                object.retain(|k, v| !(k == "header" && *v == json!(false)));
            }
            object.values_mut().for_each(tidy);
            object.retain(|_, v| !(v.is_null() || *v == json!([]) || *v == json!({})));
            let only = |key: &str| (object.len() == 1).then(|| object.get(key).cloned()).flatten();
            if let Some(inner) = only("text").or_else(|| only("content")) {
                *value = inner;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// JSON with short lines: what fits stands on one.
fn pretty(value: &Value, indent: usize, out: &mut String) {
    let one = value.to_string();
    let pad = " ".repeat(indent + 1);
    match value {
        Value::Object(object) if indent == 0 || one.len() > 140 => {
            out.push_str("{\n");
            for (n, (key, value)) in object.iter().enumerate() {
                out.push_str(&format!("{pad}{}: ", json!(key)));
                pretty(value, indent + 1, out);
                out.push_str(if n + 1 < object.len() { ",\n" } else { "\n" });
            }
            out.push_str(&" ".repeat(indent));
            out.push('}');
        }
        Value::Array(items) if one.len() > 140 => {
            out.push_str("[\n");
            for (n, value) in items.iter().enumerate() {
                out.push_str(&pad);
                pretty(value, indent + 1, out);
                out.push_str(if n + 1 < items.len() { ",\n" } else { "\n" });
            }
            out.push_str(&" ".repeat(indent));
            out.push(']');
        }
        _ => out.push_str(&one),
    }
}

/// `SANGTRANG_ACCEPT=1` writes what is found; a person then reads the difference.
#[test]
fn hard_pages_give_what_a_person_found_right() {
    let mapping = hard();
    let accept = std::env::var_os("SANGTRANG_ACCEPT").is_some();
    let validator = jsonschema::validator_for(&sangtrang::document::document_schema()).unwrap();
    let names = names();
    assert!(names.len() >= 40, "{} pages", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        let document = document(&mapping, &pages(name));
        if let Some(error) = validator
            .iter_errors(&serde_json::to_value(&document).unwrap())
            .next()
        {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        let sum = &document.accounting;
        assert_eq!(sum.unaccounted, 0, "{name}: {:?}", sum.unaccounted_text);
        assert_eq!(sum.visible, sum.kept + sum.dropped, "{name}");
        let mut found = String::new();
        pretty(&view(&document), 0, &mut found);
        found.push('\n');
        let path = folder().join("hard").join(format!("{name}.json"));
        if accept {
            std::fs::write(&path, &found).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(format!("{name}: found\n{found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} pages differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
