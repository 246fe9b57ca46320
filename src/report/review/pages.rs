//! The pages: templates that escape every value, in a frame that all of them share.

use super::words::Language;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior};
use serde_json::{Value, json};

/// Steps that one page may take: a list of a hundred lines takes some ten thousand.
const FUEL: u64 = 20_000_000;

pub(super) struct Pages(Environment<'static>);

impl Pages {
    pub(super) fn new() -> Result<Self, Error> {
        let mut env = Environment::new();
        env.set_auto_escape_callback(|_| AutoEscape::Html);
        // A name that is not there is a mistake, not an empty text.
        env.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        env.set_fuel(Some(FUEL));
        env.add_filter("put", |text: String, value: minijinja::Value| {
            text.replacen("{}", &value.to_string(), 1)
        });
        env.add_template("layout", include_str!("pages/layout.html"))?;
        env.add_template("list", include_str!("pages/list.html"))?;
        env.add_template("document", include_str!("pages/document.html"))?;
        env.add_template("changes", include_str!("pages/changes.html"))?;
        env.add_template("help", include_str!("pages/help.html"))?;
        env.add_template("trouble", include_str!("pages/trouble.html"))?;
        Ok(Self(env))
    }

    /// A whole page. `content` has its `title`.
    pub(super) fn render(&self, language: Language, name: &str, mut content: Value) -> Result<String, Error> {
        content["t"] = Value::Object(language.words().clone());
        content["lang"] = json!(language.as_str());
        content["page"] = json!(name);
        let inner = self.0.get_template(name)?.render(Serde(&content))?;
        content["content"] = json!(inner);
        content["help"] = json!(self.0.get_template("help")?.render(Serde(&content))?);
        self.0.get_template("layout")?.render(Serde(&content))
    }
}
