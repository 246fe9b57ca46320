//! robots.txt as RFC 9309 says it and as Google's matcher reads it. Pure.

use std::borrow::Cow;

/// What of a file is read (RFC 9309 §2.5 asks for at least 500 KiB).
pub const MAX_BYTES: usize = 500 * 1024;
/// Longest line that is read, as in Google's parser (8 × 2,083 bytes with its end mark).
const MAX_LINE: usize = 2083 * 8 - 1;

/// Sitemaps of one file that are kept.
const MAX_SITEMAPS: usize = 100;

/// A rule of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    allow: bool,
    pattern: Vec<u8>,
    line: usize,
}

/// The rules that hold for one agent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Robots {
    rules: Vec<Rule>,
    /// Everything is forbidden (the file could not be had).
    deny_all: bool,
    /// `Crawl-delay` of the group, if it is a sane number.
    pub crawl_delay: Option<std::time::Duration>,
    /// URLs of sitemaps, as written, each once, at most 100.
    pub sitemaps: Vec<String>,
}

/// What robots.txt says of a URL, and which line says so (from 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// May it be fetched?
    pub allowed: bool,
    /// Line of the deciding rule; `None` if no rule matched.
    pub line: Option<usize>,
}

impl Robots {
    /// Nothing is forbidden (RFC 9309 §2.3.1.3: the file is not there).
    #[must_use]
    pub fn allow_all() -> Self {
        Self::default()
    }

    /// Everything is forbidden (RFC 9309 §2.3.1.4: the server could not say).
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            deny_all: true,
            ..Self::default()
        }
    }

    /// The rules for an answer with this status.
    #[must_use]
    pub fn from_answer(status: u16, body: &[u8], agent: &str) -> Self {
        match status {
            200..=299 => Self::parse(body, agent_name(agent)),
            500..=599 | 429 => Self::deny_all(),
            _ => Self::allow_all(),
        }
    }

    /// Reads the groups that name `agent` (see [`agent_name`]), or those for `*` if none does. Groups of one agent merge.
    #[must_use]
    pub fn parse(body: &[u8], agent: &str) -> Self {
        let body = &*text_of(body);
        let (mut own, mut any) = (Vec::new(), Vec::new());
        let (mut own_delay, mut any_delay) = (None, None);
        let mut sitemaps = Vec::new();
        let (mut in_own, mut in_any, mut own_seen) = (false, false, false);
        // A `user-agent` after a rule begins a new group.
        let mut rules_began = false;
        for (index, line) in lines(body).enumerate() {
            let Some((key, value)) = key_value(&line[..line.len().min(MAX_LINE)]) else {
                continue;
            };
            match key {
                Key::UserAgent => {
                    if rules_began {
                        (in_own, in_any, rules_began) = (false, false, false);
                    }
                    let text = String::from_utf8_lossy(value);
                    // `*` alone or followed by white space (Google).
                    if text == "*" || text.starts_with("* ") || text.starts_with("*\t") {
                        in_any = true;
                    } else if names(&text, agent) {
                        (in_own, own_seen) = (true, true);
                    }
                }
                Key::Rule(allow) => {
                    rules_began = true;
                    if !value.is_empty() {
                        let rule = Rule {
                            allow,
                            pattern: normalise(value, true),
                            line: index + 1,
                        };
                        if in_own {
                            own.push(rule.clone());
                        }
                        if in_any {
                            any.push(rule);
                        }
                    }
                }
                Key::Sitemap => {
                    if sitemaps.len() < MAX_SITEMAPS
                        && let Ok(url) = std::str::from_utf8(value)
                        && !url.is_empty()
                        && !sitemaps.iter().any(|known| known == url)
                    {
                        sitemaps.push(url.to_owned());
                    }
                }
                Key::CrawlDelay => {
                    let delay = std::str::from_utf8(value)
                        .ok()
                        .and_then(|v| v.parse::<f64>().ok())
                        .filter(|s| (0.0..=3600.0).contains(s))
                        .map(std::time::Duration::from_secs_f64);
                    // Of several the longest: nobody complains of a crawler that is too slow.
                    if in_own {
                        own_delay = own_delay.max(delay);
                    }
                    if in_any {
                        any_delay = any_delay.max(delay);
                    }
                }
            }
        }
        let (rules, crawl_delay) = if own_seen {
            (own, own_delay)
        } else {
            (any, any_delay)
        };
        Self {
            rules,
            deny_all: false,
            crawl_delay,
            sitemaps,
        }
    }

    /// May this path with its query be fetched? The longest pattern decides, `allow` wins a tie (RFC 9309 §2.2.2).
    #[must_use]
    pub fn decide(&self, path_and_query: &str) -> Decision {
        let path = if path_and_query.is_empty() {
            "/"
        } else {
            path_and_query
        };
        if self.deny_all {
            return Decision {
                allowed: false,
                line: None,
            };
        }
        let path = normalise(path.as_bytes(), false);
        let mut best: Option<&Rule> = None;
        for rule in &self.rules {
            if !matches(&rule.pattern, &path) && !matches_index(rule, &path) {
                continue;
            }
            best = match best {
                Some(b) if b.pattern.len() > rule.pattern.len() => Some(b),
                Some(b) if b.pattern.len() == rule.pattern.len() && (b.allow || !rule.allow) => Some(b),
                _ => Some(rule),
            };
        }
        Decision {
            allowed: best.is_none_or(|r| r.allow),
            line: best.map(|r| r.line),
        }
    }

    /// May this URL be fetched? `/robots.txt` itself always may.
    #[must_use]
    pub fn allows(&self, url: &url::Url) -> bool {
        url.path() == "/robots.txt"
            || self
                .decide(&url[url::Position::BeforePath..url::Position::AfterQuery])
                .allowed
    }

    /// How many rules hold for the agent.
    #[must_use]
    pub fn rules(&self) -> usize {
        self.rules.len()
    }

    /// Is everything forbidden?
    #[must_use]
    pub fn forbids_all(&self) -> bool {
        self.deny_all
    }
}

