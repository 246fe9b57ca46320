//! A document against another one.

use super::Change;
use super::block::{BlockChange, blocks};
use crate::document::{CaptureId, DateValue, Dates, Document, GateLevel, Link, Media, Precision};
use schemars::JsonSchema;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// How two documents differ. Equal groups are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// Fields by the names of mappings, in the order of the document.
    pub fields: Vec<Change>,
    /// Blocks of the body.
    pub body: Vec<BlockChange>,
    /// Pictures and attachments, by their old address; `order` if only that changed.
    pub media: Vec<Change>,
    /// Links of the body, by their text.
    pub links: Vec<Change>,
    /// Fields that came from another rule, rung or method than before.
    pub origins: Vec<OriginChange>,
    /// Rules that drop more or less text than before.
    pub drops: Vec<DropChange>,
    /// `visible`, `kept`, `dropped`, `unaccounted`: characters.
    pub accounting: Vec<Change>,
    /// Gates that did not pass in one of the two: `fail: what was found`.
    pub gates: Vec<Change>,
}

/// A field that came from elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct OriginChange {
    /// The field.
    pub field: String,
    /// Rule, rung, method and confidence before.
    pub old: Option<String>,
    /// The same now.
    pub new: Option<String>,
}

/// A rule that drops another amount of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
    Difference {
        fields: named(&fields(old), &fields(new)),
        body: blocks(&old.body, &new.body),
        media: listed(&media(old), &media(new)),
        links: listed(&links(&old.links), &links(&new.links)),
        origins: origins(old, new),
        drops: drops(old, new),
        accounting: named(&accounting(old), &accounting(new)),
        gates: listed(&gates(old), &gates(new)),
    }
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

fn named(old: &Named, new: &Named) -> Vec<Change> {
    let find = |all: &Named, name: &str| all.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let mut names: Vec<&String> = old.iter().map(|(n, _)| n).collect();
    names.extend(
        new.iter()
            .map(|(n, _)| n)
            .filter(|n| !old.iter().any(|(o, _)| o == *n)),
    );
    names
        .into_iter()
        .filter_map(|name| Change::of(name, find(old, name), find(new, name)))
        .collect()
}

/// Entries that may share a name. The order counts only if nothing else differs.
fn listed(old: &Named, new: &Named) -> Vec<Change> {
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
    let changes = named(&group(old), &group(new));
    if !changes.is_empty() {
        return changes;
    }
    let order = |all: &Named| Some(all.iter().map(|(n, _)| n.as_str()).collect::<Vec<_>>().join("\n"));
    Change::of("order", order(old), order(new)).into_iter().collect()
}

fn fields(d: &Document) -> Named {
    let mut out = Named::new();
    let mut put = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.push((name.to_owned(), value.to_owned()));
        }
    };
    put("source_key", Some(&d.source_key));
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

fn media(d: &Document) -> Named {
    let one = |m: &Media| {
        let mut said = vec![m.reference.clone(), name(&m.role), name(&m.state)];
        said.extend(m.mime.clone());
        said.extend(m.bytes.map(|b| format!("{b} bytes")));
        let texts = [
            ("alt", &m.alt),
            ("caption", &m.caption),
            ("credit", &m.credit),
            ("file", &m.filename),
        ];
        said.extend(
            texts
                .iter()
                .filter_map(|(n, v)| v.as_ref().map(|v| format!("{n}: {v}"))),
        );
        (m.source_url.clone(), said.join(", "))
    };
    d.media.iter().chain(&d.attachments).map(one).collect()
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

/// Where each field came from: rule, rung, method and confidence.
fn came_from(d: &Document) -> BTreeMap<String, String> {
    let fields = d.provenance.fields.iter();
    fields
        .map(|(field, o)| {
            let origin = format!("{} rung {} {} {:.2}", o.rule, o.rung, o.method, o.confidence);
            (field.clone(), origin)
        })
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
