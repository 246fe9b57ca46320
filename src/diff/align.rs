//! Which items of one sequence are which of another: equal, moved, changed, gone, new.

use similar::{Algorithm, DiffOp, capture_diff_slices};
use std::collections::HashMap;

/// How alike two items must be to count as one that changed; 0 to 1. Half of their words: less is another text.
const ALIKE: f64 = 0.5;

/// Most pairs that are compared inside of one gap; beyond it items pair by their order.
const MAX_PAIRS: usize = 10_000;

/// Most pairs that the alignment itself may cost; beyond it only equal items pair, wherever they stand.
const MAX_ALIGNED: usize = 16_000_000;

/// What became of an item; indices into the old and the new sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The same at the same place.
    Same(usize, usize),
    /// The same at another place among the others.
    Moved(usize, usize),
    /// Another one that says much the same.
    Changed(usize, usize),
    /// Gone.
    Removed(usize),
    /// New.
    Added(usize),
}

/// A stretch that did not stay, up to what did.
struct Gap {
    /// What went there.
    gone: Vec<usize>,
    /// What came there.
    came: Vec<usize>,
    /// Where what stayed behind it begins in the old and the new sequence, and how much it is.
    same: (usize, usize, usize),
}

/// How many items two sequences share at their beginning and, behind that, at their end.
pub(super) fn ends<T: PartialEq>(old: &[T], new: &[T]) -> (usize, usize) {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old, new) = (old[head..].iter().rev(), new[head..].iter().rev());
    (head, old.zip(new).take_while(|(a, b)| a == b).count())
}

/// Aligns two sequences by keys. `alike` says of two items with different keys how alike they are (0 to 1; 0: of another
/// kind). The steps come in the order of the new sequence, what went where it stood.
#[must_use]
pub fn align(old: &[String], new: &[String], alike: &dyn Fn(usize, usize) -> f64) -> Vec<Step> {
    let (head, tail) = ends(old, new);
    let mut steps: Vec<Step> = (0..head).map(|n| Step::Same(n, n)).collect();
    middle(old, new, (head, tail), alike, &mut steps);
    steps.extend(
        (0..tail)
            .rev()
            .map(|n| Step::Same(old.len() - 1 - n, new.len() - 1 - n)),
    );
    steps
}

fn middle(
    old: &[String],
    new: &[String],
    (head, tail): (usize, usize),
    alike: &dyn Fn(usize, usize) -> f64,
    steps: &mut Vec<Step>,
) {
    let (a, b) = (&old[head..old.len() - tail], &new[head..new.len() - tail]);
    let mut gaps: Vec<Gap> = Vec::new();
    let mut gap = (Vec::new(), Vec::new());
    let ops = if a.len().saturating_mul(b.len()) > MAX_ALIGNED {
        vec![DiffOp::Replace {
            old_index: 0,
            old_len: a.len(),
            new_index: 0,
            new_len: b.len(),
        }]
    } else {
        capture_diff_slices(Algorithm::Myers, a, b)
    };
    for op in ops {
        if let DiffOp::Equal {
            old_index,
            new_index,
            len,
        } = op
        {
            let (gone, came) = std::mem::take(&mut gap);
            gaps.push(Gap {
                gone,
                came,
                same: (head + old_index, head + new_index, len),
            });
        } else {
            gap.0.extend(op.old_range().map(|n| head + n));
            gap.1.extend(op.new_range().map(|n| head + n));
        }
    }
    gaps.push(Gap {
        gone: gap.0,
        came: gap.1,
        same: (0, 0, 0),
    });
    let moved = moves(old, new, &gaps);
    for Gap {
        gone,
        came,
        same: (x, y, len),
    } in gaps
    {
        let gone: Vec<usize> = gone.into_iter().filter(|n| !moved.0.contains_key(n)).collect();
        fill(&gone, &came, &moved.1, alike, steps);
        steps.extend((0..len).map(|n| Step::Same(x + n, y + n)));
    }
}

type Pairs = HashMap<usize, usize>;

/// Equal items that stand in different gaps: old to new, and new to old.
fn moves(old: &[String], new: &[String], gaps: &[Gap]) -> (Pairs, Pairs) {
    let mut gone: HashMap<&str, Vec<usize>> = HashMap::new();
    for n in gaps.iter().rev().flat_map(|g| g.gone.iter().rev()) {
        gone.entry(&old[*n]).or_default().push(*n);
    }
    let (mut there, mut back) = (Pairs::new(), Pairs::new());
    for n in gaps.iter().flat_map(|g| &g.came) {
        if let Some(from) = gone.get_mut(new[*n].as_str()).and_then(Vec::pop) {
            there.insert(from, *n);
            back.insert(*n, from);
        }
    }
    (there, back)
}

