//! Networks that mean harm or do not mean well; judged by what the servers saw.

use crate::support::{documents, expect, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<String>>>;

fn mapping(folder: &Path, site: &str, rules: &str) -> PathBuf {
    let path = folder.join("site.toml");
    let text = format!(
        r##"schema = 1
[site]
id = "site"
{site}
[politeness]
concurrency = 4
delay = "0ms"
backoff = "1ms"
retries = 1
{rules}
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "news"
match = {{ url = '^/tin' }}
key = "{{path}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
[[ignore]]
id = "start"
url = '^/$'
[[drop]]
id = "outside"
outside = true
"##
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn run(mapping: &Path, output: &Path) -> Command {
    let mut command = sangtrang();
    command.arg("run").arg(mapping).arg("--output").arg(output);
    for name in [
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    command
}

fn article(name: &str) -> String {
    format!("<div id=content><h1>Tin {name}</h1><p>Nội dung của tin {name}.</p></div>")
}

fn failed(output: &Path) -> String {
    std::fs::read_to_string(output.join("site/report.txt")).unwrap()
}

/// A site whose pages lead to another name, by a link and by a redirect; both names are this server.
fn two_names(log: &Log) -> SocketAddr {
    let log = log.clone();
    serve_router(Router::new().fallback(move |request: Request| {
        let log = log.clone();
        async move {
            let host = request.headers()[header::HOST].to_str().unwrap().to_owned();
            let path = request.uri().path().to_owned();
            log.lock().unwrap().push(format!("{host}{path}"));
            let port = host.rsplit(':').next().unwrap_or_default();
            match path.as_str() {
                "/" => Html(format!(
                    "<a href=/tin/1>1</a><a href='http://localhost:{port}/tin/noi-bo'>2</a><a href=/tin/chuyen>3</a>"
                ))
                .into_response(),
                "/tin/chuyen" => {
                    let to = format!("http://localhost:{port}/tin/an");
                    (StatusCode::FOUND, [(header::LOCATION, to)]).into_response()
                }
                "/tin/1" | "/tin/noi-bo" | "/tin/an" => Html(article(&path)).into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
    }))
}

#[test]
fn a_name_that_leads_to_a_private_address_is_not_asked_unless_allowed() {
    let log = Log::default();
    let address = two_names(&log);
    let folder = tempfile::tempdir().unwrap();
    let site = format!(
        "base = \"http://127.0.0.1:{port}/\"\nalso = [\"http://localhost:{port}\"]",
        port = address.port()
    );
    let mapping = mapping(folder.path(), &site, "");
    let output = folder.path().join("out");
    let said = expect(&mut run(&mapping, &output), 4);
    let asked = log.lock().unwrap().clone();
    assert!(
        !asked.is_empty() && !asked.iter().any(|line| line.starts_with("localhost")),
        "{asked:?}"
    );
    assert_eq!(documents(&output.join("site")).len(), 1, "{}", text(&said.stderr));
    let report = failed(&output);
    assert!(report.contains("blocked-address"), "{report}");

    let allowed = folder.path().join("allowed");
    expect(
        run(&mapping, &allowed).args(["--allow-net", "127.0.0.0/8", "--allow-net", "::1/128"]),
        0,
    );
    let asked = log.lock().unwrap().clone();
    assert!(
        asked.iter().any(|line| line.starts_with("localhost")),
        "{asked:?}"
    );
    assert_eq!(documents(&allowed.join("site")).len(), 3);

    expect(run(&mapping, &allowed).args(["--allow-net", "127.0.0.0/99"]), 2);
}

#[test]
fn a_closed_port_is_named_with_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "base = \"http://site.example/\"", "");
    let mut command = run(&mapping, &folder.path().join("out"));
    command.args(["--connect-to", "site.example:80:127.0.0.1:1"]);
    let said = text(&expect(&mut command, 7).stderr);
    assert!(said.contains("cannot connect to 127.0.0.1:1"), "{said}");
}

/// Answers each connection with `answer(path, connection)`.
fn raw(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, answer) = (socket.unwrap(), answer.clone());
            std::thread::spawn(move || {
                let mut head = Vec::new();
                let mut byte = [0];
                while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).is_ok_and(|n| n == 1) {
                    head.push(byte[0]);
                }
                let head = text(&head);
                answer(head.split(' ').nth(1).unwrap_or_default(), &mut socket);
            });
        }
    });
    address
}

fn whole(socket: &mut TcpStream, body: &str) {
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let _ = socket.write_all(head.as_bytes());
    let _ = socket.write_all(body.as_bytes());
}

