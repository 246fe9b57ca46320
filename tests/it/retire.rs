//! What the old portal does not have any more: taken off the CMS, with care.

use crate::cms::{Cms as _, MAPPING};
use crate::directus::Directus;
use crate::fault_proxy::{Schedule, proxy};
use crate::support::{Server, sangtrang, text};
use sangtrang::demo::Portal;
use std::collections::BTreeSet;
use std::sync::Arc;

#[test]
fn what_the_old_portal_removed_is_taken_off_with_care_and_comes_back() {
    let Some(directus) = Directus::empty() else { return };
    let portal = Server::start(Portal::new(12, 7));
    let schedule = Arc::new(Schedule {
        named: true,
        ..Schedule::calm()
    });
    let through = proxy(portal.address, schedule.clone());
    let output = tempfile::tempdir().unwrap();
    let target = directus.target_at(output.path(), &directus.base, "");
    let crawl = || {
        let mut run = sangtrang();
        run.args([
            "run",
            MAPPING,
            "--refresh",
            "--delay",
            "0ms",
            "--concurrency",
            "8",
        ])
        .args(["--connect-to", &format!("::127.0.0.1:{}", through.port())])
        .arg("--output")
        .arg(output.path());
        let said = run.output().unwrap();
        assert!(
            matches!(said.status.code(), Some(0 | 4)),
            "{}",
            text(&said.stderr)
        );
    };
    let file = output.path().join("ctk-binhthuan/plan.json");
    let run = |args: &[&str], code: i32| {
        let mut command = directus.command();
        command.args(args).arg("--output").arg(output.path());
        if args[0] != "apply" {
            command.arg("--target").arg(&target);
        }
        text(&crate::support::expect(&mut command, code).stderr)
    };
    let plan = || {
        run(&["plan", MAPPING], 0);
        serde_json::from_str::<serde_json::Value>(&std::fs::read_to_string(&file).unwrap()).unwrap()
    };
    let apply = |code: i32| run(&["apply", file.to_str().unwrap()], code);
    let status = |id: &str| {
        directus.get(&format!("items/articles?filter[id][_eq]={id}"))[0]["status"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    crawl();
    plan();
    apply(0);
    let id = crate::directus::id_of(output.path(), "news:3");
    // Once is no proof.
    *schedule.gone.lock().unwrap() = regex::Regex::new(r"(?i)itemid=3[& ]|/3\.html").ok();
    crawl();
    let planned = plan();
    assert_eq!(planned["holds"][0]["reason"], "not_gone_yet", "{planned}");
    assert_eq!(planned["holds"][0]["note"], "missed 1 of 3 times");
    apply(0);
    assert_eq!(status(&id), "published");
    crawl();
    crawl();
    let planned = plan();
    assert_eq!(planned["counts"]["retire"], 1, "{planned}");
    apply(0);
    assert_eq!(status(&id), "archived");
    run(&["verify", MAPPING], 0);
    assert_eq!(plan()["changes"], serde_json::json!([]));
    // It comes back, and so does the entry.
    *schedule.gone.lock().unwrap() = None;
    crawl();
    assert_eq!(plan()["counts"]["update"], 1);
    apply(0);
    assert_eq!(status(&id), "published");
    // Everything at once is a broken portal, not an empty one.
    *schedule.gone.lock().unwrap() = regex::Regex::new(r"(?i)itemid=\d|/\d+\.html").ok();
    (0..3).for_each(|_| crawl());
    let planned = plan();
    assert_eq!(planned["counts"]["retire"], 0);
    let reasons: BTreeSet<&str> = planned["holds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|h| h["reason"].as_str().unwrap())
        .collect();
    assert_eq!(reasons, BTreeSet::from(["too_many_retirements"]));
    apply(0);
    assert!(directus.articles().iter().all(|a| a["status"] == "published"));
}
