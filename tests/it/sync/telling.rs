//! Who is told of a sync, and how: status, metrics, health, webhook, e-mail, traces.

use super::follow::Life;
use super::portal::{Portal, article};
use crate::support::{expect, sangtrang, serve_router, text};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use prost::Message as _;
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

/// What a server of a test was sent.
#[derive(Clone, Default)]
struct Inbox {
    got: Arc<Mutex<Vec<(HeaderMap, Bytes)>>>,
    /// Answers before it accepts anything.
    refusals: Arc<Mutex<u32>>,
}

impl Inbox {
    /// Listens; answers with the address.
    fn at(path: &'static str) -> (Self, String) {
        let inbox = Self::default();
        let router = axum::Router::new()
            .route(path, post(receive))
            .with_state(inbox.clone());
        let address = serve_router(router);
        (inbox, format!("http://{address}"))
    }
    fn take(&self) -> Vec<(HeaderMap, Bytes)> {
        std::mem::take(&mut self.got.lock().unwrap())
    }
    fn notices(&self) -> Vec<Value> {
        self.take()
            .iter()
            .map(|(_, b)| serde_json::from_slice(b).unwrap())
            .collect()
    }
}

async fn receive(State(inbox): State<Inbox>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut refusals = inbox.refusals.lock().unwrap();
    if *refusals > 0 {
        *refusals -= 1;
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    inbox.got.lock().unwrap().push((headers, body));
    StatusCode::OK
}

const SECRET: &str = "bí mật";

fn hooked(life: &Life<'_>, more: &[&str], code: i32) -> Value {
    let mut command = life.command(sangtrang(), more);
    command.env("TEST_HOOK_SECRET", SECRET);
    let said = expect(&mut command, code);
    serde_json::from_str(text(&said.stdout).lines().last().unwrap()).unwrap()
}

#[test]
fn status_and_show_tell_the_same_as_the_sync() {
    let portal = Portal::new(12);
    let life = Life::new(&portal, "");
    let said = expect(&mut life.command(sangtrang(), &[]), 0);
    let lines: Vec<Value> = text(&said.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert!(
        lines
            .iter()
            .all(|l| l["schema"].is_string() && l["type"].is_string())
    );
    let steps: Vec<&str> = lines
        .iter()
        .filter(|l| l["type"] == "step")
        .map(|l| l["step"].as_str().unwrap())
        .collect();
    assert_eq!(steps, ["mapping", "crawl", "extract"]);
    let status = |json: &[&str]| {
        let mut command = sangtrang();
        command
            .args(json)
            .args(["status", "song", "--output"])
            .arg(life.output());
        text(&expect(&mut command, 0).stdout)
    };
    let json: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(
        (&json["schema"], &json["documents"]),
        (&"status/1".into(), &12.into())
    );
    assert_eq!(json["documents_by_collection"]["news"], 12);
    assert_eq!(json["sync"]["portal"]["added"], 12, "{json}");
    assert_eq!(json["last_sync"]["outcome"], "done", "{json}");
    assert_eq!(json["last_success"], json["last_sync"]["started"]);
    assert!(
        status(&[]).contains("last whole sync: 2026-03-01T02:00:0"),
        "{}",
        status(&[])
    );
    // A day without the portal is no success, and the one before it stays the last one.
    portal.today().login = true;
    life.sync(&["--full"], 7);
    let later: Value = serde_json::from_str(&status(&["--json"])).unwrap();
    assert_eq!(later["last_success"], json["last_success"]);
    assert_eq!(later["sync"]["exit"], 7, "{later}");

    let mut command = sangtrang();
    command
        .args(["--json", "show", "/view?id=3", "--mapping"])
        .arg(&life.mapping);
    command.arg("--output").arg(life.output());
    let shown: Value = serde_json::from_slice(&expect(&mut command, 0).stdout).unwrap();
    let whats: Vec<&str> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["what"].as_str().unwrap())
        .collect();
    for what in ["url", "found", "fetched", "state", "document", "extracted"] {
        assert!(whats.contains(&what), "{what} is missing: {shown}");
    }
}

/// What `promtool` says of metrics; skips loudly without it.
fn lint(metrics: &str) {
    let spawned = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut promtool) = spawned else {
        eprintln!("SKIPPED: there is no promtool here (Debian: prometheus)");
        return;
    };
    promtool
        .stdin
        .take()
        .unwrap()
        .write_all(metrics.as_bytes())
        .unwrap();
    let said = promtool.wait_with_output().unwrap();
    assert!(
        said.status.success(),
        "{}{}\n{metrics}",
        text(&said.stdout),
        text(&said.stderr)
    );
}

