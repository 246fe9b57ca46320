//! `sangtrang try MAPPING URL|FILE`: one page, its document, its accounting, the rungs of a field.

use super::args::TryArgs;
use super::error::CliError;
use super::inspect::clean;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::capture::Capture;
use crate::crawl::CrawlOptions;
use crate::document::{Dates, Document};
use crate::extract::Extraction;
use crate::mapping::{Mapping, PageUrl};
use crate::page::Page;
use crate::pipeline::{self, Layout};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(super) fn main(args: &TryArgs, ui: &Ui) -> Outcome {
    if args.watch {
        return super::watch::main(args, ui);
    }
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    let (capture, url) = given(&mapping, args, &layout)?;
    let tried =
        pipeline::try_capture(&mapping, &capture, &url, &BTreeMap::new(), &layout).map_err(failure)?;
    let shown = Shown {
        page: &tried.page,
        collection: &tried.collection,
        extraction: &tried.extraction,
    };
    tell(&shown, args.explain.as_deref(), ui)?;
    let failed = tried.extraction.documents.iter().any(|d| d.quality.failed());
    Ok(if failed { Exit::Findings } else { Exit::Ok })
}

/// The capture that is to be tried: a saved page, else what the archive holds, else what the site answers.
pub(super) fn given(
    mapping: &Arc<Mapping>,
    args: &TryArgs,
    layout: &Layout,
) -> Result<(Capture, PageUrl), CliError> {
    let file = Path::new(&args.target);
    if !file.is_file() {
        let url = pipeline::site_url(mapping, &args.target).map_err(failure)?;
        if let Some(capture) = pipeline::archived(mapping, &url, layout).map_err(failure)? {
            return Ok((capture, url));
        }
        // A name without a scheme or a slash in front is as likely a file whose name is misspelt: no site is asked for it.
        if !args.target.contains("://") && !args.target.starts_with('/') {
            let text = format!(
                "there is no file `{}`, and no such page in the archive",
                args.target
            );
            return Err(CliError::new(Exit::Usage, "usage::file", text)
                .hint(format!("`{url}` asks the site for the page of that name")));
        }
        return Ok((fetched(mapping, &url, args)?, url));
    }
    let Some(url) = &args.url else {
        return Err(CliError::new(
            Exit::Usage,
            "usage::url",
            format!("`{}` is a file: say which URL it stands for", args.target),
        )
        .hint("add `--url URL`; collections are chosen by URL"));
    };
    let url = pipeline::site_url(mapping, url).map_err(failure)?;
    let capture = saved(file, url.as_str(), mapping.rules().limits.page_bytes)?;
    Ok((capture, url))
}

/// One page and what was made of it.
pub(super) struct Shown<'a> {
    /// The page.
    pub(super) page: &'a Page,
    /// Id of its collection.
    pub(super) collection: &'a str,
    /// Documents and accounting.
    pub(super) extraction: &'a Extraction,
}

/// Decisions of encoding that are shown.
const BLOCKS: usize = 12;

/// A saved page as a capture.
pub(super) fn saved(file: &Path, url: &str, limit: u64) -> Result<Capture, CliError> {
    let size = fs_err::metadata(file)
        .map_err(|e| CliError::unread(file, e))?
        .len();
    if size > limit {
        return Err(CliError::new(
            Exit::Failure,
            "page::too_large",
            format!("`{}` has {size} bytes; at most {limit} are read", file.display()),
        ));
    }
    let body = fs_err::read(file)?;
    Ok(Capture::saved(url, None, body))
}

/// What the site answers.
fn fetched(mapping: &Arc<Mapping>, url: &PageUrl, args: &TryArgs) -> Result<Capture, CliError> {
    let (runtime, cancel) = reactor()?;
    let options = CrawlOptions {
        connect_to: args.net.connect_to()?,
        allow_net: args.net.allow_net.clone(),
        browser: args.net.browser.clone(),
        cancel,
        ..CrawlOptions::default()
    };
    let exchange = runtime
        .block_on(crate::crawl::fetch_once(mapping.clone(), url, &options))
        .map_err(failure)?;
    Capture::from_exchange(&exchange, mapping.rules().limits.page_bytes).map_err(failure)
}

