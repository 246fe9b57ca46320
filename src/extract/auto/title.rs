//! The title: what the page tells beside what it shows. A visible heading that agrees with what is told is best.

use super::facts::{Candidate, Facts};
use super::stream::{Stream, tag, tells};
use super::words::{Part, Phrase};
use crate::document::Span;
use crate::lang::spaces;
use crate::page::{Page, is_invisible};
use std::collections::HashSet;

/// What it weighs that a page has one heading of the first level.
const ONLY: f64 = 0.3;

/// Longest title, in characters.
const LONGEST: usize = 300;
/// Shortest title that tells where another one ends, in bytes.
const SHORTEST: usize = 24;
/// Signs between a title and the name of its site.
const BETWEEN: [&str; 14] = [
    " | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", " « ", " < ", " ~ ", "|", "ㅣ", "｜",
];
/// Words of the longest name of a site behind a title: those of offices are long.
const LONGEST_TAIL: usize = 10;

/// Letters and digits in small letters, one space between words.
pub(super) fn letters(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // Soft hyphens and joiners stand inside of words.
    let text: std::borrow::Cow<'_, str> = if text.contains(is_invisible) {
        text.replace(is_invisible, "").into()
    } else {
        text.into()
    };
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
    /// It ends the way through the portal: it names the page for machines.
    trail: bool,
}

/// Whether an element stands in a navigation or in the way through the portal.
fn is_trail(stream: &Stream<'_>, element: usize) -> bool {
    /// Elements between a heading and the one that says so.
    const REACH: u8 = 5;
    let near = |steps: u8| steps <= REACH;
    stream.elements.get(element).is_some_and(|e| {
        near(e.near[Part::Breadcrumb as usize]) || tag("nav").is_some_and(|at| near(e.tags[at]))
    })
}

/// Whether a name is made of the first letters of another's words.
fn is_initials(short: &str, long: &str) -> bool {
    let initials: String = long.split(' ').filter_map(|w| w.chars().next()).collect();
    short.chars().count() > 1 && short == initials
}

/// Whether a heading names the site or a part of every page; `owner` is the name in the site's address.
fn is_furniture(heading: &Shown, sites: &[&str], owner: &str) -> bool {
    let phrase = super::words::phrase(&heading.text);
    sites.iter().any(|s| letters(s) == heading.letters)
        || (owner.len() > 3 && heading.letters.replace(' ', "") == owner)
        || phrase.is_some_and(|(p, whole)| whole || p == Phrase::Cookie)
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
            trail: is_trail(stream, element),
        });
    }
    out
}

/// The name that somebody registered in a host's name, letters only: `vanguard` of `investor.vanguard.com`.
fn owner(host: &str) -> String {
    let mut labels = host.split('.').rev().skip(1).peekable();
    let first = labels.next().unwrap_or_default();
    // `co.uk`, `gov.vn`: under these countries names are registered one step lower.
    let shared = ["co", "com", "gov", "org", "net", "ac", "edu"].contains(&first);
    let name = if shared { labels.next() } else { None };
    letters(name.unwrap_or(first)).replace(' ', "")
}

/// A text without a name that ends or begins it, parted from the rest by a sign. The rest is never empty.
#[must_use]
pub fn unnamed<'t>(text: &'t str, name: &str) -> &'t str {
    let is_sign = |c: char| c.is_whitespace() || "|-–—:»·•«<>›~ㅣ/".contains(c);
    let text = text.trim();
    let rest = match (text.strip_suffix(name), text.strip_prefix(name)) {
        (Some(rest), _) if rest.ends_with(is_sign) => rest,
        (_, Some(rest)) if rest.starts_with(is_sign) => rest,
        _ => return text,
    };
    // One word of a sentence is no name behind a sign.
    let bare = rest.trim_matches(is_sign);
    let signs = rest.len() - bare.len();
    let blank = rest.len() - rest.trim().len();
    if name.is_empty() || bare.is_empty() || signs == blank {
        text
    } else {
        bare
    }
}