#[test]
fn metrics_are_written_whole_and_promtool_takes_them() {
    let portal = Portal::new(12);
    let life = Life::new(&portal, "");
    let file = life.folder.path().join("collected").join("sangtrang.prom");
    let file_name = file.to_str().unwrap();
    life.sync(&["--metrics-file", file_name], 0);
    let metrics = std::fs::read_to_string(&file).unwrap();
    for line in [
        "sangtrang_documents{site=\"song\",collection=\"news\"} 12.0",
        "sangtrang_sync_exit_code{site=\"song\"} 0.0",
        "sangtrang_healthy{site=\"song\"} 1.0",
        "sangtrang_sync_documents{site=\"song\",change=\"added\"} 12.0",
        "sangtrang_breaker_open{site=\"song\"} 0.0",
    ] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
    lint(&metrics);
    // Nothing of the portal's becomes a label: however many pages, as many lines.
    for id in 13..=40 {
        portal.today().articles.insert(id, article(id));
    }
    life.sync(&["--metrics-file", file_name], 0);
    let more = std::fs::read_to_string(&file).unwrap();
    assert_eq!(metrics.lines().count(), more.lines().count(), "{more}");
    portal.today().login = true;
    life.sync(&["--full", "--metrics-file", file_name], 7);
    let down = std::fs::read_to_string(&file).unwrap();
    assert!(
        down.contains("sangtrang_breaker_open{site=\"song\"} 1.0"),
        "{down}"
    );
    assert!(down.contains("sangtrang_healthy{site=\"song\"} 0.0"), "{down}");
    let left: Vec<_> = std::fs::read_dir(file.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "no unfinished file is left");
    // A place that cannot be written is a warning, never a failed sync.
    portal.today().login = false;
    let said = expect(
        &mut life.command(sangtrang(), &["--metrics-file", "/proc/nowhere/x.prom"]),
        0,
    );
    assert!(
        text(&said.stderr).contains("no metrics are written"),
        "{}",
        text(&said.stderr)
    );
}

/// Status and body of a GET.
fn get(address: &str, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
}

#[test]
fn a_daemon_serves_metrics_and_health() {
    let portal = Portal::new(12);
    let life = Life::new(&portal, "");
    let more = [
        "--full",
        "--every",
        "1s",
        "--jitter",
        "0s",
        "--listen",
        "127.0.0.1:0",
    ];
    let mut child = life
        .command(sangtrang(), &more)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = |kind: &str| loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["type"] == kind {
            return line;
        }
    };
    let address = next("listening")["address"].as_str().unwrap().to_owned();
    assert_eq!(next("sync")["portal"]["added"], 12);
    let (status, health) = get(&address, "/healthz");
    let health: Value = serde_json::from_str(&health).unwrap();
    assert_eq!((status, &health["healthy"]), (200, &true.into()), "{health}");
    let (status, metrics) = get(&address, "/metrics");
    assert_eq!(status, 200);
    assert!(metrics.contains("sangtrang_documents{site=\"song\",collection=\"news\"} 12.0"));
    lint(&metrics);
    portal.today().login = true;
    while next("sync")["exit"] != 7 {}
    let (status, health) = get(&address, "/healthz");
    assert_eq!(status, 503, "{health}");
    assert!(health.contains("breaker"), "{health}");
    assert_eq!(get(&address, "/etc/passwd").0, 404);
    Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    child.wait().unwrap();
    expect(&mut life.command(sangtrang(), &["--listen", "9464"]), 2);
}

#[test]
fn a_webhook_is_signed_repeated_and_never_a_flood() {
    let (inbox, base) = Inbox::at("/hook");
    let portal = Portal::new(12);
    let notify = format!(
        "[notify]\ndigest = \"49h\"\n[notify.webhook]\nurl = \"{base}/hook\"\nsecret_env = \"TEST_HOOK_SECRET\"\n"
    );
    let life = Life::new(&portal, &notify);
    hooked(&life, &[], 0);
    assert!(inbox.take().is_empty(), "nothing is wrong");
    // The first time at once, although the receiver refuses twice.
    portal.today().login = true;
    *inbox.refusals.lock().unwrap() = 2;
    hooked(&life, &["--full"], 7);
    let got = inbox.take();
    assert_eq!(got.len(), 1);
    let (headers, body) = &got[0];
    assert_eq!(
        headers["x-sangtrang-signature-256"],
        sangtrang::notify::signature(SECRET, body)
    );
    let notice: Value = serde_json::from_slice(body).unwrap();
    assert_eq!(
        (&notice["schema"], &notice["kind"]),
        (&"notice/1".into(), &"problem".into())
    );
    assert_eq!(notice["problems"][0]["key"], "unreachable", "{notice}");
    assert_eq!(headers["x-sangtrang-id"], notice["id"].as_str().unwrap());
    // Two days of the same: nothing. Then one digest.
    hooked(&life, &["--full"], 7);
    hooked(&life, &["--full"], 7);
    assert!(inbox.take().is_empty());
    hooked(&life, &["--full"], 7);
    let digest = inbox.notices();
    assert_eq!(digest.len(), 1);
    assert_eq!(
        (&digest[0]["kind"], &digest[0]["problems"][0]["syncs"]),
        (&"digest".into(), &4.into())
    );
    // It is over: once.
    portal.today().login = false;
    hooked(&life, &[], 0);
    hooked(&life, &[], 0);
    let over = inbox.notices();
    assert_eq!(
        (over.len(), &over[0]["kind"]),
        (1, &"resolved".into()),
        "{over:?}"
    );
}

