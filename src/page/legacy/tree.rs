//! The tree as pieces, and the pieces written back.

use super::engine::{self, Method, Outcome, Piece, Prior, Run, Verdict};
use super::font::{Font, Styles};
use super::judge::Reading;
use crate::document::{BlockDecode, RunnerUp};
use crate::lang::is_nfc;
use crate::lang::vietnamese::Charset;
use crate::page::is_block;
use crate::page::style::Looks;
use ego_tree::NodeId;
use ego_tree::iter::Edge;
use scraper::{ElementRef, Html, Node};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Attributes that people read.
const ATTRIBUTES: [&str; 6] = ["alt", "title", "summary", "label", "placeholder", "aria-label"];
/// Elements whose text nobody reads.
const SKIPPED: [&str; 4] = ["script", "style", "template", "noscript"];

/// Where a piece stands.
#[derive(Clone, Debug)]
enum Place {
    Text(NodeId),
    Attribute(NodeId, String),
    Line,
}

/// What was read from a tree.
#[derive(Debug, Default)]
pub(in crate::page) struct Restored {
    /// The reading of the document and how it was found; `None`: nothing but ASCII.
    pub(in crate::page) document: Option<BlockDecode>,
    /// The decisions, each with the text nodes that it is about.
    pub(in crate::page) blocks: Vec<Block>,
    /// How many runs were read in which encoding, plain ASCII left out.
    pub(in crate::page) counts: BTreeMap<String, u64>,
    /// Characters that have no meaning in the set of their block.
    pub(in crate::page) strays: usize,
    /// Whether any text was not in NFC.
    pub(in crate::page) normalised: bool,
}

/// One decision.
#[derive(Debug)]
pub(in crate::page) struct Block {
    /// For the record.
    pub(in crate::page) entry: BlockDecode,
    /// The text nodes that it is about.
    pub(in crate::page) nodes: Vec<NodeId>,
    /// The beginning of its text, before and after.
    pub(in crate::page) shown: Shown,
}

/// The beginning of a block as a browser without its fonts shows it, and as it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// As the tree held it.
    pub before: String,
    /// As it was read.
    pub after: String,
}

/// Characters of a block that are kept to be shown to people.
const SHOWN: usize = 200;

struct Reader<'a> {
    pieces: Vec<Piece<'a>>,
    places: Vec<Place>,
    faces: Vec<Option<String>>,
    block: usize,
}

impl<'a> Reader<'a> {
    fn push(&mut self, text: &'a str, place: Place, font: Option<&Font>) {
        self.pieces.push(Piece {
            text: Cow::Borrowed(text),
            block: self.block,
            hint: font.and_then(|f| f.hint),
            moved: false,
        });
        self.faces
            .push(font.filter(|f| f.hint.is_some()).map(|f| f.face.clone()));
        self.places.push(place);
    }
}

/// Reads a tree and writes right text into it. `as_is`: the encoding whose text the tree holds.
/// `declared`: the encoding that the page declares, if that is what it was decoded with.
pub(in crate::page) fn restore(
    html: &mut Html,
    looks: &Looks,
    prior: Prior,
    as_is: &str,
    declared: Option<&str>,
) -> Restored {
    let styles = Styles::of(looks);
    let mut reader = Reader {
        pieces: Vec::new(),
        places: Vec::new(),
        faces: Vec::new(),
        block: 0,
    };
    texts(html, &styles, &mut reader);
    attributes(html, &mut reader);
    let outcome = engine::read(&mut reader.pieces, prior);
    let restored = report(&reader, &outcome, as_is, declared);
    let changes: Vec<(Place, String)> = reader
        .places
        .into_iter()
        .zip(outcome.texts)
        .filter_map(|(place, text)| Some((place, text?)))
        .collect();
    for (place, text) in changes {
        let (Place::Text(id) | Place::Attribute(id, _)) = place else {
            continue;
        };
        let Some(mut node) = html.tree.get_mut(id) else {
            continue;
        };
        match (node.value(), place) {
            (Node::Text(old), _) => old.text = text.as_str().into(),
            (Node::Element(element), Place::Attribute(_, name)) => {
                if let Some((_, value)) = element.attrs.iter_mut().find(|(n, _)| *n.local == *name) {
                    *value = text.as_str().into();
                }
            }
            _ => {}
        }
    }
    if prior.declared == Some(Charset::Windows1258) {
        addresses(html);
    }
    restored
}

