//! Verdicts: stored when a form brings one, and written out for others.

use super::answer::{Asked, Trouble, YEAR, beside};
use super::document::{self, Said};
use super::guard::Session;
use super::list::View;
use super::{Shared, State};
use crate::document::DocumentId;
use crate::ledger::{Judged, Ledger, LedgerError, clock};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Form, Path, State as Of};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::json;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Longest note, in characters.
const NOTE: usize = 4000;
/// Longest name, in characters.
const NAME: usize = 80;
/// How long a verdict waits for a ledger that another process writes. A batch of a crawl holds it for the whole run; another
/// reviewer's verdict is written in a moment.
const PATIENCE: Duration = Duration::from_secs(2);
/// Pause between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// Verdicts that are read at once.
const ROWS: usize = 500;

/// What the form brings.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Decided {
    token: String,
    verdict: String,
    note: String,
    name: String,
    revision: String,
    /// Filters of the list that the person goes through.
    query: String,
}

pub(super) async fn decide(
    Of(state): Of<Shared>,
    Path(id): Path<String>,
    Extension(session): Extension<Session>,
    headers: HeaderMap,
    Form(form): Form<Decided>,
) -> Response {
    let asked = Asked::new(&state, headers, session, None);
    beside(state, asked, move |state, asked| stored(state, asked, &id, &form)).await
}

