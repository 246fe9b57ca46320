//! `sangtrang inspect robots`: what a robots.txt says of URLs, with the deciding line.

use super::args::InspectRobotsArgs;
use super::error::CliError;
use super::inspect::clean;
use super::{Exit, Outcome, Ui, inspect_lines};
use crate::crawl::robots::{Decision, MAX_BYTES, Robots, agent_name, line_text, path_of};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::Read;
use std::path::Path;

/// One line of `--json` without `--file`.
#[derive(Deserialize)]
struct Question<'a> {
    #[serde(borrow)]
    robots: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    agent: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    url: std::borrow::Cow<'a, str>,
}

pub(super) fn main(args: &InspectRobotsArgs, ui: &Ui) -> Outcome {
    let Some(file) = &args.file else {
        if ui.json() {
            return inspect_lines::answer(ui, |line| {
                let question: Question<'_> =
                    serde_json::from_slice(line).map_err(|e| format!("not a question: {e}"))?;
                let body = question.robots.as_bytes();
                let robots = Robots::parse(body, agent_name(&question.agent));
                Ok(object(decide(&robots, &question.url), body))
            });
        }
        return Err(
            CliError::new(Exit::Usage, "usage::file", "no robots.txt to inspect")
                .hint("name one with `--file FILE` and URLs behind it, or give questions with `--json`"),
        );
    };
    let body = read(file)?;
    let robots = Robots::parse(&body, agent_name(&args.agent));
    for url in &args.urls {
        let decision = decide(&robots, url);
        if ui.json() {
            let mut answer = object(decision, &body);
            answer["schema"] = json!("inspect/1");
            answer["type"] = json!("robots");
            answer["agent"] = json!(args.agent);
            answer["url"] = json!(url);
            ui.data(answer);
            continue;
        }
        let word = if decision.allowed { "allowed" } else { "denied" };
        let why = match decision.line {
            Some(line) => format!("line {line}: {}", text(decision, &body)),
            None => text(decision, &body),
        };
        ui.data(clean(&format!("{word:<8}{url}  {why}")));
    }
    Ok(Exit::Ok)
}

/// RFC 9309, 2.2.2: robots.txt itself is always allowed.
fn decide(robots: &Robots, url: &str) -> Decision {
    let path = path_of(url);
    if path == "/robots.txt" {
        return Decision {
            allowed: true,
            line: None,
        };
    }
    robots.decide(&path)
}

fn object(decision: Decision, body: &[u8]) -> Value {
    json!({ "allowed": decision.allowed, "line": decision.line, "rule": text(decision, body) })
}

fn text(decision: Decision, body: &[u8]) -> String {
    decision
        .line
        .and_then(|line| line_text(body, line))
        .unwrap_or_else(|| "no rule".to_owned())
}

/// What a crawl would read of it.
fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let limit = MAX_BYTES as u64;
    let mut body = Vec::new();
    if file == Path::new("-") {
        std::io::stdin().lock().take(limit).read_to_end(&mut body)?;
    } else {
        fs_err::File::open(file)?.take(limit).read_to_end(&mut body)?;
    }
    Ok(body)
}
