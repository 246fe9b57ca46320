//! Archive -> documents, offline. Pages are extracted on several threads, a chunk at a time; binding, writing and
//! recording happen in order on the caller's thread, so the output does not depend on who was faster.

use super::counting::count;
use super::error::PipelineError;
use super::gates;
use super::output::{AtomicFile, Layout};
use super::radius::Radius;
use super::store::MediaStore;
use crate::capture::{ArchiveReader, Capture, Location};
use crate::crawl::revisit::{self, Found};
use crate::diff::imprint;
use crate::document::{Discovered, Document, DocumentId, canonical_json};
use crate::extract::template::Learned;
use crate::extract::{self, Context, Extraction};
use crate::ledger::{
    self, DocumentRow, Finding, Ledger, Place, PrintRow, Recorded, Shelved, Tally, UrlId, Visit,
};
use crate::mapping::{Mapping, PageUrl};
use crate::page::{self, Page, PageError};
use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead as _, Write as _};
use std::sync::Mutex;
use tokio_util::sync::CancellationToken;

/// Pages whose captures, trees and documents may be in memory at once, per thread.
const CHUNK_PER_JOB: usize = 8;

/// How one page came out.
pub(super) enum Read {
    Documents(Box<Extraction>),
    Ignored(String),
    Navigation,
    Unclassified,
    /// No page: a file of this type.
    File(String),
    Unreadable(String),
}

/// The parts of one extraction.
struct Writer<'a> {
    mapping: &'a Mapping,
    ledger: &'a mut Ledger,
    layout: &'a Layout,
    media: MediaStore<'a>,
    /// Where documents go; nowhere if they are only compared.
    lines: Option<AtomicFile>,
    radius: Radius,
    /// Visits whose content is known now.
    visits: Vec<(UrlId, Visit)>,
    /// The run that the documents are recorded for.
    run: i64,
    /// What people look for documents by.
    shelved: Vec<Shelved>,
    /// Fingerprints of the documents of this chunk.
    prints: Vec<PrintRow>,
    /// Documents of this extraction: an entry that stands on several lists is one document.
    seen: HashSet<DocumentId>,
    tally: Tally,
}

/// What all pages are read with.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub mapping: &'a Mapping,
    /// What was learned of the site's pages, if a rule asks for it.
    pub learned: Option<&'a Learned>,
    pub layout: &'a Layout,
    /// Threads.
    pub jobs: usize,
}

/// Extracts every captured page, binds media, writes documents, records them for a run that
/// began `at` (milliseconds since 1970).
pub(super) fn write_all(
    reading: Reading<'_>,
    ledger: &mut Ledger,
    (run, at): (i64, i64),
    cancel: &CancellationToken,
    progress: &dyn Fn(&Tally),
) -> Result<Tally, PipelineError> {
    let lines = AtomicFile::create(&reading.layout.documents_jsonl())?;
    let mut writer = Writer {
        mapping: reading.mapping,
        ledger,
        layout: reading.layout,
        media: MediaStore::new(reading.mapping, reading.layout),
        lines: Some(lines),
        radius: Radius::default(),
        visits: Vec::new(),
        run,
        shelved: Vec::new(),
        prints: Vec::new(),
        seen: HashSet::new(),
        tally: gates::tally(reading.mapping),
    };
    writer.all(reading, at, cancel, progress)?;
    if let Some(lines) = writer.lines {
        gates::judge(reading, writer.ledger, (run, at), lines, &mut writer.tally)?.commit()?;
    }
    writer.ledger.remove_unseen(run, &writer.seen, at)?;
    writer.tally.media_files = writer.media.files;
    writer.tally.media_bytes = writer.media.bytes;
    Ok(writer.tally)
}

