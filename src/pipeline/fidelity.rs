//! What a browser shows of archived pages and of their documents. Neither the kept nor the dropped spans of an extraction are
//! read: pages come from the archive, documents are rendered as they are delivered (or asked of the CMS), and only the texts
//! that Chromium shows are compared.

use super::deliver::target_name;
use super::documents::location;
use super::error::PipelineError;
use super::output::Layout;
use crate::browser::{Served, View};
use crate::capture::ArchiveReader;
use crate::deliver::render;
use crate::diff::{Fidelity, Frame, PageFidelity, ShownLine, shown};
use crate::document::{Dates, Decode, Document};
use crate::ledger::{DeliveryState, Kind, Ledger};
use crate::mapping::model::Target;
use crate::mapping::{Mapping, PageUrl};
use crate::net::{self, BodyLimits, Client, read_body};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Pages of a template that are shown at least, so that its frame is known.
const FRAME: usize = 8;
/// Templates at most.
const TEMPLATES: usize = 200;
/// Longest page of a CMS, in bytes.
const LONGEST: usize = 16 << 20;
/// Longest time for one, and for its head.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is asked for.
#[derive(Debug)]
pub struct FidelityJob {
    /// Pages that are compared.
    pub pages: usize,
    /// What decides which.
    pub seed: u64,
    /// The browser; looked for in the usual places if absent.
    pub browser: Option<PathBuf>,
    /// Compare with the pages that this target gives, where a document is live and its page answers.
    pub target: Option<Target>,
}

/// What is read of a document to choose its page.
#[derive(Deserialize)]
struct Choice {
    collection: String,
    provenance: From,
}

#[derive(Deserialize)]
struct From {
    fetch: Asked,
    learned: Option<Learned>,
}

#[derive(Deserialize)]
struct Asked {
    requested: String,
}

#[derive(Deserialize)]
struct Learned {
    template: String,
}

/// Pages of one template by rank: the lowest are chosen.
type Group = BTreeMap<u64, String>;

/// Shows pages and documents in Chromium and compares their texts.
///
/// # Errors
/// When there is no browser, ledger, archive or documents cannot be read, or when cancelled; what fails on one page is told of it.
pub async fn fidelity(
    mapping: &Mapping,
    layout: &Layout,
    job: &FidelityJob,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64, u64),
) -> Result<Fidelity, PipelineError> {
    // Without a browser nothing is read.
    let view = View::start(job.browser.as_deref()).await?;
    let groups = groups(layout, job)?;
    let shares = shares(&groups, job.pages);
    let cms = match &job.target {
        Some(target) => Some(Cms::new(target)?),
        None => None,
    };
    let browser = view.version().to_owned();
    let mut looker = Looker {
        mapping,
        layout,
        ledger: Ledger::read(&layout.ledger())?,
        archive: ArchiveReader::new(&layout.archive()),
        view,
        cms,
    };
    let total: usize = groups.values().map(|group| group.len()).sum();
    let (mut pages, mut done) = (Vec::new(), 0);
    for (group, share) in groups.values().zip(shares) {
        let mut frame = Frame::default();
        let mut chosen = Vec::new();
        for (at, url) in group.values().enumerate() {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            let looked = looker.page(url).await?;
            if let Ok(lines) = &looked.lines {
                frame.learn(lines);
            }
            if at < share {
                chosen.push(looked);
            }
            done += 1;
            progress(done, total as u64);
        }
        for looked in chosen {
            pages.push(looker.compare(looked, &frame).await?);
        }
    }
    Ok(Fidelity::of(browser, job.seed, pages))
}

/// The pages of each template that are shown, by their rank.
fn groups(layout: &Layout, job: &FidelityJob) -> Result<BTreeMap<(String, String), Group>, PipelineError> {
    let path = layout.documents_jsonl();
    let file = match fs_err::File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(PipelineError::NoDocuments { path });
        }
        Err(error) => return Err(error.into()),
    };
    let mut groups: BTreeMap<(String, String), Group> = BTreeMap::new();
    let most = job.pages.max(FRAME);
    for line in std::io::BufReader::new(file).lines() {
        let choice: Choice = serde_json::from_str(&line?).map_err(std::io::Error::from)?;
        let template = choice.provenance.learned.map(|l| l.template).unwrap_or_default();
        let name = (choice.collection, template);
        if groups.len() >= TEMPLATES && !groups.contains_key(&name) {
            continue;
        }
        let url = choice.provenance.fetch.requested;
        let hash = blake3::hash(format!("{} {url}", job.seed).as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&hash.as_bytes()[..8]);
        let group = groups.entry(name).or_default();
        group.insert(u64::from_be_bytes(first), url);
        if group.len() > most {
            group.pop_last();
        }
    }
    let shares = shares(&groups, job.pages);
    for (group, share) in groups.values_mut().zip(shares) {
        while group.len() > share.max(FRAME) {
            group.pop_last();
        }
    }
    Ok(groups)
}

