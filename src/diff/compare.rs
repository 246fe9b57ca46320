//! A document against another one.

use super::block::{BlockChange, blocks};
use super::{Change, Class, Ignore};
use crate::document::{
    CaptureId, DateValue, Dates, Document, GateLevel, Link, Media, NOT_CONTENT, Precision, without_sources,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How two documents differ. Equal groups are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// Fields by the names of mappings, in the order of the document.
    pub fields: Vec<Change>,
    /// Blocks of the body.
    pub body: Vec<BlockChange>,
    /// Pictures and attachments, by their old address; `order` if only that changed.
    pub media: Vec<Change>,
    /// Links of the body, by their text.
    pub links: Vec<Change>,
    /// Fields that came from another rule, rung or method than before; `decode`: the page was read in another encoding.
    pub origins: Vec<OriginChange>,
    /// Rules that drop more or less text than before.
    pub drops: Vec<DropChange>,
    /// `visible`, `kept`, `dropped`, `unaccounted`: characters.
    pub accounting: Vec<Change>,
    /// Gates that did not pass in one of the two: `fail: what was found`.
    pub gates: Vec<Change>,
}

/// A field that came from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OriginChange {
    /// The field.
    pub field: String,
    /// Rule, rung, method and confidence before.
    pub old: Option<String>,
    /// The same now.
    pub new: Option<String>,
}

/// A rule that drops another amount of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DropChange {
    /// Id of the rule.
    pub rule: String,
    /// Characters that it dropped, without white space.
    pub old: usize,
    /// Characters that it drops now.
    pub new: usize,
}

impl Difference {
    /// Whether what an editor would call the content is the same: fields, body, media, links.
    #[must_use]
    pub fn same_content(&self) -> bool {
        self.fields.is_empty() && self.body.is_empty() && self.media.is_empty() && self.links.is_empty()
    }

    /// Whether nothing differs at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How `new` differs from `old`. Run data and offsets are not looked at: when and how the page was fetched, which lists name
/// it, where on it a text stood.
#[must_use]
pub fn compare(old: &Document, new: &Document) -> Difference {
    compare_but(old, new, &Ignore::default())
}

/// The same; blocks that differ by noise alone which is ignored are taken for the same. The rest of what is ignored is still
/// in it, see [`Difference::without`].
#[must_use]
pub fn compare_but(old: &Document, new: &Document, ignore: &Ignore) -> Difference {
    let mut difference = Difference {
        fields: named(field_class, &fields(old), &fields(new)),
        body: blocks(&old.body, &new.body, ignore),
        media: media(old, new),
        links: listed(
            (Class::Link, Class::LinkOrder),
            &links(&old.links),
            &links(&new.links),
        ),
        origins: origins(old, new),
        drops: drops(old, new),
        accounting: named(|_| Class::Accounting, &accounting(old), &accounting(new)),
        gates: listed((Class::Gate, Class::Gate), &gates(old), &gates(new)),
    };
    if difference.same_content() {
        difference.fields = rest(old, new, ignore);
    }
    difference
}

/// Content that differs and has no name of its own above, as JSON: the printed form of a date, the width of a picture.
fn rest(old: &Document, new: &Document, ignore: &Ignore) -> Vec<Change> {
    let content = |d: &Document| -> BTreeMap<String, Value> {
        let Ok(Value::Object(all)) = serde_json::to_value(d) else {
            return BTreeMap::new();
        };
        all.into_iter()
            .filter(|(name, _)| {
                !NOT_CONTENT.contains(&name.as_str()) && !["id", "site", "body"].contains(&name.as_str())
            })
            .map(|(name, mut value)| {
                without_sources(&mut value);
                super::block::bare(&mut value, ignore);
                (name, value)
            })
            .collect()
    };
    let (was, is) = (content(old), content(new));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let class = |name: &str| match name {
        "media" | "attachments" => Class::Media,
        "links" => Class::Link,
        "dates" => Class::Date,
        _ => Class::Field,
    };
    let said = |all: &BTreeMap<String, Value>, name: &str| all.get(name).map(Value::to_string);
    names
        .into_iter()
        .filter_map(|name| Change::of(class(name), name, said(&was, name), said(&is, name)))
        .collect()
}

/// One hash of a document's identity and of all that [`compare`] looks at: two documents of one id with the same imprint do not
/// differ.
#[must_use]
pub fn imprint(document: &Document) -> CaptureId {
    let mut hasher = Vec::new();
    let mut put = |name: &str, value: &str| {
        for part in [name, value] {
            hasher.extend_from_slice(&part.len().to_le_bytes());
            hasher.extend_from_slice(part.as_bytes());
        }
    };
    put(&document.id.to_string(), &document.revision);
    put("url", &document.provenance.fetch.requested);
    for (field, origin) in came_from(document) {
        put(&field, &origin);
    }
    for (rule, chars) in dropped(document) {
        put(&rule, &chars.to_string());
    }
    for (name, value) in accounting(document).into_iter().chain(gates(document)) {
        put(&name, &value);
    }
    CaptureId::of(&hasher)
}

type Named = Vec<(String, String)>;

fn named(class: impl Fn(&str) -> Class, old: &Named, new: &Named) -> Vec<Change> {
    let find = |all: &Named, name: &str| all.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let mut names: Vec<&String> = old.iter().map(|(n, _)| n).collect();
    names.extend(
        new.iter()
            .map(|(n, _)| n)
            .filter(|n| !old.iter().any(|(o, _)| o == *n)),
    );
    names
        .into_iter()
        .filter_map(|name| Change::of(class(name), name, find(old, name), find(new, name)))
        .collect()
}

/// Entries that may share a name, of the first class. The order, the second one, counts only if nothing else differs.
fn listed((class, order_class): (Class, Class), old: &Named, new: &Named) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    let group = |all: &Named| {
        let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in all {
            out.entry(name.clone()).or_default().push(value.clone());
        }
        out.into_iter()
            .map(|(name, values)| (name, values.join("\n")))
            .collect()
    };
    let changes = named(|_| class, &group(old), &group(new));
    if !changes.is_empty() {
        return changes;
    }
    let order = |all: &Named| Some(all.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join("\n"));
    Change::of(order_class, "order", order(old), order(new))
        .into_iter()
        .collect()
}

