//! Short lives by seed, and a real Directus that follows each. `SANGTRANG_TRIALS=N` lives more of them, `SANGTRANG_SEED=N` begins
//! with that one.

use super::life::{Follower, line};
use super::truth::{Held, Model, Promise, Shown, id, letters, text_of};
use crate::cms::Cms as _;
use crate::directus::Directus;
use sangtrang::demo::Life;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

const DAYS: u32 = 6;
const ARTICLES: usize = 6;
const PROMISE: Promise = Promise {
    misses: 2,
    gone_after: 3,
    pictures_after: 1,
    mapped: u32::MAX,
};
/// Lists are walked to their end each day, and pictures are looked at.
const SYNC: &str = "full_every = \"20h\"\nmedia_age = \"20h\"\n";
const RULES: &str = "[target.retire]\nafter_misses = 2\nmax_count = 10\nmax_share = 1.0\n[[target.entry]]\ncollection = \"news\"\ntype = \"articles\"\nterms = { categories = \"section\" }\n";

/// What Directus holds, told by Directus.
fn held(cms: &Directus, model: &Model) -> Held {
    let by_id: BTreeMap<String, usize> = model.all().into_iter().map(|i| (id(i), i)).collect();
    let sections: BTreeMap<String, String> = cms
        .get("items/categories?limit=-1")
        .iter()
        .map(|c| (c["id"].to_string(), c["name"].as_str().unwrap().to_owned()))
        .collect();
    let mut held = Held::new();
    for article in cms.articles() {
        let body = article["body"].as_str().unwrap();
        let pictures: BTreeSet<String> = body
            .split("<img")
            .skip(1)
            .filter_map(|img| img.split("/assets/").nth(1))
            .map(|rest| {
                let bytes = std::fs::read(cms.root.join(format!("uploads/{}.png", &rest[..36]))).unwrap();
                sangtrang::document::CaptureId::of(&bytes).to_string()
            })
            .collect();
        let shown = Shown {
            title: letters(article["title"].as_str().unwrap()),
            text: text_of(body),
            section: sections
                .get(&article["categories"].to_string())
                .cloned()
                .unwrap_or_default(),
            pictures,
        };
        let index = by_id[article["id"].as_str().unwrap()];
        held.insert(index, (article["status"] == "published", shown));
    }
    held
}

/// An editor adds a line to a public entry.
fn edit(cms: &Directus, seed: u64, model: &mut Model) {
    let held = held(cms, model);
    let public: Vec<usize> = held
        .iter()
        .filter(|(_, (public, _))| *public)
        .map(|(i, _)| *i)
        .collect();
    let Some(&index) = public.get(usize::try_from(seed / 8).unwrap() % public.len().max(1)) else {
        return;
    };
    let articles = cms.articles();
    let article = articles.iter().find(|a| a["id"] == id(index)).unwrap();
    let body = format!(
        "{}<p>Ban biên tập bổ sung: số liệu đã được kiểm tra.</p>",
        article["body"].as_str().unwrap()
    );
    let saved = cms.edit(
        &format!("items/articles/{}", id(index)),
        &serde_json::json!({ "body": body }),
    );
    model.edit(index, text_of(saved["body"].as_str().unwrap()));
}

/// Lives one life; what went wrong.
fn live(cms: &Directus, seed: u64) -> Vec<String> {
    cms.wipe();
    let life = Life::random(seed, DAYS, ARTICLES);
    let mut model = Model::new(&life, DAYS, PROMISE);
    let site = Follower::new(life.clone(), SYNC, |folder| {
        cms.target_at(folder, &cms.base, RULES)
    });
    let mut wrong = Vec::new();
    let mut days = String::new();
    let mut accept = false;
    for day in 0..DAYS {
        let more: &[&str] = if accept { &["--accept-lists"] } else { &[] };
        let begun = std::time::Instant::now();
        let (code, told, people) = site.sync(cms.command(), day, more);
        days.push_str(&line(day, code, &told, begun.elapsed().as_secs_f64()));
        days.push('\n');
        if !matches!(code, 0 | 4 | 6 | 7) {
            wrong.push(format!("day {day}: exit {code}: {people}"));
        }
        // A list that is really shorter now: the operator looks and says so, and it counts from the next day on.
        accept = model.clear(day) && told["doubt"].is_string();
        wrong.extend(model.judge(day, &held(cms, &model)));
        if model.shut(day) && told["target"]["writes"] != 0 {
            wrong.push(format!(
                "day {day}: something was written although nobody could see the portal"
            ));
        }
        for (index, reason, note) in site.holds(&model) {
            if model.explains(day, index, &reason).is_none() {
                wrong.push(format!(
                    "day {day}: nobody knows why article {index} is held: {reason}: {note}"
                ));
            }
        }
        // In every other life an editor changes an entry one evening.
        if seed.is_multiple_of(2) && u64::from(day) == seed / 2 % 4 {
            edit(cms, seed, &mut model);
        }
    }
    if !wrong.is_empty() {
        wrong.insert(0, format!("seed {seed}: {:?}\n{days}", life.script()));
    }
    wrong
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|n| n.parse().ok())
        .unwrap_or(usual)
}

#[test]
fn any_short_life_ends_each_day_with_its_truth_in_directus() {
    let first = number("SANGTRANG_SEED", 0);
    let trials = number("SANGTRANG_TRIALS", 200);
    let next = AtomicU64::new(first);
    let begun = std::time::Instant::now();
    let wrong: Vec<Value> = std::thread::scope(|scope| {
        // One more than cores: some of the time a life only waits.
        let workers = 1 + std::thread::available_parallelism().map_or(1, usize::from).min(8);
        let workers: Vec<_> = (0..workers)
            .map(|worker| {
                let next = &next;
                scope.spawn(move || {
                    let Some(cms) = Directus::another(&format!("life{worker}")) else {
                        return Vec::new();
                    };
                    let mut wrong: Vec<Value> = Vec::new();
                    loop {
                        let seed = next.fetch_add(1, Ordering::SeqCst);
                        // A few failures say as much as all of them.
                        if seed >= first + trials || wrong.len() > 200 {
                            return wrong;
                        }
                        let found = live(&cms, seed);
                        if !found.is_empty() {
                            eprintln!("{}", found.join("\n    "));
                        }
                        wrong.extend(found.into_iter().map(Value::from));
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|w| w.join().unwrap()).collect()
    });
    let seconds = begun.elapsed().as_secs_f64();
    eprintln!("{trials} lives of {DAYS} days in {seconds:.0} s");
    let lines: Vec<&str> = wrong.iter().filter_map(Value::as_str).collect();
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}
