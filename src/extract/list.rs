//! Lists of the markup, with the numbers that they count.

use super::block::{Builder, NESTING};
use crate::document::{Block, Counting, Inline, ListItem, Source, Span};
use crate::page::attr;
use ego_tree::NodeRef;
use scraper::Node;
use scraper::node::Element;

impl Builder<'_> {
    /// The list of an element; several, if its items jump to other numbers: each says with which it begins.
    pub(super) fn list(&mut self, node: NodeRef<'_, Node>, element: &Element, depth: usize) -> Vec<Block> {
        let ordered = element.name() == "ol";
        let reversed = ordered && attr(element, "reversed").is_some();
        let number = |element: &Element, name| attr(element, name).and_then(|s| s.trim().parse::<u32>().ok());
        let counting = match attr(element, "type").map(str::trim) {
            Some("a") => Some(Counting::LowerAlpha),
            Some("A") => Some(Counting::UpperAlpha),
            Some("i") => Some(Counting::LowerRoman),
            Some("I") => Some(Counting::UpperRoman),
            _ => None,
        };
        // A list that counts down without a number begins with how many items it has.
        let all = node
            .children()
            .filter(|c| c.value().as_element().is_some_and(|e| e.name() == "li"))
            .count();
        let all = u32::try_from(all).ok().filter(|_| reversed);
        let mut start = number(element, "start").filter(|_| ordered);
        let mut lists = Vec::new();
        let mut items: Vec<ListItem> = Vec::new();
        let whole = self.page.text.span(node.id()).unwrap_or_default();
        let mut chars = whole;
        let block = |items: Vec<ListItem>, start: Option<u32>, src: Source| Block::List {
            ordered,
            start: start.filter(|s| *s != 1 || reversed),
            counting: counting.filter(|_| ordered),
            reversed,
            items,
            src,
        };
        for child in node.children() {
            // A list between the items of another one is below the item before it, as browsers show it.
            if let Some(inner) = child.value().as_element()
                && matches!(inner.name(), "ul" | "ol" | "menu" | "dir")
                && !self.page.text.hides(child.id())
                && !self.skip.contains(&child.id())
                && depth + 1 < NESTING
            {
                let list = self.list(child, inner, depth + 1);
                match items.last_mut() {
                    Some(last) => last.children.extend(list),
                    None if list.is_empty() => {}
                    None => items.push(ListItem {
                        content: Inline::default(),
                        children: list,
                    }),
                }
                continue;
            }
            if self.page.text.hides(child.id()) || self.skip.contains(&child.id()) {
                continue;
            }
            let mut blocks = self.blocks(child, depth + 1);
            let mut item = ListItem {
                content: Inline::default(),
                children: Vec::new(),
            };
            if let Some(Block::Paragraph { text, marks, .. }) = blocks.first_mut() {
                item.content = Inline {
                    text: std::mem::take(text),
                    marks: std::mem::take(marks),
                };
                blocks.remove(0);
            }
            item.children = blocks;
            if item.content.text.is_empty() && item.children.is_empty() {
                continue;
            }
            let said = child
                .value()
                .as_element()
                .filter(|_| ordered)
                .and_then(|e| number(e, "value"));
            if let Some(said) = said {
                let done = u32::try_from(items.len()).unwrap_or(u32::MAX);
                let next = match (start, reversed) {
                    (first, true) => first.or(all).and_then(|f| f.checked_sub(done)),
                    (first, false) => first.unwrap_or(1).checked_add(done),
                };
                if items.is_empty() {
                    start = Some(said);
                } else if next != Some(said) {
                    let at = self.page.text.span(child.id()).unwrap_or_default().0;
                    let before = Span(chars.0, at.max(chars.0));
                    let first = start.or(all);
                    lists.push(block(std::mem::take(&mut items), first, self.source(before)));
                    chars = Span(before.1, whole.1.max(before.1));
                    start = Some(said);
                }
            }
            items.push(item);
        }
        if !items.is_empty() {
            lists.push(block(items, start, self.source(chars)));
        }
        lists
    }
}
