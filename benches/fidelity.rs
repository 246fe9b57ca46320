//! Does a page show a reader what we say it shows? The visible text of the page model beside `document.body.innerText` of
//! Chromium with scripts off, word by word.
//!
//! `just bench fidelity [PAGES]`. Pages are those of the extraction sets (`SANGTRANG_SETS`, or `../shared/data/extraction`)
//! and the hard pages of the tests. Chromium loads nothing but the pages themselves, so neither side has outside style
//! sheets. What stands in `noscript` is left out on both sides: readers with scripts do not see it. Closed `details` are opened:
//! readers open them; and what a style leaves out until it is scrolled to is shown. Ends with an error below 99 % of equal words.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "the table is what a bench is for"
)]

use axum::Router;
use axum::extract::{Path as Segment, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use sangtrang::capture::Capture;
use sangtrang::mapping::Mapping;
use similar::{Algorithm, DiffTag};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use unicode_normalization::UnicodeNormalization as _;

/// Share of equal words that is required.
const REQUIRED: f64 = 0.99;
/// Pages by default.
const PAGES: usize = 200;
/// A page that Chromium has not laid out by then is left out, in milliseconds.
const PATIENCE: u64 = 20_000;
/// Examples that are shown of a class of differences.
const EXAMPLES: usize = 12;

const TYPE: &str = "text/html; charset=utf-8";

/// Runs in Chromium: each page in a frame without scripts, its text sent back.
const WRAPPER: &str = r#"<!doctype html><meta charset=utf-8><body><script>
const count = COUNT, patience = PATIENCE;
async function one(n) {
  const frame = document.createElement('iframe');
  frame.sandbox = 'allow-same-origin';
  frame.width = 1280; frame.height = 900;
  const loaded = new Promise(done => { frame.onload = done; setTimeout(done, patience); });
  frame.src = '/page/' + n;
  document.body.append(frame);
  await loaded;
  let text = '';
  try {
    const style = frame.contentDocument.createElement('style');
    style.textContent = '* { content-visibility: visible !important }';
    frame.contentDocument.documentElement.append(style);
    frame.contentDocument.querySelectorAll('noscript').forEach(n => n.remove());
    frame.contentDocument.querySelectorAll('details').forEach(d => d.open = true);
    text = frame.contentDocument.body.innerText; } catch (error) { text = '\u0000' + error; }
  frame.remove();
  await fetch('/text/' + n, { method: 'POST', body: text });
}
(async () => { for (let n = 0; n < count; n++) await one(n); await fetch('/done', { method: 'POST' }); })();
</script>"#;

struct Site {
    pages: Vec<(PathBuf, Vec<u8>)>,
    texts: Mutex<BTreeMap<usize, String>>,
    done: tokio::sync::Notify,
}

async fn page(State(site): State<Arc<Site>>, Segment(n): Segment<usize>) -> Response {
    match site.pages.get(n) {
        Some((_, bytes)) => ([(header::CONTENT_TYPE, TYPE)], bytes.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn text(State(site): State<Arc<Site>>, Segment(n): Segment<usize>, body: String) {
    site.texts.lock().unwrap().insert(n, body);
}

/// The pages of the sets, every so many, so that all sets are seen.
fn pages(wanted: usize) -> Vec<(PathBuf, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sets = std::env::var_os("SANGTRANG_SETS")
        .map_or_else(|| root.join("../shared/data/extraction"), PathBuf::from);
    let mut files: Vec<PathBuf> = Vec::new();
    for set in ["mixed", "news", "readability", "wordsample"] {
        let folder = std::fs::read_dir(sets.join(set).join("html"));
        let mut found: Vec<PathBuf> = folder.into_iter().flatten().map(|f| f.unwrap().path()).collect();
        found.sort();
        files.extend(found);
    }
    if files.is_empty() {
        eprintln!("SKIPPED sets: there is nothing in {}", sets.display());
    }
    let own = std::fs::read_dir(root.join("tests/extract/hard")).unwrap();
    let mut own: Vec<PathBuf> = own
        .map(|f| f.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "html"))
        .collect();
    own.sort();
    let step = files.len().div_ceil(wanted.max(1)).max(1);
    // UTF-8 only: how bytes become text is measured elsewhere.
    let read = |path: PathBuf| {
        std::fs::read(&path)
            .ok()
            .filter(|b| std::str::from_utf8(b).is_ok())
            .map(|b| (path, b))
    };
    let chosen: Vec<_> = files
        .iter()
        .step_by(step)
        .chain(files.iter().skip(1).step_by(step))
        .cloned()
        .filter_map(read)
        .take(wanted)
        .collect();
    chosen
        .into_iter()
        .chain(own.into_iter().filter_map(read))
        .collect()
}

fn words(text: &str) -> Vec<String> {
    let shown = |c: &char| !matches!(c, '\u{AD}' | '\u{200B}' | '\u{2060}' | '\u{FEFF}');
    let text: String = text.nfc().filter(shown).collect();
    text.split_whitespace().map(str::to_owned).collect()
}

/// What kind of difference two runs of words are.
fn class(ours: &[String], theirs: &[String]) -> &'static str {
    let joined = |words: &[String]| words.concat();
    let lower = |words: &[String]| words.concat().to_lowercase();
    if ours.is_empty() {
        "only Chromium shows it"
    } else if theirs.is_empty() {
        "only we show it"
    } else if joined(ours) == joined(theirs) {
        "words are parted elsewhere"
    } else if lower(ours) == lower(theirs) {
        "capitals by style sheet"
    } else {
        "other text"
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted = std::env::args()
        .skip(1)
        .find_map(|a| a.parse().ok())
        .unwrap_or(PAGES);
    let site = Arc::new(Site {
        pages: pages(wanted),
        texts: Mutex::default(),
        done: tokio::sync::Notify::new(),
    });
    let count = site.pages.len();
    let wrapper = WRAPPER
        .replace("COUNT", &count.to_string())
        .replace("PATIENCE", &PATIENCE.to_string());
    let router = Router::new()
        .route("/", get(move || async move { Html(wrapper) }))
        .route("/page/{n}", get(page))
        .route("/text/{n}", post(text))
        .route(
            "/done",
            post(|State(site): State<Arc<Site>>| async move { site.done.notify_one() }),
        )
        .layer(axum::extract::DefaultBodyLimit::max(64 << 20))
        .with_state(site.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    let profile = tempfile::tempdir().unwrap();
    let program = std::env::var_os("SANGTRANG_CHROMIUM").unwrap_or_else(|| "chromium".into());
    let started = Instant::now();
    let child = std::process::Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--mute-audio",
            "--no-first-run",
        ])
        .args([
            "--disable-background-timer-throttling",
            "--disable-features=Translate,LazyFrameLoading",
        ])
        .arg("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg("--remote-debugging-port=0")
        .arg(format!("http://{address}/"))
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => {
            eprintln!(
                "SKIPPED: there is no Chromium to compare with ({error}); name one in SANGTRANG_CHROMIUM"
            );
            return;
        }
    };
    let limit = Duration::from_millis(PATIENCE) * u32::try_from(count).unwrap();
    let in_time = tokio::time::timeout(limit, site.done.notified()).await.is_ok();
    let _ = child.kill();
    let _ = child.wait();
    let texts = std::mem::take(&mut *site.texts.lock().unwrap());
    println!(
        "{} of {count} pages laid out by Chromium in {:.0} s{}",
        texts.len(),
        started.elapsed().as_secs_f64(),
        if in_time { "" } else { ", then given up" }
    );
    report(&site.pages, &texts);
}

fn report(pages: &[(PathBuf, Vec<u8>)], texts: &BTreeMap<usize, String>) {
    let mapping = Mapping::parse(
        "fidelity.toml",
        "schema = 1\n[site]\nid = \"f\"\nbase = \"http://127.0.0.1/\"\nlanguage = \"en\"\n",
    )
    .unwrap();
    let url = mapping.resolve(&mapping.rules().site.base, "/page").unwrap();
    let (mut equal, mut ours_all, mut theirs_all, mut perfect) = (0_usize, 0_usize, 0_usize, 0_usize);
    let mut classes: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    let mut worst: Vec<(f64, String)> = Vec::new();
    let mut shares = Vec::new();
    for (n, theirs) in texts {
        let (path, bytes) = &pages[*n];
        let capture = Capture::saved(url.as_str(), Some(TYPE), bytes.clone());
        let read = sangtrang::page::read(&capture, &url, &mapping).unwrap();
        let (ours, theirs) = (words(read.text.as_str()), words(theirs));
        let deadline = Instant::now() + Duration::from_secs(5);
        // Capitals that a style sheet makes must not part the two.
        let lower = |words: &[String]| words.iter().map(|w| w.to_lowercase()).collect::<Vec<_>>();
        let (ours_low, theirs_low) = (lower(&ours), lower(&theirs));
        let ops =
            similar::capture_diff_slices_deadline(Algorithm::Myers, &ours_low, &theirs_low, Some(deadline));
        let name = path
            .components()
            .rev()
            .take(3)
            .map(|c| c.as_os_str().to_string_lossy().into_owned())
            .collect::<Vec<_>>();
        let name = name.into_iter().rev().collect::<Vec<_>>().join("/");
        let mut same = 0;
        for op in &ops {
            let (a, b) = (&ours[op.old_range()], &theirs[op.new_range()]);
            if op.tag() == DiffTag::Equal {
                let differ: Vec<(&String, &String)> = a.iter().zip(b).filter(|(a, b)| a != b).collect();
                same += a.len() - differ.len();
                if let Some((x, y)) = differ.first() {
                    let (words, examples) = classes.entry("capitals by style sheet").or_default();
                    *words += differ.len();
                    examples.push(format!("{:>5} {name}: `{x}` | `{y}`", differ.len()));
                }
                continue;
            }
            let (words, examples) = classes.entry(class(a, b)).or_default();
            *words += a.len().max(b.len());
            let cut = |w: &[String]| w.join(" ").chars().take(70).collect::<String>();
            examples.push(format!(
                "{:>5} {name}: `{}` | `{}`",
                a.len().max(b.len()),
                cut(a),
                cut(b)
            ));
        }
        equal += same;
        ours_all += ours.len();
        theirs_all += theirs.len();
        let most = ours.len().max(theirs.len());
        let share = if most == 0 { 1.0 } else { same as f64 / most as f64 };
        perfect += usize::from(share >= REQUIRED);
        shares.push(share);
        worst.push((
            share,
            format!("{name}: {same} of {} and {}", ours.len(), theirs.len()),
        ));
    }
    let share = 2.0 * equal as f64 / (ours_all + theirs_all).max(1) as f64;
    println!(
        "{equal} words are equal of {ours_all} (we) and {theirs_all} (Chromium): {:.3} %",
        share * 100.0
    );
    let mean = shares.iter().sum::<f64>() / shares.len().max(1) as f64;
    println!(
        "{perfect} of {} pages at 99 % or more; mean of pages {:.3} %",
        shares.len(),
        mean * 100.0
    );
    let mut classes: Vec<_> = classes.into_iter().collect();
    classes.sort_by_key(|(_, (words, _))| std::cmp::Reverse(*words));
    for (class, (words, mut examples)) in classes {
        println!("\n{words:>7} words, {} places: {class}", examples.len());
        examples.sort_by_key(|e| {
            std::cmp::Reverse(
                e.trim_start()
                    .split(' ')
                    .next()
                    .and_then(|n| n.parse::<usize>().ok()),
            )
        });
        examples.iter().take(EXAMPLES).for_each(|e| println!("{e}"));
    }
    worst.sort_by(|a, b| a.0.total_cmp(&b.0));
    println!("\nfurthest apart");
    worst
        .iter()
        .take(EXAMPLES)
        .for_each(|(share, line)| println!("{:>7.2} % {line}", share * 100.0));
    assert!(
        share >= REQUIRED,
        "below {:.0} % of equal words",
        REQUIRED * 100.0
    );
}
