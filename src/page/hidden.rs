//! What the style sheets of a page hide, and what they set in lines of its own. A small cascade over `display` and
//! `visibility`, for the sheets that stand in the page itself: those that are files of their own are not at hand.

use super::above::{self, Above};
use super::nodes::attr;
use super::style::{Looks, block_end, declaration, next, skip};
use cssparser::Parser;
use scraper::{ElementRef, Selector};
use std::cell::Cell;
use std::collections::HashMap;

/// Rules that are kept.
const MAX_RULES: usize = 8192;
/// Longest selector that is read.
const MAX_SELECTOR: usize = 256;
/// Deepest nesting of `@media` and the like.
const MAX_NESTING: usize = 8;
/// Times that a rule is tried on an element of one page; what lies beyond is taken to be shown.
const MAX_TRIED: usize = 1_000_000;
/// Combinators of one selector: matching is exponential in them at worst.
const MAX_COMBINATORS: usize = 4;
/// The window for which media queries are asked, in pixels: a desktop's.
const WINDOW: (f64, f64) = (1280.0, 900.0);

/// How an element is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Set {
    /// Not at all.
    Hidden,
    /// In lines of its own.
    Block,
    /// The same, and so are its children.
    Flex,
    /// In the line of its parent.
    Inline,
    /// As it would be anyway.
    Shown,
    /// As its parent is.
    Inherited,
}

/// What a rule says of an element, and whether `!important`.
#[derive(Clone, Copy, Debug, Default)]
struct Said {
    display: Option<(Set, bool)>,
    visibility: Option<(Set, bool)>,
}

/// What the page's own sheets do to an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// It is not shown.
    pub(super) hidden: bool,
    /// It stands in lines of its own.
    pub(super) block: bool,
    /// So do its children.
    pub(super) flex: bool,
    /// It stands inside of lines.
    pub(super) inline: bool,
    /// It is hidden so that elements in it may be shown all the same (`visibility`).
    pub(super) veiled: bool,
    /// It is shown in an element that is hidden so.
    pub(super) unveiled: bool,
}

/// Rules by what every element has that they can match.
#[derive(Default)]
pub(super) struct Rules {
    all: Vec<Rule>,
    ids: HashMap<String, Vec<usize>>,
    classes: HashMap<String, Vec<usize>>,
    names: HashMap<String, Vec<usize>>,
    any: Vec<usize>,
    tried: Cell<usize>,
}

struct Rule {
    selector: Selector,
    /// It asks for nothing but what it is found by.
    plain: bool,
    /// What must stand above.
    wanted: Vec<usize>,
    specificity: (usize, usize, usize),
    said: Said,
}

