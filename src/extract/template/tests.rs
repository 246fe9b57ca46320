#![allow(
    clippy::print_stdout,
    reason = "the scores of each skin are what the test is for"
)]

use super::*;
use crate::capture::{Capture, Exchange};
use crate::demo::{Expected, Portal, Skin};
use crate::document::{Block, Document, FetchProvenance};
use crate::extract::{Context, extract};
use crate::mapping::PageUrl;
use crate::page;
use std::collections::BTreeMap;

const ARTICLES: usize = 30;

pub(super) fn capture(url: &str, content_type: &str, body: &[u8]) -> Capture {
    let exchange = Exchange {
        notes: Vec::new(),
        url: url.to_owned(),
        method: "GET".into(),
        request_headers: Vec::new(),
        request_body: Vec::new(),
        status: 200,
        reason: String::new(),
        headers: vec![("content-type".into(), content_type.as_bytes().to_vec())],
        body: body.to_vec(),
        at: jiff::Timestamp::UNIX_EPOCH,
        ip: None,
        truncated: None,
    };
    Capture::from_exchange(&exchange, 1 << 20).unwrap()
}

/// A portal in a skin, and a mapping that knows nothing but its base.
pub(super) struct Sample {
    pub(super) skin: Skin,
    pub(super) portal: Portal,
    pub(super) mapping: Mapping,
}

impl Sample {
    pub(super) fn new(skin: Skin) -> Self {
        let text = format!("schema = 1\n[site]\nid = \"x\"\nbase = \"{}\"\n", skin.base());
        let mapping = Mapping::parse("x.toml", &text).unwrap();
        Self {
            skin,
            portal: Portal::new(ARTICLES, 1).skinned(skin),
            mapping,
        }
    }

    pub(super) fn page(&self, address: &str, mapping: &Mapping) -> Page {
        let url = mapping.resolve(&mapping.rules().site.base, address).unwrap();
        let served = self.portal.served(url.path_and_query(), None).unwrap();
        assert_eq!(served.status, 200, "{url}");
        page::read(
            &capture(url.as_str(), served.content_type, &served.body),
            &url,
            mapping,
        )
        .unwrap()
    }

    /// Home page, the lists that it links to, what hides behind links that lead nowhere, and some articles.
    pub(super) fn pages(&self, articles: &[usize]) -> Vec<Page> {
        let home = self.page("/", &self.mapping);
        let truths = self.portal.expected();
        let article: Vec<_> = truths
            .iter()
            .map(|t| self.mapping.resolve(&home.base, &t.url).unwrap())
            .collect();
        let mut pages: Vec<Page> = Vec::new();
        let mut queue: Vec<PageUrl> = Sketch::of(&home, &self.mapping)
            .links
            .into_iter()
            .map(|l| l.to)
            .collect();
        pages.push(home);
        while let Some(url) = queue.pop() {
            let known = pages.iter().any(|p| p.url == url) || article.contains(&url);
            let served = self.portal.served(url.path_and_query(), None).unwrap();
            if known || served.status != 200 {
                continue;
            }
            let page = self.page(url.as_str(), &self.mapping);
            queue.extend(Sketch::of(&page, &self.mapping).links.into_iter().map(|l| l.to));
            pages.push(page);
        }
        pages.extend(articles.iter().map(|i| self.page(&truths[*i].url, &self.mapping)));
        pages
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            id: self.skin.name().into(),
            base: self.skin.base(),
            language: "vi".into(),
            ..Origin::default()
        }
    }
}

/// Text of a body, a block a line, with captions apart.
fn body(blocks: &[Block]) -> (String, Vec<String>) {
    let mut captions = Vec::new();
    for block in blocks {
        let images = match block {
            Block::Image { image, .. } => std::slice::from_ref(image),
            Block::Gallery { items, .. } => items.as_slice(),
            _ => &[],
        };
        captions.extend(
            images
                .iter()
                .filter_map(|i| i.caption.as_ref())
                .map(|c| c.text.clone()),
        );
    }
    (
        blocks.iter().map(Block::text).collect::<Vec<_>>().join("\n"),
        captions,
    )
}

