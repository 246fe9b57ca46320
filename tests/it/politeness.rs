//! A fragile server and one that lies: judged by what the server saw.

use crate::support::{documents, expect, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::{Path as Captured, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Requests in the order in which the server saw them.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<(Instant, String)>>>);

impl Log {
    fn note(&self, what: &str) -> usize {
        let mut log = self.0.lock().unwrap();
        log.push((Instant::now(), what.to_owned()));
        log.len()
    }
    fn all(&self) -> Vec<(Instant, String)> {
        self.0.lock().unwrap().clone()
    }
    fn count(&self, prefix: &str) -> usize {
        self.all().iter().filter(|(_, p)| p.starts_with(prefix)).count()
    }
}

fn mapping(folder: &Path, extra: &str) -> PathBuf {
    let path = folder.join("site.toml");
    let text = format!(
        r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
[politeness]
concurrency = 4
delay = "0ms"
backoff = "1ms"
{extra}
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "news"
match = {{ url = '^/view' }}
key = "{{path}}:{{id}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
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
        .args(["--json", "run"])
        .arg(mapping)
        .args(["--connect-to", &format!("::{address}")])
        .arg("--output")
        .arg(output);
    command
}

fn report(output: &Path) -> Value {
    let file = std::fs::read(output.join("site/run.json")).unwrap();
    serde_json::from_slice(&file).unwrap()
}

fn article(id: u32) -> String {
    format!(
        "<html><body><div>Cục Thống kê</div><div id=content><h1>Bài viết số {id}</h1><p>Nội dung riêng của bài: {}.</p></div></body></html>",
        ["một", "hai", "ba", "bốn", "năm"][id as usize % 5].repeat(id as usize % 7 + 1)
    )
}

fn home(ids: std::ops::Range<u32>) -> Html<String> {
    Html(ids.map(|i| format!("<a href='/view?id={i}'>x</a>")).collect())
}

fn found(id: u32) -> Response {
    if id < 1000 {
        Html(article(id)).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

type Id = Query<HashMap<String, String>>;

fn id(query: &Id) -> u32 {
    query.get("id").and_then(|i| i.parse().ok()).unwrap_or(0)
}

#[test]
fn retry_after_holds_the_whole_host_also_in_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let router = Router::new()
        .route("/", get(|| async { home(1..20) }))
        .route(
            "/view",
            get(|State(log): State<Log>, query: Id| async move {
                // The third request meets a server that asks for two seconds of rest, in the form of a date.
                if log.note("view") == 3 {
                    let at = httpdate::fmt_http_date(std::time::SystemTime::now() + Duration::from_secs(3));
                    return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, at)]).into_response();
                }
                found(id(&query))
            }),
        )
        .with_state(log.clone());
    let address = serve_router(router);
    let mapping = mapping(folder.path(), "");
    let output = folder.path().join("out");
    let mut killed = run(&mapping, address, &output)
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let ledger = output.join("site/ledger.db");
    let started = Instant::now();
    // Until the rest stands in the ledger.
    let noted = || {
        let ledger =
            rusqlite::Connection::open_with_flags(&ledger, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)
                .ok()?;
        ledger
            .query_row("SELECT count(*) FROM host", [], |r| r.get::<_, i64>(0))
            .ok()
    };
    while noted().unwrap_or(0) == 0 {
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "the rest is never noted"
        );
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    expect(&mut run(&mapping, address, &output), 0);
    let seen = log.all();
    let asked = seen[2].0;
    let early: Vec<_> = seen[3..]
        .iter()
        .map(|(at, _)| at.duration_since(asked).as_millis())
        .filter(|ms| *ms < 1_900)
        .collect();
    // What was in flight when the answer came cannot be called back: four at a time.
    assert!(
        early.len() <= 4 && early.iter().all(|ms| *ms < 1_000),
        "{early:?}"
    );
    assert_eq!(documents(&output.join("site")).len(), 19);
}

