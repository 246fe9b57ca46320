//! Files of every format, as those read them who will: Hugo itself, PHP with WordPress's parser, YAML, spreadsheets.

use crate::cms::{MAPPING, change, extracted};
use crate::support::{documents, expect, files, sangtrang, text};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn export(output: &Path, format: &str, more: &[&str], code: i32) -> Output {
    let mut command = sangtrang();
    command
        .args(["export", MAPPING, "--format", format, "--output"])
        .arg(output)
        .args(more);
    if format == "wxr" && !more.contains(&"--media-url") {
        command.args(["--media-url", "http://files.example/media/"]);
    }
    expect(&mut command, code)
}

fn check(folder: &Path, code: i32) -> Output {
    expect(sangtrang().args(["export", "--check"]).arg(folder), code)
}

fn place(output: &Path, format: &str) -> PathBuf {
    output.join("ctk-binhthuan/export").join(format)
}

fn site(output: &Path) -> PathBuf {
    output.join("ctk-binhthuan")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn lines(path: impl AsRef<Path>) -> Vec<Value> {
    read(path)
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect()
}

/// Every file with its bytes.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder)
        .into_iter()
        .map(|f| (f.clone(), std::fs::read(folder.join(&f)).unwrap()))
        .collect()
}

/// Documents that no gate holds.
fn fit(output: &Path) -> Vec<Value> {
    let failed = |d: &Value| {
        d["quality"]["gates"]
            .as_array()
            .unwrap()
            .iter()
            .any(|g| g["level"] == "fail")
    };
    documents(&site(output))
        .into_iter()
        .filter(|d| !failed(d))
        .collect()
}

/// Words of a document's blocks.
fn words_of(document: &Value) -> Vec<String> {
    let document: sangtrang::document::Document = serde_json::from_value(document.clone()).unwrap();
    let texts = document.body.iter().map(|b| b.text());
    texts
        .flat_map(|t| sangtrang::deliver::render::words(&t))
        .collect()
}

/// Words of the first list that the second does not have.
fn missing(meant: Vec<String>, shown: Vec<String>) -> Vec<String> {
    let mut have = BTreeMap::<String, i64>::new();
    for word in shown {
        *have.entry(word).or_default() += 1;
    }
    meant
        .into_iter()
        .filter(|word| {
            let left = have.entry(word.clone()).or_default();
            *left -= 1;
            *left < 0
        })
        .collect()
}

fn media_of(document: &Value) -> Vec<&Value> {
    let all = ["media", "attachments"].map(|k| document[k].as_array().unwrap());
    all.into_iter().flatten().filter(|m| m["state"] == "ok").collect()
}

/// Sections, bold words, lists, spans and hostile text beside what the portal has.
fn enriched(articles: usize) -> tempfile::TempDir {
    let folder = extracted(articles);
    let docs = fit(folder.path());
    let other = docs[1]["id"].as_str().unwrap().to_owned();
    change(folder.path(), docs[0]["source_key"].as_str().unwrap(), |d| {
        let src = serde_json::json!({ "rule": "body", "chars": [0, 0] });
        let cell = |t: &str, span: usize, origin: Option<[usize; 2]>| {
            let mut cell = serde_json::json!({ "content": { "text": t }, "header": false, "rowspan": 1, "colspan": span });
            if let Some(origin) = origin {
                cell["origin"] = serde_json::json!(origin);
            }
            cell
        };
        d["title"] = "Giá <b>& \"lời\" ]]> {{< x >}}: 100%".into();
        let body = d["body"].as_array_mut().unwrap();
        body.push(serde_json::json!({ "kind": "paragraph", "src": src, "text": "]]> {{< figure >}} {% x %} <script>alert(1)</script> *không* _phải_ `mã` # 1. a|b \u{b} cuối" }));
        body.push(serde_json::json!({ "kind": "paragraph", "src": src, "text": "Xem bài khác và bài mất",
            "marks": [{ "kind": "bold", "chars": [0, 3] }, { "kind": "link", "chars": [4, 12], "target": format!("doc:{other}") },
                { "kind": "link", "chars": [16, 23], "target": "doc:00000000-0000-5000-8000-000000000000" }] }));
        body.push(serde_json::json!({ "kind": "table", "src": src, "table": { "caption": null, "units": null, "header_rows": 0, "rows": [
            [cell("gộp hai", 2, None), cell("gộp hai", 1, Some([0, 0]))], [cell("trái", 1, None), cell("phải", 1, None)]] } }));
        d["links"].as_array_mut().unwrap().push(
            serde_json::json!({ "raw": "x", "resolved": "http://www.ctk-binhthuan.example/mat.aspx",
            "kind": "internal", "target": "doc:00000000-0000-5000-8000-000000000000", "text": "bài mất" }),
        );
    });
    folder
}

