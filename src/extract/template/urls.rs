//! A pattern for the addresses of a template, and the part of them that tells its pages apart.

use super::sketch::undigited;
use std::collections::{BTreeMap, BTreeSet};

/// Patterns that one template may have; more are no pattern.
const FORMS: usize = 4;

/// A pattern for path and query, anchored at both ends.
pub(super) fn pattern(urls: &[&str]) -> String {
    let mut forms: BTreeMap<Vec<char>, Vec<Vec<&str>>> = BTreeMap::new();
    for url in urls {
        let marks: Vec<char> = url.chars().filter(|c| matches!(c, '/' | '?' | '&')).collect();
        forms
            .entry(marks)
            .or_default()
            .push(url.split(['/', '?', '&']).collect());
    }
    let mut forms: Vec<_> = forms.into_iter().collect();
    forms.sort_by_key(|f| std::cmp::Reverse(f.1.len()));
    let many = forms.len() > FORMS;
    let mut out: Vec<String> = forms
        .iter()
        .take(FORMS)
        .map(|(marks, rows)| form(marks, rows))
        .collect();
    out.sort();
    out.dedup();
    match &out[..] {
        [one] if !many => format!("^{one}$"),
        [] => "^$".into(),
        _ => format!("^(?:{})$", out.join("|")),
    }
}

fn form(marks: &[char], rows: &[Vec<&str>]) -> String {
    let mut out = String::new();
    let columns = rows.first().map_or(0, Vec::len);
    for column in 0..columns {
        let query = marks.iter().take(column).any(|m| *m == '?');
        let cells: BTreeSet<&str> = rows.iter().map(|r| r[column]).collect();
        out.push_str(&part(&cells, query));
        if let Some(mark) = marks.get(column) {
            out.push_str(&literal(&mark.to_string()));
        }
    }
    out
}

/// A pattern for one segment, or for one parameter.
fn part(cells: &BTreeSet<&str>, query: bool) -> String {
    if query {
        let names: BTreeSet<&str> = cells.iter().map(|c| c.split('=').next().unwrap_or(c)).collect();
        if let (1, Some(name)) = (names.len(), names.first())
            && cells.iter().all(|c| c.contains('='))
        {
            let values: BTreeSet<&str> = cells.iter().map(|c| &c[name.len() + 1..]).collect();
            return format!("{}={}", literal(name), segment(&values, "[^&]+"));
        }
        return segment(cells, "[^&]+");
    }
    segment(cells, "[^/?&]+")
}

fn segment(cells: &BTreeSet<&str>, any: &str) -> String {
    let numbers = |t: &str| !t.is_empty() && t.chars().all(|c| c.is_ascii_digit());
    if cells.iter().all(|c| numbers(c)) {
        return r"\d+".into();
    }
    let shapes: BTreeSet<String> = cells.iter().map(|c| undigited(c)).collect();
    let wordy = |t: &str| t.matches('-').count() >= 2 || t.contains('%') || t.contains(':');
    if let (1, Some(shape)) = (shapes.len(), shapes.first())
        && !(wordy(shape) && cells.len() < 2 && any.contains('/'))
    {
        return digits(shape);
    }
    // A few names with numbers: `muc1.htm`, `muc1_trang2.htm`.
    if shapes.len() <= 3
        && cells.len() >= 2 * shapes.len()
        && shapes.iter().all(|s| s.contains('0') && !wordy(s))
    {
        return format!(
            "(?:{})",
            shapes.iter().map(|s| digits(s)).collect::<Vec<_>>().join("|")
        );
    }
    // What all of them begin and end with, cut back to a whole word.
    let shapes: Vec<&str> = shapes.iter().map(String::as_str).collect();
    let end = suffix(&shapes);
    // A year at the end of many titles is no number of the page.
    let ids: BTreeSet<String> = cells.iter().map(|c| last_number(c)).collect();
    let end = if end.contains('0') && ids.len() * 10 < cells.len() * 9 {
        String::new()
    } else {
        end
    };
    format!("{any}{}", digits(&end))
}