#[test]
fn a_server_that_fails_is_probed_singly_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let router = Router::new()
        .route("/", get(|| async { home(1..30) }))
        .route(
            "/view",
            get(|State(log): State<Log>, query: Id| async move {
                if (10..30).contains(&log.note("view")) {
                    return StatusCode::BAD_GATEWAY.into_response();
                }
                found(id(&query))
            }),
        )
        .with_state(log.clone());
    let address = serve_router(router);
    let mapping = mapping(
        folder.path(),
        "breaker = 4\nbreaker_rest = \"80ms\"\nbackoff_max = \"160ms\"\nretries = 20",
    );
    let output = folder.path().join("out");
    expect(&mut run(&mapping, address, &output), 0);
    assert_eq!(documents(&output.join("site")).len(), 29);
    let seen = log.all();
    // Four failures in a row open it. Up to three answers of before may break the row once, and three more are in
    // flight when it opens: ten failures at most, then one request a rest.
    let single = seen[20..29].windows(2).map(|w| w[1].0.duration_since(w[0].0));
    assert!(
        single.clone().all(|gap| gap >= Duration::from_millis(75)),
        "{:?}",
        single.collect::<Vec<_>>()
    );
}

#[test]
fn a_rest_beyond_patience_ends_the_run_and_keeps_the_queue() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let router = Router::new()
        .route("/", get(|| async { home(1..9) }))
        .route(
            "/view",
            get(|State(log): State<Log>| async move {
                log.note("view");
                (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "4000")])
            }),
        )
        .with_state(log.clone());
    let address = serve_router(router);
    let mapping = mapping(folder.path(), "");
    let output = folder.path().join("out");
    let mut crawl = sangtrang();
    crawl
        .arg("crawl")
        .arg(&mapping)
        .args(["--connect-to", &format!("::{address}"), "--output"])
        .arg(&output);
    let said = text(&expect(&mut crawl, 7).stderr);
    assert!(
        said.contains("site.example") && said.contains("run the same command later"),
        "{said}"
    );
    let first = log.all().len();
    assert!(first <= 4, "{first} requests");
    // The same command knows that it is too early, without a request.
    expect(&mut crawl, 7);
    assert_eq!(log.all().len(), first);
}

#[test]
fn quiet_hours_are_quiet() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let router = Router::new().fallback(get(|State(log): State<Log>| async move {
        log.note("any");
        "x"
    }));
    let address = serve_router(router.with_state(log.clone()));
    let mapping = mapping(folder.path(), "quiet = [\"00:00-12:00\", \"12:00-00:00\"]");
    let mut crawl = sangtrang();
    crawl
        .arg("crawl")
        .arg(&mapping)
        .args([
            "--max-time",
            "2s",
            "--connect-to",
            &format!("::{address}"),
            "--output",
        ])
        .arg(folder.path().join("out"));
    expect(&mut crawl, 9);
    assert_eq!(log.all().len(), 0);
}

