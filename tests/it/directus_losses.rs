//! What Directus drops without a word, refuses, or counts: each is noticed.

use crate::cms::{Cms, MAPPING, change, extracted};
use crate::directus::{Directus, id_of};
use crate::site::Site;
use crate::support::{documents, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

#[test]
fn each_silent_loss_in_directus_is_found() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    let articles = cms.articles();
    let body = |a: &Value| a["body"].as_str().unwrap().to_owned();
    let with_link = articles.iter().position(|a| body(a).contains("<a href")).unwrap();
    let with_picture = articles.iter().position(|a| body(a).contains("<img")).unwrap();
    let signed = articles.iter().position(|a| !a["signature"].is_null()).unwrap();
    let mut free = (0..articles.len()).filter(|i| ![with_link, with_picture, signed].contains(i));
    let mut meant: BTreeSet<(String, String)> = BTreeSet::new();
    let mut break_one = |at: usize, field: &str, body: Value| {
        let id = articles[at]["id"].as_str().unwrap();
        let now = cms.edit(&format!("items/articles/{id}"), &body);
        meant.insert((field.to_owned(), id.to_owned()));
        now
    };
    let mut next = || free.next().unwrap();
    // 200, and the date is gone: what Directus does with a date that is written otherwise, when an item is made.
    let dated = articles[next()].clone();
    let id = dated["id"].as_str().unwrap().to_owned();
    cms.ask("DELETE", &format!("items/articles/{id}"), None);
    let mut otherwise = dated;
    otherwise["published_at"] = "02/03/2015".into();
    let now = cms.make("items/articles", &otherwise);
    assert!(now["published_at"].is_null(), "{now}");
    break_one(
        next(),
        "date",
        json!({ "published_at": "2015-03-02T00:00:00+07:00" }),
    );
    break_one(next(), "title", json!({ "title": "x" }));
    break_one(next(), "state", json!({ "status": "draft" }));
    break_one(next(), "slug", json!({ "slug": "khac" }));
    break_one(next(), "categories", json!({ "categories": null }));
    break_one(signed, "signature", json!({ "signature": null }));
    break_one(next(), "legacy_from", json!({ "legacy_from": [] }));
    let unlinked = regex::Regex::new("<a href=[^>]*>(.*?)</a>").unwrap();
    let plain = unlinked
        .replace_all(&body(&articles[with_link]), "$1")
        .into_owned();
    break_one(with_link, "links", json!({ "body": plain }));
    let moved = body(&articles[with_picture]).replacen("src=\"", "src=\"/khac", 1);
    break_one(with_picture, "pictures", json!({ "body": moved }));
    let at = next();
    let text_of = body(&articles[at]);
    let word = text_of
        .split("<p>")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    break_one(at, "text", json!({ "body": text_of.replacen(&word, "", 1) }));
    // An unknown field is dropped with a success: that is why `plan` asks for the fields before.
    let gone = next();
    let now = cms.edit(
        &format!("items/articles/{}", articles[gone]["id"].as_str().unwrap()),
        &json!({ "no_such_field": "x" }),
    );
    assert!(now.get("no_such_field").is_none());
    meant.insert(("date".into(), id));
    let id = articles[gone]["id"].as_str().unwrap().to_owned();
    cms.ask("DELETE", &format!("items/articles/{id}"), None);
    meant.insert(("missing".into(), id));
    let terms = cms.get("items/categories?limit=-1");
    let term = terms[0]["id"].as_str().unwrap();
    cms.edit(&format!("items/categories/{term}"), &json!({ "name": "khác" }));
    meant.insert(("name".into(), term.into()));
    let files = cms.get("files?limit=-1&sort=id");
    let name = |f: &Value, of: &str| f[of].as_str().unwrap().to_owned();
    let disk = |f: &Value| cms.root.join("uploads").join(name(f, "filename_disk"));
    std::fs::write(disk(&files[0]), b"other bytes").unwrap();
    std::fs::remove_file(disk(&files[1])).unwrap();
    meant.insert(("bytes".into(), name(&files[0], "id")));
    meant.insert(("bytes".into(), name(&files[1], "id")));
    cms.edit(
        &format!("files/{}", name(&files[2], "id")),
        &json!({ "title": "khác" }),
    );
    meant.insert(("title".into(), name(&files[2], "id")));
    cms.ask("DELETE", &format!("files/{}", name(&files[3], "id")), None);
    meant.insert(("missing".into(), name(&files[3], "id")));
    let found = site.verify(4);
    for one in &meant {
        assert!(found.contains(one), "{one:?} is not among {found:#?}");
    }
    // What was not touched is not named, but for the cover of a file that is gone.
    let touched: BTreeSet<&String> = meant.iter().map(|m| &m.1).collect();
    let more: Vec<_> = found
        .iter()
        .filter(|f| !touched.contains(&f.1) && f.0 != "cover")
        .collect();
    assert!(more.is_empty(), "{more:#?}");
}