/// How many pages of each template are compared: one of each, then another one of each, until `pages` are there.
fn shares(groups: &BTreeMap<(String, String), Group>, pages: usize) -> Vec<usize> {
    let mut shares = vec![0; groups.len()];
    let mut left = pages;
    loop {
        let before = left;
        for (share, group) in shares.iter_mut().zip(groups.values()) {
            if left > 0 && *share < group.len() {
                *share += 1;
                left -= 1;
            }
        }
        if left == before || left == 0 {
            return shares;
        }
    }
}

/// A page that was shown.
struct Looked {
    url: String,
    documents: Vec<Document>,
    /// Its lines, or why there are none to compare.
    lines: Result<Vec<ShownLine>, String>,
}

struct Looker<'a> {
    mapping: &'a Mapping,
    layout: &'a Layout,
    ledger: Ledger,
    archive: ArchiveReader,
    view: View,
    cms: Option<Cms>,
}

impl Looker<'_> {
    async fn page(&mut self, url: &str) -> Result<Looked, PipelineError> {
        let page = super::site_url(self.mapping, url)?;
        let documents = self.documents(&page)?;
        let lines = match documents.iter().find_map(|d| unreadable(&d.provenance.decode)) {
            Some(why) => Err(why),
            None => self.lines(&page, &documents).await,
        };
        Ok(Looked {
            url: url.to_owned(),
            documents,
            lines,
        })
    }

    /// All documents of a page: what one does not show, another one may.
    fn documents(&self, page: &PageUrl) -> Result<Vec<Document>, PipelineError> {
        let Some(known) = self.ledger.page(&page.key())? else {
            return Ok(Vec::new());
        };
        let mut documents = Vec::new();
        for row in self.ledger.documents_of(known.id)? {
            documents.extend(self.layout.read_document(&row.collection, &row.id)?);
        }
        Ok(documents)
    }

    async fn lines(&mut self, page: &PageUrl, documents: &[Document]) -> Result<Vec<ShownLine>, String> {
        let mut parts: Vec<String> = documents
            .iter()
            .flat_map(|d| d.provenance.parts.iter().map(|p| p.url.clone()))
            .collect();
        if parts.is_empty() {
            parts.push(page.to_string());
        }
        let used = documents.first().map(|d| d.provenance.decode.used.clone());
        let mut lines = Vec::new();
        for part in parts {
            let part = super::site_url(self.mapping, &part).map_err(|e| e.to_string())?;
            let known = self.ledger.page(&part.key()).map_err(|e| e.to_string())?;
            let known = known.ok_or_else(|| format!("{part} is not in the archive"))?;
            let limit = self.mapping.rules().limits.page_bytes;
            let capture = self.archive.read(&location(&known.place), limit);
            let capture = capture.map_err(|e| e.to_string())?;
            let mime = match &used {
                Some(used) => format!("text/html; charset={used}"),
                None => "text/html".into(),
            };
            lines.extend(self.show(part.as_str(), &mime, &capture.body).await?);
        }
        Ok(lines)
    }

    async fn show(&mut self, url: &str, mime: &str, body: &[u8]) -> Result<Vec<ShownLine>, String> {
        let served = Served { url, mime, body };
        let (mapping, ledger, archive) = (self.mapping, &self.ledger, &self.archive);
        let limit = mapping.rules().limits.page_bytes;
        // A style sheet that was archived counts; one that was not shows the page as it is without.
        let mut sheet = |url: &str| {
            let url = super::site_url(mapping, url).ok()?;
            let medium = ledger.medium(&url.key()).ok().flatten()?;
            let capture = archive.read(&location(&medium.place?), limit).ok()?;
            Some(capture.body)
        };
        let lines = self.view.show(&served, &mut sheet).await;
        Ok(lines
            .map_err(|e| e.to_string())?
            .into_iter()
            .map(|line| ShownLine {
                text: line.text,
                linked: line.linked,
            })
            .collect())
    }

    async fn compare(&mut self, looked: Looked, frame: &Frame) -> Result<PageFidelity, PipelineError> {
        let first = looked.documents.first();
        let mut page = PageFidelity {
            url: looked.url,
            collection: first.map(|d| d.collection.clone()).unwrap_or_default(),
            files: looked
                .documents
                .iter()
                .map(|d| format!("documents/{}/{}.json", d.collection, d.id))
                .collect(),
            with: "document".into(),
            ..PageFidelity::default()
        };
        let lines = match looked.lines {
            Ok(lines) => lines,
            Err(why) => {
                page.not_compared = Some(why);
                return Ok(page);
            }
        };
        let mut delivered = None;
        if let Some((url, body)) = self.cms_page(&looked.documents).await? {
            delivered = self.show(&url, "text/html; charset=utf-8", &body).await.ok();
            page.with = url;
        }
        let delivered = match delivered {
            Some(lines) => Ok(lines),
            None => {
                page.with = "document".into();
                let html: String = looked.documents.iter().map(html).collect();
                let body = format!("<!doctype html><meta charset=utf-8><body>{html}");
                self.show(
                    "http://document.invalid/",
                    "text/html; charset=utf-8",
                    body.as_bytes(),
                )
                .await
            }
        };
        match delivered {
            Ok(delivered) => page.share = shown(&lines, frame, &delivered),
            Err(why) => page.not_compared = Some(why),
        }
        // Nothing is missing of nothing, which says nothing.
        if page.not_compared.is_none() && page.share.body_words == 0 {
            page.not_compared = Some("it has no words of its own".into());
        }
        Ok(page)
    }

    /// The page of the CMS, if there is one document of the page, it is live and its page answers.
    async fn cms_page(&self, documents: &[Document]) -> Result<Option<(String, Vec<u8>)>, PipelineError> {
        let (Some(cms), [document]) = (&self.cms, documents) else {
            return Ok(None);
        };
        let Some(row) = self.ledger.known_target(&cms.name)? else {
            return Ok(None);
        };
        let key = format!("doc:{}", document.id);
        let delivery = self.ledger.delivery(row, Kind::Document, &key)?;
        let url = delivery
            .filter(|d| d.state == DeliveryState::Live)
            .and_then(|d| d.url);
        let Some(url) = url.and_then(|u| url::Url::parse(&u).ok()) else {
            return Ok(None);
        };
        Ok(cms.get(&url).await.map(|body| (url.to_string(), body)))
    }
}

