//! The report that people sign: sums that hold or are red, nothing from outside, nothing that runs, tables that calculate
//! nothing, the same bytes for the same input, and what a browser sees.

use crate::support::{ROOT, Server, documents, expect, run_bundled, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse as _, Response};
use calamine::{Data, Reader as _};
use sangtrang::demo::Portal;
use scraper::{Html as Page, Selector};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

const BUNDLED: &str = "mappings/ctk-binhthuan.toml";
/// What the ledger of the small site says of its time, so that reports can be compared.
const NOW: &str = "2026-03-01T02:00:00Z";

fn bundled(articles: usize) -> tempfile::TempDir {
    let portal = Server::start(Portal::new(articles, 7));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&portal, folder.path()), 0);
    folder
}

fn report(mapping: &Path, output: &Path, more: &[&str]) -> Command {
    let mut command = sangtrang();
    command
        .arg("report")
        .arg(mapping)
        .args(more)
        .arg("--output")
        .arg(output);
    command
}

fn json(folder: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

fn page(folder: &Path, language: &str) -> Page {
    let text = std::fs::read_to_string(folder.join(format!("report.{language}.html"))).unwrap();
    Page::parse_document(&text)
}

fn all<'a>(page: &'a Page, css: &str) -> Vec<scraper::ElementRef<'a>> {
    page.select(&Selector::parse(css).unwrap()).collect()
}

fn words(page: &Page, css: &str) -> String {
    let texts = all(page, css).into_iter().flat_map(|e| e.text());
    texts.collect::<Vec<_>>().join(" ")
}

/// A page that needs nothing, runs nothing and leads only where it says.
fn is_self_contained(page: &Page) {
    let from_outside = "script, link, img, iframe, frame, object, embed, audio, video, source, form, base, svg, [src], [srcset], [style*='url']";
    let found: Vec<String> = all(page, from_outside).iter().map(|e| e.html()).collect();
    assert!(found.is_empty(), "{found:?}");
    for element in all(page, "*") {
        for (name, value) in element.value().attrs() {
            assert!(!name.starts_with("on"), "{name}={value}");
        }
    }
    let style = words(page, "style");
    assert!(!style.contains("url(") && !style.contains("@import"), "{style}");
    for link in all(page, "a") {
        let to = link.attr("href").unwrap();
        let inside = !to.contains(':') && !to.starts_with("//");
        assert!(
            inside || to.starts_with("http://") || to.starts_with("https://"),
            "{to}"
        );
    }
}

fn csv(folder: &Path, name: &str) -> Vec<Vec<String>> {
    let bytes = std::fs::read(folder.join(name)).unwrap();
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap();
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(bytes)
        .records()
        .map(|r| r.unwrap().iter().map(str::to_owned).collect())
        .collect()
}

/// Changes one of the documents of the last extraction behind everybody's back.
fn lie(site: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let mut all = documents(site);
    change(&mut all);
    let lines: Vec<String> = all.iter().map(Value::to_string).collect();
    std::fs::write(site.join("documents.jsonl"), lines.join("\n") + "\n").unwrap();
}

