//! Files, under ids of ours.

use super::{Directus, id_of};
use crate::deliver::api::Request;
use crate::deliver::entry::Asset;
use crate::deliver::failure::{Class, Failure};
use crate::deliver::multipart::Form;
use crate::deliver::sink::{Remote, Sink as _, Wire};
use crate::ledger::Kind;
use serde_json::{Map, Value};
use std::path::Path;

/// Fields of a file that we write and read.
pub(super) const FIELDS: [&str; 5] = ["id", "title", "filename_download", "type", "description"];

pub(super) fn wire(asset: &Asset) -> Map<String, Value> {
    let described = [
        asset.alt.as_deref(),
        asset.caption.as_deref(),
        asset.credit.as_deref(),
    ];
    let description: Vec<&str> = described.into_iter().flatten().collect();
    let mut f = Map::new();
    f.insert("title".into(), asset.title.clone().into());
    f.insert("filename_download".into(), asset.filename.clone().into());
    f.insert("type".into(), asset.mime.clone().into());
    f.insert("description".into(), description.join("\n").into());
    f
}

pub(super) async fn upload(
    project: &Directus,
    asset: &Asset,
    path: &Path,
    wire: &Wire,
) -> Result<Remote, Failure> {
    send(project, None, asset, path, wire).await
}

/// Writes a file again: its fields, and its bytes if they are not all there (an upload makes the item first).
pub(super) async fn complete(
    project: &Directus,
    id: &str,
    asset: &Asset,
    path: &Path,
    wire: &Wire,
) -> Result<Remote, Failure> {
    let found = format!("files?fields=filesize&filter[id][_eq]={id}");
    let found = project.api.call(Request::get(found)).await?.json();
    let size = &found["data"][0]["filesize"];
    let size = size.as_u64().or_else(|| size.as_str()?.parse().ok());
    if size == Some(asset.bytes) {
        return project.patch(Kind::Media, "media", id, &wire.fields).await;
    }
    send(project, Some(id), asset, path, wire).await
}

async fn send(
    project: &Directus,
    id: Option<&str>,
    asset: &Asset,
    path: &Path,
    wire: &Wire,
) -> Result<Remote, Failure> {
    let bytes = fs_err::tokio::read(path)
        .await
        .map_err(|e| Failure::of(Class::Permanent, &asset.key, e.to_string()))?;
    let mut form = Form::new(&asset.key);
    // Directus reads fields only if they stand before the file.
    if id.is_none() {
        form.field("id", &id_of(&asset.key));
    }
    for (name, value) in &wire.fields {
        form.field(name, value.as_str().unwrap_or_default());
    }
    form.file("file", &asset.filename, &asset.mime, &bytes);
    let (body, headers) = form.finish();
    let request = Request {
        method: if id.is_some() {
            http::Method::PATCH
        } else {
            http::Method::POST
        },
        path: id.map_or_else(|| "files".to_owned(), |id| format!("files/{id}")),
        headers,
        body,
        repeatable: id.is_some(),
    };
    let answer = project.api.call(request).await?;
    project.written(Kind::Media, "media", &answer.json()["data"])
}
