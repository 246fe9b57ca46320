//! The desk: help, schemas, checks, one page, one URL.

use crate::support::{ROOT, Server, documents, expect, run_bundled, sangtrang, text};
use sangtrang::demo::Portal;
use serde_json::Value;
use std::path::Path;

#[test]
fn help_is_data_and_a_wrong_command_is_usage() {
    let help = expect(sangtrang().arg("--help"), 0);
    let said = text(&help.stdout);
    for command in [
        "demo",
        "run",
        "crawl",
        "extract",
        "try",
        "check",
        "test",
        "inspect",
        "mapping",
        "encodings",
        "status",
        "freeze",
        "switchover",
        "report",
        "gc",
        "show",
        "schema",
        "completions",
    ] {
        assert!(said.contains(&format!("\n  {command} ")), "{command}\n{said}");
    }
    let wrong = expect(sangtrang().arg("fly"), 2);
    assert!(wrong.stdout.is_empty());
    assert!(text(&wrong.stderr).contains("unrecognized subcommand"));
}

#[test]
fn shipped_mappings_are_valid_and_their_examples_pass() {
    for entry in std::fs::read_dir(Path::new(ROOT).join("mappings")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "toml") {
            expect(sangtrang().arg("check").arg(&path), 0);
            let output = expect(sangtrang().args(["--json", "test"]).arg(&path), 0);
            let last: Value = serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
            assert_eq!(last["failed"], 0);
            assert!(
                last["passed"].as_u64().unwrap() > 0,
                "{} has no example",
                path.display()
            );
        }
    }
}

#[test]
fn schemas_are_schemas() {
    for which in ["document", "mapping", "mapping-diff", "report"] {
        let output = expect(sangtrang().args(["schema", which]), 0);
        let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
    }
}

#[test]
fn shells_get_their_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let output = expect(sangtrang().args(["completions", shell]), 0);
        assert!(text(&output.stdout).contains("sangtrang"));
    }
}

#[test]
fn one_page_can_be_tried_explained_shown_and_inspected() {
    let server = Server::start(Portal::new(12, 1));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let all = documents(&folder.path().join("ctk-binhthuan"));
    let url = all[0]["provenance"]["fetch"]["requested"].as_str().unwrap();

    let tried = expect(
        sangtrang()
            .args([
                "--json",
                "try",
                "mappings/ctk-binhthuan.toml",
                url,
                "--explain",
                "title",
            ])
            .args(["--connect-to", &server.connect_to()]),
        0,
    );
    let tried: Value = serde_json::from_slice(&tried.stdout).unwrap();
    assert_eq!(tried["documents"][0]["title"], all[0]["title"]);
    assert!(
        tried["explain"].as_array().is_some_and(|rungs| !rungs.is_empty()),
        "{tried}"
    );

    let for_people = expect(
        sangtrang().args([
            "try",
            "mappings/ctk-binhthuan.toml",
            url,
            "--explain",
            "title",
            "--connect-to",
            &server.connect_to(),
        ]),
        0,
    );
    let said = text(&for_people.stdout);
    assert!(
        said.contains(all[0]["title"].as_str().unwrap()) && said.contains("unaccounted"),
        "{said}"
    );

    for what in [url, all[0]["id"].as_str().unwrap()] {
        let shown = expect(
            sangtrang()
                .args(["--json", "show", what, "--output"])
                .arg(folder.path()),
            0,
        );
        let shown: Value = serde_json::from_slice(&shown.stdout).unwrap();
        assert_eq!(shown["url"], url, "{shown}");
        assert_eq!(shown["document"]["id"], all[0]["id"]);
    }
    let unknown = expect(
        sangtrang()
            .args(["show", "http://ctk-binhthuan.example/nowhere", "--output"])
            .arg(folder.path()),
        1,
    );
    assert!(text(&unknown.stderr).contains("nowhere"));

    let status = expect(
        sangtrang()
            .args(["--json", "status", "--output"])
            .arg(folder.path()),
        0,
    );
    let status: Value = serde_json::from_str(text(&status.stdout).lines().next().unwrap()).unwrap();
    assert_eq!(status["site"], "ctk-binhthuan");
    assert_eq!(status["documents"], 12);

    let page = folder.path().join("page.html");
    std::fs::write(
        &page,
        "<title>T</title><body><h1>Tiêu đề</h1><p>Một dòng.</p><script>x()</script>",
    )
    .unwrap();
    let inspected = expect(sangtrang().args(["--json", "inspect"]).arg(&page), 0);
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!(inspected["decode"]["used"], "UTF-8");
    assert_eq!(inspected["lines"], serde_json::json!(["Tiêu đề", "Một dòng."]));
}

#[test]
fn a_limit_says_so_and_the_same_command_continues() {
    let server = Server::start(Portal::new(12, 1));
    let folder = tempfile::tempdir().unwrap();
    expect(run_bundled(&server, folder.path()).args(["--limit", "5"]), 9);
    expect(&mut run_bundled(&server, folder.path()), 0);
    assert_eq!(documents(&folder.path().join("ctk-binhthuan")).len(), 12);
}
