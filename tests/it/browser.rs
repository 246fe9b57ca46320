//! Pages that only a browser can show, in a real Chromium; judged by the documents and by what the server saw.

use crate::support::{documents, expect, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<String>>>;

pub fn is_there() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let there = std::env::var_os("SANGTRANG_CHROMIUM").is_some()
        || std::env::split_paths(&path).any(|d| names.iter().any(|n| d.join(n).is_file()));
    if !there {
        eprintln!("SKIPPED: there is no Chromium to render pages with");
    }
    there
}

/// Seven articles: the list comes as JSON, three a page; their text comes as JSON, too.
const ARTICLES: usize = 7;

const LIST: &str = r#"<h1>Danh sách</h1><ul id="tin"></ul><img src="/logo.png"><script src="http://ngoai.example/dem.js"></script><script>
function tai(trang) {
  fetch('/ds?loai=1&trang=' + trang).then(a => a.json()).then(d => {
    for (const t of d.tin) {
      const l = document.createElement('li');
      l.innerHTML = '<a href="/tin/' + t.so + '">' + t.ten + '</a>';
      document.getElementById('tin').appendChild(l);
    }
    if (trang * 3 < d.tong) tai(trang + 1); else document.body.dataset.xong = 1;
  });
}
tai(1);</script>"#;

const ARTICLE: &str = r#"<div id="content"></div><script>
fetch(location.pathname + '.json').then(a => a.json()).then(t => {
  document.getElementById('content').innerHTML = '<h1>' + t.ten + '</h1><p>' + t.noidung + '</p>';
});</script>"#;

