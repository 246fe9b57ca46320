//! `sangtrang inspect content FILE…`: what a page gives without a mapping, and why.

use super::args::InspectContentArgs;
use super::error::CliError;
use super::inspect::{MAX_FILE, clean};
use super::{Exit, Outcome, Ui};
use crate::deliver::render;
use crate::document::{Document, FetchProvenance};
use crate::extract::auto::{Auto, Candidate, Verdict};
use crate::extract::{self, Context};
use crate::mapping::Mapping;
use crate::mapping::model::BodyForm;
use crate::page::{self, Page};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::BufRead;
use std::path::Path;
use std::time::Instant;

pub(super) fn main(args: &InspectContentArgs, ui: &Ui) -> Outcome {
    let mut failed = 0_u64;
    let mut lost = 0_u64;
    let mut tell = |read: Option<usize>| match read {
        None => failed += 1,
        Some(unaccounted) => lost += u64::from(unaccounted > 0),
    };
    for file in &args.files {
        if file.as_os_str() == "-" {
            for line in std::io::stdin().lock().lines() {
                let line = line?;
                let (name, url) = line.split_once('\t').unwrap_or((&line, &args.url));
                if !name.is_empty() {
                    tell(one(Path::new(name), url, args, ui));
                }
            }
        } else {
            tell(one(file, &args.url, args, ui));
        }
    }
    outcome(failed, lost)
}

/// What pages that could not be read, and pages with text that nobody accounts for, come to.
fn outcome(failed: u64, lost: u64) -> Outcome {
    if failed > 0 {
        let text = format!("{failed} pages could not be read; the lines with `error` say why");
        return Err(CliError::new(Exit::Findings, "inspect::content", text));
    }
    if lost > 0 {
        let text = format!(
            "{lost} pages show text that is neither kept nor dropped: `accounting` names it (`--json`). This is a mistake of sangtrang, not of the pages"
        );
        return Err(CliError::new(Exit::Findings, "inspect::unaccounted", text));
    }
    Ok(Exit::Ok)
}

/// A page that cannot be read is told in its own line, and the others go on. Gives the characters that are unaccounted.
fn one(file: &Path, url: &str, args: &InspectContentArgs, ui: &Ui) -> Option<usize> {
    let id = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    match look(file, url) {
        Ok(found) => {
            show(&id, &found, args, ui);
            Some(found.document.accounting.unaccounted)
        }
        Err(error) => {
            if ui.json() {
                ui.data(json!({ "id": id, "file": file, "error": error.message }));
            } else {
                ui.data(format_args!("{}: {}", file.display(), error.message));
            }
            None
        }
    }
}

struct Seen {
    page: Page,
    document: Document,
    auto: Auto,
    ms: f64,
}

/// Bytes of a page in which `<html lang>` is looked for.
const LANGUAGE: usize = 8 << 10;

/// What a page says of its language. A page that declares another language is not looked at for legacy Vietnamese sets.
fn declared(body: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(body.get(..LANGUAGE).unwrap_or(body)).to_ascii_lowercase();
    let tag = &head[head.find("<html")?..];
    let tag = &tag[..tag.find('>')?];
    let value = &tag[tag.find(" lang=")? + " lang=".len()..];
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let code = &value[..end.unwrap_or(value.len())];
    (code.len() >= 2).then(|| code.to_owned())
}

/// A mapping that knows nothing but that content is to be found.
fn mapping(base: &url::Url, language: &str) -> Result<Mapping, CliError> {
    let text = format!(
        "schema = 1\n[site]\nid = \"inspect\"\nlanguage = {language:?}\nbase = {:?}\n[[collection]]\nid = \"page\"\nmatch = {{ url = \".*\" }}\nscope = {{ container = [\"@auto\"] }}\n",
        base.origin().ascii_serialization()
    );
    Mapping::parse("inspect", &text).map_err(|e| {
        CliError::new(
            Exit::Usage,
            "usage::url",
            format!("`{base}` cannot be a site: {e}"),
        )
    })
}

