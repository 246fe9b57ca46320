//! What a page says of its own encoding: the prescan of the HTML Standard (13.2.3.2), which browsers run on its first
//! bytes, the declarations behind these, at which browsers begin again (13.2.3.4), and the charset of a Content-Type.

use crate::lang::vietnamese::Charset;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};

/// Bytes of a page that are searched for a declaration (HTML Standard, 13.2.3.2).
const BYTES: usize = 1024;

/// Bytes that are searched if the first ones declare nothing.
const LATE_BYTES: usize = 1 << 16;
/// Elements whose text is no markup.
const RAW: [&[u8]; 8] = [
    b"script",
    b"style",
    b"title",
    b"textarea",
    b"xmp",
    b"iframe",
    b"noembed",
    b"noframes",
];

/// The encoding that a page's byte order mark, `meta` or XML declaration names, by its name in the Encoding Standard. A
/// declaration in ASCII cannot tell the truth about UTF-16: it means UTF-8; `x-user-defined` means windows-1252.
#[must_use]
pub fn declared_encoding(body: &[u8]) -> Option<&'static str> {
    if let Some((encoding, _)) = Encoding::for_bom(body) {
        return Some(encoding.name());
    }
    let known = |label: &str| Encoding::for_label(label.as_bytes()).is_some();
    let encoding = Encoding::for_label(search(body, &known).known?.as_bytes())?;
    let encoding = if encoding == UTF_16BE || encoding == UTF_16LE {
        UTF_8
    } else if encoding == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        encoding
    };
    Some(encoding.name())
}

/// The label that a page declares: the first that anybody knows, or else the first at all.
pub(super) fn label(body: &[u8]) -> Option<String> {
    let known =
        |label: &str| Encoding::for_label(label.as_bytes()).is_some() || Charset::from_label(label).is_some();
    let found = search(body, &known);
    found.known.or(found.unknown)
}

/// The `charset` parameter of a Content-Type header, in lower case. White space around `=`, single quotes and quotes
/// that never end are forgiven, as servers of the time wrote them; what stands inside another quoted value is no
/// parameter.
#[must_use]
pub fn http_charset(content_type: &str) -> Option<String> {
    let mut rest = content_type;
    loop {
        // A parameter's name ends at `=`, a value or a type before the first at `;` or `,`.
        let end = rest.find([';', ',', '='])?;
        let (name, behind) = (rest[..end].trim(), &rest[end + 1..]);
        if !rest[end..].starts_with('=') {
            rest = behind;
            continue;
        }
        let value = behind.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let inner = &value[1..];
                inner.split_once(quote).unwrap_or((inner, ""))
            }
            _ => value.split_at(value.find([';', ',']).unwrap_or(value.len())),
        };
        let value = value.split_ascii_whitespace().next().unwrap_or_default();
        let value = value.trim_end_matches(['"', '\'']);
        if name.eq_ignore_ascii_case("charset") && !value.is_empty() {
            return Some(value.to_ascii_lowercase());
        }
        rest = after.split_once([';', ','])?.1;
    }
}

/// The encoding inside `content` of a `meta` (HTML Standard, "extracting a character encoding from a meta element").
fn charset(content: &str) -> Option<String> {
    let mut rest = content;
    loop {
        let at = rest.find("charset")? + "charset".len();
        rest = &rest[at..];
        let Some(value) = rest.trim_start().strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start();
        let found = match value.chars().next()? {
            // A quote that never ends declares nothing.
            quote @ ('"' | '\'') => value[1..].split_once(quote)?.0,
            _ => value
                .split(|c: char| c.is_ascii_whitespace() || matches!(c, ';' | ','))
                .next()?,
        };
        let found = found.trim();
        return (!found.is_empty()).then(|| found.to_owned());
    }
}

#[derive(Default)]
struct Found {
    known: Option<String>,
    unknown: Option<String>,
}

impl Found {
    /// Takes a label; whether the search is over.
    fn take(&mut self, label: String, known: &dyn Fn(&str) -> bool) -> bool {
        if known(&label) {
            self.known = Some(label);
        } else {
            self.unknown.get_or_insert(label);
        }
        self.known.is_some()
    }

    /// Takes the labels of all `meta` up to the first that is known; whether there was one. Where the bytes are over
    /// the search ends: what was at hand is no declaration.
    fn metas(&mut self, scan: &mut Scan<'_>, known: &dyn Fn(&str) -> bool) -> bool {
        while let Some(meta) = scan.next_meta() {
            if let Some(label) = meta
                && self.take(label, known)
            {
                return true;
            }
        }
        false
    }
}

