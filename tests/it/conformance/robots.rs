//! robots.txt: Google's own vectors, and the odd files of crawler-commons with expectations of our own.

use super::{Suite, data, read};
use crate::support::{expect, sangtrang};
use sangtrang::crawl::robots::{Robots, path_of};
use serde_json::Value;
use std::process::Stdio;

const GOOGLE: &str = "google-robotstxt/google-robotstxt-vectors.jsonl";

#[test]
fn google_robots() {
    let Some(path) = data(GOOGLE) else { return };
    let text = read(&path);
    let mut suite = Suite::new("google robots.txt");
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let word = |key: &str| case[key].as_str().unwrap_or_default();
        let ours = Robots::parse(word("robots").as_bytes(), word("agent")).decide(&path_of(word("url")));
        let theirs = case["allowed"].as_bool().unwrap();
        suite.case(format!("{} {}", case["suite"], case["n"]), &ours.allowed, &theirs);
    }
    suite.finish(145, &[]);
}

/// The same through the command, as anybody may judge it.
#[test]
fn google_robots_through_the_command() {
    let Some(path) = data(GOOGLE) else { return };
    let mut command = sangtrang();
    command
        .args(["inspect", "robots", "--json"])
        .stdin(Stdio::from(std::fs::File::open(&path).unwrap()));
    let output = expect(&mut command, 0);
    let answers = String::from_utf8(output.stdout).unwrap();
    let mut suite = Suite::new("google robots.txt, inspect robots --json");
    for (line, answer) in read(&path).lines().zip(answers.lines()) {
        let case: Value = serde_json::from_str(line).unwrap();
        let answer: Value = serde_json::from_str(answer).unwrap();
        suite.case(
            format!("{} {}", case["suite"], case["n"]),
            &answer["allowed"],
            &case["allowed"],
        );
        // A denial always has a line to show.
        if answer["allowed"] == false {
            assert!(answer["line"].is_u64(), "{line}\n{answer}");
        }
    }
    suite.finish(145, &[]);
}

/// What a file says to an agent.
struct Expected {
    file: &'static str,
    agent: &'static str,
    rules: usize,
    /// Seconds.
    delay: Option<u64>,
    sitemaps: &'static [&'static str],
    allowed: &'static [&'static str],
    denied: &'static [&'static str],
}

const fn says(file: &'static str, agent: &'static str, rules: usize) -> Expected {
    Expected {
        file,
        agent,
        rules,
        delay: None,
        sitemaps: &[],
        allowed: &[],
        denied: &[],
    }
}

const NEWSWEEK: &[&str] = &["http://www.newsweek.com/sitemap_index.xml"];

