//! The stored form of a document, and the hash of its content.

use super::Document;

/// The document as it is written: two-space indentation, keys in the order of the types, a newline at the end.
///
/// # Errors
/// When a number is not finite, which JSON cannot hold.
pub fn canonical_json(document: &Document) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|mut json| {
        json.push('\n');
        json
    })
}

/// Fields of a document that say how it came about and how good it is; the others are its content.
pub const NOT_CONTENT: [&str; 6] = [
    "revision",
    "dropped",
    "accounting",
    "provenance",
    "redirects",
    "quality",
];

/// BLAKE3 over what an editor would call the content: everything but provenance, dropped text, accounting and gates.
/// It changes if and only if the content does, so it tells "the portal changed" from "the page was fetched again".
///
/// # Errors
/// As [`canonical_json`].
pub fn content_hash(document: &Document) -> Result<String, serde_json::Error> {
    let mut content = serde_json::to_value(document)?;
    if let Some(object) = content.as_object_mut() {
        for key in NOT_CONTENT {
            object.remove(key);
        }
    }
    without_sources(&mut content);
    Ok(blake3::hash(serde_json::to_string(&content)?.as_bytes())
        .to_hex()
        .to_string())
}

/// Offsets in the page are provenance too: a longer menu above the text must not count as a change of the text.
pub fn without_sources(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(object) => {
            object.remove("src");
            if object.contains_key("number") && object.contains_key("issuer") {
                object.remove("chars");
            }
            object.values_mut().for_each(without_sources);
        }
        serde_json::Value::Array(items) => items.iter_mut().for_each(without_sources),
        _ => {}
    }
}
