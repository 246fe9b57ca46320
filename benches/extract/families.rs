//! Learned from some pages of a template, read on others of it: any folder that holds families of pages with gold text.
//!
//! Layout: `FOLDER/FAMILY/pages.jsonl`, a line a page: `{"id", "url", "html": "html/00.html", "gold": {"text", "title"}}`, paths from
//! the folder of the family; the pages of a family are of one template of one site. `benches/extract/transplant.py` makes such
//! families of single pages; others (36 templates of ten pages) take the same shape by a few lines of script.
//!
//! Three ways, all through a drafted mapping that nobody touched: `held` learns from every second page and reads the rest, then
//! the other way round; `all` learns from all pages and reads them; `auto` reads each page by itself. Nothing but the pages
//! is known: no home page, no list. A page that no collection takes counts as empty.
//!
//! `titled`: the gold text begins with the title, and so does what is held against it. `each`: a line a page. `only=TEXT`:
//! families whose name holds it. `half=0|1`: every second family.

use super::{capture, f1, overlap, windows, words};
use sangtrang::capture::Capture;
use sangtrang::document::{Block, FetchProvenance};
use sangtrang::extract::template::{self, Kind, Learned, Model, Origin};
use sangtrang::extract::{Context, extract};
use sangtrang::mapping::{Mapping, PageUrl};
use sangtrang::page::{self, Page};
use sangtrang::pipeline::classify;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// What is asked for.
#[derive(Clone, Copy, Default)]
struct Asked<'a> {
    titled: bool,
    each: bool,
    only: &'a str,
    half: Option<usize>,
}

struct Given {
    id: String,
    title: String,
    text: String,
    capture: Capture,
    url: PageUrl,
}

/// How pages of one way were read.
#[derive(Clone, Default)]
struct Sum {
    pages: f64,
    shingles: [f64; 3],
    words: f64,
    good: f64,
    titles: f64,
    odd: f64,
    unread: f64,
    lost: usize,
}

impl Sum {
    fn add(&mut self, other: &Self) {
        self.pages += other.pages;
        (0..3).for_each(|n| self.shingles[n] += other.shingles[n]);
        self.words += other.words;
        self.good += other.good;
        self.titles += other.titles;
        self.odd += other.odd;
        self.unread += other.unread;
        self.lost += other.lost;
    }

    fn tell(&self) -> String {
        let [both, more, less] = self.shingles;
        let share = |n: f64| n / self.pages.max(1.0);
        format!(
            "shingle F1 {:.4} (P {:.4} R {:.4})  word F1 {:.4}  >=.95 {:.3}  title {:.3}  odd {}  unread {}  unaccounted {}",
            f1(self.shingles),
            both / (both + more).max(1e-9),
            both / (both + less).max(1e-9),
            share(self.words),
            share(self.good),
            share(self.titles),
            self.odd,
            self.unread,
            self.lost
        )
    }
}

#[derive(Default)]
struct Told {
    name: String,
    ways: [Sum; 3],
    /// Drafts with rules, of how many.
    rules: [usize; 2],
    why: Vec<String>,
    lines: Vec<String>,
}

