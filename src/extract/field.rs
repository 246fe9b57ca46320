//! Fields: chains of rungs; the first that finds something wins and consumes what it took.

use super::account::Claims;
use super::{Context, Rung};
use crate::document::{FieldProvenance, Span};
use crate::lang::{fold, spaces};
use crate::mapping::model::{Field, Take};
use crate::page::{Page, is_block};
use scraper::{ElementRef, Node};
use std::collections::BTreeMap;

/// Longest caption that stands above a lead sentence, in characters.
const CAPTION: usize = 120;

/// Longest signature, in characters.
const SIGNATURE: usize = 60;

/// What a field got.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) value: String,
    pub(super) provenance: FieldProvenance,
}

struct Hit {
    value: String,
    method: String,
    /// What is consumed, and the part of it that is the value.
    consumed: Option<Span>,
    span: Option<Span>,
}

pub(super) struct Taker<'a> {
    pub(super) page: &'a Page,
    pub(super) context: &'a Context<'a>,
    pub(super) container: ElementRef<'a>,
    /// Entries of a list look at nothing but themselves.
    pub(super) closed: bool,
    /// What the pages before this one of the same document gave; they are asked again, so that what stands on every page is
    /// taken off, but they change nothing.
    pub(super) earlier: Option<&'a BTreeMap<String, Found>>,
    /// Whether the text goes on on another page: its end is not here.
    pub(super) more: bool,
    pub(super) lines: Vec<Span>,
}

