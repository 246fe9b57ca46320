//! Learned from five articles, scored on the other twenty-five, in each of the twelve portals that the sample portal can be
//! dressed as; and how time and memory of learning grow with the pages.

use super::{f1, overlap, words};
use sangtrang::capture::Capture;
use sangtrang::demo::{Expected, Portal, Skin};
use sangtrang::document::{Block, Document, FetchProvenance};
use sangtrang::extract::template::{self, Kind, Learned, Origin, Survey};
use sangtrang::extract::{Context, auto, extract};
use sangtrang::mapping::{Mapping, PageUrl};
use sangtrang::page::{self, Page};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

/// Sizes of the portals.
const ARTICLES: [usize; 3] = [30, 40, 120];
/// Articles that teach in a portal of so many; in larger ones, the pages that `init` looks at do.
const TAUGHT: ([usize; 5], usize) = ([1, 5, 10, 18, 26], 30);
/// Pages that `init` looks at by itself.
const SAMPLE: usize = 60;

pub fn main() {
    for articles in ARTICLES {
        of_size(articles);
    }
}

fn of_size(articles: usize) {
    println!(
        "{articles} articles, learned from {}: whole documents; F1 over the words of the body",
        if articles > TAUGHT.1 {
            format!("the first {SAMPLE} pages, scored on all")
        } else {
            "five articles, scored on the others".into()
        }
    );
    let (mut whole, mut count) = (0, 0);
    let mut sums = [0.0; 2];
    for skin in Skin::ALL {
        let site = Site::new(skin, articles);
        let pages = site.sample();
        let taught: Vec<String> = pages.iter().map(|p| p.url.to_string()).collect();
        let pages: Vec<&Page> = pages.iter().collect();
        let began = Instant::now();
        let model = template::learn(&pages, &site.mapping);
        let took = began.elapsed();
        let text = template::draft(&model, &site.origin(), &BTreeMap::new());
        let mapping = Mapping::parse("draft.toml", &text).expect("a draft that passes");
        let learned = Learned::new(1, "bench", &model).expect("a model of this form");
        let (mut right, mut scored, mut odd) = (0, 0, 0);
        let (mut by_rules, mut alone) = (0.0, 0.0);
        for truth in site.portal.expected().iter() {
            let page = site.page(&truth.url, &mapping);
            if articles <= TAUGHT.1 && taught.contains(&page.url.to_string()) {
                continue;
            }
            scored += 1;
            let found = read(&page, &mapping, &learned);
            right += usize::from(is_whole(truth, &found));
            odd += usize::from(found.quality.gates.iter().any(|g| g.id == "odd-page"));
            let wanted = words(&truth.text());
            by_rules += f1(overlap(wanted.iter(), words(&body(&found.body)).iter()));
            let single = auto::read(&page).text(&page);
            alone += f1(overlap(wanted.iter(), words(&single).iter()));
        }
        // The same five by themselves, as somebody saved them.
        let few = site.few();
        let few = template::learn(&few.iter().collect::<Vec<_>>(), &site.mapping);
        let pages_alone = few.templates.iter().filter(|t| t.kind == Kind::Article);
        let pages_alone: Vec<usize> = pages_alone.map(|t| t.pages).collect();
        let rules = few.templates.iter().find_map(|t| t.article.as_ref());
        let rules = rules.map_or("no rules", |a| a.container.css.as_str()).to_owned();
        let text = template::draft(&few, &site.origin(), &BTreeMap::new());
        let mapping = Mapping::parse("few.toml", &text).expect("a draft that passes");
        let learned = Learned::new(1, "bench", &few).expect("a model of this form");
        let (mut by_few, mut titles) = (0.0, 0);
        for truth in site
            .portal
            .expected()
            .iter()
            .filter(|t| !TAUGHT.0.contains(&t.index))
        {
            let page = site.page(&truth.url, &mapping);
            let found = read(&page, &mapping, &learned);
            by_few += f1(overlap(
                words(&truth.text()).iter(),
                words(&body(&found.body)).iter(),
            ));
            titles += usize::from(found.title.as_deref() == Some(&truth.title));
        }
        println!(
            "              from the five alone: F1 {:.3}, {titles} titles; {rules}; pages of templates {pages_alone:?}",
            by_few / f64::from(scored)
        );
        let held = model
            .templates
            .iter()
            .find_map(|t| Some(t.article.as_ref()?.held_out));
        let held = held.unwrap_or_default();
        println!(
            "  {:<11} {right} of {scored} whole, F1 {:.3}; @auto page by page {:.3}; {odd} odd; held out while learning {:.3} and {:.3}; {:.0} ms for {} pages",
            skin.name(),
            by_rules / f64::from(scored),
            alone / f64::from(scored),
            held.0,
            held.1,
            took.as_secs_f64() * 1000.0,
            pages.len(),
        );
        whole += right;
        count += scored;
        sums[0] += by_rules;
        sums[1] += alone;
    }
    println!(
        "  all         {whole} of {count} whole, F1 {:.3}; @auto page by page {:.3}",
        sums[0] / f64::from(count),
        sums[1] / f64::from(count)
    );
}

