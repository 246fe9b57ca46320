//! Sitemaps: urlset, index, plain text, RSS and Atom; also gzipped. Pure and bounded; namespaces are not believed (many
//! are wrong), entities beyond the five of XML and the numbered ones stay unread, nothing is included.

use super::robots::utf16;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::Read as _;

/// Most URLs of one file (the protocol's own limit).
const MAX_URLS: usize = 50_000;
/// Most bytes of one file after gunzip (the protocol's own limit).
pub const MAX_BYTES: u64 = 50 << 20;
/// Longest URL in bytes (the protocol says less than 2,048).
const MAX_URL: usize = 2048;
/// Longest date that is kept, in bytes; an RFC 822 date with its zone has 31.
const MAX_DATE: usize = 64;
/// Most URLs of one entry: a page and its languages.
const MAX_ENTRY_URLS: usize = 200;
/// Deepest nesting that is remembered; a sitemap has four levels.
const MAX_DEPTH: usize = 64;

/// A URL of a sitemap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// As written, without white space around it.
    pub url: String,
    /// When it changed, as written: `lastmod` (W3C date), `pubDate` (RFC 822), `updated` (RFC 3339). Often untrue.
    pub lastmod: Option<String>,
}

/// What a sitemap names, each URL once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages, with those of other languages (`xhtml:link`).
    pub pages: Vec<Entry>,
    /// Further sitemaps.
    pub sitemaps: Vec<Entry>,
}

/// Reads a sitemap. Never fails: what is readable before a mistake counts.
#[must_use]
pub fn parse(body: &[u8]) -> Sitemap {
    let mut unpacked = Vec::new();
    let body = if body.starts_with(&[0x1f, 0x8b]) {
        // What could be unpacked before damage is still worth reading.
        let _ = flate2::read::MultiGzDecoder::new(body)
            .take(MAX_BYTES)
            .read_to_end(&mut unpacked);
        &unpacked[..]
    } else {
        body
    };
    let text = match utf16(body) {
        Some(text) => Cow::Owned(text),
        None => String::from_utf8_lossy(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)),
    };
    let mut found = Finder::default();
    if text.trim_start().starts_with('<') {
        found.xml(&text);
    } else {
        for line in text.lines().map(str::trim) {
            if line.starts_with("http://") || line.starts_with("https://") {
                found.push(line, None, false);
            }
            if found.full() {
                break;
            }
        }
    }
    found.sitemap
}

/// An element that stands for one URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// `url` of a urlset.
    Url,
    /// `sitemap` of an index.
    Index,
    /// `item` of RSS, `entry` of Atom.
    Feed,
}

/// What is read of the element at hand.
#[derive(Default)]
struct Open {
    /// Its direct text: some indexes lack `loc`.
    text: String,
    urls: Vec<String>,
    guid: Option<String>,
    date: Option<String>,
}

#[derive(Default)]
struct Finder {
    sitemap: Sitemap,
    seen: HashSet<String>,
}

impl Finder {
    fn full(&self) -> bool {
        self.sitemap.pages.len() + self.sitemap.sitemaps.len() >= MAX_URLS
    }

    fn push(&mut self, url: &str, lastmod: Option<&str>, index: bool) {
        let url = url.trim();
        if url.is_empty() || url.len() > MAX_URL || self.full() || !self.seen.insert(url.to_owned()) {
            return;
        }
        let entry = Entry {
            url: url.to_owned(),
            lastmod: lastmod
                .map(str::trim)
                .filter(|d| !d.is_empty() && d.len() <= MAX_DATE)
                .map(str::to_owned),
        };
        if index {
            self.sitemap.sitemaps.push(entry);
        } else {
            self.sitemap.pages.push(entry);
        }
    }

