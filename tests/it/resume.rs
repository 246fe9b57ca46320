//! `kill -9` at any instant: nothing committed is lost, nothing committed is fetched again, and the end is the same.

use crate::support::{Server, expect, files, run_bundled};
use sangtrang::demo::Portal;
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::time::{Duration, Instant};

const ARTICLES: usize = 300;
const KILLS: usize = 20;
/// Requests in flight of `run_bundled`.
const CONCURRENCY: usize = 8;

/// Every capture of an archive that is content: URL -> digests of its payloads. Redirects and errors too.
fn archived(site: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in files(&site.join("archive")) {
        for exchange in sangtrang::capture::warc::read(&site.join("archive").join(&file)).unwrap() {
            let exchange = exchange.unwrap();
            let body = blake3::hash(&exchange.body).to_hex().to_string();
            let key = format!(
                "{} {} {}",
                exchange.method,
                exchange.url,
                blake3::hash(&exchange.request_body).to_hex()
            );
            found.entry(key).or_default().insert(body);
        }
    }
    found
}

/// URLs that the ledger says are captured, with their path and query.
fn committed(site: &Path) -> BTreeSet<String> {
    let Ok(ledger) = rusqlite::Connection::open(site.join("ledger.db")) else {
        return BTreeSet::new();
    };
    let Ok(mut rows) = ledger.prepare("SELECT url FROM url WHERE state = 1 AND kind <> 4") else {
        return BTreeSet::new();
    };
    let urls = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    urls.map(|url| url.unwrap().replacen("http://ctk-binhthuan.example", "", 1))
        .collect()
}

fn tree(site: &Path, folder: &str) -> BTreeMap<String, String> {
    files(&site.join(folder))
        .into_iter()
        .map(|f| {
            let bytes = std::fs::read(site.join(folder).join(&f)).unwrap();
            (
                f.to_string_lossy().into_owned(),
                blake3::hash(&bytes).to_hex().to_string(),
            )
        })
        .collect()
}

/// What is asked for again: robots.txt in each run, and the list whose forms the portal forgets once.
fn again(url: &str) -> bool {
    matches!(url, "/robots.txt" | "/?CatID=4")
}

#[test]
fn twenty_kills_change_nothing() {
    let seed = std::env::var("SANGTRANG_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    eprintln!("SANGTRANG_SEED={seed}");
    let mut random = fastrand::Rng::with_seed(seed);

    let undisturbed = tempfile::tempdir().unwrap();
    let server = Server::start(Portal::new(ARTICLES, 1).recording());
    expect(&mut run_bundled(&server, undisturbed.path()), 0);
    let total = server.portal.requests().len();
    drop(server);

    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("ctk-binhthuan");
    let server = Server::start(Portal::new(ARTICLES, 1).recording());
    // Moments are numbers of requests that the portal has seen, so that slow and fast machines are hit alike.
    let mut moments: Vec<usize> = (0..KILLS).map(|_| random.usize(1..total)).collect();
    moments.sort_unstable();
    let mut kills = 0;
    let mut safe: Vec<(usize, BTreeSet<String>)> = Vec::new();
    for moment in moments {
        let mut run = run_bundled(&server, folder.path())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while server.portal.requests_len() < moment && run.try_wait().unwrap().is_none() {
            assert!(
                started.elapsed() < Duration::from_secs(120),
                "the run stands still"
            );
            std::thread::yield_now();
        }
        // Somewhere inside the exchange that follows: before, in or after the commit.
        for _ in 0..random.u32(0..200_000) {
            std::hint::spin_loop();
        }
        let _ = run.kill();
        if run.wait().unwrap().signal() == Some(9) {
            kills += 1;
        }
        safe.push((server.portal.requests_len(), committed(&site)));
    }
    expect(&mut run_bundled(&server, folder.path()), 0);
    assert!(
        kills >= KILLS / 2,
        "only {kills} of {KILLS} kills hit a running process"
    );

    let requests = server.portal.requests();
    // What was in flight at a kill is asked for again, and robots.txt is read once a run; nothing else.
    let bound = total + (kills + 1) * (CONCURRENCY + 1);
    assert!(
        requests.len() <= bound,
        "{} requests where {total} are needed and {bound} allowed",
        requests.len()
    );
    for (at, urls) in &safe {
        for request in &requests[*at..] {
            assert!(
                request.method != "GET" || again(&request.url) || !urls.contains(&request.url),
                "{} was committed and fetched again",
                request.url
            );
        }
    }

    let other = undisturbed.path().join("ctk-binhthuan");
    assert_eq!(tree(&site, "documents"), tree(&other, "documents"));
    assert_eq!(tree(&site, "media"), tree(&other, "media"));
    assert_eq!(
        std::fs::read(site.join("documents.jsonl")).unwrap(),
        std::fs::read(other.join("documents.jsonl")).unwrap()
    );
    let (ours, theirs) = (archived(&site), archived(&other));
    let missing: Vec<_> = theirs.keys().filter(|k| !ours.contains_key(*k)).collect();
    let added: Vec<_> = ours.keys().filter(|k| !theirs.contains_key(*k)).collect();
    assert!(
        missing.is_empty() && added.is_empty(),
        "archives differ: missing {missing:?}, added {added:?}"
    );
}

#[test]
fn ctrl_c_stops_cleanly_and_the_same_command_continues() {
    let server = Server::start(Portal::new(ARTICLES, 2).recording());
    let folder = tempfile::tempdir().unwrap();
    // Slow enough that the signal comes in the middle, however fast the machine is.
    let mut command = run_bundled(&server, folder.path());
    command
        .args(["--delay", "20ms"])
        .stderr(std::process::Stdio::piped());
    let run = command.spawn().unwrap();
    let started = Instant::now();
    while server.portal.requests_len() < 20 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the run does not start"
        );
        std::thread::yield_now();
    }
    let sent = std::process::Command::new("kill")
        .args(["-INT", &run.id().to_string()])
        .status()
        .unwrap();
    assert!(sent.success());
    let output = run.wait_with_output().unwrap();
    let said = crate::support::text(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("run the same command again"), "{said}");
    let asked = server.portal.requests_len();
    assert!(asked < ARTICLES, "{asked} requests before the signal took effect");
    expect(&mut run_bundled(&server, folder.path()), 0);
    let urls: Vec<String> = server
        .portal
        .requests()
        .into_iter()
        .filter(|r| r.method == "GET")
        .map(|r| r.url)
        .collect();
    let distinct: BTreeSet<&String> = urls.iter().collect();
    let twice = |url: &&&String| urls.iter().filter(|u| u == *url).count() > 1;
    let twice: Vec<&&String> = distinct.iter().filter(twice).collect();
    assert!(twice.iter().all(|url| again(url)), "{twice:?}");
    assert!(urls.len() <= distinct.len() + 2, "and that only once more");
}
