//! Lists and how they go on, judged by what the server was asked for.

use crate::support::{documents, expect, sangtrang, serve_router};
use axum::Router;
use axum::extract::{Path as Captured, Query, RawForm, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// Items of every list.
const ITEMS: u32 = 230;
/// Items of one page.
const SIZE: u32 = 10;
const PAGES: u32 = ITEMS / SIZE;

/// What the server was asked for, and how it misbehaves.
#[derive(Default)]
struct Site {
    log: Mutex<Vec<String>>,
    grew: Condvar,
    /// The state of forms is forgotten after so many posts, once.
    forget_after: Mutex<Option<usize>>,
    /// Grows when states are forgotten: older ones are not valid.
    epoch: Mutex<u32>,
}

impl Site {
    fn note(&self, what: impl Into<String>) {
        self.log.lock().unwrap().push(what.into());
        self.grew.notify_all();
    }
    fn asked(&self, prefix: &str) -> Vec<String> {
        let log = self.log.lock().unwrap();
        log.iter().filter(|l| l.starts_with(prefix)).cloned().collect()
    }
    /// Waits until so much was asked for, or the child has ended.
    fn wait_for(&self, prefix: &str, count: usize, child: &mut Child) {
        let mut log = self.log.lock().unwrap();
        while log.iter().filter(|l| l.starts_with(prefix)).count() < count
            && child.try_wait().unwrap().is_none()
        {
            log = self.grew.wait_timeout(log, Duration::from_millis(200)).unwrap().0;
        }
    }
}

type Shared = State<Arc<Site>>;

fn items(list: &str, page: u32) -> String {
    let first = (page - 1) * SIZE + 1;
    (first..(first + SIZE).min(ITEMS + 1)).fold(String::new(), |mut out, n| {
        let _ = write!(
            out,
            "<li class=tin><a href='/view?l={list}&id={n}'>Tin {list} số {n}</a> <i>({n:02}/11)</i></li>"
        );
        out
    })
}

fn state_of(page: u32, epoch: u32) -> String {
    format!("trang|{page}|{epoch}|\"<&>\" ẩn")
}

/// The inside of the panel: items, pager in groups of ten with "...", and its own hidden field.
fn grid(page: u32) -> String {
    let first = (page - 1) / 10 * 10 + 1;
    let mut pager = String::new();
    let mut link = |n: u32, text: &str| {
        let _ = write!(
            pager,
            "<td><a href=\"javascript:__doPostBack('ctl00$grid','Page${n}')\">{text}</a></td>"
        );
    };
    if first > 1 {
        link(first - 1, "...");
    }
    for n in (first..first + 10).filter(|n| *n <= PAGES && *n != page) {
        link(n, &n.to_string());
    }
    if first + 10 <= PAGES {
        link(first + 10, "...");
    }
    format!(
        "<ul>{}</ul><table><tr>{pager}<td><span>{page}</span></td></tr></table>",
        items("grid", page)
    )
}

fn grid_page(page: u32, epoch: u32, delta: bool) -> String {
    let script = if delta {
        "<script>Sys.WebForms.PageRequestManager._initialize('ctl00$sm', 'form1', ['tctl00$panel','ctl00_panel'], [], [], 90, 'ctl00');</script>"
    } else {
        ""
    };
    let state = state_of(page, epoch).replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<html><head><title>Danh sách</title></head><body><form id=form1 method=post action='/grid'>\
         <input type=hidden name=__VIEWSTATE value=\"{state}\"><input type=hidden name=__EVENTVALIDATION value='ev{page}'>\
         {script}<div id=ctl00_panel>{}</div></form></body></html>",
        grid(page)
    )
}

