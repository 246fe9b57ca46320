//! Selectors by example: what finds a text that a person points at, on all pages that are given.

use super::selector::candidates;
use crate::document::Span;
use crate::lang::{fold, spaces};
use crate::mapping::Css;
use crate::page::Page;
use scraper::ElementRef;
use std::collections::BTreeMap;

/// Elements of one page that hold the text.
const HOLDERS: usize = 6;

/// Elements above one of them that show no more than it does.
const WRAPPERS: usize = 4;

/// Selectors that are tried.
const TRIED: usize = 160;

/// Elements that one selector may match on a page before it is no answer to the question.
const MATCHES: usize = 200;

/// Proposals that are told.
const TOLD: usize = 8;

/// Longest label before a text, in characters.
const LABEL: usize = 40;

/// A page, what may be wanted of it, and the element that its rules look in first.
pub struct Sample<'a> {
    /// The page.
    pub page: &'a Page,
    /// Texts that a person points at; the first that the page shows counts. On a page that shows none, anything may be found.
    pub wanted: &'a [String],
    /// The container of the page's collection.
    pub container: Option<&'a Css>,
}

/// What a rule finds on a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hit {
    /// The text, and nothing else.
    Right,
    /// More than the text.
    More,
    /// Something; nobody said what it should be.
    Other,
    /// Nothing; nobody said that there is anything.
    Nothing,
    /// Something else than the text, or nothing.
    Wrong,
}

/// What a rule does on one sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How it came out.
    pub hit: Hit,
    /// Elements that it matches.
    pub matches: usize,
    /// What it finds, white space folded.
    pub text: String,
}

/// A rule that finds the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The rung of a field as TOML: `{ css = 'h1.title' }`.
    pub rung: String,
    /// Its selector, if it has one.
    pub css: Option<String>,
    /// How much it asks of the site to stay as it is: ids about 10, classes about 12, what depends on order 40 and more.
    pub cost: u32,
    /// What it does, a sample each.
    pub seen: Vec<Seen>,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Rules for the text itself, the best first.
    pub proposals: Vec<Proposal>,
    /// Selectors of what the text stands in, on all samples once, the tightest first.
    pub containers: Vec<String>,
    /// Samples that show the text.
    pub shown: usize,
}

