//! Lists: their entries, what these say, and how the list goes on.

use super::dates;
use super::model::{Kind, List, Pager, Rule};
use super::selector::pool;
use super::site::{Cluster, Site};
use super::sketch::{Link, Sketch, signature};
use crate::lang::{Language, catalogue, fold, spaces};
use crate::mapping::{Css, PageUrl};
use ego_tree::NodeId;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Entries of one page that are looked at: a page of thousands of links is no list for readers.
const ENTRIES: usize = 200;

/// What lists say of the articles that they link to.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// Day of an article, as the list prints it.
    pub day: BTreeMap<PageUrl, jiff::civil::Date>,
    /// Folded labels of the sections that list an article.
    pub section: BTreeMap<PageUrl, BTreeSet<String>>,
    /// Folded labels of all lists, with how they are written.
    pub labels: BTreeMap<String, String>,
    /// Articles that lists link to.
    pub listed: BTreeSet<PageUrl>,
}

/// The entries of a list page: the link and the element around it.
struct Entries<'a> {
    sketch: usize,
    items: Vec<(PageUrl, ElementRef<'a>, NodeId)>,
}

fn element<'a>(sketch: &Sketch<'a>, id: NodeId) -> Option<ElementRef<'a>> {
    let page = sketch.page;
    page.html.tree.get(id).and_then(ElementRef::wrap)
}

/// Where a link stands, in words.
fn place(sketch: &Sketch<'_>, link: &Link) -> String {
    let Some(anchor) = element(sketch, link.node) else {
        return String::new();
    };
    let mut parts = vec![signature(anchor.value())];
    parts.extend(
        anchor
            .ancestors()
            .filter_map(ElementRef::wrap)
            .take(3)
            .map(|e| signature(e.value())),
    );
    parts.join("<")
}

/// The entries of all pages of a list: links of one place whose targets are others on every page.
fn entries<'a>(site: &Site<'a>, cluster: &Cluster) -> Vec<Entries<'a>> {
    let article = |to: &PageUrl| site.is_article(to);
    let mut places: BTreeMap<String, (BTreeSet<&PageUrl>, usize, usize)> = BTreeMap::new();
    for index in &cluster.pages {
        let sketch = &site.sketches[*index];
        let mut here: BTreeMap<String, BTreeSet<&PageUrl>> = BTreeMap::new();
        for link in sketch
            .links
            .iter()
            .filter(|l| article(&l.to) && !l.span.is_empty())
        {
            let entry = places.entry(place(sketch, link)).or_default();
            entry.0.insert(&link.to);
            entry.2 += link.text.chars().count();
            here.entry(place(sketch, link)).or_default().insert(&link.to);
        }
        for (place, targets) in here {
            places.entry(place).or_default().1 += targets.len();
        }
    }
    // A box that shows the same everywhere names few pages often.
    let Some((chosen, _)) = places
        .iter()
        .filter(|(_, (targets, shown, _))| cluster.pages.len() == 1 || targets.len() * 2 > *shown)
        .max_by_key(|(_, (targets, _, chars))| (targets.len(), *chars))
    else {
        return Vec::new();
    };
    let mut out = Vec::new();
    for index in &cluster.pages {
        let sketch = &site.sketches[*index];
        let mut anchors: Vec<(&PageUrl, NodeId)> = Vec::new();
        for link in sketch
            .links
            .iter()
            .filter(|l| article(&l.to) && place(sketch, l) == *chosen)
        {
            if anchors.len() < ENTRIES && !anchors.iter().any(|(to, _)| **to == link.to) {
                anchors.push((&link.to, link.node));
            }
        }
        let mut items = Vec::new();
        for (to, node) in &anchors {
            let others: BTreeSet<NodeId> = anchors.iter().filter(|(t, _)| t != to).map(|a| a.1).collect();
            let Some(anchor) = element(sketch, *node) else {
                continue;
            };
            let mut item = anchor;
            for above in anchor.ancestors().filter_map(ElementRef::wrap) {
                if above.descendants().any(|d| others.contains(&d.id())) {
                    break;
                }
                item = above;
            }
            items.push(((*to).clone(), item, *node));
        }
        out.push(Entries {
            sketch: *index,
            items,
        });
    }
    out
}

