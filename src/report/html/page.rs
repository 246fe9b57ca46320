//! The report as one HTML page that needs nothing but itself.

use super::{Report, ReportError, Stratum};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, context};
use serde_json::Value as Json;

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");
const ENGLISH: &str = include_str!("en.json");
const VIETNAMESE: &str = include_str!("vi.json");
/// Characters of a text that one cell shows.
const LONGEST: usize = 300;

/// In which language people read it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// `vi`
    Vietnamese,
    /// `en`
    #[default]
    English,
}

impl Language {
    /// Its tag.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Vietnamese => "vi",
            Self::English => "en",
        }
    }

    /// Thousands and decimals.
    const fn marks(self) -> (char, char) {
        match self {
            Self::Vietnamese => ('.', ','),
            Self::English => (',', '.'),
        }
    }
}

/// The page. `root` is the way from its folder to the site's output folder (`../`); without it, files are named and not linked.
///
/// # Errors
/// When the template fails, which is a mistake of this program.
pub fn page(report: &Report, language: Language, root: Option<&str>) -> Result<String, ReportError> {
    let words: Json = serde_json::from_str(match language {
        Language::Vietnamese => VIETNAMESE,
        Language::English => ENGLISH,
    })
    .map_err(|e| Error::new(ErrorKind::BadSerialization, e.to_string()))?;
    let names = words["names"].clone();
    let mut env = Environment::new();
    env.set_auto_escape_callback(|_| AutoEscape::Html);
    env.add_filter("num", move |n: u64| grouped(n, language));
    env.add_filter("pct", move |value: Option<f64>| percent(value, language));
    env.add_filter("share", move |part: u64, whole: u64| {
        part_of(ratio(part, whole).map(|r| r * 100.0), language)
    });
    env.add_filter("width", |part: u64, whole: u64| {
        ratio(part, whole).map_or(0.0, |r| (r * 1000.0).round() / 10.0)
    });
    env.add_filter("decimal", move |value: f64| decimal(value, 2, language));
    env.add_filter("when", move |text: &str| when(text, language));
    env.add_filter("name", move |text: &str| named(&names, text));
    env.add_filter("cut", |text: &str| cut(text));
    env.add_filter("web", is_web);
    env.add_filter("path", |text: &str| path(text));
    let kinds = words["why"].clone();
    env.add_filter("why", move |value: Value| why(&kinds, &value));
    env.add_template("page.html", PAGE)?;
    let html = env.get_template("page.html")?.render(context! {
        r => Value::from(Serde(report)),
        t => Value::from(Serde(&words)),
        lang => language.tag(),
        root => root,
        style => Value::from_safe_string(STYLE.to_owned()),
    })?;
    Ok(html)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn grouped(n: u64, language: Language) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(language.marks().0);
        }
        out.push(digit);
    }
    out
}

fn decimal(value: f64, places: usize, language: Language) -> String {
    format!("{value:.places$}").replace('.', &language.marks().1.to_string())
}

/// Never `100 %` of what is not all, never `0 %` of what is something.
fn part_of(value: Option<f64>, language: Language) -> String {
    let Some(value) = value else { return "–".into() };
    let shown = if value < 100.0 { value.min(99.9) } else { 100.0 };
    let shown = if shown > 0.0 { shown.max(0.1) } else { 0.0 };
    format!("{} %", decimal(shown, 1, language))
}

/// The same, rounded down: how well something went is never told better than it is.
fn percent(value: Option<f64>, language: Language) -> String {
    part_of(value.map(|v| (v * 10.0 + 1e-9).floor() / 10.0), language)
}

fn when(text: &str, language: Language) -> String {
    let Ok(at) = text.parse::<jiff::Timestamp>() else {
        return text.to_owned();
    };
    let form = match language {
        Language::Vietnamese => "%H:%M ngày %d/%m/%Y (UTC)",
        Language::English => "%d %B %Y, %H:%M UTC",
    };
    at.strftime(form).to_string()
}

