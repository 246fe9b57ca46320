//! Which element holds the content of a page: by the rules of the collection, by what was learned of the site, or, where
//! these find nothing or something odd, by what `@auto` finds on the page itself. A guess says that it is one.

use super::Context;
use super::auto::{self, Auto, Verdict};
use super::template::{self, Alarm, Ready};
use crate::document::{FieldProvenance, Gate, GateLevel, LearnedFrom, Span};
use crate::mapping::model::{Collection, Container};
use crate::page::Page;
use scraper::ElementRef;

/// Id of the gate that tells of an odd page.
pub(super) const ODD: &str = "odd-page";

/// Share of what `@auto` keeps that stands inside of a container that is right all the same.
const AGREED: f64 = 0.9;

/// Share of a long container that `@auto` keeps if it is right all the same.
const FILLED: f64 = 0.6;

/// Characters that a page with a login box says at least if it is more than the login.
const LITTLE: usize = 300;

/// What holds the content, and how that is known.
#[derive(Default)]
pub(super) struct Chosen<'a> {
    /// Nothing: the whole page.
    pub element: Option<ElementRef<'a>>,
    /// What `@auto` found, if it was used.
    pub auto: Option<Auto>,
    /// The page was sent to `@auto` by an alarm.
    pub alarmed: bool,
    /// For the body; absent where a selector of the mapping found it and nothing is odd.
    pub provenance: Option<FieldProvenance>,
    /// The model that was asked.
    pub learned: Option<LearnedFrom>,
    /// What a reader should look at.
    pub note: Option<Gate>,
}

/// Finds the container of a page.
pub(super) fn choose<'a>(page: &'a Page, collection: &'a Collection, context: &'a Context<'a>) -> Chosen<'a> {
    let scope = &collection.scope;
    let asks = scope.alarm || scope.container.iter().any(|c| matches!(c, Container::Learned));
    let ready = context
        .learned
        .filter(|_| asks)
        .and_then(|l| Some((l, l.template(page)?)));
    let mut chosen = Chosen {
        learned: ready.map(|(l, r)| LearnedFrom {
            version: l.version(),
            template: r.id().to_owned(),
            hash: l.hash().to_owned(),
        }),
        ..Chosen::default()
    };
    let mut odd: Vec<String> = Vec::new();
    for (rung, place) in scope.container.iter().enumerate() {
        match place {
            Container::Css(css) => {
                let Some(element) = page.select(css).next() else {
                    continue;
                };
                let alarms = match ready.filter(|_| scope.alarm) {
                    Some((learned, ready)) => learned.judge(ready, page, context.mapping, Some(element)),
                    None => Vec::new(),
                };
                chosen.element = Some(element);
                if !alarms.is_empty() {
                    chosen.doubt(page, rung, element, &alarms, context);
                }
                return chosen;
            }
            Container::Learned => {
                let Some((learned, ready)) = ready else {
                    let why = if context.learned.is_some() {
                        "no template of articles was learned that looks like it"
                    } else {
                        "no models are stored: `sangtrang learn` makes them"
                    };
                    odd.push(format!("`@learned`: {why}"));
                    continue;
                };
                let element = page.select(ready.container()).next();
                let alarms = learned.judge(ready, page, context.mapping, element);
                match element {
                    None => odd.extend(alarms.iter().map(ToString::to_string)),
                    Some(element) => {
                        chosen.element = Some(element);
                        chosen.provenance = Some(by_model(page, rung, element, ready));
                        if !alarms.is_empty() {
                            chosen.doubt(page, rung, element, &alarms, context);
                        }
                        return chosen;
                    }
                }
            }
            Container::Auto => {
                chosen.guess(page, rung, read(page, context), "auto");
                if !odd.is_empty() {
                    chosen.note = Some(gate(&odd, chosen.provenance.as_ref()));
                }
                return chosen;
            }
        }
    }
    if asks {
        if odd.is_empty() {
            odd.push(Alarm::NoContainer.to_string());
        }
        chosen.alarmed = true;
        chosen.guess(page, scope.container.len(), read(page, context), "alarm");
        // No article, as far as anybody knows: nothing that may be delivered unseen.
        let gone = context.learned.is_some_and(|l| l.is_gone(page));
        let login = template::asks(page) && chosen.said() < LITTLE;
        odd.extend(gone.then_some(Alarm::Gone).iter().map(ToString::to_string));
        odd.extend(login.then_some(Alarm::Login).iter().map(ToString::to_string));
        let mut note = gate(&odd, chosen.provenance.as_ref());
        if gone || login {
            note.level = GateLevel::Fail;
        }
        chosen.note = Some(note);
    }
    chosen
}

