//! Content of a page without a mapping: where it is, what is dropped and why, title, date, author. One walk takes the page
//! apart ([`stream`]), evidence becomes numbers a block ([`features`]), small trees weigh them ([`model`]), and every block
//! gets a verdict with a reason ([`select`]).

mod container;
mod facts;
mod features;
mod hash;
mod hold;
mod linked;
mod model;
mod person;
mod select;
mod stream;
mod title;
mod when;
mod whole;
mod words;

pub use facts::Candidate;
pub use select::{Verdict, reason};
pub use title::unnamed;

use crate::document::Span;
use crate::page::Page;
use ego_tree::NodeId;
use std::collections::HashSet;

/// A block of visible text with its verdict.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Its characters.
    pub chars: Span,
    /// What became of it.
    pub verdict: Verdict,
    /// Rule: `auto:content`, `auto:related`, …
    pub rule: &'static str,
    /// Why, for people.
    pub reason: String,
    /// How likely it is content, 0 to 1.
    pub likely: f32,
}

/// What a page gives without a mapping.
#[derive(Clone, Debug, Default)]
pub struct Auto {
    /// Every block of visible text, in order.
    pub blocks: Vec<Judged>,
    /// Title.
    pub title: Option<Candidate>,
    /// Day or moment of publication, ISO 8601.
    pub published: Option<Candidate>,
    /// Authors.
    pub authors: Vec<Candidate>,
    /// Language, as declared.
    pub language: Option<Candidate>,
    /// Picture that stands for the page.
    pub image: Option<Candidate>,
    /// The text as the page tells it to machines (JSON-LD), if it shows far less of it than that.
    pub told: Option<String>,
    /// The smallest element that holds everything kept, and the pictures beside it.
    pub container: Option<NodeId>,
    /// The biggest elements that hold nothing kept, inside of the container.
    pub skip: HashSet<NodeId>,
    /// Pictures and players that are passed over, inside of the container.
    pub left: Vec<NodeId>,
    /// Elements of captions.
    pub captions: HashSet<NodeId>,
    /// Tables of data in what is kept: what fields say of them stays in them as well.
    pub tables: Vec<Span>,
}

fn share(part: usize, whole: usize) -> f64 {
    f64::from(stream::ratio(part, whole))
}

/// Text of JSON-LD that may be an article, in bytes; less is a summary.
const TOLD: usize = 600;

/// Finds the content of a page.
#[must_use]
pub fn read(page: &Page) -> Auto {
    read_of(page, None)
}

/// Finds the content of a page of a site whose name is known: titles lose it.
#[must_use]
pub fn read_of(page: &Page, site: Option<&str>) -> Auto {
    found(page, site, model::likely)
}

/// Finds the content of a page where `weigh` says how likely each block is content, from the features of all blocks and
/// their number a block. For training: what trees that do not know a page say of it can be scored with all rules.
pub fn weighed(page: &Page, weigh: impl FnOnce(&[f32], usize) -> Vec<f32>) -> Auto {
    found(page, None, weigh)
}

fn found(page: &Page, site: Option<&str>, weigh: impl FnOnce(&[f32], usize) -> Vec<f32>) -> Auto {
    let stream = stream::Stream::of(page);
    let facts = facts::Facts::of(page, &stream);
    let title = title::choose(page, &stream, &facts, site);
    let shown = shown(title.as_ref(), &stream);
    let scene = features::Scene::of(&stream, &facts, shown);
    let mut judged = select::judge(&stream, &scene, shown, weigh);
    let tables = whole::keep(page, &stream, &mut judged);
    let first = judged
        .iter()
        .position(|j| j.verdict == Verdict::Kept)
        .unwrap_or(0);
    let published = when::choose(page, &stream, &facts, shown, first);
    if let Some(span) = published.as_ref().and_then(|p| p.chars) {
        select::without_date(&stream, &mut judged, span);
    }
    let authors = person::choose(&stream, &facts, shown.unwrap_or(first));
    let held = hold::of(page, &stream, &judged, shown);
    let kept: usize = stream
        .blocks
        .iter()
        .zip(&judged)
        .filter(|(_, j)| j.verdict == Verdict::Kept)
        .map(|(b, _)| b.chars)
        .sum();
    let captions = stream
        .blocks
        .iter()
        .zip(&judged)
        .filter(|(_, j)| j.verdict == Verdict::Caption)
        .filter_map(|(b, _)| Some(stream.elements.get(b.element)?.node))
        .collect();
    let more = |told: &String| told.len() >= TOLD && told.chars().count() > 2 * kept;
    let told = facts.body.clone().filter(more);
    let blocks = stream
        .blocks
        .iter()
        .zip(judged)
        .map(|(b, j)| Judged {
            chars: b.span,
            verdict: j.verdict,
            rule: j.rule,
            reason: j.reason,
            likely: j.likely,
        })
        .collect();
    Auto {
        blocks,
        title,
        published,
        authors,
        language: facts.language,
        image: facts.image,
        told,
        container: held.container,
        skip: held.skip,
        left: held.left,
        captions,
        tables,
    }
}

/// The block in which the title stands.
fn shown(title: Option<&Candidate>, stream: &stream::Stream<'_>) -> Option<usize> {
    let span = title?.chars?;
    Some(stream.blocks.partition_point(|b| b.span.1 <= span.0))
}

impl Auto {
    /// Whether most of what is kept stands inside of a span.
    #[must_use]
    pub fn stands_in(&self, span: Span) -> bool {
        let kept = self.blocks.iter().filter(|b| b.verdict != Verdict::Dropped);
        let (inside, all) = kept.fold((0, 0), |(inside, all), b| {
            let chars = b.chars.1 - b.chars.0;
            let within = span.holds(b.chars);
            (inside + if within { chars } else { 0 }, all + chars)
        });
        inside * 2 > all
    }

