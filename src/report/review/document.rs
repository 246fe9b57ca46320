//! One document: the page that it was made of, what it became, where everything comes from, and the verdict.

use super::answer::{Asked, Trouble, beside, page};
use super::archived;
use super::changes::revisions;
use super::guard::Session;
use super::list::{View, languages, number, said};
use super::{Shared, State};
use crate::document::{Dates, Document, DocumentId, GateLevel, Media, MediaState};
use crate::ledger::{Decision, DocumentRow, Ledger, ShelfRow};
use axum::Extension;
use axum::extract::{Path, Query, State as Of};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

/// Rows of one table that are shown; a page with ten thousand pictures is no page for people.
const SHOWN: usize = 500;

pub(super) async fn document(
    Of(state): Of<Shared>,
    Path(id): Path<String>,
    Query(view): Query<View>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&state, headers, session, view.lang.as_deref());
    beside(state, asked, move |state, asked| {
        shown(state, asked, &id, &view, None)
    })
    .await
}

/// A document of the ledger with its file.
pub(super) struct Found {
    pub(super) row: DocumentRow,
    pub(super) document: Document,
}

pub(super) fn find(state: &State, ledger: &Ledger, id: &str) -> Result<Found, Trouble> {
    let id: DocumentId = id.parse().map_err(|_| Trouble::Nothing)?;
    let row = ledger.document(&id)?.ok_or(Trouble::Nothing)?;
    let document = state
        .material
        .document(&row.collection, &id)?
        .ok_or(Trouble::Nothing)?;
    Ok(Found { row, document })
}

/// Why a form comes back, with what stood in it.
pub(super) struct Said {
    pub(super) status: StatusCode,
    pub(super) text: String,
    pub(super) note: String,
    pub(super) name: String,
}

pub(super) fn shown(
    state: &State,
    asked: &Asked,
    id: &str,
    view: &View,
    back: Option<&Said>,
) -> Result<Response, Trouble> {
    let ledger = state.material.ledger()?;
    let Found { row, document } = find(state, &ledger, id)?;
    let filter = view.filter(state);
    let shelf = ledger.shelved(id)?;
    let (mut earlier, mut later, mut place) = (None, None, None);
    if let Some(here) = &shelf {
        let (at, of) = (
            ledger.shelf_place(&filter, &here.sort)?,
            ledger.shelf_count(&filter)?,
        );
        place = Some(format!("{} / {}", number(at), number(of)));
        earlier = ledger.shelf_before(&filter, &here.sort, 1)?.into_iter().next();
        later = ledger.shelf(&filter, &here.sort, 1)?.into_iter().next();
    }
    let link = |row: Option<ShelfRow>| {
        row.map(|r| json!({ "address": view.address(&format!("/d/{}", r.id), &[]), "title": r.title }))
    };
    let address = |token: &str| -> Option<String> {
        match token.split_once(':')? {
            ("media", hash) => hash.parse().ok().map(|id| state.media_address(id)),
            ("doc", id) => id.parse::<DocumentId>().ok().map(|id| format!("/d/{id}")),
            _ => None,
        }
    };
    let body = state.material.body(&document, &address);
    let word = |key: &str| asked.language.word(key);
    let verdict = ledger.verdict(id)?;
    let standing = shelf.map_or(Decision::Open, |s| s.verdict);
    let sum = &document.accounting;
    let parts: Vec<Value> = document
        .provenance
        .parts
        .iter()
        .enumerate()
        .map(|(n, _)| json!({ "n": n + 1, "address": view.address(&format!("/d/{id}"), &[("part", &n.to_string())]), "here": n == view.part }))
        .collect();
    let (frame, begin) = archived::frame(&document, id, view.part);
    let content = json!({
        "title": document.title.as_deref().unwrap_or(&document.source_key),
        "id": id, "key": document.source_key, "collection": document.collection,
        "document_language": document.language,
        "revision": row.content, "url": document.provenance.fetch.requested,
        "frame": format!("{frame}{begin}"), "parts": parts,
        "body": body,
        "summary": document.summary,
        "visible": number(sum.visible as u64), "kept": number(sum.kept as u64), "dropped": number(sum.dropped as u64),
        "unaccounted": sum.unaccounted,
        "fields": fields(&document, id, asked),
        "gates": gates(&document, asked),
        "media": media(state, &document, asked),
        "drops": drops(&document),
        "place": place,
        "earlier": link(earlier), "later": link(later),
        "list": view.address("/", &[]), "query": view.query(),
        "standing": standing.as_str(), "standing_word": word(&format!("verdict_{}", standing.as_str())),
        "verdict": verdict.map(|v| json!({
            "word": word(&format!("verdict_{}", v.decision.as_str())), "who": v.who, "note": v.note, "at": time(v.at),
        })),
        "log": ledger.verdict_log(id)?.into_iter().map(|v| json!({
            "word": word(if v.decision == Decision::Open { "log_withdrawn" } else if v.decision == Decision::Approved { "verdict_approved" } else { "verdict_rejected" }),
            "who": v.who, "note": v.note, "at": time(v.at), "current": v.revision == row.content,
        })).collect::<Vec<_>>(),
        "history": history(&ledger, id, asked)?,
        "changes": view.address(&format!("/d/{id}/changes"), &[]),
        "back": back.map(|b| json!({ "text": b.text, "note": b.note, "name": b.name })),
        "said": said(&ledger, asked, view)?,
        "language_links": languages(view, &format!("/d/{id}")),
    });
    let status = back.map_or(StatusCode::OK, |b| b.status);
    page(state, asked, status, "document", content)
}