/// Learns the lists of a cluster; what they say goes into `said`.
pub(super) fn learn(site: &Site<'_>, cluster: &Cluster, said: &mut Said) -> Option<List> {
    let all = entries(site, cluster);
    let full: Vec<&Entries<'_>> = all.iter().filter(|e| e.items.len() >= 2).collect();
    let some = full
        .iter()
        .flat_map(|e| e.items.iter().take(3).map(|i| i.1))
        .take(12);
    let mut found: Option<(usize, u32, Css, Vec<String>)> = None;
    for (css, cost) in pool(some) {
        let right = full
            .iter()
            .filter(|e| {
                let wanted: Vec<NodeId> = e.items.iter().map(|i| i.1.id()).collect();
                let page = site.sketches[e.sketch].page;
                let got: Vec<NodeId> = page.html.select(css.selector()).map(|e| e.id()).collect();
                got == wanted
            })
            .count();
        match &mut found {
            Some((best, _, _, others)) if right == *best && others.len() < 3 => {
                others.push(css.as_str().to_owned())
            }
            Some((best, ..)) if right <= *best => {}
            _ if right > 0 => found = Some((right, cost, css, Vec::new())),
            _ => {}
        }
    }
    let (right, _, css, others) = found?;
    let first = full.first()?.items.first()?.1;
    let item = Rule {
        right: u32::try_from(right).unwrap_or(u32::MAX),
        wrong: u32::try_from(full.len() - right).unwrap_or(u32::MAX),
        of: u32::try_from(full.len()).unwrap_or(u32::MAX),
        example: excerpt(&site.sketches[full.first()?.sketch].page.text_of(first)),
        evidence: "repeats, and each holds one link to an article".into(),
        css: css.as_str().to_owned(),
        others,
        ..Rule::default()
    };
    let date = date(site, &full);
    listen(site, &all, date.as_ref(), said);
    let mut pagers = pagers(site, cluster).into_iter();
    Some(List {
        item,
        link: link(site, &full),
        date,
        pager: pagers.next(),
        more: pagers.next(),
        sections: said.labels.values().cloned().collect(),
    })
}

pub(super) fn excerpt(text: &str) -> String {
    let text = spaces(text);
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() {
        format!("{}…", short.trim_end())
    } else {
        short
    }
}

/// Selectors inside of an entry: names, and which cell of its row it is.
fn inner(element: ElementRef<'_>) -> Vec<(String, u32)> {
    let mut out = super::selector::candidates(element);
    let name = element.value().name();
    let before = element
        .prev_siblings()
        .filter_map(ElementRef::wrap)
        .filter(|e| e.value().name() == name)
        .count();
    out.push((format!("{name}:nth-of-type({})", before + 1), 40));
    out.push((name.to_owned(), 38));
    out
}

/// The link of an entry that says what its article is called: a picture may link to it first.
fn link(site: &Site<'_>, full: &[&Entries<'_>]) -> String {
    const USUAL: &str = "a[href]";
    let items: Vec<(ElementRef<'_>, NodeId)> = full
        .iter()
        .flat_map(|e| e.items.iter().map(|i| (i.1, i.2)))
        .collect();
    let right = |css: &Css| {
        let hits = items.iter().filter(|(item, anchor)| {
            item.select(css.selector())
                .next()
                .is_some_and(|e| e.id() == *anchor)
        });
        hits.count()
    };
    let mut tried: BTreeMap<String, u32> = BTreeMap::from([(USUAL.to_owned(), 0)]);
    for (e, anchor) in full
        .iter()
        .flat_map(|e| e.items.iter().take(2).map(move |i| (e.sketch, i.2)))
        .take(8)
    {
        if let Some(anchor) = element(&site.sketches[e], anchor) {
            for (css, cost) in inner(anchor) {
                tried.entry(css).or_insert(cost);
            }
        }
    }
    let scored = tried.into_iter().filter_map(|(source, cost)| {
        let css = Css::new(&source).ok()?;
        Some((right(&css), std::cmp::Reverse(cost), source))
    });
    scored.max().map_or_else(|| USUAL.to_owned(), |s| s.2)
}

/// Where an entry says its date.
fn date(site: &Site<'_>, full: &[&Entries<'_>]) -> Option<Rule> {
    let dates = dates::Dates::of(site);
    let mut tried: BTreeMap<String, u32> = BTreeMap::new();
    let items: Vec<(&Sketch<'_>, ElementRef<'_>)> = full
        .iter()
        .flat_map(|e| e.items.iter().map(|i| (&site.sketches[e.sketch], i.1)))
        .collect();
    for (sketch, item) in items.iter().take(8) {
        let inside = item.descendants().filter_map(ElementRef::wrap);
        let hit = inside
            .filter(|e| dates.find(&sketch.page.text_of(*e)).is_some())
            .min_by_key(|e| sketch.page.text_of(*e).chars().count());
        if let Some(hit) = hit {
            for (css, cost) in inner(hit) {
                tried.entry(css).or_insert(cost);
            }
        }
    }
    let mut best: Option<(u32, u32, String, String)> = None;
    for (source, cost) in tried {
        let Ok(css) = Css::new(&source) else { continue };
        let mut right = 0;
        let mut example = String::new();
        for (sketch, item) in &items {
            let text = item
                .select(css.selector())
                .next()
                .map(|e| sketch.page.text_of(e))
                .unwrap_or_default();
            if text.chars().count() <= 80 && dates.find(&text).is_some() {
                right += 1;
                example = text;
            }
        }
        if right > 0
            && best
                .as_ref()
                .is_none_or(|(r, c, ..)| (right, std::cmp::Reverse(cost)) > (*r, std::cmp::Reverse(*c)))
        {
            best = Some((right, cost, source, example));
        }
    }
    let (right, _, css, example) = best?;
    let of = u32::try_from(items.len()).unwrap_or(u32::MAX);
    let regex = dates.pattern(&example);
    (right * 2 > of).then(|| Rule {
        css,
        regex,
        right,
        wrong: of - right,
        of,
        example,
        evidence: "a date in the entry".into(),
        ..Rule::default()
    })
}

