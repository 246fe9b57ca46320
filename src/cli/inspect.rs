//! `sangtrang inspect FILE…`: what a saved page looks like to the program.

use super::args::{Inspect, InspectArgs, InspectRenderArgs};
use super::error::CliError;
use super::target::load_mapping;
use super::{Exit, Outcome, Ui};
use crate::capture::Capture;
use crate::document::CaptureId;
use crate::extract::template::{Line, outline};
use crate::lang::fold;
use crate::mapping::Mapping;
use crate::page::Page;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

/// Largest file that is inspected, in bytes.
pub(super) const MAX_FILE: u64 = 64 << 20;

pub(super) fn main(args: &InspectArgs, ui: &Ui) -> Outcome {
    match &args.what {
        Some(Inspect::Content(args)) => return super::inspect_content::main(args, ui),
        Some(Inspect::Encoding(args)) => return super::inspect_encoding::main(args, ui),
        Some(Inspect::Robots(args)) => return super::inspect_robots::main(args, ui),
        Some(Inspect::Render(args)) => return super::inspect_render::main(args, ui),
        Some(Inspect::Tls(args)) => return super::inspect_tls::main(args, ui),
        Some(Inspect::Url(args)) => return super::inspect_url::main(args, ui),
        None => {}
    }
    if let Some(url) = &args.render {
        let args = InspectRenderArgs {
            url: url.clone(),
            mapping: args.mapping.clone(),
            net: args.net.clone(),
        };
        return super::inspect_render::main(&args, ui);
    }
    let base = url::Url::parse(&args.url)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", format!("`{}`: {e}", args.url)))?;
    if !args.find.is_empty() {
        return super::inspect_find::main(args, &base, ui);
    }
    let mapping = mapping_or_usual(args.mapping.as_deref(), &base)?;
    let url = mapping
        .canonical(&base)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", e))?;
    let mut pages = Vec::new();
    for file in &args.files {
        let capture = super::try_page::saved(file, url.as_str(), MAX_FILE)?;
        let page = crate::page::read(&capture, &url, &mapping)
            .map_err(|e| CliError::new(Exit::Failure, "page", e))?;
        pages.push((file, capture, page));
    }
    let common = common(pages.iter().map(|p| &p.2));
    for (n, (file, capture, page)) in pages.iter().enumerate() {
        if pages.len() > 1 && !ui.json() {
            ui.data(format_args!(
                "{}{}",
                if n > 0 { "\n" } else { "" },
                file.display()
            ));
        }
        show(file, capture, page, &mapping, &common, ui);
    }
    Ok(Exit::Ok)
}

/// Lines, folded, that more than half of several pages show: what a portal prints round its content.
fn common<'a>(pages: impl ExactSizeIterator<Item = &'a Page>) -> BTreeSet<String> {
    let all = pages.len();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for page in pages {
        let lines: BTreeSet<String> = page.text.as_str().lines().map(fold).collect();
        for line in lines.into_iter().filter(|l| !l.is_empty()) {
            *counts.entry(line).or_default() += 1;
        }
    }
    let often = |n: &usize| all > 1 && n * 2 > all;
    counts
        .into_iter()
        .filter(|(_, n)| often(n))
        .map(|(l, _)| l)
        .collect()
}

/// The mapping at `path`; else one that knows nothing but the site of `base`.
pub(super) fn mapping_or_usual(path: Option<&Path>, base: &url::Url) -> Result<Arc<Mapping>, CliError> {
    if let Some(path) = path {
        return load_mapping(path);
    }
    let text = format!(
        "schema = 1\n[site]\nid = \"inspect\"\nbase = {:?}\n",
        base.origin().ascii_serialization()
    );
    Mapping::parse("inspect", &text).map(Arc::new).map_err(|e| {
        let text = format!("`{base}` cannot be a site: {e}");
        CliError::new(Exit::Usage, "usage::url", text)
    })
}

/// Characters of a selector that stand beside a line.
const BESIDE: usize = 34;

fn show(file: &Path, capture: &Capture, page: &Page, mapping: &Mapping, common: &BTreeSet<String>, ui: &Ui) {
    let outline = outline(page, mapping);
    let attribute = |css: &str, name: &str| -> Vec<String> {
        crate::mapping::Css::new(css)
            .map(|css| {
                page.select(&css)
                    .filter_map(|e| e.attr(name).map(str::to_owned))
                    .collect()
            })
            .unwrap_or_default()
    };
    let (images, links) = (attribute("img[src]", "src"), attribute("a[href]", "href"));
    let decode = &page.decode;
    let repeated = |line: &Line| common.contains(&fold(&line.text));
    if ui.json() {
        let lines: Vec<&str> = outline.lines.iter().map(|l| l.text.as_str()).collect();
        let told: Vec<_> = outline
            .lines
            .iter()
            .enumerate()
            .map(|(n, l)| {
                json!({ "number": n + 1, "text": l.text, "css": l.css, "date": l.date, "repeated": repeated(l) })
            })
            .collect();
        let repeats = outline.repeats.iter();
        let repeats: Vec<_> = repeats
            .map(|r| json!({ "css": r.css, "count": r.count, "texts": r.texts }))
            .collect();
        let pagers = outline.pagers.iter();
        let pagers: Vec<_> = pagers
            .map(|p| json!({ "kind": p.kind, "css": p.css, "texts": p.texts, "toml": p.toml }))
            .collect();
        ui.data(json!({
            "schema": "inspect/1", "type": "page", "file": file, "url": page.url.as_str(), "bytes": capture.body.len(),
            "capture": CaptureId::of(&capture.body), "decode": decode, "lines": lines, "outline": told,
            "repeats": repeats, "pagers": pagers, "images": images, "links": links,
        }));
        return;
    }
    ui.data(format_args!(
        "encoding   {} ({}; declared {}), {} replacement characters{}",
        decode.used,
        decode.method,
        decode.declared.as_deref().unwrap_or("none"),
        decode.replacements,
        if decode.repairs.is_empty() {
            String::new()
        } else {
            format!("; repairs: {}", decode.repairs.join(", "))
        },
    ));
    ui.data(format_args!(
        "images     {}\nlinks      {}",
        images.len(),
        links.len()
    ));
    for repeat in &outline.repeats {
        ui.data(clean(&format!(
            "repeats    {} x {}: {}",
            repeat.count,
            repeat.css,
            repeat.texts.join(" | ")
        )));
    }
    for pager in &outline.pagers {
        ui.data(clean(&format!(
            "pager      {}: {}",
            pager.kind,
            pager.texts.join(" ")
        )));
        if let Some(toml) = &pager.toml {
            ui.data(clean(&format!("           {toml}")));
        }
    }
    for (number, line) in outline.lines.iter().enumerate() {
        if let Some(date) = &line.date {
            ui.data(clean(&format!("date       line {}: {date}", number + 1)));
        }
    }
    ui.data("visible lines (number, selector, text):");
    for (number, line) in outline.lines.iter().enumerate() {
        let css = line.css.as_deref().unwrap_or("-");
        let sign = if repeated(line) { "=" } else { " " };
        ui.data(format_args!(
            "{:>5}{sign} {:<BESIDE$} {}",
            number + 1,
            clean(css),
            clean(&line.text)
        ));
    }
    if !common.is_empty() {
        ui.hint("`=`: more than half of the pages show this line");
    }
}

/// A line of the web for a terminal: no control characters, so that a page cannot draw or type there.
pub(super) fn clean(line: &str) -> String {
    line.chars()
        .map(|c| {
            if c.is_control() && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
