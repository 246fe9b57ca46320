//! Models between the learner, which is pure, and the ledger, which keeps them: stored, loaded, learned anew from the archive.

use super::documents::location;
use super::error::PipelineError;
use super::output::Layout;
use super::sample::Sampled;
use crate::capture::ArchiveReader;
use crate::extract::template::{self, Change, Extent, Learned, Model, Survey, VERSION};
use crate::ledger::{Ledger, ModelRow, TemplateRow};
use crate::mapping::Mapping;
use crate::mapping::model::Container;
use crate::page::{self, Page};
use std::collections::BTreeMap;
use tokio_util::sync::CancellationToken;

/// Pages that are asked of the ledger at a time.
const CHUNK: usize = 64;

/// Share of a sample that is left for the lists which name its articles.
const LISTS: usize = 3;

/// A model under the number and hash that it has in a ledger.
#[derive(Clone, Debug)]
pub struct StoredModel {
    /// Number of the version.
    pub version: u32,
    /// Hash of the model.
    pub hash: String,
    /// When it was stored, milliseconds since 1970.
    pub at: i64,
    /// The model.
    pub model: Model,
}

/// The newest model of a ledger.
///
/// # Errors
/// When the ledger cannot be read, or holds models in a form that this program does not know.
pub fn stored_model(ledger: &Ledger) -> Result<Option<StoredModel>, PipelineError> {
    let Some(row) = ledger.newest_model()? else {
        return Ok(None);
    };
    let unknown = |why: String| PipelineError::Model {
        path: ledger.path().to_owned(),
        why,
    };
    if row.form != VERSION {
        return Err(unknown(format!(
            "their form is {}, this program knows {VERSION}",
            row.form
        )));
    }
    let bad = |e: serde_json::Error| unknown(e.to_string());
    let templates = row.templates.iter().map(|t| serde_json::from_str(&t.body));
    Ok(Some(StoredModel {
        version: row.version,
        hash: row.hash,
        at: row.at,
        model: Model {
            version: row.form,
            pages: usize::try_from(row.pages).unwrap_or(usize::MAX),
            templates: templates.collect::<Result<_, _>>().map_err(bad)?,
            chrome: serde_json::from_str(&row.frame).map_err(bad)?,
        },
    }))
}

/// Hash of a model, the same wherever it is kept.
///
/// # Errors
/// When a number of it is not finite.
pub fn model_hash(model: &Model) -> Result<String, PipelineError> {
    let json = serde_json::to_vec(model).map_err(std::io::Error::other)?;
    Ok(blake3::hash(&json).to_hex().to_string())
}

/// Stores a model as the newest version and answers which; one that is stored already is not stored again.
///
/// # Errors
/// When the ledger cannot be written.
pub fn store_model(ledger: &mut Ledger, model: &Model, at: jiff::Timestamp) -> Result<u32, PipelineError> {
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let templates = model.templates.iter().map(|t| {
        Ok(TemplateRow {
            id: t.id.clone(),
            kind: t.kind.name().into(),
            pages: count(t.pages),
            body: serde_json::to_string(t).map_err(std::io::Error::other)?,
        })
    });
    let row = ModelRow {
        version: 0,
        at: at.as_millisecond(),
        hash: model_hash(model)?,
        form: model.version,
        pages: count(model.pages),
        frame: serde_json::to_string(&model.chrome).map_err(std::io::Error::other)?,
        templates: templates.collect::<Result<_, std::io::Error>>()?,
    };
    Ok(ledger.store_model(&row)?)
}

/// The stored models, ready to be asked, if a rule of the mapping asks for them.
///
/// # Errors
/// As [`stored_model`].
pub(super) fn learned(mapping: &Mapping, ledger: &Ledger) -> Result<Option<Learned>, PipelineError> {
    let asks = mapping.rules().collection.iter().any(|c| {
        let learned = |c: &Container| matches!(c, Container::Learned);
        c.scope.alarm || c.scope.container.iter().any(learned)
    });
    if !asks {
        return Ok(None);
    }
    let stored = stored_model(ledger)?;
    stored
        .map(|s| Learned::new(s.version, &s.hash, &s.model))
        .transpose()
        .map_err(|why| PipelineError::Model {
            path: ledger.path().to_owned(),
            why,
        })
}

