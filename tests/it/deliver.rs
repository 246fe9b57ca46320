//! Delivery into a real WordPress: planned, applied, read back, taken back.

use crate::cms::{MAPPING, WordPress, ask, change, extracted};
use crate::site::Site;
use crate::support::{documents, expect, files, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn raw<'v>(post: &'v Value, field: &str) -> &'v str {
    post[field]["raw"].as_str().unwrap()
}

#[test]
fn a_portal_moves_into_wordpress_and_the_next_plan_is_empty() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    let plan = site.plan();
    assert_eq!(plan["counts"]["create"], 12);
    let first = std::fs::read(site.plan_file()).unwrap();
    site.plan();
    assert_eq!(
        std::fs::read(site.plan_file()).unwrap(),
        first,
        "the same input, the same bytes"
    );

    // A dry run writes nothing.
    site.apply(&["-n"], 0);
    assert!(wp.posts().is_empty());

    let said = site.apply(&[], 0);
    assert!(said.contains("12 published"), "{}", said);
    assert!(site.verify(0).is_empty());
    let posts = wp.posts();
    let documents = documents(&folder.path().join("ctk-binhthuan"));
    assert_eq!(posts.len(), documents.len());
    assert!(posts.iter().all(|p| p["status"] == "publish"));
    let categories = wp.get("categories?per_page=100");
    for document in &documents {
        let id = document["id"].as_str().unwrap();
        let post = posts
            .iter()
            .find(|p| p["slug"].as_str().unwrap().ends_with(&id[..8]))
            .unwrap();
        assert_eq!(raw(post, "title"), document["title"].as_str().unwrap());
        let day = document["dates"]["published"]["value"].as_str().unwrap();
        assert_eq!(&post["date"].as_str().unwrap()[..10], &day[..10]);
        let category = categories
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["id"] == post["categories"][0])
            .unwrap();
        assert_eq!(category["name"], document["section"]["label"]);
        let shown = post["content"]["rendered"].as_str().unwrap();
        assert!(!shown.contains("TIN TỨC CÙNG LOẠI"), "{shown}");
        // Whatever has a place here is linked here. What has none (a picture that the portal lost) keeps its old address.
        let files = document["media"].as_array().unwrap();
        let lost = files.iter().filter(|m| m["state"] != "ok").count();
        assert!(shown.matches("ctk-binhthuan.example").count() <= lost, "{shown}");
    }
    let hashes: BTreeSet<&str> = documents
        .iter()
        .flat_map(|d| {
            d["media"]
                .as_array()
                .unwrap()
                .iter()
                .chain(d["attachments"].as_array().unwrap())
        })
        .filter(|m| m["state"] == "ok")
        .map(|m| m["ref"].as_str().unwrap())
        .collect();
    assert_eq!(wp.media().len(), hashes.len(), "one file a hash");

    let plan = site.plan();
    assert_eq!(
        (&plan["counts"]["unchanged"], &plan["changes"]),
        (&json!(12), &json!([]))
    );
    // The first plan again is stale now only where things differ: here nothing does.
    std::fs::write(site.plan_file(), &first).unwrap();
    let said = site.apply(&[], 0);
    assert!(said.contains("0 made, 0 changed"), "{}", said);
    assert_eq!(wp.posts().len(), 12);
}

#[test]
fn an_editors_change_is_held_and_never_overwritten() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let find = |key: &str| {
        let documents = documents(&folder.path().join("ctk-binhthuan"));
        let document = documents.iter().find(|d| d["source_key"] == key).unwrap().clone();
        let short = document["id"].as_str().unwrap()[..8].to_owned();
        let posts = wp.posts();
        let post = posts
            .iter()
            .find(|p| p["slug"].as_str().unwrap().ends_with(&short));
        post.unwrap()["id"].as_u64().unwrap()
    };
    let (a, b, c) = (find("news:2"), find("news:3"), find("news:4"));
    for key in ["news:2", "news:3", "news:4"] {
        change(folder.path(), key, |d| {
            d["title"] = "Tiêu đề mới của cổng cũ".into()
        });
    }
    // An edit before the plan.
    wp.edit(&format!("posts/{a}"), json!({ "title": "Sửa trước kế hoạch" }));
    let plan = site.plan();
    assert_eq!(plan["holds"][0]["reason"], "drift");
    assert_eq!(plan["holds"][0]["fields"][0]["to"], "Sửa trước kế hoạch");
    assert_eq!(plan["counts"]["update"], 2);
    let change = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["source"] == "news:3")
        .unwrap();
    assert_eq!(change["fields"][0]["field"], "title");
    assert_eq!(change["fields"][0]["to"], "Tiêu đề mới của cổng cũ");
    // An edit between plan and apply.
    wp.edit(&format!("posts/{b}"), json!({ "excerpt": "Sửa sau kế hoạch" }));
    let said = site.apply(&[], 6);
    assert!(said.contains("changed in the CMS excerpt"), "{}", said);
    let post = |id: u64| wp.get(&format!("posts/{id}?context=edit"));
    assert_eq!(raw(&post(a), "title"), "Sửa trước kế hoạch");
    assert_eq!(raw(&post(b), "excerpt"), "Sửa sau kế hoạch");
    assert_ne!(raw(&post(b), "title"), "Tiêu đề mới của cổng cũ");
    assert_eq!(raw(&post(c), "title"), "Tiêu đề mới của cổng cũ");
    assert_eq!(wp.posts().len(), 12);
    // What an editor deleted is not made again.
    wp.ask("DELETE", &format!("wp-json/wp/v2/posts/{c}"), None);
    let plan = site.plan();
    let reasons: BTreeSet<&str> = plan["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, BTreeSet::from(["drift", "removed"]));
    site.apply(&[], 0);
    assert_eq!(wp.posts().len(), 11);
}