/// The public pages of a CMS.
struct Cms {
    name: String,
    client: Client,
}

impl Cms {
    fn new(target: &Target) -> Result<Self, PipelineError> {
        let client = net::client(&net::Options::default()).map_err(crate::crawl::CrawlError::from)?;
        Ok(Self {
            name: target_name(target),
            client,
        })
    }

    /// A page in UTF-8; nothing if it does not answer with one.
    async fn get(&self, url: &url::Url) -> Option<Vec<u8>> {
        let (method, headers) = (http::Method::GET, http::HeaderMap::new());
        let asked = self.client.request(method, url, headers, bytes::Bytes::new());
        let response = tokio::time::timeout(PATIENCE, asked).await.ok()?.ok()?;
        if response.status.as_u16() != 200 {
            return None;
        }
        let limits = BodyLimits {
            bytes: LONGEST as u64,
            deadline: Instant::now() + PATIENCE,
            rate: (0, Duration::from_secs(1)),
        };
        let (body, cut) = read_body(response, limits).await;
        (cut.is_none() && std::str::from_utf8(&body).is_ok()).then_some(body)
    }
}

/// Why a browser cannot read a page as it is to be read: legacy Vietnamese sets are shown by fonts, not by browsers.
fn unreadable(decode: &Decode) -> Option<String> {
    let plain = |name: &str| {
        let name = name.to_ascii_lowercase();
        ["utf-", "windows-", "iso-8859-", "us-ascii", "macintosh", "koi8"]
            .iter()
            .any(|start| name.starts_with(start))
    };
    let mut others = decode.blocks.iter().map(|b| b.used.as_str());
    let set = if plain(&decode.used) {
        others.find(|used| !plain(used) || !used.eq_ignore_ascii_case(&decode.used))
    } else {
        Some(decode.used.as_str())
    };
    if let Some(set) = set {
        return Some(format!("a browser does not read its text as {set}"));
    }
    let repair = decode.repairs.iter().find(|r| *r != "nfc")?;
    Some(format!("its text was repaired ({repair})"))
}

/// A document with all of its fields, its body as it is delivered.
fn html(document: &Document) -> String {
    let mut out = String::from("<article>");
    let mut field = |tag: &str, text: &str| {
        // Writing to a String cannot fail.
        let _ = write!(out, "<{tag}>{}</{tag}>", render::escape(text));
    };
    if let Some(title) = &document.title {
        field("h1", title);
    }
    if let Some(section) = &document.section {
        field("p", &section.path.join(" / "));
        field("p", &section.label);
    }
    let legal = document.legal.iter().flat_map(|l| {
        [
            &l.number,
            &l.kind,
            &l.issuer,
            &l.signer,
            &l.position,
            &l.area,
            &l.status,
        ]
    });
    let texts = [&document.summary, &document.source].into_iter().chain(legal);
    texts.flatten().for_each(|text| field("p", text));
    if let Some(byline) = &document.byline {
        field("p", &byline.raw);
    }
    let dates = Dates::ROLES.iter().filter_map(|role| document.dates.role(role));
    dates.for_each(|date| field("p", &date.raw));
    document.extra.values().for_each(|text| field("p", text));
    let mut blocks = document.body.clone();
    blocks.extend(render::trailing(document, false));
    out.push_str(&render::html(&blocks));
    out.push_str("</article>");
    out
}
