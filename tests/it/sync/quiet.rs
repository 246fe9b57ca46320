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
