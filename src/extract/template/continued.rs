//! Articles that go on on further pages: a number links to a page with the same headline whose address is that of the first,
//! with the number added.

use super::list::{chosen, number};
use super::model::Parts;
use super::site::Site;
use super::urls;
use crate::lang::fold;
use ego_tree::NodeId;
use std::collections::{BTreeMap, BTreeSet};

/// Longest text between the address of the first page and the number of another, in characters.
const JOINT: usize = 12;

/// Pages behind the first that show its headline, at least.
const SHOWN: usize = 2;

/// What an address adds to that of the first page: `_` and `.html` in `/tin4_2.html`.
type Form = (String, String);

/// What leads from an address to that of page `n`, with what both begin with.
fn added(first: &str, other: &str, n: &str) -> Option<(Form, String)> {
    let ends = std::iter::once(first.len()).chain(first.rfind('.'));
    for at in ends {
        let (head, end) = (first.get(..at)?, first.get(at..)?);
        let Some(middle) = other.strip_prefix(head).and_then(|r| r.strip_suffix(end)) else {
            continue;
        };
        let Some(joint) = middle.strip_suffix(n) else {
            continue;
        };
        let fits = !joint.is_empty() && joint.len() <= JOINT && !joint.contains(|c: char| c.is_ascii_digit());
        if fits {
            return Some(((joint.to_owned(), end.to_owned()), head.to_owned()));
        }
    }
    None
}

#[derive(Default)]
struct Seen {
    heads: BTreeSet<String>,
    shown: BTreeSet<usize>,
    links: BTreeMap<usize, Vec<NodeId>>,
    example: String,
}

/// How articles of these pages go on, if they do.
pub(super) fn learn(site: &Site<'_>, pages: &[usize]) -> Option<Parts> {
    let mut forms: BTreeMap<Form, Seen> = BTreeMap::new();
    for at in pages {
        let sketch = &site.sketches[*at];
        let Some(title) = site.title_of(*at) else {
            continue;
        };
        let first = sketch.page.url.path_and_query();
        for link in sketch.links.iter().filter(|l| number(&l.text)) {
            let other = link.to.path_and_query();
            let Some((form, head)) = added(first, other, &link.text) else {
                continue;
            };
            let seen = forms.entry(form).or_default();
            seen.links.entry(*at).or_default().push(link.node);
            let Some(page) = site.index.get(&link.to) else {
                continue;
            };
            let there = &site.sketches[*page];
            let headed = there
                .lines
                .iter()
                .any(|l| fold(there.page.text.slice(l.span)) == title);
            if headed {
                seen.shown.insert(*page);
                seen.heads.insert(head);
                seen.example = format!("{first} {other}");
            }
        }
    }
    let (form, seen) = forms
        .into_iter()
        .max_by_key(|(form, seen)| (seen.shown.len(), std::cmp::Reverse(form.clone())))
        .filter(|(_, seen)| seen.shown.len() >= SHOWN)?;
    let heads: Vec<&str> = seen.heads.iter().map(String::as_str).collect();
    let head = urls::pattern(&heads);
    let head = head.trim_start_matches('^').trim_end_matches('$');
    let links: Vec<(usize, Vec<NodeId>)> = pages
        .iter()
        .map(|p| (*p, seen.links.get(p).cloned().unwrap_or_default()))
        .collect();
    // Only links to pages of the same article count: any selector that finds them will do.
    let css = chosen(site, &links, "link", false).map_or_else(|| "a[href]".to_owned(), |p| p.rule.css);
    Some(Parts {
        url: format!(
            r"^({head}){}(\d+){}$",
            urls::literal(&form.0),
            urls::literal(&form.1)
        ),
        first: format!("${{1}}{}", form.1),
        css,
        articles: seen.heads.len(),
        pages: seen.shown.len(),
        example: seen.example,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_added_to_the_address_of_the_first_page() {
        let form = |a, b, n| added(a, b, n).map(|((joint, end), head)| format!("{head} {joint} {end}"));
        for (first, other, n, wanted) in [
            ("/tin4.html", "/tin4_2.html", "2", Some("/tin4 _ .html")),
            (
                "/view.aspx?id=5",
                "/view.aspx?id=5&page=3",
                "3",
                Some("/view.aspx?id=5 &page= "),
            ),
            ("/a/b", "/a/b/trang-2", "2", Some("/a/b /trang- ")),
            ("/tin4.html", "/tin42.html", "2", None),
            ("/tin4.html", "/tin5.html", "5", None),
        ] {
            assert_eq!(form(first, other, n).as_deref(), wanted, "{first} {other}");
        }
    }
}
