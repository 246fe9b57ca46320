//! D19: exports on machines that die and disks that fill. A folder with a manifest is whole, whenever one looks.

use crate::badfs::{operations, spoil};
use crate::harness::{bundled, random, run, trials};
use crate::support::{Server, files, sangtrang};
use sangtrang::demo::Portal;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

fn export(output: &Path, out: &Path, only: &[&str]) -> Command {
    let mut command = sangtrang();
    command
        .args([
            "-q",
            "export",
            "mappings/ctk-binhthuan.toml",
            "--format",
            "hugo",
            "--output",
        ])
        .arg(output)
        .arg("--out")
        .arg(out);
    for only in only {
        command.args(["--only", only]);
    }
    command
}

fn check(out: &Path) -> Command {
    let mut command = sangtrang();
    command.args(["-q", "export", "--check"]).arg(out);
    command
}

fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder)
        .into_iter()
        .map(|f| (f.clone(), std::fs::read(folder.join(&f)).unwrap()))
        .collect()
}

#[test]
fn d19_an_export_with_a_manifest_is_whole_whatever_happened() {
    let mut random = random("D19");
    let server = Server::start(Portal::new(8, random.u64(..1000)));
    let portal = tempfile::tempdir().unwrap();
    run(&mut bundled(&server, portal.path())).with(0);
    let whole = portal.path().join("whole");
    run(&mut export(portal.path(), &whole, &[])).with(0);
    let expected = tree(&whole);
    let counted = portal.path().join("counted");
    let Some(all) = operations(&mut export(portal.path(), &counted, &[]), &counted) else {
        return;
    };
    let (mut killed, mut stopped, mut unharmed) = (0, 0, 0);
    for turn in 0..trials(25) {
        let what = ["kill-before", "kill-half", "kill-after", "full", "broken"][turn % 5];
        let at = random.usize(1..=all.len());
        let place = format!("{what} at {at} ({:?})", all[at - 1]);
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out");
        // Every other time there is an export of half the portal, and a file of somebody.
        if turn % 2 == 1 {
            run(&mut export(portal.path(), &out, &["*1*", "*2*"])).with(0);
            std::fs::write(out.join("own.txt"), "mine").unwrap();
        }
        let mut command = export(portal.path(), &out, &[]);
        spoil(&mut command, &out, what, at, None);
        let ended = run(&mut command);
        assert!(!ended.said.contains("panicked"), "{place}: {}", ended.said);
        match ended.status.code() {
            None => killed += 1,
            Some(0) => unharmed += 1,
            Some(1) => {
                stopped += 1;
                let said = ended.said.to_lowercase();
                assert!(
                    said.contains("error") && (what != "full" || said.contains("space")),
                    "{place}: {said}"
                );
            }
            other => panic!("{place}: exit {other:?}: {}", ended.said),
        }
        if out.join("manifest.json").exists() {
            run(&mut check(&out)).with(0);
        }
        run(&mut export(portal.path(), &out, &[])).with(0);
        run(&mut check(&out)).with(0);
        let mut found = tree(&out);
        assert_eq!(
            found.remove(Path::new("own.txt")).is_some(),
            turn % 2 == 1,
            "{place}"
        );
        assert!(found == expected, "{place}: {:?}", files(&out));
    }
    assert!(killed > 0 && stopped > 0, "{killed} {stopped}");
    eprintln!(
        "D19: {} operations: {killed} deaths, {stopped} stopped and said why, {unharmed} unharmed; every next export was whole",
        all.len()
    );
}