#[test]
fn jsonl_is_whole_sorted_and_checked_by_its_hashes() {
    let folder = enriched(12);
    export(folder.path(), "jsonl", &[], 0);
    let out = place(folder.path(), "jsonl");
    let written = lines(out.join("documents.jsonl"));
    let keys: Vec<(&str, &str)> = written
        .iter()
        .map(|d| {
            (
                d["collection"].as_str().unwrap(),
                d["source_key"].as_str().unwrap(),
            )
        })
        .collect();
    assert!(keys.is_sorted(), "{keys:?}");
    let mut mine = documents(&site(folder.path()));
    assert_eq!(written.len(), mine.len());
    mine.sort_by_key(|d| d["source_key"].as_str().unwrap().to_owned());
    assert_eq!(written, mine, "documents as they are");
    for medium in written.iter().flat_map(media_of) {
        let hash = &medium["ref"].as_str().unwrap()["media:".len()..];
        let stem = format!("media/{}/{}.", &hash[..2], &hash[2..]);
        let found = files(&out)
            .into_iter()
            .find(|f| f.to_string_lossy().starts_with(&stem))
            .unwrap_or_else(|| panic!("no {stem}"));
        let bytes = std::fs::read(out.join(found)).unwrap();
        assert_eq!(blake3::hash(&bytes).to_hex().as_str(), hash);
    }
    let manifest: Value = serde_json::from_str(&read(out.join("manifest.json"))).unwrap();
    assert_eq!(manifest["schema"], "export/1");
    assert_eq!(manifest["summary"]["documents"], written.len());
    let named: BTreeSet<PathBuf> = manifest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|f| f["path"].as_str().unwrap().into())
        .chain(["manifest.json".into()])
        .collect();
    assert_eq!(
        named,
        files(&out).into_iter().collect(),
        "the manifest names every file"
    );
    let notes = read(out.join("export-notes.jsonl"));
    assert!(
        notes.contains("doc:00000000") && notes.contains("mat.aspx"),
        "{notes}"
    );

    check(&out, 0);
    // Same input, same bytes; nothing is written again.
    let before = tree(&out);
    let said = export(folder.path(), "jsonl", &[], 0);
    assert!(
        text(&said.stderr).contains("0 changed, 0 removed"),
        "{}",
        text(&said.stderr)
    );
    assert_eq!(tree(&out), before);
    // A byte that changed, a file that is gone: both are told.
    let line = out.join("documents.jsonl");
    let mut bytes = std::fs::read(&line).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&line, bytes).unwrap();
    std::fs::remove_file(out.join("export-notes.jsonl")).unwrap();
    let said = check(&out, 4);
    assert!(
        text(&said.stderr).contains("1 missing, 1 changed"),
        "{}",
        text(&said.stderr)
    );
    // The next export puts it right, and leaves alone what is not its own.
    std::fs::write(out.join("own.txt"), "mine").unwrap();
    export(folder.path(), "jsonl", &[], 0);
    check(&out, 0);
    assert_eq!(read(out.join("own.txt")), "mine");
}

#[test]
fn what_is_gone_from_the_portal_is_gone_from_the_export_and_foreign_files_stay() {
    let folder = extracted(12);
    let keys: Vec<String> = fit(folder.path())
        .iter()
        .map(|d| d["source_key"].as_str().unwrap().to_owned())
        .collect();
    let out = folder.path().join("site");
    let dir = out.to_str().unwrap();
    export(folder.path(), "hugo", &["--out", dir], 0);
    let all = files(&out);
    let own = out.join("content/news/mine/index.md");
    std::fs::create_dir_all(own.parent().unwrap()).unwrap();
    std::fs::write(&own, "mine").unwrap();
    export(
        folder.path(),
        "hugo",
        &["--out", dir, "--only", &keys[0], "--only", &keys[1]],
        0,
    );
    let pages = files(&out)
        .into_iter()
        .filter(|f| f.ends_with("index.md"))
        .count();
    assert_eq!(pages, 3, "two of the export, one of somebody");
    export(folder.path(), "hugo", &["--out", dir], 0);
    let mut again = files(&out);
    again.retain(|f| !f.ends_with("mine/index.md"));
    assert_eq!(again, all);

    // Another format, another site, a folder of somebody, no folder at all.
    let said = export(folder.path(), "zola", &["--out", dir], 6);
    assert!(
        text(&said.stderr).contains("holds an export of `ctk-binhthuan` as `hugo`"),
        "{}",
        text(&said.stderr)
    );
    let foreign = folder.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("notes.txt"), "x").unwrap();
    let said = export(folder.path(), "csv", &["--out", foreign.to_str().unwrap()], 6);
    assert!(text(&said.stderr).contains("notes.txt"), "{}", text(&said.stderr));
    assert_eq!(files(&foreign), [PathBuf::from("notes.txt")]);
    let file = folder.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    let said = export(
        folder.path(),
        "csv",
        &["--out", file.join("below").to_str().unwrap()],
        1,
    );
    assert!(text(&said.stderr).contains("a-file"), "{}", text(&said.stderr));
    let said = export(folder.path(), "csv", &["--only", "nothing-*"], 4);
    assert!(
        text(&said.stderr).contains("nothing to export"),
        "{}",
        text(&said.stderr)
    );
    export(folder.path(), "docx", &[], 2);
    export(folder.path(), "wxr", &["--media-url", "files.example"], 2);
    let empty = tempfile::tempdir().unwrap();
    let said = export(empty.path(), "csv", &[], 1);
    assert!(
        text(&said.stderr).contains("no documents yet"),
        "{}",
        text(&said.stderr)
    );
    let said = check(empty.path(), 2);
    assert!(
        text(&said.stderr).contains("holds no export"),
        "{}",
        text(&said.stderr)
    );

    // A medium that is not what its name says is never passed on; the folder is no export then, until the next one.
    let stored = files(&site(folder.path()).join("media"));
    let medium = site(folder.path()).join("media").join(&stored[0]);
    let bytes = std::fs::read(&medium).unwrap();
    std::fs::write(&medium, b"damaged").unwrap();
    let said = export(folder.path(), "jsonl", &[], 1);
    assert!(
        text(&said.stderr).contains("is not what its name says"),
        "{}",
        text(&said.stderr)
    );
    let out = place(folder.path(), "jsonl");
    assert!(!out.join("manifest.json").exists());
    let said = check(&out, 4);
    assert!(
        text(&said.stderr).contains("was not finished"),
        "{}",
        text(&said.stderr)
    );
    std::fs::write(&medium, bytes).unwrap();
    export(folder.path(), "jsonl", &[], 0);
    check(&out, 0);
}

