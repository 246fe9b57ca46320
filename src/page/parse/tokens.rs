//! The tokens of a page (HTML Standard, 13.2.5), told to the tree builder.

use super::depth::{Kind, MAX_ATTRIBUTES, Open};
use super::names::Names;
use super::reference::resolve;
use super::{Parsed, Reading};
use ego_tree::NodeId;
use html5ever::interface::{Attribute, TreeSink};
use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    CharacterTokens, CommentToken, Doctype, DoctypeToken, EOFToken, EndTag, NullCharacterToken, StartTag,
    Tag, TagToken, Token, TokenSink, TokenSinkResult,
};
use html5ever::tree_builder::TreeBuilder;
use html5ever::{QualName, ns};
use scraper::HtmlTreeSink;

/// Longest script whose text stays, in bytes.
pub(super) const SCRIPT: usize = 256;
/// What a script must hold for its text to be read: the names by which a page asks for its own parts (`crawl`).
const READ: &[u8] = b"PageRequestManager";

/// Reads a page from its begin to its end.
pub(super) struct Reader<'a> {
    markup: &'a str,
    bytes: &'a [u8],
    /// The same text: what the tree holds are parts of it.
    whole: StrTendril,
    at: usize,
    /// Whether it holds U+0000.
    nul: bool,
    reading: Reading,
    builder: TreeBuilder<NodeId, HtmlTreeSink>,
    tags: Names<'a>,
    attributes: Names<'a>,
    open: Open,
    deep: bool,
    elements: usize,
}