/// A told title without the name of its site before or behind it.
pub(super) fn bare<'t>(told: &'t str, sites: &[&str], host: &str, headings: &[String]) -> &'t str {
    let whole_host = letters(host).replace(' ', "");
    let owner = owner(host);
    let host = letters(host.split('.').next().unwrap_or_default()).replace(' ', "");
    let is_site = |part: &str| {
        let part = letters(part);
        let packed = part.replace(' ', "");
        sites.iter().any(|s| {
            let site = letters(s);
            site == part
                || is_initials(&part, &site)
                || (!part.is_empty() && site.contains(&part))
                || (!site.is_empty() && part.contains(&site) && part.len() < site.len() + 16)
        }) || packed == whole_host
            || owner.len() > 2 && packed.starts_with(&owner) && whole_host.ends_with(&packed)
            || owner.len() > 2 && packed == owner
            || packed.len() > 2 && host.contains(&packed)
            || host.len() > 3 && packed.contains(&host)
    };
    let mut rest = told.trim();
    for _ in 0..3 {
        let whole = letters(rest);
        if headings.contains(&whole) {
            return rest;
        }
        if let Some(shorter) = sites
            .iter()
            .map(|s| unnamed(rest, s))
            .find(|s| s.len() < rest.len())
        {
            rest = shorter;
            continue;
        }
        // Where what stands before or behind a sign is a heading of the page, that is the title.
        let parts = BETWEEN.iter().flat_map(|sign| rest.match_indices(sign));
        let told = parts.chain(rest.match_indices(": ")).find_map(|(at, sign)| {
            let (head, tail) = (rest[..at].trim(), rest[at + sign.len()..].trim());
            let is_heading = |part: &str| part.contains(' ') && headings.contains(&letters(part));
            // Where both are, one of them is the name of the site.
            let shorter = is_heading(tail) && tail.split(' ').count() > head.split(' ').count();
            if is_heading(head) && sign != ": " && !shorter {
                Some(head)
            } else {
                (is_heading(tail) && (sign != ": " || is_site(head))).then_some(tail)
            }
        });
        if let Some(part) = told {
            return part;
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
        if head.is_empty() {
            rest = "";
            break;
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
    rest
}

/// Fewest words of a line that its template calls a title and that is none of the site.
const SAID: usize = 4;

/// A `<title>` without what stands behind its last sign, where that can be the name of a site that no one tells: shorter
/// than what stands before, and no sentence. In pages with gold titles such tails are nearly always no part of the title.
fn untailed<'t>(told: &'t str, headings: &[String]) -> &'t str {
    let mut rest = told;
    for _ in 0..2 {
        let cut = BETWEEN
            .iter()
            .filter_map(|sign| rest.rfind(sign).map(|at| (at, sign.len())))
            .max();
        let Some((at, length)) = cut else { break };
        let (head, tail) = (rest[..at].trim(), rest[at + length..].trim());
        let count = |part: &str| letters(part).split(' ').count();
        let is_long = count(head) >= 3 || head.chars().count() >= 12 && head.chars().all(|c| !c.is_ascii());
        let is_name = count(tail) <= LONGEST_TAIL
            && tail.chars().count() < head.chars().count()
            && tail.starts_with(|c: char| c.is_alphabetic() && !c.is_lowercase())
            && !tail.ends_with(['?', '!', '.']);
        if !is_long || !is_name || headings.contains(&letters(rest)) {
            break;
        }
        rest = head;
    }
    rest
}

