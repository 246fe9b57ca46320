//! Uploads. File and fields go in one request, so that a file is never there without its slug.

use super::{WordPress, read, route};
use crate::deliver::api::Request;
use crate::deliver::entry::Asset;
use crate::deliver::failure::{Class, Failure};
use crate::deliver::multipart::Form;
use crate::deliver::sink::{Remote, Wire};
use crate::ledger::Kind;
use http::Method;
use md5::Digest as _;
use serde_json::Value;
use std::path::Path;

pub(super) async fn upload(
    site: &WordPress,
    asset: &Asset,
    path: &Path,
    wire: &Wire,
) -> Result<Remote, Failure> {
    let bytes = fs_err::tokio::read(path)
        .await
        .map_err(|e| Failure::of(Class::Permanent, &asset.key, e.to_string()))?;
    let digest = data_encoding::HEXLOWER.encode(&md5::Md5::digest(&bytes));
    let mut form = Form::new(&asset.key);
    for (name, value) in &wire.fields {
        let name = match name.strip_prefix("meta.") {
            Some(name) => format!("meta[{name}]"),
            None => name.clone(),
        };
        match value {
            Value::Array(items) => items
                .iter()
                .for_each(|v| form.field(&format!("{name}[]"), &text(v))),
            value => form.field(&name, &text(value)),
        }
    }
    form.file("file", &asset.filename, &asset.mime, &bytes);
    let (body, headers) = form.finish();
    let request = Request {
        method: Method::POST,
        path: format!("{}?context=edit", route("media")),
        headers,
        body,
        repeatable: false,
    }
    .header("content-md5", &digest);
    let answer = site.api.call(request).await?;
    site.written(Kind::Media, "media", &answer.json())
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Makes the sizes of a picture that an interrupted upload lacks.
pub(super) async fn complete(site: &WordPress, remote: Remote) -> Result<Remote, Failure> {
    let path = format!("{}/{}?context=edit", route("media"), remote.id);
    let object = site.api.call(Request::get(&path)).await?.json();
    let picture = object["media_type"] == "image";
    let missing = object["missing_image_sizes"]
        .as_array()
        .is_some_and(|m| !m.is_empty())
        || (picture
            && object["media_details"]
                .as_object()
                .is_none_or(serde_json::Map::is_empty));
    if !missing {
        return Ok(read::remote(Kind::Media, &object));
    }
    let body = serde_json::json!({ "action": "create-image-subsizes" });
    let path = format!("{}/{}/post-process", route("media"), remote.id);
    let answer = site
        .api
        .call(Request::json(Method::POST, path, &body, true))
        .await?;
    Ok(match answer.json() {
        done if done["id"].is_u64() => Remote {
            fields: remote.fields,
            ..read::remote(Kind::Media, &done)
        },
        _ => remote,
    })
}
