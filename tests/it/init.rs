//! What `init` says and leaves behind where a site gives it little.

use crate::support::{Server, documents, expect, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use sangtrang::demo::{BASE, Portal};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn init(url: &str, folder: &Path, code: i32) -> String {
    let mut command = sangtrang();
    command.args([
        "init",
        url,
        "--id",
        "x",
        "--delay",
        "0ms",
        "--allow-net",
        "127.0.0.1/32",
    ]);
    command
        .arg("--mappings")
        .arg(folder.join("m"))
        .arg("--output")
        .arg(folder.join("o"));
    text(&expect(&mut command, code).stderr)
}

/// A server that is down is not reached: it is neither robots.txt nor TLS, and nothing of the try is left behind.
#[test]
fn a_site_that_answers_errors_is_unreachable() {
    let address = serve_router(Router::new().fallback(|request: Request| async move {
        // Who cannot even say what is allowed is not asked at all.
        match request.uri().path() {
            "/robots.txt" => (StatusCode::NOT_FOUND, "no"),
            _ => (StatusCode::INTERNAL_SERVER_ERROR, "no"),
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let said = init(&format!("http://{address}/"), folder.path(), 7);
    assert!(said.contains("500"), "{said}");
    assert!(!said.contains("robots"), "{said}");
    assert!(!folder.path().join("o/x-sample").exists());
    assert!(!folder.path().join("m/x.toml").exists());
}

/// Pages whose links all lead to another host by their `<base>`: that is said, and not that more pages would help.
#[test]
fn a_base_of_another_host_is_named() {
    let address = serve_router(Router::new().fallback(|_: Request| async {
        let html = "<html><head><base href=\"http://cong.example/\"></head><body><a href=\"tin/1.html\">Tin số một</a><p>Trang chủ</p></body></html>";
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
    }));
    let folder = tempfile::tempdir().unwrap();
    let said = init(&format!("http://{address}/"), folder.path(), 4);
    assert!(said.contains("http://cong.example/"), "{said}");
    assert!(!said.contains("--pages"), "{said}");
    assert!(!said.contains("the same command continues"), "{said}");
}

/// The bundled portal shows its articles under many addresses (a session, the case of letters, a section that does not
/// matter), its lists go on by links and by forms, and a calendar without end holds more pages than its lists. The draft,
/// untouched, makes one document of each article; what the archive of the run teaches is no worse than the sample.
#[test]
fn the_draft_of_the_bundled_portal_holds_each_article_once() {
    let server = Server::start(Portal::new(60, 1));
    let folder = tempfile::tempdir().unwrap();
    let (mappings, output) = (folder.path().join("m"), folder.path().join("o"));
    let command = |name: &str| {
        let mut command = sangtrang();
        command.arg(name).arg("--output").arg(&output);
        command
    };
    let mut init = command("init");
    init.args([
        BASE,
        "--id",
        "x",
        "--delay",
        "0ms",
        "--connect-to",
        &server.connect_to(),
    ]);
    let said = text(&expect(init.arg("--mappings").arg(&mappings), 0).stderr);
    assert!(!said.contains("the same command continues"), "{said}");
    let mapping = mappings.join("x.toml");
    let draft = std::fs::read_to_string(&mapping).unwrap();
    for has in [
        "drop_params = ['sid']",
        "case_insensitive_path = true",
        "kind = 'link'",
        "kind = 'aspnet-postback'",
    ] {
        assert!(draft.contains(has), "{has}: {draft}");
    }
    // Nothing is said twice, and each example that was written is one of the mapping.
    let denied: Vec<&str> = draft
        .lines()
        .filter(|l| l.trim_start().starts_with("'^http"))
        .collect();
    assert_eq!(
        denied.len(),
        denied.iter().collect::<BTreeSet<_>>().len(),
        "{draft}"
    );
    let written = std::fs::read_dir(mappings.join("x")).unwrap().count();
    assert_eq!(
        draft.matches("[[collection.example]]").count() * 2,
        written,
        "{draft}"
    );
    expect(sangtrang().arg("test").arg(&mapping), 0);

    let mut run = command("run");
    run.arg(&mapping)
        .args(["--delay", "0ms", "--connect-to", &server.connect_to()]);
    let run = run.output().unwrap();
    assert!(matches!(run.status.code(), Some(0 | 4)), "{}", text(&run.stderr));
    let all = documents(&output.join("x"));
    let articles: Vec<_> = all.iter().filter(|d| d["collection"] == "articles").collect();
    let gold: BTreeMap<String, sangtrang::document::DateValue> = server
        .portal
        .gold()
        .filter_map(|g| Some((g.document.title?, g.document.dates.published?)))
        .collect();
    assert_eq!(articles.len(), 60, "{said}");
    let mut wrong = Vec::new();
    for document in &articles {
        let title = document["title"].as_str().unwrap_or_default();
        let date = document["dates"]["published"]["value"].as_str();
        // A list that a script fills is none that a draft can read: what only it says is missing, and not wrong.
        let right = gold
            .get(title)
            .is_some_and(|g| date.map_or(g.method == "listing", |d| d == g.value));
        if !right || !document["section"]["label"].is_string() {
            wrong.push(format!("{title}: {date:?}, {:?}", gold.get(title)));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");

    let learned = text(&expect(command("learn").arg(&mapping), 0).stdout);
    for field in ["container", "dates.published", "section"] {
        let changed = learned
            .lines()
            .any(|l| l.starts_with("~ article-1") && l.contains(field));
        assert!(!changed, "{learned}");
    }
    assert!(!learned.contains("- list-"), "{learned}");
}