/// A WebForms page that believes only its own last state.
async fn grid_post(State(site): Shared, headers: HeaderMap, RawForm(body): RawForm) -> Response {
    let form: HashMap<String, String> = url::form_urlencoded::parse(&body)
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let delta = headers.contains_key("x-microsoftajax");
    let asked: u32 = field("__EVENTARGUMENT")
        .strip_prefix("Page$")
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let from: u32 = field("__VIEWSTATE")
        .split('|')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .unwrap_or(0);
    let epoch = *site.epoch.lock().unwrap();
    let posts = site.asked("POST ").len();
    if site.forget_after.lock().unwrap().is_some_and(|n| posts >= n) {
        *site.forget_after.lock().unwrap() = None;
        *site.epoch.lock().unwrap() += 1;
    }
    let valid = field("__VIEWSTATE") == state_of(from, epoch)
        && field("__EVENTVALIDATION") == format!("ev{from}")
        && grid(from).contains(&format!("'Page${asked}'"));
    site.note(format!("POST {asked} delta={delta} valid={valid}"));
    if !valid {
        if delta {
            let text = "Validation of viewstate MAC failed.";
            return format!("{}|error|500|{text}|", text.len()).into_response();
        }
        return (
            StatusCode::INTERNAL_SERVER_ERROR,
            "Invalid postback or callback argument",
        )
            .into_response();
    }
    if !delta {
        return Html(grid_page(asked, epoch, false)).into_response();
    }
    let managed = field("ctl00$sm") == "ctl00$panel|ctl00$grid" && field("__ASYNCPOST") == "true";
    if !managed {
        return (StatusCode::INTERNAL_SERVER_ERROR, "not from the script manager").into_response();
    }
    let units = |s: &str| s.encode_utf16().count();
    let part = |kind: &str, id: &str, content: &str| format!("{}|{kind}|{id}|{content}|", units(content));
    let answer = part("#", "", "4")
        + &part("updatePanel", "ctl00_panel", &grid(asked))
        + &part("hiddenField", "__VIEWSTATE", &state_of(asked, epoch))
        + &part("hiddenField", "__EVENTVALIDATION", &format!("ev{asked}"))
        + &part("pageTitle", "", "Danh sách");
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], answer).into_response()
}

/// Every list of this site has the items 1 to [`ITEMS`]; their pages are at `/view?l=LIST&id=N`.
fn site() -> (Arc<Site>, SocketAddr) {
    let site = Arc::new(Site::default());
    let router = Router::new()
        .route(
            "/view",
            get(|State(site): Shared, Query(q): Query<HashMap<String, String>>| async move {
                site.note(format!("GET /view {} {}", q["l"], q["id"]));
                let id: u32 = q["id"].parse().unwrap_or(0);
                if id == 0 || id > ITEMS || (q["l"] == "so" && id.is_multiple_of(50)) {
                    return StatusCode::NOT_FOUND.into_response();
                }
                Html(format!("<div id=content><h1>Tin {} số {id}</h1><p>Nội dung của tin {id}.</p></div>", q["l"])).into_response()
            }),
        )
        .route(
            "/grid",
            get(|State(site): Shared, Query(q): Query<HashMap<String, String>>| async move {
                site.note("GET /grid");
                let epoch = *site.epoch.lock().unwrap();
                Html(grid_page(1, epoch, q.contains_key("panel")))
            })
            .post(grid_post),
        )
        .route(
            "/ajax",
            get(|| async { Html("<div id=list></div><p>Trang: /</p>") }),
        )
        .route(
            "/api/{list}",
            get(|State(site): Shared, Captured(list): Captured<String>, Query(q): Query<HashMap<String, String>>, headers: HeaderMap| async move {
                let page: u32 = q["trang"].parse().unwrap_or(0);
                site.note(format!("API {list} {page}"));
                if !headers.contains_key("x-requested-with") {
                    return StatusCode::FORBIDDEN.into_response();
                }
                if list == "html" {
                    let html = if page > PAGES { String::new() } else { items("html", page) };
                    return json_answer(&json!({ "d": json!({ "html": html }).to_string() })).into_response();
                }
                let first = (page - 1) * SIZE + 1;
                let rows: Vec<Value> = (first..(first + SIZE).min(ITEMS + 1))
                    .map(|n| json!({ "id": n, "tieuDe": format!("Tin số {n}"), "ngay": "05/11/2026" }))
                    .collect();
                json_answer(&json!({ "tong": ITEMS, "data": { "rows": rows } })).into_response()
            }),
        )
        .route(
            "/form",
            get(|| async { Html(form_page(1)) }).post(|State(site): Shared, RawForm(body): RawForm| async move {
                let form: HashMap<String, String> = url::form_urlencoded::parse(&body)
                    .map(|(k, v)| (k.into_owned(), v.into_owned()))
                    .collect();
                let page: u32 = form["trang"].parse().unwrap_or(1);
                site.note(format!("FORM {page} {}", form["chuyenmuc"]));
                Html(form_page(page.min(PAGES)))
            }),
        )
        .route(
            "/scripts",
            get(|| async {
                Html(
                    "<a href=\"javascript:xemTin(1, 'a')\">một</a><div onclick=\"mo('/view?l=js&amp;id=2')\">hai</div>\
                     <iframe src='/view?l=js&id=3'></iframe><map><area href='/view?l=js&id=4'></map>\
                     <meta http-equiv=refresh content=\"5; url='/view?l=js&amp;id=5'\"><div onclick='xoa(9)'>xóa</div>",
                )
            }),
        )
        .route(
            "/lich/{year}/{month}",
            get(|State(site): Shared, Captured((year, month)): Captured<(u32, u32)>| async move {
                site.note(format!("LICH {year} {month}"));
                Html(format!("<a href='/view?l=lich&id={}'>tin</a><a href='/lich/{}/01'>năm sau</a>", (year - 2025) * 12 + month, year + 1))
            }),
        )
        .with_state(site.clone());
    (site, serve_router(router))
}

