//! What is new in a model: beside an older model, and beside the rules of a mapping. Says it, and changes nothing.

use super::model::{Article, CORE, Kind, Model, Rule, Template};
use super::sketch::bound;
use serde::Serialize;
use std::collections::BTreeSet;

/// Share of steps in common that makes two templates one.
const SAME: f64 = 0.6;

/// A difference between two models.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "change", rename_all = "kebab-case")]
pub enum Change {
    /// A template that was not there.
    New {
        /// Its name.
        template: String,
        /// What it is for.
        kind: Kind,
        /// Pattern of its addresses.
        url: String,
        /// A template whose addresses look alike and whose pages are made otherwise: a redesign.
        instead_of: Option<String>,
    },
    /// A template of which the sample shows no page any more.
    Absent {
        /// Its name.
        template: String,
        /// What it was for.
        kind: Kind,
        /// Pattern of its addresses.
        url: String,
    },
    /// A rule that would be another one.
    Rule {
        /// Name of the template.
        template: String,
        /// `container`, `title`, `drop`, …
        field: String,
        /// As it was stored.
        old: Option<String>,
        /// As it would be.
        new: Option<String>,
        /// Pages on which the new rule is right, wrong, and that show such a thing.
        evidence: (u32, u32, u32),
    },
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::New {
                template,
                kind,
                url,
                instead_of,
            } => {
                write!(f, "+ {template}: a new template ({kind:?}), {url}")?;
                match instead_of {
                    Some(old) => write!(f, "; made otherwise than {old}, under the same addresses"),
                    None => Ok(()),
                }
            }
            Self::Absent { template, kind, url } => {
                write!(f, "- {template}: no page of it in the sample ({kind:?}), {url}")
            }
            Self::Rule {
                template,
                field,
                old,
                new,
                evidence,
            } => {
                let said = |s: &Option<String>| s.as_ref().map_or("nothing".into(), |s| format!("`{s}`"));
                write!(
                    f,
                    "~ {template} {field}: {} -> {} (right on {} of {} pages",
                    said(old),
                    said(new),
                    evidence.0,
                    evidence.2
                )?;
                if evidence.1 > 0 {
                    write!(f, ", wrong on {}", evidence.1)?;
                }
                f.write_str(")")
            }
        }
    }
}

/// Share of the smaller of two sets of steps that both have.
fn alike(a: &[u64], b: &[u64]) -> f64 {
    let least = bound(a.last(), a.len(), CORE).min(bound(b.last(), b.len(), CORE));
    let of = |s: &[u64]| -> BTreeSet<u64> { s.iter().copied().take_while(|s| *s <= least).collect() };
    let (a, b) = (of(a), of(b));
    let small = a.len().min(b.len());
    if small == 0 {
        0.0
    } else {
        a.intersection(&b).count() as f64 / small as f64
    }
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::Article => "article",
        Kind::List => "list",
        Kind::Home => "home",
        Kind::Login => "login",
        Kind::Copy => "copy",
        Kind::Gone => "gone",
        Kind::Other => "other",
    }
}

impl Kind {
    /// As the ledger writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        name(self)
    }
}

/// Gives the templates of a model their names: that of the older template whose pages are made alike, or a new one.
pub fn names(model: &mut Model, old: Option<&Model>) {
    let empty = Model::default();
    let old = old.unwrap_or(&empty);
    let mut pairs: Vec<(f64, usize, usize)> = Vec::new();
    for (n, new) in model.templates.iter().enumerate() {
        for (o, known) in old.templates.iter().enumerate() {
            let share = alike(&new.steps, &known.steps);
            if new.kind == known.kind && share >= SAME {
                let address = if new.url == known.url { 1.0 } else { 0.0 };
                pairs.push((share + address, n, o));
            }
        }
    }
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let mut taken = BTreeSet::new();
    let mut given: Vec<Option<String>> = vec![None; model.templates.len()];
    for (_, n, o) in pairs {
        if given[n].is_none() && taken.insert(o) {
            given[n] = Some(old.templates[o].id.clone());
        }
    }
    let mut used: BTreeSet<String> = old.templates.iter().map(|t| t.id.clone()).collect();
    for (template, given) in model.templates.iter_mut().zip(given) {
        template.id = given.unwrap_or_else(|| {
            let fresh = (1..).map(|n| format!("{}-{n}", name(template.kind)));
            // Names never run out.
            fresh
                .into_iter()
                .find(|id| !used.contains(id))
                .unwrap_or_default()
        });
        used.insert(template.id.clone());
    }
}

