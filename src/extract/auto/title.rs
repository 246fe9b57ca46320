//! The title: what the page tells beside what it shows. A visible heading that agrees with what is told is best.

use super::facts::{Candidate, Facts};
use super::stream::{Stream, tells};
use super::words::Part;
use crate::document::Span;
use crate::lang::spaces;
use crate::page::Page;
use std::collections::HashSet;

/// Longest title, in characters.
const LONGEST: usize = 300;
/// Signs between a title and the name of its site.
const BETWEEN: [&str; 13] = [
    " | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", " « ", " < ", " ~ ", "|", "ㅣ",
];

/// Letters and digits in small letters, one space between words.
pub(super) fn letters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        if !out.is_empty() {
            out.push(' ');
        }
        out.extend(word.chars().flat_map(char::to_lowercase));
    }
    out
}

/// Share of the words of two texts that both have.
fn alike(a: &HashSet<&str>, b: &HashSet<&str>) -> f64 {
    let both = a.intersection(b).count();
    super::share(both, a.len().max(b.len()))
}

struct Shown {
    text: String,
    letters: String,
    span: Span,
    level: u8,
    named: bool,
}

/// Headings that a reader sees, in order.
fn shown(page: &Page, stream: &Stream<'_>) -> Vec<Shown> {
    let mut out: Vec<Shown> = Vec::new();
    let mut last = usize::MAX;
    for block in &stream.blocks {
        let around: Vec<usize> = stream.up(block.inner).take(6).collect();
        let heading = around
            .iter()
            .copied()
            .find(|e| matches!(stream.elements[*e].name.as_bytes(), [b'h', b'1'..=b'6']));
        let named = around
            .iter()
            .take(3)
            .any(|e| tells(&stream.elements[*e], Part::Title));
        if heading.is_none() && !named {
            continue;
        }
        let element = heading.unwrap_or(block.element);
        if element == last {
            continue;
        }
        last = element;
        let span = page
            .text
            .span(stream.elements[element].node)
            .unwrap_or(block.span);
        let span = if heading.is_some() { span } else { block.span };
        // Generators of documentation put the sign of a link behind each heading.
        let text = spaces(page.text.slice(span).trim_end_matches(['¶', '#', '§']));
        if text.is_empty() || text.chars().count() > LONGEST {
            continue;
        }
        let letters = letters(&text);
        out.push(Shown {
            letters,
            text,
            span,
            level: block.heading,
            named,
        });
    }
    out
}

/// A told title without the name of its site before or behind it.
pub(super) fn bare<'t>(told: &'t str, site: Option<&str>, host: &str, headings: &[String]) -> &'t str {
    let host = letters(host).replace(' ', "");
    let is_site = |part: &str| {
        let part = letters(part);
        let packed = part.replace(' ', "");
        site.is_some_and(|s| {
            let site = letters(s);
            site == part
                || (!part.is_empty() && site.contains(&part))
                || (!site.is_empty() && part.contains(&site) && part.len() < site.len() + 16)
        }) || packed.len() > 2 && host.contains(&packed)
            || host.len() > 3 && packed.contains(&host)
    };
    let mut rest = told.trim();
    for _ in 0..3 {
        let whole = letters(rest);
        if headings.contains(&whole) {
            return rest;
        }
        let cut = BETWEEN
            .iter()
            .filter_map(|sign| rest.rfind(sign).map(|at| (at, sign.len())))
            .max();
        let Some((at, length)) = cut else { break };
        let (head, tail) = (rest[..at].trim(), rest[at + length..].trim());
        if headings.contains(&letters(head)) || is_site(tail) {
            rest = head;
            continue;
        }
        let first = BETWEEN
            .iter()
            .filter_map(|sign| rest.find(sign).map(|at| (at, sign.len())))
            .min();
        let Some((at, length)) = first else { break };
        let (head, tail) = (rest[..at].trim(), rest[at + length..].trim());
        if headings.contains(&letters(tail)) || is_site(head) {
            rest = tail;
            continue;
        }
        break;
    }
    if rest.is_empty() { told.trim() } else { rest }
}

