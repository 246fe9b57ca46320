//! What it costs to compare two folders of documents of which 1 % changed, beside reading and hashing the same files: the least
//! that anybody must do who wants to know whether they are the same. All in one run, so that the ratio holds on a noisy machine.
//!
//! `just bench diff [DOCUMENTS]` (100,000 if absent: 2 GB in the folder for temporary files).

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

#[path = "deliver/machine.rs"]
mod machine;

use sangtrang::demo::{Portal, serve};
use sangtrang::document::DocumentId;
use serde_json::Value;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

const BIN: &str = env!("CARGO_BIN_EXE_sangtrang");
/// Articles whose documents are multiplied.
const ARTICLES: usize = 50;
/// One document of so many changed.
const CHANGED: usize = 100;

fn main() {
    let asked = std::env::args().skip(1).find_map(|a| a.parse().ok());
    let count: usize = asked.unwrap_or(100_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let templates = templates(folder.path());
    let sides = ["a", "b"].map(|side| folder.path().join(side));
    for (n, side) in sides.iter().enumerate() {
        write(side, &templates, count, n == 1);
    }
    let files = sides.each_ref().map(|s| s.join("documents.jsonl"));
    let bytes: u64 = files
        .iter()
        .map(|f| std::fs::metadata(f).expect("it was written").len())
        .sum();
    // Once before: both find the files where the other finds them.
    files.iter().for_each(|f| hash(f));
    let started = Instant::now();
    files.iter().for_each(|f| hash(f));
    let floor = started.elapsed().as_secs_f64();
    let before = machine::cpu(true);
    let started = Instant::now();
    let (summary, peak) = diff(&sides[0], &sides[1]);
    let wall = started.elapsed().as_secs_f64();
    let cpu = machine::cpu(true) - before;
    assert_eq!(summary["changed"], count.div_ceil(CHANGED), "{summary}");
    assert_eq!(summary["same"], count - count.div_ceil(CHANGED), "{summary}");
    println!(
        "\ndocuments a side  changed      MB  seconds  cpu-s  peak MiB  read and hash s  x read and hash"
    );
    println!(
        "{count:>16} {:>8} {:>7.0} {wall:>8.2} {cpu:>6.2} {:>9.1} {floor:>16.2} {:>16.2}",
        summary["changed"],
        bytes as f64 / 1e6,
        peak / 1024.0,
        wall / floor
    );
}

/// Documents of the bundled portal.
fn templates(folder: &Path) -> Vec<Value> {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a reactor");
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
                .await
                .expect("a port");
            tell.send(listener.local_addr().expect("its address"))
                .expect("the bench waits");
            let portal = Arc::new(Portal::new(ARTICLES, 1));
            serve(portal, listener, CancellationToken::new())
                .await
                .expect("the portal serves");
        });
    });
    let address = told.recv().expect("the portal starts");
    let output = folder.join("output");
    Command::new(BIN)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["--quiet", "run", "mappings/ctk-binhthuan.toml", "--delay", "0ms"])
        .args(["--connect-to", &format!("::{address}"), "--output"])
        .arg(&output)
        .stderr(Stdio::null())
        .status()
        .expect("the binary runs");
    let lines = std::fs::read_to_string(output.join("ctk-binhthuan/documents.jsonl")).expect("documents");
    lines
        .lines()
        .map(|l| serde_json::from_str(l).expect("a document"))
        .collect()
}

/// So many documents; those of the second side stand the other way round, and one of [`CHANGED`] has another word.
fn write(side: &Path, templates: &[Value], count: usize, second: bool) {
    std::fs::create_dir_all(side).expect("a folder");
    let file = std::fs::File::create(side.join("documents.jsonl")).expect("a file");
    let mut out = BufWriter::with_capacity(1 << 20, file);
    for n in 0..count {
        let n = if second { count - 1 - n } else { n };
        let mut document = templates[n % templates.len()].clone();
        let key = format!("news:{n}");
        document["id"] = DocumentId::new("ctk-binhthuan", &key).to_string().into();
        document["title"] = format!("{} {n}", document["title"].as_str().unwrap_or_default()).into();
        document["source_key"] = key.into();
        if second && n.is_multiple_of(CHANGED) {
            let blocks = document["body"].as_array_mut().into_iter().flatten();
            let text = blocks
                .filter(|b| b["kind"] == "paragraph")
                .map(|b| &mut b["text"])
                .next()
                .expect("a paragraph");
            *text = format!("{} nữa", text.as_str().unwrap_or_default()).into();
        }
        writeln!(out, "{document}").expect("room");
    }
    out.flush().expect("room");
}

fn hash(file: &Path) {
    let mut file = std::fs::File::open(file).expect("it was written");
    let (mut hasher, mut chunk) = (blake3::Hasher::new(), vec![0; 1 << 20]);
    loop {
        match file.read(&mut chunk).expect("it can be read") {
            0 => break,
            n => hasher.update(&chunk[..n]),
        };
    }
    std::hint::black_box(hasher.finalize());
}

/// The summary, and the most memory that the process had (KiB).
fn diff(old: &Path, new: &Path) -> (Value, f64) {
    let mut child = Command::new(BIN)
        .args(["--json", "--quiet", "diff"])
        .args([old, new])
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdout = child.stdout.take().expect("a pipe");
    let reader = std::thread::spawn(move || {
        let mut said = String::new();
        stdout.read_to_string(&mut said).expect("text");
        said
    });
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0_f64;
    let code = loop {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let high = text.lines().find_map(|l| {
            let kib = l.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?;
            kib.trim().parse::<f64>().ok()
        });
        peak = peak.max(high.unwrap_or_default());
        if let Some(code) = child.try_wait().expect("a child") {
            break code.code();
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    assert_eq!(code, Some(1), "they differ");
    let said = reader.join().expect("no panic");
    let first = said.lines().next().unwrap_or_default();
    (serde_json::from_str(first).expect("the summary"), peak)
}