/// Notes what the lists say.
fn listen(site: &Site<'_>, all: &[Entries<'_>], date: Option<&Rule>, said: &mut Said) {
    let dates = dates::Dates::of(site);
    let css = date.and_then(|d| Css::new(&d.css).ok());
    // What the frame calls the lists.
    let mut names: BTreeSet<String> = BTreeSet::new();
    for page in all {
        let sketch = &site.sketches[page.sketch];
        let mut called = site.anchors.get(&sketch.page.url).into_iter().flatten();
        if let Some(text) = called.find(|t| !turns(site.language, t)) {
            names.insert(text.clone());
        }
    }
    for page in all {
        let sketch = &site.sketches[page.sketch];
        let mut label = None;
        for line in sketch.lines.iter().filter(|l| l.linked * 2 < l.chars) {
            let text = spaces(sketch.page.text.slice(line.span));
            let folded = fold(&text);
            if let Some(name) = names
                .iter()
                .find(|n| folded == **n || folded.ends_with(&format!(" {n}")))
            {
                label = Some((name.clone(), if folded == *name { text } else { name.clone() }));
                break;
            }
        }
        let own = site
            .anchors
            .get(&sketch.page.url)
            .and_then(|t| t.iter().find(|t| !turns(site.language, t)));
        let label = label.or_else(|| own.map(|o| (o.clone(), o.clone())));
        for (url, item, _) in &page.items {
            said.listed.insert(url.clone());
            if let Some((name, shown)) = &label {
                said.section.entry(url.clone()).or_default().insert(name.clone());
                said.labels.entry(name.clone()).or_insert_with(|| shown.clone());
            }
            let text = css
                .as_ref()
                .and_then(|c| item.select(c.selector()).next())
                .map(|e| sketch.page.text_of(e));
            if let Some(day) = text
                .and_then(|t| dates.find(&t))
                .and_then(|f| f.value.get(..10)?.parse().ok())
            {
                said.day.insert(url.clone(), day);
            }
        }
    }
}

/// How the lists go on: by links, or by sending their form back. A site has lists of both kinds.
fn pagers(site: &Site<'_>, cluster: &Cluster) -> Vec<Pager> {
    let mut links: Vec<(usize, Vec<NodeId>)> = Vec::new();
    let mut posts: Vec<(usize, Vec<NodeId>)> = Vec::new();
    for index in &cluster.pages {
        let sketch = &site.sketches[*index];
        let leads = |l: &&Link| {
            let of_list = site
                .cluster_of(&l.to)
                .is_none_or(|c| site.clusters[c].kind == Kind::List);
            of_list && l.to != sketch.page.url && turns(site.language, &l.text)
        };
        links.push((
            *index,
            sketch.links.iter().filter(leads).map(|l| l.node).collect(),
        ));
        let turning = |id: &&NodeId| {
            element(sketch, **id).is_some_and(|e| {
                let code = format!(
                    "{} {}",
                    e.value().attr("href").unwrap_or_default(),
                    e.value().attr("onclick").unwrap_or_default()
                );
                code.contains("Page$") || turns(site.language, &fold(&sketch.page.text_of(e)))
            })
        };
        posts.push((*index, sketch.posts.iter().filter(turning).copied().collect()));
    }
    let shown = |p: &&(usize, Vec<NodeId>)| !p.1.is_empty();
    // Where one kind stands beside the other, the selector says which it is.
    let both = posts.iter().any(|p| shown(&p)) && links.iter().any(|p| shown(&p));
    let found = [
        chosen(site, &posts, POSTBACK, both),
        chosen(site, &links, "link", both),
    ];
    let mut found: Vec<Pager> = found.into_iter().flatten().collect();
    found.sort_by_key(|p| std::cmp::Reverse(p.rule.right));
    found
}

/// Kind of a pager that sends the form of its page back.
const POSTBACK: &str = "aspnet-postback";

pub(super) fn number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 5 && text.chars().all(|c| c.is_ascii_digit())
}

