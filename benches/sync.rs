//! What a sync costs when nothing is new: requests, bytes, seconds and CPU beside the first one, which brings everything, and
//! what it writes to a real CMS. And whether a daemon's memory stays flat.
//!
//! `just bench sync [ARTICLES [wordpress]]` (10,000 and Directus if absent), `just bench sync daemon [SYNCS]` (1,000 if absent).

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is what a bench is for; what is not here is said aloud"
)]

#[path = "deliver/cms.rs"]
mod cms;
#[path = "deliver/machine.rs"]
mod machine;

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Request, Response, header};
use cms::{Cms, Kind};
use sangtrang::demo::{Portal, serve};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio_util::sync::CancellationToken;

const BIN: &str = env!("CARGO_BIN_EXE_sangtrang");
const MAPPING: &str = "mappings/ctk-binhthuan.toml";

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize| args.get(at).and_then(|a| a.parse().ok());
    if args.first().is_some_and(|a| a == "daemon") {
        daemon(number(1).unwrap_or(1000));
    } else {
        let kind = match args.get(1).map(String::as_str) {
            Some("wordpress") => Kind::WordPress,
            _ => Kind::Directus,
        };
        quiet(number(0).unwrap_or(10_000), kind);
    }
}

/// The portal in a thread of this process, which counts what it is asked.
fn portal(articles: usize) -> (Arc<Portal>, String) {
    let portal = Arc::new(Portal::new(articles, 1).recording());
    let (tell, told) = std::sync::mpsc::channel();
    let served = portal.clone();
    std::thread::spawn(move || {
        reactor().block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            tell.send(listener.local_addr().expect("its address"))
                .expect("the bench waits");
            serve(served, listener, CancellationToken::new())
                .await
                .expect("the portal serves");
        });
    });
    let address = told.recv().expect("the portal starts");
    (portal, format!("::{address}"))
}

/// Methods of the requests that went by to a CMS.
struct Counter {
    base: String,
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
    _runtime: tokio::runtime::Runtime,
}

struct Forward {
    to: String,
    client: reqwest::Client,
    asked: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Counter {
    /// Stands before the CMS at `to`.
    fn start(to: &str) -> Self {
        let runtime = reactor();
        let asked = Arc::new(Mutex::new(BTreeMap::new()));
        let forward = Arc::new(Forward {
            to: to.to_owned(),
            client: client(8),
            asked: asked.clone(),
        });
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("its address"));
        let router = axum::Router::new().fallback(pass).with_state(forward);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            base,
            asked,
            _runtime: runtime,
        }
    }

    /// What went by since the last time: all requests, and those that can write.
    fn take(&self) -> (u64, u64) {
        let asked = std::mem::take(&mut *self.asked.lock().expect("no panic"));
        let all = asked.values().sum();
        let reads = |m: &str| matches!(m, "GET" | "HEAD" | "SEARCH" | "OPTIONS");
        (all, asked.iter().filter(|(m, _)| !reads(m)).map(|(_, n)| n).sum())
    }
}

async fn pass(State(forward): State<Arc<Forward>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    *forward
        .asked
        .lock()
        .expect("no panic")
        .entry(parts.method.to_string())
        .or_default() += 1;
    let path = parts
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut headers = parts.headers;
    for name in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
        headers.remove(name);
    }
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let request = forward
        .client
        .request(parts.method, format!("{}{path}", forward.to));
    let answer = request
        .headers(headers)
        .body(body)
        .send()
        .await
        .expect("an answer");
    let (status, headers) = (answer.status(), answer.headers().clone());
    let mut response = Response::new(Body::from(answer.bytes().await.expect("a body")));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    for name in [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
    ] {
        response.headers_mut().remove(name);
    }
    response
}

struct Cost {
    asked: f64,
    bytes: f64,
    seconds: f64,
    cpu: f64,
    peak: f64,
    cms: (u64, u64),
    told: serde_json::Value,
}

const NAMES: [&str; 3] = ["first sync", "next day", "day after"];

impl Cost {
    fn row(&self, name: &str) {
        println!(
            "{name:<16} {:>14} {:>10.2} {:>10.2} {:>12.2} {:>9.0} {:>13} {:>11}",
            self.asked,
            self.bytes / 1_048_576.0,
            self.seconds,
            self.cpu,
            self.peak / 1024.0,
            self.cms.0,
            self.cms.1
        );
    }
}

