//! XPath 1.0 as site configurations use it, in the words of CSS; what CSS cannot say is refused with the reason.

mod condition;

use std::fmt::Write as _;

/// Deepest nesting of conditions.
const DEPTH: usize = 16;

/// Most selectors that one expression becomes: each `or` doubles them.
const ALTERNATIVES: usize = 24;

/// Longest expression, in bytes.
const LONGEST: usize = 4096;

/// An expression in the words of a mapping.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Translated {
    /// A selector, or a list of them.
    pub(super) css: String,
    /// An attribute instead of the text.
    pub(super) attr: Option<String>,
    /// What is taken of it.
    pub(super) regex: Option<String>,
    /// The expression is this text.
    pub(super) literal: Option<String>,
    /// Only the first of all matches is meant.
    pub(super) first: bool,
    /// What is not quite the same, for people.
    pub(super) notes: Vec<String>,
}

/// Translates an expression.
///
/// # Errors
/// What CSS cannot say, for people.
pub(super) fn translate(xpath: &str) -> Result<Translated, String> {
    if xpath.len() > LONGEST {
        return Err(format!("it has more than {LONGEST} characters"));
    }
    let mut parser = Parser {
        text: xpath.trim(),
        at: 0,
    };
    let out = parser.value(0)?;
    parser.spaces();
    if parser.at < parser.text.len() {
        return Err(format!("`{}` is not understood", parser.rest()));
    }
    Ok(out)
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Child,
    Descendant,
    Following,
}

