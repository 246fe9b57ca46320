//! D9: answers that are small on the wire and huge in memory, and bodies without an end.

use crate::harness::run;
use crate::site::{Reply, Rules, Site, articles_are, class, healthy, job, links, mapping};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MIB: usize = 1 << 20;
/// The mapping's limit of a page.
const PAGE: usize = 8 * MIB;
/// What the run may hold at most. A program that is not optimised takes more: its own code, and bodies that wait for a slower
/// parser.
const MEMORY: u64 = if cfg!(debug_assertions) { 160 } else { 128 } * MIB as u64;

/// `size` bytes of nothing, packed.
fn gzip(size: usize) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let block = vec![b' '; MIB];
    for _ in 0..size / MIB {
        packed.write_all(&block).unwrap();
    }
    packed.finish().unwrap()
}

/// A Zstandard frame (RFC 8878) of run-length blocks of 128 KiB: four bytes each.
fn zstd(size: usize) -> Vec<u8> {
    const BLOCK: usize = 128 * 1024;
    // Magic number; no content size, no checksum; a window of 128 KiB (exponent 7).
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3];
    let count = size / BLOCK;
    for n in 0..count {
        let header = (BLOCK << 3) | (1 << 1) | usize::from(n + 1 == count);
        frame.extend_from_slice(&header.to_le_bytes()[..3]);
        frame.push(b' ');
    }
    frame
}

/// 34 bytes of Brotli that become 11.5 MB (from Scrapy's test data, BSD-3-Clause).
const BROTLI: &str = "9f3ba7aff88d946edeaa56700913536d6f590832b7e50aef28e4292dd0b43d5f6f01";

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
        .collect()
}

#[test]
fn d09_bombs_are_named_and_memory_stays_flat() {
    let once = gzip(if cfg!(debug_assertions) {
        256 * MIB
    } else {
        1024 * MIB
    });
    let mut twice = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    twice.write_all(&once).unwrap();
    let packed = |coding: &'static str, body: Vec<u8>| {
        move || {
            let headers = format!("Content-Type: text/html\r\nContent-Encoding: {coding}\r\n");
            Reply::Answer(200, headers, body.clone())
        }
    };
    let sent = Arc::new(AtomicU64::new(0));
    let endless = {
        let sent = sent.clone();
        move || {
            let sent = sent.clone();
            Reply::raw(move |stream| {
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n")?;
                let block = vec![b'x'; 64 * 1024];
                loop {
                    stream.write_all(&block)?;
                    sent.fetch_add(block.len() as u64, Ordering::Relaxed);
                }
            })
        }
    };
    let deep = "<div>".repeat(100_000) + "đáy" + &"</div>".repeat(100_000);
    let attributes: String = (0..1_000_000).map(|n| format!(" a{n:x}")).collect();
    let siblings = "<b>x".repeat(300_000);
    type Make = Box<dyn Fn() -> Reply + Send + Sync>;
    let bombs: Vec<(&str, Make)> = vec![
        ("/gzip", Box::new(packed("gzip", once))),
        (
            "/gzip-gzip",
            Box::new(packed("gzip, gzip", twice.finish().unwrap())),
        ),
        ("/zstd", Box::new(packed("zstd", zstd(1024 * MIB)))),
        ("/br", Box::new(packed("br", bytes_of(BROTLI)))),
        ("/endless", Box::new(endless)),
        ("/deep", Box::new(move || Reply::page(deep.clone()))),
        (
            "/attributes",
            Box::new(move || Reply::page(format!("<div{attributes}>x</div>"))),
        ),
        ("/unclosed", Box::new(move || Reply::page(siblings.clone()))),
    ];
    let paths: Vec<&str> = bombs.iter().map(|b| b.0).collect();
    let home = paths
        .iter()
        .map(|p| format!("<a href='{p}'>x</a>"))
        .collect::<String>()
        + &links(1..=20);
    let site = Site::start(move |asked| {
        if asked.path == "/" {
            return Reply::page(home.clone());
        }
        match bombs.iter().find(|b| b.0 == asked.path) {
            Some((_, make)) => make(),
            None => healthy(asked, 20),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let limits = format!("[limits]\npage_bytes = {PAGE}\n");
    let rules = Rules {
        more: &limits,
        ..Rules::default()
    };
    let mapping = mapping(folder.path(), &rules);
    let ended = run(&mut job(&mapping, site.address, &output)).with(4);
    assert!(!ended.said.contains("panicked"), "{}", ended.said);
    articles_are(&output, 1..=20);
    for path in ["/gzip", "/gzip-gzip", "/zstd", "/br", "/endless"] {
        assert_eq!(class(&output, path), "too-large", "{path}");
        let asked = site.log().iter().filter(|s| s.asked.path == path).count();
        assert_eq!(asked, 1, "{path} was asked for again");
    }
    let sent = sent.load(Ordering::Relaxed);
    // What the sockets' buffers swallow beyond the limit is the kernel's.
    assert!(
        sent < (PAGE + 16 * MIB) as u64,
        "{sent} bytes of an endless body were taken"
    );
    assert!(ended.peak_bytes < MEMORY, "{} bytes of memory", ended.peak_bytes);
    eprintln!(
        "D9: {} bombs, all 20 articles; at most {} MiB of memory (VmHWM), {:.1} s; {} MiB of the endless body were taken",
        paths.len(),
        ended.peak_bytes >> 20,
        ended.took.as_secs_f64(),
        sent >> 20
    );
}
