//! Boilerplate with a name: the regions around an article that repeat or lead away, and the lines inside of its container
//! that do.

use super::cluster::share;
use super::dates::Dates;
use super::list::excerpt;
use super::model::{Article, Drop, Kind};
use super::selector::candidates;
use super::site::Site;
use super::sketch::{Line, Sketch, hash, letters};
use super::vote::Votes;
use crate::document::Span;
use crate::lang::{catalogue, fold, slug, spaces};
use crate::mapping::Css;
use ego_tree::NodeId;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};

/// Rules of one template at most.
const RULES: usize = 16;
/// The name of lists of other news.
const RELATED: &str = "related-list";

/// Longest line that is told by its text, in characters.
const LINE: usize = 80;

/// A region of one page.
struct Region {
    /// Inside of the container.
    inside: bool,
    css: Css,
    span: Span,
    id: String,
    reason: String,
}

/// Finds the boilerplate of a template and adds its rules.
pub(super) fn learn(
    site: &Site<'_>,
    pages: &[&Sketch<'_>],
    fixed: &BTreeSet<u64>,
    votes: &Votes,
    article: &mut Article,
) {
    let Ok(container) = Css::new(&article.container.css) else {
        return;
    };
    let fields = fields(article);
    let text = |at: usize, line: &Line| votes.is_text(at, line) && !fixed.contains(&line.key);
    let kept: Vec<BTreeSet<NodeId>> = pages
        .iter()
        .enumerate()
        .map(|(at, s)| kept(s, &container, &fields, &|l| text(at, l)))
        .collect();
    // One page shows how; the others say whether it holds.
    let mut rules: BTreeMap<String, (Drop, usize)> = BTreeMap::new();
    for (at, sketch) in pages.iter().enumerate().take(6) {
        let find = |e: ElementRef<'_>| selector(pages, &kept, e);
        for region in regions(
            site,
            sketch,
            &kept[at],
            &|l| !text(at, l),
            fixed,
            &container,
            &find,
        ) {
            let css = &region.css;
            let covers = pages
                .iter()
                .filter(|s| s.page.html.select(css.selector()).next().is_some())
                .count();
            // One page is no witness of a box in the text, unless it is a list of other news.
            if region.inside && region.id != RELATED && covers < 2 {
                continue;
            }
            let order = region.span.0;
            // One page's list of other news is empty; another one shows what it is.
            if region.id == RELATED
                && let Some((known, _)) = rules.get_mut(css.as_str())
            {
                known.id.clone_from(&region.id);
                known.reason.clone_from(&region.reason);
            }
            rules.entry(css.as_str().to_owned()).or_insert_with(|| {
                let drop = Drop {
                    id: region.id.clone(),
                    reason: region.reason.clone(),
                    css: Some(css.as_str().to_owned()),
                    pages: u32::try_from(covers).unwrap_or(u32::MAX),
                    ..Drop::default()
                };
                (drop, order)
            });
        }
    }
    let mut found: Vec<(Drop, usize)> = rules.into_values().collect();
    found.sort_by(|a, b| b.0.pages.cmp(&a.0.pages).then(a.1.cmp(&b.1)));
    found.truncate(RULES);
    found.sort_by_key(|f| f.1);
    let mut drops: Vec<Drop> = found.into_iter().map(|f| f.0).collect();
    drops.extend(inside(site, pages, fixed, votes, &container, &fields));
    drops.extend(super::promo::learn(pages, &container, &fields));
    named_once(&mut drops);
    article.drops = drops;
}

/// Selectors of what the rules of a template keep.
fn fields(article: &Article) -> Vec<Css> {
    let all = [
        &article.title,
        &article.section,
        &article.byline,
        &article.source,
        &article.summary,
    ];
    let rules = all.into_iter().flatten().chain(&article.published);
    rules
        .filter(|r| r.attr.is_none())
        .filter_map(|r| Css::new(&r.css).ok())
        .collect()
}

/// Elements that hold something that is kept, and those in fields: fields, the container, and its lines that are text.
fn kept(
    sketch: &Sketch<'_>,
    container: &Css,
    fields: &[Css],
    is_text: &dyn Fn(&Line) -> bool,
) -> BTreeSet<NodeId> {
    let hits = fields
        .iter()
        .filter_map(|css| super::selector::first(sketch, Some(container), css));
    let mut out = BTreeSet::new();
    for hit in hits {
        out.extend(hit.ancestors().map(|a| a.id()));
        out.extend(hit.descendants().map(|d| d.id()));
    }
    let Some(root) = sketch.page.html.select(container.selector()).next() else {
        return out;
    };
    out.insert(root.id());
    out.extend(root.ancestors().map(|a| a.id()));
    let nodes = sketch.page.text.nodes();
    let span = sketch.page.text.span(root.id()).unwrap_or_default();
    for line in sketch.lines.iter().filter(|l| span.holds(l.span) && is_text(l)) {
        let from = nodes.partition_point(|(s, _)| s.1 <= line.span.0);
        for (_, id) in nodes[from..].iter().take_while(|(s, _)| s.0 < line.span.1) {
            let node = sketch.page.html.tree.get(*id);
            out.extend(node.into_iter().flat_map(|n| n.ancestors().map(|a| a.id())));
        }
    }
    // What is no text and says something: pictures, tables, files.
    for e in root.descendants().filter_map(ElementRef::wrap) {
        let file = || {
            let href = e.value().attr("href").unwrap_or_default();
            let to = sketch.mapping.resolve(&sketch.page.base, href);
            to.is_ok_and(|to| sketch.mapping.is_attachment(&to))
        };
        let says = match e.value().name() {
            "img" => !e
                .ancestors()
                .any(|a| a.value().as_element().is_some_and(|a| a.name() == "a")),
            "video" | "audio" | "iframe" | "object" | "embed" | "th" | "pre" => true,
            "a" => file(),
            _ => false,
        };
        if says {
            out.insert(e.id());
            out.extend(e.ancestors().map(|a| a.id()));
        }
    }
    out
}

/// The largest elements that hold nothing that is kept, with what they seem to be.
fn regions<'a>(
    site: &Site<'a>,
    sketch: &Sketch<'a>,
    kept: &BTreeSet<NodeId>,
    is_box: &dyn Fn(&Line) -> bool,
    fixed: &BTreeSet<u64>,
    container: &Css,
    find: &dyn Fn(ElementRef<'a>) -> Option<Css>,
) -> Vec<Region> {
    let page = sketch.page;
    let dates = Dates::of(site);
    // A date of the page's own repeats in its letters alone.
    let dated = |l: &Line| !site.lines.contains(&l.key) && l.chars <= LINE && dates.on(sketch, l);
    let middle = page
        .html
        .select(container.selector())
        .next()
        .and_then(|c| page.text.span(c.id()))
        .unwrap_or_default();
    let mut out: Vec<Region> = Vec::new();
    let mut open = vec![page.html.root_element()];
    while let Some(element) = open.pop() {
        let span = page.text.span(element.id()).unwrap_or_default();
        if span.is_empty() {
            continue;
        }
        if kept.contains(&element.id()) || (out.is_empty() && element.value().name() == "body") {
            open.extend(element.children().filter_map(ElementRef::wrap));
            continue;
        }
        let lines: Vec<Line> = sketch
            .lines
            .iter()
            .filter(|l| span.holds(l.span))
            .copied()
            .collect();
        let chars: usize = lines.iter().map(|l| l.chars).sum();
        let inside = middle.holds(span);
        let dull: usize = lines
            .iter()
            .filter(|l| {
                let known = fixed.contains(&l.key) && !dated(l) || site.lines.contains(&l.key);
                known || l.linked * 2 > l.chars || (inside && is_box(l))
            })
            .map(|l| l.chars)
            .sum();
        // A table of the layout holds several regions: its parts have the better names.
        let parts = element.children().filter_map(ElementRef::wrap).count();
        if !super::selector_named(element) && parts > 0 && element.value().name() != "td" {
            open.extend(element.children().filter_map(ElementRef::wrap));
            continue;
        }
        if lines.is_empty() || !share(dull, chars, 0.6) {
            continue;
        }
        // In the text nothing is told by its place.
        let own = |css: &Css| {
            let last = css.as_str().rsplit(' ').next().unwrap_or_default();
            !inside || (!css.as_str().contains([':', '+']) && last.contains(['#', '.', '[']))
        };
        let Some(css) = find(element).filter(own) else {
            // Its name is others' as well: then its parts.
            open.extend(element.children().filter_map(ElementRef::wrap));
            continue;
        };
        let (id, reason) = name(site, sketch, &lines, span, middle);
        out.push(Region {
            inside,
            css,
            span,
            id,
            reason,
        });
    }
    out
}

/// What a region seems to be, and the words that say so.
fn name(site: &Site<'_>, sketch: &Sketch<'_>, lines: &[Line], span: Span, middle: Span) -> (String, String) {
    let text = |l: &Line| spaces(sketch.page.text.slice(l.span));
    let shown = excerpt(&lines.first().map(text).unwrap_or_default());
    let groups: Vec<(catalogue::Group, String)> = lines
        .iter()
        .filter_map(|l| Some((catalogue::find(site.language?, &text(l))?.0, text(l))))
        .collect();
    // What stands side by side on one line is told apart by its elements.
    let nodes = sketch.page.text.nodes();
    let from = nodes.partition_point(|(s, _)| s.1 <= span.0);
    let parts = nodes[from..]
        .iter()
        .take_while(|(s, _)| s.0 < span.1)
        .filter_map(|(s, _)| {
            let said = spaces(sketch.page.text.slice(*s));
            Some((catalogue::find(site.language?, &said)?.0, said))
        });
    let groups: Vec<(catalogue::Group, String)> = groups.into_iter().chain(parts).collect();
    let of = |g: catalogue::Group| {
        groups
            .iter()
            .find(|(found, _)| *found == g)
            .map(|(_, t)| t.clone())
    };
    let links: Vec<_> = sketch
        .links
        .iter()
        .filter(|l| span.holds(l.span) && !l.span.is_empty())
        .collect();
    let kind_of = |to| site.cluster_of(to).map(|c| site.clusters[c].kind);
    let menu = links
        .iter()
        .filter(|l| kind_of(&l.to) == Some(Kind::List) && site.links.contains(&hash(l.to.as_str())))
        .count();
    let news = links
        .iter()
        .filter(|l| kind_of(&l.to) == Some(Kind::Article))
        .count();
    let fresh = links
        .iter()
        .filter(|l| kind_of(&l.to) == Some(Kind::Article) && !site.links.contains(&hash(l.to.as_str())))
        .count();
    let heading = lines
        .first()
        .filter(|l| l.linked == 0)
        .map(text)
        .unwrap_or_default();
    if menu >= 2 {
        return ("menu".into(), "navigation: links to the lists of the site".into());
    }
    if fresh >= 1 && span.0 >= middle.1 {
        let said = if heading.is_empty() { shown } else { heading };
        return (RELATED.into(), format!("\"{said}\": links to other articles"));
    }
    if news >= 2 && fresh == 0 {
        let said = if heading.is_empty() { shown } else { heading };
        return (
            format!("box-{}", part(&said)),
            format!("\"{said}\": the same articles on every page"),
        );
    }
    if let Some(said) = of(catalogue::Group::Related).filter(|_| news == 0 || span.0 >= middle.0) {
        return (RELATED.into(), format!("\"{said}\": links to other articles"));
    }
    if let Some(said) = of(catalogue::Group::Tools) {
        return (
            "tools".into(),
            format!("\"{said}\": what can be done with the page"),
        );
    }
    if let Some(said) = of(catalogue::Group::Counters) {
        return ("counter".into(), format!("\"{said}\": counts visits"));
    }
    if span.0 >= middle.1
        && lines
            .iter()
            .any(|l| fold(&text(l)).contains("bản quyền") || text(l).contains('©'))
    {
        return ("footer".into(), format!("\"{shown}\": who runs the site"));
    }
    if span.1 <= middle.0 && span.0 < sketch.page.text.len() / 20 + 40 {
        return (
            "header".into(),
            format!("\"{shown}\": the name of the site, the day of the visit"),
        );
    }
    (
        format!("box-{}", part(&shown)),
        format!("\"{shown}\": the same on every page"),
    )
}

pub(super) fn part(text: &str) -> String {
    let slug = slug(&super::sketch::undigited(text).replace('0', " "), 24);
    if slug.is_empty() { "frame".into() } else { slug }
}

/// A selector for a region that touches nothing that is kept, on any page.
fn selector(pages: &[&Sketch<'_>], kept: &[BTreeSet<NodeId>], element: ElementRef<'_>) -> Option<Css> {
    // A size or a colour names paragraphs of articles as well, on pages that nobody has seen yet: such a region stays with
    // the rule for everything outside.
    candidates(element)
        .into_iter()
        .filter(|(css, _)| css.contains(['#', '.']) || css.contains("[id") || css.contains("[class"))
        .take(24)
        .filter_map(|(css, _)| Css::new(&css).ok())
        .find(|css| {
            pages.iter().zip(kept).all(|(s, kept)| {
                s.page
                    .html
                    .select(css.selector())
                    .all(|e| !kept.contains(&e.id()))
            })
        })
}

/// Lines of the container that repeat, and the list of other news in it.
fn inside(
    site: &Site<'_>,
    pages: &[&Sketch<'_>],
    fixed: &BTreeSet<u64>,
    votes: &Votes,
    container: &Css,
    fields: &[Css],
) -> Vec<Drop> {
    let mut counts: BTreeMap<u64, (usize, String, usize, usize)> = BTreeMap::new();
    for (page_at, sketch) in pages.iter().enumerate() {
        let page = sketch.page;
        let Some(root) = page.html.select(container.selector()).next() else {
            continue;
        };
        let span = page.text.span(root.id()).unwrap_or_default();
        let taken: Vec<Span> = fields
            .iter()
            .filter_map(|css| super::selector::first(sketch, Some(container), css))
            .filter_map(|e| page.text.span(e.id()))
            .collect();
        let lines: Vec<&Line> = sketch.lines.iter().filter(|l| span.holds(l.span)).collect();
        for (at, line) in lines.iter().enumerate() {
            let text = page.text.slice(line.span);
            if !fixed.contains(&line.key)
                || line.chars > LINE
                || letters(text).is_empty()
                || taken.iter().any(|t| t.0 < line.span.1 && line.span.0 < t.1)
            {
                continue;
            }
            // Only links behind it: then it announces them.
            let behind = &lines[at + 1..];
            let leads = behind.iter().all(|l| {
                let dull = l.linked * 2 > l.chars || fixed.contains(&l.key) || l.chars < 16;
                dull || !votes.is_text(page_at, l)
            });
            let entry = counts.entry(line.key).or_insert_with(|| (0, spaces(text), 0, 0));
            entry.0 += 1;
            entry.2 += usize::from(leads);
            entry.3 += usize::from(behind.iter().any(|l| l.linked * 2 > l.chars));
        }
    }
    let mut out = Vec::new();
    for (key, (shown, text, last, links)) in counts {
        let related = site
            .language
            .and_then(|l| catalogue::find(l, &text))
            .is_some_and(|(g, _)| g == catalogue::Group::Related);
        let fixed_text = !text.contains(|c: char| c.is_ascii_digit());
        if last == shown
            && shown >= 2
            && links > 0
            && fixed_text
            && (related || share(shown, pages.len(), 0.8))
        {
            out.push(Drop {
                id: RELATED.into(),
                reason: format!("\"{text}\": nothing but links stands behind it"),
                from: Some(text),
                pages: u32::try_from(shown).unwrap_or(u32::MAX),
                ..Drop::default()
            });
        } else if let Some(css) = (shown >= 3).then(|| own_name(pages, container, key)).flatten() {
            out.push(Drop {
                id: format!("line-{}", part(&text)),
                reason: format!("\"{text}\": the same line on most pages, in a place of its own"),
                css: Some(css),
                pages: u32::try_from(shown).unwrap_or(u32::MAX),
                ..Drop::default()
            });
        } else if shown >= 3 && share(shown, pages.len(), 0.8) {
            out.push(same_line(&text, shown));
        }
    }
    out
}

/// Lines that `@auto` keeps on most pages of a template although they are the same there: for pages without rules.
pub(super) fn lines(site: &Site<'_>, indexes: &[usize]) -> Vec<Drop> {
    let pages: Vec<&Sketch<'_>> = indexes.iter().map(|i| &site.sketches[*i]).collect();
    let mut counts: BTreeMap<u64, (usize, String)> = BTreeMap::new();
    for (sketch, index) in pages.iter().zip(indexes) {
        let kept = super::vote::kept(sketch, site.auto(*index));
        let mut seen = BTreeSet::new();
        for line in sketch
            .lines
            .iter()
            .filter(|l| l.chars <= LINE && kept.contains(&l.span.0))
        {
            let text = spaces(sketch.page.text.slice(line.span));
            if !letters(&text).is_empty() && seen.insert(line.key) {
                counts.entry(line.key).or_insert_with(|| (0, text)).0 += 1;
            }
        }
    }
    let often = counts
        .into_values()
        .filter(|(shown, _)| *shown >= 3 && share(*shown, pages.len(), 0.8));
    let mut out: Vec<Drop> = often.map(|(shown, text)| same_line(&text, shown)).collect();
    out.extend(
        Css::new("body")
            .iter()
            .flat_map(|body| super::promo::learn(&pages, body, &[])),
    );
    out.truncate(RULES);
    named_once(&mut out);
    out
}

/// A rule for a line that is the same but for its numbers.
fn same_line(text: &str, shown: usize) -> Drop {
    let pattern = super::sketch::undigited(&fold(text));
    let pattern = pattern
        .split('0')
        .map(regex::escape)
        .collect::<Vec<_>>()
        .join(r"\d+");
    Drop {
        id: format!("line-{}", part(text)),
        reason: format!("\"{text}\": the same line on every page"),
        text: Some(pattern),
        pages: u32::try_from(shown).unwrap_or(u32::MAX),
        ..Drop::default()
    }
}

/// Gives each rule a name of its own.
fn named_once(drops: &mut [Drop]) {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for drop in drops {
        let count = seen.entry(drop.id.clone()).or_default();
        *count += 1;
        if *count > 1 {
            drop.id = format!("{}-{count}", drop.id);
        }
    }
}

/// A selector that names one repeated line of the container and no other text, on any page.
fn own_name(pages: &[&Sketch<'_>], container: &Css, key: u64) -> Option<String> {
    let mut tried: BTreeSet<String> = BTreeSet::new();
    for sketch in pages {
        let lines = sketch.lines.iter().filter(|l| l.key == key);
        for line in lines {
            let exact = sketch.elements().filter(|(_, s)| *s == line.span);
            tried.extend(
                exact.flat_map(|(e, _)| candidates(e).into_iter().filter(|c| c.1 <= 16).map(|c| c.0)),
            );
        }
    }
    tried.into_iter().take(24).find(|css| {
        let Ok(css) = Css::new(css) else { return false };
        pages.iter().all(|s| {
            let root = s.page.html.select(container.selector()).next();
            let hits = root
                .into_iter()
                .flat_map(|r| r.select(css.selector()).collect::<Vec<_>>());
            hits.map(|e| s.page.text.span(e.id()).unwrap_or_default())
                .filter(|span| !span.is_empty())
                .all(|span| s.line_at(span.0).is_some_and(|l| l.key == key && l.span == span))
        })
    })
}