fn word(language: Option<&Language>, text: &str) -> bool {
    language
        .and_then(|l| catalogue::find(l, text))
        .is_some_and(|(g, _)| g == catalogue::Group::Pager)
}

/// Whether an anchor's text is one of a pager: a number, a word of pagers, an arrow; `« bài cũ hơn`.
pub(super) fn turns(language: Option<&Language>, text: &str) -> bool {
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    if text.is_empty() {
        return false;
    }
    let arrow = text.chars().all(|c| "«»‹›<>←→…. ".contains(c));
    let arrowed = text.contains(['«', '»', '‹', '›', '←', '→', '<', '>']) && text.chars().count() <= 24;
    number(bare)
        || arrow
        || arrowed
        || word(language, text)
        || word(language, bare)
        || !bare.is_empty() && bare.chars().count() <= 10 && word(language, &format!("trang {bare}"))
}

/// The selector of the pager's links that takes all of them and nothing else. `both`: other lists have pagers of the other
/// kind in the same place.
pub(super) fn chosen(
    site: &Site<'_>,
    pages: &[(usize, Vec<NodeId>)],
    kind: &str,
    both: bool,
) -> Option<Pager> {
    let full: Vec<&(usize, Vec<NodeId>)> = pages.iter().filter(|p| !p.1.is_empty()).collect();
    let some = full
        .iter()
        .flat_map(|(index, nodes)| {
            nodes
                .iter()
                .take(3)
                .filter_map(|n| element(&site.sketches[*index], *n))
        })
        .take(12);
    let mut best: Option<((i64, std::cmp::Reverse<u32>), Rule)> = None;
    // Numbers lead as far as the arrows beside them.
    let numbered = |index: usize, got: &BTreeSet<NodeId>, wanted: &BTreeSet<NodeId>| {
        let sketch = &site.sketches[index];
        let of_number = |n: &&NodeId| element(sketch, **n).is_some_and(|e| number(&sketch.folded(e)));
        let mut numbers = wanted.iter().filter(of_number).peekable();
        numbers.peek().is_some() && numbers.all(|n| got.contains(n))
    };
    let only = if kind == POSTBACK {
        r#"[href*="__doPostBack"]"#
    } else {
        r#":not([href*="__doPostBack"])"#
    };
    for (css, cost) in pool(some) {
        let narrow = both.then(|| Css::new(&format!("{}{only}", css.as_str())).ok());
        let css = narrow.flatten().unwrap_or(css);
        let (mut right, mut wrong, mut example) = (0u32, 0u32, String::new());
        for (index, nodes) in pages {
            let page = site.sketches[*index].page;
            let got: BTreeSet<NodeId> = page
                .html
                .select(css.selector())
                .filter(|e| e.value().name() == "a")
                .map(|e| e.id())
                .collect();
            let wanted: BTreeSet<NodeId> = nodes.iter().copied().collect();
            // A link to the page itself leads nowhere, and hurts nobody.
            let strange = got.difference(&wanted).any(|n| {
                element(&site.sketches[*index], *n).is_some_and(|e| {
                    let href = e.value().attr("href").unwrap_or_default();
                    let own = site
                        .mapping
                        .resolve(&page.base, href)
                        .is_ok_and(|u| u == page.url);
                    let list = site
                        .mapping
                        .resolve(&page.base, href)
                        .ok()
                        .and_then(|u| site.cluster_of(&u))
                        .is_some_and(|c| site.clusters[c].kind == Kind::List);
                    // What only opens a menu, neither.
                    let nowhere = href.starts_with('#')
                        || href.starts_with("javascript:") && !href.contains("__doPostBack");
                    !(nowhere || own || list && kind == "link")
                })
            });
            if strange {
                wrong += 1;
            } else if !wanted.is_empty() && (got.is_superset(&wanted) || numbered(*index, &got, &wanted)) {
                right += 1;
                let texts: Vec<String> = nodes
                    .iter()
                    .filter_map(|n| element(&site.sketches[*index], *n))
                    .map(|e| page.text_of(e))
                    .collect();
                example = texts.join(" ");
            }
        }
        let worth = i64::from(right) - 3 * i64::from(wrong);
        let rank = (worth, std::cmp::Reverse(cost));
        if worth > 0 && best.as_ref().is_none_or(|b| rank > b.0) {
            let rule = Rule {
                css: css.as_str().to_owned(),
                right,
                wrong,
                of: u32::try_from(full.len()).unwrap_or(u32::MAX),
                example,
                evidence: "numbers, arrows and words of pagers that lead to pages of the list".into(),
                ..Rule::default()
            };
            best = Some((rank, rule));
        }
    }
    best.map(|(_, rule)| Pager {
        kind: kind.into(),
        rule,
    })
}