/// The product token of a User-Agent: its leading letters, `-` and `_` (RFC 9309 §2.2.1).
#[must_use]
pub fn product_token(agent: &str) -> &str {
    let end = agent
        .find(|c: char| !(c.is_ascii_alphabetic() || c == '-' || c == '_'))
        .unwrap_or(agent.len());
    &agent[..end]
}

/// The name by which robots.txt speaks of `agent`: what stands before the version of a whole User-Agent
/// (`sangtrang/1.0 (…)`), and what is given otherwise.
#[must_use]
pub fn agent_name(agent: &str) -> &str {
    match agent.split_once('/') {
        Some((name, _)) => wide_token(name),
        None => agent,
    }
}

/// Does the value of a `user-agent` line name `agent`? Names with digits are no product tokens by RFC 9309, but there
/// are such crawlers, and files that name them.
fn names(value: &str, agent: &str) -> bool {
    let token = if product_token(agent) == agent {
        product_token(value)
    } else {
        wide_token(value)
    };
    !agent.is_empty() && token.eq_ignore_ascii_case(agent)
}

/// As [`product_token`], with digits.
fn wide_token(agent: &str) -> &str {
    let end = agent
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
        .unwrap_or(agent.len());
    &agent[..end]
}

/// Line `number` (from 1) of a file as [`Robots::parse`] counts lines, without the white space around it.
#[must_use]
pub fn line_text(body: &[u8], number: usize) -> Option<String> {
    let body = text_of(body);
    let line = lines(&body).nth(number.checked_sub(1)?)?;
    let line = &line[..line.len().min(MAX_LINE)];
    Some(String::from_utf8_lossy(line.trim_ascii()).into_owned())
}

/// What is read of a file: at most [`MAX_BYTES`], without the byte order mark.
fn text_of(body: &[u8]) -> Cow<'_, [u8]> {
    let body = &body[..body.len().min(MAX_BYTES)];
    match utf16(body) {
        Some(text) => Cow::Owned(text.into_bytes()),
        None => Cow::Borrowed(body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body)),
    }
}

/// The text of a file in UTF-16 (Notepad's "Unicode"), if its byte order mark says so.
pub(super) fn utf16(body: &[u8]) -> Option<String> {
    let unit: fn([u8; 2]) -> u16 = match body {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => return None,
    };
    let units = body[2..].as_chunks().0.iter().map(|pair| unit(*pair));
    let text = char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER));
    Some(text.collect())
}

