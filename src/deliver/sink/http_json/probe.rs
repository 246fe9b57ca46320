//! Is everything there that the mapping needs? Asked without writing anything.

use super::{Declared, read, wire};
use crate::deliver::failure::{Class, Failure};
use crate::deliver::sink::{Needs, Probe};
use crate::ledger::Kind;
use crate::mapping::model::ObjectRule;
use serde_json::{Value, json};
use std::collections::BTreeSet;

pub(super) async fn probe(cms: &Declared, needs: &Needs) -> Result<Probe, Failure> {
    let rules = &cms.rules;
    let mut found = Probe {
        product: rules.product.clone().unwrap_or_else(|| "a declared CMS".into()),
        ..Probe::default()
    };
    let context: Value = cms.context("").into();
    let me = cms.get(cms.path(rules.probe.path.as_ref(), &context)?).await?;
    let user = rules.probe.user.as_ref().map(|pointer| read::at(&me, pointer));
    found.user = user
        .and_then(|u| u.as_str().map(str::to_owned))
        .unwrap_or_else(|| "a token".into());
    for text in &rules.probe.exist {
        let path = cms.path(Some(text), &context)?;
        there(cms, path, &mut found).await?;
    }
    for need in &needs.types {
        let own: Vec<String> = need
            .terms
            .keys()
            .map(|n| wire::place(&rules.document, true, n))
            .chain(need.fields.keys().map(|n| wire::place(&rules.document, false, n)))
            .collect();
        look(cms, Kind::Document, &rules.document, &need.of, &own, &mut found).await?;
    }
    let taxonomies: BTreeSet<&String> = needs.types.iter().flat_map(|t| t.terms.keys()).collect();
    for taxonomy in taxonomies {
        look(cms, Kind::Term, &rules.term, taxonomy, &[], &mut found).await?;
    }
    if needs.media {
        for rule in std::iter::once(&rules.media).chain(&rules.file) {
            look(cms, Kind::Media, rule, "media", &[], &mut found).await?;
        }
    }
    if cms.retires && rules.document.unpublish.is_none() && !rules.document.states {
        found.notes.push(
            "this CMS has no way to take an entry off: pages that are gone will be refused, not retired; `action = \"keep\"` in [target.retire] leaves them"
                .into(),
        );
    }
    if rules.document.modified.is_none() {
        found.notes.push(
            "the target declares no `document.modified`: an editor's change shows only where something is to be written"
                .into(),
        );
    }
    Ok(found)
}

/// Is something at `path`?
async fn there(cms: &Declared, path: String, found: &mut Probe) -> Result<Option<Value>, Failure> {
    match cms.get(path.clone()).await {
        Ok(answer) => Ok(Some(answer)),
        Err(failure) if matches!(failure.class, Class::Missing | Class::Permanent) => {
            found
                .problems
                .push(format!("`{path}` is not there: {}", failure.text));
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

/// Is a type there, with its fields?
async fn look(
    cms: &Declared,
    kind: Kind,
    rule: &ObjectRule,
    of: &str,
    own: &[String],
    found: &mut Probe,
) -> Result<(), Failure> {
    let context: Value = cms.context(of).into();
    let Some(schema) = &rule.schema.path else {
        let mut context = context;
        for (name, value) in [
            ("page", json!(1)),
            ("offset", json!(0)),
            ("size", json!(1)),
            ("cursor", json!("")),
        ] {
            context[name] = value;
        }
        match cms.path_query(rule.path.as_ref(), rule.list.query.as_ref(), &context) {
            Ok(path) => {
                there(cms, path, found).await?;
            }
            Err(failure) => found.problems.push(failure.text),
        }
        return Ok(());
    };
    let Some(said) = there(cms, cms.path(Some(schema), &context)?, found).await? else {
        return Ok(());
    };
    let said = read::at(&said, rule.schema.fields.as_deref().unwrap_or_default());
    let names: BTreeSet<&str> = match &said {
        Value::Object(table) => table.keys().map(String::as_str).collect(),
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        _ => BTreeSet::new(),
    };
    let places = rule
        .fields
        .keys()
        .map(|n| wire::place(rule, false, n))
        .chain(own.iter().cloned());
    let missing: BTreeSet<String> = places
        .filter_map(|place| place.split('.').next().map(str::to_owned))
        .filter(|name| !names.contains(name.as_str()))
        .collect();
    if !missing.is_empty() {
        let what = if kind == Kind::Document { of } else { "media" };
        let fields: Vec<String> = missing.into_iter().collect();
        found.problems.push(format!(
            "`{what}` has no field `{}`: it would be dropped without a word; add it there, or leave it out (`omit`)",
            fields.join("`, `")
        ));
    }
    Ok(())
}