pub(super) fn tell(tried: &Shown<'_>, explain: Option<&str>, ui: &Ui) -> Result<(), CliError> {
    let extraction = tried.extraction;
    let rungs: Vec<_> = extraction
        .explain
        .iter()
        .filter(|e| explain.is_some_and(|field| e.field == field))
        .collect();
    if let Some(field) = explain
        && rungs.is_empty()
    {
        let mut fields: Vec<&str> = extraction.explain.iter().map(|e| e.field.as_str()).collect();
        fields.dedup();
        return Err(CliError::new(
            Exit::Usage,
            "usage::field",
            format!("collection `{}` has no field `{field}`", tried.collection),
        )
        .hint(format!("its fields: {}", fields.join(", "))));
    }
    if ui.json() {
        let rungs: Vec<_> = rungs
            .iter()
            .map(|r| serde_json::json!({ "field": r.field, "rung": r.rung, "verb": r.verb, "found": r.found, "won": r.won }))
            .collect();
        let shown: Vec<_> = tried
            .page
            .shown
            .iter()
            .map(|s| serde_json::json!({ "before": s.before, "after": s.after }))
            .collect();
        ui.data(serde_json::json!({
            "schema": "try/1", "type": "page", "url": tried.page.url.as_str(), "collection": tried.collection,
            "documents": extraction.documents, "shown": shown, "accounting": extraction.accounting, "explain": rungs,
        }));
        return Ok(());
    }
    for rung in rungs {
        let sign = if rung.won { "=" } else { "-" };
        let found = rung.found.as_deref().unwrap_or("nothing");
        ui.data(clean(&format!(
            "  {sign} {} rung {} {}: {found}",
            rung.field, rung.rung, rung.verb
        )));
    }
    for document in &extraction.documents {
        for line in document_lines(document) {
            ui.data(clean(&line));
        }
    }
    for line in super::encodings::decision_lines(&tried.page.decode, &tried.page.shown, BLOCKS) {
        ui.data(clean(&line));
    }
    Ok(())
}

/// A document for a terminal.
fn document_lines(document: &Document) -> Vec<String> {
    let mut lines = vec![format!(
        "{}  {}  {}",
        document.source_key, document.kind, document.id
    )];
    let mut field = |name: &str, value: Option<&str>| {
        let origin = document.provenance.fields.get(name);
        let how = origin
            .map(|o| format!("  [{} rung {} {}]", o.rule, o.rung, o.method))
            .unwrap_or_default();
        if let Some(value) = value {
            lines.push(format!("  {name:<16} {value}{how}"));
        }
    };
    field("title", document.title.as_deref());
    field("section", document.section.as_ref().map(|s| s.label.as_str()));
    field("byline", document.byline.as_ref().map(|b| b.raw.as_str()));
    field("source", document.source.as_deref());
    field("summary", document.summary.as_deref());
    for (name, value) in &document.extra {
        field(name, Some(value));
    }
    for role in Dates::ROLES {
        field(
            &format!("dates.{role}"),
            document.dates.role(role).map(|d| d.value.as_str()),
        );
    }
    lines.push(format!("  body             {} blocks", document.body.len()));
    for block in &document.body {
        let kind = serde_json::to_value(block)
            .ok()
            .and_then(|b| b["kind"].as_str().map(str::to_owned))
            .unwrap_or_default();
        for (n, text) in block.text().lines().enumerate() {
            lines.push(format!(
                "    {:<10} {text}",
                if n == 0 { kind.as_str() } else { "" }
            ));
        }
    }
    for medium in document.media.iter().chain(&document.attachments) {
        lines.push(format!(
            "  medium           {}  {}",
            medium.reference,
            medium.caption.as_deref().unwrap_or_default()
        ));
    }
    for citation in &document.citations {
        lines.push(format!(
            "  citation         {} {} {}",
            citation.kind,
            citation.number,
            citation.date.as_deref().unwrap_or("undated")
        ));
    }
    for dropped in &document.dropped {
        lines.push(format!("  dropped          [{}] {}", dropped.rule, dropped.text));
    }
    let sum = &document.accounting;
    lines.push(format!(
        "  accounting       {} visible = {} kept + {} dropped + {} unaccounted",
        sum.visible, sum.kept, sum.dropped, sum.unaccounted
    ));
    for open in &sum.unaccounted_text {
        lines.push(format!("  unaccounted      {}", open.text));
    }
    for gate in &document.quality.gates {
        lines.push(format!(
            "  gate             {:?} {}: {}",
            gate.level, gate.id, gate.note
        ));
    }
    lines
}
