//! Who wrote it: what is told to machines, then a line near the title that says so.

use super::facts::{Candidate, Facts};
use super::stream::{Stream, tells};
use super::words::Part;
use crate::lang::{pattern, spaces};
use regex::Regex;
use std::sync::LazyLock;

/// Blocks behind the title that may name the author.
const NEAR: usize = 20;
/// Longest name, in characters.
const LONGEST: usize = 60;

static BY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^(?:written by|story by|posted by|by|von|par|por|di|door|av|af|tác giả|người viết|bài viết)\s*:?\s+(.+)$",
    )
});
/// What follows a name in its line.
static BEHIND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\s*(?:[|•·–—]|\s-\s|\bon\b|\bpublished\b|\bupdated\b|\d).*$"));

/// Authors; each once.
pub(super) fn choose(stream: &Stream<'_>, facts: &Facts, title: usize) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::new();
    for told in &facts.authors {
        let known = out.iter().any(|c| c.value.eq_ignore_ascii_case(&told.value));
        if !known && told.value.chars().count() <= LONGEST && !told.value.starts_with("http") {
            out.push(told.clone());
        }
    }
    if !out.is_empty() {
        return out;
    }
    let from = title.saturating_sub(3);
    for block in stream.blocks.iter().skip(from).take(NEAR) {
        if block.chars > 2 * LONGEST {
            continue;
        }
        let said = BY.captures(block.text).and_then(|c| c.get(1)).map(|m| m.as_str());
        let named = stream
            .up(block.inner)
            .take(2)
            .any(|e| tells(&stream.elements[e], Part::Byline));
        let text = said.or(named.then_some(block.text));
        let Some(text) = text else { continue };
        let name = spaces(&BEHIND.replace(text, ""));
        let first = name.chars().next();
        if first.is_some_and(char::is_uppercase)
            && (4..=LONGEST).contains(&name.chars().count())
            && !name.ends_with('.')
        {
            out.push(Candidate {
                value: name,
                method: "visible".into(),
                confidence: if said.is_some() { 0.7 } else { 0.5 },
                chars: Some(block.span),
            });
            break;
        }
    }
    out
}