fn answer(path: &str, query: &str) -> Response {
    let html = |text: &str| Html(text.to_owned()).into_response();
    match path {
        "/" => html("<a href=/ds.html>Tin</a><a href=/tin/treo>x</a><a href=/tin/phinh>x</a>"),
        "/ds.html" => html(LIST),
        "/ds" => {
            let page: usize = query.rsplit('=').next().and_then(|n| n.parse().ok()).unwrap_or(1);
            let items: Vec<String> = (page * 3 - 2..=ARTICLES.min(page * 3))
                .map(|n| format!(r#"{{"so":{n},"ten":"Tin số {n}"}}"#))
                .collect();
            json(format!(r#"{{"tong":{ARTICLES},"tin":[{}]}}"#, items.join(",")))
        }
        "/tin/treo" => html(
            "<div id=content>đợi</div><script>setInterval(() => fetch('/nhip?' + Math.random()), 50)</script>",
        ),
        "/tin/phinh" => {
            html("<div id=content>đợi</div><script>for (;;) document.body.append('x'.repeat(1000))</script>")
        }
        "/nhip" => "ok".into_response(),
        path => match path
            .strip_prefix("/tin/")
            .map(|n| n.strip_suffix(".json").ok_or(n))
        {
            Some(Ok(n)) => json(format!(
                r#"{{"ten":"Tin số {n}","noidung":"Nội dung của tin số {n}."}}"#
            )),
            Some(Err(n)) if n.parse().is_ok_and(|n: usize| n <= ARTICLES) => html(ARTICLE),
            _ => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

fn json(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], text).into_response()
}

fn site(log: &Log, before: impl Fn(&str) + Clone + Send + Sync + 'static) -> SocketAddr {
    let log = log.clone();
    serve_router(Router::new().fallback(move |request: Request| {
        let (log, before) = (log.clone(), before.clone());
        async move {
            let (path, query) = (request.uri().path(), request.uri().query().unwrap_or_default());
            log.lock().unwrap().push(path.to_owned());
            before(path);
            answer(path, query)
        }
    }))
}

fn mapping(folder: &Path, start: &str, rules: &str) -> PathBuf {
    let path = folder.join("site.toml");
    let text = format!(
        r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
start = ["{start}"]
[politeness]
delay = "0ms"
backoff = "1ms"
retries = 1
[[discover]]
id = "links"
kind = "links"
{rules}
[[collection]]
id = "news"
match = {{ url = '^/tin/' }}
key = "{{path}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
[[ignore]]
id = "lists"
url = '^/(ds.*)?$'
[[drop]]
id = "outside"
outside = true
"##
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn run(mapping: &Path, address: SocketAddr, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(mapping)
        .args(["--connect-to", &format!("::{address}")])
        .arg("--output")
        .arg(output);
    command
}

const RENDER_ARTICLES: &str =
    "[[render]]\nid = \"articles\"\non = '^/tin/'\nwait = { css = \"#content h1\" }\ntimeout = \"6s\"\n";
const RENDER_LIST: &str = "[[render]]\nid = \"list\"\non = '^/ds'\nwait = { css = \"body[data-xong]\" }\n";

#[test]
fn what_scripts_fill_in_is_read_and_said_to_be_rendered() {
    if !is_there() {
        return;
    }
    let log = Log::default();
    let address = site(&log, |_| ());
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(
        folder.path(),
        "/ds.html",
        &format!("{RENDER_ARTICLES}{RENDER_LIST}"),
    );
    let output = folder.path().join("out");
    expect(&mut run(&mapping, address, &output), 0);
    let found = documents(&output.join("site"));
    assert_eq!(found.len(), ARTICLES);
    for document in &found {
        let notes = &document["provenance"]["fetch"]["notes"];
        assert!(
            notes["rendered-by"].as_str().unwrap().starts_with("Chrom"),
            "{notes}"
        );
        assert_eq!(notes["render-rule"], "articles");
        assert_eq!(document["accounting"]["unaccounted"], 0);
        assert!(document.to_string().contains("Nội dung của tin số"), "{document}");
    }
    let asked = log.lock().unwrap().clone();
    assert!(
        !asked.iter().any(|p| p == "/logo.png" || p == "/dem.js"),
        "{asked:?}"
    );
    let report = std::fs::read_to_string(output.join("site/report.txt")).unwrap();
    assert!(report.contains("rendered by Chrom"), "{report}");

    // The data that the pages asked for, and what was made of it, come again from the archive alone.
    let before = asked.len();
    let first: Vec<String> = found.iter().map(ToString::to_string).collect();
    std::fs::remove_file(output.join("site/documents.jsonl")).unwrap();
    let mut again = sangtrang();
    again.arg("extract").arg(&mapping).arg("--output").arg(&output);
    expect(&mut again, 0);
    let second: Vec<String> = documents(&output.join("site"))
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(first, second);
    assert_eq!(log.lock().unwrap().len(), before);
}

#[test]
fn only_pages_that_are_empty_are_rendered_if_the_rule_says_so() {
    if !is_there() {
        return;
    }
    let address = serve_router(Router::new().fallback(|request: Request| async move {
        match request.uri().path() {
            "/" => Html("<a href=/tin/1>1</a><a href=/tin/2>2</a>").into_response(),
            "/tin/1" => Html("<div id=content><h1>Có sẵn</h1><p>Có sẵn.</p></div>").into_response(),
            "/tin/2" => Html("<div id=content></div><script>document.getElementById('content').innerHTML='<h1>Kịch bản</h1><p>Từ kịch bản.</p>'</script>").into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let rules = "[[render]]\nid = \"r\"\non = '^/tin/'\nwhen = \"empty\"\n";
    let mapping = mapping(folder.path(), "/", rules);
    let output = folder.path().join("out");
    expect(&mut run(&mapping, address, &output), 0);
    let found = documents(&output.join("site"));
    let rendered: Vec<bool> = found
        .iter()
        .map(|d| d["provenance"]["fetch"]["notes"]["rendered-by"].is_string())
        .collect();
    let titles: Vec<&str> = found.iter().filter_map(|d| d["title"].as_str()).collect();
    assert_eq!(titles, ["Có sẵn", "Kịch bản"]);
    assert_eq!(rendered, [false, true]);
}

#[test]
fn a_page_that_never_ends_is_named_and_the_rest_is_there() {
    if !is_there() {
        return;
    }
    let log = Log::default();
    let address = site(&log, |_| ());
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "/", &format!("{RENDER_ARTICLES}{RENDER_LIST}"));
    let output = folder.path().join("out");
    expect(&mut run(&mapping, address, &output), 4);
    assert_eq!(documents(&output.join("site")).len(), ARTICLES);
    let report = std::fs::read_to_string(output.join("site/report.txt")).unwrap();
    for page in ["/tin/treo", "/tin/phinh"] {
        let line = report
            .lines()
            .find(|l| l.contains(page))
            .unwrap_or_else(|| panic!("{page}\n{report}"));
        assert!(line.contains("render-"), "{line}");
    }
}

#[test]
fn the_endpoint_that_is_proposed_gives_the_same_without_a_browser() {
    if !is_there() {
        return;
    }
    let log = Log::default();
    let address = site(&log, |_| ());
    let folder = tempfile::tempdir().unwrap();
    let seen = mapping(folder.path(), "/ds.html", "");
    let shown = expect(
        sangtrang()
            .args([
                "inspect",
                "--json",
                "--render",
                "http://site.example/ds.html",
                "--mapping",
            ])
            .arg(&seen)
            .args(["--connect-to", &format!("::{address}")]),
        0,
    );
    let shown: serde_json::Value = serde_json::from_slice(&shown.stdout).unwrap();
    let requests = shown["requests"].as_array().unwrap();
    let of = |url: &str| {
        requests
            .iter()
            .find(|r| r["url"].as_str().unwrap().contains(url))
            .unwrap()
    };
    assert_eq!(of("ngoai.example")["blocked"], "off-site");
    assert_eq!(of("logo.png")["blocked"], "rule");
    assert_eq!(of("/ds?loai=1&trang=3")["status"], 200);
    let rule = shown["proposals"][0]["rule"].as_str().unwrap();
    assert!(
        rule.contains("link = \"/tin/{so}\"") && rule.contains("trang={page}"),
        "{rule}"
    );
    assert!(rule.contains("# a guess"), "{rule}");

    let pasted = mapping(folder.path(), "/ds.html", rule);
    let output = folder.path().join("out");
    // The articles themselves still need a browser; the list does not: all of them are known.
    let mut crawl = sangtrang();
    crawl
        .arg("crawl")
        .arg(&pasted)
        .args([
            "--connect-to",
            &format!("::{address}"),
            "--browser",
            "/nonexistent",
        ])
        .arg("--output")
        .arg(&output);
    expect(&mut crawl, 0);
    let asked = log.lock().unwrap().clone();
    for n in 1..=ARTICLES {
        assert!(asked.contains(&format!("/tin/{n}")), "{n}: {asked:?}");
    }
}

/// Browsers that `parent` has started, by what the system says.
fn browsers(parent: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|n| n.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        // After the name in parentheses: state, parent.
        let mut behind = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
        let (state, of) = (behind.next(), behind.next().and_then(|p| p.parse::<u32>().ok()));
        if of == Some(parent) && state != Some("Z") {
            found.push(id);
        }
    }
    found
}

/// Processes that use a profile below this folder.
fn users(profiles: &Path) -> usize {
    let wanted = format!("--user-data-dir={}", profiles.display());
    let all = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    all.filter(|e| std::fs::read(e.path().join("cmdline")).is_ok_and(|c| text(&c).contains(&wanted)))
        .count()
}

fn start(mapping: &Path, address: SocketAddr, folder: &Path) -> Child {
    let profiles = folder.join("profiles");
    std::fs::create_dir_all(&profiles).unwrap();
    run(mapping, address, &folder.join("out"))
        .env("TMPDIR", &profiles)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_browser_that_dies_is_started_again_and_one_that_is_left_alone_ends_itself() {
    if !is_there() || !Path::new("/proc/self/stat").exists() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (parent, killed) = (Arc::new(Mutex::new(None)), Arc::new(Mutex::new(0)));
    let log = Log::default();
    let address = site(&log, {
        let (parent, killed) = (parent.clone(), killed.clone());
        move |path| {
            let mut killed = killed.lock().unwrap();
            if path == "/tin/3.json" && *killed == 0 {
                let parent = parent.lock().unwrap().expect("the run is known");
                for browser in browsers(parent) {
                    *killed += 1;
                    expect(Command::new("kill").args(["-9", &browser.to_string()]), 0);
                }
            }
        }
    });
    let path = mapping(
        folder.path(),
        "/ds.html",
        &format!("{RENDER_ARTICLES}{RENDER_LIST}"),
    );
    let mut known = parent.lock().unwrap();
    let mut child = start(&path, address, folder.path());
    *known = Some(child.id());
    drop(known);
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(*killed.lock().unwrap(), 1);
    assert_eq!(documents(&folder.path().join("out/site")).len(), ARTICLES);
    assert_eq!(users(&folder.path().join("profiles")), 0);

    // Now the crawl itself dies in the middle of a page.
    let folder = tempfile::tempdir().unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    let address = site(&log, move |path| {
        if path == "/nhip" {
            let _ = tell.send(());
        }
    });
    let path = mapping(folder.path(), "/tin/treo", RENDER_ARTICLES);
    let mut child = start(&path, address, folder.path());
    told.recv().unwrap();
    let profiles = folder.path().join("profiles");
    assert!(users(&profiles) > 0);
    child.kill().unwrap();
    child.wait().unwrap();
    let patience = std::time::Instant::now();
    while users(&profiles) > 0 {
        assert!(patience.elapsed().as_secs() < 30, "the browser lives on");
        std::thread::yield_now();
    }
}

#[test]
fn without_a_browser_the_error_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "/", RENDER_LIST);
    let mut command = run(
        &mapping,
        "127.0.0.1:1".parse().unwrap(),
        &folder.path().join("out"),
    );
    let said = text(&expect(command.args(["--browser", "/nonexistent"]), 2).stderr);
    assert!(
        said.contains("apt install chromium") && said.contains("/nonexistent"),
        "{said}"
    );
}