/// Addresses on a page that declares windows-1258 are read in it, as browsers do; the other sets are unknown to them, so
/// that there an address is what its surface says. Never normalised: its characters name a file.
fn addresses(html: &mut Html) {
    let foreign =
        |name: &str, value: &str| !ATTRIBUTES.contains(&name) && name != "content" && !value.is_ascii();
    let nodes: Vec<NodeId> = html
        .tree
        .root()
        .descendants()
        .filter(|n| matches!(n.value(), Node::Element(e) if e.attrs().any(|(n, v)| foreign(n, v))))
        .map(|n| n.id())
        .collect();
    for id in nodes {
        let Some(mut node) = html.tree.get_mut(id) else {
            continue;
        };
        let Node::Element(element) = node.value() else {
            continue;
        };
        for (name, value) in &mut element.attrs {
            if foreign(&name.local, value) {
                let mut read = String::new();
                Charset::Windows1258.decode_into(value, &mut read);
                *value = read.as_str().into();
            }
        }
    }
}

/// Reads text without markup, a line a block.
pub(in crate::page) fn plain(text: &str, prior: Prior, as_is: &str) -> (String, Restored) {
    let mut reader = Reader {
        pieces: Vec::new(),
        places: Vec::new(),
        faces: Vec::new(),
        block: 0,
    };
    for line in text.split_inclusive('\n') {
        reader.block += 1;
        reader.push(line, Place::Line, None);
    }
    let outcome = engine::read(&mut reader.pieces, prior);
    let read = reader
        .pieces
        .iter()
        .zip(&outcome.texts)
        .map(|(p, t)| t.as_deref().unwrap_or(&*p.text))
        .collect();
    (read, report(&reader, &outcome, as_is, None))
}

fn texts<'a>(html: &'a Html, styles: &Styles, reader: &mut Reader<'a>) {
    let mut fonts: Vec<Option<Rc<Font>>> = vec![styles.base().cloned().map(Rc::new)];
    let mut skip: Option<NodeId> = None;
    for edge in html.tree.root().traverse() {
        match edge {
            Edge::Open(node) if skip.is_none() => match node.value() {
                Node::Element(element) if SKIPPED.contains(&element.name()) => skip = Some(node.id()),
                Node::Element(element) => {
                    if is_block(element) {
                        reader.block += 1;
                    }
                    let own = ElementRef::wrap(node).and_then(|e| styles.own(e));
                    let inherited = fonts.last().cloned().flatten();
                    fonts.push(own.map(Rc::new).or(inherited));
                }
                Node::Text(text) => {
                    let font = fonts.last().and_then(Option::as_deref);
                    // Signs of a symbol font are letters in no set: `·` is Word's bullet, and ã in TCVN3.
                    let signs = font.is_some_and(Font::is_symbols) && is_nfc(text);
                    if !signs {
                        reader.push(text, Place::Text(node.id()), font);
                    }
                }
                _ => {}
            },
            Edge::Close(node) if skip == Some(node.id()) => skip = None,
            Edge::Close(node) if skip.is_none() => {
                if let Node::Element(element) = node.value() {
                    fonts.pop();
                    if is_block(element) {
                        reader.block += 1;
                    }
                }
            }
            _ => {}
        }
    }
}

/// Texts without a font: alternatives, titles, descriptions. Addresses stay as they are: their bytes name files.
fn attributes<'a>(html: &'a Html, reader: &mut Reader<'a>) {
    for node in html.tree.root().descendants() {
        let Node::Element(element) = node.value() else {
            continue;
        };
        for (name, value) in element.attrs() {
            let read = ATTRIBUTES.contains(&name)
                || element.name() == "meta" && name == "content" && !value.trim_start().starts_with("http");
            if read && (!value.is_ascii() || value.contains(';')) {
                reader.block += 1;
                reader.push(value, Place::Attribute(node.id(), name.to_owned()), None);
            }
        }
    }
}