/// The kind of a change of a field.
fn field_class(name: &str) -> Class {
    match name.split_once('.').map_or(name, |(group, _)| group) {
        "dates" => Class::Date,
        "source_key" | "collection" | "url" | "section" => Class::Place,
        _ => Class::Field,
    }
}

fn fields(d: &Document) -> Named {
    let mut out = Named::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.push((name.to_owned(), value.to_owned()));
        }
    };
    put("source_key", Some(&d.source_key));
    put("url", Some(&d.provenance.fetch.requested));
    put("collection", Some(&d.collection));
    put("type", Some(&d.kind));
    put("language", Some(&d.language));
    put("title", d.title.as_deref());
    if let Some(section) = &d.section {
        put("section", Some(&section.label));
        put("section.id", Some(&section.id));
        if !section.path.is_empty() {
            put("section.path", Some(&section.path.join(" > ")));
        }
    }
    if let Some(byline) = &d.byline {
        put("byline", Some(&byline.raw));
        put("byline.person", byline.person.as_deref());
        put("byline.organisation", byline.organisation.as_deref());
    }
    put("source", d.source.as_deref());
    put("slug", d.slug.as_deref());
    put("summary", d.summary.as_deref());
    if let Some(legal) = &d.legal {
        put("legal.number", legal.number.as_deref());
        put("legal.normalized", legal.normalized.as_deref());
        put("legal.kind", legal.kind.as_deref());
        put("legal.issuer", legal.issuer.as_deref());
        put("legal.signer", legal.signer.as_deref());
        put("legal.position", legal.position.as_deref());
        put("legal.area", legal.area.as_deref());
        put("legal.status", legal.status.as_deref());
    }
    for (name, value) in &d.extra {
        put(&format!("extra.{name}"), Some(value));
    }
    for role in Dates::ROLES {
        put(&format!("dates.{role}"), d.dates.role(role).map(date).as_deref());
    }
    let citations: Vec<String> = d
        .citations
        .iter()
        .map(|c| {
            format!(
                "{} {} {}",
                c.kind,
                c.number,
                c.date.as_deref().unwrap_or("undated")
            )
        })
        .collect();
    if !citations.is_empty() {
        put("citations", Some(&citations.join("\n")));
    }
    out
}

fn date(d: &DateValue) -> String {
    match d.precision {
        Precision::Year | Precision::Quarter | Precision::Month => {
            format!("{} ({})", d.value, name(&d.precision))
        }
        Precision::Day | Precision::Minute | Precision::Second => d.value.clone(),
    }
}

/// A unit variant as JSON writes it.
fn name(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    json.trim_matches('"').to_owned()
}

/// What a medium is, and what is said of it.
fn medium(m: &Media) -> (String, String) {
    let mut is = vec![m.reference.clone(), name(&m.role), name(&m.state)];
    is.extend(m.mime.clone());
    is.extend(m.bytes.map(|b| format!("{b} bytes")));
    let texts = [
        ("alt", &m.alt),
        ("caption", &m.caption),
        ("credit", &m.credit),
        ("file", &m.filename),
    ];
    let said: Vec<String> = texts
        .iter()
        .filter_map(|(n, v)| v.as_ref().map(|v| format!("{n}: {v}")))
        .collect();
    (is.join(", "), said.join(", "))
}