/// A tag up to its `>`.
struct Found<'a> {
    name: &'a str,
    attributes: Vec<Attribute>,
    self_closing: bool,
    /// Whether attributes beyond the limit were left out.
    shortened: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(markup: &'a str, reading: Reading, builder: TreeBuilder<NodeId, HtmlTreeSink>) -> Self {
        Self {
            markup,
            bytes: markup.as_bytes(),
            whole: StrTendril::from(markup),
            at: 0,
            nul: memchr::memchr(0, markup.as_bytes()).is_some(),
            reading,
            builder,
            tags: Names::new(),
            attributes: Names::new(),
            open: Open::new(),
            deep: false,
            elements: 0,
        }
    }

    /// Reads all of it, unless it has too many elements.
    pub(super) fn run(&mut self) {
        while self.at < self.bytes.len() && self.elements <= self.reading.elements {
            self.data();
        }
    }

    /// What was read.
    pub(super) fn end(self) -> Parsed {
        let _ = self.send(EOFToken);
        self.builder.end();
        Parsed {
            html: self.builder.sink.finish(),
            deep: self.deep,
            elements: self.elements,
        }
    }

    fn send(&self, token: Token) -> TokenSinkResult<NodeId> {
        self.builder.process_token(token, 1)
    }

    fn find(&self, needle: u8, from: usize) -> Option<usize> {
        let found = memchr::memchr(needle, self.bytes.get(from..)?)?;
        Some(from + found)
    }

    /// A part of the text; U+0000 is shown as a replacement.
    fn part(&self, from: usize, to: usize) -> StrTendril {
        let text = &self.markup[from..to];
        if self.nul && text.contains('\0') {
            return text.replace('\0', "\u{fffd}").into();
        }
        match (u32::try_from(from), u32::try_from(to - from)) {
            (Ok(from), Ok(length)) => self.whole.subtendril(from, length),
            _ => text.into(),
        }
    }

    /// The same with references resolved.
    fn resolved(&self, from: usize, to: usize, attribute: bool) -> StrTendril {
        let text = &self.markup[from..to];
        if memchr::memchr(b'&', text.as_bytes()).is_none() {
            return self.part(from, to);
        }
        let mut out = String::with_capacity(text.len());
        if self.nul {
            resolve(&text.replace('\0', "\u{fffd}"), attribute, &mut out);
        } else {
            resolve(text, attribute, &mut out);
        }
        out.into()
    }

    /// Tells characters of the page.
    fn text(&self, from: usize, to: usize) {
        if from == to {
            return;
        }
        if !self.nul {
            let _ = self.send(CharacterTokens(self.resolved(from, to, false)));
            return;
        }
        let mut from = from;
        while let Some(nul) = self.find(0, from).filter(|nul| *nul < to) {
            let _ = self.send(CharacterTokens(self.resolved(from, nul, false)));
            let _ = self.send(NullCharacterToken);
            from = nul + 1;
        }
        let _ = self.send(CharacterTokens(self.resolved(from, to, false)));
    }

    /// Text up to the next markup, and this.
    fn data(&mut self) {
        let (start, len) = (self.at, self.bytes.len());
        let mut from = start;
        while let Some(found) = self.find(b'<', from) {
            let next = self.bytes.get(found + 1).copied();
            match next {
                // The end of the page.
                Some(b'/') if found + 2 == len => break,
                Some(b'/' | b'!' | b'?') => {}
                Some(b) if b.is_ascii_alphabetic() => {}
                _ => {
                    from = found + 1;
                    continue;
                }
            }
            self.text(start, found);
            self.at = found;
            match next {
                Some(b'!') => self.declaration(),
                Some(b'?') => self.bogus(found + 1),
                Some(b'/') => match self.bytes.get(found + 2) {
                    Some(b'>') => self.at = found + 3,
                    Some(b) if b.is_ascii_alphabetic() => self.tag(found + 2, true),
                    _ => self.bogus(found + 2),
                },
                _ => self.tag(found + 1, false),
            }
            return;
        }
        self.text(start, len);
        self.at = len;
    }

    /// What is no markup but looks like it: a comment from here to the next `>`.
    fn bogus(&mut self, from: usize) {
        let end = self.find(b'>', from);
        self.comment(from, end.unwrap_or(self.bytes.len()));
        self.at = end.map_or(self.bytes.len(), |end| end + 1);
    }

    fn comment(&self, from: usize, to: usize) {
        let _ = self.send(CommentToken(self.part(from, to)));
    }

    /// What begins with `<!`.
    fn declaration(&mut self) {
        let from = self.at + 2;
        let rest = &self.bytes[from..];
        if rest.starts_with(b"--") {
            let (end, behind) = comment_end(self.bytes, from + 2);
            self.comment(from + 2, end);
            self.at = behind;
        } else if rest.get(..7).is_some_and(|w| w.eq_ignore_ascii_case(b"doctype")) {
            let (doctype, behind) = doctype(self.markup, from + 7);
            let _ = self.send(DoctypeToken(doctype));
            self.at = behind;
        } else if rest.starts_with(b"[CDATA[")
            && self
                .builder
                .adjusted_current_node_present_but_not_in_html_namespace()
        {
            let from = from + 7;
            let end = memchr::memmem::find(&self.bytes[from..], b"]]>").map(|e| from + e);
            let to = end.unwrap_or(self.bytes.len());
            // The tree builder knows what becomes of U+0000: a replacement in drawings, nothing in the text that they hold.
            let mut start = from;
            while start < to {
                let nul = self.find(0, start).filter(|nul| self.nul && *nul < to);
                let end = nul.unwrap_or(to);
                if end > start {
                    let _ = self.send(CharacterTokens(self.part(start, end)));
                }
                if nul.is_some() {
                    let _ = self.send(NullCharacterToken);
                }
                start = end + 1;
            }
            self.at = end.map_or(to, |end| end + 3);
        } else {
            self.bogus(from);
        }
    }

    /// The tag whose name begins here.
    fn tag(&mut self, name_at: usize, closing: bool) {
        let Some(found) = self.attributes(name_at, closing) else {
            // A tag that the page ends in is none.
            self.at = self.bytes.len();
            return;
        };
        let (mut name, mut kind) = self.tags.get(found.name);
        if self.reading.noscript && &*name == "noscript" {
            (name, kind) = self.tags.get("div");
        }
        self.deep |= found.shortened && !closing;
        if !closing {
            self.elements += 1;
            let foreign = || {
                self.builder
                    .adjusted_current_node_present_but_not_in_html_namespace()
            };
            let drawing = matches!(&*name, "svg" | "math");
            if matches!(kind, Kind::Flat | Kind::Raw) && foreign() {
                kind = Kind::Other;
            }
            if found.self_closing && (drawing || foreign()) {
                kind = Kind::Flat;
            }
        }
        if self.open.take(&name, kind, closing, self.reading.depth) {
            self.deep = true;
            return;
        }
        let told = self.send(TagToken(Tag {
            kind: if closing { EndTag } else { StartTag },
            name,
            self_closing: found.self_closing,
            attrs: found.attributes,
            had_duplicate_attributes: false,
        }));
        match told {
            TokenSinkResult::RawData(raw) => self.raw(raw, found.name, name_at),
            TokenSinkResult::Plaintext => {
                let _ = self.send(CharacterTokens(self.part(self.at, self.bytes.len())));
                self.at = self.bytes.len();
            }
            _ => {}
        }
    }

    /// The text of an element that has no markup, up to its end tag.
    fn raw(&mut self, raw: RawKind, name: &str, name_at: usize) {
        let from = self.at;
        let script = raw == RawKind::ScriptData;
        let end = if script {
            script_end(self.bytes, from)
        } else {
            raw_end(self.bytes, from, name.as_bytes())
        };
        let to = end.unwrap_or(self.bytes.len());
        self.at = to;
        let unread = script
            && !self.reading.scripts
            && end.is_some()
            && is_unread(&self.bytes[name_at..from], &self.bytes[from..to]);
        if to > from && !unread {
            let text = match raw {
                RawKind::Rcdata => self.resolved(from, to, false),
                _ => self.part(from, to),
            };
            let _ = self.send(CharacterTokens(text));
        }
    }

    /// Reads a tag, behind whose `>` it goes on; `None`: it has none.
    fn attributes(&mut self, name_at: usize, closing: bool) -> Option<Found<'a>> {
        let (markup, bytes) = (self.markup, self.bytes);
        let mut at = name_at
            + bytes[name_at..]
                .iter()
                .position(|b| ENDS[usize::from(*b)] & TAG != 0)?;
        let mut found = Found {
            name: &markup[name_at..at],
            attributes: Vec::new(),
            self_closing: false,
            shortened: false,
        };
        let mut count = 0;
        loop {
            match *bytes.get(at)? {
                b'>' => break,
                b'/' => {
                    at += 1;
                    found.self_closing = bytes.get(at) == Some(&b'>');
                    continue;
                }
                b if is_space(b) => {
                    at += 1;
                    continue;
                }
                _ => {}
            }
            // The first character belongs to the name, also if it is `=`.
            let start = at;
            at += 1;
            at += bytes[at..]
                .iter()
                .position(|b| ENDS[usize::from(*b)] & NAME != 0)?;
            let name = &markup[start..at];
            at += bytes[at..].iter().position(|b| !is_space(*b))?;
            let mut value = (at, at);
            if bytes[at] == b'=' {
                at += 1;
                at += bytes[at..].iter().position(|b| !is_space(*b))?;
                match bytes[at] {
                    quote @ (b'"' | b'\'') => {
                        let end = self.find(quote, at + 1)?;
                        value = (at + 1, end);
                        at = end + 1;
                    }
                    b'>' => value = (at, at),
                    _ => {
                        let end = at
                            + bytes[at..]
                                .iter()
                                .position(|b| ENDS[usize::from(*b)] & VALUE != 0)?;
                        value = (at, end);
                        at = end;
                    }
                }
            }
            count += 1;
            if closing || count > MAX_ATTRIBUTES {
                found.shortened |= !closing;
                continue;
            }
            let (local, _) = self.attributes.get(name);
            if !found.attributes.iter().any(|a| a.name.local == local) {
                found.attributes.push(Attribute {
                    name: QualName::new(None, ns!(), local),
                    value: self.resolved(value.0, value.1, true),
                });
            }
        }
        self.at = at + 1;
        Some(found)
    }
}

