//! Short selectors for an element, and how well they do on pages.

use super::sketch::{MARKS, Sketch};
use crate::mapping::Css;
use scraper::ElementRef;
use std::collections::BTreeMap;

/// Most selectors that are tried for one rule.
const TRIED: usize = 110;

/// Ancestors that lend a selector their name.
const ANCESTORS: usize = 6;

/// Tags that say what stands in them.
const TELLING: [&str; 12] = [
    "h1",
    "h2",
    "h3",
    "h4",
    "time",
    "article",
    "blockquote",
    "figure",
    "main",
    "address",
    "caption",
    "center",
];

fn plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

fn quoted(value: &str) -> Option<String> {
    let fits = !value.is_empty() && value.len() <= 60 && !value.contains(['"', '\\', '\n', '\'']);
    fits.then(|| format!("\"{value}\""))
}

fn digits(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit())
}

/// What a class's name adds: one that speaks of how an element looks is given to others as well.
fn meaning(class: &str) -> u32 {
    const LOOKS: [&str; 14] = [
        "margin", "padding", "col-", "row", "clear", "text-", "pull-", "float", "align", "small", "large",
        "btn", "wrap", "inline",
    ];
    let class = class.to_ascii_lowercase();
    if LOOKS.iter().any(|l| class.starts_with(l)) || class.len() < 3 {
        10
    } else {
        2 * u32::from(
            [
                "title", "tieude", "headline", "date", "ngay", "author", "content", "noidung",
            ]
            .iter()
            .all(|w| !class.contains(w)),
        )
    }
}

/// Selectors for an element by itself, with how much each asks of the site to stay as it is.
fn own(element: ElementRef<'_>) -> Vec<(String, u32)> {
    let value = element.value();
    let tag = value.name();
    let mut out = Vec::new();
    if let Some(id) = value.attr("id").filter(|i| !i.is_empty()) {
        if plain(id) {
            out.push((format!("#{id}"), if digits(id) { 30 } else { 10 }));
        }
        // Numbers of modules and names of master pages stand in front: the end is the control's own.
        if let Some(at) = id.rfind(|c: char| c.is_ascii_digit()) {
            let end = &id[at + 1..];
            if end.starts_with('_')
                && end.trim_matches('_').len() >= 3
                && let Some(q) = quoted(end)
            {
                out.push((format!("[id$={q}]"), 12));
            }
        }
        if let Some((_, end)) = id.rsplit_once('_')
            && end.len() >= 4
            && !digits(end)
            && let Some(q) = quoted(&format!("_{end}"))
        {
            out.push((format!("[id$={q}]"), 13));
        }
    }
    let classes: Vec<&str> = value.classes().filter(|c| plain(c)).collect();
    for class in classes.iter().take(4) {
        if digits(class) {
            let head = class.trim_end_matches(|c: char| c.is_ascii_digit());
            if head.len() >= 5 && !digits(head) && value.attr("class").is_some_and(|c| c.starts_with(head)) {
                out.push((format!("{tag}[class^=\"{head}\"]"), 25));
            }
        } else {
            let extra = meaning(class);
            out.push((format!(".{class}"), 11 + extra));
            out.push((format!("{tag}.{class}"), 14 + extra));
        }
    }
    if let [a, b, ..] = classes[..]
        && !digits(a)
        && !digits(b)
    {
        out.push((format!(".{a}.{b}"), 16));
    }
    for name in ["itemprop", "rel", "role"] {
        if let Some(q) = value.attr(name).and_then(quoted) {
            out.push((format!("[{name}={q}]"), 15));
        }
    }
    if TELLING.contains(&tag) {
        out.push((tag.to_owned(), 22));
    }
    if classes.is_empty() && value.attr("id").is_none() {
        let marks: Vec<String> = MARKS
            .iter()
            .filter_map(|m| Some(format!("[{m}={}]", value.attr(m).and_then(quoted)?)))
            .collect();
        out.extend(marks.iter().take(4).map(|m| (format!("{tag}{m}"), 32)));
        if let [a, b, ..] = &marks[..] {
            out.push((format!("{tag}{a}{b}"), 34));
        }
    }
    out
}

