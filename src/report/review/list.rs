//! The list of documents: filters, search, page by page.

use super::answer::{Asked, Trouble, beside, page};
use super::guard::Session;
use super::{Shared, State};
use crate::ledger::{Decision, Ledger, Level, ShelfFilter, ShelfRow};
use axum::Extension;
use axum::extract::{Query, State as Of};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

/// Documents on one page.
const PAGE: usize = 50;
/// Words of a search that are looked for.
const WORDS: usize = 8;
/// Longest search, in characters.
const SEARCH: usize = 200;

/// Which documents are looked through, and where in the list; as addresses carry it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct View {
    q: String,
    collection: String,
    gate: String,
    verdict: String,
    cms: String,
    after: String,
    before: String,
    pub(super) lang: Option<String>,
    /// What was just done, to which document.
    pub(super) said: String,
    pub(super) of: String,
    /// Which page of a document with several.
    pub(super) part: usize,
    /// Revisions that are compared.
    pub(super) old: String,
    pub(super) new: String,
}

impl View {
    /// The filters alone, as a query: what leads from one document to the next.
    pub(super) fn query(&self) -> String {
        let pairs = [
            ("q", &self.q),
            ("collection", &self.collection),
            ("gate", &self.gate),
            ("verdict", &self.verdict),
            ("cms", &self.cms),
        ];
        let set = pairs.iter().filter(|(_, value)| !value.is_empty());
        let all: Vec<String> = set
            .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)))
            .collect();
        all.join("&")
    }

    /// The filters of a query that a form brings back.
    pub(super) fn of_query(query: &str) -> Self {
        let mut view = Self::default();
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()).take(20) {
            let slot = match &*name {
                "q" => &mut view.q,
                "collection" => &mut view.collection,
                "gate" => &mut view.gate,
                "verdict" => &mut view.verdict,
                "cms" => &mut view.cms,
                _ => continue,
            };
            *slot = value.into_owned();
        }
        view
    }

    pub(super) fn filter(&self, state: &State) -> ShelfFilter {
        let given = |text: &str| Some(text.to_owned()).filter(|t| !t.is_empty());
        let short: String = self.q.chars().take(SEARCH).collect();
        ShelfFilter {
            collection: given(&self.collection),
            level: [Level::Clean, Level::Warn, Level::Fail]
                .into_iter()
                .find(|l| l.as_str() == self.gate),
            verdict: DECISIONS.into_iter().find(|d| d.as_str() == self.verdict),
            delivered: given(&self.cms),
            words: state
                .material
                .fold(&short)
                .split_whitespace()
                .take(WORDS)
                .map(|word| without_host(word).to_owned())
                .collect(),
        }
    }

    /// An address with the filters and more.
    pub(super) fn address(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut query = self.query();
        for (name, value) in more {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(&format!(
                "{name}={}",
                utf8_percent_encode(value, NON_ALPHANUMERIC)
            ));
        }
        if query.is_empty() {
            path.to_owned()
        } else {
            format!("{path}?{query}")
        }
    }
}

/// An address that somebody has copied is looked for by what stands behind its host, as documents are found.
fn without_host(word: &str) -> &str {
    match word.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => word,
    }
}

const DECISIONS: [Decision; 4] = [
    Decision::Open,
    Decision::Approved,
    Decision::Rejected,
    Decision::Outdated,
];

pub(super) async fn list(
    Of(state): Of<Shared>,
    Query(view): Query<View>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&state, headers, session, view.lang.as_deref());
    beside(state, asked, move |state, asked| shown(state, asked, &view)).await
}