/// The sink itself, as the program makes it.
fn sink(cms: &Directus, folder: &Path) -> sangtrang::deliver::sink::directus::Directus {
    let file = cms.target_at(folder, &cms.base, "");
    let target = sangtrang::mapping::Mapping::load_target(&file).unwrap();
    sangtrang::deliver::sink::directus::Directus::new(&target, "static-admin-token-0001".into()).unwrap()
}

#[test]
fn a_write_to_what_vanished_is_no_success() {
    use sangtrang::deliver::sink::Sink as _;
    let Some(cms) = Directus::empty() else { return };
    let folder = tempfile::tempdir().unwrap();
    let id = "22222222-2222-4222-8222-222222222222";
    // The server's own word for it: no content, and that is a success.
    let (status, _) = cms.ask(
        "PATCH",
        &format!("items/articles/{id}"),
        Some(&json!({ "title": "x" })),
    );
    assert_eq!(status, 204);
    let fields = [("title".to_owned(), json!("x"))].into_iter().collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let wrote = runtime.block_on(async {
        let sink = sink(&cms, folder.path());
        sink.patch(sangtrang::ledger::Kind::Document, "articles", id, &fields)
            .await
    });
    let failure = wrote.unwrap_err();
    assert!(failure.text.contains("names no item"), "{failure}");
}

/// Documents with a paragraph of so many bytes more.
fn swell(output: &Path, key: &str, bytes: usize) {
    change(output, key, |d| {
        let word = "nước ";
        let blocks = d["body"].as_array_mut().unwrap();
        let at = blocks.iter().position(|b| b["kind"] == "paragraph").unwrap();
        let mut more = blocks[at].clone();
        more["text"] = word.repeat(bytes / word.len()).trim().into();
        blocks.insert(at + 1, more);
    });
}

