//! A delivered article as a reader sees it: a real WordPress in a real Chromium.

use crate::browser::is_there;
use crate::cms::{MAPPING, WordPress, ask, extracted};
use crate::support::{documents, expect, text};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Chromium, as the program finds it.
pub fn chromium() -> String {
    std::env::var("SANGTRANG_CHROMIUM").unwrap_or_else(|_| {
        let names = [
            "chromium",
            "chromium-browser",
            "google-chrome",
            "google-chrome-stable",
        ];
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = names
            .iter()
            .find(|n| std::env::split_paths(&path).any(|d| d.join(n).is_file()));
        (*found.unwrap()).to_owned()
    })
}

fn look(folder: &Path, what: &str, url: &str) -> Vec<u8> {
    let mut command = Command::new(chromium());
    command
        .args([
            "--headless=new",
            "--disable-gpu",
            "--hide-scrollbars",
            "--no-sandbox",
        ])
        .args(["--window-size=1200,2600", "--virtual-time-budget=10000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(what)
        .arg(url);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    output.stdout
}

/// Different colours of a picture, and the share of its most frequent one.
fn colours(png: &Path) -> (usize, f64) {
    let file = std::io::BufReader::new(std::fs::File::open(png).unwrap());
    let mut reader = png::Decoder::new(file).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut pixels).unwrap();
    let size = frame.color_type.samples();
    let mut counts: std::collections::BTreeMap<&[u8], usize> = std::collections::BTreeMap::new();
    for pixel in pixels[..frame.buffer_size()].chunks(size) {
        *counts.entry(pixel).or_default() += 1;
    }
    let most = counts.values().max().copied().unwrap_or_default();
    #[expect(clippy::cast_precision_loss, reason = "a share of some million pixels")]
    let share = most as f64 / (frame.buffer_size() / size) as f64;
    (counts.len(), share)
}

#[test]
fn an_article_is_shown_whole_and_without_the_old_page_around_it() {
    if !is_there() {
        return;
    }
    let Some(wp) = WordPress::companion() else { return };
    let folder = extracted(12);
    let target = wp.target(folder.path(), "mode = \"companion\"\n");
    let run = |args: &[&str]| {
        let mut command = wp.command();
        command.args(args).arg("--output").arg(folder.path());
        if args[0] != "apply" {
            command.arg("--target").arg(&target);
        }
        expect(&mut command, 0)
    };
    run(&["plan", MAPPING]);
    run(&[
        "apply",
        folder.path().join("ctk-binhthuan/plan.json").to_str().unwrap(),
    ]);
    let documents = documents(&folder.path().join("ctk-binhthuan"));
    // One with a table, pictures with captions, a file and a signature.
    let kinds = |d: &Value| -> BTreeSet<String> {
        let blocks = d["body"].as_array().unwrap().iter();
        blocks.map(|b| b["kind"].as_str().unwrap().to_owned()).collect()
    };
    let captions = |d: &Value| -> Vec<String> {
        let media = d["media"].as_array().unwrap().iter();
        media
            .filter(|m| m["state"] == "ok")
            .filter_map(|m| m["caption"].as_str().map(str::to_owned))
            .collect()
    };
    let document = documents
        .iter()
        .find(|d| kinds(d).contains("table") && !captions(d).is_empty() && d["byline"]["raw"].is_string())
        .unwrap();
    let id = document["id"].as_str().unwrap();
    let posts = wp.get(&format!("posts?context=edit&sangtrang_key=doc:{id}"));
    let post = &posts[0];
    let link = post["link"].as_str().unwrap();

    let place = tempfile::tempdir().unwrap();
    let dom = text(&look(place.path(), "--dump-dom", link));
    let page = scraper::Html::parse_document(&dom);
    let select = |css: &str| {
        let css = scraper::Selector::parse(css).unwrap();
        page.select(&css)
            .map(|e| {
                let all: String = e.text().collect();
                all.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(select("h1"), [document["title"].as_str().unwrap()]);
    let css = scraper::Selector::parse("time[datetime]").unwrap();
    let times: Vec<&str> = page.select(&css).filter_map(|t| t.attr("datetime")).collect();
    let day = &document["dates"]["published"]["value"].as_str().unwrap()[..10];
    assert!(times.iter().any(|t| t.starts_with(day)), "{day}: {times:?}");
    let section = document["section"]["label"].as_str().unwrap();
    assert!(select("a[rel~=tag]").iter().any(|t| t == section), "{section}");
    let shown = select("figcaption");
    for caption in captions(document) {
        assert!(shown.iter().any(|s| s.contains(&caption)), "{caption}: {shown:?}");
    }
    let cells: Vec<String> = select(".wp-block-table td, .wp-block-table th");
    let mut table = 0;
    for block in document["body"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|b| b["kind"] == "table")
    {
        let rows = block["table"]["rows"].as_array().unwrap().iter();
        for cell in rows
            .flat_map(|r| r.as_array().unwrap())
            .filter(|c| c.get("origin").is_none())
        {
            let raw = cell["content"]["text"].as_str().unwrap_or_default();
            let raw = raw.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(cells.contains(&raw), "{raw}: {cells:?}");
            table += 1;
        }
    }
    assert!(table >= 8, "{table} cells of {}", document["body"]);
    let whole = select("body").concat();
    assert!(whole.contains(document["byline"]["raw"].as_str().unwrap()));
    for boilerplate in ["TIN TỨC CÙNG LOẠI KHÁC", "Số lượt truy cập", "In trang"] {
        assert!(!whole.contains(boilerplate), "{boilerplate}: {whole}");
    }
    // Every picture of the text comes from here and is there.
    let css = scraper::Selector::parse(".entry-content img, .wp-block-post-content img").unwrap();
    let sources: Vec<&str> = page.select(&css).filter_map(|i| i.attr("src")).collect();
    assert!(!sources.is_empty());
    for source in sources {
        assert!(source.starts_with(&wp.base), "{source}");
        assert_eq!(ask(source, "GET", http::HeaderMap::new(), None).0, 200);
    }

    let picture = place.path().join("article.png");
    look(place.path(), &format!("--screenshot={}", picture.display()), link);
    let (colours, share) = colours(&picture);
    assert!(
        colours > 100 && share < 0.995,
        "{colours} colours, {share} of one"
    );
    // Kept where somebody may look at it.
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wordpress-article.png");
    std::fs::copy(&picture, &kept).unwrap();
    eprintln!("the article as it is shown: {}", kept.display());
}
