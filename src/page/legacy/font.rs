//! The font that a text is set in, where it says something about a legacy character set: `face`, inline style, style
//! sheets of the page, `basefont`. A font proposes; it never decides.

use crate::lang::pattern;
use crate::lang::vietnamese::Charset;
use crate::page::attr;
use crate::page::style::{Looks, declaration};
use cssparser::{Parser, Token};
use regex::Regex;
use scraper::{ElementRef, Selector};
use std::sync::LazyLock;

/// Style rules of one page that are looked at; a hand-written page has a few dozen.
const MAX_RULES: usize = 128;
/// Longest selector that is matched, in bytes: text from the web may hold anything.
const MAX_SELECTOR: usize = 256;
/// Most combinators of a selector that is matched: each may walk up the whole tree.
const MAX_COMBINATORS: usize = 3;
/// How often rules are tried on elements of one page; 128 rules on 8,000 elements.
const MAX_TRIED: usize = 1_000_000;
/// Deepest nesting of at-rules.
const MAX_NESTING: usize = 8;

/// What a font name proposes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Hint {
    /// The set that its glyphs are drawn for.
    pub(super) charset: Charset,
    /// Small letters are drawn as capitals: `.VnTimeH`.
    pub(super) capitals: bool,
}

/// A font that an element is set in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Font {
    /// As it is written.
    pub(super) face: String,
    /// What it proposes; nothing for a Unicode font.
    pub(super) hint: Option<Hint>,
}

impl Font {
    /// Whether it draws signs and no letters: the fonts of Word's bullets.
    pub(super) fn is_symbols(&self) -> bool {
        let face = self.face.to_ascii_lowercase();
        face == "symbol" || face.starts_with("wingdings") || face == "webdings"
    }
}

/// What the name of a font proposes. The families: `.Vn*` (TCVN3, the trailing `H` for capitals), `VNI-*`, `VPS *`; a
/// page that went through other hands may have lost the dot.
pub(super) fn hint(face: &str) -> Option<Hint> {
    let name: String = face
        .chars()
        .filter(|c| !matches!(c, '"' | '\'' | '\\'))
        .collect::<String>()
        .trim()
        .to_owned();
    let lower = name.to_ascii_lowercase();
    let set = |charset| {
        Some(Hint {
            charset,
            capitals: false,
        })
    };
    let tcvn3 = Some(Hint {
        charset: Charset::Tcvn3,
        capitals: lower.len() > 4 && lower.ends_with('h'),
    });
    let letter = |at: usize| lower[at..].starts_with(|c: char| c.is_ascii_alphanumeric());
    if lower.contains("viscii") {
        return set(Charset::Viscii);
    }
    if lower.contains("vietware") {
        return set(Charset::VietwareX);
    }
    if lower.contains("tcvn3") || lower.starts_with(".vn") && letter(3) {
        return tcvn3;
    }
    if lower.starts_with("vni-") || lower.starts_with("vni ") {
        return set(Charset::Vni);
    }
    if lower.starts_with("vps ") || lower.starts_with("vps-") {
        return set(Charset::Vps);
    }
    if lower.starts_with("bkhcm") || lower.starts_with("bk-hcm") {
        return set(Charset::Bkhcm2);
    }
    // `VnTime` with its dot lost: a capital follows, or a name of the family does.
    let dotless = name.starts_with("Vn") && name[2..].starts_with(|c: char| c.is_ascii_uppercase())
        || ["vntime", "vnarial", "vnavant", "vnhelvet"]
            .iter()
            .any(|stem| lower.starts_with(stem));
    if dotless && !lower.contains("unicode") {
        return tcvn3;
    }
    if name.starts_with("ABC") && !name[3..].starts_with(|c: char| c.is_ascii_lowercase()) && name.len() > 4 {
        return tcvn3;
    }
    None
}

/// The font of a family list: the first family with a legacy name, else the first.
fn family(value: &str) -> Option<Font> {
    let mut first: Option<&str> = None;
    for face in value.split(',').map(str::trim).filter(|f| !f.is_empty()) {
        if let Some(hint) = hint(face) {
            return Some(Font {
                face: clean(face),
                hint: Some(hint),
            });
        }
        first = first.or(Some(face));
    }
    let face = clean(first?);
    let lower = face.to_ascii_lowercase();
    (!matches!(lower.as_str(), "inherit" | "initial" | "unset" | "revert"))
        .then_some(Font { face, hint: None })
}

/// The family of the `font` shorthand: what follows the size.
fn shorthand(value: &str) -> Option<Font> {
    let start = value
        .find(['"', '\''])
        .or_else(|| {
            let first = value.split(',').next().unwrap_or_default();
            let mut at = 0;
            let mut family = None;
            for word in first.split_inclusive(char::is_whitespace) {
                if word.starts_with(|c: char| c.is_ascii_digit()) {
                    family = Some(at + word.len());
                }
                at += word.len();
            }
            family
        })
        .filter(|&s| s < value.len())?;
    family(&value[start..])
}