/// Writes the articles of all skins as a set of pages, a site a skin.
pub fn set(folder: &Path) {
    std::fs::create_dir_all(folder.join("html")).expect("a folder");
    let mut lines = String::new();
    for skin in Skin::ALL {
        let site = Site::new(skin, TAUGHT.1);
        for truth in site.portal.expected() {
            let url = site
                .mapping
                .resolve(&site.mapping.rules().site.base, &truth.url)
                .expect("an address");
            let served = site.portal.served(url.path_and_query(), None).expect("a page");
            let id = format!("{}-{}", skin.name(), truth.index);
            let file = format!("html/{id}.html");
            std::fs::write(folder.join(&file), &served.body).expect("a page");
            let date = (truth.published.method == "css").then_some(&truth.published.value);
            let gold = json!({ "text": truth.text(), "title": truth.title, "date": date });
            let line = json!({ "id": id, "url": url.to_string(), "html": file, "gold": gold });
            lines.push_str(&format!("{line}\n"));
        }
    }
    std::fs::write(folder.join("pages.jsonl"), lines).expect("pages.jsonl");
}

/// Time per page must stay the same when there are more pages; what is kept must not grow.
pub fn growth() {
    println!("how learning grows (skin joomla): the survey of an archive, and the learning of a sample");
    let site = Site::new(Skin::Joomla, 800);
    let truths = site.portal.expected();
    let mut survey = Survey::default();
    let mut spent = std::time::Duration::ZERO;
    let mut last = (0, spent);
    for (n, truth) in truths.iter().enumerate() {
        let page = site.page(&truth.url, &site.mapping);
        let began = Instant::now();
        survey.add(&page, 0);
        spent += began.elapsed();
        if [100, 200, 400, 800].contains(&(n + 1)) {
            let (pages, before) = last;
            println!(
                "  survey of {:>4} pages: {:.3} ms a page since {pages}, {} hashes and addresses kept",
                n + 1,
                (spent - before).as_secs_f64() * 1000.0 / (n + 1 - pages) as f64,
                survey.kept()
            );
            last = (n + 1, spent);
        }
    }
    for articles in [25, 50, 100] {
        let site = Site::new(Skin::Joomla, articles);
        let mut pages = site.around();
        pages.extend(
            site.portal
                .expected()
                .iter()
                .map(|t| site.page(&t.url, &site.mapping)),
        );
        let text: usize = pages.iter().map(|p| p.text.len()).sum();
        let refs: Vec<&Page> = pages.iter().collect();
        let began = Instant::now();
        std::hint::black_box(template::learn(&refs, &site.mapping));
        let ms = began.elapsed().as_secs_f64() * 1000.0;
        println!(
            "  learning of {articles:>3} articles and {:>3} other pages: {ms:.0} ms, {:.2} ms for a thousand characters",
            pages.len() - articles,
            ms * 1000.0 / text as f64
        );
    }
}

/// A portal in a skin, and a mapping that knows nothing but its base.
struct Site {
    skin: Skin,
    portal: Portal,
    mapping: Mapping,
}

impl Site {
    fn new(skin: Skin, articles: usize) -> Self {
        let text = format!("schema = 1\n[site]\nid = \"x\"\nbase = \"{}\"\n", skin.base());
        Self {
            skin,
            portal: Portal::new(articles, 1).skinned(skin),
            mapping: Mapping::parse("x.toml", &text).expect("a mapping"),
        }
    }

    fn origin(&self) -> Origin {
        Origin {
            id: self.skin.name().into(),
            base: self.skin.base(),
            language: "vi".into(),
            ..Origin::default()
        }
    }

    fn get(&self, url: &PageUrl, mapping: &Mapping) -> Option<Page> {
        let served = self.portal.served(url.path_and_query(), None)?;
        let html = served.status == 200 && served.content_type.contains("html");
        let capture = Capture::saved(url.as_str(), Some(served.content_type), served.body);
        html.then(|| page::read(&capture, url, mapping).expect("a page"))
    }

