//! What readers of the old portal ask for and has no document.

use super::deliver::hits;
use super::error::PipelineError;
use super::output::Layout;
use crate::ledger::{Ledger, UrlId, UrlKind, UrlState};
use std::path::PathBuf;

/// Addresses that are asked of the ledger at a time.
const CHUNK: usize = 1000;
/// Files that every page loads and no document is made of.
const FURNITURE: [&str; 11] = [
    ".css",
    ".js",
    ".ico",
    ".woff",
    ".woff2",
    ".ttf",
    ".eot",
    ".map",
    ".axd",
    ".svg",
    "/robots.txt",
];

/// What access logs say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AskedPages {
    /// Addresses that were asked for with success.
    pub addresses: u64,
    /// Of these, addresses with a document or a stored file.
    pub answered: u64,
    /// Lines that could not be read.
    pub unread: u64,
    /// The others, most asked first: address, requests, what is known of it.
    pub rest: Vec<(String, u64, String)>,
}

/// Holds access logs against the ledger. Style sheets, scripts and the like are left out.
///
/// # Errors
/// When the ledger or a log cannot be read.
pub fn asked_pages(layout: &Layout, logs: &[PathBuf]) -> Result<AskedPages, PipelineError> {
    let mut hits = hits(logs)?;
    hits.retain(|address| {
        let path = address.split('?').next().unwrap_or(address).to_ascii_lowercase();
        !FURNITURE.iter().any(|end| path.ends_with(end))
    });
    let mut asked = AskedPages {
        addresses: hits.len() as u64,
        unread: hits.unread,
        ..AskedPages::default()
    };
    let ledger = Ledger::read(&layout.ledger())?;
    let mut after = UrlId(0);
    loop {
        let addresses = ledger.addresses(after, CHUNK)?;
        let Some(last) = addresses.last() else { break };
        after = last.id;
        for address in addresses {
            let why = match (&address.document, address.kind, &address.body, address.state) {
                (Some(_), ..) | (None, UrlKind::Media, Some(_), _) => None,
                (.., UrlState::Done) => Some("captured, a list or no content".to_owned()),
                (.., state) if address.class.is_empty() => Some(state.as_str().to_owned()),
                (.., state) => Some(format!("{}: {}", state.as_str(), address.class)),
            };
            for spelling in ledger.aliases(address.id)?.iter().chain([&address.url]) {
                match &why {
                    None => asked.answered += u64::from(hits.take(spelling).is_some()),
                    Some(why) => {
                        if let Some((from, count)) = hits.take(spelling) {
                            asked.rest.push((from, count, why.clone()));
                        }
                    }
                }
            }
        }
    }
    asked.rest.extend(
        hits.rest()
            .map(|(from, count)| (from, count, "unknown to the crawl".to_owned())),
    );
    asked
        .rest
        .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(asked)
}
