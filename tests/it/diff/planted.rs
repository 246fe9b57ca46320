//! Edits that are planted in documents, each of which must be told as what it is.

use super::{SITE, classes, diff, folder, told, word};
use crate::cms::extracted;
use crate::support::documents;
use fastrand::Rng;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// One edit of a document, and the one class that it is; `None`: the document has nothing of the kind.
type Edit = fn(&mut Value, &mut Rng) -> Option<()>;

const EDITS: [(&str, Edit); 8] = [
    ("text", word_changed),
    ("block-removed", paragraph_dropped),
    ("block-moved", paragraph_moved),
    ("media", image_swapped),
    ("date", date_off_by_one),
    ("link", link_retargeted),
    ("table-cell", cell_shifted),
    ("whitespace", whitespace_only),
];

pub(super) fn body(document: &mut Value) -> &mut Vec<Value> {
    document["body"].as_array_mut().unwrap()
}

/// Places of the blocks that `fit`.
fn places(document: &mut Value, fit: impl Fn(&Value) -> bool) -> Vec<usize> {
    let all = body(document).iter().enumerate();
    all.filter(|(_, b)| fit(b)).map(|(n, _)| n).collect()
}

pub(super) fn paragraphs(document: &mut Value, words: usize) -> Vec<usize> {
    places(document, |b| {
        b["kind"] == "paragraph" && b["text"].as_str().unwrap().split_whitespace().count() >= words
    })
}

fn word_changed(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let at = chance.choice(paragraphs(document, 4))?;
    let block = &mut body(document)[at];
    let text = word(&block["text"]);
    let words: Vec<&str> = text
        .split(' ')
        .filter(|w| w.chars().all(char::is_alphabetic) && !w.is_empty())
        .collect();
    let old = chance.choice(words)?;
    // As long as the old one: marks stay where they are.
    let new: String = old
        .chars()
        .map(|_| char::from(*chance.choice(b"bcdghklmnqstvx").unwrap()))
        .collect();
    let from = text.find(old)?;
    block["text"] = format!("{}{new}{}", &text[..from], &text[from + old.len()..]).into();
    (new != old).then_some(())
}

fn paragraph_dropped(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let at = chance.choice(paragraphs(document, 1))?;
    let block = body(document).remove(at);
    // Its links go with it.
    let targets: Vec<Value> = block["marks"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|m| m["target"].clone())
        .collect();
    document["links"].as_array_mut().unwrap().retain(|l| {
        !targets
            .iter()
            .any(|t| !t.is_null() && (*t == l["target"] || *t == l["resolved"] || *t == l["raw"]))
    });
    Some(())
}

fn paragraph_moved(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let from = chance.choice(paragraphs(document, 1))?;
    let before = body(document).clone();
    let block = body(document).remove(from);
    let to = chance.usize(0..=body(document).len());
    body(document).insert(to, block);
    let bare = |all: &[Value]| -> Vec<Value> {
        let mut all = all.to_vec();
        all.iter_mut().for_each(|b| b["src"] = Value::Null);
        all
    };
    (bare(&before) != bare(body(document))).then_some(())
}

fn image_swapped(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let is_there =
        |b: &Value| b["kind"] == "image" && b["image"]["media"].as_str().unwrap().starts_with("media:");
    let at = chance.choice(places(document, is_there))?;
    let old = body(document)[at]["image"]["media"].clone();
    let new = format!(
        "media:{}",
        (0..64)
            .map(|_| char::from(*chance.choice(b"0123456789abcdef").unwrap()))
            .collect::<String>()
    );
    body(document)[at]["image"]["media"] = new.clone().into();
    for medium in document["media"].as_array_mut().unwrap() {
        if medium["ref"] == old {
            medium["ref"] = new.clone().into();
            medium["bytes"] = chance.u32(1000..9_000_000).into();
        }
    }
    Some(())
}

fn date_off_by_one(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let value = &mut document["dates"]["published"]["value"];
    let old = value.as_str()?.to_owned();
    let day: jiff::civil::Date = old[..10].parse().unwrap();
    let new = if chance.bool() {
        day.tomorrow()
    } else {
        day.yesterday()
    }
    .unwrap();
    *value = format!("{new}{}", &old[10..]).into();
    Some(())
}

fn link_retargeted(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let links = |b: &Value| {
        b["marks"]
            .as_array()
            .is_some_and(|all| all.iter().any(|m| m["kind"] == "link"))
    };
    let at = chance.choice(places(document, links))?;
    let marks = body(document)[at]["marks"].as_array_mut().unwrap();
    let mark = marks.iter_mut().find(|m| m["kind"] == "link")?;
    let (old, new) = (
        mark["target"].clone(),
        format!("https://nơi-khác.example/{}", chance.u32(..)),
    );
    mark["target"] = new.clone().into();
    let links = document["links"].as_array_mut().unwrap();
    if let Some(link) = links
        .iter_mut()
        .find(|l| l["target"] == old || l["resolved"] == old)
    {
        (link["raw"], link["resolved"]) = (new.clone().into(), new.into());
        (link["kind"], link["target"]) = ("external".into(), Value::Null);
    }
    Some(())
}

