//! `sangtrang learn`, `@learned` and the alarm: what several pages teach, kept in the ledger, told when it does not hold.

use crate::support::{documents, expect, sangtrang, text};
use sangtrang::demo::{Expected, Portal, Skin};
use sangtrang::document::{Block, Document};
use sangtrang::ledger::Ledger;
use sangtrang::pipeline::stored_model;
use serde_json::Value;
use std::path::PathBuf;
use std::process::Command;

const SKIN: Skin = Skin::NukeViet;
/// The layout that the portal changes to.
const NEW: Skin = Skin::PhpNuke;

/// A portal that is read from files: its home page, its lists, a login, a notice that is no more, and articles.
struct Saved {
    folder: tempfile::TempDir,
    portal: Portal,
    files: usize,
}

impl Saved {
    fn new(articles: std::ops::Range<usize>) -> Self {
        let mut saved = Self {
            folder: tempfile::tempdir().unwrap(),
            portal: Portal::new(30, 1).skinned(SKIN),
            files: 0,
        };
        saved.add("/", &saved.portal.served("/", None).unwrap().body.clone());
        let home = text(&saved.portal.served("/", None).unwrap().body);
        let mut open: Vec<String> = links(&home);
        let mut seen = open.clone();
        let all: Vec<String> = saved.portal.expected().iter().map(|t| path(&t.url)).collect();
        while let Some(link) = open.pop() {
            let served = saved.portal.served(&link, None).unwrap();
            if served.status != 200 || all.contains(&link) || !served.content_type.contains("html") {
                continue;
            }
            for more in links(&text(&served.body)) {
                if !seen.contains(&more) {
                    seen.push(more.clone());
                    open.push(more);
                }
            }
            saved.add(&link, &served.body);
        }
        for index in articles {
            let url = path(&saved.portal.expected()[index].url);
            let body = saved.portal.served(&url, None).unwrap().body;
            saved.add(&url, &body);
        }
        saved
    }

    fn add(&mut self, path: &str, body: &[u8]) {
        let url = format!("{}{path}", SKIN.base().trim_end_matches('/'));
        let mut page = format!("<!-- saved from url=({:04}){url} -->\n", url.len()).into_bytes();
        page.extend(body);
        std::fs::create_dir_all(self.saved()).unwrap();
        std::fs::write(self.saved().join(format!("{}.html", self.files)), page).unwrap();
        self.files += 1;
    }

    /// Articles as the new layout shows them, under the addresses that they have.
    fn redesign(&mut self, articles: std::ops::Range<usize>) {
        let new = Portal::new(30, 1).skinned(NEW);
        for index in articles {
            let body = new
                .served(&path_of(NEW, &new.expected()[index]), None)
                .unwrap()
                .body;
            let url = path(&self.portal.expected()[index].url);
            self.add(&url, &body);
        }
    }

    fn saved(&self) -> PathBuf {
        self.folder.path().join("saved")
    }

    fn mapping(&self) -> PathBuf {
        self.folder.path().join("m/portal.toml")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = sangtrang();
        command.args(args).arg("--output").arg(self.folder.path());
        command
    }

    fn init(&self) {
        let mut command = self.command(&["init"]);
        command.arg(self.saved()).args(["--id", "portal", "--mappings"]);
        command.arg(self.folder.path().join("m"));
        expect(&mut command, 0);
    }

    fn run(&self) {
        self.finish("run");
    }

    /// What the files do not hold (pictures) is a finding, and said.
    fn finish(&self, command: &str) {
        let out = self.command(&[command]).arg(self.mapping()).output().unwrap();
        assert!(matches!(out.status.code(), Some(0 | 4)), "{}", text(&out.stderr));
    }

    fn learn(&self, args: &[&str], code: i32) -> (String, String) {
        let out = expect(self.command(&["learn"]).args(args).arg(self.mapping()), code);
        (text(&out.stdout), text(&out.stderr))
    }

    fn ledger(&self) -> PathBuf {
        self.folder.path().join("portal/ledger.db")
    }

    fn versions(&self) -> Vec<u32> {
        Ledger::read(&self.ledger()).unwrap().model_versions().unwrap()
    }

    fn found(&self) -> Vec<Document> {
        let all = documents(&self.folder.path().join("portal"));
        all.into_iter()
            .map(|d| serde_json::from_value(d).unwrap())
            .collect()
    }
}

fn path(url: &str) -> String {
    path_at(SKIN, url)
}

