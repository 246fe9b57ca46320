//! The published JSON Schema.

use super::Document;

/// JSON Schema (2020-12) of the stored form.
#[must_use]
pub fn document_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Document).to_value();
    schema["$id"] = "urn:sangtrang:document/1".into();
    schema["properties"]["schema"] = serde_json::json!({ "const": super::SCHEMA });
    schema
}
