//! D10: spaces without an end.

use crate::harness::{random, run};
use crate::site::{Reply, Rules, Site, articles_are, healthy, job, links, mapping};
use serde_json::Value;

const ARTICLES: u32 = 200;
/// Requests that a trap may cost (`limits.pattern_urls` is 100 here; soft-404 probes and start pages come on top).
const MOST: usize = 110;
const WIDE: usize = if cfg!(debug_assertions) {
    100_000
} else {
    1_000_000
};

#[test]
fn d10_traps_are_left_and_named_and_every_article_is_there() {
    let mut random = random("D10");
    let salt = random.u32(..);
    let site = Site::start(move |asked| {
        let path = asked.path.as_str();
        let canonical = format!("<link rel=canonical href='{path}'>");
        if path == "/" {
            let traps = [
                "/lich?thang=11&nam=2026",
                "/ngay/2026/11/23",
                "/phien/0/trang",
                "/a/b",
                "/loc?mau=1",
                "/rong",
            ];
            let traps: String = traps.iter().map(|t| format!("<a href='{t}'>x</a>")).collect();
            return Reply::page(traps + &links(1..=ARTICLES));
        }
        // A calendar in the query, one in the path: a page for every month of all times.
        if let Some(query) = path.strip_prefix("/lich?") {
            let number = |name: &str| -> i64 {
                let value = query.split('&').find_map(|p| p.strip_prefix(name));
                value
                    .and_then(|v| v.trim_start_matches('=').parse().ok())
                    .unwrap_or(1)
            };
            let month = number("nam") * 12 + number("thang") - 1;
            let link = |m: i64| format!("<a href='/lich?thang={}&nam={}'>x</a>", m % 12 + 1, m / 12);
            return Reply::page(format!(
                "{canonical}<p>Tháng {month}</p>{}{}",
                link(month - 1),
                link(month + 1)
            ));
        }
        if let Some(day) = path.strip_prefix("/ngay/") {
            let mut parts = day.split('/').map(|p| p.parse::<i64>().unwrap_or(0));
            let n = parts.next().unwrap_or(0) * 372
                + (parts.next().unwrap_or(1) - 1) * 31
                + parts.next().unwrap_or(1)
                - 1;
            let link = |n: i64| {
                format!(
                    "<a href='/ngay/{}/{}/{}'>x</a>",
                    n / 372,
                    n % 372 / 31 + 1,
                    n % 31 + 1
                )
            };
            return Reply::page(format!(
                "<p>Ngày {n}: không có sự kiện</p>{}{}",
                link(n - 1),
                link(n + 1)
            ));
        }
        // A session in the path that is new on each page.
        if path.starts_with("/phien/") {
            let n = asked.index as u32 ^ salt;
            return Reply::page(format!(
                "<p>Chào bạn</p><a href='/phien/{n:08x}/trang'>x</a><a href='/phien/{:08x}/trang'>y</a>",
                !n
            ));
        }
        // Relative links that grow the path; each page says that it is itself.
        if path.starts_with("/a/") {
            return Reply::page(format!("{canonical}<p>{path}</p><a href='{path}/a/b'>x</a>"));
        }
        // Filters that combine freely.
        if let Some(query) = path.strip_prefix("/loc?") {
            let more: String = (0..20)
                .map(|n| format!("<a href='/loc?{query}&mau={n}'>x</a>"))
                .collect();
            return Reply::page(format!("<p>Lọc {query}</p>{more}"));
        }
        if path == "/rong" {
            return Reply::page(
                (0..WIDE)
                    .map(|i| format!("<a href='/muc/{i}'>"))
                    .collect::<String>(),
            );
        }
        if path.starts_with("/muc/") {
            return Reply::page(format!("<p>mục {path}</p>"));
        }
        healthy(asked, ARTICLES)
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let rules = Rules {
        more: "[limits]\npattern_urls = 100\npage_bytes = 33_554_432\n",
        ..Rules::default()
    };
    let mapping = mapping(folder.path(), &rules);
    let ended = run(&mut job(&mapping, site.address, &output)).with(0);
    articles_are(&output, 1..=ARTICLES);
    let mut costs = Vec::new();
    for trap in ["/lich", "/ngay/", "/phien/", "/a/", "/loc", "/muc/"] {
        let asked = site.count(trap);
        // Some random names look like words with a number: their patterns are many, and each has its own budget.
        let most = if trap == "/phien/" { 5 * MOST } else { MOST };
        assert!(asked > 0 && asked <= most, "{trap}: {asked} requests");
        costs.push(format!("{trap} {asked}"));
    }
    let file = std::fs::read(output.join("site/run.json")).unwrap();
    let report: Value = serde_json::from_slice(&file).unwrap();
    let named: Vec<&str> = report["traps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|t| t["pattern"].as_str())
        .collect();
    for trap in ["/lich", "/ngay/#", "/phien/", "/loc", "/muc/#"] {
        assert!(
            named.iter().any(|n| n.starts_with(trap)),
            "{trap} is not among {named:?}"
        );
    }
    eprintln!(
        "D10: all {ARTICLES} articles; requests: {}; {WIDE} links on one page; at most {} MiB of memory",
        costs.join(", "),
        ended.peak_bytes >> 20
    );
}
