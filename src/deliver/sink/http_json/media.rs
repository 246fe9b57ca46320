//! Uploads: as a form, or as bare bytes.

use super::{Declared, broken, method, read, write};
use crate::deliver::api::Request;
use crate::deliver::entry::Asset;
use crate::deliver::failure::{Class, Failure};
use crate::deliver::multipart::Form;
use crate::deliver::sink::{Item, Links, Remote, Wire};
use crate::document::CaptureId;
use crate::ledger::Kind;
use http::Method;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;

pub(super) async fn upload(
    cms: &Declared,
    item: &Item,
    asset: &Asset,
    path: &Path,
    wire: &Wire,
) -> Result<Remote, Failure> {
    write::whole(&wire.fields)?;
    let rule = cms.by_item(item);
    let bytes = fs_err::tokio::read(path)
        .await
        .map_err(|e| Failure::of(Class::Permanent, &asset.key, e.to_string()))?;
    let context = super::wire::context(cms, item, &Links::default(), &mut BTreeSet::new());
    let to = cms.path(rule.create.path.as_ref().or(rule.path.as_ref()), &context)?;
    let how = method(rule.create.method.as_ref(), Method::POST);
    let (body, headers) = if rule.upload.raw {
        let mut headers = HeaderMap::new();
        if let Ok(kind) = HeaderValue::from_str(&asset.mime) {
            headers.insert(header::CONTENT_TYPE, kind);
        }
        for (name, text) in &rule.upload.headers {
            let value = text.value(&context).map_err(|e| broken(name, e))?;
            if let (Ok(name), Some(Ok(value))) = (
                HeaderName::from_bytes(name.as_bytes()),
                value.as_str().map(HeaderValue::from_str),
            ) {
                headers.insert(name, value);
            }
        }
        (bytes.into(), headers)
    } else {
        let said = write::body(
            cms,
            Kind::Media,
            rule,
            &rule.create,
            &item.of,
            &wire.fields,
            &context,
        )?;
        let mut form = Form::new(&asset.key);
        fields(&mut form, &said);
        let part = rule.upload.part.as_deref().unwrap_or("file");
        form.file(part, &asset.filename, &asset.mime, &bytes);
        form.finish()
    };
    let request = Request {
        method: how,
        path: to,
        headers,
        body,
        repeatable: false,
    };
    let answer = cms.call(request).await?.json();
    let object = read::object(&answer, rule.create.object.as_ref());
    let made = write::written(cms, Kind::Media, rule, &item.of, object)?;
    if rule.upload.raw {
        return write::patch(cms, Kind::Media, &item.of, &made.id, &wire.fields).await;
    }
    write::shown(cms, Kind::Media, rule.create.reread, &item.of, made).await
}

/// Fields of a form: texts as they are, nothing not at all, tables as JSON.
pub(super) fn fields(form: &mut Form, said: &Value) {
    for (name, value) in said.as_object().into_iter().flatten() {
        match value {
            Value::Null => {}
            Value::String(text) => form.field(name, text),
            other => form.field(name, &other.to_string()),
        }
    }
}

/// A boundary for a form without a file: what a text cannot contain is its own hash.
pub(super) fn boundary(said: &Value) -> String {
    CaptureId::of(said.to_string().as_bytes()).to_string()
}
