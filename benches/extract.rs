//! Content without a mapping beside gold text and beside a bare parse.
//!
//! `just bench extract [SET …]`: pages of each set (a folder with `pages.jsonl`: id, url, html, gold) are read, and the
//! score and the time beside a bare `scraper` parse of the same bytes are printed. Without arguments the sets in the folder
//! that `SANGTRANG_EXTRACTION` names.
//! `just bench extract features SET PREFIX`: features of all blocks, for `benches/extract/train.py`.
//! `just bench extract misses SET`: titles, dates and captions that are not as in the gold text, one by one.
//! `just bench extract answers SET FILE [LIKELY]`: the answers as JSON lines, for other scorers.
//! `just bench extract held SET LIKELY`: the score with what trees that do not know the pages say of their blocks; LIKELY is
//! what `train.py check --held` wrote.
//! `just bench extract deep`: 100,000 nested elements and the worst pages that the limit of size allows: time and memory.
//! `just bench extract once bare|read|auto|mapped SET`: one pass, for a profiler.
//! `just bench extract skins`: what five articles of each skin of the sample portal teach; without
//! arguments this comes first.
//! `just bench extract families FOLDER [titled] [each] [only=TEXT]`: what some pages of a template teach for others, in any
//! folder that holds families of pages (benches/extract/families.rs says in which form).
//! `just bench extract portals FOLDER`: the articles of all skins as a set of pages, to learn from.
//! `just bench extract growth`: how time and memory of learning grow with the pages.

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

#[path = "extract/families.rs"]
mod families;
#[path = "extract/misses.rs"]
mod misses;
#[path = "extract/skins.rs"]
mod skins;

