//! WordPress eXtended RSS 1.2, as the exporter of WordPress 6 writes it and its importer reads it (`wxr_version` 1.2).
//!
//! The importer only creates: an entry whose title and date it knows is passed over, whatever else of it changed. So two
//! entries never share both here. Ids are taken over where they are free, which is what blocks and links rely on; the
//! addresses of files are replaced by the importer.

use super::folder::Stream;
use super::index::{self, Medium, Place};
use super::{ExportError, Form, It, Options, Out, Ways};
use crate::deliver::entry::{Asset, Mapper, Term};
use crate::deliver::redirect::Redirect;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{self, Write};

#[derive(Default)]
pub(super) struct Wxr {
    file: Option<Stream>,
    /// Type, title and date of what was written, short.
    seen: HashSet<[u8; 16]>,
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- WordPress eXtended RSS. Create-only: the importer of WordPress makes entries of it and never changes one that is there.
     For a second delivery, or an update, use `sangtrang plan` and `sangtrang apply`. -->
<rss version="2.0" xmlns:excerpt="http://wordpress.org/export/1.2/excerpt/" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:wfw="http://wellformedweb.org/CommentAPI/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:wp="http://wordpress.org/export/1.2/">
<channel>
"#;

fn file(_: &Place, medium: &Medium) -> String {
    format!("media/{}", medium.below())
}

/// Where the importer fetches a file from; in texts it replaces this address by the new one.
fn address(options: &Options, medium: &Medium) -> String {
    match &options.media {
        Some(base) => format!("{}/{}", base.as_str().trim_end_matches('/'), medium.below()),
        None => format!("media/{}", medium.below()),
    }
}

/// An entry by its number: right whatever the form of addresses of the new site.
fn by_number(place: &Place) -> String {
    format!("/?p={}", place.number)
}

impl Form for Wxr {
    fn ways(&self) -> Ways {
        Ways {
            document: |options, _, to| match &options.base {
                Some(base) => format!("{}{}", base.as_str().trim_end_matches('/'), by_number(to)),
                None => by_number(to),
            },
            medium: |options, _, medium| address(options, medium),
            file: Some(file),
            public: Some(by_number),
            public_medium: None,
            escape: crate::deliver::render::escape,
        }
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        let mut x = Xml::default();
        x.raw(HEAD);
        x.text("title", &out.options.title);
        let base = out.options.base.as_ref().unwrap_or(&out.options.old);
        let base = base.as_str().trim_end_matches('/');
        x.text("link", base);
        x.text("language", &out.options.language);
        x.text("wp:wxr_version", "1.2");
        x.text("wp:base_site_url", base);
        x.text("wp:base_blog_url", base);
        for (n, (login, name)) in out.index.authors.iter().enumerate() {
            x.raw("<wp:author>");
            x.text("wp:author_id", &(n + 1).to_string());
            x.cdata("wp:author_login", login);
            x.cdata("wp:author_email", "");
            x.cdata("wp:author_display_name", name);
            x.cdata("wp:author_first_name", "");
            x.cdata("wp:author_last_name", "");
            x.raw("</wp:author>\n");
        }
        for (n, term) in out.index.ordered().enumerate() {
            self::term(&mut x, n + 1, term, &out.index);
        }
        let mut file = out.folder.stream("wordpress.xml")?;
        x.flush(out, &mut file)?;
        self.file = Some(file);
        Ok(())
    }

    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        let (Some(entry), Some(mut file)) = (it.entry, self.file.take()) else {
            return Ok(());
        };
        let mut x = Xml::default();
        for asset in Mapper::assets(it.document) {
            let medium = index::media_id(&asset.key).and_then(|id| out.index.media.get(&id).cloned());
            if let Some(medium) = medium.filter(|m| !m.copied) {
                self.attachment(out, &mut x, it, &asset, &medium)?;
            }
        }
        let body = out.body(it)?;
        let mut date = entry.date.as_deref().and_then(When::read);
        if date.is_none() {
            out.tally.undated += 1;
            out.note("undated", it.document, json!({}))?;
        }
        let of = post_type(&entry.of);
        // The same title in the same second would be the same entry to the importer.
        let mut moved = 0;
        while !self.first(of, &entry.title, date.as_ref()) {
            moved += 1;
            date = date.map(When::later);
            if date.is_none() {
                let why = "the importer would take it for an entry of the same title";
                *out.tally.held.entry(why.into()).or_default() += 1;
                out.note("held", it.document, json!({ "why": why }))?;
                x.flush(out, &mut file)?;
                self.file = Some(file);
                return Ok(());
            }
        }
        if moved > 0 {
            out.tally.twins += 1;
            out.note(
                "twin",
                it.document,
                json!({ "title": entry.title, "seconds": moved }),
            )?;
        }
        x.raw("<item>\n");
        x.text("title", &entry.title);
        x.text("link", &out.absolute(&by_number(it.place)));
        if let Some(date) = &date {
            x.text("pubDate", &date.rfc2822);
        }
        let author = index::author(it.document, entry).map(|(login, _)| login);
        x.cdata("dc:creator", author.as_deref().unwrap_or_default());
        x.raw("<guid isPermaLink=\"false\">");
        x.escaped(&format!("urn:uuid:{}", it.document.id));
        x.raw("</guid>\n<description></description>\n");
        x.cdata("content:encoded", &body);
        x.cdata("excerpt:encoded", entry.excerpt.as_deref().unwrap_or_default());
        post(
            &mut x,
            it.place.number,
            date.as_ref(),
            &entry.slug,
            &entry.state,
            of,
        );
        for (taxonomy, keys) in &entry.terms {
            for term in out.index.terms_of(keys) {
                x.raw(&format!(
                    "<category domain=\"{}\" nicename=\"{}\">",
                    domain(taxonomy),
                    term.slug
                ));
                x.section(&term.name);
                x.raw("</category>\n");
            }
        }
        // The names that the companion plugin knows.
        x.meta("sangtrang_key", &entry.key);
        x.meta("sangtrang_url", &entry.legacy.url);
        for from in entry
            .legacy
            .from
            .iter()
            .filter_map(|f| crate::deliver::legacy_address(f))
        {
            x.meta("sangtrang_from", &from);
        }
        for (name, value) in &entry.fields {
            match value {
                Value::Null => {}
                Value::String(text) => x.meta(name, text),
                value => x.meta(name, &value.to_string()),
            }
        }
        if let Some(cover) = entry.cover.as_deref().and_then(|c| out.index.medium(c)) {
            x.meta("_thumbnail_id", &cover.number.to_string());
        }
        x.raw("</item>\n");
        x.flush(out, &mut file)?;
        self.file = Some(file);
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &[Redirect]) -> Result<(), ExportError> {
        let Some(mut file) = self.file.take() else {
            return Ok(());
        };
        file.write_all(b"</channel>\n</rss>\n")?;
        out.folder.close(file)
    }
}

