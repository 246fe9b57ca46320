//! What of a document goes into a target: the payload, with tokens where addresses will be. Pure, so that its hash says
//! whether anything is to be sent.

use super::render;
use crate::document::{CaptureId, DateValue, Document, Media, MediaRole, MediaState, extension};
use crate::lang::slug;
use crate::mapping::model::{BodyForm, BylineUse, EntryRule, PubState, SlugForm, Target, TargetKind};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// A document as a target gets it. Its JSON is what is hashed, remembered and compared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// `doc:ID`
    pub key: String,
    /// Type in the target.
    #[serde(rename = "type")]
    pub of: String,
    /// Collection of the mapping.
    pub collection: String,
    /// Natural key on the old portal.
    pub source_key: String,
    /// Headline.
    pub title: String,
    /// Last part of the new address.
    pub slug: String,
    /// `publish` or `draft`.
    pub state: String,
    /// Language of the text.
    pub language: String,
    /// RFC 3339 with offset.
    pub date: Option<String>,
    /// RFC 3339 with offset.
    pub modified: Option<String>,
    /// Lead.
    pub excerpt: Option<String>,
    /// In the target's form, with tokens.
    pub body: String,
    /// Keys of terms by taxonomy.
    pub terms: BTreeMap<String, Vec<String>>,
    /// Further fields, by their name in the target.
    pub fields: BTreeMap<String, Value>,
    /// User of the target, as the mapping names it.
    pub author: Option<String>,
    /// Token of the lead picture.
    pub cover: Option<String>,
    /// Old addresses of what it refers to, by token: they stand where there is no new one yet.
    pub links: BTreeMap<String, String>,
    /// Old addresses.
    pub legacy: Legacy,
}

/// Old addresses of an entry or a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Legacy {
    /// The canonical one.
    pub url: String,
    /// All, sorted.
    pub from: Vec<String>,
}

/// A category or tag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Term {
    /// `term:TAXONOMY/ID`
    pub key: String,
    /// Taxonomy in the target.
    pub taxonomy: String,
    /// Its name.
    pub name: String,
    /// ASCII.
    pub slug: String,
    /// Key of the term above it.
    pub parent: Option<String>,
}

/// A picture or a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asset {
    /// `media:HASH`
    pub key: String,
    /// ASCII name with the extension of what the bytes are.
    pub filename: String,
    /// What the bytes are.
    pub mime: String,
    /// How many.
    pub bytes: u64,
    /// What people read as its name.
    pub title: String,
    /// Alternative text.
    pub alt: Option<String>,
    /// Caption.
    pub caption: Option<String>,
    /// Credit.
    pub credit: Option<String>,
    /// Old addresses.
    pub legacy: Legacy,
}

impl Asset {
    /// The key's first 16 digits: enough to know a file by, short enough for a slug.
    #[must_use]
    pub fn slug(&self) -> String {
        let hash = self.key.strip_prefix("media:").unwrap_or(&self.key);
        format!("media-{}", hash.get(..16).unwrap_or(hash))
    }
}

/// Hash of a payload: BLAKE3 of its JSON, and of the form in which this program sends it.
#[must_use]
pub fn payload_hash(payload: &impl Serialize) -> CaptureId {
    // Types of this file hold nothing that JSON cannot.
    let json = serde_json::to_vec(payload).unwrap_or_default();
    CaptureId::of(&[b"payload/1\n".as_slice(), &json].concat())
}

/// What makes entries of documents.
pub struct Mapper {
    target: Target,
    zone: TimeZone,
    fallback: Option<EntryRule>,
}

/// A document that cannot be delivered, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// No `[[target.entry]]` takes its collection.
    Unmapped,
    /// The rendered body does not show these words of it.
    Loses(Vec<String>),
}

impl Mapper {
    /// For a target; `zone` is that of the old portal.
    #[must_use]
    pub fn new(target: Target, zone: TimeZone) -> Self {
        let fallback = (target.entry.is_empty() && target.kind == TargetKind::Wordpress).then(|| EntryRule {
            collection: String::new(),
            drift: None,
            of: "posts".into(),
            terms: [("categories".to_owned(), "section".to_owned())].into(),
            fields: BTreeMap::new(),
            url: None,
        });
        Self {
            target,
            zone,
            fallback,
        }
    }

