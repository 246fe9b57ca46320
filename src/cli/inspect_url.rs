//! `sangtrang inspect url`: what a mapping makes of URLs, one step a rule.

use super::args::InspectUrlArgs;
use super::error::CliError;
use super::inspect::clean;
use super::target::load_mapping;
use super::{Exit, Outcome, Ui, inspect_lines};
use crate::mapping::{IdentityStep, Mapping, PageUrl, identity_without_site, resolve_href};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// One line of `--json` without URLs.
#[derive(Deserialize)]
struct Question {
    url: String,
    base: Option<String>,
}

/// What became of a URL.
struct Answer {
    steps: Vec<IdentityStep>,
    /// The canonical URL, or why there is none.
    end: Result<PageUrl, String>,
    /// Natural key of the page in the collection that its URL belongs to.
    key: Option<String>,
}

pub(super) fn main(args: &InspectUrlArgs, ui: &Ui) -> Outcome {
    let mapping = args.mapping.as_deref().map(load_mapping).transpose()?;
    let mapping = mapping.as_deref();
    let base = args.base.as_deref();
    if args.urls.is_empty() {
        if !ui.json() {
            return Err(CliError::new(Exit::Usage, "usage::url", "no URL to inspect")
                .hint("write URLs behind the flags, or give questions with `--json`"));
        }
        return inspect_lines::answer(ui, |line| {
            let question: Question =
                serde_json::from_slice(line).map_err(|e| format!("not a question: {e}"))?;
            Ok(object(&explain(
                mapping,
                question.base.as_deref().or(base),
                &question.url,
            )))
        });
    }
    let mut exit = Exit::Ok;
    for text in &args.urls {
        let answer = explain(mapping, base, text);
        if answer.end.is_err() {
            exit = Exit::Findings;
        }
        if ui.json() {
            let mut object = object(&answer);
            object["schema"] = json!("inspect/1");
            object["type"] = json!("url");
            object["url"] = json!(text);
            ui.data(object);
        } else {
            show(text, &answer, ui);
        }
    }
    Ok(exit)
}

fn explain(mapping: Option<&Mapping>, base: Option<&str>, text: &str) -> Answer {
    let invalid = |text: &str, reason: &dyn std::fmt::Display| Answer {
        steps: Vec::new(),
        end: Err(format!("`{text}` is not a URL: {reason}")),
        key: None,
    };
    let parsed = match (base, mapping) {
        (Some(base), _) => match Url::parse(base.trim()) {
            Ok(base) => resolve_href(&base, text),
            Err(error) => return invalid(base, &error),
        },
        (None, Some(mapping)) => resolve_href(&mapping.rules().site.base, text),
        (None, None) => Url::parse(text.trim()),
    };
    let url = match parsed {
        Ok(url) => url,
        Err(error) => return invalid(text, &error),
    };
    let mut steps = Vec::new();
    if url.as_str() != text {
        steps.push(IdentityStep {
            rule: "syntax",
            before: text.to_owned(),
            after: url.to_string(),
        });
    }
    let (rules, end) = match mapping {
        Some(mapping) => (mapping.explain_url(&url), mapping.canonical(&url)),
        None => identity_without_site(&url),
    };
    steps.extend(rules);
    let key = end.as_ref().ok().zip(mapping).and_then(|(page, mapping)| {
        mapping
            .collection_for_url(page)
            .and_then(|collection| mapping.source_key(collection, page))
    });
    Answer {
        steps,
        end: end.map_err(|e| e.to_string()),
        key,
    }
}

fn object(answer: &Answer) -> Value {
    let steps: Vec<Value> = answer
        .steps
        .iter()
        .map(|s| json!({ "rule": s.rule, "before": s.before, "after": s.after, "why": words(s.rule) }))
        .collect();
    match &answer.end {
        Ok(page) => json!({ "canonical": page.as_str(), "key": answer.key, "steps": steps }),
        Err(error) => json!({ "error": error, "steps": steps }),
    }
}

fn show(text: &str, answer: &Answer, ui: &Ui) {
    ui.data(clean(text));
    for step in &answer.steps {
        ui.data(clean(&format!("  {:<26}{}", step.rule, words(step.rule))));
        ui.data(clean(&format!("    from  {}", step.before)));
        ui.data(clean(&format!("    to    {}", step.after)));
    }
    match &answer.end {
        Ok(page) => {
            ui.data(clean(&format!("  canonical {page}")));
            ui.data(clean(&format!(
                "  key       {}",
                answer
                    .key
                    .as_deref()
                    .unwrap_or("none: no collection of the mapping takes it")
            )));
        }
        Err(error) => ui.data(clean(&format!("  refused   {error}"))),
    }
}

/// What a rule does, for people.
fn words(rule: &str) -> &'static str {
    match rule {
        "syntax" => {
            "read as browsers do: against the base, case of the host, punycode, default port, dot segments"
        }
        "fragment" => "what stands behind # never reaches the server",
        "scheme" => "only http and https are fetched",
        "site.aliases" => "the site's one origin, without user and password",
        "percent-encoding" => "one spelling of percent-encoded characters",
        "url.session_ids" => "session ids tell visitors apart, not pages",
        "url.drop_path_patterns" => "the mapping cuts this out of paths",
        "url.case_insensitive_path" => "the mapping says that case makes no difference",
        "url.index_files" => "this file stands for its folder",
        "url.drop_params" => "the mapping drops these parameters",
        "url.significant_params" => "only the parameters that the mapping names tell pages apart",
        "parameter-order" => "parameters in one order",
        "url.rewrite" => "the mapping rewrites this view to its page",
        "empty-query" => "a ? with nothing behind it says nothing",
        "url.max_repeated_segments" => "this looks like a trap",
        _ => "a rule of the mapping",
    }
}
