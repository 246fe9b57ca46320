//! What an export consists of: read and written row by row, because it has a row a file.

use super::ExportError;
use super::folder::{self, MANIFEST};
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;

/// Version of the manifest.
pub(super) const SCHEMA: &str = "export/1";
/// Most names that a check tells of a kind.
const TOLD: usize = 20;

/// Of what, in which format, and how much.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// `export/1`
    pub schema: String,
    /// Format.
    pub format: String,
    /// Site.
    pub site: String,
    /// Counts.
    pub summary: serde_json::Value,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// Below the folder of the export.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub blake3: String,
}

pub(super) fn write(
    out: &mut impl Write,
    head: &Head,
    rows: impl Iterator<Item = io::Result<Row>>,
) -> io::Result<()> {
    let head = serde_json::to_string(head).map_err(io::Error::from)?;
    // The last brace is the head's own.
    write!(out, "{},\"files\":[", head.strip_suffix('}').unwrap_or(&head))?;
    for (i, row) in rows.enumerate() {
        out.write_all(if i == 0 { b"\n" } else { b",\n" })?;
        serde_json::to_writer(&mut *out, &row?).map_err(io::Error::from)?;
    }
    out.write_all(b"\n]}\n")
}

/// Reads a manifest, giving each row away at once.
pub(super) fn read(path: &Path, each: &mut dyn FnMut(Row) -> io::Result<()>) -> io::Result<Head> {
    let reader = io::BufReader::new(fs_err::File::open(path)?);
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    let wrong = |e: serde_json::Error| {
        io::Error::other(format!("`{}` is no manifest of an export: {e}", path.display()))
    };
    let head = Whole(each).deserialize(&mut deserializer).map_err(wrong)?;
    if head.schema != SCHEMA {
        return Err(io::Error::other(format!(
            "`{}` is a manifest of version `{}`; this program knows `{SCHEMA}`",
            path.display(),
            head.schema
        )));
    }
    Ok(head)
}

struct Whole<'f>(&'f mut dyn FnMut(Row) -> io::Result<()>);
struct Rows<'f>(&'f mut dyn FnMut(Row) -> io::Result<()>);

impl<'de> DeserializeSeed<'de> for Whole<'_> {
    type Value = Head;
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<Head, D::Error> {
        d.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Whole<'_> {
    type Value = Head;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a manifest")
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Head, A::Error> {
        let mut head = Head::default();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "schema" => head.schema = map.next_value()?,
                "format" => head.format = map.next_value()?,
                "site" => head.site = map.next_value()?,
                "summary" => head.summary = map.next_value()?,
                "files" => map.next_value_seed(Rows(&mut *self.0))?,
                _ => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        Ok(head)
    }
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = ();
    fn deserialize<D: serde::Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of files")
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<(), A::Error> {
        while let Some(row) = rows.next_element()? {
            (self.0)(row).map_err(A::Error::custom)?;
        }
        Ok(())
    }
}

/// BLAKE3 of a file.
pub(super) fn hash_of(path: &Path) -> io::Result<blake3::Hash> {
    let mut file = fs_err::File::open(path)?;
    let mut hash = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hash.finalize()),
            n => hash.update(&buffer[..n]),
        };
    }
}

/// An export, looked at again.
#[derive(Clone, Debug, Serialize)]
pub struct Checked {
    /// What the manifest says.
    pub head: Head,
    /// Files that it names.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many of them are not there.
    pub missing: u64,
    /// How many have other bytes.
    pub changed: u64,
    /// Some of both.
    pub names: BTreeSet<String>,
}

/// Reads every file of an export again.
///
/// # Errors
/// When there is no finished export in the folder, or a file cannot be read.
pub fn check(root: &Path) -> Result<Checked, ExportError> {
    if folder::unfinished(root) {
        return Err(ExportError::Unfinished {
            path: root.to_owned(),
        });
    }
    if !root.join(MANIFEST).exists() {
        return Err(ExportError::Missing {
            path: root.to_owned(),
        });
    }
    let mut checked = Checked {
        head: Head::default(),
        files: 0,
        bytes: 0,
        missing: 0,
        changed: 0,
        names: BTreeSet::new(),
    };
    let head = read(&root.join(MANIFEST), &mut |row| {
        checked.files += 1;
        checked.bytes += row.bytes;
        let inside = Path::new(&row.path)
            .components()
            .all(|c| matches!(c, std::path::Component::Normal(_)));
        let path = root.join(&row.path);
        if !inside || !path.is_file() {
            checked.missing += 1;
        } else if fs_err::metadata(&path)?.len() != row.bytes
            || hash_of(&path)?.to_hex().as_str() != row.blake3
        {
            checked.changed += 1;
        } else {
            return Ok(());
        }
        if checked.names.len() < TOLD {
            checked.names.insert(row.path);
        }
        Ok(())
    })?;
    checked.head = head;
    Ok(checked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_reads_as_it_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.json");
        let head = Head {
            schema: SCHEMA.into(),
            format: "jsonl".into(),
            site: "s".into(),
            summary: serde_json::json!({ "documents": 2, "kept": { "links": 1 } }),
        };
        let rows: Vec<Row> = ["a", "b/c"]
            .map(|path| Row {
                path: path.into(),
                bytes: 3,
                blake3: "00".into(),
            })
            .to_vec();
        let mut bytes = Vec::new();
        write(&mut bytes, &head, rows.iter().cloned().map(Ok)).unwrap();
        std::fs::write(&path, &bytes).unwrap();
        let mut found = Vec::new();
        let read_head = read(&path, &mut |row| {
            found.push(row);
            Ok(())
        })
        .unwrap();
        assert_eq!((read_head, found), (head, rows));
        std::fs::write(
            &path,
            String::from_utf8(bytes).unwrap().replace("export/1", "export/2"),
        )
        .unwrap();
        assert!(
            read(&path, &mut |_| Ok(()))
                .unwrap_err()
                .to_string()
                .contains("export/2")
        );
    }
}
