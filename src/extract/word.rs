//! What office programs make of lists: paragraphs that begin with their marker. They become lists again, with levels; a
//! marker goes only where the list says the same.

use super::frame::Kind;
use super::inline::{MARKER, SYMBOL};
use super::line::Line;
use crate::document::{Block, Counting, Inline, ListItem, Source, Span};

/// Signs that stand before the items of a list and for nothing else.
const BULLETS: &str = "•●▪▫◦○■□➢➤✓✔❖♦·";
/// Signs that do so only in a paragraph that says that it is of a list.
const DASHES: &str = "-–+*o§";
/// Deepest list.
const DEPTH: usize = 9;

/// What stands before an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Marker {
    /// A sign.
    Bullet(char),
    /// A number: what it may be (`i` is a letter and a Roman one).
    Counted(Vec<(Option<Counting>, u32)>),
}

/// Finds the marker of a paragraph and flags its characters; `None`, and no character flagged, if it has none that a list
/// would say as well.
pub(super) fn marker(line: &mut Line, kind: Kind) -> Option<Marker> {
    let found = find(line, kind);
    if found.is_none() {
        line.unmark(MARKER);
    }
    found
}

fn find(line: &mut Line, kind: Kind) -> Option<Marker> {
    if !matches!(kind, Kind::Word(_) | Kind::Paragraph) {
        return None;
    }
    let told = line.runs().any(|(_, run)| run.flags & MARKER != 0);
    if !told {
        let text = line.text();
        let start = text.find(|c: char| !c.is_whitespace())?;
        let word = &text[start..];
        let first = word.chars().next()?;
        let bullet = BULLETS.contains(first);
        let word = if bullet {
            &word[..first.len_utf8()]
        } else {
            &word[..word.find(char::is_whitespace)?]
        };
        let end = start + word.len();
        let signs = || {
            let mut from = 0;
            let set = line.runs().all(|(text, run)| {
                let of = from < end && start < from + text.len();
                from += text.len();
                !of || run.flags & SYMBOL != 0
            });
            word.chars().count() <= 2 && set
        };
        if !(matches!(kind, Kind::Word(_)) || bullet || signs()) {
            return None;
        }
        line.mark(start, end, MARKER);
    }
    let text = line.marked(MARKER);
    let mut letters = line.letters();
    let drawn = letters.all(|(_, run)| run.flags & MARKER == 0 || run.flags & SYMBOL != 0);
    let rest = line.letters().any(|(_, run)| run.flags & MARKER == 0);
    if !rest || text.is_empty() {
        return None;
    }
    read(&text, drawn)
}

/// What a marker says; `None` if it says more than a list can (`1.1.`, `Điều 1.`).
fn read(text: &str, drawn: bool) -> Option<Marker> {
    let mut signs = text.chars();
    let first = signs.next()?;
    if signs.next().is_none() && (drawn || BULLETS.contains(first) || DASHES.contains(first)) {
        return Some(Marker::Bullet(first));
    }
    let core = text.strip_prefix('(').unwrap_or(text);
    let number = core.trim_end_matches(['.', ')']);
    if number.len() == core.len() || core.len() - number.len() > 2 || number.is_empty() {
        return None;
    }
    if number.bytes().all(|b| b.is_ascii_digit()) {
        let value: u32 = number.parse().ok().filter(|n| *n < 10_000)?;
        // A leading zero is not what a list would say.
        return (value.to_string() == number).then(|| Marker::Counted(vec![(None, value)]));
    }
    let upper = number.chars().all(|c| c.is_ascii_uppercase());
    if !upper && !number.chars().all(|c| c.is_ascii_lowercase()) {
        return None;
    }
    let (alpha, roman) = if upper {
        (Counting::UpperAlpha, Counting::UpperRoman)
    } else {
        (Counting::LowerAlpha, Counting::LowerRoman)
    };
    let lower = number.to_ascii_lowercase();
    let mut may_be = Vec::new();
    if let [letter] = lower.as_bytes() {
        may_be.push((Some(alpha), u32::from(letter - b'a') + 1));
    }
    if let Some(value) = from_roman(&lower) {
        may_be.push((Some(roman), value));
    }
    (!may_be.is_empty()).then_some(Marker::Counted(may_be))
}