/// A name as it is shown: without quotes and escapes, not longer than a name is.
fn clean(face: &str) -> String {
    face.chars()
        .filter(|c| !matches!(c, '"' | '\'' | '\\') && !c.is_control())
        .take(64)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// The font that a list of declarations sets.
fn declared(parser: &mut Parser<'_>) -> Option<Font> {
    let (mut font, mut office): (Option<Font>, Option<Font>) = (None, None);
    while let Some((name, value)) = declaration(parser) {
        match name.as_str() {
            "font-family" => font = family(value).or(font),
            "font" => font = shorthand(value).or(font),
            // Word says here what it sets letters in, when the plain property names a replacement.
            "mso-ascii-font-family" | "mso-hansi-font-family" => office = family(value).or(office),
            _ => {}
        }
    }
    office
        .filter(|o| o.hint.is_some() && font.as_ref().is_none_or(|f| f.hint.is_none()))
        .or(font)
}

/// The font of a `style` attribute.
fn inline(style: &str) -> Option<Font> {
    // Most styles say nothing of fonts; they are not parsed.
    let says = |w: &[u8]| w.eq_ignore_ascii_case(b"font");
    if !style.as_bytes().windows(4).any(says) {
        return None;
    }
    declared(&mut Parser::new(style))
}

struct Rule {
    selector: Selector,
    specificity: (usize, usize, usize),
    font: Font,
}

/// The fonts that the style sheets of a page set. Sheets that are files of their own are not at hand.
pub(super) struct Styles {
    rules: Vec<Rule>,
    base: Option<Font>,
    /// How often a rule was tried on an element.
    tried: std::cell::Cell<usize>,
}

impl Styles {
    /// Reads `<style>` and `<basefont>`. Empty when no legacy font is named: then no element is matched.
    pub(super) fn of(looks: &Looks) -> Self {
        let mut rules = Vec::new();
        // Sheets without any letters of their names are not parsed.
        if looks.sheets.iter().any(|(css, _)| may_name(css)) {
            for (css, _) in &looks.sheets {
                // Old pages hide the sheet from browsers older still.
                let css = css.replace("<!--", "").replace("-->", "");
                sheet(&mut Parser::new(&css), &mut rules, 0);
            }
        }
        if rules.iter().all(|r: &Rule| r.font.hint.is_none()) {
            rules.clear();
        }
        rules.sort_by_key(|r| r.specificity);
        Self {
            rules,
            base: looks.base.as_deref().and_then(family),
            tried: std::cell::Cell::new(0),
        }
    }

    /// The font that a page starts with.
    pub(super) fn base(&self) -> Option<&Font> {
        self.base.as_ref()
    }

    /// The font that an element sets itself; `None`: it inherits.
    pub(super) fn own(&self, element: ElementRef<'_>) -> Option<Font> {
        if let Some(font) = attr(element.value(), "style").and_then(inline) {
            return Some(font);
        }
        // A presentational attribute yields to every rule (CSS 2.1, 6.4.4).
        let tried = self.tried.get();
        self.tried.set(tried + self.rules.len());
        let rules: &[Rule] = if tried > MAX_TRIED { &[] } else { &self.rules };
        rules
            .iter()
            .rev()
            .find(|r| r.selector.matches(&element))
            .map(|r| r.font.clone())
            .or_else(|| {
                (element.value().name() == "font")
                    .then(|| attr(element.value(), "face").and_then(family))
                    .flatten()
            })
    }
}

/// Whether a sheet holds letters without which no name proposes a set ([`hint`]).
fn may_name(css: &str) -> bool {
    static LETTERS: LazyLock<Regex> =
        LazyLock::new(|| pattern(r#"(?i-u:[\s:,;{"'\\.](?:vn|vps|bk-?hcm|abc)|viscii|vietware|tcvn3)"#));
    LETTERS.is_match(css)
}

fn sheet(parser: &mut Parser<'_>, rules: &mut Vec<Rule>, nesting: usize) {
    let mut start = parser.position();
    let mut at_rule: Option<bool> = None;
    loop {
        let end = parser.position();
        let Ok(token) = parser.next() else { return };
        match token {
            Token::AtKeyword(name) => {
                at_rule = Some(name.eq_ignore_ascii_case("media") || name.eq_ignore_ascii_case("supports"));
            }
            Token::Semicolon if at_rule.is_some() => {
                at_rule = None;
                start = parser.position();
            }
            Token::CurlyBracketBlock => {
                let prelude = parser.slice(start..end).trim().to_owned();
                // A block that cannot be read to its end is left where it broke.
                let _ = parser.parse_nested_block(|inner| {
                    match at_rule {
                        Some(true) if nesting < MAX_NESTING => sheet(inner, rules, nesting + 1),
                        Some(_) => {}
                        None => rule(&prelude, inner, rules),
                    }
                    while inner.next().is_ok() {}
                    Ok::<(), cssparser::ParseError<()>>(())
                });
                at_rule = None;
                start = parser.position();
            }
            _ => {}
        }
    }
}

fn rule(prelude: &str, block: &mut Parser<'_>, rules: &mut Vec<Rule>) {
    let Some(font) = declared(block) else { return };
    for text in prelude.split(',').map(str::trim) {
        if rules.len() >= MAX_RULES || text.len() > MAX_SELECTOR {
            continue;
        }
        let combinators = text.split(|c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~'));
        if combinators.filter(|w| !w.is_empty()).count() > MAX_COMBINATORS + 1 {
            continue;
        }
        let Ok(selector) = Selector::parse(text) else {
            continue;
        };
        let count = |of: &[char]| text.matches(of).count();
        let words = text
            .split(|c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~'))
            .filter(|w| w.starts_with(|c: char| c.is_ascii_alphabetic()))
            .count();
        rules.push(Rule {
            selector,
            specificity: (count(&['#']), count(&['.', '[', ':']), words),
            font: font.clone(),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scraper::Html;

    fn charset(face: &str) -> Option<(Charset, bool)> {
        hint(face).map(|h| (h.charset, h.capitals))
    }

    #[test]
    fn names_of_fonts() {
        assert_eq!(charset(".VnTime"), Some((Charset::Tcvn3, false)));
        assert_eq!(charset("\"\\.VnTimeH\""), Some((Charset::Tcvn3, true)));
        assert_eq!(charset("VnArialH"), Some((Charset::Tcvn3, true)));
        assert_eq!(charset("ABC Times"), Some((Charset::Tcvn3, false)));
        assert_eq!(charset("VNI-Times"), Some((Charset::Vni, false)));
        assert_eq!(charset("vni helve"), Some((Charset::Vni, false)));
        assert_eq!(charset("VPS Times"), Some((Charset::Vps, false)));
        for plain in [
            "Times New Roman",
            "Arial",
            "vn",
            ".vn",
            "Vnunicode",
            "UVN Van",
            "abcd",
            "",
            "đ",
        ] {
            assert_eq!(charset(plain), None, "{plain}");
        }
    }

    fn fonts(markup: &str) -> Vec<String> {
        let html = Html::parse_document(markup);
        let styles = Styles::of(&Looks::of(&html));
        html.tree
            .root()
            .descendants()
            .filter_map(ElementRef::wrap)
            .filter_map(|e| styles.own(e))
            .map(|f| f.face)
            .collect()
    }

    #[test]
    fn where_a_font_is_said() {
        assert_eq!(fonts("<font face='.VnTime, Arial'>x</font>"), [".VnTime"]);
        assert_eq!(fonts("<p style='FONT-FAMILY: \".VnTime\"; x: y'>"), [".VnTime"]);
        assert_eq!(fonts("<p style='font: bold 12pt .VnTime, serif'>"), [".VnTime"]);
        assert_eq!(
            fonts("<p style='font-family:Times;mso-ascii-font-family:\".VnTime\"'>"),
            [".VnTime"]
        );
        let sheet = "<style><!-- /* x */ p.MsoNormal, td.a { margin:0; font-family:\"\\.VnTimeH\" }\
            @font-face { font-family: VNI-Times } @media screen { .b { font-family: VNI-Times } } .a { font-family: Arial } --></style>";
        assert_eq!(
            fonts(&format!(
                "{sheet}<p class=MsoNormal>x<p class=b>y<table><td class=a>z"
            )),
            [".VnTimeH", "VNI-Times", ".VnTimeH"]
        );
        // The author's own inline style is stronger than his sheet, the sheet than the attribute.
        assert_eq!(
            fonts(&format!(
                "{sheet}<p class=b style='font-family:Arial'>y</p><font class=b face=Arial>z</font>"
            )),
            ["Arial", "VNI-Times"]
        );
        assert_eq!(
            fonts("<style>p { font-family: Arial }</style><p>x"),
            Vec::<String>::new()
        );
    }

    #[test]
    fn broken_sheets_end() {
        for css in [
            "p { font-family: .VnTime",
            "@media { @media { p {",
            "}}} p{font:.Vn",
            "p{font:\"",
            "{}{}{}",
        ] {
            let _ = fonts(&format!("<style>{css}</style><p>x"));
        }
    }
}
