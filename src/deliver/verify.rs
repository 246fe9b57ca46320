//! Reads everything back and says what was lost on the way: success codes hide dropped data.

use super::apply::Loss;
use super::entry::{Asset, Mapper, Term};
use super::failure::Class;
use super::links;
use super::packed::unpack;
use super::render::shown;
use super::sink::{Item, Links, Payload, Remote, Sink, Stage, Wire};
use super::survey::{Survey, SurveyError};
use crate::document::CaptureId;
use crate::ledger::{Delivery, DeliveryState, Kind, Ledger};
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Rows that are read at once.
const ROWS: usize = 100;
/// Characters of a text that a finding repeats.
const SAID: usize = 160;

/// What was read back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verified {
    /// Documents that were read.
    pub documents: u64,
    /// Files whose bytes were compared.
    pub media: u64,
    /// Categories and tags.
    pub terms: u64,
    /// Everything that differs.
    pub losses: Vec<Loss>,
    /// Was it ended by Ctrl-C?
    pub interrupted: bool,
}

/// Reads the objects of `target` back: all, or those that one run wrote.
///
/// # Errors
/// [`SurveyError`] when target or ledger cannot be read.
pub async fn verify<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    mapper: &Mapper,
    run: Option<i64>,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64),
) -> Result<Verified, SurveyError> {
    // Second copies of everything are looked for when everything is read.
    let survey = match run {
        Some(_) => Survey::default(),
        None => Survey::look(sink, ledger, None, mapper).await?,
    };
    let mut verified = Verified::default();
    for kind in [Kind::Term, Kind::Media, Kind::Document] {
        let mut after = String::new();
        loop {
            if cancel.is_cancelled() {
                verified.interrupted = true;
                return Ok(verified);
            }
            let mut rows = ledger.deliveries(target, kind, &after, ROWS)?;
            let Some(last) = rows.last() else { break };
            after.clone_from(&last.key);
            rows.retain(|r| run.is_none_or(|run| r.run == run));
            page(sink, ledger, target, kind, rows, &survey, &mut verified).await?;
            progress(verified.documents + verified.media + verified.terms);
        }
    }
    Ok(verified)
}

async fn page<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    kind: Kind,
    rows: Vec<Delivery>,
    survey: &Survey,
    verified: &mut Verified,
) -> Result<(), SurveyError> {
    let mut types: Vec<String> = rows.iter().map(|r| r.of.clone()).collect();
    types.sort();
    types.dedup();
    for of in types {
        let rows: Vec<&Delivery> = rows.iter().filter(|r| r.of == of).collect();
        let ids: Vec<String> = rows.iter().filter_map(|r| r.remote.clone()).collect();
        let there = sink.read(kind, &of, &ids).await?;
        for row in rows {
            let mut losses = Losses {
                row,
                title: row.slug.clone().unwrap_or_default(),
                found: &mut verified.losses,
            };
            match row.state {
                DeliveryState::Intent if row.remote.is_none() => {
                    losses.add("half written", "", "a write was begun and not ended: apply again");
                    continue;
                }
                DeliveryState::Refused => {
                    losses.add("missing", "", "the target refused it: see the quarantine file");
                    continue;
                }
                _ => {}
            }
            let Some(id) = &row.remote else { continue };
            let Some(remote) = there.iter().find(|r| r.id == *id) else {
                losses.add("missing", "", &format!("#{id} is not there"));
                continue;
            };
            if let Some(copy) = survey.copy_of(row) {
                losses.add("duplicate", "", &format!("#{copy} has its key or slug too"));
            }
            match kind {
                Kind::Document => {
                    verified.documents += 1;
                    document(sink, ledger, target, row, remote, &mut losses)?;
                }
                Kind::Media => {
                    verified.media += 1;
                    media(sink, ledger, target, row, remote, &mut losses).await?;
                }
                _ => {
                    verified.terms += 1;
                    term(sink, ledger, target, row, remote, &mut losses)?;
                }
            }
        }
    }
    Ok(())
}

struct Losses<'a> {
    row: &'a Delivery,
    title: String,
    found: &'a mut Vec<Loss>,
}

impl Losses<'_> {
    fn add(&mut self, field: &str, ours: &str, theirs: &str) {
        let short = |t: &str| t.chars().take(SAID).collect();
        self.found.push(Loss {
            key: self.row.key.clone(),
            title: self.title.clone(),
            remote: self.row.remote.clone().unwrap_or_default(),
            field: field.to_owned(),
            ours: short(ours),
            theirs: short(theirs),
        });
    }
}

fn document<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    row: &Delivery,
    remote: &Remote,
    losses: &mut Losses<'_>,
) -> Result<(), SurveyError> {
    let Some((was, item)) = links::pushed(ledger, target, &row.key)? else {
        losses.add(
            "half written",
            "",
            "its payload is not in the ledger: apply again",
        );
        return Ok(());
    };
    let Payload::Document(entry) = &item.body else {
        return Ok(());
    };
    losses.title.clone_from(&entry.title);
    if row.state == DeliveryState::Retired {
        if remote.live {
            losses.add("state", "taken off", "public");
        }
        return Ok(());
    }
    if row.state == DeliveryState::Staged {
        losses.add("state", &entry.state, "not public yet: apply again");
    }
    let known = links::of(ledger, target, &item)?;
    let mut wire = links::wire(sink, &was, &item, &known);
    // What belongs to the editors is theirs to change.
    links::without(&mut wire, &ledger.kept(target, &row.key)?);
    let body = sink.body_field();
    for (name, ours) in &wire.fields {
        let theirs = remote.fields.get(name).cloned().unwrap_or_default();
        if name == body {
            compare_body(ours, &theirs, losses);
        } else if !sink.same(name, ours, &theirs) {
            losses.add(sink.label(name), &plain(ours), &plain(&theirs));
        }
    }
    // What readers see is a step further than what is stored: shortcodes and filters act there.
    if let (Some(rendered), Some(ours)) = (&remote.rendered, wire.fields.get(body).and_then(Value::as_str)) {
        let (ours, theirs) = (shown(ours).words, shown(rendered).words);
        if ours != theirs {
            let (a, b) = around(&ours, &theirs);
            losses.add("shown text", &a, &b);
        }
    }
    Ok(())
}

