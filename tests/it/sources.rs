//! Other sources than the live site: an archive, a folder of saved pages; and a real portal where it is at hand.

use crate::support::{Server, documents, expect, run_bundled, sangtrang, serve_router, shared, text};
use sangtrang::demo::Portal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// A mapping without its examples, which belong to its own folder.
fn without_examples(text: &str) -> String {
    let mut inside = false;
    let kept = text.lines().filter(|line| {
        inside = *line == "[[collection.example]]" || inside && !line.trim().is_empty();
        !inside
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// The bundled mapping with another source.
fn with_source(folder: &Path, source: &str) -> std::path::PathBuf {
    let text =
        std::fs::read_to_string(Path::new(crate::support::ROOT).join("mappings/ctk-binhthuan.toml")).unwrap();
    let text = without_examples(&text);
    let path = folder.join("other.toml");
    std::fs::write(&path, format!("{text}\n[[site.source]]\n{source}\n")).unwrap();
    path
}

/// Content of documents by key: fetch provenance differs between sources, content must not.
fn content(site: &Path) -> BTreeMap<String, (Value, Value, Value)> {
    documents(site)
        .into_iter()
        .map(|d| {
            let key = d["source_key"].as_str().unwrap().to_owned();
            (
                key,
                (d["revision"].clone(), d["body"].clone(), d["accounting"].clone()),
            )
        })
        .collect()
}

#[test]
fn an_archive_gives_the_same_documents_without_the_site() {
    let server = Server::start(Portal::new(40, 3));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    drop(server);
    let live = folder.path().join("ctk-binhthuan");
    let mapping = with_source(
        folder.path(),
        &format!("kind = \"warc\"\npath = \"{}\"", live.join("archive").display()),
    );
    let output = folder.path().join("again");
    expect(
        sangtrang().arg("run").arg(&mapping).arg("--output").arg(&output),
        0,
    );
    let (ours, theirs) = (content(&output.join("ctk-binhthuan")), content(&live));
    let different: Vec<&String> = theirs.keys().filter(|k| ours.get(*k) != theirs.get(*k)).collect();
    assert!(different.is_empty(), "different: {different:?}");
    assert_eq!(ours.len(), theirs.len());
}

#[test]
fn a_truncated_archive_says_where_and_gives_what_is_whole() {
    let server = Server::start(Portal::new(10, 3));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    drop(server);
    let live = folder.path().join("ctk-binhthuan");
    let archive = live
        .join("archive")
        .join(&crate::support::files(&live.join("archive"))[0]);
    let bytes = std::fs::read(archive).unwrap();
    let cut = folder.path().join("cut.warc.gz");
    std::fs::write(&cut, &bytes[..bytes.len() * 3 / 4]).unwrap();
    let mapping = with_source(
        folder.path(),
        &format!("kind = \"warc\"\npath = \"{}\"", cut.display()),
    );
    let output = folder.path().join("again");
    let run = expect(
        sangtrang().arg("run").arg(&mapping).arg("--output").arg(&output),
        4,
    );
    assert!(text(&run.stderr).contains("cut.warc.gz"), "{}", text(&run.stderr));
    assert!(!documents(&output.join("ctk-binhthuan")).is_empty());
}

#[test]
fn a_saved_city_portal_becomes_documents_with_nothing_unaccounted() {
    let Some(saved) = shared("data/portals/hanoi") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let text =
        std::fs::read_to_string(Path::new(crate::support::ROOT).join("mappings/hanoi-sotttt.toml")).unwrap();
    let mapping = folder.path().join("hanoi.toml");
    let text = text.replace("../../shared/data/portals/hanoi", &saved.to_string_lossy());
    std::fs::write(&mapping, without_examples(&text)).unwrap();
    let run = sangtrang()
        .arg("run")
        .arg(&mapping)
        .arg("--output")
        .arg(folder.path())
        .output()
        .unwrap();
    assert!(
        matches!(run.status.code(), Some(0 | 4)),
        "{}",
        crate::support::text(&run.stderr)
    );
    let all = documents(&folder.path().join("hanoi-sotttt"));
    let entries: Vec<&Value> = all.iter().filter(|d| d["collection"] == "entries").collect();
    assert!(entries.len() > 100, "{} entries", entries.len());
    for entry in &entries {
        assert!(
            entry["title"].is_string() && !entry["links"].as_array().unwrap().is_empty(),
            "{entry}"
        );
        assert_eq!(entry["accounting"]["unaccounted"], 0, "{entry}");
    }
    let dated = entries
        .iter()
        .filter(|d| d["dates"]["published"].is_object())
        .count();
    assert!(
        dated * 10 >= entries.len() * 9,
        "{dated} of {} entries have a date",
        entries.len()
    );
    let pages: Vec<&Value> = all.iter().filter(|d| d["collection"] == "pages").collect();
    assert!(pages.len() > 15, "{} static pages", pages.len());
    for page in pages {
        // A page may hold nothing but chrome; then nothing of it is kept, and every character has its rule.
        let empty = page["body"].as_array().unwrap().is_empty();
        assert!(
            !empty || page["accounting"]["kept"] == 0,
            "{}",
            page["source_key"]
        );
        assert_eq!(page["accounting"]["unaccounted"], 0, "{}", page["source_key"]);
    }
}

/// Serves a folder as a static server does that hides the `.html` of its files (`try_files $uri $uri.html`).
async fn static_file(
    axum::extract::State(root): axum::extract::State<std::path::PathBuf>,
    uri: axum::http::Uri,
) -> axum::response::Response {
    use axum::response::IntoResponse;
    let path = percent_encoding::percent_decode_str(uri.path())
        .decode_utf8_lossy()
        .trim_matches('/')
        .to_owned();
    if path.split('/').any(|part| part == "..") {
        return axum::http::StatusCode::NOT_FOUND.into_response();
    }
    let path = if path.is_empty() { "index".to_owned() } else { path };
    for candidate in [path.clone(), format!("{path}.html")] {
        if let Ok(bytes) = std::fs::read(root.join(&candidate)) {
            let mime = if candidate.ends_with(".png") {
                "image/png"
            } else {
                "text/html"
            };
            return ([(axum::http::header::CONTENT_TYPE, mime)], bytes).into_response();
        }
    }
    axum::http::StatusCode::NOT_FOUND.into_response()
}

#[test]
fn a_saved_city_portal_can_be_crawled_from_a_static_server() {
    let Some(saved) = shared("data/portals/hanoi") else {
        return;
    };
    let address = serve_router(axum::Router::new().fallback(static_file).with_state(saved));
    let folder = tempfile::tempdir().unwrap();
    let run = sangtrang()
        .args([
            "run",
            "mappings/hanoi-sotttt.toml",
            "--live",
            "--delay",
            "0ms",
            "--concurrency",
            "8",
        ])
        .args(["--connect-to", &format!("::{address}")])
        .arg("--output")
        .arg(folder.path())
        .output()
        .unwrap();
    // Most links of the mirror lead to pages that it does not hold: they are gone, which is no failure.
    assert!(
        matches!(run.status.code(), Some(0 | 4)),
        "{}",
        crate::support::text(&run.stderr)
    );
    let all = documents(&folder.path().join("hanoi-sotttt"));
    let count = |collection: &str| all.iter().filter(|d| d["collection"] == collection).count();
    assert!(
        count("entries") > 100 && count("pages") > 15,
        "{} entries, {} pages",
        count("entries"),
        count("pages")
    );
    for document in &all {
        assert_eq!(
            document["accounting"]["unaccounted"], 0,
            "{}",
            document["source_key"]
        );
    }
}

/// A mirror as wget leaves it: queries in file names, a second ending, converted links; and two pages saved by hand.
#[test]
fn a_mirror_of_wget_and_pages_saved_by_hand_become_documents_under_their_old_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let mirror = folder.path().join("mirror");
    std::fs::create_dir_all(mirror.join("tin")).unwrap();
    let page = |title: &str| {
        format!(
            "<html><body><div id=content><h1>{title}</h1><p>Nội dung của {title}.</p></div></body></html>"
        )
    };
    let put = |name: &str, text: &str| std::fs::write(mirror.join(name), text).unwrap();
    put("index.html", "<a href='View.aspx%3FItemID=1.html'>một</a>");
    put("View.aspx?ItemID=1.html", &page("Một"));
    put("View.aspx@ItemID=2.html", &page("Hai"));
    put(
        "Bài ba.htm",
        &format!(
            "<!-- saved from url=(0037)http://site.example/View.aspx?ItemID=3 -->\r\n{}",
            page("Ba")
        ),
    );
    put("tin/bon-4.html", &page("Bốn"));
    let mapping = folder.path().join("site.toml");
    std::fs::write(
        &mapping,
        r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
[[site.source]]
kind = "folder"
path = "mirror"
urls = [{ from = '^tin/[a-z]+-(\d+)\.html$', to = "/View.aspx?ItemID=$1" }]
[[collection]]
id = "news"
match = { url = '/View\.aspx' }
key = "{ItemID}"
scope = { container = ["#content"] }
fields.title = { take = [{ css = "h1" }], required = true }
[[ignore]]
id = "start"
url = 'example/$'
[[drop]]
id = "outside"
outside = true
"##,
    )
    .unwrap();
    let output = folder.path().join("out");
    expect(
        sangtrang().arg("run").arg(&mapping).arg("--output").arg(&output),
        0,
    );
    let found: BTreeMap<String, (String, String)> = documents(&output.join("site"))
        .into_iter()
        .map(|d| {
            let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
            let by = text(&d["provenance"]["fetch"]["notes"]["url-from"]);
            (text(&d["source_key"]), (text(&d["title"]), by))
        })
        .collect();
    let shown: Vec<(&str, &str, &str)> = found
        .iter()
        .map(|(key, (title, by))| (key.rsplit(':').next().unwrap(), title.as_str(), by.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            ("1", "Một", "path, a guess"),
            ("2", "Hai", "path, a guess"),
            ("3", "Ba", "comment"),
            ("4", "Bốn", "rule"),
        ]
    );
}
