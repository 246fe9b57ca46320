//! The corridor: crawl, extract, store media, write. The only file that walks through more than one wing; read it first.

mod asked;
mod counting;
mod decisions;
mod deliver;
pub mod differ;
mod documents;
mod encodings;
mod error;
mod export;
mod fidelity;
mod filename;
mod gates;
mod gc;
mod impact;
mod learn;
mod lock;
mod output;
mod parts;
mod radius;
mod rebuild;
mod review;
mod sample;
mod store;
mod tables;
mod times;

pub use asked::{AskedPages, asked_pages};
pub use decisions::{doubt, remember_edits};
pub use deliver::{
    apply_plan, mapper, old_hosts, plan_delivery, probe_target, redirect_ledger, rollback_run, target_name,
    verify_run, verify_target,
};
pub use encodings::{Encodings, Suspect, Used, encodings};
pub use error::PipelineError;
pub use export::{ExportJob, export_site};
pub use fidelity::{FidelityJob, fidelity};
pub use gates::accept;
pub use gc::{Collected, collect_garbage};
pub use impact::{Impact, Told, What, impact, impact_schema};
pub use learn::{Health, Relearned, StoredModel, model_hash, relearn, store_model, stored_model};
pub use lock::{Owner, SiteLock};
pub use output::{AtomicFile, Layout, write_atomic};
pub use radius::Radius;
pub use rebuild::{LedgerCheck, check_ledger, rebuild_ledger};
pub use review::{Archived, archived_medium, archived_page, reshelve, stored_medium};
pub use sample::{Sampled, is_warc, sampled, site_of};
pub use times::{Rhythm, Times};

use crate::capture::{ArchiveReader, Capture};
use crate::crawl::{self, CrawlOptions, Store};
use crate::document::{CaptureId, Document, FetchProvenance};
use crate::extract::template::Learned;
use crate::extract::{self, Context, Extraction, Judging, StoredMedia};
use crate::ledger::{Ledger, Tally};
use crate::mapping::model::Collection;
use crate::mapping::{Mapping, PageUrl};
use crate::page::{self, Page};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::MediaStore;
use tokio_util::sync::CancellationToken;
use url::Url;

/// What goes on, for progress and `--json`.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// From the crawl.
    Crawl(crawl::Event),
    /// So far, from the extraction.
    Extract(&'a Tally),
}

/// Fetches and archives what the site has and the ledger does not, or reads it from the mapping's other sources.
///
/// # Errors
/// When the run cannot continue; what fails on one page is in the ledger.
pub async fn crawl_site(
    mapping: &Arc<Mapping>,
    layout: &Layout,
    options: CrawlOptions,
    on_event: impl Fn(crawl::Event) + Send + Sync + 'static,
) -> Result<crawl::Summary, PipelineError> {
    fs_err::create_dir_all(layout.root())?;
    Ok(crawl::run(mapping.clone(), &Store::new(layout.root()), options, on_event).await?)
}

