//! D1: `kill -9` at uniformly random moments, up to five times, then the same command to its end.

use crate::harness::{
    CONCURRENCY, Running, bundled, committed, equals_gold, ledger_is_sound, random, run, site_of, trials,
    warcio_agrees,
};
use crate::support::Server;
use sangtrang::demo::Portal;
use std::time::{Duration, Instant};

const ARTICLES: usize = if cfg!(debug_assertions) { 60 } else { 500 };
const MOST_KILLS: usize = 5;

#[test]
fn d01_killed_at_any_moment_nothing_is_lost_and_nothing_twice() {
    let mut random = random("D1");
    let trials = trials(20);
    let seed = random.u64(..1000);
    let portal = || Portal::new(ARTICLES, seed).recording();

    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(portal());
    let undisturbed = run(&mut bundled(&server, folder.path())).with(0);
    equals_gold(&server.portal, &site_of(folder.path()));
    let needed = server.portal.requests_len();
    drop(server);

    let (mut kills, mut refetched, mut worst) = (0, 0, Duration::ZERO);
    for _ in 0..trials {
        let server = Server::start(portal());
        let folder = tempfile::tempdir().unwrap();
        let site = site_of(folder.path());
        let (mut hits, mut safe) = (0, Vec::new());
        for _ in 0..random.usize(1..=MOST_KILLS) {
            let before = server.portal.requests_len();
            let moment = undisturbed.took.mul_f64(random.f64());
            let began = Instant::now();
            let mut running = Running::start(&mut bundled(&server, folder.path()));
            if running.until(|| server.portal.requests_len() > before) {
                worst = worst.max(began.elapsed());
            }
            running.until(|| began.elapsed() >= moment);
            hits += usize::from(running.kill());
            safe.push((server.portal.requests_len(), committed(&site)));
        }
        run(&mut bundled(&server, folder.path())).with(0);
        kills += hits;

        let requests = server.portal.requests();
        // What was in flight at a kill is asked for again; robots.txt is read once a run.
        let allowed = needed + safe.len() + hits * CONCURRENCY;
        assert!(
            requests.len() <= allowed,
            "{} requests where {needed} are needed, after {hits} kills",
            requests.len()
        );
        refetched += requests.len() - needed.min(requests.len());
        for (at, urls) in &safe {
            for request in requests[*at..].iter().filter(|r| r.method == "GET") {
                // The portal forgets the forms of section 4 once: then its list begins again.
                assert!(
                    !urls.contains(&request.url) || request.url == "/?CatID=4",
                    "{} was safe and asked for again",
                    request.url
                );
            }
        }
        equals_gold(&server.portal, &site);
        ledger_is_sound(&site);
        warcio_agrees(&site);
    }
    assert!(kills > 0, "no kill hit a running process");
    eprintln!(
        "D1: {trials} trials of {ARTICLES} articles, {kills} kills: 0 lost, 0 twice; {:.1} answers fetched again a kill (robots.txt among them, at most {} allowed); from start to first request at most {} ms",
        refetched as f64 / kills as f64,
        CONCURRENCY + 1,
        worst.as_millis()
    );
}