/// Words, links and pictures of a body; what differs besides is markup.
fn compare_body(ours: &Value, theirs: &Value, losses: &mut Losses<'_>) {
    let (raw, shown_raw) = (plain(ours), plain(theirs));
    let (a, b) = (shown(&raw), shown(&shown_raw));
    let before = losses.found.len();
    if a.words != b.words {
        let (ours, theirs) = around(&a.words, &b.words);
        losses.add("text", &ours, &theirs);
    }
    if a.links != b.links {
        let (ours, theirs) = around(&a.links, &b.links);
        losses.add("links", &ours, &theirs);
    }
    if a.images != b.images {
        let (ours, theirs) = around(&a.images, &b.images);
        losses.add("pictures", &ours, &theirs);
    }
    if losses.found.len() == before && raw.trim() != shown_raw.trim() {
        let same = raw
            .chars()
            .zip(shown_raw.chars())
            .take_while(|(a, b)| a == b)
            .count();
        let part = |t: &str| t.chars().skip(same.saturating_sub(20)).collect::<String>();
        losses.add("markup", &part(&raw), &part(&shown_raw));
    }
}

/// Two lists around their first difference.
fn around(a: &[String], b: &[String]) -> (String, String) {
    let same = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let part = |list: &[String]| {
        list.iter()
            .skip(same.saturating_sub(2))
            .take(12)
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    };
    (part(a), part(b))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What the target shows otherwise than it was sent, field by field.
fn fields<S: Sink>(sink: &S, wire: &Wire, remote: &Remote, losses: &mut Losses<'_>) {
    for (name, ours) in &wire.fields {
        let theirs = remote.fields.get(name).cloned().unwrap_or_default();
        if !sink.same(name, ours, &theirs) {
            losses.add(sink.label(name), &plain(ours), &plain(&theirs));
        }
    }
}

/// A category or tag of ours: name, slug, the one above. One that was there before us is its owner's.
fn term<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    row: &Delivery,
    remote: &Remote,
    losses: &mut Losses<'_>,
) -> Result<(), SurveyError> {
    let pushed = ledger
        .pushed(target, Kind::Term, &row.key)?
        .and_then(|b| unpack(&b));
    let Some(term) = pushed
        .and_then(|v| serde_json::from_value::<Term>(v).ok())
        .filter(|_| row.ours)
    else {
        return Ok(());
    };
    losses.title.clone_from(&term.name);
    let item = Item {
        key: row.key.clone(),
        of: row.of.clone(),
        slug: row.slug.clone().unwrap_or_default(),
        payload: row.payload.unwrap_or_else(|| CaptureId::of(b"")),
        body: Payload::Term(term),
    };
    let wire = sink.wire(&item, &links::of(ledger, target, &item)?, Stage::Final);
    fields(sink, &wire, remote, losses);
    Ok(())
}

async fn media<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    row: &Delivery,
    remote: &Remote,
    losses: &mut Losses<'_>,
) -> Result<(), SurveyError> {
    let pushed = ledger
        .pushed(target, Kind::Media, &row.key)?
        .and_then(|b| unpack(&b));
    let Some(asset) = pushed.and_then(|v| serde_json::from_value::<Asset>(v).ok()) else {
        losses.add(
            "half written",
            "",
            "its payload is not in the ledger: apply again",
        );
        return Ok(());
    };
    losses.title.clone_from(&asset.filename);
    let item = Item {
        key: row.key.clone(),
        of: row.of.clone(),
        slug: row.slug.clone().unwrap_or_default(),
        payload: row.payload.unwrap_or_else(|| CaptureId::of(b"")),
        body: Payload::Media(asset.clone(), std::path::PathBuf::new()),
    };
    let wire = sink.wire(&item, &Links::default(), Stage::Final);
    fields(sink, &wire, remote, losses);
    let Some(url) = sink.media_url(remote).and_then(|u| Url::parse(&u).ok()) else {
        losses.add("bytes", "", "the target names no address of the file");
        return Ok(());
    };
    let named = url.path_segments().and_then(Iterator::last).unwrap_or_default();
    if sink.keeps_names() && named != asset.filename {
        losses.add("file name", &asset.filename, named);
    }
    match sink
        .api()
        .file(&url, asset.bytes.saturating_mul(4).max(1 << 20))
        .await
    {
        Ok(bytes) => {
            let found = format!("media:{}", CaptureId::of(&bytes));
            if found != row.key {
                let theirs = format!("{} bytes with another content", bytes.len());
                losses.add("bytes", &format!("{} bytes", asset.bytes), &theirs);
            }
        }
        Err(failure) if failure.class == Class::Auth => return Err(failure.into()),
        Err(failure) => losses.add("bytes", &format!("{} bytes", asset.bytes), &failure.to_string()),
    }
    Ok(())
}
