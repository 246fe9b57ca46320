//! What an object refers to, what it was sent with, and what the target shows of it: between the ledger and a target's words.

use super::entry::{Entry, payload_hash};
use super::packed::unpack;
use super::plan::{FieldDiff, field_diffs};
use super::render::{Known, tokens};
use super::sink::{Item, Links, Payload, Remote, Sink, Stage, Wire};
use crate::ledger::{Delivery, DeliveryState, Kind, Ledger, LedgerError};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Keys of everything that an item refers to.
pub(super) fn keys(item: &Item) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    match &item.body {
        Payload::Term(term) => keys.extend(term.parent.clone()),
        Payload::Media(..) => {}
        Payload::Document(entry) => {
            keys.extend(tokens(&entry.body));
            keys.extend(entry.cover.clone());
            keys.extend(entry.terms.values().flatten().cloned());
        }
    }
    keys
}

/// Old addresses of what an item refers to.
pub(super) fn old(item: &Item) -> BTreeMap<String, String> {
    match &item.body {
        Payload::Document(entry) => entry.links.clone(),
        _ => BTreeMap::new(),
    }
}

/// The kind of object that a key names.
pub(super) fn kind(key: &str) -> Kind {
    match key.split(':').next() {
        Some("doc") => Kind::Document,
        Some("media") => Kind::Media,
        _ => Kind::Term,
    }
}

/// What a target knows of the keys.
pub(super) fn known(
    ledger: &Ledger,
    target: i64,
    keys: &BTreeSet<String>,
) -> Result<BTreeMap<String, Known>, LedgerError> {
    let mut known = BTreeMap::new();
    for key in keys {
        if let Some(found) = ledger.delivery(target, kind(key), key)?
            && let Some(id) = found.remote
            // What was taken off keeps its address: it may come back, and its old one is gone.
            && matches!(
                found.state,
                DeliveryState::Staged | DeliveryState::Live | DeliveryState::Retired
            )
        {
            let url = found.url.unwrap_or_default();
            known.insert(key.clone(), Known { id, url });
        }
    }
    Ok(known)
}

/// Addresses of everything that an item refers to.
pub(super) fn of(ledger: &Ledger, target: i64, item: &Item) -> Result<Links, LedgerError> {
    Ok(Links {
        known: known(ledger, target, &keys(item))?,
        old: old(item),
    })
}

/// What a document was sent with: its tokens and their addresses.
pub(super) fn refers(item: &Item, links: &Links) -> Option<Vec<(String, Option<String>)>> {
    let Payload::Document(entry) = &item.body else {
        return None;
    };
    let mut all = tokens(&entry.body);
    all.extend(entry.cover.clone());
    Some(
        all.into_iter()
            .map(|token| {
                let url = links.known.get(&token).map(|k| k.url.clone());
                (token, url)
            })
            .collect(),
    )
}

/// A document as it was pushed last.
pub(super) fn pushed(
    ledger: &Ledger,
    target: i64,
    key: &str,
) -> Result<Option<(Delivery, Item)>, LedgerError> {
    let Some(was) = ledger.delivery(target, Kind::Document, key)? else {
        return Ok(None);
    };
    let body = ledger.pushed(target, Kind::Document, key)?;
    let entry = body
        .and_then(|b| unpack(&b))
        .and_then(|v| serde_json::from_value::<Entry>(v).ok());
    Ok(entry.map(|entry| {
        let item = Item {
            key: key.to_owned(),
            of: was.of.clone(),
            slug: was.slug.clone().unwrap_or_default(),
            payload: payload_hash(&entry),
            body: Payload::Document(Box::new(entry)),
        };
        (was, item)
    }))
}

/// What was sent, with today's addresses.
pub(super) fn wire<S: Sink>(sink: &S, was: &Delivery, item: &Item, links: &Links) -> Wire {
    let stage = if was.state == DeliveryState::Live {
        Stage::Final
    } else {
        Stage::Draft
    };
    sink.wire(item, links, stage)
}

/// Fields of a wire that the target shows otherwise: ours, theirs.
pub(super) fn different<S: Sink>(sink: &S, wire: &Wire, remote: &Remote) -> Vec<FieldDiff> {
    let mut out = Vec::new();
    for (name, ours) in &wire.fields {
        let theirs = remote.fields.get(name).cloned().unwrap_or_default();
        if !sink.same(name, ours, &theirs) {
            let pair = |value: Value| json!({ sink.label(name): value });
            out.extend(field_diffs(&pair(ours.clone()), &pair(theirs)));
        }
    }
    out
}

/// Takes fields out of a wire that belong to the editors.
pub(super) fn without(wire: &mut Wire, kept: &[String]) {
    wire.fields.retain(|name, _| !kept.contains(name));
}

/// Names of the fields of a wire that the target shows otherwise.
pub(super) fn edited<S: Sink>(sink: &S, wire: &Wire, remote: &Remote) -> Vec<String> {
    let is_other = |(name, ours): &(&String, &Value)| {
        let theirs = remote.fields.get(*name).cloned().unwrap_or_default();
        !sink.same(name, ours, &theirs)
    };
    wire.fields
        .iter()
        .filter(is_other)
        .map(|(name, _)| name.clone())
        .collect()
}
