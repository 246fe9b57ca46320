//! page -> document: scope, boilerplate, fields, blocks, tables, media, dates, citations, accounting, gates. Pure.
//! Never fetches, never looks at the clock: media stay tokens until [`bind`].

mod account;
mod amount;
mod anchor;
mod arrange;
pub mod auto;
mod bind;
mod block;
mod container;
mod field;
mod fingerprint;
mod frame;
mod gate;
mod header;
mod inline;
mod line;
mod link;
mod list;
pub mod media;
mod parts;
mod picture;
mod scope;
#[cfg(test)]
mod structure_tests;
mod sums;
mod table;
pub mod template;
#[cfg(test)]
mod tests;
mod titles;
mod word;

pub use bind::{StoredMedia, attach, bind};
pub use fingerprint::{Fingerprint, alike, bands, filled, fingerprint};
pub use gate::Judging;
pub use media::{InlineMedia, MediaFacts, inspect};
pub use parts::{PartPage, extract_parts};

use crate::document::{
    Accounting, Byline, DateValue, Dates, Discovered, Document, DocumentId, Dropped, FetchProvenance, Gate,
    GateLevel, Link, LinkKind, Provenance, Quality, Redirects, SCHEMA, Section, Span,
};
use crate::lang::{Language, date, slug, spaces};
use crate::mapping::Css;
use crate::mapping::Mapping;
use crate::mapping::model::{Collection, OnUnmapped};
use crate::page::Page;
use scope::Content;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Why a page gives no document at all.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    /// The key of the collection names something that the URL does not have.
    #[error("{url} has no key in collection `{collection}`; check `key` and `match.url`")]
    NoKey {
        /// The page.
        url: String,
        /// The collection.
        collection: String,
    },
}

/// What is known of a page beside its bytes.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The mapping.
    pub mapping: &'a Mapping,
    /// What lists said of the page, by `RULE.FIELD`.
    pub listing: &'a BTreeMap<String, String>,
    /// Who announced it.
    pub discovered: &'a [Discovered],
    /// Other spellings of its URL.
    pub aliases: &'a [String],
    /// How it was fetched.
    pub fetch: &'a FetchProvenance,
    /// What was learned of the site's pages; `None` if nothing is stored.
    pub learned: Option<&'a template::Learned>,
}

impl Context<'_> {
    /// What is known of the site's language.
    pub(crate) fn language(&self) -> Option<&'static Language> {
        Language::get(&self.mapping.rules().site.language)
    }
}

/// One rung of a field, as it was tried.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Rung {
    /// Name of the field.
    pub field: String,
    /// Index in `take`.
    pub rung: usize,
    /// Verb of the rung; `not tried` after the winner.
    pub verb: String,
    /// What it found.
    pub found: Option<String>,
    /// Whether it won.
    pub won: bool,
}

impl std::fmt::Display for Rung {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.won { "=" } else { " " };
        let found = self.found.as_deref().unwrap_or("-");
        write!(f, "{sign} {} [{}] {}: {found}", self.field, self.rung, self.verb)
    }
}

/// Longest slug, in characters.
const SLUG: usize = 100;

/// What a page gave.
#[derive(Clone, Debug, Default)]
pub struct Extraction {
    /// Documents, in order of the page.
    pub documents: Vec<Document>,
    /// Pictures that stand in the page itself.
    pub inline_media: Vec<InlineMedia>,
    /// The sum over the whole page.
    pub accounting: Accounting,
    /// What was dropped on the whole page.
    pub dropped: Vec<Dropped>,
    /// Rungs tried, document by document.
    pub explain: Vec<Rung>,
    /// What `@auto` found, block by block, if the scope asked for it.
    pub auto: Option<auto::Auto>,
}