    /// The rule of a collection.
    #[must_use]
    pub fn rule(&self, collection: &str) -> Option<&EntryRule> {
        self.target
            .entry
            .iter()
            .find(|e| e.collection == collection)
            .or(self.fallback.as_ref())
    }

    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = &EntryRule> {
        self.target.entry.iter().chain(&self.fallback)
    }

    /// The slug that a document would like to have.
    #[must_use]
    pub fn slug(&self, document: &Document, taken: &dyn Fn(&str) -> bool) -> String {
        let short = &document.id.to_string()[..8];
        let room = self.target.slug_max.saturating_sub(short.len() + 1);
        let stem = slug(document.title.as_deref().unwrap_or_default(), room);
        let with_key = if stem.is_empty() {
            format!("{}-{short}", document.kind)
        } else {
            format!("{stem}-{short}")
        };
        let form = self
            .target
            .slug
            .unwrap_or(match (self.target.kind, self.target.mode) {
                (TargetKind::Wordpress, crate::mapping::model::Mode::Plain) => SlugForm::TitleKey,
                _ => SlugForm::Title,
            });
        // A slug of digits is a page number or an id to a CMS; `feed` and `page` are words of WordPress's own addresses.
        let plain = stem.len() >= 3
            && stem.bytes().any(|b| b.is_ascii_alphabetic())
            && !["feed", "page", "embed", "category", "tag", "author"].contains(&stem.as_str());
        if form == SlugForm::Title && plain && !taken(&stem) {
            stem
        } else {
            with_key
        }
    }

    /// The payload of a document under `slug`.
    ///
    /// # Errors
    /// Why it must not be delivered.
    pub fn entry(&self, document: &Document, slug: String) -> Result<Entry, Unfit> {
        self.make(document, slug, true)
    }

    /// The same payload once more, without looking again whether its body shows every word; nothing if no rule takes it.
    #[must_use]
    pub fn again(&self, document: &Document, slug: String) -> Option<Entry> {
        self.make(document, slug, false).ok()
    }

    fn make(&self, document: &Document, slug: String, look: bool) -> Result<Entry, Unfit> {
        let rule = self.rule(&document.collection).ok_or(Unfit::Unmapped)?;
        let signed = self.target.byline == BylineUse::Append
            && !rule.fields.values().any(|path| path.starts_with("byline"));
        let mut blocks = document.body.clone();
        blocks.extend(render::trailing(document, signed));
        let form = self.target.body.unwrap_or(self.target.kind.body());
        let body = render::render(&blocks, form);
        let lost = match form {
            _ if !look => Vec::new(),
            BodyForm::Html | BodyForm::Gutenberg => render::lost(document, &body),
            // Other forms are made of the same blocks; tests take them there and back.
            BodyForm::Markdown | BodyForm::PortableText => render::lost(document, &render::html(&blocks)),
        };
        if !lost.is_empty() {
            return Err(Unfit::Loses(lost));
        }
        let value = serde_json::to_value(document).unwrap_or_default();
        let legacy = Legacy {
            url: document.provenance.fetch.requested.clone(),
            from: document.redirects.from.clone(),
        };
        let fields = rule
            .fields
            .iter()
            .map(|(name, path)| (name.clone(), self.value(&value, &legacy, path)))
            .collect();
        let terms = rule
            .terms
            .iter()
            .map(|(taxonomy, path)| {
                let terms = terms(taxonomy, at(&value, path));
                let own = terms.into_iter().filter(|t| t.leaf).map(|t| t.term.key).collect();
                (taxonomy.clone(), own)
            })
            .collect();
        Ok(Entry {
            key: format!("doc:{}", document.id),
            of: rule.of.clone(),
            collection: document.collection.clone(),
            source_key: document.source_key.clone(),
            title: document.title.clone().unwrap_or_default(),
            slug,
            state: match self.target.state {
                PubState::Publish => "publish",
                PubState::Draft => "draft",
            }
            .into(),
            language: document.language.clone(),
            date: document.dates.published.as_ref().and_then(|d| self.instant(d)),
            modified: document.dates.modified.as_ref().and_then(|d| self.instant(d)),
            excerpt: document.summary.clone(),
            body,
            terms,
            fields,
            author: self.author(document),
            cover: document
                .media
                .iter()
                .find(|m| m.role == MediaRole::Lead && m.state == MediaState::Ok)
                .map(|m| m.reference.clone()),
            links: old_addresses(document),
            legacy,
        })
    }

