//! `sangtrang inspect FILE`: what a saved page looks like to the program.

use super::args::{Inspect, InspectArgs, InspectRenderArgs};
use super::error::CliError;
use super::target::load_mapping;
use super::{Exit, Outcome, Ui};
use crate::capture::Capture;
use crate::document::CaptureId;
use crate::mapping::Mapping;
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
    let Some(file) = &args.file else {
        return Err(CliError::new(Exit::Usage, "usage::file", "no file to inspect"));
    };
    let base = url::Url::parse(&args.url)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", format!("`{}`: {e}", args.url)))?;
    let mapping = mapping_or_usual(args.mapping.as_deref(), &base)?;
    let url = mapping
        .canonical(&base)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", e))?;
    let capture = super::try_page::saved(file, url.as_str(), MAX_FILE)?;
    show(&capture, &mapping, &url, ui)
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

fn show(capture: &Capture, mapping: &Mapping, url: &crate::mapping::PageUrl, ui: &Ui) -> Outcome {
    let page =
        crate::page::read(capture, url, mapping).map_err(|e| CliError::new(Exit::Failure, "page", e))?;
    let lines: Vec<&str> = page
        .text
        .as_str()
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .collect();
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
    if ui.json() {
        ui.data(serde_json::json!({
            "schema": "inspect/1", "type": "page", "url": url.as_str(), "bytes": capture.body.len(),
            "capture": CaptureId::of(&capture.body), "decode": decode, "lines": lines, "images": images, "links": links,
        }));
        return Ok(Exit::Ok);
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
        "images     {}\nlinks      {}\nvisible lines:",
        images.len(),
        links.len()
    ));
    for (number, line) in lines.iter().enumerate() {
        ui.data(format_args!("{:>5}  {}", number + 1, clean(line)));
    }
    Ok(Exit::Ok)
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
