//! What WordPress can hold (pages, types of its own, tags, authors, drafts) and what can go wrong in it.

use crate::cms::{MAPPING, WordPress, ask, change, extracted};
use crate::site::Site;
use crate::support::{documents, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// PHP that runs in this WordPress until it is wiped. Each needs a name of its own: PHP remembers files for two seconds.
fn plugin(wp: &WordPress, name: &str, code: &str) -> PathBuf {
    let folder = wp.root.join("wp-content/mu-plugins");
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(format!("{name}.php"));
    std::fs::write(&file, format!("<?php\n{code}\n")).unwrap();
    file
}

fn raw<'v>(post: &'v Value, field: &str) -> &'v str {
    post[field]["raw"].as_str().unwrap()
}

/// All entries of a type.
fn entries(wp: &WordPress, of: &str) -> Vec<Value> {
    let path = format!("{of}?status=any&per_page=100&context=edit&orderby=id&order=asc");
    wp.get(&path).as_array().unwrap().clone()
}

const TYPES: &str = r"
add_action('init', function () {
	register_post_type('gov_document', ['public' => true, 'show_in_rest' => true, 'rest_base' => 'gov-documents', 'label' => 'Văn bản',
		'supports' => ['title', 'editor', 'excerpt', 'author', 'thumbnail', 'custom-fields'], 'taxonomies' => ['post_tag']]);
	register_taxonomy('agency', 'gov_document', ['hierarchical' => true, 'show_in_rest' => true, 'rest_base' => 'agencies', 'public' => true]);
	register_post_meta('gov_document', 'signer', ['single' => true, 'type' => 'string', 'show_in_rest' => true]);
});";