impl Taker<'_> {
    pub(super) fn field(
        &self,
        name: &str,
        field: &Field,
        claims: &mut Claims,
        found: &BTreeMap<String, Found>,
        explain: &mut Vec<Rung>,
    ) -> Option<Found> {
        let mut winner = None;
        for (at, take) in field.take.iter().enumerate() {
            let mut tell = |verb: &str, text: Option<String>, won| {
                explain.push(Rung {
                    field: name.into(),
                    rung: at,
                    verb: verb.into(),
                    found: text,
                    won,
                });
            };
            if winner.is_some() {
                tell("not tried", None, false);
                continue;
            }
            let first = self.earlier.and_then(|e| e.get(name));
            // The beginning of a text stands on its first page, its end on the last.
            let elsewhere = (self.more && take.signature.is_some())
                || (self.earlier.is_some() && (take.lead.is_some() || take.infer.is_some()));
            let hit = if elsewhere {
                None
            } else {
                self.hit(take, claims, found).filter(|h| !h.value.is_empty())
            };
            let Some(hit) = hit else {
                tell(verb(take), None, false);
                continue;
            };
            let Some((value, span)) = self.narrow(take, &hit) else {
                tell(verb(take), Some(hit.value), false);
                continue;
            };
            if let Some(first) = first {
                tell(verb(take), Some(value.clone()), false);
                if let Some(consumed) = hit.consumed.filter(|_| first.value == value) {
                    let reason = "the first page of the document says it already";
                    let again = claims.rule(&format!("parts.{name}"), reason, false);
                    claims.claim(consumed, again);
                }
                continue;
            }
            tell(verb(take), Some(value.clone()), true);
            let rule = format!("fields.{name}");
            if let Some(consumed) = hit.consumed {
                let kept = claims.rule(&rule, "", true);
                let rest = claims.rule(&rule, "label around the value of the field", false);
                claims.claim(span.unwrap_or(consumed), kept);
                if take.css.is_some() && take.regex.is_some() {
                    claims.claim_later(consumed, rest);
                } else {
                    claims.claim(consumed, rest);
                }
            }
            let confidence = take.confidence.unwrap_or(confidence(take));
            let provenance = FieldProvenance {
                rule,
                rung: at,
                method: hit.method,
                confidence,
                chars: span,
            };
            winner = Some(Found { value, provenance });
        }
        winner
    }

    /// Applies `regex`; the span follows the match where the value is text of the page.
    fn narrow(&self, take: &Take, hit: &Hit) -> Option<(String, Option<Span>)> {
        let Some(regex) = take.regex.as_ref().filter(|_| take.url.is_none()) else {
            return Some((hit.value.clone(), hit.span));
        };
        let value = regex.take(&hit.value)?.trim().to_owned();
        let span = hit.span.map(|span| {
            let text = self.page.text.slice(span);
            text.find(&value).map_or(span, |at| {
                let start = span.0 + text[..at].chars().count();
                Span(start, start + value.chars().count())
            })
        });
        (!value.is_empty()).then_some((value, span))
    }

    fn hit(&self, take: &Take, claims: &Claims, found: &BTreeMap<String, Found>) -> Option<Hit> {
        let text = &self.page.text;
        let elsewhere = |value: String, method: &str| Hit {
            value,
            method: method.into(),
            consumed: None,
            span: None,
        };
        let consumed = |value: String, method: &str, span: Span, whole: Span| Hit {
            value,
            method: method.into(),
            consumed: Some(whole),
            span: Some(span),
        };
        if let Some(css) = &take.css {
            let inside = css.select_below(self.container).next();
            let element = inside.or_else(|| {
                if self.closed {
                    None
                } else {
                    self.page.select(css).next()
                }
            })?;
            if let Some(attr) = &take.attr {
                return Some(elsewhere(spaces(element.value().attr(attr)?), "css"));
            }
            let Some(span) = text.span(element.id()) else {
                // Nobody sees the head of a page; its `<title>` can still be asked for.
                let hidden: String = element.text().collect();
                return Some(elsewhere(spaces(&hidden), "css"));
            };
            return Some(consumed(claims.free_text(text, span), "css", span, span));
        }
        if let Some(name) = &take.meta {
            let meta = self
                .page
                .html
                .tree
                .nodes()
                .filter_map(ElementRef::wrap)
                .find(|e| {
                    e.value().name() == "meta"
                        && ["name", "property"]
                            .iter()
                            .any(|a| e.value().attr(a).is_some_and(|v| v.eq_ignore_ascii_case(name)))
                })?;
            return Some(elsewhere(spaces(meta.value().attr("content")?), "meta"));
        }
        if let Some(name) = &take.listing {
            return Some(elsewhere(spaces(self.context.listing.get(name)?), "listing"));
        }
        if let Some(name) = &take.after {
            let end = found.get(name)?.provenance.chars?.1;
            let line = *self
                .lines
                .iter()
                .find(|l| l.0 >= end && !claims.free_text(text, **l).is_empty())?;
            return Some(consumed(claims.free_text(text, line), "text-anchor", line, line));
        }
        if let Some(label) = &take.label {
            let wanted = fold(label);
            for &line in &self.lines {
                let raw = text.slice(line);
                if !claims.is_free(line.0) {
                    continue;
                }
                let folded = fold(raw);
                let Some(rest) = folded.strip_prefix(&wanted) else {
                    continue;
                };
                let letters = wanted.chars().filter(|c| !c.is_whitespace()).count();
                let mut seen = 0;
                let length = raw
                    .chars()
                    .take_while(|c| {
                        seen += usize::from(!c.is_whitespace());
                        seen <= letters
                    })
                    .count();
                let start = line.0 + length;
                // Inside a word it is no label, unless an element ends there.
                if wanted.ends_with(char::is_alphanumeric)
                    && rest.starts_with(char::is_alphanumeric)
                    && !text.nodes().iter().any(|(span, _)| span.0 == start)
                {
                    continue;
                }
                if !rest.chars().any(char::is_alphanumeric) {
                    // Nothing behind it: the value stands in the cell or block beside it.
                    if let Some(span) = self.beside(line)
                        && !claims.free_text(text, span).is_empty()
                    {
                        let whole = Span(line.0, span.1);
                        return Some(consumed(claims.free_text(text, span), "label-cell", span, whole));
                    }
                    continue;
                }
                // What separates a label from its value belongs to neither.
                let colon = raw
                    .chars()
                    .skip(length)
                    .take_while(|c| *c == ':' || c.is_whitespace());
                let span = Span((start + colon.count()).min(line.1), line.1);
                return Some(consumed(claims.free_text(text, span), "label", span, line));
            }
            return None;
        }
        if take.lead == Some(true) {
            // A caption that names its photographer may stand above the first sentence.
            let caption = |t: &str| self.context.language().is_some_and(|l| l.credit(t).is_some());
            let (line, value) = self
                .lines
                .iter()
                .map(|l| (*l, claims.free_text(text, *l)))
                .find(|(_, t)| !(t.is_empty() || t.chars().count() <= CAPTION && caption(t)))?;
            return Some(Hit {
                value,
                method: "lead-sentence".into(),
                consumed: None,
                span: Some(line),
            });
        }
        if take.signature == Some(true) {
            let line = self.signature(claims)?;
            return Some(consumed(claims.free_text(text, line), "signature", line, line));
        }
        if let Some(url) = &take.url {
            return Some(elsewhere(url.take(self.page.url.as_str())?.to_owned(), "url"));
        }
        if let Some(value) = &take.value {
            return Some(elsewhere(value.clone(), "fixed"));
        }
        let name = take.infer.as_ref()?;
        Some(elsewhere(
            found.get(name)?.value.clone(),
            &format!("inferred:{name}"),
        ))
    }

    /// The text of the cell or block beside the one that a line fills: `td` and `td`, `dt` and `dd`, two `div`s.
    fn beside(&self, line: Span) -> Option<Span> {
        let text = &self.page.text;
        let nodes = text.nodes();
        let at = nodes.partition_point(|(span, _)| span.1 <= line.0);
        let node = nodes.get(at).and_then(|(_, id)| self.page.html.tree.get(*id))?;
        for element in node.ancestors().filter_map(ElementRef::wrap) {
            if text
                .span(element.id())
                .is_none_or(|s| s.0 < line.0 || s.1 > line.1)
            {
                return None;
            }
            let cell = matches!(element.value().name(), "td" | "th" | "dt");
            let mut next = element.next_siblings().filter_map(ElementRef::wrap);
            let beside = next.find(|e| cell || text.span(e.id()).is_some_and(|s| !s.is_empty()));
            match beside.and_then(|e| text.span(e.id())) {
                Some(span) if !span.is_empty() => return Some(span),
                _ if cell => return None,
                _ => {}
            }
        }
        None
    }

    /// A short block after the end mark, or a right-aligned, bold or organisation's line at the end of the text.
    fn signature(&self, claims: &Claims) -> Option<Span> {
        let text = &self.page.text;
        let language = self.context.language();
        let free: Vec<Span> = self
            .lines
            .iter()
            .copied()
            .filter(|l| !claims.free_text(text, *l).is_empty())
            .collect();
        let fits = |line: Span| {
            let value = claims.free_text(text, line);
            value.chars().count() <= SIGNATURE && !value.ends_with(['.', ':', ';', ','])
        };
        let mark = free
            .iter()
            .rposition(|l| language.is_some_and(|w| w.ends(text.slice(*l))));
        if let Some(line) = mark.and_then(|m| free.get(m + 1)).copied() {
            return (fits(line) && !self.is_caption(line)).then_some(line);
        }
        let line = free
            .last()
            .copied()
            .filter(|_| free.len() > 1 && mark.is_none())?;
        let signed = language.is_some_and(|w| w.is_organisation(text.slice(line))) || self.stands_out(line);
        (fits(line) && signed && !self.is_caption(line)).then_some(line)
    }

    /// Elements round the first text node of a line, up to its block.
    fn around(&self, line: Span) -> Vec<String> {
        let nodes = self.page.text.nodes();
        let at = nodes.partition_point(|(span, _)| span.1 <= line.0);
        let Some(node) = nodes.get(at).and_then(|(_, id)| self.page.html.tree.get(*id)) else {
            return Vec::new();
        };
        let mut out = Vec::new();
        for ancestor in node.ancestors() {
            let Node::Element(element) = ancestor.value() else {
                continue;
            };
            let attrs = ["style", "align"].map(|a| {
                element
                    .attr(a)
                    .unwrap_or_default()
                    .replace(' ', "")
                    .to_lowercase()
            });
            out.push(format!("{} {}", element.name(), attrs.join(" ")));
            if is_block(element) {
                break;
            }
        }
        out
    }

    fn is_caption(&self, line: Span) -> bool {
        self.around(line).iter().any(|e| {
            e.starts_with("i ") || e.starts_with("em ") || e.contains("center") || e.contains("italic")
        })
    }

    fn stands_out(&self, line: Span) -> bool {
        self.around(line).iter().any(|e| {
            e.starts_with("b ")
                || e.starts_with("strong ")
                || e.contains("right")
                || e.contains("weight:bold")
        })
    }
}

fn verb(take: &Take) -> &'static str {
    let verbs = [
        (take.css.is_some(), "css"),
        (take.meta.is_some(), "meta"),
        (take.listing.is_some(), "listing"),
        (take.after.is_some(), "after"),
        (take.label.is_some(), "label"),
        (take.lead.is_some(), "lead"),
        (take.signature.is_some(), "signature"),
        (take.url.is_some(), "url"),
        (take.value.is_some(), "value"),
    ];
    verbs.into_iter().find(|v| v.0).map_or("infer", |v| v.1)
}
/// How sure a rung is if the mapping does not say: what a page marks up or a list states is taken at its word; a place
/// in the text is a convention of writers, another field a stand-in.
fn confidence(take: &Take) -> f64 {
    if take.infer.is_some() {
        0.4
    } else if take.lead.is_some() || take.signature.is_some() {
        0.8
    } else {
        1.0
    }
}