/// Selectors for an element, the sturdiest first.
pub(super) fn candidates(element: ElementRef<'_>) -> Vec<(String, u32)> {
    let mut mine = own(element);
    let mut out = mine.clone();
    let tag = element.value().name();
    if mine.len() < 6 {
        mine.push((tag.to_owned(), 45));
    }
    // The second of three alike: which one it is tells it.
    let twins = |e: &ElementRef<'_>| {
        e.value().name() == tag && e.value().attr("class") == element.value().attr("class")
    };
    let before = element
        .prev_siblings()
        .filter_map(ElementRef::wrap)
        .filter(twins)
        .count();
    let after = element
        .next_siblings()
        .filter_map(ElementRef::wrap)
        .filter(twins)
        .count();
    if before + after > 0 {
        let name = element
            .value()
            .classes()
            .find(|c| plain(c) && !digits(c))
            .map_or_else(|| tag.to_owned(), |c| format!("{tag}.{c}"));
        if after == 0 {
            mine.insert(0, (format!("{name}:last-of-type"), 42));
        }
        mine.insert(0, (format!("{name}:nth-of-type({})", before + 1), 43));
        out.extend(mine.iter().take(2).cloned());
    }
    let ancestors = element.ancestors().filter_map(ElementRef::wrap).take(ANCESTORS);
    for (far, ancestor) in ancestors.enumerate() {
        let far = u32::try_from(far).unwrap_or(u32::MAX);
        let mut names = own(ancestor);
        names.sort_by_key(|n| n.1);
        for (above, cost) in names.iter().take(3) {
            for (name, own_cost) in mine.iter().take(8) {
                out.push((format!("{above} {name}"), cost + own_cost + 3 * far));
            }
        }
    }
    let before = element.prev_siblings().find_map(ElementRef::wrap);
    if let Some(before) = before {
        let mut names = own(before);
        names.sort_by_key(|n| n.1);
        for (name, cost) in names.iter().take(2) {
            for (me, own_cost) in mine.iter().take(4) {
                out.push((format!("{name} + {me}"), cost + own_cost + 15));
            }
        }
    }
    out.sort_by(|a, b| {
        a.1.cmp(&b.1)
            .then_with(|| a.0.len().cmp(&b.0.len()))
            .then_with(|| a.0.cmp(&b.0))
    });
    out.dedup_by(|a, b| a.0 == b.0);
    out
}

/// Selectors of many elements, the sturdiest first, compiled.
pub(super) fn pool<'a>(elements: impl IntoIterator<Item = ElementRef<'a>>) -> Vec<(Css, u32)> {
    let mut all: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    for element in elements {
        for (css, cost) in candidates(element) {
            let entry = all.entry(css).or_insert((cost, 0));
            entry.0 = entry.0.min(cost);
            entry.1 += 1;
        }
    }
    // What names many of the elements comes before what names one.
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by(|a, b| {
        (b.1.1.min(4))
            .cmp(&a.1.1.min(4))
            .then(a.1.0.cmp(&b.1.0))
            .then_with(|| a.0.cmp(&b.0))
    });
    all.into_iter()
        .take(TRIED)
        .filter_map(|(css, (cost, _))| Some((Css::new(&css).ok()?, cost)))
        .collect()
}

/// The element that a field rule takes: inside the container, else anywhere.
pub(super) fn first<'a>(sketch: &Sketch<'a>, container: Option<&Css>, css: &Css) -> Option<ElementRef<'a>> {
    let root = container.and_then(|c| sketch.page.html.select(c.selector()).next());
    root.and_then(|r| r.select(css.selector()).next())
        .or_else(|| sketch.page.html.select(css.selector()).next())
}

/// How a rule did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub right: u32,
    pub wrong: u32,
    pub missed: u32,
}

impl Tally {
    /// What the rule is worth: a wrong value costs more than none.
    pub(super) fn worth(self) -> i64 {
        i64::from(self.right) - 2 * i64::from(self.wrong)
    }
}

/// The best of `pool` by `judge`, which says of a page whether the element is the right one (`None`: it does not matter).
/// With the best come those that do as well.
pub(super) fn best<'a, 's>(
    pool: Vec<(Css, u32)>,
    pages: &[&'s Sketch<'a>],
    container: Option<&Css>,
    judge: &dyn Fn(usize, ElementRef<'a>) -> Option<bool>,
    wanted: &dyn Fn(usize) -> bool,
) -> Option<(Css, Tally, Vec<String>)> {
    let mut scored: Vec<(i64, usize, u32, Css, Tally)> = Vec::new();
    for (css, cost) in pool {
        let mut tally = Tally::default();
        let mut chars = 0;
        for (at, sketch) in pages.iter().enumerate() {
            let hit = first(sketch, container, &css);
            match hit.map(|e| judge(at, e)) {
                Some(Some(true)) => {
                    tally.right += 1;
                    let span = hit
                        .and_then(|e| sketch.page.text.span(e.id()))
                        .unwrap_or_default();
                    chars += span.1 - span.0;
                }
                Some(Some(false)) => tally.wrong += 1,
                Some(None) => {}
                None => tally.missed += u32::from(wanted(at)),
            }
            // It cannot become the best any more.
            if tally.wrong > 2 && tally.wrong > tally.right {
                break;
            }
        }
        if tally.right > 0 {
            scored.push((tally.worth(), chars, cost, css, tally));
        }
    }
    // The tightest of the best, then the sturdiest.
    scored.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
    let top = scored.first()?.0;
    let mut scored = scored.into_iter();
    let (worth, _, _, css, tally) = scored.next()?;
    let others = scored
        .filter(|s| s.0 == top)
        .map(|s| s.3.as_str().to_owned())
        .take(3);
    (worth > 0).then(|| (css, tally, others.collect()))
}
