//! `sync --every` as a service, and the units that run it.

use super::follow::Life;
use super::portal::{Portal, article};
use crate::support::{expect, sangtrang};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Command, Stdio};

fn signal(pid: u32, name: &str) {
    let done = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(done.success());
}

#[test]
fn a_daemon_syncs_reloads_and_stops_when_it_is_told() {
    let portal = Portal::new(3);
    let life = Life::new(&portal, "");
    let mut command = life.command(sangtrang(), &["--every", "1s", "--jitter", "0s"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if line["type"] == "sync" {
            return line;
        }
    };
    assert_eq!(next()["portal"]["added"], 3);
    portal.today().articles.insert(4, article(4));
    while next()["portal"]["added"] != 1 {}
    // Another mapping, from the next sync on.
    let text = std::fs::read_to_string(&life.mapping).unwrap();
    let text = text.replace("[{ value = \"Tin tức\" }]", "[{ value = \"Thời sự\" }]")
        + "[sync]\nmapping_share = 1.0\n";
    std::fs::write(&life.mapping, text).unwrap();
    signal(child.id(), "-HUP");
    while next()["mapping"]["changed"] != 4 {}
    // While it runs, nobody else does.
    let began = std::time::Instant::now();
    signal(child.id(), "-TERM");
    let code = child.wait().unwrap().code();
    assert!(matches!(code, Some(0 | 130)), "{code:?}");
    assert!(began.elapsed().as_secs() < 20);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!said.contains("panicked"), "{said}");
    life.sync(&[], 0);
    assert_eq!(life.documents().len(), 4);
}

#[test]
fn units_are_what_systemd_and_cron_take() {
    let portal = Portal::new(1);
    let life = Life::new(&portal, "");
    let folder = tempfile::tempdir().unwrap();
    let print = |more: &[&str]| {
        let mut command = sangtrang();
        command.args(["schedule", "print"]).arg(&life.mapping).args(more);
        command
            .arg("--output")
            .arg(life.folder.path().join("một nơi 100%"));
        command
    };
    let said = String::from_utf8(expect(&mut print(&["--every", "6h"]), 0).stdout).unwrap();
    assert!(said.contains("OnUnitActiveSec=21600s"), "{said}");
    assert!(said.contains("\n0 */6 * * * cd "), "{said}");
    assert!(said.contains("100%%") && said.contains("100\\%"), "{said}");
    let folder_name = folder.path().to_str().unwrap();
    expect(&mut print(&["--every", "15m", "--write", folder_name]), 0);
    let timer = std::fs::read_to_string(folder.path().join("sangtrang-song.timer")).unwrap();
    assert!(timer.contains("Unit=sangtrang-song.service"), "{timer}");
    let Ok(verified) = Command::new("systemd-analyze")
        .arg("verify")
        .args(["sangtrang-song.service", "sangtrang-song.timer"].map(|name| folder.path().join(name)))
        .output()
    else {
        eprintln!("SKIPPED: there is no systemd-analyze here");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    assert!(verified.status.success(), "{said}");
    let ours: Vec<&str> = said.lines().filter(|l| l.contains("sangtrang-song")).collect();
    assert!(ours.is_empty(), "{said}");
}