pub fn main(folder: &Path, words: &[&str]) {
    let mut asked = Asked::default();
    for word in words {
        match word.split_once('=') {
            Some(("only", text)) => asked.only = text,
            Some(("half", n)) => asked.half = n.parse().ok(),
            _ => {
                asked.titled |= *word == "titled";
                asked.each |= *word == "each";
            }
        }
    }
    let mut folders: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the folder of families")
        .filter_map(|e| Some(e.ok()?.path()))
        .filter(|p| p.join("pages.jsonl").is_file() && p.to_string_lossy().contains(asked.only))
        .collect();
    folders.sort();
    // Of two neighbours, which are often two ages of one page, both go to the same half.
    let mut at = 0;
    folders.retain(|_| {
        at += 1;
        asked.half.is_none_or(|h| (at / 2) % 2 == h)
    });
    let queue = Mutex::new(folders.into_iter());
    let told: Mutex<Vec<Told>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().expect("the queue").next();
                    let Some(folder) = next else { break };
                    let one = family(&folder, asked);
                    told.lock().expect("the list").push(one);
                }
            });
        }
    });
    let mut told = told.into_inner().expect("the list");
    told.sort_by(|a, b| a.name.cmp(&b.name));
    let mut sums: [Sum; 3] = Default::default();
    let mut rules = [0, 0];
    for one in &told {
        let scores: Vec<String> = one
            .ways
            .iter()
            .map(|w| format!("{:.3}", f1(w.shingles)))
            .collect();
        println!(
            "{:<60} {}  {} of {} with rules, {} odd, {} unread  {}",
            one.name,
            scores.join(" "),
            one.rules[0],
            one.rules[1],
            one.ways[0].odd,
            one.ways[0].unread,
            one.why.join("; ")
        );
        one.lines.iter().for_each(|l| println!("    {l}"));
        (0..3).for_each(|n| sums[n].add(&one.ways[n]));
        (0..2).for_each(|n| rules[n] += one.rules[n]);
    }
    println!(
        "{} families; drafts with rules: {} of {}",
        told.len(),
        rules[0],
        rules[1]
    );
    for (name, sum) in ["held", "all", "auto"].iter().zip(&sums) {
        println!("  {name:<5} {} pages  {}", sum.pages, sum.tell());
    }
}

fn family(folder: &Path, asked: Asked<'_>) -> Told {
    let lines = std::fs::read_to_string(folder.join("pages.jsonl")).expect("pages.jsonl");
    let lines: Vec<Value> = lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("a line of pages.jsonl"))
        .collect();
    let first = lines.first().and_then(|l| l["url"].as_str()).expect("a URL");
    let base = url::Url::parse(first)
        .expect("a URL")
        .origin()
        .ascii_serialization();
    let mut origin = Origin {
        id: "family".into(),
        language: if first.contains(".vn/") { "vi" } else { "en" }.into(),
        base,
        ..Origin::default()
    };
    let blank = template::draft(&Model::default(), &origin, &BTreeMap::new());
    let blank = Mapping::parse("blank.toml", &blank).expect("a blank mapping");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let given: Vec<Given> = lines
        .iter()
        .map(|line| {
            let url = url::Url::parse(line["url"].as_str().expect("a URL")).expect("a URL");
            let url = blank.canonical(&url).expect("a page of the site");
            let html = line["html"].as_str().expect("a file");
            let body = std::fs::read(folder.join(html)).expect("a page");
            Given {
                id: text(&line["id"]),
                title: text(&line["gold"]["title"]),
                text: text(&line["gold"]["text"]),
                capture: capture(&url, body),
                url,
            }
        })
        .collect();
    let mut told = Told {
        name: folder
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        ..Told::default()
    };
    let pages: Vec<Page> = given
        .iter()
        .map(|g| page::read(&g.capture, &g.url, &blank).expect("a page"))
        .collect();
    let every: Vec<usize> = (0..pages.len()).collect();
    let (even, odd): (Vec<usize>, Vec<usize>) = every.iter().partition(|i| **i % 2 == 0);
    for (way, taught, read) in [(0, &even, &odd), (0, &odd, &even), (1, &every, &every)] {
        let teachers: Vec<&Page> = taught.iter().map(|i| &pages[*i]).collect();
        origin.name = template::called(&teachers).map(|c| c.name);
        let model = template::learn(&teachers, &blank);
        let draft = template::draft(&model, &origin, &BTreeMap::new());
        let mapping = Mapping::parse("draft.toml", &draft).expect("a draft that passes");
        let learned = Learned::new(1, "bench", &model).expect("a model of this form");
        let rules = model.templates.iter().any(|t| t.article.is_some());
        told.rules[0] += usize::from(rules);
        told.rules[1] += 1;
        for template in &model.templates {
            if let Some(article) = &template.article {
                let of = &article.container;
                told.why.push(format!(
                    "{} {}/{} {:.2} {:.2}",
                    of.css, of.right, of.of, article.held_out.0, article.held_out.1
                ));
            } else {
                let kind = if template.kind == Kind::Article {
                    ""
                } else {
                    "no article: "
                };
                let why = template.why.as_deref().unwrap_or_default();
                told.why.push(format!(
                    "{kind}{:?} {} pages {why}",
                    template.kind, template.pages
                ));
            }
        }
        if asked.each {
            told.lines.extend(draft.lines().map(|l| format!("  | {l}")));
        }
        for at in read {
            let sum = score(&given[*at], &mapping, Some(&learned), asked, &mut told.lines);
            told.ways[way].add(&sum);
        }
    }
    let alone = format!(
        "{}[[collection]]\nid = 'alone'\ntype = \"article\"\nmatch = {{ url = '^/' }}\nscope = {{ container = [\"@auto\"] }}\n",
        template::draft(&Model::default(), &origin, &BTreeMap::new())
    );
    let alone = Mapping::parse("alone.toml", &alone).expect("a mapping");
    for given in &given {
        let sum = score(given, &alone, None, asked, &mut told.lines);
        told.ways[2].add(&sum);
    }
    told
}