/// A Roman number below 100 in its one right spelling.
fn from_roman(text: &str) -> Option<u32> {
    (1..100).find(|n| to_roman(*n) == text)
}

fn to_roman(mut n: u32) -> String {
    let mut out = String::new();
    for (value, sign) in [
        (90, "xc"),
        (50, "l"),
        (40, "xl"),
        (10, "x"),
        (9, "ix"),
        (5, "v"),
        (4, "iv"),
        (1, "i"),
    ] {
        while n >= value {
            out.push_str(sign);
            n -= value;
        }
    }
    out
}

/// A list that is being read.
struct Open {
    level: u8,
    kind: Listed,
    start: u32,
    items: Vec<ListItem>,
    span: Span,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Listed {
    Bullets(char),
    Counts(Option<Counting>),
}

impl Open {
    /// Whether `marker` is that of the next item. A page that states levels may change its bullets at will.
    fn goes_on(&self, marker: &Marker, stated: bool) -> bool {
        match (self.kind, marker) {
            (Listed::Bullets(own), Marker::Bullet(sign)) => stated || own == *sign,
            (Listed::Counts(counting), Marker::Counted(may_be)) => {
                let next = self.start + u32::try_from(self.items.len()).unwrap_or(u32::MAX);
                may_be.contains(&(counting, next))
            }
            _ => false,
        }
    }
}

/// Paragraphs with markers on their way into lists.
#[derive(Default)]
pub(super) struct Lists {
    /// Whether the open ones state their levels.
    stated: bool,
    open: Vec<Open>,
    done: Vec<Block>,
}

impl Lists {
    /// Adds a paragraph. `level` from 1, or 0 if the page does not state it: then a marker that continues no open list
    /// begins one below.
    pub(super) fn push(&mut self, level: u8, marker: &Marker, content: Inline, span: Span) {
        if self.stated != (level > 0) {
            self.close_to(0);
        }
        self.stated = level > 0;
        let level = if level > 0 {
            while self.open.last().is_some_and(|l| l.level > level) {
                self.close_to(self.open.len() - 1);
            }
            if self
                .open
                .last()
                .is_some_and(|l| l.level == level && !l.goes_on(marker, true))
            {
                self.close_to(self.open.len() - 1);
            }
            level
        } else {
            match self.open.iter().rposition(|l| l.goes_on(marker, false)) {
                Some(at) => self.close_to(at + 1),
                None if self.open.len() >= DEPTH => self.close_to(0),
                None => {}
            }
            match self.open.last() {
                Some(last) if last.goes_on(marker, false) => last.level,
                last => last.map_or(1, |l| l.level.saturating_add(1)),
            }
        };
        if self.open.last().is_none_or(|l| l.level < level) {
            let (kind, start) = match marker {
                Marker::Bullet(sign) => (Listed::Bullets(*sign), 1),
                Marker::Counted(may_be) => {
                    // Of two readings the smaller number: a list begins early in its alphabet.
                    let best = may_be.iter().min_by_key(|(_, n)| *n);
                    best.map_or((Listed::Counts(None), 1), |(c, n)| (Listed::Counts(*c), *n))
                }
            };
            self.open.push(Open {
                level,
                kind,
                start,
                items: Vec::new(),
                span,
            });
        }
        for list in &mut self.open {
            list.span.1 = list.span.1.max(span.1);
        }
        if let Some(list) = self.open.last_mut() {
            list.items.push(ListItem {
                content,
                children: Vec::new(),
            });
        }
    }