/// Pairs what went with what came in one gap, in order, as far as they are alike.
fn fill(
    gone: &[usize],
    came: &[usize],
    moved: &Pairs,
    alike: &dyn Fn(usize, usize) -> f64,
    steps: &mut Vec<Step>,
) {
    let open: Vec<usize> = came.iter().copied().filter(|n| !moved.contains_key(n)).collect();
    let pairs = if gone.len() * open.len() > MAX_PAIRS {
        gone.iter()
            .zip(&open)
            .filter(|(x, y)| alike(**x, **y) >= ALIKE)
            .map(|(x, y)| (*x, *y))
            .collect()
    } else {
        best(gone, &open, alike)
    };
    let mut left = gone.iter().copied().peekable();
    for n in came {
        if let Some(from) = moved.get(n) {
            steps.push(Step::Moved(*from, *n));
            continue;
        }
        match pairs.iter().find(|(_, y)| y == n) {
            Some((x, _)) => {
                while let Some(before) = left.next_if(|l| l < x) {
                    steps.push(Step::Removed(before));
                }
                left.next();
                steps.push(Step::Changed(*x, *n));
            }
            None => steps.push(Step::Added(*n)),
        }
    }
    steps.extend(left.map(Step::Removed));
}

/// The pairs in order with the greatest sum of likeness.
fn best(gone: &[usize], came: &[usize], alike: &dyn Fn(usize, usize) -> f64) -> Vec<(usize, usize)> {
    let (rows, columns) = (gone.len(), came.len());
    let mut score = vec![0.0_f64; rows * columns];
    let mut sum = vec![0.0_f64; (rows + 1) * (columns + 1)];
    let at = |x: usize, y: usize| x * (columns + 1) + y;
    for x in 0..rows {
        for y in 0..columns {
            let like = alike(gone[x], came[y]);
            let like = if like >= ALIKE { like } else { 0.0 };
            score[x * columns + y] = like;
            let both = if like > 0.0 { sum[at(x, y)] + like } else { 0.0 };
            sum[at(x + 1, y + 1)] = both.max(sum[at(x, y + 1)]).max(sum[at(x + 1, y)]);
        }
    }
    let (mut x, mut y) = (rows, columns);
    let mut pairs = Vec::new();
    while x > 0 && y > 0 {
        if sum[at(x, y)] == sum[at(x - 1, y)] {
            x -= 1;
        } else if sum[at(x, y)] == sum[at(x, y - 1)] {
            y -= 1;
        } else {
            (x, y) = (x - 1, y - 1);
            pairs.push((gone[x], came[y]));
        }
    }
    pairs.reverse();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(old: &[&str], new: &[&str]) -> Vec<Step> {
        let (old, new): (Vec<String>, Vec<String>) = (
            old.iter().map(|s| (*s).to_owned()).collect(),
            new.iter().map(|s| (*s).to_owned()).collect(),
        );
        // Alike by the first letter.
        align(&old, &new, &|x, y| f64::from(old[x][..1] == new[y][..1]))
    }

    #[test]
    fn each_item_has_one_fate() {
        use Step::{Added, Changed, Moved, Removed, Same};
        assert_eq!(run(&["a", "b"], &["a", "b"]), [Same(0, 0), Same(1, 1)]);
        assert_eq!(
            run(&["a", "b1", "c"], &["a", "b2", "c"]),
            [Same(0, 0), Changed(1, 1), Same(2, 2)]
        );
        assert_eq!(
            run(&["a", "b", "c"], &["a", "c"]),
            [Same(0, 0), Removed(1), Same(2, 1)]
        );
        assert_eq!(
            run(&["a", "c"], &["a", "x", "c"]),
            [Same(0, 0), Added(1), Same(1, 2)]
        );
        assert_eq!(
            run(&["a", "b", "c", "d"], &["b", "c", "d", "a"]),
            [Same(1, 0), Same(2, 1), Same(3, 2), Moved(0, 3)]
        );
        assert_eq!(
            run(&["x", "a1", "b1"], &["a2", "b2", "y"]),
            [Removed(0), Changed(1, 0), Changed(2, 1), Added(2)]
        );
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_told_twice(old in prop::collection::vec("[abc][12]", 0..8), new in prop::collection::vec("[abc][12]", 0..8)) {
            let steps = align(&old, &new, &|x, y| f64::from(old[x][..1] == new[y][..1]));
            let (mut was, mut is) = (Vec::new(), Vec::new());
            for step in &steps {
                match *step {
                    Step::Same(x, y) | Step::Moved(x, y) => {
                        prop_assert_eq!(&old[x], &new[y]);
                        was.push(x);
                        is.push(y);
                    }
                    Step::Changed(x, y) => {
                        prop_assert_ne!(&old[x], &new[y]);
                        was.push(x);
                        is.push(y);
                    }
                    Step::Removed(x) => was.push(x),
                    Step::Added(y) => is.push(y),
                }
            }
            prop_assert_eq!(is, (0..new.len()).collect::<Vec<_>>());
            was.sort_unstable();
            prop_assert_eq!(was, (0..old.len()).collect::<Vec<_>>());
        }
    }
}
