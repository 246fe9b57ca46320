//! A site on which nothing happens for weeks.

use super::follow::Life;
use super::portal::{Portal, article};

#[test]
fn a_page_that_says_the_same_each_day_does_not_end_what_is_like_it() {
    let portal = Portal::new(1);
    // Every answer is a capture, and all that is captured from one day to the next is the same page.
    portal.today().validators = false;
    let life = Life::new(&portal, "[limits]\nsame_pages = 2\n[sync]\nmost_age = \"1h\"\n");
    for day in 0..5 {
        let told = life.sync(&[], 0);
        assert_eq!(told["portal"]["added"], u64::from(day == 0), "{told}");
    }
    portal.today().articles.insert(2, article(2));
    let told = life.sync(&[], 0);
    assert_eq!(told["portal"]["added"], 1, "{told}");
}

/// A server without validators sends everything again. The same bytes are no reason to extract the portal anew; others are.
#[test]
fn the_same_bytes_are_not_extracted_again() {
    let portal = Portal::new(6);
    portal.today().validators = false;
    let life = Life::new(&portal, "");
    life.sync(&[], 0);
    let written = || {
        let lines = std::fs::metadata(life.site().join("documents.jsonl")).unwrap();
        lines.modified().unwrap()
    };
    let before = written();
    let told = life.sync(&["--full"], 0);
    assert!(told["portal"]["asked"].as_u64().unwrap() >= 8, "{told}");
    assert_eq!(told["portal"]["bytes"], 0, "{told}");
    assert_eq!(told["portal"]["documents"], 6, "{told}");
    assert_eq!(written(), before, "it was extracted again");
    portal.today().articles.get_mut(&3).unwrap().body =
        "<p>Nội dung này được viết lại từ đầu đến cuối.</p>".into();
    let told = life.sync(&["--full"], 0);
    assert_eq!(told["portal"]["changed"], 1, "{told}");
    assert_ne!(written(), before);
    // A page that was away and is there again, byte for byte, is an answer: between the two it was gone.
    let before = written();
    let away = portal.today().articles.remove(&5).unwrap();
    life.sync(&["--full"], 0);
    portal.today().articles.insert(5, away);
    life.sync(&["--full"], 0);
    assert_ne!(written(), before);
    assert_eq!(life.documents().len(), 6);
}
