//! The loop of whoever writes a mapping: test, accept, compare, watch, find, import.

use crate::support::{expect, sangtrang, text};
use serde_json::{Value, json};
use std::path::Path;

const MAPPING: &str = r#"
schema = 1
[site]
id = "tin"
base = "http://tin.example"
[[collection]]
id = "news"
match = { url = '^/tin/' }
key = "{path}"
scope = { container = ["div.noidung"] }
[collection.fields.title]
take = [{ css = "h1" }]
required = true
[collection.fields."dates.published"]
take = [{ css = "span.ngay" }]
[[collection.drop]]
id = "frame"
outside = true
[[collection.example]]
capture = "mot.html"
url = "/tin/1"
expect = "mot.json"
"#;

fn article(title: &str, date: &str, paragraphs: &[&str]) -> String {
    let body: String = paragraphs.iter().map(|p| format!("<p>{p}</p>")).collect();
    format!(
        "<html><head><meta charset=utf-8><title>x</title></head><body><div id=menu>Trang chủ</div><h1>{title}</h1>\
         <span class=ngay>{date}</span><div class=noidung>{body}</div></body></html>"
    )
}

/// A folder with a mapping and the page of its example.
fn authored() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("tin.toml"), MAPPING).unwrap();
    let page = article(
        "Hội nghị sơ kết công tác thi đua",
        "14/07/2023",
        &[
            "Đoạn thứ nhất của bài viết này.",
            "Đoạn thứ hai của bài viết này.",
        ],
    );
    std::fs::write(folder.path().join("mot.html"), page).unwrap();
    folder
}

fn read(path: impl AsRef<Path>) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn test(folder: &Path, more: &[&str], code: i32) -> (Vec<Value>, String) {
    let mut command = sangtrang();
    command
        .args(["--json", "test"])
        .arg(folder.join("tin.toml"))
        .args(more);
    let output = expect(&mut command, code);
    let lines = text(&output.stdout);
    let lines = lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    (lines, text(&output.stderr))
}

#[test]
fn what_a_mapping_gives_is_shown_beside_what_is_expected_and_accepted_on_request() {
    let folder = authored();
    let file = folder.path().join("mot.json");
    // Nothing is expected yet: told, and nothing written.
    let (lines, said) = test(folder.path(), &[], 4);
    assert!(said.contains("nothing is expected yet"), "{said}");
    assert_eq!(lines[0]["ok"], false);
    assert!(!file.exists());
    test(folder.path(), &["--accept"], 0);
    test(folder.path(), &[], 0);
    let whole = read(&file);
    assert_eq!(whole["title"], "Hội nghị sơ kết công tác thi đua");
    assert_eq!(whole["body"].as_array().unwrap().len(), 2);
    assert_eq!(whole["accounting"], json!({ "unaccounted": 0 }));

    // Somebody expects a part, and another thing.
    let part = json!({
        "title": "Hội nghị tổng kết công tác thi đua",
        "dates": { "published": { "value": "2023-07-15" } },
        "body": [
            { "kind": "paragraph", "text": "Đoạn thứ nhất của bài viết này." },
            { "kind": "paragraph", "text": "Một đoạn hoàn toàn khác." },
            { "kind": "paragraph", "text": "Đoạn thứ hai của bài viết này." },
        ],
    });
    let before = part.to_string();
    std::fs::write(&file, &before).unwrap();
    let (lines, said) = test(folder.path(), &[], 4);
    let names: Vec<&str> = lines[0]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["title", "dates.published.value", "body[1]"]);
    assert!(
        said.contains("~ Hội nghị [-tổng-]{+sơ+} kết công tác thi đua"),
        "{said}"
    );
    assert!(said.contains("~ 2023-07-[-15-]{+14+}"), "{said}");
    assert!(said.contains("- paragraph: Một đoạn hoàn toàn khác."), "{said}");
    let (_, said) = test(folder.path(), &["--accept", "-n"], 0);
    assert!(said.contains("Would accept"), "{said}");
    assert_eq!(
        std::fs::read_to_string(&file).unwrap(),
        before,
        "-n writes nothing"
    );

    let (lines, _) = test(folder.path(), &["--accept"], 0);
    assert_eq!(lines[0]["accepted"], true);
    // What was left free stays free.
    assert_eq!(
        read(&file),
        json!({
            "title": "Hội nghị sơ kết công tác thi đua",
            "dates": { "published": { "value": "2023-07-14" } },
            "body": [
                { "kind": "paragraph", "text": "Đoạn thứ nhất của bài viết này." },
                { "kind": "paragraph", "text": "Đoạn thứ hai của bài viết này." },
            ],
        })
    );
    let (lines, _) = test(folder.path(), &["--accept"], 0);
    assert_eq!(lines[1]["accepted"], 0, "nothing is left to accept");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        3,
        "no unfinished file stays"
    );
}

#[test]
fn an_example_that_does_not_run_is_never_accepted_and_the_others_go_on() {
    let folder = authored();
    let more = "[[collection.example]]\ncapture = \"hai.html\"\nurl = \"/tin/2\"\nexpect = \"hai.json\"\n\
                [[collection.example]]\ncapture = \"mot.html\"\nurl = \"/khac/1\"\nexpect = \"khac.json\"\n";
    std::fs::write(folder.path().join("tin.toml"), format!("{MAPPING}{more}")).unwrap();
    let (lines, said) = test(folder.path(), &["--accept"], 4);
    assert_eq!(lines.last().unwrap()["accepted"], 1, "{said}");
    assert_eq!(lines.last().unwrap()["failed"], 2, "{said}");
    assert!(
        said.contains("hai.html") && said.contains("belongs to no collection")
            || said.contains("no collection"),
        "{said}"
    );
    assert!(folder.path().join("mot.json").exists());
    assert!(!folder.path().join("hai.json").exists() && !folder.path().join("khac.json").exists());
}
