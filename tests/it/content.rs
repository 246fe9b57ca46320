//! Content without a mapping: pages written for this, each with what it must give.

use crate::support::{ROOT, expect, sangtrang, shared};
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(ROOT).join("tests/extract")
}

fn content(file: &str) -> Value {
    let output = expect(
        sangtrang()
            .args([
                "--json",
                "inspect",
                "content",
                "--explain",
                "--url",
                "http://portal.example/tin/1.html",
            ])
            .arg(folder().join(file)),
        0,
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn pages_give_what_they_must() {
    let mut seen = 0;
    for entry in std::fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|e| e != "json") {
            continue;
        }
        seen += 1;
        let wanted: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let found = content(&format!("{name}.html"));
        for key in ["title", "date", "author"] {
            assert_eq!(found[key], wanted[key], "{name}: {key}");
        }
        let lines: Vec<&str> = found["text"].as_str().unwrap().lines().collect();
        let wanted: Vec<&str> = wanted["text"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        assert_eq!(lines, wanted, "{name}");
        assert_eq!(found["accounting"]["unaccounted"], 0, "{name}");
        for block in found["blocks"].as_array().unwrap() {
            assert!(
                block["rule"].as_str().unwrap().starts_with("auto:"),
                "{name}: {block}"
            );
            assert!(!block["reason"].as_str().unwrap().is_empty(), "{name}: {block}");
        }
    }
    assert!(seen >= 7, "{seen} pages");
}

#[test]
fn captions_stay_with_their_pictures() {
    let html = content("news.html")["html"].as_str().unwrap().to_owned();
    let figure = html.split("<figure>").nth(1).unwrap();
    assert!(
        figure.contains("/anh/lua.jpg") && figure.contains("Ảnh: Trần Lan"),
        "{html}"
    );
    let html = content("gallery.html")["html"].as_str().unwrap().to_owned();
    assert_eq!(html.matches("<figcaption>").count(), 3, "{html}");
}

#[test]
fn nothing_of_the_portal_stays_in_a_page_made_by_word() {
    let found = content("word.html");
    let html = found["html"].as_str().unwrap();
    for chrome in [
        "Trang chủ",
        "TIN HOẠT ĐỘNG NGÀNH",
        "TIN TỨC CÙNG LOẠI",
        "Trang:",
        "Bản quyền",
    ] {
        assert!(!html.contains(chrome), "{chrome}: {html}");
    }
    assert!(
        html.contains("<li>") && html.contains("rowspan") && html.contains("<sup>2</sup>"),
        "{html}"
    );
}

#[test]
fn a_scope_that_is_found_gives_a_document_with_accounting() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("auto.toml");
    let text = r#"
schema = 1
[site]
id = "auto"
base = "http://portal.example"
[[collection]]
id = "tin"
match = { url = '^/tin/' }
scope = { container = ["div.khong-co", "@auto"] }
"#;
    std::fs::write(&mapping, text).unwrap();
    let output = expect(
        sangtrang()
            .args(["--json", "try"])
            .arg(&mapping)
            .arg(self::folder().join("news.html"))
            .args(["--url", "http://portal.example/tin/1.html"]),
        0,
    );
    let shown: Value = serde_json::from_slice(&output.stdout).unwrap();
    let document = shown
        .pointer("/documents/0")
        .or_else(|| shown.get("document"))
        .unwrap_or(&shown);
    assert_eq!(document["title"], "Giá lúa hè thu tăng trở lại");
    assert_eq!(document["byline"]["raw"], "Trần Thị Lan");
    assert_eq!(
        document["dates"]["published"]["value"],
        "2024-07-19T08:30:00+07:00"
    );
    let sum = &document["accounting"];
    assert_eq!(sum["unaccounted"], 0, "{sum}");
    assert_eq!(
        sum["visible"].as_u64(),
        Some(sum["kept"].as_u64().unwrap() + sum["dropped"].as_u64().unwrap())
    );
    let provenance = &document["provenance"]["fields"]["title"];
    assert_eq!(provenance["rule"], "auto:title");
    assert!(provenance["confidence"].as_f64().unwrap() < 1.0);
    let rules: Vec<&str> = document["dropped"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|d| d["rule"].as_str())
        .collect();
    for rule in ["auto:related", "auto:comments", "auto:navigation"] {
        assert!(rules.contains(&rule), "{rule} of {rules:?}");
    }
}

#[test]
fn a_file_that_is_not_there_is_told_and_the_others_go_on() {
    let output = expect(
        sangtrang()
            .args(["--json", "inspect", "content"])
            .arg(folder().join("docs.html"))
            .arg(folder().join("none.html")),
        4,
    );
    let lines: Vec<Value> = output
        .stdout
        .split(|b| *b == b'\n')
        .filter_map(|l| serde_json::from_slice(l).ok())
        .collect();
    assert_eq!(lines[0]["title"], "Rotating log files");
    assert!(lines[1]["error"].is_string());
}

#[test]
fn short_pages_of_a_real_portal_are_not_lost() {
    let Some(folder) = shared("data/portals/hanoi") else {
        return;
    };
    let mut pages: Vec<PathBuf> = crate::support::files(&folder)
        .into_iter()
        .filter(|p| p.extension().is_some_and(|e| e == "html"))
        .map(|p| folder.join(p))
        .collect();
    pages.truncate(20);
    let output = expect(sangtrang().args(["--json", "inspect", "content"]).args(&pages), 0);
    for line in output.stdout.split(|b| *b == b'\n').filter(|l| !l.is_empty()) {
        let page: Value = serde_json::from_slice(line).unwrap();
        assert_eq!(page["accounting"]["unaccounted"], 0, "{}", page["id"]);
    }
}

#[test]
fn a_file_that_is_not_there_is_said_so() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["inspect", "no.html"][..],
        &["inspect", "no.html", "--find", "x"],
        &["mapping", "import", "no.html"],
    ] {
        let output = expect(sangtrang().current_dir(dir.path()).args(args), 2);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("there is no file `no.html`"), "{args:?}: {told}");
    }
    // A misspelt name is not asked of the site.
    let mapping = dir.path().join("m.toml");
    std::fs::write(
        &mapping,
        "schema = 1\n[site]\nid = \"x\"\nbase = \"http://127.0.0.1:9/\"\n",
    )
    .unwrap();
    let output = expect(
        sangtrang()
            .current_dir(dir.path())
            .args(["try", "m.toml", "no.html"]),
        2,
    );
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("there is no file `no.html`"), "{told}");
}
