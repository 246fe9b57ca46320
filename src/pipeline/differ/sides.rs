//! One side of a diff: where its documents are, in the order of their ids.

use super::super::output::Layout;
use super::{DiffError, rehashed};
use crate::diff::imprint;
use crate::document::{CaptureId, Document, DocumentId, SCHEMA};
use crate::ledger::{Held, Ledger, RunRow, Standing};
use fs_err as fs;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

/// Longest line of `documents.jsonl`, and largest file of a document, in bytes.
const MAX_DOCUMENT: u64 = 256 << 20;

/// Rows of the ledger that are read at once.
const ROWS: usize = 1000;

/// What a side is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SideKind {
    /// What a run had.
    Run,
    /// Files.
    Folder,
    /// What the new CMS shows.
    Cms,
}

/// A side, for people and JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SideName {
    /// What it is.
    pub kind: SideKind,
    /// Id of the run, path of the folder, name of the target.
    pub name: String,
    /// When the run began (milliseconds since 1970).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// What the marks of a side say. Equal marks of one kind: equal documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Marks {
    /// Hash of the line.
    Line,
    /// Hash of the file.
    File,
    /// The imprint.
    Imprint,
}

/// What is kept of a document.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub id: DocumentId,
    pub mark: [u8; 16],
    /// Offset of the line, number of the collection, number of the text in the ledger.
    at: u64,
    /// Bytes of the line.
    length: u32,
    /// Only a run says it.
    pub standing: Option<Standing>,
}

enum Source {
    Lines { file: fs::File, path: PathBuf },
    Files { collections: Vec<PathBuf> },
    Run(Ledger),
}

/// One side.
pub struct Side {
    /// What it is called.
    pub name: SideName,
    /// Its site; nothing if it is empty.
    pub site: Option<String>,
    pub(super) entries: Vec<Entry>,
    pub(super) marks: Marks,
    source: Source,
}

/// The first 16 bytes of a hash: enough to know a document by.
pub(super) fn mark(hash: &[u8; 32]) -> [u8; 16] {
    let mut mark = [0; 16];
    mark.copy_from_slice(&hash[..16]);
    mark
}

/// What is read of each document: enough to know that it is one, whole, and which.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow)]
    schema: Cow<'a, str>,
    id: DocumentId,
    #[serde(borrow)]
    site: Cow<'a, str>,
}

/// Collects what is kept of the documents of files.
#[derive(Default)]
struct Index {
    site: Option<String>,
    entries: Vec<Entry>,
}

impl Index {
    fn take(&mut self, json: &[u8], (at, length): (u64, u32)) -> Result<DocumentId, String> {
        let head: Head<'_> = serde_json::from_slice(json).map_err(|e| {
            if e.is_eof() {
                format!("it is cut off: {e}")
            } else {
                format!("it is no document: {e}")
            }
        })?;
        if head.schema != SCHEMA {
            return Err(format!(
                "it has schema `{}`; this program reads `{SCHEMA}`",
                head.schema
            ));
        }
        match &self.site {
            None => self.site = Some(head.site.into_owned()),
            Some(site) if *site != head.site => {
                return Err(format!(
                    "it is of site `{}`, those before it of `{site}`",
                    head.site
                ));
            }
            Some(_) => {}
        }
        self.entries.push(Entry {
            id: head.id,
            mark: mark(blake3::hash(json).as_bytes()),
            at,
            length,
            standing: None,
        });
        Ok(head.id)
    }

    /// In the order of the ids, each once.
    fn sorted(mut self, path: &Path) -> Result<Self, DiffError> {
        self.entries.sort_unstable_by_key(|e| (e.id, e.at));
        match self.entries.windows(2).find(|w| w[0].id == w[1].id) {
            Some(twice) => Err(DiffError::Document {
                path: path.to_owned(),
                place: String::new(),
                why: format!("document {} stands in it twice", twice[0].id),
            }),
            None => Ok(self),
        }
    }
}

impl Side {
    /// The documents of a site's output folder, of its folder `documents`, or of a file with one document a line.
    ///
    /// # Errors
    /// [`DiffError`] when there are none, or one of them is none.
    pub fn folder(path: &Path) -> Result<Self, DiffError> {
        let none = |why: &str| DiffError::NoDocuments {
            path: path.to_owned(),
            why: why.into(),
        };
        let name = SideName {
            kind: SideKind::Folder,
            name: path.display().to_string(),
            at: None,
        };
        if !path.exists() {
            return Err(none("there is nothing of this name"));
        }
        let lines = path.join("documents.jsonl");
        if path.is_file() || lines.is_file() {
            return Self::lines(if path.is_file() { path.to_owned() } else { lines }, name);
        }
        let below = path.join("documents");
        let root = if below.is_dir() { below } else { path.to_owned() };
        let side = Self::files(&root, name)?;
        if side.entries.is_empty() {
            return Err(none(
                "neither a file `documents.jsonl` nor `documents/<collection>/<id>.json`",
            ));
        }
        Ok(side)
    }

