//! What the parser need not see. html5ever needs time quadratic in depth, so tags that go deeper are left out before it
//! reads them: the tags, never the text. The same holds for the attributes of one tag. Scripts are a third of the bytes of
//! pages of our time, and nobody reads their text: of long ones only the tags stay.

use std::borrow::Cow;
use std::collections::HashMap;

/// What a tag is to the nesting of a page.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// It never nests, or an equal element closes it.
    Flat,
    /// Its text is no markup.
    Raw,
    /// The same, and nobody reads it.
    Script,
    /// An inline element, by its number: it closes by itself.
    Formatting(usize),
    /// All behind it is text.
    Plain,
    /// An element like `div`, by its number.
    Block(usize),
    /// One that nobody knows.
    Other,
}

const FORMATTING: usize = 14;
const BLOCKS: usize = 40;

/// `name` in small letters.
fn kind(name: &[u8]) -> Kind {
    use Kind::{Block, Flat, Formatting, Plain, Raw, Script};
    match name {
        b"area" | b"base" | b"br" | b"col" | b"embed" | b"hr" | b"img" | b"input" | b"link" | b"meta"
        | b"param" | b"source" | b"track" | b"wbr" => Flat,
        b"p" | b"li" | b"td" | b"th" | b"tr" | b"dd" | b"dt" | b"option" | b"tbody" => Flat,
        b"script" => Script,
        b"style" | b"textarea" | b"title" | b"iframe" | b"xmp" => Raw,
        b"plaintext" => Plain,
        b"a" => Formatting(0),
        b"b" => Formatting(1),
        b"big" => Formatting(2),
        b"code" => Formatting(3),
        b"em" => Formatting(4),
        b"font" => Formatting(5),
        b"i" => Formatting(6),
        b"nobr" => Formatting(7),
        b"s" => Formatting(8),
        b"small" => Formatting(9),
        b"strike" => Formatting(10),
        b"strong" => Formatting(11),
        b"tt" => Formatting(12),
        b"u" => Formatting(13),
        b"div" => Block(0),
        b"span" => Block(1),
        b"ul" => Block(2),
        b"ol" => Block(3),
        b"table" => Block(4),
        b"svg" => Block(5),
        b"path" => Block(6),
        b"g" => Block(7),
        b"button" => Block(8),
        b"section" => Block(9),
        b"article" => Block(10),
        b"header" => Block(11),
        b"footer" => Block(12),
        b"nav" => Block(13),
        b"main" => Block(14),
        b"aside" => Block(15),
        b"figure" => Block(16),
        b"figcaption" => Block(17),
        b"picture" => Block(18),
        b"h1" => Block(19),
        b"h2" => Block(20),
        b"h3" => Block(21),
        b"h4" => Block(22),
        b"h5" => Block(23),
        b"h6" => Block(24),
        b"form" => Block(25),
        b"label" => Block(26),
        b"html" => Block(27),
        b"head" => Block(28),
        b"body" => Block(29),
        b"noscript" => Block(30),
        b"time" => Block(31),
        b"use" => Block(32),
        b"center" => Block(33),
        b"thead" => Block(34),
        b"select" => Block(35),
        b"dl" => Block(36),
        b"blockquote" => Block(37),
        b"sup" => Block(38),
        b"video" => Block(39),
        _ => Kind::Other,
    }
}

/// Attributes of one tag that are read; html5ever compares each with all before it.
const MAX_ATTRIBUTES: usize = 256;
/// Longest script whose text stays, in bytes.
const SCRIPT: usize = 256;
/// What a script must hold for its text to be read: the names by which a page asks for its own parts (`crawl`).
const READ: &[u8] = b"PageRequestManager";

/// A page without what the parser need not see.
#[derive(Debug)]
pub(super) struct Capped<'a> {
    /// Its markup; borrowed if nothing was left out.
    pub(super) text: Cow<'a, str>,
    /// Whether tags or attributes were left out.
    pub(super) deep: bool,
    /// Tags that open an element.
    pub(super) elements: usize,
}

