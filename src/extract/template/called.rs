//! What a site calls itself: the words that end or begin the `<title>` of most pages, behind a sign.

use crate::extract::auto::unnamed;
use crate::lang::spaces;
use crate::mapping::Css;
use crate::page::Page;
use scraper::ElementRef;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

static TITLE: LazyLock<Css> = LazyLock::new(|| Css::builtin("title"));
static NAMED: LazyLock<Css> = LazyLock::new(|| Css::builtin("meta[property='og:site_name' i]"));

/// Signs between a title and a name.
const BETWEEN: [&str; 12] = [
    " | ", " - ", " – ", " — ", " :: ", ": ", " » ", " · ", " • ", " « ", " < ", "|",
];

/// Fewest different titles that tell it.
const FEWEST: usize = 3;

/// Longest name, in characters.
const LONGEST: usize = 80;

/// The name of a site, as its pages say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Called {
    /// The name.
    pub name: String,
    /// Pages whose `<title>` ends or begins with it.
    pub right: usize,
    /// Pages that have a `<title>`.
    pub of: usize,
    /// It begins the titles.
    pub first: bool,
    /// One of the titles.
    pub example: String,
}

fn said<'a>(css: &Css, page: &'a Page) -> Option<ElementRef<'a>> {
    page.html.select(css.selector()).next()
}

/// Finds it.
#[must_use]
pub fn called(pages: &[&Page]) -> Option<Called> {
    let titles: Vec<String> = pages
        .iter()
        .filter_map(|p| Some(spaces(&said(&TITLE, p)?.text().collect::<String>())))
        .filter(|t| !t.is_empty())
        .collect();
    let told: BTreeSet<String> = pages
        .iter()
        .filter_map(|p| Some(spaces(said(&NAMED, p)?.value().attr("content")?)))
        .collect();
    let different: BTreeSet<&str> = titles.iter().map(String::as_str).collect();
    if different.len() < FEWEST {
        return None;
    }
    let mut counts: BTreeMap<(&str, bool), usize> = BTreeMap::new();
    for title in &different {
        let mut ends: BTreeSet<(&str, bool)> = BTreeSet::new();
        for sign in BETWEEN {
            for (at, _) in title.match_indices(sign) {
                ends.insert((title[at + sign.len()..].trim(), false));
                ends.insert((title[..at].trim(), true));
            }
        }
        for end in ends
            .into_iter()
            .filter(|(e, _)| !e.is_empty() && e.chars().count() <= LONGEST)
        {
            *counts.entry(end).or_default() += 1;
        }
    }
    let often: Vec<(&str, bool, usize)> = counts
        .into_iter()
        .filter(|(_, n)| *n >= FEWEST && n * 10 >= different.len() * 6)
        .map(|((name, first), n)| (name, first, n))
        .collect();
    // What metadata call the site; else the longest that nearly all have; else the shortest that most have.
    let by_meta = often
        .iter()
        .find(|(name, ..)| told.len() == 1 && told.contains(*name));
    let nearly = often.iter().filter(|(.., n)| n * 10 >= different.len() * 9);
    let best = by_meta
        .or_else(|| nearly.max_by_key(|(name, first, n)| (!first, name.len(), *n)))
        .or_else(|| {
            often
                .iter()
                .max_by_key(|(name, first, n)| (!first, *n, usize::MAX - name.len()))
        })?;
    let (name, first, _) = *best;
    let has = |t: &&String| unnamed(t, name).len() < t.len() || t.as_str() == name;
    Some(Called {
        name: name.to_owned(),
        right: titles.iter().filter(has).count(),
        of: titles.len(),
        first,
        example: titles.iter().find(has)?.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::called;
    use crate::extract::template::tests::capture;
    use crate::mapping::Mapping;

    fn of(titles: &[&str]) -> Option<(String, usize, bool)> {
        let mapping = "schema = 1\n[site]\nid = \"x\"\nbase = \"http://x.example\"\n";
        let mapping = Mapping::parse("x.toml", mapping).unwrap();
        let pages: Vec<_> = titles
            .iter()
            .enumerate()
            .map(|(n, title)| {
                let url = format!("http://x.example/tin/{n}");
                let html = format!("<title>{title}</title><p>Tin {n}</p>");
                let capture = capture(&url, "text/html; charset=utf-8", html.as_bytes());
                let url = mapping.canonical(&url.parse().unwrap()).unwrap();
                crate::page::read(&capture, &url, &mapping).unwrap()
            })
            .collect();
        let found = called(&pages.iter().collect::<Vec<_>>())?;
        Some((found.name, found.right, found.first))
    }

    #[test]
    fn the_name_stands_behind_or_before_a_sign() {
        let behind = of(&["Một - Sở Y tế", "Hai - ba - Sở Y tế", "Bốn - Sở Y tế", "Sở Y tế"]);
        assert_eq!(behind, Some(("Sở Y tế".into(), 4, false)));
        let before = of(&["Sở Y tế: Một", "Sở Y tế: Hai", "Sở Y tế: Ba"]);
        assert_eq!(before, Some(("Sở Y tế".into(), 3, true)));
        let section = of(&[
            "A | Tin | Báo",
            "B | Tin | Báo",
            "C | Sự kiện | Báo",
            "D | Văn hoá | Báo",
        ]);
        assert_eq!(section, Some(("Báo".into(), 4, false)));
    }

    #[test]
    fn titles_without_a_name_and_one_title_tell_none() {
        assert_eq!(of(&["Một hai", "Ba bốn", "Năm - sáu", "Bảy"]), None);
        assert_eq!(of(&["Một - Báo", "Một - Báo", "Một - Báo"]), None);
    }
}