fn path_of(skin: Skin, truth: &Expected) -> String {
    path_at(skin, &truth.url)
}

fn path_at(skin: Skin, url: &str) -> String {
    format!("/{}", url.strip_prefix(&skin.base()).unwrap())
}

/// Addresses of the site that a page links to.
fn links(html: &str) -> Vec<String> {
    let hrefs = html.split("href=\"").skip(1).filter_map(|p| p.split('"').next());
    hrefs
        .filter(|h| h.starts_with('/'))
        .map(|h| h.replace("&amp;", "&"))
        .collect()
}

fn body(blocks: &[Block]) -> String {
    blocks.iter().map(Block::text).collect::<Vec<_>>().join("\n")
}

/// Models are stored by `init`, shown beside the archive by `learn`, changed by `--accept` alone, and kept by a ledger that is
/// made anew. The mapping is never written.
#[test]
fn learn_shows_and_stores_only_what_is_accepted() {
    let mut site = Saved::new(0..12);
    site.init();
    assert_eq!(site.versions(), [1]);
    // Without the rule against it, the notice that is no more is captured; it is no article all the same.
    let draft = std::fs::read_to_string(site.mapping()).unwrap();
    let reject = draft.find("[[reject]]").unwrap();
    let end = reject + draft[reject..].find("\n#").unwrap();
    std::fs::write(site.mapping(), format!("{}{}", &draft[..reject], &draft[end..])).unwrap();
    site.run();
    let mapping = std::fs::read(site.mapping()).unwrap();
    let before = site.found();
    assert_eq!(before.len(), 12);
    assert!(
        before
            .iter()
            .all(|d| !d.quality.gates.iter().any(|g| g.id == "odd-page"))
    );

    let (said, told) = site.learn(&["--exit-code"], 0);
    assert!(said.contains("= article-1: 12 pages since "), "{said}");
    assert!(!said.contains("\n+ ") && !said.contains("\n~ "), "{said}");
    assert!(told.contains("0 differences to the stored models"), "{told}");
    assert_eq!(site.versions(), [1], "nothing is stored silently");

    // What is no article taught nothing: the notice that is no more has a template without rules, the login was never taken
    // for a page.
    let json = expect(site.command(&["--json", "learn"]).arg(site.mapping()), 0);
    let json: Value = serde_json::from_slice(&json.stdout).unwrap();
    let of = |kind: &str| -> Vec<&Value> {
        let all = json["templates"].as_array().unwrap();
        all.iter().filter(|t| t["kind"] == kind).collect()
    };
    assert_eq!(of("article").len(), 1, "{json:#}");
    assert_eq!(
        (&of("article")[0]["taught"], &of("article")[0]["pages"]),
        (&Value::from(12), &Value::from(12))
    );
    assert_eq!(of("gone").len(), 1, "{json:#}");
    assert_eq!(of("gone")[0]["learned"], false);
    assert!(of("other").is_empty() && of("login").is_empty(), "{json:#}");

    // The portal changes its face.
    site.redesign(12..24);
    site.run();
    let truths = site.portal.expected();
    let after = site.found();
    assert_eq!(after.len(), 24);
    let mut odd = 0;
    for document in &after {
        assert_eq!(document.accounting.unaccounted, 0);
        let gate = document.quality.gates.iter().find(|g| g.id == "odd-page");
        let truth = truths
            .iter()
            .find(|t| document.provenance.fetch.requested.ends_with(&path(&t.url)))
            .unwrap();
        if let Some(gate) = gate {
            odd += 1;
            assert!(gate.note.contains("guess"), "{gate:?}");
            let told = &document.provenance.fields["body"];
            assert_eq!(
                (told.rule.as_str(), told.method.as_str()),
                ("auto:content", "alarm")
            );
            assert!(told.confidence > 0.3 && told.confidence < 1.0, "{told:?}");
            assert_eq!(document.provenance.learned.as_ref().unwrap().version, 1);
            // It is the article, whatever stands around it.
            let said = body(&document.body);
            let first = truth
                .text()
                .lines()
                .map(str::to_owned)
                .max_by_key(String::len)
                .unwrap();
            assert!(said.contains(&first), "{}: {said}", truth.url);
        } else {
            assert_eq!(body(&document.body), truth.text());
        }
    }
    assert_eq!(odd, 12);
    let report = std::fs::read_to_string(site.folder.path().join("portal/report.txt")).unwrap();
    assert!(report.contains("odd-page"), "{report}");

    let (said, told) = site.learn(&["--exit-code"], 5);
    let today = jiff::Zoned::now().date().year().to_string();
    assert!(
        said.contains("+ article-2: a new template (Article)") && said.contains("otherwise than article-1"),
        "{said}"
    );
    assert!(
        told.contains(&format!("a new template (article) since {today}"))
            && told.contains(" on 12 pages: article-2"),
        "{told}"
    );
    assert!(
        told.contains("article-1 drifts: 12 of 24 pages are odd"),
        "{told}"
    );
    assert_eq!(site.versions(), [1]);

    // A draft is another file; the mapping stays as it is.
    let draft = site.folder.path().join("draft.toml");
    site.learn(&["-o", draft.to_str().unwrap()], 0);
    site.learn(&["-o", draft.to_str().unwrap()], 2);
    site.learn(&["-o", draft.to_str().unwrap(), "--force"], 0);
    expect(sangtrang().arg("check").arg(&draft), 0);
    let drafted = std::fs::read_to_string(&draft).unwrap();
    // Two kinds of articles, and the rest.
    assert_eq!(drafted.matches("\n[[collection]]").count(), 3, "{drafted}");
    assert!(drafted.contains("rest = true"), "{drafted}");
    site.learn(&["-o", site.mapping().to_str().unwrap()], 2);
    assert_eq!(std::fs::read(site.mapping()).unwrap(), mapping);

    site.learn(&["--accept"], 0);
    assert_eq!(site.versions(), [1, 2]);
    let (said, told) = site.learn(&["--accept", "--exit-code"], 0);
    assert!(
        !said.contains("\n+ ") && told.contains("version 2 says the same"),
        "{said}{told}"
    );
    assert_eq!(site.versions(), [1, 2]);

    // A ledger of the archive alone has the models of the one that it replaces; without that one they are learned anew.
    let stored = || {
        stored_model(&Ledger::read(&site.ledger()).unwrap())
            .unwrap()
            .unwrap()
    };
    let kept = stored();
    expect(
        site.command(&["ledger", "rebuild", "--force"])
            .arg(site.mapping()),
        0,
    );
    assert_eq!(site.versions(), [1, 2]);
    assert_eq!(stored().hash, kept.hash);
    site.learn(&["--exit-code"], 0);
    assert_eq!(std::fs::read(site.mapping()).unwrap(), mapping);
}