/// Read off the files by RFC 9309 and Google's extensions; not copied from anybody's tests.
const FILES: &[Expected] = &[
    Expected {
        delay: Some(5),
        allowed: &["/"],
        ..says("astore.amazon.com-robots.txt", "x", 0)
    },
    // A group begins with each run of `user-agent` lines; other records do not end the run (RFC 9309, 2.2.4).
    Expected {
        delay: Some(10),
        denied: &["/private/"],
        allowed: &["/login/"],
        ..says("crawl-delay-group-merging.txt", "mybot", 1)
    },
    Expected {
        denied: &["/private/", "/login/"],
        ..says("crawl-delay-group-merging.txt", "yourbot", 2)
    },
    Expected {
        delay: Some(30),
        allowed: &["/private/"],
        ..says("crawl-delay-group-merging.txt", "x", 1)
    },
    // Misspellings that Google takes: `dissalow`, `useragent`, a missing colon; none of `desallow` and `useg-agent`.
    Expected {
        denied: &["/dissalow/"],
        allowed: &["/desallow/"],
        ..says("directive-typos-robots.txt", "bot1", 1)
    },
    Expected {
        denied: &["/useragent/", "/useg-agent/"],
        ..says("directive-typos-robots.txt", "bot2", 2)
    },
    Expected {
        denied: &["/useragent-no-colon/"],
        ..says("directive-typos-robots.txt", "bot4", 1)
    },
    Expected {
        delay: Some(1),
        ..says("dos-line-endings.txt", "x", 0)
    },
    says("extended-standard-robots.txt", "bot3", 0),
    Expected {
        sitemaps: &["/sitemap.xml"],
        denied: &["/private/x"],
        allowed: &["/secret/"],
        ..says("extension-robots.txt", "mybot", 1)
    },
    // `Clean-Param` does not end a run of `user-agent` lines either.
    Expected {
        denied: &["/private/", "/login/"],
        ..says("extensions-group-merging.txt", "mybot", 2)
    },
    Expected {
        denied: &["/x"],
        allowed: &["/llms.txt"],
        ..says("extensions-group-merging.txt", "x", 2)
    },
    Expected {
        denied: &["/whitespace-before-colon/", "/no-colon/"],
        ..says("format-errors-robots.txt", "bot1", 2)
    },
    Expected {
        denied: &["/no-colon-useragent/"],
        ..says("format-errors-robots.txt", "bot2", 1)
    },
    Expected {
        sitemaps: &["/sitemap.xml"],
        denied: &["/x"],
        allowed: &["/whitespace-before-colon"],
        ..says("format-errors-robots.txt", "bot3", 2)
    },
    // `%3M` is no percent-encoding and is taken as it stands.
    Expected {
        denied: &[
            "/wiki/Wikipedia_talk:Mediation_Committee/",
            "/wiki/Wikipedia_talk%3Mediation_Committee/",
        ],
        allowed: &["/wiki/"],
        ..says("malformed-path.txt", "x", 2)
    },
    Expected {
        denied: &["/"],
        ..says("many-user-agents.txt", "wget", 1)
    },
    Expected {
        denied: &["/forum/1", "/bot-trap/"],
        allowed: &["/"],
        ..says("many-user-agents.txt", "x", 77)
    },
    Expected {
        allowed: &["/foo/bar/1", "/ckh/bar"],
        denied: &["/tmp/bar"],
        ..says("merge-rules.txt", "wget", 4)
    },
    Expected {
        denied: &["/"],
        ..says("merge-rules.txt", "curl", 1)
    },
    Expected {
        // `/*` is longer than `/`, but not than the others; `/index.html` stands for `/` too.
        denied: &["/x"],
        allowed: &["/", "/foo", "/index.html"],
        ..says("precedence-of-rules.txt", "wget", 4)
    },
    Expected {
        allowed: &["/foo/bar/baz", "/x"],
        denied: &["/foo", "/foo/b", "/foo/buz"],
        ..says("precedence-of-rules.txt", "testy", 3)
    },
    Expected {
        sitemaps: &["/sitemap.xml"],
        denied: &["/cache/x"],
        ..says("relative-sitemap-robots.txt", "x", 4)
    },
    Expected {
        allowed: &["/example/page/", "/example/page/x"],
        denied: &["/example/page/disallowed.gif"],
        ..says("rfc9309-example-longest-match-robots.txt", "foobot", 2)
    },
    Expected {
        denied: &["/foo", "/bar", "/baz"],
        ..says("rfc9309-example-rule-group-merging.txt", "ExampleBot", 3)
    },
    Expected {
        denied: &["/foo", "/bar"],
        allowed: &["/baz"],
        ..says("rfc9309-example-rule-group-merging.txt", "x", 2)
    },
    Expected {
        allowed: &["/publications/", "/"],
        denied: &["/a.gif", "/example/"],
        ..says("rfc9309-example-simple-robots.txt", "x", 3)
    },
    Expected {
        allowed: &["/example/page.html", "/example/allowed.gif"],
        denied: &["/", "/publications/"],
        ..says("rfc9309-example-simple-robots.txt", "foobot", 3)
    },
    Expected {
        denied: &["/example/page.html"],
        allowed: &["/"],
        ..says("rfc9309-example-simple-robots.txt", "bazbot", 1)
    },
    Expected {
        allowed: &["/a.gif", "/example/page.html"],
        ..says("rfc9309-example-simple-robots.txt", "quxbot", 0)
    },
    Expected {
        sitemaps: NEWSWEEK,
        denied: &["/login.aspx", "/1/output/print"],
        ..says("robots-with-utf16be-bom.txt", "x", 5)
    },
    Expected {
        sitemaps: NEWSWEEK,
        denied: &["/login.aspx", "/1/output/print"],
        ..says("robots-with-utf16le-bom.txt", "x", 5)
    },
    Expected {
        sitemaps: NEWSWEEK,
        denied: &["/login.aspx", "/1/output/print"],
        ..says("robots-with-utf8-bom.txt", "Googlebot", 5)
    },
    Expected {
        sitemaps: &["http://example.org/sitemap.xml"],
        allowed: &["/"],
        ..says("sitemap-robots-dedup.txt", "x", 0)
    },
    // The line without its `sitemap:` is read as a record `http`, as Google reads it.
    Expected {
        sitemaps: &[
            "http://domain.com/sitemap.xml",
            "http://domain.com/dir/MixedCased-sitemap.xml",
        ],
        ..says("sitemap-robots.txt", "x", 0)
    },
    Expected {
        delay: Some(1),
        denied: &["/a?b", "/u/with_friends"],
        allowed: &["/a"],
        ..says("twitter.com-robots.txt", "slurp", 2)
    },
    Expected {
        denied: &["/?"],
        ..says("twitter.com-robots.txt", "Googlebot", 2)
    },
    Expected {
        allowed: &["/wishlist/universal-x", "/gp/wishlist/ipad-install"],
        denied: &["/wishlist/x", "/gp/registry/wishlist/1/reserve", "/x/gcrnsts"],
        sitemaps: &[
            "http://www.amazon.com/sitemap-manual-index.xml",
            "http://www.amazon.com/sitemap_vendor_videos_us.xml",
            "http://www.amazon.com/sitemap_vod_index.xml",
            "http://www.amazon.com/sitemaps.f3053414d236e84.SitemapIndex_0.xml.gz",
            "http://www.amazon.com/sitemaps.1946f6b8171de60.SitemapIndex_0.xml.gz",
            "http://www.amazon.com/sitemaps.bbb7d657c7e29fa.SitemapIndex_0.xml.gz",
            "http://www.amazon.com/sitemaps.11aafed315ee654.SitemapIndex_0.xml.gz",
            "http://www.amazon.com/sitemaps.c21f969b5f03d33.SitemapIndex_0.xml.gz",
        ],
        ..says("wildcards.txt", "x", 70)
    },
    Expected {
        denied: &["/rss/people/1/reviews", "/1/sim/B001132UEE"],
        ..says("wildcards.txt", "Googlebot", 75)
    },
    Expected {
        sitemaps: &["http://flot.com/sitemap_index.xml"],
        denied: &["/admin/"],
        allowed: &["/"],
        ..says("www.flot.com-robots.txt", "x", 4)
    },
];

#[test]
fn crawler_commons_robots() {
    let Some(folder) = data("crawler-commons/robots") else {
        return;
    };
    let mut suite = Suite::new("crawler-commons robots");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    files.retain(|file| !FILES.iter().any(|e| e.file == file));
    assert!(files.is_empty(), "nothing is expected of {files:?}");
    for expected in FILES {
        let body = std::fs::read(folder.join(expected.file)).unwrap();
        let robots = Robots::parse(&body, expected.agent);
        let id = |what: &str| format!("{} {} {what}", expected.file, expected.agent);
        suite.case(id("rules"), &robots.rules(), &expected.rules);
        let delay = robots.crawl_delay.map(|d| d.as_secs());
        suite.case(id("delay"), &delay, &expected.delay);
        if !expected.sitemaps.is_empty() {
            let sitemaps: Vec<&str> = robots.sitemaps.iter().map(String::as_str).collect();
            suite.case(id("sitemaps"), &sitemaps.as_slice(), &expected.sitemaps);
        }
        for (paths, allowed) in [(expected.allowed, true), (expected.denied, false)] {
            for path in paths {
                suite.case(id(path), &robots.decide(path).allowed, &allowed);
            }
        }
    }
    suite.finish(174, &[]);
}