    fn lines(path: PathBuf, name: SideName) -> Result<Self, DiffError> {
        let mut index = Index::default();
        let mut reader = BufReader::with_capacity(1 << 20, fs::File::open(&path)?);
        let (mut line, mut at, mut number) = (Vec::new(), 0_u64, 0_u64);
        loop {
            line.clear();
            let read = reader
                .by_ref()
                .take(MAX_DOCUMENT + 1)
                .read_until(b'\n', &mut line)? as u64;
            if read == 0 {
                break;
            }
            number += 1;
            let wrong = |why: String| DiffError::Document {
                path: path.clone(),
                place: format!(", line {number}"),
                why,
            };
            if read > MAX_DOCUMENT {
                return Err(wrong(format!("it has more than {MAX_DOCUMENT} bytes")));
            }
            let json = line.strip_suffix(b"\n").unwrap_or(&line);
            let length = u32::try_from(json.len()).unwrap_or(u32::MAX);
            index.take(json, (at, length)).map_err(wrong)?;
            at += read;
        }
        let index = index.sorted(&path)?;
        let file = reader.into_inner();
        Ok(Self {
            name,
            site: index.site,
            entries: index.entries,
            marks: Marks::Line,
            source: Source::Lines { file, path },
        })
    }

    fn files(root: &Path, name: SideName) -> Result<Self, DiffError> {
        let mut index = Index::default();
        let mut collections = Vec::new();
        let listed = |folder: &Path| -> std::io::Result<Vec<PathBuf>> {
            let all = fs::read_dir(folder)?.map(|e| e.map(|e| e.path()));
            let mut all = all.collect::<std::io::Result<Vec<_>>>()?;
            all.sort();
            Ok(all)
        };
        for folder in listed(root)?.into_iter().filter(|p| p.is_dir()) {
            for path in listed(&folder)? {
                let stem = path.file_stem().and_then(|s| s.to_str());
                let Some(id) = stem.and_then(|s| s.parse::<DocumentId>().ok()) else {
                    continue;
                };
                let wrong = |why: String| DiffError::Document {
                    path: path.clone(),
                    place: String::new(),
                    why,
                };
                let json = read_file(&path)?;
                let at = collections.len() as u64;
                if index.take(&json, (at, 0)).map_err(wrong)? != id {
                    return Err(wrong("the document in it has another id than its name".into()));
                }
            }
            collections.push(folder);
        }
        let index = index.sorted(root)?;
        Ok(Self {
            name,
            site: index.site,
            entries: index.entries,
            marks: Marks::File,
            source: Source::Files { collections },
        })
    }

    /// What a run of a site had: its id, the beginning of it, `last`, `previous`.
    ///
    /// # Errors
    /// [`DiffError`] when there is no such run, or what it had is not known.
    pub fn run(site: &str, layout: &Layout, asked: &str) -> Result<Self, DiffError> {
        let ledger = Ledger::read(&layout.ledger())?;
        let (run, until) = find_run(&ledger, site, asked)?;
        let mut entries = Vec::new();
        let mut after = String::new();
        loop {
            let rows = ledger.documents_at(until, &after, ROWS)?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.id);
            for held in rows {
                let id = held.id.parse().map_err(|_| DiffError::NoHistory {
                    uid: run.uid.clone(),
                    why: format!("`{}` in its history is no document", held.id),
                })?;
                entries.push(Entry {
                    id,
                    mark: mark(held.imprint.as_bytes()),
                    at: held.body.cast_unsigned(),
                    length: 0,
                    standing: Some(held.standing),
                });
            }
        }
        // The ledger orders them by the text of their ids, which is the order of their bytes; to be sure:
        entries.sort_unstable_by_key(|e| e.id);
        Ok(Self {
            name: SideName {
                kind: SideKind::Run,
                name: run.uid,
                at: Some(run.started),
            },
            site: Some(site.to_owned()),
            entries,
            marks: Marks::Imprint,
            source: Source::Run(ledger),
        })
    }

    /// How many documents it has.
    #[must_use]
    pub fn documents(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn document(&mut self, entry: &Entry) -> Result<Document, DiffError> {
        match &mut self.source {
            Source::Lines { file, path } => {
                let mut json = vec![0; entry.length as usize];
                file.seek(SeekFrom::Start(entry.at))?;
                file.read_exact(&mut json)?;
                serde_json::from_slice(&json).map_err(|e| DiffError::Document {
                    place: format!(", line {}", line_at(path, entry.at).unwrap_or_default()),
                    path: path.clone(),
                    why: e.to_string(),
                })
            }
            Source::Files { collections } => {
                let folder = usize::try_from(entry.at).ok().and_then(|n| collections.get(n));
                let path = folder
                    .map(|f| f.join(format!("{}.json", entry.id)))
                    .unwrap_or_default();
                let json = read_file(&path)?;
                serde_json::from_slice(&json).map_err(|e| DiffError::Document {
                    path,
                    place: String::new(),
                    why: e.to_string(),
                })
            }
            Source::Run(ledger) => {
                let json = ledger.held_json(&Held {
                    id: entry.id.to_string(),
                    standing: Standing::There,
                    imprint: CaptureId::from_bytes([0; 32]),
                    body: entry.at.cast_signed(),
                })?;
                serde_json::from_slice(&json).map_err(|e| DiffError::NoHistory {
                    uid: self.name.name.clone(),
                    why: format!("document {} in its history cannot be read: {e}", entry.id),
                })
            }
        }
    }
}