#[test]
fn an_export_that_is_killed_is_never_taken_for_whole() {
    let folder = extracted(40);
    let out = folder.path().join("out");
    let work = out.join(".sangtrang-export");
    for wait in [0, 5, 20, 60] {
        let mut child = sangtrang()
            .args(["export", MAPPING, "--format", "hugo", "-q", "--output"])
            .arg(folder.path())
            .arg("--out")
            .arg(&out)
            .spawn()
            .unwrap();
        // Killed as soon as so many files of the folder are there, or when it ends by itself.
        while child.try_wait().unwrap().is_none() && files(&out).len() <= wait {
            std::thread::yield_now();
        }
        let ended = child.try_wait().unwrap().is_some();
        let _ = child.kill();
        child.wait().unwrap();
        assert!(
            !out.join("manifest.json").exists() || ended || !work.join("journal").exists() || {
                // Whole, but the journal could not be removed any more.
                check(&out, 0);
                true
            }
        );
    }
    export(folder.path(), "hugo", &["--out", out.to_str().unwrap()], 0);
    check(&out, 0);
    assert!(!work.exists());
    let fresh = folder.path().join("fresh");
    export(folder.path(), "hugo", &["--out", fresh.to_str().unwrap()], 0);
    assert_eq!(tree(&out), tree(&fresh));
}

/// The front matter and the body of a page.
fn page(path: &Path) -> (toml::Table, String) {
    let all = read(path);
    let rest = all.strip_prefix("+++\n").unwrap();
    let (front, body) = rest.split_once("+++\n").unwrap();
    (
        front
            .parse()
            .unwrap_or_else(|e| panic!("{}: {e}", path.display())),
        body.to_owned(),
    )
}

/// Pages by the id of their document.
fn pages(out: &Path, legacy: impl Fn(&toml::Table) -> Option<&toml::Value>) -> BTreeMap<String, PathBuf> {
    files(out)
        .into_iter()
        .filter(|f| f.file_name().unwrap() == "index.md")
        .map(|f| {
            let (front, _) = page(&out.join(&f));
            let id = legacy(&front).unwrap()["id"].as_str().unwrap().to_owned();
            (id, f)
        })
        .collect()
}

#[test]
fn hugo_builds_a_site_in_which_nothing_is_lost() {
    if Command::new("hugo").arg("version").output().is_err() {
        eprintln!("SKIPPED: there is no hugo; `apt-get install hugo` installs it");
        return;
    }
    let folder = enriched(30);
    let out = folder.path().join("site");
    export(
        folder.path(),
        "hugo",
        &[
            "--out",
            out.to_str().unwrap(),
            "--base-url",
            "https://new.example/sub/",
        ],
        0,
    );
    // What docs/export.md asks for, and layouts of the test's own.
    std::fs::write(
        out.join("hugo.toml"),
        "baseURL = \"https://new.example/sub/\"\ntitle = \"x\"\nbuildFuture = true\n[markup.goldmark.renderer]\nunsafe = true\n[markup.goldmark.extensions]\ntypographer = false\n",
    )
    .unwrap();
    let layouts = out.join("layouts/_default");
    std::fs::create_dir_all(&layouts).unwrap();
    std::fs::write(
        layouts.join("single.html"),
        "<html><body><h1>{{ .Title }}</h1><time>{{ .Date.Format \"2006-01-02T15:04:05-07:00\" }}</time><p id=cat>{{ range .GetTerms \"categories\" }}{{ .LinkTitle }}{{ end }}</p><main>{{ .Content }}</main></body></html>",
    )
    .unwrap();
    std::fs::write(layouts.join("list.html"), "<html><body>{{ range .Pages }}<a href=\"{{ .RelPermalink }}\">{{ .Title }}</a>{{ end }}</body></html>").unwrap();
    let built = Command::new("hugo")
        .args(["--config", "hugo.toml", "--source"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}{}",
        text(&built.stdout),
        text(&built.stderr)
    );
    let public = out.join("public");
    let pages = pages(&out, |f| f.get("legacy"));
    let docs = fit(folder.path());
    assert_eq!(pages.len(), docs.len());
    let mut links = 0;
    for document in &docs {
        let source = &pages[document["id"].as_str().unwrap()];
        let at = public
            .join(source.strip_prefix("content").unwrap())
            .with_file_name("index.html");
        let html = read(&at);
        let (head, main) = html.split_once("<main>").unwrap();
        let shown = sangtrang::deliver::render::shown(main);
        assert_eq!(
            missing(words_of(document), shown.words),
            Vec::<String>::new(),
            "{}",
            source.display()
        );
        let category = document["section"]["label"].as_str().unwrap();
        assert!(head.contains(&format!("<p id=cat>{category}</p>")), "{head}");
        let title = sangtrang::deliver::render::shown(head).words.join(" ");
        assert!(
            title.contains(
                document["title"]
                    .as_str()
                    .unwrap()
                    .split_whitespace()
                    .collect::<Vec<_>>()
                    .join(" ")
                    .as_str()
            ),
            "{title}"
        );
        let day = document["dates"]["published"]["value"].as_str().unwrap();
        assert!(
            head.contains(&format!("<time>{}", &day[..10])) && head.contains("&#43;07:00</time>"),
            "{head}"
        );
        // Every picture and every link of the site is there: relative addresses, whatever the site is below.
        let base = url::Url::parse("http://x.invalid/")
            .unwrap()
            .join(at.strip_prefix(&public).unwrap().to_str().unwrap())
            .unwrap();
        for address in shown.images.iter().chain(&shown.links) {
            let url = base.join(address).unwrap();
            if url.host_str() != Some("x.invalid") {
                continue;
            }
            let path = percent_encoding::percent_decode_str(url.path())
                .decode_utf8()
                .unwrap()
                .into_owned();
            let file = public.join(path.trim_start_matches('/'));
            assert!(
                file.is_file() || file.join("index.html").is_file(),
                "{address} of {}: {}",
                source.display(),
                file.display()
            );
            links += 1;
        }
        // What the portal gave is shown from here; only what it did not give keeps its address there.
        let lost: Vec<&str> = document["media"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["state"] != "ok")
            .map(|m| m["source_url"].as_str().unwrap())
            .collect();
        for image in &shown.images {
            assert!(
                !image.contains("ctk-binhthuan.example") || lost.contains(&image.as_str()),
                "{image}"
            );
        }
        assert!(
            !main.contains("<script") && !main.contains("raw HTML omitted"),
            "{main}"
        );
    }
    assert!(links > 30, "{links}");
    // Old addresses with a query are no aliases: they are in redirects.csv.
    let redirects = read(out.join("redirects.csv"));
    for old in docs
        .iter()
        .flat_map(|d| d["redirects"]["from"].as_array().unwrap())
    {
        assert!(
            redirects.contains(&format!(
                "{},https://new.example/sub/news/",
                old.as_str().unwrap()
            )),
            "{old}"
        );
    }
    // Without raw HTML all is there but the tables with spans, which the export names.
    let notes = lines(out.join("export-notes.jsonl"));
    let html: BTreeSet<String> = notes
        .iter()
        .filter(|n| n["type"] == "html")
        .map(|n| n["document"].as_str().unwrap()["doc:".len()..].to_owned())
        .collect();
    assert!(!html.is_empty() && html.len() < docs.len());
    let config = read(out.join("hugo.toml")).replace("unsafe = true", "unsafe = false");
    std::fs::write(out.join("hugo.toml"), config).unwrap();
    let built = Command::new("hugo")
        .args(["--config", "hugo.toml", "--cleanDestinationDir", "--source"])
        .arg(&out)
        .output()
        .unwrap();
    assert!(built.status.success());
    for document in docs.iter().filter(|d| !html.contains(d["id"].as_str().unwrap())) {
        let source = &pages[document["id"].as_str().unwrap()];
        let at = public
            .join(source.strip_prefix("content").unwrap())
            .with_file_name("index.html");
        let shown = sangtrang::deliver::render::shown(read(&at).split_once("<main>").unwrap().1);
        assert_eq!(
            missing(words_of(document), shown.words),
            Vec::<String>::new(),
            "{}",
            source.display()
        );
    }
}