/// Conditions on one element: each alternative is what is written behind its name.
type Alternatives = Vec<String>;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn spaces(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Takes a sign or a word if it is next.
    fn take(&mut self, word: &str) -> bool {
        self.spaces();
        let hit = self.rest().starts_with(word);
        self.at += if hit { word.len() } else { 0 };
        hit
    }

    fn need(&mut self, word: &str) -> Result<(), String> {
        if self.take(word) {
            return Ok(());
        }
        Err(match self.rest() {
            "" => format!("`{word}` is missing at the end"),
            rest => format!("`{word}` is missing before `{rest}`"),
        })
    }

    /// Takes a keyword: it ends where its letters end.
    fn keyword(&mut self, word: &str) -> bool {
        self.spaces();
        let ends = |rest: &str| {
            !rest[word.len()..].starts_with(|c: char| c.is_alphanumeric() || matches!(c, '-' | '_'))
        };
        let hit = self.rest().starts_with(word) && ends(self.rest());
        self.at += if hit { word.len() } else { 0 };
        hit
    }

    /// Takes `name(`.
    fn function(&mut self, name: &str) -> bool {
        let before = self.at;
        if self.keyword(name) && self.take("(") {
            return true;
        }
        self.at = before;
        false
    }

    fn name(&mut self) -> Option<&'a str> {
        self.spaces();
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_')))
            .unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    fn literal(&mut self) -> Option<&'a str> {
        self.spaces();
        let rest = self.rest();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let end = rest[1..].find(quote)? + 1;
        self.at += end + 1;
        Some(&rest[1..end])
    }

    fn number(&mut self) -> Option<u32> {
        self.spaces();
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..end].parse().ok()?;
        self.at += end;
        Some(number)
    }

    /// A whole expression: a text, a function of one, or paths.
    fn value(&mut self, depth: usize) -> Result<Translated, String> {
        if depth > DEPTH {
            return Err("it is nested too deep".into());
        }
        if let Some(text) = self.literal() {
            return Ok(Translated {
                literal: Some(text.to_owned()),
                ..Translated::default()
            });
        }
        for name in ["normalize-space", "string"] {
            if self.function(name) {
                let out = self.value(depth + 1)?;
                self.need(")")?;
                return Ok(out);
            }
        }
        for (name, after) in [("substring-after", true), ("substring-before", false)] {
            if !self.function(name) {
                continue;
            }
            let mut out = self.value(depth + 1)?;
            self.need(",")?;
            let mark = self.literal().ok_or("a text is missing in quotes")?;
            let mark = regex::escape(mark);
            self.need(")")?;
            out.regex = Some(match (out.regex.as_deref(), after) {
                (None, true) => format!("{mark}(.+)"),
                (None, false) => format!("^(.+?){mark}"),
                // What stands between two marks.
                (Some(before), false) if before.ends_with("(.+)") => {
                    format!("{}(.+?){mark}", before.trim_end_matches("(.+)"))
                }
                _ => return Err("only one part of a text can be cut out".into()),
            });
            return Ok(out);
        }
        for name in [
            "concat",
            "translate",
            "substring",
            "replace",
            "count",
            "name",
            "local-name",
        ] {
            if self.function(name) {
                return Err(format!("a mapping has no `{name}()`"));
            }
        }
        self.paths(depth)
    }

    /// Paths with `|` between them.
    fn paths(&mut self, depth: usize) -> Result<Translated, String> {
        let mut out = self.path(depth)?;
        while self.take("|") {
            let next = self.path(depth)?;
            if next.attr != out.attr {
                return Err("one of its paths takes an attribute, another one not".into());
            }
            if next.first || out.first {
                return Err("the first match of each of several paths is no selector".into());
            }
            let _ = write!(out.css, ", {}", next.css);
            out.notes.extend(next.notes);
        }
        Ok(out)
    }

    fn path(&mut self, depth: usize) -> Result<Translated, String> {
        let before = self.at;
        if self.take("(") {
            let mut out = self.paths(depth + 1)?;
            self.need(")")?;
            if self.take("[") {
                let first = self.number() == Some(1) && self.take("]");
                if !first {
                    return Err("CSS cannot count all matches of a selector".into());
                }
                out.first = true;
            }
            self.spaces();
            if self.rest().starts_with(['/', '[']) {
                self.at = before;
                return Err(format!("CSS has no brackets round a path: `{}`", self.rest()));
            }
            return Ok(out);
        }
        self.steps(depth)
    }

    fn steps(&mut self, depth: usize) -> Result<Translated, String> {
        let mut out = Translated::default();
        // What each step is: the way to it, and its alternatives.
        let mut steps: Vec<(Way, Alternatives)> = Vec::new();
        let _ = self.take(".") && !self.rest().starts_with('.');
        let mut way = if self.take("//") {
            Way::Descendant
        } else if self.take("/") {
            out.notes
                .push("a path from the root breaks with the first change of the page".into());
            Way::Child
        } else {
            Way::Descendant
        };
        loop {
            if self.take("..") {
                up(&mut steps, way)?;
            } else if self.take("@") {
                let name = self.name().ok_or("`@*` has no selector")?.to_ascii_lowercase();
                match steps.last_mut() {
                    Some((_, last)) => last.iter_mut().for_each(|l| l.push_str(&format!("[{name}]"))),
                    None => steps.push((way, vec![format!("[{name}]")])),
                }
                out.attr = Some(name);
                break;
            } else if self.function("text") {
                self.need(")")?;
                out.notes
                    .push("the whole text of the element is taken, not its own text alone".into());
                break;
            } else {
                let (on, step) = self.step(way, depth)?;
                steps.push((on, step));
            }
            way = if self.take("//") {
                Way::Descendant
            } else if self.take("/") {
                Way::Child
            } else {
                break;
            };
        }
        out.css = joined(&steps)?;
        if out.css.is_empty() {
            return Err("it names no element".into());
        }
        Ok(out)
    }

    /// One step: axis, name, conditions.
    fn step(&mut self, way: Way, depth: usize) -> Result<(Way, Alternatives), String> {
        let mut way = way;
        let name = if self.take("*") {
            "*".to_owned()
        } else {
            let found = self.name().ok_or_else(|| match self.rest() {
                "" => "a name is missing at the end".to_owned(),
                rest => format!("`{rest}` is not understood"),
            })?;
            if self.take("::") {
                way = match found {
                    "child" => way,
                    "descendant" | "descendant-or-self" => Way::Descendant,
                    "following-sibling" => Way::Following,
                    other => return Err(format!("CSS cannot go by `{other}::`")),
                };
                if self.take("*") {
                    "*".to_owned()
                } else {
                    let name = self.name().ok_or("a name is missing behind `::`")?;
                    name.to_ascii_lowercase()
                }
            } else {
                found.to_ascii_lowercase()
            }
        };
        if self.rest().starts_with(':') {
            return Err("names with a prefix are not selected".into());
        }
        if self.rest().starts_with('(') {
            return Err(format!("`{name}()` is not understood"));
        }
        let mut alternatives = vec![String::new()];
        let mut conditions = 0;
        while self.take("[") {
            let place = self.place(&name, way, conditions)?;
            let more = match place {
                Some(place) => vec![place],
                None => self.or(depth + 1)?,
            };
            self.need("]")?;
            alternatives = times(&alternatives, &more)?;
            conditions += 1;
        }
        let named = |rest: &String| match name.as_str() {
            "*" if !rest.is_empty() => rest.clone(),
            _ => format!("{name}{rest}"),
        };
        Ok((way, alternatives.iter().map(named).collect()))
    }
}

