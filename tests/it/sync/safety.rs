//! What a sync must never do to the CMS: take off what is there, overwrite an editor.

use super::follow::Life;
use super::portal::{Portal, article};
use crate::cms::WordPress;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A life whose entries are in WordPress.
struct Delivered<'p> {
    life: Life<'p>,
    wp: &'p WordPress,
    target: String,
}

const RETIRE: &str = "[target.retire]\nmax_count = 2\nmax_share = 0.3\n";

impl<'p> Delivered<'p> {
    fn new(portal: &'p Portal, wp: &'p WordPress, more: &str) -> Self {
        let life = Life::new(portal, "");
        let target = wp.target_at(life.folder.path(), &wp.base, more);
        let target = target.to_str().unwrap().to_owned();
        Self { life, wp, target }
    }

    fn sync(&self, more: &[&str], code: i32) -> Value {
        let mut args = vec!["--target", &self.target];
        args.extend(more);
        let mut command = self.life.command(self.wp.command(), &args);
        let said = crate::support::expect(&mut command, code);
        let said = String::from_utf8(said.stdout).unwrap();
        serde_json::from_str(said.lines().last().unwrap()).unwrap()
    }

    /// Titles in the CMS and whether they are public.
    fn held(&self) -> BTreeMap<String, bool> {
        let posts = self.wp.posts();
        let all = posts.len();
        let held: BTreeMap<_, _> = posts
            .iter()
            .map(|p| {
                (
                    p["title"]["raw"].as_str().unwrap().to_owned(),
                    p["status"] == "publish",
                )
            })
            .collect();
        assert_eq!(held.len(), all, "nothing is there twice");
        held
    }

    fn public(&self) -> usize {
        self.held().values().filter(|public| **public).count()
    }

    fn plan(&self) -> Value {
        serde_json::from_str(&std::fs::read_to_string(self.life.site().join("plan.json")).unwrap()).unwrap()
    }

    fn post(&self, title: &str) -> Value {
        let posts = self.wp.posts();
        let post = posts.iter().find(|p| p["title"]["raw"] == title);
        post.unwrap_or_else(|| panic!("no {title}")).clone()
    }
}

fn holds(told: &Value, reason: &str) -> u64 {
    told["target"]["holds"][reason].as_u64().unwrap_or_default()
}

#[test]
fn what_is_gone_is_retired_with_evidence_and_comes_back() {
    let Some(wp) = WordPress::other() else { return };
    let portal = Portal::new(8);
    let site = Delivered::new(&portal, &wp, RETIRE);
    assert_eq!(
        site.sync(&[], 0)["target"]["created"],
        8 + 2,
        "eight articles, one picture, one category"
    );
    // Nothing new: nothing is written.
    let told = site.sync(&[], 0);
    assert_eq!(told["target"]["writes"], 0, "{told}");
    // One is withdrawn: found by the list, asked for itself, missed once a night.
    let gone = portal.today().articles.remove(&3).unwrap();
    portal.today().soft_404 = true;
    let told = site.sync(&["--full"], 0);
    assert_eq!(holds(&told, "not_gone_yet"), 1, "{told}");
    // A failure and a login in between say nothing: they neither count nor end the count.
    portal.today().login = true;
    let told = site.sync(&[], 6);
    assert!(told["doubt"].as_str().unwrap().contains("locked out"), "{told}");
    assert_eq!(site.public(), 8, "{told}");
    portal.today().login = false;
    // New ones flow meanwhile.
    portal.today().articles.insert(9, article(9));
    let told = site.sync(&[], 0);
    assert_eq!(
        (holds(&told, "not_gone_yet"), &told["portal"]["added"]),
        (1, &json!(1)),
        "{told}"
    );
    assert_eq!(site.public(), 9);
    let told = site.sync(&[], 0);
    assert_eq!(told["target"]["retired"], 1, "{told}");
    assert_eq!((site.public(), site.held()["Bài viết số 3"]), (8, false));
    let show = crate::support::expect(
        crate::support::sangtrang()
            .args(["show", "/view?id=3", "--mapping"])
            .arg(&site.life.mapping)
            .arg("--output")
            .arg(site.life.output()),
        0,
    );
    let shown = String::from_utf8(show.stdout).unwrap();
    assert_eq!(shown.matches("missed: soft-404").count(), 3, "{shown}");
    assert!(shown.contains("taken off the CMS"), "{shown}");
    // It comes back: the entry is the same one.
    let id = site.post("Bài viết số 3")["id"].clone();
    portal.today().articles.insert(3, gone);
    site.sync(&[], 0);
    assert_eq!((site.public(), &site.post("Bài viết số 3")["id"]), (9, &id));
}

