//! Two months of the bundled portal, day by day, and a real CMS that follows it.

use super::truth::{Held, Model, Promise, Shown, id, letters, text_of};
use crate::cms::{WordPress, ask};
use crate::support::{ROOT, Served};
use sangtrang::demo::{CLOCK, Event, Life, Living, Trouble, serve_life};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

/// A life on a loopback port.
pub struct Portal {
    pub living: Arc<Living>,
    pub address: SocketAddr,
    _served: Served,
}

impl Portal {
    pub fn start(life: Life) -> Self {
        let living = Arc::new(Living::new(life));
        let serving = living.clone();
        let served = Served::start(move |listener, stop| serve_life(serving, listener, stop));
        Self {
            living,
            address: served.address,
            _served: served,
        }
    }
}

/// The mapping that ships for the portal, as an operator of a sync has it.
fn mapping(sync: &str, knows_both_templates: bool) -> String {
    let shipped = std::fs::read_to_string(Path::new(ROOT).join("mappings/ctk-binhthuan.toml")).unwrap();
    let mut text = shipped.replace(
        "retries = 5\n",
        "retries = 3\nbackoff = \"5ms\"\nbreaker = 6\nbreaker_rest = \"20ms\"\ngive_up = \"1500ms\"\n",
    );
    // Its example is a file beside it.
    let example = text.find("# The page that the project started from").unwrap();
    let media = text.find("[media]\nattachments").unwrap();
    text.replace_range(example..media, "");
    text.push_str("\n[sync]\n");
    text.push_str(sync);
    if knows_both_templates {
        for (old, new) in [
            ("div.banner", "dau-trang"),
            ("div.menu", "thanh-menu"),
            ("div.thoitiet", "o-thoi-tiet"),
            ("div.thamdo", "o-tham-do"),
            ("div.lienket", "o-lien-ket"),
            ("div.truycap", "o-truy-cap"),
            ("div.chantrang", "cuoi-trang"),
            ("div.tieude", "ten-bai"),
            ("div.chuyenmuc", "ten-muc"),
            ("div.tomtat", "tom-tat"),
            ("div.ngaydang", "thoi-gian"),
            ("div.chucnang", "cong-cu"),
        ] {
            text = text.replace(
                &format!("css = \"{old}\""),
                &format!("css = \"{old}, div.{new}\""),
            );
        }
        text = text
            .replace("[\"td.giua\"]", "[\"td.giua\", \"div.chinh\"]")
            .replace(
                "\"table.danhsach tr.tin\"",
                "\"table.danhsach tr.tin, table.ds-tin tr.tin\"",
            )
            .replace("\"a.tieudetin\"", "\"a.tieudetin, a.ten-tin\"");
    }
    text
}

/// A site that follows a life.
pub struct Follower {
    pub portal: Portal,
    folder: tempfile::TempDir,
    sync: &'static str,
    target: PathBuf,
}

impl Follower {
    /// `sync` stands in the mapping's `[sync]`.
    pub fn new(life: Life, sync: &'static str, target: impl FnOnce(&Path) -> PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("cong.toml"), mapping(sync, false)).unwrap();
        Self {
            portal: Portal::start(life),
            sync,
            target: target(folder.path()),
            folder,
        }
    }

    pub fn learn_the_other_template(&self) {
        std::fs::write(self.folder.path().join("cong.toml"), mapping(self.sync, true)).unwrap();
    }

    pub fn site(&self) -> PathBuf {
        self.folder.path().join("out/ctk-binhthuan")
    }