/// Makes documents of a page.
///
/// # Errors
/// When the URL has no natural key in the collection.
pub fn extract(
    page: &Page,
    collection: &Collection,
    context: &Context<'_>,
) -> Result<Extraction, ExtractError> {
    let mut scopes = scope::Scopes::new(page, collection, context);
    let mut out = Extraction::default();
    let mut missing = 0;
    let mut furniture = Vec::new();
    for root in scopes.roots() {
        let entry = match &collection.each {
            None => None,
            Some(each) => match entry_link(page, context, root, &each.link) {
                Some(link) => Some(link),
                None => continue,
            },
        };
        let key = match &entry {
            None => context.mapping.source_key(collection, &page.url),
            Some(link) => link
                .resolved
                .as_ref()
                .map(|url| format!("{}:{url}", collection.id)),
        };
        let Some(source_key) = key else {
            return Err(ExtractError::NoKey {
                url: page.url.to_string(),
                collection: collection.id.clone(),
            });
        };
        let mut content = scopes.content(root, None, false, &mut out.explain);
        missing += content.missing;
        furniture.push(std::mem::take(&mut content.furniture));
        out.inline_media.extend(content.inline_media.iter().cloned());
        let mut document = document(page, collection, context, source_key, content);
        let span = page.text.span(root.id()).unwrap_or_default();
        undecided(
            page,
            span,
            context.mapping.rules().decode.max_undecided_blocks,
            &mut document,
        );
        if let Some(link) = entry {
            // The entry stands for the page that it links to, not for the list that shows it.
            document.redirects.from = link.resolved.iter().cloned().collect();
            document.links.retain(|l| l.resolved != link.resolved);
            document.links.insert(0, link);
        }
        out.documents.push(document);
    }
    scopes.outside();
    // A document that is all of its page has the sum of the page.
    let mut all = None;
    for ((document, (root, own)), furniture) in out.documents.iter_mut().zip(scopes.spans()).zip(furniture) {
        let whole = scopes.whole();
        let (sum, mut dropped) = scopes.account(root, own);
        if (root, own) == (whole, missing) {
            all = Some((sum.clone(), dropped.clone()));
        }
        dropped.extend(furniture);
        if sum.unaccounted > 0 {
            fail(
                document,
                "accounted",
                format!("{} characters are unaccounted", sum.unaccounted),
            );
        }
        document.accounting = sum;
        document.dropped = dropped;
    }
    (out.accounting, out.dropped) = all.unwrap_or_else(|| scopes.account(scopes.whole(), missing));
    out.auto = scopes.into_auto();
    Ok(out)
}

/// The link of a list's entry to its own page, of this site.
fn entry_link(page: &Page, context: &Context<'_>, entry: ElementRef<'_>, css: &Css) -> Option<Link> {
    let anchor = entry.select(css.selector()).next()?;
    let raw = anchor.value().attr("href")?;
    let url = context.mapping.resolve(&page.base, raw).ok()?;
    Some(Link {
        raw: raw.to_owned(),
        resolved: Some(url.to_string()),
        kind: LinkKind::Internal,
        target: context.mapping.document_id(&url).map(|id| format!("doc:{id}")),
        text: page.text_of(anchor),
    })
}

/// Text of the document that nothing decides how to read: it was left as it stood, and is said to be wrong.
fn undecided(page: &Page, span: Span, allowed: usize, document: &mut Document) {
    let mut spans = vec![span];
    spans.extend(document.provenance.fields.values().filter_map(|f| f.chars));
    let texts: Vec<&str> = [&document.title, &document.summary, &document.source]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .chain(document.section.iter().map(|s| s.label.as_str()))
        .chain(document.byline.iter().map(|b| b.raw.as_str()))
        .chain(document.extra.values().map(String::as_str))
        .chain(document.media.iter().filter_map(|m| m.alt.as_deref()))
        .collect();
    let listed = || {
        let all = page.decode.blocks.iter().zip(&page.shown);
        all.filter(|(block, _)| block.is_undecided())
            .map(|(block, shown)| (block, spaces(&shown.after)))
    };
    let open: Vec<String> = listed()
        .filter(|(block, text)| match block.chars {
            Some(at) => spans.iter().any(|s| at.0 < s.1 && s.0 < at.1),
            // A title, an alternative text: it is the document's if the document says it.
            None => !text.is_empty() && texts.iter().any(|t| t.contains(text.as_str())),
        })
        .map(|(_, text)| text)
        .collect();
    // More than the record names: where they stand is not known, so they count.
    let unnamed = page.decode.undecided.saturating_sub(listed().count());
    let count = open.len() + unnamed;
    if count > allowed {
        let first: String = open.first().map_or("", String::as_str).chars().take(60).collect();
        let note = format!(
            "nothing decides how to read {count} blocks, the first is `{first}`; `sangtrang try` shows them, `decode.fallback` may name their set"
        );
        fail(document, "undecided", note);
    }
}