/// Open elements.
struct Open {
    depth: usize,
    /// Open block elements with whether their tag was left out.
    stack: Vec<(Name, bool)>,
    counts: [usize; BLOCKS],
    others: HashMap<String, usize>,
    /// Open inline elements as (open, left out).
    inline: [(usize, usize); FORMATTING],
}

#[derive(PartialEq, Eq)]
enum Name {
    Known(usize),
    Other(String),
}

impl Open {
    fn count(&mut self, name: &Name) -> Option<&mut usize> {
        match name {
            Name::Known(n) => self.counts.get_mut(*n),
            Name::Other(name) => self.others.get_mut(name),
        }
    }

    /// Takes the tag of an inline element; whether it is to be left out.
    fn formatting(&mut self, number: usize, closing: bool, limit: usize) -> bool {
        let (open, left) = &mut self.inline[number];
        if closing {
            if *left > 0 {
                *left -= 1;
                return true;
            }
            if *open > 0 {
                *open -= 1;
                self.depth -= 1;
            }
            return false;
        }
        let out = self.depth >= limit;
        if out {
            *left += 1;
        } else {
            *open += 1;
            self.depth += 1;
        }
        out
    }

    /// Takes the tag of another element; whether it is to be left out.
    fn block(&mut self, name: Name, closing: bool, limit: usize) -> bool {
        if !closing {
            let out = self.depth >= limit;
            self.depth += usize::from(!out);
            match &name {
                Name::Known(n) => self.counts[*n] += 1,
                Name::Other(name) => match self.others.get_mut(name) {
                    Some(count) => *count += 1,
                    None => drop(self.others.insert(name.clone(), 1)),
                },
            }
            self.stack.push((name, out));
            return out;
        }
        if self.count(&name).is_none_or(|n| *n == 0) {
            return false;
        }
        while let Some((top, left)) = self.stack.pop() {
            if let Some(n) = self.count(&top) {
                *n -= 1;
            }
            self.depth -= usize::from(!left);
            if top == name {
                return left;
            }
        }
        false
    }
}

/// Whether a `<script>` is what it is in HTML. In SVG and MathML the text of an element of that name is markup (HTML
/// Standard, 13.2.6.5).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Foreign {
    /// It is.
    Out,
    /// Within so many `svg`, which hold drawing alone.
    In(usize),
    /// Not known from here on: only a parser can tell where such a drawing ends.
    Lost,
}

impl Foreign {
    /// Behind a tag; `name` is in small letters, `raw` the text up to the end tag of an element that has no markup in HTML.
    fn behind(self, name: &[u8], closing: bool, closed: bool, raw: Option<&[u8]>) -> Self {
        match (self, name) {
            (Self::Lost, _) | (_, b"math") => Self::Lost,
            (Self::Out, b"svg") if !closing && !closed => Self::In(1),
            (Self::Out, _) => Self::Out,
            (Self::In(n), b"svg") if closed && !closing => Self::In(n),
            (Self::In(1), b"svg") if closing => Self::Out,
            (Self::In(n), b"svg") => Self::In(if closing { n - 1 } else { n + 1 }),
            (
                Self::In(n),
                b"path" | b"g" | b"use" | b"rect" | b"circle" | b"ellipse" | b"line" | b"polyline"
                | b"polygon" | b"defs" | b"symbol" | b"mask" | b"clippath" | b"stop" | b"lineargradient"
                | b"radialgradient" | b"text" | b"tspan",
            ) => Self::In(n),
            (Self::In(n), b"title" | b"style") if closing || raw.is_some_and(|r| !r.contains(&b'<')) => {
                Self::In(n)
            }
            (Self::In(_), _) => Self::Lost,
        }
    }
}