impl Wxr {
    /// Is it the first of its type with this title and date; without a date, with this title? A database compares without case
    /// and marks, so titles count by their letters.
    fn first(&mut self, of: &str, title: &str, date: Option<&When>) -> bool {
        let title = crate::lang::slug(title, usize::MAX);
        let mut insert = |date: &str| {
            let hash = blake3::hash(format!("{of}\0{title}\0{date}").as_bytes());
            let mut short = [0; 16];
            short.copy_from_slice(&hash.as_bytes()[..16]);
            self.seen.insert(short)
        };
        let alone = insert("");
        date.map_or(alone, |d| insert(&d.local))
    }

    fn attachment(
        &mut self,
        out: &mut Out<'_>,
        x: &mut Xml,
        it: &It<'_>,
        asset: &Asset,
        medium: &Medium,
    ) -> Result<(), ExportError> {
        let date = it.entry.and_then(|e| e.date.as_deref()).and_then(When::read);
        let stem = medium
            .filename
            .rsplit_once('.')
            .map_or(&*medium.filename, |(s, _)| s);
        let mut title = asset.title.as_str();
        if !self.first("attachment", title, date.as_ref()) {
            out.tally.twins += 1;
            out.note(
                "twin",
                it.document,
                json!({ "media": asset.key, "title": title, "becomes": stem }),
            )?;
            title = stem;
            self.first("attachment", title, date.as_ref());
        }
        let url = address(out.options, medium);
        x.raw("<item>\n");
        x.text("title", title);
        x.text("link", &url);
        if let Some(date) = &date {
            x.text("pubDate", &date.rfc2822);
        }
        x.cdata("dc:creator", "");
        x.raw("<guid isPermaLink=\"false\">");
        x.escaped(&url);
        x.raw("</guid>\n<description></description>\n");
        x.cdata("content:encoded", asset.credit.as_deref().unwrap_or_default());
        x.cdata("excerpt:encoded", asset.caption.as_deref().unwrap_or_default());
        post(
            x,
            medium.number,
            date.as_ref(),
            &asset.slug(),
            "inherit",
            "attachment",
        );
        x.cdata("wp:attachment_url", &url);
        if let Some(alt) = &asset.alt {
            x.meta("_wp_attachment_image_alt", alt);
        }
        x.meta("sangtrang_key", &asset.key);
        x.meta("sangtrang_url", &asset.legacy.url);
        x.raw("</item>\n");
        Ok(())
    }
}