fn fail(document: &mut Document, id: &str, note: String) {
    document.quality.gates.push(Gate {
        id: id.into(),
        level: GateLevel::Fail,
        note,
    });
}

fn document(
    page: &Page,
    collection: &Collection,
    context: &Context<'_>,
    source_key: String,
    mut content: Content,
) -> Document {
    let rules = context.mapping.rules();
    let mut from: BTreeSet<String> = context.aliases.iter().cloned().collect();
    from.insert(page.url.to_string());
    let mut discovered = context.discovered.to_vec();
    discovered.sort();
    let mut document = Document {
        schema: SCHEMA.into(),
        id: DocumentId::new(&rules.site.id, &source_key),
        site: rules.site.id.clone(),
        source_key,
        collection: collection.id.clone(),
        kind: collection.kind.clone(),
        language: rules.site.language.clone(),
        revision: String::new(),
        title: None,
        section: None,
        byline: None,
        source: None,
        slug: None,
        summary: None,
        legal: None,
        extra: BTreeMap::new(),
        body: content.body,
        dates: Dates::default(),
        media: content.media,
        attachments: content.attachments,
        links: content.links,
        citations: content.citations,
        dropped: Vec::new(),
        accounting: Accounting::default(),
        provenance: Provenance {
            fields: content
                .fields
                .iter()
                .map(|(n, f)| (n.clone(), f.provenance.clone()))
                .collect(),
            fetch: context.fetch.clone(),
            decode: page.decode.clone(),
            parts: Vec::new(),
            learned: content.learned,
            discovered,
        },
        redirects: Redirects {
            from: from.into_iter().collect(),
        },
        quality: Quality { gates: content.notes },
    };
    let mut waiting = Vec::new();
    for (name, rule) in &collection.fields {
        let Some(found) = content.fields.remove(name) else {
            if rule.required {
                fail(&mut document, "required", format!("field `{name}` is missing"));
            }
            continue;
        };
        let mapped = rule.map.get(&found.value).cloned();
        if mapped.is_none() && !rule.map.is_empty() && rule.on_unmapped == OnUnmapped::Fail {
            fail(
                &mut document,
                "unmapped",
                format!(
                    "field `{name}` has the value `{}`, which `map` does not name",
                    found.value
                ),
            );
        }
        let value = found.value.clone();
        match name.as_str() {
            "title" => {
                document.slug = Some(slug(&value, SLUG)).filter(|s| !s.is_empty());
                document.title = Some(value);
            }
            "section" => {
                let id = mapped.unwrap_or_else(|| slug(&value, SLUG));
                document.section = Some(Section {
                    id,
                    label: value,
                    path: Vec::new(),
                });
            }
            "byline" => {
                let person = document.byline.take().and_then(|b| b.person);
                let organisation = context
                    .language()
                    .is_some_and(|l| l.is_organisation(&value))
                    .then(|| value.clone());
                document.byline = Some(Byline {
                    raw: value,
                    person,
                    organisation,
                });
            }
            "byline.person" => {
                if let Some(byline) = &mut document.byline {
                    byline.person = Some(value);
                }
            }
            name if name.starts_with("legal.") => {
                let part = name.split_once('.').map_or("", |(_, part)| part);
                let legal = document.legal.get_or_insert_default();
                if let Some(slot) = legal.field_mut(part) {
                    *slot = Some(mapped.unwrap_or(value));
                }
            }
            "source" => document.source = Some(mapped.unwrap_or(value)),
            "summary" => document.summary = Some(mapped.unwrap_or(value)),
            _ => {
                let role = name
                    .strip_prefix("dates.")
                    .and_then(|role| document.dates.role_mut(role));
                match (role, read_date(context, &value, &found, None)) {
                    (Some(slot), Some(date)) => *slot = Some(date),
                    // A date without a year waits for the day of publication.
                    (Some(_), None) => waiting.push((name, value, found)),
                    (None, _) => {
                        document.extra.insert(name.clone(), mapped.unwrap_or(value));
                    }
                }
            }
        }
    }
    for (name, found) in std::mem::take(&mut content.fields) {
        automatic(context, &mut document, &name, found);
    }
    let reference = document
        .dates
        .published
        .as_ref()
        .and_then(|d| d.value.get(..10)?.parse().ok());
    for (name, value, found) in waiting {
        let date = reference.and_then(|day| read_date(context, &value, &found, Some(day)));
        let slot = name
            .strip_prefix("dates.")
            .and_then(|role| document.dates.role_mut(role));
        match (slot, date) {
            (Some(slot), Some(date)) => *slot = Some(date),
            _ => {
                fail(
                    &mut document,
                    "dates-readable",
                    format!("field `{name}`: `{value}` is no date"),
                );
                // "After 10 days from signing" is what the page says: it stays in the document, as it stands.
                document.extra.insert(name.clone(), value);
            }
        }
    }
    legal(context, &mut document);
    if page.decode.replacements > rules.decode.max_replacement_chars {
        let note = format!("{} characters could not be decoded", page.decode.replacements);
        fail(&mut document, "replacements", note);
    }
    document
}

