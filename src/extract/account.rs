//! Who claims which character of the page. The first claim wins; what nobody claims is unaccounted.

use crate::document::{Accounting, Dropped, Span, Unaccounted};
use crate::lang::nfc;
use crate::page::VisibleText;
use std::collections::HashMap;

struct Rule {
    id: String,
    reason: String,
    kept: bool,
}

/// The claim table: one owner a character.
pub(super) struct Claims {
    owner: Vec<u16>,
    rules: Vec<Rule>,
    /// What is left of elements from which a field took a part: another field may take its own part first.
    rests: Vec<(Span, u16)>,
}

impl Claims {
    pub(super) fn new(chars: usize) -> Self {
        let nobody = Rule {
            id: String::new(),
            reason: String::new(),
            kept: false,
        };
        Self {
            owner: vec![0; chars],
            rules: vec![nobody],
            rests: Vec::new(),
        }
    }

    /// Number of a rule, made at its first use.
    pub(super) fn rule(&mut self, id: &str, reason: &str, kept: bool) -> u16 {
        let known = self
            .rules
            .iter()
            .skip(1)
            .position(|r| r.id == id && r.kept == kept);
        let at = known.map_or(self.rules.len(), |p| p + 1);
        // More than 65,535 rules cannot be written into a mapping of sane size; the last one stands for the rest.
        if known.is_none() && at < usize::from(u16::MAX) {
            self.rules.push(Rule {
                id: id.into(),
                reason: reason.into(),
                kept,
            });
        }
        u16::try_from(at.min(self.rules.len() - 1)).unwrap_or(u16::MAX)
    }

    /// Claims what is still free in `span`.
    pub(super) fn claim(&mut self, span: Span, rule: u16) {
        let end = span.1.min(self.owner.len());
        for owner in self.owner.get_mut(span.0..end).unwrap_or_default() {
            if *owner == 0 {
                *owner = rule;
            }
        }
    }

    /// Claims the letters of a text that stands at a place, as far as they are free.
    pub(super) fn claim_letters(&mut self, text: &str, at: usize, rule: u16) {
        let owners = self.owner.get_mut(at..).unwrap_or_default();
        for (c, owner) in text.chars().zip(owners) {
            if *owner == 0 && !c.is_whitespace() {
                *owner = rule;
            }
        }
    }

    /// Parts of `span` that are free or are not, with their lengths.
    pub(super) fn runs(&self, span: Span) -> impl Iterator<Item = (bool, usize)> {
        let end = span.1.min(self.owner.len());
        let owners = self.owner.get(span.0..end).unwrap_or_default();
        let runs = owners.chunk_by(|a, b| (*a == 0) == (*b == 0));
        runs.map(|run| (run[0] == 0, run.len()))
    }

    /// Claims what is still free of `span` when [`Claims::settle`] is called.
    pub(super) fn claim_later(&mut self, span: Span, rule: u16) {
        self.rests.push((span, rule));
    }

    pub(super) fn settle(&mut self) {
        for (span, rule) in std::mem::take(&mut self.rests) {
            self.claim(span, rule);
        }
    }

    pub(super) fn is_free(&self, at: usize) -> bool {
        self.owner.get(at) == Some(&0)
    }

    /// Text of `span` that nobody has claimed.
    pub(super) fn free_text(&self, text: &VisibleText, span: Span) -> String {
        let free = text
            .slice(span)
            .chars()
            .zip(span.0..)
            .map(|(c, at)| if self.is_free(at) { c } else { ' ' });
        crate::lang::spaces(&free.collect::<String>())
    }

    /// Compares what a rule claimed inside `span` with the text that came of it; returns the letters that are missing.
    pub(super) fn missing(&self, text: &VisibleText, span: Span, rule: u16, made: &[String]) -> usize {
        let own = text.slice(span).chars().zip(span.0..);
        let own = own.filter(|(c, at)| self.owner.get(*at) == Some(&rule) && !c.is_whitespace());
        // Nearly always they are the same in the same order; then nothing needs to be counted.
        if own.map(|(c, _)| c).eq(made.iter().flat_map(|text| letters(text))) {
            return 0;
        }
        let made = made.join("\n");
        let claimed: String = text
            .slice(span)
            .chars()
            .zip(span.0..)
            // White space stays where it is, whoever claims it: a mark behind it is not composed with the letter before it.
            .filter(|(c, at)| c.is_whitespace() || self.owner.get(*at) == Some(&rule))
            .map(|(c, _)| c)
            .collect();
        let (claimed, made) = (nfc(&claimed), nfc(&made));
        if letters(&claimed).eq(letters(&made)) {
            return 0;
        }
        let mut balance: HashMap<char, isize> = HashMap::new();
        for c in letters(&claimed) {
            *balance.entry(c).or_default() += 1;
        }
        for c in letters(&made) {
            *balance.entry(c).or_default() -= 1;
        }
        balance.values().map(|n| n.unsigned_abs()).sum()
    }

    /// The sum over `span`; `missing` letters were claimed as kept but are not in the document.
    pub(super) fn account(
        &self,
        text: &VisibleText,
        span: Span,
        missing: usize,
    ) -> (Accounting, Vec<Dropped>) {
        let mut sum = Accounting::default();
        let mut dropped = Vec::new();
        // Letters of one owner, whatever white space stands between them.
        let mut run: Option<(u16, Span, usize)> = None;
        for (c, at) in text.slice(span).chars().zip(span.0..) {
            if c.is_whitespace() {
                continue;
            }
            let owner = self.owner[at];
            match &mut run {
                Some((same, span, letters)) if *same == owner => {
                    span.1 = at + 1;
                    *letters += 1;
                }
                _ => {
                    let ended = run.replace((owner, Span(at, at + 1), 1));
                    self.close(text, ended, &mut sum, &mut dropped);
                }
            }
        }
        self.close(text, run, &mut sum, &mut dropped);
        if missing > 0 {
            let moved = missing.min(sum.kept);
            sum.kept -= moved;
            sum.unaccounted += moved;
            sum.unaccounted_text.push(Unaccounted {
                chars: span,
                text: format!("{missing} letters differ between page and document"),
            });
        }
        (sum, dropped)
    }

    fn close(
        &self,
        text: &VisibleText,
        run: Option<(u16, Span, usize)>,
        sum: &mut Accounting,
        dropped: &mut Vec<Dropped>,
    ) {
        let Some((owner, chars, letters)) = run else {
            return;
        };
        let rule = &self.rules[usize::from(owner)];
        sum.visible += letters;
        match (owner, rule.kept) {
            (0, _) => sum.unaccounted += letters,
            (_, true) => {
                sum.kept += letters;
                return;
            }
            (_, false) => sum.dropped += letters,
        }
        let text = crate::lang::spaces(text.slice(chars));
        if owner == 0 {
            sum.unaccounted_text.push(Unaccounted { chars, text });
        } else {
            dropped.push(Dropped {
                rule: rule.id.clone(),
                reason: rule.reason.clone(),
                chars,
                text,
                media: None,
            });
        }
    }
}

fn letters(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().filter(|c| !c.is_whitespace())
}
