//! Delivery into CMSs that a mapping declares: a real Wagtail, and with `SANGTRANG_CMS=all` a real Strapi.

use crate::cms::{Cms, FAST, MAPPING, ask, change, extracted, free_port};
use crate::deliver_faults::{kills, schedules};
use crate::site::Site;
use crate::support::{ROOT, documents, expect, files, sangtrang, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Wagtail,
    Strapi,
}

/// A started CMS.
#[derive(Clone)]
struct Started {
    data: PathBuf,
    base: String,
    secret: String,
    parent: String,
}

/// The CMS, held by one test.
pub struct Declared {
    kind: Kind,
    at: Started,
    _turn: MutexGuard<'static, ()>,
}

static TURNS: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];
static STARTED: [OnceLock<Started>; 2] = [OnceLock::new(), OnceLock::new()];

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Wagtail => "wagtail",
            Self::Strapi => "strapi",
        }
    }

    /// Where its program is installed.
    fn app(self) -> PathBuf {
        Path::new(ROOT).join("target/cms").join(self.name())
    }

    fn script(self, args: &[&str]) -> String {
        let name = self.name();
        let output = Command::new(Path::new(ROOT).join(format!("tests/cms/{name}.sh")))
            .args(args)
            .env(
                format!("{}_UNTIL", name.to_uppercase()),
                std::process::id().to_string(),
            )
            .output()
            .unwrap();
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "{name}.sh {args:?}: {said}");
        said
    }

    fn start(self) -> Started {
        let data = std::env::temp_dir().join(format!("sangtrang-{}-{}", self.name(), std::process::id()));
        let port = free_port().to_string();
        let said = self.script(&["up", self.app().to_str().unwrap(), data.to_str().unwrap(), &port]);
        let value = |name: &str| {
            let line = said.lines().find_map(|l| l.strip_prefix(name));
            line.unwrap_or_default().to_owned()
        };
        Started {
            base: value("CMS_BASE="),
            secret: value("CMS_SECRET="),
            parent: value("CMS_PARENT_ID="),
            data,
        }
    }
}

impl Declared {
    /// An empty Wagtail; says loudly when there is none.
    pub fn wagtail() -> Option<Self> {
        if !Kind::Wagtail.app().join("ready").exists() {
            eprintln!(
                "SKIPPED: there is no Wagtail; `tests/cms/wagtail.sh deps target/cms/wagtail` installs it"
            );
            return None;
        }
        Some(Self::empty(Kind::Wagtail))
    }

    /// An empty Strapi, if it was asked for.
    pub fn strapi() -> Option<Self> {
        if std::env::var("SANGTRANG_CMS").as_deref() != Ok("all") {
            eprintln!("SKIPPED: Strapi is tested with SANGTRANG_CMS=all (`just test-cms`)");
            return None;
        }
        assert!(
            Kind::Strapi.app().join("node_modules/@strapi/strapi").exists(),
            "`tests/cms/strapi.sh deps target/cms/strapi` installs Strapi"
        );
        Some(Self::empty(Kind::Strapi))
    }

    fn empty(kind: Kind) -> Self {
        let turn = TURNS[kind as usize]
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let this = Self {
            kind,
            at: STARTED[kind as usize].get_or_init(|| kind.start()).clone(),
            _turn: turn,
        };
        this.wipe();
        this
    }

    fn headers(&self) -> http::HeaderMap {
        let mut headers = http::HeaderMap::new();
        headers.insert(
            "authorization",
            format!("Bearer {}", self.at.secret).parse().unwrap(),
        );
        headers.insert("content-type", "application/json".parse().unwrap());
        headers
    }