/// What the number of a legal document says beside itself: its official form and, if nothing else does, its kind.
fn legal(context: &Context<'_>, document: &mut Document) {
    let Some(legal) = &mut document.legal else { return };
    if let (Some(number), Some(language)) = (&legal.number, context.language()) {
        let named = match &legal.kind {
            Some(kind) => format!("{kind} số {number}"),
            None => number.clone(),
        };
        if let Some(cited) = crate::lang::citation::find(&named, 0, language)
            .into_iter()
            .next()
        {
            legal.normalized = cited.normalized;
            if legal.kind.is_none() {
                legal.kind = Some(cited.kind);
                let mut provenance = document.provenance.fields.get("legal.number").cloned();
                if let Some(p) = &mut provenance {
                    p.method = "symbol".into();
                    p.confidence *= 0.9;
                }
                let fields = &mut document.provenance.fields;
                fields.extend(provenance.map(|p| ("legal.kind".to_owned(), p)));
            }
        }
    }
}

/// A field that no rule of the mapping speaks of: `@auto` found it.
fn automatic(context: &Context<'_>, document: &mut Document, name: &str, found: field::Found) {
    match name {
        "title" => {
            document.slug = Some(slug(&found.value, SLUG)).filter(|s| !s.is_empty());
            document.title = Some(found.value);
        }
        "byline" => {
            document.byline = Some(Byline {
                raw: found.value,
                person: None,
                organisation: None,
            });
        }
        "dates.published" => {
            document.dates.published = read_date(context, &found.value, &found, None);
            if document.dates.published.is_none() {
                document.extra.insert(name.to_owned(), found.value);
            }
        }
        _ => {}
    }
}

/// Reads the date of a field; what its form leaves open lowers the confidence and is named in the method.
fn read_date(
    context: &Context<'_>,
    value: &str,
    found: &field::Found,
    reference: Option<jiff::civil::Date>,
) -> Option<DateValue> {
    let zone = context.mapping.timezone();
    let reading = date::Reading {
        language: context.language(),
        zone: &zone,
        reference,
    };
    let date = date::find(value, &reading)?;
    let p = &found.provenance;
    Some(DateValue {
        value: date.value,
        precision: date.precision,
        raw: value.to_owned(),
        method: if date.form == "without-year" {
            format!("{}, year of publication", p.method)
        } else {
            p.method.clone()
        },
        confidence: p.confidence * date.confidence,
    })
}
