//! `[target.http]` with its preset below it, and what a declared target must say to be one.

use super::model::{AuthKind, HttpJson, Preset, Target, TargetKind};
use super::template::Text;
use toml::{Table, Value};

/// The declarations that come with the program: what a mapping does not say, they do.
const fn text(preset: Preset) -> &'static str {
    match preset {
        Preset::Wagtail => include_str!("presets/wagtail.toml"),
        Preset::Strapi => include_str!("presets/strapi.toml"),
    }
}

/// A preset as TOML.
fn table(preset: Preset) -> Table {
    // A test reads each of them.
    text(preset).parse().unwrap_or_default()
}

/// Puts `over` over `under`, key by key. Rules of errors are tried from the first: `over`'s come before the others.
fn merge(under: &mut Table, over: &Table) {
    for (key, value) in over {
        match (under.get_mut(key), value) {
            (Some(Value::Table(a)), Value::Table(b)) => merge(a, b),
            (Some(Value::Array(a)), Value::Array(b)) if key == "rule" => {
                let mut all = b.clone();
                all.append(a);
                *a = all;
            }
            _ => {
                under.insert(key.clone(), value.clone());
            }
        }
    }
}

/// Something that a declared target lacks: what, and what to do.
pub(super) type Lack = (String, String);

/// Fills `target.http` from its preset and from `written`, the text of the file. What is missing is answered.
pub(super) fn complete(target: &mut Target, written: &str) -> Vec<Lack> {
    if target.kind != TargetKind::HttpJson {
        return Vec::new();
    }
    let mut rules = target.preset.map(table).unwrap_or_default();
    // The text was read before.
    let file: Table = written.parse().unwrap_or_default();
    if let Some(own) = file
        .get("target")
        .and_then(|t| t.get("http"))
        .and_then(Value::as_table)
    {
        merge(&mut rules, own);
    }
    let mut unset = Vec::new();
    let known: Vec<&str> = rules
        .get("vars")
        .and_then(Value::as_table)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.as_str())
        .collect();
    vars(&Value::Table(rules.clone()), &mut |name| {
        if !known.contains(&name) && !unset.iter().any(|u| u == name) {
            unset.push(name.to_owned());
        }
    });
    let unset = unset.into_iter().map(|name| {
        (
            format!("the target needs `http.vars.{name}`"),
            "say it under `[target.http.vars]`: docs/http-json.md tells what each preset asks for".to_owned(),
        )
    });
    match rules.try_into::<HttpJson>() {
        Ok(mut http) => {
            for object in [&mut http.document, &mut http.term, &mut http.media]
                .into_iter()
                .chain(&mut http.file)
            {
                let omit = std::mem::take(&mut object.omit);
                object.fields.retain(|name, _| !omit.contains(name));
            }
            target.http = http;
            lacks(target).into_iter().chain(unset).collect()
        }
        Err(error) => vec![(
            format!(
                "`[target.http]` and its preset do not fit together: {}",
                error.message()
            ),
            String::new(),
        )],
    }
}

/// Names below `vars` that templates use.
fn vars(value: &Value, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => {
            for (name, _) in Text::new(text).iter().flat_map(Text::names) {
                let name = name.strip_prefix("vars.").and_then(|n| n.split('.').next());
                name.into_iter().for_each(&mut *each);
            }
        }
        Value::Array(items) => items.iter().for_each(|v| vars(v, each)),
        Value::Table(table) => table.values().for_each(|v| vars(v, each)),
        _ => {}
    }
}

/// What must be said and is not.
fn lacks(target: &Target) -> Vec<Lack> {
    let http = &target.http;
    let mut lacks = Vec::new();
    if http.auth.kind == AuthKind::Basic && target.user_env.is_none() {
        lacks.push((
            "the target needs `user_env`".into(),
            "`auth.kind = \"basic\"` sends a user beside the secret".into(),
        ));
    }
    let mut lack = |what: String| {
        let help = if target.preset.is_some() {
            "add it to `[target.http]`".to_owned()
        } else {
            "add it to `[target.http]`, or begin with a `preset`".to_owned()
        };
        lacks.push((format!("the target needs `http.{what}`"), help));
    };
    if http.probe.path.is_none() {
        lack("probe.path".into());
    }
    if http.auth.kind == AuthKind::Header && http.auth.header.is_none() {
        lack("auth.header".into());
    }
    let uses_terms = target.entry.iter().any(|e| !e.terms.is_empty());
    let objects = [
        ("document", Some(&http.document), true),
        ("term", Some(&http.term), uses_terms),
        ("media", Some(&http.media), true),
        ("file", http.file.as_ref(), true),
    ];
    for (name, object, used) in objects {
        let Some(object) = object.filter(|_| used) else {
            continue;
        };
        let required = [
            ("path", object.path.is_some()),
            ("item", object.item.is_some()),
            ("id", object.id.is_some()),
            ("find.query", object.find.query.is_some()),
            ("list.query", object.list.query.is_some()),
            ("list.size", object.list.size > 0),
        ];
        for (key, there) in required {
            if !there {
                lack(format!("{name}.{key}"));
            }
        }
        if ["media", "file"].contains(&name) {
            if object.upload.part.is_none() && !object.upload.raw {
                lack(format!("{name}.upload.part"));
            }
            if object.url.is_none() {
                lack(format!("{name}.url"));
            }
        }
        if object.key.is_none() && object.find.mine.is_none() && object.slug.is_none() {
            lack(format!("{name}.key"));
        }
        if name == "document" {
            if !object.fields.contains_key("body") {
                lack("document.fields.body".into());
            }
            if object.live.is_none() && object.read.public.is_none() {
                lack("document.live".into());
            }
        }
    }
    if target.entry.is_empty() {
        lacks.push((
            "the target needs an `[[target.entry]]`".into(),
            "say which collection becomes which type of the CMS".into(),
        ));
    }
    lacks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_declarations() {
        for preset in [Preset::Wagtail, Preset::Strapi] {
            let table: Table = text(preset).parse().unwrap();
            let http: HttpJson = table.try_into().unwrap();
            assert!(http.document.path.is_some() && http.document.fields.contains_key("body"));
        }
    }

    #[test]
    fn what_the_mapping_says_goes_over_the_preset() {
        let mut under: Table = "a = 1\n[t]\nx = 1\ny = 2\n[[rule]]\nr = 1".parse().unwrap();
        merge(&mut under, &"[t]\nx = 3\n[[rule]]\nr = 2".parse().unwrap());
        let wanted: Table = "a = 1\n[t]\nx = 3\ny = 2\n[[rule]]\nr = 2\n[[rule]]\nr = 1"
            .parse()
            .unwrap();
        assert_eq!(under, wanted);
    }
}