/// Leaves out tags below `limit` levels, attributes beyond [`MAX_ATTRIBUTES`] and the text of long scripts.
pub(super) fn cap(markup: &str, limit: usize) -> Capped<'_> {
    let bytes = markup.as_bytes();
    let mut out: Option<String> = None;
    let (mut copied, mut at, mut deep, mut elements) = (0, 0, false, 0);
    let mut open = Open {
        depth: 0,
        stack: Vec::new(),
        counts: [0; BLOCKS],
        others: HashMap::new(),
        inline: [(0, 0); FORMATTING],
    };
    // Up to here stands text whatever it looks like.
    let mut quoted = 0;
    let mut foreign = Foreign::Out;
    while let Some(found) = find(bytes, at, b'<') {
        at = found;
        if bytes[at..].starts_with(b"<!--") {
            at = markup[at + 4..]
                .find("-->")
                .map_or(bytes.len(), |e| at + 4 + e + 3);
            continue;
        }
        let closing = bytes.get(at + 1) == Some(&b'/');
        let name_at = at + 1 + usize::from(closing);
        if !bytes.get(name_at).is_some_and(u8::is_ascii_alphabetic) {
            if bytes[at..].starts_with(b"<![CDATA[") {
                quoted = markup[at..].find("]]>").map_or(bytes.len(), |e| at + e);
            }
            // What is no tag ends at the next `>`, if it is no text.
            let bogus = closing || matches!(bytes.get(at + 1), Some(b'!' | b'?'));
            at = if bogus {
                find(bytes, at, b'>').unwrap_or(bytes.len())
            } else {
                at + 1
            };
            continue;
        }
        let name_end = bytes[name_at..]
            .iter()
            .position(|b| b.is_ascii_whitespace() || matches!(b, b'>' | b'/'))
            .map_or(bytes.len(), |e| name_at + e);
        elements += usize::from(!closing);
        let mut small = [0_u8; 16];
        let name = &bytes[name_at..name_end];
        let small: &[u8] = match small.get_mut(..name.len()) {
            Some(small) => {
                small.copy_from_slice(name);
                small.make_ascii_lowercase();
                small
            }
            None => b"",
        };
        let kind = kind(small);
        let (end, kept) = tag(bytes, name_end);
        let closed = bytes[..end].ends_with(b"/>");
        let html = foreign == Foreign::Out;
        if closing || !matches!(kind, Kind::Raw | Kind::Script) {
            foreign = foreign.behind(small, closing, closed, None);
        }
        let leave_out = match kind {
            Kind::Flat => false,
            Kind::Raw | Kind::Script if closing => false,
            Kind::Plain => break,
            Kind::Raw | Kind::Script => {
                if let Some(kept) = kept {
                    shorten(&mut out, &markup[copied..kept]);
                    (copied, deep) = (end, true);
                }
                at = raw_end(bytes, end, name);
                let text = &bytes[end.min(at)..at];
                foreign = foreign.behind(small, closing, closed, Some(text));
                let unread = kind == Kind::Script && at < bytes.len() && end > quoted && html;
                if unread && text.len() > SCRIPT && is_unread(&bytes[name_end..end], text) {
                    out.get_or_insert_with(String::new).push_str(&markup[copied..end]);
                    copied = at;
                }
                continue;
            }
            Kind::Formatting(number) => open.formatting(number, closing, limit),
            Kind::Block(number) => open.block(Name::Known(number), closing, limit),
            Kind::Other => {
                let name = markup[name_at..name_end].to_ascii_lowercase();
                open.block(Name::Other(name), closing, limit)
            }
        };
        if leave_out {
            out.get_or_insert_with(String::new).push_str(&markup[copied..at]);
            (copied, deep) = (end, true);
        } else if let Some(kept) = kept {
            shorten(&mut out, &markup[copied..kept]);
            (copied, deep) = (end, true);
        }
        at = end;
    }
    let text = match out {
        None => Cow::Borrowed(markup),
        Some(mut out) => {
            out.push_str(&markup[copied..]);
            Cow::Owned(out)
        }
    };
    Capped { text, deep, elements }
}

