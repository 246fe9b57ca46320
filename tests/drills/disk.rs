//! D2: death at every site that writes. D3: files that are torn or flipped. D4: disks that are full or broken.

use crate::badfs::{Site, operations, spoil};
use crate::harness::{Archives, bundled, equals_gold, ledger_is_sound, random, run, site_of, trials};
use crate::support::{Server, files, sangtrang};
use sangtrang::demo::Portal;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

const ARTICLES: usize = 8;

/// What a run of the small portal does to its disk.
fn writes(seed: u64) -> Option<Vec<Site>> {
    let server = Server::start(Portal::new(ARTICLES, seed));
    let folder = tempfile::tempdir().unwrap();
    let all = operations(&mut bundled(&server, folder.path()), folder.path())?;
    assert!(all.len() > 100, "only {} operations were seen", all.len());
    Some(all)
}

/// `count` of the operations: all of them, or some of every kind.
fn chosen(all: &[Site], count: usize, random: &mut fastrand::Rng) -> Vec<usize> {
    if count >= all.len() {
        return (1..=all.len()).collect();
    }
    let mut of_kind: BTreeMap<&Site, Vec<usize>> = BTreeMap::new();
    for (index, site) in all.iter().enumerate() {
        of_kind.entry(site).or_default().push(index + 1);
    }
    let kinds: Vec<&Vec<usize>> = of_kind.values().collect();
    (0..count)
        .map(|n| *random.choice(kinds[n % kinds.len()]).unwrap())
        .collect()
}

#[test]
fn d02_killed_at_every_site_that_writes() {
    let mut random = random("D2");
    let seed = random.u64(..1000);
    let Some(all) = writes(seed) else { return };
    let points = chosen(&all, trials(32), &mut random);
    let kinds: BTreeSet<&Site> = points.iter().map(|n| &all[n - 1]).collect();
    let mut archives = Archives::default();
    let mut kills = 0;
    for (turn, at) in points.iter().enumerate() {
        let how = ["kill-before", "kill-half", "kill-after", "kill-lose"][turn % 4];
        let server = Server::start(Portal::new(ARTICLES, seed));
        let folder = tempfile::tempdir().unwrap();
        let mut command = bundled(&server, folder.path());
        spoil(&mut command, folder.path(), how, *at, None);
        let ended = run(&mut command);
        kills += usize::from(ended.status.code().is_none());
        let again = run(&mut bundled(&server, folder.path()));
        assert_eq!(
            again.status.code(),
            Some(0),
            "{how} at {at} ({:?}): {}",
            all[at - 1],
            again.said
        );
        let site = site_of(folder.path());
        equals_gold(&server.portal, &site);
        ledger_is_sound(&site);
        archives.keep(&site);
    }
    archives.warcio_agrees();
    eprintln!(
        "D2: {} of {} operations, {} kinds of sites, {kills} deaths: every run continued to all {ARTICLES} articles",
        points.len(),
        all.len(),
        kinds.len()
    );
    // How many writes there are depends on how answers fall into groups: the last ones may never come.
    assert!(kills * 2 >= points.len(), "only {kills} deaths");
}

#[test]
fn d04_full_and_broken_disks_end_the_run_by_name_and_it_continues() {
    let mut random = random("D4");
    let seed = random.u64(..1000);
    let Some(all) = writes(seed) else { return };
    let points = chosen(&all, trials(20), &mut random);
    let mut archives = Archives::default();
    let (mut stopped, mut unharmed) = (0, 0);
    for (turn, at) in points.iter().enumerate() {
        // For good, or for one operation only.
        let (what, operations) = [
            ("full", None),
            ("broken", None),
            ("full", Some(1)),
            ("broken", Some(1)),
        ][turn % 4];
        let server = Server::start(Portal::new(ARTICLES, seed));
        let folder = tempfile::tempdir().unwrap();
        let mut command = bundled(&server, folder.path());
        spoil(&mut command, folder.path(), what, *at, operations);
        let ended = run(&mut command);
        let place = format!("{what} {operations:?} at {at} ({:?})", all[at - 1]);
        assert!(!ended.said.contains("panicked"), "{place}: {}", ended.said);
        match ended.status.code() {
            Some(0) => unharmed += 1,
            Some(1) => {
                stopped += 1;
                let said = ended.said.to_lowercase();
                assert!(said.contains("error"), "{place}: {said}");
                if what == "full" && operations.is_none() {
                    assert!(said.contains("space"), "{place}: {said}");
                }
            }
            other => panic!("{place}: exit {other:?}: {}", ended.said),
        }
        let again = run(&mut bundled(&server, folder.path()));
        assert_eq!(again.status.code(), Some(0), "{place}: {}", again.said);
        let site = site_of(folder.path());
        equals_gold(&server.portal, &site);
        ledger_is_sound(&site);
        archives.keep(&site);
    }
    archives.warcio_agrees();
    assert!(stopped > 0, "no disk was ever missed");
    eprintln!(
        "D4: {} failing disks: {stopped} runs stopped and said why, {unharmed} did not need what failed; all continued to all {ARTICLES} articles",
        points.len()
    );
}

