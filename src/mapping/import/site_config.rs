//! Site configurations of FiveFilters' Full-Text RSS (also of wallabag, Graby, Instapaper): lines of `name: value`, most of
//! them XPath.

use super::xpath::{Translated, translate};
use crate::mapping::Css;
use std::fmt::Write as _;
use url::Url;

/// Most lines that are read.
const LINES: usize = 5000;

/// Attributes that `media.lazy_attrs` knows by itself.
const LAZY: [&str; 8] = [
    "data-original",
    "data-src",
    "data-lazy-src",
    "data-lazy",
    "data-echo",
    "data-original-src",
    "data-srcset",
    "data-lazy-srcset",
];

/// What the configuration does not say of its site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// What the configuration is called, for the comment at the top.
    pub name: String,
    /// Id of the site; from its host if absent.
    pub id: Option<String>,
    /// Base URL; else that of the first `test_url`, else of the host that names the file.
    pub base: Option<Url>,
    /// Language of the content.
    pub language: String,
}

/// A line that is no rule of the mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Untranslated {
    /// Line of the configuration, from 1.
    pub line: usize,
    /// The line.
    pub rule: String,
    /// Why.
    pub reason: String,
}

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Imported {
    /// The mapping.
    pub toml: String,
    /// What is a comment in it.
    pub untranslated: Vec<Untranslated>,
    /// URLs that the configuration was tested with.
    pub tests: Vec<String>,
}

/// A line: its number, name and value.
struct Rule<'a> {
    line: usize,
    name: &'a str,
    value: &'a str,
}

/// The lines of a configuration that say something.
fn rules(text: &str) -> Vec<Rule<'_>> {
    let lines = text
        .trim_start_matches('\u{feff}')
        .lines()
        .take(LINES)
        .enumerate();
    let mut out = Vec::new();
    for (n, raw) in lines {
        let (line, text) = (n + 1, raw.trim());
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        // `replace_string(a: b): c` holds a colon in its name.
        let end = match text.find('(') {
            Some(open)
                if text[..open]
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_')
                    && open > 0 =>
            {
                text.find("):").map(|at| at + 1)
            }
            _ => text.find(':'),
        };
        let (name, value) = match end {
            Some(at) => (text[..at].trim(), text[at + 1..].trim()),
            None => (text, ""),
        };
        out.push(Rule { line, name, value });
    }
    out
}

/// A mapping out of a site configuration.
///
/// # Errors
/// When nothing says which site it is for.
pub fn site_config(text: &str, origin: &Origin) -> Result<Imported, String> {
    let rules = rules(text);
    let tests: Vec<String> = rules
        .iter()
        .filter(|r| r.name == "test_url")
        .map(|r| r.value.to_owned())
        .collect();
    let base = base(origin, &tests)?;
    let mut draft = Draft {
        untranslated: Vec::new(),
        fields: Default::default(),
        containers: Vec::new(),
        drops: String::new(),
        ignored: Vec::new(),
        lazy: Vec::new(),
        auto: true,
        count: 0,
    };
    for rule in &rules {
        draft.rule(rule);
    }
    Ok(Imported {
        toml: draft.toml(origin, &base, &tests),
        untranslated: draft.untranslated,
        tests,
    })
}

/// The address of the site.
fn base(origin: &Origin, tests: &[String]) -> Result<Url, String> {
    let root = |url: Url| {
        let known = matches!(url.scheme(), "http" | "https") && url.has_host();
        known.then(|| url.join("/").ok()).flatten()
    };
    let tested = || tests.iter().find_map(|t| root(Url::parse(t).ok()?));
    // `.example.org.txt` is for all hosts of a domain.
    let named = || {
        let host = origin.name.strip_suffix(".txt")?.trim_start_matches('.');
        let host = host.contains('.').then(|| format!("http://{host}/"))?;
        root(Url::parse(&host).ok()?)
    };
    origin
        .base
        .clone()
        .and_then(root)
        .or_else(tested)
        .or_else(named)
        .ok_or_else(|| {
            "nothing says which site it is for: no `test_url`, and the file is not named by a host".to_owned()
        })
}

#[derive(Default)]
struct Fields {
    title: Vec<String>,
    date: Vec<String>,
    author: Vec<String>,
}

struct Draft {
    untranslated: Vec<Untranslated>,
    fields: Fields,
    /// With the comment above each.
    containers: Vec<(String, String)>,
    drops: String,
    ignored: Vec<String>,
    lazy: Vec<String>,
    auto: bool,
    count: usize,
}