/// White space of markup; carriage returns are gone.
fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0c' | b' ')
}

/// Ends the name of a tag.
const TAG: u8 = 1;
/// Ends the name of an attribute.
const NAME: u8 = 2;
/// Ends a value without quotes.
const VALUE: u8 = 4;
/// What each byte ends.
static ENDS: [u8; 256] = {
    let mut ends = [0; 256];
    let spaces = b"\t\n\x0c >";
    let mut at = 0;
    while at < spaces.len() {
        ends[spaces[at] as usize] = TAG | NAME | VALUE;
        at += 1;
    }
    ends[b'/' as usize] = TAG | NAME;
    ends[b'=' as usize] = NAME;
    ends
};

/// Where the text of a comment that begins here ends, and where the page goes on.
fn comment_end(bytes: &[u8], from: usize) -> (usize, usize) {
    let text = &bytes[from..];
    for whole in [&b">"[..], b"->"] {
        if text.starts_with(whole) {
            return (from, from + whole.len());
        }
    }
    let mut at = 0;
    while let Some(found) = memchr::memmem::find(&text[at..], b"--") {
        let end = at + found;
        let behind = &text[end + 2..];
        for sign in [&b">"[..], b"!>"] {
            if behind.starts_with(sign) {
                return (from + end, from + end + 2 + sign.len());
            }
        }
        at = end + 1;
    }
    // What would have been its end is no text of it.
    let cut = text.strip_suffix(b"--!").or_else(|| text.strip_suffix(b"--"));
    let cut = cut.or_else(|| text.strip_suffix(b"-")).unwrap_or(text);
    (from + cut.len(), bytes.len())
}

