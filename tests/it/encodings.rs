//! Pages as legacy portals wrote them, read by the binary: one article in twenty encodings, and pages that are none.

use crate::support::{ROOT, Server, expect, run_bundled, sangtrang, text};
use sangtrang::demo::Portal;
use serde_json::Value;
use std::path::PathBuf;

fn folder() -> PathBuf {
    PathBuf::from(ROOT).join("tests/encodings")
}

fn index() -> Vec<Value> {
    let index = std::fs::read(folder().join("index.json")).unwrap();
    serde_json::from_slice(&index).unwrap()
}

fn tried(file: &str) -> Value {
    let output = expect(
        sangtrang()
            .args(["--json", "try"])
            .arg(folder().join("mapping.toml"))
            .arg(folder().join(file))
            .args(["--url", &format!("http://portal.example/{file}")]),
        0,
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn inspected(file: &str) -> Value {
    let output = expect(
        sangtrang().args(["--json", "inspect"]).arg(folder().join(file)),
        0,
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

/// Programs that wrote TCVN3 had one byte for a letter with a tone, small or capital: `¶nh` is Ảnh and ảnh. What a text
/// in small letters meant cannot be known from its bytes.
fn lossy(file: &str, text: &str) -> String {
    if file.starts_with("seed_tcvn3") || file.starts_with("seed_mixed") {
        text.replace("Ảnh", "ảnh")
    } else {
        text.to_owned()
    }
}

#[test]
fn every_article_comes_out_the_same() {
    let mut seen = 0;
    for page in index() {
        let file = page["file"].as_str().unwrap();
        let wanted = &page["expected"];
        if wanted["title"].is_null() {
            continue;
        }
        seen += 1;
        let tried = tried(file);
        let document = &tried["documents"][0];
        let blocks: Vec<&Value> = document["body"].as_array().unwrap().iter().collect();
        assert_eq!(document["title"], wanted["title"], "{file}");
        assert_eq!(document["accounting"]["unaccounted"], 0, "{file}");
        // Nobody describes the pictures of these pages; no other gate has anything to say.
        let gates = document["quality"]["gates"].as_array().unwrap();
        assert!(gates.iter().all(|g| g["id"] == "alt-text"), "{file}: {gates:?}");
        assert!(document["provenance"]["decode"]["undecided"].is_null(), "{file}");
        assert_eq!(document["byline"]["raw"], wanted["author"], "{file}");
        let summary = document["summary"].as_str();
        let paragraphs: Vec<&str> = summary
            .into_iter()
            .chain(blocks.iter().filter_map(|b| b["text"].as_str()))
            .filter(|p| wanted["note"] != **p && wanted["menu"] != **p)
            .collect();
        assert_eq!(paragraphs, strings(&wanted["paragraphs"]), "{file}");
        // The index names what the article holds; these pages do not show all of it.
        if !file.starts_with("portal_nukeviet") {
            assert_eq!(document["section"]["label"], wanted["category"], "{file}");
            let captions: Vec<String> = blocks
                .iter()
                .filter_map(|b| b["image"]["caption"]["text"].as_str())
                .map(|c| lossy(file, c))
                .collect();
            let expected: Vec<String> = strings(&wanted["captions"])
                .iter()
                .map(|c| lossy(file, c))
                .collect();
            assert_eq!(captions, expected, "{file}");
            assert_eq!(
                document["dates"]["event"]["value"], wanted["event_date"],
                "{file}"
            );
        }
        if let Some(published) = wanted["published"].as_str() {
            assert_eq!(document["dates"]["published"]["value"], published, "{file}");
        }
        if let Some(source) = wanted["source"].as_str() {
            assert_eq!(document["source"], source, "{file}");
        }
        let numbers: Vec<&str> = strings(&wanted["doc_refs"])
            .into_iter()
            .filter(|n| paragraphs.iter().any(|p| p.contains(n)))
            .collect();
        let cited: Vec<&str> = document["citations"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(|c| c["number"].as_str())
            .collect();
        assert_eq!(cited, numbers, "{file}");
        let shown = inspected(file)["lines"].to_string();
        for dropped in strings(&wanted["dropped"])
            .into_iter()
            .filter(|d| shown.contains(d))
        {
            let by_rule = document["dropped"].to_string();
            let kept = blocks.iter().any(|b| b.to_string().contains(dropped));
            assert!(!kept && by_rule.contains("\"rule\""), "{file}: {dropped}");
        }
    }
    assert_eq!(seen, 22);
}

#[test]
fn how_each_page_was_read_is_said() {
    for (file, used, method) in [
        ("seed_utf8_nfc.html", "UTF-8", "meta"),
        ("seed_utf8_declared1252.html", "UTF-8", "valid-utf8"),
        ("seed_windows1258.html", "windows-1258", "meta"),
        ("seed_tcvn3_font_declared1252.html", "TCVN3", "syllables"),
        ("seed_tcvn3_font_declaredutf8.html", "TCVN3", "syllables"),
        ("seed_tcvn3_nofont_nometa.html", "TCVN3", "syllables"),
        ("seed_tcvn3_named_entities_utf8.html", "TCVN3", "syllables"),
        ("seed_vni_nofont.html", "VNI", "syllables"),
        ("seed_viscii.html", "VISCII", "meta"),
        ("seed_vps.html", "VPS", "meta"),
    ] {
        let decode = &inspected(file)["decode"];
        assert_eq!(
            (decode["used"].as_str(), decode["method"].as_str()),
            (Some(used), Some(method)),
            "{file}"
        );
    }
    for (file, repair) in [
        ("seed_double_encoded.html", "utf8-as-windows-1252"),
        ("seed_double_encoded_1258.html", "utf8-as-windows-1258"),
        ("seed_lost_ampersand.html", "lost-ampersand"),
        ("seed_utf8_nfd.html", "nfc"),
        ("seed_utf8_tohop.html", "nfc"),
        ("seed_tcvn3_nofont_nometa.html", "capitals"),
    ] {
        let repairs = &inspected(file)["decode"]["repairs"];
        assert!(strings(repairs).contains(&repair), "{file}: {repairs}");
    }
    let mixed = inspected("seed_mixed_unicode_tcvn3_vni.html");
    let mut sets: Vec<&str> = mixed["decode"]["blocks"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|b| b["used"].as_str())
        .collect();
    sets.sort_unstable();
    sets.dedup();
    assert_eq!(sets, ["TCVN3", "VNI"]);
    for note in ["menu", "note"] {
        let page = index()
            .into_iter()
            .find(|p| p["file"] == "seed_mixed_unicode_tcvn3_vni.html")
            .unwrap();
        let wanted = page["expected"][note].as_str().unwrap().to_owned();
        assert!(mixed["lines"].to_string().contains(&wanted), "{wanted}");
    }
}

#[test]
fn pages_that_are_no_articles() {
    let stub = expect(
        sangtrang()
            .args(["--json", "try"])
            .arg(folder().join("mapping.toml"))
            .arg(folder().join("stub_d1n_cookie.html"))
            .args(["--url", "http://portal.example/seed_stub.html"]),
        1,
    );
    assert!(
        text(&stub.stderr).contains("reject:cookie-stub"),
        "{}",
        text(&stub.stderr)
    );
    let liferay = inspected("pager_liferay.html");
    assert!(
        liferay["lines"]
            .to_string()
            .contains("Hiển thị 1 - 10 of 243 kết quả.")
    );
    let wanted = index()
        .into_iter()
        .find(|p| p["file"] == "pager_liferay.html")
        .unwrap();
    for key in ["next", "last"] {
        let cur = wanted["expected"][key].as_str().unwrap();
        assert!(
            strings(&liferay["links"]).iter().any(|l| l.ends_with(cur)),
            "{cur}"
        );
    }
    let postback = inspected("pager_dopostback.html");
    let wanted = index()
        .into_iter()
        .find(|p| p["file"] == "pager_dopostback.html")
        .unwrap();
    let links: Vec<String> = strings(&wanted["expected"]["event_arguments"])
        .iter()
        .map(|a| {
            format!(
                "javascript:__doPostBack('{}','{a}')",
                wanted["expected"]["event_target"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(strings(&postback["links"]), links);
}

/// Writes a page of the fixture mapping's site.
fn page(folder: &std::path::Path, name: &str, body: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(
        &path,
        [
            b"<html><body><form id=aspnetForm><table><tr><td class=title>T</td></tr><tr><td><p>",
            body,
            b"</p></td></tr></table></form></body></html>",
        ]
        .concat(),
    )
    .unwrap();
    path
}

#[test]
fn an_undecided_block_fails_its_document_and_is_shown() {
    let folder_ = tempfile::tempdir().unwrap();
    let file = page(folder_.path(), "odd.html", b"Ng\xb5y");
    let mut command = sangtrang();
    command
        .arg("try")
        .arg(folder().join("mapping.toml"))
        .arg(&file)
        .args(["--url", "http://portal.example/seed_odd.html"]);
    let tried = expect(&mut command, 4);
    let said = text(&tried.stdout);
    assert!(
        said.contains("gate") && said.contains("undecided") && said.contains("Ng\u{b5}y"),
        "{said}"
    );
    // A mapping may allow it.
    let allowed = folder_.path().join("mapping.toml");
    let mapping = std::fs::read_to_string(folder().join("mapping.toml")).unwrap();
    std::fs::write(
        &allowed,
        format!("{mapping}\n[decode]\nmax_undecided_blocks = 1\n"),
    )
    .unwrap();
    let mut command = sangtrang();
    command.arg("try").arg(&allowed).arg(&file);
    let tried = expect(command.args(["--url", "http://portal.example/seed_odd.html"]), 0);
    assert!(!text(&tried.stdout).contains("gate "));
}

#[test]
fn any_file_is_inspected_and_a_bad_one_hides_no_other() {
    let folder_ = tempfile::tempdir().unwrap();
    let line = "Hội nghị sơ kết công tác thống kê 6 tháng đầu năm";
    let bytes = sangtrang::lang::vietnamese::Charset::Tcvn3.encode(line).unwrap();
    let file = folder_.path().join("plain.txt");
    std::fs::write(&file, [bytes, b"\r\n\r\nascii\r\n".to_vec()].concat()).unwrap();
    let output = expect(
        sangtrang()
            .args(["--json", "inspect", "encoding"])
            .arg(&file)
            .arg(folder_.path().join("absent"))
            .arg(folder().join("seed_vni_font.html")),
        1,
    );
    let seen: Vec<Value> = text(&output.stdout)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(seen.len(), 2);
    assert_eq!(
        (&seen[0]["decode"]["used"], &seen[0]["html"]),
        (&"TCVN3".into(), &false.into())
    );
    assert_eq!(seen[0]["text"], format!("{line}\r\n\r\nascii\r\n"));
    assert!(seen[0]["decode"]["share"].as_f64().unwrap() > 0.9);
    assert_eq!(
        (&seen[1]["decode"]["used"], &seen[1]["html"]),
        (&"VNI".into(), &true.into())
    );
    assert!(text(&output.stderr).contains("absent"));
    expect(sangtrang().args(["inspect", "encoding"]), 2);
    expect(sangtrang().arg("inspect"), 2);
}

#[test]
fn the_table_of_a_portal_counts_every_page() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(Portal::new(120, 7));
    expect(&mut run_bundled(&server, dir.path()), 0);
    let mapping = "mappings/ctk-binhthuan.toml";
    let table = |args: &[&str]| {
        let mut command = sangtrang();
        expect(
            command
                .args(args)
                .arg("encodings")
                .arg(mapping)
                .args(["--limit", "3", "--output"])
                .arg(dir.path()),
            0,
        )
    };
    let output = table(&["--json"]);
    let found: Value = serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(found["schema"], "encodings/1");
    let used = found["used"].as_object().unwrap();
    let pages: u64 = used.values().filter_map(|u| u["pages"].as_u64()).sum();
    assert_eq!(Some(pages), found["pages"].as_u64());
    for set in ["UTF-8", "windows-1258", "TCVN3", "VNI", "VISCII"] {
        assert!(
            used[set]["pages"].as_u64().unwrap() > 0 && used[set]["blocks"].as_u64().unwrap() > 0,
            "{set}"
        );
    }
    assert!(found["worst"].as_array().unwrap().len() <= 3);
    assert!(used.get("undecided").is_none());
    let said = text(&table(&[]).stdout).to_owned();
    assert!(
        said.contains("encoding") && said.contains("VISCII") && said.contains("decided by"),
        "{said}"
    );
    let empty = tempfile::tempdir().unwrap();
    let none = expect(
        sangtrang()
            .arg("encodings")
            .arg(mapping)
            .arg("--output")
            .arg(empty.path()),
        1,
    );
    assert!(text(&none.stderr).contains("there is nothing to read"));
}

/// A gate that stops looking would let a page through that nobody can read.
#[test]
fn what_nothing_decides_fails_the_document_wherever_it_stands() {
    let directory = tempfile::tempdir().unwrap();
    let mapping = directory.path().join("mapping.toml");
    std::fs::write(
        &mapping,
        "schema = 1\n[site]\nid = \"odd\"\nbase = \"http://odd.example/\"\nlanguage = \"vi\"\n\n\
         [[drop]]\nid = \"outside\"\noutside = true\n\n\
         [[collection]]\nid = \"news\"\nmatch = { url = '[.]html$' }\nkey = \"{path}\"\n\n\
         [collection.scope]\ncontainer = [\"#main\"]\n\n\
         [collection.fields.title]\ntake = [{ css = \"title\" }]\n",
    )
    .unwrap();
    let page = |title: &[u8], body: &[u8]| {
        let title = [&b"<title>"[..], title, b"</title>"].concat();
        [&title[..], b"<div id=main>", body, b"</div>"].concat()
    };
    let cases: [(&str, Vec<u8>, i32); 4] = [
        ("plain", page(b"T", b"<p>thuong</p>"), 0),
        ("body", page(b"T", b"<p>Ng\xb5y</p>"), 4),
        (
            "alt",
            page(b"T", b"<p>thuong</p><img src='x.jpg' alt='Ng\xb5y'>"),
            4,
        ),
        ("title", page(b"Ng\xb5y", b"<p>thuong</p>"), 4),
    ];
    for (name, bytes, code) in cases {
        let file = directory.path().join(format!("{name}.html"));
        std::fs::write(&file, bytes).unwrap();
        let url = format!("http://odd.example/{name}.html");
        let run = expect(
            sangtrang()
                .args(["--json", "try"])
                .arg(&mapping)
                .arg(&file)
                .args(["--url", &url]),
            code,
        );
        let said = String::from_utf8_lossy(&run.stdout);
        assert_eq!(said.contains("\"undecided\""), code == 4, "{name}: {said}");
    }
}