/// A name of ours in the page's language; what the mapping or the web names stays as it is.
fn named(names: &Json, text: &str) -> String {
    if let Some(known) = names[text].as_str() {
        return known.to_owned();
    }
    let rest = text.strip_prefix("ignored by ");
    if let (Some(rule), Some(known)) = (rest, names["ignored by"].as_str()) {
        return format!("{known} {rule}");
    }
    // `page done`, `document live`: kind and state.
    if let Some((kind, state)) = text.split_once(' ')
        && let (Some(kind), Some(state)) = (names[kind].as_str(), names[state].as_str())
    {
        return format!("{kind}: {state}");
    }
    text.to_owned()
}

fn cut(text: &str) -> String {
    let mut short: String = text.chars().take(LONGEST).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

/// May a page link there? Addresses of the web may hold anything.
fn is_web(text: &str) -> bool {
    text.starts_with("http://") || text.starts_with("https://")
}

/// A path of a file as an address: what is no plain character is written as its bytes.
fn path(text: &str) -> String {
    use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
    const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'-')
        .remove(b'_')
        .remove(b'.');
    utf8_percent_encode(text, PLAIN).to_string()
}

fn why(kinds: &Json, value: &Value) -> String {
    let Some(stratum) = stratum(value) else {
        return String::new();
    };
    let word = |name: &str| kinds[name].as_str().unwrap_or(name).to_owned();
    match stratum {
        Stratum::Failure => word("failure"),
        Stratum::Warning { gate } => format!("{}: {gate}", word("warning")),
        Stratum::Media => word("media"),
        Stratum::Guess { field } => format!("{}: {field}", word("guess")),
        Stratum::Unusual => word("unusual"),
        Stratum::Template { collection, template } => {
            let text = format!("{}: {collection} {template}", word("template"));
            text.trim_end().to_owned()
        }
        Stratum::Random => word("random"),
    }
}

fn stratum(value: &Value) -> Option<Stratum> {
    let text = |key: &str| {
        let value = value.get_attr(key).ok()?;
        value.as_str().map(str::to_owned)
    };
    Some(match text("why")?.as_str() {
        "failure" => Stratum::Failure,
        "warning" => Stratum::Warning { gate: text("gate")? },
        "media" => Stratum::Media,
        "guess" => Stratum::Guess {
            field: text("field")?,
        },
        "unusual" => Stratum::Unusual,
        "template" => Stratum::Template {
            collection: text("collection")?,
            template: text("template")?,
        },
        _ => Stratum::Random,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(value: &Json, at: &str, out: &mut Vec<String>) {
        match value.as_object() {
            Some(object) => object
                .iter()
                .for_each(|(key, value)| keys(value, &format!("{at}.{key}"), out)),
            None => out.push(at.to_owned()),
        }
    }

    #[test]
    fn both_languages_have_the_same_words() {
        let all = |text: &str| {
            let mut found = Vec::new();
            keys(&serde_json::from_str(text).unwrap(), "", &mut found);
            found.sort();
            found
        };
        assert_eq!(all(ENGLISH), all(VIETNAMESE));
    }

    #[test]
    fn numbers_are_told_as_the_language_does_and_never_better_than_they_are() {
        assert_eq!(grouped(1_234_567, Language::Vietnamese), "1.234.567");
        assert_eq!(grouped(999, Language::English), "999");
        assert_eq!(percent(Some(99.999), Language::English), "99.9 %");
        assert_eq!(percent(Some(100.0), Language::Vietnamese), "100,0 %");
        assert_eq!(part_of(Some(0.0001), Language::English), "0.1 %");
        assert_eq!(part_of(Some(66.66), Language::English), "66.7 %");
        assert_eq!(percent(Some(66.66), Language::English), "66.6 %");
        assert_eq!(percent(None, Language::English), "–");
        assert_eq!(
            when("2026-03-01T02:05:00Z", Language::Vietnamese),
            "02:05 ngày 01/03/2026 (UTC)"
        );
    }
}