    fn xml(&mut self, text: &str) {
        let mut reader = Reader::from_str(text);
        let config = reader.config_mut();
        config.check_end_names = false;
        config.allow_unmatched_ends = true;
        // `?a=1&b=2` without `&amp;` stands in many of them.
        config.allow_dangling_amp = true;
        // Names of the open elements; the element that stands for a URL, with its depth.
        let mut path: Vec<String> = Vec::new();
        let mut open: Option<(usize, Kind, Open)> = None;
        let mut text = String::new();
        while !self.full() {
            match reader.read_event() {
                Ok(Event::Start(e)) => {
                    let name = e.local_name().as_ref().to_owned();
                    if let Some((depth, kind, open)) = &mut open {
                        if path.len() == *depth {
                            open.text.push_str(text.trim());
                            attributes(*kind, &name, &e, open);
                        }
                    } else if let Some(kind) = kind_of(&name) {
                        open = Some((path.len() + 1, kind, Open::default()));
                    }
                    text.clear();
                    if path.len() >= MAX_DEPTH {
                        break;
                    }
                    path.push(name);
                }
                Ok(Event::Empty(e)) => {
                    if let Some((depth, kind, open)) = &mut open
                        && path.len() == *depth
                    {
                        attributes(*kind, e.local_name().as_ref(), &e, open);
                    }
                }
                Ok(Event::End(e)) => {
                    let name = e.local_name().as_ref().to_owned();
                    // An end without a beginning is nobody's.
                    let Some(at) = path.iter().rposition(|n| *n == name) else {
                        continue;
                    };
                    if let Some((depth, kind, open)) = &mut open {
                        if at == *depth {
                            child(*kind, &name, &text, open);
                        } else if at + 1 == *depth {
                            open.text.push_str(text.trim());
                        }
                    }
                    if let Some((_, kind, whole)) = open.take_if(|(depth, ..)| at < *depth) {
                        self.close(kind, whole);
                    }
                    path.truncate(at);
                    text.clear();
                }
                Ok(Event::Text(e)) if text.len() <= MAX_URL => text.push_str(e.as_ref()),
                Ok(Event::CData(e)) if text.len() <= MAX_URL => text.push_str(e.as_ref()),
                Ok(Event::GeneralRef(e)) if text.len() <= MAX_URL => match e.as_ref() {
                    "amp" => text.push('&'),
                    "lt" => text.push('<'),
                    "gt" => text.push('>'),
                    "quot" => text.push('"'),
                    "apos" => text.push('\''),
                    _ => text.extend(e.resolve_char_ref().ok().flatten()),
                },
                Ok(Event::Eof) | Err(_) => break,
                Ok(_) => {}
            }
        }
        if let Some((_, kind, cut)) = open {
            self.close(
                kind,
                Open {
                    text: String::new(),
                    ..cut
                },
            );
        }
    }

    fn close(&mut self, kind: Kind, mut open: Open) {
        if open.urls.is_empty() {
            let instead = match kind {
                Kind::Feed => open.guid.take(),
                Kind::Url | Kind::Index => Some(std::mem::take(&mut open.text)),
            };
            open.urls.extend(instead.filter(|url| is_url(url)));
        }
        for url in &open.urls {
            self.push(url, open.date.as_deref(), kind == Kind::Index);
        }
    }
}

fn kind_of(name: &str) -> Option<Kind> {
    match name {
        "url" => Some(Kind::Url),
        "sitemap" => Some(Kind::Index),
        "item" | "entry" => Some(Kind::Feed),
        _ => None,
    }
}

fn is_url(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("http://") || text.starts_with("https://")
}

/// A child of an entry has ended; `text` is what it held.
fn child(kind: Kind, name: &str, text: &str, open: &mut Open) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    match (kind, name) {
        (Kind::Url | Kind::Index, "loc") | (Kind::Feed, "link") => open.urls.push(text.to_owned()),
        (Kind::Feed, "guid") => open.guid = Some(text.to_owned()),
        (Kind::Url | Kind::Index, "lastmod") | (Kind::Feed, "pubDate" | "updated" | "date") => {
            open.date = Some(text.to_owned());
        }
        (Kind::Feed, "published") if open.date.is_none() => open.date = Some(text.to_owned()),
        _ => {}
    }
}