enum Key {
    UserAgent,
    Rule(bool),
    Sitemap,
    CrawlDelay,
}

/// Lines end with LF, CR or CRLF.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(body);
    std::iter::from_fn(move || {
        let text = rest?;
        match text.iter().position(|&b| b == b'\n' || b == b'\r') {
            Some(at) => {
                let skip = if text[at..].starts_with(b"\r\n") { 2 } else { 1 };
                rest = Some(&text[at + skip..]);
                Some(&text[..at])
            }
            None => {
                rest = None;
                Some(text)
            }
        }
    })
}

/// Key and value of a line. Google's parser takes the usual misspellings, and white space in place of the colon if
/// exactly two words remain.
fn key_value(line: &[u8]) -> Option<(Key, &[u8])> {
    let line = line.split(|&b| b == b'#').next().unwrap_or_default().trim_ascii();
    let (key, value) = match line.iter().position(|&b| b == b':') {
        Some(at) => (&line[..at], &line[at + 1..]),
        None => {
            let at = line.iter().position(|b| b.is_ascii_whitespace())?;
            let value = line[at..].trim_ascii();
            if value.iter().any(u8::is_ascii_whitespace) {
                return None;
            }
            (&line[..at], value)
        }
    };
    let key = key.trim_ascii().to_ascii_lowercase();
    let begins = |names: &[&str]| names.iter().any(|n| key.starts_with(n.as_bytes()));
    let key = if begins(&["user-agent", "useragent", "user agent"]) {
        Key::UserAgent
    } else if begins(&["allow"]) {
        Key::Rule(true)
    } else if begins(&[
        "disallow",
        "dissallow",
        "dissalow",
        "disalow",
        "diasllow",
        "disallaw",
    ]) {
        Key::Rule(false)
    } else if begins(&["sitemap", "site-map"]) {
        Key::Sitemap
    } else if begins(&["crawl-delay", "crawldelay"]) {
        Key::CrawlDelay
    } else {
        return None;
    };
    Some((key, value.trim_ascii()))
}

/// One spelling: hexadecimal digits upper-case, in patterns bytes outside ASCII percent-encoded, nothing else touched.
/// A path comes from a URL, which is encoded already; Google's matcher does not encode it either.
fn normalise(text: &[u8], encode: bool) -> Vec<u8> {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        let digits = text.get(at + 1..at + 3);
        match (byte, digits) {
            (b'%', Some(d)) if d.iter().all(u8::is_ascii_hexdigit) => {
                out.push(b'%');
                out.extend(d.iter().map(u8::to_ascii_uppercase));
                at += 3;
                continue;
            }
            (128.., _) if encode => {
                out.push(b'%');
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
            _ => out.push(byte),
        }
        at += 1;
    }
    out
}

/// `*` is any text, `$` at the end is the end. Linear in pattern × path, without backtracking.
fn matches(pattern: &[u8], path: &[u8]) -> bool {
    let (pattern, anchored) = match pattern.strip_suffix(b"$") {
        Some(p) => (p, true),
        None => (pattern, false),
    };
    let mut parts = pattern.split(|&b| b == b'*');
    let first = parts.next().unwrap_or_default();
    if !path.starts_with(first) {
        return false;
    }
    let mut at = first.len();
    let rest: Vec<&[u8]> = parts.collect();
    let Some((last, middle)) = rest.split_last() else {
        return !anchored || at == path.len();
    };
    for part in middle {
        match find(&path[at..], part) {
            Some(found) => at += found + part.len(),
            None => return false,
        }
    }
    if anchored {
        path.len() - at >= last.len() && path.ends_with(last)
    } else {
        find(&path[at..], last).is_some()
    }
}

/// Google's extension: `allow: /dir/index.html` also allows `/dir/`.
fn matches_index(rule: &Rule, path: &[u8]) -> bool {
    rule.allow
        && rule
            .pattern
            .iter()
            .rposition(|&b| b == b'/')
            .is_some_and(|slash| {
                let name = &rule.pattern[slash + 1..];
                (name.starts_with(b"index.htm")) && path == &rule.pattern[..=slash]
            })
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    if part.is_empty() {
        return Some(0);
    }
    text.windows(part.len()).position(|w| w == part)
}

