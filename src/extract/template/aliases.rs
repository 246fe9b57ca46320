//! One page under several addresses: what of an address does not change what the page shows, and the rules of `[url]` that
//! make one address of them. Known by pages of the sample that show the same; one pair that differs speaks against a rule.

use super::cluster::share;
use super::find::quote;
use super::sketch::{hash, letters};
use super::urls::literal;
use crate::document::Span;
use crate::mapping::Mapping;
use crate::mapping::model::UrlRules;
use crate::page::Page;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// Shortest text of its own by which a page is known, in characters.
const OWN: usize = 200;

/// Share of the pages that show a line of the frame; its numbers (counters, clocks) do not count.
const FRAME: f64 = 0.3;

/// Pairs of equal pages that are needed, unless the value looks like that of a session.
const PAIRS: usize = 3;

/// Shortest value that looks like that of a session, in characters.
const SESSION: usize = 6;

/// An address in parts: path and parameters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Address {
    path: String,
    params: Vec<(String, String)>,
}

impl Address {
    fn of(text: &str) -> Self {
        let (path, query) = text.split_once('?').unwrap_or((text, ""));
        let pairs = query.split('&').filter(|p| !p.is_empty());
        let mut params: Vec<(String, String)> = pairs
            .map(|p| p.split_once('=').unwrap_or((p, "")))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        params.sort();
        Self {
            path: path.to_owned(),
            params,
        }
    }

    /// As a server sees it that makes no difference between large and small letters.
    fn folded(&self) -> Self {
        let mut params: Vec<(String, String)> = self
            .params
            .iter()
            .map(|(n, v)| (n.to_lowercase(), v.clone()))
            .collect();
        params.sort();
        Self {
            path: self.path.to_lowercase(),
            params,
        }
    }

    fn without(&self, name: &str) -> Self {
        let mut out = self.clone();
        out.params.retain(|p| p.0 != name);
        out
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.params.iter().find(|p| p.0 == name).map(|p| p.1.as_str())
    }
}

/// Pages that differ in one thing only: how many pairs show the same, whether any does not, and one pair that does.
#[derive(Default)]
struct Pairs {
    same: usize,
    differ: bool,
    example: Option<(usize, usize)>,
}

/// What a page shows, apart from the numbers in its frame; `None` if that is too little to know it by.
fn prints(pages: &[&Page]) -> Vec<Option<u64>> {
    let lines: Vec<Vec<Span>> = pages
        .iter()
        .map(|p| p.text.lines(Span(0, p.text.len())))
        .collect();
    let mut counts: BTreeMap<u64, usize> = BTreeMap::new();
    for (page, spans) in pages.iter().zip(&lines) {
        let keys: BTreeSet<u64> = spans
            .iter()
            .map(|s| hash(&letters(page.text.slice(*s))))
            .collect();
        for key in keys {
            *counts.entry(key).or_default() += 1;
        }
    }
    let frame = |key: u64| {
        let n = counts.get(&key).copied().unwrap_or(0);
        n >= 3 && share(n, pages.len(), FRAME)
    };
    let print = |(page, spans): (&&Page, &Vec<Span>)| {
        let (mut all, mut own) = (String::new(), 0);
        for span in spans {
            let text = page.text.slice(*span);
            let key = hash(&letters(text));
            if frame(key) {
                let _ = write!(all, "{key:x}.");
            } else {
                own += span.1 - span.0;
                let _ = write!(all, "{:x}.", hash(text));
            }
        }
        (own >= OWN).then(|| hash(&all))
    };
    pages.iter().zip(&lines).map(print).collect()
}

fn session(value: &str) -> bool {
    value.len() >= SESSION
        && value.chars().all(|c| c.is_ascii_alphanumeric())
        && value.contains(|c: char| c.is_ascii_digit())
        && value.contains(|c: char| c.is_ascii_alphabetic())
}