#[test]
fn a_stale_plan_is_refused_before_anything_is_written() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    change(folder.path(), "news:5", |d| d["title"] = "Khác rồi".into());
    let said = site.apply(&[], 6);
    assert!(
        said.contains("the plan is stale") && said.contains("Khác rồi") | said.contains("another content"),
        "{}",
        said
    );
    assert!(wp.posts().is_empty() && wp.media().is_empty());
    // A plan that somebody wrote is read with care.
    std::fs::write(site.plan_file(), "{\"schema\": 3}").unwrap();
    site.apply(&[], 2);
}

#[test]
fn each_silent_loss_is_found() {
    let Some(wp) = WordPress::companion() else { return };
    let folder = extracted(12);
    let more = "mode = \"companion\"\n[[target.entry]]\ncollection = \"news\"\ntype = \"posts\"\nterms = { categories = \"section\" }\nfields = { sangtrang_byline = \"byline.raw\" }\n";
    let site = Site::new(&wp, folder.path(), more);
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    let posts = wp.posts();
    let with_link = posts
        .iter()
        .position(|p| raw(p, "content").contains("<a href"))
        .unwrap();
    // Which entry comes first is chance.
    let with_picture = (0..posts.len())
        .position(|i| i != with_link && raw(&posts[i], "content").contains("wp-image-"))
        .unwrap();
    let mut free = (0..posts.len()).filter(|i| ![with_link, with_picture].contains(i));
    let mut meant = Vec::new();
    let mut break_one = |at: usize, field: &str, body: Value| {
        let id = posts[at]["id"].as_u64().unwrap();
        wp.edit(&format!("posts/{id}"), body);
        meant.push((field.to_owned(), id.to_string()));
    };
    let mut next = || free.next().unwrap();
    break_one(next(), "categories", json!({ "categories": [1] }));
    break_one(
        next(),
        "meta.sangtrang_byline",
        json!({ "meta": { "sangtrang_byline": "" } }),
    );
    break_one(next(), "date", json!({ "date": "2015-03-02T00:00:00+07:00" }));
    break_one(next(), "title", json!({ "title": "x" }));
    break_one(next(), "state", json!({ "status": "draft" }));
    break_one(next(), "slug", json!({ "slug": "khac" }));
    let unlinked = regex::Regex::new("<a href=[^>]*>(.*?)</a>").unwrap();
    let content = unlinked
        .replace_all(raw(&posts[with_link], "content"), "$1")
        .into_owned();
    break_one(with_link, "links", json!({ "content": content }));
    let content = raw(&posts[with_picture], "content").replacen("src=\"", "src=\"/khac/", 1);
    break_one(with_picture, "pictures", json!({ "content": content }));
    let at = next();
    let content = raw(&posts[at], "content");
    let word = content
        .split("<p>")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .to_owned();
    break_one(at, "text", json!({ "content": content.replacen(&word, "", 1) }));
    let id = posts[at]["id"].as_u64().unwrap().to_string();
    // What is stored and what is shown are two things: here both changed.
    let media = wp.media();
    wp.edit(
        &format!("media/{}", media[0]["id"]),
        json!({ "alt_text": "khác" }),
    );
    let file = |m: &Value| {
        let url = m["source_url"].as_str().unwrap();
        wp.root.join(
            url.split_once("/wp-content/")
                .map(|u| format!("wp-content/{}", u.1))
                .unwrap(),
        )
    };
    std::fs::write(file(&media[1]), b"other bytes").unwrap();
    std::fs::remove_file(file(&media[2])).unwrap();
    wp.ask(
        "DELETE",
        &format!("wp-json/wp/v2/media/{}?force=true", media[3]["id"]),
        None,
    );
    let number = |m: &Value| m["id"].as_u64().unwrap().to_string();
    meant.push(("alt".into(), number(&media[0])));
    meant.push(("bytes".into(), number(&media[1])));
    meant.push(("bytes".into(), number(&media[2])));
    meant.push(("missing".into(), number(&media[3])));
    let found = site.verify(4);
    for one in &meant {
        assert!(found.contains(one), "{one:?} is not among {found:#?}");
    }
    // What was not touched is not named. A text that changed is shown otherwise too.
    let touched: BTreeSet<&String> = meant.iter().map(|m| &m.1).collect();
    assert!(found.iter().all(|f| touched.contains(&f.1)), "{found:#?}");
    assert!(found.contains(&("shown text".to_owned(), id)) || !found.is_empty());
}

