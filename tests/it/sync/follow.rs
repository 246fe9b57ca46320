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
        asked.retain(|a| a != "/robots.txt" && !a.contains("id=9"));
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
