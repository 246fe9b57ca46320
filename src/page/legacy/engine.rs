//! One decision per run of text: by its font, by its syllables, by its neighbours, by the document; or undecided.

use super::font::Hint;
use super::judge::{ACCEPT, AGREE, Judged, LEAD, Look, Reading, TOKENS, Try, judge, look, looks_legacy};
use super::piece;
use crate::lang::vietnamese::{Charset, Repair, Score};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

/// Text that is pooled for the verdict on a document, in bytes.
const POOL: usize = 16 << 10;
/// Runs of a page that are judged by all sets; a page with more is no page for people, and the rest of it follows the
/// document.
const MAX_JUDGED: usize = 20_000;
/// A document is Western if so many tokens…
const WESTERN_TOKENS: usize = 20;
/// …are read as syllables by no set beyond this share.
const WESTERN: f64 = 0.6;

/// A text node, an attribute value or a line: what is read as one.
#[derive(Clone, Debug)]
pub(super) struct Piece<'a> {
    /// As the tree holds it.
    pub(super) text: Cow<'a, str>,
    /// Pieces of one block stand side by side on the page.
    pub(super) block: usize,
    /// What its font proposes.
    pub(super) hint: Option<Hint>,
    /// Whether a mark was moved into it or out of it.
    pub(super) moved: bool,
}

/// What is known before anybody looks at the text.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Prior {
    /// The bytes were no UTF-8: what stands in the tree is their windows-1252 surface.
    pub(crate) surface: bool,
    /// The set that HTTP or `meta` declares, or the mapping assumes.
    pub(crate) declared: Option<Charset>,
    /// Whether legacy Vietnamese text may stand in it at all.
    pub(crate) vietnamese: bool,
}

/// How a verdict was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Method {
    /// By its syllables alone.
    Syllables,
    /// Its font proposed, its syllables confirmed.
    Font,
    /// By what stands beside it.
    Neighbours,
    /// By the rest of the document.
    Document,
    /// By what the page declares.
    Declared,
    /// It holds letters of Unicode Vietnamese, or text of another language.
    Unicode,
    /// Not at all.
    Undecided,
}

impl Method {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Syllables => "syllables",
            Self::Font => "font",
            Self::Neighbours => "neighbours",
            Self::Document => "document",
            Self::Declared => "declared",
            Self::Unicode => "as-is",
            Self::Undecided => "undecided",
        }
    }
}

/// The decision on a run.
#[derive(Clone, Debug)]
pub(super) struct Verdict {
    pub(super) used: Reading,
    pub(super) method: Method,
    /// What the syllables would say alone.
    pub(super) detected: Option<Reading>,
    pub(super) score: Score,
    pub(super) runner_up: Option<(Reading, f64)>,
    pub(super) repairs: Vec<Repair>,
    /// Characters that have no meaning in the set.
    pub(super) strays: usize,
}

/// Adjacent pieces of one block with one proposal.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) pieces: Range<usize>,
    hint: Option<Charset>,
    look: Look,
    /// Absent for plain ASCII, which needs none.
    pub(super) verdict: Option<Verdict>,
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// New texts of the pieces; `None`: as it was.
    pub(super) texts: Vec<Option<String>>,
    /// The runs, in order.
    pub(super) runs: Vec<Run>,
    /// The verdict on the document: what its unmarked text is.
    pub(super) document: Option<Verdict>,
    /// Whether any text was not in NFC.
    pub(super) normalised: bool,
}

