//! D17: the site changes, or pretends to, between two crawls. What was captured is never lost from the documents.

use crate::harness::{Ended, run};
use crate::site::{Asked, Reply, Rules, Site, article, articles_are, healthy, job, links, mapping, sentence};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const ARTICLES: u32 = 40;

/// What the site is like now.
const DAYS: [&str; 6] = ["usual", "edited", "moved", "not found", "login", "broken"];

fn frame(body: &str) -> Reply {
    Reply::page(format!(
        "<html><body><div>Cục Thống kê</div><div id=content>{body}</div></body></html>"
    ))
}

fn answer(asked: &Asked, day: &str) -> Reply {
    let view = asked.id().filter(|_| asked.path.starts_with("/view?id="));
    match (day, view) {
        _ if asked.path == "/robots.txt" => Reply::status(404),
        ("edited", Some(id)) if id <= 5 => {
            Reply::page(article(id).replace("Bài viết số", "Bài viết đã sửa, số"))
        }
        ("edited", Some(id @ 6..=8)) => Reply::status(if id == 6 { 410 } else { 404 }),
        ("moved", Some(id @ 10..=14)) => Reply::with(301, format!("Location: /view?id={}\r\n", id + 1000)),
        ("moved", Some(id @ 1010..=1014)) => Reply::page(article(id - 1000)),
        ("moved", _) if asked.path == "/" => Reply::page(links(
            (1..=ARTICLES).map(|id| if (10..=14).contains(&id) { id + 1000 } else { id }),
        )),
        ("not found", _) => frame("<h1>Thông báo</h1><p>Không tìm thấy trang.</p>"),
        ("login", _) => {
            frame("<h1>Đăng nhập</h1><form method=post><input name=u><input type=password name=p></form>")
        }
        ("broken", _) => Reply::status(500),
        _ => healthy(asked, ARTICLES),
    }
}

struct Story {
    folder: tempfile::TempDir,
    site: Site,
    day: Arc<AtomicUsize>,
    mapping: PathBuf,
}

impl Story {
    /// A site that was captured whole on a usual day.
    fn begin() -> Self {
        let day = Arc::new(AtomicUsize::new(0));
        let today = day.clone();
        let site = Site::start(move |asked| answer(asked, DAYS[today.load(Ordering::Relaxed)]));
        let folder = tempfile::tempdir().unwrap();
        let rules = Rules {
            politeness: "retries = 1\nbreaker_rest = \"20ms\"\nbackoff_max = \"40ms\"\ngive_up = \"1s\"",
            ..Rules::default()
        };
        let mapping = mapping(folder.path(), &rules);
        let story = Self {
            folder,
            site,
            day,
            mapping,
        };
        run(&mut job(&story.mapping, story.site.address, &story.output())).with(0);
        articles_are(&story.output(), 1..=ARTICLES);
        story
    }

    fn output(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    /// The same crawl with `--refresh` on another day.
    fn refresh(&self, day: &str) -> Ended {
        let day = DAYS.iter().position(|d| *d == day).unwrap();
        self.day.store(day, Ordering::Relaxed);
        run(job(&self.mapping, self.site.address, &self.output()).arg("--refresh"))
    }
}

/// Titles of the documents, and that each body still is an article's.
fn titles(output: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(output.join("site/documents.jsonl")).unwrap();
    let mut titles: Vec<String> = text
        .lines()
        .map(|line| {
            let document: serde_json::Value = serde_json::from_str(line).unwrap();
            let title = document["title"].as_str().unwrap_or_default().to_owned();
            let id: u32 = title.rsplit(' ').next().unwrap().parse().unwrap_or(0);
            assert!(
                document["body"].to_string().contains(&sentence(id)),
                "{title} lost its text"
            );
            title
        })
        .collect();
    titles.sort();
    titles
}

#[test]
fn d17_edits_arrive_and_deleted_pages_are_kept_and_named() {
    let story = Story::begin();
    let ended = story.refresh("edited");
    let titles = titles(&story.output());
    let edited = titles.iter().filter(|t| t.contains("đã sửa")).count();
    assert_eq!(edited, 5, "{}", ended.said);
    assert_eq!(
        titles.len(),
        ARTICLES as usize,
        "deleted on the site is not deleted from what was captured: {}",
        ended.said
    );
    let report = std::fs::read_to_string(story.output().join("site/report.txt")).unwrap();
    for id in 6..=8 {
        assert!(
            report.contains(&format!("/view?id={id}")),
            "article {id} is gone and nobody says so:\n{report}"
        );
    }
    // Back again, the next day.
    story.refresh("usual").with(0);
    articles_are(&story.output(), 1..=ARTICLES);
    eprintln!("D17: 5 of 5 edits arrived, 3 deleted pages kept and named, all {ARTICLES} back the next day");
}

#[test]
fn d17_moved_pages_are_there_once_or_twice_but_never_lost() {
    let story = Story::begin();
    let ended = story.refresh("moved");
    let mut titles = titles(&story.output());
    titles.dedup();
    assert_eq!(titles.len(), ARTICLES as usize, "{}", ended.said);
    eprintln!("D17: 5 moved pages: nothing lost");
}

#[test]
fn d17_a_site_that_lies_or_locks_or_breaks_costs_no_document() {
    for day in ["not found", "login", "broken"] {
        let story = Story::begin();
        let ended = story.refresh(day);
        let code = ended.status.code();
        assert!(
            matches!(code, Some(4 | 6 | 7)),
            "{day}: exit {code:?}: {}",
            ended.said
        );
        // A run that was held writes nothing; one that was not keeps what it had.
        articles_are(&story.output(), 1..=ARTICLES);
        story.refresh("usual").with(0);
        articles_are(&story.output(), 1..=ARTICLES);
        eprintln!(
            "D17: every page says `{day}`: exit {}, {ARTICLES} of {ARTICLES} documents kept",
            code.unwrap()
        );
    }
}