/// `@learned` reads what the models say; without models each page is read by itself and says so. Equal archives and models
/// give equal documents.
#[test]
fn learned_containers_come_from_the_ledger() {
    let site = Saved::new(0..12);
    site.init();
    site.run();
    let by_rules = site.found();
    let draft = std::fs::read_to_string(site.mapping()).unwrap();
    let line = draft.lines().find(|l| l.starts_with("container = [")).unwrap();
    let learned = draft
        .replace(line, "container = [\"div.khong-co\", \"@learned\"]")
        .replace("alarm = true", "alarm = false");
    std::fs::write(site.mapping(), learned).unwrap();
    site.run();
    let by_model = site.found();
    assert_eq!(by_model.len(), 12);
    for (a, b) in by_rules.iter().zip(&by_model) {
        assert_eq!(a.revision, b.revision, "{}", a.source_key);
        let told = &b.provenance.fields["body"];
        assert_eq!(told.rule, "learned:article-1");
        let from = b.provenance.learned.as_ref().unwrap();
        assert_eq!((from.version, from.template.as_str()), (1, "article-1"));
        assert_eq!(b.accounting.unaccounted, 0);
    }
    site.run();
    assert_eq!(
        site.found(),
        by_model,
        "the same archive, the same models, the same documents"
    );

    // Without models: a ledger that was made of the archive alone.
    std::fs::remove_file(site.ledger()).unwrap();
    expect(site.command(&["ledger", "rebuild"]).arg(site.mapping()), 0);
    assert!(site.versions().is_empty());
    site.finish("extract");
    for document in site.found() {
        let gate = document
            .quality
            .gates
            .iter()
            .find(|g| g.id == "odd-page")
            .unwrap();
        assert!(gate.note.contains("sangtrang learn"), "{gate:?}");
        assert_eq!(document.provenance.fields["body"].method, "alarm");
        assert!(document.provenance.learned.is_none());
    }
    site.learn(&["--accept"], 0);
    site.finish("extract");
    let again = site.found();
    for (a, b) in by_model.iter().zip(&again) {
        assert_eq!(a.revision, b.revision);
        assert_eq!(b.provenance.learned.as_ref().unwrap().version, 1);
    }
}
