//! Gates from outside: the bundled portal with faults planted on its pages, one a gate, each on articles of its own. Every other
//! article passes that gate in the same run.

use crate::support::{Server, documents, expect, sangtrang, serve_router, text};
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::response::Response;
use sangtrang::demo::Portal;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

type Edit = Box<dyn Fn(String) -> String + Send + Sync>;

/// A proxy before the bundled portal that edits the pages of some articles, which are UTF-8.
struct Planted {
    to: SocketAddr,
    edits: BTreeMap<u32, Edit>,
    client: reqwest::Client,
}

fn planted(server: &Server, edits: BTreeMap<u32, Edit>) -> SocketAddr {
    let planted = Planted {
        to: server.address,
        edits,
        client: client(),
    };
    let router = axum::Router::new()
        .fallback(forward)
        .with_state(std::sync::Arc::new(planted));
    serve_router(router)
}

fn client() -> reqwest::Client {
    // Only one of all tests that come here is the first.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    client.build().unwrap()
}

async fn forward(State(planted): State<std::sync::Arc<Planted>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let uri = head.uri.path_and_query().unwrap().to_string();
    let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    let mut headers = head.headers.clone();
    headers.remove("host");
    headers.remove("accept-encoding");
    let answer = planted
        .client
        .request(head.method, format!("http://{}{uri}", planted.to))
        .headers(headers)
        .body(body)
        .send()
        .await
        .unwrap();
    let mut response = Response::builder().status(answer.status());
    for (name, value) in answer.headers() {
        if !["content-length", "etag", "last-modified", "transfer-encoding"].contains(&name.as_str()) {
            response = response.header(name, value);
        }
    }
    let mut bytes: Bytes = answer.bytes().await.unwrap();
    let lower = uri.to_lowercase();
    let item = lower.strip_prefix("/view.aspx?itemid=").map(|rest| {
        let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
        digits.parse().unwrap()
    });
    if let Some(edit) = item.and_then(|item: u32| planted.edits.get(&item)) {
        let page = String::from_utf8(bytes.to_vec()).unwrap_or_default();
        let edited = if page.is_empty() {
            page.clone()
        } else {
            edit(page.clone())
        };
        if page == edited {
            // A panic here would look like a server that rests: the crawl would wait for it.
            return Response::builder()
                .status(410)
                .body("not planted".into())
                .unwrap();
        }
        bytes = edited.into();
    }
    response.body(bytes.into()).unwrap()
}

/// What stands between two marks is replaced.
fn put(open: &'static str, close: &'static str, new: impl Into<String>) -> Edit {
    let new = new.into();
    Box::new(move |page| {
        let Some(at) = page.find(open).map(|at| at + open.len()) else {
            return page;
        };
        match page[at..].find(close) {
            Some(end) => format!("{}{new}{}", &page[..at], &page[at + end..]),
            None => page,
        }
    })
}

/// A paragraph at the begin of the body.
fn paragraph(text: &'static str) -> Edit {
    Box::new(move |page| {
        let mark = "<div class=\"noidung\">";
        page.replacen(mark, &format!("{mark}\n{text}<br>\n<br />\n"), 1)
    })
}

fn before(mark: &'static str, text: &'static str) -> Edit {
    Box::new(move |page| page.replacen(mark, &format!("{text}{mark}"), 1))
}

const BODY: (&str, &str) = ("<div class=\"noidung\">", "</div>\n<br>\n<div><b>TIN T");

fn body_of(server: &Server, item: u32) -> String {
    let page = reqwest_get(&format!("http://{}/view.aspx?ItemID={item}", server.address));
    let at = page.find(BODY.0).unwrap() + BODY.0.len();
    let end = at + page[at..].find(BODY.1).unwrap();
    page[at..end].to_owned()
}

fn reqwest_get(url: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async { client().get(url).send().await.unwrap().text().await.unwrap() })
}

