//! Identifiers: of documents (by natural key) and of captures and media (by content).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// Why a text is not an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum IdError {
    /// Not 64 hexadecimal digits.
    #[error("`{0}` is not a capture id: expected 64 hexadecimal digits")]
    Capture(String),
    /// Not a UUID.
    #[error("`{0}` is not a document id: expected a UUID")]
    Document(String),
}

/// Identity of a document: UUID v5 (RFC 9562) of site and natural key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct DocumentId(#[schemars(with = "String")] Uuid);

impl DocumentId {
    /// The id of the page with natural key `source_key` at `site`.
    #[must_use]
    pub fn new(site: &str, source_key: &str) -> Self {
        let namespace = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("sangtrang:site:{site}").as_bytes());
        Self(Uuid::new_v5(&namespace, source_key.as_bytes()))
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DocumentId {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        s.parse().map(Self).map_err(|_| IdError::Document(s.to_owned()))
    }
}

/// Identity of a captured body or a medium: BLAKE3 of its bytes. Written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaptureId([u8; 32]);

impl CaptureId {
    /// The id of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// An id from its 32 bytes, as the ledger stores it.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for CaptureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for CaptureId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for CaptureId {
    type Err = IdError;
    fn from_str(s: &str) -> Result<Self, IdError> {
        blake3::Hash::from_hex(s)
            .map(|h| Self(*h.as_bytes()))
            .map_err(|_| IdError::Capture(s.to_owned()))
    }
}

impl Serialize for CaptureId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CaptureId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for CaptureId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "CaptureId".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[0-9a-f]{64}$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_key_same_id_and_sites_do_not_share_ids() {
        assert_eq!(DocumentId::new("a", "news:1"), DocumentId::new("a", "news:1"));
        assert_ne!(DocumentId::new("a", "news:1"), DocumentId::new("b", "news:1"));
        // Pinned: a change of this value would orphan every delivered document.
        assert_eq!(
            DocumentId::new("a", "news:1").to_string(),
            "f3a4acfe-a4c9-5008-8ba3-f4f173346a2a"
        );
    }

    #[test]
    fn capture_id_round_trips_through_hex() {
        let id = CaptureId::of(b"trang");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("xyz".parse::<CaptureId>().is_err());
    }
}
