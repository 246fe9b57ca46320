//! D5: storms of 503 and 429 with every kind of Retry-After.

use crate::harness::{random, run, trials};
use crate::site::{Asked, Reply, Rules, Seen, Site, articles_are, healthy, job, mapping, plain_job};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

const ARTICLES: u32 = 40;
/// How many requests the storm lasts.
const STORM: usize = 24;

/// What a stormy host said: when it is not to be asked before, by the log's index.
type Rests = Arc<Mutex<Vec<(usize, Instant)>>>;

/// A bad answer of any kind, and how long the host is to be left alone from now on.
fn refusal(dice: u32) -> (Reply, Duration) {
    let status = if dice.is_multiple_of(2) { 503 } else { 429 };
    let now = SystemTime::now();
    let (value, rest) = match dice % 6 {
        0 => ("1".to_owned(), 1),
        1 => ("2".to_owned(), 2),
        // Dates have whole seconds; the server's own Date goes with it.
        2 => (httpdate::fmt_http_date(now + Duration::from_secs(1)), 1),
        3 => (httpdate::fmt_http_date(now - Duration::from_secs(3600)), 0),
        4 => ("soon".to_owned(), 0),
        _ => ("-5".to_owned(), 0),
    };
    let date = httpdate::fmt_http_date(now);
    let headers = format!("Date: {date}\r\nRetry-After: {value}\r\n");
    (Reply::with(status, headers), Duration::from_secs(rest))
}

fn stormy(seed: u64, rests: Rests) -> Site {
    let dice = Mutex::new(fastrand::Rng::with_seed(seed));
    Site::start(move |asked: &Asked| {
        let mut dice = dice.lock().unwrap();
        let hit = asked.index > 1 && asked.index < STORM && dice.u32(..100) < 30;
        if !hit {
            return healthy(asked, ARTICLES);
        }
        let (reply, rest) = refusal(dice.u32(..));
        // The client reads it after this moment: whoever obeys cannot be earlier than this.
        rests.lock().unwrap().push((asked.index, Instant::now() + rest));
        reply
    })
}

/// Requests that came before a rest was over, and after it had been announced.
fn early(log: &[Seen], rests: &[(usize, Instant)]) -> usize {
    let late = |index: usize, until: Instant| {
        log.iter()
            .filter(move |s| s.asked.at > log[index].over.unwrap() && s.asked.at < until)
    };
    rests
        .iter()
        .map(|(index, until)| late(*index, *until).count())
        .sum()
}

#[test]
fn d05_no_request_before_retry_after_and_other_hosts_go_on() {
    let mut random = random("D5");
    let storms: Vec<(u64, usize)> = (0..trials(6)).map(|n| (random.u64(..), [1, 4][n % 2])).collect();
    let storm = |(seed, concurrency): (u64, usize)| {
        let rests = Rests::default();
        let site = stormy(seed, rests.clone());
        // Another host, on another address: nothing of the storm is meant for it.
        let calm = Site::at("127.0.0.2", |asked| match asked.path.as_str() {
            "/" => Reply::page(
                (0..60)
                    .map(|n| format!("<a href='/trang{n}'>x</a>"))
                    .collect::<String>(),
            ),
            path if path.starts_with("/trang") => Reply::page(format!("<p>{path}</p>")),
            _ => Reply::status(404),
        });
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        let mapping = mapping(
            folder.path(),
            &Rules {
                site: "also = [\"http://calm.example\"]\nstart = [\"/\", \"http://calm.example/\"]",
                politeness: &format!(
                    "concurrency = {concurrency}\nretries = 30\nbreaker_rest = \"50ms\"\nbackoff_max = \"200ms\""
                ),
                ..Rules::default()
            },
        );
        let mut command = plain_job(&mapping, &output);
        command.args(["--connect-to", &format!("calm.example::{}", calm.address)]);
        command.args(["--connect-to", &format!("site.example::{}", site.address)]);
        run(&mut command).with(0);
        articles_are(&output, 1..=ARTICLES);
        let (log, rests) = (site.log(), rests.lock().unwrap().clone());
        let violations = early(&log, &rests);
        // What is under way when the refusal arrives cannot be called back.
        let under_way = rests.len() * (concurrency - 1);
        assert!(
            violations <= under_way,
            "{violations} early requests after {} refusals, {concurrency} at a time",
            rests.len()
        );
        assert_eq!(calm.count("/trang"), 60, "the calm host was asked again or not");
        let last_calm = calm.log().iter().map(|s| s.asked.at).max().unwrap();
        let after = log.iter().filter(|s| s.asked.at > last_calm).count();
        (rests.len(), violations, after)
    };
    // Storms are long and mostly silent: some at a time.
    let mut told = Vec::new();
    for group in storms.chunks(6) {
        let ran: Vec<_> = std::thread::scope(|scope| {
            let running: Vec<_> = group.iter().map(|s| scope.spawn(|| storm(*s))).collect();
            running.into_iter().map(|r| r.join()).collect()
        });
        told.extend(ran.into_iter().map(|r| r.unwrap()));
    }
    let refusals: usize = told.iter().map(|t| t.0).sum();
    let violations: usize = told.iter().map(|t| t.1).sum();
    assert!(refusals > 0, "no storm hit");
    eprintln!(
        "D5: {} storms, {refusals} refusals, all {ARTICLES} articles in the end; {violations} requests that were under way, 0 early ones with one slot",
        told.len()
    );
}

#[test]
fn d05_a_dead_host_is_probed_singly_and_given_up_by_name() {
    let site = Site::start(|asked| match asked.path.as_str() {
        "/" | "/robots.txt" => healthy(asked, ARTICLES),
        _ => Reply::status(503),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(
        folder.path(),
        &Rules {
            politeness: "retries = 50\nbreaker = 5\nbreaker_rest = \"100ms\"\nbackoff_max = \"200ms\"\ngive_up = \"2s\"",
            ..Rules::default()
        },
    );
    let ended = run(job(&mapping, site.address, &output).arg("-v")).with(7);
    assert!(ended.said.contains("site.example"), "{}", ended.said);
    let log = site.log();
    let bad: Vec<&Seen> = log.iter().filter(|s| s.status == 503).collect();
    // Five in a row open the breaker; three more were under way.
    assert!(bad.len() > 8, "{} refusals", bad.len());
    for pair in bad[8..].windows(2) {
        assert!(
            pair[1].asked.at >= pair[0].over.unwrap() + Duration::from_millis(90),
            "two probes at once"
        );
    }
    assert!(bad.len() < 40, "{} requests to a dead host", bad.len());
    eprintln!(
        "D5: a dead host: {} requests in 2 s, single probes after the fifth, exit 7 names it",
        bad.len()
    );
}
