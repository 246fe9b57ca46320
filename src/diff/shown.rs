//! Which words of a page does a delivered document show, too? Both are given as the lines that a browser shows, so nothing here
//! knows what an extractor kept or dropped.
//!
//! Words of a page are its body unless they are its frame: a line that is all links leads elsewhere, and what recurs on more than
//! a quarter of the template's other pages (in stretches of [`FRAME`] words of a line; numbers in mostly worded stretches count
//! as equal) is what the template prints. A line that is half body is all body, because bodies share phrases.
//!
//! A body word is shown if it stands in a stretch of [`FOUND`] words of its line that the delivered text has, too, wherever it
//! has it; where a line begins and ends, [`EDGE`] words are enough, because labels ("Nguồn: …") part there from what they label.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::Range;
use unicode_normalization::UnicodeNormalization as _;

/// Words of a stretch that tells a frame from a body.
const FRAME: usize = 5;
/// Words of a stretch that must be found again.
const FOUND: usize = 4;
/// Words of such a stretch where a line begins or ends.
const EDGE: usize = 3;
/// What recurs on more than one page of so many is the template's.
const RARE: u32 = 4;
/// Passages that are told of a page; their words all count.
const TOLD: usize = 20;
/// Characters of a passage that are told.
const LONGEST: usize = 400;

/// A line as a browser shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownLine {
    /// Its text.
    pub text: String,
    /// Is all of it a link?
    pub linked: bool,
}

/// What the pages of one template share.
#[derive(Clone, Debug, Default)]
pub struct Frame {
    pages: u32,
    /// Pages by stretch.
    seen: HashMap<u64, u32>,
}

/// A stretch of body text that the document does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Passage {
    /// As the page shows it, cut if it is long.
    pub text: String,
    /// Its words.
    pub words: u64,
}

/// How much of a page's body a document shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ShownShare {
    /// All words of the page.
    pub page_words: u64,
    /// Words of its body.
    pub body_words: u64,
    /// Of these, words that the document shows.
    pub shown_words: u64,
    /// What it does not show, in the order of the page; the first of it.
    pub missing: Vec<Passage>,
    /// How many passages that are.
    pub missing_count: u64,
}

/// What a browser showed of some pages and of their documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Fidelity {
    /// The browser: `Chromium 148`.
    pub browser: String,
    /// What decides which pages.
    pub seed: u64,
    /// Pages that were compared.
    pub compared: u64,
    /// Words of their bodies.
    pub body_words: u64,
    /// Of these, words that their documents show.
    pub shown_words: u64,
    /// Of a hundred body words, how many are shown; absent if nothing was compared.
    pub percent: Option<f64>,
    /// The pages, the lowest share first, then those that were not compared.
    pub pages: Vec<PageFidelity>,
}

/// One page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PageFidelity {
    /// Its old address.
    pub url: String,
    /// Collection of its documents.
    pub collection: String,
    /// Their files in the site's output folder.
    pub files: Vec<String>,
    /// With what it was compared: `document`, or the address of the page in the CMS.
    pub with: String,
    /// Why it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_compared: Option<String>,
    /// What was found.
    pub share: ShownShare,
    /// Of a hundred body words, how many are shown.
    pub percent: Option<f64>,
}

impl Fidelity {
    /// Adds the pages up and puts them in order.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "words of pages are far below 2^53")]
    pub fn of(browser: String, seed: u64, mut pages: Vec<PageFidelity>) -> Self {
        for page in &mut pages {
            page.percent = page.share.percent();
        }
        // Whoever reads begins with the worst; what could not be compared stands at the end.
        pages.sort_by(|a, b| {
            let place = |p: &PageFidelity| (p.not_compared.is_some(), p.percent.unwrap_or(f64::INFINITY));
            let ((a_not, a_share), (b_not, b_share)) = (place(a), place(b));
            a_not
                .cmp(&b_not)
                .then(a_share.total_cmp(&b_share))
                .then_with(|| a.url.cmp(&b.url))
        });
        let compared = || pages.iter().filter(|p| p.not_compared.is_none());
        let body_words = compared().map(|p| p.share.body_words).sum::<u64>();
        let shown_words = compared().map(|p| p.share.shown_words).sum::<u64>();
        Self {
            browser,
            seed,
            compared: compared().count() as u64,
            body_words,
            shown_words,
            percent: (body_words > 0).then(|| shown_words as f64 * 100.0 / body_words as f64),
            pages,
        }
    }
}

/// A word, folded, and where it stands in its line.
struct Word {
    folded: String,
    at: Range<usize>,
}

