//! Lives: two months that a person wrote, and short ones by seed.

use super::Event::{self, *};
use super::{Life, Trouble};
use fastrand::Rng;

/// Articles on the first day of the long life.
const ARTICLES: usize = 40;

impl Life {
    /// Two months of a portal: what an office writes, and what befalls its server.
    #[must_use]
    pub fn story() -> Self {
        let mut script: Vec<(u32, Event)> = Vec::new();
        // Something new twice a week, and more in some weeks.
        script.extend(
            [
                1, 2, 5, 6, 9, 12, 13, 16, 19, 20, 23, 26, 27, 30, 33, 37, 40, 41, 45, 48, 51, 54, 57,
            ]
            .map(|day| (day, New)),
        );
        script.extend([
            (2, Edit(7)),
            (3, Edit(12)),
            (4, Retitle(20)),
            (4, Withdraw(30)),
            (5, Recategorise(9, 3)),
            (6, Pictures(2)),
            (7, Edit(41)),
            // A night behind a login; what changed meanwhile is there afterwards.
            (8, Befalls(Trouble::Login, 1)),
            (8, Edit(15)),
            (9, Withdraw(41)),
            (10, Move(11)),
            (11, Edit(3)),
            (12, Befalls(Trouble::EmptyList(1), 1)),
            (12, Edit(24)),
            // A week in which what is missing is a page like any other.
            (14, Befalls(Trouble::SoftMissing, 7)),
            (15, Withdraw(18)),
            (16, Edit(22)),
            (18, Restore(30)),
            (21, Withdraw(5)),
            (22, Recategorise(33, 1)),
            (23, Edit(0)),
            (24, Befalls(Trouble::Storm, 1)),
            (24, Edit(35)),
            (25, Befalls(Trouble::Down, 1)),
            (25, Edit(36)),
            (26, Pictures(29)),
            (28, Befalls(Trouble::HalfDeadPager(3), 2)),
            (28, Retitle(14)),
            (29, Edit(46)),
            (31, Withdraw(27)),
            (32, Redesign),
            (33, Edit(40)),
            (35, Edit(12)),
            (36, Restore(18)),
            (38, Edit(55)),
            (39, Move(44)),
            (42, Withdraw(50)),
            (43, Edit(28)),
            (44, Recode),
            (46, Edit(7)),
            (47, Recategorise(21, 3)),
            (49, Pictures(2)),
            (50, Befalls(Trouble::EmptyList(2), 1)),
            (50, Befalls(Trouble::Storm, 1)),
            (52, Befalls(Trouble::Login, 1)),
            (52, Withdraw(60)),
            (53, Edit(16)),
            (55, Restore(50)),
            (56, Edit(62)),
        ]);
        Self::new(ARTICLES, 7, script)
    }

    /// A short life by seed: so many days, so many articles on the first of them. The last days are calm.
    #[must_use]
    pub fn random(seed: u64, days: u32, articles: usize) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut script = Vec::new();
        let mut all = articles.max(1);
        for day in 1..days {
            for _ in 0..rng.usize(0..=3) {
                let index = rng.usize(..all);
                let event = match rng.u8(..20) {
                    0..=3 => New,
                    4..=8 => Edit(index),
                    9 => Retitle(index),
                    10..=12 => Withdraw(index),
                    13..=14 => Restore(index),
                    15 => Move(index),
                    16 => Recategorise(index, rng.usize(1..=4)),
                    17..=18 => Pictures(index),
                    _ => Recode,
                };
                // A move makes an address only where there is an article; one that names nothing changes nothing.
                all += usize::from(matches!(event, New | Move(_)));
                script.push((day, event));
            }
            if day + 2 < days && rng.u8(..4) == 0 {
                let trouble = match rng.u8(..6) {
                    0 => Trouble::Login,
                    1 => Trouble::EmptyList(rng.usize(1..=4)),
                    2 => Trouble::HalfDeadPager(rng.usize(1..=4)),
                    3 => Trouble::SoftMissing,
                    4 => Trouble::Storm,
                    _ => Trouble::Down,
                };
                script.push((day, Befalls(trouble, rng.u32(1..=2).min(days - 2 - day))));
            }
        }
        Self::new(articles, seed, script)
    }
}
