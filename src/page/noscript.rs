//! Pages that a script fills: for readers without scripts some hold their text in `<noscript>`. An archive runs no scripts,
//! so where this is nearly all there is, it is what the page shows.

use scraper::{Html, Node};

/// Markup in `<noscript>` that may be a page's text, in bytes: less is a picture, a counter or a word of regret.
const LEAST: usize = 1000;
/// Text outside of it that makes a page of its own, in characters.
const ENOUGH: usize = 600;

/// Whether a page shows next to nothing outside of it.
pub(super) fn is_all(html: &Html) -> bool {
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
                        return false;
                    }
                }
                _ => {}
            },
            ego_tree::iter::Edge::Close(node) if skip == Some(node.id()) => skip = None,
            _ => {}
        }
    }
    hidden >= LEAST
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_for_readers_without_scripts() {
        let text = "Bài đăng trong diễn đàn. ".repeat(60);
        let page =
            |visible: &str| format!("<body><p>{visible}</p><NOSCRIPT class=x><p>{text}</p></noscript>");
        let all = |page: String| is_all(&Html::parse_document(&page));
        assert!(all(page("tải…")));
        assert!(!all(page(&text)));
        assert!(!all("<noscript><img src=x></noscript>".into()));
    }
}