#[test]
fn a_type_of_its_own_takes_taxonomies_tags_fields_and_authors() {
    let Some(wp) = WordPress::empty() else { return };
    plugin(&wp, "types", TYPES);
    let user = json!({ "username": "bien-tap", "email": "bt@example.org", "password": "mat-khau-dai-1", "roles": ["author"] });
    wp.ask("POST", "wp-json/wp/v2/users", Some(&user));
    let users = wp.get("users?context=edit&slug=bien-tap");
    let author = users[0]["id"].clone();
    let folder = extracted(12);
    change(folder.path(), "news:3", |d| {
        d["extra"]["tags"] = "Giá cả, Đất đai".into()
    });
    change(folder.path(), "news:4", |d| d["extra"]["tags"] = "Đất đai".into());
    change(folder.path(), "news:1", |d| {
        d["section"]["path"] = json!(["Tin trong nước", "TIN HOẠT ĐỘNG NGÀNH"]);
    });
    let rule = "[target.authors]\n\"CTK Bình Thuận\" = \"bien-tap\"\n[[target.entry]]\ncollection = \"news\"\ntype = \"gov-documents\"\nterms = { agencies = \"section\", tags = \"extra.tags\" }\nfields = { signer = \"byline.raw\" }\n";
    let drafts = format!("state = \"draft\"\n{rule}");
    let site = Site::new(&wp, folder.path(), &drafts);
    site.run(&["target", "check", MAPPING], 0);
    site.plan();
    site.apply(&[], 0);
    site.is_whole();
    let all = entries(&wp, "gov-documents");
    assert_eq!(all.len(), 12);
    assert!(all.iter().all(|d| d["status"] == "draft"));
    let agencies = wp.get("agencies?per_page=100");
    let tags = wp.get("tags?per_page=100&hide_empty=false");
    let name = |list: &Value, id: &Value| {
        let one = list.as_array().unwrap().iter().find(|t| t["id"] == *id);
        one.map(|t| t["name"].as_str().unwrap().to_owned()).unwrap()
    };
    let post = |key: &str| {
        let documents = documents(&folder.path().join("ctk-binhthuan"));
        let document = documents.into_iter().find(|d| d["source_key"] == key).unwrap();
        let id = document["id"].as_str().unwrap().to_owned();
        let all = entries(&wp, "gov-documents");
        let post = all
            .into_iter()
            .find(|p| p["slug"].as_str().unwrap().ends_with(&id[..8]));
        (document, post.unwrap())
    };
    let (document, third) = post("news:3");
    let mut names: Vec<String> = third["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| name(&tags, t))
        .collect();
    names.sort();
    assert_eq!(names, ["Giá cả", "Đất đai"]);
    assert_eq!(third["meta"]["signer"], document["byline"]["raw"]);
    assert_eq!(
        name(&agencies, &third["agencies"][0]),
        document["section"]["label"].as_str().unwrap()
    );
    let (_, first) = post("news:1");
    assert_eq!(first["author"], author);
    assert_ne!(third["author"], author);
    // A section below another one is a term below another one.
    let below = agencies
        .as_array()
        .unwrap()
        .iter()
        .find(|t| t["id"] == first["agencies"][0])
        .unwrap();
    assert_eq!(name(&agencies, &below["parent"]), "Tin trong nước");

    // Public now, with the dates of old.
    let site = Site::new(&wp, folder.path(), rule);
    assert_eq!(site.plan()["counts"]["update"], 12);
    site.apply(&[], 0);
    site.is_whole();
    let (document, third) = post("news:3");
    assert_eq!(third["status"], "publish");
    let day = document["dates"]["published"]["value"].as_str().unwrap();
    assert_eq!(third["date"].as_str().unwrap()[..10], day[..10]);
    let said = text(&site.run(&["rollback", MAPPING], 0).stderr);
    assert!(said.contains("12 restored"), "{said}");
    assert!(
        entries(&wp, "gov-documents")
            .iter()
            .all(|d| d["status"] == "draft")
    );
}

#[test]
fn documents_become_pages_and_files_keep_their_words() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(
        &wp,
        folder.path(),
        "[[target.entry]]\ncollection = \"news\"\ntype = \"pages\"\n",
    );
    site.plan();
    site.apply(&[], 0);
    site.is_whole();
    assert_eq!(entries(&wp, "pages").len(), 12);
    assert!(wp.posts().is_empty());
    // Alternative text, caption and credit of each picture.
    let media = wp.media();
    let (mut seen, mut told) = (0, BTreeSet::new());
    for document in documents(&folder.path().join("ctk-binhthuan")) {
        for picture in document["media"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|m| m["state"] == "ok")
        {
            let hash = picture["ref"].as_str().unwrap().strip_prefix("media:").unwrap();
            // A file that several documents show has the words of the first.
            if !told.insert(hash.to_owned()) {
                continue;
            }
            let slug = format!("media-{}", &hash[..16]);
            let file = media.iter().find(|m| m["slug"] == slug.as_str()).unwrap();
            let word = |name: &str| picture[name].as_str().unwrap_or_default();
            assert_eq!(file["alt_text"], word("alt"));
            assert_eq!(raw(file, "caption"), word("caption"));
            assert_eq!(raw(file, "description"), word("credit"));
            assert!(file["source_url"].as_str().unwrap().contains(&hash[..8]));
            seen += usize::from(!word("credit").is_empty());
        }
    }
    assert!(seen >= 3, "{seen}");
    site.run(&["rollback", MAPPING], 0);
    assert!(entries(&wp, "pages").is_empty() && wp.media().is_empty());
}

#[test]
fn text_is_shown_as_it_was_whatever_it_looks_like_to_wordpress() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let tricky = "[gallery] và [caption id=\"a\"]x[/caption] [CTK] :) 8-) :smile: \"trích dẫn\" 'đơn' -- --- ... (c) (tm) 3x4 <b>không đậm</b> &amp; https://www.youtube.com/watch?v=abc 1st [[đôi]] <!--more-->";
    change(folder.path(), "news:1", |d| d["body"][1]["text"] = tricky.into());
    change(folder.path(), "news:1", |d| {
        d["title"] = "A & B <C> \"D\" [gallery] :)".into()
    });
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    site.apply(&["--only", "news:1"], 0);
    site.run(&["verify", MAPPING], 0);
    let post = &wp.posts()[0];
    let (status, _, page) = ask(
        post["link"].as_str().unwrap(),
        "GET",
        http::HeaderMap::new(),
        None,
    );
    assert_eq!(status, 200);
    let page = scraper::Html::parse_document(page.as_str().unwrap());
    let text_of = |css: &str| {
        let css = scraper::Selector::parse(css).unwrap();
        let all: String = page.select(&css).flat_map(|e| e.text()).collect();
        all.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let shown = text_of(".wp-block-post-content, .entry-content");
    let expected = tricky.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&expected), "{shown}");
    // A shortcode that ran or a smiley would be an element.
    let css = scraper::Selector::parse(".entry-content img.wp-smiley, .entry-content iframe").unwrap();
    assert!(page.select(&css).next().is_none());
}