fn quiet(articles: usize, kind: Kind) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (portal, connect_to) = portal(articles);
    let cms = Cms::start(kind);
    if let Some(cms) = &cms {
        cms.wipe();
        println!("{articles} articles into {}", cms.name());
    }
    let counter = cms.as_ref().map(|cms| Counter::start(&cms.base));
    let begin: jiff::Timestamp = "2023-08-01T02:00:00Z".parse().expect("a time");
    println!(
        "                       requests        MiB    seconds  CPU seconds  peak MiB  CMS requests  CMS writes"
    );
    let mut costs: Vec<Cost> = Vec::new();
    for day in 0..3 {
        let now = begin + jiff::SignedDuration::from_hours(24 * day);
        let mut command = match &cms {
            Some(cms) => cms.command(),
            None => Command::new(BIN),
        };
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("SANGTRANG_NOW", now.to_string());
        command.args([
            "--json",
            "-q",
            "sync",
            MAPPING,
            "--delay",
            "0ms",
            "--concurrency",
            "16",
            "--no-verify",
        ]);
        command
            .args(["--connect-to", &connect_to])
            .arg("--output")
            .arg(folder.path());
        if let (Some(cms), Some(counter)) = (&cms, &counter) {
            command
                .arg("--target")
                .arg(cms.target(folder.path(), &counter.base, ""));
        }
        let before = portal.requests_len();
        let mut cost = watched(&mut command);
        cost.asked = (portal.requests_len() - before) as f64;
        cost.cms = counter.as_ref().map(Counter::take).unwrap_or_default();
        cost.row(NAMES[costs.len()]);
        costs.push(cost);
    }
    let first = &costs[0];
    for (name, c) in NAMES.iter().zip(&costs).skip(1) {
        println!(
            "{name}: requests x {:.4}, bytes x {:.4}, seconds x {:.3}, CPU x {:.3}; told: {}",
            c.asked / first.asked,
            c.bytes / first.bytes,
            c.seconds / first.seconds,
            c.cpu / first.cpu,
            c.told["target"]["writes"]
        );
        assert_eq!(c.told["portal"]["changed"], 0, "nothing changed");
        assert!(
            cms.is_none() || c.told["target"]["writes"] == 0,
            "nothing is written"
        );
    }
}

/// Runs a sync to its end: seconds, CPU, peak of its memory in KiB, what it told.
fn watched(command: &mut Command) -> Cost {
    let before = machine::cpu(true);
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
    let pid = child.id();
    let mut stdout = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).expect("text");
        text
    });
    let mut peak = 0.0;
    let status = loop {
        peak = memory(pid, "VmHWM:").max(peak);
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    };
    let text = reader.join().expect("no panic");
    let told: serde_json::Value = text
        .lines()
        .rev()
        .find_map(|l| serde_json::from_str(l).ok())
        .unwrap_or_default();
    assert!(
        matches!(status.code(), Some(0 | 4)),
        "{command:?}: {status}: {told}"
    );
    Cost {
        asked: 0.0,
        bytes: told["portal"]["bytes"].as_f64().expect("bytes"),
        seconds: started.elapsed().as_secs_f64(),
        cpu: machine::cpu(true) - before,
        peak,
        cms: (0, 0),
        told,
    }
}

/// A daemon that syncs without a pause: its memory, and how many files it has open.
fn daemon(syncs: usize) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (_portal, connect_to) = portal(40);
    let mut command = Command::new(BIN);
    command.current_dir(env!("CARGO_MANIFEST_DIR"));
    command.args([
        "--json", "-q", "sync", MAPPING, "--delay", "0ms", "--every", "1ms", "--jitter", "0ms",
    ]);
    command
        .args(["--connect-to", &connect_to])
        .arg("--output")
        .arg(folder.path());
    let mut child = command.stdout(Stdio::piped()).spawn().expect("the binary runs");
    let pid = child.id();
    let open = || std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let done = lines
        .map_while(Result::ok)
        .filter(|l| l.contains("\"type\":\"sync\""));
    let started = Instant::now();
    let mut seen = Vec::new();
    println!("syncs  resident MiB  open files");
    for (n, _) in done.take(syncs).enumerate() {
        if (n + 1) % (syncs / 20).max(1) == 0 {
            let now = memory(pid, "VmRSS:") / 1024.0;
            println!("{:>5} {now:>13.1} {:>11}", n + 1, open());
            seen.push(now);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let _ = child.kill();
    let _ = child.wait();
    // The first tenth warms up.
    let rest = &seen[seen.len() / 10..];
    let middle = |part: &[f64]| part.iter().sum::<f64>() / part.len().max(1) as f64;
    let (early, late) = rest.split_at(rest.len() / 2);
    println!(
        "{syncs} syncs in {seconds:.0} s: {:.1} MiB in the first half, {:.1} MiB in the second; on disk {} MiB",
        middle(early),
        middle(late),
        size(folder.path()) >> 20
    );
}

fn size(folder: &Path) -> u64 {
    let mut sum = 0;
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            match entry.metadata() {
                Ok(m) if m.is_dir() => folders.push(entry.path()),
                Ok(m) => sum += m.len(),
                Err(_) => {}
            }
        }
    }
    sum
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(pid: u32, line: &str) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let found = status.lines().find_map(|l| l.strip_prefix(line));
    found
        .and_then(|l| l.trim().trim_end_matches(" kB").parse().ok())
        .unwrap_or_default()
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

fn client(idle: usize) -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(idle)
        .build()
        .expect("a client")
}

fn reactor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a reactor")
}
