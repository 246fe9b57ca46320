//! What the page of an article must become, made from the article itself and never from its HTML.

use super::article::{Article, Charset, Stamp};
use super::blocks::Maker;
use super::text::SECTIONS;
use super::urls::{self, Spelling};
use super::{Portal, chrome, generate};
use crate::document::{Block, Byline, Citation, DateValue, Dates, Link, Media, Precision, Section};
use serde::Serialize;
use unicode_normalization::UnicodeNormalization as _;

/// The truth about one article's page.
#[derive(Clone, Debug, Serialize)]
pub struct Gold {
    /// Index of the article; the seed's has 0.
    pub index: usize,
    /// Canonical URL of the page.
    pub url: String,
    /// Every spelling under which the portal links the page, absolute, sorted.
    pub aliases: Vec<String>,
    /// Canonical URLs of pictures that the portal does not have, although the page shows them.
    pub broken_media: Vec<String>,
    /// What the document must hold.
    pub document: Truth,
}

/// The fields of a [`crate::document::Document`] that the portal determines. The `src` of its blocks and the `chars` of
/// its citations are empty; `dropped` has one entry a rule, in order of the page.
#[derive(Clone, Debug, Serialize)]
pub struct Truth {
    /// Natural key: `news:1`.
    pub source_key: String,
    /// Id of the collection.
    pub collection: String,
    /// Type of the document.
    #[serde(rename = "type")]
    pub kind: String,
    /// BCP 47 tag.
    pub language: String,
    /// The headline.
    pub title: Option<String>,
    /// The section.
    pub section: Option<Section>,
    /// The signature.
    pub byline: Option<Byline>,
    /// What follows "Nguồn:".
    pub source: Option<String>,
    /// From the title.
    pub slug: Option<String>,
    /// Printed on the page, else its description, else in the list.
    pub summary: Option<String>,
    /// Blocks.
    pub body: Vec<Block>,
    /// Published and event.
    pub dates: Dates,
    /// Pictures.
    pub media: Vec<Media>,
    /// Files.
    pub attachments: Vec<Media>,
    /// Links of the body.
    pub links: Vec<Link>,
    /// Legal documents that the text names.
    pub citations: Vec<Citation>,
    /// Rule and text of what is dropped: all texts of a rule joined by a space.
    pub dropped: Vec<(String, String)>,
    /// Encoding of most of the page: as `encoding_rs` names it, or one of the legacy Vietnamese sets.
    pub decode_used: String,
}

/// The gold of the article with `index`.
pub(super) fn gold(portal: &Portal, index: usize) -> Gold {
    let article = portal.article(index);
    let mut maker = Maker {
        pictures: portal.pictures(index),
        ..Maker::default()
    };
    for node in &article.body {
        maker.node(node);
    }
    let byline = maker.signature.map(|raw| Byline {
        organisation: is_organisation(&raw).then(|| raw.clone()),
        person: None,
        raw,
    });
    let label = SECTIONS[portal.section(index) - 1];
    let document = Truth {
        source_key: format!("news:{}", urls::item_id(index)),
        collection: "news".into(),
        kind: "article".into(),
        language: "vi".into(),
        title: Some(article.title.clone()),
        section: Some(Section {
            id: slug(label),
            label: label.into(),
            path: Vec::new(),
        }),
        byline,
        source: maker.source,
        slug: Some(slug(&article.title)),
        summary: [&article.summary, &article.description, &article.teaser]
            .into_iter()
            .find_map(Clone::clone),
        dates: dates(&article),
        body: maker.body,
        media: maker.media,
        attachments: maker.attachments,
        links: maker.links,
        citations: article.citations.clone(),
        dropped: dropped(portal, &article, &maker.markers),
        decode_used: match article.charset {
            Charset::Utf8 | Charset::Utf8Nfd => "UTF-8".into(),
            Charset::Windows1258 => "windows-1258".into(),
            Charset::Legacy(legacy) => legacy.name().into(),
        },
    };
    Gold {
        index,
        url: urls::canonical(index),
        aliases: aliases(portal, index),
        broken_media: maker.broken,
        document,
    }
}

