//! Two sets of documents against each other: runs, folders, a CMS.

mod planted;

use crate::cms::{MAPPING, WordPress, change, extracted};
use crate::site::Site;
use crate::support::{Served, documents, expect, sangtrang, text};
use sangtrang::demo::{Event, Life, Living, serve_life};
use sangtrang::ledger::Ledger;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use planted::{body, paragraphs};

const SITE: &str = "ctk-binhthuan";

/// A command that compares.
fn diff(output: &Path, old: &str, new: &str, more: &[&str]) -> Command {
    let mut command = sangtrang();
    command.args(["diff", old, new]).args(more);
    command.arg("--output").arg(output);
    command
}

/// The summary and the documents that a comparison tells.
fn told(mut command: Command, code: i32) -> (Value, Vec<Value>) {
    lines(&expect(command.arg("--json"), code))
}

fn lines(output: &Output) -> (Value, Vec<Value>) {
    let said = text(&output.stdout);
    let mut lines = said.lines().map(|l| serde_json::from_str::<Value>(l).unwrap());
    let summary = lines.next().unwrap();
    assert_eq!(
        (&summary["schema"], &summary["type"]),
        (&json!("diff/1"), &json!("summary"))
    );
    (summary, lines.collect())
}

fn word(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn classes(document: &Value) -> BTreeSet<String> {
    let all = document["classes"].as_array().into_iter().flatten();
    all.map(word).collect()
}

/// Writes documents as a folder that can be compared.
fn folder(documents: &[Value]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let all: String = documents.iter().map(|d| format!("{d}\n")).collect();
    std::fs::write(folder.path().join("documents.jsonl"), all).unwrap();
    folder
}

/// A portal that lives, and where it is crawled to.
struct Followed {
    living: Arc<Living>,
    served: Served,
    output: tempfile::TempDir,
}

impl Followed {
    fn new(life: Life) -> Self {
        let living = Arc::new(Living::new(life));
        let serving = living.clone();
        Self {
            living,
            served: Served::start(move |listener, stop| serve_life(serving, listener, stop)),
            output: tempfile::tempdir().unwrap(),
        }
    }

    fn command(&self, what: &str, day: u32) -> Command {
        self.living.set_day(day);
        let mut command = sangtrang();
        command.args([what, MAPPING, "--delay", "0ms", "--concurrency", "8", "--refresh"]);
        command.args([
            "--connect-to",
            &format!("::127.0.0.1:{}", self.served.address.port()),
        ]);
        command.arg("--output").arg(self.output.path());
        command
    }

    fn run(&self, day: u32) {
        let said = self.command("run", day).output().unwrap();
        assert!(
            matches!(said.status.code(), Some(0 | 4)),
            "{}",
            text(&said.stderr)
        );
    }

    fn site(&self) -> PathBuf {
        self.output.path().join(SITE)
    }

    /// The key of an article, which may be withdrawn by now or not be there yet.
    fn key(&self, index: usize) -> String {
        let golds = (0..3).map(|day| self.living.life().portal(day).gold_of(index));
        golds.flatten().next().unwrap().document.source_key
    }
}

#[test]
fn two_runs_of_a_portal_differ_in_what_its_office_did_between_them() {
    use Event::{Edit, Move, New, Pictures, Recategorise, Retitle, Withdraw};
    let events = [
        New,
        Edit(3),
        Retitle(5),
        Withdraw(7),
        Recategorise(9, 3),
        Pictures(2),
    ];
    let script = events.map(|e| (1, e)).into_iter().chain([(2, Move(11))]);
    let portal = Followed::new(Life::new(14, 7, script.collect()));
    portal.run(0);
    let first = documents(&portal.site());
    portal.run(1);
    let out = portal.output.path();
    // Lists of related articles that are left out of every page change with each new article.
    let content = ["--ignore", "dropped,accounting"];
    let (sums, found) = told(diff(out, "previous", "last", &content), 1);
    assert_eq!(sums["old"]["kind"], "run");
    assert_eq!(
        (&sums["old_documents"], &sums["new_documents"]),
        (&json!(14), &json!(15))
    );
    let by_key: BTreeMap<String, &Value> = found.iter().map(|d| (word(&d["source_key"]), d)).collect();
    let of = |index: usize| by_key[&portal.key(index)];
    assert_eq!(of(14)["change"], "added");
    assert_eq!(of(3)["change"], "changed");
    assert!(classes(of(3)).contains("block-added"), "{}", of(3));
    assert!(
        of(5)["difference"]["fields"]
            .as_array()
            .unwrap()
            .iter()
            .any(|f| f["name"] == "title")
    );
    assert!(classes(of(9)).contains("place"), "{}", of(9));
    assert!(classes(of(2)).contains("media"), "{}", of(2));
    let gone = of(7);
    assert_eq!(
        (
            &gone["difference"]["fields"][0]["name"],
            &gone["difference"]["fields"][0]["new"]
        ),
        (&json!("portal"), &json!("withdrawn"))
    );
    assert_eq!(sums["same"], 14 - 5, "{found:#?}");

    // The same by what the first run had written, and by its id.
    let before = folder(&first);
    let path = before.path().to_str().unwrap();
    let old = word(&sums["old"]["name"]);
    told(diff(out, path, &old, &[]), 0);
    told(diff(out, &old[..30], &old, &[]), 0);
    let (again, _) = told(diff(out, path, "last", &content), 1);
    // A folder does not say what the portal shows.
    assert_eq!(again["same"], 14 - 4);
    let now = portal.site();
    told(diff(out, "last", now.to_str().unwrap(), &[]), 0);
    let files = now.join("documents");
    told(diff(out, files.to_str().unwrap(), "last", &[]), 0);
    told(diff(out, now.to_str().unwrap(), files.to_str().unwrap(), &[]), 0);

    // People see the counts first, then what was and what is.
    let said = text(&expect(&mut diff(out, "previous", "last", &[]), 1).stdout);
    let all: Vec<&str> = said.lines().collect();
    assert!(
        all[0].starts_with("--- run ") && all[1].starts_with("+++ run ") && all[2].contains(" changed, "),
        "{said}"
    );
    assert!(said.contains("{+ (sửa lần 1)+}"), "{said}");
    let said = text(&expect(&mut diff(out, "previous", "last", &["--limit", "1"]), 1).stdout);
    assert!(said.contains("… and "), "{said}");

    // Another address with another key is the same document.
    portal.run(2);
    let (_, found) = told(diff(out, "previous", "last", &[]), 1);
    let moved: Vec<&Value> = found.iter().filter(|d| d["change"] == "moved").collect();
    assert_eq!(moved.len(), 1, "{found:#?}");
    told(diff(out, &old, "previous", &["--ignore", "portal,place"]), 1);
}

#[test]
fn what_a_killed_extraction_recorded_is_no_run_and_the_next_one_is_whole() {
    let portal = Followed::new(Life::new(60, 7, Vec::new()));
    expect(&mut portal.command("crawl", 0), 0);
    let extract = || {
        let mut command = sangtrang();
        command
            .args(["extract", MAPPING, "--jobs", "1", "--output"])
            .arg(portal.output.path());
        command
    };
    let mut child = extract().stderr(std::process::Stdio::null()).spawn().unwrap();
    let ledger = portal.site().join("ledger.db");
    let begun = || Ledger::read(&ledger).is_ok_and(|l| l.history_begins().is_ok_and(|b| b.is_some()));
    while !begun() && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let killed = Ledger::read(&ledger).unwrap().runs().unwrap().pop().unwrap();
    assert_eq!(
        (killed.command.as_str(), killed.finished),
        ("extract", None),
        "it was killed in time"
    );
    expect(&mut extract(), 0);
    let site = portal.site();
    let (sums, _) = told(diff(portal.output.path(), "last", site.to_str().unwrap(), &[]), 0);
    assert_eq!((&sums["same"], &sums["new_documents"]), (&json!(60), &json!(60)));
    let said = expect(&mut diff(portal.output.path(), &killed.uid, "last", &[]), 2);
    assert!(
        text(&said.stderr).contains("it goes on or was killed"),
        "{}",
        text(&said.stderr)
    );
    // Once more: nothing is new, and nothing is written into the history.
    let id = word(&documents(&site)[0]["id"]);
    let revisions = || Ledger::read(&ledger).unwrap().revisions(&id).unwrap();
    let before = revisions();
    expect(&mut extract(), 0);
    assert_eq!(revisions(), before);
    let json = Ledger::read(&ledger)
        .unwrap()
        .revision(&id, &before[0].content)
        .unwrap()
        .unwrap();
    assert_eq!(
        json,
        std::fs::read(site.join(format!("documents/news/{id}.json"))).unwrap()
    );
}

#[test]
fn noise_is_ignored_by_name_and_nothing_else_with_it() {
    let output = extracted(12);
    let begun = |document: &mut Value, with: &str| {
        let first = paragraphs(document, 2)[0];
        let text = &mut body(document)[first]["text"];
        *text = format!("{with}: {}", word(text)).into();
    };
    let mut was = documents(&output.path().join(SITE));
    was.iter_mut().for_each(|d| begun(d, "Hòa bình"));
    let mut now = documents(&output.path().join(SITE));
    let mut orders = 0;
    for (n, document) in now.iter_mut().enumerate() {
        let with = ["Hoà bình", "Hòa  bình", "Hoà  bình"]
            .get(n)
            .unwrap_or(&"Hòa bình");
        begun(document, with);
        let media = document["media"].as_array_mut().unwrap();
        media.reverse();
        orders += u64::from(media.len() > 1);
    }
    assert!(orders > 0);
    let (before, after) = (folder(&was), folder(&now));
    let compare = |ignore: &[&str], code: i32| {
        let (old, new) = (before.path().to_str().unwrap(), after.path().to_str().unwrap());
        let more: Vec<&str> = ignore.iter().flat_map(|class| ["--ignore", class]).collect();
        told(diff(output.path(), old, new, &more), code)
    };
    let (sums, _) = compare(&[], 1);
    // The third has both kinds of noise.
    assert_eq!(
        sums["by_class"],
        json!({ "media-order": orders, "tone-placement": 2, "whitespace": 1 })
    );
    let (sums, found) = compare(&["media-order,tone-placement"], 1);
    assert_eq!(
        (found.len(), &sums["ignored"]["media-order"]),
        (2, &json!(orders))
    );
    let (_, found) = compare(&["media-order", "whitespace"], 1);
    assert_eq!(found.len(), 2);
    compare(&["media-order", "whitespace", "tone-placement"], 0);
}

#[test]
fn a_comparison_is_one_html_file_and_its_lines_are_of_their_schema() {
    let output = extracted(12);
    let pristine = documents(&output.path().join(SITE));
    let before = folder(&pristine);
    let mut now = pristine;
    now[0]["title"] = "<script>alert('x')</script> & \"dấu\"".into();
    now[1]["accounting"]["visible"] = 7.into();
    now.pop();
    let after = folder(&now);
    let (old, new) = (before.path().to_str().unwrap(), after.path().to_str().unwrap());
    let page = after.path().join("khac.html");
    let said = expect(
        &mut diff(output.path(), old, new, &["--html", page.to_str().unwrap()]),
        1,
    );
    let html = std::fs::read_to_string(&page).unwrap();
    assert!(
        !html.contains("<script") && html.contains("&lt;script&gt;") && html.trim_end().ends_with("</html>")
    );
    assert!(
        !html.contains(" src=") && !html.contains(" href="),
        "it loads nothing"
    );
    assert!(
        text(&said.stdout)
            .contains("1 changed, 0 moved, 1 with the same content by other rules, 0 added, 1 removed")
    );
    let schema = expect(sangtrang().args(["schema", "diff"]), 0);
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let output = expect(diff(output.path(), old, new, &[]).arg("--json"), 1);
    for line in text(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let wrong: Vec<String> = validator.iter_errors(&line).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{line}: {wrong:?}");
    }
}

#[test]
fn trouble_is_told_and_answers_2() {
    let output = extracted(12);
    let out = output.path();
    let site = out.join(SITE);
    let all = documents(&site);
    let good = folder(&all);
    let good = good.path().to_str().unwrap();
    let trouble = |old: &str, new: &str, more: &[&str], says: &[&str]| {
        let said = text(&expect(&mut diff(out, old, new, more), 2).stderr);
        for words in says {
            assert!(said.contains(words), "`{words}` is not in: {said}");
        }
    };
    trouble(
        "/nowhere/at/all",
        good,
        &[],
        &["`/nowhere/at/all` holds no documents", "hint:"],
    );
    let empty = tempfile::tempdir().unwrap();
    trouble(
        good,
        empty.path().to_str().unwrap(),
        &[],
        &["holds no documents", "documents.jsonl"],
    );
    trouble(
        "0123abc",
        good,
        &[],
        &["0 runs of site `ctk-binhthuan` are called `0123abc`", "`./NAME`"],
    );
    trouble("previous", "last", &[], &["0 runs", "`previous`"]);
    let line = |edit: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = all.iter().map(Value::to_string).collect();
        edit(&mut lines);
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("documents.jsonl"), lines.join("\n")).unwrap();
        folder
    };
    let bad = line(&|lines| lines[3].truncate(400));
    trouble(
        good,
        bad.path().to_str().unwrap(),
        &[],
        &["documents.jsonl`, line 4: it is cut off"],
    );
    let bad = line(&|lines| lines[11].truncate(400));
    trouble(
        bad.path().to_str().unwrap(),
        "last",
        &[],
        &["line 12: it is cut off"],
    );
    let bad = line(&|lines| lines.push(lines[0].clone()));
    trouble(good, bad.path().to_str().unwrap(), &[], &["stands in it twice"]);
    let bad = line(&|lines| lines[2] = lines[2].replace("document/1", "document/9"));
    trouble(
        good,
        bad.path().to_str().unwrap(),
        &[],
        &["line 3", "`document/9`"],
    );
    let bad = line(&|lines| lines[5] = lines[5].replace("\"title\":", "\"tytle\":"));
    trouble(good, bad.path().to_str().unwrap(), &[], &["line 6", "tytle"]);
    let other = line(&|lines| {
        for line in lines {
            *line = line.replace("\"site\":\"ctk-binhthuan\"", "\"site\":\"noi-khac\"");
        }
    });
    trouble(
        good,
        other.path().to_str().unwrap(),
        &[],
        &["of site `ctk-binhthuan`", "of `noi-khac`"],
    );
    trouble(
        other.path().to_str().unwrap(),
        "last",
        &["--mapping", MAPPING],
        &["noi-khac"],
    );
    let mixed =
        line(&|lines| lines[1] = lines[1].replace("\"site\":\"ctk-binhthuan\"", "\"site\":\"noi-khac\""));
    trouble(
        good,
        mixed.path().to_str().unwrap(),
        &[],
        &["line 2: it is of site `noi-khac`"],
    );
    trouble(good, "cms", &[], &["--mapping MAPPING"]);
    trouble("cms", "cms", &["--mapping", MAPPING], &["both sides are the CMS"]);
    trouble(good, "last", &["--ignore", "nothing"], &["no kind of change"]);
    trouble(good, good, &["--no-such"], &["--no-such"]);
    // The same failure for a program.
    let said = expect(diff(out, "/nowhere", good, &[]).arg("--json"), 2);
    let error: Value = serde_json::from_str(text(&said.stderr).lines().last().unwrap()).unwrap();
    assert_eq!(
        (&error["code"], &error["exit"]),
        (&json!("diff::no_documents"), &json!(2))
    );
}

