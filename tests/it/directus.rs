//! Delivery into a real Directus: set up, planned, applied, read back, taken back.

use crate::cms::{Cms, FAST, MAPPING, ask, change, extracted, free_port};
use crate::site::Site;
use crate::support::{ROOT, documents, expect, sangtrang, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

const TOKEN: &str = "static-admin-token-0001";
/// The rule of most tests.
const RULE: &str = "[[target.entry]]\ncollection = \"news\"\ntype = \"articles\"\nterms = { categories = \"section\" }\nfields = { signature = \"byline.raw\" }\nurl = \"/bai/{slug}\"\n";

/// The CMS, held by one test.
pub struct Directus {
    pub base: String,
    pub root: PathBuf,
    /// The one of all tests, while it is this test's turn; none: it is this test's own, and ends with it.
    turn: Option<MutexGuard<'static, ()>>,
}

static TURN: Mutex<()> = Mutex::new(());
static STARTED: OnceLock<(PathBuf, String)> = OnceLock::new();

fn script(args: &[&str], settings: &[(&str, &str)]) -> Option<String> {
    let output = Command::new(Path::new(ROOT).join("tests/cms/directus.sh"))
        .args(args)
        .envs(settings.iter().copied())
        .env("CMS_UNTIL", std::process::id().to_string())
        .output()
        .unwrap();
    if output.status.success() {
        return Some(text(&output.stdout));
    }
    eprintln!(
        "directus.sh {args:?}: {}{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    None
}

/// Is it installed? Says loudly when not.
pub fn is_there() -> bool {
    let there = script(&["there"], &[]).is_some();
    if !there {
        eprintln!("SKIPPED: there is no Directus; `tests/cms/directus.sh deps` installs it");
    }
    there
}

/// A server with settings of its own.
fn start(name: &str, settings: &[(&str, &str)]) -> (PathBuf, String) {
    let root = std::env::temp_dir().join(format!("sangtrang-directus-{name}-{}", std::process::id()));
    let port = free_port().to_string();
    script(&["up", root.to_str().unwrap(), &port], settings).expect("Directus is installed and starts");
    (root, format!("http://127.0.0.1:{port}"))
}

impl Directus {
    /// An empty Directus with the collections of [`RULE`].
    pub fn empty() -> Option<Self> {
        if !is_there() {
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let (root, base) = STARTED.get_or_init(|| start("main", &[])).clone();
        let this = Self {
            base,
            root,
            turn: Some(turn),
        };
        this.setup();
        this.wipe();
        Some(this)
    }

    /// One more, for tests that take long; it ends with the value.
    pub fn another(name: &str) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let (root, base) = start(name, &[]);
        let this = Self {
            base,
            root,
            turn: None,
        };
        this.setup();
        Some(this)
    }

    /// Another one, whose requests are counted and whose bodies are small.
    pub fn strict(points: &str, bytes: &str) -> Option<Self> {
        if !is_there() {
            return None;
        }
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let settings = [
            ("RATE_LIMITER_ENABLED", "true"),
            ("RATE_LIMITER_POINTS", points),
            ("MAX_PAYLOAD_SIZE", bytes),
        ];
        let (root, base) = start("strict", &settings);
        let this = Self {
            base,
            root,
            turn: Some(turn),
        };
        this.setup();
        Some(this)
    }

    fn setup(&self) {
        let folder = tempfile::tempdir().unwrap();
        // A project with a limit of its rate has a pause behind it, not within it.
        let target = Cms::target_at(self, folder.path(), &self.base, "floor = \"500ms\"\n");
        let mut setup = Cms::command(self);
        setup.args(["target", "setup", MAPPING, "--target"]).arg(target);
        expect(&mut setup, 0);
    }

    /// Asks as the administrator; a server that counts requests is asked again.
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        for _ in 0..200 {
            let mut headers = http::HeaderMap::new();
            headers.insert("authorization", format!("Bearer {TOKEN}").parse().unwrap());
            headers.insert("content-type", "application/json".parse().unwrap());
            let (status, _, body) = ask(&format!("{}/{path}", self.base), method, headers, body);
            if status != 429 {
                return (status, body);
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
        panic!("{path}: too many requests for ever");
    }

    /// What a path holds.
    pub fn get(&self, path: &str) -> Vec<Value> {
        let (status, body) = self.ask("GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        body["data"].as_array().unwrap().clone()
    }

    /// Changes something as an editor does.
    pub fn edit(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("PATCH", path, Some(body));
        assert_eq!(status, 200, "{path}: {answer}");
        answer["data"].clone()
    }

    /// Makes something as an editor does.
    pub fn make(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.ask("POST", path, Some(body));
        assert!(matches!(status, 200 | 204), "{path}: {status} {answer}");
        answer["data"].clone()
    }

    /// All articles by key of the old portal (`news:3` is the document's).
    pub fn articles(&self) -> Vec<Value> {
        self.get("items/articles?limit=-1&sort=id")
    }
}

impl Drop for Directus {
    fn drop(&mut self) {
        if self.turn.is_none() || self.root.to_string_lossy().contains("-strict-") {
            script(&["reset", self.root.to_str().unwrap()], &[]);
        }
    }
}

impl Cms for Directus {
    fn base(&self) -> &str {
        &self.base
    }
    fn target_at(&self, folder: &Path, base: &str, more: &str) -> PathBuf {
        let path = folder.join("target.toml");
        let rule = if more.contains("[[target.entry]]") {
            ""
        } else {
            RULE
        };
        let fast = if more.contains("floor") { "" } else { FAST };
        let text = format!(
            "[target]\nkind = \"directus\"\nurl = \"{base}/\"\nname = \"test\"\nsecret_env = \"CMS_SECRET\"\n{fast}{more}{rule}"
        );
        std::fs::write(&path, text).unwrap();
        path
    }
    fn command(&self) -> Command {
        let mut command = sangtrang();
        command.env("CMS_SECRET", TOKEN);
        command
    }
    fn wipe(&self) {
        let all = json!({ "query": { "limit": -1 } });
        for path in ["items/articles", "items/categories", "files"] {
            let (status, body) = self.ask("DELETE", path, Some(&all));
            assert!(matches!(status, 200 | 204), "{path}: {status} {body}");
        }
    }
    fn held(&self) -> Vec<(String, bool)> {
        let articles = self.articles();
        articles
            .iter()
            .map(|a| {
                (
                    a["title"].as_str().unwrap().to_owned(),
                    a["status"] == "published",
                )
            })
            .collect()
    }
    fn files(&self) -> usize {
        self.get("files?limit=-1&fields=id").len()
    }
    fn terms(&self) -> Vec<String> {
        let all = self.get("items/categories?limit=-1");
        all.iter()
            .map(|c| c["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// The id of the document with a key on the old portal.
pub fn id_of(output: &Path, key: &str) -> String {
    let documents = documents(&output.join("ctk-binhthuan"));
    let document = documents.iter().find(|d| d["source_key"] == key).unwrap();
    document["id"].as_str().unwrap().to_owned()
}

#[test]
fn a_portal_moves_into_directus_and_the_next_plan_is_empty() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    let said = text(&site.run(&["target", "check", MAPPING], 0).stdout);
    assert!(said.contains("Directus 12"), "{said}");
    let plan = site.plan();
    assert_eq!(plan["counts"]["create"], 12);
    let first = std::fs::read(site.plan_file()).unwrap();
    site.plan();
    assert_eq!(std::fs::read(site.plan_file()).unwrap(), first, "byte for byte");
    site.apply(&["-n"], 0);
    assert!(cms.articles().is_empty());
    let said = site.apply(&[], 0);
    assert!(said.contains("0 losses") || !said.contains("lost"), "{said}");
    assert!(site.verify(0).is_empty());

    let articles: BTreeMap<String, Value> = cms
        .articles()
        .into_iter()
        .map(|a| (a["id"].as_str().unwrap().to_owned(), a))
        .collect();
    let categories = cms.get("items/categories?limit=-1");
    let files: BTreeSet<String> = cms
        .get("files?limit=-1")
        .iter()
        .map(|f| f["id"].as_str().unwrap().to_owned())
        .collect();
    let documents = documents(&folder.path().join("ctk-binhthuan"));
    assert_eq!(articles.len(), documents.len());
    let (mut pictures, mut linked) = (0, 0);
    for document in &documents {
        // A document keeps its id.
        let article = &articles[document["id"].as_str().unwrap()];
        assert_eq!(article["title"], document["title"]);
        assert_eq!(article["status"], "published");
        let at: jiff::Timestamp = article["published_at"].as_str().unwrap().parse().unwrap();
        let day = at.to_zoned(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap());
        let published = document["dates"]["published"]["value"].as_str().unwrap();
        assert_eq!(day.strftime("%Y-%m-%d").to_string(), published[..10]);
        let category = categories.iter().find(|c| c["id"] == article["categories"]);
        assert_eq!(category.unwrap()["name"], document["section"]["label"]);
        assert_eq!(article["legacy_from"], document["redirects"]["from"]);
        assert_eq!(article["signature"], document["byline"]["raw"]);
        let body = article["body"].as_str().unwrap();
        for part in body.split("/assets/").skip(1) {
            assert!(files.contains(&part[..36]), "{part}");
            pictures += 1;
        }
        linked += body.matches("/bai/").count();
        let lost = document["media"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["state"] != "ok");
        assert!(
            body.matches("ctk-binhthuan.example").count() <= lost.count(),
            "{body}"
        );
    }
    assert!(pictures > 3 && linked > 0, "{pictures} {linked}");

    let plan = site.plan();
    assert_eq!(
        (&plan["counts"]["unchanged"], &plan["changes"]),
        (&json!(12), &json!([]))
    );
    // The old plan again finds everything done.
    std::fs::write(site.plan_file(), &first).unwrap();
    let said = site.apply(&[], 0);
    assert!(said.contains("0 made, 0 changed"), "{said}");
}

#[test]
fn setup_makes_what_is_missing_and_leaves_what_is_there() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let more = "[[target.entry]]\ncollection = \"news\"\ntype = \"press\"\nterms = { topics = \"section\" }\nfields = { signature = \"byline.raw\", cites = \"citations\", happened = \"dates.event\" }\n";
    let site = Site::new(&cms, folder.path(), more);
    let said = text(&site.run(&["target", "check", MAPPING], 3).stderr);
    assert!(said.contains("there is no collection `press`"), "{said}");
    assert!(text(&site.run(&["plan", MAPPING], 3).stderr).contains("target setup"));
    let said = text(&site.run(&["target", "setup", MAPPING], 0).stderr);
    for made in [
        "collection press",
        "field press.cites",
        "relation press.topics to topics",
    ] {
        assert!(said.contains(made), "{made}: {said}");
    }
    site.run(&["target", "check", MAPPING], 0);
    let said = text(&site.run(&["target", "setup", MAPPING], 0).stderr);
    assert!(said.contains("everything is there"), "{said}");
    let relations = cms.get("relations");
    for (of, field, to) in [
        ("press", "topics", "topics"),
        ("press", "cover", "directus_files"),
        ("topics", "parent", "topics"),
    ] {
        let found = relations
            .iter()
            .find(|r| r["collection"] == of && r["field"] == field)
            .unwrap();
        assert_eq!(found["related_collection"], to);
    }
    // A field of the administrator's own stays, one of ours that is gone is missed and made again.
    cms.make(
        "fields/press",
        &json!({ "field": "note", "type": "text", "meta": {}, "schema": {} }),
    );
    cms.ask("DELETE", "fields/press/signature", None);
    let said = text(&site.run(&["plan", MAPPING], 3).stderr);
    assert!(said.contains("has no field `signature`"), "{said}");
    let said = text(&site.run(&["target", "setup", MAPPING], 0).stderr);
    assert!(
        said.contains("field press.signature") && !said.contains("field press.title"),
        "{said}"
    );
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    let press = cms.get("items/press?limit=-1");
    assert!(press.iter().all(|p| p["note"].is_null()) && press.len() == 12);
    site.run(&["rollback", MAPPING], 0);
    // A collection whose key is a number cannot take our ids.
    cms.make(
        "collections",
        &json!({ "collection": "numbered", "schema": {}, "meta": {} }),
    );
    let more = "[[target.entry]]\ncollection = \"news\"\ntype = \"numbered\"\n";
    let said = text(
        &Site::new(&cms, folder.path(), more)
            .run(&["target", "check", MAPPING], 3)
            .stderr,
    );
    assert!(
        said.contains("the key of the collection `numbered` is a `integer`"),
        "{said}"
    );
    for name in ["press", "topics", "numbered"] {
        cms.ask("DELETE", &format!("collections/{name}"), None);
    }
}

#[test]
fn an_editors_change_stays_in_directus() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let ids = ["news:2", "news:3", "news:4"].map(|key| id_of(folder.path(), key));
    cms.edit(
        &format!("items/articles/{}", ids[0]),
        &json!({ "title": "Sửa trước kế hoạch" }),
    );
    for key in ["news:2", "news:3", "news:4"] {
        change(folder.path(), key, |d| {
            d["title"] = "Tiêu đề mới của cổng cũ".into()
        });
    }
    let plan = site.plan();
    assert_eq!(plan["holds"][0]["reason"], "drift");
    assert_eq!(plan["holds"][0]["fields"][0]["field"], "title");
    assert_eq!(plan["counts"]["update"], 2);
    cms.edit(
        &format!("items/articles/{}", ids[1]),
        &json!({ "summary": "Sửa sau kế hoạch" }),
    );
    let said = site.apply(&[], 6);
    assert!(said.contains("changed in the CMS summary"), "{said}");
    let title = |id: &str| cms.get(&format!("items/articles?filter[id][_eq]={id}"))[0]["title"].clone();
    assert_eq!(title(&ids[0]), "Sửa trước kế hoạch");
    assert_ne!(title(&ids[1]), "Tiêu đề mới của cổng cũ");
    assert_eq!(title(&ids[2]), "Tiêu đề mới của cổng cũ");
    // The address stays although the title changed.
    let slug = cms.get(&format!("items/articles?filter[id][_eq]={}", ids[2]))[0]["slug"].clone();
    assert!(!slug.as_str().unwrap().starts_with("tieu-de-moi"), "{slug}");
    // What an editor removed is not made again.
    cms.ask("DELETE", &format!("items/articles/{}", ids[2]), None);
    let plan = site.plan();
    let reasons: BTreeSet<&str> = plan["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, BTreeSet::from(["drift", "removed"]));
    site.apply(&[], 0);
    assert_eq!(cms.articles().len(), 11);
}

#[test]
fn runs_are_taken_back_one_after_the_other() {
    let Some(cms) = Directus::empty() else { return };
    // A category that an editor made before us is used as it is, and stays.
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    let slug = documents(&folder.path().join("ctk-binhthuan"))[0]["section"]["id"].clone();
    let theirs = "11111111-1111-4111-8111-111111111111";
    cms.make(
        "items/categories",
        &json!({ "id": theirs, "name": "Của biên tập viên", "slug": slug }),
    );
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    assert!(cms.articles().iter().any(|a| a["categories"] == theirs));
    let before = cms.articles();
    for key in ["news:2", "news:3"] {
        change(folder.path(), key, |d| d["title"] = format!("Mới {key}").into());
    }
    site.plan();
    site.apply(&[], 0);
    let touched = id_of(folder.path(), "news:3");
    cms.edit(
        &format!("items/articles/{touched}"),
        &json!({ "summary": "của biên tập viên" }),
    );
    let said = text(&site.run(&["rollback", MAPPING], 6).stderr);
    assert!(said.contains("0 removed, 1 restored, 1 left"), "{said}");
    for (old, now) in before.iter().zip(cms.articles()) {
        assert_eq!(old["title"] == now["title"], now["id"] != json!(touched), "{now}");
    }
    // The first run: what nobody touched since goes.
    let runs = text(
        &site
            .run(&["rollback", MAPPING, "--run", &run_of(folder.path(), 0)], 6)
            .stderr,
    );
    assert!(runs.contains("a later run wrote it"), "{runs}");
    let left = cms.articles();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["id"], json!(touched));
    // Terms that are in use, and those of others, stay; so do files that the entry shows.
    assert!(
        cms.get("items/categories?limit=-1")
            .iter()
            .any(|c| c["id"] == theirs)
    );
}

/// The uid of the n-th apply.
fn run_of(output: &Path, n: usize) -> String {
    let ledger = sangtrang::ledger::Ledger::read(&output.join("ctk-binhthuan/ledger.db")).unwrap();
    let runs = ledger.runs().unwrap();
    let mut applied: Vec<_> = runs.iter().filter(|r| r.command == "apply").collect();
    applied.sort_by_key(|r| r.id);
    applied[n].uid.clone()
}

#[test]
fn what_directus_got_goes_again_and_comes_again() {
    let Some(cms) = Directus::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&cms, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let said = text(&site.run(&["rollback", MAPPING], 0).stderr);
    assert!(said.contains("0 left"), "{said}");
    assert!(cms.articles().is_empty());
    assert_eq!((Cms::files(&cms), Cms::terms(&cms).len()), (0, 0));
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
}
