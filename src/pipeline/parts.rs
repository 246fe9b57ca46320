//! The pages of a document that the portal shows on several.

use crate::capture::Capture;
use crate::document::CaptureId;
use crate::extract::PartPage;
use crate::mapping::model::Collection;
use crate::mapping::{Mapping, PageUrl};
use crate::page::{self, Page};
use std::collections::{BTreeMap, BTreeSet};

/// Most pages of one document.
const MAX: usize = 200;

/// The pages behind the first, in order, and the URLs of those that are not there.
pub(super) fn collect(
    mapping: &Mapping,
    collection: &Collection,
    first: &Page,
    load: &mut dyn FnMut(&PageUrl) -> Result<Option<Capture>, String>,
) -> (Vec<PartPage>, Vec<String>) {
    let Some(rule) = &collection.parts else {
        return (Vec::new(), Vec::new());
    };
    let links = |page: &Page| -> Vec<(PageUrl, Option<u64>)> {
        let hrefs = page.select(&rule.css).filter_map(|e| e.value().attr("href"));
        let urls = hrefs.filter_map(|href| mapping.resolve(&page.base, href).ok());
        urls.filter_map(|url| {
            let (of, number) = mapping.part(&url)?;
            (of == first.url).then_some((url, number))
        })
        .collect()
    };
    let mut seen = BTreeSet::new();
    let mut open = links(first);
    // By number; those without one in the order in which they were found.
    let mut found: BTreeMap<(u64, usize), PartPage> = BTreeMap::new();
    let mut absent = Vec::new();
    while !open.is_empty() {
        let (url, number) = open.remove(0);
        if seen.len() >= MAX || !seen.insert(url.to_string()) {
            continue;
        }
        let page = match load(&url) {
            Ok(Some(capture)) => {
                let id = CaptureId::of(&capture.body);
                page::read(&capture, &url, mapping).map(|page| (page, id)).ok()
            }
            Ok(None) | Err(_) => None,
        };
        match page {
            Some((page, capture)) => {
                open.extend(links(&page));
                found.insert(
                    (number.unwrap_or(u64::MAX), seen.len()),
                    PartPage { page, capture },
                );
            }
            None => absent.push(url.to_string()),
        }
    }
    (found.into_values().collect(), absent)
}
