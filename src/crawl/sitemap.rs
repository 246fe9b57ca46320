//! Sitemaps: urlset, index, plain text; also gzipped. Pure and bounded; entities beyond the five of XML stay unread.

use quick_xml::Reader;
use quick_xml::events::Event;
use std::io::Read as _;

/// Most URLs of one file (the protocol's own limit).
const MAX_URLS: usize = 50_000;
/// Most bytes of one file after gunzip (the protocol's own limit).
pub const MAX_BYTES: u64 = 50 << 20;
/// Longest URL.
const MAX_URL: usize = 2048;

/// What a sitemap names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sitemap {
    /// Pages, as written.
    pub pages: Vec<String>,
    /// Further sitemaps.
    pub sitemaps: Vec<String>,
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
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    if body.trim_ascii_start().starts_with(b"<") {
        xml(body)
    } else {
        let text = String::from_utf8_lossy(body);
        let pages = text
            .lines()
            .map(str::trim)
            .filter(|l| l.len() <= MAX_URL && (l.starts_with("http://") || l.starts_with("https://")));
        Sitemap {
            pages: pages.take(MAX_URLS).map(str::to_owned).collect(),
            sitemaps: Vec::new(),
        }
    }
}

fn xml(body: &[u8]) -> Sitemap {
    let mut found = Sitemap::default();
    let text = String::from_utf8_lossy(body);
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_end_names = false;
    // Is the entry at hand one of an index? Is the text at hand a `loc`?
    let (mut of_index, mut in_loc) = (false, false);
    let mut text = String::new();
    loop {
        match reader.read_event() {
            Ok(Event::Start(e)) => match e.local_name().as_ref() {
                "sitemap" => of_index = true,
                "url" => of_index = false,
                "loc" => {
                    in_loc = true;
                    text.clear();
                }
                _ => {}
            },
            Ok(Event::End(e)) => {
                if e.local_name().as_ref() == "loc" && in_loc {
                    in_loc = false;
                    let url = text.trim();
                    if !url.is_empty() && url.len() <= MAX_URL {
                        let list = if of_index {
                            &mut found.sitemaps
                        } else {
                            &mut found.pages
                        };
                        list.push(url.to_owned());
                    }
                    if found.pages.len() + found.sitemaps.len() >= MAX_URLS {
                        break;
                    }
                }
            }
            Ok(Event::Text(e)) if in_loc => text.push_str(e.as_ref()),
            Ok(Event::CData(e)) if in_loc => text.push_str(e.as_ref()),
            Ok(Event::GeneralRef(e)) if in_loc => match e.as_ref() {
                "amp" => text.push('&'),
                "lt" => text.push('<'),
                "gt" => text.push('>'),
                "quot" => text.push('"'),
                "apos" => text.push('\''),
                _ => {}
            },
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn urlset_index_text_and_gzip() {
        let set = br#"<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>
            <s:urlset xmlns:s="any"><s:url><s:loc> http://h/a?b=1&amp;c=2 </s:loc></s:url>
            <url><loc><![CDATA[http://h/d]]></loc></url><url><loc>&e;</loc></url></s:urlset>"#;
        assert_eq!(parse(set).pages, ["http://h/a?b=1&c=2", "http://h/d"]);
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(b"<sitemapindex><sitemap><loc>http://h/s.xml</loc></sitemap></sitemapindex>")
            .unwrap();
        assert_eq!(parse(&gz.finish().unwrap()).sitemaps, ["http://h/s.xml"]);
        assert_eq!(
            parse(b"http://h/1\r\nno\nhttp://h/2").pages,
            ["http://h/1", "http://h/2"]
        );
        assert_eq!(
            parse(b"<urlset><url><loc>http://h/x</loc></url><url><lo").pages,
            ["http://h/x"]
        );
    }
}