impl<'a> Chosen<'a> {
    /// Characters that `@auto` keeps.
    fn said(&self) -> usize {
        let blocks = self.auto.iter().flat_map(|a| &a.blocks);
        let kept = blocks.filter(|b| b.verdict != Verdict::Dropped);
        kept.map(|b| b.chars.1 - b.chars.0).sum()
    }

    /// Takes what `@auto` found.
    fn guess(&mut self, page: &'a Page, rung: usize, found: Auto, method: &str) {
        let node = found.container.and_then(|id| page.html.tree.get(id));
        self.element = node.and_then(ElementRef::wrap);
        self.provenance = Some(FieldProvenance {
            rule: "auto:content".into(),
            rung,
            method: method.into(),
            confidence: sureness(&found),
            chars: self.element.and_then(|e| page.text.span(e.id())),
        });
        self.auto = Some(found);
    }

    /// A container was found, and something is odd about it: it stays if `@auto`, which knows nothing of the rule, finds the
    /// text there as well.
    fn doubt(
        &mut self,
        page: &'a Page,
        rung: usize,
        element: ElementRef<'a>,
        alarms: &[Alarm],
        context: &Context<'_>,
    ) {
        let said: Vec<String> = alarms.iter().map(ToString::to_string).collect();
        let found = read(page, context);
        let span = page.text.span(element.id()).unwrap_or_default();
        let kept = found.blocks.iter().filter(|b| b.verdict != Verdict::Dropped);
        let (mut inside, mut all) = (0, 0);
        for block in kept {
            let chars = block.chars.1 - block.chars.0;
            all += chars;
            inside += if span.holds(block.chars) { chars } else { 0 };
        }
        let filled = share(inside, span.1 - span.0) >= FILLED;
        let large = alarms.iter().any(|a| match a {
            Alarm::Length(chars, (_, most)) => chars > most,
            Alarm::Links(..) => true,
            _ => false,
        });
        if share(inside, all) >= AGREED && all > 0 && (filled || !large) {
            let provenance = self.provenance.get_or_insert_with(|| FieldProvenance {
                rule: "scope.container".into(),
                rung,
                method: "css".into(),
                confidence: 1.0,
                chars: Some(span),
            });
            provenance.confidence =
                (provenance.confidence * share(inside, all) * sureness(&found) * 100.0).round() / 100.0;
            provenance.method += ", odd, and `@auto` finds the text there as well";
            self.note = Some(Gate {
                id: ODD.into(),
                level: GateLevel::Warn,
                note: format!("{}; `@auto` finds its text in the same place", said.join("; ")),
            });
            return;
        }
        self.alarmed = true;
        self.guess(page, rung, found, "alarm");
        self.note = Some(gate(&said, self.provenance.as_ref()));
    }
}

/// What `@auto` finds on a page of the mapping's site.
fn read(page: &Page, context: &Context<'_>) -> Auto {
    auto::read_of(page, context.mapping.rules().site.name.as_deref())
}

fn gate(said: &[String], provenance: Option<&FieldProvenance>) -> Gate {
    Gate {
        id: ODD.into(),
        level: GateLevel::Warn,
        note: format!(
            "{}; what `@auto` found is a guess, confidence {:.2}",
            said.join("; "),
            provenance.map_or(0.0, |p| p.confidence)
        ),
    }
}

fn by_model(page: &Page, rung: usize, element: ElementRef<'_>, ready: &Ready) -> FieldProvenance {
    FieldProvenance {
        rule: format!("learned:{}", ready.id()),
        rung,
        method: format!("learned `{}`", ready.container().as_str()),
        confidence: ready.confidence(),
        chars: page.text.span(element.id()),
    }
}

/// How likely what `@auto` keeps is content: the mean of its blocks, by their length, in hundredths.
fn sureness(found: &Auto) -> f64 {
    let kept = found.blocks.iter().filter(|b| b.verdict != Verdict::Dropped);
    let (mut sum, mut chars) = (0.0, 0.0);
    for block in kept {
        let Span(from, to) = block.chars;
        sum += f64::from(block.likely) * (to - from) as f64;
        chars += (to - from) as f64;
    }
    if chars == 0.0 {
        0.0
    } else {
        (sum / chars * 100.0).round() / 100.0
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}
