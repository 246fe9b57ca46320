//! The frontier under any clock.

use super::*;
use proptest::prelude::*;

fn policy(concurrency: usize, delay_ms: u64) -> Policy {
    Policy {
        concurrency,
        delay: Duration::from_millis(delay_ms),
        retries: 3,
        backoff: Duration::from_millis(10),
        backoff_max: Duration::from_secs(1),
        adaptive: true,
        delay_max: Duration::from_secs(60),
        breaker: 0,
        rest: Duration::from_secs(10),
        give_up: Duration::from_secs(3600),
    }
}

#[test]
fn retry_after_is_a_floor_for_the_whole_host() {
    let mut f = Frontier::new(policy(2, 0), 10);
    f.offer(task(1, "http://a/1"), Duration::ZERO);
    f.offer(task(2, "http://a/2"), Duration::ZERO);
    let Next::Fetch(first) = f.next(Duration::ZERO) else {
        panic!()
    };
    let rest = Duration::from_secs(7);
    assert!(f.settle(
        first,
        Settled::Retry {
            after: Duration::ZERO,
            host_floor: Some(rest)
        },
        Health::Bad,
        Duration::ZERO
    ));
    assert_eq!(f.next(Duration::ZERO), Next::Wait(rest));
    assert!(matches!(f.next(rest), Next::Fetch(_)));
}

const NOW: Duration = Duration::ZERO;

fn secs(s: u64) -> Duration {
    Duration::from_secs(s)
}

fn fetched(next: Next) -> Ready {
    match next {
        Next::Fetch(task) => task,
        other => panic!("expected a task, got {other:?}"),
    }
}

const RETRY: Settled = Settled::Retry {
    after: Duration::ZERO,
    host_floor: None,
};

#[test]
fn a_host_that_fails_is_left_alone_probed_singly_and_taken_back() {
    let mut f = Frontier::new(
        Policy {
            breaker: 3,
            backoff_max: secs(15),
            ..policy(2, 0)
        },
        100,
    );
    for id in 0..6 {
        f.offer(task(id, &format!("http://a/{id}")), NOW);
    }
    f.offer(task(100, "http://b/"), NOW);
    for _ in 0..3 {
        let task = fetched(f.next(NOW));
        assert!(task.url.starts_with("http://a/"));
        f.settle(task, RETRY, Health::Bad, NOW);
    }
    assert_eq!(
        f.breaker("a"),
        Breaker::Open {
            until: secs(10),
            rest: secs(10)
        }
    );
    // Another host is not concerned.
    assert_eq!(fetched(f.next(NOW)).url, "http://b/");
    assert_eq!(f.next(NOW), Next::Wait(secs(10)));
    let probe = fetched(f.next(secs(10)));
    assert_eq!(f.next(secs(10)), Next::Busy);
    f.settle(probe, RETRY, Health::Bad, secs(10));
    // The rest doubles, up to the longest.
    assert_eq!(f.next(secs(10)), Next::Wait(secs(25)));
    let probe = fetched(f.next(secs(25)));
    f.settle(probe, Settled::Done, Health::Good(secs(1)), secs(25));
    assert_eq!(f.breaker("a"), Breaker::Closed);
    fetched(f.next(secs(25)));
    fetched(f.next(secs(25)));
}

#[test]
fn slow_answers_stretch_the_delay_and_quick_ones_bring_it_back() {
    let mut f = Frontier::new(policy(1, 500), 100);
    let mut now = NOW;
    let mut gap = |f: &mut Frontier, id: i64, latency: u64| {
        f.offer(task(id, &format!("http://a/{id}")), now);
        let mut waited = 0;
        let task = loop {
            match f.next(now) {
                Next::Wait(at) => {
                    waited = (at - now).as_millis();
                    now = at;
                }
                other => break fetched(other),
            }
        };
        let health = Health::Good(Duration::from_millis(latency));
        f.settle(task, Settled::Done, health, now);
        waited
    };
    assert_eq!(gap(&mut f, 1, 100), 0);
    assert_eq!(gap(&mut f, 2, 100), 500);
    let slow: Vec<u128> = (3..12).map(|id| gap(&mut f, id, 2000)).collect();
    assert!(slow.is_sorted() && *slow.last().unwrap() > 3000, "{slow:?}");
    let quick: Vec<u128> = (12..40).map(|id| gap(&mut f, id, 100)).collect();
    assert_eq!(*quick.last().unwrap(), 500, "{quick:?}");
}