/// Pairs of pages whose addresses are the same without a parameter.
fn pairs(addresses: &[&Address], prints: &[Option<u64>], name: &str, path: Option<&str>) -> Pairs {
    let mut groups: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
    for (at, address) in addresses.iter().enumerate() {
        if path.is_none_or(|p| p == address.path) && prints[at].is_some() {
            groups.entry(address.without(name)).or_default().push(at);
        }
    }
    let mut out = Pairs::default();
    for group in groups.values() {
        for (n, a) in group.iter().enumerate() {
            for b in &group[n + 1..] {
                if addresses[*a].value(name) == addresses[*b].value(name) {
                    continue;
                }
                if prints[*a] == prints[*b] {
                    out.same += 1;
                    out.example.get_or_insert((*a, *b));
                } else {
                    out.differ = true;
                }
            }
        }
    }
    out
}

/// The `[url]` table that a sample asks for, with its evidence; `None` if no page of it stands under two addresses.
#[must_use]
pub fn aliases(pages: &[&Page], mapping: &Mapping) -> Option<String> {
    let rules = &mapping.rules().url;
    let plain: Vec<Address> = pages
        .iter()
        .map(|p| Address::of(p.url.path_and_query()))
        .collect();
    let prints = prints(pages);
    let told = |pair: (usize, usize)| {
        format!(
            "{} {}",
            pages[pair.0].url.path_and_query(),
            pages[pair.1].url.path_and_query()
        )
    };
    let case = cases(&plain, &prints).filter(|_| !rules.case_insensitive_path);
    let folded: Vec<Address> = if case.is_some() {
        plain.iter().map(Address::folded).collect()
    } else {
        plain
    };
    let mut all: Vec<&Address> = folded.iter().collect();
    let names: BTreeSet<&str> = folded
        .iter()
        .flat_map(|a| a.params.iter().map(|p| p.0.as_str()))
        .collect();
    let mut dropped: Vec<(String, Pairs)> = Vec::new();
    for name in &names {
        let found = pairs(&all, &prints, name, None);
        let sessions = || folded.iter().filter_map(|a| a.value(name)).all(session);
        if !found.differ && (found.same >= PAIRS || found.same > 0 && sessions()) {
            dropped.push(((*name).to_owned(), found));
        }
    }
    let bare: Vec<Address> = folded
        .iter()
        .map(|a| {
            let mut a = a.clone();
            a.params.retain(|p| dropped.iter().all(|d| d.0 != p.0));
            a
        })
        .collect();
    all = bare.iter().collect();
    // What tells lists apart need not tell articles apart.
    let mut rewrites: Vec<(String, String, String, Pairs)> = Vec::new();
    let places: BTreeSet<(&str, &str)> = bare
        .iter()
        .flat_map(|a| a.params.iter().map(|p| (a.path.as_str(), p.0.as_str())))
        .collect();
    for (path, name) in places {
        let mut found = Some(pairs(&all, &prints, name, Some(path)));
        let enough = found.as_ref().is_some_and(|f| !f.differ && f.same >= 2);
        let kinds: BTreeSet<Vec<&str>> = bare
            .iter()
            .filter(|a| a.path == path && a.value(name).is_some() && a.params.len() >= 2)
            .map(|a| a.params.iter().map(|p| p.0.as_str()).collect())
            .collect();
        for names in kinds.into_iter().filter(|_| enough) {
            let Some(found) = found.take() else { continue };
            let (mut from, mut to) = (Vec::new(), Vec::new());
            for other in names {
                if other == name {
                    from.push(format!("{}=[^&]*", literal(other)));
                } else {
                    from.push(format!("{}=([^&]*)", literal(other)));
                    to.push(format!("{other}=${}", to.len() + 1));
                }
            }
            rewrites.push((
                format!(r"^{}\?{}$", literal(path), from.join("&")),
                format!("{path}?{}", to.join("&")),
                name.to_owned(),
                found,
            ));
        }
    }
    let index = index_file(&bare, &prints);
    if case.is_none() && index.is_none() && dropped.is_empty() && rewrites.is_empty() {
        return None;
    }
    let mut out = String::from("\n# --- which addresses are the same page\n[url]\n");
    if let Some(pair) = case {
        let _ = write!(
            out,
            "# Large and small letters make no difference: {}\ncase_insensitive_path = true\n",
            told(pair)
        );
    }
    if let Some((name, pair)) = index {
        let _ = write!(
            out,
            "# The name of a folder's first page: {}\nindex_files = [{}]\n",
            told(pair),
            quote(&name)
        );
    }
    for (name, found) in &dropped {
        let example = found.example.map(&told).unwrap_or_default();
        let _ = writeln!(
            out,
            "# `{name}`: {} pairs show the same, none differs: {example}",
            found.same
        );
    }
    if !dropped.is_empty() {
        let names: Vec<String> = dropped.iter().map(|d| quote(&d.0)).collect();
        let _ = writeln!(out, "drop_params = [{}]", names.join(", "));
    }
    for (from, to, name, found) in &rewrites {
        let example = found.example.map(&told).unwrap_or_default();
        let _ = write!(
            out,
            "\n# `{name}` does not change these: {} pairs show the same, none differs: {example}\n[[url.rewrite]]\nfrom = {}\nto = {}\n",
            found.same,
            quote(from),
            quote(to)
        );
    }
    Some(out)
}

