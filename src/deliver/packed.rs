//! Payloads as the ledger keeps them: gzip over JSON.

use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use serde_json::Value;
use std::io::{Read as _, Write as _};

/// Largest payload that is read back.
const MAX: u64 = 256 << 20;

/// A payload, compressed.
#[must_use]
pub fn pack(value: &Value) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    // A vector takes whatever it is given.
    let _ = out.write_all(value.to_string().as_bytes());
    out.finish().unwrap_or_default()
}

/// A payload as it was; nothing if the bytes are none.
#[must_use]
pub fn unpack(bytes: &[u8]) -> Option<Value> {
    let mut text = Vec::new();
    GzDecoder::new(bytes).take(MAX).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}