#[test]
fn the_bundled_portal_reconciles_in_both_languages_and_a_lie_does_not() {
    let folder = bundled(30);
    let site = folder.path().join("ctk-binhthuan");
    let at = site.join("report");
    let mapping = Path::new(ROOT).join(BUNDLED);
    expect(&mut report(&mapping, folder.path(), &[]), 0);
    expect(&mut report(&mapping, folder.path(), &["--lang", "en"]), 0);
    let told = json(&at);
    assert_eq!(
        (&told["schema"], &told["type"], &told["reconciles"]),
        (&"report/1".into(), &"report".into(), &true.into())
    );
    assert_eq!(told["documents"], 30);
    let schema = text(&expect(sangtrang().args(["schema", "report"]), 0).stdout);
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let problems: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&told)
        .map(|e| e.to_string())
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    for sum in told["sums"].as_array().unwrap() {
        let parts = sum["parts"].as_object().unwrap().values();
        let parts: u64 = parts.map(|v| v.as_u64().unwrap()).sum();
        assert_eq!(Some(parts), sum["whole"].as_u64(), "{sum}");
    }
    assert!(told["sums"].as_array().unwrap().len() >= 10);
    for (language, verdict, title) in [
        ("vi", "phép cộng khớp số liệu", "Báo cáo chuyển đổi nội dung"),
        ("en", "sums reconcile", "Report of a content migration"),
    ] {
        let page = page(&at, language);
        is_self_contained(&page);
        assert_eq!(all(&page, "html")[0].attr("lang"), Some(language));
        assert!(words(&page, "#verdict.holds").contains(verdict));
        assert!(words(&page, "title").starts_with(title));
        assert!(words(&page, "h1").contains("Cục Thống kê tỉnh Bình Thuận"));
        assert!(all(&page, "tr.broken").is_empty());
        // Files that the page leads to are where it says.
        let links = all(&page, "a[href]");
        let links = links.iter().map(|a| a.attr("href").unwrap());
        let files: Vec<&str> = links
            .filter(|h| !h.starts_with('#') && !h.contains(':'))
            .collect();
        assert!(files.iter().any(|f| f.starts_with("../archive/")), "{files:?}");
        assert!(
            files.iter().any(|f| f.starts_with("../documents/news/")),
            "{files:?}"
        );
        for file in files {
            assert!(at.join(file).is_file(), "{file}");
        }
    }
    // Lists say how many they have, fields by which rung, encodings by what was declared.
    let counted = told["certificate"]["lists"].as_array().unwrap();
    assert!(counted.iter().any(|l| l["total"] == l["items"]), "{counted:?}");
    let ways = &told["fields"][0]["fields"]["dates.published"]["ways"];
    assert!(ways["fields.dates.published #0 css"].as_u64() > Some(0), "{ways}");
    let used = told["encodings"]["used"].as_array().unwrap();
    assert!(
        used.iter()
            .any(|e| e["declared"] == "windows-1258" && e["used"] == "windows-1258"),
        "{used:?}"
    );

    // One character that nobody accounts for.
    let kept = std::fs::read(site.join("documents.jsonl")).unwrap();
    lie(&site, |all| {
        let kept = all[3]["accounting"]["kept"].as_u64().unwrap();
        all[3]["accounting"]["kept"] = (kept - 1).into();
    });
    let said = expect(&mut report(&mapping, folder.path(), &["--lang", "en"]), 4);
    assert!(text(&said.stderr).contains("visible characters, counted anew"));
    let broken = page(&at, "en");
    assert!(words(&broken, "#verdict.broken").contains("DO NOT reconcile"));
    assert!(words(&broken, "tr.sum.broken").contains("DOES NOT RECONCILE"));
    assert_eq!(json(&at)["reconciles"], false);
    // A document that has gone.
    std::fs::write(site.join("documents.jsonl"), &kept).unwrap();
    lie(&site, |all| drop(all.pop()));
    let said = expect(&mut report(&mapping, folder.path(), &[]), 4);
    let said = text(&said.stderr);
    assert!(
        said.contains("documents in the ledger: 30 as a whole, 29 in parts"),
        "{said}"
    );
    // The record on standard output writes nothing else.
    std::fs::remove_dir_all(&at).unwrap();
    expect(&mut report(&mapping, folder.path(), &["--out", "-"]), 0);
    assert!(!at.exists());
}