#[test]
fn a_run_beside_wordpress_shows_what_editors_changed_there() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    let compare = |old: &str, new: &str, code: i32| {
        lines(&site.run(&["--json", "diff", old, new, "--mapping", MAPPING], code))
    };
    let early = text(&site.run(&["diff", "last", "cms", "--mapping", MAPPING], 2).stderr);
    assert!(early.contains("nothing was delivered to `test` yet"), "{early}");
    site.plan();
    site.apply(&[], 0);
    let (sums, _) = compare("last", "cms", 0);
    assert_eq!((&sums["same"], &sums["new"]["kind"]), (&json!(12), &json!("cms")));
    compare("target:test", "last", 0);
    let wrong = text(
        &site
            .run(&["diff", "last", "target:other", "--mapping", MAPPING], 2)
            .stderr,
    );
    assert!(wrong.contains("the target is called `test`"), "{wrong}");

    let documents = documents(&folder.path().join(SITE));
    let posts = wp.posts();
    let post = |key: &str| {
        let document = documents.iter().find(|d| d["source_key"] == key).unwrap();
        let short = &document["id"].as_str().unwrap()[..8];
        let found = posts
            .iter()
            .find(|p| p["slug"].as_str().unwrap().ends_with(short));
        found.unwrap()
    };
    let edit = |key: &str, what: Value| wp.edit(&format!("posts/{}", post(key)["id"]), what);
    edit("news:2", json!({ "title": "Tiêu đề của biên tập viên" }));
    let raw = word(&post("news:3")["content"]["raw"]);
    edit(
        "news:3",
        json!({ "content": format!("{raw}\n<!-- wp:paragraph -->\n<p>Thêm một câu.</p>\n<!-- /wp:paragraph -->") }),
    );
    wp.ask(
        "DELETE",
        &format!("wp-json/wp/v2/posts/{}?force=true", post("news:4")["id"]),
        None,
    );
    let (sums, found) = compare("last", "cms", 1);
    let by_key: BTreeMap<String, &Value> = found.iter().map(|d| (word(&d["source_key"]), d)).collect();
    assert_eq!(by_key.keys().collect::<Vec<_>>(), ["news:2", "news:3", "news:4"]);
    let title = &by_key["news:2"]["difference"]["fields"][0];
    assert_eq!(
        (&title["name"], &title["new"]),
        (&json!("title"), &json!("Tiêu đề của biên tập viên"))
    );
    let part = &by_key["news:3"]["difference"]["body"][0]["parts"][0];
    assert_eq!(part["class"], "text");
    let added: Vec<&Value> = part["words"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|w| w["tag"] == "added")
        .collect();
    assert_eq!(added.len(), 1);
    assert!(added[0]["text"].as_str().unwrap().contains("Thêm một câu."));
    assert_eq!(
        (&by_key["news:4"]["change"], &sums["removed"]),
        (&json!("removed"), &json!(1))
    );
    // Turned round, it is the CMS that has less.
    let (sums, _) = compare("cms", "last", 1);
    assert_eq!((&sums["added"], &sums["old_documents"]), (&json!(1), &json!(11)));
    // What the portal changed since, beside what stands in the CMS.
    change(folder.path(), "news:5", |d| {
        d["title"] = "Tiêu đề mới của cổng".into()
    });
    let path = folder.path().join(SITE);
    let (_, found) = compare(path.to_str().unwrap(), "cms", 1);
    assert!(found.iter().any(|d| d["source_key"] == "news:5"));
}