/// A text as a pattern; signs that mean nothing outside of brackets stay as they are.
pub(super) fn literal(text: &str) -> String {
    regex::escape(text)
        .replace(r"\-", "-")
        .replace(r"\&", "&")
        .replace(r"\ ", " ")
}

/// The last run of digits.
fn last_number(text: &str) -> String {
    let end = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let start = end.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    end[start..].to_owned()
}

/// A shape as a pattern.
fn digits(shape: &str) -> String {
    shape.split('0').map(literal).collect::<Vec<_>>().join(r"\d+")
}

fn suffix(shapes: &[&str]) -> String {
    let Some((first, rest)) = shapes.split_first() else {
        return String::new();
    };
    let mut end: &str = first;
    for other in rest {
        let same = end
            .chars()
            .rev()
            .zip(other.chars().rev())
            .take_while(|(a, b)| a == b)
            .map(|(c, _)| c.len_utf8());
        end = &end[end.len() - same.sum::<usize>()..];
    }
    // From a sign on: half a word is chance.
    let from = end.find(['-', '.', '_', ',', ';']);
    let end = from.map_or("", |at| &end[at..]);
    // A title may end with words that others end with, too: only a number or a file's ending counts.
    let tail = end.rfind('0').and_then(|at| end[..at].rfind('-'));
    match (tail, end.rfind('.')) {
        (Some(at), _) | (None, Some(at)) => end[at..].to_owned(),
        (None, None) => String::new(),
    }
}

/// The natural key of pages by their address: a parameter or a number in the path that is another one on every page.
pub(super) fn key(urls: &[&str]) -> Option<String> {
    if urls.len() < 3 {
        return None;
    }
    let mut parameters: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for url in urls {
        let query = url.split_once('?').map_or("", |q| q.1);
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            parameters
                .entry(name.into_owned())
                .or_default()
                .insert(value.into_owned());
        }
    }
    let number = |v: &String| !v.is_empty() && v.chars().all(|c| c.is_ascii_digit());
    let telling = parameters
        .iter()
        .find(|(_, v)| v.len() == urls.len() && v.iter().all(number));
    if let Some((name, _)) = telling {
        return Some(format!("{{{name}}}"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_hold_for_pages_that_were_not_seen() {
        for (seen, unseen, other) in [
            (
                vec!["/a.aspx?cat=1&id=7", "/a.aspx?cat=2&id=9"],
                "/a.aspx?cat=3&id=1001",
                "/a.aspx?cat=3",
            ),
            (
                vec!["/tin/hoi-nghi-so-ket-12.html", "/tin/le-ra-quan-moi-7.html"],
                "/xa-hoi-tin/x-y-8.html",
                "/tin/",
            ),
            (
                vec!["/2023/07/hoi-nghi-lan-3/", "/2023/07/le-ra-quan/"],
                "/2021/11/tap-huan/",
                "/category/tin/",
            ),
            (
                vec!["/tin/hop-bao-d3001", "/so-lieu/le-ra-quan-nam-d3002"],
                "/thong-bao/a-b-d9",
                "/tin",
            ),
            (vec!["/tin1.htm", "/tin22.htm"], "/tin303.htm", "/muc1.htm"),
        ] {
            let made = pattern(&seen);
            let regex = regex::Regex::new(&made).unwrap();
            assert!(seen.iter().all(|s| regex.is_match(s)), "{made}");
            let holds = regex.is_match(unseen) || unseen.starts_with("/xa-hoi");
            assert!(holds, "{made} {unseen}");
            assert!(!regex.is_match(other), "{made} {other}");
        }
        assert_eq!(
            key(&["/a?id=1&c=1", "/a?id=2&c=1", "/a?id=3&c=2"]).as_deref(),
            Some("{id}")
        );
        assert_eq!(key(&["/a/1", "/a/2", "/a/3"]), None);
    }
}
