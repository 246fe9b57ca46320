//! The whole job (robots.txt, archive, ledger with `synchronous=FULL`, extraction) on a site of 5,000 pages of 40 KB behind
//! nginx, beside a bare loop of reqwest and scraper and, where they are installed, Scrapy and wget2. One run, one server, one
//! machine: the ratios hold on a noisy one. Every article is compared with the generator's truth.
//!
//! `just bench crawl [PAGES]`. Needs python3, nginx and the generator (`../shared/data/loadsite` or `SANGTRANG_SHARED`).

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BIN: &str = env!("CARGO_BIN_EXE_sangtrang");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const ADDRESS: &str = "127.0.0.1:18080";
const CONCURRENCY: &str = "16";

fn main() {
    let mut args = std::env::args().skip(1).filter(|a| a != "--bench");
    match args.next() {
        Some(first) if first == "--bare" => bare::run(),
        first => compare(first.and_then(|a| a.parse().ok()).unwrap_or(5000)),
    }
}

fn compare(pages: usize) {
    let shared =
        std::env::var_os("SANGTRANG_SHARED").map_or_else(|| Path::new(ROOT).join("../shared"), PathBuf::from);
    let generator = shared.join("data/loadsite/gensite.py");
    if !generator.exists() || !installed("nginx", "-v") || !installed("python3", "--version") {
        println!(
            "SKIPPED: this bench needs python3, nginx and {} (SANGTRANG_SHARED names another place)",
            generator.display()
        );
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let www = folder.path().join("www");
    let made = Command::new("python3")
        .arg(&generator)
        .arg(&www)
        .args([
            "--pages",
            &pages.to_string(),
            "--host",
            &format!("http://{ADDRESS}"),
        ])
        .stdout(Stdio::null())
        .status()
        .expect("python3 runs");
    assert!(made.success(), "the generator failed");
    let server = Nginx::start(folder.path(), &www);
    let truth = truth(&folder.path().join("www.truth.jsonl"));

    let mut rows = Vec::new();
    let output = folder.path().join("output");
    let mut ours = Command::new(BIN);
    ours.args([
        "--quiet",
        "run",
        "benches/crawl/loadsite.toml",
        "--concurrency",
        CONCURRENCY,
    ])
    .arg("--output")
    .arg(&output);
    let row = measure("sangtrang", &mut ours, &server);
    let right = right(&output.join("loadsite/documents.jsonl"), &truth);
    println!(
        "sangtrang: {right} of {} articles with the right title and body",
        truth.len()
    );
    let ledger = std::fs::metadata(output.join("loadsite/ledger.db")).map_or(0, |m| m.len());
    println!("ledger: {} bytes a URL", ledger / (row.pages + row.files).max(1));
    rows.push(row);

    let me = std::env::current_exe().expect("its own path");
    rows.push(measure(
        "reqwest + scraper, bare",
        Command::new(me).arg("--bare"),
        &server,
    ));
    let spider = shared.join("data/loadsite/spider_scrapy.py");
    if installed("scrapy", "version") && spider.exists() {
        let mut scrapy = Command::new("scrapy");
        scrapy
            .arg("runspider")
            .arg(&spider)
            .args([
                "-s",
                "CONCURRENT_REQUESTS=16",
                "-s",
                "CONCURRENT_REQUESTS_PER_DOMAIN=16",
                "-s",
                "LOG_LEVEL=ERROR",
                "-s",
                "DOWNLOAD_DELAY=0",
                "-o",
            ])
            .arg(folder.path().join("scrapy.jsonl"));
        rows.push(measure("Scrapy (no archive, no ledger)", &mut scrapy, &server));
    } else {
        println!("Scrapy is not installed: not compared");
    }
    if installed("wget2", "--version") {
        let mut wget = Command::new("wget2");
        wget.args(["-q", "-r", "--max-threads=16", "-P"])
            .arg(folder.path().join("wget"))
            .arg(format!("http://{ADDRESS}/index.html"));
        rows.push(measure("wget2 (files only)", &mut wget, &server));
    } else {
        println!("wget2 is not installed: not compared");
    }

    println!(
        "\n{:<32} {:>7} {:>7} {:>9} {:>12} {:>9} {:>9}",
        "", "pages", "files", "pages/s", "CPU-ms/page", "peak MiB", "x our CPU"
    );
    let own = rows[0].cpu / rows[0].pages.max(1) as f64;
    for row in &rows {
        let cpu = row.cpu / row.pages.max(1) as f64;
        println!(
            "{:<32} {:>7} {:>7} {:>9.0} {:>12.2} {:>9.1} {:>9.2}",
            row.name,
            row.pages,
            row.files,
            row.pages as f64 / row.wall,
            cpu * 1000.0,
            row.peak,
            cpu / own
        );
    }
}

fn installed(program: &str, flag: &str) -> bool {
    let run = Command::new(program)
        .arg(flag)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    run.is_ok_and(|s| s.success())
}

struct Row {
    name: &'static str,
    pages: u64,
    files: u64,
    wall: f64,
    cpu: f64,
    peak: f64,
}

/// Runs a command; its CPU time and peak memory are read from `/proc` until it is gone.
fn measure(name: &'static str, command: &mut Command, server: &Nginx) -> Row {
    server.forget();
    let started = Instant::now();
    let mut child = command
        .current_dir(ROOT)
        .stdout(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("{name} starts: {e}"));
    let proc = PathBuf::from(format!("/proc/{}", child.id()));
    let mut peak = 0.0f64;
    loop {
        let stat = std::fs::read_to_string(proc.join("stat")).unwrap_or_default();
        // Behind the closing bracket of the name: state, …; a zombie keeps its times until it is waited for.
        if stat
            .rsplit(')')
            .next()
            .is_none_or(|rest| rest.trim_start().starts_with('Z'))
        {
            break;
        }
        let status = std::fs::read_to_string(proc.join("status")).unwrap_or_default();
        let high = status.lines().find_map(|l| {
            l.strip_prefix("VmHWM:")?
                .trim()
                .split(' ')
                .next()?
                .parse::<f64>()
                .ok()
        });
        peak = peak.max(high.unwrap_or(0.0) / 1024.0);
        std::thread::sleep(Duration::from_millis(5));
    }
    let wall = started.elapsed().as_secs_f64();
    let stat = std::fs::read_to_string(proc.join("stat")).unwrap_or_default();
    let fields: Vec<f64> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .map(|f| f.parse().unwrap_or(0.0))
        .collect();
    let cpu = fields.get(11..13).map_or(0.0, |t| (t[0] + t[1]) / 100.0);
    let status = child.wait().expect("it ends");
    if !matches!(status.code(), Some(0 | 4 | 8)) {
        println!("{name} ended with {status}");
    }
    let (pages, files) = server.served();
    Row {
        name,
        pages,
        files,
        wall,
        cpu,
        peak,
    }
}

struct Nginx {
    child: Child,
    log: PathBuf,
}

impl Nginx {
    fn start(folder: &Path, www: &Path) -> Self {
        let log = folder.join("access.log");
        let here = folder.display();
        let config = format!(
            "worker_processes 1; daemon off; pid {here}/nginx.pid; error_log {here}/error.log;\n\
             events {{ worker_connections 512; }}\n\
             http {{ types {{ text/html html; text/xml xml; text/plain txt; image/png png; }}\n\
             access_log {} combined buffer=64k flush=1s; sendfile on; keepalive_requests 100000;\n\
             client_body_temp_path {here}/t1; proxy_temp_path {here}/t2; fastcgi_temp_path {here}/t3;\n\
             uwsgi_temp_path {here}/t4; scgi_temp_path {here}/t5;\n\
             server {{ listen {ADDRESS}; root {}; }} }}\n",
            log.display(),
            www.display()
        );
        let file = folder.join("nginx.conf");
        std::fs::write(&file, config).expect("its configuration");
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        let until = Instant::now() + Duration::from_secs(10);
        while std::net::TcpStream::connect(ADDRESS).is_err() {
            assert!(Instant::now() < until, "nginx does not listen on {ADDRESS}");
            std::thread::yield_now();
        }
        Self { child, log }
    }

    fn settle(&self) -> String {
        // The log is flushed once a second.
        let mut last = u64::MAX;
        loop {
            let now = std::fs::metadata(&self.log).map_or(0, |m| m.len());
            if now == last {
                return std::fs::read_to_string(&self.log).unwrap_or_default();
            }
            last = now;
            std::thread::sleep(Duration::from_millis(1500));
        }
    }

    fn forget(&self) {
        self.settle();
        // nginx appends; an empty file begins anew.
        std::fs::File::create(&self.log).expect("an empty log");
    }

    /// Pages and other files that were served whole.
    fn served(&self) -> (u64, u64) {
        let log = self.settle();
        let ok = log.lines().filter(|l| l.contains("\" 200 "));
        let (pages, files): (Vec<&str>, Vec<&str>) = ok.partition(|l| l.contains(".html HTTP"));
        (pages.len() as u64, files.len() as u64)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
    }
}

/// Title and hash of the body by path.
fn truth(file: &Path) -> HashMap<String, (String, String)> {
    let text = std::fs::read_to_string(file).expect("the truth");
    text.lines()
        .map(|line| {
            let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let get = |key: &str| row[key].as_str().unwrap_or_default().to_owned();
            (get("url"), (get("title"), get("body_sha256")))
        })
        .collect()
}

fn right(documents: &Path, truth: &HashMap<String, (String, String)>) -> usize {
    let text = std::fs::read_to_string(documents).unwrap_or_default();
    text.lines()
        .filter(|line| {
            let document: serde_json::Value = serde_json::from_str(line).expect("JSON");
            let key = document["source_key"].as_str().unwrap_or_default();
            let Some((title, body)) = truth.get(key.trim_start_matches("news:")) else {
                return false;
            };
            let blocks = document["body"].as_array().into_iter().flatten();
            let paragraphs: Vec<&str> = blocks
                .filter(|b| b["kind"] == "paragraph")
                .filter_map(|b| b["text"].as_str())
                .collect();
            let hash = Sha256::digest(paragraphs.join("\n").as_bytes());
            let hash: String = hash.iter().map(|b| format!("{b:02x}")).collect();
            document["title"].as_str() == Some(title) && hash == *body
        })
        .count()
}

/// The floor: fetch, links, title and body by selectors; nothing is kept.
mod bare {
    use scraper::{Html, Selector};
    use std::collections::HashSet;
    use std::sync::{Arc, Mutex};

    struct Work {
        queue: Vec<String>,
        seen: HashSet<String>,
        flying: usize,
    }

    pub(super) fn run() {
        // An error means that it is installed already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a reactor");
        runtime.block_on(async {
            let start = format!("http://{}/index.html", super::ADDRESS);
            let work = Arc::new(Mutex::new(Work {
                seen: HashSet::from([start.clone()]),
                queue: vec![start],
                flying: 0,
            }));
            let wake = Arc::new(tokio::sync::Notify::new());
            let client = reqwest::Client::builder().no_proxy().build().expect("a client");
            let mut workers = Vec::new();
            for _ in 0..16 {
                let (work, wake, client) = (work.clone(), wake.clone(), client.clone());
                workers.push(tokio::spawn(async move {
                    loop {
                        let woken = wake.notified();
                        let next = {
                            let mut work = work.lock().expect("the queue");
                            let next = work.queue.pop();
                            if next.is_none() && work.flying == 0 {
                                wake.notify_waiters();
                                return;
                            }
                            work.flying += usize::from(next.is_some());
                            next
                        };
                        let Some(url) = next else {
                            woken.await;
                            continue;
                        };
                        let body = match client.get(&url).send().await {
                            Ok(answer) => answer.text().await.unwrap_or_default(),
                            Err(_) => String::new(),
                        };
                        let links = read(&url, &body);
                        let mut work = work.lock().expect("the queue");
                        for link in links {
                            if work.seen.insert(link.clone()) {
                                work.queue.push(link);
                            }
                        }
                        work.flying -= 1;
                        drop(work);
                        wake.notify_waiters();
                    }
                }));
            }
            for worker in workers {
                worker.await.expect("a worker");
            }
        });
    }

    fn read(url: &str, body: &str) -> Vec<String> {
        if !url.ends_with(".html") {
            return Vec::new();
        }
        let css = |text: &str| Selector::parse(text).expect("a selector");
        let page = Html::parse_document(body);
        let text = |s: &str| {
            page.select(&css(s))
                .map(|e| e.text().collect::<String>())
                .collect::<Vec<_>>()
        };
        std::hint::black_box((text("td.title h1"), text("td.content p")));
        let Ok(base) = url::Url::parse(url) else {
            return Vec::new();
        };
        let (anchors, pictures) = (css("a[href]"), css("td.content img[src]"));
        let links = page.select(&anchors).filter_map(|a| a.attr("href"));
        let images = page.select(&pictures).filter_map(|i| i.attr("src"));
        links
            .chain(images)
            .filter_map(|href| base.join(href).ok())
            .filter(|u| u.host() == base.host() && u.port() == base.port())
            .map(String::from)
            .collect()
    }
}