fn json_answer(value: &Value) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}

fn form_page(page: u32) -> String {
    format!(
        "<b>Tìm thấy {ITEMS} tin</b><ul>{}</ul><form id=loc method=POST action='/form'><input type=hidden name=chuyenmuc value='Kinh tế & xã hội'>\
         <input name=trang value={page}><input type=submit name=nut value=Lọc></form>",
        items("form", page)
    )
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
[[collection]]
id = "news"
match = {{ url = '^/view' }}
key = "{{l}}:{{id}}"
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

fn crawl(verb: &str, mapping: &Path, address: SocketAddr, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .args(["--json", verb])
        .arg(mapping)
        .args(["--connect-to", &format!("::{address}")])
        .arg("--output")
        .arg(output);
    command
}

/// Ids of the documents.
fn titles(output: &Path) -> BTreeSet<String> {
    let site = output.join("site");
    documents(&site)
        .iter()
        .map(|d| {
            d["title"]["value"]
                .as_str()
                .or(d["title"].as_str())
                .unwrap_or_default()
                .to_owned()
        })
        .collect()
}

fn every(list: &str) -> BTreeSet<String> {
    (1..=ITEMS).map(|n| format!("Tin {list} số {n}")).collect()
}

fn pager(output: &Path) -> Value {
    let file = std::fs::read(output.join("site/run.json")).unwrap();
    let report: Value = serde_json::from_slice(&file).unwrap();
    report["pagers"][0].clone()
}

const GRID: &str = "[[discover]]\nid = \"grid\"\nkind = \"list\"\non = '/grid'\nitem = \"li.tin\"\nfields.ngay = { css = \"i\" }\npager = { kind = \"aspnet-postback\", css = \"td a\"";

#[test]
fn a_grid_is_paged_through_its_groups_of_ten() {
    for (start, delta) in [("/grid", false), ("/grid?panel=1", true)] {
        let (site, address) = site();
        let folder = tempfile::tempdir().unwrap();
        let rules = format!("{GRID}, delta = {delta} }}\n");
        let mapping = mapping(folder.path(), start, &rules);
        let output = folder.path().join("out");
        expect(&mut crawl("run", &mapping, address, &output), 0);
        assert_eq!(titles(&output), every("grid"));
        let posts: Vec<String> = (2..=PAGES)
            .map(|n| format!("POST {n} delta={delta} valid=true"))
            .collect();
        assert_eq!(site.asked("POST"), posts);
        let walk = pager(&output);
        assert_eq!(walk["reason"], "last-page", "{walk}");
        assert_eq!(
            (walk["pages"].as_u64(), walk["items"].as_u64()),
            (Some(23), Some(230)),
            "{walk}"
        );
        // Again: nothing is asked for twice.
        let before = site.log.lock().unwrap().len();
        expect(&mut crawl("run", &mapping, address, &output), 0);
        assert_eq!(site.log.lock().unwrap().len(), before);
    }
}

#[test]
fn forms_whose_state_expired_begin_again_once() {
    for (start, delta) in [("/grid", false), ("/grid?panel=1", true)] {
        let (site, address) = site();
        *site.forget_after.lock().unwrap() = Some(7);
        let folder = tempfile::tempdir().unwrap();
        let mapping = mapping(folder.path(), start, &format!("{GRID}, delta = {delta} }}\n"));
        let output = folder.path().join("out");
        expect(&mut crawl("run", &mapping, address, &output), 0);
        assert_eq!(titles(&output), every("grid"), "delta {delta}");
        let invalid = site
            .asked("POST")
            .iter()
            .filter(|p| p.ends_with("valid=false"))
            .count();
        assert_eq!((site.asked("GET /grid").len(), invalid), (2, 1));
        assert_eq!(pager(&output)["reason"], "last-page");
        // Items that were found before the form expired are not fetched again.
        let mut views = site.asked("GET /view");
        // The probe for "not found" has a number that no page has.
        views.retain(|v| v.len() < 20);
        assert_eq!(views.len(), ITEMS as usize);
    }
}

#[cfg(unix)]
#[test]
fn a_walk_that_was_killed_goes_on_where_it_was() {
    for (start, delta) in [("/grid", false), ("/grid?panel=1", true)] {
        let (site, address) = site();
        let folder = tempfile::tempdir().unwrap();
        let mapping = mapping(folder.path(), start, &format!("{GRID}, delta = {delta} }}\n"));
        let output = folder.path().join("out");
        for posts in [4, 9, 15] {
            let mut command = crawl("crawl", &mapping, address, &output);
            let mut child = command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            site.wait_for("POST", posts, &mut child);
            child.kill().unwrap();
            child.wait().unwrap();
        }
        expect(&mut crawl("run", &mapping, address, &output), 0);
        assert_eq!(titles(&output), every("grid"));
        let posts = site.asked("POST");
        assert!(posts.iter().all(|p| p.ends_with("valid=true")), "{posts:?}");
        // What was in flight at a kill may come again, nothing else.
        assert!(posts.len() <= PAGES as usize - 1 + 3, "{}", posts.len());
        assert!(site.asked("GET /grid").len() <= 1, "the walk did not begin again");
    }
}

#[test]
fn an_endpoint_is_asked_as_the_script_would() {
    let (site, address) = site();
    let folder = tempfile::tempdir().unwrap();
    let rules = r#"[[discover]]
id = "ajax"
kind = "list"
on = '/ajax'
item = "li"
[discover.pager]
kind = "json"
url = "/api/rows?trang={page}"
headers = { X-Requested-With = "XMLHttpRequest" }
items = "/data/rows"
link = "/view?l=ajax&id={id}"
fields = { title = "/tieuDe", date = "/ngay" }
total = "/tong"
"#;
    let mapping = mapping(folder.path(), "/ajax", rules);
    let output = folder.path().join("out");
    expect(&mut crawl("run", &mapping, address, &output), 0);
    assert_eq!(titles(&output), every("ajax"));
    let walk = pager(&output);
    assert_eq!(
        (walk["reason"].as_str(), walk["total"].as_u64()),
        (Some("count-reached"), Some(230)),
        "{walk}"
    );
    let pages: Vec<String> = (1..=PAGES).map(|n| format!("API rows {n}")).collect();
    assert_eq!(site.asked("API"), pages);
    // Without the endpoint the empty "Trang: /" is what it is: no pages.
    let plain = "[[discover]]\nid = \"ajax\"\nkind = \"list\"\non = '/ajax'\nitem = \"li\"\npager = { kind = \"aspnet-postback\", css = \"a\" }\n";
    let other = folder.path().join("other");
    let mapping = self::mapping(folder.path(), "/ajax", plain);
    expect(&mut crawl("crawl", &mapping, address, &other), 0);
    assert_eq!(site.asked("API").len(), pages.len());
}

#[test]
fn an_endpoint_that_answers_fragments_is_read_by_the_lists_selectors() {
    let (site, address) = site();
    let folder = tempfile::tempdir().unwrap();
    let rules = "[[discover]]\nid = \"ajax\"\nkind = \"list\"\non = '/ajax'\nitem = \"li.tin\"\npager = { kind = \"json\", url = \"/api/html?trang={page}\", html = \"/html\", headers = { X-Requested-With = \"XMLHttpRequest\" } }\n";
    let mapping = mapping(folder.path(), "/ajax", rules);
    let output = folder.path().join("out");
    expect(&mut crawl("run", &mapping, address, &output), 0);
    assert_eq!(titles(&output), every("html"));
    assert!(site.asked("API").len() <= PAGES as usize + 3);
    let walk = pager(&output);
    assert!(
        ["no-new-items", "last-page"].contains(&walk["reason"].as_str().unwrap()),
        "{walk}"
    );
}

#[test]
fn a_filter_form_is_sent_with_its_fields() {
    let (site, address) = site();
    let folder = tempfile::tempdir().unwrap();
    let rules = "[[discover]]\nid = \"loc\"\nkind = \"list\"\non = '/form'\nitem = \"li.tin\"\ncount = { css = \"b\", regex = '(\\d+) tin' }\npager = { kind = \"form\", css = \"#loc\", param = \"trang\" }\n";
    let mapping = mapping(folder.path(), "/form", rules);
    let output = folder.path().join("out");
    expect(&mut crawl("run", &mapping, address, &output), 0);
    assert_eq!(titles(&output), every("form"));
    let posts: Vec<String> = (2..=PAGES)
        .map(|n| format!("FORM {n} Kinh tế & xã hội"))
        .collect();
    assert_eq!(site.asked("FORM"), posts);
    assert_eq!(pager(&output)["reason"], "count-reached");
}

#[test]
fn links_that_only_scripts_frames_and_maps_hold() {
    let (site, address) = site();
    let folder = tempfile::tempdir().unwrap();
    let rules = r#"[[discover]]
id = "links"
kind = "links"
patterns = [
  { attr = "href", regex = 'xemTin\((\d+)', to = "/view?l=js&id=$1" },
  { attr = "onclick", regex = "mo\\('([^']+)'\\)", to = "$1" },
]
"#;
    let mapping = mapping(folder.path(), "/scripts", rules);
    let output = folder.path().join("out");
    expect(&mut crawl("run", &mapping, address, &output), 0);
    let mut asked: BTreeSet<String> = site.asked("GET /view js").into_iter().collect();
    // The probe for "not found" has a number that no page has.
    asked.retain(|a| a.len() < 20);
    let all: BTreeSet<String> = (1..=5).map(|n| format!("GET /view js {n}")).collect();
    assert_eq!(asked, all);
}

#[test]
fn a_calendar_ends_at_its_bounds_and_a_sweep_finds_what_no_page_names() {
    let (site, address) = site();
    let folder = tempfile::tempdir().unwrap();
    let rules = r#"[[discover]]
id = "lich"
kind = "calendar"
url = "/lich/{yyyy}/{mm}"
from = "2025-11-15"
to = "2026-06-30"
[[discover]]
id = "links"
kind = "links"
deny = ['/lich/']
[[discover]]
id = "so"
kind = "ids"
url = "/view?l=so&id={id}"
from = 1
to = 100000
max_missing = 20
"#;
    let mapping = mapping(folder.path(), "/scripts", rules);
    let output = folder.path().join("out");
    expect(&mut crawl("run", &mapping, address, &output), 0);
    let mut months = site.asked("LICH");
    months.sort();
    let expected = [
        "2025 11", "2025 12", "2026 1", "2026 2", "2026 3", "2026 4", "2026 5", "2026 6",
    ];
    assert_eq!(months, expected.map(|m| format!("LICH {m}")));
    let mut found = titles(&output);
    found.retain(|t| t.starts_with("Tin so "));
    assert_eq!(found.len(), 226, "all but 50, 100, 150, 200");
    // 230 that are there and twenty that are not: then it is over.
    assert_eq!(site.asked("GET /view so").len(), 250);
    let walk = pager(&output);
    assert_eq!(
        (walk["rule"].as_str(), walk["reason"].as_str()),
        (Some("so"), Some("max-missing")),
        "{walk}"
    );
    assert_eq!(walk["items"], 226);
    expect(&mut crawl("run", &mapping, address, &output), 0);
    assert_eq!(
        site.asked("GET /view so").len(),
        250,
        "what led nowhere is not asked for again"
    );
}

/// The archive is the truth: a crawl read again from it needs no server and finds the same.
#[test]
fn walks_are_read_again_from_the_archive() {
    let (site, address) = site();
    let folder = tempfile::tempdir().unwrap();
    let mapping_file = mapping(
        folder.path(),
        "/grid?panel=1",
        &format!("{GRID}, delta = true }}\n"),
    );
    let output = folder.path().join("out");
    expect(&mut crawl("run", &mapping_file, address, &output), 0);
    let archive = output.join("site/archive");
    let text = std::fs::read_to_string(&mapping_file).unwrap();
    let source = format!(
        "[[site.source]]\nkind = \"warc\"\npath = {:?}\n[politeness]",
        archive.display().to_string()
    );
    std::fs::write(&mapping_file, text.replace("[politeness]", &source)).unwrap();
    let before = site.log.lock().unwrap().len();
    let again = folder.path().join("again");
    expect(&mut crawl("run", &mapping_file, address, &again), 0);
    assert_eq!(titles(&again), every("grid"));
    assert_eq!(site.log.lock().unwrap().len(), before, "no server was asked");
    assert_eq!(pager(&again), pager(&output));
}