use sangtrang::capture::Capture;
use sangtrang::document::{Block, FetchProvenance};
use sangtrang::extract::{self, Context, auto};
use sangtrang::mapping::{Mapping, PageUrl};
use sangtrang::page::{self, Page};
use serde_json::{Value, json};
use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args[..] {
        ["features", set, prefix] => features(Path::new(set), Path::new(prefix)),
        ["answers", set, file] => answers(Path::new(set), Path::new(file), None),
        ["answers", set, file, likely] => answers(Path::new(set), Path::new(file), Some(Path::new(likely))),
        ["held", set, likely] => held(Path::new(set), Path::new(likely)),
        ["misses", set] => misses::main(Path::new(set)),
        ["deep"] => deep(),
        ["skins"] => skins::main(),
        ["families", folder, ref how @ ..] => families::main(Path::new(folder), how),
        ["worst", name] => worst(name),
        ["once", what, set] => once(what, Path::new(set)),
        ["growth"] => skins::growth(),
        ["portals", folder] => skins::set(Path::new(folder)),
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
            deep();
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

/// A mapping as a person would write it for a site of our time, and content without one.
const COLLECTIONS: &str = r#"
[[collection]]
id = "mapped"
match = { url = "^mapped$" }
scope = { container = ["article", "main", "body"] }
[collection.fields.title]
take = [{ css = "h1" }, { css = "title" }]
[collection.fields."dates.published"]
take = [{ css = "time", attr = "datetime" }]
[collection.fields.byline]
take = [{ css = "[rel=author], .author, .byline" }]
[[collection]]
id = "auto"
match = { url = ".*" }
scope = { container = ["@auto"] }
"#;

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
        let language = if page["url"]
            .as_str()
            .is_some_and(|u| u.contains(".vn/") || u.contains(".example/"))
        {
            "vi"
        } else {
            "en"
        };
        let text = format!(
            "schema = 1\n[site]\nid = \"bench\"\nbase = {:?}\nlanguage = {language:?}\n{COLLECTIONS}",
            url.origin().ascii_serialization()
        );
        let mapping = Mapping::parse("bench", &text).expect("a mapping");
        let url = mapping.canonical(&url).expect("a canonical URL");
        let capture = capture(&url, body);
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

/// The documents of a page by one of the two collections.
fn documents(given: &Given, page: &Page, id: &str) -> extract::Extraction {
    let fetch = FetchProvenance::default();
    let context = Context {
        mapping: &given.mapping,
        learned: None,
        listing: &BTreeMap::new(),
        discovered: &[],
        aliases: &[],
        fetch: &fetch,
    };
    let collections = &given.mapping.rules().collection;
    let collection = collections.iter().find(|c| c.id == id).expect("a collection");
    extract::extract(page, collection, &context).expect("a document")
}

fn bare(given: &Given) {
    let source = String::from_utf8_lossy(&given.capture.body);
    std::hint::black_box(scraper::Html::parse_document(&source));
}

fn once(what: &str, set: &Path) {
    for given in pages(set) {
        match what {
            "bare" => bare(&given),
            "read" => drop(std::hint::black_box(read(&given))),
            "auto" => drop(std::hint::black_box(auto::read(&read(&given)))),
            _ => drop(std::hint::black_box(documents(&given, &read(&given), "mapped"))),
        }
    }
}

/// A caption of the gold text.
struct Caption {
    text: String,
    /// Whether the page shows its words at all.
    shown: bool,
    /// Whether they stand with a picture of the document.
    kept: bool,
}

/// Captions of the gold text. One is found if four in five of its words are.
fn captions(given: &Given, page: &Page) -> Vec<Caption> {
    let images = given.gold["images"].as_array().into_iter().flatten();
    let golds: Vec<&str> = images.filter_map(|i| i.get(1)?.as_str()).collect();
    if golds.is_empty() {
        return Vec::new();
    }
    let extraction = documents(given, page, "auto");
    let blocks = extraction.documents.iter().flat_map(|d| &d.body);
    let images = blocks.flat_map(|block| match block {
        Block::Image { image, .. } => std::slice::from_ref(image),
        Block::Gallery { items, .. } => items.as_slice(),
        _ => &[],
    });
    let kept: Vec<Vec<String>> = images
        .filter_map(|i| Some(words(&i.caption.as_ref()?.text)))
        .collect();
    let shown = words(page.text.as_str());
    let has = |gold: &[String], text: &[String]| {
        let [both, _, less] = overlap(gold.iter(), text.iter());
        both >= 0.8 * (both + less)
    };
    let one = |text: &str| {
        let gold = words(text);
        let first = gold.first()?;
        let mut places = shown.windows(gold.len()).filter(|w| w.first() == Some(first));
        Some(Caption {
            text: text.to_owned(),
            shown: places.any(|w| has(&gold, w)),
            kept: kept.iter().any(|k| has(&gold, k)),
        })
    };
    golds.into_iter().filter_map(one).collect()
}

/// Lines of the Word page that are no content, and lines that are: neither may be on the wrong side.
fn wordsample(given: &Given, page: &Page) {
    let extraction = documents(given, page, "auto");
    let text = auto::read(page).text(page);
    let furniture = [
        "TIN TỨC CÙNG LOẠI KHÁC",
        "Trang:",
        "Trang chủ",
        "Bản quyền",
        "Số lượt truy cập",
        "Về đầu trang",
        "In trang",
    ];
    let kept: Vec<&str> = furniture.into_iter().filter(|f| text.contains(f)).collect();
    let sum = &extraction.accounting;
    println!(
        "  boilerplate in the body: {} ({kept:?})   kept {} + dropped {} of {} characters, unaccounted {}",
        kept.len(),
        sum.kept,
        sum.dropped,
        sum.visible,
        sum.unaccounted
    );
}

/// What peers reached on the same kind of pages, as measured before this was written (docs/extraction.md).
fn peers(set: &str) -> &'static str {
    match set {
        "news" => {
            "best peers: shingle F1 0.951 (trafilatura, Python)   title 0.810 (Readability.js)   date 0.965 (trafilatura, defuddle)   captions 0.60   2.0 to 2.3 x the bare parse (Readability ports), 3.6 to 9 x (trafilatura ports)"
        }
        "mixed" => "best peers: word F1 0.847 (rs-trafilatura)   short pages 0.60",
        "readability" => "peers: this set's text is Readability's own answer",
        _ => "peers: 9 of 13 leave the heading of related articles in the body, 9 leave the pager",
    }
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

/// Prints how near to the gold text the answers are.
fn quality(set: &Path, given: &[Given], mut find: impl FnMut(&Page) -> auto::Auto) {
    let (mut shares, mut bags, mut short) = ([0.0; 3], Vec::new(), Vec::new());
    let (mut titles, mut dates) = ((0, 0), (0, 0));
    let mut pictures = [0; 3];
    let mut bytes = 0;
    for page in given {
        bytes += page.capture.body.len();
        let read = read(page);
        let found = find(&read);
        for caption in captions(page, &read) {
            pictures[0] += 1;
            pictures[1] += usize::from(caption.shown);
            pictures[2] += usize::from(caption.kept);
        }
        let Some(gold) = page.gold["text"].as_str() else {
            println!("{}", page.id);
            wordsample(page, &read);
            continue;
        };
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
    if bags.is_empty() {
        return;
    }
    let count = given.len().max(1) as f64;
    let mean = |all: &[f64]| all.iter().sum::<f64>() / all.len() as f64;
    let share = |(right, all): (usize, usize)| right as f64 / all as f64;
    println!(
        "{:12} {:>4} pages, {:.0} KB a page",
        name(set),
        given.len(),
        bytes as f64 / 1024.0 / count
    );
    print!("  shingle F1 {:.4}   word F1 {:.4}", f1(shares), mean(&bags));
    if !short.is_empty() {
        print!("   short {:.3} of {}", mean(&short), short.len());
    }
    for (what, pair) in [("title", titles), ("date", dates)] {
        if pair.1 > 0 {
            print!("   {what} {:.3} of {}", share(pair), pair.1);
        }
    }
    println!();
    if pictures[0] > 0 {
        let [all, shown, kept] = pictures;
        println!(
            "  captions with their pictures: {kept} of {all}, {:.3}; of the {shown} that the pages show {:.3}",
            share((kept, all)),
            share((kept, shown)),
        );
    }
}

fn name(set: &Path) -> String {
    set.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Likelihoods of all blocks of a set, in the order of `features`.
fn likelihoods(file: &Path) -> impl FnMut(&[f32], usize) -> Vec<f32> {
    let bytes = std::fs::read(file).expect("likelihoods");
    let mut all: Vec<f32> = bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes(b.try_into().expect("four bytes")))
        .collect();
    all.reverse();
    move |rows, width| {
        let count = rows.len() / width.max(1);
        let mut own = all.split_off(all.len() - count);
        own.reverse();
        own
    }
}

fn held(set: &Path, file: &Path) {
    let mut likely = likelihoods(file);
    quality(set, &pages(set), |page| auto::weighed(page, &mut likely));
}

fn score(set: &Path) {
    let given = pages(set);
    // The system counts a thread's time in ticks: only whole passes over the set can be told apart.
    let pass = |run: &dyn Fn(&Given)| {
        let once = |_| {
            let started = clock();
            given.iter().for_each(run);
            clock().saturating_sub(started)
        };
        (0..3).map(once).min().unwrap_or_default()
    };
    let parse = pass(&bare);
    let whole = pass(&|page| {
        std::hint::black_box(auto::read(&read(page)));
    });
    let mapped = pass(&|page| {
        std::hint::black_box(documents(page, &read(page), "mapped"));
    });
    quality(set, &given, auto::read);
    let count = given.len().max(1) as f64;
    let times = |time: Duration| time.as_secs_f64() / parse.as_secs_f64();
    println!(
        "  bare parse {:.0} pages/s   without a mapping {:.0} pages/s, {:.2} x the bare parse   with one {:.0} pages/s, {:.2} x",
        count / parse.as_secs_f64(),
        count / whole.as_secs_f64(),
        times(whole),
        count / mapped.as_secs_f64(),
        times(mapped),
    );
    println!("  {}", peers(&name(set)));
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

fn answers(set: &Path, file: &Path, likely: Option<&Path>) {
    let mut likely = likely.map(likelihoods);
    let mut out = BufWriter::new(File::create(file).expect("a file"));
    for given in pages(set) {
        let started = Instant::now();
        let page = read(&given);
        let found = match &mut likely {
            Some(likely) => auto::weighed(&page, likely),
            None => auto::read(&page),
        };
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

/// Pages that cost most, of the size that the limit of a mapping allows.
const WORST: [&str; 7] = ["deep", "flat", "inline", "attributes", "text", "sheets", "links"];

/// A page of a kind.
fn worst_page(name: &str, size: usize) -> String {
    // Room for what stands before: no page is larger than the limit.
    let fill = |piece: &str| piece.repeat((size - (1 << 20)) / piece.len());
    match name {
        "deep" => format!("{}<p>sâu{}", "<div>".repeat(100_000), "</div>".repeat(100_000)),
        "flat" => fill("<p>một "),
        "inline" => fill("<b><i><a href=x>y</a></i></b> "),
        "attributes" => fill("<img class='a b' id=c alt='đ' data-x=1 data-y=2 src=e.jpg>"),
        "text" => fill("Câu văn dài, không có hồi kết. "),
        "sheets" => {
            let rules: String = (0..8000).map(|n| format!(".a .b{n}>p{{display:none}}")).collect();
            format!(
                "<style>{rules}</style>{}",
                fill("<div class='a b1 b2'><p class=c>x</p></div>")
            )
        }
        _ => fill("<li><a href='/tin/1' title='bài'>Tin số một của ngày</a> 1/2/2020</li>"),
    }
}

/// A page as it came, without headers.
fn capture(url: &PageUrl, body: Vec<u8>) -> Capture {
    Capture::saved(url.as_str(), None, body)
}

/// Reads the worst page of a kind in this process and tells time and memory.
fn worst(name: &str) {
    let mapping = format!(
        "schema = 1\n[site]\nid = \"bench\"\nbase = \"http://localhost\"\nlanguage = \"vi\"\n{COLLECTIONS}"
    );
    let mapping = Mapping::parse("bench", &mapping).expect("a mapping");
    let url = mapping
        .canonical(&"http://localhost/".parse().expect("a URL"))
        .expect("a canonical URL");
    let size = usize::try_from(mapping.rules().limits.page_bytes).expect("a size");
    let body = worst_page(name, size).into_bytes();
    let given = Given {
        id: name.to_owned(),
        gold: Value::Null,
        capture: capture(&url, body),
        url,
        mapping,
    };
    let before = peak();
    let started = clock();
    let page = match page::read(&given.capture, &given.url, &given.mapping) {
        Ok(page) => page,
        Err(refused) => return println!("  {name:<11} not read: {refused}"),
    };
    let reading = clock().saturating_sub(started);
    let found = documents(&given, &page, "auto");
    println!(
        "  {name:<11} {:>6.2} MB: read {:>5.2} s, in all {:>5.2} s, {:>4} MiB above the body, {} blocks",
        given.capture.body.len() as f64 / 1e6,
        reading.as_secs_f64(),
        clock().saturating_sub(started).as_secs_f64(),
        peak().saturating_sub(before) >> 20,
        found.auto.map_or(0, |a| a.blocks.len()),
    );
}

/// Most memory that this process had so far, in bytes; 0 where the system does not tell.
fn peak() -> u64 {
    let told = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = told.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    let kb = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kb.unwrap_or(0) << 10
}

/// Each worst page in a process of its own, so that its memory is its own.
fn deep() {
    println!("worst pages");
    for name in WORST {
        let this = std::env::current_exe().expect("this program");
        let ended = std::process::Command::new(this).args(["worst", name]).status();
        if !ended.is_ok_and(|s| s.success()) {
            println!("  {name}: the process did not end well");
        }
    }
}
