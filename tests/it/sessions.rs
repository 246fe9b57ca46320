//! Sites that want to know who asks: cookies, Basic, forms; judged by what the server saw and by what stays on disk.

use crate::support::{documents, expect, files, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::{RawForm, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use std::collections::HashMap;
use std::io::Read as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

const PAGES: u32 = 30;
const PASSWORD: &str = "mat-khau-bi-mat-7319";
const TOKEN: &str = "the-bai-8842";

#[derive(Default)]
struct Site {
    log: Mutex<Vec<String>>,
    /// Sessions that are valid, and how many pages each has left.
    sessions: Mutex<HashMap<String, u32>>,
    /// Pages that a session is good for.
    lasts: u32,
}

type Shared = State<Arc<Site>>;

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get(header::COOKIE)?.to_str().ok()?;
    all.split("; ")
        .find_map(|c| c.strip_prefix(name)?.strip_prefix('='))
}

fn content(id: u32) -> Response {
    let next = id % PAGES + 1;
    Html(format!(
        "<div id=content><h1>Tin số {id}</h1><p>Nội dung của tin {id}.</p></div><a href='/view?id={next}'>tiếp</a><a href='/dang-xuat'>Đăng xuất</a>"
    ))
    .into_response()
}

fn id_of(request: &Request) -> u32 {
    let query = request.uri().query().unwrap_or_default();
    query
        .strip_prefix("id=")
        .and_then(|n| n.parse().ok())
        .unwrap_or(1)
}

async fn note(State(site): Shared, request: Request, next: Next) -> Response {
    let line = format!("{} {}", request.method(), request.uri());
    site.log.lock().unwrap().push(line);
    next.run(request).await
}

/// Pages behind a login whose sessions do not last.
async fn members(State(site): Shared, request: Request) -> Response {
    let session = cookie(request.headers(), "phien").unwrap_or_default().to_owned();
    let mut sessions = site.sessions.lock().unwrap();
    match sessions.get_mut(&session) {
        Some(left) if *left > 0 => {
            *left -= 1;
            content(id_of(&request))
        }
        _ => {
            let back = format!("/Login.aspx?ReturnUrl={}", request.uri().path());
            (StatusCode::FOUND, [(header::LOCATION, back)]).into_response()
        }
    }
}

const FORM: &str = "<form method=post action='./Login.aspx'><input type=hidden name=__VIEWSTATE value='a+b=='>\
                    <input name='ctl00$ten'><input type=password name='ctl00$matkhau'><input type=submit name='ctl00$vao' value='Đăng nhập'></form>";

async fn login(State(site): Shared, RawForm(body): RawForm) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body)
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let right = field("__VIEWSTATE") == "a+b=="
        && field("ctl00$ten") == "quantri"
        && field("ctl00$matkhau") == PASSWORD
        && field("ctl00$vao") == "Đăng nhập";
    if !right {
        return Html(format!("<p>Sai mật khẩu</p>{FORM}")).into_response();
    }
    let mut sessions = site.sessions.lock().unwrap();
    let session = format!("s{}", sessions.len());
    sessions.insert(session.clone(), site.lasts);
    let set = format!("phien={session}; path=/; HttpOnly");
    (
        StatusCode::FOUND,
        [(header::LOCATION, "/trong".to_owned()), (header::SET_COOKIE, set)],
    )
        .into_response()
}

fn site(lasts: u32) -> (Arc<Site>, SocketAddr) {
    let site = Arc::new(Site {
        lasts,
        ..Site::default()
    });
    let router = Router::new()
        .route("/view", get(members))
        .route("/Login.aspx", get(|| async { Html(FORM) }).post(login))
        .route(
            "/trong",
            get(|| async { Html("<p>Xin chào quantri</p><a href='/view?id=1'>vào</a>") }),
        )
        .route(
            "/dang-xuat",
            get(|State(site): Shared| async move { site.sessions.lock().unwrap().clear() }),
        )
        .route(
            "/wall",
            get(|headers: HeaderMap, request: Request| async move {
                if cookie(&headers, "D1N") == Some("qua") {
                    return content(id_of(&request));
                }
                let own = request.uri().to_string();
                (
                    StatusCode::FOUND,
                    [
                        (header::LOCATION, own),
                        (header::SET_COOKIE, "D1N=qua".to_owned()),
                    ],
                )
                    .into_response()
            }),
        )
        .route(
            "/basic",
            get(|headers: HeaderMap, request: Request| async move {
                let sent = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
                let bearer = format!("Bearer {TOKEN}");
                if sent == Some(bearer.as_str()) && headers.get("accept-language").is_some_and(|l| l == "vi")
                {
                    content(id_of(&request))
                } else {
                    StatusCode::UNAUTHORIZED.into_response()
                }
            }),
        )
        .layer(from_fn_with_state(site.clone(), note))
        .with_state(site.clone());
    (site, serve_router(router))
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
concurrency = 4
delay = "0ms"
backoff = "1ms"
{rules}
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "news"
match = {{ url = '^/(view|wall|basic)' }}
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
        .arg("run")
        .arg(mapping)
        .args(["--connect-to", &format!("::{address}")])
        .arg("--output")
        .arg(output)
        .env_remove("PORTAL_USER")
        .env_remove("PORTAL_PASSWORD");
    command
}