/// Copies the models of a ledger that is about to be replaced into the new one, as far as the old one can be read: what
/// cannot be is learned anew from the archive.
pub(super) fn keep_models(old: &std::path::Path, new: &std::path::Path) -> Result<(), PipelineError> {
    let Ok(from) = Ledger::read(old) else {
        return Ok(());
    };
    let Ok(versions) = from.model_versions() else {
        return Ok(());
    };
    if versions.is_empty() {
        return Ok(());
    }
    let mut to = Ledger::open(new)?;
    for version in versions {
        if let Ok(Some(row)) = from.model(version) {
            to.add_model(&row)?;
        }
    }
    Ok(())
}

/// How the pages of a stored template do now.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Health {
    /// Pages of the archive that are of the template.
    pub pages: usize,
    /// Pages that are odd for it.
    pub odd: usize,
    /// When the first odd one was captured, milliseconds since 1970.
    pub since: Option<i64>,
    /// What is odd, and on how many pages.
    pub alarms: BTreeMap<String, usize>,
    /// One of the odd ones.
    pub example: Option<String>,
}

/// What the archive teaches now, beside what is stored.
#[derive(Debug)]
pub struct Relearned {
    /// As it would be stored.
    pub model: Model,
    /// As it is stored.
    pub stored: Option<StoredModel>,
    /// What differs.
    pub changes: Vec<Change>,
    /// How far each template of `model` reaches in the archive.
    pub extents: Vec<Extent>,
    /// How the stored templates of articles do, by name.
    pub health: BTreeMap<String, Health>,
    /// The pages that taught.
    pub sample: Vec<Sampled>,
    /// Pages of the archive that were looked at.
    pub pages: usize,
    /// Pages that were set aside as no content, by reject rule.
    pub rejected: BTreeMap<String, usize>,
}

/// Learns the site's templates anew from what its archive holds: all pages are looked at once, one by one; at most `most` of
/// them, which show all kinds, teach. `beside`: beside the stored models, which are not looked at otherwise. Offline, and the
/// same for the same archive. Stores nothing.
///
/// # Errors
/// When the ledger or the archive cannot be read, or when cancelled.
pub fn relearn(
    mapping: &Mapping,
    layout: &Layout,
    most: usize,
    beside: bool,
    cancel: &CancellationToken,
    on_page: &dyn Fn(usize),
) -> Result<Relearned, PipelineError> {
    let ledger = Ledger::read(&layout.ledger())?;
    let stored = if beside { stored_model(&ledger)? } else { None };
    let bad = |why| PipelineError::Model {
        path: ledger.path().to_owned(),
        why,
    };
    let judge = stored
        .as_ref()
        .map(|s| Learned::new(s.version, &s.hash, &s.model))
        .transpose()
        .map_err(bad)?;
    let mut survey = Survey::default();
    let mut health: BTreeMap<String, Health> = BTreeMap::new();
    let mut rejected: BTreeMap<String, usize> = BTreeMap::new();
    each_page(mapping, &ledger, layout, cancel, &mut |known, sampled| {
        let page = &sampled.page;
        let reject = crate::crawl::verdict::of_page(&mapping.rules().reject, page.url.as_str(), page);
        if let Some(outcome) = reject {
            *rejected.entry(outcome.class().to_owned()).or_default() += 1;
            return;
        }
        survey.add(page, known.at);
        on_page(survey.pages());
        if let Some(judge) = &judge {
            look(judge, page, mapping, known.at, &mut health);
        }
    })?;
    let sample = sample(mapping, &ledger, layout, &survey, most)?;
    let pages: Vec<&Page> = sample.iter().map(|s| &s.page).collect();
    let (mut model, of) = template::lesson(&pages, mapping);
    template::names(&mut model, stored.as_ref().map(|s| &s.model));
    let of: BTreeMap<String, usize> = pages
        .iter()
        .zip(of)
        .filter_map(|(p, at)| Some((p.url.as_str().to_owned(), at?)))
        .collect();
    let mut extents = survey.extents(model.templates.len(), &of);
    if let Some(stored) = &stored {
        template::carry(&mut model, &stored.model);
        extents.resize(model.templates.len(), Extent::default());
    }
    let empty = Model::default();
    let changes = template::changes(stored.as_ref().map_or(&empty, |s| &s.model), &model);
    Ok(Relearned {
        extents,
        changes,
        health,
        rejected,
        pages: survey.pages(),
        model,
        stored,
        sample,
    })
}