/// Extracts all captured pages with `jobs` threads and writes documents and media. Offline: only archive and ledger
/// are read.
///
/// # Errors
/// When the ledger, the archive or the output cannot be used, or when cancelled; what fails on one page is in the tally.
pub fn extract_site(
    mapping: &Mapping,
    layout: &Layout,
    jobs: usize,
    at: jiff::Timestamp,
    cancel: &CancellationToken,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Tally, PipelineError> {
    let mut ledger = Ledger::open(&layout.ledger())?;
    output::remove_unfinished(layout.root())?;
    let learned = learn::learned(mapping, &ledger)?;
    let at = at.as_millisecond();
    let run = ledger.begin_run(&uuid::Uuid::now_v7().to_string(), "extract", mapping.hash(), at)?;
    // Until it is over, the documents are neither these nor those.
    ledger.set_fact(EXTRACTED, "")?;
    let from = extracted_from(mapping, learned.as_ref(), &ledger)?;
    let reading = documents::Reading {
        mapping,
        learned: learned.as_ref(),
        layout,
        jobs,
    };
    let result = documents::write_all(reading, &mut ledger, (run, at), cancel, &|tally| {
        on_event(Event::Extract(tally))
    });
    let (outcome, summary) = match &result {
        Ok(tally) => (
            "done",
            serde_json::to_string(tally).map_err(std::io::Error::other)?,
        ),
        Err(error) => (
            "failed",
            serde_json::json!({ "error": error.to_string() }).to_string(),
        ),
    };
    ledger.finish_run(
        run,
        outcome,
        &summary,
        crate::ledger::clock::now().as_millisecond(),
    )?;
    if result.is_ok() {
        ledger.set_fact(EXTRACTED, &from)?;
    }
    result
}

/// From what the documents that are there were made.
const EXTRACTED: &str = "extracted";

/// What an extraction would be made from now: the last answer that it could depend on, the mapping, this program.
fn extracted_from(
    mapping: &Mapping,
    learned: Option<&Learned>,
    ledger: &Ledger,
) -> Result<String, PipelineError> {
    Ok(format!(
        "{} {} {}",
        ledger.last_answer()?,
        makers(mapping, learned),
        gates::FORM
    ))
}

fn makers(mapping: &Mapping, learned: Option<&Learned>) -> String {
    let templates = learned.map_or("", Learned::hash);
    let text = format!("{} {} {templates}", mapping.hash(), env!("CARGO_PKG_VERSION"));
    text.trim_end().to_owned()
}

/// What documents are made with beside their pages: the mapping, what it asks of the learned templates, and this program.
///
/// # Errors
/// When the ledger cannot be read, or its templates are of another form.
pub fn made_by(mapping: &Mapping, ledger: &Ledger) -> Result<String, PipelineError> {
    Ok(makers(mapping, learn::learned(mapping, ledger)?.as_ref()))
}

/// The numbers of the last extraction, if another one would find the same: nothing was captured since, by the same mapping and
/// program.
///
/// # Errors
/// When the ledger cannot be read.
pub fn still_extracted(mapping: &Mapping, layout: &Layout) -> Result<Option<Tally>, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let learned = learn::learned(mapping, &ledger)?;
    let now = extracted_from(mapping, learned.as_ref(), &ledger)?;
    if ledger.meta(EXTRACTED)? != Some(now) || !layout.documents_jsonl().exists() {
        return Ok(None);
    }
    let last = ledger.last_run("extract", None)?;
    let tally: Option<Tally> = last
        .filter(|r| r.outcome.as_deref() == Some("done"))
        .and_then(|r| serde_json::from_str(&r.summary?).ok());
    let Some(mut tally) = tally else { return Ok(None) };
    (tally.changed, tally.added, tally.altered) = (0, 0, 0);
    // Something else may have been accepted since.
    gates::drift(mapping, &ledger, &mut tally)?;
    Ok(Some(tally))
}