/// Extracts every captured page and compares documents with those that are there. Only media are stored, under the names of
/// their content.
pub(super) fn compare_all(
    reading: Reading<'_>,
    ledger: &mut Ledger,
    cancel: &CancellationToken,
    progress: &dyn Fn(&Tally),
) -> Result<Radius, PipelineError> {
    let mut writer = Writer {
        mapping: reading.mapping,
        ledger,
        layout: reading.layout,
        media: MediaStore::new(reading.mapping, reading.layout),
        lines: None,
        radius: Radius::default(),
        visits: Vec::new(),
        run: 0,
        shelved: Vec::new(),
        prints: Vec::new(),
        seen: HashSet::new(),
        tally: Tally::default(),
    };
    writer.all(reading, 0, cancel, progress)?;
    let mut radius = writer.radius;
    let file = match fs_err::File::open(reading.layout.documents_jsonl()) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(radius),
        Err(error) => return Err(error.into()),
    };
    for line in std::io::BufReader::new(file).lines() {
        let there: There = serde_json::from_str(&line?).map_err(std::io::Error::other)?;
        radius.documents += 1;
        if !writer.seen.contains(&there.id) {
            radius.lose(&there.collection, &there.source_key);
        }
    }
    Ok(radius)
}

/// What is read of a document that is there.
#[derive(serde::Deserialize)]
struct There {
    id: DocumentId,
    collection: String,
    source_key: String,
}

/// A captured page with everything that the ledger knows of it.
pub(super) struct Known {
    pub(super) page: ledger::Page,
    listing: BTreeMap<String, String>,
    discovered: Vec<Discovered>,
    aliases: Vec<String>,
}

impl Known {
    pub(super) fn load(ledger: &Ledger, page: ledger::Page) -> Result<Self, PipelineError> {
        Ok(Self {
            listing: ledger.listing(page.id)?,
            discovered: ledger.discovered(page.id)?,
            aliases: ledger.aliases(page.id)?,
            page,
        })
    }
}

/// The archive's word for a place that the ledger remembers.
pub(super) fn location(place: &Place) -> Location {
    Location {
        file: place.file.clone(),
        offset: place.offset,
        length: place.length,
    }
}

fn read_chunk(reading: Reading<'_>, ledger: &mut Ledger, pages: &[Known]) -> Vec<Read> {
    // Only documents on several pages ask for pages that are not in the chunk.
    let ledger = &Mutex::new(ledger);
    let read = |archive: &mut ArchiveReader, page: &Known| read_page(reading, ledger, archive, page);
    on_threads(reading, pages, read, Read::Unreadable)
}