/// The bundled mapping with further tables; `more` may speak of its one collection, which it ends with.
fn mapping(folder: &Path, site_wide: &str, more: &str) -> PathBuf {
    let bundled =
        std::fs::read_to_string(Path::new(crate::support::ROOT).join("mappings/ctk-binhthuan.toml")).unwrap();
    let end = bundled.find("# The page that the project started from").unwrap();
    let media = bundled.find("\n[media]").unwrap();
    let at = bundled.find("[[collection]]").unwrap();
    let text = format!(
        "{}{site_wide}\n{}{more}\n{}",
        &bundled[..at],
        &bundled[at..end],
        &bundled[media..]
    );
    let path = folder.join("planted.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn run(mapping: &Path, at: SocketAddr, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(mapping)
        .args(["--delay", "0ms", "--concurrency", "8"])
        .args(["--connect-to", &format!("::127.0.0.1:{}", at.port())])
        .arg("--output")
        .arg(output);
    command
}

fn extract(mapping: &Path, output: &Path) -> Command {
    let mut command = sangtrang();
    command.arg("extract").arg(mapping).arg("--output").arg(output);
    command
}

/// Documents by the gates that name them, as `level:id`.
fn named(site: &Path) -> BTreeMap<String, BTreeSet<u32>> {
    let mut all: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for document in documents(site) {
        let key = document["source_key"].as_str().unwrap();
        let item = key.strip_prefix("news:").unwrap().parse().unwrap();
        for gate in document["quality"]["gates"].as_array().unwrap() {
            let name = format!(
                "{}:{}",
                gate["level"].as_str().unwrap(),
                gate["id"].as_str().unwrap()
            );
            all.entry(name).or_default().insert(item);
        }
    }
    all
}

fn note(site: &Path, item: u32, gate: &str) -> String {
    let all = documents(site);
    let document = all
        .iter()
        .find(|d| d["source_key"] == format!("news:{item}"))
        .unwrap();
    let gates = document["quality"]["gates"].as_array().unwrap();
    let gate = gates.iter().find(|g| g["id"] == gate).unwrap();
    gate["note"].as_str().unwrap().to_owned()
}

const MORE: &str = r#"
[collection.fields."dates.modified"]
take = [{ css = "div.suadoi" }]
"#;

#[test]
fn every_gate_names_the_article_with_its_fault_and_no_other() {
    let server = Server::start(Portal::new(90, 1));
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "", MORE);
    let title = ("<div class=\"tieude\">", "</div>");
    let near = body_of(&server, 82);
    let third = near.find("số liệu").or(near.find("công tác")).unwrap();
    let near = format!("{} khác {}", &near[..third], &near[third..]);
    let mut edits: BTreeMap<u32, Edit> = BTreeMap::new();
    edits.insert(33, put("<div class=\"ngaydang\">", "</div>", "(01/01/2099)"));
    edits.insert(18, put("<div class=\"ngaydang\">", "</div>", "(01/01/1970)"));
    edits.insert(
        34,
        before(
            "<div class=\"noidung\">",
            "<div class=\"suadoi\">01/01/2001</div>",
        ),
    );
    edits.insert(42, paragraph("Ch\u{fffd} cái không còn đọc được trong câu này"));
    edits.insert(
        49,
        paragraph("<a href=\"view.aspx?ItemID=90000001\">Bài đã gỡ</a> không còn ở đó"),
    );
    edits.insert(57, put(title.0, title.1, "Cùng một tiêu đề"));
    edits.insert(58, put(title.0, title.1, "Cùng  một tiêu ĐỀ"));
    edits.insert(61, put(BODY.0, BODY.1, body_of(&server, 67)));
    edits.insert(73, put(BODY.0, BODY.1, near));
    edits.insert(
        66,
        before("<div class=\"noidung\">", "<div>Ảnh: Văn phòng Cục</div><br>"),
    );
    edits.insert(69, paragraph("<img src=\"/hinhanh/2023/10-1.png\">"));
    edits.insert(79, put(BODY.0, BODY.1, "Ngắn."));
    edits.insert(25, put("<div class=\"chuyenmuc\">", "</div>", ""));
    edits.insert(
        13,
        before(
            "<tr><td colspan=\"2\"><div class=\"chantrang\">",
            "<tr><td colspan=\"2\"><div>Dòng chữ lạ</div></td></tr>",
        ),
    );
    edits.insert(
        31,
        paragraph(
            "<table border=\"1\"><tr><th>Huyện</th><th>A</th><th>B</th><th>C</th></tr><tr><td>Đức Linh</td><td>10</td><td>20</td><td>1</td></tr>\
             <tr><td>Tánh Linh</td><td>15</td><td>5</td><td>2</td></tr><tr><td>Tổng số</td><td>25</td><td>25</td><td>9</td></tr></table>",
        ),
    );
    edits.insert(
        37,
        paragraph(
            "<table border=\"1\"><tr><th>Huyện</th><th>A</th><th>B</th></tr><tr><td>Đức Linh</td><td>10</td></tr>\
             <tr><td>Tánh Linh</td><td>15</td><td>5</td></tr></table>",
        ),
    );
    let clean = named_of(&server, &mapping, folder.path(), "clean", BTreeMap::new(), 0);
    let site = folder.path().join("planted/ctk-binhthuan");
    let found = named_of(&server, &mapping, folder.path(), "planted", edits, 4);
    let of =
        |name: &str, found: &BTreeMap<String, BTreeSet<u32>>| found.get(name).cloned().unwrap_or_default();
    for (name, items) in [
        ("fail:dates", vec![18, 33]),
        ("warn:dates-order", vec![34]),
        ("fail:replacements", vec![42]),
        ("warn:broken-links", vec![49]),
        ("warn:duplicate-title", vec![57, 58]),
        ("warn:duplicate-body", vec![61, 67]),
        ("warn:near-duplicate", vec![73, 82]),
        ("fail:captions", vec![66]),
        ("warn:alt-text", vec![69]),
        ("fail:min-body", vec![79]),
        ("fail:required", vec![25]),
        ("fail:accounted", vec![13]),
        ("warn:table-sums", vec![31]),
        ("warn:table-shape", vec![37]),
    ] {
        let new: BTreeSet<u32> = &of(name, &found) - &of(name, &clean);
        assert_eq!(new, items.into_iter().collect(), "{name}: {found:#?}");
    }
    // What the portal itself has: pictures without alternative text, links to somebody's disk, pictures that are gone.
    let true_ones: BTreeSet<&str> = clean.keys().map(String::as_str).collect();
    let expected = BTreeSet::from(["warn:alt-text", "warn:broken-links", "warn:media"]);
    assert_eq!(true_ones, expected, "{clean:#?}");
    assert!(note(&site, 33, "dates").contains("published 2099-01-01 is after its page was captured"));
    assert!(note(&site, 18, "dates").contains("published 1970-01-01 is before 1990"));
    assert!(note(&site, 49, "broken-links").contains("ItemID=90000001"));
    assert!(note(&site, 58, "duplicate-title").starts_with("news:57 has"));
    assert!(note(&site, 67, "duplicate-body").starts_with("news:61 has"));
    assert!(note(&site, 82, "near-duplicate").ends_with("is that of news:73"));

    // One file a document says the same as the line of it.
    for document in documents(&site) {
        let path = site.join(format!(
            "documents/news/{}.json",
            document["id"].as_str().unwrap()
        ));
        let file: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        assert_eq!(file, document);
    }
    the_same_again_changes_nothing(&mapping, folder.path());
    other_levels(folder.path());
    killed_it_ends_the_same(folder.path());
}