    fn page(&self, address: &str, mapping: &Mapping) -> Page {
        let url = mapping
            .resolve(&mapping.rules().site.base, address)
            .expect("an address");
        self.get(&url, mapping).expect("a page of the portal")
    }

    /// All pages that links lead to, but the articles.
    fn around(&self) -> Vec<Page> {
        let base = &self.mapping.rules().site.base;
        let address = |text: &str| self.mapping.resolve(base, text).ok();
        let articles: Vec<PageUrl> = self
            .portal
            .expected()
            .iter()
            .filter_map(|t| address(&t.url))
            .collect();
        let mut open: Vec<PageUrl> = address("/").into_iter().collect();
        let mut seen = open.clone();
        let mut pages = Vec::new();
        while let Some(url) = open.pop() {
            let Some(page) = self.get(&url, &self.mapping).filter(|_| !articles.contains(&url)) else {
                continue;
            };
            for link in page
                .html
                .tree
                .nodes()
                .filter_map(|n| n.value().as_element()?.attr("href"))
            {
                if let Ok(to) = self.mapping.resolve(&page.base, link)
                    && !seen.contains(&to)
                {
                    seen.push(to.clone());
                    open.push(to);
                }
            }
            pages.push(page);
        }
        pages
    }

    /// The articles that teach, and nothing else.
    fn few(&self) -> Vec<Page> {
        let truths = self.portal.expected();
        let page = |i: &usize| self.page(&truths[*i].url, &self.mapping);
        TAUGHT.0.iter().map(page).collect()
    }

    /// What a look at the site sees: everything that is no article, and five articles.
    fn sample(&self) -> Vec<Page> {
        let truths = self.portal.expected();
        if truths.len() > TAUGHT.1 {
            return self.first(SAMPLE);
        }
        let taught = TAUGHT.0.iter().map(|i| self.page(&truths[*i].url, &self.mapping));
        self.around().into_iter().chain(taught).collect()
    }

    /// The first pages that links lead to, as a crawl meets them.
    fn first(&self, most: usize) -> Vec<Page> {
        let base = &self.mapping.rules().site.base;
        let mut open: std::collections::VecDeque<PageUrl> =
            self.mapping.resolve(base, "/").into_iter().collect();
        let mut seen: Vec<PageUrl> = open.iter().cloned().collect();
        let mut pages = Vec::new();
        while let Some(url) = open.pop_front() {
            let Some(page) = self.get(&url, &self.mapping) else {
                continue;
            };
            let links = page
                .html
                .tree
                .nodes()
                .filter_map(|n| n.value().as_element()?.attr("href"));
            for to in links.filter_map(|l| self.mapping.resolve(&page.base, l).ok()) {
                if !seen.contains(&to) {
                    seen.push(to.clone());
                    open.push_back(to);
                }
            }
            pages.push(page);
            if pages.len() == most {
                break;
            }
        }
        pages
    }
}

fn read(page: &Page, mapping: &Mapping, learned: &Learned) -> Document {
    let rest = || mapping.rules().collection.iter().find(|c| c.matches.rest);
    let collection = mapping.collection_for_url(&page.url).or_else(rest);
    let collection = collection.expect("a collection");
    let context = Context {
        mapping,
        learned: Some(learned),
        listing: &BTreeMap::new(),
        discovered: &[],
        aliases: &[],
        fetch: &FetchProvenance::default(),
    };
    extract(page, collection, &context)
        .expect("a document")
        .documents
        .remove(0)
}

fn body(blocks: &[Block]) -> String {
    blocks.iter().map(Block::text).collect::<Vec<_>>().join("\n")
}

fn captions(blocks: &[Block]) -> Vec<&str> {
    let images = blocks.iter().flat_map(|b| match b {
        Block::Image { image, .. } => std::slice::from_ref(image),
        Block::Gallery { items, .. } => items.as_slice(),
        _ => &[],
    });
    images
        .filter_map(|i| i.caption.as_ref())
        .map(|c| c.text.as_str())
        .collect()
}

/// Title, section, date where the page prints it, byline, body and captions are as they should be, and nothing is lost.
fn is_whole(truth: &Expected, found: &Document) -> bool {
    let date = found.dates.published.as_ref().map(|d| d.value.as_str());
    found.title.as_deref() == Some(&truth.title)
        && found.section.as_ref().map(|s| s.label.as_str()) == Some(&truth.section)
        && (truth.published.method != "css" || date == Some(&truth.published.value))
        && found.byline.as_ref().map(|b| b.raw.as_str()) == truth.byline.as_deref()
        && body(&found.body) == truth.text()
        && captions(&found.body) == truth.captions()
        && found.accounting.unaccounted == 0
}