/// Pictures and attachments by their old address: those with other bytes, those of which something else is said, the same bytes
/// at another address; the order only if nothing else differs.
fn media(old: &Document, new: &Document) -> Vec<Change> {
    let all = |d: &Document| -> Vec<(String, Media)> {
        let all = d.media.iter().chain(&d.attachments);
        all.map(|m| (m.source_url.clone(), m.clone())).collect()
    };
    let (was, is) = (all(old), all(new));
    if was == is {
        return Vec::new();
    }
    let group = |all: &[(String, Media)]| -> BTreeMap<String, Vec<Media>> {
        let mut out: BTreeMap<String, Vec<Media>> = BTreeMap::new();
        for (address, medium) in all {
            out.entry(address.clone()).or_default().push(medium.clone());
        }
        out
    };
    let line = |all: &[Media]| -> (String, String) {
        let (is, said): (Vec<_>, Vec<_>) = all.iter().map(medium).unzip();
        let both = is.iter().zip(&said).map(|(is, said)| match said.is_empty() {
            true => is.clone(),
            false => format!("{is}, {said}"),
        });
        (is.join("\n"), both.collect::<Vec<_>>().join("\n"))
    };
    let (before, after) = (group(&was), group(&is));
    let mut out = Vec::new();
    let mut came: BTreeMap<&str, &str> = BTreeMap::new();
    for (address, media) in after.iter().filter(|(a, _)| !before.contains_key(*a)) {
        if let [one] = &media[..]
            && one.reference.starts_with("media:")
        {
            came.insert(&one.reference, address);
        }
    }
    let mut moved = BTreeSet::new();
    for (address, media) in &before {
        let (is, said) = line(media);
        let Some(now) = after.get(address) else {
            let to = match &media[..] {
                [one] => came.remove(one.reference.as_str()),
                _ => None,
            };
            match to {
                Some(to) => {
                    moved.insert(to.to_owned());
                    let (old, new) = (Some(address.clone()), Some(to.to_owned()));
                    out.extend(Change::of(
                        Class::MediaAddress,
                        media[0].reference.clone(),
                        old,
                        new,
                    ));
                }
                None => out.extend(Change::of(Class::Media, address, Some(said), None)),
            }
            continue;
        };
        let (is_now, said_now) = line(now);
        let class = if is == is_now {
            Class::Caption
        } else {
            Class::Media
        };
        out.extend(Change::of(class, address, Some(said), Some(said_now)));
    }
    for (address, media) in after.iter().filter(|(a, _)| !before.contains_key(*a)) {
        if !moved.contains(address) {
            out.extend(Change::of(Class::Media, address, None, Some(line(media).1)));
        }
    }
    if out.is_empty() {
        let order = |all: &[(String, Media)]| {
            Some(all.iter().map(|(a, _)| a.as_str()).collect::<Vec<_>>().join("\n"))
        };
        out.extend(Change::of(Class::MediaOrder, "order", order(&was), order(&is)));
    }
    out
}

fn links(links: &[Link]) -> Named {
    let one = |l: &Link| {
        let to = l.target.as_ref().or(l.resolved.as_ref()).unwrap_or(&l.raw);
        (l.text.clone(), format!("{to} ({})", name(&l.kind)))
    };
    links.iter().map(one).collect()
}

fn accounting(d: &Document) -> Named {
    let sum = &d.accounting;
    let one = |name: &str, n: usize| (name.to_owned(), n.to_string());
    vec![
        one("visible", sum.visible),
        one("kept", sum.kept),
        one("dropped", sum.dropped),
        one("unaccounted", sum.unaccounted),
    ]
}

fn gates(d: &Document) -> Named {
    let gates = d.quality.gates.iter();
    gates
        .map(|g| {
            let level = match g.level {
                GateLevel::Fail => "fail",
                GateLevel::Warn => "warn",
            };
            (g.id.clone(), format!("{level}: {}", g.note))
        })
        .collect()
}

/// Where each field came from: rule, rung, method and confidence; and `decode`: as what the page was read, and why.
fn came_from(d: &Document) -> BTreeMap<String, String> {
    let decode = &d.provenance.decode;
    let decode = (
        "decode".to_owned(),
        format!("{} ({})", decode.used, decode.method),
    );
    let fields = d.provenance.fields.iter();
    fields
        .map(|(field, o)| {
            let origin = format!("{} rung {} {} {:.2}", o.rule, o.rung, o.method, o.confidence);
            (field.clone(), origin)
        })
        .chain([decode])
        .collect()
}

fn origins(old: &Document, new: &Document) -> Vec<OriginChange> {
    let (was, is) = (came_from(old), came_from(new));
    let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    names
        .into_iter()
        .filter(|field| was.get(*field) != is.get(*field))
        .map(|field| OriginChange {
            field: field.clone(),
            old: was.get(field).cloned(),
            new: is.get(field).cloned(),
        })
        .collect()
}

/// Characters that each rule dropped, without white space.
fn dropped(d: &Document) -> BTreeMap<String, usize> {
    let mut out: BTreeMap<String, usize> = BTreeMap::new();
    for dropped in &d.dropped {
        let chars = dropped.text.chars().filter(|c| !c.is_whitespace()).count();
        *out.entry(dropped.rule.clone()).or_default() += chars;
    }
    out
}

fn drops(old: &Document, new: &Document) -> Vec<DropChange> {
    let (was, is) = (dropped(old), dropped(new));
    let rules: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
    let of = |all: &BTreeMap<String, usize>, rule: &str| all.get(rule).copied().unwrap_or(0);
    rules
        .into_iter()
        .filter(|rule| of(&was, rule) != of(&is, rule))
        .map(|rule| DropChange {
            rule: rule.clone(),
            old: of(&was, rule),
            new: of(&is, rule),
        })
        .collect()
}
