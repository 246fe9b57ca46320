//! `sangtrang inspect render`: what a page asks for when a browser shows it, and which endpoint could be mapped instead.

use super::args::InspectRenderArgs;
use super::error::CliError;
use super::inspect::{clean, mapping_or_usual};
use super::target::{failure, reactor};
use super::{Exit, Outcome, Ui};
use crate::capture::{Capture, Exchange};
use crate::crawl::fetch::End;
use crate::crawl::fetch::traffic::Request;
use crate::crawl::propose::{Links, Proposal, propose};
use crate::crawl::{CrawlOptions, render_once};
use crate::mapping::{Css, Mapping, PageUrl};
use crate::page;
use serde_json::{Value, json};
use url::Url;

pub(super) fn main(args: &InspectRenderArgs, ui: &Ui) -> Outcome {
    let base = Url::parse(&args.url)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", format!("`{}`: {e}", args.url)))?;
    let mapping = mapping_or_usual(args.mapping.as_deref(), &base)?;
    let url = mapping
        .canonical(&base)
        .map_err(|e| CliError::new(Exit::Usage, "usage::url", e))?;
    let (runtime, cancel) = reactor()?;
    let options = CrawlOptions {
        connect_to: args.net.connect_to()?,
        allow_net: args.net.allow_net.clone(),
        browser: args.net.browser.clone(),
        cancel: cancel.clone(),
        ..CrawlOptions::default()
    };
    let rendered = runtime.block_on(async {
        tokio::select! {
            () = cancel.cancelled() => None,
            rendered = render_once(mapping.clone(), &url, &options) => Some(rendered),
        }
    });
    let Some(rendered) = rendered else {
        return Ok(Exit::Interrupted);
    };
    let rendered = rendered.map_err(failure)?;
    let (sent, shown) = match &rendered.answer.exchanges[..] {
        [] => (Links::new(), Links::new()),
        [sent] => (links(&mapping, &url, sent), Links::new()),
        [sent, .., shown] => (links(&mapping, &url, sent), links(&mapping, &url, shown)),
    };
    let new: Links = shown.difference(&sent).cloned().collect();
    let proposals = propose(&mapping, &url, &new, &rendered.requests);
    if ui.json() {
        ui.data(json!({
            "schema": "inspect/1", "type": "render", "url": url.as_str(), "end": end(&rendered.answer.end),
            "links": shown.len(), "links_by_script": new,
            "requests": rendered.requests.iter().map(object).collect::<Vec<_>>(),
            "proposals": proposals.iter().map(proposed).collect::<Vec<_>>(),
        }));
    } else {
        for request in &rendered.requests {
            ui.data(clean(&line(request)));
        }
        ui.data(format!(
            "{} links, {} of them only by script",
            shown.len(),
            new.len()
        ));
        match proposals.first() {
            Some(best) => {
                ui.data("\nto do without a browser, write into the mapping:\n");
                best.rule.lines().for_each(|line| ui.data(clean(line)));
                for other in &proposals[1..] {
                    let request = &rendered.requests[other.request];
                    let text = format!(
                        "also possible, with {} of {} items: {}",
                        other.linked, other.items, request.url
                    );
                    ui.data(clean(&text));
                }
            }
            None if new.is_empty() => ui.data("the page as sent has all of them: it needs no browser"),
            None => ui.data("no answer in JSON holds them: render the page with a `[[render]]` rule"),
        }
    }
    match &rendered.answer.end {
        End::Response => Ok(Exit::Ok),
        End::Network(class, text) => Err(CliError::new(
            Exit::Unreachable,
            "browser::render",
            format!("{class}: {text}"),
        )),
        other => Err(CliError::new(
            Exit::Unreachable,
            "browser::render",
            format!("{} did not end as a page: {}", url.as_str(), end(other)),
        )),
    }
}

/// The site's links on a page.
fn links(mapping: &Mapping, url: &PageUrl, exchange: &Exchange) -> Links {
    let limit = mapping.rules().limits.page_bytes;
    let Ok(capture) = Capture::from_exchange(exchange, limit) else {
        return Links::new();
    };
    let Ok(page) = page::read(&capture, url, mapping) else {
        return Links::new();
    };
    let Ok(css) = Css::new("a[href]") else {
        return Links::new();
    };
    page.select(&css)
        .filter_map(|a| page.base.join(a.attr("href")?.trim()).ok())
        .filter_map(|u| mapping.canonical(&u).ok())
        .map(|u| u.as_str().to_owned())
        .collect()
}

fn end(end: &End) -> String {
    match end {
        End::Response => "page".to_owned(),
        End::Redirect(to) => format!("redirect to {to}"),
        End::Redirects(class) => (*class).to_owned(),
        End::Network(class, text) => format!("{class}: {text}"),
    }
}

fn line(request: &Request) -> String {
    let outcome = match (&request.blocked, request.status) {
        (Some(why), _) => format!("not answered: {why}"),
        (None, Some(status)) => format!(
            "{status} {} {} bytes",
            request.mime.as_deref().unwrap_or("-"),
            request.bytes
        ),
        (None, None) => "no answer".to_owned(),
    };
    format!(
        "{:<5}{:<11}{}  {outcome}",
        request.method, request.kind, request.url
    )
}

fn object(request: &Request) -> Value {
    json!({
        "method": request.method, "url": request.url, "kind": request.kind, "status": request.status,
        "type": request.mime, "bytes": request.bytes, "blocked": request.blocked,
        "sent": String::from_utf8_lossy(&request.sent),
    })
}

fn proposed(proposal: &Proposal) -> Value {
    json!({
        "request": proposal.request, "items": proposal.items, "linked": proposal.linked,
        "confidence": proposal.confidence, "method": "rendered-links", "rule": proposal.rule,
    })
}