fn quarantined(output: &Path) -> Vec<(PathBuf, Value)> {
    let folder = output.join("ctk-binhthuan/quarantine");
    let mut all: Vec<(PathBuf, Value)> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .map(|f| f.unwrap().path())
        .map(|p| {
            let text = std::fs::read_to_string(&p).unwrap();
            (p, serde_json::from_str(&text).unwrap())
        })
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn limits_of_size_and_rate_are_kept_and_nothing_is_lost_by_them() {
    let Some(cms) = Directus::strict("15", "40kb") else {
        return;
    };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "concurrency = 8\nfloor = \"200ms\"\n");
    // Twelve of about 8 kB are more than one request may hold, one of 60 kB is too much alone.
    let documents = documents(&folder.path().join("ctk-binhthuan"));
    let keys: Vec<&str> = documents
        .iter()
        .map(|d| d["source_key"].as_str().unwrap())
        .collect();
    for key in &keys {
        swell(folder.path(), key, if *key == "news:5" { 60_000 } else { 8_000 });
    }
    site.plan();
    let said = text(
        &site
            .run(&["-vv", "apply", site.plan_file().to_str().unwrap()], 4)
            .stderr,
    );
    assert!(said.contains("too large"), "{said}");
    assert!(
        said.contains("trying again"),
        "no request was one too many: {said}"
    );
    assert_eq!(cms.articles().len(), keys.len() - 1);
    let large = id_of(folder.path(), "news:5");
    assert!(cms.articles().iter().all(|a| a["id"] != json!(large)));
    let kept = quarantined(folder.path());
    assert_eq!(kept.len(), 1);
    let kept = &kept[0].1;
    assert_eq!(
        (&kept["key"], &kept["class"], &kept["status"], &kept["code"]),
        (
            &json!(format!("doc:{large}")),
            &json!("too_large"),
            &json!(400),
            &json!("INVALID_PAYLOAD")
        )
    );
    assert!(kept["sent"]["body"].as_str().unwrap().len() > 60_000);
    assert_eq!(kept["payload"]["source_key"], "news:5");
    assert!(
        kept["answer"]["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("too large")
    );
    // It is planned again only when it is another payload.
    let plan = site.plan();
    assert_eq!(plan["holds"][0]["reason"], "refused");
    assert_eq!(plan["changes"], json!([]));
    swell_back(folder.path(), "news:5");
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    assert_eq!(cms.articles().len(), keys.len());
}

/// Takes the paragraph out again.
fn swell_back(output: &Path, key: &str) {
    change(output, key, |d| {
        let blocks = d["body"].as_array_mut().unwrap();
        blocks.retain(|b| b.to_string().len() < 50_000);
    });
}

#[test]
fn a_file_that_came_in_part_is_completed() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let files = cms.get("files?limit=-1&sort=id");
    let id = files[0]["id"].as_str().unwrap().to_owned();
    site.run(&["rollback", MAPPING], 0);
    // What an upload leaves that was cut: the row, and no bytes.
    cms.make("files", &json!({ "id": id, "title": "x", "storage": "local", "filename_download": "x.png", "type": "image/png" }));
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    assert_eq!(Cms::files(&cms), files.len());
}

#[test]
fn a_target_that_is_not_there_ends_the_run_and_the_same_command_goes_on() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    site.plan();
    let plan = site.plan_file();
    // The same target at a port where nobody listens.
    let nobody = format!("http://127.0.0.1:{}", crate::cms::free_port());
    let elsewhere = tempfile::tempdir().unwrap();
    let file = cms.target_at(elsewhere.path(), &nobody, "retries = 2\n");
    let mut command = Cms::command(&cms);
    command
        .arg("apply")
        .arg(&plan)
        .arg("--target")
        .arg(&file)
        .arg("--output")
        .arg(folder.path());
    let started = std::time::Instant::now();
    let said = text(&crate::support::expect(&mut command, 7).stderr);
    assert!(started.elapsed() < Duration::from_secs(30), "{said}");
    assert!(cms.articles().is_empty());
    site.apply(&["--max-time", "0s"], 9);
    assert!(cms.articles().is_empty());
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
}

#[test]
fn one_that_is_refused_keeps_no_other_out() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    change(folder.path(), "news:6", |d| d["title"] = "Bị từ chối".into());
    let rule = |rule: Value| {
        cms.edit(
            "fields/articles/title",
            &json!({ "meta": { "validation": rule } }),
        );
    };
    rule(json!({ "_and": [{ "title": { "_neq": "Bị từ chối" } }] }));
    // All or none: the server takes nothing of a list with one bad row.
    let rows: Vec<Value> = ["Một", "Bị từ chối"]
        .iter()
        .map(|title| json!({ "id": uuid::Uuid::now_v7().to_string(), "title": title }))
        .collect();
    let (status, _) = cms.ask("POST", "items/articles", Some(&rows.into()));
    assert_eq!((status, cms.articles().len()), (400, 0));
    site.plan();
    let said = site.apply(&[], 4);
    assert!(said.contains("refused: doc:"), "{said}");
    assert_eq!(cms.articles().len(), 11);
    let kept = quarantined(folder.path());
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].1["code"], "FAILED_VALIDATION");
    rule(Value::Null);
    // The same payload again is not tried by itself; a corrected one is.
    assert_eq!(site.plan()["holds"][0]["reason"], "refused");
    change(folder.path(), "news:6", |d| d["title"] = "Được nhận".into());
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    assert_eq!(cms.articles().len(), 12);
}
