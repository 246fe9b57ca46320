//! The review in a real browser: found, read, decided, by mouse and by keys; and whether everybody can use it.

use super::Review;
use crate::browser::is_there;
use crate::cdp::Browser;
use crate::cms::extracted;
use crate::support::ROOT;
use serde_json::Value;
use std::path::Path;

#[test]
fn documents_are_read_and_signed_off_by_keys() {
    if !is_there() {
        return;
    }
    let folder = extracted(60);
    let review = Review::start(folder.path());
    let mut browser = Browser::start("vi-VN,vi;q=0.9");
    browser.open(&review.url);
    assert_eq!(browser.text("h1"), "Tài liệu");
    browser.picture("review-list-vi.png");
    // `/` leads into the search, Enter sends it.
    browser.key("/");
    assert_eq!(browser.eval("document.activeElement.name"), "q");
    browser.write("ham thuan");
    browser.leads_on(|b| b.key("Enter"));
    let found = browser
        .eval("document.querySelectorAll('a.open').length")
        .as_u64()
        .unwrap();
    assert!(found > 2, "{found}");
    assert!(browser.text("a.open").contains("Hàm Thuận"));
    // `j` walks down, `k` up, Enter opens.
    browser.key("j");
    browser.key("j");
    browser.key("k");
    let chosen = browser.eval("document.activeElement.innerText");
    assert_eq!(chosen, browser.eval("document.querySelector('a.open').innerText"));
    browser.leads_on(|b| b.key("Enter"));
    assert_eq!(Value::from(browser.text("main h1")), chosen);
    let first = browser.eval("location.href");
    browser.wait(std::time::Duration::from_millis(500));
    browser.picture("review-document-vi.png");
    assert_eq!(browser.eval("scrollY"), 0, "the frame scrolls, its page does not");
    // The frame is alone: no script, another origin.
    assert_eq!(browser.eval("document.querySelector('iframe').sandbox.length"), 0);
    assert_eq!(
        browser.eval("document.querySelector('iframe').contentDocument"),
        Value::Null
    );
    // Without a name nothing is decided: the browser asks for it.
    browser.key("a");
    assert_eq!(browser.eval("document.activeElement.name"), "name");
    browser.write("Trần Bình");
    browser.key("Escape");
    browser.leads_on(|b| b.key("a"));
    assert!(
        browser.text(".said").starts_with("Đã duyệt:"),
        "{}",
        browser.text(".said")
    );
    assert_ne!(browser.eval("location.href"), first, "on to the next one");
    // `r` leads to the note; the keys are letters there; Ctrl+Enter sends it.
    browser.key("r");
    for letter in ["a", "j", "u"] {
        browser.key(letter);
    }
    assert_eq!(browser.eval("document.querySelector('textarea').value"), "aju");
    browser.eval("document.querySelector('textarea').value = ''");
    browser.write("Thiếu ảnh số 2");
    browser.leads_on(|b| b.key_with("Enter", 2));
    assert!(
        browser.text(".said").starts_with("Đã từ chối:"),
        "{}",
        browser.text(".said")
    );
    // `k` leads back to it, `u` takes it back.
    browser.leads_on(|b| b.key("k"));
    assert!(
        browser.text(".now").contains("Thiếu ảnh số 2"),
        "{}",
        browser.text(".now")
    );
    browser.picture("review-rejected-vi.png");
    browser.leads_on(|b| b.key("u"));
    assert!(browser.text(".said").starts_with("Đã rút lại"));
    browser.leads_on(|b| b.key("j"));
    browser.key("?");
    assert_eq!(browser.eval("document.querySelector('#help').open"), true);
    browser.picture("review-help-vi.png");
    // Keys that are turned off do nothing.
    browser
        .eval("document.querySelector('#help [data-keys]').click(); document.querySelector('#help').close()");
    let here = browser.eval("location.href");
    browser.key("a");
    browser.key("j");
    assert_eq!(browser.eval("location.href"), here);
    browser.open(&format!("{}?verdict=approved", review.url));
    assert_eq!(browser.eval("document.querySelectorAll('a.open').length"), 1);

    // The pictures of the frame come, although it has no cookie and no origin; nothing else is asked for.
    let mut client = review.client();
    let pictured = client
        .page("/")
        .attrs("a.open", "href")
        .into_iter()
        .find(|path| {
            client
                .page(&format!("{path}/page"))
                .text()
                .contains("<img src=\"/archive/")
        })
        .expect("a page with a picture");
    browser.open(&format!("http://{}{pictured}", review.address));
    let began = std::time::Instant::now();
    while !browser.asked().iter().any(|u| u.contains("/archive/")) {
        assert!(began.elapsed().as_secs() < 30, "{:?}", browser.asked());
        browser.wait(std::time::Duration::from_millis(20));
    }
    let own = format!("http://{}/", review.address);
    let asked = browser.asked();
    assert!(asked.iter().all(|u| u.starts_with(&own)), "{asked:?}");

    // "Show on the old page" leads the frame to the place, without any script in it.
    browser.open(first.as_str().unwrap());
    let place = browser.eval("document.querySelector('a[target=archived]').href");
    assert!(place.as_str().unwrap().contains("#c"), "{place}");
    browser.eval("document.querySelector('a[target=archived]').click()");
    browser.open(place.as_str().unwrap());
    assert_eq!(
        browser.eval("document.querySelector(':target').className"),
        "st-kept"
    );
    // The download holds what was decided.
    let csv = browser.eval("fetch('/verdicts.csv').then(a => a.text(), e => 'blocked')");
    assert_eq!(csv, "blocked", "no script of a page reads anything");
    let table = review.client().page("/verdicts.csv").text();
    assert!(
        table.contains("Trần Bình") && !table.contains("Thiếu ảnh"),
        "{table}"
    );
}

