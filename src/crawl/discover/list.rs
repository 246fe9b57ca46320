//! Lists: their items with what they say of each, and the next page.

use super::seen::Seen;
use super::{Asked, Item, Link, List, MAX_LINKS, MAX_TEXT, NextPage, kind_of};
use crate::crawl::pager::{self, Postbacks, json};
use crate::mapping::model::{ListField, ListRule, Pager};
use crate::mapping::{Mapping, PageUrl};
use crate::page::Page;
use scraper::ElementRef;
use std::collections::BTreeMap;

pub(super) fn empty(rule: &ListRule, root: &PageUrl) -> List {
    List {
        rule: rule.id.clone(),
        root: root.clone(),
        items: Vec::new(),
        next: NextPage::None,
        max_pages: u32::MAX,
        stop_after: None,
        total: None,
    }
}

/// The list that a rule finds on a page, and how it goes on.
pub(super) fn list(
    mapping: &Mapping,
    url: &PageUrl,
    view: &Page,
    rule: &ListRule,
    asked: Asked<'_>,
    seen: &mut Seen<'_>,
    links: &mut Vec<Link>,
) -> List {
    let mut items = Vec::new();
    for element in view.html.select(rule.item.selector()).take(MAX_LINKS) {
        let Some((link, to)) = element
            .select(rule.link.selector())
            .find_map(|a| Some((a, seen.resolve(a.attr("href")?)?)))
        else {
            continue;
        };
        let mut fields = BTreeMap::new();
        for (name, field) in &rule.fields {
            let value = value_of(view, element, field);
            if let Some(value) = value {
                fields.insert(name.clone(), value.chars().take(MAX_TEXT).collect());
            }
        }
        let anchor: String = view.text_of(link).chars().take(MAX_TEXT).collect();
        items.push(Item {
            url: to.0.clone(),
            anchor: (!anchor.is_empty()).then_some(anchor),
            fields,
        });
        let kind = kind_of(mapping, &to.0);
        seen.push(links, to, kind, &rule.id);
    }
    let mut list = empty(rule, url);
    list.items = items;
    list.total = rule.count.as_ref().and_then(|field| {
        let digits: String = value_of(view, view.html.root_element(), field)?
            .chars()
            .filter(char::is_ascii_digit)
            .take(12)
            .collect();
        digits.parse().ok()
    });
    let page = match asked {
        Asked::Url => 1,
        Asked::Request(page, _) => page.max(1),
    };
    match &rule.pager {
        Some(Pager::Link { css, max_pages }) => {
            list.max_pages = *max_pages;
            let mut urls: Vec<PageUrl> = view
                .html
                .select(css.selector())
                .filter_map(|a| seen.resolve(a.attr("href")?))
                .map(|to| to.0)
                .filter(|to| to != url)
                .take(1000)
                .collect();
            urls.dedup();
            if !urls.is_empty() {
                list.next = NextPage::Urls(urls);
            }
        }
        Some(Pager::AspnetPostback {
            css,
            page: number,
            max_pages,
            stop_after,
            delta,
            script_manager,
            panel,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            let how = Postbacks {
                rule: &rule.id,
                css: css.selector(),
                number,
                delta: delta.then_some((script_manager.as_deref(), panel.as_deref())),
            };
            if let Some(next) = pager::next_postback(view, &how, page) {
                list.next = NextPage::Request(next);
            }
        }
        Some(Pager::Form {
            css,
            param,
            second,
            max_pages,
            stop_after,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            let number = match asked {
                Asked::Url => *second,
                Asked::Request(page, _) => page.saturating_add(1),
            };
            if !list.items.is_empty()
                && let Some(next) = pager::form_page(view, &rule.id, css.selector(), param, number)
            {
                list.next = NextPage::Request(next);
            }
        }
        Some(Pager::Json(pager)) => {
            (list.max_pages, list.stop_after) = (pager.max_pages, Some(pager.stop_after));
            let number = match asked {
                Asked::Url => Some(pager.first),
                // A fragment without items is the end.
                Asked::Request(..) if list.items.is_empty() => None,
                Asked::Request(page, _) => Some(page.saturating_add(1)),
            };
            if let Some(number) = number
                && let Some(next) = json::request(mapping, rule, pager, url, number)
            {
                list.next = NextPage::Request(next);
            }
        }
        Some(Pager::Query {
            param,
            second,
            max_pages,
            stop_after,
        }) => {
            (list.max_pages, list.stop_after) = (*max_pages, Some(*stop_after));
            let number = url
                .as_url()
                .query_pairs()
                .find(|(k, _)| k.eq_ignore_ascii_case(param))
                .and_then(|(_, v)| v.parse::<u32>().ok());
            if let Ok(root) = mapping.canonical(&pager::with_page(url.as_url(), param, None)) {
                list.root = root;
            }
            let next = number.map_or(*second, |n| n.saturating_add(1).max(*second));
            if !list.items.is_empty()
                && let Ok(next) = mapping.canonical(&pager::with_page(url.as_url(), param, Some(next)))
                && next != *url
            {
                list.next = NextPage::Urls(vec![next]);
            }
        }
        Some(Pager::None {}) | None => {}
    }
    list
}

/// What a list field finds inside an element.
fn value_of(view: &Page, element: ElementRef<'_>, field: &ListField) -> Option<String> {
    element
        .select(field.css.selector())
        .find_map(|e| match &field.attr {
            Some(attr) => e.attr(attr).map(|v| v.trim().to_owned()),
            None => Some(view.text_of(e)),
        })
        .and_then(|v| match &field.regex {
            Some(regex) => regex.take(&v).map(str::to_owned),
            None => Some(v),
        })
        .filter(|v| !v.is_empty())
}
