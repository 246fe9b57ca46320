//! The floor: the requests of one of our runs, recorded on their way and sent again by a bare loop that knows nothing of
//! journals, documents or plans.

use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Request, Response, header};
use bytes::Bytes;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Instant;

/// Fewer requests of a sort than this are sent one after the other: terms wait for those above them.
const FEW: usize = 8;

/// Ids of files in blocks of WordPress.
static ID_IN_BODY: LazyLock<regex::Regex> =
    LazyLock::new(|| regex::Regex::new(r#"("id":|wp-image-)(\d+)"#).expect("a pattern"));

/// A request as it was sent, and the id that the answer gave to what it made.
#[derive(Clone)]
pub struct Sent {
    method: Method,
    /// Path with query, after the address of the CMS.
    path: String,
    headers: HeaderMap,
    body: Bytes,
    id: Option<u64>,
}

/// What goes by, in order.
pub struct Recorder {
    pub base: String,
    sent: Arc<Mutex<Vec<Sent>>>,
    _runtime: tokio::runtime::Runtime,
}

struct Forward {
    to: String,
    client: reqwest::Client,
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Recorder {
    /// Stands before the CMS at `to`.
    pub fn start(to: &str) -> Self {
        let runtime = super::reactor();
        let sent = Arc::new(Mutex::new(Vec::new()));
        let forward = Arc::new(Forward {
            to: to.to_owned(),
            client: super::client(8),
            sent: sent.clone(),
        });
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("its address"));
        let router = axum::Router::new().fallback(pass).with_state(forward);
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self {
            base,
            sent,
            _runtime: runtime,
        }
    }

    /// Everything that went by.
    pub fn requests(&self) -> Vec<Sent> {
        self.sent.lock().expect("no panic").clone()
    }
}

async fn pass(State(forward): State<Arc<Forward>>, request: Request<Body>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let path = parts
        .uri
        .path_and_query()
        .map(ToString::to_string)
        .unwrap_or_default();
    let mut headers = parts.headers;
    for name in [header::HOST, header::CONTENT_LENGTH, header::CONNECTION] {
        headers.remove(name);
    }
    let mut sent = Sent {
        method: parts.method,
        path,
        headers,
        body,
        id: None,
    };
    let answer = send(&forward.client, &forward.to, &sent).await;
    let (status, headers) = (answer.status(), answer.headers().clone());
    let bytes = answer.bytes().await.expect("an answer");
    sent.id = made(&sent, &bytes);
    forward.sent.lock().expect("no panic").push(sent);
    let mut response = Response::new(Body::from(bytes));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    for name in [
        header::CONTENT_LENGTH,
        header::TRANSFER_ENCODING,
        header::CONNECTION,
    ] {
        response.headers_mut().remove(name);
    }
    response
}

/// Number of what a request made, if the CMS chooses it.
fn made(sent: &Sent, answer: &[u8]) -> Option<u64> {
    let number = |s: &str| s.parse::<u64>().is_ok();
    if sent.method != Method::POST || segments(&sent.path).any(number) {
        return None;
    }
    serde_json::from_slice::<Value>(answer).ok()?["id"].as_u64()
}

async fn send(client: &reqwest::Client, base: &str, sent: &Sent) -> reqwest::Response {
    client
        .request(sent.method.clone(), format!("{base}{}", sent.path))
        .headers(sent.headers.clone())
        .body(sent.body.clone())
        .send()
        .await
        .expect("the CMS answers")
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.split('?')
        .next()
        .unwrap_or_default()
        .split('/')
        .filter(|s| !s.is_empty())
}

/// What sort of request it is: method, path without ids, and whether it says anything but a state.
pub fn sort(sent: &Sent) -> String {
    let is_id = |s: &str| s.parse::<u64>().is_ok() || (s.len() == 36 && s.matches('-').count() == 4);
    let mut path: Vec<&str> = segments(&sent.path)
        .map(|s| if is_id(s) { "ID" } else { s })
        .collect();
    // Bytes that are read back, each under a name of its own.
    if let [.., "ID", name] = path.as_mut_slice()
        && name.contains('.')
    {
        *name = "FILE";
    }
    let state = sent.body.len() < 64 && sent.body.starts_with(b"{\"status\"");
    format!(
        "{} {}{}",
        sent.method,
        path.join("/").replace("wp-json/wp/v2/", ""),
        if state { " (state)" } else { "" }
    )
}

/// Sends everything again over `connections`, one sort after the other as they were sent, each as parallel as it may be.
/// Answers wall seconds and CPU seconds of this loop.
pub fn replay(base: &str, all: &[Sent], connections: usize) -> (f64, f64) {
    let runtime = super::reactor();
    let client = super::client(connections);
    // Ids as the CMS gives them this time, by kind and old id.
    let ids: Arc<Mutex<HashMap<(String, u64), u64>>> = Arc::default();
    let (mut wall, mut cpu, mut at) = (0.0, 0.0, 0);
    let mut last = String::new();
    while at < all.len() {
        let kind = sort(&all[at]);
        // The first of a sort goes alone: with the first upload WordPress makes a folder, and two at once race for it.
        let most = if kind == last { usize::MAX } else { 1 };
        let same = all[at..]
            .iter()
            .take(most)
            .take_while(|s| sort(s) == kind)
            .count();
        last = kind;
        // Not part of the loop: only the rest of this bench needs other ids.
        let phase: Arc<Vec<Sent>> = {
            let ids = ids.lock().expect("no panic");
            Arc::new(all[at..at + same].iter().map(|s| with_ids(s, &ids)).collect())
        };
        at += same;
        let lanes = if same < FEW { 1 } else { connections };
        let before = super::machine::cpu(false);
        let started = Instant::now();
        let failed = runtime.block_on(async {
            let next = Arc::new(AtomicUsize::new(0));
            let workers: Vec<_> = (0..lanes)
                .map(|_| {
                    let (client, base, phase, next, ids) = (
                        client.clone(),
                        base.to_owned(),
                        phase.clone(),
                        next.clone(),
                        ids.clone(),
                    );
                    tokio::spawn(async move {
                        let mut failed = Vec::new();
                        while let Some(sent) = phase.get(next.fetch_add(1, Ordering::Relaxed)) {
                            let answer = send(&client, &base, sent).await;
                            let status = answer.status();
                            let bytes = answer.bytes().await.expect("an answer");
                            if let (Some(old), Some(new)) = (sent.id, made(sent, &bytes)) {
                                ids.lock().expect("no panic").insert((of(&sent.path), old), new);
                            }
                            // Not every site has the companion plugin: that it does not is an answer too.
                            if !status.is_success() && sent.method != Method::GET {
                                failed.push(format!(
                                    "{} {}: {status} {}",
                                    sent.method,
                                    sent.path,
                                    String::from_utf8_lossy(&bytes)
                                ));
                            }
                        }
                        failed
                    })
                })
                .collect();
            let mut failed = Vec::new();
            for worker in workers {
                failed.extend(worker.await.expect("a worker"));
            }
            failed
        });
        wall += started.elapsed().as_secs_f64();
        cpu += super::machine::cpu(false) - before;
        assert!(
            failed.is_empty(),
            "the floor sends what the CMS refuses: {failed:#?}"
        );
    }
    (wall, cpu)
}

/// The type in the path of a request to WordPress.
fn of(path: &str) -> String {
    segments(path).nth(3).unwrap_or_default().to_owned()
}

/// A request with the ids of this time.
fn with_ids(sent: &Sent, ids: &HashMap<(String, u64), u64>) -> Sent {
    if ids.is_empty() {
        return sent.clone();
    }
    let new = |of: &str, old: u64| ids.get(&(of.to_owned(), old)).copied().unwrap_or(old);
    let mut sent = sent.clone();
    let kind = of(&sent.path);
    let (path, query) = sent.path.split_once('?').unwrap_or((&sent.path, ""));
    let path: Vec<String> = path
        .split('/')
        .map(|s| {
            s.parse()
                .map_or_else(|_| s.to_owned(), |old| new(&kind, old).to_string())
        })
        .collect();
    sent.path = format!("{}?{query}", path.join("/"));
    let Ok(Value::Object(mut fields)) = serde_json::from_slice(&sent.body) else {
        return sent;
    };
    for (name, value) in &mut fields {
        match (name.as_str(), value) {
            ("featured_media", value) => {
                if let Some(old) = value.as_u64() {
                    *value = new("media", old).into();
                }
            }
            ("parent", value) => {
                if let Some(old) = value.as_u64() {
                    *value = new(&kind, old).into();
                }
            }
            ("content", Value::String(text)) => {
                *text = ID_IN_BODY
                    .replace_all(text, |c: &regex::Captures<'_>| {
                        format!("{}{}", &c[1], c[2].parse().map_or(0, |old| new("media", old)))
                    })
                    .into_owned();
            }
            (taxonomy, Value::Array(list)) => {
                for value in list {
                    if let Some(old) = value.as_u64() {
                        *value = new(taxonomy, old).into();
                    }
                }
            }
            _ => {}
        }
    }
    sent.body = Value::Object(fields).to_string().into();
    sent
}