#[test]
fn zola_gets_only_keys_that_it_knows() {
    let folder = enriched(12);
    export(folder.path(), "zola", &[], 0);
    let out = place(folder.path(), "zola");
    let known = [
        "title",
        "date",
        "updated",
        "draft",
        "description",
        "aliases",
        "taxonomies",
        "extra",
    ];
    let pages = pages(&out, |f| f["extra"].get("legacy"));
    assert_eq!(pages.len(), fit(folder.path()).len());
    for document in fit(folder.path()) {
        let (front, body) = page(&out.join(&pages[document["id"].as_str().unwrap()]));
        assert!(front.keys().all(|k| known.contains(&k.as_str())), "{front:?}");
        assert_eq!(front["title"].as_str(), document["title"].as_str());
        let date = front["date"].as_datetime().unwrap();
        assert_eq!(date.offset.unwrap().to_string(), "+07:00");
        assert_eq!(
            front["taxonomies"]["categories"][0].as_str(),
            document["section"]["label"].as_str()
        );
        assert!(!body.contains("{{") && !body.contains("{%"), "{body}");
    }
    let section: toml::Table = read(out.join("content/news/_index.md"))
        .replace("+++\n", "")
        .parse()
        .unwrap();
    assert_eq!(section["sort_by"].as_str(), Some("date"));
}

/// What WordPress's importer makes of a file: DOMDocument, SimpleXML, the same paths and namespaces.
const READ_WXR: &str = r#"<?php
$dom = new DOMDocument();
if (!$dom->loadXML(file_get_contents($argv[1])) || isset($dom->doctype)) { fwrite(STDERR, 'no XML'); exit(1); }
$xml = simplexml_import_dom($dom);
$ns = $xml->getDocNamespaces();
$s = function ($v) { return (string) $v; };
$out = ['version' => trim($s($xml->xpath('/rss/channel/wp:wxr_version')[0])), 'base' => $s($xml->xpath('/rss/channel/wp:base_site_url')[0]),
  'authors' => [], 'categories' => [], 'posts' => []];
foreach ($xml->xpath('/rss/channel/wp:author') as $a) { $a = $a->children($ns['wp']); $out['authors'][$s($a->author_login)] = $s($a->author_display_name); }
foreach ($xml->xpath('/rss/channel/wp:category') as $t) { $t = $t->children($ns['wp']);
  $out['categories'][] = ['slug' => $s($t->category_nicename), 'parent' => $s($t->category_parent), 'name' => $s($t->cat_name)]; }
foreach ($xml->channel->item as $item) {
  $wp = $item->children($ns['wp']);
  $post = ['title' => $s($item->title), 'guid' => $s($item->guid), 'pubDate' => $s($item->pubDate), 'author' => $s($item->children('http://purl.org/dc/elements/1.1/')->creator),
    'content' => $s($item->children('http://purl.org/rss/1.0/modules/content/')->encoded), 'excerpt' => $s($item->children($ns['excerpt'])->encoded),
    'id' => (int) $wp->post_id, 'date' => $s($wp->post_date), 'gmt' => $s($wp->post_date_gmt), 'slug' => $s($wp->post_name), 'status' => $s($wp->status),
    'type' => $s($wp->post_type), 'url' => $s($wp->attachment_url), 'terms' => [], 'meta' => []];
  foreach ($item->category as $c) { $at = $c->attributes(); $post['terms'][] = [$s($at['domain']), $s($at['nicename']), $s($c)]; }
  foreach ($wp->postmeta as $m) { $post['meta'][] = [$s($m->meta_key), $s($m->meta_value)]; }
  $out['posts'][] = $post;
}
echo json_encode($out, JSON_THROW_ON_ERROR | JSON_UNESCAPED_UNICODE);
"#;

fn php(folder: &Path, script: &str, args: &[&std::ffi::OsStr]) -> Output {
    let file = folder.join("read.php");
    std::fs::write(&file, script).unwrap();
    Command::new("php").arg(&file).args(args).output().unwrap()
}

