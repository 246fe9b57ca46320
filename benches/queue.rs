//! A crawl with a million URLs in its queue: bytes of the ledger a URL, memory, and the time from the start of a resumed run to
//! its first request. One server, one run; no peer has a durable queue to compare with, so the figures stand beside those of
//! a queue of 5,000.
//!
//! `just bench queue [URLS]`.

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

const BIN: &str = env!("CARGO_BIN_EXE_sangtrang");
/// URLs of one sitemap (sitemaps.org: at most 50,000).
const PER_MAP: usize = 50_000;

fn main() {
    let asked = std::env::args().skip(1).filter(|a| a != "--bench");
    let most = asked.filter_map(|a| a.parse().ok()).next().unwrap_or(1_000_000);
    println!(
        "{:>10} {:>12} {:>10} {:>16}",
        "queued", "bytes a URL", "peak MiB", "to first request"
    );
    for urls in [5_000, most] {
        measure(urls);
    }
}

fn measure(urls: usize) {
    let (tell, told) = channel();
    let address = serve(urls, tell);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mapping = folder.path().join("queue.toml");
    std::fs::write(
        &mapping,
        format!(
            "schema = 1\n[site]\nid = \"queue\"\nbase = \"http://{address}/\"\nstart = []\n[politeness]\ndelay = \"0ms\"\n\
             [[discover]]\nid = \"maps\"\nkind = \"sitemap\"\nurl = \"/sitemap.xml\"\n[[collection]]\nid = \"news\"\n\
             match = {{ url = '/tin/' }}\nkey = \"{{path}}\"\n"
        ),
    )
    .expect("a mapping");
    let crawl = |limit: usize| {
        let mut command = Command::new(BIN);
        command
            .args(["-q", "crawl", "--limit", &limit.to_string()])
            .arg(&mapping);
        command
            .arg("--output")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    };
    let ledger = folder.path().join("queue/ledger.db");
    // Until all maps are read: they count as answers, too.
    while known(folder.path()) < urls {
        let done = crawl(urls / PER_MAP + 10).status().expect("the program runs");
        assert!(matches!(done.code(), Some(0 | 9)), "{done}");
    }
    while told.try_recv().is_ok() {}
    let began = Instant::now();
    let mut child = crawl(20).spawn().expect("the program runs");
    let first = first_page(&told).duration_since(began);
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let peak = status.lines().find_map(|l| {
        l.strip_prefix("VmHWM:")?
            .trim()
            .strip_suffix(" kB")?
            .trim()
            .parse::<u64>()
            .ok()
    });
    child.wait().expect("it ends");
    let bytes = std::fs::metadata(&ledger).map_or(0, |m| m.len());
    println!(
        "{:>10} {:>12} {:>10.1} {:>13.2} s",
        known(folder.path()),
        bytes / urls as u64,
        peak.unwrap_or(0) as f64 / 1024.0,
        first.as_secs_f64()
    );
}

fn first_page(told: &Receiver<String>) -> Instant {
    loop {
        let path = told.recv_timeout(Duration::from_secs(120)).expect("a request");
        if path.starts_with("/tin/") {
            return Instant::now();
        }
    }
}

/// URLs that the ledger knows, by the program's own count.
fn known(output: &Path) -> usize {
    let done = Command::new(BIN)
        .args(["--json", "status", "--output"])
        .arg(output)
        .output()
        .expect("the program runs");
    let text = String::from_utf8_lossy(&done.stdout);
    let found = text.split("\"known\":").nth(1).unwrap_or_default();
    found
        .chars()
        .skip_while(|c| *c == ' ')
        .take_while(char::is_ascii_digit)
        .collect::<String>()
        .parse()
        .unwrap_or(0)
}

fn serve(urls: usize, tell: Sender<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("its address").to_string();
    let host = address.clone();
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            let (tell, host) = (tell.clone(), host.clone());
            std::thread::spawn(move || answer(socket, &host, urls, &tell));
        }
    });
    address
}

fn answer(mut socket: TcpStream, host: &str, urls: usize, tell: &Sender<String>) -> Option<()> {
    let mut lines = BufReader::new(socket.try_clone().ok()?).lines();
    let maps = urls.div_ceil(PER_MAP);
    loop {
        let line = lines.next()?.ok()?;
        while !lines.next()?.ok()?.is_empty() {}
        let path = line.split(' ').nth(1)?.to_owned();
        let number = path
            .trim_start_matches("/sitemap-")
            .trim_end_matches(".xml")
            .parse::<usize>();
        let (status, body) = match (path.as_str(), number) {
            ("/sitemap.xml", _) => {
                let all =
                    (0..maps).map(|n| format!("<sitemap><loc>http://{host}/sitemap-{n}.xml</loc></sitemap>"));
                (
                    200,
                    format!("<sitemapindex>{}</sitemapindex>", all.collect::<String>()),
                )
            }
            (_, Ok(map)) => {
                let of = map * PER_MAP..urls.min((map + 1) * PER_MAP);
                let all = of.map(|n| format!("<url><loc>http://{host}/tin/bai-viet-so-{n}.html</loc></url>"));
                (200, format!("<urlset>{}</urlset>", all.collect::<String>()))
            }
            (path, _) if path.starts_with("/tin/") => (200, format!("<h1>{path}</h1>")),
            _ => (404, String::new()),
        };
        let _ = tell.send(path.clone());
        let kind = if path.ends_with(".xml") {
            "text/xml"
        } else {
            "text/html"
        };
        write!(
            socket,
            "HTTP/1.1 {status} OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .ok()?;
    }
}
