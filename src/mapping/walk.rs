//! The shape of a mapping: the spanned TOML table beside the JSON Schema of the same types. Unknown and missing keys,
//! wrong types, unknown names, and texts that must compile.

use super::error::Problems;
use super::model::WORDS;
use super::pattern::{Css, Pattern, parse_span};
use super::place;
use super::template::{Expr, TemplateError, Text};
use serde_json::Value;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Compares a table with its schema.
pub(super) struct Walker<'a> {
    /// The root of the schema: home of `$defs`.
    pub(super) schema: &'a Value,
    /// The text of the mapping.
    pub(super) text: &'a str,
    /// After a syntax error, keys may be missing because the parser skipped them.
    pub(super) missing_counts: bool,
    pub(super) problems: &'a mut Problems,
}

impl<'a> Walker<'a> {
    /// The whole mapping.
    pub(super) fn root(&mut self, table: &DeTable<'_>) {
        self.object("", table, 0..0, self.schema, "");
    }

    /// The schema behind references and `null` alternatives, with the name of its definition.
    fn resolve(&self, mut schema: &'a Value) -> (&'a Value, &'a str) {
        let mut name = "";
        loop {
            if let Some(reference) = schema["$ref"].as_str() {
                name = reference.rsplit('/').next().unwrap_or_default();
                schema = &self.schema["$defs"][name];
            } else if let Some(some) = schema["anyOf"].as_array().and_then(|any| any.first()) {
                schema = some;
            } else {
                return (schema, name);
            }
        }
    }

    /// `key` is the key that the value belongs to, for messages.
    fn value(&mut self, key: &str, value: &Spanned<DeValue<'_>>, schema: &'a Value) {
        let (schema, definition) = self.resolve(schema);
        let span = value.span();
        let inner = value.get_ref();
        if schema["format"] == "template" && schema["type"].is_null() {
            return self.template(key, value);
        }
        if !self.missing_counts && span.is_empty() {
            // The parser's stand-in for a value that it could not read: told already.
            return;
        }
        if let Some(variants) = schema["oneOf"].as_array() {
            if variants.iter().all(|v| v["const"].is_string()) {
                let Some(text) = inner.as_str() else {
                    return self.wrong_type(key, value, "a string", None);
                };
                let names: Vec<&str> = variants.iter().filter_map(|v| v["const"].as_str()).collect();
                self.one_of(key, text, span, &names);
            } else {
                let Some(table) = inner.as_table() else {
                    return self.wrong_type(key, value, "a table", None);
                };
                self.tagged(table, span, variants, key);
            }
            return;
        }
        match type_of(schema) {
            "object" => match inner.as_table() {
                Some(table) => self.object(key, table, span, schema, definition),
                None => self.wrong_type(key, value, "a table", None),
            },
            "array" => match inner.as_array() {
                Some(items) => items
                    .iter()
                    .for_each(|item| self.value(key, item, &schema["items"])),
                None => {
                    let help = if inner.is_table() {
                        format!("write `[[…{key}]]` with two brackets: there may be many")
                    } else {
                        format!("write `{key} = [ … ]`")
                    };
                    self.wrong_type(key, value, "a list", Some(help));
                }
            },
            "string" => match inner.as_str() {
                Some(text) => self.string(key, text, span, schema["format"].as_str().unwrap_or_default()),
                None => self.wrong_type(key, value, "a string", Some(format!("write `{key} = \"…\"`"))),
            },
            "boolean" if !inner.is_bool() => {
                self.wrong_type(key, value, "true or false", Some("without quotes".into()));
            }
            "integer" => self.integer(key, value, schema["format"].as_str().unwrap_or_default()),
            "number" if !inner.is_float() && !inner.is_integer() => {
                self.wrong_type(key, value, "a number", None);
            }
            _ => {}
        }
    }

