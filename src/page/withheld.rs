//! Text that a page's own sheet hides until a script shows it: articles behind a wall, pages that fade in. An archive runs
//! no scripts; where this is nearly all the text there is, and what the title speaks of, it is what the page shows.

use super::visible::VisibleText;
use crate::document::Span;
use ego_tree::NodeId;
use scraper::{ElementRef, Html, Node};
use std::collections::HashSet;

/// Sentences in hidden elements that may be a page's text, in characters: less is a menu, a form, a banner.
const LEAST: usize = 1200;
/// So many times the sentences that are shown must be hidden.
const TIMES: usize = 2;
/// A line so long is made of sentences, in characters.
const LONG: usize = 80;
/// Letters of a word of the title that counts.
const WORD: usize = 4;

/// The elements that are to be shown after all; none on nearly all pages.
pub(super) fn found(html: &Html, text: &VisibleText) -> HashSet<NodeId> {
    let none = HashSet::new();
    if text.by_sheets().iter().map(|(_, bytes)| bytes).sum::<usize>() < LEAST {
        return none;
    }
    let mut hidden = 0;
    let mut words = String::new();
    let mut nodes = HashSet::new();
    for (id, bytes) in text.by_sheets().iter().filter(|(_, bytes)| *bytes >= LONG) {
        let Some(element) = html.tree.get(*id).and_then(ElementRef::wrap) else {
            continue;
        };
        let sentences = paragraphs(element, &mut words);
        if sentences > 0 {
            hidden += sentences;
            nodes.insert(*id);
        }
        words.reserve(*bytes / 8);
    }
    let shown = text.lines(Span(0, text.len()));
    let shown: usize = shown.iter().map(|s| s.len()).filter(|n| *n >= LONG).sum();
    if hidden < LEAST || hidden < TIMES * shown || !speaks_of_title(html, &words) {
        return none;
    }
    nodes
}

/// Characters of the long paragraphs in an element, whose words are added to `words`.
fn paragraphs(element: ElementRef<'_>, words: &mut String) -> usize {
    let mut sum = 0;
    for node in element.descendants() {
        let Some(own) = ElementRef::wrap(node).filter(|e| matches!(e.value().name(), "p" | "li" | "dd"))
        else {
            continue;
        };
        // Text of an inner paragraph is counted with it.
        let inner = |n: &ego_tree::NodeRef<'_, Node>| n.value().as_text().is_some();
        let text: String = own
            .descendants()
            .filter(inner)
            .filter(|n| {
                let mut above = n.ancestors().filter_map(ElementRef::wrap);
                let nearest =
                    above.find(|e| matches!(e.value().name(), "p" | "li" | "dd" | "script" | "style"));
                nearest.is_some_and(|e| e.id() == own.id())
            })
            .filter_map(|n| n.value().as_text().map(|t| t.to_string()))
            .collect();
        let length = text
            .split_whitespace()
            .map(|w| w.chars().count() + 1)
            .sum::<usize>();
        if length >= LONG {
            sum += length;
            words.push_str(&text.to_lowercase());
            words.push(' ');
        }
    }
    sum
}

/// Whether half of the long words of `<title>` are among these.
fn speaks_of_title(html: &Html, words: &str) -> bool {
    let title = html.tree.root().descendants().filter_map(ElementRef::wrap);
    let title = title.into_iter().find(|e| e.value().name() == "title");
    let title: String = title.map(|e| e.text().collect()).unwrap_or_default();
    let title = title.to_lowercase();
    let long = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| w.chars().count() >= WORD);
    let (mut all, mut told) = (0, 0);
    for word in long {
        all += 1;
        told += usize::from(words.contains(word));
    }
    all > 0 && 2 * told >= all
}

#[cfg(test)]
mod tests {
    use super::super::hidden::Rules;
    use super::super::style::Looks;
    use super::*;

    #[test]
    fn an_article_that_a_script_would_show() {
        let sentence =
            "Giá lúa tại đồng bằng tăng mạnh trong tuần qua, nông dân phấn khởi vì được mùa, được giá. ";
        let page = |css: &str, title: &str, above: &str| {
            let article: String = (0..20).map(|_| format!("<p>{sentence}</p>")).collect();
            format!("<title>{title}</title><style>{css}</style><p>{above}</p><div class=x>{article}</div>")
        };
        let count = |page: String| {
            let html = Html::parse_document(&page);
            let rules = Rules::of(&Looks::of(&html));
            found(&html, &VisibleText::of(&html, &rules, &HashSet::new())).len()
        };
        let hides = ".x{display:none}";
        assert_eq!(count(page(hides, "Nông dân phấn khởi", "đọc tiếp")), 1);
        assert_eq!(count(page(hides, "Nông dân phấn khởi", &sentence.repeat(12))), 0);
        assert_eq!(count(page(hides, "Thông báo tuyển dụng", "đọc tiếp")), 0);
        assert_eq!(count(page("", "Nông dân phấn khởi", "")), 0);
    }
}
