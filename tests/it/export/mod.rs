//! Files of every format, as those read them who will: Hugo itself, PHP with WordPress's parser, YAML, spreadsheets.

mod others;
mod sites;
mod wordpress;

use crate::cms::{MAPPING, change, extracted};
use crate::support::{documents, expect, files, sangtrang, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn export(output: &Path, format: &str, more: &[&str], code: i32) -> Output {
    let mut command = sangtrang();
    command
        .args(["export", MAPPING, "--format", format, "--output"])
        .arg(output)
        .args(more);
    if format == "wxr" && !more.contains(&"--media-url") {
        command.args(["--media-url", "http://files.example/media/"]);
    }
    expect(&mut command, code)
}

fn check(folder: &Path, code: i32) -> Output {
    expect(sangtrang().args(["export", "--check"]).arg(folder), code)
}

fn place(output: &Path, format: &str) -> PathBuf {
    output.join("ctk-binhthuan/export").join(format)
}

fn site(output: &Path) -> PathBuf {
    output.join("ctk-binhthuan")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn lines(path: impl AsRef<Path>) -> Vec<Value> {
    read(path)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// Every file with its bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder)
        .into_iter()
        .map(|f| (f.clone(), std::fs::read(folder.join(&f)).unwrap()))
        .collect()
}

/// Documents that no gate holds.
fn fit(output: &Path) -> Vec<Value> {
    let failed = |d: &Value| {
        d["quality"]["gates"]
            .as_array()
            .unwrap()
            .iter()
            .any(|g| g["level"] == "fail")
    };
    documents(&site(output))
        .into_iter()
        .filter(|d| !failed(d))
        .collect()
}

/// Words of a document's blocks.
fn words_of(document: &Value) -> Vec<String> {
    let document: sangtrang::document::Document = serde_json::from_value(document.clone()).unwrap();
    let texts = document.body.iter().map(|b| b.text());
    texts
        .flat_map(|t| sangtrang::deliver::render::words(&t))
        .collect()
}

/// Words of the first list that the second does not have.
fn missing(meant: Vec<String>, shown: Vec<String>) -> Vec<String> {
    let mut have = BTreeMap::<String, i64>::new();
    for word in shown {
        *have.entry(word).or_default() += 1;
    }
    meant
        .into_iter()
        .filter(|word| {
            let left = have.entry(word.clone()).or_default();
            *left -= 1;
            *left < 0
        })
        .collect()
}

fn media_of(document: &Value) -> Vec<&Value> {
    let all = ["media", "attachments"].map(|k| document[k].as_array().unwrap());
    all.into_iter().flatten().filter(|m| m["state"] == "ok").collect()
}

/// Sections, bold words, lists, spans and hostile text beside what the portal has.
fn enriched(articles: usize) -> tempfile::TempDir {
    let folder = extracted(articles);
    let docs = fit(folder.path());
    let other = docs[1]["id"].as_str().unwrap().to_owned();
    change(folder.path(), docs[0]["source_key"].as_str().unwrap(), |d| {
        let src = serde_json::json!({ "rule": "body", "chars": [0, 0] });
        let cell = |t: &str, span: usize, origin: Option<[usize; 2]>| {
            let mut cell = serde_json::json!({ "content": { "text": t }, "header": false, "rowspan": 1, "colspan": span });
            if let Some(origin) = origin {
                cell["origin"] = serde_json::json!(origin);
            }
            cell
        };
        d["title"] = "Giá <b>& \"lời\" ]]> {{< x >}}: 100%".into();
        let body = d["body"].as_array_mut().unwrap();
        body.push(serde_json::json!({ "kind": "paragraph", "src": src, "text": "]]> {{< figure >}} {% x %} <script>alert(1)</script> *không* _phải_ `mã` # 1. a|b \u{b} cuối" }));
        body.push(serde_json::json!({ "kind": "paragraph", "src": src, "text": "Xem bài khác và bài mất",
            "marks": [{ "kind": "bold", "chars": [0, 3] }, { "kind": "link", "chars": [4, 12], "target": format!("doc:{other}") },
                { "kind": "link", "chars": [16, 23], "target": "doc:00000000-0000-5000-8000-000000000000" }] }));
        body.push(serde_json::json!({ "kind": "table", "src": src, "table": { "caption": null, "units": null, "header_rows": 0, "rows": [
            [cell("gộp hai", 2, None), cell("gộp hai", 1, Some([0, 0]))], [cell("trái", 1, None), cell("phải", 1, None)]] } }));
        d["links"].as_array_mut().unwrap().push(
            serde_json::json!({ "raw": "x", "resolved": "http://www.ctk-binhthuan.example/mat.aspx",
            "kind": "internal", "target": "doc:00000000-0000-5000-8000-000000000000", "text": "bài mất" }),
        );
    });
    folder
}

#[test]
fn jsonl_is_whole_sorted_and_checked_by_its_hashes() {
    let folder = enriched(12);
    export(folder.path(), "jsonl", &[], 0);
    let out = place(folder.path(), "jsonl");
    let written = lines(out.join("documents.jsonl"));
    let keys: Vec<(&str, &str)> = written
        .iter()
        .map(|d| {
            (
                d["collection"].as_str().unwrap(),
                d["source_key"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let mut mine = documents(&site(folder.path()));
    assert_eq!(written.len(), mine.len());
    mine.sort_by_key(|d| d["source_key"].as_str().unwrap().to_owned());
    assert_eq!(written, mine, "documents as they are");
    for medium in written.iter().flat_map(media_of) {
        let hash = &medium["ref"].as_str().unwrap()["media:".len()..];
        let stem = format!("media/{}/{}.", &hash[..2], &hash[2..]);
        let found = files(&out)
            .into_iter()
            .find(|f| f.to_string_lossy().starts_with(&stem))
            .unwrap_or_else(|| panic!("no {stem}"));
        let bytes = std::fs::read(out.join(found)).unwrap();
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), hash);
    }
    let manifest: Value = serde_json::from_str(&read(out.join("manifest.json"))).unwrap();
    assert_eq!(manifest["schema"], "export/1");
    assert_eq!(manifest["summary"]["documents"], written.len());
    let named: BTreeSet<PathBuf> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["path"].as_str().unwrap().into())
        .chain(["manifest.json".into()])
        .collect();
    assert_eq!(
        named,
        files(&out).into_iter().collect(),
        "the manifest names every file"
    );
    let notes = read(out.join("export-notes.jsonl"));
    assert!(
        notes.contains("doc:00000000") && notes.contains("mat.aspx"),
        "{notes}"
    );

    check(&out, 0);
    // Same input, same bytes; nothing is written again.
    let before = tree(&out);
    let said = export(folder.path(), "jsonl", &[], 0);
    assert!(
        text(&said.stderr).contains("0 changed, 0 removed"),
        "{}",
        text(&said.stderr)
    );
    assert_eq!(tree(&out), before);
    // A byte that changed, a file that is gone: both are told.
    let line = out.join("documents.jsonl");
    let mut bytes = std::fs::read(&line).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&line, bytes).unwrap();
    std::fs::remove_file(out.join("export-notes.jsonl")).unwrap();
    let said = check(&out, 4);
    assert!(
        text(&said.stderr).contains("1 missing, 1 changed"),
        "{}",
        text(&said.stderr)
    );
    // The next export puts it right, and leaves alone what is not its own.
    std::fs::write(out.join("own.txt"), "mine").unwrap();
    export(folder.path(), "jsonl", &[], 0);
    check(&out, 0);
    assert_eq!(read(out.join("own.txt")), "mine");
}

#[test]
fn what_is_gone_from_the_portal_is_gone_from_the_export_and_foreign_files_stay() {
    let folder = extracted(12);
    let keys: Vec<String> = fit(folder.path())
        .iter()
        .map(|d| d["source_key"].as_str().unwrap().to_owned())
        .collect();
    let out = folder.path().join("site");
    let dir = out.to_str().unwrap();
    export(folder.path(), "hugo", &["--out", dir], 0);
    let all = files(&out);
    let own = out.join("content/news/mine/index.md");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "mine").unwrap();
    export(
        folder.path(),
        "hugo",
        &["--out", dir, "--only", &keys[0], "--only", &keys[1]],
        0,
    );
    let pages = files(&out)
        .into_iter()
        .filter(|f| f.ends_with("index.md"))
        .count();
    assert_eq!(pages, 3, "two of the export, one of somebody");
    export(folder.path(), "hugo", &["--out", dir], 0);
    let mut again = files(&out);
    again.retain(|f| !f.ends_with("mine/index.md"));
    assert_eq!(again, all);

    // Another format, another site, a folder of somebody, no folder at all.
    let said = export(folder.path(), "zola", &["--out", dir], 6);
    assert!(
        text(&said.stderr).contains("holds an export of `ctk-binhthuan` as `hugo`"),
        "{}",
        text(&said.stderr)
    );
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("notes.txt"), "x").unwrap();
    let said = export(folder.path(), "csv", &["--out", foreign.to_str().unwrap()], 6);
    assert!(text(&said.stderr).contains("notes.txt"), "{}", text(&said.stderr));
    assert_eq!(files(&foreign), [PathBuf::from("notes.txt")]);
    let file = folder.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    let said = export(
        folder.path(),
        "csv",
        &["--out", file.join("below").to_str().unwrap()],
        1,
    );
    assert!(text(&said.stderr).contains("a-file"), "{}", text(&said.stderr));
    let said = export(folder.path(), "csv", &["--only", "nothing-*"], 4);
    assert!(
        text(&said.stderr).contains("nothing to export"),
        "{}",
        text(&said.stderr)
    );
    export(folder.path(), "docx", &[], 2);
    export(folder.path(), "wxr", &["--media-url", "files.example"], 2);
    let empty = tempfile::tempdir().unwrap();
    let said = export(empty.path(), "csv", &[], 1);
    assert!(
        text(&said.stderr).contains("no documents yet"),
        "{}",
        text(&said.stderr)
    );
    let said = check(empty.path(), 2);
    assert!(
        text(&said.stderr).contains("holds no export"),
        "{}",
        text(&said.stderr)
    );

    // A medium that is not what its name says is never passed on; the folder is no export then, until the next one.
    let stored = files(&site(folder.path()).join("media"));
    let medium = site(folder.path()).join("media").join(&stored[0]);
    let bytes = std::fs::read(&medium).unwrap();
    std::fs::write(&medium, b"damaged").unwrap();
    let said = export(folder.path(), "jsonl", &[], 1);
    assert!(
        text(&said.stderr).contains("is not what its name says"),
        "{}",
        text(&said.stderr)
    );
    let out = place(folder.path(), "jsonl");
    assert!(!out.join("manifest.json").exists());
    let said = check(&out, 4);
    assert!(
        text(&said.stderr).contains("was not finished"),
        "{}",
        text(&said.stderr)
    );
    std::fs::write(&medium, bytes).unwrap();
    export(folder.path(), "jsonl", &[], 0);
    check(&out, 0);
}

#[test]
fn an_export_that_is_killed_is_never_taken_for_whole() {
    let folder = extracted(40);
    let out = folder.path().join("out");
    let work = out.join(".sangtrang-export");
    for wait in [0, 5, 20, 60] {
        let mut child = sangtrang()
            .args(["export", MAPPING, "--format", "hugo", "-q", "--output"])
            .arg(folder.path())
            .arg("--out")
            .arg(&out)
            .spawn()
            .unwrap();
        // Killed as soon as so many files of the folder are there, or when it ends by itself.
        while child.try_wait().unwrap().is_none() && files(&out).len() <= wait {
            std::thread::yield_now();
        }
        let ended = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        child.wait().unwrap();
        assert!(
            !out.join("manifest.json").exists() || ended || !work.join("journal").exists() || {
                // Whole, but the journal could not be removed any more.
                check(&out, 0);
                true
            }
        );
    }
    export(folder.path(), "hugo", &["--out", out.to_str().unwrap()], 0);
    check(&out, 0);
    assert!(!work.exists());
    let fresh = folder.path().join("fresh");
    export(folder.path(), "hugo", &["--out", fresh.to_str().unwrap()], 0);
    assert_eq!(tree(&out), tree(&fresh));
}
