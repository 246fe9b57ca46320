//! Templates of declared targets: JSON whose texts may hold `{{ expressions }}`. A text that is one expression becomes its
//! value with its type; in any other text the values stand between the words. What an expression yields is data: it is
//! never read as a template again.

use minijinja::value::Serde;
use minijinja::{Environment, Error, Expression, UndefinedBehavior, Value as Jinja};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, LazyLock};

/// Steps that one expression may take.
const FUEL: u64 = 100_000;

static ENV: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut env = Environment::new();
    // A name that is not there is a mistake, not an empty text.
    env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    env.set_fuel(Some(FUEL));
    env.add_filter("utc", utc);
    env.add_filter("strftime", strftime);
    env
});

/// An RFC 3339 date in UTC: `2015-03-01T17:00:00Z`. Nothing stays nothing.
fn utc(value: &Jinja) -> Result<Jinja, Error> {
    let Some(text) = value.as_str() else {
        return Ok(Jinja::from(()));
    };
    Ok(Jinja::from(instant(text)?.to_string()))
}

/// An RFC 3339 date in another form; day and hour as they are at its own offset.
fn strftime(value: &Jinja, form: String) -> Result<Jinja, Error> {
    let Some(text) = value.as_str() else {
        return Ok(Jinja::from(()));
    };
    let offset = jiff::fmt::temporal::Pieces::parse(text)
        .ok()
        .and_then(|p| p.to_numeric_offset())
        .unwrap_or(jiff::tz::Offset::UTC);
    let zoned = instant(text)?.to_zoned(offset.to_time_zone());
    let done = jiff::fmt::strtime::format(&form, &zoned).map_err(|e| wrong(&e))?;
    Ok(Jinja::from(done))
}

fn instant(text: &str) -> Result<jiff::Timestamp, Error> {
    text.parse().map_err(|e: jiff::Error| wrong(&e))
}

fn wrong(error: &dyn fmt::Display) -> Error {
    Error::new(minijinja::ErrorKind::InvalidOperation, error.to_string())
}

/// A mistake in a text, with its place there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateError {
    /// Where in the text, in bytes.
    pub at: Range<usize>,
    /// What.
    pub reason: String,
}

impl fmt::Display for TemplateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

/// An expression, compiled.
#[derive(Clone)]
pub struct Expr {
    source: String,
    compiled: Arc<Expression<'static, 'static>>,
}

impl fmt::Debug for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expr({})", self.source)
    }
}

impl Expr {
    /// Compiles `source`.
    ///
    /// # Errors
    /// Where it is no expression.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        match ENV.compile_expression_owned(source.to_owned()) {
            Ok(compiled) => Ok(Self {
                source: source.to_owned(),
                compiled: Arc::new(compiled),
            }),
            Err(error) => Err(TemplateError {
                at: error
                    .range()
                    .filter(|r| r.end <= source.len() && r.start <= r.end)
                    .unwrap_or(0..source.len()),
                reason: error.detail().unwrap_or("no expression").to_owned(),
            }),
        }
    }

    /// Its value.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub fn value(&self, context: &Value) -> Result<Value, String> {
        let value = self
            .compiled
            .eval(Jinja::from(Serde(context)))
            .map_err(|e| format!("`{}`: {e}", self.source))?;
        if value.is_undefined() {
            return Err(format!("`{}` names nothing", self.source));
        }
        serde_json::to_value(value).map_err(|e| format!("`{}`: {e}", self.source))
    }

    /// What it names, with dots.
    #[must_use]
    pub fn names(&self) -> BTreeSet<String> {
        self.compiled.undeclared_variables(true).into_iter().collect()
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Expr {
    fn schema_name() -> Cow<'static, str> {
        "Expr".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "expression", "description": "An expression: `object.meta.live`." })
    }
}

/// A text with expressions, compiled.
#[derive(Clone, Debug)]
pub struct Text {
    parts: Vec<Part>,
    source: String,
}

