//! Lines inside of the text that lead to other news: on several pages the same few words, then a link.

use super::chrome::part;
use super::model::Drop;
use super::selector::first;
use super::sketch::{Sketch, letters};
use crate::document::Span;
use crate::lang::{fold, spaces};
use crate::mapping::Css;
use std::collections::{BTreeMap, BTreeSet};

/// Longest words before such a link, in characters.
const WORDS: usize = 32;

/// Fewest pages that show them.
const FEWEST: usize = 2;

/// Finds them. Lines of which a field takes something, found by `fields`, are none, and where the words lead somewhere
/// themselves (a path of sections) neither.
pub(super) fn learn(pages: &[&Sketch<'_>], container: &Css, fields: &[Css]) -> Vec<Drop> {
    // Words: as they are written, pages, and whether a line with them is no link.
    let mut found: BTreeMap<String, (String, BTreeSet<usize>)> = BTreeMap::new();
    let mut plain: BTreeSet<String> = BTreeSet::new();
    for (at, sketch) in pages.iter().enumerate() {
        let text = &sketch.page.text;
        let Some(root) = sketch.page.html.select(container.selector()).next() else {
            continue;
        };
        let span = text.span(root.id()).unwrap_or_default();
        let taken: Vec<Span> = fields
            .iter()
            .filter_map(|css| first(sketch, Some(container), css))
            .filter_map(|e| text.span(e.id()))
            .collect();
        let free = |s: Span| !taken.iter().any(|t| t.0 < s.1 && s.0 < t.1);
        for line in sketch.lines.iter().filter(|l| span.holds(l.span) && free(l.span)) {
            let said = spaces(text.slice(line.span));
            let link = sketch
                .links
                .iter()
                .find(|l| line.span.holds(l.span) && !l.span.is_empty());
            let words = link
                .filter(|l| l.span.0 > line.span.0 && line.linked * 2 > line.chars)
                .map(|l| spaces(text.slice(Span(line.span.0, l.span.0))));
            let label = |w: &String| {
                let ends = w.ends_with([':', '»', '>', '|', '→', '-', '–']);
                ends && w.chars().count() <= WORDS && letters(w).chars().count() >= 3
            };
            match words.filter(label) {
                Some(words) => {
                    let entry = found
                        .entry(fold(&words))
                        .or_insert_with(|| (words, BTreeSet::new()));
                    entry.1.insert(at);
                }
                None => drop(plain.insert(fold(&said))),
            }
        }
    }
    let mut out = Vec::new();
    for (folded, (words, shown)) in found {
        let text_too = plain.iter().any(|p| p.starts_with(&folded) && *p != folded);
        if shown.len() < FEWEST || text_too {
            continue;
        }
        out.push(Drop {
            id: format!("promo-{}", part(&words)),
            reason: format!("\"{words}\" and a link to something else"),
            text: Some(format!("{}.+", regex::escape(&folded))),
            pages: u32::try_from(shown.len()).unwrap_or(u32::MAX),
            ..Drop::default()
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::learn;
    use crate::extract::template::sketch::Sketch;
    use crate::extract::template::tests::capture;
    use crate::mapping::{Css, Mapping};
    use crate::page::{self, Page};

    fn patterns(bodies: &[&str]) -> Vec<String> {
        let mapping = "schema = 1\n[site]\nid = \"x\"\nbase = \"http://x.example\"\n";
        let mapping = Mapping::parse("x.toml", mapping).unwrap();
        let pages: Vec<Page> = bodies
            .iter()
            .enumerate()
            .map(|(n, body)| {
                let url = format!("http://x.example/tin/{n}");
                let html = format!("<div id=b>{body}</div>");
                let capture = capture(&url, "text/html; charset=utf-8", html.as_bytes());
                let url = mapping.canonical(&url.parse().unwrap()).unwrap();
                page::read(&capture, &url, &mapping).unwrap()
            })
            .collect();
        let sketches: Vec<Sketch<'_>> = pages.iter().map(|p| Sketch::of(p, &mapping)).collect();
        let field = Css::new(".muc").unwrap();
        let drops = learn(
            &sketches.iter().collect::<Vec<_>>(),
            &Css::new("#b").unwrap(),
            &[field],
        );
        drops.into_iter().filter_map(|d| d.text).collect()
    }

    #[test]
    fn the_same_words_before_a_link_on_two_pages() {
        let first = "<p>Một đoạn văn.</p><p>Xem thêm: <a href=/tin/7>Một bài khác của trang</a></p>";
        let second = "<p>Đoạn văn khác.</p><p>Xem thêm: <a href=/tin/8>Lại một bài khác nữa</a></p>";
        assert_eq!(patterns(&[first, second]), ["xem thêm:.+"]);
        assert!(patterns(&[first, "<p>Không có gì.</p>"]).is_empty());
        // The same words before a text are not touched.
        let text = "<p>Xem thêm: chương hai của quyết định này.</p>";
        assert!(patterns(&[first, second, text]).is_empty());
        // Nor is a path of sections, nor what a field takes.
        let path = "<p><a href=/>Trang chủ</a> &gt;&gt; <a href=/tin>Tin hoạt động ngành</a></p>";
        assert!(patterns(&[path, path]).is_empty());
        let section = "<p class=muc>Chuyên mục: <a href=/tin>Tin hoạt động ngành</a></p>";
        assert!(patterns(&[section, section]).is_empty());
    }
}
