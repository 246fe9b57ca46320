//! Pictures and files. Addresses are signed, because the sandboxed frame sends no cookie; types are told by the bytes, and
//! what is no plain picture is only offered as a file.

use super::{Shared, State};
use crate::document::CaptureId;
use axum::body::Body;
use axum::extract::{Path, State as Of};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};

/// Even if somebody opens a medium alone, nothing in it runs or loads.
const POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";

/// Pictures that a browser only draws. SVG is a document and not among them.
const PICTURES: [&str; 6] = [
    "image/png",
    "image/jpeg",
    "image/gif",
    "image/webp",
    "image/bmp",
    "image/avif",
];

impl State {
    /// Address of a stored medium.
    pub(super) fn media_address(&self, id: CaptureId) -> String {
        let id = id.to_string();
        format!("/media/{id}/{}", self.sign("media", &id).to_hex())
    }

    /// Address of a picture in the archive, by the key of its URL.
    pub(super) fn archive_address(&self, key: &[u8; 16]) -> String {
        let key = data_encoding::HEXLOWER.encode(key);
        format!("/archive/{key}/{}", self.sign("archive", &key).to_hex())
    }
}

pub(super) async fn stored(Of(state): Of<Shared>, Path((hash, ticket)): Path<(String, String)>) -> Response {
    if !state.is_signed("media", &hash, &ticket) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let Ok(id) = hash.parse::<CaptureId>() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    read(move || state.material.medium(id).map_err(|e| e.to_string())).await
}

pub(super) async fn archived(Of(state): Of<Shared>, Path((key, ticket)): Path<(String, String)>) -> Response {
    if !state.is_signed("archive", &key, &ticket) {
        return StatusCode::NOT_FOUND.into_response();
    }
    let bytes = data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap_or_default();
    let Ok(key) = <[u8; 16]>::try_from(bytes) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    read(move || state.material.archived(&key)).await
}

async fn read(get: impl FnOnce() -> Result<Option<Vec<u8>>, String> + Send + 'static) -> Response {
    match tokio::task::spawn_blocking(get).await {
        Ok(Ok(Some(bytes))) => served(bytes),
        Ok(Ok(None)) => StatusCode::NOT_FOUND.into_response(),
        Ok(Err(why)) => (StatusCode::SERVICE_UNAVAILABLE, why).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn served(bytes: Vec<u8>) -> Response {
    let found = infer::get(&bytes).map(|t| t.mime_type());
    let picture = PICTURES.iter().find(|p| Some(**p) == found);
    let mut answer = Response::new(Body::from(bytes));
    let headers = answer.headers_mut();
    let value = axum::http::HeaderValue::from_static;
    headers.insert(
        header::CONTENT_TYPE,
        value(picture.unwrap_or(&"application/octet-stream")),
    );
    if picture.is_none() {
        headers.insert(header::CONTENT_DISPOSITION, value("attachment"));
    }
    headers.insert(header::CONTENT_SECURITY_POLICY, value(POLICY));
    headers.insert(header::CACHE_CONTROL, value("private, max-age=3600"));
    answer
}
