//! Documents -> files. They are read three times: their names, to sort them; what each needs, to know where everything will
//! be; and to be written. One document is in memory at a time.

use super::deliver::redirect_ledger;
use super::error::PipelineError;
use super::output::Layout;
use crate::deliver::files::{Exported, Exporter, Options};
use crate::deliver::{Mapper, Selection};
use crate::document::{Document, DocumentId};
use crate::mapping::Mapping;
use crate::mapping::model::{SlugForm, Target, TargetKind};
use serde::Deserialize;
use std::io::{self, BufRead as _, Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;
use std::rc::Rc;
use tokio_util::sync::CancellationToken;

/// What is asked for.
#[derive(Debug)]
pub struct ExportJob {
    /// Format and addresses.
    pub options: Options,
    /// The folder; one of the output folder's own if absent.
    pub folder: Option<PathBuf>,
    /// Rules for entries; those of the format if absent.
    pub target: Option<Target>,
    /// Documents that are exported.
    pub documents: Selection,
}

impl ExportJob {
    /// The rules of a target in the form that the format has bodies in. An address must not change because another document
    /// comes by, and an export remembers nothing, so slugs carry a key unless the target says otherwise.
    fn target(&self) -> Target {
        let format = self.options.format;
        let mut target = self.target.clone().unwrap_or_else(Target::bare);
        target.body = format.body();
        target.slug = target.slug.or(Some(SlugForm::TitleKey));
        if target.entry.is_empty() {
            // The rules of WordPress hold for any collection.
            target.kind = TargetKind::Wordpress;
        }
        target
    }
}

/// A document's line, and what it is sorted by.
struct Line {
    collection: Rc<str>,
    key: Box<str>,
    offset: u64,
    length: u32,
}

#[derive(Deserialize)]
struct Named {
    id: DocumentId,
    collection: String,
    source_key: String,
}

/// Writes all documents, or those that are asked for.
///
/// # Errors
/// When there are none yet, or something cannot be read or written.
pub fn export_site(
    mapping: &Mapping,
    layout: &Layout,
    job: &ExportJob,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64, u64),
) -> Result<Exported, PipelineError> {
    let path = layout.documents_jsonl();
    let file = match fs_err::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(PipelineError::NoDocuments { path });
        }
        Err(error) => return Err(error.into()),
    };
    // The open file stays what it is, even if an extraction puts another one in its place.
    let mut file = io::BufReader::new(file);
    let lines = sorted(&mut file, job, cancel)?;
    let mapper = Mapper::new(job.target(), mapping.timezone());
    let media = |id, mime: &str| layout.media(id, Some(mime));
    let mut exporter = Exporter::new(&mapper, &job.options, &media);
    let total = 2 * lines.len() as u64;
    let mut buffer = Vec::new();
    let mut done = 0;
    let mut next = |file: &mut io::BufReader<fs_err::File>, line: &Line| -> Result<Document, PipelineError> {
        if cancel.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        file.seek(SeekFrom::Start(line.offset))?;
        buffer.resize(line.length as usize, 0);
        file.read_exact(&mut buffer)?;
        done += 1;
        if done % 50 == 0 {
            progress(done, total);
        }
        Ok(serde_json::from_slice(&buffer).map_err(io::Error::from)?)
    };
    for line in &lines {
        exporter.learn(&next(&mut file, line)?);
    }
    let folder = match &job.folder {
        Some(folder) => folder.clone(),
        None => layout.export(job.options.format.as_str()),
    };
    let mut writing = exporter.begin(&folder)?;
    for line in &lines {
        writing.document(&next(&mut file, line)?)?;
    }
    let redirects = match job.options.format.is_inventory() {
        // As the ledger knows the target, if something was delivered to it.
        true => {
            let known = job.target.clone().unwrap_or_else(Target::bare);
            redirect_ledger(&known, layout, &[])?.all().collect()
        }
        false => Vec::new(),
    };
    Ok(writing.finish(&redirects)?)
}

/// The documents that are asked for, by collection and key.
fn sorted(
    file: &mut io::BufReader<fs_err::File>,
    job: &ExportJob,
    cancel: &CancellationToken,
) -> Result<Vec<Line>, PipelineError> {
    let mut lines: Vec<Line> = Vec::new();
    let (mut buffer, mut offset) = (Vec::new(), 0_u64);
    loop {
        if cancel.is_cancelled() {
            return Err(PipelineError::Interrupted);
        }
        buffer.clear();
        let length = file.read_until(b'\n', &mut buffer)?;
        if length == 0 {
            break;
        }
        let named: Named = serde_json::from_slice(&buffer).map_err(io::Error::from)?;
        if wanted(job, &named) {
            let known = lines.last().map(|l| l.collection.clone());
            let collection = known
                .filter(|c| **c == *named.collection)
                .unwrap_or_else(|| named.collection.as_str().into());
            lines.push(Line {
                collection,
                key: named.source_key.into(),
                offset,
                length: u32::try_from(length).map_err(io::Error::other)?,
            });
        }
        offset += length as u64;
    }
    lines.sort_by(|a, b| (&a.collection, &a.key, a.offset).cmp(&(&b.collection, &b.key, b.offset)));
    Ok(lines)
}

fn wanted(job: &ExportJob, named: &Named) -> bool {
    let key = format!("doc:{}", named.id);
    job.documents
        .has(&key, &named.collection, &named.source_key, None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::files::Format;

    #[test]
    fn a_bare_target_takes_every_collection() {
        let job = ExportJob {
            options: Options {
                format: Format::Hugo,
                site: "s".into(),
                title: "S".into(),
                language: "vi".into(),
                old: "http://old.example/".parse().unwrap(),
                base: None,
                media: None,
            },
            folder: None,
            target: None,
            documents: Selection::default(),
        };
        let mapper = Mapper::new(job.target(), jiff::tz::TimeZone::UTC);
        assert!(mapper.rule("anything").is_some());
        assert_eq!(mapper.target().body, Format::Hugo.body());
    }
}