/// `..`: the parent of the last step, by what it holds.
fn up(steps: &mut Vec<(Way, Alternatives)>, way: Way) -> Result<(), String> {
    if way != Way::Child || steps.len() != 1 {
        return Err("CSS goes up only from the first step".into());
    }
    let (on, last) = steps.remove(0);
    if on != Way::Descendant {
        return Err("CSS goes up only from the first step".into());
    }
    let has = last.iter().map(|l| format!(":has(> {l})")).collect();
    steps.push((Way::Descendant, has));
    Ok(())
}

fn few(all: &[String]) -> Result<(), String> {
    if all.len() > ALTERNATIVES {
        return Err(format!("it becomes more than {ALTERNATIVES} selectors"));
    }
    Ok(())
}

/// Every one of `a` with every one of `b` behind it.
fn times(a: &[String], b: &[String]) -> Result<Alternatives, String> {
    let out: Vec<String> = a
        .iter()
        .flat_map(|a| b.iter().map(move |b| format!("{a}{b}")))
        .collect();
    few(&out)?;
    Ok(out)
}

fn joined(steps: &[(Way, Alternatives)]) -> Result<String, String> {
    let mut all = vec![String::new()];
    for (n, (way, alternatives)) in steps.iter().enumerate() {
        let mark = match way {
            _ if n == 0 => "",
            Way::Child => " > ",
            Way::Descendant => " ",
            Way::Following => " ~ ",
        };
        let with: Vec<String> = alternatives.iter().map(|a| format!("{mark}{a}")).collect();
        all = times(&all, &with)?;
    }
    Ok(all.join(", "))
}

