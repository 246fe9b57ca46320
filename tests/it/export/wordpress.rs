//! WXR, read as the importer of WordPress reads it, and imported.

use super::*;

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