#[test]
fn what_drips_hangs_or_never_ends_its_head_is_named_and_the_rest_is_fetched() {
    let address = raw(|path, socket| match path {
        "/" => {
            let links: String = ["nho-giot", "treo", "dau-dai", "rac"]
                .iter()
                .map(|p| format!("<a href=/tin/{p}>x</a>"))
                .chain((0..20).map(|n| format!("<a href=/tin/{n}>x</a>")))
                .collect();
            whole(socket, &links);
        }
        "/tin/nho-giot" => {
            let _ = socket
                .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n");
            // Ends when the other side has gone.
            while socket.write_all(b"x").is_ok() {
                std::thread::sleep(std::time::Duration::from_millis(20));
            }
        }
        "/tin/treo" => {
            // Until the other side has gone.
            let _ = socket.read(&mut [0]);
        }
        "/tin/dau-dai" => {
            let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n");
            let line = format!("X-Dai: {}\r\n", "a".repeat(1000));
            while socket.write_all(line.as_bytes()).is_ok() {}
        }
        "/tin/rac" => {
            let _ = socket.write_all(b"day khong phai la HTTP\r\n\r\n");
        }
        path if path
            .strip_prefix("/tin/")
            .and_then(|n| n.parse().ok())
            .is_some_and(|n: u32| n < 20) =>
        {
            whole(socket, &article(path));
        }
        _ => {
            let _ =
                socket.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let rules = "timeout = \"2s\"\nbreaker = 0\n[network]\nmin_rate = 1000\nmin_rate_time = \"300ms\"\n";
    let mapping = mapping(folder.path(), &format!("base = \"http://{address}/\""), rules);
    let output = folder.path().join("out");
    expect(&mut run(&mapping, &output), 4);
    assert_eq!(documents(&output.join("site")).len(), 20);
    let report = failed(&output);
    for class in ["too-slow", "timeout", "bad-response"] {
        assert!(report.contains(class), "{class}\n{report}");
    }
}

#[test]
fn a_plain_proxy_is_asked_for_whole_addresses() {
    let log = Log::default();
    let seen = log.clone();
    let proxy = serve_router(Router::new().fallback(move |request: Request| {
        let seen = seen.clone();
        async move {
            seen.lock().unwrap().push(request.uri().to_string());
            match request.uri().path() {
                "/" => Html("<a href=/tin/1>1</a>".to_owned()).into_response(),
                "/tin/1" => Html(article("1")).into_response(),
                _ => StatusCode::NOT_FOUND.into_response(),
            }
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let rules = format!("[network]\nproxy = \"http://{proxy}\"\n");
    let mapping = mapping(folder.path(), "base = \"http://site.example/\"", &rules);
    let output = folder.path().join("out");
    expect(&mut run(&mapping, &output), 0);
    assert_eq!(documents(&output.join("site")).len(), 1);
    let asked = log.lock().unwrap().clone();
    assert!(
        asked.contains(&"http://site.example/tin/1".to_owned()),
        "{asked:?}"
    );
}

/// A SOCKS5 proxy (RFC 1928) without authentication, which leads every name to `to`; tells the names.
fn socks(to: SocketAddr, log: Log) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for socket in listener.incoming() {
            let (mut socket, log) = (socket.unwrap(), log.clone());
            std::thread::spawn(move || {
                let mut two = [0; 2];
                socket.read_exact(&mut two).unwrap();
                socket.read_exact(&mut vec![0; usize::from(two[1])]).unwrap();
                socket.write_all(&[5, 0]).unwrap();
                let mut head = [0; 5];
                socket.read_exact(&mut head).unwrap();
                assert_eq!(head[..4], [5, 1, 0, 3], "a CONNECT to a name");
                let mut name = vec![0; usize::from(head[4]) + 2];
                socket.read_exact(&mut name).unwrap();
                log.lock().unwrap().push(text(&name[..name.len() - 2]));
                socket.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
                let mut other = TcpStream::connect(to).unwrap();
                let (mut from, mut back) = (socket.try_clone().unwrap(), other.try_clone().unwrap());
                std::thread::spawn(move || std::io::copy(&mut back, &mut socket));
                let _ = std::io::copy(&mut from, &mut other);
            });
        }
    });
    address
}

#[test]
fn a_socks_proxy_resolves_the_names() {
    let site = serve_router(Router::new().fallback(|request: Request| async move {
        match request.uri().path() {
            "/" => Html("<a href=/tin/1>1</a>".to_owned()).into_response(),
            "/tin/1" => Html(article("1")).into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }));
    let log = Log::default();
    let proxy = socks(site, log.clone());
    let folder = tempfile::tempdir().unwrap();
    let rules = format!("[network]\nproxy = \"socks5h://{proxy}\"\n");
    let mapping = mapping(folder.path(), "base = \"http://site.example/\"", &rules);
    let output = folder.path().join("out");
    expect(&mut run(&mapping, &output), 0);
    assert_eq!(documents(&output.join("site")).len(), 1);
    assert!(log.lock().unwrap().iter().all(|name| name == "site.example"));
    assert!(!log.lock().unwrap().is_empty());
}

#[test]
fn mistakes_in_the_network_rules_are_explained_and_secrets_are_not_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let rules = r#"[network]
allow = ["10.0.0.0/99"]
proxy = "http://ten:mat-khau@proxy.example:3128"
[tls]
profile = "legacy"
pins = ["sha1:00"]
[[tls.host]]
host = "https://a.example/"
allow_invalid = true
"#;
    let mapping = mapping(folder.path(), "base = \"http://site.example/\"", rules);
    let said = text(&expect(sangtrang().arg("check").arg(&mapping), 3).stderr);
    for wanted in [
        "`10.0.0.0/99` is no network",
        "carries a name or password",
        "the profile `legacy` needs a `reason`",
        "a pin is `sha256:`",
        "is not the name of a host",
        "`allow_invalid` needs a `reason`",
    ] {
        assert!(said.contains(wanted), "{wanted}\n{said}");
    }
}
