//! D18: SIGINT once and SIGTERM drain, SIGINT twice ends at once.

use crate::harness::{Running, ledger_is_sound, run, warcio_agrees};
use crate::site::{Reply, Rules, Site, articles_are, healthy, job, mapping};
use std::io::Read;
use std::time::{Duration, Instant};

const ARTICLES: u32 = 120;

/// A site whose article 40 never answers, until the client hangs up; then, if asked again, it does.
fn site() -> Site {
    Site::start(|asked| match asked.id() {
        Some(40) if asked.nth == 1 && asked.path.starts_with("/view?") => Reply::raw(|stream| {
            let mut rest = [0; 64];
            while stream.read(&mut rest)? > 0 {}
            Ok(())
        }),
        _ => healthy(asked, ARTICLES),
    })
}

fn signalled(signals: &[&str]) {
    let site = site();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let rules = Rules {
        politeness: "delay = \"10ms\"\ntimeout = \"120s\"",
        ..Rules::default()
    };
    let mapping = mapping(folder.path(), &rules);
    let mut running = Running::start(&mut job(&mapping, site.address, &output));
    assert!(running.until(|| site.log().iter().any(|s| s.asked.id() == Some(40))));
    let began = Instant::now();
    for (index, signal) in signals.iter().enumerate() {
        running.signal(signal);
        if index == 0 && signals.len() > 1 {
            // The second one counts once the first one was taken.
            let asked = site.len();
            running.until(|| began.elapsed() > Duration::from_millis(200));
            assert!(site.len() <= asked + 4, "requests after the first signal");
        }
    }
    running.end().with(130);
    let took = began.elapsed();
    let most = if signals.len() > 1 { 6 } else { 15 };
    assert!(
        took < Duration::from_secs(most),
        "{signals:?}: {} s until the end",
        took.as_secs()
    );
    let asked = site.len();
    run(&mut job(&mapping, site.address, &output)).with(0);
    articles_are(&output, 1..=ARTICLES);
    let again: Vec<_> = site.log()[asked..].iter().map(|s| s.asked.path.clone()).collect();
    let before: Vec<_> = site.log()[..asked].iter().map(|s| s.asked.path.clone()).collect();
    let twice = again.iter().filter(|p| before.contains(p)).count();
    // robots.txt; the page that never answered; after two signals also what else was under way.
    let allowed = if signals.len() > 1 { 5 } else { 2 };
    assert!(twice <= allowed, "{twice} pages were asked for twice");
    ledger_is_sound(&output.join("site"));
    warcio_agrees(&output.join("site"));
    eprintln!(
        "D18: {signals:?}: exit 130 after {:.1} s, {twice} pages asked for again, all {ARTICLES} articles",
        took.as_secs_f64()
    );
}

#[test]
fn d18_one_interrupt_drains() {
    signalled(&["-INT"]);
}

#[test]
fn d18_two_interrupts_end_at_once() {
    signalled(&["-INT", "-INT"]);
}

#[test]
fn d18_terminate_drains() {
    signalled(&["-TERM"]);
}