/// The `[url]` table of a mapping that has one, as it would be written.
#[must_use]
pub fn written(rules: &UrlRules) -> Option<String> {
    let mut out = String::new();
    for (name, on) in [
        ("case_insensitive_path", rules.case_insensitive_path),
        ("session_ids", rules.session_ids),
    ] {
        if on {
            let _ = writeln!(out, "{name} = true");
        }
    }
    let patterns: Vec<String> = rules
        .drop_path_patterns
        .iter()
        .map(|p| p.regex().as_str().to_owned())
        .collect();
    for (name, all) in [
        ("significant_params", &rules.significant_params),
        ("drop_params", &rules.drop_params),
        ("drop_path_patterns", &patterns),
        ("index_files", &rules.index_files),
    ] {
        if !all.is_empty() {
            let all: Vec<String> = all.iter().map(|t| quote(t)).collect();
            let _ = writeln!(out, "{name} = [{}]", all.join(", "));
        }
    }
    if rules.max_repeated_segments > 0 {
        let _ = writeln!(out, "max_repeated_segments = {}", rules.max_repeated_segments);
    }
    for rewrite in &rules.rewrite {
        let _ = write!(
            out,
            "\n[[url.rewrite]]\nfrom = {}\nto = {}\n",
            quote(rewrite.from.regex().as_str()),
            quote(&rewrite.to)
        );
    }
    (!out.is_empty()).then(|| format!("\n[url]\n{out}"))
}

/// A name of a file that shows what its folder shows, if none differs.
fn index_file(addresses: &[Address], prints: &[Option<u64>]) -> Option<(String, (usize, usize))> {
    let known = addresses.iter().zip(prints).enumerate();
    let known = known.filter_map(|(at, (a, print))| Some((a, (at, (*print)?))));
    let known: BTreeMap<&Address, (usize, u64)> = known.collect();
    let mut names: BTreeMap<&str, Option<(usize, usize)>> = BTreeMap::new();
    for (address, (at, print)) in &known {
        let Some(cut) = address.path.rfind('/').filter(|c| c + 1 < address.path.len()) else {
            continue;
        };
        let folder = Address {
            path: address.path[..=cut].to_owned(),
            params: address.params.clone(),
        };
        if let Some((there, other)) = known.get(&folder) {
            let pair = (other == print).then_some((*there, *at));
            let name = names.entry(&address.path[cut + 1..]).or_insert(pair);
            *name = name.filter(|_| pair.is_some());
        }
    }
    let (name, pair) = names.into_iter().find(|(_, pair)| pair.is_some())?;
    Some((name.to_owned(), pair?))
}