#[derive(Clone, Debug)]
enum Part {
    Words(String),
    /// With its place in the text.
    Expr(Expr, Range<usize>),
}

impl Text {
    /// Compiles `source`.
    ///
    /// # Errors
    /// The first place that is wrong.
    pub fn new(source: &str) -> Result<Self, TemplateError> {
        let mut parts = Vec::new();
        let mut at = 0;
        while let Some(open) = source[at..].find("{{") {
            let start = at + open + 2;
            let Some(length) = source[start..].find("}}") else {
                return Err(TemplateError {
                    at: start - 2..source.len(),
                    reason: "`{{` without `}}`".into(),
                });
            };
            if open > 0 {
                parts.push(Part::Words(source[at..at + open].to_owned()));
            }
            let inside = &source[start..start + length];
            let expr = Expr::new(inside).map_err(|e| TemplateError {
                at: start + e.at.start..start + e.at.end,
                reason: e.reason,
            })?;
            parts.push(Part::Expr(expr, start..start + length));
            at = start + length + 2;
        }
        if at < source.len() {
            parts.push(Part::Words(source[at..].to_owned()));
        }
        Ok(Self {
            parts,
            source: source.to_owned(),
        })
    }

    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The value: typed, if the text is one expression.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub fn value(&self, context: &Value) -> Result<Value, String> {
        if let [Part::Expr(expr, _)] = &self.parts[..] {
            return expr.value(context);
        }
        self.join(context, str::to_owned).map(Value::from)
    }

    /// The text as a part of an address: what expressions yield is percent-encoded, so that it stays in its place.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub fn path(&self, context: &Value) -> Result<String, String> {
        let path = self.join(context, |text| {
            percent_encoding::utf8_percent_encode(text, UNRESERVED).to_string()
        })?;
        // To a URL `..` is a way up however it is written.
        let (before, _) = path.split_once('?').unwrap_or((&path, ""));
        if before.split('/').any(|part| part == "." || part == "..") {
            return Err(format!("`{path}` leads elsewhere"));
        }
        Ok(path)
    }

    fn join(&self, context: &Value, encode: impl Fn(&str) -> String) -> Result<String, String> {
        let mut out = String::new();
        for part in &self.parts {
            match part {
                Part::Words(words) => out.push_str(words),
                Part::Expr(expr, _) => out.push_str(&encode(&plain(&expr.value(context)?))),
            }
        }
        Ok(out)
    }

    /// Names with the places of their expressions.
    pub fn names(&self) -> impl Iterator<Item = (String, Range<usize>)> {
        self.parts.iter().flat_map(|part| match part {
            Part::Expr(expr, at) => expr.names().into_iter().map(|n| (n, at.clone())).collect(),
            Part::Words(_) => Vec::new(),
        })
    }
}

/// Everything but letters, digits and `-._~` (RFC 3986, 2.3).
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A value as a text.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Text {
    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "template", "description": "A text with `{{ expressions }}`." })
    }
}

/// JSON whose texts are templates, compiled.
#[derive(Clone, Debug)]
pub enum Template {
    /// A number, `true`, `false`.
    Plain(Value),
    /// A text.
    Text(Text),
    /// A list.
    List(Vec<Template>),
    /// A table.
    Table(Vec<(String, Template)>),
}

impl Template {
    /// Compiles a value of a mapping.
    ///
    /// # Errors
    /// The first text that is wrong.
    pub fn new(value: &toml::Value) -> Result<Self, TemplateError> {
        Ok(match value {
            toml::Value::String(text) => Self::Text(Text::new(text)?),
            toml::Value::Array(items) => Self::List(items.iter().map(Self::new).collect::<Result<_, _>>()?),
            toml::Value::Table(table) => Self::Table(
                table
                    .iter()
                    .map(|(k, v)| Ok((k.clone(), Self::new(v)?)))
                    .collect::<Result<_, TemplateError>>()?,
            ),
            toml::Value::Integer(n) => Self::Plain((*n).into()),
            toml::Value::Float(n) => Self::Plain((*n).into()),
            toml::Value::Boolean(b) => Self::Plain((*b).into()),
            toml::Value::Datetime(at) => Self::Plain(at.to_string().into()),
        })
    }

