//! Bad input and bad days: each gives a clear message and its exit code, never a panic, never a half-written file.

use crate::support::{Server, expect, run_bundled, sangtrang, serve_router, text};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use sangtrang::demo::Portal;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// A small mapping for such a site.
fn mapping(folder: &Path, extra: &str) -> PathBuf {
    let path = folder.join("nasty.toml");
    std::fs::write(
        &path,
        format!(
            r##"schema = 1
[site]
id = "nasty"
base = "http://nasty.example/"
[politeness]
delay = "0ms"
retries = 1
backoff = "1ms"
timeout = "20s"
[limits]
page_bytes = 4_000_000
{extra}
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "pages"
match = {{ url = '^/good' }}
key = "{{path}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
[[collection.drop]]
id = "outside"
reason = "chrome"
outside = true
"##
        ),
    )
    .unwrap();
    path
}

fn run(mapping: &Path, address: SocketAddr, output: &Path) -> std::process::Command {
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(mapping)
        .args(["--connect-to", &format!("::{address}")])
        .arg("--output")
        .arg(output);
    command
}

#[test]
fn a_mapping_with_typos_is_refused_with_places() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("typo.toml");
    std::fs::write(
        &path,
        "schema = 1\n[site]\nid = \"x\"\nbase = \"http://x.example/\"\n[politness]\ndelay = \"1s\"\n[[collection]]\nid = \"a\"\nmatch = { url = 'à(' }\nscope = { container = [\"h1[\"] }\n",
    )
    .unwrap();
    let output = expect(sangtrang().arg("check").arg(&path), 3);
    let said = text(&output.stderr);
    assert!(said.contains("typo.toml:5:2"), "{said}");
    assert!(said.contains("did you mean `politeness`"), "{said}");
    assert!(said.contains("typo.toml:9:"), "{said}");
    assert!(said.contains("typo.toml:10:"), "{said}");
    assert!(output.stdout.is_empty());

    let output = expect(sangtrang().args(["--json", "run"]).arg(&path), 3);
    let last = text(&output.stderr);
    let error: serde_json::Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
    assert_eq!(error["exit"], 3);
    assert_eq!(error["problems"].as_array().unwrap().len(), 3, "{error}");
}

#[test]
fn a_mapping_that_is_not_there_is_named() {
    let output = expect(sangtrang().args(["run", "mappings/none.toml"]), 3);
    assert!(text(&output.stderr).contains("mappings/none.toml"));
}

#[test]
fn a_closed_port_is_try_later() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let folder = tempfile::tempdir().unwrap();
    let output = expect(&mut run(&mapping(folder.path(), ""), address, folder.path()), 7);
    let said = text(&output.stderr);
    assert!(said.contains("nasty.example"), "{said}");
}

#[test]
fn a_name_that_does_not_resolve_is_try_later() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "");
    let output = expect(
        sangtrang()
            .arg("run")
            .arg(&mapping)
            .arg("--output")
            .arg(folder.path()),
        7,
    );
    assert!(text(&output.stderr).contains("nasty.example"));
}

#[test]
fn robots_that_forbid_all_hold_the_run() {
    let address = serve_router(
        Router::new()
            .route("/robots.txt", get(|| async { "User-agent: *\nDisallow: /\n" }))
            .fallback(get(|| async { "<html><body>never asked for</body></html>" })),
    );
    let folder = tempfile::tempdir().unwrap();
    let output = expect(&mut run(&mapping(folder.path(), ""), address, folder.path()), 6);
    assert!(
        text(&output.stderr).contains("robots.txt"),
        "{}",
        text(&output.stderr)
    );
}

fn html(body: impl Into<Body>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], body.into())
}

fn gzip_bomb() -> Bytes {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let block = vec![b'a'; 1 << 20];
    for _ in 0..512 {
        encoder.write_all(&block).unwrap();
    }
    encoder.finish().unwrap().into()
}

