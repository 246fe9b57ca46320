//! D8: redirects that loop, never end, set cookies, refresh, or lead elsewhere.

use crate::harness::run;
use crate::site::{Reply, Rules, Site, article, articles_are, class, healthy, job, links, mapping};

const MOST_HOPS: usize = 10;

#[test]
fn d08_redirects_end_and_lead_nowhere_else() {
    let site = Site::start(|asked| {
        let path = asked.path.as_str();
        match path {
            "/" => Reply::page(
                [
                    "/vong",
                    "/a",
                    "/day/0",
                    "/tuong?x=1",
                    "/lam-moi",
                    "/ngoai",
                    "/khac",
                ]
                .map(|p| format!("<a href='{p}'>x</a>"))
                .concat()
                    + "<a href='/view?id=7'>7</a>",
            ),
            // To itself; in a circle; without an end.
            "/vong" => Reply::to("/vong"),
            "/a" => Reply::to("/b"),
            "/b" => Reply::to("/a"),
            _ if path.starts_with("/day/") => {
                let n: usize = path[5..].parse().unwrap_or(0);
                Reply::to(&format!("/day/{}", n + 1))
            }
            // A cookie wall: the same page again, now with a cookie; twice over.
            "/view?id=7" => match asked.header("cookie").unwrap_or_default() {
                c if c.contains("hai=2") => Reply::page(article(7)),
                c if c.contains("mot=1") => {
                    Reply::with(302, "Location: /view?id=7\r\nSet-Cookie: hai=2; path=/\r\n")
                }
                _ => Reply::with(302, "Location: /view?id=7\r\nSet-Cookie: mot=1; path=/\r\n"),
            },
            "/tuong?x=1" => Reply::with(
                302,
                "Location: http://site.example/tuong?x=1\r\nSet-Cookie: n=1\r\n",
            ),
            "/lam-moi" => Reply::page(
                "<html><head><meta http-equiv=refresh content='0; url=/view?id=8'></head><body></body></html>",
            ),
            // Another scheme of the same host, and other hosts: not of this site.
            "/khac" => Reply::to("ftp://site.example/view?id=9"),
            "/ngoai" => Reply::to("http://elsewhere.example/view?id=9"),
            _ => healthy(asked, 8),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(folder.path(), &Rules::default());
    run(&mut job(&mapping, site.address, &output)).with(4);
    articles_are(&output, [7, 8]);
    for (prefix, most) in [
        ("/vong", MOST_HOPS + 1),
        ("/a", 1),
        ("/b", 1),
        ("/day/", MOST_HOPS + 1),
        ("/tuong", MOST_HOPS + 1),
    ] {
        let asked = site.count(prefix);
        assert!((1..=most).contains(&asked), "{prefix}: {asked} requests");
    }
    for log in site.log() {
        assert_eq!(
            log.asked.host, "site.example",
            "a redirect was followed to {}",
            log.asked.host
        );
    }
    for (url, expected) in [
        ("/vong", "redirect-loop"),
        ("/day/10", "too-many-redirects"),
        ("/tuong?x=1", "redirect-loop"),
        ("/ngoai", "redirect-off-site"),
        ("/khac", "redirect-off-site"),
    ] {
        assert_eq!(class(&output, url), expected, "{url}");
    }
    let circle = class(&output, "/a") + &class(&output, "/b");
    assert!(
        circle.contains("redirect-loop"),
        "the circle is called `{circle}`"
    );
    eprintln!(
        "D8: loop {} requests, circle {}, endless chain {}; cookie wall of two steps passed; meta refresh followed; 0 requests to other hosts",
        site.count("/vong"),
        site.count("/a") + site.count("/b"),
        site.count("/day/")
    );
}

#[test]
fn d08_a_whole_site_behind_a_cookie_wall_is_read() {
    let site = Site::start(|asked| {
        if asked.path == "/robots.txt" || asked.header("cookie").is_some_and(|c| c.contains("vao=1")) {
            return match asked.path.as_str() {
                "/" => Reply::page(links(1..=20)),
                _ => healthy(asked, 20),
            };
        }
        Reply::with(
            302,
            format!("Location: {}\r\nSet-Cookie: vao=1; path=/\r\n", asked.path),
        )
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(folder.path(), &Rules::default());
    run(&mut job(&mapping, site.address, &output)).with(0);
    articles_are(&output, 1..=20);
}