fn aliases(portal: &Portal, index: usize) -> Vec<String> {
    let mut spellings = vec![Spelling::Usual, Spelling::Print, Spelling::Absolute];
    if index < chrome::MUCH_READ {
        spellings.push(urls::box_spelling(index));
    }
    if generate::related_from(index).next().is_some() {
        spellings.push(Spelling::Lower);
    }
    spellings.extend(generate::mentions_of(index, portal.articles));
    let mut out: Vec<String> = spellings
        .into_iter()
        .map(|s| urls::absolute(&urls::href(index, s)))
        .collect();
    out.sort();
    out.dedup();
    out
}

fn dropped(portal: &Portal, article: &Article, markers: &[String]) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = chrome::before()
        .iter()
        .map(|p| (p.rule.to_owned(), p.text()))
        .collect();
    if article.stamp != Stamp::ListOnly {
        // The brackets around the date: what a field rule does not take of its element is dropped under its own name.
        out.push(("fields.dates.published".into(), "( )".into()));
    }
    let tools = chrome::tools(article.index);
    out.push((tools.rule.to_owned(), tools.text()));
    if !markers.is_empty() {
        out.push(("list-marker".into(), markers.join(" ")));
    }
    if article
        .body
        .iter()
        .any(|n| matches!(n, super::article::Node::Source(_)))
    {
        out.push(("fields.source".into(), "Nguồn:".into()));
    }
    out.push(("related-list".into(), chrome::related_text(portal, article)));
    out.push(("pager".into(), chrome::PAGER.into()));
    let footer = chrome::footer();
    out.push((footer.rule.to_owned(), footer.text()));
    for (_, text) in &mut out {
        *text = article.charset.writable(text);
    }
    out
}

fn dates(article: &Article) -> Dates {
    let day = |method: &str| DateValue {
        value: article.published.date().to_string(),
        precision: Precision::Day,
        raw: chrome::day(article.published.date()),
        method: method.into(),
        confidence: 1.0,
    };
    let published = match article.stamp {
        Stamp::Day => day("css"),
        Stamp::ListOnly => day("listing"),
        Stamp::Minute => DateValue {
            value: format!("{}+07:00", article.published.strftime("%Y-%m-%dT%H:%M:%S")),
            precision: Precision::Minute,
            raw: chrome::minute(article.published),
            method: "css".into(),
            confidence: 1.0,
        },
    };
    Dates {
        published: Some(published),
        event: article.event.as_ref().map(|(day, raw)| DateValue {
            value: day.to_string(),
            precision: Precision::Day,
            raw: raw.clone(),
            method: "lead-sentence".into(),
            confidence: 0.8,
        }),
        ..Dates::default()
    }
}

fn is_organisation(raw: &str) -> bool {
    [
        "CTK",
        "Cục",
        "Sở",
        "UBND",
        "Ủy ban",
        "Ban",
        "Văn phòng",
        "Phòng",
        "Chi cục",
    ]
    .iter()
    .any(|prefix| raw.starts_with(prefix))
}