    /// Its value.
    ///
    /// # Errors
    /// What went wrong, for people.
    pub fn value(&self, context: &Value) -> Result<Value, String> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(text) => text.value(context)?,
            Self::List(items) => items
                .iter()
                .map(|t| t.value(context))
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            Self::Table(table) => {
                let mut map = Map::new();
                for (name, template) in table {
                    map.insert(name.clone(), template.value(context)?);
                }
                map.into()
            }
        })
    }
}

impl<'de> Deserialize<'de> for Template {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::new(&toml::Value::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Template {
    fn schema_name() -> Cow<'static, str> {
        "Template".into()
    }
    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "format": "template", "description": "A text, number, list or table; texts may hold `{{ expressions }}`." })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(toml: &str) -> Template {
        let table: toml::Table = format!("t = {toml}").parse().unwrap();
        Template::new(&table["t"]).unwrap()
    }

    #[test]
    fn one_expression_keeps_its_type_and_words_make_a_text() {
        let context = json!({ "id": 7, "none": null, "terms": { "tags": [1, 2] }, "title": "{{ id }} \"x\"", "live": true });
        let done = of("{ a = \"{{ id }}\", b = \"n {{ id }}\", c = \"{{ none }}\", d = [\"{{ terms.tags }}\"], e = 'p', f = 3, g = \"{{ 'x' if live else none }}\", h = \"{{ title }}\" }")
            .value(&context)
            .unwrap();
        // What a value says is never read again.
        assert_eq!(
            done,
            json!({ "a": 7, "b": "n 7", "c": null, "d": [[1, 2]], "e": "p", "f": 3, "g": "x", "h": "{{ id }} \"x\"" })
        );
    }

    #[test]
    fn what_stands_in_a_path_stays_there() {
        let context = json!({ "id": "../x?y=1&z#//evil.example", "ids": ["a", "b c"] });
        let path = Text::new("items/{{ id }}/?in={{ ids }}")
            .unwrap()
            .path(&context)
            .unwrap();
        assert_eq!(
            path,
            "items/..%2Fx%3Fy%3D1%26z%23%2F%2Fevil.example/?in=a%2Cb%20c"
        );
        let up = json!({ "id": ".." });
        assert!(Text::new("items/{{ id }}/").unwrap().path(&up).is_err());
    }

    #[test]
    fn mistakes_have_places() {
        let error = Text::new("a {{ b + }}").unwrap_err();
        assert!(error.at.start >= 4, "{error:?}");
        assert_eq!(Text::new("a {{ b").unwrap_err().at, 2..6);
        let names: Vec<String> = Text::new("{{ vars.x }} {{ live }}")
            .unwrap()
            .names()
            .map(|n| n.0)
            .collect();
        assert_eq!(names, ["vars.x", "live"]);
        assert!(Text::new("{{ nothing }}").unwrap().value(&json!({})).is_err());
        assert!(Expr::new("a.b.c").unwrap().value(&json!({ "a": {} })).is_err());
        assert!(
            Expr::new("range(1000000)|list|length")
                .unwrap()
                .value(&json!({}))
                .is_err()
        );
    }

    #[test]
    fn dates_in_other_forms() {
        let context = json!({ "date": "2015-03-02T00:00:00+07:00", "none": null });
        let value = |t: &str| Text::new(t).unwrap().value(&context).unwrap();
        assert_eq!(value("{{ date | utc }}"), "2015-03-01T17:00:00Z");
        assert_eq!(value("{{ date | strftime('%d/%m/%Y') }}"), "02/03/2015");
        assert_eq!(value("{{ none | utc }}"), Value::Null);
    }
}