#[test]
fn the_importer_of_wordpress_finds_every_field_where_it_looks() {
    let has = Command::new("php")
        .args([
            "-r",
            "exit(extension_loaded('simplexml') && extension_loaded('dom') ? 0 : 1);",
        ])
        .status();
    if !has.is_ok_and(|s| s.success()) {
        eprintln!("SKIPPED: there is no PHP with SimpleXML; `tests/cms/wordpress.sh deps` installs it");
        return;
    }
    let folder = enriched(30);
    let docs = fit(folder.path());
    // Two articles with one title on one day: the importer would take the second for the first.
    let (first, second) = (docs[2].clone(), docs[3]["source_key"].as_str().unwrap());
    change(folder.path(), second, |d| {
        d["title"] = first["title"].as_str().unwrap().to_uppercase().into();
        d["dates"]["published"] = first["dates"]["published"].clone();
    });
    let said = export(folder.path(), "wxr", &["--base-url", "https://new.example"], 0);
    assert!(
        text(&said.stderr).contains("create-only")
            && text(&said.stderr).contains("title and date of another"),
        "{}",
        text(&said.stderr)
    );
    let out = place(folder.path(), "wxr");
    assert!(read(out.join("wordpress.xml")).contains("Create-only"));
    let parsed = php(folder.path(), READ_WXR, &[out.join("wordpress.xml").as_os_str()]);
    assert!(parsed.status.success(), "{}", text(&parsed.stderr));
    let parsed: Value = serde_json::from_slice(&parsed.stdout).unwrap();
    assert_eq!(
        (&parsed["version"], &parsed["base"]),
        (&"1.2".into(), &"https://new.example".into())
    );
    let posts = parsed["posts"].as_array().unwrap();
    let meta = |post: &Value, key: &str| -> Vec<String> {
        let all = post["meta"].as_array().unwrap().iter();
        all.filter(|m| m[0] == key)
            .map(|m| m[1].as_str().unwrap().to_owned())
            .collect()
    };
    let by_key: BTreeMap<String, &Value> = posts
        .iter()
        .map(|p| (meta(p, "sangtrang_key")[0].clone(), p))
        .collect();
    assert_eq!(by_key.len(), posts.len());
    let docs = fit(folder.path());
    let mut seen = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for post in posts {
        let title = post["title"].as_str().unwrap().to_lowercase();
        assert!(
            seen.insert((title, post["date"].clone().to_string(), post["type"].to_string())),
            "a twin: {}",
            post["title"]
        );
        assert!(ids.insert(post["id"].as_i64().unwrap()));
    }
    let hashes: BTreeSet<&str> = docs
        .iter()
        .flat_map(media_of)
        .map(|m| m["ref"].as_str().unwrap())
        .collect();
    assert_eq!(posts.len(), docs.len() + hashes.len());
    let link = regex::Regex::new(r"new\.example/\?p=(\d+)").unwrap();
    let mut links = 0;
    for document in &docs {
        let post = by_key[&format!("doc:{}", document["id"].as_str().unwrap())];
        assert_eq!(post["title"], document["title"]);
        assert_eq!(
            (&post["type"], &post["status"]),
            (&"post".into(), &"publish".into())
        );
        let day = document["dates"]["published"]["value"].as_str().unwrap();
        assert_eq!(&post["date"].as_str().unwrap()[..10], &day[..10]);
        let local =
            jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", post["date"].as_str().unwrap()).unwrap();
        let gmt =
            jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", post["gmt"].as_str().unwrap()).unwrap();
        assert_eq!((local - gmt).get_hours(), 7);
        assert!(post["pubDate"].as_str().unwrap().ends_with("+0700"));
        assert_eq!(post["terms"][0][2], document["section"]["label"]);
        assert!(
            parsed["categories"]
                .as_array()
                .unwrap()
                .iter()
                .any(|c| c["slug"] == post["terms"][0][1])
        );
        assert_eq!(
            meta(post, "sangtrang_url")[0],
            document["provenance"]["fetch"]["requested"].as_str().unwrap()
        );
        assert!(post["author"] == "" || parsed["authors"][post["author"].as_str().unwrap()].is_string());
        let content = post["content"].as_str().unwrap();
        // XML cannot hold every character that a text may have.
        let meant = words_of(document)
            .into_iter()
            .map(|w| w.replace('\u{b}', "\u{FFFD}"))
            .collect();
        assert_eq!(
            missing(meant, sangtrang::deliver::render::shown(content).words),
            Vec::<String>::new()
        );
        for found in link.captures_iter(content) {
            assert!(
                ids.contains(&found[1].parse().unwrap()),
                "a link to nowhere: {}",
                &found[0]
            );
            links += 1;
        }
        for medium in media_of(document) {
            let attachment = by_key[medium["ref"].as_str().unwrap()];
            assert_eq!(attachment["type"], "attachment");
            let url = attachment["url"].as_str().unwrap();
            let file = out
                .join("media")
                .join(url.strip_prefix("http://files.example/media/").unwrap());
            assert!(file.is_file(), "{}", file.display());
            let hash = format!("media:{}", blake3::hash(&std::fs::read(&file).unwrap()).to_hex());
            assert_eq!(hash, medium["ref"].as_str().unwrap());
            if medium["role"] == "body" {
                assert!(content.contains(url), "{url}");
            }
        }
    }
    assert!(links > 0);
    let authors = parsed["authors"].as_object().unwrap();
    assert!(!authors.is_empty());
}

