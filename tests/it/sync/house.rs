//! `gc`: what nothing needs goes, and everything that anything needs is still there.

use super::follow::Life;
use super::portal::{Portal, article, png};
use crate::support::{expect, files, sangtrang, text};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RULES: &str = "[sync]\nleast_age = \"1h\"\nmost_age = \"24h\"\nmedia_age = \"1h\"\n\
    [retention]\ncaptures = \"24h\"\nversions = 1\nshare = 0.0\nruns = \"24h\"\n";
/// After every life here.
const LATER: &str = "2026-06-01T02:00:00Z";

fn house(mapping: &Path, output: &Path, args: &[&str]) -> Command {
    let mut command = sangtrang();
    command
        .arg("--json")
        .args(args)
        .arg(mapping)
        .arg("--output")
        .arg(output);
    command.env("SANGTRANG_NOW", LATER);
    command
}

fn gc(life: &Life<'_>, more: &[&str]) -> Value {
    let said = expect(house(&life.mapping, &life.output(), &["gc"]).args(more), 0);
    serde_json::from_slice(&said.stdout).unwrap()
}

fn documents(output: &Path) -> String {
    std::fs::read_to_string(output.join("song").join("documents.jsonl")).unwrap()
}

fn archive_bytes(output: &Path) -> u64 {
    let folder = output.join("song").join("archive");
    let all = files(&folder).into_iter();
    all.map(|f| std::fs::metadata(folder.join(f)).unwrap().len())
        .sum()
}

/// Everything that is made of the archive is as it was.
fn is_whole(mapping: &Path, output: &Path, wanted: &str) {
    expect(&mut house(mapping, output, &["ledger", "check"]), 0);
    let said = house(mapping, output, &["extract"]).output().unwrap();
    assert!(
        matches!(said.status.code(), Some(0 | 4)),
        "{}",
        text(&said.stderr)
    );
    assert_eq!(documents(output), wanted, "extracted again");
}

/// Documents of a ledger that is made anew of the archive alone.
fn rebuilt(mapping: &Path, output: &Path) -> String {
    expect(&mut house(mapping, output, &["ledger", "rebuild", "--force"]), 0);
    expect(&mut house(mapping, output, &["ledger", "check"]), 0);
    let said = house(mapping, output, &["extract"]).output().unwrap();
    assert!(
        matches!(said.status.code(), Some(0 | 4)),
        "{}",
        text(&said.stderr)
    );
    documents(output)
}

/// The same from a copy of the site, which stays as it is.
fn copy_rebuilt(life: &Life<'_>) -> String {
    let copy = tempfile::tempdir().unwrap();
    copy_all(&life.site(), &copy.path().join("song"));
    rebuilt(&life.mapping, copy.path())
}