fn search(body: &[u8], known: &dyn Fn(&str) -> bool) -> Found {
    let mut found = Found::default();
    let head = &body[..body.len().min(BYTES)];
    if found.metas(&mut Scan::new(head, false), known) {
        return found;
    }
    if let Some(label) = xml_declaration(head)
        && found.take(label, known)
    {
        return found;
    }
    let late = &body[..body.len().min(LATE_BYTES)];
    let mut scan = Scan::new(late, true);
    if !found.metas(&mut scan, known) {
        let written = std::mem::take(&mut scan.written);
        found.metas(&mut Scan::new(&written, false), known);
    }
    found
}

/// `<?xml version="1.0" encoding="…"?>`
fn xml_declaration(head: &[u8]) -> Option<String> {
    let rest = head.strip_prefix(b"<?xml")?;
    let rest = &rest[..rest.iter().position(|&b| b == b'>')?];
    let at = rest.windows(8).position(|w| w == b"encoding")? + 8;
    let rest = rest[at..]
        .trim_ascii_start()
        .strip_prefix(b"=")?
        .trim_ascii_start();
    let quote = *rest.first().filter(|b| matches!(b, b'"' | b'\''))?;
    let value = &rest[1..];
    let value = &value[..value.iter().position(|&b| b == quote)?];
    // The bytes up to a space would be no label.
    (!value.is_empty() && value.iter().all(|&b| b > b' ')).then(|| lower(value))
}

fn lower(bytes: &[u8]) -> String {
    bytes.iter().map(|b| char::from(b.to_ascii_lowercase())).collect()
}

struct Scan<'a> {
    head: &'a [u8],
    at: usize,
    /// As a parser: what stands inside scripts, styles and titles is no markup. The prescan does not know that.
    parser: bool,
    /// What scripts write, as far as it is constant.
    written: Vec<u8>,
}

impl<'a> Scan<'a> {
    fn new(head: &'a [u8], parser: bool) -> Self {
        Self {
            head,
            at: 0,
            parser,
            written: Vec::new(),
        }
    }

    fn byte(&self) -> Option<u8> {
        self.head.get(self.at).copied()
    }

    fn begins(&self, text: &[u8]) -> bool {
        self.head[self.at..]
            .get(..text.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(text))
    }

    /// Behind the next `text`; `None` if there is none.
    fn behind(&mut self, text: &[u8]) -> Option<()> {
        let found = self.head[self.at..].windows(text.len()).position(|w| w == text)?;
        self.at += found + text.len();
        Some(())
    }

    /// Up to the next tag and over it; the label, if it is a `meta` that declares one. `None`: the bytes are over.
    fn next_meta(&mut self) -> Option<Option<String>> {
        self.at += self.head[self.at..].iter().position(|&b| b == b'<')?;
        if self.begins(b"<!--") {
            // `<!-->` is a whole comment.
            self.at += 2;
            self.behind(b"-->")?;
            return Some(None);
        }
        let behind_meta = self.head.get(self.at + 5);
        if self.begins(b"<meta") && behind_meta.is_some_and(|&b| b.is_ascii_whitespace() || b == b'/') {
            self.at += 5;
            return self.meta();
        }
        let name = self.at + 1 + usize::from(self.begins(b"</"));
        if self.head.get(name).is_some_and(u8::is_ascii_alphabetic) {
            let opens = name == self.at + 1;
            self.at = name;
            while !self.byte().is_some_and(|b| b.is_ascii_whitespace() || b == b'>') {
                self.byte()?;
                self.at += 1;
            }
            let name = self.head[name..self.at].to_ascii_lowercase();
            while self.attribute()?.is_some() {}
            if self.parser && opens && RAW.contains(&name.as_slice()) {
                self.raw(&name)?;
            }
        } else if self.begins(b"<!") || self.begins(b"</") || self.begins(b"<?") {
            self.behind(b">")?;
        } else {
            self.at += 1;
        }
        Some(None)
    }

    /// Up to the end tag of an element whose text is no markup.
    fn raw(&mut self, name: &[u8]) -> Option<()> {
        let start = self.at;
        loop {
            self.at += self.head[self.at..].windows(2).position(|w| w == b"</")?;
            if self.head[self.at + 2..]
                .get(..name.len())
                .is_some_and(|n| n.eq_ignore_ascii_case(name))
            {
                break;
            }
            self.at += 2;
        }
        if name == b"script" {
            write_constants(&self.head[start..self.at], &mut self.written);
        }
        Some(())
    }