#[test]
fn drupal_migrations_are_yaml_and_name_what_is_there() {
    let folder = enriched(12);
    export(folder.path(), "drupal", &[], 0);
    let out = place(folder.path(), "drupal");
    let docs = fit(folder.path());
    let module = "sangtrang_ctk_binhthuan";
    let yaml = |path: &str| -> serde_yaml_ng::Value {
        serde_yaml_ng::from_str(&read(out.join(path))).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    assert_eq!(yaml(&format!("{module}.info.yml"))["type"], "module");
    let mut rows = BTreeMap::new();
    for what in ["files", "images", "documents", "terms", "nodes"] {
        let migration = yaml(&format!("migrations/{module}_{what}.yml"));
        assert_eq!(migration["id"], format!("{module}_{what}").as_str());
        let source = &migration["source"];
        assert_eq!(
            (
                source["plugin"].as_str(),
                source["data_fetcher_plugin"].as_str(),
                source["data_parser_plugin"].as_str()
            ),
            (Some("url"), Some("file"), Some("json"))
        );
        assert_eq!(source["ids"]["id"]["type"], "string");
        let selector = source["item_selector"].as_str().unwrap();
        let mut found = Vec::new();
        for url in source["urls"].as_sequence().unwrap() {
            let file = url
                .as_str()
                .unwrap()
                .strip_prefix(&format!("modules/custom/{module}/"))
                .unwrap();
            let data: Value = serde_json::from_str(&read(out.join(file))).unwrap();
            found.extend(data[selector].as_array().unwrap().clone());
        }
        // Every field that a process reads is one of the source or a constant.
        let names: BTreeSet<&str> = source["fields"]
            .as_sequence()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        for field in source["fields"].as_sequence().unwrap() {
            let at = field["selector"].as_str().unwrap();
            let row = found.first();
            assert!(
                row.is_none_or(|r| at.split('/').try_fold(r, |v, k| v.get(k)).is_some()),
                "{what}: {at}"
            );
        }
        for (_, process) in migration["process"].as_mapping().unwrap() {
            let read = process.as_str().or(process["source"].as_str());
            if let Some(read) = read.filter(|r| !r.starts_with('@')) {
                match read.strip_prefix("constants/") {
                    Some(constant) => assert!(!source["constants"][constant].is_null(), "{what}: {read}"),
                    None => assert!(names.contains(read), "{what}: {read}"),
                }
            }
        }
        rows.insert(what, found);
    }
    assert_eq!(rows["nodes"].len(), docs.len());
    let terms: BTreeSet<&str> = rows["terms"].iter().map(|t| t["id"].as_str().unwrap()).collect();
    for term in &rows["terms"] {
        assert!(term["parent"].is_null() || terms.contains(term["parent"].as_str().unwrap()));
    }
    let aliases: BTreeSet<&str> = rows["nodes"]
        .iter()
        .map(|n| n["alias"].as_str().unwrap())
        .collect();
    let paths: BTreeSet<String> = rows["files"]
        .iter()
        .map(|f| format!("/sites/default/files/legacy/{}", f["path"].as_str().unwrap()))
        .collect();
    for file in &rows["files"] {
        assert!(out.join("files").join(file["path"].as_str().unwrap()).is_file());
    }
    assert_eq!(
        rows["images"].len() + rows["documents"].len(),
        rows["files"].len()
    );
    for document in &docs {
        let node = rows["nodes"].iter().find(|n| n["id"] == document["id"]).unwrap();
        assert_eq!(
            (&node["title"], &node["type"], &node["status"]),
            (&document["title"], &"article".into(), &1.into())
        );
        assert!(node["created"].as_str().unwrap().ends_with("+07:00"));
        let shown = sangtrang::deliver::render::shown(node["body"].as_str().unwrap());
        assert_eq!(missing(words_of(document), shown.words), Vec::<String>::new());
        for address in shown
            .links
            .iter()
            .chain(&shown.images)
            .filter(|a| a.starts_with('/'))
        {
            assert!(
                aliases.contains(address.as_str()) || paths.contains(address),
                "{address}"
            );
        }
        assert!(
            node["terms"]["categories"]
                .as_array()
                .unwrap()
                .iter()
                .all(|t| terms.contains(t["id"].as_str().unwrap()))
        );
    }
}

#[test]
fn portable_text_names_files_and_documents_that_are_there() {
    let folder = enriched(12);
    export(folder.path(), "portable-text", &[], 0);
    let out = place(folder.path(), "portable-text");
    let written = lines(out.join("documents.ndjson"));
    let docs = fit(folder.path());
    assert_eq!(written.len(), docs.len());
    let ids: BTreeSet<&str> = written.iter().map(|d| d["_id"].as_str().unwrap()).collect();
    fn walk(value: &Value, each: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
        match value {
            Value::Object(map) => {
                each(map);
                map.values().for_each(|v| walk(v, each));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, each)),
            _ => {}
        }
    }
    let (mut assets, mut references) = (BTreeSet::new(), 0);
    for document in &docs {
        let line = written.iter().find(|d| d["_id"] == document["id"]).unwrap();
        assert_eq!(
            (&line["title"], &line["_type"]),
            (&document["title"], &document["type"])
        );
        let mut words = Vec::new();
        walk(line, &mut |map| {
            if let Some(asset) = map.get("_sanityAsset").and_then(Value::as_str) {
                let (kind, path) = asset.split_once("@file://./").unwrap();
                assert_eq!(map["_type"], kind);
                assert!(out.join(path).is_file(), "{asset}");
                assets.insert(path.to_owned());
            }
            if let Some(reference) = map.get("_ref").and_then(Value::as_str) {
                assert!(ids.contains(reference));
                references += 1;
            }
            if let Some(spans) = map.get("children").and_then(Value::as_array) {
                let text: String = spans.iter().map(|s| s["text"].as_str().unwrap()).collect();
                words.extend(sangtrang::deliver::render::words(&text));
            }
            for key in ["text", "lead", "units"] {
                if map.get("_type").is_some_and(|t| t != "span") {
                    words.extend(
                        map.get(key)
                            .and_then(Value::as_str)
                            .map(sangtrang::deliver::render::words)
                            .unwrap_or_default(),
                    );
                }
            }
        });
        assert_eq!(missing(words_of(document), words), Vec::<String>::new());
        assert!(!line.to_string().contains(['\u{E000}', '\u{E001}']), "{line}");
    }
    assert!(references > 0 && !assets.is_empty());
}

