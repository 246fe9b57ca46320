//! What delivery costs: into a real WordPress and a real Directus, beside a floor on the same server in the same run, a bare
//! parallel loop of the very requests that we send. The order alternates and each figure is a median, so that the ratio
//! holds on a noisy machine. And our own memory, with a portal of 100,000 documents.
//!
//! `just bench deliver [ARTICLES [ROUNDS]]`, `just bench deliver memory [DOCUMENTS]`.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table is what a bench is for"
)]

mod cms;
mod floor;
mod machine;
mod memory;

use cms::{Cms, Kind};
use floor::{Recorder, Sent};
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BIN: &str = env!("CARGO_BIN_EXE_sangtrang");
const MAPPING: &str = "mappings/ctk-binhthuan.toml";
const SITE: &str = "ctk-binhthuan";
/// Connections of the floor; the best of them counts.
const CONNECTIONS: [usize; 4] = [1, 2, 4, 8];

fn main() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |at: usize, usual: usize| args.get(at).and_then(|a| a.parse().ok()).unwrap_or(usual);
    if args.first().is_some_and(|a| a == "memory") {
        memory::measure(number(1, 100_000));
        return;
    }
    let (articles, rounds) = (number(0, 200), number(1, 3));
    let portal = extracted(articles);
    for kind in [Kind::WordPress, Kind::Directus] {
        if let Some(cms) = Cms::start(kind) {
            measure(&cms, portal.path(), rounds);
        }
    }
}

/// A folder with an extracted portal of so many articles.
fn extracted(articles: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (mut server, address) = serve(articles);
    let status = Command::new(BIN)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--quiet", "run", MAPPING, "--delay", "0ms", "--concurrency", "8"])
        .args(["--connect-to", &format!("::{address}"), "--output"])
        .arg(folder.path())
        .stdout(Stdio::null())
        .status()
        .expect("the binary runs");
    let _ = server.kill();
    let _ = server.wait();
    assert!(
        matches!(status.code(), Some(0 | 4)),
        "the portal cannot be read: {status}"
    );
    folder
}

/// The portal in a process of its own.
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

/// One of our runs.
struct Ours {
    wall: f64,
    cpu: f64,
    peak: u64,
}

fn measure(cms: &Cms, portal: &Path, rounds: usize) {
    println!("\n{} at {}; load {}", cms.name(), cms.base, load());
    // Once through a recorder, one request at a time: what we send, in an order that can be sent again.
    let recorder = Recorder::start(&cms.base);
    cms.wipe();
    deliver(cms, portal, &recorder.base, "concurrency = 1\n");
    let sent = recorder.requests();
    drop(recorder);
    let articles = documents(portal);
    tell(&sent, articles);
    let mut ours = Vec::new();
    let mut floors: BTreeMap<usize, Vec<(f64, f64)>> = BTreeMap::new();
    for round in 0..rounds {
        let mine = |ours: &mut Vec<Ours>| {
            cms.wipe();
            ours.push(deliver(cms, portal, &cms.base, ""));
        };
        let mut bare = || {
            for connections in CONNECTIONS {
                cms.wipe();
                let measured = floor::replay(&cms.base, &sent, connections);
                floors.entry(connections).or_default().push(measured);
            }
        };
        if round % 2 == 0 {
            mine(&mut ours);
            bare();
        } else {
            bare();
            mine(&mut ours);
        }
        // Ours stands once beside four of the floor: a second run keeps chance out of it.
        mine(&mut ours);
    }
    let n = articles as f64;
    let wall = median(ours.iter().map(|o| o.wall));
    let cpu = median(ours.iter().map(|o| o.cpu));
    println!("\n                 articles/s  requests/s  cpu ms/article");
    let row = |name: &str, wall: f64, cpu: f64| {
        println!(
            "{name:<16} {:>10.1} {:>11.1} {:>15.2}",
            n / wall,
            sent.len() as f64 / wall,
            cpu / n * 1000.0
        );
    };
    let mut best = f64::INFINITY;
    for (connections, measured) in &floors {
        let wall = median(measured.iter().map(|m| m.0));
        best = best.min(wall);
        row(
            &format!("bare loop, {connections}"),
            wall,
            median(measured.iter().map(|m| m.1)),
        );
    }
    row("sangtrang", wall, cpu);
    let peak = ours.iter().map(|o| o.peak).max().unwrap_or_default();
    println!(
        "ratio to the best bare loop: {:.2} (runs of ours: {}); peak {:.0} MiB; load {}",
        best / wall,
        ours.iter()
            .map(|o| format!("{:.1} s", o.wall))
            .collect::<Vec<_>>()
            .join(", "),
        peak as f64 / 1024.0 / 1024.0,
        load()
    );
}

/// Plans, and applies through `base`; only the second is measured.
fn deliver(cms: &Cms, portal: &Path, base: &str, more: &str) -> Ours {
    let folder = tempfile::tempdir().expect("a temporary folder");
    copy(portal, folder.path());
    let target = cms.target(folder.path(), &cms.base, more);
    let mut plan = cms.command();
    plan.args(["--quiet", "plan", MAPPING, "--target"]).arg(&target);
    plan.arg("--output").arg(folder.path()).stdout(Stdio::null());
    succeed(&mut plan);
    cms.target(folder.path(), base, more);
    let mut apply = cms.command();
    apply
        .args(["--quiet", "apply"])
        .arg(folder.path().join(SITE).join("plan.json"));
    apply.arg("--output").arg(folder.path());
    watched(&mut apply)
}

/// Runs a command to its good end: wall and CPU seconds, peak of its memory in bytes.
fn watched(command: &mut Command) -> Ours {
    let before = machine::cpu(true);
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).spawn().expect("the binary runs");
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        // The high-water mark only grows: the last look before its end is all but the highest.
        let status = std::fs::read_to_string(&status_file).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib: u64 = line
            .and_then(|l| l.trim().trim_end_matches(" kB").parse().ok())
            .unwrap_or_default();
        peak = peak.max(kib * 1024);
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let wall = started.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?}: {status}");
    Ours {
        wall,
        cpu: machine::cpu(true) - before,
        peak,
    }
}

/// What our run sends, by sort.
fn tell(sent: &[Sent], articles: usize) {
    let mut sorts: Vec<(String, usize)> = Vec::new();
    for one in sent {
        let sort = floor::sort(one);
        match sorts.iter_mut().find(|s| s.0 == sort) {
            Some(found) => found.1 += 1,
            None => sorts.push((sort, 1)),
        }
    }
    println!(
        "{} requests for {articles} articles, {:.2} an article:",
        sent.len(),
        sent.len() as f64 / articles as f64
    );
    for (sort, count) in sorts {
        println!("  {count:>6}  {sort}");
    }
}

fn documents(portal: &Path) -> usize {
    let file = std::fs::File::open(portal.join(SITE).join("documents.jsonl")).expect("documents");
    BufReader::new(file).lines().count()
}

fn succeed(command: &mut Command) {
    let output = command.output().expect("it runs");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).expect("a copy");
        }
    }
}

/// A client that speaks to this machine only.
fn client(idle: usize) -> reqwest::Client {
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(idle);
    client.build().expect("a client")
}

fn reactor() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a reactor")
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 {
        values[half]
    } else {
        (values[half - 1] + values[half]) / 2.0
    }
}

/// One-minute load of the machine.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().unwrap_or("?").to_owned()
}
