//! What is content as a whole or not at all: tables of data, and the files that stand with a text.

use super::select::{Judged, Verdict};
use super::stream::{Element, Stream, is_of};
use super::words::Part;
use crate::document::Span;
use crate::page::{Page, attr};
use scraper::ElementRef;

/// Share of its characters that must be content for the rest of a table to be: with lines or headers …
const DRAWN: usize = 15;
/// … and where only its rows of equal length tell that it is one, in percent.
const SHAPED: usize = 50;
/// Longest cell of a table of data, in characters: what is longer is a text that is set in a table.
const CELL: usize = 1000;
/// Blocks between a text and a file that stands with it.
const NEAR: usize = 2;
/// Elements between a file and the one that holds it and the text.
const STEPS: usize = 3;

/// Kinds of files, by the end of their names: what offices write and what packs it.
const FILES: [&str; 18] = [
    "pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "zip", "rar", "7z",
    "tar", "gz", "docm", "xlsm",
];

/// Keeps what belongs to what is kept; gives where tables of data stand in it.
pub(super) fn keep(page: &Page, stream: &Stream<'_>, judged: &mut [Judged]) -> Vec<Span> {
    if judged.iter().all(|j| j.verdict == Verdict::Dropped) {
        return Vec::new();
    }
    let tables = tables(page, stream, judged);
    files(page, stream, judged);
    tables
}

fn kept(judged: &mut Judged, rule: &'static str, reason: &str) {
    judged.verdict = Verdict::Kept;
    judged.rule = rule;
    judged.reason = reason.into();
}

/// Blocks inside of a range of the text.
fn within(stream: &Stream<'_>, span: Span) -> std::ops::Range<usize> {
    let from = stream.blocks.partition_point(|b| b.span.1 <= span.0);
    from..stream.blocks.partition_point(|b| b.span.0 < span.1).max(from)
}

fn tables(page: &Page, stream: &Stream<'_>, judged: &mut [Judged]) -> Vec<Span> {
    let mut found = Vec::new();
    for (at, element) in stream.elements.iter().enumerate() {
        if element.name != "table" || element.link_chars * 2 > element.chars {
            continue;
        }
        let span = page.text.span(element.node).unwrap_or_default();
        let blocks = within(stream, span);
        let (mut content, mut other) = (0, 0);
        for b in blocks.clone() {
            match judged[b].verdict {
                Verdict::Dropped => other += stream.blocks[b].chars,
                _ => content += stream.blocks[b].chars,
            }
        }
        let Some(drawn) = (content > 0).then(|| is_data(page, stream, at)).flatten() else {
            continue;
        };
        if content * 100 < (content + other) * if drawn { DRAWN } else { SHAPED } {
            continue;
        }
        found.push(span);
        for judged in judged[blocks]
            .iter_mut()
            .filter(|j| j.verdict == Verdict::Dropped)
        {
            kept(judged, "auto:table", "stands in a table of which part is content");
        }
    }
    found
}

/// Whether a table shows data in rows and columns; if so, whether lines or headers say so.
fn is_data(page: &Page, stream: &Stream<'_>, table: usize) -> Option<bool> {
    let depth = stream.elements[table].depth;
    let below = stream.elements[table + 1..]
        .iter()
        .take_while(|e| e.depth > depth);
    let mut drawn = has_border(page, &stream.elements[table]);
    // Cells with text, row by row.
    let mut rows: Vec<usize> = Vec::new();
    for element in below {
        match element.name {
            "table" | "form" | "select" | "button" | "textarea" | "h1" | "h2" | "nav" => return None,
            "tr" => rows.push(0),
            "td" | "th" => {
                drawn |= element.name == "th";
                if element.chars > CELL {
                    return None;
                }
                *rows.last_mut()? += usize::from(element.chars > 0);
            }
            _ => {}
        }
    }
    rows.retain(|cells| *cells > 0);
    let wide = rows.iter().filter(|cells| **cells >= 2).count();
    if rows.len() < 2 || wide * 3 < rows.len() * 2 {
        return None;
    }
    let equal = rows.len() > 2 && rows.iter().all(|cells| *cells == rows[0]);
    (drawn || equal).then_some(drawn)
}

