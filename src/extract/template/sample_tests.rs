//! Samples as a crawl meets them: what links lead to first, not what suits a test.

use super::tests::capture;
use super::*;
use crate::demo::{Portal, Skin};
use crate::mapping::PageUrl;
use crate::page;
use std::collections::{BTreeSet, VecDeque};

fn mapping(base: &str, more: &str) -> Mapping {
    let text = format!("schema = 1\n[site]\nid = \"x\"\nbase = \"{base}\"\n{more}");
    Mapping::parse("x.toml", &text).unwrap()
}

/// The first pages of HTML that links lead to from the home page, each address once.
fn first(portal: &Portal, mapping: &Mapping, most: usize) -> Vec<Page> {
    let base = &mapping.rules().site.base;
    let mut open: VecDeque<PageUrl> = mapping.resolve(base, "/").into_iter().collect();
    let mut seen: BTreeSet<PageUrl> = open.iter().cloned().collect();
    let mut pages = Vec::new();
    while let Some(url) = open.pop_front().filter(|_| pages.len() < most) {
        let Some(served) = portal.served(url.path_and_query(), None) else {
            continue;
        };
        if served.status != 200 || !served.content_type.contains("html") {
            continue;
        }
        let capture = capture(url.as_str(), served.content_type, &served.body);
        let page = page::read(&capture, &url, mapping).unwrap();
        let links = page.html.tree.nodes().filter_map(|n| n.value().as_element());
        let links = links.filter(|e| e.name() == "a").filter_map(|e| e.attr("href"));
        for to in links.filter_map(|l| mapping.resolve(&page.base, l).ok()) {
            if seen.insert(to.clone()) {
                open.push_back(to);
            }
        }
        pages.push(page);
    }
    pages
}

fn learned(pages: &[Page], mapping: &Mapping) -> Model {
    learn(&pages.iter().collect::<Vec<_>>(), mapping)
}

fn articles(model: &Model) -> &Article {
    let found = model.templates.iter().find_map(|t| t.article.as_ref());
    found.unwrap_or_else(|| panic!("{}", told(model)))
}

fn told(model: &Model) -> String {
    let all = model.templates.iter();
    let lines = all.map(|t| format!("{:?} {} {} {:?}", t.kind, t.pages, t.url, t.why));
    lines.collect::<Vec<_>>().join("\n")
}

/// Lists name few articles of a large portal: they are lists all the same, and the day of the visit in the banner is no date
/// of publication.
#[test]
fn the_day_of_the_visit_is_no_date_of_an_article() {
    let skin = Skin::Table2004;
    for count in [30, 36, 40, 80, 120] {
        let mapping = mapping(&skin.base(), "");
        let pages = first(&Portal::new(count, 1).skinned(skin), &mapping, 60);
        let model = learned(&pages, &mapping);
        let article = articles(&model);
        let date = &article.published[0];
        assert!(date.example.contains("Ngày cập nhật"), "{count}: {date:?}");
        assert!(article.section.is_some(), "{count}: {article:?}");
        let dropped = article.drops.iter().find(|d| d.reason.contains("Ngày cập nhật"));
        assert!(dropped.is_none(), "{count}: {dropped:?}");
        let lists = model.templates.iter().filter(|t| t.list.is_some());
        assert_eq!(lists.map(|t| t.pages).sum::<usize>(), 3, "{count}");
    }
}

fn sentences(seed: usize) -> String {
    let words = [
        "tỉnh",
        "huyện",
        "sở",
        "ban",
        "ngành",
        "kinh tế",
        "điều tra",
        "thống kê",
        "hội nghị",
    ];
    let word = |i: usize| sketch::hash(&format!("{seed} {i}")) % words.len() as u64;
    let word = |i: usize| words[usize::try_from(word(i)).unwrap()];
    (0..70).map(|i| format!("{} ", word(i))).collect()
}

/// An article whose pages are numbered is one article; one that links to another is not.
#[test]
fn articles_of_several_pages_are_joined() {
    let mapping = mapping("http://h.example/", "");
    let mut all: Vec<(String, String)> = Vec::new();
    let mut list = String::new();
    for n in 1..=12 {
        let title = format!("Bản tin số {n}: hội nghị của sở năm {}", 2000 + n);
        list.push_str(&format!(
            "<tr class=d><td><a href=\"tin{n}.html\">{title}</a></td></tr>"
        ));
        let parts = if n % 4 == 1 { 3 } else { 1 };
        for part in 1..=parts {
            let turn: String = (1..=parts)
                .filter(|_| parts > 1)
                .map(|p| match p {
                    p if p == part => format!("<b>{p}</b> "),
                    1 => format!("<a href=\"tin{n}.html\">1</a> "),
                    p => format!("<a href=\"tin{n}_{p}.html\">{p}</a> "),
                })
                .collect();
            let turn = if turn.is_empty() {
                turn
            } else {
                format!("<p align=center>Trang: {turn}</p>")
            };
            let name = if part == 1 {
                format!("/tin{n}.html")
            } else {
                format!("/tin{n}_{part}.html")
            };
            let (one, two) = (sentences(n * 10 + part), sentences(n * 7 + part + 3));
            all.push((
                name,
                format!("<h1 class=td>{title}</h1><div id=vung><p>{one}</p><p>{two}</p>{turn}</div><a href=\"tin{}.html\">Bài {n} sau đây nữa</a>", n % 12 + 1),
            ));
        }
    }
    all.push(("/list1.html".into(), format!("<table>{list}</table>")));
    let frame = "<div class=m><a href=\"/\">Trang chủ</a> <a href=\"/list1.html\">Tin tức sự kiện</a></div>";
    let pages: Vec<Page> = all
        .iter()
        .map(|(url, body)| {
            let html = format!("<html><body>{frame}{body}<div class=f>Bản quyền</div></body></html>");
            let url = mapping.resolve(&mapping.rules().site.base, url).unwrap();
            let capture = capture(url.as_str(), "text/html; charset=utf-8", html.as_bytes());
            page::read(&capture, &url, &mapping).unwrap()
        })
        .collect();
    let model = learned(&pages, &mapping);
    let template = model.templates.iter().find(|t| t.article.is_some());
    let template = template.unwrap_or_else(|| panic!("{}", told(&model)));
    let parts = template.parts.as_ref().unwrap_or_else(|| panic!("{template:?}"));
    assert_eq!((parts.articles, parts.pages), (3, 6));
    assert!(!template.url.contains('_'), "{}", template.url);
    let origin = Origin {
        id: "x".into(),
        base: "http://h.example/".into(),
        language: "vi".into(),
        ..Origin::default()
    };
    let text = draft(&model, &origin, &std::collections::BTreeMap::new());
    let drafted = Mapping::parse("draft.toml", &text).unwrap();
    let url = |u: &str| drafted.resolve(&drafted.rules().site.base, u).unwrap();
    assert_eq!(
        drafted.part(&url("/tin5_2.html")),
        Some((url("/tin5.html"), Some(2))),
        "{text}"
    );
    assert_eq!(drafted.part(&url("/tin5.html")), None);
}
