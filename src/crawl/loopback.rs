//! The whole room against a small portal on loopback.

use super::*;
use crate::ledger::{Ledger, LedgerError, MediumState, UrlState};
use crate::mapping::Mapping;
use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

const RULES: &str = r#"
[politeness]
concurrency = 3
delay = "1ms"
backoff = "5ms"
backoff_max = "1s"
[[reject]]
id = "soft"
text_any = ["khong tim thay"]
class = "gone"
[[discover]]
kind = "links"
id = "all"
deny = ["List"]
[[discover]]
kind = "list"
id = "news"
on = "/List"
item = "li"
fields = { date = { css = "i" } }
pager = { kind = "aspnet-postback", css = "a.p" }
[[collection]]
id = "news"
match = { url = "^/a/(\\d+)$" }
key = "{1}"
scope = { container = ["div.body"] }
[collection.fields.title]
take = [{ css = "h1" }]
"#;

#[derive(Default)]
struct Portal {
    log: Mutex<HashMap<String, u32>>,
    expire_once: bool,
}

async fn answer(State(portal): State<Arc<Portal>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let post = request.method() == "POST";
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    let key = format!("{path} {body}");
    let nth = {
        let mut log = portal.log.lock().unwrap();
        let n = log.entry(key).or_default();
        *n += 1;
        *n
    };
    let html = |text: String| ([("content-type", "text/html; charset=utf-8")], text).into_response();
    match path.as_str() {
        "/robots.txt" => "User-agent: *\nDisallow: /secret".into_response(),
        "/" => html(
            "<a href='/List'>x</a><a href='/secret/1'>s</a><a href='/old'>o</a><a href='/busy'>b</a><a href='/gone'>g</a>\
             <a href='/soft'>g</a><a href='/loop1'>l</a><a href='#x'>x</a>"
                .into(),
        ),
        "/old" => (axum::http::StatusCode::FOUND, [("location", "/a/1")]).into_response(),
        "/loop1" => (axum::http::StatusCode::FOUND, [("location", "/loop2")]).into_response(),
        "/loop2" => (axum::http::StatusCode::FOUND, [("location", "/loop1")]).into_response(),
        "/busy" if nth == 1 => (axum::http::StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "0")]).into_response(),
        "/busy" => html("busy no more".into()),
        "/soft" => html("<p>Khong tim thay</p>".into()),
        "/List" => {
            let page = if post {
                let state: u32 = body
                    .split("__VIEWSTATE=s")
                    .nth(1)
                    .and_then(|t| t.split('&').next())
                    .unwrap()
                    .parse()
                    .unwrap();
                if portal.expire_once && state == 3 && nth == 1 {
                    return axum::http::StatusCode::INTERNAL_SERVER_ERROR.into_response();
                }
                // Only the page after the one that this form showed is offered.
                assert!(body.contains(&format!("Page%24{}", state + 1)), "{body}");
                state + 1
            } else {
                1
            };
            let items: String = (1..=3)
                .map(|i| {
                    let n = (page - 1) * 3 + i;
                    format!("<li><a href='/a/{n}?utm=1#f'>Tin {n}</a><i>0{page}/01/2023</i></li>")
                })
                .collect();
            let next = if page < 6 {
                format!("<a class=p href=\"javascript:__doPostBack('g','Page${}')\">{}</a>", page + 1, page + 1)
            } else {
                String::new()
            };
            html(format!(
                "<form><input type=hidden name=__VIEWSTATE value=s{page}>{items}{next}</form>"
            ))
        }
        "/img/1.png" => ([("content-type", "image/png")], vec![0x89u8, b'P', b'N', b'G']).into_response(),
        _ if path.starts_with("/a/") => html(format!(
            "<img src='/deco.png'><div class=body><h1>Tin {path}</h1><img src='/img/1.png'><img src='/img/none.png'></div>"
        )),
        _ => axum::http::StatusCode::NOT_FOUND.into_response(),
    }
}