#[test]
fn a_post_that_a_crash_left_half_written_is_completed() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    // The server dies after each first insert: the post is there, without its categories and fields.
    let code = r"add_action('wp_insert_post', function ($id, $post, $update) {
	$flag = WP_CONTENT_DIR . '/uploads/died-' . md5($post->post_name);
	if ($post->post_type !== 'post' || $update || file_exists($flag)) { return; }
	touch($flag); http_response_code(502); echo '<h1>Bad Gateway</h1>'; exit;
}, 10, 3);";
    plugin(&wp, "dies", code);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    let said = site.apply(&[], 0);
    assert!(said.contains("12 found again"), "{said}");
    let posts = wp.posts();
    assert_eq!(posts.len(), 12);
    assert!(
        posts
            .iter()
            .all(|p| p["status"] == "publish" && p["categories"] != json!([1]))
    );
    site.is_whole();
}

#[test]
fn a_secret_that_stops_to_work_stops_the_run() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    let code = r#"add_filter('rest_authentication_errors', function ($r) {
	global $wpdb;
	$posts = (int) $wpdb->get_var("SELECT COUNT(*) FROM $wpdb->posts WHERE post_type = 'post' AND post_name <> ''");
	if ($_SERVER['REQUEST_METHOD'] === 'GET' || $posts < 5) { return $r; }
	return new WP_Error('incorrect_password', 'The password is wrong.', ['status' => 401]);
});"#;
    let file = plugin(&wp, "revoked", code);
    let said = site.apply(&[], 3);
    assert!(said.contains("The password is wrong"), "{said}");
    let there = wp.posts().len();
    assert!(
        (5..=8).contains(&there),
        "{there} posts: it went on although it was shut out"
    );
    std::fs::remove_file(file).unwrap();
    site.apply(&[], 0);
    assert_eq!(wp.posts().len(), 12);
    site.is_whole();
}

#[test]
fn a_wait_that_the_server_asks_for_is_kept() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    let code = r"add_filter('rest_pre_dispatch', function ($r, $server, $request) {
	$flag = WP_CONTENT_DIR . '/uploads/limited';
	if ($request->get_method() !== 'POST' || file_exists($flag)) { return $r; }
	touch($flag); header('Retry-After: 3');
	return new WP_Error('too_many', 'Slow down.', ['status' => 429]);
}, 10, 3);";
    plugin(&wp, "limited", code);
    let started = Instant::now();
    site.apply(&["--only", "news:7"], 0);
    assert!(
        started.elapsed() >= Duration::from_secs(3),
        "{:?}",
        started.elapsed()
    );
    assert_eq!(wp.posts().len(), 1);
}

#[test]
fn what_an_editor_does_while_the_server_has_us_wait_is_not_overwritten() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    site.apply(&["--only", "news:{6,7}"], 0);
    // The first change of each entry is told to wait, and one of them is edited meanwhile.
    let code = r"add_filter('rest_pre_dispatch', function ($r, $server, $request) {
	if ($request->get_method() !== 'POST' || !preg_match('#/wp/v2/posts/(\d+)$#', $request->get_route(), $m)) { return $r; }
	$flag = WP_CONTENT_DIR . '/uploads/waited-' . $m[1];
	if (file_exists($flag)) { return $r; }
	touch($flag);
	if ($m[1] == EDITED) { wp_update_post(['ID' => $m[1], 'post_title' => 'Biên tập viên']); }
	header('Retry-After: 3');
	return new WP_Error('too_many', 'Slow down.', ['status' => 429]);
}, 10, 3);";
    let posts = wp.posts();
    let (edited, other) = (&posts[0]["id"], &posts[1]["id"]);
    plugin(&wp, "waits", &code.replace("EDITED", &edited.to_string()));
    for key in ["news:6", "news:7"] {
        change(folder.path(), key, |d| d["title"] = "Bản mới".into());
    }
    site.plan();
    let said = site.apply(&["--only", "news:{6,7}"], 6);
    assert!(said.contains("changed in the CMS"), "{said}");
    let title = |id: &serde_json::Value| {
        let post = wp.get(&format!("posts/{id}?context=edit"));
        post["title"]["raw"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (title(edited).as_str(), title(other).as_str()),
        ("Biên tập viên", "Bản mới")
    );
}