#[test]
fn a_run_is_taken_back_but_for_what_somebody_touched() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let before = wp.posts();
    // A second run changes two; one of them is edited afterwards.
    for key in ["news:2", "news:3"] {
        change(folder.path(), key, |d| d["title"] = format!("Mới {key}").into());
    }
    site.plan();
    site.apply(&[], 0);
    let touched = wp
        .posts()
        .into_iter()
        .find(|p| raw(p, "title") == "Mới news:3")
        .unwrap()["id"]
        .as_u64()
        .unwrap();
    wp.edit(
        &format!("posts/{touched}"),
        json!({ "excerpt": "của biên tập viên" }),
    );
    let said = site.run(&["rollback", MAPPING, "-n"], 6);
    assert!(
        text(&said.stderr).contains("0 removed, 1 restored, 1 left"),
        "{}",
        text(&said.stderr)
    );
    assert!(
        wp.posts().iter().any(|p| raw(p, "title") == "Mới news:2"),
        "a dry run restores nothing"
    );
    let said = site.run(&["rollback", MAPPING], 6);
    assert!(
        text(&said.stderr).contains("1 restored, 1 left"),
        "{}",
        text(&said.stderr)
    );
    for (old, now) in before.iter().zip(wp.posts()) {
        let same = raw(old, "title") == raw(&now, "title") && raw(old, "content") == raw(&now, "content");
        assert_eq!(same, now["id"] != json!(touched));
    }
    change(folder.path(), "news:3", |d| d["title"] = "Lại khác".into());
    let plan = site.plan();
    assert_eq!(plan["holds"][0]["reason"], "drift");
}

#[test]
fn what_a_run_made_goes_with_it() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    site.apply(&[], 0);
    let before: Vec<Value> = wp.get("categories").as_array().unwrap().clone();
    assert!(before.len() > 1);
    site.run(&["rollback", MAPPING], 0);
    assert!(wp.posts().is_empty() && wp.media().is_empty());
    assert_eq!(
        wp.get("categories").as_array().unwrap().len(),
        1,
        "only WordPress's own is left"
    );
    // And it can be done again.
    site.plan();
    site.apply(&[], 0);
    assert!(site.verify(0).is_empty());
    assert_eq!(wp.posts().len(), 12);
}

#[test]
fn old_addresses_lead_to_what_came_of_them() {
    let Some(wp) = WordPress::companion() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "mode = \"companion\"\n");
    site.plan();
    site.apply(&[], 0);
    let mut asked = 0;
    for document in documents(&folder.path().join("ctk-binhthuan")) {
        for old in document["redirects"]["from"].as_array().unwrap() {
            let old = url::Url::parse(old.as_str().unwrap()).unwrap();
            let mut pairs: Vec<&str> = old.query().unwrap_or_default().split('&').collect();
            pairs.reverse();
            // Whatever the order of parameters and the case of the path.
            let spellings = [
                old[url::Position::BeforePath..url::Position::AfterQuery].to_owned(),
                format!("{}?{}", old.path().to_uppercase(), pairs.join("&")),
            ];
            for spelling in spellings {
                let (status, headers, _) = ask(
                    &format!("{}{spelling}", wp.base),
                    "GET",
                    http::HeaderMap::new(),
                    None,
                );
                assert_eq!(status, 301, "{spelling}");
                let to = headers["location"].to_str().unwrap();
                let (status, _, page) = ask(to, "GET", http::HeaderMap::new(), None);
                assert_eq!(status, 200, "{to}");
                let title = document["title"].as_str().unwrap().split(' ').next().unwrap();
                assert!(page.as_str().unwrap().contains(title), "{title}: {to}: {page}");
                asked += 1;
            }
        }
        for file in document["attachments"].as_array().unwrap() {
            if file["state"] != "ok" {
                continue;
            }
            let old = url::Url::parse(file["source_url"].as_str().unwrap()).unwrap();
            let path = &old[url::Position::BeforePath..url::Position::AfterQuery];
            let (status, headers, _) =
                ask(&format!("{}{path}", wp.base), "GET", http::HeaderMap::new(), None);
            assert_eq!(status, 301, "{path}");
            assert!(
                headers["location"]
                    .to_str()
                    .unwrap()
                    .contains("/wp-content/uploads/")
            );
        }
    }
    assert!(asked >= 24, "{asked}");
}