impl Draft {
    fn keep(&mut self, rule: &Rule<'_>, reason: impl Into<String>) {
        self.untranslated.push(Untranslated {
            line: rule.line,
            rule: format!("{}: {}", rule.name, rule.value),
            reason: reason.into(),
        });
    }

    fn rule(&mut self, rule: &Rule<'_>) {
        match rule.name {
            "title" | "date" | "author" => self.field(rule),
            "body" => self.body(rule),
            "strip" => self.strip(rule),
            "strip_id_or_class" => {
                let word = rule.value.replace(['"', '\''], "");
                let css = format!("[id*=\"{word}\"], [class*=\"{word}\"]");
                match word.is_empty() || word.chars().any(|c| c.is_control() || c == '\\') {
                    true => self.keep(rule, "it names nothing"),
                    false => self.dropped(rule, &css, &[]),
                }
            }
            "strip_image_src" => {
                let part = rule.value.replace(['"', '\''], "");
                match part.is_empty() {
                    true => self.keep(rule, "it names nothing"),
                    false => self.ignored.push(regex::escape(&part)),
                }
            }
            "src_lazy_load_attr" => {
                if !LAZY.contains(&rule.value) {
                    self.lazy.push(rule.value.to_owned());
                }
            }
            "autodetect_on_failure" => self.auto = rule.value != "no",
            "test_url" | "test_contains" => {}
            "next_page_link" => self.keep(
                rule,
                "a document on several pages is `parts` of a collection; it also needs a pattern of the pages' URLs (docs/mapping.md)",
            ),
            "single_page_link" | "single_page_link_in_feed" => self.keep(
                rule,
                "a mapping does not go to another page for the text; if the URL of the whole text follows a pattern, `[[url.rewrite]]` makes it the page's own",
            ),
            "tidy" | "parser" | "convert_double_br_tags" => {
                self.keep(rule, "nothing to say: pages are parsed as browsers do, and breaks become paragraphs")
            }
            "prune" | "strip_comments" | "autodetect_next_page" | "insert_detected_image" | "skip_json_ld" => {
                self.keep(rule, "nothing to say: what is dropped and what is taken is named rule by rule")
            }
            "find_string" | "replace_string" => {
                self.keep(rule, "markup is never rewritten: what stood in the page must be accounted for")
            }
            "requires_login" | "login_uri" | "login_username_field" | "login_password_field"
            | "login_extra_fields" | "not_logged_in_xpath" => {
                self.keep(rule, "write a `[session]` table: it logs in with secrets of the environment")
            }
            "wrap_in" | "dissolve" | "move_into" | "footnotes" | "native_ad_clue" | "if_page_contains" => {
                self.keep(rule, "there is no such rule in a mapping")
            }
            name if name.starts_with("replace_string(") || name.starts_with("wrap_in(") => {
                self.keep(rule, "markup is never rewritten: what stood in the page must be accounted for");
            }
            name if name.starts_with("http_header(") => {
                self.keep(rule, "headers of requests stand in `[session]`, the program's name in `politeness.user_agent`");
            }
            _ => self.keep(rule, "it is not known"),
        }
    }

    /// The translation, if every selector in it compiles.
    fn translated(&mut self, rule: &Rule<'_>) -> Option<Translated> {
        let checked = translate(rule.value).and_then(|t| {
            let wrong = |css: &str| Css::new(css).err();
            match t.literal.is_none().then(|| wrong(&t.css)).flatten() {
                Some(error) => Err(format!("the selector `{}` would be wrong: {error}", t.css)),
                None => Ok(t),
            }
        });
        match checked {
            Ok(translated) => Some(translated),
            Err(reason) => {
                self.keep(rule, reason);
                None
            }
        }
    }

    fn field(&mut self, rule: &Rule<'_>) {
        let Some(t) = self.translated(rule) else { return };
        let mut parts = Vec::new();
        match (&t.literal, meta(&t)) {
            (Some(text), _) => parts.push(format!("value = {}", quote(text))),
            (None, Some(name)) => parts.push(format!("meta = {}", quote(&name))),
            (None, None) => {
                parts.push(format!("css = {}", quote(&t.css)));
                parts.extend(t.attr.iter().map(|a| format!("attr = {}", quote(a))));
            }
        }
        parts.extend(t.regex.iter().map(|r| format!("regex = {}", quote(r))));
        let rung = format!("{{ {} }}", parts.join(", "));
        let line = format!("    # {}\n    {rung},\n", remark(&comment(rule, &t)));
        match rule.name {
            "title" => self.fields.title.push(line),
            "date" => self.fields.date.push(line),
            _ => self.fields.author.push(line),
        }
    }

