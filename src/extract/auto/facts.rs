//! What the page tells of its article outside of the text: candidates of title, date, author, with where they stand.

use super::linked::{self, Linked};
use super::stream::Stream;
use crate::document::Span;
use crate::lang::spaces;
use crate::page::Page;
use scraper::ElementRef;

/// A value, where it came from, and how sure that is.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The value.
    pub value: String,
    /// How it was found: `json-ld`, `meta:og:title`, `h1`, `title`, `microdata`, `time`, `visible`, `url`, …
    pub method: String,
    /// 0 to 1; a guess is below 1.
    pub confidence: f64,
    /// Characters of the visible text that it was read from.
    pub chars: Option<Span>,
}

/// What was told.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) titles: Vec<Candidate>,
    pub(super) site: Option<String>,
    pub(super) published: Vec<Candidate>,
    /// The day of publication is told as that of the last change: a system may have set both when it wrote the page anew.
    pub(super) rewritten: bool,
    pub(super) authors: Vec<Candidate>,
    pub(super) description: Option<String>,
    pub(super) image: Option<Candidate>,
    pub(super) language: Option<Candidate>,
    pub(super) body: Option<String>,
    pub(super) article: bool,
}

pub(super) fn candidate(value: &str, method: &str, confidence: f64) -> Option<Candidate> {
    let value = spaces(value);
    (!value.is_empty()).then(|| Candidate {
        value,
        method: method.to_owned(),
        confidence,
        chars: None,
    })
}

const PUBLISHED: [&str; 30] = [
    "article:published_time",
    "og:article:published_time",
    "og:published_time",
    "datepublished",
    "dcterms.created",
    "dc.date.issued",
    "dcterms.issued",
    "dc.date",
    "dc.date.created",
    "dcterms.date",
    "date.issued",
    "sailthru.date",
    "cxenseparse:recs:publishtime",
    "cxenseparse:publishtime",
    "parsely-pub-date",
    "publishdate",
    "publish-date",
    "publish_date",
    "pubdate",
    "article.published",
    "published_time",
    "date",
    "original-publication-date",
    "originalpublicationdate",
    "article_date_original",
    "dateposted",
    "datecreated",
    "citation_publication_date",
    "citation_date",
    "rnews:datepublished",
];

impl Facts {
    pub(super) fn of(page: &Page, stream: &Stream<'_>) -> Self {
        let head = &stream.head;
        let Linked {
            headline,
            published,
            modified,
            authors,
            image,
            body,
            description,
            language,
            is_article,
        } = linked::read(&head.json);
        let meta = |names: &[&str], confidence| {
            head.meta(names).and_then(|(name, value)| {
                candidate(&linked::unescape(value), &format!("meta:{name}"), confidence)
            })
        };
        let kind = head
            .meta(&["og:type"])
            .is_some_and(|(_, v)| v.contains("article"));
        let mut titles = Vec::new();
        titles.extend(headline.and_then(|h| candidate(&h, "json-ld", 0.9)));
        titles.extend(meta(&["og:title"], 0.85));
        titles.extend(meta(&["twitter:title"], 0.8));
        titles.extend(meta(
            &[
                "dc.title",
                "dcterms.title",
                "citation_title",
                "sailthru.title",
                "parsely-title",
                "headline",
            ],
            0.85,
        ));
        titles.extend(head.title.as_deref().and_then(|t| candidate(t, "title", 0.6)));
        let rewritten = published.is_some() && published == modified;
        let mut dates: Vec<Candidate> = Vec::new();
        dates.extend(published.and_then(|d| candidate(&d, "json-ld", 0.95)));
        for name in PUBLISHED {
            dates.extend(meta(&[name], 0.9));
        }
        let mut people: Vec<Candidate> = authors
            .iter()
            .filter_map(|a| candidate(a, "json-ld", 0.9))
            .collect();
        let named = [
            "author",
            "article:author",
            "byl",
            "dc.creator",
            "dcterms.creator",
            "parsely-author",
            "sailthru.author",
            "citation_author",
        ];
        if people.is_empty() {
            for name in named {
                let found = meta(&[name], 0.8).filter(|c| !c.value.starts_with("http"));
                people.extend(found);
            }
        }
        for (node, name, value) in &head.marked {
            let text = || {
                let element = page.html.tree.get(*node).and_then(ElementRef::wrap)?;
                Some(page.text_of(element))
            };
            let given = || value.map(str::to_owned).or_else(text).unwrap_or_default();
            let name = name.to_ascii_lowercase();
            let chars = page.text.span(*node).filter(|s| !s.is_empty());
            let with = |found: Option<Candidate>| found.map(|c| Candidate { chars, ..c });
            match name.as_str() {
                "headline" => titles.extend(with(candidate(&given(), "microdata", 0.85))),
                "datepublished" | "datecreated" | "uploaddate" => {
                    dates.extend(with(candidate(&given(), "microdata", 0.9)));
                }
                "author" | "creator" if people.is_empty() => {
                    people.extend(with(candidate(&given(), "microdata", 0.7)).filter(|c| c.value.len() < 80));
                }
                _ => {}
            }
        }
        let description = meta(
            &[
                "og:description",
                "description",
                "twitter:description",
                "dc.description",
            ],
            0.8,
        )
        .map(|c| c.value)
        .or(description);
        let image = meta(
            &[
                "og:image",
                "og:image:url",
                "og:image:secure_url",
                "twitter:image",
                "twitter:image:src",
            ],
            0.9,
        )
        .or_else(|| image.and_then(|i| candidate(&i, "json-ld", 0.9)));
        let language = head
            .language
            .and_then(|l| candidate(l, "html:lang", 0.8))
            .or_else(|| language.and_then(|l| candidate(&l, "json-ld", 0.8)))
            .or_else(|| meta(&["og:locale", "content-language", "dc.language"], 0.7));
        Self {
            titles,
            site: meta(&["og:site_name", "application-name"], 1.0).map(|c| c.value),
            published: dates,
            rewritten,
            authors: people,
            description,
            image,
            language,
            body,
            article: is_article || kind,
        }
    }
}