/// What a mapping would make of the archive, against the documents that are there. Offline; writes no document.
///
/// # Errors
/// As [`extract_site`].
pub fn compare_site(
    mapping: &Mapping,
    layout: &Layout,
    jobs: usize,
    cancel: &CancellationToken,
    on_event: &dyn Fn(Event<'_>),
) -> Result<Radius, PipelineError> {
    let mut ledger = Ledger::open(&layout.ledger())?;
    let learned = learn::learned(mapping, &ledger)?;
    let reading = documents::Reading {
        mapping,
        learned: learned.as_ref(),
        layout,
        jobs,
    };
    documents::compare_all(reading, &mut ledger, cancel, &|tally| {
        on_event(Event::Extract(tally))
    })
}

/// One page, extracted and not written.
#[derive(Debug)]
pub struct Tried {
    /// How it was read.
    pub page: Page,
    /// Its collection.
    pub collection: String,
    /// Documents and accounting.
    pub extraction: Extraction,
}

/// Extracts one capture as `url`. Media stay unbound unless the site's ledger knows them.
///
/// # Errors
/// When the page cannot be read or belongs to no collection.
pub fn try_capture(
    mapping: &Mapping,
    capture: &Capture,
    url: &PageUrl,
    listing: &BTreeMap<String, String>,
    layout: &Layout,
) -> Result<Tried, PipelineError> {
    let page = page::read(capture, url, mapping)?;
    let (collection, extraction) = try_page(mapping, &page, capture, listing, layout)?;
    Ok(Tried {
        page,
        collection,
        extraction,
    })
}

/// The same for a page that was read already: id of its collection, documents and accounting.
///
/// # Errors
/// When it is no content by a reject rule or belongs to no collection.
pub fn try_page(
    mapping: &Mapping,
    page: &Page,
    capture: &Capture,
    listing: &BTreeMap<String, String>,
    layout: &Layout,
) -> Result<(String, Extraction), PipelineError> {
    let url = &page.url;
    if let Some(outcome) = crate::crawl::verdict::of_page(&mapping.rules().reject, url.as_str(), page) {
        return Err(PipelineError::Rejected {
            url: url.to_string(),
            class: outcome.class().to_owned(),
        });
    }
    let ledger = Ledger::read(&layout.ledger()).ok();
    let learned = ledger
        .as_ref()
        .map_or(Ok(None), |ledger| learn::learned(mapping, ledger))?;
    let collection = classify(mapping, page, learned.as_ref())
        .ok_or_else(|| PipelineError::NoCollection { url: url.to_string() })?;
    let known = ledger.as_ref().and_then(|l| l.page(&url.key()).ok().flatten());
    let mut fetch = known
        .as_ref()
        .map_or_else(FetchProvenance::default, |p| p.fetch.clone());
    if known.is_none() {
        fetch.requested = url.to_string();
        fetch.final_url = url.to_string();
        fetch.status = capture.status;
        fetch.capture = Some(CaptureId::of(&capture.body));
    }
    let (mut all_listing, mut discovered, mut aliases) = (BTreeMap::new(), Vec::new(), Vec::new());
    if let (Some(ledger), Some(known)) = (&ledger, &known) {
        all_listing = ledger.listing(known.id)?;
        discovered = ledger.discovered(known.id)?;
        aliases = ledger.aliases(known.id)?;
    }
    all_listing.extend(listing.iter().map(|(k, v)| (k.clone(), v.clone())));
    let context = Context {
        mapping,
        learned: learned.as_ref(),
        listing: &all_listing,
        discovered: &discovered,
        aliases: &aliases,
        fetch: &fetch,
    };
    let (parts, absent) = parts::collect(mapping, collection, page, &mut |url| {
        archived(mapping, url, layout).map_err(|e| e.to_string())
    });
    let mut extraction = extract::extract_parts(page, &parts, &absent, collection, &context)?;
    let at = known.as_ref().map(|p| p.at);
    let at = at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
    let judging = Judging::new(mapping, collection, at);
    let mut media = MediaStore::looking(mapping, layout);
    for document in &mut extraction.documents {
        if let Some(ledger) = &ledger {
            attach(ledger, &mut media, document)?;
        }
        extract::bind(document, &judging, &|_| None);
    }
    Ok((collection.id.clone(), extraction))
}

/// The capture of a URL that the site's archive holds.
///
/// # Errors
/// When the ledger or the archive cannot be read.
pub fn archived(mapping: &Mapping, url: &PageUrl, layout: &Layout) -> Result<Option<Capture>, PipelineError> {
    let Ok(ledger) = Ledger::read(&layout.ledger()) else {
        return Ok(None);
    };
    let Some(page) = ledger.page(&url.key())? else {
        return Ok(None);
    };
    let limit = mapping.rules().limits.page_bytes;
    Ok(Some(
        ArchiveReader::new(&layout.archive()).read(&documents::location(&page.place), limit)?,
    ))
}

/// The canonical URL that a person means by `text`, absolute or relative to the site.
///
/// # Errors
/// When it is no page of this site.
pub fn site_url(mapping: &Mapping, text: &str) -> Result<PageUrl, PipelineError> {
    let wrong = |reason: String| PipelineError::NotOfSite {
        url: text.to_owned(),
        reason,
    };
    let url = mapping
        .rules()
        .site
        .base
        .join(text)
        .map_err(|e| wrong(e.to_string()))?;
    mapping.canonical(&url).map_err(|e| wrong(e.to_string()))
}

/// The first collection whose conditions on URL and page all hold; else the first with an alarm whose address the page has,
/// if it says more than what all pages of the site say: an article of another layout is not lost for it.
#[must_use]
pub fn classify<'m>(mapping: &'m Mapping, page: &Page, learned: Option<&Learned>) -> Option<&'m Collection> {
    let location = &path_and_query(page.url.as_url());
    let fits = |c: &&Collection| {
        let css = c.matches.css.as_ref();
        css.is_none_or(|css| page.select(css).next().is_some())
    };
    let all = |rest: bool| {
        let collections = mapping.rules().collection.iter();
        collections.filter(move |c| c.matches.rest == rest && c.matches.fits_url(location))
    };
    let odd = || {
        let odd = all(false).find(|c| c.scope.alarm)?;
        let learned = learned?;
        let says = learned.unseen(learned.template(page)?, page, mapping) >= ODD_TEXT;
        (says && !learned.is_gone(page)).then_some(odd)
    };
    let rest = || {
        let gone = learned.is_some_and(|l| l.is_gone(page));
        all(true)
            .find(fits)
            .filter(|_| !gone && !mapping.is_list(&page.url))
    };
    all(false).find(fits).or_else(odd).or_else(rest)
}