/// Everything that a run left on disk, packed files unpacked.
fn on_disk(output: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for file in files(output) {
        let bytes = std::fs::read(output.join(&file)).unwrap();
        let _ = flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut all);
        all.extend(bytes);
    }
    all
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|w| w == needle.as_bytes())
}

const LOGIN: &str = r##"[session.login]
url = "/Login.aspx"
fields = { "ctl00$ten" = { env = "PORTAL_USER" }, "ctl00$matkhau" = { env = "PORTAL_PASSWORD" }, "ctl00$vao" = { value = "Đăng nhập" } }
success = { text = "Xin chào" }
"##;

#[test]
fn a_form_lets_us_in_again_when_the_session_ends() {
    let (site, address) = site(12);
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "/trong", LOGIN);
    let output = folder.path().join("out");
    let secrets = |command: &mut Command| {
        command
            .env("PORTAL_USER", "quantri")
            .env("PORTAL_PASSWORD", PASSWORD);
    };
    let mut command = run(&mapping, address, &output);
    secrets(&mut command);
    let said = expect(&mut command, 0);
    assert_eq!(documents(&output.join("site")).len(), PAGES as usize);
    let log = site.log.lock().unwrap().clone();
    let posts = log.iter().filter(|l| l.starts_with("POST")).count();
    assert!((3..=5).contains(&posts), "{posts} logins");
    assert!(
        !log.iter().any(|l| l.contains("dang-xuat")),
        "the way out is not taken"
    );
    let disk = on_disk(&output);
    assert!(
        holds(&disk, "phien=(kept back)"),
        "the archive says that there was a cookie"
    );
    assert!(!holds(&disk, PASSWORD) && !holds(&said.stderr, PASSWORD) && !holds(&said.stdout, PASSWORD));
}

#[test]
fn a_login_that_cannot_work_says_why_and_asks_for_nothing_else() {
    let (site, address) = site(12);
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "/trong", LOGIN);
    let output = folder.path().join("out");
    let said = expect(run(&mapping, address, &output).env("PORTAL_USER", "quantri"), 2);
    assert!(
        text(&said.stderr).contains("`PORTAL_PASSWORD`"),
        "{}",
        text(&said.stderr)
    );
    assert!(site.log.lock().unwrap().is_empty(), "nothing was asked for");
    let mut command = run(&mapping, address, &output);
    command
        .env("PORTAL_USER", "quantri")
        .env("PORTAL_PASSWORD", "sai");
    let said = text(&expect(&mut command, 6).stderr);
    assert!(
        said.contains("/Login.aspx` failed") && said.contains("does not say `Xin chào`"),
        "{said}"
    );
    assert!(!site.log.lock().unwrap().iter().any(|l| l.contains("/view")));
}

#[test]
fn a_cookie_wall_passes_and_a_token_goes_with_every_request() {
    let (site, address) = site(0);
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let walled = mapping(folder.path(), "/wall?id=1", "");
    // Only /wall can be had without a login.
    let text = std::fs::read_to_string(&walled).unwrap();
    std::fs::write(
        &walled,
        text.replace("kind = \"links\"", "kind = \"links\"\nallow = ['wall']"),
    )
    .unwrap();
    expect(&mut run(&walled, address, &output), 0);
    assert_eq!(documents(&output.join("site")).len(), 1);
    let asked = site
        .log
        .lock()
        .unwrap()
        .iter()
        .filter(|l| *l == "GET /wall?id=1")
        .count();
    assert_eq!(asked, 2, "once without and once with the cookie");

    let output = folder.path().join("token");
    let session = "[session]\nbearer_env = \"PORTAL_TOKEN\"\nheaders = { Accept-Language = \"vi\" }\n";
    let mapping = mapping(folder.path(), "/basic?id=7", session);
    let text = std::fs::read_to_string(&mapping).unwrap();
    std::fs::write(
        &mapping,
        text.replace("kind = \"links\"", "kind = \"links\"\nallow = ['basic']"),
    )
    .unwrap();
    expect(run(&mapping, address, &output).env("PORTAL_TOKEN", TOKEN), 0);
    assert_eq!(documents(&output.join("site")).len(), 1);
    let disk = on_disk(&output);
    assert!(holds(&disk, "authorization: Bearer (kept back)") && !holds(&disk, TOKEN));
}