fn named_of(
    server: &Server,
    mapping: &Path,
    folder: &Path,
    name: &str,
    edits: BTreeMap<u32, Edit>,
    code: i32,
) -> BTreeMap<String, BTreeSet<u32>> {
    let output = folder.join(name);
    let junit = folder.join(format!("{name}.xml"));
    expect(
        run(mapping, planted(server, edits), &output)
            .arg("--junit")
            .arg(&junit),
        code,
    );
    let xml = std::fs::read_to_string(junit).unwrap();
    let fails = xml.matches("<failure ").count();
    assert_eq!(fails > 0, code == 4, "{xml}");
    named(&output.join("ctk-binhthuan"))
}

fn the_same_again_changes_nothing(mapping: &Path, folder: &Path) {
    let output = folder.join("planted");
    let site = output.join("ctk-binhthuan");
    let before = std::fs::read(site.join("documents.jsonl")).unwrap();
    let junit = folder.join("again.xml");
    let said = expect(
        extract(mapping, &output).args(["--json", "--junit"]).arg(&junit),
        4,
    );
    let last: Value = serde_json::from_str(text(&said.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(last["documents"]["changed"], 0, "{last}");
    assert_eq!(std::fs::read(site.join("documents.jsonl")).unwrap(), before);
    let by_report = folder.join("report.xml");
    expect(
        sangtrang()
            .arg("report")
            .arg(mapping)
            .args(["--out", "-", "--junit"])
            .arg(&by_report)
            .arg("--output")
            .arg(&output),
        0,
    );
    // Both tell of the same extraction; only when and how long differs.
    let told = |path: &Path| {
        let xml = std::fs::read_to_string(path).unwrap();
        let times = regex::Regex::new(r#" (time|timestamp)="[^"]*""#).unwrap();
        times.replace_all(&xml, "").into_owned()
    };
    let xml = told(&junit);
    assert_eq!(xml, told(&by_report));
    for case in ["near-duplicate", "alt-text"] {
        assert!(xml.contains(&format!(
            "<testcase name=\"{case}\" classname=\"ctk-binhthuan.news\">\n   <system-out>"
        )));
    }
    assert!(
        xml.contains(
            "name=\"dates\" classname=\"ctk-binhthuan.news\">\n   <failure message=\"2 did not pass\""
        ),
        "{xml}"
    );
    assert!(
        xml.contains("<skipped message=\"nothing was accepted yet\"/>"),
        "{xml}"
    );
}

/// The same pages under other levels: what was a warning stops a document, what was a failure is off.
fn other_levels(folder: &Path) {
    let output = folder.join("planted");
    let site = output.join("ctk-binhthuan");
    let site_wide = "[[gate]]\nrule = \"duplicate-title\"\n\
         [[gate]]\nrule = \"alt-text\"\nlevel = \"off\"\n\
         [[gate]]\nrule = \"required\"\nlevel = \"warn\"\n\
         [[gate]]\nrule = \"near-duplicate\"\nlevel = \"warn\"\nat = 100\n";
    let own = "[[collection.gate]]\nid = \"twins\"\nrule = \"duplicate-body\"\nlevel = \"fail\"\n\
         [[collection.gate]]\nrule = \"required\"\nlevel = \"off\"\n";
    let mapping = mapping(folder, site_wide, &format!("{MORE}{own}"));
    expect(&mut extract(&mapping, &output), 4);
    let found = named(&site);
    let of = |name: &str| found.get(name).into_iter().flatten().copied().collect::<Vec<_>>();
    assert_eq!(of("fail:duplicate-title"), [57, 58]);
    assert_eq!(of("fail:twins"), [61, 67]);
    for gone in [
        "warn:duplicate-title",
        "warn:duplicate-body",
        "warn:near-duplicate",
        "warn:alt-text",
        "fail:required",
        "warn:required",
    ] {
        assert_eq!(of(gone), [0; 0], "{gone}");
    }
    // A document that fails beside others is held like one that fails by itself.
    let report = std::fs::read_to_string(site.join("report.txt")).unwrap();
    assert!(report.contains("fail:twins"), "{report}");
    expect(
        sangtrang()
            .arg("export")
            .arg(&mapping)
            .args(["--format", "hugo", "--output"])
            .arg(&output),
        4,
    );
    let notes = crate::support::files(&output);
    let notes = notes.iter().find(|f| f.ends_with("export-notes.jsonl")).unwrap();
    let notes = std::fs::read_to_string(output.join(notes)).unwrap();
    for item in [57, 58, 61, 67] {
        let held = |l: &&str| l.contains("held") && l.contains(&format!("news:{item}\""));
        assert!(notes.lines().any(|l| held(&l)), "{item}: {notes}");
    }
}

/// What stands in a site's documents, file by file.
fn written(site: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let all = crate::support::files(site).into_iter();
    let documents = all.filter(|f| f.starts_with("documents") || f.ends_with("documents.jsonl"));
    documents
        .map(|f| (f.clone(), std::fs::read(site.join(f)).unwrap()))
        .collect()
}

/// Two mappings give the same documents other gates. Whatever an extraction by one was killed at, the next by the other
/// ends as if nothing had happened.
fn killed_it_ends_the_same(folder: &Path) {
    let output = folder.join("planted");
    let site = output.join("ctk-binhthuan");
    let other = mapping(folder, "", &format!("{MORE}# as it was"));
    expect(&mut extract(&other, &output), 4);
    let right = written(&site);
    let loud = folder.join("loud");
    std::fs::create_dir(&loud).unwrap();
    let loud = mapping(
        &loud,
        "[[gate]]\nrule = \"duplicate-title\"\n[[gate]]\nrule = \"alt-text\"\n[[gate]]\nrule = \"near-duplicate\"\nat = 75\n",
        MORE,
    );
    let began = std::time::Instant::now();
    expect(&mut extract(&loud, &output), 4);
    let whole = began.elapsed();
    assert_ne!(written(&site), right);
    let (mut killed, kills) = (0, 6);
    for trial in 1..=kills {
        expect(&mut extract(&other, &output), 4);
        let mut child = extract(&loud, &output)
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // Any moment is right: this only spreads them.
        std::thread::sleep(whole * trial / (kills + 1));
        let _ = child.kill();
        killed += u32::from(child.wait().unwrap().code().is_none());
        expect(&mut extract(&other, &output), 4);
        assert!(written(&site) == right, "killed at {trial} of {kills}");
        let parts = crate::support::files(&site);
        assert!(
            parts.iter().all(|f| !f.to_string_lossy().contains(".part-")),
            "{parts:?}"
        );
    }
    assert!(killed * 2 >= kills, "{killed} of {kills} were killed");
}