/// Links in attributes: of Atom, and `xhtml:link` to the same page in another language.
fn attributes(kind: Kind, name: &str, element: &BytesStart<'_>, open: &mut Open) {
    if name != "link" || kind == Kind::Index {
        return;
    }
    let value = |wanted: &str| {
        element
            .attributes()
            .flatten()
            .find(|a| a.key.local_name().as_ref() == wanted)
            .map(|a| unescape(&a.value))
    };
    let rel = value("rel");
    let follows = match kind {
        Kind::Url => rel.as_deref() == Some("alternate"),
        _ => rel.is_none_or(|rel| rel == "alternate"),
    };
    if follows
        && open.urls.len() < MAX_ENTRY_URLS
        && let Some(href) = value("href")
    {
        open.urls.push(href);
    }
}

/// The five entities of XML; what cannot be read stays as it is.
fn unescape(text: &str) -> String {
    quick_xml::escape::unescape(text).map_or_else(|_| text.to_owned(), Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn pages(body: &[u8]) -> Vec<String> {
        parse(body).pages.into_iter().map(|e| e.url).collect()
    }

    #[test]
    fn what_is_not_the_page_itself() {
        let set = br#"<urlset><url><loc>http://h/1</loc><lastmod> 2015-05-03 </lastmod>
            <i:image><i:loc>http://h/i.jpg</i:loc><lastmod>2000</lastmod></i:image>
            <x:link rel="alternate" hreflang="vi" href="http://h/vi?a=1&amp;b=2"/></url>
            <url><loc>http://h/2?a=1&b=&#50;</loc></url></bad></urlset>"#;
        let found = parse(set).pages;
        assert_eq!(found[0].lastmod.as_deref(), Some("2015-05-03"));
        assert_eq!(
            found.iter().map(|e| e.url.as_str()).collect::<Vec<_>>(),
            ["http://h/1", "http://h/vi?a=1&b=2", "http://h/2?a=1&b=2"]
        );
        let include = br#"<urlset xmlns:xi="http://www.w3.org/2001/XInclude"><url><xi:include href="http://h/no"/></url></urlset>"#;
        assert_eq!(parse(include), Sitemap::default());
        let utf16: Vec<u8> = "\u{feff}<urlset><url><loc>http://h/u</loc></url></urlset>"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        assert_eq!(pages(&utf16), ["http://h/u"]);
        assert_eq!(
            parse(b"<html><head><link href='http://h/x'></head><a>url</a></html>"),
            Sitemap::default()
        );
        let deep = format!("<urlset>{}", "<a>".repeat(100_000));
        assert_eq!(parse(deep.as_bytes()), Sitemap::default());
    }

    #[test]
    fn urlset_index_text_and_gzip() {
        let set = br#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
            <s:urlset xmlns:s="any"><s:url><s:loc> http://h/a?b=1&amp;c=2 </s:loc></s:url>
            <url><loc><![CDATA[http://h/d]]></loc></url><url><loc>&e;</loc></url></s:urlset>"#;
        assert_eq!(pages(set), ["http://h/a?b=1&c=2", "http://h/d"]);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"<sitemapindex><sitemap><loc>http://h/s.xml</loc></sitemap></sitemapindex>")
            .unwrap();
        assert_eq!(parse(&gz.finish().unwrap()).sitemaps[0].url, "http://h/s.xml");
        assert_eq!(
            pages(b"http://h/1\r\nno\nhttp://h/2"),
            ["http://h/1", "http://h/2"]
        );
        assert_eq!(
            pages(b"<urlset><url><loc>http://h/x</loc></url><url><loc>http://h/y</loc><lo"),
            ["http://h/x", "http://h/y"]
        );
    }
}