fn copy(from: &Path, to: &Path) {
    for file in files(from) {
        let target = to.join(&file);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), target).unwrap();
    }
}

/// Makes ledger and documents of the archive alone.
fn heal(output: &Path) {
    for what in [&["ledger", "rebuild", "--force"][..], &["extract"]] {
        let mut command = sangtrang();
        command
            .args(what)
            .args(["mappings/ctk-binhthuan.toml", "--output"])
            .arg(output);
        run(&mut command).with(0);
    }
}

/// How far behind the end damage may be.
const TAIL: u64 = 64 * 1024;
const SECTOR: u64 = 512;

#[test]
fn d03_torn_and_flipped_files_cost_a_batch_or_are_refused_by_name() {
    let mut random = random("D3");
    let seed = random.u64(..1000);
    let server = Server::start(Portal::new(ARTICLES * 2, seed));
    // Two states: killed in the middle (the ledger's log is full of news), and finished.
    let finished = tempfile::tempdir().unwrap();
    let Some(middle) = [600, 500, 400, 300, 200, 100].into_iter().find_map(|at| {
        let folder = tempfile::tempdir().unwrap();
        let mut command = bundled(&server, folder.path());
        let there = spoil(&mut command, folder.path(), "kill-after", at, None);
        there.then(|| run(&mut command))?;
        // How many writes there are depends on how answers fall into groups.
        let log = std::fs::metadata(site_of(folder.path()).join("ledger.db-wal"));
        log.is_ok_and(|m| m.len() > 0).then_some(folder)
    }) else {
        eprintln!("SKIPPED: no run could be killed in the middle");
        return;
    };
    run(&mut bundled(&server, finished.path())).with(0);
    let mut healed = 0;
    let mut outcomes: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let archive = "archive/ctk-binhthuan-00000.warc.gz";
    let damaged = [
        (&middle, "ledger.db-wal"),
        (&middle, archive),
        (&finished, archive),
        (&finished, "ledger.db"),
        (&finished, "documents.jsonl"),
    ];
    for (state, name) in damaged {
        let original = std::fs::read(site_of(state.path()).join(name)).unwrap();
        let length = original.len() as u64;
        let first = length.saturating_sub(TAIL).next_multiple_of(SECTOR);
        let mut boundaries: Vec<u64> = (first..length).step_by(SECTOR as usize).collect();
        // The long drill cuts at every boundary.
        let cuts = match trials(4) {
            long if long >= 40 => boundaries.len(),
            short => short.min(boundaries.len()),
        };
        random.shuffle(&mut boundaries);
        for turn in 0..2 * cuts {
            let flip = turn % 2 == 1;
            let mut bytes = original.clone();
            let place = if flip {
                let at = random.u64(first.min(length - 1)..length);
                bytes[at as usize] ^= 1 << random.u32(..8);
                format!("{name} with a flipped bit at {at} of {length}")
            } else {
                let at = boundaries[turn / 2];
                bytes.truncate(at as usize);
                format!("{name} cut to {at} of {length}")
            };
            let folder = tempfile::tempdir().unwrap();
            copy(state.path(), folder.path());
            let site = site_of(folder.path());
            std::fs::write(site.join(name), &bytes).unwrap();
            let ended = run(&mut bundled(&server, folder.path()));
            assert!(!ended.said.contains("panicked"), "{place}: {}", ended.said);
            let what = format!("{name}, {}", if flip { "flipped" } else { "cut" });
            let (right, refused) = outcomes.entry(what).or_default();
            match ended.status.code() {
                Some(0) => {
                    equals_gold(&server.portal, &site);
                    *right += 1;
                }
                Some(code @ (1 | 4)) => {
                    let named = ["ledger.db", ".warc", "http://"]
                        .iter()
                        .any(|n| ended.said.contains(n));
                    assert!(named, "{place}: exit {code}: {}", ended.said);
                    *refused += 1;
                    if name == "ledger.db" {
                        heal(folder.path());
                        equals_gold(&server.portal, &site);
                        healed += 1;
                    }
                }
                other => panic!("{place}: exit {other:?}: {}", ended.said),
            }
        }
    }
    eprintln!("D3: {healed} of {healed} damaged ledgers that were refused were made anew from the archive");
    for (what, (right, refused)) in outcomes {
        eprintln!("D3: {what}: {right} times all articles right, {refused} times refused by name");
    }
}