/// Takes over what an older model knows of pages that are no content, if no page of the sample shows it: once known, such
/// pages are rejected, or not asked for, and teach no more.
pub fn carry(model: &mut Model, old: &Model) {
    let mute = |t: &&Template| matches!(t.kind, Kind::Gone | Kind::Login | Kind::Copy);
    let kept: Vec<Template> = old
        .templates
        .iter()
        .filter(mute)
        .filter(|t| model.templates.iter().all(|new| new.id != t.id))
        .cloned()
        .collect();
    model.templates.extend(kept);
}

/// What differs between a model and the one that is stored; templates are the same if their names are.
#[must_use]
pub fn changes(old: &Model, new: &Model) -> Vec<Change> {
    let mut out = Vec::new();
    let by = |model: &'_ Model, id: &str| -> Option<Template> {
        model.templates.iter().find(|t| t.id == id).cloned()
    };
    for template in &new.templates {
        let Some(known) = by(old, &template.id) else {
            let pattern = regex::Regex::new(&template.url).ok();
            let before = old.templates.iter().find(|t| {
                t.kind == template.kind
                    && (t.url == template.url
                        || pattern.as_ref().is_some_and(|p| {
                            !t.samples.is_empty() && t.samples.iter().all(|s| p.is_match(s))
                        }))
            });
            out.push(Change::New {
                template: template.id.clone(),
                kind: template.kind,
                url: template.url.clone(),
                instead_of: before.map(|t| t.id.clone()),
            });
            continue;
        };
        let (empty, nothing) = (Article::default(), Article::default());
        let before = rules(known.article.as_ref().unwrap_or(&empty));
        let after = rules(template.article.as_ref().unwrap_or(&nothing));
        for ((field, old), (_, new)) in before.into_iter().zip(after) {
            let css = |r: Option<&Rule>| r.map(|r| r.css.clone()).filter(|c| !c.is_empty());
            if css(old) != css(new) {
                out.push(Change::Rule {
                    template: template.id.clone(),
                    field: field.into(),
                    old: css(old),
                    new: css(new),
                    evidence: new.map_or((0, 0, 0), |r| (r.right, r.wrong, r.of)),
                });
            }
        }
        out.extend(boilerplate(&known, template));
    }
    for known in &old.templates {
        if by(new, &known.id).is_none() {
            out.push(Change::Absent {
                template: known.id.clone(),
                kind: known.kind,
                url: known.url.clone(),
            });
        }
    }
    out
}

/// Rules of a template by the name of their field.
pub(super) fn rules(article: &Article) -> [(&'static str, Option<&Rule>); 7] {
    [
        ("container", Some(&article.container)),
        ("title", article.title.as_ref()),
        ("section", article.section.as_ref()),
        ("dates.published", article.published.first()),
        ("byline", article.byline.as_ref()),
        ("source", article.source.as_ref()),
        ("summary", article.summary.as_ref()),
    ]
}

fn boilerplate(old: &Template, new: &Template) -> Vec<Change> {
    let drops = |t: &Template| -> Vec<(String, u32)> {
        let all = t.article.iter().flat_map(|a| &a.drops);
        all.filter_map(|d| {
            let what = d.css.clone().or(d.from.clone()).or(d.text.clone())?;
            Some((what, d.pages))
        })
        .collect()
    };
    let (before, after) = (drops(old), drops(new));
    let of = u32::try_from(new.pages).unwrap_or(u32::MAX);
    let change = |old: Option<String>, new_rule: Option<String>, pages| Change::Rule {
        template: new.id.clone(),
        field: "drop".into(),
        old,
        new: new_rule,
        evidence: (pages, 0, of),
    };
    let gone = before.iter().filter(|b| !after.iter().any(|a| a.0 == b.0));
    let fresh = after.iter().filter(|a| !before.iter().any(|b| b.0 == a.0));
    gone.map(|b| change(Some(b.0.clone()), None, 0))
        .chain(fresh.map(|a| change(None, Some(a.0.clone()), a.1)))
        .collect()
}
