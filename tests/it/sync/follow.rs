//! What a sync asks of the portal, and what it makes of it.

use super::portal::{Portal, article};
use crate::support::{documents, expect, sangtrang};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A site that is synced day after day.
pub struct Life<'p> {
    portal: &'p Portal,
    pub folder: tempfile::TempDir,
    pub mapping: PathBuf,
    day: std::cell::Cell<u32>,
}

impl<'p> Life<'p> {
    pub fn new(portal: &'p Portal, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mapping = portal.mapping(folder.path(), more);
        Self {
            portal,
            folder,
            mapping,
            day: std::cell::Cell::new(0),
        }
    }

    pub fn output(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub fn site(&self) -> PathBuf {
        self.output().join("song")
    }

    /// A sync at the next day's two o'clock.
    pub fn command(&self, base: Command, more: &[&str]) -> Command {
        let day = self.day.get();
        self.day.set(day + 1);
        let now: jiff::Timestamp = "2026-03-01T02:00:00Z".parse().unwrap();
        let now = now + jiff::SignedDuration::from_hours(24 * i64::from(day));
        sync(
            base,
            self.portal,
            &self.mapping,
            &self.output(),
            &now.to_string(),
            more,
        )
    }

    /// The same, carried out; answers what it told.
    pub fn sync(&self, more: &[&str], code: i32) -> Value {
        let said = expect(&mut self.command(sangtrang(), more), code);
        let last = String::from_utf8(said.stdout).unwrap();
        serde_json::from_str(last.lines().last().unwrap()).unwrap()
    }

    pub fn documents(&self) -> Vec<Value> {
        documents(&self.site())
    }

    /// What was asked for by path, without robots.txt and probes.
    pub fn asked(&self) -> Vec<String> {
        let mut asked = self.portal.asked();
        // The number of a probe has nine digits.
        asked.retain(|a| a != "/robots.txt" && a.len() < "/view?id=".len() + 9);
        asked
    }
}

pub fn sync(
    mut base: Command,
    portal: &Portal,
    mapping: &Path,
    output: &Path,
    now: &str,
    more: &[&str],
) -> Command {
    base.args(["--json", "-q", "sync"])
        .arg(mapping)
        .args(["--delay", "0ms", "--concurrency", "4"])
        .args(["--connect-to", &format!("::127.0.0.1:{}", portal.address.port())])
        .arg("--output")
        .arg(output)
        .env("SANGTRANG_NOW", now)
        .args(more);
    base
}

#[test]
fn a_portal_without_news_costs_few_requests_and_news_are_found() {
    let portal = Portal::new(23);
    let life = Life::new(&portal, "");
    let told = life.sync(&[], 0);
    assert_eq!(told["portal"]["added"], 23, "{told}");
    life.asked();
    // Nothing new: the start page, the list's first page, the sitemap; all of them are as they were.
    let told = life.sync(&[], 0);
    assert_eq!(
        (&told["portal"]["added"], &told["portal"]["changed"]),
        (&0.into(), &0.into())
    );
    let asked = life.asked();
    assert_eq!(asked.len(), 3, "{asked:?}");
    assert_eq!(told["portal"]["bytes"], 0, "{told}");
    assert_eq!(
        archived(&life.site())
            .matches("revisit/server-not-modified")
            .count(),
        3
    );
    // Seven new ones: the walk goes on until a page is all known.
    for id in 24..=30 {
        portal.today().articles.insert(id, article(id));
    }
    let told = life.sync(&[], 0);
    assert_eq!(told["portal"]["added"], 7, "{told}");
    let asked = life.asked();
    let lists: Vec<&String> = asked.iter().filter(|a| a.starts_with("/list")).collect();
    assert_eq!(lists, ["/list", "/list?page=2", "/list?page=3"]);
    assert_eq!(
        asked.iter().filter(|a| a.starts_with("/view")).count(),
        7,
        "{asked:?}"
    );
    assert_eq!(life.documents().len(), 30);
    // The list tells that an article has another title; nobody tells that another's text is another one, but it is young.
    portal.today().articles.get_mut(&30).unwrap().body =
        "<p>Nội dung đã được biên tập lại hoàn toàn.</p>".into();
    let told = life.sync(&[], 0);
    assert_eq!(told["portal"]["changed"], 1, "{told}");
    assert!(
        life.documents()
            .iter()
            .any(|d| d.to_string().contains("biên tập lại"))
    );
}

#[test]
fn what_is_the_same_is_not_kept_twice_and_old_pages_rest() {
    let portal = Portal::new(8);
    // No validators, and a counter on every page: bytes always differ, contents do not.
    {
        let mut today = portal.today();
        (today.validators, today.counter) = (false, true);
    }
    let life = Life::new(&portal, "[sync]\nleast_age = \"12h\"\nmost_age = \"4d\"\n");
    life.sync(&[], 0);
    let mut asked = 0;
    for _ in 0..24 {
        life.asked();
        let told = life.sync(&[], 0);
        assert_eq!(told["portal"]["changed"], 0, "a counter is no change: {told}");
        asked += life.asked().iter().filter(|a| a.starts_with("/view")).count();
    }
    // Eight pages in 24 days, each every two to four days.
    assert!((48..=96).contains(&asked), "{asked}");
    // The same bytes again are a record that points to the first ones.
    portal.today().counter = false;
    life.sync(&["--full"], 0);
    let before = archived(&life.site());
    life.sync(&["--full"], 0);
    let grown = &archived(&life.site())[before.len()..];
    let revisits = grown.matches("WARC-Type: revisit").count();
    assert!(revisits >= 10, "{revisits}");
    assert!(!grown.contains("Nội dung của bài viết"), "no body is kept twice");
    // A young page that changes is met sooner than those that rest.
    portal.today().articles.insert(9, article(9));
    life.sync(&[], 0);
    life.asked();
    let mut young = 0;
    for day in 0..6 {
        portal.today().articles.get_mut(&9).unwrap().body =
            format!("<p>Tin vắn, cập nhật lần thứ {day} trong ngày.</p>");
        assert_eq!(life.sync(&[], 0)["portal"]["changed"], 1, "day {day}");
        young += life.asked().iter().filter(|a| *a == "/view?id=9").count();
    }
    assert_eq!(young, 6, "it changed every day and was asked for every day");
}

/// All records of the archive.
fn archived(site: &Path) -> String {
    use std::io::Read as _;
    let mut all = String::new();
    for file in crate::support::files(&site.join("archive")) {
        let bytes = std::fs::read(site.join("archive").join(file)).unwrap();
        let mut text = Vec::new();
        flate2::read::MultiGzDecoder::new(&bytes[..])
            .read_to_end(&mut text)
            .unwrap();
        all.push_str(&String::from_utf8_lossy(&text));
    }
    all
}

#[test]
fn sitemaps_pictures_and_whole_walks_tell_what_lists_do_not() {
    let portal = Portal::new(12);
    {
        let mut today = portal.today();
        today.lastmod = (1..=12).map(|id| (id, "2026-02-01".to_owned())).collect();
    }
    let life = Life::new(&portal, "[sync]\nmedia_age = \"3d\"\nfull_every = \"132h\"\n");
    life.sync(&[], 0);
    life.asked();
    // Only the sitemap says that an old one changed.
    {
        let mut today = portal.today();
        today.articles.get_mut(&2).unwrap().body =
            "<p>Đính chính: nội dung đã thay đổi, theo sơ đồ trang.</p>".into();
        today.lastmod.insert(2, "2026-03-02".into());
    }
    let told = life.sync(&[], 0);
    assert_eq!(told["portal"]["changed"], 1, "{told}");
    assert_eq!(life.asked().iter().filter(|a| a.starts_with("/view")).count(), 1);
    // One that says so of everything is not believed.
    portal.today().lastmod = (1..=12).map(|id| (id, "2026-03-03".to_owned())).collect();
    life.sync(&[], 0);
    let asked = life.asked();
    assert!(!asked.iter().any(|a| a.starts_with("/view")), "{asked:?}");
    // Another picture under the same address.
    portal.today().picture = super::portal::png(200);
    let changed: u64 = (0..3)
        .map(|_| life.sync(&[], 0)["portal"]["changed"].as_u64().unwrap())
        .sum();
    assert_eq!(changed, 11, "all that show it");
    // One that the list does not name any more is found by the whole walk, asked for, and is still there.
    portal.today().articles.get_mut(&1).unwrap().listed = false;
    life.asked();
    let mut walks = 0;
    for _ in 0..6 {
        life.sync(&[], 0);
        let asked = life.asked();
        if asked.iter().any(|a| a == "/list?page=2") {
            walks += 1;
            assert!(asked.iter().any(|a| a == "/view?id=1"), "{asked:?}");
        }
    }
    assert_eq!(walks, 1, "once in five days and a half");
    assert_eq!(life.documents().len(), 12);
}

#[test]
fn a_walk_that_was_killed_is_made_whole_by_the_next_one() {
    let portal = Portal::new(7);
    let life = Life::new(&portal, "");
    life.sync(&[], 0);
    for id in 8..=24 {
        portal.today().articles.insert(id, article(id));
    }
    // It ends in the middle of the news: what was met is known now, what lies behind it is not.
    let mut child = life.command(sangtrang(), &["--delay", "60ms", "--concurrency", "1"]);
    let mut child = child.stdout(std::process::Stdio::null()).spawn().unwrap();
    portal.asked();
    while !portal.today().asked.iter().any(|a| a == "/list?page=2") {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    life.sync(&[], 0);
    assert_eq!(life.documents().len(), 24);
}

#[test]
fn a_changed_mapping_shows_how_far_it_reaches_before_it_does_anything() {
    let portal = Portal::new(8);
    let life = Life::new(&portal, "");
    life.sync(&[], 0);
    let before = life.documents();
    let text = std::fs::read_to_string(&life.mapping).unwrap();
    // A comment changes nothing.
    std::fs::write(&life.mapping, format!("{text}# xong\n")).unwrap();
    let told = life.sync(&[], 0);
    assert_eq!(
        (&told["mapping"]["changed"], &told["mapping"]["documents"]),
        (&0.into(), &8.into()),
        "{told}"
    );
    std::fs::write(
        &life.mapping,
        text.replace("css = \"h1\" }", "css = \"h1\", regex = '(Bài.*) số' }"),
    )
    .unwrap();
    life.asked();
    let told = life.sync(&[], 6);
    assert_eq!(
        (&told["mapping"]["changed"], &told["mapping"]["fields"]["title"]),
        (&8.into(), &8.into()),
        "{told}"
    );
    assert!(life.asked().is_empty(), "nothing is asked of the portal");
    assert_eq!(life.documents(), before, "nothing is written");
    let told = life.sync(&["--accept-mapping"], 0);
    assert_eq!(
        (&told["mapping"]["changed"], &told["portal"]["changed"]),
        (&8.into(), &0.into()),
        "{told}"
    );
    assert!(life.documents().iter().all(|d| d["title"] == "Bài viết"));
    let told = life.sync(&[], 0);
    assert_eq!(told["mapping"], Value::Null, "{told}");
}

#[test]
fn one_sync_at_a_time_and_never_two_clocks() {
    let portal = Portal::new(3);
    let life = Life::new(&portal, "");
    life.sync(&[], 0);
    let lock = std::fs::File::options()
        .read(true)
        .write(true)
        .open(life.site().join("sync.lock"))
        .unwrap();
    lock.lock().unwrap();
    std::fs::write(
        life.site().join("sync.lock"),
        r#"{"pid":4711,"host":"may-chu","command":"sync a.toml","since":"2026-03-01T20:00:00Z"}"#,
    )
    .unwrap();
    let said = expect(&mut life.command(sangtrang(), &[]), 8);
    let said = String::from_utf8(said.stderr).unwrap();
    assert!(
        said.contains("process 4711 on may-chu") && said.contains("(360 min)"),
        "{said}"
    );
    assert!(said.contains("nothing to delete"), "{said}");
    drop(lock);
    life.sync(&[], 0);
    // Dates that were made up never stand beside real ones.
    let mut real = life.command(sangtrang(), &[]);
    real.env_remove("SANGTRANG_NOW");
    let said = String::from_utf8(expect(&mut real, 1).stderr).unwrap();
    assert!(said.contains("written by a set clock"), "{said}");
}