#[test]
fn inventories_hold_every_document_medium_and_address_and_calculate_nothing() {
    use calamine::{Data, Reader as _};
    let folder = enriched(12);
    let key = documents(&site(folder.path()))[4]["source_key"]
        .as_str()
        .unwrap()
        .to_owned();
    change(folder.path(), &key, |d| {
        d["title"] = "=HYPERLINK(\"http://evil.example\")".into()
    });
    let docs = documents(&site(folder.path()));
    export(folder.path(), "csv", &[], 0);
    export(folder.path(), "xlsx", &[], 0);
    let out = place(folder.path(), "csv");
    let table = |name: &str| -> Vec<Vec<String>> {
        let bytes = std::fs::read(out.join(name)).unwrap();
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader
            .records()
            .map(|r| r.unwrap().iter().map(str::to_owned).collect())
            .collect()
    };
    let book = place(folder.path(), "xlsx").join("inventory.xlsx");
    let mut workbook = calamine::open_workbook_auto(&book).unwrap();
    assert_eq!(workbook.sheet_names(), ["Documents", "Media", "Redirects"]);
    let tables = ["documents.csv", "media.csv", "redirects.csv"].map(table);
    for (sheet, table) in ["Documents", "Media", "Redirects"].iter().zip(&tables) {
        let range = workbook.worksheet_range(sheet).unwrap();
        let rows: Vec<Vec<String>> = range
            .rows()
            .map(|row| {
                row.iter()
                    .map(|c| match c {
                        Data::Empty => String::new(),
                        cell => cell.to_string(),
                    })
                    .collect()
            })
            .collect();
        let plain: Vec<Vec<String>> = table
            .iter()
            .map(|r| {
                r.iter()
                    .map(|c| c.strip_prefix("'=").map_or(c.clone(), |c| format!("={c}")))
                    .collect()
            })
            .collect();
        assert_eq!(rows, plain, "{sheet}");
    }
    let [rows, media, redirects] = &tables;
    assert_eq!(rows.len(), docs.len() + 1);
    for document in &docs {
        let row = rows
            .iter()
            .find(|r| r[0] == document["id"].as_str().unwrap())
            .unwrap();
        let title = document["title"].as_str().unwrap();
        assert!(row[3] == title || row[3] == format!("'{title}"), "{row:?}");
        assert_eq!(row[10], words_of(document).len().to_string());
        assert_eq!(
            row[15],
            document["provenance"]["fetch"]["requested"].as_str().unwrap()
        );
    }
    assert!(rows.iter().any(|r| r[3].starts_with("'=HYPERLINK")));
    let count: usize = docs
        .iter()
        .map(|d| d["media"].as_array().unwrap().len() + d["attachments"].as_array().unwrap().len())
        .sum();
    assert_eq!(media.len(), count + 1);
    for old in docs
        .iter()
        .flat_map(|d| d["redirects"]["from"].as_array().unwrap())
    {
        let old = url::Url::parse(old.as_str().unwrap()).unwrap();
        let from = &old[url::Position::BeforePath..url::Position::AfterQuery];
        assert!(redirects.iter().any(|r| r[0] == from), "{from}");
    }
    // The same input, the same bytes: a workbook too.
    let before = tree(&place(folder.path(), "xlsx"));
    export(folder.path(), "xlsx", &[], 0);
    assert_eq!(tree(&place(folder.path(), "xlsx")), before);
}

/// What the importer does with a file, by the functions of WordPress that it calls: terms with those above them, attachments from a
/// file that was fetched, posts under their own ids, then old addresses of files replaced in all texts. Two fields less clever:
/// files come from the disk, authors are one.
const IMPORT_WXR: &str = r#"<?php
$_SERVER['HTTP_HOST'] = $argv[3]; $_SERVER['REQUEST_METHOD'] = 'GET'; $_SERVER['REQUEST_URI'] = '/';
require $argv[2].'/wp-load.php';
require_once ABSPATH.'wp-admin/includes/taxonomy.php'; require_once ABSPATH.'wp-admin/includes/post.php';
wp_set_current_user(1);
$in = json_decode(file_get_contents($argv[1]), true, 512, JSON_THROW_ON_ERROR);
foreach ($in['categories'] as $c) {
  $parent = $c['parent'] === '' ? 0 : (int) (term_exists($c['parent'], 'category')['term_id'] ?? 0);
  if ($c['parent'] !== '' && !$parent) { fwrite(STDERR, "no parent {$c['parent']}\n"); exit(1); }
  if (!term_exists($c['slug'], 'category')) { wp_insert_category(['category_nicename' => $c['slug'], 'category_parent' => $parent, 'cat_name' => wp_slash($c['name'])]); }
}
$map = []; $skipped = 0;
foreach ($in['posts'] as $p) {
  $there = post_exists($p['title'], '', $p['date']);
  if ($there && get_post_type($there) === $p['type']) { $skipped++; continue; }
  $post = ['import_id' => $p['id'], 'post_author' => 1, 'post_date' => $p['date'], 'post_date_gmt' => $p['gmt'], 'post_content' => $p['content'],
    'post_excerpt' => $p['excerpt'], 'post_title' => $p['title'], 'post_status' => $p['status'], 'post_name' => $p['slug'], 'guid' => $p['guid'], 'post_type' => $p['type'],
    'comment_status' => 'closed', 'ping_status' => 'closed'];
  if ($p['type'] === 'attachment') {
    $file = $argv[4].'/'.substr($p['url'], strlen('http://files.example/'));
    $up = wp_upload_bits(basename($p['url']), null, file_get_contents($file));
    if ($up['error']) { fwrite(STDERR, $up['error'].': '.$p['url']."\n"); exit(1); }
    $post['post_mime_type'] = wp_check_filetype($up['file'])['type'];
    $id = wp_insert_attachment(wp_slash($post), $up['file'], 0, true);
    $map[$p['url']] = $up['url'];
  } else {
    $id = wp_insert_post(wp_slash($post), true);
  }
  if (is_wp_error($id)) { fwrite(STDERR, $id->get_error_message()."\n"); exit(1); }
  if ($id !== $p['id']) { fwrite(STDERR, "the id {$p['id']} became $id\n"); exit(1); }
  foreach ($p['terms'] as $t) { wp_set_post_terms($id, [(int) term_exists($t[1], $t[0])['term_id']], $t[0]); }
  foreach ($p['meta'] as $m) { add_post_meta($id, wp_slash($m[0]), wp_slash($m[1])); }
}
global $wpdb;
foreach ($map as $old => $new) { $wpdb->query($wpdb->prepare("UPDATE {$wpdb->posts} SET post_content = REPLACE(post_content, %s, %s)", $old, $new)); }
echo $skipped;
"#;