/// Chooses among what is told and shown.
pub(super) fn choose(page: &Page, stream: &Stream<'_>, facts: &Facts) -> Option<Candidate> {
    let shown = shown(page, stream);
    let headings: Vec<String> = shown.iter().map(|s| s.letters.clone()).collect();
    let host = page.url.as_url().host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let host = host.split('.').next().unwrap_or_default();
    let told: Vec<(String, &Candidate)> = facts
        .titles
        .iter()
        .map(|c| {
            (
                bare(&c.value, facts.site.as_deref(), host, &headings).to_owned(),
                c,
            )
        })
        .filter(|(t, _)| !t.is_empty())
        .collect();
    let visible = |s: &Shown, method: &str, confidence: f64| Candidate {
        value: s.text.clone(),
        method: method.into(),
        confidence,
        chars: Some(s.span),
    };
    // What most sources say in the same words, each with its weight; of equals the one that a reader sees.
    let mut votes: Vec<(String, f64, usize)> = Vec::new();
    let mut vote = |letters: String, weight: f64, at: usize| {
        if letters.is_empty() {
            return;
        }
        match votes.iter_mut().find(|(l, ..)| *l == letters) {
            Some(known) => known.1 += weight,
            None => votes.push((letters, weight, at)),
        }
    };
    for (at, (text, candidate)) in told.iter().enumerate() {
        let weight = match candidate.method.as_str() {
            "json-ld" => 1.0,
            "meta:og:title" => 1.0,
            "meta:twitter:title" => 0.4,
            "title" => 0.9,
            "microdata" => 0.9,
            _ => 0.6,
        };
        vote(letters(text), weight, at);
    }
    let told_letters: Vec<String> = told.iter().map(|(t, _)| letters(t)).collect();
    let told_words: Vec<HashSet<&str>> = told_letters.iter().map(|t| t.split(' ').collect()).collect();
    let agrees = |heading: &Shown| {
        let own = heading.letters.split(' ').collect();
        told_words.iter().map(|t| alike(t, &own)).fold(0.0, f64::max)
    };
    let mut headed = false;
    for heading in &shown {
        let agreed = agrees(heading);
        let weight = match (heading.level, heading.named) {
            (1, _) if !headed => 1.4 + agreed,
            (1, _) => 0.3 + agreed,
            (2, _) | (_, true) => 0.5 * agreed,
            _ => 0.2 * agreed,
        };
        if told.is_empty() || agreed >= 0.3 {
            headed |= heading.level == 1;
            vote(heading.letters.clone(), weight, usize::MAX);
        }
    }
    let total: f64 = votes.iter().map(|v| v.1).sum();
    let best = votes
        .iter()
        .fold(None::<&(String, f64, usize)>, |best, vote| match best {
            Some(b) if b.1 >= vote.1 => Some(b),
            _ => Some(vote),
        });
    if let Some((words, weight, at)) = best {
        let sure = 0.5 + 0.48 * (weight / total).min(1.0);
        // A kicker before the title is in the heading, but not in what is told.
        let kicked = told.iter().find(|(t, c)| {
            let end = letters(t);
            c.method != "title"
                && end.contains(' ')
                && words.strip_suffix(&end).is_some_and(|rest| rest.ends_with(' '))
        });
        if let Some((text, candidate)) = kicked {
            let chars = shown.iter().find(|s| s.letters == *words).map(|s| s.span);
            return Some(Candidate {
                value: text.clone(),
                method: candidate.method.clone(),
                confidence: sure.min(candidate.confidence),
                chars,
            });
        }
        if let Some(heading) = shown.iter().find(|s| s.letters == *words) {
            return Some(visible(
                heading,
                if heading.level == 1 { "h1" } else { "heading" },
                sure,
            ));
        }
        if let Some((text, candidate)) = told.get(*at).filter(|(_, c)| c.method != "title") {
            return Some(Candidate {
                value: text.clone(),
                method: candidate.method.clone(),
                confidence: sure.min(candidate.confidence),
                chars: None,
            });
        }
    }
    // A line that says what `<title>` says: headlines of old pages are bold paragraphs.
    for (text, _) in &told {
        let wanted = letters(text);
        let line = stream
            .blocks
            .iter()
            .filter(|b| b.chars >= 8 && b.link_chars == 0)
            .find(|b| b.text.len() < wanted.len() * 2 + 16 && letters(b.text) == wanted);
        if let Some(block) = line {
            return Some(Candidate {
                value: spaces(block.text),
                method: "visible".into(),
                confidence: 0.9,
                chars: Some(block.span),
            });
        }
    }
    // Or one that begins with it: old pages cut their `<title>` short.
    for (text, _) in &told {
        let wanted = letters(text);
        let good = stream
            .blocks
            .iter()
            .position(super::stream::Block::is_good)
            .unwrap_or(0);
        let line = stream.blocks.iter().take(good + 1).find(|b| {
            let line = letters(b.text);
            b.link_chars == 0
                && b.chars <= LONGEST
                && !b.ends
                && wanted.matches(' ').count() >= 2
                && line
                    .strip_prefix(&wanted)
                    .is_some_and(|rest| rest.starts_with(' '))
        });
        if let Some(block) = line {
            return Some(Candidate {
                value: spaces(block.text),
                method: "visible".into(),
                confidence: 0.8,
                chars: Some(block.span),
            });
        }
    }
    let only = shown.iter().filter(|s| s.level == 1).collect::<Vec<_>>();
    if let Some((text, candidate)) = told.iter().find(|(_, c)| c.method != "title").or(told.first()) {
        return Some(Candidate {
            value: text.clone(),
            method: candidate.method.clone(),
            confidence: candidate.confidence * 0.8,
            chars: None,
        });
    }
    only.first().map(|s| visible(s, "h1", 0.6))
}