/// A time for people: to the minute, in UTC.
pub(super) fn time(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|t| t.strftime("%Y-%m-%d %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// A time for programs (RFC 3339).
pub(super) fn instant(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map(|t| t.to_string())
        .unwrap_or_default()
}

/// The fields with where each comes from.
fn fields(document: &Document, id: &str, asked: &Asked) -> Vec<Value> {
    let word = |key: &str| asked.language.word(key);
    let mut out = Vec::new();
    let mut add = |name: &str, label: &str, value: Option<String>, raw: Option<&str>| {
        let Some(value) = value else { return };
        let from = document.provenance.fields.get(name);
        let date = name
            .strip_prefix("dates.")
            .and_then(|role| document.dates.role(role));
        let confidence = date
            .map(|d| d.confidence)
            .or(from.map(|f| f.confidence))
            .unwrap_or(1.0);
        let method = date.map(|d| d.method.clone()).or(from.map(|f| f.method.clone()));
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share between 0 and 1, in percent"
        )]
        let percent = (confidence.clamp(0.0, 1.0) * 100.0).round() as u32;
        out.push(json!({
            "name": name, "label": label, "value": value, "raw": raw.filter(|r| *r != value),
            "rule": from.map(|f| f.rule.clone()), "rung": from.map(|f| f.rung + 1), "method": method,
            "guess": confidence < 1.0, "percent": percent,
            "place": from.and_then(|f| f.chars).map(|c| place(document, id, c.0)),
        }));
    };
    let text = |t: &Option<String>| t.clone().filter(|t| !t.is_empty());
    add("title", word("field_title"), text(&document.title), None);
    let section = document.section.as_ref();
    let path = section.map(|s| {
        if s.path.is_empty() {
            s.label.clone()
        } else {
            s.path.join(" › ")
        }
    });
    add("section", word("field_section"), path, None);
    for role in Dates::ROLES {
        if let Some(date) = document.dates.role(role) {
            let label = word(&format!("date_{role}"));
            add(
                &format!("dates.{role}"),
                label,
                Some(date.value.clone()),
                Some(&date.raw),
            );
        }
    }
    add(
        "byline",
        word("field_byline"),
        document.byline.as_ref().map(|b| b.raw.clone()),
        None,
    );
    add("source", word("field_source"), text(&document.source), None);
    add("summary", word("field_summary"), text(&document.summary), None);
    add("slug", word("field_slug"), text(&document.slug), None);
    if let Some(legal) = &document.legal
        && let Ok(Value::Object(all)) = serde_json::to_value(legal)
    {
        for (name, value) in &all {
            let name = format!("legal.{name}");
            add(&name, &name, value.as_str().map(str::to_owned), None);
        }
    }
    for (name, value) in document.extra.iter().take(SHOWN) {
        add(name, name, Some(value.clone()), None);
    }
    out
}

