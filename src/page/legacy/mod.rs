//! Text of legacy Vietnamese pages: each run decoded by what proves it, or said to be undecided.
//!
//! The tree holds either Unicode or, where the bytes were no UTF-8, their windows-1252 surface, from which every byte can
//! be had back. [`restore`] walks it once, decides run by run, and writes the right text into the tree. Nothing before it
//! may trim U+00A0, strip U+00AD, or normalise: in legacy sets these are letters.

mod engine;
mod font;
mod judge;
mod piece;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
mod tree;

pub(super) use engine::Prior;
pub use tree::Shown;
pub(super) use tree::{Restored, plain, restore};

/// Whether the text of a surface, its tags left out, is Vietnamese in a legacy set beyond doubt.
pub(super) fn probe(surface: &str) -> bool {
    /// A declaration says otherwise, or nothing does: more words are asked for than in a page.
    const WORDS: usize = 8;
    let mut text = String::new();
    let mut tag = false;
    for c in surface.chars() {
        match c {
            '<' => tag = true,
            '>' => {
                tag = false;
                text.push(' ');
            }
            _ if !tag => text.push(c),
            _ => {}
        }
    }
    // The head of a page is navigation and scripts; the longest line with marks is a better sample than the first one.
    let best = text
        .lines()
        .max_by_key(|l| l.chars().filter(|c| !c.is_ascii()).count())
        .unwrap_or_default();
    [best, &text].into_iter().any(|sample| {
        let judged = judge::judge(sample);
        judged.accepted && judged.best != judge::Reading::AsIs && judged.score.tokens >= WORDS
    })
}
