//! What is known of a block, as numbers. Each has a name; the names are what the model and its training speak of.

use super::facts::Facts;
use super::hash::Mixer;
use super::stream::{Block, Element, IN_TAGS, Stream, ratio};
use super::words::{Part, Phrase};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher as _};

type Mixed = BuildHasherDefault<Mixer>;

/// Blocks on each side that count as the neighbourhood.
const NEAR: usize = 4;
/// Blocks on each side that count as the surroundings.
const WIDE: usize = 12;

/// What is known of the page as a whole, for the features of its blocks.
pub(super) struct Scene<'s, 'a> {
    stream: &'s Stream<'a>,
    /// By block: sums of characters in good blocks, in all blocks, in links.
    good: Vec<usize>,
    chars: Vec<usize>,
    links: Vec<usize>,
    /// By element: steps up from the best container until it is inside. 0: it is inside.
    scored: Vec<u8>,
    mass: Vec<u8>,
    /// The best containers.
    pub(super) winner: usize,
    pub(super) heavy: usize,
    /// First and last good block inside the winner.
    first: usize,
    last: usize,
    h1: Option<usize>,
    /// The block of the title.
    shown: Option<usize>,
    /// By block: the last one before it that reads like sentences, and the next one.
    good_around: Vec<(usize, usize)>,
    /// By block: the last heading before it, and the last line that names a part.
    before: Vec<(usize, usize)>,
    /// By path and text: how often it occurs.
    paths: HashMap<u64, (usize, usize, usize), Mixed>,
    repeats: HashMap<u64, usize, Mixed>,
    title: HashSet<u64, Mixed>,
    told: HashSet<u64, Mixed>,
    has_told: bool,
    description: HashSet<u64, Mixed>,
    article: bool,
}

/// Hashes of the words of a text, in small letters.
fn tokens(text: &str) -> impl Iterator<Item = u64> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty())
        .map(|word| {
            let mut hash = Mixer::default();
            for c in word.chars() {
                if c.is_ascii() {
                    hash.write_u32(c.to_ascii_lowercase().into());
                } else {
                    c.to_lowercase().for_each(|c| hash.write_u32(c.into()));
                }
            }
            hash.finish()
        })
}

/// Hashes of three words in a row.
pub(super) fn shingles(text: &str) -> Vec<u64> {
    let words: Vec<u64> = tokens(text).collect();
    words
        .windows(3)
        .map(|w| {
            let mut hash = Mixer::default();
            w.iter().for_each(|word| hash.write_u64(*word));
            hash.finish()
        })
        .collect()
}

#[expect(clippy::cast_precision_loss, reason = "a logarithm needs no more")]
fn log(n: usize) -> f32 {
    (n as f32 + 1.0).ln()
}

#[expect(clippy::cast_precision_loss, reason = "small numbers")]
fn number(n: usize) -> f32 {
    n as f32
}

/// Steps that are told apart; what is farther is equally far.
fn near(steps: u8) -> f32 {
    f32::from(steps.min(20))
}

impl<'s, 'a> Scene<'s, 'a> {
    pub(super) fn of(stream: &'s Stream<'a>, facts: &Facts, shown: Option<usize>) -> Self {
        let blocks = &stream.blocks;
        let sums = |value: &dyn Fn(&Block<'_>) -> usize| {
            let mut sum = 0;
            let mut out = vec![0];
            out.extend(blocks.iter().map(|b| {
                sum += value(b);
                sum
            }));
            out
        };
        let (winner, heavy) = (super::container::scored(stream), super::container::heavy(stream));
        let mut before = Vec::with_capacity(blocks.len());
        let (mut heading, mut named) = (usize::MAX, usize::MAX);
        let mut paths: HashMap<u64, (usize, usize, usize), Mixed> = HashMap::default();
        let mut repeats: HashMap<u64, usize, Mixed> = HashMap::default();
        for (at, block) in blocks.iter().enumerate() {
            before.push((heading, named));
            if block.heading > 0 {
                heading = at;
            }
            if block.phrase.is_some_and(|(_, whole)| whole || block.heading > 0) {
                named = at;
            }
            if let Some(element) = stream.elements.get(block.element) {
                let path = paths.entry(element.path).or_default();
                path.0 += 1;
                path.1 += block.chars;
                path.2 += block.link_chars;
            }
            *repeats.entry(block.hash).or_default() += 1;
        }
        let mut good_around = vec![(usize::MAX, usize::MAX); blocks.len()];
        let (mut back, mut ahead) = (usize::MAX, usize::MAX);
        for at in 0..blocks.len() {
            good_around[at].0 = back;
            back = if blocks[at].is_good() { at } else { back };
            let at = blocks.len() - 1 - at;
            good_around[at].1 = ahead;
            ahead = if blocks[at].is_good() { at } else { ahead };
        }
        let steps = |target: usize| {
            let mut steps = vec![u8::MAX; stream.elements.len()];
            for (up, at) in stream.up(target).enumerate() {
                steps[at] = u8::try_from(up).unwrap_or(u8::MAX);
            }
            for at in 0..steps.len() {
                if steps[at] == u8::MAX {
                    steps[at] = steps[stream.elements[at].parent];
                }
            }
            steps
        };
        let (scored, mass) = (steps(winner), steps(heavy));
        let inside = |b: &Block<'_>| b.is_good() && scored.get(b.element) == Some(&0);
        let first = blocks.iter().position(inside).unwrap_or(0);
        let last = blocks.iter().rposition(inside).unwrap_or(blocks.len());
        let h1 = blocks.iter().position(|b| b.heading == 1);
        let title = facts
            .titles
            .iter()
            .flat_map(|t| tokens(&t.value))
            .collect::<HashSet<_, Mixed>>();
        let told: HashSet<u64, Mixed> = facts
            .body
            .as_deref()
            .map(shingles)
            .unwrap_or_default()
            .into_iter()
            .collect();
        Self {
            good: sums(&|b| if b.is_good() { b.chars } else { 0 }),
            chars: sums(&|b| b.chars),
            links: sums(&|b| b.link_chars),
            scored,
            mass,
            winner,
            heavy,
            first,
            last,
            h1,
            shown,
            good_around,
            before,
            paths,
            repeats,
            title,
            has_told: told.len() > 30,
            told,
            description: facts
                .description
                .as_deref()
                .map(tokens)
                .into_iter()
                .flatten()
                .collect(),
            article: facts.article,
            stream,
        }
    }