    /// The text that is kept, a line a block; captions stay with their pictures and are not in it.
    #[must_use]
    pub fn text(&self, page: &Page) -> String {
        if let Some(told) = &self.told {
            return told.clone();
        }
        let mut out = String::new();
        for block in self.blocks.iter().filter(|b| b.verdict == Verdict::Kept) {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(page.text.slice(block.chars));
        }
        out
    }
}

/// Calls `out` with number, text and features of each block; returns the names of the features. For training the trees.
pub fn rows(page: &Page, out: &mut dyn FnMut(usize, &str, &[f32])) -> Vec<&'static str> {
    let stream = stream::Stream::of(page);
    let facts = facts::Facts::of(page, &stream);
    let title = title::choose(page, &stream, &facts, None);
    let scene = features::Scene::of(&stream, &facts, shown(title.as_ref(), &stream));
    let mut row = Vec::new();
    for (at, block) in stream.blocks.iter().enumerate() {
        scene.row(at, &mut row);
        out(at, block.text, &row);
    }
    let mut names = Vec::new();
    if !stream.blocks.is_empty() {
        scene.tell(0, |name, _| names.push(name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(html: &str) -> Page {
        let mapping = "schema = 1\n[site]\nid = \"t\"\nbase = \"http://t.example\"\n";
        let mapping = crate::mapping::Mapping::parse("t", mapping).unwrap();
        let url = mapping
            .canonical(&"http://t.example/tin/1".parse().unwrap())
            .unwrap();
        let capture = crate::capture::Capture::saved(
            url.as_str(),
            Some("text/html; charset=utf-8"),
            html.as_bytes().to_vec(),
        );
        crate::page::read(&capture, &url, &mapping).unwrap()
    }

    #[test]
    fn the_trees_ask_for_the_features_that_are_told() {
        let names = rows(&page("<p>một đoạn"), &mut |_, _, _| {});
        assert_eq!(names, model::names());
    }

    #[test]
    fn an_empty_page_gives_nothing() {
        let found = read(&page("<html><body><script>x</script>"));
        assert!(found.blocks.is_empty() && found.container.is_none());
    }

    #[test]
    fn text_that_is_told_and_not_shown() {
        let told = "Toàn văn bài báo chỉ có trong dữ liệu cho máy đọc. ".repeat(30);
        let html = format!(
            "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{told}\"}}</script><p>Đăng nhập để đọc tiếp bài này.</p>"
        );
        let page = page(&html);
        assert!(read(&page).text(&page).starts_with("Toàn văn"));
    }

    #[test]
    fn text_above_the_line_that_repeats_the_title_is_kept() {
        let text = "<p>Hội đồng nhân dân tỉnh đã họp, bàn và thông qua mười nghị quyết về đầu tư công, giáo dục, y tế.</p>";
        let html = format!(
            "<title>Kỳ họp thứ mười của hội đồng</title><div>{}</div><h2>Kỳ họp thứ mười của hội đồng</h2><p>In trang</p>",
            text.repeat(6)
        );
        let page = page(&html);
        assert!(read(&page).text(&page).contains("mười nghị quyết"));
    }

    #[test]
    fn the_name_of_a_site_behind_the_title_is_cut() {
        let text = "<p>Đoàn công tác của tỉnh đã đến thăm, làm việc với các doanh nghiệp trong khu công nghiệp mới.</p>";
        for (told, title) in [
            (
                "Tỉnh làm việc với doanh nghiệp trong khu công nghiệp mới - Sở Thông Tin Và Truyền Thông",
                "Tỉnh làm việc với doanh nghiệp trong khu công nghiệp mới",
            ),
            ("Ai làm chủ? - Hay là không ai", "Ai làm chủ? - Hay là không ai"),
        ] {
            let page = page(&format!("<title>{told}</title><div>{}</div>", text.repeat(5)));
            assert_eq!(read(&page).title.unwrap().value, title);
        }
    }

    #[test]
    fn every_visible_line_has_a_verdict() {
        let page = page(
            "<nav><a href=/>Trang chủ</a></nav><h1>Đề mục</h1><p>Câu thứ nhất.<br>Câu thứ hai.</p><div>©</div>",
        );
        let found = read(&page);
        let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
        let judged: usize = found
            .blocks
            .iter()
            .map(|b| letters(page.text.slice(b.chars)))
            .sum();
        assert_eq!(judged, letters(page.text.as_str()));
        assert!(found.blocks.windows(2).all(|w| w[0].chars.1 <= w[1].chars.0));
    }

    proptest::proptest! {
        /// Whatever a page holds, each of its letters is in one block, and reading it again gives the same.
        #[test]
        fn letters_in_are_letters_judged(parts in proptest::collection::vec((0usize..8, "[a-zđơ ,.]{0,40}"), 0..40)) {
            let tags = ["p", "div class=related", "li", "nav", "h2", "span", "td", "b"];
            let html: String = parts.iter().map(|(t, text)| {
                let name = tags[*t].split(' ').next().unwrap();
                format!("<{}>{text}</{name}>", tags[*t])
            }).collect();
            let page = page(&html);
            let found = read(&page);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).count();
            let judged: usize = found.blocks.iter().map(|b| letters(page.text.slice(b.chars))).sum();
            proptest::prop_assert_eq!(judged, letters(page.text.as_str()));
            let again = read(&page);
            proptest::prop_assert!(found.blocks.iter().zip(&again.blocks).all(|(a, b)| a.verdict == b.verdict && a.rule == b.rule));
        }
    }
}