impl Rules {
    /// Reads the sheets of a page.
    pub(super) fn of(looks: &Looks) -> Self {
        let mut rules = Self::default();
        for (css, media) in &looks.sheets {
            // Brackets that XHTML needed swallow a whole sheet in HTML: browsers read nothing of it.
            if speaks(css) && applies(media) && !css.trim_start().starts_with("<![CDATA[") {
                sheet(css, &mut rules, 0);
            }
        }
        rules
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What the sheets and its own `style` do to an element that stands below others.
    pub(super) fn say(&self, element: ElementRef<'_>, above: &Above) -> Shown {
        let value = element.value();
        let style = attr(value, "style").filter(|s| speaks(s));
        if self.all.is_empty() && style.is_none() {
            return Shown::default();
        }
        // The strongest word so far: important, specificity, order.
        type Best = Option<((bool, (usize, usize, usize), usize), Set)>;
        let (mut display, mut visibility): (Best, Best) = (None, None);
        let mut ask = |found: &[usize]| {
            for &at in found {
                let tried = self.tried.get();
                self.tried.set(tried + 1);
                let rule = &self.all[at];
                let matches =
                    || rule.plain || above.may_hold(&rule.wanted) && rule.selector.matches(&element);
                if tried >= MAX_TRIED || !matches() {
                    continue;
                }
                for (best, said) in [
                    (&mut display, rule.said.display),
                    (&mut visibility, rule.said.visibility),
                ] {
                    let Some((set, important)) = said else { continue };
                    let strength = (important, rule.specificity, at);
                    if best.is_none_or(|(other, _)| strength >= other) {
                        *best = Some((strength, set));
                    }
                }
            }
        };
        if !self.ids.is_empty()
            && let Some(found) = attr(value, "id").and_then(|id| self.ids.get(id))
        {
            ask(found);
        }
        if !self.classes.is_empty() {
            let classes = attr(value, "class").unwrap_or_default();
            for class in classes.split_ascii_whitespace() {
                if let Some(found) = self.classes.get(class) {
                    ask(found);
                }
            }
        }
        if !self.names.is_empty()
            && let Some(found) = self.names.get(value.name())
        {
            ask(found);
        }
        ask(&self.any);
        // The element's own style yields only to what is important.
        let own = style.map(|s| declared(&mut Parser::new(s))).unwrap_or_default();
        let verdict = |best: Best, own: Option<(Set, bool)>| match (best, own) {
            (Some(((true, ..), set)), Some((_, false)) | None) => Some(set),
            (_, Some((set, _))) => Some(set),
            (best, None) => best.map(|(_, set)| set),
        };
        let display = verdict(display, own.display);
        let visibility = verdict(visibility, own.visibility);
        let hidden = display == Some(Set::Hidden);
        let veiled = !hidden && visibility == Some(Set::Hidden);
        Shown {
            hidden: hidden || veiled,
            veiled,
            unveiled: !hidden && visibility == Some(Set::Shown),
            block: matches!(display, Some(Set::Block | Set::Flex)),
            flex: display == Some(Set::Flex),
            inline: display == Some(Set::Inline),
        }
    }
}

/// Whether declarations or sheets may say something of what is shown.
pub(super) fn speaks(css: &str) -> bool {
    // Most sheets and styles hold these words nowhere: looked for by their rarest letter.
    let bytes = css.as_bytes();
    let near = |at: usize, back: usize, word: &[u8]| {
        at.checked_sub(back)
            .and_then(|start| bytes.get(start..start + word.len()))
            .is_some_and(|w| w.eq_ignore_ascii_case(word))
    };
    memchr::memchr2_iter(b'y', b'Y', bytes)
        .any(|at| near(at, b"displa".len(), b"display") || near(at, b"visibilit".len(), b"visibility"))
}

/// Reads rules: their structure by braces, because most of a sheet says nothing of what is shown and need not be parsed.
fn sheet(css: &str, rules: &mut Rules, nesting: usize) {
    let bytes = css.as_bytes();
    let (mut at, mut start) = (0, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'{' => {
                let end = block_end(bytes, at + 1);
                let (prelude, body) = (css[start..at].trim(), &css[at + 1..end]);
                at = (end + 1).min(bytes.len());
                start = at;
                if !speaks(body) {
                    continue;
                }
                let prelude = without_comments(prelude);
                // Old pages hide the sheet from browsers older still.
                let prelude = prelude
                    .trim()
                    .trim_start_matches("<!--")
                    .trim_start_matches("-->")
                    .trim_start();
                match prelude.strip_prefix('@') {
                    None => rule(prelude, body, rules),
                    Some(_) if nesting >= MAX_NESTING => {}
                    Some(query) => {
                        let end = query
                            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
                            .unwrap_or(query.len());
                        let (name, query) = query.split_at(end);
                        let name = name.to_ascii_lowercase();
                        if matches!(name.as_str(), "supports" | "layer")
                            || (name == "media" && applies(query))
                        {
                            sheet(body, rules, nesting + 1);
                        }
                    }
                }
            }
            b';' | b'}' => {
                at += 1;
                start = at;
            }
            _ => at = next(bytes, skip(bytes, at)),
        }
    }
}

fn without_comments(css: &str) -> std::borrow::Cow<'_, str> {
    if !css.contains("/*") {
        return css.into();
    }
    let mut out = String::new();
    let mut rest = css;
    while let Some((before, after)) = rest.split_once("/*") {
        out.push_str(before);
        rest = after.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out.into()
}