    /// How likely a block must be to count as content. Articles hold much that is like them and is not theirs. Where sentences
    /// are spread over the page (products, lists, services) less is sure, and more of it is content. The values are those
    /// that score best with trees that do not know the pages.
    pub(super) fn least(&self) -> f32 {
        /// Share of all sentences that one element of an article holds.
        const TOGETHER: f32 = 0.7;
        let winner = self.stream.elements.get(self.winner).map_or(0, |e| e.good);
        if self.article {
            0.54
        } else if ratio(winner, self.good.last().copied().unwrap_or(0)) > TOGETHER {
            super::select::LIKELY
        } else {
            0.36
        }
    }

    /// Whether a block is inside the best container.
    pub(super) fn is_inside(&self, block: &Block<'_>) -> bool {
        self.scored.get(block.element) == Some(&0)
    }

    fn window(sums: &[usize], from: usize, to: usize) -> usize {
        let last = sums.len() - 1;
        sums[to.min(last)] - sums[from.min(last)]
    }

    /// Tells the features of a block, by name, always in the same order.
    #[expect(clippy::too_many_lines, reason = "a list")]
    pub(super) fn tell(&self, at: usize, mut out: impl FnMut(&'static str, f32)) {
        let stream = self.stream;
        let blocks = &stream.blocks;
        let (block, count) = (&blocks[at], blocks.len());
        let elements = &stream.elements;
        let none = |n: usize| elements.get(n);
        // The block itself.
        out("chars", log(block.chars));
        out("words", log(block.words));
        out("linked", block.linked());
        out("bold", ratio(block.bold_chars, block.chars));
        out("italic", ratio(block.italic_chars, block.chars));
        out("commas", number(block.commas.min(20)));
        out("digits", ratio(block.digits, block.chars));
        out("capitals", ratio(block.capitals, block.chars));
        out("ends", f32::from(u8::from(block.ends)));
        out("heading", f32::from(block.heading));
        out("word_length", ratio(block.chars, block.words));
        out("wide", ratio(block.wide, block.chars));
        out(
            "repeats",
            number(self.repeats.get(&block.hash).copied().unwrap_or(1).min(8)),
        );
        out(
            "question",
            f32::from(u8::from(block.text.trim_end().ends_with('?'))),
        );
        out("colon", f32::from(u8::from(block.text.trim_end().ends_with(':'))));
        out(
            "bar",
            f32::from(u8::from(block.text.contains(['|', '›', '»', '•', '/']))),
        );
        out("copyright", f32::from(u8::from(block.text.contains('©'))));
        let says = |p: Phrase| f32::from(u8::from(block.phrase.is_some_and(|(q, _)| q == p)));
        for (name, phrase) in [
            ("says_related", Phrase::Related),
            ("says_share", Phrase::Share),
            ("says_comments", Phrase::Comments),
            ("says_newsletter", Phrase::Newsletter),
            ("says_cookie", Phrase::Cookie),
            ("says_chrome", Phrase::Chrome),
            ("says_byline", Phrase::Byline),
            ("says_caption", Phrase::Caption),
        ] {
            out(name, says(phrase));
        }
        out(
            "says_whole",
            f32::from(u8::from(block.phrase.is_some_and(|(_, w)| w))),
        );
        let words: Vec<u64> = if block.words <= 40 {
            tokens(block.text).collect()
        } else {
            Vec::new()
        };
        let share =
            |set: &HashSet<u64, Mixed>| ratio(words.iter().filter(|w| set.contains(*w)).count(), words.len());
        out("as_title", share(&self.title));
        out("as_description", share(&self.description));
        let told = if self.has_told && block.words > 4 {
            let own = shingles(block.text);
            ratio(own.iter().filter(|s| self.told.contains(s)).count(), own.len())
        } else if self.has_told {
            0.5
        } else {
            -1.0
        };
        out("as_told", told);
        // What is around it.
        let inner = none(block.inner);
        for (n, (_, name)) in Part::ALL.iter().enumerate() {
            out(name, inner.map_or(20.0, |e| near(e.near[n])));
        }
        for (n, name) in IN_TAGS.iter().enumerate() {
            out(name, inner.map_or(20.0, |e| near(e.tags[n])));
        }
        let own = none(block.element);
        let name = own.map_or("", |e| e.name);
        for (feature, tags) in [
            ("is_p", &["p"][..]),
            ("is_li", &["li"]),
            ("is_cell", &["td", "th"]),
            ("is_div", &["div", "section"]),
            ("is_term", &["dd", "dt"]),
        ] {
            out(feature, f32::from(u8::from(tags.contains(&name))));
        }
        out("depth", own.map_or(0.0, |e| f32::from(e.depth.min(60))));
        // Its surroundings by element: itself and four levels up.
        let page_good = self.good[count];
        let page_chars = self.chars[count];
        let mut twins = 0;
        let mut level = block.element;
        for names in [
            [
                "e0_linked",
                "e0_chars",
                "e0_mean",
                "e0_good",
                "e0_twins",
                "e0_images",
                "e0_share",
            ],
            [
                "e1_linked",
                "e1_chars",
                "e1_mean",
                "e1_good",
                "e1_twins",
                "e1_images",
                "e1_share",
            ],
            [
                "e2_linked",
                "e2_chars",
                "e2_mean",
                "e2_good",
                "e2_twins",
                "e2_images",
                "e2_share",
            ],
            [
                "e3_linked",
                "e3_chars",
                "e3_mean",
                "e3_good",
                "e3_twins",
                "e3_images",
                "e3_share",
            ],
            [
                "e4_linked",
                "e4_chars",
                "e4_mean",
                "e4_good",
                "e4_twins",
                "e4_images",
                "e4_share",
            ],
        ] {
            let Some(e) = none(level) else {
                names.iter().for_each(|n| out(n, 0.0));
                continue;
            };
            twins = twins.max(e.twins);
            out(names[0], ratio(e.link_chars, e.chars));
            out(names[1], log(e.chars));
            out(names[2], log(e.chars / e.blocks.max(1)));
            out(names[3], ratio(e.good, e.chars));
            out(names[4], number((e.twins as usize).min(40)));
            out(names[5], ratio(e.images, e.blocks));
            out(names[6], ratio(e.good, page_good));
            level = e.parent;
        }
        out("twins", number((twins as usize).min(40)));
        // The best containers.
        let steps = |s: &[u8]| s.get(block.element).map_or(20.0, |n| near(*n));
        out("from_scored", steps(&self.scored));
        out("from_heavy", steps(&self.mass));
        out(
            "winner_share",
            none(self.winner).map_or(0.0, |e| ratio(e.good, page_good)),
        );
        out(
            "heavy_linked",
            none(self.heavy).map_or(0.0, |e| ratio(e.link_chars, e.chars)),
        );
        let apart = |a: usize, b: usize| {
            let away = number(a.abs_diff(b).min(60));
            if a < b { -away } else { away }
        };
        out("from_first", apart(at, self.first));
        out("from_last", apart(at, self.last));
        out("from_h1", self.h1.map_or(-61.0, |h| apart(at, h)));
        out("from_title", self.shown.map_or(-61.0, |t| apart(at, t)));
        let (back, ahead) = self.good_around[at];
        let away = |other: usize| {
            if other == usize::MAX {
                61.0
            } else {
                number(at.abs_diff(other).min(60))
            }
        };
        out("good_back", away(back));
        out("good_ahead", away(ahead));
        // Its place.
        out("place", ratio(at, count));
        out("place_chars", ratio(self.chars[at], page_chars));
        out("good_before", ratio(self.good[at], page_good));
        // Its neighbours.
        for (names, from) in [
            (
                ["p2_chars", "p2_linked", "p2_good", "p2_heading", "p2_same"],
                at.checked_sub(2),
            ),
            (
                ["p1_chars", "p1_linked", "p1_good", "p1_heading", "p1_same"],
                at.checked_sub(1),
            ),
            (
                ["n1_chars", "n1_linked", "n1_good", "n1_heading", "n1_same"],
                Some(at + 1),
            ),
            (
                ["n2_chars", "n2_linked", "n2_good", "n2_heading", "n2_same"],
                Some(at + 2),
            ),
        ] {
            let other = from.and_then(|n| blocks.get(n));
            out(names[0], other.map_or(-1.0, |b| log(b.chars)));
            out(names[1], other.map_or(-1.0, Block::linked));
            out(names[2], other.map_or(-1.0, |b| f32::from(u8::from(b.is_good()))));
            out(names[3], other.map_or(-1.0, |b| f32::from(b.heading)));
            let path = |b: &Block<'_>| none(b.element).map(|e| e.path);
            out(
                names[4],
                other.map_or(-1.0, |b| f32::from(u8::from(path(b) == path(block)))),
            );
        }
        for (names, width) in [
            (["near_good", "near_linked"], NEAR),
            (["wide_good", "wide_linked"], WIDE),
        ] {
            let (from, to) = (at.saturating_sub(width), at + 1 + width);
            let chars = Self::window(&self.chars, from, to);
            out(names[0], ratio(Self::window(&self.good, from, to), chars));
            out(names[1], ratio(Self::window(&self.links, from, to), chars));
        }
        for (names, from, to) in [
            (["back_good", "back_linked"], at.saturating_sub(WIDE), at),
            (["ahead_good", "ahead_linked"], at + 1, at + 1 + WIDE),
        ] {
            let chars = Self::window(&self.chars, from, to);
            out(names[0], ratio(Self::window(&self.good, from, to), chars));
            out(names[1], ratio(Self::window(&self.links, from, to), chars));
        }
        // Blocks on the same path.
        let path = own
            .and_then(|e| self.paths.get(&e.path))
            .copied()
            .unwrap_or_default();
        out("path_blocks", log(path.0));
        out("path_mean", log(path.1 / path.0.max(1)));
        out("path_linked", ratio(path.2, path.1));
        // Under which heading, behind which line that names a part.
        let (heading, named) = self.before[at];
        out(
            "under",
            if heading == usize::MAX {
                61.0
            } else {
                number((at - heading).min(60))
            },
        );
        out(
            "under_level",
            blocks.get(heading).map_or(0.0, |b| f32::from(b.heading)),
        );
        let group = blocks.get(named).and_then(|b| b.phrase).map(|(p, _)| p);
        out(
            "behind",
            if named == usize::MAX {
                61.0
            } else {
                number((at - named).min(60))
            },
        );
        for (name, phrase) in [
            ("behind_related", Phrase::Related),
            ("behind_share", Phrase::Share),
            ("behind_comments", Phrase::Comments),
            ("behind_newsletter", Phrase::Newsletter),
            ("behind_chrome", Phrase::Chrome),
        ] {
            out(name, f32::from(u8::from(group == Some(phrase))));
        }
        let above = blocks.get(named).map(|b| b.element);
        let together = above.and_then(|n| {
            let parent = elements.get(n)?.parent;
            stream.up(block.element).position(|e| e == parent)
        });
        out("behind_steps", together.map_or(20.0, |n| number(n.min(20))));
        // The page.
        out("page_chars", log(page_chars));
        out("page_good", ratio(page_good, page_chars));
        out("page_linked", ratio(self.links[count], page_chars));
        out("page_blocks", log(count));
        out("page_article", f32::from(u8::from(self.article)));
        out("page_h1", f32::from(u8::from(self.h1.is_some())));
        out("page_paths", ratio(self.paths.len(), count));
    }

    /// The features of a block, in order.
    pub(super) fn row(&self, at: usize, row: &mut Vec<f32>) {
        row.clear();
        self.tell(at, |_, value| row.push(value));
    }
}

/// An element that holds content in a way of its own: what a template calls content weighs, what it calls another part
/// weighs against it.
pub(super) fn weight(element: &Element<'_>) -> f32 {
    let tells = |p: Part| element.parts & p.bit() != 0;
    let mut weight = 0.0;
    if matches!(element.name, "body" | "html") {
        return 0.0;
    }
    if tells(Part::Content) {
        weight += 25.0;
    }
    if tells(Part::Article) || matches!(element.name, "article" | "main") {
        weight += 10.0;
    }
    for part in [
        Part::Related,
        Part::Comments,
        Part::Footer,
        Part::Sidebar,
        Part::Cookie,
        Part::Popup,
        Part::Nav,
        Part::Share,
        Part::Ads,
        Part::Newsletter,
    ] {
        if tells(part) {
            weight -= 25.0;
        }
    }
    if matches!(element.name, "form" | "aside" | "nav" | "footer" | "header") {
        weight -= 25.0;
    }
    weight
}