/// Where the end tag of an element begins whose text is no markup.
fn raw_end(bytes: &[u8], from: usize, name: &[u8]) -> Option<usize> {
    let starts = memchr::memchr_iter(b'<', &bytes[from..]).map(|at| from + at);
    starts.into_iter().find(|at| is_tag(&bytes[at + 1..], b"/", name))
}

/// Whether `/name` and the end of a name stand here.
fn is_tag(bytes: &[u8], sign: &[u8], name: &[u8]) -> bool {
    let rest = bytes.strip_prefix(sign);
    let rest = rest.filter(|r| r.get(..name.len()).is_some_and(|n| n.eq_ignore_ascii_case(name)));
    rest.and_then(|r| r.get(name.len()))
        .is_some_and(|b| ENDS[usize::from(*b)] & TAG != 0)
}

/// Where the end tag of a script begins. In what looks like a comment the tags of an inner script belong to its text
/// (HTML Standard, 13.2.5.15 to 13.2.5.31).
fn script_end(bytes: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    loop {
        let open = self::find(bytes, at, b'<')?;
        let rest = &bytes[open + 1..];
        if is_tag(rest, b"/", b"script") {
            return Some(open);
        }
        at = open + 1;
        if !rest.starts_with(b"!--") {
            continue;
        }
        // Its dashes may be those of its end.
        at = open + 2;
        let mut inner = false;
        loop {
            let next = at + memchr::memchr2(b'<', b'-', bytes.get(at..)?)?;
            let rest = &bytes[next..];
            if rest.starts_with(b"-->") {
                at = next + 3;
                break;
            }
            if !inner && is_tag(rest, b"</", b"script") {
                return Some(next);
            }
            let sign: &[u8] = if inner { b"</" } else { b"<" };
            if is_tag(rest, sign, b"script") {
                inner = !inner;
            }
            at = next + 1;
        }
    }
}

fn find(bytes: &[u8], from: usize, needle: u8) -> Option<usize> {
    memchr::memchr(needle, bytes.get(from..)?).map(|at| from + at)
}

/// Whether nobody reads the text of a script: it is long, it is no data, and no part of `READ`.
fn is_unread(attributes: &[u8], text: &[u8]) -> bool {
    text.len() > SCRIPT
        && !attributes.windows(4).any(|w| w.eq_ignore_ascii_case(b"json"))
        && memchr::memmem::find(text, READ).is_none()
}

/// The document type whose declaration goes on here, and where the page goes on (HTML Standard, 13.2.5.53 to 13.2.5.68).
fn doctype(markup: &str, from: usize) -> (Doctype, usize) {
    let text = &markup[from..];
    let spaces = |text: &str| text.trim_start_matches(['\t', '\n', '\x0c', ' ']).len();
    let right = |text: &str| text.replace('\0', "\u{fffd}").into();
    let mut doctype = Doctype::default();
    // What is left of the declaration, as long as it is right.
    let mut rest = &text[text.len() - spaces(text)..];
    let end = rest.find(['\t', '\n', '\x0c', ' ', '>']).unwrap_or(rest.len());
    if end > 0 {
        doctype.name = Some(right(&rest[..end].to_ascii_lowercase()));
    }
    doctype.force_quirks = end == 0;
    rest = &rest[end..];
    rest = &rest[rest.len() - spaces(rest)..];
    let keyword = rest.get(..6).unwrap_or_default();
    let public = keyword.eq_ignore_ascii_case("public");
    if !doctype.force_quirks && (public || keyword.eq_ignore_ascii_case("system")) {
        rest = &rest[6..];
        let mut ids = Vec::new();
        let wanted = if public { 2 } else { 1 };
        while ids.len() < wanted {
            rest = &rest[rest.len() - spaces(rest)..];
            let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
                break;
            };
            let inner = &rest[1..];
            let end = inner.find([quote, '>']).unwrap_or(inner.len());
            ids.push(right(&inner[..end]));
            rest = &inner[end..];
            if !rest.starts_with(quote) {
                doctype.force_quirks = true;
                break;
            }
            rest = &rest[1..];
        }
        doctype.force_quirks |= ids.is_empty();
        let mut ids = ids.into_iter();
        if public {
            doctype.public_id = ids.next();
        }
        doctype.system_id = ids.next();
        rest = &rest[rest.len() - spaces(rest)..];
        // Behind a system identifier anything may stand.
        doctype.force_quirks |= doctype.system_id.is_none() && !rest.starts_with('>');
    } else {
        doctype.force_quirks |= !rest.starts_with('>');
    }
    let close = rest.find('>');
    doctype.force_quirks |= close.is_none();
    let left = close.map_or(0, |at| rest.len() - at - 1);
    (doctype, markup.len() - left)
}
