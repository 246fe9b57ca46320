//! The published JSON Schema of mapping files: generated from the types, so it cannot differ from the reader.

use super::model::MappingFile;

/// JSON Schema (2020-12) of a mapping file, for editors and for the reader's walker.
#[must_use]
pub fn mapping_schema() -> serde_json::Value {
    schemars::schema_for!(MappingFile).to_value()
}