/// The rules that find the wanted texts. Never a path from the root; what fewer samples contradict comes first, then what
/// finds the text alone, then what is sturdier, then what is shorter.
#[must_use]
pub fn find(samples: &[Sample<'_>]) -> Found {
    let wanted: Vec<Option<String>> = samples.iter().map(wanted).collect();
    let mut pool: BTreeMap<String, u32> = BTreeMap::new();
    let mut outer: BTreeMap<String, u32> = BTreeMap::new();
    for (sample, wanted) in samples.iter().zip(&wanted) {
        let Some(wanted) = wanted else { continue };
        for holder in holders(sample.page, wanted) {
            let text = fold(&sample.page.text_of(holder));
            let same = |e: &ElementRef<'_>| fold(&sample.page.text_of(*e)) == text;
            let above: Vec<ElementRef<'_>> = holder.ancestors().filter_map(ElementRef::wrap).collect();
            let wrappers = above.iter().copied().take_while(same).take(WRAPPERS);
            for element in std::iter::once(holder).chain(wrappers) {
                collect(&mut pool, element);
            }
            for element in above.into_iter().filter(|e| !same(e)).take(8) {
                collect(&mut outer, element);
            }
        }
    }
    let mut proposals: Vec<Proposal> = cheapest(pool)
        .into_iter()
        .filter_map(|(css, cost)| by_css(samples, &wanted, &css, cost))
        .collect();
    proposals.extend(labels(samples, &wanted));
    proposals.extend(metas(samples, &wanted));
    proposals.sort_by(|a, b| rank(a).cmp(&rank(b)).then_with(|| a.rung.cmp(&b.rung)));
    distinct(&mut proposals);
    Found {
        containers: containers(samples, outer),
        shown: wanted.iter().flatten().count(),
        proposals,
    }
}

/// What is wanted of a page that shows it, folded.
fn wanted(sample: &Sample<'_>) -> Option<String> {
    let meta = |text: &str| metas_of(sample.page).any(|(_, content)| fold(content) == text);
    let mut texts = sample.wanted.iter().map(|t| fold(t));
    texts.find(|t| !t.is_empty() && (sample.page.has_text(t) || meta(t)))
}

fn collect(pool: &mut BTreeMap<String, u32>, element: ElementRef<'_>) {
    for (css, cost) in candidates(element) {
        let known = pool.entry(css).or_insert(cost);
        *known = cost.min(*known);
    }
}

fn cheapest(pool: BTreeMap<String, u32>) -> Vec<(Css, u32)> {
    let mut all: Vec<(String, u32)> = pool.into_iter().collect();
    all.sort_by(|a, b| {
        a.1.cmp(&b.1)
            .then(a.0.len().cmp(&b.0.len()))
            .then_with(|| a.0.cmp(&b.0))
    });
    all.truncate(TRIED);
    all.into_iter()
        .filter_map(|(css, cost)| Some((Css::new(&css).ok()?, cost)))
        .collect()
}

/// The smallest elements that show the text.
fn holders<'a>(page: &'a Page, wanted: &str) -> Vec<ElementRef<'a>> {
    let mut out = Vec::new();
    let mut open = vec![page.html.root_element()];
    // Down from the root, only where the text is: each level is looked at once.
    while let Some(element) = open.pop() {
        let below: Vec<ElementRef<'a>> = element
            .children()
            .filter_map(ElementRef::wrap)
            .filter(|e| fold(page.text.slice(page.text.span(e.id()).unwrap_or_default())).contains(wanted))
            .collect();
        if below.is_empty() {
            out.push(element);
        }
        open.extend(below.into_iter().rev());
        if out.len() >= HOLDERS {
            break;
        }
    }
    // What shows the text alone comes before what shows more.
    out.sort_by_key(|e| page.text.span(e.id()).unwrap_or_default().len());
    out.retain(|e| page.text.span(e.id()).is_some_and(|s| !s.is_empty()));
    out
}

/// The elements that a field rule looks at, in its order: inside the container, else anywhere.
fn matched<'a>(sample: &Sample<'a>, css: &Css) -> Vec<ElementRef<'a>> {
    let shown = |e: &ElementRef<'a>| sample.page.text.span(e.id()).is_some_and(|s| !s.is_empty());
    let root = sample
        .container
        .and_then(|c| sample.page.html.select(c.selector()).next());
    let inside: Vec<ElementRef<'a>> = root
        .map(|r| r.select(css.selector()).filter(shown).take(MATCHES).collect())
        .unwrap_or_default();
    if !inside.is_empty() {
        return inside;
    }
    sample
        .page
        .html
        .select(css.selector())
        .filter(shown)
        .take(MATCHES)
        .collect()
}

fn seen(text: Option<String>, matches: usize, wanted: Option<&String>) -> Seen {
    let hit = match (&text, wanted) {
        (Some(text), Some(wanted)) => {
            let folded = fold(text);
            if folded == *wanted {
                Hit::Right
            } else if folded.contains(wanted.as_str()) {
                Hit::More
            } else {
                Hit::Wrong
            }
        }
        (None, Some(_)) => Hit::Wrong,
        (Some(_), None) => Hit::Other,
        (None, None) => Hit::Nothing,
    };
    Seen {
        hit,
        matches,
        text: text.unwrap_or_default(),
    }
}