fn plain(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

/// A text as CSS quotes it.
fn string(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("a text holds control characters".into());
    }
    Ok(format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn css(xpath: &str) -> String {
        let out = translate(xpath).unwrap_or_else(|e| panic!("{xpath}: {e}"));
        for css in out.css.split(", ") {
            crate::mapping::Css::new(css).unwrap_or_else(|e| panic!("{xpath}: {css}: {e}"));
        }
        out.css
    }

    #[test]
    fn what_css_can_say_is_translated() {
        for (xpath, wanted) in [
            ("//div[@id='content']", "div#content"),
            ("//*[@id=\"a b\"]", "[id=\"a b\"]"),
            ("//div[@class='post entry']", "div[class=\"post entry\"]"),
            ("//div[contains(@class, 'entry')]", "div[class*=\"entry\"]"),
            (
                "//div[contains(concat(' ',normalize-space(@class),' '),' entry ')]",
                "div.entry",
            ),
            (
                "//div[contains(concat(' ', @class, ' '), concat(' ', 'x', ' '))]",
                "div.x",
            ),
            ("//div[@id='a']//p/span", "div#a p > span"),
            ("//h1", "h1"),
            ("//ul/li[2]", "ul > li:nth-of-type(2)"),
            ("//p[last()]", "p:last-of-type"),
            ("//p[position()<3]", "p:nth-of-type(-n+2)"),
            ("//*[1]", ":nth-child(1)"),
            ("//div[@id='a' or @id='b']/p", "div#a > p, div#b > p"),
            ("//div[@id='a'] | //section", "div#a, section"),
            ("//div[@id='a' and not(@class='x')]", "div#a:not([class=\"x\"])"),
            ("//div[not(@id='a' or @id='b')]", "div:not(#a):not(#b)"),
            ("//div[starts-with(@id,'post-')]", "div[id^=\"post-\"]"),
            ("//div[p]", "div:has(> p)"),
            ("//div[.//img[@src]]", "div:has(img[src])"),
            ("//h2[@id='t']/following-sibling::p", "h2#t ~ p"),
            ("//img[@id='x']/..", ":has(> img#x)"),
            ("//*[self::h1 or self::h2]", ":is(h1), :is(h2)"),
            ("//div[@data-x!='1']", "div[data-x]:not([data-x=\"1\"])"),
            ("//DIV[@CLASS='a']", "div[class=\"a\"]"),
            ("/html/body/div[2]", "html > body > div:nth-of-type(2)"),
            ("//div[@id='a']/descendant::p", "div#a p"),
        ] {
            assert_eq!(css(xpath), wanted, "{xpath}");
        }
        let time = translate("//time[@class='d']/@datetime").unwrap();
        assert_eq!(
            (time.css.as_str(), time.attr.as_deref()),
            ("time[class=\"d\"][datetime]", Some("datetime"))
        );
        let by = translate("substring-after(//p[@class='by'], 'By ')").unwrap();
        assert_eq!(by.regex.as_deref(), Some("By (.+)"));
        let between = translate("substring-before(substring-after(//p, '('), ')')").unwrap();
        assert_eq!(between.regex.as_deref(), Some(r"\((.+?)\)"));
        assert!(translate("(//h1)[1]").unwrap().first);
        assert_eq!(translate("'Staff'").unwrap().literal.as_deref(), Some("Staff"));
    }

    #[test]
    fn what_css_cannot_say_is_refused_with_the_reason() {
        for (xpath, reason) in [
            ("//p[contains(text(),'Share')]", "text"),
            ("//p[contains(.,'Share')]", "text"),
            ("//p[text()='x']", "text"),
            ("//p[.='x']", "text"),
            ("//h2[a='x']", "text"),
            ("//p/preceding-sibling::h2", "preceding-sibling"),
            ("//p/ancestor::div", "ancestor"),
            ("(//p)[2]", "count"),
            ("(//div)[1]//p", "brackets"),
            ("//div[@class='a'][1]", "condition"),
            ("//p[string-length(.) > 5]", "string-length"),
            ("//fb:like", "prefix"),
            ("concat(//a, //b)", "concat"),
            ("//div[", "missing"),
            ("//div]", "understood"),
            ("//div[@id='a]", "text"),
            ("", "missing"),
            ("//@*", "@*"),
        ] {
            let error = translate(xpath).unwrap_err();
            assert!(error.contains(reason), "{xpath}: {error}");
        }
        assert!(translate(&"//div[".repeat(400)).is_err());
        assert!(translate(&format!("//a[{}@b{}]", "(".repeat(600), ")".repeat(600))).is_err());
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in r"[/\[\]()@.*|'=! a-cốé:0-9,-]{0,40}") {
            let _ = translate(&text);
        }
    }
}