    /// The sync of a day, at nine in the morning; its exit code, what it told, and what it told people.
    pub fn sync(&self, mut base: Command, day: u32, more: &[&str]) -> (i32, Value, String) {
        self.portal.living.set_day(day);
        base.args(["--json", "sync"])
            .arg(self.folder.path().join("cong.toml"))
            .args([
                "--delay",
                "0ms",
                "--concurrency",
                "4",
                "--no-verify",
                "--jobs",
                "2",
            ])
            .args([
                "--connect-to",
                &format!("::127.0.0.1:{}", self.portal.address.port()),
            ])
            .arg("--target")
            .arg(&self.target)
            .arg("--output")
            .arg(self.folder.path().join("out"))
            .env("SANGTRANG_NOW", format!("{}T02:00:00Z", Life::date(day)))
            .args(more);
        let said = base.output().unwrap();
        let people = String::from_utf8_lossy(&said.stderr).into_owned();
        let code = said.status.code().unwrap_or(-1);
        let data = String::from_utf8_lossy(&said.stdout);
        let told = data.lines().rev().find_map(|l| serde_json::from_str(l).ok());
        (code, told.unwrap_or_default(), people)
    }

    /// What is on hold by the last plan: article and reason.
    pub fn holds(&self, model: &Model) -> Vec<(usize, String, String)> {
        let Ok(plan) = std::fs::read(self.site().join("plan.json")) else {
            return Vec::new();
        };
        let plan: Value = serde_json::from_slice(&plan).unwrap();
        let by_id: BTreeMap<String, usize> =
            model.all().into_iter().map(|index| (id(index), index)).collect();
        let word = |hold: &Value, of: &str| hold[of].as_str().unwrap_or_default().to_owned();
        let holds = plan["holds"].as_array().cloned().unwrap_or_default();
        holds
            .iter()
            .map(|hold| {
                let key = word(hold, "key");
                let index = by_id
                    .get(key.trim_start_matches("doc:"))
                    .copied()
                    .unwrap_or(usize::MAX);
                (index, word(hold, "reason"), word(hold, "note"))
            })
            .collect()
    }
}

/// What was asked and told on a day, for whoever reads a failure.
pub fn line(day: u32, code: i32, told: &Value, seconds: f64) -> String {
    let (p, t) = (&told["portal"], &told["target"]);
    format!(
        "day {day}: exit {code}, {} asked, {} as they were, {} new, {} changed; {} writes, {} retired, holds {}; {seconds:.1} s",
        p["asked"], p["unchanged"], p["added"], p["changed"], t["writes"], t["retired"], t["holds"]
    )
}

