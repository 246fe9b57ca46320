//! A document beside what a target shows of it: not whether the last write arrived (`verify` says that), but whether the target
//! holds what the document says, as far as a target can hold it.

use super::entry::{Entry, Mapper, payload_hash};
use super::links;
use super::render::shown;
use super::sink::{Item, Payload, Remote, Sink};
use super::survey::SurveyError;
use crate::document::Document;
use crate::ledger::{Delivery, DeliveryState, Kind, Ledger};
use serde_json::Value;
use std::collections::HashMap;

/// What a target has of a delivered document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Nothing, and why.
    Nothing(String),
    /// An entry.
    Entry {
        /// Its public address.
        url: Option<String>,
        /// Where it is not what the document would be today; empty without a document.
        other: Vec<Other>,
    },
}

/// What a value is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A field of its own.
    Field,
    /// The words of the body.
    Words,
    /// Where the links of the body lead.
    Links,
    /// The pictures of the body.
    Pictures,
    /// The body besides all these.
    Markup,
}

/// One value that is another in the target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other {
    /// What it is part of.
    pub part: Part,
    /// What the target calls it.
    pub name: String,
    /// What the document says.
    pub ours: String,
    /// What the target shows.
    pub theirs: String,
}

/// Reads what was delivered, in the order of `rows`, beside the documents that are there (by key).
///
/// # Errors
/// [`SurveyError`] when target or ledger cannot be read.
pub async fn beside<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    mapper: &Mapper,
    rows: &[Delivery],
    documents: &HashMap<String, Document>,
) -> Result<Vec<Shows>, SurveyError> {
    let mut there: HashMap<(String, String), Remote> = HashMap::new();
    let mut types: Vec<&str> = rows.iter().map(|r| r.of.as_str()).collect();
    types.sort_unstable();
    types.dedup();
    for of in types {
        let ids = rows
            .iter()
            .filter(|r| r.of == of)
            .filter_map(|r| r.remote.clone());
        for remote in sink.read(Kind::Document, of, &ids.collect::<Vec<_>>()).await? {
            there.insert((of.to_owned(), remote.id.clone()), remote);
        }
    }
    rows.iter()
        .map(|row| {
            let Some(id) = &row.remote else {
                return Ok(Shows::Nothing(match row.state {
                    DeliveryState::Refused => "the target refused it".into(),
                    _ => "a write was begun and not ended".into(),
                }));
            };
            let Some(remote) = there.get(&(row.of.clone(), id.clone())) else {
                return Ok(Shows::Nothing(format!("#{id} is not there any more")));
            };
            if row.state == DeliveryState::Retired && !remote.live {
                return Ok(Shows::Nothing("it was taken off".into()));
            }
            let other = match documents.get(&row.key) {
                Some(document) => other(sink, ledger, target, mapper, row, document, remote)?,
                None => Vec::new(),
            };
            Ok(Shows::Entry {
                url: remote.url.clone(),
                other,
            })
        })
        .collect()
}

/// What a document was delivered as, for one that is not there any more.
///
/// # Errors
/// [`SurveyError`] when the ledger cannot be read.
pub fn delivered(ledger: &Ledger, target: i64, key: &str) -> Result<Option<Entry>, SurveyError> {
    Ok(match links::pushed(ledger, target, key)? {
        Some((
            _,
            Item {
                body: Payload::Document(entry),
                ..
            },
        )) => Some(*entry),
        _ => None,
    })
}

fn other<S: Sink>(
    sink: &S,
    ledger: &Ledger,
    target: i64,
    mapper: &Mapper,
    row: &Delivery,
    document: &Document,
    remote: &Remote,
) -> Result<Vec<Other>, SurveyError> {
    let slug = row.slug.clone().unwrap_or_default();
    let Some(entry) = mapper.again(document, slug.clone()) else {
        let rule = format!("no entry rule takes `{}` any more", document.collection);
        return Ok(vec![Other {
            part: Part::Field,
            name: "entry".into(),
            ours: rule,
            theirs: remote.url.clone().unwrap_or_default(),
        }]);
    };
    let item = Item {
        key: row.key.clone(),
        of: row.of.clone(),
        slug,
        payload: payload_hash(&entry),
        body: Payload::Document(Box::new(entry)),
    };
    let wire = links::wire(sink, row, &item, &links::of(ledger, target, &item)?);
    let mut out = Vec::new();
    for (name, ours) in &wire.fields {
        let theirs = remote.fields.get(name).cloned().unwrap_or_default();
        if name == sink.body_field() {
            body(&plain(ours), &plain(&theirs), &mut out);
        } else if !sink.same(name, ours, &theirs) && !is_bookkeeping(name) {
            out.push(Other {
                part: Part::Field,
                name: sink.label(name).to_owned(),
                ours: plain(ours),
                theirs: plain(&theirs),
            });
        }
    }
    Ok(out)
}

/// Fields in which a target remembers what was pushed: they say nothing to readers.
fn is_bookkeeping(name: &str) -> bool {
    name == "content_hash"
}

fn body(ours: &str, theirs: &str, out: &mut Vec<Other>) {
    let (a, b) = (shown(ours), shown(theirs));
    let before = out.len();
    let mut put = |part, sep: &str, ours: &[String], theirs: &[String]| {
        if ours != theirs {
            out.push(Other {
                part,
                name: String::new(),
                ours: ours.join(sep),
                theirs: theirs.join(sep),
            });
        }
    };
    put(Part::Words, " ", &a.words, &b.words);
    put(Part::Links, "\n", &a.links, &b.links);
    put(Part::Pictures, "\n", &a.images, &b.images);
    if out.len() == before && ours.trim() != theirs.trim() {
        out.push(Other {
            part: Part::Markup,
            name: String::new(),
            ours: ours.to_owned(),
            theirs: theirs.to_owned(),
        });
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