#[test]
fn what_cannot_be_sent_waits_and_nothing_of_it_holds_up_a_sync() {
    let (inbox, base) = Inbox::at("/hook");
    let portal = Portal::new(12);
    let hook = |url: &str| {
        format!(
            "[notify.webhook]\nurl = \"{url}\"\nretries = 1\ntimeout = \"2s\"\nsecret_env = \"TEST_HOOK_SECRET\"\n"
        )
    };
    let life = Life::new(&portal, &hook(&format!("{base}/hook")));
    hooked(&life, &[], 0);
    portal.today().login = true;
    *inbox.refusals.lock().unwrap() = 100;
    let mut command = life.command(sangtrang(), &["--full"]);
    let said = expect(command.env("TEST_HOOK_SECRET", SECRET), 7);
    assert!(
        text(&said.stderr).contains("the next sync tries again"),
        "{}",
        text(&said.stderr)
    );
    assert!(!text(&said.stderr).contains(SECRET));
    *inbox.refusals.lock().unwrap() = 0;
    portal.today().login = false;
    hooked(&life, &[], 0);
    let kinds: Vec<Value> = inbox.notices().iter().map(|n| n["kind"].clone()).collect();
    assert_eq!(kinds, ["problem", "resolved"]);
    // Without the secret nothing is sent unsigned, and the sync goes on.
    portal.today().login = true;
    let said = expect(&mut life.command(sangtrang(), &["--full"]), 7);
    assert!(
        text(&said.stderr).contains("TEST_HOOK_SECRET"),
        "{}",
        text(&said.stderr)
    );
    assert!(inbox.take().is_empty());
    // What was not told then is told when the secret is there.
    hooked(&life, &["--full"], 7);
    assert_eq!(inbox.notices()[0]["kind"], "problem");
    // What is no web address is a problem of the mapping.
    for (bad, why) in [
        (hook("file:///etc/passwd"), "neither http nor https"),
        (
            hook("https://user:pass@hooks.example/"),
            "carries a name or password",
        ),
        ("[notify.webhook]\nretries = 1\n".to_owned(), "no address"),
        ("[notify]\ndigset = \"1h\"\n".to_owned(), "did you mean `digest`"),
        (
            "[notify.mail]\nserver = \"m\"\nfrom = \"x\"\nto = [\"a@b\"]\n".to_owned(),
            "no e-mail address",
        ),
        ("[retention]\nversions = 0\n".to_owned(), "at least 1"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mapping = portal.mapping(folder.path(), &bad);
        let said = expect(sangtrang().arg("check").arg(mapping), 3);
        assert!(text(&said.stderr).contains(why), "{why}: {}", text(&said.stderr));
    }
}

#[test]
fn traces_of_a_sync_are_a_handful_of_spans() {
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    let (inbox, base) = Inbox::at("/v1/traces");
    let portal = Portal::new(23);
    let life = Life::new(&portal, "");
    life.sync(&["--otlp", &base], 0);
    let mut spans = Vec::new();
    for (headers, body) in inbox.take() {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        for resource in request.resource_spans {
            let named = format!("{:?}", resource.resource);
            assert!(
                named.contains("service.name") && named.contains("sangtrang"),
                "{named}"
            );
            spans.extend(resource.scope_spans.into_iter().flat_map(|s| s.spans));
        }
    }
    let mut names: Vec<&str> = spans.iter().map(|s| s.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["crawl", "extract", "mapping", "sync"], "none a page");
    let sync = spans.iter().find(|s| s.name == "sync").unwrap();
    for span in spans.iter().filter(|s| s.name != "sync") {
        assert_eq!(
            (&span.parent_span_id, &span.trace_id),
            (&sync.span_id, &sync.trace_id)
        );
    }
    let crawl = format!(
        "{:?}",
        spans.iter().find(|s| s.name == "crawl").unwrap().attributes
    );
    assert!(crawl.contains("asked") && crawl.contains("unchanged"), "{crawl}");
    // No collector: the sync is what it was.
    let said = expect(
        &mut life.command(sangtrang(), &["--otlp", "http://127.0.0.1:9/"]),
        0,
    );
    assert!(
        text(&said.stderr).contains("traces are not sent"),
        "{}",
        text(&said.stderr)
    );
    expect(&mut life.command(sangtrang(), &["--otlp", "ftp://x/"]), 2);
}