#[test]
fn wordpress_takes_every_entry_of_a_wxr_and_shows_all_of_it() {
    let Some(wp) = crate::cms::WordPress::empty() else {
        return;
    };
    let folder = enriched(12);
    let base = wp.base.clone();
    export(folder.path(), "wxr", &["--base-url", &base], 0);
    let out = place(folder.path(), "wxr");
    let parsed = php(folder.path(), READ_WXR, &[out.join("wordpress.xml").as_os_str()]);
    assert!(parsed.status.success(), "{}", text(&parsed.stderr));
    let json = folder.path().join("wxr.json");
    std::fs::write(&json, &parsed.stdout).unwrap();
    let host = base.strip_prefix("http://").unwrap();
    let args = [
        json.as_os_str(),
        wp.root.as_os_str(),
        host.as_ref(),
        out.as_os_str(),
    ];
    let import = || {
        let done = php(folder.path(), IMPORT_WXR, &args);
        assert!(
            done.status.success(),
            "{}{}",
            text(&done.stdout),
            text(&done.stderr)
        );
        text(&done.stdout)
    };
    assert_eq!(import(), "0", "no entry is taken for another");
    let docs = fit(folder.path());
    let posts = wp.posts();
    assert_eq!(posts.len(), docs.len());
    let media: BTreeSet<String> = wp
        .media()
        .iter()
        .map(|m| m["source_url"].as_str().unwrap().to_owned())
        .collect();
    let categories = wp.get("categories?per_page=100");
    let mut links = 0;
    for document in &docs {
        let id = document["id"].as_str().unwrap();
        let post = posts
            .iter()
            .find(|p| p["slug"].as_str().unwrap().ends_with(&id[..8]))
            .unwrap();
        assert_eq!(
            (&post["title"]["raw"], &post["status"]),
            (&document["title"], &"publish".into())
        );
        let day = document["dates"]["published"]["value"].as_str().unwrap();
        assert_eq!(&post["date"].as_str().unwrap()[..10], &day[..10]);
        let category = categories
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["id"] == post["categories"][0])
            .unwrap();
        assert_eq!(category["name"], document["section"]["label"]);
        let shown = sangtrang::deliver::render::shown(post["content"]["rendered"].as_str().unwrap());
        assert_eq!(missing(words_of(document), shown.words), Vec::<String>::new());
        let lost: Vec<&str> = document["media"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["state"] != "ok")
            .map(|m| m["source_url"].as_str().unwrap())
            .collect();
        for image in &shown.images {
            assert!(media.contains(image) || lost.contains(&image.as_str()), "{image}");
        }
        for link in shown
            .links
            .iter()
            .filter(|l| l.starts_with(&base) && l.contains("?p="))
        {
            let (status, headers, _) = wp.ask("GET", link.strip_prefix(&format!("{base}/")).unwrap(), None);
            assert!(
                status == 301 && headers["location"].to_str().unwrap().starts_with(&base),
                "{link}: {status}"
            );
            links += 1;
        }
    }
    assert!(links > 0);
    // Create-only, as the file says: a second import changes nothing.
    let all = posts.len() + wp.media().len();
    assert_eq!(import(), all.to_string());
}

#[test]
fn a_target_says_what_goes_where_and_its_address_is_never_asked() {
    let folder = extracted(12);
    let target = folder.path().join("target.toml");
    let rules = "[target]\nkind = \"directus\"\nurl = \"http://cms.invalid/\"\nstate = \"draft\"\nslug = \"title\"\n\
        [[target.entry]]\ncollection = \"news\"\ntype = \"articles\"\nterms = { topics = \"section\" }\nfields = { signer = \"byline.raw\", old = \"legacy.url\" }\n";
    std::fs::write(&target, rules).unwrap();
    let with = ["--target", target.to_str().unwrap()];
    export(folder.path(), "hugo", &with, 0);
    let out = place(folder.path(), "hugo");
    let pages = pages(&out, |f| f.get("legacy"));
    let mut plain = 0;
    for document in fit(folder.path()) {
        let id = document["id"].as_str().unwrap();
        let (front, body) = page(&out.join(&pages[id]));
        assert_eq!(front["draft"].as_bool(), Some(true));
        assert_eq!(front["topics"][0].as_str(), document["section"]["label"].as_str());
        assert_eq!(
            front["old"].as_str(),
            document["provenance"]["fetch"]["requested"].as_str()
        );
        if let Some(byline) = document["byline"]["raw"].as_str() {
            assert_eq!(front["signer"].as_str(), Some(byline));
            assert!(
                !body.trim_end().ends_with(byline),
                "the signature has a field: {body}"
            );
        }
        plain += u32::from(!pages[id].to_string_lossy().contains(&id[..8]));
    }
    assert!(plain > 0, "slugs of titles alone");
    export(folder.path(), "portable-text", &with, 0);
    let written = lines(place(folder.path(), "portable-text").join("documents.ndjson"));
    assert!(
        written
            .iter()
            .all(|d| d["_id"].as_str().unwrap().starts_with("drafts."))
    );
    // Rules for another CMS say nothing of types of WordPress.
    let said = export(folder.path(), "wxr", &with, 0);
    assert!(
        text(&said.stderr).contains("the target is no WordPress"),
        "{}",
        text(&said.stderr)
    );
    std::fs::write(&target, rules.replace("\"news\"", "\"no-such\"")).unwrap();
    export(folder.path(), "hugo", &with, 3);
}