    /// The rules of the target.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    fn author(&self, document: &Document) -> Option<String> {
        let byline = document.byline.as_ref()?;
        [
            byline.person.as_ref(),
            byline.organisation.as_ref(),
            Some(&byline.raw),
        ]
        .into_iter()
        .flatten()
        .find_map(|name| self.target.authors.get(name).cloned())
    }

    /// The terms that a document needs, those above first.
    #[must_use]
    pub fn terms(&self, document: &Document) -> Vec<Term> {
        let Some(rule) = self.rule(&document.collection) else {
            return Vec::new();
        };
        let value = serde_json::to_value(document).unwrap_or_default();
        rule.terms
            .iter()
            .flat_map(|(taxonomy, path)| terms(taxonomy, at(&value, path)))
            .map(|t| t.term)
            .collect()
    }

    /// The files that a document shows.
    #[must_use]
    pub fn assets(document: &Document) -> Vec<Asset> {
        let all = document.media.iter().chain(&document.attachments);
        // What stands for another one is not shown.
        let shown = all.filter(|m| !matches!(m.role, MediaRole::Original | MediaRole::Thumbnail));
        shown
            .filter(|m| m.state == MediaState::Ok && m.reference.starts_with("media:"))
            .map(asset)
            .collect()
    }

    /// A value for a field of the target.
    fn value(&self, document: &Value, legacy: &Legacy, path: &str) -> Value {
        match path {
            "legacy.url" => return legacy.url.clone().into(),
            "legacy.from" => return legacy.from.clone().into(),
            _ => {}
        }
        let found = at(document, path);
        // A date as a whole means its instant.
        if let Ok(date) = serde_json::from_value::<DateValue>(found.clone()) {
            return self.instant(&date).map_or(Value::Null, Value::from);
        }
        found.clone()
    }

    /// A date as an instant: RFC 3339 with the offset of the old portal's zone. A day begins at midnight.
    fn instant(&self, date: &DateValue) -> Option<String> {
        instant(&date.value, &self.zone)
    }
}

/// Where links and pictures of a document led on the old portal.
fn old_addresses(document: &Document) -> BTreeMap<String, String> {
    let links = document
        .links
        .iter()
        .filter_map(|l| Some((l.target.clone()?, l.resolved.clone()?)));
    let media = document.media.iter().chain(&document.attachments);
    let media = media.map(|m| (m.reference.clone(), m.source_url.clone()));
    links
        .chain(media)
        .filter(|(token, _)| render::is_token(token))
        .collect()
}

/// See [`Mapper::instant`].
pub(super) fn instant(value: &str, zone: &TimeZone) -> Option<String> {
    let zoned = if value.contains('T') {
        match value.parse::<jiff::Timestamp>() {
            Ok(at) => at.to_zoned(zone.clone()),
            Err(_) => value
                .parse::<jiff::civil::DateTime>()
                .ok()?
                .to_zoned(zone.clone())
                .ok()?,
        }
    } else {
        let (year, rest) = value.split_once('-').unwrap_or((value, ""));
        let quarter = rest.strip_prefix('Q').and_then(|q| q.parse::<i8>().ok());
        let mut parts = rest.split('-').map(|p| p.parse::<i8>().ok());
        let month = match quarter {
            Some(q) => q * 3 - 2,
            None => parts.next().flatten().unwrap_or(1),
        };
        let day = parts.next().flatten().unwrap_or(1);
        let date = jiff::civil::Date::new(year.parse().ok()?, month, day).ok()?;
        date.to_zoned(zone.clone()).ok()?
    };
    Some(zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string())
}

/// The value at a dotted path.
fn at<'v>(document: &'v Value, path: &str) -> &'v Value {
    path.split('.')
        .fold(document, |value, key| value.get(key).unwrap_or(&Value::Null))
}

struct Named {
    term: Term,
    leaf: bool,
}