#[test]
fn it_works_without_scripts() {
    if !is_there() {
        return;
    }
    let folder = extracted(12);
    let review = Review::start(folder.path());
    let mut browser = Browser::start("en");
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        serde_json::json!({ "value": true }),
    );
    browser.open(&review.url);
    browser.leads_on(|b| {
        b.eval("document.querySelector('a.open').click()");
    });
    browser.eval("document.querySelector('input[name=name]').value = 'Lan'");
    browser.leads_on(|b| {
        b.eval("document.querySelector('button.approve').click()");
    });
    assert!(
        browser.text(".said").starts_with("Approved:"),
        "{} {}",
        browser.eval("location.href"),
        browser.eval("document.documentElement.outerHTML")
    );
}

/// axe-core, if it is installed.
fn axe() -> Option<String> {
    let path = std::env::var_os("SANGTRANG_AXE").map_or_else(
        || Path::new(ROOT).join("target/axe/node_modules/axe-core/axe.min.js"),
        Into::into,
    );
    let found = std::fs::read_to_string(&path).ok();
    if found.is_none() {
        eprintln!(
            "SKIPPED: there is no axe-core at `{}`; `tests/review/axe.sh` installs it",
            path.display()
        );
    }
    found
}

#[test]
fn everybody_can_use_it() {
    if !is_there() {
        return;
    }
    let Some(axe) = axe() else { return };
    let folder = extracted(60);
    let review = Review::start(folder.path());
    let mut client = review.client();
    let clean = client.page("/").attr("a.open", "href");
    let failed = client.page("/?gate=fail").all("a.open").len();
    let warned = client
        .page(if failed > 0 { "/?gate=fail" } else { "/?gate=warn" })
        .attr("a.open", "href");
    client.decide(
        &clean,
        &[("verdict", "reject"), ("name", "Lan"), ("note", "thiếu")],
    );
    let mut browser = Browser::start("en");
    let mut wrong = Vec::new();
    for language in ["vi", "en"] {
        for path in [
            "/",
            "/?q=zzzz",
            "/help",
            &clean,
            &warned,
            &format!("{clean}/changes"),
            "/d/none",
        ] {
            let sign = if path.contains('?') { '&' } else { '?' };
            browser.open(&format!("http://{}{path}{sign}lang={language}", review.address));
            if path == clean || path == "/" {
                browser.picture(&format!(
                    "review-axe-{}-{language}.png",
                    if path == "/" { "list" } else { "document" }
                ));
            }
            browser.eval(&axe);
            let found = browser.eval("axe.run(document, { iframes: false, resultTypes: ['violations'] }).then(r => r.violations.map(v => ({ id: v.id, impact: v.impact, nodes: v.nodes.map(n => n.html.slice(0, 200)) })))");
            for violation in found.as_array().unwrap() {
                eprintln!("{language} {path}: {} {}", violation["impact"], violation["id"]);
                if ["serious", "critical"].contains(&violation["impact"].as_str().unwrap_or("critical")) {
                    wrong.push(format!("{language} {path}: {violation}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    browser.size(420, 900);
    browser.open(&format!("http://{}{clean}", review.address));
    assert_eq!(
        browser.eval("document.documentElement.scrollWidth <= innerWidth"),
        true,
        "a small screen is not left sideways"
    );
    browser.picture("review-document-small.png");
}
