use super::*;
use std::collections::BTreeSet;

fn keys(life: &Life, day: u32) -> BTreeSet<usize> {
    life.portal(day).gold().map(|g| g.index).collect()
}

fn html(portal: &Portal, index: usize) -> String {
    super::super::chrome::view(portal, &portal.article(index))
}

#[test]
fn a_day_follows_from_the_script_alone() {
    let script = vec![
        (1, Event::New),
        (2, Event::Edit(3)),
        (3, Event::Withdraw(3)),
        (4, Event::Restore(3)),
        (5, Event::Move(2)),
        (6, Event::Recategorise(1, 4)),
        (7, Event::Retitle(1)),
    ];
    let life = Life::new(10, 1, script);
    assert_eq!(keys(&life, 0), (0..10).collect());
    assert_eq!(keys(&life, 1), (0..11).collect());
    let gold = |day: u32, index: usize| life.portal(day).gold_of(index).unwrap().document;
    assert!(
        gold(1, 10)
            .dates
            .published
            .unwrap()
            .value
            .starts_with("2023-07-19")
    );
    assert_ne!(gold(1, 3).body, gold(2, 3).body);
    assert!(!keys(&life, 3).contains(&3) && life.portal(3).gold_of(3).is_none());
    assert_eq!(gold(4, 3).body, gold(2, 3).body);
    assert_eq!(keys(&life, 5), (0..12).filter(|i| *i != 2).collect());
    assert_eq!(gold(5, 11).body, gold(4, 2).body);
    assert_eq!(gold(5, 11).title, gold(4, 2).title);
    assert_eq!(gold(6, 1).section.unwrap().label, "THÔNG BÁO");
    assert_ne!(gold(7, 1).title, gold(6, 1).title);
    // The same day again is the same day.
    let json = |day| serde_json::to_string(&life.portal(day).gold().collect::<Vec<_>>()).unwrap();
    assert_eq!(json(7), json(7));
}

#[test]
fn a_page_that_did_not_change_says_so() {
    let life = Life::story();
    let mut before: Vec<(String, Option<Date>)> = Vec::new();
    for day in 0..60 {
        let portal = life.portal(day);
        let today = portal.today.as_ref().unwrap();
        let pages: Vec<(String, Option<Date>)> = (0..portal.articles())
            .map(|index| (portal.dressed(html(&portal, index)), today.modified(index)))
            .collect();
        for (index, (was, now)) in before.iter().zip(&pages).enumerate() {
            if was.0 != now.0 {
                assert_eq!(now.1, Some(Life::date(day)), "page {index} changed on day {day}");
            }
        }
        before = pages;
    }
}

#[test]
fn pictures_change_under_one_address() {
    let life = Life::new(12, 1, vec![(2, Event::Pictures(2)), (3, Event::Move(2))]);
    let media = |day: u32, index: usize| life.portal(day).gold_of(index).unwrap().document.media;
    let (old, new, moved) = (media(1, 2), media(2, 2), media(3, 12));
    assert_eq!(old[0].source_url, new[0].source_url);
    assert_ne!(old[0].reference, new[0].reference);
    assert_eq!(new[0].reference, moved[0].reference);
    assert_eq!(html(&life.portal(1), 2), html(&life.portal(2), 2));
}

#[test]
fn the_other_template_keeps_every_word_and_no_class() {
    let portal = Life::new(8, 1, vec![(1, Event::Redesign)]).portal(1);
    let old = html(&portal, 5);
    let new = portal.dressed(old.clone());
    for class in ["giua", "tieude", "noidung", "banner", "chantrang", "khung"] {
        assert!(
            old.contains(&format!("\"{class}\"")) && !new.contains(&format!("\"{class}\"")),
            "{class}"
        );
    }
    let words = |html: &str| {
        let text: String = scraper::Html::parse_document(html)
            .root_element()
            .text()
            .collect();
        text.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(words(&old), words(&new));
    // Well-formed: what was opened is closed.
    assert_eq!(new.matches("<div").count(), new.matches("</div>").count());
}

#[test]
fn random_lives_are_those_of_their_seed_and_differ() {
    for seed in 0..50 {
        let life = Life::random(seed, 8, 10);
        assert_eq!(life, Life::random(seed, 8, 10));
        assert_ne!(life, Life::random(seed + 1, 8, 10));
        for day in 0..8 {
            assert!(life.portal(day).gold().count() > 0);
        }
    }
}
