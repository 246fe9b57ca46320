//! The archive is the truth: a ledger comes out of it again, what changed nothing is not written twice, and damage is found.

use crate::support::{Server, expect, files, run_bundled, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse};
use sangtrang::demo::Portal;
use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

fn ledger(what: &str, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .args(["ledger", what, "mappings/ctk-binhthuan.toml", "--output"])
        .arg(output);
    command
}

fn archive_text(site: &Path) -> String {
    let mut all = Vec::new();
    for file in files(&site.join("archive")) {
        let file = std::fs::File::open(site.join("archive").join(file)).unwrap();
        flate2::read::MultiGzDecoder::new(file)
            .read_to_end(&mut all)
            .unwrap();
    }
    text(&all)
}

/// Everything that a run wrote for its readers.
fn outputs(site: &Path) -> BTreeMap<String, Vec<u8>> {
    files(site)
        .into_iter()
        .map(|file| (file.display().to_string(), site.join(&file)))
        .filter(|(name, _)| name.starts_with("documents") || name.starts_with("media"))
        .map(|(name, path)| (name, std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn a_ledger_of_the_archive_alone_gives_the_same_documents_and_asks_for_nothing() {
    let server = Server::start(Portal::new(60, 11).recording());
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("ctk-binhthuan");
    expect(&mut run_bundled(&server, folder.path()), 0);
    let before = outputs(&site);
    assert!(before.len() > 60);

    // There is a ledger: only with --force, and the old one is kept.
    let said = text(&expect(&mut ledger("rebuild", folder.path()), 6).stderr);
    assert!(said.contains("--force"), "{said}");
    let said = expect(ledger("rebuild", folder.path()).args(["--force", "--json"]), 0);
    let said: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
    assert!(Path::new(said["old"].as_str().unwrap()).exists(), "{said}");
    expect(&mut ledger("check", folder.path()), 0);

    // And without any.
    for file in files(&site) {
        let name = file.display().to_string();
        if name.starts_with("ledger.db") || name.starts_with("documents") || name.starts_with("media") {
            std::fs::remove_file(site.join(file)).unwrap();
        }
    }
    expect(&mut ledger("rebuild", folder.path()), 0);
    let count = server.portal.requests_len();
    let mut extract = sangtrang();
    extract
        .args(["extract", "mappings/ctk-binhthuan.toml", "--output"])
        .arg(folder.path());
    expect(&mut extract, 0);
    assert!(outputs(&site) == before, "other documents");

    expect(&mut run_bundled(&server, folder.path()), 0);
    let log = server.portal.requests();
    let urls = log[count..].iter().map(|r| &r.url);
    let asked: Vec<&String> = urls.filter(|url| *url != "/robots.txt").collect();
    assert!(asked.is_empty(), "{asked:?}");
    assert!(outputs(&site) == before, "other documents after a run");
    assert!(
        !files(&site)
            .iter()
            .any(|f| f.display().to_string().contains("ledger.db.new"))
    );
}

#[test]
fn what_did_not_change_is_a_revisit_and_reads_as_before() {
    let address = serve_router(Router::new().fallback(|request: Request| async move {
        match request.uri().path() {
            "/" => Html(format!(
                "<a href=/tin/1>1</a><p>{}</p>",
                "một trang dài ".repeat(200)
            ))
            .into_response(),
            "/tin/1" => Html("<div id=content><h1>Một</h1><p>Nội dung.</p></div>").into_response(),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("site.toml");
    std::fs::write(
        &mapping,
        "schema = 1\n[site]\nid = \"site\"\nbase = \"http://site.example/\"\n[politeness]\ndelay = \"0ms\"\n\
         [[discover]]\nid = \"links\"\nkind = \"links\"\n[[collection]]\nid = \"news\"\nmatch = { url = '^/tin' }\nkey = \"{path}\"\n\
         scope = { container = [\"#content\"] }\nfields.title = { take = [{ css = \"h1\" }], required = true }\n\
         [[ignore]]\nid = \"start\"\nurl = '^/$'\n[[drop]]\nid = \"outside\"\noutside = true\n",
    )
    .unwrap();
    let output = folder.path().join("out");
    let run = |extra: &[&str]| {
        let mut command = sangtrang();
        command
            .arg("run")
            .arg(&mapping)
            .arg("--output")
            .arg(&output)
            .args(extra);
        expect(command.args(["--connect-to", &format!("::{address}")]), 0);
        std::fs::read(output.join("site/documents.jsonl")).unwrap()
    };
    let first = run(&[]);
    let pages = |text: &str| text.matches("một trang dài").count();
    let once = pages(&archive_text(&output.join("site")));
    // The third time the revisit itself stands for the page.
    for _ in 0..2 {
        assert_eq!(run(&["--refresh"]), first);
    }
    let written = archive_text(&output.join("site"));
    assert_eq!(written.matches("WARC-Type: revisit").count(), 4);
    assert_eq!(pages(&written), once);
    for header in [
        "WARC-Refers-To-Date: ",
        "revisit/identical-payload-digest",
        "WARC-Type: metadata",
    ] {
        assert!(written.contains(header), "{header}");
    }
    let mut check = sangtrang();
    check
        .args(["ledger", "check"])
        .arg(&mapping)
        .arg("--output")
        .arg(&output);
    expect(&mut check, 0);
    warcio_accepts(&output.join("site"));
}

fn warcio_accepts(site: &Path) {
    if !Command::new("warcio")
        .arg("--version")
        .output()
        .is_ok_and(|o| o.status.success())
    {
        eprintln!("SKIPPED: there is no `warcio` to judge the archive");
        return;
    }
    for file in files(&site.join("archive")) {
        let path = site.join("archive").join(file);
        expect(Command::new("warcio").args(["check", "-v"]).arg(&path), 0);
        expect(Command::new("warcio").arg("index").arg(&path), 0);
    }
}

#[test]
fn damage_is_found_and_named() {
    let server = Server::start(Portal::new(12, 5));
    let folder = tempfile::tempdir().unwrap();
    let site = folder.path().join("ctk-binhthuan");
    expect(&mut run_bundled(&server, folder.path()), 0);
    let name = files(&site.join("archive")).remove(0);
    let path = site.join("archive").join(name);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&path, &bytes).unwrap();
    let said = expect(&mut ledger("check", folder.path()), 4);
    let said = text(&said.stdout);
    assert!((1..=2).contains(&said.lines().count()), "{said}");
    assert!(said.contains("-00000.warc.gz"), "{said}");

    expect(
        sangtrang().args([
            "ledger",
            "check",
            "mappings/ctk-binhthuan.toml",
            "--output",
            "/nonexistent",
        ]),
        1,
    );
    expect(
        sangtrang().args([
            "ledger",
            "rebuild",
            "mappings/ctk-binhthuan.toml",
            "--output",
            "/nonexistent",
        ]),
        1,
    );
}