    fn body(&mut self, rule: &Rule<'_>) {
        let Some(t) = self.translated(rule) else { return };
        if t.attr.is_some() || t.literal.is_some() || t.regex.is_some() {
            return self.keep(rule, "a body is made of elements");
        }
        // The alternatives of one rule are containers of their own.
        for css in split(&t.css) {
            self.containers.push((css, comment(rule, &t)));
        }
    }

    fn strip(&mut self, rule: &Rule<'_>) {
        let Some(t) = self.translated(rule) else { return };
        if t.attr.is_some() || t.literal.is_some() || t.regex.is_some() {
            return self.keep(rule, "only elements are dropped");
        }
        if t.first {
            return self.keep(rule, "the first match alone cannot be dropped");
        }
        self.dropped(rule, &t.css, &t.notes);
    }

    fn dropped(&mut self, rule: &Rule<'_>, css: &str, notes: &[String]) {
        if let Err(error) = Css::new(css) {
            return self.keep(rule, format!("the selector `{css}` would be wrong: {error}"));
        }
        self.count += 1;
        for note in notes {
            let _ = writeln!(self.drops, "# {}", remark(note));
        }
        let _ = write!(
            self.drops,
            "[[collection.drop]]\nid = 'strip-{}'\ncss = {}\nreason = {}\n\n",
            self.count,
            quote(css),
            quote(&remark(&format!("{}: {}", rule.name, rule.value)))
        );
    }

    fn toml(&self, origin: &Origin, base: &Url, tests: &[String]) -> String {
        let host = base.host_str().unwrap_or("site");
        let id: String = host
            .trim_start_matches("www.")
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(60)
            .collect();
        let mut out = format!(
            "# Imported from `{}`, a site configuration of Full-Text RSS. Above each rule stands what it was made of. A draft: read it,\n\
             # narrow `match` and `[[discover]]`, and look at pages with `sangtrang try`.\nschema = 1\n\n[site]\nid = {}\nbase = {}\nlanguage = {}\n",
            remark(&origin.name),
            quote(origin.id.as_deref().unwrap_or(&id)),
            quote(base.as_str()),
            quote(&origin.language),
        );
        if !self.untranslated.is_empty() {
            out.push_str("\n# --- not translated: line, rule, reason\n");
            for u in &self.untranslated {
                let _ = writeln!(
                    out,
                    "# {}  {}\n#     {}",
                    u.line,
                    remark(&u.rule),
                    remark(&u.reason)
                );
            }
        }
        if !tests.is_empty() {
            out.push_str("\n# --- what it was tested with: `sangtrang try` shows each; kept as examples they stay true\n");
            for test in tests {
                let _ = writeln!(out, "# test_url: {}", remark(test));
            }
        }
        out.push_str("\n[[discover]]\nkind = \"links\"\nid = \"links\"\n");
        self.collection(&mut out);
        if !self.ignored.is_empty() || !self.lazy.is_empty() {
            out.push_str("[media]\n");
        }
        if !self.ignored.is_empty() {
            let all: Vec<String> = self.ignored.iter().map(|i| quote(i)).collect();
            let _ = writeln!(out, "# strip_image_src\nignore = [{}]", all.join(", "));
        }
        if !self.lazy.is_empty() {
            let all = self.lazy.iter().map(String::as_str).chain(LAZY);
            let all: Vec<String> = all.map(quote).collect();
            let _ = writeln!(out, "# src_lazy_load_attr\nlazy_attrs = [{}]", all.join(", "));
        }
        out
    }

    fn collection(&self, out: &mut String) {
        out.push_str("\n[[collection]]\nid = \"articles\"\ntype = \"article\"\n");
        // Without a detector, a page that has none of the containers is no article.
        let all: Vec<&str> = self.containers.iter().map(|c| c.0.as_str()).collect();
        let css = (!all.is_empty())
            .then(|| all.join(", "))
            .filter(|css| Css::new(css).is_ok());
        out.push_str("# A configuration does not say which pages are articles: those that have a body.\n");
        match css {
            Some(css) => {
                let _ = writeln!(out, "match = {{ url = '^/.', css = {} }}", quote(&css));
            }
            None => out.push_str("match = { url = '^/.' }\n"),
        }
        out.push_str("\n[collection.scope]\ncontainer = [\n");
        for (css, comment) in &self.containers {
            let _ = writeln!(out, "    # {}\n    {},", remark(comment), quote(css));
        }
        if self.auto || self.containers.is_empty() {
            out.push_str(
                "    # autodetect_on_failure: found page by page where no rule fits\n    '@auto',\n",
            );
        }
        out.push_str("]\n\n");
        let fields = [
            ("title", &self.fields.title, true),
            ("byline", &self.fields.author, false),
            ("\"dates.published\"", &self.fields.date, false),
        ];
        for (name, rungs, required) in fields.iter().filter(|f| !f.1.is_empty()) {
            let required = if *required { "required = true\n" } else { "" };
            let _ = write!(
                out,
                "[collection.fields.{name}]\ntake = [\n{}]\n{required}\n",
                rungs.concat()
            );
        }
        out.push_str(&self.drops);
        out.push_str(
            "# Whatever else stands around the article.\n[[collection.drop]]\nid = 'frame'\nreason = 'outside of what holds the article'\noutside = true\n\n",
        );
    }
}