/// Files that the evidence of misses names.
fn evidence(life: &Life<'_>, id: u32) -> Vec<String> {
    let mut command = sangtrang();
    command.args(["--json", "show", &format!("/view?id={id}"), "--mapping"]);
    command.arg(&life.mapping).arg("--output").arg(life.output());
    let shown: Value = serde_json::from_slice(&expect(&mut command, 0).stdout).unwrap();
    let steps = shown["steps"].as_array().unwrap();
    let missed = steps.iter().filter(|s| s["what"] == "missed");
    missed
        .map(|s| {
            let text = s["text"].as_str().unwrap();
            text.split("archived in ")
                .nth(1)
                .unwrap()
                .split(' ')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

/// Some days of a portal, as `seed` wants it.
fn live(portal: &Portal, life: &Life<'_>, seed: u64, days: u32) {
    let mut chance = fastrand::Rng::with_seed(seed);
    for day in 0..days {
        {
            let mut today = portal.today();
            // Something of everything in the first days, then as it comes.
            let event = if day < 8 { day } else { chance.u32(0..9) };
            today.login = event == 7;
            match event {
                0 | 1 => today.picture = png(u8::try_from(day).unwrap() + 2),
                2 => {
                    let id = chance.u32(1..6);
                    if let Some(a) = today.articles.get_mut(&id) {
                        a.body = format!(
                            "<p>Bài được sửa ngày {day}, vẫn đủ dài để là một bài viết.</p><p><img src=\"/anh.png\" alt=\"\"></p>"
                        );
                    }
                }
                3 => {
                    // With 404: a ledger that is made anew of an archive with soft ones is not always the same, gc or not.
                    today.articles.remove(&2);
                }
                4 => today.counter = !today.counter,
                5 => {
                    let id = 20 + day;
                    today.articles.insert(id, article(id));
                }
                6 => today.validators = !today.validators,
                8 => {
                    today.articles.entry(2).or_insert_with(|| article(2));
                }
                _ => {}
            }
        }
        let full = if chance.bool() { &["--full"][..] } else { &[][..] };
        let said = life.command(sangtrang(), full).output().unwrap();
        assert!(
            matches!(said.status.code(), Some(0 | 4 | 6 | 7)),
            "{}",
            text(&said.stderr)
        );
    }
    portal.today().login = false;
    let said = life.command(sangtrang(), &[]).output().unwrap();
    assert!(
        matches!(said.status.code(), Some(0 | 4 | 6)),
        "{}",
        text(&said.stderr)
    );
}

#[test]
fn what_nothing_needs_goes_and_the_rest_is_byte_for_byte_what_it_was() {
    let portal = Portal::new(7);
    let life = Life::new(&portal, RULES);
    live(&portal, &life, 1, 12);
    let (mapping, output) = (&life.mapping, life.output());
    let wanted = documents(&output);
    let before = archive_bytes(&output);
    let would = gc(&life, &["-n"]);
    assert_eq!(
        (&would["schema"], &would["dry_run"]),
        (&"gc/1".into(), &true.into())
    );
    assert!(would["captures"].as_u64().unwrap() > 0, "{would}");
    assert_eq!(archive_bytes(&output), before, "-n changes nothing");
    let did = gc(&life, &[]);
    assert_eq!(
        (&did["captures"], &did["files"]),
        (&would["captures"], &would["files"])
    );
    assert!(archive_bytes(&output) < before, "{did}");
    assert!(did["runs"].as_u64().unwrap() > 0, "{did}");
    let again = gc(&life, &[]);
    assert_eq!(
        (&again["captures"], &again["runs"]),
        (&0.into(), &0.into()),
        "{again}"
    );
    is_whole(mapping, &output, &wanted);
    // The evidence of a page that is gone is still where it is said to be.
    let archived = evidence(&life, 2);
    assert!(!archived.is_empty());
    for file in archived {
        assert!(life.site().join("archive").join(&file).is_file(), "{file}");
    }
    // The next sync has its baseline: nothing is fetched that did not change.
    portal.today().validators = true;
    portal.today().counter = false;
    life.sync(&["--full"], 0);
    let told = life.sync(&["--full"], 0);
    assert_eq!(
        (&told["portal"]["bytes"], &told["portal"]["changed"]),
        (&0.into(), &0.into()),
        "{told}"
    );
    let anew = copy_rebuilt(&life);
    gc(&life, &[]);
    assert_eq!(rebuilt(mapping, &output), anew);
}

#[test]
fn any_life_is_the_same_after_gc() {
    for seed in 2..5 {
        let portal = Portal::new(6);
        let life = Life::new(&portal, RULES);
        live(&portal, &life, seed, 14);
        let wanted = documents(&life.output());
        // What a ledger says that is made anew from the whole archive.
        let anew = copy_rebuilt(&life);
        let did = gc(&life, &[]);
        eprintln!("seed {seed}: {did}");
        is_whole(&life.mapping, &life.output(), &wanted);
        assert_eq!(rebuilt(&life.mapping, &life.output()), anew, "seed {seed}");
    }
}

#[test]
fn gc_keeps_out_while_something_runs_and_needs_a_ledger() {
    let portal = Portal::new(2);
    let life = Life::new(&portal, RULES);
    expect(&mut house(&life.mapping, &life.output(), &["gc"]), 1);
    life.sync(&[], 0);
    let lock = std::fs::File::options()
        .write(true)
        .open(life.site().join("sync.lock"))
        .unwrap();
    lock.lock().unwrap();
    expect(&mut house(&life.mapping, &life.output(), &["gc"]), 8);
    drop(lock);
    let lock = std::fs::File::options()
        .write(true)
        .open(life.site().join("ledger.db.lock"))
        .unwrap();
    lock.lock().unwrap();
    expect(&mut house(&life.mapping, &life.output(), &["gc"]), 8);
    drop(lock);
    gc(&life, &[]);
}

#[test]
fn killed_in_the_middle_it_leaves_an_archive_that_is_whole() {
    let portal = Portal::new(6);
    let life = Life::new(&portal, RULES);
    live(&portal, &life, 11, 10);
    let wanted = documents(&life.output());
    let fresh = |n: u32| -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join(format!("out{n}"));
        copy_all(&life.site(), &output.join("song"));
        (folder, output)
    };
    let anew = copy_rebuilt(&life);
    let mut chance = fastrand::Rng::with_seed(5);
    let mut killed = [0; 3];
    for trial in 1..=15 {
        let (_kept, output) = fresh(trial);
        let archive = output.join("song").join("archive");
        let old = archive.join("song-00000.warc.gz");
        let new = archive.join("song-00000.1.warc.gz");
        let mut child = house(&life.mapping, &output, &["gc"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // While the new file is written, when it is there, when the old one is gone; and a moment later.
        let began = |folder: &Path| {
            let mut all = std::fs::read_dir(folder).unwrap().flatten();
            all.any(|e| e.file_name().to_string_lossy().starts_with(".part-"))
        };
        let kind = usize::try_from(trial % 3).unwrap();
        let come = || match kind {
            0 => began(&archive),
            1 => new.exists(),
            _ => !old.exists(),
        };
        while !come() && child.try_wait().unwrap().is_none() {}
        let until = Instant::now() + Duration::from_micros(chance.u64(0..3000));
        while Instant::now() < until {}
        killed[kind] += u32::from(child.try_wait().unwrap().is_none());
        child.kill().unwrap();
        child.wait().unwrap();
        is_whole(&life.mapping, &output, &wanted);
        if trial % 4 == 0 {
            assert_eq!(rebuilt(&life.mapping, &output), anew, "trial {trial}");
            continue;
        }
        expect(&mut house(&life.mapping, &output, &["gc"]), 0);
        is_whole(&life.mapping, &output, &wanted);
        let left = files(&archive);
        assert_eq!(left.len(), 1, "{left:?}");
    }
    eprintln!("killed inside: {killed:?}");
    assert!(killed[0] + killed[1] > 5, "{killed:?}");
}

fn copy_all(from: &Path, to: &Path) {
    for file in files(from) {
        let path = to.join(&file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&file), path).unwrap();
    }
}