/// Whether nobody reads the text of a script: it is no data, and no part of `READ`. A script with `<!--` may hold its own
/// end tag: it stays as it is.
fn is_unread(attributes: &[u8], text: &[u8]) -> bool {
    let json = attributes.windows(4).any(|w| w.eq_ignore_ascii_case(b"json"));
    let has = |what: &[u8]| memchr::memmem::find(text, what).is_some();
    !json && !has(b"<!--") && !has(READ)
}

/// Ends a tag behind the attributes that are kept.
fn shorten(out: &mut Option<String>, kept: &str) {
    let out = out.get_or_insert_with(String::new);
    out.push_str(kept);
    out.push('>');
}

fn find(bytes: &[u8], from: usize, needle: u8) -> Option<usize> {
    memchr::memchr(needle, bytes.get(from..)?).map(|p| from + p)
}

/// Behind the `>` of the tag whose name ends at `from` (HTML Standard, 13.2.5.32 to 13.2.5.40), and where its first
/// attribute beyond the limit begins.
fn tag(bytes: &[u8], from: usize) -> (usize, Option<usize>) {
    enum At {
        Between,
        Name,
        BehindName,
        BeforeValue,
        Value,
    }
    let (mut state, mut at, mut count, mut kept) = (At::Between, from, 0, None);
    while let Some(&b) = bytes.get(at) {
        state = match (state, b) {
            (At::BeforeValue, b'"' | b'\'') => {
                let Some(end) = find(bytes, at + 1, b) else {
                    return (bytes.len(), kept);
                };
                at = end;
                At::Between
            }
            (_, b'>') => return (at + 1, kept),
            (At::Between, b) if b.is_ascii_whitespace() || b == b'/' => At::Between,
            (At::Name | At::BehindName, b'=') => At::BeforeValue,
            (At::Name | At::BehindName, b'/') => At::Between,
            (At::Name, b) => {
                if b.is_ascii_whitespace() {
                    At::BehindName
                } else {
                    At::Name
                }
            }
            (At::BeforeValue, b) if b.is_ascii_whitespace() => At::BeforeValue,
            (At::BehindName, b) if b.is_ascii_whitespace() => At::BehindName,
            (At::Value, b) if b.is_ascii_whitespace() => At::Between,
            (At::BeforeValue | At::Value, _) => At::Value,
            (At::Between | At::BehindName, _) => {
                count += 1;
                if count > MAX_ATTRIBUTES {
                    kept = kept.or(Some(at));
                }
                At::Name
            }
        };
        at += 1;
    }
    (bytes.len(), kept)
}

