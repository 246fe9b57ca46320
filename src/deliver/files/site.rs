//! What Hugo and Zola have in common: a folder a page with its pictures beside it, Markdown behind TOML, links that hold
//! wherever the site is put.

use super::index::{Medium, Place};
use super::{ExportError, It, Out, Ways};
use crate::deliver::entry::Entry;
use crate::deliver::render;
use crate::document::Document;
use serde_json::{Value, json};
use url::Url;

/// How a site names things. Relative addresses, because raw HTML is not looked through for others; `/SECTION/PAGE/` is two deep.
pub(super) fn ways() -> Ways {
    Ways {
        document: |_, _, to| format!("../../{}/{}/", to.collection, to.slug),
        medium: |_, _, medium| {
            if beside(medium) {
                medium.filename.to_string()
            } else {
                format!("../../media/{}", medium.below())
            }
        },
        file: Some(|place, medium| {
            if beside(medium) {
                format!("content/{}/{}/{}", place.collection, place.slug, medium.filename)
            } else {
                format!("static/media/{}", medium.below())
            }
        }),
        public: Some(page),
        public_medium: Some(|place, medium| {
            if beside(medium) {
                format!("{}{}", page(place), medium.filename)
            } else {
                format!("/media/{}", medium.below())
            }
        }),
        escape: render::destination,
    }
}

fn page(place: &Place) -> String {
    format!("/{}/{}/", place.collection, place.slug)
}

/// A file that one page alone shows lies beside it, unless a generator would take it for a page.
fn beside(medium: &Medium) -> bool {
    const PAGES: [&str; 9] = [
        "md", "markdown", "html", "htm", "adoc", "ad", "org", "rst", "pandoc",
    ];
    let ending = medium.filename.rsplit_once('.').map_or("", |(_, e)| e);
    !medium.shared && !PAGES.contains(&ending)
}

/// What every generator calls alike: title, state, dates (that of the last change under `changed`), description, old paths.
pub(super) fn front(it: &It<'_>, entry: &Entry, changed: &str) -> toml::Table {
    let mut front = toml::Table::new();
    front.insert("title".into(), entry.title.as_str().into());
    front.insert("draft".into(), (entry.state == "draft").into());
    for (name, at) in [("date", &entry.date), (changed, &entry.modified)] {
        if let Some(at) = at {
            front.insert(name.into(), date(at));
        }
    }
    if let Some(excerpt) = &entry.excerpt {
        front.insert("description".into(), excerpt.as_str().into());
    }
    let aliases = aliases(it.document);
    if !aliases.is_empty() {
        front.insert("aliases".into(), aliases.into());
    }
    front
}

/// Old paths that a page can answer for: those without a query, which no static file can see.
pub(super) fn aliases(document: &Document) -> Vec<toml::Value> {
    let mut all: Vec<String> = document
        .redirects
        .from
        .iter()
        .filter_map(|old| {
            let url = Url::parse(old).ok()?;
            let path = percent_encoding::percent_decode_str(url.path())
                .decode_utf8()
                .ok()?
                .into_owned();
            let odd = |c: char| c.is_control() || "\\:*?\"<>|#%".contains(c);
            let held = url.query().is_none() && path != "/" && !path.contains(odd);
            held.then_some(path)
        })
        .collect();
    all.sort();
    all.dedup();
    all.into_iter().map(toml::Value::from).collect()
}

/// An instant as TOML has it; a text if TOML has none such.
pub(super) fn date(text: &str) -> toml::Value {
    match text.parse::<toml::value::Datetime>() {
        Ok(date) => date.into(),
        Err(_) => text.into(),
    }
}

/// A value of a document in TOML, which has no `null`.
pub(super) fn value(json: &Value) -> Option<toml::Value> {
    Some(match json {
        Value::Null => return None,
        Value::Bool(b) => (*b).into(),
        Value::Number(n) => match n.as_i64() {
            Some(n) => n.into(),
            None => n.as_f64()?.into(),
        },
        Value::String(s) => s.as_str().into(),
        Value::Array(items) => items.iter().filter_map(value).collect::<Vec<_>>().into(),
        Value::Object(map) => map
            .iter()
            .filter_map(|(k, v)| Some((k.clone(), value(v)?)))
            .collect::<toml::Table>()
            .into(),
    })
}

/// Names of an entry's terms, by taxonomy.
pub(super) fn taxonomies(out: &Out<'_>, entry: &Entry) -> toml::Table {
    entry
        .terms
        .iter()
        .filter(|(_, keys)| !keys.is_empty())
        .map(|(taxonomy, keys)| {
            let names = out.index.terms_of(keys).map(|t| t.name.as_str().into());
            (taxonomy.clone(), names.collect::<Vec<toml::Value>>().into())
        })
        .collect()
}

/// What a page tells of its past, and the fields that the mapping names.
pub(super) fn extra(it: &It<'_>, entry: &Entry) -> toml::Table {
    let mut legacy = toml::Table::new();
    legacy.insert("id".into(), it.document.id.to_string().into());
    legacy.insert("key".into(), entry.source_key.as_str().into());
    legacy.insert("url".into(), entry.legacy.url.as_str().into());
    let mut extra = toml::Table::new();
    extra.insert("legacy".into(), legacy.into());
    if let Some(byline) = &it.document.byline {
        extra.insert("byline".into(), byline.raw.as_str().into());
    }
    if let Some(section) = &it.document.section {
        let path: Vec<toml::Value> = section.path.iter().map(|p| p.as_str().into()).collect();
        extra.insert("section_path".into(), path.into());
    }
    for (name, json) in &entry.fields {
        if let Some(value) = value(json) {
            extra.insert(name.clone(), value);
        }
    }
    extra
}

/// Address of the lead picture.
pub(super) fn cover(out: &Out<'_>, it: &It<'_>, entry: &Entry) -> Option<String> {
    out.known(it.place, entry.cover.as_deref()?).map(|k| k.url)
}

/// Writes a page: front matter, body.
pub(super) fn write(out: &mut Out<'_>, it: &It<'_>, front: &toml::Table) -> Result<(), ExportError> {
    let body = out.body(it)?;
    let blocks = render::html_blocks(&it.document.body);
    if blocks > 0 {
        out.tally.html += 1;
        out.note("html", it.document, json!({ "blocks": blocks }))?;
    }
    if it.entry.is_some_and(|e| e.date.is_none()) {
        out.tally.undated += 1;
        out.note("undated", it.document, json!({}))?;
    }
    let path = format!("content/{}/{}/index.md", it.place.collection, it.place.slug);
    out.folder
        .put(&path, format!("{}\n{body}", fenced(front)?).as_bytes())
}

/// The page of a collection.
pub(super) fn section(out: &mut Out<'_>, name: &str, front: &toml::Table) -> Result<(), ExportError> {
    out.folder
        .put(&format!("content/{name}/_index.md"), fenced(front)?.as_bytes())
}

fn fenced(front: &toml::Table) -> Result<String, ExportError> {
    let toml = toml::to_string(front).map_err(std::io::Error::other)?;
    Ok(format!("+++\n{toml}+++\n"))
}
