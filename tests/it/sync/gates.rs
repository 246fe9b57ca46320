//! Gates of a sync: what a redesign takes away is measured against what was accepted last, and nothing of it is pushed.

use super::follow::Life;
use super::portal::{Portal, article};
use crate::cms::WordPress;
use crate::support::{expect, sangtrang};
use serde_json::Value;
use std::process::Command;

const FAIL: &str =
    "[[gate]]\nrule = \"fill-rate\"\nlevel = \"fail\"\n[[gate]]\nrule = \"alt-text\"\nlevel = \"off\"\n";
const DAY: &str = "2026-06-01T02:00:00Z";

/// Articles 1 to `n` lose their picture.
fn without_pictures(portal: &Portal, n: u32) {
    for id in 1..=n {
        let mut today = portal.today();
        let article = today.articles.get_mut(&id).unwrap();
        article.body = article.body.replace("<p><img src=\"/anh.png\" alt=\"\"></p>", "");
    }
}

fn drift(told: &Value) -> Vec<&str> {
    let all = told["drift"].as_array().unwrap();
    all.iter().map(|d| d.as_str().unwrap()).collect()
}

#[test]
fn a_field_that_empties_fails_until_it_is_accepted() {
    let portal = Portal::new(25);
    let life = Life::new(&portal, FAIL);
    let junit = life.folder.path().join("gates.xml");
    let told = life.sync(&["--junit", junit.to_str().unwrap()], 0);
    assert_eq!(drift(&told), [""; 0]);
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(
        xml.contains("<skipped message=\"nothing was accepted yet\"/>"),
        "{xml}"
    );
    let accept = |code| {
        let mut command: Command = sangtrang();
        command
            .arg("extract")
            .arg(&life.mapping)
            .args(["--accept", "--output"])
            .arg(life.output());
        expect(command.env("SANGTRANG_NOW", DAY), code);
    };
    accept(0);
    // One of twenty-five is less than the five points that may be missing.
    without_pictures(&portal, 1);
    assert_eq!(drift(&life.sync(&["--full"], 0)), [""; 0]);
    without_pictures(&portal, 5);
    let told = life.sync(&["--full", "--junit", junit.to_str().unwrap()], 4);
    let [one] = drift(&told)[..] else { panic!("{told}") };
    assert!(
        one.starts_with("news: `media` is there in 80.0 % of 25 documents, in 100.0 % of 25 when it was accepted on 2026-06-01"),
        "{one}"
    );
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(
        xml.contains("<testcase name=\"fill-rate\" classname=\"song.news\" time=\"0\">\n   <failure "),
        "{xml}"
    );
    let report = std::fs::read_to_string(life.site().join("report.txt")).unwrap();
    assert!(report.contains("fail:fill-rate in news: `media`"), "{report}");
    // It stays red while nobody has looked, although nothing is extracted again.
    let lines = life.site().join("documents.jsonl");
    let written = std::fs::metadata(&lines).unwrap().modified().unwrap();
    assert_eq!(drift(&life.sync(&[], 4)), [one]);
    assert_eq!(std::fs::metadata(&lines).unwrap().modified().unwrap(), written);
    accept(4);
    let told = life.sync(&[], 0);
    assert_eq!(drift(&told), [""; 0], "{told}");
}

/// A page that stops to be there makes links to it broken in documents that nobody touched; one that comes back heals them.
#[test]
fn what_happens_to_one_page_is_told_of_the_others() {
    let portal = Portal::new(12);
    let life = Life::new(&portal, FAIL);
    for id in [3, 4] {
        let link = "<p>Xem thêm <a href=\"/view?id=9\">bài trước</a> về cùng một chuyện.</p>";
        portal.today().articles.get_mut(&id).unwrap().body.push_str(link);
    }
    portal.today().articles.get_mut(&7).unwrap().title = article(8).title;
    life.sync(&[], 0);
    let named = |gate: &str| -> Vec<String> {
        let all = life.documents();
        let has = |d: &&Value| {
            d["quality"]["gates"]
                .as_array()
                .unwrap()
                .iter()
                .any(|g| g["id"] == gate)
        };
        let mut keys: Vec<String> = all
            .iter()
            .filter(has)
            .map(|d| d["source_key"].as_str().unwrap().to_owned())
            .collect();
        keys.sort();
        keys
    };
    let revisions = || {
        let all = life.documents();
        let of = all
            .iter()
            .map(|d| (d["source_key"].to_string(), d["revision"].to_string()));
        of.collect::<std::collections::BTreeMap<_, _>>()
    };
    assert_eq!(named("broken-links"), [""; 0]);
    assert_eq!(named("duplicate-title"), ["news:7", "news:8"]);
    let before = revisions();
    let gone = portal.today().articles.remove(&9).unwrap();
    life.sync(&["--full"], 0);
    assert_eq!(named("broken-links"), ["news:3", "news:4"]);
    portal.today().articles.get_mut(&7).unwrap().title = article(7).title;
    portal.today().articles.insert(9, gone);
    let told = life.sync(&["--full"], 0);
    assert_eq!(named("broken-links"), [""; 0], "{told}");
    assert_eq!(named("duplicate-title"), [""; 0], "{told}");
    // Only the document whose title the portal changed has another content: gates of others are not part of it.
    let after = revisions();
    let changed: Vec<&String> = before
        .iter()
        .filter(|(k, v)| after[*k] != **v)
        .map(|(k, _)| k)
        .collect();
    assert_eq!(changed, ["\"news:7\""]);
    assert_eq!(told["portal"]["changed"], 1, "{told}");
}

#[test]
fn nothing_is_pushed_of_a_collection_that_fell_until_a_person_applies_the_plan() {
    let portal = Portal::new(25);
    let Some(wp) = WordPress::other() else { return };
    let life = Life::new(&portal, FAIL);
    let target = wp.target_at(life.folder.path(), &wp.base, "");
    let target = target.to_str().unwrap();
    let sync = |more: &[&str], code: i32| -> Value {
        let args = [&["--target", target], more].concat();
        let said = expect(&mut life.command(wp.command(), &args), code);
        let said = String::from_utf8(said.stdout).unwrap();
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    };
    assert_eq!(sync(&[], 0)["target"]["plan"]["create"], 25);
    without_pictures(&portal, 10);
    let told = sync(&["--full"], 6);
    assert_eq!(drift(&told).len(), 1, "{told}");
    assert_eq!(told["target"]["plan"]["update"], 10, "{told}");
    assert_eq!(told["target"]["writes"], 0, "{told}");
    assert!(told["codes"].as_array().unwrap().contains(&4.into()), "{told}");
    let mut apply = wp.command();
    apply.arg("apply").arg(life.site().join("plan.json"));
    apply
        .arg("--mapping")
        .arg(&life.mapping)
        .args(["--target", target, "--output"]);
    expect(apply.arg(life.output()).env("SANGTRANG_NOW", DAY), 0);
    let told = sync(&[], 0);
    assert_eq!(drift(&told), [""; 0], "{told}");
    assert_eq!(told["target"]["writes"], 0, "{told}");
}
