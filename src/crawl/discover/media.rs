//! Pictures and attachments of a page.

use super::seen::Seen;
use super::{Link, MAX_LINKS};
use crate::ledger::UrlKind;
use crate::mapping::model::Container;
use crate::mapping::{Mapping, PageUrl};
use crate::page::{Page, picture};
use scraper::Selector;
use std::sync::LazyLock;

/// Pictures and attachments inside the container of the page's collection.
pub(super) fn media(
    mapping: &Mapping,
    url: &PageUrl,
    view: &Page,
    seen: &mut Seen<'_>,
    links: &mut Vec<Link>,
) {
    static IMAGES: LazyLock<Option<Selector>> = LazyLock::new(|| Selector::parse("img").ok());
    static ANCHORS: LazyLock<Option<Selector>> = LazyLock::new(|| Selector::parse("a[href]").ok());
    let (Some(images), Some(anchors)) = (IMAGES.as_ref(), ANCHORS.as_ref()) else {
        return;
    };
    let Some(collection) = mapping.collection_for_url(url) else {
        return;
    };
    let container = collection
        .scope
        .container
        .iter()
        .filter_map(Container::css)
        .find_map(|css| view.html.select(css.selector()).next())
        .unwrap_or_else(|| view.html.root_element());
    let rules = &mapping.rules().media;
    let mut picture = |address: &str| {
        if let Some(to) = seen.resolve(address)
            && !rules.ignore.iter().any(|p| p.regex().is_match(to.0.as_str()))
        {
            seen.push(links, to, UrlKind::Media, "media");
        }
    };
    for image in container.select(images) {
        picture::source(image, &rules.lazy_attrs)
            .into_iter()
            .for_each(&mut picture);
    }
    static HIDDEN: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse(r"noscript, v\:imagedata").ok());
    for element in HIDDEN.as_ref().into_iter().flat_map(|css| container.select(css)) {
        element.attr("src").into_iter().for_each(&mut picture);
        if let Some(html) = picture::fallback(element) {
            for image in html.select(images) {
                picture::source(image, &rules.lazy_attrs)
                    .into_iter()
                    .for_each(&mut picture);
            }
        }
    }
    static STYLED: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse("[style*='url('], [background], img[srcset], source[srcset]").ok());
    for element in STYLED
        .as_ref()
        .into_iter()
        .flat_map(|css| container.select(css))
        .take(MAX_LINKS)
    {
        let sources = picture::srcset(element.attr("srcset").unwrap_or_default())
            .map(|(address, _)| address)
            .chain(css_urls(element.attr("style").unwrap_or_default()))
            .chain(element.attr("background"));
        for source in sources.take(32) {
            if let Some(to) = seen.resolve(source)
                && !rules.ignore.iter().any(|p| p.regex().is_match(to.0.as_str()))
            {
                seen.push(links, to, UrlKind::Media, "media");
            }
        }
    }
    for anchor in container.select(anchors) {
        if let Some(to) = anchor.attr("href").and_then(|h| seen.resolve(h))
            && (mapping.is_attachment(&to.0)
                || (picture::is_named_so(to.0.as_str()) && anchor.select(images).next().is_some()))
        {
            seen.push(links, to, UrlKind::Media, "media");
        }
    }
}

/// Addresses of `url(…)` in a declaration of CSS.
fn css_urls(style: &str) -> impl Iterator<Item = &str> {
    style.split("url(").skip(1).filter_map(|rest| {
        let inside = rest.split(')').next()?.trim();
        Some(inside.trim_matches(|c| c == '"' || c == '\'').trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_styles() {
        let urls: Vec<_> = css_urls("background:url( 'a b.png' ) x; b: url(c)").collect();
        assert_eq!(urls, ["a b.png", "c"]);
    }
}
