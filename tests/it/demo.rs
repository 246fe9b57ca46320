//! The main job, end to end: `sangtrang demo` against the portal's truth, and the seed against what it must hold.

use crate::support::{Server, documents, expect, files, run_bundled, sangtrang, shared, text};
use sangtrang::demo::{Portal, compare};
use serde_json::Value;
use std::collections::BTreeMap;

#[test]
fn the_demo_ends_equal_to_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let output = expect(
        sangtrang()
            .args(["--json", "demo", "--articles", "60", "--output"])
            .arg(folder.path()),
        0,
    );
    let last: Value = serde_json::from_str(text(&output.stdout).lines().last().unwrap()).unwrap();
    assert_eq!(last["type"], "demo");
    assert_eq!(last["articles"], 60);
    assert_eq!(last["equal"], 60);
    assert_eq!(last["unaccounted"], 0);
    assert_eq!(last["differences"], Value::Array(Vec::new()));

    let site = folder.path().join("ctk-binhthuan");
    for name in ["ledger.db", "run.json", "report.txt", "documents.jsonl"] {
        assert!(site.join(name).is_file(), "{name} is missing");
    }
    assert!(
        files(&site)
            .iter()
            .all(|f| !f.to_string_lossy().contains(".part-"))
    );
}

/// The same comparison, made here and not by the command, over every article of a larger portal.
#[test]
fn every_field_of_every_article_equals_the_truth() {
    let server = Server::start(Portal::new(200, 7));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let site = folder.path().join("ctk-binhthuan");
    let validator = jsonschema::validator_for(&sangtrang::document::document_schema()).unwrap();
    let mut by_key = std::collections::BTreeMap::new();
    for document in documents(&site) {
        if let Some(error) = validator.iter_errors(&document).next() {
            panic!(
                "{} does not fit the schema: {error} at {}",
                document["source_key"],
                error.instance_path()
            );
        }
        by_key.insert(document["source_key"].as_str().unwrap().to_owned(), document);
    }
    legacy_pages_say_how_they_were_read(by_key.values());
    let mut wrong = Vec::new();
    let mut count = 0;
    for gold in server.portal.gold() {
        count += 1;
        let Some(found) = by_key.remove(&gold.document.source_key) else {
            wrong.push(format!("{}: no document", gold.document.source_key));
            continue;
        };
        assert_eq!(
            found["accounting"]["unaccounted"], 0,
            "{}",
            gold.document.source_key
        );
        let spellings: std::collections::BTreeSet<&String> = gold.aliases.iter().chain([&gold.url]).collect();
        assert_eq!(
            found["redirects"]["from"],
            serde_json::json!(spellings),
            "{}",
            gold.url
        );
        assert_eq!(found["provenance"]["fetch"]["requested"], gold.url);
        let found = serde_json::from_value(found).unwrap();
        for d in compare(&gold.document, &found).unwrap() {
            wrong.push(format!(
                "{}{}: expected {}, found {}",
                gold.document.source_key, d.field, d.expected, d.found
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differences:\n{}",
        wrong.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
    assert_eq!(count, 200);
    assert!(
        by_key.is_empty(),
        "documents that the truth does not know: {:?}",
        by_key.keys()
    );
}

/// Articles from before Unicode are among them, and their records name sets, fonts and repairs.
fn legacy_pages_say_how_they_were_read<'a>(documents: impl Iterator<Item = &'a Value>) {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for document in documents {
        let decode = &document["provenance"]["decode"];
        assert_eq!(decode["undecided"].as_u64().unwrap_or(0), 0, "{decode}");
        let blocks = decode["blocks"].as_array().into_iter().flatten();
        let said = [&decode["used"]]
            .into_iter()
            .chain(decode["repairs"].as_array().into_iter().flatten())
            .chain(blocks.map(|b| &b["font"]))
            .filter_map(Value::as_str);
        for name in said.collect::<std::collections::BTreeSet<_>>() {
            *seen.entry(name.to_owned()).or_default() += 1;
        }
    }
    for (name, documents) in [
        ("TCVN3", 5),
        ("VNI", 1),
        ("VISCII", 2),
        ("windows-1252", 1),
        ("windows-1258", 23),
        (".VnTimeH", 6),
        ("VNI-Times", 2),
        ("utf8-as-windows-1252", 1),
        ("lost-ampersand", 1),
    ] {
        let found = seen.get(name).copied().unwrap_or(0);
        assert_eq!(found, documents, "{name}: {seen:?}");
    }
}

#[test]
fn the_seed_holds_what_it_must() {
    let Some(path) = shared("seed/expected.json") else {
        return;
    };
    let expected: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let server = Server::start(Portal::new(1, 1));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let all = documents(&folder.path().join("ctk-binhthuan"));
    let [document] = &all[..] else {
        panic!("{} documents", all.len())
    };
    for field in ["language", "title"] {
        assert_eq!(document[field], expected[field]);
    }
    assert_eq!(document["section"]["label"], expected["section"]["label"]);
    assert_eq!(document["byline"]["raw"], expected["byline"]["raw"]);
    for key in ["value", "precision", "raw"] {
        assert_eq!(document["dates"]["event"][key], expected["dates"]["event"][key]);
    }
    let published = &document["provenance"]["fields"]["dates.published"];
    assert_eq!(
        published["method"], "listing",
        "the page does not say when it was published: {published}"
    );

    let body = document["body"].as_array().unwrap();
    let blocks = expected["body"].as_array().unwrap();
    assert_eq!(body.len(), blocks.len());
    for (found, wanted) in body.iter().zip(blocks) {
        assert_eq!(found["kind"], wanted["kind"]);
        if wanted["kind"] == "gallery" {
            assert_eq!(found["lead"], wanted["lead"]);
            let captions: Vec<&Value> = found["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|i| &i["caption"]["text"])
                .filter(|c| !c.is_null())
                .collect();
            assert_eq!(
                captions,
                wanted["captions"].as_array().unwrap().iter().collect::<Vec<_>>()
            );
        } else {
            assert_eq!(found["text"], wanted["text"]);
        }
    }
    let citations: Vec<[&Value; 3]> = document["citations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| [&c["kind"], &c["number"], &c["date"]])
        .collect();
    let wanted: Vec<[&Value; 3]> = expected["citations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| [&c["kind"], &c["number"], &c["date"]])
        .collect();
    assert_eq!(citations, wanted);
    for wanted in expected["dropped"].as_array().unwrap() {
        let found = document["dropped"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["rule"] == wanted["rule"] && d["text"] == wanted["text"]);
        assert!(found, "dropped {wanted}");
    }
    assert_eq!(
        document["accounting"]["unaccounted"],
        expected["accounting"]["unaccounted"]
    );
}

#[test]
fn a_second_run_changes_no_byte_and_asks_for_nothing_twice() {
    let server = Server::start(Portal::new(30, 1).recording());
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let site = folder.path().join("ctk-binhthuan");
    let snapshot = || -> Vec<(std::path::PathBuf, Vec<u8>)> {
        files(&site)
            .into_iter()
            .filter(|f| {
                f.starts_with("documents") || f.starts_with("media") || f.as_os_str() == "documents.jsonl"
            })
            .map(|f| (f.clone(), std::fs::read(site.join(&f)).unwrap()))
            .collect()
    };
    let (before, asked) = (snapshot(), server.portal.requests().len());
    assert!(before.len() > 30);
    expect(&mut run_bundled(&server, folder.path()), 0);
    assert_eq!(before, snapshot());
    let again: Vec<String> = server.portal.requests()[asked..]
        .iter()
        .map(|r| r.url.clone())
        .filter(|u| u != "/robots.txt")
        .collect();
    assert!(again.is_empty(), "asked again: {again:?}");

    // Offline from the archive: the portal is gone.
    drop(server);
    expect(
        sangtrang()
            .args(["extract", "mappings/ctk-binhthuan.toml", "--output"])
            .arg(folder.path()),
        0,
    );
    assert_eq!(before, snapshot());
}

#[test]
fn warcio_accepts_the_archive() {
    let server = Server::start(Portal::new(30, 1));
    let folder = tempfile::tempdir().unwrap();
    expect(&mut run_bundled(&server, folder.path()), 0);
    let archive = folder.path().join("ctk-binhthuan/archive");
    let mut command = std::process::Command::new("warcio");
    command
        .arg("check")
        .args(files(&archive).iter().map(|f| archive.join(f)));
    match command.output() {
        Ok(output) => assert!(
            output.status.success(),
            "{}{}",
            text(&output.stdout),
            text(&output.stderr)
        ),
        Err(_) => eprintln!("SKIPPED: warcio is not on the PATH (pip install warcio)"),
    }
}

/// The same portal on a bad day: a storm of 503, a wall of cookies, a drip, answers that break off or lie, a challenge, a
/// login, two spaces without an end. Every article comes, equal to the truth.
#[test]
fn a_bad_day_of_the_portal_costs_no_article_and_is_named() {
    let server = Server::start(Portal::new(60, 21).recording().faulty());
    let folder = tempfile::tempdir().unwrap();
    // The challenge and the login are failures that a person must see.
    let said = expect(&mut run_bundled(&server, folder.path()), 4);
    let site = folder.path().join("ctk-binhthuan");
    let truths: BTreeMap<String, _> = server
        .portal
        .gold()
        .map(|g| (g.document.source_key.clone(), g.document))
        .collect();
    let found = documents(&site);
    assert_eq!(found.len(), truths.len(), "{}", text(&said.stderr));
    for document in found {
        let key = document["source_key"].as_str().unwrap().to_owned();
        let document = serde_json::from_value(document).unwrap();
        assert_eq!(compare(&truths[&key], &document).unwrap(), [], "{key}");
    }
    let log = server.portal.requests();
    let count = |part: &str| {
        log.iter()
            .filter(|r| r.url.to_ascii_lowercase().contains(part))
            .count()
    };
    assert_eq!(log.iter().filter(|r| r.status == 503).count(), 5);
    // Twice: before and behind the wall; what broke off or lied.
    for id in [12, 20, 24] {
        let asked = log
            .iter()
            .filter(|r| r.url.ends_with(&format!("ItemID={id}")) && r.status != 503);
        assert_eq!(asked.count(), 2, "article {id}");
    }
    assert!(
        count("/lich/") <= 60 && count("/tai-lieu/") <= 5,
        "{} {}",
        count("/lich/"),
        count("/tai-lieu/")
    );
    let report = std::fs::read_to_string(site.join("report.txt")).unwrap();
    for line in [
        "trap /lich/#: stopped by same-content",
        "trap /tai-lieu/van-ban/: stopped by repeated-segments",
        "known:login-form http://ctk-binhthuan.example/noi-bo",
        "known:cookie-stub http://ctk-binhthuan.example/thong-ke-truy-cap",
    ] {
        assert!(report.contains(line), "{line}\n{report}");
    }
}