#[test]
fn the_same_input_and_seed_give_the_same_bytes_and_another_seed_another_sample() {
    let folder = bundled(40);
    let mapping = Path::new(ROOT).join(BUNDLED);
    let site = folder.path().join("ctk-binhthuan");
    let run = |name: &str, more: &[&str]| {
        let to = site.join(name);
        let mut command = report(&mapping, folder.path(), more);
        expect(command.arg("--folder").arg(&to), 0);
        to
    };
    let (one, two) = (run("a", &["--seed", "5"]), run("b", &["--seed", "5"]));
    let files = crate::support::files(&one);
    assert_eq!(files, crate::support::files(&two));
    assert!(files.len() >= 11, "{files:?}");
    for file in &files {
        assert_eq!(
            std::fs::read(one.join(file)).unwrap(),
            std::fs::read(two.join(file)).unwrap(),
            "{}",
            file.display()
        );
    }
    let chosen = |folder: &Path| -> Vec<String> {
        let told = json(folder);
        let sample = told["sample"].as_array().unwrap().iter();
        sample.map(|c| c["key"].as_str().unwrap().to_owned()).collect()
    };
    assert_ne!(chosen(&one), chosen(&run("c", &["--seed", "6"])));

    // Every class that the documents have is in the sample, with as many as were asked for, or all.
    let told = json(&run("d", &["--sample", "2"]));
    let sample = told["sample"].as_array().unwrap();
    let mut classes = 0;
    for stratum in told["strata"].as_array().unwrap() {
        let reason = |c: &&Value| {
            let keys = ["why", "gate", "field", "collection", "template"];
            let why = c["why"].as_array().unwrap();
            why.iter().any(|w| keys.iter().all(|k| w[k] == stratum[k]))
        };
        let (there, documents) = (
            sample.iter().filter(reason).count() as u64,
            stratum["documents"].as_u64().unwrap(),
        );
        let wanted = if stratum["why"] == "random" { 10 } else { 2 };
        assert_eq!(there, documents.min(wanted), "{stratum}");
        assert_eq!(stratum["chosen"], there);
        classes += 1;
    }
    let docs = documents(&site);
    let warned = |d: &&Value| !d["quality"]["gates"].as_array().unwrap().is_empty();
    assert!(docs.iter().filter(warned).count() > 0 && classes >= 5);
    let place = sample.iter().find(|c| c["archived"]["file"].is_string());
    assert!(place.is_some(), "{sample:?}");

    // In which order documents come does not matter, and all that fail are read.
    lie(&site, |all| all.reverse());
    assert_eq!(chosen(&run("e", &["--seed", "5"])), chosen(&one));
    lie(&site, |all| {
        for document in all.iter_mut().step_by(4) {
            let gates = document["quality"]["gates"].as_array_mut().unwrap();
            gates.push(serde_json::json!({ "id": "thu", "level": "fail", "note": "<b>hỏng</b>" }));
        }
    });
    let at = run("f", &["--sample", "1", "--lang", "en"]);
    let told = json(&at);
    assert_eq!(
        (&told["failed"], &told["gates"]["thu"]["fail"]),
        (&10.into(), &10.into())
    );
    let fails = |c: &&Value| c["why"].as_array().unwrap().iter().any(|w| w["why"] == "failure");
    assert_eq!(
        told["sample"].as_array().unwrap().iter().filter(fails).count(),
        10
    );
    let shown = page(&at, "en");
    assert!(words(&shown, "tr.broken").contains("<b>hỏng</b>"));
    assert!(!all(&shown, "blockquote").is_empty() && all(&shown, "b b").is_empty());
}

/// Twelve articles with numbers 1 to 14; 5 and 6 were removed. Titles are not nice.
const NUMBERS: [usize; 12] = [1, 2, 3, 4, 7, 8, 9, 10, 11, 12, 13, 14];
const HOSTILE: [&str; 4] = [
    r#"<script>alert(1)</script>"#,
    r#""><img src=x onerror=alert(1)>"#,
    "=HYPERLINK(\"http://evil.example\")",
    "{{ 7*7 }} <a href=\"javascript:alert(1)\">x</a>",
];
const NAMES: [&str; 12] = [
    "An", "Bình", "Cát", "Dương", "Em", "Phú", "Gia", "Hoà", "Yên", "Khánh", "Long", "Mỹ",
];

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn article(at: usize) -> String {
    let (name, number) = (NAMES[at], NUMBERS[at]);
    let title = HOSTILE.get(at).map_or_else(
        || format!("Xã {name} công bố kết quả sản xuất vụ thứ {number}"),
        |hostile| escaped(hostile),
    );
    format!(
        "<div class=dau>Cổng thông tin điện tử của một tỉnh ven biển</div>\
         <ul><li><a href=/>Trang chủ</a><li><a href=/ds>Tin tức</a></ul>\
         <div id=content><h1>{title}</h1>\
         <p>Năm nay {name} gieo trồng {number} nghìn héc ta lúa, sản lượng của {name} cao hơn năm ngoái.</p>\
         <p class=bimat>Riêng {name} còn thu hoạch thanh long: {number} nghìn tấn quả của {name} đã bán ra nước ngoài.</p></div>\
         <div class=cuoi>Lượt xem: {number}<br>Bản quyền thuộc về cổng thông tin điện tử của tỉnh</div>"
    )
}

