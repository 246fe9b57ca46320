//! D12: wrong clocks, and clocks that jump. Delays are kept by a clock that nobody sets.

use crate::harness::{Running, run};
use crate::site::{Reply, Rules, Site, articles_are, healthy, job, mapping};
use std::process::Command;
use std::time::Duration;

const ARTICLES: u32 = 25;
const DELAY: Duration = Duration::from_millis(150);
/// What a loaded machine may shorten between our start and the server's look at the clock.
const SLACK: Duration = Duration::from_millis(100);

/// libfaketime, by the place where its wrapper looks for it.
fn faketime() -> Option<String> {
    let output = Command::new("faketime").args(["-f", "+0", "env"]).output();
    let preload = output.ok().and_then(|o| {
        let text = String::from_utf8_lossy(&o.stdout).into_owned();
        text.lines()
            .find_map(|l| l.strip_prefix("LD_PRELOAD=").map(str::to_owned))
    });
    if preload.is_none() {
        eprintln!("SKIPPED: faketime is not installed; clocks are not drilled");
    }
    preload
}

/// No request began earlier than the delay behind the one before it.
fn spaced(site: &Site) -> usize {
    let starts: Vec<_> = site.log().iter().map(|s| s.asked.at).collect();
    // robots.txt and the first page have no common clock.
    let starts = &starts[1..];
    starts.windows(2).filter(|w| w[1] - w[0] + SLACK < DELAY).count()
}

#[test]
fn d12_wrong_clocks_shorten_no_delay_and_lose_nothing() {
    let Some(library) = faketime() else { return };
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    let mut told = Vec::new();
    for (before, after) in [
        ("-1y", "-1y"),
        ("+1y", "+1y"),
        ("+0", "+2h"),
        ("+0", "-2h"),
        ("+2h", "-1y"),
    ] {
        // The third article asks for a rest of a second: also that is no matter of the wall clock.
        let site = Site::start(|asked| match asked.id() {
            Some(3) if asked.nth == 1 && asked.path.starts_with("/view?") => {
                Reply::with(503, "Retry-After: 1\r\n")
            }
            _ => healthy(asked, ARTICLES),
        });
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        let rules = Rules {
            politeness: &format!(
                "concurrency = 1\ndelay = \"{}ms\"\nadaptive = false",
                DELAY.as_millis()
            ),
            ..Rules::default()
        };
        let mapping = mapping(folder.path(), &rules);
        std::fs::write(&clock, before).unwrap();
        let mut command = job(&mapping, site.address, &output);
        command
            .env("LD_PRELOAD", &library)
            .env("FAKETIME_TIMESTAMP_FILE", &clock)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("DONT_FAKE_MONOTONIC", "1");
        let mut running = Running::start(&mut command);
        running.until(|| site.len() >= 8);
        std::fs::write(&clock, after).unwrap();
        running.end().with(0);
        articles_are(&output, 1..=ARTICLES);
        let early = spaced(&site);
        assert_eq!(early, 0, "{before} then {after}: requests before their time");
        let log = site.log();
        let refusal = log.iter().find(|s| s.status == 503).unwrap();
        let during = log.iter().filter(|s| {
            s.asked.at > refusal.over.unwrap() + DELAY
                && s.asked.at < refusal.answering + Duration::from_secs(1)
        });
        assert_eq!(
            during.count(),
            0,
            "{before} then {after}: requests inside the rest"
        );
        // A second look, by the right clock, asks for nothing again.
        let asked = site.len();
        run(&mut job(&mapping, site.address, &output)).with(0);
        let again: Vec<String> = site.log()[asked..].iter().map(|s| s.asked.path.clone()).collect();
        assert_eq!(again, ["/robots.txt"], "{before} then {after}");
        told.push(format!("{before}→{after}"));
    }
    eprintln!(
        "D12: clocks {}: 0 early requests of {ARTICLES} each, nothing lost, nothing asked for again",
        told.join(", ")
    );
}
