//! What is not as in the gold text, one by one, for the eyes of who mends it.

use super::{Given, captions, documents, pages, read, words};
use sangtrang::document::{Block, Span};
use sangtrang::extract::auto::{self, Auto};
use sangtrang::page::Page;
use std::path::Path;

pub(crate) fn main(set: &Path) {
    for given in pages(set) {
        let page = read(&given);
        let found = auto::read(&page);
        let gold = |name: &str| given.gold[name].as_str().filter(|t| !t.is_empty());
        let got = found
            .title
            .as_ref()
            .map(|t| (t.value.as_str(), t.method.as_str()));
        if let Some(gold) = gold("title")
            && got.is_none_or(|(t, _)| words(t) != words(gold))
        {
            println!("{}\ttitle\t{gold:?}\t{got:?}", given.id);
        }
        let got = found
            .published
            .as_ref()
            .map(|d| (d.value.as_str(), d.method.as_str()));
        if let Some(gold) = gold("date")
            && got.is_none_or(|(d, _)| d.get(..10) != gold.get(..10))
        {
            println!("{}\tdate\t{gold:?}\t{got:?}", given.id);
        }
        for caption in captions(&given, &page).into_iter().filter(|c| !c.kept) {
            println!(
                "{}\tcaption\tshown {}\t{:?}",
                given.id, caption.shown, caption.text
            );
            judged(&given, &page, &found, &caption.text);
            standing(&given, &page, &caption.text);
        }
    }
}

/// The blocks that say most of a caption.
fn judged(given: &Given, page: &Page, found: &Auto, caption: &str) {
    let caption = words(caption);
    for block in &found.blocks {
        let own = words(page.text.slice(block.chars));
        let both = own.iter().filter(|w| caption.contains(w)).count();
        if both * 10 >= own.len().max(caption.len()) * 6 {
            let Span(from, _) = block.chars;
            let text: String = page.text.slice(block.chars).chars().take(90).collect();
            println!(
                "{}\t  {:?} {} {:.2} at {from}: {text:?}",
                given.id, block.verdict, block.rule, block.likely
            );
        }
    }
}

/// Where a caption stands in the document instead, between which blocks.
fn standing(given: &Given, page: &Page, caption: &str) {
    let caption = words(caption);
    let kind = |block: Option<&Block>| match block {
        None => "-".to_owned(),
        Some(Block::Image { image, .. }) => {
            let caption: Option<String> = image.caption.as_ref().map(|c| c.text.chars().take(30).collect());
            format!("image {caption:?}")
        }
        Some(Block::Gallery { items, .. }) => format!("gallery of {}", items.len()),
        Some(Block::Embed { url, .. }) => format!("embed {url}"),
        Some(block) => block.text().chars().take(30).collect(),
    };
    for document in documents(given, page, "auto").documents {
        let body = &document.body;
        for (at, block) in body.iter().enumerate() {
            let own = words(&block.text());
            let both = own.iter().filter(|w| caption.contains(w)).count();
            if both * 10 >= own.len().max(caption.len()) * 6 {
                let before = at.checked_sub(1).and_then(|at| body.get(at));
                let (before, behind) = (kind(before), kind(body.get(at + 1)));
                println!(
                    "{}\t  block {at} of {} between {before:?} and {behind:?}",
                    given.id,
                    body.len()
                );
            }
        }
    }
}