fn shown(state: &State, asked: &Asked, view: &View) -> Result<Response, Trouble> {
    let ledger = state.material.ledger()?;
    let filter = view.filter(state);
    let (mut rows, earlier, later);
    if view.before.is_empty() {
        rows = ledger.shelf(&filter, &view.after, PAGE + 1)?;
        later = rows.len() > PAGE;
        rows.truncate(PAGE);
        earlier = match rows.first() {
            Some(first) if !view.after.is_empty() => {
                !ledger.shelf_before(&filter, &first.sort, 1)?.is_empty()
            }
            _ => !view.after.is_empty(),
        };
    } else {
        rows = ledger.shelf_before(&filter, &view.before, PAGE + 1)?;
        earlier = rows.len() > PAGE;
        rows.truncate(PAGE);
        rows.reverse();
        later = true;
    }
    let verdicts = ledger.shelf_verdicts()?;
    let count = |d: Decision| verdicts.iter().find(|v| v.0 == d).map_or(0, |v| v.1);
    let total: u64 = verdicts.iter().map(|v| v.1).sum();
    let found = if view.query().is_empty() {
        total
    } else {
        ledger.shelf_count(&filter)?
    };
    let link = |name: &str, at: Option<&ShelfRow>, there: bool| {
        at.filter(|_| there)
            .map(|row| view.address("/", &[(name, &row.sort)]))
    };
    let collections = ledger.shelf_collections()?;
    let (approved, rejected) = (count(Decision::Approved), count(Decision::Rejected));
    let content = json!({
        "title": asked.language.word("list_title"),
        "q": view.q, "collection": view.collection, "gate": view.gate, "verdict": view.verdict, "cms": view.cms,
        "collections": collections,
        "gates": options(asked, "gate", &["fail", "warn", "clean"]),
        "verdicts": options(asked, "verdict", &DECISIONS.map(Decision::as_str)),
        "deliveries": options(asked, "cms", &["none", "staged", "live", "retired", "refused"]),
        "filtered": !view.query().is_empty(),
        "found": number(found), "total": number(total),
        "approved": number(approved), "rejected": number(rejected), "open": number(count(Decision::Open)),
        "outdated": number(count(Decision::Outdated)),
        "judged": ((approved + rejected) * 100).checked_div(total).unwrap_or(0),
        "rows": rows.iter().map(|row| line(&ledger, asked, view, row)).collect::<Result<Vec<_>, _>>()?,
        "earlier": link("before", rows.first(), earlier),
        "later": link("after", rows.last(), later),
        "said": said(&ledger, asked, view)?,
        "language_links": languages(view, "/"),
    });
    page(state, asked, StatusCode::OK, "list", content)
}

/// The choices of a filter, each with its word.
fn options(asked: &Asked, of: &str, values: &[&str]) -> Vec<Value> {
    values
        .iter()
        .map(|value| json!({ "value": value, "word": asked.language.word(&format!("{of}_{value}")) }))
        .collect()
}

fn line(ledger: &Ledger, asked: &Asked, view: &View, row: &ShelfRow) -> Result<Value, Trouble> {
    let id = row.id.parse().map_err(|_| Trouble::Nothing)?;
    let known = ledger.document(&id)?;
    let (collection, key) = known
        .as_ref()
        .map(|d| (d.collection.as_str(), d.source_key.as_str()))
        .unwrap_or_default();
    let gates: Vec<String> = known
        .as_ref()
        .and_then(|d| serde_json::from_str::<Vec<crate::document::Gate>>(&d.gates).ok())
        .unwrap_or_default()
        .into_iter()
        .map(|gate| gate.id)
        .collect();
    Ok(json!({
        "address": view.address(&format!("/d/{}", row.id), &[]),
        "title": row.title, "key": key,
        "collection": Some(collection).filter(|c| !key.starts_with(*c)),
        "level": row.level.as_str(), "level_word": asked.language.word(&format!("gate_{}", row.level.as_str())),
        "gates": gates.join(", "),
        "verdict": row.verdict.as_str(),
        "verdict_word": asked.language.word(&format!("verdict_{}", row.verdict.as_str())),
    }))
}

/// What was just done, with a way to take it back.
pub(super) fn said(ledger: &Ledger, asked: &Asked, view: &View) -> Result<Value, Trouble> {
    let key = match view.said.as_str() {
        "approved" => "said_approved",
        "rejected" => "said_rejected",
        "withdrawn" => "said_withdrawn",
        _ => return Ok(Value::Null),
    };
    let Some(row) = ledger.shelved(&view.of)? else {
        return Ok(Value::Null);
    };
    Ok(json!({
        "text": asked.language.word(key).replacen("{}", &row.title, 1),
        "address": view.address(&format!("/d/{}", row.id), &[]),
        "id": row.id,
        "undo": view.said != "withdrawn",
        "query": view.query(),
    }))
}

/// The same page in each language.
pub(super) fn languages(view: &View, path: &str) -> Vec<Value> {
    super::words::Language::ALL
        .iter()
        .map(|l| {
            json!({ "code": l.as_str(), "word": l.word("language_name"), "address": view.address(path, &[("lang", l.as_str())]) })
        })
        .collect()
}

/// A number with thin spaces between thousands, which both languages read.
pub(super) fn number(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push('\u{202F}');
        }
        out.push(c);
    }
    out
}

pub(super) async fn help(
    Of(state): Of<Shared>,
    Query(view): Query<View>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
) -> Response {
    let asked = Asked::new(&state, headers, session, view.lang.as_deref());
    beside(state, asked, move |state, asked| {
        let content = json!({
            "title": asked.language.word("help_title"), "language_links": languages(&view, "/help"),
        });
        page(state, asked, StatusCode::OK, "help", content)
    })
    .await
}
