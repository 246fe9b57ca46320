//! Content without a mapping beside gold text and beside a bare parse.
//!
//! `just bench extract [SET …]`: pages of each set (a folder with `pages.jsonl`: id, url, html, gold) are read, and the
//! score and the time beside a bare `scraper` parse of the same bytes are printed. Without arguments the sets in the folder
//! that `SANGTRANG_EXTRACTION` names.
//! `just bench extract features SET PREFIX`: features of all blocks, for `benches/extract/train.py`.
//! `just bench extract answers SET FILE`: the answers as JSON lines, for other scorers.
//! `just bench extract deep`: 100,000 nested elements.
//! `just bench extract skins`: what five articles of each skin of the sample portal teach; without arguments this comes first.
//! `just bench extract growth`: how time and memory of learning grow with the pages.

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

#[path = "extract/skins.rs"]
mod skins;

use sangtrang::capture::Capture;
use sangtrang::document::CaptureId;
use sangtrang::extract::auto;
use sangtrang::mapping::{Mapping, PageUrl};
use sangtrang::page::{self, Page};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["features", set, prefix] => features(Path::new(set), Path::new(prefix)),
        ["answers", set, file] => answers(Path::new(set), Path::new(file)),
        ["deep"] => deep(),
        ["skins"] => skins::main(),
        ["growth"] => skins::growth(),
        [] => {
            skins::main();
            let folder = std::env::var_os("SANGTRANG_EXTRACTION").map(PathBuf::from);
            let Some(folder) = folder.filter(|f| f.is_dir()) else {
                println!("skipped: no sets of pages; SANGTRANG_EXTRACTION names the folder that holds them");
                return;
            };
            let mut sets: Vec<PathBuf> = std::fs::read_dir(folder)
                .expect("the folder of sets")
                .filter_map(|e| Some(e.ok()?.path()))
                .filter(|p| p.join("pages.jsonl").is_file())
                .collect();
            sets.sort();
            sets.iter().for_each(|set| score(set));
        }
        _ => args.iter().for_each(|set| score(Path::new(set))),
    }
}

/// Time that this thread was given, where the system tells it; else the time that passed. Other work on the machine does
/// not count then.
fn clock() -> Duration {
    static BEGUN: std::sync::LazyLock<Instant> = std::sync::LazyLock::new(Instant::now);
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let given = told.and_then(|t| t.split(' ').next()?.parse().ok());
    given.map_or_else(|| BEGUN.elapsed(), Duration::from_nanos)
}

struct Given {
    id: String,
    gold: Value,
    capture: Capture,
    url: PageUrl,
    mapping: Mapping,
}

fn pages(set: &Path) -> Vec<Given> {
    let lines = std::fs::read_to_string(set.join("pages.jsonl")).expect("pages.jsonl");
    let mut out = Vec::new();
    for line in lines.lines() {
        let page: Value = serde_json::from_str(line).expect("a line of pages.jsonl");
        let body = std::fs::read(set.join(page["html"].as_str().expect("html"))).expect("a page");
        let url = url::Url::parse(page["url"].as_str().unwrap_or_default());
        let url = url.unwrap_or_else(|_| "http://localhost/".parse().expect("a URL"));
        // What stands on English pages is not read as Vietnamese.
        let text = format!(
            "schema = 1\n[site]\nid = \"bench\"\nbase = {:?}\nlanguage = \"en\"\n",
            url.origin().ascii_serialization()
        );
        let mapping = Mapping::parse("bench", &text).expect("a mapping");
        let url = mapping.canonical(&url).expect("a canonical URL");
        let capture = Capture {
            notes: Vec::new(),
            id: CaptureId::of(&body),
            url: url.to_string(),
            status: 200,
            headers: Vec::new(),
            body,
            at: jiff::Timestamp::UNIX_EPOCH,
            truncated: None,
        };
        out.push(Given {
            id: page["id"].as_str().unwrap_or_default().to_owned(),
            gold: page["gold"].clone(),
            capture,
            url,
            mapping,
        });
    }
    out
}

fn read(given: &Given) -> Page {
    page::read(&given.capture, &given.url, &given.mapping).expect("a page")
}

