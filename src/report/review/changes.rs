//! How a document changed between two of its revisions.

use super::answer::{Asked, Trouble, beside, page};
use super::document::{Found, find, time};
use super::guard::Session;
use super::list::{View, languages};
use super::{Shared, State};
use crate::diff::{BlockChange, Change, Difference, compare};
use crate::document::Document;
use crate::ledger::{Ledger, Revision};
use axum::Extension;
use axum::extract::{Path, Query, State as Of};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// Changes of one kind that are shown; a page that became another one has thousands.
const SHOWN: usize = 200;
/// Revisions that can be chosen.
const REVISIONS: usize = 100;

pub(super) async fn changes(
    Of(state): Of<Shared>,
    Path(id): Path<String>,
    Query(view): Query<View>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&state, headers, session, view.lang.as_deref());
    beside(state, asked, move |state, asked| shown(state, asked, &id, &view)).await
}

/// Revisions with another content than the one before them, newest first, as a person chooses among them.
pub(super) fn revisions(ledger: &Ledger, id: &str) -> Result<Vec<Revision>, Trouble> {
    let mut all = ledger.revisions(id)?;
    all.retain(|r| !r.content.is_empty());
    all.truncate(REVISIONS);
    Ok(all)
}

fn shown(state: &State, asked: &Asked, id: &str, view: &View) -> Result<Response, Trouble> {
    let ledger = state.material.ledger()?;
    let Found { document, .. } = find(state, &ledger, id)?;
    let all = revisions(&ledger, id)?;
    // Without a choice: the newest against the newest that says something else.
    let new = Some(view.new.clone())
        .filter(|n| !n.is_empty())
        .or_else(|| all.first().map(|r| r.content.clone()))
        .unwrap_or_default();
    let old = Some(view.old.clone())
        .filter(|o| !o.is_empty())
        .or_else(|| all.iter().find(|r| r.content != new).map(|r| r.content.clone()))
        .unwrap_or_default();
    let read = |content: &str| -> Result<Option<Document>, Trouble> {
        let Some(json) = ledger.revision(id, content)? else {
            return Ok(None);
        };
        serde_json::from_slice(&json)
            .map(Some)
            .map_err(|_| Trouble::Nothing)
    };
    let difference = match (read(&old)?, read(&new)?) {
        (Some(old), Some(new)) => told(&compare(&old, &new)),
        _ => Value::Null,
    };
    let choices: Vec<Value> = all
        .iter()
        .map(|r| json!({ "content": r.content, "at": time(r.at), "short": r.content.get(..8) }))
        .collect();
    let content = json!({
        "title": asked.language.word("changes_title"),
        "document": {
            "title": document.title.as_deref().unwrap_or(&document.source_key),
            "address": view.address(&format!("/d/{id}"), &[]),
        },
        "action": format!("/d/{id}/changes"),
        "revisions": choices, "old": old, "new": new, "difference": difference,
        "language_links": languages(view, &format!("/d/{id}/changes")),
    });
    page(state, asked, StatusCode::OK, "changes", content)
}

fn told(difference: &Difference) -> Value {
    let changes = |all: &[Change]| -> Vec<Value> { all.iter().take(SHOWN).map(change).collect() };
    let origins: Vec<Value> = difference
        .origins
        .iter()
        .take(SHOWN)
        .map(|o| json!({ "name": o.field, "old": o.old, "new": o.new, "words": [] }))
        .collect();
    let drops: Vec<Value> = difference
        .drops
        .iter()
        .take(SHOWN)
        .map(|d| json!({ "name": d.rule, "old": d.old.to_string(), "new": d.new.to_string(), "words": [] }))
        .collect();
    json!({
        "nothing": difference.is_empty(),
        "fields": changes(&difference.fields),
        "body": difference.body.iter().take(SHOWN).map(block).collect::<Vec<_>>(),
        "media": changes(&difference.media),
        "links": changes(&difference.links),
        "origins": origins,
        "drops": drops,
        "accounting": changes(&difference.accounting),
        "gates": changes(&difference.gates),
    })
}

fn change(change: &Change) -> Value {
    let words: Vec<Value> = change
        .words
        .iter()
        .map(|piece| json!({ "tag": piece.tag, "text": piece.text }))
        .collect();
    json!({ "name": change.name, "old": change.old, "new": change.new, "words": words })
}

fn block(block: &BlockChange) -> Value {
    match block {
        BlockChange::Added { kind, text, .. } => json!({ "change": "added", "kind": kind, "text": text }),
        BlockChange::Removed { kind, text, .. } => json!({ "change": "removed", "kind": kind, "text": text }),
        BlockChange::Moved { kind, text, .. } => json!({ "change": "moved", "kind": kind, "text": text }),
        BlockChange::Changed { kind, parts, .. } => json!({
            "change": "changed", "kind": kind, "parts": parts.iter().map(change).collect::<Vec<_>>(),
        }),
    }
}
