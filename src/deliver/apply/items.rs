//! Which changes of a plan are carried out, and their payloads.

use super::{ApplyError, Run};
use crate::deliver::entry::{Mapper, payload_hash};
use crate::deliver::plan::{Change, Op, Plan};
use crate::deliver::sink::{Item, Payload, Sink};
use crate::document::{CaptureId, Document};
use crate::ledger::{DeliveryState, Kind};
use std::collections::HashSet;
use std::io;

/// The changes that the options leave, with what the chosen documents need.
pub(super) fn choose<'p, S: Sink>(run: &Run<S>, plan: &'p Plan) -> Result<Vec<&'p Change>, ApplyError> {
    let options = &run.options;
    let mut chosen: Vec<&Change> = Vec::new();
    if options.only.is_none() && options.approved.is_none() {
        chosen.extend(&plan.changes);
    } else {
        let documents: Vec<&Change> = plan
            .changes
            .iter()
            .filter(|c| c.kind == Kind::Document && wanted(run, c))
            .collect();
        let mut needed = HashSet::new();
        for change in documents.iter().filter(|c| c.op != Op::Retire) {
            if let Some(document) = document(run, change)? {
                needed.extend(run.mapper.terms(&document).into_iter().map(|t| t.key));
                needed.extend(Mapper::assets(&document).into_iter().map(|a| a.key));
            }
        }
        let others = plan.changes.iter().filter(|c| c.kind != Kind::Document);
        chosen.extend(others.filter(|c| needed.contains(&c.key)));
        chosen.extend(documents);
    }
    let all = chosen.len();
    if let Some(limit) = options.limit {
        chosen.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        if chosen.len() < all {
            run.applied().limited = true;
        }
    }
    run.applied().left = (plan.changes.len() - chosen.len()) as u64;
    Ok(chosen)
}

fn wanted<S: Sink>(run: &Run<S>, change: &Change) -> bool {
    if let Some(approved) = &run.options.approved
        && !approved.contains(&change.key)
    {
        return false;
    }
    let Some(only) = &run.options.only else {
        return true;
    };
    let source = change.source.as_deref().unwrap_or_default();
    let path = format!("{}/{source}", change.collection.as_deref().unwrap_or_default());
    [source, &path, &change.slug, &change.key]
        .iter()
        .any(|name| only.is_match(name))
}

/// Refuses a plan that is not of this state of things: before anything is written, every payload is made again.
pub(super) async fn check<S: Sink>(run: &Run<S>, plan: &Plan, chosen: &[&Change]) -> Result<(), ApplyError> {
    let stale = |what: String| Err(ApplyError::Stale(what));
    if plan.schema != crate::deliver::plan::SCHEMA {
        return stale(format!(
            "it has the form `{}`, this program writes `{}`",
            plan.schema,
            crate::deliver::plan::SCHEMA
        ));
    }
    for change in chosen {
        let (target, kind, key) = (run.target, change.kind, change.key.clone());
        let was = run.journal.read(move |l| l.delivery(target, kind, &key)).await?;
        // What was refused, or never came to its end, is not delivered.
        let there = was.as_ref().filter(|w| w.remote.is_some());
        let now = there.and_then(|w| w.payload).map(|p| p.to_string());
        let retired = was.as_ref().is_some_and(|w| w.state == DeliveryState::Retired);
        // What an earlier run of this very plan has done is as it should be.
        let already = now.is_some() && now == change.payload;
        if now != change.was && !already && !(change.op == Op::Retire && retired) {
            return stale(format!(
                "`{}` ({}) was delivered since with another payload; make a new plan",
                change.key, change.title
            ));
        }
        if change.op == Op::Retire {
            continue;
        }
        match item(run, change)? {
            Some(item) if Some(item.payload.to_string()) == change.payload => {}
            Some(_) => {
                return stale(format!(
                    "`{}` ({}) has another content now than when the plan was made; make a new plan",
                    change.key, change.title
                ));
            }
            None => {
                return stale(format!(
                    "`{}` ({}) is no document any more; make a new plan",
                    change.key, change.title
                ));
            }
        }
    }
    Ok(())
}

fn document<S: Sink>(run: &Run<S>, change: &Change) -> io::Result<Option<Document>> {
    let collection = change.collection.as_deref().unwrap_or_default();
    let id = match change.kind {
        Kind::Document => change.key.strip_prefix("doc:").unwrap_or_default(),
        _ => change.source.as_deref().unwrap_or_default(),
    };
    run.source.document(collection, id)
}

/// What a change writes.
pub(super) fn item<S: Sink>(run: &Run<S>, change: &Change) -> io::Result<Option<Item>> {
    let Some(document) = document(run, change)? else {
        return Ok(None);
    };
    let body = match change.kind {
        Kind::Document => match run.mapper.entry(&document, change.slug.clone()) {
            Ok(entry) => Payload::Document(Box::new(entry)),
            Err(_) => return Ok(None),
        },
        Kind::Term => match run
            .mapper
            .terms(&document)
            .into_iter()
            .find(|t| t.key == change.key)
        {
            Some(term) => Payload::Term(term),
            None => return Ok(None),
        },
        _ => match Mapper::assets(&document)
            .into_iter()
            .find(|a| a.key == change.key)
        {
            Some(asset) => {
                let hash = asset
                    .key
                    .strip_prefix("media:")
                    .and_then(|h| h.parse::<CaptureId>().ok());
                let path = hash.map(|h| run.source.media(h, &asset.mime)).unwrap_or_default();
                Payload::Media(asset, path)
            }
            None => return Ok(None),
        },
    };
    let payload = match &body {
        Payload::Document(entry) => payload_hash(entry),
        Payload::Term(term) => payload_hash(term),
        Payload::Media(asset, _) => payload_hash(asset),
    };
    Ok(Some(Item {
        key: change.key.clone(),
        of: change.of.clone(),
        slug: change.slug.clone(),
        payload,
        body,
    }))
}

/// Documents that are in the target, whole, and should be public.
pub(super) async fn staged<S: Sink>(run: &Run<S>, chosen: &[&Change]) -> Result<Vec<String>, ApplyError> {
    let mut staged = Vec::new();
    for change in chosen
        .iter()
        .filter(|c| c.kind == Kind::Document && c.op != Op::Retire)
    {
        let (target, key) = (run.target, change.key.clone());
        let was = run
            .journal
            .read(move |l| l.delivery(target, Kind::Document, &key))
            .await?;
        if was.is_some_and(|w| w.state == DeliveryState::Staged) {
            staged.push(change.key.clone());
        }
    }
    Ok(staged)
}
