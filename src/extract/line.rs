//! The text of a block on its way into the document: runs of characters that stand side by side on the page and are set
//! alike.

use crate::document::Span;

/// Characters side by side, set alike.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run {
    /// Bytes of the line.
    bytes: usize,
    chars: usize,
    /// One bit a mark, in the order of [`super::inline::KINDS`]; [`super::inline::MARKER`] for a list marker.
    pub(super) flags: u16,
    /// Index + 1 into the body's links; 0 for none.
    pub(super) link: u32,
    /// Where the first one stands in the visible text; `None` for a line break.
    pub(super) at: Option<usize>,
}

/// Text as runs. A line break is a run of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    text: String,
    runs: Vec<Run>,
}

impl Line {
    /// Bytes of the text.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Adds characters that stand at a place.
    pub(super) fn push(&mut self, text: &str, at: usize, flags: u16, link: u32) {
        let chars = text.chars().count();
        self.text.push_str(text);
        match self.runs.last_mut() {
            Some(last)
                if (last.flags, last.link) == (flags, link)
                    && last.at.is_some_and(|first| first + last.chars == at) =>
            {
                last.bytes += text.len();
                last.chars += chars;
            }
            _ => self.runs.push(Run {
                bytes: text.len(),
                chars,
                flags,
                link,
                at: Some(at),
            }),
        }
    }

    /// Adds a line break.
    pub(super) fn push_break(&mut self) {
        self.text.push('\n');
        self.runs.push(Run {
            bytes: 1,
            chars: 1,
            flags: 0,
            link: 0,
            at: None,
        });
    }

    /// Whether there is nothing but line breaks.
    pub(super) fn is_blank(&self) -> bool {
        self.runs.iter().all(|r| r.at.is_none())
    }

    /// How many line breaks stand at the end.
    pub(super) fn breaks(&self) -> usize {
        self.runs.iter().rev().take_while(|r| r.at.is_none()).count()
    }

    /// The runs with their texts.
    pub(super) fn runs(&self) -> impl Iterator<Item = (&str, &Run)> {
        let mut from = 0;
        self.runs.iter().map(move |run| {
            let start = from;
            from += run.bytes;
            (&self.text[start..from], run)
        })
    }

    /// The runs that hold letters.
    pub(super) fn letters(&self) -> impl Iterator<Item = (&str, &Run)> {
        self.runs().filter(|(text, _)| has_letters(text))
    }

    /// Whether there is anything but white space.
    pub(super) fn has_letters(&self) -> bool {
        has_letters(&self.text)
    }

    /// Where the letters stand on the page.
    pub(super) fn span(&self) -> Span {
        let mut all = Span(usize::MAX, 0);
        for (text, run) in self.letters() {
            let Some(at) = run.at else { continue };
            let before = text.len() - text.trim_start().len();
            let first = at + text[..before].chars().count();
            let behind = text[text.trim_end().len()..].chars().count();
            all = Span(all.0.min(first), all.1.max(at + run.chars - behind));
        }
        if all.1 == 0 { Span(0, 0) } else { all }
    }

    /// Parts of it: at each run of which `ends` says so a part ends, with that run in it.
    fn split(self, mut ends: impl FnMut(&str, &Run) -> bool) -> Vec<Self> {
        let mut out = Vec::new();
        let mut part = Self::default();
        for (text, run) in self.runs() {
            part.text.push_str(text);
            part.runs.push(*run);
            if ends(text, run) {
                out.push(std::mem::take(&mut part));
            }
        }
        out.push(part);
        out
    }

    /// Its paragraphs: two line breaks end one.
    pub(super) fn paragraphs(self) -> Vec<Self> {
        let mut breaks = 0;
        let ends = move |text: &str, run: &Run| {
            match run.at {
                None => breaks += 1,
                Some(_) if has_letters(text) => breaks = 0,
                Some(_) => {}
            }
            run.at.is_none() && breaks == 2
        };
        // Nearly always it is one.
        let (mut ends, again) = (ends, ends);
        let last = self.runs.len().saturating_sub(1);
        let first = self.runs().position(|(text, run)| ends(text, run));
        if first.is_none_or(|at| at == last) {
            return vec![self];
        }
        self.split(again)
    }

    /// Its lines.
    pub(super) fn lines(&self) -> Vec<Self> {
        self.clone().split(|_, run| run.at.is_none())
    }

    /// The text that has one of these marks, without white space.
    pub(super) fn marked(&self, flags: u16) -> String {
        let runs = self.runs().filter(|(_, run)| run.flags & flags != 0);
        runs.flat_map(|(text, _)| text.split_whitespace()).collect()
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds a mark to some of the bytes.
    pub(super) fn mark(&mut self, from: usize, to: usize, flags: u16) {
        let mut runs = Vec::with_capacity(self.runs.len() + 2);
        let mut start = 0;
        for run in &self.runs {
            let end = start + run.bytes;
            let cuts = [start, from.clamp(start, end), to.clamp(start, end), end];
            for (n, cut) in cuts.windows(2).enumerate().filter(|(_, c)| c[0] < c[1]) {
                let before = self.text[start..cut[0]].chars().count();
                runs.push(Run {
                    bytes: cut[1] - cut[0],
                    chars: self.text[cut[0]..cut[1]].chars().count(),
                    flags: if n == 1 { run.flags | flags } else { run.flags },
                    link: run.link,
                    at: run.at.map(|at| at + before),
                });
            }
            start = end;
        }
        self.runs = runs;
    }

    /// Takes a mark from all of it.
    pub(super) fn unmark(&mut self, flags: u16) {
        self.runs.iter_mut().for_each(|r| r.flags &= !flags);
    }

    /// Leaves out the characters that have a mark; line breaks stay.
    pub(super) fn without(self, flags: u16) -> Self {
        if self.runs.iter().all(|r| r.flags & flags == 0) {
            return self;
        }
        let mut out = Self::default();
        for (text, run) in self
            .runs()
            .filter(|(_, r)| r.flags & flags == 0 || r.at.is_none())
        {
            out.text.push_str(text);
            out.runs.push(*run);
        }
        out
    }
}

/// Whether a text holds anything but white space.
fn has_letters(text: &str) -> bool {
    text.contains(|c: char| !c.is_whitespace())
}