fn look(file: &Path, url: &str) -> Result<Seen, CliError> {
    let base = url::Url::parse(url)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", format!("`{url}`: {e}")))?;
    let mut capture = super::try_page::saved(file, url, MAX_FILE)?;
    let mapping = mapping(&base, &declared(&capture.body).unwrap_or_else(|| "vi".to_owned()))?;
    let url = mapping
        .canonical(&base)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", e))?;
    capture.url = url.to_string();
    let failure = |error: String| CliError::new(Exit::Failure, "page", error);
    let started = Instant::now();
    let page = page::read(&capture, &url, &mapping).map_err(|e| failure(e.to_string()))?;
    let context = Context {
        mapping: &mapping,
        learned: None,
        listing: &BTreeMap::new(),
        discovered: &[],
        aliases: &[],
        fetch: &FetchProvenance::default(),
    };
    let Some(collection) = mapping.rules().collection.first() else {
        return Err(failure(
            "the mapping of `inspect content` has no collection".into(),
        ));
    };
    let extraction = extract::extract(&page, collection, &context).map_err(|e| failure(e.to_string()))?;
    let ms = started.elapsed().as_secs_f64() * 1000.0;
    let auto = extraction.auto.unwrap_or_default();
    let document = extraction.documents.into_iter().next();
    let document = document.ok_or_else(|| failure("the page gave no document".into()))?;
    Ok(Seen {
        page,
        document,
        auto,
        ms,
    })
}

/// The body, with the addresses that the page itself gives.
fn html(document: &Document) -> String {
    let text = render::render(&document.body, BodyForm::Html);
    let old = |token: &str| token.strip_prefix("url:").unwrap_or(token).to_owned();
    render::fill(&text, &|_| None, &old, render::escape).0
}

fn told(candidate: &Candidate) -> Value {
    json!({ "value": candidate.value, "method": candidate.method, "confidence": candidate.confidence })
}

fn show(id: &str, found: &Seen, args: &InspectContentArgs, ui: &Ui) {
    let Seen {
        page,
        document,
        auto,
        ms,
    } = found;
    let text = auto.text(page);
    let blocks = || {
        auto.blocks.iter().map(|block| {
            let verdict = match block.verdict {
                Verdict::Kept => "kept",
                Verdict::Caption => "caption",
                Verdict::Dropped => "dropped",
            };
            (verdict, block, page.text.slice(block.chars))
        })
    };
    if ui.json() {
        let value = |c: &Option<Candidate>| c.as_ref().map(|c| c.value.clone());
        let authors: Vec<&str> = auto.authors.iter().map(|a| a.value.as_str()).collect();
        let mut line = json!({
            "id": id,
            "title": value(&auto.title),
            "date": value(&auto.published),
            "author": (!authors.is_empty()).then(|| authors.join(", ")),
            "language": value(&auto.language),
            "image": value(&auto.image),
            "text": text,
            "html": html(document),
            "ms": (ms * 1000.0).round() / 1000.0,
            "provenance": {
                "title": auto.title.as_ref().map(told),
                "date": auto.published.as_ref().map(told),
                "author": auto.authors.iter().map(told).collect::<Vec<_>>(),
                "language": auto.language.as_ref().map(told),
                "image": auto.image.as_ref().map(told),
            },
            "accounting": document.accounting,
        });
        if args.explain
            && let Some(map) = line.as_object_mut()
        {
            let all = blocks().map(|(verdict, block, text)| {
                json!({
                    "chars": block.chars, "verdict": verdict, "rule": block.rule, "reason": block.reason,
                    "likely": (f64::from(block.likely) * 1000.0).round() / 1000.0, "text": text,
                })
            });
            map.insert("blocks".into(), all.collect());
        }
        ui.data(line);
        return;
    }
    let head = |name: &str, candidate: Option<&Candidate>| match candidate {
        Some(c) => format!(
            "{name:<9} {} ({}, {:.2})",
            clean(&c.value),
            c.method,
            c.confidence
        ),
        None => format!("{name:<9} -"),
    };
    ui.data(format_args!(
        "{id}\n{}\n{}\n{}\n{}",
        head("title", auto.title.as_ref()),
        head("date", auto.published.as_ref()),
        head("author", auto.authors.first()),
        head("language", auto.language.as_ref()),
    ));
    let sum = &document.accounting;
    ui.data(format_args!(
        "text      {} of {} visible characters kept, {} dropped, {} unaccounted\n",
        sum.kept, sum.visible, sum.dropped, sum.unaccounted
    ));
    if args.explain {
        for (verdict, block, text) in blocks() {
            let text: String = clean(text).chars().take(100).collect();
            ui.data(format_args!(
                "{verdict:<8} {:<16} {:.2}  {text}  [{}]",
                block.rule, block.likely, block.reason
            ));
        }
    } else {
        ui.data(text.lines().map(clean).collect::<Vec<_>>().join("\n"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_nobody_accounts_for_is_a_finding() {
        let exit = |failed, lost| match outcome(failed, lost) {
            Ok(exit) => exit,
            Err(error) => error.exit,
        };
        assert_eq!(exit(0, 0), Exit::Ok);
        assert_eq!(exit(0, 2), Exit::Findings);
        assert_eq!(exit(1, 0), Exit::Findings);
    }
}
