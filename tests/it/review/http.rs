//! The review over HTTP: what it shows, what it stores, whom it lets in.

use super::{Client, Review};
use crate::cms::{MAPPING, WordPress, extracted};
use crate::site::Site;
use crate::support::{documents, expect, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::response::{Html, IntoResponse as _};
use sangtrang::ledger::Ledger;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn export(output: &std::path::Path, format: &str) -> String {
    let mut command = sangtrang();
    command
        .args(["review", MAPPING, "--export", format, "--output"])
        .arg(output);
    text(&expect(&mut command, 0).stdout)
}

fn address_of(client: &mut Client, query: &str) -> String {
    client.page(query).attr("a.open", "href")
}

#[test]
fn a_reviewer_finds_reads_and_decides_and_only_what_is_approved_goes_on() {
    let folder = extracted(60);
    let all = documents(&folder.path().join("ctk-binhthuan"));
    let review = Review::start(folder.path());
    let mut client = review.client();

    // The list: whole, in the language of the browser, page by page.
    let list = client.page("/");
    assert_eq!(list.all("h1"), ["Documents"]);
    assert_eq!(list.all(".sums b")[0], all.len().to_string());
    assert_eq!(list.all("a.open").len(), 50);
    let next = list.attr("a[rel=next]", "href");
    let rest = client.page(&next);
    assert_eq!(rest.all("a.open").len(), all.len() - 50);
    let back = client.page(&rest.attr("a[rel=prev]", "href"));
    assert_eq!(back.all("a.open"), list.all("a.open"));
    client.language = "vi-VN,vi;q=0.9".into();
    assert_eq!(client.page("/").all("h1"), ["Tài liệu"]);
    assert_eq!(client.page("/?lang=en").all("h1"), ["Documents"]);
    assert_eq!(
        client.page("/").all("h1"),
        ["Documents"],
        "the choice is remembered"
    );

    // The search: without marks and capitals it finds what has them.
    let document = all
        .iter()
        .find(|d| d["title"].as_str().unwrap().contains("tháng"))
        .unwrap();
    let title = document["title"].as_str().unwrap();
    let found = client.page("/?q=THANG").all("a.open");
    assert!(found.iter().any(|t| t == title), "{title}: {found:?}");
    assert!(found.iter().all(|t| t.to_lowercase().contains("th")), "{found:?}");
    let with = client.page("/?q=th%C3%A1ng").all("a.open");
    assert_eq!(with, found);
    let address = document["provenance"]["fetch"]["requested"].as_str().unwrap();
    let pasted: String = url::form_urlencoded::byte_serialize(address.as_bytes()).collect();
    assert!(
        client
            .page(&format!("/?q={pasted}"))
            .all("a.open")
            .contains(&title.to_owned())
    );
    let none = client.page("/?q=kh%C3%B4ng-c%C3%B3-g%C3%AC");
    assert!(none.all("a.open").is_empty() && none.text().contains("No document is like that"));
    let failed = client.page("/?gate=fail").all("a.open").len();
    let quality = |d: &Value, level: &str| {
        let gates = d["quality"]["gates"].as_array().unwrap();
        gates.iter().any(|g| g["level"] == level)
    };
    assert_eq!(failed, all.iter().filter(|d| quality(d, "fail")).count());
    assert!(client.page("/?collection=nothing").all("a.open").is_empty());

    // One document: the fields with their origin, the old page without anything that runs.
    let key = document["source_key"].as_str().unwrap();
    let path = address_of(&mut client, &format!("/?q={key}"));
    let page = client.page(&path);
    assert_eq!(page.all("main h1"), [title]);
    let facts = page.all("#fields + .scroll tr").join("\n");
    let published = document["dates"]["published"]["value"].as_str().unwrap();
    assert!(
        facts.contains(published) && facts.contains("fields.title"),
        "{facts}"
    );
    let text_of = |d: &Value| d["body"][0]["text"].as_str().unwrap_or_default().to_owned();
    let shown = page.all("article").concat();
    let first = text_of(document).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(shown.contains(&first), "{first}: {shown}");
    let frame = client.page(&page.attr("iframe", "src"));
    assert!(
        frame
            .header("content-security-policy")
            .contains("default-src 'none'")
    );
    assert!(frame.header("content-security-policy").contains("sandbox"));
    assert!(!frame.text().contains("<script"), "{}", frame.text());
    let kept: usize = letters(&frame.all(".st-kept").concat());
    let dropped: usize = letters(&frame.all(".st-dropped").concat());
    assert_eq!(
        (kept, dropped),
        (count(document, "kept"), count(document, "dropped")),
        "the page is marked as the document accounts for it"
    );
    assert!(frame.all(".st-open").is_empty() && frame.all(".st-other").is_empty());
    let pictures = page.attr("article img, .media img", "src");
    let picture = client.page(&pictures);
    assert!(picture.header("content-type").starts_with("image/"));
    assert_eq!(picture.header("x-content-type-options"), "nosniff");
    let forged = pictures.rsplit_once('/').unwrap().0.to_owned() + "/" + &"0".repeat(64);
    assert_eq!(client.get(&forged).status, 404);
    let archived = client.page(&frame.attr("img[src^='/archive/']", "src"));
    assert!(archived.header("content-type").starts_with("image/"));

    // The verdict: a name, a note where it is no, and on to the next one.
    let nameless = client.decide(&path, &[("verdict", "approve")]);
    assert_eq!(nameless.status, 422);
    assert!(nameless.all(".back").concat().contains("Say who you are"));
    let approved = client.decide(&path, &[("verdict", "approve"), ("name", "Nguyễn An")]);
    assert_eq!(approved.status, 303);
    let after = client.page(approved.header("location"));
    assert!(after.all(".said").concat().contains(title), "{}", after.text());
    let other = address_of(&mut client, "/?verdict=open");
    let noteless = client.decide(&other, &[("verdict", "reject")]);
    assert_eq!(noteless.status, 422);
    let rejected = client.decide(&other, &[("verdict", "reject"), ("note", "=thiếu ảnh")]);
    assert_eq!(rejected.status, 303, "the name is remembered");
    assert_eq!(client.page("/?verdict=approved").all("a.open"), [title]);
    assert_eq!(client.page("/?verdict=rejected").all("a.open").len(), 1);
    let again = client.page(&path);
    assert!(again.all(".now").concat().contains("Nguyễn An"));

    // What others get of it.
    let lines: Vec<Value> = export(folder.path(), "json")
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    let yes = lines.iter().find(|l| l["verdict"] == "approved").unwrap();
    assert_eq!(
        (&yes["document"], &yes["by"]),
        (&document["id"], &"Nguyễn An".into())
    );
    assert_eq!(
        (&yes["current"], &yes["revision"]),
        (&true.into(), &document["revision"])
    );
    assert_eq!(
        client.page("/verdicts.json").text(),
        export(folder.path(), "json")
    );
    let table = client.page("/verdicts.csv");
    assert!(table.header("content-disposition").contains("verdicts.csv"));
    let table = table.text();
    let mut rows = csv::Reader::from_reader(table.trim_start_matches('\u{FEFF}').as_bytes());
    let notes: Vec<String> = rows.records().map(|r| r.unwrap()[8].to_owned()).collect();
    assert!(
        notes.contains(&"'=thiếu ảnh".to_owned()),
        "no formula runs: {notes:?}"
    );
    let out = folder.path().join("files");
    let mut only = sangtrang();
    only.args([
        "export", MAPPING, "--format", "jsonl", "--only", "approved", "--out",
    ])
    .arg(&out)
    .arg("--output")
    .arg(folder.path());
    expect(&mut only, 0);
    let written = std::fs::read_to_string(out.join("documents.jsonl")).unwrap();
    assert_eq!(written.lines().count(), 1);
    assert!(written.contains(document["id"].as_str().unwrap()));

    // Taken back.
    let withdrawn = client.decide(&path, &[("verdict", "withdraw")]);
    assert_eq!(withdrawn.status, 303);
    assert!(client.page("/?verdict=approved").all("a.open").is_empty());
    let log = client.page(&path).all("#history ~ ul").concat();
    assert!(log.contains("taken back") && log.contains("approved"), "{log}");
    assert_eq!(review.interrupt(), Some(0), "Ctrl-C ends it cleanly");
    assert!(folder.path().join("ctk-binhthuan/ledger.db.seal").exists());
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

fn count(document: &Value, what: &str) -> usize {
    usize::try_from(document["accounting"][what].as_u64().unwrap()).unwrap()
}

#[test]
fn text_that_nobody_claimed_is_red() {
    let address = serve_router(Router::new().fallback(|request: Request| async move {
        match request.uri().path() {
            "/" => Html("<a href=/tin/1>1</a>").into_response(),
            "/tin/1" => Html(
                "<p>Menu của cổng</p><div id=content><h1>Tin một</h1><p>Nội dung tin.</p></div><p>Chân trang</p>",
            )
            .into_response(),
            _ => axum::http::StatusCode::NOT_FOUND.into_response(),
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let mapping = super::hostile::mapping(folder.path());
    let rules = std::fs::read_to_string(&mapping).unwrap();
    let (without, _) = rules.split_once("[[drop]]").unwrap();
    std::fs::write(&mapping, without).unwrap();
    let output = folder.path().join("out");
    expect(&mut super::hostile::run(&mapping, address, &output), 4);
    let document = &documents(&output.join("site"))[0];
    let review = Review::of(&mapping, &output, &[]);
    let mut client = review.client();
    let path = address_of(&mut client, "/?gate=fail");
    let page = client.page(&path);
    assert!(page.all(".alerts .is-fail").concat().contains("accounted"));
    assert!(
        page.all(".account .st-open")
            .concat()
            .contains(&count(document, "unaccounted").to_string())
    );
    let frame = client.page(&page.attr("iframe", "src"));
    assert_eq!(frame.all(".st-open"), ["Menu của cổng", "Chân trang"]);
    assert_eq!(letters(&frame.all(".st-kept").concat()), count(document, "kept"));
}

#[test]
fn apply_delivers_what_was_approved_in_the_browser_and_nothing_else() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let site = Site::new(&wp, folder.path(), "");
    site.plan();
    let review = Review::start(folder.path());
    let mut client = review.client();
    let good = address_of(&mut client, "/?q=news%3A3");
    let title = client.page(&good).all("main h1").concat();
    assert_eq!(
        client
            .decide(&good, &[("verdict", "approve"), ("name", "An")])
            .status,
        303
    );
    let bad = address_of(&mut client, "/?verdict=open");
    assert_eq!(
        client
            .decide(&bad, &[("verdict", "reject"), ("note", "không")])
            .status,
        303
    );
    site.apply(&["--only", "approved"], 0);
    let posts = wp.posts();
    assert_eq!(posts.len(), 1);
    let delivered = posts[0]["title"]["raw"].as_str().unwrap_or_default();
    assert_eq!(delivered, title);
    assert_eq!(client.page("/?cms=live").all("a.open"), [title]);
}

#[test]
fn whom_it_does_not_know_it_does_not_let_in() {
    let folder = extracted(12);
    let review = Review::start(folder.path());
    let mut client = review.client();
    let path = address_of(&mut client, "/");
    let page = client.page(&path);
    let headers = [
        "content-security-policy",
        "x-content-type-options",
        "referrer-policy",
        "x-frame-options",
    ];
    for header in headers {
        assert!(!page.header(header).is_empty(), "{header}");
    }
    let action = page.attr("form.verdict", "action");
    let token = page.attr(".verdict input[name=token]", "value");
    let revision = page.attr(".verdict input[name=revision]", "value");
    let fields = [
        ("token", token.as_str()),
        ("revision", &revision),
        ("verdict", "approve"),
        ("name", "An"),
    ];

    // Another name for this machine (DNS rebinding).
    let mut rebound = client.clone();
    for (host, status) in [
        ("evil.example", 421),
        (&format!("evil.example:{}", review.address.port()), 421),
        ("127.0.0.1:1", 421),
    ] {
        rebound.more = vec![("Host".into(), host.into())];
        assert_eq!(rebound.get("/").status, status, "{host}");
    }
    // Another site's form.
    let mut foreign = client.clone();
    for (name, value) in [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        foreign.more = vec![(name.into(), value.into())];
        assert_eq!(foreign.post(&action, &fields).status, 403, "{name}: {value}");
    }
    // A form without its token, or with that of somebody else.
    assert_eq!(client.post(&action, &fields[1..]).status, 403);
    let mut stranger = review.client();
    assert_eq!(stranger.post(&action, &fields).status, 403);
    // A body without end.
    let long = "x".repeat(100_000);
    let mut big = fields.to_vec();
    big.push(("note", &long));
    assert_eq!(client.post(&action, &big).status, 413);
    // What is no document.
    for path in [
        "/d/x",
        "/d/00000000-0000-0000-0000-000000000000",
        "/d/x/page",
        "/../ledger.db",
        "/media/x/y",
    ] {
        assert_eq!(client.get(path).status, 404, "{path}");
    }
    assert!(export(folder.path(), "json").is_empty(), "nothing was stored");
    // And the form itself, as a browser sends it.
    client.more = vec![("Origin".into(), format!("http://{}", review.address))];
    assert_eq!(client.post(&action, &fields).status, 303);
    drop(review);

    // Where others can reach it, a token opens the door once.
    let open = Review::of(MAPPING.as_ref(), folder.path(), &["--listen", "0.0.0.0:0"]);
    let token = open.told["token"].as_str().unwrap().to_owned();
    assert_eq!(token.len(), 32);
    let mut client = open.client();
    assert_eq!(client.get("/").status, 403);
    assert_eq!(client.get("/?token=00000000000000000000000000000000").status, 403);
    let door = client.get(&format!("/?token={token}"));
    assert_eq!((door.status, door.header("location")), (303, "/"));
    assert_eq!(client.get("/").status, 200);
    let mut named = client.clone();
    named.more = vec![("Host".into(), "may-chu.example".into())];
    assert_eq!(named.get("/").status, 421);
}

#[test]
fn beside_a_run_it_reads_and_says_why_it_cannot_write() {
    let folder = extracted(12);
    let review = Review::start(folder.path());
    let mut client = review.client();
    let path = address_of(&mut client, "/");
    let fields = [("verdict", "reject"), ("name", "An"), ("note", "ảnh bị mất")];
    let ledger = folder.path().join("ctk-binhthuan/ledger.db");
    let run = Ledger::open(&ledger).unwrap();
    assert_eq!(client.page("/").all("h1"), ["Documents"]);
    let told = client.decide(&path, &fields);
    assert_eq!(told.status, 409);
    assert!(
        told.all(".back")
            .concat()
            .contains(&std::process::id().to_string()),
        "{}",
        told.text()
    );
    assert_eq!(
        told.all("textarea"),
        ["ảnh bị mất"],
        "what was written is not lost"
    );
    drop(run);
    assert_eq!(client.decide(&path, &fields).status, 303);
    // What it wrote is there for the next run, and nothing is said to be damaged.
    let ledger = Ledger::open(&ledger).unwrap();
    assert_eq!(ledger.verdicts("", 9).unwrap().len(), 1);
}

#[test]
fn what_changed_between_runs_is_shown_and_an_old_verdict_holds_no_more() {
    let day = Arc::new(AtomicUsize::new(0));
    let clock = day.clone();
    let address = serve_router(Router::new().fallback(move |request: Request| {
        let day = clock.load(Ordering::SeqCst);
        async move {
            match request.uri().path() {
                "/" => Html("<a href=/tin/1>1</a>".to_owned()).into_response(),
                "/tin/1" => Html(format!(
                    "<div id=content><h1>Tin một</h1><p>Mức tăng là {} phần trăm.</p></div>",
                    ["ba", "bốn"][day]
                ))
                .into_response(),
                _ => axum::http::StatusCode::NOT_FOUND.into_response(),
            }
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let mapping = super::hostile::mapping(folder.path());
    let output = folder.path().join("out");
    let run = || expect(&mut super::hostile::run(&mapping, address, &output), 0);
    run();
    let review = Review::of(&mapping, &output, &["--as", "Lan"]);
    let mut client = review.client();
    let path = address_of(&mut client, "/");
    let before = client.page(&path);
    let revision = before.attr(".verdict input[name=revision]", "value");
    let token = before.attr(".verdict input[name=token]", "value");
    assert_eq!(client.decide(&path, &[("verdict", "approve")]).status, 303);
    assert_eq!(client.page("/?verdict=approved").all("a.open"), ["Tin một"]);
    day.store(1, Ordering::SeqCst);
    run();
    assert_eq!(client.page("/?verdict=outdated").all("a.open"), ["Tin một"]);
    // Who still has the old text before them does not judge the new one.
    let action = before.attr("form.verdict", "action");
    let late = client.post(
        &action,
        &[("token", &token), ("revision", &revision), ("verdict", "approve")],
    );
    assert_eq!(late.status, 409);
    assert!(late.all("article").concat().contains("bốn"));
    let changes = client.page(&client.clone().page(&path).attr(".history a", "href"));
    assert_eq!(
        (changes.all(".blocks del"), changes.all(".blocks ins")),
        (vec!["ba".to_owned()], vec!["bốn".to_owned()])
    );
}
