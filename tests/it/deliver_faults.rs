//! A bad day between us and a real CMS (WordPress, Directus): whatever is refused, lost, cut or killed, the CMS ends with exactly one whole
//! entry a document and one file a picture.

use crate::cms::{Cms, MAPPING, WordPress, extracted};
use crate::directus::Directus;
use crate::fault_proxy::{Schedule, proxy};
use crate::support::{documents, text};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What a portal becomes: titles, and keys of files.
struct Truth {
    titles: Vec<String>,
    media: usize,
}

fn truth(output: &Path) -> Truth {
    let documents = documents(&output.join("ctk-binhthuan"));
    let mut titles: Vec<String> = documents
        .iter()
        .map(|d| d["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    let media: BTreeSet<&str> = documents
        .iter()
        .flat_map(|d| {
            d["media"]
                .as_array()
                .unwrap()
                .iter()
                .chain(d["attachments"].as_array().unwrap())
        })
        .filter(|m| m["state"] == "ok")
        .map(|m| m["ref"].as_str().unwrap())
        .collect();
    Truth {
        titles,
        media: media.len(),
    }
}

/// The CMS holds exactly what it should, and everything of it is whole.
fn judge(cms: &dyn Cms, output: &Path, truth: &Truth, what: &str) {
    let held = cms.held();
    let mut titles: Vec<String> = held.iter().map(|h| h.0.clone()).collect();
    titles.sort();
    assert_eq!(titles, truth.titles, "{what}");
    assert!(held.iter().all(|h| h.1), "{what}");
    assert_eq!(cms.files(), truth.media, "{what}: one file a picture");
    let mut names = cms.terms();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{what}");
    let folder = tempfile::tempdir().unwrap();
    let target = cms.target_at(folder.path(), cms.base(), "");
    let mut verify = cms.command();
    verify
        .args(["verify", MAPPING, "--target"])
        .arg(target)
        .arg("--output")
        .arg(output);
    let said = verify.output().unwrap();
    assert_eq!(said.status.code(), Some(0), "{what}: {}", text(&said.stderr));
}

/// Plans and applies through the proxy until it is done; answers how often it took.
fn deliver(cms: &dyn Cms, output: &Path, schedule: &Arc<Schedule>, what: &str) -> u32 {
    let to: SocketAddr = cms.base().strip_prefix("http://").unwrap().parse().unwrap();
    let through = proxy(to, schedule.clone());
    let target = cms.target_at(output, &format!("http://{through}"), "retries = 12\n");
    let plan = output.join("ctk-binhthuan/plan.json");
    let mut runs = 0;
    // A new plan after each failure: what an operator would do. The same plan again would do as well.
    loop {
        runs += 1;
        assert!(runs < 30, "{what}: it does not come to an end");
        let mut command = cms.command();
        if runs == 1 || runs % 2 == 0 {
            command.args(["-q", "plan", MAPPING, "--target"]).arg(&target);
            command.arg("--output").arg(output).stdout(Stdio::null());
            if !command.status().unwrap().success() {
                continue;
            }
        }
        let mut command = cms.command();
        command
            .args(["-q", "apply", "--no-verify"])
            .arg(&plan)
            .arg("--output")
            .arg(output);
        let child: Child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        *schedule.victim.lock().unwrap() = Some(child.id());
        let ended = child.wait_with_output().unwrap();
        *schedule.victim.lock().unwrap() = None;
        match ended.status.code() {
            Some(0) => return runs,
            // Killed, unreachable, entries that came to nothing this time.
            None | Some(4 | 7) => {}
            other => panic!("{what}: {other:?} {}", text(&ended.stderr)),
        }
    }
}

fn trials(usual: u32) -> u32 {
    std::env::var("SANGTRANG_TRIALS")
        .ok()
        .and_then(|t| t.parse().ok())
        .unwrap_or(usual)
}

/// One schedule a seed.
pub fn schedules(cms: &dyn Cms, trials: u32) {
    let made = extracted(6);
    let truth = truth(made.path());
    let (mut faults, mut runs) = (0, 0);
    for seed in 0..u64::from(trials) {
        cms.wipe();
        let output = extracted(6);
        let schedule = Arc::new(Schedule {
            seed,
            share: 3 + seed % 6,
            ..Schedule::calm()
        });
        let what = format!("seed {seed}");
        runs += deliver(cms, output.path(), &schedule, &what);
        faults += schedule.asked.load(Ordering::SeqCst) / u32::try_from(3 + seed % 6).unwrap();
        judge(cms, output.path(), &truth, &what);
    }
    eprintln!(
        "{trials} schedules, about {faults} faults, {runs} runs: one whole entry a document, one file a picture"
    );
}

/// Killed at every `step`th request: before the CMS heard of it, and after it did. Between two requests of one object stands
/// a line of the journal, so these are all its states.
pub fn kills(cms: &dyn Cms, step: usize) {
    let made = extracted(6);
    let truth = truth(made.path());
    // How many requests a run takes that nobody disturbs.
    let count = |kill| {
        Arc::new(Schedule {
            kill,
            ..Schedule::calm()
        })
    };
    cms.wipe();
    let output = extracted(6);
    let calm = count(None);
    assert_eq!(deliver(cms, output.path(), &calm, "calm"), 1);
    judge(cms, output.path(), &truth, "calm");
    let all = calm.asked.load(Ordering::SeqCst);
    let step = if std::env::var_os("SANGTRANG_TRIALS").is_some() {
        1
    } else {
        step
    };
    let mut kills = 0;
    for at in (8..all).step_by(step) {
        for before in [true, false] {
            cms.wipe();
            let output = extracted(6);
            let what = format!("killed {} request {at}", if before { "before" } else { "after" });
            deliver(cms, output.path(), &count(Some((at, before))), &what);
            judge(cms, output.path(), &truth, &what);
            kills += 1;
        }
    }
    eprintln!("{kills} kills among {all} requests: one whole entry a document, one file a picture");
}

#[test]
fn under_any_schedule_of_faults_every_entry_is_there_once() {
    let Some(wp) = WordPress::other() else { return };
    schedules(&wp, trials(100));
}

#[test]
fn killed_at_any_request_it_goes_on_and_nothing_is_there_twice() {
    let Some(wp) = WordPress::empty() else { return };
    kills(&wp, 3);
}

#[test]
fn under_any_schedule_of_faults_directus_holds_every_entry_once() {
    let Some(directus) = Directus::empty() else { return };
    schedules(&directus, trials(25));
}

#[test]
fn killed_at_any_request_directus_holds_nothing_twice() {
    let Some(directus) = Directus::empty() else { return };
    kills(&directus, 3);
}

#[test]
fn a_cms_that_goes_away_ends_the_run_and_the_same_command_continues() {
    let Some(directus) = Directus::empty() else { return };
    let output = extracted(6);
    let schedule = Arc::new(Schedule {
        dead: std::sync::atomic::AtomicU32::new(30),
        ..Schedule::calm()
    });
    let through = proxy(
        directus.base.strip_prefix("http://").unwrap().parse().unwrap(),
        schedule.clone(),
    );
    let target = directus.target_at(output.path(), &format!("http://{through}"), "");
    let run = |args: &[&str], code: i32| {
        let mut command = directus.command();
        command.args(args).arg("--output").arg(output.path());
        text(&crate::support::expect(&mut command, code).stderr)
    };
    run(&["plan", MAPPING, "--target", target.to_str().unwrap()], 0);
    let plan = output.path().join("ctk-binhthuan/plan.json");
    let apply = ["apply", plan.to_str().unwrap()];
    let said = run(&apply, 7);
    let asked = schedule.asked.load(Ordering::SeqCst);
    assert!(
        asked < 30 + 80,
        "{asked} requests: it does not see that nobody answers: {said}"
    );
    schedule.dead.store(u32::MAX, Ordering::SeqCst);
    run(&apply, 0);
    judge(&directus, output.path(), &truth(output.path()), "gone and back");
}
