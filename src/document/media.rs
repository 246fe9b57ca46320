//! Pictures, files and links.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What became of a medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaState {
    /// Stored under its hash.
    Ok,
    /// The portal does not have it (404, 410, or an answer that is not a medium).
    Missing,
    /// The portal refuses it (401, 403).
    Forbidden,
    /// Larger than the limit of the mapping.
    TooLarge,
    /// It could not be fetched (network, robots, scheme).
    Unfetchable,
}

/// What a medium is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MediaRole {
    /// A picture in the body.
    Body,
    /// The page's lead picture.
    Lead,
    /// The larger picture that a link round one in the body leads to.
    Original,
    /// A small picture whose original is in the body.
    Thumbnail,
    /// A file for download.
    Attachment,
}

/// A medium of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// `media:HASH` if stored, else `url:SOURCE_URL`.
    #[serde(rename = "ref")]
    pub reference: String,
    /// Absolute URL on the old portal; `data:HASH` for a picture that stood in the page itself.
    pub source_url: String,
    /// What it is for.
    pub role: MediaRole,
    /// Alternative text.
    pub alt: Option<String>,
    /// Caption, as plain text.
    pub caption: Option<String>,
    /// Credit.
    pub credit: Option<String>,
    /// Type by the bytes themselves.
    pub mime: Option<String>,
    /// Type that the server declared.
    pub declared_mime: Option<String>,
    /// Size in bytes.
    pub bytes: Option<u64>,
    /// Width in pixels.
    pub width: Option<u32>,
    /// Height in pixels.
    pub height: Option<u32>,
    /// File name: from Content-Disposition, else from the URL.
    pub filename: Option<String>,
    /// What became of it.
    pub state: MediaState,
}

/// Kinds of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LinkKind {
    /// To a page of this site.
    Internal,
    /// To another site.
    External,
    /// To a file of this site.
    Attachment,
    /// `__doPostBack` or another script call.
    Postback,
    /// `mailto:` or `tel:`.
    Mailto,
    /// `file:` or a drive letter.
    FileUri,
    /// Not a URL.
    Broken,
    /// To a place on the same page.
    Anchor,
}

/// A link of the body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// The attribute as written.
    pub raw: String,
    /// Absolute URL, canonical if it is of this site.
    pub resolved: Option<String>,
    /// What it is.
    pub kind: LinkKind,
    /// `doc:ID`, `media:HASH`, or nothing if it stays a URL.
    pub target: Option<String>,
    /// The link's text.
    pub text: String,
}

/// File name extension of a type, for the types that are told apart by their bytes.
#[must_use]
pub fn extension(mime: &str) -> Option<&'static str> {
    Some(match mime {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/gif" => "gif",
        "image/webp" => "webp",
        "image/bmp" => "bmp",
        "image/svg+xml" => "svg",
        "image/tiff" => "tif",
        "application/pdf" => "pdf",
        "application/msword" => "doc",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => "docx",
        "application/vnd.ms-excel" => "xls",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" => "xlsx",
        "application/vnd.ms-powerpoint" => "ppt",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation" => "pptx",
        "application/zip" => "zip",
        "application/vnd.rar" | "application/x-rar-compressed" => "rar",
        "application/x-7z-compressed" => "7z",
        "application/rtf" | "text/rtf" => "rtf",
        "text/plain" => "txt",
        "text/csv" => "csv",
        "text/html" => "html",
        "video/mp4" => "mp4",
        "audio/mpeg" => "mp3",
        _ => return None,
    })
}
