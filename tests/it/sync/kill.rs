//! SIGKILL at random moments of a sync: whatever was under way, the next one ends as if nothing had happened.

use super::follow::Life;
use super::portal::{Portal, article};
use crate::cms::WordPress;
use crate::fault_proxy::{Schedule, proxy};
use crate::support::{expect, text};
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

fn trials() -> u32 {
    let asked = std::env::var("SANGTRANG_TRIALS").ok();
    asked.and_then(|t| t.parse().ok()).unwrap_or(30)
}

#[test]
fn killed_at_any_moment_the_next_sync_ends_in_the_same_state() {
    let Some(wp) = WordPress::other() else { return };
    let seed = std::env::var("SANGTRANG_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(7);
    let mut chance = fastrand::Rng::with_seed(seed);
    eprintln!("seed {seed}");
    let portal = Portal::new(6);
    let life = Life::new(&portal, "");
    let cms: SocketAddr = wp.base.strip_prefix("http://").unwrap().parse().unwrap();
    let target_of = |base: &str| {
        let target = wp.target_at(life.folder.path(), base, "[target.retire]\nmax_share = 1.0\n");
        target.to_str().unwrap().to_owned()
    };
    let sync = |more: &[&str]| {
        let target = target_of(&wp.base);
        let mut args = vec!["--target", target.as_str()];
        args.extend(more);
        let said = expect(&mut life.command(wp.command(), &args), 0);
        serde_json::from_str::<Value>(text(&said.stdout).lines().last().unwrap()).unwrap()
    };
    let began = Instant::now();
    sync(&[]);
    let usual = began.elapsed();
    let (mut killed, mut inside) = (0, 0);
    for trial in 0..trials() {
        // Two new ones, one edited, one with another title.
        let next = 7 + 2 * trial;
        {
            let mut today = portal.today();
            for id in [next, next + 1] {
                today.articles.insert(id, article(id));
            }
            today.articles.get_mut(&(1 + chance.u32(0..6))).unwrap().title =
                format!("Tiêu đề mới, lần {trial}");
            today.articles.get_mut(&(next - 1)).unwrap().body =
                format!("<p>Nội dung được sửa lần thứ {trial}, đủ dài để là một bài viết.</p>");
        }
        // A moment of the whole sync, or right before or after a write to the CMS came through: then the ledger does not know.
        let kill = (trial % 3 < 2).then(|| (chance.u32(1..24), trial % 3 == 0));
        let schedule = Arc::new(Schedule {
            kill,
            ..Schedule::calm()
        });
        let through = proxy(cms, schedule.clone());
        let target = target_of(&format!("http://{through}"));
        let mut command = life.command(wp.command(), &["--target", &target, "--full"]);
        let mut child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *schedule.victim.lock().unwrap() = Some(child.id());
        if kill.is_none() {
            let moment = usual.mul_f64(chance.f64());
            let until = Instant::now() + moment;
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                std::thread::sleep(Duration::from_millis(2));
            }
            let _ = child.kill();
        }
        let ended = child.wait().unwrap();
        *schedule.victim.lock().unwrap() = None;
        killed += u32::from(ended.code().is_none());
        inside += u32::from(ended.code().is_none() && kill.is_some());
        sync(&["--full"]);
        judge(
            &portal,
            &wp,
            &format!("seed {seed}, trial {trial}, kill {kill:?}"),
        );
    }
    eprintln!(
        "{killed} of {} syncs were killed, {inside} of them beside a write",
        trials()
    );
    assert!(killed * 2 >= trials(), "{killed} were killed");
    let told = sync(&["--full"]);
    assert_eq!(
        (&told["target"]["writes"], &told["target"]["plan"]["hold"]),
        (&0.into(), &0.into()),
        "{told}"
    );
}

/// The CMS shows what the portal shows, each article once.
fn judge(portal: &Portal, wp: &WordPress, what: &str) {
    let truth: BTreeMap<String, String> = portal
        .today()
        .articles
        .values()
        .map(|a| (a.title.clone(), words(&a.body)))
        .collect();
    let posts = wp.posts();
    let held: BTreeMap<String, String> = posts
        .iter()
        .map(|p| {
            assert_eq!(p["status"], "publish", "{what}");
            let raw = |field: &str| p[field]["raw"].as_str().unwrap().to_owned();
            (raw("title"), words(&raw("content")))
        })
        .collect();
    assert_eq!(posts.len(), truth.len(), "{what}: one entry an article");
    assert_eq!(held, truth, "{what}");
    assert_eq!(wp.media().len(), 1, "{what}: one file a picture");
}

/// What is read, without markup.
fn words(html: &str) -> String {
    let mut out = String::new();
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' => inside = false,
            c if !inside => out.push(c),
            _ => {}
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