fn look(judge: &Learned, page: &Page, mapping: &Mapping, at: i64, health: &mut BTreeMap<String, Health>) {
    let location = page.url.path_and_query();
    let of = judge.template(page).filter(|r| r.is_of(location));
    let Some(ready) = of.filter(|_| !judge.is_gone(page)) else {
        return;
    };
    let entry = health.entry(ready.id().to_owned()).or_default();
    entry.pages += 1;
    let alarms = judge.alarms(page, mapping);
    if alarms.is_empty() {
        return;
    }
    entry.odd += 1;
    entry.since = Some(entry.since.map_or(at, |s| s.min(at)));
    entry.example.get_or_insert_with(|| page.url.as_str().to_owned());
    for alarm in alarms {
        *entry.alarms.entry(alarm.name().to_owned()).or_default() += 1;
    }
}

/// Calls `each` with every captured page of HTML, in the order of their addresses.
fn each_page(
    mapping: &Mapping,
    ledger: &Ledger,
    layout: &Layout,
    cancel: &CancellationToken,
    each: &mut dyn FnMut(&crate::ledger::Page, Sampled),
) -> Result<(), PipelineError> {
    let archive = ArchiveReader::new(&layout.archive());
    let mut after = String::new();
    loop {
        let pages = ledger.pages(&after, CHUNK)?;
        let Some(last) = pages.last() else { return Ok(()) };
        after.clone_from(&last.url);
        for known in &pages {
            if cancel.is_cancelled() {
                return Err(PipelineError::Interrupted);
            }
            if let Some(sampled) = read(mapping, &archive, known)? {
                each(known, sampled);
            }
        }
    }
}

/// A page as it was captured; `None` if it is no HTML or cannot be read, which `extract` reports.
pub(super) fn read(
    mapping: &Mapping,
    archive: &ArchiveReader,
    known: &crate::ledger::Page,
) -> Result<Option<Sampled>, PipelineError> {
    let limit = mapping.rules().limits.page_bytes;
    let capture = archive.read(&location(&known.place), limit)?;
    let url = super::site_url(mapping, &known.url)?;
    let html = capture
        .header("content-type")
        .is_none_or(|t| t.to_ascii_lowercase().contains("html"));
    let page = page::read(&capture, &url, mapping).ok().filter(|_| html);
    Ok(page.map(|page| Sampled { capture, page }))
}

/// Pages that show all kinds, and the lists that name them.
fn sample(
    mapping: &Mapping,
    ledger: &Ledger,
    layout: &Layout,
    survey: &Survey,
    most: usize,
) -> Result<Vec<Sampled>, PipelineError> {
    let archive = ArchiveReader::new(&layout.archive());
    let whole = survey.pages() <= most;
    let mut urls = survey.chosen(if whole { most } else { most - most / LISTS });
    if !whole {
        // What a list calls an article is its title: the lists that name most of the sample belong to it.
        let mut parents: BTreeMap<String, usize> = BTreeMap::new();
        for url in &urls {
            let key = super::site_url(mapping, url)?.key();
            let Some(known) = ledger.page(&key)? else { continue };
            for found in ledger.discovered(known.id)? {
                *parents.entry(found.parent).or_default() += 1;
            }
        }
        let mut parents: Vec<(String, usize)> = parents.into_iter().collect();
        parents.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let fresh: Vec<String> = parents
            .into_iter()
            .map(|p| p.0)
            .filter(|p| !urls.contains(p))
            .collect();
        urls.extend(fresh);
        urls.truncate(most);
    }
    urls.extend(mapping.start_urls().iter().map(|u| u.as_str().to_owned()));
    urls.sort_unstable();
    urls.dedup();
    let mut out = Vec::new();
    for url in urls {
        let Some(known) = ledger.page(&super::site_url(mapping, &url)?.key())? else {
            continue;
        };
        let Some(sampled) = read(mapping, &archive, &known)? else {
            continue;
        };
        let page = &sampled.page;
        if crate::crawl::verdict::of_page(&mapping.rules().reject, page.url.as_str(), page).is_none() {
            out.push(sampled);
        }
    }
    Ok(out)
}