#[test]
fn a_bad_day_of_the_portal_takes_nothing_off() {
    let Some(wp) = WordPress::other() else { return };
    let portal = Portal::new(12);
    let site = Delivered::new(&portal, &wp, RETIRE);
    site.sync(&[], 0);
    let all = std::mem::take(&mut portal.today().articles);
    portal.today().soft_404 = true;
    // Everything is gone: the list is empty, and that alone is enough to take nothing off.
    for _ in 0..4 {
        let told = site.sync(&["--full"], 6);
        assert!(told["doubt"].as_str().unwrap().contains("usually 12"), "{told}");
        assert_eq!(site.public(), 12);
    }
    // The list is back, and four pages are not: more than may go at once.
    portal.today().articles = all;
    let told = site.sync(&["--full"], 0);
    assert_eq!(told["doubt"], Value::Null, "{told}");
    for id in 1..=4 {
        portal.today().articles.remove(&id);
    }
    for _ in 0..2 {
        site.sync(&["--full"], 0);
    }
    portal.today().articles.insert(13, article(13));
    let told = site.sync(&["--full"], 6);
    assert_eq!(holds(&told, "too_many_retirements"), 4, "{told}");
    assert_eq!(site.public(), 13, "new ones flow while removals are held");
    // A night of 503 and one of logins.
    portal.today().down = true;
    site.sync(&[], 7);
    portal.today().down = false;
    portal.today().login = true;
    let told = site.sync(&["--full"], 7);
    assert!(told["portal"]["walled"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(site.public(), 13);
}

#[test]
fn editors_are_safe_and_their_changes_are_dealt_with_as_was_decided() {
    let Some(wp) = WordPress::other() else { return };
    let portal = Portal::new(6);
    let site = Delivered::new(&portal, &wp, "");
    site.sync(&[], 0);
    let ids: Vec<u64> = (1..=4)
        .map(|n| site.post(&format!("Bài viết số {n}"))["id"].as_u64().unwrap())
        .collect();
    let title = |n: usize| {
        let post = wp.get(&format!("posts/{}?context=edit", ids[n - 1]));
        post["title"]["raw"].as_str().unwrap().to_owned()
    };
    let body = |n: usize| {
        let post = wp.get(&format!("posts/{}?context=edit", ids[n - 1]));
        post["content"]["raw"].as_str().unwrap().to_owned()
    };
    for n in 1..=4 {
        wp.edit(
            &format!("posts/{}", ids[n - 1]),
            json!({ "title": format!("Biên tập {n}") }),
        );
        let mut today = portal.today();
        today.articles.get_mut(&(n as u32)).unwrap().body =
            format!("<p>Nội dung mới của cổng cũ, bài {n}.</p>");
    }
    let told = site.sync(&["--full"], 6);
    assert_eq!(holds(&told, "drift"), 4, "{told}");
    let plan = site.plan();
    let hold = &plan["holds"][0]["fields"][0];
    assert!(
        hold["from"].as_str().unwrap().starts_with("Bài viết"),
        "both versions: {hold}"
    );
    assert!(
        hold["to"].as_str().unwrap().starts_with("Biên tập"),
        "both versions: {hold}"
    );
    assert!((1..=4).all(|n| title(n) == format!("Biên tập {n}") && !body(n).contains("Nội dung mới")));
    // One is the editors' for good, one is ours, one is both's; the last one stays on hold.
    let told = site.sync(
        &[
            "--theirs",
            "news:1",
            "--ours",
            "news:2",
            "--field-merge",
            "news:3",
        ],
        6,
    );
    assert_eq!(
        (holds(&told, "drift"), &told["target"]["plan"]["theirs"]),
        (1, &json!(1)),
        "{told}"
    );
    assert!(title(1) == "Biên tập 1" && !body(1).contains("Nội dung mới"));
    assert!(title(2) == "Bài viết số 2" && body(2).contains("Nội dung mới"));
    assert!(
        title(3) == "Biên tập 3" && body(3).contains("Nội dung mới"),
        "{} {}",
        title(3),
        body(3)
    );
    assert!(title(4) == "Biên tập 4" && !body(4).contains("Nội dung mới"));
    // What was decided is remembered, but for `ours`, which holds once.
    for n in 1..=3 {
        let mut today = portal.today();
        let article = today.articles.get_mut(&n).unwrap();
        article.title = format!("Tên mới {n}");
        article.body = format!("<p>Nội dung thứ ba của cổng cũ, bài {n}.</p>");
    }
    wp.edit(
        &format!("posts/{}", ids[1]),
        json!({ "title": "Biên tập lần nữa" }),
    );
    let told = site.sync(&["--full"], 6);
    assert_eq!(holds(&told, "drift"), 2, "{told}");
    assert!(title(1) == "Biên tập 1" && !body(1).contains("Nội dung thứ ba"));
    assert_eq!(title(2), "Biên tập lần nữa");
    assert!(
        title(3) == "Biên tập 3" && body(3).contains("Nội dung thứ ba"),
        "{} {}",
        title(3),
        body(3)
    );
    // Both changed one field: a person must choose.
    wp.edit(&format!("posts/{}", ids[3]), json!({ "title": "Biên tập 4b" }));
    portal.today().articles.get_mut(&4).unwrap().title = "Tên mới 4".into();
    let told = site.sync(&["--full", "--field-merge", "news:4"], 6);
    assert_eq!(title(4), "Biên tập 4b", "{told}");
}