/// ASCII slug of at most 100 characters, cut at a word.
pub(super) fn slug(text: &str) -> String {
    const MAX: usize = 100;
    let plain: String = text
        .nfd()
        .filter(|c| !unicode_normalization::char::is_combining_mark(*c))
        .map(|c| {
            if matches!(c, 'đ' | 'Đ') {
                'd'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    let mut out = String::new();
    for word in plain
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        let gap = usize::from(!out.is_empty());
        if out.len() + gap + word.len() > MAX {
            break;
        }
        if gap == 1 {
            out.push('-');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::render;
    use super::*;

    /// Text of a page as a reader sees it: without tags, white space folded.
    fn visible(html: &str) -> String {
        let html = scraper::Html::parse_document(html);
        let text: String = html.root_element().text().collect::<Vec<_>>().join("");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Legacy letters are the business of `legacy`: here such a page is written in Unicode.
    fn decoded(portal: &Portal, article: &Article) -> String {
        if article.charset.legacy().is_some() {
            let page = chrome::view(
                portal,
                &Article {
                    charset: Charset::Utf8,
                    ..article.clone()
                },
            );
            return article.charset.writable(&page);
        }
        let bytes = render::encode(&chrome::view(portal, article), article.charset);
        let encoding = match article.charset {
            Charset::Windows1258 => encoding_rs::WINDOWS_1258,
            _ => encoding_rs::UTF_8,
        };
        let (text, _, broken) = encoding.decode(&bytes);
        assert!(!broken);
        text.nfc().collect()
    }

    #[test]
    fn the_page_shows_what_the_truth_says() {
        let portal = Portal::new(60, 3);
        for gold in portal.gold() {
            let article = portal.article(gold.index);
            let page = visible(&decoded(&portal, &article));
            let truth = &gold.document;
            let mut texts: Vec<String> = truth.body.iter().map(Block::text).collect();
            texts.extend(truth.title.clone());
            texts.extend(truth.section.as_ref().map(|s| s.label.clone()));
            texts.extend(truth.byline.as_ref().map(|b| b.raw.clone()));
            texts.extend(truth.source.clone());
            texts.extend(article.summary.clone());
            texts.extend(truth.dates.event.as_ref().map(|d| d.raw.clone()));
            texts.extend(
                truth
                    .citations
                    .iter()
                    .map(|c| format!("{} số {}", c.kind, c.number)),
            );
            for text in texts.iter().flat_map(|t| t.split('\n')) {
                assert!(
                    page.contains(text),
                    "article {} does not show {text:?}",
                    gold.index
                );
            }
        }
    }

    #[test]
    fn every_visible_character_has_a_place_in_the_truth() {
        let portal = Portal::new(60, 3);
        let count = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        for gold in portal.gold() {
            let article = portal.article(gold.index);
            let page = decoded(&portal, &article);
            let start = page.find("<body>").unwrap();
            let script = "LoadOther();";
            let shown = count(&visible(&page[start..])) - script.len();
            let truth = &gold.document;
            let mut claimed = count(truth.title.as_deref().unwrap())
                + count(&truth.section.as_ref().unwrap().label)
                + truth.byline.as_ref().map_or(0, |b| count(&b.raw))
                + truth.source.as_deref().map_or(0, count)
                + article.summary.as_deref().map_or(0, count)
                + truth.body.iter().map(|b| count(&b.text())).sum::<usize>()
                + truth.dropped.iter().map(|d| count(&d.1)).sum::<usize>();
            if article.stamp != Stamp::ListOnly {
                claimed += count(&truth.dates.published.as_ref().unwrap().raw);
            }
            assert_eq!(shown, claimed, "article {}", gold.index);
        }
    }

    #[test]
    fn the_seed_is_article_0() {
        let gold = Portal::new(1, 9).gold_of(0).unwrap();
        let truth = gold.document;
        assert_eq!(truth.body.len(), 7);
        let Block::Gallery { lead, items, .. } = &truth.body[6] else {
            panic!("no gallery")
        };
        assert_eq!(lead.as_deref(), Some("Một số hình ảnh tại hội nghị:"));
        assert_eq!(
            items.iter().map(|i| i.caption.is_some()).collect::<Vec<_>>(),
            [true, false, false, false]
        );
        assert_eq!(truth.citations.len(), 8);
        assert_eq!(truth.dates.published.unwrap().method, "listing");
        assert!(truth.dropped.contains(&("pager".into(), "Trang: /".into())));
        assert!(
            truth
                .dropped
                .contains(&("related-list".into(), "TIN TỨC CÙNG LOẠI KHÁC:".into()))
        );
    }

    #[test]
    fn slugs_are_ascii_and_bounded() {
        assert_eq!(slug("TIN KINH TẾ - XÃ HỘI"), "tin-kinh-te-xa-hoi");
        assert_eq!(slug("Đồng chí"), "dong-chi");
        assert!(slug(&"hội nghị ".repeat(40)).len() <= 100);
    }
}
