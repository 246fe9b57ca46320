//! What the main job costs, beside two floors: a bare loop that fetches the same pages and media and throws them away, and a
//! bare parse of the same bytes. Everything in one run, so that the ratios hold on a noisy machine.
//!
//! `just bench [ARTICLES …]`; without arguments 1,000 and 20,000 articles.

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

#[path = "deliver/machine.rs"]
mod machine;

use scraper::Html;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

const BIN: &str = env!("CARGO_BIN_EXE_sangtrang");
const CONCURRENCY: usize = 16;

fn main() {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let sizes = if sizes.is_empty() {
        vec![1000, 20_000]
    } else {
        sizes
    };
    let mut rows = Vec::new();
    for articles in sizes {
        rows.push(measure(articles));
    }
    println!(
        "\narticles  pages  pages/s  cpu-s/1000  peak MiB  ledger B/url  x bare fetch (wall)  x bare parse (cpu)"
    );
    for row in &rows {
        println!(
            "{:>8} {:>6} {:>8.0} {:>11.2} {:>9.1} {:>13.0} {:>20.2} {:>19.2}",
            row.articles,
            row.pages,
            row.pages as f64 / row.wall,
            row.cpu / row.pages as f64 * 1000.0,
            row.peak / 1024.0 / 1024.0,
            row.ledger / row.urls,
            row.wall / row.fetch_wall,
            row.cpu / row.parse_cpu,
        );
    }
    if let [first, .., last] = &rows[..] {
        let grown = (last.peak - first.peak) / (last.urls - first.urls);
        println!(
            "\npeak memory grows by {grown:.0} bytes a URL between {} and {} articles",
            first.articles, last.articles
        );
    }
}

struct Row {
    articles: usize,
    /// HTML pages captured.
    pages: usize,
    /// URLs in the ledger.
    urls: f64,
    wall: f64,
    cpu: f64,
    peak: f64,
    ledger: f64,
    fetch_wall: f64,
    parse_cpu: f64,
}

fn measure(articles: usize) -> Row {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut server, address) = serve(articles);
    let connect_to = format!("::{address}");
    let started = Instant::now();
    let status = Command::new(BIN)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args([
            "--quiet",
            "run",
            "mappings/ctk-binhthuan.toml",
            "--delay",
            "0ms",
            "--connect-to",
            &connect_to,
        ])
        .args(["--concurrency", &CONCURRENCY.to_string(), "--output"])
        .arg(folder.path())
        .status()
        .expect("the binary runs");
    let wall = started.elapsed().as_secs_f64();
    assert!(matches!(status.code(), Some(0 | 4)), "the job failed: {status}");
    let site = folder.path().join("ctk-binhthuan");
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(site.join("run.json")).expect("run.json")).expect("JSON");
    let number = |pointer: &str| {
        run.pointer(pointer)
            .and_then(serde_json::Value::as_f64)
            .unwrap_or_else(|| panic!("run.json has {pointer}"))
    };
    let (urls, pages) = captured(&site);
    let (fetch_wall, bodies) = bare_fetch(&urls, pages, &address);
    let parse_cpu = bare_parse(&bodies) * pages as f64 / bodies.len().max(1) as f64;
    let _ = server.kill();
    let _ = server.wait();
    Row {
        articles,
        pages,
        urls: number("/crawl/known"),
        wall,
        cpu: number("/resources/cpu_seconds"),
        peak: number("/resources/peak_rss_bytes"),
        ledger: std::fs::metadata(site.join("ledger.db")).expect("ledger").len() as f64,
        fetch_wall,
        parse_cpu,
    }
}

/// The portal in a process of its own, so that its memory and CPU are not counted.
fn serve(articles: usize) -> (Child, String) {
    let mut server = Command::new(BIN)
        .args([
            "demo",
            "--serve",
            "127.0.0.1:0",
            "--articles",
            &articles.to_string(),
        ])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the portal starts");
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().expect("piped"))
        .read_line(&mut line)
        .expect("its address");
    let address = line
        .trim()
        .trim_start_matches("http://")
        .trim_end_matches('/')
        .to_owned();
    (server, address)
}

/// What the job captured by GET, pages first; and how many of them are pages.
fn captured(site: &Path) -> (Vec<String>, usize) {
    let ledger = rusqlite::Connection::open(site.join("ledger.db")).expect("the ledger");
    let mut rows = ledger
        .prepare("SELECT url, kind FROM url WHERE state = 1 AND kind IN (0, 1, 2) ORDER BY kind, id")
        .expect("its table");
    let rows: Vec<(String, i64)> = rows
        .query_map([], |r| Ok((r.get(0)?, r.get(1)?)))
        .expect("its rows")
        .map(|r| r.expect("a row"))
        .collect();
    let pages = rows.iter().filter(|r| r.1 == 0).count();
    (rows.into_iter().map(|r| r.0).collect(), pages)
}

/// Fetches all URLs; keeps only the first 2,000 pages (for the parse floor).
fn bare_fetch(urls: &[String], pages: usize, address: &str) -> (f64, Vec<Vec<u8>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a reactor");
    let client = sangtrang::net::client(&sangtrang::net::Options::default()).expect("a client");
    let started = Instant::now();
    let bodies = runtime.block_on(async {
        let next = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let urls: std::sync::Arc<Vec<String>> = std::sync::Arc::new(
            urls.iter()
                .map(|u| u.replacen("ctk-binhthuan.example", address, 1))
                .collect(),
        );
        let mut workers = Vec::new();
        for _ in 0..CONCURRENCY {
            let (client, next, urls) = (client.clone(), next.clone(), urls.clone());
            workers.push(tokio::spawn(async move {
                let mut kept = Vec::new();
                loop {
                    let i = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let Some(url) = urls.get(i) else { return kept };
                    let url = url.parse().expect("a URL");
                    let headers = http::HeaderMap::new();
                    let asked = client.request(http::Method::GET, &url, headers, bytes::Bytes::new());
                    let limits = sangtrang::net::BodyLimits {
                        bytes: u64::MAX,
                        deadline: Instant::now() + std::time::Duration::from_secs(60),
                        rate: (0, std::time::Duration::ZERO),
                    };
                    let (body, cut) =
                        sangtrang::net::read_body(asked.await.expect("an answer"), limits).await;
                    assert!(cut.is_none(), "a body that is not whole");
                    if i < pages.min(2000) {
                        kept.push(body);
                    }
                }
            }));
        }
        let mut bodies = Vec::new();
        for worker in workers {
            bodies.extend(worker.await.expect("a worker"));
        }
        bodies
    });
    (started.elapsed().as_secs_f64(), bodies)
}

/// CPU seconds of a bare parse of `bodies`.
fn bare_parse(bodies: &[Vec<u8>]) -> f64 {
    let texts: Vec<String> = bodies
        .iter()
        .map(|b| String::from_utf8_lossy(b).into_owned())
        .collect();
    let before = machine::cpu(false);
    for text in &texts {
        std::hint::black_box(Html::parse_document(text));
    }
    let mut parsed = machine::cpu(false) - before;
    if parsed < 0.2 {
        // Ticks are 10 ms: too few pages for one pass.
        let passes = 10;
        let before = machine::cpu(false);
        for text in texts.iter().cycle().take(texts.len() * passes) {
            std::hint::black_box(Html::parse_document(text));
        }
        parsed = (machine::cpu(false) - before) / passes as f64;
    }
    parsed
}