/// Reads pages on the threads of `reading`, in their order. A panic of one page's thread must not take the run with it; what
/// `failed` makes of it is a finding of these pages.
pub(super) fn on_threads<T: Send>(
    reading: Reading<'_>,
    pages: &[Known],
    read: impl Fn(&mut ArchiveReader, &Known) -> T + Copy + Send,
    failed: impl Fn(String) -> T,
) -> Vec<T> {
    let share = pages.len().div_ceil(reading.jobs).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = pages
            .chunks(share)
            .map(|chunk| {
                scope.spawn(move || {
                    let mut archive = ArchiveReader::new(&reading.layout.archive());
                    chunk
                        .iter()
                        .map(|page| read(&mut archive, page))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let told = || failed("the extractor panicked on this page or a neighbour".into());
        workers
            .into_iter()
            .zip(pages.chunks(share))
            .flat_map(|(worker, chunk)| {
                worker
                    .join()
                    .unwrap_or_else(|_| chunk.iter().map(|_| told()).collect())
            })
            .collect()
    })
}

fn read_page(
    reading: Reading<'_>,
    ledger: &Mutex<&mut Ledger>,
    archive: &mut ArchiveReader,
    known: &Known,
) -> Read {
    let limit = reading.mapping.rules().limits.page_bytes;
    match archive.read(&location(&known.page.place), limit) {
        Ok(capture) => read_capture(reading, ledger, archive, known, &capture),
        Err(error) => Read::Unreadable(error.to_string()),
    }
}

/// What a mapping makes of a capture that is there already.
pub(super) fn read_capture(
    reading: Reading<'_>,
    ledger: &Mutex<&mut Ledger>,
    archive: &mut ArchiveReader,
    known: &Known,
    capture: &Capture,
) -> Read {
    let mapping = reading.mapping;
    let limit = mapping.rules().limits.page_bytes;
    let url = match canonical(mapping, &known.page.url) {
        Ok(url) => url,
        Err(note) => return Read::Unreadable(note),
    };
    let mut load = |url: &PageUrl| {
        // A panic of another thread leaves the ledger as it was: it is only read here.
        let ledger = ledger.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let page = ledger.page(&url.key()).map_err(|e| e.to_string())?;
        drop(ledger);
        let capture = page.map(|page| archive.read(&location(&page.place), limit));
        capture.transpose().map_err(|e| e.to_string())
    };
    if let Some((first, _)) = mapping.part(&url) {
        return match load(&first) {
            Ok(Some(_)) => Read::Ignored("part of a document".into()),
            Ok(None) => Read::Unreadable(format!("it goes on from {first}, which is not captured")),
            Err(error) => Read::Unreadable(error),
        };
    }
    extract_capture(reading, capture, &url, known, &mut load)
}

fn extract_capture(
    reading: Reading<'_>,
    capture: &Capture,
    url: &PageUrl,
    known: &Known,
    load: &mut dyn FnMut(&PageUrl) -> Result<Option<Capture>, String>,
) -> Read {
    let mapping = reading.mapping;
    let page = match page::read(capture, url, mapping) {
        Ok(page) => page,
        Err(PageError::File { kind, .. }) => {
            return ignored(mapping, url, None).map_or(Read::File(kind), Read::Ignored);
        }
        Err(error) => return Read::Unreadable(error.to_string()),
    };
    if let Some(rule) = ignored(mapping, url, Some(&page)) {
        return Read::Ignored(rule);
    }
    let Some(collection) = super::classify(mapping, &page, reading.learned) else {
        return outside(mapping, &page);
    };
    let fetch = known.page.fetch.clone().with_notes(&capture.notes);
    let context = Context {
        mapping,
        learned: reading.learned,
        listing: &known.listing,
        discovered: &known.discovered,
        aliases: &known.aliases,
        fetch: &fetch,
    };
    let (parts, absent) = super::parts::collect(mapping, collection, &page, load);
    match extract::extract_parts(&page, &parts, &absent, collection, &context) {
        Ok(extraction) => Read::Documents(Box::new(extraction)),
        Err(error) => Read::Unreadable(error.to_string()),
    }
}

/// The rule by which a page is no document on purpose; a file has nothing but its address for it.
fn ignored(mapping: &Mapping, url: &PageUrl, page: Option<&Page>) -> Option<String> {
    let rule = mapping.rules().ignore.iter().find(|rule| {
        rule.url.as_ref().is_none_or(|p| p.regex().is_match(url.as_str()))
            && rule
                .css
                .as_ref()
                .is_none_or(|css| page.is_some_and(|page| page.select(css).next().is_some()))
    })?;
    Some(rule.id.clone())
}

/// A page that belongs to no collection: a list, or one that no rule knows.
fn outside(mapping: &Mapping, page: &Page) -> Read {
    if mapping.is_list(&page.url) {
        Read::Navigation
    } else {
        Read::Unclassified
    }
}

fn canonical(mapping: &Mapping, url: &str) -> Result<PageUrl, String> {
    let parsed = url::Url::parse(url).map_err(|e| format!("`{url}` is not a URL: {e}"))?;
    mapping.canonical(&parsed).map_err(|e| e.to_string())
}

/// State of an extracted document, as the ledger names it.
pub(super) fn state(document: &Document) -> &'static str {
    if document.quality.failed() {
        "gated"
    } else {
        "extracted"
    }
}

impl Writer<'_> {
    fn all(
        &mut self,
        reading: Reading<'_>,
        at: i64,
        cancel: &CancellationToken,
        progress: &dyn Fn(&Tally),
    ) -> Result<(), PipelineError> {
        let mut after = String::new();
        loop {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            let pages = self.ledger.pages(&after, reading.jobs * CHUNK_PER_JOB)?;
            let Some(last) = pages.last() else { return Ok(()) };
            after.clone_from(&last.url);
            let known = pages
                .into_iter()
                .map(|p| Known::load(self.ledger, p))
                .collect::<Result<Vec<_>, _>>()?;
            let results = read_chunk(reading, self.ledger, &known);
            let mut rows = Vec::new();
            for (page, result) in known.iter().zip(results) {
                self.settle(page, result, &mut rows)?;
            }
            if self.lines.is_some() {
                self.ledger.record_documents(self.run, &rows, at)?;
                self.ledger.shelve(&std::mem::take(&mut self.shelved))?;
                self.ledger
                    .record_prints(self.run, &std::mem::take(&mut self.prints))?;
                self.ledger.set_visits(&std::mem::take(&mut self.visits))?;
            }
            progress(&self.tally);
        }
    }

    /// A page whose bytes had changed: did its content? Then it is asked for again sooner, else later.
    fn judge(&mut self, known: &Known, changed: bool) -> Result<(), PipelineError> {
        let Some(visit) = self.ledger.visit(known.page.id)?.filter(|v| v.open) else {
            return Ok(());
        };
        let url = &known.page.url;
        let found = if changed { Found::Changed } else { Found::Same };
        let bounds = revisit::bounds(self.mapping, url, false);
        let next = revisit::next(Some(visit), found, bounds, visit.at, revisit::spread(url));
        self.visits.push((known.page.id, next));
        Ok(())
    }

    fn settle(&mut self, known: &Known, result: Read, rows: &mut Vec<Recorded>) -> Result<(), PipelineError> {
        let url = || known.page.url.clone();
        self.tally.pages += 1;
        let before = self.tally.altered;
        match result {
            Read::Documents(extraction) => {
                self.tally.document_pages += 1;
                self.write(known, *extraction, rows)?;
            }
            Read::Ignored(rule) => *self.tally.ignored.entry(rule).or_default() += 1,
            Read::Navigation => self.tally.navigation += 1,
            Read::Unclassified => self.tally.unclassified.push(url()),
            Read::File(kind) => self.tally.files.push(Finding {
                url: url(),
                class: "file".into(),
                note: kind,
            }),
            Read::Unreadable(note) => {
                self.tally.unreadable.push(Finding {
                    url: url(),
                    class: "unreadable".into(),
                    note,
                });
            }
        }
        self.judge(known, self.tally.altered > before)
    }

    fn write(
        &mut self,
        known: &Known,
        extraction: Extraction,
        rows: &mut Vec<Recorded>,
    ) -> Result<(), PipelineError> {
        let inline = self.media.inline(&extraction.inline_media)?;
        for mut document in extraction.documents {
            if !self.seen.insert(document.id) {
                self.tally.duplicates += 1;
                continue;
            }
            super::bind(
                self.mapping,
                self.ledger,
                &mut self.media,
                &inline,
                known.page.at,
                &mut document,
            )?;
            let Some(lines) = &mut self.lines else {
                let before = self.layout.read_document(&document.collection, &document.id)?;
                self.radius.compare(before.as_ref(), &document);
                continue;
            };
            count(&mut self.tally, &document, &known.page.url);
            self.prints.push(gates::print(self.mapping, &document));
            let carried = self.ledger.judged(&document.id, false)?;
            document.quality.gates.extend(carried.iter().map(gates::told));
            serde_json::to_writer(&mut *lines, &document).map_err(std::io::Error::other)?;
            lines.write_all(b"\n")?;
            match self.ledger.document(&document.id)? {
                None => self.tally.added += 1,
                Some(before) => self.tally.altered += u64::from(before.content != document.revision),
            }
            let json = canonical_json(&document).map_err(std::io::Error::other)?;
            self.tally.changed += u64::from(self.layout.write_document(&document, &json)?);
            super::tables::write(self.layout, &document)?;
            self.shelved.push(super::review::shelved(&document));
            let row = DocumentRow {
                id: document.id,
                collection: document.collection.clone(),
                source_key: document.source_key.clone(),
                url: Some(known.page.id),
                state: state(&document).into(),
                capture: document.provenance.fetch.capture,
                content: document.revision.clone(),
                mapping: self.mapping.hash(),
                gates: gates::as_json(&document)?,
            };
            rows.push(Recorded {
                row,
                imprint: imprint(&document),
                json,
            });
        }
        Ok(())
    }
}