/// Characters that no other page of its template shows and that lead nowhere, of a page without a container that is taken
/// for an article all the same; fewer are a message.
const ODD_TEXT: usize = 300;

/// Path and query: what URL patterns of a mapping look at.
fn path_and_query(url: &Url) -> String {
    match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    }
}

/// Makes attachments of links whose answers are files.
fn attach(ledger: &Ledger, media: &mut MediaStore<'_>, document: &mut Document) -> Result<(), PipelineError> {
    let mut failure = None;
    extract::attach(document, &mut |url| {
        media.is_file(ledger, url).unwrap_or_else(|error| {
            failure.get_or_insert(error);
            false
        })
    });
    failure.map_or(Ok(()), Err)
}

/// Binds the media tokens of a document to what the archive holds, storing files on first sight, and judges it. Its page was
/// captured at `at` (milliseconds since 1970).
fn bind(
    mapping: &Mapping,
    ledger: &Ledger,
    media: &mut MediaStore<'_>,
    inline: &BTreeMap<String, StoredMedia>,
    at: i64,
    document: &mut Document,
) -> Result<(), PipelineError> {
    let Some(collection) = mapping
        .rules()
        .collection
        .iter()
        .find(|c| c.id == document.collection)
    else {
        return Ok(());
    };
    attach(ledger, media, document)?;
    // The extractor is pure and asks by a plain function; a failing ledger is told afterwards.
    let state = std::cell::RefCell::new((media, None));
    let judging = Judging::new(mapping, collection, jiff::Timestamp::from_millisecond(at).ok());
    extract::bind(document, &judging, &|url: &str| {
        if let Some(found) = inline.get(url) {
            return Some(found.clone());
        }
        let (media, failure) = &mut *state.borrow_mut();
        match media.get(ledger, url) {
            Ok(found) => found,
            Err(error) => {
                *failure = failure.take().or(Some(error));
                None
            }
        }
    });
    match state.into_inner().1 {
        Some(error) => Err(error),
        None => Ok(()),
    }
}