#[test]
fn what_the_target_lacks_is_said_before_anything_is_written() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let more = "[target.authors]\n\"A\" = \"nobody\"\n[[target.entry]]\ncollection = \"news\"\ntype = \"posts\"\nterms = { sections = \"section\" }\nfields = { signer = \"byline.raw\" }\n";
    let site = Site::new(&wp, folder.path(), more);
    let said = text(&site.run(&["plan", MAPPING], 3).stderr);
    for what in ["no taxonomy `sections`", "no field `signer`", "no user `nobody`"] {
        assert!(said.contains(what), "{what}: {said}");
    }
    let site = Site::new(&wp, folder.path(), "mode = \"companion\"\n");
    let said = text(&site.run(&["target", "check", MAPPING], 3).stderr);
    assert!(said.contains("the companion plugin is not active"), "{said}");
    assert!(wp.get("categories").as_array().unwrap().len() == 1);
}

#[test]
fn dates_before_1970_and_after_today_arrive() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    change(folder.path(), "news:2", |d| {
        d["dates"]["published"]["value"] = "1965-04-30".into()
    });
    change(folder.path(), "news:3", |d| {
        d["dates"]["published"]["value"] = "2091-01-02T08:30:00+07:00".into()
    });
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    site.apply(&["--only", "news:2", "--only", "news/news:3"], 0);
    let posts = wp.posts();
    assert_eq!(posts.len(), 2, "--only takes those and what they need");
    let dated = |date: &str| {
        posts
            .iter()
            .find(|p| p["date_gmt"] == date)
            .unwrap_or_else(|| panic!("{date}: {posts:#?}"))
    };
    assert_eq!(
        dated("1965-04-29T16:00:00")["status"],
        "publish",
        "Saigon kept +08:00 then"
    );
    assert_eq!(dated("2091-01-02T01:30:00")["status"], "future");
    assert!(site.verify(0).is_empty());
    site.apply(&["--limit", "3"], 9);
    site.apply(&[], 0);
    assert_eq!(wp.posts().len(), 12);
    assert!(site.verify(0).is_empty());
}

#[test]
fn no_secret_is_ever_written_down() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    let mut said = Vec::new();
    let mut run = |args: &[&str], code: i32| {
        let mut command = wp.command();
        command
            .env("SANGTRANG_LOG", "trace")
            .args(["-vvv"])
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
    run(&["rollback", MAPPING], 0);
    // A wrong secret is refused, and not repeated either.
    let mut wrong = wp.command();
    wrong
        .env("CMS_SECRET", "hunter2-hunter2")
        .args(["plan", MAPPING, "--target"])
        .arg(&site.target)
        .arg("--output")
        .arg(folder.path());
    let output = expect(&mut wrong, 3);
    assert!(
        text(&output.stderr).contains("the user or the secret is wrong"),
        "{}",
        text(&output.stderr)
    );
    said.extend(output.stderr);
    let mut none = wp.command();
    none.env_remove("CMS_SECRET")
        .args(["plan", MAPPING, "--target"])
        .arg(&site.target)
        .arg("--output")
        .arg(folder.path());
    assert!(text(&expect(&mut none, 3).stderr).contains("the environment has no `CMS_SECRET`"));
    use base64::Engine as _;
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", wp.user, wp.secret));
    // Payloads lie packed in the ledger.
    let ledger = rusqlite::Connection::open(folder.path().join("ctk-binhthuan/ledger.db")).unwrap();
    let mut payloads = 0;
    for (table, column) in [("delivery", "body"), ("push", "prior"), ("push", "was_body")] {
        let query = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL");
        let mut rows = ledger.prepare(&query).unwrap();
        let blobs = rows.query_map([], |r| r.get::<_, Vec<u8>>(0)).unwrap();
        for blob in blobs {
            let value = sangtrang::deliver::unpack(&blob.unwrap()).unwrap();
            said.extend(value.to_string().into_bytes());
            payloads += 1;
        }
    }
    assert!(payloads > 12, "{payloads}");
    let secrets = [wp.secret.as_str(), pair.as_str(), "hunter2-hunter2"];
    for secret in secrets {
        assert!(!text(&said).contains(secret), "a secret was printed");
        for file in files(folder.path()) {
            let bytes = std::fs::read(folder.path().join(&file)).unwrap();
            assert!(
                memchr::memmem::find(&bytes, secret.as_bytes()).is_none(),
                "{} holds a secret",
                file.display()
            );
        }
    }
}