fn stored(state: &State, asked: &Asked, id: &str, form: &Decided) -> Result<Response, Trouble> {
    let word = |key: &str| asked.language.word(key).to_owned();
    if !state.is_signed("form", &asked.session, &form.token) {
        return Err(Trouble::Said(StatusCode::FORBIDDEN, word("form_old")));
    }
    let parsed: DocumentId = id.parse().map_err(|_| Trouble::Nothing)?;
    let id = parsed.to_string();
    let view = View::of_query(&form.query);
    let again = |status, text: String| {
        let said = Said {
            status,
            text,
            note: form.note.clone(),
            name: form.name.clone(),
        };
        document::shown(state, asked, &id, &view, Some(&said))
    };
    let short = |text: &str, most| -> String { text.trim().chars().take(most).collect() };
    let note = short(&form.note, NOTE);
    let given = short(&form.name, NAME);
    let who = if given.is_empty() { asked.who(state) } else { given };
    if who.is_empty() {
        return again(StatusCode::UNPROCESSABLE_ENTITY, word("name_missing"));
    }
    let approved = match form.verdict.as_str() {
        "approve" => true,
        "reject" if note.is_empty() => {
            return again(StatusCode::UNPROCESSABLE_ENTITY, word("note_missing"));
        }
        "reject" => false,
        "withdraw" => false,
        _ => return Err(Trouble::Wrong),
    };
    let mut ledger = match patient(state) {
        Ok(ledger) => ledger,
        Err(LedgerError::Locked { owner, .. }) => {
            return again(
                StatusCode::CONFLICT,
                word("ledger_busy").replacen("{}", &owner, 1),
            );
        }
        Err(error) => return again(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    };
    let at = clock::now().as_millisecond();
    let withdraw = form.verdict == "withdraw";
    let done = if withdraw {
        ledger.withdraw(&id, &who, at)
    } else {
        ledger.decide(&id, Some(&form.revision), approved, &note, &who, at)
    };
    drop(ledger);
    match done {
        Ok(true) => {}
        Ok(false) if withdraw => {}
        Ok(false) => return again(StatusCode::CONFLICT, word("document_changed")),
        Err(error) => return again(StatusCode::SERVICE_UNAVAILABLE, error.to_string()),
    }
    let said = match (withdraw, approved) {
        (true, _) => "withdrawn",
        (false, true) => "approved",
        (false, false) => "rejected",
    };
    // On to the next one; who takes a verdict back stays.
    let reading = state.material.ledger()?;
    let filter = view.filter(state);
    let here = reading.shelved(&id)?;
    let next = match &here {
        Some(row) if !withdraw => reading.shelf(&filter, &row.sort, 1)?.into_iter().next(),
        _ => None,
    };
    let path = match (withdraw, next) {
        (true, _) => format!("/d/{id}"),
        (false, Some(next)) => format!("/d/{}", next.id),
        (false, None) => "/".to_owned(),
    };
    let address = view.address(&path, &[("said", said), ("of", &id)]);
    let mut answer = (StatusCode::SEE_OTHER, [(header::LOCATION, address)]).into_response();
    let name = utf8_percent_encode(&who, NON_ALPHANUMERIC).to_string();
    if let Some(cookie) = state.set_cookie("name", &name, Some(YEAR)) {
        answer.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(answer)
}

/// The ledger for one verdict; a moment of patience if somebody else writes one just now.
fn patient(state: &State) -> Result<Ledger, LedgerError> {
    let began = Instant::now();
    loop {
        match state.material.amend() {
            Err(LedgerError::Locked { .. }) if began.elapsed() < PATIENCE => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
}

/// The verdict as a program reads it.
fn object(judged: &Judged) -> serde_json::Value {
    let verdict = &judged.verdict;
    json!({
        "schema": "verdict/1", "type": "verdict", "document": verdict.document, "collection": judged.collection,
        "source_key": judged.source_key, "title": judged.title, "url": judged.url, "revision": verdict.revision,
        "verdict": verdict.decision.as_str(), "current": judged.current, "note": verdict.note, "by": verdict.who,
        "at": document::instant(verdict.at),
    })
}

/// Calls `each` with every verdict, by document.
fn all(ledger: &Ledger, each: &mut dyn FnMut(&Judged) -> std::io::Result<()>) -> Result<u64, std::io::Error> {
    let (mut after, mut count) = (String::new(), 0);
    loop {
        let rows = ledger.verdicts(&after, ROWS).map_err(std::io::Error::other)?;
        let Some(last) = rows.last() else { return Ok(count) };
        after.clone_from(&last.verdict.document);
        for row in &rows {
            each(row)?;
            count += 1;
        }
    }
}

/// Writes all verdicts as JSON lines (`verdict/1`); tells how many.
///
/// # Errors
/// When the ledger cannot be read or `out` not be written.
pub fn export_json(ledger: &Ledger, out: &mut dyn Write) -> std::io::Result<u64> {
    let count = all(ledger, &mut |judged| writeln!(out, "{}", object(judged)))?;
    out.flush()?;
    Ok(count)
}

const COLUMNS: [&str; 11] = [
    "document",
    "collection",
    "source_key",
    "title",
    "url",
    "revision",
    "verdict",
    "current",
    "note",
    "by",
    "at",
];

/// Writes all verdicts as CSV (RFC 4180, UTF-8 with a byte order mark); tells how many. A text that a spreadsheet would run
/// as a formula gets an apostrophe.
///
/// # Errors
/// When the ledger cannot be read or `out` not be written.
pub fn export_csv(ledger: &Ledger, out: &mut dyn Write) -> std::io::Result<u64> {
    out.write_all("\u{FEFF}".as_bytes())?;
    let mut csv = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(out);
    csv.write_record(COLUMNS)?;
    let count = all(ledger, &mut |judged| {
        let object = object(judged);
        let cells = COLUMNS.map(|name| match &object[name] {
            serde_json::Value::String(text) => harmless(text),
            serde_json::Value::Null => String::new(),
            other => other.to_string(),
        });
        csv.write_record(cells).map_err(std::io::Error::other)
    })?;
    csv.flush()?;
    Ok(count)
}

fn harmless(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

pub(super) async fn csv(Of(state): Of<Shared>) -> Response {
    download(state, "text/csv; charset=utf-8", "verdicts.csv", export_csv)
}

pub(super) async fn json(Of(state): Of<Shared>) -> Response {
    download(state, "application/x-ndjson", "verdicts.json", export_json)
}

type Export = fn(&Ledger, &mut dyn Write) -> std::io::Result<u64>;

/// A file that is written while it is sent: no more of it is held than a few pieces.
fn download(state: Shared, kind: &'static str, name: &str, export: Export) -> Response {
    let (tell, told) = channel(4);
    tokio::task::spawn_blocking(move || {
        let mut out = std::io::BufWriter::with_capacity(1 << 16, Sending(tell.clone()));
        let done = state
            .material
            .ledger()
            .map_err(std::io::Error::other)
            .and_then(|ledger| export(&ledger, &mut out));
        if let Err(error) = done {
            // The connection breaks off: half a file must not look like a whole one.
            let _ = tell.blocking_send(Err(error));
        }
    });
    let disposition = format!("attachment; filename=\"{name}\"");
    (
        [
            (header::CONTENT_TYPE, kind.to_owned()),
            (header::CONTENT_DISPOSITION, disposition),
        ],
        Body::new(Pieces(told)),
    )
        .into_response()
}

type Piece = std::io::Result<Bytes>;

struct Sending(Sender<Piece>);

impl Write for Sending {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let gone = |_| std::io::ErrorKind::BrokenPipe;
        self.0
            .blocking_send(Ok(Bytes::copy_from_slice(bytes)))
            .map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

struct Pieces(Receiver<Piece>);

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0
            .poll_recv(context)
            .map(|piece| piece.map(|p| p.map(Frame::data)))
    }
}