fn rule(prelude: &str, body: &str, rules: &mut Rules) {
    let said = declared(&mut Parser::new(body));
    if said.display.is_none() && said.visibility.is_none() {
        return;
    }
    for text in split(prelude) {
        let text = text.trim();
        if rules.all.len() >= MAX_RULES || text.is_empty() || text.len() > MAX_SELECTOR {
            continue;
        }
        let compounds_of = text.split(|c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~'));
        let long = compounds_of.filter(|w| !w.is_empty()).count() > MAX_COMBINATORS + 1;
        if long || text.contains(":has(") {
            continue;
        }
        // States of the pointer and parts that are no elements (`:hover`, `::before`) are not read: nobody points.
        let Ok(selector) = Selector::parse(text) else {
            continue;
        };
        let (own, words) = compounds(text);
        let count = |of: &[char]| text.matches(of).count();
        let number = rules.all.len();
        match (own.get(..1), own.get(1..)) {
            (Some("#"), Some(id)) => rules.ids.entry(id.to_owned()).or_default(),
            (Some("."), Some(class)) => rules.classes.entry(class.to_owned()).or_default(),
            (Some("*"), _) => &mut rules.any,
            _ => rules.names.entry(own.clone()).or_default(),
        }
        .push(number);
        rules.all.push(Rule {
            selector,
            plain: text == own,
            wanted: above::wanted(text),
            specificity: (count(&['#']), count(&['.', '[', ':']), words),
            said,
        });
    }
}

/// The parts of a list of selectors.
fn split(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut out) = (0_i32, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth <= 0 => {
                out.push(&list[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    out.push(&list[start..]);
    out
}

/// What every element that a selector can match has (`#id`, `.class`, name or `*`), and how many names it holds.
fn compounds(selector: &str) -> (String, usize) {
    let (mut depth, mut last, mut names, mut fresh) = (0_i32, 0, 0, true);
    for (at, c) in selector.char_indices() {
        match c {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            c if depth == 0 && (c.is_whitespace() || matches!(c, '>' | '+' | '~')) => {
                last = at + c.len_utf8();
                fresh = true;
                continue;
            }
            c if depth == 0 && fresh && c.is_ascii_alphabetic() => names += 1,
            _ => {}
        }
        fresh = false;
    }
    let own = &selector[last..];
    // What stands in brackets is of other elements or of attributes.
    let own = own.split(['(', '[', ':']).next().unwrap_or_default();
    let part = |sign: char| {
        let rest = &own[own.find(sign)? + 1..];
        let end = rest.find(['#', '.', '\\']).unwrap_or(rest.len());
        (!rest[..end].is_empty() && !rest[end..].starts_with('\\')).then(|| format!("{sign}{}", &rest[..end]))
    };
    let name = own
        .split(['#', '.'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let name = if name.is_empty() || own.contains('\\') {
        "*".to_owned()
    } else {
        name
    };
    (part('#').or_else(|| part('.')).unwrap_or(name), names)
}

/// What declarations say of `display` and `visibility`.
fn declared(parser: &mut Parser<'_>) -> Said {
    let mut said = Said::default();
    while let Some((name, value)) = declaration(parser) {
        if name != "display" && name != "visibility" {
            continue;
        }
        let value = value.to_ascii_lowercase();
        let important = value.contains("!important") || value.contains("! important");
        let word = value
            .split(['!', ' '])
            .find(|w| !w.is_empty())
            .unwrap_or_default();
        let slot = if name == "display" {
            &mut said.display
        } else {
            &mut said.visibility
        };
        let set = match (name.as_str(), word) {
            ("display", "none") | ("visibility", "hidden" | "collapse") => Set::Hidden,
            ("display", "block" | "list-item" | "table" | "table-row" | "table-cell" | "flow-root") => {
                Set::Block
            }
            ("display", "flex" | "grid" | "-webkit-box" | "-ms-flexbox" | "-webkit-flex") => Set::Flex,
            ("display", "inline" | "inline-block") => Set::Inline,
            ("visibility", "inherit" | "unset") => Set::Inherited,
            _ => Set::Shown,
        };
        // Spellings of one engine only yield to the one that all read.
        if slot.is_none_or(|(_, before)| important || !before) && !(word.starts_with('-') && slot.is_some()) {
            *slot = Some((set, important));
        }
    }
    said
}

/// Whether a media query holds on a desktop's screen. What it asks beyond type, width and height does not.
fn applies(query: &str) -> bool {
    let query = query.to_ascii_lowercase();
    query.trim().is_empty() || query.split(',').any(one_applies)
}

fn one_applies(query: &str) -> bool {
    let mut words = query.trim();
    let not = words.strip_prefix("not ");
    words = not.unwrap_or(words).trim_start_matches("only ").trim();
    let holds = words.split(" and ").map(str::trim).all(|part| match part {
        "" | "all" | "screen" => true,
        part => {
            let Some(inside) = part.strip_prefix('(').and_then(|p| p.strip_suffix(')')) else {
                return false;
            };
            let Some((name, value)) = inside.split_once(':') else {
                return false;
            };
            let value = value.trim();
            let pixels = || {
                let end = value
                    .find(|c: char| !(c.is_ascii_digit() || c == '.'))
                    .unwrap_or(value.len());
                let number: Option<f64> = value[..end].parse().ok();
                match &value[end..] {
                    "" | "px" => number,
                    "em" | "rem" => number.map(|n| n * 16.0),
                    _ => None,
                }
            };
            match name.trim() {
                "min-width" => pixels().is_some_and(|n| WINDOW.0 >= n),
                "max-width" => pixels().is_some_and(|n| WINDOW.0 <= n),
                "min-height" => pixels().is_some_and(|n| WINDOW.1 >= n),
                "max-height" => pixels().is_some_and(|n| WINDOW.1 <= n),
                "orientation" => value == "landscape",
                "hover" => value == "hover",
                "pointer" => value == "fine",
                _ => false,
            }
        }
    });
    holds != not.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use scraper::Html;

    fn hidden(markup: &str) -> Vec<String> {
        let html = Html::parse_document(markup);
        let rules = Rules::of(&Looks::of(&html));
        let mut ids: Vec<String> = html
            .tree
            .root()
            .descendants()
            .filter_map(ElementRef::wrap)
            .filter(|e| {
                let mut above = Above::default();
                e.ancestors()
                    .filter_map(|n| n.value().as_element())
                    .for_each(|n| above.open(n));
                rules.say(*e, &above).hidden
            })
            .map(|e| e.value().id().unwrap_or("?").to_owned())
            .collect();
        ids.sort();
        ids
    }

    #[test]
    fn the_cascade() {
        let page = "<p id=a class=x><p id=b class='x y'><div id=c class=x style='display:block'></div><i id=d></i><b id=e></b>";
        for (css, ids) in [
            (".x{display:none}", &["a", "b"][..]),
            (".x{display:none!important}", &["a", "b", "c"]),
            (".x{display:none} .x.y{display:block}", &["a"]),
            ("p.y{display:block} .x{display:none}", &["a"]),
            (".x{display:none;display:flex}", &[]),
            ("#d, p:hover, i::before {visibility: hidden}", &["d"]),
            (
                "@media print{.x{display:none}} @media (max-width:600px){i{display:none}}",
                &[],
            ),
            ("@media screen and (min-width: 30em){i{display:none}}", &["d"]),
            ("@media not print{b{display:none}}", &["e"]),
            ("body > b:not(.q) {display:none}", &["e"]),
            (".z{display:none} @font-face{x:y} i{display:none", &["d"]),
        ] {
            assert_eq!(hidden(&format!("<style>{css}</style>{page}")), ids, "{css}");
        }
    }

    #[test]
    fn broken_sheets_end() {
        for css in [
            "p{display:none",
            "@media{@media{p{display:none",
            "}}}p{display:none",
            "\\,.\\{display:none}",
            "#.{display:none}",
        ] {
            let _ = hidden(&format!("<style>{css}</style><p>x"));
        }
    }
}