#[test]
fn hostile_pages_are_named_and_the_good_page_still_arrives() {
    let bomb = gzip_bomb();
    let deep = format!(
        "<html><body><div id=content><h1>Deep</h1>{}text at the bottom{}</div></body></html>",
        "<div>".repeat(100_000),
        "</div>".repeat(100_000)
    );
    let router = Router::new()
        .route(
            "/",
            get(|| async {
                html("<a href=/good1>1</a> <a href=/good-deep>2</a> <a href=/huge>3</a> <a href=/bomb>4</a> <a href=/loop>5</a> <a href=/chain/0>6</a>")
            }),
        )
        .route("/good1", get(|| async { html("<div id=content><h1>Good</h1><p>Words.</p></div>") }))
        .route("/good-deep", get(move || async move { html(deep) }))
        .route(
            "/huge",
            get(|| async {
                let block = Bytes::from(vec![b'x'; 1 << 20]);
                html(Body::from_stream(futures_util::stream::iter(
                    (0..100).map(move |_| Ok::<_, std::convert::Infallible>(block.clone())),
                )))
            }),
        )
        .route(
            "/bomb",
            get(move || async move {
                ([(header::CONTENT_TYPE, "text/html"), (header::CONTENT_ENCODING, "gzip")], bomb)
            }),
        )
        .route("/loop", get(|| async { Redirect::temporary("/loop") }))
        .route(
            "/chain/{n}",
            get(|axum::extract::Path(n): axum::extract::Path<u64>| async move {
                Redirect::temporary(&format!("/chain/{}", n + 1))
            }),
        )
        .fallback(get(|| async { StatusCode::NOT_FOUND }));
    let address = serve_router(router);
    let folder = tempfile::tempdir().unwrap();
    let output = expect(&mut run(&mapping(folder.path(), ""), address, folder.path()), 4);
    let said = text(&output.stderr);
    assert!(!said.contains("panicked"), "{said}");
    let site = folder.path().join("nasty");
    let titles: Vec<String> = crate::support::documents(&site)
        .iter()
        .map(|d| d["title"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(titles, ["Deep", "Good"]);
    let report = std::fs::read_to_string(site.join("report.txt")).unwrap();
    for (url, class) in [
        ("/huge", "too-large"),
        ("/bomb", "too-large"),
        ("/loop", "redirect-loop"),
        ("/chain/10", "too-many-redirects"),
    ] {
        let line = report
            .lines()
            .find(|l| l.contains(&format!("http://nasty.example{url}")))
            .unwrap_or_default();
        assert!(
            line.contains(class),
            "report.txt names {url} as {class}:\n{report}"
        );
    }
    let run: serde_json::Value =
        serde_json::from_slice(&std::fs::read(site.join("run.json")).unwrap()).unwrap();
    let peak = run
        .pointer("/resources/peak_rss_bytes")
        .unwrap()
        .as_u64()
        .unwrap();
    assert!(peak < 256 << 20, "peak memory was {peak} bytes");
}

#[test]
fn a_corrupt_ledger_is_refused_and_left_alone() {
    let server = Server::start(Portal::new(3, 1));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let ledger = folder.path().join("ctk-binhthuan/ledger.db");
    let rubbish = vec![0x5a; 64 * 1024];
    std::fs::write(&ledger, &rubbish).unwrap();
    let output = expect(&mut run_bundled(&server, folder.path()), 1);
    let said = text(&output.stderr);
    assert!(said.contains("ledger.db") && said.contains("hint"), "{said}");
    assert_eq!(std::fs::read(&ledger).unwrap(), rubbish);
}

#[test]
fn a_second_run_on_the_same_ledger_is_refused() {
    let server = Server::start(Portal::new(3, 1));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let ledger = sangtrang::ledger::Ledger::open(&folder.path().join("ctk-binhthuan/ledger.db")).unwrap();
    let output = expect(&mut run_bundled(&server, folder.path()), 8);
    assert!(
        text(&output.stderr).contains("another run"),
        "{}",
        text(&output.stderr)
    );
    drop(ledger);
    expect(&mut run_bundled(&server, folder.path()), 0);
}

#[test]
fn a_full_disk_stops_the_run_and_the_same_command_continues() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk).unwrap();
    let mount = |size: &str, how: &str| {
        std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("{how}size={size}"), "tmpfs"])
            .arg(&disk)
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !mount("600k", "") {
        eprintln!("SKIPPED: a tmpfs cannot be mounted here");
        return;
    }
    let server = Server::start(Portal::new(60, 1));
    let output = run_bundled(&server, &disk).output().unwrap();
    let grown = mount("64m", "remount,");
    let again = run_bundled(&server, &disk).output().unwrap();
    let documents = crate::support::documents(&disk.join("ctk-binhthuan")).len();
    let unmounted = std::process::Command::new("umount")
        .arg(&disk)
        .status()
        .unwrap()
        .success();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("space") && said.contains("run the same command again"),
        "{said}"
    );
    assert!(grown && unmounted);
    assert_eq!(again.status.code(), Some(0), "{}", text(&again.stderr));
    assert_eq!(documents, 60);
}