fn words(text: &str) -> Vec<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.split(|c| !word(c))
        .filter(|w| !w.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// What both bags have, what only the answer has, what only the gold has.
fn overlap<T: std::hash::Hash + Eq>(
    gold: impl Iterator<Item = T>,
    answer: impl Iterator<Item = T>,
) -> [f64; 3] {
    let mut bag: HashMap<T, i64> = HashMap::new();
    gold.for_each(|w| *bag.entry(w).or_default() += 1);
    let (mut both, mut more) = (0.0, 0.0);
    for word in answer {
        match bag.get_mut(&word).filter(|n| **n > 0) {
            Some(n) => {
                *n -= 1;
                both += 1.0;
            }
            None => more += 1.0,
        }
    }
    [both, more, bag.values().map(|n| *n as f64).sum()]
}

fn f1([both, more, less]: [f64; 3]) -> f64 {
    if both + more + less == 0.0 {
        1.0
    } else {
        2.0 * both / (2.0 * both + more + less)
    }
}

fn windows(words: &[String]) -> impl Iterator<Item = &[String]> {
    let size = words.len().clamp(1, 4);
    words.windows(size)
}

fn score(set: &Path) {
    let given = pages(set);
    let (mut shares, mut bags, mut short) = ([0.0; 3], Vec::new(), Vec::new());
    let (mut titles, mut dates) = ((0, 0), (0, 0));
    // The system counts a thread's time in ticks: only whole passes over the set can be told apart.
    let pass = |run: &dyn Fn(&Given)| {
        let once = |_| {
            let started = clock();
            given.iter().for_each(run);
            clock().saturating_sub(started)
        };
        (0..3).map(once).min().unwrap_or_default()
    };
    let parse = pass(&|page| {
        let source = String::from_utf8_lossy(&page.capture.body);
        std::hint::black_box(scraper::Html::parse_document(&source));
    });
    let whole = pass(&|page| {
        std::hint::black_box(auto::read(&read(page)));
    });
    let mut bytes = 0;
    for page in &given {
        bytes += page.capture.body.len();
        let read = read(page);
        let found = auto::read(&read);
        let gold = page.gold["text"].as_str().unwrap_or_default();
        let (told, text) = (words(gold), words(&found.text(&read)));
        let got = overlap(windows(&told), windows(&text));
        let sum: f64 = got.iter().sum();
        if sum > 0.0 {
            (0..3).for_each(|n| shares[n] += got[n] / sum);
        }
        let bag = f1(overlap(told.iter(), text.iter()));
        bags.push(bag);
        if gold.chars().count() < 500 {
            short.push(bag);
        }
        if let Some(gold) = page.gold["title"].as_str().filter(|t| !t.is_empty()) {
            titles.1 += 1;
            titles.0 += usize::from(found.title.is_some_and(|t| words(&t.value) == words(gold)));
        }
        if let Some(gold) = page.gold["date"].as_str().filter(|t| !t.is_empty()) {
            dates.1 += 1;
            dates.0 += usize::from(
                found
                    .published
                    .is_some_and(|d| d.value.get(..10) == gold.get(..10)),
            );
        }
    }
    let count = given.len().max(1) as f64;
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len().max(1) as f64;
    println!(
        "{:12} {:>4} pages, {:.0} KB a page\n  shingle F1 {:.4}   word F1 {:.4}   short {:.3} of {}   title {:.3} of {}   date {:.3} of {}",
        set.file_name().unwrap_or_default().to_string_lossy(),
        given.len(),
        bytes as f64 / 1024.0 / count,
        f1(shares),
        mean(&bags),
        mean(&short),
        short.len(),
        f64::from(titles.0 as u32) / f64::from((titles.1 as u32).max(1)),
        titles.1,
        f64::from(dates.0 as u32) / f64::from((dates.1 as u32).max(1)),
        dates.1,
    );
    println!(
        "  bare parse {:.0} pages/s   parse and extract {:.0} pages/s   {:.2} x the bare parse",
        count / parse.as_secs_f64(),
        count / whole.as_secs_f64(),
        whole.as_secs_f64() / parse.as_secs_f64(),
    );
}

fn features(set: &Path, prefix: &Path) {
    let create = |ending: &str| BufWriter::new(File::create(prefix.with_extension(ending)).expect("a file"));
    let (mut lines, mut rows) = (create("jsonl"), create("f32"));
    let mut names = Vec::new();
    for given in pages(set) {
        let page = read(&given);
        let mut blocks = Vec::new();
        let told = auto::rows(&page, &mut |_, text, row| {
            blocks.push(text.to_owned());
            for value in row {
                rows.write_all(&value.to_le_bytes()).expect("a row");
            }
        });
        if !told.is_empty() {
            names = told;
        }
        writeln!(lines, "{}", json!({ "id": given.id, "blocks": blocks })).expect("a line");
    }
    write!(create("names"), "{}", names.join("\n")).expect("the names");
}

fn answers(set: &Path, file: &Path) {
    let mut out = BufWriter::new(File::create(file).expect("a file"));
    for given in pages(set) {
        let started = Instant::now();
        let page = read(&given);
        let found = auto::read(&page);
        let ms = started.elapsed().as_secs_f64() * 1000.0;
        let blocks: Vec<Value> = found
            .blocks
            .iter()
            .map(|b| {
                json!([
                    b.verdict,
                    b.rule,
                    (b.likely * 100.0).round(),
                    page.text.slice(b.chars)
                ])
            })
            .collect();
        let line = json!({
            "id": given.id, "title": found.title.as_ref().map(|t| &t.value), "date": found.published.as_ref().map(|d| &d.value),
            "author": found.authors.iter().map(|a| a.value.as_str()).collect::<Vec<_>>().join(", "),
            "text": found.text(&page), "ms": ms, "blocks": blocks,
        });
        writeln!(out, "{line}").expect("a line");
    }
}

fn deep() {
    let mapping = "schema = 1\n[site]\nid = \"bench\"\nbase = \"http://localhost\"\n";
    let mapping = Mapping::parse("bench", mapping).expect("a mapping");
    let url = mapping
        .canonical(&"http://localhost/".parse().expect("a URL"))
        .expect("a canonical URL");
    let body = format!("{}<p>sâu{}", "<div>".repeat(100_000), "</div>".repeat(100_000)).into_bytes();
    let capture = Capture {
        notes: Vec::new(),
        id: CaptureId::of(&body),
        url: url.to_string(),
        status: 200,
        headers: Vec::new(),
        body,
        at: jiff::Timestamp::UNIX_EPOCH,
        truncated: None,
    };
    let started = Instant::now();
    let page = page::read(&capture, &url, &mapping).expect("a page");
    let found = auto::read(&page);
    println!(
        "100,000 nested elements: {:.0} ms, {} blocks",
        started.elapsed().as_secs_f64() * 1000.0,
        found.blocks.len()
    );
}