fn has_border(page: &Page, element: &Element<'_>) -> bool {
    let node = page.html.tree.get(element.node).and_then(ElementRef::wrap);
    node.is_some_and(|e| {
        attr(e.value(), "border").is_some_and(|b| b.trim() != "0")
            || attr(e.value(), "class").is_some_and(|c| c.contains("MsoTableGrid"))
    })
}

/// Whether an address is that of a file to take away, by its name or by one that it asks for.
fn is_file(href: &str) -> bool {
    let href = href.split('#').next().unwrap_or_default();
    href.split(['?', '&', '=']).any(|part| {
        let end = part.trim_end().rsplit_once('.').map_or("", |(_, end)| end);
        FILES.iter().any(|f| f.eq_ignore_ascii_case(end))
    })
}

/// Keeps links to files in or beside the text: what a line calls a tool of the portal is the document itself.
fn files(page: &Page, stream: &Stream<'_>, judged: &mut [Judged]) {
    let mut lines: Vec<usize> = Vec::new();
    for element in stream.elements.iter().filter(|e| e.name == "a" && e.chars > 0) {
        let node = page.html.tree.get(element.node).and_then(ElementRef::wrap);
        let href = node.and_then(|a| attr(a.value(), "href"));
        if href.is_some_and(is_file) {
            let line = within(stream, page.text.span(element.node).unwrap_or_default());
            lines.extend(line.filter(|b| judged[*b].verdict == Verdict::Dropped));
        }
    }
    lines.dedup();
    lines.retain(|b| stream.blocks[*b].linked() > 0.3);
    // Each way, so that files behind a text and before it are found one from another.
    let back: Vec<usize> = lines.iter().rev().copied().collect();
    for line in lines.into_iter().chain(back) {
        if judged[line].verdict == Verdict::Dropped && is_beside(stream, judged, line) {
            kept(&mut judged[line], "auto:file", "leads to a file beside the text");
        }
    }
}

/// Whether a line stands with a text.
fn is_beside(stream: &Stream<'_>, judged: &[Judged], line: usize) -> bool {
    let before = (line.saturating_sub(NEAR + 1)..line).rev();
    let behind = line + 1..(line + NEAR + 2).min(judged.len());
    joins(stream, judged, line, before) || joins(stream, judged, line, behind)
}

fn joins(stream: &Stream<'_>, judged: &[Judged], line: usize, others: impl Iterator<Item = usize>) -> bool {
    for other in others {
        if judged[other].verdict == Verdict::Dropped {
            // A heading of other pages, a comment, the foot of the portal: what stands behind it is theirs.
            if !matches!(
                judged[other].rule,
                "auto:share"
                    | "auto:byline"
                    | "auto:date"
                    | "auto:counter"
                    | "auto:label"
                    | "auto:links"
                    | "auto:unlike"
            ) {
                return false;
            }
            continue;
        }
        let (own, text) = (&stream.blocks[line], &stream.blocks[other]);
        let around: Vec<usize> = stream.up(text.element).collect();
        let Some(steps) = stream
            .up(own.element)
            .take(STEPS + 1)
            .position(|e| around.contains(&e))
        else {
            return false;
        };
        let Some(element) = stream.elements.get(own.inner) else {
            return false;
        };
        // From the innermost element of the line up to the one that holds both.
        let depth = stream.elements[own.element].depth;
        let steps = steps + usize::from(element.depth.saturating_sub(depth));
        let others = [
            Part::Nav,
            Part::Related,
            Part::Comments,
            Part::Ads,
            Part::Footer,
            Part::Sidebar,
            Part::Cookie,
            Part::Newsletter,
            Part::Breadcrumb,
        ];
        return !is_of(element, steps, &others, &["nav", "aside", "footer"]);
    }
    false
}