fn cell_shifted(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let at = chance.choice(places(document, |b| b["kind"] == "table"))?;
    let rows = body(document)[at]["table"]["rows"].as_array_mut().unwrap();
    let row = chance.usize(0..rows.len());
    let cells = rows[row].as_array_mut().unwrap();
    let other = |n: &usize| cells[*n]["content"]["text"] != cells[*n + 1]["content"]["text"];
    let from = chance.choice(
        (0..cells.len().saturating_sub(1))
            .filter(other)
            .collect::<Vec<_>>(),
    )?;
    cells.swap(from, from + 1);
    Some(())
}

fn whitespace_only(document: &mut Value, chance: &mut Rng) -> Option<()> {
    let at = chance.choice(paragraphs(document, 2))?;
    let block = &mut body(document)[at];
    let text = word(&block["text"]);
    let spaces: Vec<usize> = text
        .chars()
        .enumerate()
        .filter(|(_, c)| *c == ' ')
        .map(|(n, _)| n)
        .collect();
    let at = chance.choice(spaces)?;
    let mut chars: Vec<char> = text.chars().collect();
    chars.insert(at, if chance.bool() { ' ' } else { '\u{a0}' });
    block["text"] = chars.into_iter().collect::<String>().into();
    // What stands behind it stands one further.
    let marks = block.get_mut("marks").and_then(Value::as_array_mut);
    for mark in marks.into_iter().flatten() {
        for end in mark["chars"].as_array_mut().unwrap() {
            let n = end.as_u64().unwrap();
            *end = (n + u64::from(n > at as u64)).into();
        }
    }
    Some(())
}

#[test]
fn two_hundred_planted_edits_are_each_told_as_what_they_are() {
    let seed = std::env::var("SANGTRANG_SEED").map_or_else(|_| 8, |s| s.parse().unwrap());
    eprintln!("seed {seed} (SANGTRANG_SEED is another one)");
    let mut chance = Rng::with_seed(seed);
    let output = extracted(60);
    let pristine = documents(&output.path().join(SITE));
    let before = folder(&pristine);
    let old = before.path().to_str().unwrap();
    let mut left = 200;
    let mut by_class: BTreeMap<&str, u32> = BTreeMap::new();
    while left > 0 {
        let mut now = pristine.clone();
        let mut planted: BTreeMap<String, &str> = BTreeMap::new();
        chance.shuffle(&mut now);
        for document in now.iter_mut().take(50.min(left)) {
            // One of the kinds for which this document has something.
            let (class, edited) = loop {
                let (class, edit) = chance.choice(EDITS).unwrap();
                let mut edited = document.clone();
                if edit(&mut edited, &mut chance).is_some() {
                    break (class, edited);
                }
            };
            *document = edited;
            planted.insert(word(&document["id"]), class);
            *by_class.entry(class).or_default() += 1;
        }
        left -= planted.len();
        let after = folder(&now);
        let new = after.path().to_str().unwrap();
        let (sums, found) = told(diff(output.path(), old, new, &[]), 1);
        let found: BTreeMap<String, &Value> = found.iter().map(|d| (word(&d["id"]), d)).collect();
        for (id, class) in &planted {
            let document = found
                .get(id)
                .unwrap_or_else(|| panic!("seed {seed}: {class} of {id} was missed"));
            let said = classes(document);
            assert_eq!(
                said,
                BTreeSet::from([(*class).to_owned()]),
                "seed {seed}: {class}: {document:#}"
            );
            assert_eq!(document["change"], "changed");
            let blocks = document["difference"]["body"].as_array().unwrap().len();
            assert!(blocks <= 1, "seed {seed}: {class} is one change: {document:#}");
        }
        let invented: Vec<&&Value> = found
            .iter()
            .filter(|(id, _)| !planted.contains_key(*id))
            .map(|(_, d)| d)
            .collect();
        assert!(invented.is_empty(), "seed {seed}: invented {invented:#?}");
        assert_eq!(sums["same"], pristine.len() - planted.len());

        // A run says the same as the folder that it wrote; what is ignored is not told, and counted.
        let (run, again) = told(diff(output.path(), "last", new, &["--ignore", "whitespace"]), 1);
        let spaces = planted.values().filter(|c| **c == "whitespace").count();
        assert_eq!(again.len(), planted.len() - spaces);
        assert_eq!(
            run["ignored"]
                .get("whitespace")
                .and_then(Value::as_u64)
                .unwrap_or(0),
            spaces as u64
        );
    }
    assert_eq!(
        by_class.len(),
        EDITS.len(),
        "every kind was planted: {by_class:?}"
    );
    assert_eq!(by_class.values().sum::<u32>(), 200);
    eprintln!("planted and found: {by_class:?}");
}
