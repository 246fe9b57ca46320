//! The judge of blocks: small decision trees over the features, whose sum says how likely a block is content.
//!
//! `data/trees.txt` was learned from pages with gold text (docs/extraction.md says from which, and how to learn it again).
//! Its first line names the features in the order in which [`super::features`] tells them.

use std::sync::LazyLock;

/// A question: the feature, the greatest value that goes left, where to go. A negative way is a leaf.
#[derive(Clone, Copy, Debug)]
struct Node {
    feature: u16,
    most: f32,
    left: i16,
    right: i16,
}

#[derive(Debug, Default)]
struct Trees {
    #[cfg_attr(not(test), expect(dead_code, reason = "compared with the features by a test"))]
    names: Vec<String>,
    trees: Vec<(Vec<Node>, Vec<f32>)>,
}

static TREES: LazyLock<Trees> = LazyLock::new(|| parse(include_str!("data/trees.txt")).unwrap_or_default());

/// A tree a line: `feature most left right;…|leaf leaf …`.
fn parse(text: &str) -> Option<Trees> {
    let mut lines = text.lines().filter(|l| !l.starts_with('#'));
    let names = lines.next()?.split(' ').map(str::to_owned).collect();
    let mut trees = Vec::new();
    for line in lines {
        let (nodes, leaves) = line.split_once('|')?;
        let nodes: Option<Vec<Node>> = nodes
            .split(';')
            .filter(|n| !n.is_empty())
            .map(|node| {
                let mut parts = node.split(' ');
                Some(Node {
                    feature: parts.next()?.parse().ok()?,
                    most: parts.next()?.parse().ok()?,
                    left: parts.next()?.parse().ok()?,
                    right: parts.next()?.parse().ok()?,
                })
            })
            .collect();
        let leaves: Option<Vec<f32>> = leaves.split(' ').map(|l| l.parse().ok()).collect();
        trees.push((nodes?, leaves?));
    }
    Some(Trees { names, trees })
}

/// Names of the features that the trees ask for, in order.
#[cfg(test)]
pub(super) fn names() -> Vec<&'static str> {
    TREES.names.iter().map(String::as_str).collect()
}

/// Rows that walk through a tree side by side: none waits for another's memory.
const LANES: usize = 8;

/// How likely blocks with these features are content: 0 to 1. `rows` holds `width` features a block.
pub(super) fn likely(rows: &[f32], width: usize) -> Vec<f32> {
    if width == 0 {
        return Vec::new();
    }
    let mut sums = vec![0.0_f32; rows.len() / width];
    for (nodes, leaves) in &TREES.trees {
        for (rows, sums) in rows.chunks(width * LANES).zip(sums.chunks_mut(LANES)) {
            let mut at = [if nodes.is_empty() { -1_i16 } else { 0 }; LANES];
            // Ways lead forward only, so this ends.
            loop {
                let mut open = false;
                for (row, at) in rows.chunks_exact(width).zip(&mut at) {
                    let Some(node) = usize::try_from(*at).ok().and_then(|at| nodes.get(at)) else {
                        continue;
                    };
                    let value = row.get(usize::from(node.feature)).copied().unwrap_or_default();
                    *at = if value <= node.most { node.left } else { node.right };
                    open |= *at >= 0;
                }
                if !open {
                    break;
                }
            }
            for (at, sum) in at.iter().zip(sums) {
                let leaf = usize::try_from(-(i32::from(*at)) - 1).unwrap_or(0);
                *sum += leaves.get(leaf).copied().unwrap_or_default();
            }
        }
    }
    for sum in &mut sums {
        *sum = 1.0 / (1.0 + (-*sum).exp());
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_whole() {
        let trees = parse(include_str!("data/trees.txt")).unwrap();
        assert!(trees.trees.len() > 50);
        for (nodes, leaves) in &trees.trees {
            assert_eq!(nodes.len() + 1, leaves.len());
            for (at, node) in nodes.iter().enumerate() {
                assert!(usize::from(node.feature) < trees.names.len());
                for way in [node.left, node.right] {
                    match usize::try_from(way) {
                        Ok(way) => assert!(way > at && way < nodes.len()),
                        Err(_) => assert!(usize::try_from(-i32::from(way) - 1).unwrap() < leaves.len()),
                    }
                }
            }
        }
    }

    #[test]
    fn trees_are_walked() {
        let trees = parse("a b\n0 1.5 -1 1;1 0 -2 -3|-4 0.5 4").unwrap();
        assert_eq!(trees.trees[0].0.len(), 2);
    }
}