/// Names of the fields that are not as the truth says, with what was found.
fn wrong(truth: &Expected, found: &Document) -> Vec<(&'static str, String)> {
    let mut out = Vec::new();
    let mut check = |name: &'static str, wanted: Option<&str>, got: Option<&str>| {
        if wanted != got {
            let lines = |a: Option<&str>, b: Option<&str>| -> Vec<String> {
                let b: Vec<&str> = b.unwrap_or_default().lines().collect();
                a.unwrap_or_default()
                    .lines()
                    .filter(|l| !b.contains(l))
                    .map(str::to_owned)
                    .collect()
            };
            out.push((
                name,
                format!(
                    "too much {:?}, missing {:?}",
                    lines(got, wanted),
                    lines(wanted, got)
                ),
            ));
        }
    };
    check("title", Some(&truth.title), found.title.as_deref());
    check(
        "section",
        Some(&truth.section),
        found.section.as_ref().map(|s| s.label.as_str()),
    );
    if truth.published.method == "css" {
        check(
            "published",
            Some(&truth.published.value),
            found.dates.published.as_ref().map(|d| d.value.as_str()),
        );
    }
    check(
        "byline",
        truth.byline.as_deref(),
        found.byline.as_ref().map(|b| b.raw.as_str()),
    );
    let (wanted, got) = (body(&truth.body), body(&found.body));
    check("body", Some(&wanted.0), Some(&got.0));
    check("captions", Some(&wanted.1.join("|")), Some(&got.1.join("|")));
    if found.accounting.unaccounted > 0 {
        out.push(("unaccounted", format!("{:?}", found.accounting.unaccounted_text)));
    }
    out
}

/// Learned from five articles of each skin, scored on the other twenty-five.
#[test]
fn five_articles_teach_the_other_twenty_five() {
    let only = std::env::var("SANGTRANG_SKIN").ok();
    let mut told = Vec::new();
    let mut failed = Vec::new();
    for skin in Skin::ALL {
        if only.as_ref().is_some_and(|o| o != skin.name()) {
            continue;
        }
        let sample = Sample::new(skin);
        let taught = [1, 5, 10, 18, 26];
        let pages = sample.pages(&taught);
        let began = std::time::Instant::now();
        let pages: Vec<&Page> = pages.iter().collect();
        let model = learn(&pages, &sample.mapping);
        let took = began.elapsed().as_millis();
        let taught_by = model.templates.iter().find_map(|t| t.article.as_ref());
        let held = taught_by.map_or((0.0, 0.0), |a| a.held_out);
        let text = draft(&model, &sample.origin(), &BTreeMap::new());
        for t in &model.templates {
            if only.is_some() {
                println!(
                    "# {:?} {} {} {:?} {:?}",
                    t.kind,
                    t.pages,
                    t.url,
                    t.article.as_ref().map(|a| a.held_out),
                    t.why
                );
            }
        }
        if only.is_some() {
            println!("{text}");
        }
        let mapping = Mapping::parse("draft.toml", &text)
            .unwrap_or_else(|e| panic!("{text}\n{:?}", miette::Report::new(e)));
        let mut right: BTreeMap<&str, usize> = BTreeMap::new();
        let learned = Learned::new(1, "", &model).unwrap();
        let mut whole = 0;
        let mut count = 0;
        let mut odd = 0;
        for truth in sample
            .portal
            .expected()
            .iter()
            .filter(|t| !taught.contains(&t.index))
        {
            count += 1;
            let page = sample.page(&truth.url, &mapping);
            let alarms = learned.alarms(&page, &mapping);
            odd += usize::from(!alarms.is_empty());
            if only.is_some() && !alarms.is_empty() {
                println!("# odd: {} {alarms:?}", page.url);
            }
            let Some(collection) = mapping.collection_for_url(&page.url) else {
                failed.push(format!("{}: {} is of no collection", skin.name(), page.url));
                continue;
            };
            let context = Context {
                mapping: &mapping,
                learned: Some(&learned),
                listing: &BTreeMap::new(),
                discovered: &[],
                aliases: &[],
                fetch: &FetchProvenance::default(),
            };
            let out = extract(&page, collection, &context).unwrap();
            let wrong = wrong(truth, &out.documents[0]);
            for name in [
                "title",
                "section",
                "published",
                "byline",
                "body",
                "captions",
                "unaccounted",
            ] {
                *right.entry(name).or_default() += usize::from(!wrong.iter().any(|w| w.0 == name));
            }
            whole += usize::from(wrong.is_empty());
            for (name, what) in wrong {
                failed.push(format!(
                    "{} {} {name}: {}",
                    skin.name(),
                    truth.index,
                    what.chars().take(700).collect::<String>()
                ));
            }
        }
        let fields: Vec<String> = right.iter().map(|(n, c)| format!("{n} {c}")).collect();
        told.push(format!(
            "{:<11} {whole:>2} of {count} whole; {}; text of held-out pages {:.3} learned, {:.3} page by page; {odd} of them odd; {took} ms",
            skin.name(),
            fields.join(", "),
            held.0,
            held.1
        ));
    }
    println!("{}", told.join("\n"));
    assert!(failed.is_empty(), "{}\n{}", told.join("\n"), failed.join("\n"));
}

