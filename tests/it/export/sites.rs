//! Hugo and Zola.

use super::*;

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