/// Reads all pieces of a document.
pub(super) fn read(pieces: &mut [Piece<'_>], prior: Prior) -> Outcome {
    let mut runs = group(pieces);
    if !prior.vietnamese {
        for run in &mut runs {
            run.hint = None;
            if run.look != Look::Ascii {
                let used = prior.declared.map_or(Reading::AsIs, Reading::Set);
                run.verdict = Some(Verdict::plain(used, Method::Declared));
            }
        }
        return write(pieces, runs, None);
    }
    let texts: Vec<Cow<'_, str>> = runs
        .iter()
        .map(|r| match (r.look, &pieces[r.pieces.clone()]) {
            (Look::Open, [only]) => only.text.clone(),
            (Look::Open, all) => all.iter().map(|p| &*p.text).collect(),
            _ => Cow::Borrowed(""),
        })
        .collect();
    let mut document = pool(&runs, &texts, prior);
    let fonts = fonts(&runs, &texts);
    let mut judges = Judges {
        left: MAX_JUDGED,
        known: BTreeMap::new(),
    };
    for (at, (run, text)) in runs.iter_mut().zip(&texts).enumerate() {
        run.verdict = match run.look {
            Look::Ascii => None,
            Look::Unicode => Some(Verdict::plain(Reading::AsIs, Method::Unicode)),
            Look::Open => {
                by_font_or_document(run.hint, text, &fonts, document.as_ref(), prior).or_else(|| {
                    let judged = judges.judge(at, text);
                    let best = judged.best;
                    judged
                        .accepted
                        .then(|| Verdict::of(judged, best, judged.score, Method::Syllables))
                })
            }
        };
    }
    if document.is_none() {
        document = majority(pieces, &runs);
    }
    inherit(&mut runs, &texts, document.as_ref(), prior, &mut judges);
    write(pieces, runs, document)
}

fn write(pieces: &mut [Piece<'_>], mut runs: Vec<Run>, document: Option<Verdict>) -> Outcome {
    let mut out = Outcome {
        texts: vec![None; pieces.len()],
        ..Outcome::default()
    };
    let tcvn3 = |r: &Run| {
        r.verdict
            .as_ref()
            .is_some_and(|v| v.used == Reading::Set(Charset::Tcvn3))
    };
    let capitals = runs.iter().any(tcvn3);
    for run in &mut runs {
        let used = run.verdict.as_ref().map(|v| v.used);
        piece::join_marks(&mut pieces[run.pieces.clone()], used);
        piece::write(pieces, run, capitals, &mut out);
    }
    out.runs = runs;
    out.document = document;
    out
}

/// Judgements of runs by all sets, each made once.
struct Judges {
    left: usize,
    known: BTreeMap<usize, Judged>,
}

impl Judges {
    fn judge(&mut self, run: usize, text: &str) -> &Judged {
        let left = &mut self.left;
        self.known.entry(run).or_insert_with(|| {
            let text = if *left == 0 { "" } else { text };
            *left = left.saturating_sub(1);
            judge(text)
        })
    }
}

impl Verdict {
    pub(super) fn plain(used: Reading, method: Method) -> Self {
        Self {
            used,
            method,
            detected: None,
            score: Score::default(),
            runner_up: None,
            repairs: Vec::new(),
            strays: 0,
        }
    }

    fn of(judged: &Judged, used: Reading, score: Score, method: Method) -> Self {
        Self {
            used,
            method,
            detected: (judged.score.valid > 0).then_some(judged.best),
            score,
            runner_up: judged.runner_up,
            repairs: Vec::new(),
            strays: 0,
        }
    }

    /// Whether the decision was made on what the run itself shows.
    fn firm(&self) -> bool {
        matches!(self.method, Method::Syllables | Method::Font | Method::Unicode)
    }
}

/// Pieces side by side, unless their fonts propose different sets; ASCII without a font belongs to what
/// stands before it, and ASCII in a font to what stands in that font: the mark of its last letter may follow.
fn group(pieces: &[Piece<'_>]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        let look = look(&piece.text);
        let hint = piece.hint.map(|h| h.charset);
        if let Some(last) = runs.last_mut()
            && pieces[last.pieces.start].block == piece.block
            && (last.hint == hint || look == Look::Ascii && hint.is_none() || last.look == Look::Ascii)
        {
            let wider = match (last.look, look) {
                (Look::Ascii, other) | (other, Look::Ascii) => Some(other),
                (Look::Unicode, Look::Unicode) => Some(Look::Unicode),
                (Look::Open, Look::Open) => Some(Look::Open),
                // Letters of Unicode beside letters that may be anything: one text, unless the latter read badly.
                (Look::Unicode, Look::Open) => fits(&piece.text).then_some(Look::Unicode),
                (Look::Open, Look::Unicode) => pieces[last.pieces.clone()]
                    .iter()
                    .all(|p| fits(&p.text))
                    .then_some(Look::Unicode),
            };
            if let Some(wider) = wider {
                if last.look == Look::Ascii && look != Look::Ascii {
                    last.hint = hint;
                }
                last.look = wider;
                last.pieces.end = at + 1;
                continue;
            }
        }
        runs.push(Run {
            pieces: at..at + 1,
            hint,
            look,
            verdict: None,
        });
    }
    runs
}

/// Whether a text reads well as it stands.
fn fits(text: &str) -> bool {
    let score = crate::lang::vietnamese::score(text);
    score.tokens == 0 || score.share() >= AGREE
}

/// The verdict on all text without a font's proposal.
fn pool(runs: &[Run], texts: &[Cow<'_, str>], prior: Prior) -> Option<Verdict> {
    let unicode = runs.iter().any(|r| r.look == Look::Unicode && r.hint.is_none());
    if unicode && !prior.surface {
        return Some(Verdict::plain(Reading::AsIs, Method::Unicode));
    }
    let mut sample = String::new();
    for (run, text) in runs.iter().zip(texts) {
        if run.look == Look::Open && run.hint.is_none() && sample.len() < POOL {
            sample.push_str(text);
            sample.push('\n');
        }
    }
    if sample.is_empty() {
        return None;
    }
    // Four looks at the pool instead of one: a mixed page has parts.
    let judged = judge(&sample);
    if judged.accepted {
        let method = match (prior.declared, judged.best) {
            (Some(declared), Reading::Set(found)) if declared == found => Method::Declared,
            _ => Method::Syllables,
        };
        return Some(Verdict::of(&judged, judged.best, judged.score, method));
    }
    let western = judged.score.tokens >= WESTERN_TOKENS && judged.score.share() < WESTERN;
    western.then(|| Verdict::of(&judged, Reading::AsIs, judged.score, Method::Unicode))
}

/// For each set that fonts propose: what all text of these fonts says together.
fn fonts(runs: &[Run], texts: &[Cow<'_, str>]) -> BTreeMap<Charset, Option<Reading>> {
    let mut pools: BTreeMap<Charset, String> = BTreeMap::new();
    let mut unicode: BTreeMap<Charset, usize> = BTreeMap::new();
    for (run, text) in runs.iter().zip(texts) {
        let Some(charset) = run.hint else { continue };
        match run.look {
            Look::Ascii => {}
            Look::Unicode => *unicode.entry(charset).or_default() += 1,
            Look::Open => {
                let pool = pools.entry(charset).or_default();
                if pool.len() < POOL {
                    pool.push_str(text);
                    pool.push('\n');
                }
            }
        }
    }
    let mut out: BTreeMap<Charset, Option<Reading>> =
        unicode.keys().map(|&c| (c, Some(Reading::AsIs))).collect();
    for (charset, text) in pools {
        let proposed = Try::new(Reading::Set(charset), &text);
        let as_is = Try::new(Reading::AsIs, &text);
        let verdict = if proposed.share() >= ACCEPT && proposed.share() >= as_is.share() + LEAD {
            Some(Reading::Set(charset))
        } else if as_is.share() >= ACCEPT && as_is.share() >= proposed.share() + LEAD {
            Some(Reading::AsIs)
        } else {
            None
        };
        // Where the same fonts hold Unicode too, each run speaks for itself.
        out.entry(charset)
            .and_modify(|v| *v = v.filter(|v| Some(*v) == verdict))
            .or_insert(verdict);
    }
    out
}

/// The verdict on a run by its font, or by the document where the run agrees.
fn by_font_or_document(
    hint: Option<Charset>,
    text: &str,
    fonts: &BTreeMap<Charset, Option<Reading>>,
    document: Option<&Verdict>,
    prior: Prior,
) -> Option<Verdict> {
    if let Some(charset) = hint {
        let as_is = Try::new(Reading::AsIs, text);
        let proposed = Try::new(Reading::Set(charset), text);
        let (p, a) = (proposed.share(), as_is.share());
        let known = fonts.get(&charset).copied().flatten();
        let used = if proposed.score.tokens == 0 && as_is.score.tokens == 0 {
            known
        } else if p >= ACCEPT && p >= a + LEAD {
            Some(Reading::Set(charset))
        } else if a >= ACCEPT && a >= p + LEAD {
            Some(Reading::AsIs)
        } else {
            // One word may be right both ways: the other text of this font says which.
            known.filter(|k| {
                if *k == Reading::AsIs {
                    a >= AGREE
                } else {
                    p >= AGREE
                }
            })
        };
        if let Some(used) = used {
            let score = if used == Reading::AsIs {
                as_is.score
            } else {
                proposed.score
            };
            let other = if used == Reading::AsIs {
                Reading::Set(charset)
            } else {
                Reading::AsIs
            };
            return Some(Verdict {
                used,
                method: Method::Font,
                detected: Some(used),
                score,
                runner_up: Some((other, if used == Reading::AsIs { p } else { a })).filter(|(_, s)| *s > 0.0),
                repairs: Vec::new(),
                strays: 0,
            });
        }
    } else if let Some(document) = document {
        // The document's verdict is tried first: nearly always it holds, and the others need not be looked at.
        let own = Try::new(document.used, text);
        let plainly = own.score.tokens >= TOKENS && own.share() >= 0.9;
        let right = document.used == Reading::AsIs && !prior.surface && own.score.valid == own.score.tokens;
        if plainly || right {
            return Some(Verdict {
                used: document.used,
                method: if document.method == Method::Declared {
                    Method::Declared
                } else {
                    Method::Syllables
                },
                detected: Some(document.used),
                score: own.score,
                runner_up: None,
                repairs: Vec::new(),
                strays: 0,
            });
        }
    }
    None
}

/// What most of the decided text is.
fn majority(pieces: &[Piece<'_>], runs: &[Run]) -> Option<Verdict> {
    let mut votes: BTreeMap<Reading, usize> = BTreeMap::new();
    for run in runs {
        let Some(verdict) = run.verdict.as_ref().filter(|v| v.firm()) else {
            continue;
        };
        // Letters of Unicode were proof enough; nobody has counted their words yet.
        let tokens = match run.look {
            Look::Unicode => pieces[run.pieces.clone()]
                .iter()
                .map(|p| Try::new(Reading::AsIs, &p.text).score.tokens)
                .sum(),
            Look::Ascii | Look::Open => verdict.score.tokens,
        };
        *votes.entry(verdict.used).or_default() += tokens.max(1);
    }
    let (used, _) = votes.into_iter().max_by_key(|(_, n)| *n)?;
    Some(Verdict::plain(used, Method::Syllables))
}

/// Runs that could not say themselves: neighbours, the document, the declaration; else they are undecided.
fn inherit(
    runs: &mut [Run],
    texts: &[Cow<'_, str>],
    document: Option<&Verdict>,
    prior: Prior,
    judges: &mut Judges,
) {
    let firm: Vec<Option<Reading>> = runs
        .iter()
        .map(|r| r.verdict.as_ref().filter(|v| v.firm()).map(|v| v.used))
        .collect();
    let before = nearest(&firm, false);
    let after = nearest(&firm, true);
    for at in 0..runs.len() {
        if runs[at].look != Look::Open || runs[at].verdict.is_some() {
            continue;
        }
        let text = &texts[at];
        let judged = judges.judge(at, text).clone();
        let agrees = |reading: Reading| {
            let tried = Try::new(reading, text);
            (tried.score.tokens == 0 || tried.share() >= AGREE).then_some(tried.score)
        };
        let neighbours = match (before[at], after[at]) {
            (Some(a), Some(b)) if a == b => Some(a),
            (Some(a), None) | (None, Some(a)) => Some(a),
            _ => None,
        };
        let candidates = [
            (
                neighbours.filter(|_| prior.surface || document.is_none()),
                Method::Neighbours,
            ),
            (document.map(|d| d.used), Method::Document),
            (neighbours, Method::Neighbours),
            (prior.declared.map(Reading::Set), Method::Declared),
        ];
        let found = candidates
            .into_iter()
            .filter_map(|(r, m)| Some((r?, m)))
            .find_map(|(r, m)| Some((r, m, agrees(r)?)));
        runs[at].verdict = Some(match found {
            Some((reading, method, score)) => Verdict::of(&judged, reading, score, method),
            None if is_open_question(&judged, text, runs[at].hint, document) => {
                Verdict::of(&judged, Reading::AsIs, judged.score, Method::Undecided)
            }
            None => Verdict::of(&judged, Reading::AsIs, judged.score, Method::Unicode),
        });
    }
}

/// Whether a text that nothing decides is to be shown to a person: it looks like legacy text, or may be some.
fn is_open_question(judged: &Judged, text: &str, hint: Option<Charset>, document: Option<&Verdict>) -> bool {
    if looks_legacy(text) {
        return true;
    }
    if document.is_some_and(|d| d.used == Reading::AsIs) {
        return false;
    }
    judged.likely || (hint.is_some() && judged.score.tokens > 0)
}

/// For each run the nearest firm verdict before (or after) it.
fn nearest(firm: &[Option<Reading>], backwards: bool) -> Vec<Option<Reading>> {
    let mut out = vec![None; firm.len()];
    let mut last = None;
    let mut visit = |at: usize| {
        out[at] = last;
        last = firm[at].or(last);
    };
    if backwards {
        (0..firm.len()).rev().for_each(&mut visit);
    } else {
        (0..firm.len()).for_each(&mut visit);
    }
    out
}