async fn serve(expire_once: bool) -> (Arc<Portal>, Arc<Mapping>, CrawlOptions) {
    let portal = Arc::new(Portal {
        expire_once,
        ..Portal::default()
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let app = axum::Router::new().fallback(answer).with_state(portal.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let text = format!(
        "schema = 1\n[site]\nid = \"h\"\nbase = \"http://h/\"\nstart = [\"/\", \"/List\"]\n[url]\ndrop_params = [\"utm\"]\n{RULES}"
    );
    let mapping = Arc::new(Mapping::parse("h.toml", &text).unwrap_or_else(|e| panic!("{e:?}")));
    let options = CrawlOptions {
        connect_to: vec![format!("h:80:127.0.0.1:{port}").parse().unwrap()],
        ..CrawlOptions::default()
    };
    (portal, mapping, options)
}

fn check(mapping: &Mapping, store: &Store) {
    let ledger = Ledger::read(&store.ledger()).unwrap();
    let pages = ledger.pages("", 1000).unwrap();
    let articles: Vec<_> = pages.iter().filter(|p| p.url.contains("/a/")).collect();
    assert_eq!(articles.len(), 18, "{:?}", ledger.failures("", 100).unwrap());
    assert_eq!(ledger.counts().unwrap().state(UrlState::Ready), 0);
    assert_eq!(ledger.counts().unwrap().state(UrlState::Failed), 0);
    let archive = crate::capture::ArchiveReader::new(&store.archive());
    for page in &pages {
        let capture = archive.read(&page.place.clone().into(), 1 << 20).unwrap();
        assert_eq!(Some(capture.id), page.fetch.capture);
    }
    let first = articles.iter().find(|p| p.url == "http://h/a/1").unwrap();
    assert_eq!(ledger.listing(first.id).unwrap()["news.date"], "01/01/2023");
    let found = ledger.discovered(first.id).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].parent.as_str(), found[0].anchor.as_deref()),
        ("http://h/List", Some("Tin 1"))
    );
    assert_eq!(
        ledger.aliases(first.id).unwrap(),
        ["http://h/a/1", "http://h/a/1?utm=1", "http://h/old"]
    );
    let key = |url: &str| mapping.canonical(&url.parse().unwrap()).unwrap().key();
    assert_eq!(
        ledger.medium(&key("http://h/img/1.png")).unwrap().unwrap().state,
        MediumState::Ok
    );
    let missing = ledger.medium(&key("http://h/img/none.png")).unwrap().unwrap();
    assert_eq!(missing.state, MediumState::Missing);
    assert!(ledger.medium(&key("http://h/deco.png")).unwrap().is_none());
    let failures = ledger.failures("", 100).unwrap();
    let class = |url: &str| failures.iter().find(|f| f.url == url).map(|f| f.class.as_str());
    assert_eq!(class("http://h/secret/1"), Some("robots"));
    assert_eq!(class("http://h/soft"), Some("reject:soft"));
    assert_eq!(class("http://h/gone"), Some("gone"));
    assert!(failures.iter().any(|f| f.class == "redirect-loop"));
    assert!(!ledger.show(&key("http://h/a/1")).unwrap().unwrap().is_empty());
    assert_eq!(ledger.lists().unwrap()[0].stop.as_deref(), Some("last-page"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crawls_everything_once_and_a_second_run_asks_for_nothing() {
    let (portal, mapping, options) = serve(false).await;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    let summary = run(mapping.clone(), &store, options.clone(), |_| {})
        .await
        .unwrap();
    assert_eq!(summary.retries, 1);
    check(&mapping, &store);
    let twice: Vec<_> = portal
        .log
        .lock()
        .unwrap()
        .iter()
        .filter(|(k, n)| **n > 1 && !k.starts_with("/busy"))
        .map(|(k, _)| k.clone())
        .collect();
    assert!(twice.is_empty(), "{twice:?}");
    let again = run(mapping.clone(), &store, options, |_| {}).await.unwrap();
    assert_eq!(
        (again.captured, again.unchanged),
        (0, 1),
        "robots.txt only, and it is as it was"
    );
    check(&mapping, &store);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_form_begins_its_list_again() {
    let (_, mapping, options) = serve(true).await;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    run(mapping.clone(), &store, options, |_| {}).await.unwrap();
    let ledger = Ledger::read(&store.ledger()).unwrap();
    let articles = ledger.pages("", 1000).unwrap();
    assert_eq!(articles.iter().filter(|p| p.url.contains("/a/")).count(), 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_runs_continue_without_loss() {
    let (portal, mapping, options) = serve(false).await;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    for commits in [2usize, 5, 9] {
        let count = std::sync::atomic::AtomicUsize::new(0);
        let stop = tokio::sync::Notify::new();
        let on_event = |event: Event| {
            if matches!(event, Event::Captured { .. })
                && count.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 >= commits
            {
                stop.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = stop.notified() => {}
            result = run(mapping.clone(), &store, options.clone(), on_event) => { result.unwrap(); }
        }
        // The dropped run's thread still closes its ledger.
        while let Err(error) = Ledger::open(&store.ledger()).map(drop) {
            assert!(matches!(error, LedgerError::Locked { .. }), "{error}");
            tokio::task::yield_now().await;
        }
    }
    run(mapping.clone(), &store, options, |_| {}).await.unwrap();
    check(&mapping, &store);
    for (key, n) in portal.log.lock().unwrap().iter() {
        assert!(*n <= 5, "{key} was asked for {n} times");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_and_closed_ports_end_a_run_by_name() {
    let (_, mapping, mut options) = serve(false).await;
    let dir = tempfile::tempdir().unwrap();
    let store = Store::new(dir.path());
    options.limit = Some(4);
    let summary = run(mapping.clone(), &store, options.clone(), |_| {})
        .await
        .unwrap();
    assert!(summary.limit_reached && summary.captured <= 4);
    options.limit = None;
    options.cancel.cancel();
    let summary = run(mapping.clone(), &store, options.clone(), |_| {})
        .await
        .unwrap();
    assert!(summary.interrupted);
    let port = {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        closed.local_addr().unwrap().port()
    };
    let options = CrawlOptions {
        connect_to: vec![format!("h:80:127.0.0.1:{port}").parse().unwrap()],
        ..CrawlOptions::default()
    };
    let error = run(mapping, &store, options, |_| {}).await.unwrap_err();
    assert!(matches!(error, CrawlError::Unreachable { .. }), "{error}");
}