/// The document of a folder, if the other side is a run: its imprint can be made without reading the run's.
pub(super) fn of_folder(
    old: &mut Side,
    a: &Entry,
    new: &mut Side,
    b: &Entry,
) -> Result<Option<Document>, DiffError> {
    match (old.marks == Marks::Imprint, new.marks == Marks::Imprint) {
        (true, false) => new.document(b).map(Some),
        (false, true) => old.document(a).map(Some),
        _ => Ok(None),
    }
}

/// The mark that a run would have for a document.
pub(super) fn imprint_mark(document: Document) -> [u8; 16] {
    mark(imprint(&rehashed(document)).as_bytes())
}

fn read_file(path: &Path) -> Result<Vec<u8>, DiffError> {
    let mut json = Vec::new();
    fs::File::open(path)?
        .take(MAX_DOCUMENT + 1)
        .read_to_end(&mut json)?;
    if json.len() as u64 > MAX_DOCUMENT {
        return Err(DiffError::Document {
            path: path.to_owned(),
            place: String::new(),
            why: format!("it has more than {MAX_DOCUMENT} bytes"),
        });
    }
    Ok(json)
}

/// Number of the line at an offset, from 1; only asked when something is wrong with it.
fn line_at(path: &Path, offset: u64) -> std::io::Result<u64> {
    let mut reader = BufReader::new(fs::File::open(path)?.take(offset));
    let mut number = 1;
    loop {
        let chunk = match reader.fill_buf() {
            Ok(chunk) => chunk,
            Err(e) if e.kind() == ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        if chunk.is_empty() {
            return Ok(number);
        }
        number += memchr::memchr_iter(b'\n', chunk).count() as u64;
        let read = chunk.len();
        reader.consume(read);
    }
}

/// The run that is meant, and the last one whose documents it had: what a run that extracts had is its own, what any other one
/// had is what stood when it ended (a sync extracts in a run of its own).
///
/// # Errors
/// [`DiffError`] when none or several are meant, or its documents are not known.
pub fn find_run(ledger: &Ledger, site: &str, asked: &str) -> Result<(RunRow, i64), DiffError> {
    let runs = ledger.runs()?;
    let extracted = |r: &&RunRow| r.command == "extract" && r.outcome.as_deref() == Some("done");
    let matching: Vec<&RunRow> = match asked {
        "last" => runs.iter().rev().filter(extracted).take(1).collect(),
        "previous" => runs.iter().rev().filter(extracted).skip(1).take(1).collect(),
        _ => runs.iter().filter(|r| r.uid.starts_with(asked)).collect(),
    };
    let [run] = matching[..] else {
        return Err(DiffError::NoRun {
            asked: asked.to_owned(),
            site: site.to_owned(),
            found: matching.len(),
        });
    };
    let unknown = |why: &str| DiffError::NoHistory {
        uid: run.uid.clone(),
        why: why.to_owned(),
    };
    let Some(finished) = run.finished else {
        return Err(unknown(
            "it goes on or was killed: its documents are neither those before nor those after",
        ));
    };
    if run.command == "extract" && run.outcome.as_deref() != Some("done") {
        return Err(unknown(
            "it failed: its documents are neither those before nor those after",
        ));
    }
    let until = if run.command == "extract" {
        run.id
    } else {
        let within = runs.iter().filter(|r| r.id >= run.id && r.started <= finished);
        within.map(|r| r.id).max().unwrap_or(run.id)
    };
    match ledger.history_begins()? {
        Some(first) if first <= until => Ok((run.clone(), until)),
        Some(_) => Err(unknown("it is from before the ledger kept what documents were")),
        None => Err(unknown(
            "the ledger does not know yet what documents were; the next extraction keeps it",
        )),
    }
}
