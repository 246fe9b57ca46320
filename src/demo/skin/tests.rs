use super::super::Portal;
use super::*;
use std::collections::BTreeSet;

const ARTICLES: usize = 30;

fn portal(skin: Skin) -> Portal {
    Portal::new(ARTICLES, 1).skinned(skin)
}

fn html(portal: &Portal, url: &str) -> String {
    let served = portal.served(url, None).unwrap();
    assert_eq!(
        served.status,
        200,
        "{url}: {}",
        String::from_utf8_lossy(&served.body)
    );
    let skin = portal.skin.unwrap();
    let encoding = if skin == Skin::FrontPage {
        encoding_rs::WINDOWS_1258
    } else {
        encoding_rs::UTF_8
    };
    let (text, _, broken) = encoding.decode(&served.body);
    assert!(!broken, "{url}");
    unicode_normalization::UnicodeNormalization::nfc(&*text).collect()
}

/// Text of a page as a reader sees it, white space folded.
fn visible(html: &str) -> String {
    let html = scraper::Html::parse_document(html);
    let text: String = html.root_element().text().collect::<Vec<_>>().join(" ");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn path(url: &str, skin: Skin) -> String {
    format!("/{}", url.strip_prefix(&skin.base()).unwrap())
}

#[test]
fn every_page_shows_what_the_truth_says() {
    for skin in Skin::ALL {
        let portal = portal(skin);
        let truths = portal.expected();
        assert_eq!(truths.len(), ARTICLES);
        let fold = |t: &str| t.split_whitespace().collect::<String>();
        for truth in truths {
            let page = fold(&visible(&html(&portal, &path(&truth.url, skin))));
            let mut texts = vec![truth.title.clone(), truth.section.clone()];
            texts.extend(truth.byline.clone());
            texts.extend(truth.source.clone());
            texts.extend(truth.summary.clone());
            texts.extend(truth.body.iter().map(crate::document::Block::text));
            texts.extend(truth.captions().into_iter().map(str::to_owned));
            for text in texts.iter().flat_map(|t| t.split('\n')) {
                assert!(page.contains(&fold(text)), "{} does not show {text:?}", truth.url);
            }
        }
    }
}

#[test]
fn every_article_is_reached_from_the_home_page_by_links_and_postbacks() {
    for skin in Skin::ALL {
        let portal = portal(skin);
        let base = url::Url::parse(&skin.base()).unwrap();
        let mut queue = vec!["/".to_owned()];
        let mut seen: BTreeSet<String> = BTreeSet::new();
        while let Some(at) = queue.pop() {
            if !seen.insert(at.clone()) {
                continue;
            }
            let served = portal.served(&at, None).unwrap();
            if !served.content_type.starts_with("text/html") {
                continue;
            }
            assert!(
                served.status == 200 || at.starts_with("/Default.aspx?tabid=9") || !at.contains("tin"),
                "{at}"
            );
            if served.status != 200 {
                continue;
            }
            let page = scraper::Html::parse_document(&html(&portal, &at));
            let links = scraper::Selector::parse("a[href]").unwrap();
            for link in page.select(&links) {
                let href = link.value().attr("href").unwrap();
                let Ok(to) = base.join(&at).unwrap().join(href) else {
                    continue;
                };
                if to.host_str() == base.host_str() {
                    queue.push(to[url::Position::BeforePath..url::Position::AfterQuery].to_owned());
                }
            }
            let state = scraper::Selector::parse("input[name=__VIEWSTATE]").unwrap();
            if urls::posts(skin)
                && let Some(state) = page.select(&state).next()
            {
                for number in 2..=3 {
                    let form: String = url::form_urlencoded::Serializer::new(String::new())
                        .append_pair("__EVENTARGUMENT", &format!("Page${number}"))
                        .append_pair("__VIEWSTATE", state.value().attr("value").unwrap())
                        .finish();
                    let served = portal.served(&at, Some(form.as_bytes())).unwrap();
                    let page = scraper::Html::parse_document(&String::from_utf8_lossy(&served.body));
                    for link in page.select(&links) {
                        let href = link.value().attr("href").unwrap();
                        queue.extend(href.starts_with('/').then(|| href.to_owned()));
                    }
                }
            }
        }
        for truth in portal.expected() {
            let wanted = urls::normal(&path(&truth.url, skin));
            assert!(
                seen.iter().any(|s| urls::normal(s) == wanted),
                "{} is not reached",
                truth.url
            );
        }
        assert!(
            seen.contains(&urls::gone(skin)) || skin == Skin::Joomla,
            "{skin:?}"
        );
    }
}

#[test]
fn what_it_must_hold_occurs_in_every_skin() {
    for skin in Skin::ALL {
        let portal = portal(skin);
        let truths = portal.expected();
        let count = |what: &dyn Fn(&Expected) -> bool| truths.iter().filter(|t| what(t)).count();
        assert!(
            count(&|t| t.body.len() == 1 && t.text().chars().count() < 400) >= 6,
            "{skin:?}: notices"
        );
        assert!(count(&|t| t.captions().len() >= 4) >= 2, "{skin:?}: galleries");
        assert!(
            count(&|t| matches!(t.body[..], [crate::document::Block::File { .. }])) == 2,
            "{skin:?}: files"
        );
        assert!(
            count(&|t| t.published.method == "listing") >= 2,
            "{skin:?}: no date"
        );
        assert!(count(&|t| t.byline.is_none()) >= 3, "{skin:?}: no byline");
        assert!(count(&|t| t.byline.is_some()) >= 10, "{skin:?}: bylines");
        let gone = html(&portal, &urls::gone(skin));
        assert!(!gone.contains(&truths[0].title) || skin != Skin::Fitc);
        assert!(html(&portal, urls::login(skin)).contains("type=\"password\""));
        assert_eq!(portal.served("/nothing-here", None).unwrap().status, 404);
        assert_eq!(skin.name().parse(), Ok(skin));
    }
    assert!("x".parse::<Skin>().unwrap_err().contains("frontpage"));
}

#[test]
fn a_form_without_the_state_of_a_page_is_refused() {
    let portal = portal(Skin::Table2004);
    let ask = |form: &str| {
        portal
            .served("/DanhSachTin.aspx?cat=1", Some(form.as_bytes()))
            .unwrap()
            .status
    };
    assert_eq!(ask("__EVENTARGUMENT=Page%242&__VIEWSTATE=x"), 500);
}