/// Where a character of the document's pages is shown.
fn place(document: &Document, id: &str, at: usize) -> String {
    let mut parts = document.provenance.parts.iter().enumerate();
    let (part, from) = parts
        .rfind(|(_, p)| p.chars.0 <= at)
        .map_or((0, 0), |(n, p)| (n, p.chars.0));
    format!("/d/{id}/page?part={part}#c{}", at - from)
}

fn gates(document: &Document, asked: &Asked) -> Vec<Value> {
    let gates = document.quality.gates.iter().take(SHOWN);
    gates
        .map(|gate| {
            let level = if gate.level == GateLevel::Fail { "fail" } else { "warn" };
            json!({ "id": gate.id, "level": level, "word": asked.language.word(&format!("gate_{level}")), "note": gate.note })
        })
        .collect()
}

fn media(state: &State, document: &Document, asked: &Asked) -> Vec<Value> {
    let all = document.media.iter().chain(&document.attachments).take(SHOWN);
    all.map(|medium| one(state, medium, asked)).collect()
}

fn one(state: &State, medium: &Media, asked: &Asked) -> Value {
    let id = medium
        .reference
        .strip_prefix("media:")
        .and_then(|h| h.parse().ok());
    let state_word = match medium.state {
        MediaState::Ok => "media_ok",
        MediaState::Missing => "media_missing",
        MediaState::Forbidden => "media_forbidden",
        MediaState::TooLarge => "media_too_large",
        MediaState::Unfetchable => "media_unfetchable",
    };
    let picture = medium.mime.as_deref().is_some_and(|m| m.starts_with("image/"));
    json!({
        "address": id.map(|id| state.media_address(id)),
        "picture": picture && id.is_some(),
        "name": medium.filename.as_deref().unwrap_or(&medium.source_url),
        "source": medium.source_url, "alt": medium.alt, "caption": medium.caption, "credit": medium.credit,
        "mime": medium.mime, "size": medium.bytes.map(number), "width": medium.width, "height": medium.height,
        "ok": medium.state == MediaState::Ok, "state": asked.language.word(state_word),
        "no_alt": picture && medium.alt.as_deref().is_none_or(|a| a.trim().is_empty()),
    })
}

/// What each rule dropped: how often, how much, and a sample.
fn drops(document: &Document) -> Vec<Value> {
    let mut rules: Vec<(&str, &str, usize, usize, &str)> = Vec::new();
    for dropped in &document.dropped {
        let letters = dropped.text.chars().filter(|c| !c.is_whitespace()).count();
        match rules.iter_mut().find(|r| r.0 == dropped.rule) {
            Some(known) => {
                known.2 += 1;
                known.3 += letters;
            }
            None => rules.push((&dropped.rule, &dropped.reason, 1, letters, &dropped.text)),
        }
    }
    rules
        .into_iter()
        .take(SHOWN)
        .map(|(rule, reason, times, letters, sample)| {
            let sample: String = sample.chars().take(160).collect();
            json!({ "rule": rule, "reason": reason, "times": times, "letters": number(letters as u64), "sample": sample })
        })
        .collect()
}

fn history(ledger: &Ledger, id: &str, asked: &Asked) -> Result<Vec<Value>, Trouble> {
    let all = revisions(ledger, id)?;
    Ok(all
        .iter()
        .enumerate()
        .map(|(n, revision)| {
            let before = all[n + 1..].iter().find(|r| r.content != revision.content);
            json!({
                "at": time(revision.at), "run": revision.run, "short": revision.content.get(..8),
                "standing": asked.language.word(&format!("standing_{}", revision.standing.as_str())),
                "changes": before.map(|b| format!("/d/{id}/changes?old={}&new={}", b.content, revision.content)),
            })
        })
        .collect())
}