#[test]
fn spaces_without_an_end_are_left_and_named_and_all_articles_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::default();
    let month = |State(log): State<Log>, Captured((year, month)): Captured<(u32, u32)>| async move {
        log.note("/lich");
        let (y, m) = if month == 12 {
            (year + 1, 1)
        } else {
            (year, month + 1)
        };
        let older = if month == 1 {
            (year - 1, 12)
        } else {
            (year, month - 1)
        };
        Html(format!(
            "<p>Lịch {month}/{year}</p><a href='/lich/{y}/{m}'>sau</a> <a href='/lich/{}/{}'>trước</a>",
            older.0, older.1
        ))
    };
    let deep = |State(log): State<Log>, Captured(path): Captured<String>| async move {
        log.note("/sau");
        Html(format!(
            "<link rel=canonical href='/sau/{path}'><p>Trang {path}</p><a href='/sau/{path}/a/b'>x</a>"
        ))
    };
    let sessions = |State(log): State<Log>, Captured(random): Captured<String>| async move {
        let n = log.note("/phien");
        Html(format!("<p>Chào bạn</p><a href='/phien/{n}{random}'>x</a>"))
    };
    let wide = |State(log): State<Log>| async move {
        log.note("/rong");
        Html(
            (0..100_000)
                .map(|i| format!("<a href='/muc/{i}'>x</a>"))
                .collect::<String>(),
        )
    };
    let leaf = |State(log): State<Log>, Captured(i): Captured<u32>| async move {
        log.note("/muc");
        Html(format!("<p>mục {i}</p>"))
    };
    let router = Router::new()
        .route(
            "/",
            get(|| async {
                let Html(list) = home(1..40);
                Html(format!(
                    "<a href='/lich/2026/11'>lịch</a><a href='/sau/a/b'>x</a><a href='/phien/x'>x</a><a href='/rong'>x</a>{list}"
                ))
            }),
        )
        .route("/view", get(|query: Id| async move { found(id(&query)) }))
        .route("/lich/{year}/{month}", get(month))
        .route("/sau/{*path}", get(deep))
        .route("/phien/{random}", get(sessions))
        .route("/rong", get(wide))
        .route("/muc/{i}", get(leaf))
        .with_state(log.clone());
    let address = serve_router(router);
    let mapping = mapping(folder.path(), "[limits]\npattern_urls = 60\n");
    let output = folder.path().join("out");
    expect(&mut run(&mapping, address, &output), 0);
    assert_eq!(documents(&output.join("site")).len(), 39);
    for space in ["/lich", "/sau", "/phien", "/muc"] {
        let asked = log.count(space);
        assert!(asked <= 61, "{space}: {asked} requests");
    }
    let report = report(&output);
    let traps: Vec<&str> = report["traps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|t| t["pattern"].as_str())
        .collect();
    for pattern in ["/lich/#", "/muc/#"] {
        assert!(traps.contains(&pattern), "{traps:?}");
    }
    let people = std::fs::read_to_string(output.join("site/report.txt")).unwrap();
    assert!(people.contains("trap /lich/#: stopped by "), "{people}");
}

#[test]
fn what_only_looks_like_content_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let frame = |body: &str| {
        Html(format!(
            "<html><body><div>Cục Thống kê tỉnh</div><div id=content>{body}</div><div>Bản quyền</div></body></html>"
        ))
    };
    let view = move |query: Id| async move {
        match id(&query) {
            i if i < 10 => frame(&format!(
                "<h1>Bài {i}</h1><p>Nội dung riêng của bài viết số {i} rất dài.</p>"
            ))
            .into_response(),
            10 => {
                let stub =
                    "<html><script>document.cookie='D1N=1f';window.location.reload(true)</script></html>";
                Html(stub).into_response()
            }
            11 => frame("<h1>x</h1><form><input name=u><input type=password></form>").into_response(),
            12 => frame("<h1>Thông báo</h1><p>Hệ thống đang bảo trì, mời quay lại sau.</p>").into_response(),
            13 => (
                [(header::CONTENT_TYPE, "application/octet-stream")],
                b"\x00\x01\x02\xfe\xff".to_vec(),
            )
                .into_response(),
            // Everything else is not there, and the server says 200.
            _ => frame("<h1>Thông báo</h1><p>Bài viết không còn.</p>").into_response(),
        }
    };
    let router = Router::new().route("/", get(|| async { home(1..20) })).route(
        "/view",
        get(move |query: Id| {
            let view = view;
            async move {
                let answer: Response = view(query).await;
                answer
            }
        }),
    );
    let address = serve_router(router);
    let mapping = mapping(folder.path(), "retries = 1\nbreaker = 0\n");
    let output = folder.path().join("out");
    expect(&mut run(&mapping, address, &output), 4);
    assert_eq!(documents(&output.join("site")).len(), 9);
    let report = report(&output);
    let class = |id: u32| {
        let failures = report["failures"]["first"].as_array().unwrap();
        let url = format!("http://site.example/view?id={id}");
        let found = failures.iter().find(|f| f["url"] == url.as_str());
        found.map_or("", |f| f["class"].as_str().unwrap()).to_owned()
    };
    assert_eq!(class(10), "known:cookie-stub");
    assert_eq!(class(11), "known:login-form");
    assert_eq!(class(12), "known:maintenance");
    assert_eq!(class(13), "unsupported");
    for id in 14..20 {
        assert_eq!(class(id), "soft-404", "{id}");
    }
    assert_eq!(report["soft_404"], serde_json::json!(["news /view?id"]));
}