    fn meta(&mut self) -> Option<Option<String>> {
        let (mut names, mut pragma, mut need_pragma) = (Vec::new(), false, None);
        let mut label: Option<String> = None;
        while let Some((name, value)) = self.attribute()? {
            if names.contains(&name) {
                continue;
            }
            match name.as_str() {
                "http-equiv" => pragma |= value == "content-type",
                "content" if label.is_none() => {
                    if let Some(charset) = charset(&value) {
                        (label, need_pragma) = (Some(charset), Some(true));
                    }
                }
                "charset" => (label, need_pragma) = (Some(value.trim().to_owned()), Some(false)),
                _ => {}
            }
            names.push(name);
        }
        Some(label.filter(|_| need_pragma.is_some_and(|need| !need || pragma)))
    }

    /// The next attribute of a tag, in lower case (HTML Standard, "get an attribute"); `Some(None)`: the tag ended.
    fn attribute(&mut self) -> Option<Option<(String, String)>> {
        while self.byte()?.is_ascii_whitespace() || self.byte()? == b'/' {
            self.at += 1;
        }
        if self.byte()? == b'>' {
            self.at += 1;
            return Some(None);
        }
        let start = self.at;
        loop {
            let byte = self.byte()?;
            if byte == b'=' && self.at > start {
                break;
            }
            if byte.is_ascii_whitespace() || byte == b'/' || byte == b'>' {
                break;
            }
            self.at += 1;
        }
        let name = lower(&self.head[start..self.at]);
        while self.byte()?.is_ascii_whitespace() {
            self.at += 1;
        }
        if self.byte()? != b'=' {
            return Some(Some((name, String::new())));
        }
        self.at += 1;
        while self.byte()?.is_ascii_whitespace() {
            self.at += 1;
        }
        let value = match self.byte()? {
            quote @ (b'"' | b'\'') => {
                self.at += 1;
                let start = self.at;
                self.behind(&[quote])?;
                lower(&self.head[start..self.at - 1])
            }
            _ => {
                let start = self.at;
                while !self.byte()?.is_ascii_whitespace() && self.byte()? != b'>' {
                    self.at += 1;
                }
                lower(&self.head[start..self.at])
            }
        };
        Some(Some((name, value)))
    }
}

/// What `document.write("…" + '…')` writes: the constant strings at the head of its argument.
fn write_constants(script: &[u8], out: &mut Vec<u8>) {
    const WRITE: &[u8] = b"document.write";
    let mut rest = script;
    while let Some(at) = rest.windows(WRITE.len()).position(|w| w == WRITE) {
        rest = &rest[at + WRITE.len()..];
        rest = rest.strip_prefix(b"ln").unwrap_or(rest).trim_ascii_start();
        let Some(mut argument) = rest.strip_prefix(b"(") else {
            continue;
        };
        loop {
            argument = argument.trim_ascii_start();
            let Some((&quote, string)) = argument.split_first().filter(|(q, _)| matches!(q, b'"' | b'\''))
            else {
                break;
            };
            let mut end = 0;
            while let Some(&byte) = string.get(end).filter(|b| **b != quote) {
                // A backslash keeps the next character from ending the string.
                end += if byte == b'\\' { 1 } else { 0 };
                out.extend(string.get(end));
                end += 1;
            }
            argument = string.get(end + 1..).unwrap_or_default().trim_ascii_start();
            match argument.strip_prefix(b"+") {
                Some(more) => argument = more,
                None => break,
            }
        }
        rest = argument;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_label_that_anybody_knows() {
        let page = b"<meta charset=nonsense><a title='<meta charset=big5>'><meta charset=viscii>";
        assert_eq!(label(page).as_deref(), Some("viscii"));
        assert_eq!(label(b"<meta charset=nonsense>").as_deref(), Some("nonsense"));
        assert_eq!(declared_encoding(page), None);
        assert_eq!(declared_encoding(b"<meta charset=utf-16>"), Some("UTF-8"));
        assert_eq!(
            declared_encoding(b"<?xml version='1.0' encoding='EUC-JP'?>"),
            Some("EUC-JP")
        );
        assert_eq!(declared_encoding(b"<!--><meta charset=koi8-r>"), Some("KOI8-R"));
        assert_eq!(charset("text/html; charset=\"utf-8"), None);
        for (header, label) in [
            ("text/html; Charset = 'UTF-8'", Some("utf-8")),
            ("text/html; charset=\"utf-8", Some("utf-8")),
            ("text/html; x=\"; charset=big5\"; charset=utf-8 x", Some("utf-8")),
            ("text/html; mycharset=big5", None),
            ("charset", None),
            ("text/html; charset=, charset=koi8-r", Some("koi8-r")),
        ] {
            assert_eq!(http_charset(header).as_deref(), label, "{header}");
        }
    }
}