#[test]
fn hosts_on_one_address_share_their_clocks() {
    let mut f = Frontier::new(policy(1, 1000), 100);
    for id in 0..3 {
        f.offer(task(id, &format!("http://a/{id}")), NOW);
        f.offer(task(10 + id, &format!("http://b/{id}")), NOW);
    }
    let address = "192.0.2.1".parse().unwrap();
    let a = fetched(f.next(NOW));
    let b = fetched(f.next(NOW));
    f.same_address("a", address);
    f.same_address("b", address);
    f.settle(a, Settled::Done, Health::Unknown, NOW);
    // One of the two is still in flight: the address has one slot.
    assert_eq!(f.next(secs(1)), Next::Busy);
    f.settle(b, Settled::Done, Health::Unknown, secs(1));
    for at in [1, 2, 3, 4] {
        let task = fetched(f.next(secs(at)));
        f.settle(task, Settled::Done, Health::Unknown, secs(at));
        if at < 4 {
            assert_eq!(f.next(secs(at)), Next::Wait(secs(at + 1)));
        }
    }
    assert_eq!(f.next(secs(9)), Next::Empty);
}

#[test]
fn a_host_beyond_patience_ends_the_run_and_keeps_its_tasks() {
    let mut f = Frontier::new(
        Policy {
            give_up: secs(60),
            ..policy(1, 0)
        },
        100,
    );
    f.offer(task(1, "http://a/1"), NOW);
    f.offer(task(2, "http://b/2"), NOW);
    f.block("a", secs(3600));
    let b = fetched(f.next(NOW));
    assert_eq!(f.next(NOW), Next::Busy);
    f.settle(b, Settled::Done, Health::Good(secs(1)), NOW);
    assert_eq!(f.next(NOW), Next::Stonewalled("a".into()));
    assert_eq!(f.held().len(), 1);
    // Quiet hours hold everybody.
    f.pause(secs(5000));
    assert_eq!(f.next(secs(3600)), Next::Wait(secs(5000)));
}

proptest! {
    /// Any clock, any hosts, any failures: no task twice in flight or fetched after it was done, the gap and the
    /// concurrency kept, every task settled in the end.
    #[test]
    fn polite_and_complete(
        concurrency in 1usize..4,
        delay in 0u64..50,
        breaker in 0u32..3,
        tasks in proptest::collection::vec((0u8..3, 0u8..3), 1..40),
        steps in proptest::collection::vec(0u64..40, 0..200),
    ) {
        let mut f = Frontier::new(Policy { breaker, rest: Duration::from_millis(20), ..policy(concurrency, delay) }, 1000);
        let mut left: HashMap<UrlId, u8> = HashMap::new();
        for (i, (host, failures)) in tasks.iter().enumerate() {
            let id = i64::try_from(i).unwrap();
            let url = format!("http://h{host}/{i}");
            prop_assert!(f.offer(task(id, &url), Duration::ZERO));
            prop_assert!(!f.offer(task(id, "http://h0/again"), Duration::ZERO));
            left.insert(UrlId(id), *failures);
        }
        let mut now = Duration::ZERO;
        let mut last: HashMap<String, Duration> = HashMap::new();
        let mut flying: Vec<Ready> = Vec::new();
        let mut steps = steps.into_iter();
        loop {
            match f.next(now) {
                Next::Fetch(t) => {
                    let host = host_of(&t.url).to_owned();
                    prop_assert!(left.contains_key(&t.id));
                    prop_assert!(flying.iter().all(|o| o.id != t.id));
                    prop_assert!(flying.iter().filter(|o| host_of(&o.url) == host).count() < concurrency);
                    if let Some(before) = last.insert(host, now) {
                        prop_assert!(now - before >= Duration::from_millis(delay));
                    }
                    flying.push(t);
                }
                Next::Empty => break,
                other => {
                    if let Some(mut t) = (!flying.is_empty()).then(|| flying.remove(0)) {
                        let failures = left.get_mut(&t.id).unwrap();
                        let how = if *failures > 0 {
                            *failures -= 1;
                            t.attempts += 1;
                            Settled::Retry { after: Duration::from_millis(5), host_floor: None }
                        } else {
                            left.remove(&t.id);
                            Settled::Done
                        };
                        let health = match how {
                            Settled::Done => Health::Good(Duration::from_millis(3)),
                            Settled::Retry { .. } => Health::Bad,
                        };
                        prop_assert!(f.settle(t.clone(), how, health, now));
                        prop_assert!(!f.settle(t, Settled::Done, Health::Unknown, now));
                    } else if let Next::Wait(at) = other {
                        prop_assert!(at > now);
                    }
                    now += Duration::from_millis(steps.next().unwrap_or(7));
                }
            }
        }
        prop_assert!(left.is_empty());
        prop_assert_eq!(f.in_flight(), 0);
    }
}
