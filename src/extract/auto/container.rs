//! Where the content may be: the container by scores of its paragraphs (the idea of Readability), and the one by mass.

use super::features::weight;
use super::stream::{Stream, ratio};

/// Levels above a paragraph that it speaks for.
const LEVELS: usize = 5;
/// Characters of a block that counts as a paragraph at all (Readability: 25).
const SHORTEST: usize = 25;
/// Share of its parent's sentences that a child must hold to stand for it.
const HEAVY: f32 = 0.7;

/// The element whose paragraphs score best: a point each, one a comma, one a hundred characters up to three; the parent
/// gets all, the grandparent half, further ones a third of their distance. Links weigh against it.
pub(super) fn scored(stream: &Stream<'_>) -> usize {
    let mut scores = vec![0.0_f32; stream.elements.len()];
    for block in &stream.blocks {
        if block.chars + block.wide < SHORTEST || block.linked() > 0.5 || block.heading > 0 {
            continue;
        }
        let score = 1.0 + ratio(block.commas.min(10), 1) + ratio(block.chars + block.wide, 100).min(3.0);
        // A paragraph speaks for its parent, loose text for the element in which it stands.
        let own = usize::from(matches!(
            stream.elements.get(block.element).map_or("", |e| e.name),
            "p" | "li" | "blockquote" | "pre" | "dd" | "dt"
        ));
        for (level, at) in stream.up(block.element).skip(own).take(LEVELS).enumerate() {
            scores[at] += match level {
                0 => score,
                1 => score / 2.0,
                n => score / ratio(n * 3, 1),
            };
        }
    }
    let mut best = (f32::MIN, 0);
    for (at, element) in stream.elements.iter().enumerate() {
        if scores[at] <= 0.0 {
            continue;
        }
        let score = (scores[at] + weight(element)) * (1.0 - ratio(element.link_chars, element.chars));
        if score > best.0 {
            best = (score, at);
        }
    }
    best.1
}

/// From the top down into the child that holds most of the sentences, as long as there is one.
pub(super) fn heavy(stream: &Stream<'_>) -> usize {
    let mut children: Vec<(usize, usize)> = vec![(0, 0); stream.elements.len()];
    for (at, element) in stream.elements.iter().enumerate().skip(1) {
        let mass = element.good;
        if element.parent != at && mass > children[element.parent].0 {
            children[element.parent] = (mass, at);
        }
    }
    let mut at = 0;
    while let Some(&(mass, child)) = children.get(at)
        && mass > 0
        && ratio(mass, stream.elements[at].good) >= HEAVY
        && !matches!(stream.elements[child].name, "p" | "li" | "blockquote")
    {
        at = child;
    }
    at
}