fn answer(path: &str) -> Response {
    let page = |text: String| Html(format!("<!doctype html><meta charset=utf-8>{text}")).into_response();
    match path {
        "/" => page("<a href=/ds>Tin</a>".into()),
        "/ds" => {
            let items = NUMBERS
                .iter()
                .map(|n| format!("<li><a href=/tin/{n}>Tin {n}</a>"));
            let items: String = items.collect();
            page(format!(
                "<ul id=tin>{items}</ul><p class=tong>Tổng số 14 bản ghi</p>"
            ))
        }
        path => {
            let number = path.strip_prefix("/tin/").and_then(|n| n.parse().ok());
            match number.and_then(|n: usize| NUMBERS.iter().position(|x| *x == n)) {
                Some(at) => page(article(at)),
                None => StatusCode::NOT_FOUND.into_response(),
            }
        }
    }
}

fn small_site() -> SocketAddr {
    serve_router(Router::new().fallback(|request: Request| async move { answer(request.uri().path()) }))
}

fn mapping(folder: &Path, rules: &str) -> PathBuf {
    let path = folder.join("site.toml");
    let text = format!(
        r##"schema = 1
[site]
id = "site"
name = "<b>Tỉnh</b> & huyện"
base = "http://site.example/"
language = "vi"
start = ["/"]
[politeness]
delay = "0ms"
[[discover]]
id = "tin"
kind = "list"
on = '/ds$'
item = "#tin li"
link = "a"
count = {{ css = "p.tong", regex = '(\d+)' }}
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "news"
match = {{ url = '^/tin/' }}
key = "{{path}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
{rules}
[[ignore]]
id = "home"
url = 'example/$'
[[drop]]
id = "outside"
outside = true
"##
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn crawl(mapping: &Path, address: SocketAddr, output: &Path) {
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(mapping)
        .args(["--connect-to", &format!("::{address}")])
        .env("SANGTRANG_NOW", NOW)
        .arg("--output")
        .arg(output);
    let said = command.output().unwrap();
    assert!(
        matches!(said.status.code(), Some(0 | 4)),
        "{}",
        text(&said.stderr)
    );
}

#[test]
fn hostile_titles_are_shown_and_run_nowhere_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "");
    crawl(&mapping, small_site(), folder.path());
    let log = folder.path().join("access.log");
    let line = |path: &str, status: u16| {
        format!(
            "203.0.113.7 - - [01/Mar/2026:09:00:00 +0700] \"GET {path} HTTP/1.1\" {status} 100 \"-\" \"-\"\n"
        )
    };
    let mut lines = String::new();
    for (path, times) in [
        ("/tin/1", 9),
        ("/tin/6", 7),
        ("/ds", 5),
        ("/anh/nen.css", 3),
        ("/tin/=cmd", 1),
    ] {
        lines.extend((0..times).map(|_| line(path, 200)));
    }
    lines += &line("/tin/404", 404);
    lines += "not a line\n";
    std::fs::write(&log, lines).unwrap();
    let more = ["--sample", "20", "--access-log", log.to_str().unwrap()];
    let mut command = report(&mapping, folder.path(), &more);
    expect(command.env("SANGTRANG_NOW", NOW), 0);
    let at = folder.path().join("site/report");
    let page = page(&at, "vi");
    is_self_contained(&page);
    let shown = words(&page, "body");
    for title in HOSTILE {
        assert!(shown.contains(title), "{title}\n{shown}");
    }
    assert_eq!(words(&page, "h1"), "<b>Tỉnh</b> & huyện");
    assert!(
        shown.contains("01/03/2026"),
        "the time of the ledger, not of today"
    );
    // No spreadsheet calculates a title or an address.
    let table = csv(&at, "documents.csv");
    let titles: Vec<&str> = table.iter().map(|row| row[4].as_str()).collect();
    assert!(
        titles.contains(&"'=HYPERLINK(\"http://evil.example\")"),
        "{titles:?}"
    );
    let mut book = calamine::open_workbook_auto(at.join("inventory.xlsx")).unwrap();
    let sheet = book.worksheet_range("documents").unwrap();
    let cells: Vec<String> = sheet.rows().map(|r| r[4].to_string()).collect();
    assert!(cells.contains(&HOSTILE[2].to_owned()), "{cells:?}");
    assert!(
        book.worksheet_formula("documents")
            .unwrap()
            .used_cells()
            .next()
            .is_none()
    );
    // Each table is a sheet with the same rows.
    let told = json(&at);
    for (file, rows) in told["tables"].as_object().unwrap() {
        let rows = rows.as_u64().unwrap() as usize + 1;
        let table = csv(&at, file);
        assert_eq!(table.len(), rows, "{file}");
        let sheet = book.worksheet_range(file.strip_suffix(".csv").unwrap()).unwrap();
        assert_eq!(sheet.height(), rows, "{file}");
        for (row, cells) in table.iter().zip(sheet.rows()) {
            for (text, cell) in row.iter().zip(cells) {
                let cell = match cell {
                    Data::Empty => String::new(),
                    cell => cell.to_string(),
                };
                assert!(
                    *text == cell || *text == format!("'{cell}"),
                    "{file}: {text} | {cell}"
                );
            }
        }
    }

    // The list says 14 and names 12; two numbers have no document; people ask for one of them.
    let list = &told["certificate"]["lists"][0];
    assert_eq!(
        (&list["total"], &list["items"]),
        (&14.into(), &12.into()),
        "{list}"
    );
    assert_eq!(told["certificate"]["short_lists"], 1);
    let series = &told["certificate"]["series"][0];
    assert_eq!(
        (&series["missing"], &series["gaps"]),
        (&2.into(), &1.into()),
        "{series}"
    );
    assert_eq!(told["certificate"]["gaps"]["count"], 1);
    let asked = &told["certificate"]["asked"];
    assert_eq!(
        (&asked["addresses"], &asked["answered"], &asked["unread"]),
        (&4.into(), &1.into(), &1.into())
    );
    let rest = asked["without_document"]["first"].as_array().unwrap();
    let rest: Vec<_> = rest
        .iter()
        .map(|a| {
            (
                a["address"].as_str().unwrap(),
                a["hits"].as_u64().unwrap(),
                a["why"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rest,
        [
            ("/tin/6", 7, "unknown to the crawl"),
            ("/ds", 5, "captured, a list or no content"),
            ("/tin/=cmd", 1, "unknown to the crawl"),
        ]
    );
    assert!(shown.contains("/tin/6"));
}

#[test]
fn what_the_document_does_not_show_is_named_by_a_browser() {
    if !crate::browser::is_there() {
        return;
    }
    let address = small_site();
    let told = |rules: &str| {
        let folder = tempfile::tempdir().unwrap();
        let mapping = mapping(folder.path(), rules);
        crawl(&mapping, address, folder.path());
        let mut command = report(&mapping, folder.path(), &["--fidelity", "6", "--lang", "en"]);
        expect(command.env("SANGTRANG_NOW", NOW), 0);
        let at = folder.path().join("site/report");
        let page = page(&at, "en");
        is_self_contained(&page);
        (json(&at)["fidelity"].clone(), words(&page, "body"))
    };
    let (whole, _) = told("");
    assert_eq!(whole["compared"], 6);
    assert!(whole["browser"].as_str().unwrap().starts_with("Chrom"), "{whole}");
    assert_eq!(whole["percent"], 100.0, "{whole:#}");
    // The extraction is content with it: a named rule drops the paragraph. The browser is not.
    let rule = "[[collection.drop]]\nid = \"bimat\"\ncss = \".bimat\"\nreason = \"a mistake\"";
    let (less, shown) = told(rule);
    assert_eq!(less["compared"], 6);
    let percent = less["percent"].as_f64().unwrap();
    assert!(percent < 70.0, "{less:#}");
    for page in less["pages"].as_array().unwrap() {
        let missing = page["share"]["missing"].as_array().unwrap();
        assert_eq!(missing.len(), 1, "{page:#}");
        let passage = missing[0]["text"].as_str().unwrap();
        assert!(
            passage.starts_with("Riêng ") && passage.contains("thanh long"),
            "{passage}"
        );
        assert!(shown.contains(passage), "{passage}");
    }
}

#[test]
fn without_a_browser_the_error_says_what_to_do_and_the_rest_works() {
    let folder = bundled(6);
    let mapping = Path::new(ROOT).join(BUNDLED);
    let more = ["--fidelity", "--browser", "/nonexistent"];
    let said = text(&expect(&mut report(&mapping, folder.path(), &more), 2).stderr);
    assert!(
        said.contains("apt install chromium") && said.contains("/nonexistent"),
        "{said}"
    );
    expect(&mut report(&mapping, folder.path(), &[]), 0);
    let said = text(&expect(&mut report(&mapping, folder.path(), &["--fidelity", "--cms"]), 2).stderr);
    assert!(said.contains("there is none"), "{said}");
    // A ledger whose documents are not there does not reconcile.
    std::fs::remove_file(folder.path().join("ctk-binhthuan/documents.jsonl")).unwrap();
    expect(&mut report(&mapping, folder.path(), &[]), 4);
}

/// A page that tries everything that a page can try.
fn canary(address: SocketAddr) -> String {
    let away = format!("http://{address}");
    format!(
        "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content='0;url={away}/refresh'>
         <link rel=stylesheet href={away}/a.css><link rel=prefetch href={away}/prefetch><link rel=preconnect href={away}>
         <script>document.title = 'x'; fetch('{away}/fetch')</script><script src={away}/a.js></script>
         <style>@import '{away}/b.css'; body {{ background: url({away}/c.png) }} .khuat {{ display: none }}</style>
         <body onload=\"fetch('{away}/onload'); document.body.textContent = 'đã chạy'\">
         <p>Một đoạn văn</p><p class=khuat>không ai thấy</p><noscript>chỉ khi tắt mã</noscript>
         <details><summary>Mở ra</summary>phần đóng</details>
         <img src={away}/d.png onerror=\"document.body.textContent = 'đã chạy'\"><svg onload=\"fetch('{away}/svg')\"></svg>
         <iframe src={away}/frame></iframe><object data={away}/object></object><video src={away}/video autoplay></video>
         <a href=\"javascript:document.body.textContent='đã chạy'\">liên kết</a> <a href=/x>khác</a></body>"
    )
}

#[test]
fn a_page_that_is_shown_runs_nothing_and_asks_nobody() {
    use sangtrang::browser::{Served, View};
    if !crate::browser::is_there() {
        return;
    }
    let asked = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = asked.clone();
    let address = serve_router(Router::new().fallback(move |request: Request| {
        log.lock().unwrap().push(request.uri().to_string());
        async { "đã hỏi" }
    }));
    let body = canary(address);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (lines, sheets) = runtime.block_on(async {
        let mut view = View::start(None).await.unwrap();
        let mut sheets = Vec::new();
        let mut sheet = |url: &str| {
            sheets.push(url.to_owned());
            None
        };
        let page = Served {
            url: "http://site.example/",
            mime: "text/html",
            body: body.as_bytes(),
        };
        let lines = view.show(&page, &mut sheet).await.unwrap();
        // The browser is as it was: the next page is shown, too.
        let next = Served {
            body: b"<p>hai",
            ..page
        };
        assert_eq!(view.show(&next, &mut sheet).await.unwrap()[0].text, "hai");
        (lines, sheets)
    });
    let texts: Vec<&str> = lines.iter().map(|l| l.text.as_str()).collect();
    assert_eq!(texts, ["Một đoạn văn", "Mở ra", "phần đóng", "liên kết khác"]);
    assert!(lines[3].linked && !lines[0].linked);
    assert_eq!(*asked.lock().unwrap(), Vec::<String>::new());
    assert!(sheets.iter().any(|s| s.ends_with("/a.css")), "{sheets:?}");
}