/// Chooses among what is told and shown; `site` is the name of the site, where a mapping knows it.
pub(super) fn choose(
    page: &Page,
    stream: &Stream<'_>,
    facts: &Facts,
    site: Option<&str>,
) -> Option<Candidate> {
    let sites: Vec<&str> = facts.site.as_deref().into_iter().chain(site).collect();
    let shown = shown(page, stream);
    let told_way = |s: &&Shown| !s.trail && !s.letters.is_empty();
    let headings: Vec<String> = shown.iter().filter(told_way).map(|s| s.letters.clone()).collect();
    let host = page.url.as_url().host_str().unwrap_or_default();
    let host = host.strip_prefix("www.").unwrap_or(host);
    let told: Vec<(String, &Candidate)> = facts
        .titles
        .iter()
        .map(|c| {
            let text = bare(&c.value, &sites, host, &headings);
            let text = if c.method == "title" {
                untailed(text, &headings)
            } else {
                text
            };
            (text.to_owned(), c)
        })
        .filter(|(t, _)| !t.is_empty())
        .collect();
    // A section that one source writes behind the title, and another does not.
    let plain: Vec<String> = told.iter().map(|(t, _)| t.clone()).collect();
    let told: Vec<(String, &Candidate)> = told
        .into_iter()
        .map(|(text, candidate)| {
            let shorter = plain.iter().find(|p| {
                let rest = text.strip_prefix(p.as_str()).map(str::trim_start);
                p.len() >= SHORTEST
                    && rest.is_some_and(|r| r.starts_with(['-', '|', '–', '—', '·', '•', '»', 'ㅣ']))
            });
            (shorter.cloned().unwrap_or(text), candidate)
        })
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
        // A kicker may stand before what is told.
        let ends = |told: &String| {
            told.matches(' ').count() >= 2
                && (heading.letters.strip_suffix(told.as_str()))
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
        };
        if told_letters.iter().any(ends) {
            return 1.0;
        }
        told_words.iter().map(|t| alike(t, &own)).fold(0.0, f64::max)
    };
    // The heading of the page: its first one of the first level, or, where that one only ends the way through the portal,
    // the first that says what is told.
    let owner = owner(host);
    let first = shown
        .iter()
        .filter(|s| !s.trail && !is_furniture(s, &sites, &owner));
    let tops: Vec<&Shown> = first.clone().filter(|s| s.level == 1).collect();
    let trails = shown.iter().any(|s| s.trail && s.level == 1);
    let main = tops.iter().copied().find(|s| told.is_empty() || agrees(s) >= 0.3);
    let main = main.or_else(|| {
        let mut first = first.filter(|s| s.level == 2 || s.named);
        first.find(|s| trails && agrees(s) >= 0.5)
    });
    // A page that has only one says with it what it is.
    let only = if tops.len() == 1 { ONLY } else { 0.0 };
    for heading in &shown {
        let agreed = agrees(heading);
        let is_main = main.is_some_and(|m| std::ptr::eq(m, heading));
        let weight = match (heading.level, heading.named) {
            // What repeats what is told is the way through the portal, or a link to the page itself: no evidence.
            _ if heading.trail || (!is_main && told_letters.contains(&heading.letters)) => continue,
            _ if is_main => 1.4 + agreed + if heading.level == 1 { only } else { 0.0 },
            (1, _) => 0.3 + agreed,
            (2, _) | (_, true) => 0.5 * agreed,
            _ => 0.2 * agreed,
        };
        if told.is_empty() || is_main || agreed >= 0.3 {
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
                // Behind a sign something else begins: what stands before it is the name of the site.
                && !BETWEEN.iter().any(|sign| b.text.contains(sign))
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
    // `<title>` may say the name of the site on all pages; a line that its template calls a title says more.
    let mut named = shown.iter().filter(|s| {
        s.named && !s.trail && s.letters.split(' ').count() >= SAID && !is_furniture(s, &sites, &owner)
    });
    if told.iter().all(|(_, c)| c.method == "title")
        && let Some(line) = named.next().filter(|_| named.next().is_none())
        && only.is_empty()
    {
        return Some(visible(line, "visible", 0.6));
    }
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