/// Where the end tag of an element begins whose text is no markup.
fn raw_end(bytes: &[u8], from: usize, name: &[u8]) -> usize {
    let mut at = from;
    while let Some(found) = find(bytes, at, b'<') {
        let tail = &bytes[found + 1..];
        let behind = || tail.get(1 + name.len());
        if tail.first() == Some(&b'/')
            && tail
                .get(1..=name.len())
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
            && behind().is_none_or(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
        {
            return found;
        }
        at = found + 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_counted_and_what_only_looks_like_one_is_not() {
        let page = "<!-- <i> --><p class='<u>'><b>x</b><br>1 < 2 <script>'<u>'</script></p>";
        assert_eq!(cap(page, 512).elements, 4);
    }

    #[test]
    fn deep_tags_go_and_text_stays() {
        let deep = format!("{}sâu{}", "<div>".repeat(100_000), "</div>".repeat(100_000));
        let capped = cap(&deep, 512).text;
        assert_eq!(capped.matches("<div>").count(), 512);
        assert_eq!(capped.matches("</div>").count(), 512);
        assert!(capped.contains("sâu"));
    }

    #[test]
    fn attributes_beyond_the_limit_go() {
        let many: String = (0..1000).map(|n| format!(" a{n}='x y>' b{n}")).collect();
        let capped = cap(&format!("<p>vào<div{many}>chữ</div>"), 512).text.into_owned();
        assert_eq!(capped.matches("='x y>'").count(), 128);
        assert!(capped.ends_with("b127 >chữ</div>"), "{capped}");
        let long = format!("<a href=\"{}\">x</a>", "y ".repeat(5000));
        assert!(matches!(cap(&long, 512).text, Cow::Borrowed(_)));
    }

    #[test]
    fn unclosed_paragraphs_are_no_depth() {
        let flat = "<p>x<td>y".repeat(2000);
        assert!(matches!(cap(&flat, 512).text, Cow::Borrowed(_)));
        let nested = "<b><div></b>".repeat(2000);
        assert!(cap(&nested, 512).text.matches("<div>").count() <= 512);
    }

    #[test]
    fn long_scripts_go_and_what_is_text_stays() {
        let long = "x".repeat(SCRIPT + 1);
        for (page, left) in [
            (
                format!("<script src=a>{long}</script><p>b"),
                "<script src=a></script><p>b".to_owned(),
            ),
            (
                format!("<SCRIPT>{long}</Script >b"),
                "<SCRIPT></Script >b".to_owned(),
            ),
            (
                format!("<script>{long}</scripts>{long}</script>b"),
                "<script></script>b".to_owned(),
            ),
        ] {
            let capped = cap(&page, 512);
            assert!(!capped.deep);
            assert_eq!(capped.text, left);
        }
        let drawn = format!("<svg><title>t</title><path d='M0'/></svg><script>{long}</script>");
        assert!(cap(&drawn, 512).text.ends_with("</svg><script></script>"));
        for stays in [
            format!("<svg><script></svg>{long}</script>"),
            format!("<svg><title><p></title></svg><script>{long}</script>"),
            format!("<svg><foreignObject><div></svg></div></foreignObject><script></svg>{long}</script>"),
            format!("<math><script></math>{long}</script>"),
            format!("<script type='application/ld+json'>{long}</script>"),
            format!("<script>{long}PageRequestManager</script>"),
            format!("<script>{long}<!-- <script></script> --></script>"),
            format!("<script>{long}"),
            format!("<!-- <script>{long}</script> -->"),
            format!("<a title = \"> <script>\" x='{long}</script>'>"),
            format!("<?php '<script>{long}</script>"),
            format!("<svg><![CDATA[ > <script>{long}</script> ]]></svg>"),
            format!("<plaintext><script>{long}</script>"),
            format!("<textarea><script>{long}</script></textarea>"),
        ] {
            assert!(matches!(cap(&stays, 512).text, Cow::Borrowed(_)), "{stays}");
        }
    }

    proptest::proptest! {
        /// What a reader sees is the same with and without the text of scripts.
        #[test]
        fn visible_text_stays(parts in proptest::collection::vec(0usize..26, 0..24)) {
            let long = format!("if(a<b){{'</p>'}}{}", "x".repeat(SCRIPT));
            let pieces = [
                "<script>", "</script>", "<!--", "-->", "<p title=\"", "\">", "chữ ", "<textarea>", "</textarea>", "<svg>", "</svg>",
                "<![CDATA[", "]]>", "<?", "<a b = '", "'>", &long, "</scriptx>",
                "<math>", "</math>", "<foreignObject>", "</foreignObject>", "<title>", "</title>", "<table>", "<div>",
            ];
            let page: String = parts.iter().map(|p| pieces[*p]).collect();
            let capped = cap(&page, 512);
            let text = |markup: &str| {
                let html = scraper::Html::parse_document(markup);
                super::super::visible::VisibleText::of(&html, &Default::default(), &Default::default()).as_str().to_owned()
            };
            proptest::prop_assert_eq!(text(&page), text(&capped.text), "{}", page);
        }
    }
}