/// What WordPress holds, told by WordPress; and what is there twice.
fn held(wp: &WordPress, model: &Model, cache: &mut BTreeMap<String, String>) -> Held {
    let short: BTreeMap<String, usize> = model
        .all()
        .into_iter()
        .map(|i| (id(i)[..8].to_owned(), i))
        .collect();
    let sections: BTreeMap<u64, String> = wp
        .get("categories?per_page=100")
        .as_array()
        .unwrap()
        .iter()
        .map(|c| (c["id"].as_u64().unwrap(), c["name"].as_str().unwrap().to_owned()))
        .collect();
    let image = regex::Regex::new(r#"<img[^>]* src="[^"]*(/wp-content/uploads/[^"]+)""#).unwrap();
    let mut held = Held::new();
    for post in wp.posts() {
        let slug = post["slug"].as_str().unwrap();
        let index = *short
            .get(&slug[slug.len().saturating_sub(8)..])
            .unwrap_or_else(|| panic!("whose is {slug}?"));
        let body = post["content"]["raw"].as_str().unwrap();
        let mut pictures = BTreeSet::new();
        for found in image.captures_iter(body) {
            let hash = cache.entry(found[1].to_owned()).or_insert_with_key(|path| {
                let bytes = std::fs::read(wp.root.join(path.trim_start_matches('/'))).unwrap();
                sangtrang::document::CaptureId::of(&bytes).to_string()
            });
            pictures.insert(hash.clone());
        }
        let named = |c: &Value| sections.get(&c.as_u64()?).cloned();
        let shown = Shown {
            title: letters(&post["title"]["raw"].as_str().unwrap().replace("&amp;", "&")),
            text: text_of(body),
            section: post["categories"]
                .as_array()
                .unwrap()
                .iter()
                .filter_map(named)
                .collect(),
            pictures,
        };
        let before = held.insert(index, (post["status"] == "publish", shown));
        assert!(before.is_none(), "article {index} is in the CMS twice");
    }
    held
}

const DAYS: u32 = 60;
/// Lists are walked to their end every third day, pictures looked at every second one.
const SYNC: &str = "full_every = \"68h\"\nmedia_age = \"44h\"\n";
const PROMISE: Promise = Promise {
    misses: 3,
    gone_after: 6,
    pictures_after: 3,
    mapped: 34,
};

/// Day and article: an editor adds a line.
const EDITS: [(u32, usize); 4] = [(10, 7), (20, 28), (30, 40), (41, 50)];

fn edit(wp: &WordPress, index: usize, cache: &mut BTreeMap<String, String>, model: &mut Model) {
    let slug = id(index)[..8].to_owned();
    let posts = wp.posts();
    let post = posts
        .iter()
        .find(|p| p["slug"].as_str().unwrap().ends_with(&slug))
        .unwrap();
    let content = format!(
        "{}\n\n<!-- wp:paragraph -->\n<p>Ban biên tập bổ sung: số liệu đã được kiểm tra.</p>\n<!-- /wp:paragraph -->",
        post["content"]["raw"].as_str().unwrap()
    );
    let path = format!("wp-json/wp/v2/posts/{}", post["id"]);
    let (status, _, said) = wp.ask("POST", &path, Some(&json!({ "content": content })));
    assert_eq!(status, 200, "{said}");
    let now = held(wp, model, cache);
    model.edit(index, now[&index].1.text.clone());
}

#[test]
fn sixty_days_of_a_portal_end_each_with_its_truth_in_wordpress() {
    let Some(wp) = WordPress::other() else { return };
    let life = Life::story();
    let mut model = Model::new(&life, DAYS, PROMISE);
    let rules = "[target.retire]\nmax_count = 3\nmax_share = 0.1\n[[target.entry]]\ncollection = \"news\"\ntype = \"posts\"\nterms = { categories = \"section\" }\n";
    let site = Follower::new(life, SYNC, |folder| wp.target(folder, rules));
    let mut cache = BTreeMap::new();
    let (mut wrong, mut told) = (Vec::new(), String::new());
    let begun = std::time::Instant::now();
    for day in 0..DAYS {
        let mut more = Vec::new();
        if day == PROMISE.mapped {
            site.learn_the_other_template();
            more.push("--accept-mapping");
        }
        let today = std::time::Instant::now();
        let (code, said, people) = site.sync(wp.command(), day, &more);
        let line = line(day, code, &said, today.elapsed().as_secs_f64());
        eprintln!("{line}");
        told.push_str(&format!("{line}\n"));
        if !matches!(code, 0 | 4 | 6 | 7) {
            wrong.push(format!("day {day}: exit {code}: {people}"));
        }
        let mut today = model.judge(day, &held(&wp, &model, &mut cache));
        if model.shut(day) && said["target"]["writes"] != 0 {
            today.push(format!(
                "day {day}: something was written although nobody could see the portal"
            ));
        }
        for (index, reason, note) in site.holds(&model) {
            if model.explains(day, index, &reason).is_none() {
                today.push(format!(
                    "day {day}: nobody knows why article {index} is held: {reason}: {note}"
                ));
            }
        }
        for problem in &today {
            eprintln!("    {problem}");
        }
        wrong.extend(today);
        for (_, index) in EDITS.iter().filter(|(on, _)| *on == day) {
            edit(&wp, *index, &mut cache, &mut model);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{DAYS} days in {seconds:.0} s");
    assert!(wrong.is_empty(), "{told}\n{}", wrong.join("\n"));
}

#[test]
fn a_portal_of_a_day_answers_as_that_day_and_says_what_changed_since() {
    let script = vec![
        (1, Event::Edit(4)),
        (2, Event::Withdraw(3)),
        (2, Event::Pictures(2)),
        (3, Event::Move(5)),
        (4, Event::Befalls(Trouble::Login, 1)),
        (5, Event::Befalls(Trouble::Down, 1)),
        (6, Event::Befalls(Trouble::EmptyList(1), 1)),
        (7, Event::Befalls(Trouble::HalfDeadPager(1), 1)),
        (8, Event::Befalls(Trouble::SoftMissing, 1)),
    ];
    let portal = Portal::start(Life::new(60, 1, script));
    let url = |path: &str| format!("http://{}{path}", portal.address);
    let get = |path: &str, etag: Option<&http::HeaderValue>| {
        let mut headers = http::HeaderMap::new();
        if let Some(etag) = etag {
            headers.insert("if-none-match", etag.clone());
        }
        let (status, headers, body) = ask(&url(path), "GET", headers, None);
        (status, headers, body.as_str().unwrap_or_default().to_owned())
    };
    let day = |day: u32| {
        let path = format!("{CLOCK}?day={day}");
        let (status, _, said) = ask(&url(&path), "POST", http::HeaderMap::new(), None);
        assert_eq!((status, &said["day"]), (200, &json!(day)), "{said}");
    };
    let (edited, calm, picture) = (
        "/View.aspx?ItemID=5",
        "/View.aspx?ItemID=7",
        "/hinhanh/2023/3-1.png",
    );
    let before: Vec<http::HeaderValue> = [edited, calm, picture]
        .map(|path| get(path, None).1["etag"].clone())
        .into();
    day(1);
    let (status, headers, body) = get(edited, Some(&before[0]));
    assert_eq!(
        (status, &headers["last-modified"]),
        (200, &"Wed, 19 Jul 2023 01:30:00 GMT".parse().unwrap())
    );
    assert!(body.contains("lần 1:"), "{body}");
    assert_eq!(get(calm, Some(&before[1])).0, 304);
    let map = get("/sitemap-1.xml", None).2;
    assert_eq!(map.matches("<lastmod>2023-07-19</lastmod>").count(), 1, "{map}");
    assert_eq!(get(picture, Some(&before[2])).0, 304);
    day(2);
    assert_eq!(get(picture, Some(&before[2])).0, 200);
    assert!(
        get("/View.aspx?ItemID=4", None)
            .2
            .contains("Không tìm thấy bài viết")
    );
    assert!(!get("/sitemap-1.xml", None).2.contains("ItemID=4&"));
    day(3);
    let (status, headers, _) = get("/View.aspx?ItemID=6", None);
    assert_eq!(
        (status, &headers["location"]),
        (301, &"/View.aspx?ItemID=61&CatID=1".parse().unwrap())
    );
    day(4);
    let (status, _, body) = get(calm, None);
    assert!(status == 200 && body.contains("type=\"password\""), "{body}");
    day(5);
    let (status, headers, _) = get(calm, None);
    assert_eq!((status, &headers["retry-after"]), (503, &"1".parse().unwrap()));
    day(6);
    let (status, _, body) = get("/Default.aspx?CatID=1", None);
    assert!(status == 200 && !body.contains("tieudetin"), "{body}");
    assert!(get("/Default.aspx?CatID=4", None).2.contains("tieudetin"));
    day(7);
    assert_eq!(get("/Default.aspx?CatID=1&page=2", None).0, 500);
    assert!(get("/Default.aspx?CatID=1", None).2.contains("tieudetin"));
    day(8);
    let (status, _, body) = get("/View.aspx?ItemID=4", None);
    assert!(status == 200 && !body.contains("thongbao"), "{body}");
    assert_eq!(portal.living.requests().len(), 1);
    // The same day again is the same portal.
    day(0);
    assert_eq!(get(edited, Some(&before[0])).0, 304);
}
