//! What is told when: the first time of a problem at once, then one digest an interval of everything that is open, then once that
//! it is over. A problem that comes and goes is told no more often than that. Pure: time is an argument.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Most problems that are remembered; a sync has far fewer kinds of them.
const MAX_PROBLEMS: usize = 100;
/// Notices that wait to be sent; the oldest go first.
const MAX_WAITING: usize = 20;

/// Sort of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A sync could not go on, or something was lost.
    Failure,
    /// A guard holds something until a person has looked.
    Hold,
    /// Somebody changed or removed entries in the CMS.
    Drift,
}

/// Something that a person should know of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// What makes it the same problem the next time: `unreachable`, `hold:drift`.
    pub key: String,
    /// Its sort.
    pub class: Class,
    /// How many entries it is about, 1 if it is about the whole.
    pub count: u64,
    /// One line.
    pub text: String,
    /// Some of them.
    pub examples: Vec<String>,
}

/// A problem with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// As it was last.
    #[serde(flatten)]
    pub problem: Problem,
    /// When it was seen first.
    pub since: Timestamp,
    /// Syncs that saw it.
    pub syncs: u64,
    /// When it was over.
    pub resolved: Option<Timestamp>,
    /// When somebody was told of it last.
    told: Option<Timestamp>,
    /// Is somebody to be told that it is over?
    #[serde(default)]
    owes: bool,
}

/// What a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// Something new.
    Problem,
    /// What is still open.
    Digest,
    /// Nothing is open any more of what was told.
    Resolved,
}

/// What is sent: `notice/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Always `notice/1`.
    pub schema: String,
    /// Always `notice`.
    #[serde(rename = "type")]
    pub kind_of_object: String,
    /// The same for each attempt to send it.
    pub id: String,
    /// What it is.
    pub kind: NoticeKind,
    /// Id of the site.
    pub site: String,
    /// When it was written.
    pub at: Timestamp,
    /// What is new, then what is open, then what is over.
    pub problems: Vec<Told>,
}

/// What is remembered between syncs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// Version of the form.
    pub schema: u32,
    known: BTreeMap<String, Told>,
    /// Last notice of any kind.
    last: Option<Timestamp>,
    /// Last notice that all is over.
    last_resolved: Option<Timestamp>,
    /// Notices so far.
    count: u64,
    /// Notices that were not sent yet, with the channels that wait for them.
    pub(super) waiting: Vec<Waiting>,
}

/// A notice that is not sent to everybody yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    pub(super) notice: Notice,
    pub(super) channels: BTreeSet<String>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            schema: 1,
            known: BTreeMap::new(),
            last: None,
            last_resolved: None,
            count: 0,
            waiting: Vec::new(),
        }
    }
}

impl Memory {
    /// Takes what a sync found, and decides what is told of it: at most one notice, to `channels`.
    pub fn take(
        &mut self,
        site: &str,
        problems: Vec<Problem>,
        now: Timestamp,
        interval: Duration,
        channels: &[&str],
    ) -> Option<&Notice> {
        let interval = jiff::SignedDuration::try_from(interval).unwrap_or(jiff::SignedDuration::MAX);
        let due = |last: Option<Timestamp>| last.is_none_or(|t| now.duration_since(t) >= interval);
        let seen: BTreeSet<String> = problems.iter().map(|p| p.key.clone()).collect();
        let mut fresh = BTreeSet::new();
        for problem in problems {
            if let Some(known) = self.known.get_mut(&problem.key) {
                known.syncs += 1;
                // What comes back after a while is news; what flickers waits for the digest.
                if known.resolved.take().is_some() && due(known.told) {
                    known.since = now;
                    fresh.insert(problem.key.clone());
                }
                known.owes = false;
                known.problem = problem;
            } else if self.known.len() < MAX_PROBLEMS {
                fresh.insert(problem.key.clone());
                let told = Told {
                    since: now,
                    syncs: 1,
                    resolved: None,
                    told: None,
                    owes: false,
                    problem,
                };
                self.known.insert(told.problem.key.clone(), told);
            }
        }
        let mut over = false;
        for (key, known) in &mut self.known {
            if !seen.contains(key) && known.resolved.is_none() {
                known.resolved = Some(now);
                known.owes = known.told.is_some();
                over |= known.owes;
            }
        }
        let open = self.known.values().filter(|k| k.resolved.is_none()).count();
        let owed = self.known.values().any(|k| k.owes);
        let kind = if !fresh.is_empty() {
            Some(NoticeKind::Problem)
        } else if over && open == 0 && due(self.last_resolved) {
            Some(NoticeKind::Resolved)
        } else if (open > 0 || owed) && due(self.last) {
            Some(if open > 0 {
                NoticeKind::Digest
            } else {
                NoticeKind::Resolved
            })
        } else {
            None
        };
        let notice = kind.map(|kind| self.write(kind, site, now, &fresh));
        // What is over and was told of is forgotten when it could be news again.
        self.known
            .retain(|_, k| k.resolved.is_none() || k.owes || !due(k.told));
        let notice = notice?;
        self.waiting.push(Waiting {
            notice,
            channels: channels.iter().map(|c| (*c).to_owned()).collect(),
        });
        let extra = self.waiting.len().saturating_sub(MAX_WAITING);
        self.waiting.drain(..extra);
        self.waiting.last().map(|w| &w.notice)
    }

