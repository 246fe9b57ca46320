//! Files, under ids of ours.

use super::{Directus, id_of};
use crate::deliver::api::{Class, Failure, Request};
use crate::deliver::entry::Asset;
use crate::deliver::multipart::Form;
use crate::deliver::sink::{Remote, Wire};
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
    let bytes = fs_err::tokio::read(path)
        .await
        .map_err(|e| Failure::of(Class::Permanent, &asset.key, e.to_string()))?;
    let mut form = Form::new(&asset.key);
    // Directus reads fields only if they stand before the file.
    form.field("id", &id_of(&asset.key));
    for (name, value) in &wire.fields {
        form.field(name, value.as_str().unwrap_or_default());
    }
    form.file("file", &asset.filename, &asset.mime, &bytes);
    let (body, headers) = form.finish();
    let request = Request {
        method: http::Method::POST,
        path: "files".into(),
        headers,
        body,
        repeatable: false,
    };
    let answer = project.api.call(request).await?;
    project.written(Kind::Media, "media", &answer.json()["data"])
}