impl Frame {
    /// Takes in a page of the template, each once.
    pub fn learn(&mut self, page: &[ShownLine]) {
        self.pages += 1;
        let mut own = HashSet::new();
        for line in page {
            let words = split(&line.text);
            own.extend(windows(words.len(), FRAME).map(|w| masked(&words[w])));
        }
        for stretch in own {
            *self.seen.entry(stretch).or_default() += 1;
        }
    }

    /// Pages that were taken in.
    #[must_use]
    pub const fn pages(&self) -> u32 {
        self.pages
    }

    fn is_rare(&self, stretch: u64) -> bool {
        let others = self
            .seen
            .get(&stretch)
            .copied()
            .unwrap_or_default()
            .saturating_sub(1);
        others * RARE <= self.pages.saturating_sub(1)
    }

    /// Which words of a line are body.
    fn body(&self, words: &[Word]) -> Vec<bool> {
        let (mut rare, mut all) = (vec![0_u32; words.len()], vec![0_u32; words.len()]);
        for window in windows(words.len(), FRAME) {
            let is_rare = u32::from(self.is_rare(masked(&words[window.clone()])));
            for at in window {
                rare[at] += is_rare;
                all[at] += 1;
            }
        }
        // Where frame and body meet inside a line, a word belongs to what most of its stretches are.
        let mut body: Vec<bool> = rare.iter().zip(all).map(|(r, a)| r * 2 >= a).collect();
        // Other pages have stock phrases of a body, too: a line that is body for the most part is body.
        if body.iter().filter(|b| **b).count() * 2 >= body.len() {
            body.fill(true);
        }
        body
    }
}

/// Compares a page, which `frame` has learned, with what is shown of its document.
#[must_use]
pub fn shown(page: &[ShownLine], frame: &Frame, delivered: &[ShownLine]) -> ShownShare {
    let there: Vec<Word> = delivered.iter().flat_map(|l| split(&l.text)).collect();
    let mut stretches = HashSet::new();
    for size in 1..=FOUND {
        stretches.extend(there.windows(size).map(plain));
    }
    let mut share = ShownShare::default();
    for line in page {
        let words = split(&line.text);
        share.page_words += words.len() as u64;
        if line.linked {
            continue;
        }
        let body = frame.body(&words);
        let mut found = vec![false; words.len()];
        let edges = [
            0..EDGE.min(words.len()),
            words.len().saturating_sub(EDGE)..words.len(),
        ];
        let edges = edges.into_iter().filter(|e| e.len() == EDGE);
        for window in windows(words.len(), FOUND).chain(edges) {
            if stretches.contains(&plain(&words[window.clone()])) {
                found[window].fill(true);
            }
        }
        let mut open: Option<Range<usize>> = None;
        for at in 0..words.len() {
            let missing = body[at] && !found[at];
            share.body_words += u64::from(body[at]);
            share.shown_words += u64::from(body[at] && found[at]);
            match &mut open {
                Some(run) if missing => run.end = at + 1,
                Some(_) => share.tell(line, &words, open.take()),
                None if missing => open = Some(at..at + 1),
                None => {}
            }
        }
        share.tell(line, &words, open);
    }
    share
}

impl ShownShare {
    fn tell(&mut self, line: &ShownLine, words: &[Word], run: Option<Range<usize>>) {
        let Some(run) = run else { return };
        self.missing_count += 1;
        if self.missing.len() == TOLD {
            return;
        }
        let text = &line.text[words[run.start].at.start..words[run.end - 1].at.end];
        let mut cut: String = text.chars().take(LONGEST).collect();
        if cut.len() < text.len() {
            cut.push('…');
        }
        self.missing.push(Passage {
            text: cut,
            words: run.len() as u64,
        });
    }

    /// Of a hundred body words, how many the document shows; `None` for a page without body words.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "words of pages are far below 2^53")]
    pub fn percent(&self) -> Option<f64> {
        (self.body_words > 0).then(|| self.shown_words as f64 * 100.0 / self.body_words as f64)
    }
}

/// The words of a line: letters and digits, whatever stands between them; capitals, forms of composition and soft hyphens do not
/// tell words apart.
fn split(text: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = None;
    // Marks that are not composed yet belong to their letter.
    let part = |c: char| {
        c.is_alphanumeric()
            || matches!(c, '\u{300}'..='\u{36F}' | '\u{AD}' | '\u{200B}'..='\u{200D}' | '\u{2060}' | '\u{FEFF}')
    };
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (part(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let folded: String = text[from..at]
                    .nfc()
                    .filter(|c| c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36F}'))
                    .flat_map(char::to_lowercase)
                    .collect();
                if !folded.is_empty() {
                    words.push(Word { folded, at: from..at });
                }
                start = None;
            }
            _ => {}
        }
    }
    words
}