/// Two pages that show the same and whose paths differ in case only, if no two such pages differ.
fn cases(addresses: &[Address], prints: &[Option<u64>]) -> Option<(usize, usize)> {
    let mut paths: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
    for address in addresses {
        paths
            .entry(address.path.to_lowercase())
            .or_default()
            .insert(&address.path);
    }
    paths.retain(|_, spelled| spelled.len() > 1);
    let mut example = None;
    for (a, one) in addresses.iter().enumerate() {
        if !paths.contains_key(&one.path.to_lowercase()) || prints[a].is_none() {
            continue;
        }
        for (b, two) in addresses.iter().enumerate().skip(a + 1) {
            if one.path == two.path || one.path.to_lowercase() != two.path.to_lowercase() {
                continue;
            }
            if prints[a] == prints[b] {
                example.get_or_insert((a, b));
            } else if prints[b].is_some() && one.folded() == two.folded() {
                return None;
            }
        }
    }
    example
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Capture;

    fn page(mapping: &Mapping, url: &str, text: &str) -> Page {
        let body = format!(
            "<html><body><p>Lượt truy cập: {}</p>{text}</body></html>",
            url.len()
        )
        .into_bytes();
        let capture = Capture::saved(url, Some("text/html; charset=utf-8"), body);
        let url = mapping.resolve(&mapping.rules().site.base, url).unwrap();
        crate::page::read(&capture, &url, mapping).unwrap()
    }

    fn text(n: usize) -> String {
        let words = [
            "xã",
            "huyện",
            "tỉnh",
            "điều tra",
            "thống kê",
            "kinh tế",
            "nông thôn",
        ];
        let all: Vec<&str> = (0..60).map(|i| words[(i * n + i / 3) % 7]).collect();
        format!("<p>Bài {}: {}</p>", "n".repeat(n), all.join(" "))
    }

    #[test]
    fn what_does_not_change_a_page_goes_from_its_address() {
        let head = "schema = 1\n[site]\nid = 'x'\nbase = 'http://h.example/'\n";
        let mapping = Mapping::parse("x.toml", head).unwrap();
        let mut all = Vec::new();
        for n in 1..=5 {
            let (cat, body) = (n % 2, text(n));
            all.push(page(
                &mapping,
                &format!("/View.aspx?CatID={cat}&ItemID={n}"),
                &body,
            ));
            all.push(page(&mapping, &format!("/view.aspx?itemid={n}"), &body));
        }
        let shown = text(1);
        all.push(page(&mapping, "/View.aspx?CatID=1&ItemID=1&sid=91a9e071", &shown));
        let home = text(30);
        all.push(page(&mapping, "/", &home));
        all.push(page(&mapping, "/Default.aspx", &home));
        // What tells lists apart stays.
        all.push(page(&mapping, "/Default.aspx?CatID=1", &text(20)));
        all.push(page(&mapping, "/Default.aspx?CatID=2", &text(21)));
        let pages: Vec<&Page> = all.iter().collect();
        let toml = aliases(&pages, &mapping).unwrap();
        let drafted =
            Mapping::parse("y.toml", &format!("{head}{toml}")).unwrap_or_else(|e| panic!("{e:?}\n{toml}"));
        let key = |u: &str| {
            let url = drafted.resolve(&drafted.rules().site.base, u).unwrap();
            url.path_and_query().to_owned()
        };
        let one = key("/view.aspx?itemid=7");
        for other in [
            "/View.aspx?ItemID=7&CatID=3",
            "/View.aspx?CatID=3&ItemID=7&sid=0123abcd",
        ] {
            assert_eq!(key(other), one, "{toml}");
        }
        // What is written of the rules is what they are.
        let again = written(&drafted.rules().url).unwrap();
        let again = Mapping::parse("z.toml", &format!("{head}{again}")).unwrap();
        let there = again.resolve(&again.rules().site.base, "/View.aspx?ItemID=7&CatID=3&sid=1");
        assert_eq!(there.unwrap().path_and_query(), one);
        assert_ne!(key("/view.aspx?itemid=8"), one);
        assert_eq!(key("/default.aspx"), "/");
        assert_ne!(key("/Default.aspx?CatID=1"), key("/Default.aspx?CatID=2"));
        assert_ne!(key("/Default.aspx?CatID=1&page=2"), key("/Default.aspx?CatID=1"));
    }

    #[test]
    fn pages_that_say_the_same_of_nothing_prove_nothing() {
        let head = "schema = 1\n[site]\nid = 'x'\nbase = 'http://h.example/'\n";
        let mapping = Mapping::parse("x.toml", head).unwrap();
        let gone = format!("<p>{}</p>", "Không tìm thấy bài viết. ".repeat(12));
        let mut all: Vec<Page> = (1..=4)
            .map(|n| page(&mapping, &format!("/view.aspx?id={n}"), &gone))
            .collect();
        all.extend((5..=9).map(|n| page(&mapping, &format!("/view.aspx?id={n}"), &text(n))));
        let pages: Vec<&Page> = all.iter().collect();
        assert_eq!(aliases(&pages, &mapping), None);
    }
}
