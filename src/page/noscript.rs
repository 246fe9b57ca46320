//! Pages that a script fills: for readers without scripts some hold their text in `<noscript>`. An archive runs no scripts,
//! so where this is nearly all there is, it is what the page shows.

use scraper::{Html, Node};

/// Markup in `<noscript>` that may be a page's text, in bytes: less is a picture, a counter or a word of regret.
const LEAST: usize = 1000;
/// Text outside of it that makes a page of its own, in characters.
const ENOUGH: usize = 600;

/// The source with `<noscript>` opened, if the page shows next to nothing without.
pub(super) fn shown(source: &str, html: &Html) -> Option<String> {
    let mut hidden = 0;
    let mut visible = 0;
    let mut skip = None;
    for edge in html.tree.root().traverse() {
        match edge {
            ego_tree::iter::Edge::Open(node) if skip.is_none() => match node.value() {
                Node::Element(element) if element.name() == "noscript" => {
                    let within = node
                        .children()
                        .filter_map(|c| c.value().as_text().map(|t| t.len()));
                    hidden += within.sum::<usize>();
                    skip = Some(node.id());
                }
                Node::Element(element) if super::visible::is_unseen(element) => skip = Some(node.id()),
                Node::Text(text) => {
                    visible += text.chars().filter(|c| !c.is_whitespace()).count();
                    if visible > ENOUGH {
                        return None;
                    }
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) if skip == Some(node.id()) => skip = None,
            _ => {}
        }
    }
    if hidden < LEAST {
        return None;
    }
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(at) = find(rest) {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let name = if tag.starts_with("</") { "</div" } else { "<div" };
        out.push_str(name);
        rest = &tag[name.len() - 3 + "noscript".len()..];
    }
    out.push_str(rest);
    Some(out)
}

/// Where the next tag of a `noscript` begins.
fn find(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    memchr::memchr_iter(b'<', bytes).find(|&at| {
        let from = at + 1 + usize::from(bytes.get(at + 1) == Some(&b'/'));
        bytes
            .get(from..from + "noscript".len())
            .is_some_and(|n| n.eq_ignore_ascii_case(b"noscript"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_readers_without_scripts() {
        let text = "Bài đăng trong diễn đàn. ".repeat(60);
        let page =
            |visible: &str| format!("<body><p>{visible}</p><NOSCRIPT class=x><p>{text}</p></noscript>");
        let opened = |page: String| shown(&page, &Html::parse_document(&page));
        let source = opened(page("tải…")).unwrap();
        assert!(
            source.contains("<div class=x><p>Bài") && source.ends_with("</div>"),
            "{source}"
        );
        assert_eq!(opened(page(&text)), None);
        assert_eq!(opened("<noscript><img src=x></noscript>".into()), None);
    }
}