    /// Closes lists until `length` are open: each goes below the last item of the one round it.
    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            let Some(list) = self.open.pop() else { return };
            let (ordered, counting) = match list.kind {
                Listed::Bullets(_) => (false, None),
                Listed::Counts(counting) => (true, counting),
            };
            let block = Block::List {
                ordered,
                start: Some(list.start).filter(|s| ordered && *s != 1),
                counting,
                reversed: false,
                items: list.items,
                src: Source {
                    rule: "body".into(),
                    chars: list.span,
                },
            };
            match self.open.last_mut().and_then(|l| l.items.last_mut()) {
                Some(item) => item.children.push(block),
                None => self.done.push(block),
            }
        }
    }

    /// The lists so far; what follows begins new ones.
    pub(super) fn finish(&mut self) -> Vec<Block> {
        self.close_to(0);
        std::mem::take(&mut self.done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(marks: &[(u8, &str)]) -> Vec<Block> {
        let mut lists = Lists::default();
        for (n, (level, mark)) in marks.iter().enumerate() {
            let content = Inline {
                text: n.to_string(),
                marks: Vec::new(),
            };
            lists.push(*level, &read(mark, false).unwrap(), content, Span(n, n + 1));
        }
        lists.finish()
    }

    /// `1 2(3 4)` for items with items below them.
    fn shape(blocks: &[Block]) -> String {
        let list = |b: &Block| match b {
            Block::List {
                ordered,
                start,
                counting,
                items,
                ..
            } => {
                let inner: Vec<String> = items
                    .iter()
                    .map(|i| {
                        let below = shape(&i.children);
                        let below = if below.is_empty() {
                            below
                        } else {
                            format!("({below})")
                        };
                        format!("{}{below}", i.content.text)
                    })
                    .collect();
                let kind = if *ordered { "#" } else { "*" };
                let first = start.map_or(String::new(), |s| s.to_string());
                let by = counting.map_or(String::new(), |c| format!("{c:?}"));
                format!("{kind}{first}{by}[{}]", inner.join(" "))
            }
            _ => String::from("?"),
        };
        blocks.iter().map(list).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn markers_that_a_list_can_say() {
        assert_eq!(read("·", false), Some(Marker::Bullet('·')));
        assert_eq!(read("Ø", true), Some(Marker::Bullet('Ø')));
        assert_eq!(read("12.", false), Some(Marker::Counted(vec![(None, 12)])));
        assert_eq!(
            read("(b)", false),
            Some(Marker::Counted(vec![(Some(Counting::LowerAlpha), 2)]))
        );
        let i = [(Some(Counting::UpperAlpha), 9), (Some(Counting::UpperRoman), 1)];
        assert_eq!(read("I.", false), Some(Marker::Counted(i.to_vec())));
        for none in ["1.1.", "01.", "Điều", "1", "Ø", "ab)", "iiii.", "đ)"] {
            assert_eq!(read(none, false), None, "{none}");
        }
    }

    #[test]
    fn lists_say_what_their_markers_said() {
        for (marks, lists) in [
            (&[(1, "·"), (2, "o"), (2, "o"), (1, "·")][..], "*[0(*[1 2]) 3]"),
            (
                &[(0, "1."), (0, "a)"), (0, "b)"), (0, "2.")],
                "#[0(#LowerAlpha[1 2]) 3]",
            ),
            (&[(0, "-"), (0, "+"), (0, "-")], "*[0(*[1]) 2]"),
            (&[(1, "4."), (1, "5."), (1, "7.")], "#4[0 1] #7[2]"),
            (&[(0, "i)"), (0, "ii)")], "#LowerRoman[0 1]"),
            (&[(0, "h)"), (0, "i)")], "#8LowerAlpha[0 1]"),
            (&[(3, "·"), (1, "·")], "*[0] *[1]"),
        ] {
            assert_eq!(shape(&items(marks)), lists, "{marks:?}");
        }
    }
}