    /// Asks as the administrator.
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let api = match self.kind {
            Kind::Wagtail => "api/v3",
            Kind::Strapi => "api",
        };
        let url = format!("{}/{api}/{path}", self.at.base);
        let (status, _, answer) = ask(&url, method, self.headers(), body);
        (status, answer)
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = self.ask("GET", path, None);
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Changes something as an editor does.
    fn edit(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.ask(method, path, Some(&body));
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// All objects of a list.
    fn all(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            let more = format!("{path}limit=20&offset={}", all.len());
            let items = self.get(&more)["items"].as_array().unwrap().clone();
            let last = items.len() < 20;
            all.extend(items);
            if last {
                return all;
            }
        }
    }

    /// All articles, as editors see them.
    fn articles(&self) -> Vec<Value> {
        match self.kind {
            Kind::Wagtail => self
                .all("pages/?type=home.ArticlePage&")
                .iter()
                .map(|p| self.get(&format!("pages/{}/?version=draft", p["id"])))
                .collect(),
            Kind::Strapi => {
                self.get("articles?status=draft&populate=*&sort=id&pagination[pageSize]=100")["data"]
                    .as_array()
                    .unwrap()
                    .clone()
            }
        }
    }

    fn public(&self, article: &Value) -> bool {
        match self.kind {
            Kind::Wagtail => article["live"] == true,
            Kind::Strapi => {
                let id = article["documentId"].as_str().unwrap();
                self.ask("GET", &format!("articles/{id}?status=published"), None)
                    .0
                    == 200
            }
        }
    }

    /// The article of a document, by its key.
    fn article(&self, output: &Path, source_key: &str) -> Value {
        let documents = documents(&output.join("ctk-binhthuan"));
        let document = documents.iter().find(|d| d["source_key"] == source_key).unwrap();
        let key = format!("doc:{}", document["id"].as_str().unwrap());
        let name = match self.kind {
            Kind::Wagtail => "legacy_key",
            Kind::Strapi => "legacyKey",
        };
        self.articles()
            .into_iter()
            .find(|a| a[name] == key.as_str())
            .unwrap()
    }

    /// What the target file says beside address and secret.
    fn rules(&self) -> String {
        let common = "[[target.entry]]\ncollection = \"news\"\nterms = { section = \"section\" }\nfields = { byline = \"byline.raw\" }\n";
        match self.kind {
            Kind::Wagtail => format!(
                "[target.http.vars]\nparent_id = {}\nsnippets = {{ section = \"home.Section\" }}\n{common}type = \"home.ArticlePage\"\n",
                self.at.parent
            ),
            Kind::Strapi => format!("{common}type = \"articles\"\nurl = \"/{{slug}}\"\n"),
        }
    }
}

impl Cms for Declared {
    fn base(&self) -> &str {
        &self.at.base
    }