/// Pages that hold no article and pages that ask for a password are told apart, and teach nothing.
#[test]
fn what_is_no_article_never_teaches() {
    for skin in [Skin::NukeViet, Skin::WordPress, Skin::FrontPage] {
        let sample = Sample::new(skin);
        let pages = sample.pages(&[0, 2, 4, 9, 12, 21]);
        let refs: Vec<&Page> = pages.iter().collect();
        let model = learn(&refs, &sample.mapping);
        let article = model.templates.iter().find(|t| t.article.is_some()).unwrap();
        assert_eq!(article.pages, 6, "{}", skin.name());
        for kind in [Kind::Gone, Kind::Login, Kind::Home] {
            assert!(
                model
                    .templates
                    .iter()
                    .any(|t| t.kind == kind && t.article.is_none()),
                "{} {kind:?}",
                skin.name()
            );
        }
        // What taught is as it should be; a page of another kind is odd.
        let learned = Learned::new(1, "", &model).unwrap();
        for page in &pages {
            let odd = learned.alarms(page, &sample.mapping);
            let taught =
                sample.portal.expected().iter().any(|t| {
                    page.url.as_str() == sample.mapping.resolve(&page.base, &t.url).unwrap().as_str()
                });
            assert_eq!(odd.is_empty(), taught, "{} {odd:?}", page.url);
        }
        let json = serde_json::to_string(&model).unwrap();
        assert_eq!(serde_json::from_str::<Model>(&json).unwrap(), model);
    }
}

/// Two articles teach nothing.
#[test]
fn fewer_than_three_pages_teach_nothing() {
    let sample = Sample::new(Skin::Modern);
    let pages = sample.pages(&[1, 2]);
    let model = learn(&pages.iter().collect::<Vec<_>>(), &sample.mapping);
    assert!(model.templates.iter().all(|t| t.article.is_none()));
    let text = draft(&model, &sample.origin(), &BTreeMap::new());
    Mapping::parse("draft.toml", &text).unwrap();
}

/// Time, author and visits stand on one line without a gap: the line is no summary, and the summary below it is found.
#[test]
fn a_long_line_of_small_print_is_no_summary() {
    let mut sample = Sample::new(Skin::Modern);
    sample.portal = Portal::new(ARTICLES, 9).skinned(Skin::Modern);
    let pages = sample.pages(&[1, 2, 3, 4, 5, 7, 9, 14, 21, 22]);
    let model = learn(&pages.iter().collect::<Vec<_>>(), &sample.mapping);
    let article = model.templates.iter().find_map(|t| t.article.as_ref()).unwrap();
    assert_eq!(article.summary.as_ref().unwrap().css, ".article__sapo");
}