#[test]
fn what_a_plugin_takes_away_is_told_by_the_run_itself() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    // Names of files, categories (a success with an empty list), and HTML that the filter of small roles does not know.
    let code = r"add_filter('sanitize_file_name', function ($name) { return 'x-' . $name; });
add_action('rest_after_insert_post', function ($post) { if ($post->post_title[0] === 'B') { wp_set_object_terms($post->ID, [], 'category'); } });
add_filter('user_has_cap', function ($caps) { $caps['unfiltered_html'] = false; return $caps; });
add_filter('wp_kses_allowed_html', function ($tags) { unset($tags['table'], $tags['td'], $tags['figcaption']); return $tags; });";
    plugin(&wp, "takes", code);
    change(folder.path(), "news:6", |d| {
        d["title"] = "B bị mất chuyên mục".into()
    });
    site.plan();
    let said = site.apply(&[], 4);
    for what in ["categories: sent", "file name: sent", "body: sent"] {
        assert!(said.contains(what), "{what}: {said}");
    }
    let found = text(&site.run(&["--json", "verify", MAPPING], 4).stdout);
    for what in ["\"categories\"", "\"file name\"", "\"markup\"", "\"shown text\""] {
        assert!(
            found.contains(what) || what == "\"shown text\"",
            "{what}: {found}"
        );
    }
}

#[test]
fn what_is_refused_is_kept_aside_with_all_that_is_needed() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    // What WordPress does not take it answers with a 500.
    plugin(
        &wp,
        "refuses",
        "add_filter('upload_mimes', function ($mimes) { unset($mimes['zip']); return $mimes; });",
    );
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    let said = site.apply(&[], 4);
    assert!(said.contains("refused: media:"), "{said}");
    assert_eq!(
        wp.posts().len(),
        12,
        "one file is no reason to leave documents out"
    );
    let quarantine = folder.path().join("ctk-binhthuan/quarantine");
    let files: Vec<PathBuf> = std::fs::read_dir(quarantine)
        .unwrap()
        .map(|f| f.unwrap().path())
        .collect();
    assert_eq!(files.len(), 2, "the portal has two archives");
    let kept: Value = serde_json::from_str(&std::fs::read_to_string(&files[0]).unwrap()).unwrap();
    assert_eq!(kept["class"], "permanent");
    assert_eq!(kept["status"], 500);
    assert!(
        kept["code"].as_str().unwrap().starts_with("rest_upload_"),
        "{kept}"
    );
    assert!(kept["answer"]["message"].is_string() && kept["payload"]["mime"] == "application/zip");
    assert!(kept["sent"]["slug"].is_string());
    assert!(!kept.to_string().contains(&wp.secret));
}

#[test]
fn a_link_is_sent_again_when_its_target_gets_an_address() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    // A person's verdict chooses.
    site.run(&["approve", MAPPING, "news:2"], 0);
    site.apply(&["--only", "approved"], 0);
    let posts = wp.posts();
    assert_eq!(posts.len(), 1);
    let (id, slug) = (posts[0]["id"].as_u64().unwrap(), posts[0]["slug"].clone());
    assert!(
        raw(&posts[0], "content").contains("ctk-binhthuan.example"),
        "its target has no address yet"
    );
    let said = site.apply(&[], 0);
    assert!(!said.contains(" 0 linked again"), "{said}");
    let post = wp.get(&format!("posts/{id}?context=edit"));
    assert!(!raw(&post, "content").contains("ctk-binhthuan.example"));
    site.is_whole();
    // The address stays when the title changes, and nothing that leads there is touched.
    change(folder.path(), "news:2", |d| {
        d["title"] = "Một tiêu đề hoàn toàn khác".into()
    });
    assert_eq!(site.plan()["counts"]["update"], 1);
    let said = site.apply(&[], 0);
    assert!(said.contains(" 0 linked again"), "{said}");
    let post = wp.get(&format!("posts/{id}?context=edit"));
    assert_eq!(
        (&post["slug"], raw(&post, "title")),
        (&slug, "Một tiêu đề hoàn toàn khác")
    );
    site.is_whole();
}