/// The path of an unparsed URL, as Google's matcher cuts it out: for conformance and `inspect robots`.
#[must_use]
pub fn path_of(url: &str) -> String {
    let after = match url.find("//") {
        Some(at) if url[..at].ends_with(':') || at == 0 => &url[at + 2..],
        _ => url,
    };
    let end = after.find('#').unwrap_or(after.len());
    let after = &after[..end];
    match after.find(['/', '?', ';']) {
        Some(at) if after[at..].starts_with('/') => after[at..].to_owned(),
        Some(at) => format!("/{}", &after[at..]),
        None => "/".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(robots: &str, agent: &str, path: &str) -> bool {
        Robots::parse(robots.as_bytes(), agent).decide(path).allowed
    }

    #[test]
    fn longest_match_wins_and_groups_merge() {
        let text = "User-agent: *\nDisallow: /\n\nUser-agent: sangtrang\nDisallow: /a\nAllow: /a/b\n\nUser-agent: SANGTRANG/1\nDisallow: /c$\n";
        assert!(allowed(text, product_token("sangtrang/0.1 (x)"), "/"));
        assert!(!allowed(text, "sangtrang", "/ax"));
        assert!(allowed(text, "sangtrang", "/a/b?c"));
        assert!(!allowed(text, "sangtrang", "/c"));
        assert!(allowed(text, "sangtrang", "/c/d"));
        assert!(!allowed(text, "other", "/x"));
    }

    #[test]
    fn wildcards_and_percent_encoding() {
        assert!(!allowed("user-agent:*\ndisallow:/*.pdf$", "a", "/x/y.pdf"));
        assert!(allowed("user-agent:*\ndisallow:/*.pdf$", "a", "/x/y.pdf?z"));
        assert!(!allowed("user-agent:*\ndisallow:/tìm", "a", "/t%c3%acm?q"));
        // Many stars must not make matching slow.
        let slow = format!("user-agent:*\ndisallow:/{}$", "*a".repeat(2000));
        assert!(allowed(&slow, "a", &format!("/{}b", "a".repeat(5000))));
    }

    #[test]
    fn answers_without_a_file() {
        assert!(Robots::from_answer(404, b"", "a").decide("/x").allowed);
        assert!(!Robots::from_answer(503, b"", "a").decide("/x").allowed);
        let robots = Robots::from_answer(
            200,
            b"Sitemap: http://h/s.xml\nUser-agent: *\nCrawl-delay: 2.5\nDisallow:",
            "a",
        );
        assert_eq!(robots.sitemaps, ["http://h/s.xml"]);
        assert_eq!(robots.crawl_delay, Some(std::time::Duration::from_millis(2500)));
    }

    #[test]
    fn the_deciding_line_and_utf16() {
        let text = "# hello\r\nUser-agent: *\r\n  Disallow: /a # private \r\nCrawl-delay: 1\nCrawl-delay: 3\nSitemap: http://h/s\nSitemap: http://h/s";
        let robots = Robots::parse(text.as_bytes(), "x");
        assert_eq!(robots.decide("/ab").line, Some(3));
        assert_eq!(robots.decide("/b").line, None);
        assert_eq!(
            line_text(text.as_bytes(), 3).as_deref(),
            Some("Disallow: /a # private")
        );
        assert_eq!(line_text(text.as_bytes(), 0), None);
        assert_eq!(robots.crawl_delay, Some(std::time::Duration::from_secs(3)));
        assert_eq!(robots.sitemaps, ["http://h/s"]);
        let utf16: Vec<u8> = std::iter::once(0xfeffu16)
            .chain(text.encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(Robots::parse(&utf16, "x"), robots);
        assert_eq!(agent_name("FooBot/2.1 (+x)"), "FooBot");
        assert_eq!(agent_name("Foo Bar"), "Foo Bar");
        let digits = "User-agent: bot2\nDisallow: /2\nUser-agent: bot3/1.0\nDisallow: /3";
        assert!(!allowed(digits, agent_name("Bot3/2.0 (x)"), "/3"));
        assert!(allowed(digits, "bot3", "/2"));
    }
}