    fn target_at(&self, folder: &Path, base: &str, more: &str) -> PathBuf {
        let path = folder.join("target.toml");
        let (name, rules) = (self.kind.name(), self.rules());
        let text = format!(
            "[target]\nkind = \"http-json\"\npreset = \"{name}\"\nurl = \"{base}/\"\nname = \"test\"\nsecret_env = \"CMS_SECRET\"\n{FAST}{more}{rules}"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    fn command(&self) -> Command {
        let mut command = sangtrang();
        command.env("CMS_SECRET", &self.at.secret);
        command
    }

    fn wipe(&self) {
        let (app, data) = (self.kind.app(), self.at.data.clone());
        match self.kind {
            Kind::Wagtail => self
                .kind
                .script(&["wipe", app.to_str().unwrap(), data.to_str().unwrap()]),
            Kind::Strapi => self.kind.script(&["wipe", data.to_str().unwrap()]),
        };
    }

    fn held(&self) -> Vec<(String, bool)> {
        let articles = self.articles();
        let title = |a: &Value| a["title"].as_str().unwrap().to_owned();
        articles.iter().map(|a| (title(a), self.public(a))).collect()
    }

    fn files(&self) -> usize {
        match self.kind {
            Kind::Wagtail => self.all("images/?").len() + self.all("documents/?").len(),
            Kind::Strapi => self.get("upload/files").as_array().unwrap().len(),
        }
    }

    fn terms(&self) -> Vec<String> {
        let all = match self.kind {
            Kind::Wagtail => self.all("snippets/home.Section/?"),
            Kind::Strapi => self.get("sections?pagination[pageSize]=100")["data"]
                .as_array()
                .unwrap()
                .clone(),
        };
        all.iter()
            .map(|s| s["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// A portal arrives whole, is left alone when nothing changed, and goes again.
fn moves(cms: &Declared) {
    let folder = extracted(12);
    let site = Site::new(cms, folder.path(), "");
    site.run(&["target", "check", MAPPING], 0);
    let plan = site.plan();
    assert_eq!(plan["counts"]["create"], 12);
    let first = std::fs::read(site.plan_file()).unwrap();
    site.plan();
    assert_eq!(
        std::fs::read(site.plan_file()).unwrap(),
        first,
        "the same input, the same bytes"
    );
    assert!(cms.held().is_empty(), "a plan writes nothing");

    site.apply(&[], 0);
    assert_eq!(site.verify(0), []);
    let documents = documents(&folder.path().join("ctk-binhthuan"));
    let held = cms.held();
    assert_eq!(held.len(), documents.len());
    assert!(held.iter().all(|h| h.1), "all are public");
    let instant = |t: &Value| t.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    for document in &documents {
        let article = cms.article(folder.path(), document["source_key"].as_str().unwrap());
        assert_eq!(article["title"], document["title"]);
        assert_eq!(article["section"]["id"].is_null(), document["section"].is_null());
        let (date, body) = match cms.kind {
            Kind::Wagtail => ("published_on", "body_html"),
            Kind::Strapi => ("publishedOn", "body"),
        };
        let day = document["dates"]["published"]["value"].as_str().unwrap();
        let zoned = instant(&article[date]).to_zoned(jiff::tz::TimeZone::get("Asia/Ho_Chi_Minh").unwrap());
        assert_eq!(zoned.strftime("%Y-%m-%d").to_string(), day[..10]);
        let body = article[body].as_str().unwrap();
        assert!(body.contains("<p>") && !body.contains('\u{E000}'), "{body}");
        let lead = document["media"].as_array().unwrap();
        let lead = lead.iter().any(|m| m["role"] == "lead" && m["state"] == "ok");
        assert_eq!(!article["cover"].is_null(), lead);
    }
    let hashes: BTreeSet<String> = documents
        .iter()
        .flat_map(|d| [&d["media"], &d["attachments"]].map(|l| l.as_array().unwrap().clone()))
        .flatten()
        .filter(|m| m["state"] == "ok")
        .map(|m| m["ref"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(cms.files(), hashes.len(), "one file a hash");
    if cms.kind == Kind::Wagtail {
        // What readers get.
        let article = cms.article(folder.path(), documents[0]["source_key"].as_str().unwrap());
        let (status, _, page) = ask(
            article["meta"]["html_url"].as_str().unwrap(),
            "GET",
            http::HeaderMap::new(),
            None,
        );
        assert_eq!(status, 200);
        assert!(
            page.as_str()
                .unwrap()
                .contains(documents[0]["title"].as_str().unwrap())
        );
    }
    let plan = site.plan();
    assert_eq!(
        (&plan["counts"]["unchanged"], &plan["changes"]),
        (&json!(12), &json!([]))
    );
    // A second run changes one; both are taken back, the last one first.
    change(folder.path(), "news:2", |d| d["title"] = "Mới".into());
    let old = cms.article(folder.path(), "news:2")["title"].clone();
    site.plan();
    site.apply(&[], 0);
    assert_eq!(cms.article(folder.path(), "news:2")["title"], "Mới");
    assert_eq!(site.verify(0), []);
    site.run(&["rollback", MAPPING], 0);
    let back = cms.article(folder.path(), "news:2");
    assert_eq!(back["title"], old);
    assert!(cms.public(&back));
}

/// What an editor did is never overwritten.
fn holds(cms: &Declared, edit: &dyn Fn(&Value, &str)) {
    let folder = extracted(12);
    let site = Site::new(cms, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let (a, b) = (
        cms.article(folder.path(), "news:2"),
        cms.article(folder.path(), "news:3"),
    );
    edit(&a, "Sửa trước kế hoạch");
    // Seen although nothing is to be written there.
    let plan = site.plan();
    assert_eq!(plan["holds"][0]["reason"], "drift", "{plan:#}");
    for key in ["news:2", "news:3", "news:4"] {
        change(folder.path(), key, |d| {
            d["title"] = "Tiêu đề mới của cổng cũ".into()
        });
    }
    let plan = site.plan();
    assert_eq!(plan["holds"][0]["fields"][0]["to"], "Sửa trước kế hoạch");
    assert_eq!(plan["counts"]["update"], 2);
    edit(&b, "Sửa sau kế hoạch");
    site.apply(&[], 6);
    let title = |key: &str| cms.article(folder.path(), key)["title"].clone();
    assert_eq!(title("news:2"), "Sửa trước kế hoạch");
    assert_eq!(title("news:3"), "Sửa sau kế hoạch");
    assert_eq!(title("news:4"), "Tiêu đề mới của cổng cũ");
}

#[test]
fn a_portal_moves_into_wagtail_and_the_next_plan_is_empty() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    moves(&wagtail);
}

#[test]
fn a_portal_moves_into_strapi_and_the_next_plan_is_empty() {
    let Some(strapi) = Declared::strapi() else { return };
    moves(&strapi);
}

#[test]
fn entries_of_wagtail_are_taken_off_and_made_public_again() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    let folder = extracted(6);
    for (state, public) in [("publish", true), ("draft", false), ("publish", true)] {
        let site = Site::new(&wagtail, folder.path(), &format!("state = \"{state}\"\n"));
        site.plan();
        site.apply(&[], 0);
        assert_eq!(site.verify(0), []);
        assert!(wagtail.held().iter().all(|h| h.1 == public), "{state}");
    }
    assert_eq!(wagtail.held().len(), 6);
}

#[test]
fn what_an_editor_of_wagtail_changed_is_held() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    // A draft beside the public page is work of theirs as well.
    holds(&wagtail, &|page, title| {
        wagtail.edit(
            "PATCH",
            &format!("pages/{}/", page["id"]),
            json!({ "title": title }),
        );
    });
}

#[test]
fn what_an_editor_of_strapi_changed_is_held() {
    let Some(strapi) = Declared::strapi() else { return };
    holds(&strapi, &|article, title| {
        let path = format!(
            "articles/{}?status=draft",
            article["documentId"].as_str().unwrap()
        );
        strapi.edit("PUT", &path, json!({ "data": { "title": title } }));
    });
}

#[test]
fn each_silent_loss_in_wagtail_is_found() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    let folder = extracted(12);
    let site = Site::new(&wagtail, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    assert_eq!(site.verify(0), []);
    let articles = wagtail.articles();
    // Which article comes first is chance.
    let with = |what: &str, not: Option<usize>| {
        let has = |at: &usize| articles[*at]["body_html"].as_str().unwrap().contains(what);
        (0..articles.len())
            .filter(|at| Some(*at) != not)
            .find(has)
            .unwrap()
    };
    let link = with("<a href", None);
    let picture = with("<img", Some(link));
    let mut free = (0..articles.len()).filter(|i| ![link, picture].contains(i));
    let mut meant = Vec::new();
    let mut break_one = |at: usize, field: &str, mut body: Value| {
        body["meta"] = json!({ "action": "publish" });
        wagtail.edit("PATCH", &format!("pages/{}/", articles[at]["id"]), body);
        meant.push((field.to_owned(), articles[at]["id"].to_string()));
    };
    let mut next = || free.next().unwrap();
    break_one(next(), "section", json!({ "section_id": null }));
    break_one(next(), "byline", json!({ "byline": "khác" }));
    // The second of March, read as the third of February.
    break_one(
        next(),
        "date",
        json!({ "published_on": "2015-02-03T00:00:00+07:00" }),
    );
    break_one(next(), "title", json!({ "title": "x" }));
    break_one(next(), "slug", json!({ "slug": "khac" }));
    break_one(next(), "key", json!({ "legacy_key": null }));
    let body = |at: usize| articles[at]["body_html"].as_str().unwrap().to_owned();
    let unlinked = regex::Regex::new("<a href=[^>]*>(.*?)</a>").unwrap();
    break_one(
        link,
        "links",
        json!({ "body_html": unlinked.replace_all(&body(link), "$1") }),
    );
    break_one(
        picture,
        "pictures",
        json!({ "body_html": body(picture).replacen("src=\"", "src=\"/khac/", 1) }),
    );
    let at = next();
    let word = body(at)
        .split("<p>")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    break_one(
        at,
        "text",
        json!({ "body_html": body(at).replacen(&word, "", 1) }),
    );
    let at = next();
    wagtail.edit(
        "POST",
        &format!("pages/{}/actions/unpublish/", articles[at]["id"]),
        json!({}),
    );
    meant.push(("state".into(), articles[at]["id"].to_string()));
    let images = wagtail.all("images/?");
    let id = |i: usize| images[i]["id"].to_string();
    wagtail.edit(
        "PATCH",
        &format!("images/{}/", id(0)),
        json!({ "description": "khác" }),
    );
    let file = |i: usize| {
        let url = images[i]["meta"]["download_url"].as_str().unwrap();
        wagtail.at.data.join(url.trim_start_matches('/'))
    };
    std::fs::write(file(1), b"other bytes").unwrap();
    std::fs::remove_file(file(2)).unwrap();
    assert_eq!(wagtail.ask("DELETE", &format!("images/{}/", id(3)), None).0, 204);
    let papers = wagtail.all("documents/?");
    let paper = papers[0]["id"].to_string();
    assert_eq!(wagtail.ask("DELETE", &format!("documents/{paper}/"), None).0, 204);
    meant.push(("alt".into(), id(0)));
    meant.push(("bytes".into(), id(1)));
    meant.push(("bytes".into(), id(2)));
    meant.push(("missing".into(), id(3)));
    meant.push(("missing".into(), format!("file:{paper}")));
    let found = site.verify(4);
    for one in &meant {
        assert!(found.contains(one), "{one:?} is not among {found:#?}");
    }
}

#[test]
fn rich_text_that_unwraps_tables_is_told_by_the_run_itself() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    let folder = extracted(12);
    let has_table = |a: &Value| a["body"].as_array().unwrap().iter().any(|b| b["kind"] == "table");
    assert!(
        documents(&folder.path().join("ctk-binhthuan"))
            .iter()
            .any(has_table),
        "the portal has tables"
    );
    let more = "[target.http.document.fields]\nbody = { value = \"{{ body }}\", write = \"rich\" }\n";
    let site = Site::new(&wagtail, folder.path(), more);
    site.plan();
    let said = site.apply(&[], 4);
    assert!(said.contains("body"), "{said}");
    let found = site.verify(4);
    assert!(
        found
            .iter()
            .any(|f| ["markup", "text", "pictures"].contains(&f.0.as_str())),
        "{found:#?}"
    );
}

#[test]
fn what_wagtail_lacks_is_said_before_anything_is_written() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    let folder = extracted(12);
    let more = "[target.http.document.fields]\nghost = { value = \"{{ title }}\" }\n[target.http.probe]\nexist = [\"pages/99999/\"]\n";
    let site = Site::new(&wagtail, folder.path(), more);
    let said = text(&site.run(&["plan", MAPPING], 3).stderr);
    assert!(said.contains("has no field `ghost`"), "{said}");
    assert!(said.contains("pages/99999/` is not there"), "{said}");
    let types = "[target.http.vars]\nparent_id = 1\n[[target.entry]]\ncollection = \"news\"\ntype = \"home.Nothing\"\nterms = { section = \"section\" }\n";
    let text_of = std::fs::read_to_string(&site.target).unwrap();
    let head = text_of.split("[target.http").next().unwrap();
    std::fs::write(&site.target, format!("{head}{types}")).unwrap();
    let said = text(&site.run(&["target", "check", MAPPING], 3).stderr);
    assert!(said.contains("schema/home.Nothing/` is not there"), "{said}");
    assert!(said.contains("vars.snippets[of]"), "{said}");
    assert!(wagtail.articles().is_empty() && wagtail.files() == 0 && wagtail.terms().is_empty());
}

#[test]
fn the_secret_is_written_nowhere_and_goes_nowhere_else() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    let folder = extracted(12);
    let site = Site::new(&wagtail, folder.path(), "");
    let mut said = Vec::new();
    let mut run = |args: &[&str], code: i32| {
        let mut command = wagtail.command();
        command
            .env("SANGTRANG_LOG", "trace")
            .arg("-vvv")
            .args(args)
            .arg("--output")
            .arg(folder.path());
        if args[0] != "apply" {
            command.arg("--target").arg(&site.target);
        }
        let output = expect(&mut command, code);
        said.extend(output.stdout);
        said.extend(output.stderr);
    };
    run(&["plan", MAPPING], 0);
    run(&["apply", site.plan_file().to_str().unwrap()], 0);
    run(&["verify", MAPPING], 0);
    let mut wrong = wagtail.command();
    wrong
        .env("CMS_SECRET", "hunter2-hunter2")
        .args(["plan", MAPPING, "--target"])
        .arg(&site.target);
    let output = expect(wrong.arg("--output").arg(folder.path()), 3);
    said.extend(output.stderr);
    for secret in [wagtail.at.secret.as_str(), "hunter2-hunter2"] {
        assert!(!text(&said).contains(secret), "a secret was printed");
        for file in files(folder.path()) {
            let bytes = std::fs::read(folder.path().join(&file)).unwrap();
            assert!(
                memchr::memmem::find(&bytes, secret.as_bytes()).is_none(),
                "{}",
                file.display()
            );
        }
    }
    // A declaration that would carry it to somebody else: refused where it is read, and where it is sent.
    let thief = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    thief.set_nonblocking(true).unwrap();
    let at = thief.local_addr().unwrap();
    let away = |path: &str| {
        let more = format!("[target.http]\nbase = \"\"\nprobe = {{ path = \"{path}\" }}\n");
        Site::new(&wagtail, folder.path(), &more)
    };
    for path in [
        format!("http://{at}/"),
        format!("//{at}/"),
        format!("\\\\\\\\{at}/"),
    ] {
        let said = text(&away(&path).run(&["target", "check", MAPPING], 3).stderr);
        assert!(said.contains("leads away from the CMS"), "{said}");
    }
    let site = away(&format!("\\t//{at}/"));
    let mut command = wagtail.command();
    command
        .args(["target", "check", MAPPING, "--target"])
        .arg(&site.target);
    let output = command.arg("--output").arg(folder.path()).output().unwrap();
    assert!(!output.status.success());
    assert!(
        text(&output.stderr).contains("nothing was sent"),
        "{}",
        text(&output.stderr)
    );
    assert!(thief.accept().is_err(), "somebody else was asked");
}

#[test]
fn under_any_schedule_of_faults_wagtail_holds_every_entry_once() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    schedules(&wagtail, 10);
}

#[test]
fn killed_at_a_request_wagtail_holds_nothing_twice() {
    let Some(wagtail) = Declared::wagtail() else {
        return;
    };
    kills(&wagtail, 22);
}

#[test]
fn under_faults_strapi_holds_every_entry_once() {
    let Some(strapi) = Declared::strapi() else { return };
    schedules(&strapi, 3);
}
