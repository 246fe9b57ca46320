//! Sitemaps and feeds of crawler-commons: how many URLs each file names, with some of them and their dates.

use super::{Suite, data};
use sangtrang::crawl::sitemap::{Entry, parse};

/// File below `crawler-commons`, pages, further sitemaps, an entry that must be among them.
type Expected = (
    &'static str,
    usize,
    usize,
    Option<(&'static str, Option<&'static str>)>,
);

/// Counts of the set's README where it has them, else read off the files.
const FILES: &[Expected] = &[
    // The Atom entry names its page twice, with and without `rel="alternate"`; `rel="edit"` is no page.
    (
        "sitemaps/atom.xml",
        2,
        0,
        Some((
            "http://example.org/2003/12/13/atom03",
            Some("2003-12-13T18:30:02Z"),
        )),
    ),
    (
        "sitemaps/sitemap.index.xml",
        0,
        15,
        Some(("https://example.com/sitemap.jss?portalCode=10260&lang=en", None)),
    ),
    (
        "sitemaps/xmlSitemap.gz",
        5,
        0,
        Some((
            "http://www.example.com/catalog?item=74&desc=vacation_newfoundland",
            Some("2004-12-23T18:00:15+00:00"),
        )),
    ),
    (
        "sitemaps/sitemap.ns.xml",
        2,
        0,
        Some(("http://www.example.com/2", None)),
    ),
    (
        "sitemaps/sitemap.badns.xml",
        2,
        0,
        Some(("http://www.example.com/2", None)),
    ),
    (
        "sitemaps/sitemap.txt",
        2,
        0,
        Some(("http://www.domain.com/page1.html", None)),
    ),
    (
        "sitemaps/sitemap-with-bom.txt",
        2,
        0,
        Some(("http://www.domain.com/page1.html", None)),
    ),
    ("sitemaps/sitemap.txt.gz", 5, 0, None),
    // What an external entity would have included: a page when it is read as what it is, a text sitemap.
    ("sitemaps/do-not-visit.txt", 1, 0, None),
    (
        "sitemaps/extension/hebdenbridgetimes-articles-sitemap.xml",
        74,
        0,
        Some((
            "http://www.hebdenbridgetimes.co.uk/news/local/video-tour-de-yorkshire-in-calderdale-1-7242580",
            Some("2015-05-03T18:51:50+01:00"),
        )),
    ),
    ("sitemaps/extension/pagemaps-sitemap.xml", 2, 0, None),
    ("sitemaps/extension/shinpaideshou-news-sitemap.xml", 3, 0, None),
    // Pictures are not pages.
    ("sitemaps/extension/sitemap-images.xml", 1, 0, None),
    (
        "sitemaps/extension/sitemap-links.xml",
        3,
        0,
        Some(("http://www.example.com/schweiz-deutsch/", None)),
    ),
    ("sitemaps/extension/sitemap-mobile.xml", 3, 0, None),
    ("sitemaps/extension/sitemap-news.xml", 2, 0, None),
    (
        "sitemaps/extension/sitemap-videos-tvshow.xml",
        1,
        0,
        Some(("https://example.org/my-tv-show/23/13/", None)),
    ),
    ("sitemaps/extension/sitemap-videos.xml", 3, 0, None),
    (
        "rss/feed.rss",
        4,
        0,
        Some((
            "https://www.example.com/blog/post/1",
            Some("Sun, 06 Sep 2009 16:20:00 +0000"),
        )),
    ),
    (
        "rss/feed.rss",
        4,
        0,
        Some(("https://www.example.com/guid.html", None)),
    ),
    (
        "rss/feed.rss",
        4,
        0,
        Some(("https://www.example.com/foo?q=a&l=en", None)),
    ),
    (
        "rss/feed.rss",
        4,
        0,
        Some(("https://www.example.com/foo?q=a&l=fr", None)),
    ),
    (
        "rss/xmlRss_pubDate.xml",
        7,
        0,
        Some(("http://www.example.com/article_5", Some("05 Jan 17 13:34:55"))),
    ),
];

#[test]
fn crawler_commons_sitemaps() {
    let Some(folder) = data("crawler-commons") else {
        return;
    };
    let mut suite = Suite::new("crawler-commons sitemaps and feeds");
    for (file, pages, sitemaps, entry) in FILES {
        let found = parse(&std::fs::read(folder.join(file)).unwrap());
        suite.case(format!("{file} pages"), &found.pages.len(), pages);
        suite.case(format!("{file} sitemaps"), &found.sitemaps.len(), sitemaps);
        if let Some((url, lastmod)) = entry {
            let wanted = Entry {
                url: (*url).to_owned(),
                lastmod: lastmod.map(str::to_owned),
            };
            let there = found.pages.iter().chain(&found.sitemaps).any(|e| *e == wanted);
            suite.case(format!("{file} {url}"), &there, &true);
        }
    }
    suite.finish(61, &[]);
}