/// What every entry has.
fn post(x: &mut Xml, number: u32, date: Option<&When>, slug: &str, state: &str, of: &str) {
    x.text("wp:post_id", &number.to_string());
    x.cdata("wp:post_date", date.map_or("", |d| &d.local));
    x.cdata("wp:post_date_gmt", date.map_or("", |d| &d.gmt));
    x.cdata("wp:comment_status", "closed");
    x.cdata("wp:ping_status", "closed");
    x.cdata("wp:post_name", slug);
    x.cdata("wp:status", state);
    x.text("wp:post_parent", "0");
    x.text("wp:menu_order", "0");
    x.cdata("wp:post_type", of);
    x.cdata("wp:post_password", "");
    x.text("wp:is_sticky", "0");
}

/// The REST interface says `posts` where the database says `post`.
fn post_type(of: &str) -> &str {
    match of {
        "posts" => "post",
        "pages" => "page",
        of => of,
    }
}

fn domain(taxonomy: &str) -> &str {
    match taxonomy {
        "categories" => "category",
        "tags" => "post_tag",
        taxonomy => taxonomy,
    }
}

fn term(x: &mut Xml, id: usize, term: &Term, index: &index::Index) {
    let parent = term.parent.as_ref().and_then(|p| index.terms.get(p));
    let parent = parent.map_or("", |p| p.slug.as_str());
    let id = id.to_string();
    match domain(&term.taxonomy) {
        "category" => {
            x.raw("<wp:category>");
            x.text("wp:term_id", &id);
            x.cdata("wp:category_nicename", &term.slug);
            x.cdata("wp:category_parent", parent);
            x.cdata("wp:cat_name", &term.name);
            x.raw("</wp:category>\n");
        }
        "post_tag" => {
            x.raw("<wp:tag>");
            x.text("wp:term_id", &id);
            x.cdata("wp:tag_slug", &term.slug);
            x.cdata("wp:tag_name", &term.name);
            x.raw("</wp:tag>\n");
        }
        taxonomy => {
            x.raw("<wp:term>");
            x.text("wp:term_id", &id);
            x.cdata("wp:term_taxonomy", taxonomy);
            x.cdata("wp:term_slug", &term.slug);
            x.cdata("wp:term_parent", parent);
            x.cdata("wp:term_name", &term.name);
            x.raw("</wp:term>\n");
        }
    }
}

/// An instant as WordPress stores it, twice: in the zone of the portal, and in UTC.
#[derive(Clone, Debug, PartialEq)]
struct When {
    at: jiff::Zoned,
    local: String,
    gmt: String,
    rfc2822: String,
}