/// Terms of a value: a section with its path, a text (parts by `,` or `;`), or a list of texts.
fn terms(taxonomy: &str, value: &Value) -> Vec<Named> {
    let term = |id: &str, name: &str, parent: Option<&str>| Term {
        key: format!("term:{taxonomy}/{id}"),
        taxonomy: taxonomy.to_owned(),
        name: name.to_owned(),
        slug: id.to_owned(),
        parent: parent.map(|p| format!("term:{taxonomy}/{p}")),
    };
    if let (Some(id), Some(label)) = (value["id"].as_str(), value["label"].as_str()) {
        let mut out = Vec::new();
        let mut parent: Option<String> = None;
        for above in value["path"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            let here = slug(above, 80);
            if above == label || here.is_empty() {
                continue;
            }
            out.push(Named {
                term: term(&here, above, parent.as_deref()),
                leaf: false,
            });
            parent = Some(here);
        }
        out.push(Named {
            term: term(id, label, parent.as_deref()),
            leaf: true,
        });
        return out;
    }
    let texts: Vec<&str> = match value {
        Value::String(text) => text.split([',', ';']).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut out: Vec<Named> = texts
        .into_iter()
        .map(str::trim)
        .filter(|t| !slug(t, 80).is_empty())
        .map(|t| Named {
            term: term(&slug(t, 80), t, None),
            leaf: true,
        })
        .collect();
    out.dedup_by(|a, b| a.term.key == b.term.key);
    out
}

fn asset(media: &Media) -> Asset {
    let hash = media.reference.strip_prefix("media:").unwrap_or_default();
    let mime = media
        .mime
        .clone()
        .unwrap_or_else(|| "application/octet-stream".into());
    let named = media.filename.as_deref().unwrap_or_default();
    let stem = named.rsplit_once('.').map_or(named, |(stem, _)| stem);
    let short = hash.get(..8).unwrap_or(hash);
    let ascii = slug(stem, 60);
    let stem = if ascii.is_empty() { "media" } else { &ascii };
    // The extension says what the bytes are: a CMS refuses or renames what lies.
    let by_bytes = extension(&mime);
    let by_name = named
        .rsplit_once('.')
        .map(|(_, e)| slug(e, 8))
        .filter(|e| !e.is_empty());
    let ending = by_bytes
        .map(str::to_owned)
        .or(by_name)
        .unwrap_or_else(|| "bin".into());
    Asset {
        key: media.reference.clone(),
        filename: format!("{stem}-{short}.{ending}"),
        mime,
        bytes: media.bytes.unwrap_or_default(),
        title: media
            .caption
            .clone()
            .or_else(|| media.filename.clone())
            .unwrap_or_else(|| stem.to_owned()),
        alt: media.alt.clone(),
        caption: media.caption.clone(),
        credit: media.credit.clone(),
        legacy: Legacy {
            url: media.source_url.clone(),
            from: if media.source_url.starts_with("data:") {
                Vec::new()
            } else {
                vec![media.source_url.clone()]
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_get_the_offset_of_their_zone() {
        let zone = TimeZone::get("Asia/Ho_Chi_Minh").unwrap();
        for (value, expected) in [
            ("2023-07-14", "2023-07-14T00:00:00+07:00"),
            ("2023-07-14T08:30:00+07:00", "2023-07-14T08:30:00+07:00"),
            ("2023-07-14T01:30:00Z", "2023-07-14T08:30:00+07:00"),
            ("2019", "2019-01-01T00:00:00+07:00"),
            ("2019-05", "2019-05-01T00:00:00+07:00"),
            ("2019-Q3", "2019-07-01T00:00:00+07:00"),
            // Saigon kept +08:00 until 1975.
            ("1969-12-31", "1969-12-31T00:00:00+08:00"),
            ("2091-01-01", "2091-01-01T00:00:00+07:00"),
        ] {
            assert_eq!(instant(value, &zone).as_deref(), Some(expected), "{value}");
        }
        assert_eq!(instant("2019-02-31", &zone), None);
        assert_eq!(instant("hôm qua", &zone), None);
    }

    #[test]
    fn sections_become_a_tree_and_texts_tags() {
        let section = serde_json::json!({ "id": "gia", "label": "Giá cả", "path": ["Số liệu", "Giá cả"] });
        let found: Vec<Term> = terms("categories", &section)
            .into_iter()
            .map(|t| t.term)
            .collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].key, "term:categories/so-lieu");
        assert_eq!(found[1].parent.as_deref(), Some("term:categories/so-lieu"));
        let tags = terms("tags", &"Đất đai, giá; giá".into());
        assert_eq!(
            tags.iter().map(|t| t.term.slug.as_str()).collect::<Vec<_>>(),
            ["dat-dai", "gia"]
        );
    }
}