/// The text of a body, a line a block; captions stay with their pictures.
fn body(blocks: &[Block]) -> String {
    let text = blocks
        .iter()
        .filter(|b| !matches!(b, Block::Image { .. } | Block::Gallery { .. }));
    text.map(Block::text).collect::<Vec<_>>().join("\n")
}

fn score(
    given: &Given,
    mapping: &Mapping,
    learned: Option<&Learned>,
    asked: Asked<'_>,
    lines: &mut Vec<String>,
) -> Sum {
    let page = page::read(&given.capture, &given.url, mapping).expect("a page");
    let fetch = FetchProvenance::default();
    let context = Context {
        mapping,
        learned,
        listing: &BTreeMap::new(),
        discovered: &[],
        aliases: &[],
        fetch: &fetch,
    };
    let mut sum = Sum {
        pages: 1.0,
        ..Sum::default()
    };
    let (mut title, mut text, mut how) = (String::new(), String::new(), String::new());
    let found = classify(mapping, &page, learned).and_then(|c| extract(&page, c, &context).ok());
    if let Some(document) = found.as_ref().and_then(|f| f.documents.first()) {
        title = document.title.clone().unwrap_or_default();
        text = document.summary.clone().map(|s| s + "\n").unwrap_or_default() + &body(&document.body);
        let odd = document.quality.gates.iter().find(|g| g.id == "odd-page");
        sum.odd = f64::from(u8::from(odd.is_some()));
        sum.lost = document.accounting.unaccounted;
        how = format!("{} {}", document.collection, odd.map_or("", |g| g.note.as_str()));
    } else {
        sum.unread = 1.0;
    }
    sum.titles = f64::from(u8::from(words(&title) == words(&given.title)));
    if asked.titled {
        text = format!("{title}\n{text}");
    }
    let (gold, got) = (words(&given.text), words(&text));
    let shares = overlap(windows(&gold), windows(&got));
    let total: f64 = shares.iter().sum();
    if total > 0.0 {
        (0..3).for_each(|n| sum.shingles[n] = shares[n] / total);
    }
    sum.words = f1(overlap(gold.iter(), got.iter()));
    sum.good = f64::from(u8::from(sum.words >= 0.95));
    if asked.each {
        lines.push(format!("{} {:.3} {how}  title: {title}", given.id, f1(shares)));
        let known = words(&given.text).join(" ");
        let mine = words(&text).join(" ");
        let strange = |of: &str, other: &str, sign: &str, lines: &mut Vec<String>| {
            for line in of.lines().filter(|l| !other.contains(&words(l).join(" "))) {
                lines.push(format!(
                    "   {sign} {}",
                    line.chars().take(140).collect::<String>()
                ));
            }
        };
        strange(&text, &known, "+", lines);
        strange(&given.text, &mine, "-", lines);
    }
    sum
}
