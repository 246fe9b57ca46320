//! A page that means harm: nothing of it runs, and nothing that it names is asked for. The same page shows in the same
//! browser that the traps are real.

use super::Review;
use crate::browser::is_there;
use crate::cdp::Browser;
use crate::support::{documents, sangtrang, serve_router};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

/// `TRAP` stands for the address of the server that notes who asks.
const PAGE: &str = include_str!("hostile.html");

pub fn mapping(folder: &Path) -> PathBuf {
    let path = folder.join("site.toml");
    let text = r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
start = ["/"]
[politeness]
delay = "0ms"
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "news"
match = { url = '^/tin/' }
key = "{path}"
scope = { container = ["#content"] }
fields.title = { take = [{ css = "h1" }], required = true }
[[ignore]]
id = "start"
url = '^/$'
[[drop]]
id = "outside"
outside = true
"##;
    std::fs::write(&path, text).unwrap();
    path
}

pub fn run(mapping: &Path, address: SocketAddr, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(mapping)
        .args(["--refresh", "--connect-to", &format!("::{address}"), "--output"])
        .arg(output);
    command
}

#[test]
fn a_hostile_page_runs_nothing_and_asks_for_nothing() {
    if !is_there() {
        return;
    }
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let log = asked.clone();
    let trap = serve_router(Router::new().fallback(move |request: Request| {
        log.lock().unwrap().push(request.uri().to_string());
        let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
        let path = request.uri().path().to_owned();
        async move {
            match path.as_str() {
                "/" => Html("<a href=/tin/1>1</a>".to_owned()).into_response(),
                "/tin/1" => Html(PAGE.replace("TRAP", &format!("http://{host}"))).into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
    }));
    // The page as its own server shows it: it names the trap by its address.
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path());
    let output = folder.path().join("out");
    let fixed = serve_router(Router::new().fallback(move |request: Request| {
        let path = request.uri().path().to_owned();
        async move {
            match path.as_str() {
                "/" => Html("<a href=/tin/1>1</a>".to_owned()).into_response(),
                "/tin/1" => Html(PAGE.replace("TRAP", &format!("http://{trap}"))).into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
    }));
    run(&mapping, fixed, &output).output().unwrap();
    let found = documents(&output.join("site"));
    assert_eq!(found.len(), 1);
    let id = found[0]["id"].as_str().unwrap();

    let mut browser = Browser::start("en");
    // The traps snap: the same page, open, in the same browser.
    browser.open(&format!("http://{trap}/tin/1"));
    let began = std::time::Instant::now();
    for bait in ["script", "import", "background", "iframe", "svg-image", "onerror"] {
        while !asked.lock().unwrap().iter().any(|p| p.contains(bait)) {
            assert!(began.elapsed().as_secs() < 30, "{bait} is no trap: {asked:?}");
            browser.eval("new Promise(requestAnimationFrame)");
        }
    }
    drop(browser);
    asked.lock().unwrap().clear();
    let mut browser = Browser::start("en");

    let review = Review::of(&mapping, &output, &[]);
    for path in [
        "/",
        "/?q=xss",
        &format!("/d/{id}"),
        &format!("/d/{id}/page"),
        &format!("/d/{id}?lang=vi"),
    ] {
        let url = format!("http://{}{path}", review.address);
        browser.open(&url);
        // Time for what waits: timers, refreshes, animations.
        browser.wait(std::time::Duration::from_millis(1200));
        let here = browser.eval("location.href");
        assert_eq!(here, url, "the page leads away");
        assert_eq!(
            browser.eval("typeof window.CANARY"),
            "undefined",
            "{path}: a script ran"
        );
        assert_ne!(browser.eval("document.title"), "CANARY", "{path}");
        let own = format!("http://{}/", review.address);
        let foreign: Vec<String> = browser
            .asked()
            .into_iter()
            .filter(|u| !u.starts_with(&own) && !u.starts_with("data:"))
            .collect();
        assert!(foreign.is_empty(), "{path}: {foreign:?}");
    }
    // A click on a link of the archived page leads nowhere; neither do those of the new document run anything.
    browser.open(&format!("http://{}/d/{id}/page", review.address));
    browser.eval("document.querySelectorAll('*').forEach(e => e.click())");
    browser.open(&format!("http://{}/d/{id}", review.address));
    let scripts = browser.eval(
        "[...document.querySelectorAll('article *')].filter(e => [...e.attributes].some(a => a.name.startsWith('on') || /^\\s*(javascript|vbscript|data):/i.test(a.value)) || /^(script|iframe|object|embed|form|svg|style|link|meta|base)$/i.test(e.tagName)).map(e => e.outerHTML)",
    );
    assert_eq!(scripts, serde_json::json!([]));
    assert_eq!(browser.eval("typeof window.CANARY"), "undefined");
    let asked = asked.lock().unwrap().clone();
    assert!(asked.is_empty(), "the old site was asked: {asked:?}");
    browser.picture("review-hostile.png");
}