    fn write(&mut self, kind: NoticeKind, site: &str, now: Timestamp, fresh: &BTreeSet<String>) -> Notice {
        let mut problems: Vec<Told> = self
            .known
            .values()
            .filter(|k| k.resolved.is_none() || k.owes)
            .cloned()
            .collect();
        problems.sort_by_key(|k| {
            let rank = match (fresh.contains(&k.problem.key), k.resolved) {
                (true, _) => 0,
                (false, None) => 1,
                (false, Some(_)) => 2,
            };
            (rank, k.problem.class, k.problem.key.clone())
        });
        for known in self.known.values_mut() {
            if known.resolved.is_none() || known.owes {
                known.told = Some(now);
                known.owes = false;
            }
        }
        self.last = Some(now);
        if kind == NoticeKind::Resolved {
            self.last_resolved = Some(now);
        }
        self.count += 1;
        Notice {
            schema: "notice/1".into(),
            kind_of_object: "notice".into(),
            id: format!("{site}-{}-{}", self.count, now.as_millisecond()),
            kind,
            site: site.to_owned(),
            at: now,
            problems,
        }
    }
}

impl Notice {
    /// One line: what is worst, and how much more there is.
    #[must_use]
    pub fn subject(&self) -> String {
        let open = self.problems.iter().filter(|p| p.resolved.is_none()).count();
        let first = self.problems.first().map_or("", |p| p.problem.text.as_str());
        let text = match (self.kind, open) {
            (NoticeKind::Resolved, _) => format!("over: {first}"),
            (_, 0 | 1) => first.to_owned(),
            (_, n) => format!("{first} (and {} more)", n - 1),
        };
        clean(&format!("[sangtrang] {}: {text}", self.site))
    }

    /// The whole for people.
    #[must_use]
    pub fn text(&self) -> String {
        use std::fmt::Write as _;
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = writeln!(out, "site {}, {}\n", self.site, self.at);
        for p in &self.problems {
            let state = match p.resolved {
                Some(at) => format!("over since {at}"),
                None if p.syncs == 1 => "new".to_owned(),
                None => format!("since {}, seen by {} syncs", p.since, p.syncs),
            };
            let _ = writeln!(out, "- {} ({state})", clean(&p.problem.text));
            for example in &p.problem.examples {
                let _ = writeln!(out, "    {}", clean(example));
            }
        }
        let _ = writeln!(
            out,
            "\n`sangtrang status {}` tells how it stands now; `sangtrang show URL|ID` tells of one page.",
            self.site
        );
        out
    }
}

/// Text of the web draws no lines of its own.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn problem(key: &str) -> Problem {
        Problem {
            key: key.into(),
            class: Class::Hold,
            count: 1,
            text: format!("{key}\nis wrong"),
            examples: vec!["a".into()],
        }
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    /// What is told when these problems are seen by syncs at these minutes.
    fn life(days: &[(i64, &[&str])]) -> Vec<(i64, NoticeKind)> {
        let mut memory = Memory::default();
        let mut told = Vec::new();
        for (minute, keys) in days {
            // A restart between any two syncs.
            let kept = serde_json::to_string(&memory).unwrap();
            memory = serde_json::from_str(&kept).unwrap();
            let problems = keys.iter().map(|k| problem(k)).collect();
            if let Some(notice) = memory.take("s", problems, at(*minute), DAY, &["mail"]) {
                told.push((*minute, notice.kind));
            }
        }
        told
    }

    #[test]
    fn first_at_once_then_one_digest_a_day_then_once_that_it_is_over() {
        use NoticeKind::{Digest, Problem, Resolved};
        let every_quarter: Vec<(i64, &[&str])> = (0..200).map(|n| (n * 15, &["a"][..])).collect();
        assert_eq!(
            life(&every_quarter),
            [(0, Problem), (1440, Digest), (2880, Digest)]
        );
        assert_eq!(
            life(&[(0, &["a"]), (15, &["a", "b"]), (30, &["b"]), (45, &[]), (60, &[])]),
            [(0, Problem), (15, Problem), (45, Resolved)]
        );
        assert!(life(&[(0, &[]), (15, &[])]).is_empty());
    }

    #[test]
    fn what_comes_and_goes_is_told_no_more_often_than_what_stays() {
        let flicker: Vec<(i64, &[&str])> = (0..192)
            .map(|n| (n * 15, if n % 2 == 0 { &["a"][..] } else { &[][..] }))
            .collect();
        let told = life(&flicker);
        assert!(told.len() <= 6, "{told:?}");
        assert_eq!(told[0], (0, NoticeKind::Problem));
    }

    #[test]
    fn a_line_is_one_line() {
        let mut memory = Memory::default();
        let notice = memory.take("s", vec![problem("a")], at(0), DAY, &[]).unwrap();
        assert_eq!(notice.subject(), "[sangtrang] s: a is wrong");
        assert!(notice.text().contains("- a is wrong (new)\n    a\n"));
    }

    proptest! {
        /// Whatever comes and goes: each problem is told when it is seen first, and there are never more notices than kinds of
        /// problems and three an interval.
        #[test]
        fn nothing_is_forgotten_and_nobody_is_flooded(script in proptest::collection::vec(0u8..8, 1..400)) {
            let mut memory = Memory::default();
            let (mut seen, mut told, mut notices) = (BTreeSet::new(), BTreeSet::new(), 0);
            for (n, mask) in script.iter().enumerate() {
                let keys: Vec<String> = (0..3).filter(|b| mask & (1 << b) != 0).map(|b| b.to_string()).collect();
                seen.extend(keys.iter().cloned());
                let problems = keys.iter().map(|k| problem(k)).collect();
                let minute = i64::try_from(n).unwrap() * 15;
                if let Some(notice) = memory.take("s", problems, at(minute), DAY, &["mail"]) {
                    notices += 1;
                    told.extend(notice.problems.iter().map(|p| p.problem.key.clone()));
                }
                prop_assert_eq!(&seen, &told);
            }
            let intervals = script.len() / 96 + 1;
            prop_assert!(notices <= 3 + intervals * 5, "{notices} in {intervals} days");
        }
    }
}