fn by_css(samples: &[Sample<'_>], wanted: &[Option<String>], css: &Css, cost: u32) -> Option<Proposal> {
    let seen: Vec<Seen> = samples
        .iter()
        .zip(wanted)
        .map(|(sample, wanted)| {
            let all = matched(sample, css);
            let text = all.first().map(|e| sample.page.text_of(*e));
            seen(text, all.len(), wanted.as_ref())
        })
        .collect();
    // It must find the text somewhere.
    seen.iter()
        .any(|s| matches!(s.hit, Hit::Right | Hit::More))
        .then(|| Proposal {
            rung: format!("{{ css = {}{} }}", quote(css.as_str()), pattern(&seen, wanted)),
            css: Some(css.as_str().to_owned()),
            cost,
            seen,
        })
}

/// A pattern for the text inside of what is found, where digits and signs are all of it: a date, a number.
fn pattern(seen: &[Seen], wanted: &[Option<String>]) -> String {
    if seen.iter().all(|s| s.hit != Hit::More) {
        return String::new();
    }
    let Some(text) = wanted.iter().flatten().next() else {
        return String::new();
    };
    if !text.contains(|c: char| c.is_ascii_digit()) || text.contains(char::is_alphabetic) {
        return String::new();
    }
    let mut out = String::new();
    let mut digits = 0;
    for c in text.chars().chain(['\0']) {
        if c.is_ascii_digit() {
            digits += 1;
            continue;
        }
        match digits {
            0 => {}
            1 | 2 => out.push_str(r"\d{1,2}"),
            4 => out.push_str(r"\d{4}"),
            _ => out.push_str(r"\d+"),
        }
        digits = 0;
        if c != '\0' {
            out.push_str(&regex::escape(&c.to_string()));
        }
    }
    // It has to find the text where it was seen, else it is worse than none.
    let finds = regex::Regex::new(&out).is_ok_and(|regex| {
        seen.iter().zip(wanted).all(|(s, w)| match (s.hit, w) {
            (Hit::More, Some(w)) => regex.find(&s.text).is_some_and(|m| fold(m.as_str()) == *w),
            _ => true,
        })
    });
    if finds {
        format!(", regex = {}", quote(&out))
    } else {
        String::new()
    }
}

/// Labels before the text in its line, or alone in the line before.
fn labels(samples: &[Sample<'_>], wanted: &[Option<String>]) -> Vec<Proposal> {
    let mut names: Vec<String> = Vec::new();
    for (sample, wanted) in samples.iter().zip(wanted) {
        let Some(wanted) = wanted else { continue };
        let mut before: Option<String> = None;
        for line in lines(sample.page) {
            let folded = fold(&line);
            if folded == *wanted {
                names.extend(
                    before
                        .clone()
                        .filter(|b| b.ends_with(':') && b.chars().count() <= LABEL),
                );
            } else if let Some(head) = folded.strip_suffix(wanted.as_str()) {
                let chars = head.trim_end().chars().count();
                let label: String = line.chars().take(chars).collect();
                if label.ends_with(':') && chars <= LABEL {
                    names.push(label);
                }
            }
            before = Some(line);
        }
    }
    names.sort();
    names.dedup();
    named(samples, wanted, names, ("label", 20), labelled)
}

/// Rules of a kind that take a name, and their cost: what each finds on all samples. `names` are in order, each once.
fn named(
    samples: &[Sample<'_>],
    wanted: &[Option<String>],
    names: Vec<String>,
    (kind, cost): (&str, u32),
    look: impl Fn(&Page, &str) -> (Option<String>, usize),
) -> Vec<Proposal> {
    let told = |name: String| {
        let seen = samples.iter().zip(wanted).map(|(sample, wanted)| {
            let (text, matches) = look(sample.page, &name);
            seen(text, matches, wanted.as_ref())
        });
        Proposal {
            rung: format!("{{ {kind} = {} }}", quote(&name)),
            css: None,
            cost,
            seen: seen.collect(),
        }
    };
    names.into_iter().take(4).map(told).collect()
}

fn lines(page: &Page) -> Vec<String> {
    let all = page.text.lines(Span(0, page.text.len()));
    all.into_iter().map(|s| spaces(page.text.slice(s))).collect()
}

/// What follows a label, in its line or in the next one, and how often the label stands on the page.
fn labelled(page: &Page, name: &str) -> (Option<String>, usize) {
    let folded = fold(name);
    let all = lines(page);
    let mut found = None;
    let mut count = 0;
    for (at, line) in all.iter().enumerate() {
        if !fold(line).starts_with(&folded) {
            continue;
        }
        count += 1;
        let rest: String = line.chars().skip(name.chars().count()).collect();
        let rest = rest.trim().to_owned();
        let value = if rest.is_empty() {
            all.get(at + 1).cloned()
        } else {
            Some(rest)
        };
        found = found.or(value);
    }
    (found, count)
}

fn metas_of(page: &Page) -> impl Iterator<Item = (&str, &str)> {
    let all = page.html.tree.nodes().filter_map(ElementRef::wrap);
    all.filter(|e| e.value().name() == "meta").filter_map(|e| {
        let name = e.attr("property").or_else(|| e.attr("name"))?;
        Some((name, e.attr("content")?))
    })
}

fn metas(samples: &[Sample<'_>], wanted: &[Option<String>]) -> Vec<Proposal> {
    let mut names: Vec<String> = Vec::new();
    for (sample, wanted) in samples.iter().zip(wanted) {
        let Some(wanted) = wanted else { continue };
        let equal = metas_of(sample.page).filter(|(_, content)| fold(content) == *wanted);
        names.extend(equal.map(|(name, _)| name.to_owned()));
    }
    names.sort();
    names.dedup();
    named(samples, wanted, names, ("meta", 18), |page, name| {
        let mut all = metas_of(page).filter(|m| m.0 == name).map(|m| m.1);
        let first = all.next();
        (first.map(spaces), first.iter().count() + all.count())
    })
}

/// Less is better.
fn rank(p: &Proposal) -> (usize, usize, usize, usize, u32, usize) {
    let count = |hit: Hit| p.seen.iter().filter(|s| s.hit == hit).count();
    let more = if p.rung.contains(", regex") {
        0
    } else {
        count(Hit::More)
    };
    let twice = p.seen.iter().filter(|s| s.matches > 1).count();
    (
        count(Hit::Wrong),
        more,
        count(Hit::Nothing),
        twice,
        p.cost,
        p.rung.len(),
    )
}

/// If a rule does well on every sample, those that do not are left out; so are those that find more than the text. Of selectors that do the same, those that cost least
/// stay; and no more than a person reads.
fn distinct(proposals: &mut Vec<Proposal>) {
    let everywhere = |p: &Proposal| p.seen.iter().all(|s| !matches!(s.hit, Hit::Wrong | Hit::Nothing));
    if proposals.first().is_some_and(everywhere) {
        proposals.retain(everywhere);
    }
    // Where the text itself can be had, nobody wants what stands around it as well.
    let alone = |p: &Proposal| p.rung.contains(", regex") || p.seen.iter().all(|s| s.hit != Hit::More);
    if proposals.first().is_some_and(alone) {
        proposals.retain(alone);
    }
    let mut kept: BTreeMap<Vec<(Hit, usize, String)>, usize> = BTreeMap::new();
    proposals.retain(|p| {
        let does = p
            .seen
            .iter()
            .map(|s| (s.hit, s.matches, s.text.clone()))
            .collect();
        let n = kept.entry(does).or_insert(0);
        *n += 1;
        *n <= 3 || p.css.is_none()
    });
    proposals.truncate(TOLD);
}

/// Selectors of elements around the text that every sample has exactly once.
fn containers(samples: &[Sample<'_>], pool: BTreeMap<String, u32>) -> Vec<String> {
    let mut out: Vec<(usize, u32, String)> = Vec::new();
    for (css, cost) in cheapest(pool) {
        // Where elements stand among others says nothing about what they hold.
        if cost > 30 || css.as_str().contains(' ') {
            continue;
        }
        let mut chars = 0;
        let once = samples.iter().all(|sample| {
            let all: Vec<ElementRef<'_>> = sample.page.html.select(css.selector()).take(2).collect();
            if let [one] = &all[..] {
                chars += sample.page.text.span(one.id()).unwrap_or_default().len();
            }
            all.len() == 1
        });
        if once {
            out.push((chars, cost, css.as_str().to_owned()));
        }
    }
    out.sort();
    out.dedup_by_key(|c| c.0);
    out.into_iter().map(|c| c.2).take(4).collect()
}

/// A text as TOML writes it: literally where that is possible.
pub(super) fn quote(text: &str) -> String {
    if text.contains('\'') || text.chars().any(char::is_control) {
        serde_json::to_string(text).unwrap_or_else(|_| "''".into())
    } else {
        format!("'{text}'")
    }
}