    fn object(
        &mut self,
        of: &str,
        table: &DeTable<'_>,
        span: Range<usize>,
        schema: &'a Value,
        definition: &str,
    ) {
        let Some(properties) = schema["properties"].as_object() else {
            // A map: names are the author's own.
            for (key, value) in table {
                self.value(key.get_ref(), value, &schema["additionalProperties"]);
            }
            return;
        };
        let names: Vec<&str> = properties.keys().map(String::as_str).collect();
        let mut nested_name = false;
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if let Some(schema) = properties.get(name) {
                self.value(name, value, schema);
                continue;
            }
            let is_field = value.get_ref().as_table().is_some_and(|t| t.contains_key("take"));
            let help = if definition == "Field" && is_field {
                nested_name = true;
                format!("a field name with a dot stands in quotes: `[collection.fields.\"{of}.{name}\"]`")
            } else if definition == "Target"
                && ["secret", "password", "token", "key"]
                    .iter()
                    .any(|s| name.contains(s))
            {
                "no secret stands in a mapping: `secret_env` names the environment variable that holds it"
                    .into()
            } else {
                proposal(name, &names)
            };
            self.problems.add(
                "mapping::unknown_key",
                key.span(),
                format!("unknown key `{name}`"),
                "not a key of this table",
                Some(help),
            );
        }
        let required = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        for name in required {
            if self.missing_counts && !nested_name && !table.contains_key(name) {
                self.missing(name, &properties[name], span.clone());
            }
        }
    }

    fn missing(&mut self, name: &str, schema: &'a Value, span: Range<usize>) {
        let (resolved, _) = self.resolve(schema);
        let about = schema["description"]
            .as_str()
            .or(resolved["description"].as_str());
        let help = about.map_or_else(
            || format!("add `{name} = …`"),
            |about| {
                format!(
                    "add `{name}`: {}",
                    about.trim_end_matches('.').trim_start_matches("A ")
                )
            },
        );
        self.problems.add(
            "mapping::missing_key",
            place::first_line(self.text, span),
            format!("missing key `{name}`"),
            format!("this table needs `{name}`"),
            Some(help),
        );
    }

    /// One of several tables, told apart by `kind`.
    fn tagged(&mut self, table: &DeTable<'_>, span: Range<usize>, variants: &'a [Value], key: &str) {
        let kind_of = |v: &'a Value| v["properties"]["kind"]["const"].as_str();
        let names: Vec<&str> = variants.iter().filter_map(kind_of).collect();
        let Some(kind) = table.get("kind") else {
            if self.missing_counts {
                self.problems.add(
                    "mapping::missing_key",
                    place::first_line(self.text, span),
                    "missing key `kind`",
                    "this table needs `kind`",
                    Some(format!("add `kind`: {}", listed(&names))),
                );
            }
            return;
        };
        let Some(text) = kind.get_ref().as_str() else {
            return self.wrong_type("kind", kind, "a string", Some(listed(&names)));
        };
        match variants.iter().find(|v| kind_of(v) == Some(text)) {
            Some(variant) => self.object(key, table, span, variant, ""),
            None => self.one_of(&format!("{key}.kind"), text, kind.span(), &names),
        }
    }

    fn one_of(&mut self, key: &str, text: &str, span: Range<usize>, names: &[&str]) {
        if !names.contains(&text) {
            self.problems.add(
                "mapping::unknown_value",
                span,
                format!("`{text}` is no value of `{key}`"),
                "not known",
                Some(proposal(text, names)),
            );
        }
    }

    fn integer(&mut self, key: &str, value: &Spanned<DeValue<'_>>, format: &str) {
        let Some(integer) = value.get_ref().as_integer() else {
            let help = value.get_ref().is_str().then(|| "without quotes".to_owned());
            return self.wrong_type(key, value, "a whole number", help);
        };
        let most = if format == "uint32" {
            u64::from(u32::MAX)
        } else {
            i64::MAX.unsigned_abs()
        };
        let number = u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix());
        if !number.is_ok_and(|n| n <= most) {
            self.problems.add(
                "mapping::range",
                value.span(),
                format!("`{key}` is out of range"),
                format!("must be a whole number from 0 to {most}"),
                None,
            );
        }
    }

    fn string(&mut self, key: &str, text: &str, span: Range<usize>, format: &str) {
        match format {
            "container" if WORDS.contains(&text) => {}
            "container" if text.starts_with('@') => self.problems.add(
                "mapping::container",
                span,
                format!("`{text}` is no container"),
                "not a selector",
                Some(format!("write a CSS selector, `{}` or `{}`", WORDS[0], WORDS[1])),
            ),
            "css-selector" | "container" => {
                if let Err(error) = Css::new(text) {
                    let reason = error.trim_end_matches('.').to_owned();
                    self.problems.add(
                        "mapping::css",
                        span,
                        format!("the selector of `{key}` does not compile"),
                        reason,
                        Some("write a CSS selector such as `div.content > p` or `a[href]`".into()),
                    );
                }
            }
            "regex" => self.regex(key, text, span),
            "template" => {
                if let Err(error) = Text::new(text) {
                    self.expression(key, text, span, error);
                }
            }
            "expression" => {
                if let Err(error) = Expr::new(text) {
                    self.expression(key, text, span, error);
                }
            }
            "time-span" => {
                if let Err(error) = parse_span(text) {
                    let help = Some("write `500ms`, `30s`, `15m` or `2h`".to_owned());
                    let message = error.split(':').next().unwrap_or_default().to_owned();
                    self.problems
                        .add("mapping::time_span", span, message, "not a length of time", help);
                }
            }
            "quiet-hours" => {
                if let Err(error) = super::model::QuietHours::parse(text) {
                    let help = Some("write `07:30-17:00` or `Mon-Fri 07:30-17:00`".to_owned());
                    let message = error.split(':').next().unwrap_or_default().to_owned();
                    self.problems
                        .add("mapping::quiet_hours", span, message, "not hours of a day", help);
                }
            }
            "uri" => {
                if let Err(error) = url::Url::parse(text) {
                    let help = Some("write the whole URL: `http://www.example.org/`".to_owned());
                    self.problems.add(
                        "mapping::url",
                        span,
                        format!("`{key}` is not a URL"),
                        error.to_string(),
                        help,
                    );
                }
            }
            _ => {}
        }
    }

    /// Any value, whose texts are templates.
    fn template(&mut self, key: &str, value: &Spanned<DeValue<'_>>) {
        match value.get_ref() {
            DeValue::String(text) => {
                if let Err(error) = Text::new(text) {
                    self.expression(key, text, value.span(), error);
                }
            }
            DeValue::Array(items) => items.iter().for_each(|item| self.template(key, item)),
            DeValue::Table(table) => table.iter().for_each(|(k, v)| self.template(k.get_ref(), v)),
            _ => {}
        }
    }

    fn expression(&mut self, key: &str, text: &str, span: Range<usize>, error: TemplateError) {
        let place = place::inside(self.text, &span, text, error.at).unwrap_or(span);
        let message = format!("the template of `{key}` cannot be read");
        let help = "expressions stand between `{{` and `}}`: docs/http-json.md".to_owned();
        self.problems
            .add("mapping::template", place, message, error.reason, Some(help));
    }

    fn regex(&mut self, key: &str, text: &str, span: Range<usize>) {
        let (at, reason, help) = match regex_syntax::Parser::new().parse(text) {
            Ok(_) => match Pattern::new(text) {
                Ok(_) => return,
                Err(_) => (
                    None,
                    "too large".to_owned(),
                    Some("it compiles to more than 1 MiB: repeat less".to_owned()),
                ),
            },
            Err(regex_syntax::Error::Parse(error)) => {
                let about = (error.span().start.offset, error.span().end.offset);
                let help = match error.kind() {
                    regex_syntax::ast::ErrorKind::UnsupportedLookAround => Some(
                        "patterns run in linear time: take a group `(…)` instead of looking around"
                            .to_owned(),
                    ),
                    _ => None,
                };
                (Some(about), error.kind().to_string(), help)
            }
            Err(regex_syntax::Error::Translate(error)) => {
                let about = (error.span().start.offset, error.span().end.offset);
                (Some(about), error.kind().to_string(), None)
            }
            Err(error) => (None, error.to_string(), None),
        };
        let quoted = self.text.get(span.clone()).unwrap_or_default().starts_with('"') && text.contains('\\');
        let help = help.or_else(|| quoted.then(|| "write patterns in single quotes: '\\d+'".to_owned()));
        let place = at
            .and_then(|(start, end)| place::inside(self.text, &span, text, start..end))
            .unwrap_or(span);
        let message = format!("the pattern of `{key}` does not compile");
        self.problems.add("mapping::regex", place, message, reason, help);
    }

    fn wrong_type(&mut self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str, help: Option<String>) {
        let found = match value.get_ref() {
            DeValue::String(_) => "a string",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.problems.add(
            "mapping::wrong_type",
            place::first_line(self.text, value.span()),
            format!("`{key}` must be {wanted}, not {found}"),
            format!("expected {wanted}"),
            help,
        );
    }
}

/// The type, also of `["string", "null"]`.
fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(types) => types.first().and_then(Value::as_str).unwrap_or_default(),
        one => one.as_str().unwrap_or_default(),
    }
}

/// What to write instead of `name`: the nearest of `names`, or all of them.
pub(super) fn proposal<S: AsRef<str>>(name: &str, names: &[S]) -> String {
    match nearest(name, names) {
        Some(near) => format!("did you mean `{near}`?"),
        None => listed(names),
    }
}

fn listed<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    match quoted.as_slice() {
        [] => "there is none".into(),
        [one] => format!("the only one is {one}"),
        many => format!("one of {}", many.join(", ")),
    }
}

/// The name that a typing mistake away from `name`: one edit in three characters, case and `-` or `_` aside.
pub(super) fn nearest<'n, S: AsRef<str>>(name: &str, names: &'n [S]) -> Option<&'n str> {
    let plain = |s: &str| s.to_lowercase().replace('-', "_");
    let wanted = plain(name);
    let most = (wanted.chars().count() / 3).max(1);
    names
        .iter()
        .map(|n| {
            (
                strsim::damerau_levenshtein(&wanted, &plain(n.as_ref())),
                n.as_ref(),
            )
        })
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, n)| n)
}