/// Stretches of `size` words of a line of `count`; a shorter line is one.
fn windows(count: usize, size: usize) -> impl Iterator<Item = Range<usize>> {
    let size = size.min(count);
    let last = if count == 0 { 0 } else { count - size + 1 };
    (0..last).map(move |at| at..at + size)
}

fn plain(words: &[Word]) -> u64 {
    hash(words.iter().map(|w| w.folded.as_str()))
}

/// Counters and clocks of a frame differ from page to page: where at least half of a stretch is words, numbers are equal.
fn masked(words: &[Word]) -> u64 {
    let number = |w: &Word| w.folded.chars().all(|c| c.is_ascii_digit());
    let numbers = words.iter().filter(|w| number(w)).count();
    if numbers * 2 > words.len() {
        return plain(words);
    }
    hash(
        words
            .iter()
            .map(|w| if number(w) { "#" } else { w.folded.as_str() }),
    )
}

fn hash<'a>(words: impl Iterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.for_each(|w| w.hash(&mut hasher));
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(lines: &[&str]) -> Vec<ShownLine> {
        let line = |text: &str| ShownLine {
            linked: text.starts_with('['),
            text: text.to_owned(),
        };
        lines.iter().map(|t| line(t)).collect()
    }

    fn frame(pages: &[Vec<ShownLine>]) -> Frame {
        let mut frame = Frame::default();
        pages.iter().for_each(|p| frame.learn(p));
        frame
    }

    #[test]
    fn a_dropped_paragraph_is_named_and_the_frame_is_not() {
        let body = |n: usize| {
            page(&[
                "CỔNG THÔNG TIN ĐIỆN TỬ",
                "[Trang chủ | Tin tức]",
                &format!("Giá lúa tháng {n} của huyện thứ {n} tăng so với cùng kỳ năm trước"),
                &format!("Riêng xã {n} có diện tích gieo trồng bằng {n} phần của cả vùng"),
                &format!("Lượt xem: {n}"),
                "[Tin khác của mục này]",
            ])
        };
        let names = ["an", "bình", "cát", "dương", "em", "phú", "gia", "hoà"];
        let pages: Vec<_> = names
            .iter()
            .enumerate()
            .map(|(n, name)| {
                let mut page = body(n);
                page[2].text = format!("Giá lúa của huyện {name} tăng {name} so với {name} cùng kỳ");
                page[3].text = format!("Riêng {name} có {name} diện tích {name} gieo trồng {name}");
                page
            })
            .collect();
        let frame = frame(&pages);
        let whole = shown(
            &pages[2],
            &frame,
            &page(&[
                "Giá lúa của huyện cát tăng cát so với cát cùng kỳ Riêng CÁT có cát diện tích cát gieo trồng cát.",
            ]),
        );
        assert_eq!(
            (whole.percent(), whole.missing_count),
            (Some(100.0), 0),
            "{whole:?}"
        );
        let half = shown(
            &pages[2],
            &frame,
            &page(&["Giá lúa của huyện cát tăng cát so với cát cùng kỳ"]),
        );
        assert_eq!(half.missing.len(), 1, "{half:?}");
        let label = page(&["Nguồn: Báo Bình Thuận"]);
        let found = shown(&label, &Frame::default(), &page(&["Báo Bình Thuận"]));
        assert_eq!((found.body_words, found.shown_words), (4, 3));
        assert_eq!(
            half.missing[0].text,
            "Riêng cát có cát diện tích cát gieo trồng cát"
        );
        assert_eq!((half.body_words, half.shown_words), (whole.body_words, 12));
    }

    #[test]
    fn one_changed_word_is_one_missing_word() {
        let own = page(&["một hai ba bốn năm sáu bảy tám chín mười"]);
        let frame = frame(std::slice::from_ref(&own));
        let found = shown(&own, &frame, &page(&["một hai ba bốn lăm sáu bảy tám chín mười"]));
        assert_eq!(
            found.missing,
            [Passage {
                text: "năm".into(),
                words: 1
            }]
        );
        assert_eq!((found.body_words, found.shown_words), (10, 9));
    }

    #[test]
    fn words_are_equal_in_any_composition_and_case() {
        let words = |text: &str| split(text).into_iter().map(|w| w.folded).collect::<Vec<_>>();
        assert_eq!(
            words("TIẾNG Việt, 1.234 — “hết”"),
            words("tie\u{302}\u{301}ng viê\u{323}t 1 234 hết")
        );
        assert_eq!(
            windows(3, 5).map(|w| (w.start, w.end)).collect::<Vec<_>>(),
            [(0, 3)]
        );
        assert_eq!(windows(0, 5).count(), 0);
    }
}