/// How a reading is called; text that stays as it stands is in what the bytes were decoded with.
fn called(reading: Reading, as_is: &str) -> &str {
    match reading {
        Reading::AsIs => as_is,
        Reading::Set(charset) => charset.name(),
    }
}

/// The same for a record.
fn name(reading: Reading, as_is: &str) -> String {
    called(reading, as_is).to_owned()
}

/// Three digits: a share is a measurement, not an identity.
fn round(share: f64) -> f64 {
    (share * 1000.0).round() / 1000.0
}

fn entry(verdict: &Verdict, as_is: &str) -> BlockDecode {
    BlockDecode {
        chars: None,
        place: None,
        font: None,
        detected: verdict.detected.map(|d| name(d, as_is)),
        used: name(verdict.used, as_is),
        method: verdict.method.name().into(),
        share: (verdict.score.tokens > 0).then(|| round(verdict.score.share())),
        runner_up: verdict.runner_up.map(|(reading, share)| RunnerUp {
            encoding: name(reading, as_is),
            share: round(share),
        }),
        replacements: 0,
        repairs: verdict.repairs.iter().map(|r| r.name().to_owned()).collect(),
    }
}

fn report(reader: &Reader<'_>, outcome: &Outcome, as_is: &str, declared: Option<&str>) -> Restored {
    let declared = declared.filter(|_| outcome.document.is_none());
    let text = |at: usize| outcome.texts[at].as_deref().unwrap_or(&reader.pieces[at].text);
    let damaged = |run: &Run| run.pieces.clone().any(|at| text(at).contains('\u{fffd}'));
    let block = |run: &Run| {
        let verdict = run.verdict.as_ref()?;
        // A page that is what it declares says so once.
        if verdict.method == Method::Declared
            && verdict.repairs.is_empty()
            && verdict.strays == 0
            && declared == Some(called(verdict.used, as_is))
            && !damaged(run)
        {
            return None;
        }
        // Text that never was in question is not reported.
        if verdict.used == Reading::AsIs
            && verdict.repairs.is_empty()
            && matches!(
                verdict.method,
                Method::Unicode | Method::Document | Method::Syllables
            )
        {
            return None;
        }
        let mut entry = entry(verdict, as_is);
        entry.font = reader.faces[run.pieces.clone()].iter().flatten().next().cloned();
        let texts = run.pieces.clone().map(text);
        entry.replacements = verdict.strays + texts.map(|t| t.matches('\u{fffd}').count()).sum::<usize>();
        let begin = |texts: &mut dyn Iterator<Item = &str>| texts.flat_map(str::chars).take(SHOWN).collect();
        let shown = Shown {
            before: begin(&mut run.pieces.clone().map(|at| &*reader.pieces[at].text)),
            after: begin(
                &mut run
                    .pieces
                    .clone()
                    .map(|at| outcome.texts[at].as_deref().unwrap_or(&reader.pieces[at].text)),
            ),
        };
        let mut nodes = Vec::new();
        for place in &reader.places[run.pieces.clone()] {
            match place {
                Place::Text(id) => nodes.push(*id),
                Place::Attribute(_, name) => entry.place = Some(format!("@{name}")),
                Place::Line => {}
            }
        }
        Some(Block { entry, nodes, shown })
    };
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for verdict in outcome.runs.iter().filter_map(|r| r.verdict.as_ref()) {
        let name = match (verdict.method, verdict.used) {
            (Method::Undecided, _) => "undecided",
            (_, Reading::AsIs) => as_is,
            (_, Reading::Set(charset)) => charset.name(),
        };
        *counts.entry(name).or_default() += 1;
    }
    Restored {
        counts: counts
            .into_iter()
            .map(|(name, runs)| (name.to_owned(), runs))
            .collect(),
        document: outcome.document.as_ref().map(|v| entry(v, as_is)),
        blocks: outcome.runs.iter().filter_map(block).collect(),
        strays: outcome
            .runs
            .iter()
            .filter_map(|r| Some(r.verdict.as_ref()?.strays))
            .sum(),
        normalised: outcome.normalised,
    }
}