/// What a rule was made of, and what is not quite the same.
fn comment(rule: &Rule<'_>, t: &Translated) -> String {
    let mut out = format!("line {}: {}", rule.line, rule.value);
    for note in &t.notes {
        let _ = write!(out, " ({note})");
    }
    out
}

/// The name of a `<meta>` whose content is taken.
fn meta(t: &Translated) -> Option<String> {
    if t.attr.as_deref() != Some("content") {
        return None;
    }
    let inside = t.css.strip_prefix("meta[")?.strip_suffix("][content]")?;
    let quoted = inside
        .strip_prefix("property=")
        .or_else(|| inside.strip_prefix("name="))?;
    let name = quoted.strip_prefix('"')?.strip_suffix('"')?;
    (!name.contains(['"', '\\'])).then(|| name.to_owned())
}

/// The selectors of a list; commas inside of quotes and brackets are none of its own.
fn split(css: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut deep, mut quoted) = (0_usize, false);
    for c in css.chars() {
        match c {
            '"' => quoted = !quoted,
            '(' | '[' if !quoted => deep += 1,
            ')' | ']' if !quoted => deep = deep.saturating_sub(1),
            _ => {}
        }
        if c == ',' && !quoted && deep == 0 {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out.into_iter()
        .map(|s| s.trim().to_owned())
        .filter(|s| !s.is_empty())
        .collect()
}

/// A text as TOML writes it: literally where that is possible.
fn quote(text: &str) -> String {
    if text.contains('\'') || text.chars().any(char::is_control) {
        let json = serde_json::to_string(text).unwrap_or_else(|_| "''".into());
        // The one control character that JSON leaves as it is and TOML forbids.
        json.replace('\u{7f}', "\\u007F")
    } else {
        format!("'{text}'")
    }
}

/// A text inside of a comment or a reason: one line of no great length.
fn remark(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(300) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use proptest::prelude::*;

    fn draft(text: &str) -> Imported {
        let origin = Origin {
            name: "example.org.txt".into(),
            language: "en".into(),
            ..Origin::default()
        };
        let out = site_config(text, &origin).unwrap();
        Mapping::parse("draft", &out.toml).unwrap_or_else(|e| panic!("{e:?}\n{}", out.toml));
        out
    }

    #[test]
    fn a_draft_is_a_mapping_whatever_the_configuration_says() {
        let out = draft("");
        assert!(out.toml.contains("'@auto'") && out.untranslated.is_empty());
        let out =
            draft("autodetect_on_failure: no\nbody: //div[@id='a'] | //p[x/y='z']\nbody: //div[@id=\"b\"]");
        assert!(
            !out.toml.contains("@auto") && out.toml.contains("'div#b'"),
            "{}",
            out.toml
        );
        assert_eq!(out.untranslated[0].line, 2);
        let out = draft(
            "strip: //p[@class=\"a'b\"]\nreplace_string(<a: x>): <b>\nnonsense\ntitle: 'It''s'\nstrip_id_or_class: \"x\\y\"",
        );
        assert_eq!(
            out.untranslated.iter().map(|u| u.line).collect::<Vec<_>>(),
            [2, 3, 4, 5]
        );
        assert!(
            out.toml.contains("p[class=\\\"a'b\\\"]") || out.toml.contains("a'b"),
            "{}",
            out.toml
        );
    }

    proptest! {
        // Each builds a whole mapping.
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_text_gives_a_mapping(text in r"((title|body|strip|date|author|strip_id_or_class|strip_image_src|test_url|src_lazy_load_attr): ?[/\[\]()@.*|'\x22=! a-cé:0-9,\\-]{0,20}\n){0,5}") {
            draft(&text);
        }
    }
}