impl When {
    fn of(at: jiff::Zoned) -> Self {
        let utc = at.with_time_zone(jiff::tz::TimeZone::UTC);
        Self {
            local: at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            gmt: utc.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            rfc2822: at.strftime("%a, %d %b %Y %H:%M:%S %z").to_string(),
            at,
        }
    }

    /// Of RFC 3339 with an offset, which stays.
    fn read(text: &str) -> Option<Self> {
        let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
        let offset = pieces.to_numeric_offset()?;
        let at: jiff::Timestamp = text.parse().ok()?;
        Some(Self::of(at.to_zoned(jiff::tz::TimeZone::fixed(offset))))
    }

    fn later(self) -> Self {
        let next = self.at.checked_add(jiff::SignedDuration::from_secs(1));
        Self::of(next.unwrap_or(self.at))
    }
}

/// XML 1.0 that is being made.
#[derive(Default)]
struct Xml {
    out: String,
    illegal: u64,
}

impl Xml {
    fn raw(&mut self, xml: &str) {
        self.out.push_str(xml);
    }

    /// Characters that XML 1.0 allows ("Char"); the others cannot even be written as references.
    fn legal<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        let illegal = |c: char| matches!(c, '\0'..='\u{8}' | '\u{B}' | '\u{C}' | '\u{E}'..='\u{1F}' | '\u{FFFE}' | '\u{FFFF}');
        let found = text.chars().filter(|c| illegal(*c)).count();
        if found == 0 {
            return Cow::Borrowed(text);
        }
        self.illegal += found as u64;
        Cow::Owned(text.replace(illegal, "\u{FFFD}"))
    }

    fn escaped(&mut self, text: &str) {
        let text = self.legal(text).into_owned();
        for c in text.chars() {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                // A parser would make a line feed of it.
                '\r' => self.out.push_str("&#13;"),
                c => self.out.push(c),
            }
        }
    }

    /// A CDATA section; its end inside the text parts it in two.
    fn section(&mut self, text: &str) {
        let text = self.legal(text).replace("]]>", "]]]]><![CDATA[>");
        self.out.push_str("<![CDATA[");
        self.out.push_str(&text);
        self.out.push_str("]]>");
    }

    fn text(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.escaped(text);
        self.raw(&format!("</{name}>\n"));
    }

    fn cdata(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.section(text);
        self.raw(&format!("</{name}>\n"));
    }

    fn meta(&mut self, key: &str, value: &str) {
        self.raw("<wp:postmeta>");
        self.cdata("wp:meta_key", key);
        self.cdata("wp:meta_value", value);
        self.raw("</wp:postmeta>\n");
    }

    fn flush(&mut self, out: &mut Out<'_>, file: &mut Stream) -> io::Result<()> {
        out.tally.illegal += std::mem::take(&mut self.illegal);
        file.write_all(self.out.as_bytes())?;
        self.out.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_counted_and_cdata_ends_where_it_should() {
        let mut x = Xml::default();
        x.cdata("a", "x]]>y]]]]>\u{B}z");
        x.text("b", "<&>\r\u{FFFE}");
        assert_eq!(x.illegal, 2);
        let page = format!("<r>{}</r>", x.out);
        let mut reader = quick_xml::Reader::from_str(&page);
        let mut texts = String::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::CData(c) => texts.push_str(&c),
                quick_xml::events::Event::Eof => break,
                _ => {}
            }
        }
        assert_eq!(texts, "x]]>y]]]]>\u{FFFD}z");
    }

    #[test]
    fn dates_keep_their_zone() {
        let when = When::read("2023-07-14T00:30:00+07:00").unwrap();
        assert_eq!(
            (when.local.as_str(), when.gmt.as_str(), when.rfc2822.as_str()),
            (
                "2023-07-14 00:30:00",
                "2023-07-13 17:30:00",
                "Fri, 14 Jul 2023 00:30:00 +0700"
            )
        );
        assert_eq!(
            When::read("1969-12-31T00:00:00+08:00").unwrap().gmt,
            "1969-12-30 16:00:00"
        );
        assert_eq!(when.later().local, "2023-07-14 00:30:01");
    }
}
